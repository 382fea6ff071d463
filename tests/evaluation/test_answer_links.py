"""An invitation answered from its mail before there is an account: once, by a sealed link, whoever else is faster."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from grants.core import clock
from grants.core.acts import arranging
from grants.core.audit import AuditEvent, SecurityEvent
from grants.core.db import db
from grants.core.jobs import Job
from grants.core.paging import Page
from grants.evaluation import queries, services
from grants.evaluation.rules import AskInput, PoolSearch
from grants.evaluation.states import PoolState
from grants.identity import queries as identity
from grants.identity import services as identity_services
from grants.identity.models import User
from grants.identity.policy import Role
from tests import actors
from tests.evaluation.scene import CLOSED, Browser, Scene
from tests.evaluation.test_pool import letters
from tests.factories import identity as people

PASSWORD = "four blue ferries at noon"


def invite(scene: Scene, name: str, **more: int) -> str:
    """The path of the link in the mail somebody is invited by."""
    email = f"{name.lower()}@example.org"
    given = AskInput(email, f"{name} New", "We need you.", load_max=5, **more)
    scene.people[name] = services.invite(scene.actor("manager"), scene.call_id, given)
    sent = db.session.scalars(select(Job.args).where(Job.name == "jobs.mail.send").order_by(Job.number)).all()
    mail = [each for each in sent if each["template"] == "evaluator_invited"][-1]
    text = identity.rendered_mail(UUID(mail["user_id"]), mail["template"], mail["context"]).text
    found = re.search(r"https?://[^/\s]+(/evaluators/answer/\S+)", text)
    assert found is not None and found[1].rpartition(".")[2] not in str(mail), "the seal is kept nowhere"
    return found[1]


def hidden(shown: TestResponse, form: int = 0) -> dict[str, str]:
    """The hidden fields of one form of the page."""
    part = shown.text.split('<form method="post" action="/calls')[form + 1].partition("</form>")[0]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', part))


def standing(scene: Scene, name: str) -> PoolState:
    db.session.rollback()
    return queries.invitations(scene.call_id)[scene.people[name]].standing(clock.now())


def security_events() -> int:
    db.session.rollback()
    return db.session.scalars(select(func.count()).select_from(SecurityEvent)).one()


def test_a_yes_by_the_link_leads_to_the_account_and_the_profile(scene: Scene, app: Flask, browser: Browser) -> None:
    link, window, other = invite(scene, "Nora"), app.test_client(), app.test_client()
    address = f"/calls/{scene.slug}/invitation/answer/nora-new"

    # Whoever opens it changes nothing, a mail scanner or two tabs.
    assert window.get(link).location == other.get(link).location == address
    shown, second = window.get(address), other.get(address)
    assert "We need you." in shown.text and "At most 5 applications" in shown.text and "Answer until" in shown.text
    assert not [each for each in scene.references if each in shown.text]
    assert standing(scene, "Nora") is PoolState.INVITED
    fields = hidden(shown)

    yes = window.post(f"{address}/accept", data=fields)
    again = window.post(f"{address}/accept", data=fields)
    late = other.post(f"{address}/accept", data=hidden(second))

    assert yes.location == again.location and "/invitation/" in yes.location
    assert late.status_code == 422 and "This link was used" in late.text
    assert standing(scene, "Nora") is PoolState.AGREED
    narrowed = PoolSearch(state=PoolState.AGREED)
    listed = queries.pool_list(scene.actor("manager"), scene.call_id, narrowed, Page())[0].items
    assert [line.state for line in listed] == [PoolState.AGREED]
    # The act is the person's own, and tells that it came by the link.
    by = db.session.scalars(select(AuditEvent.user_id).where(AuditEvent.verb == "invitation.agree_by_link")).all()
    assert set(by) == {scene.people["Nora"]}
    # The account, the sign-in, the profile: one after the other.
    assert window.get(yes.location).location == "/choose-password"
    chosen = window.post("/choose-password", data={"password": PASSWORD})
    assert chosen.location == f"/sign-in?next=/calls/{scene.slug}/invitation"
    entered = window.post(chosen.location, data={"email": "nora@example.org", "password": PASSWORD})
    assert entered.location == f"/calls/{scene.slug}/invitation"
    assert "You said yes on" in window.get(entered.location).text
    assert "Fill in your profile for" in browser.get("Nora", "/home").text
    # The link itself opens nothing any more, and nobody is asked twice.
    assert "This link was used" in other.get(link, follow_redirects=True).text
    filled = {"country_code": "FI", "languages": "en native", "load_max": "5", "employers": ""}
    assert browser.post("Nora", f"/calls/{scene.slug}/invitation", **filled).status_code == 303
    assert standing(scene, "Nora") is PoolState.MEMBER


def test_a_no_by_the_link_has_a_reason_and_is_final_until_asked_again(scene: Scene, app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    link, window = invite(scene, "Nora"), app.test_client()
    address = window.get(link).location
    fields = hidden(window.get(address), 1)

    bare = window.post(f"{address}/decline", data={**fields, "kind": "other", "words": " "})
    wrong = window.post(f"{address}/decline", data={**fields, "kind": "because", "words": "My own words"})
    done = window.post(f"{address}/decline", data={**fields, "kind": "not_my_field", "words": "I know heat only."})

    assert (bare.status_code, wrong.status_code, done.status_code) == (422, 422, 303)
    assert "Say in a few words why" in bare.text and "My own words" in wrong.text
    assert "This link was used" in window.post(f"{address}/accept", data=fields).text
    # Whoever has the link from then on reads neither who said no nor why; and it is shown once, since others may use the
    # same machine.
    after = window.get(address).text
    assert "This link was used: the invitation is answered." in after
    assert "I know heat only." not in after and "Nora" not in after and "invites you" not in after
    assert window.get(address).status_code == 404
    narrowed = PoolSearch(state=PoolState.DECLINED)
    found = queries.pool_list(scene.actor("manager"), scene.call_id, narrowed, Page())[0].items
    assert [line.state_words for line in found] == ["Declined (not my field)"]
    # Asked again: the old mail says so, the new one works.
    with clock.at(CLOSED + timedelta(hours=1)):
        newer = invite(scene, "Nora", days=30)
        assert "You were invited again" in window.get(link, follow_redirects=True).text
        assert "Or decline" in window.get(newer, follow_redirects=True).text
        chairs = invite(scene, "Ole")
        with arranging():
            people.role(scene.people["Ole"], Role.PANEL_CHAIR)
    # A mail handed on, or found late, opens no account: the link to choose a password goes to the mailbox.
    for name, asked, hours in (("Ole", chairs, 2), ("Nora", newer, 14 * 24 + 1)):
        with clock.at(CLOSED + timedelta(hours=hours)):
            user_id, address = str(scene.people[name]), window.get(asked).location
            before = letters("invitation").count(user_id)
            yes = window.post(f"{address}/accept", data=hidden(window.get(address)))
            assert yes.location == f"/sign-in?next=/calls/{scene.slug}/invitation"
            assert "a mail brings you the link" in window.get(yes.location).text
            assert letters("invitation").count(user_id) == before + 1


def test_a_link_that_is_changed_lapsed_withdrawn_or_of_somebody_else_answers_nothing(scene: Scene, app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    link, window = invite(scene, "Nora", days=3), app.test_client()
    other, noted = invite(scene, "Ole"), security_events()
    # Who may read the mail gets the words that lead through signing in; in a demo, whose people have no mailbox, the link.
    number = db.session.scalars(
        select(Job.number).where(Job.name == "jobs.mail.send").order_by(Job.number.desc())
    ).first()
    for demo, way in ((False, f"/calls/{scene.slug}/invitation"), (True, other)):
        app.config["GRANTS_DEMO"] = demo
        text = identity_services.open_mail(actors.ada(), number or 0).text
        assert f"{way}\n" in text and ("/evaluators/answer/" in text) is demo
    app.config["GRANTS_DEMO"] = False
    # The seal of one invitation opens no other; a cut link, none at all.
    mixed = f"{other.rpartition('.')[0]}.{link.rpartition('.')[2]}"
    for bad in (mixed, link[:-1], "/evaluators/answer/x", "/evaluators/answer/ü.1.2"):
        assert (window.get(bad).status_code, "not complete" in window.get(bad).text) == (404, True), bad
    address = window.get(link).location
    fields = hidden(window.get(address))
    assert app.test_client().get(address).status_code == 404
    assert app.test_client().post(f"{address}/accept", data=fields).status_code == 404
    assert security_events() == noted, "whoever sends anything fills no table"
    # Two invitations in two tabs are two answers, and a page left open for long answers nothing but keeps what was typed.
    assert window.get(other).location != address and "Nora New" in window.get(address).text
    with clock.at(clock.now() + timedelta(hours=1)):
        late = window.post(f"{address}/decline", data={**fields, "kind": "other", "words": "My own words"})
    assert (late.status_code, "My own words" in late.text) == (404, True)

    # Signed in as another person one answers for nobody.
    entered = app.test_client()
    actors.sign_in(entered, scene.people["eva1"])
    assert "You are signed in as" in entered.get(link, follow_redirects=True).text
    assert entered.post(f"{address}/accept", data=fields).location == address
    with clock.at(CLOSED + timedelta(days=4)):
        assert "time to answer is over" in window.get(link, follow_redirects=True).text
        assert "time to answer is over" in window.post(f"{address}/accept", data=fields).text
    row = queries.invitations(scene.call_id)[scene.people["Nora"]]
    services.withdraw_invitation(scene.actor("manager"), row.id, "A mistake.", row.version)
    assert "took this invitation back" in window.post(f"{address}/accept", data=fields).text
    assert "took this invitation back" in window.get(address).text
    assert [standing(scene, name) for name in ("Nora", "Ole")] == [PoolState.WITHDRAWN, PoolState.INVITED]
    # Whose account is closed meanwhile is told so.
    with arranging():
        db.session.get_one(User, scene.people["Ole"]).disabled_at = CLOSED
    assert (
        "Your account is closed"
        in window.post(f"{window.get(other).location}/decline", data={**fields, "kind": "no_time"}).text
    )
