"""Frozen values of identity and the pure rules on them: passwords, back-off, sessions, links, who may give which role."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from grants.core.errors import Invalid, NeedsFreshSignIn
from grants.core.permissions import Actor
from grants.identity.rules.vat import vat_number, vat_words
from grants.identity.states import LinkPurpose, OrganisationKind, Role, RoleStanding

PASSWORD_CHARACTERS_MIN = 12
PASSWORD_CHARACTERS_MAX = 128
# A name, and what a person does.
NAME_CHARACTERS_MAX = 120
NAME_CHARACTERS_SEEN_MAX = 10_000

SESSION_IDLE_MAX = timedelta(hours=2)
SESSION_AGE_MAX = timedelta(hours=12)
# Last-seen is written at most this often, so that reading pages does not write on each click.
SEEN_AFTER = timedelta(minutes=1)
FRESH_FOR = timedelta(minutes=10)

LINK_LASTS = {
    LinkPurpose.INVITATION: timedelta(days=14),
    LinkPurpose.RESET: timedelta(hours=1),
    LinkPurpose.ADDRESS: timedelta(hours=24),
}

# A counter of tries begins again after so long without one.
TRIES_FORGOTTEN_AFTER = timedelta(hours=1)
WAIT_FIRST = timedelta(seconds=30)
WAIT_MAX = timedelta(minutes=15)


# What pages and later stages see


@dataclass(frozen=True, slots=True)
class Person:
    """A person as others may see them."""

    id: UUID
    name: str
    email: str
    organisation: str | None = None
    organisation_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class OrganisationView:
    """An organisation with every public column."""

    id: UUID
    version: int
    name: str
    kind: OrganisationKind
    country_code: str
    local_name: str | None = None
    town: str | None = None
    postcode: str | None = None
    street: str | None = None
    pic: str | None = None
    website: str | None = None
    synthetic: bool = False
    # The entry that stands for the same organisation, where a person said so.
    same_as_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class OrganisationRow:
    """An organisation in the register's list, with the address of its page and how many of its facts are validated."""

    view: OrganisationView
    slug: str
    validated: int = 0


@dataclass(frozen=True, slots=True)
class RoleView:
    """One role of one person, in words a page can show."""

    id: UUID
    role: Role
    title: str
    kind: str
    object_id: UUID | None
    standing: RoleStanding
    starts_at: datetime
    ends_before: datetime | None
    assigned_by: UUID | None
    confirmed_by: UUID | None


@dataclass(frozen=True, slots=True)
class UserRow:
    """One line of the list of people."""

    id: UUID
    version: int
    handle: str
    name: str
    email: str
    organisation: str | None
    job_title: str | None
    disabled_at: datetime | None
    invited_only: bool
    is_demo: bool
    roles: tuple[RoleView, ...] = ()


PARTS: Mapping[str, frozenset[Role]] = {
    "Programme": frozenset(
        {
            *(Role.ADMINISTRATOR, Role.PROGRAMME_MANAGER, Role.ELIGIBILITY_OFFICER, Role.PROJECT_OFFICER),
            Role.PROGRAMME_SIGNATORY,
        }
    ),
    "Evaluators and panel": frozenset({Role.EVALUATOR, Role.ASSIGNED_EVALUATOR, Role.PANEL_CHAIR, Role.PANEL_MEMBER}),
    "Finance and audit: who pays, and who checks it": frozenset(
        {
            *(Role.FINANCE_INITIATOR, Role.FINANCE_VERIFIER, Role.AUTHORISING_OFFICER, Role.ACCOUNTING_OFFICER),
            Role.AUDITOR,
        }
    ),
    "Cities and their partners": frozenset(
        {
            *(Role.APPLICANT, Role.APPLICATION_LEAD, Role.APPLICATION_EDITOR, Role.APPLICATION_PARTNER),
            *(Role.APPLICATION_SIGNATORY, Role.APPLICATION_READER, Role.SIGNATORY),
        }
    ),
}
OTHERS = "Without a role yet"


def part_of(held: Set[Role]) -> str:
    """The part somebody with these roles plays."""
    return next((part for part, roles in PARTS.items() if roles & held), OTHERS)


def by_part(people: Iterable[UserRow]) -> tuple[tuple[str, tuple[UserRow, ...]], ...]:
    """People by the part they play, each once, in the order given; parts nobody plays are left out."""
    found: dict[str, list[UserRow]] = {part: [] for part in (*PARTS, OTHERS)}
    for person in people:
        found[part_of({Role(view.role) for view in person.roles})].append(person)
    return tuple((part, tuple(those)) for part, those in found.items() if those)


@dataclass(frozen=True, slots=True)
class DemoChoice:
    """One demo person in the switch on every page."""

    slug: str
    name: str
    role: str
    part: str


@dataclass(frozen=True, slots=True)
class SessionView:
    """One browser signed in, as its owner sees it."""

    id: UUID
    user_id: UUID
    started_at: datetime
    seen_at: datetime
    proved_at: datetime
    address: str
    browser: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a typed password is checked against."""

    user_id: UUID
    email: str
    password_hash: str
    password_set_at: datetime


@dataclass(frozen=True, slots=True)
class AddedUser:
    """A person just added, and the link by which they choose a password (none for demo people)."""

    user_id: UUID
    link_id: UUID | None


@dataclass(frozen=True, slots=True)
class LinkView:
    """A sign-in link whose token was shown and is good now."""

    id: UUID
    user_id: UUID
    name: str
    email: str
    purpose: LinkPurpose


@dataclass(frozen=True, slots=True)
class MailRow:
    """One line of the page of mails; ``state`` is that of its job, ``address`` one outside that belongs to no account."""

    number: int
    asked_at: datetime
    finished_at: datetime | None
    state: str
    error: str | None
    to: Person | None
    address: str | None
    template: str
    subject: str | None
    opens_account: bool
    guarded: bool
    kept: bool


@dataclass(frozen=True, slots=True)
class MailAsked:
    """What one mail is made of: to a person, or to an address outside, where there is no person."""

    user_id: UUID | None
    address: str
    template: str
    context: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """A mail ready to be sent: one line of subject, plain text."""

    to: str
    name: str
    subject: str
    text: str


_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def browser_words(user_agent: str) -> str:
    """What a person recognises of a browser's self-description.

    >>> browser_words("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    'Firefox on Linux'
    """
    browser = next((name for mark, name in _BROWSERS if mark + "/" in user_agent), "A browser")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser


# What acts are given


@dataclass(frozen=True, slots=True)
class OrganisationInput:
    """An organisation as typed or imported."""

    name: str
    kind: OrganisationKind
    country_code: str
    local_name: str | None = None
    town: str | None = None
    postcode: str | None = None
    street: str | None = None
    pic: str | None = None
    website: str | None = None
    synthetic: bool = False
    # Facts of the register beside the entry itself (rules/facts.py).
    vat: str | None = None
    registration: str | None = None
    legal_form: str | None = None
    public_body: bool | None = None
    contact_address: str | None = None

    def checked(self) -> OrganisationInput:
        """This input, if it can be stored; raises :class:`Invalid` with a sentence for each field."""
        problems: dict[str, str] = {}
        if not one_line(self.name):
            problems["name"] = "Enter the organisation\u2019s official name."
        if not re.fullmatch(r"[A-Z]{2}", self.country_code):
            problems["country_code"] = "Enter the country as two capital letters, for example PL."
        if self.pic and not re.fullmatch(r"[0-9]{9}", self.pic):
            problems["pic"] = (
                "A participant identification code has exactly 9 digits. Leave the field empty if there is none."
            )
        if self.website and (not _is_web_address(self.website) or len(self.website) > WEB_ADDRESS_CHARACTERS_MAX):
            problems["website"] = "Enter the whole address of the website, beginning with https://."
        if one_line(self.vat or "") and vat_number(one_line(self.vat or ""), self.country_code) is None:
            problems["vat"] = (
                f"This is not how a VAT number is written there. {vat_words(self.country_code)} "
                "Leave the field empty if there is none."
            )
        if problems:
            raise Invalid("Some details of the organisation need another look.", problems)
        return self


WEB_ADDRESS_CHARACTERS_MAX = 500


def _is_web_address(text: str) -> bool:
    try:
        return urlsplit(text).scheme in {"http", "https"}
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class UserInput:
    """A person to be added or invited. ``is_demo`` counts only where the demo is switched on."""

    name: str
    email: str
    roles: tuple[Role, ...] = ()
    organisation_id: UUID | None = None
    job_title: str | None = None
    phone: str | None = None
    is_demo: bool = False


@dataclass(frozen=True, slots=True)
class ColleagueInput:
    """A person somebody says belongs to an organisation."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class ProfileInput:
    """What people change about themselves."""

    name: str
    job_title: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class RoleInput:
    """A role an administrator gives by hand, everywhere or for one call, until a moment or for good."""

    role: Role
    ends_before: datetime | None = None
    call_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class RolePlace:
    """A thing a role can be given for, as people name it."""

    id: UUID
    reference: str
    title: str

    @property
    def label(self) -> str:
        """For choices and lists."""
        return f"{self.reference}, {self.title}"


class Joins(StrEnum):
    """What a person who is new here becomes by being named by somebody else."""

    # An applicant and a member of the organisation: a staff act, or the organisation is new in the same act.
    AS_MEMBER = "member"
    # Nothing but what the stage gives on its own thing: nobody opens somebody else’s organisation to a stranger.
    AS_GUEST = "guest"


@dataclass(frozen=True, slots=True)
class Where:
    """From where somebody signs in."""

    address: str
    browser: str


# Names and addresses


def normal_email(text: str) -> str:
    """The address in the one spelling that is stored; raises :class:`Invalid`.

    >>> normal_email("  Ana@Example.EU ")
    'ana@example.eu'
    """
    email = text.strip().lower()
    if len(email) > 254 or not re.fullmatch(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9-]+(\.[a-z0-9-]+)*", email):
        raise Invalid(
            "This is not an e-mail address.", {"email": "Enter an e-mail address like name@example.eu, without spaces."}
        )
    return email


def one_line(text: str, *, characters_max: int = 200) -> str:
    """``text`` without line breaks, control characters or characters nobody sees, for names, subjects and logs.

    Invisible ones (zero width, turning the direction of reading) would make one name look like another.

    >>> one_line("Ana\\r\\nBcc: all@example.eu")
    'Ana Bcc: all@example.eu'
    """
    # Far more than is kept, so that a name of a million signs is not looked at sign by sign.
    seen = (letter for letter in text[: 10 * characters_max] if not _unseen(letter))
    clean = "".join(" " if unicodedata.category(letter) in {"Cc", "Zl", "Zp"} else letter for letter in seen)
    return " ".join(clean.split())[:characters_max]


# Letters by their kind, and yet nothing is seen of them: fillers of Hangul, the empty sign of braille.
_BLANK_LETTERS = "\u115f\u1160\u2800\u3164\uffa0"


def _unseen(letter: str) -> bool:
    return unicodedata.category(letter) == "Cf" or letter in _BLANK_LETTERS


def checked_name(text: str) -> str:
    """A person's name as it is stored; raises :class:`Invalid` when nothing is left of it."""
    name = one_line(text, characters_max=NAME_CHARACTERS_SEEN_MAX)
    if not name:
        raise Invalid("A name is missing.", {"name": "Enter the person\u2019s full name."})
    return _short_enough(name, "name", "The name")


def checked_job_title(text: str | None) -> str | None:
    """What a person does as it is stored, None where nothing is said; raises :class:`Invalid` when it is too long."""
    return (
        _short_enough(one_line(text or "", characters_max=NAME_CHARACTERS_SEEN_MAX), "job_title", "What they do")
        or None
    )


def _short_enough(text: str, field: str, what: str) -> str:
    if len(text) > NAME_CHARACTERS_MAX:
        over = len(text) - NAME_CHARACTERS_MAX
        sentence = f"{what} has {len(text)} characters; at most {NAME_CHARACTERS_MAX} fit. Cut {over}."
        raise Invalid("Something is too long.", {field: sentence})
    return text


_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ı": "i"})


def handle_of(name: str, taken: Collection[str] = ()) -> str:
    """A name for addresses of pages, numbered where others have it.

    >>> handle_of("Michał Łuczak-Ørsted", {"michal-luczak-orsted"})
    'michal-luczak-orsted-2'
    """
    plain = unicodedata.normalize("NFKD", name.lower().translate(_LETTERS)).encode("ascii", "ignore").decode()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50] or "person"
    number, found = 1, base
    while found in taken:
        number += 1
        found = f"{base}-{number}"
    return found


def safe_path(target: str | None) -> str | None:
    """``target`` if it is a path on this site, else None: nobody is sent elsewhere after signing in.

    >>> safe_path("/grants?state=open"), safe_path("//evil.example"), safe_path("https://evil.example/")
    ('/grants?state=open', None, None)
    """
    if not target or len(target) > 2_000 or not target.startswith("/"):
        return None
    # Browsers read a backslash as a slash and drop tabs and line breaks inside addresses.
    if any(letter == "\\" or ord(letter) <= 32 or ord(letter) == 127 for letter in target) or target.startswith("//"):
        return None
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    return None if parts.scheme or parts.netloc else target


# Passwords

# Our own short list of words people reach for first; digits, signs and swapped letters around them do not help.
_OBVIOUS_WORDS = """
password passwort passphrase passw0rd motdepasse contrasena contraseña wachtwoord parola haslo heslo salasana
letmein letmeinplease welcome welcomeback willkommen bienvenue changeme changemeplease changemenow secret
topsecret administrator admin adminadmin superuser default guest login master iloveyou iloveyousomuch qwerty
qwertyuiop qwertz azerty azertyuiop asdfghjkl zxcvbnm yxcvbnm trustno correcthorsebatterystaple football
liverpool barcelona superman batman starwars sunshine princess dragon monkey shadow whatever cityofficer
cityhall climate climatecity climateneutral europe europeanunion european commission brussels horizon
horizoneurope pilotgrants pilotgrant grants grantsgrants mission missioncity missioncities
"""
_OBVIOUS = frozenset(_OBVIOUS_WORDS.split())
_SWAPPED = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})
_ROWS = (
    "1234567890",
    "0987654321",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "abcdefghijklmnopqrstuvwxyz",
)


def password_problem(password: str, *, about: Iterable[str] = ()) -> str | None:
    """What is wrong with a new password, as a sentence, or None. Length counts, composition does not.

    ``about`` are words of the person (name, address) that a guesser would try first.
    """
    count = len(password)
    if count < PASSWORD_CHARACTERS_MIN:
        return f"Use at least {PASSWORD_CHARACTERS_MIN} characters; this has {count}. A few words in a row are easy to keep in mind."
    if count > PASSWORD_CHARACTERS_MAX:
        return f"Use at most {PASSWORD_CHARACTERS_MAX} characters; this has {count}."
    if _is_repetition(password.lower()) or _is_obvious(password.lower(), _words_about(about)):
        return "This password is easy to guess. Choose other words, or let your password manager make one."
    return None


def _words_about(about: Iterable[str]) -> frozenset[str]:
    words = {word for text in about for word in re.split(r"[^\w]+", text.lower())}
    words |= {re.sub(r"[^\w]", "", text.lower()) for text in about}
    return frozenset(word for word in words if len(word) >= 4)


def _is_repetition(text: str) -> bool:
    """Whether a short piece is repeated, or the whole is a run along the keyboard or the alphabet."""
    if len(set(text)) < 5:
        return True
    if any(text == (text[:size] * len(text))[: len(text)] for size in range(1, 7)):
        return True
    return any(text[: len(row)] in row * 2 and text in (row * (len(text) // len(row) + 2)) for row in _ROWS)


def _is_obvious(text: str, about: frozenset[str]) -> bool:
    """Whether only digits, signs and obvious words remain: take out the longest words first and see what is left."""
    for spelling in (text, text.translate(_SWAPPED)):
        rest = spelling
        for word in sorted(_OBVIOUS | about, key=len, reverse=True):
            rest = rest.replace(word, "")
        if len(re.sub(r"[^a-z]", "", rest)) <= 3 and rest != spelling:
            return True
    return False


# Tries, sessions, links


class Counter(StrEnum):
    """What tries are counted for."""

    ACCOUNT = "account"
    ADDRESS = "address"


# An office shares one address, so an address is given more tries than an account.
_FREE_TRIES = {Counter.ACCOUNT: 5, Counter.ADDRESS: 30}


def wait_after(failures: int, counter: Counter) -> timedelta:
    """How long to wait after so many failed tries: nothing, then 30 seconds doubling up to 15 minutes.

    >>> [wait_after(tries, Counter.ACCOUNT).seconds for tries in (4, 5, 6, 7, 20)]
    [0, 30, 60, 120, 900]
    """
    beyond = failures - _FREE_TRIES[counter]
    if beyond < 0:
        return timedelta(0)
    return min(WAIT_MAX, WAIT_FIRST * 2 ** min(beyond, 10))


def counter_key(counter: Counter, value: str) -> str:
    """The name a counter is kept under: a hash, so that the table is no list of people or addresses."""
    return f"{counter}:{hashlib.sha256(value.encode()).hexdigest()}"


def is_fresh(proved_at: datetime, at: datetime) -> bool:
    """Whether the person proved who they are a short time ago."""
    return proved_at <= at < proved_at + FRESH_FOR


def demand_fresh(actor: Actor) -> None:
    """For dangerous acts (authorise, sign, change an account): raises :class:`NeedsFreshSignIn`.

    The place where a second factor will be demanded too. The program itself (a command at the
    server, a nightly check) has no password.
    """
    if actor.user_id is not None and not actor.fresh:
        raise NeedsFreshSignIn("Confirm your password to go on.")


def token_hash(token: str) -> bytes:
    """What is stored of a session's or link's token. A random token of 256 bits needs no slow hash."""
    return hashlib.sha256(token.encode()).digest()


def link_token(secret_key: str, link_id: UUID) -> str:
    """The token of a link, derived and never stored: neither the database nor a mail waiting in it can open an account."""
    return hmac.new(secret_key.encode(), b"sign-in link " + link_id.bytes, hashlib.sha256).hexdigest()


# Roles


def standing(*, starts_at: datetime, ends_before: datetime | None, unconfirmed: bool, at: datetime) -> RoleStanding:
    """Where a role stands at a moment."""
    if ends_before is not None and ends_before <= at:
        return RoleStanding.ENDED
    if unconfirmed:
        return RoleStanding.WAITING
    return RoleStanding.HELD if starts_at <= at else RoleStanding.PLANNED
