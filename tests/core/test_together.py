"""Questions asked together cost one statement and are answered as if each had been asked alone."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    Select,
    Text,
    Uuid,
    bindparam,
    event,
    false,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR

from grants.core import acts
from grants.core.db import MoneyType, OneOf, among, db
from grants.core.money import Money
from grants.core.together import (
    Asking,
    Given,
    RawAnswer,
    alone,
    ask,
    ask_lately,
    ask_raw,
    both,
    reader,
    side_by_side,
    stand,
)
from tests.conftest import Note
from tests.servers import Cluster

JSON_OF_ALL = {"whole": 2, "part": 0.1, "none": None, "in": {"list": [1e3, "Łódź", '"', True]}}
ID, MOMENT = UUID(int=7), datetime(2026, 3, 4, 5, 6, 7, 890_123, tzinfo=UTC)


@contextmanager
def statements() -> Iterator[list[str]]:
    found: list[str] = []

    def keep(connection: object, cursor: object, statement: str, *more: object) -> None:
        found.append(statement)

    event.listen(db.engine, "before_cursor_execute", keep)
    try:
        yield found
    finally:
        event.remove(db.engine, "before_cursor_execute", keep)


def everything() -> Select[tuple[object, ...]]:
    """A column of each kind that JSON does not know, and what it knows."""
    return select(
        literal(Money(-1_234), MoneyType()).label("amount"),
        literal(ID, Uuid()).label("id"),
        literal("draft", OneOf(["draft"])).label("state"),
        literal(MOMENT, DateTime(timezone=True)).label("at"),
        literal(date(2024, 2, 29), Date()).label("day"),
        literal(b"\x00\xff", LargeBinary()).label("raw"),
        literal("Łódź", Text()).label("town"),
        literal(None, Text()).label("nothing"),
        literal(7, Integer()).label("small"),
        literal(2**60, BigInteger()).label("big"),
        literal(True, Boolean()).label("yes"),
        literal(JSON_OF_ALL, JSONB()).label("json"),
        literal([1.5, None], JSONB()).label("list"),
        literal(None, JSONB()).label("null"),
        func.to_tsvector("simple", "a b", type_=TSVECTOR).label("words"),
    )  # type: ignore[return-value]  # which types, the test compares


@reader
def counted(word: str) -> Asking[int]:
    ((count,),) = yield from ask(select(func.count()).select_from(Note).where(Note.text == word))
    return int(count)


@reader
def twice(word: str) -> Asking[tuple[int, int]]:
    first = yield from counted.asking(word)
    return first, (yield from counted.asking(word))


@pytest.fixture
def notes(app: Flask) -> Flask:
    with acts.arranging():
        db.session.add_all(Note(text=word) for word in ("b", "a", "c", "a"))
    return app


@functools.cache
def of_word() -> Select[tuple[object, ...]]:
    amount = bindparam("least", type_=MoneyType())
    words = bindparam("words", expanding=True)
    return (
        select(Note.text, amount.label("amount"), Note.id)
        .where(Note.text == bindparam("word"), Note.text.in_(words))
        .order_by(Note.id)
    )


def test_a_question_put_together_once_is_asked_with_what_is_given(notes: Flask) -> None:
    def those(word: str, *words: str) -> Asking[list[tuple[str, Money]]]:
        values = {"word": word, "words": [word, *words], "least": Money(len(word))}
        rows = yield from ask(Given(of_word(), values))
        return [(row.text, row.amount) for row in rows if isinstance(row.id, UUID)]

    a, b = ("a", Money(1)), ("b", Money(1))
    for _ in range(2):
        # Alone, beside one another, and with another number of values in a list.
        assert [alone(those("a")), alone(those("b", "c", "d"))] == [[a, a], [b]]
        assert alone(side_by_side([those("b"), those("a", "x"), those("none")])) == [[b], [a, a], []]
        with statements() as found:
            assert alone(both(those("b", "y"), counted.asking("a"))) == ([b], 2)
        assert len(found) == 1


def test_what_is_asked_together_is_one_statement(notes: Flask) -> None:
    with statements() as found:
        results = alone(side_by_side(counted.asking(word) for word in ("a", "b", "x")))

    assert results == [2, 1, 0]
    assert len(found) == 1


def test_as_many_statements_as_the_longest_chain_has_steps(notes: Flask) -> None:
    with statements() as found:
        results = alone(both(twice.asking("a"), counted.asking("c")))

    assert results == ((2, 2), 1)
    assert len(found) == 2


def test_a_reader_can_be_called_like_any_function(notes: Flask) -> None:
    assert counted("a") == 2


def test_values_come_back_as_what_they_are_alone_and_together(app: Flask) -> None:
    (lonely,) = alone(ask(everything()))
    (first,), (second,) = alone(both(ask(everything()), ask(everything())))

    expected = (
        *(Money(-1_234), ID, "draft", MOMENT, date(2024, 2, 29), b"\x00\xff", "Łódź", None),
        *(7, 2**60, True, JSON_OF_ALL, [1.5, None], None, "'a':1 'b':2"),
    )
    assert tuple(lonely) == tuple(first) == tuple(second) == expected
    assert (first.amount, first.town) == (Money(-1_234), "Łódź")
    # Equal is not enough: a number that came as another kind cannot be written as JSON again.
    assert repr(tuple(lonely)) == repr(tuple(first)) == repr(tuple(second))


def test_every_kind_of_column_there_is_was_compared(app: Flask) -> None:
    compared = [column.type for column in everything().selected_columns]

    kinds = {type(column.type) for table in db.metadata.tables.values() for column in table.columns}
    assert kinds <= {type(kind) for kind in compared}


@dataclass(frozen=True)
class Sent:
    """A question, and what it answers where each parameter reaches it and no other."""

    question: Select[tuple[object, ...]]
    expected: list[tuple[object, ...]]


# Texts that look like what a statement is put together of, and nothing at all.
WORDS = st.sampled_from(
    ["a", "b", "", "100 %", "%(q0_same)s", "%%(q1_same)s", ":same", "$1", "__[POSTCOMPILE_same]", "'"]
)
NUMBERS = st.integers(-3, 3)


def _one_of(words: list[str]) -> Sent:
    """A list, each of whose values is a parameter; an empty one too."""
    found = select(Note.text).where(Note.text.in_(bindparam("same", words, expanding=True))).order_by(Note.text)
    return Sent(found, [(word,) for word in ("a", "a", "b", "c") if word in words])


def _among(positions: list[int]) -> Sent:
    ids = [UUID(int=each + 10) for each in positions]
    found = select(literal(7, Integer)).where(among(literal(ID, Uuid), [*ids, ID] if positions else ids))
    return Sent(found, [(7,)] if positions else [])


def _chained(word: str, number: int) -> Sent:
    """With a common table of the same name in each, and a number of rows that is written in."""
    common = select(literal(word, Text).label("word"), literal(number, Integer).label("number")).cte("common")
    return Sent(select(common.c.word, common.c.number).limit(max(number, 0)), [(word, number)] if number > 0 else [])


def _written_in(word: str) -> Sent:
    """A value that stands in the text itself, beside one that is sent."""
    written = bindparam("same", word, Text, literal_execute=True)
    return Sent(
        select(written.label("in_text"), literal_column("'50 %(q0_same)s'"), literal(word, Text)),
        [(word, "50 %(q0_same)s", word)],
    )


def _named(word: str | None) -> Sent:
    return Sent(select(bindparam("same", word, Text).label("word")), [(word,)])


def _of_money(number: int | None) -> Sent:
    amount = None if number is None else Money(number)
    return Sent(select(literal(amount, MoneyType()), literal({"n": number}, JSONB)), [(amount, {"n": number})])


SENT = st.one_of(
    st.builds(_one_of, st.lists(WORDS, max_size=4)),
    st.builds(_among, st.lists(NUMBERS, max_size=3)),
    st.builds(_chained, WORDS, NUMBERS),
    st.builds(_written_in, WORDS),
    st.builds(_named, st.none() | WORDS),
    st.builds(_of_money, st.none() | NUMBERS),
    st.just(Sent(select(literal(1, Integer)).where(false()), [])),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(SENT, min_size=2, max_size=7))
def test_what_is_sent_with_a_question_reaches_no_other(notes: Flask, sent: list[Sent]) -> None:
    with statements() as found:
        together = alone(side_by_side(ask(each.question) for each in sent))

    assert len(found) == 1
    assert [[tuple(row) for row in rows] for rows in together] == [each.expected for each in sent]


def test_questions_are_written_out_once_whatever_they_stand_beside(notes: Flask) -> None:
    def asked(*words: str) -> None:
        rows = alone(
            side_by_side(ask(select(Note.text, literal(word, Text)).where(Note.text == word)) for word in words)
        )
        assert [{tuple(row) for row in found} for found in rows] == [{(word, word)} for word in words]

    asked("a", "b")
    kept = db.engine._compiled_cache
    assert kept is not None
    before = len(kept)
    with statements() as found:
        asked("a", "b", "c", "b")
        asked("c", "a", "b", "a")

    assert len(kept) == before
    # PostgreSQL is asked the same text, so that it plans it once.
    assert len(found) == 2 and len(set(found)) == 1


def test_rows_keep_their_order_and_their_limit(notes: Flask) -> None:
    ordered = select(Note.text).order_by(Note.text.desc()).limit(3)

    rows, others = alone(both(ask(ordered), ask(ordered.where(Note.text == "none"))))

    assert [row.text for row in rows] == ["c", "b", "a"]
    assert others == []


def test_nothing_asked_is_nothing_answered(app: Flask) -> None:
    with statements() as found:
        assert alone(side_by_side([])) == []

    assert found == []


def test_an_act_reads_what_it_has_just_written(notes: Flask) -> None:
    with acts.arranging():
        db.session.add(Note(text="new"))
        assert alone(both(counted.asking("new"), counted.asking("a"))) == (1, 2)


def test_an_answer_told_unread_is_equal_while_it_is_the_same_and_reads_as_any_other(app: Flask) -> None:
    @reader
    def looked(*numbers: int) -> Asking[RawAnswer]:
        values = [
            select(literal(number, Integer).label("number"), literal(ID, Uuid()).label("id")) for number in numbers
        ]
        (found,) = yield from ask_raw([values[0].union_all(*values[1:])])
        return found

    with statements() as seen:
        first, again, other = looked(1, 2), looked(1, 2), looked(1, 3)

    assert len(seen) == 3
    assert first == again and hash(first) == hash(again) and first != other
    assert [(row.number, row.id) for row in first.rows] == [(1, ID), (2, ID)]
    # Beside a question that is read at once, in one statement.
    with statements() as seen:
        alone(both(looked.asking(1), ask(everything())))
    assert len(seen) == 1


def test_an_answer_of_the_last_look_is_taken_only_while_nothing_at_all_was_written(
    notes: Flask, postgres: Cluster, database: str
) -> None:
    @reader
    def looked() -> Asking[tuple[int, int]]:
        stands_at = yield from stand.asking()
        texts = select(Note.text).order_by(Note.text)
        (found,) = yield from ask_lately(stands_at, "notes", lambda: [texts])
        # Another question has a key of its own.
        (other,) = yield from ask_lately(stands_at, "no notes", lambda: [texts.where(Note.text == "")])
        return len(found.rows), len(other.rows)

    with statements() as seen:
        before = looked()
    assert len(seen) == 3

    def asked_again() -> int:
        with statements() as seen:
            assert looked() == before
        return len(seen)

    # The next look asks at what the database stands, and nothing else, unless another test wrote on this server meanwhile.
    assert 1 in (asked_again() for _ in range(100))

    # Written by hand, past the program, into another table, or taken back: asked anew.
    with psycopg.connect(postgres.dsn(database), autocommit=True) as owner:
        owner.execute("CREATE TABLE elsewhere (it integer)")
        with statements() as seen:
            assert looked() == before
        assert len(seen) == 3
        owner.execute("UPDATE note SET text = '' WHERE id = (SELECT id FROM note LIMIT 1)")
    assert looked() == (before[0], 1)
    # Within a deed what it wrote is seen, whatever was looked at before.
    with acts.arranging():
        stands_at = stand()
        db.session.add(Note(text="new"))
        assert looked() == (before[0] + 1, 1)
        db.session.add(Note(text="newer"))
        assert looked() == (before[0] + 2, 1)
        assert stands_at is not None and stand() is None
    assert looked() == (before[0] + 2, 1)
