"""Work of agreements in the night: days that have come or passed, of preparations, terminations, accessions and amendments."""

from __future__ import annotations

from uuid import UUID

from grants.agreements import services
from grants.core import jobs
from grants.core.permissions import Permission


def plan_ends() -> int:
    """Ask for every end and reminder that is due; safe to run twice, since each is asked for once."""
    return services.plan_ends(jobs.actor(Permission.AGREEMENT_LAPSE))


def lapse(*, grant_id: str) -> bool:
    """Drop a preparation that was not signed in time; a second run finds it dropped."""
    return services.lapse(jobs.actor(Permission.AGREEMENT_LAPSE), UUID(grant_id))


def remind_of_end(*, grant_id: str) -> bool:
    """Remind both sides of the last day; asked for once for each day and distance."""
    return services.remind_of_end(jobs.actor(Permission.AGREEMENT_LAPSE), UUID(grant_id))


def plan_accessions() -> int:
    """Ask for what is told of every accession that is overdue; safe to run twice, since each is asked for once."""
    return services.plan_accessions(jobs.actor(Permission.AGREEMENT_LAPSE))


def tell_late_accession(*, grant_id: str, organisation_id: str) -> bool:
    """Tell everybody that a partner did not accede in time; a second run finds it told."""
    program = jobs.actor(Permission.AGREEMENT_LAPSE)
    return services.tell_late_accession(program, UUID(grant_id), UUID(organisation_id))


def plan_terminations() -> int:
    """Ask for the end of every grant whose termination has reached its day; each is asked for once a day."""
    return services.plan_terminations(jobs.actor(Permission.TERMINATION_CARRY_OUT))


def end_part(*, grant_id: str, organisation_id: str) -> bool:
    """The day of the termination of one partner’s part has come; a second run finds it ended."""
    program = jobs.actor(Permission.TERMINATION_CARRY_OUT)
    return services.end_part(program, UUID(grant_id), UUID(organisation_id))


def let_partner_go(*, grant_id: str, organisation_id: str) -> bool:
    """The day on which a partner leaves by an amendment has come; a second run finds its people let go."""
    program = jobs.actor(Permission.TERMINATION_CARRY_OUT)
    return services.let_partner_go(program, UUID(grant_id), UUID(organisation_id))


def plan_silence() -> int:
    """Ask for the end of every request whose last day to be answered has passed; safe to run twice."""
    return services.plan_silence(jobs.actor(Permission.AGREEMENT_LAPSE))


def fall_silent(*, grant_id: str, number: int) -> bool:
    """End a request that nobody answered in time; a second run finds it ended."""
    return services.end_silent_amendment(jobs.actor(Permission.AGREEMENT_LAPSE), UUID(grant_id), number)
