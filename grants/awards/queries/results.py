"""The result of one application as its own team reads it, once the results of the call are public."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import func, select

from grants.applications import queries as applications
from grants.applications.rules import ApplicationView
from grants.applications.states import ApplicationState
from grants.awards import ranking, rules
from grants.awards.models import Complaint, DecisionLetter, Selection, SelectionItem
from grants.awards.queries.selections import plan_of
from grants.awards.rules import ResultPage, ResultScore
from grants.awards.rules.complaints import ABOUT_OUTCOMES
from grants.awards.rules.letters import DecisionText
from grants.awards.rules.settling import Settlement
from grants.awards.states import ComplaintState, LetterState, Outcome, Remedy, SelectionKind, SelectionState
from grants.calls.rules import Draw
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.permissions import Actor
from grants.core.together import Asking, alone, ask, reader, side_by_side
from grants.evaluation import queries as evaluation
from grants.evaluation.rules import AgreedWords, MarkInput, shift_words


def result(actor: Actor, reference: str, at: datetime) -> ResultPage:
    """How an application fared and why, for its team; :class:`NotFound` for everybody else, and before it has a result.

    Before the results of the call are public the page says when, and nothing else.
    """
    application = applications.view_for_team(applications.team_id_of(actor, reference))
    letter = select(func.max(DecisionLetter.sent_at)).where(
        DecisionLetter.application_id == application.id, DecisionLetter.state == LetterState.SENT.value
    )
    found = db.session.execute(
        select(SelectionItem, Selection, letter.scalar_subquery())
        .join(Selection, Selection.id == SelectionItem.selection_id)
        .where(SelectionItem.application_id == application.id, Selection.state == SelectionState.CONFIRMED.value)
        .order_by(Selection.number.desc())
        .limit(1)
    ).one_or_none()
    if found is None or application.outcome_unknown:
        raise NotFound
    item, selection, letter_sent = found
    confirmed_at = selection.confirmed_at
    if selection.kind == SelectionKind.PUBLISHED_OUTCOME.value:
        # What was published elsewhere is public by its source.
        return ResultPage(application, True, True, Outcome(item.outcome))
    if not application.call.results_are_public(at):
        return ResultPage(application, False, False, letter_sent=letter_sent)
    assert confirmed_at is not None, "a confirmed list has its moment"
    words, repeats = alone(_words_and_repeats(application, confirmed_at))
    last = next((each for each in reversed(repeats) if each.settled_outcome is not None), None)
    settlement = None if last is None else Settlement.from_mapping(last.settlement)
    # Who moved up from the reserve list has money of its own.
    outcome = (
        Outcome.SELECTED
        if item.entry_id is not None and not application.untold
        else settlement.outcome
        if settlement
        else Outcome(item.outcome)
    )
    return replace(
        _told(application, item, selection.rules, plan_of(selection).draw, outcome, words, settlement),
        repeating=any(each.settled_at is None for each in repeats),
        settled_words=settlement.words if settlement else "",
        settled_at=last.settled_at if last else None,
        letter_sent=letter_sent,
    )


# Above every threshold, and a rule or the money kept it out.
_KEPT_OUT = (Outcome.RESERVE, Outcome.NOT_FUNDED)


@reader
def evaluation_told(
    application: ApplicationView, about: ApplicationState, before: datetime | None
) -> Asking[ResultPage | None]:
    """What the applicant had read of the evaluation when they complained ``about`` it, for those who review that.

    Whatever was corrected or settled since: the first decision stays the first. None where it is in no list.
    """
    items = yield from ask(
        select(SelectionItem, Selection.confirmed_at, Selection.rules)
        .join(Selection, Selection.id == SelectionItem.selection_id)
        .where(
            SelectionItem.application_id == application.id,
            Selection.state == SelectionState.CONFIRMED.value,
            Selection.kind == SelectionKind.RANKED.value,
        )
        .order_by(Selection.number.desc())
        .limit(1)
    )
    if not items or about not in ABOUT_OUTCOMES:
        return None
    words, repeats = yield from _words_and_repeats(application, items[0].confirmed_at)
    settled = [
        each
        for each in repeats
        if each.settled_outcome is not None and before is not None and each.settled_at <= before
    ]
    settlement = Settlement.from_mapping(settled[-1].settlement) if settled else None
    return _told(
        application, items[0], items[0].rules, plan_of(items[0]).draw, ABOUT_OUTCOMES[about], words, settlement
    )


def _words_and_repeats(
    application: ApplicationView, confirmed_at: datetime
) -> Asking[tuple[AgreedWords, Sequence[Any]]]:
    """The words of the first result as they were told, whatever became of its consensus, and how often it was repeated.

    They are those of the letter of decision, where one was sent before anything was repeated; else those the evaluators
    had agreed on when the list was confirmed. One statement.
    """
    criteria = application.call.content.criteria
    asked: list[Asking[Any]] = [
        ask(
            select(Complaint.decided_at, Complaint.settled_at, Complaint.settled_outcome, Complaint.settlement)
            .where(
                Complaint.application_id == application.id,
                Complaint.remedy == Remedy.REPEAT.value,
                Complaint.state == ComplaintState.UPHELD.value,
            )
            .order_by(Complaint.decided_at)
        ),
        ask(
            select(DecisionLetter.sent_content, DecisionLetter.sent_at)
            .where(DecisionLetter.application_id == application.id, DecisionLetter.state == LetterState.SENT.value)
            .order_by(DecisionLetter.sent_at)
        ),
        evaluation.agreed_before.asking(application.id, criteria, confirmed_at),
    ]
    repeats, letters, agreed = yield from side_by_side(asked)
    told = [each for each in letters if not repeats or each.sent_at < repeats[0].decided_at]
    if told:
        report = DecisionText.from_mapping(told[-1].sent_content).report
        said = {row.name: row.comment for row in report.rows}
        marks = tuple(MarkInput(one.key, None, said.get(one.name, "")) for one in criteria)
        return AgreedWords(marks, report.text), repeats
    return agreed or AgreedWords((), ""), repeats


def _told(
    application: ApplicationView,
    item: Any,
    decided_by: Mapping[str, Any],
    draw: Draw | None,
    outcome: Outcome,
    first: AgreedWords,
    settlement: Settlement | None,
) -> ResultPage:
    criteria, marking = application.call.content.criteria, application.call.content.marking
    # What a repeated evaluation was settled as, else the scores the list was decided by, as they were frozen.
    standing: Any = settlement or item
    words = {mark.criterion: mark.comment for mark in first.marks}
    if settlement is not None:
        words = dict(settlement.comments)
    halves = rules.halves_kept(standing.halves or {})
    return ResultPage(
        application,
        False,
        True,
        outcome,
        standing.threshold_words,
        tuple(
            ResultScore(
                one.name,
                one.question,
                halves.get(one.key),
                one.threshold_half,
                words.get(one.key, ""),
                marking.most_half(one),
            )
            for one in criteria
        ),
        settlement.text if settlement else first.text,
        _weighted(application, standing.score),
        standing.basis,
        f"The panel moved the score by {shift_words(standing.shift_half)}." if standing.shift_half else "",
        "" if settlement or draw is None else draw.place_words(application.reference),
        ""
        if settlement or outcome not in _KEPT_OUT
        else rules.kept_out_words(
            item.rule_words, decided_by.get("departures", ()), application.reference, decided_by.get("order_told", "")
        ),
        item.conditions if outcome is Outcome.SELECTED else "",
    )


def _weighted(application: ApplicationView, score: str | None) -> str:
    """The weighted score in words where the criteria of the call have weights; empty where they count alike."""
    marking = application.call.content.marking
    if score is None or not (marking.weighted or marking.scoring.board_shift_half):
        return ""
    return f"{ranking.score_words(Fraction(score))} of {ranking.score_words(marking.score_max)}"
