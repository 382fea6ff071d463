"""Mails: how each is worded, where it goes, and what was sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import ColumnElement, func, or_, select, tuple_

from grants.core import clock
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.jobs import Job, JobState
from grants.core.paging import COUNTED_MAX, ROWS_ON_A_PAGE_MAX, Page, Rows, Tally, cut
from grants.core.permissions import Actor, Permission
from grants.identity.models import SignInLink
from grants.identity.queries.accounts import needing_two
from grants.identity.queries.people import people, person
from grants.identity.rules import (
    MailAsked,
    MailRow,
    Person,
    RenderedMail,
    link_token,
    one_line,
    read_signed,
    signed_token,
)
from grants.identity.states import LinkPurpose

# Mails whose text opens an account: shown to who invites people only.
RESET_TEMPLATE = "password_reset"

TEMPLATES_WITH_LINK = frozenset(
    {"invitation", RESET_TEMPLATE, "address_confirm", "evaluator_invited", "evaluator_reminded"}
)

# What a sealed address of a mail names. Whoever opens it answers as the person the mail is for, so a mail has other words
# without it, which lead through signing in.
SEALED = "link"

# Mails about a change of address go where that change says, not to where the account stands.
_SENT_ELSEWHERE = {"address_confirm": SignInLink.new_email, "address_changed": SignInLink.old_email}


def address_of(endpoint: str, **values: Any) -> str:
    """A page's public address from the settings alone: what a request calls this host never gets into a mail."""
    config = current_app.config
    base = config["BASE_URL"].rstrip("/") or f"http://{config['HOST']}:{config['PORT']}"
    return base + current_app.url_map.bind("localhost").build(endpoint, values)


def sign_in_address(link_id: UUID | str, purpose: LinkPurpose | str = LinkPurpose.INVITATION) -> str:
    """The address that opens a sign-in link, derived again from the program's key each time it is needed."""
    token = link_token(current_app.config["SECRET_KEY"], UUID(str(link_id)))
    return address_of("identity.open_link", purpose=LinkPurpose(purpose).value, token=token)


def signed_address(endpoint: str, *parts: str) -> str:
    """The address of a page that a mail alone opens: sealed with the program's key each time, and kept nowhere."""
    token = signed_token(current_app.config["SECRET_KEY"], endpoint, *parts)
    return address_of(endpoint, token=token)


def read_signed_address(endpoint: str, token: str) -> tuple[str, ...]:
    """What such an address names; nothing where a letter of it was changed."""
    return read_signed(current_app.config["SECRET_KEY"], endpoint, token)


def sign_in_token(link_id: UUID) -> str:
    """The token of a sign-in link, for a page that leads whoever proved to hold the mailbox straight to it."""
    return link_token(current_app.config["SECRET_KEY"], link_id)


def rendered_mail(user_id: UUID, template: str, context: Mapping[str, Any]) -> RenderedMail:
    """One mail from ``templates/mail/<template>.txt``, whose first line is \u201cSubject: \u2026\u201d.

    The template gets ``person``, ``address(endpoint, ...)``, ``sign_in_address(link_id)``,
    ``signed_address(endpoint, ...)`` and the context.
    """
    to = person(user_id)
    return _rendered(_address(to, template, context), to.name, template, {**context, "person": to})


def rendered_mails(template: str, contexts: Mapping[UUID, Mapping[str, Any]]) -> dict[UUID, RenderedMail]:
    """The same for many people at once, each with a context of their own: what a page shows before anything is sent."""
    assert template not in _SENT_ELSEWHERE, "goes to where the account stands"
    found = people(contexts)
    return {
        user_id: _rendered(found[user_id].email, found[user_id].name, template, {**context, "person": found[user_id]})
        for user_id, context in contexts.items()
    }


# To people, and to addresses outside.
_LETTERS = ("jobs.mail.send", "jobs.mail.send_outside")
_WAITING = (JobState.QUEUED, JobState.RUNNING)


def mail_to_outside(email: str, template: str, context: Mapping[str, Any]) -> RenderedMail:
    """One mail to an address that belongs to no account here; its template names no person."""
    return _rendered(email, email, template, context)


def _rendered(email: str, name: str, template: str, context: Mapping[str, Any]) -> RenderedMail:
    first, _, text = "".join(_written(template, context)).lstrip().partition("\n")
    return RenderedMail(email, one_line(name), _subject(first, template), text.replace(_BREAK, "\n").strip() + "\n")


def _written(template: str, context: Mapping[str, Any]) -> Iterator[str]:
    """The words of a mail piece by piece, from its subject on."""
    return current_app.jinja_env.get_template(f"mail/{template}.txt").generate(
        address=address_of,
        sign_in_address=sign_in_address,
        signed_address=signed_address,
        **{key: _broken_later(each) for key, each in context.items()},
    )


def _subject(first: str, template: str) -> str:
    assert first.startswith("Subject: "), f"the mail {template} does not begin with its subject"
    return one_line(first.removeprefix("Subject: ").replace(_BREAK, " "))


def _subject_to_be(args: Mapping[str, Any], to: Person | None) -> str | None:
    """The subject a mail will have that is not written yet: nothing behind its first line is put into words.

    None for one that cannot be written, whatever is wrong with it: the page of mails is where that is looked for.
    """
    first = ""
    try:
        for piece in _written(args["template"], {**args["context"], "person": to}):
            first += piece
            if "\n" in first.lstrip():
                break
        return _subject(first.lstrip().partition("\n")[0], args["template"])
    except Exception:
        return None


# Stands for a line break of what somebody typed, so that a title of two lines never cuts a subject off.
_BREAK = "\x1e"


def _broken_later(value: Any) -> Any:
    match value:
        case str():
            return value.replace("\r\n", _BREAK).replace("\r", _BREAK).replace("\n", _BREAK)
        case list():
            return [_broken_later(each) for each in value]
        case dict():
            return {key: _broken_later(each) for key, each in value.items()}
        case _:
            return value


def _address(to: Person, template: str, context: Mapping[str, Any]) -> str:
    if template not in _SENT_ELSEWHERE:
        return to.email
    found = db.session.scalar(select(_SENT_ELSEWHERE[template]).where(SignInLink.id == UUID(str(context["link_id"]))))
    return str(found or to.email)


def new_address(link_id: UUID) -> str | None:
    """The address a link asks to confirm."""
    return db.session.scalar(select(SignInLink.new_email).where(SignInLink.id == link_id))


def mails(actor: Actor, page: Page | None = None, only: JobState | None = None) -> Rows[MailRow]:
    """Mails by when they were asked for, newest first, without those about a thing the person is barred from; needs ``mail:read``.

    ``only`` are those in one state.
    """
    page = page or Page(size=ROWS_ON_A_PAGE_MAX)
    if not actor.can(Permission.MAIL_READ):
        return Rows(())
    in_state = () if only is None else (Job.state == only.value,)
    wanted = (Job.name.in_(_LETTERS), *in_state, *_not_about_barred(actor))
    counted = select(func.count()).select_from(select(Job.id).where(*wanted).limit(COUNTED_MAX + 1).subquery())
    about = (Job.number, Job.created_at, Job.finished_at, Job.state, Job.error, Job.args, Job.result)
    statement = select(*about, counted.scalar_subquery().label("counted")).where(*wanted)
    if (last := _key(page.after)) is not None:
        statement = statement.where(tuple_(Job.created_at, Job.number) < tuple_(*last))
    newest = (Job.created_at.desc(), Job.number.desc())
    found = db.session.execute(statement.order_by(*newest).limit(page.limit)).all()
    names = people(UUID(row.args["user_id"]) for row in found if "user_id" in row.args)
    to = {row.number: names.get(UUID(row.args["user_id"])) if "user_id" in row.args else None for row in found}
    guarded = needing_two({UUID(row.args["user_id"]) for row in found if row.args["template"] == RESET_TEMPLATE})
    shown = tuple(
        MailRow(
            number=row.number,
            asked_at=row.created_at,
            finished_at=row.finished_at,
            state=JobState(row.state),
            error=row.error,
            to=to[row.number],
            address=row.args.get("address"),
            template=row.args["template"],
            subject=_subject_to_be(row.args, to[row.number])
            if row.state in _WAITING
            else (row.result or {}).get("subject"),
            opens_account=row.args["template"] in TEMPLATES_WITH_LINK,
            guarded=row.args["template"] == RESET_TEMPLATE and UUID(row.args["user_id"]) in guarded,
            kept="message_id" not in (row.result or {}),
        )
        for row in found
    )
    total = Tally.of(found[0].counted) if found else None
    return cut(shown, page, key=lambda mail: f"{mail.asked_at.isoformat()}.{mail.number}", total=total)


def _key(after: str | None) -> tuple[datetime, int] | None:
    """When the last mail of the page before was asked for, and its number; a broken key is as if there were none."""
    moment, _, number = (after or "").rpartition(".")
    last = Page(after=number).number
    try:
        asked_at = clock.as_utc(datetime.fromisoformat(moment)) if last is not None else None
    except (AssertionError, ValueError, OverflowError):
        return None
    return None if asked_at is None or last is None else (asked_at, last)


def _not_about_barred(actor: Actor) -> list[ColumnElement[bool]]:
    """No job about a thing the person is barred from; mails name an application, a grant or a report."""
    barred = actor.barred_from()
    if not barred:
        return []
    about = tuple_(Job.subject_kind, Job.subject_id).in_(sorted(barred))
    return [or_(Job.subject_id.is_(None), ~about)]


def mail_asked_for(actor: Actor, number: int) -> MailAsked:
    """What one mail is made of; raises :class:`NotFound`."""
    args = db.session.scalar(
        select(Job.args).where(Job.name.in_(_LETTERS), Job.number == number, *_not_about_barred(actor))
    )
    if args is None:
        raise NotFound
    user_id = UUID(args["user_id"]) if "user_id" in args else None
    return MailAsked(user_id, args.get("address", ""), args["template"], args["context"])
