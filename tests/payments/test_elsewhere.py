"""What was sent is known outside the database, and a restored one sends nothing of it again before two people spoke."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from grants.core import checkpoints, clock, jobs
from grants.core.db import db, get
from grants.core.errors import Invalid, NotAllowed, NotFound, Refused
from grants.core.money import euros
from grants.core.permissions import Actor, Permission, system_actor
from grants.identity import queries as identity
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.payments import queries, services
from grants.payments.models import PaymentBatch, PaymentOrder, SentElsewhere
from grants.payments.rules import outside
from grants.payments.rules.outside import Fate, SentFile, SentLine
from grants.payments.rules.pay_runs import FileInput, FileLayout
from jobs import payments as work
from tests import actors
from tests.applications.pages import text_of
from tests.html import check_page
from tests.payments.test_services import authorised, decided
from tests.payments.world import SEEN, World

COMPARING = ("jobs.payments.compare_records", "jobs.payments.check_records")
PROVER = system_actor("the program", (Permission.PAYMENT_FILE_PROVE,))
LINE = SentLine("PCP-2026-P-0009", "PCP-2026-P-0009-abc123", "PCP-2022-G-0001-1", 210_000_00)
FILE = SentFile(
    "PCP-2026-B-0009-aabbcc",
    "PCP-2026-B-0009",
    "0" * 64,
    "pain.001.001.09",
    "…9501",
    datetime(2026, 11, 20, 9, tzinfo=UTC),
    (LINE,),
)


def sent_record() -> Path:
    return checkpoints.folder() / "sent"


def lay(file: SentFile) -> None:
    """A record in the folder, as the database lost by a restore had left it."""
    signer = checkpoints.signer()
    text = outside.spelled(file, record=checkpoints.record(), key=signer.key)
    checkpoints.leave_beside(f"sent/{file.message_id}.txt", f"{text}\n{signer.line(text)}", "record of a payment file")


def told_to(who: actors.Actor) -> list[str]:
    """What the home page of somebody asks about files that were sent elsewhere."""
    return [each.what for each in queries.duties(who, clock.now()) if each.endpoint == "payments.sent_elsewhere_file"]


def build(*order_ids: UUID) -> UUID:
    account = queries.payable_from_any(order_ids)
    given = FileInput(account, FileLayout.XLSX, clock.in_zone(clock.now()).date())
    return services.build(actors.carl(), order_ids, given).id


@pytest.fixture
def order(grant: World) -> UUID:
    return authorised(decided(grant))


@pytest.fixture
def elsewhere(order: UUID) -> SentElsewhere:
    """The order's payment left in a file that this database does not know."""
    services.compare(PROVER)
    lay(FILE)
    assert services.compare(PROVER) == (1, ())
    return db.session.scalars(select(SentElsewhere)).one()


def test_a_sent_file_is_handed_out_once_its_record_lies_outside(order: UUID) -> None:
    batch = services.export(actors.carl(), (order,), control_total=euros(210_000))
    with pytest.raises(Refused, match="does not lie outside the database yet"):
        services.open_batch_file(actors.carl(), batch.id)

    place = Path(services.leave_record(PROVER, batch.id))

    found = outside.read(place.read_text(encoding="utf-8"), "it")
    row = get(PaymentBatch, batch.id)
    assert place.parent == sent_record() and found.record == checkpoints.record()
    assert (found.file.message_id, found.file.sha256) == (row.message_id, row.file_sha256)
    assert [line.end_to_end_id for line in found.file.lines] == [get(PaymentOrder, order).end_to_end_id]
    assert found.file.total == euros(210_000)
    assert "BE43" not in place.read_text(encoding="utf-8")
    assert services.leave_record(PROVER, batch.id) == str(place)
    assert services.open_batch_file(actors.carl(), batch.id).sha256 == row.file_sha256
    assert services.compare(PROVER) == (0, ())
    assert services.unknown_files() == ((), ())


def test_nothing_is_sent_nor_handed_out_while_the_folder_is_away(app: Flask, grant: World, tmp_path: Path) -> None:
    request_id = decided(grant)
    first, second = authorised(request_id, euros(10_000)), authorised(request_id, euros(20_000))
    nowhere = tmp_path / "file"
    nowhere.write_text("no folder")
    app.config["CHECKPOINT_FOLDER"] = str(nowhere)
    sent = services.export(actors.carl(), (first,), control_total=euros(10_000))
    jobs.work_off(actor_of=identity.actor_for)

    with pytest.raises(Refused, match=r"record of a payment file cannot be written to .*Bring the folder"):
        services.export(actors.carl(), (second,), control_total=euros(20_000))
    with pytest.raises(Refused, match="does not lie outside the database yet"):
        services.open_batch_file(actors.carl(), sent.id)
    assert get(PaymentOrder, second).state == "in_file"

    app.config["CHECKPOINT_FOLDER"] = str(tmp_path / "back")
    services.leave_record(PROVER, sent.id)
    assert services.open_batch_file(actors.carl(), sent.id).sha256 == sent.file_sha256


def test_an_order_that_left_elsewhere_is_not_put_into_a_file(order: UUID, elsewhere: SentElsewhere) -> None:
    with pytest.raises(Refused, match=r"PCP-2022-G-0001-1 .*in PCP-2026-B-0009-aabbcc"):
        build(order)
    assert queries.open_payments() == 1
    assert services.compare(PROVER) == (0, ())


def test_a_file_that_stood_ready_when_the_backup_was_made_is_not_sent_again(order: UUID) -> None:
    batch_id = build(order)
    services.make_batch_file(actors.carl(), batch_id)
    services.compare(PROVER)
    row, line = get(PaymentBatch, batch_id), get(PaymentOrder, order)
    # The same bytes left, by what the lost database knew; another amount of the request, so that the id alone tells.
    lay(
        replace(
            FILE, message_id=row.message_id, lines=(replace(LINE, end_to_end_id=line.end_to_end_id or "", cents=1),)
        )
    )
    assert services.compare(PROVER) == (1, ())

    with pytest.raises(Refused, match="may have left already"):
        services.send(actors.carl(), batch_id, count=1, control_total=euros(210_000))


def test_no_other_amount_of_a_request_leaves_nor_is_authorised_either(order: UUID) -> None:
    services.compare(PROVER)
    two = (replace(LINE, cents=126_000_00), replace(LINE, end_to_end_id="PCP-2026-P-0010-def456", cents=84_000_00))
    lay(replace(FILE, lines=two))
    services.compare(PROVER)
    sent_id = db.session.scalars(select(SentElsewhere)).one().id
    request_id = get(PaymentOrder, order).request_id
    with pytest.raises(Refused, match="may have left already"):
        build(order)
    services.change(actors.fin(), order, amount=euros(126_000), reason="As the lost file")
    services.verify(actors.vera(), order, evidence=SEEN)
    with pytest.raises(Refused, match="may have left already"):
        services.authorise(actors.otto(), order, evidence=SEEN)
    services.propose(actors.carl(), sent_id, Fate.SENT, reason="Statement 12 shows it")
    services.confirm(actors.otto(), sent_id)
    services.authorise(actors.otto(), order, evidence=SEEN)
    with pytest.raises(Refused, match="may have left already"):
        build(order)
    with pytest.raises(Refused, match="of exactly that amount"):
        authorised(request_id, euros(83_999))
    services.cancel(actors.fin(), _last_order(), reason="Of another amount")
    authorised(request_id, euros(84_000))

    assert services.enter_as_sent(actors.carl(), sent_id) == 2
    assert (queries.open_payments(), books.verify(), queries.verify()) == (0, (), ())


def _last_order() -> UUID:
    return db.session.scalars(select(PaymentOrder.id).order_by(PaymentOrder.reference.desc())).first() or UUID(int=0)


def test_never_received_is_said_by_two_people_and_frees_the_payment(order: UUID, elsewhere: SentElsewhere) -> None:
    sent_id = elsewhere.id
    with pytest.raises(Invalid, match="reason"):
        services.propose(actors.carl(), sent_id, Fate.NEVER_RECEIVED, reason=" ")
    with pytest.raises(NotAllowed):
        services.propose(actors.otto(), sent_id, Fate.NEVER_RECEIVED, reason="Asked the bank")
    assert told_to(actors.carl()) == ["Say what became of a payment file"] and told_to(actors.otto()) == []
    services.propose(actors.carl(), sent_id, Fate.NEVER_RECEIVED, reason="The bank’s letter of today")
    assert told_to(actors.otto()) == ["Confirm what became of a payment file"] and told_to(actors.carl()) == []
    with pytest.raises(Refused, match="proposed already"):
        services.propose(actors.carl(), sent_id, Fate.SENT, reason="Changed my mind")
    with pytest.raises(Refused, match="may have left already"):
        build(order)
    with pytest.raises(NotAllowed):
        services.confirm(actors.carl(), sent_id)
    both = replace(actors.otto(), user_id=actors.carl().user_id)
    with pytest.raises(Refused, match="You proposed this"):
        services.confirm(both, sent_id)

    services.confirm(actors.otto(), sent_id)

    assert queries.open_payments() == 0 and told_to(actors.otto()) == []
    assert build(order)
    with pytest.raises(Refused, match="confirmed already"):
        services.refuse(actors.otto(), sent_id, reason="Late")


@pytest.mark.parametrize("lacks", ["everywhere", "no bar"])
def test_only_who_may_everywhere_and_is_in_conflict_with_nothing_says_what_became_of_it(
    grant: World, elsewhere: SentElsewhere, lacks: str
) -> None:
    sent_id, here = elsewhere.id, ("grant", grant.grant_id)

    def short(actor: Actor) -> Actor:
        if lacks == "no bar":
            return replace(actor, bars=frozenset({here}))
        return replace(actor, granted=frozenset((name, here) for name, _ in actor.granted))

    with pytest.raises(NotFound):
        services.propose(short(actors.carl()), sent_id, Fate.SENT, reason="Statement 12")
    services.propose(actors.carl(), sent_id, Fate.SENT, reason="Statement 12")
    with pytest.raises(NotFound):
        services.confirm(short(actors.otto()), sent_id)
    with pytest.raises(NotFound):
        services.refuse(short(actors.otto()), sent_id, reason="Of another account")


def test_a_refused_proposal_is_open_again(elsewhere: SentElsewhere) -> None:
    services.propose(actors.carl(), elsewhere.id, Fate.SENT, reason="Statement 12")
    services.refuse(actors.otto(), elsewhere.id, reason="Statement 12 is of another account")

    db.session.rollback()
    assert get(SentElsewhere, elsewhere.id).decision is None
    with pytest.raises(Refused, match="Nothing is proposed"):
        services.confirm(actors.otto(), elsewhere.id)


def test_the_orders_of_a_file_the_bank_has_are_recorded_as_sent_by_it(
    grant: World, order: UUID, elsewhere: SentElsewhere
) -> None:
    sent_id = elsewhere.id
    services.propose(actors.carl(), sent_id, Fate.SENT, reason="Statement 12 shows it")
    with pytest.raises(Refused, match="two people say"):
        services.enter_as_sent(actors.carl(), sent_id)
    services.confirm(actors.otto(), sent_id)
    with pytest.raises(Refused, match="may have left already"):
        build(order)

    assert services.enter_as_sent(actors.carl(), sent_id) == 1

    row = get(PaymentOrder, order)
    assert (row.state, row.end_to_end_id) == ("sent", LINE.end_to_end_id)
    assert books.balance(Account.IN_TRANSIT, grant_id=grant.grant_id) == euros(210_000)
    assert queries.open_payments() == 0
    assert (books.verify(), queries.verify()) == ((), ())
    with pytest.raises(Refused, match="No order of this file"):
        services.enter_as_sent(actors.carl(), sent_id)
    services.execute(actors.carl(), order, value_on=clock.in_zone(clock.now()).date())
    assert books.balance(Account.CONSUMED, grant_id=grant.grant_id) == euros(210_000)


def test_what_is_no_record_is_named_and_what_another_programme_left_is_not_ours(order: UUID) -> None:
    services.compare(PROVER)
    lay(FILE)
    (sent_record() / "torn.txt").write_text("pilot-grants payment file 1\nrec", encoding="utf-8")
    place = sent_record() / f"{FILE.message_id}.txt"
    place.write_text(
        place.read_text(encoding="utf-8").replace(checkpoints.record(), "grants-audit/0"), encoding="utf-8"
    )

    new, broken = services.compare(PROVER)

    assert new == 0
    assert [each.endswith("torn.txt is no whole record of a payment file.") for each in broken] == [True]


def test_copies_of_one_record_are_one_file_and_all_that_they_name_stops(order: UUID) -> None:
    services.compare(PROVER)
    lay(FILE)
    place = sent_record() / f"{FILE.message_id}.txt"
    (sent_record() / f"{FILE.message_id} (1).txt").write_bytes(place.read_bytes())
    other = place.read_text(encoding="utf-8").replace("G-0001-1", "G-0002-1")
    (sent_record() / f"{FILE.message_id} (2).txt").write_text(other, encoding="utf-8")
    lay(replace(FILE, message_id="PCP-2026-B-0010-ddeeff"))

    assert services.compare(PROVER) == (2, ())

    found, lines = queries.sent_elsewhere_file(actors.carl(), FILE.message_id)
    assert [line.request_reference for line in lines] == [LINE.request, "PCP-2022-G-0002-1"]
    assert (found.total, found.is_signed) == (euros(420_000), False)
    assert services.compare(PROVER) == (0, ())
    late = place.read_text(encoding="utf-8").replace("G-0001-1", "G-0003-1")
    (sent_record() / f"{FILE.message_id} (3).txt").write_text(late, encoding="utf-8")
    assert services.compare(PROVER)[1] == (
        f"A record of {FILE.message_id} names payments that another record of it does not.",
    )


def test_nothing_is_built_while_the_last_comparison_found_what_does_not_hold(app: Flask, order: UUID) -> None:
    def compared(key: str) -> UUID:
        asked = jobs.plan(system_actor("the program", (Permission.JOB_RETRY,)), COMPARING, key)
        jobs.work_off(actor_of=identity.actor_for)
        return asked[-1]

    compared("first")
    torn = sent_record() / "torn.txt"
    torn.parent.mkdir(parents=True, exist_ok=True)
    torn.write_text("pilot-grants payment file 1\nrec", encoding="utf-8")
    job_id = compared("second")

    assert jobs.view(job_id).state is jobs.JobState.FAILED
    with pytest.raises(Refused, match=r"could not be told: .*torn\.txt is no whole record.* administrator"):
        build(order)
    torn.unlink()
    compared("third")
    assert build(order)


def test_a_record_that_no_database_keeps_is_none() -> None:
    lay_text = outside.spelled(replace(FILE, reference="a\0b"), record="r", key="k") + "\n— r s\n"
    with pytest.raises(Invalid, match="no whole record"):
        outside.read(lay_text, "it")


def test_a_record_nobody_signed_stops_payments_and_says_so(app: Flask, order: UUID) -> None:
    services.compare(PROVER)
    lay(FILE)
    place = sent_record() / f"{FILE.message_id}.txt"
    place.write_text(place.read_text(encoding="utf-8").replace("0" * 64, "1" * 64), encoding="utf-8")
    services.compare(PROVER)

    shown = text_of(actors.client_of(app, actors.nuria()).get(f"/finance/sent-elsewhere/{FILE.message_id}"))

    assert "Nobody known signed this record" in shown
    with pytest.raises(Refused, match="may have left already"):
        build(order)


def test_the_pages_say_and_decide_what_became_of_the_file(
    app: Flask, client: FlaskClient, order: UUID, elsewhere: SentElsewhere
) -> None:
    at = f"/finance/sent-elsewhere/{FILE.message_id}"
    carl, otto = actors.client_of(app, actors.carl()), actors.client_of(app, actors.otto())
    listed = carl.get("/finance/sent-elsewhere")
    check_page(listed)
    assert "Waits for the accounting officer" in text_of(listed)

    def post(client: FlaskClient, deed: str, **typed: str) -> TestResponse:
        found, _ = queries.sent_elsewhere_file(actors.carl(), FILE.message_id)
        db.session.rollback()
        return client.post(f"{at}/{deed}", data={"version": str(found.version), **typed})

    assert f'action="{at}/propose"' in carl.get(at).text
    empty = post(carl, "propose", reason="")
    assert empty.status_code == 422 and "Say how you know" in text_of(empty)
    assert post(carl, "propose", decision="sent", reason="Statement 12").status_code == 303
    assert "somebody else decides" in text_of(carl.get(at))
    deciding = otto.get(at)
    check_page(deciding)
    assert f'action="{at}/confirm"' in deciding.text
    assert post(otto, "refuse", reason="Of another account").status_code == 303
    assert post(carl, "propose", decision="sent", reason="Statement 13").status_code == 303
    assert post(otto, "confirm").status_code == 303
    assert f'action="{at}/enter"' in carl.get(at).text
    assert post(carl, "enter").status_code == 303
    done = carl.get(at)
    check_page(done)
    assert "Statement 13" in text_of(done) and get(PaymentOrder, order).reference in text_of(done)
    assert carl.get("/finance/sent-elsewhere/none").status_code == 404


def test_the_job_says_what_it_found(app: Flask, order: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "actor", lambda *needed: PROVER)
    assert work.compare_records() == "Every payment file that was sent is known."
    lay(FILE)
    assert work.compare_records().startswith("1 payment files were sent that this database does not know")
