"""Two small calls in which more than rank and money selects: one draws by lot at its line, the rules of the other take a solver."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from grants.awards import services as awards
from grants.awards.rules import Plan, ScenarioInput
from grants.calls.rules import CallView, StrandRule
from grants.cities import services as cities
from grants.cities.rules import CityInput
from grants.core.money import euros
from grants.demo import crowd
from grants.demo.cast import AskedInDemo
from grants.demo.stage import Stage, Story

DRAWS = """\
evaluation:
  draw: {within: 0}
"""
# The first is clear of the line; the money left then pays for one of the three that nothing tells apart.
DRAWN = (
    AskedInDemo("Benches by the Canal", "kovarhely", "reka", 40_000, (9, 9, 9)),
    AskedInDemo("A Fountain for the Square", "neochora", "eleni", 35_000, (8, 8, 8)),
    AskedInDemo("Steps to Sit on", "zoltowice", "marek", 35_000, (8, 8, 8)),
    AskedInDemo("Water at Every Stop", "stefanel", "irina", 35_000, (8, 8, 8)),
)
DRAWN_TOTAL = 100_000

# Beside the short form: what it saves is asked as a number, and small and large pilots each have a part of the money.
COMPARED_FORM = """\
        - {key: saved, label: "How many tonnes of CO₂ are saved in a year", kind: number}
evaluation:
  selection:
    countries_min: 3
    strands:
      - {name: Small roofs, asked_max: 60000, ceiling: 120000}
      - {name: Large roofs, asked_max: 200000, ceiling: 150000}
"""
# Each of the three reads all five, so who is severe and who mild can be told, and no chance of ids decides who reads what.
JUDGES = ("elena", "bram", "milan")
# The second is of the country of the first: beside both, three countries cannot be reached.
SECOND_PLACE = 48
COMPARED_TOTAL = 200_000
SMALL_FIRST = (
    StrandRule("Small pilots", euros(60_000), euros(200_000)),
    StrandRule("Large pilots", euros(200_000), euros(100_000)),
)


def drawn(stage: Stage, call: CallView) -> Story:
    """Decided, confirmed and thereby drawn, then published with its seed."""
    yield stage.days_ago(15)
    stage.troupe.decide_selection(call, reason="The list as ranked; who stays tied at the line is drawn, as published.")
    yield stage.days_ago(12)
    stage.troupe.confirm_selection(call)
    yield stage.days_ago(9)
    stage.troupe.publish_results(call)


def compared_list(stage: Stage) -> tuple[AskedInDemo, ...]:
    """Who applies; the second is a municipality of the crowd."""
    place = crowd.municipalities()[SECOND_PLACE]
    lead = stage.troupe.writer(place.name, place.country, place.contact, "Climate officer")
    return (
        AskedInDemo("White Roofs", "kovarhely", "reka", 110_000, (9, 9, 9), number=140),
        AskedInDemo("Gravel and Stonecrop", place.key, lead, 80_000, (9, 8, 8), number=410),
        AskedInDemo("Vines on the Depot", "lumenau", "theresa", 50_000, (8, 8, 8), number=95),
        AskedInDemo("Meadow upon Meadow", "brunnvik", "linnea", 40_000, (8, 8, 7), number=60),
        AskedInDemo("Shade for the Market Hall", "portosereno", "paolo", 30_000, (8, 7, 7), number=230),
    )


def register_cities(stage: Stage) -> None:
    """Their towns with their inhabitants, so that an aim can count people."""
    place = crowd.municipalities()[SECOND_PLACE]
    for name, country, people in (
        ("Kővárhely", "HU", 121_000), (place.name, place.country, 64_000), ("Lumenau", "AT", 35_000),
        ("Brunnvik", "SE", 18_000), ("Porto Sereno", "IT", 92_000),
    ):  # fmt: skip
        given = CityInput(name, country, population=people, synthetic=True, note="Invented.")
        cities.add_city(stage.troupe.actor("manager"), given)


def compared(stage: Stage, call: CallView) -> Story:
    """Three scenarios, the advice, and what they and other aims select, as a worker works it out; nobody has decided."""
    yield stage.days_ago(5)
    stage.say(f"{call.title}: scenarios")
    published = call.content.selection
    for name, plan in (
        ("One country more", Plan(replace(published, countries_min=4), reason="To learn in one country more.")),
        (
            "Small ones first",
            Plan(
                replace(published, countries_min=None, one_per_city=True, strands=SMALL_FIRST),
                reason="At least half of the money for small pilots.",
            ),
        ),
        ("Without the rule of countries", Plan(replace(published, countries_min=None), reason="To see what it costs.")),
    ):
        awards.save_scenario(stage.troupe.actor("chair"), call.id, ScenarioInput(name, plan))
    awards.request_advice(stage.troupe.actor("chair"), call.id, 3)
    yield stage.days_ago(4)
    awards.request_solve(stage.troupe.actor("chair"), call.id)
    # Its orders are simulated from the advice, and the list they are compared with is worked out by now.
    yield stage.days_ago(4) + timedelta(hours=1)
    awards.request_robustness(stage.troupe.actor("chair"), call.id)
