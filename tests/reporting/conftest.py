"""Browsers of these tests send the keys of their forms."""

from __future__ import annotations

from tests.keyed import keys_in_forms

__all__ = ["keys_in_forms"]
