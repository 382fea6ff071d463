"""Writing on a consensus: each score and text saved by itself, who else writes, and every earlier version of a field."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import jsonify, request

from grants.core import clock, presence
from grants.core.errors import Invalid
from grants.core.permissions import Actor
from grants.dossiers import merging
from grants.dossiers import rules as dossiers
from grants.dossiers.forms import read_number
from grants.dossiers.merging import AnswerChanged
from grants.evaluation import queries, rules, services
from grants.evaluation.rules import ConsensusPage
from grants.evaluation.views.contested import contested_json, stand_again, words_of
from grants.evaluation.views.frame import P, bp
from grants.web.forms import DeedForm
from grants.web.routing import current_actor, page, requires, said_in_json, see_other


@bp.post("/consensus/<ref>/fields/<name>")
@requires(P.CONSENSUS_WRITE)
def save_consensus_field(ref: str, name: str) -> Any:
    """Save one score or text of the draft and say in JSON how it stands; contested, both texts and a draft of both come back."""
    actor = current_actor()
    application_id = queries.consensus_application(actor, ref)
    values, number = tuple(request.form.getlist("value")), read_number(request.form.get("number"))
    try:
        saved = services.save_consensus_field(actor, application_id, name, values, number)
    except AnswerChanged as error:
        return contested_json(merging.clash_of(error.question, error.contested), _who_was_first(actor, error))
    except Invalid as error:
        return said_in_json(422, " ".join(error.problems.values()) or str(error))
    criterion = rules.criterion_commented(name)
    text = "".join(values if saved.other is None else saved.other)
    return jsonify(
        number=saved.number,
        saved_at=f"{clock.in_zone(saved.saved_at):%H:%M}",
        problem=None,
        lacking=dict(saved.missing),
        other=saved.other,
        borrowed=words_of(rules.borrowed(text, queries.words_on(application_id, criterion))) if criterion else None,
    )


def _who_was_first(actor: Actor, error: AnswerChanged) -> str:
    at, by = f"{clock.in_zone(error.contested.saved_at):%H:%M}", error.contested.saved_by
    if by == actor.user_id:
        return f"You saved something else at {at} in another window of yours."
    names = queries.writers([by])
    return f"{names[by].name if by in names else 'Somebody else'} saved something else at {at}."


@bp.post("/consensus/<ref>/presence")
@requires(P.CONSENSUS_WRITE)
def be_at_consensus(ref: str) -> Any:
    """Say in which field one writes, or by an empty one that one has left, and hear who else writes on this consensus."""
    actor = current_actor()
    application_id, spot = queries.consensus_application(actor, ref), request.form.get("question", "")[:60]
    assert actor.user_id is not None, "the route asks for a person"
    place = f"consensus:{application_id}"
    others = presence.arrive(place, actor.user_id, actor.name, spot) if spot else presence.leave(place, actor.user_id)
    return jsonify(
        others=[{"question": each.spot, "sentence": f"{each.name} is writing here."} for each in others],
    )


# --- every earlier version --------------------------------------------------------------------------------------


@bp.get("/consensus/<ref>/history/<name>")
@requires(P.CONSENSUS_WRITE, P.ASSESSMENT_READ_ALL)
def consensus_field_history(ref: str, name: str) -> Any:
    """Every version of one score or text of the consensus: who, when, and what changed."""
    return _history_page(queries.consensus_page(current_actor(), ref), name, DeedForm())


@bp.post("/consensus/<ref>/history/<name>")
@requires(P.CONSENSUS_WRITE)
def restore_consensus_field(ref: str, name: str) -> Any:
    """Save an earlier version again as the newest one, while the consensus is a draft."""
    shown, form = queries.consensus_page(current_actor(), ref), DeedForm()
    question = queries.consensus_field(shown, name)
    version = queries.consensus_field_version(shown, name, read_number(request.form.get("version")))
    save = partial(services.save_consensus_field, current_actor(), shown.head.id, name)
    status = stand_again(form, question, version, save)
    if status == 303:
        return see_other(".consensus_field_history", ref=ref, name=name)
    return _history_page(queries.consensus_page(current_actor(), ref), name, form), status


def _history_page(shown: ConsensusPage, name: str, form: DeedForm) -> str:
    question, before = queries.consensus_field(shown, name), read_number(request.args.get("before"))
    history = queries.consensus_field_history(shown, name, before if before > 0 else None)
    people = queries.writers({each.saved_by for sitting in history.sittings for each in sitting.versions})
    return page(
        "evaluation/consensus_field_history.html", shown=shown, question=question, history=history, people=people,
        paragraphs=dossiers.paragraphs, form=form,
    )  # fmt: skip
