"""Attacks on guards: before an act is let through, an error is raised inside each guard it passes, one after the other.

A guard is a place in the program that calls ``faults.point``. Each act is first run up to its audit record, to see
which guards it passes; then once for each of them with an error raised there. It must fail, and every table must be
what it was: nothing posted, nothing changed, no key used up.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from grants.core import acts, faults
from grants.core.db import db
from grants.core.errors import GrantsError
from grants.core.faults import Fault
from tests.soak.killing import tables

ROOT = Path(__file__).resolve().parents[2]
# Where a guard stands: its file and line.
Site = tuple[str, int]
# An act is looked at so often, and no more: `test_every_guard_of_the_program_was_attacked` names what that left out.
LOOKED_AT_MAX = 4


class _Enough(BaseException):
    """Ends an act that is only looked at."""


def _broken_transaction() -> None:
    """The database refuses a statement of the guard: whatever comes after it in this transaction is refused too."""
    db.session.execute(text("select 1 / 0"))


class _Serialization(Exception):
    """What the driver says of two transactions that met: the act is tried again, and meets it again."""

    sqlstate = "40001"


def _raise(error: BaseException) -> Callable[[], None]:
    def deed() -> None:
        raise error

    return deed


ERRORS: dict[str, Callable[[], None]] = {
    "fault": _raise(Fault("raised on purpose")),
    "key": _raise(KeyError("a value that is not there")),
    "met": _raise(OperationalError("select 1", {}, _Serialization())),
    "transaction": _broken_transaction,
}


@dataclass
class Attack:
    """What was attacked so far, in all scenes of a run."""

    attacked: set[Site] = field(default_factory=set)
    # Which guards each act relies on, by the name of the point.
    relied: dict[str, set[str]] = field(default_factory=dict)
    attacks: int = 0
    _seen: list[tuple[str, Site]] = field(default_factory=list)
    _looked_at: dict[str, int] = field(default_factory=dict)
    _at: Site | None = None
    _deed: Callable[[], None] | None = None
    _looking: bool = False

    @contextmanager
    def on(self, patch: pytest.MonkeyPatch) -> Iterator[None]:
        """Every act inside the block is attacked before it is let through."""
        original, point = acts._perform_once, faults.point

        def watched(name: str) -> None:
            frame = sys._getframe(1)
            site = (Path(frame.f_code.co_filename).relative_to(ROOT).as_posix(), frame.f_lineno)
            self._seen.append((name, site))
            if self._looking and name == "audit":
                raise _Enough
            if site == self._at and self._deed is not None:
                self._deed()
            point(name)

        def perform(function: Any, verb: str, *words: Any) -> Any:
            self._against(lambda: original(function, verb, *words), verb, patch)
            return original(function, verb, *words)

        with patch.context() as inner:
            inner.setattr(faults, "point", watched)
            inner.setattr(acts, "_perform_once", perform)
            yield

    def _against(self, attempt: Callable[[], Any], verb: str, patch: pytest.MonkeyPatch) -> None:
        self._looked_at[verb] = self._looked_at.get(verb, 0) + 1
        if self._looked_at[verb] > LOOKED_AT_MAX:
            return
        passed = self._look(attempt)
        known = self.relied.setdefault(verb, set())
        new = {name: site for name, site in passed if name not in known} | {
            f"{name} {site}": site for name, site in passed if site not in self.attacked
        }
        if not new:
            return
        # Every table is read before the attacks on an act and after them: to read a hundred and more of them after each
        # attack took most of the time of all.
        before, raised = tables(), list[str]()
        for name in sorted({name for name, _ in passed} - known):
            with patch.context() as set_:
                set_.setenv("GRANTS_FAULT", name)
                self._must_fail(attempt, Fault, f"{verb} with GRANTS_FAULT={name}")
            raised.append(f"a fault in “{name}”")
            known.add(name)
        for site in sorted({site for _, site in passed if site not in self.attacked}):
            for kind in self._kinds():
                with self.error_at(site, kind):
                    self._must_fail(attempt, Exception, f"{verb} with {kind} at {site}")
                raised.append(f"{kind} at {site}")
        assert tables() == before, f"{verb} changed something with one of: {'; '.join(raised)}"

    def _kinds(self) -> tuple[str, ...]:
        """A broken transaction and one of the other errors in turn; in a soak every one."""
        if "SOAK" in os.environ:
            return tuple(ERRORS)
        return ("transaction", tuple(ERRORS)[len(self.attacked) % (len(ERRORS) - 1)])

    @contextmanager
    def error_at(self, site: Site, kind: str) -> Iterator[None]:
        """Inside the block this guard meets an error."""
        self._at, self._deed = site, ERRORS[kind]
        try:
            yield
        finally:
            self._at = self._deed = None
        self.attacked.add(site)

    @contextmanager
    def passed(self) -> Iterator[set[Site]]:
        """The guards passed inside the block, once it ends."""
        self._seen, found = [], set[Site]()
        yield found
        found |= {site for _, site in self._seen}

    def _look(self, attempt: Callable[[], Any]) -> list[tuple[str, Site]]:
        """The guards an act passes, up to its audit record or its refusal; nothing of it stays."""
        self._seen, self._looking = [], True
        try:
            attempt()
        except (_Enough, GrantsError):
            return list(self._seen)
        finally:
            self._looking = False
        raise AssertionError("an act passes the point of its audit record")

    def _must_fail(self, attempt: Callable[[], Any], kind: type[Exception], what: str) -> None:
        self.attacks += 1
        try:
            attempt()
        except GrantsError as refusal:
            raise AssertionError(f"{what}: the fault was taken for an answer: {refusal!r}") from refusal
        except kind:
            return
        finally:
            db.session.rollback()
        raise AssertionError(f"{what}: it was let through")


def sites() -> dict[Site, str]:
    """Every guard of the program: where ``faults.point`` is called, and with which name."""
    return {
        (path.relative_to(ROOT).as_posix(), node.lineno): ast.literal_eval(node.args[0])
        for path in sorted((ROOT / "grants").rglob("*.py"))
        if "faults.point" in (source := path.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "faults.point"
    }
