"""What belongs to a thing, and what a row is called: read from the tables' own foreign keys, so that new tables join by themselves."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    CompoundSelect,
    Select,
    Table,
    Text,
    Uuid,
    any_,
    cast,
    false,
    func,
    literal,
    select,
    type_coerce,
    union,
    union_all,
)
from sqlalchemy.dialects.postgresql import array

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.applications import queries as applications
from grants.applications.models import Application, Submission
from grants.calls.models import Call
from grants.calls.states import CallState
from grants.cities.models import City
from grants.core.audit import RemovedRow
from grants.core.db import Base, db
from grants.core.permissions import Actor
from grants.core.permissions import Permission as P
from grants.core.together import Asking, ask, reader
from grants.documents.models import StatementRun
from grants.identity.models import Organisation, User
from grants.ledger.models import LedgerEntry
from grants.ledger.rules import reference as entry_reference
from grants.payments.models import PaymentBatch, PaymentOrder, PaymentRequest
from grants.programmes.models import FundSource, Programme
from grants.reporting.models import PeriodicReport

# What scopes, owners and verbs call a thing, where that is not its table's own name.
TABLES: Mapping[str, str] = {
    "agreement": "grant_agreement",
    "conflict": "conflict_declaration",
    "grant": "grant_agreement",
    "report": "periodic_report",
    "user": "user_account",
    "profile": "user_account",
    "password": "user_account",
    "session": "user_account",
    "statement": "statement_run",
}

# A document and a table of money belong to the row that names them, not the other way round.
PARTS = ("dossier_id", "budget_id")
# Links without a foreign key, by the column that holds the other row's id.
LOOSE: Mapping[str, str] = {
    "access_bar": "object_id",
    "call_question_source": "conversation_id",
    "conversation": "about_id",
    "conversation_message": "conversation_id",
    "legal_hold": "object_id",
    "role_grant": "object_id",
    "statement_figures": "scope_id",
    "statement_run": "scope_id",
    "stored_file": "object_id",
}
# What :func:`beneath` finds besides tables with a way up.
LOOSELY = frozenset(LOOSE) | {"ledger_entry", "participation", "reversal_proposal"}
OWNED: Mapping[str, str] = {
    "budget": "owner_id",
    "conversation": "about_id",
    "dossier": "owner_id",
    "stored_file": "object_id",
}
_HOLDS_LITTLE = frozenset(
    {"application", "grant_agreement", "periodic_report", "payment_request", "payment_order", "statement_run"}
)
_FEW = 50
# What many rows point to without belonging to it.
_SIDEWAYS = frozenset({"bank_account", "ledger_entry", "organisation", "stored_file", "submission", "user_account"})


# What carries a name of its own.
NAMED = frozenset(
    model.__tablename__
    for model in (
        *(Call, Application, Grant, PeriodicReport, PaymentRequest, PaymentOrder, PaymentBatch, StatementRun),
        *(LedgerEntry, User, Organisation, City, Programme, FundSource),
    )
)


def tables() -> Mapping[str, Table]:
    """Every table by name."""
    return Base.metadata.tables


def _foreign_keys(table: Table) -> list[tuple[str, str]]:
    """Column and target of each foreign key to a row that has an id, in the order of the columns."""
    return [
        (column.name, key.column.table.name)
        for column in table.columns
        for key in column.foreign_keys
        # What has a name of its own belongs to what has one too: an application is not part of its newest submission.
        if key.column.name == "id" and (table.name not in NAMED or key.column.table.name in NAMED)
    ]


# --- What belongs to a thing ----------------------------------------------------------------------------------


@functools.cache
def below(root: str) -> tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...]:
    """Every table whose rows can belong to a row of ``root``, each after the tables it is reached through.

    With each: (own column, table above, the column there that it equals).
    """
    reached: set[str] = {root}
    before = 0
    while before < len(reached):
        before = len(reached)
        reached |= {name for name in tables() if any(up in reached for _, up, _ in _ways_up(name))}
    edges = {name: [way for way in _ways_up(name) if way[1] in reached] for name in sorted(reached)}
    order: list[str] = [root]
    begun: set[str] = {root}

    def visit(name: str) -> None:
        begun.add(name)
        for _, up, _ in edges[name]:
            if up not in begun:
                visit(up)
        order.append(name)

    for name in edges:
        if name not in begun:
            visit(name)
    place = {name: number for number, name in enumerate(order)}
    return (
        (root, ()),
        *((name, tuple(way for way in edges[name] if place[way[1]] < place[name])) for name in order[1:]),
    )


@functools.cache
def _ways_up(name: str) -> tuple[tuple[str, str, str], ...]:
    """(own column, table above, the column there that it equals) for every row this one can belong to."""
    table = tables()[name]
    if "id" not in table.c:
        return ()
    ways = [(column, target, "id") for column, target in _foreign_keys(table) if target != name]
    if f"{name}_id" in PARTS:
        ways += [("id", owner, f"{name}_id") for owner in sorted(NAMED) if f"{name}_id" in tables()[owner].c]
    return tuple(ways)


def beneath(root: str, ids: Collection[UUID], name: str = "in") -> Select[Any]:
    """(kind, id) of these rows of ``root`` and of all that belongs to them, files, roles and ledger entries too.

    Used twice in one statement, each use needs a ``name`` of its own.
    """
    ctes: dict[str, CTE] = {}
    for kind, above in below(root):
        rows = tables()[kind]
        inside = [
            rows.c[own].in_(select(tables()[up].c[there]).where(tables()[up].c.id.in_(select(ctes[up].c.id))))
            if there != "id"
            else rows.c[own].in_(select(ctes[up].c.id))
            for own, up, there in above
        ]
        # A select for each way, because over several ways joined by OR no index is used.
        found = [select(rows.c.id).where(condition) for condition in inside or [rows.c.id.in_(ids)]]
        ctes[kind] = (
            union(*found).cte(f"{name}_{root}_{kind}") if len(found) > 1 else found[0].cte(f"{name}_{root}_{kind}")
        )
    every = union_all(*(select(cte.c.id) for cte in ctes.values())).cte(f"{name}_{root}")
    pairs: list[Select[Any]] = [select(literal(kind), cte.c.id) for kind, cte in ctes.items()]
    little = holds_little(root, ids)
    pairs.append(hanging_on(select(every.c.id), f"{name}_{root}", little=little))
    legs = tables()["ledger_leg"]
    named = [legs.c.grant_id, legs.c.document_id, *([legs.c.call_id] if root == "call" else [])]
    for leg in named:
        inside_it = leg == any_of(select(every.c.id)) if little else leg.in_(select(every.c.id))
        pairs.append(select(literal("ledger_entry"), legs.c.entry_id).where(inside_it))
        # That an entry be reversed is told by nothing but the entry.
        proposals = tables()["reversal_proposal"]
        of_entry = select(legs.c.entry_id).where(inside_it)
        pairs.append(select(literal("reversal_proposal"), proposals.c.id).where(proposals.c.entry_id.in_(of_entry)))
    pairs += [
        select(literal("ledger_entry"), tables()[kind].c[column]).where(tables()[kind].c.id.in_(select(cte.c.id)))
        for kind, cte in ctes.items()
        for column, target in _foreign_keys(tables()[kind])
        if target == "ledger_entry" and kind not in NAMED
    ]
    if "grant_agreement" in ctes:
        # What a signature wrote into the register of cities names the grant by its reference.
        grants, parts = tables()["grant_agreement"], tables()["participation"]
        keys = select(grants.c.reference).where(grants.c.id.in_(select(ctes["grant_agreement"].c.id)))
        pairs.append(select(literal("participation"), parts.c.id).where(parts.c.pilot_key.in_(keys)))
    return select(union_all(*pairs).subquery())


def holds_little(root: str, ids: Collection[UUID]) -> bool:
    """Whether what is beneath is at most some thousand rows: a call holds whatever its applications hold."""
    return root in _HOLDS_LITTLE and len(ids) <= _FEW


def any_of(ids: Select[Any]) -> Any:
    """Equal to any of these ids, as one list: it is looked up by index, where the planner expects thousands of rows of a
    select and reads the whole table.
    """
    return any_(func.array(ids.scalar_subquery(), type_=ARRAY(Uuid)))


def hanging_on(ids: Select[Any], name: str, *, little: bool = False) -> Select[Any]:
    """(kind, id) of what hangs on these ids by loose links alone, to their end: a file on a statement, that on a grant;
    and of what was removed from them.
    """
    links = union_all(
        *(
            select(literal(kind).label("kind"), tables()[kind].c.id, tables()[kind].c[column].label("above"))
            for kind, column in LOOSE.items()
        ),
        # What was removed since belonged to what it pointed to.
        select(RemovedRow.table_name, RemovedRow.row_id, RemovedRow.above_id),
    )
    first, further = links.subquery(), links.subquery()
    above = first.c.above == any_of(ids) if little else first.c.above.in_(ids)
    found = select(first.c.kind, first.c.id).where(above).cte(f"{name}_hanging", recursive=True)
    found = found.union(select(further.c.kind, further.c.id).join(found, further.c.above == found.c.id))
    return select(found.c.kind, found.c.id)


@functools.cache
def placed(roots: tuple[str, ...]) -> frozenset[str]:
    """Every kind of row that is found beneath one of these, as scopes, verbs and tables call it; of others the place is not known."""
    found = {kind for root in roots for kind, _ in below(root)} | LOOSELY
    return frozenset(found | {word for word, table in TABLES.items() if table in found})


def find(reference: str) -> tuple[str, UUID] | None:
    """The kind and id of whatever carries this reference; None where nothing does."""
    wanted = reference.strip().upper()
    carriers = (Call, Application, Grant, PeriodicReport, PaymentRequest, PaymentOrder, PaymentBatch, StatementRun)
    statement = union_all(
        *(select(literal(model.__tablename__), model.id).where(model.reference == wanted) for model in carriers)
    )
    found = db.session.execute(statement).first()
    return (str(found[0]), found[1]) if found else None


# --- What a row is called -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Named:
    """What a thing is called on a page, and its page where this reader may open it (``endpoint`` empty where not).

    ``within`` are the ids of the grant, the application and the call it lies in.
    """

    kind: str
    id: UUID
    reference: str
    title: str
    endpoint: str = ""
    key: str = ""
    value: str = ""
    within: tuple[UUID, ...] = ()


def among(column: Any, ids: Collection[UUID]) -> ColumnElement[bool]:
    """The column is one of these ids, sent as one value: spelled out by the thousand they cost more than the search."""
    return column == any_(literal(sorted(ids), ARRAY(Uuid)))


@reader
def names(actor: Actor, ids: Collection[UUID], *, above: Iterable[tuple[str, UUID]] = ()) -> Asking[dict[UUID, Named]]:
    """What those of these ids are called that carry a name of their own, and the owners of the things ``above`` which they
    are; one statement."""
    owning = _owning(above)
    if not ids and owning is None:
        return {}
    wanted: Any = literal(sorted(ids), ARRAY(Uuid))
    if owning is not None:
        # Looked up in the same statement: whether anything on a page belongs to something else costs no step more.
        owner = list(owning.subquery("owning").c)[1].label("id")
        found_above = select(owner).cte("above")
        wanted = func.array_cat(
            wanted, type_coerce(func.array(select(found_above.c.id).scalar_subquery()), ARRAY(Uuid)), type_=ARRAY(Uuid)
        )
    found = {}
    for kind, row_id, reference, title, value, may, within in (yield from ask(union_all(*_named(actor, wanted)))):
        if kind == LedgerEntry.__tablename__:
            number, day = reference.split(" ")
            reference = value = entry_reference(int(number), date.fromisoformat(day))
        endpoint, key = _PAGES.get(kind, ("", ""))
        found[row_id] = Named(kind, row_id, reference, title, endpoint if may else "", key, value, tuple(within))
    return found


_PAGES: Mapping[str, tuple[str, str]] = {
    "application": ("applications.show", "ref"),
    "call": ("calls.show", "slug"),
    "city": ("cities.show", "slug"),
    "grant_agreement": ("agreements.show", "ref"),
    "ledger_entry": ("payments.entry", "ref"),
    "payment_batch": ("payments.batch", "ref"),
    "payment_order": ("payments.order", "ref"),
    "payment_request": ("payments.request_page", "ref"),
    "periodic_report": ("reporting.show", "ref"),
    "statement_run": ("documents.show", "ref"),
    "user_account": ("identity.user", "handle"),
}


def _within(model: Any, of_a_grant: bool) -> Any:
    """The ids of what a named row lies in, as an array; the grant is joined where it is ``of_a_grant``."""
    if of_a_grant:
        return array([Grant.id, Grant.application_id, Grant.call_id])
    if model is Grant:
        return array([Grant.application_id, Grant.call_id])
    return array([Application.call_id]) if model is Application else literal([], ARRAY(Uuid))


def _named(actor: Actor, wanted: Any) -> list[Select[Any]]:
    def rows(model: Any, reference: Any, title: Any, value: Any, may: Any, *joined: Any) -> Select[Any]:
        flag = literal(may) if isinstance(may, bool) else may
        within = _within(model, bool(joined))
        statement = select(
            literal(model.__tablename__), model.id, cast(reference, Text), title, cast(value, Text), flag, within
        )
        for target, condition in joined:
            statement = statement.join(target, condition)
        return statement.where(model.id == any_(wanted))

    none = literal("")
    open_calls: ColumnElement[bool] = Call.id.not_in(actor.barred("call"))
    if not actor.can(P.CALL_MANAGE):
        open_calls &= Call.state != CallState.DRAFT.value
    seen = applications.visible(actor) if actor.can(P.APPLICATION_READ) else false()
    entry = func.concat(LedgerEntry.number, " ", LedgerEntry.effective_on)
    return [
        rows(Call, Call.reference, Call.title, Call.slug, open_calls),
        rows(Application, Application.reference, Application.title, Application.reference, seen),
        rows(Grant, Grant.reference, Grant.title, Grant.reference, agreements.visible(actor)),
        rows(
            PeriodicReport, PeriodicReport.reference, none, PeriodicReport.reference,
            agreements.visible(actor, P.REPORT_READ), (Grant, Grant.id == PeriodicReport.grant_id),
        ),
        rows(
            PaymentRequest, PaymentRequest.reference, none, PaymentRequest.reference,
            agreements.visible(actor, P.PAYMENT_ORDER_READ), (Grant, Grant.id == PaymentRequest.grant_id),
        ),
        rows(
            PaymentOrder, PaymentOrder.reference, none, PaymentOrder.reference,
            agreements.visible(actor, P.PAYMENT_ORDER_READ), (Grant, Grant.id == PaymentOrder.grant_id),
        ),
        rows(
            PaymentBatch, PaymentBatch.reference, none, PaymentBatch.reference,
            actor.everywhere(P.PAYMENT_ORDER_READ) and not actor.barred_from(),
        ),
        rows(
            StatementRun, StatementRun.reference, StatementRun.scope_title, StatementRun.reference,
            actor.everywhere(P.STATEMENT_READ) and not actor.barred_from(),
        ),
        rows(LedgerEntry, entry, LedgerEntry.description, none, actor.everywhere(P.LEDGER_READ) and not actor.barred_from()),
        rows(User, User.name, none, User.handle, actor.can(P.USER_READ)),
        rows(Organisation, Organisation.name, none, none, False),
        rows(City, City.name, none, City.slug, actor.can(P.CITY_READ)),
        rows(Programme, Programme.code, Programme.name, none, False),
        rows(FundSource, FundSource.number, FundSource.acronym, none, False),
    ]  # fmt: skip


@reader
def owners(things: Iterable[tuple[str, UUID]]) -> Asking[dict[UUID, UUID]]:
    """For each thing without a name of its own, the id of the nearest thing that has one; one statement.

    What points to nothing (a list its owner shares with no call) is left out.
    """
    owning = _owning(things)
    if owning is None:
        return {}
    return {row_id: owner for row_id, owner in (yield from ask(owning)) if owner is not None}


def _owning(things: Iterable[tuple[str, UUID]]) -> CompoundSelect[Any] | None:
    """(id, id of the owner) of each thing without a name of its own; None where no thing can have an owner."""
    by_kind: dict[str, set[UUID]] = {}
    for kind, row_id in things:
        if kind in tables() and kind not in NAMED and "id" in tables()[kind].c:
            by_kind.setdefault(kind, set()).add(row_id)
    statements = [_owner(kind, ids) for kind, ids in sorted(by_kind.items())]
    found = [statement for statement in statements if statement is not None]
    return union_all(*found) if found else None


def _owner(kind: str, ids: Collection[UUID]) -> Select[Any] | None:
    """(id, id of the named row above), by the first foreign key that leads upwards, as often as it takes."""
    ways = _way_to_owner(kind)
    if not ways:
        return None
    rows = start = _with_removed(*ways[0])
    above: Any = start
    for table, way in ways[1:]:
        further = _with_removed(table, way)
        above = above.join(further, further.c.id == rows.c.above)
        rows = further
    owner: ColumnElement[Any] = rows.c.above
    if ways[-1][0].name in OWNED:
        through = select(Submission.application_id).where(Submission.id == owner).scalar_subquery()
        owner = func.coalesce(through, owner)
    return select(start.c.id, owner).select_from(above).where(among(start.c.id, ids))


@functools.cache
def _way_to_owner(kind: str) -> tuple[tuple[Table, str], ...]:
    """Each table on the way up with the column that leads on, to what has a name; empty where nothing leads there."""
    table, ways = tables()[kind], []
    while table.name not in OWNED:
        keys = [key for key in _foreign_keys(table) if key[1] != table.name]
        if not keys:
            return ()
        name, target = next((key for key in keys if key[1] not in _SIDEWAYS), keys[0])
        ways.append((table, name))
        if target in NAMED:
            return tuple(ways)
        table = tables()[target]
    return (*ways, (table, OWNED[table.name]))


def _with_removed(table: Table, way: str) -> Any:
    """(id, what ``way`` points to) of the rows of a table and of those that were removed from it."""
    removed = select(RemovedRow.row_id, RemovedRow.above_id).where(
        RemovedRow.table_name == table.name, RemovedRow.way == way
    )
    return union_all(select(table.c.id, table.c[way].label("above")), removed).subquery()
