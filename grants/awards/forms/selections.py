"""Forms of awards: the decision on a ranked list, its confirmation, its return, the publication of results."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, ClassVar

from wtforms import HiddenField, RadioField, TextAreaField
from wtforms.validators import Optional

from grants.awards.rules import DecisionInput, Override, departing_words, read_overrides
from grants.awards.states import LineRule
from grants.calls.rules import CallContent, CallView, ResultsInput
from grants.core import clock
from grants.core.clock import Fold
from grants.core.errors import Invalid
from grants.web.forms import A_PAGE, A_PARAGRAPH, CharactersMax, ContestedForm, DateField, Needed, TimeField, choices

LINE_WORDS = {
    LineRule.STOP: "Stop at the first application that asks for more than is left",
    LineRule.SKIP: "Go on and fund what still fits",
}


DESPITE = "Why is it decided although complaints about eligibility are open?"

ORDER_REASON = "Why is the order of ties another than in the panel’s signed minutes?"

REDRAWN = "Why is it decided by these rules after a draw was refused?"


class DecisionForm(ContestedForm):
    """What the person who decides chooses; ``list_hash`` is the list on the page."""

    list_hash = HiddenField()
    panel_order = TextAreaField(
        "The order of applications that stay tied",
        [CharactersMax(100_000)],
        description="One reference a line, the first first. It begins as the panel’s signed minutes have it; where the "
        "call’s rules leave no tie it changes nothing.",
    )
    order_reason = TextAreaField(
        ORDER_REASON,
        [Optional(), A_PARAGRAPH],
        description="Needed only where you change it, or where no signed minutes say one. Whoever confirms reads it, and "
        "the minute of the decision has it.",
    )
    overrides = TextAreaField("Recommended amounts and conditions", [Optional(), CharactersMax(100_000)])
    reason = TextAreaField(
        "Reason or note of the panel", [Needed("Write why the list is decided as it stands."), A_PAGE]
    )

    despite = TextAreaField(DESPITE, [Optional(), A_PARAGRAPH])
    redrawn = TextAreaField(REDRAWN, [Optional(), A_PARAGRAPH])

    def now_of(self, list_hash: str) -> None:
        """The next sending is a new deed, in sight of the list that is on the page now."""
        self.list_hash.data, self.list_hash.raw_data = list_hash, [list_hash]
        self.act_key.data, self.act_key.raw_data = secrets.token_urlsafe(18), None

    def by_rules(self, call: CallContent) -> None:
        """Ask only for what this call lets be recommended otherwise."""
        label, self.overrides.description = departing_words(call.selection, call.draw is not None)
        self.overrides.label.text = label

    def order(self) -> tuple[str, ...]:
        """The references of tied applications in the order they shall stand."""
        return tuple(line.strip() for line in (self.panel_order.data or "").splitlines() if line.strip())

    def departing(self) -> tuple[Override, ...]:
        """The recommended amounts and conditions, for a look at the list; what cannot be read is told at the field."""
        try:
            return self._departures()
        except Invalid as error:
            self.add_problem(error)
            return ()

    def _departures(self) -> tuple[Override, ...]:
        return read_overrides(self.overrides.data or "")

    def checks(self) -> Iterable[Callable[[], object]]:
        """Every field against its limits, and departures that can be read."""
        typed = DecisionInput("", self.reason.data or "", self.order())
        yield typed.checked
        yield self._departures

    def to_input(self) -> DecisionInput:
        """The frozen input; raises :class:`Invalid` where the recommended amounts cannot be read."""
        return DecisionInput(
            self.list_hash.data or "", self.reason.data or "", self.order(),
            despite=self.despite.data or "", redrawn=self.redrawn.data or "", overrides=self._departures(),
            order_reason=self.order_reason.data or "",
        )  # fmt: skip


class ConfirmForm(ContestedForm):
    """The second person confirms."""


class ConfirmListForm(ConfirmForm):
    """The same for a list, which does not wait for complaints about eligibility where somebody says why."""

    despite = TextAreaField(
        "Why is it confirmed although complaints about eligibility are open?", [Optional(), A_PARAGRAPH]
    )


class ReturnForm(ContestedForm):
    """The second person gives the list back."""

    reason = TextAreaField(
        "What must be different", [Needed("Write what must be different before it is confirmed."), A_PARAGRAPH]
    )


class PublishForm(ContestedForm):
    """From when the results are public: at once, or from a day and time on the clock of the call."""

    stands_at: ClassVar = {"local": "day"}

    when = RadioField(
        "From when",
        choices=choices([("now", "At once"), ("later", "From a later day and time")]),
        validators=[Needed("Choose from when the results are public.")],
    )
    day = DateField("Day")
    time = TimeField("Time")
    fold = RadioField(
        "If the clocks go back that night and this time comes twice",
        choices=choices(
            [("", "It does not"), (Fold.EARLIER.value, "The first one"), (Fold.LATER.value, "The second one")]
        ),
        default="",
    )

    without_letters = TextAreaField(
        "Why the results are published without every letter",
        [Optional(), A_PARAGRAPH],
        description="Only where somebody has no letter of decision that was sent.",
    )

    def checks(self) -> Iterable[Callable[[], object]]:
        """A later moment is a day and a time."""
        if self.when.data == "later":
            yield self.to_input

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Where “At once” is chosen, what stands in the other fields is not read."""
        if self.when.data == "now":
            for field in (self.day, self.time, self.fold):
                field.process(None, "" if field is self.fold else None)
        return bool(super().validate(*args, **kwargs))

    def to_input(self) -> ResultsInput:
        """The moment as its frozen value; raises :class:`Invalid` where a later one is not complete."""
        if self.when.data == "now":
            return ResultsInput()
        if self.day.data is None or self.time.data is None:
            wrong = {
                "day": "" if self.day.data else "Enter the day, for example 1 March 2023, or choose “At once”.",
                "time": "" if self.time.data else "Enter the time on the 24-hour clock, for example 9:00.",
            }
            raise Invalid("The moment is not complete.", {name: words for name, words in wrong.items() if words})
        fold = Fold(self.fold.data) if self.fold.data in {Fold.EARLIER.value, Fold.LATER.value} else None
        return ResultsInput(datetime.combine(self.day.data, self.time.data), fold)

    @classmethod
    def of(cls, call: CallView) -> PublishForm:
        """The form with what stands."""
        if call.results_public_at is None:
            return cls(version=str(call.version))
        stands = clock.in_zone(call.results_public_at, call.zone)
        return cls(version=str(call.version), when="later", day=stands.date(), time=stands.time())
