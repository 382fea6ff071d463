"""Deciding a list: what is entered, and each reason for which it is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from grants.awards.rules.plan import Override, Plan
from grants.awards.states import LineRule, SelectionKind, SelectionState
from grants.calls.rules import Half
from grants.calls.states import ScoreMethod
from grants.core import faults
from grants.core.errors import Invalid, Refused
from grants.core.money import Money
from grants.dossiers.rules import clean_text

NAMED_MAX = 5
LIST_THEN = "then the list can be decided"


@dataclass(frozen=True, slots=True)
class DecisionInput:
    """What the person who decides chooses. ``list_hash`` names the very list they saw."""

    list_hash: str
    reason: str
    panel_order: tuple[str, ...] = ()
    # The scenario that is chosen; None decides by the rules of the call.
    scenario: int | None = None
    # Why it is decided although complaints about eligibility are open.
    despite: str = ""
    # Why it is decided by these rules after a draw by lot was refused.
    redrawn: str = ""
    # What of the list by the rules of the call is recommended otherwise: amounts, conditions.
    overrides: tuple[Override, ...] = ()
    # Why tied applications stand in another order than the panel's signed minutes say.
    order_reason: str = ""

    def checked(self) -> DecisionInput:
        """The input with its text cleaned; raises :class:`Invalid` with a sentence for each field."""
        wrong: dict[str, str] = {}
        reason = clean_text(self.reason)
        if not reason:
            wrong["reason"] = "Write why the list is decided as it stands, or what the panel noted."
        if len(set(self.panel_order)) != len(self.panel_order):
            wrong["panel_order"] = "Name each tied application once."
        if wrong:
            raise Invalid("The list was not decided.", wrong)
        return replace(
            self, reason=reason, despite=clean_text(self.despite), redrawn=clean_text(self.redrawn),
            order_reason=clean_text(self.order_reason),
        )  # fmt: skip


def waiting_words(count: int, names: str, method: ScoreMethod) -> str:
    """Why a list cannot be decided while applications have no official score."""
    match method:
        case ScoreMethod.CONSENSUS:
            return f"{count} of the applications have no agreed consensus yet ({names}). Agree them first."
        case ScoreMethod.MEAN_PER_CRITERION:
            return f"{count} of the applications lack assessments ({names}). Wait for them, or fill the empty seats."


def kept_halves(halves: Mapping[str, Half]) -> dict[str, Any]:
    """Official half points as they are frozen: whole numbers as such, means as fractions in text ("27/2")."""
    return {key: half if isinstance(half, int) else str(half) for key, half in halves.items()}


def halves_kept(kept: Mapping[str, Any]) -> dict[str, Half]:
    """What :func:`kept_halves` made, as half points again.

    >>> halves_kept(kept_halves({"a": 7, "b": Fraction(27, 2)}))
    {'a': 7, 'b': Fraction(27, 2)}
    """
    return {key: half if isinstance(half, int) else Fraction(half) for key, half in kept.items()}


def refuse_same_person(
    first: UUID, actor_id: UUID | None, deed: str = "decided this list", second: str = "confirm or return it"
) -> None:
    """Two people stand behind every selection, move, letter and publication. Raises :class:`Refused` for the first of them."""
    faults.point("four_eyes")
    if actor_id is None or actor_id == first:
        raise Refused(f"You {deed}; another person must {second}.")


def confirmed_meanwhile(confirmed_by: UUID | None, actor_id: UUID | None) -> str:
    """Who was faster, for somebody who confirms what is confirmed already: perhaps themselves.

    >>> one = UUID(int=1)
    >>> confirmed_meanwhile(one, one), confirmed_meanwhile(one, UUID(int=2))
    ('You confirmed it meanwhile, in another tab.', 'Somebody confirmed it meanwhile.')
    """
    return f"{'You confirmed it meanwhile, in another tab' if confirmed_by == actor_id else 'Somebody confirmed it meanwhile'}."


def refuse_over_budget(used: Money, free: Money) -> None:
    """Raise :class:`Refused` when the selected ask for more than the call has free."""
    faults.point("ceiling")
    if used > free:
        raise Refused(
            f"The selected applications need {used}; the call has {free} free. "
            "Raise the authorised budget, or return the list and decide it again."
        )


# Wherever a list is confirmed or its letters are sent: what its teams know until then.
NOT_TOLD = "No team reads its outcome, by mail or on any page, before its letter leaves or the results are public."


def complaints_words(count: int) -> str:
    """How many complaints about a verdict of the desk keep a list from being decided, and where; empty where none does.

    >>> complaints_words(1)[:67]
    '1 complaint about eligibility is open: see the page “Complaints” of'
    """
    if not count:
        return ""
    said = "1 complaint about eligibility is" if count == 1 else f"{count} complaints about eligibility are"
    return (
        f"{said} open: see the page “Complaints” of this call. Once the list is confirmed nobody who is right there can "
        f"be ranked any more. Have {'it' if count == 1 else 'them'} decided first, or write why you do not wait."
    )


def refuse_complaints(count: int, why: str) -> None:
    """Raise :class:`Invalid` while complaints about eligibility are open and no reason is recorded for not waiting."""
    if (words := complaints_words(count)) and not why:
        raise Invalid(words, {"despite": words})


def list_hash(rows: Iterable[Mapping[str, Any]]) -> str:
    """SHA-256 over the list in one spelling: what was seen, what was decided and what is confirmed are the same."""
    text = json.dumps(list(rows), sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def forgotten_words(unchecked: Sequence[str], unassigned: Sequence[str], still_open: bool = False) -> str:
    """Which applications of a call no list may forget, by reference, and the way out; empty where there are none.

    While the call is ``still_open`` more may follow.

    >>> forgotten_words([], ["PCP-2022-A-0104"])
    '1 eligible application of this call has no evaluators yet (PCP-2022-A-0104). Assign them, and have it assessed.'
    """
    found = []
    if unchecked:
        one = len(unchecked) == 1
        found.append(
            f"{len(unchecked)} {'application' if one else 'applications'} of this call "
            f"{'waits for its' if one else 'wait for their'} eligibility check ({_named(unchecked)}). "
            f"Declare {'it' if one else 'each'} eligible or ineligible first."
        )
    if unassigned:
        one = len(unassigned) == 1
        found.append(
            f"{len(unassigned)} eligible {'application' if one else 'applications'} of this call "
            f"{'has' if one else 'have'} no evaluators yet ({_named(unassigned)}). "
            f"Assign them, and have {'it' if one else 'each'} assessed."
        )
    if found and still_open:
        found.append("The call is still open: more applications may come in until its deadline.")
    return " ".join(found)


def _named(references: Sequence[str]) -> str:
    more = len(references) - NAMED_MAX
    return ", ".join(references[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")


def refuse_forgotten(unchecked: Sequence[str], unassigned: Sequence[str]) -> None:
    """Raise :class:`Refused` while an application of the call is neither evaluated nor out: a list is decided once."""
    if words := forgotten_words(unchecked, unassigned):
        raise Refused(words)


def refuse_shifts(waiting: Sequence[tuple[str, str]], then: str = "after the list nobody can") -> None:
    """Raise :class:`Refused` while a move of a score, given as reference and points, waits for a second person."""
    if waiting:
        one = len(waiting) == 1
        named = _named([f"{reference} by {words}" for reference, words in waiting])
        raise Refused(
            f"{len(waiting)} {'move of a score waits' if one else 'moves of scores wait'} for a second person: {named}. "
            f"Have {'it' if one else 'each'} confirmed or returned first; {then}."
        )


def refuse_found(waiting: Sequence[tuple[str, str]], then: str = LIST_THEN) -> None:
    """Raise :class:`Refused` while nobody has decided about a conflict of interest that was found, as name and reference."""
    if waiting:
        one = len(waiting) == 1
        named = _named([f"{name} with {reference}" for name, reference in waiting])
        raise Refused(
            f"{len(waiting)} possible {'conflict' if one else 'conflicts'} of interest that "
            f"{'was' if one else 'were'} found {'waits' if one else 'wait'} for a decision: {named}. A programme manager "
            f"decides about {'it' if one else 'each'} on the page “Conflicts found”; {then}."
        )


def refuse_doubts(waiting: Sequence[tuple[str, str]], then: str = LIST_THEN) -> None:
    """Raise :class:`Refused` while somebody's doubt about a conflict of interest, given as name and reference, is not ruled on."""
    if waiting:
        one = len(waiting) == 1
        named = _named([f"{name} about {reference}" for name, reference in waiting])
        raise Refused(
            f"{len(waiting)} {'doubt' if one else 'doubts'} about a conflict of interest "
            f"{'waits' if one else 'wait'} for a ruling: {named}. A programme manager rules on "
            f"{'it' if one else 'each'} on the page of assignments; {then}."
        )


def late_words(number: int, references: Sequence[str]) -> str:
    """Which applications came after the confirmed list of a call, in words; empty where none did."""
    if not references:
        return ""
    one = len(references) == 1
    return (
        f"{len(references)} {'application' if one else 'applications'} ({_named(references)}) came after the list was "
        f"decided. A call has one ranked list and list {number} is confirmed, so {'it' if one else 'they'} cannot join "
        f"it: tell the {'applicant' if one else 'applicants'}, who can apply to another call."
    )


def repeats_words(number: int, references: Sequence[str]) -> str:
    """Which applications of the confirmed list of a call are evaluated again after a complaint; empty where none is.

    >>> repeats_words(1, ["PCP-2022-A-0102"])[:99]
    'The evaluation of 1 application (PCP-2022-A-0102) is repeated after a complaint that was upheld. It'
    """
    if not references:
        return ""
    one = len(references) == 1
    return (
        f"The evaluation of {len(references)} {'application' if one else 'applications'} ({_named(references)}) is "
        f"repeated after a complaint that was upheld. {'It stays' if one else 'They stay'} on list {number}, and two of "
        f"the committee settle {'its outcome' if one else 'each outcome'} on the page of the complaint."
    )


class DrawRefused(Refused):
    """A list that is not what two people may sign once its group at the line is drawn: which rule it breaks stays unsaid."""

    def __init__(self) -> None:
        super().__init__(
            "A draw was refused: with its group at the line drawn by lot this list does not keep every rule it was decided "
            "by, or cannot be worked out. Nothing is reserved, nobody reads the order, and the refusal is on the record: "
            "return the list, and have it decided again with a reason."
        )


def redraw_words(numbers: Sequence[int]) -> str:
    """Of which lists of a call the draw was refused, and what the next decision needs; empty where none was.

    >>> redraw_words([1])[:35]
    'The draw by lot of list 1 was refus'
    """
    if not numbers:
        return ""
    named = f"list {numbers[0]} was" if len(numbers) == 1 else f"lists {', '.join(map(str, numbers))} was each time"
    return (
        f"The draw by lot of {named} refused, and the next list is drawn from the same seed. Write why it is decided by "
        "these rules; that stands on the list and in its minute."
    )


def refuse_redraw(numbers: Sequence[int], why: str) -> None:
    """Raise :class:`Invalid` where a draw of the call was refused and nobody says why the list is decided as it is now."""
    if (words := redraw_words(numbers)) and not why:
        raise Invalid(words, {"redrawn": words})


def refuse_second_list(number: int | None) -> None:
    """Raise :class:`Refused` where a ranked list of the call is confirmed already: a call has one."""
    if number is not None:
        raise Refused(
            f"List {number} of this call is confirmed, and a call has one ranked list. An application that came after "
            "the list was decided cannot join it: tell its applicant, who can apply to another call."
        )


@dataclass(frozen=True, slots=True)
class SelectionView:
    """A selection decision as pages show it."""

    id: UUID
    number: int
    kind: SelectionKind
    state: SelectionState
    version: int
    budget: Money
    used: Money
    line: LineRule | None
    reserve_max: int | None
    line_words: str
    list_hash: str
    reason: str
    source_url: str
    source_title: str
    decided_by: str
    decided_by_id: UUID
    decided_at: datetime
    confirmed_by: str
    confirmed_at: datetime | None
    returned_by: str
    return_reason: str
    # By what it was selected, and the scenario it was chosen from, as they were frozen.
    plan: Plan | None = None
    scenario: int | None = None
    scenario_name: str = ""
    # What of the published rules its scenario sets aside, each with its reason.
    departures: tuple[str, ...] = ()
    # Why it was decided, and confirmed, although complaints about eligibility were open.
    despite: str = ""
    confirmed_despite: str = ""
    # Whether its group at the line waits for the draw by lot, or was returned before it; once it is drawn, the hash of
    # the list as both people saw it.
    undrawn: bool = False
    signed_hash: str = ""
    # Who was to confirm it when its draw was refused, and when; and why it was decided after the draw of another was.
    draw_refused_by: str = ""
    draw_refused_at: datetime | None = None
    redrawn: str = ""
    # Whether its minute is there as PDF, for a reader who sees the whole list.
    has_minute: bool = False

    @property
    def left(self) -> Money:
        """What stays free after it."""
        return self.budget - self.used

    @property
    def draw_words(self) -> str:
        """Where a call draws by lot and this list is not drawn: why."""
        if not self.undrawn:
            return "Nothing had to be drawn for this list."
        if self.draw_refused_at is not None:
            return "Its draw was refused, because the drawn list does not keep every rule; nobody read the order."
        if self.state is SelectionState.RETURNED:
            return "This list was returned before anything was drawn for it; the seed did not come out."
        return "It is drawn when another person confirms this list. Until then nobody reads the seed."
