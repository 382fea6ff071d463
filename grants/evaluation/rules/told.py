"""The sentences of a run of the assignment, kept with the applications they name, and told to whom those are open. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

# What a run keeps the ids of the applications under that stayed as they were, since they were shut to who asked for it.
SHUT_TO_WHO_ASKED = "left_out"
LEFT_OUT = "What concerns an application in which you have a conflict of interest is left out."
_QUOTED = re.compile("“([^”]*)”")


@dataclass(frozen=True)
class ShutTitles:
    """Of a call: ids and titles of the applications shut to a person, and every title."""

    ids: frozenset[str]
    titles: frozenset[str]
    every: frozenset[str]

    def names(self, sentence: str | Mapping[str, Any]) -> bool:
        """Whether a kept sentence names one that is shut.

        Runs of before the ids were kept have the words alone. There the title counts in its quotation marks; and words in
        such marks that are no title of today may be one of before, so they are kept from whoever has a conflict at all.
        """
        if not isinstance(sentence, str):
            return not self.ids.isdisjoint(sentence["applications"])
        if not self.ids:
            return False
        quoted = set(_QUOTED.findall(sentence))
        return any(f"“{title}”" in sentence for title in self.titles) or not quoted <= self.every

    def hangs_on(self, sentence: str | Mapping[str, Any]) -> bool:
        """Whether a kept sentence of a run over one that is shut may say what it does because of who sits there.

        It does not where it was kept as one of an application by itself: how many may take that is the same without others. Who
        is full, whose limits to change, whose seat to release, which rule to set aside and what is missing in all is counted
        over every seat. Sentences of before that was kept are taken for such where they begin with the one open title they
        quote: who is named in one comes before it.
        """
        if not isinstance(sentence, str) and "alone" in sentence:
            return not sentence["alone"]
        text = sentence if isinstance(sentence, str) else str(sentence["text"])
        quoted = _QUOTED.findall(text)
        return (
            len(quoted) != 1
            or quoted[0] not in self.every - self.titles
            or text.count("“") != 1
            or not text.startswith("“")
        )


def kept_of_run(
    sentences: Sequence[str], titles: Mapping[UUID, str], alone: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Sentences as they are kept, each with the applications it names, and whether it is of one application by itself.

    >>> kept_of_run(["“Roof” needs 2."], {UUID(int=1): "Roof", UUID(int=2): "Roof by Roof"})[0]["applications"]
    ['00000000-0000-0000-0000-000000000001']
    """
    return [
        {
            "text": one,
            "applications": sorted(str(key) for key, title in titles.items() if f"“{title}”" in one),
            "alone": one in alone,
        }
        for one in sentences
    ]


def told_of_run(
    sentences: Sequence[str | Mapping[str, Any]], shut: ShutTitles, left_out: Collection[str] = ()
) -> tuple[str, ...]:
    """Sentences of a run, but for what would tell who reads them of an application shut to them; that is said.

    ``left_out`` are the applications the run was made without: what was worked out over none that is shut is told whole.

    >>> said = ["“Roof” needs 2.", "“Roof by Roof” needs 1.", "1 seat too few."]
    >>> kept = kept_of_run(said, {UUID(int=1): "Roof"}, said[:2])
    >>> shut = ShutTitles(frozenset([str(UUID(int=1))]), frozenset(["Roof"]), frozenset(["Roof", "Roof by Roof"]))
    >>> told_of_run(kept, shut)[0], len(told_of_run(kept, shut)), len(told_of_run(kept[1:], shut, shut.ids))
    ('“Roof by Roof” needs 1.', 2, 2)
    """
    covers = not shut.ids <= set(left_out)
    told = tuple(
        one if isinstance(one, str) else str(one["text"])
        for one in sentences
        if not shut.names(one) and not (covers and shut.hangs_on(one))
    )
    return told if len(told) == len(sentences) else (*told, LEFT_OUT)
