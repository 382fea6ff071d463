"""One run on its page, why a seat went where it went, and seats changed by hand in sight of what that does."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import select

from grants.calls import queries as calls
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Invalid, Refused
from grants.core.jobs import Job
from grants.core.paging import Page
from grants.evaluation import queries, services
from grants.evaluation.models import Assignment, AssignmentRun, Evaluator
from grants.evaluation.rules import SEAT_COLUMNS, AdjustInput, EvaluatorInput, PoolSearch, RunInput, WhatIf
from grants.evaluation.rules.adjusting import Tally
from grants.evaluation.states import Deed, SeatState, StandingRule
from grants.identity.models import User
from tests.evaluation.scene import Browser, Scene
from tests.evaluation.test_views import handle, text_of
from tests.factories.identity import bar


def spare_of(scene: Scene) -> tuple[str, str]:
    """Who has a seat on the first application, and who could take it."""
    seated = scene.seats(scene.application_ids[0])
    return seated[0], next(name for name in scene.evaluators if name not in seated)


def test_a_run_is_shown_as_it_was_kept(browser: Browser, seated: Scene) -> None:
    base = f"/calls/{seated.slug}/assignments"

    text = text_of(browser.get("manager", f"{base}/runs/1"))

    row = db.session.scalars(select(AssignmentRun)).one()
    assert row.input_sha256.hex() in text and row.solver in text
    assert "What counts: topics 750, language 250." in text
    # The figures in words, for who never saw a run: worth, proof, the worst served, how the work is shared.
    assert (
        "The 9 seats together are worth" in text and "No other choice of people is worth more: that is proved" in text
    )
    assert "The application served worst has" in text and "Between choices that are equally good" in text
    assert "The work is shared as evenly as it can be: 1 to 2 seats a person." in text
    assert "0 seats were kept, 9 given, 0 taken back." in text
    assert browser.get("manager", f"{base}/runs/2").status_code == 404
    assert browser.get("eva1", f"{base}/runs/1").status_code == 403


def test_a_seat_is_explained_by_the_numbers_of_its_run(browser: Browser, seated: Scene) -> None:
    leaver, _ = spare_of(seated)
    path = f"/calls/{seated.slug}/assignments/{seated.references[0]}/{handle(seated, leaver)}/why"

    text = text_of(browser.get("manager", path))

    row = db.session.scalars(select(AssignmentRun)).one()
    told = row.explanations[str(seated.application_ids[0])][str(seated.evaluator_id(leaver))]
    assert f"fits {told['utility']} of 1000 and is number {told['rank']} of the {told['allowed']} evaluators" in text
    assert sum(points for _, points, _ in told["parts"]) == told["utility"]


def test_a_change_is_shown_before_it_is_stored(
    browser: Browser, seated: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of a pool of hundreds the best stand in sight.
    for module in ("forms.assignments", "rules.adjusting"):
        monkeypatch.setattr(f"grants.evaluation.{module}.BEST_SHOWN", 0)
    first, base = seated.application_ids[0], f"/calls/{seated.slug}/assignments/{seated.references[0]}"
    leaver, spare = spare_of(seated)
    asked = {"deed": "move", "leaving": handle(seated, leaver), "taking": handle(seated, spare)}
    opened = text_of(browser.get("manager", f"{base}/adjust?leaving={handle(seated, leaver)}"))
    assert "2 more, who fit no better than those above" in opened and "people, each with the reason" in opened
    (version,) = re.findall(r'name="version" value="([^"]+)"', opened)

    text = text_of(browser.post("manager", f"{base}/adjust", show="yes", **asked))

    names = [get(User, seated.people[name]).name for name in (leaver, spare)]
    assert f"{names[0]} leaves the seat and {names[1]} takes it." in text
    assert seated.seats(first) == sorted({*seated.seats(first)} - {spare})
    assert text_of(browser.post("manager", f"{base}/adjust", **asked), 422).count("Say why, in a sentence") >= 1
    all_at_once = text_of(browser.post("manager", f"{base}/adjust", deed="move"), 422)
    for sentence in ("Choose a seat that stands.", "Choose who takes the seat.", "Say why, in a sentence"):
        assert sentence in all_at_once
    assert "Choose a seat" not in text_of(browser.post("manager", f"{base}/adjust", show="yes", deed="give"), 422)
    assert browser.post("manager", f"{base}/adjust", reason="Too far away", **asked).status_code == 303
    assert spare in seated.seats(first) and leaver not in seated.seats(first)
    # An older window, whose seat was handed over since: who was faster is said, and what was typed stands.
    late = text_of(browser.post("manager", f"{base}/adjust", reason="Ill", version=version, **asked), 409)
    assert "Somebody else changed the seats since this page was opened" in late and "Ill</textarea>" in late
    assert "Choose one of the answers shown." not in late


def test_a_locked_seat_is_neither_moved_by_hand_nor_by_a_run(seated: Scene) -> None:
    first = seated.application_ids[0]
    leaver, _ = spare_of(seated)
    manager = seated.actor("manager")

    services.adjust(manager, first, AdjustInput(Deed.LOCK, handle(seated, leaver), "", "She knows the town"))
    db.session.rollback()

    shown = queries.adjust_page(seated.actor("manager"), seated.slug, seated.references[0])
    assert shown.locked == {handle(seated, leaver)}
    with pytest.raises(Refused, match="This seat is locked"):
        services.adjust(seated.actor("manager"), first, AdjustInput(Deed.RELEASE, handle(seated, leaver), "", "Again"))
    assert leaver in seated.seats(first)


def test_a_run_again_moves_as_few_seats_as_it_must(seated: Scene) -> None:
    first = seated.application_ids[0]
    leaver, _ = spare_of(seated)
    services.adjust(seated.actor("manager"), first, AdjustInput(Deed.RELEASE, handle(seated, leaver), "", "Ill"))
    values = RunInput("2022", None, standing=StandingRule.MOVABLE)

    services.run(seated.actor("manager"), seated.call_id, values)

    db.session.rollback()
    row = db.session.scalars(select(AssignmentRun).order_by(AssignmentRun.number.desc())).first()
    assert row is not None
    assert (row.difference["run"], row.difference["kept"], row.difference["taken"]) == (1, 8, 0)
    standing = db.session.scalars(select(Assignment).where(Assignment.state == SeatState.ACTIVE.value)).all()
    assert len(standing) == 9


def test_every_way_to_leave_a_seat_asks_the_same_and_tells_who_had_it(seated: Scene) -> None:
    first = seated.application_ids[0]
    leaver, other, _ = seated.seats(first)
    spare = next(name for name in seated.evaluators if name not in seated.seats(first))
    boss = seated.actor("manager")
    services.adjust(boss, first, AdjustInput(Deed.LOCK, handle(seated, leaver), "", "Stays"))
    for leave in (
        lambda: services.adjust(
            boss, first, AdjustInput(Deed.MOVE, handle(seated, leaver), handle(seated, spare), "Ill")
        ),
        lambda: services.adjust(boss, first, AdjustInput(Deed.RELEASE, handle(seated, leaver), "", "Ill")),
    ):
        with pytest.raises(Refused, match="This seat is locked"):
            leave()
    services.adjust(boss, first, AdjustInput(Deed.UNLOCK, handle(seated, leaver), "", "May go"))

    seated.release(leaver, first, "Ill")
    services.adjust(
        boss, first, AdjustInput(Deed.MOVE, handle(seated, other), handle(seated, spare), "Knows it better")
    )

    sent = [job.args for job in db.session.scalars(select(Job).where(Job.name == "jobs.mail.send"))]
    told = [(one["template"], one["user_id"]) for one in sent]
    assert ("assignment_emptied", str(seated.people[leaver])) in told
    assert ("assignment_handed_over", str(seated.people[other])) in told


def refusals(scene: Scene, application_id: UUID, name: str) -> str:
    """All that is told the manager who would give this evaluator one more seat, or take them out; without their name."""
    entry, boss = db.session.get_one(User, scene.people[name]), scene.actor("manager")
    reference = scene.references[scene.application_ids.index(application_id)]
    adjusting = queries.adjust_page(boss, scene.slug, reference)
    told = [reason for member, reason, _ in adjusting.people if member.user_id == entry.id]
    table = [list(SEAT_COLUMNS[:2]), [reference, entry.handle]]
    plan = queries.seat_plan(boss, calls.call_by_id(scene.call_id), table)
    told += [change.words for change in plan.changes if change.handle == entry.handle]
    asked = AdjustInput(Deed.GIVE, "", entry.handle, "Knows it")
    values = EvaluatorInput(entry.id, "FI", ("en",), (), 0, 1)
    sent: tuple[Callable[[], object], ...] = (
        lambda: services.adjust(scene.actor("manager"), application_id, asked),
        lambda: services.pool(scene.actor("manager"), scene.call_id, values),
        lambda: services.remove(scene.actor("manager"), scene.call_id, scene.people[name]),
    )
    for each in sent:
        with pytest.raises((Refused, Invalid)) as refused:
            each()
        told += [str(refused.value), *getattr(refused.value, "problems", {}).values()]
    return "\n".join(told).replace(entry.name, "Somebody").replace(entry.handle, "somebody")


def test_who_adjusts_seats_learns_nothing_of_an_application_shut_to_them(browser: Browser, seated: Scene) -> None:
    held = {name: [one for one in seated.application_ids if name in seated.seats(one)] for name in seated.evaluators}
    # One of the five has one seat alone, and somebody else lacks the same of the two others: who shares the third with them.
    apart = next(name for name, its in held.items() if len(its) == 1)
    first, second = (one for one in seated.application_ids if one not in held[apart])
    hidden = next(name for name, its in held.items() if second not in its and name != apart)
    reference = seated.references[seated.application_ids.index(second)]
    asked = AdjustInput(Deed.RELEASE, handle(seated, seated.seats(second)[0]), "")
    with arranging():
        # One of both is full, and the other has room for one.
        for entry in db.session.scalars(select(Evaluator)):
            entry.load_max = 2
    base = f"/calls/{seated.slug}/assignments/{reference}"
    assert queries.adjust_page(seated.actor("manager"), seated.slug, reference, asked).what_if is not None
    with arranging():
        bar(seated.people["manager"], "application", first)

    manager = seated.actor("manager")
    shown = queries.adjust_page(manager, seated.slug, reference, asked)
    looked = browser.post("manager", f"{base}/adjust", show="yes", deed="release", leaving=asked.leaving)
    told = {line.name: line.load for line in queries.pool_list(manager, seated.call_id, PoolSearch(), Page())[0].items}

    assert {member.name: member.load for member, *_ in shown.people} == told
    assert sum(told.values()) == 6
    assert shown.what_if is None
    assert "The figures of the whole call are not told to you" in text_of(looked)
    # Who sits on what is shut is told by no refusal: whoever might is spoken of and refused in the same words.
    both = {refusals(seated, second, name) for name in (hidden, apart)}
    assert len(both) == 1 and both.pop().count("closed to you") == 4
    why = queries.seat_why(manager, seated.slug, reference, asked.leaving)
    better = [
        {"evaluator": "", "utility": 1, "why": one, "what": [2], "rule": "", "load_max": 3, "cost": [number, 0]}
        for number, one in enumerate(("full", "elsewhere", "minimum", "floor", "open"))
    ]
    assert why.partial and len({words for *_, words in replace(why, told={"better": better}).better}) == 1


@pytest.mark.parametrize("show", [{}, {"show": "yes"}])
def test_nobody_takes_a_seat_with_a_day_that_is_over(browser: Browser, seated: Scene, show: dict[str, str]) -> None:
    leaver, spare = spare_of(seated)
    asked = {"deed": "move", "leaving": handle(seated, leaver), "taking": handle(seated, spare), "reason": "Ill"}
    path = f"/calls/{seated.slug}/assignments/{seated.references[0]}/adjust"

    text = text_of(browser.post("manager", path, due_on="1 January 2020", **asked, **show), 422)

    assert "1 January 2020 is over: whoever takes the seat would be late at once. Choose " in text
    assert "or a later day, or leave it empty." in text and leaver in seated.seats(seated.application_ids[0])
    # The deeds that give nobody a seat take no day.
    locked = browser.post("manager", path, **{**asked, **show, "deed": "lock"}, due_on="1 January 2020")
    assert locked.status_code == (200 if show else 303)


def test_a_seat_whose_own_day_is_over_is_handed_over_with_another_day(seated: Scene) -> None:
    first = seated.application_ids[0]
    leaver, spare = spare_of(seated)
    with arranging():
        for seat in db.session.scalars(select(Assignment).where(Assignment.application_id == first)):
            seat.due_at = datetime(2020, 1, 1, 22, 59, tzinfo=UTC)
    moved = AdjustInput(Deed.MOVE, handle(seated, leaver), handle(seated, spare), "Ill")

    with pytest.raises(Invalid) as refused:
        services.adjust(seated.actor("manager"), first, moved)
    assert "1 January 2020, the day of the seat that is handed over, is over" in refused.value.problems["due_on"]
    assert leaver in seated.seats(first)
    services.adjust(seated.actor("manager"), first, replace(moved, due_at=datetime(2030, 1, 1, 22, 59, tzinfo=UTC)))
    assert spare in seated.seats(first)


def test_the_reason_of_a_change_has_the_limit_of_a_paragraph(browser: Browser, seated: Scene) -> None:
    first = seated.application_ids[0]
    leaver, _ = spare_of(seated)
    path = f"/calls/{seated.slug}/assignments/{seated.references[0]}/adjust"

    text = text_of(browser.post("manager", path, deed="lock", leaving=handle(seated, leaver), reason="x" * 2_001), 422)
    assert "This has 2001 characters; the limit is 2000. Take out 1." in text
    with pytest.raises(Invalid, match="too long"):
        services.adjust(seated.actor("manager"), first, AdjustInput(Deed.LOCK, handle(seated, leaver), "", "x" * 2_001))


def test_figures_of_a_change_are_written_as_others_are() -> None:
    lines = WhatIf("", Tally(130_804, 1, 1, 1, ()), Tally(130_633, 1, 1, 1, ())).lines
    assert lines[0] == ("Total fit", "130\u00a0804", "130\u00a0633", "\u2212171")


def test_the_form_speaks_only_of_what_it_offers(browser: Browser, seated: Scene) -> None:
    base = f"/calls/{seated.slug}/assignments/{seated.references[0]}/adjust"
    leaver, _ = spare_of(seated)
    full = text_of(browser.get("manager", base))
    assert "Not needed to give an empty seat" not in full and "Only to hand a seat over" in full
    lock = text_of(browser.get("manager", f"{base}?leaving={handle(seated, leaver)}&deed=lock"))
    assert "Who takes it" not in lock and "Lock a seat" in lock
    services.adjust(
        seated.actor("manager"), seated.application_ids[0], AdjustInput(Deed.RELEASE, handle(seated, leaver), "", "Ill")
    )
    assert "Not needed to give an empty seat." in text_of(browser.get("manager", base))


def test_a_change_refused_for_want_of_a_reason_keeps_what_it_would_do(browser: Browser, seated: Scene) -> None:
    base = f"/calls/{seated.slug}/assignments/{seated.references[0]}/adjust"
    leaver, spare = spare_of(seated)
    asked = {"deed": "move", "leaving": handle(seated, leaver), "taking": handle(seated, spare)}
    looked = text_of(browser.post("manager", base, show="yes", **asked))
    assert "What this would change" in looked and 'name="looked" value="yes"' in looked

    refused = text_of(browser.post("manager", base, looked="yes", **asked), 422)

    assert "Say why, in a sentence" in refused and "What this would change" in refused
    # Who did not look is shown nothing, and of what cannot be made nothing is told.
    assert "What this would change" not in text_of(browser.post("manager", base, **asked), 422)
    assert "What this would change" not in text_of(browser.post("manager", base, looked="yes", deed="move"), 422)


def test_the_deeds_of_a_seat_stand_apart(browser: Browser, seated: Scene) -> None:
    text = text_of(browser.get("manager", f"/calls/{seated.slug}/assignments"))

    assert re.search(r">Why<span[^>]*>[^<]*</span></a>\s+<a [^>]*>Change<", text)


def test_a_run_writes_its_figures_one_way(browser: Browser, seated: Scene) -> None:
    kept = db.session.scalars(select(AssignmentRun)).one()
    columns = [each.key for each in AssignmentRun.__table__.columns]
    held = {key: getattr(kept, key) for key in columns if key not in ("id", "number", "floor", "created_at", "version")}
    with arranging():
        db.session.add(AssignmentRun(number=2, floor=1837, **held))

    text = text_of(browser.get("manager", f"/calls/{seated.slug}/assignments/runs/2"))

    assert "1\u00a0837" in text and "1837" not in text
