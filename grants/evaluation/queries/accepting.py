"""Whether an evaluator accepted the words of a call, as the condition that other questions carry; and their employers.

Knows nothing of conflicts: the gate in ``access`` asks this one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Label, Text, cast, func, not_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from grants.calls.models import CallExpertTerms
from grants.evaluation.models import Evaluator, EvaluatorAcceptance, EvaluatorOrganisation
from grants.evaluation.rules import Employer
from grants.identity.models import Organisation
from grants.identity.rules import name_key

# A value, or the column that holds it in the query the condition stands in.
Id = UUID | ColumnElement[Any] | InstrumentedAttribute[Any] | None


# Under names of their own: person and call may be columns of these very tables. Made once: an alias made anew copies every
# column of its table, and this condition stands in nearly every request.
_MEMBER, _TERMS, _NEWER = aliased(Evaluator), aliased(CallExpertTerms), aliased(CallExpertTerms)
_DONE = aliased(EvaluatorAcceptance)


def terms_accepted(user_id: Id, call_id: Id) -> ColumnElement[bool]:
    """The condition that this person, where they are in the pool of the call, accepted the words that stand there.

    Whoever is in no pool of it is asked for nothing, and so is everybody where a call names no words.
    """
    stands = not_(
        select(_NEWER.id)
        .where(_NEWER.call_id == _TERMS.call_id, _NEWER.number > _TERMS.number)
        .correlate(_TERMS)
        .exists()
    )
    accepted = (
        select(_DONE.id)
        .where(
            _DONE.user_id == _MEMBER.user_id,
            _DONE.call_id == _TERMS.call_id,
            _DONE.number == _TERMS.number,
            _DONE.withdrawn_at.is_(None),
        )
        .correlate(_MEMBER, _TERMS)
        .exists()
    )
    waits = (
        select(_MEMBER.id)
        .join(_TERMS, _TERMS.call_id == _MEMBER.call_id)
        .where(
            _MEMBER.user_id == user_id, _MEMBER.call_id == call_id, _TERMS.sha256.is_not(None), stands, not_(accepted)
        )
        .correlate_except(_MEMBER, _TERMS)
        .exists()
    )
    return not_(waits)


def accepted_of() -> Label[Any]:
    """The highest version an evaluator accepted and did not take back, beside the row of the pool."""
    return (
        select(func.max(EvaluatorAcceptance.number))
        .where(
            EvaluatorAcceptance.user_id == Evaluator.user_id,
            EvaluatorAcceptance.call_id == Evaluator.call_id,
            EvaluatorAcceptance.withdrawn_at.is_(None),
        )
        .correlate(Evaluator)
        .scalar_subquery()
        .label("accepted")
    )


def employers_of() -> Label[Any]:
    """The organisations of an evaluator as one value beside the row of the pool."""
    return (
        select(
            func.jsonb_agg(
                func.jsonb_build_array(
                    EvaluatorOrganisation.name,
                    *(EvaluatorOrganisation.starts_on, EvaluatorOrganisation.ends_on),
                    cast(EvaluatorOrganisation.organisation_id, Text),
                )
            )
        )
        .where(EvaluatorOrganisation.evaluator_id == Evaluator.id)
        .correlate(Evaluator)
        .scalar_subquery()
        .label("employers")
    )


def organisations_of() -> tuple[Label[Any], Label[Any]]:
    """The organisation of an entry of the pool and all that were entered for it, as values beside its row.

    Each as the entry of the register that stands: one that points to another counts as that.
    """
    own, other = aliased(Organisation), aliased(Organisation)
    entered = (
        select(
            func.jsonb_agg(
                func.jsonb_build_array(
                    EvaluatorOrganisation.name,
                    *(EvaluatorOrganisation.starts_on, EvaluatorOrganisation.ends_on),
                    cast(func.coalesce(other.same_as_id, other.id), Text),
                )
            )
        )
        .select_from(EvaluatorOrganisation)
        .outerjoin(other, other.id == EvaluatorOrganisation.organisation_id)
        .where(EvaluatorOrganisation.evaluator_id == Evaluator.id)
        .correlate(Evaluator)
    )
    stands = select(func.coalesce(own.same_as_id, own.id)).where(own.id == Evaluator.organisation_id)
    return (
        stands.correlate(Evaluator).scalar_subquery().label("own_entry"),
        entered.scalar_subquery().label("entered"),
    )


def belongs_to(own: UUID | None, entered: Iterable[Iterable[Any]] | None, today: date) -> frozenset[str]:
    """What :func:`organisations_of` gave as keys of the organisations that count: now, or within the last three years.

    An organisation of the register by its id, any other by the words of its name.
    """
    keys = {str(own)} if own is not None else set()
    for each in read_rows(entered):
        if each.counts_on(today):
            keys.add(str(each.organisation_id or f"name {name_key(each.name)}"))
    return frozenset(keys)


def read_rows(rows: Iterable[Iterable[Any]] | None) -> tuple[Employer, ...]:
    """What :func:`employers_of` gave, the ones of today first, then the latest."""
    found = [
        Employer(name, _day(start), _day(end), UUID(organisation_id) if organisation_id else None)
        for name, start, end, organisation_id in rows or ()
    ]
    found.sort(key=lambda one: (one.name, one.starts_on or date.min))
    found.sort(key=lambda one: (one.ends_on is None, one.ends_on or date.min), reverse=True)
    return tuple(found)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def close_ids(employers: Iterable[Employer], today: date) -> frozenset[UUID]:
    """The entries of the register to which somebody belongs, or did within the last three years."""
    return frozenset(
        each.organisation_id for each in employers if each.organisation_id is not None and each.counts_on(today)
    )
