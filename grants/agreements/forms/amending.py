"""What is typed to propose an amendment, one form for each kind, and to answer, sign and end it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from wtforms import BooleanField, HiddenField, IntegerField, SelectField, StringField, TextAreaField

from grants.agreements.rules import (
    AccountChange,
    AccountView,
    AmendmentInput,
    BudgetShift,
    Change,
    Extension,
    GrantTerms,
    GrantView,
    MilestoneTerm,
    Move,
    PartnerIn,
    PartnerOut,
    Scope,
    Share,
)
from grants.agreements.states import AmendmentKind, MilestoneState
from grants.core import clock
from grants.core.money import Money
from grants.identity.rules import OrganisationView
from grants.web.forms import A_PARAGRAPH, WORDS_OF_A_TITLE, ContestedForm, DateField, MoneyField, Needed, choices

# So many moves of the budget in one form; more of them make another amendment.
MOVES_MAX = 6
NOBODY = ""


class AmendForm(ContestedForm):
    """Why, and by letters or not; the fields of each kind are added for one grant."""

    kind: AmendmentKind
    terms: GrantTerms
    moves: int
    account_words: dict[UUID, str]

    reason = TextAreaField("Why it is needed", [A_PARAGRAPH, Needed("Say in a few sentences why it is needed.")])

    def to_input(self) -> AmendmentInput:
        """The typed amendment."""
        letter = "by_letter" in self and bool(self.by_letter.data)
        return AmendmentInput(self.change(), str(self.reason.data), by_letter=letter)

    def change(self) -> Change:
        """The typed change."""
        match self.kind:
            case AmendmentKind.BUDGET_SHIFT:
                return BudgetShift(self._shares(), self._moves())
            case AmendmentKind.PARTNER_IN:
                who = UUID(str(self.organisation.data))
                own = Share(who, self.newcomer.data or Money(0))
                shares = tuple(own if each.organisation_id == who else each for each in self._shares())
                shares = shares if own in shares else (*shares, own)
                return PartnerIn(who, self.declared_on.data, self.checked_on.data, shares, self._moves(who))
            case AmendmentKind.PARTNER_OUT:
                who = UUID(str(self.organisation.data))
                shares = tuple(each for each in self._shares() if each.organisation_id != who)
                return PartnerOut(who, self.leaves_on.data, shares, self._moves())
            case AmendmentKind.EXTENSION:
                # A length no calendar has is refused by the rules as no later end.
                months = min(max(int(self.months.data or 0), 1), 1_200)
                return Extension(clock.add_months(self.terms.starts_on, months), self._days())
            case AmendmentKind.SCOPE:
                return Scope(
                    (self.description.data or "").strip(),
                    (self.special_conditions.data or "").strip(),
                    tuple(
                        MilestoneTerm(
                            each.number,
                            (self[f"title_{each.number}"].data or "").strip() or each.title,
                            (self[f"criterion_{each.number}"].data or "").strip() or each.criterion,
                            each.due_on,
                        )
                        for each in self.terms.milestones
                        if f"title_{each.number}" in self
                    ),
                )
            case AmendmentKind.BANK_ACCOUNT:
                account_id = UUID(str(self.account.data))
                return AccountChange(account_id, self.account_words[account_id])

    def _shares(self) -> tuple[Share, ...]:
        return tuple(
            Share(each.organisation_id, self[f"share_{place}"].data or Money(0))
            for place, each in enumerate(self.terms.shares)
        )

    def _moves(self, newcomer: UUID | None = None) -> tuple[Move, ...]:
        found = []
        for row in range(1, self.moves + 1):
            amount, giver, taker = (self[f"{name}_{row}"].data for name in ("amount", "giver", "taker"))
            if amount:
                found.append(Move(amount, *_place(giver, newcomer), *_place(taker, newcomer)))
        return tuple(found)

    def _days(self) -> tuple[tuple[int, date], ...]:
        typed = (
            (each, self[f"due_{each.number}"].data) for each in self.terms.milestones if f"due_{each.number}" in self
        )
        return tuple((each.number, day) for each, day in typed if day is not None and day != each.due_on)


def _place(chosen: str | None, newcomer: UUID | None) -> tuple[UUID | None, str]:
    """Whose costs of which category; ``new`` is the organisation that joins."""
    if not chosen:
        return None, ""
    who, _, category = chosen.partition("/")
    return (newcomer if who == "new" else UUID(who)), category


def amend_form(
    grant: GrantView,
    terms: GrantTerms,
    kind: AmendmentKind,
    *,
    organisations: Sequence[OrganisationView] = (),
    accounts: Sequence[AccountView] = (),
    gone: Collection[UUID] = (),
    given: AmendmentInput | None = None,
    version: int = 0,
) -> AmendForm:
    """The form of one kind for one grant, filled with what stands, or with a draft; who is ``gone`` may be let in again."""
    planned = {each.number for each in grant.milestones if each.state is MilestoneState.PLANNED}
    fields: dict[str, Any] = {"kind": kind, "terms": terms, "moves": 0, "account_words": {}}
    stands: dict[str, Any] = {"version": version, "reason": given.reason if given else ""}
    change = given.change if given else None
    match kind:
        case AmendmentKind.BUDGET_SHIFT | AmendmentKind.PARTNER_IN | AmendmentKind.PARTNER_OUT:
            inside = {each.organisation_id for each in grant.beneficiaries} - set(gone)
            _money_fields(fields, stands, grant, terms, kind, change)
            _partner_fields(
                fields, stands, grant, kind, [each for each in organisations if each.id not in inside], change
            )
        case AmendmentKind.EXTENSION:
            fields["months"] = IntegerField(
                "Length in months, from the first day", [Needed("Enter the number of months.")]
            )
            fields |= {
                f"due_{each.number}": DateField(f"Milestone {each.number}, {each.title}, is reached by")
                for each in terms.milestones
                if each.number in planned
            }
            ends = change.ends_before if isinstance(change, Extension) else terms.ends_before
            days = dict(change.milestone_days) if isinstance(change, Extension) else {}
            stands["months"] = clock.months_between(terms.starts_on, ends)
            stands |= {f"due_{each.number}": days.get(each.number, each.due_on) for each in terms.milestones}
        case AmendmentKind.SCOPE:
            _scope_fields(fields, stands, terms, planned, given)
        case AmendmentKind.BANK_ACCOUNT:
            fields["account_words"] = {each.id: f"{each.holder}, {each.masked}" for each in accounts}
            fields["account"] = SelectField(
                "Account that is confirmed and paid, to be stated in the agreement",
                choices=choices((str(who), words) for who, words in fields["account_words"].items()),
                validators=[
                    Needed("Choose the account. It is entered and confirmed on the page of bank accounts first.")
                ],
            )
            stands["account"] = str(change.account_id) if isinstance(change, AccountChange) else ""
    return type("AmendForm", (AmendForm,), fields)(data=stands)


def _money_fields(
    fields: dict[str, Any],
    stands: dict[str, Any],
    grant: GrantView,
    terms: GrantTerms,
    kind: AmendmentKind,
    change: Any,
) -> None:
    names = {each.organisation_id: each.name for each in grant.beneficiaries}
    typed = {each.organisation_id: each.maximum for each in change.shares} if change is not None else {}
    for place, share in enumerate(terms.shares):
        label = f"Maximum for {names[share.organisation_id]}"
        fields[f"share_{place}"] = MoneyField(label, [Needed("Enter an amount, zero if none.")])
        stands[f"share_{place}"] = typed.get(share.organisation_id, share.maximum)
    if terms.budget is None:
        return
    places = [(NOBODY, "Nobody")]
    for who in (*terms.budget.organisations, *(("new",) if kind is AmendmentKind.PARTNER_IN else ())):
        name = "The newcomer" if who == "new" else names.get(who, "A partner")
        places += [(f"{who}/{each.code}", f"{name}: {each.label}") for each in terms.budget.rules.entered]
    fields["moves"] = MOVES_MAX
    moves = change.moves if change is not None else ()
    newcomer = change.organisation_id if isinstance(change, PartnerIn) else None
    for row in range(1, MOVES_MAX + 1):
        fields[f"amount_{row}"] = MoneyField("Amount, EUR")
        fields[f"giver_{row}"] = SelectField("From", choices=choices(places))
        fields[f"taker_{row}"] = SelectField("To", choices=choices(places))
        if row <= len(moves):
            move = moves[row - 1]
            stands[f"amount_{row}"] = move.amount
            stands[f"giver_{row}"] = _spelled(move.giver, move.giver_category, newcomer)
            stands[f"taker_{row}"] = _spelled(move.taker, move.taker_category, newcomer)


def _spelled(who: UUID | None, category: str, newcomer: UUID | None) -> str:
    return NOBODY if who is None else f"{'new' if who == newcomer else who}/{category}"


def _partner_fields(
    fields: dict[str, Any],
    stands: dict[str, Any],
    grant: GrantView,
    kind: AmendmentKind,
    organisations: Sequence[OrganisationView],
    change: Any,
) -> None:
    if kind is AmendmentKind.BUDGET_SHIFT:
        return
    if kind is AmendmentKind.PARTNER_IN:
        listed = [(str(each.id), each.name) for each in organisations]
        fields["organisation"] = SelectField(
            "Who joins", choices=choices(listed), validators=[Needed("Choose who joins.")]
        )
        fields["newcomer"] = MoneyField("Maximum for who joins", [Needed("Enter an amount, zero if none.")])
        fields["declared_on"] = DateField(
            "Its declaration on exclusion was signed on", [Needed("Enter the day it was signed.")]
        )
        fields["checked_on"] = DateField(
            "The lists of sanctions and exclusions were looked through on", [Needed("Enter the day it was done.")]
        )
        if isinstance(change, PartnerIn):
            share = next(
                (each.maximum for each in change.shares if each.organisation_id == change.organisation_id), None
            )
            stands |= {"organisation": str(change.organisation_id), "newcomer": share}
            stands |= {"declared_on": change.declared_on, "checked_on": change.checked_on}
        return
    listed = [(str(each.organisation_id), each.name) for each in grant.beneficiaries if not each.is_coordinator]
    fields["organisation"] = SelectField(
        "Who leaves", choices=choices(listed), validators=[Needed("Choose who leaves.")]
    )
    fields["leaves_on"] = DateField("Its part ends on", [Needed("Enter the day from which it takes no part.")])
    if isinstance(change, PartnerOut):
        stands |= {"organisation": str(change.organisation_id), "leaves_on": change.leaves_on}


def _scope_fields(
    fields: dict[str, Any], stands: dict[str, Any], terms: GrantTerms, planned: set[int], given: AmendmentInput | None
) -> None:
    change = given.change if given is not None and isinstance(given.change, Scope) else None
    fields["description"] = TextAreaField("What of the description of the action changes, in words", [A_PARAGRAPH])
    fields["special_conditions"] = TextAreaField("Special conditions of this grant", [A_PARAGRAPH])
    fields["by_letter"] = BooleanField("By an exchange of letters: the other side answers by a message, nobody signs")
    stands["description"] = change.description if change else terms.description
    stands["special_conditions"] = change.special_conditions if change else terms.special_conditions
    stands["by_letter"] = bool(given and given.by_letter)
    said = {each.number: each for each in (change.milestones if change else ())}
    for each in terms.milestones:
        if each.number in planned:
            fields[f"title_{each.number}"] = StringField(f"Milestone {each.number}", [WORDS_OF_A_TITLE])
            fields[f"criterion_{each.number}"] = TextAreaField("Accepted when", [A_PARAGRAPH])
            now = said.get(each.number, each)
            stands |= {f"title_{each.number}": now.title, f"criterion_{each.number}": now.criterion}


class SendAmendmentForm(ContestedForm):
    """What is sent is what was shown."""

    seen = HiddenField()


class AnswerAmendmentForm(ContestedForm):
    """The answer, about the text that was shown."""

    document_sha256 = HiddenField()
    words = TextAreaField("Your answer", [A_PARAGRAPH])
