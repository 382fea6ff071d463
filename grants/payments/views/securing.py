"""Pages of what secures the money of a grant: the certificates of its beneficiaries, and its guarantee."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.core import clock, files
from grants.core.errors import NotFound
from grants.payments import queries, services
from grants.payments.forms.securing import (
    AcceptCertificateForm,
    CertificateForm,
    EndGuaranteeForm,
    GuaranteeForm,
    WithoutForm,
    WordsForm,
)
from grants.payments.queries.securing import Secured
from grants.payments.rules.securing import CertificateView, GuaranteeView, certificate_next
from grants.payments.views.frame import P, bp, overtaker, own_or_fresh
from grants.web import downloads
from grants.web.forms import ContestedForm, renew, status_of
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/grants/<ref>/certificates/<int(max=9999):number>")
@requires(P.AGREEMENT_READ)
def certificate(ref: str, number: int) -> Any:
    """The certificate of one beneficiary: what is wanted, what was brought, and what came of it."""
    return _certificate_page(ref, number, None)


@bp.post("/grants/<ref>/certificates/<int(max=9999):number>/bring")
@requires(P.REPORT_SUBMIT)
def bring_certificate(ref: str, number: int) -> Any:
    form = CertificateForm()
    if form.validate_on_submit():
        with form.attempt():
            row, incoming = _certificate(ref, number), files.receive(form.upload) if form.upload else None
            services.bring_certificate(
                current_actor(), row.id, form.to_input(), incoming=incoming, version=form.version_shown()
            )
            flash("The certificate is with the programme, which looks at it next.", "success")
            return see_other(".certificate", ref=ref, number=number)
    return _certificate_page(ref, number, form)


@bp.post("/grants/<ref>/certificates/<int(max=9999):number>/accept")
@requires(P.REPORT_ACCEPT)
def accept_certificate(ref: str, number: int) -> Any:
    form = AcceptCertificateForm()
    if form.validate_on_submit():
        with form.attempt():
            row = _certificate(ref, number)
            services.accept_certificate(current_actor(), row.id, version=form.version_shown())
            flash("The certificate is accepted.", "success")
            return see_other(".certificate", ref=ref, number=number)
    return _certificate_page(ref, number, form)


@bp.post("/grants/<ref>/certificates/<int(max=9999):number>/return")
@requires(P.REPORT_ACCEPT)
def return_certificate(ref: str, number: int) -> Any:
    form = WordsForm()
    if form.validate_on_submit():
        with form.attempt():
            row, words = _certificate(ref, number), form.words.data or ""
            services.return_certificate(current_actor(), row.id, words=words, version=form.version_shown())
            flash("The certificate went back to the city, which is told why.", "success")
            return see_other(".certificate", ref=ref, number=number)
    return _certificate_page(ref, number, form)


@bp.post("/grants/<ref>/certificates/<int(max=9999):number>/without")
@requires(P.REPORT_ACCEPT)
def do_without_certificate(ref: str, number: int) -> Any:
    form = WithoutForm()
    if form.validate_on_submit():
        with form.attempt():
            row, words = _certificate(ref, number), form.words.data or ""
            services.do_without_certificate(current_actor(), row.id, words=words, version=form.version_shown())
            flash("The balance waits for this certificate no longer. The city is told why.", "success")
            return see_other(".certificate", ref=ref, number=number)
    return _certificate_page(ref, number, form)


@bp.get("/grants/<ref>/certificates/<int(max=9999):number>/files/<sha256>")
@requires(P.FILE_READ)
def certificate_file(ref: str, number: int, sha256: str) -> Any:
    """The paper of a certificate, for the city and for the programme."""
    return downloads.send(services.open_certificate(current_actor(), _certificate(ref, number).id, sha256))


def _certificate(ref: str, number: int) -> CertificateView:
    return queries.secured(current_actor(), ref).certificate(number)


def _certificate_page(ref: str, number: int, sent: ContestedForm | None) -> Any:
    found = queries.secured(current_actor(), ref)
    row = found.certificate(number)
    renew(sent, row.version)
    shown = page(
        "payments/certificate.html",
        grant=found.grant,
        certificate=row,
        form=sent,
        next=certificate_next(row.state),
        last=overtaker(sent, "financial_certificate", row.id, found.grant.reference),
        bring_form=own_or_fresh(sent, CertificateForm, version=row.version),
        accept_form=own_or_fresh(sent, AcceptCertificateForm, version=row.version),
        return_form=sent if type(sent) is WordsForm else WordsForm(formdata=None, data={"version": row.version}),
        without_form=own_or_fresh(sent, WithoutForm, version=row.version),
    )
    return shown, status_of(sent)


# --- guarantees -------------------------------------------------------------------------------------------------------


@bp.get("/grants/<ref>/guarantee")
@requires(P.AGREEMENT_READ)
def guarantee(ref: str) -> Any:
    """The guarantee of a grant, those before it, and the form that records one."""
    return _guarantee_page(ref, None)


@bp.post("/grants/<ref>/guarantee/record")
@requires(P.PAYMENT_REQUEST_REGISTER)
def record_guarantee(ref: str) -> Any:
    form = GuaranteeForm()
    if form.validate_on_submit():
        with form.attempt():
            grant, incoming = _guaranteed(ref).grant, files.receive(form.upload) if form.upload else None
            services.record_guarantee(
                current_actor(), grant.id, form.to_input(), incoming=incoming, version=form.version_shown()
            )
            flash("The guarantee is recorded. Somebody else decides the pre-financing.", "success")
            return see_other(".guarantee", ref=ref)
    return _guarantee_page(ref, form)


@bp.post("/grants/<ref>/guarantee/end")
@requires(P.PAYMENT_REQUEST_REGISTER)
def end_guarantee(ref: str) -> Any:
    form = EndGuaranteeForm()
    if form.validate_on_submit():
        with form.attempt():
            standing = _guaranteed(ref).guarantee
            if standing is None:
                raise NotFound
            services.end_guarantee(
                current_actor(), standing.id, reason=form.reason.data or "", version=form.version_shown()
            )
            flash("The guarantee ended.", "success")
            return see_other(".guarantee", ref=ref)
    return _guarantee_page(ref, form)


@bp.get("/grants/<ref>/guarantee/<int(max=9999):number>/files/<sha256>")
@requires(P.FILE_READ)
def guarantee_file(ref: str, number: int, sha256: str) -> Any:
    """The paper of a guarantee, for the city and for the programme."""
    for each in _guaranteed(ref).guarantees:
        if each.number == number:
            return downloads.send(services.open_guarantee(current_actor(), each.id, sha256))
    raise NotFound


def _guaranteed(ref: str) -> Secured:
    """A grant that asks for a guarantee, or had one."""
    found = queries.secured(current_actor(), ref)
    if not found.grant.funding.guarantee and not found.guarantees:
        raise NotFound
    return found


def _guarantee_page(ref: str, sent: ContestedForm | None) -> Any:
    found = _guaranteed(ref)
    standing: GuaranteeView | None = found.guarantee
    version = found.grant.version if standing is None else standing.version
    renew(sent, version)
    kind, object_id = ("grant_agreement", found.grant.id) if standing is None else ("payment_guarantee", standing.id)
    shown = page(
        "payments/guarantee.html",
        grant=found.grant,
        standing=standing,
        expired=standing is not None and standing.valid_until < clock.today(),
        guarantees=found.guarantees,
        form=sent,
        next="The pre-financing waits for a guarantee." if standing is None else "A guarantee stands.",
        last=overtaker(sent, kind, object_id, found.grant.reference),
        record_form=own_or_fresh(sent, GuaranteeForm, version=version, amount=found.grant.limits.in_advance),
        end_form=own_or_fresh(sent, EndGuaranteeForm, version=version),
    )
    return shown, status_of(sent)
