"""The record of each sent file outside the database, and files found there that this database does not know.

A database that was restored from a backup does not know what was sent since. What lies outside does: nothing of it is
put into a file or sent before two people said what became of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, or_, select

from grants.core import acts, audit, audit_offline, checkpoints, clock, faults, jobs
from grants.core.acts import act
from grants.core.db import among, db, locked
from grants.core.errors import Invalid, Refused
from grants.core.money import Money, total
from grants.core.permissions import Actor, Permission
from grants.payments.models import (
    OwnAccount,
    PaymentBatch,
    PaymentOrder,
    PaymentRequest,
    SentElsewhere,
    SentElsewhereLine,
)
from grants.payments.queries.elsewhere import is_open
from grants.payments.rules import outside
from grants.payments.rules.outside import Fate, ReadBack, SentFile, SentLine
from grants.payments.states import BatchState

LEAVE = "jobs.payments.leave_record"
# The one takes down what is not known, the other fails while a record outside does not hold.
COMPARING = ("jobs.payments.compare_records", "jobs.payments.check_records")
_SHOWN_MAX = 10


# --- Leaving the record of a file ------------------------------------------------------------------------------------


def refuse_folder_away() -> None:
    """Nothing is sent while the records of what was sent before wait for their folder."""
    words = jobs.put_off(LEAVE)
    if words:
        raise Refused(
            f"The record of a file that was sent before does not lie outside the database yet. {words} Bring the folder "
            "back (CHECKPOINT_FOLDER names it); the record follows by itself, then send this file."
        )


def ask_for_record(batch_id: UUID, again: str = "") -> None:
    """Inside the act that sends: a worker, which holds the key, leaves the record; the file is handed out after that.

    ``again`` tells a later request for a record that is gone from the folder from the first one.
    """
    jobs.queue(
        LEAVE,
        subject=("payment_batch", batch_id),
        unique=f"payment_batch:{batch_id}:record{again}",
        asker=jobs.Asker.PROGRAM,
        batch_id=str(batch_id),
    )


@act(
    "payment_file.record",
    needs=Permission.PAYMENT_FILE_PROVE,
    says="left the record of the payment file {subject} outside the database",
)
def leave_record(actor: Actor, batch_id: UUID) -> str:
    """Write the signed record of a sent file beside the checkpoints; a second time it is found there. Its place."""
    batch = locked(PaymentBatch, batch_id)
    acts.subject("payment_batch", batch_id)
    audit.seal_pending()
    place = _left(batch)
    if batch.recorded_at is None:
        batch.recorded_at = acts.moment()
    return str(place)


def _left(batch: PaymentBatch) -> Path:
    file = _facts(batch)
    path = _place(file.message_id)
    if path.exists() and _read(path).file == file:
        return path
    signer = checkpoints.signer()
    text = outside.spelled(file, record=checkpoints.record(), key=signer.key)
    return checkpoints.leave_beside(f"sent/{path.name}", f"{text}\n{signer.line(text)}", "record of a payment file")


def _place(message_id: str) -> Path:
    return checkpoints.folder() / "sent" / f"{message_id}.txt"


def _facts(batch: PaymentBatch) -> SentFile:
    assert batch.sent_at is not None, "what is recorded was sent"
    orders = db.session.execute(
        select(PaymentOrder, PaymentRequest.reference)
        .join(PaymentRequest, PaymentRequest.id == PaymentOrder.request_id)
        .where(PaymentOrder.batch_id == batch.id)
        .order_by(PaymentOrder.reference)
    ).all()
    account = db.session.scalar(select(OwnAccount.iban).where(OwnAccount.id == batch.own_account_id)) or ""
    return SentFile(
        message_id=batch.message_id,
        reference=batch.reference,
        sha256=batch.file_sha256 or "",
        layout=batch.layout,
        account=f"…{account[-4:]}" if account else "",
        sent_at=clock.as_utc(batch.sent_at),
        lines=tuple(
            SentLine(order.reference, order.end_to_end_id or "", request, order.amount.cents)
            for order, request in orders
        ),
    )


# --- Comparing the folder with the database --------------------------------------------------------------------------


def records_outside() -> tuple[tuple[ReadBack, ...], tuple[str, ...]]:
    """The records in the folder, and a sentence for each file there that is none."""
    found, faults_found = [], []
    for path in _files():
        try:
            found.append(_read(path))
        except (Invalid, OSError) as error:
            faults_found.append(str(error))
    return tuple(found), tuple(faults_found)


def _files() -> Iterator[Path]:
    where = checkpoints.folder() / "sent"
    yield from sorted(where.glob("*.txt")) if where.is_dir() else ()


def _read(path: Path) -> ReadBack:
    if path.stat().st_size > outside.RECORD_BYTES_MAX:
        raise Invalid(f"{path} is larger than any record of a payment file.")
    return outside.read(path.read_text(encoding="utf-8", errors="replace"), str(path))


def unknown_files() -> tuple[tuple[tuple[ReadBack, ...], ...], tuple[str, ...]]:
    """Files of this record that were sent, and that this database does not know as sent: of each all its records, which are
    several where a folder was copied; and a sentence for each file that is no record or contradicts what was taken down.
    """
    found, broken = records_outside()
    # Another programme's books may share the folder.
    mine = checkpoints.record() if found else ""
    here = select(PaymentBatch.message_id, PaymentBatch.file_sha256).where(PaymentBatch.state == BatchState.SENT.value)
    sent = {row.message_id: row.file_sha256 or "" for row in db.session.execute(here)}
    taken = _taken_down()
    strange: dict[str, list[ReadBack]] = {}
    for each in found:
        file = each.file
        if each.record != mine or sent.get(file.message_id) == file.sha256:
            continue
        if file.message_id not in taken:
            strange.setdefault(file.message_id, []).append(each)
        elif not taken[file.message_id].issuperset(file.lines):
            broken = (*broken, f"A record of {file.message_id} names payments that another record of it does not.")
    return tuple(tuple(each) for each in strange.values()), broken


def _taken_down() -> dict[str, set[SentLine]]:
    rows = db.session.execute(
        select(SentElsewhere.message_id, SentElsewhereLine)
        .join(SentElsewhereLine, SentElsewhereLine.sent_id == SentElsewhere.id)
    )  # fmt: skip
    taken: dict[str, set[SentLine]] = {}
    for message_id, row in rows:
        line = SentLine(row.order_reference, row.end_to_end_id, row.request_reference, row.amount.cents)
        taken.setdefault(message_id, set()).add(line)
    return taken


@act(
    "payment_file.compare",
    needs=Permission.PAYMENT_FILE_PROVE,
    says="compared the records of sent payment files with the database",
)
def compare(actor: Actor) -> tuple[int, tuple[str, ...]]:
    """Take down every file that was sent and is not known here, and ask again for records that are not outside.

    Answers how many new ones stand in the way of payments, and a sentence for each file that is no record.
    """
    audit.seal_pending()
    strange, broken = unknown_files()
    keys = checkpoints.keys()
    for each in strange:
        _take_down(each, keys)
    lies_there = {path.stem for path in _files()}
    for batch in db.session.scalars(select(PaymentBatch).where(PaymentBatch.state == BatchState.SENT.value)):
        if batch.message_id not in lies_there and batch.own_account_id is not None:
            ask_for_record(batch.id, f":{acts.moment():%Y-%m-%d}")
    return len(strange), broken


def _take_down(records: Sequence[ReadBack], keys: Sequence[str]) -> None:
    """One file by its records: what any of them says was paid stops, and it counts as signed only where each is."""
    file = records[0].file
    lines = tuple(dict.fromkeys(line for each in records for line in each.file.lines))
    row = SentElsewhere(
        message_id=file.message_id,
        sha256=file.sha256,
        reference=file.reference,
        account=file.account,
        sent_at=file.sent_at,
        total=total(Money(line.cents) for line in lines),
        is_signed=all(_is_signed(each, keys) for each in records),
        seen_at=acts.moment(),
    )
    db.session.add(row)
    db.session.flush()
    db.session.add_all(
        SentElsewhereLine(
            sent_id=row.id,
            number=number,
            order_reference=line.order,
            end_to_end_id=line.end_to_end_id,
            request_reference=line.request,
            amount=Money(line.cents),
        )
        for number, line in enumerate(lines, 1)
    )


def _is_signed(found: ReadBack, keys: Sequence[str]) -> bool:
    signature = (audit_offline.signature_bytes(found.signature),)
    return any(audit_offline.is_signed(found.signed, signature, key) for key in keys)


# --- What stops -----------------------------------------------------------------------------------------------------


def refuse_not_compared() -> None:
    """Nothing is put into a file or sent while it is not known what was sent before: the last comparison did not end well."""
    for name in COMPARING:
        words = jobs.went_wrong(name)
        if words:
            raise Refused(
                "Whether a payment file was sent that this database does not know could not be told: the last comparison with "
                f"the records outside did not end well. {words} Your administrator mends that and retries “{name}” on the page "
                "of the jobs; then do this again."
            )


def refuse_sent_elsewhere(orders: Sequence[PaymentOrder]) -> None:
    """Refuse orders of requests that a file paid which this database does not know, until its payments are settled here.

    Of any amount: what the lost database paid in one order may be asked for in two here, and the other way round.
    """
    faults.point("file_rules")
    refuse_not_compared()
    ids = sorted({order.end_to_end_id for order in orders if order.end_to_end_id})
    asked = _references({order.request_id for order in orders})
    found = _open_lines(
        or_(SentElsewhereLine.end_to_end_id.in_(ids), SentElsewhereLine.request_reference.in_(sorted(asked)))
    )
    _refuse_lines(found)


def refuse_authorising_elsewhere(order: PaymentOrder) -> None:
    """The same before it is authorised; but once two people said that the bank has the file, what is to be recorded as sent by
    it is authorised, by exactly the amount of one of its payments."""
    reference = select(PaymentRequest.reference).where(PaymentRequest.id == order.request_id).scalar_subquery()
    found = _open_lines(SentElsewhereLine.request_reference == reference)
    if any(row.bank_has_it and row.SentElsewhereLine.amount == order.amount for row in found):
        found = [row for row in found if not row.bank_has_it]
    _refuse_lines(found)


def _references(request_ids: Collection[UUID]) -> set[str]:
    return set(db.session.scalars(select(PaymentRequest.reference).where(among(PaymentRequest.id, request_ids))))


def _open_lines(wanted: ColumnElement[bool]) -> Sequence[Row[SentElsewhereLine, str, bool]]:
    bank_has_it = (SentElsewhere.decision == Fate.SENT.value) & SentElsewhere.confirmed_at.is_not(None)
    return db.session.execute(
        select(SentElsewhereLine, SentElsewhere.message_id, func.coalesce(bank_has_it, False).label("bank_has_it"))
        .join(SentElsewhere, SentElsewhere.id == SentElsewhereLine.sent_id)
        .where(is_open())
        .where(wanted)
        .order_by(SentElsewhereLine.end_to_end_id)
    ).all()


def _refuse_lines(found: Sequence[Row[SentElsewhereLine, str, bool]]) -> None:
    if not found:
        return
    named = [f"{line.request_reference} ({line.amount}, in {where})" for line, where, _ in found[:_SHOWN_MAX]]
    more = f" and {len(found) - _SHOWN_MAX} more" if len(found) > _SHOWN_MAX else ""
    raise Refused(
        f"These may have left already, in a file that this database does not know: {', '.join(named)}{more}. The accounting "
        "officer says on the page “Files sent elsewhere” what became of it, and the authorising officer confirms. If the bank "
        "has it, have one order authorised for each of its payments, of exactly that amount, and cancel or change the others; "
        "the accounting officer then records them as sent. What is left of the request is ordered after that."
    )
