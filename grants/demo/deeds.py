"""What people of the demo do, each deed at the moment the clock is set to; ``stories`` says when."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum
from uuid import UUID

from werkzeug.datastructures import FileStorage

from grants.agreements import queries as agreement_reads
from grants.agreements import services as agreements
from grants.agreements.rules import AccountInput, CheckInput, ContactInput, text_hash
from grants.agreements.states import BankAccountState, CheckAnswer, ContactRole, MilestoneState
from grants.applications import queries as application_reads
from grants.applications import services as applications
from grants.applications.rules import BudgetInput as ApplicationBudget
from grants.applications.rules import ConditionAnswer, DetailsInput, InviteInput, SectionInput, StartInput
from grants.applications.services.drafting import file_roles
from grants.applications.states import Verdict
from grants.awards import queries as award_reads
from grants.awards import services as awards
from grants.awards.rules import DecisionInput, PublishedOutcome, PublishedPilot
from grants.awards.states import AmountBasis
from grants.budgets import queries as budgets
from grants.budgets.rules import Cell
from grants.calls import queries as call_reads
from grants.calls import services as calls
from grants.calls.rules import BudgetInput, CallView, ResultsInput
from grants.core import clock, files
from grants.core.acts import act
from grants.core.money import Money, euros
from grants.core.permissions import Actor, Permission, system_actor
from grants.demo.cast import EVALUATORS, ORGANISATIONS, PEOPLE, PILOTS, SOURCE, AskedInDemo, PersonOfTheDemo, RealPilot
from grants.demo.texts import CALL, INVENTED, NOTE, answer, halves, letter, sentences, sheet
from grants.dossiers.rules import Answer, Mark, QuestionKind
from grants.evaluation import queries as evaluation_reads
from grants.evaluation import services as evaluation
from grants.evaluation.rules import Answered, EvaluatorInput, RunInput
from grants.evaluation.states import Declared
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.policy import Role
from grants.identity.rules import OrganisationInput, UserInput
from grants.identity.states import OrganisationKind
from grants.payments import queries as payment_reads
from grants.payments import services as payments
from grants.payments.rules import DecisionInput as PaymentDecision
from grants.payments.states import RequestState
from grants.reporting import queries as report_reads
from grants.reporting import services as reporting
from grants.reporting.rules import Decision, Judged, MilestoneInput


class Preparation(Enum):
    """How far the officer takes a grant in preparation."""

    OFFERED = "offered"
    BEGUN = "begun"


@act("demo.set_up_organisations", needs=Permission.USER_INVITE, says="set up the organisations of the demo")
def set_up_organisations(actor: Actor) -> tuple[tuple[str, UUID], ...]:
    """The organisations of the demo; real cities are real, everything else is marked as invented."""
    return tuple(
        (
            key,
            people.make_organisation(
                OrganisationInput(
                    name,
                    kind,
                    country,
                    town=name if kind is OrganisationKind.MUNICIPALITY else None,
                    synthetic=synthetic,
                )
            ),
        )
        for key, (name, kind, country, synthetic) in ORGANISATIONS.items()
    )


# The program itself, before there is anybody: it makes the first people and organisations and nothing else.
_FOUNDER = system_actor("The demo", [Permission.USER_INVITE, Permission.ROLE_ASSIGN])


@dataclass
class Troupe:
    """Everybody of the demo and where they work, by the keys of ``cast``."""

    ids: dict[str, UUID] = field(default_factory=dict)
    places: dict[str, UUID] = field(default_factory=dict)

    def actor(self, key: str) -> Actor:
        """The person as they are now, freshly signed in."""
        return identity.actor_for(self.ids[key], fresh=True)

    # --- people -----------------------------------------------------------------------------------------------------

    def arrive(self) -> None:
        """Organisations, the first administrator, and everybody by invitation."""
        self.places = dict(set_up_organisations(_FOUNDER))
        first = UserInput(
            "Signe Holm", "signe.holm@demo.example", (Role.ADMINISTRATOR,), job_title="Administrator", is_demo=True
        )
        self.ids["administrator"] = people.add_user(_FOUNDER, first).user_id
        for person in PEOPLE:
            self.ids[person.key] = self._add(person)
        for _, role in identity.roles_waiting(self.actor("second_administrator")):
            people.confirm_role(self.actor("second_administrator"), role.id)

    def _add(self, person: PersonOfTheDemo) -> UUID:
        values = UserInput(
            person.name,
            f"{person.key.replace('_', '.')}@demo.example",
            person.roles,
            organisation_id=self.places[person.organisation],
            job_title=person.job,
            is_demo=True,
        )
        # Both administrators come from the program: one alone cannot make another.
        giver = _FOUNDER if Role.ADMINISTRATOR in person.roles else self.actor("administrator")
        return people.add_user(giver, values).user_id

    # --- calls ------------------------------------------------------------------------------------------------------

    def publish_call(self, text: str, total: Money) -> CallView:
        """A call from its file, completed by the labelled template, published, its budget authorised."""
        made = calls.import_call(self.actor("manager"), text)
        calls.apply_template(self.actor("manager"), made.id)
        calls.publish(self.actor("manager"), made.id)
        calls.authorise_budget(self.actor("authoriser"), made.id, BudgetInput(total))
        return call_reads.call_by_id(made.id)

    def publish_invented_call(self, title: str, opens_on: datetime, closes_on: datetime, total: int) -> CallView:
        """A call of invented municipalities from 09:00 of one day until 17:00 of another, Brussels time."""
        opening = clock.in_zone(opens_on).replace(hour=9)
        closing = clock.in_zone(closes_on).replace(hour=17)
        text = CALL.format(
            title=title,
            year=opening.year,
            opens=opening.date().isoformat(),
            literal=f"{clock.long_date(closing.date())}, 17:00 Brussels time",
            closes=closing.isoformat(),
            total=total,
            award=total // 2,
        )
        return self.publish_call(text, euros(total))

    def record_cohort_1(self, call_id: UUID) -> None:
        """The published outcome of cohort 1, recorded by one person and confirmed by another."""
        outcome = PublishedOutcome(
            SOURCE,
            "Pilot Cities, cohort 1 (2022)",
            "Recorded from the published outcome; the demo carries two of its pilots.",
            tuple(self._published(pilot) for pilot in PILOTS),
        )
        awards.record_published_outcome(self.actor("manager"), call_id, outcome)
        awards.confirm(self.actor("authoriser"), award_reads.selections(call_id)[0].id)

    def _published(self, pilot: RealPilot) -> PublishedPilot:
        return PublishedPilot(
            pilot.title,
            tuple(self.places[key] for key in pilot.organisations),
            euros(pilot.euros),
            AmountBasis.PUBLISHED,
            acronym=pilot.acronym,
            source_url=SOURCE,
            synthetic_note=NOTE,
        )

    # --- applications -----------------------------------------------------------------------------------------------

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
        actor, place = self.actor(asked.lead), self.places[asked.organisation]
        made = applications.start(actor, call.id, StartInput(place, details)).id
        actor = self.actor(asked.lead)
        for section in call.content.definition.sections[:sections]:
            answers = tuple(
                answer(question, asked.title)
                for question in section.questions
                if question.kind is not QuestionKind.FILE
            )
            applications.save_section(actor, made, section.key, SectionInput(answers, Mark.COMPLETE, None))
        direct = euros(asked.euros).cents * 4 // 5
        cells = (Cell(place, "A", Money(direct * 3 // 4)), Cell(place, "C3", Money(direct - direct * 3 // 4)))
        applications.save_budget(actor, made, ApplicationBudget(cells, None))
        return made

    def invite_partner(self, application_id: UUID, lead: str, partner: str, place: str) -> None:
        """The lead asks a person of another city to take part."""
        person = identity.person(self.ids[partner])
        invitation = InviteInput(person.email, person.name, self.places[place])
        applications.invite(self.actor(lead), application_id, invitation)

    def declare_eligible(self, sent: Sequence[UUID]) -> None:
        """The eligibility desk passes every condition of each."""
        for application_id in sent:
            call = application_reads.view_by_id(application_id).call
            answers = tuple(ConditionAnswer(each.key, Verdict.PASS) for each in call.content.conditions)
            applications.declare(self.actor("eligibility"), application_id, answers)

    # --- evaluation and selection -----------------------------------------------------------------------------------

    def assign(self, call: CallView, sent: Sequence[UUID], due: datetime, *, doubt: str | None = None) -> None:
        """Pool, declarations of everybody, the exact assignment; ``doubt`` is unsure about the first application."""
        for key in EVALUATORS:
            values = EvaluatorInput(self.ids[key], "FI", ("en",), (), 0, len(sent))
            evaluation.pool(self.actor("manager"), call.id, values)
        for key in (*EVALUATORS, "chair", "member"):
            answers = tuple(
                Answered(each, Declared.UNSURE, "I advised this city three years ago.")
                if key == doubt and place == 0
                else Answered(each, Declared.NONE)
                for place, each in enumerate(sent)
            )
            evaluation.declare(self.actor(key), call.id, answers)
        evaluation.run(self.actor("manager"), call.id, RunInput("demo", due))

    def assess(self, call: CallView, sent: Sequence[UUID], *, sheets: int = 999) -> None:
        """The first so many score sheets, submitted."""
        seats = [(each, user_id) for each in sent for user_id in evaluation_reads.seat_people(each)]
        for number, (application_id, user_id) in enumerate(seats[:sheets], start=1):
            actor = identity.actor_for(user_id, fresh=True)
            evaluation.submit(actor, application_id, sheet(call, halves(actor.name, number), actor.name))

    def agree(self, call: CallView, application_id: UUID, consensus: Sequence[int]) -> None:
        """The chair proposes the consensus, every assessor agrees."""
        evaluation.propose(self.actor("chair"), application_id, sheet(call, consensus, "Consensus"))
        for user_id in evaluation_reads.seat_people(application_id):
            evaluation.agree(identity.actor_for(user_id, fresh=True), application_id)

    def decide_selection(self, call: CallView) -> None:
        """The chair decides the list as ranked."""
        page = award_reads.ranking_page(self.actor("chair"), call.slug)
        awards.decide(self.actor("chair"), call.id, DecisionInput(page.list_hash, "The list as ranked; no jump."))

    def confirm_selection(self, call: CallView) -> None:
        """A second person confirms it: money is reserved, applicants are told."""
        awards.confirm(self.actor("authoriser"), award_reads.selections(call.id)[0].id)

    def publish_results(self, call: CallView) -> None:
        """Everybody may read which applications were selected."""
        awards.publish_results(self.actor("manager"), call.id, ResultsInput())

    # --- preparation and signature ----------------------------------------------------------------------------------

    def prepare(
        self,
        title: str,
        starts_on: date,
        lead: str,
        mayor: str,
        iban: str,
        *,
        until: Preparation = Preparation.OFFERED,
    ) -> str:
        """A grant in preparation: people named, account entered, checks answered; its reference."""
        officer = self.actor("officer")
        found = next(ref for ref, name in agreement_reads.selected_without_grant(officer) if name == title)
        application = application_reads.view(officer, found)
        made = agreements.prepare(officer, application.id, starts_on=starts_on)
        for key, role in ((lead, ContactRole.LEAD), (mayor, ContactRole.SIGNATORY)):
            person = identity.person(self.ids[key])
            agreements.appoint(officer, made.id, ContactInput(person.name, person.email, role))
        self._enter_account(
            made.id, application.coordinator_id, lead, f"{application.coordinator.name} (synthetic)", iban
        )
        checks = agreement_reads.grant(officer, made.reference).checks
        for check in checks if until is Preparation.OFFERED else checks[:4]:
            agreements.answer_check(
                officer, made.id, CheckInput(check.key, CheckAnswer.DONE, "Looked at for the demo.", clock.now().date())
            )
        if until is Preparation.OFFERED:
            self._confirm_account(made.id, application.coordinator_id)
            text = agreement_reads.grant(officer, made.reference).text
            agreements.offer(self.actor("officer"), made.id, document_sha256=text_hash(text))
        return made.reference

    def _enter_account(self, grant_id: UUID, organisation_id: UUID, lead: str, holder: str, iban: str) -> None:
        known = agreement_reads.accounts(organisation_id)
        if not any(each.iban == iban and each.state is BankAccountState.CONFIRMED for each in known):
            agreements.enter_account(self.actor(lead), grant_id, AccountInput(holder, iban))

    def _confirm_account(self, grant_id: UUID, organisation_id: UUID) -> None:
        proposed = agreement_reads.proposed_account(organisation_id)
        if proposed is not None:
            agreements.confirm_account(
                self.actor("accountant"), grant_id, proposed.id, evidence="Bank letter and a call back"
            )

    def sign_for_city(self, reference: str, mayor: str) -> None:
        """The city's signatory signs the text on offer."""
        actor = self.actor(mayor)
        grant = agreement_reads.grant(actor, reference)
        agreements.sign_city(actor, grant.id, capacity="Mayor", document_sha256=text_hash(grant.text))

    def sign_for_programme(self, reference: str) -> None:
        """The programme signs: money is committed, the pre-financing is asked for."""
        actor = self.actor("signatory")
        grant = agreement_reads.grant(actor, reference)
        agreements.sign_programme(
            actor, grant.id, capacity="Director of the programme", document_sha256=text_hash(grant.text)
        )

    # --- payments ---------------------------------------------------------------------------------------------------

    def decide_requests(self, reference: str) -> None:
        """The authoriser allows in full what a grant asks for."""
        actor = self.actor("authoriser")
        for asked in payment_reads.grant_payments(actor, reference).requests:
            if asked.state is RequestState.SUBMITTED:
                payments.decide(actor, asked.id, PaymentDecision(asked.requested))

    def prepare_order(self, reference: str) -> UUID | None:
        """The initiator prepares the order for what was allowed; None when nothing is."""
        actor = self.actor("initiator")
        for asked in payment_reads.grant_payments(actor, reference).requests:
            if asked.state in (RequestState.APPROVED, RequestState.PARTLY_APPROVED):
                return payments.prepare(actor, asked.id).id
        return None

    def verify_order(self, order_id: UUID) -> None:
        """The verifier looks at it."""
        payments.verify(self.actor("verifier"), order_id)

    def authorise_order(self, order_id: UUID) -> None:
        """The authoriser authorises it."""
        payments.authorise(self.actor("authoriser"), order_id)

    def export_order(self, reference: str, order_id: UUID) -> None:
        """The accounting officer puts it into a list for the bank."""
        orders = payment_reads.grant_payments(self.actor("accountant"), reference).orders
        amount = next(each.amount for each in orders if each.id == order_id)
        payments.export(self.actor("accountant"), (order_id,), control_total=amount)

    def book_order(self, order_id: UUID) -> None:
        """The bank paid it yesterday."""
        payments.execute(self.actor("accountant"), order_id, value_on=(clock.now() - timedelta(days=1)).date())

    def close(self, reference: str) -> None:
        """The authoriser closes the grant."""
        grant = agreement_reads.grant(self.actor("officer"), reference)
        payments.close_grant(self.actor("authoriser"), grant.id, note="All reports accepted, the balance is paid.")

    # --- milestones and reports -------------------------------------------------------------------------------------

    def reach(self, reference: str, number: int, lead: str) -> None:
        """The city reports a milestone as reached today."""
        milestone = agreement_reads.grant(self.actor("officer"), reference).milestones[number - 1]
        assert milestone.state is MilestoneState.PLANNED
        text = f"{milestone.title}: reached as agreed. (Synthetic text of the demo.)"
        reporting.report_milestone(self.actor(lead), milestone.id, MilestoneInput(clock.now().date(), text))

    def accept_milestone(self, reference: str, number: int) -> None:
        """The project officer accepts it."""
        milestone = agreement_reads.grant(self.actor("officer"), reference).milestones[number - 1]
        reporting.accept_milestone(self.actor("officer"), milestone.id, answer="Seen, with thanks.")

    def report(self, reference: str, number: int, lead: str, percent: int) -> None:
        """Write and send a report that declares so many percent of each partner's maximum."""
        actor = self.actor(lead)
        grant = agreement_reads.grant(actor, reference)
        report = report_reads.of_grant(actor, grant.id)[number - 1]
        for section, questions in (("work", ("progress", "deviations")), ("learning", ("lessons", "replication"))):
            answers = tuple(Answer(key, sentences(f"{key} {reference}", 3)) for key in questions)
            reporting.write_section(actor, report.id, section, answers)
        cells = tuple(
            Cell(each.organisation_id, "A", Money(each.maximum.cents * percent // 125)) for each in grant.beneficiaries
        )
        reporting.enter_costs(actor, report.id, cells)
        reporting.submit(actor, report.id)

    def accept_report(self, reference: str, number: int) -> None:
        """The project officer accepts everything it declares."""
        actor = self.actor("officer")
        grant = agreement_reads.grant(actor, reference)
        report = report_reads.of_grant(actor, grant.id)[number - 1]
        declared = budgets.written(report.budget_id).cells
        judged = tuple(Judged(each.organisation_id, each.category, each.amount, each.amount) for each in declared)
        reporting.accept(actor, report.id, Decision(judged, "Accepted in full."))


def _files_needed(call: CallView) -> list[str]:
    needed = {f"attachment_{each.key}" for each in call.content.attachments if each.required}
    return [role for role in file_roles(call) if role in needed or role.startswith("question_")]
