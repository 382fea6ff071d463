"""The reserve list moves up: the next that fits in freed money, with four eyes, once, in the frozen order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from grants.agreements import services as agreements
from grants.applications import queries as applications
from grants.applications.models import Application
from grants.applications.services import tell_outcome
from grants.applications.states import ApplicationState
from grants.awards import queries, services
from grants.awards.models import Selection, SelectionItem, SelectionMove
from grants.awards.queries.letters_work import to_prepare
from grants.awards.ranking import Candidate, Freed, Limits, next_of
from grants.awards.rules import DecisionInput, Override, Plan, ScenarioInput
from grants.awards.states import Outcome, WithheldGround
from grants.calls import services as call_acts
from grants.calls.rules import BudgetInput, ResultsInput, SelectionRules
from grants.core import clock
from grants.core.acts import arranging
from grants.core.audit import AuditEvent
from grants.core.db import db, get
from grants.core.errors import Conflict, Invalid, NotAllowed, Refused
from grants.core.faults import Fault
from grants.core.jobs import Job
from grants.core.money import ZERO, Money, euros
from grants.core.together import alone
from grants.evaluation import queries as evaluation_reads
from grants.evaluation import services as evaluation
from grants.evaluation.models import DetectedConflict
from grants.evaluation.rules import Answered
from grants.evaluation.states import Declared
from grants.identity.models import Organisation
from grants.identity.policy import Role
from grants.identity.queries import actor_for
from tests.awards.publishing import publish, tell_all
from tests.awards.test_portfolio import one
from tests.awards.test_services import reserved, states
from tests.awards.test_views import text_of
from tests.evaluation.scene import CLOSED, Browser, Scene, declares
from tests.factories import identity as people
from tests.worlds import World


def dropped(scene: Scene, number: int) -> None:
    """The preparation of a selected application fails: it is dropped and its money released."""
    with arranging():
        office = people.user("Greta Office", Role.PROGRAMME_MANAGER)
        office_id = office.id
    actor = actor_for(office_id)
    if applications.view(actor_for(scene.leads[number]), scene.references[number]).untold:
        with pytest.raises(Refused, match="letter of decision has not left"):
            agreements.prepare(actor, scene.application_ids[number], starts_on=date(2023, 3, 1))
        tell_all(scene)
    grant = agreements.prepare(actor, scene.application_ids[number], starts_on=date(2023, 3, 1))
    agreements.drop(actor, grant.id, reason="Due diligence failed.")
    db.session.rollback()


@pytest.fixture
def confirmed(scene: Scene, decided_world: World[None]) -> Scene:
    """Applications 0 and 2 are selected with 400,000 each of 1,000,000; application 1 is on the reserve list."""
    return scene


def selection(scene: Scene) -> Any:
    return queries.selection_of(scene.actor("manager"), scene.slug, 1)


def move_up(scene: Scene, name: str = "manager", *, number: int = 1) -> Any:
    view = selection(scene)
    services.decide_move(scene.actor(name), view.id, scene.references[number], "The city declined.")
    return queries.reserve_page(view).moves[-1]


def test_nobody_is_proposed_while_nothing_came_free(confirmed: Scene) -> None:
    shown = queries.reserve_page(selection(confirmed))

    assert (shown.next, shown.available, shown.ended) == (None, ZERO, ())
    with pytest.raises(Refused, match="Nobody of the reserve list fits"):
        move_up(confirmed)


def test_money_that_is_added_to_the_call_moves_up_too_and_is_a_duty_of_who_decides(
    confirmed: Scene, browser: Browser
) -> None:
    def asked() -> list[str]:
        found = queries.duties(confirmed.actor("manager"), CLOSED)
        return [each.why for each in found if each.what.startswith("Look at the reserve list")]

    # Of 1,000,000 the list left 200,000; the next asks for 400,000.
    call_acts.authorise_budget(confirmed.actor("officer"), confirmed.call_id, BudgetInput(euros(1_199_999)))
    assert (asked(), queries.reserve_page(selection(confirmed)).next) == ([], None)
    call_acts.authorise_budget(confirmed.actor("officer"), confirmed.call_id, BudgetInput(euros(1_200_000)))
    came = "Money was added to the call, or a grant took less"
    assert asked() == [f"{came}, and with what the list left it is enough for one that waits."]
    shown = queries.reserve_page(selection(confirmed))
    assert shown.next is not None and (shown.available, shown.added) == (euros(400_000), euros(200_000))
    page = text_of(browser.get("manager", f"/calls/{confirmed.slug}/selections/1"))
    assert "EUR 200 000.00 more is free than this list left" in page.replace("\u00a0", " ")
    move = move_up(confirmed)
    services.confirm_move(confirmed.actor("chair"), move.id)
    assert (asked(), reserved(confirmed)) == ([], euros(1_200_000))
    assert queries.reserve_page(selection(confirmed)).available == ZERO


def test_the_duty_says_which_money_is_enough(scene: Scene, small_world: World[Scene]) -> None:
    """The first gets 100,000 of 600,000 and the third 400,000: 100,000 are left, and the second asks for 400,000."""
    scene.evaluate(((9, 9, 9), (7, 7, 7), (8, 8, 8)))
    call_acts.authorise_budget(scene.actor("officer"), scene.call_id, BudgetInput(euros(600_000)))
    cut = (Override(scene.references[0], amount=euros(100_000), reason="Half of it is paid elsewhere."),)
    shown = queries.ranking_page(scene.actor("manager"), scene.slug, overrides=cut)
    services.decide(scene.actor("manager"), scene.call_id, DecisionInput(shown.list_hash, "As ranked.", overrides=cut))
    services.confirm(scene.actor("chair"), selection(scene).id)

    def why() -> list[str]:
        found = queries.duties(scene.actor("manager"), CLOSED)
        return [each.why for each in found if each.what.startswith("Look at the reserve list")]

    dropped(scene, 0)
    assert why() == []
    call_acts.authorise_budget(scene.actor("officer"), scene.call_id, BudgetInput(euros(800_000)))
    ended = "A selected application ended, money was added to the call or a grant took less"
    assert why() == [f"{ended}, and with what the list left that is enough for one that waits."]


def test_the_next_that_fits_gets_the_freed_money_with_two_people(confirmed: Scene) -> None:
    dropped(confirmed, 0)
    services.leaving_out.leave_out(
        confirmed.actor("manager"), confirmed.application_ids[1], "Reserve: told by telephone."
    )
    (why,) = [each.why for each in queries.duties(confirmed.actor("manager"), CLOSED) if "reserve list" in each.what]
    assert why == "A selected application ended, and its money is enough for one that waits."
    shown = queries.reserve_page(selection(confirmed))
    assert shown.next is not None
    assert (shown.next.application_id, shown.available) == (confirmed.application_ids[1], euros(600_000))

    move = move_up(confirmed)
    assert reserved(confirmed) == euros(400_000)
    with pytest.raises(Refused, match="another person must confirm"):
        services.confirm_move(_as_decider(confirmed), move.id)
    answer = services.confirm_move(confirmed.actor("chair"), move.id)

    assert (answer, reserved(confirmed)) == (euros(400_000), euros(800_000))
    assert states(confirmed) == ["dropped", "selected", "selected"]
    # Who told “reserve list” was not asked to tell this: its letter waits again.
    found: Any = queries.letters.letters_page(confirmed.actor("manager"), confirmed.slug)
    assert confirmed.application_ids[1] in [row.application_id for row in found.waiting]
    why = select(AuditEvent.reason).where(AuditEvent.verb == "selection_move.confirm").distinct()
    assert db.session.scalars(why).all() == [
        "Its letter was left out by name: Reserve: told by telephone. That ends here, so a letter tells the new outcome."
    ]
    # Its team knows that it is on the reserve list, and learns the rest by a letter, whatever is published before.
    publish(confirmed, ResultsInput())
    mailed = select(Job.id).where(Job.args["template"].astext == "selection_selected")
    assert db.session.scalars(mailed).all() == []
    read = applications.view(actor_for(confirmed.leads[1]), confirmed.references[1])
    assert (read.state, read.untold) == (ApplicationState.RESERVE, True)
    assert queries.result(actor_for(confirmed.leads[1]), read.reference, clock.now()).outcome is Outcome.RESERVE
    _, awards, *_ = queries.public.awards(confirmed.actor("manager"), confirmed.slug, clock.now())
    assert [award.title for award in awards] == [applications.view_by_id(confirmed.application_ids[2]).title]
    # Who publishes reads whom that withholds, and why nobody else is told of it.
    (withheld,) = queries.publishing(confirmed.actor("manager"), confirmed.slug).withheld
    assert (withheld.reference, withheld.entry, withheld.since) == (
        confirmed.references[1],
        None,
        get(SelectionMove, move.id).confirmed_at,
    )
    assert (
        withheld.ground.startswith("It moved up from the reserve list")
        and withheld.reason == get(SelectionMove, move.id).reason
    )
    # Its letter would name it to everybody at once: who must not be named is withheld before it leaves.
    key = confirmed.application_ids[1]
    assert key in dict(queries.publishing(confirmed.actor("manager"), confirmed.slug).named)
    services.withholding.withhold(confirmed.actor("manager"), key, WithheldGround.RIGHTS, "The shelter was threatened.")
    with arranging():
        tell_outcome(key)
    _, awards, number, _ = queries.public.awards(confirmed.actor("manager"), confirmed.slug, clock.now())
    assert (len(awards), number) == (1, 1)


def test_what_the_publication_told_stays_told_when_an_application_moves_up(confirmed: Scene) -> None:
    """The publication ends what is untold by the clock alone: no letter told this team that it is on the reserve list."""
    with arranging():
        tell_outcome(confirmed.application_ids[0])
    looked_at = queries.publishing(confirmed.actor("manager"), confirmed.slug)
    assert looked_at.withheld == ()
    publish(confirmed, ResultsInput())
    _, shown, *_ = queries.public.awards(confirmed.actor("manager"), confirmed.slug, clock.now())
    # Number 2 has no letter: who publishes without it reads that it becomes public.
    assert [row.title for row in looked_at.results] == [row.title for row in shown] and len(shown) == 2
    dropped(confirmed, 0)
    _, before, *_ = queries.public.awards(confirmed.actor("manager"), confirmed.slug, clock.now())
    move = move_up(confirmed)
    services.confirm_move(confirmed.actor("chair"), move.id)

    read = applications.view(actor_for(confirmed.leads[1]), confirmed.references[1])
    assert (read.state, read.untold) == (ApplicationState.RESERVE, True)
    assert queries.public.awards(confirmed.actor("manager"), confirmed.slug, clock.now())[1] == before
    # Its letter stands among the tasks.
    assert alone(to_prepare(confirmed.actor("manager")))


def _as_decider(scene: Scene) -> Any:
    """Whoever decided the move, were they allowed to confirm too."""
    chair = scene.actor("chair")
    return replace(chair, user_id=scene.actor("manager").user_id)


def test_freed_money_is_given_on_once(confirmed: Scene) -> None:
    dropped(confirmed, 0)
    move = move_up(confirmed)
    with pytest.raises(Refused, match="waits for a second person"):
        move_up(confirmed)
    services.confirm_move(confirmed.actor("chair"), move.id)

    with pytest.raises(Refused, match="cannot confirm now"):
        services.confirm_move(confirmed.actor("officer"), move.id)
    assert queries.reserve_page(selection(confirmed)).next is None
    items = db.session.scalars(select(SelectionItem).where(SelectionItem.entry_id.is_not(None))).all()
    assert len(items) == 3
    assert reserved(confirmed) == euros(800_000)


def test_a_returned_move_stays_on_the_record_and_may_be_decided_again(confirmed: Scene) -> None:
    dropped(confirmed, 2)
    first = move_up(confirmed)
    with pytest.raises(Invalid):
        services.return_move(confirmed.actor("chair"), first.id, " ")
    services.return_move(confirmed.actor("chair"), first.id, "Ask the city first.")

    second = move_up(confirmed)

    assert [(each.number, each.state.value) for each in queries.reserve_page(selection(confirmed)).moves] == [
        (1, "returned"),
        (2, "decided"),
    ]
    services.confirm_move(confirmed.actor("officer"), second.id)


def test_who_is_next_is_the_programs_word_and_conflicts_keep_out(confirmed: Scene) -> None:
    dropped(confirmed, 0)
    view = selection(confirmed)

    with pytest.raises(Conflict):
        services.decide_move(confirmed.actor("manager"), view.id, confirmed.references[2], "Rather this one.")
    with pytest.raises(NotAllowed):
        services.decide_move(confirmed.actor("officer"), view.id, confirmed.references[1], "I may not.")
    move = move_up(confirmed)
    chair_id = confirmed.actor("chair").user_id
    with arranging():
        people.bar(chair_id, "application", confirmed.application_ids[2])
    with pytest.raises(Refused, match="You have a conflict of interest"):
        services.confirm_move(confirmed.actor("chair"), move.id)


def published(scene: Scene) -> None:
    """The results are public: every bar has ended."""
    publish(scene, ResultsInput(datetime(2022, 12, 1, 10)))


LATER = CLOSED + timedelta(days=60)


@pytest.mark.parametrize("how", ["declared", "in office", "found"])
def test_a_conflict_keeps_out_of_a_move_after_the_bar_has_ended(confirmed: Scene, how: str) -> None:
    published(confirmed)
    dropped(confirmed, 0)
    application_id = confirmed.application_ids[1]
    with clock.at(LATER):
        if how == "declared":
            declares(
                confirmed.actor("chair"), confirmed.call_id, (Answered(application_id, Declared.CONFLICT, "My sister"),)
            )
            with pytest.raises(Refused, match="Only a ruling of the programme manager ends it"):
                declares(confirmed.actor("chair"), confirmed.call_id, (Answered(application_id, Declared.NONE),))
        elif how == "in office":
            evaluation.declare_in_office(confirmed.actor("manager"), application_id, "My sister leads it")
        else:
            with arranging():
                db.session.add(
                    DetectedConflict(
                        user_id=confirmed.people["manager"], application_id=application_id, kind="own_organisation",
                        evidence="Works there", state="confirmed", found_at=CLOSED,
                    )
                )  # fmt: skip
        db.session.rollback()
        who = "chair" if how == "declared" else "manager"
        assert not confirmed.actor(who).barred("application") & {application_id}
        if how == "declared":
            move = move_up(confirmed)
            for deed in (services.confirm_move, partial(services.return_move, reason="Not now.")):
                with pytest.raises(Refused):
                    deed(confirmed.actor("chair"), move.id)
        else:
            with pytest.raises(Refused, match="You have a conflict of interest with an application"):
                move_up(confirmed)
    assert states(confirmed) == ["dropped", "reserve", "selected"]


def test_what_is_on_the_reserve_list_is_looked_at_for_conflicts(confirmed: Scene) -> None:
    assert confirmed.call_id in evaluation_reads.calls_looked_at()
    assert evaluation_reads.look(confirmed.call_id).applications == 1


@pytest.mark.parametrize("fault", ["four_eyes", "ceiling", "audit", "scope"])
def test_no_guard_of_the_move_can_fail_open(confirmed: Scene, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    dropped(confirmed, 0)
    move = move_up(confirmed)
    monkeypatch.setenv("GRANTS_FAULT", fault)

    with pytest.raises(Fault):
        services.confirm_move(confirmed.actor("chair"), move.id)

    monkeypatch.delenv("GRANTS_FAULT")
    assert (reserved(confirmed), states(confirmed)) == (euros(400_000), ["dropped", "reserve", "selected"])


def test_a_move_whose_money_is_gone_is_refused(confirmed: Scene) -> None:
    dropped(confirmed, 0)
    move = move_up(confirmed)
    call_acts.authorise_budget(confirmed.actor("officer"), confirmed.call_id, BudgetInput(euros(700_000)))

    with pytest.raises(Refused, match="changed after this was decided"):
        services.confirm_move(confirmed.actor("chair"), move.id)
    assert reserved(confirmed) == euros(400_000)


def test_the_page_walks_the_whole_move(confirmed: Scene, browser: Browser) -> None:
    dropped(confirmed, 0)
    address = f"/calls/{confirmed.slug}/selections/1"
    assert "Next is rank 3" in text_of(browser.get("manager", address))

    wrong = browser.post("manager", f"{address}/moves", reference="PCP-1", reason="Why")
    assert (wrong.status_code, "Who is next changed" in wrong.text) == (409, True)
    reference = confirmed.references[1]
    assert (
        browser.post("manager", f"{address}/moves", reference=reference, reason="The city declined.").status_code == 303
    )
    assert "Waits for a second person" in text_of(browser.get("chair", address))
    assert browser.post("chair", f"{address}/moves/1/return").status_code == 422
    assert browser.post("chair", f"{address}/moves/1/confirm").status_code == 303
    text = text_of(browser.get("manager", address))
    for words in (
        "Moved up",
        "Declined or dropped since",
        "Reserved when confirmed, EUR",
        "Reserved now, EUR",
        "Left now, EUR",
    ):
        assert words in text, words
    assert browser.post("chair", f"{address}/moves/7/confirm").status_code == 404


def on_reserve_by(scene: Scene, plan: Plan) -> None:
    """A list decided from a scenario and confirmed; what the first got is free again."""
    number = services.save_scenario(scene.actor("manager"), scene.call_id, ScenarioInput("Ours", plan))
    shown = queries.ranking_page(scene.actor("manager"), scene.slug, plan=plan)
    services.decide(scene.actor("manager"), scene.call_id, DecisionInput(shown.list_hash, "Ours", scenario=number))
    services.confirm(scene.actor("chair"), db.session.scalars(select(Selection.id)).one())
    dropped(scene, 0)


def test_no_alphabet_decides_between_tied_ones_of_a_list_with_a_moved_application(scene: Scene) -> None:
    scene.evaluate(((9, 9, 9), (8, 8, 8), (8, 8, 8)))
    on_reserve_by(scene, Plan(overrides=(Override(scene.references[0], rank=1, reason="It stays first."),)))
    call_acts.authorise_budget(scene.actor("officer"), scene.call_id, BudgetInput(euros(700_000)))

    shown = queries.reserve_page(selection(scene))

    # Either of the two fits, both together do not: the panel or a draw decides.
    assert (shown.available, shown.next) == (euros(700_000), None)


def test_a_move_goes_by_the_facts_the_list_was_decided_with(evaluated: Scene) -> None:
    on_reserve_by(evaluated, Plan(SelectionRules(country_max=1), reason="Each country once"))
    before = queries.reserve_page(selection(evaluated)).next
    assert before is not None and before.application_id == evaluated.application_ids[1]
    with arranging():
        holding, waiting = (
            get(Organisation, get(Application, evaluated.application_ids[place]).coordinator_id) for place in (2, 1)
        )
        assert holding.country_code != waiting.country_code
        # Its lead moves to the country that has its one application already.
        waiting.country_code = holding.country_code
    db.session.rollback()

    assert queries.reserve_page(selection(evaluated)).next == before
    row = db.session.scalars(select(Selection)).one()
    assert set(row.rules["facts"]) == {str(key) for key in evaluated.application_ids}


def candidates() -> list[Candidate]:
    return [one(1, 50, "FI"), one(2, 30, "PL"), one(3, 20, "PT")]


def test_a_missing_country_is_filled_before_a_better_rank() -> None:
    first, second, third = candidates()
    holding = (one(7, 40, "PL"),)
    freed = Freed(holding, Money(40), ZERO, ZERO, Money(40))

    by_rule = next_of([second, third], freed, Limits(Money(0), SelectionRules(countries_min=2)))
    by_rank = next_of([first, second, third], freed, Limits(Money(0)))

    assert by_rule is not None and by_rank is not None
    assert by_rule.candidate == third
    assert "at least 2 countries must be reached again" in by_rule.words
    assert by_rank.candidate == second
    assert "passed over: rank 1 asks for EUR 0.10 more than is left of the budget" in by_rank.words


def test_the_next_of_a_tie_says_with_whom_it_shares_its_rank() -> None:
    tied = [one(2, 10, "PL", rank=2), one(3, 10, "PT", rank=2)]

    found = next_of([one(1, 90, "FI"), *tied], Freed((), Money(40), ZERO, ZERO, Money(40)), Limits(Money(0)))

    assert found is not None and found.candidate == tied[0]
    assert (
        "it shares its rank with A-0003, and there is enough for all of them: they come one after the other"
        in found.words
    )
    # A tie that is passed over is no single application.
    wide = [one(1, 30, "FI", rank=1), one(2, 30, "PL", rank=1), one(4, 10, "PT")]
    over = next_of(wide, Freed((), Money(40), ZERO, ZERO, Money(40)), Limits(Money(0)))
    assert over is not None
    assert "passed over: rank 1: the 2 of rank 1 together ask for EUR 0.20 more" in over.words


def test_a_rule_that_is_full_keeps_the_next_out() -> None:
    _, second, third = candidates()
    freed = Freed((one(7, 40, "PL"),), Money(40), ZERO, ZERO, Money(40))

    found = next_of([second, third], freed, Limits(Money(0), SelectionRules(country_max=1)))

    assert found is not None and found.candidate == third
