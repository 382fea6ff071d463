"""What people of the demo do from the assignment of evaluators to the public results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from uuid import UUID

from grants.applications import queries as application_reads
from grants.awards import queries as award_reads
from grants.awards import services as awards
from grants.awards.rules import DecisionInput, Override, Plan, ScenarioInput
from grants.awards.rules.panel import MeetingInput
from grants.awards.states import Turn, Vote
from grants.calls.rules import CallView, ResultsInput
from grants.core import clock
from grants.core.paging import Page
from grants.demo.applying import Applicants
from grants.demo.cast import COUNTRY_OF_EVALUATORS, EVALUATORS
from grants.demo.reasons import CONSENSUS
from grants.demo.texts import INVENTED, halves, halves_about, on_scale, sheet
from grants.evaluation import queries as evaluation_reads
from grants.evaluation import services as evaluation
from grants.evaluation.rules import (
    REMINDED_MAX,
    Answered,
    AnsweredEntity,
    DetectedSearch,
    Employer,
    EvaluatorInput,
    RemindInput,
    RunInput,
    ShiftInput,
)
from grants.evaluation.states import Declared, Gender, Ruling

# Who must declare although they have no seat.
PANEL = ("chair", "member")
ADVISED = "I advised this city three years ago."


class Judges(Applicants):
    """Evaluation and selection."""

    def assign(
        self,
        call: CallView,
        sent: Sequence[UUID],
        due: datetime,
        *,
        pool: Mapping[str, str] | None = None,
        load: int | None = None,
        said: Mapping[tuple[str, int], Declared] | None = None,
        profiles: Mapping[str, tuple[Gender, int | None]] | None = None,
    ) -> None:
        """Pool, declarations of everybody, the exact assignment.

        ``pool`` gives evaluators with their countries, ``load`` what each may get at most; ``said`` is what some
        declare about the application of that place, the others have no conflict. ``profiles`` are what some say of
        themselves: their gender, and how many applications they aim at.
        """
        members = pool or dict.fromkeys(EVALUATORS, COUNTRY_OF_EVALUATORS)
        self.fill_pool(call, members, load or len(sent))
        for key, (gender, target) in (profiles or {}).items():
            self.tell_of_oneself(call, key, members[key], gender, target)
        for key in (*members, *PANEL):
            self.declare(call, key, sent, said or {})
        self.run_assignment(call, due)

    def fill_pool(
        self,
        call: CallView,
        members: Mapping[str, str],
        load: int,
        knows: Mapping[str, tuple[str, ...]] | None = None,
        roles: Mapping[str, str] | None = None,
        worked_for: Mapping[str, str] | None = None,
    ) -> None:
        """The manager takes these evaluators, with their countries, what they know and their roles, into a pool.

        ``worked_for`` names an organisation some of them left last year.

        Where roles are given, levels are too: the first topic of each is known best, and every third reads English only.
        """
        for place, (key, country) in enumerate(members.items()):
            topics = (knows or {}).get(key, ())
            values = EvaluatorInput(self.ids[key], country, ("en",), topics, 0, load)
            if roles is not None:
                levels = tuple((topic, 3 if not at else 1 + place % 2) for at, topic in enumerate(topics))
                english = ("native", "fluent", "reading")[place % 3]
                given = (roles[key],) if key in roles else ()
                values = replace(values, topic_levels=levels, language_levels=(("en", english),), roles=given)
            if worked_for and key in worked_for:
                left = clock.now().date() - timedelta(days=300)
                values = replace(values, employers=(Employer(worked_for[key], None, left),))
            evaluation.pool(self.actor("manager"), call.id, values)

    def tell_of_oneself(self, call: CallView, key: str, country: str, gender: Gender, target: int | None) -> None:
        """An evaluator says on their own page what nobody else says for them; the loads stay what the manager set."""
        values = EvaluatorInput(self.ids[key], country, ("en",), (), 0, 1, load_target=target, gender=gender)
        evaluation.edit_profile(self.actor(key), call.id, values)

    def declare(self, call: CallView, key: str, sent: Sequence[UUID], said: Mapping[tuple[str, int], Declared]) -> None:
        """One person declares about every application of a list, and “none” about whoever takes part where it has no conflict."""
        answers = tuple(
            Answered(each, said.get((key, place), Declared.NONE), ADVISED if (key, place) in said else "")
            for place, each in enumerate(sent)
        )
        rows = evaluation_reads.entity_rows(self.ids[key], sent)
        free = {each.application_id for each in answers if each.declared is not Declared.CONFLICT}
        none = tuple(
            AnsweredEntity(row.organisation_id, Declared.NONE)
            for row in rows
            if row.is_open and row.application_ids & free
        )
        evaluation.declare(self.actor(key), call.id, answers, none)
        self.changed(key)

    def wish(self, call: CallView, key: str, wishes: Mapping[UUID, int]) -> None:
        """An evaluator who has declared says how gladly they would assess some of the applications."""
        answers = tuple(Answered(each, Declared.NONE, wish=wish) for each, wish in wishes.items())
        evaluation.declare(self.actor(key), call.id, answers, ())

    def run_assignment(self, call: CallView, due: datetime) -> None:
        """The manager lets the exact assignment give out the seats."""
        # As the form has it: due until the end of the day.
        evaluation.run(self.actor("manager"), call.id, RunInput("demo", clock.end_of_day(clock.in_zone(due).date())))
        self.all_changed()

    def assess(self, call: CallView, sent: Sequence[UUID], about: Sequence[Sequence[int]], *, first: int = 1) -> None:
        """Every score sheet of these applications, submitted; ``about`` is what will be agreed on each, ``first`` the place of the first."""
        for number, (application_id, agreed) in enumerate(zip(sent, about, strict=True), start=first):
            for user_id in evaluation_reads.seat_people(application_id):
                self.submit_sheet(call, application_id, user_id, number, agreed)

    def submit_sheet(
        self, call: CallView, application_id: UUID, user_id: UUID, number: int, about: Sequence[int] = ()
    ) -> None:
        """One evaluator submits a sheet, with scores near what will be agreed where that is known."""
        actor = self.actor_of(user_id)
        given = halves_about(about, actor.name, number) if about else halves(actor.name, number)
        evaluation.submit(
            actor, application_id, sheet(call, on_scale(given, call.content.scale), f"{actor.name} {number}")
        )

    def begin_sheet(self, call: CallView, application_id: UUID, user_id: UUID, number: int) -> None:
        """One evaluator saves a draft."""
        actor = self.actor_of(user_id)
        evaluation.save(actor, application_id, sheet(call, halves(actor.name, number), f"{actor.name} {number}"))

    def remind(self, call: CallView, about: Sequence[UUID], message: str) -> None:
        """The manager looks at the mails to whoever has not submitted on these applications, and sends them."""
        manager, named = self.actor("manager"), {application_reads.view_by_id(each).reference for each in about}
        listed = evaluation_reads.missing_page(manager, call.slug, page=Page(size=REMINDED_MAX))
        seats = tuple(row.seat_id for row in listed.rows.items if row.reference in named)
        values = RemindInput(seats, message)
        plan = evaluation_reads.reminder_plan(manager, call, values)
        evaluation.remind_of_assessments(manager, call.id, values, plan.sha256)

    def propose(self, call: CallView, application_id: UUID, consensus: Sequence[int]) -> None:
        """The chair proposes a consensus."""
        evaluation.propose(self.actor("chair"), application_id, sheet(call, consensus, CONSENSUS))

    def write_consensus(self, call: CallView, application_id: UUID, consensus: Sequence[int]) -> None:
        """The chair writes a draft of the consensus."""
        evaluation.write_consensus(self.actor("chair"), application_id, sheet(call, consensus, CONSENSUS))

    def take_words(self, call: CallView, application_id: UUID, consensus: Sequence[int]) -> None:
        """The chair writes the draft anew with a sentence of the first sheet, word for word, and a passage of the application."""
        content = application_reads.submitted_content(application_id)
        shown = evaluation_reads.consensus_page(self.actor("chair"), content.reference)
        drafted = sheet(call, consensus, CONSENSUS)
        first, *others = drafted.marks
        passage = next(each.text for each in content.dossier.answers if ". " in each.text).split(". ")[0]
        taken = shown.sheets[0].mark(first.criterion).comment
        marks = (replace(first, comment=f"{first.comment} They write \u201c{passage}\u201d.\n\n{taken}"), *others)
        evaluation.write_consensus(self.actor("chair"), application_id, replace(drafted, marks=marks))

    def dissent(self, application_id: UUID, user_id: UUID, words: str) -> None:
        """One evaluator does not agree, and says what they hold instead."""
        evaluation.dissent(self.actor_of(user_id), application_id, words)

    def agree(self, call: CallView, application_id: UUID, consensus: Sequence[int]) -> None:
        """The chair proposes the consensus, every assessor agrees."""
        self.propose(call, application_id, consensus)
        for user_id in evaluation_reads.seat_people(application_id):
            evaluation.agree(self.actor_of(user_id), application_id)

    # --- what the panel moves ---------------------------------------------------------------------------------------

    def propose_move(self, application_id: UUID, half: int, reason: str) -> UUID:
        """The chair proposes to move a score by so many half points; returns the move."""
        evaluation.propose_shift(self.actor("chair"), application_id, ShiftInput(half, reason))
        reference = application_reads.view_by_id(application_id).reference
        waiting = evaluation_reads.shift_page(self.actor("authoriser"), reference).waiting
        assert waiting is not None, "it was proposed"
        return waiting.id

    # --- a meeting of the panel -------------------------------------------------------------------------------------

    def plan_panel(self, call: CallView, title: str, starts_at: datetime) -> str:
        """The manager plans a meeting of the chair and the member, who is the deputy; its address."""
        values = MeetingInput(title, starts_at, 2, 10, self.ids["chair"], self.ids["member"], (), self.ids["manager"])
        return awards.panel.plan(self.actor("manager"), call.id, values)

    def open_panel(self, slug: str) -> None:
        """Everybody is there, and the chair opens the first item."""
        key = self._meeting(slug)
        for who in PANEL:
            awards.panel.arrive(self.actor(who), key)
        awards.panel.come_to_write(self.actor("manager"), key)
        awards.panel.begin(self.actor("chair"), key)
        awards.panel.turn(self.actor("chair"), key, Turn.NEXT)

    def cut_off(self, slug: str) -> None:
        """The line of the chair is gone, and the deputy leads."""
        awards.stand_in(self.actor("member"), self._meeting(slug))

    def back(self, slug: str) -> None:
        """The chair is there again."""
        awards.panel.arrive(self.actor("chair"), self._meeting(slug))

    def look_at_two(self, slug: str) -> None:
        """The first item is recommended with a condition, and the second opened."""
        key = self._meeting(slug)
        awards.panel.recommend(self.actor("chair"), key, "Name the owners of the buildings.", "The sheets miss them.")
        number = awards.panel.propose(self.actor("chair"), key, "Recommend it for funding")
        for who in PANEL:
            awards.panel.vote(self.actor(who), key, number, Vote.APPROVE)
        awards.panel.count(self.actor("chair"), key, number)
        awards.panel.turn(self.actor("chair"), key, Turn.NEXT)

    def end_panel(self, slug: str) -> None:
        """The meeting ends; its minutes are frozen, and signed by the chair and by who took them."""
        key = self._meeting(slug)
        awards.panel.end(self.actor("chair"), key)
        number = awards.minutes.freeze(self.actor("manager"), key)
        for who in ("chair", "manager"):
            awards.minutes.sign(self.actor(who), key, number)

    def propose_and_pause(self, slug: str) -> None:
        """The item that is open is being voted on when the meeting pauses."""
        key = self._meeting(slug)
        number = awards.panel.propose(self.actor("chair"), key, "Recommend it for the reserve list")
        awards.panel.vote(self.actor("member"), key, number, Vote.APPROVE)
        awards.panel.pause(self.actor("chair"), key)

    def _meeting(self, slug: str) -> UUID:
        return award_reads.panel.meeting_id_of(self.actor("manager"), slug)

    def decide_selection(
        self, call: CallView, *, reason: str = "The list as ranked; no jump.", overrides: tuple[Override, ...] = ()
    ) -> None:
        """The chair decides the list as ranked, but for what ``overrides`` say, each with its reason."""
        page = award_reads.ranking_page(self.actor("chair"), call.slug, overrides=overrides)
        awards.decide(self.actor("chair"), call.id, DecisionInput(page.list_hash, reason, overrides=overrides))

    def dismiss_first_found(self, call: CallView) -> None:
        """Of what was found and waits the first is dismissed; the others wait on."""
        manager = self.actor("manager")
        _, found, *_ = evaluation_reads.detected_rows(manager, call.slug, DetectedSearch(), Page())
        pair = found.items[0]
        evaluation.decide_detected(
            manager,
            pair.application_id,
            pair.user_id,
            Ruling.CLEARED,
            "Another organisation, with nearly the same name.",
        )

    def save_scenarios(self, call: CallView) -> None:
        """Two ways to select from the list, to be compared with it."""
        by_call = call.content.selection
        for name, plan in (
            ("Everybody gets 10 % less", Plan(by_call, cut_percent=Fraction(10))),
            ("At most one of each country", Plan(replace(by_call, country_max=1), reason="To reach more countries.")),
        ):
            awards.save_scenario(self.actor("chair"), call.id, ScenarioInput(name, plan))

    def return_selection(self, call: CallView, reason: str) -> None:
        """The second person gives the list back."""
        awards.return_list(self.actor("authoriser"), award_reads.selections(call.id)[0].id, reason)

    def confirm_selection(self, call: CallView) -> None:
        """A second person confirms it: money is reserved."""
        awards.confirm(self.actor("authoriser"), award_reads.selections(call.id)[0].id)

    def prepare_letters(self, call: CallView) -> None:
        """The manager looks at every letter of decision and prepares them."""
        page = award_reads.letters.letters_page(self.actor("manager"), call.slug)
        awards.letters.prepare(self.actor("manager"), call.id, page.shown_hash)

    def send_letters(self, call: CallView) -> None:
        """The second person has them sent, each by a job of its own."""
        page = award_reads.letters.letters_page(self.actor("authoriser"), call.slug)
        assert page.open_mailing is not None, "letters were prepared"
        awards.letters.confirm_mailing(self.actor("authoriser"), page.open_mailing.id)

    def publish_results(self, call: CallView) -> None:
        """Everybody may read which applications were selected, and what each is about."""
        for each in award_reads.descriptions(self.actor("manager"), call.slug).rows:
            if not each.from_source:
                words = f"“{each.title}” tries out in one quarter what the whole city needs. {INVENTED}"
                awards.describing.describe(self.actor("manager"), each.application_id, words, each.number)
                awards.describing.confirm(self.actor("authoriser"), each.application_id, each.number + 1)
        told = "" if not award_reads.letters.unsent(call.id) else "The programme told each lead by telephone."
        made = awards.propose_results(self.actor("manager"), call.id, ResultsInput(), None, told)
        awards.publish_results(self.actor("authoriser"), made)
        self.all_changed()

    def all_changed(self) -> None:
        """Say that many people were given something to do, or lost it."""
