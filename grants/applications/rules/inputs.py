"""What people type about an application, checked, and what acts answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from grants.applications.states import Verdict
from grants.budgets.rules import Cell, CellKept, Outcome, PlannedPackage, Shown, Source
from grants.core.errors import Conflict, Invalid
from grants.dossiers import rules as dossier_rules
from grants.dossiers.merging import AnswerSaved
from grants.dossiers.merging import Shown as AnswerShown
from grants.dossiers.rules import Answer, Mark
from grants.identity.rules import OrganisationInput, one_line
from grants.identity.states import OrganisationKind

TITLE_CHARACTERS_MAX = 200


ACRONYM_CHARACTERS_MAX = 30


# So far a title is looked at to say how much too long it is.
SHORT_TEXT_SEEN_MAX = 10_000


SUMMARY_WORDS_MAX = 100


PARTNERS_MAX = 60


# Who may lead: a local authority or city administration (domain.md E-01, and item 14 of section 11).
LEADING_KINDS = frozenset({OrganisationKind.MUNICIPALITY, OrganisationKind.METROPOLE})


@dataclass(frozen=True, slots=True)
class DetailsInput:
    """Title, short name and what it is about, as typed."""

    title: str
    acronym: str = ""
    summary: str = ""

    def checked(self) -> DetailsInput:
        """This input on single lines, if it can be stored; raises :class:`Invalid` with a sentence for each field."""
        made = DetailsInput(
            one_line(dossier_rules.clean_text(self.title), characters_max=SHORT_TEXT_SEEN_MAX),
            one_line(dossier_rules.clean_text(self.acronym), characters_max=SHORT_TEXT_SEEN_MAX),
            dossier_rules.clean_text(self.summary),
        )
        problems: dict[str, str] = {}
        if not made.title:
            problems["title"] = "Enter a title. You can change it until the deadline."
        elif len(made.title) > TITLE_CHARACTERS_MAX:
            problems["title"] = (
                f"The title has {len(made.title)} characters; the limit is {TITLE_CHARACTERS_MAX}. Shorten it."
            )
        if len(made.acronym) > ACRONYM_CHARACTERS_MAX:
            problems["acronym"] = (
                f"The short name has {len(made.acronym)} characters; the limit is {ACRONYM_CHARACTERS_MAX}. Shorten it."
            )
        too_long = dossier_rules.length_problem("The summary", made.summary, SUMMARY_WORDS_MAX)
        if too_long:
            problems["about"] = too_long
        if problems:
            raise Invalid("Some details need another look.", problems)
        return made


@dataclass(frozen=True, slots=True)
class StartInput:
    """What starting an application asks for."""

    organisation_id: UUID
    details: DetailsInput
    # The version of the call's privacy notice that was read, where the call has one.
    notice: int | None = None


@dataclass(frozen=True, slots=True)
class InviteInput:
    """Whom to invite: a person by mail, for an organisation that is known or described here."""

    email: str
    name: str
    organisation_id: UUID | None = None
    organisation: OrganisationInput | None = None
    # Keys of the sections the person is asked to write.
    sections: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SectionInput:
    """What was typed in one section, and which version of each answer was shown; None where nobody was shown a form.

    Without a mark, what was said of the section stands.
    """

    answers: tuple[Answer, ...]
    mark: Mark | None
    shown: tuple[AnswerShown, ...] | None


@dataclass(frozen=True, slots=True)
class AnswerInput:
    """What a browser sends of one answer: its values as they are, and the number of the version that was shown."""

    question: str
    values: tuple[str, ...]
    number: int


@dataclass(frozen=True, slots=True)
class AnswerKept:
    """One answer as it stands after saving, with the zone its call tells the time in."""

    answer: AnswerSaved
    zone: str


@dataclass(frozen=True, slots=True)
class TakenSection:
    """Answers of one section that were accepted beside what stood, and which version of each that was."""

    key: str
    answers: tuple[Answer, ...]
    shown: tuple[AnswerShown, ...]


@dataclass(frozen=True, slots=True)
class CommentInput:
    """What is said about a question, and who of the team is told by mail."""

    text: str
    tell: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class BudgetInput:
    """What was typed into the budget, and what was shown of each cell; None where nobody was shown a form."""

    cells: tuple[Cell, ...]
    shown: tuple[Shown, ...] | None


@dataclass(frozen=True, slots=True)
class SourcesInput:
    """All sources beside the grant, and the mark of those that were shown; None where nobody was shown any."""

    sources: tuple[Source, ...]
    mark: str | None


@dataclass(frozen=True, slots=True)
class PlanInput:
    """A whole work plan, and the mark of the one that was shown; None where nobody was shown one."""

    packages: tuple[PlannedPackage, ...]
    mark: str | None


@dataclass(frozen=True, slots=True)
class BudgetKept:
    """The cells as they stand after saving, with the zone the call tells the time in."""

    cells: tuple[CellKept, ...]
    zone: str

    @property
    def contested(self) -> tuple[CellKept, ...]:
        """The cells somebody else was quicker with: not stored."""
        return tuple(cell for cell in self.cells if cell.outcome is Outcome.CONTESTED)


@dataclass(frozen=True, slots=True)
class ConditionAnswer:
    """The desk's answer to one condition; None while it is not answered."""

    condition: str
    verdict: Verdict | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ConditionStands:
    """One answer of the desk as it stands after saving: its number, that of the whole check before and now, who gave it, when."""

    answer: ConditionAnswer
    number: int
    check_before: int
    check_version: int
    by: str
    at: datetime
    zone: str


class ConditionChanged(Conflict):
    """Another officer answered the condition after the page was shown; carries what stands."""

    def __init__(self, stands: ConditionStands) -> None:
        super().__init__(f"{stands.by} answered this condition meanwhile. Look at both answers.")
        self.stands = stands


@dataclass(frozen=True, slots=True)
class Started:
    """A new application."""

    id: UUID
    reference: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof of one submission."""

    application_id: UUID
    submission_id: UUID
    reference: str
    number: int
    receipt_number: int
    submitted_at: datetime
    sha256: str


class ContentChanged(Conflict):
    """Somebody changed the application after the sender had looked at it."""
