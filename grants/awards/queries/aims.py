"""What other aims would select beside the list, and what they take of each application: never a decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import cast, func, select
from sqlalchemy.dialects.postgresql import JSONPATH

from grants.applications.models import Application, Submission
from grants.awards import ranking
from grants.awards.models import RankingRun
from grants.awards.queries.advice import assesses
from grants.awards.queries.lists import shown_list, standing_of
from grants.awards.queries.ranked import Read, facts_of, of_ready, planned, ranked, scored_beside
from grants.awards.queries.selections import opened
from grants.awards.queries.sheets import newest_run
from grants.awards.queries.solves import ANSWERED, answers_kept
from grants.awards.ranking import Candidate, Known, Limits, NotWorkedOut, RankedList, Worths
from grants.awards.rules import AIMED_NAMED_MAX, Aimed, AimedRow, Facts, Plan, WhatIfPage, plan_of
from grants.awards.rules import aims as rules
from grants.awards.states import AdviceKind
from grants.calls.rules import CallView
from grants.core.db import among
from grants.core.errors import Refused
from grants.core.money import Money, total
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.dossiers.rules import Question


@reader
def what_ifs(actor: Actor, slug: str) -> Asking[WhatIfPage]:
    """What other aims would select within the rules of the call, beside the list; empty for whoever sees a part of it."""
    call, views = yield from opened.asking(actor, slug)
    plan, standing = plan_of(call.content.selection), standing_of(views)
    if standing is not None:
        # Nobody is under evaluation any more.
        return WhatIfPage(call.slug, call.title, False, decided=standing.number)
    asked: list[Asking[Any]] = [
        shown_list(actor, call, views, plan), with_worths(call), answers_kept.asking(call.id, ANSWERED),
        _reads_advice(actor, call.id),
    ]  # fmt: skip
    shown, (read, facts, worths), kept, reads_advice = yield from side_by_side(asked)
    if shown.partial:
        return WhatIfPage(call.slug, call.title, True)
    if all(row.rank is None for row in shown.rows):
        return WhatIfPage(call.slug, call.title, False, call_id=call.id, nobody=True)
    try:
        found, unknown, aims, passed = _aimed(call, plan, read, facts, worths, Known(kept), reads_advice)
    except NotWorkedOut:
        return WhatIfPage(call.slug, call.title, False, call_id=call.id, unsolved=True)
    except Refused as error:
        return WhatIfPage(call.slug, call.title, False, call_id=call.id, problems=(str(error),))
    every = (
        AimedRow(each.reference, each.title, each.rank, tuple(one.get(each.application_id) for one in passed))
        for each in shown.rows
        if each.rank is not None
    )
    rows = tuple(row for row in every if row.tells)
    return WhatIfPage(
        call.slug, call.title, False, found, rows[:AIMED_NAMED_MAX], max(0, len(rows) - AIMED_NAMED_MAX), unknown,
        call_id=call.id, heads=tuple(aim.measured for aim in aims), notes=tuple(worths.notes[aim] for aim in aims if aim in worths.notes),
    )  # fmt: skip


def _reads_advice(actor: Actor, call_id: UUID) -> Asking[bool]:
    """Whether this person reads the advice, and so what is made of its chances: who decides and assesses nothing here."""
    if not actor.may(Permission.CONSENSUS_WRITE, Scope.of(("call", call_id))):
        return False
    return not (yield from assesses(actor, call_id))


def official_candidates(
    call: CallView, plan: Plan, read: Read, facts: Mapping[UUID, Facts], worths: Worths
) -> tuple[list[Candidate], Limits]:
    """Who stands above the thresholds, with what every aim takes of them, and the limits of the plan."""
    official = ranked(call.content, plan, read)
    return worths.of(ranking.candidates_of(official, plan, facts)), ranking.limits_of(official, plan)


def _aimed(
    call: CallView,
    plan: Plan,
    read: Read,
    facts: Mapping[UUID, Facts],
    worths: Worths,
    known: Known,
    reads_advice: bool,
) -> tuple[tuple[Aimed, ...], tuple[str, ...], list[ranking.Aim], list[Mapping[UUID, int]]]:
    """What the list selects and each other aim, why others are not offered, which are, and whom each set passes over."""
    candidates, limits = official_candidates(call, plan, read, facts, worths)
    why_not = {aim: worths.why_not(aim, candidates) for aim in ranking.Aim}
    if not reads_advice:
        why_not[ranking.Aim.QUALITY] = rules.NOT_READ
    aims = [aim for aim in ranking.Aim if not why_not[aim]]
    listed = planned(call.content, plan, read, facts, known)
    taken = frozenset(row.application_id for row in listed.selected)
    passed: list[Mapping[UUID, int]] = [ranking.passed_over(candidates, taken)]

    def measures(selected: frozenset[UUID]) -> tuple[str, ...]:
        chosen = [one for one in candidates if one.application_id in selected]
        used = total(one.amount for one in chosen)
        return tuple(aim.sum_words(aim.whole(chosen), used) for aim in aims)

    found = [_as_ranked(listed, facts, sum(passed[0].values()), measures(taken))]
    for aim in aims:
        if (best := known.aimed(candidates, limits, aim)) is not None:
            figures = len(best.selected), best.used, best.inversions, _shares(best.countries)
            found.append(Aimed(aim.words, *figures, measures(best.selected)))
            passed.append(ranking.passed_over(candidates, best.selected))
    unknown = tuple(f"{aim.words}: {why}." for aim, why in why_not.items() if why)
    return tuple(found), unknown, aims, passed


def _as_ranked(found: RankedList, facts: Mapping[UUID, Facts], inversions: int, measures: tuple[str, ...]) -> Aimed:
    shares = ranking.by_country((facts.get(row.application_id, Facts()).country, row.amount) for row in found.selected)
    used = total(row.amount for row in found.selected)
    return Aimed("As ranked", len(found.selected), used, inversions, _shares(shares), measures)


def _shares(countries: Mapping[str, tuple[int, Money]]) -> tuple[tuple[str, int, Money], ...]:
    return tuple((country, *share) for country, share in countries.items())


def with_worths(call: CallView) -> Asking[tuple[Read, Mapping[UUID, Facts], Worths]]:
    """What a list is made from, the facts its rules ask for, and what other aims take of each application."""
    question = rules.saving_question(call)

    def beside(ids: Sequence[UUID]) -> list[Asking[Any]]:
        return [facts_of.asking(ids), *([_answered(question.key, ids)] if question else [])]

    (read, (facts, *saved)), run = yield from both(scored_beside(call, beside), newest_run.asking(call.id))
    return read, of_ready(read, facts), _worths(read, question, saved[0] if saved else {}, run)


def _answered(key: str, application_ids: Sequence[UUID]) -> Asking[dict[UUID, int]]:
    """What each application wrote as this number in what it sent, in tenths; who wrote none, or less than zero, is not there."""
    standing = select(Application.submission_id).where(among(Application.id, application_ids))
    path = cast("$.answers.answers[*] ? (@.question == $key).text", JSONPATH)
    rows = yield from ask(
        select(
            Submission.application_id,
            func.jsonb_path_query_first(Submission.content, path, func.jsonb_build_object("key", key)),
        ).where(Submission.id.in_(standing))
    )
    found = {application_id: rules.tenths(text) for application_id, text in rows}
    return {application_id: tenths for application_id, tenths in found.items() if tenths > 0}


def _worths(read: Read, question: Question | None, saved: Mapping[UUID, int], run: RankingRun | None) -> Worths:
    notes, no_quality, no_climate = dict[ranking.Aim, str](), "", ""
    fundable: dict[UUID, float] = {}
    if run is None:
        no_quality = rules.NO_ADVICE
    elif run.kind != AdviceKind.FULL.value:
        no_quality = rules.ABSTAINS
    else:
        fundable = {UUID(row["id"]): row["fundable"] for row in run.result["rows"]}
        notes[ranking.Aim.QUALITY] = rules.quality_note(run.number)
    if question is None:
        no_climate = rules.NO_SAVING_QUESTION
    else:
        notes[ranking.Aim.CLIMATE] = rules.savings_note(question, sum(row.id not in saved for row in read.ready))
    return Worths(fundable, no_quality, saved, no_climate, notes)
