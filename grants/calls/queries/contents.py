"""The values of a call as they are kept in its row, read from their text: also for the statement of another stage.

The text is asked for again each time; what is made of it is kept in this process while it is the same (decision 0020): to
make it anew costs more than to read it.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy import ColumnElement, Text, cast

from grants.calls import rules
from grants.calls.models import Call


def content_column() -> ColumnElement[str]:
    """The values of the call of a row, for a statement that joins it: what :func:`content_read` takes."""
    return cast(Call.content, Text)


def content_read(stored: str) -> rules.CallContent:
    """The content of a call from the text that was just read of it."""
    return values_read(stored)[1]


@functools.lru_cache(maxsize=16)
def values_read(stored: str) -> tuple[Mapping[str, rules.Sourced], rules.CallContent, tuple[rules.Fact, ...]]:
    """The values of a call from the JSON of its column, its content and its facts: a published call hardly changes."""
    fields = rules.from_json(json.loads(stored))
    return MappingProxyType(fields), rules.content_of(fields), rules.facts_of(fields)
