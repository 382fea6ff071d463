"""Acts on programmes and fund sources, and the plain helpers by which later stages make them in their own acts."""

from __future__ import annotations

from uuid import UUID

from grants.core import encoding
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Refused
from grants.core.permissions import Actor, Permission
from grants.programmes import queries
from grants.programmes.models import FundSource, Programme
from grants.programmes.rules import (
    FundSourceInput,
    FundSourceView,
    FundSourceWords,
    Keeping,
    ParentRules,
    ProgrammeInput,
    ProgrammeView,
    checked_fund_source,
    checked_parent_rules,
    checked_programme,
)


@act("programme.set_up", needs=Permission.PROGRAMME_MANAGE, says="set up programme {subject}")
def set_up(actor: Actor, given: ProgrammeInput) -> ProgrammeView:
    """Make a programme; its code is refused where another programme has it.

    The only way to a second one: an import refuses a call of a programme that nobody set up.
    """
    if queries.find_programme(given.code) is not None:
        raise Refused(f"There is a programme with the code {given.code} already. Choose another code.")
    return queries.programme(ensure_programme(given))


@act("fund_source.add", needs=Permission.PROGRAMME_MANAGE, says="added parent grant {subject}")
def add_fund_source(actor: Actor, given: FundSourceInput) -> FundSourceView:
    """Add a parent grant; its number is refused where it is known already."""
    if queries.find_fund_source(given.number) is not None:
        raise Refused(f"The parent grant {given.number} is known already. Use that one.")
    return queries.fund_source(ensure_fund_source(given))


def ensure_programme(given: ProgrammeInput) -> UUID:
    """The id of the programme of that code, made here where there is none. Inside an act."""
    found = queries.find_programme(checked_programme(given).code)
    if found is None:
        found = Programme(
            slug=given.slug, code=given.code, name=given.name.strip(), organisation_id=given.organisation_id
        )
        db.session.add(found)
        db.session.flush()
    return found.id


def ensure_fund_source(given: FundSourceInput) -> UUID:
    """The id of the parent grant of that number, made here where there is none; rules it had none of are learnt.

    Inside an act.
    """
    found = queries.find_fund_source(checked_fund_source(given).number)
    if found is None:
        found = FundSource(
            number=given.number.strip(),
            acronym=given.acronym.strip(),
            framework=given.framework.strip(),
            starts_on=given.starts_on,
            ends_on=given.ends_on,
            rules=encoding.encode(checked_parent_rules(given.rules)),
            amount=given.amount,
            report_days=given.report_days,
            payment_days=given.payment_days,
        )
        _keep_for(found, given.keeping)
        db.session.add(found)
        db.session.flush()
    elif not given.rules.empty and queries.parent_rules(found).empty:
        found.rules = encoding.encode(checked_parent_rules(given.rules))
    return found.id


@act(
    "fund_source.set_rules",
    needs=Permission.PROGRAMME_MANAGE,
    says="set the rules of parent grant {subject}",
)
def set_rules(actor: Actor, fund_source_id: UUID, given: ParentRules, *, version: int | None = None) -> FundSourceView:
    """Keep what the parent grant lays down for its calls; calls that are published keep what they were published with."""
    row = locked(FundSource, fund_source_id)
    check_version(row, version)
    row.rules = encoding.encode(checked_parent_rules(given))
    db.session.flush()
    return queries.fund_source_view(row)


@act("fund_source.describe", needs=Permission.PROGRAMME_MANAGE, says="changed what parent grant {subject} is called")
def describe(
    actor: Actor, fund_source_id: UUID, given: FundSourceWords, *, version: int | None = None
) -> FundSourceView:
    """Mend acronym, framework, dates, amount and days of a parent grant; its number stays, calls and ledger know it by that."""
    row = locked(FundSource, fund_source_id)
    check_version(row, version)
    checked_fund_source(
        FundSourceInput(
            row.number, given.acronym, given.framework, given.starts_on, given.ends_on,
            amount=given.amount, report_days=given.report_days, payment_days=given.payment_days,
            keeping=given.keeping,
        )
    )  # fmt: skip
    row.acronym, row.framework = given.acronym.strip(), given.framework.strip()
    row.starts_on, row.ends_on = given.starts_on, given.ends_on
    row.amount, row.report_days, row.payment_days = given.amount, given.report_days, given.payment_days
    _keep_for(row, given.keeping)
    db.session.flush()
    return queries.fund_source_view(row)


def _keep_for(row: FundSource, given: Keeping) -> None:
    row.final_paid_on, row.kept_years, row.kept_years_small = given.final_paid_on, given.years, given.years_small
    row.small_grant_max = given.small_up_to
