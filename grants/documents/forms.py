"""What a person asks a statement for, and what the list of statements is narrowed to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from flask import request
from wtforms import RadioField, SelectField, StringField

from grants.core import clock
from grants.core.errors import Invalid
from grants.documents.rules import RunFilter, RunState, Wanted, read_moment
from grants.web.choosing import chosen
from grants.web.forms import DateField, Form, Needed

_AS_PROGRAMS_WRITE = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]")


class StatementForm(Form):
    """Which statement, about what, as known when, of which days.

    ``chosen`` is one of the suggestions that a text nobody could mean exactly came back with.
    """

    name = SelectField("Statement", validators=[Needed("Choose a statement.")])
    scope = StringField("Call, grant or programme")
    chosen = RadioField("Which of these?", validate_choice=False)
    from_on = DateField("From (optional)")
    before_on = DateField("Before (optional)")
    as_of = StringField("As known at (optional)")

    def to_input(self) -> Wanted:
        """The typed wish; raises Invalid for a moment that cannot be read."""
        typed = (self.as_of.data or "").strip()
        about = str(self.chosen.data or "") or str(self.scope.data or "").strip()
        return Wanted(str(self.name.data), about, _moment(typed), self.from_on.data, self.before_on.data)


def _moment(typed: str) -> datetime | None:
    """Nothing and today mean now; a day means its end in Brussels; a moment as programs write it is read too."""
    if not typed:
        return None
    if _AS_PROGRAMS_WRITE.match(typed):
        return read_moment(typed)
    try:
        ends = clock.end_of_day(clock.read_date(typed))
    except Invalid as error:
        raise Invalid(str(error), {"as_of": str(error)}) from error
    return None if clock.in_zone(ends).date() == clock.today() else ends


ASKED_BY_WORDS = {"0": "Everybody", "1": "Me"}


def filter_of(titles: Mapping[str, str], problems: list[str]) -> RunFilter:
    """What the address narrows the list to; what is not there is added to the problems."""
    states = {state.value: state for state in RunState}
    labels = {state.value: state.label for state in RunState}
    return RunFilter(
        name=chosen("statement", "statement", {name: name for name in titles}, problems, words=titles) or "",
        state=chosen("state", "state", states, problems, words=labels),
        scope=request.args.get("q", ""),
        mine=chosen("mine", "choice", {"0": False, "1": True}, problems, words=ASKED_BY_WORDS, where="under “Asked by”")
        or False,
    )
