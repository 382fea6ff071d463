"""What a page says of mails: whether any leaves here, and what became of one that was just written."""

from __future__ import annotations

from flask import current_app


def leaves() -> bool:
    """Whether a mail server is set; without one mails are kept on the page of mails."""
    return bool(current_app.config["SMTP_URL"])


def mailed(what: str) -> str:
    """What became of a mail that was just written, in words that hold where no mail server is set, too."""
    if leaves():
        return f"{what} is on its way."
    return f"{what} is written. No mail server is set, so no mail left: it is kept on the page of mails."
