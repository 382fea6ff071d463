"""Partners that accede by an uploaded form: read by the same job, checked by another person, in time or late, raced and withdrawn."""

from __future__ import annotations

import io
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from grants.agreements import queries, rules, services
from grants.agreements.models import AccessionSignature, SignedUpload
from grants.agreements.rules import UploadedSigner, UploadInput, UploadView
from grants.agreements.states import AccessionStanding, OfferedPages, UploadKind, UploadState
from grants.core import clock, files
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from grants.core.jobs import Job, TryLater
from grants.documents import services as documents
from grants.identity.policy import Role
from tests import actors
from tests.applications.pages import send, text_of
from tests.awards.agreeing import Offered
from tests.awards.test_acceding import PROGRAM, accede, accepted, after, mails
from tests.awards.test_uploading import READER, SAID, incoming, today
from tests.documents.certificates import signed as with_signature
from tests.factories import identity as people
from tests.factories.applications import PDF
from tests.shut import shuts
from tests.statements import statements


def form(signed: Offered) -> bytes:
    """The form of the accession to version 1, as the job prints it."""
    return files.path(documents.print_accession_form(READER, signed.grant_id, signed.accession.id, 1)).read_bytes()


def by_petra(signed: Offered, day: date | None = None, kind: UploadKind = UploadKind.QUALIFIED) -> UploadInput:
    signer = UploadedSigner(signed.petra_id, "", "Mayor", day or today())
    return UploadInput(kind, (signer,), "Town hall, room 3" if kind is UploadKind.SCAN else "")


def last(signed: Offered) -> UploadView:
    return queries.signed_uploads(signed.grant_id)[-1]


def uploaded(signed: Offered, data: bytes | None = None, given: UploadInput | None = None) -> UploadView:
    """By Petra, and read by the job."""
    bytes_of = with_signature(form(signed), "Petra Partner") if data is None else data
    services.upload_accession(
        signed.person("petra"), signed.grant_id, signed.partner_id, given or by_petra(signed), incoming(bytes_of)
    )
    documents.read_signatures(READER, last(signed).id)
    return last(signed)


def accept(signed: Offered, number: int = 1) -> bool:
    return services.accept_signed(actors.pia(), signed.grant_id, number, words=SAID)


def test_a_signed_form_that_was_checked_is_an_accession_to_its_version(signed: Offered) -> None:
    accepted(signed)
    assert [job["version_no"] for job in _queued("jobs.documents.accession_form")] == [1]

    view = uploaded(signed)

    assert (view.whose, view.of) == ("Second city of the grant", "accession to version 1")
    assert view.findings is not None and view.findings.pages is OfferedPages.WHOLE
    assert signed.accession.is_open
    assert not [each for each in queries.duties(signed.person("petra"), clock.now()) if "Accede" in each.what]
    duties = [each for each in queries.duties(actors.pia(), clock.now()) if "Check the signed accession" in each.what]
    assert [each.endpoint for each in duties] == ["agreements.signed_upload"]
    assert accept(signed) is True

    found = signed.accession
    (given,) = found.signatures
    assert (given.name, given.signed_on, given.version_no) == ("Petra Partner", today(), 1)
    assert found.standing(today()) is AccessionStanding.ACCEDED and not found.was_late
    assert "Statute" in given.power and given.document_sha256 == signed.grant.versions[0].sha256
    assert signed.partner_id in queries.acceded(signed.grant_id)
    assert mails("accession_done") and mails("signed_upload_accepted")
    with pytest.raises(Refused, match="nothing more to do"):
        accede(signed)
    paper = documents.print_accession(READER, signed.grant_id, found.id)
    assert files.path(paper).stat().st_size > 1_000


def _queued(name: str) -> list[dict[str, object]]:
    return list(db.session.scalars(select(Job.args).where(Job.name == name).order_by(Job.created_at)))


def test_of_several_who_sign_together_one_document_may_carry_one_or_all(signed: Offered) -> None:
    with arranging():
        olga = people.user("Olga Office", organisation_id=signed.partner_id)
        olga_id = olga.id
    accepted(signed, (olga_id, "Olga Office"))
    data = with_signature(form(signed), "Petra Partner")
    assert accept(signed, uploaded(signed, data).number) is False
    assert signed.accession.is_open and signed.accession.missing(1, today()) == 1
    with pytest.raises(Invalid, match="More people are named"):
        both = UploadInput(
            UploadKind.QUALIFIED, (*by_petra(signed).signers, UploadedSigner(olga_id, "", "Office", today()))
        )
        uploaded(signed, data, both)

    rest = UploadInput(UploadKind.SCAN, (UploadedSigner(olga_id, "", "Office", today()),), "Town hall")
    services.record_accession(actors.ingrid(), signed.grant_id, signed.partner_id, rest, incoming(PDF))
    documents.read_signatures(READER, last(signed).id)
    assert accept(signed, 2) is True
    assert [each.name for each in signed.accession.signatures] == ["Petra Partner", "Olga Office"]


def test_an_altered_form_is_not_accepted_and_a_refused_one_may_be_followed_by_another(signed: Offered) -> None:
    accepted(signed)
    form(signed)
    view = uploaded(signed, with_signature(PDF, "Petra Partner"))
    assert view.findings is not None and view.findings.pages is OfferedPages.OTHER

    with pytest.raises(Refused, match="did not find the offered pages unchanged"):
        accept(signed)
    services.refuse_signed_upload(actors.pia(), signed.grant_id, 1, words="It is another document.")
    assert {each["context"]["words"] for each in mails("signed_upload_refused")} == {"It is another document."}
    with pytest.raises(Conflict):
        accept(signed)
    assert accept(signed, uploaded(signed).number) is True


def test_one_waits_at_a_time_and_who_uploaded_it_withdraws_it(signed: Offered) -> None:
    accepted(signed)
    uploaded(signed)
    with pytest.raises(Refused, match=r"waits to be checked already: number 1\. Have Petra Partner"):
        uploaded(signed)
    with pytest.raises(Refused, match="Petra Partner uploaded this document and may withdraw it"):
        services.withdraw_signed(actors.pia(), signed.grant_id, 1, words="Mine.")
    with pytest.raises(Invalid):
        services.withdraw_signed(signed.person("petra"), signed.grant_id, 1, words=" ")

    services.withdraw_signed(signed.person("petra"), signed.grant_id, 1, words="A page is missing.")

    view = last(signed)
    assert (view.state, view.words, view.checked_by) == (UploadState.WITHDRAWN, "A page is missing.", "")
    for second_tab in (
        lambda: accept(signed),
        lambda: services.refuse_signed_upload(actors.pia(), signed.grant_id, 1, words="No."),
        lambda: services.withdraw_signed(signed.person("petra"), signed.grant_id, 1, words="Again."),
    ):
        with pytest.raises(Conflict, match="Petra Partner has withdrawn this document meanwhile"):
            second_tab()
    assert accept(signed, uploaded(signed).number) is True
    with pytest.raises(IntegrityError, match="two_people"), arranging():
        row = db.session.get_one(SignedUpload, db.session.scalars(select(SignedUpload.id)).first())
        row.state, row.checked_by = "refused", row.uploaded_by


def test_a_signature_here_meanwhile_leaves_nothing_to_accept_and_a_newer_version_asks_for_its_own_form(
    signed: Offered,
) -> None:
    accepted(signed)
    view = uploaded(signed)
    assert accede(signed) is True

    assert not rules.stands(view, signed.grant, queries.accessions(signed.grant_id))
    with pytest.raises(Refused, match="nothing more to do"):
        accept(signed)
    services.refuse_signed_upload(actors.pia(), signed.grant_id, 1, words="She has signed here meanwhile.")
    assert len(db.session.scalars(select(AccessionSignature)).all()) == 1


def test_a_partner_that_is_waited_for_no_longer_does_not_accede_by_a_document(signed: Offered) -> None:
    accepted(signed)
    uploaded(signed)
    services.end_accession(actors.pia(), signed.grant_id, signed.partner_id, reason="Its council said no.")

    with pytest.raises(Refused, match="not waited for any more"):
        accept(signed)
    with pytest.raises(Refused, match="not waited for any more"):
        uploaded(signed)
    assert not [each for each in queries.duties(actors.pia(), clock.now()) if "Check the signed" in each.what]


def test_a_form_that_came_in_time_is_in_time_however_long_it_is_checked(signed: Offered) -> None:
    accepted(signed)
    uploaded(signed)
    due_on = signed.accession.due_on

    with after(due_on, 2):
        assert services.plan_accessions(PROGRAM) == 0
        assert services.tell_late_accession(PROGRAM, signed.grant_id, signed.partner_id) is False
        assert accept(signed) is True
        assert not signed.accession.was_late and not mails("accession_overdue")
    assert {bool(each["context"]["late"]) for each in mails("accession_done")} == {False}


def test_one_that_came_after_its_day_is_late_and_a_refused_one_counts_for_nothing(signed: Offered) -> None:
    accepted(signed)
    data = with_signature(form(signed), "Petra Partner")
    uploaded(signed, PDF, by_petra(signed, kind=UploadKind.SCAN))
    services.refuse_signed_upload(actors.pia(), signed.grant_id, 1, words="Not the form.")
    due_on = signed.accession.due_on
    with after(due_on, 1):
        assert services.plan_accessions(PROGRAM) == 1
        uploaded(signed, data)
        accept(signed, 2)
        assert signed.accession.was_late


def test_who_may_not_have_signed_is_refused_when_it_comes_and_when_it_is_checked(signed: Offered) -> None:
    services_of = signed.person("petra")
    with pytest.raises(NotFound):
        services.upload_accession(services_of, signed.grant_id, signed.partner_id, by_petra(signed), incoming(PDF))
    accepted(signed)
    with pytest.raises(NotAllowed):
        services.upload_accession(actors.greta(), signed.grant_id, signed.partner_id, by_petra(signed), incoming(PDF))
    early = by_petra(signed, clock.add_days(today(), -1))
    with pytest.raises(Invalid):
        services.upload_accession(services_of, signed.grant_id, signed.partner_id, early, incoming(PDF))
    uploaded(signed)
    with arranging():
        people.role(signed.petra_id, Role.PROJECT_OFFICER)
    with pytest.raises(Refused, match="Petra Partner acts for the programme and cannot sign for a partner"):
        accept(signed)


def test_a_document_is_read_once_its_form_is_printed_and_the_night_prints_what_is_missing(signed: Offered) -> None:
    accepted(signed)
    services.upload_accession(
        signed.person("petra"), signed.grant_id, signed.partner_id, by_petra(signed), incoming(PDF)
    )
    with pytest.raises(TryLater):
        documents.read_signatures(READER, last(signed).id)
    assert queries.forms_wanted() == [(signed.grant_id, signed.accession.id, 1)]
    form(signed)
    assert queries.forms_wanted() == []
    assert documents.read_signatures(READER, last(signed).id) is True


@shuts(
    "agreements.upload_accession", "agreements.accession_form", "agreements.accession_pdf",
    "agreements.certified_accession",
)  # fmt: skip
def test_the_pages_take_a_form_from_its_download_to_the_accession(
    app: Flask,
    signed: Offered,
    certificate: object,
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    accepted(signed)
    base = f"/grants/{signed.reference}"
    petra, pia = (actors.client_of(app, each) for each in (signed.person("petra"), actors.pia()))
    assert "being made" in text_of(petra.get(f"{base}/accession/1"))
    assert petra.get(f"{base}/accession/1/form.pdf").status_code == 404
    plain = form(signed)
    page = text_of(petra.get(f"{base}/accession/1"))
    assert "Form to sign elsewhere" in page and "Upload the signed form" in page
    with petra.get(f"{base}/accession/1/form.pdf") as paper:
        assert paper.get_data() == plain
    data, place = with_signature(plain, "Petra Partner"), f"{base}/accession/1/signed"
    typed = {f"day_{signed.petra_id}": clock.long_date(today()), "kind": "qualified"}
    assert petra.get(f"{base}/accession/9/signed").status_code == 404
    empty = send(petra, place, file=(io.BytesIO(data), "signed.pdf"), kind="qualified")
    assert empty.status_code == 422 and "Enter the day beside at least one name" in empty.get_data(as_text=True)
    assert send(petra, place, file=(io.BytesIO(data), "signed.pdf"), **typed).status_code == 303
    mine = text_of(petra.get(f"{base}/signed/1"))
    assert "accession to version 1" in mine and "Withdraw it, to upload another" in mine
    assert "Accept the document" not in mine and "Withdraw it" not in text_of(pia.get(f"{base}/signed/1"))
    assert send(petra, f"{base}/signed/1", to=f"{base}/signed/1/withdraw", words=" ").status_code == 422
    assert send(petra, f"{base}/signed/1", to=f"{base}/signed/1/withdraw", words="Wrong day.").status_code == 303
    assert "Wrong day." in text_of(petra.get(f"{base}/signed/1"))
    second_tab = petra.post(f"{base}/signed/1/withdraw", data={"words": "Wrong day.", "act_key": "a" * 20})
    assert second_tab.status_code == 409 and "withdrawn this document meanwhile" in text_of(second_tab)
    assert send(petra, place, file=(io.BytesIO(data), "signed.pdf"), **typed).status_code == 303
    documents.read_signatures(READER, last(signed).id)
    with statements() as asked:
        assert "It covers the whole document." in text_of(pia.get(f"{base}/signed/2"))
    assert len(asked) <= 9
    assert send(pia, f"{base}/signed/2", to=f"{base}/signed/2/accept", words=SAID).status_code == 303
    assert "has acceded" in text_of(pia.get(f"{base}/signed/2"))
    documents.print_accession(READER, signed.grant_id, signed.accession.id)
    assert "Download the accession" in text_of(petra.get(f"{base}/accession/1"))
    made = documents.certify_accession(READER, signed.grant_id, signed.accession.id)
    assert made is not None and made == documents.certify_accession(READER, signed.grant_id, signed.accession.id)
    assert "with the electronic signature of the programme" in text_of(petra.get(f"{base}/accession/1"))
    papers = (f"{base}/accession/1.pdf", f"{base}/accession/1-signed.pdf")
    for each in papers:
        with petra.get(each) as paper:
            assert paper.status_code == 200 and paper.get_data().startswith(b"%PDF")
    assert petra.get(place).status_code == 403
    with arranging():
        officer = actors.pia().user_id
        assert officer is not None
        people.bar(officer, "application", signed.grant.application_id)
    shut = actors.client_of(app, actors.pia())
    assert {shut.get(each).status_code for each in (*papers, place, f"{base}/accession/1/form.pdf")} == {404}
