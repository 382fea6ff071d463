"""Reads that are asked together: whatever several readers want to know at the same time costs one statement.

A reader is a generator: it yields what it asks and goes on with the answer. Alone it asks one thing after the other; side
by side with others, what each asks next is put into one statement, so that a page of thirty questions costs as many
statements as the longest chain of them. Rows come back as named tuples of the columns that were selected, never as rows
of the session: what is read this way is only read.
"""

from __future__ import annotations

import functools
import json
import re
from collections import namedtuple
from collections.abc import Callable, Generator, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, ParamSpec, TypeVar, cast
from uuid import UUID

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    LargeBinary,
    Result,
    Select,
    SelectBase,
    Text,
    Uuid,
    case,
    func,
    select,
)
from sqlalchemy import cast as cast_to
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import FROM_LINTING, SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import TypeEngine

from grants.core.db import MoneyType, db
from grants.core.money import Money

P = ParamSpec("P")
T = TypeVar("T")
U = TypeVar("U")

# A column of a question with a limit: how many rows there are without it. `duties.every` reads it.
EVERY = func.count().over().label("every")

Answer = list[Any]


@dataclass(frozen=True, slots=True)
class Given:
    """A question that was put together once (a function with ``functools.cache`` makes it) and what is sent beside it this time.

    What is found of such a statement (its text, its columns) is found once too: to put together, to recognise and to
    read one anew takes several times as long. Its values have the names of its ``bindparam``s, each of which has a type.
    """

    question: SelectBase
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RawQuestion:
    """A question whose answer comes as :class:`RawAnswer`: for what is made of so many rows that it is kept while they are the same."""

    question: SelectBase


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """The answer to an unread question. Equal text is an equal answer; its rows are read where somebody wants them."""

    question: SelectBase = field(compare=False)
    text: str | None

    @property
    def rows(self) -> Answer:
        """The rows, as if it had been asked like any other question."""
        return _rows(self.question, self.text)


Question = SelectBase | RawQuestion | Given
# Yields what it asks, is sent the answers in that order, and returns what it made of them.
Asking = Generator[Sequence[Question], Sequence[Answer], T]


class Reader(Generic[P, T]):
    """A function that reads: called, it asks on its own; ``asking`` is the same beside others, or within another."""

    def __init__(self, function: Callable[P, Asking[T]]) -> None:
        self.asking = function
        functools.update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        return alone(self.asking(*args, **kwargs))


def reader(function: Callable[P, Asking[T]]) -> Reader[P, T]:
    """Make a generator of questions a function that can be called like any other."""
    return Reader(function)


def ask(question: Question) -> Asking[Answer]:
    """The rows of one select, within a reader: ``rows = yield from ask(select(...))``."""
    (rows,) = yield [question]
    return rows


def side_by_side(askings: Iterable[Asking[T]]) -> Asking[list[T]]:
    """Several readers at once, within a reader; their results in order."""
    running = list(askings)
    results: list[Any] = [None] * len(running)
    wanted = {number: found for number, one in enumerate(running) if (found := _go_on(one, None, results, number))}
    while wanted:
        answers = iter((yield [question for questions in wanted.values() for question in questions]))
        wanted = {
            number: found
            for number, questions in wanted.items()
            if (found := _go_on(running[number], [next(answers) for _ in questions], results, number))
        }
    return results


def both(first: Asking[T], second: Asking[U]) -> Asking[tuple[T, U]]:
    """Two readers at once, within a reader."""
    found = yield from side_by_side(cast(list[Asking[Any]], [first, second]))
    return found[0], found[1]


def _go_on(
    asking: Asking[Any], answers: Sequence[Answer] | None, results: list[Any], number: int
) -> Sequence[Question] | None:
    """What a reader asks next; None when it is done and its result is kept."""
    try:
        found = next(asking) if answers is None else asking.send(answers)
        while not found:
            found = asking.send(())
        return found
    except StopIteration as done:
        results[number] = done.value
        return None


def alone(asking: Asking[T]) -> T:
    """The result of one reader: a statement for each of its steps."""
    try:
        questions = next(asking)
        while True:
            questions = asking.send(_answers(questions))
    except StopIteration as done:
        return cast(T, done.value)


def _answers(questions: Sequence[Question]) -> list[Answer]:
    """The answers to several questions, in one statement."""
    if not questions:
        return []
    # Inside an act: selects of columns alone would not see what it has changed so far.
    db.session.flush()
    if len(questions) == 1 and not isinstance(questions[0], RawQuestion):
        # Nothing to put together: the rows come as they are, for a quarter of the work.
        found = _asked_alone(questions[0])
        made = _tuple(tuple(found.keys()))
        return [[made._make(row) for row in found]]
    connection = db.session.connection()
    texts = connection.exec_driver_sql(*_joined(questions, connection)).one()
    return [_answer(question, text) for question, text in zip(questions, texts, strict=True)]


def _asked_alone(question: SelectBase | Given) -> Result[Any]:
    if isinstance(question, Given):
        return db.session.execute(cast(Any, _columns_of_given(question.question)), question.values)
    return db.session.execute(cast(Any, _as_columns(question)))


def _answer(question: Question, text: str | None) -> Answer:
    match question:
        case RawQuestion():
            return cast(Answer, RawAnswer(question.question, text))
        case Given():
            return _read(_shape_of_given(question.question), text)
        case _:
            return _rows(question, text)


def ask_raw(questions: Iterable[SelectBase]) -> Asking[tuple[RawAnswer, ...]]:
    """The answers to these questions, unread, within a reader: ``answers = yield from ask_raw([...])``."""
    return cast(tuple[RawAnswer, ...], tuple((yield [RawQuestion(question) for question in questions])))


# At what the database stands for a statement: which transactions it sees, of which database and run of the server. Where
# two agree nothing was written between them, by whomever and into whatever table. Null within what wrote: it sees more.
_STAND = case(
    (
        func.pg_current_xact_id_if_assigned().is_(None),
        func.concat_ws(
            " ", cast_to(func.pg_current_snapshot(), Text), func.current_database(), func.pg_postmaster_start_time()
        ),
    )
)


@reader
def stand() -> Asking[str | None]:
    """At what the database stands now, for :func:`ask_lately`."""
    ((found,),) = yield from ask(select(_STAND.label("stand")))
    return cast(str | None, found)


# Under so many keys answers are kept in a process: the scores of a ranked list and its places are two.
ANSWERS_KEPT = 4
_lately: dict[Hashable, tuple[str, tuple[RawAnswer, ...]]] = {}


def ask_lately(
    stands_at: str | None, key: Hashable, questions: Callable[[], Sequence[SelectBase]]
) -> Asking[tuple[RawAnswer, ...]]:
    """The answers to these questions, unread, within a reader: those of the last look where the database stands as it stood.

    ``key`` says which questions these are; they are put together where they are asked. Not for any that hangs on a moment: time passes though nothing is written. For
    pages: what an act decides on is read anew, and the stand of before a deed says nothing of what the deed wrote.
    """
    kept = _lately.get(key)
    if kept is not None and kept[0] == stands_at:
        return kept[1]
    found = yield [*map(RawQuestion, questions()), select(_STAND.label("stand"))]
    *answers, ((stood_at,),) = found
    made = cast(tuple[RawAnswer, ...], tuple(answers))
    _lately.pop(key, None)
    if stands_at is not None and stood_at is not None:
        _lately[key] = (stood_at, made)
        for oldest in list(_lately)[:-ANSWERS_KEPT]:
            _lately.pop(oldest, None)
    return made


def _joined(questions: Sequence[Question], connection: Connection) -> tuple[str, dict[str, Any]]:
    """One statement of these questions, and what is sent beside it.

    SQLAlchemy writes each out for itself and keeps it by what it is. Which of them stand together differs with what somebody
    may see, and to write every set of them anew took longer than to answer it.
    """
    parts, sent = [], {}
    for number, question in enumerate(questions):
        text, values = _written_alone(question, connection)
        parts.append(_named_apart(text, number))
        sent.update({f"q{number}_{name}": value for name, value in values.items()})
    return f"SELECT {', '.join(parts)}", sent


def _written_alone(question: Question, connection: Connection) -> tuple[str, dict[str, Any]]:
    """The text of one question, and the values of its parameters as the driver takes them: what SQLAlchemy does to send it."""
    match question:
        case Given():
            statement, beside = _gathered_given(question.question), question.values
        case RawQuestion():
            statement, beside = _gathered(question.question), {}
        case _:
            statement, beside = _gathered(question), {}
    found, extracted, given, _ = statement._compile_w_cache(
        connection.dialect, compiled_cache=connection.engine._compiled_cache, column_keys=[], linting=FROM_LINTING
    )
    compiled = cast(SQLCompiler, found)
    # The kept text has values of its first time: these are what was found in the question at hand.
    values = compiled.construct_params({**(given or {}), **beside}, extracted_parameters=extracted)
    text, sending = compiled.string, cast(dict[str, Callable[[Any], Any]], compiled._bind_processors)
    if compiled.literal_execute_params or compiled.post_compile_params:
        # Lists, each of whose values is a parameter, and values that are written in.
        state = compiled._process_parameters_for_postcompile(values)
        text, values, sending = state.statement, dict(state.parameters), {**sending, **state.processors}
    return text, {name: sending[name](value) if name in sending else value for name, value in values.items()}


def _gathered(question: SelectBase) -> Select[str]:
    return select(_Gathered(question).label("q"))


# A parameter, or a percent sign that is none.
_PARAMETER = re.compile(r"%%|%\(([^()]+)\)s")


@functools.lru_cache(maxsize=1_000)
def _named_apart(text: str, number: int) -> str:
    """The text as one column of a statement, its parameters named by the number of the question."""
    named = _PARAMETER.sub(lambda found: f"%(q{number}_{found[1]})s" if found[1] else "%%", text)
    # What begins with its common tables ("WITH") is a statement of its own still.
    return named.removeprefix("SELECT ") if named.startswith("SELECT ") else f"({named})"


class _Gathered(ColumnElement[str]):
    """The rows of a question as the text of one JSON list. Columns are told by place: to name each anew in the language of
    SQLAlchemy took longer than to ask.
    """

    __visit_name__ = "gathered_question"
    # What tells two of them apart, so that a statement once written is kept.
    _traverse_internals = [("question", InternalTraversal.dp_clauseelement)]  # noqa: RUF012 -- SQLAlchemy reads it so

    def __init__(self, question: SelectBase) -> None:
        self.question = question
        self.type = Text()


@compiles(_Gathered)
def _written(gathered: _Gathered, compiler: Any, **words: Any) -> str:
    names, sent = [], []
    for place, column in enumerate(gathered.question.selected_columns):
        names.append(f"c{place}")
        # JSON travels as text within the JSON around it, so that its numbers are read as they are where it is asked alone.
        sent.append(f"CAST(q.c{place} AS TEXT)" if isinstance(column.type, JSON) else f"q.c{place}")
    inner = compiler.process(gathered.question, asfrom=True)
    rows = f"({inner}) AS q({', '.join(names)})"
    return f"(SELECT CAST(json_agg(json_build_array({', '.join(sent)})) AS TEXT) FROM {rows})"


def _rows(question: SelectBase, text: str | None) -> Answer:
    return [] if text is None else _read(_shape(question), text)


# The named tuple of the rows of a question, and the kinds of its columns by their places.
_Shape = tuple[Any, list[tuple[int, TypeEngine[Any]]]]


def _shape(question: SelectBase) -> _Shape:
    kinds = [(place, column.type) for place, column in enumerate(question.selected_columns)]
    return _names(question), [(place, kind) for place, kind in kinds if _reading(kind, _Ids()) is not None]


def _read(shape: _Shape, text: str | None) -> Answer:
    if text is None:
        return []
    made, kinds = shape
    ids = _Ids()
    reading = [(place, cast(Callable[[Any], Any], _reading(kind, ids))) for place, kind in kinds]
    rows = _loaded(text)
    for row in rows:
        for place, read in reading:
            if row[place] is not None:
                row[place] = read(row[place])
    return list(map(made._make, rows))


def _loaded(text: str) -> list[Any]:
    return cast(list[Any], json.loads(text, parse_float=Decimal))


def _as_columns(question: SelectBase) -> SelectBase:
    """The same question for columns: one for whole rows of the session would give those."""
    if isinstance(question, Select) and any(
        each["expr"] is each.get("entity") for each in question.column_descriptions
    ):
        return question.with_only_columns(*question.selected_columns, maintain_column_froms=True)
    return question


# What is found of a question that was put together once, by the question itself.
GIVEN_KEPT = 500
_gathered_given = functools.lru_cache(GIVEN_KEPT)(_gathered)
_shape_of_given = functools.lru_cache(GIVEN_KEPT)(_shape)
_columns_of_given = functools.lru_cache(GIVEN_KEPT)(_as_columns)


def _names(question: SelectBase) -> Any:
    return _tuple(tuple(str(name) for name in question.selected_columns.keys()))  # noqa: SIM118 -- iterating gives the columns


@functools.lru_cache(maxsize=500)
def _tuple(names: tuple[str, ...]) -> Any:
    return namedtuple("Row", names, rename=True)


class _Ids(dict[str, UUID]):
    """Ids by how they are written: in a list the same one often stands in several rows."""

    def __missing__(self, written: str) -> UUID:
        found = self[written] = UUID(written)
        return found


def _reading(kind: TypeEngine[Any], ids: _Ids) -> Callable[[Any], Any] | None:
    """How a column's value is read from JSON; None where it comes as it is."""
    match kind:
        case MoneyType():
            return lambda cents: Money(int(cents))
        case Uuid():
            return ids.__getitem__
        case DateTime():
            return datetime.fromisoformat
        case Date():
            return date.fromisoformat
        case LargeBinary():
            return lambda text: bytes.fromhex(text[2:])
        case JSON():
            return json.loads
        case _:
            return None


__all__ = [
    "EVERY",
    "Asking",
    "Given",
    "Question",
    "RawAnswer",
    "Reader",
    "alone",
    "ask",
    "ask_lately",
    "ask_raw",
    "both",
    "reader",
    "side_by_side",
    "stand",
]
