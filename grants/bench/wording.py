"""Addresses in turn, and words that no other sending has."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence


def in_turn(path: str, refs: Sequence[str]) -> Callable[[int], str]:
    """The address of another thing each time, from the first again after the last."""
    return lambda number: path.format(refs[number % len(refs)])


def new_words(number: int) -> str:
    """Words no other sending has: what an earlier one left can never pass for them."""
    return f"Measured {number}, {secrets.token_hex(6)}. {REASON}".strip()


REASON = "The plan names who does what by when, and the budget follows from it. " * 4
