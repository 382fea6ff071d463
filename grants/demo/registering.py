"""What the register of organisations holds in the demo: invented facts of invented municipalities, some of them validated."""

from __future__ import annotations

from grants.core import clock
from grants.demo.arriving import Arrivals
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.rules import OrganisationInput, ValidationInput
from grants.identity.states import FactKind

# Who says it, and the numbers: all noughts, so that they are nobody's.
TOLD = {
    "irina": ("stefanel", "RO0000000001", "Register of municipalities, 0001 (invented)", "Piața Primăriei 1"),
    "marek": ("zoltowice", "PL0000000002", "Register of municipalities, 0002 (invented)", "Rynek 2"),
    "reka": ("kovarhely", "HU00000003", "Register of municipalities, 0003 (invented)", "Fő tér 3"),
}
VALIDATED = (FactKind.LEGAL_NAME, FactKind.VAT, FactKind.PUBLIC_BODY)


def tell_the_register(arrivals: Arrivals) -> None:
    """Three invented municipalities say what they are; the project officer validates a part for two of them."""
    officer = arrivals.actor("officer")
    seen = ValidationInput("Invented for the demo: nothing was looked at", clock.today())
    for person, (place, vat, registration, street) in TOLD.items():
        view = identity.organisation(arrivals.places[place])
        told = OrganisationInput(
            view.name, view.kind, view.country_code, town=view.town, street=street, synthetic=True, vat=vat,
            registration=registration, legal_form="Municipality", public_body=True,
        )  # fmt: skip
        people.edit_organisation(arrivals.actor(person), view.id, told)
        for kind in VALIDATED if person != "reka" else ():
            fact = next(each for each in identity.facts(view.id) if each.kind is kind)
            people.validate_fact(officer, view.id, kind, fact.value, seen)
