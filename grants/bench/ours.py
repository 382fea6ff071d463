"""This product's operations: who, where, and what the answer must say, worked out by SQL of its own from the seeded data."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from html import unescape
from typing import Any

from grants.bench.browsing import Answer, Browser, Form, Wrong, forms_of
from grants.bench.operations import CLIENTS, Fields, Mix, Operation, at
from grants.bench.rushing import Rushes
from grants.bench.stencils import Connection
from grants.bench.wording import in_turn, new_words
from grants.core import paging
from grants.core.paging import COUNTED_MAX
from grants.payments.rules.evidence import every_tick
from grants.payments.states import Step

ROWS_ON_A_PAGE = 60
RANKED_ON_A_PAGE = paging.ROWS_ON_A_PAGE
# Both processes of the site have planned the statements of a page then, which takes each a few looks after it started.
LONG_WARM = 24

# Everybody who has a /home of their own kind, by the key of the operation.
HOMES = {
    "administrator": "signe-holm",
    "manager": "ingrid-aalto",
    "eligibility": "piotr-zielinski",
    "officer": "leonor-duarte",
    "chair": "henrik-vester",
    "member": "maja-novak",
    "initiator": "carla-benassi",
    "verifier": "jonas-weber",
    "authoriser": "claire-dumont",
    "accountant": "dimitra-pappa",
    "signatory": "ruth-oconnell",
    "auditor": "ewa-lindqvist",
}
MANAGER, CHAIR, AUTHORISER, ACCOUNTANT, OFFICER = (
    HOMES[key] for key in ("manager", "chair", "authoriser", "accountant", "officer")
)


class Ours(Rushes):
    """The seeded program at one size; ``connection`` reads what stands, beside the program."""

    name = "ours"

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.total = self._number("SELECT count(*) FROM application WHERE submission_id IS NOT NULL")
        self.call = str(
            self._value("SELECT slug FROM call WHERE slug LIKE 'streets-ranked%%' ORDER BY reference LIMIT 1")
        )
        self.draft, self.applicant = map(str, self._drafts()[0])
        # The section with the longest answer.
        self.section = str(
            self._value(
                "SELECT s.section_key FROM application a JOIN dossier_answer s ON s.dossier_id = a.dossier_id "
                "WHERE a.reference = %s ORDER BY length(s.text) DESC, s.section_key LIMIT 1",
                self.draft,
            )
        )
        self.evaluator = str(
            self._value(
                "SELECT u.handle FROM evaluator e JOIN user_account u ON u.id = e.user_id JOIN call c ON c.id = e.call_id "
                "WHERE c.slug = %s AND u.is_demo ORDER BY u.handle LIMIT 1",
                self.call,
            )
        )
        self.scorer, *_ = self._row(_UNSUBMITTED + " ORDER BY a.reference LIMIT 1")

    # --- signing in -------------------------------------------------------------------------------------------------

    def sign_in(self, browser: Browser, who: str) -> None:
        """As a person of the demo, without a password: hashing one is not what is measured."""
        tokens = [
            each.fields["csrf_token"] for each in forms_of(browser.get("/sign-in")) if "csrf_token" in each.fields
        ]
        answer = browser.post("/demo", {"csrf_token": tokens[0] if tokens else "", "person": who})
        if answer.status != 303:
            raise Wrong(f"{who} could not sign in: {answer.status}.")

    # --- what is measured -------------------------------------------------------------------------------------------

    def operations(self) -> Sequence[Operation]:
        """Pages first, deeds last: what they change is not looked at again at this size."""
        return (
            *self._lists(),
            *self._applications(),
            *self._evaluation(),
            *self._money(),
            *self._homes(),
            *self._deeds(),
        )

    def mixed(self) -> Sequence[Mix]:
        """C8: seven tenths read lists and applications, two tenths save a score, one tenth saves a draft; each client its own."""
        reads = (*self._lists()[:3], self._applications()[0])
        sheets = self._column(_UNSUBMITTED_REFS + " ORDER BY a.reference", self.scorer)
        own = self._drafts()[-CLIENTS:]
        if min(len(sheets), len(own)) < CLIENTS:
            raise Wrong(f"{len(sheets)} open score sheets and {len(own)} drafts are too few for {CLIENTS} clients.")
        score = Operation(
            "assessment.save", self.scorer, in_turn("/assessments/{}", sheets[:CLIENTS]), self._stored_score_says,
            sends=".", typed=_scores("save"),
        )  # fmt: skip
        save = Operation(
            "draft.save", self.applicant,
            lambda number: f"/applications/{own[number % len(own)][0]}/sections/{self.section}", self._saved_says,
            sends=".", typed=_longer, person=lambda number: str(own[number % len(own)][1]),
        )  # fmt: skip
        return (Mix(70, reads), Mix(20, (score,)), Mix(10, (save,)))

    def counted(self) -> Sequence[Operation]:
        """The pages of which no number of statements may grow."""
        found = {
            each.name: each for each in (*self._lists(), *self._applications(), *self._evaluation(), *self._money())
        }
        named = (
            "applications.first",
            "applications.last",
            "applications.search",
            "application.detail",
            "ranking",
            "payments",
            "files",
        )
        return (*(found[name] for name in named), *self._homes())

    def _lists(self) -> Sequence[Operation]:
        first = self._sent("ORDER BY reference DESC LIMIT %s", ROWS_ON_A_PAGE)
        last = self._sent("ORDER BY reference LIMIT %s", ROWS_ON_A_PAGE)
        before = self._sent("ORDER BY reference OFFSET %s LIMIT 1", ROWS_ON_A_PAGE)
        found = self._sent("AND title ILIKE %s ORDER BY reference DESC", "%tramway gardens%")
        address = f"/applications?size={ROWS_ON_A_PAGE}"
        return (
            Operation("applications.first", MANAGER, at(address), self.list_says(first, self.total)),
            Operation(
                "applications.last", MANAGER, at(f"{address}&after={before[0]}" if before else address),
                self.list_says(last[::-1], self.total),
            ),
            Operation(
                "applications.search", MANAGER, at(f"{address}&q=tramway+gardens"),
                self.list_says(found[:ROWS_ON_A_PAGE], len(found)),
            ),
        )  # fmt: skip

    def _applications(self) -> Sequence[Operation]:
        refs = self._sent("AND state = 'under_evaluation' ORDER BY md5(reference) LIMIT %s", 40)
        return (
            Operation("application.detail", MANAGER, in_turn("/applications/{}", refs), self.application_says),
            Operation("draft.form", self.applicant, at(f"/applications/{self.draft}/sections/{self.section}"), self._stands_in_the_form),
        )  # fmt: skip

    def _evaluation(self) -> Sequence[Operation]:
        refs = self._column(
            "SELECT a.reference FROM application a JOIN consensus c ON c.application_id = a.id WHERE c.state = 'agreed' "
            "AND a.state = 'under_evaluation' ORDER BY md5(a.reference) LIMIT 40"
        )
        open_ones = self._column(_UNSUBMITTED_REFS + " ORDER BY a.reference", self.scorer)
        return (
            Operation("assessments.of_one", CHAIR, in_turn("/consensus/{}", refs), self._all_scores_say),
            Operation("assessments.mine", self.evaluator, at("/assessments"), self.assessments_say(self.evaluator)),
            Operation("assessment.form", self.scorer, at(f"/assessments/{open_ones[-1]}"), self._sheet_says),
            Operation("ranking", CHAIR, at(f"/calls/{self.call}/ranking"), self._order_says, times=20, warm=LONG_WARM),
            # The same list where something in it is another than at the last look.
            Operation("ranking.changed", CHAIR, self._changed_ranking, self._order_says, times=10, warm=2),
            Operation(
                "ranking.csv", CHAIR, at(f"/calls/{self.call}/ranking.csv"), self._whole_order_says, times=4, warm=1
            ),
        )

    def _money(self) -> Sequence[Operation]:
        grants = self._column("SELECT reference FROM grant_agreement ORDER BY reference DESC LIMIT 50")
        return (
            Operation("payments", AUTHORISER, at("/finance/approvals"), self._payments_say),
            Operation("files", ACCOUNTANT, at("/finance/batches"), self.files_say),
            Operation("grants", OFFICER, at("/grants"), self.grants_say),
            Operation("grant.payments", OFFICER, in_turn("/grants/{}/payments", grants), self.grant_payments_say),
            Operation("ledger", ACCOUNTANT, at("/finance/ledger"), self.ledger_says),
            Operation("audit", HOMES["auditor"], at("/audit"), self.audit_says, times=10),
        )  # fmt: skip

    def _homes(self) -> Sequence[Operation]:
        people = {**HOMES, "evaluator": self.evaluator, "applicant": self.applicant}
        return tuple(
            Operation(f"home.{key}", who, at("/home"), self.home_says(key, who), times=15)
            for key, who in sorted(people.items())
        )

    # --- deeds ------------------------------------------------------------------------------------------------------

    def _deeds(self) -> Sequence[Operation]:
        open_ones = self._column(_UNSUBMITTED_REFS + " ORDER BY a.reference", self.scorer)
        orders = self._column("SELECT reference FROM payment_order WHERE state = 'verified' ORDER BY reference")
        # The first stay open for good: in the mixed load each client has one to itself.
        saved, submitted = open_ones[:CLIENTS], open_ones[CLIENTS:-1]
        sent = self._drafts()[1:]
        return (
            Operation(
                "assessment.save", self.scorer, in_turn("/assessments/{}", saved), self._stored_score_says,
                sends=".", typed=_scores("save"), times=20, warm=2,
            ),
            Operation(
                "assessment.submit", self.scorer, in_turn("/assessments/{}", submitted), self._submitted_says,
                sends=".", typed=_scores("submit"), times=min(10, len(submitted) - 1), warm=1,
            ),
            Operation(
                "draft.save", self.applicant, at(f"/applications/{self.draft}/sections/{self.section}"),
                self._saved_says, sends=".", typed=_longer, times=20, warm=2,
            ),
            Operation(
                "application.submit", self.applicant, lambda number: f"/applications/{sent[number][0]}/submit",
                self._sent_says, sends=".",
                typed=lambda number, form: {"statement": "y"}, times=10, warm=1, person=lambda number: str(sent[number][1]),
            ),
            Operation(
                "order.authorise", AUTHORISER, in_turn("/finance/orders/{}", orders), self._authorised_says,
                sends="/authorise", typed=lambda number, form: {"evidence": list(every_tick(Step.AUTHORISED))},
                times=max(1, min(20, len(orders) // 2 - 1)), warm=1,
            ),
        )  # fmt: skip

    # --- what an answer must say ------------------------------------------------------------------------------------

    def list_says(self, rows: Sequence[str], total: int) -> Callable[[Answer], str | None]:
        """These rows in this order, the title of the first, and how many there are."""
        titles = dict(self._rows("SELECT reference, title FROM application WHERE reference = ANY(%s)", list(rows)))

        def check(answer: Answer) -> str | None:
            said = re.findall(r'href="/applications/([^"/?]+)"[^>]*>', answer.text)
            shown = [ref for ref in said if ref in titles]
            if answer.status != 200 or shown != list(rows):
                return f"{len(shown)} rows in another order than SQL gives them, which are {len(rows)}."
            if rows and titles[rows[0]] not in unescape(answer.text):
                return f"the title {titles[rows[0]]} is missing."
            counted = re.search(r"\b(\d+)(\+?) applications?\b", answer.text)
            # A search counts a thousand of each state and then says "and more".
            fits = counted and (int(counted[1]) == total or (counted[2] and COUNTED_MAX <= int(counted[1]) < total))
            return None if fits else f"the count {total} is missing."

        return check

    def _title_says(self, answer: Answer) -> str | None:
        title = self._value("SELECT title FROM application WHERE reference = %s", answer.path.rpartition("/")[2])
        return None if answer.status == 200 and str(title) in unescape(answer.text) else f"{title} is missing."

    def _all_scores_say(self, answer: Answer) -> str | None:
        names = self._column(
            "SELECT u.name FROM application a JOIN assignment s ON s.application_id = a.id JOIN evaluator e "
            "ON e.id = s.evaluator_id JOIN user_account u ON u.id = e.user_id WHERE a.reference = %s AND s.state = 'active'",
            answer.path.rpartition("/")[2],
        )
        missing = [name for name in names if name not in unescape(answer.text)]
        return None if answer.status == 200 and len(names) == 3 and not missing else f"{missing} are missing."

    def _changed_ranking(self, number: int) -> str:
        self._connection.execute(
            "UPDATE application SET title = regexp_replace(title, ' [0-9]*$', '') || ' ' || %s WHERE id = (SELECT a.id FROM application a "
            "JOIN call c ON c.id = a.call_id WHERE c.slug = %s AND a.state = 'under_evaluation' ORDER BY a.reference LIMIT 1)",
            [number, self.call],
        )
        return f"/calls/{self.call}/ranking"

    def _order_says(self, answer: Answer) -> str | None:
        """The first part of the list shows the highest sums, in their order."""
        sums = self._sums()
        order = list(dict.fromkeys(ref for ref in re.findall(r"[A-Z]+-\d{4}-A-\d{4,}", answer.text) if ref in sums))
        highest = sorted(sums.values(), reverse=True)[:RANKED_ON_A_PAGE]
        if answer.status != 200 or len(order) != len(highest):
            return f"{len(order)} of the first {len(highest)} ranked applications are shown."
        return None if [sums[ref] for ref in order] == highest else "it is not in the order of the scores."

    def _whole_order_says(self, answer: Answer) -> str | None:
        """All ranked applications in the order of their sums; what is selected fits into the budget of the call."""
        sums = self._sums()
        rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
        if answer.status != 200 or sorted(row["Reference"] for row in rows) != sorted(sums):
            return f"{len(rows)} of {len(sums)} ranked applications are listed."
        if [sums[row["Reference"]] for row in rows] != sorted(sums.values(), reverse=True):
            return "it is not in the order of the scores."
        free = self._value(
            "SELECT sum(CASE l.side WHEN 'debit' THEN l.cents ELSE -l.cents END) FROM ledger_leg l JOIN call c "
            "ON c.id = l.call_id WHERE l.account = 'B100' AND c.slug = %s",
            self.call,
        )
        used = _asked(row for row in rows if row["Outcome"] == "Selected")
        # Whoever shares a rank is selected together or not at all, so that a rank too dear for the budget leaves nobody.
        first = _asked(row for row in rows if row["Rank"] == "1")
        return None if used <= free and (used > 0 or first > free) else f"{used} cents are selected of {free}."

    def _sums(self) -> dict[Any, Any]:
        """The sum of half points of each application of the ranked call, by reference."""
        return dict(
            self._rows(
                "SELECT a.reference, sum(s.half) FROM application a JOIN call c ON c.id = a.call_id JOIN consensus k "
                "ON k.application_id = a.id JOIN consensus_score s ON s.consensus_id = k.id WHERE c.slug = %s AND k.state = 'agreed' "
                "GROUP BY a.reference",
                self.call,
            )
        )

    def _payments_say(self, answer: Answer) -> str | None:
        orders, cents = self._row(
            "SELECT count(*), coalesce(sum(amount), 0) FROM payment_order WHERE state IN ('prepared', 'verified', 'authorised', 'in_file', 'sent')"
        )
        said = re.search(r"(\d+) on the way, EUR ([^<]+?) in all", answer.text)
        found = said and (int(said[1]), int(re.sub(r"\D", "", said[2])))
        return (
            None
            if answer.status == 200 and found == (orders, cents)
            else f"it says {found}, SQL says {(orders, cents)}."
        )

    def _sheet_says(self, answer: Answer) -> str | None:
        wrong = self._title_says(answer)
        if wrong:
            return wrong
        fields = [each for each in forms_of(answer) if any(name.startswith("comment_") for name in each.fields)]
        return None if fields and 'name="half_' in answer.text else "there is no score sheet."

    def _stands_in_the_form(self, answer: Answer) -> str | None:
        """The longest answer of the section stands in a field, word for word."""
        stored = self._value(_ANSWERS + " ORDER BY length(s.text) DESC, s.question_key LIMIT 1", *_section_of(answer))
        shown = [
            " ".join(text.split()) for form in forms_of(answer) for texts in form.fields.values() for text in texts
        ]
        return None if " ".join(stored.split()) in shown else "the stored answer stands in no field."

    def _stored_score_says(self, answer: Answer) -> str | None:
        """The half points and the reasons of this sending are what is stored, and nothing else is."""
        if answer.status != 303:
            return "the sheet was not saved."
        sent = {
            name.removeprefix("half_"): (
                int(str(value)),
                str(answer.sent[f"comment_{name.removeprefix('half_')}"]).strip(),
            )
            for name, value in answer.sent.items()
            if name.startswith("half_")
        }
        stored = {
            key: (half, said) for key, half, said in self._rows(_SCORES, answer.path.rpartition("/")[2], self.scorer)
        }
        return None if sent and sent == stored else f"{stored} is stored, sent was {sent}."

    def _submitted_says(self, answer: Answer) -> str | None:
        states = self._column(_STATES, answer.path.rpartition("/")[2], self.scorer)
        if answer.status != 303 or states != ["submitted"]:
            return f"the sheet is {states}."
        return self._stored_score_says(answer)

    def _saved_says(self, answer: Answer) -> str | None:
        """The text of this sending, which no other has, stands in one answer of the section."""
        sent = [str(value).strip() for value in answer.sent.values() if str(value).startswith("Measured ")]
        stored = [text for text in self._column(_ANSWERS, *_section_of(answer)) if text.strip() in sent]
        return (
            None
            if answer.status == 303 and len(stored) == 1 == len(sent)
            else f"{len(stored)} answers are stored, 1 was sent."
        )

    def _authorised_says(self, answer: Answer) -> str | None:
        state, told = self._row(
            "SELECT o.state, (SELECT count(*) FROM audit_event e WHERE e.object_id = o.id AND e.verb = 'payment_order.authorise') "
            "FROM payment_order o WHERE o.reference = %s",
            answer.path.split("/")[3],
        )
        return (
            None
            if answer.status == 303 and (state, told) == ("authorised", 1)
            else f"the order is {state}, recorded {told} times."
        )

    # --- asking the database ----------------------------------------------------------------------------------------

    def _sent(self, rest: str, *values: Any) -> list[str]:
        return self._column(f"SELECT reference FROM application WHERE submission_id IS NOT NULL {rest}", *values)


_SEATS = (
    " FROM assignment s JOIN application a ON a.id = s.application_id JOIN call c ON c.id = a.call_id "
    "JOIN evaluator e ON e.id = s.evaluator_id JOIN user_account u ON u.id = e.user_id "
    "LEFT JOIN assessment x ON x.assignment_id = s.id WHERE c.slug LIKE 'streets-scored%%' "
)
_UNSUBMITTED = "SELECT u.handle, a.reference" + _SEATS + "AND x.state IS DISTINCT FROM 'submitted'"
_UNSUBMITTED_REFS = "SELECT a.reference" + _SEATS + "AND x.state IS DISTINCT FROM 'submitted' AND u.handle = %s"
_STATES = "SELECT x.state" + _SEATS + "AND a.reference = %s AND u.handle = %s"
_SCORES = (
    "SELECT h.criterion, h.half, h.comment FROM assessment_score h WHERE h.assessment_id = (SELECT x.id"
    + _SEATS
    + "AND a.reference = %s AND u.handle = %s)"
)
_ANSWERS = (
    "SELECT s.text FROM application a JOIN dossier_answer s ON s.dossier_id = a.dossier_id "
    "WHERE a.reference = %s AND s.section_key = %s"
)


def _section_of(answer: Answer) -> tuple[str, str]:
    """Reference and section of the address /applications/<ref>/sections/<key>."""
    _, _, ref, _, section = answer.path.split("?")[0].split("/")
    return ref, section


def _asked(rows: Iterable[dict[str, str]]) -> int:
    """What the rows of a ranked list ask for together, in cents."""
    return sum(int(row["Asked for, EUR"].replace(".", "")) for row in rows)


def _scores(go: str) -> Callable[[int, Form], Fields]:
    """Other half points for each criterion each time, with a reason nobody gave before."""

    def typed(number: int, form: Form) -> Fields:
        keys = sorted(name.removeprefix("comment_") for name in form.fields if name.startswith("comment_"))
        marks = {f"half_{key}": str((number + place) % 11) for place, key in enumerate(keys)} | {
            f"comment_{key}": new_words(number) for key in keys
        }
        return {**marks, "go": go}

    return typed


def _longer(number: int, form: Form) -> Fields:
    """Another text in the longest answer of the section."""
    longest = max(form.fields, key=lambda name: len(form.fields[name][0]) if form.fields[name] else 0)
    return {longest: new_words(number), "go": "stay"}
