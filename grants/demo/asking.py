"""What goes on around the open call of the demo: questions and answers, sessions, the helpdesk, a privacy notice."""

from __future__ import annotations

import io
from datetime import datetime, time
from uuid import UUID

from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from grants.applications import services as applications
from grants.calls import services as calls
from grants.calls.rules import CallView
from grants.calls.rules.questions import AskInput, Wording
from grants.calls.rules.sessions import SessionInput
from grants.conversations.models import Conversation
from grants.conversations.rules import TicketInput
from grants.conversations.states import Queue
from grants.core import clock, files
from grants.core.db import db
from grants.demo.stage import Stage
from grants.demo.texts import letter

# What the file of the open call says beyond the usual.
AROUND = """\
privacy_notice:
  controller: "Pilot Cities Programme Office, Brussels (invented for the demonstration)."
  purpose: "To receive and check applications, to assess them, to decide on grants and to follow the pilots."
  legal_basis: "A task in the public interest: granting public money under the rules of the parent grant."
  recipients: "Staff of the programme, evaluators of this call and auditors. Selected pilots are published without personal data."
  retention: "Applications that are selected: ten years after the last payment. All others: three years after the results."
  rights: "You may see your data, have them corrected, object, and complain to the data protection authority."
  contact: "privacy@programme.example"
declarations:
  other_grants: true
  asked:
    - key: no_harm
      text: "Does any activity significantly harm an environmental objective?"
      explain: "yes"
      hint: "Climate, water, circular economy, pollution, nature."
    - key: ethics
      text: "Does the pilot raise ethical questions, for example by personal data of residents?"
      explain: "yes"
"""

_ASKED = (
    ("irina", "May Târgu Ștefănel ask for a new tram line with this money?"),
    ("marek", "Can we buy rolling stock, for example one battery bus?"),
    ("jaro", "Does a letter of mandate need the seal of the town hall?"),
    ("theresa", "Can a housing company that belongs to the municipality be a partner?"),
    ("advisor", "A city I advise asks: may its letter of mandate be signed electronically?"),
    ("linnea", "When is the balance of our grant from the earlier call paid?"),
)
_ANSWERED = (
    (
        (0, 1),
        "May the money pay for vehicles or for tracks?",
        "Vehicles only where a pilot cannot be made without them, and only their depreciation while it runs.\n\n"
        "New lines are not paid: the call pays for trying out, not for building.",
    ),
    (
        (2, 4),
        "Does a letter of mandate need a seal?",
        "No. A signature of whoever may bind the municipality is enough, on paper or qualified electronic.",
    ),
    (
        (3,),
        "May a housing company owned by a municipality take part?",
        "Yes, as a partner with a row of its own in the budget:\n\n- it is not the lead;\n- it declares for itself.",
    ),
)
_AT_THE_SESSION = (
    (
        "Is there a model for the budget?",
        "Yes. The page of the call has the whole budget as a workbook, to be filled offline and uploaded.",
    ),
    (
        "May two cities that already work together apply twice?",
        "Each administration takes part in one application only. Together they send one.",
    ),
)


def announce(stage: Stage, call: CallView) -> None:
    """One session that will be over by now, and one to come."""
    for title, day, place in (
        ("How to apply to Warm homes", stage.days_ago(6), "Online"),
        ("Ask us anything before the deadline", stage.days_ago(-5), "Online, and Rue des Essais 12, Brussels"),
    ):
        given = SessionInput(title, _at(day, 10), _at(day, 11, 30), place, "https://meet.programme.example/warm-homes")
        calls.add_session(stage.troupe.actor("manager"), call.id, given)


def ask(stage: Stage, call: CallView) -> list[str]:
    """Six people ask, twice two of them the same."""
    mandate = call.content.definition.sections[0].key
    return [
        calls.ask_question(stage.troupe.actor(who), call.id, AskInput(text, mandate if "mandate" in text else None))
        for who, text in _ASKED
    ]


def answer(stage: Stage, call: CallView, asked: list[str]) -> None:
    """Three answers for everybody."""
    manager = stage.troupe.actor("manager")
    for numbers, question, text in _ANSWERED:
        draft = calls.draft_answer(manager, call.id, tuple(asked[number] for number in numbers))
        calls.publish_answer(manager, draft.id, Wording(question, text, draft.section))
    aside = "This is about your grant and not about the call. Ask your project officer, who sees where it stands."
    calls.set_question_aside(manager, call.id, asked[-1], aside)


def after_the_session(stage: Stage, call: CallView) -> None:
    """Its recording and slides, what was asked there, and an answer that had to be corrected."""
    manager, day = stage.troupe.actor("manager"), stage.days_ago(6)
    recorded = SessionInput(
        "How to apply to Warm homes", _at(day, 10), _at(day, 11, 30), "Online", "", "https://video.programme.example/7"
    )
    calls.edit_session(manager, call.id, 1, recorded)
    slides = FileStorage(io.BytesIO(letter("How to apply to Warm homes")), filename="how-to-apply.pdf")
    calls.add_slides(manager, call.id, 1, files.receive(slides))
    for question, text in _AT_THE_SESSION:
        draft = calls.draft_answer(manager, call.id, ())
        calls.publish_answer(manager, draft.id, Wording(question, text, session=1))
    draft = calls.draft_answer(manager, call.id, ())
    made = calls.publish_answer(
        manager, draft.id, Wording("How long may a pilot take?", "At most 18 months, reports included.")
    )
    calls.correct_answer(
        manager,
        made.id,
        Wording("How long may a pilot take?", "24 months, as the call says; the final report follows after them."),
        "The first answer named the length of another call.",
    )


def wait(stage: Stage, call: CallView, application: str) -> tuple[UUID, UUID]:
    """Three tickets and two questions; returns the ticket about an application and the one on the workbook."""
    troupe = stage.troupe
    calls.ask_question(troupe.actor("linnea"), call.id, AskInput("Is the travel of volunteers an eligible cost?"))
    calls.ask_question(troupe.actor("paolo"), call.id, AskInput("Who may sign off for a partner?"))
    applications.open_ticket(
        troupe.actor("eleni_mayor"),
        TicketInput(
            Queue.TECHNICAL, f"call:{call.slug}", "Signing on a phone", "Can I sign off on my phone, or only at a desk?"
        ),
    )
    workbook = applications.open_ticket(
        troupe.actor("theresa"),
        TicketInput(
            Queue.TECHNICAL,
            f"call:{call.slug}",
            "The workbook opens with a warning",
            "Our office program says that the workbook of the budget comes from the internet. May we trust it?",
        ),
    )
    renamed = applications.open_ticket(
        troupe.actor("irina"),
        TicketInput(
            Queue.CONTENT,
            f"application:{application}",
            "Our partner has a new name since May",
            "Żółtowice merged with a neighbouring municipality. Do we write the old name or the new one?",
        ),
    )
    return _ticket(renamed), _ticket(workbook)


def _ticket(reference: str) -> UUID:
    return db.session.scalars(select(Conversation.id).where(Conversation.reference == reference)).one()


def help_out(stage: Stage, renamed: UUID, workbook: UUID) -> None:
    """The desk answers the ticket about an application, to one applicant alone, and asks back about the workbook."""
    officer = stage.troupe.actor("officer")
    applications.answer_ticket(
        officer,
        renamed,
        "Write the name the register has on the day you send. We correct it together after a merger.",
    )
    applications.ask_ticket_back(officer, workbook, "Which office program is it, and which version?")


def _at(day: datetime, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(clock.in_zone(day).date(), time(hour, minute))
