"""The result of one application as its own team reads it, once the results of the call are public."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import func, select

from grants.applications import queries as applications
from grants.applications.rules import ApplicationView
from grants.awards import ranking, rules
from grants.awards.models import DecisionLetter, Selection, SelectionItem
from grants.awards.rules import ResultPage, ResultScore
from grants.awards.states import LetterState, Outcome, SelectionKind, SelectionState
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.permissions import Actor
from grants.core.together import Asking, alone, ask, reader
from grants.evaluation import queries as evaluation
from grants.evaluation.rules import AgreedWords, shift_words


def result(actor: Actor, reference: str, at: datetime) -> ResultPage:
    """How an application fared and why, for its team; :class:`NotFound` for everybody else, and before it has a result.

    Before the results of the call are public the page says when, and nothing else.
    """
    application = applications.view_by_id(applications.team_id_of(actor, reference))
    letter = select(func.max(DecisionLetter.sent_at)).where(
        DecisionLetter.application_id == application.id, DecisionLetter.state == LetterState.SENT.value
    )
    found = db.session.execute(
        select(SelectionItem, Selection.kind, letter.scalar_subquery())
        .join(Selection, Selection.id == SelectionItem.selection_id)
        .where(SelectionItem.application_id == application.id, Selection.state == SelectionState.CONFIRMED.value)
        .order_by(Selection.number.desc())
        .limit(1)
    ).one_or_none()
    if found is None:
        raise NotFound
    item, kind, letter_sent = found
    if kind == SelectionKind.PUBLISHED_OUTCOME.value:
        # What was published elsewhere is public by its source.
        return ResultPage(application, True, True, Outcome(item.outcome))
    public = application.call.results_are_public(at)
    shown = alone(_told(application, item)) if public else ResultPage(application, False, False)
    return replace(shown, letter_sent=letter_sent)


@reader
def evaluation_told(application: ApplicationView) -> Asking[ResultPage | None]:
    """What the applicant reads of the evaluation, for those who review a complaint about it; None where it is in no list."""
    items = yield from ask(
        select(SelectionItem)
        .join(Selection, Selection.id == SelectionItem.selection_id)
        .where(
            SelectionItem.application_id == application.id,
            Selection.state == SelectionState.CONFIRMED.value,
            Selection.kind == SelectionKind.RANKED.value,
        )
        .order_by(Selection.number.desc())
        .limit(1)
    )
    return (yield from _told(application, items[0])) if items else None


def _told(application: ApplicationView, item: Any) -> Asking[ResultPage]:
    criteria = application.call.content.criteria
    agreed = (yield from evaluation.agreed_words.asking(application.id, criteria)) or AgreedWords((), "")
    words = {mark.criterion: mark.comment for mark in agreed.marks}
    # The scores the list was decided by, as they were frozen.
    halves = rules.halves_kept(item.halves or {})
    return ResultPage(
        application,
        False,
        True,
        # Who moved up from the reserve list has money of its own.
        Outcome.SELECTED if item.entry_id is not None else Outcome(item.outcome),
        item.threshold_words,
        tuple(
            ResultScore(
                one.name,
                one.question,
                halves.get(one.key),
                one.threshold_half,
                words.get(one.key, ""),
                application.call.content.marking.most_half(one),
            )
            for one in criteria
        ),
        agreed.text,
        _weighted(application, item.score),
        item.basis,
        f"The panel moved the score by {shift_words(item.shift_half)}." if item.shift_half else "",
        item.conditions if item.entry_id is not None else "",
    )


def _weighted(application: ApplicationView, score: str | None) -> str:
    """The weighted score in words where the criteria of the call have weights; empty where they count alike."""
    marking = application.call.content.marking
    if score is None or not (marking.weighted or marking.scoring.board_shift_half):
        return ""
    return f"{ranking.score_words(Fraction(score))} of {ranking.score_words(marking.score_max)}"
