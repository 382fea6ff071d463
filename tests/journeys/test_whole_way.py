"""The whole way once: from a call file to a closed grant and a statement, each step by the person whose step it is.

Nothing here calls an act. People open pages, fill the forms they find and send them, with CSRF tokens as in
a browser; between two steps the worker does what it was asked for and the clock moves on.
"""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Flask
from openpyxl import load_workbook
from pypdf import PdfReader

from grants.agreements import queries as agreements
from grants.applications import queries as applications
from grants.budgets.rules import field_name
from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.core import audit, clock
from grants.core.money import Money, euros
from grants.demo.preparing import Sides, meet_conditions
from grants.ledger import queries as ledger
from grants.ledger.accounts import Account
from grants.payments import queries as payments
from tests import actors
from tests.calls.scene import CALL_2022
from tests.factories.applications import answer_to
from tests.journeys.steps import (
    Who,
    deed,
    download,
    home_of,
    look,
    read,
    refused,
    sven,
    ulf,
    upload,
    val,
    worker_works,
)
from tests.payments.world import SEEN

CALL = "/calls/open-call-for-pilot-cities-2022"
EVERYBODY: tuple[Who, ...] = (
    actors.ana, actors.marek, actors.sid, sven, actors.eva, actors.emil, actors.eni, ulf, actors.zoe, actors.ingrid,
    actors.eli, actors.pia, actors.fin, actors.vera, val, actors.otto, actors.carl, actors.greta, actors.nuria,
)  # fmt: skip
SEATS_OF_WARM: tuple[Who, ...] = (actors.eva, actors.emil, actors.eni)
SEATS_OF_FERRY: tuple[Who, ...] = (actors.emil, actors.eni, ulf)
OF_THE_CALL = {
    "Budget authorised": Account.BUDGET_AUTHORISED,
    "Free": Account.AVAILABLE,
    "Reserved by selection decisions": Account.RESERVED,
    "Committed, agreement not yet signed": Account.COMMITTED,
    "Open legal commitments": Account.LEGALLY_COMMITTED,
    "Paid": Account.CONSUMED,
}
IBAN = "PL61109010140000071219812874"
PDF, XLSX, CSV = (
    "application/pdf",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "text/csv",
)
BECAUSE = (
    "The application names the barrier and the people who must move it, gives a date for every step, says what happens "
    "if a step fails, and shows a budget that follows the work. What other cities can take over is named too."
)


def at(year: int, month: int, day: int, hour: int = 9) -> datetime:
    """A moment in UTC."""
    return datetime(year, month, day, hour, tzinfo=UTC)


def test_the_whole_way_from_a_call_file_to_a_closed_grant(app: Flask) -> None:
    with clock.at(at(2022, 7, 1)):
        for person in EVERYBODY:
            person()

    with clock.at(at(2022, 8, 1)):
        _the_manager_brings_in_the_call()
        _the_authorising_officer_sets_the_budget()
    with clock.at(at(2022, 10, 3)):
        warm = _a_city_starts(actors.ana, "Warm Blocks")
        _it_invites_a_partner_who_accepts(warm)
        _it_writes_its_sections(actors.ana, warm)
        _both_enter_their_budgets(warm)
        _it_attaches_and_sends(actors.ana, warm)
        ferry = _a_city_starts(sven, "Ferry to Zero")
        _it_writes_its_sections(sven, ferry)
        deed(sven, f"{ferry}/budget", {field_name(home_of(sven), "A"): "240 000"})
        _it_attaches_and_sends(sven, ferry)
        worker_works()
        _each_has_its_receipt(warm)

    with clock.at(at(2022, 11, 16)):
        for place in (warm, ferry):
            _the_desk_declares_it_eligible(place)
    with clock.at(at(2022, 11, 18)):
        _the_manager_fills_the_pool()
        _evaluators_declare_and_one_has_a_conflict(warm, ferry)
        _the_conflicted_meets_it_nowhere(app, warm)
    with clock.at(at(2022, 11, 21)):
        _the_job_assigns_three_to_each(warm)
        _the_conflicted_meets_it_nowhere(app, warm)
    with clock.at(at(2022, 12, 5)):
        _three_score_each(warm, SEATS_OF_WARM, 8)
        _three_score_each(ferry, SEATS_OF_FERRY, 5)
    with clock.at(at(2022, 12, 12)):
        _they_agree_a_consensus(warm, SEATS_OF_WARM, 8)
        _they_agree_a_consensus(ferry, SEATS_OF_FERRY, 5)
    with clock.at(at(2023, 1, 16)):
        _two_people_select(warm, ferry)
        worker_works()
        _two_people_send_the_letters(warm)
        _the_conflicted_meets_it_nowhere(app, warm)

    with clock.at(at(2023, 3, 1)):
        grant = _the_officer_prepares_the_agreement(warm)
        _the_account_is_entered_and_confirmed_by_two(grant)
        _what_is_due_is_looked_at_and_the_agreement_offered(grant)
    with clock.at(at(2023, 4, 20)):
        _both_sides_sign(grant)
        worker_works()
    assert _ledger(Account.LEGALLY_COMMITTED) == euros(500_000)

    with clock.at(at(2023, 4, 21)):
        _the_programme_has_an_account_to_pay_from()
    _it_is_decided_and_paid(f"/finance/requests/{_ref(grant)}-1", "200 000,00", at(2023, 4, 24))
    assert _ledger(Account.BANK) == -euros(200_000)

    with clock.at(at(2023, 8, 20)):
        _a_milestone_is_reached_and_accepted(grant)
    first = _a_report_is_written_and_sent(grant, 1, {"ana": "200.000,00", "marek": "40 000"}, at(2024, 6, 20))
    with clock.at(at(2024, 7, 10)):
        _the_officer_accepts_a_part(first)
        worker_works()
    with clock.at(at(2024, 7, 11)):
        request = f"/finance/requests/{_ref(grant)}-2"
        assert "287 500.00" in read(actors.otto, request)
        assert "250 000.00" in read(actors.otto, request)
    _it_is_decided_and_paid(request, "287 500,00", at(2024, 7, 15), order="250 000,00")
    assert _ledger(Account.BANK) == -euros(450_000)

    last = _a_report_is_written_and_sent(grant, 2, {"ana": "99 999,99", "marek": "60 000"}, at(2025, 6, 25))
    with clock.at(at(2025, 7, 10)):
        deed(actors.pia, f"{last}/accept", {})
        worker_works()
    # 287 500 accepted before; 99 999.99 with its flat rate of 24 999.9975, rounded to the cent; 60 000 with 15 000.
    paid = Money(487_499_99)
    _it_is_decided_and_paid(f"/finance/requests/{_ref(grant)}-3", "", at(2025, 7, 15), order="")
    assert _ledger(Account.BANK) == -paid

    with clock.at(at(2025, 9, 15)):
        _the_grant_is_closed(grant)
    with clock.at(at(2025, 9, 20)):
        _finance_asks_for_the_overview(paid)

    assert ledger.verify() == ()
    assert payments.verify() == ()
    audit.seal_pending()
    assert audit.verify().problem is None


# --- the call -----------------------------------------------------------------------------------------------------


def _the_manager_brings_in_the_call() -> None:
    made = deed(actors.ingrid, "/calls/import", {"file": upload("call_2022.yaml", CALL_2022.encode())})
    assert made == f"{CALL}/manage"
    assert "It cannot be published yet" in read(actors.ingrid, made)
    deed(actors.ingrid, made, {"template": "horizon-like"}, to=f"{CALL}/template")
    assert "Nothing is missing. It can be published." in read(actors.ingrid, made)
    deed(actors.ingrid, made, {}, to=f"{CALL}/publish")


def _the_authorising_officer_sets_the_budget() -> None:
    deed(actors.otto, f"{CALL}/budget", {"amount": "32.000.000,00"})
    assert "32 000 000.00" in read(actors.ingrid, f"{CALL}/manage")
    assert _ledger(Account.AVAILABLE) == euros(32_000_000)


def _call() -> CallView:
    return calls.call(None, CALL.rpartition("/")[2])


def _ledger(account: Account) -> Money:
    return ledger.balance(account, call_id=_call().id)


def _ref(place: str) -> str:
    return place.rpartition("/")[2]


# --- the application ----------------------------------------------------------------------------------------------


def _a_city_starts(lead: Who, title: str) -> str:
    assert "Open call for Pilot Cities" in read(lead, CALL)
    page = f"/applications/new?call={_ref(CALL)}"
    place = deed(lead, page, {"title": title, "acronym": title, "about": f"{title}, an invented pilot."})
    assert "sections complete" in read(lead, place)
    return place


def _it_invites_a_partner_who_accepts(place: str) -> None:
    invited = {"name": "Marek Nowak", "email": "marek.nowak@example.eu", "organisation_id": str(home_of(actors.marek))}
    deed(actors.ana, f"{place}/team", invited)
    assert "You are invited as Municipality of Southport" in read(actors.marek, place)
    deed(actors.marek, f"{place}/team", {}, to=f"{place}/team/accept")


def _it_writes_its_sections(lead: Who, place: str) -> None:
    for section in _call().content.definition.sections:
        answers = [answer_to(question) for question in section.questions]
        typed = {f"answer_{each.question}": list(each.picked) or each.text for each in answers}
        deed(lead, f"{place}/sections/{section.key}", {**typed, "complete": "y", "go": "next"})


def _both_enter_their_budgets(place: str) -> None:
    deed(actors.ana, f"{place}/budget", {field_name(home_of(actors.ana), "A"): "300.000,00"})
    deed(actors.marek, f"{place}/budget", {field_name(home_of(actors.marek), "A"): "100,000.00"})
    assert "500 000.00" in read(actors.ana, f"{place}/budget")


def _it_attaches_and_sends(lead: Who, place: str) -> None:
    assert "It cannot be sent yet" in read(lead, f"{place}/submit")
    deed(lead, f"{place}/files", {"role": "attachment_mandate", "file": upload("mandate.pdf")})
    assert "No problem stops the sending." in read(lead, f"{place}/check")
    assert deed(lead, f"{place}/submit", {"statement": "y"}) == f"{place}/receipt"


def _each_has_its_receipt(place: str) -> None:
    receipt = read(actors.ana, f"{place}/receipt")
    assert _ref(place) in receipt and "11:00:00.000 on 3 October 2022 (Europe/Brussels)" in receipt
    link = next(each for each in _links(actors.ana, f"{place}/receipt") if each.endswith(".pdf"))
    assert _ref(place) in _text(download(actors.ana, link, PDF))


def _links(who: Who, path: str) -> list[str]:
    return [each.replace("&amp;", "&") for each in re.findall(r'href="([^"]+)"', look(who, path).text)]


def _text(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


def _the_desk_declares_it_eligible(place: str) -> None:
    verdicts = {f"verdict_{each.key}": "pass" for each in _call().content.conditions}
    read(actors.eli, f"{CALL}/eligibility")
    deed(actors.eli, f"{place}/eligibility", {**verdicts, "go": "declare"})
    assert "Declared eligible" in read(actors.eli, f"{place}/eligibility")
    ticked = re.findall(r'name="letter" value="([^"]+)"', look(actors.eli, f"{CALL}/letters").text)
    deed(actors.eli, f"{CALL}/letters", {"letter": ticked})
    worker_works()


# --- the evaluation -----------------------------------------------------------------------------------------------


def _the_manager_fills_the_pool() -> None:
    # Eva takes one only, so that the three seats of each application can be filled in one way.
    for who, country, most in ((actors.eva, "FI", 1), (actors.emil, "DK", 2), (actors.eni, "IT", 2), (ulf, "AT", 2)):
        typed = {"person": str(who().user_id), "country_code": country, "languages": "en", "load_max": str(most)}
        deed(actors.ingrid, f"{CALL}/evaluators/entry", typed)


def _evaluators_declare_and_one_has_a_conflict(warm: str, ferry: str) -> None:
    assert "Warm Blocks" not in read(ulf, "/assessments")
    assert look(ulf, f"/assessments/{_ref(warm)}").status_code in (403, 404)
    warm_id, ferry_id = _id(warm), _id(ferry)
    for who in (actors.eva, actors.emil, actors.eni, actors.zoe):
        _declares(who, {f"declared_{warm_id}": "none", f"declared_{ferry_id}": "none"})
    assert "Warm Blocks" in read(ulf, "/assessments/conflicts")
    sister = {f"declared_{warm_id}": "conflict", f"reason_{warm_id}": "My sister works for Northbridge."}
    _declares(ulf, {**sister, f"declared_{ferry_id}": "none"})


def _declares(who: Who, typed: dict[str, str]) -> None:
    """First about the applications; then about every organisation that takes part in one that is not shut by that."""
    page, to = "/assessments/conflicts", f"/assessments/conflicts/{_ref(CALL)}"
    deed(who, page, typed, to=to)
    asked = set(re.findall(r'name="(entity_[^"]+)"', look(who, page).text))
    deed(who, page, dict.fromkeys(asked, "none"), to=to)


def _id(place: str) -> UUID:
    return applications.id_of(actors.eli(), _ref(place))


def _the_conflicted_meets_it_nowhere(app: Flask, place: str) -> None:
    """No page of the application opens, and no list or count of his shows it."""
    opened = [path for path in _pages_of(app, _ref(place)) if look(ulf, path).status_code not in (403, 404)]
    assert opened == []
    assert look(ulf, f"/consensus/{_ref(place)}").status_code in (403, 404)
    for path in ("/home", "/home/tasks", "/assessments", "/assessments/conflicts", "/applications", "/consensus"):
        shown = look(ulf, path)
        assert shown.status_code in (200, 403)
        assert "Warm Blocks" not in shown.text and _ref(place) not in shown.text and "Northbridge" not in shown.text


def _first_of(rule: Any, name: str) -> str:
    """What stands for a part of an address that nobody says: the first that may stand there, or a name that nobody has."""
    return next(iter(getattr(rule._converters[name], "items", ())), "nobody")


def _pages_of(app: Flask, reference: str) -> list[str]:
    """The address of every page of one application, from the map of addresses itself."""
    values = {
        "ref": reference, "application_ref": reference, "key": "city", "question": "starting_point", "number": 1,
        "payee": 1, "place": 1, "sha256": "0" * 64,
    }  # fmt: skip
    found = []
    for rule in app.url_map.iter_rules():
        stage = rule.endpoint.partition(".")[0]
        of_it = rule.arguments & {"ref", "application_ref"} and "slug" not in rule.arguments
        if of_it and stage in ("applications", "evaluation", "agreements") and "GET" in (rule.methods or ()):
            built = rule.build({name: values.get(name) or _first_of(rule, name) for name in rule.arguments})
            assert built is not None
            found.append(built[1])
    assert len(found) > 15
    return found


def _the_job_assigns_three_to_each(warm: str) -> None:
    page = f"{CALL}/assignments"
    deed(actors.ingrid, page, {"due_on": "9 December 2022", "seed": "2022"})
    assert "The assignment is being made" in read(actors.ingrid, page)
    worker_works()
    assert "Run 1: the best assignment, proved" in read(actors.ingrid, page)
    for who in SEATS_OF_WARM:
        assert "Warm Blocks" in read(who, "/assessments")
    # He holds a seat at the other application, so the page of assessments is his, and this one is not there.
    assert "Ferry to Zero" in read(ulf, "/assessments")
    assert look(ulf, f"/assessments/{_ref(warm)}").status_code == 404


def _three_score_each(place: str, seats: tuple[Who, ...], half: int) -> None:
    page = f"/assessments/{_ref(place)}"
    for number, who in enumerate(seats):
        assert "An answer to" in read(who, page)
        draft = {f"half_{_criteria()[0]}": str(half + number % 2), "go": "save"}
        deed(who, page, {f"comment_{_criteria()[0]}": f"Draft of {who.__name__}", **draft})
        if number:
            assert f"Words of {seats[0].__name__}" not in look(who, page).text
        deed(who, page, {**_sheet(half, f"Words of {who.__name__}."), "go": "submit"})
    # Once in, each may read the others.
    assert f"Words of {seats[0].__name__}" in read(seats[1], page)


def _criteria() -> list[str]:
    return [criterion.key for criterion in _call().content.criteria]


def _sheet(half: int, said: str = "") -> dict[str, object]:
    comment = f"{BECAUSE} {said}"
    halves: dict[str, object] = {f"half_{key}": str(half) for key in _criteria()}
    return halves | {f"comment_{key}": comment for key in _criteria()}


def _they_agree_a_consensus(place: str, seats: tuple[Who, ...], half: int) -> None:
    page = f"/consensus/{_ref(place)}"
    deed(actors.zoe, page, {**_sheet(half), "remark": "What the panel found together.", "go": "propose"})
    for who in seats:
        deed(who, page, {}, to=f"{page}/agree")
    assert "All have agreed." in read(actors.zoe, page)


# --- the selection ------------------------------------------------------------------------------------------------


def _two_people_select(warm: str, ferry: str) -> None:
    ranking = read(actors.zoe, f"{CALL}/ranking")
    assert "Warm Blocks" in ranking and "Ferry to Zero" in ranking
    lines = look(actors.zoe, f"{CALL}/ranking.csv").text.splitlines()
    assert lines[1].startswith(f"1,{_ref(warm)},Warm Blocks") and _ref(ferry) in lines[2]
    decided = deed(actors.zoe, f"{CALL}/decision", {"reason": "The list as ranked.", "line": "stop", "go": "decide"})
    assert "another person must confirm" in read(actors.zoe, decided)
    deed(actors.otto, decided, {}, to=f"{decided}/confirm")
    assert _ledger(Account.RESERVED) == euros(500_000)


def _two_people_send_the_letters(warm: str) -> None:
    letters = f"{CALL}/decision/letters"
    # Nothing tells the lead before the letter.
    assert "Under evaluation" in read(actors.ana, warm)
    deed(actors.ingrid, letters, {})
    deed(actors.otto, letters, {}, to=f"{letters}/confirm")
    worker_works()
    assert "It is selected." in read(actors.ana, warm) and "is selected" in read(actors.ana, f"{warm}/decision-letter")


# --- the agreement ------------------------------------------------------------------------------------------------


def _the_officer_prepares_the_agreement(warm: str) -> str:
    assert _ref(warm) in read(actors.pia, "/grants")
    made = deed(actors.pia, f"/grants/prepare/{_ref(warm)}", {"starts_on": "1 June 2023"})
    grant = made.removesuffix("/preparation")
    for name, email, role in (
        ("Ana Kowalska", "ana.kowalska@example.eu", "lead"),
        ("Sid Mayor", "sid.mayor@example.eu", "signatory"),
    ):
        deed(actors.pia, f"{grant}/people", {"name": name, "email": email, "role": role})
    deed(actors.pia, f"{grant}/terms", {"months": "24"})
    return grant


def _the_account_is_entered_and_confirmed_by_two(grant: str) -> None:
    day = clock.long_date(clock.in_zone(clock.now()).date())
    account = {"holder": "Municipality of Northbridge", "iban": IBAN, "town": "Northbridge", "country_code": "PL"}
    deed(actors.ana, f"{grant}/account", account | {"evidence_on": day, "file": upload("letter of the bank.pdf")})
    check = {"channel": "call_back", "checked_on": day, "note": "The treasurer, called at the town hall, read it out"}
    said = {"match": "match", "matched_on": day}
    deed(actors.vera, f"{grant}/account", check | said, to=f"{grant}/account/confirm")
    shown = read(actors.ana, f"{grant}/account")
    assert IBAN not in shown.replace(" ", "") and "PL61 •••• 2874" in shown


def _what_is_due_is_looked_at_and_the_agreement_offered(grant: str) -> None:
    page = f"{grant}/preparation"
    met, conditions = _met_of(read(actors.pia, page))
    assert met < conditions and _met_of(read(actors.sid, page)) == (met, conditions)
    assert "in the way" in refused(actors.pia, page, {}, to=f"{grant}/offer")
    # By acts: tests/agreements/test_answering.py and tests/awards/test_lapsed.py answer them by their forms.
    meet_conditions(agreements.grant(actors.pia(), _ref(grant)).id, Sides(actors.sid, actors.pia, actors.ingrid))
    assert _met_of(read(actors.pia, page)) == (conditions, conditions)
    deed(actors.pia, page, {}, to=f"{grant}/offer")


def _met_of(shown: str) -> tuple[int, int]:
    """How many conditions of a preparation are met, of how many, as its page says."""
    found = re.search(r"(\d+) of (\d+) are met", shown)
    assert found is not None, shown
    return int(found[1]), int(found[2])


def _both_sides_sign(grant: str) -> None:
    page = f"{grant}/agreement"
    assert "500 000.00" in read(actors.sid, page)
    deed(actors.sid, page, {"capacity": "Mayor"}, to=f"{page}/sign")
    deed(actors.greta, page, {"capacity": "Director of the programme"}, to=f"{page}/sign")
    assert "by Sid Mayor" in read(actors.pia, page) and "by Greta Signatory" in read(actors.pia, page)


# --- the money ----------------------------------------------------------------------------------------------------


def _the_programme_has_an_account_to_pay_from() -> None:
    """Entered by one person, confirmed by another."""
    given = {"holder": "Pilot Programme", "iban": "BE43068999999501", "town": "Brussels"}
    account = deed(actors.fin, "/finance/accounts", given, to="/finance/accounts")
    deed(actors.vera, account, {"evidence": "Statement of the bank of March"}, to=f"{account}/confirm")


def _it_is_decided_and_paid(request: str, approved: str, start: datetime, order: str | None = None) -> None:
    """The circuit of four people in four days; an empty amount sends what the page proposes."""
    with clock.at(start):
        deed(actors.otto, request, {"approved": approved} if approved else {}, to=f"{request}/decide")
    with clock.at(start.replace(hour=12)):
        amount = approved if order is None else order
        made = deed(actors.fin, request, {"amount": amount} if amount else {}, to=f"{request}/orders")
    with clock.at(start.replace(hour=14)):
        assert "This one is not yours" in read(actors.vera, made)
        deed(val, made, {"note": "Agreement and account compared", "evidence": list(SEEN)}, to=f"{made}/verify")
        deed(actors.otto, made, {"evidence": list(SEEN)}, to=f"{made}/authorise")
    with clock.at(start.replace(hour=15)):
        batch = _exported(made)
    with clock.at(start.replace(day=start.day + 3)):
        day = clock.long_date(start.replace(day=start.day + 2).date())
        deed(actors.carl, made, {"value_on": day}, to=f"{made}/execute")
        assert "Executed" in read(actors.nuria, made)
        assert _ref(made) in read(actors.nuria, batch)
        worker_works()


def _exported(order: str) -> str:
    """A file leaves for the bank: the accounting officer ticks the order, and types number and sum back when it is made."""
    page = look(actors.carl, "/finance/batches/new").text
    amount = re.search(rf"{_ref(order)}, EUR ([\d\u00a0]+\.\d\d)", page)
    assert amount is not None
    day = clock.long_date(clock.in_zone(clock.now()).date())
    built = {"orders": _ref(order), "layout": "xlsx", "execution_on": day}
    batch = deed(actors.carl, "/finance/batches/new", built, to="/finance/batches/new?account=PCP-K-01")
    worker_works()
    typed = {"count": "1", "control_total": amount[1].replace("\u00a0", " ")}
    deed(actors.carl, batch, typed, to=f"{batch}/send")
    worker_works()
    sheet = load_workbook(io.BytesIO(download(actors.carl, f"{batch}/file", XLSX))).worksheets[0]
    cells = {str(cell.value) for row in sheet.iter_rows() for cell in row}
    assert IBAN in {cell.replace(" ", "") for cell in cells}
    return batch


# --- reports ------------------------------------------------------------------------------------------------------


def _a_milestone_is_reached_and_accepted(grant: str) -> None:
    page = f"{grant}/milestones/1"
    deed(actors.ana, page, {"achieved_on": "18 August 2023", "report": "Names and roles stand; all agreements signed."})
    deed(actors.pia, page, {}, to=f"{page}/accept")
    assert "Accepted" in read(actors.ana, page)


def _a_report_is_written_and_sent(grant: str, number: int, spent: dict[str, str], moment: datetime) -> str:
    with clock.at(moment):
        links = [each for each in _links(actors.ana, f"{grant}/reports") if each.startswith("/reports/")]
        report = sorted(set(links))[number - 1]
        told = {"answer_progress": "Four hundred flats were asked.", "answer_deviations": "None"}
        deed(actors.ana, f"{report}/sections/work", told)
        deed(actors.ana, f"{report}/sections/learning", {"answer_lessons": "Ask on the stairs, not in a hall."})
        costs = {
            field_name(home_of(who), "A"): spent[name] for name, who in (("ana", actors.ana), ("marek", actors.marek))
        }
        deed(actors.ana, f"{report}/costs", costs)
        deed(actors.ana, report, {}, to=f"{report}/submit")
    return report


def _the_officer_accepts_a_part(report: str) -> None:
    name = f"accepted-{home_of(actors.ana)}-A"
    less = {name: "190 000,00"}
    assert "reason" in refused(actors.pia, f"{report}/accept", less).lower()
    deed(actors.pia, f"{report}/accept", {**less, f"reason-{name}": "One contract began before the pilot."})
    assert "One contract began before the pilot." in read(actors.ana, report)


def _the_grant_is_closed(grant: str) -> None:
    partners = [each for each in payments.distribution_page(actors.nuria(), _ref(grant)).balances if each.blocks]
    for each in partners:
        waived = {"partner": str(each.organisation_id), "reason": "They settled it between them."}
        deed(actors.otto, f"{grant}/distribution", waived, to=f"{grant}/distribution/waive")
    assert partners
    deed(actors.otto, f"{grant}/close", {"note": "Both reports accepted, the balance paid."})
    assert "Closed" in read(actors.ana, grant)
    assert _ledger(Account.LEGALLY_COMMITTED) == Money(0)


# --- the statement ------------------------------------------------------------------------------------------------


def _finance_asks_for_the_overview(paid: Money) -> None:
    scope = _call().reference
    page = deed(actors.fin, "/finance/statements", {"name": "call-financial-overview", "scope": scope})
    assert "Waiting for a worker" in read(actors.fin, page)
    worker_works()
    in_the_ledger = {label: _ledger(account) for label, account in OF_THE_CALL.items()}
    assert in_the_ledger["Paid"] == paid == -_ledger(Account.BANK)
    shown, printed = read(actors.nuria, page), _text(download(actors.fin, f"{page}.pdf", PDF))
    for label, amount in in_the_ledger.items():
        told = str(amount).removeprefix("EUR ").replace("\u00a0", " ")
        assert label in shown and told in shown and told in printed, label
    book = load_workbook(io.BytesIO(download(actors.fin, f"{page}.xlsx", XLSX)))
    cells = [row for sheet in book for row in sheet.iter_rows(values_only=True)]
    assert {row[0]: Money(round(float(str(row[1])) * 100)) for row in cells if row[0] in OF_THE_CALL} == in_the_ledger
    lines = download(actors.fin, f"{page}.csv", CSV).decode("utf-8-sig").splitlines()
    total = list(csv.DictReader(lines))[-1]
    assert total["Paid"] == total["Accepted"] == "487499.99"
