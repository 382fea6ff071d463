"""The list of a city's contract: who writes it, and how it is read from a file."""

from __future__ import annotations

import io
from dataclasses import replace
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from grants.cities import queries, rules, services
from grants.cities.rules import ActionInput, CityInput, read_actions
from grants.cities.states import ActionKind, EmissionDomain
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.text import csv_lines
from tests import actors
from tests.applications.pages import send, text_of

ROOFS = ActionInput("B-2.1", "Warm roofs", ActionKind.ACTION, EmissionDomain.BUILDINGS, "Action plan, p. 12", 2023)
HEAD = ",".join(rules.ACTION_COLUMNS) + "\n"


@pytest.fixture
def north(app: Flask) -> UUID:
    """The invented city Northbridge, for which its municipality acts."""
    app.config["WTF_CSRF_ENABLED"] = False
    (organisation_id,) = actors.ana().organisation_ids
    return services.add_city(
        actors.ingrid(), CityInput("Northbridge", "PL", organisation_id=organisation_id, synthetic=True)
    ).id


# Reading a file


def test_a_file_is_read_with_either_separator_and_words_or_keys() -> None:
    comma = read_actions(HEAD + 'B-2.1,Warm roofs,action,buildings,"Action plan, p. 12",2023\n')
    semicolon = read_actions(
        "\ufeff"
        + HEAD.replace(",", ";")
        + "B-2.1;Warm roofs;Action;Electricity and buildings;Action plan, p. 12;2023\n"
    )

    assert comma.lines == semicolon.lines == (ROOFS,)
    assert comma.problems == semicolon.problems == ()


def test_what_is_wrong_is_named_by_its_cell() -> None:
    found = read_actions(
        HEAD
        + "B-1,Roofs,deed,,Plan,\n,Heat,barrier,sea,Plan,soon\nB-3,C,action,,,\nB-4,D,action,,P,\nB-4,E,action,,P,\n"
    )

    assert [problem.split(":")[0] for problem in found.problems] == ["C2", "D3", "F3", "A3", "E4", "A6"]
    assert [line.number for line in found.lines] == ["B-4"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "must name the columns"),
        ("a,b\n1,2\n", "must name the columns"),
        (HEAD + '"open', "cannot be read as CSV"),
        (HEAD + "B,T,action,,S,\n" * 501, "the limit is 500"),
    ],
)
def test_what_is_no_list_is_refused_whole(text: str, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence):
        read_actions(text)


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        read_actions(HEAD + text)
    except Invalid as error:
        assert str(error)


words = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20)


@given(st.lists(st.builds(ActionInput, words, words, st.sampled_from(ActionKind), st.none() | st.sampled_from(EmissionDomain), words, st.none() | st.integers(1990, 2100)), max_size=5, unique_by=lambda line: line.number))  # fmt: skip
def test_a_list_written_and_read_is_the_same(lines: list[ActionInput]) -> None:
    written = csv_lines(
        [
            rules.ACTION_COLUMNS,
            *((a.number, a.title, a.kind.value, a.domain and a.domain.value, a.source, a.year) for a in lines),
        ]
    )

    assert read_actions(written).lines == tuple(lines)


# The list


def test_its_own_people_and_staff_write_the_list_and_nobody_else(north: UUID) -> None:
    services.add_action(actors.ana(), north, ROOFS)
    services.add_action(actors.ingrid(), north, replace(ROOFS, number="B-2.2"))

    with pytest.raises(NotFound):
        services.add_action(actors.marek(), north, replace(ROOFS, number="B-2.3"))
    assert [(each.number, each.synthetic) for each in queries.actions(north)] == [("B-2.1", True), ("B-2.2", True)]
    with pytest.raises(Invalid, match="This number is taken"):
        services.add_action(actors.ana(), north, ROOFS)


def test_a_withdrawn_line_stays_and_a_stale_change_is_a_conflict(north: UUID) -> None:
    made = services.add_action(actors.ana(), north, ROOFS)
    services.change_action(actors.ingrid(), made, replace(ROOFS, title="Warmer roofs"), 1)

    with pytest.raises(Conflict):
        services.change_action(actors.ana(), made, replace(ROOFS, title="Cold roofs"), 1)
    with pytest.raises(Invalid):
        services.withdraw_action(actors.ana(), made, " ")
    services.withdraw_action(actors.ana(), made, "The council dropped it.")
    with pytest.raises(Refused, match="withdrawn already"):
        services.withdraw_action(actors.ana(), made, "Again.")

    (line,) = queries.actions(north)
    assert (line.title, line.withdrawn_why) == ("Warmer roofs", "The council dropped it.")


def test_a_file_is_taken_over_whole_or_not_at_all(north: UUID) -> None:
    services.add_action(actors.ana(), north, ROOFS)

    with pytest.raises(Invalid, match="Nothing was taken over"):
        services.import_actions(actors.ana(), north, HEAD + "B-9,Nine,action,,Plan,\nB-1,Heat,deed,,Plan,\n")
    assert [each.number for each in queries.actions(north)] == ["B-2.1"]
    done = services.import_actions(
        actors.ana(), north, HEAD + "B-9,Nine,barrier,,Plan,\nB-2.1,Warm walls,action,buildings,Plan,2024\n"
    )

    assert (len(done.new), len(done.changed), done.same) == (1, 1, 0)
    assert [(each.number, each.title) for each in queries.actions(north)] == [("B-2.1", "Warm walls"), ("B-9", "Nine")]


# Pages


def test_the_list_is_kept_on_its_pages_without_a_script(app: Flask, north: UUID) -> None:
    own, page = actors.client_of(app, actors.ana()), "/cities/northbridge/actions"

    assert send(own, page, number="B-1", title="", source="Plan").status_code == 422
    assert send(own, page, number="B-1", title="Heat pumps", source="Plan").status_code == 303
    looked = send(
        own,
        page,
        to=f"{page}/look",
        file=(io.BytesIO((HEAD + "B-1,Heat,action,,Plan,\nB-2,Law,barrier,,P,\n").encode()), "list.csv"),
    )
    assert "1 new, 1 changed, 0 the same" in text_of(looked)
    assert [each.number for each in queries.actions(north)] == ["B-1"]
    wrong = send(
        own, page, to=f"{page}/look", file=(io.BytesIO((HEAD + "B-1,Heat,deed,,Plan,\n").encode()), "list.csv")
    )
    assert wrong.status_code == 422
    assert "C2: “deed” is neither “action” nor “barrier”." in text_of(wrong)
    assert send(own, page, to=f"{page}/look", file=(io.BytesIO(b"\xff\xfe\x00"), "list.csv")).status_code == 422
    taken = own.post(f"{page}/take", data={"text": HEAD + "B-2,Law,barrier,,P,\n"})
    assert taken.status_code == 303
    assert "Law" in own.get(f"{page}.csv").text
    assert send(own, f"{page}/B-2", title="Rent law").status_code == 303
    assert send(own, f"{page}/B-2", to=f"{page}/B-2/withdraw", reason="Passed.").status_code == 303
    assert "Withdrawn" in text_of(own.get(page))
    assert actors.client_of(app, actors.marek()).get(page).status_code == 404
    assert "Heat pumps" in text_of(actors.client_of(app, actors.eli()).get("/cities/northbridge"))
