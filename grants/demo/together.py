"""A grant of four invented cities: money that the coordinator passes on, and certificates that the balance waits for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from grants.core.money import Money, euros
from grants.demo.stage import Stage, Story, merged, pay

# Who speaks for which partner; what is held for the last one is overdue.
PARTNERS: Mapping[str, str] = {"zoltowice": "marek", "portosereno": "paolo", "neochora": "eleni"}
LEAD, MAYOR = "irina", "mayor"


def of_four(stage: Stage, reference: str) -> Story:
    """Its pre-financing, then its report and the certificates."""
    yield from pay(stage, [reference], stage.days_ago(434))
    yield from merged(_passed_on(stage, reference), _certified(stage, reference))


def _passed_on(stage: Stage, reference: str) -> Story:
    """One partner has its money, one says that it has not, and what is held for the third is overdue."""
    troupe = stage.troupe
    held = troupe.held_for(reference)
    first, second, third = (troupe.places[place] for place in PARTNERS)
    yield stage.days_ago(415)
    number = troupe.pass_on(reference, LEAD, first, held[first], "DEMO-T-1")
    yield stage.days_ago(412)
    troupe.confirm_passed_on(number, "marek")
    yield stage.days_ago(410)
    number = troupe.pass_on(reference, LEAD, second, held[second], "DEMO-T-2")
    yield stage.days_ago(405)
    troupe.refuse_passed_on(number, "paolo", "No such transfer came to our account. (Synthetic.)")
    yield stage.days_ago(31)
    troupe.withdraw_passed_on(troupe.pass_on(reference, LEAD, third, euros(100), "DEMO-T-3"), LEAD)
    yield stage.days_ago(4)
    troupe.pass_on(reference, LEAD, second, Money(held[second].cents // 2), "DEMO-T-4")


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
