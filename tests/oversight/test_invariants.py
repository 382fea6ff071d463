"""Each invariant is named when the books are broken past every act; the books of a right world pass, and say what was compared."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import psycopg
import pytest

from config import Config
from grants.core import clock
from grants.core.db import db
from grants.core.permissions import Permission, system_actor
from grants.ledger.rules import Dimensions, proofs
from grants.oversight import queries
from grants.payments import services as payments
from grants.payments.queries import payable_from_any
from grants.payments.rules.pay_runs import FileInput, FileLayout
from grants.payments.states import SuspensionReason
from tests import actors
from tests.oversight.conftest import DAY, Scene
from tests.payments.world import SEEN

pytestmark = pytest.mark.usefixtures("app")


def found(code: str) -> list[str]:
    """What is wrong by one invariant."""
    db.session.rollback()
    return [str(problem) for each in queries.check_ledger() if each.code == code for problem in each.problems]


def force(settings: Config, *statements: str) -> None:
    """What no act and no role of the program could do."""
    with psycopg.connect(settings.DATABASE_OWNER_URL.replace("+psycopg", ""), autocommit=True) as owner:
        for statement in ("SET session_replication_role = replica", *statements):
            owner.execute(statement.encode())


def test_every_invariant_says_what_was_compared_or_why_it_does_not_apply(paid: Scene) -> None:
    checked = queries.check_ledger()

    assert [problem for each in checked for problem in each.problems] == []
    assert [each.code for each in checked] == [
        *("I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I11", "I12", "I13"),
        *("I14", "I15", "I16", "I19", "I20", "I21", "Months", "Fund", "Ids", "E23", "Due"),
    ]
    number = {each.code: each.number for each in checked}
    assert (number["I1"], number["I4"], number["I7"], number["I12"], number["I13"]) == (8, 1, 1, 1, 1)
    assert {each.code for each in checked if each.not_applicable} == {"I14"}
    assert all(each.number or each.not_applicable or each.code in {"I9", "I20"} for each in checked)


def became(state: str, verb: str, kind: str) -> str:
    """The record says that this act brought about another state."""
    return (
        f"UPDATE audit_event SET changes = jsonb_set(changes, '{{state,1}}', '\"{state}\"')"
        f" WHERE verb = '{verb}' AND object_kind = '{kind}'"
    )


BREAKS = [
    ("I1", "DELETE FROM ledger_leg WHERE account = '1000'", "E-2023-0007: I1: the general ledger is off by"),
    ("I1", "DELETE FROM ledger_entry WHERE event = 'E8'", "an entry that is lost: I1: 7 legs are left of it."),
    ("I2", "UPDATE ledger_leg SET cents = cents + 7 WHERE account = '1000'", "general ledger, as of 3 May 2023: I2: from then on it is off by EUR −0.07."),
    ("I2", "UPDATE ledger_leg SET cents = cents + 7 WHERE account = '1000'", "general ledger, recorded 2023-05-03T14:00:00.000000+00:00: I2: from then on it is off by EUR −0.07."),
    ("I3", "UPDATE ledger_leg SET call_id = NULL WHERE account = 'B000'", "I3: authorised EUR 0.00, but its parts add up to"),
    ("I4", "UPDATE grant_agreement SET maximum = maximum + 1", "PCP-2022-G-0001: I4: open and consumed commitment is"),
    ("I4", "UPDATE beneficiary SET maximum = maximum - 1 WHERE is_coordinator", "PCP-2022-G-0001: I4: partners may have"),
    ("I5", "UPDATE ledger_entry SET recorded_at = '2023-05-04' WHERE event = 'E1'", "PCP-2022-C-0001, recorded 2023-05-02T09:00:00.000000+00:00: I5: awarded EUR 600\u00a0000.00 is above the call's budget EUR 0.00."),
    ("I5", "UPDATE ledger_entry SET effective_on = '2023-05-04' WHERE event = 'E1'", "PCP-2022-C-0001, as of 2 May 2023: I5: awarded EUR 600\u00a0000.00 is above the call's budget EUR 0.00."),
    ("I6", "UPDATE ledger_leg SET grant_id = NULL WHERE account = '1000'", "I6: net cash out is EUR 0.00"),
    ("I7", "UPDATE ledger_entry SET event = 'E10' WHERE event = 'E6'", "I7: pre-financing cleared is EUR −240\u00a0000.00, below zero."),
    ("I8", "UPDATE grant_agreement SET interim_ceiling = 100", "PCP-2022-G-0001: I8:"),
    ("I9", "UPDATE grant_agreement SET final_amount = 60000001", "PCP-2022-G-0001: I9: the final amount is EUR 600\u00a0000.01; the maximum is EUR 600\u00a0000.00."),
    ("I10", "UPDATE ledger_leg SET organisation_id = NULL WHERE account = 'B400'", "I10: a partner consumed EUR"),
    ("I11", "UPDATE payment_request_part SET payable = payable - 1", "PCP-2022-G-0001-1: I11: its parts by partner do not sum to what was decided."),
    ("I12", "UPDATE payment_order SET amount = amount + 1", "I12: its orders add up to EUR 210\u00a0000.01; EUR 210\u00a0000.00 is payable."),
    ("I12", "UPDATE ledger_entry SET source_key = 'x' WHERE event = 'E8'", "PCP-2023-P-0001: I12: what the ledger booked is not what the order says."),
    ("I13", "UPDATE payment_batch SET total = total + 1", "I13: its file says 1 orders and EUR 210\u00a0000.01"),
    ("I13", f"UPDATE payment_batch SET file_sha256 = '{'0' * 64}', file_id = gen_random_uuid()", "I13: its file is not the one that was frozen when it was made."),
    ("I13", "UPDATE payment_batch SET state = 'discarded'", "PCP-2023-B-0001: I13: it was discarded, but holds 1 orders."),
    ("I13", "UPDATE payment_batch SET state = 'ready'", "PCP-2023-B-0001: I13: it is ready, but 1 of its orders left."),
    ("I13", "UPDATE payment_order SET state = 'in_file'", "PCP-2023-B-0001: I13: it is sent, but 1 of its orders did not leave."),
    ("I15", "UPDATE payment_order SET verified_by = sent_by", "PCP-2023-P-0001: I15: its people are not those of its signatures."),
    ("I15", "DELETE FROM payment_order_signature WHERE step = 'verified'", "PCP-2023-P-0001: I15: its people are not those of its signatures."),
    ("I15", "UPDATE bank_account SET entered_by = (SELECT verified_by FROM payment_order)", "I15: somebody approved a payment to an account he or she entered or confirmed."),
    ("I15", "UPDATE payment_order_signature SET amount = 5 WHERE step = 'verified'", "I12: a signature was given for another amount."),
    ("I16", "UPDATE payment_order SET state = 'authorised'", "PCP-2023-P-0001: I16: its state authorised stands without an act that is on the record."),
    ("I16", "UPDATE payment_order SET amount = 1", "PCP-2023-P-0001: I16: its amount 1 stands without an act that is on the record."),
    ("I16", "DELETE FROM audit_event WHERE verb = 'payment_order.verify' AND object_kind = 'payment_order'", "PCP-2023-P-0001: I16: its state verified"),
    ("I16", "INSERT INTO audit_event SELECT gen_random_uuid(), act_id, recorded_at, verb, user_id, on_behalf_of, session_id, object_kind, object_id, object_version, reason, changes FROM audit_event WHERE verb = 'payment_order.execute' AND object_kind = 'payment_order'", "PCP-2023-P-0001: I16: the record of acts says that its state is executed, or says it more than once."),
    ("I16", "UPDATE audit_event SET user_id = NULL WHERE verb = 'payment_order.authorise'", "PCP-2023-P-0001: I16: it became authorised by nobody."),
    ("I16", "DELETE FROM payment_batch", "I16: the record of acts says that its total is 21000000"),
    ("I16", became("cancelled", "payment_order.execute", "payment_order"), "PCP-2023-P-0001: I16: it became cancelled by an act that gives no reason."),
    ("I16", "UPDATE payment_batch SET state = 'ready'", "PCP-2023-B-0001: I16: its state ready stands without an act that is on the record."),
    ("I16", "UPDATE payment_request SET suspended_on = '2023-05-03'", "PCP-2022-G-0001-1: I16: its day of suspension 2023-05-03 stands without an act that is on the record."),
    ("I16", became("discarded", "payment_file.send", "payment_batch"), "PCP-2023-B-0001: I16: it became discarded by an act that gives no reason."),
    ("I16", became("returned_for_completion", "payment_order.execute", "payment_request"), "PCP-2022-G-0001-1: I16: it became returned_for_completion by an act that gives no reason."),
    ("I16", "UPDATE audit_event SET changes = '{\"suspended_on\": [null, \"2023-05-03\"]}' WHERE verb = 'payment_order.execute' AND object_kind = 'payment_request'", "PCP-2022-G-0001-1: I16: its clock was stopped or let go on by an act that gives no reason."),
    ("I16", "UPDATE audit_event SET user_id = NULL WHERE verb = 'payment_file.send'", "PCP-2023-B-0001: I16: it became sent by nobody."),
    ("I21", "UPDATE ledger_leg SET category = 'x' WHERE account = '1000'", "E-2023-0007: its legs are not those that were posted."),
    ("I21", "UPDATE ledger_entry SET description = 'x' WHERE event = 'E8'", "E-2023-0007: its description is not what the act that posted it recorded"),
    ("I21", "UPDATE ledger_leg SET own_account_id = gen_random_uuid() WHERE account = '1000'", "E-2023-0007: its legs are not those that were posted."),
    ("Fund", "UPDATE ledger_leg SET fund_source_id = NULL WHERE account = '2200'", "E-2023-0005: 2 of its legs name no parent grant."),
    ("Ids", "UPDATE ledger_leg SET own_account_id = gen_random_uuid() WHERE account = '1000'", "The ledger names this own account, but there is none."),
    ("Ids", "UPDATE ledger_leg SET document_id = gen_random_uuid() WHERE account = '1000'", "The ledger names this document, but there is none."),
]  # fmt: skip


def test_each_break_is_named_by_its_invariant(paid: Scene, settings: Config) -> None:
    """One world for all: each break is made, looked for, and taken back with the transaction that made it."""
    force(settings, NO_CHECKS)
    missed = []
    for code, statement, words in BREAKS:
        with broken(settings, statement):
            if not any(words in problem for problem in found(code)):
                missed.append((code, statement, found(code)))
    assert missed == []
    assert queries.verify_ledger() == ()


# Whoever owns the database can take the constraints away first.
NO_CHECKS = """DO $$ DECLARE each record; BEGIN
  FOR each IN SELECT conname, conrelid::regclass AS relation FROM pg_constraint
    WHERE contype = 'c' AND connamespace = 'public'::regnamespace LOOP
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', each.relation, each.conname);
  END LOOP; END $$"""


class broken:
    """The tables as they were are laid back afterwards: the program reads what is committed."""

    TABLES = ("ledger_leg", "ledger_entry", "payment_order", "payment_order_signature", "payment_batch",
              "payment_request", "payment_request_part", "grant_agreement",
              "beneficiary", "bank_account", "audit_event")  # fmt: skip

    def __init__(self, settings: Config, statement: str) -> None:
        self._settings, self._statement = settings, statement

    def __enter__(self) -> None:
        copies = [f"CREATE TABLE IF NOT EXISTS copy_{name} AS TABLE {name}" for name in self.TABLES]
        force(self._settings, *copies, self._statement)

    def __exit__(self, *raised: object) -> None:
        db.session.rollback()
        back = []
        for name in self.TABLES:
            columns = "number" if name == "ledger_entry" else ""
            back += [f"DELETE FROM {name}", f"INSERT INTO {name} {'OVERRIDING SYSTEM VALUE ' if columns else ''}TABLE copy_{name}"]  # fmt: skip
        force(self._settings, *back)


def test_a_file_that_the_program_made_is_in_order(paid: Scene, settings: Config) -> None:
    force(settings, "UPDATE audit_event SET user_id = NULL WHERE verb = 'payment_file.make'")

    assert found("I16") == []


def test_what_left_before_there_were_files_stands_on_the_record_as_exported(paid: Scene, settings: Config) -> None:
    """The lists had no state then, and the record keeps its words."""
    old = "object_kind = 'payment_order' AND changes->'state'"
    force(
        settings,
        "UPDATE payment_batch SET own_account_id = NULL, execution_on = NULL, message_id = reference",
        "UPDATE audit_event SET changes = changes - 'state' WHERE object_kind = 'payment_batch'",
        f"UPDATE audit_event SET changes = jsonb_set(changes, '{{state,1}}', '\"exported\"') WHERE {old}->>1 = 'sent'",
    )
    assert found("I16") == []

    # And where the bank booked it before, too.
    force(
        settings,
        f"UPDATE audit_event SET changes = jsonb_set(changes, '{{state,0}}', '\"exported\"') WHERE {old}->>0 = 'sent'",
    )
    assert found("I16") == []


def test_a_discarded_file_holds_nothing_and_what_it_held_is_in_order(scene: Scene) -> None:
    with clock.at(DAY.replace(hour=12)):
        payments.authorise(actors.otto(), scene.order_id, evidence=SEEN)
        account = payable_from_any((scene.order_id,))
        built = payments.build(actors.carl(), (scene.order_id,), FileInput(account, FileLayout.XLSX, DAY.date()))
    with clock.at(DAY.replace(hour=13)):
        payments.make_batch_file(system_actor("the program", [Permission.PAYMENT_FILE_BUILD]), built.id)
        payments.discard(actors.carl(), built.id, reason="The account is closed next week.")

    assert [str(problem) for each in queries.check_ledger() for problem in each.problems] == []


def test_a_payment_that_was_suspended_and_went_on_is_in_order(scene: Scene) -> None:
    with clock.at(DAY.replace(hour=12)):
        payments.suspend(
            actors.otto(), scene.request_id, reason=SuspensionReason.NOT_DUE, notice="Which account is it?"
        )
        assert found("I16") == []
    with clock.at(DAY.replace(hour=13)):
        payments.lift(actors.otto(), scene.request_id, reason="Answered by telephone.")

    assert [str(problem) for each in queries.check_ledger() for problem in each.problems] == []


def test_what_a_leg_took_below_its_floor_is_named_after_the_entry(paid: Scene, settings: Config) -> None:
    force(settings, "UPDATE ledger_leg SET cents = cents - 5 WHERE account = '2000' AND side = 'credit'")

    assert "E-2023-0006: after it 2000 Payable to beneficiary stood at EUR −0.10, below zero." in found("I3")


def test_an_offset_between_grants_that_does_not_cancel_out_is_named(paid: Scene, settings: Config) -> None:
    dims = Dimensions(call_id=paid.world.call_id, grant_id=paid.world.grant_id)
    force(settings, "UPDATE ledger_leg SET account = '1220' WHERE account = '2200'")

    assert dims.grant_id is not None
    assert found("I6") == [
        "recorded 2023-05-03T09:00:00.000000+00:00: I6: offsets between grants do not cancel out: 1220 nets EUR −30\u00a0000.00."
    ]


def days() -> Iterator[date]:
    yield from (date(2024, 1, day) for day in range(1, 6))


def test_sums_over_moments_name_when_they_stop_being_zero_and_change() -> None:
    first, second, third, *_ = days()

    assert proofs.running_differences([]) == []
    assert proofs.running_differences([(second, 5), (first, 3), (second, -3), (third, -5)]) == [(first, 3), (second, 5)]
    assert proofs.running_differences([(first, 3), (second, -3)]) == [(first, 3)]
