"""Drawing by lot at the budget line: every order equally likely, the same from the same seed, drawn only when a second person confirms."""

from __future__ import annotations

import hashlib
import os
import random
import re
import subprocess
import sys
from collections import Counter
from copy import deepcopy
from dataclasses import replace
from fractions import Fraction
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from grants.applications.models import Application
from grants.awards import queries, services
from grants.awards.models import RankingRun, Selection
from grants.awards.queries.lists import shown_rows
from grants.awards.queries.sheets import SheetsRead, input_hash, intervals_of
from grants.awards.ranking import RankedList, Scored, drawn_list, line_group, rank, solver
from grants.awards.ranking.variance import Sheet
from grants.awards.rules import Override, Plan, ScenarioInput, read_overrides
from grants.awards.services.confirming import confirm_list
from grants.awards.services.drawing import keep_refused
from grants.awards.states import AdviceKind, Outcome
from grants.calls import queries as calls
from grants.calls import services as call_acts
from grants.calls.models import Call, CallDrawSeed
from grants.calls.rules import (
    SCRIPT,
    Change,
    ChangeKind,
    Draw,
    DrawRules,
    Intervals,
    ResultsInput,
    SelectionRules,
    fixed_problems,
    read_call_file,
    seed_sha256,
)
from grants.calls.rules.writing import call_file
from grants.calls.services.drawing import fix_seed
from grants.core import clock, encoding
from grants.core.acts import arranging
from grants.core.audit import AuditEvent
from grants.core.db import db, get
from grants.core.errors import Invalid, Refused
from grants.core.money import ZERO, Money, euros
from grants.identity.models import Organisation
from tests.awards.publishing import publish
from tests.awards.solving import worked_off
from tests.awards.test_minute import printed
from tests.awards.test_ranking import HORIZON, lists, one
from tests.awards.test_rules_of_selection import said
from tests.awards.test_services import decide, decision, reserved, states
from tests.awards.test_views import text_of
from tests.calls.test_call_files import CALL_2022
from tests.evaluation.scene import CALL, OPENED, Browser, Scene

TIED, NEAR = DrawRules(Fraction(0)), DrawRules(Fraction(1))
SEEDS = 60_000 if os.environ.get("SOAK") == "1" else 1_200


def made_of(scored: list[Scored], rules: Any, budget: Money) -> Any:
    return lambda order, drawn: rank(scored, rules, budget, order, drawn)


def drawn(
    scored: list[Scored], seed: str = "7", *, rules: DrawRules = TIED, by: Any = HORIZON, money: Any = 250
) -> RankedList:
    budget = money if isinstance(money, Money) else euros(money)
    return drawn_list(made_of(scored, by, budget), rules, Plan(draw=Draw(rules, seed)), ())


def test_every_order_of_a_group_is_equally_likely() -> None:
    names = ("A-1", "A-2", "A-3")

    found = Counter(Draw(TIED, str(seed)).order(names) for seed in range(SEEDS))

    expected = SEEDS / 6
    squares = sum((found[order] - expected) ** 2 / expected for order in permutations(names))
    # Chi-squared with five degrees of freedom is above 20.5 once in a thousand; these seeds are always the same.
    assert squares < 20.5


@settings(max_examples=100, deadline=None)
@given(lists(), st.integers(0, 1_000), st.sampled_from((TIED, NEAR, DrawRules(Fraction(5, 2)))), st.randoms())
def test_the_same_seed_gives_the_same_list_in_any_order(
    case: Any, seed: int, rules: DrawRules, chance: random.Random
) -> None:
    scored, by, budget = case
    found = drawn(scored, str(seed), rules=rules, by=by, money=budget)
    chance.shuffle(scored)

    assert drawn(scored, str(seed), rules=rules, by=by, money=budget) == found
    assert found.used <= budget
    before = rank(scored, by, budget)
    group = {row.reference for row in line_group(before, rules, Plan())}
    assert set(found.drawn) == group
    # Whoever is not drawn keeps the place of before.
    assert [row.reference for row in found.rows if row.reference not in group] == [
        row.reference for row in before.rows if row.reference not in group
    ]
    assert [row.reference for row in found.rows if row.reference in group] == list(found.drawn)


def test_tied_ones_are_drawn_and_the_panel_has_no_part_in_it() -> None:
    scored = [one(number, (8, 8, 8)) for number in range(4)] + [one(9, (9, 9, 9))]
    panel = [each.application_id for each in scored]

    found = drawn(scored, money=300)

    assert [row.rank for row in found.rows] == [1, 2, 3, 4, 5]
    assert [row.outcome for row in found.rows] == [Outcome.SELECTED] * 3 + [Outcome.RESERVE] * 2
    assert found.drawn == Draw(TIED, "7").order(each.reference for each in scored[:4])
    assert found.rows[1].rule_words == "Drawn by lot: place 1 of 4 at the line."
    assert "they were drawn by lot" in found.rows[1].tie_sentences[0]
    plan = Plan(draw=Draw(TIED, "7"))
    assert drawn_list(made_of(scored, HORIZON, euros(300)), TIED, plan, panel) == found
    # Before the draw nobody of the group is selected, and the page says who will be drawn.
    before = drawn_list(made_of(scored, HORIZON, euros(300)), TIED, Plan(), panel)
    assert [row.outcome for row in before.rows[1:]] == [Outcome.RESERVE] * 4
    assert not before.undecided_ties
    assert before.line_words == (
        "Budget line: 1 selected, EUR 200.00 left of EUR 300.00. 4 applications at the line are put in order by lot when the "
        "list is confirmed, and 2 of them will be selected: EUR 200.00 is left, and each asks for EUR 100.00."
    )
    assert {row.line_said for row in shown_rows(before, {}, {}, {})[1:]} == {"Straddles the line with 3 others."}
    uneven = [replace(each, requested=euros(100 + at)) for at, each in enumerate(scored)]
    told = drawn_list(made_of(uneven, HORIZON, euros(300)), TIED, Plan(), panel).draw_words
    assert told.endswith("when the list is confirmed: EUR 196.00 is left for them.")


def test_what_is_moved_by_hand_is_not_what_the_group_is_found_by() -> None:
    scored = [one(1, (9, 9, 9)), *(one(number, (8, 8, 8)) for number in (2, 3, 4)), one(5, (5, 5, 5))]
    found = rank(scored, HORIZON, euros(150))
    short = next(row for row in found.rows if row.straddles)

    group = line_group(found, NEAR, Plan(overrides=(Override(short.reference, rank=2, reason="x"),)))
    assert {row.reference for row in group} == {row.reference for row in found.rows[1:4]} - {short.reference}


def test_one_alone_and_a_list_that_fits_are_not_drawn() -> None:
    scored = [one(1, (9, 9, 9)), one(2, (8, 8, 8))]

    assert drawn(scored, money=200).drawn == drawn(scored, money=150).drawn == ()


def test_anybody_draws_again_with_the_published_program() -> None:
    names = ("A-1", "A-2", "A-3")

    answer = subprocess.run([sys.executable, "-c", SCRIPT, "7", *names], capture_output=True, text=True, check=True)

    assert answer.stdout.split("\n")[0] == f"SHA-256 of the seed: {seed_sha256('7')}"
    assert tuple(answer.stdout.split("\n")[1:4]) == Draw(TIED, "7").order(names)


def test_a_call_file_says_it_and_is_written_back() -> None:
    given_file = CALL_2022.replace("\nevaluation:\n", "\nevaluation:\n  draw: {within: 0.5}\n", 1)
    read = read_call_file(given_file)

    assert read.value("evaluation.draw") == DrawRules(Fraction(1, 2))
    assert read_call_file(call_file(read.fields, (), (), "Europe/Brussels")).value("evaluation.draw") == DrawRules(
        Fraction(1, 2)
    )
    assert read_call_file(CALL_2022).value("evaluation.draw") is None
    assert "within 0.5 point of" in " ".join(DrawRules(Fraction(1, 2)).sentences)


@pytest.fixture
def drawing(evaluated: Scene) -> Scene:
    """All three applications lie within a point of each other, and two fit: all three are drawn."""
    return draws(evaluated)


def draws(evaluated: Scene, seed: str = "") -> Scene:
    """The call draws by lot, from a seed of its own or from this one."""
    with arranging():
        if seed:
            db.session.add(CallDrawSeed(call_id=evaluated.call_id, seed=seed, seed_sha256=seed_sha256(seed)))
        row = get(Call, evaluated.call_id)
        content: Any = deepcopy(row.content)
        content["fields"]["evaluation.draw"] = {
            **content["fields"]["evaluation.criteria"], "value": encoding.encode(NEAR),
        }  # fmt: skip
        row.content = content
        fix_seed(row.id, NEAR)
        fix_seed(row.id, NEAR)
    db.session.rollback()
    return evaluated


def test_the_decision_draws_and_two_people_stand_behind_it(drawing: Scene, browser: Browser) -> None:
    seed, path = calls.draw_seed(drawing.call_id), f"/calls/{drawing.slug}"
    before = queries.ranking_page(drawing.actor("manager"), drawing.slug)
    for page in (f"{path}/ranking", path, f"{path}/decision"):
        text = text_of(browser.get("manager", page))
        assert seed_sha256(seed) in text and seed not in text, page
    assert all(
        row.rule_words == "One of 3 at the line that are drawn by lot when the list is confirmed."
        for row in before.rows
    )

    # Returned and decided again: neither of the two knows the seed, nor the order.
    first = decide(drawing)
    told = text_of(browser.get("chair", f"{path}/selections/1"))
    assert (
        "Confirming draws the group at the line by lot" in told and "until then nobody reads the seed" in told.lower()
    )
    services.return_list(drawing.actor("chair"), first, "Another reserve list.")
    assert "returned before anything was drawn" in text_of(browser.get("manager", f"{path}/selections/1"))
    selection_id = decide(drawing)
    signed = get(Selection, selection_id).list_sha256.hex()
    for page in (f"{path}/ranking", f"{path}/selections/1", f"{path}/selections/2", f"{path}/scenarios"):
        text = text_of(browser.get("manager", page))
        assert seed not in text and "Drawn by lot:" not in text, page
    kept = db.session.connection().exec_driver_sql("SELECT string_agg(selection::text, ' ') FROM selection").scalar()
    assert seed not in str(kept)

    assert services.confirm(drawing.actor("chair"), selection_id) == reserved(drawing) == euros(800_000)
    shown = queries.ranking_page(drawing.actor("manager"), drawing.slug)
    order = Draw(NEAR, seed).order(drawing.references)
    assert [row.reference for row in shown.rows] == list(order) and shown.used == euros(800_000)
    assert states(drawing) == ["selected" if ref in order[:2] else "reserve" for ref in drawing.references]
    # The list both signed stays: its hash beside that of the drawn one, its rows as they were decided.
    view = queries.selection_of(drawing.actor("chair"), drawing.slug, 2)
    assert view.signed_hash == signed != view.list_hash
    asked = "SELECT count(*) FROM superseded_row WHERE table_name IN ('selection', 'selection_item')"
    assert db.session.connection().exec_driver_sql(asked).scalar() == 4
    for table in ("selection", "selection_item"):
        with pytest.raises(DBAPIError, match="was written once"), arranging():
            db.session.connection().exec_driver_sql(f"UPDATE {table} SET undrawn = true WHERE NOT undrawn")
        db.session.rollback()

    for told in (text_of(browser.get("manager", f"{path}/selections/2")), printed(drawing, 2)):
        plain = told.replace(" ", "")
        assert seed in plain and all(reference in plain for reference in drawing.references)
        assert "Drawn by lot: place 3 of 3 at the line." in told
    assert browser.get("eva1", f"{path}/awards").status_code == 404
    publish(drawing, ResultsInput())
    public = text_of(browser.get("eva1", f"{path}/awards"))
    assert seed in public and seed_sha256(seed) in public
    assert re.search(".*".join(Draw(NEAR, seed).order(drawing.references)), public, re.DOTALL)


def test_a_draw_that_is_refused_stays_on_the_record_and_the_next_list_says_why_it_is_decided(
    evaluated: Scene, monkeypatch: pytest.MonkeyPatch, browser: Browser
) -> None:
    ranked = tuple(row.reference for row in queries.ranking_page(evaluated.actor("manager"), evaluated.slug).rows)
    # A seed that puts them in another order than their scores: another question than that of before the draw.
    seed = next(each for each in "123456789" if Draw(NEAR, each).order(ranked) != ranked)
    drawing = draws(evaluated, seed)
    said(drawing, SelectionRules(countries_min=2))
    *first, last = Draw(NEAR, seed).order(ranked)
    with arranging():
        for row in db.session.scalars(select(Application)):
            # The two that are drawn first lead from one country, so that only a solver can say who is selected.
            get(Organisation, row.coordinator_id).country_code = "FI" if row.reference in first else "PT"
    services.request_solve(drawing.actor("manager"), drawing.call_id)
    worked_off()
    selection_id = decide(drawing)

    with monkeypatch.context() as short:
        short.setattr(solver, "SECONDS_MAX", 0.0)
        with pytest.raises(Refused, match=r"does not keep every rule it was decided by.*return the list") as refused:
            services.confirm(drawing.actor("chair"), selection_id)
    assert "countries" not in str(refused.value)
    # It is never tried again, whatever a solver says then, and kept once.
    with pytest.raises(Refused, match="A draw was refused"):
        confirm_list(drawing.actor("chair"), selection_id)
    keep_refused(drawing.actor("chair"), selection_id)
    db.session.rollback()
    kept = get(Selection, selection_id)
    assert (kept.undrawn, kept.draw_refused_by, reserved(drawing)) == (True, drawing.people["chair"], ZERO)
    told = db.session.scalars(select(AuditEvent).where(AuditEvent.verb == "selection.refuse_draw")).all()
    assert [each.object_id for each in told] == [selection_id, selection_id]
    assert all(kept.list_sha256.hex() in str(each.reason) for each in told)
    for change in ("draw_refused_by = NULL, draw_refused_at = NULL", "undrawn = false", "state = 'confirmed'"):
        with pytest.raises(DBAPIError), arranging():
            db.session.connection().exec_driver_sql(f"UPDATE selection SET {change}")
        db.session.rollback()
    path = f"/calls/{drawing.slug}"
    page = text_of(browser.get("chair", f"{path}/selections/1"))
    assert "A draw was refused on" in page and "Confirm the list" not in page

    services.return_list(drawing.actor("chair"), selection_id, "Its draw was refused.")
    with pytest.raises(Invalid) as missing:
        decide(drawing)
    assert set(missing.value.problems) == {"redrawn"}
    page = text_of(browser.get("manager", f"{path}/decision"))
    assert "A draw was refused on" in page and "Why is it decided by these rules after a draw was refused?" in page
    given = replace(decision(drawing), redrawn="The machine was too slow; the rules are those of the call.")
    services.decide(drawing.actor("manager"), drawing.call_id, given)
    selection_id = queries.selections(drawing.call_id)[0].id
    services.confirm(drawing.actor("chair"), selection_id)
    minute = printed(drawing, 2)
    assert "A draw of list 1" in minute and "The machine was too slow" in minute
    selected = [ref for ref, state in zip(drawing.references, states(drawing), strict=True) if state == "selected"]
    assert set(selected) == {first[0], last}


def test_what_was_compared_is_drawn_from_the_same_seed_and_a_conflicted_reader_sees_no_order(drawing: Scene) -> None:
    services.confirm(drawing.actor("chair"), decide(drawing))
    page = queries.scenarios_page(drawing.actor("manager"), drawing.slug)
    assert [row.reference for row in page.rows] == list(
        Draw(NEAR, calls.draw_seed(drawing.call_id)).order(drawing.references)
    )

    kept_away = replace(drawing.actor("auditor"), bars=frozenset({("application", drawing.application_ids[1])}))
    assert queries.ranking_page(kept_away, drawing.slug).drawing == ()


def test_nobody_is_taken_out_of_the_lot_by_a_place_of_the_own_list_or_of_a_scenario(
    drawing: Scene, browser: Browser
) -> None:
    page, line = f"/calls/{drawing.slug}/decision", f"{drawing.references[2]}; 1; ; ; The panel wants it"
    text = text_of(browser.get("manager", page))
    assert "Place stays empty in this call. Another amount needs its reason." in text

    own = text_of(browser.get("manager", f"/calls/{drawing.slug}/scenarios"))
    assert "Place stays empty in this call." in own and "Parts may stay empty" not in own

    given = replace(decision(drawing), overrides=read_overrides(line))
    with pytest.raises(Invalid) as refused:
        services.decide(drawing.actor("manager"), drawing.call_id, given)
    assert "nobody is moved to a place by hand" in refused.value.problems["overrides"]
    with pytest.raises(Invalid):
        plan = Plan(overrides=given.overrides)
        services.save_scenario(drawing.actor("manager"), drawing.call_id, ScenarioInput("Ours", plan))


def test_a_call_without_a_seed_decides_nothing_by_lot(evaluated: Scene) -> None:
    with arranging():
        content: Any = deepcopy(get(Call, evaluated.call_id).content)
        content["fields"]["evaluation.draw"] = {
            **content["fields"]["evaluation.criteria"], "value": encoding.encode(NEAR),
        }  # fmt: skip
        get(Call, evaluated.call_id).content = content
    db.session.rollback()

    with pytest.raises(AssertionError, match="makes its seed"):
        services.decide(evaluated.actor("manager"), evaluated.call_id, decision(evaluated))


def test_a_seed_stands(drawing: Scene) -> None:
    for statement in ("UPDATE call_draw_seed SET seed = 'x'", "DELETE FROM call_draw_seed"):
        with pytest.raises(DBAPIError), arranging():
            db.session.connection().exec_driver_sql(statement)
        db.session.rollback()


def test_a_call_that_draws_has_its_seed_from_its_publication_on(scene: Scene) -> None:
    file = CALL.replace("SMALL-2022", "LOTS-2022") + "evaluation:\n  draw: {within: 0}\n"
    manager = scene.actor("manager")
    with clock.at(OPENED):
        made = call_acts.import_call(manager, file)
        call_acts.apply_template(manager, made.id)
        assert calls.draw_sha256(made.id) == ""
        call_acts.publish(manager, made.id)

    assert calls.draw_sha256(made.id) == seed_sha256(calls.draw_seed(made.id))
    change = Change("evaluation.draw", "Drawing by lot at the line", ChangeKind.CHANGED)
    assert fixed_problems([change], opened=False) == ()
    assert len(fixed_problems([change], opened=True)) == 1


# --- by rank intervals ----------------------------------------------------------------------------------------------

CROSSING = DrawRules(Fraction(0), intervals=True)


def oracle(found: RankedList, each: dict[str, tuple[int, int]]) -> set[str]:
    """Who crosses the line, asked of the ranks one by one; who shares a rank with one of them is drawn too."""
    above = 0
    for row in found.rows:
        if row.straddles:
            break
        above += 1
    else:
        return set()
    sure = [row for row in found.rows if row.rank is not None]
    if all(row.outcome is Outcome.SELECTED for row in sure[above:]):
        return set()
    above = next(at for at, row in enumerate(found.rows) if at >= above and row.outcome is not Outcome.SELECTED)
    if found.rows[above].rank is None:
        return set()
    held = {ref for ref, (low, high) in each.items() if {above, above + 1} <= set(range(low, high + 1))}
    group = {row.reference for row in sure if any(other.rank == row.rank and other.reference in held for other in sure)}
    return group if len(group) > 1 else set()


@settings(max_examples=200, deadline=None)
@given(lists(), st.integers(0, 1_000), st.data())
def test_who_crosses_the_line_is_drawn_and_everybody_else_keeps_their_place(case: Any, seed: int, data: Any) -> None:
    scored, by, budget = case
    ranks = st.integers(1, max(1, len(scored)))
    each = {one.reference: tuple(sorted(data.draw(st.tuples(ranks, ranks)))) for one in scored}
    held = Intervals(1, "00", tuple(sorted((ref, low, high) for ref, (low, high) in each.items())))
    before = rank(scored, by, budget)
    plan = Plan(draw=Draw(CROSSING, str(seed)), intervals=held)

    found = drawn_list(made_of(scored, by, budget), CROSSING, plan, ())

    group = oracle(before, each)
    assert set(found.drawn) == group and found.intervals == held and found.used <= budget
    # By hand: the lowest hash takes the best place the group has, and nobody else moves.
    tickets = sorted(group, key=lambda ref: hashlib.sha256(f"{seed}:{ref}".encode()).hexdigest())
    wanted = [tickets.pop(0) if row.reference in group else row.reference for row in before.rows]
    assert [row.reference for row in found.rows] == wanted
    chance = random.Random(seed)
    chance.shuffle(scored)
    assert drawn_list(made_of(scored, by, budget), CROSSING, plan, ()) == found


def test_where_the_method_gives_no_intervals_only_tied_ones_are_drawn_and_the_list_says_so() -> None:
    scored = [one(1, (9, 9, 9)), one(2, (8, 8, 8)), one(3, (8, 8, 8)), one(4, (7, 7, 7))]
    plan = Plan(draw=Draw(CROSSING, "7"), intervals=Intervals(why_not="run 1 of the advice says why"))

    found = drawn_list(made_of(scored, HORIZON, euros(250)), CROSSING, plan, ())

    assert set(found.drawn) == {scored[1].reference, scored[2].reference}
    assert plan.sentences[-1] == (
        "The method gives no rank intervals (run 1 of the advice says why), so only tied applications are drawn."
    )
    # Of two whose intervals cross, those between them keep their place, whoever is drawn first.
    some = Intervals(1, "00", tuple((scored[at].reference, low, 4) for at, low in ((0, 1), (1, 2), (2, 2), (3, 1))))
    first, last = Draw(CROSSING, "7").order((scored[0].reference, scored[3].reference))
    by_intervals = drawn_list(made_of(scored, HORIZON, euros(150)), CROSSING, replace(plan, intervals=some), ())
    assert by_intervals.drawn == (first, last)
    assert [row.reference for row in by_intervals.rows] == [first, scored[1].reference, scored[2].reference, last]


def test_intervals_are_those_of_a_whole_run_of_the_sheets_as_they_are() -> None:
    key, other = UUID(int=1), UUID(int=2)
    read = SheetsRead((Sheet(str(key), "e", 1.0),), ())
    run = RankingRun(
        number=3, kind=AdviceKind.FULL.value, settings={"places": 1}, input_sha256=input_hash(read, {"places": 1}),
        result={"rows": [{"id": str(key), "half": [1, 2]}]},
    )  # fmt: skip
    assert intervals_of(run, read, {key: "A-1"}) == Intervals(3, run.input_sha256.hex(), (("A-1", 1, 2),))
    # One of the list has none; a run of less; a sheet that came since; no run at all.
    assert intervals_of(run, read, {key: "A-1", other: "A-2"}).why_not == "run 3 of the advice says why"
    run.kind = next(each for each in AdviceKind if each is not AdviceKind.FULL).value
    assert not intervals_of(run, read, {key: "A-1"}).missing and not intervals_of(run, read, {key: "A-1"}).each
    assert intervals_of(run, replace(read, incomplete=("A-2",)), {key: "A-1"}).missing
    assert intervals_of(None, read, {key: "A-1"}).missing


def test_a_call_that_draws_by_intervals_says_so_and_takes_no_points_beside_them() -> None:
    given_file = CALL_2022.replace("\nevaluation:\n", "\nevaluation:\n  draw: {within: 0, intervals: true}\n", 1)
    read = read_call_file(given_file)
    assert read.value("evaluation.draw") == CROSSING
    assert read_call_file(call_file(read.fields, (), (), "Europe/Brussels")).value("evaluation.draw") == CROSSING
    assert "whose 50 % rank interval crosses the line" in CROSSING.sentences[0]


@pytest.fixture
def by_intervals(evaluated: Scene) -> Scene:
    """The call draws by rank intervals."""
    draws(evaluated)
    with arranging():
        row = get(Call, evaluated.call_id)
        content: Any = deepcopy(row.content)
        content["fields"]["evaluation.draw"]["value"] = encoding.encode(CROSSING)
        row.content = content
    db.session.rollback()
    return evaluated


def test_a_list_that_is_drawn_by_intervals_waits_for_them_and_keeps_those_it_was_decided_by(
    by_intervals: Scene, browser: Browser
) -> None:
    with pytest.raises(Refused, match="advice was not worked out from the score sheets as they are"):
        decide(by_intervals)
    number = services.advise(by_intervals.actor("chair"), by_intervals.call_id, 2)
    selection_id = decide(by_intervals)
    plan = queries.plan_of(get(Selection, selection_id))
    assert plan.intervals is not None and plan.intervals.run == number and not plan.intervals.missing
    assert plan.intervals.input_sha256 == db.session.scalars(select(RankingRun)).one().input_sha256.hex()
    text = text_of(browser.get("manager", f"/calls/{by_intervals.slug}/selections/1"))
    assert plan.intervals.words in text
    services.confirm(by_intervals.actor("chair"), selection_id)
    # Whatever a later run says, the list stands by the intervals it was decided by.
    assert queries.plan_of(get(Selection, selection_id)).intervals == plan.intervals
    assert plan.intervals.why_not == "run 1 of the advice says why", "too few sheets: the method abstains"


def whole_run(scene: Scene, number: int, halves: dict[str, tuple[int, int]]) -> None:
    """A run of the advice of the sheets as they are, with these intervals."""
    with arranging():
        read, made = queries.sheets_read(calls.call_by_id(scene.call_id)), {"places": 2, "run": number}
        ids = dict(zip(scene.references, scene.application_ids, strict=True))
        db.session.add(
            RankingRun(
                call_id=scene.call_id, number=number, kind=AdviceKind.FULL.value, reason="", places=2, settings=made,
                input_sha256=input_hash(read, made), applications=3, evaluators=5, sheets=9, milliseconds=1, versions={},
                result={"rows": [{"id": str(ids[ref]), "half": list(pair)} for ref, pair in halves.items()]},
            )
        )  # fmt: skip


def test_a_list_is_drawn_by_the_intervals_of_its_decision_whatever_a_later_run_says(by_intervals: Scene) -> None:
    ranked = [row.reference for row in queries.ranking_page(by_intervals.actor("manager"), by_intervals.slug).rows]
    whole_run(by_intervals, 1, dict(zip(ranked, ((1, 3), (1, 2), (2, 3)), strict=True)))
    selection_id = decide(by_intervals)
    whole_run(by_intervals, 2, dict(zip(ranked, ((1, 1), (2, 3), (2, 3)), strict=True)))

    services.confirm(by_intervals.actor("chair"), selection_id)

    # Two fit: first and third cross the line after the second place; the second, whose interval does not, keeps it.
    plan, found = queries.drawn_again(calls.call_by_id(by_intervals.call_id), selection_id)
    assert plan.intervals is not None and plan.intervals.run == 1 and plan.draw is not None
    first, last = plan.draw.order((ranked[0], ranked[2]))
    assert plan.draw.drawn == found.drawn == (first, last)
    shown = queries.ranking_page(by_intervals.actor("manager"), by_intervals.slug).rows
    assert [row.reference for row in shown] == [first, ranked[1], last]
    assert [row.outcome for row in shown][:2] == [Outcome.SELECTED] * 2


def test_a_confirmed_list_is_drawn_again_from_what_is_kept_with_it(drawing: Scene) -> None:
    selection_id = decide(drawing)
    services.confirm(drawing.actor("chair"), selection_id)
    call = calls.call(drawing.actor("manager"), drawing.slug)
    plan, found = queries.drawn_again(call, selection_id)
    assert plan.draw is not None and found.drawn == plan.draw.drawn == Draw(NEAR, plan.draw.seed).order(
        drawing.references
    )
