"""What an evaluator of a call accepts before anything opens: the words of the contract and of the confidentiality."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from grants.core.errors import Invalid
from grants.core.yaml_schema import Record, plain_text

# Some ten printed pages: a model contract for experts has seven.
TERMS_CHARACTERS_MAX = 30_000

# Each part as a heading, in the order people read them.
TERMS_HEADINGS: Mapping[str, str] = {
    "contract": "Contract of the evaluator",
    "confidentiality": "Declaration of confidentiality",
}


@dataclass(frozen=True, slots=True)
class ExpertTerms:
    """The words an evaluator accepts."""

    contract: str
    confidentiality: str

    @property
    def sha256(self) -> bytes:
        """The hash of exactly these words, which each acceptance keeps.

        >>> ExpertTerms("a", "bc").sha256 == ExpertTerms("ab", "c").sha256
        False
        """
        parts = (hashlib.sha256(part.encode()).digest() for part in (self.contract, self.confidentiality))
        return hashlib.sha256(b"".join(parts)).digest()

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """Heading and words of each part."""
        return tuple((heading, getattr(self, name)) for name, heading in TERMS_HEADINGS.items())


@dataclass(frozen=True, slots=True)
class TermsView:
    """One version of the terms of a call; the highest number stands. Without words it demands nothing any more."""

    number: int
    text: ExpertTerms | None
    sha256: bytes | None
    published_at: datetime
    note: str | None

    @property
    def fingerprint(self) -> str:
        """The beginning of the hash, as pages show it."""
        return self.sha256.hex()[:16] if self.sha256 else ""


def checked_terms(given: ExpertTerms) -> ExpertTerms:
    """The words as they are kept; raises :class:`Invalid` where a part is missing or too long."""
    problems = {}
    for name, heading in TERMS_HEADINGS.items():
        text = getattr(given, name).strip()
        if not text:
            problems[name] = f"Write this part: “{heading}”. An evaluator accepts both."
        elif len(text) > TERMS_CHARACTERS_MAX:
            problems[name] = (
                f"This part has {len(text)} characters; the limit is {TERMS_CHARACTERS_MAX}. "
                f"Take out {len(text) - TERMS_CHARACTERS_MAX}."
            )
    if problems:
        raise Invalid("The words for evaluators are not complete.", problems)
    return replace(given, **{name: getattr(given, name).replace("\r\n", "\n").strip() for name in TERMS_HEADINGS})


EXPERT_TERMS = Record(ExpertTerms, dict.fromkeys(TERMS_HEADINGS, plain_text), tuple(TERMS_HEADINGS))
