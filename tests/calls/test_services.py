"""Acts on calls: the real file, the template, publication, the deadline that moves, the budget in the ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from grants.calls import queries, services
from grants.calls.models import Call, CallDeadline, CallDocument
from grants.calls.rules import BudgetInput, DeadlineInput, DocumentInput, timeline
from grants.calls.states import CallState, Phase
from grants.core import clock, jobs
from grants.core.acts import arranging
from grants.core.audit import AuditEvent
from grants.core.db import db, get
from grants.core.errors import Conflict, Invalid, NotAllowed, NotFound, Problems, Refused
from grants.core.money import euros
from grants.ledger import queries as ledger
from grants.ledger.accounts import Account
from grants.programmes import queries as programmes
from grants.programmes.models import Programme
from tests import actors
from tests.calls import scene

pytestmark = pytest.mark.usefixtures("app")

LATER = DeadlineInput(datetime(2027, 3, 22, 12, 0), "The server was down for a day.", "One week more for everybody.")


def count(model: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


# --- import -------------------------------------------------------------------------------------------------------


def test_the_real_call_of_2022_comes_in_as_it_is() -> None:
    done = scene.imported()

    call = queries.call_by_id(done.id)
    assert (call.reference, call.slug, call.year, call.state) == (
        "PCP-2022-C-0001",
        "open-call-for-pilot-cities-2022",
        2022,
        CallState.DRAFT,
    )
    assert call.total == euros(32_000_000)
    assert [(each.code, each.amount) for each in call.content.envelopes] == [
        ("S", euros(500_000)),
        ("M", euros(1_000_000)),
        ("L", euros(1_500_000)),
    ]
    assert call.fund_source.title == "NetZeroCities, Horizon 2020 grant 101036519"
    assert call.content.duration_months == 24
    assert [document.label for document in call.documents] == ["1.1", "1.0"]
    assert len(call.documents[0].changes) == 7


def test_the_real_extension_is_kept_with_its_words_and_reason() -> None:
    call = queries.call_by_id(scene.imported().id)

    assert [(line.number, line.literal, line.closes_at) for line in call.deadlines] == [
        (1, "4 November 2022, 23.59 CET", datetime(2022, 11, 4, 22, 59, tzinfo=UTC)),
        (2, "15 November 2022, 12:00 p.m. CET", datetime(2022, 11, 15, 11, 0, tzinfo=UTC)),
    ]
    assert call.deadlines[1].reason == "high demand and submission difficulties"
    assert call.closes_at == datetime(2022, 11, 15, 11, 0, tzinfo=UTC)


def test_what_is_known_and_left_out_is_said() -> None:
    done = scene.imported()

    assert done.notes[0].startswith("“outcome” was left out")
    assert done.notes[1].startswith("“later_calls” was left out")
    assert done.notes[-1].startswith("22 values were not found: Opening hour,")


def test_the_results_day_of_a_file_is_a_fact_and_publishes_nothing() -> None:
    call = queries.call_by_id(scene.imported().id)

    assert call.results_public_at is None
    assert call.fact("dates.results_actual").text == "1 March 2023"
    assert ("Results made public", "1 March 2023") in [
        (title, when) for _, title, when, _ in timeline(call, datetime(2023, 4, 1, tzinfo=UTC))
    ]


def test_a_call_comes_in_once() -> None:
    scene.imported()

    with pytest.raises(Problems, match="NZC-H2020-202209 is here already as PCP-2022-C-0001"):
        services.import_call(actors.ingrid(), scene.CALL_2022)
    assert count(Call) == 1


def test_a_file_with_problems_leaves_nothing() -> None:
    with pytest.raises(Problems):
        services.import_call(actors.ingrid(), scene.CALL_2022.replace("total: {value: 32000000", "total: {value: much"))

    assert (count(Call), count(CallDeadline), count(CallDocument)) == (0, 0, 0)
    assert count(Programme) == 0


def test_only_who_may_import_imports() -> None:
    with pytest.raises(NotAllowed):
        services.import_call(actors.ana(), scene.CALL_2022)


def test_two_calls_with_one_title_get_two_addresses() -> None:
    scene.imported(scene.SMALL)
    second = scene.imported(scene.SMALL.replace("SMALL-2027", "OTHER-2027"))

    assert (second.slug, second.reference) == ("small-towns-try-out-2027-2", "PCP-2027-C-0002")


def test_an_unknown_programme_is_refused_and_a_new_parent_grant_is_learnt() -> None:
    scene.imported(scene.SMALL)

    with pytest.raises(Refused, match="no programme with the code XYZ"):
        services.import_call(actors.ingrid(), scene.CALL_2022, programme_code="XYZ")
    assert [source.number for source in programmes.fund_sources()] == ["999000999"]


# --- template and publication -------------------------------------------------------------------------------------


def test_the_template_fills_only_what_was_not_found() -> None:
    draft = scene.imported()
    before = queries.call_by_id(draft.id)

    done = services.apply_template(actors.ingrid(), draft.id)
    after = queries.call_by_id(draft.id)

    assert done.notes == ("31 values now come from the Horizon-like template.",)
    assert len(after.content.synthetic) == 31
    found = {fact.key: fact for fact in before.facts if not fact.absent}
    assert {key: after.fact(key) for key in found} == found
    assert after.missing == ()


def test_the_template_brings_the_rules_of_the_reference() -> None:
    content = queries.call_by_id(scene.filled().id).content

    assert [(each.key, each.threshold_half, each.weight) for each in content.criteria] == [
        ("excellence", 6, 1),
        ("impact", 6, 1),
        ("implementation", 6, 1),
    ]
    assert (content.scale.max_half, content.scale.step_half, content.total_threshold_half) == (10, 1, 20)
    assert content.tie_order == ("excellence", "impact", "implementation")
    assert content.evaluators_per_application == 3
    assert (content.budget_rules.flat_rate, content.budget_rules.funding_rate) == (Fraction(1, 4), 1)
    assert [each.code for each in content.budget_rules.categories] == ["A", "B", "C1", "C2", "C3", "D", "E"]
    assert [each.code for each in content.budget_rules.categories if not each.in_flat_rate_base] == ["B", "D"]
    plan = content.payment_plan
    assert (plan.prefinancing_percent, plan.interim_ceiling_percent, plan.retention_percent) == (40, 90, 0)
    assert content.language == "en"


def test_every_question_says_how_long_and_most_feed_a_criterion() -> None:
    content = queries.call_by_id(scene.filled().id).content
    questions = [question for section in content.definition.sections for question in section.questions]

    assert [question.key for question in questions if question.kind.value == "long" and not question.words_max] == []
    assert {question.criterion for question in questions} == {None, "excellence", "impact", "implementation"}
    assert len({section.step for section in content.definition.sections}) == 4


def test_the_template_is_applied_to_drafts_once() -> None:
    draft = scene.filled()
    with pytest.raises(Refused, match="Nothing was missing"):
        services.apply_template(actors.ingrid(), draft.id)

    services.publish(actors.ingrid(), draft.id)
    with pytest.raises(Refused, match="This call is published"):
        services.apply_template(actors.ingrid(), draft.id)


def test_an_unknown_template_is_refused() -> None:
    draft = scene.imported()

    with pytest.raises(Invalid, match="no template “mine”"):
        services.apply_template(actors.ingrid(), draft.id, "mine")


def test_a_stale_page_does_not_change_the_call() -> None:
    draft = scene.imported()

    with pytest.raises(Conflict):
        services.apply_template(actors.ingrid(), draft.id, version=99)


def test_publishing_is_refused_with_everything_that_is_missing() -> None:
    draft = scene.imported()

    with pytest.raises(Problems) as refused:
        services.publish(actors.ingrid(), draft.id)

    assert [problem.place for problem in refused.value.found] == [
        "Opening hour",
        "How award amounts bind",
        "Flat rate for indirect costs",
        "Budget categories",
        "Language",
        "Files to attach",
        "Application form",
        "Award criteria",
        "Scale",
        "Weights",
        "Thresholds",
        "Order for ties",
        "Evaluators for each application",
        "Pre-financing",
        "Most before the balance",
        "Held back",
        "Instalments",
        "Time limits in days",
        "Milestones every pilot has",
        "Activities that are paid",
        "How the exact amount is found",
        "Most for one recipient",
    ]
    assert queries.call_by_id(draft.id).state is CallState.DRAFT


def test_a_published_call_is_open_by_the_clock_alone() -> None:
    call = queries.call_by_id(scene.published().id)

    assert call.phase(datetime(2022, 9, 4, 21, 59, tzinfo=UTC)) is Phase.UPCOMING
    assert call.phase(datetime(2022, 9, 4, 22, 0, tzinfo=UTC)) is Phase.OPEN
    assert call.is_open(datetime(2022, 11, 15, 10, 59, 59, tzinfo=UTC))
    assert call.phase(datetime(2022, 11, 15, 11, 0, tzinfo=UTC)) is Phase.CLOSED


def test_a_call_is_published_once_and_by_who_may() -> None:
    draft = scene.filled()
    with pytest.raises(NotAllowed):
        services.publish(actors.otto(), draft.id)

    services.publish(actors.ingrid(), draft.id)
    with pytest.raises(Refused, match="This call is published"):
        services.publish(actors.ingrid(), draft.id)


def test_a_cancelled_call_says_so_and_stays() -> None:
    call = scene.published()
    with pytest.raises(Invalid, match="Say why"):
        services.cancel(actors.ingrid(), call.id, " ")

    services.cancel(actors.ingrid(), call.id, "The parent grant ended.")

    assert queries.call(None, call.slug).phase(scene.WHILE_OPEN) is Phase.CANCELLED
    with pytest.raises(Refused, match="is cancelled"):
        services.extend_deadline(actors.ingrid(), call.id, LATER)


# --- deadlines ----------------------------------------------------------------------------------------------------


def test_an_extension_is_a_row_of_its_own_and_everybody_is_told() -> None:
    call = scene.published(scene.SMALL)
    at = datetime(2027, 3, 14, 9, tzinfo=UTC)

    with clock.at(at):
        services.extend_deadline(actors.ingrid(), call.id, LATER)

    lines = queries.call_by_id(call.id).deadlines
    assert [line.literal for line in lines] == ["15 March 2027, 17:00 Brussels time", "22 March 2027, 12:00 CET"]
    assert lines[1].closes_at == datetime(2027, 3, 22, 11, 0, tzinfo=UTC)
    assert (lines[1].reason, lines[1].public_note, lines[1].announced_at) == (LATER.reason, LATER.public_note, at)
    job = db.session.scalars(select(jobs.Job).where(jobs.Job.name == services.DEADLINE_JOB)).one()
    assert job.args == {"call_id": str(call.id), "number": 2}


def test_the_reason_of_an_extension_is_in_the_record() -> None:
    call = scene.published(scene.SMALL)
    with clock.at(datetime(2027, 3, 14, 9, tzinfo=UTC)):
        services.extend_deadline(actors.ingrid(), call.id, LATER)

    event = db.session.scalars(select(AuditEvent).where(AuditEvent.verb == "call.extend_deadline")).one()
    assert (event.object_kind, event.reason) == ("call_deadline", LATER.reason)


def test_the_notice_names_both_deadlines() -> None:
    call = scene.published(scene.SMALL)
    with clock.at(datetime(2027, 3, 14, 9, tzinfo=UTC)):
        services.extend_deadline(actors.ingrid(), call.id, LATER)

    notice = services.deadline_notice(call.id, 2)
    assert (notice.old_literal, notice.new.literal, notice.stands) == (
        "15 March 2027, 17:00 Brussels time",
        "22 March 2027, 12:00 CET",
        True,
    )
    for number in (1, 3):
        with pytest.raises(NotFound):
            services.deadline_notice(call.id, number)


@pytest.mark.parametrize(
    ("local", "words"),
    [
        (datetime(2027, 3, 15, 17, 0), "only moves to a later time"),
        (datetime(2027, 3, 1, 12, 0), "only moves to a later time"),
        (datetime(2027, 3, 28, 2, 30), "does not exist in Europe/Brussels"),
        (datetime(2027, 10, 31, 2, 30), "happens twice in Europe/Brussels"),
    ],
)
def test_a_deadline_that_cannot_be_is_refused_and_nothing_is_queued(local: datetime, words: str) -> None:
    call = scene.published(scene.SMALL)

    with clock.at(datetime(2027, 3, 14, 9, tzinfo=UTC)), pytest.raises(Invalid) as refused:
        services.extend_deadline(actors.ingrid(), call.id, replace(LATER, local=local))

    assert words in refused.value.problems["local"]
    assert (count(CallDeadline), count(jobs.Job)) == (1, 0)


def test_an_hour_that_comes_twice_is_taken_as_said() -> None:
    call = scene.published(scene.SMALL)
    twice = replace(LATER, local=datetime(2027, 10, 31, 2, 30), fold=clock.Fold.LATER)
    with clock.at(datetime(2027, 3, 14, 9, tzinfo=UTC)):
        services.extend_deadline(actors.ingrid(), call.id, twice)

    assert queries.call_by_id(call.id).closes_at == datetime(2027, 10, 31, 1, 30, tzinfo=UTC)


def test_after_the_results_no_deadline_moves() -> None:
    call = scene.published()
    with arranging():
        get(Call, call.id).results_public_at = datetime(2027, 6, 1, 7, tzinfo=UTC)

    with pytest.raises(Refused, match="results of this call are public or will be"):
        services.extend_deadline(actors.ingrid(), call.id, LATER)


def test_a_page_shown_before_an_extension_is_stale() -> None:
    call = scene.published(scene.SMALL)
    shown = queries.call_by_id(call.id).version
    with clock.at(datetime(2027, 3, 14, 9, tzinfo=UTC)):
        services.extend_deadline(actors.ingrid(), call.id, LATER, version=shown)
        with pytest.raises(Conflict):
            services.extend_deadline(
                actors.ingrid(), call.id, replace(LATER, local=datetime(2027, 4, 1, 12)), version=shown
            )


# --- documents ----------------------------------------------------------------------------------------------------


def test_a_version_of_the_documents_is_added_and_never_replaced() -> None:
    call = scene.published()
    given = DocumentInput("1.2", date(2022, 10, 1), "correction", ("one figure in section 3",))
    services.add_document_version(actors.ingrid(), call.id, given)

    assert [document.label for document in queries.call_by_id(call.id).documents] == ["1.2", "1.1", "1.0"]
    with pytest.raises(Invalid, match="exists"):
        services.add_document_version(actors.ingrid(), call.id, given)
    with pytest.raises(Invalid, match="not complete"):
        services.add_document_version(actors.ingrid(), call.id, DocumentInput(" ", date(2022, 10, 1), " "))


# --- budget -------------------------------------------------------------------------------------------------------


def test_the_budget_is_booked_with_fund_source_and_call() -> None:
    call = scene.published()

    services.authorise_budget(actors.otto(), call.id, BudgetInput(euros(32_000_000)))

    source = queries.call_by_id(call.id).fund_source.id
    for account in (Account.BUDGET_AUTHORISED, Account.AVAILABLE):
        assert ledger.balance(account, call_id=call.id, fund_source_id=source) == euros(32_000_000)
    assert ledger.verify() == ()


def test_the_budget_goes_up_and_down_to_what_is_free() -> None:
    call = scene.published()
    for amount in (10, 25, 5, 0):
        services.authorise_budget(actors.otto(), call.id, BudgetInput(euros(amount * 1_000_000)))

        assert queries.position(call.id).free == euros(amount * 1_000_000)
    assert ledger.verify() == ()


def test_a_budget_is_not_set_twice_to_the_same_amount_nor_on_an_old_page() -> None:
    call = scene.published()
    services.authorise_budget(actors.otto(), call.id, BudgetInput(euros(10), shown=euros(0)))

    with pytest.raises(Refused, match="already"):
        services.authorise_budget(actors.otto(), call.id, BudgetInput(euros(10)))
    with pytest.raises(Conflict, match="changed while you were deciding"):
        services.authorise_budget(actors.otto(), call.id, BudgetInput(euros(20), shown=euros(0)))
    assert queries.authorised(call.id) == euros(10)


def test_a_draft_gets_no_budget_and_a_manager_gives_none() -> None:
    draft = scene.filled()
    with pytest.raises(Refused, match="published call"):
        services.authorise_budget(actors.otto(), draft.id, BudgetInput(euros(10)))

    with pytest.raises(NotAllowed):
        services.authorise_budget(actors.ingrid(), draft.id, BudgetInput(euros(10)))


# --- who sees what ------------------------------------------------------------------------------------------------


def test_a_draft_is_there_for_the_programme_only() -> None:
    draft = scene.imported()

    for actor in (None, actors.ana(), actors.eva(), actors.nobody()):
        assert queries.calls(actor) == ()
        with pytest.raises(NotFound):
            queries.call(actor, draft.slug)
        with pytest.raises(NotFound):
            queries.id_of(actor, draft.slug)
    for actor in (actors.ingrid(), actors.otto(), actors.nuria()):
        assert [row.slug for row in queries.calls(actor)] == [draft.slug]
        assert queries.call(actor, draft.slug).id == draft.id


def test_an_act_on_a_call_out_of_scope_finds_nothing() -> None:
    call = scene.imported()
    manager = actors.ingrid()
    elsewhere = replace(manager, granted=frozenset((name, ("call", uuid4())) for name, _ in manager.granted))

    with pytest.raises(NotFound):
        services.apply_template(elsewhere, call.id)


def test_duties_follow_the_state_of_the_call() -> None:
    def waits_for(actor: object, at: datetime) -> list[str]:
        db.session.rollback()
        return [duty.endpoint for duty in queries.duties(actor, at)]

    draft = scene.filled(scene.SMALL)
    ingrid, otto = actors.ingrid(), actors.otto()
    assert (waits_for(ingrid, scene.BEFORE), waits_for(otto, scene.BEFORE)) == (["calls.manage"], [])

    services.publish(ingrid, draft.id)
    assert (waits_for(ingrid, scene.BEFORE), waits_for(otto, scene.BEFORE)) == ([], ["calls.budget"])

    services.authorise_budget(otto, draft.id, BudgetInput(euros(600_000)))
    assert (waits_for(ingrid, scene.BEFORE), waits_for(otto, scene.BEFORE)) == ([], [])
    assert waits_for(ingrid, datetime(2027, 4, 1, tzinfo=UTC)) == []
    assert queries.duties(actors.ana(), scene.BEFORE) == ()
