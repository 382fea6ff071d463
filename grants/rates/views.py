"""Pages of rates: what counts, the files it came from, and two calculations that show every number that goes in."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, request
from werkzeug.datastructures import FileStorage

from grants.core import clock, files
from grants.core.errors import Invalid
from grants.core.file_types import FileType
from grants.core.permissions import Permission
from grants.rates import queries, rules, services
from grants.rates.forms import AcceptForm, ConvertForm, DiscardForm, InterestForm, TableForm
from grants.rates.rules import KIND_WORDS, UNIT_WORDS, Conversion, Interest
from grants.rates.states import RateKind
from grants.web import downloads, paging
from grants.web.forms import choices
from grants.web.routing import current_actor, page, requires, see_other

bp = Blueprint("rates", __name__, url_prefix="/finance/rates")

READS = (Permission.LEDGER_READ,)
FILE_BYTES_MAX = 8_000_000
KINDS = "<any(ecb_daily, inforeuro, reference):kind>"


@bp.get("")
@requires(*READS)
def index() -> Any:
    """What counts of each kind, and until when."""
    return page(
        "rates/index.html",
        kinds=[(kind, KIND_WORDS[kind], UNIT_WORDS[kind], queries.latest(kind)) for kind in RateKind],
    )


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.RATE_TABLE_IMPORT)
def bring_in() -> Any:
    form = TableForm()
    if request.method == "GET":
        form = TableForm(formdata=None, data={"kind": request.args.get("kind")})
    if form.validate_on_submit():
        with form.refusals():
            kind = RateKind(form.kind.data)
            incoming = _received(form.file.data)
            table_id = services.bring_in(
                current_actor(), kind, incoming, source=form.source.data or "", month=form.month.data
            )
            return see_other(".table", kind=kind.value, number=queries.number_of(table_id))
    return page("rates/new.html", form=form), 422 if request.method == "POST" else 200


def _received(upload: FileStorage | None) -> files.Incoming:
    try:
        if not upload or not upload.filename:
            raise Invalid("Choose the file as it was published, as CSV.")
        return files.receive(upload, allowed={FileType.CSV}, bytes_max=FILE_BYTES_MAX)
    except Invalid as error:
        raise Invalid(str(error), {"file": str(error)}) from error


@bp.get(f"/{KINDS}")
@requires(*READS)
def kind_page(kind: str) -> Any:
    """The rates of one currency, the latest two months of them, and the files of the kind."""
    of = RateKind(kind)
    known = queries.currencies(of)
    asked = request.args.get("currency", "").strip().upper()[:3]
    currency = asked if asked in known else (known[0] if known else "")
    rates = queries.rate_views(of, currency) if currency else ()
    return page(
        "rates/kind.html",
        kind=of,
        words=KIND_WORDS[of],
        unit=UNIT_WORDS[of],
        currencies=known,
        currency=currency,
        unknown=asked if asked and asked != currency else "",
        rates=tuple(reversed(rates[-queries.SHOWN_MAX :])),
        older=max(0, len(rates) - queries.SHOWN_MAX),
        tables=queries.tables(of, paging.asked()),
    )


@bp.get(f"/{KINDS}/<int(max=2147483647):number>")
@requires(*READS)
def table(kind: str, number: int) -> Any:
    return _table(kind, number)


def _table(kind: str, number: int, accepting: AcceptForm | None = None, discarding: DiscardForm | None = None) -> Any:
    found = queries.table(RateKind(kind), number)
    shown = {"version": found.version}
    status = 422 if accepting or discarding else 200
    return page(
        "rates/table.html",
        table=found,
        accepting=accepting or AcceptForm(formdata=None, data=shown),
        discarding=discarding or DiscardForm(formdata=None, data=shown),
    ), status


@bp.get(f"/{KINDS}/<int(max=2147483647):number>/file.csv")
@requires(*READS)
def file(kind: str, number: int) -> Any:
    """The file as it was published."""
    return downloads.send(queries.file_of(queries.table(RateKind(kind), number).id))


@bp.post(f"/{KINDS}/<int(max=2147483647):number>/accept")
@requires(Permission.RATE_TABLE_IMPORT)
def accept(kind: str, number: int) -> Any:
    found, form = queries.table(RateKind(kind), number), AcceptForm()
    if form.validate_on_submit():
        with form.attempt():
            services.accept(current_actor(), found.id, words=form.words.data or "", version=form.version_shown())
            flash(f"{found.title}: its rates count from now on.", "success")
            return see_other(".table", kind=kind, number=number)
    return _table(kind, number, accepting=form)


@bp.post(f"/{KINDS}/<int(max=2147483647):number>/discard")
@requires(Permission.RATE_TABLE_IMPORT)
def discard(kind: str, number: int) -> Any:
    found, form = queries.table(RateKind(kind), number), DiscardForm()
    if form.validate_on_submit():
        with form.attempt():
            services.discard(current_actor(), found.id, words=form.words.data or "", version=form.version_shown())
            flash(f"{found.title} is left aside.", "success")
            return see_other(".table", kind=kind, number=number)
    return _table(kind, number, discarding=form)


@bp.get("/convert")
@requires(*READS)
def convert() -> Any:
    """An amount at the average of a period, with the rates it was made of."""
    form = ConvertForm(request.args) if request.args else ConvertForm(formdata=None)
    known = {kind: queries.currencies(kind) for kind in (RateKind.ECB_DAILY, RateKind.INFOREURO)}
    form.currency.choices = choices(
        [(each, each) for each in sorted({*known[RateKind.ECB_DAILY], *known[RateKind.INFOREURO]})]
    )
    found: Conversion | None = None
    if request.args and form.validate():
        with form.refusals():
            asked = form.to_input()
            rates = queries.rates_of(asked.kind, asked.currency, asked.first.replace(day=1), asked.last)
            found = rules.convert(asked, rates)
    return page("rates/convert.html", form=form, found=found, words=KIND_WORDS), _status(form, found)


@bp.get("/interest")
@requires(*READS)
def interest() -> Any:
    """Interest on an amount paid late, with the rate that held and the days that count."""
    form = InterestForm(request.args) if request.args else InterestForm(formdata=None)
    found: Interest | None = None
    if request.args and form.validate():
        with form.refusals():
            asked = form.to_input()
            held = rules.held_on(queries.rates_of(RateKind.REFERENCE, rules.EURO, last=asked.due_on), asked.due_on)
            if held is None:
                first = clock.long_date(asked.due_on.replace(day=1))
                raise Invalid(f"No reference rate that held on {first} is known. Bring in a table that has it.")
            found = rules.interest(asked, held)
    return page("rates/interest.html", form=form, found=found), _status(form, found)


def _status(form: Any, found: object) -> int:
    return 422 if request.args and found is None else 200
