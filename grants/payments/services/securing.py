"""Acts on what secures the money of a grant: certificates that the balance waits for, guarantees that pre-financing waits for."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.services import refuse_conflict
from grants.agreements.states import RUNNING, GrantState, Side
from grants.core import acts, files
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.files import FileView, Incoming
from grants.core.money import ZERO
from grants.core.permissions import Actor, Permission, Scope
from grants.identity.rules import one_line
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.payments.models import FinancialCertificate, PaymentGuarantee
from grants.payments.queries.securing import grant_of_certificate, grant_of_guarantee, guarantees_of
from grants.payments.rules.securing import (
    CERTIFICATE_FILES,
    GUARANTEE_FILES,
    CertificateInput,
    GuaranteeInput,
    certificate_problems,
    guarantee_problems,
)
from grants.payments.services.locks import lock_grant, scope_of_grant
from grants.payments.services.requests import renew_balance
from grants.payments.services.wanting import tell_of
from grants.payments.states import CERTIFICATE, CertificateState
from grants.reporting.services import refuse_own


def scope_of_certificate(certificate_id: UUID) -> Scope:
    """Where the grant of a certificate lies, its money locked."""
    return scope_of_grant(grant_of_certificate(certificate_id))


def scope_of_guarantee(guarantee_id: UUID) -> Scope:
    """Where the grant of a guarantee lies, its money locked."""
    return scope_of_grant(grant_of_guarantee(guarantee_id))


@act(
    "certificate.bring",
    needs=Permission.REPORT_SUBMIT,
    scope=scope_of_certificate,
    says="brought a certificate on the financial statements of {subject}",
)
def bring_certificate(
    actor: Actor,
    certificate_id: UUID,
    given: CertificateInput,
    *,
    incoming: Incoming | None = None,
    version: int | None = None,
) -> None:
    """The city brings a certificate that is wanted, or that was done without so far; the officer looks at it next."""
    row, grant = _open(certificate_id, version)
    CERTIFICATE.target(CertificateState(row.state), "bring")
    problems = certificate_problems(given, acts.today(), has_file=incoming is not None)
    if problems:
        raise Invalid("The certificate cannot be taken over.", problems)
    assert incoming is not None, "a certificate without its paper was refused"
    CERTIFICATE.move(row, "bring")
    row.issuer, row.issued_on, row.words = one_line(given.issuer), given.issued_on, None
    row.brought_at, row.brought_by = acts.moment(), actor.user_id
    row.judged_at = row.judged_by = None
    files.keep(incoming, kind=CERTIFICATE_FILES, object_id=row.id, role="certificate")
    db.session.flush()
    renew_balance(grant)
    tell_of(grant, row, Permission.REPORT_ACCEPT, "certificate_brought")


@act(
    "certificate.accept",
    needs=Permission.REPORT_ACCEPT,
    scope=scope_of_certificate,
    says="accepted a certificate on the financial statements of {subject}",
)
def accept_certificate(actor: Actor, certificate_id: UUID, *, version: int | None = None) -> None:
    """The officer accepts the certificate; the balance waits for it no longer."""
    row, grant = _judged(actor, certificate_id, "accept", version)
    row.words = None
    db.session.flush()
    renew_balance(grant)


@act(
    "certificate.return",
    needs=Permission.REPORT_ACCEPT,
    scope=scope_of_certificate,
    says="returned a certificate on the financial statements of {subject}",
)
def return_certificate(actor: Actor, certificate_id: UUID, *, words: str, version: int | None = None) -> None:
    """The officer returns the certificate with what is wrong with it; the city brings another."""
    row, grant = _judged(actor, certificate_id, "return", version)
    row.words = _said(words)
    tell_of(grant, row, Permission.REPORT_SUBMIT, "certificate_returned", words=row.words)


@act(
    "certificate.do_without",
    needs=Permission.REPORT_ACCEPT,
    scope=scope_of_certificate,
    says="did without a certificate on the financial statements of {subject}",
)
def do_without_certificate(actor: Actor, certificate_id: UUID, *, words: str, version: int | None = None) -> None:
    """No certificate comes: of this beneficiary counts what needs none, and the balance waits no longer."""
    row, grant = _judged(actor, certificate_id, "do_without", version)
    row.words = _said(words)
    db.session.flush()
    renew_balance(grant)
    tell_of(grant, row, Permission.REPORT_SUBMIT, "certificate_without", words=row.words)


@act(
    "certificate.open_file",
    needs=Permission.FILE_READ,
    scope=scope_of_certificate,
    says="opened a certificate on the financial statements of {subject}",
)
def open_certificate(actor: Actor, certificate_id: UUID, sha256: str) -> FileView:
    """Hand out the paper of a certificate, on the record."""
    acts.subject("financial_certificate", certificate_id)
    return _paper(actor, CERTIFICATE_FILES, certificate_id, grant_of_certificate(certificate_id), sha256)


def _paper(actor: Actor, kind: str, object_id: UUID, grant_id: UUID, sha256: str) -> FileView:
    if agreements.side_of(actor, agreements.scope_of(grant_id)) is Side.PROGRAMME:
        refuse_conflict(actor, grant_id)
    for file in files.listed(kind, object_id):
        if file.sha256 == sha256:
            return file
    raise NotFound


def _open(certificate_id: UUID, version: int | None) -> tuple[FinancialCertificate, Grant]:
    """The certificate and its grant under their locks, while the balance is not decided."""
    row = locked(FinancialCertificate, certificate_id)
    check_version(row, version)
    grant = lock_grant(row.grant_id)
    if GrantState(grant.state) not in RUNNING or grant.final_amount is not None:
        raise Refused("The final amount of this grant is decided; no certificate changes it any more.")
    return row, grant


def _judged(
    actor: Actor, certificate_id: UUID, verb: str, version: int | None
) -> tuple[FinancialCertificate, Grant]:  # fmt: skip
    row, grant = _open(certificate_id, version)
    CERTIFICATE.target(CertificateState(row.state), verb)
    refuse_conflict(actor, grant.id)
    refuse_own(actor, grant.id, row.brought_by)
    CERTIFICATE.move(row, verb)
    row.judged_at, row.judged_by = acts.moment(), actor.user_id
    return row, grant


def _said(words: str) -> str:
    if not words.strip():
        raise Invalid("The reason is missing.", {"words": "Say why; the city reads it."})
    acts.reason(words.strip())
    return words.strip()


# --- guarantees -------------------------------------------------------------------------------------------------------


@act(
    "guarantee.record",
    needs=Permission.PAYMENT_REQUEST_REGISTER,
    scope=scope_of_grant,
    says="recorded a guarantee for the pre-financing of {subject}",
)
def record_guarantee(
    actor: Actor, grant_id: UUID, given: GuaranteeInput, *, incoming: Incoming | None = None, version: int | None = None
) -> None:
    """Record the guarantee that the agreement asks for before pre-financing, with its paper."""
    grant = lock_grant(grant_id)
    check_version(grant, version)
    refuse_conflict(actor, grant.id)
    if grant.state != GrantState.IN_FORCE.value:
        raise Refused("A guarantee is recorded once the agreement is in force, and until the grant is closed.")
    if not grant.guarantee_asked:
        raise Refused("The agreement of this grant asks for no guarantee; there is nothing to record.")
    if any(each.ended_at is None for each in guarantees_of(grant.id)):
        raise Refused("A guarantee stands already. End it first, with the reason; then record the other one.")
    problems = guarantee_problems(
        given, grant.prefinancing + grant.additional, acts.today(), has_file=incoming is not None
    )
    if problems:
        raise Invalid("The guarantee cannot be taken over.", problems)
    assert incoming is not None, "a guarantee without its paper was refused"
    count = select(func.count()).select_from(PaymentGuarantee).where(PaymentGuarantee.grant_id == grant.id)
    row = PaymentGuarantee(
        grant_id=grant.id,
        number=1 + (db.session.scalar(count) or 0),
        guarantor=one_line(given.guarantor),
        amount=given.amount,
        valid_until=given.valid_until,
        recorded_at=acts.moment(),
        recorded_by=actor.user_id,
    )
    db.session.add(row)
    db.session.flush()
    files.keep(incoming, kind=GUARANTEE_FILES, object_id=row.id, role="guarantee")


@act(
    "guarantee.end",
    needs=Permission.PAYMENT_REQUEST_REGISTER,
    scope=scope_of_guarantee,
    says="ended a guarantee for the pre-financing of {subject}",
)
def end_guarantee(actor: Actor, guarantee_id: UUID, *, reason: str, version: int | None = None) -> None:
    """Record that a guarantee was given back, or that it was recorded in error; it holds while pre-financing is open."""
    row = locked(PaymentGuarantee, guarantee_id)
    check_version(row, version)
    grant = lock_grant(row.grant_id)
    refuse_conflict(actor, grant.id)
    if row.ended_at is not None:
        raise Refused("This guarantee ended already.")
    found = books.of(grant_id=grant.id)
    held = found[Account.PREFINANCING] + found[Account.RECOVERY_RECEIVABLE]
    if held > ZERO and row.valid_until >= acts.today():
        raise Refused(
            f"{held} of pre-financing is neither covered by accepted costs nor paid back yet; the guarantee holds until it is. It is given back "
            "after that, or replaced by its renewal when its last day is over."
        )
    if not reason.strip():
        raise Invalid("The reason is missing.", {"reason": "Say why it ends, for example that it was given back."})
    acts.reason(reason.strip())
    row.ended_at, row.ended_by, row.end_reason = acts.moment(), actor.user_id, reason.strip()


@act(
    "guarantee.open_file",
    needs=Permission.FILE_READ,
    scope=scope_of_guarantee,
    says="opened a guarantee for the pre-financing of {subject}",
)
def open_guarantee(actor: Actor, guarantee_id: UUID, sha256: str) -> FileView:
    """Hand out the paper of a guarantee, on the record."""
    acts.subject("payment_guarantee", guarantee_id)
    return _paper(actor, GUARANTEE_FILES, guarantee_id, grant_of_guarantee(guarantee_id), sha256)
