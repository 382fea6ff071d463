"""Domains of mail that say nothing about for whom a person works, and what of a domain says something."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

# Mail from these says nothing about for whom a person works.
GENERIC_DOMAINS = frozenset(
    [
        # Of examples in texts (RFC 2606), and the like: nobody's own. Everybody of the demonstration has one of its own.
        "demo.example",
        "example.com",
        "example.eu",
        "example.net",
        "example.org",
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "msn.com",
        "yahoo.com",
        "ymail.com",
        "icloud.com",
        "me.com",
        "mac.com",
        "aol.com",
        "gmx.com",
        "gmx.net",
        "gmx.de",
        "gmx.at",
        "gmx.ch",
        "web.de",
        "t-online.de",
        "freenet.de",
        "mail.com",
        "proton.me",
        "protonmail.com",
        "tutanota.com",
        "posteo.de",
        "orange.fr",
        "wanadoo.fr",
        "free.fr",
        "laposte.net",
        "sfr.fr",
        "libero.it",
        "virgilio.it",
        "tiscali.it",
        "alice.it",
        "wp.pl",
        "o2.pl",
        "onet.pl",
        "interia.pl",
        "op.pl",
        "seznam.cz",
        "centrum.cz",
        "azet.sk",
        "abv.bg",
        "mail.bg",
        "inbox.lv",
        "ukr.net",
        "telenet.be",
        "skynet.be",
        "ziggo.nl",
        "kpnmail.nl",
        "xs4all.nl",
        "sapo.pt",
        "terra.es",
        "telefonica.net",
        "otenet.gr",
        "freemail.hu",
        "citromail.hu",
        "hot.ee",
        "mail.ee",
        "example.com",
        "example.net",
        "example.org",
        "yandex.com",
        "yandex.ru",
        "mail.ru",
        "zoho.com",
        "fastmail.com",
        "hey.com",
    ]
)
# Second levels under which a register of a country gives out names, as ``co.uk``: below them begin the names of organisations.
# Not every one there is: what is missing is proposed where it need not be, unless many use it (``HOSTED_MIN``).
SECOND_LEVELS = frozenset(
    [
        "ac",
        "co",
        "com",
        "edu",
        "gob",
        "gouv",
        "gov",
        "gv",
        "kommune",
        "ltd",
        "mil",
        "net",
        "nhs",
        "or",
        "org",
        "plc",
        "sch",
    ]
)


def with_parents(domain: str) -> Iterator[str]:
    """``ict.uni.example`` and ``uni.example``: a part of an organisation has a name within its domain.

    Nothing that many organisations share, as ``co.uk``, and nothing of who gives mail to everybody.
    """
    parts = domain.lower().strip(".").split(".")
    every = [".".join(parts[start:]) for start in range(len(parts) - 1) if not _is_public(parts[start:])]
    if not any(each in GENERIC_DOMAINS for each in every):
        yield from every


def _is_public(parts: Sequence[str]) -> bool:
    """Whether names below it belong to nobody in common: a country, or a second level of one."""
    return len(parts) < 2 or (len(parts) == 2 and len(parts[1]) == 2 and parts[0] in SECOND_LEVELS)
