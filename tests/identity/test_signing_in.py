"""Signing in through HTTP as strangers, people and attackers try it (money_and_trust.md 8 and 13, items 52, 55, 56)."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from grants.core import clock
from grants.core.acts import arranging
from grants.core.audit import ActKey, ActRow, AuditEvent, SecurityEvent
from grants.core.db import db
from grants.core.jobs import Job
from grants.core.permissions import Permission
from grants.identity import queries, rules, services
from grants.identity.models import SignInAttempt, SignInLink, User, UserSession
from grants.identity.policy import Role
from grants.identity.rules import Counter, UserInput
from grants.identity.services import passwords, signing_in
from tests import actors
from tests.factories import identity as factory
from tests.factories.identity import PASSWORD
from tests.identity.conftest import OWN
from tests.statements import statements

NEW = "seven green lamps burn"
WRONG = "The e-mail address or the password is not right. Check both, or ask for a new password."
ANA = "ana.kowalska@example.eu"


def sign_in(client: FlaskClient, email: str = ANA, password: str = PASSWORD, **more: object) -> TestResponse:
    return client.post("/sign-in", data={"email": email, "password": password, **more})


def sentence(answer: TestResponse) -> str:
    """What the page says is wrong."""
    found = re.search(r'error-summary__list">\s*<li>(?:<a[^>]*>)?([^<]*)', answer.text)
    return found[1] if found else ""


def link_of(user_id: UUID) -> str:
    """The path of the newest link of a person, as a mail would carry it."""
    db.session.rollback()
    link = db.session.scalars(
        select(SignInLink).where(SignInLink.user_id == user_id, SignInLink.withdrawn_at.is_(None))
        .order_by(SignInLink.expires_at.desc())
    ).first()  # fmt: skip
    assert link is not None
    address = queries.sign_in_address(link.id, link.purpose)
    return address.removeprefix("http://127.0.0.1:8000")


def security() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(SecurityEvent.kind).order_by(SecurityEvent.recorded_at, SecurityEvent.kind)))


# ---- The way in and out ----


def test_a_password_is_kept_at_the_cost_of_the_program_and_hashed_anew_where_it_was_cheaper(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one test of these that signs in at the full cost; what was kept cheaper is kept at it from then on."""
    ana = actors.ana().user_id
    monkeypatch.setattr(passwords, "hasher", OWN)
    monkeypatch.setattr(signing_in, "hasher", OWN)

    assert sign_in(client).status_code == 303

    kept = db.session.scalars(select(User.password_hash).where(User.id == ana)).one()
    assert kept is not None and kept.startswith("$argon2id$v=19$m=47104,t=2,p=1$")
    assert OWN.verify(kept, PASSWORD)


def test_a_person_signs_in_and_comes_to_the_page_they_wanted(client: FlaskClient) -> None:
    actors.ana()

    answer = client.post(
        "/sign-in?next=/profile/sessions", data={"email": " Ana.Kowalska@Example.EU ", "password": PASSWORD}
    )

    assert (answer.status_code, answer.location) == (303, "/profile/sessions")
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert "Where you are signed in" in client.get("/profile/sessions").text


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "/%09/evil.example"])
def test_nobody_is_sent_to_another_site(client: FlaskClient, target: str) -> None:
    actors.ana()

    answer = client.post(f"/sign-in?next={target}", data={"email": ANA, "password": PASSWORD})

    assert answer.status_code == 303
    assert answer.location in {"/home", "/profile"} or answer.location == "/%09/evil.example"
    assert not answer.location.startswith(("//", "http", "/\\"))


def test_signing_out_ends_the_session_in_the_database(app: Flask, client: FlaskClient) -> None:
    actors.sign_in(client, actors.ana().user_id)
    with client.session_transaction() as cookie:
        stolen = dict(cookie)

    assert client.post("/sign-out").location == "/sign-in"

    thief = app.test_client()
    with thief.session_transaction() as cookie:
        cookie.update(stolen)
    assert thief.get("/profile").location == "/sign-in?next=/profile"


def test_signing_out_is_no_get(client: FlaskClient) -> None:
    actors.sign_in(client, actors.ana().user_id)

    assert client.get("/sign-out").status_code == 405
    assert client.get("/profile").status_code == 200


def test_each_sign_in_is_a_new_session_and_replaces_the_browsers_old_one(client: FlaskClient) -> None:
    actors.ana()
    sign_in(client)
    with client.session_transaction() as cookie:
        first = cookie["_user_id"]
        cookie["planted"] = "by somebody else"

    sign_in(client)

    with client.session_transaction() as cookie:
        assert cookie["_user_id"] != first
        assert "planted" not in cookie
    assert queries.live_session(first, clock.now()) is None


def test_the_token_is_nowhere_in_the_database(client: FlaskClient) -> None:
    actors.ana()
    sign_in(client, act_key="a key of the attacker's choice")
    with client.session_transaction() as cookie:
        token = cookie["_user_id"]

    stored = db.session.scalars(select(UserSession)).one()
    assert stored.token_hash == rules.token_hash(token)
    assert db.session.scalar(select(func.count()).select_from(ActKey)) == 0
    assert [row.result for row in db.session.scalars(select(ActRow))] == [None]


def test_signing_in_is_on_record_as_the_person(client: FlaskClient) -> None:
    ana = actors.ana().user_id
    sign_in(client)

    event = db.session.scalars(select(AuditEvent)).one()
    assert (event.verb, event.user_id, event.object_kind, event.object_id) == (
        "session.start",
        ana,
        "user_account",
        ana,
    )


# ---- Who tries to get in ----


def test_a_stranger_learns_nothing_about_who_has_an_account(client: FlaskClient) -> None:
    actors.ana()
    disabled = actors.pia().user_id
    assert disabled is not None
    services.disable_user(actors.ada(), disabled, reason="left")
    services.invite_user(actors.ada(), UserInput("Not Yet", "not.yet@example.eu"))

    answers = [
        sign_in(client, email, password)
        for email, password in [
            (ANA, "not the password"),
            ("unknown@example.eu", PASSWORD),
            ("pia.officer@example.eu", PASSWORD),
            ("not.yet@example.eu", PASSWORD),
            ("no address", PASSWORD),
            (ANA, "x" * 5_000),
        ]
    ]

    assert {(answer.status_code, sentence(answer)) for answer in answers} == {(422, WRONG)}


def test_an_unknown_address_takes_the_same_work_as_a_known_one(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    actors.ana()
    verified: list[str] = []
    verify = type(passwords.hasher).verify
    monkeypatch.setattr(
        type(passwords.hasher),
        "verify",
        lambda self, stored, typed: verified.append(stored.rsplit("$", 2)[0]) or verify(self, stored, typed),
    )

    sign_in(client, ANA, "not the password")
    sign_in(client, "unknown@example.eu", "not the password")

    assert len(verified) == 2
    assert verified[0] == verified[1]  # algorithm and parameters


def test_twenty_wrong_passwords_are_slowed_then_blocked(client: FlaskClient) -> None:
    actors.ana()
    start = clock.now()

    with clock.at(start):
        answers = [sentence(sign_in(client, password=f"wrong number {number}")) for number in range(20)]
        right = sign_in(client)

    assert answers[:5] == [WRONG] * 5
    assert {answer.partition(" Wait until")[0] for answer in answers[5:]} == {"There were too many tries."}
    assert right.status_code == 422
    kinds = security()
    assert (kinds.count("sign_in.failed"), kinds.count("sign_in.blocked")) == (5, 16)


def test_twenty_wrong_passwords_before_a_dangerous_act_are_slowed_then_blocked_as_well(client: FlaskClient) -> None:
    """Who has somebody's open session does not try passwords there until one is right."""
    actors.sign_in(client, actors.ana().user_id)
    start = clock.now()

    with clock.at(start + timedelta(minutes=11)):
        for number in range(20):
            wrong = {"next": "/profile", "password": f"wrong number {number}"}
            assert client.post("/confirm-password", data=wrong).status_code == 422
        right = client.post("/confirm-password", data={"next": "/profile", "password": PASSWORD})
        elsewhere = sign_in(client.application.test_client())

    assert "There were too many tries." in right.text
    assert (right.status_code, elsewhere.status_code) == (422, 422)
    assert security().count("sign_in.blocked") == 17


def test_after_the_wait_the_right_password_works_and_clears_the_counter(client: FlaskClient) -> None:
    actors.ana()
    start = clock.now()
    with clock.at(start):
        for number in range(6):
            sign_in(client, password=f"wrong number {number}")

    with clock.at(start + timedelta(seconds=31)):
        assert sign_in(client).status_code == 303

    counters = db.session.scalars(select(SignInAttempt.subject)).all()
    assert [name.partition(":")[0] for name in counters] == ["address"]


def test_unknown_addresses_are_blocked_in_the_same_words(client: FlaskClient) -> None:
    with clock.at(clock.now()):
        answers = [sentence(sign_in(client, "unknown@example.eu", "guess")) for _ in range(7)]

    assert answers[:5] == [WRONG] * 5
    assert answers[5].startswith("There were too many tries. Wait until")


def test_one_address_trying_many_accounts_is_blocked(client: FlaskClient) -> None:
    start = clock.now()
    with arranging():
        key = rules.counter_key(Counter.ADDRESS, "127.0.0.1")
        db.session.add(SignInAttempt(subject=key, failures=28, tried_at=start, blocked_until=None))

    with clock.at(start):
        answers = [sentence(sign_in(client, f"person{number}@example.eu", "guess")) for number in range(3)]

    assert answers[:2] == [WRONG, WRONG]
    assert answers[2].startswith("There were too many tries.")


def test_counters_are_forgotten_after_a_day(client: FlaskClient) -> None:
    sign_in(client, "unknown@example.eu", "guess")

    assert services.sweep() == 0
    with clock.at(clock.now() + timedelta(days=1, minutes=1)):
        assert services.sweep() == 2


def test_a_form_without_its_token_is_refused(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    actors.ana()

    answer = sign_in(app.test_client())

    assert answer.status_code == 400
    assert "came from another site" in answer.text


@pytest.mark.parametrize(
    "path", ["/sign-out", "/profile", "/profile/password", "/demo", "/admin/roles", "/confirm-password"]
)
def test_every_other_form_asks_for_its_token_too(app: Flask, path: str) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    client = actors.client_of(app, actors.ada())

    assert client.post(path, data={"csrf_token": "forged"}).status_code == 400


# ---- How long a session lives ----


@pytest.mark.parametrize(("idle", "lives"), [(timedelta(minutes=119), True), (timedelta(hours=2), False)])
def test_a_session_ends_after_two_hours_without_use(client: FlaskClient, idle: timedelta, lives: bool) -> None:
    start = clock.now()
    with clock.at(start):
        actors.sign_in(client, actors.ana().user_id)

    with clock.at(start + idle):
        assert (client.get("/profile").status_code == 200) is lives
        if not lives:
            assert "Your session has ended" in client.get("/sign-in").text


def test_a_session_ends_twelve_hours_after_it_began_however_busy(client: FlaskClient) -> None:
    start = clock.now()
    with clock.at(start):
        actors.sign_in(client, actors.ana().user_id)

    for hour in range(1, 12):
        with clock.at(start + timedelta(hours=hour)):
            assert client.get("/profile").status_code == 200
    with clock.at(start + timedelta(hours=12)):
        assert client.get("/profile").status_code == 303


def test_last_seen_is_written_at_most_once_a_minute(client: FlaskClient) -> None:
    start = clock.now()
    with clock.at(start):
        actors.sign_in(client, actors.ana().user_id)

    for seconds in (10, 59, 60, 70):
        with clock.at(start + timedelta(seconds=seconds)):
            client.get("/profile")

    db.session.rollback()
    assert db.session.scalars(select(UserSession.seen_at)).one() == start + timedelta(seconds=60)


def test_a_disabled_person_is_out_with_the_next_click(client: FlaskClient) -> None:
    pia = actors.pia().user_id
    actors.sign_in(client, pia)
    assert client.get("/profile").status_code == 200
    assert pia is not None

    services.disable_user(actors.ada(), pia, reason="left the programme")

    assert client.get("/profile").status_code == 303
    assert db.session.scalars(select(UserSession.ended_why)).all() == ["user_disabled"]


def test_a_role_ended_stops_with_the_next_click(client: FlaskClient) -> None:
    actors.adam()
    ada = actors.ada()
    actors.sign_in(client, actors.nuria().user_id)
    assert client.get("/admin/users").status_code == 200
    role = next(view for view in queries.user(ada, "nuria-auditor").roles)

    services.end_assigned_role(ada, role.id)

    assert client.get("/admin/users").status_code == 403


def test_people_see_and_end_their_own_sessions_only(app: Flask, client: FlaskClient) -> None:
    ana, marek = actors.ana(), actors.marek()
    here, there = actors.sign_in(client, ana.user_id), actors.client_of(app, ana)
    other = actors.client_of(app, marek)
    with there.session_transaction() as cookie:
        session = queries.live_session(cookie["_user_id"], clock.now())
    assert session is not None

    assert (
        "This session has ended already"
        in other.post("/profile/sessions", data={"session": str(session.id)}).text + other.get("/profile/sessions").text
    )
    assert there.get("/profile").status_code == 200

    here.post("/profile/sessions", data={"session": str(session.id)})

    assert (there.get("/profile").status_code, here.get("/profile").status_code) == (303, 200)


def test_all_other_sessions_end_at_once(app: Flask, client: FlaskClient) -> None:
    ana = actors.ana()
    here = actors.sign_in(client, ana.user_id)
    others = [actors.client_of(app, ana) for _ in range(3)]

    here.post("/profile/sessions", data={"session": "others"})

    assert [browser.get("/profile").status_code for browser in (*others, here)] == [303, 303, 303, 200]


# ---- Passwords and links ----


def test_after_a_password_change_every_old_session_is_dead(app: Flask, client: FlaskClient) -> None:
    ana = actors.ana()
    here, there = actors.sign_in(client, ana.user_id), actors.client_of(app, ana)

    answer = here.post("/profile/password", data={"current": PASSWORD, "password": NEW})

    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert [browser.get("/profile").status_code for browser in (here, there)] == [303, 303]
    assert sign_in(app.test_client()).status_code == 422
    assert sign_in(app.test_client(), password=NEW).status_code == 303
    assert [job.args["template"] for job in db.session.scalars(select(Job))] == ["password_changed"]


@pytest.mark.parametrize(
    ("current", "new", "words"),
    [
        ("not the password", NEW, "This is not your present password."),
        (PASSWORD, "short", "Use at least 12 characters; this has 5."),
        (PASSWORD, PASSWORD, "This is the password you have. Choose another one."),
        (PASSWORD, "ana.kowalska", "This password is easy to guess."),
    ],
)
def test_a_password_is_not_changed_without_the_old_or_to_a_weak_one(
    client: FlaskClient, current: str, new: str, words: str
) -> None:
    actors.sign_in(client, actors.ana().user_id)

    answer = client.post("/profile/password", data={"current": current, "password": new})

    assert answer.status_code == 422
    assert words in answer.text
    assert client.get("/profile").status_code == 200


def test_a_password_never_comes_back_in_a_page(client: FlaskClient) -> None:
    actors.ana()

    assert "a very secret word" not in sign_in(client, password="a very secret word").text


def test_an_invitation_leads_to_a_password_and_in(client: FlaskClient) -> None:
    pia = services.invite_user(actors.ada(), UserInput("Pia Officer", "pia@example.eu", (Role.PROJECT_OFFICER,)))
    path = link_of(pia)

    opened = client.get(path)
    assert (opened.status_code, opened.location) == (303, "/choose-password")
    with statements() as seen:
        assert "Pia Officer" in client.get("/choose-password").text
    assert len(seen) <= 8
    assert client.post("/choose-password", data={"password": "too short"}).status_code == 422
    assert client.post("/choose-password", data={"password": NEW}).location == "/sign-in"
    assert 'value="pia@example.eu"' in client.get("/sign-in").text

    assert sign_in(client, "pia@example.eu", NEW).status_code == 303
    # The first password is no change of one: no notice.
    assert [job.args["template"] for job in db.session.scalars(select(Job))] == ["invitation"]


def test_opening_a_link_does_not_use_it(app: Flask, client: FlaskClient) -> None:
    pia = services.invite_user(actors.ada(), UserInput("Pia Officer", "pia@example.eu"))
    path = link_of(pia)

    for _ in range(3):  # a mail scanner
        app.test_client().get(path, follow_redirects=True)

    client.get(path)
    assert client.post("/choose-password", data={"password": NEW}).status_code == 303


def test_a_reset_link_works_once(app: Flask, client: FlaskClient) -> None:
    ana = actors.ana().user_id
    assert ana is not None
    signed_in_elsewhere = actors.client_of(app, actors.ana())
    assert client.post("/reset", data={"email": ANA}).location == "/sign-in"
    path = link_of(ana)
    first, second = app.test_client(), app.test_client()
    first.get(path)
    second.get(path)

    assert first.post("/choose-password", data={"password": NEW}).status_code == 303
    answer = second.post("/choose-password", data={"password": "another long password"})

    assert answer.status_code == 404
    assert "This link no longer works" in answer.text
    assert "This link no longer works" in app.test_client().get(path, follow_redirects=True).text
    assert sign_in(client, password=NEW).status_code == 303
    assert signed_in_elsewhere.get("/profile").status_code == 303


def test_a_reset_link_is_good_for_one_hour(client: FlaskClient) -> None:
    ana = actors.ana().user_id
    assert ana is not None
    start = clock.now()
    with clock.at(start):
        client.post("/reset", data={"email": ANA})
        path = link_of(ana)

    with clock.at(start + timedelta(hours=1)):
        client.get(path)
        assert client.post("/choose-password", data={"password": NEW}).status_code == 404


def test_a_newer_link_replaces_an_older_one(client: FlaskClient) -> None:
    ana = actors.ana().user_id
    assert ana is not None
    client.post("/reset", data={"email": ANA})
    old = link_of(ana)
    client.post("/reset", data={"email": ANA})

    client.get(old)

    assert client.get("/choose-password").status_code == 404


def test_asking_for_a_reset_says_the_same_to_everybody(app: Flask, client: FlaskClient) -> None:
    actors.ana()
    pages = []
    for email in (ANA, "unknown@example.eu", "no address"):
        client = app.test_client()
        answer = client.post("/reset", data={"email": email})
        pages.append(
            (answer.status_code, answer.location, "a mail with a link is on its way" in client.get("/sign-in").text)
        )

    assert set(pages) == {(303, "/sign-in", True)}
    assert db.session.scalar(select(func.count()).select_from(Job)) == 1


def test_a_reset_link_opens_an_account_that_failed_tries_had_blocked(client: FlaskClient) -> None:
    ana = actors.ana().user_id
    assert ana is not None
    with clock.at(clock.now()):
        for number in range(8):
            sign_in(client, password=f"wrong number {number}")
        client.post("/reset", data={"email": ANA})
        client.get(link_of(ana))
        client.post("/choose-password", data={"password": NEW})

        assert sign_in(client, password=NEW).status_code == 303


def test_a_disabled_persons_link_is_dead(client: FlaskClient) -> None:
    pia = services.invite_user(actors.ada(), UserInput("Pia Officer", "pia@example.eu"))
    path = link_of(pia)
    services.disable_user(actors.ada(), pia, reason="invited by mistake")

    client.get(path)

    assert client.get("/choose-password").status_code == 404


def test_what_a_request_calls_this_host_never_gets_into_a_mail(app: Flask, client: FlaskClient) -> None:
    app.config["BASE_URL"] = "https://grants.example.eu"
    actors.ana()

    client.post("/reset", data={"email": ANA}, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})

    job = db.session.scalars(select(Job)).one()
    letter = queries.rendered_mail(UUID(job.args["user_id"]), job.args["template"], job.args["context"])
    assert "https://grants.example.eu/reset/" in letter.text
    assert "evil.example" not in letter.text + letter.subject + str(job.args)


def test_no_token_of_a_link_is_stored_anywhere(client: FlaskClient) -> None:
    ana = actors.ana().user_id
    assert ana is not None
    client.post("/reset", data={"email": ANA})
    token = link_of(ana).rpartition("/")[2]

    link = db.session.scalars(select(SignInLink)).one()
    job = db.session.scalars(select(Job)).one()
    events = [event.changes for event in db.session.scalars(select(AuditEvent))]
    assert link.token_hash == rules.token_hash(token)
    assert token not in f"{job.args} {events}"


@pytest.mark.parametrize("letter_name", ["invitation", "password_reset", "password_changed"])
def test_a_name_cannot_add_a_header_to_a_mail(app: Flask, letter_name: str) -> None:
    with arranging():
        user = factory.user("Ana\r\nBcc: all@example.eu", handle="ana")
    context = {"link_id": str(uuid4()), "invited_by": "Eve\r\nBcc: all@example.eu", "when": "today"}

    letter = queries.rendered_mail(user.id, letter_name, context)

    assert letter.subject.isprintable()
    assert letter.name == "Ana Bcc: all@example.eu"
    assert letter.text.endswith("Pilot Grants\n")


# ---- Proving again who sits here ----


def test_a_dangerous_act_leads_to_the_password_and_back(app: Flask, client: FlaskClient) -> None:
    noa = actors.nobody()
    start = clock.now()
    with clock.at(start):
        actors.sign_in(client, actors.ada().user_id)
    page = "/admin/users/noa-norole"

    with clock.at(start + timedelta(minutes=11)):
        role = {"role": "auditor", "place": "", "last_day": ""}
        refused = client.post(f"{page}/roles", data=role)
        assert refused.status_code == 422
        assert 'href="/confirm-password" target="_blank"' in refused.text
        assert '<option selected value="auditor">' in refused.text
        form = client.get("/confirm-password", headers={"Referer": f"http://localhost{page}"})
        assert f'value="{page}"' in form.text
        assert client.post("/confirm-password", data={"next": page, "password": "wrong"}).status_code == 422
        assert client.post("/confirm-password", data={"next": page, "password": PASSWORD}).location == page
        assert client.post(f"{page}/roles", data=role).location == page

        assert noa.user_id is not None
        assert queries.actor_for(noa.user_id).can(Permission.AUDIT_READ)


@pytest.mark.parametrize(
    ("named", "back"),
    [
        ("/admin/users/noa-norole/roles", "/admin/users/noa-norole"),
        ("/admin/users?q=noa", "/admin/users?q=noa"),
        ("/no/such/page", ""),
    ],
)
def test_the_way_back_after_confirming_is_a_page_that_opens(client: FlaskClient, named: str, back: str) -> None:
    actors.sign_in(client, actors.ada().user_id)

    form = client.get("/confirm-password", headers={"Referer": f"http://localhost{named}"})
    answer = client.post("/confirm-password", data={"next": named, "password": PASSWORD})

    assert f'name="next" value="{back}"' in form.text
    assert answer.location == back or (not back and client.get(answer.location).status_code == 200)


def test_a_button_that_needs_the_password_says_so_with_a_link(app: Flask, client: FlaskClient) -> None:
    start = clock.now()
    with clock.at(start):
        actors.sign_in(client, actors.ada().user_id)

    with clock.at(start + timedelta(minutes=11)):
        answer = client.post("/admin/roles", data={"grant": str(uuid4())}, follow_redirects=True)

    assert '<a href="/confirm-password" target="_blank"' in answer.text


def test_a_page_before_that_is_no_address_is_no_way_back(client: FlaskClient) -> None:
    actors.sign_in(client, actors.ada().user_id)

    assert client.get("/confirm-password", headers={"Referer": "https://["}).status_code == 200


def test_the_way_back_is_never_another_site(client: FlaskClient) -> None:
    actors.sign_in(client, actors.ada().user_id)

    form = client.get("/confirm-password?next=//evil.example", headers={"Referer": "https://evil.example/x"})
    answer = client.post("/confirm-password", data={"next": "//evil.example", "password": PASSWORD})

    assert 'name="next" value=""' in form.text
    assert "evil" not in answer.location


# ---- Fields nobody asked for ----


def test_extra_fields_of_a_form_change_nothing(client: FlaskClient) -> None:
    ana = actors.ana()
    actors.sign_in(client, ana.user_id)

    answer = client.post(
        "/profile",
        data={
            "name": "Ana Nowa", "role": "administrator", "roles": "administrator", "is_demo": "1", "email": "x@example.eu",
            "password_hash": "x", "disabled_at": "", "user_id": str(actors.ada().user_id), "version": "1",
        },
    )  # fmt: skip

    assert answer.status_code == 303
    db.session.rollback()
    row = db.session.scalars(select(User).where(User.id == ana.user_id)).one()
    assert (row.name, row.email, row.is_demo) == ("Ana Nowa", ANA, False)
    assert ana.user_id is not None
    assert queries.actor_for(ana.user_id).roles == ("applicant",)


def test_an_invented_role_is_refused(client: FlaskClient) -> None:
    actors.nobody()
    actors.sign_in(client, actors.ada().user_id)

    for role in ("emperor", "assigned_evaluator"):
        answer = client.post("/admin/users/noa-norole/roles", data={"role": role})
        assert answer.status_code == 422


# ---- Demo ----


def test_a_demo_person_is_entered_without_a_password_and_others_are_not(client: FlaskClient) -> None:
    actors.person("Demo Person", Role.AUDITOR, is_demo=True)
    actors.ana()

    assert client.post("/demo", data={"person": "ana-kowalska"}).status_code == 404
    entered = client.post("/demo", data={"person": "demo-person"})
    # Whoever sat here before may not have signed out: what the browser kept of them goes.
    assert (entered.status_code, entered.headers["Clear-Site-Data"]) == (303, '"cache"')
    assert "Demo Person" in client.get("/profile").text


def test_without_the_demo_every_way_into_it_is_gone(app: Flask, client: FlaskClient) -> None:
    actors.person("Demo Person", Role.AUDITOR, is_demo=True)
    app.config["GRANTS_DEMO"] = False

    assert client.get("/demo").status_code == 404
    assert client.post("/demo", data={"person": "demo-person"}).status_code == 404
    assert "Demo Person" not in client.get("/sign-in").text


def test_who_is_signed_in_from_a_demo_is_out_when_it_is_none_any_more(app: Flask, client: FlaskClient) -> None:
    actors.sign_in(client, actors.person("Demo Admin", Role.ADMINISTRATOR, is_demo=True))
    real = app.test_client()
    actors.sign_in(real, actors.ana().user_id)
    assert client.get("/profile").status_code == real.get("/profile").status_code == 200

    app.config["GRANTS_DEMO"] = False

    assert client.get("/profile").location.startswith("/sign-in")
    assert real.get("/profile").status_code == 200


def test_a_demo_person_confirms_without_a_password_in_the_demo_only(app: Flask, client: FlaskClient) -> None:
    actors.sign_in(client, actors.person("Demo Admin", Role.ADMINISTRATOR, is_demo=True))

    assert client.post("/confirm-password", data={"next": "/admin/users"}).location == "/admin/users"
    app.config["GRANTS_DEMO"] = False
    refused = client.post("/confirm-password", data={"next": "/admin/users"})
    assert (refused.status_code, refused.location.partition("?")[0]) == (303, "/sign-in")


# ---- The mail page ----


def test_where_no_mail_server_is_set_an_administrator_hands_on_the_text_on_record(
    app: Flask, client: FlaskClient
) -> None:
    services.invite_user(actors.ada(), UserInput("Pia Officer", "pia@example.eu"))
    number = db.session.scalars(select(Job.number)).one()
    actors.sign_in(client, actors.ada().user_id)

    listed = client.get("/admin/mail").text
    assert "pia@example.eu" in listed and "You are invited to Pilot Grants: choose your password" in listed
    assert "/invitation/" not in listed
    assert "http://127.0.0.1:8000/invitation/" in client.post(f"/admin/mail/{number}").text
    db.session.rollback()
    assert db.session.scalars(select(AuditEvent.verb).where(AuditEvent.verb == "mail.open")).all() == ["mail.open"]

    auditor = actors.client_of(app, actors.nuria())
    assert auditor.get("/admin/mail").status_code == 200
    assert auditor.post(f"/admin/mail/{number}").status_code == 403


def test_with_a_mail_server_no_text_is_shown(app: Flask, client: FlaskClient) -> None:
    services.invite_user(actors.ada(), UserInput("Pia Officer", "pia@example.eu"))
    number = db.session.scalars(select(Job.number)).one()
    app.config["SMTP_URL"] = "smtp://localhost"
    actors.sign_in(client, actors.ada().user_id)

    assert client.post(f"/admin/mail/{number}").status_code == 422
    assert client.post("/admin/mail/999").status_code == 422
