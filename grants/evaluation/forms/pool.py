"""Forms of the pool of evaluators."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from wtforms import IntegerField, SelectField, StringField

from grants.core.errors import Invalid
from grants.evaluation.rules import (
    EvaluatorInput,
    PoolMember,
)
from grants.web.forms import CheckboxesField, ContestedForm, Needed, choices


class PoolForm(ContestedForm):
    """A person for the pool of a call."""

    person = SelectField("Person", [Needed("Choose a person.")])
    country_code = StringField("Country", description="Two letters, for example FI.")
    languages = StringField("Languages", description="Two letters each, for example en, fr.")
    topics = CheckboxesField("Topics they know")
    load_min = IntegerField("Least number of applications", default=0)
    load_max = IntegerField("Largest number of applications", default=10)

    def with_choices(self, people: Sequence[tuple[UUID, str]], topics: Sequence[tuple[str, str]]) -> PoolForm:
        """The same form with its people and topics."""
        self.person.choices = choices((str(user_id), name) for user_id, name in people)
        self.topics.choices = choices(topics)
        return self

    def filled(self, member: PoolMember) -> PoolForm:
        """The same form with what is stored about a member."""
        self.person.data, self.country_code.data = str(member.user_id), member.country_code
        self.languages.data, self.topics.data = ", ".join(member.languages), list(member.topics)
        self.load_min.data, self.load_max.data, self.version.data = (
            member.load_min,
            member.load_max,
            str(member.version),
        )
        return self

    def to_input(self) -> EvaluatorInput:
        """The frozen input; raises :class:`Invalid` where a number is missing."""
        if self.load_min.data is None or self.load_max.data is None:
            raise Invalid("The loads are missing.", {"load_max": "Enter both numbers of applications."})
        languages = tuple((self.languages.data or "").replace(";", ",").split(","))
        return EvaluatorInput(
            UUID(self.person.data),
            self.country_code.data or "",
            languages,
            tuple(self.topics.data or ()),
            self.load_min.data,
            self.load_max.data,
        )
