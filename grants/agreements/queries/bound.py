"""Where each partner of a grant stands with its agreement: asked to accede, acceded, left, or about to leave."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from grants.agreements.models import Accession, AgreementTermination, Beneficiary
from grants.agreements.rules import Bond
from grants.agreements.states import TerminationState
from grants.core.together import Asking, ask, reader, side_by_side
from grants.identity.models import Organisation

# Unpacked where it is asked: without it a partner could lose what it spent in a period nobody looked at yet.
_unsettled: list[Callable[[UUID], Asking[date | None]]] = []


def unsettled_from_comes_from(read: Callable[[UUID], Asking[date | None]]) -> None:
    """Take the read of the later stage that knows when the earliest report period begins that is not settled."""
    _unsettled[:] = [read]


@reader
def unsettled_from(grant_id: UUID) -> Asking[date | None]:
    """The first day of the earliest report period that is not settled; None where all are. One statement."""
    (read,) = _unsettled
    return (yield from read(grant_id))


@reader
def bonds(grant_id: UUID) -> Asking[dict[UUID, Bond]]:
    """Every beneficiary of a grant by its organisation, with where it stands."""
    about: tuple[Asking[Any], ...] = (
        ask(
            select(Beneficiary.organisation_id, Beneficiary.left_on, Organisation.name)
            .join(Organisation, Organisation.id == Beneficiary.organisation_id)
            .where(Beneficiary.grant_id == grant_id)
            .order_by(Beneficiary.position)
        ),
        ask(
            select(Accession.organisation_id, Accession.acceded_at, Accession.ended_at)
            .where(Accession.grant_id == grant_id)
            .order_by(Accession.created_at, Accession.id)
        ),
        ask(
            select(AgreementTermination.organisation_id, AgreementTermination.effective_on).where(
                AgreementTermination.grant_id == grant_id,
                AgreementTermination.organisation_id.is_not(None),
                AgreementTermination.state == TerminationState.CONFIRMED.value,
                AgreementTermination.carried_out_at.is_(None),
            )
        ),
    )
    shares, asked, ending = yield from side_by_side(about)
    # Of a partner that came back its last accession counts.
    last = {row.organisation_id: row for row in asked}
    ends = {row.organisation_id: row.effective_on for row in ending}
    return {
        row.organisation_id: Bond(
            row.organisation_id,
            row.name,
            asked=row.organisation_id in last,
            acceded=row.organisation_id in last and last[row.organisation_id].acceded_at is not None,
            ended=row.organisation_id in last and last[row.organisation_id].ended_at is not None,
            left_on=row.left_on,
            ending_on=ends.get(row.organisation_id),
        )
        for row in shares
    }
