"""Laws about guards: whatever refuses for a ceiling, for four eyes, a conflict, a deadline or a scope passes a fault point.

A guard is found by what it asks, never by a list: so a new one is found too. What passes a point can be shown to fail
closed; `tests/core/test_faults.py` does it.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable, Iterator

import pytest

from grants.core import faults
from tests.structure.trees import name_of, nodes

Found = tuple[str, ast.FunctionDef, ast.If]


@functools.cache
def has_guards(file: str) -> bool:
    """Pages only show, commands and servers have no guards of their own."""
    pages = re.match(r"grants/(cli|demo|local|bench|web)/|.*/(views|forms)", file)
    return bool(re.match(r"grants/\w+/", file)) and not pages


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    return ((file, node) for file, node in nodes(ast.FunctionDef) if has_guards(file))


@functools.cache
def refusals() -> tuple[Found, ...]:
    """Every place where something is asked and then refused, whatever it is."""
    return tuple(
        (file, function, node)
        for file, function in functions()
        for node in ast.walk(function)
        if isinstance(node, ast.If) and any(isinstance(line, ast.Raise) for line in node.body)
    )


def guards(asks: Callable[[str, ast.FunctionDef, ast.If], bool]) -> list[Found]:
    """Every place where something of this kind is asked and then refused."""
    return [found for found in refusals() if asks(*found)]


@functools.cache
def calls_in(function: ast.FunctionDef) -> tuple[tuple[str, ast.Call], ...]:
    """Everything a function calls, by its name."""
    return tuple((name_of(node.func), node) for node in ast.walk(function) if isinstance(node, ast.Call))


def points_of(function: ast.FunctionDef) -> dict[str, int]:
    """The fault points a function passes, and in which line."""
    return {
        ast.literal_eval(node.args[0]): node.lineno
        for name, node in calls_in(function)
        if name.endswith("faults.point")
    }


def passing(kind: str) -> set[str]:
    """Names of functions that pass a point of this kind, by themselves or by one they call."""
    bodies = {function.name: {name.rpartition(".")[2] for name, _ in calls_in(function)} for _, function in functions()}
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
        asked = {name_of(call.func).rpartition(".")[2] for call in ast.walk(node.test) if isinstance(call, ast.Call)}
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


@functools.cache
def named_money() -> frozenset[str]:
    """Attributes and properties that hold money anywhere in the program."""
    return frozenset(
        ast.unparse(node.target)
        for file, node in nodes(ast.AnnAssign)
        if has_guards(file) and MONEY.search(ast.unparse(node.annotation))
    )


def asks_how_much(file: str, function: ast.FunctionDef, node: ast.If) -> bool:
    """Whether one amount of money is measured against another; against nothing is no ceiling."""
    given = {
        each.arg
        for each in (*function.args.args, *function.args.kwonlyargs)
        if each.annotation is not None and MONEY.search(ast.unparse(each.annotation))
    }

    def is_money(side: ast.expr) -> bool:
        return (isinstance(side, ast.Name) and side.id in given) or (
            isinstance(side, ast.Attribute) and side.attr in named_money()
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
        for file, node in nodes(ast.Attribute)
        if has_guards(file)
        and file != "grants/core/permissions.py"
        and node.attr in {"bars", "granted"}
        and ast.unparse(node.value).endswith("actor")
    ]
    assert read == []


def test_every_fault_point_is_listed_and_every_listed_one_stands_somewhere() -> None:
    used = {ast.literal_eval(node.args[0]) for _, node in nodes(ast.Call) if name_of(node.func) == "faults.point"}
    assert used == set(faults.POINTS)
