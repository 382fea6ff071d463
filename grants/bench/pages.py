"""What this product's start pages, journal, record and grants must say, worked out by SQL of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from html import unescape
from typing import Any

from grants.bench.browsing import Answer
from grants.bench.stencils import Connection

Check = Callable[[Answer], str | None]

# Rows on one page of the grants, of the payment files, of the journal and of the record; orders that /home looks through for what to do.
ROWS, CIRCUIT_ROWS = 50, 200
_ON_THE_WAY = (
    "SELECT count(*) FROM (SELECT state FROM payment_order WHERE state IN ('prepared', 'verified', 'authorised', 'in_file', 'sent') "
    f"ORDER BY due_on, reference LIMIT {CIRCUIT_ROWS}) x WHERE %s::text IS NOT NULL AND state IN "
)
_OPEN_SHEETS = (
    "SELECT count(*) FROM assignment s JOIN evaluator e ON e.id = s.evaluator_id JOIN user_account u ON u.id = e.user_id "
    "LEFT JOIN assessment x ON x.assignment_id = s.id WHERE u.handle = %s AND s.state = 'active' "
)
# How many times these words stand before what a person must do; each statement gets the person's handle.
DUTIES = {
    "initiator": ("Prepare the order for ", _ON_THE_WAY + "('none')"),
    "verifier": ("Verify the order for ", _ON_THE_WAY + "('prepared')"),
    "authoriser": ("Authorise the order for ", _ON_THE_WAY + "('verified')"),
    "accountant": ("Put into a payment file the order for ", _ON_THE_WAY + "('authorised')"),
    "evaluator": ("Assess ", f"SELECT least(1, ({_OPEN_SHEETS}AND x.state IS DISTINCT FROM 'submitted'))"),
    "applicant": (
        "Check and send ",
        "SELECT count(*) FROM application a JOIN application_partner p ON p.application_id = a.id "
        "JOIN user_account u ON u.id = p.contact_user_id WHERE a.state = 'draft' AND u.handle = %s",
    ),
    "eligibility": (
        "Check ",
        "SELECT count(DISTINCT a.call_id) FROM application a WHERE a.state = 'submitted' AND %s::text IS NOT NULL "
        "AND a.call_id NOT IN (SELECT call_id FROM application WHERE state = 'draft')",
    ),
}  # fmt: skip
# The moment of the newest thing that happened to what is theirs; each statement gets the person's handle.
_OWN = "SELECT max(a.done_at) FROM act a JOIN user_account u ON u.id = a.user_id WHERE u.handle = %s AND a.verb NOT LIKE 'session.%%'"
_OF_ORDERS = "SELECT max(done_at) FROM act WHERE %s::text IS NOT NULL AND verb LIKE 'payment_order.%%'"
LATEST = {
    **dict.fromkeys(("administrator", "member", "signatory"), _OWN),
    **dict.fromkeys(("auditor", "initiator", "verifier", "accountant"), _OF_ORDERS),
    "officer": "SELECT max(done_at) FROM act WHERE %s::text IS NOT NULL AND verb = 'payment_request.decide'",
}


class Asked:
    """The seeded database, asked beside the program."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def _rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement.encode(), values).fetchall()

    def _row(self, statement: str, *values: Any) -> tuple[Any, ...]:
        found = self._rows(statement, *values)
        assert found, "there is such a row in every seeded database"
        return found[0]

    def _column(self, statement: str, *values: Any) -> list[Any]:
        return [row[0] for row in self._rows(statement, *values)]

    def _value(self, statement: str, *values: Any) -> Any:
        return self._row(statement, *values)[0]

    def _number(self, statement: str) -> int:
        return int(self._value(statement))


class Pages(Asked):
    """Checks of pages that show what stands in many tables."""

    def home_says(self, key: str, handle: str) -> Check:
        """Whose page it is, what the person must do in this trade, and when the newest thing happened."""
        name = str(self._value("SELECT name FROM user_account WHERE handle = %s", handle)).split()[0]

        def check(answer: Answer) -> str | None:
            if answer.status != 200 or f", {name}. Today is " not in unescape(answer.text):
                return f"it does not greet {name}."
            duties = [unescape(_plain(each)) for each in _cells(answer, r'class="pg-next__what">(.*?)</p>')]
            return self._duties_say(key, handle, duties) or self._latest_says(key, handle, answer)

        return check

    def _duties_say(self, key: str, handle: str, duties: Sequence[str]) -> str | None:
        if key in ("chair", "manager"):
            title = self._value("SELECT title FROM call WHERE slug LIKE 'streets-ranked%%' ORDER BY reference LIMIT 1")
            wanted = f"Decide the ranked list of {title}"
            return None if wanted in duties else f"“{wanted}” is missing in {duties}."
        if key not in DUTIES:
            return None
        words, statement = DUTIES[key]
        shown, expected = sum(each.startswith(words) for each in duties), int(self._value(statement, handle))
        return None if shown == expected else f"“{words}…” stands {shown} times, SQL says {expected}."

    def _latest_says(self, key: str, handle: str, answer: Answer) -> str | None:
        if key not in LATEST:
            return None
        told = _cells(answer, r'class="pg-lately">.*?<time datetime="([^"]+)"')
        newest = self._value(LATEST[key], handle)
        shown = _moment(told[0]) if told else None
        return None if shown == newest else f"the newest thing happened at {shown}, SQL says {newest}."

    def audit_says(self, answer: Answer) -> str | None:
        """The newest acts in their order: when, and who."""
        moments = map(_moment, _cells(answer, r'data-label="When"><time datetime="([^"]+)"'))
        names = [unescape(_plain(each)) for each in _cells(answer, r'data-label="Who"><span>(.*?)(?:<br>|</span>)')]
        shown = list(zip(moments, names, strict=False))
        expected = self._rows(
            "SELECT a.done_at, coalesce(u.name, 'The program') FROM act a LEFT JOIN user_account u ON u.id = a.user_id "
            "ORDER BY a.done_at DESC, a.id DESC LIMIT %s",
            ROWS,
        )
        return _compared(shown, expected)

    def ledger_says(self, answer: Answer) -> str | None:
        """The newest entries in their order, and the sum of their amounts to the cent."""
        refs = _cells(answer, r'<th scope="row"[^>]*><a [^>]*>(E-\d{4}-\d+)</a>')
        cents = sum(map(_cents, _cells(answer, r'data-label="Amount, EUR"><[^>]+>([^<]+)<')))
        rows = self._rows(_ENTRIES, ROWS)
        return _compared(
            [*refs, cents],
            [*(f"E-{day.year}-{number:04d}" for number, day, _ in rows), sum(int(row[2]) for row in rows)],
        )

    def grants_say(self, answer: Answer) -> str | None:
        """The first grants in their order, their amounts to the cent, and how many there are."""
        refs = _cells(answer, r'data-label="Grant">.*?<span class="quiet">([^<]+)</span>')
        cents = list(map(_cents, _cells(answer, r'data-label="Maximum, EUR"[^>]*>(?:<[^>]+>)?([^<]+)<')))
        total = _cells(answer, r'<h1[^>]*>Grants <span class="pg-ref">(\d+)</span>')
        rows = self._rows("SELECT reference, maximum FROM grant_agreement ORDER BY reference LIMIT %s", ROWS)
        return _compared(
            [*zip(refs, cents, strict=False), *total],
            [*rows, str(self._number("SELECT count(*) FROM grant_agreement"))],
        )

    def grant_payments_say(self, answer: Answer) -> str | None:
        """Each order of the grant with its amount, and what is paid in all."""
        paid = _cells(answer, r"</i>Paid</dt><dd>\s*<[^>]+>([^<]+)<")
        text = re.sub(r"\s", " ", unescape(answer.text))
        rows = self._rows(
            "SELECT o.reference, o.amount, o.state FROM payment_order o JOIN grant_agreement g ON g.id = o.grant_id "
            "WHERE g.reference = %s ORDER BY o.reference",
            answer.path.split("/")[2],
        )
        missing = [ref for ref, cents, _ in rows if ref not in text or _words(cents) not in text]
        if answer.status != 200 or missing or not rows:
            return f"of {len(rows)} orders {missing} are missing."
        return _compared(list(map(_cents, paid)), [sum(cents for _, cents, state in rows if state == "executed")])

    def files_say(self, answer: Answer) -> str | None:
        """The newest payment files in their order, with how many orders each holds and its total to the cent."""
        refs = _cells(answer, r'<th scope="row"[^>]*><a [^>]*>([A-Z]+-\d{4}-B-\d+)</a>')
        orders = map(_cents, _cells(answer, r'data-label="Orders">([^<]+)<'))
        cents = map(_cents, _cells(answer, r'data-label="Total, EUR"><[^>]+>([^<]+)<'))
        return _compared(
            list(zip(refs, orders, cents, strict=False)),
            self._rows("SELECT reference, orders, total FROM payment_batch ORDER BY built_at DESC, reference DESC LIMIT %s", ROWS),
        )  # fmt: skip

    def application_says(self, answer: Answer) -> str | None:
        """Its title, and what it asks for to the cent."""
        ref = answer.path.rpartition("/")[2]
        title, cents = self._row("SELECT title, requested FROM application WHERE reference = %s", ref)
        text = re.sub(r"\s", " ", unescape(answer.text))
        missing = [words for words in (str(title), f"EUR {_words(int(cents))}") if words not in text]
        return None if answer.status == 200 and not missing else f"{missing} is missing."

    def assessments_say(self, handle: str) -> Check:
        """How many sheets the evaluator has, and how many are submitted."""

        def check(answer: Answer) -> str | None:
            seats, done = (int(self._value(_OPEN_SHEETS + rest, handle)) for rest in ("", "AND x.state = 'submitted'"))
            said = f"{done} of {seats} submitted"
            return None if answer.status == 200 and said in answer.text else f"“{said}” is missing."

        return check


_ENTRIES = (
    "SELECT e.number, e.effective_on, coalesce(nullif(max(x.general), 0), max(x.budget), 0) FROM ledger_entry e JOIN ("
    "SELECT entry_id, sum(cents) FILTER (WHERE account ~ '^[0-9]') AS general, "
    "greatest(sum(cents) FILTER (WHERE account LIKE 'B%%'), sum(cents) FILTER (WHERE account LIKE 'M%%')) AS budget "
    "FROM ledger_leg WHERE side = 'debit' GROUP BY entry_id) x ON x.entry_id = e.id "
    "GROUP BY e.id ORDER BY e.effective_on DESC, e.number DESC LIMIT %s"
)


def _cells(answer: Answer, pattern: str) -> list[str]:
    return re.findall(pattern, answer.text, re.DOTALL)


def _plain(markup: str) -> str:
    return re.sub(r"<[^>]+>", "", markup).strip()


def _cents(words: str) -> int:
    """A figure that is none is no amount there is."""
    return int(re.sub(r"\D", "", words) or -1)


def _moment(words: str) -> datetime | str:
    """As it stands where it is no moment, so that it equals none."""
    try:
        return datetime.fromisoformat(words)
    except ValueError:
        return words


def _words(cents: int) -> str:
    return f"{cents // 100:,}.{cents % 100:02d}".replace(",", " ")


def _compared(shown: Sequence[Any], expected: Sequence[Any]) -> str | None:
    """The first difference between what a page shows and what SQL gives."""
    if not expected:
        return "SQL finds nothing to compare it with."
    if len(shown) != len(expected):
        return f"it shows {len(shown)} things, SQL says {len(expected)}."
    for place, (one, other) in enumerate(zip(shown, expected, strict=True), start=1):
        if one != other:
            return f"at place {place} it shows {one}, SQL says {other}."
    return None
