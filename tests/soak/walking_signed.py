"""Steps of the walk on how an amendment is agreed otherwise: by letters, by silence, by signed documents that are uploaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from grants.agreements import queries as agreements
from grants.agreements import rules
from grants.agreements import services as agreeing
from grants.agreements.rules import AmendmentInput, Findings, Scope, UploadedSigner, UploadInput
from grants.agreements.states import AmendmentState, OfferedPages, Side, UploadKind
from grants.core import clock
from grants.core.db import db
from grants.core.permissions import Actor, Permission, system_actor
from tests import actors
from tests.agreements.accounts import document
from tests.soak.walking_agreement import AgreementSteps

SILENCE = system_actor("the program", [Permission.AGREEMENT_LAPSE])
READER = system_actor("the program", [Permission.AGREEMENT_READ])
NOTHING_FOUND = Findings((), OfferedPages.OTHER)


class SignedSteps(AgreementSteps):
    """Letters, silence, and paper."""

    # ------------------------------------------------------------------ letters and silence

    @rule(by_city=st.booleans(), thousands=st.integers(1, 60), consent=st.booleans())
    def letter(self, by_city: bool, thousands: int, consent: bool) -> None:
        """One side writes, changes its draft and sends it; the other consents, or says nothing yet."""
        if self.model.closed:
            return
        grant_id, author = self.grant.grant_id, self.lead if by_city else self.officer
        open_ = "amendment" in self.model.waiting and self.amendment_by_city == by_city
        running = self.model.final is None and not self.model.over and not open_
        change = Scope(f"Schools too, {thousands}.", "")
        first = AmendmentInput(change, "The site was closed.", by_letter=True)
        number = self.tried(
            None if running else False, lambda: agreeing.draft_amendment(author, grant_id, first), "draft_letter"
        )
        if number is None:
            return
        self.amendment, self.amendment_by_city = number, by_city
        self.model.waiting.add("amendment")
        second = AmendmentInput(change, "The site was closed for good.", by_letter=True)
        self.tried(None, lambda: agreeing.edit_amendment(author, grant_id, number, second) or "edited")
        seen, spelled = self._seen(number)
        if (
            self.tried(None, lambda: agreeing.send_amendment(author, grant_id, number, seen=seen), "send_letter")
            is None
        ):
            return
        if not consent:
            return
        own, other = (self.signatory, self.authoriser) if by_city else (self.authoriser, self.signatory)
        self._consent(own, number, spelled, by_city=not by_city)
        self._consent(other, number, spelled, by_city=by_city)

    def _consent(self, person: Actor, number: int, spelled: str, *, by_city: bool) -> None:
        grant_id, given = self.grant.grant_id, {"words": "We agree.", "document_sha256": spelled}
        if by_city:
            answered = self.tried(None, lambda: agreeing.consent_to_letter(person, grant_id, number, **given) or "yes")
        else:
            answered = self.tried(
                None, lambda: agreeing.consent_to_letter_for_city(person, grant_id, number, **given) or "yes"
            )
        if answered is not None:
            self._follow(agreements.amendment(grant_id, number).state)

    def _seen(self, number: int) -> tuple[str, str]:
        """What a person who sends or answers it has before them, by its hashes."""
        db.session.rollback()
        with clock.at(self.now):
            shown, found = self._shown(), agreements.amendment(self.grant.grant_id, number)
            made, text = agreements.proposed(shown, found, self.now.date())
            return made.fingerprint, rules.text_hash(agreements.amended(shown, found, made, text))

    @precondition(lambda self: "amendment" in self.model.waiting)
    @rule()
    def silence(self) -> None:
        """What nobody answered by its last day is refused; before that day the program ends nothing."""
        grant_id, number = self.grant.grant_id, self.amendment
        found = agreements.amendment(grant_id, number)
        late = found.reply_due_on is not None and self.now.date() > found.reply_due_on
        self.follows(lambda: agreeing.plan_silence(SILENCE))
        ended = self.follows(lambda: agreeing.end_silent_amendment(SILENCE, grant_id, number))
        assert ended == (found.state is AmendmentState.SENT and late), "silence is refusal, after the last day"
        if ended:
            self.model.waiting.discard("amendment")

    # ------------------------------------------------------------------ signed documents

    @precondition(lambda self: "amendment" in self.model.waiting)
    @rule(step=st.sampled_from(("city", "programme", "read", "accept", "accept own", "refuse", "withdraw")))
    def signed_document(self, step: str) -> None:
        """What was signed on paper is uploaded by one person and checked by another; its signatures count then."""
        grant_id = self.grant.grant_id
        db.session.rollback()
        number = max((each.number for each in agreements.signed_uploads(grant_id)), default=0)
        paper, ingrid, officer = document(), actors.ingrid(), self.officer
        by_city, by_programme = self._scan(self.signatory), self._scan(self.signing)
        if step == "read":
            for each in agreements.signed_uploads(grant_id):
                upload_id = each.id
                self.follows(lambda upload_id=upload_id: agreeing.note_signatures(READER, upload_id, NOTHING_FOUND))
            return
        words = "Every page compared."
        deeds: dict[str, Callable[[], Any]] = {
            "city": lambda: agreeing.upload_signed_city(self.signatory, grant_id, by_city, paper),
            "programme": lambda: agreeing.upload_signed(ingrid, grant_id, Side.PROGRAMME, by_programme, paper),
            "accept": lambda: agreeing.accept_signed(officer, grant_id, number, words=words) in (True, False),
            "accept own": lambda: agreeing.accept_signed(ingrid, grant_id, number, words=words) in (True, False),
            "refuse": lambda: agreeing.refuse_signed_upload(officer, grant_id, number, words=words) or "refused",
            "withdraw": lambda: agreeing.withdraw_signed(self.signatory, grant_id, number, words=words) or "withdrawn",
        }
        offered = agreements.amendment(grant_id, self.amendment).state is AmendmentState.OFFERED
        allowed = None if offered or step in ("refuse", "withdraw") else False
        if self.tried(allowed, deeds[step], f"{step} signed document") is None:
            return
        if step.startswith("accept"):
            self._follow(agreements.amendment(grant_id, self.amendment).state)

    def _scan(self, signer: Actor) -> UploadInput:
        assert signer.user_id is not None, "a person signs"
        signed = UploadedSigner(signer.user_id, "", "Mayor", self.now.date())
        return UploadInput(UploadKind.SCAN, (signed,), "Archive, room 12")
