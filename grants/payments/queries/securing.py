"""Reads of certificates and guarantees: of one grant with their papers, and what is to be done about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, func, select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.rules import GrantView
from grants.agreements.states import IN_ADVANCE, RUNNING, GrantState, values
from grants.core import clock, files
from grants.core.db import db
from grants.core.duties import Duty
from grants.core.errors import NotFound
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, both, reader, side_by_side
from grants.identity import queries as identity
from grants.identity.models import Organisation
from grants.payments.models import FinancialCertificate, PaymentGuarantee, PaymentRequest
from grants.payments.rules.securing import CERTIFICATE_FILES, GUARANTEE_FILES, CertificateView, GuaranteeView, KeptFile
from grants.payments.states import UNDECIDED, CertificateState

DUTIES_MAX = 20


@dataclass(frozen=True, slots=True)
class Secured:
    """A grant with its certificates, and its guarantees, the newest first."""

    grant: GrantView
    certificates: tuple[CertificateView, ...]
    guarantees: tuple[GuaranteeView, ...]

    @property
    def guarantee(self) -> GuaranteeView | None:
        """The guarantee that stands."""
        return next((each for each in self.guarantees if each.ended_at is None), None)

    def certificate(self, number: int) -> CertificateView:
        """One of its certificates; raises :class:`NotFound`."""
        for each in self.certificates:
            if each.number == number:
                return each
        raise NotFound


@reader
def secured(actor: Actor, reference: str) -> Asking[Secured]:
    """The certificates and guarantees of a grant for everybody who may read its agreement; raises :class:`NotFound`."""
    row = yield from agreements.readable.asking(actor, reference)
    about: list[Asking[Any]] = [
        agreements.view.asking(row),
        certificates_of.asking(row.id),
        guarantees_of.asking(row.id),
    ]
    return Secured(*(yield from side_by_side(about)))


@reader
def certificates_of(grant_id: UUID) -> Asking[tuple[CertificateView, ...]]:
    """The certificates a grant's balance waits for, or waited for, in order."""
    mine = select(FinancialCertificate.id).where(FinancialCertificate.grant_id == grant_id)
    rows, kept = yield from both(
        ask(
            select(FinancialCertificate, Organisation.name)
            .join(Organisation, Organisation.id == FinancialCertificate.organisation_id)
            .where(FinancialCertificate.grant_id == grant_id)
            .order_by(FinancialCertificate.number)
        ),
        files.listed_in.asking(CERTIFICATE_FILES, mine),
    )
    people = yield from identity.people.asking({who for row in rows for who in (row.brought_by, row.judged_by) if who})
    return tuple(
        CertificateView(
            row.id,
            row.version,
            row.number,
            row.organisation_id,
            row.name,
            CertificateState(row.state),
            row.contribution,
            row.issuer,
            row.issued_on,
            row.brought_at,
            people[row.brought_by].name if row.brought_by else None,
            row.judged_at,
            people[row.judged_by].name if row.judged_by else None,
            row.words,
            _papers(kept, row.id),
        )
        for row in rows
    )


@reader
def guarantees_of(grant_id: UUID) -> Asking[tuple[GuaranteeView, ...]]:
    """The guarantees of a grant, the newest first; at most one stands."""
    mine = select(PaymentGuarantee.id).where(PaymentGuarantee.grant_id == grant_id)
    rows, kept = yield from both(
        ask(
            select(PaymentGuarantee)
            .where(PaymentGuarantee.grant_id == grant_id)
            .order_by(PaymentGuarantee.number.desc())
        ),
        files.listed_in.asking(GUARANTEE_FILES, mine),
    )
    people = yield from identity.people.asking({who for row in rows for who in (row.recorded_by, row.ended_by) if who})
    return tuple(
        GuaranteeView(
            row.id,
            row.version,
            row.number,
            row.guarantor,
            row.amount,
            row.valid_until,
            row.recorded_at,
            row.recorded_by,
            people[row.recorded_by].name,
            row.ended_at,
            people[row.ended_by].name if row.ended_by else None,
            row.end_reason,
            _papers(kept, row.id),
        )
        for row in rows
    )


def _papers(kept: Any, object_id: UUID) -> tuple[KeptFile, ...]:
    return tuple(KeptFile(each.name, each.sha256) for each in kept if each.object_id == object_id)


def grant_of_certificate(certificate_id: UUID) -> UUID:
    """The grant of a certificate; raises :class:`NotFound`."""
    return _grant_of(select(FinancialCertificate.grant_id).where(FinancialCertificate.id == certificate_id))


def grant_of_guarantee(guarantee_id: UUID) -> UUID:
    """The grant of a guarantee; raises :class:`NotFound`."""
    return _grant_of(select(PaymentGuarantee.grant_id).where(PaymentGuarantee.id == guarantee_id))


def _grant_of(statement: Select[Any]) -> UUID:
    found: UUID | None = db.session.scalar(statement)
    if found is None:
        raise NotFound
    return found


@reader
def securing_duties(actor: Actor) -> Asking[list[Duty]]:
    """Certificates to bring and to judge, guarantees to record; at most two statements."""
    kinds: list[Asking[list[Duty]]] = []
    if actor.can(Permission.REPORT_SUBMIT):
        kinds.append(_certificates(actor, Permission.REPORT_SUBMIT, CertificateState.WANTED))
    if actor.can(Permission.REPORT_ACCEPT):
        kinds.append(_certificates(actor, Permission.REPORT_ACCEPT, CertificateState.BROUGHT))
    if actor.can(Permission.PAYMENT_REQUEST_REGISTER):
        kinds.append(_guarantees(actor))
    found = yield from side_by_side(kinds)
    return [duty for duties in found for duty in duties]


def _certificates(actor: Actor, permission: Permission, state: CertificateState) -> Asking[list[Duty]]:
    rows = yield from ask(
        select(
            *(FinancialCertificate.number, FinancialCertificate.words, Organisation.name),
            *(Grant.reference, func.coalesce(Grant.acronym, Grant.title).label("grant")),
        )
        .join(Grant, Grant.id == FinancialCertificate.grant_id)
        .join(Organisation, Organisation.id == FinancialCertificate.organisation_id)
        .where(
            agreements.visible(actor, permission),
            FinancialCertificate.state == state.value,
            Grant.state.in_(values(RUNNING)),
            Grant.final_amount.is_(None),
        )
        .order_by(Grant.reference, FinancialCertificate.number)
        .limit(DUTIES_MAX)
    )
    bring = state is CertificateState.WANTED
    return [
        Duty(
            f"{'Bring' if bring else 'Check'} the certificate on the financial statements of {name}",
            f"The balance of {grant} waits for it."
            + (f" Returned: {' '.join(words.split())}" if bring and words else ""),
            "Bring the certificate" if bring else "Look at the certificate",
            "payments.certificate",
            {"ref": reference, "number": number},
        )
        for number, words, name, reference, grant in rows
    ]


def _guarantees(actor: Actor) -> Asking[list[Duty]]:
    """Pre-financing is asked for, the agreement asks for a guarantee, and none stands that is still valid."""
    standing = (PaymentGuarantee.grant_id == Grant.id, PaymentGuarantee.ended_at.is_(None))
    valid = exists().where(*standing, PaymentGuarantee.valid_until >= clock.today())
    rows = yield from ask(
        select(Grant.reference, func.coalesce(Grant.acronym, Grant.title).label("grant"), exists().where(*standing))
        .join(PaymentRequest, PaymentRequest.grant_id == Grant.id)
        .where(
            agreements.visible(actor, Permission.PAYMENT_REQUEST_REGISTER),
            Grant.guarantee_asked,
            Grant.state == GrantState.IN_FORCE.value,
            ~agreements.is_ending(),
            PaymentRequest.kind.in_([each.value for each in IN_ADVANCE]),
            PaymentRequest.state.in_([state.value for state in UNDECIDED]),
            ~valid,
        )
        .order_by(Grant.reference)
        .limit(DUTIES_MAX)
    )
    return [
        Duty(
            f"{'Renew' if expired else 'Record'} the guarantee for the pre-financing of {grant}",
            "The one that is recorded is no longer valid; the payment waits."
            if expired
            else "The agreement asks for it; the payment waits.",
            f"{'Renew' if expired else 'Record'} the guarantee",
            "payments.guarantee",
            {"ref": reference},
        )
        for reference, grant, expired in rows
    ]
