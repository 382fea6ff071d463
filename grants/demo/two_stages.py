"""A call in two stages: concepts that were sent and invited, one full proposal that is written, and a concept whose lead is gone."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from grants.applications import services as applications
from grants.applications.rules import DetailsInput, FollowInput, SectionInput, StartInput
from grants.calls import queries as call_reads
from grants.calls import services as calls
from grants.calls.rules import BudgetInput, CallView
from grants.core import clock
from grants.core.money import euros
from grants.demo import crowd
from grants.demo.cast import AskedInDemo
from grants.demo.stage import Stage, Story
from grants.demo.texts import INVENTED, answer
from grants.dossiers.rules import Mark
from grants.identity import services as people

CONCEPT = """\
schema_version: 1
call:
  id: "{id}"
  title: "Green quarters {year}, concepts (invented)"
  invented: true
  year: {year}
  kind: expression_of_interest
  stage: concept
  parent_grant: {{number: "DEMO-1", acronym: Demo Fund, framework: Invented framework}}
dates:
  opens: {{local: "{opens}", time: "09:00"}}
  short_opening_reason: Invented for the demonstration
  deadline_original: {{local: "{closes} 17:00"}}
duration_months: 24
eligibility:
  applicants: {{rule: Any municipality}}
  criteria:
    - {{key: lead, rule: the lead is a municipality, test: {{fact: organisation_kind, of: lead, allowed: [municipality]}}}}
submission: {{language: en, required_attachments: []}}
application_form:
  sections:
    - key: idea
      title: The idea
      questions:
        - {{key: barrier, label: "Which barrier do you meet?", kind: long, words_max: 150}}
        - {{key: streets, label: "What changes in the streets?", kind: long, words_max: 150}}
"""
FULL = """\
schema_version: 1
call:
  id: "{id} full"
  title: "Green quarters {year}, full proposals (invented)"
  invented: true
  year: {year}
  stage: full_proposal
  follows: "{id}"
  parent_grant: {{number: "DEMO-1", acronym: Demo Fund, framework: Invented framework}}
dates:
  opens: {{local: "{opens}", time: "09:00"}}
  short_opening_reason: Invented for the demonstration
  deadline_original: {{local: "{closes} 17:00"}}
duration_months: 24
budget: {{total: 900000}}
grant_bands_eur:
  - {{code: A, amount: 300000}}
submission: {{language: en, required_attachments: []}}
application_form:
  sections:
    - key: plan
      title: The plan
      questions:
        - {{key: barrier, label: "Which barrier does the pilot lower?", kind: long, words_max: 300, criterion: excellence}}
        - {{key: steps, label: "Which steps do you take, and when?", kind: long, words_max: 300, criterion: implementation}}
"""
STARTED = AskedInDemo("The Green Ring", "kovarhely", "reka", 300_000)
INVITED = AskedInDemo("Courtyards for Everybody", "portosereno", "paolo", 300_000)
NOT_INVITED = AskedInDemo("Trees before Tramlines", "brunnvik", "linnea", 300_000)
# Of a municipality of the crowd, whose officer left after the concept was invited.
LEFT_TITLE, LEFT_PLACE, FOLLOWS_NAME = "Cellars that Cool", 100, "Elif Halefoğlu"


@dataclass
class _Stages:
    """The two calls of one year, and the concepts by title."""

    stage: Stage
    concepts: dict[str, UUID]

    def publish(self, text: str, *, opens: int, closes: int) -> CallView:
        """One of the two; days count back from today."""
        begins, ends = (clock.in_zone(self.stage.days_ago(days)) for days in (opens, closes))
        year = clock.in_zone(self.stage.days_ago(150)).year
        filled = text.format(id=f"Green quarters {year}", year=year, opens=begins.date(), closes=ends.date())
        call_id = self.stage.troupe.import_call(filled)
        calls.publish(self.stage.troupe.actor("manager"), call_id)
        return call_reads.call_by_id(call_id)

    def send(self, call: CallView, asked: AskedInDemo, partner: tuple[str, str] | None = None) -> None:
        """A concept, sent; with a partner who agreed."""
        troupe = self.stage.troupe
        details = DetailsInput(asked.title, summary=f"{asked.title}: a concept of the demo. {INVENTED}")
        notice = None if call.fact("privacy_notice").absent else 1
        given = StartInput(troupe.places[asked.organisation], details, notice)
        made = applications.start(troupe.actor(asked.lead), call.id, given).id
        troupe.changed(asked.lead)
        for section in call.content.definition.sections:
            answers = tuple(answer(question, asked.title) for question in section.questions)
            applications.save_section(
                troupe.actor(asked.lead), made, section.key, SectionInput(answers, Mark.COMPLETE, None)
            )
        if partner is not None:
            person, place = partner
            troupe.invite_partner(made, asked.lead, person, place)
            applications.accept_invitation(troupe.actor(person), made, troupe.places[place], notice)
        applications.submit(troupe.actor(asked.lead), made)
        self.concepts[asked.title] = made


def two_stages(stage: Stage) -> Story:
    """From the call for concepts to a full proposal that is written and a lead who is looked for."""
    troupe, told = stage.troupe, _Stages(stage, {})
    yield stage.days_ago(150)
    stage.say("A call in two stages: its concepts")
    first = told.publish(CONCEPT, opens=148, closes=100)
    yield stage.days_ago(110)
    place = crowd.municipalities()[LEFT_PLACE]
    left = AskedInDemo(
        LEFT_TITLE, place.key, troupe.writer(place.name, place.country, place.contact, "Officer"), 300_000
    )
    follows = troupe.colleague(place.key, FOLLOWS_NAME, "Climate officer")
    for asked in (STARTED, INVITED, NOT_INVITED):
        told.send(first, asked)
    told.send(first, left, ("eleni", "neochora"))
    yield stage.days_ago(90)
    troupe.declare_eligible(list(told.concepts.values()))
    yield stage.days_ago(62)
    stage.say("A call in two stages: its full proposals")
    second = told.publish(FULL, opens=60, closes=-25)
    calls.authorise_budget(troupe.actor("authoriser"), second.id, BudgetInput(euros(900_000)))
    yield stage.days_ago(58)
    chosen = [told.concepts[title] for title in (STARTED.title, INVITED.title, LEFT_TITLE)]
    applications.invite_concepts(troupe.actor("manager"), second.id, chosen, "Say more on what it costs to keep.")
    yield stage.days_ago(40)
    people.disable_user(troupe.actor("administrator"), troupe.ids[left.lead], reason="Left the municipality.")
    yield stage.days_ago(14)
    notice = None if second.fact("privacy_notice").absent else 1
    details = DetailsInput(f"{STARTED.title}, in full", summary=f"A full proposal of the demo. {INVENTED}")
    given = FollowInput(details, questions=("barrier",), notice=notice)
    applications.start_invited(troupe.actor(STARTED.lead), second.id, told.concepts[STARTED.title], given)
    troupe.changed(STARTED.lead)
    yield stage.days_ago(4)
    applications.ask_takeover(
        troupe.actor("eleni"),
        told.concepts[LEFT_TITLE],
        follows,
        "Our colleague left. The invited concept needs a lead.",
    )
