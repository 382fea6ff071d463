"""What the letter of one application would say: the words of its outcome filled in, its report, and what of it is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from grants.applications import rules as application_rules
from grants.awards import ranking, rules
from grants.awards.rules.letter_words import below_words, empty_words, filled
from grants.awards.rules.letterhead import Addressee, GrantingAuthority, letterhead, told_words
from grants.awards.rules.letters import DecisionText, Hindrance, LetterException, Report, ReportRow, TextView
from grants.awards.states import Outcome
from grants.calls.rules import CallView
from grants.calls.states import ScoreMethod
from grants.core import clock
from grants.core.text import ended
from grants.evaluation.rules import AgreedWords, shift_words


def outcome_of(item: Any) -> Outcome:
    """Who moved up from the reserve list has money of its own."""
    return Outcome.SELECTED if item.entry_id is not None else Outcome(item.outcome)


@dataclass(frozen=True, slots=True)
class Draft:
    """The letter of one application as it would be sent, what of it is missing, and what each place of its words becomes."""

    text: DecisionText
    missing: tuple[LetterException, ...]
    places: Mapping[str, str]


def drafted(
    call: CallView,
    item: Any,
    places: Mapping[UUID, str],
    texts: Mapping[Outcome, TextView],
    agreed: AgreedWords | None,
    reasons: Mapping[UUID, str],
    public: bool,
    authority: GrantingAuthority,
) -> Draft:
    """The letter of one application as it would be sent now."""
    outcome = outcome_of(item)
    report = _report(call, item, agreed, reasons.get(item.application_id, ""))
    values = _values(call, item, report, places.get(item.application_id, ""), public)
    paragraphs, empty = filled(texts[outcome].text, values)
    missing = [LetterException(Hindrance.EMPTY_PLACE, empty_words(name, public=public)) for name in empty]
    by_consensus = call.content.scoring.method is ScoreMethod.CONSENSUS
    said = agreed is not None and (agreed.text.strip() or any(mark.comment.strip() for mark in agreed.marks))
    if by_consensus and not said:
        missing.insert(0, LetterException(Hindrance.NO_CONSENSUS, "The consensus has no words for its applicant."))
    window = call.content.complaints
    text = DecisionText(
        outcome,
        call.programme.name,
        call.title,
        call.reference,
        item.reference,
        item.title,
        item.lead,
        paragraphs,
        report,
        complaint_days=None if window is None or outcome is Outcome.SELECTED else window.window_days,
        letterhead=letterhead(_addressee(item), authority, item.reference, item.title, call.title),
        outcome_told=told_words(outcome, values["amount"], values["reserve_place"]),
    )
    return Draft(text, tuple(missing), values)


def _addressee(item: Any) -> Addressee:
    known = (item.contact, item.street, item.postcode, item.town, item.country_code)
    return Addressee(item.lead, *(each or "" for each in known))


def _values(call: CallView, item: Any, report: Report, place: str, public: bool) -> dict[str, str]:
    """What stands in the letter of one application for each place a text may name; no mark before results are public."""
    public_at = call.results_public_at
    below = item.threshold_words if public else below_words(call.content.criteria, rules.halves_kept(item.halves or {}))
    total = f"{report.score}" if report.score else f"{report.total} of {report.total_most}"
    condition = item.conditions.strip()
    return {
        "application": item.title,
        "reference": item.reference,
        "lead": item.lead,
        "call": call.title,
        "call_reference": call.reference,
        "programme": call.programme.name,
        "requested": str(item.requested) if item.requested is not None else "",
        "amount": str(item.amount),
        "conditions": f"It is selected on this condition: {condition}" if condition else "No condition is attached.",
        "score": total if public and (report.total or report.score) else "",
        "below": below,
        "why": _reason(item, below),
        "reserve_place": place,
        "complaints": _complaints(call),
        "results_public": _moment(public_at, call.zone) if public_at else "no date was set when this letter was prepared; the page of the call names it once there is one",
    }  # fmt: skip


def _reason(item: Any, below: str) -> str:
    """Why the outcome of one application is what it is, as the confirmed list says it."""
    match outcome_of(item):
        case Outcome.SELECTED:
            return rules.selected_words(Outcome(item.outcome), item.rule_words, item.reference)
        case Outcome.RESERVE | Outcome.NOT_FUNDED:
            return rules.kept_out_words(item.rule_words, item.departures or (), item.reference, item.order_told or "")
        case Outcome.BELOW_THRESHOLD:
            return below


def _complaints(call: CallView) -> str:
    """How one can object: what the call says of it, else its rules in words."""
    redress, where = call.fact("evaluation.redress"), call.content.complaints_to_words
    if call.content.complaints is not None and not call.content.complaints_to.address:
        # A letter on paper has no link: it says where.
        where = (f"One complains on the page of the application, by “{application_rules.COMPLAIN}”.", *where)
    if not redress.absent:
        said = ended(redress.text)
        # What is taken here is said by its own rules; else one has to know where to turn.
        if call.content.complaints is not None:
            return " ".join((said, *where))
        if where:
            return " ".join((said, *where, "The call names no last day for it."))
        return (
            f"{said} Write to the programme, {call.programme.name}, by “Ask the helpdesk” on the page of your application. "
            "The call names no last day for it."
        )
    return " ".join((*(call.content.complaints.sentences if call.content.complaints is not None else ()), *where))


def _moment(at: datetime, zone: str) -> str:
    local = clock.in_zone(at, zone)
    return f"{clock.long_date(local.date())}, {local:%H:%M}"


def _report(call: CallView, item: Any, agreed: AgreedWords | None, reason: str) -> Report:
    """The evaluation summary report from what was frozen with the list and agreed by the evaluators."""
    marking, points = call.content.marking, rules.points
    halves = rules.halves_kept(item.halves or {})
    words = {mark.criterion: mark.comment for mark in agreed.marks} if agreed else {}
    told = tuple(
        ReportRow(
            one.name, one.question, points(halves[one.key]) if one.key in halves else "", points(marking.most_half(one)),
            "" if one.threshold_half is None else points(one.threshold_half), words.get(one.key, ""),
        )
        for one in call.content.criteria
    )  # fmt: skip
    whole = [halves[one.key] for one in call.content.criteria if one.key in halves]
    total = points(sum(whole)) if whole and len(whole) == len(told) else ""
    moved = item.shift_half
    weighs = item.score is not None and (marking.weighted or marking.scoring.board_shift_half)
    return Report(
        told,
        total,
        points(marking.total_max_half),
        "" if marking.sum_least_half is None else points(marking.sum_least_half),
        f"{ranking.score_words(Fraction(item.score))} of {ranking.score_words(marking.score_max)}" if weighs else "",
        "" if marking.score_least_half is None else points(marking.score_least_half),
        item.basis,
        marking.scale.words,
        f"The panel moved the score by {shift_words(moved)}." if moved else "",
        reason if moved else "",
        agreed.text if agreed else "",
    )
