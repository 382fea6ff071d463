"""The database handle, the base of every table and the guard that keeps writes inside acts."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID, uuid4

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    CheckConstraint,
    ColumnElement,
    DateTime,
    ForeignKey,
    MetaData,
    Select,
    Text,
    TypeDecorator,
    Uuid,
    any_,
    bindparam,
    event,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, SessionTransaction, mapped_column, registry
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.sql.selectable import _OffsetLimitParam
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import UserDefinedType

from grants.core.errors import Conflict, NotFound
from grants.core.money import Money
from grants.core.text import FOLDED_FROM, FOLDED_TO, FOLDED_TO_TWO

# Machinery written by core.acts.bookkeeping() in short transactions of its own, without audit. Closed list.
BOOKKEEPING_TABLES = frozenset(
    {
        "audit_seal",
        "audit_unsealed",
        "form_answer",
        "job",
        "process_beat",
        "security_event",
        "sheet_place",
        "sign_in_attempt",
        "user_session",
    }
)

# Rows that only ever come: the program's database role may not change or delete them.
APPEND_ONLY_TABLES = frozenset(
    {
        "assignment_loss",
        "accepted_cost",
        "accession_signature",
        "account_waiting",
        "act",
        "act_key",
        "agreement_signature",
        "agreement_version",
        "application_notice",
        "application_sign_off",
        "assessment_version",
        "assignment_reminder",
        "audit_checkpoint",
        "audit_event",
        "audit_key",
        "audit_seal",
        "bank_statement",
        "call_one_extension",
        "bank_status",
        "budget_transfer",
        "call_version",
        "call_draw_seed",
        "call_expert_terms",
        "call_privacy_notice",
        "call_question_version",
        "cost_verdict",
        "consensus_answer",
        "consensus_version",
        "consensus_writing",
        "conversation_message",
        "distribution_waiver",
        "dossier_answer_version",
        "dossier_comment",
        "dossier_set_aside",
        "evaluator_names",
        "file_scan",
        "final_basis",
        "forecast_line",
        "forecast_snapshot",
        "grant_closing",
        "ledger_entry",
        "ledger_leg",
        "ledger_reading",
        "interest_waiver",
        "letter_text",
        "organisation_double",
        "organisation_fact",
        "ranking_run",
        "panel_event",
        "payment_cancellation",
        "payment_offset",
        "payment_request_part",
        "prefinancing_use",
        "rate_series",
        "preparation_fact",
        "preparation_verdict",
        "recovery_receipt",
        "recovery_share",
        "removed_row",
        "report_version",
        "revision_verdict",
        "revision_version",
        "security_event",
        "selection_solve",
        "statement_figures",
        "submission",
        "superseded_row",
    }
)


# What triggers keep, as the tables' owner, of what others write: the program's database role may only read it.
KEPT_TABLES = frozenset({"ledger_month"})


@dataclass(frozen=True, slots=True)
class WrittenOnce:
    """What of a decision already taken may still change; its other columns and its existence are fixed by the database.

    ``once`` are filled one time and then stand (who confirmed, why it was voided); ``free`` move with the
    state of the row. Where ``kept`` is set, what a change replaces is kept in ``superseded_row``.
    """

    once: tuple[str, ...] = ()
    free: tuple[str, ...] = ()
    kept: bool = False


# Decisions, signatures and declarations: no row of these is deleted, and what was decided is not rewritten.
WRITTEN_ONCE_TABLES: Mapping[str, WrittenOnce] = {
    "accession": WrittenOnce(
        once=("acceded_at", "acceded_version", "ended_at", "ended_by", "end_reason", "left_at", "told_late_at")
    ),
    "agreement_hold": WrittenOnce(once=("lifted_on", "lifted_by", "lifted_at", "lift_words")),
    "agreement_offer": WrittenOnce(once=("ended_at", "ended_why")),
    "agreement_termination": WrittenOnce(
        once=(
            *("objection", "objected_by", "objected_at", "answer", "confirmed_by", "confirmed_at", "effective_on"),
            *("withdrawn_by", "withdrawn_at", "withdraw_words", "carried_out_at"),
        ),
        free=("state",),
    ),
    "amendment": WrittenOnce(
        once=(
            *("sent", "sent_by", "sent_at", "reply_days", "opened_after_days", "opened_by", "opened_at"),
            *("answered_by", "answered_at", "answer", "offer_no", "ended_by", "ended_at", "end_words"),
            *("version_no", "in_force_at"),
        ),
        free=("state", "kind", "by_letter", "reason", "change", "reply_due_on"),
    ),
    "authority_limit": WrittenOnce(once=("decided_by", "decided_at", "decide_reason"), free=("state",)),
    "award_description": WrittenOnce(once=("confirmed_by", "confirmed_at")),
    "award_withheld": WrittenOnce(once=("ended_by", "ended_at", "end_reason", "confirmed_by", "confirmed_at")),
    "bank_account": WrittenOnce(
        once=(
            *("confirmed_by", "confirmed_at", "evidence", "channel", "checked_on"),
            *("payee_match", "payee_match_name", "payee_matched_on", "ended_by", "ended_at", "end_reason"),
        ),
        free=("state",),
    ),
    "bank_import": WrittenOnce(once=("problem", "lines_new", "lines_known"), free=("state",)),
    "bank_claim": WrittenOnce(once=("decided_by", "decided_at", "refuse_reason"), free=("state",)),
    "bank_line": WrittenOnce(
        once=(
            *("statement_id", "booked_as", "order_id", "batch_id", "recovery_id", "entry_id", "matched_at"),
            *("identified_at", "identified_as"),
        )
    ),
    "clarification": WrittenOnce(
        once=(
            *("answer", "answered_at", "answered_by", "answer_sha256"),
            *("withdrawn_at", "withdrawn_by", "withdraw_reason"),
        ),
        free=("draft", "drafted_by", "due_at", "extension_reason", "shared"),
        kept=True,
    ),
    "complaint": WrittenOnce(
        once=(
            *("sent_at", "sent_by", "sha256", "first_decide_at", "checked_by", "checked_at", "check_reason"),
            *(
                "confirmed_by",
                "decided_at",
                "letter",
                "letter_sha256",
                "withdrawn_at",
                "withdrawn_by",
                "withdraw_reason",
            ),
            *("entry_id", "settled_at", "settled_by", "settled_words", "settled_outcome"),
        ),
        free=(
            *(
                "state",
                "text",
                "grounds",
                "drafted_by",
                "decide_at",
                "extension_reason",
                "member_one",
                "member_two",
            ),
            *("named_by", "remedy", "upholds", "decision", "despite", "breached"),
            *("proposed_by", "proposed_at", "return_reason"),
            # Of a draft, whose time may run anew.
            *("reached_at", "due_at"),
            *("settlement", "settlement_by", "settlement_at"),
        ),
        kept=True,
    ),
    "conflict_declaration": WrittenOnce(
        free=("declared", "reason", "declared_at", "ruling", "ruling_reason", "ruled_by", "ruled_at"), kept=True
    ),
    "decision_letter": WrittenOnce(
        once=("sent_content", "sent_sha256", "sent_at", "acknowledged_by", "acknowledged_at"), free=("state", "failure")
    ),
    "distribution": WrittenOnce(once=("decided_by", "decided_at", "decided_for", "decide_reason"), free=("state",)),
    "due_diligence_item": WrittenOnce(
        free=("answer", "note", "evidence_on", "answered_at", "answered_by", "due_on"), kept=True
    ),
    "eligibility_check": WrittenOnce(
        once=("verdict", "reason", "decided_at", "decided_by", "confirmed_by"),
        free=("saves", "proposed_by", "proposed_at", "proposed_reason", "returned_by", "return_reason"),
        kept=True,
    ),
    "eligibility_letter": WrittenOnce(once=("content", "sha256", "sent_at", "sent_by"), free=("note",), kept=True),
    "eligibility_result": WrittenOnce(free=("verdict", "reason", "answered_by", "answered_at"), kept=True),
    "entity_declaration": WrittenOnce(free=("declared", "kind", "reason", "declared_at"), kept=True),
    "late_interest": WrittenOnce(once=("decided_at", "decided_by", "refuse_reason", "paying_id"), free=("state",)),
    "legal_hold": WrittenOnce(once=("lifted_by", "lifted_at", "lift_reason")),
    "letter_left_out": WrittenOnce(once=("ended_by", "ended_at", "told_by", "told_at")),
    "letter_mailing": WrittenOnce(
        once=("confirmed_by", "confirmed_at", "returned_by", "returned_at", "return_reason"), free=("state",)
    ),
    "own_account": WrittenOnce(
        once=("confirmed_by", "confirmed_at", "evidence", "closed_by", "closed_at", "close_reason"), free=("state",)
    ),
    "panel_minutes": WrittenOnce(once=("chair_signed_by", "chair_signed_at", "second_signed_by", "second_signed_at")),
    "evaluator_acceptance": WrittenOnce(once=("withdrawn_at", "withdrawn_why")),
    "payment_batch": WrittenOnce(
        once=(
            "file_id",
            "file_sha256",
            "problems",
            "sent_at",
            "sent_by",
            "discarded_at",
            "discarded_by",
            "discard_reason",
            "recorded_at",
        ),
        free=("state",),
    ),
    "payment_circuit": WrittenOnce(once=("decided_by", "decided_at", "decide_reason"), free=("state",)),
    "payment_guarantee": WrittenOnce(once=("ended_at", "ended_by", "end_reason")),
    "payment_order_signature": WrittenOnce(once=("voided_at", "voided_why")),
    "payment_return": WrittenOnce(once=("answer", "answered_at", "answered_by")),
    "payment_suspension": WrittenOnce(
        once=("answer", "answered_at", "answered_by", "until_on", "lifted_at", "lifted_by", "lift_reason")
    ),
    "payment_verification": WrittenOnce(),
    "rate_table": WrittenOnce(
        once=("accepted_at", "accepted_by", "words", "first_on", "last_on"),
        free=("state", "added", "changed", "problems", "flags"),
    ),
    "recovery": WrittenOnce(
        once=(
            *("informed_at", "informed_by", "reply_until", "observation", "observed_at", "observed_by"),
            *("confirmed_at", "confirmed_by", "confirm_words", "issued_at", "issued_by", "due_on"),
            *("waived", "waived_at", "waived_by", "waive_reason", "waiver_file_id"),
            *("cancelled_at", "cancelled_by", "cancel_reason"),
        ),
        free=("state", "reminders", "reminded_at"),
    ),
    "recovery_interest": WrittenOnce(once=("decided_at", "decided_by"), free=("state",)),
    "results_publication": WrittenOnce(
        once=("confirmed_by", "confirmed_at", "returned_by", "return_reason"), free=("state",)
    ),
    "reversal_proposal": WrittenOnce(
        once=("decided_by", "decided_at", "refuse_reason", "reversal_id"), free=("state",)
    ),
    "score_shift": WrittenOnce(once=("decided_by", "decided_at", "return_reason"), free=("state",)),
    "selection": WrittenOnce(
        once=(
            *("confirmed_by", "confirmed_at", "confirmed_despite", "returned_by", "return_reason"),
            *("draw_refused_by", "draw_refused_at"),
        ),
        # Its state; and what the draw by lot gives it, once, when it is confirmed: the triggers of awards see to that.
        free=("state", "undrawn", "used", "rules", "line_words", "list_sha256", "compared"),
    ),
    "sent_elsewhere": WrittenOnce(
        once=("confirmed_by", "confirmed_at"), free=("decision", "reason", "proposed_by", "proposed_at")
    ),
    "sent_elsewhere_line": WrittenOnce(once=("order_id",)),
    "selection_item": WrittenOnce(
        once=("entry_id",),
        free=(
            *("undrawn", "position", "rank", "outcome", "amount", "asked", "straddles", "missing"),
            *("tie_words", "rule_words", "conditions"),
        ),
    ),
    "selection_move": WrittenOnce(
        once=("confirmed_by", "confirmed_at", "returned_by", "return_reason"), free=("state",)
    ),
    "signed_upload": WrittenOnce(once=("findings", "read_at", "checked_by", "checked_at", "words"), free=("state",)),
}


class MoneyType(TypeDecorator[Money]):
    """Euro amounts as integer cents in a BIGINT column."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Money | None, dialect: Any) -> int | None:
        if value is None:
            return None
        if value.currency != "EUR":
            raise ValueError("Columns hold euros only; a foreign amount is an attribute of a cost line.")
        return value.cents

    def process_result_value(self, value: int | None, dialect: Any) -> Money | None:
        return None if value is None else Money(value)


_metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
_types: dict[Any, Any] = {
    datetime: DateTime(timezone=True),
    UUID: Uuid(),
    Money: MoneyType(),
    str: Text(),
    dict[str, Any]: JSONB(),
    list[Any]: JSONB(),
}


class Base(DeclarativeBase):
    """Base of every table: constraint names are predictable, times carry their zone."""

    registry = registry(metadata=_metadata, type_annotation_map=_types)


class Row(Base):
    """A row people care about: an id made here, the act's moment, and a version that forms carry back.

    Columns say in ``info={"audit": ...}`` how a change is audited: ``plain`` (default), ``digest``
    for personal data and long texts, ``none`` for what is derived.
    """

    __abstract__ = True

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-3)
    created_at: Mapped[datetime] = mapped_column(sort_order=-2, info={"audit": "none"})
    version: Mapped[int] = mapped_column(sort_order=-1, info={"audit": "none"})

    def __init__(self, **values: Any) -> None:
        # The id exists before the first flush, so that an act can point to a row it has just made.
        super().__init__(**{"id": uuid4(), **values})


DIGEST = {"audit": "digest"}
NOT_AUDITED = {"audit": "none"}
# Worked out of this row and of others, to find and order it by: nobody's work, so a change of it alone keeps the version of
# the row, by which an open form tells that somebody was faster.
DERIVED = {**NOT_AUDITED, "derived": "yes"}


def folded(column: Any) -> ColumnElement[str]:
    """A text column as :func:`~grants.core.text.fold` would write it, for a search; not for an index."""
    found: ColumnElement[str] = func.translate(func.lower(column), FOLDED_FROM, FOLDED_TO)
    for letter, letters in FOLDED_TO_TWO:
        found = func.replace(found, letter, letters)
    return found


class _Ids(UserDefinedType[str]):
    """Ids as the text of one array, which costs a tenth of a list that is looked at id by id."""

    cache_ok = True
    render_bind_cast = True

    def get_col_spec(self, **words: Any) -> str:
        return "UUID[]"


# Ids, or the place in a statement put together once where they are sent (`ids_sent`).
Ids = Collection[UUID] | BindParameter[str]


def among(column: Any, ids: Ids) -> ColumnElement[bool]:
    """The condition that a column is one of these ids, sent as one array: as a list each id is a parameter of its own, and
    a statement of a thousand takes longer to send and to plan than to answer.
    """
    found: ColumnElement[bool] = column == any_(_sent(ids))
    return found


def among_texts(column: Any, texts: Collection[str]) -> ColumnElement[bool]:
    """The same of texts: more of them than a statement may have parameters, which thousands of names are."""
    found: ColumnElement[bool] = column == any_(bindparam(None, sorted(texts), type_=ARRAY(Text), unique=True))
    return found


def not_among(column: Any, ids: Ids) -> ColumnElement[bool]:
    """The condition that a column is none of these ids, sent in the same way; each row is looked up in them, however many.

    To find rows by their ids an array is as good. The plan that PostgreSQL keeps of a prepared statement compares each row
    that is found in another way with one id of it after the other: a million comparisons of a thousand rows.
    """
    found: ColumnElement[bool] = column.not_in(select(func.unnest(_sent(ids))))
    return found


def ids_sent(name: str) -> BindParameter[str]:
    """A place for ids, as :func:`as_sent` writes them, in a statement that is put together once."""
    return bindparam(name, type_=_Ids())


def as_sent(ids: Iterable[UUID]) -> str:
    """Ids as the text of one array."""
    return f"{{{','.join(each.hex for each in ids)}}}"


def _sent(ids: Ids) -> ColumnElement[Any]:
    return ids if isinstance(ids, BindParameter) else literal(as_sent(ids), _Ids())


def points_to(column: str) -> ForeignKey:
    """A foreign key checked at the end of the act, so that the order of inserts never matters."""
    return ForeignKey(column, deferrable=True, initially="DEFERRED")


class _Known(ColumnElement[str]):
    """A value of a :class:`OneOf`, as it stands in a statement."""

    __visit_name__ = "known_value"
    # What tells two of them apart, so that a statement once written is kept.
    _traverse_internals = [("value", InternalTraversal.dp_string)]  # noqa: RUF012 -- SQLAlchemy reads it so

    def __init__(self, value: str) -> None:
        self.value, self.type = str(value), Text()


@compiles(_Known)
def _written(known: _Known, compiler: Any, **words: Any) -> str:
    return f"'{known.value}'"


@compiles(_OffsetLimitParam)
def _write_how_many(element: Any, compiler: Any, **words: Any) -> str:
    """How many rows are wanted is written into the statement, as a value of :class:`OneOf` is: a plan for any number is one for many."""
    return str(compiler.visit_bindparam(element, literal_execute=True, **words))


class OneOf(Text):
    """A text column of known values: compared with one, the value is written into the statement.

    Sent beside it the value says nothing to PostgreSQL where a plan is made for any: it uses no index of one state alone,
    takes a rare state for as frequent as the others, and "not this one" of a column that holds one state for no row at all.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        super().__init__()
        self.values = tuple(values)

    class Comparator(Text.Comparator[str]):
        """What a column of known values is compared with."""

        type: OneOf

        def operate(self, op: OperatorType, *other: Any, **words: Any) -> ColumnElement[Any]:
            return super().operate(op, *(self._written(each) for each in other), **words)

        def _written(self, other: Any) -> Any:
            if isinstance(other, str):
                return _Known(other) if other in self.type.values else other
            return [self._written(each) for each in other] if isinstance(other, list | tuple | Set) else other

    comparator_factory = Comparator


def state_check(states: type[StrEnum], column: str = "state") -> CheckConstraint:
    """A CHECK that a column holds one of the states of a machine, which makes the column one :class:`OneOf` these."""
    names = ", ".join(f"'{state.value}'" for state in states)
    check = CheckConstraint(f"{column} IN ({names})", name=f"{column}_known")

    def make_known(_: CheckConstraint, table: Any) -> None:
        table.c[column].type = OneOf(state.value for state in states)

    event.listen(check, "after_parent_attach", make_known)
    return check


db = SQLAlchemy(model_class=Base)

T = TypeVar("T", bound=Row)


def get(model: type[T], row_id: UUID) -> T:
    """The row of that id; raises :class:`NotFound`. One this transaction locked is not asked for again: nobody changes it."""
    found = _held().get((model, row_id)) or db.session.scalars(_by_id(model), {"row_id": row_id}).one_or_none()
    if found is None:
        raise NotFound
    return found


def locked(model: type[T], row_id: UUID) -> T:
    """The row of that id, read again under a row lock until the act ends; raises :class:`NotFound`.

    ``populate_existing``: without it a row the session already knew would come back stale.
    """
    found = db.session.scalars(_locked_by_id(model), {"row_id": row_id}).one_or_none()
    if found is None:
        raise NotFound
    _held()[model, row_id] = found
    return found


def _held() -> dict[tuple[type[Any], UUID], Any]:
    """The rows this transaction locked one by one; the session itself forgets a row nobody holds."""
    rows: dict[tuple[type[Any], UUID], Any] = db.session.info.setdefault("held", {})
    return rows


@event.listens_for(Session, "after_transaction_end")
def _let_go(session: Session, transaction: SessionTransaction) -> None:
    """Its locks are gone with a transaction, and with a part of one that is taken back."""
    if transaction.parent is None or transaction.nested:
        session.info.pop("held", None)


# These two are asked more often than all else: put together once for each table, they cost a third less.


@functools.cache
def _by_id(model: type[T]) -> Select[T]:
    return select(model).where(model.id == bindparam("row_id"))


@functools.cache
def _locked_by_id(model: type[T]) -> Select[T]:
    return _by_id(model).with_for_update(of=model).execution_options(populate_existing=True)


def forget_connections() -> None:
    """Close every connection of this process, as before a fork: a connection is of one process only."""
    db.session.remove()
    db.engine.dispose()


def check_version(row: Row, shown: int | None) -> None:
    """Compare the version a form was shown with against the locked row; raises :class:`Conflict` when they differ."""
    if shown is not None and row.version != shown:
        raise Conflict(
            "Somebody changed this while you were working. "
            "Go back to find your text, then reload to see what stands now."
        )


def remember_old_values() -> None:
    """Load the old value before a column is overwritten; without it the \u201cbefore\u201d of an expired row is lost."""
    Base.registry.configure()
    for mapper in Base.registry.mappers:
        for attribute in mapper.column_attrs:
            getattr(mapper.class_, attribute.key).impl.active_history = True
