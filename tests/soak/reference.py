"""The posting rules once more, as plain numbers and nothing of the program: what each event moves, and when it may not happen.

A balance is in cents and stands in its account's own direction, by the account's code. Written from the table of events, so
that a fault of the program's builders, decisions or guards shows as a difference and not as the same fault twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Moves = Mapping[str, int]

# What an event of one amount moves, per cent of it.
MOVES: Mapping[str, Moves] = {
    "E1": {"B000": 1, "B100": 1},
    "E1 lowered": {"B000": -1, "B100": -1},
    "E2": {"B200": 1, "B100": -1},
    "E3": {"B100": 1, "B200": -1},
    "E4": {"B300": 1, "B200": -1},
    "E5": {"B310": 1, "B300": -1},
    "E7": {"2000": -1, "1050": 1},
    "E8": {"1050": -1, "1000": -1, "B400": 1, "B310": -1},
    "E8 outside": {"1055": -1, "1000": -1},
    "E9a": {"1050": -1, "2100": 1},
    "E9b": {"1000": 1, "2100": 1, "B310": 1, "B400": -1},
    "E9c": {"2100": -1, "1050": 1},
    "E13": {"1200": 1, "1100": -1},
    "E13 costs": {"1200": 1, "5000": -1},
    "E15": {"2000": -1, "1200": -1},
    "E15 pays": {"2000": -1, "1220": -1},
    "E15 owes": {"1220": 1, "1200": -1},
    "E16": {"5300": 1, "1200": -1},
    "E17": {"5100": 1, "2300": 1},
    "E17 sent": {"2300": -1, "1055": 1},
    "E17 rejected": {"1055": -1, "2300": 1},
    "E17 returned": {"1000": 1, "2300": 1},
    "E18": {"1210": 1, "4100": 1},
    "E18 received": {"1000": 1, "1210": -1},
    "E19": {"B310": 1, "B100": -1},
    "E19 lowered": {"B310": -1, "B100": 1},
    "E21": {"B310": -1, "B100": 1},
    "E22": {"1000": 1, "2400": 1},
    "E22 identified": {"2400": -1, "1200": -1},
    "E22 repaid": {"2400": -1, "1000": -1},
    "E23": {"M100": 1, "M000": 1},
    "E23 passed on": {"M200": 1, "M100": -1},
    "E25": {"1000": 1, "3000": 1},
    "E26": {"5200": 1, "1000": -1},
}
# May never stand below zero: of a call, and of a grant.
CALL_FLOORS = ("B000", "B100", "B200", "B300")
GRANT_FLOORS = ("B310", "B400", "1050", "1055", "1100", "1200", "1210", "2000", "2100", "2200", "2300", "5000", "M100")
# What a grant must have at zero when it is closed; and what came in without a known reason, above zero.
SETTLED = ("2000", "1050", "1055", "2100", "2200", "1100", "1200", "1210", "2300", "M100")


@dataclass
class Place:
    """A call, a grant, or the programme: its balances."""

    sums: Counter[str] = field(default_factory=Counter)

    def after(self, moves: Moves, amount: int) -> dict[str, int]:
        """What an event would leave on the accounts it moves."""
        return {code: self.sums[code] + each * amount for code, each in moves.items()}


@dataclass
class Grant(Place):
    """A grant: what its agreement allows, and what was decided of it."""

    maximum: int = 0
    ceiling: int = 0
    prefinancing: int = 0
    retention: int = 0
    additional: int = 0
    final: int | None = None
    decommitted: int = 0
    closed: bool = False

    @property
    def counted(self) -> int:
        """What counts to the ceiling: paid net of what came back, payable, in transit, returned to us and retained; no interest."""
        sums = self.sums
        general = sums["2000"] + sums["1050"] + sums["2100"] + sums["2200"] - sums["1000"]
        return general - (sums["5100"] - sums["2300"] - sums["1055"]) + (sums["4100"] - sums["1210"])

    @property
    def room(self) -> int:
        """What may still be authorised before the balance."""
        return max(self.ceiling - self.counted, 0)

    def decided_prefinancing(self, approved: int) -> Moves | None:
        """E6; None where the agreement allows less."""
        if not 0 < approved <= min(self.prefinancing, self.room):
            return None
        kept = min(self.retention, approved)
        return {"1100": approved, "2200": kept, "2000": approved - kept}

    def decided_additional(self, approved: int) -> Moves | None:
        """E6 once more, and nothing retained; None where the agreement allows less."""
        if not 0 < approved <= min(self.additional, self.room):
            return None
        return {"1100": approved, "2000": approved}

    def asked_in_addition(self, threshold: int, paid: int, used: int) -> int:
        """What may be asked for: less by what is missing to so many per cent of what was paid (G-12)."""
        return max(self.additional - max(paid * threshold // 100 - used, 0), 0)

    def decided_interim(self, approved: int, cash_max: int) -> Moves:
        """E10: cash below the ceiling and the partners' maxima, the rest clears pre-financing, what is left waits."""
        cash = min(approved, self.room, cash_max)
        cleared = min(approved - cash, self.sums["1100"])
        return {"5000": cash + cleared, "2000": cash, "1100": -cleared}

    def decided_balance(self, final: int) -> Moves | None:
        """E11 or E11b, and E12; None above the maximum."""
        if final > self.maximum:
            return None
        change, open_, kept = final - self.sums["5000"], self.sums["1100"], self.sums["2200"]
        covered = min(max(change, 0), open_)
        after = open_ - covered + max(-change, 0)
        absorbed = min(kept, after)
        payable = max(change, 0) - covered + kept - absorbed
        return {"5000": change, "1100": after - absorbed - open_, "2200": -kept, "2000": payable}

    def received(self, amount: int) -> Moves:
        """E14: what is above the debt has no known reason; what settles it may be spent again, as far as it was consumed."""
        settled = min(amount, self.sums["1200"])
        again = min(settled, self.sums["B400"])
        return {"1000": amount, "1200": -settled, "2400": amount - settled, "B310": again, "B400": -again}

    def may_close(self) -> bool:
        """Whether nothing is open."""
        return self.final is not None and not any(self.sums[each] for each in SETTLED) and self.sums["2400"] <= 0


def broken(sums: Mapping[str, int], floors: Iterable[str]) -> bool:
    """Whether one of these accounts stands below zero."""
    return any(sums.get(each, 0) < 0 for each in floors)


def apportioned(amount: int, weights: Mapping[str, int]) -> dict[str, int]:
    """An amount by largest remainder, earlier weights first among equals.

    >>> apportioned(100, {"a": 1, "b": 1, "c": 1})
    {'a': 34, 'b': 33, 'c': 33}
    """
    whole = sum(weights.values())
    parts = {key: amount * weight // whole for key, weight in weights.items()}
    by_rest = sorted(weights, key=lambda key: -(amount * weights[key] % whole))
    for key in by_rest[: amount - sum(parts.values())]:
        parts[key] += 1
    return parts
