"""The register of organisations written: facts stated and validated, entries that look alike decided about."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from grants.core import acts, jobs
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Invalid, Refused
from grants.core.permissions import Actor, Permission, Scope
from grants.identity import queries, rules
from grants.identity.models import Organisation, OrganisationDouble, OrganisationFact
from grants.identity.rules import Fact, OrganisationInput, OrganisationView, ValidationInput
from grants.identity.states import DoubleVerdict, FactKind, OrganisationKind


def organisation_scope(organisation_id: UUID) -> Scope:
    """Where an organisation lies: in itself."""
    return Scope.of(("organisation", locked(Organisation, organisation_id).id))


def look_for_conflicts_of(organisation_id: UUID) -> None:
    """A later stage looks for conflicts of interest by what an organisation is and who belongs to it: ask it to look anew."""
    jobs.queue(
        "jobs.conflicts.organisation_changed",
        subject=("organisation", organisation_id),
        asker=jobs.Asker.PROGRAM,
        organisation_id=organisation_id,
    )


def look_for_conflicts_everywhere() -> None:
    """The same where it is about a person: their roles, their numbers."""
    jobs.queue("jobs.conflicts.everywhere", asker=jobs.Asker.PROGRAM)


def note_changes(row: Organisation, values: OrganisationInput, *, before: OrganisationView | None) -> None:
    """Write a line for each fact that is another one now, inside the act that changed the entry; ``before`` None for a new one.

    What stood without a line gets one first, so that nothing is lost. A line says nothing of a validation: so a changed
    fact is not validated any more, and the validated one before it stays in the history.
    """
    after = dict(rules.stated_facts(values))
    if before is None:
        known: dict[FactKind, Fact] = {}
    else:
        known = {fact.kind: fact for fact in rules.facts_of(before, queries.fact_lines([row.id]))}
        after |= rules.of_columns(queries.organisation_view(row))
    changed = {kind: value for kind, value in after.items() if value != (known[kind].value if kind in known else "")}
    if not changed:
        return
    actor = acts.running_act().actor
    of_itself = row.id in actor.organisation_ids
    source = rules.STATED_BY_ITSELF if of_itself else rules.STATED_BY_OFFICE
    number = _next_number(row.id) if before is not None else 1
    for kind, value in changed.items():
        fact = known.get(kind)
        if fact is not None and fact.value and fact.last is None:
            _add_line(row.id, number, kind, fact.value, rules.BEFORE_THE_REGISTER, None)
            number += 1
        _add_line(row.id, number, kind, value, source, actor.user_id)
        number += 1


def _next_number(organisation_id: UUID) -> int:
    found = db.session.scalar(
        select(func.max(OrganisationFact.number)).where(OrganisationFact.organisation_id == organisation_id)
    )
    return (found or 0) + 1


def _add_line(
    organisation_id: UUID, number: int, kind: FactKind, value: str, source: str, person_id: UUID | None
) -> OrganisationFact:
    line = OrganisationFact(
        organisation_id=organisation_id,
        number=number,
        kind=kind.value,
        value=value,
        source=source,
        person_id=person_id,
    )
    db.session.add(line)
    return line


@act(
    "organisation.validate",
    needs=Permission.ORGANISATION_VALIDATE,
    scope=organisation_scope,
    says="validated a fact of {subject}",
)
def validate_fact(actor: Actor, organisation_id: UUID, kind: FactKind, shown: str, given: ValidationInput) -> None:
    """Staff say that a fact is right, by which evidence, since when and until when.

    Never of a fact they entered, nor of an organisation they belong to (two people).

    ``shown`` is the value they looked at; another one that stands meanwhile is a conflict.
    """
    fact = _fact(organisation_id, kind)
    rules.refuse_unseen(fact, shown)
    rules.refuse_own_organisation(organisation_id, actor.organisation_ids)
    rules.refuse_own_word(queries.stated_by(organisation_id, kind), actor.user_id)
    tidy = given.checked(acts.today())
    line = _add_line(organisation_id, _next_number(organisation_id), kind, fact.value, tidy.source, actor.user_id)
    line.validated_on, line.valid_until = tidy.checked_on, tidy.valid_until


@act(
    "organisation.withdraw_validation",
    needs=Permission.ORGANISATION_VALIDATE,
    scope=organisation_scope,
    says="took back the validation of a fact of {subject}",
)
def withdraw_validation(actor: Actor, organisation_id: UUID, kind: FactKind, reason: str) -> None:
    """Staff take a validation back, with the reason; the line of it stays in the history."""
    fact = _fact(organisation_id, kind)
    if fact.last is None or fact.last.validated_on is None:
        raise Refused("This fact is not validated now. Reload the page to see what stands.")
    words = rules.one_line(reason, characters_max=rules.REASON_CHARACTERS_MAX)
    if not words:
        raise Invalid("A reason is missing.", {"reason": "Say why the fact does not count as validated any more."})
    acts.reason(words)
    _add_line(organisation_id, _next_number(organisation_id), kind, fact.value, words, actor.user_id)


def _fact(organisation_id: UUID, kind: FactKind) -> Fact:
    return next(fact for fact in queries.facts(organisation_id) if fact.kind is kind)


@act(
    "organisation.decide_double",
    needs=Permission.ORGANISATION_VALIDATE,
    scope=organisation_scope,
    says="decided whether {subject} is in the register twice",
)
def decide_double(actor: Actor, organisation_id: UUID, other_id: UUID, verdict: DoubleVerdict, reason: str) -> None:
    """Say that an entry is the same organisation as ``other_id``, which stands from now on for both, or that it is not.

    Nothing is merged: people, applications and agreements keep the entry they name (docs/decisions). What points
    elsewhere is not offered to anybody who starts or invites.
    """
    words = rules.one_line(reason, characters_max=rules.REASON_CHARACTERS_MAX)
    if not words:
        raise Invalid("A reason is missing.", {"reason": "Say by what you know it."})
    if organisation_id == other_id:
        raise Refused("An entry is always the same as itself. Choose another one.")
    first, second = rules.in_order(organisation_id, other_id)
    one, other = (locked(Organisation, each) for each in (first, second))
    row, standing = (one, other) if one.id == organisation_id else (other, one)
    match verdict:
        case DoubleVerdict.SAME:
            _refuse_pointing(row, standing)
            row.same_as_id = standing.id
        case DoubleVerdict.APART:
            for each, that in ((row, standing), (standing, row)):
                if each.same_as_id == that.id:
                    each.same_as_id = None
    number = db.session.scalar(
        select(func.max(OrganisationDouble.number)).where(
            OrganisationDouble.organisation_id == first, OrganisationDouble.other_id == second
        )
    )
    assert actor.user_id is not None, "a person decides about two entries"
    acts.reason(words)
    look_for_conflicts_of(organisation_id)
    look_for_conflicts_of(other_id)
    db.session.add(
        OrganisationDouble(
            organisation_id=first,
            other_id=second,
            number=(number or 0) + 1,
            verdict=verdict.value,
            reason=words,
            decided_by=actor.user_id,
        )
    )


def _refuse_pointing(row: Organisation, standing: Organisation) -> None:
    """One step leads to the entry that stands: no chains, no rings, nothing between what is real and what is invented."""
    if OrganisationKind.PROGRAMME.value in (row.kind, standing.kind):
        raise Refused("The programme itself is never the same as another organisation.")
    if row.synthetic is not standing.synthetic:
        raise Refused("One of the two is invented for the demo and the other is real. They stay apart.")
    if row.same_as_id is not None:
        raise Refused("This entry points to another one already. Say first that the two are not the same.")
    if standing.same_as_id is not None:
        raise Refused(f"“{standing.name}” points to another entry itself. Choose the one that stands for both.")
    pointing = db.session.scalars(select(Organisation.id).where(Organisation.same_as_id == row.id).limit(1)).first()
    if pointing is not None:
        raise Refused(f"Other entries point to “{row.name}”. Let “{standing.name}” point to it instead.")
