"""The parts of a call in plain words: no word of the file format, a short name made by the program, fields with hints."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from grants.calls import queries, rules
from grants.calls.rules import ELSEWHERE, FIELDS, Condition
from grants.calls.states import FactKind, Whom
from grants.core import clock
from grants.core.yaml_schema import Items, OneOf, Record
from tests import actors
from tests.applications.pages import send, text_of, values_of
from tests.calls import scene


@pytest.fixture
def manager(app: Flask) -> FlaskClient:
    with clock.at(scene.BEFORE):
        actors.ingrid()  # Her role is given then, so that she may act at that time too.
    return actors.client_of(app, actors.ingrid())


def test_a_condition_of_an_older_file_stands_in_the_form_as_a_rule_over_a_fact(manager: FlaskClient) -> None:
    slug = scene.imported().slug
    at = f"/calls/{slug}/build/eligibility.criteria"
    conditions = queries.values(actors.ingrid(), slug)["eligibility.criteria"].value
    number = next(n for n, each in enumerate(conditions) if each.test and each.test.together == 50_000)

    shown = values_of(manager, f"{at}/{number}")

    assert shown["value.test.at_least"] == ["10001"] and shown["value.test.together"] == ["50000"]
    assert not [name for name in shown if re.search("threshold|country_examples|[.]no$", name)]
    send(manager, f"{at}/{number}", **{"value.test.together": "60000"})
    changed = queries.values(actors.ingrid(), slug)["eligibility.criteria"].value[number]
    assert (changed.test.at_least, changed.test.together) == (10_001, 60_000)
    assert changed.test.lists == ("mostly_small_cities",)


def test_a_condition_kept_with_a_number_alone_is_written_as_a_rule_over_a_fact() -> None:
    kept = Condition("size", "Large enough", threshold=50_000)

    (written,) = rules.tree_of(FIELDS["eligibility.criteria"], (kept,))

    assert written["test"] == {"fact": "inhabitants", "of": "administrations", "at_least": "50000"}
    assert "threshold" not in written


def test_a_new_question_and_a_new_criterion_need_no_short_name(manager: FlaskClient) -> None:
    slug = scene.filled(scene.SMALL).slug
    at = f"/calls/{slug}/build"
    for number in (0, 1):
        section = f"{at}/application_form.own_sections/{number}"
        assert send(manager, section, **{"value.title": "Łódź: what changes?"}).status_code == 303
        question = f"{section}/questions/0"
        assert send(manager, question, page=f"{question}?kind=long", **{"value.label": "Why?"}).status_code == 303

    first, second = queries.values(actors.ingrid(), slug)["application_form.own_sections"].value
    assert (first.key, first.questions[0].key) == ("lodz_what_changes", "why")
    assert (second.key, second.questions[0].key) == ("lodz_what_changes_2", "why_2")


def test_the_form_of_a_question_says_everything_in_plain_words(manager: FlaskClient) -> None:
    slug = scene.filled(scene.SMALL).slug

    at = f"/calls/{slug}/build/application_form.sections/0"
    words = " ".join(text_of(manager.get(page)) for page in (at, f"{at}/questions/0", f"{at}/questions/0?choose=1"))

    assert "How is it answered?" in words and "One of several choices" in words and "Any of several choices" in words
    assert "Asked only if" in words and "What evaluators look for" in words
    assert "multichoice" not in words.lower() and "_max" not in words


def test_what_is_missing_stays_beside_its_field_with_its_plain_name(manager: FlaskClient) -> None:
    slug = scene.filled(scene.SMALL).slug

    answer = send(
        manager, f"/calls/{slug}/build/evaluation.criteria/9", page=f"/calls/{slug}/build/evaluation.criteria/0"
    )
    wrong = send(manager, f"/calls/{slug}/build/payment.tranches/0", **{"value.label": "", "value.percent": "many"})

    assert answer.status_code == 404
    assert wrong.status_code == 422
    assert "Name of the payment: It is missing." in text_of(wrong)
    assert "Percent of the grant: It is “many”; it must be a number" in text_of(wrong)


def every_option() -> list[tuple[OneOf, str]]:
    found: list[tuple[OneOf, str]] = []

    def walk(kind: object) -> None:
        match kind:
            case OneOf():
                found.extend((kind, value) for value in kind.allowed)
            case Record():
                for child in kind.offered.values():
                    walk(child)
            case Items():
                walk(kind.kind)
            case _:
                pass

    for path, field in FIELDS.items():
        if path not in ELSEWHERE:
            walk(field.kind)
    return found


def test_no_choice_and_no_label_is_a_word_of_the_file_format() -> None:
    for kind, value in every_option():
        words = rules.option_words(kind.choices, value)
        assert "_" not in words and words[:1].isupper(), (kind.choices, value)
    for path in FIELDS:
        label, _ = rules.said(path, "value")
        assert "_" not in label and label[:1].isupper(), path
    assert (
        rules.option_words(FactKind, "award_amount") != "Award amount"
        and rules.option_words(Whom, "lead") == "The lead"
    )


@given(st.text(max_size=200), st.lists(st.sampled_from(["entry", "a", "a_2", "why"]), max_size=4))
def test_a_short_name_is_always_a_key_and_never_taken(words: str, taken: list[str]) -> None:
    made = rules.key_from(words, taken)

    assert re.fullmatch("[a-z][a-z0-9_]*", made) and made not in taken
