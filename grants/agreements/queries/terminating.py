"""The terminations of grants: those that wait, that were confirmed, and that were withdrawn."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import aliased

from grants.agreements.models import AgreementTermination, Grant, Milestone
from grants.agreements.queries.reach import visible
from grants.agreements.rules import EvidenceView, TerminationView
from grants.agreements.states import GrantState, Side, TerminationReason, TerminationState
from grants.applications.models import ApplicationPartner
from grants.core import clock
from grants.core.db import db
from grants.core.duties import Duty
from grants.core.files import StoredFile
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, reader, side_by_side
from grants.identity.models import Organisation, User

TERMINATION_FILES = "agreement_termination"
_objector, _confirmer, _withdrawer = aliased(User), aliased(User), aliased(User)
_T = AgreementTermination


@reader
def terminations(grant_id: UUID) -> Asking[tuple[TerminationView, ...]]:
    """The terminations of a grant in the order they were proposed."""
    rows = yield from ask(
        select(
            _T.number, _T.state, _T.by_side, _T.reason, _T.words, _T.wanted_on, _T.objections_until, _T.proposed_by,
            _T.proposed_at, _T.objection, _T.objected_at, _T.answer, _T.confirmed_at, _T.effective_on, _T.withdraw_words,
            _T.carried_out_at, _T.organisation_id, Organisation.name.label("partner"), User.name.label("proposer"), _objector.name.label("objector"),
            _confirmer.name.label("confirmer"), _withdrawer.name.label("withdrawer"),
            StoredFile.name.label("file_name"), StoredFile.sha256,
        )
        .select_from(_T)
        .join(User, User.id == _T.proposed_by)
        .join(StoredFile, StoredFile.id == _T.notice_id)
        .outerjoin(Organisation, Organisation.id == _T.organisation_id)
        .outerjoin(_objector, _objector.id == _T.objected_by)
        .outerjoin(_confirmer, _confirmer.id == _T.confirmed_by)
        .outerjoin(_withdrawer, _withdrawer.id == _T.withdrawn_by)
        .where(_T.grant_id == grant_id)
        .order_by(_T.number)
    )  # fmt: skip
    return tuple(
        TerminationView(
            number=row.number,
            state=TerminationState(row.state),
            by_side=Side(row.by_side),
            reason=TerminationReason(row.reason),
            words=row.words,
            notice=EvidenceView(row.file_name, row.sha256),
            wanted_on=row.wanted_on,
            objections_until=row.objections_until,
            proposed_by=row.proposed_by,
            proposer=row.proposer,
            proposed_at=row.proposed_at,
            objection=row.objection or "",
            objector=row.objector or "",
            objected_at=row.objected_at,
            answer=row.answer or "",
            confirmer=row.confirmer or "",
            confirmed_at=row.confirmed_at,
            effective_on=row.effective_on,
            withdrawer=row.withdrawer or "",
            withdraw_words=row.withdraw_words or "",
            carried_out_at=row.carried_out_at,
            organisation_id=row.organisation_id,
            partner=row.partner or "",
        )
        for row in rows
    )


def termination_letters(grant_id: UUID) -> frozenset[int]:
    """The numbers of the terminations whose letter is made."""
    made = select(StoredFile.role).where(StoredFile.kind == TERMINATION_FILES, StoredFile.object_id == grant_id)
    return frozenset(
        int(role.removeprefix("letter-")) for role in db.session.scalars(made) if role.startswith("letter-")
    )


@reader
def ended_on(grant_id: UUID) -> Asking[date | None]:
    """The first day without work of a grant whose termination as a whole is confirmed, also before that day; None where there is none."""
    rows = yield from ask(
        select(_T.effective_on).where(
            _T.grant_id == grant_id, _T.organisation_id.is_(None), _T.state == TerminationState.CONFIRMED.value
        )
    )
    return rows[0].effective_on if rows else None


def is_ending() -> ColumnElement[bool]:
    """The condition that the termination of a grant as a whole is confirmed."""
    return _ending().correlate(Grant).exists()


def is_over_by() -> ColumnElement[bool]:
    """The condition that a milestone is due once the work of its grant is over by a termination."""
    return _ending().where(_T.effective_on <= Milestone.due_on).correlate(Grant, Milestone).exists()


def _ending() -> Select[UUID]:
    return select(_T.id).where(
        _T.grant_id == Grant.id, _T.organisation_id.is_(None), _T.state == TerminationState.CONFIRMED.value
    )


def to_carry_out(today: date) -> tuple[tuple[UUID, UUID | None], ...]:
    """What is confirmed to end today or before, and that the program has not moved yet: the grant, and whose part of it."""
    rows = db.session.execute(
        select(_T.grant_id, _T.organisation_id)
        .join(Grant, Grant.id == _T.grant_id)
        .where(
            _T.state == TerminationState.CONFIRMED.value,
            _T.carried_out_at.is_(None),
            _T.effective_on <= today,
            Grant.state == GrantState.IN_FORCE.value,
        )
        .order_by(_T.effective_on, Grant.reference)
        .limit(1_000)
    )
    return tuple((row.grant_id, row.organisation_id) for row in rows)


@reader
def termination_duties(actor: Actor, today: date) -> Asking[list[Duty]]:
    """A termination waits to be confirmed, for the other side to object, or for its own side to look at an objection."""
    kinds = (_to_confirm(actor, today), _to_object(actor, today), _objected(actor))
    found = yield from side_by_side(kinds)
    return [duty for duties in found for duty in duties]


def _waiting(actor: Actor, permission: Permission, *conditions: Any) -> Asking[list[Any]]:
    if not actor.can(permission):
        return []
    return (
        yield from ask(
            select(
                *(Grant.reference, Grant.acronym, Grant.title, _T.by_side, _T.wanted_on, _T.objections_until),
                *(_T.organisation_id, Organisation.name.label("partner")),
            )
            .join(_T, _T.grant_id == Grant.id)
            .outerjoin(Organisation, Organisation.id == _T.organisation_id)
            .where(visible(actor, permission), Grant.state == GrantState.IN_FORCE.value, *conditions)
            .order_by(_T.objections_until, Grant.reference)
            .limit(20)
        )
    )


def _what(row: Any) -> str:
    """What is to end, within a sentence."""
    grant = row.acronym or row.title
    return f"the part of {row.partner} in {grant}" if row.partner else grant


def _to_confirm(actor: Actor, today: date) -> Asking[list[Duty]]:
    ripe = (
        (_T.state == TerminationState.OBJECTED.value)
        | ((_T.state == TerminationState.PROPOSED.value) & (_T.objections_until < today))
        | (
            (_T.state == TerminationState.PROPOSED.value)
            & (_T.by_side == Side.CITY.value)
            & _T.organisation_id.is_(None)
        )
    )
    rows = yield from _waiting(actor, Permission.TERMINATION_CONFIRM, ripe, _T.proposed_by != actor.user_id)
    return [
        Duty(
            f"Decide on the termination of {_what(row)}",
            f"Proposed by {'its city' if row.by_side == Side.CITY.value else 'the programme'} for {clock.long_date(row.wanted_on)}.",
            "Open the termination",
            "agreements.termination",
            {"ref": row.reference},
        )
        for row in rows
    ]


def _to_object(actor: Actor, today: date) -> Asking[list[Duty]]:
    """The city is asked what speaks against it, and a partner whose part is to end; the programme decides anyway."""
    by_programme = _T.by_side == Side.PROGRAMME.value
    named = select(ApplicationPartner.id).where(
        ApplicationPartner.application_id == Grant.application_id,
        ApplicationPartner.organisation_id == _T.organisation_id,
        ApplicationPartner.contact_user_id == actor.user_id,
    )
    own = _T.organisation_id.in_(actor.organisation_ids) | named.correlate(Grant, _T).exists()
    rows = yield from _waiting(
        actor,
        Permission.TERMINATION_OBJECT,
        _T.state == TerminationState.PROPOSED.value,
        # Who sends payment requests acts for the coordinator.
        (by_programme | own) if actor.can(Permission.PAYMENT_REQUEST_SUBMIT) else own,
        _T.objections_until >= today,
    )
    return [
        Duty(
            f"{'The programme' if row.by_side == Side.PROGRAMME.value else 'The coordinator'} proposes to terminate {_what(row)}",
            f"The work would be over on {clock.long_date(row.wanted_on)}. Say what speaks against it, or let the time pass.",
            "Read the notice",
            "agreements.termination",
            {"ref": row.reference},
            clock.end_of_day(row.objections_until),
        )
        for row in rows
    ]


def _objected(actor: Actor) -> Asking[list[Duty]]:
    rows = yield from _waiting(
        actor,
        Permission.TERMINATION_PROPOSE,
        _T.state == TerminationState.OBJECTED.value,
        _T.proposed_by == actor.user_id,
    )
    return [
        Duty(
            f"An objection to the termination of {_what(row)}",
            "Look at it; withdraw the termination where it is right.",
            "Read the objection",
            "agreements.termination",
            {"ref": row.reference},
        )
        for row in rows
    ]
