"""What everybody reads of a decided call, and the page that decides on the names of its evaluators."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from flask import Response, flash, request

from grants.awards import queries, services
from grants.awards.forms.experts import SHOWN_WORDS, NamesForm
from grants.awards.rules.experts import EVALUATORS_LEAST, NamesPage
from grants.awards.rules.publication import withheld_words
from grants.awards.states import NamesShown
from grants.awards.views.frame import P, bp
from grants.calls.rules import SCRIPT
from grants.core import clock
from grants.core.permissions import Scope
from grants.core.text import CSV_MARK, csv_lines
from grants.web.routing import current_actor, page, public, requires, see_other

AWARDS_COLUMNS = (
    "Application",
    "Lead",
    "Country",
    "Cities",
    "Recommended amount, EUR",
    "Selected on",
    "Months",
    "Description",
    "Note",
)


@bp.get("/calls/<slug>/awards")
@public
def public_awards(slug: str) -> Any:
    """The awards of a call, for everybody."""
    call, rows, withheld, gone = queries.public.awards(current_actor(), slug, clock.now())
    return page(
        "awards/awards.html",
        call=call,
        rows=rows,
        withheld=withheld_words(withheld),
        gone=gone,
        complaints=queries.complaints.public_counts(call.id),
        draw=queries.public.draw_of(call),
        script=SCRIPT,
    )


@bp.get("/calls/<slug>/awards.csv")
@public
def public_awards_csv(slug: str) -> Any:
    """The same as a file."""
    call, rows, withheld, gone = queries.public.awards(current_actor(), slug, clock.now())
    months = call.content.duration_months
    lines: list[tuple[Any, ...]] = [
        (
            *(row.title, row.lead, row.country, row.cities, row.amount, row.decided_on, months),
            *(row.description, "Invented" * row.invented),
        )
        for row in rows
    ]
    # A list that is not whole says so where it ends, in the column of notes.
    for said in filter(None, (gone, withheld_words(withheld))):
        lines.append(("",) * (len(AWARDS_COLUMNS) - 1) + (said,))
    answer = Response(CSV_MARK + csv_lines([AWARDS_COLUMNS, *lines]), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f"attachment; filename=awards-{call.slug}.csv"
    return answer


@bp.get("/calls/<slug>/awards.json")
@public
def public_awards_json(slug: str) -> Any:
    """The same for programs; an amount is in whole cents."""
    call, rows, withheld, gone = queries.public.awards(current_actor(), slug, clock.now())
    assert call.results_public_at is not None, "the results are public"
    told = {
        "call": {"reference": call.reference, "title": call.title},
        "public_since": call.results_public_at.isoformat(),
        "awards": [
            {
                "application": row.title, "lead": row.lead, "country": row.country, "cities": row.cities,
                "recommended_cents": row.amount.cents, "currency": row.amount.currency,
                "selected_on": row.decided_on.isoformat() if row.decided_on else None,
                "months": call.content.duration_months, "description": row.description or None, "amount_invented": row.invented,
            }
            for row in rows
        ],
        "notes": [*filter(None, (gone, withheld_words(withheld)))],
    }  # fmt: skip
    answer = Response(json.dumps(told, ensure_ascii=False, indent=1), mimetype="application/json")
    answer.headers["Content-Disposition"] = f"attachment; filename=awards-{call.slug}.json"
    return answer


@bp.get("/calls/<slug>/experts")
@public
def experts(slug: str) -> Any:
    """Who assessed in a call, by name, never with what they assessed."""
    call, names = queries.public.published_names(current_actor(), slug, clock.now())
    return page("awards/experts.html", title=f"Evaluators of {call.title}", names=names)


@bp.get("/experts/<int(min=2000,max=2200):year>")
@public
def experts_of_year(year: int) -> Any:
    """Who assessed in a year, in whichever call."""
    names = queries.public.names_of_year(year, clock.now())
    return page("awards/experts.html", title=f"Evaluators of {year}", names=names)


@bp.get("/calls/<slug>/decision/names")
@requires(*queries.public.READS_NAMES)
def names(slug: str) -> Any:
    """How the names of evaluators are published, and who is left out."""
    shown = queries.public.names_page(current_actor(), slug, clock.now())
    form = NamesForm(formdata=None, data={"shown": shown.shown.value, "version": str(shown.number)})
    return _names(shown, form.offering(shown))


def _names(shown: NamesPage, form: NamesForm) -> str:
    typed = {key: request.form.get(f"out-{key}", shown.left_out.get(key, "")) for key, _ in shown.people}
    decides = current_actor().may(P.SELECTION_PUBLISH_RESULTS, Scope.of(("call", shown.call_id)))
    return page(
        "awards/names.html",
        shown=shown,
        form=form,
        typed=typed,
        least=EVALUATORS_LEAST,
        decides=decides,
        words=SHOWN_WORDS,
    )


@bp.post("/calls/<slug>/decision/names")
@requires(P.SELECTION_PUBLISH_RESULTS)
def decide_names(slug: str) -> Any:
    """Decide where the names stand."""
    shown = queries.public.names_page(current_actor(), slug, clock.now())
    form = NamesForm().offering(shown)
    if form.validate_on_submit():
        with form.attempt():
            out = {key: words for key, words in _typed(shown).items() if words.strip()}
            where = NamesShown(form.shown.data)
            services.decide_names(current_actor(), shown.call_id, where, out, form.version_shown())
            flash("It is decided how the names of the evaluators are published.")
            return see_other(".names", slug=slug)
    if form.clashed:
        form.comes_again(queries.public.names_page(current_actor(), slug, clock.now()).number)
    return _names(shown, form), 409 if form.clashed else 422


def _typed(shown: NamesPage) -> dict[UUID, str]:
    return {key: request.form.get(f"out-{key}", "") for key, _ in shown.people}
