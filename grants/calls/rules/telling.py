"""What changed in a call, told once for each thing that changed: a question of which two things differ is one line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from grants.calls.rules.changes import Change, ChangeKind

_WHOLE = {ChangeKind.ADDED: "new", ChangeKind.REMOVED: "no longer asked", ChangeKind.MOVED: "moved"}
_PART = {ChangeKind.ADDED: "new", ChangeKind.REMOVED: "taken out", ChangeKind.MOVED: "changed"}


@dataclass(frozen=True, slots=True)
class ToldChange:
    """A question, a section or another thing of a call, and all that happened to it; ``change`` leads to its place."""

    what: str
    happened: tuple[str, ...]
    change: Change


def told_once(changes: Iterable[Change]) -> tuple[ToldChange, ...]:
    """The lines of one or several change tables, oldest first, put together by what they are about.

    >>> both = [Change("f", "Question 1 “Why”, " + name, ChangeKind.CHANGED, question="why") for name in ("wording", "hint")]
    >>> [(each.what, each.happened) for each in told_once(both)]
    [('Question 1 “Why”', ('wording changed', 'hint changed'))]
    """
    found: dict[tuple[str, str], ToldChange] = {}
    for change in changes:
        what, detail = _parted(change.what)
        word = _PART.get(change.kind, "changed") if detail else _WHOLE.get(change.kind, "changed")
        said = f"{detail} {word}" if detail else word
        about = (change.path, f"question {change.question}" if change.question else what)
        before = found.get(about)
        happened = before.happened if before else ()
        found[about] = ToldChange(what, happened if said in happened else (*happened, said), change)
    return tuple(found.values())


def _parted(what: str) -> tuple[str, str]:
    """The thing, and what of it; a thing is known by the words in its quotation marks."""
    name, mark, detail = what.rpartition("”, ")
    return (f"{name}”", detail) if mark else (what, "")
