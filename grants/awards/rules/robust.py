"""In how many draws of the advice each application stays selected: how it is kept, and what its page says. It decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID


def robust_kept(run: int, list_hash: str, draws: int, unproven: int, selected: Mapping[UUID, int]) -> dict[str, Any]:
    """What a job worked out, as it is kept with the list and the run of the advice it was made from."""
    counts = {str(key): selected[key] for key in sorted(selected, key=str)}
    return {"run": run, "list": list_hash, "draws": draws, "unproven": unproven, "selected": counts}


@dataclass(frozen=True, slots=True)
class RobustView:
    """The newest answer of a call. ``run`` is the run of the advice it was drawn from; ``stale``: list or advice changed since."""

    run: int
    draws: int
    unproven: int
    selected: Mapping[str, int]
    stale: bool

    @classmethod
    def of(cls, kept: Mapping[str, Any], run: int, list_hash: str) -> RobustView:
        """What was kept, beside the newest run and the list as it stands."""
        stale = kept["run"] != run or kept["list"] != list_hash
        return cls(kept["run"], kept["draws"], kept["unproven"], kept["selected"], stale)

    @classmethod
    def among(cls, kept: Sequence[Mapping[str, Any]], run: int, list_hash: str) -> RobustView | None:
        """Of several, the newest first, the one of this run and this list; else the newest, which is stale."""
        every = [cls.of(each, run, list_hash) for each in kept]
        return next((each for each in every if not each.stale), next(iter(every), None))

    def share(self, application_id: UUID) -> float | None:
        """In what share of the draws it is selected; None for who stands below a threshold, whom no draw selects.

        >>> RobustView(1, 1_000, 0, {str(UUID(int=1)): 250}, False).share(UUID(int=1))
        0.25
        """
        many = self.selected.get(str(application_id))
        return None if many is None or not self.draws or self.stale else many / self.draws

    @property
    def words(self) -> str:
        """Of how many draws it is told, and what of them was left out."""
        said = f"Each of {self.draws:,} draws of run {self.run} orders the applications anew; the rules of the call select from it."
        if self.unproven:
            said += f" {self.unproven:,} more draws were too hard to work out and count for nothing."
        return said.replace(",", " ") if self.draws >= 1_000 else said
