"""Forms of the city register: a search that changes nothing, loading the data files, and a new city."""

from __future__ import annotations

from wtforms import BooleanField, HiddenField, IntegerField, RadioField, SelectField, StringField
from wtforms.validators import Length, NumberRange, Optional

from grants.cities.rules import COUNTRIES, CityInput, OrganisationChoice
from grants.cities.states import LabelStatus
from grants.web.forms import Form, Needed, choices


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


class CityForm(Form):
    """A city that the data files do not know."""

    name = StringField("Name in English", [Needed("Enter the name of the city."), Length(max=120)])
    local_name = StringField("Name in the city itself", [Optional(), Length(max=120)])
    country = SelectField("Country", choices=choices(sorted(COUNTRIES.items(), key=lambda item: item[1])))
    population = IntegerField(
        "Inhabitants", [Optional(), NumberRange(1, 100_000_000, "Write a whole number above zero.")]
    )
    source_url = StringField("Source", [Optional(), Length(max=500)])
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
