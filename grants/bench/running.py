"""The runner: measures a product's operations over HTTP, checks every answer, and stops at the first wrong one."""

from __future__ import annotations

import random
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException

from grants.bench.browsing import Answer, Browser, Form, Wrong, form_to
from grants.bench.operations import CLIENTS, Mix, Operation, Product, Rush

MIXED_SECONDS = 10.0


@dataclass(frozen=True)
class Measured:
    """One operation at one size."""

    op: str
    n: int
    median_ms: float
    p95_ms: float
    sql: int | None
    sql_ms: float | None
    bytes: int
    times: int
    rows_per_second: float | None = None


@dataclass(frozen=True)
class Load:
    """Many clients at once for some seconds; a wrong answer would have ended the run."""

    n: int
    clients: int
    seconds: float
    requests: int
    rps: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Rushed:
    """A rush that is over: how long it took, and how long its people waited. A wrong answer would have ended the run."""

    name: str
    n: int
    people: int
    deeds: int
    seconds: float
    median_ms: float
    p95_ms: float
    longest_ms: float
    p95_ms_max: float


# In a rush, after how many deeds of a person the page is opened again: one person after the other, as people do who do not
# know of each other, and not all of them in the same moment.
OPENED_EVERY = 5


class Runner:
    """Measures one product at one address and one size."""

    def __init__(self, product: Product, n: int, host: str, port: int) -> None:
        self._product, self._n, self._host, self._port = product, n, host, port
        self._browsers: dict[str, Browser] = {}

    def measure(self, operation: Operation) -> Measured:
        """Warm up, measure, check every answer."""
        for number in range(operation.warm):
            self._once(operation, number)
        answers = [self._once(operation, operation.warm + number) for number in range(operation.times)]
        spent = sorted(answer.seconds * 1_000 for answer in answers)
        counted = [answer.statements for answer in answers]
        told = [count for count in counted if count is not None]
        # Once a minute it is noted that a session was seen: one statement more. What a deed finds may differ.
        if not operation.sends and told and max(told) - min(told) > 1:
            raise Wrong(f"{operation.name} took {min(told)} to {max(told)} statements: one work, one number.")
        median = statistics.median(spent)
        sql_ms = [answer.sql_ms for answer in answers if answer.sql_ms is not None]
        return Measured(
            operation.name, self._n, median, spent[min(len(spent) - 1, int(len(spent) * 0.95))], statistics.mode(counted),
            statistics.median(sql_ms) if sql_ms else None, int(statistics.median(len(each.body) for each in answers)),
            len(spent), operation.rows / median * 1_000 if operation.rows else None,
        )  # fmt: skip

    def _once(self, operation: Operation, number: int) -> Answer:
        return right(self._browser(_who(operation, number)), operation, number)

    def _browser(self, who: str) -> Browser:
        if who not in self._browsers:
            browser = Browser(self._host, self._port)
            self._product.sign_in(browser, who)
            self._browsers[who] = browser
        return self._browsers[who]

    def load(self, mixed: Sequence[Mix], *, clients: int = CLIENTS, seconds: float = MIXED_SECONDS) -> Load:
        """Every client does one thing after the other, chosen by its share; any wrong answer ends the run."""
        mine = [self._people(mixed, place) for place in range(clients)]
        spent: list[float] = []
        wrong: list[BaseException] = []
        began = time.perf_counter()

        def work(place: int) -> None:
            chance, number = random.Random(place), place
            try:
                while time.perf_counter() - began < seconds and not wrong:
                    mix = chance.choices(range(len(mixed)), [each.share for each in mixed])[0]
                    operation = chance.choice(mixed[mix].operations)
                    answer = right(mine[place][_who(operation, place)], operation, number, when=" under load")
                    spent.append(answer.seconds * 1_000)
                    number += clients
            # Whatever ends a client ends the run: a thread that died quietly would count as no error.
            except BaseException as error:
                wrong.append(error)

        threads = [threading.Thread(target=work, args=(place,)) for place in range(clients)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        if wrong:
            raise wrong[0]
        took = time.perf_counter() - began
        spent.sort()
        return Load(
            self._n,
            clients,
            took,
            len(spent),
            len(spent) / took,
            statistics.median(spent),
            spent[int(len(spent) * 0.99)],
        )

    def rush(self, rush: Rush) -> tuple[Rushed, ...]:
        """Everybody signs in and opens what they need first, outside the clock; then they all do it.

        What is opened again meanwhile is told of by itself, after the deeds.
        """
        operation = rush.operation
        browsers = [self._ready(rush, place) for place in range(rush.people)]
        ready = [form_of(browsers[place], operation, place) for place in range(rush.people)]
        spent: list[float] = []
        pages: list[Answer] = []
        wrong: list[BaseException] = []
        chance = random.Random(1)
        starts = sorted(chance.uniform(0, rush.spread_seconds) for _ in range(rush.people))
        began = time.perf_counter()

        def work(place: int) -> None:
            due = began + starts[place]
            try:
                for time_ in range(rush.times):
                    time.sleep(max(0.0, due - time.perf_counter()))
                    # In an open loop what is sent late waited too.
                    late = time.perf_counter() - due if rush.is_open else 0.0
                    number = time_ * rush.people + place
                    answer = right(browsers[place], operation, number, when=f" in the {rush.name}", form=ready[place])
                    spent.append((late + answer.seconds) * 1_000)
                    if rush.opened is not None and (time_ + place) % OPENED_EVERY == OPENED_EVERY - 1:
                        # Looked at when all is over: meanwhile no other of these people could note that they were answered.
                        pages.append(answered(browsers[place], rush.opened, place, when=f" in the {rush.name}"))
                    due = due + rush.every_seconds if rush.every_seconds else time.perf_counter()
                    if wrong:
                        return
            except BaseException as error:
                wrong.append(error)

        threads = [threading.Thread(target=work, args=(place,)) for place in range(rush.people)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        if wrong:
            raise wrong[0]
        took = time.perf_counter() - began
        if rush.opened is not None:
            for page in pages:
                look_at(page, rush.opened, when=f" in the {rush.name}")
        if said := rush.holds():
            raise Wrong(f"After the {rush.name}: {said}")
        for proof in rush.proofs():
            right(self._fresh(), proof, 0, when=f" after the {rush.name}")
        told = [self._told(rush, rush.name, took, spent)]
        if rush.opened is not None:
            opening = [page.seconds * 1_000 for page in pages]
            told.append(self._told(rush, f"{rush.opened.name} meanwhile", took, opening))
        return tuple(told)

    def _told(self, rush: Rush, name: str, took: float, spent: list[float]) -> Rushed:
        spent.sort()
        return Rushed(
            name, self._n, rush.people, len(spent), took, statistics.median(spent),
            spent[min(len(spent) - 1, int(len(spent) * 0.95))], spent[-1], rush.p95_ms_max,
        )  # fmt: skip

    def _fresh(self) -> Browser:
        return Browser(self._host, self._port)

    def _ready(self, rush: Rush, place: int) -> Browser:
        """A browser in which the person of that place is signed in."""
        rush.before(place)
        browser = self._fresh()
        self._product.sign_in(browser, _who(rush.operation, place))
        return browser

    def _people(self, mixed: Sequence[Mix], place: int) -> dict[str, Browser]:
        """A browser of one client for everybody it plays."""
        found = {
            _who(operation, place): Browser(self._host, self._port) for mix in mixed for operation in mix.operations
        }
        for who, browser in found.items():
            self._product.sign_in(browser, who)
        return found


def _who(operation: Operation, number: int) -> str:
    return operation.person(number) if operation.person else operation.who


def form_of(browser: Browser, operation: Operation, number: int) -> Form | None:
    """The form of the page of an operation that sends one, opened before."""
    return form_to(browser.get(operation.path(number)), operation.sends) if operation.sends else None


def done(browser: Browser, operation: Operation, number: int, form: Form | None = None) -> Answer:
    """One operation done once: the page opened, or the page's form sent, which may have been opened before."""
    if not operation.sends:
        return browser.get(operation.path(number))
    form = form or form_of(browser, operation, number)
    assert form is not None, "an operation that sends has a form"
    typed = operation.typed(number, form)
    if operation.to:
        return browser.post(operation.to(number), typed)
    return browser.post(form.action, {**form.fields, **typed})


def answered(
    browser: Browser, operation: Operation, number: int, *, when: str = "", form: Form | None = None
) -> Answer:
    """One operation done once; raises :class:`Wrong` where there is no answer."""
    try:
        return done(browser, operation, number, form)
    except (OSError, HTTPException) as error:
        raise Wrong(f"{operation.name}{when}, {operation.path(number)}, was not answered: {error!r}.") from error


def look_at(answer: Answer, operation: Operation, *, when: str = "") -> None:
    """Raise :class:`Wrong` for a wrong answer."""
    if wrong := operation.check(answer):
        raise Wrong(f"{operation.name}{when}, {answer.path}, answered {answer.status}: {wrong}")


def right(browser: Browser, operation: Operation, number: int, *, when: str = "", form: Form | None = None) -> Answer:
    """One operation done once and its answer checked; raises :class:`Wrong` for a wrong answer and for none."""
    answer = answered(browser, operation, number, when=when, form=form)
    look_at(answer, operation, when=when)
    return answer


Say = Callable[[str], None]
