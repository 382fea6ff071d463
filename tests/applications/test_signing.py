"""Sign-offs: each partner the own part, a signatory the whole, each of one exact version; on the page that fits a phone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from grants.applications import queries, services
from grants.applications.rules import AnswerInput, BudgetInput, PersonInput, SignedAnother, SignedPart, Standing
from grants.budgets.rules import Cell
from grants.calls import queries as calls
from grants.calls import services as call_services
from grants.calls.rules import CallView
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Invalid, NotAllowed, NotFound, Refused
from grants.core.money import CENTS_MAX, Money
from grants.core.permissions import Actor
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.models import RoleGrant
from grants.identity.policy import Role
from tests import actors
from tests.applications.pages import send, text_of
from tests.applications.test_team import mails, member, partner
from tests.factories import applications as factory
from tests.factories.applications import AFTER_CLOSING, BEFORE_OPENING, WHILE_OPEN, again


@pytest.fixture(autouse=True)
def open_now(app: Flask) -> Iterator[None]:
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(WHILE_OPEN):
        yield


def demanding() -> CallView:
    """A call that demands sign-offs, as its file says."""
    text = resources.files("grants.calls").joinpath("data/call_2022.yaml").read_text(encoding="utf-8")
    text = text.replace("submission:\n", "submission:\n  sign_offs: true\n", 1)
    with clock.at(BEFORE_OPENING):
        made = call_services.import_call(actors.ingrid(), text)
        call_services.apply_template(actors.ingrid(), made.id)
        call_services.publish(actors.ingrid(), made.id)
    return calls.call_by_id(made.id)


def part(reference: str, organisation_id: UUID | None = None) -> SignedPart:
    return next(p for p in queries.workplace(actors.ana(), reference).parts if p.organisation_id == organisation_id)


def signed(actor: Actor, application_id: UUID, reference: str, organisation_id: UUID | None = None) -> None:
    services.sign_off(actor, application_id, organisation_id, part(reference, organisation_id).sha256)


def test_a_call_that_demands_sign_offs_takes_nothing_before_all_are_there(app: Flask) -> None:
    call = demanding()
    assert call.content.sign_offs
    reference = factory.draft(call, actors.ana())
    application_id = queries.id_of(actors.ana(), reference)
    marek = partner(application_id, "summary")
    (southport,) = marek.organisation_ids
    factory.fill(reference, actors.ana())

    said = [issue.message for issue in queries.workplace(actors.ana(), reference).issues]
    assert said == [
        "The part of Municipality of Southport is not signed off. Ask Marek Nowak.",
        "Nobody is named who signs the whole application off. Invite a signatory on the page of the team.",
    ]
    with pytest.raises(Refused, match="2 problems"):
        services.submit(actors.ana(), application_id)
    mayor = member(application_id, Role.APPLICATION_SIGNATORY)
    signed(marek, application_id, reference, southport)
    signed(mayor, application_id, reference)
    assert services.submit(actors.ana(), application_id).number == 1

    services.save_answer(marek, application_id, "summary", AnswerInput("summary", ("Another text",), 1))
    said = [issue.message for issue in queries.workplace(actors.ana(), reference).issues]
    assert said == [
        "The part of Municipality of Southport was changed after Marek Nowak signed it off. Ask Marek Nowak to sign again.",
        "The whole application was changed after Carla Colleague signed it off. Ask Carla Colleague to sign again.",
    ]
    client = actors.client_of(app, actors.ana())
    assert said[0] in text_of(client.get(f"/applications/{reference}/check"))


def test_a_partner_signs_the_own_part_which_others_changes_leave_standing(call: CallView) -> None:
    reference = factory.draft(call, actors.ana())
    application_id = queries.id_of(actors.ana(), reference)
    marek = partner(application_id, "summary")
    (southport,) = marek.organisation_ids
    signed(marek, application_id, reference, southport)
    other = next(s for s in queries.workplace(actors.ana(), reference).dossier.sections if s.key != "summary")
    typed = next(q.question.key for q in other.questions if q.question.kind.value in ("long", "short"))

    services.save_answer(actors.ana(), application_id, other.key, AnswerInput(typed, ("Words of Ana",), 0))
    assert part(reference, southport).standing is Standing.SIGNED
    services.save_answer(actors.ana(), application_id, "summary", AnswerInput("summary", ("In his part",), 0))
    assert part(reference, southport).standing is Standing.CHANGED
    warned = [issue.message for issue in queries.workplace(actors.ana(), reference).warnings]
    assert any("was changed after Marek Nowak signed it off" in each for each in warned)
    # What was signed stays on the record when it is signed again.
    signed(marek, application_id, reference, southport)
    assert part(reference, southport).standing is Standing.SIGNED


def test_nobody_signs_what_they_did_not_see_nor_what_is_another_s(call: CallView) -> None:
    reference = factory.draft(call, actors.ana())
    application_id = queries.id_of(actors.ana(), reference)
    marek = partner(application_id)
    mayor = member(application_id, Role.APPLICATION_SIGNATORY)
    reader = member(application_id, Role.APPLICATION_READER, actors.actor(actors.person("Rita Reader")))
    (southport,) = marek.organisation_ids
    seen = part(reference).sha256

    services.save_answer(actors.ana(), application_id, "summary", AnswerInput("summary", ("Changed",), 0))
    with pytest.raises(SignedAnother, match="Nothing was signed"):
        services.sign_off(mayor, application_id, None, seen)
    for person, organisation_id in ((marek, None), (mayor, southport), (marek, UUID(int=1))):
        with pytest.raises(NotFound):
            services.sign_off(person, application_id, organisation_id, part(reference).sha256)
    for person in (reader, actors.ana(), actors.eva(), actors.ingrid()):
        with pytest.raises((NotAllowed, NotFound)):
            signed(person, application_id, reference)
    with clock.at(AFTER_CLOSING), pytest.raises(Refused, match="deadline was"):
        signed(mayor, application_id, reference)


def test_the_page_signs_without_a_script_and_a_stale_page_signs_nothing(app: Flask, call: CallView) -> None:
    reference = factory.draft(call, actors.ana())
    application_id = queries.id_of(actors.ana(), reference)
    mayor = member(application_id, Role.APPLICATION_SIGNATORY)
    client, page = actors.client_of(app, mayor), f"/applications/{reference}/sign-off"

    assert send(client, page).status_code == 422
    assert send(client, page, statement="y", fingerprint="0" * 64).status_code == 409
    assert part(reference).standing is Standing.MISSING
    assert send(client, page, statement="y").status_code == 303
    assert part(reference).standing is Standing.SIGNED
    shown = text_of(client.get(page))
    assert "Signed off by Carla Colleague" in shown and part(reference).sha256 in shown
    assert "1 of 1 signed" in text_of(client.get(f"/applications/{reference}"))


def test_who_is_missing_is_asked_by_mail(app: Flask, call: CallView) -> None:
    reference = factory.draft(call, actors.ana())
    application_id = queries.id_of(actors.ana(), reference)
    mayor = member(application_id, Role.APPLICATION_SIGNATORY)
    client, page = actors.client_of(app, actors.ana()), f"/applications/{reference}/sign-off"

    assert send(client, f"{page}/ask", page=page).status_code == 303
    assert [told["user_id"] for told in mails("application_sign_off")] == [str(mayor.user_id)]
    signed(mayor, application_id, reference)
    with pytest.raises(Refused, match="Nobody is left to ask"):
        services.ask_sign_offs(actors.ana(), application_id)


def test_an_administrator_does_not_end_the_part_of_the_lead_while_the_application_is_written(call: CallView) -> None:
    reference = factory.draft(call, actors.ana())
    ana = actors.ana()
    grant = db.session.scalars(
        select(RoleGrant.id).where(RoleGrant.user_id == ana.user_id, RoleGrant.role == Role.APPLICATION_LEAD.value)
    ).one()

    with pytest.raises(Refused, match=f"leads {reference}"):
        people.end_assigned_role(actors.ada(), grant)
    with clock.at(AFTER_CLOSING):
        people.end_assigned_role(actors.ada(), grant)


def test_a_sign_off_is_of_the_record_and_never_rewritten(call: CallView) -> None:
    from sqlalchemy.exc import DBAPIError

    from grants.applications.models import ApplicationSignOff

    reference = factory.draft(call, actors.ana())
    application_id = queries.id_of(actors.ana(), reference)
    mayor = member(application_id, Role.APPLICATION_SIGNATORY)
    signed(mayor, application_id, reference)

    with pytest.raises(DBAPIError, match=r"append-only|permission denied"), arranging():
        row = db.session.scalars(select(ApplicationSignOff)).one()
        row.sha256 = bytes(32)


def test_a_person_without_an_account_is_invited_as_signatory(call: CallView) -> None:
    reference = factory.draft(call, actors.ana())
    application_id = queries.id_of(actors.ana(), reference)
    given = PersonInput("mayor@northbridge.example", "Mia Mayor", Role.APPLICATION_SIGNATORY)

    user_id = services.invite_person(actors.ana(), application_id, given)

    assert {told["template"] for told in mails("invitation") + mails("application_person")} == {
        "invitation",
        "application_person",
    }
    signatory = replace(again(actors.actor(user_id)), fresh=False)
    with pytest.raises(Refused, match="Accept your invitation first"):
        signed(signatory, application_id, reference)


def duties_of(person: Actor) -> list[str]:
    with clock.at(WHILE_OPEN):
        return [duty.what for duty in queries.duties(again(person), clock.now()) if "ign" in duty.what]


def test_who_must_sign_off_reads_it_on_the_first_page_until_it_is_done(app: Flask) -> None:
    reference = factory.draft(demanding(), actors.ana())
    application_id = queries.id_of(actors.ana(), reference)
    marek = partner(application_id, "summary")
    (southport,) = marek.organisation_ids
    mayor = member(application_id, Role.APPLICATION_SIGNATORY)
    asked = "Sign off \u201cWarm Blocks\u201d"

    assert (duties_of(marek), duties_of(mayor), duties_of(actors.ana())) == ([asked], [asked], [])
    signed(marek, application_id, reference, southport)
    signed(mayor, application_id, reference)
    assert (duties_of(marek), duties_of(mayor)) == ([], [])
    with clock.at(WHILE_OPEN.replace(hour=12)):
        services.save_answer(again(marek), application_id, "summary", AnswerInput("summary", ("Another",), 0))

    changed = "Look at \u201cWarm Blocks\u201d again and sign it off"
    assert (duties_of(marek), duties_of(mayor)) == ([changed], [changed])


def test_a_call_that_demands_none_asks_nobody_to_sign(call: CallView) -> None:
    reference = factory.draft(call, actors.ana())

    assert duties_of(partner(queries.id_of(actors.ana(), reference), "summary")) == []


def test_what_somebody_signed_who_left_the_team_counts_no_longer(app: Flask) -> None:
    reference = factory.draft(demanding(), actors.ana())
    application_id = queries.id_of(actors.ana(), reference)
    mayor = member(application_id, Role.APPLICATION_SIGNATORY)
    signed(mayor, application_id, reference)
    assert part(reference).standing is Standing.SIGNED

    assert mayor.user_id is not None
    services.remove_person(again(actors.ana()), application_id, mayor.user_id)

    assert part(reference).standing is Standing.MISSING
    said = [issue.message for issue in queries.workplace(actors.ana(), reference).issues]
    assert "Nobody is named who signs the whole application off. Invite a signatory on the page of the team." in said


def test_a_title_of_two_lines_does_not_cut_a_subject(call: CallView) -> None:
    ana = actors.ana()
    assert ana.user_id is not None
    told = {"asked_by": "Ana", "reference": "PCP-1", "title": "Two\nlines", "closes_at": ""}

    mail = identity.rendered_mail(
        ana.user_id, "application_asked", {**told, "tasks": [{"key": "a", "title": "First\r\nsecond"}]}
    )

    assert mail.subject == "Ana asks you to write \u201cFirst second\u201d in PCP-1"
    assert mail.text.startswith("Dear Ana")
    assert "“Two\nlines”" in mail.text


def test_amounts_that_add_up_beyond_every_range_are_refused_with_the_limit(call: CallView) -> None:
    reference = factory.draft(call, actors.ana())
    application_id = queries.id_of(actors.ana(), reference)
    (north,) = actors.ana().organisation_ids
    first, second = call.content.budget_rules.entered[:2]
    most = Money(CENTS_MAX)
    services.save_budget(actors.ana(), application_id, BudgetInput((Cell(north, first.code, most),), None))

    with pytest.raises(Invalid, match="All amounts together would be more than"):
        services.save_budget(actors.ana(), application_id, BudgetInput((Cell(north, second.code, Money(1)),), None))

    half = (Cell(north, first.code, Money(CENTS_MAX - 1)), Cell(north, second.code, Money(1)))
    services.save_budget(actors.ana(), application_id, BudgetInput(half, None))
