"""Conflicts are declared for each organisation that takes part: once, for all its applications, and anew for who joins."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from runpy import run_path
from uuid import UUID

import pytest

from grants.applications.models import Application, ApplicationPartner
from grants.applications.states import PartnerRole, PartnerState
from grants.calls import services as calls
from grants.core import clock
from grants.core.acts import arranging
from grants.core.db import db, get
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.permissions import Permission, system_actor
from grants.evaluation import queries, services
from grants.evaluation.models import ConflictDeclaration, EntityDeclaration
from grants.evaluation.rules import (
    Answered,
    AnsweredEntity,
    ConflictPage,
    ConflictRow,
    Doubted,
    EvaluatorInput,
    said_of_applications,
)
from grants.evaluation.states import ConflictKind, Declared, Ruling
from grants.identity.models import Organisation
from tests.evaluation.scene import (
    CALL,
    CLOSED,
    FOUR_HUNDRED_THOUSAND,
    OPENED,
    TITLES,
    Browser,
    Scene,
    small_application,
)
from tests.factories import identity as people
from tests.html import check_page
from tests.statements import statements

NONE = Declared.NONE


def joins(name: str, *application_ids: UUID, entry: UUID | None = None) -> UUID:
    """An organisation that takes part in these applications from now on."""
    with arranging():
        made = entry or people.organisation(name, country_code="BE").id
        for application_id in application_ids:
            db.session.add(
                ApplicationPartner(
                    application_id=application_id, organisation_id=made, position=5, role=PartnerRole.PARTNER.value,
                    state=PartnerState.ACCEPTED.value,
                )
            )  # fmt: skip
    return made


def shut(scene: Scene, name: str) -> list[int]:
    """Which applications do not open for this person."""
    found = queries.shut_for(scene.actor(name), scene.application_ids)
    return [number for number, key in enumerate(scene.application_ids) if key in found]


def conflicted(scene: Scene, name: str) -> list[int]:
    return [number for number, key in enumerate(scene.application_ids) if queries.has_conflict(scene.people[name], key)]


def leads(scene: Scene) -> list[UUID]:
    rows = {each.application_id: each for each in queries.consortia_of(scene.application_ids)}
    return [next(iter(rows[key].organisation_ids)) for key in scene.application_ids]


def test_an_organisation_is_answered_once_on_the_page_and_shuts_all_its_applications(
    browser: Browser, scene: Scene
) -> None:
    first, second, third = scene.application_ids
    shared, lead = joins("Shared University", first, second), leads_of_third(scene)
    path = f"/assessments/conflicts/{scene.slug}"
    page = unescape(browser.get("eva1", "/assessments/conflicts").text)
    assert "Each is asked once in this call" in page
    assert page.count(f'id="entity_{shared}_{scene.slug}"') == 1 and "Cool Courtyards, Ferry to Zero" in page
    said = {f"entity_{shared}_{scene.slug}": "conflict", f"declared_{third}": "none"}

    # Without its kind and its words nothing is stored, and what was ticked stands there again.
    again = browser.post("eva1", path, **said)
    check_page(again)
    assert again.status_code == 422 and "Choose what kind of tie it is." in again.text
    assert f'name="entity_{shared}_{scene.slug}" value="conflict" checked' in again.text and db_count() == 0

    said |= {f"kind_{shared}_{scene.slug}": "employment", f"about_{shared}_{scene.slug}": "I taught there"}
    assert browser.post("eva1", path, **said).status_code == 303
    page = unescape(browser.get("eva1", "/assessments/conflicts").text)
    assert "2 applications you have a conflict with will not appear again" in page
    assert "Shared University" not in page and "Cool Courtyards" not in page
    # “None” about the third is stored, and it stays shut until its lead is answered for as well.
    assert "Closed until you answer above about" in page and shut(scene, "eva1") == [0, 1, 2]
    assert conflicted(scene, "eva1") == [0, 1]
    assert queries.unanswered(scene.actor("eva1")) == 1

    assert browser.post("eva1", path, **{f"entity_{lead}_{scene.slug}": "none"}).status_code == 303
    assert shut(scene, "eva1") == [0, 1] and queries.unanswered(scene.actor("eva1")) == 0
    told = db.session.query(ConflictDeclaration).filter_by(application_id=first).one()
    assert told.reason == "Shared University, employment or a post in it: I taught there"


def leads_of_third(scene: Scene) -> UUID:
    return leads(scene)[2]


def db_count() -> int:
    db.session.rollback()
    return db.session.query(EntityDeclaration).count() + db.session.query(ConflictDeclaration).count()


def test_who_joins_later_reopens_the_question_and_a_conflict_with_them_stands_at_once(seated: Scene) -> None:
    first, second, _ = seated.application_ids
    one, two = seated.seats(first)[:2]
    assert shut(seated, one) == []

    new = joins("Latecomer", first)
    assert shut(seated, one) == [0]
    with pytest.raises(NotFound):
        queries.refuse_conflict(seated.people[one], first)
    answer = AnsweredEntity(new, Declared.CONFLICT, ConflictKind.FAMILY, "My sister runs it")
    services.declare(seated.actor(one), seated.call_id, (), (answer,))
    # The seat is empty, and every other way is shut too.
    assert one not in seated.seats(first) and conflicted(seated, one) == [0]
    assert queries.declaration_of(seated.people[one], first).is_conflict

    # It joins one more application: nobody declares anything, and it is shut already, by a double of its entry as well.
    double = joins("Latecomer Ltd", second)
    services.declare(seated.actor(two), seated.call_id, (), (AnsweredEntity(double, NONE),))
    with arranging():
        get(Organisation, double).same_as_id = new
    assert conflicted(seated, one) == [0, 1]
    assert ("application", second) in seated.actor(one).bars


def test_a_doubt_about_an_organisation_waits_for_rulings_and_a_later_one_covers_it(scene: Scene) -> None:
    first, second, _ = scene.application_ids
    shared = joins("Shared University", first, second)
    everything = tuple(Answered(key, NONE) for key in scene.application_ids)
    unsure = AnsweredEntity(shared, Declared.UNSURE, ConflictKind.SHARED_WORK, "One paper")
    rest = tuple(AnsweredEntity(key, NONE) for key in leads_before(scene, shared))
    services.declare(scene.actor("eva1"), scene.call_id, everything, (*rest, unsure))
    assert shut(scene, "eva1") == [0, 1] and conflicted(scene, "eva1") == []

    with pytest.raises(Refused):
        services.declare(scene.actor("eva1"), scene.call_id, (), (AnsweredEntity(shared, NONE),))
    doubt = db.session.query(ConflictDeclaration).filter_by(application_id=first).one()
    services.rule(scene.actor("manager"), doubt.id, Ruling.CLEARED, "One paper is none")
    assert shut(scene, "eva1") == [1]
    # Said again in other words it is a new question, and what was ruled before covers it no more.
    more = AnsweredEntity(shared, Declared.CONFLICT, ConflictKind.EMPLOYMENT, "A contract now")
    with clock.at(CLOSED + timedelta(minutes=1)):
        services.declare(scene.actor("eva1"), scene.call_id, (), (more,))
    assert conflicted(scene, "eva1") == [0, 1]


def leads_before(scene: Scene, but: UUID) -> list[UUID]:
    rows = queries.entity_rows(scene.people["eva1"], scene.application_ids)
    return [row.organisation_id for row in rows if row.organisation_id != but]


def test_an_organisation_of_no_application_before_them_is_not_there_and_problems_come_together(scene: Scene) -> None:
    with arranging():
        elsewhere = people.organisation("Elsewhere").id
    actor = scene.actor("eva1")
    with pytest.raises(NotFound):
        services.declare(actor, scene.call_id, (), (AnsweredEntity(elsewhere, NONE),))
    with pytest.raises(Invalid) as refused:
        services.declare(
            actor, scene.call_id, (Answered(scene.application_ids[0], Declared.UNSURE),),
            (AnsweredEntity(elsewhere, Declared.CONFLICT),),
        )  # fmt: skip
    assert len(refused.value.problems) == 3


def test_a_hundred_organisations_are_one_page_of_as_many_statements(browser: Browser, scene: Scene) -> None:
    browser.get("eva1", "/assessments/conflicts")
    with statements() as few:
        browser.get("eva1", "/assessments/conflicts")
    for number in range(100):
        joins(f"Partner {number:03d}", scene.application_ids[number % 3])
    with statements() as many:
        page = browser.get("eva1", "/assessments/conflicts")
    assert page.text.count('name="kind_') == 103
    # The button for all the rest says as one sentence what it answers.
    assert "no conflict with the 3 applications and the 103 organisations above that have no answer." in page.text
    assert len(many) == len(few) <= 8

    seen = dict(re.findall(r'<input type="hidden" name="(was_[^"]+)" value="([^"]*)"', page.text))
    assert browser.post("eva1", f"/assessments/conflicts/{scene.slug}", go="rest", **seen).status_code == 303
    assert shut(scene, "eva1") == []


def test_the_button_for_all_the_rest_names_nothing_there_is_none_of() -> None:
    row = ConflictRow(UUID(int=1), "A", "Warm homes", "Neochóra", "", None, "", None)
    shown = ConflictPage(UUID(int=9), "call", "Call", (row,))
    assert (
        shown.rest_words == "It says for you that you have no conflict with the application above that has no answer."
    )


def test_what_follows_from_organisations_takes_a_conflict_before_a_doubt() -> None:
    key = UUID(int=1)
    one = Doubted(UUID(int=9), key, "A", Declared.UNSURE, ConflictKind.OTHER, "x", NONE, None, covered=False)
    two = Doubted(UUID(int=9), key, "B", Declared.CONFLICT, ConflictKind.OTHER, "y", NONE, None, covered=False)
    assert said_of_applications([one, two])[key].declared is Declared.CONFLICT
    assert said_of_applications([two, one])[key].declared is Declared.CONFLICT
    covered = Doubted(
        UUID(int=9), key, "B", Declared.CONFLICT, ConflictKind.OTHER, "y", NONE, Ruling.CLEARED, covered=True
    )
    assert said_of_applications([covered]) == {}


def test_a_doubt_about_the_application_swallows_no_conflict_with_its_organisation(seated: Scene) -> None:
    first = seated.application_ids[0]
    one, two = seated.seats(first)[:2]
    for name in (one, two):
        own = Answered(first, Declared.UNSURE, "A cousin")
        services.declare(seated.actor(name), seated.call_id, (own,), ())
    new, other = joins("Latecomer", first), joins("Another one", first)
    row = db.session.query(ConflictDeclaration).filter_by(application_id=first, user_id=seated.people[two]).one()
    # The page sends the stored doubt back beside what is new: all of it stands, and one tied to an old page rules on none.
    unsure = AnsweredEntity(new, Declared.UNSURE, ConflictKind.OTHER, "We met")
    version = row.version
    services.declare(seated.actor(two), seated.call_id, (Answered(first, Declared.UNSURE, "A cousin"),), (unsure,))
    with pytest.raises(Conflict):
        services.rule(seated.actor("manager"), row.id, Ruling.CLEARED, "No", version)
    services.declare(
        seated.actor(two), seated.call_id, (),
        (AnsweredEntity(other, Declared.UNSURE, ConflictKind.OTHER, "We eat together"),),
    )  # fmt: skip
    assert db.session.get_one(ConflictDeclaration, row.id).reason == (
        "A cousin; Latecomer, something else: We met; Another one, something else: We eat together"
    )

    # Cleared of the doubt; then the conflict with the organisation, sent with the doubt that is stored.
    doubt = db.session.query(ConflictDeclaration).filter_by(application_id=first, user_id=seated.people[one]).one()
    services.rule(seated.actor("manager"), doubt.id, Ruling.CLEARED, "A far cousin")
    tie = AnsweredEntity(new, Declared.CONFLICT, ConflictKind.FAMILY, "My sister runs it")
    with clock.at(CLOSED + timedelta(minutes=1)):
        services.declare(seated.actor(one), seated.call_id, (Answered(first, Declared.UNSURE, "A cousin"),), (tie,))
    doubt = db.session.query(ConflictDeclaration).filter_by(application_id=first, user_id=seated.people[one]).one()
    assert (doubt.declared, doubt.ruling) == (Declared.CONFLICT.value, None) and "My sister" in (doubt.reason or "")
    assert one not in seated.seats(first) and 0 in conflicted(seated, one)


def told(scene: Scene, name: str, number: int) -> ConflictDeclaration:
    about = {"user_id": scene.people[name], "application_id": scene.application_ids[number]}
    return db.session.query(ConflictDeclaration).filter_by(**about).one()


@pytest.mark.usefixtures("declared_world")
def test_a_conflict_with_an_organisation_ends_by_a_ruling_on_each_application_also_the_shut_ones(
    browser: Browser, scene: Scene
) -> None:
    shared = joins("Shared University", *scene.application_ids[:2])
    actor, tie = scene.actor("eva1"), AnsweredEntity(shared, Declared.CONFLICT, ConflictKind.RIVAL, "We bid as well")
    services.declare(actor, scene.call_id, (), (tie,))
    services.rule(scene.actor("manager"), told(scene, "eva1", 0).id, Ruling.CLEARED, "Not in this one")
    # The first is open again and names the organisation; the second is shut, and so counts all the same.
    none = (AnsweredEntity(shared, NONE),)
    with pytest.raises(Refused):
        services.declare(scene.actor("eva1"), scene.call_id, (), none)
    page = browser.get("eva1", "/assessments/conflicts").text
    assert (
        f'name="entity_{shared}_{scene.slug}" value="unsure"' in page
        and f'name="entity_{shared}_{scene.slug}" value="none"' not in page
    )
    services.rule(scene.actor("manager"), told(scene, "eva1", 1).id, Ruling.CONFIRMED, "In this one they do")
    with pytest.raises(Refused):
        services.declare(scene.actor("eva1"), scene.call_id, (), none)
    services.rule(scene.actor("manager"), told(scene, "eva1", 1).id, Ruling.CLEARED, "They withdrew")
    assert f'name="entity_{shared}_{scene.slug}" value="none"' in browser.get("eva1", "/assessments/conflicts").text
    services.declare(scene.actor("eva1"), scene.call_id, (), none)
    assert shut(scene, "eva1") == []


def test_entries_joined_in_the_register_shut_empty_the_seat_and_ask_for_a_ruling(seated: Scene) -> None:
    first, second, _ = seated.application_ids
    one, two = seated.seats(first)[:2]
    entry, other = joins("Harbour Works", first), joins("Harbour Works Ltd", second)
    for name, said in ((one, Declared.CONFLICT), (two, Declared.UNSURE)):
        about = AnsweredEntity(other, said, ConflictKind.ECONOMIC, "Shares")
        services.declare(seated.actor(name), seated.call_id, (), (AnsweredEntity(entry, NONE), about))
    assert (shut(seated, one), shut(seated, two)) == ([1], [1]) and one in seated.seats(first)

    with arranging():
        get(Organisation, other).same_as_id = entry
    # One “none” of the two entries opens nothing, and the job that looks carries what was said to the application.
    assert (shut(seated, one), shut(seated, two)) == ([0, 1], [0, 1])
    looks = system_actor("the program", (Permission.CONFLICT_DETECT,))
    services.detect(looks, seated.call_id)
    assert one not in seated.seats(first) and two in seated.seats(first)
    assert told(seated, one, 0).declared == Declared.CONFLICT.value
    assert ("Shares" in (told(seated, two, 0).reason or "")) and told(seated, two, 0).ruling is None
    assert queries.waiting_doubts(seated.call_id)
    versions = [told(seated, name, 0).version for name in (one, two)]
    services.detect(looks, seated.call_id)
    assert [told(seated, name, 0).version for name in (one, two)] == versions

    # Said again it is said of both entries, and a ruling after it covers both.
    services.rule(seated.actor("manager"), told(seated, two, 0).id, Ruling.CLEARED, "Sold")
    services.rule(seated.actor("manager"), told(seated, two, 1).id, Ruling.CLEARED, "Sold")
    services.declare(seated.actor(two), seated.call_id, (), (AnsweredEntity(entry, NONE),))
    assert shut(seated, two) == [] and queries.unsettled(seated.people[two]) == frozenset()
    assert {row.declared for row in queries.entity_rows(seated.people[two], seated.application_ids)} == {"none"}


def test_what_was_said_before_there_were_answers_about_organisations_says_nothing_for_anybody(scene: Scene) -> None:
    first, second, third = scene.application_ids
    later = CLOSED + timedelta(hours=1)
    with clock.at(later):
        joins("Joined after it", first)
    with clock.at(CLOSED - timedelta(hours=1)):
        plain, doubted = joins("Plain", first, second), joins("In doubt", first, third)
    said = {
        "eva1": [(first, NONE, None), (second, Declared.CONFLICT, Ruling.CLEARED), (third, Declared.UNSURE, None)],
        "eva2": [(first, NONE, Ruling.CONFIRMED), (third, NONE, None)],
    }
    with arranging():
        for name, rows in said.items():
            for application_id, declared, ruling in rows:
                db.session.add(
                    ConflictDeclaration(
                        user_id=scene.people[name], application_id=application_id, declared=declared.value,
                        reason="A word", declared_at=CLOSED, ruling=ruling.value if ruling else None,
                        ruled_by=scene.people["manager"] if ruling else None, ruled_at=later if ruling else None,
                    )
                )  # fmt: skip
    path = next((Path(__file__).parents[2] / "migrations" / "versions").glob("0070_*.py"))
    with arranging():
        db.session.connection().exec_driver_sql(run_path(str(path))["SAID_BEFORE"])
    names = {user_id: name for name, user_id in scene.people.items()}
    rows = db.session.query(EntityDeclaration).all()
    lead = leads_of(scene)
    assert {(names[row.user_id], row.organisation_id) for row in rows} == {
        ("eva1", lead[0]), ("eva1", plain), ("eva2", lead[2]),
    }  # fmt: skip
    assert doubted not in {row.organisation_id for row in rows}


def leads_of(scene: Scene) -> list[UUID]:
    with arranging():
        return [get(Application, key).coordinator_id for key in scene.application_ids]


def test_an_older_window_repeats_what_it_never_touched_and_overwrites_nothing(browser: Browser, scene: Scene) -> None:
    """What a page only sends back is no answer; what was answered elsewhere since is said, and nothing typed is lost."""
    first, second, third = scene.application_ids
    path, lead = f"/assessments/conflicts/{scene.slug}", joins("Shared University", first)
    open_one = leads_of(scene)[2]

    def opened_page() -> dict[str, str]:
        page = browser.get("eva1", "/assessments/conflicts").text
        marks = dict(re.findall(r'name="(was_[^"]+)" value="([^"]*)"', page))
        return {**marks, **{f"{name}_{each}": "" for name in ("reason",) for each in scene.application_ids}}

    old = opened_page()
    doubt = {f"declared_{first}": "unsure", f"reason_{first}": "We met once"}
    about = {
        f"entity_{lead}_{scene.slug}": "unsure",
        f"kind_{lead}_{scene.slug}": "family",
        f"about_{lead}_{scene.slug}": "An aunt",
    }
    assert browser.post("eva1", path, **old | doubt | about, go="send").status_code == 303
    # The rows answered meanwhile go along untouched: no error about them, no word of theirs is lost.
    answered = browser.post(
        "eva1", path, **old, **{f"declared_{second}": "none", f"kind_{lead}_{scene.slug}": ""}, go="send"
    )
    assert answered.status_code == 303, answered.text
    assert "1 answered" in browser.get("eva1", "/assessments/conflicts").text
    assert queries.declaration_of(scene.people["eva1"], first)[0] is Declared.UNSURE

    # One that was changed in both: what is stored is said, what was typed stands, and a second sending counts.
    other = {f"declared_{second}": "unsure", f"reason_{second}": "I advised them"}
    clash = browser.post("eva1", path, **old | other, go="rest")
    page = unescape(clash.text)
    assert clash.status_code == 422 and "You answered this in another window" in page and "Stored now: None." in page
    assert f'name="declared_{second}" value="unsure" checked' in page and "I advised them" in page
    assert "We met once" in page and queries.declaration_of(scene.people["eva1"], third)[0] is None
    now = dict(re.findall(r'name="(was_[^"]+)" value="([^"]*)"', clash.text))
    assert browser.post("eva1", path, **old | other | now, go="send").status_code == 303
    assert queries.declaration_of(scene.people["eva1"], second)[0] is Declared.UNSURE

    # Words without an answer are no answer, and are not lost either: about an application, about an organisation.
    for words, kept in (
        ({f"reason_{third}": "We may have met"}, "We may have met"),
        ({f"kind_{open_one}_{scene.slug}": "family"}, 'value="family" selected'),
    ):
        refused = browser.post("eva1", path, **opened_page() | words, go="rest")
        assert refused.status_code == 422 and "ticked no answer" in refused.text
        assert kept in refused.text
        assert queries.declaration_of(scene.people["eva1"], third)[0] is None

    # What is gone since cannot be answered: that is said, with the words.
    conflict = {f"declared_{third}": "conflict", f"reason_{third}": "My sister"}
    twin = {**opened_page(), **conflict, "act_key": "one click of two"}
    assert [browser.post("eva1", path, **twin).status_code for _ in range(2)] == [303, 303]
    gone = browser.post("eva1", path, **old | {f"declared_{third}": "unsure", f"reason_{third}": "Perhaps"})
    assert gone.status_code == 422 and "stands on this page no more" in gone.text and "Perhaps" in unescape(gone.text)


def test_every_button_of_the_page_sends_all_of_it_and_a_refusal_keeps_each_call_as_ticked(
    browser: Browser, scene: Scene
) -> None:
    first, path = scene.application_ids[0], "/assessments/conflicts"
    with clock.at(OPENED):
        other = calls.import_call(scene.actor("manager"), CALL.replace("SMALL-2022", "OTHER-2022"))
        far = small_application(other.id, 4, FOUR_HUNDRED_THOUSAND)[0]
        services.pool(scene.actor("manager"), other.id, EvaluatorInput(scene.people["eva1"], "FI", ("en",), (), 0, 3))
    shared = joins("Shared University", first, far)
    page = unescape(browser.get("eva1", path).text)
    # What it takes part in and what was said of it is told call by call.
    assert f"{TITLES[0]}, {TITLES[4]}" not in page and page.count("novalidate") == 1
    here, there = f"{shared}_{scene.slug}", f"{shared}_{other.slug}"
    assert f'name="entity_{here}"' in page and f'name="entity_{there}"' in page

    # One tick is not complete: nothing is stored, each of both stands as sent, and the summary names what is meant.
    said = {f"declared_{first}": "unsure", f"entity_{there}": "conflict", f"about_{there}": "I taught there"}
    refused = unescape(browser.post("eva1", f"{path}/{scene.slug}", **said, go="send").text)
    assert f"{TITLES[0]}: What makes you unsure?" in refused and "Shared University: Choose what kind" in refused
    assert f'name="entity_{there}" value="conflict" checked' in refused and 'value="I taught there"' in refused
    assert f'name="declared_{first}" value="unsure" checked' in refused and db_count() == 0

    # Ticked in the last part, sent with the button of the first: stored by an act about its own call, whatever is refused
    # of the first; that stands as it was ticked.
    unsure = {f"declared_{first}": "unsure", f"reason_{first}": "We met"}
    assert browser.post("eva1", f"{path}/{scene.slug}", **unsure, go="send").status_code == 303
    said = {f"entity_{there}": "conflict", f"kind_{there}": "employment", f"about_{there}": "I taught there"}
    part = browser.post("eva1", f"{path}/{scene.slug}", **said, **{f"declared_{first}": "none"}, go="send")
    assert part.status_code == 422 and "is stored. The rest is not" in part.text
    # Two calls stand on the page: a way to each begins it.
    ways = re.findall('href="#(call-[^"]+)"', part.text.partition("<table")[0])
    assert len(set(ways)) == 2 and all(f'id="{way}"' in part.text for way in ways)
    assert "You said you are unsure" in part.text and f'name="declared_{first}" value="none" checked' in part.text
    page = unescape(browser.get("eva1", path).text)
    assert TITLES[4] not in page and "We met" in page
    assert f'name="entity_{here}" value="conflict" checked' not in page
    # What was declared is told again without a word that names anybody, the own words included.
    _, own = page.split("What you declared as a conflict (2)")
    assert "With an organisation, employment or a post in it." in own and "With an application." in own
    assert "Shared University" not in own and "I taught there" not in own
    # Whom to ask for a ruling is linked, about the call of each, in the words of the form that opens.
    (link, _) = re.findall(r'href="(/help/new\?about=call[^"]*)"', own)
    assert "content" in link and browser.get("eva1", link).status_code == 200
