"""Laws about guards: whatever refuses for a ceiling, for four eyes, a conflict, a deadline or a scope passes a fault point.

A guard is found by what it asks, never by a list: so a new one is found too. What passes a point can be shown to fail
closed; `tests/core/test_faults.py` does it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

import pytest

from grants.core import faults
from tests.structure.test_laws import TREES, short

# Pages only show, commands and servers have no guards of their own.
PROGRAM = {
    short(path): tree
    for path, tree in TREES.items()
    if re.match(r"grants/\w+/", short(path))
    and not re.match(r"grants/(cli|demo|local|bench|web)/|.*/(views|forms)", short(path))
}
Found = tuple[str, ast.FunctionDef, ast.If]


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    for file, tree in PROGRAM.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                yield file, node


def guards(asks: Callable[[str, ast.FunctionDef, ast.If], bool]) -> list[Found]:
    """Every place where something is asked and then refused."""
    return [
        (file, function, node)
        for file, function in functions()
        for node in ast.walk(function)
        if isinstance(node, ast.If)
        and any(isinstance(line, ast.Raise) for line in node.body)
        and asks(file, function, node)
    ]


def points_of(function: ast.FunctionDef) -> dict[str, int]:
    """The fault points a function passes, and in which line."""
    return {
        ast.literal_eval(node.args[0]): node.lineno
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("faults.point")
    }


def passing(kind: str) -> set[str]:
    """Names of functions that pass a point of this kind, by themselves or by one they call."""
    bodies = {
        function.name: {
            ast.unparse(node.func).rpartition(".")[2] for node in ast.walk(function) if isinstance(node, ast.Call)
        }
        for _, function in functions()
    }
    found = {function.name for _, function in functions() if kind in points_of(function)}
    while more := {name for name, called in bodies.items() if name not in found and called & found & GUARDING}:
        found |= more
    return found


# What reads the bars and rights of a person: calling one of these is asking.
GUARDING = {
    "barred",
    "barred_from",
    "may",
    "places",
    "everywhere",
    "undeclared",
    "conflicted",
    "holds_barred",
    "clear_for",
}


def unpointed(kind: str, found: list[Found]) -> list[str]:
    safe = passing(kind)

    def passes(function: ast.FunctionDef, node: ast.If) -> bool:
        asked = {
            ast.unparse(call.func).rpartition(".")[2] for call in ast.walk(node.test) if isinstance(call, ast.Call)
        }
        # A point comes before what it stands for; a function in the question passes it by itself.
        return points_of(function).get(kind, node.lineno) < node.lineno or bool(asked & safe)

    return [
        f"{file}:{node.lineno} {function.name} asks “{ast.unparse(node.test)}” without faults.point(“{kind}”)"
        for file, function, node in found
        if not passes(function, node)
    ]


def compares(test: ast.expr, *kinds: type[ast.cmpop]) -> Iterator[ast.Compare]:
    for node in ast.walk(test):
        if isinstance(node, ast.Compare) and any(isinstance(each, kinds) for each in node.ops):
            yield node


PERSON = re.compile(r"\bactor\.user_id\b|\bactor_id\b")


def asks_who(file: str, function: ast.FunctionDef, node: ast.If) -> bool:
    """Whether the person who acts is compared with another one; in rules that person is called ``user_id``."""
    in_rules = re.search(r"/rules[./]", file) and "user_id" in {each.arg for each in function.args.args}
    person = re.compile(rf"{PERSON.pattern}|\buser_id\b") if in_rules else PERSON
    return any(person.search(ast.unparse(each)) for each in compares(node.test, ast.Eq, ast.In))


def asks_when(file: str, function: ast.FunctionDef, node: ast.If) -> bool:
    return bool(re.search(r"\bis_open\(|\bcloses_at\b|\bopens_at\b", ast.unparse(node.test)))


def asks_about_conflict(file: str, function: ast.FunctionDef, node: ast.If) -> bool:
    asked = ast.unparse(node.test)
    return bool(re.search(r"barred|actor\.bars|undeclared\(|stands_clear|is_conflict|conflicted\(", asked))


MONEY = re.compile(r"\bMoney\b")


def named_money() -> set[str]:
    """Attributes and properties that hold money anywhere in the program."""
    found = set()
    for tree in PROGRAM.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.AnnAssign) and MONEY.search(ast.unparse(node.annotation)):
                found.add(ast.unparse(node.target))
    return found


OF_MONEY = named_money()


def asks_how_much(file: str, function: ast.FunctionDef, node: ast.If) -> bool:
    """Whether one amount of money is measured against another; against nothing is no ceiling."""
    given = {
        each.arg
        for each in (*function.args.args, *function.args.kwonlyargs)
        if each.annotation is not None and MONEY.search(ast.unparse(each.annotation))
    }

    def is_money(side: ast.expr) -> bool:
        return (isinstance(side, ast.Name) and side.id in given) or (
            isinstance(side, ast.Attribute) and side.attr in OF_MONEY
        )

    return any(
        any(is_money(side) for side in (each.left, *each.comparators))
        and "ZERO" not in {ast.unparse(side) for side in (each.left, *each.comparators)}
        for each in compares(node.test, ast.Gt, ast.Lt, ast.GtE, ast.LtE)
    )


KINDS = {"ceiling": asks_how_much, "conflict": asks_about_conflict, "deadline": asks_when, "four_eyes": asks_who}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_guard_passes_its_fault_point(kind: str) -> None:
    found = guards(KINDS[kind])

    assert len(found) >= 3, "the law finds what it is about"
    assert unpointed(kind, found) == []


def test_rights_and_bars_of_a_person_are_read_by_the_actor_alone() -> None:
    """So that the points inside ``Actor`` stand before every scope and every bar."""
    read = [
        f"{file}:{node.lineno} {ast.unparse(node)}"
        for file, tree in PROGRAM.items()
        if file != "grants/core/permissions.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in {"bars", "granted"}
        and ast.unparse(node.value).endswith("actor")
    ]
    assert read == []


def test_every_fault_point_is_listed_and_every_listed_one_stands_somewhere() -> None:
    used = {
        ast.literal_eval(node.args[0])
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "faults.point"
    }
    assert used == set(faults.POINTS)
