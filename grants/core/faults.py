"""Named points where a fault can be raised on purpose, so that each guard can be shown to fail closed."""

from __future__ import annotations

import os

# name -> the guard that must hold although this raises
POINTS = {
    "audit": "writing the audit record",
    "ceiling": "the check of a ceiling before money moves",
    "clock": "the check that the clock of a payment runs, and of what comes before its decision",
    "conflict": "the check of a conflict of interest",
    "deadline": "the check of a deadline",
    "double_funding": "the check that no cost is accepted twice",
    "file_rules": "the check of a bank file before it leaves",
    "four_eyes": "the check that two people differ",
    "legal_hold": "the check that no legal hold keeps what would be deleted",
    "matching": "the check of what a line of the bank is booked as",
    "scope": "the check that a thing lies in a person's scope",
}


class Fault(RuntimeError):
    """Raised at a fault point that ``GRANTS_FAULT`` names."""


def point(name: str) -> None:
    """Raise :class:`Fault` if this point is named in ``GRANTS_FAULT``; the settings refuse that in production."""
    assert name in POINTS, f"{name} is not a listed fault point"
    if name in os.environ.get("GRANTS_FAULT", "").split(","):
        raise Fault(f"fault raised on purpose at \u201c{name}\u201d: {POINTS[name]}")
