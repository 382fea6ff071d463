"""Two people at one work plan: which line is which, and whose words stand where a line was changed by one or by both."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from uuid import UUID

from grants.budgets.rules.plan import PlanItem, PlannedPackage
from grants.core.errors import quoted

# Share of two titles that is the same, from which on one is taken for the other written anew.
ALIKE = 0.6
LET_BE = (
    "What you typed stands here and is not saved: save again to put it in its place, or open this page anew to keep what"
    " is there."
)


def same_lines(shown: Sequence[PlanItem], stored: Sequence[PlanItem]) -> dict[int, int]:
    """Where each line that was shown stands now; lines taken away meanwhile are left out.

    Lines have no name of their own: equal ones are the same, then those with the same title, then those much alike that
    stand between the same neighbours. Where it is unclear they count as two, so that none is put in place of another.
    """
    found: dict[int, int] = {}
    for before, after in _gaps(shown, stored, found, range(len(shown)), range(len(stored))):
        titles = [shown[n].title for n in before], [stored[n].title for n in after]
        for left, right in _gaps(*titles, found, before, after):
            for here in left:
                there = next((n for n in right if n not in found.values() and _alike(shown[here], stored[n])), None)
                if there is not None:
                    found[here] = there
    return found


def _gaps(
    first: Sequence[Hashable], second: Sequence[Hashable], found: dict[int, int], before: range, after: range
) -> list[tuple[range, range]]:
    """Notes in ``found`` what is equal, by the numbers in ``before`` and ``after``; returns what differs between."""
    gaps = []
    for step, a, b, c, d in SequenceMatcher(a=first, b=second, autojunk=False).get_opcodes():
        if step == "equal":
            found.update(zip(before[a:b], after[c:d], strict=True))
        elif step == "replace":
            gaps.append((before[a:b], after[c:d]))
    return gaps


def _alike(one: PlanItem, other: PlanItem) -> bool:
    same_work = replace(one, title="") == replace(other, title="")
    return same_work or SequenceMatcher(a=one.title, b=other.title, autojunk=False).ratio() >= ALIKE


def head_of(package: PlannedPackage) -> PlannedPackage:
    """A work package without its lines, to compare with another."""
    return replace(package, code="", items=())


def changed_meanwhile(now: PlanItem | PlannedPackage | None, names: Mapping[UUID, str]) -> str:
    """Says of a line that two people changed what it is now, and how to keep either."""
    if now is None:
        return (
            "This was taken away elsewhere while you were working. What you typed stands here and is not saved:"
            " save again to put it back, or empty its title to let it go."
        )
    who = now.owner_id if isinstance(now, PlanItem) else now.lead_id
    parts = [quoted(now.title), names.get(who, "") if who else "nobody named"]
    parts.append(now.months.words if now.months else "no months")
    kind = f"{now.kind.value} " if isinstance(now, PlanItem) else ""
    words = ", ".join(filter(None, parts))
    return f"This was changed elsewhere while you were working: it is now {kind}{words}. {LET_BE}"
