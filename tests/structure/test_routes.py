"""Laws about addresses: who may open each, what is public, that reading never writes. Read from the URL map itself."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from werkzeug.routing import IntegerConverter, Rule

from grants.app import _check_access, create_app, stage_modules
from grants.core import jobs
from grants.core.errors import NotAllowed
from grants.core.permissions import Actor
from grants.identity.policy import PERMISSIONS
from grants.web.routing import ANONYMOUS, Access, public
from tests import actors
from tests.html import check_page

# Open to everybody. Whoever adds a line here has thought about it.
PUBLIC = {
    "applications.check_receipt",
    "awards.experts",
    "awards.experts_of_year",
    "awards.public_awards",
    "awards.public_awards_csv",
    "awards.public_awards_json",
    "calls.call_calendar",
    "calls.call_privacy",
    "calls.empty_budget",
    "calls.empty_form",
    "calls.empty_sheet",
    "calls.index",
    "calls.questions",
    "calls.questions_feed",
    "calls.show",
    "calls.slides",
    "evaluation.answer_link",
    "evaluation.answer_page",
    "evaluation.accept_by_link",
    "evaluation.decline_by_link",
    "identity.ask_reset",
    "identity.choose_password",
    "identity.demo_people",
    "identity.demo_sign_in",
    "identity.enter",
    "identity.open_link",
    "identity.password_chosen",
    "identity.reset",
    "identity.sign_in",
    "oversight.about",
    "oversight.accessibility",
    "oversight.alive",
    "oversight.audit_key",
    "oversight.checkpoint_note",
    "oversight.front",
    "oversight.privacy",
    "oversight.ready",
    "oversight.theme",
    "oversight.which_version",
}

# Reads that are recorded: the only GETs that may call an act.
AUDITED_READS = {
    "awards.complaint_decision",
    "awards.complaint_file",
    "agreements.account_evidence",
    "agreements.accession_form",
    "agreements.accession_pdf",
    "agreements.agreement_pdf",
    "agreements.certified_accession",
    "agreements.certified_pdf",
    "agreements.evidence",
    "agreements.hold_notice",
    "agreements.offer_pdf",
    "agreements.signed_document",
    "agreements.termination_letter",
    "agreements.termination_notice",
    "agreements.version_pdf",
    "applications.download",
    "applications.letter_draft_pdf",
    "applications.letter_pdf",
    "applications.export",
    "applications.download_list_file",
    "applications.export_workbook",
    "awards.advice_csv",
    "awards.complaints_csv",
    "awards.ranking_csv",
    "awards.ranking_workbook",
    "awards.selection_minute",
    "evaluation.pool_csv",
    "evaluation.run_taken",
    "evaluation.seats_taken",
    "applications.receipt_pdf",
    "awards.letter_paper",
    "awards.letter_pdf",
    "awards.minutes_pdf",
    "awards.report_pdf",
    "documents.download",
    "evaluation.file",
    "evaluation.take_packed_pdf",
    "evaluation.take_reading_pack",
    "payments.answer_file",
    "payments.passed_on_file",
    "payments.appointment",
    "payments.batch_file",
    "payments.certificate_file",
    "payments.guarantee_file",
    "reporting.package_file",
    "payments.interest_waiver",
    "payments.waiver",
    "reporting.open_evidence",
}

WRITING = {"POST", "PUT", "PATCH", "DELETE"}


@pytest.fixture
def rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]


def access(app: Flask, rule: Rule) -> Access:
    return app.view_functions[rule.endpoint].access


def test_every_address_says_who_may_open_it(app: Flask, rules: list[Rule]) -> None:
    silent = [rule.endpoint for rule in rules if not hasattr(app.view_functions[rule.endpoint], "access")]

    assert silent == []


def test_the_public_addresses_are_exactly_those_listed(app: Flask, rules: list[Rule]) -> None:
    assert {rule.endpoint for rule in rules if access(app, rule).anyone} == PUBLIC


def test_an_address_is_lower_case_words_without_a_bare_number_of_the_database(rules: list[Rule]) -> None:
    odd = [rule.rule for rule in rules if rule.rule != rule.rule.lower() or "uuid:" in rule.rule]

    assert odd == []


def test_a_whole_number_in_an_address_is_one_the_database_can_compare(app: Flask, rules: list[Rule]) -> None:
    numbers = {
        f"{rule.rule} {name}": converter.max
        for rule in rules
        for name, converter in rule._converters.items()
        if isinstance(converter, IntegerConverter)
    }

    assert len(numbers) > 20
    assert [address for address, most in numbers.items() if most is None or most >= 2**63] == []


def test_an_address_with_a_number_of_any_length_is_not_there(app: Flask) -> None:
    client = actors.client_of(app, actors.ingrid())

    answers = [client.get(f"/applications/views/{number}") for number in ("2147483648", "9" * 20, "9" * 5_000)]

    assert [answer.status_code for answer in answers] == [404, 404, 404]


def test_menu_entries_lead_to_pages_their_readers_may_open(app: Flask) -> None:
    wrong = []
    for item in app.extensions["navigation"]:
        view = app.view_functions.get(item.endpoint)
        if view is None:
            wrong.append(f"{item.label}: {item.endpoint} is not there")
            continue
        asked: Access = view.access
        if not item.any_of and not asked.anyone:
            wrong.append(f"{item.label} is shown to everybody, {item.endpoint} is not public")
        for role, held in PERMISSIONS.items():
            if held.intersection(item.any_of) and asked.any_of and not held.intersection(asked.any_of):
                wrong.append(f"{item.label} is shown to {role}, who may not open {item.endpoint}")

    assert wrong == []


# ---- Reading never writes ----


SENT_ONLY = re.compile(r"(?P<no>not )?.*(validate_on_submit|is_submitted|'POST')")


def read_by_a_get(statements: list[ast.stmt]) -> Iterator[ast.AST]:
    """What runs without a sent form: not the branch for one, nor what follows an early return without one."""
    for statement in statements:
        sent = SENT_ONLY.match(ast.unparse(statement.test)) if isinstance(statement, ast.If) else None
        if not isinstance(statement, ast.If) or not sent:
            yield statement
        elif sent["no"]:
            yield from read_by_a_get(statement.body)
            if isinstance(statement.body[-1], ast.Return):
                return
        else:
            yield from read_by_a_get(statement.orelse)


def acts_called(view: Callable[..., Any], seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """Names of acts that a GET of this view calls, itself or through functions of its module."""
    view = inspect.unwrap(view)
    module = inspect.getmodule(view)
    (function,) = ast.parse(textwrap.dedent(inspect.getsource(view))).body
    assert isinstance(function, ast.FunctionDef)
    for statement in read_by_a_get(function.body):
        for call in ast.walk(statement):
            if not isinstance(call, ast.Call):
                continue
            found: Any = module
            for name in ast.unparse(call.func).split("."):
                found = vars(found).get(name) if isinstance(found, ModuleType) else None
            if hasattr(found, "act"):
                yield ast.unparse(call.func)
            elif inspect.isfunction(found) and found.__module__ == view.__module__ and found.__name__ not in seen:
                yield from acts_called(found, seen | {view.__name__, found.__name__})


def test_no_get_calls_an_act_but_the_recorded_reads(app: Flask, rules: list[Rule]) -> None:
    list(stage_modules("services"))
    writing = {
        f"{rule.endpoint} calls {name}"
        for rule in rules
        if "GET" in (rule.methods or ())
        for name in acts_called(app.view_functions[rule.endpoint])
        if rule.endpoint not in AUDITED_READS
    }

    assert writing == set()


def test_a_head_does_no_act_at_any_address(app: Flask, rules: list[Rule], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing leaves by it, so the record says nothing: an act in the way of it, at whatever address, is answered 405."""

    @public
    def takes(**given: object) -> str:
        jobs.retry(ANONYMOUS, UUID(int=0))
        return "taken"

    reads = [rule for rule in rules if "GET" in (rule.methods or ())]
    addresses = {filled(app, rule): rule.endpoint for rule in reads}
    for rule in reads:
        monkeypatch.setitem(app.view_functions, rule.endpoint, takes)
    client = app.test_client()

    answers = {address: client.head(address) for address in addresses}

    found = {address: (answer.status_code, answer.headers.get("Allow")) for address, answer in answers.items()}
    # No year of experts is called 1.
    assert {address: each for address, each in found.items() if each != (405, "GET")} == {"/experts/1": (404, None)}
    assert {addresses[address] for address in found} >= AUDITED_READS
    assert client.get(next(iter(addresses))).status_code == 403


def careless() -> None:
    jobs.retry(None, None)


def careful(form: Any) -> None:
    if not form.is_submitted():
        return
    jobs.retry(None, None)


def orderly(form: Any) -> None:
    if form.validate_on_submit():
        jobs.retry(None, None)


def test_an_act_in_the_way_of_a_get_is_found_and_one_behind_a_sent_form_is_not() -> None:
    assert [list(acts_called(view)) for view in (careless, careful, orderly)] == [["jobs.retry"], [], []]


# ---- Everybody who may not, cannot ----


def filled(app: Flask, rule: Rule) -> str:
    """An address of this rule for a thing that does not exist."""
    values: dict[str, Any] = {}
    for name in rule.arguments:
        converter = rule._converters[name]
        kind = type(converter).__name__
        values[name] = {"IntegerConverter": 1}.get(kind, "x")
        if kind == "AnyConverter":
            values[name] = next(iter(converter.items))
    with app.test_request_context():
        return app.url_map.bind("localhost").build(rule.endpoint, values, method=method_of(rule))


def method_of(rule: Rule) -> str:
    return "GET" if "GET" in (rule.methods or ()) else sorted((rule.methods or set()) & WRITING)[0]


def methods_of(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) & {"GET", *WRITING})


def test_nobody_signed_in_is_sent_to_sign_in_everywhere_else(app: Flask, rules: list[Rule]) -> None:
    app.config.update(WTF_CSRF_ENABLED=False, GRANTS_DEMO=False)
    client = app.test_client()

    let_in = []
    for rule in rules:
        for method in methods_of(rule):
            if not access(app, rule).anyone:
                answer = client.open(filled(app, rule), method=method)
                if answer.status_code != 303 or not (answer.location or "").startswith("/sign-in"):
                    let_in.append(f"{method} {rule.rule} answered {answer.status_code}")

    assert let_in == []


def test_a_role_without_the_permission_is_refused(app: Flask, rules: list[Rule]) -> None:
    """What every request passes refuses it; the first of each role goes the whole way, as a browser sends it."""
    app.config.update(WTF_CSRF_ENABLED=False, GRANTS_DEMO=False)
    assert _check_access in app.before_request_funcs[None]

    guarded = [(rule, access(app, rule).any_of, filled(app, rule)) for rule in rules]
    let_in = []
    for role, person in actors.BY_ROLE.items():
        actor = person()
        closed = [
            (address, method)
            for rule, asked, address in guarded
            if asked and not any(actor.can(permission) for permission in asked)
            for method in methods_of(rule)
        ]
        let_in += [
            f"{role}: {method} {address}" for address, method in closed if not refused(app, actor, address, method)
        ]
        for address, method in closed[:1]:
            assert actors.client_of(app, actor).open(address, method=method).status_code == 403

    assert let_in == []


def refused(app: Flask, actor: Actor, address: str, method: str) -> bool:
    """Whether the check of every request stops this person here."""
    with app.test_request_context(address, method=method):
        g.actor = actor
        try:
            _check_access()
        except NotAllowed:
            return True
    return False


def test_somebody_without_a_role_is_refused_in_words_that_help(app: Flask, rules: list[Rule]) -> None:
    client = actors.client_of(app, actors.nobody())
    guarded_rule = next(rule for rule in rules if access(app, rule).any_of and "GET" in (rule.methods or ()))

    answer = client.get(filled(app, guarded_rule))

    assert answer.status_code == 403
    check_page(answer)
    assert "You need another role for this: " in answer.get_data(as_text=True)


def test_every_page_without_a_reference_opens_as_a_page_we_may_show(app: Flask, rules: list[Rule]) -> None:
    """Pages with a reference in their address are looked at by the tests of their stage, with data."""
    wrong = []
    for role, person in actors.BY_ROLE.items():
        actor = person()
        client = actors.client_of(app, actor)
        for rule in rules:
            asked = access(app, rule)
            may = asked.anyone or not asked.any_of or any(actor.can(permission) for permission in asked.any_of)
            if "GET" not in (rule.methods or ()) or rule.arguments or not may:
                continue
            wrong += [f"{role}: {fault}" for fault in faults_of(client, rule)]

    assert wrong == []


def faults_of(client: FlaskClient, rule: Rule) -> list[str]:
    """What is wrong with the page at this address."""
    answer = client.get(rule.rule)
    if answer.status_code >= 500 and rule.endpoint != "oversight.ready":
        return [f"{rule.rule} answered {answer.status_code}"]
    if answer.mimetype != "text/html" or answer.status_code == 303:
        return []
    try:
        check_page(answer)
    except AssertionError as fault:
        return [str(fault)]
    return []


def test_every_program_is_made_anew_with_the_same_addresses(app: Flask, settings: Any) -> None:
    again = create_app(settings)

    assert sorted(map(str, again.url_map.iter_rules())) == sorted(map(str, app.url_map.iter_rules()))
