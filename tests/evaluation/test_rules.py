"""Pure rules of evaluation: half points, what a sheet needs, who fits, who is kept away."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from uuid import UUID, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grants.calls.rules import ASSIGNMENT_PLAIN, AssignmentRules, Criterion, Marking
from grants.calls.rules.typed_content import content_of
from grants.core.errors import Invalid, Refused
from grants.evaluation import rules
from grants.evaluation.rules import Consortium, MarkInput, PoolMember, SheetInput
from grants.evaluation.states import ASSESSMENT, CONSENSUS, SEAT, CountryRule, Declared, Ruling

SPACE = UUID("00000000-0000-0000-0000-00000000abcf")
CRITERIA = (Criterion("a", "Ambition", "?", Fraction(1), 6), Criterion("b", "Breadth", "?", Fraction(1), None))
MARKING = Marking(CRITERIA)


def member(**changes: object) -> PoolMember:
    values = {
        "id": uuid5(SPACE, "e"), "user_id": uuid5(SPACE, "u"), "name": "Eva", "handle": "eva", "organisation": "",
        "organisation_id": uuid5(SPACE, "o"), "country_code": "FI", "languages": ("en",), "topics": ("heat", "homes"),
        "load_min": 0, "load_max": 3, "version": 1,
    }  # fmt: skip
    return PoolMember(**{**values, **changes})


def about(**changes: object) -> Consortium:
    values = {
        "application_id": uuid5(SPACE, "a"), "reference": "R", "title": "Pilot", "coordinator": "Town", "partners": (),
        "organisation_ids": frozenset(), "country_codes": ("GR",), "topics": frozenset({"heat", "water"}),
    }  # fmt: skip
    return Consortium(**{**values, **changes})


@pytest.mark.parametrize(("half", "words"), [(0, "0"), (7, "3.5"), (10, "5"), (None, "")])
def test_half_points_are_written_as_people_write_them(half: int | None, words: str) -> None:
    assert rules.half_words(half) == words


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(0, 10)), min_size=1, max_size=5))
def test_a_total_is_missing_while_any_score_is(halves: list[int | None]) -> None:
    marks = [MarkInput(str(number), half) for number, half in enumerate(halves)]

    expected = None if None in halves else sum(half or 0 for half in halves)
    assert rules.total_half(marks) == expected


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10), st.integers(0, 60))
def test_words_are_demanded_exactly_below_the_threshold(half: int, words: int) -> None:
    sheet = SheetInput((MarkInput("a", half, " ".join(["word"] * words)), MarkInput("b", half)))

    found = rules.problems(sheet, MARKING)

    assert [problem.place for problem in found] == (["comment_a"] if half < 6 and words < 30 else [])


def test_a_sheet_is_tidied_to_the_criteria_of_the_call() -> None:
    tidy = rules.tidy(SheetInput((MarkInput("b", 3, " x\r\n"),)), MARKING, "Remark")

    assert tidy.marks == (MarkInput("a", None, ""), MarkInput("b", 3, "x"))
    with pytest.raises(Invalid, match="no criterion “c”"):
        rules.tidy(SheetInput((MarkInput("c", 3),)), MARKING, "Remark")


@pytest.mark.parametrize(
    ("declared", "ruling", "clear", "conflict"),
    [
        (None, None, False, False),
        (Declared.NONE, None, True, False),
        (Declared.UNSURE, None, False, False),
        (Declared.CONFLICT, None, False, True),
        (Declared.UNSURE, Ruling.CLEARED, True, False),
        (Declared.CONFLICT, Ruling.CLEARED, True, False),
        (Declared.NONE, Ruling.CONFIRMED, False, True),
        (Declared.UNSURE, Ruling.CONFIRMED, False, True),
    ],
)
def test_nothing_opens_undeclared_or_in_doubt(
    declared: Declared | None, ruling: Ruling | None, clear: bool, conflict: bool
) -> None:
    assert (rules.stands_clear(declared, ruling), rules.is_conflict(declared, ruling)) == (clear, conflict)


CONTENT = content_of({})


def fit(who: rules.PoolMember, what: rules.Consortium, language: str, asked: AssignmentRules = ASSIGNMENT_PLAIN) -> int:
    content = replace(CONTENT, language=language, assignment=asked)
    return rules.fitting(content, (who,)).utility(who, what)


def test_fit_counts_topics_and_language() -> None:
    assert fit(member(), about(), "en") == 375 + 250
    assert fit(member(), about(), "fr") == 375
    assert fit(member(topics=("heat", "water")), about(), "en") == 1000
    assert fit(member(topics=()), about(topics=frozenset()), "") == 375 + 250


def test_fit_counts_role_wish_and_who_did_not_assess_it_last_year_where_the_call_says_so() -> None:
    asked = AssignmentRules(450, 200, 150, 150, 50, roles=("finance",))
    who = replace(
        member(topics=("heat", "water")), roles=("finance",), levels={"en": "reading"}, bids={about().application_id: 2}
    )

    assert fit(who, about(), "en", asked) == 450 + 120 + 150 + 150 + 50
    assert fit(replace(who, roles=(), bids={}), about(), "en", asked) == 450 + 120 + 0 + 75 + 50
    town = uuid5(SPACE, "town")
    seen = replace(who, met_last_year=frozenset({town}))
    assert fit(seen, about(organisation_ids=frozenset({town})), "en", asked) == 450 + 120 + 150 + 150


def test_a_topic_that_few_know_counts_more() -> None:
    asked = AssignmentRules(1000, 0, rare_topics=True)
    first, second, third = (member(topics=("heat",)), member(topics=("heat",)), member(topics=("water",)))
    measure = rules.fitting(replace(CONTENT, assignment=asked), (first, second, third))

    assert measure.utility(third, about()) > 500 > measure.utility(first, about())


def test_every_rule_that_keeps_somebody_away_says_so() -> None:
    none = rules.Said(Declared.NONE)
    said = [
        rules.why_not(member(), about(), rules.Said(Declared.CONFLICT), countries=CountryRule.ALLOWED),
        rules.why_not(member(), about(user_ids=frozenset({uuid5(SPACE, "u")})), none, countries=CountryRule.ALLOWED),
        rules.why_not(
            member(), about(organisation_ids=frozenset({uuid5(SPACE, "o")})), none, countries=CountryRule.ALLOWED
        ),
        rules.why_not(member(), about(), rules.Said(), countries=CountryRule.ALLOWED),
        rules.why_not(member(), about(), rules.Said(Declared.UNSURE), countries=CountryRule.ALLOWED),
        rules.why_not(member(), about(), rules.Said(Declared.NONE, waits=True), countries=CountryRule.ALLOWED),
        rules.why_not(member(country_code="GR"), about(), none, countries=CountryRule.KEPT_AWAY),
    ]

    assert said == [
        "Eva has a conflict of interest with it.",
        "Eva takes part in it.",
        "Eva belongs to an organisation of the consortium.",
        "Eva has not declared yet whether there is a conflict.",
        "Eva is not sure about a conflict; the programme has not ruled yet.",
        "Something was found that may be a conflict of Eva with it; nobody has decided about it yet. "
        "It waits on the page “Conflicts found”.",
        "Eva comes from a country of the consortium (GR).",
    ]
    assert rules.why_not(member(country_code="GR"), about(), none, countries=CountryRule.ALLOWED) == ""
    # A file of seats tells all of them.
    several = rules.all_why_not(member(country_code="GR"), about(), rules.Said(), countries=CountryRule.KEPT_AWAY)
    assert list(several) == [said[3], said[6]]


@pytest.mark.parametrize(
    ("halves", "wide"), [((8, 8, 8), False), ((8, 5, 6), True), ((6, 5), True), ((9, 8), False), ((4,), False)]
)
def test_disagreement_is_wide_from_one_and_a_half_points_or_across_the_threshold(
    halves: tuple[int, ...], wide: bool
) -> None:
    assert rules.is_wide(halves, 6) is wide


@pytest.mark.parametrize("machine", [SEAT, ASSESSMENT, CONSENSUS], ids=lambda machine: machine.name)
def test_every_state_answers_every_verb(machine) -> None:
    for state in machine.states:
        for verb in {step.verb for step in machine.transitions}:
            step = next((s for s in machine.transitions if s.verb == verb and state in s.sources), None)
            if step is None:
                with pytest.raises(Refused):
                    machine.target(state, verb)
            else:
                assert machine.target(state, verb) == step.target


def test_scores_are_compared_only_between_whole_sheets_of_the_scale_as_it_is_now() -> None:
    about, people = UUID(int=1), {name: UUID(int=number) for number, name in enumerate("abcd", 10)}
    marking = Marking((Criterion("x", "X", ""), Criterion("y", "Y", "")))
    halves = {
        "a": {"x": 8, "y": 8, "dropped": 10},
        "b": {"x": 6, "y": 6},
        # A mark of a larger scale, and one that is missing since a criterion was added.
        "c": {"x": 16, "y": 8},
        "d": {"x": 8},
    }
    sheets = [rules.EvaluatorSheet(people[name], about, name, name, marks) for name, marks in halves.items()]

    _, rows = rules.scores_by_evaluator(sheets, marking)

    told = {row.name: (row.against_words, row.sheets) for row in rows}
    nothing = "no colleague’s sheet beside one yet"
    assert told == {"a": ("+2.0", 1), "b": ("−2.0", 1), "c": (nothing, 1), "d": (nothing, 1)}


def test_who_takes_no_more_is_refused_without_how_many_they_have_where_some_are_shut_to_the_reader() -> None:
    rules.refuse_load(member(load=1, unseen=1))
    with pytest.raises(Refused, match=r"^Eva takes no more than 3 and has as many\. Raise the largest number"):
        rules.refuse_load(member(load=3))
    with pytest.raises(Refused, match=r"^Eva takes no more than 3 and may have as many: what is closed to you counts"):
        rules.refuse_load(member(load=1, unseen=1), 1)
    assert rules.lowers_too_far(member(load=3), 3) == "" == rules.lowers_too_far(member(load=2, unseen=1), 3)
    assert rules.lowers_too_far(member(load=3), 2) == "Eva has more applications than that already."
    assert "may have more applications than that already" in rules.lowers_too_far(member(load=2, unseen=1), 2)
