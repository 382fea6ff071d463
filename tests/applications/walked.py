"""A call in the middle of everything, for looking at every page of it: asked, answered, changed, written to, checked."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from werkzeug.datastructures import FileStorage

from grants.applications import queries, services
from grants.applications.rules import ClarificationInput, CommentInput, ConditionAnswer, PersonInput, ServingInput
from grants.applications.rules.exporting import ListForm
from grants.applications.rules.saving import SavedListInput, Sharing
from grants.applications.rules.trial import TrialApplicant, TrialContent
from grants.applications.states import Verdict
from grants.calls import services as call_services
from grants.calls.rules import CallView, DeadlineInput
from grants.calls.rules.privacy import HEADINGS, PrivacyText
from grants.calls.rules.questions import AskInput, Wording
from grants.calls.rules.sessions import SessionInput
from grants.cities import services as cities
from grants.cities.rules import ActionInput, CityInput
from grants.cities.states import ActionKind, EmissionDomain
from grants.conversations.rules import TicketInput
from grants.conversations.states import Queue
from grants.core import clock, files
from grants.identity.policy import Role
from tests import actors
from tests.applications.test_six_calls import judged, lead_of, sent
from tests.applications.test_team import colleague, partner
from tests.applications.test_two_stages import BEFORE, CONCEPT, FULL, invite
from tests.applications.test_two_stages import published as staged
from tests.calls.scene import SMALL, filled
from tests.factories import applications as factory
from tests.factories.applications import AFTER_CLOSING, BEFORE_OPENING, WHILE_OPEN, again

PASS = Verdict.PASS
# While the second half of the two-stage call is open.
INVITED = datetime(2026, 7, 10, 9, tzinfo=UTC)
# When every call is over.
OVER = datetime(2026, 11, 2, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Walked:
    """Where everything is: addresses of calls, references of applications, numbers of what lies in them."""

    call: str
    # A draft of a call, with a dry run.
    built: str
    # The second half of a two-stage call, and a concept invited to it.
    full: str
    concept: str
    # Being written by a team; sent, checked, and asked about; sent, eligible, and told so.
    draft: str
    sent: str
    told: str
    asked: str
    entry: int
    ticket: str
    saved: int
    # A file of a list that was asked for.
    kept: int
    file: str
    city: str


def walked(call: CallView) -> Walked:
    """Everything that can be going on around one call, made by acts."""
    with clock.at(BEFORE_OPENING):
        for person in (
            actors.ana,
            actors.marek,
            actors.ingrid,
            actors.eli,
            actors.ella,
            actors.pia,
            actors.otto,
            actors.ada,
        ):
            person()
    city = _city()
    told, _ = _told(call, "Passed"), _told(call, "Waiting", sent=False)
    draft, file = _written(call)
    asked, entry = _questions(call)
    ticket = _tickets(call, draft)
    with clock.at(WHILE_OPEN):
        call_services.add_session(actors.ingrid(), call.id, SESSION)
        slides = FileStorage(io.BytesIO(factory.PDF), filename="slides.pdf")
        call_services.add_slides(actors.ingrid(), call.id, 1, files.receive(slides))
        sent_id = factory.submitted(call, actors.ana(), "Warm Blocks")
        notice = PrivacyText(*(f"Words about {heading.lower()}." for heading in HEADINGS.values()))
        call_services.add_privacy_notice(actors.ingrid(), call.id, notice, "The first one.")
        call_services.edit_copy(actors.ingrid(), call.id, "duration_months", "value: 30\n")
        saved = services.save_list(actors.eli(), SavedListInput("Mine", "state=eligible", Sharing(call.slug)))
        kept = services.ask_list_file(actors.eli(), "state=eligible", ListForm.CSV)
    with clock.at(AFTER_CLOSING - timedelta(hours=20)):
        more = DeadlineInput(datetime(2022, 11, 16, 12), "An outage.", "A day more for you.")
        services.extend_for_one(actors.ingrid(), queries.in_call(call.id, draft), more)
    with clock.at(AFTER_CLOSING):
        question = ClarificationInput("Which streets?", (call.content.conditions[0].key,), (), None)
        services.ask_clarification(actors.eli(), sent_id, question)
    full, concept = _stages()
    return Walked(
        call.slug, _built(), full, concept, draft, queries.view_by_id(sent_id).reference, told, asked, entry, ticket,
        saved, kept, file, city,
    )  # fmt: skip


TRIAL = TrialContent("A dry run", (TrialApplicant("Testham", population=120_000),))
SESSION = SessionInput("How to apply", datetime(2022, 10, 10, 10), datetime(2022, 10, 10, 11), "Online", "")


def _city() -> str:
    (northbridge,) = actors.ana().organisation_ids
    made = cities.add_city(actors.ingrid(), CityInput("Northport", "PL", organisation_id=northbridge, synthetic=True))
    roofs = ActionInput("B-1", "Roofs", ActionKind.ACTION, EmissionDomain.BUILDINGS, "Action plan, p. 12", 2023)
    for number in ("B-1", "B-2", "T-1"):
        cities.add_action(actors.ana(), made.id, replace(roofs, number=number))
    return "northport"


def _told(call: CallView, title: str, *, sent: bool = True) -> str:
    """An application that is eligible and knows it, or waits for its letter."""
    application_id = factory.submitted(call, actors.ana(), title)
    with clock.at(AFTER_CLOSING):
        services.declare(
            actors.eli(), application_id, tuple(ConditionAnswer(each.key, PASS) for each in call.content.conditions)
        )
        if sent:
            services.send_letter(actors.eli(), application_id)
    return queries.view_by_id(application_id).reference


def _written(call: CallView) -> tuple[str, str]:
    """A draft of three people, with files, comments and actions; its reference, and the hash of a file."""
    reference = factory.draft(call, actors.ana(), "Quiet Kitchens")
    application_id = factory.fill(reference, actors.ana())
    with clock.at(WHILE_OPEN):
        ana = again(actors.ana())
        partner(application_id, "summary")
        carla = colleague()
        given = PersonInput("carla.colleague@example.eu", carla.name, Role.APPLICATION_EDITOR, ())
        services.invite_person(ana, application_id, given)
        services.comment(ana, application_id, "summary", "summary", CommentInput("Is that so?"))
        services.save_serving(ana, application_id, [ServingInput("We do.", own_title="Kitchens")])
        wanted = next(each for each in call.content.attachments if each.required)
        factory.attach(application_id, ana, f"attachment_{wanted.key}", "again.pdf")
        view = queries.view(ana, reference)
        attached = files.listed("application", view.id)
    return reference, attached[0].sha256


def _questions(call: CallView) -> tuple[str, int]:
    """One answered, one being answered, one waiting; the reference of what waits, and the number of the draft."""
    with clock.at(WHILE_OPEN):
        references = [
            call_services.ask_question(who, call.id, AskInput(f"May {text} lead?"))
            for who, text in ((actors.ana(), "a region"), (actors.marek(), "an island"), (actors.ana(), "a bank"))
        ]
        first = call_services.draft_answer(actors.ingrid(), call.id, (references[0],))
        call_services.publish_answer(actors.ingrid(), first.id, Wording("May a region lead?", "No."))
        second = call_services.draft_answer(actors.ingrid(), call.id, (references[1],))
    return references[2], second.entry


def _tickets(call: CallView, draft: str) -> str:
    with clock.at(WHILE_OPEN):
        services.open_ticket(again(actors.ana()), TicketInput(Queue.TECHNICAL, f"call:{call.slug}", "Sign", "How?"))
        about = TicketInput(Queue.CONTENT, f"application:{draft}", "A name", "Which one?")
        return services.open_ticket(again(actors.ana()), about)


def _built() -> str:
    made = filled(SMALL)
    with clock.at(BEFORE_OPENING):
        services.begin_trial(actors.ingrid(), made.id, TRIAL)
    return made.slug


def _stages() -> tuple[str, str]:
    with clock.at(BEFORE):
        for person in (actors.ana("Municipality of Northbridge"), actors.ingrid(), actors.eli()):
            assert person.user_id
    first, second = staged(CONCEPT), staged(FULL)
    concept = sent(first, lead_of("Northbridge"), title="A concept")
    judged(first, concept)
    invite(second, concept)
    return second.slug, queries.view_by_id(concept).reference
