"""Invitations to the pool of a call, and the words whoever joins it accepts: frozen values and what is checked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from grants.calls.rules.expert_terms import TermsView
from grants.core.errors import Invalid
from grants.dossiers.rules import clean_text
from grants.evaluation.rules.pool import POOL_LOAD_MAX, load_words
from grants.evaluation.rules.values import EvaluatorInput
from grants.evaluation.states import DeclineKind, InvitationState, PoolState

MESSAGE_CHARACTERS_MAX = 2_000
# How many days somebody has to answer, and from how many before the end on the program reminds them.
INVITATION_DAYS = 14
INVITATION_DAYS_MAX = 90
REMIND_DAYS = 3
# Nobody is reminded twice within so long.
REMIND_AGAIN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class AskInput:
    """Somebody who is asked into the pool of a call: a personal message, and what is offered."""

    email: str
    name: str
    message: str = ""
    days: int = INVITATION_DAYS
    load_max: int = 10
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InvitationView:
    """An invitation to the pool of a call as pages show it."""

    id: UUID
    version: int
    call_id: UUID
    slug: str
    call_title: str
    user_id: UUID
    name: str
    handle: str
    email: str
    state: InvitationState
    message: str
    entry: EvaluatorInput
    invited_by: str
    invited_at: datetime
    expires_at: datetime
    reminded_at: datetime | None
    answered_at: datetime | None
    reason: str
    declined_for: DeclineKind | None = None

    @property
    def decline_words(self) -> str:
        """Why somebody declined: what they chose, and what they wrote."""
        chosen = self.declined_for.words if self.declined_for is not None else ""
        return ": ".join(each for each in (chosen, self.reason) if each)

    def standing(self, at: datetime) -> PoolState:
        """How it stands at a moment: one that nobody answered lapses by itself."""
        match self.state:
            case InvitationState.INVITED:
                return PoolState.INVITED if at < self.expires_at else PoolState.LAPSED
            case InvitationState.AGREED:
                return PoolState.AGREED
            case InvitationState.DECLINED:
                return PoolState.DECLINED
            case InvitationState.WITHDRAWN:
                return PoolState.WITHDRAWN
            case InvitationState.ACCEPTED:
                return PoolState.MEMBER


@dataclass(frozen=True, slots=True)
class Accepted:
    """That somebody accepted a version of the words of a call, and when they took it back."""

    number: int
    fingerprint: str
    accepted_at: datetime
    withdrawn_at: datetime | None
    withdrawn_why: str


@dataclass(frozen=True, slots=True)
class TermsPage:
    """The words of a call for one evaluator: what stands, and what this person accepted, the newest first."""

    call_id: UUID
    slug: str
    title: str
    shown: TermsView | None
    accepted: tuple[Accepted, ...]
    is_member: bool

    @property
    def stands(self) -> Accepted | None:
        """The acceptance of the version that stands."""
        wanted = self.shown.number if self.shown is not None else None
        return next((each for each in self.accepted if each.number == wanted and each.withdrawn_at is None), None)

    @property
    def is_demanded(self) -> bool:
        """Whether this person still has to accept before anything opens."""
        return self.is_member and self.shown is not None and self.stands is None


@dataclass(frozen=True, slots=True)
class PoolLine:
    """Somebody of a pool, or invited to it, as the list shows them."""

    user_id: UUID
    name: str
    handle: str
    organisation: str
    country_code: str
    languages: tuple[str, ...]
    topics: tuple[str, ...]
    roles: tuple[str, ...]
    state: PoolState
    number: int | None
    load: int
    load_max: int
    submitted: int
    declined_for: DeclineKind | None = None

    @property
    def state_words(self) -> str:
        """How this person stands, with why they declined where they said so."""
        why = f" ({self.declined_for.words.lower()})" if self.declined_for is not None else ""
        return self.state.words + why


@dataclass(frozen=True, slots=True)
class PoolSearch:
    """What a list of a pool is narrowed to; an empty text narrows nothing."""

    topic: str = ""
    language: str = ""
    country: str = ""
    role: str = ""
    state: PoolState | None = None
    accepted: bool | None = None


def checked_decline(kind: DeclineKind, words: str) -> str:
    """The words of whoever declines, cleaned; raises :class:`Invalid` where another reason is not told, or too long."""
    told = clean_text(words)
    if kind is DeclineKind.OTHER and not told:
        raise Invalid("A reason is missing.", {"words": "Say in a few words why; the programme reads it."})
    if len(told) > MESSAGE_CHARACTERS_MAX:
        over = len(told) - MESSAGE_CHARACTERS_MAX
        raise Invalid(
            "The reason is too long.", {"words": f"The limit is {MESSAGE_CHARACTERS_MAX} characters. Take out {over}."}
        )
    return told


def checked_ask(given: AskInput) -> None:
    """Raise :class:`Invalid` for a message or a number of days beyond the limit."""
    problems: dict[str, str] = {}
    if len(given.message) > MESSAGE_CHARACTERS_MAX:
        over = len(given.message) - MESSAGE_CHARACTERS_MAX
        problems["message"] = f"The limit is {MESSAGE_CHARACTERS_MAX} characters. Take out {over}."
    if not 1 <= given.days <= INVITATION_DAYS_MAX:
        problems["days"] = f"Give somebody 1 to {INVITATION_DAYS_MAX} days to answer."
    if not 1 <= given.load_max <= POOL_LOAD_MAX:
        problems["load_max"] = load_words(given.load_max)
    if problems:
        raise Invalid("The invitation was not sent.", problems)


def refuse_beyond_offer(load_max: int, offered: int) -> None:
    """Raise :class:`Invalid` where somebody takes more upon them than they were asked to."""
    if load_max > offered:
        sentence = f"You are asked to take at most {offered}. Enter that number or a smaller one."
        raise Invalid("You have not joined yet.", {"load_max": sentence})


# What is accepted before anything opens, as sentences call it.
TERM_PARTS = {"contract": "contract", "confidentiality": "declaration of confidentiality"}


def refuse_unaccepted(
    shown: TermsView | None, number: int | None, ticked: frozenset[str], parts: frozenset[str]
) -> None:
    """Refuse whoever has not accepted both parts of the version that stands; ``number`` is what their form carried."""
    if shown is None:
        return
    if number != shown.number:
        sentence = f"Version {shown.number} of these words stands. Read it on this page, and accept it."
        raise Invalid(sentence, {"terms": sentence})
    missing = {
        name: f"Tick this to accept the {TERM_PARTS[name]}. Without it nothing opens."
        for name in sorted(parts - ticked)
    }
    if missing:
        raise Invalid("Both parts are accepted, or none.", missing)
