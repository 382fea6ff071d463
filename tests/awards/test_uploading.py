"""Signed documents instead of signatures recorded here: uploaded by one person, read by a job, accepted by another; and hostile ones."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, IntegrityError
from werkzeug.datastructures import FileStorage

from grants.agreements import queries, rules, services
from grants.agreements.models import AgreementSignature, SignedUpload
from grants.agreements.rules import Findings, UploadedSigner, UploadInput, UploadView
from grants.agreements.states import GrantState, OfferedPages, Side, SignatureMethod, UploadKind, UploadState
from grants.core import clock, files
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Conflict, Invalid, NeedsFreshSignIn, NotAllowed, NotFound, Refused
from grants.core.file_types import FileType
from grants.core.files import Incoming
from grants.core.jobs import Job, TryLater
from grants.core.permissions import Permission, system_actor
from grants.documents import services as documents
from grants.identity.models import RoleGrant
from grants.identity.policy import Role
from tests import actors
from tests.agreements.conftest import tie
from tests.applications.pages import send, text_of
from tests.awards.agreeing import Offered
from tests.documents.certificates import PASSWORD
from tests.documents.certificates import signed as with_signature
from tests.factories import identity as people
from tests.factories.applications import PDF
from tests.shut import shuts
from tests.statements import statements

READER = system_actor("the program", (Permission.AGREEMENT_READ,))
SAID = "Every page compared by eye; both certificates by a validation service."


def today() -> date:
    return clock.in_zone(clock.now()).date()


def printed(offered: Offered) -> bytes:
    """The PDF of the offer, as the job prints it."""
    made = documents.print_agreement_offer(READER, offered.grant_id, 1)
    return files.path(made).read_bytes()


def incoming(data: bytes, name: str = "signed.pdf") -> Incoming:
    return files.receive(FileStorage(io.BytesIO(data), filename=name), allowed={FileType.PDF})


def by(offered: Offered, *names: str, day: date | None = None, kind: UploadKind = UploadKind.QUALIFIED) -> UploadInput:
    signers = tuple(UploadedSigner(getattr(offered, f"{name}_id"), "", "Mayor", day or today()) for name in names)
    return UploadInput(kind, signers, "Archive, room 12" if kind is UploadKind.SCAN else "")


def both_signed(offered: Offered) -> bytes:
    return with_signature(with_signature(printed(offered)), "Tom Treasurer", field="Signature2")


def uploaded(offered: Offered, data: bytes | None = None, given: UploadInput | None = None) -> UploadView:
    """By Maya, of both who sign for the city, and read by the job."""
    bytes_of = both_signed(offered) if data is None else data
    number = services.upload_signed_city(
        offered.person("maya"), offered.grant_id, given or by(offered, "maya", "tom"), incoming(bytes_of)
    )
    documents.read_signatures(READER, last(offered).id)
    assert last(offered).number == number
    return last(offered)


def last(offered: Offered) -> UploadView:
    return queries.signed_uploads(offered.grant_id)[-1]


def accept(offered: Offered, number: int = 1) -> bool:
    return services.accept_signed(actors.pia(), offered.grant_id, number, words=SAID)


def test_an_uploaded_document_with_both_signatures_counts_once_a_second_person_accepted_it(offered: Offered) -> None:
    view = uploaded(offered)
    assert view.findings is not None and view.findings.pages is OfferedPages.WHOLE
    assert [each.signer for each in view.findings.fields] == ["Maya Mayor", "Tom Treasurer"]
    assert offered.grant.missing(Side.CITY) == 2
    duties = [each for each in queries.duties(actors.pia(), clock.now()) if "Check the signed" in each.what]
    assert [each.endpoint for each in duties] == ["agreements.signed_upload"]

    assert accept(offered) is False

    grant = offered.grant
    assert grant.missing(Side.CITY) == 0 and grant.state is GrantState.READY_TO_SIGN
    assert {(each.name, each.method, each.signed_on) for each in grant.signatures} == {
        ("Maya Mayor", SignatureMethod.UPLOADED, today()),
        ("Tom Treasurer", SignatureMethod.UPLOADED, today()),
    }
    assert all("Statute" in each.power and each.document_sha256 == offered.sha256 for each in grant.signatures)
    with pytest.raises(Refused, match="already signed"):
        services.sign_city(offered.person("maya"), offered.grant_id, capacity="Mayor", document_sha256=offered.sha256)
    services.sign_programme(actors.greta(), offered.grant_id, capacity="Director", document_sha256=offered.sha256)
    assert offered.grant.state is GrantState.IN_FORCE
    paper = documents.print_agreement(READER, offered.grant_id, 1)
    assert files.path(paper).stat().st_size > 1_000


def test_the_last_signature_that_is_accepted_brings_the_agreement_into_force(offered: Offered) -> None:
    for name in ("maya", "tom"):
        services.sign_city(offered.person(name), offered.grant_id, capacity="Mayor", document_sha256=offered.sha256)
    greta = actors.greta().user_id
    assert greta is not None
    given = UploadInput(UploadKind.SCAN, (UploadedSigner(greta, "", "Director", today()),), "Archive, room 12")
    services.upload_signed(actors.ingrid(), offered.grant_id, Side.PROGRAMME, given, incoming(PDF))
    printed(offered)
    documents.read_signatures(READER, last(offered).id)

    assert accept(offered) is True

    assert offered.grant.state is GrantState.IN_FORCE
    by_greta = next(each for each in offered.grant.signatures if each.side is Side.PROGRAMME)
    assert "since" in by_greta.power and by_greta.method is SignatureMethod.UPLOADED


def test_joint_signatures_are_counted_and_one_is_not_enough(offered: Offered) -> None:
    uploaded(offered, with_signature(printed(offered)), by(offered, "maya"))
    assert accept(offered) is False
    assert offered.grant.missing(Side.CITY) == 1

    with pytest.raises(Refused, match="Maya Mayor has already signed"):
        uploaded(offered, None, by(offered, "maya"))
    services.sign_city(offered.person("tom"), offered.grant_id, capacity="Treasurer", document_sha256=offered.sha256)
    with pytest.raises(Refused, match="already signed for the coordinator"):
        uploaded(offered)


def test_who_uploaded_or_signed_it_does_not_check_it_and_the_database_says_so_too(offered: Offered) -> None:
    number = services.upload_signed(
        actors.pia(), offered.grant_id, Side.CITY, by(offered, "maya", "tom"), incoming(both_signed(offered))
    )
    documents.read_signatures(READER, last(offered).id)

    with pytest.raises(Refused, match="You uploaded this document yourself"):
        accept(offered, number)
    with pytest.raises(Refused, match="yourself"):
        services.refuse_signed_upload(actors.pia(), offered.grant_id, number, words="No")
    with pytest.raises(NotAllowed):
        services.accept_signed(offered.person("maya"), offered.grant_id, number, words=SAID)
    with pytest.raises(NeedsFreshSignIn):
        services.accept_signed(replace(actors.ingrid(), fresh=False), offered.grant_id, number, words=SAID)
    row = db.session.scalars(select(SignedUpload)).one()
    with pytest.raises(IntegrityError, match="two_people"), arranging():
        kept = db.session.get_one(SignedUpload, row.id)
        kept.state, kept.checked_by, kept.checked_at, kept.words = "refused", kept.uploaded_by, clock.now(), "x"
    tie(actors.ingrid().user_id, actors.pia().user_id)
    with pytest.raises(Refused):
        services.accept_signed(actors.ingrid(), offered.grant_id, number, words=SAID)
    assert offered.grant.missing(Side.CITY) == 2


def test_who_acts_for_the_programme_has_not_signed_for_the_city_either(offered: Offered) -> None:
    view = uploaded(offered)
    with arranging():
        role = people.role(offered.tom_id, Role.PROJECT_OFFICER)

    with pytest.raises(Refused, match="Tom Treasurer acts for the programme and cannot sign for a city"):
        accept(offered, view.number)
    services.refuse_signed_upload(actors.pia(), offered.grant_id, view.number, words="He acts for the programme.")
    with pytest.raises(Refused, match="Tom Treasurer acts for the programme"):
        uploaded(offered)
    assert offered.grant.missing(Side.CITY) == 2

    with arranging():
        db.session.delete(db.session.get_one(RoleGrant, role.id))
    uploaded(offered)
    assert accept(offered, last(offered).number) is False
    assert offered.grant.missing(Side.CITY) == 0


def test_what_is_wrong_with_an_upload_is_said_beside_its_fields(offered: Offered) -> None:
    maya, data = offered.person("maya"), incoming(PDF)
    offered_on = clock.in_zone(offered.grant.offers[0].offered_at).date()

    def problems(given: UploadInput, file: Incoming | None = data) -> set[str]:
        with pytest.raises(Invalid) as wrong:
            services.upload_signed_city(maya, offered.grant_id, given, file)
        return set(wrong.value.problems)

    whole = by(offered, "maya", "tom")
    assert problems(replace(whole, signers=())) == {"signers"}
    assert problems(replace(whole, kind=UploadKind.SCAN)) == {"original_kept_at"}
    for day in (clock.add_days(offered_on, -1), clock.add_days(today(), 1)):
        assert problems(by(offered, "maya", day=day)) == {f"day_{offered.maya_id}"}
    assert problems(whole, None) == {"file"}
    with pytest.raises(NotFound):
        services.upload_signed_city(maya, offered.grant_id, by(offered, "petra"), data)
    with pytest.raises(NotAllowed):
        services.upload_signed(maya, offered.grant_id, Side.PROGRAMME, whole, data)
    services.upload_signed_city(maya, offered.grant_id, whole, data)
    with pytest.raises(Refused, match="waits to be checked already"):
        services.upload_signed_city(maya, offered.grant_id, whole, data)


def test_a_power_that_did_not_hold_on_the_day_beside_the_signature_gives_none(offered: Offered) -> None:
    power = rules.power_of(queries.conditions(offered.grant))
    assert power is not None and power.valid_until is not None
    services.set_end(
        actors.pia(), offered.grant_id, clock.add_days(power.valid_until, 60), reason="The council is away"
    )
    greta = actors.greta().user_id
    assert greta is not None
    late, maya, file = by(offered, "maya", day=power.valid_until), offered.person("maya"), incoming(PDF)
    after = clock.end_of_day(power.valid_until) + timedelta(days=2)
    with clock.at(after), pytest.raises(Refused, match=r"No accepted power to sign that held on .* names Maya Mayor"):
        services.upload_signed_city(maya, offered.grant_id, late, file)
    with arranging():
        role = db.session.scalars(select(RoleGrant).where(RoleGrant.user_id == greta)).one()
        role.starts_at = clock.now() + timedelta(days=2)
    given = UploadInput(UploadKind.SCAN, (UploadedSigner(greta, "", "Director", today()),), "Archive")
    began = clock.now() + timedelta(days=3)
    with clock.at(began), pytest.raises(Refused, match="Greta Signatory had no confirmed power to sign"):
        services.upload_signed(actors.pia(), offered.grant_id, Side.PROGRAMME, given, file)


@pytest.mark.parametrize("wrong", ["changed", "another", "unsigned"])
def test_an_electronic_signature_that_does_not_carry_the_offer_is_refused_and_never_accepted(
    offered: Offered, wrong: str
) -> None:
    data = bytearray(both_signed(offered))
    data[data.index(b"/ByteRange") - 40] ^= 1
    bytes_of = {
        "changed": bytes(data),
        "another": with_signature(with_signature(PDF), field="Signature2"),
        "unsigned": PDF,
    }[wrong]
    try:
        view = uploaded(offered, bytes_of)
    except Invalid:
        assert wrong == "changed"
        return
    assert view.findings is not None and view.findings.against(2)

    with pytest.raises(Refused, match="Refuse the document"):
        accept(offered)
    services.refuse_signed_upload(actors.pia(), offered.grant_id, 1, words="The second signature does not hold.")

    assert last(offered).state is UploadState.REFUSED and offered.grant.missing(Side.CITY) == 2
    mails = db.session.scalars(select(Job.args).where(Job.name == "jobs.mail.send")).all()
    assert {str(offered.maya_id), str(offered.tom_id)} <= {
        str(each["user_id"]) for each in mails if each["template"] == "signed_upload_refused"
    }
    with pytest.raises(Conflict):
        accept(offered)
    uploaded(offered)
    assert accept(offered, 2) is False


def test_what_is_no_harmless_pdf_is_not_taken(app: Flask, offered: Offered) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    maya = actors.client_of(app, offered.person("maya"))
    place = f"/grants/{offered.reference}/signed/new/city"
    import pikepdf

    locked = io.BytesIO()
    with pikepdf.open(io.BytesIO(PDF)) as pdf:
        pdf.save(locked, encryption=pikepdf.Encryption(owner="a", user="b"))
    typed = {"kind": "qualified", f"day_{offered.maya_id}": clock.long_date(today())}
    for data, said in ((b"<html>signed</html>" * 40, "PDF"), (locked.getvalue(), "password")):
        back = send(maya, place, file=(io.BytesIO(data), "signed.pdf"), **typed)
        assert back.status_code == 422 and said in back.get_data(as_text=True)
    app.config["UPLOAD_BYTES_MAX"] = 100
    back = send(maya, place, file=(io.BytesIO(PDF), "signed.pdf"), **typed)
    assert back.status_code == 422 and "larger than" in back.get_data(as_text=True)
    assert queries.signed_uploads(offered.grant_id) == ()


def test_it_is_accepted_only_once_it_was_read_and_read_only_once_the_offer_is_printed(offered: Offered) -> None:
    data = with_signature(with_signature(PDF), field="Signature2")
    services.upload_signed_city(offered.person("maya"), offered.grant_id, by(offered, "maya", "tom"), incoming(data))
    (job,) = db.session.scalars(select(Job).where(Job.name == "jobs.documents.read_signatures")).all()
    assert job.args == {"upload_id": str(last(offered).id)}
    with pytest.raises(Refused, match="has not read this file yet"):
        accept(offered)
    with pytest.raises(TryLater, match="not printed yet"):
        documents.read_signatures(READER, last(offered).id)
    printed(offered)
    assert documents.read_signatures(READER, last(offered).id) is True
    assert documents.read_signatures(READER, last(offered).id) is False
    other = Findings((), OfferedPages.OTHER)
    assert services.note_signatures(READER, last(offered).id, other) is False and last(offered).findings != other
    with pytest.raises((IntegrityError, DBAPIError)), arranging():
        row = db.session.scalars(select(SignedUpload)).one()
        row.findings = None


def test_a_job_that_ends_in_the_middle_leaves_nothing_half(offered: Offered, monkeypatch: pytest.MonkeyPatch) -> None:
    from grants.documents.pdf import signed as reader

    services.upload_signed_city(
        offered.person("maya"), offered.grant_id, by(offered, "maya", "tom"), incoming(both_signed(offered))
    )

    def killed(*_: object) -> object:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(reader, "read", killed)
        documents.read_signatures(READER, last(offered).id)
    db.session.rollback()
    assert last(offered).findings is None
    assert documents.read_signatures(READER, last(offered).id) is True


def test_an_upload_of_an_offer_that_was_taken_back_counts_for_no_other(offered: Offered) -> None:
    uploaded(offered)
    services.take_back(actors.pia(), offered.grant_id, offer_no=1, reason="A milestone is wrong")

    with pytest.raises(Refused, match="not offered for signature"):
        accept(offered)
    assert not [each for each in queries.duties(actors.pia(), clock.now()) if "Check the signed" in each.what]
    services.refuse_signed_upload(actors.pia(), offered.grant_id, 1, words="Its offer was taken back.")
    assert db.session.scalars(select(AgreementSignature)).all() == []


@shuts(
    "agreements.signed_uploads", "agreements.signed_upload", "agreements.signed_document", "agreements.upload_signed"
)
def test_the_pages_take_a_document_from_its_upload_to_its_acceptance(app: Flask, offered: Offered) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    base = f"/grants/{offered.reference}/signed"
    maya, pia = (actors.client_of(app, each) for each in (offered.person("maya"), actors.pia()))
    assert "Upload one signed for the coordinator" in text_of(maya.get(base))
    assert "signed for the programme" not in text_of(maya.get(base))
    assert "Signed documents" in text_of(maya.get(f"/grants/{offered.reference}/agreement"))
    assert maya.get(f"{base}/new/programme").status_code == 403 and pia.get(f"{base}/new/nobody").status_code == 404
    data = both_signed(offered)
    day = clock.long_date(today())
    typed = {f"day_{offered.maya_id}": day, f"day_{offered.tom_id}": day, "kind": "qualified"}
    place = f"{base}/new/city"
    empty = send(maya, place, file=(io.BytesIO(data), "signed.pdf"), kind="qualified")
    assert empty.status_code == 422 and "Enter the day beside at least one name" in empty.get_data(as_text=True)
    assert send(maya, place, file=(io.BytesIO(data), "signed.pdf"), **typed).status_code == 303
    assert "being read" in text_of(pia.get(f"{base}/1"))
    documents.read_signatures(READER, last(offered).id)

    with statements() as asked:
        page = text_of(pia.get(f"{base}/1"))
    assert len(asked) <= 8
    assert "It covers the whole document." in page and "No trust list and no certification authority was asked" in page
    assert "Accept the document" not in text_of(maya.get(f"{base}/1"))
    assert send(pia, f"{base}/1", to=f"{base}/1/accept", words=" ").status_code == 422
    assert send(pia, f"{base}/1", to=f"{base}/1/accept", words=SAID).status_code == 303
    assert SAID in text_of(maya.get(f"{base}/1"))
    shown = text_of(maya.get(f"/grants/{offered.reference}/agreement"))
    assert "on a signed document that was uploaded and checked" in shown
    with pia.get(f"{base}/1/document") as paper:
        assert paper.get_data() == data
    with arranging():
        officer = actors.pia().user_id
        assert officer is not None
        people.bar(officer, "application", offered.grant.application_id)
    again = actors.client_of(app, actors.pia())
    places = (base, f"{base}/1", f"{base}/1/document", f"{base}/new/programme")
    assert {again.get(each).status_code for each in places} == {404}


# ---------------------------------------------------------------------------------------------- the programme's certificate


def waiting(grant_id: UUID) -> int:
    found = select(Job.id).where(Job.name == "jobs.documents.certify_agreement", Job.subject_id == grant_id)
    return len(db.session.scalars(found).all())


def test_without_a_certificate_the_paper_is_plain_and_its_page_says_so(app: Flask, signed: Offered) -> None:
    documents.print_agreement(READER, signed.grant_id, 1)

    assert waiting(signed.grant_id) == 0
    assert documents.certify_agreement(READER, signed.grant_id, 1) is None
    page = text_of(actors.client_of(app, actors.pia()).get(f"/grants/{signed.reference}/versions/1"))
    assert "Not signed by a certificate of the programme" in page


@shuts("agreements.certified_pdf")
def test_with_one_the_paper_is_signed_as_a_new_file_beside_it_once(
    app: Flask, signed: Offered, certificate: Path
) -> None:
    with pytest.raises(TryLater, match="not printed yet"):
        documents.certify_agreement(READER, signed.grant_id, 1)
    plain = documents.print_agreement(READER, signed.grant_id, 1)
    assert waiting(signed.grant_id) == 1
    certificate.write_text("another", encoding="utf-8")
    with pytest.raises(Refused, match="not opened by its password"):
        documents.certify_agreement(READER, signed.grant_id, 1)
    certificate.write_text(PASSWORD, encoding="utf-8")

    made = documents.certify_agreement(READER, signed.grant_id, 1)

    assert made is not None and made.name.endswith("-signed.pdf")
    assert files.path(made).read_bytes().startswith(files.path(plain).read_bytes())
    assert documents.certify_agreement(READER, signed.grant_id, 1) == made
    pia = actors.client_of(app, actors.pia())
    assert "with the electronic signature of the programme" in text_of(
        pia.get(f"/grants/{signed.reference}/versions/1")
    )
    place = f"/grants/{signed.reference}/versions/1-signed.pdf"
    with pia.get(place) as paper:
        assert paper.status_code == 200
    with pia.get(f"/grants/{signed.reference}/versions/1.pdf") as paper:
        assert paper.get_data() == files.path(plain).read_bytes()
    with arranging():
        officer = actors.pia().user_id
        assert officer is not None
        people.bar(officer, "application", signed.grant.application_id)
    assert actors.client_of(app, actors.pia()).get(place).status_code == 404
