"""Opening a gate of the program for a moment: the proof that a walk notices when one of them shuts nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest


@contextmanager
def opened(gate: Callable[..., Any], answer: Callable[..., Any]) -> Iterator[None]:
    """Inside, a gate answers so wherever it is asked: under each name it has, and where it was handed in."""
    # A statement that every request asks was put together once, from the gates there were.
    statements = [found for module in _modules("grants.identity.queries") for found in vars(module).values()]
    kept = [found for found in statements if hasattr(found, "cache_clear")]
    with pytest.MonkeyPatch.context() as patch:
        for module in _modules("grants"):
            for name, found in list(vars(module).items()):
                if found is gate:
                    patch.setattr(module, name, answer)
                elif isinstance(found, list) and any(each is gate for each in found):
                    patch.setattr(module, name, [answer])
        for found in kept:
            found.cache_clear()
        yield
    for found in kept:
        found.cache_clear()


def _modules(package: str) -> list[ModuleType]:
    return [module for name, module in list(sys.modules.items()) if name.startswith(f"{package}.")]
