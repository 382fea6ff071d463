"""A form with several bad fields tells of each of them at once, whichever of its rules asks more than one field."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from grants.agreements.forms import terms_form
from grants.applications.states import ApplicationState
from grants.awards.forms import DecisionForm, MeetingForm, PublishForm, ScenarioForm
from grants.awards.forms.complaints import CommitteeForm, MoreTimeForm, ProposeForm
from grants.core import clock
from grants.evaluation.forms import AnswerForm, InviteForm, PoolForm, RunForm, ShiftForm, profile_form
from grants.web.forms import Form

NOW = datetime(2023, 3, 1, 9, tzinfo=UTC)
CASE: Any = SimpleNamespace(about=ApplicationState.RESERVE, decide_at=NOW, committee=())


def committee() -> Form:
    form = CommitteeForm()
    form.offer(())
    return form


def more_time() -> Form:
    form = MoreTimeForm()
    form.offer(CASE, "Europe/Brussels")
    return form


def proposal() -> Form:
    form = ProposeForm()
    form.offer(CASE)
    return form


def pool() -> Form:
    form = profile_form(PoolForm, [("heat", "Heat")]).with_people(())
    form.roles.choices = []
    return form


def answer() -> Form:
    form = profile_form(AnswerForm, [])
    form.asked(5, None)
    return form


def terms() -> Form:
    day = NOW.date()
    grant: Any = SimpleNamespace(
        milestones=(),
        beneficiaries=(),
        amount_note=None,
        starts_on=day,
        ends_before=day,
        version=1,
        programme_signatures=1,
        special_conditions=None,
    )
    return terms_form(grant)


BAD_ENTRY = {
    "country_code": "Finland", "languages": "english", "employers": "Turku (2019 to nowhere)",
    "available_from": "1 May 2023", "available_until": "1 April 2023",
}  # fmt: skip


@pytest.mark.parametrize(
    ("made", "sent", "wrong"),
    [
        (committee, {"member_one": "", "member_two": ""}, {"member_one", "member_two"}),
        (more_time, {"day": "soon", "reason": ""}, {"day", "reason"}),
        (more_time, {"day": "1 February 2023", "reason": " "}, {"day", "reason"}),
        (proposal, {"upholds": "yes", "text": ""}, {"remedy", "text"}),
        (proposal, {"text": "x" * 7_000}, {"upholds", "text"}),
        (
            pool,
            {"person": "", "load_min": "x", "load_max": "0", **BAD_ENTRY},
            {"person", "load_min", "load_max", "country_code", "languages", "employers", "available_until"},
        ),
        (
            answer,
            {"load_max": "9", **BAD_ENTRY},
            {"load_max", "country_code", "languages", "employers", "available_until"},
        ),
        (
            InviteForm,
            {"email": "nobody", "name": "", "days": "0", "load_max": "x", "message": "x" * 9_000},
            {"email", "name", "days", "load_max", "message"},
        ),
        (
            terms,
            {"starts_on": "", "months": "12", "programme_signatures": "1", "title_1": "Roofs"},
            {"starts_on", "criterion_1", "due_on_1"},
        ),
        (RunForm, {"seed": "", "due_on": "1 February 2023"}, {"seed", "due_on"}),
        (ShiftForm, {"shift": "much", "reason": ""}, {"shift", "reason"}),
        (PublishForm, {"when": "later", "day": "soon", "time": ""}, {"day", "time"}),
        (
            DecisionForm,
            {"panel_order": "A\nA", "overrides": "A; B", "reason": ""},
            {"panel_order", "overrides", "reason"},
        ),
        (
            ScenarioForm,
            {
                "title": "x" * 300,
                "country_max": "0",
                "countries_min": "x",
                "small_cities_min": "501",
                "overrides": "A;0;1;;\nB;1;x;;",
            },
            {"title", "country_max", "countries_min", "small_cities_min", "overrides"},
        ),
        (
            lambda: MeetingForm.among((), ()),
            {"title": "Day one", "day": "", "time": "9", "quorum": "99", "minutes_an_item": "0", "chair": "x"},
            {"day", "quorum", "minutes_an_item", "chair", "minutes"},
        ),
    ],
)
def test_every_wrong_field_is_told_at_once_and_once(
    app: Flask, made: Callable[[], Form], sent: dict[str, str], wrong: set[str]
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    with app.test_request_context(method="POST", data=sent), clock.at(NOW):
        form = made()

        assert not form.validate_on_submit()
        told = {name: list(field.errors) for name, field in form._fields.items() if field.errors}

    assert set(told) == wrong and form.problems == []
    assert all(len(errors) == 1 for errors in told.values()), told
    if "\n" in sent.get("overrides", "") and made is ScenarioForm:
        assert told["country_max"] == ["Most applications from one country: write a number from 1 to 500."]
        assert "Line 1" in told["overrides"][0] and "Line 2" in told["overrides"][0]
