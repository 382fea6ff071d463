"""What makes an application complete, on time and eligible: frozen inputs and views, and pure functions on them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from grants.applications.states import ApplicationState, Origin, PartnerRole, PartnerState, Verdict
from grants.budgets import rules as budget_rules
from grants.budgets.rules import BudgetContent, Cell
from grants.calls.rules import Attachment, CallView, Condition
from grants.core import clock, faults
from grants.core.errors import Conflict, Invalid, Problem, Refused
from grants.core.money import Money
from grants.dossiers import rules as dossier_rules
from grants.dossiers.rules import Answer, DossierContent, Mark
from grants.identity.rules import OrganisationInput, OrganisationView
from grants.identity.states import OrganisationKind

TITLE_CHARACTERS_MAX = 200
ACRONYM_CHARACTERS_MAX = 30
SUMMARY_WORDS_MAX = 100
PARTNERS_MAX = 60
SNAPSHOT_SCHEMA = 1

# Who may lead: a local authority or city administration (domain.md E-01, and item 14 of section 11).
LEADING_KINDS = frozenset({OrganisationKind.MUNICIPALITY, OrganisationKind.METROPOLE})


# --- inputs ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DetailsInput:
    """Title, short name and what it is about, as typed."""

    title: str
    acronym: str = ""
    summary: str = ""

    def checked(self) -> DetailsInput:
        """This input on single lines, if it can be stored; raises :class:`Invalid` with a sentence for each field."""
        made = DetailsInput(
            " ".join(dossier_rules.clean_text(self.title).split()),
            " ".join(dossier_rules.clean_text(self.acronym).split()),
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
        words = dossier_rules.count_words(made.summary)
        if words > SUMMARY_WORDS_MAX:
            problems["about"] = (
                f"The summary has {words} words; the limit is {SUMMARY_WORDS_MAX}. Cut {words - SUMMARY_WORDS_MAX}."
            )
        if problems:
            raise Invalid("Some details need another look.", problems)
        return made


@dataclass(frozen=True, slots=True)
class StartInput:
    """What starting an application asks for."""

    organisation_id: UUID
    details: DetailsInput


@dataclass(frozen=True, slots=True)
class InviteInput:
    """Whom to invite: a person by mail, for an organisation that is known or described here."""

    email: str
    name: str
    organisation_id: UUID | None = None
    organisation: OrganisationInput | None = None


@dataclass(frozen=True, slots=True)
class SectionInput:
    """What was typed in one section."""

    answers: tuple[Answer, ...]
    mark: Mark
    version: int | None


@dataclass(frozen=True, slots=True)
class BudgetInput:
    """What was typed into the budget."""

    cells: tuple[Cell, ...]
    version: int | None


@dataclass(frozen=True, slots=True)
class ConditionAnswer:
    """The desk's answer to one condition; None while it is not answered."""

    condition: str
    verdict: Verdict | None
    reason: str = ""


# --- what acts give back --------------------------------------------------------------------------------------


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


# --- views ----------------------------------------------------------------------------------------------------


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


@dataclass(frozen=True, slots=True)
class ApplicationView:
    """An application with its call and consortium; answers and budget are read beside it."""

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
        return {p.organisation_id: f"{p.name}, lead" if p.leads else p.name for p in self.partners}

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


@dataclass(frozen=True, slots=True)
class ListFilter:
    """What a list is narrowed to; empty means everything."""

    call_slug: str = ""
    states: tuple[ApplicationState, ...] = ()
    country_code: str = ""
    search: str = ""


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

    @property
    def organisation_names(self) -> dict[UUID, str]:
        """Organisation names by id, the lead marked."""
        return {
            member.organisation_id: f"{member.name}, lead" if member.role is PartnerRole.COORDINATOR else member.name
            for member in self.consortium
        }


# --- deadlines ------------------------------------------------------------------------------------------------

WRITABLE = frozenset({ApplicationState.DRAFT, ApplicationState.SUBMITTED})

RULE_OF_ARRIVAL = (
    "What counts is the moment your request reaches our server, by the server’s clock. "
    "At the exact time of the deadline it is too late."
)


def refuse_late(call: CallView, at: datetime) -> None:
    """Half-open: a submission at exactly ``closes_at`` is late; raises :class:`Refused` with both times."""
    faults.point("deadline")
    if call.is_open(at):
        return
    if call.opens_at is not None and at < call.opens_at:
        raise Refused(f"This call opens on {said(call.opens_at, call.zone)}. You can start an application then.")
    if call.closes_at is not None and at >= call.closes_at:
        raise Refused(
            f"The deadline was {said(call.closes_at, call.zone)}. Your request reached the server at {exactly(at, call.zone)}. "
            "Nothing can be changed or sent any more; the last submitted version stands."
        )
    raise Refused("This call takes no applications now. Look at the call’s page to see why.")


def said(moment: datetime, zone: str) -> str:
    """``15 November 2022, 12:00 (Europe/Brussels)``."""
    local = clock.in_zone(moment, zone)
    return f"{clock.long_date(local.date())}, {local:%H:%M} ({zone})"


def exactly(moment: datetime, zone: str) -> str:
    """The same with seconds and thousandths, where a deadline is near."""
    local = clock.in_zone(moment, zone)
    return f"{local:%H:%M:%S}.{local.microsecond // 1000:03d} on {clock.long_date(local.date())} ({zone})"


def refuse_unwritable(state: ApplicationState) -> None:
    """Only a draft, or what was submitted while the call is open, can be written in."""
    if state not in WRITABLE:
        raise Refused(f"This application is {words(state)}; it cannot be changed any more.")


def words(state: ApplicationState) -> str:
    """A state in plain words."""
    return state.value.replace("_", " ")


_COLOURS = {
    ApplicationState.DRAFT: "grey",
    ApplicationState.WITHDRAWN: "grey",
    ApplicationState.SUBMITTED: "blue",
    ApplicationState.ELIGIBLE: "blue",
    ApplicationState.UNDER_EVALUATION: "blue",
    ApplicationState.SELECTED: "green",
    ApplicationState.IN_PREPARATION: "green",
    ApplicationState.AWARDED: "green",
    ApplicationState.RESERVE: "yellow",
}


def colour(state: ApplicationState) -> str:
    """The tag colour of a state; the word says the same."""
    return _COLOURS.get(state, "red")


# --- completeness ---------------------------------------------------------------------------------------------


class Page(StrEnum):
    """The page of an application on which a problem can be mended."""

    DETAILS = "details"
    SECTION = "section"
    BUDGET = "budget"
    TEAM = "team"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing wrong or worth a look, with the page and the field where it is mended."""

    page: Page
    message: str
    label: str
    section: str = ""
    anchor: str = ""


def section_issues(problems: Iterable[Problem], titles: Mapping[str, str]) -> tuple[Issue, ...]:
    """Problems of the answers (``section#field``) as issues."""
    found = []
    for problem in problems:
        key, _, anchor = problem.place.partition("#")
        found.append(Issue(Page.SECTION, problem.message, titles.get(key, key), key, anchor))
    return tuple(found)


def budget_issues(problems: Iterable[Problem]) -> tuple[Issue, ...]:
    """Broken rules or warnings of the budget as issues."""
    return tuple(
        Issue(Page.BUDGET, problem.message, "Budget", anchor="" if problem.place == "budget" else problem.place)
        for problem in problems
    )


def team_issues(partners: Iterable[PartnerView]) -> tuple[Issue, ...]:
    """Everybody named must have agreed to take part."""
    found = []
    for partner in partners:
        match partner.state:
            case PartnerState.INVITED:
                found.append(
                    Issue(
                        Page.TEAM,
                        f"{partner.name} has not answered the invitation. Ask {partner.contact_name or 'them'}, or take the partner out.",
                        "Lead city and partners",
                    )
                )
            case PartnerState.DECLINED:
                found.append(
                    Issue(
                        Page.TEAM,
                        f"{partner.name} declined the invitation. Take the partner out, or invite again.",
                        "Lead city and partners",
                    )
                )
            case PartnerState.ACCEPTED:
                continue
    return tuple(found)


ATTACHMENT_PREFIX = "attachment_"


def attachment_role(key: str) -> str:
    """The role under which a file that answers an attachment of the call is kept."""
    return f"{ATTACHMENT_PREFIX}{key}"


def attachment_issues(wanted: Sequence[Attachment], roles: frozenset[str]) -> tuple[Issue, ...]:
    """Files the call demands that are not there."""
    return tuple(
        Issue(
            Page.FILES,
            f"{attachment.label}: this file is missing. Attach it.",
            "Attached files",
            anchor=f"file-{attachment_role(attachment.key)}",
        )
        for attachment in wanted
        if attachment.required and attachment_role(attachment.key) not in roles
    )


def refuse_incomplete(issues: Sequence[Issue]) -> None:
    """Raises :class:`Refused` with the number of problems; the check page lists each with its link."""
    if issues:
        count = len(issues)
        raise Refused(
            f"The application has {count} {'problem' if count == 1 else 'problems'} and cannot be sent yet. "
            f"The first: {issues[0].message} The check page lists {'it' if count == 1 else 'all of them'} with links."
        )


# --- snapshots ------------------------------------------------------------------------------------------------


def snapshot(
    *,
    view: ApplicationView,
    members: Sequence[OrganisationView],
    dossier: Mapping[str, Any],
    budget: Mapping[str, Any],
    files: Sequence[SubmittedFile],
) -> dict[str, Any]:
    """Everything a submission freezes, as plain JSON with one spelling. ``members`` are in the order of the partners."""
    roles = {partner.organisation_id: partner.role for partner in view.partners}
    ordered = sorted(files, key=lambda file: (file.role, file.name, file.sha256))
    return {
        "schema": SNAPSHOT_SCHEMA,
        "application": {
            "reference": view.reference,
            "title": view.title,
            "acronym": view.acronym,
            "summary": view.summary,
        },
        "call": {"reference": view.call.reference, "title": view.call.title},
        "consortium": [
            {
                "organisation_id": str(member.id),
                "name": member.name,
                "local_name": member.local_name,
                "kind": member.kind.value,
                "country_code": member.country_code,
                "pic": member.pic,
                "role": roles[member.id].value,
            }
            for member in members
        ],
        "answers": dict(dossier),
        "budget": dict(budget),
        "files": [
            {
                "file_id": str(file.file_id),
                "role": file.role,
                "name": file.name,
                "media_type": file.media_type,
                "size_bytes": file.size_bytes,
                "sha256": file.sha256,
            }
            for file in ordered
        ],
    }


def digest(content: Mapping[str, Any]) -> bytes:
    """SHA-256 of the content in canonical JSON: sorted keys, no spaces, UTF-8.

    >>> digest({"b": 1, "a": "ł"}) == digest({"a": "ł", "b": 1})
    True
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).digest()


def read_snapshot(
    content: Mapping[str, Any], *, application_id: UUID, number: int, submitted_at: datetime, sha256: bytes
) -> SubmittedContent:
    """A stored snapshot as frozen values."""
    about = content["application"]
    return SubmittedContent(
        application_id=application_id,
        reference=about["reference"],
        title=about["title"],
        acronym=about["acronym"],
        summary=about["summary"],
        number=number,
        submitted_at=submitted_at,
        sha256=sha256.hex(),
        consortium=tuple(_member(member) for member in content["consortium"]),
        dossier=dossier_rules.from_mapping(content["answers"]),
        budget=budget_rules.from_mapping(content["budget"]),
        files=tuple(_file(file) for file in content["files"]),
    )


def _member(stored: Mapping[str, Any]) -> Member:
    return Member(
        organisation_id=UUID(stored["organisation_id"]),
        name=stored["name"],
        local_name=stored["local_name"],
        kind=OrganisationKind(stored["kind"]),
        country_code=stored["country_code"],
        pic=stored["pic"],
        role=PartnerRole(stored["role"]),
    )


def _file(stored: Mapping[str, Any]) -> SubmittedFile:
    return SubmittedFile(
        file_id=UUID(stored["file_id"]),
        role=stored["role"],
        name=stored["name"],
        media_type=stored["media_type"],
        size_bytes=stored["size_bytes"],
        sha256=stored["sha256"],
    )


# --- eligibility ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CityFact:
    """What the register knows about a city of the consortium."""

    organisation_id: UUID
    name: str
    country_code: str
    population: int | None
    mission_city: bool
    earlier: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the form and the register say about one condition, and what that suggests; the desk decides."""

    lines: tuple[str, ...]
    suggests: Verdict | None = None


@dataclass(frozen=True, slots=True)
class ConditionView:
    """One condition with its evidence and the answer so far."""

    condition: Condition
    evidence: Evidence
    answer: ConditionAnswer

    @property
    def title(self) -> str:
        """The rule as a sentence begins; abbreviations in it stay as they are."""
        return self.condition.rule[:1].upper() + self.condition.rule[1:]


@dataclass(frozen=True, slots=True)
class Desk:
    """What the eligibility desk sees of one application."""

    conditions: tuple[ConditionView, ...]
    verdict: Verdict | None
    reason: str | None
    decided_at: datetime | None
    decided_by: UUID | None
    version: int

    @property
    def answered(self) -> int:
        """How many conditions have an answer."""
        return sum(1 for view in self.conditions if view.answer.verdict is not None)


def evidence(
    condition: Condition,
    consortium: Sequence[Member],
    cities: Sequence[CityFact],
    elsewhere: Sequence[tuple[str, str]],
) -> Evidence:
    """What is known about one condition. ``elsewhere`` holds (organisation, reference) of other applications to the call."""
    if condition.threshold is not None or condition.together is not None:
        return _inhabitants(condition, cities)
    if "PIC" in condition.rule:
        return _participant_codes(consortium)
    if "overlap" in condition.rule.lower() or "double funding" in condition.rule.lower():
        return _overlap(cities, elsewhere)
    return Evidence(tuple(_who(member) for member in consortium))


def _who(member: Member) -> str:
    lead = ", lead" if member.role is PartnerRole.COORDINATOR else ""
    return f"{member.name}, {member.kind.value}, {member.country_code}{lead}"


def _inhabitants(condition: Condition, cities: Sequence[CityFact]) -> Evidence:
    if not cities:
        return Evidence(("No organisation of the consortium is linked to a city of the register. Look it up.",))
    lines = tuple(
        f"{city.name}, {city.country_code}: "
        + (
            f"{city.population:,} inhabitants".replace(",", "\u00a0")
            if city.population
            else "inhabitants not in the register"
        )
        for city in cities
    )
    known = [city.population for city in cities if city.population is not None]
    if len(known) < len(cities):
        return Evidence(lines)
    if condition.together is not None:
        each = condition.threshold or 0
        inside = not condition.countries or all(city.country_code in condition.countries for city in cities)
        met = inside and all(number >= each for number in known) and sum(known) >= condition.together
        return Evidence((*lines, f"Together {sum(known):,}".replace(",", "\u00a0")), Verdict.PASS if met else None)
    assert condition.threshold is not None
    return Evidence(lines, Verdict.PASS if all(number >= condition.threshold for number in known) else Verdict.FAIL)


def _participant_codes(consortium: Sequence[Member]) -> Evidence:
    lines = tuple(f"{member.name}: {member.pic or 'no PIC given'}" for member in consortium)
    complete = all(member.pic for member in consortium)
    return Evidence(lines, Verdict.PASS if complete else Verdict.FAIL)


def _overlap(cities: Sequence[CityFact], elsewhere: Sequence[tuple[str, str]]) -> Evidence:
    lines = [f"{city.name} took part before: {', '.join(city.earlier)}" for city in cities if city.earlier]
    lines += [f"{name} also stands in {reference}" for name, reference in elsewhere]
    if lines:
        return Evidence(tuple(lines))
    return Evidence(
        ("No organisation of the consortium stands in another application to this call, none in an earlier pilot.",),
        Verdict.PASS,
    )


def checked_answers(conditions: Sequence[Condition], given: Iterable[ConditionAnswer]) -> tuple[ConditionAnswer, ...]:
    """The desk's answers to known conditions; raises :class:`Invalid` where a fail has no reason."""
    known = {condition.key for condition in conditions}
    kept, problems = [], {}
    for answer in given:
        if answer.condition not in known or answer.verdict is None:
            continue
        reason = dossier_rules.clean_text(answer.reason)
        if answer.verdict is Verdict.FAIL and not reason:
            problems[f"reason_{answer.condition}"] = "Say why this condition is not met. The applicant reads it."
        kept.append(ConditionAnswer(answer.condition, answer.verdict, reason))
    if problems:
        raise Invalid("A condition that is not met needs a reason.", problems)
    return tuple(kept)


def verdict_of(conditions: Sequence[Condition], answers: Mapping[str, Verdict]) -> Verdict:
    """The verdict all answers lead to; raises :class:`Refused` while one that matters is missing.

    An exception widens the condition before it: the pair holds if either is passed, and once
    one is passed the other needs no answer.
    """
    open_groups = [group for group in groups(conditions) if not _met(group, answers)]
    missing = [condition for group in open_groups for condition in group if condition.key not in answers]
    if missing:
        raise Refused(
            f"{len(missing)} of {len(conditions)} conditions {'has' if len(missing) == 1 else 'have'} no answer yet. "
            f"The first: {missing[0].rule}. Answer it, save, then declare."
        )
    return Verdict.FAIL if open_groups else Verdict.PASS


def groups(conditions: Sequence[Condition]) -> tuple[tuple[Condition, ...], ...]:
    """Each pass-or-fail condition with the exceptions that widen it."""
    found: list[list[Condition]] = []
    for condition in conditions:
        if condition.kind.value == "exception" and found:
            found[-1].append(condition)
        else:
            found.append([condition])
    return tuple(tuple(group) for group in found)


def _met(group: Sequence[Condition], answers: Mapping[str, Verdict]) -> bool:
    return any(answers.get(condition.key) is Verdict.PASS for condition in group)
