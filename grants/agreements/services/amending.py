"""An amendment is drafted, sent with its effect in numbers, opened, withdrawn; what nobody answers in time is refused by that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import func, select

from grants.agreements import queries, rules
from grants.agreements.models import Amendment, Grant
from grants.agreements.rules import AmendmentInput, AmendmentView, GrantView, PartnerIn, PartnerOut, Proposal
from grants.agreements.services.conflicts import refuse_conflict
from grants.agreements.services.offering import end_offer
from grants.agreements.states import (
    AMENDMENT,
    KNOWN_AMENDMENT,
    OPEN_AMENDMENT,
    AmendmentKind,
    AmendmentState,
    GrantState,
    OfferEnd,
    Side,
)
from grants.core import acts, clock, faults, jobs
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Conflict, Invalid, NotFound, Problems, Refused
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.policy import Role


def row_of(grant_id: UUID, number: int) -> Amendment:
    """One amendment under its lock, for acts that hold the lock of its grant; raises :class:`NotFound`."""
    row = db.session.scalars(
        select(Amendment)
        .where(Amendment.grant_id == grant_id, Amendment.number == number)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound
    return row


def in_force(grant_id: UUID) -> tuple[Grant, GrantView]:
    """A grant whose agreement can be amended."""
    grant = locked(Grant, grant_id)
    if grant.state != GrantState.IN_FORCE.value:
        raise Refused("Only an agreement in force is amended: signed by both sides and not ended.")
    return grant, queries.view(grant)


@act(
    "amendment.draft",
    needs=Permission.AMENDMENT_PROPOSE,
    scope=queries.scope_of,
    says="drafted an amendment of {subject}",
)
def draft_amendment(actor: Actor, grant_id: UUID, given: AmendmentInput) -> int:
    """Draft an amendment or a letter; each side has one draft at a time. Returns its number. Nobody is told yet.

    A draft of the other side is not known here and blocks nothing; what was sent is brought to its end first.
    """
    grant, shown = in_force(grant_id)
    if queries.side_of(actor, queries.scope(grant)) is Side.PROGRAMME:
        refuse_conflict(actor, grant_id)
    _refuse_wrong(given, shown)
    _refuse_second(grant_id)
    side = queries.side_of(actor, queries.scope(grant)).value
    own = select(Amendment.reference).where(
        Amendment.grant_id == grant_id, Amendment.state == AmendmentState.DRAFTED.value, Amendment.side == side
    )
    if (standing := db.session.scalar(own)) is not None:
        raise Refused(f"{standing} is a draft of your side. Change it, or withdraw it, instead of a second one.")
    number = 1 + (db.session.scalar(select(func.max(Amendment.number)).where(Amendment.grant_id == grant_id)) or 0)
    db.session.add(
        Amendment(
            grant_id=grant_id,
            number=number,
            reference=f"{grant.reference}-A{number}",
            kind=given.kind.value,
            by_letter=given.by_letter,
            side=side,
            state=AmendmentState.DRAFTED.value,
            reason=clean_text(given.reason),
            change=rules.stored_change(given.change),
            drafted_by=actor.user_id,
            drafted_at=acts.moment(),
        )
    )
    return number


@act(
    "amendment.edit",
    needs=Permission.AMENDMENT_PROPOSE,
    scope=queries.scope_of,
    says="changed the draft of an amendment of {subject}",
)
def edit_amendment(
    actor: Actor, grant_id: UUID, number: int, given: AmendmentInput, *, version: int | None = None
) -> None:
    """Change a draft; what was sent stands as it was sent."""
    grant, shown = in_force(grant_id)
    row = row_of(grant_id, number)
    check_version(row, version)
    _refuse_other_side(actor, grant, row)
    if row.state != AmendmentState.DRAFTED.value:
        raise Refused("It was sent, so nothing of it changes. Withdraw it, then propose another.")
    _refuse_wrong(given, shown)
    row.kind, row.by_letter, row.reason = given.kind.value, given.by_letter, clean_text(given.reason)
    row.change = rules.stored_change(given.change)


def _refuse_wrong(given: AmendmentInput, shown: GrantView) -> None:
    """What no draft may say; whether it may be sent is asked when it is sent."""
    if not clean_text(given.reason):
        raise Invalid("Say why.", {"reason": "Say in a few sentences why this is needed; the other side reads it."})
    named = given.change.organisation_id if isinstance(given.change, PartnerIn) else None
    if named is not None and named not in identity.organisations([named]):
        raise NotFound
    if shown.final_amount is not None:
        raise Refused("The final amount of this grant is decided, so nothing of its agreement changes any more.")


def _refuse_second(grant_id: UUID) -> None:
    """One proposal that both sides know of is open at a time."""
    known = select(Amendment.reference).where(
        Amendment.grant_id == grant_id, Amendment.state.in_([each.value for each in KNOWN_AMENDMENT])
    )
    if (standing := db.session.scalar(known)) is not None:
        raise Refused(f"{standing} is open. Bring it to its end first, then propose the next one.")


def _refuse_other_side(actor: Actor, grant: Grant, row: Amendment) -> None:
    if queries.side_of(actor, queries.scope(grant)).value != row.side:
        raise Refused("The other side proposed this, so it changes and sends it. You answer it.")


@act(
    "amendment.send",
    needs=Permission.AMENDMENT_PROPOSE,
    scope=queries.scope_of,
    says="sent a request to amend {subject}",
)
def send_amendment(actor: Actor, grant_id: UUID, number: int, *, seen: str) -> date:
    """Send what was shown, with its effect in numbers; it is frozen. Returns the last day to answer.

    ``seen`` is the hash of what the person saw: what the grant became since is not sent unseen.
    """
    grant, shown = in_force(grant_id)
    row = row_of(grant_id, number)
    _refuse_other_side(actor, grant, row)
    if queries.side_of(actor, queries.scope(grant)) is Side.PROGRAMME:
        refuse_conflict(actor, grant_id)
    found = queries.amendment(grant_id, number)
    AMENDMENT.target(found.state, "send")
    _refuse_second(grant_id)
    made, _ = queries.now_of(shown, found)
    if seen != made.fingerprint:
        raise Conflict(
            "The grant or the draft was changed while you were looking at it. Look at its effect now, then send it."
        )
    refuse_problems(made, "sent")
    rules.refuse_heavy(found.by_letter, made.effect)
    # As the agreement states it, whatever the call says by now.
    rule = shown.reply
    AMENDMENT.move(row, "send")
    row.sent = {
        "reason": row.reason,
        "before": rules.stored_terms(made.before),
        "after": rules.stored_terms(made.after),
    }
    row.sent_by, row.sent_at = actor.user_id, acts.moment()
    row.reply_days, row.opened_after_days = rule.reply_days, rule.opened_after_days
    row.reply_due_on = rule.reply_due_on(acts.today(), None)
    tell(grant, row, "amendment_sent", due=clock.long_date(row.reply_due_on), why=row.reason)
    return row.reply_due_on


def refuse_problems(made: Proposal, deed: str) -> None:
    """Nothing is sent, accepted or signed with something in its way."""
    faults.point("ceiling")
    if made.problems:
        raise Problems(f"The amendment cannot be {deed} like this.", made.problems)


@act(
    "amendment.open",
    needs=Permission.AMENDMENT_ANSWER,
    scope=queries.scope_of,
    says="opened a request to amend {subject}",
)
def open_amendment(actor: Actor, grant_id: UUID, number: int) -> date:
    """Open a request: from this day its days to answer run, which is not counted itself. Returns the last day to answer."""
    refuse_conflict(actor, grant_id)
    row = row_of(grant_id, number)
    if row.state != AmendmentState.SENT.value:
        raise Refused("It does not wait for an answer. Reload the page to see where it stands.")
    assert row.sent_at is not None and row.reply_due_on is not None, "what waits was sent"
    if row.opened_at is None:
        row.opened_by, row.opened_at = actor.user_id, acts.moment()
        rule = rules.ReplyRule(row.reply_days or 0, row.opened_after_days or 0)
        row.reply_due_on = rule.reply_due_on(clock.in_zone(row.sent_at).date(), acts.today())
    return row.reply_due_on


@act(
    "amendment.withdraw",
    needs=Permission.AMENDMENT_PROPOSE,
    scope=queries.scope_of,
    says="withdrew an amendment of {subject}",
)
def withdraw_amendment(actor: Actor, grant_id: UUID, number: int, *, reason: str) -> None:
    """The side that proposed it takes it back, also while it waits for signatures; what was signed of it counts no more."""
    grant, row = locked(Grant, grant_id), row_of(grant_id, number)
    _refuse_other_side(actor, grant, row)
    end(actor, grant, row, "withdraw", reason)


def end(actor: Actor | None, grant: Grant, row: Amendment, verb: str, reason: str) -> None:
    """It comes to its end without effect; an offer of it ends with it, and the people who knew of it are told."""
    if not clean_text(reason):
        raise Invalid("Say why.", {"reason": "Say why; both sides read it."})
    was = AmendmentState(row.state)
    AMENDMENT.move(row, verb)
    acts.reason(clean_text(reason))
    row.ended_at, row.end_words = acts.moment(), clean_text(reason)
    row.ended_by = actor.user_id if actor is not None else None
    if was is AmendmentState.OFFERED:
        end_offer(grant, OfferEnd.DECLINED if verb == "decline" else OfferEnd.WITHDRAWN)
    if was is not AmendmentState.DRAFTED:
        tell(grant, row, "amendment_ended", why=row.end_words or "")
    elif verb in ("terminate", "close"):
        # Of a draft only who wrote it knew.
        _mail(grant, row, "amendment_ended", [row.drafted_by], why=row.end_words or "")


def end_with_grant(actor: Actor, grant: Grant, verb: str, words: str) -> None:
    """Plain helper of what ends a grant: whatever is open of its amendments ends in the same act. The grant is locked.

    ``verb`` is ``terminate`` or ``close``; ``words`` stand with each of them and go to the people by mail.
    """
    own = acts.running_act().reason
    rows = db.session.scalars(
        select(Amendment)
        .where(Amendment.grant_id == grant.id, Amendment.state.in_([each.value for each in OPEN_AMENDMENT]))
        .order_by(Amendment.number)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        end(actor if actor.user_id else None, grant, row, verb, words)
    # The reason on the record is that of the act, not of what it ends on its way.
    acts.running_act().reason = own


def tell(grant: Grant, row: Amendment, template: str, **more: str) -> None:
    """Everybody of the application, of a partner that leaves by it, who prepares grants, and who answers and signs for the programme."""
    told = set(queries.team(grant.application_id)) | _of_partner(grant, row)
    for permission in (
        Permission.AGREEMENT_PREPARE,
        Permission.AGREEMENT_SIGN_PROGRAMME,
        Permission.AMENDMENT_ANSWER,
    ):
        told |= {each.id for each in identity.users_with(permission, queries.scope(grant))}
    _mail(grant, row, template, sorted(told), **more)


def _of_partner(grant: Grant, row: Amendment) -> frozenset[UUID]:
    """The people of a partner that leaves by it: they read that it is in force, though they take part no more by then."""
    change = rules.read_change(AmendmentKind(row.kind), row.change)
    if not isinstance(change, PartnerOut):
        return frozenset()
    taking_part = (Role.APPLICATION_PARTNER, Role.PAST_PARTNER)
    held = identity.holders("application", grant.application_id, taking_part)
    return queries.people_of(grant.application_id, change.organisation_id) & held.keys()


def _mail(grant: Grant, row: Amendment, template: str, told: Sequence[UUID], **more: str) -> None:
    people.mail(
        told,
        template,
        "grant",
        grant.id,
        reference=row.reference,
        agreement=grant.reference,
        number=row.number,
        title=grant.title,
        what=found_words(row),
        side=row.side,
        by_letter=row.by_letter,
        **more,
    )


def found_words(row: Amendment) -> str:
    """What it is, in words."""
    found: AmendmentView = queries.amendment(row.grant_id, row.number)
    return found.words


@act("amendment.plan_silence", needs=Permission.AGREEMENT_LAPSE, says="looked for requests that nobody answered")
def plan_silence(actor: Actor) -> int:
    """Ask, once each, for the end of every request whose last day to be answered has passed."""
    found = queries.silent(acts.today())
    for grant_id, number in found:
        jobs.queue(
            "jobs.agreements.fall_silent",
            subject=("grant", grant_id),
            unique=f"fall_silent:{grant_id}:{number}",
            asker=jobs.Asker.PROGRAM,
            grant_id=grant_id,
            number=number,
        )
    return len(found)


@act(
    "amendment.fall_silent",
    needs=Permission.AGREEMENT_LAPSE,
    scope=queries.scope_of,
    says="ended a request to amend {subject} that nobody answered in time",
)
def end_silent_amendment(actor: Actor, grant_id: UUID, number: int) -> bool:
    """Silence is refusal: the request ends, and both sides are told. Safe to run twice. Whether it ended now."""
    grant, row = locked(Grant, grant_id), row_of(grant_id, number)
    faults.point("deadline")
    if row.state != AmendmentState.SENT.value or row.reply_due_on is None or acts.today() <= row.reply_due_on:
        return False
    last = f"{clock.long_date(row.reply_due_on)}, the last day"
    if row.side == Side.PROGRAMME.value and not row.by_letter:
        words = f"The programme did not decide on its own proposal by {last}, so it ended."
    else:
        words = f"Nobody answered by {last}. Silence is refusal."
    end(None, grant, row, "fall_silent", words)
    return True
