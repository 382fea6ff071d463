"""The data folder of this machine, as everything that keeps a file of its own understands ``GRANTS_HOME``."""

from __future__ import annotations

from pathlib import Path

from flask import current_app


def folder() -> Path:
    """The data folder of the running program."""
    return folder_of(current_app.config["GRANTS_HOME"])


def folder_of(setting: str | Path) -> Path:
    """The same from a setting: ``~`` is the home of the user, and a relative path begins where the program was started."""
    return Path(setting).expanduser().absolute()
