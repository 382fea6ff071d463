"""Requests for clarification: what the desk asks beside a submission, until when, and the one answer; what was sent never changes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from grants.applications.rules.arrival import exactly, said
from grants.applications.rules.values import SubmittedFile
from grants.calls.rules import CallView
from grants.core import clock, faults
from grants.core.errors import Invalid, Refused
from grants.dossiers.rules import clean_text, count_words

TEXT_WORDS_MAX = 500
ANSWER_WORDS_MAX = 1_500
DRAFT_CHARACTERS_MAX = 30_000
DAYS_MAX = 90
FILES_MAX = 10
# Open requests of one application at a time.
OPEN_MAX = 5


class ClarificationState(StrEnum):
    """Where a request stands; what the clock decides is never stored."""

    OPEN = "open"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"
    # The time ended without an answer.
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class ClarificationInput:
    """What an officer asks, about which conditions and questions, and until the end of which day."""

    text: str
    conditions: tuple[str, ...]
    questions: tuple[str, ...]
    due_on: date | None

    def checked(self, call: CallView, conditions: Collection[str], today: date) -> ClarificationInput:
        """This input tidied; raises :class:`Invalid` with a sentence for each field."""
        text, problems = clean_text(self.text), {}
        words = count_words(text)
        if not text:
            problems["text"] = "Write what you want to know. The applicant reads it."
        elif words > TEXT_WORDS_MAX:
            problems["text"] = (
                f"The question has {words} words; the limit is {TEXT_WORDS_MAX}. Cut {words - TEXT_WORDS_MAX}."
            )
        asked = {q.key for section in call.content.definition.sections for q in section.questions}
        kept = tuple(key for key in self.conditions if key in conditions)
        questions = tuple(key for key in self.questions if key in asked)
        if not kept and not questions:
            problems["conditions"] = "Choose at least one condition or question of the form this is about."
        day = self.due_on or clock.add_days(today, call.content.clarification_days)
        problem = due_problem(day, today)
        if problem:
            problems["due_on"] = problem
        if problems:
            raise Invalid("The request needs another look.", problems)
        return ClarificationInput(text, kept, questions, day)


def due_problem(day: date, today: date) -> str | None:
    """What is wrong with a day until which an answer is due; None where nothing is."""
    if day <= today:
        return f"{clock.long_date(day)} is not ahead. Give the applicant at least until tomorrow."
    if day > today + timedelta(days=DAYS_MAX):
        return f"{clock.long_date(day)} is more than {DAYS_MAX} days ahead. Choose an earlier day."
    return None


@dataclass(frozen=True, slots=True)
class ClarificationView:
    """One request with its answer; the draft of an answer only for the team, names of officers only for staff."""

    id: UUID
    version: int
    number: int
    text: str
    conditions: tuple[str, ...]
    questions: tuple[str, ...]
    asked_at: datetime
    asked_by: str
    first_due_at: datetime
    due_at: datetime
    extension_reason: str
    draft: str
    answer: str
    answered_at: datetime | None
    answered_by: str
    answer_sha256: str
    withdrawn_at: datetime | None
    withdraw_reason: str
    shared: bool
    files: tuple[SubmittedFile, ...] = ()

    def state(self, at: datetime) -> ClarificationState:
        """Where it stands at a moment."""
        if self.answered_at is not None:
            return ClarificationState.ANSWERED
        if self.withdrawn_at is not None:
            return ClarificationState.WITHDRAWN
        return ClarificationState.OPEN if clock.in_time(at, self.due_at) else ClarificationState.EXPIRED


def refuse_late_answer(due_at: datetime, zone: str, at: datetime) -> None:
    """Half-open: an answer at exactly the due moment is late; raises :class:`Refused` with both times."""
    faults.point("deadline")
    if not clock.in_time(at, due_at):
        raise Refused(
            f"The answer was due {said(due_at, zone)}. Your request reached the server at {exactly(at, zone)}. "
            "What you wrote is kept as a draft; ask the programme for more time."
        )


def refuse_infected(names: Sequence[str]) -> None:
    """An answer for good takes no file along in which the virus scanner found something; raises :class:`Refused`."""
    if names:
        listed = ", ".join(f"“{name}”" for name in names)
        holds, it = ("holds a virus and is", "it") if len(names) == 1 else ("hold a virus and are", "them")
        raise Refused(
            f"{listed} {holds} handed to nobody, so the answer was not sent. Take {it} out and attach a clean copy; "
            "what you wrote is still here."
        )


def kept_draft(text: str) -> str:
    """What is kept of an answer in the making; raises :class:`Invalid` only beyond what anybody types."""
    cleaned = clean_text(text)
    if len(cleaned) > DRAFT_CHARACTERS_MAX:
        sentence = (
            f"This has {len(cleaned)} characters; a draft of at most {DRAFT_CHARACTERS_MAX} is kept. Attach a file."
        )
        raise Invalid(sentence, {"answer": sentence})
    return cleaned


def checked_answer(text: str) -> str:
    """An answer that can be sent; raises :class:`Invalid`."""
    cleaned = clean_text(text)
    words = count_words(cleaned)
    if not cleaned:
        raise Invalid("Write an answer.", {"answer": "Write an answer. It is sent once and for good."})
    if words > ANSWER_WORDS_MAX:
        over = words - ANSWER_WORDS_MAX
        sentence = f"The answer has {words} words; the limit is {ANSWER_WORDS_MAX}. Cut {over}, or attach a file."
        raise Invalid(sentence, {"answer": sentence})
    return cleaned
