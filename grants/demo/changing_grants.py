"""What people of the demo do with a signed grant beyond paying it: it is amended, and it is ended before its time."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from werkzeug.datastructures import FileStorage

from grants.agreements import queries as reads
from grants.agreements import rules
from grants.agreements import services as agreements
from grants.agreements.models import Grant
from grants.agreements.rules import (
    AmendmentInput,
    BudgetShift,
    Change,
    Extension,
    GrantView,
    Move,
    Share,
    TerminationInput,
    UploadedSigner,
    UploadInput,
)
from grants.agreements.states import Side, TerminationReason, UploadKind
from grants.budgets import queries as budgets
from grants.core import clock, files
from grants.core.db import get
from grants.core.files import Incoming
from grants.core.money import Money
from grants.demo.deeds import Troupe
from grants.demo.texts import paper
from grants.identity import queries as identity
from grants.reporting import services as reporting
from grants.reporting.rules.packages import Claim, Verdict
from grants.reporting.services import packages


class Changers(Troupe):
    """Amendments, letters and terminations. A grant is known by its reference."""

    # --- amendments -------------------------------------------------------------------------------------------------

    def draft_amendment(self, reference: str, by: str, change: Change, reason: str, *, by_letter: bool = False) -> int:
        """Somebody of either side drafts a change; its number."""
        given = AmendmentInput(change, reason, by_letter)
        return agreements.draft_amendment(self.actor(by), self._grant(reference).id, given)

    def send_amendment(self, reference: str, by: str, number: int) -> None:
        """The draft is sent as it is shown."""
        grant = self._shown(reference)
        proposal, _ = reads.proposed(grant, reads.amendment(grant.id, number), _today())
        agreements.send_amendment(self.actor(by), grant.id, number, seen=proposal.fingerprint)

    def open_amendment(self, reference: str, number: int) -> None:
        """The authoriser opens a request: its days to answer run."""
        agreements.open_amendment(self.actor("authoriser"), self._grant(reference).id, number)

    def accept_amendment(self, reference: str, number: int) -> None:
        """The authoriser accepts a request and offers the amended agreement."""
        grant_id = self._grant(reference).id
        agreements.accept_amendment(
            self.actor("authoriser"), grant_id, number, document_sha256=self._amended(reference, number)
        )

    def refuse_amendment(self, reference: str, number: int, words: str) -> None:
        """The authoriser refuses a request."""
        agreements.refuse_amendment(self.actor("authoriser"), self._grant(reference).id, number, words=words)

    def withdraw_amendment(self, reference: str, by: str, number: int, reason: str) -> None:
        """Whose side proposed it takes it back."""
        agreements.withdraw_amendment(self.actor(by), self._grant(reference).id, number, reason=reason)

    def sign_amendment_for_city(self, reference: str, mayor: str, number: int) -> None:
        """The city's signatory signs the amended text."""
        grant_id = self._grant(reference).id
        agreements.sign_amendment_for_city(
            self.actor(mayor),
            grant_id,
            number,
            capacity="Signatory (invented person)",
            document_sha256=_offered(grant_id, number),
        )

    def sign_amendment_for_programme(self, reference: str, number: int) -> None:
        """The programme signs it."""
        grant_id = self._grant(reference).id
        agreements.sign_amendment_for_programme(
            self.actor("signatory"),
            grant_id,
            number,
            capacity="Director of the programme (invented person)",
            document_sha256=_offered(grant_id, number),
        )

    def consent_for_city(self, reference: str, mayor: str, number: int, words: str) -> None:
        """Who signs for the city consents to a letter of the programme."""
        agreements.consent_to_letter_for_city(
            self.actor(mayor),
            self._grant(reference).id,
            number,
            words=words,
            document_sha256=self._amended(reference, number),
        )

    def _amended(self, reference: str, number: int) -> str:
        grant = self._shown(reference)
        amendment = reads.amendment(grant.id, number)
        proposal, text = reads.proposed(grant, amendment, _today())
        return rules.text_hash(reads.amended(grant, amendment, proposal, text))

    def longer(self, reference: str, months: int) -> Extension:
        """So many months more."""
        return Extension(clock.add_months(self._shown(reference).ends_before, months))

    def shifted(self, reference: str, amount: Money) -> BudgetShift:
        """So much of the coordinator's largest amount moves to its next one; every maximum stays."""
        grant = self._shown(reference)
        assert grant.budget_id is not None, "each grant of the demo has a budget"
        cells = [
            each for each in budgets.written(grant.budget_id).cells if each.organisation_id == grant.coordinator_id
        ]
        first, second = sorted(cells, key=lambda each: -each.amount.cents)[:2]
        shares = tuple(Share(each.organisation_id, each.maximum) for each in grant.beneficiaries)
        who = grant.coordinator_id
        return BudgetShift(shares, (Move(amount, who, first.category, who, second.category),))

    # --- the end before its time ------------------------------------------------------------------------------------

    def propose_termination(
        self,
        reference: str,
        by: str,
        reason: TerminationReason,
        words: str,
        *,
        days: int = 40,
        partner: UUID | None = None,
    ) -> int:
        """Somebody of either side proposes to end a grant, or the part of a partner, in so many days; the other side may object for thirty."""
        today = _today()
        given = TerminationInput(reason, words, today + timedelta(days=days), today + timedelta(days=31), partner)
        return agreements.propose_termination(
            self.actor(by), self._grant(reference).id, given, _paper("Notice of termination", words)
        )

    def object_to_termination(self, reference: str, by: str, number: int, words: str) -> None:
        """The other side says what speaks against it."""
        agreements.object_to_termination(self.actor(by), self._grant(reference).id, number, words=words)

    def confirm_termination(self, reference: str, number: int, answer: str) -> None:
        """The authoriser confirms it from this very day on."""
        agreements.confirm_termination(
            self.actor("authoriser"), self._grant(reference).id, number, effective_on=_today(), answer=answer
        )

    def withdraw_termination(self, reference: str, by: str, number: int, words: str) -> None:
        """Whose side proposed it takes it back."""
        agreements.withdraw_termination(self.actor(by), self._grant(reference).id, number, words=words)

    def settle_unsent(self, reference: str, number: int, answer: str) -> None:
        """The project officer settles a report that never came."""
        report = self._report(self._grant(reference), number)
        reporting.settle_unsent(self.actor("officer"), report.id, answer=answer)

    # --- lump sums --------------------------------------------------------------------------------------------------

    def report_packages(self, reference: str, number: int, lead: str, codes: Sequence[str]) -> None:
        """The city reports, and declares these work packages as done instead of costs."""
        report_id = self._report(self._grant(reference), number).id
        self._write_report(reference, report_id, lead)
        for code in codes:
            words = f"{code} is done, as its evidence shows. (Synthetic.)"
            packages.declare_package(
                self.actor(lead), report_id, code, Claim(100, words), incoming=_paper(f"Evidence of {code}", words)
            )
        reporting.submit(self.actor(lead), report_id)

    def accept_packages(self, reference: str, number: int, codes: Sequence[str]) -> None:
        """The project officer accepts them as a whole."""
        verdicts = tuple(Verdict(code, 100) for code in codes)
        report_id = self._report(self._grant(reference), number).id
        packages.accept_packages(self.actor("officer"), report_id, verdicts, answer="Accepted in full.")

    # --- signatures on paper ----------------------------------------------------------------------------------------

    def upload_signed(self, reference: str, key: str, side: Side) -> int:
        """A scan of the signed text: the city's signatory uploads its own, the officer what the director signed. Its number."""
        person = identity.person(self.ids[key])
        signer = UploadedSigner(person.id, person.name, "Signatory (invented person)", _today())
        given = UploadInput(UploadKind.SCAN, (signer,), "Archive, room 12 (invented)")
        grant_id, scan = self._grant(reference).id, _paper("Signed agreement", f"Signed by {person.name}.")
        if side is Side.CITY:
            return agreements.upload_signed_city(self.actor(key), grant_id, given, scan)
        return agreements.upload_signed(self.actor("officer"), grant_id, side, given, scan)

    def accept_signed(self, reference: str, number: int, words: str) -> None:
        """The programme manager compared it with the offer."""
        agreements.accept_signed(self.actor("manager"), self._grant(reference).id, number, words=words)

    def refuse_signed(self, reference: str, number: int, words: str) -> None:
        """The programme manager found what is wrong with it."""
        agreements.refuse_signed_upload(self.actor("manager"), self._grant(reference).id, number, words=words)

    def _shown(self, reference: str) -> GrantView:
        return reads.view(get(Grant, self._grant(reference).id))


def _offered(grant_id: UUID, number: int) -> str:
    offer = reads.amendment(grant_id, number).offer_no
    assert offer is not None, "what is signed was offered"
    return rules.text_hash(reads.offered_text(grant_id, offer))


def _paper(title: str, words: str) -> Incoming:
    return files.receive(FileStorage(io.BytesIO(paper(title, words)), filename=f"{title}.pdf"))


def _today() -> date:
    return clock.in_zone(clock.now()).date()
