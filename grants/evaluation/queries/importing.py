"""What a file of evaluators would do to a pool: everything it is compared with, in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, case, func, literal, or_, select

from grants.calls.rules import CallView
from grants.core import clock, jobs
from grants.core.db import db
from grants.core.permissions import Actor
from grants.evaluation import rules
from grants.evaluation.models import EvaluatorImport
from grants.evaluation.queries.assignments import pool
from grants.evaluation.queries.invitations import invitations
from grants.evaluation.rules import ImportPlan, ImportProgress, ImportRules, Known
from grants.evaluation.states import PoolState
from grants.identity import policy
from grants.identity.models import RoleGrant, User
from grants.identity.policy import Role

_ENDED = {
    PoolState.AGREED: "This person said yes and fills in their profile. Remind or withdraw by hand if that takes long.",
    PoolState.DECLINED: "This person declined. Invite them by hand if you would still ask.",
    PoolState.WITHDRAWN: "The invitation of this person was withdrawn. Invite them by hand if that was wrong.",
    PoolState.MEMBER: "This person was in the pool before and was taken out. Invite them by hand if that was wrong.",
}


def import_plan(actor: Actor, call: CallView, table: Sequence[Sequence[str]]) -> ImportPlan:
    """What each line of a table would do to the pool of a call; three statements, however many lines."""
    asked = ImportRules(dict(rules.topic_choices(call.content.definition)), roles_asked(call))
    return rules.plan(table, _known(actor, call.id, rules.addresses(table)), asked)


def import_progress(call_id: UUID) -> ImportProgress | None:
    """How far the newest long file of a call is; None once it ended more than a day ago, or where there was none."""
    newest = (
        select(EvaluatorImport.job_id, EvaluatorImport.done, EvaluatorImport.total, EvaluatorImport.left_out)
        .where(EvaluatorImport.call_id == call_id)
        .order_by(EvaluatorImport.created_at.desc(), EvaluatorImport.id)
        .limit(1)
    )
    row = db.session.execute(newest).one_or_none()
    if row is None:
        return None
    job = jobs.view(row.job_id)
    if job.finished_at is not None and job.finished_at < clock.now() - timedelta(days=1):
        return None
    return ImportProgress(row.done, row.total, row.left_out, job.is_over, job.error or "")


def roles_asked(call: CallView) -> tuple[str, ...]:
    """The usual roles, spelled as the call spells them where it asks for them."""
    spelled = {role.casefold(): role for role in (*rules.ROLES, *call.content.assignment.roles)}
    return tuple(spelled.values())


def _known(actor: Actor, call_id: UUID, addresses: Collection[str]) -> dict[str, Known]:
    now = clock.now()
    members = {member.user_id: member for member in pool(call_id, actor)}
    asked = invitations(call_id)
    found: dict[str, Known] = {}
    for row in db.session.execute(_accounts(call_id, addresses)):
        invitation = asked.get(row.id)
        standing = invitation.standing(now) if invitation is not None else None
        found[row.email] = Known(
            row.id,
            members.get(row.id),
            invitation.entry if invitation is not None and standing is PoolState.INVITED else None,
            _ENDED.get(standing, "") if standing is not None else "",
            bool(row.judges),
            _unfit(row, actor),
        )
    return found


def _unfit(row: Any, actor: Actor) -> str:
    if row.id == actor.user_id:
        return "This is your own address."
    if row.disabled:
        return "The account of this person is closed. An administrator can open it again."
    if row.applies:
        return "This person takes part in an application or a grant for a city, so they cannot evaluate."
    if row.clashes:
        return "This person has a role that must stay apart from evaluating."
    return ""


def _accounts(call_id: UUID, addresses: Collection[str]) -> Any:
    """Every account of these addresses with what its roles say, in one statement."""
    holds = and_(
        RoleGrant.user_id == User.id,
        or_(RoleGrant.ends_before.is_(None), RoleGrant.ends_before > clock.now()),
    )
    apart = [role.value for role in Role if frozenset({role, Role.EVALUATOR}) in policy.INCOMPATIBLE]
    here = or_(RoleGrant.object_id.is_(None), RoleGrant.object_id == call_id)
    judges = and_(RoleGrant.role == Role.EVALUATOR.value, here)

    def some(condition: Any) -> Any:
        return func.coalesce(func.bool_or(case((condition, True), else_=False)), literal(False))

    return (
        select(
            User.id,
            User.email,
            User.disabled_at.is_not(None).label("disabled"),
            some(judges).label("judges"),
            some(RoleGrant.role.in_(sorted(policy.TEAM_ROLES))).label("applies"),
            some(RoleGrant.role.in_(apart)).label("clashes"),
        )
        .outerjoin(RoleGrant, holds)
        .where(User.email.in_(sorted(addresses)))
        .group_by(User.id)
        .order_by(User.email)
    )
