"""The centre of statements: asked for by reference or by a part of a name, found again, cancelled, tried again, made again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grants.core import clock, jobs
from grants.core.errors import NotAllowed, NotFound
from grants.core.money import ZERO
from grants.core.paging import Page
from grants.documents import queries, services
from grants.documents.catalogue import CATALOGUE, TITLES
from grants.documents.rules import RunFilter, RunState, Wanted
from grants.identity import queries as identity
from grants.identity.states import Role
from grants.ledger.accounts import Account
from tests import actors
from tests.documents.conftest import AS_OF, OVERVIEW, REGISTER, STATEMENT, Books, made, view
from tests.html import check_page, texts
from tests.oversight.conftest import statements
from tests.oversight.test_conflicted import bar
from tests.payments.world import forge
from tests.servers import Cluster

LIST = "/finance/statements"


def asking(client: FlaskClient, **typed: str) -> tuple[int, str]:
    """The answer to the form: its status, and where it leads or what it says."""
    answer = client.post(LIST, data={"name": OVERVIEW, "scope": "", **typed})
    if answer.status_code == 303:
        return 303, str(answer.location)
    return answer.status_code, " ".join(texts(check_page(answer), "main"))


def test_a_filter_of_the_list_that_is_not_there_is_told_in_the_words_of_the_page(app: Flask, books: Books) -> None:
    nuria = actors.client_of(app, actors.nuria())

    told = " ".join(texts(check_page(nuria.get(f"{LIST}?state=nope&statement=none&mine=2")), "main"))

    assert "There is no state “nope”. There are: Waiting" in told
    assert "There is no statement “none”. There are:" in told
    assert "There is no choice “2” under “Asked by”. There are: Everybody, Me." in told


def test_a_statement_is_asked_for_by_a_reference_or_a_chosen_suggestion(app: Flask, books: Books) -> None:
    nuria = actors.client_of(app, actors.nuria())

    assert asking(nuria, name=STATEMENT, scope="pcp-2022-g-0001")[0] == 303
    status, words = asking(nuria, name=STATEMENT, scope="warm")
    assert status == 422
    assert "“warm” is no reference. Choose what you mean" in words
    assert "WARM (PCP-2022-G-0001)" in words and "WARM (PCP-2022-G-0002)" in words
    assert asking(nuria, name=STATEMENT, scope="warm", chosen="PCP-2022-G-0002")[0] == 303
    assert asking(nuria, name=REGISTER, scope="")[0] == 303
    for wrong, sentence in (
        ({"name": STATEMENT, "scope": "nowhere"}, "No grant here is called “nowhere”"),
        ({"name": OVERVIEW, "scope": ""}, "Write which call it is about"),
        (
            {"name": REGISTER, "scope": "PCP", "from_on": "1 May 2024", "before_on": "1 May 2024"},
            "Choose a day after the first day",
        ),
        ({"name": OVERVIEW, "scope": "PCP-2022-C-0001", "from_on": "1 May 2024"}, "Leave the period empty"),
        ({"name": OVERVIEW, "scope": "PCP-2022-C-0001", "as_of": "1 May 2199"}, "not in the future"),
    ):
        status, words = asking(nuria, **wrong)
        assert (status, sentence in words) == (422, True), words
    assert [run.scope_reference for run in queries.runs(actors.nuria(), TITLES).items] == [
        "PCP", "PCP-2022-G-0002", "PCP-2022-G-0001",
    ]  # fmt: skip


@pytest.mark.parametrize("field", ["scope", "chosen", "as_of"])
def test_what_was_typed_at_length_is_repeated_in_short(app: Flask, books: Books, field: str) -> None:
    client = actors.client_of(app, actors.otto())

    status, said = asking(client, **{"scope": "PCP-2022-C-0001", field: "x" * 3_000})

    assert status == 422
    assert "x" * 60 + "…" in said and "x" * 61 not in said


@pytest.mark.parametrize("name", list(CATALOGUE))
def test_a_statement_is_shown_with_its_files_and_the_entries_behind_its_figures(
    app: Flask, books: Books, name: str
) -> None:
    run = made(actors.nuria(), books.wanted(name))
    assert run.progress.state is RunState.READY, run.progress.error
    client = actors.client_of(app, actors.nuria())

    page = check_page(client.get(f"{LIST}/{run.reference}"))

    links = {str(each.get("href")) for each in page.iter("{http://www.w3.org/1999/xhtml}a")}
    behind = sorted(link for link in links if "/entries?" in link)
    assert behind
    for link in behind:
        check_page(client.get(link))
    for form in ("pdf", "xlsx", "csv"):
        assert client.get(f"{LIST}/{run.reference}.{form}", buffered=True).status_code == 200
    assert run.files and all(file.sha256 in client.get(f"{LIST}/{run.reference}").text for file in run.files)


def test_the_last_entry_behind_a_figure_leaves_it_at_what_the_statement_says(books: Books) -> None:
    run = made(actors.nuria(), books.wanted(STATEMENT))
    figures = queries.figures(actors.nuria(), run.reference)
    assert figures is not None

    for (label, value), codes in zip(figures.summary, figures.behind, strict=True):
        lines = queries.entries_behind(actors.nuria(), run, [Account(code) for code in codes], "", Page()).items
        assert (lines[-1].stands if lines else ZERO) == value, label
    whole = queries.entries_behind(actors.nuria(), run, [Account.CONSUMED], "", Page())
    first = queries.entries_behind(actors.nuria(), run, [Account.CONSUMED], "", Page(size=1))
    rest = queries.entries_behind(actors.nuria(), run, [Account.CONSUMED], "", Page(size=1, after=first.next_key))
    assert (*first.items, *rest.items) == whole.items
    with pytest.raises(NotFound):
        queries.entries_behind(actors.eva(), run, [Account.CONSUMED], "", Page())


@pytest.mark.usefixtures("short_pages")
def test_the_list_is_narrowed_and_goes_on(app: Flask, books: Books) -> None:
    with clock.at(AS_OF):
        for place in range(5):
            services.request(actors.nuria(), books.wanted(OVERVIEW if place % 2 else STATEMENT))
            services.request(actors.vera(), books.wanted(REGISTER))
    nuria = actors.nuria()

    first = queries.runs(nuria, TITLES, RunFilter(mine=True), Page(size=3))
    rest = queries.runs(nuria, TITLES, RunFilter(mine=True), Page(size=3, after=first.next_key))

    assert (len(first.items), len(rest.items), rest.next_key) == (3, 2, None)
    assert len({run.id for run in (*first.items, *rest.items)}) == 5
    for asked, count in (
        (RunFilter(name=REGISTER), 5),
        (RunFilter(state=RunState.WAITING), 10),
        (RunFilter(state=RunState.READY), 0),
        (RunFilter(scope="0001"), 5),
    ):
        assert len(queries.runs(nuria, TITLES, asked).items) == count
    client = actors.client_of(app, nuria)
    check_page(client.get(f"{LIST}?statement={REGISTER}&state=failed&q=x&mine=1"))
    with statements() as few:
        client.get(f"{LIST}?size=1")
    with statements() as many:
        client.get(f"{LIST}?size=9")
    assert len(few) == len(many)


def test_a_statement_is_cancelled_tried_again_and_made_again_by_buttons(app: Flask, books: Books) -> None:
    with clock.at(AS_OF + timedelta(minutes=1)):
        asked = services.request(actors.nuria(), books.wanted(OVERVIEW))
    client, address = actors.client_of(app, actors.nuria()), f"{LIST}/{asked.reference}"

    waiting = client.get(address)
    assert 'http-equiv="refresh"' in waiting.text and "Cancel this statement" in waiting.text
    assert "Financial overview of the call" in client.get("/home").text
    assert client.post(f"{address}/cancel").status_code == 303
    assert "Nothing of it was kept" in " ".join(texts(check_page(client.get(address)), "main"))
    assert client.post(f"{address}/cancel").status_code == 422
    assert client.post(f"{address}/retry").status_code == 303
    jobs.work_off(actor_of=identity.actor_for)
    assert view(actors.nuria(), asked.reference).progress.state is RunState.READY
    again = client.post(f"{address}/again")
    assert again.status_code == 303 and not str(again.location).endswith(asked.reference)


@pytest.mark.parametrize("deed", ["cancel", "retry"])
def test_what_finance_asked_for_is_not_stopped_by_the_city_it_is_about(app: Flask, books: Books, deed: str) -> None:
    with clock.at(AS_OF + timedelta(minutes=1)):
        asked = services.request(actors.vera(), books.wanted(STATEMENT))
    lead = actors.ana().user_id
    assert lead is not None
    city = actors.give(lead, Role.APPLICATION_LEAD, "application", books.overpaid.application_id)
    if deed == "retry":
        services.cancel(actors.nuria(), asked.id)
    client, address = actors.client_of(app, city), f"{LIST}/{asked.reference}"
    button = {"cancel": "Cancel this statement", "retry": "Try it again"}[deed]

    before = view(city, asked.reference)
    answer = client.post(f"{address}/{deed}")

    assert answer.status_code == 422
    assert "Vera Verifier asked for this statement" in " ".join(texts(check_page(answer), "main"))
    assert view(city, asked.reference).progress.state is before.progress.state
    assert button not in client.get(address).text
    assert button in actors.client_of(app, actors.nuria()).get(address).text
    getattr(services, deed)(actors.vera(), asked.id)
    assert view(city, asked.reference).progress.state is not before.progress.state


def test_whoever_asks_for_statements_of_a_call_stops_those_of_its_grants_and_a_city_its_own(books: Books) -> None:
    lead, here = actors.ana().user_id, actors.person("Olga Officer")
    assert lead is not None
    city = actors.give(lead, Role.APPLICATION_LEAD, "application", books.overpaid.application_id)
    of_call = actors.give(here, Role.FINANCE_VERIFIER, "call", books.overpaid.call_id)
    with clock.at(AS_OF + timedelta(minutes=1)):
        by_city = services.request(city, books.wanted(STATEMENT))

    services.cancel(of_call, by_city.id)
    services.retry(city, by_city.id)
    services.cancel(city, by_city.id)

    assert view(city, by_city.reference).progress.state is RunState.CANCELLED


def test_a_statement_that_could_not_be_made_says_why_on_its_page_and_at_home(
    app: Flask, books: Books, postgres: Cluster, database: str
) -> None:
    one = "SELECT min(reference) FROM payment_order WHERE state = 'executed'"
    forge(postgres, database, f"UPDATE payment_order SET amount = amount - 1 WHERE reference = ({one})")

    run = made(actors.nuria(), books.wanted(REGISTER))

    assert (run.progress.state, run.files) == (RunState.FAILED, ())
    client = actors.client_of(app, actors.nuria())
    words = " ".join(texts(check_page(client.get(f"{LIST}/{run.reference}")), "main"))
    assert "payment orders executed, less receipts" in words and "Try it again" in words
    assert run.reference in client.get("/home").text


def test_a_city_reads_the_statement_of_its_own_grant_and_no_other(app: Flask, books: Books) -> None:
    ana = actors.ana()
    with clock.at(AS_OF + timedelta(minutes=1)):
        foreign = services.request(actors.nuria(), books.wanted(OVERVIEW))
        for name in (OVERVIEW, REGISTER):
            with pytest.raises(NotFound):
                services.request(ana, books.wanted(name))
        with pytest.raises(NotAllowed):
            services.request(actors.eva(), books.wanted(STATEMENT))
    own = made(ana, books.wanted(STATEMENT))

    assert own.progress.state is RunState.READY
    assert [run.reference for run in queries.runs(ana, TITLES).items] == [own.reference]
    client = actors.client_of(app, ana)
    page = check_page(client.get(f"{LIST}/{own.reference}"))
    assert not [
        each for each in page.iter("{http://www.w3.org/1999/xhtml}a") if "/finance/ledger" in str(each.get("href"))
    ]
    assert client.get(f"{LIST}/{foreign.reference}").status_code == 404
    assert "No call here is called" in asking(client, scope="PCP-2022-C-0001")[1]


def test_whoever_declared_a_conflict_is_told_so_for_a_call_and_nothing_for_a_grant(app: Flask, books: Books) -> None:
    for name in CATALOGUE:
        made(actors.nuria(), books.wanted(name))
    assert len(queries.runs(actors.nuria(), TITLES).items) == len(CATALOGUE)

    nuria = bar(actors.nuria(), books.overpaid.application_id)

    assert queries.runs(nuria, TITLES).items == ()
    client = actors.client_of(app, nuria)
    for typed in ({"name": OVERVIEW, "scope": "PCP-2022-C-0001"}, {"name": REGISTER, "scope": "PCP"}):
        status, words = asking(client, **typed)
        assert (status, "A conflict of interest keeps statements" in words) == (422, True)
    assert "No grant here is called" in asking(client, name=STATEMENT, scope="PCP-2022-G-0001")[1]
    assert asking(client, name=STATEMENT, scope="PCP-2022-G-0002")[0] == 303
    for name in CATALOGUE:
        with pytest.raises(NotFound), clock.at(AS_OF + timedelta(hours=1)):
            services.request(nuria, books.wanted(name))


def test_links_from_grant_and_call_come_with_the_form_filled(app: Flask, books: Books) -> None:
    client = actors.client_of(app, actors.nuria())

    page = client.get(f"{LIST}?ask={STATEMENT}&about=PCP-2022-G-0001").text

    assert 'value="PCP-2022-G-0001"' in page
    assert f'<option selected value="{STATEMENT}">' in page


def test_asking_twice_for_one_moment_hands_out_the_files_made_first(books: Books) -> None:
    first, second = made(actors.nuria(), books.wanted(STATEMENT)), made(actors.vera(), books.wanted(STATEMENT))

    assert first.reference != second.reference
    assert first.files == second.files


def test_a_wish_names_its_reference(books: Books) -> None:
    wanted = Wanted(STATEMENT, "warm")

    found = queries.meant(actors.nuria(), CATALOGUE[STATEMENT].scope_kinds, "PCP-2022-G-0002")

    assert wanted.about(found).scope_reference == "PCP-2022-G-0002"
