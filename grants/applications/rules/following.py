"""From a concept to the full proposal: who may be invited, who may start it, and what of the concept fits the new form."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from grants.applications.rules.inputs import DetailsInput
from grants.applications.states import ApplicationState
from grants.calls.rules import CallTimes, CallView
from grants.calls.states import CallState, Phase
from grants.core import faults
from grants.core.errors import Refused
from grants.dossiers.rules import Answer, Definition, Question, QuestionKind

# A concept that was sent, found eligible, and not turned away since.
INVITABLE = frozenset(
    {
        ApplicationState.ELIGIBLE,
        ApplicationState.UNDER_EVALUATION,
        ApplicationState.SELECTED,
        ApplicationState.RESERVE,
    }
)


# A concept that was sent and not turned away: somebody must lead it, or nobody can start its full proposal.
BETWEEN_STAGES = INVITABLE | {ApplicationState.SUBMITTED}


@dataclass(frozen=True, slots=True)
class ConceptRow:
    """A concept in the list of those who may be invited: where it stands, and what became of its invitation."""

    id: UUID
    reference: str
    title: str
    coordinator: str
    state: ApplicationState
    invited_at: datetime | None
    started: str | None
    # Whether it has an outcome its team does not know.
    untold: bool = False
    # The call of the first stage, where its letters are.
    call_slug: str = ""

    @property
    def invitable(self) -> bool:
        """Whether it can be invited now."""
        return self.state in INVITABLE and self.invited_at is None and not self.untold


@dataclass(frozen=True, slots=True)
class Invited:
    """A concept a person leads and that was invited to a second stage."""

    call_id: UUID
    concept_id: UUID
    reference: str
    title: str
    acronym: str | None
    summary: str | None
    coordinator_id: UUID
    started: str | None


@dataclass(frozen=True, slots=True)
class SecondStage:
    """The second stage a concept was invited to, as one reader of the concept sees it.

    ``started`` is the reference of the full proposal for whoever may read it; ``is_started`` is known to all of the team,
    and to others only with that: nobody else learns of a draft.
    """

    slug: str
    title: str
    times: CallTimes
    lead: str
    leads: bool
    invited_at: datetime
    is_started: bool = False
    started: str | None = None

    @property
    def is_cancelled(self) -> bool:
        """Whether its call was cancelled after the invitation."""
        return self.times.state is CallState.CANCELLED

    def waits(self, at: datetime) -> bool:
        """Whether its full proposal can be started at this moment and was not."""
        return not self.is_started and self.times.is_open(at)

    def is_over(self, at: datetime) -> bool:
        """Whether nothing was started while it could be."""
        return not self.is_started and self.times.phase(at) in (Phase.CLOSED, Phase.CANCELLED)


@dataclass(frozen=True, slots=True)
class FollowInput:
    """How a full proposal begins: its details, which partners are asked again, which answers are taken along."""

    details: DetailsInput
    organisations: tuple[UUID, ...] = ()
    questions: tuple[str, ...] = ()
    # The version of the call's privacy notice that was read, where the call has one.
    notice: int | None = None


def refuse_uninvited(call: CallView) -> None:
    """Raises :class:`Refused` for a call that admits only those invited after an earlier stage."""
    faults.point("scope")
    if call.by_invitation:
        raise Refused(
            "This is the second of two stages: only applicants whose concept was invited can start a full proposal."
            " The invitation came by mail to the lead of the concept; start it from there."
        )


def refuse_not_leading(
    *, leads: bool, organisation_ids: Collection[UUID], coordinator_id: UUID, coordinator: str, lead: str | None
) -> None:
    """Raises :class:`Refused` for everybody but the lead of the concept, who still is of the organisation that led it."""
    faults.point("scope")
    if coordinator_id not in organisation_ids:
        raise Refused(
            f"{coordinator} led the concept, so it leads the full proposal. Ask its people to start it and to invite you."
        )
    if not leads:
        raise Refused(
            f"{lead or 'Another person'} leads the concept for {coordinator}, and only the lead starts the full proposal. "
            "Ask them to start it and to invite you. If they are gone, ask for another lead on the page “Team” of the concept."
        )


def refuse_not_invitable(state: ApplicationState, reference: str, *, untold: bool = False) -> None:
    """Raises :class:`Refused` for a concept that was not found eligible, was turned away, or does not know its outcome."""
    if state not in INVITABLE:
        raise Refused(
            f"{reference} is {state.value.replace('_', ' ')}. Only a concept that was found eligible and not turned away is"
            " invited."
        )
    if untold:
        raise Refused(
            f"{reference} does not know its outcome: its letter of decision has not left, and an invitation would tell it. "
            "Have the letter sent first; where it is left out by name, record beside it that its team was told; or have "
            "the results published."
        )


def carried(
    old: Definition, new: Definition, answers: Mapping[str, Answer]
) -> tuple[tuple[str, Question, Answer], ...]:
    """Answers of a concept that fit a question of the full proposal: the same short name, kind and choices.

    Each with the section and the question it goes to. Files are attached anew.
    """
    before = {question.key: question for section in old.sections for question in section.questions}
    found = []
    for section in new.sections:
        for question in section.questions:
            asked, answer = before.get(question.key), answers.get(question.key)
            if asked is None or answer is None or answer.empty or question.kind is QuestionKind.FILE:
                continue
            offered = {choice.value for choice in question.choices}
            if (
                asked.kind is question.kind
                and asked.columns == question.columns
                and set(answer.picked) <= (offered or set(answer.picked))
            ):
                found.append((section.key, question, answer))
    return tuple(found)
