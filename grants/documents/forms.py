"""What a person asks a statement for."""

from __future__ import annotations

from wtforms import SelectField, StringField

from grants.documents.rules import Wanted, read_moment
from grants.web.forms import Form, Needed


class StatementForm(Form):
    """Which statement, about which call, as known when."""

    name = SelectField("Statement", validators=[Needed("Choose a statement.")])
    scope = SelectField("Call", validators=[Needed("Choose a call.")])
    as_of = StringField("As known at (optional)")

    def to_input(self) -> Wanted:
        """The typed wish; raises Invalid for a moment that cannot be read."""
        typed = (self.as_of.data or "").strip()
        return Wanted(str(self.name.data), str(self.scope.data), read_moment(typed) if typed else None)
