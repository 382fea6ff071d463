"""Admissibility: what every call asks of the form of an application, before anybody asks whether it is eligible.

In time, complete, with its documents, within its limits, readable, signed. The facts are those of the version that stands
and of the moment it came in; where a call has a condition of its own on how it arrived, that one is asked instead.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from grants.applications.rules.arrival import exactly, said
from grants.applications.rules.eligibility import Arrival, Evidence
from grants.applications.rules.values import SubmittedContent
from grants.applications.states import Verdict
from grants.calls.rules import CallContent, Condition
from grants.calls.states import FactKind
from grants.core import clock
from grants.dossiers.rules import Answer, question_problem
from grants.dossiers.rules import asked as is_asked

PREFIX = "adm_"


class Formal(StrEnum):
    """What is asked of the form of every application; the key of its condition."""

    IN_TIME = f"{PREFIX}in_time"
    COMPLETE = f"{PREFIX}complete"
    DOCUMENTS = f"{PREFIX}documents"
    LIMITS = f"{PREFIX}limits"
    READABLE = f"{PREFIX}readable"
    SIGNED = f"{PREFIX}signed"


_RULES = {
    Formal.IN_TIME: "it was received before the deadline",
    Formal.COMPLETE: "every question that must be answered has an answer",
    Formal.DOCUMENTS: "every document of the checklist is there",
    Formal.LIMITS: "texts and files keep their limits of words, characters and pages",
    Formal.READABLE: "every file can be opened and read",
    Formal.SIGNED: "a signatory signed exactly the version that was sent",
}


@dataclass(frozen=True, slots=True)
class FormFacts:
    """What is known of the form of the version that stands, beside how it arrived."""

    unanswered: tuple[str, ...] = ()
    beyond_limits: tuple[str, ...] = ()
    infected: tuple[str, ...] = ()
    unscanned: tuple[str, ...] = ()
    # Who signed the version that was sent, and when, in words.
    signed: tuple[str, ...] = ()


def form_facts(
    content: SubmittedContent,
    infected: Collection[UUID] = (),
    unscanned: Collection[UUID] = (),
    signed: tuple[str, ...] = (),
) -> FormFacts:
    """What the version that stands says of its own form, with the files that may not be opened, or not yet."""
    answers = {answer.question: answer for answer in content.dossier.answers}
    unanswered: list[str] = []
    beyond: list[str] = []
    for section in content.dossier.definition.sections:
        for question in section.questions:
            answer = answers.get(question.key, Answer(question.key))
            sentence = question_problem(question, answer)
            if sentence and is_asked(question, answers):
                (unanswered if answer.empty else beyond).append(sentence)
    return FormFacts(
        tuple(unanswered),
        tuple(beyond),
        tuple(file.name for file in content.files if file.file_id in infected),
        tuple(file.name for file in content.files if file.file_id in unscanned),
        signed,
    )


def is_formal(condition: Condition) -> bool:
    """Whether a condition is asked of the form of every application, and so is none that its call names."""
    return condition.key.startswith(PREFIX)


def is_admissibility(condition: Condition) -> bool:
    """Whether a condition asks about the form and not about who applies."""
    return is_formal(condition) or (condition.test is not None and condition.test.fact is FactKind.ARRIVAL)


def conditions_of(content: CallContent) -> tuple[Condition, ...]:
    """Everything the desk answers for a call: admissibility first, then the conditions of the call in their order."""
    own = [each for each in content.conditions if is_admissibility(each)]
    asked = [Formal.COMPLETE, Formal.LIMITS, Formal.READABLE]
    if not own:
        asked.insert(0, Formal.IN_TIME)
        if any(each.required for each in content.attachments):
            asked.insert(2, Formal.DOCUMENTS)
    if content.sign_offs:
        asked.append(Formal.SIGNED)
    formal = [Condition(each.value, _RULES[each]) for each in asked]
    return (*formal, *own, *(each for each in content.conditions if each not in own))


def formal_evidence(asked: Formal, arrival: Arrival | None, facts: FormFacts) -> Evidence:
    """What is known about one of them, and what that suggests; nothing where the facts are silent."""
    if arrival is None:
        return Evidence(("Nothing is known of how it came in.",))
    match asked:
        case Formal.IN_TIME:
            return _in_time(arrival)
        case Formal.COMPLETE:
            return _none_of(facts.unanswered, "Every question that must be answered has an answer.")
        case Formal.DOCUMENTS:
            return _documents(arrival)
        case Formal.LIMITS:
            return _none_of(facts.beyond_limits, "Words and characters were counted; pages of files when each came in.")
        case Formal.READABLE:
            return _readable(arrival, facts)
        case Formal.SIGNED:
            if facts.signed:
                return Evidence(facts.signed, Verdict.PASS)
            return Evidence(("Nobody signed exactly the version that was sent.",))


def _in_time(arrival: Arrival) -> Evidence:
    line = f"Received {exactly(arrival.submitted_at, arrival.zone)}; the deadline was {said(arrival.closes_at, arrival.zone)}"
    if clock.in_time(arrival.submitted_at, arrival.closes_at):
        return Evidence((line,), Verdict.PASS)
    return Evidence((line,), Verdict.FAIL, "It arrived after the deadline.")


def _none_of(found: Sequence[str], otherwise: str) -> Evidence:
    return Evidence(tuple(found), Verdict.FAIL, " ".join(found)) if found else Evidence((otherwise,), Verdict.PASS)


def _documents(arrival: Arrival) -> Evidence:
    lines = (*arrival.files, *(f"Missing: {label}" for label in arrival.missing))
    if arrival.missing:
        return Evidence(lines, Verdict.FAIL, " ".join(f"{label} is missing." for label in arrival.missing))
    return Evidence(lines, Verdict.PASS)


def _readable(arrival: Arrival, facts: FormFacts) -> Evidence:
    if facts.infected:
        return Evidence(
            tuple(f"{name}: the virus scanner found something in it" for name in facts.infected),
            Verdict.FAIL,
            f"{', '.join(facts.infected)} cannot be opened: the virus scanner found something in it.",
        )
    if facts.unscanned:
        return Evidence(tuple(f"{name}: not scanned for viruses yet" for name in facts.unscanned))
    count = len(arrival.files)
    if not count:
        return Evidence(("It has no files.",), Verdict.PASS)
    return Evidence((f"{count} {'file' if count == 1 else 'files'}: each was opened and looked into when it came in.",), Verdict.PASS)  # fmt: skip


# Where on the page of the desk, or beside it, a fact is read: its words and the anchor below.
_SOURCES = {
    FactKind.ORGANISATION: ("The consortium as it was sent", "consortium"),
    FactKind.COUNTRY: ("The consortium as it was sent", "consortium"),
    FactKind.CITIES: ("The consortium as it was sent", "consortium"),
    FactKind.PARTICIPANT_CODE: ("The consortium as it was sent", "consortium"),
    FactKind.INHABITANTS: ("The register of cities", ""),
    FactKind.MISSION_CITY: ("The register of cities", ""),
    FactKind.EARLIER: ("The register of cities, earlier pilots", ""),
    FactKind.TERRITORY: ("The register of cities and the other applications to this call", ""),
    FactKind.PROPOSALS: ("The other applications to this call", ""),
    FactKind.MONEY: ("The budget as it was sent", "budget"),
    FactKind.AWARD_AMOUNT: ("The budget as it was sent", "budget"),
    FactKind.ARRIVAL: ("The receipt", "sent"),
}
_FORMAL_SOURCES = {
    Formal.IN_TIME: ("The receipt", "sent"),
    Formal.COMPLETE: ("The answers as they were sent", "sent"),
    Formal.DOCUMENTS: ("The files as they were sent", "files"),
    Formal.LIMITS: ("The answers as they were sent", "sent"),
    Formal.READABLE: ("The files as they were sent", "files"),
    Formal.SIGNED: ("The sign-offs", ""),
}


def source_of(condition: Condition) -> tuple[str, str]:
    """Where the facts of a condition come from, in words, and the place on the desk's page that shows it; empty if none does."""
    if condition.key.startswith(PREFIX):
        return _FORMAL_SOURCES[Formal(condition.key)]
    test = condition.test
    if test is None:
        return "The application as it was sent", "sent"
    if test.fact is FactKind.ANSWER:
        return "The answer in the form", f"answer-{test.question}"
    return _SOURCES[test.fact]
