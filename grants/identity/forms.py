"""Forms of identity; those that carry a password have no idempotency key, so that nothing of it is ever kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from typing import Self
from uuid import UUID

from wtforms import (
    EmailField,
    HiddenField,
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    TelField,
    TextAreaField,
    URLField,
)
from wtforms.validators import Optional

from grants.core import clock
from grants.identity.policy import ROLES_OF_A_CITY, ROLES_OF_AN_APPLICATION, WORDS, Role
from grants.identity.rules import (
    FACT_CHARACTERS_MAX,
    REASON_CHARACTERS_MAX,
    ColleagueInput,
    Fact,
    OrganisationInput,
    OrganisationView,
    ProfileInput,
    RoleInput,
    RolePlace,
    UserInput,
    ValidationInput,
)
from grants.identity.states import DoubleVerdict, OrganisationKind
from grants.web.forms import CharactersMax, CheckboxesField, DateField, Form, Needed, choices

_EMAIL = {"autocomplete": "username", "spellcheck": "false"}
_NOW = {"autocomplete": "current-password"}
_NEW = {"autocomplete": "new-password"}

KIND_WORDS = {
    OrganisationKind.MUNICIPALITY: "Municipality",
    OrganisationKind.METROPOLE: "Metropolitan area or group of municipalities",
    OrganisationKind.AGENCY: "Agency or company owned by a city",
    OrganisationKind.RESEARCH: "Research organisation",
    OrganisationKind.UNIVERSITY: "University",
    OrganisationKind.COMPANY: "Company",
    OrganisationKind.ASSOCIATION: "Association or non-profit",
    OrganisationKind.PROGRAMME: "The programme itself",
}


_BY_HAND = tuple(role for role in Role if role not in ROLES_OF_AN_APPLICATION | ROLES_OF_A_CITY)
_ROLES_EXPLAINED = choices((role.value, f"{WORDS[role][0]}: {WORDS[role][1]}") for role in _BY_HAND)


class SignInForm(Form):
    """Address and password."""

    act_key = None
    email = EmailField("E-mail address", [Needed("Enter your e-mail address.")], render_kw=_EMAIL)
    password = PasswordField("Password", [Needed("Enter your password.")], render_kw=_NOW)


class ConfirmPasswordForm(Form):
    """The password again; demo people have none and only press the button."""

    act_key = None
    next = HiddenField()
    password = PasswordField("Password", render_kw=_NOW)


class ResetForm(Form):
    """Whose password is to be chosen anew."""

    act_key = None
    email = EmailField("E-mail address", [Needed("Enter your e-mail address.")], render_kw=_EMAIL)


class ChoosePasswordForm(Form):
    """A password chosen with a link."""

    act_key = None
    password = PasswordField("New password", [Needed("Enter a new password.")], render_kw=_NEW)


class ChangePasswordForm(Form):
    """The own password, changed by who knows the present one."""

    act_key = None
    current = PasswordField("Present password", [Needed("Enter the password you have now.")], render_kw=_NOW)
    password = PasswordField("New password", [Needed("Enter a new password.")], render_kw=_NEW)


class AddressForm(Form):
    """The own new e-mail address."""

    act_key = None
    email = EmailField(
        "New e-mail address",
        [Needed("Enter the new e-mail address.")],
        render_kw={"autocomplete": "email", "spellcheck": "false"},
    )


class ProfileForm(Form):
    """What people change about themselves."""

    version = HiddenField()
    name = StringField("Full name", [Needed("Enter your full name.")], render_kw={"autocomplete": "name"})
    job_title = StringField("What you do", [Optional()], render_kw={"autocomplete": "organization-title"})
    phone = TelField("Telephone", render_kw={"autocomplete": "tel"})
    orcid = StringField("ORCID iD", [Optional()])

    def to_input(self) -> ProfileInput:
        return ProfileInput(str(self.name.data), self.job_title.data, self.phone.data, self.orcid.data)


class ColleagueForm(Form):
    """Somebody who belongs to an organisation."""

    name = StringField("Full name", [Needed("Enter the person’s full name.")])
    email = EmailField("E-mail address", [Needed("Enter the person’s e-mail address.")])

    def to_input(self) -> ColleagueInput:
        return ColleagueInput(str(self.name.data), str(self.email.data))


class SessionForm(Form):
    """Which session to end."""

    session = HiddenField()


class InviteForm(Form):
    """A new person with roles."""

    name = StringField("Full name", [Needed("Enter the person\u2019s full name.")])
    email = EmailField("E-mail address", [Needed("Enter the person\u2019s e-mail address.")])
    job_title = StringField("What they do", [Optional()])
    organisation = SelectField("Organisation", choices=[])
    roles = CheckboxesField(
        "Roles",
        choices=_ROLES_EXPLAINED,
    )

    def offer(self, organisations: tuple[OrganisationView, ...]) -> None:
        """Fill the choice of organisations."""
        self.organisation.choices = choices([("", "None"), *((str(view.id), view.name) for view in organisations)])

    def to_input(self) -> UserInput:
        chosen = self.organisation.data
        return UserInput(
            name=str(self.name.data),
            email=str(self.email.data),
            roles=tuple(Role(value) for value in self.roles.data or ()),
            organisation_id=UUID(chosen) if chosen else None,
            job_title=self.job_title.data or None,
        )


class RoleForm(Form):
    """A role for a person."""

    role = SelectField("Role", choices=choices((role.value, WORDS[role][0]) for role in _BY_HAND))
    place = SelectField("Where", choices=[])
    last_day = DateField("Last day", [Optional()])

    def offer(self, calls: tuple[RolePlace, ...]) -> None:
        """Fill the choice of places."""
        self._calls = {call.reference: call.id for call in calls}
        self.place.choices = choices(
            [("", "Everywhere"), *((call.reference, f"Only in {call.label}") for call in calls)]
        )

    def to_input(self) -> RoleInput:
        """The role holds to the end of its last day in Brussels."""
        day, midnight = self.last_day.data, None
        if day is not None:
            midnight = clock.local_to_utc(datetime.combine(clock.add_days(day, 1), time()), clock.BRUSSELS)
        return RoleInput(Role(self.role.data), midnight, self._calls.get(self.place.data or ""))


class GrantForm(Form):
    """Which role to confirm or end."""

    grant = HiddenField()


class DisableForm(Form):
    """Why a person is kept out."""

    reason = TextAreaField("Reason", [Needed("Say why this person must not sign in any more.")])


class OrganisationForm(Form):
    """The details of the own organisation; of what kind it is, its own people do not change."""

    version = HiddenField()
    name = StringField("Official name", [Needed("Enter the organisation\u2019s official name.")])
    local_name = StringField("Name in its own language", [Optional()])
    street = StringField("Street and number", [Optional()])
    postcode = StringField("Postcode", [Optional()])
    town = StringField("Town", [Optional()])
    country_code = StringField("Country", [Needed("Enter the country as two capital letters, for example PL.")])
    pic = StringField("Participant identification code (PIC)", [Optional()])
    website = URLField("Website", [Optional()])
    vat = StringField("VAT number", [Optional()])
    registration = StringField("National registration number", [Optional(), CharactersMax(FACT_CHARACTERS_MAX)])
    ror = StringField("ROR iD", [Optional(), CharactersMax(FACT_CHARACTERS_MAX)])
    legal_form = StringField("Legal form", [Optional(), CharactersMax(FACT_CHARACTERS_MAX)])
    public_body = RadioField(
        "Is it a public body?", choices=choices([("yes", "Yes"), ("no", "No"), ("", "Not said yet")]), default=""
    )
    contact_address = StringField("Contact address", [Optional(), CharactersMax(FACT_CHARACTERS_MAX)])
    nuts2 = StringField("Region, where this is a natural person (NUTS 2)", [Optional(), CharactersMax(10)])

    @classmethod
    def of(cls, view: OrganisationView, facts: Sequence[Fact]) -> Self:
        """The form with what stands in the register; what was sent wins."""
        held = {fact.kind.value: fact.value for fact in facts}
        columns = ("version", "name", "local_name", "street", "postcode", "town", "country_code", "pic", "website")
        of_facts = ("vat", "registration", "ror", "legal_form", "public_body", "contact_address", "nuts2")
        data = {each: getattr(view, each) for each in columns} | {each: held.get(each, "") for each in of_facts}
        return cls(data={**data, "kind": view.kind.value})

    def to_input(self, kind: OrganisationKind) -> OrganisationInput:
        """What was typed, for an organisation of this kind."""

        def text(field: StringField) -> str | None:
            return (field.data or "").strip() or None

        return OrganisationInput(
            name=str(self.name.data),
            kind=kind,
            country_code=str(self.country_code.data).strip().upper(),
            local_name=text(self.local_name),
            town=text(self.town),
            postcode=text(self.postcode),
            street=text(self.street),
            pic="".join((text(self.pic) or "").split()) or None,
            website=text(self.website),
            vat=text(self.vat),
            registration=text(self.registration),
            ror=text(self.ror),
            legal_form=text(self.legal_form),
            public_body={"yes": True, "no": False}.get(str(self.public_body.data)),
            contact_address=text(self.contact_address),
            nuts2=text(self.nuts2),
        )


class ValidateForm(Form):
    """By what a fact is validated, when, and until when that holds; with the value that was looked at."""

    shown = HiddenField()
    source = StringField("Validated by", [Needed("Say what you validated it by."), CharactersMax(FACT_CHARACTERS_MAX)])
    checked_on = DateField("Day on which you looked at it", [Needed("Enter the day, for example 3 March 2027.")])
    valid_until = DateField("Valid until", [Optional()])

    def to_input(self) -> ValidationInput:
        """What was typed, once the form is right."""
        assert self.checked_on.data is not None, "the day is needed"
        return ValidationInput(str(self.source.data), self.checked_on.data, self.valid_until.data)


class WithdrawValidationForm(Form):
    """Why a validation is taken back."""

    reason = StringField("Why it does not count any more", [Needed("Say why."), CharactersMax(REASON_CHARACTERS_MAX)])


class DoubleForm(Form):
    """What a person decides about two entries that look alike."""

    verdict = RadioField("What they are", choices=[], validators=[Needed("Choose one of the two.")])
    reason = TextAreaField(
        "By what you know it", [Needed("Say by what you know it."), CharactersMax(REASON_CHARACTERS_MAX)]
    )

    def between(self, view: OrganisationView, other: OrganisationView) -> DoubleForm:
        """The form with the two named in its choices."""
        self.verdict.choices = choices(
            [
                (DoubleVerdict.SAME.value, f"The same: “{other.name}” stands from now on, “{view.name}” points to it"),
                (DoubleVerdict.APART.value, "Two different organisations"),
            ]
        )
        return self


class AnyOrganisationForm(OrganisationForm):
    """An organisation as the programme's people add or edit it, its kind included."""

    kind = SelectField(
        "Kind of organisation", choices=choices((kind.value, KIND_WORDS[kind]) for kind in OrganisationKind)
    )

    def chosen_kind(self) -> OrganisationKind:
        """What was chosen among the kinds."""
        return OrganisationKind(self.kind.data)
