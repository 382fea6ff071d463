"""What a person asks a statement for."""

from __future__ import annotations

import re
from datetime import datetime

from wtforms import SelectField, StringField

from grants.core import clock
from grants.core.errors import Invalid
from grants.documents.rules import Wanted, read_moment
from grants.web.forms import Form, Needed

_AS_PROGRAMS_WRITE = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]")


class StatementForm(Form):
    """Which statement, about which call, as known when."""

    name = SelectField("Statement", validators=[Needed("Choose a statement.")])
    scope = SelectField("Call", validators=[Needed("Choose a call.")])
    as_of = StringField("As known at (optional)")

    def to_input(self) -> Wanted:
        """The typed wish; raises Invalid for a moment that cannot be read."""
        return Wanted(str(self.name.data), str(self.scope.data), _moment((self.as_of.data or "").strip()))


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
    return None if clock.in_zone(ends).date() == clock.in_zone(clock.now()).date() else ends
