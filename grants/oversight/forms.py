"""The form of the one page of oversight that asks for words: why a job is cancelled."""

from __future__ import annotations

from wtforms import StringField
from wtforms.validators import InputRequired, Length

from grants.web.forms import Form


class CancelJobForm(Form):
    """Why this job is given up; kept on the record."""

    reason = StringField("Why is it cancelled?", validators=[InputRequired(), Length(max=500)])
