"""Forms of the city register: a search that changes nothing, loading the data files, and a new city."""

from __future__ import annotations

from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    EmailField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import NumberRange, Optional

from grants.cities.rules import COUNTRIES, DOMAIN_WORDS, KIND_WORDS, ActionInput, CityInput, OrganisationChoice
from grants.cities.states import ActionKind, EmissionDomain, LabelStatus
from grants.web.forms import CharactersMax, Form, Needed, choices


class LoadForm(Form):
    """Load the register from the data files: nothing to fill in."""


class LinkForm(Form):
    """The organisation that acts for a city, from those found."""

    version = HiddenField()
    organisation = RadioField("Organisation", choices=[], validators=[Needed("Choose an organisation.")])

    def with_organisations(self, found: tuple[OrganisationChoice, ...]) -> LinkForm:
        """The form with the organisations found, each in words; the one suggested is chosen already."""
        self.organisation.choices = choices((str(one.id), one.words) for one in found)
        suggested = [str(one.id) for one in found if one.suggested]
        if len(suggested) == 1 and not self.is_submitted():
            self.organisation.data = suggested[0]
        return self


class UnlinkForm(Form):
    """Undo the link of a city: nothing to fill in."""

    version = HiddenField()


class AdvisorForm(Form):
    """Somebody who advises a city, by the address of their account."""

    email = EmailField(
        "E-mail address of their account", [Needed("Enter the e-mail address of the advisor."), CharactersMax(254)]
    )


class EndAdviceForm(Form):
    """End the part of an advisor: nothing to fill in."""


class CityForm(Form):
    """A city that the data files do not know."""

    name = StringField("Name in English", [Needed("Enter the name of the city."), CharactersMax(120)])
    local_name = StringField("Name in the city itself", [Optional(), CharactersMax(120)])
    country = SelectField("Country", choices=choices(sorted(COUNTRIES.items(), key=lambda item: item[1])))
    population = IntegerField(
        "Inhabitants", [Optional(), NumberRange(1, 100_000_000, "Write a whole number above zero.")]
    )
    source_url = StringField("Source", [Optional(), CharactersMax(500)])
    synthetic = BooleanField("Invented for demonstration")

    def to_input(self) -> CityInput:
        """The city as its frozen value."""
        return CityInput(
            name=self.name.data or "",
            country_code=self.country.data,
            local_name=self.local_name.data or None,
            population=self.population.data,
            label_status=LabelStatus.NOT_APPLICABLE,
            source_url=self.source_url.data or None,
            synthetic=bool(self.synthetic.data),
        )


class ActionForm(Form):
    """One action or barrier of a city's list."""

    version = HiddenField()
    number = StringField("Number", [Needed("Enter the number the contract gives it, for example B-2.1.")])
    title = StringField("What it is called", [Needed("Enter what the action or barrier is called.")])
    kind = RadioField(
        "Kind",
        choices=choices((kind.value, KIND_WORDS[kind]) for kind in ActionKind),
        default=ActionKind.ACTION.value,
    )
    domain = SelectField(
        "Emission domain",
        choices=choices([("", "None, or several"), *((each.value, DOMAIN_WORDS[each]) for each in EmissionDomain)]),
    )
    source = StringField("Source", [Needed("Say where this stands: the document and its page, or an address.")])
    year = IntegerField("Year", [Optional()])

    def to_input(self) -> ActionInput:
        """The line as its frozen value."""
        return ActionInput(
            number=str(self.number.data),
            title=str(self.title.data),
            kind=ActionKind(self.kind.data),
            domain=EmissionDomain(self.domain.data) if self.domain.data else None,
            source=str(self.source.data),
            year=self.year.data,
        )


class WithdrawActionForm(Form):
    """Why a line is not in the list any more."""

    reason = StringField("Why it is not in the list any more", [Needed("Say why.")])


class ActionsFileForm(Form):
    """A list as CSV: looked at first."""

    file = FileField("List as CSV")


class ActionsTakenForm(Form):
    """The same list again, seen and accepted."""

    text = TextAreaField()
