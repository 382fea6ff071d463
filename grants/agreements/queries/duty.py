"""What people must do about grants in preparation."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from grants.agreements.models import (
    AgreementSignature,
    BankAccount,
    Beneficiary,
    Grant,
)
from grants.agreements.queries.lists import selected_without_grant
from grants.agreements.queries.reach import visible
from grants.agreements.states import (
    BankAccountState,
    GrantState,
    Side,
)
from grants.core.duties import Duty
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, reader, side_by_side


@reader
def duties(actor: Actor, at: datetime) -> Asking[tuple[Duty, ...]]:
    """What this person must do about grants in preparation."""
    del at
    kinds = (
        _selected_duty(actor),
        _preparation_duties(actor),
        _signature_duties(actor, Side.CITY, Permission.AGREEMENT_SIGN_CITY),
        _signature_duties(actor, Side.PROGRAMME, Permission.AGREEMENT_SIGN_PROGRAMME),
        _account_duties(actor),
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
    return [
        Duty(
            f"Finish the preparation of {row.acronym or row.title}",
            f"{row.reference}: due diligence, bank account and terms before the agreement is offered.",
            "Open preparation",
            "agreements.preparation",
            {"ref": row.reference},
        )
        for row in rows
    ]


def _signature_duties(actor: Actor, side: Side, permission: Permission) -> Asking[list[Duty]]:
    rows = yield from _in_state(actor, permission, GrantState.READY_TO_SIGN)
    if not rows:
        return []
    signatures = yield from ask(
        select(AgreementSignature.grant_id)
        .join(Grant, (Grant.id == AgreementSignature.grant_id) & (Grant.offer_no == AgreementSignature.offer_no))
        .where(Grant.id.in_([row.id for row in rows]), AgreementSignature.side == side.value)
    )
    signed = {row.grant_id for row in signatures}
    return [
        Duty(
            f"Sign the grant agreement of {row.acronym or row.title}",
            f"{row.reference}, at most {row.maximum}. It enters into force when both sides have signed.",
            "Read and sign",
            "agreements.agreement",
            {"ref": row.reference},
        )
        for row in rows
        if row.id not in signed
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
