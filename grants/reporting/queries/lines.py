"""Costs line by line: the list of a report, what it comes to beside what is declared, and costs that stand elsewhere too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Text, and_, func, literal, or_, select, type_coerce, union_all
from sqlalchemy import cast as as_type
from sqlalchemy.orm import aliased

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.core import files
from grants.core.db import db
from grants.core.errors import Problem
from grants.core.files import FileView
from grants.core.money import ZERO, Money
from grants.core.paging import Page, Rows, cut
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, reader, side_by_side
from grants.identity.models import Organisation, User
from grants.ledger.rules.proofs import Checked
from grants.reporting.models import CostLine, CostList, CostVerdict, PeriodicReport
from grants.reporting.rules.line_sums import RateUsed
from grants.reporting.rules.lines import CostLineInput, Same, Verdict, as_row
from grants.reporting.states import ReportState

EVIDENCE_FILES = "cost_evidence"
DOUBLES_SHOWN_MAX = 200
# Declared once: what is only being written counts nowhere else yet, and of what was rejected nothing is paid.
_DECLARED = (ReportState.SUBMITTED.value, ReportState.RETURNED.value, ReportState.ACCEPTED.value)

PROBLEMS_MAX = 100

_other = aliased(CostLine)
_elsewhere = aliased(PeriodicReport)


@dataclass(frozen=True, slots=True)
class LineView:
    """One line as pages show it."""

    number: int
    partner: str
    category: str
    day: date
    invoice: str
    supplier: str
    worker: str
    what: str
    currency: str
    amount: Money
    euros: Money
    is_correction: bool
    file_name: str

    @property
    def key(self) -> str:
        """Its place in the list."""
        return str(self.number)


@dataclass(frozen=True, slots=True)
class DoubleView:
    """A line of this report that is the same cost as one of another: by what, where, and what was decided of it.

    ``where`` names the other report for whoever may read it; of another grant that they may not read it says no more.
    """

    number: int
    same: Same
    where: str
    reference: str
    same_grant: bool
    partner: str
    euros: Money
    supplier: str
    invoice: str
    verdict: Verdict | None
    reason: str
    decided_by: str
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class LinesPage:
    """The lines of a report: a page of them, their sums by partner and category, the rates and the files."""

    lines: Rows[LineView]
    sums: Mapping[tuple[UUID, str], Money]
    total: Money
    count: int
    without_file: int
    rates: tuple[RateUsed, ...]
    files: tuple[FileView, ...]
    doubles: tuple[DoubleView, ...]

    @property
    def undecided(self) -> int:
        """How many lines that stand elsewhere too wait for a decision."""
        return len({each.number for each in self.doubles if each.verdict is None})


@reader
def lines_page(actor: Actor, report_id: UUID, asked: Page, *, staff: bool) -> Asking[LinesPage]:
    """What a report declares line by line; who may read the report was decided by the caller. Two statements.

    To the city (``staff`` is false) a line that stands in another grant is never told: only one of its own grant is.
    """
    about: list[Asking[Any]] = [
        _lines(report_id, asked),
        _sums(report_id),
        ask(select(CostList.total, CostList.rates).where(CostList.report_id == report_id)),
        files.listed.asking(EVIDENCE_FILES, report_id),
        doubles.asking(actor, report_id, staff=staff),
    ]
    rows, (sums, count, without), lists, evidence, found = yield from side_by_side(about)
    return LinesPage(
        lines=cut(rows, asked, key=lambda line: line.key, total=count),
        sums=sums,
        total=lists[0].total if lists else ZERO,
        count=count,
        without_file=without,
        rates=rates_kept(lists[0].rates) if lists else (),
        files=evidence,
        doubles=found,
    )


def _lines(report_id: UUID, asked: Page) -> Asking[list[LineView]]:
    statement = _of_report(report_id)
    if (after := asked.after or "").isdecimal() and len(after) < 8:
        statement = statement.where(CostLine.number > int(after))
    rows = yield from ask(statement.order_by(CostLine.number).limit(asked.limit))
    return [_view(row) for row in rows]


def _of_report(report_id: UUID) -> Any:
    return (
        select(
            *(CostLine.number, Organisation.name.label("partner"), CostLine.category, CostLine.day, CostLine.invoice),
            *(CostLine.supplier, CostLine.worker, CostLine.what, CostLine.currency, CostLine.cents, CostLine.euros),
            *(CostLine.is_correction, CostLine.file_name, CostLine.file_sha256, CostLine.organisation_id),
        )
        .join(Organisation, Organisation.id == CostLine.organisation_id)
        .where(CostLine.report_id == report_id)
    )


def _view(row: Any) -> LineView:
    return LineView(
        row.number, row.partner, row.category, row.day, row.invoice, row.supplier, row.worker, row.what, row.currency,
        Money(row.cents), row.euros, row.is_correction, row.file_name,
    )  # fmt: skip


def _sums(report_id: UUID) -> Asking[tuple[dict[tuple[UUID, str], Money], int, int]]:
    """What the lines come to by partner and category; how many there are, and how many of them name no file."""
    rows = yield from ask(
        select(
            CostLine.organisation_id,
            CostLine.category,
            func.sum(_plain(CostLine.euros)).label("cents"),
            func.count().label("number"),
            func.count().filter(CostLine.file_sha256.is_(None)).label("without"),
        )
        .where(CostLine.report_id == report_id)
        .group_by(CostLine.organisation_id, CostLine.category)
        .order_by(CostLine.organisation_id, CostLine.category)
    )
    sums = {(row.organisation_id, row.category): Money(int(row.cents)) for row in rows}
    return sums, sum(row.number for row in rows), sum(row.without for row in rows)


def _plain(amount: Any) -> Any:
    return type_coerce(amount, BigInteger)


@reader
def sums_of(report_id: UUID) -> Asking[tuple[dict[tuple[UUID, str], Money], int, int]]:
    """The same of one report, for acts."""
    return (yield from _sums(report_id))


def rates_kept(stored: Sequence[Mapping[str, Any]]) -> tuple[RateUsed, ...]:
    """The rates of a list as they were kept with it."""
    return tuple(
        RateUsed(
            each["currency"], each["kind"], date.fromisoformat(each["first"]), date.fromisoformat(each["last"]),
            int(each["numerator"]), int(each["denominator"]), int(each["days"]),
        )
        for each in stored
    )  # fmt: skip


def all_rows(report_id: UUID) -> list[tuple[str, ...]]:
    """Every line as it is typed, in order: the list to be changed."""
    return [
        as_row(
            CostLineInput(
                row.number, row.organisation_id, row.category, row.day, row.invoice, row.supplier, row.worker, row.what,
                row.currency, Money(row.cents), row.is_correction, row.file_name, row.file_sha256,
            ),
            row.partner,
        )
        for row in db.session.execute(_of_report(report_id).order_by(CostLine.number))
    ]  # fmt: skip


def every_line(report_id: UUID) -> list[LineView]:
    """Every line with its amount in euros, for a file."""
    return [_view(row) for row in db.session.execute(_of_report(report_id).order_by(CostLine.number))]


# --- the same cost twice ------------------------------------------------------------------------------------------


def _same(kind: Same) -> ColumnElement[bool]:
    """When two lines are the same cost, by one of the three."""
    match kind:
        case Same.FILE:
            return _other.file_sha256 == CostLine.file_sha256
        case Same.INVOICE:
            return and_(
                _other.invoice_key == CostLine.invoice_key,
                _other.supplier_key == CostLine.supplier_key,
                CostLine.invoice_key != "",
                _other.invoice_key != "",
            )
        case Same.WORK:
            return and_(
                _other.worker_key == CostLine.worker_key,
                _other.day == CostLine.day,
                CostLine.worker_key != "",
                _other.worker_key != "",
            )


def _pairs(report_id: UUID) -> Any:
    """Lines of a report that are the same cost as one of another report that was declared, or of another partner in this
    one, and was not cut there.
    """
    of_report = CostLine.report_id == report_id
    elsewhere = [
        _twice(kind, _same(kind))
        .join(_elsewhere, _elsewhere.id == _other.report_id)
        .where(of_report, _other.report_id != report_id, _elsewhere.state.in_(_DECLARED))
        for kind in Same
    ]
    # Three thousand lines are compared with each other only where partners share a key at all.
    within = [
        _twice(kind, _same(kind)).where(
            of_report,
            CostLine.id.in_(_shared(kind, report_id)),
            _other.report_id == report_id,
            _other.organisation_id != CostLine.organisation_id,
        )
        for kind in Same
    ]
    return union_all(*elsewhere, *within)


def _twice(kind: Same, same: ColumnElement[bool]) -> Any:
    return (
        select(CostLine.id.label("line_id"), _other.id.label("other_id"), literal(kind.value).label("same"))
        .join(_other, same)
        .where(~_cut(_other))
    )


def _shared(kind: Same, report_id: UUID) -> Any:
    """The lines of a report whose file, invoice or day of work several of its partners name, in one pass over the lines."""
    line = aliased(CostLine)
    keys: dict[Same, tuple[Any, ...]] = {
        Same.FILE: (line.file_sha256,),
        Same.INVOICE: (line.supplier_key, line.invoice_key),
        Same.WORK: (line.worker_key, line.day),
    }
    named = line.file_sha256.is_not(None) if kind is Same.FILE else keys[kind][0 if kind is Same.WORK else 1] != ""
    whose = as_type(line.organisation_id, Text)
    apart = func.min(whose).over(partition_by=keys[kind]) != func.max(whose).over(partition_by=keys[kind])
    marked = select(line.id, apart.label("apart")).where(line.report_id == report_id, named).subquery()
    return select(marked.c.id).where(marked.c.apart)


def _newest(line: Any, column: Any) -> Any:
    """What was decided last of a line that says what this one says."""
    return (
        select(column)
        .select_from(CostVerdict)
        .join(User, User.id == CostVerdict.decided_by)
        .where(CostVerdict.report_id == line.report_id, CostVerdict.fingerprint == line.fingerprint)
        .correlate(line)
        .order_by(CostVerdict.number.desc())
        .limit(1)
        .scalar_subquery()
    )


def _cut(line: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = func.coalesce(_newest(line, CostVerdict.verdict), "") == Verdict.CUT.value
    return found


@reader
def doubles(actor: Actor, report_id: UUID, *, staff: bool) -> Asking[tuple[DoubleView, ...]]:
    """Lines of this report that stand in another one too, or that another partner declares in it, in the order of the lines.

    Told to staff whatever the grant, by its reference only where they may read it; to the city those of its own grant.
    """
    found = _pairs(report_id).subquery()
    mine, other, partner, whose = aliased(CostLine), aliased(CostLine), aliased(Organisation), aliased(Organisation)
    report, its_grant, own = aliased(PeriodicReport), aliased(Grant), aliased(PeriodicReport)
    readable = select(Grant.id).where(agreements.visible(actor, Permission.REPORT_READ))
    statement = (
        select(
            *(mine.number, found.c.same, mine.euros, mine.supplier, mine.invoice, partner.name.label("partner")),
            *(report.reference, other.number.label("other_number"), its_grant.reference.label("grant_reference")),
            *((report.grant_id == own.grant_id).label("same_grant"), (report.id == own.id).label("same_report")),
            whose.name.label("whose"),
            its_grant.id.in_(readable).label("may_read"),
            *(_newest(mine, CostVerdict.verdict).label("verdict"), _newest(mine, CostVerdict.reason).label("reason")),
            *(_newest(mine, User.name).label("decided_by"), _newest(mine, CostVerdict.decided_at).label("decided_at")),
        )
        .select_from(found)
        .join(mine, mine.id == found.c.line_id)
        .join(other, other.id == found.c.other_id)
        .join(own, own.id == mine.report_id)
        .join(report, report.id == other.report_id)
        .join(its_grant, its_grant.id == report.grant_id)
        .join(partner, partner.id == mine.organisation_id)
        .join(whose, whose.id == other.organisation_id)
        .order_by(mine.number, found.c.same, report.reference, other.number)
        .limit(DOUBLES_SHOWN_MAX)
    )
    if not staff:
        statement = statement.where(report.grant_id == own.grant_id)
    return tuple(_double(row) for row in (yield from ask(statement)))


def _double(row: Any) -> DoubleView:
    where = "another grant that you may not read"
    if row.same_report:
        where = f"line {row.other_number} of this report, of {row.whose}"
    elif row.may_read:
        where = f"line {row.other_number} of report {row.reference}"
        where += "" if row.same_grant else f" of grant {row.grant_reference}"
    return DoubleView(
        number=row.number,
        same=Same(row.same),
        where=where,
        reference=row.reference if row.may_read else "",
        same_grant=row.same_grant,
        partner=row.partner,
        euros=row.euros,
        supplier=row.supplier,
        invoice=row.invoice,
        verdict=Verdict(row.verdict) if row.verdict else None,
        reason=row.reason or "",
        decided_by=row.decided_by or "",
        decided_at=row.decided_at,
    )


def undecided(report_id: UUID) -> int:
    """How many lines of a report stand elsewhere too and wait for a decision, whoever may read what."""
    found = _pairs(report_id).subquery()
    statement = (
        select(func.count(CostLine.id.distinct()))
        .join(found, found.c.line_id == CostLine.id)
        .where(_newest(CostLine, CostVerdict.verdict).is_(None))
    )
    return int(db.session.scalar(statement) or 0)


def cut_sums(report_id: UUID) -> dict[tuple[UUID, str], Money]:
    """What lines that are not accepted here come to by partner and category."""
    rows = db.session.execute(
        select(CostLine.organisation_id, CostLine.category, func.sum(_plain(CostLine.euros)))
        .where(CostLine.report_id == report_id, _cut(CostLine))
        .group_by(CostLine.organisation_id, CostLine.category)
    )
    return {(organisation_id, category): Money(int(cents)) for organisation_id, category, cents in rows}


def numbers_outside(report: PeriodicReport) -> Sequence[int]:
    """The numbers of the lines of a report whose day lies outside its period as it stands now."""
    outside = or_(CostLine.day < report.starts_on, CostLine.day >= report.ends_before)
    return db.session.scalars(
        select(CostLine.number).where(CostLine.report_id == report.id, outside).order_by(CostLine.number)
    ).all()


def line_numbered(report_id: UUID, number: int) -> CostLine | None:
    """One line of a report, for an act."""
    return db.session.scalars(
        select(CostLine).where(CostLine.report_id == report_id, CostLine.number == number)
    ).one_or_none()


# --- I20 ------------------------------------------------------------------------------------------------------------


def accepted_twice() -> Checked:
    """I20: no file, no invoice of a supplier and no day of work is accepted twice without a recorded override.

    Of each cost that stands in several accepted reports, or of several partners in one, all but one place carry an override;
    lines that were cut are not accepted. One statement for each of the three.
    """
    accepted = (
        select(
            CostLine.id, func.concat(CostLine.report_id, CostLine.organisation_id).label("place"), PeriodicReport.reference, CostLine.number, CostLine.file_sha256,
            CostLine.supplier_key, CostLine.invoice_key, CostLine.worker_key, CostLine.day,
            (func.coalesce(_newest(CostLine, CostVerdict.verdict), "") == Verdict.OVERRIDE.value).label("overridden"),
        )
        .join(PeriodicReport, PeriodicReport.id == CostLine.report_id)
        .where(PeriodicReport.state == ReportState.ACCEPTED.value, ~_cut(CostLine))
        .cte("accepted")
    )  # fmt: skip
    keys = {
        Same.FILE: ((accepted.c.file_sha256,), accepted.c.file_sha256.is_not(None)),
        Same.INVOICE: ((accepted.c.supplier_key, accepted.c.invoice_key), accepted.c.invoice_key != ""),
        Same.WORK: ((accepted.c.worker_key, accepted.c.day), accepted.c.worker_key != ""),
    }
    problems: list[Problem] = []
    for kind, (columns, named) in keys.items():
        plain = accepted.c.place.distinct()
        statement = (
            select(func.array_agg(func.concat(accepted.c.reference, " line ", accepted.c.number)))
            .where(named)
            .group_by(*columns)
            .having(func.count(plain) > 1, func.count(plain).filter(~accepted.c.overridden) > 1)
            .order_by(func.min(accepted.c.reference))
            .limit(PROBLEMS_MAX)
        )
        problems += [
            Problem(
                ", ".join(sorted(places)[:4]), f"I20: accepted more than once by {kind.words}, without an override."
            )
            for (places,) in db.session.execute(statement)
        ]
    number = db.session.scalar(select(func.count()).select_from(accepted)) or 0
    return Checked(
        *("I20", "No file, invoice or day of work is accepted twice without an override.", int(number)),
        *("lines of costs", tuple(problems)),
    )
