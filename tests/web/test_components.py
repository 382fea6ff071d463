"""Every macro of templates/components on one page that exists in the tests only."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask, get_flashed_messages, render_template_string
from wtforms import (
    BooleanField,
    FileField,
    HiddenField,
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Optional

from grants.core import charts, clock
from grants.core.errors import Invalid
from grants.core.money import Money
from grants.web.filters import BACK_BYTES_MAX, further
from grants.web.forms import CheckboxesField, DateField, Form, MoneyField, Needed, choices, wrong_with
from grants.web.paging import Rows
from tests.html import check_html

GALLERY = (Path(__file__).parent / "gallery.html").read_text(encoding="utf-8")


class GalleryForm(Form):
    version = HiddenField()
    name = StringField("Name of the city", [Needed("Enter the name of the city")])
    why = TextAreaField("What stands in the way?")
    amount = MoneyField("Amount asked for", [Needed("Enter the amount you ask for")])
    day = DateField("First day of the pilot", [Needed("Enter the first day of the pilot")])
    country = SelectField("Country", choices=choices([("RO", "Romania"), ("PL", "Poland")]))
    verdict = RadioField(
        "Do you have a conflict of interest?",
        choices=choices([("no", "No"), ("yes", "Yes"), ("unsure", "I am not sure")]),
        validators=[Needed("Say whether you have a conflict of interest")],
    )
    themes = CheckboxesField("Themes", [Optional()], choices=choices([("heat", "Heat"), ("transport", "Transport")]))
    paper = FileField("Letter of support", [Optional()])
    secret = PasswordField("Your password")
    sure = BooleanField("I have read the rules of the call")


def render_gallery(*, wrong: bool, density: str = "") -> str:
    form = GalleryForm(formdata=None, version="3")
    if wrong:
        form.validate()
        form.amount.errors = ["“1,2.3” is not an amount. Write it like 1 234,50."]
        form.add_problem(Invalid("The call has closed.", {"_form": "The call closed on 15 November 2022, 12:00."}))
    context: dict[str, Any] = {
        "form": form,
        "problems_found": wrong_with([form]),
        "density": density,
        "amount": Money(98_600_000),
        "negative": Money(-125_000),
        "rows": Rows(items=(1, 2, 3), next_key="k", total=7, first=False),
        "first_day": date(2022, 11, 15),
        "drawn_steps": charts.steps(
            ("May", "June", "July"),
            [
                charts.Series("ceiling", "Ceiling", (Money(90_000_000),) * 3),
                charts.Series("paid", "Paid", (Money(20_000_000), Money(30_000_000), None)),
                charts.Series("forecast", "Forecast", (None, Money(30_000_000), Money(60_000_000))),
            ],
            now=2,
        ),
        "drawn_bars": charts.bars([("due", "Not due", Money(5_000_000), "2 payments"), ("late", "Late", Money(1), "")]),
    }
    return render_template_string(GALLERY, **context)


@pytest.mark.parametrize("wrong", [False, True])
@pytest.mark.parametrize("density", ["", "pg-dense"])
def test_every_component_makes_a_page_we_may_show(app: Flask, wrong: bool, density: str) -> None:
    with app.test_request_context("/about?after=x&sort=name"):
        text = render_gallery(wrong=wrong, density=density)

    check_html(text)
    assert ("<title>Error: Gallery - Pilot Grants</title>" in text) is wrong
    assert f'<html lang="en" class="govuk-template" data-zone="{clock.BRUSSELS}"' in text


def test_an_error_stands_on_top_as_a_link_and_at_its_field_in_the_same_words(app: Flask) -> None:
    with app.test_request_context("/about"):
        text = render_gallery(wrong=True)

    assert '<a href="#name">Enter the name of the city</a>' in text
    assert (
        '<p class="govuk-error-message" id="name-error"><span class="vh">Error: </span>Enter the name of the city</p>'
        in text
    )
    assert "<li>The call closed on 15 November 2022, 12:00.</li>" in text


def test_a_control_names_its_hint_and_its_error(app: Flask) -> None:
    with app.test_request_context("/about"):
        text = render_gallery(wrong=True)

    assert 'aria-describedby="name-hint name-error" aria-invalid="true"' in text


def test_the_next_and_the_previous_page_keep_the_rest_of_the_address(app: Flask) -> None:
    with app.test_request_context("/about?after=x&sort=name&back=&back=v&back=w"):
        text = render_gallery(wrong=False)

    assert 'href="/about?after=k&amp;sort=name&amp;back=&amp;back=v&amp;back=w&amp;back=x"' in text
    assert 'href="/about?after=w&amp;sort=name&amp;back=&amp;back=v">Previous' in text
    assert 'href="/about?sort=name">First</a>' in text
    # On the second page both would lead to the same.
    with app.test_request_context("/about?after=x&sort=name"):
        second = render_gallery(wrong=False)
    assert 'href="/about?sort=name">Previous' in second and ">First</a>" not in second
    # Of a list of thousands the address keeps the last pages, and says so by leading to the first from there.
    # What is counted is what is sent: a letter of Greek has six bytes there.
    for key in ("o", "Ω" * 40):
        many = urlencode({"after": "x", "back": [key] * 1_000}, doseq=True)
        with app.test_request_context(f"/about?{many}"):
            led = parse_qs(urlsplit(further("k")).query, keep_blank_values=True)
            size = len(urlencode({"back": led["back"]}, doseq=True))
            assert led["back"][0] == "" and led["back"][1] == key and led["back"][-1] == "x"
            assert size <= BACK_BYTES_MAX < size + len(urlencode({"back": key})) + 2
            assert len(further("k")) < 2_000
    with app.test_request_context("/about?after=x&back="):
        lost = render_gallery(wrong=False)
    assert 'href="/about">First</a>' in lost and "Previous" not in lost


def test_hidden_fields_are_sent_once_each(app: Flask) -> None:
    with app.test_request_context("/about"):
        text = render_gallery(wrong=False)

    start = text.index('<form method="post" enctype')
    body = text[start : text.index("</form>", start)]
    assert [body.count(f'name="{name}"') for name in ("csrf_token", "act_key", "version")] == [1, 1, 1]


def test_messages_are_shown_once(app: Flask) -> None:
    with app.test_request_context("/about"):
        get_flashed_messages()
        assert "pg-flash" not in render_gallery(wrong=False)


def test_a_chart_is_drawn_in_per_cent_with_a_sentence_and_its_table_and_without_any_style(app: Flask) -> None:
    with app.test_request_context("/about"):
        text = render_gallery(wrong=False)

    chart = text[text.index('class="pg-chart"') : text.index("</section>", text.index('class="pg-chart"'))]
    assert "in July" in chart[chart.index("aria-label") :][:300]
    assert 'class="ln s-forecast" x1="66.66%"' in chart
    assert "<table" in chart and "style=" not in chart
