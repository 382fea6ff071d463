"""Forms of the pool of evaluators."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from wtforms import IntegerField, SelectField, StringField
from wtforms.validators import Optional

from grants.core.errors import Invalid
from grants.evaluation.rules import (
    ROLES,
    TOPIC_LEVELS,
    EvaluatorInput,
    PoolMember,
)
from grants.web.forms import CheckboxesField, ContestedForm, DateField, Needed, choices

TOPIC_CHOICES = choices((("0", "does not know it"), *((str(level), words) for level, words in TOPIC_LEVELS.items())))


class PoolForm(ContestedForm):
    """A person for the pool of a call; :func:`pool_form` gives it a field for each topic of the call."""

    person = SelectField("Person", [Needed("Choose a person.")])
    country_code = StringField("Country", description="Two letters, for example FI.")
    languages = StringField(
        "Languages",
        description="Two letters each, and how well: reading, fluent or native. For example en native, fr reading. "
        "Without a word it is fluent.",
    )
    roles = CheckboxesField("Roles")
    load_min = IntegerField("Least number of applications", default=0)
    load_max = IntegerField("Largest number of applications", default=10)
    available_from = DateField("Available from", description="May stay empty.")
    available_until = DateField(
        "Available until", description="May stay empty. Nobody gets a seat whose assessment is due on a day outside."
    )
    topic_values: tuple[str, ...] = ()

    @property
    def topics(self) -> tuple[Any, ...]:
        """The field of each topic."""
        return tuple(self[f"topic_{value}"] for value in self.topic_values)

    def with_people(self, people: Sequence[tuple[UUID, str]]) -> PoolForm:
        """The same form with the people to choose from."""
        self.person.choices = choices((str(user_id), name) for user_id, name in people)
        return self

    def filled(self, member: PoolMember) -> PoolForm:
        """The same form with what is stored about a member."""
        self.person.data, self.country_code.data = str(member.user_id), member.country_code
        self.languages.data, self.roles.data = member.language_words, list(member.roles)
        for value in set(member.topics) & set(self.topic_values):
            self[f"topic_{value}"].data = str(member.level_of(value))
        self.available_from.data, self.available_until.data = member.available_from, member.available_until
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
        levels = [(value, int(self[f"topic_{value}"].data or 0)) for value in self.topic_values]
        known = tuple((value, level) for value, level in levels if level)
        return EvaluatorInput(
            UUID(self.person.data),
            self.country_code.data or "",
            tuple((self.languages.data or "").replace(";", ",").split(",")),
            tuple(value for value, _ in known),
            self.load_min.data,
            self.load_max.data,
            topic_levels=known,
            roles=tuple(self.roles.data or ()),
            available=(self.available_from.data, self.available_until.data),
        )


def pool_form(topics: Sequence[tuple[str, str]], roles: Iterable[str]) -> PoolForm:
    """The form with a level for each topic, and the usual roles with those a call asks for."""
    fields: dict[str, Any] = {
        f"topic_{value}": SelectField(label, [Optional()], choices=TOPIC_CHOICES, default="0")
        for value, label in topics
    }
    fields["topic_values"] = tuple(value for value, _ in topics)
    form: PoolForm = type("CallPoolForm", (PoolForm,), fields)()
    # As the call spells a role: the rule on the evaluators of one application asks for exactly that word.
    spelled = {role.casefold(): role for role in (*ROLES, *roles)}
    form.roles.choices = choices((role, role.capitalize()) for role in spelled.values())
    return form
