"""Steps of the walk on the part of one partner: its end is proposed, heard, confirmed and carried out, and it may come back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from grants.agreements import services as agreeing
from grants.agreements.rules import TerminationInput
from grants.agreements.states import TerminationReason
from grants.core.permissions import Permission, system_actor
from tests.agreements.accounts import document
from tests.soak.steps import Steps

ENDING = system_actor("the program", [Permission.TERMINATION_CARRY_OUT])


class PartSteps(Steps):
    """The agency's part in the grant of the city."""

    part, part_by_city = 0, False
    part_wanted_on = part_ends_on = date.min

    @rule(by_city=st.booleans())
    def propose_end_of_part(self, by_city: bool) -> None:
        today = self.now.date()
        until, wanted = today + timedelta(days=31), today + timedelta(days=40)
        given = TerminationInput(
            TerminationReason.NOT_CARRIED_OUT, "It hired nobody.", wanted, until, self.grant.agency_id
        )
        person, paper = (self.signatory if by_city else self.officer), document()
        model = self.model
        running = (
            not (model.closed or model.over or model.ending or "part" in model.waiting)
            and self.part_ends_on == date.min
        )
        # A partner that left, by an amendment, has its end already.
        allowed: bool | None = running and wanted < date(2025, 6, 1)
        if allowed and model.moved:
            allowed = None
        found = self.tried(
            allowed,
            lambda: agreeing.propose_termination(person, self.grant.grant_id, given, paper),
            "propose_end_of_part",
        )
        if found:
            self.part, self.part_by_city, self.part_wanted_on = found, by_city, wanted
            model.waiting.add("part")

    @precondition(lambda self: self.part)
    @rule(step=st.sampled_from(("object", "object as coordinator", "withdraw", "confirm", "confirm")))
    def step_of_part(self, step: str) -> None:
        """It is heard about its part whoever proposed the end, and a second person of the programme confirms it."""
        grant_id, number, words = self.grant.grant_id, self.part, "Two people were hired."
        own, day = (self.signatory if self.part_by_city else self.officer), max(self.part_wanted_on, self.now.date())
        deeds: dict[str, Callable[[], Any]] = {
            "object": lambda: agreeing.object_to_termination(self.partner, grant_id, number, words=words) or "objected",
            "object as coordinator": lambda: (
                agreeing.object_to_termination(self.lead, grant_id, number, words=words) or "objected"
            ),
            "withdraw": lambda: agreeing.withdraw_termination(own, grant_id, number, words=words) or "withdrawn",
            "confirm": lambda: (
                agreeing.confirm_termination(self.authoriser, grant_id, number, effective_on=day, answer=words)
                or "confirmed"
            ),
        }
        waits = "part" in self.model.waiting
        # The coordinator does not object to what its own side proposed.
        wrong = step == "object as coordinator" and self.part_by_city
        if self.tried(None if waits and not wrong else False, deeds[step], f"{step} part") is None:
            return
        if step in ("withdraw", "confirm"):
            self.model.waiting.discard("part")
        if step == "confirm":
            # Nothing of that part is pre-financed any more, so what a decision means is read off the books.
            self.part_ends_on, self.part_gone, self.model.moved = day, True, True

    @precondition(lambda self: self.part_ends_on != date.min)
    @rule()
    def end_the_part(self) -> None:
        """The program ends it on its day, and not before; a second time nothing happens."""
        grant_id, agency_id = self.grant.grant_id, self.grant.agency_id
        self.follows(lambda: agreeing.plan_terminations(ENDING))
        ended = self.follows(lambda: agreeing.end_part(ENDING, grant_id, agency_id))
        if self.now.date() < self.part_ends_on:
            assert not ended, "ended before its day"
        assert not self.follows(lambda: agreeing.end_part(ENDING, grant_id, agency_id)), "ended twice"
        if ended:
            self.part, self.part_ends_on = 0, date.min
        self.follows(lambda: agreeing.let_partner_go(ENDING, grant_id, agency_id))
