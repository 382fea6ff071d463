"""The first page, /home, the statements, the theme, and what machines ask."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask, g
from flask.testing import FlaskClient

from config import Config
from grants.app import create_app
from grants.calls.models import Call
from grants.calls.states import CallState
from grants.core import clock, encoding
from grants.core.acts import arranging
from grants.core.db import get
from grants.core.duties import Duty
from grants.core.money import euros
from grants.core.permissions import Actor
from grants.oversight import queries
from grants.payments import services
from grants.programmes.rules import ParentRules
from grants.web.headers import REFUSED_SHOWS_NO_OTHERS, SHOWS_NO_OTHERS
from grants.web.routing import page
from tests import actors
from tests.factories import identity as factory
from tests.html import check_page, texts
from tests.oversight.conftest import DAY, Scene, statements
from tests.payments.world import IN_FORCE, SEEN, world

NOON = datetime(2022, 11, 6, 13, 32, tzinfo=UTC)


@pytest.mark.parametrize("address", ["/", "/about", "/accessibility", "/privacy"])
def test_a_public_page_opens_for_everybody(client: FlaskClient, address: str) -> None:
    answer = client.get(address)

    assert answer.status_code == 200
    check_page(answer)


def test_home_asks_for_a_sign_in(client: FlaskClient) -> None:
    answer = client.get("/home")

    assert answer.status_code == 303
    assert answer.location == "/sign-in?next=/home"


def carl_must_export(scene: Scene) -> Actor:
    """The accounting officer, for whom an authorised order waits."""
    with clock.at(DAY):
        services.authorise(actors.otto(), scene.order_id, evidence=SEEN)
    return actors.carl()


def test_home_shows_the_duties_of_the_stages_with_one_filled_button(app: Flask, scene: Scene) -> None:
    carl = carl_must_export(scene)
    with clock.at(DAY):
        found = queries.duties(carl, DAY)
        answer = actors.client_of(app, carl).get("/home")

    root = check_page(answer)
    text = answer.get_data(as_text=True)
    assert texts(root, "h1") == ["What you must do next"]
    assert [duty.what for duty in found][:1] == ["Put into a payment file the order for WARM"]
    places = [text.index(duty.what) for duty in found]
    assert places == sorted(places)
    assert text.count('class="govuk-button" href') == 1
    # The number in the top bar is that of the rows, however many things one of them stands for.
    assert f'<span class="pg-count">{len(found)}</span>' in text
    assert text.count("pg-next__what") == len(found)


@pytest.mark.parametrize(
    ("from_the_due_moment", "words"),
    [
        (timedelta(days=2), "2 days late <small>due "),
        (timedelta(hours=-2), "today <small>by "),
        (timedelta(days=-9), "<small>in 9 days</small>"),
    ],
)
def test_home_says_in_words_how_far_a_deadline_is(
    app: Flask, scene: Scene, from_the_due_moment: timedelta, words: str
) -> None:
    carl = carl_must_export(scene)
    (due_at,) = {duty.due_at for duty in queries.duties(carl, DAY) if duty.endpoint == "payments.order"}
    assert due_at is not None

    with clock.at(due_at + from_the_due_moment):
        answer = actors.client_of(app, carl).get("/home")

    assert words in answer.get_data(as_text=True)


def test_home_says_in_words_that_nothing_waits(app: Flask) -> None:
    answer = actors.client_of(app, actors.nobody()).get("/home")

    check_page(answer)
    assert "Nothing to do now." in answer.get_data(as_text=True)


def test_a_duty_whose_page_is_not_there_does_not_take_home_away(app: Flask) -> None:
    lost = Duty("Do what has no page", "", "Open", "nowhere.page")

    with app.test_request_context("/home"):
        g.actor = actors.ana()
        shown = page(
            "oversight/home.html",
            **{"duties": (lost,), "greeting": "Good day", "tasks_waiting": 1},
            **dict.fromkeys(("health", "waiting", "lately", "steps"), ()),
        )

    assert "Do what has no page" in shown
    assert "Open<span" not in shown


def test_other_pages_ask_how_much_waits_and_show_what_was_known_last(app: Flask, scene: Scene) -> None:
    carl = carl_must_export(scene)
    with clock.at(DAY):
        waiting = len(queries.duties(carl, DAY))
        browser = actors.client_of(app, carl)
        before = browser.get("/help").get_data(as_text=True)
        answer = browser.get("/home/tasks")
        with statements() as asked:
            after = browser.get("/help").get_data(as_text=True)
        # At a shared desk nobody sees the number of somebody else.
        actors.sign_in(browser, actors.fin().user_id)
        with statements() as asked_by_fin:
            of_fin = browser.get("/help").get_data(as_text=True)
        browser.set_cookie("tasks", "<b>.x")
        bent = browser.get("/help").get_data(as_text=True)

    assert answer.json == {"waiting": waiting} and waiting > 0
    shown = [f'<span class="pg-count">{waiting}</span>' in each for each in (before, after, of_fin, bent)]
    assert shown == [False, True, False, False]
    assert len(asked) == len(asked_by_fin)


# --- What others have, what happened lately, first steps -----------------------------------------------------------


def test_what_was_handed_on_stands_with_who_has_it_and_how_long(app: Flask, scene: Scene) -> None:
    later = DAY + timedelta(days=3)

    with clock.at(later):
        text = actors.client_of(app, actors.fin()).get("/home").get_data(as_text=True)
        found = queries.waiting(actors.fin())

    assert [(row.what, row.who, row.days(later)) for row in found] == [
        (f"Payment order {scene.order} for PCP-2022-G-0001", "the authorising officer", 3)
    ]
    assert "With the authorising officer." in text and "for 3 days" in text
    assert queries.waiting(actors.carl()) == ()


def test_an_undecided_request_waits_for_the_authorising_officer(app: Flask) -> None:
    with clock.at(IN_FORCE):
        found = world()
        services.open_prefinancing(actors.program(), found.grant_id)
        waiting = queries.waiting(actors.ana())

    assert [(row.what, row.who) for row in waiting] == [
        ("Payment request 1 of PCP-2022-G-0001", "the authorising officer")
    ]


def test_what_happened_lately_is_told_to_those_it_concerns(scene: Scene) -> None:
    def lately(actor: Actor) -> list[str]:
        return [f"{line.who} {line.sentence}" for line in queries.lately(actor)]

    assert lately(actors.ana())[0] == "Otto Authoriser decided payment request PCP-2022-G-0001-1"
    assert lately(actors.fin())[0] == f"Vera Verifier verified payment order {scene.order}"
    assert lately(actors.eva()) == []
    assert len(lately(actors.ada())) <= 10


def test_nothing_of_a_barred_thing_happened_lately(scene: Scene) -> None:
    fin = actors.fin()
    assert fin.user_id is not None
    with arranging():
        factory.bar(fin.user_id, "application", scene.world.application_id)

    assert queries.lately(actors.fin()) == ()
    assert queries.waiting(actors.fin()) == ()


def test_home_takes_the_same_statements_however_much_waits(scene: Scene) -> None:
    counts = []
    for number in range(2):
        with statements() as seen:
            queries.waiting(actors.fin())
            queries.lately(actors.fin())
        counts.append(len(seen))
        if number == 0:
            with clock.at(DAY.replace(hour=13)):
                services.cancel(actors.fin(), scene.order_id, reason="Split in two")
                for amount in (100_000, 110_000):
                    services.prepare(actors.fin(), scene.request_id, amount=euros(amount))
                assert len(queries.waiting(actors.fin())) == 2

    assert counts[0] == counts[1]


def test_an_empty_installation_shows_its_administrator_the_first_steps(app: Flask) -> None:
    ada = actors.ada()

    answer = actors.client_of(app, ada).get("/home")

    check_page(answer)
    text = answer.get_data(as_text=True)
    assert "First steps" in text and "0 of 5 steps are done" in text
    assert [step.done for step in queries.first_steps(ada)] == [False] * 5
    actors.adam()
    actors.ingrid()
    assert [step.done for step in queries.first_steps(ada)] == [True, True, False, False, False]
    assert queries.first_steps(actors.ingrid()) == ()


def test_the_first_steps_are_gone_once_a_call_is_published(scene: Scene) -> None:
    assert len(queries.first_steps(actors.ada())) == 5
    with arranging():
        call = get(Call, scene.world.call_id)
        call.state, call.published_at, call.opens_at, call.total_cents = CallState.PUBLISHED.value, DAY, DAY, euros(1)
        call.parent_rules, call.version_number = encoding.encode(ParentRules()), 1

    assert queries.first_steps(actors.ada()) == ()


def test_pages_of_a_person_are_never_kept(app: Flask) -> None:
    client = actors.client_of(app, actors.ana())

    assert client.get("/home").headers["Cache-Control"] == "no-store"
    assert client.get("/about").headers["Cache-Control"] == "no-store"


def test_what_a_form_came_back_with_can_be_gone_back_to_until_its_owner_signs_out(app: Flask) -> None:
    """Of pages of accounts nothing is kept, and of nothing that is no page of a form."""
    app.config["WTF_CSRF_ENABLED"] = False
    client = actors.client_of(app, actors.ingrid())

    refused = client.post("/calls/import", data={})
    assert (refused.status_code, refused.headers["Cache-Control"]) == (422, "private, no-cache")
    assert "Clear-Site-Data" not in refused.headers
    account = client.post("/profile/password", data={})
    assert (account.status_code, account.headers["Cache-Control"]) == (422, "no-store")
    gone = client.post("/sign-out")
    assert (gone.headers["Clear-Site-Data"], gone.headers["Cache-Control"]) == ('"cache"', "no-store")
    # A session that lapsed leaves the same behind as one that was ended.
    lapsed = client.get("/home")
    assert (lapsed.status_code, lapsed.headers["Clear-Site-Data"]) == (303, '"cache"')
    assert set(app.view_functions) >= SHOWS_NO_OTHERS | REFUSED_SHOWS_NO_OTHERS


def test_everybody_has_a_home(app: Flask, client: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    for person in actors.BY_ROLE.values():
        answer = actors.client_of(app, person()).get("/home")

        assert answer.status_code == 200, person.__doc__
        check_page(answer)


def test_every_stage_answers_what_a_person_without_a_role_must_do(app: Flask) -> None:
    assert queries.duties(actors.nobody(), NOON) == ()


def test_a_theme_is_remembered_and_shown(client: FlaskClient) -> None:
    answer = client.post("/theme", data={"theme": "dark", "next": "/about"})

    assert (answer.status_code, answer.location) == (303, "/about")
    assert ' data-theme="dark"' in client.get("/about").get_data(as_text=True).split(">", 2)[1]

    client.post("/theme", data={"theme": "", "next": "/about"})
    assert "data-theme=" not in client.get("/about").get_data(as_text=True).split(">", 2)[1]


@pytest.mark.parametrize(
    "elsewhere",
    ["https://example.org/", "//example.org/", "/\\example.org", "javascript:alert(1)", "", "/no/such/page", "/theme"],
)
def test_a_theme_never_leads_away_from_our_own_pages(client: FlaskClient, elsewhere: str) -> None:
    answer = client.post("/theme", data={"theme": "dark", "next": elsewhere})

    assert (answer.status_code, answer.location) == (303, "/")


def test_a_theme_nobody_offered_is_as_the_device(client: FlaskClient) -> None:
    client.post("/theme", data={"theme": '"><script>', "next": "/"})

    assert client.get_cookie("theme") is None


def test_alive_asks_nothing_of_anybody(client: FlaskClient) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_not_ready_without_a_queue_and_says_so(client: FlaskClient) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json is not None
    assert sorted(answer.json["checks"]) == [
        *("database", "disk", "jobs", "mail", "migrations", "queue", "schedule", "workers")
    ]
    assert answer.json["checks"]["database"] == {"ok": True, "seen": "answers"}
    assert answer.json["checks"]["jobs"] == {"ok": True, "seen": "none waits unrung"}
    assert answer.json["checks"]["queue"]["ok"] is False


def test_not_ready_without_a_database_and_says_so(tmp_path: Path) -> None:
    nowhere = Config(GRANTS_HOME=str(tmp_path), DATABASE_URL=f"postgresql+psycopg://x@/x?host={tmp_path}")

    answer = create_app(nowhere).test_client().get("/readyz")

    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["checks"]["database"] == {"ok": False, "seen": "does not answer"}


def test_the_version_is_that_of_the_package(client: FlaskClient) -> None:
    answer = client.get("/version")

    assert answer.json is not None
    assert list(answer.json) == ["version"]
    assert answer.json["version"].count(".") == 2


def test_a_long_text_of_a_history_is_folded_and_a_short_one_is_not(app: Flask) -> None:
    with app.test_request_context():
        folded = app.jinja_env.get_template("oversight/_lines.html").module.folded  # type: ignore[attr-defined]
        short, long = str(folded("It was late.")).strip(), str(folded("x" * 50_000))
    assert short == "It was late."
    assert long.startswith("x" * 200 + "… <details") and "All 50000 characters" in long
