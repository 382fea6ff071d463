"""What a call has to know of its applications, and only their own, later stage can read: it hands in how."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from grants.calls.rules.questions import Asker

# Unpacked where they are asked: a program to which nobody handed them in tells nobody and lets any name pass.
_at_work: list[Callable[[UUID], tuple[UUID, ...]]] = []
_asked_about: list[Callable[[UUID], tuple[Asker, ...]]] = []


def applicants_come_from(
    at_work: Callable[[UUID], tuple[UUID, ...]], asked_about: Callable[[UUID], tuple[Asker, ...]]
) -> None:
    """Take the reads of the stage that knows who applies: those at work in a call, those a question was asked about."""
    _at_work[:], _asked_about[:] = [at_work], [asked_about]


def people_at_work(call_id: UUID) -> tuple[UUID, ...]:
    """Everybody who speaks for an organisation in a draft or a sent application to a call."""
    (read,) = _at_work
    return read(call_id)


def applications_asked_about(question_id: UUID) -> tuple[Asker, ...]:
    """The applications a question was asked about, by everything a text might name them with."""
    (read,) = _asked_about
    return read(question_id)
