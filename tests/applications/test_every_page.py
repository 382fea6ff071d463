"""No page of a call or of an application asks the database more than eight times: each is opened by whoever works on it."""

from __future__ import annotations

import html
import re
from dataclasses import asdict

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grants.calls.rules import CallView
from grants.core import clock
from tests import actors
from tests.applications.pages import text_of
from tests.applications.walked import INVITED, OVER, Walked, walked
from tests.factories.applications import AFTER_CLOSING, WHILE_OPEN
from tests.html import check_page
from tests.statements import statements
from tests.worlds import World, Worlds

STATEMENTS_MAX = 8
ROWS = {"applications", "calls", "cities"}
# What answers with a file, with words for a script, or with the way to another page.
NO_PAGES = {
    "applications.budget_findings", "applications.download", "applications.download_list_file",
    "calls.empty_budget", "calls.empty_form", "calls.empty_sheet", "applications.export",
    "applications.export_workbook", "applications.letter_draft_pdf", "applications.letter_pdf",
    "applications.own_budget", "applications.own_form", "applications.own_sheet", "applications.receipt_pdf",
    "applications.saved_list", "calls.call_calendar", "calls.correcting_answer", "calls.export",
    "calls.questions_feed", "calls.slides", "cities.actions_csv",
}  # fmt: skip
MOMENTS = {"open": WHILE_OPEN, "closed": AFTER_CLOSING, "invited": INVITED, "over": OVER}
PEOPLE = {
    "ada": actors.ada,
    "ana": actors.ana,
    "eli": actors.eli,
    "ingrid": actors.ingrid,
    "otto": actors.otto,
    "marek": actors.marek,
    "pia": actors.pia,
    "nobody": None,
}

# Who opens which page, and when.
PAGES = """\
nobody open /calls
ingrid open /calls
ingrid open /calls/import
nobody open /calls/{call}
ana open /calls/{call}
nobody open /calls/{full}
ingrid open /calls/{built}
ingrid open /calls/{call}/manage
ingrid open /calls/{built}/manage
ingrid open /calls/{call}/copy
ingrid open /calls/{call}/cancel
ingrid open /calls/{call}/dates
ingrid open /calls/{call}/documents
ingrid open /calls/{call}/expert-terms/edit
otto open /calls/{call}/budget
ingrid open /calls/{built}/build
ingrid open /calls/{built}/preview
ingrid open /calls/{built}/build/duration_months
ingrid open /calls/{built}/build/grant_bands_eur
ingrid open /calls/{built}/build/grant_bands_eur/1
ingrid open /calls/{built}/build/application_form.sections/0
ingrid open /calls/{built}/build/application_form.sections/0/questions/0
ingrid open /calls/{built}/build/application_form.sections/0/take-out?question=0
ingrid open /calls/{call}/corrigendum
ingrid open /calls/{full}/corrigendum
ingrid open /calls/{call}/corrigendum/preview
ingrid open /calls/{call}/corrigendum/file
ingrid open /calls/{call}/corrigendum/parts/duration_months
ingrid open /calls/{call}/corrigendum/parts/grant_bands_eur/1
ingrid open /calls/{call}/corrigendum/parts/application_form.sections/0/questions/0
ingrid open /calls/{call}/corrigendum/parts/application_form.sections/0/take-out?question=0
ingrid open /calls/{built}/trial
ingrid open /calls/{call}/trial
ingrid open /calls/{built}/trial/sections/summary
ingrid open /calls/{built}/trial/budget
ingrid open /calls/{built}/trial/files
nobody open /calls/{call}/privacy
ana open /calls/{call}/privacy
ingrid open /calls/{call}/privacy/edit
nobody open /calls/{call}/questions
ana open /calls/{call}/questions
ana open /calls/{call}/questions?q=region&section=summary
ana open /calls/{call}/questions/ask
ingrid open /calls/{call}/questions/desk
ingrid open /calls/{call}/questions/desk/{asked}
ingrid open /calls/{call}/questions/drafts/{entry}
ingrid open /calls/{call}/sessions
ingrid open /calls/{call}/sessions/1
ingrid open /calls/{call}/more-time
ana open /help
ana open /help/new
ana open /help/{ticket}
pia open /help/{ticket}
pia open /helpdesk
pia open /helpdesk?queue=content&state=all
ana open /applications
ana open /applications/new
ana open /applications/new?call={call}
ana open /applications/{draft}
ana open /applications/{draft}/sections/summary
ana open /applications/{draft}/sections/summary/history/summary
ana open /applications/{draft}/sections/summary/comments
ana open /applications/{draft}/details
ana open /applications/{draft}/budget
ana open /applications/{draft}/budget/sheet
ana open /applications/{draft}/plan
ana open /applications/{draft}/files
ana open /applications/{draft}/files/{file}/versions
ana open /applications/{draft}/serving
ana open /applications/{draft}/team
ana open /applications/{draft}/check
ana open /applications/{draft}/submit
ana open /applications/{draft}/offline
ana open /applications/{draft}/sign-off
ana open /applications/{draft}/print
ana open /applications/{draft}/changes
ana open /applications/{draft}/history
ana open /applications/{draft}/withdraw
marek open /applications/{draft}
marek open /applications/{draft}/sections/summary
marek open /applications/{draft}/takeover
ana open /applications/{sent}
ana open /applications/{sent}/sections/summary
ana open /applications/{sent}/receipt
ana open /applications/{sent}/print
ana closed /applications/{sent}
ana closed /applications/{sent}/receipt
ana closed /applications/{sent}/clarifications
ana closed /applications/{told}
ana closed /applications/{told}/letter
ana closed /applications/{told}/eligibility
ana invited /calls/{full}/full-proposal/{concept}
nobody open /receipts
nobody closed /receipts?reference={sent}
ingrid open /takeovers
ana open /partners/waiting
ingrid closed /calls/{call}/manage
ingrid invited /calls/{full}/invitations
ingrid closed /calls/{call}/pipeline
ingrid closed /applications/pipeline
eli closed /applications
eli closed /applications?q=heat&sort=-title
eli closed /applications/files
eli closed /applications/files/new?state=eligible&as=xlsx
eli closed /applications/files/{kept}
eli closed /applications/views
eli closed /applications/views/new?address=state%3Deligible
eli closed /applications/views/{saved}/change
eli closed /applications/{sent}
eli closed /applications/{sent}/print
eli closed /applications/{sent}/eligibility
eli closed /applications/{sent}/clarifications
eli closed /applications/{told}/eligibility
eli closed /applications/{told}/letter
eli closed /calls/{call}/eligibility
eli closed /calls/{call}/eligibility/batch
eli closed /calls/{call}/letters
ingrid closed /cities
ingrid closed /cities/new
ingrid closed /cities/{city}
ingrid closed /cities/{city}/organisation
ingrid closed /cities/{city}/actions
ana closed /cities/{city}/actions
ana closed /cities/{city}/actions/B-1
""".splitlines()


@pytest.fixture(scope="session")
def walked_world(worlds: Worlds, called_world: World[CallView]) -> World[Walked]:
    def around_a_call() -> Walked:
        return walked(called_world.told())

    return worlds.of(around_a_call, like=called_world)


def pages_of(person: str) -> list[tuple[str, str]]:
    """When and where this person opens what."""
    found = [line.split(" ") for line in PAGES]
    return [(when, path) for who, when, path in found if who == person]


@pytest.mark.parametrize("person", sorted({line.partition(" ")[0] for line in PAGES}))
def test_no_page_takes_more_than_eight_statements(app: Flask, walked_world: World[Walked], person: str) -> None:
    places = asdict(walked_world.told())
    asked = {}
    for when, path in pages_of(person):
        with clock.at(MOMENTS[when]):
            client = client_of(app, person)
            # That somebody was here is noted once a minute.
            client.get("/about")
            with statements() as seen:
                answer = client.get(path.format(**places))
        assert answer.status_code == 200 and answer.mimetype == "text/html", (path, answer.status_code)
        asked[f"{when} {path}"] = len(seen)

    assert {page: number for page, number in asked.items() if number > STATEMENTS_MAX} == {}


def test_every_page_is_opened_by_somebody(app: Flask) -> None:
    addresses = app.url_map.bind("")
    paths = [re.sub(r"[{][a-z]+[}]", "1", line.split(" ")[2]).partition("?")[0] for line in PAGES]
    opened = {addresses.match(path)[0] for path in paths}
    pages = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.endpoint.partition(".")[0] in ROWS
    }

    assert sorted(pages - opened) == sorted(NO_PAGES)


# Who asks where for what is not there, and what the page says instead of all or nothing.
NOT_THERE = (
    ("eli", "closed", "/applications?state=nope", "There is no state “nope”. There are: draft, submitted,"),
    ("eli", "closed", "/applications?country=XX", "There is no country “XX” with applications you may see. There is only PL."),
    ("eli", "closed", "/calls/{call}/eligibility?show=nope", "There is no part “nope”. There are: To check,"),
    ("pia", "open", "/helpdesk?state=nope", "There is no state “nope”. There are: Waits for the desk,"),
    ("pia", "open", "/helpdesk?queue=public", "There is no queue “public”. There are: Technical, Content."),
    ("pia", "open", "/helpdesk?apart=nope", "There is no part “nope” of this list. There is only “Answers on content that one applicant alone has”."),
    ("nobody", "open", "/calls/{call}/questions?section=nope", "There is no section “nope”. There are:"),
    ("ingrid", "closed", "/applications/pipeline?programme=nope", "There is no programme “nope”. There is only PCP."),
    ("ingrid", "closed", "/cities?label=nope", "There is no label “nope”. There are: Labelled, No label found, Not a Mission City."),
    ("otto", "open", "/grants?state=nope", "There is no state “nope”. There are: In preparation, Ready to sign, In force, Terminated, Closed, Dropped or declined."),
    ("ada", "open", "/admin/jobs?state=nope", "There is no state “nope”. There are: waiting, running, done, parked, cancelled."),
    ("ana", "open", "/applications/{sent}/receipt?version=9", "There is no version “9”. There is only 1."),
)  # fmt: skip


def client_of(app: Flask, person: str) -> FlaskClient:
    who = PEOPLE[person]
    return actors.client_of(app, who()) if who else app.test_client()


def test_an_address_that_names_what_is_not_there_says_so_and_what_there_is(
    app: Flask, walked_world: World[Walked]
) -> None:
    places = asdict(walked_world.told())
    silent = []
    for person, when, path, sentence in NOT_THERE:
        with clock.at(MOMENTS[when]):
            if sentence not in text_of(client_of(app, person).get(path.format(**places))):
                silent.append(path)

    assert silent == []


# Lists, one row a page: who reads each, and what every row of it is told apart by.
LISTS = (
    ("nobody", "over", "/calls", r'<h3><a class="govuk-link" href="([^"]+)"'),
    ("ana", "open", "/help", r">(PCP-[0-9]+-Q-[0-9]+)<"),
    ("ingrid", "open", "/cities/{city}/actions", r">(B-[0-9]|T-1)<"),
    ("ada", "over", "/admin/mail", r'pg-b-label">([0-9]+)<'),
    ("ada", "over", "/admin/jobs", r'href="/admin/jobs/([0-9]+)"'),
    ("ada", "over", "/admin/users?q=a", r'strong" href="/admin/users/([^"]+)"'),
)


@pytest.mark.parametrize(("person", "when", "path", "row"), LISTS, ids=[each[2] for each in LISTS])
def test_a_list_goes_on_until_each_row_was_shown_once(
    app: Flask,
    walked_world: World[Walked],
    monkeypatch: pytest.MonkeyPatch,
    person: str,
    when: str,
    path: str,
    row: str,
) -> None:
    monkeypatch.setattr("grants.web.paging.SIZES", (1, 200))
    address = path.format(**asdict(walked_world.told())) + ("&" if "?" in path else "?")
    with clock.at(MOMENTS[when]):
        client = client_of(app, person)
        whole = re.findall(row, client.get(f"{address}size=200").text)
        shown, pages = walked_pages(client, row, f"{address}size=1", "next")
        again, back = walked_pages(client, row, pages[-1], "prev")

    assert len(whole) >= 2 and shown == whole
    # Page by page back again, to the page one began with.
    assert again[::-1] == whole and back[::-1] == pages


def walked_pages(client: FlaskClient, row: str, address: str, way: str) -> tuple[list[str], list[str]]:
    """The rows of a list from this address on, following the links of one way, and the addresses in their order."""
    shown, pages = [], []
    while address:
        answer = client.get(address)
        check_page(answer)
        shown += re.findall(row, answer.text)
        pages.append(address)
        found = re.search(rf'rel="{way}" href="([^"]+)"', answer.text)
        address = html.unescape(found[1]) if found else ""
    return shown, pages
