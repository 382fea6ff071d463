"""The register of cities: frozen values and pure functions; the modules beside this one hold them."""

from __future__ import annotations

from grants.cities.rules.actions import (
    ACTION_COLUMNS,
    ACTIONS_MAX,
    DOMAIN_WORDS,
    KIND_WORDS,
    TITLE_CHARACTERS_MAX,
    ActionInput,
    ActionsDifference,
    ActionView,
    actions_differ,
    read_actions,
)
from grants.cities.rules.registers import read_register
from grants.cities.rules.values import (
    COUNTRIES,
    AdvisorView,
    CityInput,
    CityView,
    LoadSummary,
    OrganisationChoice,
    ParticipationInput,
    ParticipationView,
    call_label,
    checked,
    country_code,
    own_names,
    places_named,
    slug_of,
)

__all__ = [
    "ACTIONS_MAX",
    "ACTION_COLUMNS",
    "COUNTRIES",
    "DOMAIN_WORDS",
    "KIND_WORDS",
    "TITLE_CHARACTERS_MAX",
    "ActionInput",
    "ActionView",
    "ActionsDifference",
    "AdvisorView",
    "CityInput",
    "CityView",
    "LoadSummary",
    "OrganisationChoice",
    "ParticipationInput",
    "ParticipationView",
    "actions_differ",
    "call_label",
    "checked",
    "country_code",
    "own_names",
    "places_named",
    "read_actions",
    "read_register",
    "slug_of",
]
