"""Acts on the proofs of the record: asking for a checkpoint, making one and sending it out, replacing its key, taking all out."""

from __future__ import annotations

from flask import current_app

from grants.core import acts, checkpoints, jobs
from grants.core.acts import act
from grants.core.checkpoints import CheckpointView, OldKey
from grants.core.errors import NotFound
from grants.core.jobs import Asker
from grants.core.permissions import Actor, Permission
from grants.identity import queries as identity
from grants.identity import services as people
from grants.oversight import queries
from grants.oversight.rules import CHECKPOINT, LETTER, addresses


@act("checkpoint.request", needs=Permission.CHECKPOINT_REQUEST, says="asked for a checkpoint of the record")
def request_checkpoint(actor: Actor) -> None:
    """Ask for a checkpoint now; a worker makes it, since the pages never hold the key. One that waits is for all who ask."""
    if not actor.everywhere(Permission.CHECKPOINT_REQUEST):
        raise NotFound
    if not queries.request_waits():
        jobs.queue("jobs.checks.checkpoint", asker=Asker.PROGRAM)


@act("checkpoint.make", needs=Permission.CHECKPOINT_MAKE, says="signed a checkpoint of the record")
def make_checkpoint(actor: Actor) -> CheckpointView:
    """Sign what is sealed now and have it sent out; what was signed already is not signed again."""
    before = checkpoints.last()
    made = checkpoints.draw()
    acts.subject(CHECKPOINT, made.id)
    if before is None or before.position != made.position:
        _send_out(made)
    return made


@act("checkpoint_key.replace", needs=Permission.CHECKPOINT_KEY_REPLACE, says="replaced the key that signs checkpoints")
def replace_checkpoint_key(actor: Actor, old: OldKey) -> CheckpointView:
    """Sign a checkpoint with a new key and, unless it is lost, with the old one too; the file follows after the act."""
    made = checkpoints.draw(checkpoints.signers_of_new_key(old))
    acts.reason("The old key signed for the new one" if old is OldKey.HERE else "The old key is lost")
    _send_out(made)
    return made


def _send_out(made: CheckpointView) -> None:
    """Queue the file and one letter to each auditor and each address outside, in the act that made the checkpoint."""
    about = (CHECKPOINT, made.id)
    jobs.queue(
        "jobs.checks.leave_checkpoint", queue="default", subject=about, asker=Asker.PROGRAM, position=made.position
    )
    auditors = [person.id for person in identity.users_with(Permission.AUDIT_READ)]
    people.mail(auditors, LETTER, *about, note=made.note, file_name=made.file_name)
    for address in addresses(current_app.config["CHECKPOINT_MAIL_TO"]):
        jobs.queue(
            "jobs.mail.send_outside",
            subject=about,
            asker=Asker.PROGRAM,
            address=address,
            template=LETTER,
            context={"note": made.note, "file_name": made.file_name},
        )


@act("checkpoint.export", needs=Permission.AUDIT_READ, says="took every checkpoint out as a file")
def export_checkpoints(actor: Actor) -> None:
    """Put on the record that the checkpoints are taken out."""
    if not actor.everywhere(Permission.AUDIT_READ):
        raise NotFound
    acts.reason("Every checkpoint, by command")


@act("backup.make", needs=Permission.BACKUP_MAKE, says="took everything out as a backup")
def record_backup(actor: Actor, name: str) -> None:
    """Put on the record that everything leaves the program as one file; nothing leaves unless this is kept."""
    if not actor.everywhere(Permission.BACKUP_MAKE):
        raise NotFound
    acts.reason(f"To {name}, by command")


@act("backup.restore", needs=Permission.BACKUP_MAKE, says="brought everything back from a backup")
def record_restore(actor: Actor, name: str) -> None:
    """Put on the record that what stands before this came from a backup."""
    if not actor.everywhere(Permission.BACKUP_MAKE):
        raise NotFound
    acts.reason(f"From {name}, by command")
