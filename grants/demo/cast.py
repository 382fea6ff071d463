"""Who and what the demo is made of: invented people, real and invented organisations, pilots and applications."""

from __future__ import annotations

from dataclasses import dataclass

from grants.identity.policy import Role
from grants.identity.states import OrganisationKind


@dataclass(frozen=True, slots=True)
class PersonOfTheDemo:
    """A person of the demo: what they are called, what they may do, and for whom they work."""

    key: str
    name: str
    organisation: str
    job: str
    roles: tuple[Role, ...] = ()


R = Role
PEOPLE = (
    PersonOfTheDemo("second_administrator", "Tomás Vidal", "programme", "Second administrator", (R.ADMINISTRATOR,)),
    PersonOfTheDemo("manager", "Ingrid Aalto", "programme", "Programme manager", (R.PROGRAMME_MANAGER,)),
    PersonOfTheDemo("eligibility", "Piotr Zieliński", "programme", "Eligibility officer", (R.ELIGIBILITY_OFFICER,)),
    PersonOfTheDemo("eligibility_second", "Nela Horáková", "programme", "Second eligibility officer", (R.ELIGIBILITY_OFFICER,)),
    PersonOfTheDemo("officer", "Leonor Duarte", "programme", "Project officer", (R.PROJECT_OFFICER,)),
    PersonOfTheDemo("officer_second", "Mirela Pavić", "programme", "Second project officer", (R.PROJECT_OFFICER,)),
    PersonOfTheDemo("chair", "Henrik Vester", "university", "Panel chair", (R.PANEL_CHAIR,)),
    PersonOfTheDemo("member", "Maja Novak", "university", "Panel member", (R.PANEL_MEMBER,)),
    PersonOfTheDemo("initiator", "Carla Benassi", "programme", "Finance initiator", (R.FINANCE_INITIATOR,)),
    PersonOfTheDemo("verifier", "Jonas Weber", "programme", "Finance verifier", (R.FINANCE_VERIFIER,)),
    PersonOfTheDemo("authoriser", "Claire Dumont", "programme", "Authorising officer", (R.AUTHORISING_OFFICER,)),
    PersonOfTheDemo("authoriser_second", "Bastien Moreau", "programme", "Second authorising officer", (R.AUTHORISING_OFFICER,)),
    PersonOfTheDemo("accountant", "Dimitra Pappa", "programme", "Accounting officer", (R.ACCOUNTING_OFFICER,)),
    PersonOfTheDemo("signatory", "Ruth O’Connell", "programme", "Director, signs agreements", (R.PROGRAMME_SIGNATORY,)),
    PersonOfTheDemo("auditor", "Ewa Lindqvist", "audit", "Auditor", (R.AUDITOR,)),
    PersonOfTheDemo("elena", "Elena Marchetti", "university", "Evaluator, mobility", (R.EVALUATOR,)),
    PersonOfTheDemo("bram", "Bram de Wit", "institute", "Evaluator, buildings", (R.EVALUATOR,)),
    PersonOfTheDemo("sofia", "Sofía Herrero", "institute", "Evaluator, finance", (R.EVALUATOR,)),
    PersonOfTheDemo("ola", "Ola Bergström", "university", "Evaluator, energy", (R.EVALUATOR,)),
    PersonOfTheDemo("katrin", "Katrin Saar", "consultancy", "Evaluator, participation", (R.EVALUATOR,)),
    PersonOfTheDemo("milan", "Milan Kovač", "consultancy", "Evaluator, waste", (R.EVALUATOR,)),
    # Who advises a city gets that role with the city, when the manager names them there.
    PersonOfTheDemo("advisor", "Aino Salmela", "consultancy", "City advisor"),
    PersonOfTheDemo("irina", "Irina Călinescu", "stefanel", "Climate officer", (R.APPLICANT,)),
    PersonOfTheDemo("mayor", "Ilie Dobre", "stefanel", "Deputy mayor, signs", (R.APPLICANT,)),
    PersonOfTheDemo("marek", "Marek Dąbrowski", "zoltowice", "Partner city officer", (R.APPLICANT,)),
    PersonOfTheDemo("reka", "Réka Szűcs", "kovarhely", "Climate officer", (R.APPLICANT,)),
    PersonOfTheDemo("niels", "Niels Overgaard", "aerosted", "Climate officer", (R.APPLICANT,)),
    PersonOfTheDemo("eleni", "Eléni Sarri", "neochora", "Climate officer", (R.APPLICANT,)),
    PersonOfTheDemo("jaro", "Jaroslav Blažek", "sumberk", "Climate officer", (R.APPLICANT,)),
    PersonOfTheDemo("theresa", "Theresa Lindner", "lumenau", "Mayor", (R.APPLICANT,)),
    PersonOfTheDemo("linnea", "Linnea Åkesson", "brunnvik", "Mayor", (R.APPLICANT,)),
    PersonOfTheDemo("paolo", "Paolo Ferrante", "portosereno", "Mayor", (R.APPLICANT,)),
    PersonOfTheDemo("jaro_mayor", "Zdeňka Horáková", "sumberk", "Deputy mayor, signs", (R.APPLICANT,)),
    PersonOfTheDemo("reka_mayor", "Gábor Lantos", "kovarhely", "Deputy mayor, signs", (R.APPLICANT,)),
    PersonOfTheDemo("niels_mayor", "Birthe Krogh", "aerosted", "Deputy mayor, signs", (R.APPLICANT,)),
    PersonOfTheDemo("eleni_mayor", "Stávros Melás", "neochora", "Deputy mayor, signs", (R.APPLICANT,)),
    PersonOfTheDemo("other_city", "Inês Exemplo", "pt_guimaraes", "Contact of a real city (invented person)", (R.APPLICANT,)),
    PersonOfTheDemo("other_city_mayor", "Rui Modelo", "pt_guimaraes", "Signs for a real city (invented person)", (R.APPLICANT,)),
    PersonOfTheDemo("city", "Anna Beispiel", "de_mannheim", "Contact of a real city (invented person)", (R.APPLICANT,)),
    PersonOfTheDemo("city_mayor", "Bernd Muster", "de_mannheim", "Signs for a real city (invented person)", (R.APPLICANT,)),
)  # fmt: skip
# They live where nobody of the demo applies from.
COUNTRY_OF_EVALUATORS = "CH"
FIELD_OF_EVALUATORS = {
    "elena": "mobility", "bram": "buildings", "sofia": "finance", "ola": "energy", "katrin": "participation",
    "milan": "waste",
}  # fmt: skip
EVALUATORS = tuple(FIELD_OF_EVALUATORS)
# Who knows how a city is governed has no role beside that.
ROLE_OF_FIELD = {
    "buildings": "technical", "energy": "technical", "finance": "finance", "mobility": "technical",
    "participation": "citizen", "waste": "technical",
}  # fmt: skip

K = OrganisationKind
ORGANISATIONS: dict[str, tuple[str, OrganisationKind, str, bool]] = {
    "programme": ("Pilot Cities Programme Office", K.PROGRAMME, "BE", True),
    "university": ("University of Westmark", K.UNIVERSITY, "DK", True),
    "institute": ("Institute for Urban Change", K.RESEARCH, "NL", True),
    "consultancy": ("Clearwater Advice", K.COMPANY, "EE", True),
    "audit": ("Northern Audit Office", K.AGENCY, "SE", True),
    "stefanel": ("Târgu Ștefănel", K.MUNICIPALITY, "RO", True),
    "zoltowice": ("Żółtowice", K.MUNICIPALITY, "PL", True),
    "kovarhely": ("Kővárhely", K.MUNICIPALITY, "HU", True),
    "aerosted": ("Ærøsted", K.MUNICIPALITY, "DK", True),
    "neochora": ("Neochóra", K.MUNICIPALITY, "GR", True),
    "sumberk": ("Šumberk", K.MUNICIPALITY, "CZ", True),
    "lumenau": ("Lumenau", K.MUNICIPALITY, "AT", True),
    "brunnvik": ("Brunnvik", K.MUNICIPALITY, "SE", True),
    "portosereno": ("Porto Sereno", K.MUNICIPALITY, "IT", True),
}


SOURCE = "https://netzerocities.eu/pilot-cities-cohort-1-2022/"

# Who of the cast already writes for a place of the crowd.
WRITES_FOR = {
    "RO Târgu Ștefănel": "irina",
    "PL Żółtowice": "marek",
    "HU Kővárhely": "reka",
    "DK Ærøsted": "niels",
    "GR Neochóra": "eleni",
    "CZ Šumberk": "jaro",
    "AT Lumenau": "theresa",
    "SE Brunnvik": "linnea",
    "IT Porto Sereno": "paolo",
    "DE Mannheim": "city",
    "PT Guimarães": "other_city",
}


@dataclass(frozen=True, slots=True)
class AskedInDemo:
    """An application of an invented municipality: what it is called, who leads it, and how much it asks for."""

    title: str
    organisation: str
    lead: str
    euros: int
    # The consensus in half points, criterion by criterion; empty where none is written yet.
    consensus: tuple[int, ...] = ()
    # What it answers wherever a number is asked for.
    number: int = 12


PAST = (
    AskedInDemo("Roof by Roof", "kovarhely", "reka", 420_000, (9, 8, 9)),
    AskedInDemo("Ferry to Zero", "aerosted", "niels", 380_000, (8, 9, 8)),
    AskedInDemo("Cool Courtyards", "neochora", "eleni", 400_000, (8, 8, 8)),
    AskedInDemo("Heat from the Lake", "sumberk", "jaro", 350_000, (7, 8, 8)),
    AskedInDemo("Lamps that Dim", "lumenau", "theresa", 340_000, (8, 7, 8)),
    AskedInDemo("Warm School", "brunnvik", "linnea", 310_000, (7, 8, 7)),
    AskedInDemo("Harbour without Smoke", "portosereno", "paolo", 290_000, (7, 7, 8)),
    AskedInDemo("Baths without Gas", "zoltowice", "marek", 300_000, (7, 7, 7)),
    AskedInDemo("Market Street", "stefanel", "irina", 300_000, (7, 5, 7)),
)
LONG_PAST = (
    AskedInDemo("Courtyard Commons", "lumenau", "theresa", 240_000, (8, 8, 8)),
    AskedInDemo("Slow Lanes", "brunnvik", "linnea", 230_000, (8, 8, 9)),
)
NOW_EVALUATED = (
    AskedInDemo("Brick Loan", "kovarhely", "reka", 250_000),
    AskedInDemo("Night Buses", "aerosted", "niels", 300_000),
    AskedInDemo("The Shared Boiler", "neochora", "eleni", 280_000),
)
JUST_CLOSED = (
    AskedInDemo("Bicycle Kitchen", "lumenau", "theresa", 90_000),
    AskedInDemo("Repair Bus", "brunnvik", "linnea", 75_000),
    AskedInDemo("Mending Mondays", "portosereno", "paolo", 60_000),
)
