"""A grant's own budget and description: copied from what was submitted, revised, agreed on before the agreement is offered."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from grants.agreements import services
from grants.agreements.models import Grant, RevisionVerdict, RevisionVersion
from grants.agreements.rules import PlannedMilestone, Share, Terms, offer_problems
from grants.agreements.states import RevisionState
from grants.applications.rules import BudgetInput, PlanInput
from grants.budgets import queries as budgets
from grants.budgets.models import Budget
from grants.budgets.rules import (
    Cell,
    PlannedPackage,
    Purpose,
    Shown,
    Source,
    SourceKind,
    field_name,
)
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Conflict, NotAllowed, Problems, Refused
from grants.core.money import Money, euros
from grants.core.permissions import Actor
from grants.dossiers.rules import Answer
from grants.evaluation.models import ConflictDeclaration
from grants.evaluation.states import Declared
from grants.identity.policy import Role
from grants.identity.queries import actor_for
from tests import actors
from tests.agreements.conftest import tie
from tests.applications.pages import post, send, text_of, values_of
from tests.awards.agreeing import PLAN, Prepared
from tests.factories import identity as people
from tests.shut import shuts
from tests.statements import statements

S = RevisionState


def test_a_grant_begins_with_a_budget_and_a_description_of_its_own_that_say_what_was_submitted(
    prepared: Prepared,
) -> None:
    found = prepared.revision
    row = get(Grant, prepared.grant_id)
    budget = get(Budget, row.budget_id)

    assert (budget.owner_kind, budget.owner_id, budget.purpose) == ("grant", row.id, Purpose.GRANTED.value)
    assert row.dossier_id is not None and found.state is S.DRAFT
    assert not found.is_changed and found.money.requested.new == euros(400_000)
    assert found.old is not None and found.new.budget.plan == found.old.budget.plan == (PLAN,)
    assert [each.maximum for each in prepared.grant.beneficiaries] == [euros(250_000), euros(150_000)]


def test_what_is_revised_is_sent_frozen_accepted_by_another_and_sets_the_maxima(prepared: Prepared) -> None:
    prepared.write(prepared.lead, prepared.city_id, euros(180_000))
    prepared.write(prepared.second, prepared.partner_id, euros(100_000))
    number = prepared.sent()

    with pytest.raises(Refused, match="with the programme"):
        prepared.write(prepared.lead, prepared.city_id, euros(1))
    services.accept_revision(actors.pia(), prepared.grant_id, number, words="As agreed.")

    found, grant = prepared.revision, prepared.grant
    assert found.state is S.ACCEPTED and found.judgement is not None and found.judgement.words == "As agreed."
    assert [each.maximum for each in grant.beneficiaries] == [euros(225_000), euros(125_000)]
    assert grant.maximum == euros(350_000) == found.money.requested.new
    assert found.money.total.difference == euros(-50_000)
    version = db.session.scalars(select(RevisionVersion).where(RevisionVersion.grant_id == grant.id)).one()
    assert version.sha256.hex() == found.new.fingerprint
    with pytest.raises(Refused, match="accepted, so nothing of it changes"):
        prepared.write(prepared.lead, prepared.city_id, euros(1))


def test_a_partner_writes_its_own_row_and_the_plan_and_does_not_send(prepared: Prepared) -> None:
    assert prepared.write(prepared.second, prepared.city_id, euros(1)) == ()
    (kept,) = prepared.write(prepared.second, prepared.partner_id, euros(90_000))
    services.revise_plan(prepared.second, prepared.grant_id, PlanInput((PLAN, PlannedPackage("", "New")), None))

    found = prepared.revision
    assert kept.amount == euros(90_000)
    assert [line.organisation_id for line in found.money.lines] == [prepared.partner_id]
    assert [(each.code, each.change.value) for each in found.money.packages] == [("WP1", "kept"), ("WP2", "added")]
    with pytest.raises(Refused, match="coordinator sends"):
        services.send_revision(prepared.second, prepared.grant_id, seen=found.new.fingerprint)


def test_who_else_pays_is_the_coordinators_to_say_and_is_seen_beside_the_application(prepared: Prepared) -> None:
    bank = Source("City bank", SourceKind.LOAN, euros(5), confirmed=True)

    with pytest.raises(Refused, match="coordinator enters who else pays"):
        services.revise_sources(prepared.second, prepared.grant_id, (bank,), None)
    services.revise_sources(prepared.lead, prepared.grant_id, (bank,), None)

    assert [(each.change.value, each.source) for each in prepared.revision.money.changed_sources] == [("added", bank)]
    assert prepared.revision.is_changed


def test_above_what_is_reserved_nothing_is_sent_to_the_cent(prepared: Prepared) -> None:
    prepared.write(prepared.lead, prepared.city_id, Money(200_000_01))

    with pytest.raises(Problems) as refused:
        prepared.sent()

    assert f"it asks for {Money(400_000_01)}, but {euros(400_000)} is reserved" in str(refused.value)
    assert prepared.revision.state is S.DRAFT


def test_the_flat_rate_is_worked_out_and_a_cell_of_it_is_never_stored(prepared: Prepared) -> None:
    rules = prepared.revision.new.budget.rules
    assert rules.computed is not None
    given = BudgetInput((Cell(prepared.city_id, rules.computed.code, euros(999)),), None)

    services.revise_budget(prepared.lead, prepared.grant_id, given)
    prepared.write(prepared.lead, prepared.city_id, Money(100_02))

    row = prepared.revision.new.budget.totals.row(prepared.city_id)
    assert (row.direct, row.indirect) == (Money(100_02), Money(25_01))
    assert not prepared.revision.is_changed or prepared.revision.money.total.new == row.total + euros(150_000)


def test_two_people_on_one_cell_the_slower_reads_both_amounts(prepared: Prepared) -> None:
    shown = Shown(1, euros(200_000))

    prepared.write(prepared.lead, prepared.city_id, euros(150_000), shown)
    (clash,) = prepared.write(prepared.lead, prepared.city_id, euros(140_000), shown)

    assert (clash.outcome.value, clash.amount) == ("contested", euros(150_000))


def test_a_returned_revision_says_why_and_is_sent_again_as_the_next(prepared: Prepared) -> None:
    prepared.write(prepared.lead, prepared.city_id, euros(180_000))
    first = prepared.sent()
    services.return_revision(actors.pia(), prepared.grant_id, first, words="The travel is missing.")
    prepared.write(prepared.lead, prepared.city_id, euros(190_000))
    second = prepared.sent()

    with pytest.raises(Conflict, match="Another revision"):
        services.accept_revision(actors.pia(), prepared.grant_id, first)
    services.accept_revision(actors.pia(), prepared.grant_id, second)
    services.return_revision(actors.ingrid(), prepared.grant_id, second, words="Once more: the plan.")

    found = prepared.revision
    assert (found.state, found.number) == (S.RETURNED, 2)
    assert [[said.verdict.value for said in each.judged] for each in found.versions] == [
        ["returned"],
        ["accepted", "returned"],
    ]


def test_what_a_partner_saved_meanwhile_is_not_sent_unseen(prepared: Prepared) -> None:
    seen = prepared.revision.new.fingerprint
    prepared.write(prepared.second, prepared.partner_id, euros(90_000))

    with pytest.raises(Conflict, match="while you were looking"):
        services.send_revision(prepared.lead, prepared.grant_id, seen=seen)


def test_none_needed_holds_only_while_nothing_changed_and_nobody_asks_for_more_than_its_maximum(
    prepared: Prepared,
) -> None:
    seen = prepared.revision.new.fingerprint
    services.need_no_revision(actors.pia(), prepared.grant_id, words="Nothing changed.", seen=seen)
    assert prepared.revision.state is S.NONE_NEEDED

    prepared.write(prepared.lead, prepared.city_id, euros(180_000))
    assert prepared.revision.state is S.DRAFT
    changed = prepared.revision.new.fingerprint
    with pytest.raises(Refused, match="has changed its budget"):
        services.need_no_revision(actors.pia(), prepared.grant_id, words="Nothing.", seen=changed)
    prepared.write(prepared.lead, prepared.city_id, euros(200_000))
    shares = (Share(prepared.city_id, euros(200_000)), Share(prepared.partner_id, euros(150_000)))
    stones = tuple(PlannedMilestone(each.title, each.criterion, each.due_on) for each in prepared.grant.milestones)
    services.set_terms(actors.pia(), prepared.grant_id, Terms(date(2023, 6, 1), 24, shares, stones))
    with pytest.raises(Refused, match="A revision is needed"):
        services.need_no_revision(actors.pia(), prepared.grant_id, words="Nothing.", seen=seen)


def test_maxima_do_not_depart_from_the_accepted_budget(prepared: Prepared) -> None:
    prepared.write(prepared.lead, prepared.city_id, euros(180_000))
    services.accept_revision(actors.pia(), prepared.grant_id, prepared.sent())
    stones = tuple(PlannedMilestone(each.title, each.criterion, each.due_on) for each in prepared.grant.milestones)
    shares = [Share(each.organisation_id, each.maximum) for each in prepared.grant.beneficiaries]

    services.set_terms(actors.pia(), prepared.grant_id, Terms(date(2023, 7, 1), 24, tuple(shares), stones))
    shares[0] = Share(prepared.city_id, euros(1))
    with pytest.raises(Refused, match="follow the accepted budget"):
        services.set_terms(actors.pia(), prepared.grant_id, Terms(date(2023, 7, 1), 24, tuple(shares), stones))


def test_only_what_is_agreed_on_is_offered(prepared: Prepared) -> None:
    def stands_in_the_way() -> bool:
        return any(each.place == "Budget and description" for each in offer_problems(prepared.grant, (), signers=1))

    assert stands_in_the_way()
    number = prepared.sent()
    assert stands_in_the_way()
    services.return_revision(actors.pia(), prepared.grant_id, number, words="Look again.")
    assert stands_in_the_way()
    services.accept_revision(actors.pia(), prepared.grant_id, prepared.sent())
    assert not stands_in_the_way()


def test_nobody_judges_what_they_sent_by_act_and_in_the_database(prepared: Prepared) -> None:
    number = prepared.sent()
    with pytest.raises(NotAllowed):
        services.accept_revision(prepared.lead, prepared.grant_id, number)
    with arranging():
        people.role(prepared.lead_id, Role.PROJECT_OFFICER)
    with pytest.raises(Refused):
        services.accept_revision(prepared.lead, prepared.grant_id, number)
    tie(actors.pia().user_id, prepared.lead_id)
    with pytest.raises(Refused, match="count as one person"):
        services.accept_revision(actors.pia(), prepared.grant_id, number)
    version = db.session.scalars(select(RevisionVersion).where(RevisionVersion.grant_id == prepared.grant_id)).one()
    version_id, sent_by, other = version.id, version.sent_by, actors.pia().user_id

    for copied, by in ((sent_by, sent_by), (other, sent_by)):
        with pytest.raises(IntegrityError), arranging():
            db.session.add(
                RevisionVerdict(
                    revision_id=version_id, number=1, sent_by=copied, verdict="accepted", words="", decided_by=by,
                    decided_at=clock.now(),
                )
            )  # fmt: skip
        db.session.rollback()
    with pytest.raises(DBAPIError), db.engine.begin() as connection:
        connection.execute(text("UPDATE revision_version SET number = 7"))


# --- pages --------------------------------------------------------------------------------------------------------


@pytest.fixture
def without_csrf(app: Flask) -> None:
    """The outer context of these tests would hand one browser’s token to the other."""
    app.config["WTF_CSRF_ENABLED"] = False


def client(app: Flask, actor: Actor) -> FlaskClient:
    return actors.client_of(app, actor)


@pytest.mark.usefixtures("without_csrf")
def test_the_city_revises_budget_plan_and_text_on_their_pages_and_sends_them(app: Flask, prepared: Prepared) -> None:
    lead, officer = client(app, prepared.lead), client(app, actors.pia())
    base = f"/grants/{prepared.reference}"
    description = prepared.revision.new.description
    assert description is not None
    section = next(each for each in description.definition.sections if each.questions)

    cell = field_name(prepared.city_id, prepared.category)
    assert send(lead, f"{base}/preparation/budget", **{cell: "180.000,00"}).status_code == 303
    plan = {"wp-WP1-title": "Blocks and yards"}
    assert send(lead, f"{base}/preparation/plan", **plan).status_code == 303
    place = f"{base}/preparation/text/{section.key}"
    field = next(name for name in values_of(lead, place) if name.startswith("answer"))
    assert send(lead, place, **{field: "Because of the yards"}).status_code == 303
    before = text_of(lead.get(f"{base}/redline"))
    assert send(lead, f"{base}/redline", to=f"{base}/revision/send").status_code == 303

    assert "180 000.00" in before and "Blocks and yards" in before and "yards" in before
    assert "Waits for the programme" in text_of(officer.get(f"{base}/redline"))
    accepted = send(officer, f"{base}/redline", to=f"{base}/revision/accept", words="Good.")
    assert accepted.status_code == 303
    shown = text_of(lead.get(f"{base}/redline"))
    assert "Accepted by" in shown and "Good." in shown
    assert prepared.grant.maximum == euros(375_000)


@pytest.mark.usefixtures("without_csrf")
def test_a_second_tab_that_is_slower_is_told_and_loses_nothing_typed(app: Flask, prepared: Prepared) -> None:
    lead = client(app, prepared.lead)
    place = f"/grants/{prepared.reference}/preparation/budget"
    cell = field_name(prepared.city_id, prepared.category)
    tabs = [values_of(lead, place) for _ in range(3)]
    post(lead, place, tabs[0], **{cell: "150000"})

    slower = post(lead, place, tabs[1], **{cell: "140000"})
    prepared.sent()
    too_late = post(lead, place, tabs[2], **{cell: "130000"})

    assert slower.status_code == 409 and too_late.status_code == 422
    assert 'value="140000"' in slower.text and "Stored meanwhile by somebody else" in slower.text
    assert 'value="130000"' in too_late.text and "It is with the programme" in too_late.text


@shuts("agreements.redline", "agreements.revised_budget", "agreements.revised_plan", "agreements.revised_text")
@pytest.mark.usefixtures("without_csrf")
def test_whoever_takes_no_part_finds_nothing_and_whoever_only_reads_is_given_no_form(
    app: Flask, prepared: Prepared
) -> None:
    pages = [f"/grants/{prepared.reference}/{page}" for page in ("redline", "preparation/budget", "preparation/plan")]
    pages.append(f"/grants/{prepared.reference}/preparation/text/{_first_text(prepared)[0]}")
    application_id = prepared.grant.application_id
    with arranging():
        conflicted = people.user("Officer in conflict").id
        people.role(conflicted, Role.PROJECT_OFFICER)
        elsewhere = people.user("Lead of another city").id
        people.role(elsewhere, Role.APPLICATION_LEAD, kind="application", object_id=uuid4())
        db.session.add(
            ConflictDeclaration(
                application_id=application_id, user_id=conflicted, declared=Declared.CONFLICT.value,
                declared_at=clock.now(), reason="We share a flat",
            )
        )  # fmt: skip
    officer = client(app, actors.pia())

    for shut_to in (conflicted, elsewhere):
        other = client(app, actor_for(shut_to))
        assert {other.get(page).status_code for page in pages} == {404}
    assert officer.get(pages[0]).status_code == 200
    for page in pages[1:]:
        shown = officer.get(page)
        assert shown.status_code == 200 and "The city writes here" in shown.text and ">Save" not in shown.text
        assert officer.post(page, data={"act_key": "raw"}).status_code == 403


def test_no_page_of_a_revision_asks_more_than_eight_things(app: Flask, prepared: Prepared) -> None:
    lead = client(app, prepared.lead)
    description = prepared.revision.new.description
    assert description is not None
    text = f"preparation/text/{description.definition.sections[0].key}"
    pages = ("redline", "preparation/budget", "preparation/plan", text, "preparation")
    counts = {}

    for page in pages:
        lead.get(f"/grants/{prepared.reference}/{page}")
        with statements() as seen:
            lead.get(f"/grants/{prepared.reference}/{page}")
        counts[page] = len(seen)

    assert all(count <= 8 for count in counts.values()), counts


def test_a_budget_never_named_by_anybody_is_as_it_was_copied(prepared: Prepared) -> None:
    budget_id = get(Grant, prepared.grant_id).budget_id
    assert budget_id is not None

    assert budgets.stored(budget_id).row.saved_by is None
    services.revise_text(
        prepared.lead, prepared.grant_id, _first_text(prepared)[0], (Answer(_first_text(prepared)[1], "Now"),)
    )
    assert [each.question.key for each in prepared.revision.changed_text] == [_first_text(prepared)[1]]


def test_the_page_of_a_call_lists_its_signed_grants_with_their_money_and_time(app: Flask, prepared: Prepared) -> None:
    officer, slug = client(app, actors.pia()), prepared.grant.call_slug
    before = text_of(officer.get(f"/calls/{slug}/spending"))
    with arranging():
        row = get(Grant, prepared.grant_id)
        row.state, row.in_force_at, row.offer_no = "in_force", clock.now(), 1

    with statements() as seen:
        shown = text_of(officer.get(f"/calls/{slug}/spending"))

    assert "No grant of this call is signed" in before
    assert prepared.reference in shown and "400 000.00" in shown and "100 %" in shown and len(seen) <= 8


def _first_text(prepared: Prepared) -> tuple[str, str]:
    description = prepared.revision.new.description
    assert description is not None
    for section in description.definition.sections:
        for question in section.questions:
            if question.kind.value in ("long", "short"):
                return section.key, question.key
    raise AssertionError("the form asks for text")
