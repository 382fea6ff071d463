"""What people of the demo do until an application is checked: calls are published, applications written and sent."""

from __future__ import annotations

import io
import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from werkzeug.datastructures import FileStorage

from grants.agreements import queries as agreement_reads
from grants.agreements import services as agreements
from grants.agreements.rules import WaitingRule
from grants.applications import queries as application_reads
from grants.applications import services as applications
from grants.applications.rules import BudgetInput as ApplicationBudget
from grants.applications.rules import ConditionAnswer, DetailsInput, InviteInput, PlanInput, SectionInput, StartInput
from grants.applications.services import places_of
from grants.applications.states import Verdict
from grants.awards import queries as award_reads
from grants.awards import services as awards
from grants.awards.rules import PublishedOther, PublishedOutcome, PublishedPilot
from grants.budgets.rules import Cell, Months, PlanItem, PlannedPackage
from grants.calls import queries as call_reads
from grants.calls import services as calls
from grants.calls.rules import BudgetInput, CallView
from grants.core import clock, files
from grants.core.money import Money, euros
from grants.demo import crowd
from grants.demo.arriving import Arrivals
from grants.demo.cast import SOURCE, AskedInDemo
from grants.demo.crowd import OtherOf2022, RealPilot, key_of
from grants.demo.texts import CALL, INVENTED, OTHERS_NOTE, PLAN, answer, letter
from grants.dossiers.rules import Mark, QuestionKind
from grants.identity import queries as identity


class Applicants(Arrivals):
    """Calls and applications."""

    # --- calls ------------------------------------------------------------------------------------------------------

    def publish_call(self, text: str, total: Money) -> CallView:
        """A call from its file, completed by the labelled template, published, its budget authorised."""
        call_id = self.import_call(text)
        calls.publish(self.actor("manager"), call_id)
        calls.authorise_budget(self.actor("authoriser"), call_id, BudgetInput(total))
        return call_reads.call_by_id(call_id)

    def import_call(self, text: str) -> UUID:
        """A draft of a call from its file, completed by the labelled template."""
        made = calls.import_call(self.actor("manager"), text)
        calls.apply_template(self.actor("manager"), made.id)
        self._let_new_accounts_wait(made.id)
        return made.id

    def _let_new_accounts_wait(self, call_id: UUID) -> None:
        """With the first invented call the programme lays down how long a new bank account waits."""
        call = call_reads.call_by_id(call_id)
        if call.synthetic and not agreement_reads.waiting_rules([call_id]):
            rule = WaitingRule(
                clock.today(),
                3,
                14,
                f"In these days a change that nobody asked for is noticed. {INVENTED}",
            )
            agreements.lay_down_waiting(self.actor("manager"), call.programme.id, rule)

    def publish_invented_call(
        self,
        title: str,
        opens_on: datetime,
        closes_on: datetime,
        total: int,
        *,
        award: int | None = None,
        more: str = "",
    ) -> CallView:
        """A call of invented municipalities; ``more`` is what its file says beyond the usual."""
        text = invented_call(title, opens_on, closes_on, total, award=award, more=more)
        return self.publish_call(text, euros(total))

    def record_cohort_1(self, call_id: UUID, pilots: Sequence[RealPilot], others: Sequence[OtherOf2022]) -> None:
        """The published outcome of cohort 1 with the invented applications beside it, recorded by one person."""
        outcome = PublishedOutcome(
            SOURCE,
            "Pilot Cities, cohort 1 (2022)",
            "Recorded from the published outcome: 25 pilots of 53 cities, out of 103 applications. "
            "The applications that were not selected are not public; the demo invents 78 of them.",
            tuple(self._published(pilot) for pilot in pilots),
            tuple(self._invented(other) for other in others),
        )
        awards.record_published_outcome(self.actor("manager"), call_id, outcome)

    def _published(self, pilot: RealPilot) -> PublishedPilot:
        return PublishedPilot(
            pilot.title,
            tuple(self.places[key_of(*city)] for city in pilot.cities),
            euros(pilot.euros),
            pilot.basis,
            acronym=pilot.acronym,
            source_url=pilot.source,
            summary=pilot.about,
            synthetic_note=pilot.note,
        )

    def _invented(self, other: OtherOf2022) -> PublishedOther:
        return PublishedOther(
            other.title,
            tuple(self.places[city.key] for city in other.cities),
            other.ended,
            other.reason,
            requested=euros(other.euros),
            summary=f"{other.title}: an application of the demo. {INVENTED}",
            synthetic_note=OTHERS_NOTE,
        )

    def confirm_cohort_1(self, call_id: UUID) -> None:
        """Another person confirms the recorded outcome: the pilots enter, their money is reserved."""
        awards.confirm(self.actor("authoriser"), award_reads.selections(call_id)[0].id)

    # --- applications -----------------------------------------------------------------------------------------------

    def asked_by(self, place: crowd.Municipality, number: int, euros_asked: int) -> AskedInDemo:
        """An application of an invented municipality of the crowd, written by its own person."""
        lead = self.writer(place.name, place.country, place.contact, "Climate officer")
        return AskedInDemo(f"{crowd.theme(number)} in {place.name}", place.key, lead, euros_asked)

    def apply(self, call: CallView, asked: AskedInDemo) -> UUID:
        """A whole application, sent."""
        made = self.draft(call, asked, sections=99)
        for role in _files_needed(call):
            upload = FileStorage(io.BytesIO(letter(asked.title)), filename=f"{role}.pdf")
            applications.attach_file(self.actor(asked.lead), made, files.receive(upload), role)
        applications.submit(self.actor(asked.lead), made)
        return made

    def draft(self, call: CallView, asked: AskedInDemo, *, sections: int) -> UUID:
        """An application with its budget and the first so many sections."""
        details = DetailsInput(asked.title, summary=f"{asked.title}: a pilot of the demo. {INVENTED}")
        place = self.places[asked.organisation]
        notice = None if call.fact("privacy_notice").absent else 1
        made = applications.start(self.actor(asked.lead), call.id, StartInput(place, details, notice)).id
        self.changed(asked.lead)
        actor = self.actor(asked.lead)
        for section in call.content.definition.sections[:sections]:
            answers = tuple(
                answer(question, asked.title, asked.number)
                for question in section.questions
                if question.kind is not QuestionKind.FILE
            )
            applications.save_section(actor, made, section.key, SectionInput(answers, Mark.COMPLETE, None))
        packages: tuple[str, ...] = ("",)
        if call.content.budget_rules.by_work_package:
            self.plan(made, asked.lead, (asked.organisation,))
            packages = tuple(f"WP{number}" for number, _ in enumerate(PLAN, start=1))
        applications.save_budget(actor, made, ApplicationBudget(_cells(place, asked.euros, packages), None))
        return made

    def apply_together(self, call: CallView, asked: AskedInDemo, partners: Mapping[str, str]) -> UUID:
        """An application of several municipalities, each with as much as the lead, sent; ``partners`` are people by their places."""
        made = self.draft(call, asked, sections=99)
        cells: tuple[Cell, ...] = ()
        for place, person in partners.items():
            self.invite_partner(made, asked.lead, person, place)
            applications.accept_invitation(self.actor(person), made, self.places[place])
            self.changed(person)
            cells += _cells(self.places[place], asked.euros, ("",))
        applications.save_budget(self.actor(asked.lead), made, ApplicationBudget(cells, None))
        applications.submit(self.actor(asked.lead), made)
        return made

    def plan(self, application_id: UUID, lead: str, places: Sequence[str]) -> None:
        """The lead writes the work plan; its lines are shared out among these organisations in turn."""
        owners = itertools.cycle([self.places[place] for place in places])
        packages = tuple(
            PlannedPackage(
                "",
                title,
                self.places[places[0]],
                Months(first, last),
                tuple(PlanItem(kind, line, next(owners), Months(*months)) for kind, line, months in lines),
            )
            for title, (first, last), lines in PLAN
        )
        applications.save_plan(self.actor(lead), application_id, PlanInput(packages, None))

    def invite_partner(self, application_id: UUID, lead: str, partner: str, place: str) -> None:
        """The lead asks a person of another city to take part."""
        person = identity.person(self.ids[partner])
        applications.invite(
            self.actor(lead), application_id, InviteInput(person.email, person.name, self.places[place])
        )
        self.changed(partner)

    def declare_eligible(self, sent: Sequence[UUID], *, failing: str = "") -> None:
        """The eligibility desk passes every condition of each; ``failing`` names the one that is not met, and why is said."""
        self.decide_eligibility(sent, failing=failing)
        for application_id in sent:
            applications.send_letter(self.actor("eligibility"), application_id)

    def decide_eligibility(self, sent: Sequence[UUID], *, failing: str = "") -> None:
        """The same without the letters, which wait to be looked at."""
        for application_id in sent:
            call = application_reads.view_by_id(application_id).call
            answers = tuple(
                ConditionAnswer(each.key, Verdict.FAIL, "The letter of mandate names another municipality.")
                if each.key == failing
                else ConditionAnswer(each.key, Verdict.PASS)
                for each in call.content.conditions
            )
            verdict = applications.declare(self.actor("eligibility"), application_id, answers)
            if verdict is Verdict.FAIL:
                applications.confirm_refusal(self.actor("eligibility_second"), application_id)

    def changed(self, *keys: str) -> None:
        """Say that these people were given something to do, or lost it: who they are is looked up anew."""


def invented_call(
    title: str, opens_on: datetime, closes_on: datetime, total: int, *, award: int | None = None, more: str = ""
) -> str:
    """The file of a call from 09:00 of one day until 17:00 of another, Brussels time."""
    opening = clock.in_zone(opens_on).replace(hour=9)
    closing = clock.in_zone(closes_on).replace(hour=17)
    text = CALL.format(
        title=title,
        year=opening.year,
        opens=opening.date().isoformat(),
        literal=f"{clock.long_date(closing.date())}, 17:00 Brussels time",
        closes=closing.isoformat(),
        total=total,
        award=award or total // 2,
    )
    # What a call says itself takes the place of the usual line.
    return (text.replace("duration_months: 24\n", "") if "duration_months" in more else text) + more


def _cells(place: UUID, asked: int, packages: Sequence[str]) -> tuple[Cell, ...]:
    """A budget over so many euros with its flat rate: own people in each work package, what is bought in the last."""
    direct = euros(asked).cents * 4 // 5
    staff = Money(direct * 3 // 4).split([1] * len(packages))
    bought = Cell(place, "C3", Money(direct - direct * 3 // 4), packages[-1])
    return *(Cell(place, "A", part, package) for part, package in zip(staff, packages, strict=True)), bought


def _files_needed(call: CallView) -> list[str]:
    needed = {f"attachment_{each.key}" for each in call.content.attachments if each.required}
    return [role for role in places_of(call) if role in needed or role.startswith("question_")]
