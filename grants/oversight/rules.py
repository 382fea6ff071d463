"""Pure values and decisions of the pages that gather several stages: the order of duties, what counts as healthy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from grants.applications.rules import CHANGES_TOLD
from grants.applications.states import ApplicationState, Verdict
from grants.awards.states import Outcome
from grants.core import clock
from grants.core.duties import Duty
from grants.core.money import Money
from grants.dossiers.merging import SITTING

# Free space on the data folder's disk below which the program no longer takes work.
DISK_FREE_BYTES_MIN = 200_000_000
# A job is rung within a second of its commit; the sweeper rings again. This late, nobody is ringing.
UNRUNG_SECONDS_MAX = 300
# A long report may keep every worker busy for some minutes; a letter whose server is away waits for hours.
DUE_SECONDS_MAX, MAIL_SECONDS_MAX, SCHEDULER_SECONDS_MAX = 600, 3_600, 60
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
# A deadline nearer than this comes before what has none.
SOON_DAYS = 14


@dataclass(frozen=True, slots=True)
class Check:
    """One thing the program needs: whether it is well, what is seen, in words, and whether pages need it to answer."""

    name: str
    well: bool
    words: str
    stops_pages: bool = True


def in_order(duties: Iterable[Duty], at: datetime) -> tuple[Duty, ...]:
    """The most urgent first: what is late or due within two weeks, by deadline; what has no deadline, because somebody
    waits for it now; what is due later. Duties of the same moment stay in the order of the stages.
    """
    soon = at + timedelta(days=SOON_DAYS)

    def urgency(duty: Duty) -> tuple[int, datetime]:
        if duty.due_at is None:
            return 1, at
        return (0 if duty.due_at <= soon else 2), duty.due_at

    return tuple(sorted(duties, key=urgency))


def how_many(duties: Iterable[Duty]) -> int:
    """The number beside \u201cTasks\u201d: a group counts as the things in it."""
    return sum(duty.count for duty in duties)


def disk_check(free_bytes: int) -> Check:
    """Whether there is room for another upload and another report."""
    return Check("disk", free_bytes >= DISK_FREE_BYTES_MIN, f"{free_bytes // 1_000_000} MB free")


def migrations_check(applied: str | None, expected: str | None) -> Check:
    """Whether the database has the tables this program was written for."""
    if expected is None:
        return Check("migrations", True, "none yet")
    return Check("migrations", applied == expected, "current" if applied == expected else "not current")


def lasting(seconds: int) -> str:
    """How long something waits, in the largest unit that says it in whole numbers.

    >>> [lasting(seconds) for seconds in (1, 119, 120, 7_200, 75_489_330)]
    ['1 second', '119 seconds', '2 minutes', '2 hours', '873 days']
    """
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= 2 * size), (1, "second"))
    many = seconds // size
    return f"{many} {unit}" if many == 1 else f"{many} {unit}s"


def bell_check(oldest_unrung_seconds: int) -> Check:
    """Whether jobs are handed to the workers: how long the oldest one waits that nobody was told of."""
    well = oldest_unrung_seconds <= UNRUNG_SECONDS_MAX
    words = f"the oldest waits for {lasting(oldest_unrung_seconds)}" if oldest_unrung_seconds else "none waits unrung"
    return Check("jobs", well, words)


# --- Checkpoints ------------------------------------------------------------------------------------------------

# What the jobs that send a checkpoint out are about, and the letter they send.
CHECKPOINT = "audit_checkpoint"
LETTER = "checkpoint"
# One is made each night; later than this, none was.
CHECKPOINT_AGE_MAX = timedelta(hours=30)


def addresses(text: str) -> tuple[str, ...]:
    """The addresses of a setting, with commas between.

    >>> addresses("audit@example.eu, ,court@example.eu")
    ('audit@example.eu', 'court@example.eu')
    """
    return tuple(part.strip() for part in text.split(",") if part.strip())


@dataclass(frozen=True, slots=True)
class Delivery:
    """One way a checkpoint left: to whom or where, whether it arrived there (None: it is still on its way), and what is seen."""

    to: str
    arrived: bool | None
    words: str


def checkpoint_check(first_at: datetime | None, made_at: datetime | None, failed: int, now: datetime) -> Check:
    """Whether the record is proved outside of this system: the last checkpoint is of last night, and every copy left."""
    since = made_at or first_at
    if since is None:
        return Check("checkpoints", True, "nothing is on the record yet")
    if failed:
        copies = "1 copy of a checkpoint" if failed == 1 else f"{failed} copies of checkpoints"
        return Check("checkpoints", False, f"{copies} did not leave the system; start those jobs again")
    if now - since > CHECKPOINT_AGE_MAX:
        seen = (
            "none was made yet"
            if made_at is None
            else f"the last one is {(now - since) // timedelta(hours=1)} hours old"
        )
        return Check("checkpoints", False, seen)
    return Check("checkpoints", True, "none yet" if made_at is None else "made and sent")


def machinery_checks(
    *, oldest_due_seconds: int, oldest_mail_seconds: int, scheduler_seen_seconds: int | None
) -> tuple[Check, ...]:
    """What goes on behind pages, which are answered without it: whether workers, mail and the schedule keep up."""
    late = f"the oldest due job waits for {lasting(oldest_due_seconds)}" if oldest_due_seconds else "no job waits"
    letters = (
        f"the oldest letter waits for {lasting(oldest_mail_seconds)}" if oldest_mail_seconds else "no letter waits"
    )
    seen = "never seen" if scheduler_seen_seconds is None else f"seen {lasting(scheduler_seen_seconds)} ago"
    alive = scheduler_seen_seconds is not None and scheduler_seen_seconds <= SCHEDULER_SECONDS_MAX
    return (
        Check("workers", oldest_due_seconds <= DUE_SECONDS_MAX, late, stops_pages=False),
        Check("mail", oldest_mail_seconds <= MAIL_SECONDS_MAX, letters, stops_pages=False),
        Check("schedule", alive, seen, stops_pages=False),
    )


def scans_check(waiting: int, oldest_waiting: datetime | None, at: datetime) -> Check:
    """Whether the virus scanner keeps up with the uploads; pages are answered without it, files are not handed out."""
    if oldest_waiting is None:
        return Check("virus scanner", True, "no upload waits", stops_pages=False)
    seconds = int((at - oldest_waiting).total_seconds())
    words = f"{waiting} {'upload waits' if waiting == 1 else 'uploads wait'}, the oldest for {lasting(max(1, seconds))}"
    return Check("virus scanner", seconds <= DUE_SECONDS_MAX, words, stops_pages=False)


# --- The record of who did what --------------------------------------------------------------------------------

# The acts on people, roles and the system, which is all an administrator reads of the record: no money, no applications.
SYSTEM_THINGS = frozenset(
    {"checkpoint", "checkpoint_key", "city", "demo", "fund_source", "job", "mail", "organisation", "password", "profile", "programme", "role", "session", "user"}
)  # fmt: skip

# What everybody who may open the thing may know happened to it; the whole record is the auditor's.
GRANT_STORY = frozenset(
    {
        *(
            "agreement.appoint",
            "agreement.decline",
            "agreement.dismiss",
            "agreement.drop",
            "agreement.offer",
            "agreement.prepare",
            "agreement.set_terms",
        ),
        *("agreement.sign_city", "agreement.sign_programme", "agreement.take_back", "grant.close"),
        *("bank_account.confirm", "bank_account.enter", "bank_account.refuse"),
        *("milestone.accept", "milestone.report", "milestone.return"),
        *("report.accept", "report.open", "report.reject", "report.return", "report.submit"),
        *("payment_request.decide", "payment_request.open_for_report", "payment_request.open_prefinancing"),
        *("payment_request.reject", "payment_request.submit", "payment_order.execute"),
        *("recovery.book", "recovery.establish", "recovery.waive"),
    }
)
# What the desk does until a verdict stands; the team is told the verdict and not the way to it.
DESK_STORY = frozenset(
    {
        *("application.confirm_refusal", "application.declare", "application.pass_by_facts"),
        *("application.share_clarification", "application.write_letter"),
        "application.return_refusal",
    }
)
APPLICATION_STORY = DESK_STORY | {
    *("application.submit", "application.withdraw", "application.ask_clarification", "application.send_letter"),
    *("application.answer_clarification", "application.extend_clarification", "application.withdraw_clarification"),
}
# Told to the team with what was ruled, see declared_words and outcome_words.
VERDICTS = frozenset({"application.send_letter"})
# The work on a draft, which only its own people see.
# Whatever the panel of last changes tells is told here too, and stands only there (applications/rules/last_changes.py).
TEAM_STORY = (
    (APPLICATION_STORY - DESK_STORY)
    | frozenset(CHANGES_TOLD)
    | {
        *("application.confirm_partner", "application.refuse_partner", "application.accept_notice"),
        *("application.save_answer", "application.save_section", "application.start", "application.start_invited"),
        *("application.ask_to_write", "application.comment", "application.reply"),
        *("application.resolve_comment", "application.reopen_comment", "application.ask_sign_offs"),
        *(
            "application.ask_takeover",
            "application.confirm_takeover",
            "application.refuse_takeover",
            "application.take_over",
        ),
        *("application.attach_to_clarification", "application.draft_clarification"),
        "application.remove_from_clarification",
        *("ticket.open", "ticket.write", "ticket.answer", "ticket.ask_back", "ticket.close", "ticket.reopen"),
        *("application.move_to_version", "application.read_changes", "application.clear_dropped"),
        "application.extend_deadline",
    }
)
# What is saved by itself while one types: the saves of one person within ten minutes are told as one.
SAVED_WHILE_TYPING = frozenset({"application.save_answer"})


class Told(Protocol):
    """An act as a line: by whom, what, when."""

    @property
    def who(self) -> str: ...
    @property
    def verb(self) -> str: ...
    @property
    def at(self) -> datetime: ...


L = TypeVar("L", bound=Told)


@dataclass(frozen=True, slots=True)
class Sitting(Generic[L]):
    """Acts told in one line: the newest, how many more, and since when."""

    line: L
    more: int
    since: datetime


def in_sittings(lines: Iterable[L]) -> tuple[Sitting[L], ...]:
    """Lines, newest first, with what one person saved while typing told as one; each gap is ten minutes at most."""
    found: list[list[L]] = []
    for line in lines:
        if found and _goes_on(found[-1][-1], line):
            found[-1].append(line)
        else:
            found.append([line])
    return tuple(Sitting(group[0], len(group) - 1, group[-1].at) for group in found)


def _goes_on(newer: Told, line: Told) -> bool:
    """Whether a line belongs to the sitting of the next newer one."""
    return (
        line.verb in SAVED_WHILE_TYPING
        and (newer.verb, newer.who) == (line.verb, line.who)
        and newer.at - line.at <= SITTING
    )


def lines_of_page(lines: Sequence[Told], size: int) -> int:
    """How many of the lines read a page takes, at most ``size``: it ends between two sittings, so that none is told twice.

    A sitting longer than a page is cut all the same.
    """
    if len(lines) <= size or not _goes_on(lines[size - 1], lines[size]):
        return min(size, len(lines))
    end = size - 1
    while end > 0 and _goes_on(lines[end - 1], lines[end]):
        end -= 1
    return end or size


CALL_STORY = frozenset(
    {
        *("call.add_document_version", "call.apply_template", "call.authorise_budget", "call.cancel"),
        *("call.extend_deadline", "call.import", "call.publish", "call.copy", "call.set_value", "call.set_dates"),
        *("call.publish_corrigendum", "call.correct_wording", "call.discard_copy", "call.replace_copy"),
        *("selection.confirm", "selection.decide", "selection.publish_results", "selection.return"),
        *("selection.record_published_outcome", "call.pass_by_facts", "call.send_letters", "stage.invite"),
        *("question.set_aside", "ticket.answer_for_everybody"),
        *("question.publish", "question.correct", "call.add_session", "call.edit_session", "call.cancel_session"),
        *("call.add_slides", "call.add_privacy_notice"),
    }
)
ORDER_STORY = frozenset(
    f"payment_order.{verb}" for verb in ("authorise", "cancel", "change", "execute", "export", "prepare", "verify")
)
PEOPLE_STORY = frozenset(
    {"role.assign", "role.confirm", "role.end", "user.add", "user.disable", "user.enable", "user.invite"}
)

# What a person does all day and needs no reminding of.
QUIET = frozenset(
    {
        *("session.start", "session.prove", "session.end", "session.end_other", "session.end_all_others"),
        *(
            "application.answer_condition",
            "application.save_answer",
            "application.save_section",
            "application.save_budget",
            "application.reply",
            "application.resolve_comment",
            "application.reopen_comment",
            "assessment.save",
            "report.write",
            "report.enter_costs",
        ),
        *("trial.begin", "trial.save_section", "trial.save_budget", "trial.note_file", "trial.drop_file"),
        *("trial.send", "trial.throw_away"),
        *("question.save", "question.draft", "ticket.take", "ticket.give_back", "ticket.move", "call.edit_copy"),
        *("list_file.ask", "list_file.make", "list_file.remove", "application.preview_letter"),
        *("eligibility_letter.print_draft", "application.open_letter_draft"),
        *("receipt.print", "eligibility_letter.print", "agreement.print", "statement.build"),
    }
)

TEXT_SHOWN_MAX = 160


@dataclass(frozen=True, slots=True)
class TrailFilter:
    """What of the record is asked for; empty means all. ``to_on`` counts in."""

    person: str = ""
    thing: str = ""
    reference: str = ""
    from_on: date | None = None
    to_on: date | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one row, before and after, in words."""

    label: str
    before: str
    after: str


def thing_of(verb: str) -> str:
    """``payment_order.authorise`` is about a ``payment_order``."""
    return verb.partition(".")[0]


def words_of(name: str) -> str:
    """A table's or a column's name as words for people.

    >>> words_of("payment_order"), words_of("bank_account_id"), words_of("requested_cents")
    ('payment order', 'bank account', 'requested')
    """
    words = name.removesuffix("_id").removesuffix("_cents").replace("_", " ")
    return {"user account": "person", "grant agreement": "grant", "periodic report": "report"}.get(words, words)


def around_subject(says: str, verb: str) -> tuple[str, str]:
    """The words before and after the thing an act was about; an act of an older version speaks by its verb.

    >>> around_subject("signed agreement {subject} for the city", "agreement.sign_city")
    ('signed agreement', 'for the city')
    >>> around_subject("", "grant.merge")
    ('did \u201cgrant merge\u201d', '')
    """
    if not says:
        return f"did \u201c{verb.replace('.', ' ').replace('_', ' ')}\u201d", ""
    before, _, after = says.partition("{subject}")
    return before.strip(), after.strip()


def shown(value: Any) -> str:
    """An audited value that is not an amount, a moment or a name, in words; long text is cut."""
    match value:
        case None | "":
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case dict() | list():
            return "details"
    text = str(value)
    return text if len(text) <= TEXT_SHOWN_MAX else f"{text[:TEXT_SHOWN_MAX]}\u2026"


def is_digest(value: Any) -> bool:
    """Whether only a digest of the value was recorded: personal data and long texts."""
    return isinstance(value, str) and value.startswith("sha256:")


def digest_words(before: Any, after: Any) -> Change | None:
    """How a change is told whose words the record does not hold."""
    if not (is_digest(before) or is_digest(after)):
        return None
    return Change(
        "",
        "nothing" if before is None else "a text",
        "removed" if after is None else "text changed" if before else "a text",
    )


# --- What others have now --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something this person handed on: who has it now, and since when."""

    what: str
    who: str
    since: datetime
    endpoint: str
    values: Mapping[str, Any]
    # How it stands, where \u201cWith (somebody).\u201d says too little.
    stands: str = ""

    @property
    def words(self) -> str:
        """Who has it, as a sentence."""
        return self.stands or f"With {self.who}."

    def days(self, at: datetime) -> int:
        """Whole days it has been waiting, by calendar days where the programme works."""
        return (clock.in_zone(at).date() - clock.in_zone(self.since).date()).days


# Whom an application of these states waits for; with any other verdict nobody has it any more.
WITH_OTHERS: Mapping[ApplicationState, str] = {
    ApplicationState.SUBMITTED: "the programme office",
    ApplicationState.ELIGIBLE: "the evaluators and the panel",
    ApplicationState.UNDER_EVALUATION: "the evaluators and the panel",
    ApplicationState.SELECTED: "the programme office",
    ApplicationState.RESERVE: "the programme office",
}


def where_it_stands(state: ApplicationState, since: datetime) -> str:
    """What a team reads of its application once more is known than who has it; else nothing."""
    match state:
        case ApplicationState.SELECTED:
            return "It is selected. The programme prepares the agreement."
        case ApplicationState.RESERVE:
            return f"On the reserve list since {clock.long_date(clock.in_zone(since).date())}."
        case _:
            return ""


def declared_words(verdict: Verdict, reason: str | None) -> tuple[str, str]:
    """The words around an application whose eligibility was declared.

    >>> declared_words(Verdict.FAIL, "Sent without a signature.")
    ('declared', 'not eligible and wrote to its team: Sent without a signature.')
    """
    if verdict is Verdict.PASS:
        return "declared", "eligible and wrote to its team"
    return "declared", "not eligible and wrote to its team" + (f": {reason}" if reason else "")


def outcome_words(outcome: Outcome, amount: Money) -> tuple[str, str]:
    """The words around an application about which a selection was confirmed."""
    match outcome:
        case Outcome.SELECTED:
            return "selected", f"for a grant of {amount} and wrote to its team"
        case Outcome.RESERVE:
            return "put", "on the reserve list and wrote to its team"
        case Outcome.NOT_FUNDED:
            return "decided that", "is not funded, and wrote to its team"
        case Outcome.BELOW_THRESHOLD:
            return "found", "below the threshold, so that it is not funded, and wrote to its team"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a new installation needs before it can take an application."""

    title: str
    hint: str
    endpoint: str
    done: bool


def first_steps(calls: int, managers: int, administrators: int, people: int) -> tuple[Step, ...]:
    """The way from an empty installation to an open call, with what is done already."""
    return (
        Step(
            "Invite a second administrator",
            "Roles that move money need two: one gives them, the other confirms.",
            "identity.invite",
            administrators > 1,
        ),
        Step("Invite a programme manager", "Writes and publishes calls.", "identity.invite", managers > 0),
        Step(
            "Invite the people of the money circuit",
            "Initiator, verifier, authorising officer and accounting officer are four different people.",
            "identity.users",
            people > managers + administrators + 3,
        ),
        Step(
            "Import a call",
            "The programme manager does it on the page of calls, or you with the command “grants call import FILE”.",
            "",
            calls > 0,
        ),
        Step("Publish it", "From then on everybody can read it and start an application.", "", False),
    )
