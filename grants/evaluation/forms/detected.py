"""The form that decides about several possible conflicts at once, each with its own reason or with one for all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from flask import request
from wtforms import RadioField, TextAreaField
from wtforms.validators import Optional

from grants.core.errors import Invalid
from grants.core.paging import ROWS_ON_A_PAGE_MAX
from grants.core.text import without_turns
from grants.evaluation.states import Ruling
from grants.web.forms import A_PARAGRAPH, VERSION_DIGITS_MAX, Form, Needed, choices


class DecideDetectedForm(Form):
    """One decision about every pair that is ticked."""

    ruling = RadioField(
        "What holds for all that are ticked",
        [Needed("Choose what you decide.")],
        choices=choices(
            (
                (Ruling.CONFIRMED.value, "There is a conflict: keep these people away from these applications"),
                (Ruling.CLEARED.value, "There is no conflict: dismiss what was found"),
            )
        ),
    )
    reason = TextAreaField(
        "One reason for all",
        [Optional(), A_PARAGRAPH],
        description="Counts for each that has no reason of its own in its row; it is kept on the record of each.",
    )

    # By the key of a pair, who and what it is about: people are told by name.
    names: Mapping[str, str] = MappingProxyType({})

    def named(self, key: str) -> str:
        """Who and what a row is about; one that stands here no more is told by its key."""
        return self.names.get(key, key)

    @property
    def picked(self) -> tuple[str, ...]:
        """The keys of the pairs that were ticked, each once."""
        return tuple(dict.fromkeys(request.form.getlist("pick")))

    def own_reason(self, key: str) -> str:
        """What was written in the row of a pair."""
        return without_turns(request.form.get(f"why {key}", "")).strip()

    def reason_of(self, key: str) -> str:
        """The reason that counts for a pair: its own before the one for all."""
        return self.own_reason(key) or (self.reason.data or "").strip()

    def version_of(self, key: str) -> int:
        """The version of a pair that its row carried; none of ours is equal to no version."""
        sent = request.form.get(f"was {key}", "")
        return int(sent) if sent.isascii() and sent.isdecimal() and len(sent) <= VERSION_DIGITS_MAX else -1

    def checks(self) -> Iterable[Callable[[], object]]:
        """Something is ticked, and each has a reason."""
        yield self._look_at_ticks
        yield self._look_at_reasons

    def _look_at_ticks(self) -> None:
        if not self.picked:
            raise Invalid("Tick at least one row. Nothing was decided.")
        if len(self.picked) > ROWS_ON_A_PAGE_MAX:
            raise Invalid(
                f"{len(self.picked)} rows were ticked; at most {ROWS_ON_A_PAGE_MAX} are decided at once. Nothing was decided. "
                "Take fewer."
            )

    def _look_at_reasons(self) -> None:
        bare = [key for key in self.picked if not self.reason_of(key)]
        if bare:
            raise Invalid(
                "A reason is missing.",
                {"reason": f"Write one reason for all here, or one in the row of: {'; '.join(map(self.named, bare))}."},
            )
        most = A_PARAGRAPH.characters_max
        long = [key for key in self.picked if len(self.own_reason(key)) > most]
        if long:
            raise Invalid(
                f"The reason in a row has at most {most} characters; shorten that of {'; '.join(map(self.named, long))}."
            )
