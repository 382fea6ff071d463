"""The way of one application from its call to the first payment, as its team may read it: pure values and functions.

Told is only what the team was told: a verdict with its letter, a result once its letter left or the results are public; never who
assesses, never a rank or a mark.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from grants.applications.rules.arrival import said
from grants.applications.rules.following import INVITABLE, SecondStage
from grants.applications.rules.values import ApplicationView
from grants.applications.states import ApplicationState, Origin, Verdict
from grants.calls.rules import CallView
from grants.calls.rules.saying import closes_said
from grants.core import clock

S = ApplicationState
_AFTER_SELECTION = frozenset({S.SELECTED, S.IN_PREPARATION, S.AWARDED, S.DECLINED, S.DROPPED})
_DECIDED_WITHOUT = frozenset({S.BELOW_THRESHOLD, S.NOT_FUNDED})


class StageState(StrEnum):
    """Where a stage is: behind, being worked on, ahead, or never to come."""

    DONE = "done"
    NOW = "now"
    NEXT = "next"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for clarification as the team's way shows it."""

    asked_at: datetime
    due_at: datetime
    answered_at: datetime | None = None
    withdrawn_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether an answer is still waited for."""
        return self.answered_at is None and self.withdrawn_at is None


@dataclass(frozen=True, slots=True)
class Checked:
    """What the team was told of the eligibility check, and when."""

    told_at: datetime | None = None
    verdict: Verdict | None = None
    asked: tuple[Asked, ...] = ()

    def waiting(self, at: datetime) -> Asked | None:
        """The request that waits for an answer, still in time, and is due first."""
        return min(
            (each for each in self.asked if each.is_open and clock.in_time(at, each.due_at)),
            key=lambda each: each.due_at,
            default=None,
        )


@dataclass(frozen=True, slots=True)
class Complained:
    """What became of the newest complaint of a team about a result; ``said`` holds the place of its ``day``."""

    said: str
    at: datetime
    # Until when it is decided, while it is not.
    decide_at: datetime | None = None
    # The evaluation is repeated after it, and no outcome of that is settled.
    repeats: bool = False
    # It is about the result the application has now, so that no other is begun.
    stands: bool = True
    # It was begun and not sent.
    unsent: bool = False

    def words(self, zone: str) -> str:
        """In one or two sentences.

        >>> from datetime import UTC
        >>> Complained("was rejected on {day}", datetime(2023, 3, 4, 9, tzinfo=UTC)).words("Europe/Brussels")
        'Your complaint was rejected on 4 March 2023.'
        """
        until = f" It is decided by {_day(self.decide_at, zone)}." if self.decide_at else ""
        return f"Your complaint {self.said.format(day=_day(self.at, zone))}.{until}"


@dataclass(frozen=True, slots=True)
class Later:
    """What later stages did with the application, as far as its team was told."""

    decided_at: datetime | None = None
    grant_reference: str | None = None
    prepared_at: datetime | None = None
    # The text lies with the city, to be signed.
    to_sign: bool = False
    signed_at: datetime | None = None
    starts_on: date | None = None
    payment_due_on: date | None = None
    paid_on: date | None = None
    complained: Complained | None = None
    # Until when its team may begin a complaint about the result it has now; None where it may not.
    complains_until: datetime | None = None
    # When its newest letter of decision left.
    letter_sent_at: datetime | None = None

    def shows_result(self, view: ApplicationView, at: datetime) -> bool:
        """Whether its team has a result to read: with the letter, with the publication, or as it was published elsewhere."""
        told = view.origin is Origin.PUBLISHED_OUTCOME or self.letter_sent_at or view.call.results_are_public(at)
        return self.decided_at is not None and bool(told)

    @property
    def repeats(self) -> bool:
        """Whether the evaluation is repeated after a complaint, so that the first result stands for the time being."""
        return self.complained is not None and self.complained.repeats


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: ``when`` is the real moment of what is done, the planned one of what is not; empty where unknown."""

    key: str
    title: str
    state: StageState
    when: str = ""
    text: str = ""


# What the way to complain is called wherever there is one, also in letters on paper.
COMPLAIN = "Complain about the result"


@dataclass(frozen=True, slots=True)
class Timeline:
    """All stages in order; what is going on in one sentence; and what the team must do, with where it is done."""

    stages: tuple[Stage, ...]
    now: str
    task: str = ""
    button: str = ""
    endpoint: str = ""
    values: tuple[tuple[str, str], ...] = ()
    due_at: datetime | None = None
    # Of a concept that was invited: the call that follows, and the full proposal once it is begun.
    second: SecondStage | None = None
    # What became of a complaint, and until when one may be begun, for the team alone.
    complained: Complained | None = None
    complains_until: datetime | None = None
    # Whether there is a result to read, for the team alone.
    has_result: bool = False
    # Whether it was sent a letter of decision, which says all there is until the results are public; for the team alone.
    has_letter: bool = False
    letter_first: bool = False

    @property
    def complain_words(self) -> str:
        """What the way to a complaint is called."""
        return COMPLAIN

    @property
    def current(self) -> Stage | None:
        """The stage that is being worked on."""
        return next((stage for stage in self.stages if stage.state is StageState.NOW), None)

    @property
    def coming(self) -> Stage | None:
        """The stage after it."""
        return next((stage for stage in self.stages if stage.state is StageState.NEXT), None)


def timeline(
    view: ApplicationView,
    checked: Checked,
    later: Later,
    at: datetime,
    second: SecondStage | None = None,
    others_invited_at: datetime | None = None,
) -> Timeline:
    """Every stage of the call with its dates for one application at a moment; an invited concept goes on in ``second``.

    ``others_invited_at`` is when other concepts of its call were last invited to a second stage, if any were.

    What waits for the applicant is the first of: writing before the deadline, an answer that was asked for, the full
    proposal of an invited concept, a signature.
    """
    if view.origin is Origin.PUBLISHED_OUTCOME:
        stages = [_recorded(view), *_deciding(view, later, at)]
    else:
        stages = [_sending(view, at), _checking(view, checked), *_clarifying(view.call, checked, at)]
        stages += [_evaluating(view, later), *_deciding(view, later, at)]
    if second is not None and view.state in INVITABLE:
        stages = [*(stage for stage in stages if not _is_ahead(stage)), *_following(second, at)]
        shown = Timeline(tuple(stages), _goes_on(second, at), second=second)
        return _with_start(shown, view, second, at)
    if others_invited_at is not None and view.state in INVITABLE:
        day = _day(others_invited_at, view.call.zone)
        passed = Stage("invited", "Invitations to the second stage", StageState.DONE, day, NOT_AMONG_THEM)
        stages = [*(stage for stage in stages if not _is_ahead(stage)), passed]
        return Timeline(tuple(stages), not_among_them(day))
    # From the reserve list a grant is prepared only if money becomes free: then it is selected. So it is once settled.
    if view.call.content.pays and view.state is not S.RESERVE and not later.repeats:
        stages += _granting(view, later)
    ended = _ended(view, at)
    if ended:
        stages = [replace(s, state=StageState.NEVER, when="") if _is_ahead(s) else s for s in stages]
    shown = Timeline(
        _one_next(stages, selected=view.state in _AFTER_SELECTION), ended or _now(view, checked, later, at),
        complained=later.complained, complains_until=later.complains_until,
    )  # fmt: skip
    return _with_task(shown, view, checked, later, at)


NOT_AMONG_THEM = "This concept was not among them so far."


def not_among_them(day: str) -> str:
    """Where a concept stands that nobody turned away and nobody invited, while others of its call were invited."""
    return f"Applicants were invited to the second stage on {day}. {NOT_AMONG_THEM}"


def _following(second: SecondStage, at: datetime) -> list[Stage]:
    """What follows an invitation: the full proposal takes the place of what would still be ahead of the concept."""
    times = second.times
    invited = Stage(
        "invited", "Invited to the second stage", StageState.DONE, _day(second.invited_at, times.zone),
        f"To the call \u201c{second.title}\u201d.",
    )  # fmt: skip
    until = said(times.closes_at, times.zone) if times.closes_at else ""
    full = Stage(
        "full_proposal", "Full proposal", StageState.NEXT, _day(times.closes_at, times.zone),
        f"Until {until}." if until else "",
    )  # fmt: skip
    if second.is_started:
        full = replace(full, title="Full proposal begun", state=StageState.DONE, when="", text="It goes its own way.")
    elif second.is_over(at):
        full = replace(full, state=StageState.NEVER, when="")
    elif second.waits(at):
        full = replace(full, state=StageState.NOW)
    return [invited, full]


def _goes_on(second: SecondStage, at: datetime) -> str:
    """Where an invited concept stands, in one sentence."""
    times, lead = second.times, f"{second.lead}, who leads it," if second.lead else "Who leads it"
    if second.is_started:
        return "It was invited to the second stage, and its full proposal is begun: what is still to do stands there."
    if second.is_cancelled:
        return "It was invited to the second stage, whose call was cancelled since. No full proposal can be started."
    if second.is_over(at):
        return "It was invited to the second stage. No full proposal was sent before the deadline."
    if second.waits(at):
        until = f" until {said(times.closes_at, times.zone)}" if times.closes_at else ""
        return f"It is invited to the second stage. {lead} can send a full proposal{until}."
    opens = f" from {said(times.opens_at, times.zone)}" if times.opens_at else ""
    return f"It is invited to the second stage. {lead} can start the full proposal{opens}."


def _with_start(shown: Timeline, view: ApplicationView, second: SecondStage, at: datetime) -> Timeline:
    if not (second.leads and second.waits(at)):
        return shown
    values = (("slug", second.slug), ("ref", view.reference))
    return replace(shown, task="Start the full proposal.", button="Start the full proposal",
                   endpoint="applications.full_proposal", values=values, due_at=second.times.closes_at)  # fmt: skip


def _is_ahead(stage: Stage) -> bool:
    return stage.state in (StageState.NOW, StageState.NEXT)


def _one_next(stages: list[Stage], *, selected: bool) -> tuple[Stage, ...]:
    """Where nothing is being worked on, the first stage ahead is: of what is selected never the publication, which it goes on beside."""
    if any(stage.state is StageState.NOW for stage in stages):
        return tuple(stages)
    ahead = [place for place, stage in enumerate(stages) if stage.state is StageState.NEXT]
    others = [place for place in ahead if stages[place].key != "results"] if selected else []
    for place in (others or ahead)[:1]:
        stages[place] = replace(stages[place], state=StageState.NOW)
    return tuple(stages)


def _day(moment: datetime | date | None, zone: str) -> str:
    if moment is None:
        return ""
    return clock.long_date(clock.in_zone(moment, zone).date() if isinstance(moment, datetime) else moment)


def planned(call: CallView, key: str) -> str:
    """A date of the call as it was printed; empty where the call names none."""
    fact = call.fact(key)
    return "" if fact.absent else fact.text


def _sending(view: ApplicationView, at: datetime) -> Stage:
    call, sent = view.call, view.submission
    until = closes_said(call)
    if sent is None:
        state = StageState.NOW if view.editable(at) else StageState.NEXT
        return Stage(
            "sent", "Write and send", state, _day(call.closes_at, call.zone), f"Until {until}." if until else ""
        )
    text = f"Version {sent.number} was received {said(sent.submitted_at, call.zone)}."
    if view.state is S.SUBMITTED and call.is_open(at):
        return Stage("sent", "Sent", StageState.NOW, _day(sent.submitted_at, call.zone), f"{text} You can send a newer one until {until}.")  # fmt: skip
    return Stage("sent", "Sent", StageState.DONE, _day(sent.submitted_at, call.zone), text)


def _recorded(view: ApplicationView) -> Stage:
    """What went before an outcome that was published elsewhere: none of it happened here."""
    text = (
        "It was sent and judged outside this service; what is here was recorded from the published outcome of the call."
    )
    return Stage("sent", "Recorded from a published outcome", StageState.DONE, "", text)


def _checking(view: ApplicationView, checked: Checked) -> Stage:
    title, call = "Admissibility and eligibility", view.call
    if checked.told_at is None or checked.verdict is None:
        return Stage(
            "eligibility", title, StageState.NEXT, "", "The programme checks it after the deadline and writes to you."
        )
    text = "It is eligible." if checked.verdict is Verdict.PASS else "It is not eligible and goes no further."
    return Stage("eligibility", title, StageState.DONE, _day(checked.told_at, call.zone), text)


def _clarifying(call: CallView, checked: Checked, at: datetime) -> list[Stage]:
    found = []
    for number, each in enumerate(checked.asked, 1):
        title = "Clarification" if len(checked.asked) == 1 else f"Clarification {number}"
        asked = f"Asked on {_day(each.asked_at, call.zone)}."
        if each.answered_at is not None:
            stage = Stage("clarification", title, StageState.DONE, _day(each.answered_at, call.zone), f"{asked} Answered.")  # fmt: skip
        elif each.withdrawn_at is not None:
            stage = Stage("clarification", title, StageState.DONE, _day(each.withdrawn_at, call.zone), f"{asked} The programme needs no answer any more.")  # fmt: skip
        elif checked.told_at is not None or not clock.in_time(at, each.due_at):
            stage = Stage("clarification", title, StageState.DONE, _day(each.due_at, call.zone), f"{asked} Not answered in time.")  # fmt: skip
        else:
            stage = Stage("clarification", title, StageState.NOW, _day(each.due_at, call.zone), f"{asked} Answer until {said(each.due_at, call.zone)}.")  # fmt: skip
        found.append(stage)
    return found


def _evaluating(view: ApplicationView, later: Later) -> Stage:
    title, text = "Evaluation", "Independent evaluators read and assess it."
    if later.repeats:
        return Stage("evaluation", "Evaluation, repeated", StageState.NEXT, "", "New evaluators read and assess it.")
    if view.state in _AFTER_SELECTION | _DECIDED_WITHOUT | {S.RESERVE}:
        return Stage("evaluation", title, StageState.DONE, "", "Independent evaluators read and assessed it.")
    return Stage("evaluation", title, StageState.NEXT, "", text)


_OUTCOMES = {
    S.RESERVE: "It is on the reserve list.",
    S.BELOW_THRESHOLD: "It is not funded.",
    S.NOT_FUNDED: "It is not funded.",
}


def _deciding(view: ApplicationView, later: Later, at: datetime) -> list[Stage]:
    call, expected = view.call, planned(view.call, "dates.results_planned")
    elsewhere = view.origin is Origin.PUBLISHED_OUTCOME
    decision = Stage("decision", "Panel and selection decision", StageState.NEXT, expected)
    if later.decided_at is not None:
        text = _OUTCOMES.get(view.state, "It is selected." if view.state in _AFTER_SELECTION else "")
        text = (
            "The first result stands until the outcome of the repeated evaluation is settled."
            if later.repeats
            else text
        )
        if not later.shows_result(view, at):
            text = f"{text} The result can be read here with the letter of decision, which follows.".strip()
        # Of an outcome published elsewhere only the day is known on which it was recorded here.
        day = "" if elsewhere else _day(later.decided_at, call.zone)
        decision = Stage("decision", decision.title, StageState.DONE, day, text)
    said = "" if elsewhere else "With the scores and the words of the evaluation."
    results = Stage("results", "Results of the call", StageState.NEXT, expected, said)
    if call.results_public_at is not None:
        state = StageState.DONE if call.results_are_public(at) else StageState.NEXT
        results = replace(results, state=state, when=_day(call.results_public_at, call.zone))
    return [decision, results]


def _granting(view: ApplicationView, later: Later) -> list[Stage]:
    zone = view.call.zone
    preparing = Stage("preparation", "Preparation of the grant", StageState.NEXT, "", "Checks, people who sign, the bank account.")  # fmt: skip
    if later.prepared_at is not None:
        done = later.to_sign or later.signed_at is not None
        preparing = replace(
            preparing, state=StageState.DONE if done else StageState.NOW, when=_day(later.prepared_at, zone)
        )
    signing = Stage("agreement", "Grant agreement signed", StageState.NEXT, planned(view.call, "dates.pilots_start"))
    if later.signed_at is not None:
        starts = f"The pilot starts on {_day(later.starts_on, zone)}." if later.starts_on else ""
        signing = replace(signing, state=StageState.DONE, when=_day(later.signed_at, zone), text=starts)
    elif later.to_sign:
        signing = replace(signing, state=StageState.NOW, text="The text lies with your signatory.")
    paying = Stage("payment", "First payment", StageState.NEXT, _day(later.payment_due_on, zone))
    if later.paid_on is not None:
        paying = replace(paying, state=StageState.DONE, when=_day(later.paid_on, zone))
    return [preparing, signing, paying]


def _ended(view: ApplicationView, at: datetime) -> str:
    """Why the way goes no further; empty while it does."""
    match view.state:
        case S.DRAFT if view.call.closes_at is not None and not clock.in_time(at, view.call.closes_at):
            return "It was not sent before the deadline."
        case S.WITHDRAWN if view.origin is Origin.PUBLISHED_OUTCOME:
            return "It was withdrawn."
        case S.WITHDRAWN:
            when = f" on {_day(view.withdrawn_at, view.call.zone)}" if view.withdrawn_at else ""
            return f"You withdrew it{when}."
        case S.INELIGIBLE:
            return "It is not eligible, so it is not assessed."
        case S.BELOW_THRESHOLD | S.NOT_FUNDED:
            return "It is not funded in this call."
        case S.DECLINED:
            return "The grant was declined."
        case S.DROPPED:
            return "The preparation of the grant was dropped."
        case _:
            return ""


def _now(view: ApplicationView, checked: Checked, later: Later, at: datetime) -> str:
    match view.state:
        case S.DRAFT:
            return "You write it."
        case S.SUBMITTED if view.call.is_open(at):
            return "It is sent. The programme opens it after the deadline."
        case S.SUBMITTED if checked.waiting(at) is not None:
            return "The programme asked you for a clarification and waits for your answer."
        case S.SUBMITTED:
            return "The programme checks whether it is complete and eligible."
        case S.UNDER_EVALUATION if later.repeats:
            return "New evaluators repeat the evaluation after your complaint. You read its outcome here."
        case S.ELIGIBLE | S.UNDER_EVALUATION:
            return "It is with the evaluators and the panel."
        case S.RESERVE:
            return "It is on the reserve list. The programme writes to you if money becomes free."
        case _ if later.paid_on is not None:
            return "The grant runs."
        case _ if later.signed_at is not None:
            return "The agreement is signed. The first payment comes next."
        case _ if later.to_sign:
            return "The agreement waits for signatures."
        case _:
            return "It is selected. The programme prepares the grant with you."


def _with_task(shown: Timeline, view: ApplicationView, checked: Checked, later: Later, at: datetime) -> Timeline:
    ref, waiting = (("ref", view.reference),), checked.waiting(at)
    if view.editable(at) and view.submission is None:
        return replace(shown, task="Finish it and send it.", button="Check the application",
                       endpoint="applications.check", values=ref, due_at=view.call.closes_at)  # fmt: skip
    if waiting is not None and view.state is S.SUBMITTED:
        return replace(shown, task="Answer the programme’s questions. What you sent stays as it is.",
                       button="Answer", endpoint="applications.clarifications", values=ref, due_at=waiting.due_at)  # fmt: skip
    if later.grant_reference and later.to_sign:
        return replace(shown, task="Read the agreement and have it signed.", button="Open the grant",
                       endpoint="agreements.show", values=(("ref", later.grant_reference),))  # fmt: skip
    if later.grant_reference and later.prepared_at and later.signed_at is None and view.state is S.IN_PREPARATION:
        return replace(shown, task="Enter the bank account and answer what the programme asks.",
                       button="Open the grant", endpoint="agreements.show", values=(("ref", later.grant_reference),))  # fmt: skip
    return shown
