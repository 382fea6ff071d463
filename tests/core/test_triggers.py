"""Decisions, signatures and declarations stand as they were written, whoever asks the database."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from flask import Flask

from grants.app import stage_modules
from grants.core.db import APPEND_ONLY_TABLES, WRITTEN_ONCE_TABLES, Base, db
from tests.servers import Cluster

# A column of each that says what was decided, and a change of it.
REWRITTEN = {
    "accession": "due_on = '2000-01-01'",
    "agreement_hold": "words = 'x'",
    "agreement_offer": "sha256 = sha256('x')",
    "agreement_termination": "words = 'x'",
    "amendment": "reference = 'x'",
    "authority_limit": "reason = 'x'",
    "award_description": "text = 'x'",
    "award_withheld": "reason = 'x'",
    "bank_account": "iban = 'BE00'",
    "bank_claim": "reason = 'x'",
    "bank_import": "sha256 = 'x'",
    "bank_line": "amount = 1",
    "clarification": "text = 'x'",
    "complaint": "about = 'x'",
    "conflict_declaration": "user_id = gen_random_uuid()",
    "decision_letter": "outcome = 'x'",
    "distribution": "amount = 1",
    "due_diligence_item": "label = 'x'",
    "eligibility_check": "verdict = 'fail'",
    "eligibility_letter": "sha256 = sha256('x')",
    "eligibility_result": "condition = 'x'",
    "entity_declaration": "call_id = gen_random_uuid()",
    "evaluator_acceptance": "number = 99",
    "late_interest": "amount = 1",
    "legal_hold": "reason = 'x'",
    "letter_left_out": "reason = 'x'",
    "letter_mailing": "number = 99",
    "own_account": "iban = 'BE00'",
    "panel_minutes": "number = 99",
    "payment_batch": "total = 1",
    "payment_circuit": "reason = 'x'",
    "payment_guarantee": "amount = 1",
    "payment_order_signature": "amount = 1",
    "payment_return": "words = 'x'",
    "payment_suspension": "notice = 'x'",
    "payment_verification": "number = 99",
    "rate_table": "number = 99",
    "recovery": "amount = 1",
    "recovery_interest": "amount = 1",
    "results_publication": "number = 99",
    "reversal_proposal": "reason = 'x'",
    "score_shift": "shift_half = 1",
    "selection": "used = 0",
    "selection_item": "amount = 0",
    "selection_move": "amount = 1",
    "sent_elsewhere": "total = 1",
    "sent_elsewhere_line": "amount = 1",
    "signed_upload": "original_kept_at = 'x'",
}


@pytest.fixture
def as_program(demo_app: Flask, postgres: Cluster) -> Iterator[psycopg.Connection]:
    """The database as the program's own role reaches it, without the guard of acts."""
    with psycopg.connect(postgres.dsn(str(db.engine.url.database), "grants_program")) as connection:
        yield connection


@pytest.fixture
def as_owner(demo_app: Flask, postgres: Cluster) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres.dsn(str(db.engine.url.database), "grants_owner")) as connection:
        yield connection


def refused(connection: psycopg.Connection, statement: str, words: str) -> None:
    with pytest.raises(psycopg.Error, match=words):
        connection.execute(statement.encode())
    connection.rollback()


def count(connection: psycopg.Connection, table: str, where: str = "true") -> int:
    row = connection.execute(f"SELECT count(*) FROM {table} WHERE {where}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_every_table_of_the_lists_is_one() -> None:
    # Tables are known once the module that holds them was imported.
    list(stage_modules("models"))
    assert {*APPEND_ONLY_TABLES, *WRITTEN_ONCE_TABLES} - set(Base.metadata.tables) == set()
    assert {
        (table, column)
        for table, rule in WRITTEN_ONCE_TABLES.items()
        for column in (*rule.once, *rule.free)
        if column not in Base.metadata.tables[table].columns
    } == set()
    assert set(REWRITTEN) == set(WRITTEN_ONCE_TABLES)


def test_the_program_can_neither_rewrite_nor_delete_a_decision(as_program: psycopg.Connection) -> None:
    for table, change in REWRITTEN.items():
        refused(as_program, f"UPDATE {table} SET {change}", "permission denied|was written once")
        refused(as_program, f"DELETE FROM {table}", "permission denied")
        refused(as_program, f"TRUNCATE {table} CASCADE", "permission denied")
    for statement in (
        "UPDATE agreement_signature SET name = 'x'",
        "DELETE FROM agreement_signature",
        "DELETE FROM superseded_row",
    ):
        refused(as_program, statement, "permission denied")


def test_the_owner_is_refused_by_the_trigger(as_owner: psycopg.Connection) -> None:
    for table, change in REWRITTEN.items():
        if count(as_owner, table):
            refused(as_owner, f"UPDATE {table} SET {change}", "was written once")
            refused(as_owner, f"DELETE FROM {table}", "keeps what was decided")
        refused(as_owner, f"TRUNCATE {table} CASCADE", "append-only")
    refused(as_owner, "UPDATE agreement_signature SET name = 'x'", "append-only")


def test_what_is_filled_once_stands_then(as_program: psycopg.Connection) -> None:
    assert count(as_program, "selection", "confirmed_at IS NOT NULL")

    refused(as_program, "UPDATE selection SET confirmed_at = now() WHERE state = 'confirmed'", "was written once")
    refused(as_program, "UPDATE bank_account SET confirmed_by = NULL WHERE state = 'confirmed'", "was written once")
    as_program.execute(
        "UPDATE payment_order_signature SET voided_at = now(), voided_why = 'a change' WHERE voided_at IS NULL"
    )
    refused(as_program, "UPDATE payment_order_signature SET voided_at = NULL", "was written once|violates")


def test_an_answer_that_is_replaced_is_kept(as_program: psycopg.Connection) -> None:
    # As officers ticked before cities answered.
    as_program.execute(
        "UPDATE due_diligence_item SET answer = 'done', answered_at = now(), version = version + 1,"
        " answered_by = (SELECT id FROM user_account ORDER BY id LIMIT 1)"
    )
    assert count(as_program, "due_diligence_item", "answer = 'done'")
    before = count(as_program, "superseded_row")

    as_program.execute(
        "UPDATE due_diligence_item SET answer = 'open', answered_at = NULL, answered_by = NULL, version = version + 1"
        " WHERE answer = 'done'"
    )
    changed = count(as_program, "due_diligence_item", "answer = 'open'")

    kept = as_program.execute(
        "SELECT DISTINCT content ->> 'answer' FROM superseded_row WHERE table_name = 'due_diligence_item'"
        " AND content ->> 'answer' = 'done'"
    ).fetchall()
    assert kept == [("done",)]
    assert count(as_program, "superseded_row") > before
    assert changed
