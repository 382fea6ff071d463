"""The demo programme, built only through acts with a set clock: real calls, cities and pilots, invented people and amounts.

Everything invented says so. Real pilots enter by their published outcome, never with a score, never late;
what goes wrong in the demo goes wrong in invented municipalities.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import resources
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
from grants.budgets.rules import Cell
from grants.calls import queries as call_reads
from grants.calls import services as calls
from grants.calls.rules import BudgetInput, CallView
from grants.cities import services as cities
from grants.core import clock, files, jobs
from grants.core.acts import act
from grants.core.money import Money, euros
from grants.core.permissions import Actor, Permission, system_actor
from grants.documents import services as documents
from grants.documents.pdf.paper import Paper
from grants.documents.rules import Wanted
from grants.dossiers.rules import CONFIRMED, Answer, Mark, Question, QuestionKind
from grants.evaluation import queries as evaluation_reads
from grants.evaluation import services as evaluation
from grants.evaluation.rules import Answered, EvaluatorInput, MarkInput, RunInput, SheetInput
from grants.evaluation.states import Declared
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.policy import Role
from grants.identity.rules import OrganisationInput, UserInput
from grants.identity.states import OrganisationKind
from grants.payments import queries as payment_reads
from grants.payments import services as payments
from grants.payments.rules import DecisionInput as PaymentDecision
from grants.reporting import queries as report_reads
from grants.reporting import services as reporting
from grants.reporting.rules import Decision, Judged, MilestoneInput

Progress = Callable[[int, int, str], None]
STEPS = 12
NOTE = (
    "Amounts, people, reports and dates after the selection are synthetic. Pilot and cities are real, see the source."
)
INVENTED = "This municipality, its people, texts and amounts are invented."


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
    PersonOfTheDemo("officer", "Leonor Duarte", "programme", "Project officer", (R.PROJECT_OFFICER,)),
    PersonOfTheDemo("chair", "Henrik Vester", "university", "Panel chair", (R.PANEL_CHAIR,)),
    PersonOfTheDemo("member", "Maja Novak", "university", "Panel member", (R.PANEL_MEMBER,)),
    PersonOfTheDemo("initiator", "Carla Benassi", "programme", "Finance initiator", (R.FINANCE_INITIATOR,)),
    PersonOfTheDemo("verifier", "Jonas Weber", "programme", "Finance verifier", (R.FINANCE_VERIFIER,)),
    PersonOfTheDemo("authoriser", "Claire Dumont", "programme", "Authorising officer", (R.AUTHORISING_OFFICER,)),
    PersonOfTheDemo("accountant", "Dimitra Pappa", "programme", "Accounting officer", (R.ACCOUNTING_OFFICER,)),
    PersonOfTheDemo("signatory", "Ruth O’Connell", "programme", "Director, signs agreements", (R.PROGRAMME_SIGNATORY,)),
    PersonOfTheDemo("auditor", "Ewa Lindqvist", "audit", "Auditor", (R.AUDITOR,)),
    PersonOfTheDemo("elena", "Elena Marchetti", "university", "Evaluator, mobility", (R.EVALUATOR,)),
    PersonOfTheDemo("bram", "Bram de Wit", "institute", "Evaluator, buildings", (R.EVALUATOR,)),
    PersonOfTheDemo("sofia", "Sofía Herrero", "institute", "Evaluator, finance", (R.EVALUATOR,)),
    PersonOfTheDemo("ola", "Ola Bergström", "university", "Evaluator, energy", (R.EVALUATOR,)),
    PersonOfTheDemo("katrin", "Katrin Saar", "consultancy", "Evaluator, participation", (R.EVALUATOR,)),
    PersonOfTheDemo("milan", "Milan Kovač", "consultancy", "Evaluator, waste", (R.EVALUATOR,)),
    PersonOfTheDemo("irina", "Irina Călinescu", "stefanel", "Climate officer", (R.APPLICANT,)),
    PersonOfTheDemo("mayor", "Ilie Dobre", "stefanel", "Deputy mayor, signs", (R.APPLICANT,)),
    PersonOfTheDemo("marek", "Marek Dąbrowski", "zoltowice", "Partner city officer", (R.APPLICANT,)),
    PersonOfTheDemo("reka", "Réka Szűcs", "kovarhely", "Climate officer", (R.APPLICANT,)),
    PersonOfTheDemo("niels", "Niels Overgaard", "aerosted", "Climate officer", (R.APPLICANT,)),
    PersonOfTheDemo("eleni", "Eléni Sarri", "neochora", "Climate officer", (R.APPLICANT,)),
    PersonOfTheDemo("jaro", "Jaroslav Blažek", "sumberk", "Climate officer", (R.APPLICANT,)),
    PersonOfTheDemo("reka_mayor", "Gábor Lantos", "kovarhely", "Deputy mayor, signs", (R.APPLICANT,)),
    PersonOfTheDemo("niels_mayor", "Birthe Krogh", "aerosted", "Deputy mayor, signs", (R.APPLICANT,)),
    PersonOfTheDemo("eleni_mayor", "Stávros Melás", "neochora", "Deputy mayor, signs", (R.APPLICANT,)),
    PersonOfTheDemo("other_city", "Inês Exemplo", "guimaraes", "Contact of a real city (invented person)", (R.APPLICANT,)),
    PersonOfTheDemo("other_city_mayor", "Rui Modelo", "guimaraes", "Signs for a real city (invented person)", (R.APPLICANT,)),
    PersonOfTheDemo("city", "Anna Beispiel", "mannheim", "Contact of a real city (invented person)", (R.APPLICANT,)),
    PersonOfTheDemo("city_mayor", "Bernd Muster", "mannheim", "Signs for a real city (invented person)", (R.APPLICANT,)),
)  # fmt: skip
EVALUATORS = ("elena", "bram", "sofia", "ola", "katrin", "milan")

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
    "mannheim": ("Mannheim", K.MUNICIPALITY, "DE", False),
    "aachen": ("Aachen", K.MUNICIPALITY, "DE", False),
    "muenster": ("Münster", K.MUNICIPALITY, "DE", False),
    "guimaraes": ("Guimarães", K.MUNICIPALITY, "PT", False),
}

# The outcome of cohort 1 and two of its pilots, with what was published about their amounts.
SOURCE = "https://netzerocities.eu/pilot-cities-cohort-1-2022/"
PILOTS = (
    (
        "CoLAB – Committed to Local Climate Action Building",
        "CoLAB",
        ("mannheim", "aachen", "muenster"),
        1_500_000,
        "city",
        "DE02120300000000202051",
    ),
    (
        "District C: a Zero-carbon Commitment",
        "District C",
        ("guimaraes",),
        986_000,
        "other_city",
        "PT50000201231234567890154",
    ),
)

# A call of invented municipalities: a title, the lead, the amount asked for, and the consensus in half points.
PAST = (
    ("Roof by Roof", "kovarhely", "reka", 420_000, (9, 8, 9)),
    ("Ferry to Zero", "aerosted", "niels", 380_000, (8, 9, 8)),
    ("Cool Courtyards", "neochora", "eleni", 400_000, (8, 8, 8)),
    ("Heat from the Lake", "sumberk", "jaro", 350_000, (7, 8, 8)),
    ("Market Street", "stefanel", "irina", 300_000, (7, 5, 7)),
)
NOW_EVALUATED = (
    ("Brick Loan", "kovarhely", "reka", 250_000),
    ("Night Buses", "aerosted", "niels", 300_000),
    ("The Shared Boiler", "neochora", "eleni", 280_000),
)


def load(progress: Progress) -> None:
    """Fill an empty database; ``progress`` is told how far it is."""
    _Demo(progress).build()


@dataclass
class _Demo:
    progress: Progress
    today: datetime = field(default_factory=lambda: clock.now().replace(minute=0, second=0, microsecond=0))
    ids: dict[str, UUID] = field(default_factory=dict)
    places: dict[str, UUID] = field(default_factory=dict)
    done: int = 0

    def build(self) -> None:
        """Everything, in the order of time."""
        self._people()
        self._cohort_1()
        past = self._past_call()
        self._evaluated_now()
        self._open_now()
        self._statement(past)
        self._step("Ready")

    # --- who ------------------------------------------------------------------------------------------------------

    def actor(self, key: str) -> Actor:
        """The person as they are now, freshly signed in."""
        return identity.actor_for(self.ids[key], fresh=True)

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        """Act at that moment; the jobs it asks for are done at the end of it."""
        with clock.at(moment):
            yield
            jobs.work_off(actor_of=identity.actor_for)

    def days_ago(self, days: int) -> datetime:
        """A moment counted back from today."""
        return self.today - timedelta(days=days)

    def _step(self, note: str) -> None:
        self.done += 1
        self.progress(min(self.done, STEPS), STEPS, note)

    def _people(self) -> None:
        self._step("People and organisations")
        with self.at(datetime(2022, 6, 1, 8, tzinfo=UTC)):
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
        address = f"{person.key.replace('_', '.')}@demo.example"
        values = UserInput(
            person.name,
            address,
            person.roles,
            organisation_id=self.places[person.organisation],
            job_title=person.job,
            is_demo=True,
        )
        # Both administrators come from the program: one alone cannot make another.
        giver = _FOUNDER if R.ADMINISTRATOR in person.roles else self.actor("administrator")
        return people.add_user(giver, values).user_id

    # --- cohort 1, real ---------------------------------------------------------------------------------------------

    def _cohort_1(self) -> None:
        self._step("The call of 2022 with its real extension")
        text = resources.files("grants.calls").joinpath("data/call_2022.yaml").read_text(encoding="utf-8")
        with self.at(datetime(2022, 8, 30, 8, tzinfo=UTC)):
            cities.load_register(self.actor("manager"))
            made = calls.import_call(self.actor("manager"), text)
            calls.apply_template(self.actor("manager"), made.id)
            calls.publish(self.actor("manager"), made.id)
            calls.authorise_budget(self.actor("authoriser"), made.id, BudgetInput(euros(32_000_000)))
        call = call_reads.call_by_id(made.id)
        self._step("The published outcome of cohort 1")
        outcome = PublishedOutcome(
            SOURCE,
            "Pilot Cities, cohort 1 (2022)",
            "Recorded from the published outcome; the demo carries two of its pilots.",
            tuple(self._pilot(*pilot[:4]) for pilot in PILOTS),
        )
        with self.at(datetime(2023, 3, 1, 9, tzinfo=UTC)):
            awards.record_published_outcome(self.actor("manager"), call.id, outcome)
            selection = award_reads.selections(call.id)[0]
            awards.confirm(self.actor("authoriser"), selection.id)
        for title, acronym, *_, lead, iban in PILOTS:
            self._step(f"The whole life of {acronym}")
            self._whole_life(title, lead, iban)

    def _pilot(self, title: str, acronym: str, organisations: Sequence[str], amount: int) -> PublishedPilot:
        return PublishedPilot(
            title,
            tuple(self.places[key] for key in organisations),
            euros(amount),
            AmountBasis.PUBLISHED,
            acronym=acronym,
            source_url=SOURCE,
            synthetic_note=NOTE,
        )

    def _whole_life(self, title: str, lead: str, iban: str) -> None:
        with self.at(datetime(2023, 4, 3, 8, tzinfo=UTC)):
            reference = self._prepare(title, datetime(2023, 6, 1, tzinfo=UTC), lead, f"{lead}_mayor", iban)
        with self.at(datetime(2023, 5, 22, 9, tzinfo=UTC)):
            self._sign(reference, f"{lead}_mayor")
        self._pay(reference, datetime(2023, 5, 25, 9, tzinfo=UTC))
        grant = agreement_reads.grant(self.actor("officer"), reference)
        for milestone in grant.milestones:
            reached = datetime.combine(milestone.due_on, datetime.min.time(), UTC) - timedelta(days=6)
            with self.at(reached + timedelta(hours=9)):
                self._reach(reference, milestone.number, lead)
        self._report(reference, 1, lead, datetime(2024, 6, 20, 9, tzinfo=UTC), 55)
        self._pay(reference, datetime(2024, 7, 20, 9, tzinfo=UTC))
        self._report(reference, 2, lead, datetime(2025, 6, 24, 9, tzinfo=UTC), 42)
        self._pay(reference, datetime(2025, 7, 22, 9, tzinfo=UTC))
        with self.at(datetime(2025, 9, 15, 9, tzinfo=UTC)):
            payments.close_grant(self.actor("authoriser"), grant.id, note="All reports accepted, the balance is paid.")

    # --- preparation, signature, payment, reports -------------------------------------------------------------------

    def _prepare(self, title: str, starts: datetime, lead: str, mayor: str, iban: str, *, finish: bool = True) -> str:
        officer = self.actor("officer")
        found = next(ref for ref, name in agreement_reads.selected_without_grant(officer) if name == title)
        application = application_reads.view(officer, found)
        made = agreements.prepare(officer, application.id, starts_on=starts.date())
        for key, role in ((lead, ContactRole.LEAD), (mayor, ContactRole.SIGNATORY)):
            person = identity.person(self.ids[key])
            agreements.appoint(officer, made.id, ContactInput(person.name, person.email, role))
        holder = application.coordinator.name
        if not any(
            a.iban == iban and a.state is BankAccountState.CONFIRMED
            for a in agreement_reads.accounts(application.coordinator_id)
        ):
            agreements.enter_account(self.actor(lead), made.id, AccountInput(f"{holder} (synthetic)", iban))
        checks = agreement_reads.grant(officer, made.reference).checks
        for check in checks if finish else checks[:4]:
            agreements.answer_check(
                officer, made.id, CheckInput(check.key, CheckAnswer.DONE, "Looked at for the demo.", clock.now().date())
            )
        if finish:
            self._confirm_account(made.id, application.coordinator_id)
            agreements.offer(self.actor("officer"), made.id)
        return made.reference

    def _confirm_account(self, grant_id: UUID, organisation_id: UUID) -> None:
        proposed = agreement_reads.proposed_account(organisation_id)
        if proposed is not None:
            agreements.confirm_account(
                self.actor("accountant"), grant_id, proposed.id, evidence="Bank letter and a call back"
            )

    def _sign(self, reference: str, mayor: str) -> None:
        for key, sign, capacity in (
            (mayor, agreements.sign_city, "Deputy mayor"),
            ("signatory", agreements.sign_programme, "Director of the programme"),
        ):
            actor = self.actor(key)
            grant = agreement_reads.grant(actor, reference)
            sign(actor, grant.id, capacity=capacity, document_sha256=text_hash(grant.text))

    def _pay(self, reference: str, start: datetime) -> None:
        """Decide what is asked for and carry the order through the circuit, four people, some days."""
        with self.at(start):
            self._decide(reference)
        with self.at(start + timedelta(days=1)):
            order = self._order(reference)
        if order is None:
            return
        with self.at(start + timedelta(days=1, hours=3)):
            payments.verify(self.actor("verifier"), order)
        with self.at(start + timedelta(days=2)):
            payments.authorise(self.actor("authoriser"), order)
        with self.at(start + timedelta(days=2, hours=2)):
            orders = payment_reads.grant_payments(self.actor("accountant"), reference).orders
            amount = next(each.amount for each in orders if each.id == order)
            payments.export(self.actor("accountant"), (order,), control_total=amount)
        with self.at(start + timedelta(days=3, hours=4)):
            payments.execute(self.actor("accountant"), order, value_on=(start + timedelta(days=3)).date())

    def _decide(self, reference: str) -> None:
        actor = self.actor("authoriser")
        for asked in payment_reads.grant_payments(actor, reference).requests:
            if asked.state.value == "submitted":
                payments.decide(actor, asked.id, PaymentDecision(asked.requested))

    def _order(self, reference: str) -> UUID | None:
        actor = self.actor("initiator")
        for asked in payment_reads.grant_payments(actor, reference).requests:
            if asked.state.value in ("approved", "partly_approved"):
                return payments.prepare(actor, asked.id).id
        return None

    def _reach(self, reference: str, number: int, lead: str, *, accept: bool = True) -> None:
        milestone = agreement_reads.grant(self.actor("officer"), reference).milestones[number - 1]
        given = MilestoneInput(
            clock.now().date(), f"{milestone.title}: reached as agreed. (Synthetic text of the demo.)"
        )
        reporting.report_milestone(self.actor(lead), milestone.id, given)
        if accept:
            assert milestone.state is MilestoneState.PLANNED
            reporting.accept_milestone(self.actor("officer"), milestone.id, answer="Seen, with thanks.")

    def _report(self, reference: str, number: int, lead: str, moment: datetime, percent: int) -> None:
        """Write, send and accept a report that declares so many percent of each partner's maximum."""
        with self.at(moment):
            actor = self.actor(lead)
            grant = agreement_reads.grant(actor, reference)
            report = report_reads.of_grant(actor, grant.id)[number - 1]
            for section, questions in (("work", ("progress", "deviations")), ("learning", ("lessons", "replication"))):
                answers = tuple(Answer(key, _sentences(f"{key} {reference}", 3)) for key in questions)
                reporting.write_section(actor, report.id, section, answers)
            cells = tuple(
                Cell(each.organisation_id, "A", Money(each.maximum.cents * percent // 125))
                for each in grant.beneficiaries
            )
            reporting.enter_costs(actor, report.id, cells)
            reporting.submit(actor, report.id)
        with self.at(moment + timedelta(days=14)):
            judged = tuple(Judged(cell.organisation_id, cell.category, cell.amount, cell.amount) for cell in cells)
            reporting.accept(self.actor("officer"), report.id, Decision(judged, "Accepted in full."))

    # --- calls of invented municipalities ---------------------------------------------------------------------------

    def _past_call(self) -> CallView:
        self._step("A past call of invented municipalities")
        call = self._call("Neighbourhood pilots", 420, 400, 340, 1_200_000)
        sent = [self._application(call, 380 - place, *row[:4]) for place, row in enumerate(PAST)]
        self._eligibility(sent, 330)
        self._step("Its assessments and consensus")
        self._assess(call, sent, 320)
        for application_id, row in zip(sent, PAST, strict=True):
            self._consensus(call, application_id, row[4], 300)
        with self.at(self.days_ago(285)):
            page = award_reads.ranking_page(self.actor("chair"), call.slug)
            awards.decide(self.actor("chair"), call.id, DecisionInput(page.list_hash, "The list as ranked; no jump."))
        with self.at(self.days_ago(280)):
            selection = award_reads.selections(call.id)[0]
            awards.confirm(self.actor("authoriser"), selection.id)
        self._step("Its grants, in force and in preparation")
        self._past_grants()
        return call

    def _past_grants(self) -> None:
        with self.at(self.days_ago(270)):
            first = self._prepare(
                "Roof by Roof", self.days_ago(245), "reka", "reka_mayor", "HU42117730161111101800000000"
            )
            second = self._prepare("Ferry to Zero", self.days_ago(20), "niels", "niels_mayor", "DK5000400440116243")
        with self.at(self.days_ago(255)):
            self._sign(first, "reka_mayor")
        self._pay(first, self.days_ago(250))
        with self.at(self.days_ago(60)):
            self._reach(first, 1, "reka")
        with self.at(self.days_ago(6)):
            self._reach(first, 2, "reka", accept=False)
        with self.at(self.days_ago(30)):
            self._sign(second, "niels_mayor")
        with self.at(self.days_ago(5)):
            self._decide(second)
        with self.at(self.days_ago(4)):
            self._order(second)
        with self.at(self.days_ago(3)):
            self._prepare(
                "Cool Courtyards",
                self.today + timedelta(days=40),
                "eleni",
                "eleni_mayor",
                "GR1601101250000000012300695",
                finish=False,
            )

    def _evaluated_now(self) -> None:
        self._step("A call in evaluation now")
        call = self._call("Quick pilots for streets", 95, 80, 40, 600_000)
        sent = [self._application(call, 60 - place, *row) for place, row in enumerate(NOW_EVALUATED)]
        self._eligibility(sent, 35)
        self._assess(call, sent, 25, submitted=4)

    def _open_now(self) -> None:
        self._step("A call open now")
        call = self._call("Warm homes", 40, 30, -21, 900_000)
        with self.at(self.days_ago(12)):
            made = self._start(call, "Warm Blocks", "stefanel", "irina")
            self._fill(made, "irina", 310_000, sections=5)
            partner = identity.person(self.ids["marek"])
            invitation = InviteInput(partner.email, partner.name, self.places["zoltowice"])
            applications.invite(self.actor("irina"), made, invitation)
        with self.at(self.days_ago(9)):
            applications.accept_invitation(self.actor("marek"), made)
        with self.at(self.days_ago(4)):
            other = self._start(call, "Sun on the School", "sumberk", "jaro")
            self._fill(other, "jaro", 180_000, sections=2)

    def _statement(self, call: CallView) -> None:
        self._step("A financial overview")
        with self.at(self.days_ago(2)):
            documents.request(self.actor("initiator"), Wanted("call-financial-overview", call.reference))

    def _call(self, title: str, imported: int, opens: int, closes: int, total: int) -> CallView:
        """A published call; days are counted back from today."""
        opening = clock.in_zone(self.days_ago(opens)).replace(hour=9)
        closing = clock.in_zone(self.days_ago(closes)).replace(hour=17)
        text = _CALL.format(
            title=title,
            year=opening.year,
            opens=opening.date().isoformat(),
            literal=f"{clock.long_date(closing.date())}, 17:00 Brussels time",
            closes=closing.isoformat(),
            total=total,
            award=total // 2,
        )
        with self.at(self.days_ago(imported)):
            made = calls.import_call(self.actor("manager"), text)
            calls.apply_template(self.actor("manager"), made.id)
            calls.publish(self.actor("manager"), made.id)
            calls.authorise_budget(self.actor("authoriser"), made.id, BudgetInput(euros(total)))
        return call_reads.call_by_id(made.id)

    def _start(self, call: CallView, title: str, place: str, lead: str) -> UUID:
        details = DetailsInput(title, summary=f"{title}: a pilot of the demo. {INVENTED}")
        return applications.start(self.actor(lead), call.id, StartInput(self.places[place], details)).id

    def _application(self, call: CallView, days: int, title: str, place: str, lead: str, amount: int) -> UUID:
        with self.at(self.days_ago(days)):
            made = self._start(call, title, place, lead)
            self._fill(made, lead, amount)
            applications.submit(self.actor(lead), made)
        return made

    def _fill(self, application_id: UUID, lead: str, amount: int, *, sections: int = 99) -> None:
        actor = self.actor(lead)
        view = application_reads.view_by_id(application_id)
        for section in view.call.content.definition.sections[:sections]:
            answers = tuple(
                _answer(question, view.title)
                for question in section.questions
                if question.kind is not QuestionKind.FILE
            )
            applications.save_section(actor, application_id, section.key, SectionInput(answers, Mark.COMPLETE, None))
        direct = euros(amount).cents * 4 // 5
        place = view.coordinator_id
        cells = (Cell(place, "A", Money(direct * 3 // 4)), Cell(place, "C3", Money(direct - direct * 3 // 4)))
        applications.save_budget(actor, application_id, ApplicationBudget(cells, None))
        if sections == 99:
            needed = {f"attachment_{each.key}" for each in view.call.content.attachments if each.required}
            for role in file_roles(view.call):
                if role in needed or role.startswith("question_"):
                    upload = FileStorage(io.BytesIO(_letter(view.title)), filename=f"{role}.pdf")
                    applications.attach_file(actor, application_id, files.receive(upload), role)

    def _eligibility(self, sent: Sequence[UUID], days: int) -> None:
        with self.at(self.days_ago(days)):
            for application_id in sent:
                call = application_reads.view_by_id(application_id).call
                answers = tuple(ConditionAnswer(each.key, Verdict.PASS) for each in call.content.conditions)
                applications.declare(self.actor("eligibility"), application_id, answers)

    # --- evaluation -------------------------------------------------------------------------------------------------

    def _assess(self, call: CallView, sent: Sequence[UUID], days: int, *, submitted: int = 999) -> None:
        """Pool, declarations, the exact assignment and so many finished sheets."""
        with self.at(self.days_ago(days)):
            for key in EVALUATORS:
                values = EvaluatorInput(self.ids[key], "FI", ("en",), (), 0, len(sent))
                evaluation.pool(self.actor("manager"), call.id, values)
            for key in (*EVALUATORS, "chair", "member"):
                unsure = submitted < 999 and key == "milan"
                answers = tuple(
                    Answered(each, Declared.UNSURE, "I advised this city three years ago.")
                    if unsure and place == 0
                    else Answered(each, Declared.NONE)
                    for place, each in enumerate(sent)
                )
                evaluation.declare(self.actor(key), call.id, answers)
            evaluation.run(self.actor("manager"), call.id, RunInput("demo", self.days_ago(days - 30)))
        with self.at(self.days_ago(days - 10)):
            written = 0
            for application_id in sent:
                for user_id in evaluation_reads.seat_people(application_id):
                    written += 1
                    if written <= submitted:
                        actor = identity.actor_for(user_id, fresh=True)
                        evaluation.submit(actor, application_id, _sheet(call, _halves(actor.name, written), actor.name))

    def _consensus(self, call: CallView, application_id: UUID, halves: Sequence[int], days: int) -> None:
        with self.at(self.days_ago(days)):
            evaluation.propose(self.actor("chair"), application_id, _sheet(call, halves, "Consensus"))
            for user_id in evaluation_reads.seat_people(application_id):
                evaluation.agree(identity.actor_for(user_id, fresh=True), application_id)


# The program itself, before there is anybody: it makes the first people and organisations and nothing else.
_FOUNDER = system_actor("The demo", [Permission.USER_INVITE, Permission.ROLE_ASSIGN])


@act("demo.set_up_organisations", needs=Permission.USER_INVITE)
def set_up_organisations(actor: Actor) -> tuple[tuple[str, UUID], ...]:
    """The organisations of the demo; real cities are real, everything else is marked as invented."""
    return tuple(
        (
            key,
            people.make_organisation(
                OrganisationInput(
                    name, kind, country, town=name if kind is K.MUNICIPALITY else None, synthetic=synthetic
                )
            ),
        )
        for key, (name, kind, country, synthetic) in ORGANISATIONS.items()
    )


_CALL = """\
schema_version: 1
call:
  id: "{title} {year}"
  title: "{title} {year} (invented)"
  invented: true
  year: {year}
  parent_grant: {{number: "DEMO-1", acronym: Demo Fund, framework: Invented framework}}
dates:
  opens: {{local: "{opens}", time: "09:00"}}
  deadline_original: {{literal: "{literal}", iso: "{closes}"}}
budget:
  total: {total}
grant_bands_eur:
  - {{code: A, amount: {award}}}
duration_months: 24
"""

_THOUGHTS = (
    "The quarter has four hundred flats from the nineteen-sixties, and most of them are heated with gas.",
    "Tenants and owners sit at one table from the first month, with an interpreter where one is needed.",
    "The city changes its own rule on shared roofs first, so that nobody has to ask for an exception.",
    "What is learned is written down after each quarter and read aloud in the council.",
    "A loan is paid back from the saving, and the bank has seen the numbers.",
    "Two streets begin; the third watches, and decides after the first winter.",
)


def _sentences(seed: str, count: int) -> str:
    """Plainly invented sentences, the same for the same seed."""
    start = sum(seed.encode()) % len(_THOUGHTS)
    chosen = [_THOUGHTS[(start + step) % len(_THOUGHTS)] for step in range(count)]
    return " ".join(chosen) + " (Invented text of the demo.)"


def _answer(question: Question, title: str) -> Answer:
    match question.kind:
        case QuestionKind.CHOICE | QuestionKind.MULTICHOICE:
            return Answer(question.key, picked=(question.choices[0].value,))
        case QuestionKind.CONFIRMATION:
            return Answer(question.key, picked=(CONFIRMED,))
        case QuestionKind.NUMBER | QuestionKind.MONEY:
            return Answer(question.key, "12")
        case QuestionKind.DATE:
            return Answer(question.key, "1 May 2027")
        case QuestionKind.LONG:
            return Answer(question.key, _sentences(question.key + title, 5 if (question.words_max or 0) > 150 else 1))
        case _:
            return Answer(question.key, f"{title} (invented)")


def _halves(name: str, number: int) -> tuple[int, int, int]:
    """Scores that differ from person to person, the same at every load."""
    lean = sum(name.encode()) + number
    return 7 + lean % 3, 6 + lean % 4, 7 + lean % 2


def _sheet(call: CallView, halves: Sequence[int], what: str) -> SheetInput:
    """A score sheet with these half points and an invented comment for each criterion."""
    keys = [criterion.key for criterion in call.content.criteria]
    marks = tuple(MarkInput(key, half, _sentences(key + what, 5)) for key, half in zip(keys, halves, strict=True))
    return SheetInput(marks, "Invented for the demo.")


@functools.cache
def _letter(title: str) -> bytes:
    """A letter of mandate, as PDF, that says it is invented."""
    paper = Paper(title="Letter of mandate", head="Demo · Letter of mandate", foot="Invented document of the demo")
    paper.paragraph(f"The council supports the pilot “{title}” and names who signs for it. {INVENTED}")
    return paper.finished()
