"""After an upheld complaint: the first result stands until two people settle the repeated one, and then that is what is read."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from grants.applications.models import Application
from grants.awards import queries, services
from grants.awards.models import Complaint, Selection
from grants.awards.ranking import rank
from grants.awards.ranking import within as list_within
from grants.awards.rules import DecisionInput, Facts, Plan, ResultPage, ScenarioInput
from grants.awards.rules.complaints import ComplaintInput
from grants.awards.rules.letters import Hindrance, LetterRow
from grants.awards.rules.settling import place, settled
from grants.awards.states import Outcome, Remedy
from grants.calls import services as call_acts
from grants.calls.rules import BudgetInput, SelectionRules
from grants.core import clock
from grants.core.acts import arranging
from grants.core.audit import AuditEvent
from grants.core.db import db, get
from grants.core.errors import Conflict, Invalid, NeedsFreshSignIn, NotAllowed, Refused
from grants.core.money import Money, euros
from grants.core.permissions import Actor
from grants.evaluation import services as evaluation
from grants.evaluation.models import ConflictDeclaration, DetectedConflict, ScoreShift
from grants.evaluation.rules import Answered, EvaluatorInput
from grants.evaluation.states import Declared, DetectedState
from grants.identity.models import Organisation
from grants.identity.policy import Role
from grants.oversight.queries import home
from tests.awards.publishing import tell_all
from tests.awards.solving import worked_off
from tests.awards.test_complaints import (
    DAY,
    NUMBER,
    PUBLIC,
    RULES,
    UPHOLD,
    decided,
    mails,
    published,
    reviewed,
    rule,
    told,
    told_world,
)
from tests.awards.test_complaints_told import lettered
from tests.awards.test_minute import printed
from tests.awards.test_ranking import HORIZON, one
from tests.awards.test_reserve import dropped
from tests.awards.test_services import decide, reserved, states
from tests.awards.test_views import text_of
from tests.evaluation.scene import CLOSED, Browser, Scene, declares
from tests.factories import identity as people
from tests.worlds import World, Worlds

__all__ = ["told", "told_world"]

NEW = ("new1", "new2", "new3")


def shown(scene: Scene, number: int = NUMBER) -> ResultPage:
    """The result as the applicant reads it now."""
    db.session.rollback()
    return queries.result(scene.actor(f"lead{number}"), scene.references[number], clock.now())


def halves(page: ResultPage) -> list[Any]:
    return [score.half for score in page.scores]


def words(page: ResultPage) -> list[str]:
    return [page.text, *(score.words for score in page.scores)]


def assessed_again(scene: Scene, mark: int, number: int = NUMBER) -> None:
    """Three new evaluators assess the application and agree on this mark for each criterion."""
    application_id = scene.application_ids[number]
    with arranging():
        for name in NEW:
            scene.people[name] = people.user(f"Nora {name}", Role.EVALUATOR).id
    for name in NEW:
        values = EvaluatorInput(scene.people[name], "PT", ("en",), (), 0, 3)
        evaluation.pool(scene.actor("manager"), scene.call_id, values)
        declares(scene.actor(name), scene.call_id, (Answered(application_id, Declared.NONE, ""),))
        scene.give(name, application_id, "A complaint was upheld.")
    scene.assess(application_id, mark, mark, mark)
    scene.agree(application_id, mark, mark, mark)
    db.session.rollback()


@pytest.fixture(scope="session")
def repeated_world(
    worlds: Worlds, small_world: World[Scene], told_world: World[dict[str, UUID]]
) -> World[tuple[dict[str, UUID], UUID]]:
    """The complaint about the reserve list is upheld, the evaluation to be repeated."""

    def upheld() -> tuple[dict[str, UUID], UUID]:
        scene = small_world.told()
        scene.people.update(told_world.told())
        return scene.people, decided(scene, UPHOLD)

    with clock.at(CLOSED):
        return worlds.of(upheld, like=told_world)


@pytest.fixture
def repeated(scene: Scene, repeated_world: World[tuple[dict[str, UUID], UUID]]) -> tuple[Scene, UUID]:
    people_now, found = repeated_world.told()
    scene.people.update(people_now)
    return scene, found


# --- what the applicant reads -------------------------------------------------------------------------------------


def test_until_it_is_settled_the_applicant_reads_the_first_result_whatever_is_written_meanwhile(told: Scene) -> None:
    with clock.at(PUBLIC + DAY):
        first = shown(told)
    assert first.outcome is Outcome.RESERVE and any(words(first)) and not first.repeating
    found = decided(told, UPHOLD)
    with clock.at(PUBLIC + 4 * DAY):
        for step in (lambda: None, lambda: assessed_again(told, 4)):
            step()
            now = shown(told)
            assert (now.outcome, halves(now), words(now), now.repeating) == (
                Outcome.RESERVE, halves(first), words(first), True,
            )  # fmt: skip
        services.settling.propose_outcome(told.actor("petra"), found)
        assert words(shown(told)) == words(first)
        with arranging():
            row = get(Complaint, found)
        assert row.settlement is not None
        services.settling.settle(told.actor("piet"), found)
        last = shown(told)
        assert (last.outcome, halves(last)) == (Outcome.BELOW_THRESHOLD, [4, 4, 4])
        assert last.threshold_words and last.settled_words and not last.repeating
        # The committee of this complaint, and everybody after it, still reads the first decision as the first.
        case = queries.complaints.case_page(told.actor("auditor"), told.references[NUMBER], 1)
        assert case.result is not None
        assert (case.result.outcome, halves(case.result), words(case.result)) == (
            Outcome.RESERVE, halves(first), words(first),
        )  # fmt: skip
        assert [(score.half, half) for score, half in case.compared] == [(half, 4) for half in halves(first)]
        (mail,) = mails("repeated_below_threshold")[-1:]
        assert mail["context"]["threshold_words"] == last.threshold_words


def test_the_words_of_a_letter_that_was_sent_are_those_of_the_first_result(told: Scene) -> None:
    with clock.at(PUBLIC):
        lettered(told)
        _, letter = queries.letters.sent_letter(told.actor("lead1"), told.references[NUMBER], clock.now())
        first = shown(told)
    assert words(first) == [letter.text.report.text, *(row.comment for row in letter.text.report.rows)]
    decided(told, UPHOLD)
    with clock.at(PUBLIC + 4 * DAY):
        assessed_again(told, 9)
        assert words(shown(told)) == words(first)


def test_after_a_second_complaint_its_committee_reads_the_settled_result_as_the_first_decision(
    repeated: tuple[Scene, UUID],
) -> None:
    scene, found = repeated
    with clock.at(PUBLIC + 4 * DAY):
        assessed_again(scene, 4)
        services.settling.propose_outcome(scene.actor("petra"), found)
        services.settling.settle(scene.actor("piet"), found)
        own = queries.own_complaints.own_page(scene.actor("lead1"), scene.references[NUMBER], clock.now())
        assert own.may_write and own.window.about is not None and own.window.about.value == "below_threshold"
        services.complaints.save(
            scene.actor("lead1"), scene.application_ids[NUMBER], ComplaintInput(("overlooked",), "Again.")
        )
        second = db.session.scalars(select(Complaint.id).where(Complaint.number == 2)).one()
        services.complaints.send(scene.actor("lead1"), second)
    with clock.at(PUBLIC + 5 * DAY):
        case = queries.complaints.case_page(scene.actor("pia"), scene.references[NUMBER], 2)
        assert case.result is not None and case.result.outcome is Outcome.BELOW_THRESHOLD
        assert halves(case.result) == [4, 4, 4]
        # Whoever settled the first complaint decides nothing of the second.
        assert {scene.people["petra"], scene.people["piet"]} <= set(case.involved)


def test_a_corrected_outcome_leaves_the_first_decision_as_it_was(told: Scene) -> None:
    call_acts.authorise_budget(told.actor("officer"), told.call_id, BudgetInput(euros(1_200_000)))
    decided(told, replace(UPHOLD, remedy=Remedy.CORRECT))
    with clock.at(PUBLIC + 4 * DAY):
        assert shown(told).outcome is Outcome.SELECTED
        case = queries.complaints.case_page(told.actor("petra"), told.references[NUMBER], 1)
        assert case.result is not None and case.result.outcome is Outcome.RESERVE


# --- settled by two -----------------------------------------------------------------------------------------------


def asked_of(scene: Scene, who: str) -> list[str]:
    """How the duties begin that the home page of somebody of the committee shows."""
    found = [each.what for each in queries.duties(scene.actor(who), clock.now()) if each.endpoint == "awards.complaint"]
    return [each.split(" the repeated")[0].split(" on the outcome")[0] for each in found]


def seen_through(scene: Scene) -> list[str]:
    """Why the home page of the manager asks them to see a repeated evaluation through."""
    found = queries.duties(scene.actor("manager"), clock.now())
    return [
        each.why for each in found if each.what == f"See the repeated evaluation of {scene.references[NUMBER]} through"
    ]


def handed_on(scene: Scene) -> list[str]:
    """Who has the outcomes the manager waits for."""
    found = home.waiting(scene.actor("manager"))
    return [each.who for each in found if each.endpoint == "awards.complaint"]


def test_a_manager_sees_a_repeated_evaluation_through_unless_in_conflict_with_it(repeated: tuple[Scene, UUID]) -> None:
    scene, _ = repeated
    with clock.at(PUBLIC + 4 * DAY):
        empty = "Its complaint was upheld. 0 of 3 seats are filled with new evaluators: fill the others."
        assert (seen_through(scene), handed_on(scene)) == ([empty], [])
        scene.find("manager", NUMBER, DetectedState.CONFIRMED)
        assert (seen_through(scene), handed_on(scene)) == ([], [])


def test_who_waits_reads_who_is_due_now_also_in_the_place_of_one_of_the_committee(repeated: tuple[Scene, UUID]) -> None:
    scene, found = repeated
    with clock.at(PUBLIC + 5 * DAY):
        assessed_again(scene, 8)
        assert handed_on(scene) == ["the committee of two, Petra Officer and Piet Officer"]
        services.settling.propose_outcome(scene.actor("petra"), found)
        db.session.rollback()
        assert handed_on(scene) == ["Piet Officer, to confirm what Petra Officer proposed"]
        # Who proposed it may not decide any more: what they proposed is nobody's, and another takes their place.
        scene.find("petra", NUMBER, DetectedState.CONFIRMED)
        assert handed_on(scene) == ["Piet Officer, and another person in the place of Petra Officer"]
        scene.find("piet", NUMBER, DetectedState.CONFIRMED)
        assert handed_on(scene) == ["two people in the place of Petra Officer and Piet Officer"]


def test_two_of_the_committee_settle_it_and_the_money_is_reserved_once(repeated: tuple[Scene, UUID]) -> None:
    scene, found = repeated
    with clock.at(PUBLIC + 4 * DAY):
        assessed_again(scene, 10)
        call_acts.authorise_budget(scene.actor("officer"), scene.call_id, BudgetInput(euros(1_200_000)))
        with pytest.raises(Refused, match="No outcome is proposed yet"):
            services.settling.settle(scene.actor("petra"), found)
        assert asked_of(scene, "petra") == asked_of(scene, "piet") == ["Propose the outcome of"]
        assert asked_of(scene, "pia") == []
        # The manager has seen to it, and it stands on their page as what the committee has.
        assert seen_through(scene) == []
        assert handed_on(scene) == ["the committee of two, Petra Officer and Piet Officer"]
        assert services.settling.propose_outcome(scene.actor("petra"), found).outcome is Outcome.SELECTED
        assert asked_of(scene, "petra") == []
        assert asked_of(scene, "piet") == ["Confirm the outcome of"]
        with pytest.raises(Refused, match="another person"):
            services.settling.settle(scene.actor("petra"), found)
        with pytest.raises(NotAllowed, match="committee of two"):
            services.settling.settle(scene.actor("pia"), found)
        assert reserved(scene) == euros(800_000)
        assert services.settling.settle(scene.actor("piet"), found) is Outcome.SELECTED
        assert (states(scene)[NUMBER], reserved(scene)) == ("selected", euros(1_200_000))
        for deed in (services.settling.settle, services.settling.propose_outcome):
            with pytest.raises(Refused, match="waits for its outcome"):
                deed(scene.actor("petra"), found)
        page = shown(scene)
        assert page.outcome is Outcome.SELECTED and halves(page) == [10, 10, 10]


def test_in_the_place_of_one_of_the_committee_who_may_not_any_more_another_settles_it(
    repeated: tuple[Scene, UUID], browser: Browser
) -> None:
    scene, found = repeated
    settling, path = services.settling, f"/applications/{scene.references[NUMBER]}/complaints/1"
    with arranging():
        scene.people["paul"] = people.user("Paul Officer", Role.PROJECT_OFFICER).id

    def reads(who: str) -> str:
        return text_of(browser.get(who, path))

    with clock.at(PUBLIC + 4 * DAY):
        assessed_again(scene, 4)
        settling.propose_outcome(scene.actor("piet"), found)
        with pytest.raises(NotAllowed, match="committee of two"):
            settling.propose_outcome(scene.actor("pia"), found)
        assert asked_of(scene, "pia") == []
        # A conflict that came to light after the decision on the complaint, and after the proposal.
        evaluation.declare_in_office(scene.actor("piet"), scene.application_ids[NUMBER], "My sister works there.")
        assert [asked_of(scene, who) for who in ("petra", "pia", "piet")] == [["Propose the outcome of"]] * 2 + [[]]
        with pytest.raises(Refused, match="have it proposed again"):
            settling.settle(scene.actor("petra"), found)
        page = reads("petra")
        assert "Piet Officer may not decide it" in page and "settles it in their place" in page
        assert "it must be proposed again" in page and "Confirm: settle it" not in page
        settling.propose_outcome(scene.actor("pia"), found)
        # Petra is of the committee and may decide: it is not settled without her.
        with pytest.raises(Refused, match="Both of the committee"):
            settling.settle(scene.actor("paul"), found)
        assert [asked_of(scene, who) for who in ("petra", "pia", "paul")] == [
            ["Confirm the outcome of"], [], [],
        ]  # fmt: skip
        assert "Confirm: settle it" in reads("petra") and "Confirm: settle it" not in reads("paul")
        assert settling.settle(scene.actor("petra"), found) is Outcome.BELOW_THRESHOLD
    db.session.rollback()
    row = get(Complaint, found)
    # Who decided the complaint stands as it was.
    assert (row.settlement_by, row.settled_by) == (scene.people["pia"], scene.people["petra"])
    assert {row.member_one, row.member_two} == {scene.people["petra"], scene.people["piet"]}


def stale(actor: Actor) -> Actor:
    return replace(actor, fresh=False)


def test_money_asks_for_a_fresh_sign_in(told: Scene) -> None:
    call_acts.authorise_budget(told.actor("officer"), told.call_id, BudgetInput(euros(1_200_000)))
    found = reviewed(told)
    services.reviewing.propose(told.actor("petra"), found, replace(UPHOLD, remedy=Remedy.CORRECT))
    with pytest.raises(NeedsFreshSignIn):
        services.reviewing.decide(stale(told.actor("piet")), found)
    services.reviewing.return_decision(told.actor("piet"), found, "Repeat it instead.")
    services.reviewing.propose(told.actor("petra"), found, UPHOLD)
    services.reviewing.decide(stale(told.actor("piet")), found)
    with clock.at(PUBLIC + 4 * DAY):
        assessed_again(told, 10)
        services.settling.propose_outcome(told.actor("petra"), found)
        with pytest.raises(NeedsFreshSignIn):
            services.settling.settle(stale(told.actor("piet")), found)


def test_what_keeps_a_list_from_being_decided_keeps_an_outcome_from_being_settled(
    repeated: tuple[Scene, UUID],
) -> None:
    scene, found = repeated
    application_id, other = scene.application_ids[NUMBER], scene.application_ids[0]
    with clock.at(PUBLIC + 4 * DAY):
        assessed_again(scene, 10)
        services.settling.propose_outcome(scene.actor("petra"), found)
        for key, refused in ((other, False), (application_id, True)):
            with arranging():
                row = db.session.scalars(
                    select(ConflictDeclaration).where(
                        ConflictDeclaration.application_id == key,
                        ConflictDeclaration.declared == Declared.NONE.value,
                    ).limit(1)
                ).one()  # fmt: skip
                row.declared, row.reason = Declared.UNSURE.value, "I am not sure."
            if refused:
                for deed in (services.settling.propose_outcome, services.settling.settle):
                    with pytest.raises(Refused, match=r"waits for a ruling.* then its outcome can be settled"):
                        deed(scene.actor("piet"), found)
            with arranging():
                get(ConflictDeclaration, row.id).declared = Declared.NONE.value
            db.session.rollback()
        with arranging():
            seen = DetectedConflict(
                user_id=scene.people[NEW[0]], application_id=application_id, kind="mail_domain", evidence="city.eu",
                state="proposed", found_at=clock.now(),
            )  # fmt: skip
            db.session.add(seen)
        with pytest.raises(Refused, match=r"was found waits for a decision.* then its outcome can be settled"):
            services.settling.settle(scene.actor("piet"), found)
        with arranging():
            get(DetectedConflict, seen.id).state = "gone"
        with arranging():
            db.session.add(
                ScoreShift(
                    application_id=application_id, shift_half=1, reason="A panel.", state="proposed",
                    proposed_by=scene.people["chair"], proposed_at=clock.now(),
                )
            )  # fmt: skip
        with pytest.raises(Refused, match="waits for a second person"):
            services.settling.settle(scene.actor("piet"), found)
    assert states(scene)[NUMBER] == "under_evaluation"


def test_what_changed_after_it_was_proposed_is_proposed_again(repeated: tuple[Scene, UUID]) -> None:
    scene, found = repeated
    with clock.at(PUBLIC + 4 * DAY):
        assessed_again(scene, 10)
        first = services.settling.propose_outcome(scene.actor("petra"), found)
        assert first.outcome is Outcome.RESERVE and "but only €200" in first.words.replace("EUR ", "€")
        call_acts.authorise_budget(scene.actor("officer"), scene.call_id, BudgetInput(euros(1_200_000)))
        with pytest.raises(Refused, match="Propose it again"):
            services.settling.settle(scene.actor("piet"), found)
        version = get(Complaint, found).version
        services.settling.propose_outcome(scene.actor("piet"), found, version)
        # Both looked at the same page: the second of them is told.
        with pytest.raises(Conflict):
            services.settling.propose_outcome(scene.actor("petra"), found, version)
        assert services.settling.settle(scene.actor("petra"), found) is Outcome.SELECTED


def test_the_outcome_keeps_the_rules_of_the_list() -> None:
    given: dict[str, Any] = {"amount": Money(100), "free": Money(100)}
    assert settled(Outcome.SELECTED, **given)[0] is Outcome.SELECTED
    outcome, said = settled(Outcome.SELECTED, **given, breaches=("GR has its 2 of one country already",))
    assert outcome is Outcome.RESERVE and "keep it out: GR has its 2" in said
    outcome, said = settled(Outcome.SELECTED, **(given | {"free": Money(40)}))
    assert outcome is Outcome.RESERVE and "but only" in said and said.count("Nobody who was selected loses money") == 1
    for stands in (Outcome.RESERVE, Outcome.NOT_FUNDED, Outcome.BELOW_THRESHOLD):
        # Whatever money is free: the list itself does not select it.
        assert settled(stands, **given)[0] is stands
    # The panel put equal scores in an order: whoever comes later comes after all of them.
    assert place((Fraction(8),), [((Fraction(8),), 1), ((Fraction(8),), 2)]) == (2, 1)
    assert place((Fraction(8),), [((Fraction(9),), 1), ((Fraction(8),), 2), ((Fraction(8),), 2)]) == (2, 0)


def within(scene: Scene, plan: Plan) -> Scene:
    """The same with a list decided from a scenario."""
    rule(scene, RULES)
    number = services.save_scenario(scene.actor("manager"), scene.call_id, ScenarioInput("Ours", plan))
    if plan.has_minima:
        worked_off()
    shown_now = queries.ranking_page(scene.actor("manager"), scene.slug, plan=plan)
    services.decide(scene.actor("manager"), scene.call_id, DecisionInput(shown_now.list_hash, "Ours", scenario=number))
    services.confirm(scene.actor("officer"), db.session.scalars(select(Selection.id)).one())
    return published(scene)


# Each with its marks in half points, euros and country: the first two are selected, the last is brought in by a minimum.
LISTED = (
    ((10, 10, 9), 400, "FI"), ((10, 9, 9), 400, "FI"), ((9, 9, 9), 300, "FI"), ((9, 9, 8), 100, "FI"), ((7, 7, 7), 100, "PT"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("marks", "place", "outcome"),
    [((8, 8, 7), 5, Outcome.RESERVE), ((9, 9, 8), 4, Outcome.RESERVE), ((10, 10, 10), 1, Outcome.SELECTED)],
)
def test_a_new_score_comes_before_none_who_were_better_and_got_nothing(
    marks: tuple[int, ...], place: int, outcome: Outcome
) -> None:
    """A row that a minimum forced in has the lowest score of the selected, and is no measure for others."""
    rows = (*LISTED, (marks, 100, "FI"))
    scored = [one(number, halves, euros(asked)) for number, (halves, asked, _) in enumerate(rows, 1)]
    facts = {each.application_id: Facts(country) for each, (_, _, country) in zip(scored, rows, strict=True)}
    found = list_within(rank(scored, HORIZON, euros(1_000)), Plan(SelectionRules(countries_min=2)), facts)

    stands = next(row for row in found.rows if row.application_id == scored[-1].application_id)

    assert stands.rank == place
    assert settled(stands.outcome, stands.rule_words, amount=euros(100), free=euros(100))[0] is outcome


def test_a_repeated_evaluation_is_settled_by_the_list_worked_out_anew(scene: Scene) -> None:
    marks = ((9, 9, 9), (8, 9, 9), (7, 7, 7))
    scene.evaluate(marks)
    with arranging():
        for number, (asked, country) in enumerate(((600_000, "GR"), (600_000, "GR"), (300_000, "DK"))):
            row = get(Application, scene.application_ids[number])
            row.requested = euros(asked)
            get(Organisation, row.coordinator_id).country_code = country
    db.session.rollback()
    scene = within(scene, Plan(SelectionRules(countries_min=2), reason="Two countries at least"))
    assert states(scene) == ["selected", "reserve", "selected"]
    found = decided(scene, UPHOLD)
    with clock.at(PUBLIC + 4 * DAY):
        call_acts.authorise_budget(scene.actor("officer"), scene.call_id, BudgetInput(euros(2_000_000)))
        # Above the one a minimum brought in, and still not what the money reaches.
        assessed_again(scene, 8)
        proposed = services.settling.propose_outcome(scene.actor("petra"), found)
        assert proposed.outcome is Outcome.RESERVE
        assert proposed.words.replace("\u00a0", " ") == (
            "Worked out anew with its new score, by the rules and with the money it was decided by, the list puts it on the "
            "reserve list. Not selected: asks for EUR 200 000.00 more than is left of the budget."
        )
        services.settling.settle(scene.actor("piet"), found)
    assert (states(scene), reserved(scene)) == (["selected", "reserve", "selected"], euros(900_000))


def test_a_corrected_outcome_says_which_rules_of_the_list_it_breaks_and_why_that_is_right(
    evaluated: Scene, browser: Browser
) -> None:
    pair = (evaluated.references[0], evaluated.references[NUMBER])
    scene = within(evaluated, Plan(exclusive=(pair,), reason="One of the two cities"))
    found, correct = reviewed(scene), replace(UPHOLD, remedy=Remedy.CORRECT)
    breaks = f"it excludes {scene.references[0]}, which is selected"
    page = f"/applications/{scene.references[NUMBER]}/complaints/1"
    with clock.at(PUBLIC + 3 * DAY):
        call_acts.authorise_budget(scene.actor("officer"), scene.call_id, BudgetInput(euros(2_000_000)))
        assert breaks in text_of(browser.get("petra", page))
        with pytest.raises(Invalid) as caught:
            services.reviewing.propose(scene.actor("petra"), found, correct)
        assert breaks in caught.value.problems["despite"]
        sent = browser.post("petra", f"{page}/proposal", upholds="yes", remedy="correct", text="It was overlooked.")
        assert sent.status_code == 422 and "Write why it is corrected all the same" in text_of(sent, 422)
        # A repeated evaluation breaks nothing yet.
        services.reviewing.propose(scene.actor("petra"), found, replace(UPHOLD, despite="Not needed"))
        assert get(Complaint, found).despite is None
        services.reviewing.propose(
            scene.actor("petra"), found, replace(correct, despite="The first was the wrong one.")
        )
        read = text_of(browser.get("piet", page))
        assert breaks in read and "The first was the wrong one." in read
        services.reviewing.decide(scene.actor("piet"), found)
        assert "The first was the wrong one." in text_of(browser.get("petra", page))
        own = browser.get("lead1", f"/applications/{scene.references[NUMBER]}/complaint")
        assert "The first was the wrong one." not in own.text
    why = db.session.scalars(select(AuditEvent.reason).where(AuditEvent.verb == "complaint.decide").distinct()).one()
    assert why is not None and breaks in why and "The first was the wrong one." in why


def test_what_breaks_a_rule_only_since_it_was_proposed_goes_back(
    evaluated: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = within(evaluated, Plan(cut_percent=Fraction(5)))
    found = reviewed(scene)
    call_acts.authorise_budget(scene.actor("officer"), scene.call_id, BudgetInput(euros(2_000_000)))
    services.reviewing.propose(scene.actor("petra"), found, replace(UPHOLD, remedy=Remedy.CORRECT))
    monkeypatch.setattr(queries, "breaches_now", lambda *_: ("GR has its 1 of one country already",))
    with pytest.raises(Refused, match=r"GR has its 1 of one country already\. Return the proposal"):
        services.reviewing.decide(scene.actor("piet"), found)


def test_what_breaks_other_rules_than_those_that_were_answered_goes_back(
    evaluated: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = within(evaluated, Plan(cut_percent=Fraction(5)))
    found, why = reviewed(scene), "The cut came later."
    call_acts.authorise_budget(scene.actor("officer"), scene.call_id, BudgetInput(euros(2_000_000)))
    broken = ["the cut of all is not its own"]
    monkeypatch.setattr(queries, "breaches_now", lambda *_: tuple(broken))
    correct = replace(UPHOLD, remedy=Remedy.CORRECT, despite=why)
    services.reviewing.propose(scene.actor("petra"), found, correct)
    broken.append("GR has its 1 of one country already")
    with pytest.raises(Refused, match=r"GR has its 1 .* When it was proposed it was this: .* Return the proposal"):
        services.reviewing.decide(scene.actor("piet"), found)
    # The way out is as the sentence says.
    services.reviewing.return_decision(scene.actor("piet"), found, "Greece is full now.")
    services.reviewing.propose(scene.actor("petra"), found, correct)
    services.reviewing.decide(scene.actor("piet"), found)
    assert get(Complaint, found).state == "upheld"


def test_one_below_a_threshold_is_corrected_with_the_cut_of_all(scene: Scene) -> None:
    scene.evaluate(((9, 9, 9), (5, 5, 5), (8, 8, 8)))
    scene = within(scene, Plan(cut_percent=Fraction(5)))
    assert (states(scene)[NUMBER], reserved(scene)) == ("below_threshold", euros(760_000))
    call_acts.authorise_budget(scene.actor("officer"), scene.call_id, BudgetInput(euros(2_000_000)))
    decided(scene, replace(UPHOLD, remedy=Remedy.CORRECT))
    assert (states(scene)[NUMBER], reserved(scene)) == ("selected", euros(1_140_000))


def test_a_list_with_ceilings_holds_them_when_an_outcome_is_settled(evaluated: Scene) -> None:
    pair = (evaluated.references[0], evaluated.references[NUMBER])
    scene = within(evaluated, Plan(exclusive=(pair,), reason="One of the two cities"))
    assert states(scene) == ["selected", "reserve", "selected"]
    found = decided(scene, UPHOLD)
    with clock.at(PUBLIC + 4 * DAY):
        assessed_again(scene, 10)
        call_acts.authorise_budget(scene.actor("officer"), scene.call_id, BudgetInput(euros(2_000_000)))
        proposed = services.settling.propose_outcome(scene.actor("petra"), found)
        assert proposed.outcome is Outcome.RESERVE
        assert f"it excludes {scene.references[0]}, which is selected" in proposed.words
        services.settling.settle(scene.actor("piet"), found)
    assert (states(scene)[NUMBER], reserved(scene)) == ("reserve", euros(800_000))


# --- the reserve list afterwards ----------------------------------------------------------------------------------


def listed(scene: Scene) -> Any:
    return queries.reserve_page(queries.selection_of(scene.actor("manager"), scene.slug, 1))


def test_one_settled_as_reserve_moves_up_and_one_settled_otherwise_does_not(scene: Scene) -> None:
    # 1 is below a threshold: nothing but the repeated evaluation brings it on the reserve list.
    scene.evaluate(((9, 9, 9), (4, 4, 4), (8, 8, 8)))
    rule(scene, RULES)
    services.confirm(scene.actor("officer"), decide(scene))
    published(scene)
    assert states(scene) == ["selected", "below_threshold", "selected"]
    found = decided(scene, UPHOLD)
    with clock.at(PUBLIC + 4 * DAY):
        assessed_again(scene, 10)
        services.settling.propose_outcome(scene.actor("petra"), found)
        assert services.settling.settle(scene.actor("piet"), found) is Outcome.RESERVE
        dropped(scene, 0)
        shown_now = listed(scene)
        assert shown_now.next is not None and shown_now.next.application_id == scene.application_ids[NUMBER]
        # Better than both who are ranked: before the first of them.
        assert shown_now.next.place == "before rank 1 by its repeated evaluation"
        view = queries.selection_of(scene.actor("manager"), scene.slug, 1)
        services.decide_move(scene.actor("manager"), view.id, scene.references[NUMBER], "Money came free.")
        services.confirm_move(scene.actor("chair"), listed(scene).moves[-1].id)
        # Its team reads what it knows until its letter says more.
        assert (states(scene)[NUMBER], shown(scene).outcome) == ("selected", Outcome.RESERVE)
        tell_all(scene)
        assert shown(scene).outcome is Outcome.SELECTED


def test_one_of_the_reserve_list_that_fell_below_a_threshold_does_not_move_up(repeated: tuple[Scene, UUID]) -> None:
    scene, found = repeated
    with clock.at(PUBLIC + 4 * DAY):
        dropped(scene, 0)
        assert listed(scene).next is None
        assessed_again(scene, 4)
        services.settling.propose_outcome(scene.actor("petra"), found)
        services.settling.settle(scene.actor("piet"), found)
        assert listed(scene).next is None
    # Whatever brought its state back: the list itself would still say reserve.
    with arranging():
        get(Application, scene.application_ids[NUMBER]).state = "reserve"
    db.session.rollback()
    assert listed(scene).next is None


# --- the list waits for complaints about eligibility --------------------------------------------------------------


def about_a_verdict(scene: Scene) -> UUID:
    """The desk found application 1 ineligible, and its lead complained about that."""
    rule(scene, RULES)
    with arranging():
        get(Application, scene.application_ids[NUMBER]).state = "ineligible"
        scene.people["lead1"] = scene.leads[NUMBER]
        for name in ("petra", "piet"):
            scene.people[name] = people.user(name, Role.PROJECT_OFFICER).id
    db.session.rollback()
    given = ComplaintInput(("verdict",), "Section 3 names the city.")
    services.complaints.save(scene.actor("lead1"), scene.application_ids[NUMBER], given)
    found = db.session.scalars(select(Complaint.id)).one()
    services.complaints.send(scene.actor("lead1"), found)
    return found


def wanted(scene: Scene, despite: str = "") -> Any:
    page = queries.ranking_page(scene.actor("manager"), scene.slug)
    return DecisionInput(page.list_hash, "As ranked.", despite=despite)


def newest_list() -> Selection:
    db.session.rollback()
    return db.session.scalars(select(Selection).order_by(Selection.number.desc())).first()  # type: ignore[return-value]


def test_no_list_is_decided_over_an_open_complaint_about_eligibility_without_a_reason(evaluated: Scene) -> None:
    scene = evaluated
    found = about_a_verdict(scene)
    two = (scene.people["petra"], scene.people["piet"])
    for step in (
        lambda: None,
        lambda: services.reviewing.admit(scene.actor("petra"), found),
        lambda: services.reviewing.name_committee(scene.actor("petra"), found, two),
    ):
        step()
        with pytest.raises(Invalid, match="1 complaint about eligibility is open: see the page “Complaints”") as error:
            services.decide(scene.actor("manager"), scene.call_id, wanted(scene))
        assert set(error.value.problems) == {"despite"}
    number = services.decide(scene.actor("manager"), scene.call_id, wanted(scene, "The money lapses on Friday."))
    assert newest_list().despite == "The money lapses on Friday."
    # The reason of who decided holds for what was open then.
    services.confirm(scene.actor("officer"), newest_list().id)
    assert (number, newest_list().state, newest_list().confirmed_despite) == (1, "confirmed", None)
    assert "complaints about eligibility were open The money lapses on Friday." in printed(scene)
    # Now nothing can be restored any more, and the sentence says what to do.
    with pytest.raises(Refused, match="If the verdict was wrong, reject the complaint and say so in the reasons"):
        services.reviewing.propose(scene.actor("petra"), found, replace(UPHOLD, remedy=Remedy.RESTORE))


def test_a_complaint_that_came_after_the_list_was_decided_holds_its_confirmation(evaluated: Scene) -> None:
    scene = evaluated
    rule(scene, RULES)
    with arranging():
        get(Application, scene.application_ids[NUMBER]).state = "ineligible"
    db.session.rollback()
    services.decide(scene.actor("manager"), scene.call_id, wanted(scene, "Not asked for"))
    assert newest_list().despite == ""
    found = about_a_verdict(scene)
    with pytest.raises(Invalid, match="1 complaint about eligibility is open"):
        services.confirm(scene.actor("officer"), newest_list().id)
    services.complaints.withdraw(scene.actor("lead1"), found, "We found the sentence.")
    services.confirm(scene.actor("officer"), newest_list().id)
    assert newest_list().confirmed_despite is None


def test_pages_say_what_holds_the_list_and_take_the_reason(evaluated: Scene, browser: Browser) -> None:
    scene = evaluated
    found = about_a_verdict(scene)
    address = f"/calls/{scene.slug}/decision"
    shown_now = browser.get("manager", address)
    assert "1 complaint about eligibility is open" in text_of(shown_now)
    given = {"list_hash": wanted(scene).list_hash, "line": "stop", "reason": "As ranked.", "go": "decide"}
    refused = browser.post("manager", address, **given)
    assert refused.status_code == 422 and "As ranked." in refused.text
    assert browser.post("manager", address, **given, despite="The money lapses.").status_code == 303
    assert "The money lapses." in text_of(browser.get("officer", f"/calls/{scene.slug}/selections/1"))
    services.complaints.withdraw(scene.actor("lead1"), found, "We found the sentence.")
    assert browser.post("officer", f"/calls/{scene.slug}/selections/1/confirm", version="1").status_code == 303


# --- its letter ---------------------------------------------------------------------------------------------------


def test_a_letter_waits_while_the_evaluation_is_repeated_and_then_tells_what_was_settled(
    told: Scene, browser: Browser
) -> None:
    found = decided(told, UPHOLD)
    reference = told.references[NUMBER]
    with clock.at(PUBLIC + 4 * DAY):
        held = row_of(told, reference)
        assert [each.kind for each in held.exceptions] == [Hindrance.REPEATED]
        # Left out for the first outcome: who was to tell that was not asked to tell another.
        services.leaving_out.leave_out(told.actor("manager"), told.application_ids[NUMBER], "Told by telephone.")
        assert row_of(told, reference).left_out == "Told by telephone."
        assessed_again(told, 4)
        services.settling.propose_outcome(told.actor("petra"), found)
        services.settling.settle(told.actor("piet"), found)
        row = row_of(told, reference)

    assert (row.outcome, row.exceptions, row.left_out) == (Outcome.BELOW_THRESHOLD, (), "") and row.text is not None
    assert [each.score for each in row.text.report.rows] == ["2", "2", "2"]
    # The history tells it; who of the programme decided is named to the programme alone.
    team, office = (text_of(browser.get(name, f"/applications/{reference}/history")) for name in ("lead1", "petra"))
    for history in (team, office):
        assert "Outcome told: upheld" in history and "Outcome told: below threshold" in history
        assert "complained about the result of" in history and "proposed" not in history
    assert "Piet Officer" in office and "named who reviews" in office
    assert "Piet Officer" not in team and "named who reviews" not in team and "The programme" in team


def row_of(scene: Scene, reference: str) -> LetterRow:
    """The only row of an application on the page of letters."""
    db.session.rollback()
    (row,) = [
        each
        for each in queries.letters.letters_page(scene.actor("manager"), scene.slug).rows
        if each.reference == reference
    ]
    return row
