"""Signed documents that are uploaded: who signed, what a job found in the file, and when one may be accepted. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from grants.agreements.rules.acceding import AccessionView
from grants.agreements.rules.conditions import AnswerView, ConditionView, EvidenceView, power_in, power_of
from grants.agreements.rules.parties import signs
from grants.agreements.rules.showing import GrantView
from grants.agreements.states import ConditionKey, GrantState, OfferedPages, Side, UploadKind, UploadState
from grants.core import clock, faults
from grants.core.errors import Invalid, Refused

# More signature fields than that no agreement has; a file that has more is looked at no further.
FIELDS_MAX = 40


@dataclass(frozen=True, slots=True)
class UploadedSigner:
    """Who signed a document, in which capacity, and the day that stands beside the signature."""

    user_id: UUID
    name: str
    capacity: str
    signed_on: date


@dataclass(frozen=True, slots=True)
class FieldFound:
    """One signature field as a job read it. Whether its certificate is to be trusted nobody was asked."""

    field: str
    signer: str
    issuer: str
    # As the signature itself says, which proves nothing.
    said_at: datetime | None
    # The bytes it covers are those that were signed.
    is_intact: bool
    # It covers the whole document, as it was when it was given.
    covers_all: bool
    # What came after it is more than further signatures.
    is_changed_after: bool
    # The certificate calls itself qualified.
    says_qualified: bool
    # Made with a method that is no longer safe.
    is_weak: bool = False

    @property
    def holds(self) -> bool:
        """Whether everything the program can look at is in order."""
        return self.is_intact and self.covers_all and not self.is_changed_after and not self.is_weak

    @property
    def words(self) -> str:
        """What was found, in sentences."""
        said = [f"Signed by “{self.signer}”, certificate of “{self.issuer}”."]
        if self.said_at is not None:
            local = clock.in_zone(self.said_at)
            said.append(
                f"It says of itself that it was given on {clock.long_date(local.date())}, {local:%H:%M} Brussels time."
            )
        said.append(
            "What it covers is as it was signed."
            if self.is_intact
            else "What it covers was changed after it was signed."
        )
        said.append("It covers the whole document." if self.covers_all else "It does not cover the whole document.")
        if self.is_changed_after:
            said.append("More than further signatures was added after it.")
        if self.is_weak:
            said.append("It was made with a method that is no longer safe.")
        qualified = "calls itself qualified" if self.says_qualified else "does not call itself qualified"
        said.append(f"The certificate {qualified}.")
        return " ".join(said)


@dataclass(frozen=True, slots=True)
class Findings:
    """What a job read in a signed document."""

    fields: tuple[FieldFound, ...]
    pages: OfferedPages
    # Why it could not be read to its end; empty where it could.
    problem: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """In sentences, for pages."""
        said = [self.problem] if self.problem else []
        said.append(self.pages.words)
        if not self.fields:
            said.append("There is no electronic signature in the file.")
        return (*said, *(f"Field “{each.field}”. {each.words}" for each in self.fields))

    def against(self, signers: int) -> str:
        """Why these findings do not carry so many electronic signatures, in a sentence; empty where they do."""
        if self.problem or self.pages not in (OfferedPages.WHOLE, OfferedPages.SAME):
            return "The program did not find the offered pages unchanged in this file."
        if len(self.fields) < signers:
            return f"It has {len(self.fields)} electronic signatures, and {signers} people are named as having signed."
        if wrong := next((each for each in self.fields if not each.holds), None):
            return f"The signature in field “{wrong.field}” does not hold for the whole document as it is."
        return ""


@dataclass(frozen=True, slots=True)
class Awaited:
    """What a signed document may be uploaded of: an offer for one of its sides, or the version in force for a partner."""

    offer_no: int
    side: Side
    # For whom it is signed, in words.
    whose: str
    # The first day that may stand beside a signature.
    since: date
    # So many signatures of it are waited for.
    missing: int
    # Whom to choose from: their ids, names and capacities.
    signers: tuple[tuple[UUID, str, str], ...]
    accession: AccessionView | None = None

    def waits_in(self, found: Iterable[UploadView]) -> UploadView | None:
        """The document of it that waits to be checked already."""
        place = self.accession.place if self.accession else None
        return next(
            (
                each
                for each in found
                if each.waits and (each.offer_no, each.side, each.place) == (self.offer_no, self.side, place)
            ),
            None,
        )


@dataclass(frozen=True, slots=True)
class UploadInput:
    """A signed document as typed, beside its file."""

    kind: UploadKind
    signers: tuple[UploadedSigner, ...]
    original_kept_at: str = ""


@dataclass(frozen=True, slots=True)
class UploadView:
    """A signed document with everything its pages show."""

    id: UUID
    number: int
    offer_no: int
    side: Side
    kind: UploadKind
    file: EvidenceView
    signers: tuple[UploadedSigner, ...]
    original_kept_at: str
    uploaded_by: UUID
    uploaded_by_name: str
    uploaded_at: datetime
    state: UploadState
    findings: Findings | None = None
    checked_by: str = ""
    checked_at: datetime | None = None
    words: str = ""
    # Of a partner that accedes by it: its name, its place among the accessions, and the version it accedes to.
    partner: str = ""
    place: int | None = None
    version_no: int | None = None

    @property
    def whose(self) -> str:
        """For whom it was signed."""
        return self.partner or signs(self.side)

    @property
    def of(self) -> str:
        """What was signed."""
        return f"accession to version {self.version_no}" if self.place else f"offer {self.offer_no}"

    @property
    def waits(self) -> bool:
        """Whether nobody has decided about it yet."""
        return self.state is UploadState.PROPOSED


def on_offer(grant: GrantView) -> GrantView | None:
    """A grant as what is offered for signature now would have it: the agreement, or an amendment of it; None where nothing is."""
    if grant.state is GrantState.READY_TO_SIGN:
        return grant
    offer = next((each for each in grant.offers if each.ended_at is None), None)
    return grant.of_offer(offer.number) if offer is not None and grant.state is GrantState.IN_FORCE else None


def stands(view: UploadView, grant: GrantView, accessions: Iterable[AccessionView] = ()) -> bool:
    """Whether what a document is of can still be signed: its offer is the one that stands, or its partner still accedes to
    that version."""
    if view.place is not None:
        in_force = bool(grant.versions) and grant.versions[-1].number == view.version_no
        open_now = any(each.place == view.place and each.is_open for each in accessions)
        return in_force and open_now and grant.state is GrantState.IN_FORCE
    now = on_offer(grant)
    return now is not None and now.stands == view.offer_no


def check_upload(given: UploadInput, *, offered_on: date, today: date) -> None:
    """Refuse what cannot stand; raises :class:`Invalid` with a sentence for each field."""
    problems = {}
    if not given.signers:
        problems["signers"] = "Enter the day beside at least one name: who signed this document."
    if given.kind is UploadKind.SCAN and not given.original_kept_at:
        problems["original_kept_at"] = "Say where the paper with the signatures is kept, for example: archive, room 12."
    for each in given.signers:
        if not each.capacity:
            problems[f"capacity_{each.user_id}"] = "Say in which capacity this person signed."
        if not offered_on <= each.signed_on <= today:
            problems[f"day_{each.user_id}"] = (
                f"The text was offered on {clock.long_date(offered_on)}. Enter that day or a later one, up to today."
            )
    if problems:
        raise Invalid("The signed document is not taken yet.", problems)


def refuse_signed_before(grant: GrantView, side: Side, signer: UploadedSigner) -> None:
    """Everybody signs once, and nobody for both sides, be it in an earlier offer."""
    faults.point("four_eyes")
    if any(each.signed_by == signer.user_id for each in grant.signatures):
        raise Refused(f"{signer.name} has already signed this agreement.")
    if any(each.signed_by == signer.user_id and each.side is not side for each in grant.earlier_signatures):
        raise Refused(f"{signer.name} has signed an earlier offer for the other side. One person cannot sign for both.")


def refuse_signed_for_programme(grant: GrantView, signer: UploadedSigner) -> None:
    """Nobody who signed for the programme, be it an earlier offer, has signed for a partner."""
    faults.point("four_eyes")
    given = (*grant.signatures, *grant.earlier_signatures)
    if any(each.signed_by == signer.user_id and each.side is Side.PROGRAMME for each in given):
        raise Refused(f"{signer.name} has signed for the programme in this grant and cannot sign for a partner.")


def refuse_withdrawing(view: UploadView, actor_id: UUID | None) -> None:
    """Only who uploaded a document takes it back; for everybody else there is the check."""
    if actor_id != view.uploaded_by:
        raise Refused(
            f"{view.uploaded_by_name} uploaded this document and may withdraw it. A colleague who checks it may refuse it."
        )


def refuse_own_upload(uploaded_by: UUID, signers: Iterable[UploadedSigner], actor_id: UUID | None) -> None:
    """Four eyes: who uploaded a signed document, or signed it, does not check it."""
    faults.point("four_eyes")
    if actor_id is None or actor_id == uploaded_by:
        raise Refused("You uploaded this document yourself. A colleague has to check it.")
    if any(each.user_id == actor_id for each in signers):
        raise Refused("You signed this document yourself. A colleague has to check it.")


def refuse_unproved(view: UploadView) -> None:
    """A document is accepted once a job has read it; one that was signed electronically only if its signatures hold."""
    if view.findings is None:
        raise Refused("The program has not read this file yet. Reload the page in a moment.")
    if view.kind is UploadKind.QUALIFIED and (why := view.findings.against(len(view.signers))):
        raise Refused(
            f"{why} Refuse the document, with what is missing; a document that was signed by hand is uploaded as a scan."
        )


def uploaded_power(views: Sequence[ConditionView], signer: UploadedSigner) -> AnswerView | None:
    """The accepted power to sign that held on the day of a signature of the city; ``views`` are those of that day.

    None where the preparation is older than such answers: the tick of an officer stands for it.
    """
    faults.point("four_eyes")
    view = next((each for each in views if each.key is ConditionKey.POWER_TO_SIGN), None)
    if view is None or view.is_ticked:
        return None
    answer = power_of(views)
    power = power_in(answer)
    if answer is None or power is None or signer.user_id not in power.signer_ids:
        raise Refused(
            f"No accepted power to sign that held on {clock.long_date(signer.signed_on)} names {signer.name}. Refuse the "
            "document, or have the right person and day uploaded."
        )
    return answer
