"""The people of an application: who writes which part, in which role, what they say to each other; through acts and HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from grants.applications import queries, services
from grants.applications.rules import (
    AnswerInput,
    BudgetInput,
    CommentInput,
    DetailsInput,
    InviteInput,
    PersonInput,
    SectionInput,
)
from grants.budgets.rules import Cell
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Invalid, NotAllowed, NotFound, Refused
from grants.core.jobs.models import Job
from grants.core.money import euros
from grants.core.permissions import Actor
from grants.dossiers import queries as dossiers
from grants.dossiers.rules import Answer
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.models import RoleGrant
from grants.identity.policy import Role
from tests import actors
from tests.applications.pages import forms, post, send, text_of
from tests.factories import identity as identity_rows
from tests.factories.applications import AFTER_CLOSING, WHILE_OPEN, again
from tests.html import check_page
from tests.statements import statements
from tests.worlds import World

SAY = CommentInput("Is 40 % not too much?")


@pytest.fixture(autouse=True)
def open_now(app: Flask) -> Iterator[None]:
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(WHILE_OPEN):
        yield


@pytest.fixture
def draft(app: Flask, drafted_world: World[str]) -> tuple[UUID, str]:
    """Ana's draft: its id and its reference."""
    reference = drafted_world.told()
    return queries.id_of(actors.ana(), reference), reference


def colleague(name: str = "Carla Colleague") -> Actor:
    """Somebody else of Northbridge."""
    return actors.actor(actors.person(name, Role.APPLICANT, organisation_name=actors.NORTHBRIDGE))


def member(application_id: UUID, role: Role, person: Actor | None = None, *, joined: bool = True) -> Actor:
    """A person invited in a role."""
    found = person or colleague()
    assert found.user_id is not None
    address = f"{found.name.lower().replace(' ', '.')}@example.eu"
    services.invite_person(actors.ana(), application_id, PersonInput(address, found.name, role, ("summary",)))
    if joined:
        services.join(again(found), application_id)
    return again(found)


def partner(application_id: UUID, *asked: str) -> Actor:
    """Marek of Southport, who accepted, and is asked to write these sections."""
    marek = actors.marek()
    (southport,) = marek.organisation_ids
    given = InviteInput("marek.nowak@example.eu", "Marek Nowak", southport, sections=asked)
    services.invite(actors.ana(), application_id, given)
    services.accept_invitation(again(marek), application_id, southport)
    return again(marek)


def mails(template: str) -> list[dict[str, object]]:
    rows = db.session.scalars(select(Job).order_by(Job.number)).all()
    return [row.args for row in rows if row.args.get("template") == template]


def written(actor: Actor, application_id: UUID, section: str = "summary") -> str:
    given = SectionInput((Answer("summary", f"By {actor.name}"),), None, None)
    services.save_section(actor, application_id, section, given)
    return (
        queries.workplace(actors.ana(), queries.view_by_id(application_id).reference)
        .dossier.section("summary")
        .answers["summary"]
        .text
    )


def other_section(reference: str) -> str:
    return next(s.key for s in queries.workplace(actors.ana(), reference).dossier.sections if s.key != "summary")


# --- comments -----------------------------------------------------------------------------------------------------


def test_a_comment_waits_until_it_is_resolved_and_a_reply_opens_it_again(draft: tuple[UUID, str]) -> None:
    application_id, reference = draft
    reader = member(application_id, Role.APPLICATION_READER)

    thread = services.comment(reader, application_id, "summary", "summary", SAY)
    assert queries.workplace(actors.ana(), reference).threads == {"summary": {"summary": 1}}
    services.resolve_comment(actors.ana(), application_id, thread)
    assert queries.workplace(actors.ana(), reference).threads == {}
    services.reply(reader, application_id, "summary", thread, CommentInput("Still too much."))

    place = queries.workplace(actors.ana(), reference)
    assert place.open_comments("summary") == 1
    (found,) = dossiers.threads(place.dossier.id, "summary")
    assert [(c.text, c.written_by == reader.user_id) for c in found.comments] == [
        ("Is 40 % not too much?", True),
        ("Still too much.", True),
    ]
    services.resolve_comment(actors.ana(), application_id, thread)
    services.reopen_comment(actors.ana(), application_id, thread)
    assert queries.workplace(actors.ana(), reference).open_comments("summary") == 1


def test_comments_are_no_part_of_what_is_sent(draft: tuple[UUID, str]) -> None:
    application_id, reference = draft
    before = queries.workplace(actors.ana(), reference)

    services.comment(actors.ana(), application_id, "summary", "summary", SAY)

    after = queries.workplace(actors.ana(), reference)
    assert after.fingerprint == before.fingerprint
    assert "40 %" not in str(after.content)


def test_who_is_named_in_a_comment_is_told_by_mail_and_nobody_outside_the_team_can_be(draft: tuple[UUID, str]) -> None:
    application_id, _ = draft
    carla = member(application_id, Role.APPLICATION_EDITOR)
    marek = actors.marek()
    assert carla.user_id and marek.user_id

    services.comment(actors.ana(), application_id, "summary", "summary", CommentInput("Look", (carla.user_id,)))
    with pytest.raises(Invalid, match="was not sent"):
        services.comment(actors.ana(), application_id, "summary", "summary", CommentInput("Look", (marek.user_id,)))

    (told,) = mails("application_comment")
    assert told["user_id"] == str(carla.user_id)


@pytest.mark.parametrize(("text", "said"), [("  ", "Write what you want"), ("x" * 4_001, "Cut 1.")])
def test_a_comment_that_is_empty_or_endless_is_refused_in_words(draft: tuple[UUID, str], text: str, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        services.comment(actors.ana(), draft[0], "summary", "summary", CommentInput(text))
    assert said in refused.value.problems["comment"]


def test_nobody_else_reads_or_writes_comments(app: Flask, draft: tuple[UUID, str]) -> None:
    application_id, reference = draft
    thread = services.comment(actors.ana(), application_id, "summary", "summary", SAY)
    sid = actors.sid()
    address = f"/applications/{reference}/sections/summary/comments"

    for outsider in (sid, actors.ingrid(), actors.eva(), actors.eli()):
        with pytest.raises((NotFound, NotAllowed)):
            services.reply(outsider, application_id, "summary", thread, SAY)
        assert actors.client_of(app, outsider).get(address).status_code in (403, 404)
    with pytest.raises(NotFound):
        services.resolve_comment(actors.ana(), queries.id_of(actors.ana(), reference), UUID(int=1))


def test_a_barred_person_reads_no_comment(app: Flask, draft: tuple[UUID, str]) -> None:
    application_id, reference = draft
    carla = member(application_id, Role.APPLICATION_EDITOR)
    assert carla.user_id
    with arranging():
        identity_rows.bar(carla.user_id, "application", application_id)

    client = actors.client_of(app, carla)
    assert client.get(f"/applications/{reference}/sections/summary/comments").status_code == 404
    with pytest.raises(NotFound):
        services.comment(again(carla), application_id, "summary", "summary", SAY)


def test_comments_work_without_a_script(app: Flask, draft: tuple[UUID, str]) -> None:
    application_id, reference = draft
    carla = member(application_id, Role.APPLICATION_EDITOR)
    client: FlaskClient = actors.client_of(app, actors.ana())
    page = f"/applications/{reference}/sections/summary/comments"

    answer = send(client, page, question="summary", comment="Shorter, please", tell=[str(carla.user_id)])
    assert (answer.status_code, answer.location) == (303, page)
    assert "Shorter, please" in text_of(client.get(page))
    assert "1 open comment" in text_of(client.get(f"/applications/{reference}"))
    assert "1 open comment on" in text_of(client.get(f"/applications/{reference}/sections/summary"))
    hers = actors.client_of(app, carla)
    assert send(hers, f"{page}/reply", page=page, comment="Done").status_code == 303
    assert send(hers, f"{page}/resolve", page=page).status_code == 303
    assert "Resolved by Carla Colleague" in text_of(client.get(page))
    assert send(client, f"{page}/reopen", page=page).status_code == 303
    empty = send(client, page, comment="")
    assert empty.status_code == 422
    lost = send(client, f"{page}/reply", page=page, comment="x" * 5_000)
    assert lost.status_code == 422 and "x" * 5_000 in text_of(lost)
    # The colleague was ticked; and whoever had spoken before, in the reply.
    assert len(mails("application_comment")) == 2


# --- who writes which part -------------------------------------------------------------------------------------------


def test_a_partner_writes_what_is_asked_of_them_and_nothing_else(draft: tuple[UUID, str]) -> None:
    application_id, reference = draft
    marek, other = partner(application_id, "summary"), other_section(reference)

    assert written(marek, application_id) == "By Marek Nowak"
    with pytest.raises(Refused, match="Nobody has asked you"):
        services.save_section(marek, application_id, other, SectionInput((), None, None))
    services.ask_to_write(actors.ana(), application_id, "summary", actors.ana().user_id)
    with pytest.raises(Refused, match="Ana Kowalska is asked to write this section"):
        services.save_answer(marek, application_id, "summary", AnswerInput("summary", ("Mine",), 1))
    with pytest.raises(Refused, match="lead and the editors"):
        services.edit_details(marek, application_id, DetailsInput("Mine"))


def test_an_editor_writes_everything_and_leads_nothing(draft: tuple[UUID, str]) -> None:
    application_id, _ = draft
    partner(application_id)
    carla = member(application_id, Role.APPLICATION_EDITOR)

    assert written(carla, application_id) == "By Carla Colleague"
    services.edit_details(carla, application_id, DetailsInput("Warm Blocks together"))
    view = queries.view_by_id(application_id)
    code = view.call.content.budget_rules.entered[0].code
    cells = tuple(Cell(each.organisation_id, code, euros(5)) for each in view.partners)
    services.save_budget(carla, application_id, BudgetInput(cells, None))
    assert queries.workplace(carla, view.reference).budget.totals.requested.cents > 0
    for deed in (
        lambda: services.submit(carla, application_id),
        lambda: services.invite_person(
            carla, application_id, PersonInput("x@example.eu", "X", Role.APPLICATION_EDITOR)
        ),
        lambda: services.hand_over(carla, application_id, carla.user_id),
    ):
        with pytest.raises((NotAllowed, NotFound)):
            deed()


@pytest.mark.parametrize("role", [Role.APPLICATION_READER, Role.APPLICATION_SIGNATORY])
def test_a_reader_and_a_signatory_change_no_answer(app: Flask, draft: tuple[UUID, str], role: Role) -> None:
    application_id, reference = draft
    carla = member(application_id, role)

    with pytest.raises((NotAllowed, NotFound)):
        written(carla, application_id)
    client = actors.client_of(app, carla)
    page = text_of(client.get(f"/applications/{reference}/sections/summary"))
    assert "you read and comment" in page
    assert "Save and" not in page
    assert queries.workplace(actors.ana(), reference).asked_of(carla.user_id) == ()


def test_who_was_invited_reads_and_does_nothing_before_joining(app: Flask, draft: tuple[UUID, str]) -> None:
    application_id, reference = draft
    carla = member(application_id, Role.APPLICATION_EDITOR, joined=False)

    for deed in (
        lambda: written(carla, application_id),
        lambda: services.comment(carla, application_id, "summary", "summary", SAY),
    ):
        with pytest.raises(Refused, match="Accept your invitation first"):
            deed()
    (asked,) = mails("application_person")
    assert asked["context"]["tasks"] == [{"key": "summary", "title": "Summary for everybody"}]  # type: ignore[index]  # a mail's facts
    # From the mail to the section in two clicks: the page of the section, then its button.
    client, page = actors.client_of(app, carla), f"/applications/{reference}/sections/summary"
    answer = send(client, f"/applications/{reference}/team/join", page=page)
    assert (answer.status_code, answer.location) == (303, page)
    assert written(again(carla), application_id) == "By Carla Colleague"


def test_an_invited_partner_accepts_in_the_section_asked_of_them(app: Flask, draft: tuple[UUID, str]) -> None:
    application_id, reference = draft
    marek = actors.marek()
    (southport,) = marek.organisation_ids
    other = other_section(reference)
    given = InviteInput("marek.nowak@example.eu", "Marek Nowak", southport, sections=(other,))
    services.invite(actors.ana(), application_id, given)

    page = f"/applications/{reference}/sections/{other}"
    answer = send(actors.client_of(app, again(marek)), f"/applications/{reference}/team/accept", page=page)

    assert (answer.status_code, answer.location) == (303, page)


def test_a_name_behind_an_address_is_not_told_before_its_owner_joins(draft: tuple[UUID, str]) -> None:
    application_id, reference = draft
    known = colleague("Secret Name")
    address = "secret.name@example.eu"
    services.invite_person(actors.ana(), application_id, PersonInput(address, "Somebody", Role.APPLICATION_EDITOR))

    names = {m.email: m.name for m in queries.workplace(actors.ana(), reference).team}
    assert names[address] == "Somebody"
    services.join(again(known), application_id)
    names = {m.email: m.name for m in queries.workplace(actors.ana(), reference).team}
    assert names[address] == "Secret Name"


def test_staff_and_who_is_here_already_are_not_invited(draft: tuple[UUID, str]) -> None:
    application_id, _ = draft
    carla, marek = member(application_id, Role.APPLICATION_EDITOR), partner(application_id)
    (southport,) = marek.organisation_ids

    for name, address in (
        ("Ana", "ana.kowalska"),
        ("Carla", "carla.colleague"),
        ("Marek", "marek.nowak"),
        ("Eli", "eli.eligible"),
    ):
        person = actors.eli().name if name == "Eli" else name
        email = f"{person.lower().replace(' ', '.')}@example.eu" if name == "Eli" else f"{address}@example.eu"
        with pytest.raises(Invalid):
            services.invite_person(actors.ana(), application_id, PersonInput(email, name, Role.APPLICATION_READER))
    with pytest.raises(Invalid, match="was not sent"):
        services.invite_person(actors.ana(), application_id, PersonInput("not a mail", "", Role.APPLICATION_READER))
    with pytest.raises(Invalid, match="Choose a role"):
        services.invite_person(actors.ana(), application_id, PersonInput("x@example.eu", "X", Role.APPLICATION_LEAD))
    assert carla.user_id and southport


# --- roles change ------------------------------------------------------------------------------------------------------


def test_a_role_is_changed_and_a_person_taken_out_and_nothing_they_wrote_is_lost(draft: tuple[UUID, str]) -> None:
    application_id, reference = draft
    carla = member(application_id, Role.APPLICATION_EDITOR)
    assert carla.user_id
    written(carla, application_id)

    services.change_role(actors.ana(), application_id, carla.user_id, Role.APPLICATION_READER)
    place = queries.workplace(actors.ana(), reference)
    assert [each.role for each in place.team] == [Role.APPLICATION_LEAD, Role.APPLICATION_READER]
    assert place.asked_of(carla.user_id) == ()
    with pytest.raises((NotAllowed, NotFound)):
        written(again(carla), application_id)
    services.remove_person(actors.ana(), application_id, carla.user_id)

    with pytest.raises(NotFound):
        queries.workplace(again(carla), reference)
    place = queries.workplace(actors.ana(), reference)
    assert place.dossier.section("summary").answers["summary"].text == "By Carla Colleague"
    assert len(place.team) == 1


def test_the_lead_is_handed_over_in_one_step_and_an_application_is_never_without_one(draft: tuple[UUID, str]) -> None:
    application_id, reference = draft
    ana, carla = actors.ana(), member(application_id, Role.APPLICATION_EDITOR)
    assert ana.user_id and carla.user_id

    for deed in (services.remove_person, services.hand_over):
        with pytest.raises(Refused, match="stays the lead"):
            deed(ana, application_id, ana.user_id)
    with pytest.raises(Refused, match="stays the lead"):
        services.change_role(ana, application_id, ana.user_id, Role.APPLICATION_READER)
    with pytest.raises(NotFound):
        services.leave(ana, application_id)
    services.hand_over(ana, application_id, carla.user_id)

    place = queries.workplace(again(carla), reference)
    assert {each.user_id: each.role for each in place.team} == {
        carla.user_id: Role.APPLICATION_LEAD,
        ana.user_id: Role.APPLICATION_EDITOR,
    }
    assert place.application.coordinator.contact_id == carla.user_id
    with pytest.raises((NotAllowed, NotFound)):
        services.invite_person(again(ana), application_id, PersonInput("x@example.eu", "X", Role.APPLICATION_READER))
    assert written(again(ana), application_id) == "By Ana Kowalska"


def test_the_lead_goes_only_to_somebody_of_the_leading_organisation_who_has_joined(draft: tuple[UUID, str]) -> None:
    application_id, _ = draft
    stranger = actors.actor(actors.person("Vera Visitor"))
    member(application_id, Role.APPLICATION_EDITOR, stranger)
    waiting = member(application_id, Role.APPLICATION_EDITOR, joined=False)
    marek = partner(application_id)
    assert stranger.user_id and waiting.user_id and marek.user_id

    with pytest.raises(Refused, match="not among the people of Municipality of Northbridge"):
        services.hand_over(actors.ana(), application_id, stranger.user_id)
    with pytest.raises(Refused, match="has not accepted"):
        services.hand_over(actors.ana(), application_id, waiting.user_id)
    with pytest.raises(Refused, match="speaks for Municipality of Southport"):
        services.hand_over(actors.ana(), application_id, marek.user_id)


def test_a_member_leaves_and_the_lead_is_told(draft: tuple[UUID, str]) -> None:
    application_id, reference = draft
    carla = member(application_id, Role.APPLICATION_EDITOR)

    services.leave(carla, application_id)

    with pytest.raises(NotFound):
        queries.workplace(again(carla), reference)
    (told,) = mails("application_left")
    assert told["user_id"] == str(actors.ana().user_id)


def test_a_section_is_asked_of_writers_only_and_they_are_told(app: Flask, draft: tuple[UUID, str]) -> None:
    application_id, reference = draft
    carla, reader = member(application_id, Role.APPLICATION_EDITOR), colleague("Rita Reader")
    member(application_id, Role.APPLICATION_READER, reader)
    other = other_section(reference)

    services.ask_to_write(actors.ana(), application_id, other, carla.user_id)
    with pytest.raises(Invalid, match="Nobody was asked"):
        services.ask_to_write(actors.ana(), application_id, other, reader.user_id)
    with pytest.raises(NotFound):
        services.ask_to_write(actors.ana(), application_id, "nowhere", carla.user_id)

    (told,) = mails("application_asked")
    assert told["user_id"] == str(carla.user_id)
    # A page made before that knows of nobody: the clash is told with the name, and a second press decides.
    client, page = actors.client_of(app, actors.ana()), f"/applications/{reference}/team"
    to, ana = f"/applications/{reference}/sections/{other}/ask", str(actors.ana().user_id)
    clash = send(client, to, page=page, person=ana, seen="")
    assert clash.status_code == 422 and f"{carla.name} was asked to write this section after" in text_of(clash)
    again_ = next(values for action, values in forms(check_page(clash)) if action == to)
    assert (again_["person"], again_["seen"]) == ([ana], [str(carla.user_id)])
    assert queries.workplace(actors.ana(), reference).dossier.section(other).asked_id == carla.user_id
    assert post(client, to, again_).status_code == 303
    assert queries.workplace(actors.ana(), reference).dossier.section(other).asked_id == actors.ana().user_id
    services.ask_to_write(actors.ana(), application_id, other, None)
    assert queries.workplace(actors.ana(), reference).dossier.section(other).asked_id is None


def test_after_the_deadline_the_team_stands_as_it_is(draft: tuple[UUID, str]) -> None:
    application_id, _ = draft
    carla = member(application_id, Role.APPLICATION_EDITOR)
    assert carla.user_id
    with clock.at(AFTER_CLOSING):
        for deed in (
            lambda: services.comment(carla, application_id, "summary", "summary", SAY),
            lambda: services.change_role(actors.ana(), application_id, carla.user_id, Role.APPLICATION_READER),
            lambda: services.hand_over(actors.ana(), application_id, carla.user_id),
            lambda: services.leave(carla, application_id),
        ):
            with pytest.raises(Refused, match="deadline was"):
                deed()


def test_the_team_page_does_all_of_it_by_forms(app: Flask, draft: tuple[UUID, str]) -> None:
    application_id, reference = draft
    client, page = actors.client_of(app, actors.ana()), f"/applications/{reference}/team"
    carla = colleague()

    answer = send(
        client, f"{page}/people", page=page,
        name="Carla Colleague", email="carla.colleague@example.eu", role="application_editor", sections=["summary"],
    )  # fmt: skip
    assert answer.status_code == 303
    shown = text_of(client.get(page))
    assert "Carla Colleague" in shown and "Invited" in shown
    assert send(client, f"/applications/{reference}/sections/summary/ask", page=page, person="").status_code == 303
    services.join(again(carla), application_id)
    assert send(client, f"{page}/role", page=page, role="application_signatory").status_code == 303
    assert "Signatory" in text_of(client.get(page))
    assert send(client, f"{page}/role", page=page, role="application_lead").status_code == 422
    wrong = send(client, f"{page}/people", page=page, name="", email="x")
    assert wrong.status_code == 422
    assert send(client, f"{page}/lead", page=page).status_code == 303
    hers = actors.client_of(app, again(carla))
    assert send(hers, f"{page}/people/remove", page=page).status_code == 303
    assert client.get(page).status_code in (403, 404)


def test_a_task_list_says_of_whom_each_section_is_asked(app: Flask, draft: tuple[UUID, str]) -> None:
    application_id, reference = draft
    partner(application_id, "summary")
    written(actors.ana(), application_id)

    root = check_page(actors.client_of(app, actors.ana()).get(f"/applications/{reference}"))

    shown = " ".join("".join(root.itertext()).split())
    assert "Asked of Marek Nowak." in shown
    assert "Ana Kowalska, " in shown


def test_a_page_of_the_team_asks_no_more_the_larger_the_team(draft: tuple[UUID, str]) -> None:
    application_id, reference = draft
    ana = actors.ana()
    with statements() as one:
        queries.workplace(ana, reference)
    for number in range(3):
        member(application_id, Role.APPLICATION_READER, colleague(f"Reader {number}"))
        services.comment(actors.ana(), application_id, "summary", "summary", SAY)
    with statements() as several:
        queries.workplace(ana, reference)

    assert len(several) == len(one)


def test_every_mail_of_the_team_can_be_written(draft: tuple[UUID, str]) -> None:
    application_id, _ = draft
    carla = member(application_id, Role.APPLICATION_EDITOR)
    partner(application_id, "summary")
    assert carla.user_id
    services.ask_to_write(actors.ana(), application_id, "summary", carla.user_id)
    services.comment(actors.ana(), application_id, "summary", "summary", CommentInput("Look", (carla.user_id,)))
    services.hand_over(actors.ana(), application_id, carla.user_id)
    services.leave(again(actors.ana()), application_id)

    asked = {
        row.args["template"]: identity.rendered_mail(
            UUID(row.args["user_id"]), row.args["template"], row.args["context"]
        )
        for row in db.session.scalars(select(Job).where(Job.args.has_key("template")))
    }
    assert {
        "application_person",
        "application_asked",
        "application_comment",
        "application_lead",
        "application_left",
    } <= set(asked)
    for template in ("application_person", "application_invitation", "application_asked"):
        assert "/sections/summary" in asked[template].text, template
    assert "/sections/summary/comments" in asked["application_comment"].text


def test_a_markup_is_shown_as_such_and_other_markup_as_text(app: Flask, draft: tuple[UUID, str]) -> None:
    application_id, reference = draft
    text = "Our **warm** homes:\n- one\n- two\n\n<script>alert(1)</script>"
    services.save_section(actors.ana(), application_id, "summary", SectionInput((Answer("summary", text),), None, None))

    body = actors.client_of(app, actors.ana()).get(f"/applications/{reference}/print").text

    assert "<strong>warm</strong>" in body
    assert "<li>one</li><li>two</li>" in body
    assert "&lt;script&gt;alert(1)" in body and "<script>alert" not in body


def test_the_history_of_the_team_tells_a_sitting_as_one(app: Flask, draft: tuple[UUID, str]) -> None:
    application_id, reference = draft
    for number in range(3):
        with clock.at(WHILE_OPEN + timedelta(minutes=1 + number)):
            given = AnswerInput("summary", (f"W{number}",), number)
            services.save_answer(actors.ana(), application_id, "summary", given)

    with clock.at(WHILE_OPEN + timedelta(minutes=9)):
        shown = text_of(actors.client_of(app, actors.ana()).get(f"/applications/{reference}/history"))

    assert shown.count("wrote an answer in application") == 1
    assert "and 2 more saves since" in shown


def test_whose_part_an_administrator_ended_may_be_invited_again(draft: tuple[UUID, str]) -> None:
    application_id, reference = draft
    carla = member(application_id, Role.APPLICATION_READER)
    part = db.session.scalars(
        select(RoleGrant.id).where(RoleGrant.user_id == carla.user_id, RoleGrant.object_id == application_id)
    ).one()
    people.end_assigned_role(actors.ada(), part)

    again_here = member(application_id, Role.APPLICATION_EDITOR, carla, joined=False)

    team = {each.user_id: each for each in queries.workplace(actors.ana(), reference).team}
    assert again_here.user_id is not None
    assert (team[again_here.user_id].role, team[again_here.user_id].joined) == (Role.APPLICATION_EDITOR, False)
