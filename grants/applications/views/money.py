"""The budget of an application: its table, saved cell by cell while one types or by its button, and its rules."""

from __future__ import annotations

from typing import Any

from flask import flash, get_template_attribute, jsonify, request

from grants.applications import queries, services
from grants.applications.queries import Workplace
from grants.applications.rules import BudgetInput, BudgetKept, SourcesInput
from grants.applications.views.frame import bp, team_context
from grants.budgets.forms import BudgetForm, NotesForm, Sent, SourcesForm, read_sent
from grants.budgets.rules import SOURCE_WORDS, CellKept, Outcome, read_marks, sources_mark
from grants.core import clock
from grants.core.errors import Conflict, Invalid
from grants.core.money import plain
from grants.core.permissions import Permission
from grants.identity import queries as identity
from grants.web.routing import current_actor, page, requires, said_in_json, see_other

ECHOES_MAX = 12


@bp.get("/applications/<ref>/budget")
@requires(Permission.APPLICATION_READ)
def budget(ref: str) -> Any:
    """The grid with its totals and the rules of the call."""
    return _budget_page(queries.workplace(current_actor(), ref))


@bp.post("/applications/<ref>/budget")
@requires(Permission.APPLICATION_EDIT)
def save_budget(ref: str) -> Any:
    """Save every amount that can be read; the others, and what somebody else changed meanwhile, come back as typed."""
    form, place = BudgetForm(), queries.workplace(current_actor(), ref)
    own = [each for each in place.budget.organisations if each in queries.own_rows(current_actor(), place.application)]
    reading = form.read(place.budget.rules, own, place.budget.packages)
    given = BudgetInput(reading.cells, form.shown_of(reading.cells))
    try:
        with form.refusals():
            kept = services.save_budget(current_actor(), place.application.id, given)
            return _after_saving(ref, form, kept)
    except Conflict as error:
        form.problems.append(f"{error} What you typed stands in the table and is not saved yet.")
        form.try_again(place.budget.version)
        return _budget_page(queries.workplace(current_actor(), ref), form), 409
    return _budget_page(place, form), 422


def _after_saving(ref: str, form: BudgetForm, kept: BudgetKept) -> Any:
    for typed, read in form.reading.reworded[:ECHOES_MAX]:
        flash(f"“{typed}” was read as EUR {read}.", "success")
    if not kept.contested and not form.reading.errors:
        flash("The budget is saved.", "success")
        return see_other(".budget", ref=ref)
    place = queries.workplace(current_actor(), ref)
    form.try_again(place.budget.version)
    return _budget_page(place, form, kept), 409 if kept.contested else 422


def _budget_page(
    place: Workplace,
    form: BudgetForm | None = None,
    kept: BudgetKept | None = None,
    *,
    notes: NotesForm | None = None,
    sources: SourcesForm | None = None,
) -> str:
    form = form or BudgetForm(formdata=None)
    form.show(place.budget.shown_cells)
    return page(
        "applications/budget.html",
        form=form,
        notes=notes or NotesForm(formdata=None),
        sources=sources or SourcesForm(place.budget.content.sources, formdata=None),
        source_words=SOURCE_WORDS,
        clashes=_clashes(place, form, kept) if kept else [],
        own=queries.own_rows(current_actor(), place.application),
        **team_context(place),
    )


def _clashes(place: Workplace, form: BudgetForm, kept: BudgetKept) -> list[tuple[str, str, str, str]]:
    """Name of the cell, what is stored, what was typed, and who stored it."""
    people = identity.people({cell.saved_by for cell in kept.contested if cell.saved_by})
    return [
        (
            place.budget.cell_names.get(cell.place, cell.place),
            plain(cell.amount),
            form.reading.typed[cell.place],
            people[cell.saved_by].name if cell.saved_by in people else "",
        )
        for cell in kept.contested
    ]


# --- saved while one types ------------------------------------------------------------------------------------


@bp.post("/applications/<ref>/budget/cells")
@requires(Permission.APPLICATION_EDIT)
def save_cells(ref: str) -> Any:
    """Save the cells a script sends and say in JSON how each stands."""
    application_id = queries.team_id_of(current_actor(), ref)
    try:
        sent = read_sent(request.form.get("cells", ""), read_marks(request.form.get("marks")))
        kept = services.save_budget(current_actor(), application_id, BudgetInput(sent.cells, sent.shown))
    except Invalid as error:
        return said_in_json(422, str(error))
    contested = {cell.saved_by for cell in kept.contested if cell.saved_by}
    names = {who: person.name for who, person in identity.people(contested).items()} if contested else {}
    return jsonify(
        saved_at=f"{clock.in_zone(clock.now(), kept.zone):%H:%M}",
        cells=[*_refused(sent, kept), *(_told(cell, sent, names, kept.zone) for cell in kept.cells)],
    )


def _told(cell: CellKept, sent: Sent, names: dict[Any, str], zone: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "place": cell.place,
        "outcome": cell.outcome.value,
        "number": cell.number,
        "cents": cell.amount.cents,
        "read": sent.echoes.get(cell.place, ""),
    }
    if cell.outcome is Outcome.CONTESTED and cell.saved_at is not None:
        own = cell.saved_by == current_actor().user_id
        who, where = ("You", "in another window of yours") if own else (names.get(cell.saved_by, "Somebody"), "here")
        told["said"] = f"{who} saved {plain(cell.amount)} {where} at {clock.in_zone(cell.saved_at, zone):%H:%M}."
    return told


def _refused(sent: Sent, kept: BudgetKept) -> list[dict[str, Any]]:
    """Cells that cannot be read, and those that are not there for this person."""
    unread = [
        {"place": each.place, "outcome": "asks" if each.asks else "unread", "said": each.sentence}
        for each in sent.unread
    ]
    known = {cell.place for cell in kept.cells}
    others = [cell.place for cell in sent.cells if cell.place not in known]
    return unread + [{"place": place, "outcome": Outcome.NOT_THERE.value} for place in others]


@bp.get("/applications/<ref>/budget/findings")
@requires(Permission.APPLICATION_READ)
def budget_findings(ref: str) -> Any:
    """The rules as they stand now, for a script to show, with the server's own sums to compare."""
    found = queries.budget_of(current_actor(), ref)
    broken_rules = get_template_attribute("budgets/grid.html", "broken_rules")
    rule_panel = get_template_attribute("budgets/grid.html", "rule_panel")
    return jsonify(
        broken=broken_rules(found),
        findings=rule_panel(found.findings),
        places=sorted(found.broken),
        total=found.totals.total.cents,
        requested=found.totals.requested.cents,
    )


# --- beside the amounts ---------------------------------------------------------------------------------------


@bp.post("/applications/<ref>/budget/notes")
@requires(Permission.APPLICATION_EDIT)
def explain_costs(ref: str) -> Any:
    """Save the sentences that explain costs of public administrations."""
    form, place = NotesForm(), queries.workplace(current_actor(), ref)
    given = form.read(place.budget.asked)
    with form.refusals():
        services.explain_costs(current_actor(), place.application.id, given)
        if not form.wrong:
            flash("The sentences are saved.", "success")
            return see_other(".budget", ref=ref, _anchor="explain")
    return _budget_page(queries.workplace(current_actor(), ref), notes=form), 422


@bp.post("/applications/<ref>/budget/sources")
@requires(Permission.APPLICATION_EDIT)
def save_sources(ref: str) -> Any:
    """Save who else pays; a line that is wrong, and what somebody else saved meanwhile, come back as typed."""
    form, place = SourcesForm(), queries.workplace(current_actor(), ref)
    given = form.read()
    try:
        if given is not None:
            with form.refusals():
                services.save_sources(current_actor(), place.application.id, SourcesInput(given, form.mark.data))
                flash("The sources are saved.", "success")
                return see_other(".budget", ref=ref, _anchor="sources")
    except Conflict as error:
        stored = place.budget.content.sources
        names = ", ".join(f"{each.name} {each.amount}" for each in stored) or "none"
        form.problems.append(f"{error} Stored now: {names}. What you typed stands below; saving it replaces them.")
        form.try_again(place.budget.version)
        form.mark.data, form.mark.raw_data = sources_mark(stored), None
        return _budget_page(place, sources=form), 409
    return _budget_page(place, sources=form), 422
