"""What a decision waits for beside its request: plain checks for certificates and guarantees, and how certificates are asked for."""

from __future__ import annotations

from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.core import acts
from grants.core.db import db
from grants.core.money import Money
from grants.core.permissions import Actor, Permission
from grants.identity import queries as identity
from grants.identity import services as people
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.payments import queries
from grants.payments.models import FinancialCertificate
from grants.payments.queries.securing import guarantees_of
from grants.payments.rules.securing import refuse_uncertified, refuse_without_guarantee
from grants.payments.states import CertificateState


def tell_of(grant: Grant, row: FinancialCertificate, permission: Permission, template: str, **words: str) -> None:
    """Write to whoever holds a permission where the grant of a certificate lies."""
    readers = identity.users_with(permission, agreements.scope(grant))
    name = identity.organisations({row.organisation_id})[row.organisation_id].name
    told = {"reference": grant.reference, "number": str(row.number), "name": name, **words}
    people.mail([each.id for each in readers], template, "grant", grant.id, **told)


def want_certificates(grant: Grant) -> None:
    """With the balance, ask for the certificates that it waits for; those that were asked for before stay as they are."""
    wanted = queries.final_limits(grant.id).wanted
    known = set(
        db.session.scalars(
            select(FinancialCertificate.organisation_id).where(FinancialCertificate.grant_id == grant.id)
        )
    )
    number = len(known)
    for organisation_id, contribution in wanted:
        if organisation_id in known:
            continue
        number += 1
        row = FinancialCertificate(
            grant_id=grant.id,
            organisation_id=organisation_id,
            number=number,
            state=CertificateState.WANTED.value,
            contribution=contribution,
        )
        db.session.add(row)
        db.session.flush()
        tell_of(grant, row, Permission.REPORT_SUBMIT, "certificate_wanted")


def refuse_wanting(grant: Grant) -> None:
    """Refuse a final amount while a certificate is wanted or not judged."""
    wanted = [organisation_id for organisation_id, _ in queries.final_limits(grant.id).wanted]
    names = identity.organisations(set(wanted)) if wanted else {}
    refuse_uncertified(names[each].name for each in wanted)


def refuse_unguaranteed(actor: Actor, grant: Grant, approved: Money) -> None:
    """Refuse pre-financing while the guarantee that the agreement asks for is not recorded, or does not cover it."""
    if not grant.guarantee_asked:
        return
    standing = next((each for each in guarantees_of(grant.id) if each.ended_at is None), None)
    before = books.balance(Account.PREFINANCING, grant_id=grant.id)
    refuse_without_guarantee(standing, approved, acts.today(), actor.user_id, before=before)
    assert standing is not None, "refused before"
    people.refuse_tied_to(actor.user_id, (standing.recorded_by_id, standing.recorded_at))
