"""What pages share needs no database: the program here has none, which also proves that."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from config import Config
from grants.app import create_app
from grants.identity.rules import DemoChoice


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    """The program in demo mode with two people to switch between, and no server at all."""
    nowhere = f"postgresql+psycopg://x@/x?host={tmp_path}"
    app = create_app(Config(GRANTS_HOME=str(tmp_path), DATABASE_URL=nowhere, GRANTS_ENV="test", GRANTS_DEMO=True))
    app.testing = True
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.extensions["demo_people"] = lambda: (
        DemoChoice("irina", "Irina Călinescu", "Applicant, lead city", "Cities"),
        DemoChoice("marek", "Marek Dąbrowski", "Partner city", "Cities"),
    )
    return app
