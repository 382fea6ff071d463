"""The budget and the description of action of a grant in preparation: what may be sent, accepted and offered."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from grants.agreements.rules.terms import Share
from grants.agreements.states import RevisionKind, RevisionState, Verdict
from grants.budgets import rules as budgets
from grants.budgets.rules import BudgetContent, Redline
from grants.core import clock
from grants.core.errors import Conflict, Problem, Refused
from grants.core.money import ZERO, Money, total
from grants.dossiers import rules as dossiers
from grants.dossiers.merging import AnswerChange, redline
from grants.dossiers.rules import DossierContent


@dataclass(frozen=True, slots=True)
class Revised:
    """What a grant is for: its budget with the work plan, and the description of action where its application had one."""

    budget: BudgetContent
    description: DossierContent | None

    def to_mapping(self) -> dict[str, Any]:
        """Plain JSON in one spelling: what is frozen and hashed."""
        said = dossiers.to_mapping(self.description) if self.description is not None else None
        return {"budget": budgets.to_mapping(self.budget), "description": said}

    @property
    def fingerprint(self) -> str:
        """The hash of what it says: two readers with the same hash saw the same."""
        return fingerprint(self.to_mapping())


def fingerprint(content: Mapping[str, Any]) -> str:
    """SHA-256 over the content in one spelling."""
    spelled = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(spelled.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class JudgementView:
    """What an officer said of a revision, and when."""

    verdict: Verdict
    words: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RevisionVersionView:
    """One revision that was sent, or the statement that none is needed, with what was said of it."""

    number: int
    kind: RevisionKind
    words: str
    sent_by: UUID
    sent_by_name: str
    sent_at: datetime
    judged: tuple[JudgementView, ...] = ()


@dataclass(frozen=True, slots=True)
class RevisionView:
    """Budget and description of a grant beside those of its application."""

    state: RevisionState
    old: Revised | None
    new: Revised
    names: Mapping[UUID, str]
    versions: tuple[RevisionVersionView, ...]

    @property
    def last(self) -> RevisionVersionView | None:
        """The newest that was frozen."""
        return self.versions[-1] if self.versions else None

    @property
    def number(self) -> int:
        """Of the newest; 0 for none."""
        return self.versions[-1].number if self.versions else 0

    @property
    def judgement(self) -> JudgementView | None:
        """What was last said of the newest."""
        return self.last.judged[-1] if self.last and self.last.judged else None

    @property
    def money(self) -> Redline:
        """The budget held against that of the application; against an empty one where that had none."""
        old = self.old.budget if self.old else BudgetContent(self.new.budget.rules, (), ())
        return budgets.compare(old, self.new.budget)

    @property
    def text(self) -> tuple[AnswerChange, ...]:
        """The description held against that of the application, question by question."""
        if self.new.description is None:
            return ()
        old = self.old.description if self.old and self.old.description else self.new.description
        return redline(old, self.new.description)

    @property
    def changed_text(self) -> tuple[AnswerChange, ...]:
        """Answers of which anything changed."""
        return tuple(each for each in self.text if not each.is_kept)

    @property
    def is_changed(self) -> bool:
        """Whether anything is another than it was applied for."""
        return bool(self.changed_text) or not self.money.is_empty


def asked_for(budget: BudgetContent) -> dict[UUID, Money]:
    """What each organisation asks of the grant, flat rate and funding rate applied; those that ask for nothing are left out."""
    return {row.organisation_id: row.requested for row in budget.totals.rows if row.requested}


def shares_of(budget: BudgetContent, organisations: Sequence[UUID]) -> tuple[Share, ...]:
    """The maxima that follow from a budget, in the order of the beneficiaries."""
    asked = asked_for(budget)
    return tuple(Share(who, asked.get(who, ZERO)) for who in organisations)


def budget_problems(
    budget: BudgetContent, names: Mapping[UUID, str], beneficiaries: Sequence[UUID], reserved: Money
) -> tuple[Problem, ...]:
    """Why a budget cannot become that of the grant: more than is reserved, or amounts of who takes no part."""
    found = []
    asked = asked_for(budget)
    whole = total(asked.values())
    if whole > reserved:
        found.append(
            Problem(
                "Budget",
                f"it asks for {whole}, but {reserved} is reserved by the selection decision. Lower what is asked for by "
                f"{whole - reserved}.",
            )
        )
    outside = [who for who in asked if who not in beneficiaries]
    found += [
        Problem(
            "Budget",
            f"{names.get(who, 'A partner')} asks for {asked[who]} and is no beneficiary. Move its amounts to others, or "
            "have the programme name it as beneficiary.",
        )
        for who in outside
    ]
    return tuple(found)


def above_shares(budget: BudgetContent, names: Mapping[UUID, str], maxima: Mapping[UUID, Money]) -> str:
    """Who asks for more than its maximum, in words; empty where nobody does."""
    over = [
        f"{names.get(who, 'A partner')} asks for {asked}, its maximum is {maxima.get(who, ZERO)}"
        for who, asked in asked_for(budget).items()
        if asked > maxima.get(who, ZERO)
    ]
    return "; ".join(over)


def revision_problems(state: RevisionState | None) -> tuple[Problem, ...]:
    """What of the revision stands in the way of the offer; a grant from before it had a budget of its own has none."""
    words = {
        RevisionState.DRAFT: "The city has not sent its revision. Where nothing changes, an officer says by name that none is needed.",
        RevisionState.SENT: "The revision of the city waits: an officer accepts or returns it.",
        RevisionState.RETURNED: "The revision was returned to the city, which sends it again.",
    }
    return (Problem("Budget and description", words[state]),) if state in words else ()


# --- guards -------------------------------------------------------------------------------------------------------


def refuse_fixed(state: RevisionState, last: RevisionVersionView | None) -> None:
    """While somebody looks at a revision, and once it is accepted, nobody writes in it."""
    match state:
        case RevisionState.SENT:
            assert last is not None, "what was sent is kept"
            sent = clock.in_zone(last.sent_at)
            raise Refused(
                f"{last.sent_by_name} sent the revision on {clock.long_date(sent.date())}, {sent:%H:%M}. It is with the "
                "programme: ask it to return the revision, then change it."
            )
        case RevisionState.ACCEPTED:
            raise Refused("The revision is accepted, so nothing of it changes. Ask the programme to return it first.")
        case RevisionState.DRAFT | RevisionState.RETURNED | RevisionState.NONE_NEEDED:
            return


def refuse_departing(state: RevisionState, budget: BudgetContent, shares: Sequence[Share]) -> None:
    """Maxima follow the accepted budget to the cent; where none was needed, nobody gets less than it asks for."""
    asked = asked_for(budget)
    maxima = {share.organisation_id: share.maximum for share in shares}
    match state:
        case RevisionState.ACCEPTED if maxima != {**dict.fromkeys(maxima, ZERO), **asked}:
            raise Refused(
                "The maxima follow the accepted budget of the grant. To change them, return the revision, so that the city "
                "changes its budget; accepted again, it sets them."
            )
        case RevisionState.NONE_NEEDED if any(asked[who] > maxima.get(who, ZERO) for who in asked):
            raise Refused(
                "The budget asks for more than one of these maxima, and it was said that it needs no revision. Have the city "
                "lower its budget and send it, or leave the maximum as it is."
            )
        case _:
            return


def refuse_unseen(shown: str, now: str) -> None:
    """What a partner saved since is not sent, and not accepted, unseen."""
    if shown != now:
        raise Conflict(
            "The budget, the plan or the description was changed while you were looking at it. Look at what stands now, "
            "then decide."
        )
