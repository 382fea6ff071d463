"""Forms of the city register: a search that changes nothing, loading the data files, and a new city."""

from __future__ import annotations

from wtforms import BooleanField, IntegerField, SelectField, StringField
from wtforms.validators import Length, NumberRange, Optional

from grants.cities.rules import COUNTRIES, CityInput
from grants.cities.states import LabelStatus
from grants.web.forms import Form, Needed, choices


class LoadForm(Form):
    """Load the register from the data files: nothing to fill in."""


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
