"""Writing in a section: its page, each answer saved while one types, who else is there, and every earlier version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from flask import Response, flash, jsonify, request

from grants.applications import queries, services
from grants.applications.queries import Workplace
from grants.applications.rules import AnswerInput, SectionInput
from grants.applications.views.frame import bp, team_context
from grants.calls.queries.questions import questions_beside
from grants.calls.rules import LANGUAGES
from grants.core import clock, presence
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.permissions import Permission
from grants.core.presence import Present
from grants.dossiers import merging
from grants.dossiers import queries as dossier_queries
from grants.dossiers import rules as dossier_rules
from grants.dossiers.forms import SectionForm, Unasked, form_after_clash, read_number, section_form, typed_unasked
from grants.dossiers.merging import AnswerChanged, Clash, Contested
from grants.dossiers.queries import SectionView
from grants.identity import queries as identity
from grants.web.forms import DeedForm
from grants.web.routing import current_actor, page, requires, said_in_json, see_other

NOT_ASKED = (
    "the call changed, and this is not asked here any more. Press “Save and stay here”: "
    "the page that comes shows what you typed, to be copied."
)


@bp.get("/applications/<ref>/sections/<key>")
@requires(Permission.APPLICATION_READ)
def section(ref: str, key: str) -> Any:
    """The questions of one section."""
    place = queries.workplace(current_actor(), ref)
    found = place.dossier.section(key)
    return _section_page(place, found, section_form(found))


@bp.post("/applications/<ref>/sections/<key>")
@requires(Permission.APPLICATION_EDIT)
def save_section(ref: str, key: str) -> Any:
    """Save whatever was typed; only what somebody else changed meanwhile comes back, with both texts."""
    place = queries.workplace(current_actor(), ref)
    if key not in {each.key for each in place.dossier.sections} and (unasked := _unasked(place, key)):
        return page("applications/not_asked.html", unasked=unasked, **team_context(place)), 409
    found = place.dossier.section(key)
    form = section_form(found)
    given = SectionInput(form.answers(), form.mark(), form.shown())
    try:
        saved = services.save_section(current_actor(), place.application.id, key, given)
    except Conflict as error:
        return _overtaken(ref, key, given, error)
    except Invalid as error:
        form.place_problems(error)
    except Refused as error:
        form.add_problem(error)
    else:
        return _clash_page(ref, key, saved.contested) if saved.contested else _after_saving(place, key)
    return _section_page(place, found, form), 422


def _unasked(place: Workplace, key: str) -> tuple[Unasked, ...]:
    """What the sent form holds for questions this section does not ask any more, since the call changed meanwhile."""
    asked = {item.question.key for each in place.dossier.sections if each.key == key for item in each.questions}
    return typed_unasked(asked, _elsewhere(place, key))


def _elsewhere(place: Workplace, key: str) -> Iterator[tuple[str, Unasked]]:
    """What has no place any more, and every question of the other sections with its answer: one may have moved there."""
    for kept in place.set_aside:
        yield kept.question, Unasked(kept.label, kept.text, kept.is_gone)
    for section in place.dossier.sections:
        for item in section.questions if section.key != key else ():
            text = "\n".join(dossier_rules.as_typed(item.question, item.answer))
            yield item.question.key, Unasked(item.question.label, text, is_gone=False)


def _after_saving(place: Workplace, key: str) -> Any:
    if unasked := _unasked(place, key):
        now = queries.workplace(current_actor(), place.application.reference)
        found = now.dossier.section(key)
        return _section_page(now, found, form_after_clash(found, ()), unasked=unasked), 409
    ref, following = place.application.reference, place.dossier.after(key)
    flash(f"Saved {clock.in_zone(clock.now(), place.application.call.zone):%H:%M}.", "success")
    # Nothing stops the saving; what does not fit is said all the same, also where the call changed meanwhile.
    for question in queries.workplace(current_actor(), ref).dossier.section(key).questions:
        if question.fault:
            flash(question.fault, "warning")
    match request.form.get("go"):
        case "stay":
            return see_other(".section", ref=ref, key=key)
        case "next" if following is not None:
            return see_other(".section", ref=ref, key=following.key)
    return see_other(".show", ref=ref)


def _clash_page(ref: str, key: str, contested: Iterable[Contested]) -> Any:
    """Everything else is stored; these come back with what stands, what was typed and a draft of both."""
    place = queries.workplace(current_actor(), ref)
    found = place.dossier.section(key)
    clashes = tuple(merging.clash_of(found.question(each.question).question, each) for each in contested)
    form = form_after_clash(found, [clash.contested.typed for clash in clashes])
    form.problems.append(merging.clash_sentence(clashes, current_actor().user_id))
    return _section_page(place, found, form, clashes), 409


def _overtaken(ref: str, key: str, given: SectionInput, error: Conflict) -> Any:
    """The act was refused as a whole (an old form sent again, two at one moment): what was typed stays on the page."""
    place = queries.workplace(current_actor(), ref)
    found = place.dossier.section(key)
    weighed = dossier_queries.weighed_now(place.dossier.id, key, given.answers, given.shown or ())
    clashes = tuple(merging.clash_of(found.question(each.question).question, each) for each in weighed.contested)
    form = form_after_clash(found, [*weighed.to_store, *(clash.contested.typed for clash in clashes)])
    form.problems.append(f"{error} What you typed stands below and is not saved yet.")
    return _section_page(place, found, form, clashes), 409


def _section_page(
    place: Workplace,
    found: SectionView,
    form: SectionForm,
    clashes: tuple[Clash, ...] = (),
    *,
    unasked: tuple[Unasked, ...] = (),
) -> str:
    criteria = {criterion.key: criterion.name for criterion in place.application.call.content.criteria}
    savers = {clash.contested.saved_by for clash in clashes if clash.contested.saved_by}
    return page(
        "applications/section.html",
        form=form,
        section=found,
        clashes=clashes,
        savers=identity.people(savers) if savers else {},
        criteria=criteria,
        languages=LANGUAGES,
        following=place.dossier.after(found.key),
        # A form that was sent may hold words for what is not asked here any more.
        unasked=unasked or (_unasked(place, found.key) if request.method == "POST" else ()),
        answered=questions_beside(place.application.call.id, found.key),
        **team_context(place),
    )


# --- saved while one types ------------------------------------------------------------------------------------


@bp.post("/applications/<ref>/sections/<key>/answers/<question>")
@requires(Permission.APPLICATION_EDIT)
def save_answer(ref: str, key: str, question: str) -> Any:
    """Save one answer and say in JSON how it stands; contested, both texts and a draft of both come back."""
    application_id = queries.team_id_of(current_actor(), ref)
    given = AnswerInput(question, tuple(request.form.getlist("value")), read_number(request.form.get("number")))
    try:
        kept = services.save_answer(current_actor(), application_id, key, given)
    except AnswerChanged as error:
        return _contested(ref, merging.clash_of(error.question, error.contested))
    except Invalid as error:
        return said_in_json(422, " ".join(error.problems.values()) or str(error))
    except NotFound:
        if _is_asked(ref, key, question):
            raise  # It is not the question that went: this person may not write here, or not any more.
        return said_in_json(404, NOT_ASKED)
    answer = kept.answer
    return jsonify(
        number=answer.number,
        saved_at=f"{clock.in_zone(answer.saved_at, kept.zone):%H:%M}" if answer.saved_at else "",
        words=answer.words,
        problem=answer.problem,
        section=answer.section.value,
        other=answer.other,
    )


def _is_asked(ref: str, key: str, question: str) -> bool:
    """Whether the question stands in its section; raises :class:`NotFound` for who may not see the application any more."""
    sections = queries.workplace(current_actor(), ref).dossier.sections
    return any(item.question.key == question for each in sections if each.key == key for item in each.questions)


def _contested(ref: str, clash: Clash) -> Response:
    view = queries.view(current_actor(), ref)
    contested, saved_by = clash.contested, clash.contested.saved_by
    people = identity.people([saved_by]) if saved_by else {}
    name = people[saved_by].name if saved_by in people else "Somebody"
    who = "You" if saved_by == current_actor().user_id else name
    where = " in another window of yours" if who == "You" else ""
    at = f"{clock.in_zone(contested.saved_at, view.call.zone):%H:%M}"
    question, merged = clash.question, clash.merged
    return said_in_json(
        409,
        f"{who} saved another text at {at}{where}.",
        by=name,
        number=contested.number,
        stored=dossier_rules.as_typed(question, contested.stored),
        stored_shown=dossier_rules.shown(question, contested.stored),
        merged=dossier_rules.as_typed(question, merged) if merged else None,
        merged_shown=dossier_rules.shown(question, merged) if merged else None,
        overlaps=clash.draft.overlaps if clash.draft else 0,
        own=who == "You",
    )


@bp.post("/applications/<ref>/sections/<key>/presence")
@requires(Permission.APPLICATION_EDIT)
def be_present(ref: str, key: str) -> Any:
    """Say in which field one is, or by an empty one that one has left, and hear who else is in the section."""
    actor = current_actor()
    application_id, spot = queries.team_id_of(actor, ref), request.form.get("question", "")[:60]
    assert actor.user_id is not None, "the route asks for a person"
    place = f"application:{application_id}:{key[:60]}"
    others = presence.arrive(place, actor.user_id, actor.name, spot) if spot else presence.leave(place, actor.user_id)
    return jsonify(others=[_seen(each) for each in others])


def _seen(other: Present) -> dict[str, str]:
    return {"question": other.spot, "sentence": f"{other.name} is writing here."}


# --- every earlier version ------------------------------------------------------------------------------------


@bp.get("/applications/<ref>/sections/<key>/history/<question>")
@requires(Permission.APPLICATION_READ)
def history(ref: str, key: str, question: str) -> Any:
    """Every version of one answer: who, when, and what changed."""
    place = queries.workplace(current_actor(), ref)
    return _history_page(place, place.dossier.section(key), question, DeedForm())


@bp.post("/applications/<ref>/sections/<key>/history/<question>")
@requires(Permission.APPLICATION_EDIT)
def restore(ref: str, key: str, question: str) -> Any:
    """Save an earlier version again as the newest one, by the act of saving."""
    place, form = queries.workplace(current_actor(), ref), DeedForm()
    found = place.dossier.section(key)
    asked = found.question(question).question
    version = dossier_queries.version_of(place.dossier.id, asked, read_number(request.form.get("version")))
    shown = read_number(request.form.get("shown"))
    given = AnswerInput(question, dossier_rules.as_typed(asked, version.answer), shown)
    status = 422
    try:
        with form.refusals():
            kept = services.save_answer(current_actor(), place.application.id, key, given)
            if kept.answer.other is None:
                flash(f"Version {version.number} stands again. What stood before is kept below it.", "success")
                return see_other(".history", ref=ref, key=key, question=question)
            status = 409
    except Conflict:
        status = 409
    if status == 409:
        form.problems.append("Somebody saved this answer while you were reading. Nothing was changed; look again.")
        place = queries.workplace(current_actor(), ref)
    return _history_page(place, found, question, form), status


def _history_page(place: Workplace, found: SectionView, question: str, form: DeedForm) -> str:
    item = place.dossier.section(found.key).question(question)
    before = read_number(request.args.get("before"))
    versions = dossier_queries.history(place.dossier.id, item.question, before=before if before > 0 else None)
    savers = {version.saved_by for sitting in versions.sittings for version in sitting.versions if version.saved_by}
    return page(
        "applications/history.html",
        section=found,
        item=item,
        history=versions,
        people=identity.people(savers),
        paragraphs=dossier_rules.paragraphs,
        form=form,
        **team_context(place),
    )
