"""Frozen values to JSON and back, for the kept result of an act and the arguments of a job."""

from __future__ import annotations

import functools
import json
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from cattrs import Converter

from grants.core.money import Money

_converter = Converter()
_converter.register_unstructure_hook(UUID, str)
_converter.register_structure_hook(UUID, lambda value, _: UUID(value))
_converter.register_unstructure_hook(datetime, lambda value: value.isoformat())
_converter.register_structure_hook(datetime, lambda value, _: datetime.fromisoformat(value))
_converter.register_unstructure_hook(date, lambda value: value.isoformat())
_converter.register_structure_hook(date, lambda value, _: date.fromisoformat(value))
_converter.register_unstructure_hook(Fraction, str)
_converter.register_structure_hook(Fraction, lambda value, _: Fraction(value))
_converter.register_unstructure_hook(Decimal, str)
_converter.register_structure_hook(Decimal, lambda value, _: Decimal(value))
_converter.register_unstructure_hook(Money, lambda value: value.cents)
_converter.register_structure_hook(Money, lambda value, _: Money(value))


def encode(value: Any) -> Any:
    """A frozen value, or plain containers of such, as JSON."""
    return _converter.unstructure(value)


def decode_known(stored: Any, kind: Any) -> Any:
    """A large frozen value that is read again and again (what a call asks): the same JSON gives the very same value."""
    return _known(json.dumps(stored), kind)


def decode_text(text: str, kind: Any) -> Any:
    """The same from JSON that is still a text, as the database writes it."""
    return _known(text, kind)


@functools.lru_cache(maxsize=256)
def _known(text: str, kind: Any) -> Any:
    return _converter.structure(json.loads(text), kind)


def decode(stored: dict[str, Any] | None, kind: Any) -> Any:
    """What :func:`encode` made, as the type an act promised to return."""
    if stored is None or kind in (None, type(None)):
        return None
    return _converter.structure(stored["value"], kind)
