"""What a person must do next: the pure value every stage offers and /home sorts and shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Duty:
    """One row of \u201cWhat you must do next\u201d.

    ``what`` is a sentence with the verb first, ``why`` says what waits for it, ``button`` is the
    deed on the button; ``endpoint`` and ``values`` name the page. ``due_at`` sorts; None comes last.
    A group (\u201c12 applications to check\u201d) opened by one page is one row, and its number stands in ``what``.
    """

    what: str
    why: str
    button: str
    endpoint: str
    values: Mapping[str, Any] = field(default_factory=dict)
    due_at: datetime | None = None
