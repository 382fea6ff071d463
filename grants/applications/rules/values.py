"""What pages and later stages see of an application."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from grants.applications.rules.serving import Served
from grants.applications.states import ApplicationState, Origin, PartnerRole, PartnerState
from grants.budgets.rules import BudgetContent
from grants.calls.rules import CallView
from grants.core.money import Money
from grants.dossiers.rules import DossierContent
from grants.identity.states import FactKind, OrganisationKind


@dataclass(frozen=True, slots=True)
class PartnerView:
    """One organisation of the consortium and the person who speaks for it."""

    organisation_id: UUID
    name: str
    kind: OrganisationKind
    country_code: str
    pic: str | None
    role: PartnerRole
    state: PartnerState
    contact_id: UUID | None
    contact_name: str | None
    contact_email: str | None
    invited_at: datetime | None
    answered_at: datetime | None

    @property
    def leads(self) -> bool:
        """Whether this is the coordinator."""
        return self.role is PartnerRole.COORDINATOR


@dataclass(frozen=True, slots=True)
class WaitingAnswer:
    """Somebody from outside who accepted for an organisation, as its people see them; title None for everybody else."""

    id: UUID
    organisation: str
    person: str
    email: str
    reference: str
    title: str | None
    call_title: str
    lead: str
    answered_at: datetime
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class SubmissionView:
    """One submitted version, without its content."""

    id: UUID
    number: int
    receipt_number: int
    submitted_at: datetime
    submitted_by: UUID
    closes_at: datetime
    sha256: str
    requested: Money
    # Which version of the call it answers.
    call_version: int = 1


@dataclass(frozen=True, slots=True)
class Registered:
    """A submission in the audit record: its event, and the event's place in the sealed chain once it has one."""

    event_id: UUID
    position: int | None
    # The first signed checkpoint that covers that place: over how many positions, made when.
    covered_up_to: int | None = None
    covered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReceiptProof:
    """What somebody who holds a receipt is told of it: no person, no content."""

    reference: str
    title: str
    receipt_number: int
    number: int
    submitted_at: datetime
    zone: str
    stands: bool
    registered: Registered | None
    # How many files the version has, and for each hash that was asked about, whether it is that of one of them.
    files: int = 0
    held: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Drafted:
    """Title, short name and summary as the team wrote them since the version that stands was sent."""

    title: str
    acronym: str | None
    summary: str | None


@dataclass(frozen=True, slots=True)
class ApplicationView:
    """An application with its call and consortium; answers and budget are read beside it.

    Title, short name and summary are those of the version that stands, once one was sent.
    """

    id: UUID
    version: int
    reference: str
    title: str
    acronym: str | None
    summary: str | None
    state: ApplicationState
    origin: Origin
    source_url: str | None
    synthetic_note: str | None
    call: CallView
    coordinator_id: UUID
    partners: tuple[PartnerView, ...]
    dossier_id: UUID | None
    budget_id: UUID | None
    submission: SubmissionView | None
    requested: Money | None
    withdrawn_at: datetime | None
    created_at: datetime
    # Which version of the call the draft answers, and up to which its team has read what changed.
    call_version: int = 1
    call_version_read: int = 1
    # Whether this one applicant has more time than the others.
    # What only its team reads until it is sent.
    drafted: Drafted | None = None
    # An outcome is decided that its team does not know: the state is the one it was told.
    untold: bool = False

    @property
    def outcome_unknown(self) -> bool:
        """Whether its team knows no outcome at all of those that are decided."""
        return self.untold and self.state is not ApplicationState.RESERVE

    @property
    def as_written(self) -> ApplicationView:
        """The application as its team reads it, with what was written since it was sent."""
        if self.drafted is None:
            return self
        written = self.drafted
        return replace(self, title=written.title, acronym=written.acronym, summary=written.summary, drafted=None)

    @property
    def changes_unread(self) -> bool:
        """Whether the call changed and nobody of the team has said that they read how."""
        return self.call_version_read < self.call_version

    @property
    def name(self) -> str:
        """The short name where there is one, else the title."""
        return self.acronym or self.title

    @property
    def coordinator(self) -> PartnerView:
        """The leading organisation."""
        return next(partner for partner in self.partners if partner.leads)

    @property
    def organisation_names(self) -> dict[UUID, str]:
        """Organisation names by id, the lead marked."""
        return {p.organisation_id: f"{p.name} (lead)" if p.leads else p.name for p in self.partners}

    @property
    def was_selected(self) -> bool:
        """Whether a selection gave it money, whatever became of that since."""
        return self.state in ONCE_SELECTED

    def editable(self, at: datetime) -> bool:
        """Whether anything may still be written at that moment."""
        return self.state in WRITABLE and self.call.is_open(at)


@dataclass(frozen=True, slots=True)
class ApplicationRow:
    """An application in a list."""

    id: UUID
    reference: str
    title: str
    acronym: str | None
    state: ApplicationState
    origin: Origin
    synthetic: bool
    call_id: UUID
    call_slug: str
    call_title: str
    closes_at: datetime | None
    coordinator: str
    country_code: str
    organisations: int
    requested: Money | None
    submitted_at: datetime | None
    created_at: datetime
    state_since: datetime
    # What it is ordered by.
    title_key: str
    lead_key: str


@dataclass(frozen=True, slots=True)
class ListFilter:
    """What a list is narrowed to; empty means everything."""

    call_slug: str = ""
    states: tuple[ApplicationState, ...] = ()
    country_code: str = ""
    search: str = ""
    # The code of a programme, and for how many days at least an application has been in its state.
    programme: str = ""
    days: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """One organisation of the consortium as a submission froze it."""

    organisation_id: UUID
    name: str
    local_name: str | None
    kind: OrganisationKind
    country_code: str
    pic: str | None
    role: PartnerRole
    # What the register held beside name and PIC at that moment.
    facts: tuple[tuple[FactKind, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SubmittedFile:
    """One attached file as a submission froze it: its bytes are found by their SHA-256."""

    file_id: UUID
    role: str
    name: str
    media_type: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SubmittedContent:
    """The application that stands: what evaluators read and what was hashed."""

    application_id: UUID
    reference: str
    title: str
    acronym: str | None
    summary: str | None
    number: int
    submitted_at: datetime
    sha256: str
    consortium: tuple[Member, ...]
    dossier: DossierContent
    budget: BudgetContent
    files: tuple[SubmittedFile, ...]
    # Actions and barriers of its cities' contracts that it serves.
    serves: tuple[Served, ...] = ()

    @property
    def organisation_names(self) -> dict[UUID, str]:
        """Organisation names by id, the lead marked."""
        return {
            member.organisation_id: f"{member.name} (lead)" if member.role is PartnerRole.COORDINATOR else member.name
            for member in self.consortium
        }


WRITABLE = frozenset({ApplicationState.DRAFT, ApplicationState.SUBMITTED})
# States an application reaches only by having been selected.
ONCE_SELECTED = frozenset(
    {
        ApplicationState.SELECTED,
        ApplicationState.IN_PREPARATION,
        ApplicationState.AWARDED,
        ApplicationState.DECLINED,
        ApplicationState.DROPPED,
    }
)
