"""Acts on costs line by line: the list of a report is kept whole, its evidence uploaded, and what stands twice decided on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select

from grants.agreements import queries as agreements
from grants.budgets import queries as budgets
from grants.calls.states import EvidenceLevel
from grants.core import acts, clock, faults, files
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Conflict, Invalid, NotFound, Problem, Problems, Refused
from grants.core.files import FileView, Incoming
from grants.core.money import ZERO, Money, total
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.rates import queries as rates
from grants.rates.rules import ConversionAsked, convert
from grants.rates.states import RateKind
from grants.reporting import queries
from grants.reporting.models import CostLine, CostList, CostVerdict, PeriodicReport
from grants.reporting.queries import lines as reads
from grants.reporting.queries import scope_of
from grants.reporting.queries.lines import EVIDENCE_FILES
from grants.reporting.rules import Judged
from grants.reporting.rules.line_sums import RateUsed, currencies_of
from grants.reporting.rules.lines import (
    EURO,
    CostLineInput,
    LinesAsked,
    Mistake,
    ReadLines,
    Verdict,
    own_partners,
    read_lines,
    renumbered,
    worker_key,
)
from grants.reporting.services.apart import refuse_own
from grants.reporting.states import ReportState

FILES_MAX = 1_000
# Which rates are tried, in order: daily ones, and where a currency has none the monthly ones (AGA art. 21.3).
_KINDS = (RateKind.ECB_DAILY, RateKind.INFOREURO)
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Trial:
    """What typed rows would come to, before anything is kept: mistakes by row, sums in euros, rates."""

    read: ReadLines
    euros: tuple[Money, ...]
    rates: tuple[RateUsed, ...]

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """What keeps the rows from being kept."""
        return self.read.mistakes

    @property
    def total(self) -> Money:
        """What they come to."""
        return total(self.euros)

    @property
    def sums(self) -> dict[tuple[UUID, str], Money]:
        """By partner and category."""
        found: dict[tuple[UUID, str], Money] = {}
        for line, euros in zip(self.read.lines, self.euros, strict=True):
            place = (line.organisation_id, line.category)
            found[place] = found.get(place, ZERO) + euros
        return found


def try_lines(actor: Actor, report_id: UUID, rows: Sequence[Sequence[object]]) -> Trial:
    """Look at typed rows and keep nothing: the dry run of :func:`keep_lines`, which says the same."""
    report = get(PeriodicReport, report_id)
    found = read_lines(rows, _asked(actor, report))
    if found.mistakes:
        return Trial(replace(found, lines=()), (), ())
    used, missing = _rates(report, currencies_of(found.lines))
    if missing:
        wrong = tuple(
            Mistake(line.number, "currency", missing[line.currency]) for line in found.lines if line.currency in missing
        )
        return Trial(ReadLines((), wrong), (), ())
    return Trial(found, tuple(_in_euros(line, used) for line in found.lines), tuple(used.values()))


def _asked(actor: Actor, report: PeriodicReport) -> LinesAsked:
    own = queries.own_rows(actor, report.grant_id)
    bonds = agreements.bonds(report.grant_id)
    evidence = files.listed(EVIDENCE_FILES, report.id)
    return LinesAsked(
        partners=own_partners(queries.names(report.grant_id), own),
        rules=budgets.written(report.budget_id).rules,
        starts_on=report.starts_on,
        ends_before=report.ends_before,
        files={each.name: each.sha256 for each in evidence},
        barred={who: words for who, bond in bonds.items() if (words := bond.costs_problem(report.starts_on))},
        parts_end_before={who: bond.ends_before for who, bond in bonds.items() if bond.ends_before is not None},
    )


def _rates(report: PeriodicReport, currencies: Iterable[str]) -> tuple[dict[str, RateUsed], dict[str, str]]:
    """The average rate of each currency over the period of the report, or why there is none."""
    used: dict[str, RateUsed] = {}
    missing: dict[str, str] = {}
    last = clock.add_days(report.ends_before, -1)
    for currency in currencies:
        for kind in _KINDS:
            asked = ConversionAsked(_ONE, currency, kind, report.starts_on, last)
            known = rates.rates_of(kind, currency, report.starts_on.replace(day=1), last)
            if not known:
                continue
            try:
                made = convert(asked, known)
            except Refused as error:
                missing[currency] = f"{error} Ask your officer, who has the tables of rates brought in."
                continue
            average = made.average
            used[currency] = RateUsed(
                *(currency, kind.value, report.starts_on, last),
                *(average.numerator, average.denominator, len(made.rates)),
            )
            missing.pop(currency, None)
            break
        else:
            missing.setdefault(
                currency,
                f"No rate of {currency} is known for the period of this report. Ask your officer, who has the tables of rates"
                " brought in; or declare in euros by the rate of your own accounts.",
            )
    return used, missing


def _in_euros(line: CostLineInput, used: Mapping[str, RateUsed]) -> Money:
    return line.amount if line.currency == EURO else used[line.currency].euros(line.amount)


@act(
    "report.keep_lines",
    needs=Permission.REPORT_EDIT,
    scope=scope_of,
    says="entered costs line by line in report {subject}",
)
def keep_lines(actor: Actor, report_id: UUID, rows: Sequence[Sequence[object]], *, shown: str | None = None) -> int:
    """Keep these rows as the lines of the partners this person declares for; those of other partners stay. How many there are.

    ``shown`` is the hash of the list the rows were made from: what somebody saved since is not overwritten unseen.
    Raises :class:`Problems` with every mistake, by row.
    """
    report = _in_hand(report_id)
    if shown is not None and shown != (queries.list_hash(report_id) or ""):
        raise Conflict(
            "Somebody saved lines of this report after you opened the page. Your rows stand below; look at theirs first."
        )
    trial = try_lines(actor, report_id, rows)
    if trial.mistakes:
        raise Problems(
            "Nothing was saved.", tuple(Problem(f"row {each.row}", each.sentence) for each in trial.mistakes)
        )
    own = queries.own_rows(actor, report.grant_id)
    standing = db.session.scalars(
        select(CostLine).where(CostLine.report_id == report_id).order_by(CostLine.number).with_for_update()
    ).all()
    others = [row for row in standing if row.organisation_id not in own]
    for row in standing:
        if row.organisation_id in own:
            db.session.delete(row)
    # Their numbers are free before they are given again.
    db.session.flush()
    _number_again(others)
    first = len(others)
    made = [
        _row(report_id, line, euros, first)
        for line, euros in zip(renumbered(trial.read.lines), trial.euros, strict=True)
    ]
    db.session.add_all(made)
    _sum_up(report, [*others, *made], trial.rates, actor)
    return len(made)


def _number_again(rows: Sequence[CostLine]) -> None:
    for number, row in enumerate(rows, 1):
        if row.number != number:
            row.number = number
    db.session.flush()


def _row(report_id: UUID, line: CostLineInput, euros: Money, first: int) -> CostLine:
    return CostLine(
        report_id=report_id,
        number=first + line.number,
        organisation_id=line.organisation_id,
        category=line.category,
        day=line.day,
        invoice=line.invoice,
        invoice_key=line.invoice_key,
        supplier=line.supplier,
        supplier_key=line.supplier_key,
        worker=line.worker,
        worker_key=worker_key(line.worker),
        what=line.what,
        currency=line.currency,
        cents=line.amount.cents,
        euros=euros,
        is_correction=line.is_correction,
        file_name=line.file_name,
        file_sha256=line.file_sha256,
        fingerprint=line.fingerprint,
    )


def _sum_up(report: PeriodicReport, rows: Sequence[CostLine], used: Sequence[RateUsed], actor: Actor) -> None:
    """The list's own row: how many, what they come to, their hash, and the rates of every currency in it."""
    kept = db.session.scalars(select(CostList).where(CostList.report_id == report.id)).one_or_none()
    before = {each.currency: each for each in reads.rates_kept(kept.rates)} if kept else {}
    wanted = {row.currency for row in rows} - {EURO}
    found = before | {each.currency: each for each in used}
    if kept is None:
        kept = CostList(report_id=report.id)
        db.session.add(kept)
    kept.lines, kept.total = len(rows), total(row.euros for row in rows)
    kept.sha256 = hashlib.sha256("\n".join(f"{row.fingerprint} {row.euros.cents}" for row in rows).encode()).hexdigest()
    kept.rates = [_plain(found[currency]) for currency in sorted(wanted)]
    assert actor.user_id is not None, "a person enters costs"
    kept.saved_by, kept.saved_at = actor.user_id, acts.moment()


def _plain(rate: RateUsed) -> dict[str, object]:
    return {
        "currency": rate.currency, "kind": rate.kind, "first": rate.first.isoformat(), "last": rate.last.isoformat(),
        "numerator": str(rate.numerator), "denominator": str(rate.denominator), "days": rate.days,
    }  # fmt: skip


def _in_hand(report_id: UUID) -> PeriodicReport:
    report = locked(PeriodicReport, report_id)
    if report.evidence == EvidenceLevel.TOTALS.value:
        raise Refused("This call asks for totals by category, and for no lines.")
    if report.state not in {ReportState.DRAFT.value, ReportState.RETURNED.value}:
        raise Refused("This report is not with the city any more, so its costs no longer change.")
    return report


@act(
    "report.add_evidence",
    needs=Permission.REPORT_EDIT,
    scope=scope_of,
    says="uploaded evidence of costs in report {subject}",
)
def add_evidence(actor: Actor, report_id: UUID, incoming: Incoming) -> FileView:
    """Keep a file that lines can name. A file of the same name becomes its next version, and lines that name it follow."""
    report = _in_hand(report_id)
    standing = files.listed(EVIDENCE_FILES, report_id)
    _refuse_name_of_others(actor, report, [each for each in standing if each.name == incoming.name])
    if len(standing) >= FILES_MAX and incoming.name not in {each.name for each in standing}:
        raise Refused(f"A report has at most {FILES_MAX} files of evidence. Put several invoices into one PDF.")
    kept = files.keep(incoming, kind=EVIDENCE_FILES, object_id=report_id, role="evidence")
    rows = db.session.scalars(
        select(CostLine).where(CostLine.report_id == report_id).order_by(CostLine.number).with_for_update()
    ).all()
    naming = [row for row in rows if row.file_name == kept.name and row.file_sha256 != kept.sha256]
    for row in naming:
        row.file_sha256 = kept.sha256
        row.fingerprint = _fingerprint(row)
    if naming:
        _sum_up(report, rows, (), actor)
    return kept


def _refuse_name_of_others(actor: Actor, report: PeriodicReport, standing: Sequence[FileView]) -> None:
    """A file replaces only what this person may declare with, or uploaded; whoever declares for all replaces every one."""
    partners = queries.names(report.grant_id)
    own = queries.own_rows(actor, report.grant_id)
    if not standing or own >= set(partners):
        return
    naming = set(
        db.session.scalars(
            select(CostLine.organisation_id).where(
                CostLine.report_id == report.id, CostLine.file_name == standing[0].name
            )
        )
    )
    others = sorted(partners.get(each, "another partner") for each in naming - own)
    if naming and not others:
        return
    if not naming and standing[0].created_by == actor.user_id:
        return
    whose = f"costs of {', '.join(others)} rest on it" if others else "another person uploaded it"
    raise Refused(
        f"There is a file {standing[0].name} in this report already, and {whose}. Give yours another name, with the name of "
        "your organisation in it for example, and upload it again."
    )


def _fingerprint(row: CostLine) -> str:
    return CostLineInput(
        row.number, row.organisation_id, row.category, row.day, row.invoice, row.supplier, row.worker, row.what,
        row.currency, Money(row.cents), row.is_correction, row.file_name, row.file_sha256,
    ).fingerprint  # fmt: skip


@act(
    "report.open_evidence",
    needs=Permission.REPORT_READ,
    scope=scope_of,
    says="opened evidence of costs in report {subject}",
)
def open_evidence(actor: Actor, report_id: UUID, sha256: str) -> FileView:
    """Hand out a file of evidence by the first of its hash; who took it is kept."""
    del actor
    found = [each for each in files.listed(EVIDENCE_FILES, report_id) if each.sha256.startswith(sha256)]
    if len(sha256) < 16 or not found:
        raise NotFound
    acts.subject("periodic_report", report_id)
    acts.reason(found[0].name)
    return found[0]


@act(
    "report.judge_line",
    needs=Permission.REPORT_ACCEPT,
    scope=scope_of,
    says="decided on a cost of report {subject} that stands elsewhere too",
)
def judge_line(
    actor: Actor, report_id: UUID, number: int, verdict: Verdict, *, reason: str, version: int | None = None
) -> None:
    """Decide that a line which stands elsewhere too is paid once only, or that it is not accepted here; with the reason."""
    report = locked(PeriodicReport, report_id)
    check_version(report, version)
    refuse_own(actor, report.grant_id, report.submitted_by)
    if report.state != ReportState.SUBMITTED.value:
        raise Refused("Costs are decided on while the report is with the programme.")
    line = reads.line_numbered(report_id, number)
    if line is None or all(each.number != number for each in reads.doubles(actor, report_id, staff=True)):
        raise NotFound
    words = clean_text(reason)
    if not words:
        raise Invalid("The reason is missing.", {"reason": "Say how you know; it stands beside the line for good."})
    last = db.session.scalar(
        select(func.max(CostVerdict.number)).where(
            CostVerdict.report_id == report_id, CostVerdict.fingerprint == line.fingerprint
        )
    )
    db.session.add(
        CostVerdict(
            report_id=report_id,
            fingerprint=line.fingerprint,
            number=(last or 0) + 1,
            verdict=verdict.value,
            reason=words,
            decided_by=actor.user_id,
            decided_at=acts.moment(),
        )
    )
    acts.reason(f"Line {number}: {verdict.words}. {words}")


def acceptance_problems(report: PeriodicReport, judged: Sequence[Judged]) -> list[Problem]:
    """Plain helper of the acceptance: what stands elsewhere too is decided on first, and what was cut is not accepted."""
    faults.point("double_funding")
    if report.evidence == EvidenceLevel.TOTALS.value:
        return []
    found = []
    if waiting := reads.undecided(report.id):
        found.append(
            Problem(
                "lines",
                f"{waiting} {'line is' if waiting == 1 else 'lines are'} declared elsewhere too. Decide on each of them"
                " on the page of the lines first.",
            )
        )
    cut = reads.cut_sums(report.id)
    for each in judged:
        most = each.declared - max(cut.get((each.organisation_id, each.category), ZERO), ZERO)
        if each.accepted > max(most, ZERO):
            found.append(
                Problem(
                    f"accepted-{each.organisation_id}-{each.category}",
                    f"lines that you did not accept come to {each.declared - most}. Accept at most {max(most, ZERO)}.",
                )
            )
    return found


def submission_problems(report: PeriodicReport) -> list[Problem]:
    """Plain helper of the sending: lines or files that the call asks for and that are missing, lines of another period."""
    if report.evidence == EvidenceLevel.TOTALS.value:
        return []
    _, count, without = reads.sums_of(report.id)
    if not count:
        return [
            Problem("lines", "this call asks for every cost as a line. Enter them, or import them from a spreadsheet.")
        ]
    found = _of_another_period(report)
    if report.evidence == EvidenceLevel.FILES.value and without:
        words = "line names" if without == 1 else "lines name"
        found.append(Problem("lines", f"{without} {words} no file, and this call asks for the file of each."))
    return found


def _of_another_period(report: PeriodicReport) -> list[Problem]:
    """A period that a termination or an amendment moved leaves days outside it, and averages of rates that are not its own."""
    last = clock.add_days(report.ends_before, -1)
    found = []
    if outside := reads.numbers_outside(report):
        lines = (
            f"line {outside[0]} lies"
            if len(outside) == 1
            else f"{len(outside)} lines, the first of them {outside[0]}, lie"
        )
        found.append(
            Problem(
                "lines",
                f"{lines} outside the period of this report, {clock.long_date(report.starts_on)} to {clock.long_date(last)}. "
                "Take them out of the list, lower what is declared by them, and send the report then.",
            )
        )
    kept = db.session.scalars(select(CostList).where(CostList.report_id == report.id)).one()
    moved = [
        each.currency for each in reads.rates_kept(kept.rates) if (each.first, each.last) != (report.starts_on, last)
    ]
    if moved:
        found.append(
            Problem(
                "lines",
                f"amounts in {', '.join(moved)} were converted by the rates of another period. Open the list and save it again: "
                "the rates of this period are taken then.",
            )
        )
    return found
