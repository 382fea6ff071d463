"""Acts of a dry run: a manager tries a call as an applicant, in a table that nothing else reads.

No act here makes an application, a submission, a number, a mail, a job or a file; a test compares every other table
before and after.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from grants.applications import queries, rules
from grants.applications.models import CallTrial
from grants.applications.rules import SectionInput, TrialContent, TrialFile, TrialSent
from grants.applications.services.attaching import places_of
from grants.budgets.rules import Cell
from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.core import acts, encoding
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import NotFound, Refused
from grants.core.files import Incoming
from grants.core.permissions import Actor, Permission
from grants.dossiers import rules as dossiers
from grants.dossiers.rules import Mark


@act("trial.begin", needs=Permission.CALL_MANAGE, scope=calls.scope_of, says="began a dry run of call {subject}")
def begin_trial(actor: Actor, call_id: UUID, given: TrialContent) -> None:
    """Begin a dry run; an earlier one of the same person is thrown away."""
    content = rules.checked_trial(given)
    acts.subject("call", call_id)
    row = queries.trial_row(actor, call_id)
    if row is None:
        assert actor.user_id is not None, "only a person tries a call"
        db.session.add(CallTrial(call_id=call_id, user_id=actor.user_id, content=encoding.encode(content)))
    else:
        row.content = encoding.encode(content)


@act(
    "trial.save_section",
    needs=Permission.CALL_MANAGE,
    scope=calls.scope_of,
    says="wrote in a dry run of call {subject}",
)
def try_section(actor: Actor, call_id: UUID, section_key: str, given: SectionInput) -> None:
    """Save one section, whatever is typed, as an applicant would."""
    row, content, call = _held(actor, call_id)
    section = next((each for each in call.content.definition.sections if each.key == section_key), None)
    if section is None:
        raise NotFound
    known = {question.key: question for question in section.questions}
    answers = [dossiers.tidy(known[each.question], each) for each in given.answers if each.question in known]
    was = section_key in content.finished
    finished = was if given.mark is None else given.mark is Mark.COMPLETE
    _keep(row, rules.with_answers(content, answers, section=section_key, finished=finished))


@act(
    "trial.save_budget",
    needs=Permission.CALL_MANAGE,
    scope=calls.scope_of,
    says="changed the budget of a dry run of call {subject}",
)
def try_budget(actor: Actor, call_id: UUID, cells: tuple[Cell, ...]) -> None:
    """Save the amounts that could be read."""
    row, content, _ = _held(actor, call_id)
    _keep(row, rules.with_cells(content, cells))


@act(
    "trial.note_file",
    needs=Permission.CALL_MANAGE,
    scope=calls.scope_of,
    says="tried a file in a dry run of call {subject}",
)
def try_file(actor: Actor, call_id: UUID, role: str, given: Incoming) -> None:
    """Note that a file was looked into and found good; the file itself is not kept."""
    row, content, call = _held(actor, call_id)
    place = places_of(call).get(role)
    if place is None:
        raise NotFound
    rules.refuse_beyond(place, name=given.name, media_type=given.media_type, size_bytes=given.size_bytes)
    if len(content.files) >= rules.FILES_MAX:
        raise Refused(f"An application has at most {rules.FILES_MAX} files. Take one out first.")
    file = TrialFile(role, given.name, given.media_type, given.size_bytes, given.sha256)
    others = tuple(each for each in content.files if (each.role, each.name) != (role, given.name))
    _keep(row, replace(content, files=(*others, file)))


@act(
    "trial.drop_file",
    needs=Permission.CALL_MANAGE,
    scope=calls.scope_of,
    says="took a file out of a dry run of call {subject}",
)
def try_without(actor: Actor, call_id: UUID, role: str, name: str) -> None:
    """Take a file out again."""
    row, content, _ = _held(actor, call_id)
    kept = tuple(each for each in content.files if (each.role, each.name) != (role, name))
    _keep(row, replace(content, files=kept))


@act(
    "trial.send",
    needs=Permission.CALL_MANAGE,
    scope=calls.scope_of,
    says="sent a dry run of call {subject}, which reached nobody",
)
def send_trial(actor: Actor, call_id: UUID) -> TrialSent:
    """Do what sending does up to the proof: every check, the frozen hash. Nothing is received by anybody."""
    row, content, call = _held(actor, call_id)
    view = queries.trial_view(call, content)
    rules.refuse_incomplete(view.issues)
    sent = TrialSent(acts.moment(), view.fingerprint, view.budget.totals.requested)
    _keep(row, replace(content, sent=sent))
    return sent


@act(
    "trial.throw_away",
    needs=Permission.CALL_MANAGE,
    scope=calls.scope_of,
    says="threw a dry run of call {subject} away",
)
def throw_away(actor: Actor, call_id: UUID) -> None:
    """Throw the dry run away, with everything written in it."""
    row, _, _ = _held(actor, call_id)
    db.session.delete(row)


def _held(actor: Actor, call_id: UUID) -> tuple[CallTrial, TrialContent, CallView]:
    """The person's own dry run under the lock of its call, and the call as it stands now."""
    acts.subject("call", call_id)
    row = queries.trial_row(actor, call_id)
    if row is None:
        raise Refused("There is no dry run of this call. Begin one first.")
    return row, queries.content_of_trial(row), calls.call_by_id(call_id)


def _keep(row: CallTrial, content: TrialContent) -> None:
    row.content = encoding.encode(content)
