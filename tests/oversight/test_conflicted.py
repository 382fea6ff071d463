"""Whoever declared a conflict reads nothing more of that pilot, by whatever second role: books, statements, mails, history."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from grants.agreements.models import Grant
from grants.applications.models import Application
from grants.calls.models import Call
from grants.calls.rules import read_call_file, to_json
from grants.core import clock, files, jobs
from grants.core.acts import act, arranging
from grants.core.db import db, get
from grants.core.errors import NotFound
from grants.core.money import euros
from grants.core.paging import Page
from grants.core.permissions import Actor, Permission
from grants.documents import queries as documents
from grants.documents import services as statements_of
from grants.documents.catalogue import TITLES
from grants.documents.rules import Format, ScopeKind, Wanted
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.policy import Role
from grants.ledger import queries as books
from grants.ledger import rules as legs
from grants.ledger import services as ledger
from grants.ledger.queries import EntryFilter
from grants.ledger.rules import Dimensions
from grants.oversight import queries
from grants.oversight.rules import TrailFilter
from grants.payments import services as payments
from grants.payments.models import PaymentOrder
from grants.reporting.models import PeriodicReport
from tests import actors
from tests.evaluation.scene import CALL
from tests.factories import identity as factory
from tests.html import check_page
from tests.no_route import DECIDES, seen_of
from tests.nothing_there import NOTHING_THERE, OPENED_BY_MONEY
from tests.oversight.conftest import DAY, Scene, statements
from tests.payments import world as worlds
from tests.payments.world import SEEN
from tests.shut import shuts

LEFT_OUT = "Some entries are not shown to you because of a declared conflict."


def bar(person: Actor, application_id: UUID) -> Actor:
    """The person as they are after declaring a conflict: conflicts bar from applications only."""
    assert person.user_id is not None
    with arranging():
        factory.bar(person.user_id, "application", application_id)
    return actors.actor(person.user_id)


def address_of(app: Flask, who: Actor, address: str, status: int = 200) -> str:
    answer = actors.client_of(app, who).get(address)
    assert answer.status_code == status, answer.text
    return answer.get_data(as_text=True)


@act("test_conflict.reserve", needs=Permission.BUDGET_AUTHORISE, says="did a thing of the tests")
def _reserve(actor: Actor, call_id: UUID, application_id: UUID) -> None:
    """Money reserved for an application, as a selection books it: no grant is named yet."""
    fund_id = get(Call, call_id).fund_source_id
    ledger.post(
        "E2",
        source_key=f"test:{application_id}:reserved",
        effective_on=DAY.date(),
        description="Reserved for an application",
        legs=legs.legs_e2(euros(100), Dimensions(fund_id, call_id, document_id=application_id)),
    )


def descriptions(who: Actor) -> list[str]:
    return [row.description for row in books.entries(who, EntryFilter(), Page()).items]


# --- Who is barred from what ------------------------------------------------------------------------------------------


def test_who_is_barred_from_an_application_is_barred_from_its_grant_and_reports(scene: Scene) -> None:
    report_id = worlds.report(scene.world, 1, euros(10))

    nuria = bar(actors.nuria(), scene.world.application_id)

    assert nuria.bars == {
        ("application", scene.world.application_id),
        ("grant", scene.world.grant_id),
        ("report", report_id),
    }


def test_what_hangs_below_a_bar_costs_one_statement_and_nothing_without_a_bar(scene: Scene) -> None:
    free, nuria = actors.vera(), bar(actors.nuria(), scene.world.application_id)
    counts = []
    for who in (free, nuria):
        assert who.user_id is not None
        with statements() as seen:
            identity.actor_for(who.user_id)
        counts.append(len(seen))

    assert counts == [1, 2]


# --- The ledger ---------------------------------------------------------------------------------------------------------


def test_the_ledger_leaves_out_entries_of_a_barred_grant_and_of_a_barred_application(scene: Scene) -> None:
    _reserve(actors.otto(), scene.world.call_id, scene.world.application_id)
    open_to_all = descriptions(actors.nuria())
    ref = next(
        row.ref for row in books.entries(actors.nuria(), EntryFilter(), Page()).items if "Reserved" in row.description
    )

    nuria = bar(actors.nuria(), scene.world.application_id)

    assert {"Reserved for an application", "E5"} <= set(open_to_all)
    assert descriptions(nuria) == ["E4", "E2", "E1"]
    with pytest.raises(NotFound):
        books.entry(nuria, ref)


def test_a_ledger_that_leaves_entries_out_says_so_and_another_does_not(app: Flask, scene: Scene) -> None:
    for address in ("/finance/ledger", "/finance/ledger?account=2000", "/finance/ledger.csv"):
        assert LEFT_OUT not in address_of(app, actors.nuria(), address)
    nuria = bar(actors.nuria(), scene.world.application_id)

    for address in (
        "/finance/ledger",
        "/finance/ledger?account=B100",
        "/finance/ledger?q=nothing",
        "/finance/ledger.csv",
    ):
        page = address_of(app, nuria, address)
        assert LEFT_OUT in page
        assert "WARM" not in page and scene.world.reference not in page


def test_a_bar_that_hides_no_entry_is_no_reason_for_a_note(scene: Scene) -> None:
    nuria = bar(actors.nuria(), scene.world.call_id)

    assert not books.leaves_out(nuria)
    assert not books.leaves_out(actors.vera())


# --- Statements ----------------------------------------------------------------------------------------------------------


@shuts("documents.entries")
def test_a_statement_over_a_barred_pilot_is_not_there_as_page_file_list_or_choice(app: Flask, scene: Scene) -> None:
    with clock.at(DAY):
        made = statements_of.request(actors.nuria(), Wanted("call-financial-overview", "PCP-2022-C-0001", None))
    address = f"/finance/statements/{made.reference}"
    check_page(actors.client_of(app, actors.nuria()).get(address))
    entries = f"{address}/entries?account=2000"
    address_of(app, actors.nuria(), entries)

    nuria = bar(actors.nuria(), scene.world.application_id)

    for ending in ("", ".csv", ".xlsx", ".pdf"):
        address_of(app, nuria, address + ending, 404)
    address_of(app, nuria, entries, 404)
    assert made.reference not in address_of(app, nuria, "/finance/statements")
    assert documents.runs(nuria, TITLES).items == ()
    assert documents.suggestions(nuria, [ScopeKind.CALL], "PCP") == ()
    assert documents.runs(actors.vera(), TITLES).items != ()


def test_whoever_is_barred_asks_for_no_statement_over_the_pilot_and_has_none_built(scene: Scene) -> None:
    wanted = Wanted("call-financial-overview", "PCP-2022-C-0001", None)
    with clock.at(DAY):
        made = statements_of.request(actors.nuria(), wanted)
        nuria = bar(actors.nuria(), scene.world.application_id)

        for deed in (
            lambda: statements_of.request(nuria, wanted),
            lambda: statements_of.export(nuria, wanted),
            lambda: statements_of.build(nuria, made.id),
            lambda: statements_of.download(nuria, made.id, Format.PDF),
        ):
            with pytest.raises(NotFound):
                deed()


# --- Mails -----------------------------------------------------------------------------------------------------------------


@act("test_conflict.mail", needs=Permission.BUDGET_AUTHORISE, says="did a thing of the tests")
def _mail(actor: Actor, to: UUID, kind: str, about: UUID) -> None:
    people.mail([to], "agreement_offered", kind, about, reference="PCP-2022-G-0001")


@pytest.mark.parametrize("kind", ["application", "grant", "report"])
def test_a_mail_about_a_barred_pilot_is_neither_listed_nor_opened(app: Flask, scene: Scene, kind: str) -> None:
    about = {
        "application": scene.world.application_id,
        "grant": scene.world.grant_id,
        "report": worlds.report(scene.world, 1, euros(10)),
    }[kind]
    to = actors.ana().user_id
    assert to is not None
    _mail(actors.otto(), to, kind, about)
    number = identity.mails(actors.nuria()).items[0].number

    nuria = bar(actors.nuria(), scene.world.application_id)

    assert number not in [mail.number for mail in identity.mails(nuria).items]
    with pytest.raises(NotFound):
        people.open_mail(nuria, number)
    assert people.open_mail(actors.ada(), number).subject


# --- History ---------------------------------------------------------------------------------------------------------------


def test_a_barred_person_reads_the_history_of_another_application_and_filters_the_record(
    app: Flask, scene: Scene
) -> None:
    elsewhere = _another_application(scene)
    nuria = bar(actors.nuria(), scene.world.application_id)

    address_of(app, nuria, f"/applications/{elsewhere}/history")
    address_of(app, nuria, f"/audit?ref={elsewhere}")
    address_of(app, nuria, f"/audit.csv?ref={elsewhere}")
    address_of(app, nuria, "/home")
    address_of(app, nuria, "/applications/PCP-2022-A-0001/history", 404)
    assert queries.record(nuria, TrailFilter(reference="PCP-2022-A-0001"), Page())[0] == ()


def test_an_auditor_of_one_call_filters_the_record_by_that_call(scene: Scene) -> None:
    here = actors.person("Aud Here")
    who = actors.give(here, worlds.Role.AUDITOR, "call", scene.world.call_id)

    lines, problem = queries.record(who, TrailFilter(reference="PCP-2022-C-0001"), Page())

    assert (problem, bool(lines)) == ("", True)


def test_the_record_and_a_calls_history_tell_nothing_of_money_reserved_for_a_barred_application(
    app: Flask, scene: Scene
) -> None:
    _reserve(actors.otto(), scene.world.call_id, scene.world.application_id)
    assert "Reserved for an application" in address_of(app, actors.nuria(), "/audit.csv")

    nuria = bar(actors.nuria(), scene.world.application_id)

    pages = [address_of(app, nuria, address) for address in ("/audit", "/audit.csv")]
    pages.append(str(queries.story(nuria, "call", scene.world.call_id, (), Page())))
    for page in pages:
        assert "Reserved for an application" not in page
        assert scene.world.reference not in page and "PCP-2022-A-0001" not in page


@pytest.mark.parametrize(
    ("name", "scope"), [("grant-statement", "PCP-2022-G-0001"), ("call-financial-overview", "PCP-2022-C-0001")]
)
def test_the_record_tells_nothing_of_a_statement_over_a_barred_pilot_nor_of_its_files(
    app: Flask, scene: Scene, name: str, scope: str
) -> None:
    with clock.at(DAY):
        made = statements_of.request(actors.vera(), Wanted(name, scope, None))
        statements_of.build(actors.vera(), made.id)
        statements_of.download(actors.vera(), made.id, Format.PDF)
    before = address_of(app, actors.nuria(), "/audit.csv")
    sums = {file.sha256 for form in Format for file in files.listed(documents.FILE_KIND, made.id, form.value)}
    assert len(sums) == len(Format) and all(each in before for each in sums)
    assert {"statement.request", "statement.build", "statement.download", "ledger_reading"} <= set(_fields(before))

    nuria = bar(actors.nuria(), scene.world.application_id)

    record = address_of(app, nuria, "/audit.csv")
    pages = [record, address_of(app, nuria, "/audit?thing=statement")]
    pages.append(str(queries.story(nuria, "call", scene.world.call_id, (), Page())))
    for page in pages:
        assert made.reference not in page
        assert [each for each in sums if each in page] == []
    assert [line for line in record.splitlines() if "statement" in line or "ledger_reading" in line] == []


def test_the_record_for_a_barred_person_costs_as_many_statements_however_many_files_a_pilot_has(scene: Scene) -> None:
    nuria = bar(actors.nuria(), scene.world.application_id)
    counts = []
    for _ in range(2):
        with clock.at(DAY):
            made = statements_of.request(actors.vera(), Wanted("grant-statement", "PCP-2022-G-0001", None))
            statements_of.build(actors.vera(), made.id)
        with statements() as seen:
            queries.record(nuria, TrailFilter(), Page())
        counts.append(len(seen))

    assert counts[0] == counts[1]


def _fields(text: str) -> list[str]:
    return [field for line in text.splitlines() for field in line.split(",")]


def _another_application(scene: Scene) -> str:
    """An application of the same call that nobody is barred from."""
    with arranging():
        first = db.session.get_one(Application, scene.world.application_id)
        db.session.add(
            Application(
                call_id=first.call_id,
                reference="PCP-2022-A-0002",
                title="Cool courts",
                state=first.state,
                origin=first.origin,
                source_url="https://example.org/outcome",
                coordinator_id=first.coordinator_id,
                search_text="cool courts",
            )
        )
    return "PCP-2022-A-0002"


# --- Every address of money -----------------------------------------------------------------------------------------------


def test_no_route_of_money_tells_a_conflicted_person_of_a_grant_in_force(app: Flask, scene: Scene) -> None:
    with arranging():
        # The grant was brought in by hand, with a call of which nothing but its name was known.
        db.session.get_one(Call, scene.world.call_id).content = to_json(read_call_file(CALL).fields)
    with clock.at(DAY):
        made = statements_of.request(actors.nuria(), Wanted("call-financial-overview", "PCP-2022-C-0001", None))
        statements_of.build(actors.nuria(), made.id)
        payments.authorise(actors.otto(), scene.order_id, evidence=SEEN)
        amount = db.session.get_one(PaymentOrder, scene.order_id).amount
        payments.export(actors.carl(), (scene.order_id,), control_total=amount)
        jobs.work_off(actor_of=identity.actor_for, but_not=("mail",))

    open_here, under = NOTHING_THERE[OPENED_BY_MONEY], ("/finance", "/grants/<ref>", "/reports")
    seen = seen_of(app, scene.world.application_id, DECIDES, under=under, leads=open_here)

    assert seen.kept == {}
    assert open_here - seen.answered == frozenset()


@act("test_conflict.ask", needs=Permission.BUDGET_AUTHORISE, says="did a thing of the tests")
def _ask(actor: Actor, application_id: UUID, order_id: UUID, call_id: UUID) -> tuple[UUID, ...]:
    """Jobs about an application and about an order beneath it; one about its call."""
    about = (("application", application_id), ("payment_order", order_id), ("call", call_id))
    return tuple(jobs.queue("jobs.checks.ledger", subject=each) for each in about)


def test_an_administrator_in_conflict_finds_no_job_about_it_and_another_does(app: Flask, scene: Scene) -> None:
    application_id = scene.world.application_id
    with arranging():
        second = factory.user("Adele Second", Role.ADMINISTRATOR).id
    asked = _ask(actors.otto(), application_id, scene.order_id, scene.world.call_id)
    shut, below, of_call = (jobs.view(each) for each in asked)
    ada, other = bar(actors.ada(), application_id), actors.actor(second)
    client, free = actors.client_of(app, ada), actors.client_of(app, other)
    form = {"act_key": "k", "reason": "Not now"}

    for job in (shut, below):
        address = f"/admin/jobs/{job.number}"
        assert (client.get(address).status_code, free.get(address).status_code) == (404, 200)
        assert client.post(f"{address}/cancel", data=form).status_code == 404
        assert client.post(f"{address}/retry", data=form).status_code == 404
    assert client.get(f"/admin/jobs/{of_call.number}").status_code == 200
    with pytest.raises(NotFound):
        jobs.cancel(ada, shut.id, "Not now")
    listed, told = client.get("/admin/jobs").text, free.get("/admin/jobs").text
    numbers = [f'/admin/jobs/{job.number}"' for job in (shut, below, of_call)]
    assert [each in listed for each in numbers] == [False, False, True]
    assert [each in told for each in numbers] == [True] * 3
    kept = queries.kept_from(ada)
    about_it = select(func.count()).where(jobs.Job.subject_id.in_(kept))
    assert sum(jobs.counts().values()) - sum(jobs.counts(kept).values()) == db.session.scalar(about_it)
    assert free.post(f"/admin/jobs/{shut.number}/cancel", data=form).status_code == 303


# --- All of it in the demo ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, -1])
def test_nothing_of_the_money_pages_names_a_pilot_its_reader_is_barred_from(demo_app: Flask, place: int) -> None:
    nuria = actors.nuria()
    signed = select(Grant).where(Grant.in_force_at.is_not(None)).order_by(Grant.reference)
    grant = db.session.scalars(signed).all()[place]
    application = db.session.get_one(Application, grant.application_id)
    slug = db.session.scalars(select(Call.slug).where(Call.id == grant.call_id)).one()
    reports = db.session.scalars(select(PeriodicReport.reference).where(PeriodicReport.grant_id == grant.id)).all()
    named = (grant.reference, application.reference, application.title, *reports)
    refs = [row.ref for row in books.entries(nuria, EntryFilter(grant_id=grant.id), Page(size=500)).items]
    pages = (
        *(
            "/finance/ledger",
            f"/finance/ledger?q={grant.reference}",
            "/finance/ledger?account=B400",
            "/finance/ledger.csv",
        ),
        *("/finance/statements", "/admin/mail", "/audit", "/audit.csv", f"/calls/{slug}/history", "/home"),
    )
    assert any(grant.reference in address_of(demo_app, nuria, page) for page in pages)

    nuria = bar(nuria, application.id)

    client = actors.client_of(demo_app, nuria)
    texts = {page: client.get(page).get_data(as_text=True) for page in pages}
    told = {page: [name for name in named if name in text] for page, text in texts.items()}
    told[f"/finance/ledger?q={grant.reference}"] = []  # what was typed stands in the field
    # The register of cities was loaded from a public page, which lists the titles of its pilots.
    told["/audit.csv"] = [name for name in told["/audit.csv"] if place or name != application.title]
    assert {page: names for page, names in told.items() if names} == {}
    assert refs and {client.get(f"/finance/entries/{ref}").status_code for ref in refs} == {404}
