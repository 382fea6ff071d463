"""A dry run: a manager goes the whole way of an applicant, and no other table of the program knows."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from grants.applications import queries, services
from grants.applications.models import CallTrial
from grants.applications.rules import Evidence, SectionInput, TrialApplicant, TrialContent, trial_verdict
from grants.applications.states import Verdict
from grants.calls import queries as calls
from grants.calls import services as call_services
from grants.calls.rules import CallView, Condition
from grants.calls.states import ConditionKind
from grants.core import clock
from grants.core.db import Base, db
from grants.core.errors import NotAllowed, NotFound, Refused
from grants.core.files import Incoming
from grants.dossiers.rules import Answer, QuestionKind
from tests import actors
from tests.applications.pages import post, send, text_of, values_of
from tests.calls import scene
from tests.factories.applications import PDF, answer_to

# What every act and every visit leaves behind, whatever it does.
KEPT_OF_ACTS = {
    "act",
    "act_key",
    "audit_event",
    "audit_unsealed",
    "audit_seal",
    "user_session",
    "form_answer",
    "removed_row",
    "security_event",
} | {"call_trial"}
WORDS = "A word that nobody else ever writes: Zyxwvut."


@pytest.fixture
def manager(app: Flask) -> FlaskClient:
    with clock.at(scene.BEFORE):
        actors.ingrid()  # Her role is given then, so that she may act at that time too.
    return actors.client_of(app, actors.ingrid())


def draft() -> CallView:
    return calls.call_by_id(scene.filled().id)


def everything() -> dict[str, str]:
    """Every row of every table but those every act writes."""
    db.session.rollback()
    return {
        name: repr(sorted(map(repr, db.session.execute(select(table)).all())))
        for name, table in Base.metadata.tables.items()
        if name not in KEPT_OF_ACTS
    }


def written(manager: FlaskClient, call: CallView) -> None:
    """Every section answered, a budget entered, every demanded file tried: as a browser without a script does it."""
    at = f"/calls/{call.slug}/trial"
    for section in call.content.definition.sections:
        typed: dict[str, object] = {"complete": "y", "go": "list"}
        for question in section.questions:
            if question.kind is not QuestionKind.FILE:
                answer = answer_to(question)
                typed[f"answer_{question.key}"] = list(answer.picked) or [answer.text]
        assert send(manager, f"{at}/sections/{section.key}", **typed).status_code == 303
    cell = next(
        name for name in values_of(manager, f"{at}/budget") if name.startswith("cell") or "~" in name or "A" in name
    )
    assert send(manager, f"{at}/budget", **{cell: "100 000,00"}).status_code == 303
    for wanted in call.content.attachments:
        values = values_of(manager, f"{at}/files")
        file = (io.BytesIO(PDF), f"{wanted.key}.pdf")
        answer = post(manager, f"{at}/files", values, role=f"attachment_{wanted.key}", file=file)
        assert answer.status_code == 303, answer.get_data(as_text=True)


def begun(manager: FlaskClient, call: CallView, **typed: object) -> None:
    given: dict[str, object] = {"lead_name": "Testham", "lead_population": "120 000", "lead_country": "BE", **typed}
    assert send(manager, f"/calls/{call.slug}/trial", **given).status_code == 303


def test_a_dry_run_goes_from_the_first_answer_to_the_verdict_and_no_other_table_knows(
    app: Flask, manager: FlaskClient
) -> None:
    call = draft()
    at = f"/calls/{call.slug}/trial"
    before = everything()

    begun(manager, call)
    assert "problems stop the sending" in text_of(manager.get(at))
    refused = post(manager, f"{at}/send", values_of(manager, at, to=f"{at}/away"))
    assert refused.status_code == 422 and "cannot be sent yet" in text_of(refused)
    written(manager, call)
    ready = text_of(manager.get(at))
    assert "No problem stops the sending." in ready
    assert send(manager, f"{at}/send", page=at).status_code == 303
    done = text_of(manager.get(at))

    assert "Receipt of the dry run" in done and "This is no receipt" in done and "EUR 125" in done
    assert "What eligibility would say" in done and "Testham" in done
    assert everything() == before
    assert db.session.scalar(select(func.count()).select_from(CallTrial)) == 1
    for page in ("/applications", "/applications.csv", "/home", "/search?q=Testham", f"/calls/{call.slug}/manage"):
        answer = manager.get(page)
        assert answer.status_code in (200, 404) and "Testham" not in answer.get_data(as_text=True), page
    send(manager, f"{at}/away", page=at)
    assert db.session.scalar(select(func.count()).select_from(CallTrial)) == 0
    assert everything() == before
    assert "Begin the dry run" in text_of(manager.get(at))


def test_nothing_but_the_dry_run_itself_reads_its_table() -> None:
    root = Path(__file__).resolve().parents[2]
    named = {
        str(path.relative_to(root))
        for folder in ("grants", "jobs")
        for path in (root / folder).rglob("*.py")
        if "CallTrial" in path.read_text(encoding="utf-8") or "call_trial" in path.read_text(encoding="utf-8")
    }

    assert named == {
        "grants/applications/models.py",
        "grants/applications/queries/trying.py",
        "grants/applications/services/trying.py",
    }
    pointing = [
        key
        for table in Base.metadata.tables.values()
        for key in table.foreign_keys
        if key.column.table.name == "call_trial"
    ]
    assert pointing == []


def test_a_dry_run_follows_the_draft_and_says_that_what_was_sent_is_another(manager: FlaskClient) -> None:
    call = draft()
    at = f"/calls/{call.slug}/trial"
    begun(manager, call)
    written(manager, call)
    send(manager, f"{at}/send", page=at)
    with clock.at(scene.BEFORE):
        call_services.set_value(
            actors.ingrid(),
            call.id,
            "application_form.own_sections",
            "value:\n- key: more\n  title: More\n  questions:\n  - {key: why_more, label: Why more, kind: long, words_max: 3}\n",
        )

    shown = text_of(manager.get(at))
    assert "What stands now is different" in shown and "1 problem stops the sending" in shown
    send(manager, f"{at}/sections/more", answer_why_more=WORDS, go="list")
    assert "3 words" in text_of(manager.get(at))
    with clock.at(scene.BEFORE):
        call_services.set_value(actors.ingrid(), call.id, "application_form.own_sections", "{}")
    assert "No problem stops the sending." in text_of(manager.get(at))


def test_files_are_looked_into_as_an_applicants_would_be_and_not_kept(manager: FlaskClient) -> None:
    call = draft()
    at = f"/calls/{call.slug}/trial/files"
    begun(manager, call)
    wanted = call.content.attachments[0]
    role = f"attachment_{wanted.key}"

    fake = (io.BytesIO(b"MZ no document"), "plan.pdf")
    refused = post(manager, at, values_of(manager, at), role=role, file=fake)
    taken = post(manager, at, values_of(manager, at), role=role, file=(io.BytesIO(PDF), "plan.pdf"))

    assert refused.status_code == 422 and wanted.label in text_of(refused)
    assert taken.status_code == 303
    assert "plan.pdf: looked into, would be taken." in text_of(manager.get(at))
    assert post(manager, at, values_of(manager, at), role="attachment_none").status_code == 404
    send(manager, f"{at}/remove", page=at)
    assert "plan.pdf" not in text_of(manager.get(at))


def test_an_amount_that_cannot_be_read_comes_back_and_what_was_typed_stays(manager: FlaskClient) -> None:
    call = draft()
    at = f"/calls/{call.slug}/trial/budget"
    begun(manager, call)
    view = queries.trial(actors.ingrid(), call)
    assert view is not None
    first, second, *_ = [cell.place for _, row in view.budget.lines for cell in row.cells if cell.category.entered]

    answer = send(manager, at, **{first: "much", second: "5 000"})

    assert answer.status_code == 422 and "1 field could not be read" in text_of(answer)
    assert 'value="much"' in answer.get_data(as_text=True)
    kept = queries.trial(actors.ingrid(), call)
    assert kept is not None and [cell.place for cell in kept.content.cells] == [second]


def test_who_shall_apply_is_said_in_full_or_the_dry_run_is_not_begun(manager: FlaskClient) -> None:
    call = draft()
    wrong = send(
        manager, f"/calls/{call.slug}/trial", title=" ", lead_name="", lead_population="many", lead_country="XX"
    )
    words = text_of(wrong)

    assert wrong.status_code == 422
    assert "Enter a title" in words and "Enter a name" in words
    for path in ("budget", "files", "sections/impact"):
        assert manager.get(f"/calls/{call.slug}/trial/{path}").status_code == 404


def test_a_city_that_is_too_small_is_not_eligible_in_a_dry_run_and_a_large_one_is_for_people_to_decide(
    manager: FlaskClient,
) -> None:
    call = draft()
    begun(manager, call, lead_population="49 999")
    assert "Not eligible, by the facts." in text_of(manager.get(f"/calls/{call.slug}/trial"))

    services.begin_trial(actors.ingrid(), call.id, TrialContent("T", (TrialApplicant("Big", population=200_000),)))
    assert "Not eligible, by the facts." not in text_of(manager.get(f"/calls/{call.slug}/trial"))


def test_a_condition_and_its_exception_are_one_in_the_verdict_of_a_dry_run() -> None:
    condition, exception = Condition("a", "A"), Condition("b", "B", ConditionKind.EXCEPTION)
    from_facts = {None: None, True: Verdict.PASS, False: Verdict.FAIL}

    def said(*met: bool | None) -> Verdict | None:
        pairs = zip((condition, exception), met, strict=True)
        return trial_verdict((each, Evidence((), from_facts[found])) for each, found in pairs)

    assert (said(True, False), said(False, True)) == (Verdict.PASS, Verdict.PASS)
    assert (said(False, False), said(False, None), said(None, None)) == (Verdict.FAIL, None, None)
    assert trial_verdict(()) is Verdict.PASS


def test_a_dry_run_is_the_managers_own_and_nobody_elses(app: Flask, manager: FlaskClient) -> None:
    call = draft()
    begun(manager, call)

    assert actors.client_of(app, actors.ana()).get(f"/calls/{call.slug}/trial").status_code == 403
    with pytest.raises(NotAllowed):
        services.begin_trial(actors.ana(), call.id, TrialContent("T", (TrialApplicant("A"),)))
    other = actors.actor(actors.person("Inga Manager", actors.Role.PROGRAMME_MANAGER))
    assert queries.trial(other, call) is None
    for act in (
        lambda: services.send_trial(other, call.id),
        lambda: services.throw_away(other, call.id),
        lambda: services.try_budget(other, call.id, ()),
        lambda: services.try_file(other, call.id, "other", Incoming("x.pdf", "application/pdf", 1, "0" * 64)),
        lambda: services.try_without(other, call.id, "other", "x.pdf"),
        lambda: services.try_section(other, call.id, "impact", SectionInput((Answer("x"),), None, None)),
    ):
        with pytest.raises(Refused, match="Begin one first"):
            act()
    with pytest.raises(NotFound):
        services.try_section(actors.ingrid(), call.id, "none", SectionInput((), None, None))
