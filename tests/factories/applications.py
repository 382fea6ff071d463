"""A published call and applications to it, made through acts, as later stages need them."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from importlib import resources
from uuid import UUID

import pikepdf
from werkzeug.datastructures import FileStorage

from grants.applications import queries, services
from grants.applications.rules import BudgetInput, DetailsInput, SectionInput, StartInput
from grants.budgets.rules import Cell
from grants.calls import queries as calls
from grants.calls import services as call_services
from grants.calls.rules import CallView
from grants.core import clock, files
from grants.core.money import Money, euros
from grants.core.permissions import Actor
from grants.dossiers.rules import Answer, Mark, Question, QuestionKind
from grants.identity import queries as identity
from tests import actors

BEFORE_OPENING = datetime(2022, 8, 1, 9, tzinfo=UTC)
WHILE_OPEN = datetime(2022, 10, 3, 8, tzinfo=UTC)
# 15 November 2022, 12:00 in Brussels.
CLOSES_AT = datetime(2022, 11, 15, 11, tzinfo=UTC)
AFTER_CLOSING = CLOSES_AT + timedelta(days=1)

HUNDRED_THOUSAND = euros(100_000)


def _one_page() -> bytes:
    written = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page(page_size=(72, 72))
        document.save(written, static_id=True)
    return written.getvalue()


PDF = _one_page()


def published_call() -> CallView:
    """The 2022 call with the template applied, published before it opens."""
    text = resources.files("grants.calls").joinpath("data/call_2022.yaml").read_text(encoding="utf-8")
    with clock.at(BEFORE_OPENING):
        made = call_services.import_call(actors.ingrid(), text)
        call_services.apply_template(actors.ingrid(), made.id)
        call_services.publish(actors.ingrid(), made.id)
    return calls.call_by_id(made.id)


def again(actor: Actor) -> Actor:
    """The same person with the rights held now."""
    assert actor.user_id is not None
    return identity.actor_for(actor.user_id, fresh=True)


def draft(call: CallView, lead: Actor, title: str = "Warm Blocks", *, at: datetime = WHILE_OPEN) -> str:
    """A started application; returns its reference."""
    (organisation_id,) = lead.organisation_ids
    with clock.at(at):
        return services.start(lead, call.id, StartInput(organisation_id, DetailsInput(title))).reference


def answer_to(question: Question) -> Answer:
    """Something right for any kind of question but a file."""
    match question.kind:
        case QuestionKind.CHOICE | QuestionKind.MULTICHOICE:
            return Answer(question.key, picked=(question.choices[0].value,))
        case QuestionKind.CONFIRMATION:
            return Answer(question.key, picked=("yes",))
        case QuestionKind.NUMBER | QuestionKind.MONEY:
            return Answer(question.key, "12")
        case QuestionKind.DATE:
            return Answer(question.key, "1 May 2023")
        case QuestionKind.TABLE:
            cells = {QuestionKind.SHORT: "A word", QuestionKind.DATE: "1 May 2023"}
            return Answer(question.key, "\t".join(cells.get(column.kind, "12") for column in question.columns))
        case _:
            return Answer(question.key, f"An answer to {question.key.replace('_', ' ')}.")


def fill(reference: str, lead: Actor, *, at: datetime = WHILE_OPEN, amount: Money = HUNDRED_THOUSAND) -> UUID:
    """Answer every question, enter a budget and attach what the call demands; returns the application's id."""
    person = again(lead)
    view = queries.view(person, reference)
    assert view.dossier_id is not None
    with clock.at(at):
        for section in view.call.content.definition.sections:
            answers = tuple(answer_to(q) for q in section.questions if q.kind is not QuestionKind.FILE)
            services.save_section(person, view.id, section.key, SectionInput(answers, Mark.COMPLETE, None))
        first = view.call.content.budget_rules.entered[0].code
        cells = tuple(Cell(partner.organisation_id, first, amount) for partner in view.partners)
        services.save_budget(person, view.id, BudgetInput(cells, None))
        for wanted in view.call.content.attachments:
            if wanted.required:
                attach(view.id, person, f"attachment_{wanted.key}", f"{wanted.key}.pdf")
        for role in services.places_of(view.call):
            if role.startswith("question_"):
                attach(view.id, person, role, f"{role}.pdf")
    return view.id


def attach(application_id: UUID, person: Actor, role: str, name: str, data: bytes = PDF) -> None:
    """Attach one file."""
    upload = FileStorage(io.BytesIO(data), filename=name)
    services.attach_file(person, application_id, files.receive(upload), role)


def submitted(call: CallView, lead: Actor, title: str = "Warm Blocks", *, at: datetime = WHILE_OPEN) -> UUID:
    """A complete application that was sent; returns its id."""
    application_id = fill(draft(call, lead, title, at=at), lead, at=at)
    with clock.at(at):
        services.submit(again(lead), application_id)
    return application_id
