"""The page on which an application says which actions and barriers of its cities' contracts it serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import flash, request

from grants.applications import queries, rules, services
from grants.applications.forms import ServingForm
from grants.applications.queries import Workplace
from grants.applications.rules import Served, ServingInput
from grants.applications.views.frame import bp, team_context
from grants.cities.rules import DOMAIN_WORDS, KIND_WORDS, ActionView
from grants.core.errors import Conflict
from grants.core.permissions import Permission
from grants.web.routing import current_actor, page, requires, see_other

# Far more than is stored: what is too long comes back as it was typed.
TYPED_CHARACTERS_MAX = 5_000


@bp.get("/applications/<ref>/serving")
@requires(Permission.APPLICATION_READ)
def serving(ref: str) -> Any:
    """What the application serves, and the lists of its cities to choose from."""
    place = queries.workplace(current_actor(), ref)
    form = ServingForm(formdata=None, mark=rules.serving_mark(place.serves))
    own = [(each.title, each.sentence) for each in place.serves if not each.action_id]
    return _page(place, form, _standing(place), own)


def _standing(place: Workplace) -> dict[str, tuple[bool, str]]:
    return {str(each.action_id): (True, each.sentence) for each in place.serves if each.action_id}


@bp.post("/applications/<ref>/serving")
@requires(Permission.APPLICATION_EDIT)
def save_serving(ref: str) -> Any:
    """Store it; what is wrong, or was changed meanwhile, comes back as typed."""
    form, place = ServingForm(), queries.workplace(current_actor(), ref)
    listed, own = _typed(queries.offered_actions(place.application), request.form)
    # What is unticked and says what stood there is taken back; words that are new are never thrown away.
    stood = {each: sentence for each, (_, sentence) in _standing(place).items()}
    listed = {
        each: (named, sentence)
        for each, (named, sentence) in listed.items()
        if named or sentence != stood.get(each, "")
    }
    status = 422
    try:
        if form.validate_on_submit():
            with form.refusals():
                services.save_serving(current_actor(), place.application.id, _given(listed, own), form.mark.data)
                flash("What the application serves is saved.", "success")
                return see_other(".serving", ref=ref)
    except Conflict as error:
        place, status = queries.workplace(current_actor(), ref), 409
        form.overtaken(str(error), rules.serving_mark(place.serves))
    return _page(place, form, listed, own, stored=place.serves if status == 409 else ()), status


def _typed(
    offered: Sequence[ActionView], sent: Mapping[str, str]
) -> tuple[dict[str, tuple[bool, str]], list[tuple[str, str]]]:
    """Lines that are ticked or have a sentence, each with both, and those in own words, as typed."""

    def words(name: str) -> str:
        text = sent.get(name, "").replace("\r\n", "\n")[:TYPED_CHARACTERS_MAX]
        return text if text.strip() else ""

    found = {str(each.id): (f"serves_{each.id}" in sent, words(f"sentence_{each.id}")) for each in offered}
    listed = {each: given for each, given in found.items() if any(given)}
    own = [(words(f"own_title_{place}"), words(f"own_sentence_{place}")) for place in range(rules.OWN_MAX)]
    return listed, own


def _given(listed: Mapping[str, tuple[bool, str]], own: Sequence[tuple[str, str]]) -> list[ServingInput]:
    return [
        *(ServingInput(words, action_id=UUID(each), named=named) for each, (named, words) in listed.items()),
        *(ServingInput(sentence, own_title=title) for title, sentence in own),
    ]


def _page(
    place: Workplace,
    form: ServingForm,
    listed: Mapping[str, tuple[bool, str]],
    own: Sequence[tuple[str, str]],
    *,
    stored: Sequence[Served] = (),
) -> str:
    lists: dict[str, list[ActionView]] = {}
    for each in queries.offered_actions(place.application):
        if each.withdrawn_on is None or str(each.id) in listed:
            lists.setdefault(each.city, []).append(each)
    filled = [pair for pair in own if any(pair)]
    return page(
        "applications/serving.html",
        form=form,
        lists=lists,
        listed=listed,
        stored=stored,
        kinds=KIND_WORDS,
        domains=DOMAIN_WORDS,
        own=[*filled, *[("", "")] * min(2, rules.OWN_MAX - len(filled))],
        **team_context(place),
    )
