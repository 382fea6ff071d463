"""Rules of applications: evidence for the desk, verdicts with exceptions, and hashes that mean the content."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grants.applications import rules
from grants.applications.rules import CityFact, ConditionAnswer, DetailsInput, Member
from grants.applications.states import APPLICATION, PARTNER, ApplicationState, PartnerRole, PartnerState, Verdict
from grants.calls.rules import Condition
from grants.calls.states import ConditionKind
from grants.core.errors import Invalid, Refused
from grants.identity.states import OrganisationKind
from tests.factories.applications import CLOSES_AT

A, B = UUID(int=1), UUID(int=2)
SIZE = Condition("size", "At least 50000 inhabitants", threshold=50_000)
TOGETHER = Condition(
    "together", "Several above 10000 together reach 50000", ConditionKind.EXCEPTION, 10_000, 50_000, ("HR", "SI")
)
CODE = Condition("pic", "Every legal entity has a PIC")
OVERLAP = Condition("overlap", "No territorial overlap and no double funding")
OTHER = Condition("mandate", "There is a mandate")
ALL = (SIZE, TOGETHER, CODE)
BIG = Member(A, "Łódź", None, OrganisationKind.MUNICIPALITY, "PL", "123456789", PartnerRole.COORDINATOR)
NO_CODE = Member(B, "Żółtowice", None, OrganisationKind.MUNICIPALITY, "PL", None, PartnerRole.PARTNER)


def city(population: int | None, country: str = "PL", *earlier: str) -> CityFact:
    return CityFact(A, "A-stad", country, population, False, earlier)


@pytest.mark.parametrize(("population", "suggests"), [(50_000, Verdict.PASS), (49_999, Verdict.FAIL), (None, None)])
def test_inhabitants_are_compared_with_the_register(population: int | None, suggests: Verdict | None) -> None:
    assert rules.evidence(SIZE, (BIG,), (city(population),), ()).suggests is suggests
    assert rules.evidence(SIZE, (BIG,), (), ()).suggests is None


def test_small_cities_reach_the_size_together_only_in_the_named_countries() -> None:
    inside = (city(30_000, "HR"), city(20_000, "SI"))
    outside = (city(30_000, "HR"), city(20_000, "PL"))

    assert rules.evidence(TOGETHER, (BIG,), inside, ()).suggests is Verdict.PASS
    assert rules.evidence(TOGETHER, (BIG,), outside, ()).suggests is None
    assert rules.evidence(TOGETHER, (BIG,), (city(45_000, "HR"), city(9_999, "HR")), ()).suggests is None


def test_missing_participant_codes_and_overlaps_are_shown() -> None:
    assert rules.evidence(CODE, (BIG,), (), ()).suggests is Verdict.PASS
    assert rules.evidence(CODE, (BIG, NO_CODE), (), ()).lines[1] == "Żółtowice: no PIC given"
    assert rules.evidence(OVERLAP, (BIG,), (city(1),), ()).suggests is Verdict.PASS
    assert rules.evidence(OVERLAP, (BIG,), (city(1),), (("Łódź", "PCP-2022-A-0002"),)).lines == (
        "Łódź also stands in PCP-2022-A-0002",
    )
    assert rules.evidence(OVERLAP, (BIG,), (city(1, "PL", "Cohort 1"),), ()).suggests is None
    assert rules.evidence(OTHER, (BIG,), (), ()).lines == ("Łódź, municipality, PL, lead",)


def test_each_condition_of_the_template_shows_what_speaks_to_it() -> None:
    late = rules.Arrival(CLOSES_AT, CLOSES_AT, "Europe/Brussels", "English", (), ("Letter of the mayor",))
    early = rules.Arrival(CLOSES_AT - timedelta(hours=1), CLOSES_AT, "Europe/Brussels", "English", ("letter.pdf",))
    complete = Condition("complete", "The application is complete, in the language of the call, and arrived in time")
    one = Condition("one", "The city administration stands in one application to this call only")
    paid = Condition("paid", "No activity of the pilot is paid from another EU grant")
    body = Condition("body", "The lead is a local authority or a body that may act for one")

    received, files, language = rules.evidence(complete, (BIG,), (), (), arrival=early).lines
    assert received.startswith("Received ") and received.endswith(": in time")
    assert files == "1 file attached: letter.pdf"
    assert language == "The call asks for English. Read below in which language the answers are."
    found = rules.evidence(complete, (BIG,), (), (), arrival=late)
    assert (found.suggests, found.lines[0][-8:], found.lines[2]) == (
        Verdict.FAIL,
        "too late",
        "Missing: Letter of the mayor",
    )

    assert rules.evidence(one, (BIG,), (), ()).lines == ("Łódź: 0 other applications to this call found",)
    assert rules.evidence(one, (BIG,), (), ()).suggests is Verdict.PASS
    twice = rules.evidence(one, (BIG,), (), (("Łódź", "PCP-2022-A-0002"),))
    assert twice.lines == ("Łódź: 1 other application to this call found (PCP-2022-A-0002)",)
    assert twice.suggests is None
    unseen = rules.evidence(one, (BIG,), (), (), sees_all=False)
    assert unseen.suggests is None and "Not every application to this call is open to you" in unseen.lines[1]
    assert (
        rules.evidence(paid, (BIG,), (city(1, "PL", "Cohort 1"),), ()).lines[0] == "A-stad took part before: Cohort 1"
    )
    assert rules.evidence(body, (BIG, NO_CODE), (), ()).lines == ("Łódź, municipality, PL, lead",)


PASS, FAIL = Verdict.PASS, Verdict.FAIL


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ({"size": PASS, "pic": PASS}, PASS),
        ({"size": FAIL, "together": PASS, "pic": PASS}, PASS),
        ({"size": FAIL, "together": FAIL, "pic": PASS}, FAIL),
        ({"size": PASS, "together": FAIL, "pic": FAIL}, FAIL),
    ],
)
def test_an_exception_widens_the_condition_before_it(answers: dict[str, Verdict], verdict: Verdict) -> None:
    assert rules.verdict_of(ALL, answers) is verdict


@pytest.mark.parametrize("answers", [{}, {"size": FAIL, "pic": PASS}, {"size": PASS}])
def test_no_verdict_while_an_answer_that_matters_is_missing(answers: dict[str, Verdict]) -> None:
    with pytest.raises(Refused, match="no answer yet"):
        rules.verdict_of(ALL, answers)


@given(st.dictionaries(st.sampled_from([c.key for c in ALL]), st.sampled_from(Verdict)))
@settings(max_examples=100)
def test_turning_a_fail_into_a_pass_never_makes_an_application_ineligible(answers: dict[str, Verdict]) -> None:
    full = {condition.key: FAIL for condition in ALL} | answers
    for key in full:
        if rules.verdict_of(ALL, full) is PASS:
            assert rules.verdict_of(ALL, full | {key: PASS}) is PASS


def test_answers_to_invented_conditions_are_dropped_and_a_fail_needs_words() -> None:
    kept = rules.checked_answers(ALL, (ConditionAnswer("size", PASS), ConditionAnswer("invented", FAIL)))

    assert kept == (ConditionAnswer("size", PASS),)
    with pytest.raises(Invalid) as refused:
        rules.checked_answers(ALL, (ConditionAnswer("pic", FAIL, " \u200b"),))
    assert list(refused.value.problems) == ["reason_pic"]


@given(st.dictionaries(st.text(max_size=5), st.one_of(st.integers(), st.text(), st.none()), max_size=5))
@settings(max_examples=100)
def test_a_hash_depends_on_the_content_and_not_on_its_order(content: dict[str, object]) -> None:
    turned = dict(reversed(list(content.items())))

    assert rules.digest(content) == rules.digest(turned)
    assert rules.digest({**content, "x": "other"}) != rules.digest({**content, "x": "another"})


@pytest.mark.parametrize("state", ApplicationState)
def test_only_a_draft_and_what_was_submitted_can_be_written(state: ApplicationState) -> None:
    if state in (ApplicationState.DRAFT, ApplicationState.SUBMITTED):
        rules.refuse_unwritable(state)
    else:
        with pytest.raises(Refused):
            rules.refuse_unwritable(state)


def test_the_whole_table_of_states_and_verbs() -> None:
    S = ApplicationState
    allowed = {
        S.DRAFT: ("submit", "withdraw"),
        S.SUBMITTED: ("submit", "withdraw", "declare_eligible", "declare_ineligible"),
        S.WITHDRAWN: (),
        S.ELIGIBLE: ("evaluate",),
        S.INELIGIBLE: ("restore",),
        S.UNDER_EVALUATION: ("select", "reserve", "fall_below", "leave_unfunded"),
        S.SELECTED: ("prepare", "drop"),
        S.RESERVE: ("select", "leave_unfunded", "evaluate_again", "correct"),
        S.BELOW_THRESHOLD: ("evaluate_again", "correct"),
        S.NOT_FUNDED: ("evaluate_again", "correct"),
        S.IN_PREPARATION: ("award", "decline", "drop"),
        S.AWARDED: (),
        S.DECLINED: (),
        S.DROPPED: (),
    }

    assert {state: APPLICATION.allowed(state) for state in S} == allowed
    assert {state: PARTNER.allowed(state) for state in PartnerState} == {
        PartnerState.INVITED: ("accept", "agree", "decline"),
        PartnerState.WAITING: ("decline", "confirm", "refuse"),
        PartnerState.ACCEPTED: (),
        PartnerState.DECLINED: ("invite_again",),
    }


def test_times_are_said_with_their_zone_and_to_the_thousandth() -> None:
    late = CLOSES_AT + timedelta(milliseconds=1)

    assert rules.said(CLOSES_AT, "Europe/Brussels") == "15 November 2022, 12:00 (Europe/Brussels)"
    assert rules.exactly(late, "Europe/Brussels") == "12:00:00.001 on 15 November 2022 (Europe/Brussels)"


def test_titles_and_short_names_are_cleaned_as_names_of_people_are() -> None:
    made = DetailsInput("Warm\u202e \u2066Blocks\u200b\u3164", "W\u202cB\ufeff", "Sum\u202emary").checked()

    assert made == DetailsInput("Warm Blocks", "WB", "Summary")


@pytest.mark.parametrize(
    ("summary", "said"),
    [
        ("x" * 1_500_000, "1500000 characters; the limit is 100 words of together at most 2200 characters"),
        ("a" + "\n" * 2_100 + "b", "2101 lines"),
        ("a" + "\n" * 900_000 + "b", "900002 characters"),
    ],
)
def test_one_endless_word_is_no_way_around_the_limit_in_words(summary: str, said: str) -> None:
    with pytest.raises(Invalid) as refusal:
        DetailsInput("Warm Blocks", "", summary).checked()

    assert said in refusal.value.problems["about"]
