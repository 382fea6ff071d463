"""What people type on pages of oversight: why a job is cancelled, and what of the record they look for."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from wtforms import HiddenField, StringField
from wtforms.validators import InputRequired

from grants.oversight.rules import TrailFilter
from grants.web.choosing import day_asked
from grants.web.forms import CharactersMax, Form


class CancelJobForm(Form):
    """Why this job is cancelled; kept on the record."""

    reason = StringField("Why is it cancelled?", validators=[InputRequired(), CharactersMax(500)])


class ThingForm(Form):
    """A deed on one thing of a list."""

    thing = HiddenField()

    def thing_id(self) -> UUID:
        """The id of the thing meant; of nothing where what was sent is none."""
        try:
            return UUID(str(self.thing.data))
        except ValueError:
            return UUID(int=0)


def trail_filter(args: Mapping[str, str]) -> tuple[TrailFilter, dict[str, str]]:
    """The filters in the address of the record, and a sentence for each that cannot be read; those count as not asked."""
    problems: dict[str, str] = {}
    return (
        TrailFilter(
            person=args.get("person", "").strip()[:100],
            thing=args.get("about", "").strip()[:40],
            reference=args.get("ref", "").strip()[:40],
            from_on=day_asked(args, "from", problems),
            to_on=day_asked(args, "to", problems),
        ),
        problems,
    )
