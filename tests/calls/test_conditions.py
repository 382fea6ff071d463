"""Conditions and the parent grant: what keeps a call closed, what pays nothing, and rules over facts for any consortium."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.applications.rules import CityFact, Facts, Member, evidence_of
from grants.applications.states import PartnerRole, Verdict
from grants.calls import queries as calls
from grants.calls import rules, services
from grants.calls.rules import Condition, FactRule
from grants.calls.states import FactKind, Whom
from grants.core import clock
from grants.core.errors import Problems
from grants.core.money import Money, euros
from grants.identity.states import OrganisationKind
from grants.programmes import services as programmes
from grants.programmes.rules import ParentRules, months_later, open_too_shortly, parent_problems
from tests import actors
from tests.calls import scene

A, B = UUID(int=1), UUID(int=2)


def member(who: UUID, name: str, kind: OrganisationKind = OrganisationKind.MUNICIPALITY, country: str = "SI") -> Member:
    role = PartnerRole.COORDINATOR if who == A else PartnerRole.PARTNER
    return Member(who, name, None, kind, country, None, role)


def asked(test: FactRule, facts: Facts) -> Verdict | None:
    return evidence_of(Condition("c", "A condition", test=test), facts).suggests


# --- properties of the rules over facts -----------------------------------------------------------------------

people = st.integers(1, 300_000)


@given(people, people, st.integers(1, 300_000))
def test_two_cities_reach_a_number_together_exactly_when_their_sum_does(one: int, two: int, least: int) -> None:
    facts = Facts(
        (member(A, "A"), member(B, "B")),
        (CityFact(A, "A", "SI", one, False), CityFact(B, "B", "SI", two, False)),
    )
    test = FactRule(FactKind.INHABITANTS, Whom.ADMINISTRATIONS, together=least, countries=("SI",))

    assert asked(test, facts) is (Verdict.PASS if one + two >= least else Verdict.FAIL)


@given(st.lists(st.one_of(st.none(), people), min_size=1, max_size=6), people)
def test_every_city_must_be_large_enough_and_one_unknown_leaves_it_open(sizes: list[int | None], least: int) -> None:
    members = tuple(member(UUID(int=n), f"City {n}") for n in range(1, len(sizes) + 1))
    cities = tuple(CityFact(m.organisation_id, m.name, "SI", s, False) for m, s in zip(members, sizes, strict=True))

    found = asked(FactRule(FactKind.INHABITANTS, Whom.ADMINISTRATIONS, at_least=least), Facts(members, cities))

    known = [size for size in sizes if size is not None]
    if any(size < least for size in known):
        assert found is Verdict.FAIL
    else:
        assert found is (Verdict.PASS if len(known) == len(sizes) else None)


@given(st.sets(st.sampled_from(["SI", "PL", "FR", "XK"])), st.sampled_from(["SI", "PL", "FR", "XK"]))
def test_a_country_is_met_exactly_when_a_list_holds_it(listed: set[str], country: str) -> None:
    facts = Facts((member(A, "A", country=country),), lists={"ours": tuple(sorted(listed))})

    found = asked(FactRule(FactKind.COUNTRY, Whom.LEAD, lists=("ours",)), facts)

    assert found is (None if not listed else Verdict.PASS if country in listed else Verdict.FAIL)


@given(st.integers(0, 4), st.integers(1, 4), st.booleans())
def test_other_applications_are_counted_and_never_guessed(others: int, most: int, sees_all: bool) -> None:
    facts = Facts((member(A, "A"),), elsewhere=tuple(("A", f"R-{n}") for n in range(others)), sees_all=sees_all)

    found = asked(FactRule(FactKind.PROPOSALS, Whom.ADMINISTRATIONS, at_most=most), facts)

    if others + 1 > most:
        assert found is Verdict.FAIL
    else:
        assert found is (Verdict.PASS if sees_all else None)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_cap_for_one_organisation_holds_to_the_cent(asked_for: int, most: int) -> None:
    facts = Facts((member(A, "A"),), requested={A: Money(asked_for)})

    found = asked(FactRule(FactKind.MONEY, money=Money(most)), facts)

    assert found is (Verdict.PASS if asked_for <= most else Verdict.FAIL)


@given(st.booleans(), st.booleans())
def test_a_fail_says_why_and_a_pass_does_not(mission: bool, wanted: bool) -> None:
    facts = Facts((member(A, "A"),), (CityFact(A, "A", "SI", 1, mission),))
    test = FactRule(FactKind.MISSION_CITY, Whom.LEAD, words=() if wanted else ("no",))

    found = evidence_of(Condition("c", "A condition", test=test), facts)

    assert (found.suggests is Verdict.PASS) is (mission is wanted)
    assert bool(found.reason) is (found.suggests is Verdict.FAIL)


def test_a_joint_condition_is_not_asked_of_a_city_that_applies_alone() -> None:
    test = FactRule(FactKind.ANSWER, question="why", joint=True)
    university = member(B, "B", OrganisationKind.UNIVERSITY)

    assert asked(test, Facts((member(A, "A"), university))) is Verdict.PASS
    assert asked(test, Facts((member(A, "A"), member(B, "B")))) is Verdict.FAIL


# --- what a condition cannot say --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("test", "sentence"),
    [
        ("{fact: inhabitants}", "needs a value: at_least, at_most or together."),
        ("{fact: country, lists: [nowhere]}", "names the list “nowhere”, which the call does not have."),
        ("{fact: answer, question: nothing}", "asks about the question “nothing”, which the form does not have."),
        ("{fact: organisation_kind, allowed: [guild]}", "names “guild”, which is no kind of organisation."),
    ],
)
@pytest.mark.usefixtures("app")
def test_a_condition_that_cannot_be_asked_keeps_the_call_closed(test: str, sentence: str) -> None:
    text = scene.SMALL + f"eligibility:\n  criteria:\n    - {{key: one, rule: A rule, test: {test}}}\n"

    with pytest.raises(Problems) as refused, clock.at(scene.BEFORE):
        services.publish(actors.ingrid(), scene.filled(text).id)

    assert sentence in " ".join(problem.message for problem in refused.value.found)


# --- the parent grant -------------------------------------------------------------------------------------------


def test_two_months_are_counted_in_the_calendar() -> None:
    rules_of = ParentRules(opening_months_min=2)

    assert months_later(date(2023, 12, 31), 2) == date(2024, 2, 29)
    assert open_too_shortly(rules_of, date(2022, 9, 5), date(2022, 11, 4))
    assert not open_too_shortly(rules_of, date(2022, 9, 5), date(2022, 11, 5))
    assert not open_too_shortly(ParentRules(opening_months_min=0), date(2022, 9, 5), date(2022, 9, 6))


def test_a_call_stays_within_its_parent_grant() -> None:
    parent = ParentRules(
        activities=("Tests",),
        maximum_per_recipient=euros(60_000),
        funding_rate_max=Fraction(70),
        flat_rate_max=Fraction(25),
    )

    found = parent_problems(
        parent,
        maximum=euros(60_001),
        funding_rate=Fraction(100),
        flat_rate=Fraction(25),
        activities=("Tests", "Roads"),
    )

    assert [problem.place for problem in found] == [
        "Most for one recipient",
        "Share of costs that is paid",
        "Activities that are paid",
    ]


SHORT = scene.SMALL.replace("2027-03-15 17:00", "2027-03-10 17:00")


@pytest.mark.usefixtures("app")
def test_a_call_open_for_less_than_its_parent_grant_asks_needs_a_reason() -> None:
    draft = scene.filled(SHORT)

    with pytest.raises(Problems, match="not published") as refused, clock.at(scene.BEFORE):
        services.publish(actors.ingrid(), draft.id)

    assert [problem.place for problem in refused.value.found] == ["Why it is open for a short time"]
    assert "open for 58 days, and its parent grant asks for 2 months" in refused.value.found[0].message


@pytest.mark.usefixtures("app")
def test_the_least_time_is_a_parameter_of_the_parent_grant_and_a_reason_opens_the_call() -> None:
    parent = "framework: Horizon Europe"
    shorter = SHORT.replace(parent, f"{parent}, rules: {{opening_months_min: 1}}").replace("SMALL-2027", "SMALL-A")
    excused = SHORT.replace("dates:\n", "dates:\n  short_opening_reason: The parent grant ends soon\n")
    excused = excused.replace("999000999", "999000998")

    assert scene.published(shorter).state.value == "published"
    assert scene.published(excused).state.value == "published"


FIVE = (
    "financial_support.activities",
    "eligibility.applicants",
    "evaluation.criteria",
    "financial_support.amount_rule",
    "financial_support.maximum_per_recipient",
)


@pytest.mark.parametrize("path", FIVE)
def test_a_call_that_pays_support_stays_closed_while_one_of_the_five_points_is_missing(path: str) -> None:
    template = services.template("horizon-like")
    file = rules.read_call_file(scene.SMALL)
    fields, _ = rules.filled(file.fields, template)
    assert rules.publish_problems(fields, file.deadlines, file.zone) == ()

    without = fields | {path: rules.NOT_FOUND}

    assert rules.FIELDS[path].label in {p.place for p in rules.publish_problems(without, file.deadlines, file.zone)}
    assert [point.fixed for point in rules.support_points(without)].count(False) == 1


def test_the_parent_grant_can_fix_three_of_the_five_points_for_all_its_calls() -> None:
    file = rules.read_call_file(scene.SMALL)
    fields, _ = rules.filled(file.fields, services.template("horizon-like"))
    without = fields | dict.fromkeys((FIVE[0], FIVE[3], FIVE[4]), rules.NOT_FOUND)
    parent = ParentRules(activities=("Tests",), amount_rule="The accepted costs", maximum_per_recipient=euros(200_000))

    found = rules.support_points(without, parent)

    assert found and all(point.fixed for point in found)
    assert rules.missing(without, file.deadlines, parent) == ()


@pytest.mark.parametrize("kind", ["expression_of_interest", "learning"])
def test_a_call_that_pays_nothing_skips_money_and_the_five_points(kind: str) -> None:
    text = scene.SMALL.replace("call:\n", f"call:\n  kind: {kind}\n").split("budget:")[0]
    file = rules.read_call_file(text)
    fields, _ = rules.filled(file.fields, services.template("horizon-like"), pays=False)

    assert rules.support_points(fields) == ()
    assert rules.publish_problems(fields, file.deadlines, file.zone) == ()
    assert "budget_categories" not in {path for path, found in fields.items() if found.value}


@pytest.mark.usefixtures("app")
def test_the_rules_of_a_parent_grant_are_kept_on_the_record() -> None:
    call = scene.imported(scene.SMALL)
    parent = calls.call_by_id(call.id).fund_source

    kept = programmes.set_rules(actors.ingrid(), parent.id, ParentRules(recipients="Cities", opening_months_min=3))

    assert (kept.rules.recipients, kept.rules.opening_months_min) == ("Cities", 3)
    assert calls.call_by_id(call.id).fund_source.rules.recipients == "Cities"
