"""Mail: leaves once and in order, waits for its server for days, and no text of a person becomes a header."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from jinja2 import ChoiceLoader, DictLoader
from sqlalchemy import func, select, update

from grants.core import jobs
from grants.core.acts import act, arranging, bookkeeping
from grants.core.db import db
from grants.core.errors import Refused
from grants.core.jobs import Job, JobState
from grants.core.paging import Page
from grants.core.permissions import EVERYWHERE, Actor, Permission
from grants.identity import queries as reads
from grants.identity import services as identity
from grants.identity.queries import actor_for
from grants.identity.rules import RenderedMail
from jobs import mail
from tests import actors
from tests.factories import identity as factory
from tests.jobs.mail_server import MailServer

LETTER = "Subject: Your report {{ reference }}\nDear {{ person.name }},\n\nwas accepted.\n.\n"
MANAGER = Actor(uuid4(), "Ingrid", frozenset({(Permission.CALL_MANAGE.value, EVERYWHERE)}))


@act("probe.tell", needs=Permission.CALL_MANAGE, says="did a thing of the tests")
def tell(actor: Actor, user_id: UUID, reference: str) -> None:
    identity.mail([user_id], "probe", "report", uuid4(), reference=reference)


@pytest.fixture
def server(app: Flask) -> Iterator[MailServer]:
    app.jinja_env.loader = ChoiceLoader([DictLoader({"mail/probe.txt": LETTER}), app.jinja_env.loader])
    app.config["MAIL_FROM"] = "Pilot Grants <grants@example.eu>"
    server = MailServer()
    app.config["SMTP_URL"] = server.url
    yield server
    server.stop()


def person(name: str, email: str) -> UUID:
    with arranging():
        return factory.user(name, email=email, handle=f"p{uuid4().hex}", password=None).id


def work_off() -> list[jobs.JobView]:
    jobs.work_off(actor_of=actor_for)
    return found()


def found() -> list[jobs.JobView]:
    db.session.rollback()
    return [jobs.view(job_id) for job_id in db.session.scalars(select(Job.id).order_by(Job.number))]


def make_due() -> None:
    table = Job.__table__
    with bookkeeping() as books:
        books.execute(update(table).where(table.c.state == "queued").values(run_after=func.clock_timestamp()))


def test_a_mail_leaves_with_the_jobs_own_message_id(server: MailServer) -> None:
    tell(MANAGER, person("Ana Ștefănescu, Dr.", "ana@example.org"), "PCP-2022-R-0001")

    [job] = work_off()

    [message] = server.messages
    assert (message["Subject"], message["To"]) == (
        "Your report PCP-2022-R-0001",
        '"Ana Ștefănescu, Dr." <ana@example.org>',
    )
    assert message["Message-ID"] == f"<{job.id}@example.eu>"
    assert message.get_content().splitlines() == ["Dear Ana Ștefănescu, Dr.,", "", "was accepted.", "."]
    assert (job.state, job.queue, job.note) == (JobState.DONE, "mail", mail.SENT)


def test_a_mail_sent_twice_is_the_same_message(server: MailServer) -> None:
    tell(MANAGER, person("Ana", "ana@example.org"), "R1")
    work_off()
    table = Job.__table__
    with bookkeeping() as books:
        # As if the worker died after the server took the mail and before the row said so.
        books.execute(update(table).values(state="queued", finished_at=None))

    work_off()

    first, second = server.received
    assert first == second


def test_without_a_mail_server_the_letter_stays_on_the_mail_page(app: Flask, server: MailServer) -> None:
    app.config["SMTP_URL"] = ""
    tell(MANAGER, person("Ana", "ana@example.org"), "R1")

    [job] = work_off()

    assert (job.state, job.result) == (JobState.DONE, {"note": "kept on the mail page", "subject": "Your report R1"})
    assert server.received == []


def test_mails_wait_for_their_server_and_leave_once_in_order(app: Flask, server: MailServer) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        app.config["SMTP_URL"] = f"smtp://127.0.0.1:{closed.getsockname()[1]}"
        ana = person("Ana", "ana@example.org")
        for number in range(4):
            tell(MANAGER, ana, f"R{number}")
        waiting = work_off()
        make_due()
        waiting = work_off()

    assert [job.state for job in waiting] == [JobState.QUEUED] * 4
    assert [job.attempt for job in waiting] == [2, 0, 0, 0]
    assert waiting[0].error == "The mail server does not take mail now (ConnectionRefusedError)."

    app.config["SMTP_URL"] = server.url
    tell(MANAGER, ana, "R4")
    assert server.received == []
    make_due()
    work_off()

    assert [message["Subject"] for message in server.messages] == [f"Your report R{number}" for number in range(5)]


def test_one_refused_mail_is_parked_and_others_leave(server: MailServer) -> None:
    server.refused = {"gone@example.org": "550 no such person", "full@example.org": "451 try again"}
    for name in ("gone", "full", "ana"):
        tell(MANAGER, person(name, f"{name}@example.org"), "R1")

    gone, full, ana = work_off()

    assert (gone.state, gone.error) == (JobState.FAILED, "The mail server refuses this mail: 550 no such person")
    assert (full.state, full.error) == (JobState.QUEUED, "The mail server refuses this mail: 451 try again")
    assert ana.state is JobState.DONE
    assert [message["To"] for message in server.messages] == ["ana <ana@example.org>"]


@pytest.mark.parametrize(
    "letter",
    [
        RenderedMail("ana@example.org", "Ana", "Hello\r\nBcc: all@example.org", "x"),
        RenderedMail("ana@example.org", "Ana\nBcc: all@example.org", "Hello", "x"),
        RenderedMail("ana@example.org\nBcc: all@example.org", "Ana", "Hello", "x"),
        RenderedMail("ana@example.org, all@example.org", "Ana", "Hello", "x"),
        RenderedMail("nobody", "Ana", "Hello", "x"),
        RenderedMail("", "Ana", "Hello", "x"),
    ],
)
def test_no_text_of_a_person_becomes_a_header_or_another_recipient(letter: RenderedMail) -> None:
    with pytest.raises(Refused):
        mail.composed(letter, job_id=uuid4(), asked_at=datetime(2022, 11, 15, tzinfo=UTC), sender="g@example.eu")


def test_an_international_domain_travels_in_ascii() -> None:
    letter = RenderedMail("ana@münchen.example", "Ana", "Hello", "x")

    message = mail.composed(letter, job_id=uuid4(), asked_at=datetime(2022, 11, 15, tzinfo=UTC), sender="g@example.eu")

    assert message["To"] == "Ana <ana@xn--mnchen-3ya.example>"


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("smtp://mail.example", mail.MailServer("mail.example", 587, "", "", False)),
        ("smtps://u%40x:p%2Fw@mail.example", mail.MailServer("mail.example", 465, "u@x", "p/w", True)),
        ("smtp://localhost:2525", mail.MailServer("localhost", 2525, "", "", False)),
    ],
)
def test_the_address_of_the_mail_server_is_read(url: str, read: mail.MailServer) -> None:
    assert mail.MailServer.from_url(url) == read


@pytest.mark.parametrize("url", ["mail.example", "http://mail.example", "smtp://"])
def test_a_wrong_address_of_the_mail_server_is_a_sentence(url: str) -> None:
    with pytest.raises(Refused, match="SMTP_URL must read"):
        mail.MailServer.from_url(url)


def test_mails_are_listed_by_time_by_key_and_the_failed_ones_alone(app: Flask, server: MailServer) -> None:
    """Where the clock was set back numbers are of another order than time."""
    ana, table, begun = person("Ana", "ana@example.org"), Job.__table__, datetime(2027, 3, 1, tzinfo=UTC)
    for number in range(5):
        tell(MANAGER, ana, f"R{number}")
    numbers = [job.number for job in found()]
    with bookkeeping() as books:
        for number, hour in zip(numbers, (3, 9, 1, 9, 2), strict=True):
            # Two were asked for in the same moment.
            at = begun + timedelta(hours=hour)
            books.execute(update(table).where(table.c.number == number).values(created_at=at))
        failed = table.c.number.in_([numbers[0], numbers[2]])
        ended = {"state": "failed", "finished_at": begun, "error": "No such mailbox."}
        books.execute(update(table).where(failed).values(**ended))
    by_time = [numbers[each] for each in (3, 1, 0, 4, 2)]

    def in_parts(only: JobState | None = None) -> list[int]:
        shown: list[int] = []
        after = None
        while True:
            part = reads.mails(actors.ada(), Page(size=1, after=after), only)
            shown += [each.number for each in part.items]
            if (after := part.next_key) is None:
                return shown

    assert [each.number for each in reads.mails(actors.ada()).items] == in_parts() == by_time
    assert in_parts(JobState.FAILED) == [numbers[0], numbers[2]]
    # A broken key is as if there were none.
    for key in ("x", "2027-03-01.x", "2027-03-01T00:00:00.7", "9999-99-99T00:00:00+00:00.1"):
        (first,) = reads.mails(actors.ada(), Page(size=1, after=key)).items
        assert first.number == by_time[0], key

    client = actors.client_of(app, actors.ada())
    rows = re.findall(r'data-label="Number"[^>]*>(\d+)<', client.get("/admin/mail?state=failed").text)
    assert [int(each) for each in rows] == [numbers[0], numbers[2]]
    every = client.get("/admin/mail").text
    assert "?state=failed" in every and len(re.findall(r'data-label="Number"', every)) == 5
    following = client.get("/admin/mail?state=failed&size=50").text
    assert "Show every mail" in following
