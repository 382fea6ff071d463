"""The eligibility desk: admissibility apart, answers saved one by one, two people for a refusal, who is next."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from grants.applications import queries, rules, services
from grants.applications.models import EligibilityCheck
from grants.applications.rules import Arrival, ConditionAnswer, ConditionChanged, DeskShow, Formal, FormFacts
from grants.applications.states import ApplicationState, Verdict
from grants.calls.rules import CallView, Condition
from grants.core import clock
from grants.core.db import db
from grants.core.errors import Invalid, Refused
from grants.core.paging import Page
from tests import actors
from tests.applications.pages import send, text_of
from tests.factories import applications as factory
from tests.factories.applications import AFTER_CLOSING, BEFORE_OPENING, CLOSES_AT, WHILE_OPEN
from tests.statements import statements
from tests.worlds import World

PASS, FAIL = Verdict.PASS, Verdict.FAIL


@pytest.fixture(autouse=True)
def officers(app: Flask) -> None:
    """Two officers who hold their role from before the call on."""
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(BEFORE_OPENING):
        actors.eli()
        actors.ella()


def eligibility_passed(call: CallView) -> tuple[ConditionAnswer, ...]:
    return tuple(ConditionAnswer(each.key, PASS) for each in call.content.conditions)


def one_failed(call: CallView) -> tuple[ConditionAnswer, ...]:
    first, *rest = eligibility_passed(call)
    return (replace(first, verdict=FAIL, reason="It overlaps"), *rest)


def view_of(application_id: UUID) -> rules.ApplicationView:
    return queries.view_by_id(application_id)


# --- admissibility ------------------------------------------------------------------------------------------------


def test_a_whole_application_is_admissible_by_the_facts_alone_and_the_verdict_keeps_them(
    call: CallView, sent_world: World[UUID]
) -> None:
    application_id = sent_world.told()

    desk = queries.desk(actors.eli(), view_of(application_id))
    formal = [each for each in desk.conditions if rules.is_admissibility(each.condition)]
    assert {each.condition.key: each.clean for each in formal} == {
        **dict.fromkeys([Formal.IN_TIME, Formal.COMPLETE, Formal.DOCUMENTS, Formal.LIMITS, Formal.READABLE], True)
    }
    with clock.at(AFTER_CLOSING):
        services.declare(actors.eli(), application_id, eligibility_passed(call))

    after = queries.desk(actors.eli(), view_of(application_id))
    assert after.answered == len(after.conditions)
    assert {each.by for each in after.conditions} == {"Eli Desk"}


ARRIVED = Arrival(WHILE_OPEN, CLOSES_AT, "Europe/Brussels", "English", ("plan.pdf",))


@pytest.mark.parametrize(
    ("asked", "arrival", "facts", "suggests"),
    [
        (Formal.IN_TIME, ARRIVED, FormFacts(), PASS),
        (Formal.IN_TIME, replace(ARRIVED, submitted_at=CLOSES_AT), FormFacts(), FAIL),
        (Formal.COMPLETE, ARRIVED, FormFacts(unanswered=("“Summary” has no answer yet.",)), FAIL),
        (Formal.DOCUMENTS, replace(ARRIVED, missing=("Mandate",)), FormFacts(), FAIL),
        (Formal.LIMITS, ARRIVED, FormFacts(beyond_limits=("“Summary” has 3 words; the limit is 2.",)), FAIL),
        (Formal.READABLE, ARRIVED, FormFacts(infected=("plan.pdf",)), FAIL),
        (Formal.READABLE, ARRIVED, FormFacts(unscanned=("plan.pdf",)), None),
        (Formal.SIGNED, ARRIVED, FormFacts(), None),
        (Formal.SIGNED, ARRIVED, FormFacts(signed=("Sam signed it on 3 October 2022.",)), PASS),
    ],
)
def test_each_admissibility_condition_says_what_the_facts_suggest_and_why(
    asked: Formal, arrival: Arrival, facts: FormFacts, suggests: Verdict | None
) -> None:
    found = rules.formal_evidence(asked, arrival, facts)

    assert found.suggests is suggests and found.lines
    assert bool(found.reason) is (suggests is FAIL)


TEXTS = st.lists(st.text(min_size=1, max_size=20), max_size=3).map(tuple)


@given(
    st.sampled_from(Formal),
    st.integers(min_value=-3, max_value=3),
    TEXTS,
    st.builds(FormFacts, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS),
)
def test_a_suggestion_is_met_only_where_nothing_speaks_against_it(
    asked: Formal, late: int, missing: tuple[str, ...], facts: FormFacts
) -> None:
    arrival = replace(ARRIVED, submitted_at=CLOSES_AT + timedelta(seconds=late), missing=missing)
    against = {
        Formal.IN_TIME: late >= 0,
        Formal.COMPLETE: facts.unanswered,
        Formal.DOCUMENTS: missing,
        Formal.LIMITS: facts.beyond_limits,
        Formal.READABLE: facts.infected or facts.unscanned,
        Formal.SIGNED: not facts.signed,
    }

    assert (rules.formal_evidence(asked, arrival, facts).suggests is PASS) is (not against[asked])
    assert rules.formal_evidence(asked, None, facts).suggests is None


def test_a_call_that_asks_itself_how_it_arrived_is_not_asked_twice(call: CallView) -> None:
    keys = [each.key for each in rules.conditions_of(replace(call.content, sign_offs=True))]
    assert len(set(keys)) == len(keys) and Formal.SIGNED in keys and Formal.IN_TIME in keys
    assert Formal.SIGNED not in [each.key for each in rules.conditions_of(call.content)]
    asked = rules.conditions_of(call.content)
    assert asked and all(rules.source_of(each)[0] for each in asked)


# --- one answer at a time -----------------------------------------------------------------------------------------


def test_two_officers_save_different_conditions_and_neither_overwrites_the_other(
    call: CallView, sent_world: World[UUID]
) -> None:
    application_id = sent_world.told()
    first, second = (each.key for each in call.content.conditions[:2])
    with clock.at(AFTER_CLOSING):
        made = services.answer_condition(actors.eli(), application_id, ConditionAnswer(first, PASS), 0)
        services.answer_condition(actors.ella(), application_id, ConditionAnswer(second, PASS), 0)
        assert (made.number, made.check_before, made.by) == (1, 0, "Eli Desk")

        with pytest.raises(ConditionChanged) as told:
            services.answer_condition(actors.ella(), application_id, ConditionAnswer(first, FAIL, "No"), 0)
        assert (told.value.stands.by, told.value.stands.answer.verdict) == ("Eli Desk", PASS)
        again = services.answer_condition(actors.ella(), application_id, ConditionAnswer(first, FAIL, "No"), 1)
        assert (again.number, again.by) == (2, "Ella Second")
        with pytest.raises(Invalid, match="needs a reason"):
            services.answer_condition(actors.eli(), application_id, ConditionAnswer(first, FAIL, " "), 2)

    desk = queries.desk(actors.eli(), view_of(application_id))
    assert {each.condition.key: each.by for each in desk.conditions if each.by} == {
        first: "Ella Second", second: "Ella Second",
    }  # fmt: skip


def test_a_script_saves_and_a_later_button_is_not_stale(app: Flask, call: CallView, sent_world: World[UUID]) -> None:
    application_id = sent_world.told()
    place = f"/applications/{view_of(application_id).reference}/eligibility"
    key = call.content.conditions[0].key
    with clock.at(AFTER_CLOSING):
        eli = actors.client_of(app, actors.eli())
        saved = eli.post(f"{place}/conditions/{key}", data={"verdict": "pass", "number": "0"})
        assert (saved.status_code, saved.json["before"], saved.json["number"]) == (200, 0, 1)  # type: ignore[index]  # JSON
        stale = eli.post(f"{place}/conditions/{key}", data={"verdict": "fail", "reason": "No", "number": "0"})
        assert stale.status_code == 409 and stale.json["verdict"] == "pass"  # type: ignore[index]  # JSON
        for bad in ({"verdict": "perhaps"}, {"verdict": "fail", "number": "x"}, {}):
            assert eli.post(f"{place}/conditions/{key}", data=bad).status_code == 422
        assert eli.post(f"{place}/conditions/nothing", data={"verdict": "pass"}).status_code == 422
        version = {"version": str(saved.json["version"])}  # type: ignore[index]  # JSON
        assert send(eli, place, go="save", **version).status_code == 303
        assert actors.client_of(app, actors.ana()).post(f"{place}/conditions/{key}").status_code == 403


# --- the second person --------------------------------------------------------------------------------------------


def test_nobody_refuses_an_application_alone(call: CallView, sent_world: World[UUID]) -> None:
    application_id, eli = sent_world.told(), actors.eli()
    with clock.at(AFTER_CLOSING):
        assert services.declare(eli, application_id, one_failed(call)) is FAIL
        assert view_of(application_id).state is ApplicationState.SUBMITTED
        with pytest.raises(Refused, match="yourself"):
            services.confirm_refusal(actors.eli(), application_id)
        with pytest.raises(Refused, match="second person"):
            services.record_answers(eli, application_id, eligibility_passed(call))
        services.confirm_refusal(actors.ella(), application_id)

    assert view_of(application_id).state is ApplicationState.SUBMITTED
    check = db.session.query(EligibilityCheck).one()
    assert (check.decided_by, check.confirmed_by) == (eli.user_id, actors.ella().user_id)
    assert "It overlaps" in str(check.reason)
    with clock.at(AFTER_CLOSING), pytest.raises(Refused, match="Nobody proposed"):
        services.confirm_refusal(actors.ella(), application_id)


def test_a_refusal_that_is_given_back_can_become_eligible(call: CallView, sent_world: World[UUID]) -> None:
    application_id = sent_world.told()
    with clock.at(AFTER_CLOSING):
        services.declare(actors.eli(), application_id, one_failed(call))
        with pytest.raises(Invalid):
            services.return_refusal(actors.ella(), application_id, " ")
        services.return_refusal(actors.ella(), application_id, "They share one street only")
        desk = queries.desk(actors.eli(), view_of(application_id))
        assert (desk.returner, desk.return_reason) == ("Ella Second", "They share one street only")
        assert services.declare(actors.eli(), application_id, eligibility_passed(call)) is PASS
    assert queries.desk(actors.eli(), view_of(application_id)).verdict is PASS


def test_the_second_person_decides_on_the_page_and_the_first_cannot(
    app: Flask, call: CallView, sent_world: World[UUID]
) -> None:
    application_id = sent_world.told()
    place = f"/applications/{view_of(application_id).reference}/eligibility"
    with clock.at(AFTER_CLOSING):
        eli, ella = actors.client_of(app, actors.eli()), actors.client_of(app, actors.ella())
        services.declare(actors.eli(), application_id, one_failed(call))

        assert "You proposed it yourself" in text_of(eli.get(place))
        assert actors.client_of(app, actors.ana()).get(place).status_code == 404
        refused = send(ella, f"{place}/refusal", page=place, go="return", why=" ")
        assert refused.status_code == 422 and "Say why you give it back" in text_of(refused)
        assert "1 for a second person" in text_of(ella.get(f"/calls/{call.slug}/eligibility"))
        assert "Not eligible, says Eli Desk" in text_of(ella.get(f"/calls/{call.slug}/eligibility?show=second"))
        done = send(ella, f"{place}/refusal", page=place, go="confirm")
        assert done.status_code == 303
        assert "Eli Desk, confirmed by Ella Second" in text_of(ella.get(place))


# --- the way through the desk -------------------------------------------------------------------------------------


def test_the_desk_leads_to_the_next_one_and_to_the_next_without_a_verdict(app: Flask, call: CallView) -> None:
    ids = [factory.submitted(call, actors.ana(), title) for title in ("One", "Two", "Three")]
    refs = [view_of(each).reference for each in ids]
    with clock.at(AFTER_CLOSING):
        services.declare(actors.eli(), ids[1], eligibility_passed(call))
        desks = [queries.desk(actors.eli(), view_of(each)).neighbours for each in ids]
        assert [(each.previous, each.next, each.unchecked) for each in desks] == [
            (None, refs[1], refs[2]), (refs[0], refs[2], refs[2]), (refs[1], None, refs[0]),
        ]  # fmt: skip
        rows, counts = queries.desk_list(actors.eli(), call, DeskShow.TO_CHECK, Page(size=1))
        assert [row.reference for row in rows.items] == [refs[0]] and rows.next_key == refs[0]
        assert {show.value: tally.number for show, tally in counts.items()} == {
            "to_check": 2,
            "clarifying": 0,
            "second": 0,
            "letter": 1,
            "done": 0,
        }
        rows, _ = queries.desk_list(actors.eli(), call, DeskShow.TO_CHECK, Page(size=1, after=refs[0]))
        assert [(row.reference, row.waits_days(call.closes_at, AFTER_CLOSING)) for row in rows.items] == [(refs[2], 1)]

        eli = actors.client_of(app, actors.eli())
        for path in (f"/applications/{refs[0]}/eligibility", f"/calls/{call.slug}/eligibility"):
            eli.get(path)
            with statements() as seen:
                answer = eli.get(path)
            assert answer.status_code == 200
            # One more tells the demo who is signed in.
            assert len(seen) <= 8, "\n".join(line[:120] for line in seen)


def conditions(keys: str) -> tuple[Condition, ...]:
    return tuple(Condition(key, f"rule {key}") for key in keys)


@given(st.dictionaries(st.sampled_from("abcd"), st.sampled_from(Verdict)))
def test_a_verdict_is_met_only_if_every_condition_is(answers: dict[str, Verdict]) -> None:
    asked = conditions("abcd")
    if set(answers) < set("abcd"):
        with pytest.raises(Refused):
            rules.verdict_of(asked, answers)
    else:
        assert rules.verdict_of(asked, answers) is (PASS if set(answers.values()) == {PASS} else FAIL)
