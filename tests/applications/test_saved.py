"""Lists kept under a name: by whom they are seen, what they hold, and what becomes of one whose filter is there no more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from flask import Flask

from grants.applications import queries, services
from grants.applications.rules import saving
from grants.applications.rules.saving import SavedListInput, Sharing
from grants.calls.rules import CallView
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.permissions import Actor
from grants.core.references import next_number
from grants.identity.policy import Role
from tests import actors
from tests.applications.pages import send, text_of
from tests.factories import applications as factory
from tests.factories import identity as people
from tests.factories.applications import AFTER_CLOSING

NOBODY = Sharing()
ADDRESS = "state=eligible&q=lodz&sort=title"


@pytest.fixture
def at_the_desk(call: CallView) -> Iterator[CallView]:
    with clock.at(AFTER_CLOSING):
        yield call


def kept(who: Actor, name: str = "To check", address: str = ADDRESS, sharing: Sharing = NOBODY) -> int:
    return services.save_list(who, SavedListInput(name, address, sharing))


def names(who: Actor) -> list[str]:
    return [each.name for each in queries.saved_lists(who)]


def test_a_kept_list_is_its_owners_until_it_is_shared(at_the_desk: CallView) -> None:
    eli, ingrid, ana, mia = actors.eli(), actors.ingrid(), actors.ana(), actors.mia()
    number = kept(eli)
    list_id = queries.saved_list(eli, number).id
    seen = {}

    for whom, sharing in {
        "nobody": Sharing(),
        "everybody": Sharing(at_the_desk.slug),
        "managers": Sharing(at_the_desk.slug, Role.PROGRAMME_MANAGER.value),
    }.items():
        services.share_list(eli, list_id, sharing)
        seen[whom] = [who.name for who in (eli, ingrid, ana, mia) if names(who)]

    assert seen == {
        "nobody": ["Eli Desk"],
        "everybody": ["Eli Desk", "Ingrid Manager", "Mia Member"],
        "managers": ["Eli Desk", "Ingrid Manager"],
    }
    assert "by Eli Desk" in queries.saved_list(ingrid, number).sharing_words
    with pytest.raises(NotFound):
        queries.saved_list(ana, number)


def test_whoever_is_barred_from_the_call_sees_no_list_of_it(at_the_desk: CallView) -> None:
    number = kept(actors.eli(), sharing=Sharing(at_the_desk.slug))
    mia = actors.mia()
    assert mia.user_id is not None
    with arranging():
        people.bar(mia.user_id, "call", at_the_desk.id)

    assert names(actors.mia()) == []
    with pytest.raises(NotFound):
        services.put_first(actors.mia(), number)


def test_only_its_owner_changes_a_list(at_the_desk: CallView) -> None:
    eli, ingrid = actors.eli(), actors.ingrid()
    list_id = queries.saved_list(eli, kept(eli, sharing=Sharing(at_the_desk.slug))).id

    for change in (
        lambda: services.rename_list(ingrid, list_id, "Mine"),
        lambda: services.change_list(ingrid, list_id, ""),
        lambda: services.share_list(ingrid, list_id, Sharing()),
        lambda: services.delete_list(ingrid, list_id),
    ):
        with pytest.raises(NotFound):
            change()
    services.rename_list(eli, list_id, "  To   look at ")
    services.change_list(eli, list_id, "days=30")
    assert [(each.name, each.address) for each in queries.saved_lists(ingrid)] == [("To look at", "days=30")]


def test_what_cannot_be_kept_is_refused_with_its_reason(at_the_desk: CallView, monkeypatch: pytest.MonkeyPatch) -> None:
    eli, ana = actors.eli(), actors.ana()
    kept(eli)

    for given, reason in (
        (SavedListInput("", ADDRESS), "needs a name"),
        (SavedListInput("x" * 61, ADDRESS), "too long"),
        (SavedListInput("To check", ADDRESS), "of this name"),
        (SavedListInput("Other", ADDRESS, Sharing("", Role.AUDITOR.value)), "no team"),
        (SavedListInput("Other", ADDRESS, Sharing(at_the_desk.slug, "mayor")), "no such role"),
    ):
        with pytest.raises(Invalid, match=reason):
            services.save_list(eli, given)
    with pytest.raises(NotFound):
        kept(ana, sharing=Sharing(at_the_desk.slug))
    assert saving.LISTS_MAX == 30
    monkeypatch.setattr("grants.applications.services.saving.LISTS_MAX", 1)
    with pytest.raises(Refused, match="You keep 1 lists, and 1 is the most"):
        kept(eli, "One more")


def test_two_tabs_at_once_do_not_keep_more_lists_than_the_limit(
    app: Flask, at_the_desk: CallView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grants.applications.services.saving.LISTS_MAX", 1)
    eli, told = actors.eli(), []
    meeting = threading.Barrier(2)

    def after_the_other(series: str) -> int:
        # Both have counted, unless one is made to wait for the other.
        with suppress(threading.BrokenBarrierError):
            meeting.wait(0.4)
        return next_number(series)

    def keep(name: str) -> None:
        with app.app_context(), clock.at(AFTER_CLOSING):
            try:
                told.append(kept(eli, name) > 0)
            except Refused:
                told.append(False)
            db.session.remove()

    monkeypatch.setattr("grants.applications.services.saving.next_number", after_the_other)
    tabs = [threading.Thread(target=keep, args=(name,)) for name in ("One", "Two")]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()

    assert sorted(told) == [False, True]


def test_a_list_is_kept_opened_first_shared_and_taken_away_without_a_script(app: Flask, at_the_desk: CallView) -> None:
    # The tests' own context outlives a request, and with it the token of another browser.
    app.config["WTF_CSRF_ENABLED"] = False
    factory.submitted(at_the_desk, actors.ana(), "Warm Blocks")
    eli = actors.client_of(app, actors.eli())

    sent = send(eli, f"/applications/views/new?{ADDRESS}", name="Lodz, to check", first="y")
    assert sent.headers["Location"] == "/applications?q=lodz&state=eligible&sort=title"
    unknown = eli.get("/applications/views/new?state=nope")
    assert unknown.status_code == 422 and "Every application you may see" not in text_of(unknown)
    assert eli.get("/applications").headers["Location"] == sent.headers["Location"]
    assert "Lodz, to check" in text_of(eli.get("/applications?sort=-reference"))
    change = "/applications/views/1/change"
    send(eli, change, to="/applications/views/1/sharing", page=change, call=at_the_desk.slug)
    send(eli, change, to="/applications/views/1/name", page=change, name="Lodz")

    ingrid = actors.client_of(app, actors.ingrid())
    assert "Lodz (Eli Desk)" in text_of(ingrid.get("/applications"))
    assert ingrid.get("/applications/views/1").headers["Location"] == sent.headers["Location"]
    send(ingrid, change, to="/applications/views/1/first", page=change)
    assert ingrid.get("/applications").status_code == 303
    refused = send(eli, change, to="/applications/views/1/name", page=change, name=" ")
    assert refused.status_code == 422 and "Give the list a name." in text_of(refused)

    send(eli, change, to="/applications/views/1/delete", page=change)
    assert "No list is kept yet" in text_of(eli.get("/applications/views"))
    assert ingrid.get("/applications").status_code == 200
    assert ingrid.get(change).status_code == 404


def test_a_kept_list_whose_filter_is_gone_says_so(app: Flask, at_the_desk: CallView) -> None:
    eli = actors.eli()
    number = kept(eli)
    client = actors.client_of(app, eli)
    services.change_list(eli, queries.saved_list(eli, number).id, "call=gone-2019&state=eligible")

    words = text_of(client.get(f"/applications/views/{number}", follow_redirects=True))

    assert "There is no call “gone-2019” with applications you may see." in words


def test_the_record_tells_of_a_list_shared_with_no_call(app: Flask, at_the_desk: CallView) -> None:
    ingrid, nuria = actors.ingrid(), actors.nuria()
    kept(ingrid, "Only mine")

    home = actors.client_of(app, ingrid).get("/home")
    audit = actors.client_of(app, nuria).get("/audit")

    assert (home.status_code, audit.status_code) == (200, 200)
