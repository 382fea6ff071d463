"""A large call in evaluation now: sixty applications, forty evaluators, scored in part."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from grants.awards import services as awards
from grants.calls.rules import CallView
from grants.demo import crowd
from grants.demo.arriving import ALL_EVALUATORS
from grants.demo.cast import (
    COUNTRY_OF_EVALUATORS,
    EVALUATORS,
    FIELD_OF_EVALUATORS,
    NOW_EVALUATED,
    ROLE_OF_FIELD,
    WRITES_FOR,
    AskedInDemo,
)
from grants.demo.pooling import gather
from grants.demo.stage import Stage, Story
from grants.demo.texts import two_of
from grants.evaluation import queries as evaluation_reads
from grants.evaluation import services as evaluation
from grants.evaluation.states import Declared

SENT = 60
LOAD = 6
# So many evaluators worked for an organisation that may be an applicant.
FOUND = 3
# The evaluators of so many applications were reminded, before some of them submitted.
REMINDED = 3
FINISHED, AGREED, PROPOSED, WRITTEN, HALF_DONE, BEGUN = 12, 5, 3, 2, 12, 14

HOLDS_INSTEAD = "The first score is too high: the sheets miss who owns the buildings."
# A short form: what sixty municipalities can write in two weeks. The rest follows the labelled template.
SHORT_FORM = """\
submission:
  required_attachments: [{key: mandate, label: Letter of mandate, required: false}]
application_form:
  sections:
    - key: change
      title: The change and the work
      questions:
        - key: fields
          label: Which fields does it touch
          kind: multichoice
          choices:
            - {value: buildings, label: Buildings}
            - {value: energy, label: Energy}
            - {value: finance, label: Finance}
            - {value: governance, label: Governance}
            - {value: mobility, label: Mobility}
            - {value: participation, label: Participation}
            - {value: waste, label: Waste}
        - {key: barrier, label: Which barrier stands in the way, kind: long, words_max: 300, criterion: excellence}
        - {key: change, label: "What will be different, for whom", kind: long, words_max: 300, criterion: impact}
        - {key: plan, label: "Who does what, and when", kind: long, words_max: 300, criterion: implementation}
        - {key: risk, label: What can go wrong, kind: long, words_max: 150, criterion: implementation}
"""

# What a good match is worth here; a call that says nothing counts topics and language alone.
WEIGHTS = """\
evaluation:
  assignment: {topics: 450, language: 200, role: 150, bid: 150, novelty: 50, roles: [technical], rare_topics: true}
"""
# Who has a conflict, and who is not sure; by evaluator and place in the list.
SAID = {
    ("elena", 15): Declared.CONFLICT,
    ("milan", 0): Declared.UNSURE,
    ("katrin", 3): Declared.CONFLICT,
    ("jana", 7): Declared.CONFLICT,
    ("lars", 11): Declared.CONFLICT,
    ("nuria", 19): Declared.UNSURE,
    ("hanne", 23): Declared.CONFLICT,
    ("matej", 31): Declared.CONFLICT,
}
# How gladly some of the cast would read the application at that place, from -2 to 2.
WISHES = {
    "elena": {1: 2, 9: -1}, "bram": {1: 1, 20: 2}, "sofia": {2: 2}, "ola": {6: 2}, "katrin": {12: 1}, "milan": {22: -2},
}  # fmt: skip


def evaluated_now(stage: Stage) -> Story:
    """From the call to the middle of its assessment."""
    yield stage.days_ago(95)
    stage.say("A call in evaluation now")
    call = stage.invented_call(
        "Quick pilots for streets", opens=80, closes=40, total=6_000_000, award=300_000, more=SHORT_FORM + WEIGHTS
    )
    stage.troupe.judges_arrive()
    sent: list[UUID] = []
    for place, asked in enumerate(_asked(stage)):
        yield stage.days_ago(62) + timedelta(hours=7 * place)
        stage.say(f"{call.title}: application {place + 1} of {SENT}")
        sent.append(stage.troupe.apply(call, asked))
    for place in range(0, SENT, 10):
        yield stage.days_ago(37) + timedelta(hours=place)
        stage.say(f"{call.title}: eligibility")
        stage.troupe.declare_eligible(sent[place : place + 10])
    yield from _seated(stage, call, sent)
    yield from _scored(stage, call, sent)
    yield from _meeting(stage, call)


def _asked(stage: Stage) -> list[AskedInDemo]:
    """Three applications by people of the cast, the others by the crowd."""
    others = [
        stage.troupe.asked_by(place, number, 90_000 + 7_000 * (number % 29)) for number, place in enumerate(_places())
    ]
    return [*NOW_EVALUATED, *others]


def _places() -> list[crowd.Municipality]:
    return [place for place in crowd.municipalities() if place.key not in _of_the_cast()][:57]


def _of_the_cast() -> set[str]:
    return {crowd.key_of(place[3:], place[:2]) for place in WRITES_FOR}


def _seated(stage: Stage, call: CallView, sent: list[UUID]) -> Story:
    yield stage.days_ago(30)
    stage.say(f"{call.title}: forty evaluators")
    judges = crowd.judges()
    countries = dict.fromkeys(EVALUATORS, COUNTRY_OF_EVALUATORS) | {judge.key: judge.country for judge in judges}
    fields = sorted({judge.field for judge in judges})
    # What somebody's office is called comes first of what they know, and decides their role.
    own = FIELD_OF_EVALUATORS | {judge.key: judge.field for judge in judges}
    knows = {key: tuple(dict.fromkeys((own[key], *two_of(fields, key)))) for key in ALL_EVALUATORS}
    roles = {key: ROLE_OF_FIELD[field] for key, field in own.items() if field in ROLE_OF_FIELD}
    stage.troupe.fill_pool(call, countries, LOAD, knows, roles, _nearly_applicants(judges))
    gather(stage, call)
    for place, key in enumerate((*ALL_EVALUATORS, "chair", "member")):
        yield stage.days_ago(29) + timedelta(hours=place)
        stage.say(f"{call.title}: declarations of conflicts")
        stage.troupe.declare(call, key, sent, SAID)
    yield stage.days_ago(25)
    stage.say(f"{call.title}: the assignment of evaluators")
    for key, wishes in WISHES.items():
        stage.troupe.wish(call, key, {sent[place]: wish for place, wish in wishes.items()})
    stage.troupe.dismiss_first_found(call)
    stage.troupe.run_assignment(call, stage.today + timedelta(days=5))


def _nearly_applicants(judges: Sequence[crowd.Judge]) -> dict[str, str]:
    """For some evaluators an organisation whose name is that of an applicant of their country but for a letter."""
    names = {place.country: place.name for place in reversed(_places())}
    found = {judge.key: names[judge.country][:-1] for judge in judges if judge.country in names}
    return dict(list(found.items())[:FOUND])


def _scored(stage: Stage, call: CallView, sent: list[UUID]) -> Story:
    """Some applications with every sheet and a consensus, some with a part, many with nothing yet."""
    for place, application_id in enumerate(sent[1 : 1 + FINISHED]):
        yield stage.days_ago(20) + timedelta(hours=3 * place)
        stage.say(f"{call.title}: assessments")
        stage.troupe.assess(call, [application_id], [_agreed(place)], first=place)
    for place, application_id in enumerate(sent[1 : 1 + AGREED + PROPOSED + WRITTEN]):
        yield stage.days_ago(14) + timedelta(hours=3 * place)
        stage.say(f"{call.title}: consensus")
        consensus = _agreed(place)
        if place < AGREED:
            stage.troupe.agree(call, application_id, consensus)
        elif place < AGREED + PROPOSED:
            stage.troupe.propose(call, application_id, consensus)
            first, second, *_ = evaluation_reads.seat_people(application_id)
            evaluation.agree(stage.troupe.actor_of(first), application_id)
            if place == AGREED:
                stage.troupe.dissent(application_id, second, HOLDS_INSTEAD)
        else:
            stage.troupe.write_consensus(call, application_id, consensus)
            stage.troupe.take_words(call, application_id, consensus)
    half_done = sent[1 + FINISHED : 1 + FINISHED + HALF_DONE]
    yield stage.days_ago(10)
    stage.say(f"{call.title}: evaluators reminded")
    stage.troupe.remind(call, half_done[:REMINDED], "The panel looks at these first. Please submit this week.")
    for place, application_id in enumerate(half_done):
        yield stage.days_ago(9) + timedelta(hours=3 * place)
        stage.say(f"{call.title}: assessments")
        first, second, *_ = evaluation_reads.seat_people(application_id)
        stage.troupe.submit_sheet(call, application_id, first, place)
        stage.troupe.begin_sheet(call, application_id, second, place + 1)
    begun = sent[1 + FINISHED + HALF_DONE : 1 + FINISHED + HALF_DONE + BEGUN]
    for place, application_id in enumerate(begun):
        yield stage.days_ago(6) + timedelta(hours=3 * place)
        first = next(iter(evaluation_reads.seat_people(application_id)))
        stage.troupe.begin_sheet(call, application_id, first, place)


def _meeting(stage: Stage, call: CallView) -> Story:
    """The panel met for a day, for two minutes without its chair, whose minutes are signed.

    The second has paused with a proposal on the table.
    """
    yield stage.days_ago(4)
    stage.say(f"{call.title}: meetings of the panel")
    first = stage.troupe.plan_panel(call, "Panel, first day", stage.days_ago(4) + timedelta(hours=1))
    yield stage.days_ago(4) + timedelta(hours=1)
    stage.troupe.open_panel(first)
    yield stage.days_ago(4) + timedelta(hours=1, minutes=4)
    stage.troupe.cut_off(first)
    yield stage.days_ago(4) + timedelta(hours=1, minutes=6)
    stage.troupe.back(first)
    yield stage.days_ago(4) + timedelta(hours=1, minutes=9)
    stage.troupe.look_at_two(first)
    yield stage.days_ago(4) + timedelta(hours=1, minutes=16)
    stage.troupe.end_panel(first)
    yield stage.days_ago(3)
    # Most sheets are missing, so the advice says why it says nothing.
    awards.request_advice(stage.troupe.actor("chair"), call.id, FINISHED)
    second = stage.troupe.plan_panel(call, "Panel, second day", stage.days_ago(2) + timedelta(hours=1))
    yield stage.days_ago(2) + timedelta(hours=1)
    stage.troupe.open_panel(second)
    yield stage.days_ago(2) + timedelta(hours=1, minutes=9)
    stage.troupe.propose_and_pause(second)
    stage.troupe.plan_panel(call, "Panel, third day", stage.today + timedelta(days=3, hours=1))


def _agreed(place: int) -> tuple[int, int, int]:
    """What the evaluators of the application at this place agree on, in half points, or will."""
    return 7 + place % 3, 6 + place % 4, 7 + place % 2
