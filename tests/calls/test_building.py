"""The call builder: a programme manager makes a call in the browser, without a script and without a file."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from grants.calls import queries, rules, services
from grants.calls.models import Call
from grants.calls.states import Confidence
from grants.core import clock
from grants.core.db import db
from grants.core.errors import NotAllowed, Problems, Refused
from grants.core.yaml_schema import Items, Record
from grants.programmes import queries as programmes
from tests import actors
from tests.applications.pages import forms, post, send, text_of, values_of
from tests.calls import scene
from tests.html import check_page


@pytest.fixture
def manager(app: Flask) -> FlaskClient:
    with clock.at(scene.BEFORE):
        actors.ingrid()  # Her role is given then, so that she may act at that time too.
    return actors.client_of(app, actors.ingrid())


def value(slug: str, path: str) -> Any:
    return queries.values(actors.ingrid(), slug)[path].value


def test_a_manager_builds_what_is_missing_part_by_part(app: Flask, manager: FlaskClient) -> None:
    slug = scene.imported(scene.SMALL).slug
    at = f"/calls/{slug}/build"

    assert "things are missing before it may open" in text_of(manager.get(at))
    send(manager, f"{at}/funding_rate_percent", **{"value": "70"})
    send(manager, f"{at}/evaluation.scale", **{"value.max": "5", "value.step": "0.5", "value.anchors": "Poor\nGood"})
    send(
        manager,
        f"{at}/evaluation.criteria/0",
        **{"value.key": "impact", "value.name": "Impact", "value.question": "How much?"},
    )
    send(manager, f"{at}/eligibility.country_lists", **{"value": "small: SI, NO"})
    send(
        manager,
        f"{at}/eligibility.criteria/0",
        **{"value.rule": "Small countries", "value.test.fact": "country", "value.test.lists": "small"},
    )

    assert value(slug, "funding_rate_percent") == 70
    assert value(slug, "evaluation.scale") == rules.Scale(10, 1, ("Poor", "Good"))
    (condition,) = value(slug, "eligibility.criteria")
    assert (condition.rule, condition.test.lists) == ("Small countries", ("small",))
    assert value(slug, "eligibility.country_lists") == (rules.CountryList("small", ("SI", "NO")),)
    assert queries.values(actors.ingrid(), slug)["funding_rate_percent"].confidence is Confidence.STATED


def questions_of(slug: str, section: int = 0) -> list[str]:
    return [each.label for each in value(slug, "application_form.own_sections")[section].questions]


def section_with(manager: FlaskClient, slug: str, *asked: tuple[str, str, dict[str, object]]) -> str:
    """A new section with these questions, each by its page: first its kind is chosen, then its fields are filled in."""
    at = f"/calls/{slug}/build/application_form.own_sections"
    made = send(manager, f"{at}/0", **{"value.title": "More"})
    assert made.location.endswith("/application_form.own_sections/0"), "where its questions are added"
    for place, (kind, label, fields) in enumerate(asked):
        page = f"{at}/0/questions/{place}"
        chosen = text_of(manager.get(page))
        assert "How is it answered?" in chosen and "One of several choices" in chosen
        done = send(manager, page, page=f"{page}?kind={kind}", **{"value.label": label}, **fields)
        assert done.status_code == 303, text_of(done)[:900]
    return at


def test_a_question_is_built_with_the_fields_of_its_kind_and_moved_and_doubled(
    app: Flask, manager: FlaskClient
) -> None:
    slug = scene.filled(scene.SMALL).slug
    at = section_with(
        manager,
        slug,
        ("choice", "Which colour?", {"value.choices": "red = Red\nblue = Blue"}),
        ("short", "Why {answer:which_colour}?", {"value.asked_if.question": "which_colour", "value.words_max": "9"}),
    )

    shown = text_of(manager.get(f"{at}/0/questions/1"))
    other = text_of(manager.get(f"{at}/0/questions/1?kind=file"))
    assert "Most words" in shown and "Most megabytes" not in shown and "Choices" not in shown
    assert "Most megabytes" in other and "Most words" not in other
    assert "Which colour?" in text_of(manager.get(f"/calls/{slug}/preview"))
    send(manager, f"{at}/0", deed="copy:1")
    assert questions_of(slug) == ["Which colour?", *["Why {answer:which_colour}?"] * 2]
    send(manager, f"{at}/0/questions/2", **{"value.label": "And?", "place": "1"})
    send(manager, f"{at}/0", deed="down:0")
    assert questions_of(slug) == ["Which colour?", "And?", "Why {answer:which_colour}?"]
    assert manager.post(f"{at}/0", data={"deed": "up:9"}).status_code == 400

    send(manager, at, deed="copy:0")

    _, copy = value(slug, "application_form.own_sections")
    stem = "why_answer_which_colour"
    assert (copy.key, *(each.key for each in copy.questions)) == ("more_2", "which_colour_2", f"{stem}_3", f"{stem}_4")
    assert (
        copy.questions[2].asked_if.question == "which_colour_2"
        and copy.questions[2].label == "Why {answer:which_colour_2}?"
    )
    assert rules.form_problems(queries.call(actors.ingrid(), slug).content.definition) == ()


def test_before_a_question_is_taken_out_one_reads_what_hangs_on_it(app: Flask, manager: FlaskClient) -> None:
    slug = scene.filled(scene.SMALL).slug
    at = section_with(
        manager,
        slug,
        ("confirmation", "Is it new?", {}),
        ("long", "Since when?", {"value.asked_if.question": "is_it_new"}),
    )
    out = f"{at}/0/take-out?question=0"

    asked = text_of(manager.get(out))
    assert "“Since when?” is asked only by the answer to it." in asked
    assert "Nothing else in this call hangs on it" in text_of(manager.get(f"{at}/0/take-out?question=1"))
    done = send(manager, out)

    assert done.location.endswith("/application_form.own_sections/0")
    assert questions_of(slug) == ["Since when?"]
    said = "“Since when?” depends on the question “is_it_new”, which is not asked before it."
    assert said in text_of(manager.get(done.location))
    assert said in text_of(manager.get(f"/calls/{slug}/build")).replace(": ", " ")
    send(manager, f"{at}/0/take-out")
    assert value(slug, "application_form.own_sections") is None
    for wrong in (f"{at}/0/take-out", f"{at}/0/questions/0", f"/calls/{slug}/build/call.title/0/take-out"):
        assert manager.get(wrong).status_code == 404


def test_a_question_without_what_its_kind_needs_is_kept_and_the_lack_is_said(app: Flask, manager: FlaskClient) -> None:
    slug = scene.filled(scene.SMALL).slug
    at = section_with(manager, slug, ("choice", "Which?", {}))

    lack = "“Which?” offers no choices yet. Write at least one."
    # Said wherever the question stands until it is mended, on each page once.
    for page in (f"{at}/0", at, f"/calls/{slug}/build"):
        assert text_of(manager.get(page)).count(lack) == 1, page
    question = text_of(manager.get(f"{at}/0/questions/0"))
    assert "Choices: It offers no choices yet." in question and "Choices (optional)" not in question
    seen = text_of(manager.get(f"/calls/{slug}/preview"))
    assert "Which? Its choices are still missing." in seen and "I confirm" not in seen.partition("Which?")[2][:60]
    wrong = send(
        manager,
        f"{at}/0/questions/1",
        page=f"{at}/0/questions/1?kind=long",
        **{"value.label": "Why?", "value.words_max": "many"},
    )
    assert wrong.status_code == 422
    assert "Most words: It is “many”; it must be a whole number." in text_of(wrong)
    assert 'value="many"' in wrong.text and "Most megabytes" not in wrong.text
    missing = send(manager, f"{at}/0/questions/1", page=f"{at}/0/questions/1?kind=long")
    assert "There is a problem Write the question." in text_of(missing)
    assert "Short name: It" not in text_of(missing)
    for typed, said in (
        ({"value.words_max": "-5"}, "Most words: It is -5; it must be a whole number from 1 to 20000."),
        ({"place": "0"}, "Place: It is “0”; there are places 1 to 2. Write one of them."),
        ({"place": "99"}, "Place: It is “99”; there are places 1 to 2."),
    ):
        refused = send(
            manager, f"{at}/0/questions/1", page=f"{at}/0/questions/1?kind=long", **{"value.label": "Why?", **typed}
        )
        assert refused.status_code == 422 and said in text_of(refused)
        assert f'value="{next(iter(typed.values()))}"' in refused.text
    page = f"{at}/0/questions/1"
    odd = {
        "value.label": "What\x07 now\x0b?",
        "value.translations.0.language": "de",
        "value.translations.0.label": "Was\x07?",
    }
    assert send(manager, page, page=f"{page}?kind=long", **odd).status_code == 303, "signs nobody sees are left out"
    assert questions_of(slug) == ["Which?", "What now?"]
    page = f"{at}/0/questions/2"
    more = send(manager, page, page=f"{page}?kind=choice", go="another", **{"value.label": "Which one?"})
    told = text_of(manager.get(more.location))
    assert "“Which one?” offers no choices yet." in told, "though another question lacks the same"
    assert lack not in told, "which was said before"


def test_whoever_was_overtaken_reads_what_they_typed_in_the_words_of_the_page_and_goes_back_to_their_question(
    app: Flask, manager: FlaskClient
) -> None:
    slug = scene.filled(scene.SMALL).slug
    at = section_with(manager, slug, ("choice", "Which?", {"value.choices": "a = A\nb = B"}), ("long", "Why?", {}))
    page = f"{at}/0/questions/1"
    old = values_of(manager, page)
    send(manager, f"{at}/0", deed="down:0")

    late = post(
        manager,
        page,
        old,
        **{"value.label": "Why so?", "value.required": "false", "value.asked_if.question": "which"},
    )

    assert late.status_code == 409
    told = text_of(late)
    assert "The question Why so?" in told and "Kind of answer A long text" in told
    assert "Must it be answered? No" in told and "Asked only if, Earlier question it hangs on Which?" in told
    assert f'href="{at}/0/questions/0">“Why?” as it stands now</a>' in late.text
    own = next(values for _, values in forms(check_page(manager.get(f"{at}/0"))) if "value.title" in values)
    gone = post(manager, f"{at}/0", own, **{"value.title": "Other", "version": "1"})
    assert "Title Other" in text_of(gone) and f'href="{at}/0">“More” as it stands now</a>' in gone.text


def test_what_cannot_be_read_stays_in_its_field_with_a_sentence(app: Flask, manager: FlaskClient) -> None:
    slug = scene.imported(scene.SMALL).slug

    refused = send(
        manager, f"/calls/{slug}/build/milestones/0", **{"value.key": "a", "value.title": "A", "value.month": "soon"}
    )

    assert refused.status_code == 422
    assert '<a href="#value-month">Month: It is “soon”; it must be a whole number' in refused.text
    assert 'value="soon"' in refused.text and "quotes" not in refused.text
    assert value(slug, "milestones") is None


def test_every_part_of_a_full_call_is_a_form_that_saves_what_it_shows(app: Flask, manager: FlaskClient) -> None:
    slug = scene.filled(scene.CALL_2022).slug
    before = queries.values(actors.ingrid(), slug)
    answers = {}

    for path, found in before.items():
        kind = rules.FIELDS[path].kind
        is_list = isinstance(kind, Items) and isinstance(kind.kind, Record)
        # A section has a form for the order of its questions too.
        typed = {"place": "1"} if path == "application_form.sections" else {}
        answers[path] = send(manager, f"/calls/{slug}/build/{path}" + ("/0" if is_list else ""), **typed).status_code
        assert queries.values(actors.ingrid(), slug)[path] == found, path

    asked = before["application_form.sections"].value.sections[0].questions
    for place in range(len(asked)):
        page = f"/calls/{slug}/build/application_form.sections/0/questions/{place}"
        answers[page] = send(manager, page).status_code
    assert queries.values(actors.ingrid(), slug)["application_form.sections"] == before["application_form.sections"]
    assert {path: answer for path, answer in answers.items() if answer != 303} == {}


def test_the_deadline_of_a_draft_is_set_with_its_printed_words(app: Flask, manager: FlaskClient) -> None:
    slug = scene.imported(scene.SMALL).slug

    send(
        manager,
        f"/calls/{slug}/build",
        to=f"/calls/{slug}/build/dates",
        day="20 March 2027",
        time="17:00",
        literal="20.3. at five",
    )

    deadline = queries.call(actors.ingrid(), slug).deadline
    assert deadline is not None
    assert (deadline.closes_at.isoformat(), deadline.literal) == ("2027-03-20T16:00:00+00:00", "20.3. at five")


def test_the_deadline_that_stands_is_in_its_form_and_a_wrong_one_hides_nothing_that_is_missing(
    app: Flask, manager: FlaskClient
) -> None:
    slug = scene.imported(scene.SMALL).slug
    at = f"/calls/{slug}/build"
    send(manager, at, to=f"{at}/dates", day="20 March 2027", time="17:00", literal="")

    shown = manager.get(at).text
    refused = send(manager, at, to=f"{at}/dates", day="nonsense")

    assert 'value="20 March 2027"' in shown and 'value="17:00"' in shown
    assert refused.status_code == 422
    assert refused.text.count(">Missing<") == shown.count(">Missing<") > 0


def test_a_new_entry_cannot_be_taken_out(app: Flask, manager: FlaskClient) -> None:
    slug = scene.filled(scene.SMALL).slug

    new = text_of(manager.get(f"/calls/{slug}/build/application_form.own_sections/0"))

    assert "A new section" in new and "Take this" not in new


def test_a_published_call_has_no_form_of_a_part(app: Flask) -> None:
    call = scene.published()

    answer = actors.client_of(app, actors.ingrid()).get(f"/calls/{call.slug}/build/call.title")

    assert (answer.status_code, answer.location) == (303, f"/calls/{call.slug}/build")


def test_a_published_call_is_not_built_any_more_and_applicants_never_build(app: Flask) -> None:
    call = scene.published()

    with pytest.raises(Refused):
        services.set_value(actors.ingrid(), call.id, "call.title", "value: Other")
    with pytest.raises(Refused):
        services.set_dates(actors.ingrid(), call.id, rules.DatesInput("Europe/Brussels"))
    with pytest.raises(NotAllowed):
        services.set_value(actors.ana(), call.id, "call.title", "value: Other")
    assert actors.client_of(app, actors.ana()).get(f"/calls/{call.slug}/build").status_code == 403


def test_a_past_call_is_copied_without_its_dates_and_the_template_keeps_its_label(
    app: Flask, manager: FlaskClient
) -> None:
    call = scene.published()

    answer = send(manager, f"/calls/{call.slug}/copy", title="Pilots again", year="2027")

    assert "Dates, deadline and documents are to be set anew." in text_of(manager.get(answer.location))
    copy = queries.call(actors.ingrid(), "pilots-again-2027")
    old = queries.call(actors.ingrid(), call.slug)
    assert (copy.content.definition, copy.content.conditions) == (old.content.definition, old.content.conditions)
    assert (copy.deadlines, copy.opens_at, copy.published_id, copy.state.value) == ((), None, None, "draft")
    assert copy.labelled("application_form.sections")
    with pytest.raises(Problems), clock.at(scene.BEFORE):
        services.publish(actors.ingrid(), copy.id)


def test_a_call_is_taken_out_in_the_browser_as_a_file_that_comes_in_again(app: Flask, manager: FlaskClient) -> None:
    call = scene.published()

    text = manager.get(f"/calls/{call.slug}/call.yaml").text
    read = rules.read_call_file(text)

    assert read.value("call.id") == "NZC-H2020-202209"
    assert [line.literal for line in read.deadlines] == [d.literal for d in queries.call_by_id(call.id).deadlines]
    assert services.import_call(actors.ingrid(), text.replace("NZC-H2020-202209", "AGAIN")).state.value == "draft"


@pytest.mark.parametrize("place", ["0", "-1", "999", "\u0665"])
def test_an_entry_moved_beyond_the_list_stands_at_its_end_or_beginning(
    app: Flask, manager: FlaskClient, place: str
) -> None:
    slug = scene.filled(scene.SMALL).slug
    at = f"/calls/{slug}/build/evaluation.criteria"
    before = [each.key for each in value(slug, "evaluation.criteria")]  # type: ignore[attr-defined] -- criteria

    answer = send(
        manager,
        f"{at}/{len(before)}",
        **{"value.key": "extra", "value.name": "Extra", "value.question": "How?", "place": place},
    )

    assert answer.status_code in (303, 422)
    after = [each.key for each in value(slug, "evaluation.criteria")]  # type: ignore[attr-defined] -- criteria
    assert after in (["extra", *before], [*before, "extra"], before)


@pytest.mark.parametrize("number", ["9" * 400, "9" * 5_000, "99999999999"])
def test_an_entry_that_is_not_there_is_not_found(manager: FlaskClient, number: str) -> None:
    slug = scene.filled(scene.SMALL).slug

    assert manager.get(f"/calls/{slug}/build/evaluation.criteria/{number}").status_code == 404


@pytest.mark.parametrize("day", ["31 December 9999", "1 January 1", "0001-01-01", "9999-12-31"])
def test_a_deadline_at_the_end_of_all_time_is_no_error(manager: FlaskClient, day: str) -> None:
    slug = scene.filled(scene.SMALL).slug

    answer = send(manager, f"/calls/{slug}/build/dates", page=f"/calls/{slug}/build", day=day, time="23:59")

    assert answer.status_code in (303, 422)
    assert manager.get(f"/calls/{slug}").status_code == 200


def test_what_the_call_is_known_by_follows_its_form(app: Flask, manager: FlaskClient) -> None:
    slug = scene.imported(scene.SMALL).slug
    other = scene.imported()
    at = f"/calls/{slug}/build"

    grant = {"value.number": "999000111", "value.acronym": "Other", "value.framework": "Horizon Europe"}
    assert send(manager, f"{at}/call.parent_grant", **grant).status_code == 303
    assert send(manager, f"{at}/call.year", value="2031").status_code == 303
    assert send(manager, f"{at}/call.id", value="SMALL-2031").status_code == 303
    assert send(manager, f"{at}/call.invented", value="false").status_code == 303
    taken = send(manager, f"{at}/call.id", value="NZC-H2020-202209")

    call = queries.call(actors.ingrid(), slug)
    (fund_source_id,) = db.session.scalars(select(Call.fund_source_id).where(Call.slug == slug))
    assert programmes.fund_source(fund_source_id).number == "999000111"
    assert (call.year, call.published_id, call.synthetic) == (2031, "SMALL-2031", False)
    assert taken.status_code == 422 and other.reference in text_of(taken)


def test_what_the_builder_changed_stands_in_the_history_of_the_call(manager: FlaskClient) -> None:
    slug = scene.imported(scene.SMALL).slug
    send(manager, f"/calls/{slug}/build/call.year", value="2031")

    assert "edited a part of call" in text_of(manager.get(f"/calls/{slug}/history"))


@pytest.mark.parametrize(
    ("key", "name"), [("evaluation.criteria", "value.name"), ("application_form.sections", "value.title")]
)
def test_a_tab_whose_list_became_shorter_meanwhile_loses_nothing_that_was_typed(
    manager: FlaskClient, key: str, name: str
) -> None:
    slug = scene.filled(scene.SMALL).slug
    at = f"/calls/{slug}/build/{key}"
    last = 0
    while manager.get(f"{at}/{last + 1}/take-out").status_code == 200:
        last += 1
    shown = next(values for _, values in forms(check_page(manager.get(f"{at}/{last}"))) if name in values)
    assert send(manager, f"{at}/0/take-out").status_code == 303
    assert send(manager, f"{at}/0/take-out").status_code == 303

    late = post(manager, f"{at}/{last}", shown, **{name: "Typed in the first tab"})

    assert late.status_code == 409
    assert "Typed in the first tab" in text_of(late)
