"""What pages share needs no database: the program here has none, which also proves that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from config import Config
from grants.identity.rules import DemoChoice
from tests.programs import lending


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """The program in demo mode with two people to switch between, and no server at all."""
    nowhere = f"postgresql+psycopg://x@/x?host={tmp_path}"
    with lending() as program_of:
        app = program_of(Config(GRANTS_HOME=str(tmp_path), DATABASE_URL=nowhere, GRANTS_ENV="test", GRANTS_DEMO=True))
        app.extensions["demo_people"] = lambda: (
            DemoChoice("irina", "Irina Călinescu", "Applicant, lead city", "Cities"),
            DemoChoice("marek", "Marek Dąbrowski", "Partner city", "Cities"),
        )
        yield app
