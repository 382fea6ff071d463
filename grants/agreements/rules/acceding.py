"""How partners accede to an agreement in force, and where each stands on a day. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from grants.agreements.rules.conditions import AnswerView, PartView, power_in
from grants.agreements.states import AccessionStanding, ConditionStanding, Verdict
from grants.core import clock, faults
from grants.core.errors import Invalid, NotFound, Refused

# Within so many calendar days after the last one the coordinator asks for the removal of who did not accede (Model Grant
# Agreement, article 40.1).
REMOVAL_DAYS = 30


@dataclass(frozen=True, slots=True)
class AccessionSignatureView:
    """One person who acceded for a partner, to which version, by what power."""

    signed_by: UUID
    name: str
    capacity: str
    signed_at: datetime
    version_no: int
    document_sha256: str
    power_id: UUID
    power: str
    # Of one on an uploaded document: the day that stands beside it, and when the document came.
    signed_on: date | None = None
    came_at: datetime | None = None

    @property
    def came_on(self) -> date:
        """The day on which it was given here, or its document was uploaded: the one that is in time or late."""
        return clock.in_zone(self.came_at or self.signed_at).date()


@dataclass(frozen=True, slots=True)
class AccessionView:
    """The accession of one partner with everything its pages show. ``place`` stands in addresses."""

    id: UUID
    place: int
    organisation_id: UUID
    name: str
    due_on: date
    acceded_at: datetime | None = None
    acceded_version: int | None = None
    ended_at: datetime | None = None
    ended_by: str = ""
    end_reason: str = ""
    left_at: datetime | None = None
    signatures: tuple[AccessionSignatureView, ...] = ()
    # What was stated about who may sign for the partner, in order.
    answers: tuple[AnswerView, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it is still waited for."""
        return self.acceded_at is None and self.ended_at is None

    @property
    def acceded_on(self) -> date | None:
        """The day of the accession, in Brussels."""
        return clock.in_zone(self.acceded_at).date() if self.acceded_at else None

    @property
    def was_late(self) -> bool:
        """Whether it acceded after its day; a document that came in time is in time, however long it was checked."""
        counted = [each.came_on for each in self.signatures if each.version_no == self.acceded_version]
        return self.acceded_on is not None and max(counted, default=self.acceded_on) > self.due_on

    @property
    def removal_until(self) -> date:
        """Until when the coordinator asks for its removal where it does not accede."""
        return clock.add_days(self.due_on, REMOVAL_DAYS)

    def standing(self, today: date) -> AccessionStanding:
        """Where it stands on a day; its last day is itself in time."""
        if self.left_at is not None:
            return AccessionStanding.LEFT
        if self.acceded_at is not None:
            return AccessionStanding.ACCEDED
        if self.ended_at is not None:
            return AccessionStanding.ENDED
        return AccessionStanding.OVERDUE if today > self.due_on else AccessionStanding.WAITING

    def part(self, today: date) -> PartView:
        """What was stated about its power to sign, as pages of conditions show an answer."""
        standing = self.answers[-1].standing(today) if self.answers else ConditionStanding.OPEN
        return PartView(self.place, self.organisation_id, self.name, standing, self.answers)

    def power(self, today: date) -> AnswerView | None:
        """The accepted power to sign for it that holds on a day; None where none does."""
        part = self.part(today)
        return part.answer if part.standing is ConditionStanding.ACCEPTED else None

    def given(self, version_no: int, power_id: UUID) -> frozenset[UUID]:
        """Who has acceded to this version by this power."""
        return frozenset(
            each.signed_by for each in self.signatures if (each.version_no, each.power_id) == (version_no, power_id)
        )

    def missing(self, version_no: int, today: date) -> int:
        """How many signatures it still waits for, by the power that holds."""
        if not self.is_open:
            return 0
        answer = self.power(today)
        return 1 if answer is None else self.left(version_no, answer)

    def left(self, version_no: int, answer: AnswerView) -> int:
        """How many signatures to this version one power still asks for."""
        power = power_in(answer)
        assert power is not None, "an answer about the power to sign holds one"
        return (len(power.signer_ids) if power.jointly else 1) - len(self.given(version_no, answer.id))

    def possible(self) -> tuple[tuple[UUID, str, str], ...]:
        """Who may sign for it, with the capacity that is known: whom the accepted power names that stands."""
        last = self.answers[-1] if self.answers else None
        accepted = last is not None and last.verdict is not None and last.verdict.verdict is Verdict.ACCEPTED
        power = power_in(last) if accepted else None
        if power is None:
            return ()
        others = tuple((each.user_id, each.name, each.capacity) for each in power.others)
        return ((power.signer_id, power.signer, power.capacity), *others)


def accession_at(found: Iterable[AccessionView], organisation_id: UUID) -> AccessionView:
    """The accession of one partner, the last that was asked of it; raises :class:`NotFound` where none was."""
    view = next((each for each in reversed(tuple(found)) if each.organisation_id == organisation_id), None)
    if view is None:
        raise NotFound
    return view


def refuse_accession_ended(view: AccessionView) -> None:
    """Nothing more is stated or signed once a partner has acceded, left, or is not waited for any more."""
    if view.left_at is not None:
        raise Refused(
            f"{view.name} has left this grant. An amendment lets it in again; then it is asked to accede anew."
        )
    if view.acceded_on is not None:
        raise Refused(f"{view.name} acceded on {clock.long_date(view.acceded_on)}. There is nothing more to do.")
    if view.ended_at is not None:
        raise Refused(f"The accession of {view.name} is not waited for any more: {view.end_reason}")


def refuse_without_accession_power(view: AccessionView, user_id: UUID | None, today: date) -> AnswerView:
    """Only who holds an accepted power to sign for the partner, valid this day, accedes for it; the answer that gives it."""
    faults.point("four_eyes")
    answer = view.power(today)
    power = power_in(answer)
    if answer is None or power is None or user_id not in power.signer_ids:
        raise Refused(
            f"No accepted power to sign for {view.name} that holds today names you. State who may sign, with the document "
            "that says so; the programme accepts it; then accede."
        )
    return answer


def uploaded_accession_power(view: AccessionView, user_id: UUID, name: str, signed_on: date) -> AnswerView:
    """The accepted power to sign for the partner that held on the day beside a signature and names who gave it."""
    faults.point("four_eyes")
    answer = view.power(signed_on)
    power = power_in(answer)
    if answer is None or power is None or user_id not in power.signer_ids:
        raise Refused(
            f"No accepted power to sign for {view.name} that held on {clock.long_date(signed_on)} names {name}. Refuse the "
            "document, or have the right person and day uploaded."
        )
    return answer


def accession_form_role(accession_id: UUID, version_no: int) -> str:
    """The role of the file of the form by which a partner accedes to a version, printed to be signed."""
    return f"accession-form-{accession_id}-{version_no}"


def accession_role(accession_id: UUID) -> str:
    """The role of the file of an accession that was made, with its signatures."""
    return f"accession-{accession_id}"


def refuse_acceded_twice(
    view: AccessionView, version_no: int, power: AnswerView, user_id: UUID | None, name: str = ""
) -> None:
    """Everybody signs a version once."""
    faults.point("four_eyes")
    if user_id in view.given(version_no, power.id):
        who = f"{name} has" if name else "You have"
        raise Refused(f"{who} signed already. The accession waits for the others whom the power names.")


def refuse_strangers(signers: Iterable[UUID], members: Iterable[UUID], name: str) -> None:
    """Whoever a power names belongs to the organisation it is about."""
    if not set(signers) <= set(members):
        raise Invalid(
            "Somebody of this power does not belong to the organisation.",
            {"signer": f"Choose somebody of {name}, or have them added on the page “Organisation” first."},
        )
