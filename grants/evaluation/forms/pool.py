"""Forms of the pool of evaluators."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

from wtforms import (
    BooleanField,
    FileField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Optional

from grants.calls.rules.expert_terms import TERMS_HEADINGS, TermsView
from grants.core import clock
from grants.core.errors import Invalid
from grants.evaluation.rules import (
    INVITATION_DAYS,
    POOL_LOAD_MAX,
    ROLES,
    TOPIC_LEVELS,
    AskInput,
    Employer,
    EvaluatorInput,
    PoolMember,
    checked_ask,
    checked_decline,
    checked_member,
    employer_words,
    read_employers,
    refuse_beyond_offer,
    refuse_unaccepted,
    refuse_undated,
)
from grants.evaluation.states import DeclineKind, Gender
from grants.identity.rules import checked_name, normal_email
from grants.web.forms import A_PARAGRAPH, CheckboxesField, ContestedForm, DateField, Needed, choices

TOPIC_CHOICES = choices((("0", "does not know it"), *((str(level), words) for level, words in TOPIC_LEVELS.items())))


class ProfileForm(ContestedForm):
    """What an evaluator knows and for whom they work; :func:`pool_form` gives it a field for each topic of the call."""

    country_code = StringField("Country", description="Two letters, for example FI.")
    town = StringField(
        "Town you work in",
        [Optional()],
        description="May stay empty. Some calls let nobody assess an application of the city they work in.",
    )
    languages = StringField(
        "Languages",
        description="Two letters each, and how well: reading, fluent or native. For example en native, fr reading. "
        "Without a word it is fluent.",
    )
    employers = TextAreaField(
        "Organisations, now and in the past",
        description="One a line with its first and last day: University of Turku (2019-09-01 to 2023-06-30). "
        "“2019 to now” will do. Nobody assesses an application of an organisation they left less than three years ago.",
    )
    load_max = IntegerField("Largest number of applications", default=10)
    load_target = IntegerField(
        "Number of applications aimed at",
        [Optional()],
        description="May stay empty. Where several choices are equally good for the applications, the one that comes nearest "
        "to this number is taken.",
    )
    available_from = DateField("Available from", [Optional()])
    available_until = DateField(
        "Available until", [Optional()], description="Nobody gets a seat whose assessment is due on a day outside."
    )
    topic_values: tuple[str, ...] = ()

    @property
    def known(self) -> tuple[tuple[str, int], ...]:
        """Each topic that is known, with how well."""
        levels = {str(level): level for level in TOPIC_LEVELS}
        # What is no level, by a form somebody made themselves, is told at its field and counts as nothing here.
        said = ((value, levels.get(self[f"topic_{value}"].data or "")) for value in self.topic_values)
        return tuple((value, level) for value, level in said if level)

    @property
    def language_list(self) -> tuple[str, ...]:
        """The languages as typed, one by one."""
        return tuple((self.languages.data or "").replace(";", ",").split(","))

    def said_of_employers(self) -> tuple[Employer, ...]:
        """The organisations; raises :class:`Invalid` with the line that is wrong."""
        try:
            return read_employers(self.employers.data or "")
        except Invalid as error:
            raise Invalid("An organisation cannot be read.", {"employers": str(error)}) from error

    def checks(self) -> Iterable[Callable[[], object]]:
        """The whole entry, and the organisations line by line."""
        yield self.said_of_employers
        yield lambda: checked_member(self.as_typed())

    def as_typed(self) -> EvaluatorInput:
        """Everything but the organisations as typed; a number that cannot be read is told at its field alone."""
        most = self.load_max.data
        return EvaluatorInput(
            UUID(int=0), self.country_code.data or "", self.language_list, tuple(value for value, _ in self.known),
            0, POOL_LOAD_MAX if most is None else most, topic_levels=self.known,
            available=(self.available_from.data, self.available_until.data), load_target=self.load_target.data,
            town=self.town.data or "",
        )  # fmt: skip

    @property
    def topics(self) -> tuple[Any, ...]:
        """The field of each topic."""
        return tuple(self[f"topic_{value}"] for value in self.topic_values)


class PoolForm(ProfileForm):
    """A person for the pool of a call, as the programme enters them."""

    person = SelectField("Person", [Needed("Choose a person.")])
    town = StringField(
        "Town they work in",
        [Optional()],
        description="May stay empty. Some calls let nobody assess an application of the city they work in.",
    )
    roles = CheckboxesField("Roles")
    load_min = IntegerField("Least number of applications", default=0)

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
        self.employers.data = member.employer_text
        self.available_from.data, self.available_until.data = member.available_from, member.available_until
        self.load_target.data, self.town.data = member.load_target, member.town
        self.load_min.data, self.load_max.data, self.version.data = (
            member.load_min,
            member.load_max,
            str(member.version),
        )
        return self

    def as_typed(self) -> EvaluatorInput:
        """The same with the least number and the roles."""
        return replace(super().as_typed(), load_min=self.load_min.data or 0, roles=tuple(self.roles.data or ()))

    def to_input(self) -> EvaluatorInput:
        """The frozen input; raises :class:`Invalid` where an organisation cannot be read."""
        return replace(self.as_typed(), user_id=UUID(self.person.data), employers=self.said_of_employers())


class OwnProfileForm(ProfileForm):
    """What an evaluator says of themselves."""

    gender = RadioField(
        "Gender",
        choices=choices((each.value, each.words) for each in Gender),
        default=Gender.UNSAID.value,
        description="You need not say. It is for one rule that a call may have: at least one woman and one man among the "
        "evaluators of each application, counting those who said so. Only you and whoever manages the pool of this call see "
        "it; it is in no list for anybody else. A run of the assignment that counts it keeps what it counted.",
    )

    def begun(self, entry: EvaluatorInput) -> None:
        """Fill in what is known already."""
        levels, topics = dict(entry.language_levels), dict(entry.topic_levels)
        self.country_code.data, self.town.data = entry.country_code, entry.town
        self.languages.data = ", ".join(f"{one} {levels[one]}" if one in levels else one for one in entry.languages)
        for value in set(entry.topics) & set(self.topic_values):
            self[f"topic_{value}"].data = str(topics.get(value, len(TOPIC_LEVELS)))
        self.employers.data, self.load_max.data = employer_words(entry.employers or ()), entry.load_max
        self.available_from.data, self.available_until.data = entry.available
        self.load_target.data, self.gender.data = entry.load_target, (entry.gender or Gender.UNSAID).value

    def as_typed(self) -> EvaluatorInput:
        """The same with what only the person says of themselves; a choice there is not is told at its field."""
        said = Gender(self.gender.data) if self.gender.data in set(Gender) else Gender.UNSAID
        return replace(super().as_typed(), gender=said)

    def to_input(self) -> EvaluatorInput:
        """The frozen input; who it is and what was offered the act knows."""
        return replace(self.as_typed(), employers=self.said_of_employers())


class AnswerForm(OwnProfileForm):
    """The invited person says what they know, and accepts the words of the call with it."""

    terms = HiddenField()
    contract = BooleanField("I accept the contract.")
    confidentiality = BooleanField("I accept the declaration of confidentiality.")
    offered = POOL_LOAD_MAX
    words: TermsView | None = None

    def ticked(self) -> frozenset[str]:
        """Which parts are accepted."""
        return frozenset(name for name in ("contract", "confidentiality") if self[name].data)

    def number(self) -> int | None:
        """The version of the words the form carried."""
        return read_number(self.terms.data)

    def asked(self, offered: int, shown: TermsView | None) -> None:
        """How many applications are offered at most, and the words that stand."""
        self.offered, self.words = offered, shown

    def checks(self) -> Iterable[Callable[[], object]]:
        """The entry, no more than was offered, and both parts of the words."""
        yield from super().checks()
        yield self._look_at_employers
        yield self._look_at_days
        yield lambda: refuse_beyond_offer(self.load_max.data or 0, self.offered)
        # Of words that were published meanwhile the act tells.
        if self.words is not None and self.number() == self.words.number:
            words = self.words
            yield lambda: refuse_unaccepted(words, words.number, self.ticked(), frozenset(TERMS_HEADINGS))

    def _look_at_employers(self) -> None:
        """Whoever joins says for whom they worked from when until when."""
        if not self.employers.errors:
            refuse_undated(self.said_of_employers())

    def _look_at_days(self) -> None:
        """Whoever joins is there on some day to come; the day is told as it was read."""
        last = self.available_until.data
        if last is not None and last < clock.today():
            said = f"{clock.long_date(last)} is over, and nobody gets a seat after it. Enter a later day, or none."
            raise Invalid("A day is over.", {"available_until": said})


class TermsForm(ContestedForm):
    """The words of a call, accepted."""

    terms = HiddenField()
    contract = BooleanField("I accept the contract.")
    confidentiality = BooleanField("I accept the declaration of confidentiality.")

    def ticked(self) -> frozenset[str]:
        """Which parts are accepted."""
        return frozenset(name for name in ("contract", "confidentiality") if self[name].data)

    def number(self) -> int | None:
        """The version of the words the form carried."""
        return read_number(self.terms.data)


class DeclineForm(ContestedForm):
    """A no to an invitation: why, in one choice, and in words where one wants to say more."""

    kind = RadioField(
        "Why you decline",
        choices=choices((each.value, each.words) for each in DeclineKind),
        validators=[Needed("Choose why.")],
    )
    words = TextAreaField(
        "In your own words", [Optional()], description="The programme reads it. Needed for another reason."
    )

    def why(self) -> tuple[DeclineKind, str]:
        """What was chosen, and the words."""
        return DeclineKind(self.kind.data), self.words.data or ""

    def checks(self) -> Iterable[Callable[[], object]]:
        """Another reason is told in words."""
        if self.kind.data in set(DeclineKind):
            yield lambda: checked_decline(*self.why())


class WhyForm(ContestedForm):
    """A deed with its reason, on something that others may change meanwhile."""

    reason = TextAreaField("Reason", [Needed("Write the reason; it is kept on the record."), A_PARAGRAPH])


class InviteForm(ContestedForm):
    """Somebody who is asked into the pool."""

    email = StringField("E-mail address", [Needed("Enter the e-mail address.")])
    name = StringField(
        "Name", [Needed("Enter the name.")], description="As it stands in the mail. Who has an account keeps their own."
    )
    message = TextAreaField("Personal message", [Optional()], description="Stands in the mail and above the answer.")
    load_max = IntegerField("Largest number of applications", default=10)
    days = IntegerField("Days to answer", default=INVITATION_DAYS)
    roles = CheckboxesField("Roles")

    def checks(self) -> Iterable[Callable[[], object]]:
        """An address, a name, and what is offered within its limits."""
        yield lambda: normal_email(self.email.data or "")
        yield lambda: checked_name(self.name.data or "")
        yield lambda: checked_ask(self.to_input())

    def to_input(self) -> AskInput:
        """The frozen input; a number that cannot be read is told at its field alone."""
        days, most = self.days.data, self.load_max.data
        return AskInput(
            self.email.data or "", self.name.data or "", self.message.data or "",
            INVITATION_DAYS if days is None else days, POOL_LOAD_MAX if most is None else most,
            tuple(self.roles.data or ()),
        )  # fmt: skip


class EvaluatorsFileForm(ContestedForm):
    """A file of evaluators: looked at first."""

    file = FileField("File")


class EvaluatorsTakenForm(ContestedForm):
    """The same file again, seen and confirmed."""

    text = HiddenField()
    seal = HiddenField()


def read_number(text: str | None) -> int | None:
    """A version a form carried; None where it carried none, or nonsense."""
    given = text or ""
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 6 else None


Profile = TypeVar("Profile", bound=ProfileForm)


def profile_form(kind: type[Profile], topics: Sequence[tuple[str, str]]) -> Profile:
    """A form with a level for each topic."""
    fields: dict[str, Any] = {
        f"topic_{value}": SelectField(label, [Optional()], choices=TOPIC_CHOICES, default="0")
        for value, label in topics
    }
    fields["topic_values"] = tuple(value for value, _ in topics)
    form: Profile = type(f"Call{kind.__name__}", (kind,), fields)()
    return form


def pool_form(topics: Sequence[tuple[str, str]], roles: Iterable[str]) -> PoolForm:
    """The form with a level for each topic, and the usual roles with those a call asks for."""
    form = profile_form(PoolForm, topics)
    # As the call spells a role: the rule on the evaluators of one application asks for exactly that word.
    spelled = {role.casefold(): role for role in (*ROLES, *roles)}
    form.roles.choices = choices((role, role.capitalize()) for role in spelled.values())
    return form
