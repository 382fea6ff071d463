"""Acts on the pool of evaluators of a call."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from uuid import UUID

from sqlalchemy import func, select

from grants.applications.models import Application
from grants.calls import queries as calls
from grants.calls.services import look_for_conflicts
from grants.core import acts
from grants.core.acts import act
from grants.core.db import check_version, db
from grants.core.errors import Invalid, NotFound, Refused, quoted
from grants.core.permissions import Actor, Permission
from grants.evaluation import queries, rules
from grants.evaluation.models import Assignment, DetectedConflict, Evaluator, EvaluatorOrganisation, EvaluatorWish
from grants.evaluation.rules import Employer, EvaluatorInput
from grants.evaluation.states import DetectedState
from grants.identity import queries as identity
from grants.identity.models import Organisation


@act(
    "evaluator.pool",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=queries.call_scope,
    says="put an evaluator into the pool of {subject}",
)
def pool(actor: Actor, call_id: UUID, values: EvaluatorInput, version: int | None = None) -> UUID:
    """Add a person to the pool of a call, or change their expertise and loads."""
    values = rules.checked_member(values)
    person = identity.person(values.user_id)
    row = db.session.scalars(
        select(Evaluator).where(Evaluator.call_id == call_id, Evaluator.user_id == values.user_id).with_for_update()
    ).one_or_none()
    if row is None:
        row = Evaluator(call_id=call_id, user_id=values.user_id, organisation_id=person.organisation_id)
        db.session.add(row)
    else:
        check_version(row, version)
        stands = next(member for member in queries.pool(call_id, actor) if member.user_id == values.user_id)
        if wrong := rules.lowers_too_far(stands, values.load_max):
            raise Invalid("The largest number is too small.", {"load_max": f"{wrong} Enter more, or void a seat."})
    fill_entry(row, values)
    if values.employers is not None:
        db.session.flush()
        keep_employers({row.id: values.employers})
        # Organisations are rows of their own: an open form grows stale by them all the same.
        row.version += 1
    look_for_conflicts(call_id)
    return row.id


def fill_entry(row: Evaluator, values: EvaluatorInput) -> None:
    """Write what is checked into an entry of the pool; its organisations are rows of their own.

    What people say of themselves alone, their gender, is in no input of anybody else.
    """
    row.country_code, row.town = values.country_code, values.town or None
    row.languages, row.topics = list(values.languages), list(values.topics)
    row.topic_levels, row.language_levels = dict(values.topic_levels), dict(values.language_levels)
    row.roles, (row.available_from, row.available_until) = list(values.roles), values.available
    row.load_min, row.load_max, row.load_target = values.load_min, values.load_max, values.load_target
    if values.gender is not None:
        row.gender = values.gender.value


def keep_employers(wanted: Mapping[UUID, Iterable[Employer]]) -> None:
    """What is said of the organisations of several entries; only what differs is written."""
    standing: dict[UUID, list[EvaluatorOrganisation]] = defaultdict(list)
    for row in db.session.scalars(
        select(EvaluatorOrganisation).where(EvaluatorOrganisation.evaluator_id.in_(wanted)).with_for_update()
    ):
        standing[row.evaluator_id].append(row)
    known = _register({each.name for employers in wanted.values() for each in employers})
    for evaluator_id, employers in wanted.items():
        said = {(each.name, each.starts_on, each.ends_on) for each in employers}
        for row in standing[evaluator_id]:
            if (row.name, row.starts_on, row.ends_on) in said:
                said.discard((row.name, row.starts_on, row.ends_on))
                row.organisation_id = known.get(row.name.casefold())
            else:
                db.session.delete(row)
        for name, starts_on, ends_on in sorted(said, key=str):
            db.session.add(
                EvaluatorOrganisation(
                    evaluator_id=evaluator_id, name=name, starts_on=starts_on, ends_on=ends_on,
                    organisation_id=known.get(name.casefold()),
                )
            )  # fmt: skip


def _register(names: Collection[str]) -> dict[str, UUID]:
    """The entry of the register behind each name, where exactly one has it; one that points to another counts as that."""
    found: dict[str, set[UUID]] = defaultdict(set)
    rows = db.session.execute(
        select(Organisation.name, func.coalesce(Organisation.same_as_id, Organisation.id)).where(
            func.lower(Organisation.name).in_([name.lower() for name in names])
        )
    )
    for name, organisation_id in rows:
        found[name.casefold()].add(organisation_id)
    return {name: next(iter(ids)) for name, ids in found.items() if len(ids) == 1}


@act(
    "evaluator.edit_profile",
    needs=Permission.CONFLICT_DECLARE,
    scope=queries.call_scope,
    says="changed the own profile in the pool of {subject}",
)
def edit_profile(actor: Actor, call_id: UUID, values: EvaluatorInput, version: int | None = None) -> None:
    """Somebody of the pool says what they know and for whom they work; loads and roles stay what the programme set."""
    row = db.session.scalars(
        select(Evaluator).where(Evaluator.call_id == call_id, Evaluator.user_id == actor.user_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound
    check_version(row, version)
    kept = replace(values, user_id=row.user_id, roles=tuple(row.roles), load_min=row.load_min, load_max=row.load_max)
    checked = rules.checked_member(kept)
    _refuse_taking_back(row, checked.employers or ())
    fill_entry(row, checked)
    keep_employers({row.id: checked.employers or ()})
    # What is compared may be another organisation now, also where the row itself stays as it was.
    row.version += 1
    look_for_conflicts(call_id)


def _refuse_taking_back(row: Evaluator, said: Iterable[Employer]) -> None:
    """What was found about an organisation and waits for a person is not undone by whom it is about."""
    rows = db.session.scalars(select(EvaluatorOrganisation).where(EvaluatorOrganisation.evaluator_id == row.id))
    before = [Employer(each.name, each.starts_on, each.ends_on) for each in rows]
    names = rules.taken_back(before, said)
    waiting = db.session.scalars(
        select(DetectedConflict.evidence)
        .join(Application, Application.id == DetectedConflict.application_id)
        .where(
            Application.call_id == row.call_id,
            DetectedConflict.user_id == row.user_id,
            DetectedConflict.state == DetectedState.PROPOSED.value,
        )
    ).all()
    held = [name for name in names if any(words.startswith(f"{name} ") for words in waiting)]
    if held:
        sentence = (
            f"{quoted(held[0])} stays as it stood: a possible conflict of interest that was found with it waits for the "
            "programme manager. Say through Help what is different; everything else can be changed."
        )
        raise Invalid(sentence, {"employers": sentence})


@act(
    "evaluator.remove",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=queries.call_scope,
    says="took an evaluator out of the pool of {subject}",
)
def remove(actor: Actor, call_id: UUID, user_id: UUID) -> None:
    """Take a person without any seat out of the pool."""
    row = db.session.scalars(
        select(Evaluator).where(Evaluator.call_id == call_id, Evaluator.user_id == user_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound
    seats = select(func.count(Assignment.id)).where(Assignment.evaluator_id == row.id)
    if db.session.scalar(seats.where(queries.not_barred(actor))):
        raise Refused(
            "This evaluator has or had a seat on an application and stays on the record. Void the seat instead."
        )
    # Whether somebody sits on what is closed to the asker is not told, so nobody is taken out by them.
    if queries.sees_a_part(actor, call_id):
        raise Refused(
            "Something in this call is closed to you, and this evaluator may have a seat there. Somebody who sees the whole "
            "call can take them out."
        )
    for wish in db.session.scalars(select(EvaluatorWish).where(EvaluatorWish.evaluator_id == row.id)):
        db.session.delete(wish)
    for employer in db.session.scalars(
        select(EvaluatorOrganisation).where(EvaluatorOrganisation.evaluator_id == row.id)
    ):
        db.session.delete(employer)
    db.session.delete(row)


@act(
    "evaluator.export_list",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=calls.lies_in,
    says="took the evaluators of {subject} out as a file",
)
def export_pool(actor: Actor, call_id: UUID, rows: int) -> None:
    """Put on the record that a list of people leaves the program; nothing leaves unless this is kept."""
    acts.subject("call", call_id)
    acts.reason(f"{rows} rows as CSV.")
