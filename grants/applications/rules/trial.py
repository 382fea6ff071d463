"""A dry run of a call: what a manager writes as if they were an applicant, kept apart from every application.

Nothing here is an application: it has no reference, no team, no receipt number. The rules that look at it are the very
rules that look at applications.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from grants.applications.rules.attaching import QUESTION_PREFIX
from grants.applications.rules.eligibility import MUNICIPAL, Arrival, CityFact, Evidence, groups
from grants.applications.rules.eligibility_facts import Facts, evidence_of
from grants.applications.rules.frozen import digest
from grants.applications.rules.issues import attachment_role
from grants.applications.rules.values import Member
from grants.applications.states import PartnerRole, Verdict
from grants.budgets import rules as budgets
from grants.budgets.rules import BudgetContent, BudgetRules, Cell, Note, Package, Source, SourceKind
from grants.calls.rules import LANGUAGES, PARENT_LIST, CallView, Condition
from grants.core.errors import Invalid
from grants.core.money import ZERO, Money
from grants.dossiers import rules as dossiers
from grants.dossiers.rules import Answer, Definition, DossierContent, QuestionKind
from grants.identity.states import OrganisationKind

# What stands for a participant code in a dry run; nobody has it.
TRIAL_PIC = "999999999"
# An application that is sent well before the deadline: what the rule of arrival is shown.
SENT_BEFORE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class TrialApplicant:
    """An invented organisation, with what the register would know about its city."""

    name: str
    kind: OrganisationKind = OrganisationKind.MUNICIPALITY
    country_code: str = "BE"
    population: int | None = None
    mission_city: bool = False
    earlier: tuple[str, ...] = ()
    has_pic: bool = True


@dataclass(frozen=True, slots=True)
class TrialFile:
    """A file that was looked into and not kept: what it was, and its hash."""

    role: str
    name: str
    media_type: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class TrialSent:
    """The proof a dry run gives: when it was sent and the hash of what was sent. It has no number and proves nothing."""

    at: datetime
    sha256: str
    requested: Money


@dataclass(frozen=True, slots=True)
class TrialContent:
    """All of one dry run."""

    title: str
    applicants: tuple[TrialApplicant, ...]
    answers: tuple[Answer, ...] = ()
    finished: tuple[str, ...] = ()
    cells: tuple[Cell, ...] = ()
    files: tuple[TrialFile, ...] = ()
    sent: TrialSent | None = None

    @property
    def ids(self) -> tuple[UUID, ...]:
        """Ids of the invented organisations, which no organisation has."""
        return tuple(UUID(int=place) for place in range(1, len(self.applicants) + 1))

    @property
    def names(self) -> dict[UUID, str]:
        """Names by id, the lead marked."""
        lead, *others = zip(self.ids, self.applicants, strict=True)
        return {lead[0]: f"{lead[1].name} (lead)"} | {who: each.name for who, each in others}


def checked_trial(given: TrialContent) -> TrialContent:
    """The same; raises :class:`Invalid` where there is no title or no lead."""
    problems = {}
    if not given.title.strip():
        problems["title"] = "Enter a title, for example Trial of the form."
    if not given.applicants or not given.applicants[0].name.strip():
        problems["lead_name"] = "Enter a name for the invented city, for example Testham."
    if problems:
        raise Invalid("The dry run was not begun.", problems)
    return given


def with_answers(content: TrialContent, answers: Iterable[Answer], *, section: str, finished: bool) -> TrialContent:
    """The dry run after one section was saved; what was sent stays what it was."""
    kept = {answer.question: answer for answer in content.answers} | {answer.question: answer for answer in answers}
    marks = (*(each for each in content.finished if each != section), *((section,) if finished else ()))
    return replace(content, answers=tuple(kept.values()), finished=marks)


def with_cells(content: TrialContent, cells: Iterable[Cell]) -> TrialContent:
    """The dry run after the budget was saved."""
    kept = {cell.place: cell for cell in content.cells} | {cell.place: cell for cell in cells}
    return replace(content, cells=tuple(cell for cell in kept.values() if cell.amount))


def dossier_of(content: TrialContent, definition: Definition) -> DossierContent:
    """The answers to the form as it stands now; answers to questions that are gone are left out."""
    answers = {answer.question: answer for answer in content.answers}
    asked = [question for section in definition.sections for question in section.questions]
    given = []
    for question in asked:
        if question.kind is QuestionKind.FILE:
            role = f"{QUESTION_PREFIX}{question.key}"
            names = tuple(file.name for file in content.files if file.role == role)
            given.append(Answer(question.key, picked=names))
        else:
            given.append(answers.get(question.key, Answer(question.key)))
    return DossierContent(definition, tuple(given))


def budget_of(content: TrialContent, rules: BudgetRules) -> BudgetContent:
    """The budget under the rules as they stand now; what the grant does not pay counts as paid by the city."""
    packages = tuple(Package(each.work_package, each.title) for each in rules.lump_sums)
    if rules.by_work_package and not packages:
        packages = (Package("WP1", "Work package of the dry run"),)
    codes = {category.code for category in rules.entered}
    places = {(code, period) for code, period in budgets.axes(rules, packages)}
    cells = tuple(
        cell
        for cell in content.cells
        if cell.category in codes and cell.organisation_id in content.ids and (cell.work_package, cell.period) in places
    )
    found = BudgetContent(rules, content.ids, cells, packages)
    rest = found.totals.total - found.totals.requested
    own = (Source("The city itself (assumed in a dry run)", SourceKind.OWN, rest, True),) if rest > ZERO else ()
    public = [who for who, each in zip(content.ids, content.applicants, strict=True) if each.kind in MUNICIPAL]
    asked = budgets.asked_sentences(rules, found.totals, public)
    notes = tuple(Note(each.organisation_id, each.kind, "Assumed to be explained, in a dry run.") for each in asked)
    return replace(found, sources=own, notes=notes)


def fingerprint(content: TrialContent, call: CallView) -> str:
    """The hash of what would be sent, as of an application: answers, budget and files."""
    made: dict[str, Any] = {
        "dry_run": True,
        "title": content.title,
        "dossier": dossiers.to_mapping(dossier_of(content, call.content.definition)),
        "budget": budgets.to_mapping(budget_of(content, call.content.budget_rules)),
        "files": [[file.role, file.name, file.sha256] for file in content.files],
    }
    return digest(made).hex()


def facts_of_trial(content: TrialContent, call: CallView) -> Facts:
    """Everything the conditions of the call may ask, as if it had been sent an hour before the deadline."""
    pairs = tuple(zip(content.ids, content.applicants, strict=True))
    budget = budget_of(content, call.content.budget_rules)
    return Facts(
        consortium=tuple(_member(who, each, who == content.ids[0]) for who, each in pairs),
        cities=tuple(_city(who, each) for who, each in pairs),
        arrival=_arrival(content, call),
        requested={row.organisation_id: row.requested for row in budget.totals.rows},
        budget_rules=call.content.budget_rules,
        answers={answer.question: answer for answer in dossier_of(content, call.content.definition).answers},
        lists={each.name: each.countries for each in call.content.country_lists}
        | {PARENT_LIST: call.fund_source.rules.countries},
    )


def _member(who: UUID, given: TrialApplicant, leads: bool) -> Member:
    role = PartnerRole.COORDINATOR if leads else PartnerRole.PARTNER
    return Member(who, given.name, None, given.kind, given.country_code, TRIAL_PIC if given.has_pic else None, role)


def _city(who: UUID, given: TrialApplicant) -> CityFact:
    return CityFact(who, given.name, given.country_code, given.population, given.mission_city, given.earlier)


def _arrival(content: TrialContent, call: CallView) -> Arrival | None:
    if call.closes_at is None:
        return None
    roles = {file.role for file in content.files}
    missing = [
        each.label for each in call.content.attachments if each.required and attachment_role(each.key) not in roles
    ]
    return Arrival(
        call.closes_at - SENT_BEFORE,
        call.closes_at,
        call.zone,
        LANGUAGES.get(call.content.language, call.content.language),
        tuple(file.name for file in content.files),
        tuple(missing),
    )


def trial_evidence(content: TrialContent, call: CallView) -> tuple[tuple[Condition, Evidence], ...]:
    """Every condition of the call with what the facts of the dry run say about it."""
    facts = facts_of_trial(content, call)
    return tuple((condition, evidence_of(condition, facts)) for condition in call.content.conditions)


def trial_verdict(found: Iterable[tuple[Condition, Evidence]]) -> Verdict | None:
    """What the facts alone lead to: not eligible, eligible, or None where people would decide a condition."""
    pairs = tuple(found)
    suggests: Mapping[str, Verdict | None] = {condition.key: evidence.suggests for condition, evidence in pairs}
    left = [
        [suggests[condition.key] for condition in group]
        for group in groups([condition for condition, _ in pairs])
        if Verdict.PASS not in [suggests[condition.key] for condition in group]
    ]
    if any(all(each is Verdict.FAIL for each in group) for group in left):
        return Verdict.FAIL
    return None if left else Verdict.PASS
