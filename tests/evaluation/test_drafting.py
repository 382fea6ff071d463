"""A consensus written field by field: what two chairs do to each other, what is proposed, versions, who sees any of it, opening it again."""

from __future__ import annotations

from html import unescape
from uuid import UUID

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from grants.core import clock
from grants.core.acts import arranging
from grants.core.audit import AuditEvent
from grants.core.db import db
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.jobs import Job
from grants.core.paging import Page
from grants.dossiers.merging import AnswerChanged
from grants.evaluation import queries, services
from grants.evaluation.rules import Answered
from grants.evaluation.states import ConsensusState, Declared
from grants.identity.policy import Role
from tests.awards.test_publication import statements
from tests.evaluation.scene import CLOSED, WORDS, Browser, Scene, declares
from tests.factories import identity as people
from tests.html import check_page
from tests.worlds import World, Worlds


def text_of(answer: TestResponse, status: int = 200) -> str:
    assert answer.status_code == status, answer.text[:2_000]
    check_page(answer)
    return unescape(answer.text)


@pytest.fixture(scope="session")
def assessed_world(worlds: Worlds, small_world: World[Scene], seated_world: World[None]) -> World[dict[str, UUID]]:
    """The first application has every sheet in, and a second chair declared about all of them."""

    def assessed_first() -> dict[str, UUID]:
        scene = small_world.told()
        first = scene.application_ids[0]
        for name, half in zip(scene.seats(first), (4, 9, 8), strict=True):
            services.submit(
                scene.actor(name), first, scene.sheet(half, 8, 8, words=f"{name} finds the plan weak. {WORDS}.")
            )
        with arranging():
            scene.people["chair2"] = people.user("Cem Cochair", Role.PANEL_CHAIR).id
        answers = tuple(Answered(each, Declared.NONE) for each in scene.application_ids)
        declares(scene.actor("chair2"), scene.call_id, answers)
        return scene.people

    with clock.at(CLOSED):
        return worlds.of(assessed_first, like=seated_world)


@pytest.fixture
def assessed(scene: Scene, assessed_world: World[dict[str, UUID]]) -> Scene:
    scene.people.update(assessed_world.told())
    return scene


def about(scene: Scene) -> tuple[UUID, str, str]:
    """The first application, the address of its consensus, and the key of its first criterion."""
    key = scene.sheet(None, None, None).marks[0].criterion
    return scene.application_ids[0], f"/consensus/{scene.references[0]}", key


def shown(scene: Scene, name: str = "chair"):
    return queries.consensus_page(scene.actor(name), scene.references[0])


def save(scene: Scene, name: str, field: str, text: str, number: int):
    return services.save_consensus_field(scene.actor(name), scene.application_ids[0], field, (text,), number)


def numbers(scene: Scene) -> dict[str, str]:
    """The hidden fields of the form as it stands now."""
    stands, marks = shown(scene), scene.sheet(None, None, None).marks
    names = [f"{part}_{mark.criterion}" for mark in marks for part in ("half", "comment")]
    return {f"number_{name}": str(stands.number(name)) for name in (*names, "remark")}


def test_a_score_and_a_text_are_stored_alone_and_what_was_not_scored_is_missing(assessed: Scene) -> None:
    _, _, key = about(assessed)

    assert save(assessed, "chair", f"half_{key}", "4", 0).number == 1
    saved = save(assessed, "chair", f"comment_{key}", "Too short", 0)

    assert "say why in at least 30 words; there are 2" in dict(saved.missing)[f"comment_{key}"]
    stands = shown(assessed)
    assert (stands.mark(key).half, stands.mark(key).comment) == (4, "Too short")
    assert [mark.half for mark in stands.marks] == [4, None, None] and stands.total_half is None
    # Nothing whole is kept while somebody types.
    assert (stands.state, stands.versions) == (ConsensusState.DRAFT, 0)
    events = db.session.scalars(select(AuditEvent).where(AuditEvent.verb == "consensus.save_field")).all()
    assert events and not any("Too short" in str(event.changes) for event in events)


def test_the_same_again_is_no_version_and_a_save_costs_the_same_each_time(assessed: Scene) -> None:
    first, _, key = about(assessed)
    save(assessed, "chair", f"half_{key}", "7", 0)
    assert save(assessed, "chair", f"half_{key}", "7", 0).number == 1

    actor = assessed.actor("chair")
    with statements() as sent:
        services.save_consensus_field(actor, first, f"half_{key}", ("8",), 1)
    assert len(sent) <= 14, "\n".join(sent)


def test_what_is_on_no_scale_and_what_is_no_field_is_refused(assessed: Scene) -> None:
    _, _, key = about(assessed)
    with pytest.raises(Invalid):
        save(assessed, "chair", f"half_{key}", "11", 0)
    with pytest.raises(NotFound):
        save(assessed, "chair", "half_nothing", "4", 0)


def test_two_chairs_never_overwrite_each_other_unseen(assessed: Scene, browser: Browser) -> None:
    _, path, key = about(assessed)
    field = f"comment_{key}"
    save(assessed, "chair", field, "One two three", 0)
    save(assessed, "chair2", field, "One deux three", 1)

    with pytest.raises(AnswerChanged):
        save(assessed, "chair", field, "One zwei three", 1)
    assert save(assessed, "chair", field, "One two three", 1).other == ("One deux three",)
    told = browser.post("chair", f"{path}/fields/{field}", value="One zwei three", number="1")
    assert told.status_code == 409
    said = told.get_json()
    assert (said["number"], said["stored"], said["merged"]) == (2, ["One deux three"], ["One deux zwei three"])
    assert said["problem"].startswith("Cem Cochair saved something else at")

    # The whole form by its button, without a script: both texts and a draft of both, and nothing else is lost.
    stale = {**numbers(assessed), f"number_{field}": "1"}
    text = text_of(browser.post("chair", path, go="save", remark="Typed", **{field: "One zwei three"}, **stale), 409)
    assert all(each in text for each in ("One zwei three", "One deux three", "One deux zwei three", "Typed"))
    assert shown(assessed).text == ""
    again = {f"choose_{field}": "merged", f"merged_{field}": "One deux zwei three", field: "One zwei three"}
    assert browser.post("chair", path, go="save", remark="Typed", **again, **numbers(assessed)).status_code == 303
    assert (shown(assessed).mark(key).comment, shown(assessed).text) == ("One deux zwei three", "Typed")


def test_a_form_that_comes_back_has_seen_nothing_but_what_the_page_shows(assessed: Scene, browser: Browser) -> None:
    first, path, key = about(assessed)
    other = assessed.sheet(None, None, None).marks[1].criterion
    services.write_consensus(assessed.actor("chair"), first, assessed.sheet(7, 8, 8, words="One", remark="So."))
    stale = numbers(assessed)
    typed = {f"comment_{mark.criterion}": "One" for mark in shown(assessed).marks} | {"remark": "So."}
    marks = {f"half_{mark.criterion}": str(mark.half) for mark in shown(assessed).marks}
    save(assessed, "chair2", f"comment_{key}", "Two", 1)
    save(assessed, "chair2", f"comment_{other}", "Two", 1)

    # Words of a sheet taken without a script, a form refused, a form contested: in none is the other’s field seen.
    mine = {**typed, **marks, f"comment_{key}": "Three"}
    for sent, status in (({"use": f"0 {key}"}, 200), ({"go": "propose", "remark": ""}, 422), ({"go": "save"}, 409)):
        text = text_of(browser.post("chair", path, **{**mine, **stale, **sent}), status)
        assert f'name="number_comment_{other}" value="1"' in text
        assert f'name="number_comment_{key}" value="{2 if status == 409 else 1}"' in text
    # Sent again as it came back, only the contested field is written, in sight of the other’s.
    again = {**mine, **stale, f"number_comment_{key}": "2"}
    assert browser.post("chair", path, go="save", **again).status_code == 303
    assert [shown(assessed).mark(each).comment for each in (key, other)] == ["Three", "Two"]


def test_nobody_proposes_what_they_did_not_see(assessed: Scene, browser: Browser) -> None:
    first, path, key = about(assessed)
    services.write_consensus(assessed.actor("chair"), first, assessed.sheet(7, 8, 8, remark="So."))
    seen = numbers(assessed)
    typed = {
        name: value
        for mark in shown(assessed).marks
        for name, value in ((f"half_{mark.criterion}", str(mark.half)), (f"comment_{mark.criterion}", mark.comment))
    }
    save(assessed, "chair2", f"half_{key}", "9", 1)

    # The first chair changed nothing in that field; by itself it would stand, and be proposed unread.
    text = text_of(browser.post("chair", path, go="propose", remark="So.", **typed, **seen), 409)

    assert "somebody else saved" in text and shown(assessed).state is ConsensusState.DRAFT
    assert browser.post("chair", path, go="propose", remark="So.", **typed, **numbers(assessed)).status_code == 303
    assert shown(assessed).mark(key).half == 7 and shown(assessed).state is ConsensusState.PROPOSED

    # With the evaluators no field takes words: none is said to be in one, and what another tab had typed is not lost.
    mine = {f"comment_{key}": "Typed in another tab", "remark": "So."}
    for sent, status in (
        ({"use": f"0 {key}"}, 422),
        ({"go": "save", **numbers(assessed)}, 422),
        ({"go": "save", **seen}, 422),
    ):
        text = text_of(browser.post("chair", path, **mine, **sent), status)
        assert "This consensus is with the evaluators. Take it back before you change it." in text
        assert "Typed in another tab" in text and "are in the field" not in text
    stale = {**mine, "version": "1"}
    assert "Typed in another tab" in text_of(browser.post("chair", path, go="save", **stale), 409)


def test_a_form_sent_after_its_fields_saved_themselves_is_not_stale(assessed: Scene, browser: Browser) -> None:
    _, path, key = about(assessed)
    save(assessed, "chair", f"half_{key}", "7", 0)

    sent = browser.post(
        "chair", path, go="save", version="0", remark="So.", **{f"half_{key}": "7"}, **numbers(assessed)
    )

    assert sent.status_code == 303 and shown(assessed).versions == 1


def test_only_a_draft_is_written_and_what_is_typed_then_is_answered_in_a_sentence(
    assessed: Scene, browser: Browser
) -> None:
    first, path, key = about(assessed)
    services.propose(assessed.actor("chair"), first, assessed.sheet(7, 8, 8, remark="We agree."))

    told = browser.post("chair2", f"{path}/fields/half_{key}", value="9", number="1")
    assert told.status_code in (409, 422)
    with pytest.raises(Refused, match="Take it back"):
        save(assessed, "chair2", f"half_{key}", "9", 1)


def test_versions_of_a_field_say_who_wrote_them_and_one_stands_again(assessed: Scene, browser: Browser) -> None:
    _, path, key = about(assessed)
    field = f"comment_{key}"
    save(assessed, "chair", field, "One two three", 0)
    save(assessed, "chair2", field, "One deux three", 1)

    text = text_of(browser.get("chair", f"{path}/history/{field}"))
    assert "Carla Chair" in text and "Cem Cochair" in text and "deux" in text
    assert browser.post("chair", f"{path}/history/{field}", version="1", shown="2").status_code == 303
    assert shown(assessed).mark(key).comment == "One two three"
    stale = browser.post("chair", f"{path}/history/{field}", version="2", shown="1")
    assert "saved while you were reading" in text_of(stale, 409)
    assert browser.get("chair", f"{path}/history/nothing").status_code == 404


def test_no_route_of_the_draft_is_open_to_who_does_not_write_it(assessed: Scene, browser: Browser) -> None:
    first, path, key = about(assessed)
    save(assessed, "chair", f"comment_{key}", "Not yet for anybody", 0)
    evaluator = assessed.seats(first)[0]

    for name in (evaluator, "manager"):
        assert browser.post(name, f"{path}/fields/half_{key}", value="4", number="0").status_code == 403
        assert browser.post(name, f"{path}/presence", question="remark").status_code == 403
        assert browser.post(name, f"{path}/reopen", reason="No").status_code == 403
    assert browser.get(evaluator, f"{path}/history/comment_{key}").status_code == 403
    assert "Not yet for anybody" not in text_of(browser.get(evaluator, path))
    assert browser.post("chair", f"{path}/presence", question="remark").get_json() == {"others": []}

    declares(assessed.actor("chair2"), assessed.call_id, (Answered(first, Declared.CONFLICT, "Kin"),))
    for suffix in (f"/fields/half_{key}", "/presence", "/reopen", f"/history/half_{key}"):
        assert browser.post("chair2", path + suffix, value="4", number="0", reason="x").status_code == 404
    assert browser.get("chair2", f"{path}/history/half_{key}").status_code == 404


def test_an_agreed_consensus_opens_again_with_a_reason_and_keeps_what_was_agreed(
    assessed: Scene, browser: Browser
) -> None:
    first, path, key = about(assessed)
    assessed.agree(first, 7, 8, 8)
    with pytest.raises(Refused, match="Open it again with a reason"):
        save(assessed, "chair", f"half_{key}", "9", 1)

    version = str(shown(assessed).version)
    assert "Write why it is opened again" in text_of(
        browser.post("chair", f"{path}/reopen", reason=" ", version=version), 422
    )
    stale = text_of(browser.post("chair", f"{path}/reopen", reason="Mine", version="0"), 409)
    assert "Mine" in stale
    sent = browser.post("chair", f"{path}/reopen", reason="A sum was wrong.", version=version)

    assert sent.status_code == 303
    stands = shown(assessed)
    assert (stands.state, stands.agreed, stands.mark(key).half) == (ConsensusState.DRAFT, (), 7)
    assert assessed.official(first).halves is None
    (kept,) = queries.consensus_versions(assessed.actor("chair"), assessed.references[0], Page())[1].items
    assert [answer.value for _, answer, _, _ in kept.answers] == ["approve"] * 3 + ["reopened"]
    mails = [args for args in db.session.scalars(select(Job.args)) if args.get("template") == "consensus_reopened"]
    assert len(mails) == 3 and all("A sum was wrong." in str(each) for each in mails)
    text = text_of(browser.post("chair", f"{path}/reopen", reason="Again", version=str(stands.version)), 422)
    assert "not agreed" in text
