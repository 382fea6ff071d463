"""The list of applications: ordered and paged from either end, searched, for every kind of reader, its address the whole of it."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID
from xml.etree.ElementTree import Element

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from grants.applications import queries, services
from grants.applications.models import Application
from grants.applications.queries import Stretch
from grants.applications.rules import ApplicationRow, DetailsInput, ListFilter
from grants.applications.rules.listing import SORTINGS, Column, Listing, Order, Sorting, read_listing
from grants.applications.states import ApplicationState
from grants.calls.rules import CallView
from grants.core import clock, jobs
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.permissions import Actor, Permission, system_actor
from grants.core.text import fold
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.policy import Role
from grants.identity.rules import OrganisationInput
from tests import actors
from tests.applications.listed import Listed
from tests.applications.listed import found as found_in_list
from tests.applications.pages import text_of
from tests.factories import applications as factory
from tests.factories.applications import WHILE_OPEN, again
from tests.html import check_page
from tests.statements import statements
from tests.worlds import World

_XHTML = "{http://www.w3.org/1999/xhtml}"


def barred_from(person: Actor, *ids: UUID) -> Actor:
    """The person as after declaring a conflict with these."""
    bars = frozenset(("application", each) for each in ids)
    return Actor(person.user_id, person.name, person.granted, bars, person.roles)


def walked(reader: Actor, listing: Listing, *, size: int) -> list[ApplicationRow]:
    """Every page from the first to the last, by its keys."""
    rows: list[ApplicationRow] = []
    page = queries.list_page(reader, listing, Stretch(size))
    assert page.previous_key is None
    while True:
        rows += page.rows
        if page.next_key is None:
            return rows
        page = queries.list_page(reader, listing, Stretch(size, after=page.next_key))
        assert page.previous_key


def walked_back(reader: Actor, listing: Listing, *, size: int) -> list[ApplicationRow]:
    """Every page from the last to the first, each page the right way round."""
    rows: list[ApplicationRow] = []
    page = queries.list_page(reader, listing, Stretch(size, end=True))
    assert page.next_key is None
    while True:
        rows = [*page.rows, *rows]
        if page.previous_key is None:
            return rows
        page = queries.list_page(reader, listing, Stretch(size, before=page.previous_key))
        assert page.next_key


def number_of(row: ApplicationRow) -> int:
    return int(row.reference.rpartition("-")[2])


# Each order worked out from what a row says, without the keys the database keeps.
BY = {
    Order.REFERENCE: lambda row: (),
    Order.TITLE: lambda row: (fold(row.title),),
    Order.LEAD: lambda row: (fold(row.coordinator.rpartition(" of ")[2]),),
    Order.STATE: lambda row: (row.state.value,),
    Order.ASKED: lambda row: (-1 if row.requested is None else row.requested.cents,),
    Order.SENT: lambda row: (row.submitted_at.timestamp() if row.submitted_at else 0,),
    Order.AGE: lambda row: (row.state_since,),
}


def test_every_order_is_walked_from_either_end_without_a_row_lost_or_twice(found: Listed) -> None:
    eli = actors.eli()
    readers = {8: eli, 7: barred_from(eli, found.ids["Warm Blocks"]), 9: actors.actor(_both(found))}
    own = readers[9].places(Permission.APPLICATION_READ, "application")
    sent = select(Application).where(Application.id.in_(own), Application.submission_id.is_not(None))
    with arranging():
        # Of one of their own they read what they were told: it stands elsewhere for them than for the programme.
        row = db.session.scalars(sent.order_by(Application.reference)).first()
        assert row is not None
        row.state, row.told_state, row.told_since = "reserve", "under_evaluation", row.state_since - timedelta(days=9)

    for sorting in SORTINGS:
        # Whoever sees one less, or one of their own more, in one order both ways, and by what is told.
        by_told = [(8, eli), (9, readers[9])] if sorting.by in (Order.STATE, Order.AGE) else [(8, eli)]
        for expected, reader in readers.items() if sorting.by is Order.ASKED else by_told:
            listing = Listing(sorting=sorting)
            rows = walked(reader, listing, size=3)

            assert len({row.id for row in rows}) == expected
            by = BY[sorting.by]
            assert rows == sorted(rows, key=lambda row: (*by(row), number_of(row)), reverse=sorting.descending)
            assert walked_back(reader, listing, size=3) == rows
            assert queries.list_page(reader, listing, Stretch(50)).total.number == expected


def _both(found: Listed) -> object:
    """Ana, who has applications of her own, as an officer of the call too."""
    ana = actors.ana()
    assert ana.user_id is not None
    return actors.give(ana.user_id, Role.ELIGIBILITY_OFFICER, "call", found.call.id).user_id


def test_references_are_ordered_by_their_number(found: Listed) -> None:
    rows = found_in_list(actors.eli(), ListFilter(), size=20)

    assert [number_of(row) for row in rows][:7] == [20_170, 20_017, 10_002, 10_001, 10_000, 9_999, 9_998]


def test_a_key_that_no_page_gave_opens_the_first_page(found: Listed) -> None:
    for key in ("~", "x~y~z", "PCP-2022-A-0001~99999999999999999999", "PCP~2022-13-99", "'", "PCP-1~0001-01-01"):
        for sorting in (Sorting(), *(Sorting(by) for by in (Order.TITLE, Order.ASKED, Order.SENT))):
            page = queries.list_page(actors.eli(), Listing(sorting=sorting), Stretch(50, after=key))
            assert len(page.rows) <= 8


def test_a_state_lasts_since_the_act_that_brought_it(found: Listed) -> None:
    sent = next(row for row in found_in_list(actors.eli(), ListFilter(), size=20) if row.title == "Sent Here")

    assert sent.state_since == sent.submitted_at
    older = found_in_list(actors.eli(), ListFilter(days=40), size=20)
    assert {row.title for row in older} == {"Warm Blocks", "heat for all", "Écoquartier", "Sent Here"}


@pytest.mark.parametrize(
    "listing",
    [
        Listing(),
        Listing(ListFilter("call-1", (ApplicationState.ELIGIBLE, ApplicationState.RESERVE), "PL", "a & b", "PCP", 30)),
        Listing(sorting=Sorting(Order.AGE, descending=False), columns=(Column.CALL, Column.AGE)),
    ],
)
def test_an_address_holds_the_whole_list(listing: Listing) -> None:
    assert read_listing(listing.pairs) == listing


def test_what_an_address_does_not_mean_is_told() -> None:
    asked = read_listing(
        [("state", "nonsense"), ("sort", "colour"), ("days", "soon"), ("country", "Poland"), ("show", "x")]
    )

    assert [name for name, _ in asked.problems] == ["state", "country", "days", "show", "sort"]


# --- searched ---------------------------------------------------------------------------------------------------


def titles(
    reader: Actor, search: str, *, states: tuple[ApplicationState, ...] = (), country_code: str = ""
) -> list[str]:
    wanted = ListFilter(search=search, states=states, country_code=country_code)
    rows = found_in_list(reader, wanted, size=50)
    page = queries.list_page(reader, Listing(wanted), Stretch(1))
    assert page.total.number == len(rows), "what is counted is what is found"
    return sorted(row.title for row in rows)


WARM, MUNICH, AARHUS = ["Warm Blocks"], ["Heat for All"], ["heat for all"]


SEARCHED: list[tuple[str, list[str]]] = [
    # Cities in each spelling, and in part.
    ("Lodz", WARM), ("łódź", WARM), ("ŁÓD", ["=HYPERLINK(1)", "Warm Blocks"]), ("ŁÓDŹ", WARM), ("city of lodz", WARM), ("Munchen", MUNICH), ("Muenchen", MUNICH),
    ("MÜNCHEN", MUNICH), ("Arhus", AARHUS), ("Aarhus", AARHUS), ("Zuerich", ["Green Roofs"]), ("ΛΑΡΙΣΑ", ["Écoquartier"]),
    ("λαρισα", ["Écoquartier"]), ("ecoquartier", ["Écoquartier"]),
    # Several words must all be there, in any order; a phrase stands as it is.
    ("blocks warm", WARM), ("warm roofs", []), ("“for all”", ["Heat for All", "heat for all"]), ('"all for"', []),
    ('"heat for all" munchen', MUNICH), ("pumps heating lodz", WARM),
    # References, whole, in part, with and without their noughts.
    ("PCP-2022-A-9998", WARM), ("2022-9998", WARM), ("2022 a 999", ["Heat for All", "Warm Blocks"]),
    ("pcp-2022-a-0001", ["Sent Here"]), ("2022-001", ["Sent Here"]), ("A-20017", ["Green Roofs"]), ("2022-017", []),
    # Amounts as people write them; ten times as much is another amount.
    ("1500000", WARM), ("1.500.000", WARM), ("1 500 000", WARM), ("1\u202f500\u202f000", WARM), ("1'500'000", WARM),
    ("EUR 1,5 million", WARM), ("€1.5m", WARM), ("1,500,000.00", WARM), ("15 million", ["Quiet Streets = less noise"]),
    ("250.000 munchen", MUNICH), ("500000", ["=HYPERLINK(1)"]), ("EUR 999999", ["Green Roofs"]),
    # What could be taken for a command is a word, or nothing.
    ("%", []), ("_", []), ("'", []), ("warm & | ! ( ) :* <-> \\", WARM), ("'; DROP TABLE application; --", []),
    ("“", []), ('"', []), ("!warm", WARM), ("a" * 5_000, []), ("warm " * 100, WARM), ("\u202ewarm\ufeff", WARM),
]  # fmt: skip


def test_a_search_finds_what_a_person_means(found: Listed) -> None:
    eli = actors.eli()

    said = {search: titles(eli, search) for search, _ in SEARCHED}

    assert {search: said[search] for search, expected in SEARCHED if said[search] != expected} == {}


def test_a_search_tells_nobody_of_what_they_may_not_see(found: Listed) -> None:
    eli, ana, marek = actors.eli(), actors.ana(), actors.marek()

    assert titles(eli, "heat for all") == ["Heat for All", "heat for all"]
    assert titles(barred_from(eli, found.ids["Heat for All"]), "heat for all") == AARHUS
    assert titles(eli, "only draft") == [] and titles(ana, "only draft") == ["Only a Draft"]
    assert titles(marek, "sent here") == [] and titles(marek, "1.500.000") == []
    assert titles(actors.mia(), "sent here") == []


def test_a_search_goes_with_filters_and_keeps_the_order(found: Listed) -> None:
    eli = actors.eli()

    assert titles(eli, "heat for all", states=(ApplicationState.SELECTED,)) == AARHUS
    assert titles(eli, "heat for", country_code="DE") == MUNICH
    listing = Listing(ListFilter(search="pumps"), Sorting(Order.ASKED, descending=False))
    assert [row.title for row in walked(eli, listing, size=2)] == [
        row.title for row in walked(eli, Listing(sorting=listing.sorting), size=9) if row.title != "Sent Here"
    ]


def test_what_was_sent_is_found_and_nothing_written_since(app: Flask, called_world: World[CallView]) -> None:
    call, ana = called_world.told(), actors.ana()
    with clock.at(WHILE_OPEN):
        application_id = factory.submitted(call, ana, "Warm Blocks")
        services.edit_details(
            again(ana), application_id, DetailsInput("Warmer Blocks", summary="Seaweed in every cellar")
        )
        assert titles(again(ana), "seaweed") == [] and titles(again(ana), "warmer") == []

        services.submit(again(ana), application_id)

        assert titles(again(ana), "seaweed cellar") == ["Warmer Blocks"]


# --- the page ---------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(app: Flask, found: Listed) -> FlaskClient:
    return actors.client_of(app, actors.eli())


def links(root: Element, label: str) -> list[str]:
    return [a.get("href") or "" for a in root.iter(_XHTML + "a") if label in " ".join("".join(a.itertext()).split())]


def test_nonsense_in_the_address_is_answered_by_a_sentence_and_no_rows(desk: FlaskClient) -> None:
    for query, sentence in (
        ("state=nonsense", "There is no state “nonsense”."),
        ("call=gone", "There is no call “gone” with applications you may see."),
        ("programme=NIX", "There is no programme “NIX” with applications you may see."),
        ("sort=colour", "There is no order “colour”."),
    ):
        answer = desk.get(f"/applications?{query}&q=heat")
        words = text_of(answer)
        assert sentence in words and "PCP-2022-A-" not in words
        (way_out,) = links(check_page(answer), "show the list without it")
        assert way_out == "/applications?q=heat"


def test_each_filter_is_a_chip_that_takes_it_away_and_keeps_the_rest(desk: FlaskClient) -> None:
    asked = "/applications?q=heat&state=eligible&state=selected&country=DE&days=2&sort=title"
    root = check_page(desk.get(asked))

    (without,) = links(root, "State: eligible")
    assert parse_qsl(urlsplit(without).query) == [
        ("q", "heat"), ("state", "selected"), ("country", "DE"), ("days", "2"), ("sort", "title"),
    ]  # fmt: skip
    assert links(root, "Take all away") == ["/applications?sort=title"]
    (turned,) = links(root, "Application ↑")
    assert "sort=-title" in turned and "state=eligible" in turned


@pytest.mark.usefixtures("short_pages")
def test_pages_are_walked_by_links_that_keep_the_list(desk: FlaskClient) -> None:
    root = check_page(desk.get("/applications?sort=asked&size=3"))
    seen = []
    while True:
        seen += [a.get("href") for a in root.iter(_XHTML + "a") if "/applications/PCP" in (a.get("href") or "")]
        (following, *_) = links(root, "Next") or [""]
        if not following:
            break
        assert "sort=asked" in following and "size=3" in following
        root = check_page(desk.get(following))

    assert len(seen) == len(set(seen)) == 8
    assert links(root, "Last") == [] and links(root, "Previous") != []


def test_chosen_columns_are_the_columns_shown(desk: FlaskClient) -> None:
    root = check_page(desk.get("/applications?show=since&show=call"))

    heads = [" ".join("".join(th.itertext()).split()) for th in root.iter(_XHTML + "th")]
    assert heads == ["Application", "Call", "In this state"]


@pytest.mark.usefixtures("short_pages")
def test_the_list_asks_at_most_eight_statements_whatever_it_shows(desk: FlaskClient) -> None:
    asked = ("", "?sort=-asked&size=2", "?q=heat&state=eligible", "?at=last&sort=title", "?days=5&country=PL")
    for query in asked:
        with statements() as said:
            assert desk.get(f"/applications{query}").status_code == 200
        assert len(said) <= 8, said


def test_an_organisation_with_a_new_name_is_found_by_it_and_what_was_sent_by_the_old_one_too(
    found: Listed, monkeypatch: pytest.MonkeyPatch
) -> None:
    eli = actors.eli()

    def shown(words: str) -> set[str]:
        return {row.title for row in walked(eli, Listing(ListFilter(search=words)), size=9)}

    def renamed(title: str, name: str, town: str) -> None:
        organisation = identity.organisation(queries.view_by_id(found.ids[title]).coordinator_id)
        given = OrganisationInput(name, organisation.kind, organisation.country_code, town=town)
        people.edit_organisation(actors.ingrid(), organisation.id, given)

    # Portion after portion: each asks for the next.
    monkeypatch.setattr("grants.applications.services.finding.REFRESHED_TOGETHER", 1)
    renamed("Warm Blocks", "Office of Rivertown", "Rivertown")
    renamed("Sent Here", "Council of Hilltown", "Hilltown")
    assert shown("rivertown") == shown("hilltown") == set()
    jobs.work_off(actor_of=identity.actor_for)

    assert (shown("rivertown"), shown("“City of Łódź”")) == ({"Warm Blocks"}, set())
    assert (shown("hilltown"), shown("northbridge")) == ({"Sent Here"}, {"Sent Here", "Quiet Streets = less noise"})
    by_city = [row.title for row in walked(eli, Listing(sorting=Sorting(Order.LEAD, descending=False)), size=9)]
    assert by_city.index("Warm Blocks") > by_city.index("Sent Here")
    # The draft of the same city too, for its own team.
    assert {row.title for row in walked(actors.ana(), Listing(ListFilter(search="hilltown")), size=9)} == {
        "Sent Here",
        "Only a Draft",
    }
    assert (
        services.refresh_names(system_actor("the program", [Permission.APPLICATION_READ]), found.ids["Warm Blocks"])
        == 0
    )


def test_a_new_name_of_an_organisation_makes_no_open_form_stale(found: Listed) -> None:
    (row,) = walked(actors.ana(), Listing(ListFilter(search="only draft")), size=9)
    draft = queries.view_by_id(row.id)
    lead = identity.organisation(draft.coordinator_id)
    given = OrganisationInput("Council of Hilltown", lead.kind, lead.country_code, town="Hilltown")
    people.edit_organisation(actors.ingrid(), lead.id, given)
    jobs.work_off(actor_of=identity.actor_for)

    with clock.at(WHILE_OPEN):
        written = DetailsInput(draft.title, summary="Written before the name changed.")
        assert services.edit_details(actors.ana(), draft.id, written, draft.version) == draft.version + 1
