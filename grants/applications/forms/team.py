"""Forms about who works on an application: partners, people, roles, another lead."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from wtforms import HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional

from grants.applications.forms.deeds import DeedForm, uuid_of
from grants.applications.rules import DUTIES, MEMBER_ROLES, NOBODY, TITLES, InviteInput, PersonInput
from grants.calls.rules import ORGANISATION_WORDS
from grants.identity.rules import OrganisationInput, Person
from grants.identity.states import OrganisationKind, Role
from grants.web.forms import CheckboxesField, Form, Needed, choices

PARTNER_KINDS = tuple(kind for kind in OrganisationKind if kind is not OrganisationKind.PROGRAMME)

KINDS = choices([(kind.value, ORGANISATION_WORDS.get(kind.value, kind.value).capitalize()) for kind in PARTNER_KINDS])


class InviteForm(Form):
    """Whom to invite, for a known organisation or a new one."""

    name = StringField("Name of the person", [Needed("Enter the name of the person who speaks for the partner.")])
    email = StringField(
        "Mail address",
        [Needed("Enter the mail address the invitation goes to.")],
        render_kw={"autocomplete": "off", "inputmode": "email"},
    )
    organisation_id = SelectField(
        "Organisation", validate_choice=False, description="Choose it here if it is in the list."
    )
    new_name = StringField("Official name of the organisation", [Optional()])
    kind = SelectField(
        "What it is",
        choices=choices((kind.value, kind.value.capitalize()) for kind in PARTNER_KINDS),
        validate_choice=False,
    )
    country_code = StringField("Country", [Optional()], description="Two letters, for example PL.")
    pic = StringField("PIC", [Optional()], description="The nine-digit EU participant number, if there is one.")
    sections = CheckboxesField(
        "Which sections do you ask of this person?",
        validators=[Optional()],
        validate_choice=False,
        description="The mail leads to each of them. You can change it at any time.",
    )

    def to_input(self) -> InviteInput:
        """What was typed: a chosen organisation, or a new one where a name was typed."""
        new = (self.new_name.data or "").strip()
        return InviteInput(
            email=self.email.data or "",
            name=self.name.data or "",
            organisation_id=uuid_of(self.organisation_id.data),
            organisation=self._described(new) if new else None,
            sections=tuple(self.sections.data or ()),
        )

    def _described(self, name: str) -> OrganisationInput:
        kinds = {kind.value: kind for kind in PARTNER_KINDS}
        return OrganisationInput(
            name=name,
            kind=kinds.get(str(self.kind.data), OrganisationKind.MUNICIPALITY),
            country_code=(self.country_code.data or "").strip().upper(),
            pic=(self.pic.data or "").replace(" ", "") or None,
        )


class PersonForm(Form):
    """Whom to invite into the team, as what."""

    name = StringField("Name of the person", [Needed("Enter the name of the person.")], id="person-name")
    email = StringField(
        "Mail address",
        [Needed("Enter the mail address the invitation goes to.")],
        render_kw={"autocomplete": "off", "inputmode": "email"},
        id="person-email",
    )
    role = RadioField(
        "What do they do?",
        choices=choices((role.value, f"{TITLES[role]}: {DUTIES[role]}") for role in MEMBER_ROLES),
        validate_choice=False,
        default=MEMBER_ROLES[0].value,
        id="person-role",
    )
    sections = CheckboxesField(
        "Which sections do you ask of an editor?",
        validators=[Optional()],
        validate_choice=False,
        description="The mail leads to each of them.",
        id="person-sections",
    )

    def to_input(self) -> PersonInput:
        """What was typed; a role nobody may be given is refused by the act."""
        return PersonInput(
            self.email.data or "", self.name.data or "", chosen_role(self.role.data), tuple(self.sections.data or ())
        )


def chosen_role(value: object) -> Role:
    """The role of that name; for any other the lead's, which nobody is given."""
    return next((role for role in MEMBER_ROLES if role.value == value), Role.APPLICATION_LEAD)


class AskForm(DeedForm):
    """Of whom a section is asked; nothing chosen is nobody in particular."""

    person = SelectField("Who writes it?", validate_choice=False)
    # Of whom it was asked when the page was made; empty: of nobody in particular.
    seen = HiddenField()

    def seen_id(self) -> UUID | None:
        """Of whom the page said it was asked, ``NOBODY`` for nobody in particular; None where the form did not say."""
        if not self.seen.raw_data:
            return None
        return uuid_of(self.seen.data) or NOBODY

    def person_id(self) -> UUID | None:
        """The person chosen."""
        return uuid_of(self.person.data)


class RoleForm(DeedForm):
    """Another role for one person."""

    role = SelectField(
        "Role", choices=choices((role.value, TITLES[role]) for role in MEMBER_ROLES), validate_choice=False
    )


class TakeoverForm(Form):
    """Who should lead instead, and why."""

    person = RadioField("Who should lead", choices=[], validators=[Needed("Choose one of the people.")])
    reason = TextAreaField("Why", [Needed("Say what you know of the lead, and why this person follows.")])

    def among(self, people: Sequence[Person]) -> TakeoverForm:
        """The form with the people who could lead."""
        self.person.choices = choices((str(each.id), each.name) for each in people)
        return self


class TakeoverRefusalForm(DeedForm):
    """Why somebody does not lead."""

    reason = StringField("Why not")
