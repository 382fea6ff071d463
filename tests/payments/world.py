"""A grant in force with its money in the ledger, and the people who pay it: what every test of payments starts from."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import psycopg
from sqlalchemy import select

from grants.agreements.models import BankAccount, Beneficiary, Grant, PaymentScheduleLine
from grants.agreements.states import BankAccountState, GrantState, PaymentKind
from grants.applications.models import Application
from grants.applications.states import ApplicationState, Origin
from grants.budgets.models import Budget
from grants.calls.models import Call
from grants.calls.states import CallState, ClockStart, RequestPath
from grants.core.acts import act, arranging
from grants.core.db import db
from grants.core.money import Money, euros
from grants.core.permissions import Actor, Permission, system_actor
from grants.dossiers.models import Dossier
from grants.identity.policy import Role
from grants.ledger import rules as legs
from grants.ledger import services as ledger
from grants.ledger.rules import Dimensions
from grants.payments import services
from grants.payments.models import OwnAccount, PaymentRequest
from grants.payments.rules import EVIDENCE, RecoveryInput, RecoverySummary
from grants.payments.rules.evidence import every_tick
from grants.payments.states import OwnAccountState, Step
from grants.programmes.models import FundSource, Programme
from grants.reporting.models import PeriodicReport
from grants.reporting.states import ReportKind, ReportState
from tests import actors
from tests.agreements.accounts import WHOLE
from tests.servers import Cluster

IN_FORCE = datetime(2023, 5, 2, 9, tzinfo=UTC)
IBAN = "BE68539007547034"
PAYING_IBAN = "BE43068999999501"
# What verifier and authoriser tick on an order: every line of either.
SEEN = (*every_tick(Step.VERIFIED), *every_tick(Step.AUTHORISED))
OTHER_IBAN = "FR7630006000011234567890189"


@dataclass(frozen=True)
class World:
    """The ids a test needs."""

    call_id: UUID
    grant_id: UUID
    reference: str
    application_id: UUID
    city_id: UUID
    agency_id: UUID
    account_id: UUID


@act("test_world.post", needs=Permission.BUDGET_AUTHORISE, says="did a thing of the tests")
def _commit(actor: Actor, fund_id: UUID, call_id: UUID, grant_id: UUID, city_id: UUID, agency_id: UUID) -> None:
    dims = Dimensions(fund_id, call_id)
    of_grant = Dimensions(fund_id, call_id, grant_id)
    for event, lines in (
        ("E1", legs.legs_e1(euros(1_000_000), dims)),
        ("E2", legs.legs_e2(euros(600_000), dims)),
        ("E4", legs.legs_e4(euros(600_000), dims)),
        ("E5", legs.legs_e5([(city_id, euros(400_000)), (agency_id, euros(200_000))], of_grant)),
    ):
        # By this key a statement finds the commitment, which names no grant.
        key = f"grant:{grant_id}:committed" if event == "E4" else f"test:{grant_id}:{event}"
        ledger.post(event, source_key=key, effective_on=date(2023, 5, 2), description=event, legs=lines)


def world(number: int = 1) -> World:
    """A grant of 600 000: pre-financing 240 000 of which 30 000 is retained, ceiling 540 000, two beneficiaries.

    Another number makes another grant of the same city, in a call of its own.
    """
    city_id = actors.organisation()
    agency_id = actors.organisation("Energy Agency of Northbridge")
    fin, carl = actors.fin(), actors.carl()
    call_id, grant_id, application_id = uuid4(), uuid4(), uuid4()
    reference = f"PCP-2022-G-{number:04d}"
    fund, programme = _programme()
    account = _account(city_id) or BankAccount(
        organisation_id=city_id,
        holder="Northbridge Łódź & Co",
        iban=IBAN,
        bic=None,
        state=BankAccountState.CONFIRMED.value,
        entered_by=fin.user_id,
        entered_at=IN_FORCE,
        confirmed_by=carl.user_id,
        confirmed_at=IN_FORCE,
        **WHOLE,
    )
    with arranging():
        db.session.add_all([fund, programme, account])
        db.session.flush()
        _own_account(programme.id)
        db.session.add(
            Call(
                id=call_id,
                programme_id=programme.id,
                fund_source_id=fund.id,
                reference=f"PCP-2022-C-{number:04d}",
                slug="invented-call" if number == 1 else f"invented-call-{number}",
                title="Invented call",
                year=2022,
                state=CallState.DRAFT.value,
                synthetic=True,
                content={},
                zone="Europe/Brussels",
            )
        )
        db.session.add(
            Application(
                id=application_id,
                call_id=call_id,
                reference=f"PCP-2022-A-{number:04d}",
                title="Warm homes",
                acronym="WARM",
                state=ApplicationState.AWARDED.value,
                origin=Origin.PUBLISHED_OUTCOME.value,
                source_url="https://example.org/outcome",
                coordinator_id=city_id,
                search_text="warm homes",
            )
        )
        db.session.add(_grant(grant_id, application_id, call_id, fund.id, city_id, reference))
        for position, (organisation_id, maximum) in enumerate(((city_id, euros(400_000)), (agency_id, euros(200_000)))):
            db.session.add(
                Beneficiary(
                    grant_id=grant_id,
                    organisation_id=organisation_id,
                    position=position,
                    is_coordinator=not position,
                    maximum=maximum,
                )
            )
        db.session.add(
            PaymentScheduleLine(
                grant_id=grant_id,
                number=1,
                kind=PaymentKind.PREFINANCING.value,
                planned=euros(210_000),
                due_on=date(2023, 6, 1),
            )
        )
    _commit(actors.otto(), fund.id, call_id, grant_id, city_id, agency_id)
    for person, role in ((actors.ana(), Role.APPLICATION_LEAD), (actors.marek(), Role.APPLICATION_PARTNER)):
        assert person.user_id is not None
        actors.give(person.user_id, role, "application", application_id)
    return World(call_id, grant_id, reference, application_id, city_id, agency_id, account.id)


def _programme() -> tuple[FundSource, Programme]:
    """The one programme and what pays it, made with the first grant."""
    found = db.session.scalars(select(FundSource)).first(), db.session.scalars(select(Programme)).first()
    return (
        found[0] or FundSource(number="101036519", acronym="NetZeroCities", framework="Horizon 2020"),
        found[1] or Programme(slug="pilots", code="PCP", name="Pilot Cities Programme"),
    )


def _own_account(programme_id: UUID) -> None:
    """The account the programme pays from, made with the first grant: entered by Fin, confirmed by Carl."""
    if db.session.scalars(select(OwnAccount.id)).first() is not None:
        return
    db.session.add(
        OwnAccount(
            programme_id=programme_id,
            reference="PCP-K-90",
            holder="Pilot Cities Programme",
            iban=PAYING_IBAN,
            country="BE",
            town="Brussels",
            currency="EUR",
            state=OwnAccountState.CONFIRMED.value,
            entered_by=actors.fin().user_id,
            entered_at=IN_FORCE,
            confirmed_by=actors.carl().user_id,
            confirmed_at=IN_FORCE,
            evidence="Letter of the bank",
        )
    )


def _account(city_id: UUID) -> BankAccount | None:
    """The city's confirmed account, where an earlier grant brought it."""
    return db.session.scalars(
        select(BankAccount).where(
            BankAccount.organisation_id == city_id, BankAccount.state == BankAccountState.CONFIRMED.value
        )
    ).first()


def _grant(grant_id: UUID, application_id: UUID, call_id: UUID, fund_id: UUID, city_id: UUID, reference: str) -> Grant:
    return Grant(
        id=grant_id,
        application_id=application_id,
        call_id=call_id,
        fund_source_id=fund_id,
        reference=reference,
        title="Warm homes",
        acronym="WARM",
        state=GrantState.IN_FORCE.value,
        coordinator_id=city_id,
        maximum=euros(600_000),
        starts_on=date(2023, 6, 1),
        ends_before=date(2025, 6, 1),
        prefinancing=euros(240_000),
        interim_ceiling=euros(540_000),
        retention=euros(30_000),
        prefinancing_days=30,
        before_start_days=10,
        report_days=60,
        interim_days=90,
        balance_days=90,
        time_limits_on=date(2023, 4, 1),
        in_force_at=IN_FORCE,
        offer_no=1,
        search_text="warm homes",
    )


def report(
    found: World, number: int, accepted: Money, *, final: bool = False, state: ReportState = ReportState.ACCEPTED
) -> UUID:
    """A report of the grant, accepted where nothing else is said."""
    decided_by = actors.pia().user_id
    with arranging():
        report_id = uuid4()
        dossier = Dossier(owner_kind="report", owner_id=report_id, definition={})
        budget = Budget(owner_kind="report", owner_id=report_id, purpose="actual", rules={}, saves=0)
        db.session.add_all([dossier, budget])
        db.session.add(
            PeriodicReport(
                id=report_id,
                grant_id=found.grant_id,
                number=number,
                reference=f"PCP-2022-R-{number:04d}",
                kind=(ReportKind.FINAL if final else ReportKind.INTERIM).value,
                starts_on=date(2023, 6, 1),
                ends_before=date(2024, 6, 1),
                due_on=date(2024, 7, 31),
                state=state.value,
                dossier_id=dossier.id,
                budget_id=budget.id,
                submitted_at=datetime(2024, 7, 1, 9, tzinfo=UTC),
                submitted_by=decided_by,
                decided_at=datetime(2024, 7, 20, 9, tzinfo=UTC),
                decided_by=decided_by,
                accepted_total=accepted if state is ReportState.ACCEPTED else None,
            )
        )
    return report_id


def settle(report_id: UUID, accepted: Money | None) -> None:
    """The report is accepted with this amount, or rejected where there is none."""
    with arranging():
        row = db.session.get_one(PeriodicReport, report_id)
        row.state = (ReportState.REJECTED if accepted is None else ReportState.ACCEPTED).value
        row.accepted_total = accepted


def end_account(found: World, state: BankAccountState) -> None:
    """The payee's account stands no more."""
    with arranging():
        _ended(found, state)


def _ended(found: World, state: BankAccountState) -> None:
    row = db.session.get_one(BankAccount, found.account_id)
    row.state, row.ended_by, row.ended_at, row.end_reason = state.value, actors.fin().user_id, IN_FORCE, "Of the test"


def replace_account(found: World, *, entered_by: UUID | None = None, confirmed_by: UUID | None = None) -> None:
    """The payee's account is replaced by another one, confirmed; by Fin and Carl where nobody else is named."""
    with arranging():
        _ended(found, BankAccountState.REPLACED)
        db.session.flush()
        db.session.add(
            BankAccount(
                organisation_id=found.city_id,
                holder="Northbridge",
                iban=OTHER_IBAN,
                state=BankAccountState.CONFIRMED.value,
                entered_by=entered_by or actors.fin().user_id,
                entered_at=IN_FORCE,
                confirmed_by=confirmed_by or actors.carl().user_id,
                confirmed_at=IN_FORCE,
                **WHOLE,
            )
        )


def forge(postgres: Cluster, database: str, statement: str) -> None:
    """What nobody may do, done with the triggers off: the checks of the books must find it."""
    db.session.rollback()
    with closing(psycopg.connect(postgres.dsn(database))) as connection, connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(statement.encode())


def owed_back(grant_id: UUID, due_on: date, reason: str = "As agreed.") -> RecoverySummary:
    """What the balance found is proposed by Fin, answered by Ana, confirmed by Otto, and Carl issued its debit note."""
    made = services.propose_recovery(actors.fin(), grant_id, RecoveryInput(reason))
    services.inform(actors.fin(), made.id, days=30)
    services.observe(actors.ana(), made.id, words="We agree.")
    services.confirm_recovery(actors.otto(), made.id, words="The city agreed.")
    return services.issue(actors.carl(), made.id, due_on=due_on)


def asks_for(found: World, path: RequestPath, starts: ClockStart = ClockStart.RECEIPT) -> None:
    """The grant's call asks that its requests pass this before they are decided, and counts days from there."""
    with arranging():
        row = db.session.get_one(Grant, found.grant_id)
        row.request_path, row.clock_starts = path.value, starts.value


def agnes(found: World) -> Actor:
    """Agnes of the agency, the partner: she says what it received."""
    user_id = actors.person("Agnes Agency", Role.APPLICANT, organisation_name="Energy Agency of Northbridge")
    return actors.give(user_id, Role.APPLICATION_PARTNER, "application", found.application_id)


def nothing_held(found: World) -> None:
    """What the coordinator still holds for its partner is waived by Otto, so that the grant can be closed."""
    services.waive_distribution(actors.otto(), found.grant_id, found.agency_id, reason="Settled between them.")


def recorded(batch_id: UUID) -> UUID:
    """The record of a sent file lies outside the database, as a worker leaves it."""
    services.leave_record(system_actor("the program", [Permission.PAYMENT_FILE_PROVE]), batch_id)
    return batch_id


def carried(request_id: UUID) -> UUID:
    """The request as far as its decision: registered by Fin and verified by Vera, where its call asks for that."""
    grant = db.session.get_one(Grant, db.session.get_one(PaymentRequest, request_id).grant_id)
    path = RequestPath(grant.request_path)
    if path is not RequestPath.DECIDED:
        services.register(actors.fin(), request_id)
    if path is RequestPath.VERIFIED:
        kind = PaymentKind(db.session.get_one(PaymentRequest, request_id).kind)
        services.verify_request(actors.vera(), request_id, evidence=tuple(EVIDENCE[kind]))
    return request_id
