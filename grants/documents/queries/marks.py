"""What of a statement is invented, in words and row by row."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import current_app
from sqlalchemy import select

from grants.agreements.models import Beneficiary, Grant
from grants.awards.models import Selection, SelectionItem
from grants.awards.states import AmountBasis, SelectionState
from grants.calls.models import Call
from grants.core.db import db
from grants.documents.rules import NO, YES
from grants.identity.models import Organisation

DEMONSTRATION = "This is a demonstration: people, answers and payments are invented."


@dataclass(frozen=True, slots=True)
class Marks:
    """Which grants of a statement carry something invented, and what that is in words (empty where nothing is)."""

    words: str
    everything: bool
    grant_ids: frozenset[UUID]

    def of(self, grant_id: UUID | None) -> str:
        """Yes or no for a row about this grant."""
        return YES if self.everything or grant_id in self.grant_ids else NO


def marks(calls: Iterable[Call], grant_ids: Collection[UUID]) -> Marks:
    """Read from what is marked: the call, the amount a grant was selected with, its organisations, and the installation itself."""
    demo = bool(current_app.config["GRANTS_DEMO"])
    invented_calls = [call.reference for call in calls if call.synthetic]
    amounts = db.session.scalars(
        select(Grant.id)
        .join(SelectionItem, SelectionItem.application_id == Grant.application_id)
        .join(Selection, Selection.id == SelectionItem.selection_id)
        .where(
            Grant.id.in_(grant_ids),
            Selection.state == SelectionState.CONFIRMED.value,
            SelectionItem.amount_basis == AmountBasis.SYNTHETIC.value,
        )
        .distinct()
    ).all()
    organisations = db.session.scalars(
        select(Beneficiary.grant_id)
        .join(Organisation, Organisation.id == Beneficiary.organisation_id)
        .where(Beneficiary.grant_id.in_(grant_ids), Organisation.synthetic)
        .distinct()
    ).all()
    sentences = [
        *([DEMONSTRATION] if demo else []),
        *([_listed(invented_calls)] if invented_calls else []),
        *(
            [_counted(len(amounts), "carries an amount that was", "carry amounts that were") + " not published."]
            if amounts
            else []
        ),
        *(
            [_counted(len(organisations), "names an invented organisation", "name invented organisations") + "."]
            if organisations
            else []
        ),
    ]
    return Marks(" ".join(sentences), demo or bool(invented_calls), frozenset({*amounts, *organisations}))


def holds_synthetic(call: Call, *, organisation_ids: Collection[UUID]) -> bool:
    """Whether what an application says may be invented: its call is, one of its organisations, or all of the installation."""
    if current_app.config["GRANTS_DEMO"] or call.synthetic:
        return True
    invented = select(Organisation.id).where(Organisation.id.in_(organisation_ids), Organisation.synthetic)
    return db.session.scalar(invented.limit(1)) is not None


def _counted(number: int, one: str, many: str) -> str:
    return f"One grant {one}" if number == 1 else f"{number} grants {many}"


def _listed(references: Sequence[str]) -> str:
    return f"{'The call' if len(references) == 1 else 'The calls'} {', '.join(references)} {'is' if len(references) == 1 else 'are'} invented."
