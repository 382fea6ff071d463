"""The record of who did what, as each person may read it: sentences, changes, seals, filters, bars, and how many statements."""

from __future__ import annotations

import csv
import io
from importlib import import_module
from types import SimpleNamespace
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from grants.app import stage_modules
from grants.core import acts, audit, clock
from grants.core.acts import arranging
from grants.core.audit import AuditEvent
from grants.core.db import db, get
from grants.core.paging import Page
from grants.core.permissions import Actor
from grants.core.permissions import Permission as P
from grants.identity import services as identity
from grants.identity.policy import Role
from grants.identity.rules import UserInput
from grants.ledger.models import LedgerEntry
from grants.oversight import queries, rules
from grants.oversight.queries import places, sentences, trail
from grants.oversight.rules import TrailFilter
from grants.payments import services as payments
from grants.payments.models import PaymentOrder, ReversalProposal
from grants.payments.states import ReversalState
from tests import actors
from tests.factories import identity as factory
from tests.html import check_page
from tests.oversight.conftest import DAY, Scene, statements

EVERYTHING = TrailFilter()
CSV_ACT = trail.CSV_COLUMNS.index("act")


def said(actor: Actor, asked: TrailFilter = EVERYTHING) -> list[str]:
    lines, problem = queries.record(actor, asked, Page())
    assert problem == ""
    return [f"{line.who} {line.sentence}" for line in lines]


def test_every_verb_a_story_tells_is_an_act() -> None:
    # Acts are known once the module that holds them was imported; those of the demo are in no stage.
    list(stage_modules("services"))
    import_module("grants.demo.arriving")
    told = rules.GRANT_STORY | rules.TEAM_STORY | rules.CALL_STORY | rules.ORDER_STORY | rules.PEOPLE_STORY
    told |= rules.QUIET | rules.WITHHELD_STORY

    assert told - set(acts.REGISTRY) == set()
    assert rules.SYSTEM_THINGS - {rules.thing_of(verb) for verb in acts.REGISTRY} == set()


def test_the_auditor_reads_sentences_newest_first_with_the_role_of_then(scene: Scene) -> None:
    lines, _ = queries.record(actors.nuria(), TrailFilter(reference=scene.order), Page())

    assert [(line.who, line.role, line.sentence) for line in lines] == [
        ("Vera Verifier", "Finance verifier", f"verified payment order {scene.order}"),
        ("Fin Initiator", "Finance initiator", f"prepared payment order {scene.order}"),
    ]
    assert lines[0].subject is not None
    assert (lines[0].subject.endpoint, lines[0].subject.value) == ("payments.order", scene.order)


def test_a_change_stands_in_words_before_and_after(scene: Scene) -> None:
    lines, _ = queries.record(actors.nuria(), TrailFilter(reference=scene.order), Page())

    order = next(row for row in lines[0].touched if row.words == "payment order")
    assert {change.label: (change.before, change.after) for change in order.changes} == {
        "state": ("prepared", "verified"),
        "verified by": ("nothing", "Vera Verifier"),
    }
    made = next(row for row in lines[1].touched if row.words == "payment order")
    assert ("amount", "nothing", "EUR 210\u00a0000.00") in [
        (change.label, change.before, change.after) for change in made.changes
    ]


def test_personal_data_is_told_as_changed_and_never_shown(scene: Scene) -> None:
    with clock.at(DAY):
        identity.add_user(actors.ada(), UserInput(name="Secret Name", email="secret@example.eu"))

    lines, _ = queries.record(actors.ada(), TrailFilter(thing="user"), Page())

    person = next(row for row in lines[0].touched if row.words == "person")
    assert {change.after for change in person.changes if change.label in {"name", "email"}} == {"a text"}


def test_a_row_is_not_yet_sealed_until_the_sealer_came(scene: Scene) -> None:
    before = queries.record(actors.nuria(), EVERYTHING, Page())[0][0]
    audit.seal_pending()
    after = queries.record(actors.nuria(), EVERYTHING, Page())[0][0]

    assert (before.first_position, before.waiting) == (None, before.rows)
    assert after.waiting == 0
    assert after.first_position is not None and after.last_position is not None
    assert after.last_position - after.first_position == after.rows - 1


def test_an_administrator_reads_of_people_and_the_system_and_of_no_money(scene: Scene) -> None:
    with clock.at(DAY):
        identity.add_user(actors.ada(), UserInput(name="Nora New", email="nora@example.eu"))

    found = said(actors.ada())

    assert found[0] == "Ada Admin added Nora New"
    assert not [sentence for sentence in found if "payment" in sentence]
    assert {rules.thing_of(line.verb) for line in queries.record(actors.ada(), EVERYTHING, Page())[0]} == {"user"}
    assert "payment_order" not in queries.things(actors.ada())


def test_a_barred_auditor_finds_nothing_of_the_thing_nor_of_what_belongs_to_it(scene: Scene) -> None:
    nuria = actors.nuria()
    assert nuria.user_id is not None
    with arranging():
        factory.bar(nuria.user_id, "application", scene.world.application_id)

    found = said(actors.nuria())

    assert not [sentence for sentence in found if "PCP-2022-G" in sentence or scene.order in sentence]
    # It is answered as a reference that was never given.
    for reference in (scene.order, scene.world.reference, "PCP-2022-P-9999"):
        told = queries.record(actors.nuria(), TrailFilter(reference=reference), Page())
        assert told == ((), f"There is nothing “{reference}” here. Write a reference, for example PCP-2022-G-0001.")


@acts.act("test_trail.propose", needs=P.LEDGER_READ, says="proposed to reverse an entry")
def _propose_reversal(actor: Actor, source_key: str) -> None:
    entry_id = db.session.scalars(select(LedgerEntry.id).where(LedgerEntry.source_key == source_key)).one()
    db.session.add(
        ReversalProposal(
            entry_id=entry_id, reason="Typed twice.", state=ReversalState.PROPOSED.value, proposed_by=actor.user_id,
            proposed_at=DAY,
        )
    )  # fmt: skip


def test_a_barred_auditor_finds_no_proposal_to_reverse_an_entry_of_the_thing(scene: Scene) -> None:
    _propose_reversal(actors.carl(), f"test:{scene.world.grant_id}:E5")
    told = "Carl Accountant proposed to reverse an entry"
    before = said(actors.nuria()), said(actors.nuria(), TrailFilter(reference=scene.world.reference))
    nuria = actors.nuria().user_id
    assert nuria is not None

    with arranging():
        factory.bar(nuria, "application", scene.world.application_id)

    assert all(told in lines for lines in before)
    assert told not in said(actors.nuria())


def test_an_auditor_of_one_call_reads_that_call_only(scene: Scene) -> None:
    here, elsewhere = actors.person("Aud Here"), actors.person("Aud Elsewhere")
    actors.give(here, Role.AUDITOR, "call", scene.world.call_id)
    actors.give(elsewhere, Role.AUDITOR, "call", scene.world.grant_id)

    assert f"Vera Verifier verified payment order {scene.order}" in said(actors.actor(here))
    assert said(actors.actor(elsewhere)) == []


def test_the_list_is_narrowed_by_person_thing_reference_and_day(scene: Scene) -> None:
    nuria, day = actors.nuria(), DAY.date()

    assert said(nuria, TrailFilter(person="vera")) == [f"Vera Verifier verified payment order {scene.order}"]
    assert len(said(nuria, TrailFilter(thing="payment_order"))) == 2
    assert len(said(nuria, TrailFilter(reference=scene.world.reference))) == 5
    assert len(said(nuria, TrailFilter(from_on=day, to_on=day))) == 4
    assert said(nuria, TrailFilter(to_on=day.replace(day=1))) == []
    assert queries.record(nuria, TrailFilter(reference="PCP-1"), Page())[1].startswith(
        "There is nothing \u201cPCP-1\u201d"
    )


def test_the_next_page_goes_on_where_the_first_ended(scene: Scene) -> None:
    nuria = actors.nuria()
    whole, _ = queries.record(nuria, EVERYTHING, Page())

    first, _ = queries.record(nuria, EVERYTHING, Page(size=2))
    second, _ = queries.record(nuria, EVERYTHING, Page(size=50, after=first[1].key))

    assert [line.id for line in (*first[:2], *second)] == [line.id for line in whole]
    assert queries.record(nuria, EVERYTHING, Page(after="nonsense"))[0] == whole


def test_the_record_takes_the_same_statements_for_one_row_and_for_thirty(scene: Scene) -> None:
    nuria, fin, made = actors.nuria(), actors.fin(), scene.order_id
    for number in range(15):
        with clock.at(DAY.replace(hour=13, minute=number)):
            payments.cancel(fin, made, reason="A test")
            made = payments.prepare(fin, scene.request_id).id

    counts = []
    for size in (1, 30):
        with statements() as seen:
            lines, _ = queries.record(nuria, TrailFilter(thing="payment_order"), Page(size=size - 1))
        counts.append((len(lines), len(seen)))

    assert [rows for rows, _ in counts] == [1, 30]
    assert counts[0][1] == counts[1][1]


def test_the_record_takes_the_same_statements_whether_things_stand_for_themselves_or_belong_to_others(
    scene: Scene,
) -> None:
    nuria = actors.nuria()
    # The newest act on the request decided it, with parts of its own; before that it was opened, by itself.
    (decided, *_), _ = queries.record(nuria, TrailFilter(thing="payment_request"), Page(size=0))
    parts, counts = [], []
    for thing, after in (("payment_order", None), ("payment_request", None), ("payment_request", decided.key)):
        with statements() as seen:
            (line, *_), _ = queries.record(nuria, TrailFilter(thing=thing), Page(size=0, after=after))
        changed = select(AuditEvent.object_kind).where(AuditEvent.act_id == line.id)
        parts.append(set(db.session.scalars(changed)) - set(places.NAMED))
        counts.append(len(seen))

    assert parts == [{"payment_order_signature"}, {"payment_request_part"}, set()]
    assert len(set(counts)) == 1, counts


# --- pages ---------------------------------------------------------------------------------------------------------


def get_page(app: Flask, actor: Actor, address: str, status: int = 200) -> str:
    answer = actors.client_of(app, actor).get(address)
    assert answer.status_code == status, answer.text
    if status == 200 and answer.mimetype == "text/html":
        check_page(answer)
    return answer.get_data(as_text=True)


def test_the_page_shows_the_record_with_links_and_changes(app: Flask, scene: Scene) -> None:
    page = get_page(app, actors.nuria(), f"/audit?ref={scene.order}&about=payment_order")

    assert f'href="/finance/orders/{scene.order}"' in page
    assert "State: prepared" in page
    assert "not yet sealed" in page
    assert "Newest first, in Brussels time." in page


def test_a_bad_filter_is_a_sentence_and_keeps_what_was_typed(app: Flask, scene: Scene) -> None:
    page = get_page(app, actors.nuria(), "/audit?from=yesterdayish&ref=PCP-9&person=%3Cb%3E")

    assert 'value="yesterdayish"' in page
    assert "There is nothing \u201cPCP-9\u201d here" in page
    assert "&lt;b&gt;" in page


@pytest.mark.parametrize("who", [actors.ingrid, actors.otto, actors.ana, actors.eva])
def test_the_record_is_closed_to_everybody_else(app: Flask, scene: Scene, who: object) -> None:
    for address in ("/audit", "/audit.csv"):
        assert actors.client_of(app, who()).get(address).status_code == 403


def test_the_file_has_a_line_for_each_changed_field(app: Flask, scene: Scene) -> None:
    text = get_page(app, actors.nuria(), f"/audit.csv?ref={scene.order}")
    lines = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))

    (state,) = [line for line in lines if line["verb"] == "payment_order.verify" and line["field"] == "state"]
    assert (state["person"], state["before"], state["after"]) == ("Vera Verifier", "prepared", "verified")
    assert state["recorded_at_utc"] == "2023-05-03T11:00:00+00:00"
    assert state["seal_hash"] == "not yet sealed"


def test_the_whole_record_comes_as_a_file_without_any_filter(app: Flask, scene: Scene) -> None:
    lines = list(csv.DictReader(io.StringIO(get_page(app, actors.nuria(), "/audit.csv").removeprefix("\ufeff"))))

    assert {line["verb"] for line in lines} >= {
        "payment_order.prepare",
        "payment_order.verify",
        "payment_request.decide",
    }


def test_the_file_is_made_page_by_page_with_the_same_statements_for_each(scene: Scene) -> None:
    nuria = actors.nuria()
    whole = list(queries.record_rows(nuria, EVERYTHING))
    acts_told = len({line[CSV_ACT] for line in whole[1:]})
    counts = []
    for together in (1, 2):
        with statements() as seen:
            assert list(queries.record_rows(nuria, EVERYTHING, acts_together=together)) == whole
        counts.append(len(seen) / -(-acts_told // together))

    assert acts_told > 4
    assert counts[0] <= 5 and counts[1] <= 5


def test_a_file_of_one_page_takes_five_statements_and_sends_no_id_by_itself(scene: Scene) -> None:
    with statements() as seen:
        lines = list(queries.record_rows(actors.nuria(), EVERYTHING))

    assert len(lines) > 50
    # The person, then acts, their rows, who owns them, what all of it is called, who held which role.
    assert len(seen) <= 7
    # What a conflict shuts is one condition with words of its own; ids by themselves would be several for each line.
    assert max(statement.count("%(") for statement in seen) < 100


def test_the_file_goes_out_while_it_is_made(app: Flask, scene: Scene) -> None:
    with actors.client_of(app, actors.nuria()).get("/audit.csv", buffered=False) as answer:
        assert answer.is_streamed
        assert "Content-Length" not in answer.headers
        assert next(iter(answer.response)) == "\ufeff".encode()


def test_a_city_reads_the_story_of_its_grant_and_not_what_is_inside(app: Flask, scene: Scene) -> None:
    page = get_page(app, actors.ana(), f"/grants/{scene.world.reference}/history")

    assert "for pre-financing" in page
    assert "decided payment request" in page
    assert "verified payment order" not in page
    assert "What changed" not in page
    assert "not yet sealed" not in page


def test_the_auditor_reads_the_whole_story_of_a_grant_and_of_an_order(app: Flask, scene: Scene) -> None:
    grant = get_page(app, actors.nuria(), f"/grants/{scene.world.reference}/history")
    order = get_page(app, actors.nuria(), f"/finance/orders/{scene.order}/history")

    assert "verified payment order" in grant and "What changed" in grant
    assert "verified payment order" in order and "decided payment request" not in order


def test_a_history_of_what_a_person_may_not_know_is_not_there(app: Flask, scene: Scene) -> None:
    get_page(app, actors.sid(), f"/grants/{scene.world.reference}/history", 403)
    get_page(app, actors.fin(), "/finance/orders/PCP-1900-P-0001/history", 404)
    get_page(app, actors.ana(), f"/finance/orders/{scene.order}/history", 403)
    fin = actors.fin()
    assert fin.user_id is not None
    with arranging():
        factory.bar(fin.user_id, "application", scene.world.application_id)
    get_page(app, fin, f"/finance/orders/{scene.order}/history", 404)


def test_the_team_reads_the_work_on_its_draft_and_staff_do_not(app: Flask, scene: Scene) -> None:
    address = "/applications/PCP-2022-A-0001/history"

    assert actors.client_of(app, actors.ana()).get(address).status_code == 200
    assert actors.client_of(app, actors.eva()).get(address).status_code == 403


def test_what_hangs_beneath_a_call_is_found_by_foreign_keys(scene: Scene) -> None:
    found = {tuple(row) for row in db.session.execute(places.beneath("call", {scene.world.call_id}))}

    assert ("payment_order", scene.order_id) in found
    assert ("grant_agreement", scene.world.grant_id) in found
    assert ("application", scene.world.application_id) in found
    assert {kind for kind, _ in found} >= {"beneficiary", "payment_request", "ledger_entry", "role_grant"}
    assert get(PaymentOrder, scene.order_id).bank_account_id not in {row_id for _, row_id in found}


def test_every_audited_table_belongs_to_a_call_or_is_of_the_system(app: Flask) -> None:
    below = {name for name, _ in places.below("call")}
    audited = {
        mapper.local_table.name
        for mapper in db.Model.registry.mappers
        if getattr(mapper.class_, "__audited__", True) and "id" in mapper.local_table.c
    }
    kept_by_the_core = {"act", "audit_checkpoint", "audit_event", "audit_key", "security_event", "note"}

    assert audited - below - places.NAMED - places.LOOSELY - kept_by_the_core == {
        *("bank_account", "file_scan", "ledger_reading", "membership", "sign_in_link"),
        # Of the registers of cities and organisations, which all calls share.
        *("city_action", "organisation_double", "organisation_fact"),
        # A list or a pack taken out as a file is of whatever its owner could read, and of no call.
        *("list_file", "reading_pack"),
        # Of a programme, whatever its calls: its own accounts with what the bank says of them (a line of a statement goes
        # with the order it is matched to), and how long a new account of a payee waits.
        *("account_waiting", "bank_import", "bank_statement", "forecast_snapshot", "own_account", "sent_elsewhere"),
        # Of the granting organisation: who must differ on an order, and who may authorise how much.
        *("authority_limit", "payment_circuit"),
        # The rates of the European Central Bank are the same for every call.
        *("rate_series", "rate_table"),
    }


def test_a_sentence_is_told_without_its_thing_where_that_is_unknown() -> None:
    assert rules.around_subject("closed grant {subject}", "grant.close") == ("closed grant", "")
    assert rules.around_subject("", "grant.merge") == ("did \u201cgrant merge\u201d", "")


def test_whatever_points_to_nothing_has_no_owner_of_whatever_kind() -> None:
    rows = {kind: uuid4() for kind, table in places.tables().items() if "id" in table.c and kind not in places.NAMED}
    asking = places.owners.asking(rows.items())
    next(asking)

    with pytest.raises(StopIteration) as told:
        asking.send([[(row_id, None) for row_id in rows.values()]])

    assert told.value.value == {}


def test_a_seat_is_told_in_words_of_people() -> None:
    event = SimpleNamespace(
        object_kind="assignment", object_id=None,
        changes={"utility": [None, 545], "state": [None, "active"]},
    )  # fmt: skip
    told = sentences.touched_by(event, sentences.Words({}, {}, {}, {}))
    assert [(each.label, each.after) for each in told.changes] == [("state", "filled"), ("fit, of 1000", "545")]
    role = SimpleNamespace(object_kind="role_grant", object_id=None, changes={"role": [None, "assigned_evaluator"]})
    assert (
        sentences.touched_by(role, sentences.Words({}, {}, {}, {})).changes[0].after == "evaluator of the application"
    )
