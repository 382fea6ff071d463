"""The start page of everybody reads the same whether its questions are written out each for itself or all at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, SelectBase, select

from grants.core import together
from grants.core.db import db
from grants.identity.policy import Role
from tests import actors
from tests.evaluation.scene import Scene
from tests.no_route import with_roles


def _rows(text: str | None) -> list[str]:
    """Without their order, which not every question asks for."""
    return sorted(map(repr, json.loads(text or "[]")))


def test_the_start_page_of_everybody_reads_the_same_as_written_out_all_at_once(
    app: Flask, evaluated: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []
    differing: list[str] = []
    apart = together._joined

    def both_ways(questions: Sequence[SelectBase], connection: Connection) -> tuple[str, dict[str, Any]]:
        text, sent = apart(questions, connection)
        told = connection.exec_driver_sql(text, sent).one()
        at_once = db.session.execute(
            select(*(together._Gathered(each).label(f"q{number}") for number, each in enumerate(questions)))
        ).one()
        for each, ours, theirs in zip(questions, told, at_once, strict=True):
            # What PostgreSQL says of the moment it is asked at differs between two looks.
            if _rows(ours) != _rows(theirs) and "clock_timestamp" not in str(each):
                differing.append(f"{each}: {ours} and {theirs}")
        compared.append(len(questions))
        return text, sent

    readers = {name: evaluated.actor(name) for name in evaluated.people}
    readers["All"] = with_roles("All of them", frozenset(Role))
    monkeypatch.setattr(together, "_joined", both_ways)
    for name, reader in readers.items():
        before = len(compared)
        assert actors.client_of(app, reader).get("/home").status_code == 200, name
        assert len(compared) > before, f"{name} was asked nothing together"
    assert differing == []
