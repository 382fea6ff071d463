"""A small call whose results are complained about: one complaint in each state that an applicant or the office meets."""

from __future__ import annotations

import io
from uuid import UUID

from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from grants.applications.models import Application
from grants.awards import services as awards
from grants.awards.models import Complaint
from grants.awards.rules.complaints import ComplaintInput, SecondDecision
from grants.awards.states import Remedy
from grants.calls.rules import CallView
from grants.calls.states import ComplaintGround
from grants.core import files
from grants.core.db import db
from grants.demo.cast import AskedInDemo
from grants.demo.stage import Stage, Story
from grants.demo.texts import letter
from grants.evaluation.states import Gender

# Of the evaluators of each application one is a woman and one a man, of those who said it; nobody has to, and two do not.
RULES = """\
evaluation:
  assignment: {topics: 750, language: 250, balance: true}
  selection: {reserve_max: 1, amounts: true, places: true}
  complaints: {window_days: 30, decide_days: 15, working_days: true, holidays: target}
  signing:
    signed_by: Claire Dumont
    role: Authorising officer
    organisation: Pilot Cities Programme Office
    place: Brussels
    contact: pilots@programme.example
"""

# Title, who leads it, euros, consensus in half points. The money reaches the first one; each of the others complains.
SELECTED = AskedInDemo("Shade on Market Day", "aerosted", "niels", 90_000, (9, 9, 9))
UPHELD = AskedInDemo("Awnings for All", "brunnvik", "linnea", 80_000, (8, 8, 8))
PROPOSED = AskedInDemo("The Linden Row", "portosereno", "paolo", 80_000, (8, 8, 7))
REJECTED = AskedInDemo("A Roof of Leaves", "sumberk", "jaro", 70_000, (8, 7, 7))
RECEIVED = AskedInDemo("Cool Steps", "kovarhely", "reka", 70_000, (7, 7, 7))
BEGUN = AskedInDemo("Water under the Square", "lumenau", "theresa", 70_000, (7, 5, 7))
LIST = (SELECTED, UPHELD, PROPOSED, REJECTED, RECEIVED, BEGUN)
TOTAL = 100_000
# What evaluators say of themselves, and how many applications they aim at; who names no number shares what is left.
PROFILES = {
    "elena": (Gender.WOMAN, 5), "sofia": (Gender.WOMAN, 2), "bram": (Gender.MAN, 4), "milan": (Gender.MAN, None),
    "ola": (Gender.UNSAID, 1),
}  # fmt: skip
# The two of the office who had no part in the first decision: the manager prepared its letters, and published its results.
COMMITTEE = ("eligibility_second", "officer")

G = ComplaintGround
WRITTEN = {
    UPHELD: (
        (G.OVERLOOKED, G.PROCEDURE),
        "The report says that no owner has agreed. The letter of mandate names the owners of all four houses, and the section "
        "“The work” says from which month on each of them takes part.\n\n"
        "The rule of the call is that what stands in the application is assessed. It was not.",
    ),
    PROPOSED: (
        (G.CONFLICT,),
        "One of the evaluators advised the city that was selected, in the year before. We found it in the minutes of its council.",
    ),
    REJECTED: ((G.PROCEDURE,), "We were told our result by letter three days after the others were told theirs."),
    RECEIVED: ((G.OVERLOOKED,), "The assessment of the risks leaves out the table in the last section."),
    BEGUN: ((G.OVERLOOKED,), "The comment on impact is about flats. Ours is a square; nobody lives on it."),
}
REASONS = {
    UPHELD: "The letter of mandate names four owners, and the section “The change and the work” says when each takes part. The evaluators wrote "
    "that no owner has agreed: that is not what stands in the application.\n\n"
    "Whether the application is better for it is for new evaluators to say.",
    PROPOSED: "The advice was given to another city of nearly the same name. The minutes of the council show it.",
    REJECTED: "All letters left within the same hour, as the record shows; one was read later than the others. The days to "
    "complain were counted from the letter, so nothing was lost.",
}


def contested(stage: Stage, call: CallView) -> Story:
    """From the confirmed list to the second decisions; what is not decided yet was sent some days ago."""
    yield stage.days_ago(21)
    stage.say(f"{call.title}: confirmed, the letters prepared")
    stage.troupe.confirm_selection(call)
    stage.troupe.prepare_letters(call)
    yield stage.days_ago(20)
    stage.say(f"{call.title}: the letters, and then the results")
    stage.troupe.send_letters(call)
    yield stage.days_ago(19)
    stage.troupe.publish_results(call)
    yield stage.days_ago(17)
    stage.say(f"{call.title}: complaints")
    made = {asked: _complain(stage, call, asked) for asked in (UPHELD, PROPOSED, REJECTED)}
    yield stage.days_ago(15)
    for complaint_id in made.values():
        awards.reviewing.admit(stage.troupe.actor(COMMITTEE[1]), complaint_id)
        two = (stage.troupe.ids[COMMITTEE[0]], stage.troupe.ids[COMMITTEE[1]])
        awards.reviewing.name_committee(stage.troupe.actor(COMMITTEE[1]), complaint_id, two)
    yield stage.days_ago(9)
    stage.say(f"{call.title}: second decisions")
    _propose(stage, made, UPHELD, Remedy.REPEAT)
    _propose(stage, made, REJECTED, None)
    yield stage.days_ago(8)
    for asked in (UPHELD, REJECTED):
        awards.reviewing.decide(stage.troupe.actor(COMMITTEE[1]), made[asked])
    stage.troupe.all_changed()
    yield stage.days_ago(3)
    _propose(stage, made, PROPOSED, None)
    _complain(stage, call, RECEIVED)
    _draft(stage, call, BEGUN)


def _draft(stage: Stage, call: CallView, asked: AskedInDemo) -> UUID:
    grounds, text = WRITTEN[asked]
    wanted = select(Application.id).where(Application.call_id == call.id, Application.title == asked.title)
    application_id = db.session.scalars(wanted).one()
    awards.complaints.save(
        stage.troupe.actor(asked.lead), application_id, ComplaintInput(tuple(each.value for each in grounds), text)
    )
    return db.session.scalars(select(Complaint.id).where(Complaint.application_id == application_id)).one()


def _complain(stage: Stage, call: CallView, asked: AskedInDemo) -> UUID:
    complaint_id = _draft(stage, call, asked)
    lead = stage.troupe.actor(asked.lead)
    if asked is UPHELD:
        upload = FileStorage(io.BytesIO(letter(asked.title)), "Mandate of the four owners.pdf")
        awards.complaints.attach(lead, complaint_id, files.receive(upload))
    awards.complaints.send(lead, complaint_id)
    return complaint_id


def _propose(stage: Stage, made: dict[AskedInDemo, UUID], asked: AskedInDemo, remedy: Remedy | None) -> None:
    given = SecondDecision(remedy is not None, remedy, REASONS[asked])
    awards.reviewing.propose(stage.troupe.actor(COMMITTEE[0]), made[asked], given)
