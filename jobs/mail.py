"""Mail: one job a letter. Without a mail server the letter stays on the administrator's mail page."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

from flask import current_app

from grants.core import jobs
from grants.core.errors import Refused
from grants.identity import queries
from grants.identity.rules import RenderedMail

TIMEOUT_SECONDS = 20
KEPT = "kept on the mail page"
SENT = "handed to the mail server"
NOT_SENT = "not sent: the person has a conflict of interest with what it is about"


def send(*, user_id: str, template: str, context: Mapping[str, Any]) -> dict[str, str]:
    """Send one letter to one person; safe to run twice, since both copies carry one Message-ID."""
    about = jobs.this().subject
    if about is not None and queries.is_kept_from(UUID(user_id), *about):
        return {"note": NOT_SENT}
    return _send(queries.rendered_mail(UUID(user_id), template, context))


def send_outside(*, address: str, template: str, context: Mapping[str, Any]) -> dict[str, str]:
    """The same to an address that belongs to no account here."""
    return _send(queries.mail_to_outside(address, template, context))


def _send(letter: RenderedMail) -> dict[str, str]:
    url = current_app.config["SMTP_URL"]
    if not url:
        return {"note": KEPT, "subject": letter.subject}
    job = jobs.this()
    message = composed(letter, job_id=job.id, asked_at=job.created_at, sender=current_app.config["MAIL_FROM"])
    with _server(url) as server:
        _hand_over(server, message)
    return {"note": SENT, "subject": letter.subject, "message_id": message["Message-ID"]}


def composed(letter: RenderedMail, *, job_id: UUID, asked_at: datetime, sender: str) -> EmailMessage:
    """The message, the same bytes each time; :class:`Refused` where a line break would add a header."""
    for part in (letter.to, letter.name, letter.subject, sender):
        if part.splitlines() != [part]:
            raise Refused("The address, the name or the subject is empty or has a line break; this mail is not sent.")
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = str(_address(letter))
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(asked_at)
    message["Message-ID"] = f"<{job_id}@{sender.rpartition('@')[2].rstrip('>') or 'localhost'}>"
    # Machines that answer absences keep quiet (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message


def _address(letter: RenderedMail) -> Address:
    user, _, domain = letter.to.rpartition("@")
    try:
        if not user or not domain:
            raise ValueError("no sign @")
        # An international domain travels in its ASCII form; a name before the @ must be ASCII itself.
        ascii_form = f"{user.encode('ascii').decode()}@{domain.encode('idna').decode()}"
        # Read back as a whole: two addresses in one are refused.
        return Address(letter.name, addr_spec=ascii_form)
    except (ValueError, MessageError) as error:
        raise Refused(
            f"“{letter.to}” is not an address mail can be sent to. Correct it and start this again."
        ) from error


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where and how mail leaves, read from ``SMTP_URL``."""

    host: str
    port: int
    user: str
    password: str
    implicit_tls: bool

    @classmethod
    def from_url(cls, url: str) -> MailServer:
        """``smtp://user:password@host:587`` (STARTTLS where offered) or ``smtps://host`` (TLS from the start)."""
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise Refused("SMTP_URL must read smtp://user:password@host:587 or smtps://user:password@host:465.")
        implicit = parts.scheme == "smtps"
        port = parts.port or (465 if implicit else 587)
        return cls(parts.hostname, port, unquote(parts.username or ""), unquote(parts.password or ""), implicit)

    @property
    def is_here(self) -> bool:
        """Whether it runs on this machine, where a password needs no encryption on its way."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


@contextmanager
def _server(url: str) -> Iterator[smtplib.SMTP]:
    """A connection, signed in; :class:`jobs.Unavailable` when the server is away, so that no later mail overtakes."""
    where = MailServer.from_url(url)
    try:
        if where.implicit_tls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                where.host, where.port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
            )
        else:
            server = smtplib.SMTP(where.host, where.port, timeout=TIMEOUT_SECONDS)
        with server:
            server.ehlo_or_helo_if_needed()
            encrypted = where.implicit_tls
            if not encrypted and server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
                encrypted = True
            if where.user:
                if not encrypted and not where.is_here:
                    raise jobs.Unavailable("The mail server offers no encryption, so the password is not sent to it.")
                server.login(where.user, where.password)
            yield server
    except OSError as error:
        # Every SMTPException is one; what a single letter causes became another error before it got here.
        raise jobs.Unavailable(f"The mail server does not take mail now ({type(error).__name__}).") from error


def _hand_over(server: smtplib.SMTP, message: EmailMessage) -> None:
    try:
        server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        _refused_letter(code, words)
    except smtplib.SMTPSenderRefused:
        # The sender is ours, and no other letter would pass either.
        raise
    except smtplib.SMTPNotSupportedError as error:
        raise Refused(f"The mail server cannot take this mail: {error}") from error
    except smtplib.SMTPResponseException as error:
        _refused_letter(error.smtp_code, error.smtp_error)


def _refused_letter(code: int, words: bytes | str) -> None:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    sentence = f"The mail server refuses this mail: {code} {text}"[:400]
    if 400 <= code < 500:
        raise jobs.TryLater(sentence)
    raise Refused(sentence)
