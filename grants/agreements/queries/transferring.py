"""The moves of budget of a grant."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.orm import aliased

from grants.agreements.models import AgreementOffer, AgreementVersion, BudgetTransfer, Grant
from grants.agreements.rules import Flexibility, TransferView
from grants.agreements.states import TransferLevel
from grants.core.money import ZERO, Money
from grants.core.together import Asking, ask, reader
from grants.identity.models import Organisation, User

_taker = aliased(Organisation)


@reader
def transfers(grant_id: UUID) -> Asking[tuple[TransferView, ...]]:
    """Every move of a grant in order."""
    rows = yield from ask(
        select(
            BudgetTransfer.number, BudgetTransfer.from_category, BudgetTransfer.to_category, BudgetTransfer.amount,
            BudgetTransfer.maximum_moved, BudgetTransfer.level, BudgetTransfer.reason, BudgetTransfer.cumulative_after,
            BudgetTransfer.made_at, Organisation.name.label("giver"), _taker.name.label("taker"), User.name.label("maker"),
        )
        .select_from(BudgetTransfer)
        .join(Organisation, Organisation.id == BudgetTransfer.from_organisation_id)
        .join(_taker, _taker.id == BudgetTransfer.to_organisation_id)
        .join(User, User.id == BudgetTransfer.made_by)
        .where(BudgetTransfer.grant_id == grant_id)
        .order_by(BudgetTransfer.number)
    )  # fmt: skip
    return tuple(
        TransferView(
            row.number, row.giver, row.from_category, row.taker, row.to_category, row.amount, row.maximum_moved,
            TransferLevel(row.level), row.reason, row.cumulative_after, row.maker, row.made_at,
        )
        for row in rows
    )  # fmt: skip


@reader
def flexibility(grant_id: UUID) -> Asking[Flexibility | None]:
    """What may be moved in a grant and what was; None where its call lays down nothing, or it is from before.

    What may be moved are shares of the maximum in the text that was signed first, whatever amendments made of it since.
    """
    signed = (
        select(cast(AgreementOffer.text["maximum"].astext, BigInteger))
        .join(
            AgreementVersion,
            (AgreementVersion.grant_id == AgreementOffer.grant_id)
            & (AgreementVersion.offer_no == AgreementOffer.offer_no),
        )
        .where(AgreementOffer.grant_id == Grant.id, AgreementVersion.number == 1)
        .correlate(Grant)
        .scalar_subquery()
    )
    ((row,), (sums,)) = yield [
        select(Grant.maximum, Grant.transfer_free, Grant.transfer_notify, signed.label("signed")).where(
            Grant.id == grant_id
        ),
        select(func.max(BudgetTransfer.cumulative_after).label("used")).where(BudgetTransfer.grant_id == grant_id),
    ]
    if row.transfer_free is None or row.transfer_notify is None:
        return None
    used = sums.used if sums.used is not None else ZERO
    maximum = row.maximum if row.signed is None else Money(row.signed)
    return Flexibility(maximum, row.transfer_free, row.transfer_notify, used)
