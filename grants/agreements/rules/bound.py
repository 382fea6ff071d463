"""Which partners an agreement binds, from when until when: whose costs count, who is paid a share, whose part can end. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from grants.agreements.rules.showing import BeneficiaryView, GrantView
from grants.agreements.rules.terminating import standing_of
from grants.core import clock, faults
from grants.core.errors import NotFound, Refused


@dataclass(frozen=True, slots=True)
class Bond:
    """Where one partner stands. Nobody is asked to accede where the agreement asks nobody; ``ending_on`` is the first day
    without its work, where a termination of its part is confirmed and not carried out yet."""

    organisation_id: UUID
    name: str
    asked: bool = False
    acceded: bool = False
    # Its accession is waited for no longer, so it never was bound.
    ended: bool = False
    left_on: date | None = None
    ending_on: date | None = None

    @property
    def is_bound(self) -> bool:
        """Whether the agreement binds it, or did until it left."""
        return self.acceded or not self.asked

    @property
    def ends_before(self) -> date | None:
        """The first day on which it takes no part any more, where one is known: its costs count until the day before."""
        return self.left_on or self.ending_on

    def costs_problem(self, starts_on: date) -> str:
        """Why nothing of its costs is declared in a period that begins then; empty where it may be."""
        if self.ended and not self.acceded:
            return (
                f"The accession of {self.name} was ended, so the agreement does not bind it and none of its costs counts. "
                "Leave its row empty, or let it leave, or join again, by an amendment."
            )
        if not self.is_bound:
            return (
                f"{self.name} has not acceded to the grant agreement, so none of its costs is declared or accepted yet. It accedes on "
                "the page “Accession of partners” of the grant, or leaves by an amendment; until then leave its row empty."
            )
        if self.ends_before is not None and self.ends_before <= starts_on:
            return (
                f"{self.name} took part until {clock.long_date(clock.add_days(self.ends_before, -1))}, before this period began. Its costs "
                "until then belong to the report of that time."
            )
        return ""


def refuse_unpaid(bonds: Mapping[UUID, Bond], paid: Iterable[UUID]) -> None:
    """Whoever the agreement does not bind is paid no share of it; ``paid`` are those for whom something is approved."""
    faults.point("ceiling")
    for who in paid:
        bond = bonds.get(who)
        if bond is not None and not bond.is_bound:
            waits = (
                "Its accession was ended."
                if bond.ended
                else "Decide once it has acceded, on the page “Accession of partners” of the grant."
            )
            raise Refused(
                f"{bond.name} has not acceded to the grant agreement, so no share of it is paid. {waits} Or say of whose costs "
                "something is refused and enter zero for it: what is not approved stays in the grant."
            )


def refuse_ahead_of_end(bonds: Mapping[UUID, Bond], paid: Iterable[UUID]) -> None:
    """Whose part is to end, or has ended, is paid nothing ahead of its costs any more."""
    faults.point("ceiling")
    for who in paid:
        bond = bonds.get(who)
        if bond is not None and bond.ends_before is not None:
            raise Refused(
                f"{bond.name} takes no part from {clock.long_date(bond.ends_before)} on, so no more of it is pre-financed. Say of "
                "whose costs something is refused and enter zero for it: what it cost until the day before is reported and paid."
            )


def parts_open(grant: GrantView) -> tuple[BeneficiaryView, ...]:
    """The partners whose part may be proposed to end: none once the whole grant has its end, or where it is proposed already."""
    if grant.ended_on is not None:
        return ()
    return tuple(
        each
        for each in grant.beneficiaries
        if not each.is_coordinator
        and each.left_on is None
        and standing_of(grant.terminations, each.organisation_id) is None
    )


def refuse_part(organisation_id: UUID, beneficiaries: Sequence[BeneficiaryView]) -> BeneficiaryView:
    """Only the part of a partner that takes part ends alone; returns the partner."""
    found = next((each for each in beneficiaries if each.organisation_id == organisation_id), None)
    if found is None:
        raise NotFound
    if found.is_coordinator:
        raise Refused(
            f"{found.name} coordinates this grant: it receives every payment and answers for the whole pilot, so its part does "
            "not end alone. Where it cannot go on, propose the termination of the whole grant."
        )
    if found.left_on is not None:
        raise Refused(f"{found.name} takes no part from {clock.long_date(found.left_on)} on already.")
    return found
