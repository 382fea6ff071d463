"""Forms of a dry run of a call."""

from __future__ import annotations

import re

from wtforms import BooleanField, FileField, HiddenField, SelectField, StringField
from wtforms.validators import Optional

from grants.applications.forms.team import KINDS
from grants.applications.rules import TrialApplicant, TrialContent
from grants.cities.rules import country_code
from grants.core.errors import Invalid
from grants.identity.states import OrganisationKind
from grants.web.forms import A_PARAGRAPH, Form, Needed


class TrialForm(Form):
    """Who applies in a dry run: an invented city, and one more organisation where that is to be tried too."""

    title = StringField("Title of the dry run", [Needed("Enter a title, for example Trial of the form."), A_PARAGRAPH])
    lead_name = StringField("Name of the invented city", [Needed("Enter a name, for example Testham."), A_PARAGRAPH])
    lead_kind = SelectField("Kind of organisation", choices=KINDS)
    lead_country = StringField("Country code")
    lead_population = StringField("Inhabitants")
    lead_mission = BooleanField("It is a city of the Mission")
    lead_earlier = StringField("Took part in earlier calls", [A_PARAGRAPH])
    lead_pic = BooleanField("It has a participant code (PIC)", default=True)
    other_name = StringField("Name of a second organisation", [Optional(), A_PARAGRAPH])
    other_kind = SelectField("Kind of the second organisation", choices=KINDS)
    other_country = StringField("Country code of the second")
    other_population = StringField("Inhabitants of the second")
    other_mission = BooleanField("The second is a city of the Mission")
    other_earlier = StringField("Earlier calls of the second", [A_PARAGRAPH])
    other_pic = BooleanField("The second has a participant code (PIC)", default=True)

    def to_input(self) -> TrialContent:
        """The dry run as it begins; raises :class:`Invalid` with a sentence beside each field."""
        problems: dict[str, str] = {}
        people = [self._applicant("lead", problems)]
        if (self.other_name.data or "").strip():
            people.append(self._applicant("other", problems))
        if problems:
            raise Invalid("The dry run was not begun.", problems)
        return TrialContent((self.title.data or "").strip(), tuple(people))

    def _applicant(self, prefix: str, problems: dict[str, str]) -> TrialApplicant:
        def typed(name: str) -> str:
            return str(self._fields[f"{prefix}_{name}"].data or "").strip()

        population = re.sub(r"[\s.,]", "", typed("population"))
        if population and not re.fullmatch("[0-9]{1,9}", population):
            problems[f"{prefix}_population"] = "Write the inhabitants as a number, for example 120 000."
        country = "BE"
        try:
            country = country_code(typed("country") or "BE")
        except Invalid as error:
            problems[f"{prefix}_country"] = str(error)
        return TrialApplicant(
            typed("name"),
            OrganisationKind(typed("kind")),
            country,
            int(population) if population and f"{prefix}_population" not in problems else None,
            bool(self._fields[f"{prefix}_mission"].data),
            tuple(word.strip() for word in typed("earlier").split(";") if word.strip()),
            bool(self._fields[f"{prefix}_pic"].data),
        )


class TrialFileForm(Form):
    """One file to be tried, for one place."""

    role = HiddenField()
    name = HiddenField()
    file = FileField("File")
