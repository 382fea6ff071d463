"""Pages on which the budget and description of a grant in preparation are revised, each beside what was applied for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from flask import flash

from grants.agreements import queries, services
from grants.agreements.forms import AcceptRevisionForm, NoRevisionForm, ReturnRevisionForm, SendRevisionForm
from grants.agreements.rules import GrantView, RevisionView, budget_problems
from grants.agreements.states import GrantState, RevisionState
from grants.agreements.views.frame import P, bp, grant_of
from grants.applications.rules import BudgetInput, PlanInput
from grants.awards import queries as awards
from grants.budgets import queries as budgets
from grants.budgets.forms import BudgetForm, PlanForm, SourcesForm
from grants.budgets.queries import BudgetView, Stored
from grants.budgets.rules import SOURCE_WORDS, CellKept, Outcome, PlannedPackage, plan_mark, sources_mark
from grants.core import clock
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.money import plain
from grants.dossiers import merging
from grants.dossiers import queries as dossiers
from grants.dossiers.forms import SectionForm, form_after_clash, section_form
from grants.dossiers.merging import Clash, Contested
from grants.dossiers.queries import SectionView
from grants.dossiers.rules import Answer, QuestionKind
from grants.identity import queries as identity
from grants.web.forms import ContestedForm, status_of
from grants.web.routing import current_actor, page, requires, see_other

ECHOES_MAX = 12
MEANWHILE = " It was also changed elsewhere while you were working; those changes are kept in it."
WRITABLE = (RevisionState.DRAFT, RevisionState.RETURNED, RevisionState.NONE_NEEDED)


@dataclass(frozen=True, slots=True)
class Place:
    """What the pages of a revision share: the grant, both versions, whose rows this person writes, and whether for all."""

    grant: GrantView
    revision: RevisionView
    kept: Stored
    own: frozenset[UUID]
    writes_all: bool
    is_open: bool

    @property
    def writes(self) -> bool:
        """Whether this person writes anything now."""
        return self.is_open and bool(self.own)


def _place(ref: str) -> Place:
    """The pages are there for grants that have a budget of their own."""
    grant, actor = grant_of(ref), current_actor()
    asked, reach = queries.revision_for(actor, grant)
    if asked is None:
        raise NotFound
    found, kept = asked
    is_open = grant.state is GrantState.PREPARATION and found.state in WRITABLE
    if not actor.may(P.AGREEMENT_ANSWER, queries.scope_of_view(grant)):
        return Place(grant, found, kept, frozenset(), writes_all=False, is_open=is_open)
    own = frozenset(found.new.budget.organisations)
    return Place(grant, found, kept, own if reach is None else own & reach, writes_all=reach is None, is_open=is_open)


# --- both versions --------------------------------------------------------------------------------------------


@bp.get("/grants/<ref>/redline")
@requires(P.AGREEMENT_READ)
def redline(ref: str) -> Any:
    """Everything that is another than it was applied for, and what is done with it."""
    return _redline(_place(ref))


def _redline(place: Place, sent: ContestedForm | None = None) -> Any:
    actor, found = current_actor(), place.revision
    prepares = actor.may(P.AGREEMENT_PREPARE, queries.scope_of_view(place.grant))
    stands = {"seen": found.new.fingerprint, "number": str(found.number)}
    forms = {
        each.__name__: sent if isinstance(sent, each) else each(formdata=None, data=stands)
        for each in (SendRevisionForm, NoRevisionForm, AcceptRevisionForm, ReturnRevisionForm)
    }
    if sent is not None and sent.clashed:
        sent.comes_again(0)
        for name, value in stands.items():
            if name in sent:
                sent[name].data, sent[name].raw_data = value, None
    reserved = awards.item_of(place.grant.application_id).amount
    beneficiaries = [each.organisation_id for each in place.grant.beneficiaries]
    shown = page(
        "agreements/redline.html",
        grant=place.grant,
        place=place,
        revision=found,
        reserved=reserved,
        problems=budget_problems(found.new.budget, found.names, beneficiaries, reserved),
        in_preparation=place.grant.state is GrantState.PREPARATION,
        prepares=prepares,
        send=forms["SendRevisionForm"],
        none_needed=forms["NoRevisionForm"],
        accept=forms["AcceptRevisionForm"],
        give_back=forms["ReturnRevisionForm"],
    )
    return shown, status_of(sent) if sent is not None else 200


@bp.post("/grants/<ref>/revision/send")
@requires(P.AGREEMENT_ANSWER)
def send_revision(ref: str) -> Any:
    place, form = _place(ref), SendRevisionForm()
    if form.validate_on_submit():
        with form.attempt():
            services.send_revision(current_actor(), place.grant.id, seen=str(form.seen.data or ""))
            flash("The revision is sent. The programme was asked to look at it.", "success")
            return see_other(".redline", ref=ref)
    return _redline(_place(ref), form)


@bp.post("/grants/<ref>/revision/accept")
@requires(P.AGREEMENT_PREPARE)
def accept_revision(ref: str) -> Any:
    place, form = _place(ref), AcceptRevisionForm()
    if form.validate_on_submit():
        with form.attempt():
            services.accept_revision(current_actor(), place.grant.id, form.number_shown(), words=form.words.data or "")
            flash("The revision is accepted. The maxima are what its budget asks for.", "success")
            return see_other(".redline", ref=ref)
    return _redline(_place(ref), form)


@bp.post("/grants/<ref>/revision/return")
@requires(P.AGREEMENT_PREPARE)
def return_revision(ref: str) -> Any:
    place, form = _place(ref), ReturnRevisionForm()
    if form.validate_on_submit():
        with form.attempt():
            services.return_revision(current_actor(), place.grant.id, form.number_shown(), words=str(form.missing.data))
            flash("The revision went back to the city, which is told by mail.", "success")
            return see_other(".redline", ref=ref)
    return _redline(_place(ref), form)


@bp.post("/grants/<ref>/revision/none-needed")
@requires(P.AGREEMENT_PREPARE)
def need_no_revision(ref: str) -> Any:
    place, form = _place(ref), NoRevisionForm()
    if form.validate_on_submit():
        with form.attempt():
            services.need_no_revision(
                current_actor(), place.grant.id, words=str(form.words.data), seen=str(form.seen.data or "")
            )
            flash("It stands with your name that no revision is needed.", "success")
            return see_other(".redline", ref=ref)
    return _redline(_place(ref), form)


# --- the budget -----------------------------------------------------------------------------------------------


@bp.get("/grants/<ref>/preparation/budget")
@requires(P.AGREEMENT_READ)
def revised_budget(ref: str) -> Any:
    """The grid of the grant's own budget, and under it what is another than it was applied for."""
    return _budget_page(_place(ref))


@bp.post("/grants/<ref>/preparation/budget")
@requires(P.AGREEMENT_ANSWER)
def revise_budget(ref: str) -> Any:
    """Save every amount that can be read; the others, and what somebody else changed meanwhile, come back as typed."""
    form, place = BudgetForm(), _place(ref)
    content = place.revision.new.budget
    reading = form.read(content.rules, [who for who in content.organisations if who in place.own], content.packages)
    given = BudgetInput(reading.cells, form.shown_of(reading.cells))
    try:
        with form.refusals():
            kept = services.revise_budget(current_actor(), place.grant.id, given)
            return _after_saving(ref, form, kept)
    except Conflict as error:
        form.problems.append(f"{error} What you typed stands in the table and is not saved yet.")
        form.try_again(0)
        return _budget_page(_place(ref), form), 409
    return _budget_page(place, form), 422


def _after_saving(ref: str, form: BudgetForm, kept: tuple[CellKept, ...]) -> Any:
    for typed, read in form.reading.reworded[:ECHOES_MAX]:
        flash(f"“{typed}” was read as EUR {read}.", "success")
    contested = [cell for cell in kept if cell.outcome is Outcome.CONTESTED]
    if not contested and not form.reading.errors:
        flash("The budget is saved.", "success")
        return see_other(".revised_budget", ref=ref)
    form.try_again(0)
    return _budget_page(_place(ref), form, contested), 409 if contested else 422


def _budget_page(
    place: Place, form: BudgetForm | None = None, contested: Iterable[CellKept] = (), sources: SourcesForm | None = None
) -> str:
    form, view = form or BudgetForm(formdata=None), _budget(place)
    form.show(view.shown_cells)
    return page(
        "agreements/revised_budget.html",
        grant=place.grant,
        place=place,
        revision=place.revision,
        budget=view,
        form=form,
        clashes=_clashes(view, form, list(contested)),
        sources=sources or SourcesForm(view.content.sources, formdata=None),
        source_words=SOURCE_WORDS,
    )


def _budget(place: Place) -> BudgetView:
    return budgets.shown(place.kept, place.revision.names)


def _clashes(view: BudgetView, form: BudgetForm, contested: list[CellKept]) -> list[tuple[str, str, str, str]]:
    """Name of the cell, what is stored, what was typed, and who stored it."""
    people = identity.people({cell.saved_by for cell in contested if cell.saved_by}) if contested else {}
    return [
        (
            view.cell_names.get(cell.place, cell.place),
            plain(cell.amount),
            form.reading.typed[cell.place],
            people[cell.saved_by].name if cell.saved_by in people else "",
        )
        for cell in contested
    ]


@bp.post("/grants/<ref>/preparation/sources")
@requires(P.AGREEMENT_ANSWER)
def revise_sources(ref: str) -> Any:
    """Save who else pays; a line that is wrong, and what somebody else saved meanwhile, come back as typed."""
    form, place = SourcesForm(), _place(ref)
    given = form.read()
    try:
        if given is not None:
            with form.refusals():
                services.revise_sources(current_actor(), place.grant.id, given, form.mark.data)
                flash("The sources are saved.", "success")
                return see_other(".revised_budget", ref=ref, _anchor="sources")
    except Conflict as error:
        stored = place.revision.new.budget.sources
        names = ", ".join(f"{each.name} {each.amount}" for each in stored) or "none"
        form.problems.append(f"{error} Stored now: {names}. What you typed stands below; saving it replaces them.")
        form.try_again(0)
        form.mark.data, form.mark.raw_data = sources_mark(stored), None
        return _budget_page(place, sources=form), 409
    return _budget_page(place, sources=form), 422


# --- the work plan --------------------------------------------------------------------------------------------


@bp.get("/grants/<ref>/preparation/plan")
@requires(P.AGREEMENT_READ)
def revised_plan(ref: str) -> Any:
    """The work plan with its timeline, and what is another than it was applied for."""
    place = _place(ref)
    return _plan_page(place, PlanForm(place.revision.new.budget.plan))


@bp.post("/grants/<ref>/preparation/plan")
@requires(P.AGREEMENT_ANSWER)
def revise_plan(ref: str) -> Any:
    """Save every line that can be; what is wrong, or was changed by two people, comes back as typed."""
    form, place = PlanForm(), _place(ref)
    stored = place.revision.new.budget.plan
    given = form.read(
        stored,
        {who: place.revision.names.get(who, "") for who in place.revision.new.budget.organisations},
        clock.months_between(place.grant.starts_on, place.grant.ends_before),
    )
    status, saved = 422, None
    try:
        with form.refusals():
            saved = _save_plan(place, form, given) if given is not None else None
    except Conflict as error:
        status = 409
        form.problems.append(f"{error} Nothing is saved yet. Look at the timeline, then save again.")
    if saved is not None and not form.is_wrong:
        flash(f"The work plan is saved.{MEANWHILE if form.was_overtaken else ''}", "success")
        return see_other(".revised_plan", ref=ref)
    if saved is None:
        form.carry(stored)
    else:
        form.settle(saved)
        form.problems.append(
            "What is marked below is not saved yet and stands as you typed it. Everything else is saved."
        )
        place = _place(ref)
    form.try_again(0)
    return _plan_page(place, form), status


def _save_plan(place: Place, form: PlanForm, given: tuple[PlannedPackage, ...]) -> tuple[str, ...]:
    """The codes of the work packages as they now stand."""
    stored = place.revision.new.budget.plan
    if form.is_wrong and given == stored:
        return tuple(each.code for each in stored)
    return services.revise_plan(current_actor(), place.grant.id, PlanInput(given, plan_mark(stored)))


def _plan_page(place: Place, form: PlanForm) -> str:
    view = _budget(place)
    return page(
        "agreements/revised_plan.html",
        grant=place.grant,
        place=place,
        revision=place.revision,
        budget=view,
        form=form,
    )


# --- the description ------------------------------------------------------------------------------------------


@bp.get("/grants/<ref>/preparation/text/<key>")
@requires(P.AGREEMENT_READ)
def revised_text(ref: str, key: str) -> Any:
    """One section of the description of action, beside what was applied for."""
    place = _place(ref)
    found = _section(place, key)
    return _text_page(place, found, _text_form(found))


@bp.post("/grants/<ref>/preparation/text/<key>")
@requires(P.AGREEMENT_ANSWER)
def revise_text(ref: str, key: str) -> Any:
    """Save every answer that can be; what somebody else changed meanwhile comes back beside what was typed."""
    place = _place(ref)
    found = _section(place, key)
    form = _text_form(found)
    try:
        saved = services.revise_text(current_actor(), place.grant.id, key, form.answers(), shown=form.shown())
    except Conflict as error:
        return _text_clash(ref, key, (), form.answers(), f"{error} What you typed stands below.")
    except Invalid as error:
        form.place_problems(error)
    except Refused as error:
        form.add_problem(error)
    else:
        if saved.contested:
            return _text_clash(ref, key, saved.contested, [each.typed for each in saved.contested])
        flash(f"Saved {clock.in_zone(clock.now()):%H:%M}.", "success")
        return see_other(".revised_text", ref=ref, key=key)
    return _text_page(place, found, form), 422


def _section(place: Place, key: str) -> SectionView:
    """A section without its questions for files: those stay with the application."""
    if place.grant.dossier_id is None:
        raise NotFound
    found = dossiers.dossier(place.grant.dossier_id).section(key)
    kept = tuple(each for each in found.questions if each.question.kind is not QuestionKind.FILE)
    return replace(found, questions=kept)


def _text_form(found: SectionView) -> SectionForm:
    form = section_form(found)
    del form.complete
    return form


def _text_clash(ref: str, key: str, contested: Iterable[Contested], typed: Iterable[Answer], sentence: str = "") -> Any:
    place = _place(ref)
    found = _section(place, key)
    form = form_after_clash(found, typed)
    del form.complete
    clashes = tuple(merging.clash_of(found.question(each.question).question, each) for each in contested)
    form.problems.append(sentence or merging.clash_sentence(clashes, current_actor().user_id))
    return _text_page(place, found, form, clashes), 409


def _text_page(place: Place, found: SectionView, form: SectionForm, clashes: tuple[Clash, ...] = ()) -> str:
    savers = {clash.contested.saved_by for clash in clashes if clash.contested.saved_by}
    return page(
        "agreements/revised_text.html",
        grant=place.grant,
        place=place,
        revision=place.revision,
        section=found,
        form=form,
        clashes=clashes,
        savers=identity.people(savers) if savers else {},
        changes=[each for each in place.revision.text if each.section.key == found.key],
    )
