"""What a process of the site may keep between requests (decision 0020): what follows from an answer just read or from a row
that never changes, and nothing that says who may read it. Kept with :func:`functools.lru_cache`, which forgets the oldest.
"""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class ByIdentity(Generic[T]):
    """What a result was made of, where the result is kept while it is the very same: comparing what it holds would take longer.

    >>> held = [1]
    >>> ByIdentity(held) == ByIdentity(held), ByIdentity(held) == ByIdentity([1])
    (True, False)
    """

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByIdentity) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)
