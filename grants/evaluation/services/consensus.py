"""Acts on the consensus of an application."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from grants.applications.models import Application
from grants.calls.rules import points
from grants.core import acts, faults
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.dossiers.merging import Shown
from grants.evaluation import queries, rules
from grants.evaluation.models import (
    Consensus,
    ConsensusAnswer,
    ConsensusScore,
    ConsensusVersion,
)
from grants.evaluation.rules import SheetInput
from grants.evaluation.services.drafting import (
    OpenConsensus,
    consensus_row,
    open_consensus,
    refuse_reading,
    refuse_unseen,
    store,
)
from grants.evaluation.services.scored import tell_panel
from grants.evaluation.states import CONSENSUS, Answer, ConsensusState
from grants.identity import services as people


def reopen_consensus(row: Consensus) -> None:
    """A proposed or agreed consensus is a draft again; agreements given to it count no more, a view stays with its version."""
    CONSENSUS.move(row, "reopen")
    row.proposed_at = row.agreed_at = row.minority_view = None
    row.agreed_by = []


def open_agreed(actor: Actor, row: Consensus, why: str, *, named: bool = True) -> None:
    """The same of an agreed one, inside an act: the panel is told, and what stood is kept until it is agreed anew.

    Not ``named``: who did it stays out of the log of the panel, as where that would tell whose conflict it was.
    """
    row.reopened = {"before": _marked(row), "why": why}
    reopen_consensus(row)
    tell_panel(
        actor.user_id or row.written_by, row.application_id, "the consensus is open again", row.reopened["before"], why,
        named=named,
    )  # fmt: skip


@act(
    "consensus.write",
    needs=Permission.CONSENSUS_WRITE,
    scope=queries.application_scope,
    says="wrote the consensus on {subject}",
)
def write_consensus(
    actor: Actor,
    application_id: UUID,
    values: SheetInput,
    version: int | None = None,
    shown: tuple[Shown, ...] | None = None,
) -> int:
    """Save the consensus as a draft; returns its new version.

    ``shown`` says which version of each field its writer saw. Where somebody else has written since, nothing is
    stored and :class:`~grants.evaluation.services.fields.FieldsChanged` names the fields.
    """
    opened = open_consensus(actor, application_id, version)
    store(opened, rules.tidy(values, opened.marking, opened.remark_words), shown)
    _keep_whole(opened)
    db.session.flush()
    return opened.row.version


@act(
    "consensus.propose",
    needs=Permission.CONSENSUS_WRITE,
    scope=queries.application_scope,
    says="proposed the consensus on {subject}",
)
def propose(
    actor: Actor,
    application_id: UUID,
    values: SheetInput,
    version: int | None = None,
    shown: tuple[Shown, ...] | None = None,
) -> None:
    """Put the consensus to the evaluators: every criterion scored, low scores with reasons, a text.

    What is proposed is what its sender saw: also where they changed nothing in a field that somebody else wrote since.
    """
    opened = open_consensus(actor, application_id, version)
    sheet = rules.tidy(values, opened.marking, opened.remark_words)
    rules.refuse_unfinished(sheet, opened.marking, "Write what the evaluators agreed on, for the applicant to read.")
    store(opened, sheet, shown)
    refuse_unseen(opened, sheet)
    _keep_whole(opened)
    row = opened.row
    CONSENSUS.move(row, "propose")
    row.proposed_at = acts.moment()
    others = [user_id for user_id in queries.seat_people(application_id) if user_id != actor.user_id]
    people.mail(others, "assignment_consensus", "application", application_id, reference=_reference(application_id))


def _keep_whole(opened: OpenConsensus) -> None:
    """Keep the scores and words as they stand as a version of the whole."""
    sheet = opened.sheet
    _version_of(opened.row, {mark.criterion: [mark.half, mark.comment] for mark in sheet.marks}, sheet.remark)


def _version_of(row: Consensus, marks: dict[str, Any], text: str) -> ConsensusVersion:
    """The version with these scores and words: the last one, or where it says something else a new one after it."""
    last = _last_version(row)
    if last is not None and (last.marks, last.text) == (marks, text):
        return last
    made = ConsensusVersion(
        consensus_id=row.id, number=last.number + 1 if last else 1, written_by=row.written_by, written_at=acts.moment(),
        marks=marks, text=text,
    )  # fmt: skip
    db.session.add(made)
    return made


def _last_version(row: Consensus) -> ConsensusVersion | None:
    return db.session.scalars(
        select(ConsensusVersion)
        .where(ConsensusVersion.consensus_id == row.id)
        .order_by(ConsensusVersion.number.desc())
        .limit(1)
    ).first()


def _answer(actor: Actor, row: Consensus, answer: Answer, words: str = "") -> None:
    """Keep by name what somebody says to the scores and words as they stand; what they said before stays before it."""
    assert actor.user_id is not None
    scores = db.session.scalars(select(ConsensusScore).where(ConsensusScore.consensus_id == row.id))
    # One proposed before versions were kept has its first now.
    standing = _version_of(row, {score.criterion: [score.half, score.comment] for score in scores}, row.text)
    db.session.flush()
    said = db.session.scalars(
        select(ConsensusAnswer)
        .where(ConsensusAnswer.version_id == standing.id, ConsensusAnswer.user_id == actor.user_id)
        .order_by(ConsensusAnswer.answered_at, ConsensusAnswer.answer, ConsensusAnswer.id)
    ).all()
    rules.refuse_said_again([(Answer(each.answer), each.words) for each in said], answer, words)
    db.session.add(
        ConsensusAnswer(
            version_id=standing.id, user_id=actor.user_id, answer=answer.value, words=words, answered_at=acts.moment()
        )
    )  # fmt: skip


@act(
    "consensus.take_back",
    needs=Permission.CONSENSUS_WRITE,
    scope=queries.application_scope,
    says="took the proposed consensus on {subject} back",
)
def take_back(actor: Actor, application_id: UUID, version: int | None = None) -> None:
    """Take a proposed consensus back to change it; agreements given to the old words no longer count."""
    refuse_reading(actor, application_id)
    row = consensus_row(application_id)
    if row is None:
        raise NotFound
    check_version(row, version)
    _refuse_not_with_them(row)
    CONSENSUS.move(row, "take_back")
    row.proposed_at, row.agreed_by = None, []


@act(
    "consensus.reopen",
    needs=Permission.CONSENSUS_WRITE,
    scope=queries.application_scope,
    says="opened the agreed consensus on {subject} again",
)
def reopen_agreed(actor: Actor, application_id: UUID, reason: str, version: int | None = None) -> None:
    """Open an agreed consensus again, with a reason that its evaluators are told: versions and what was said to them stay."""
    refuse_reading(actor, application_id)
    row = consensus_row(application_id)
    if row is None:
        raise NotFound
    check_version(row, version)
    words = rules.said_of_reopening(reason)
    if row.state != ConsensusState.AGREED.value:
        raise Refused(
            "This consensus is not agreed, so there is nothing to open again. Reload the page to see what stands."
        )
    acts.reason(words)
    _answer(actor, row, Answer.REOPENED, words)
    open_agreed(actor, row, words)
    people.mail(
        queries.seat_people(application_id), "consensus_reopened", "application", application_id,
        reference=_reference(application_id), reason=words,
    )  # fmt: skip


@act(
    "consensus.agree",
    needs=Permission.CONSENSUS_AGREE,
    scope=queries.application_scope,
    says="agreed to the consensus on {subject}",
)
def agree(actor: Actor, application_id: UUID, version: int | None = None) -> ConsensusState:
    """An evaluator agrees to the words and scores as shown; with the last of them the consensus stands."""
    assert actor.user_id is not None
    queries.refuse_conflict(actor.user_id, application_id)
    row = consensus_row(application_id)
    seated = queries.seat_people(application_id)
    if row is None or actor.user_id not in seated:
        raise NotFound
    check_version(row, version)
    _refuse_not_with_them(row)
    faults.point("four_eyes")
    if any(entry["user_id"] == str(actor.user_id) for entry in row.agreed_by):
        raise Refused("You have agreed to this consensus already. It counts; nothing more is asked of you.")
    _answer(actor, row, Answer.APPROVE)
    row.agreed_by = [*row.agreed_by, {"user_id": str(actor.user_id), "at": acts.moment().isoformat()}]
    if {UUID(entry["user_id"]) for entry in row.agreed_by} >= set(seated):
        _settle(actor, row)
    return ConsensusState(row.state)


@act(
    "consensus.dissent",
    needs=Permission.CONSENSUS_AGREE,
    scope=queries.application_scope,
    says="did not agree to the consensus on {subject}",
)
def dissent(actor: Actor, application_id: UUID, words: str, version: int | None = None) -> None:
    """An evaluator says what they hold instead: kept by name beside these very words, and an agreement given falls away."""
    assert actor.user_id is not None
    queries.refuse_conflict(actor.user_id, application_id)
    row = consensus_row(application_id)
    if row is None or actor.user_id not in queries.seat_people(application_id):
        raise NotFound
    check_version(row, version)
    _refuse_not_with_them(row)
    held = rules.said_of_dissent(words)
    _answer(actor, row, Answer.DISSENT, held)
    row.agreed_by = [entry for entry in row.agreed_by if entry["user_id"] != str(actor.user_id)]
    row.saves += 1
    people.mail(
        [row.written_by], "consensus_dissent", "application", application_id, reference=_reference(application_id)
    )


def _refuse_not_with_them(row: Consensus) -> None:
    if row.state != ConsensusState.PROPOSED.value:
        raise Refused("This consensus is not with the evaluators now. Reload the page to see what stands.")


def _settle(actor: Actor, row: Consensus) -> None:
    CONSENSUS.move(row, "settle")
    row.agreed_at = acts.moment()
    if row.reopened is not None:
        tell_panel(
            actor.user_id, row.application_id, f"agreed anew: {_marked(row)}, {_agreed_words(actor, row)}",
            row.reopened["before"], row.reopened["why"], named=False,
        )  # fmt: skip
        row.reopened = None


def _agreed_words(actor: Actor, row: Consensus) -> str:
    """Everybody who agreed, by name, and who closed it where not all did: the last of them agreed to no more than the others."""
    agreed = {UUID(entry["user_id"]) for entry in row.agreed_by}
    *others, last = sorted(
        name for user_id, name in queries.seat_people(row.application_id).items() if user_id in agreed
    )
    names = f"{', '.join(others)} and {last}" if others else last
    return f"by {names}" if actor.user_id in agreed else f"by {names}; closed without all of them by {actor.name}"


def _marked(row: Consensus) -> str:
    """What the scores of a consensus come to as they stand, in words."""
    scores = db.session.scalars(select(ConsensusScore).where(ConsensusScore.consensus_id == row.id))
    halves = [score.half for score in scores]
    scored = [half for half in halves if half is not None]
    return f"{points(sum(scored))} points" if len(scored) == len(halves) else "not scored"


@act(
    "consensus.settle",
    needs=Permission.CONSENSUS_WRITE,
    scope=queries.application_scope,
    says="settled the consensus on {subject}",
)
def settle(
    actor: Actor, application_id: UUID, minority_view: str, version: int | None = None, unheard: str = ""
) -> None:
    """Close a consensus that not everybody agrees to: the minority view is recorded beside it and with its version.

    Nobody's view is written for them: where an evaluator said nothing to what stands, ``unheard`` says why it is closed
    without them, and where nobody dissented no view is asked for.
    """
    application = refuse_reading(actor, application_id)
    row = consensus_row(application_id)
    if row is None:
        raise NotFound
    check_version(row, version)
    _refuse_not_with_them(row)
    people_seated = queries.seat_people(application.id)
    if len(row.agreed_by) * 2 <= len(people_seated):
        raise Refused(
            f"{len(row.agreed_by)} of {len(people_seated)} evaluators have agreed; more than half must, "
            "before it is closed with a minority view. Wait for the others, or take it back and change it."
        )
    _, said = queries.standing_answers(application.id)
    agreed = {UUID(entry["user_id"]) for entry in row.agreed_by}
    holding = queries.dissenting(said) - agreed
    silent = [name for user_id, name in people_seated.items() if user_id not in agreed | holding]
    held = bool(holding & people_seated.keys())
    words = rules.closing_words(minority_view, silent, unheard, held=held)
    row.minority_view = words
    acts.reason(words)
    _answer(actor, row, Answer.CLOSED, words)
    _settle(actor, row)


def _reference(application_id: UUID) -> str:
    return locked(Application, application_id).reference
