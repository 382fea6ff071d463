"""The list of actions and barriers of one invented city’s contract, and which of them its application serves."""

from __future__ import annotations

from uuid import UUID

from grants.applications import services as applications
from grants.applications.rules.serving import ServingInput
from grants.cities import services as cities
from grants.cities.rules import ActionInput, CityInput
from grants.cities.states import ActionKind, EmissionDomain
from grants.demo.applying import Applicants

_SOURCE = "Climate City Contract of the demo, invented"
_LINES = (
    ("A-1", "Insulate the blocks of the nineteen-sixties", ActionKind.ACTION, EmissionDomain.BUILDINGS),
    ("A-2", "Heat pumps for stairwells that share a boiler", ActionKind.ACTION, EmissionDomain.ENERGY),
    ("A-3", "Buses every ten minutes in the evening", ActionKind.ACTION, EmissionDomain.MOBILITY),
    ("B-1", "Owners of a block cannot borrow together", ActionKind.BARRIER, None),
)
_SERVED = (
    (0, "Two blocks of the list are done first, and measured for a winter."),
    (3, "The city tries a common loan with one bank, and writes down what the law would need."),
)


def serve_the_contract(arrivals: Applicants, application_id: UUID) -> None:
    """The city of the lead has an advisor and enters its list; the lead says which lines the application serves."""
    city = cities.add_city(
        arrivals.actor("manager"),
        CityInput("Târgu Ștefănel", "RO", population=48_000, synthetic=True, note="Invented."),
    )
    cities.name_advisor(arrivals.actor("manager"), city.id, "advisor@demo.example")
    arrivals.changed("advisor")
    lead = arrivals.actor("irina")
    made = [
        cities.add_action(lead, city.id, ActionInput(number, title, kind, domain, _SOURCE, synthetic=True))
        for number, title, kind, domain in _LINES
    ]
    applications.save_serving(lead, application_id, [ServingInput(how, made[place]) for place, how in _SERVED])
