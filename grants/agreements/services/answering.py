"""Conditions of a preparation: stated with their evidence by one person, accepted or returned by another."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from sqlalchemy import func, select

from grants.agreements import queries, rules
from grants.agreements.models import DueDiligenceItem, Grant, PreparationFact, PreparationVerdict
from grants.agreements.queries import scope_of
from grants.agreements.rules import (
    AnswerView,
    ConditionInput,
    ConditionView,
    GrantView,
    PartView,
    PowerToSign,
    StateAid,
    VerdictInput,
)
from grants.agreements.services.conflicts import refuse_conflict
from grants.agreements.states import AskedOf, ConditionKey, ConditionStanding, ContactRole, GrantState, Verdict
from grants.calls import queries as calls
from grants.core import acts, clock, encoding, files
from grants.core.acts import act
from grants.core.db import db, get, locked
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.files import FileView, Incoming
from grants.core.money import Money
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.identity import services as people

FILES = "preparation"


@act(
    "preparation.state",
    needs=Permission.AGREEMENT_ANSWER,
    scope=scope_of,
    says="answered a condition of the preparation of {subject} for the city",
)
def state_condition(actor: Actor, grant_id: UUID, given: ConditionInput, incoming: Incoming | None = None) -> int:
    """The city answers a condition, with the evidence; a new answer replaces the one before. Returns its number.

    A partner answers for its own organisation, who sends reports for everybody.
    """
    grant, shown = _open_for(grant_id, given.key)
    asked = rules.CONDITIONS[given.key]
    if asked.asked_of is not AskedOf.CITY:
        raise Refused("The programme looks after this condition; there is nothing for you to answer.")
    own = queries.reach_of(actor, shown)
    rules.refuse_of_others(given.organisation_id, own, of_coordinator=asked.of_coordinator)
    return _state(actor, grant, shown, given, incoming)


@act(
    "preparation.record",
    needs=Permission.AGREEMENT_PREPARE,
    scope=scope_of,
    says="recorded a check of the programme in the preparation of {subject}",
)
def record_condition(actor: Actor, grant_id: UUID, given: ConditionInput, incoming: Incoming | None = None) -> int:
    """An officer records what the programme itself has to look at; a colleague then accepts it. Returns its number."""
    grant, shown = _in_preparation(grant_id)
    refuse_conflict(actor, grant_id)
    if rules.CONDITIONS[given.key].asked_of is not AskedOf.PROGRAMME:
        raise Refused("The city answers this condition, not the programme.")
    return _state(actor, grant, shown, given, incoming)


def _open_for(grant_id: UUID, key: ConditionKey) -> tuple[Grant, GrantView]:
    """A grant of which this condition is answered now: while it is in preparation, and the power to sign as long as it runs."""
    grant = locked(Grant, grant_id)
    if grant.state == GrantState.IN_FORCE.value and rules.is_answered_in(GrantState.IN_FORCE, key):
        return grant, queries.view(grant)
    return _in_preparation(grant_id)


def _in_preparation(grant_id: UUID) -> tuple[Grant, GrantView]:
    grant = locked(Grant, grant_id)
    if grant.state != GrantState.PREPARATION.value:
        raise Refused(
            "The conditions are closed: this grant is no longer in preparation. While it waits for signatures, the programme "
            "can take its offer back first."
        )
    rules.refuse_after(grant.preparation_ends_on, acts.today())
    return grant, queries.view(grant)


def _state(actor: Actor, grant: Grant, shown: GrantView, given: ConditionInput, incoming: Incoming | None) -> int:
    today = acts.today()
    part = _part(queries.conditions_now(shown), given.key, given.organisation_id)
    rules.refuse_stale(given.number, part.number)
    tidy = given.checked(today)
    _refuse_wrong(tidy, shown, today, calls.call_by_id(grant.call_id).content.de_minimis_ceiling)
    assert actor.user_id is not None, "only a person states something"
    row = PreparationFact(
        grant_id=grant.id,
        organisation_id=tidy.organisation_id,
        kind=tidy.key.value,
        number=1 + (last_number(grant.id) or 0),
        content=encoding.encode(tidy.content),
        evidence_on=tidy.evidence_on,
        valid_from=tidy.valid_from,
        valid_until=tidy.valid_until,
        file_id=_file(grant, part, tidy.key, incoming),
        stated_by=actor.user_id,
        stated_at=acts.moment(),
    )
    db.session.add(row)
    return row.number


def _part(found: tuple[ConditionView, ...], key: ConditionKey, organisation_id: UUID | None) -> PartView:
    """The part an answer is about; one that is not asked of this grant is not there."""
    view = next((each for each in found if each.key is key), None)
    part = next((each for each in view.parts if each.organisation_id == organisation_id), None) if view else None
    if part is None or (part.standing is ConditionStanding.NOT_ASKED and not part.answers):
        raise NotFound
    return part


def _refuse_wrong(given: ConditionInput, shown: GrantView, today: date, ceiling: Money) -> None:
    """What only the grant can tell: who may sign for it, and what aid it adds."""
    match given.content:
        case PowerToSign() as power:
            named = {each.user_id for each in shown.contacts if each.role is ContactRole.SIGNATORY}
            if not power.signer_ids <= named:
                raise Invalid(
                    "Somebody of this power is not named as signatory of this grant.",
                    {"signer": "Choose somebody who is named as signatory, or ask the programme to name them first."},
                )
        case StateAid() as aid:
            maximum = next(
                each.maximum for each in shown.beneficiaries if each.organisation_id == given.organisation_id
            )
            if problem := rules.aid_problem(aid, maximum, ceiling, today):
                raise Invalid("The grant cannot be given as de minimis aid.", {"kind": problem})
        case _:
            return


def last_number(grant_id: UUID) -> int | None:
    """The number of the newest answer of a grant; None where none was given."""
    return db.session.scalar(select(func.max(PreparationFact.number)).where(PreparationFact.grant_id == grant_id))


def _file(grant: Grant, part: PartView, key: ConditionKey, incoming: Incoming | None) -> UUID | None:
    """The evidence that came, or that of the answer before."""
    if incoming is not None:
        return files.keep(incoming, kind=FILES, object_id=grant.id, role=f"{key.value}-{part.place}").id
    before = get(PreparationFact, part.answer.id).file_id if part.answer else None
    if before is None and rules.CONDITIONS[key].needs_file:
        raise Invalid(
            "The evidence is missing.", {"file": "Choose the file that shows it: the decision, the signed declaration."}
        )
    return before


@act(
    "preparation.accept",
    needs=Permission.AGREEMENT_PREPARE,
    scope=scope_of,
    says="accepted an answer in the preparation of {subject}",
)
def accept_answer(actor: Actor, grant_id: UUID, given: VerdictInput) -> None:
    """Another person than the one who stated it accepts the answer that was shown."""
    _judge(actor, grant_id, given, Verdict.ACCEPTED)


@act(
    "preparation.return",
    needs=Permission.AGREEMENT_PREPARE,
    scope=scope_of,
    says="returned an answer in the preparation of {subject}",
)
def return_answer(actor: Actor, grant_id: UUID, given: VerdictInput) -> None:
    """Return the answer that was shown, with what is missing; who stated it, and who answers for the city, are told."""
    if not clean_text(given.words):
        raise Invalid(
            "Say what is missing.", {"words": "Say what is wrong or missing, so that it can be answered again."}
        )
    shown, answer = _judge(actor, grant_id, given, Verdict.RETURNED)
    told = {answer.stated_by}
    if rules.CONDITIONS[given.key].asked_of is AskedOf.CITY:
        told |= {each.user_id for each in shown.contacts if each.role is ContactRole.LEAD}
    people.mail(
        sorted(told),
        "agreement_condition_returned",
        "grant",
        grant_id,
        reference=shown.reference,
        title=shown.title,
        condition=rules.CONDITIONS[given.key].label,
        words=clean_text(given.words),
        officer=actor.name,
    )


def judge_answer(actor: Actor, answer: AnswerView, verdict: Verdict, words: str) -> None:
    """Plain helper of who judges what was stated: once, by another person whom nothing ties to who stated it."""
    if answer.verdict is not None:
        raise Conflict(f"{answer.verdict.by} has {answer.verdict.verdict} this answer meanwhile. Reload the page.")
    rules.refuse_own_answer(answer.stated_by, actor.user_id)
    people.refuse_tied_to(actor.user_id, (answer.stated_by, answer.stated_at))
    db.session.add(
        PreparationVerdict(
            fact_id=answer.id,
            stated_by=answer.stated_by,
            verdict=verdict.value,
            words=clean_text(words),
            decided_by=actor.user_id,
            decided_at=acts.moment(),
        )
    )


def _judge(actor: Actor, grant_id: UUID, given: VerdictInput, verdict: Verdict) -> tuple[GrantView, AnswerView]:
    _, shown = _open_for(grant_id, given.key)
    refuse_conflict(actor, grant_id)
    part = _part(queries.conditions_now(shown), given.key, given.organisation_id)
    rules.refuse_stale(given.number, part.number)
    answer = part.answer
    if answer is None:
        raise Refused("Nothing was answered yet, so there is nothing to accept or return.")
    judge_answer(actor, answer, verdict, given.words)
    return shown, answer


@act(
    "preparation.set_due",
    needs=Permission.AGREEMENT_PREPARE,
    scope=scope_of,
    says="set by when the conditions of {subject} are answered",
)
def set_due(actor: Actor, grant_id: UUID, days: Mapping[str, date | None]) -> None:
    """Say by when each condition should be answered; an empty day takes it out. None lies after the last day of all."""
    grant, _ = _in_preparation(grant_id)
    refuse_conflict(actor, grant_id)
    ends_on = grant.preparation_ends_on
    rows = db.session.scalars(select(DueDiligenceItem).where(DueDiligenceItem.grant_id == grant_id)).all()
    late = {key: day for key, day in days.items() if day is not None and ends_on is not None and day > ends_on}
    if late and ends_on is not None:
        sentence = f"The preparation ends on {clock.long_date(ends_on)}. Enter that day or an earlier one."
        raise Invalid("A day lies after the end of the preparation.", {f"due_{key}": sentence for key in late})
    for row in rows:
        if row.key in days and row.due_on != days[row.key]:
            row.due_on = days[row.key]


@act(
    "preparation.open_evidence",
    needs=Permission.AGREEMENT_READ,
    scope=queries.lies_in,
    says="opened evidence of the preparation of {subject}",
)
def open_evidence(actor: Actor, grant_id: UUID, sha256: str) -> FileView:
    """Hand out the file an answer brought, to whoever reads that answer; who took it is kept."""
    shown = queries.view(get(Grant, grant_id))
    acts.subject("grant_agreement", grant_id)
    own = queries.reach_of(actor, shown)
    # Several may have brought the same bytes: each hands out what its own answer brought.
    for file_id, key, organisation_id in queries.evidence(grant_id, sha256):
        # The power of a partner that accedes is the partner's own.
        whole = organisation_id is None and not rules.CONDITIONS[key].of_coordinator
        if own is None or whole or organisation_id in own:
            return files.view(file_id)
    raise NotFound
