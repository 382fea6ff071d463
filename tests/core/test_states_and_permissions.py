"""State tables and the resolved permissions of a person."""

from __future__ import annotations

from enum import StrEnum
from types import SimpleNamespace
from uuid import uuid4

import pytest

from grants.core.errors import Refused
from grants.core.permissions import EVERYWHERE, Actor, Permission, Scope, system_actor
from grants.core.states import Machine, Transition


class Door(StrEnum):
    OPEN = "open"
    SHUT = "shut"
    LOCKED = "locked"


MACHINE = Machine(
    "door",
    Door,
    Door.OPEN,
    [
        Transition("shut", (Door.OPEN,), Door.SHUT),
        Transition("open", (Door.SHUT,), Door.OPEN),
        Transition("lock", (Door.SHUT,), Door.LOCKED),
    ],
)
LEGAL = {(Door.OPEN, "shut"): Door.SHUT, (Door.SHUT, "open"): Door.OPEN, (Door.SHUT, "lock"): Door.LOCKED}


@pytest.mark.parametrize("state", Door)
@pytest.mark.parametrize("verb", ["shut", "open", "lock"])
def test_the_whole_matrix_of_states_and_verbs(state: Door, verb: str) -> None:
    door = SimpleNamespace(state=state)

    if (state, verb) in LEGAL:
        assert MACHINE.move(door, verb) == LEGAL[state, verb]
        assert door.state == LEGAL[state, verb]
    else:
        with pytest.raises(Refused, match="Reload the page"):
            MACHINE.move(door, verb)
        assert door.state == state


def test_an_unknown_verb_is_a_programmers_error() -> None:
    with pytest.raises(KeyError):
        MACHINE.target(Door.OPEN, "paint")


def test_the_diagram_names_every_transition() -> None:
    assert "    shut --> locked: lock" in MACHINE.to_mermaid().splitlines()


def test_a_permission_holds_only_in_its_places() -> None:
    mine, theirs = uuid4(), uuid4()
    actor = Actor(uuid4(), "Irina", frozenset({(Permission.APPLICATION_EDIT.value, ("application", mine))}))

    assert actor.can("application:edit")
    assert actor.may(Permission.APPLICATION_EDIT, Scope.of(("application", mine)))
    assert not actor.may(Permission.APPLICATION_EDIT, Scope.of(("application", theirs)))
    assert not actor.may(Permission.APPLICATION_READ, Scope.of(("application", mine)))
    assert actor.places(Permission.APPLICATION_EDIT, "application") == {mine}


def test_a_bar_stands_before_every_permission() -> None:
    application, call = uuid4(), uuid4()
    actor = Actor(
        uuid4(),
        "Elena",
        frozenset({(Permission.APPLICATION_READ.value, EVERYWHERE)}),
        bars=frozenset({("application", application)}),
    )

    assert not actor.may(Permission.APPLICATION_READ, Scope.of(("application", application), ("call", call)))
    assert actor.may(Permission.APPLICATION_READ, Scope.of(("application", uuid4()), ("call", call)))
    assert actor.barred("application") == {application}


def test_the_program_itself_has_only_what_is_named() -> None:
    actor = system_actor("sweeper", [Permission.JOB_RETRY])

    assert actor.everywhere(Permission.JOB_RETRY)
    assert not actor.can(Permission.LEDGER_READ)


def test_permissions_are_listed_in_order_and_named_thing_and_verb() -> None:
    names = [permission.value for permission in Permission]

    assert names == sorted(names)
    assert all(name.count(":") == 1 for name in names)
