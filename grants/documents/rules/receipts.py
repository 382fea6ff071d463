"""What the receipt of a submission states."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from grants.agreements.rules import (
    AccessionSignatureView,
    AccessionView,
    AgreementText,
    Letters,
    NamedShare,
    SignatureView,
)
from grants.agreements.states import Side
from grants.documents.rules.figures import Table


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt states; the same words stand on its page."""

    programme: str
    call: str
    reference: str
    title: str
    receipt_number: int
    version: int
    submitted_at: datetime
    submitted_by: str
    closes_at: datetime
    zone: str
    coordinator: str
    partners: tuple[str, ...]
    # When it was received, a label and the words for each zone that matters to whoever holds the receipt.
    received: tuple[tuple[str, str], ...]
    summary: str
    requested: str
    sha256: str
    # Of the submission, in the audit record.
    event_id: str
    # Heading, then question and answer: the application as it was sent.
    answers: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    costs: Table | None = None
    files: Table | None = None
    # Whether it tells of something invented: then it says so on each page.
    synthetic: bool = False


@dataclass(frozen=True, slots=True)
class AgreementSheet:
    """An agreement as it goes on paper: a text that was frozen, where it stands, and the signatures it was given."""

    text: AgreementText
    sha256: str
    # In the foot of each page, and among the facts of the first.
    standing: str
    standing_words: str
    signatures: tuple[SignatureView, ...] = ()
    version: int = 1
    # Of a version that both sides agreed on by letters, which nobody signs.
    letters: Letters | None = None
    # Of what is offered: for how many people of each side there is room to sign by hand.
    places: tuple[tuple[Side, int], ...] = ()


@dataclass(frozen=True, slots=True)
class AccessionSheet:
    """The accession of a partner as it goes on paper: to which version, and the signatures it was given; a form before that."""

    text: AgreementText
    sha256: str
    version_no: int
    in_force_on: date
    accession: AccessionView

    @property
    def share(self) -> NamedShare | None:
        """What the agreement has for this partner."""
        who = self.accession.organisation_id
        return next((each for each in self.text.beneficiaries if each.organisation_id == who), None)

    @property
    def given(self) -> tuple[AccessionSignatureView, ...]:
        """The signatures to this version."""
        return tuple(each for each in self.accession.signatures if each.version_no == self.version_no)
