"""What a ranked list is made of as it would be decided now: its applications, their scores, the rules, what is worked out of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, SelectBase, select
from sqlalchemy.orm import aliased

from grants.applications.models import Application, ApplicationPartner
from grants.applications.states import ApplicationState, Origin, PartnerState
from grants.awards import ranking, rules
from grants.awards.queries.sheets import intervals_now
from grants.awards.queries.solves import answers_kept
from grants.awards.ranking import NOT_WORKED_OUT, Bar, Known, RankedList, RankingRules, Scored, Solved
from grants.awards.rules import LISTS_KEPT, Facts, Plan
from grants.awards.states import LineRule, Outcome
from grants.calls import queries as calls
from grants.calls.rules import TIE_WORDS, CallContent, CallView, Intervals
from grants.calls.states import ThresholdBasis
from grants.cities.models import City
from grants.cities.states import OrganisationLink
from grants.core.db import among
from grants.core.errors import Refused
from grants.core.kept import ByIdentity
from grants.core.money import ZERO, Money
from grants.core.together import Asking, RawAnswer, ask, ask_lately, ask_raw, reader, side_by_side
from grants.evaluation import queries as evaluation
from grants.evaluation.rules import OfficialScore, topic_choices
from grants.identity.models import Organisation


def ranking_rules(content: CallContent, line: LineRule, reserve_max: int | None) -> RankingRules:
    """How this call ranks: its criteria, thresholds and order for ties, with the chosen rule at the line."""
    marking, scoring = content.marking, content.scoring
    bars = tuple(Bar(one.key, one.name, one.weight, one.threshold_half, marking.marks(one)) for one in content.criteria)
    return RankingRules(
        bars,
        content.total_threshold_half,
        content.tie_order,
        line,
        reserve_max,
        means=scoring.by_mean,
        total_on_score=scoring.total_threshold_on is ThresholdBasis.SCORE,
        shift_max_half=scoring.board_shift_half,
    )


class Listed(NamedTuple):
    """Of an application what a list is made from: a page of a long list reads no more of each."""

    id: UUID
    reference: str
    title: str
    state: str
    requested: Money | None


Tying = tuple[frozenset[str], str]


@dataclass(frozen=True, slots=True)
class Read:
    """What a list is made from: those with an official score, those without, their scores, and the money that is free."""

    ready: tuple[Listed, ...]
    waiting: tuple[Listed, ...]
    scores: Mapping[UUID, OfficialScore]
    free: Money
    # By which rank intervals the group at the line is found, where the call draws by them.
    intervals: Intervals | None = None
    # What rules for ties look at, where the call has such: the topics each chose, by their labels, and its lead's country.
    tying: Mapping[UUID, Tying] = field(default_factory=dict)


# Made once: an alias made anew copies every column of its table.
_IDS = aliased(Application)


@reader
def scored(call: CallView, stands_at: str | None = None) -> Asking[Read]:
    """The applications under evaluation with their official scores; one statement.

    Asked anew on every look, but for a page that says at what the database stands: where that is as at the last look, only
    what hangs on the moment too is asked. What follows from the answers is worked out where they are not those of the last look.
    """
    standing = select(_IDS.id).where(
        _IDS.call_id == call.id,
        _IDS.state == ApplicationState.UNDER_EVALUATION.value,
        _IDS.origin == Origin.SUBMITTED_HERE.value,
    )

    def wanted(column: Any) -> ColumnElement[bool]:
        found: ColumnElement[bool] = column.in_(standing)
        return found

    def lasting() -> list[SelectBase]:
        of_call = _in_state(call.id, ApplicationState.UNDER_EVALUATION)
        return [of_call, *evaluation.score_questions(call.content, wanted)]

    content = ByIdentity(call.content)
    of_moment = evaluation.score_questions_of_moment(call.content, wanted)
    lists: list[Asking[Any]] = [
        ask_lately(stands_at, (call.id, content), lasting), ask_raw(of_moment), calls.free.asking(call.id)
    ]  # fmt: skip
    answers, now, free = yield from side_by_side(lists)
    read = _read(content, free, (*answers, *now))
    intervals = yield from intervals_now.asking(call, {row.id: row.reference for row in read.ready})
    tying = yield from tying_of.asking(call.content, [row.id for row in read.ready])
    return read if intervals is None and not tying else replace(read, intervals=intervals, tying=tying)


@reader
def tying_of(content: CallContent, application_ids: Sequence[UUID]) -> Asking[dict[UUID, Tying]]:
    """What the rules for ties of a call look at; nothing, and no statement, where they look at scores alone."""
    if TIE_WORDS.keys().isdisjoint(content.tie_order):
        return {}
    asked: list[Asking[Any]] = [evaluation.topics_picked.asking(application_ids), facts_of.asking(application_ids)]
    picked, facts = yield from side_by_side(asked)
    labels = dict(topic_choices(content.definition))
    return {
        key: (frozenset(labels.get(topic, topic) for topic in picked.get(key, ())), facts.get(key, Facts()).country)
        for key in application_ids
    }


@lru_cache(maxsize=LISTS_KEPT)
def _read(content: ByIdentity[CallContent], free: Money, answers: tuple[RawAnswer, ...]) -> Read:
    rows, *marks = (each.rows for each in answers)
    applications = tuple(map(Listed._make, rows))
    scores = evaluation.scores_of(content.value, [row.id for row in applications], marks)
    ready = tuple(row for row in applications if scores[row.id].halves is not None)
    waiting = tuple(row for row in applications if scores[row.id].halves is None)
    return Read(ready, waiting, scores, free)


def scored_beside(
    call: CallView, beside: Callable[[Sequence[UUID]], Iterable[Asking[Any]]]
) -> Asking[tuple[Read, list[Any]]]:
    """The same, and what is asked of them then."""
    read = yield from scored.asking(call)
    ids = [row.id for row in (*read.ready, *read.waiting)]
    return read, (yield from side_by_side(beside(ids)))


def ranked(
    content: CallContent, plan: Plan, read: Read, order: Sequence[UUID] | None = None, drawn: Sequence[UUID] = ()
) -> RankedList:
    """The official list before any rule of selection, with the panel's order for ties unless another is given."""
    order = panel_order(plan, read) if order is None else order
    bars = ranking_rules(content, plan.line, plan.rules.reserve_max)
    return ranking.rank([_scored(row, read) for row in read.ready], bars, read.free, order, drawn)


def panel_order(plan: Plan, read: Read) -> list[UUID]:
    """The panel's order of tied applications."""
    by_reference = {row.reference: row.id for row in read.ready}
    return [by_reference[reference] for reference in plan.panel_order if reference in by_reference]


def planned(
    content: CallContent, plan: Plan, read: Read, facts: Mapping[UUID, Facts], known: Known | None = None
) -> RankedList:
    """The list as a plan selects from it, its group at the line drawn by lot where the call says so."""

    def made(order: Sequence[UUID], drawn: Sequence[UUID]) -> RankedList:
        return ranking.within(ranked(content, plan, read, order, drawn), plan, facts, known)

    if plan.intervals is None:
        plan = replace(plan, intervals=read.intervals)
    rules, order = plan.draw.rules if plan.draw else content.draw, panel_order(plan, read)
    return made(order, ()) if rules is None else ranking.drawn_list(made, rules, plan, order)


def reckoned(content: CallContent, plan: Plan, read: Read, facts: Mapping[UUID, Facts], known: Known) -> RankedList:
    """The same; where it is not worked out, or too hard, the ranks with nothing selected and the sentence that says so."""
    try:
        return planned(content, plan, read, facts, known)
    except Refused as error:
        found = ranked(content, plan, read)
        rows = tuple(
            row if row.outcome is Outcome.BELOW_THRESHOLD else replace(row, outcome=Outcome.NOT_FUNDED)
            for row in found.rows
        )
        # Too hard is no proof that nothing fits: nothing is selected, and it may be asked for again.
        return replace(
            found, rows=rows, used=ZERO, relaxed=(str(error),), unsolved=True, question_sha256=known.question_sha256
        )


def why_told(found: RankedList) -> tuple[str, ...]:
    """The sentences of a list that a page tells beside it: that nobody asked for it yet has a notice of its own."""
    return tuple(each for each in found.relaxed if each != NOT_WORKED_OUT)


LiveList = tuple[RankedList, tuple[Listed, ...], Mapping[UUID, OfficialScore]]


@reader
def live_list(call: CallView, plan: Plan, stands_at: str | None = None) -> Asking[LiveList]:
    """The list as it would be decided now, with the applications without an official score. For acts and pages.

    What takes a solver is looked up; where it is not there the list is ``unsolved`` and says so. Only a page says at what
    the database stands.
    """
    read, facts, kept = yield from _made_from(call, plan, stands_at)
    if plan.is_plain:
        return _by_rank(ByIdentity(call.content), plan, ByIdentity(read)), read.waiting, read.scores
    return reckoned(call.content, plan, read, facts, Known(kept)), read.waiting, read.scores


@lru_cache(maxsize=LISTS_KEPT)
def _by_rank(content: ByIdentity[CallContent], plan: Plan, read: ByIdentity[Read]) -> RankedList:
    return reckoned(content.value, plan, read.value, {}, Known(()))


@reader
def solved_list(call: CallView, plan: Plan) -> Asking[LiveList]:
    """The same for the act that draws, before which nobody could ask: what is not there is worked out, under its locks.

    Raises :class:`Refused` where that is too hard.
    """
    read, facts, kept = yield from _made_from(call, plan)
    return planned(call.content, plan, read, facts, Known(kept, solves=True)), read.waiting, read.scores


def _made_from(
    call: CallView, plan: Plan, stands_at: str | None = None
) -> Asking[tuple[Read, Mapping[UUID, Facts], tuple[Solved, ...]]]:
    """What a plan selects from, the facts its rules ask for, and the answers that are kept."""
    if plan.is_plain:
        return (yield from scored.asking(call, stands_at)), {}, ()
    read, (facts, kept) = yield from scored_beside(
        call, lambda ids: (facts_of.asking(ids), _answers_for(call.id, plan))
    )
    return read, of_ready(read, facts), kept


def of_ready(read: Read, facts: Mapping[UUID, Facts]) -> Mapping[UUID, Facts]:
    """Of what was asked of all, that of those with an official score: a rule selects from these alone."""
    return {row.id: facts[row.id] for row in read.ready if row.id in facts}


def _answers_for(call_id: UUID, plan: Plan) -> Asking[tuple[Solved, ...]]:
    return (yield from answers_kept.asking(call_id)) if plan.has_minima else ()


@reader
def facts_of(application_ids: Sequence[UUID]) -> Asking[dict[UUID, Facts]]:
    """Country of the lead, and the cities with their inhabitants, of each application; one statement."""
    leads, cities = yield [
        select(Application.id, Organisation.country_code)
        .join(Organisation, Organisation.id == Application.coordinator_id)
        .where(among(Application.id, application_ids)),
        select(ApplicationPartner.application_id, City.name, City.population)
        .join(City, City.organisation_id == ApplicationPartner.organisation_id)
        .where(
            among(ApplicationPartner.application_id, application_ids),
            ApplicationPartner.state != PartnerState.DECLINED.value,
            City.organisation_link != OrganisationLink.UNDONE.value,
        )
        .order_by(ApplicationPartner.application_id, City.name),
    ]
    named: dict[UUID, dict[str, int | None]] = {}
    for application_id, name, people in cities:
        named.setdefault(application_id, {})[name] = people
    return {
        key: Facts(
            country or "",
            frozenset(named.get(key, {})),
            tuple((name, people) for name, people in named.get(key, {}).items() if people),
        )
        for key, country in leads
    }


@reader
def forgotten(call_id: UUID) -> Asking[tuple[Listed, ...]]:
    """Applications sent in here that a list decided now would forget: not checked yet, or eligible and not evaluated."""
    return (yield from in_state.asking(call_id, ApplicationState.SUBMITTED, ApplicationState.ELIGIBLE))


@reader
def in_state(call_id: UUID, *states: ApplicationState) -> Asking[tuple[Listed, ...]]:
    """The applications sent in here that are in one of these states, by reference, all of them."""
    return tuple(map(Listed._make, (yield from ask(_in_state(call_id, *states)))))


def _in_state(call_id: UUID, *states: ApplicationState) -> SelectBase:
    return (
        select(Application.id, Application.reference, Application.title, Application.state, Application.requested)
        .where(
            Application.call_id == call_id,
            Application.state.in_([state.value for state in states]),
            Application.origin == Origin.SUBMITTED_HERE.value,
        )
        # All of them: who decides is checked against each, and a list decided from a part would forget the rest.
        .order_by(Application.reference)
    )


def without_evaluation(rows: Sequence[Listed]) -> tuple[list[str], list[str]]:
    """The references of those nobody checked, and of those eligible that nobody evaluates."""
    unchecked = [row.reference for row in rows if row.state == ApplicationState.SUBMITTED.value]
    return unchecked, [row.reference for row in rows if row.state == ApplicationState.ELIGIBLE.value]


def _scored(row: Listed, read: Read) -> Scored:
    found = read.scores[row.id]
    topics, country = read.tying.get(row.id, (frozenset(), ""))
    halves = dict(found.halves or {})
    return Scored(row.id, row.reference, row.title, halves, row.requested or ZERO, found.shift_half, topics, country)


def hash_of(found: RankedList) -> str:
    """The hash of a list: what the person saw must be what is decided, and what is confirmed."""
    rows = [
        {
            "reference": row.reference, "rank": row.rank, "score": str(row.score),
            "halves": rules.kept_halves(row.halves),
            "amount": row.requested.cents, "outcome": row.outcome.value,
            # A list that nobody moved a score of has the hash it always had.
            **({"shift": row.shift_half} if row.shift_half else {}),
            # What only lists by more rules than rank and budget have.
            **({"rule": row.rule_words} if row.rule_words else {}),
            **({"recommended": row.amount.cents} if row.recommended is not None else {}),
            **({"conditions": row.conditions} if row.conditions else {}),
        }
        for row in found.rows
    ]  # fmt: skip
    return rules.list_hash([{"budget": found.budget.cents}, *rows])
