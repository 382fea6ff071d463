"""Acts on the proofs of the record (asking for a checkpoint, making one, replacing its key, taking all out), and the verdicts
of the virus scanner."""

from __future__ import annotations

from uuid import UUID

from flask import current_app

from grants.core import acts, checkpoints, files, jobs, quarantine
from grants.core.acts import act
from grants.core.checkpoints import CheckpointView, OldKey
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.jobs import Asker
from grants.core.permissions import Actor, Permission
from grants.core.scanning import FileScan, Scanned, Verdict
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


@act("file.scan", needs=Permission.FILE_SCAN, says="recorded what the virus scanner found in a file")
def record_scan(actor: Actor, file_id: UUID, found: Scanned) -> None:
    """Keep the scanner's verdict on an upload; who attached something harmful is told."""
    if not actor.everywhere(Permission.FILE_SCAN):
        raise NotFound
    file = files.view(file_id)
    acts.subject(file.kind, file.object_id)
    db.session.add(
        FileScan(file_id=file_id, verdict=found.verdict.value, signature=found.signature, scanner=found.scanner)
    )
    if found.verdict is Verdict.INFECTED and file.created_by is not None:
        people.mail(
            [file.created_by], "file_infected", file.kind, file.object_id, name=file.name, found=found.signature or ""
        )


SCANS_AT_ONCE_MAX = 500


@act("file.ask_for_scans", needs=Permission.FILE_SCAN, says="asked for uploads to be scanned")
def ask_for_scans(actor: Actor) -> int:
    """Ask for the scan of uploads that came before there was a scanner; returns of how many."""
    if not actor.everywhere(Permission.FILE_SCAN):
        raise NotFound
    wanted = quarantine.never_scanned(SCANS_AT_ONCE_MAX)
    for file_id in wanted:
        files.ask_for_scan(file_id)
    return len(wanted)


@act("file.scan_again", needs=Permission.JOB_RETRY, says="asked for a file to be scanned again")
def scan_again(actor: Actor, file_id: UUID) -> None:
    """Ask again about a file in quarantine, once its sender or the scanner's makers say that the finding is wrong."""
    if not actor.everywhere(Permission.JOB_RETRY):
        raise NotFound
    file = files.view(file_id)
    acts.subject(file.kind, file.object_id)
    files.ask_for_scan(file_id)
