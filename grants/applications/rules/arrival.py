"""When an application arrives in time, and what its states are called."""

from __future__ import annotations

from datetime import datetime

from grants.applications.rules.values import WRITABLE
from grants.applications.states import ApplicationState
from grants.calls.rules import CallTimes, CallView
from grants.calls.rules.saying import said, zone_said
from grants.core import clock, faults
from grants.core.errors import Refused
from grants.core.zones import zone_of

RULE_OF_ARRIVAL = (
    "What counts is the moment your request reaches our server, by the server’s clock. "
    "At the exact time of the deadline it is too late."
)


def refuse_late(call: CallView | CallTimes, at: datetime) -> None:
    """Half-open: a submission at exactly ``closes_at`` is late; raises :class:`Refused` with both times."""
    faults.point("deadline")
    if call.is_open(at):
        return
    if call.opens_at is not None and at < call.opens_at:
        raise Refused(f"This call opens on {said(call.opens_at, call.zone)}. You can start an application then.")
    if call.closes_at is not None and not clock.in_time(at, call.closes_at):
        raise Refused(
            f"The deadline was {said(call.closes_at, call.zone)}. Your request reached the server at {exactly(at, call.zone)}. "
            "Nothing can be changed or sent any more; the last submitted version stands."
        )
    raise Refused("This call takes no applications now. Look at the call’s page to see why.")


def exactly(moment: datetime, zone: str) -> str:
    """What ``said`` says with seconds and thousandths, where a deadline is near; never rounded up into another second."""
    local = clock.in_zone(moment, zone)
    return f"{local:%H:%M:%S}.{local.microsecond // 1000:03d} on {clock.long_date(local.date())} ({zone_said(moment, zone)})"


def received_lines(moment: datetime, call_zone: str, country_code: str) -> tuple[tuple[str, str], ...]:
    """When something was received, to the thousandth: in the zone of the call, in Brussels, and where the lead lives.

    Each zone once, so that a receipt of a Belgian city has one line.
    """
    labels = {call_zone: "Received"}
    labels.setdefault(clock.BRUSSELS, "Received, Brussels time")
    labels.setdefault(zone_of(country_code), "Received, local time of the lead")
    return tuple((label, exactly(moment, zone)) for zone, label in labels.items())


def refuse_unwritable(state: ApplicationState) -> None:
    """Only a draft, or what was submitted while the call is open, can be written in."""
    if state not in WRITABLE:
        raise Refused(f"This application is {words(state)}; it cannot be changed any more.")


def words(state: ApplicationState) -> str:
    """A state in plain words."""
    return state.value.replace("_", " ")


_COLOURS = {
    ApplicationState.DRAFT: "grey",
    ApplicationState.WITHDRAWN: "grey",
    ApplicationState.SUBMITTED: "blue",
    ApplicationState.ELIGIBLE: "blue",
    ApplicationState.UNDER_EVALUATION: "blue",
    ApplicationState.SELECTED: "green",
    ApplicationState.IN_PREPARATION: "green",
    ApplicationState.AWARDED: "green",
    ApplicationState.RESERVE: "yellow",
}


def colour(state: ApplicationState) -> str:
    """The tag colour of a state; the word says the same."""
    return _COLOURS.get(state, "red")
