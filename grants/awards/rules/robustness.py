"""In how many orders simulated from the advice each application stays selected: how it is kept, and what its page says. It decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from grants.core.text import grouped


def robustness_kept(
    run: int, list_hash: str, orders: int, unproven: int, selected: Mapping[UUID, int]
) -> dict[str, Any]:
    """What a job worked out, as it is kept with the list and the run of the advice it was made from."""
    counts = {str(key): selected[key] for key in sorted(selected, key=str)}
    return {"run": run, "list": list_hash, "draws": orders, "unproven": unproven, "selected": counts}


@dataclass(frozen=True, slots=True)
class RobustnessView:
    """The newest answer of a call. ``run`` is the run of the advice it was simulated from; ``stale``: list or advice changed since."""

    run: int
    orders: int
    unproven: int
    selected: Mapping[str, int]
    stale: bool

    @classmethod
    def of(cls, kept: Mapping[str, Any], run: int, list_hash: str) -> RobustnessView:
        """What was kept, beside the newest run and the list as it stands."""
        stale = kept["run"] != run or kept["list"] != list_hash
        return cls(kept["run"], kept["draws"], kept["unproven"], kept["selected"], stale)

    @classmethod
    def among(cls, kept: Sequence[Mapping[str, Any]], run: int, list_hash: str) -> RobustnessView | None:
        """Of several, the newest first, the one of this run and this list; else the newest, which is stale."""
        every = [cls.of(each, run, list_hash) for each in kept]
        return next((each for each in every if not each.stale), next(iter(every), None))

    def share(self, application_id: UUID) -> float | None:
        """In what share of the simulated orders it is selected; None for who stands below a threshold, whom none selects.

        >>> RobustnessView(1, 1_000, 0, {str(UUID(int=1)): 250}, False).share(UUID(int=1))
        0.25
        """
        many = self.selected.get(str(application_id))
        return None if many is None or not self.orders or self.stale else many / self.orders

    @property
    def words(self) -> str:
        """Of how many simulated orders it is told, and what of them was left out."""
        said = (
            f"Each of {grouped(self.orders)} orders simulated from run {self.run} ranks the applications anew; "
            "the rules of the call select from it."
        )
        if self.unproven:
            said += f" {grouped(self.unproven)} more were too hard to work out and count for nothing."
        return said
