"""Pages of applications: the team writes, checks and sends; the eligibility desk decides; staff find and read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, request, url_for

from grants.applications import queries, rules, services
from grants.applications.forms import (
    CheckForm,
    DeclineForm,
    DeedForm,
    DetailsForm,
    FileForm,
    InviteForm,
    ReasonForm,
    StartForm,
    SubmitForm,
    check_form,
    list_filter,
)
from grants.applications.queries import Workplace
from grants.applications.rules import ApplicationView, BudgetInput, Issue, SectionInput
from grants.applications.services.drafting import file_roles
from grants.applications.states import ApplicationState
from grants.budgets.forms import BudgetForm
from grants.budgets.queries import view_of as budget_view_of
from grants.calls import queries as calls
from grants.calls.states import Phase
from grants.core import clock, files
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.money import plain
from grants.core.permissions import Permission, Scope
from grants.dossiers import queries as dossier_queries
from grants.dossiers import rules as dossier_rules
from grants.dossiers.forms import SectionForm, section_form
from grants.dossiers.queries import SectionView
from grants.dossiers.rules import Clash
from grants.identity import queries as identity
from grants.web import downloads, paging
from grants.web.forms import choices
from grants.web.routing import NavItem, current_actor, page, requires, see_other

bp = Blueprint("applications", __name__)

NAVIGATION = (
    NavItem(
        "Applications", "applications.index", (Permission.APPLICATION_READ, Permission.APPLICATION_START), order=20
    ),
)


# --- lists and starting ---------------------------------------------------------------------------------------


@bp.get("/applications")
@requires(Permission.APPLICATION_READ, Permission.APPLICATION_START)
def index() -> Any:
    """The applications this person may see, with filters, counts and the next page by key."""
    actor, asked, wanted = current_actor(), paging.asked(), list_filter(request.args)
    counts = queries.counts(actor, wanted)
    total = sum(number for state, number in counts.items() if not wanted.states or state in wanted.states)
    found = queries.applications(actor, wanted, size=asked.size, after=asked.after)
    return page(
        "applications/index.html",
        rows=paging.rows(found, asked, key=lambda row: row.reference, total=total),
        wanted=wanted,
        counts=counts,
        calls=queries.calls_seen(actor),
        countries=queries.countries(actor),
        rules=rules,
    )


@bp.get("/applications/new")
@requires(Permission.APPLICATION_START)
def new() -> Any:
    """Choose an open call, or name the application to the one chosen."""
    if not request.args.get("call"):
        open_calls = calls.in_phase(calls.calls(current_actor()), Phase.OPEN, clock.now())
        return page("applications/choose_call.html", calls=open_calls)
    return _start_page(_start_form())


@bp.post("/applications/new")
@requires(Permission.APPLICATION_START)
def start() -> Any:
    """Start the application and open its task list."""
    form = _start_form()
    if form.validate_on_submit():
        with form.refusals():
            call_id = calls.id_of(current_actor(), request.args.get("call", ""))
            started = services.start(current_actor(), call_id, form.to_start())
            return see_other(".show", ref=started.reference)
    return _start_page(form), 422


def _start_form() -> StartForm:
    form = StartForm()
    own = identity.organisations(current_actor().organisation_ids).values()
    form.organisation.choices = choices((str(each.id), each.name) for each in own if each.kind in rules.LEADING_KINDS)
    return form


def _start_page(form: StartForm) -> str:
    call = calls.call(current_actor(), request.args.get("call", ""))
    return page("applications/new.html", form=form, call=call, open=call.is_open(clock.now()))


# --- one application ------------------------------------------------------------------------------------------


@bp.get("/applications/<ref>")
@requires(Permission.APPLICATION_READ)
def show(ref: str) -> Any:
    """The task list for the team; for staff what was submitted."""
    actor = current_actor()
    application = queries.view(actor, ref)
    if queries.is_team(actor, application.id) and application.dossier_id is not None:
        return page("applications/task_list.html", **_team_context(queries.workplace_of(application)))
    return page("applications/submitted.html", **_submitted_context(application))


def _team_context(place: Workplace) -> dict[str, Any]:
    """What every page of the team shows: the application, its clock, where problems are mended."""
    now = clock.now()
    return {
        "place": place,
        "application": place.application,
        "call": place.application.call,
        "editable": place.application.editable(now),
        "invitation": queries.invitation(current_actor(), place.application),
        "issue_href": _issue_href(place.application.reference),
        "rules": rules,
    }


def _issue_href(ref: str) -> Callable[[Issue], str]:
    """Where an issue is mended, down to the field."""

    def href(issue: Issue) -> str:
        anchor = issue.anchor or None
        match issue.page:
            case rules.Page.SECTION:
                return url_for(".section", ref=ref, key=issue.section, _anchor=anchor)
            case rules.Page.BUDGET:
                return url_for(".budget", ref=ref, _anchor=anchor)
            case rules.Page.TEAM:
                return url_for(".team", ref=ref)
            case rules.Page.FILES:
                return url_for(".attached", ref=ref, _anchor=anchor)
            case rules.Page.DETAILS:
                return url_for(".details", ref=ref)

    return href


def _submitted_context(application: ApplicationView) -> dict[str, Any]:
    content = queries.submitted_content(application.id) if application.submission else None
    return {
        "application": application,
        "call": application.call,
        "content": content,
        "sections": dossier_rules.answered(content.dossier) if content else (),
        "budget": budget_view_of(content.budget, content.organisation_names) if content else None,
        "rules": rules,
    }


@bp.get("/applications/<ref>/details")
@requires(Permission.APPLICATION_EDIT)
def details(ref: str) -> Any:
    """Title, short name and summary."""
    place = queries.workplace(current_actor(), ref)
    view = place.application
    form = DetailsForm(
        data={
            "title": view.title,
            "acronym": view.acronym or "",
            "about": view.summary or "",
            "version": str(view.version),
        }
    )
    return page("applications/details.html", form=form, **_team_context(place))


@bp.post("/applications/<ref>/details")
@requires(Permission.APPLICATION_EDIT)
def edit_details(ref: str) -> Any:
    """Save them."""
    form, place = DetailsForm(), queries.workplace(current_actor(), ref)
    if form.validate_on_submit():
        with form.refusals():
            services.edit_details(current_actor(), place.application.id, form.to_input(), form.version_shown())
            flash("The details are saved.", "success")
            return see_other(".show", ref=ref)
    return page("applications/details.html", form=form, **_team_context(place)), 422


# --- sections -------------------------------------------------------------------------------------------------


@bp.get("/applications/<ref>/sections/<key>")
@requires(Permission.APPLICATION_READ)
def section(ref: str, key: str) -> Any:
    """The questions of one section."""
    place = queries.workplace(current_actor(), ref)
    return _section_page(place, place.dossier.section(key), _section_form(place.dossier.section(key)))


@bp.post("/applications/<ref>/sections/<key>")
@requires(Permission.APPLICATION_EDIT)
def save_section(ref: str, key: str) -> Any:
    """Save whatever was typed; a clash comes back with both texts."""
    place = queries.workplace(current_actor(), ref)
    form = _section_form(place.dossier.section(key))
    given = SectionInput(form.answers(), form.mark(), form.version_shown())
    try:
        services.save_section(current_actor(), place.application.id, key, given)
    except Conflict as error:
        return _clash_page(ref, key, form, error), 409
    except Invalid as error:
        form.place_problems(error)
    except Refused as error:
        form.add_problem(error)
    else:
        return _after_saving(place, key)
    return _section_page(place, place.dossier.section(key), form), 422


def _section_form(found: SectionView) -> SectionForm:
    return section_form(found.section, dict(found.answers), found.version, found.mark)


def _after_saving(place: Workplace, key: str) -> Any:
    ref, following = place.application.reference, place.dossier.after(key)
    flash(f"Saved {clock.in_zone(clock.now(), place.application.call.zone):%H:%M}.", "success")
    match request.form.get("go"):
        case "stay":
            return see_other(".section", ref=ref, key=key)
        case "next" if following is not None:
            return see_other(".section", ref=ref, key=following.key)
    return see_other(".show", ref=ref)


def _clash_page(ref: str, key: str, form: SectionForm, error: Conflict) -> str:
    place = queries.workplace(current_actor(), ref)
    found = place.dossier.section(key)
    typed = {answer.question: answer for answer in form.answers()}
    form.problems.append(str(error))
    form.try_again(found.version)
    return _section_page(place, found, form, dossier_rules.clashes(found.section, found.answers, typed))


def _section_page(place: Workplace, found: SectionView, form: SectionForm, clashes: tuple[Clash, ...] = ()) -> str:
    criteria = {criterion.key: criterion.name for criterion in place.application.call.content.criteria}
    return page(
        "applications/section.html",
        form=form,
        section=found,
        clashes=clashes,
        criteria=criteria,
        following=place.dossier.after(found.key),
        **_team_context(place),
    )


@bp.get("/applications/<ref>/sections/<key>/history/<question>")
@requires(Permission.APPLICATION_READ)
def history(ref: str, key: str, question: str) -> Any:
    """Every earlier answer to one question."""
    place = queries.workplace(current_actor(), ref)
    found = place.dossier.section(key)
    item = next((each for each in found.questions if each.question.key == question), None)
    if item is None:
        raise NotFound
    versions = dossier_queries.history(place.dossier.id, question)
    people = identity.people(version.saved_by for version in versions if version.saved_by)
    return page(
        "applications/history.html",
        section=found,
        item=item,
        versions=versions,
        people=people,
        paragraphs=dossier_rules.paragraphs,
        **_team_context(place),
    )


# --- budget ---------------------------------------------------------------------------------------------------


@bp.get("/applications/<ref>/budget")
@requires(Permission.APPLICATION_READ)
def budget(ref: str) -> Any:
    """The grid with its totals and the rules of the call."""
    place = queries.workplace(current_actor(), ref)
    return _budget_page(place, BudgetForm(data={"version": str(place.budget.version)}))


@bp.post("/applications/<ref>/budget")
@requires(Permission.APPLICATION_EDIT)
def save_budget(ref: str) -> Any:
    """Save the amounts; what cannot be read, or was changed meanwhile, comes back as typed."""
    form, place = BudgetForm(), queries.workplace(current_actor(), ref)
    own = [each for each in place.budget.organisations if each in queries.own_rows(current_actor(), place.application)]
    reading = form.read(place.budget.rules, own)
    if not reading.errors:
        try:
            with form.refusals():
                given = BudgetInput(reading.cells, form.version_shown())
                services.save_budget(current_actor(), place.application.id, given)
                _say_how_read(reading.reworded)
                return see_other(".budget", ref=ref)
        except Conflict as error:
            return _budget_clash(ref, form, error), 409
    return _budget_page(place, form), 422


def _say_how_read(reworded: tuple[tuple[str, str], ...]) -> None:
    flash("The budget is saved.", "success")
    for typed, read in reworded[:12]:
        flash(f"“{typed}” was read as EUR {read}.", "success")


def _budget_clash(ref: str, form: BudgetForm, error: Conflict) -> str:
    place = queries.workplace(current_actor(), ref)
    form.problems.append(str(error))
    form.try_again(place.budget.version)
    clashes = [
        (place.budget.cell_names[name], plain(place.budget.amount(cell.organisation_id, cell.category)), text)
        for cell in form.reading.cells
        if (name := place.budget.field_name(cell.organisation_id, cell.category)) in place.budget.cell_names
        and cell.amount != place.budget.amount(cell.organisation_id, cell.category)
        and (text := form.reading.typed[name]) is not None
    ]
    return _budget_page(place, form, clashes)


def _budget_page(place: Workplace, form: BudgetForm, clashes: list[tuple[str, str, str]] | None = None) -> str:
    return page(
        "applications/budget.html",
        form=form,
        clashes=clashes or [],
        own=queries.own_rows(current_actor(), place.application),
        **_team_context(place),
    )


# --- team -----------------------------------------------------------------------------------------------------


@bp.get("/applications/<ref>/team")
@requires(Permission.APPLICATION_READ)
def team(ref: str) -> Any:
    """The consortium, invitations and their answers."""
    return _team_page(ref, _invite_form())


@bp.post("/applications/<ref>/team")
@requires(Permission.APPLICATION_INVITE)
def invite(ref: str) -> Any:
    """Invite an organisation."""
    form = _invite_form()
    if form.validate_on_submit():
        with form.refusals():
            services.invite(current_actor(), queries.team_id_of(current_actor(), ref), form.to_input())
            flash(f"The invitation to {form.email.data} is on its way.", "success")
            return see_other(".team", ref=ref)
    return _team_page(ref, form), 422


@bp.post("/applications/<ref>/team/accept")
@requires(Permission.APPLICATION_EDIT)
def accept(ref: str) -> Any:
    """The invited person accepts."""
    form = DeedForm()
    with form.refusals():
        services.accept_invitation(current_actor(), queries.team_id_of(current_actor(), ref))
        flash("You have accepted the invitation. You can now write in the application.", "success")
        return see_other(".show", ref=ref)
    return _team_page(ref, form), 422


@bp.post("/applications/<ref>/team/decline")
@requires(Permission.APPLICATION_EDIT)
def decline(ref: str) -> Any:
    """The invited person declines."""
    form = DeclineForm()
    with form.refusals():
        services.decline_invitation(current_actor(), queries.team_id_of(current_actor(), ref), form.reason.data or "")
        flash("You have declined the invitation. The lead city was told.", "success")
        return see_other(".index")
    return _team_page(ref, form), 422


@bp.post("/applications/<ref>/team/remove")
@requires(Permission.APPLICATION_INVITE)
def remove_partner(ref: str) -> Any:
    """Take a partner out."""
    form = DeedForm()
    with form.refusals():
        services.remove_partner(
            current_actor(), queries.team_id_of(current_actor(), ref), form.thing_id() or UUID(int=0)
        )
        flash("The partner was taken out of the application.", "success")
        return see_other(".team", ref=ref)
    return _team_page(ref, form), 422


def _invite_form() -> InviteForm:
    form = InviteForm()
    known = [(str(each.id), f"{each.name}, {each.country_code}") for each in identity.all_organisations()]
    form.organisation_id.choices = choices([("", "Not in the list: I describe it below"), *known])
    return form


def _team_page(ref: str, form: Any) -> str:
    place = queries.workplace(current_actor(), ref)
    return page(
        "applications/team.html",
        form=form,
        invite_form=form if isinstance(form, InviteForm) else _invite_form(),
        deed=DeedForm(formdata=None),
        decline_form=form if isinstance(form, DeclineForm) else DeclineForm(formdata=None),
        leads=current_actor().user_id == place.application.coordinator.contact_id,
        **_team_context(place),
    )


# --- files ----------------------------------------------------------------------------------------------------


@bp.get("/applications/<ref>/files")
@requires(Permission.APPLICATION_READ)
def attached(ref: str) -> Any:
    """The attached files, what is still missing, and a form for one more."""
    return _files_page(ref, FileForm(data={"role": _wanted_role()}))


def _wanted_role() -> str:
    question = request.args.get("question")
    return f"question_{question}" if question else ""


@bp.post("/applications/<ref>/files")
@requires(Permission.APPLICATION_EDIT)
def attach(ref: str) -> Any:
    """Attach a file."""
    form = FileForm()
    if form.validate_on_submit():
        with form.refusals():
            # Whose application it is comes first: an upload nobody may make is not even read.
            application_id = queries.team_id_of(current_actor(), ref)
            incoming = files.receive(request.files[form.file.name])
            kept = services.attach_file(current_actor(), application_id, incoming, str(form.role.data))
            flash(f"“{kept.name}” is attached.", "success")
            return see_other(".attached", ref=ref)
    return _files_page(ref, form), 422


@bp.post("/applications/<ref>/files/remove")
@requires(Permission.APPLICATION_EDIT)
def remove_file(ref: str) -> Any:
    """Take a file out of the draft."""
    form = DeedForm()
    with form.refusals():
        services.remove_file(current_actor(), queries.team_id_of(current_actor(), ref), form.thing_id() or UUID(int=0))
        flash("The file was taken out. Versions you have sent keep it.", "success")
        return see_other(".attached", ref=ref)
    return _files_page(ref, form), 422


@bp.get("/applications/<ref>/files/<sha256>")
@requires(Permission.FILE_READ)
def download(ref: str, sha256: str) -> Any:
    """One file, by its content."""
    return downloads.send(queries.file_of(current_actor(), ref, sha256))


def _files_page(ref: str, form: Any) -> str:
    place = queries.workplace(current_actor(), ref)
    roles = file_roles(place.application.call)
    file_form = form if isinstance(form, FileForm) else FileForm(formdata=None)
    file_form.role.choices = choices(roles.items())
    return page(
        "applications/files.html",
        form=form,
        file_form=file_form,
        roles=roles,
        missing=[issue for issue in place.issues if issue.page is rules.Page.FILES],
        deed=DeedForm(formdata=None),
        **_team_context(place),
    )


# --- checking and sending -------------------------------------------------------------------------------------


@bp.get("/applications/<ref>/check")
@requires(Permission.APPLICATION_READ)
def check(ref: str) -> Any:
    """Every problem with its link, every answer and the budget on one page."""
    return _check_page(queries.workplace(current_actor(), ref))


def _check_page(place: Workplace, notice: str = "") -> str:
    content = dossier_rules.DossierContent(
        place.dossier.definition, tuple(q.answer for s in place.dossier.sections for q in s.questions)
    )
    ref = place.application.reference
    return page(
        "applications/check.html",
        notice=notice,
        sections=dossier_rules.answered(content),
        change_href=lambda key: url_for(".section", ref=ref, key=key),
        **_team_context(place),
    )


@bp.get("/applications/<ref>/submit")
@requires(Permission.APPLICATION_SUBMIT)
def submit(ref: str) -> Any:
    """What sending means, when it counts, and the statement."""
    place = queries.workplace(current_actor(), ref)
    return _submit_page(place, SubmitForm(data={"fingerprint": place.fingerprint}))


@bp.post("/applications/<ref>/submit")
@requires(Permission.APPLICATION_SUBMIT)
def send(ref: str) -> Any:
    """Send it."""
    form, place = SubmitForm(), queries.workplace(current_actor(), ref)
    if form.validate_on_submit():
        with form.refusals():
            try:
                services.submit(current_actor(), place.application.id, form.fingerprint.data or None)
            except rules.ContentChanged as error:
                return _check_page(queries.workplace(current_actor(), ref), str(error)), 409
            return see_other(".receipt", ref=ref)
    return _submit_page(place, form), 422


def _submit_page(place: Workplace, form: SubmitForm) -> str:
    return page("applications/submit.html", form=form, now_exactly=_now(place), **_team_context(place))


def _now(place: Workplace) -> str:
    return rules.exactly(clock.now(), place.application.call.zone)


@bp.get("/applications/<ref>/receipt")
@requires(Permission.APPLICATION_READ)
def receipt(ref: str) -> Any:
    """The proof of what was received, when, and its hash; older versions below."""
    application = queries.view(current_actor(), ref)
    versions = queries.submissions(current_actor(), ref)
    if not versions:
        raise NotFound
    chosen = next((v for v in versions if str(v.number) == request.args.get("version")), versions[0])
    return page(
        "applications/receipt.html",
        application=application,
        call=application.call,
        chosen=chosen,
        versions=versions,
        files=queries.receipt_files(chosen.id),
        sender=identity.person(chosen.submitted_by),
        editable=application.editable(clock.now()),
        rules=rules,
    )


@bp.get("/applications/<ref>/receipt/<int:number>.pdf")
@requires(Permission.APPLICATION_READ)
def receipt_pdf(ref: str, number: int) -> Any:
    """The receipt as a PDF, once it is made."""
    for version in queries.submissions(current_actor(), ref):
        if version.number == number:
            for file in queries.receipt_files(version.id):
                return downloads.send(file)
    raise NotFound


@bp.get("/applications/<ref>/print")
@requires(Permission.APPLICATION_READ)
def print_view(ref: str) -> Any:
    """The whole application on one page: the draft for the team, for staff what was submitted."""
    actor = current_actor()
    application = queries.view(actor, ref)
    if not queries.is_team(actor, application.id) or application.dossier_id is None:
        return page("applications/print.html", file_names={}, draft=False, **_submitted_context(application))
    place = queries.workplace_of(application)
    content = dossier_queries.written(application.dossier_id)
    return page(
        "applications/print.html",
        application=application,
        call=application.call,
        content=None,
        sections=dossier_rules.answered(content),
        budget=place.budget,
        file_names=place.file_names,
        draft=application.submission is None or place.changed_since_submission,
        rules=rules,
    )


@bp.get("/applications/<ref>/withdraw")
@requires(Permission.APPLICATION_WITHDRAW)
def withdraw(ref: str) -> Any:
    """What withdrawing means."""
    return page("applications/withdraw.html", form=ReasonForm(), application=queries.view(current_actor(), ref))


@bp.post("/applications/<ref>/withdraw")
@requires(Permission.APPLICATION_WITHDRAW)
def take_back(ref: str) -> Any:
    """Withdraw it."""
    form = ReasonForm()
    if form.validate_on_submit():
        with form.refusals():
            services.withdraw(current_actor(), queries.team_id_of(current_actor(), ref), form.reason.data or "")
            flash("The application is withdrawn.", "success")
            return see_other(".show", ref=ref)
    return page("applications/withdraw.html", form=form, application=queries.view(current_actor(), ref)), 422


# --- eligibility ----------------------------------------------------------------------------------------------


@bp.get("/calls/<slug>/eligibility")
@requires(Permission.APPLICATION_CHECK)
def eligibility_list(slug: str) -> Any:
    """The applications of one call that wait for the desk, and those that are done."""
    call = calls.call(current_actor(), slug)
    rows = queries.for_call(current_actor(), call.id)
    waiting = [row for row in rows if row.state is ApplicationState.SUBMITTED]
    done = [row for row in rows if row.state is not ApplicationState.SUBMITTED and row.submitted_at]
    open_now = call.is_open(clock.now())
    return page("applications/eligibility_list.html", call=call, waiting=waiting, done=done, open=open_now, rules=rules)


@bp.get("/applications/<ref>/eligibility")
@requires(Permission.APPLICATION_CHECK, Permission.APPLICATION_READ)
def eligibility(ref: str) -> Any:
    """Each condition with its evidence and the answer so far."""
    return _desk_page(queries.view(current_actor(), ref), None)


@bp.post("/applications/<ref>/eligibility")
@requires(Permission.APPLICATION_CHECK)
def decide(ref: str) -> Any:
    """Save the answers, or save them and declare the verdict."""
    application = queries.view(current_actor(), ref)
    form = check_form(application.call.content.conditions, {}, 0)
    try:
        with form.refusals():
            return _decided(application, form)
    except Conflict as error:
        form.problems.append(str(error))
        form.try_again(queries.desk(application).version)
        return _desk_page(queries.view(current_actor(), ref), form), 409
    return _desk_page(application, form), 422


def _decided(application: ApplicationView, form: CheckForm) -> Any:
    actor, answers, version = current_actor(), form.answers(), form.version_shown()
    if request.form.get("go") != "declare":
        services.record_answers(actor, application.id, answers, version)
        flash("The answers are saved.", "success")
        return see_other(".eligibility", ref=application.reference)
    verdict = services.declare(actor, application.id, answers, form.remark.data or "", version)
    flash(
        f"{application.reference} is declared {'eligible' if verdict.value == 'pass' else 'not eligible'}.", "success"
    )
    return see_other(".eligibility_list", slug=application.call.slug)


def _desk_page(application: ApplicationView, form: CheckForm | None) -> str:
    if application.submission is None:
        raise NotFound
    desk = queries.desk(application)
    scope = Scope.of(("application", application.id), ("call", application.call.id))
    # Until the verdict the answers are the desk's own: neither the team nor other readers see them half done.
    if desk.decided_at is None and not current_actor().may(Permission.APPLICATION_CHECK, scope):
        raise NotFound
    if form is None:
        answers = {view.condition.key: view.answer for view in desk.conditions}
        form = check_form(application.call.content.conditions, answers, desk.version)
    return page(
        "applications/eligibility.html",
        form=form,
        desk=desk,
        decider=identity.people([desk.decided_by]) if desk.decided_by else {},
        closed=not application.call.is_open(clock.now()),
        **_submitted_context(application),
    )
