"""The first line of a table that somebody brings back: which columns it names."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from grants.core.errors import Invalid, quoted


def columns_of(
    table: Sequence[Sequence[str]], known: Sequence[str], needed: Collection[str], beside: Collection[str] = ()
) -> tuple[str, ...]:
    """The columns of a table in order; raises :class:`Invalid` for one that is unknown, missing or there twice.

    ``beside`` are such as may stand there and nobody reads.
    """
    head = [cell.strip().casefold() for cell in table[0]] if table else []
    while head and not head[-1]:
        head.pop()
    missing = [name for name in needed if name not in head]
    unknown = [name for name in head if name not in known and name not in beside]
    if missing or unknown or len(set(head)) != len(head):
        wrong = f" {quoted(unknown[0])} is none of them." if unknown else ""
        wrong += f" {', '.join(missing)} must be there." if missing else ""
        wrong += " One stands twice." if len(set(head)) != len(head) else ""
        raise Invalid(f"The first line names the columns, of these: {', '.join(known)}.{wrong}")
    return tuple(head)
