"""A grant of four invented cities: money that the coordinator passes on, and certificates that the balance waits for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from grants.agreements.states import TerminationReason
from grants.core.money import Money, euros
from grants.demo import crowd
from grants.demo.stage import Stage, Story, merged, pay

LEAD, MAYOR = "irina", "mayor"
# The partners stand here in the list of municipalities; what is held for the last one is overdue.
FIRST_PLACE = 98


def partners(stage: Stage) -> dict[str, str]:
    """Who speaks for which partner: people whom nobody signs in as."""
    places = crowd.municipalities()[FIRST_PLACE : FIRST_PLACE + 3]
    return {each.key: stage.troupe.writer(each.name, each.country, each.contact, "Climate officer") for each in places}


def of_four(stage: Stage, reference: str, speakers: Mapping[str, str]) -> Story:
    """Its pre-financing, then its report and the certificates."""
    yield from pay(stage, [reference], stage.days_ago(434))
    yield from merged(
        _passed_on(stage, reference, speakers), _part_ended(stage, reference, speakers), _certified(stage, reference)
    )


def _passed_on(stage: Stage, reference: str, speakers: Mapping[str, str]) -> Story:
    """One partner has its money, one says that it has not, and what is held for the third is overdue."""
    troupe = stage.troupe
    held = troupe.held_for(reference)
    first, second, third = (troupe.places[place] for place in speakers)
    who, other, _ = speakers.values()
    yield stage.days_ago(415)
    number = troupe.pass_on(reference, LEAD, first, held[first], "DEMO-T-1")
    yield stage.days_ago(412)
    troupe.confirm_passed_on(number, who)
    yield stage.days_ago(410)
    number = troupe.pass_on(reference, LEAD, second, held[second], "DEMO-T-2")
    yield stage.days_ago(405)
    troupe.refuse_passed_on(number, other, "No such transfer came to our account. (Synthetic.)")
    yield stage.days_ago(31)
    troupe.withdraw_passed_on(troupe.pass_on(reference, LEAD, third, euros(100), "DEMO-T-3"), LEAD)
    yield stage.days_ago(4)
    troupe.pass_on(reference, LEAD, second, Money(held[second].cents // 2), "DEMO-T-4")


def _part_ended(stage: Stage, reference: str, speakers: Mapping[str, str]) -> Story:
    """The part of the third partner ended before its time; what it spent until its last day counts."""
    troupe = stage.troupe
    *_, third = speakers
    yield stage.days_ago(350)
    words = "It has had nobody for the pilot since the winter, and answered no letter. (Synthetic.)"
    number = troupe.propose_termination(
        reference, "officer", TerminationReason.NOT_CARRIED_OUT, words, days=50, partner=troupe.places[third]
    )
    yield stage.days_ago(300)
    troupe.confirm_termination(reference, number, "Nobody spoke against it; three cities go on. (Synthetic.)")


def _certified(stage: Stage, reference: str) -> Story:
    """One certificate is accepted, one brought, one still wanted, and one partner’s costs count without."""
    troupe = stage.troupe
    yield stage.days_ago(196) + timedelta(hours=1)
    troupe.report(reference, 1, LEAD, 80)
    yield stage.days_ago(60) + timedelta(hours=1)
    troupe.accept_report(reference, 1)
    yield stage.days_ago(40)
    own, first, *_ = troupe.certificates(reference)
    troupe.bring_certificate(own, LEAD)
    yield stage.days_ago(33)
    troupe.accept_certificate(own)
    yield stage.days_ago(12)
    troupe.bring_certificate(first, LEAD)
    yield stage.days_ago(10)
    *_, last = troupe.certificates(reference)
    troupe.do_without_certificate(last, "The auditor of the city resigned; no other one is found. (Synthetic.)")
