"""Mails of every stage: queued inside an act, written and sent by a job after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import current_app

from grants.core import acts, jobs
from grants.core.acts import act
from grants.core.errors import NotAllowed
from grants.core.permissions import Actor, Permission
from grants.identity import queries
from grants.identity.rules import RenderedMail

# With such a link one administrator alone would become the person two of them agreed on (docs/decisions/0004).
RESET_WITHHELD = (
    "This person holds a role that two administrators give, so nobody else may open their link for a new password. "
    "Set a mail server (SMTP_URL) and have them ask for a new link, or add them anew under another address: "
    "then a second administrator confirms the role again."
)


def mail(user_ids: Iterable[UUID], template: str, subject_kind: str, subject_id: UUID, **context: object) -> None:
    """Queue one mail for each person from ``templates/mail/<template>.txt``; it leaves after the act is committed."""
    for user_id in sorted(set(user_ids)):
        jobs.queue(
            "jobs.mail.send",
            subject=(subject_kind, subject_id),
            user_id=str(user_id),
            template=template,
            context=context,
        )


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to some people about one thing."""

    user_ids: frozenset[UUID]
    subject: tuple[str, UUID]
    context: Mapping[str, Any]


def mail_each(template: str, letters: Iterable[Letter]) -> None:
    """Queue many mails from one template, each about another thing, at one statement."""
    asked = [
        (each.subject, {"user_id": str(user_id), "template": template, "context": dict(each.context)})
        for each in letters
        for user_id in sorted(each.user_ids)
    ]
    jobs.queue_many("jobs.mail.send", asked)


def open_mail(actor: Actor, number: int) -> RenderedMail:
    """Read the text of a mail, on the record: where no mail server is set the administrator hands it on."""
    asked = queries.mail_asked_for(actor, number)
    # Not the act's own result: what opens an account must not be kept with it.
    with acts.once(None):
        if asked.user_id is None:
            _note_reading_outside(actor, number)
            return queries.mail_to_outside(asked.address, asked.template, asked.context)
        _note_reading(actor, number)
    return queries.rendered_mail(asked.user_id, asked.template, _without_seal(asked.context))


def _without_seal(context: Mapping[str, Any]) -> dict[str, Any]:
    """What a mail is made of for a reader it is not for: nobody answers in somebody's name because they could read the mail.

    Only in the demo, whose invented people have no mailbox, the page of mails is how a link is answered.
    """
    return {key: value for key, value in context.items() if key != queries.SEALED or current_app.config["GRANTS_DEMO"]}


@act("mail.open", needs=Permission.MAIL_READ, says="read a mail to {subject}")
def _note_reading(actor: Actor, number: int) -> None:
    """A mail that opens an account is shown only to who may invite people."""
    asked = queries.mail_asked_for(actor, number)
    assert asked.user_id is not None
    if asked.template in queries.TEMPLATES_WITH_LINK and not actor.can(Permission.USER_INVITE):
        raise NotAllowed("This mail opens an account. Only an administrator may read it.")
    if asked.template == queries.RESET_TEMPLATE and queries.needs_two_administrators(asked.user_id):
        raise NotAllowed(RESET_WITHHELD)
    acts.reason(f"mail {number}, {asked.template}")
    acts.subject("user_account", asked.user_id)


@act("mail.open_outside", needs=Permission.MAIL_READ, says="read a mail to an address outside")
def _note_reading_outside(actor: Actor, number: int) -> None:
    """No such mail opens an account: it goes to nobody who could have one."""
    asked = queries.mail_asked_for(actor, number)
    acts.reason(f"mail {number}, {asked.template}, to {asked.address}")
