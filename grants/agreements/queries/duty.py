"""What people must do about grants in preparation."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import func, select

from grants.agreements.models import (
    AgreementOffer,
    AgreementSignature,
    BankAccount,
    Beneficiary,
    Grant,
    GrantRevision,
)
from grants.agreements.queries.acceding import accession_duties
from grants.agreements.queries.amending import amendment_duties
from grants.agreements.queries.conditions import answered_for, spoken_for
from grants.agreements.queries.lists import selected_without_grant
from grants.agreements.queries.reach import scope, visible
from grants.agreements.queries.terminating import termination_duties
from grants.agreements.queries.uploading import upload_duties
from grants.agreements.rules import ConditionView, PartView
from grants.agreements.states import (
    AskedOf,
    BankAccountState,
    ConditionStanding,
    GrantState,
    RevisionState,
    Side,
)
from grants.core import clock
from grants.core.duties import Duty
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, reader, side_by_side


@reader
def duties(actor: Actor, at: datetime) -> Asking[tuple[Duty, ...]]:
    """What this person must do about grants in preparation, and about those whose end is proposed."""
    kinds = (
        _selected_duty(actor),
        _preparation_duties(actor),
        _answer_duties(actor),
        _revision_duties(actor),
        _signature_duties(actor, Side.CITY, Permission.AGREEMENT_SIGN_CITY),
        _signature_duties(actor, Side.PROGRAMME, Permission.AGREEMENT_SIGN_PROGRAMME),
        amendment_duties(actor),
        _account_duties(actor),
        accession_duties.asking(actor),
        upload_duties.asking(actor),
        termination_duties.asking(actor, clock.in_zone(at).date()),
    )
    found = yield from side_by_side(kinds)
    return tuple(duty for duties in found for duty in duties)


def _selected_duty(actor: Actor) -> Asking[list[Duty]]:
    waiting = yield from selected_without_grant.asking(actor)
    if not waiting:
        return []
    many = f"{len(waiting)} selected applications" if len(waiting) > 1 else f"“{waiting[0][1]}”"
    return [
        Duty(
            f"Begin the preparation of {many}",
            "Selected is not awarded: due diligence, account and agreement come first.",
            "Begin preparation",
            "agreements.index",
        )
    ]


def _in_state(actor: Actor, permission: Permission, state: GrantState) -> Asking[list[Any]]:
    if not actor.can(permission):
        return []
    return (
        yield from ask(
            select(Grant)
            .where(visible(actor, permission), Grant.state == state.value)
            .order_by(Grant.reference)
            .limit(20)
        )
    )


def _preparation_duties(actor: Actor) -> Asking[list[Duty]]:
    rows = yield from _in_state(actor, Permission.AGREEMENT_PREPARE, GrantState.PREPARATION)
    found = yield from answered_for.asking(rows)
    return [
        Duty(
            f"Finish the preparation of {row.acronym or row.title}",
            f"{row.reference}: {_answers_wait(found[row.id])}conditions, bank account and terms before the agreement is offered.",
            "Open preparation",
            "agreements.preparation",
            {"ref": row.reference},
            _end_of(row.preparation_ends_on),
        )
        for row in rows
    ]


def _answers_wait(found: tuple[ConditionView, ...]) -> str:
    waiting = sum(part.standing is ConditionStanding.ANSWERED for view in found for part in view.parts)
    if not waiting:
        return ""
    return "1 answer waits to be accepted; " if waiting == 1 else f"{waiting} answers wait to be accepted; "


def _answer_duties(actor: Actor) -> Asking[list[Duty]]:
    """What a city still has to answer; a partner its own, who sends reports for all of it everything."""
    rows = yield from _in_state(actor, Permission.AGREEMENT_ANSWER, GrantState.PREPARATION)
    about = (answered_for.asking(rows), spoken_for.asking(actor, rows))
    found, spoken = yield from side_by_side(cast(tuple[Asking[Any], ...], about))
    duties = []
    for row in rows:
        own = None if actor.may(Permission.REPORT_SUBMIT, scope(row)) else actor.organisation_ids | spoken[row.id]
        waiting = [(view, part) for view in found[row.id] for part in view.parts if _is_asked(view, part, own)]
        if not waiting:
            continue
        days = [view.due_on for view, _ in waiting if view.due_on] or [row.preparation_ends_on]
        many = f"{len(waiting)} answers are" if len(waiting) > 1 else "1 answer is"
        duties.append(
            Duty(
                f"Answer the conditions of {row.acronym or row.title}",
                f"{row.reference}: {many} missing or returned before the agreement is offered.",
                "Open preparation",
                "agreements.preparation",
                {"ref": row.reference},
                _end_of(min((day for day in days if day), default=None)),
            )
        )
    return duties


def _revision_duties(actor: Actor) -> Asking[list[Duty]]:
    """A revision that waits for an officer, and one the coordinator has to send."""
    found = []
    for permission, states in (
        (Permission.AGREEMENT_PREPARE, (RevisionState.SENT,)),
        (Permission.AGREEMENT_ANSWER, (RevisionState.DRAFT, RevisionState.RETURNED)),
    ):
        if actor.can(permission):
            rows = yield from ask(
                select(Grant, GrantRevision.state.label("revision"))
                .join(GrantRevision, GrantRevision.grant_id == Grant.id)
                .where(
                    visible(actor, permission),
                    Grant.state == GrantState.PREPARATION.value,
                    GrantRevision.state.in_([each.value for each in states]),
                )
                .order_by(Grant.reference)
                .limit(20)
            )
            found += [
                _revision_duty(row, RevisionState(row.revision)) for row in rows if _is_theirs(actor, row, permission)
            ]
    return found


def _is_theirs(actor: Actor, row: Any, permission: Permission) -> bool:
    """The coordinator sends for everybody; whoever writes for a partner is told on the page."""
    return permission is Permission.AGREEMENT_PREPARE or actor.may(Permission.REPORT_SUBMIT, scope(row))


def _revision_duty(row: Any, state: RevisionState) -> Duty:
    name = row.acronym or row.title
    title, why = {
        RevisionState.SENT: (
            f"Look at the revised budget of {name}",
            "the city sent it; the offer waits for your answer.",
        ),
        RevisionState.RETURNED: (f"Change the budget of {name} and send it again", "the programme returned it."),
        RevisionState.DRAFT: (
            f"Look through budget and description of {name}",
            "revise them where something changed since the application, and send them.",
        ),
    }[state]
    return Duty(
        title, f"{row.reference}: {why}", "Open the changes", "agreements.redline", {"ref": row.reference},
        _end_of(row.preparation_ends_on),
    )  # fmt: skip


def _is_asked(view: ConditionView, part: PartView, own: frozenset[UUID] | None) -> bool:
    if view.condition.asked_of is not AskedOf.CITY or view.is_ticked or not part.waits_for_answer:
        return False
    return own is None or part.organisation_id in own


def _end_of(day: date | None) -> datetime | None:
    return None if day is None else clock.end_of_day(day)


def _signature_duties(actor: Actor, side: Side, permission: Permission) -> Asking[list[Duty]]:
    rows = yield from _in_state(actor, permission, GrantState.READY_TO_SIGN)
    if not rows:
        return []
    given = (Grant.id == AgreementSignature.grant_id) & (Grant.offer_no == AgreementSignature.offer_no)
    needed = AgreementOffer.needs_city if side is Side.CITY else AgreementOffer.needs_programme
    found = yield from ask(
        select(
            Grant.id,
            (func.count(AgreementSignature.id) >= needed).label("complete"),
            func.coalesce(func.bool_or(AgreementSignature.signed_by == actor.user_id), False).label("own"),
        )
        .join(AgreementOffer, (AgreementOffer.grant_id == Grant.id) & (AgreementOffer.offer_no == Grant.offer_no))
        .outerjoin(AgreementSignature, given & (AgreementSignature.side == side.value))
        .where(Grant.id.in_([row.id for row in rows]))
        .group_by(Grant.id, needed)
    )
    waits = {row.id for row in found if not row.complete and not row.own}
    return [
        Duty(
            f"Sign the grant agreement of {row.acronym or row.title}",
            f"{row.reference}, at most {row.maximum}. It enters into force when everybody of both sides has signed.",
            "Read and sign",
            "agreements.agreement",
            {"ref": row.reference},
            _end_of(row.preparation_ends_on),
        )
        for row in rows
        if row.id in waits
    ]


def _account_duties(actor: Actor) -> Asking[list[Duty]]:
    if not actor.can(Permission.BANK_ACCOUNT_CONFIRM):
        return []
    waiting = yield from ask(
        select(Grant.reference, BankAccount.holder, Beneficiary.is_coordinator, Beneficiary.position)
        .join(Beneficiary, Beneficiary.grant_id == Grant.id)
        .join(BankAccount, BankAccount.organisation_id == Beneficiary.organisation_id)
        .where(
            BankAccount.state == BankAccountState.PROPOSED.value,
            BankAccount.entered_by != actor.user_id,
            visible(actor, Permission.BANK_ACCOUNT_CONFIRM),
        )
        .order_by(Grant.reference, Beneficiary.position)
        .limit(20)
    )
    return [
        Duty(
            f"Confirm the bank account of {holder}",
            f"{reference}: entered by a colleague or the city; look at the bank’s document and check it by another way.",
            "Check the account",
            "agreements.account",
            {"ref": reference} if is_coordinator else {"ref": reference, "payee": str(position + 1)},
        )
        for reference, holder, is_coordinator, position in waiting
    ]
