"""An assignment as a mixed integer programme: the rules a flow cannot say. HiGHS is imported inside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from grants.core.errors import Refused
from grants.evaluation.matching.arrays import Arrays
from grants.evaluation.matching.values import groups_of

# A search ends by its steps, which are the same on every machine and day; the clock only ends what would go on for ever.
NODES_MAX = 2_000
SECONDS_MAX = 600.0


@dataclass(slots=True)
class Programme:
    """Columns and rows as they are gathered: first one column a pair, then what is added."""

    np: Any
    cost: list[Any] = field(default_factory=list)
    upper: list[Any] = field(default_factory=list)
    whole: list[Any] = field(default_factory=list)
    columns: int = 0
    rows: int = 0
    row_lower: list[Any] = field(default_factory=list)
    row_upper: list[Any] = field(default_factory=list)
    at_row: list[Any] = field(default_factory=list)
    at_column: list[Any] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add_columns(self, cost: Any, upper: Any, *, whole: int) -> Any:
        """New columns from 0 to ``upper``; ``whole`` 1 where only whole numbers count. Returns their numbers."""
        np, count = self.np, len(cost)
        self.cost.append(np.asarray(cost, dtype=np.float64))
        self.upper.append(np.asarray(upper, dtype=np.float64))
        self.whole.append(np.full(count, whole, dtype=np.int64))
        self.columns += count
        return np.arange(self.columns - count, self.columns)

    def add_rows(self, lower: Any, upper: Any) -> Any:
        """New empty rows; returns their numbers."""
        np = self.np
        self.row_lower.append(np.asarray(lower, dtype=np.float64))
        self.row_upper.append(np.asarray(upper, dtype=np.float64))
        self.rows += len(lower)
        return np.arange(self.rows - len(lower), self.rows)

    def enter(self, rows: Any, columns: Any, values: Any) -> None:
        """Coefficients."""
        np = self.np
        self.at_row.append(np.asarray(rows, dtype=np.int64))
        self.at_column.append(np.asarray(columns, dtype=np.int64))
        self.values.append(np.broadcast_to(np.asarray(values, dtype=np.float64), (len(self.at_row[-1]),)))

    def gather(self) -> Matrix:
        """Everything entered, as arrays."""
        np = self.np
        return Matrix(
            np, np.concatenate(self.cost), np.zeros(self.columns), np.concatenate(self.upper), np.concatenate(self.whole),
            np.concatenate(self.row_lower), np.concatenate(self.row_upper), np.concatenate(self.at_row),
            np.concatenate(self.at_column), np.concatenate(self.values),
        )  # fmt: skip


@dataclass(slots=True)
class Matrix:
    """A whole programme, of which the solver is given some columns at a time."""

    np: Any
    cost: Any
    lower: Any
    upper: Any
    whole: Any
    row_lower: Any
    row_upper: Any
    at_row: Any
    at_column: Any
    values: Any

    def highs(self, columns: Any, *, relaxed: int = 0, sure: Any = None) -> Any:
        """These columns in the solver, ``sure`` ones at their upper bound: one thread, one seed, the same answer each time."""
        import highspy

        np = self.np
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(columns), len(self.row_lower)
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = self.cost[columns], self.lower[columns], self.upper[columns]
        if sure is not None:
            lp.col_lower_ = np.where(sure[columns], self.upper[columns], self.lower[columns])
        lp.row_lower_, lp.row_upper_ = self.row_lower, self.row_upper
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = self._entries(columns)
        if not relaxed:
            kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
            lp.integrality_ = [kinds[kind] for kind in self.whole[columns].tolist()]
        solver = highspy.Highs()
        for option, value in (("log_to_console", False), ("output_flag", False), ("threads", 1), ("random_seed", 0),
                              ("mip_abs_gap", 1e-6), ("mip_rel_gap", 0.0), ("mip_max_nodes", NODES_MAX), ("time_limit", SECONDS_MAX)):  # fmt: skip
            solver.setOptionValue(option, value)
        solver.passModel(lp)
        return solver

    def widen(self, solver: Any, columns: Any) -> None:
        """More columns into a solver that has answered: it goes on from there instead of beginning anew."""
        starts, index, values = self._entries(columns)
        cost, lower, upper = self.cost[columns], self.lower[columns], self.upper[columns]
        solver.addCols(len(columns), cost, lower, upper, len(index), starts[:-1], index, values)

    def _entries(self, columns: Any) -> tuple[Any, Any, Any]:
        """The coefficients of these columns, one after the other: where each begins, their rows and values."""
        np = self.np
        number = np.full(len(self.cost), -1, dtype=np.int64)
        number[columns] = np.arange(len(columns))
        inside = number[self.at_column] >= 0
        rows, places = self.at_row[inside], number[self.at_column[inside]]
        order = np.argsort(places, kind="stable")
        starts = np.searchsorted(places[order], np.arange(len(columns) + 1))
        return starts.astype(np.int32), rows[order].astype(np.int32), self.values[inside][order]

    def reduced(self, row_dual: Any) -> Any:
        """The reduced cost of every column at these prices of the rows."""
        weights = self.values * self.np.asarray(row_dual)[self.at_row]
        return self.cost - self.np.bincount(self.at_column, weights=weights, minlength=len(self.cost))


@dataclass(slots=True)
class Rule:
    """Rows of one kind of rule, whom each is for, and by which sign a slack would set it aside."""

    kind: str
    rows: Any
    whom: list[tuple[int, str]]
    sign: int


def build(arrays: Arrays, rows: Any, columns: Any) -> tuple[Programme, list[Rule]]:
    """Seats, loads and rules on groups over these pairs; the cost is the negative utility."""
    np = arrays.np
    made = Programme(np)
    made.add_columns(-arrays.utility[rows, columns].astype(np.float64), np.ones(len(rows)), whole=1)
    pair = np.arange(len(rows))
    seats = made.add_rows(arrays.need, arrays.need)
    made.enter(seats[rows], pair, 1)
    most = made.add_rows(np.full(arrays.columns, -np.inf), arrays.room)
    made.enter(most[columns], pair, 1)
    least = made.add_rows(arrays.least - arrays.fixed_by, np.full(arrays.columns, np.inf))
    made.enter(least[columns], pair, 1)
    found = [
        Rule("seats", seats, [(i, "") for i in range(arrays.rows)], 1),
        Rule("load_max", most, [(j, "") for j in range(arrays.columns)], -1),
        Rule("load_min", least, [(j, "") for j in range(arrays.columns)], 1),
    ]
    rules = arrays.instance.groups
    found += [_at_most(arrays, made, rows, columns, kind, limit) for kind, limit in rules.limits]
    asked = [(f"role:{role}", role) for role in rules.roles] + [(f"gender:{one}", one) for one in rules.genders]
    if rules.needs_reader:
        asked.append(("reader", ""))
    found += [_at_least(arrays, made, rows, columns, kind, word) for kind, word in asked]
    return made, found


def _at_most(arrays: Arrays, made: Programme, rows: Any, columns: Any, kind: str, most: int) -> Rule:
    """At most so many evaluators of one country, or one organisation, on an application: counted under each of theirs."""
    np = arrays.np
    names, of = groups(arrays, kind)
    exempt = np.array([(kind, subject.id) in arrays.instance.exempt for subject in arrays.applications], dtype=bool)
    held = np.zeros((arrays.rows, max(1, len(names))), dtype=np.int64)
    for i, j in arrays.locked:
        held[i, of[j]] += 1
    # Each pair once for each group of its evaluator.
    sizes_of = np.array([len(each) for each in of], dtype=np.int64)
    times = sizes_of[columns]
    pair = np.repeat(np.arange(len(rows)), times)
    nth = np.arange(len(pair)) - np.repeat(np.cumsum(times) - times, times)
    group = np.concatenate([np.zeros(0, dtype=np.int64), *of])[(np.cumsum(sizes_of) - sizes_of)[columns][pair] + nth]
    kept = ~exempt[rows[pair]]
    pair, keys = pair[kept], (rows[pair] * len(names) + group)[kept]
    places, inverse, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    left = most - held.reshape(-1)[places] if len(places) else np.zeros(0, dtype=np.int64)
    # What locked pairs break already is no reason against the rest: nobody more of that group.
    left = np.maximum(left, 0)
    tight = sizes > left
    place = np.cumsum(tight) - 1
    lines = made.add_rows(np.full(int(tight.sum()), -np.inf), left[tight])
    used = tight[inverse]
    made.enter(lines[place[inverse[used]]] if used.any() else [], pair[used], 1)
    whom = [(int(key) // len(names), names[int(key) % len(names)]) for key in places[tight]]
    return Rule(kind, lines, whom, -1)


def groups(arrays: Arrays, kind: str) -> tuple[list[str], list[Any]]:
    """The names of all groups of one kind, and of each evaluator the numbers of theirs."""
    names = sorted({name for person in arrays.evaluators for name in groups_of(person, kind)})
    number = {name: index for index, name in enumerate(names)}
    return names, [
        arrays.np.array(sorted(number[name] for name in groups_of(person, kind)), dtype=arrays.np.int64)
        for person in arrays.evaluators
    ]


def _at_least(arrays: Arrays, made: Programme, rows: Any, columns: Any, kind: str, asked_for: str) -> Rule:
    """At least one evaluator of a role or a gender, or, of the kind “reader”, who reads the application's language."""
    np = arrays.np
    wanted = [asked_for or subject.language for subject in arrays.applications]
    met = {i for i, j in arrays.locked if has_it(arrays, j, kind, wanted[i])}
    # Where no seat is empty nobody can be added: what those seated lack is told, and asked of nobody.
    asked = [
        i for i, subject in enumerate(arrays.applications)
        if wanted[i] and i not in met and arrays.need[i] > 0 and (kind, subject.id) not in arrays.instance.exempt
    ]  # fmt: skip
    lines = made.add_rows(np.ones(len(asked)), np.full(len(asked), np.inf))
    line_of = np.full(arrays.rows, -1, dtype=np.int64)
    line_of[asked] = lines
    words = sorted(set(wanted))
    has = np.array([[has_it(arrays, j, kind, word) for j in range(arrays.columns)] for word in words], dtype=bool)
    word_of = np.array([words.index(word) for word in wanted], dtype=np.int64)
    fits = has.reshape(len(words), arrays.columns)[word_of[rows], columns] & (line_of[rows] >= 0)
    made.enter(line_of[rows[fits]], np.nonzero(fits)[0], 1)
    return Rule(kind, lines, [(i, wanted[i]) for i in asked], 1)


def has_it(arrays: Arrays, j: int, kind: str, word: str) -> bool:
    """Whether somebody has this role, said this gender, or, of the kind “reader”, reads this language."""
    person = arrays.evaluators[j]
    if kind.startswith("gender:"):
        return person.gender == word
    return word in (person.languages if kind == "reader" else person.roles)


def is_at_least(kind: str) -> bool:
    """Whether a rule asks for at least one of somebody, and is not a limit."""
    return kind == "reader" or kind.startswith(("role:", "gender:"))


def run(solver: Any) -> Any:
    """The values of the best answer found, or None where there is none; refuses when the time is over before any."""
    import highspy

    lp = solver.getLp()
    if not lp.num_col_:
        kept = all(low <= 0 <= high for low, high in zip(lp.row_lower_, lp.row_upper_, strict=True))
        return [] if kept else None
    solver.run()
    status = solver.getModelStatus()
    if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        return None
    info = solver.getInfo()
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        raise Refused(
            f"No assignment was found within {SECONDS_MAX:.0f} seconds. Set a rule on groups or the floor aside, or split the call into panels."
        )
    return solver.getSolution().col_value
