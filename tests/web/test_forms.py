"""Fields that read what people write, and what stands on the page when they could not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, time
from functools import partial
from typing import Any, ClassVar

import pytest
from flask import Flask
from markupsafe import escape
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, FieldList, FileField, FormField, HiddenField, IntegerField, RadioField, StringField
from wtforms import Form as PlainForm
from wtforms.validators import InputRequired, Optional

from grants.core.errors import Invalid, NeedsFreshSignIn, Problem, Problems, Refused
from grants.core.money import Money
from grants.web.forms import (
    NO_VERSION,
    CheckboxesField,
    DateField,
    Form,
    MoneyField,
    Needed,
    TimeField,
    choices,
    wrong_with,
)


class Line(PlainForm):
    what = StringField("What", [Needed("Say what it is")])


class AnyForm(Form):
    version = HiddenField()
    name = StringField("Name", [Needed("Enter the name of the city")])
    amount = MoneyField("Amount", [Optional()])
    day = DateField("Day", [Optional()])
    at = TimeField("Time", [Optional()])
    why = StringField("Why", [Optional()])
    people = IntegerField("People", [Optional()])
    verdict = RadioField("Verdict", [Needed("Choose a verdict")], choices=choices([("pass", "Pass"), ("fail", "Fail")]))
    themes = CheckboxesField("Themes", choices=choices([("heat", "Heat"), ("water", "Water")]))
    sure = BooleanField("Sure", [InputRequired()])
    paper = FileField("Paper", [Optional()])
    lines = FieldList(FormField(Line))


WELL = {"name": "Łódź", "verdict": "pass", "sure": "y"}


def sent(app: Flask, **fields: Any) -> AnyForm:
    app.config["WTF_CSRF_ENABLED"] = False
    with app.test_request_context("/about", method="POST"):
        form = AnyForm(formdata=MultiDict({**WELL, **fields}))
        form.validate()
        return form


def test_what_was_read_is_data_and_what_was_typed_stays_on_error(app: Flask) -> None:
    well = sent(app, amount="1 234,50", day="15/11/2022", at="9.05")
    wrong = sent(app, amount="12,3.4.5", day="31 June 2022", at="25:00")

    assert (well.amount.data, well.day.data, well.at.data) == (Money(123_450), date(2022, 11, 15), time(9, 5))
    assert (wrong.amount.data, wrong.day.data, wrong.at.data) == (None, None, None)
    assert [field._value() for field in (wrong.amount, wrong.day, wrong.at)] == ["12,3.4.5", "31 June 2022", "25:00"]
    assert [len(field.errors) for field in (wrong.amount, wrong.day, wrong.at)] == [1, 1, 1]


def test_a_form_shown_first_shows_amounts_and_days_in_words(app: Flask) -> None:
    with app.test_request_context("/about"):
        form = AnyForm(formdata=None, amount=Money(123_450), day=date(2022, 11, 15), at=time(17))

    assert [field._value() for field in (form.amount, form.day, form.at)] == [
        "1\u00a0234.50",
        "15 November 2022",
        "17:00",
    ]


def test_spaces_do_not_fill_a_field_that_is_needed(app: Flask) -> None:
    assert sent(app, name="  \t ").name.errors == ["Enter the name of the city"]


def test_an_unanswered_question_gets_its_own_sentence_only(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    with app.test_request_context("/about", method="POST"):
        form = AnyForm(formdata=MultiDict({"name": "Łódź", "sure": "y"}))
        form.validate()

    assert form.verdict.errors == ["Choose a verdict"]


def test_what_the_library_says_is_said_in_our_words(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    form = sent(app, people="many", verdict="maybe")

    assert list(form.people.errors) == ["Write a whole number in figures, for example 12."]
    assert list(form.verdict.errors) == ["Choose one of the answers shown."]


def test_ticked_boxes_are_a_list(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    with app.test_request_context("/about", method="POST"):
        form = AnyForm(formdata=MultiDict([*WELL.items(), ("themes", "heat"), ("themes", "water")]))

    assert form.themes.data == ["heat", "water"]


def test_a_problem_of_an_act_stands_at_its_field_and_the_rest_on_top(app: Flask) -> None:
    form = sent(app)
    form.add_problem(Invalid("Two things.", {"name": "There are two cities of that name.", "elsewhere": "Call us."}))
    form.add_problem(Refused("The call has closed."))

    assert form.what_is_wrong() == [
        ("Call us.", ""),
        ("The call has closed.", ""),
        ("There are two cities of that name.", "name"),
    ]


def test_a_check_of_the_whole_is_placed_as_what_an_act_refuses_and_never_silent(app: Flask) -> None:
    def refuse(error: Invalid) -> None:
        raise error

    class Checked(AnyForm):
        stands_at: ClassVar = {"local": "day"}
        found: ClassVar[tuple[Invalid, ...]] = ()

        def checks(self) -> Iterable[Callable[[], object]]:
            return [partial(refuse, error) for error in self.found]

    def told(*found: Invalid) -> list[tuple[str, str]]:
        Checked.found = found
        with app.test_request_context("/about", method="POST"):
            form = Checked(formdata=MultiDict({**WELL, "name": ""}))
            assert not form.validate()
            return form.what_is_wrong()

    app.config["WTF_CSRF_ENABLED"] = False
    at_name = ("Enter the name of the city", "name")
    lines = Problems("Two things.", [Problem("name", "It is too long."), Problem("line 3", "It is empty.")])

    assert told(Invalid("The two do not go together.")) == [("The two do not go together.", ""), at_name]
    assert told(Problems("Nothing was read.", [])) == [("Nothing was read.", ""), at_name]
    assert told(lines) == [("line 3: It is empty.", ""), at_name]
    assert told(Invalid("No.", {"local": "That hour is skipped."}), Invalid("No.", {"day": "Not that day."})) == [
        at_name,
        ("That hour is skipped.", "day"),
    ]


def test_what_is_wrong_with_any_form_of_a_page_is_told_once_and_may_be_asked_again(app: Flask) -> None:
    @dataclass(frozen=True)
    class Step:
        deed: Form

    wrong, again, fresh = sent(app, name=""), sent(app), sent(app)
    again.problems += ["Enter the name of the city", "Somebody was faster."]
    values = [{"row": wrong}, "words", Step(again), wrong, (fresh,)]
    told = [("Enter the name of the city", "name"), ("Somebody was faster.", "")]

    assert wrong_with(values) == wrong_with(values) == told


def test_a_field_may_be_called_summary_and_a_form_knows_its_problems_still(app: Flask) -> None:
    class Described(Form):
        summary = StringField("Summary", [Needed("Say it in a sentence.")])

    app.config["WTF_CSRF_ENABLED"] = False
    with app.test_request_context("/about", method="POST"):
        form = Described(formdata=MultiDict({"summary": ""}))
        form.validate()

    assert form.what_is_wrong() == [("Say it in a sentence.", "summary")]


def test_a_form_that_clashed_is_sent_again_as_a_new_deed_in_sight_of_what_stands(app: Flask) -> None:
    class Versioned(Form):
        version = HiddenField()

    app.config["WTF_CSRF_ENABLED"] = False
    with app.test_request_context("/about", method="POST"):
        form = Versioned(formdata=MultiDict({"version": "3", "act_key": "old"}))
        form.try_again(4)

    assert (form.version_shown(), form.version._value()) == (4, "4")
    assert form.act_key._value() != "old"


def test_a_problem_in_a_list_of_lines_is_found_with_its_line(app: Flask) -> None:
    form = sent(app, **{"lines-0-what": "a", "lines-1-what": ""})

    assert form.what_is_wrong() == [("Say what it is", "lines-1-what")]


def test_a_refusal_becomes_a_problem_and_the_block_is_left(app: Flask) -> None:
    form = sent(app)

    with form.refusals():
        raise Refused("Not now.")

    assert form.problems == ["Not now."]


def test_the_password_is_confirmed_elsewhere_and_what_was_typed_stays(app: Flask) -> None:
    form = sent(app)

    with app.test_request_context("/about"):
        with form.refusals():
            raise NeedsFreshSignIn("Confirm your password to go on.")
        (problem,) = form.problems

    assert 'href="/confirm-password" target="_blank"' in problem
    assert str(escape(problem)) == problem
    assert form.name.data == "Łódź"


@pytest.mark.parametrize(
    ("typed", "read"),
    [("3", 3), ("", -1), ("three", -1), ("-1", -1), ("9" * 18, 10**18 - 1), ("9" * 19, -1), ("9" * 5_000, -1)],
)
def test_the_version_shown_is_a_number_or_that_of_no_row(app: Flask, typed: str, read: int) -> None:
    assert sent(app, version=typed).version_shown() == read


def test_every_form_carries_a_key_of_its_own(app: Flask) -> None:
    with app.test_request_context("/about"):
        keys = {AnyForm(formdata=None).act_key.data for _ in range(3)}

    assert len(keys) == 3


@pytest.mark.parametrize("version", ["", " ", "x", "-3", "9" * 40])
def test_a_version_that_is_emptied_or_no_number_is_that_of_no_row(app: Flask, version: str) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    fields = {**WELL, "version": version}
    with app.test_request_context("/about", method="POST"):
        form = AnyForm(formdata=MultiDict(fields), data={"version": "7"})
        plain = Form(formdata=MultiDict(fields))

    assert form.version_shown() == NO_VERSION
    assert plain.version_shown() is None


def test_a_version_sent_or_just_shown_is_the_version(app: Flask) -> None:
    assert sent(app, version="7").version_shown() == 7
    with app.test_request_context("/about"):
        assert AnyForm(formdata=None, version="0").version_shown() == 0


def test_choices_nobody_offered_are_refused_in_our_words(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    with app.test_request_context("/about", method="POST"):
        form = AnyForm(formdata=MultiDict([*WELL.items(), ("themes", "x'; --"), ("themes", "fire")]))
        form.validate()

    assert form.themes.errors == ["Choose among the answers shown."]


def test_typed_text_loses_signs_that_turn_the_order_of_reading_and_keeps_those_of_languages(app: Flask) -> None:
    typed = "".join(chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2060, 0xFEFF))
    kept = "\u05d0\u200f \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u0915\u094d\u200d\u0937 a\u200e"

    form = sent(app, why=f"{typed}{kept}{typed}")

    assert form.why.data == kept
