"""The conditions of a grant in preparation: what was stated and judged, and who reads and answers which of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from grants.agreements import rules
from grants.agreements.models import Beneficiary, DueDiligenceItem, Grant, PreparationFact, PreparationVerdict
from grants.agreements.queries.reach import scope_of_view
from grants.agreements.rules import AnswerView, Asked, ConditionView, EvidenceView, GrantView, Party, Tick, VerdictView
from grants.agreements.states import CheckAnswer, ConditionKey, Verdict
from grants.applications.models import ApplicationPartner
from grants.calls import queries as calls
from grants.core import acts, clock
from grants.core.db import db
from grants.core.files import StoredFile
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, reader, side_by_side
from grants.identity import queries as identity
from grants.identity.models import User

_judge = aliased(User)
# So many answers of a grant are looked through for one with the same bytes.
ANSWERS_MAX = 100


@reader
def conditions(grant: GrantView) -> Asking[tuple[ConditionView, ...]]:
    """Every condition of a grant as it stands today, in one statement; who may read which is
    :func:`reach_of`'s.
    """
    of_parties = (each.organisation_id for each in grant.beneficiaries)
    about: list[Asking[Any]] = [
        answers_of.asking([grant.id]),
        identity.with_facts.asking(of_parties),
        calls.call_by_id.asking(grant.call_id),
    ]
    answers, entities, call = yield from side_by_side(about)
    parties = tuple(
        Party(each.organisation_id, each.name, each.maximum, each.is_coordinator, entities[each.organisation_id][1])
        for each in grant.beneficiaries
    )
    today = clock.today()
    given = [answer for _, answer in answers]
    return rules.conditions(asked_of(grant), parties, given, today=today, ceiling=call.content.de_minimis_ceiling)


def conditions_now(grant: GrantView) -> tuple[ConditionView, ...]:
    """The same inside an act, as of its moment."""
    acts.running_act()
    with clock.at(acts.moment()):
        return conditions(grant)


def asked_of(grant: GrantView) -> tuple[Asked, ...]:
    """The conditions a grant has, with the ticks of officers that stand."""
    return tuple(
        Asked(
            ConditionKey(check.key),
            check.label,
            check.due_on,
            check.version,
            None
            if check.answer is CheckAnswer.OPEN
            else Tick(check.answer, check.note, check.evidence_on, check.answered_by, check.answered_at),
        )
        for check in grant.checks
    )


_OF_ANSWER = (
    PreparationFact.grant_id, PreparationFact.id, PreparationFact.kind, PreparationFact.organisation_id,
    PreparationFact.number, PreparationFact.content, PreparationFact.evidence_on, PreparationFact.valid_from,
    PreparationFact.valid_until, PreparationFact.stated_by, PreparationFact.stated_at, User.name.label("stated_name"),
    PreparationVerdict.verdict, PreparationVerdict.words, PreparationVerdict.decided_at,
    _judge.name.label("judge_name"), StoredFile.name.label("file_name"), StoredFile.sha256,
)  # fmt: skip


@reader
def answers_of(grant_ids: Collection[UUID]) -> Asking[tuple[tuple[UUID, AnswerView], ...]]:
    """The answers of some grants, each with its grant, in the order they were stated."""
    rows = yield from ask(
        select(*_OF_ANSWER)
        .select_from(PreparationFact)
        .join(User, User.id == PreparationFact.stated_by)
        .outerjoin(PreparationVerdict, PreparationVerdict.fact_id == PreparationFact.id)
        .outerjoin(_judge, _judge.id == PreparationVerdict.decided_by)
        .outerjoin(StoredFile, StoredFile.id == PreparationFact.file_id)
        .where(PreparationFact.grant_id.in_(list(grant_ids)))
        .order_by(PreparationFact.grant_id, PreparationFact.number)
    )
    return tuple((row.grant_id, _answer(row)) for row in rows)


def _answer(row: Any) -> AnswerView:
    verdict = VerdictView(Verdict(row.verdict), row.words, row.judge_name, row.decided_at) if row.verdict else None
    key = ConditionKey(row.kind)
    return AnswerView(
        id=row.id,
        key=key,
        organisation_id=row.organisation_id,
        number=row.number,
        content=rules.decoded(key, row.content),
        evidence_on=row.evidence_on,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        stated_by=row.stated_by,
        stated_by_name=row.stated_name,
        stated_at=row.stated_at,
        evidence=EvidenceView(row.file_name, row.sha256) if row.sha256 else None,
        verdict=verdict,
    )


@reader
def reach_of(actor: Actor, grant: GrantView) -> Asking[frozenset[UUID] | None]:
    """Whose conditions this person reads and, where they answer at all, answers: None for everybody's.

    The programme, and who sends reports for the whole consortium, read all; a partner its own organisation's.
    """
    lies = scope_of_view(grant)
    if not actor.may(Permission.AGREEMENT_ANSWER, lies) or actor.may(Permission.REPORT_SUBMIT, lies):
        return None
    spoken_for = yield from ask(
        select(ApplicationPartner.organisation_id).where(
            ApplicationPartner.application_id == grant.application_id,
            ApplicationPartner.contact_user_id == actor.user_id,
        )
    )
    own = actor.organisation_ids | {row.organisation_id for row in spoken_for}
    return own & {each.organisation_id for each in grant.beneficiaries}


def evidence(grant_id: UUID, sha256: str) -> list[tuple[UUID, ConditionKey, UUID | None]]:
    """The files with these bytes among the answers of a grant, the newest first: its id, and what it answered for whom."""
    found = db.session.execute(
        select(StoredFile.id, PreparationFact.kind, PreparationFact.organisation_id)
        .join(PreparationFact, PreparationFact.file_id == StoredFile.id)
        .where(PreparationFact.grant_id == grant_id, StoredFile.sha256 == sha256)
        .order_by(PreparationFact.number.desc())
        .limit(ANSWERS_MAX)
    )
    return [(row.id, ConditionKey(row.kind), row.organisation_id) for row in found]


@reader
def spoken_for(actor: Actor, grants: Collection[Grant]) -> Asking[dict[UUID, frozenset[UUID]]]:
    """For which organisations of each grant this person is the contact of the application, in one statement."""
    if not grants:
        return {}
    of_application = {row.application_id: row.id for row in grants}
    rows = yield from ask(
        select(ApplicationPartner.application_id, ApplicationPartner.organisation_id).where(
            ApplicationPartner.application_id.in_(list(of_application)),
            ApplicationPartner.contact_user_id == actor.user_id,
        )
    )
    return {
        grant_id: frozenset(row.organisation_id for row in rows if row.application_id == application_id)
        for application_id, grant_id in of_application.items()
    }


@reader
def answered_for(grants: Collection[Grant]) -> Asking[dict[UUID, tuple[ConditionView, ...]]]:
    """The conditions of several grants by what was answered, for home pages; what the register says is left out. One statement."""
    ids = [row.id for row in grants]
    if not ids:
        return {}
    about: list[Asking[Any]] = [
        answers_of.asking(ids),
        ask(_of_grants(DueDiligenceItem, ids, DueDiligenceItem.position, DueDiligenceItem.key)),
        ask(_of_grants(Beneficiary, ids, Beneficiary.position)),
    ]
    answers, items, shares = yield from side_by_side(about)
    today = clock.today()
    return {
        found: rules.conditions(
            [_asked(item) for item in items if item.grant_id == found],
            [
                Party(each.organisation_id, "", each.maximum, each.is_coordinator)
                for each in shares
                if each.grant_id == found
            ],
            [answer for grant_id, answer in answers if grant_id == found],
            today=today,
        )
        for found in ids
    }


def _asked(item: DueDiligenceItem) -> Asked:
    answer = CheckAnswer(item.answer)
    tick = None if answer is CheckAnswer.OPEN else Tick(answer, item.note, item.evidence_on, None, item.answered_at)
    return Asked(ConditionKey(item.key), item.label, item.due_on, item.version, tick)


def _of_grants(model: Any, grant_ids: Collection[UUID], *order: Any) -> Select[Any]:
    return select(model).where(model.grant_id.in_(list(grant_ids))).order_by(model.grant_id, *order)
