"""Pages that belong to no single stage: the public first page, everybody's /home, statements, and health for machines."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection
from dataclasses import replace
from itertools import chain, islice
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    g,
    has_request_context,
    jsonify,
    make_response,
    redirect,
    request,
    stream_with_context,
    url_for,
)
from werkzeug.exceptions import HTTPException

from grants.agreements import queries as agreements
from grants.applications import queries as applications
from grants.awards import queries as awards
from grants.calls import queries as calls
from grants.cities import queries as cities
from grants.core import checkpoints, clock, jobs, quarantine, scanning
from grants.core.errors import NotFound
from grants.core.jobs import JobState, JobView
from grants.core.permissions import Permission
from grants.core.text import CSV_MARK, csv_lines
from grants.identity import queries as identity
from grants.identity.rules import FACT_WORDS
from grants.oversight import queries, rules, services
from grants.oversight.forms import CancelJobForm, ThingForm, trail_filter
from grants.payments import queries as payments
from grants.web import paging
from grants.web.choosing import chosen
from grants.web.filters import THEMES, version
from grants.web.forms import Form
from grants.web.routing import NavItem, current_actor, page, public, requires, see_other, signed_in

bp = Blueprint("oversight", __name__)

# As the tags of a job say it.
JOB_WORDS = {
    JobState.QUEUED: "Waiting",
    JobState.RUNNING: "Running",
    JobState.DONE: "Done",
    JobState.FAILED: "Parked",
    JobState.CANCELLED: "Cancelled",
}
NAVIGATION = (
    NavItem("History", "oversight.audit", (Permission.AUDIT_READ, Permission.AUDIT_READ_SYSTEM), 84),
    NavItem("Jobs", "oversight.jobs_list", (Permission.JOB_READ,), 86),
    NavItem("Uploads", "oversight.uploads", (Permission.JOB_READ,), 87),
)

CSV_LINES_SENT_TOGETHER = 500
YEAR_SECONDS = 365 * 24 * 60 * 60
TASKS_COOKIE, TASKS_SECONDS = "tasks", 600


@bp.get("/")
@public
def front() -> Any:
    return page("public/front.html", calls=calls.front_calls(clock.now()))


@bp.get("/home")
@signed_in
def home() -> Any:
    actor, now = current_actor(), clock.now()
    found = queries.overview(actor, now)
    shown = page(
        "oversight/home.html",
        duties=found.duties,
        greeting=_greeting(),
        tasks_waiting=len(found.duties),
        health=(*queries.health(), queries.proofs()) if actor.can(Permission.SYSTEM_READ) else (),
        waiting=found.waiting,
        lately=found.lately,
        steps=found.steps,
    )
    return _counted(make_response(shown), len(found.duties))


def _greeting() -> str:
    hour = clock.in_zone(clock.now()).hour
    return "Good morning" if hour < 12 else "Good afternoon" if hour < 18 else "Good evening"


@bp.get("/home/tasks")
@signed_in
def tasks() -> Any:
    """How many rows /home has for this person: the number beside \u201cTasks\u201d on other pages."""
    waiting = len(queries.duties(current_actor(), clock.now()))
    return _counted(jsonify(waiting=waiting), waiting)


def _counted(answer: Response, waiting: int) -> Response:
    """The browser keeps the number for some minutes, so that every page shows it without counting."""
    kept = f"{waiting}.{_whose()}"
    answer.set_cookie(
        TASKS_COOKIE, kept, max_age=TASKS_SECONDS, samesite="Lax", secure=request.is_secure, httponly=True
    )
    return answer


def _whose() -> str:
    """Whom a number kept in a browser belongs to: at a shared desk nobody sees that of somebody else."""
    return hashlib.sha256(str(current_actor().user_id).encode()).hexdigest()[:16]


@bp.app_context_processor
def tasks_counted_last() -> dict[str, int]:
    """The number beside “Tasks” as this browser was told it last; a page reads it and asks the database nothing."""
    number, _, whose = request.cookies.get(TASKS_COOKIE, "").partition(".") if has_request_context() else ("", "", "")
    is_known = re.fullmatch("[0-9]{1,6}", number) and g.get("actor") is not None and whose == _whose()
    return {"tasks_last_counted": int(number) if is_known else 0}


@bp.post("/theme")
@public
def theme() -> Any:
    """Light, dark or as the device: remembered in this browser, nowhere else."""
    answer = make_response(redirect(_page_of_ours(request.form.get("next", "")), 303))
    chosen = request.form.get("theme", "")
    if chosen in THEMES:
        answer.set_cookie("theme", chosen, max_age=YEAR_SECONDS, samesite="Lax", secure=request.is_secure)
    else:
        answer.delete_cookie("theme")
    return answer


def _page_of_ours(address: str) -> str:
    """The address, if a GET of it is a page of this program; the first page otherwise."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or not address.startswith("/") or address.startswith(("//", "/\\")):
        return url_for("oversight.front")
    try:
        current_app.create_url_adapter(request).match(parts.path, method="GET")  # type: ignore[union-attr]  # inside a request there is one
    except HTTPException:
        return url_for("oversight.front")
    return address


@bp.get("/about")
@public
def about() -> Any:
    return page("public/about.html")


@bp.get("/accessibility")
@public
def accessibility() -> Any:
    return page("public/accessibility.html", contact=_contact())


@bp.get("/privacy")
@public
def privacy() -> Any:
    return page("public/privacy.html", contact=_contact())


def _contact() -> str:
    """The programme office's address, or "" where the program sends no mail into the world."""
    sender = str(current_app.config["MAIL_FROM"])
    return "" if sender.endswith("@localhost") else sender


# --- The record of who did what ------------------------------------------------------------------------------------


@bp.get("/audit")
@requires(Permission.AUDIT_READ, Permission.AUDIT_READ_SYSTEM)
def audit() -> Any:
    actor, asked = current_actor(), paging.asked()
    wanted, problems = trail_filter(request.args)
    found, unknown = queries.record(actor, wanted, asked)
    typed = {name: request.args.get(name, "") for name in ("person", "about", "ref", "from", "to")}
    return page(
        "oversight/audit.html",
        lines=paging.cut(found, asked, key=lambda line: line.key),
        things=[(thing, rules.words_of(thing)) for thing in queries.things(actor)],
        typed=typed,
        problems=problems | ({"ref": unknown} if unknown else {}),
        checkpoint=checkpoints.last(),
    )


@bp.get("/audit/checkpoints")
@requires(Permission.AUDIT_READ, Permission.AUDIT_READ_SYSTEM)
def checkpoint_list() -> Any:
    return _checkpoints_page(Form())


@bp.post("/audit/checkpoints")
@requires(Permission.CHECKPOINT_REQUEST)
def request_checkpoint() -> Any:
    form = Form()
    if form.validate_on_submit():
        with form.refusals():
            services.request_checkpoint(current_actor())
            return see_other(".checkpoint_list")
    return _checkpoints_page(form), 422


def _checkpoints_page(form: Form) -> str:
    found = checkpoints.page(paging.asked())
    return page(
        "oversight/checkpoints.html",
        checkpoints=found,
        sent=queries.deliveries([each.id for each in found.items]),
        keys=checkpoints.keys(),
        waits=queries.request_waits(),
        form=form,
    )


@bp.get("/audit/checkpoints/<int(max=999999999999999999):position>.txt")
@public
def checkpoint_note(position: int) -> Response:
    """One signed checkpoint, for everybody: it tells how many events there are and nothing of what they say."""
    found = checkpoints.at(position)
    answer = Response(found.note, mimetype="text/plain")
    answer.headers["Content-Disposition"] = f"inline; filename={found.file_name}"
    return answer


@bp.get("/audit/key")
@public
def audit_key() -> Response:
    """The public keys of the checkpoints, one a line, the present one first; what the verifier takes."""
    keys = checkpoints.keys()
    if not keys:
        raise NotFound("No checkpoint was signed yet, so there is no key.")
    return Response("".join(f"{key}\n" for key in keys), mimetype="text/plain")


@bp.get("/audit.csv")
@requires(Permission.AUDIT_READ, Permission.AUDIT_READ_SYSTEM)
def audit_csv() -> Any:
    """The same list as CSV, at most 5,000 rows, in UTF-8 with the mark that spreadsheets look for; sent as it is made."""
    wanted, _ = trail_filter(request.args)
    rows = queries.record_rows(current_actor(), wanted)
    pieces = iter(lambda: csv_lines(islice(rows, CSV_LINES_SENT_TOGETHER)), "")
    answer = Response(stream_with_context(chain((CSV_MARK,), pieces)), mimetype="text/csv")
    answer.headers["Content-Disposition"] = "attachment; filename=history.csv"
    return answer


@bp.get("/applications/<ref>/history")
@requires(Permission.APPLICATION_READ)
def application_history(ref: str) -> Any:
    actor = current_actor()
    thing_id, place = applications.placed(actor, ref)
    back = ("applications.show", {"ref": ref})
    if applications.is_team(actor, thing_id):
        story = rules.TEAM_STORY | rules.LETTER_STORY | rules.COMPLAINT_STORY
        return _story("application", thing_id, story, ref, *back, tell=queries.to_team)
    story = rules.APPLICATION_STORY | rules.LETTER_STORY
    if actor.may(Permission.COMPLAINT_READ, place):
        story |= rules.COMPLAINT_STAFF_STORY
    if awards.reads_withheld(actor, thing_id, place):
        story |= rules.WITHHELD_STORY
    return _story("application", thing_id, story, ref, *back)


@bp.get("/grants/<ref>/history")
@requires(Permission.AGREEMENT_READ)
def grant_history(ref: str) -> Any:
    thing_id = agreements.id_of(current_actor(), ref)
    return _story("grant", thing_id, rules.GRANT_STORY, ref, "agreements.show", {"ref": ref})


@bp.get("/finance/orders/<ref>/history")
@requires(Permission.PAYMENT_ORDER_READ)
def order_history(ref: str) -> Any:
    thing_id = payments.order_id_of(current_actor(), ref)
    return _story("payment_order", thing_id, rules.ORDER_STORY, ref, "payments.order", {"ref": ref})


@bp.get("/organisations/<slug>")
@requires(Permission.ORGANISATION_READ, Permission.ORGANISATION_EDIT)
def organisation(slug: str) -> Any:
    """One organisation of the register: facts and history, its cities, its applications and grants in the reader's reach."""
    actor = current_actor()
    view = identity.register_entry(actor, slug)
    found = queries.organisation_hub(actor, view, paging.asked())
    return page(
        "oversight/organisation.html", view=view, slug=slug, hub=found, words=FACT_WORDS,
        today=clock.today(),
    )  # fmt: skip


@bp.get("/cities/<slug>/served")
@requires(Permission.CITY_READ, Permission.CITY_EDIT_ACTIONS)
def city_served(slug: str) -> Any:
    """Which applications in the reader's reach say that they serve lines of a city's contract list."""
    actor = current_actor()
    city = cities.city_with_actions(actor, slug)
    serving = applications.serving_city(actor, cities.actions(city.id))
    return page("oversight/city_served.html", city=city, serving=serving)


@bp.get("/calls/<slug>/history")
@requires(Permission.CALL_MANAGE, Permission.AUDIT_READ)
def call_history(slug: str) -> Any:
    found = calls.call(current_actor(), slug)
    return _story("call", found.id, rules.CALL_STORY, found.reference, "calls.show", {"slug": slug})


def _story(
    kind: str,
    thing_id: UUID,
    verbs: Collection[str],
    name: str,
    endpoint: str,
    values: dict[str, Any],
    tell: Callable[[queries.Line], queries.Line] | None = None,
) -> str:
    """The history of one thing: for whoever reads the record whole, for others what everybody may know."""
    actor, asked = current_actor(), paging.asked()
    found = queries.story(actor, kind, thing_id, verbs, asked)
    found = tuple(map(tell, found)) if tell else found
    inner = actor.everywhere(Permission.AUDIT_READ)
    size = asked.size if inner else rules.lines_of_page(found, asked.size)
    lines = paging.cut(found, replace(asked, size=size), key=lambda line: line.key)
    return page(
        "oversight/history.html",
        lines=lines,
        # The auditor reads each act by itself.
        sittings=None if inner else rules.in_sittings(lines.items),
        name=name,
        back=url_for(endpoint, **values),
        inner=inner,
    )


# --- Jobs -----------------------------------------------------------------------------------------------------------


@bp.get("/admin/jobs")
@requires(Permission.JOB_READ)
def jobs_list() -> Any:
    problems: list[str] = []
    words = {each.value: said.lower() for each, said in JOB_WORDS.items()}
    state = chosen("state", "state", {each.value: each for each in JOB_WORDS}, problems, words=words)
    kept_from = queries.kept_from(current_actor())
    shown = jobs.page(current_actor(), paging.asked(), state=state, kept_from=kept_from)
    people = identity.people({job.requested_by for job in shown.items if job.requested_by})
    counts = jobs.counts(kept_from)
    return page(
        "oversight/jobs.html", jobs=shown, people=people, counts=counts, words=words, chosen=state, problems=problems
    )


@bp.get("/admin/jobs/<int(max=999999999999):number>")
@requires(Permission.JOB_READ)
def job(number: int) -> Any:
    return _job_page(_shown_job(number), Form(), CancelJobForm())


@bp.post("/admin/jobs/<int(max=999999999999):number>/retry")
@requires(Permission.JOB_RETRY)
def retry_job(number: int) -> Any:
    form, shown = Form(), _shown_job(number)
    if form.validate_on_submit():
        with form.refusals():
            jobs.retry(current_actor(), shown.id)
            return see_other(".job", number=number)
    return _job_page(shown, form, CancelJobForm()), 422


@bp.post("/admin/jobs/<int(max=999999999999):number>/cancel")
@requires(Permission.JOB_CANCEL)
def cancel_job(number: int) -> Any:
    form, shown = CancelJobForm(), _shown_job(number)
    if form.validate_on_submit():
        with form.refusals():
            jobs.cancel(current_actor(), shown.id, (form.reason.data or "").strip())
            return see_other(".job", number=number)
    return _job_page(shown, Form(), form), 422


def _shown_job(number: int) -> JobView:
    """The job of that number; as if it were not there for whom a conflict keeps from what it is about."""
    return jobs.by_number(current_actor(), number, queries.kept_from(current_actor()))


def _job_page(shown: JobView, form: Form, cancel_form: CancelJobForm) -> str:
    asked_by = identity.people([shown.requested_by]) if shown.requested_by else {}
    name = next((person.name for person in asked_by.values()), "the program")
    return page("oversight/job.html", job=shown, asked_by=name, form=form, cancel_form=cancel_form)


# --- Uploads and the virus scanner ------------------------------------------------------------------------------------


@bp.get("/admin/uploads")
@requires(Permission.JOB_READ)
def uploads() -> Any:
    """Whether uploads are scanned, whether the scanner answers now, and what it holds back."""
    return _uploads_page(ThingForm(formdata=None))


@bp.post("/admin/uploads/scan")
@requires(Permission.JOB_RETRY)
def scan_again() -> Any:
    """Have one file looked at again."""
    form = ThingForm()
    if form.validate_on_submit():
        with form.refusals():
            services.scan_again(current_actor(), form.thing_id())
            flash("The scanner is asked again; look in a moment.", "success")
            return see_other(".uploads")
    return _uploads_page(form), 422


def _uploads_page(form: Form) -> str:
    state, words = scanning.look()
    return page("oversight/uploads.html", form=form, scanner=state, words=words, held=quarantine.quarantine())


@bp.get("/healthz")
@public
def alive() -> Response:
    """The process answers. Asks nothing of database or queue."""
    return jsonify(status="ok")


@bp.get("/readyz")
@public
def ready() -> tuple[Response, int]:
    """Whether pages can be answered now: 200, or 503 with what is amiss; what works behind them is told, and stops none."""
    checks = queries.health()
    well = all(check.well for check in checks if check.stops_pages)
    found = {check.name: {"ok": check.well, "seen": check.words} for check in checks}
    return jsonify(status="ready" if well else "not ready", checks=found), 200 if well else 503


@bp.get("/version")
@public
def which_version() -> Response:
    return jsonify(version=version())
