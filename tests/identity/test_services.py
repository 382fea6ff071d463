"""Acts of identity on a real database: people, roles by two administrators, bars, and the helpers later stages share."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from grants.core import clock, jobs
from grants.core.acts import act, arranging
from grants.core.audit import ActRow, AuditEvent, SecurityEvent
from grants.core.db import db, get
from grants.core.errors import Conflict, Invalid, NeedsFreshSignIn, NotAllowed, NotFound, Refused
from grants.core.jobs import Job, JobState
from grants.core.paging import Page
from grants.core.permissions import EVERYWHERE, Actor, Permission, Scope, system_actor
from grants.identity import policy, queries, services
from grants.identity.models import Membership, RoleGrant, SignInLink, User
from grants.identity.policy import Role
from grants.identity.rules import ColleagueInput, Joins, OrganisationInput, ProfileInput, RoleInput, UserInput, Where
from grants.identity.services import mails, passwords, sessions, signing_in
from grants.identity.states import OrganisationKind, RoleStanding
from tests import actors
from tests.factories import identity as factory

pytestmark = pytest.mark.usefixtures("app")

COMMAND_LINE = system_actor(
    "the command line", [Permission.USER_INVITE, Permission.ROLE_ASSIGN, Permission.USER_DISABLE]
)
NORTH = OrganisationInput("Municipality of Northbridge", OrganisationKind.MUNICIPALITY, "PL", synthetic=True)


@act("test.in_a_stage", needs=None, says="did a thing of the tests")
def in_a_stage(actor: Actor, step: str, user_id: UUID, thing: UUID) -> UUID | None:
    """What acts of later stages do with identity's plain helpers."""
    steps: dict[str, Callable[[], Any]] = {
        "give": lambda: services.give_role(user_id, Role.ASSIGNED_EVALUATOR, kind="application", object_id=thing),
        "end": lambda: services.end_role(user_id, Role.ASSIGNED_EVALUATOR, kind="application", object_id=thing),
        "bar": lambda: services.bar(user_id, "application", thing),
        "lift": lambda: services.lift_bar(user_id, "application", thing),
        "organisation": lambda: services.make_organisation(NORTH),
        "invite": lambda: services.find_or_invite("Marek@Example.EU", "Marek Nowak", thing),
        "guest": lambda: services.find_or_invite("sock@example.eu", "Sock", thing, joins=Joins.AS_GUEST),
        "staff": lambda: services.refuse_staff(user_id),
        "money": lambda: services.give_role(user_id, Role.AUTHORISING_OFFICER),
        "bad": lambda: services.make_organisation(OrganisationInput("", OrganisationKind.COMPANY, "Poland", pic="12")),
    }
    return cast(UUID | None, steps[step]())


def letters() -> list[tuple[str, str]]:
    rows = db.session.execute(select(Job.args).where(Job.name == "jobs.mail.send").order_by(Job.number)).scalars()
    return [(str(queries.person(UUID(args["user_id"])).email), args["template"]) for args in rows]


def test_a_role_holds_where_it_was_given_until_it_is_ended() -> None:
    eva, thing, other = actors.eva(), uuid4(), uuid4()
    assert eva.user_id is not None

    in_a_stage(eva, "give", eva.user_id, thing)

    held = queries.actor_for(eva.user_id)
    assert held.may(Permission.ASSESSMENT_SCORE, Scope.of(("application", thing)))
    assert not held.may(Permission.ASSESSMENT_SCORE, Scope.of(("application", other)))
    assert held.places(Permission.ASSESSMENT_SCORE, "application") == {thing}

    in_a_stage(eva, "end", eva.user_id, thing)

    assert not queries.actor_for(eva.user_id).can(Permission.ASSESSMENT_SCORE)


def test_a_role_given_twice_is_one_role() -> None:
    eva, thing = actors.eva(), uuid4()
    assert eva.user_id is not None

    first = in_a_stage(eva, "give", eva.user_id, thing)
    second = in_a_stage(eva, "give", eva.user_id, thing)

    assert first == second
    assert db.session.scalar(select(func.count()).where(RoleGrant.object_id == thing)) == 1


def test_a_bar_stands_before_every_role_until_it_is_lifted() -> None:
    eva, thing = actors.eva(), uuid4()
    assert eva.user_id is not None
    in_a_stage(eva, "give", eva.user_id, thing)

    in_a_stage(eva, "bar", eva.user_id, thing)

    barred = queries.actor_for(eva.user_id)
    assert not barred.may(Permission.ASSESSMENT_SCORE, Scope.of(("application", thing)))
    assert barred.barred("application") == {thing}
    assert queries.users_with(Permission.ASSESSMENT_SCORE, Scope.of(("application", thing))) == ()

    in_a_stage(eva, "lift", eva.user_id, thing)

    assert queries.actor_for(eva.user_id).barred("application") == frozenset()
    assert [
        found.name for found in queries.users_with(Permission.ASSESSMENT_SCORE, Scope.of(("application", thing)))
    ] == ["Eva Konstantin"]


def test_a_stage_cannot_give_a_role_that_moves_money() -> None:
    eva = actors.eva()
    assert eva.user_id is not None

    with pytest.raises(AssertionError, match="two administrators"):
        in_a_stage(eva, "money", eva.user_id, uuid4())


def test_a_stage_makes_an_organisation_and_invites_into_it() -> None:
    ana = actors.ana()
    assert ana.user_id is not None

    organisation = in_a_stage(ana, "organisation", ana.user_id, uuid4())
    assert organisation is not None
    marek = in_a_stage(ana, "invite", ana.user_id, organisation)
    again = in_a_stage(ana, "invite", ana.user_id, organisation)

    assert marek is not None
    assert again == marek
    assert queries.person(marek).organisation == NORTH.name
    assert queries.organisation(organisation).country_code == "PL"
    assert letters() == [("marek@example.eu", "invitation")]
    actor = queries.actor_for(marek)
    assert actor.can(Permission.APPLICATION_START)
    assert actor.places(Permission.ORGANISATION_EDIT, "organisation") == {organisation}


def test_nobody_joins_an_organisation_by_being_named() -> None:
    ana, marek = actors.ana(), actors.person("Marek Nowak")
    db.session.rollback()
    with arranging():
        get(User, marek).email = "marek@example.eu"
    organisation = actors.organisation("Municipality of Elsewhere")
    assert ana.user_id is not None

    assert in_a_stage(ana, "invite", ana.user_id, organisation) == marek
    assert db.session.scalar(select(func.count()).select_from(Membership).where(Membership.user_id == marek)) == 0


def test_a_guest_of_an_organisation_is_invited_and_may_nothing_in_it() -> None:
    ana, organisation = actors.ana(), actors.organisation("Municipality of Elsewhere")
    assert ana.user_id is not None

    sock = in_a_stage(ana, "guest", ana.user_id, organisation)

    assert sock is not None
    actor = queries.actor_for(sock)
    assert (actor.roles, actor.organisation_ids) == ((), frozenset())
    assert not actor.can(Permission.ORGANISATION_EDIT) and not actor.can(Permission.APPLICATION_START)
    assert letters() == [("sock@example.eu", "invitation")]


def test_who_works_for_the_programme_or_evaluates_is_in_no_team_of_an_applicant() -> None:
    ana, noa = actors.ana(), actors.nobody()
    assert ana.user_id is not None and noa.user_id is not None
    staff = {role: who().user_id for role, who in actors.BY_ROLE.items() if role is not Role.APPLICANT}

    for user_id in staff.values():
        assert user_id is not None
        with pytest.raises(Invalid, match="cannot take part in an application"):
            in_a_stage(ana, "staff", user_id, uuid4())
    for user_id in (ana.user_id, noa.user_id):
        in_a_stage(ana, "staff", user_id, uuid4())

    services.assign_role(actors.ada(), noa.user_id, RoleInput(Role.AUTHORISING_OFFICER))
    with pytest.raises(Invalid):
        in_a_stage(ana, "staff", noa.user_id, uuid4())


def test_the_people_of_an_organisation_do_not_say_what_kind_it_is() -> None:
    ana, ingrid = actors.ana(), actors.ingrid()
    (northbridge,) = ana.organisation_ids
    wanted = dataclasses.replace(NORTH, kind=OrganisationKind.PROGRAMME)

    with pytest.raises(Refused, match="kind of organisation"):
        services.edit_organisation(ana, northbridge, wanted)

    assert queries.organisation(northbridge).kind is OrganisationKind.MUNICIPALITY
    assert services.edit_organisation(ingrid, northbridge, wanted).kind is OrganisationKind.PROGRAMME


def test_an_organisation_with_wrong_details_is_refused_field_by_field() -> None:
    ana = actors.ana()
    assert ana.user_id is not None

    with pytest.raises(Invalid) as refused:
        in_a_stage(ana, "bad", ana.user_id, uuid4())
    assert set(refused.value.problems) == {"name", "country_code", "pic"}


# ---- People ----


def test_the_first_administrator_is_added_at_the_server_with_a_link() -> None:
    added = services.add_user(COMMAND_LINE, UserInput("Ada Admin", "ada@example.eu", (Role.ADMINISTRATOR,)))

    assert added.link_id is not None
    assert queries.sign_in_address(added.link_id).startswith("http://127.0.0.1:8000/invitation/")
    assert queries.actor_for(added.user_id).everywhere(Permission.ROLE_ASSIGN)
    assert letters() == []


def test_a_money_role_given_at_the_server_still_waits_for_an_administrator() -> None:
    added = services.add_user(COMMAND_LINE, UserInput("Otto", "otto@example.eu", (Role.AUTHORISING_OFFICER,)))

    assert queries.actor_for(added.user_id).roles == ()
    assert [view.standing for _, view in queries.roles_waiting(actors.ada())] == [RoleStanding.WAITING]


def test_an_invitation_is_mailed_and_can_be_sent_again() -> None:
    ada = actors.ada()

    user_id = services.invite_user(ada, UserInput("Pia Officer", "Pia@Example.eu", (Role.PROJECT_OFFICER,)))
    services.invite_again(ada, user_id)

    assert letters() == [("pia@example.eu", "invitation"), ("pia@example.eu", "invitation")]
    assert queries.user(ada, "pia-officer").invited_only


def test_an_address_is_used_once() -> None:
    ada = actors.ada()
    services.invite_user(ada, UserInput("Pia Officer", "pia@example.eu"))

    with pytest.raises(Invalid, match="here already"):
        services.invite_user(ada, UserInput("Another Pia", "PIA@example.eu"))


def test_two_people_of_one_name_have_two_handles() -> None:
    ada = actors.ada()
    services.invite_user(ada, UserInput("Pia Officer", "pia@example.eu"))
    services.invite_user(ada, UserInput("Pia Officer", "pia2@example.eu"))

    assert {row.handle for row in queries.users(ada, Page(), search="pia").items} == {"pia-officer", "pia-officer-2"}


def test_inviting_with_roles_needs_the_right_to_give_them() -> None:
    inviter = Actor(uuid4(), "Inviter", frozenset({(Permission.USER_INVITE.value, EVERYWHERE)}))

    with pytest.raises(NotAllowed, match="role:assign"):
        services.invite_user(inviter, UserInput("Pia", "pia@example.eu", (Role.AUDITOR,)))
    with pytest.raises(NotAllowed):
        services.invite_user(actors.ingrid(), UserInput("Pia", "pia@example.eu"))


def test_demo_people_exist_only_in_the_demo(app: Flask) -> None:
    app.config["GRANTS_DEMO"] = False

    with pytest.raises(Refused, match="GRANTS_DEMO"):
        services.add_user(COMMAND_LINE, UserInput("Demo", "demo@example.eu", is_demo=True))


def test_disabling_needs_a_reason_and_another_person() -> None:
    ada, pia = actors.ada(), actors.pia()
    assert pia.user_id is not None and ada.user_id is not None

    with pytest.raises(Invalid):
        services.disable_user(ada, pia.user_id, reason=" ")
    with pytest.raises(Refused, match="disable yourself"):
        services.disable_user(ada, ada.user_id, reason="tired")

    services.disable_user(ada, pia.user_id, reason="left the programme")

    with pytest.raises(NotFound):
        queries.actor_for(pia.user_id)
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.verb == "user.disable")).one()
    assert (event.object_id, event.reason) == (pia.user_id, "left the programme")

    services.enable_user(ada, pia.user_id)

    assert queries.actor_for(pia.user_id).roles == ("project_officer",)


def test_the_last_administrator_stays() -> None:
    ada = actors.ada()
    assert ada.user_id is not None
    grant = db.session.scalars(select(RoleGrant).where(RoleGrant.user_id == ada.user_id)).one()

    with pytest.raises(Refused, match="last administrator"):
        services.end_assigned_role(ada, grant.id)
    with pytest.raises(Refused, match="last administrator"):
        services.disable_user(COMMAND_LINE, ada.user_id, reason="a mistake")

    actors.adam()
    services.end_assigned_role(ada, grant.id)

    assert queries.actor_for(ada.user_id).roles == ()


# ---- Roles by two administrators (money_and_trust.md 11 and 13, item 21) ----


def test_nobody_gives_a_role_to_themselves_and_the_try_is_on_record() -> None:
    ada = actors.ada()
    assert ada.user_id is not None

    with pytest.raises(Refused, match="to yourself"):
        services.assign_role(ada, ada.user_id, RoleInput(Role.AUTHORISING_OFFICER))

    assert queries.actor_for(ada.user_id).roles == ("administrator",)
    noted = db.session.scalars(select(SecurityEvent)).one()
    assert (noted.kind, noted.user_id, noted.detail["verb"]) == ("act.refused", ada.user_id, "role.assign")


def test_a_money_role_holds_only_after_a_second_administrator() -> None:
    ada, adam, noa = actors.ada(), actors.adam(), actors.nobody()
    assert noa.user_id is not None

    grant = services.assign_role(ada, noa.user_id, RoleInput(Role.AUTHORISING_OFFICER))

    assert not queries.actor_for(noa.user_id).can(Permission.PAYMENT_ORDER_AUTHORISE)
    with pytest.raises(Refused, match="assigned this role yourself"):
        services.confirm_role(ada, grant)

    services.confirm_role(adam, grant)

    assert queries.actor_for(noa.user_id).everywhere(Permission.PAYMENT_ORDER_AUTHORISE)
    with pytest.raises(Refused, match="does not wait"):
        services.confirm_role(adam, grant)


def test_one_administrator_alone_makes_no_second_one() -> None:
    ada, noa = actors.ada(), actors.nobody()
    assert noa.user_id is not None

    invited = services.invite_user(ada, UserInput("Puppet", "puppet@example.eu", (Role.ADMINISTRATOR,)))
    grant = services.assign_role(ada, noa.user_id, RoleInput(Role.ADMINISTRATOR))

    assert queries.actor_for(invited).roles == queries.actor_for(noa.user_id).roles == ()
    with pytest.raises(Refused, match="assigned this role yourself"):
        services.confirm_role(ada, grant)

    services.confirm_role(actors.adam(), grant)

    assert queries.actor_for(noa.user_id).roles == ("administrator",)


def test_the_server_makes_the_first_two_administrators_and_no_third() -> None:
    made = [
        services.add_user(COMMAND_LINE, UserInput(name, f"{name}@example.eu", (Role.ADMINISTRATOR,))).user_id
        for name in ("one", "two", "three")
    ]

    assert [queries.actor_for(user_id).roles for user_id in made] == [("administrator",), ("administrator",), ()]


def test_whom_one_administrator_alone_made_confirms_nothing_of_theirs() -> None:
    ada, noa = actors.ada(), actors.nobody()
    assert noa.user_id is not None
    with arranging():
        puppet = factory.user("Puppet").id
        # As it was possible before a second administrator had to agree.
        factory.role(puppet, Role.ADMINISTRATOR, assigned_by=ada.user_id)
    grant = services.assign_role(ada, noa.user_id, RoleInput(Role.FINANCE_VERIFIER))

    with pytest.raises(Refused, match="also made you administrator"):
        services.confirm_role(actors.actor(puppet), grant)
    services.confirm_role(actors.adam(), grant)


def test_adding_somebody_with_roles_asks_for_a_fresh_proof() -> None:
    ada = actors.ada()
    assert ada.user_id is not None
    stale = actors.actor(ada.user_id, fresh=False)
    with_role = UserInput("Pia Officer", "pia@example.eu", (Role.AUDITOR,))

    for deed in (services.invite_user, services.add_user):
        with pytest.raises(NeedsFreshSignIn):
            deed(stale, with_role)
    services.invite_user(stale, dataclasses.replace(with_role, roles=()))


def test_a_role_withdrawn_is_not_confirmed() -> None:
    ada, adam, noa = actors.ada(), actors.adam(), actors.nobody()
    assert noa.user_id is not None
    grant = services.assign_role(ada, noa.user_id, RoleInput(Role.FINANCE_VERIFIER))
    services.end_assigned_role(ada, grant)

    with pytest.raises(Refused, match="has ended"):
        services.confirm_role(adam, grant)


def test_roles_that_must_stay_apart_are_refused_when_confirmed_too() -> None:
    ada, adam, noa = actors.ada(), actors.adam(), actors.nobody()
    assert noa.user_id is not None
    services.assign_role(ada, noa.user_id, RoleInput(Role.AUTHORISING_OFFICER))

    with pytest.raises(Refused, match="cannot be both authorising officer and accounting officer"):
        services.assign_role(ada, noa.user_id, RoleInput(Role.ACCOUNTING_OFFICER))

    with arranging():
        waiting = factory.role(noa.user_id, Role.ACCOUNTING_OFFICER, waiting=True).id
    with pytest.raises(Refused, match="cannot be both"):
        services.confirm_role(adam, waiting)


def test_giving_and_confirming_ask_for_a_fresh_proof() -> None:
    ada, noa = actors.ada(), actors.nobody()
    assert noa.user_id is not None and ada.user_id is not None
    stale = actors.actor(ada.user_id, fresh=False)

    with pytest.raises(NeedsFreshSignIn):
        services.assign_role(stale, noa.user_id, RoleInput(Role.AUDITOR))
    with pytest.raises(NeedsFreshSignIn):
        services.confirm_role(stale, uuid4())


def test_others_neither_give_confirm_nor_end_roles() -> None:
    noa = actors.nobody()
    assert noa.user_id is not None

    for who in (actors.ingrid(), actors.otto(), actors.nuria(), actors.ana()):
        with pytest.raises(NotAllowed):
            services.assign_role(who, noa.user_id, RoleInput(Role.AUDITOR))
        with pytest.raises(NotAllowed):
            services.confirm_role(who, uuid4())
        with pytest.raises(NotAllowed):
            services.end_assigned_role(who, uuid4())


def test_a_role_with_an_end_stops_by_itself() -> None:
    ada, noa = actors.ada(), actors.nobody()
    assert noa.user_id is not None
    until = clock.now() + timedelta(days=1)
    services.assign_role(ada, noa.user_id, RoleInput(Role.AUDITOR, until))

    assert queries.actor_for(noa.user_id).roles == ("auditor",)
    with clock.at(until):
        assert queries.actor_for(noa.user_id).roles == ()


def test_a_role_cannot_end_in_the_past() -> None:
    ada, noa = actors.ada(), actors.nobody()
    assert noa.user_id is not None

    with pytest.raises(Invalid):
        services.assign_role(ada, noa.user_id, RoleInput(Role.AUDITOR, clock.now()))


@pytest.mark.parametrize("column", ["assigned_by", "confirmed_by"])
def test_the_database_refuses_a_role_given_or_confirmed_by_its_holder(column: str) -> None:
    noa = actors.nobody()
    assert noa.user_id is not None

    with pytest.raises(IntegrityError, match=r"not_to_oneself|second_person"), arranging():
        grant = factory.role(noa.user_id, Role.AUTHORISING_OFFICER, waiting=True)
        setattr(grant, column, noa.user_id)
        if column == "confirmed_by":
            grant.confirmed_at = clock.now()


# ---- Profile and organisation ----


def test_people_change_their_own_name_and_see_when_somebody_else_did() -> None:
    ana = actors.ana()
    version = queries.own(ana).version

    services.edit_profile(ana, ProfileInput("Ana\r\nNowa", "Climate officer", "+48 1"), version=version)

    assert (queries.own(ana).name, queries.own_phone(ana)) == ("Ana Nowa", "+48 1")
    with pytest.raises(Conflict):
        services.edit_profile(ana, ProfileInput("Other"), version=version)


def test_the_record_of_a_name_is_a_digest() -> None:
    ana = actors.ana()
    services.edit_profile(ana, ProfileInput("Ana Nowa"))

    event = db.session.scalars(select(AuditEvent).where(AuditEvent.verb == "profile.edit")).one()
    assert [text[:7] for text in event.changes["name"]] == ["sha256:", "sha256:"]


def test_an_organisation_is_edited_by_its_own_people_only() -> None:
    ana, marek = actors.ana(), actors.marek()
    (own,) = ana.organisation_ids

    changed = services.edit_organisation(ana, own, NORTH)

    assert changed.name == "Municipality of Northbridge"
    with pytest.raises(NotFound):
        services.edit_organisation(marek, own, NORTH)
    with pytest.raises(NotAllowed):
        services.edit_organisation(actors.nobody(), own, NORTH)
    services.edit_organisation(actors.ingrid(), own, NORTH)


# ---- Acts around secrets ----


@pytest.mark.parametrize(
    "function",
    [
        mails._note_reading,
        passwords._change_password,
        passwords._request_reset,
        passwords._set_password_by_link,
        signing_in._note_proof,
        signing_in._start_session,
        sessions.end_other_sessions,
        sessions.end_session,
        sessions.sign_out,
    ],
)
def test_an_act_around_a_secret_neither_takes_nor_gives_it(function: Callable[..., None]) -> None:
    """An act's input is hashed and its result kept where a form sends a key: no password and no token may be in either."""
    signature = inspect.signature(inspect.unwrap(function))

    assert signature.return_annotation == "None"
    assert set(signature.parameters) & {"password", "new", "current", "token"} == set()


def test_every_act_around_a_secret_is_on_record_as_the_person() -> None:
    where, ana, ada = Where("192.0.2.1", "a browser"), actors.ana(), actors.ada()
    assert ana.user_id is not None
    tokens = [services.sign_in("ana.kowalska@example.eu", factory.PASSWORD, where) for _ in range(3)]
    found = [queries.live_session(token, clock.now()) for token in tokens]
    assert len(found) == 3 and all(found)
    here = queries.actor_for(ana.user_id, session_id=found[0].id if found[0] else None)

    services.end_session(here, found[1].id if found[1] else uuid4())
    services.end_other_sessions(here)
    services.confirm_password(here, factory.PASSWORD, where)
    services.sign_out(here)
    services.change_password(here, factory.PASSWORD, "seven green lamps burn", where)
    services.request_reset("ana.kowalska@example.eu", where)
    link = db.session.scalars(select(SignInLink.id).where(SignInLink.withdrawn_at.is_(None))).one()
    services.set_password_by_link(queries.sign_in_address(link).rpartition("/")[2], "eight blue lamps burn")
    services.open_mail(ada, db.session.scalars(select(Job.number).order_by(Job.number)).first() or 0)

    db.session.rollback()
    acts = db.session.execute(select(ActRow.verb, ActRow.user_id, ActRow.result).order_by(ActRow.done_at)).all()
    assert [tuple(act) for act in acts] == [
        ("session.start", ana.user_id, None),
        ("session.start", ana.user_id, None),
        ("session.start", ana.user_id, None),
        ("session.end_other", ana.user_id, None),
        ("session.end_all_others", ana.user_id, None),
        ("session.prove", ana.user_id, None),
        ("session.end", ana.user_id, None),
        ("password.change", ana.user_id, None),
        ("password.request_reset", None, None),
        ("password.set_by_link", ana.user_id, None),
        ("mail.open", ada.user_id, None),
    ]
    assert [queries.live_session(token, clock.now()) for token in tokens] == [None, None, None]


# ---- Who belongs to an organisation ----


def test_somebody_of_an_organisation_adds_a_colleague_and_everybody_there_is_told() -> None:
    ana = actors.ana()
    (northbridge,) = ana.organisation_ids

    made = services.add_colleague(ana, northbridge, ColleagueInput("Sid Mayor", "Sid.Mayor@Example.EU"))

    assert {each.id for each in queries.members(northbridge)} == {ana.user_id, made}
    sent = db.session.execute(
        select(Job.args["template"].astext, Job.args["user_id"].astext).where(Job.name.startswith("jobs.mail."))
    ).all()
    assert sorted(tuple(each) for each in sent) == sorted(
        [("invitation", str(made)), ("organisation_joined", str(made)), ("organisation_joined", str(ana.user_id))]
    )
    with pytest.raises(Invalid):
        services.add_colleague(ana, northbridge, ColleagueInput("Sid Mayor", "sid.mayor@example.eu"))


def test_nobody_adds_people_to_an_organisation_of_others() -> None:
    (northbridge,) = actors.ana().organisation_ids
    values = ColleagueInput("Petra Puppet", "puppet@private.example")

    for outsider in (actors.pia(), actors.zoe(), actors.nuria()):
        with pytest.raises(NotAllowed):
            services.add_colleague(outsider, northbridge, values)
    assert queries.person_by_email("puppet@private.example") is None


def test_who_has_an_account_is_drawn_into_an_organisation_by_an_administrator_only() -> None:
    ana = actors.ana()
    (northbridge,) = ana.organisation_ids
    mila = actors.person("Mila Novak", Role.APPLICANT, organisation_name=actors.SOUTHPORT)
    values = ColleagueInput("Mila Novak", queries.person(mila).email)
    staff = ColleagueInput("Pia", queries.person(actors.pia().user_id or mila).email)

    for given in (values, staff):
        with pytest.raises(Invalid, match="Nobody was added"):
            services.add_colleague(ana, northbridge, given)
    with pytest.raises(Invalid, match="cannot take part"):
        services.add_colleague(actors.ada(), northbridge, staff)
    services.add_colleague(actors.ada(), northbridge, values)

    assert {each.id for each in queries.members(northbridge)} == {ana.user_id, mila}


# ---- Links for a new password where no mail leaves ----


@pytest.mark.parametrize("role", [role for role in Role if policy.needs_confirmation(role)])
def test_no_administrator_reads_the_reset_link_of_who_holds_a_role_that_two_of_them_give(role: Role) -> None:
    person = actors.person("Ida Holder", role)
    services.request_reset(queries.person(person).email, Where("192.0.2.1", "a browser"))
    number = db.session.scalars(select(Job.number).where(Job.args["template"].astext == "password_reset")).one()

    with pytest.raises(NotAllowed, match="Set a mail server"):
        services.open_mail(actors.ada(), number)

    assert [row.guarded for row in queries.mails(actors.ada()).items if row.number == number] == [True]


@act("test_outside.write", needs=Permission.USER_INVITE, says="wrote to an address outside")
def _write_outside(actor: Actor, context: dict[str, str] | None) -> None:
    jobs.queue("jobs.mail.send_outside", address="court@example.eu", template="checkpoint", context=context)


def test_a_mail_to_an_address_outside_is_listed_and_read_on_the_record(app: Flask) -> None:
    ada = actors.ada()
    _write_outside(ada, {"note": "a note", "file_name": "checkpoint.txt"})
    (row,) = (row for row in queries.mails(ada).items if row.address is not None)

    letter = services.open_mail(ada, row.number)
    with pytest.raises(NotAllowed):
        mails._note_reading_outside(actors.ana(), row.number)

    assert (row.to, row.address, letter.to) == (None, "court@example.eu", "court@example.eu")
    # It waits still, and the list says already what it will be called.
    assert row.subject == letter.subject == "Checkpoint of the record of Pilot Grants"
    assert "a note" in letter.text
    verb, reason = db.session.execute(
        select(AuditEvent.verb, AuditEvent.reason).order_by(AuditEvent.recorded_at.desc()).limit(1)
    ).one()
    assert (verb, reason) == ("mail.open_outside", f"mail {row.number}, checkpoint, to court@example.eu")
    assert "court@example.eu" in actors.client_of(app, ada).get("/admin/mail").get_data(as_text=True)

    # One that nobody can write hides no other; what waits no longer is not written again to name it.
    with arranging():
        job = db.session.scalars(select(Job).where(Job.number == row.number)).one()
        job.state, job.error, job.finished_at = JobState.FAILED.value, "No mail server answers.", clock.now()
    _write_outside(ada, None)
    assert [each.subject for each in queries.mails(ada).items if each.address] == [None, None]
    assert "Checkpoint" in actors.client_of(app, ada).get("/admin/mail").get_data(as_text=True)
