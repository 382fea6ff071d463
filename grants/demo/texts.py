"""What people of the demo write: a call file, answers, score sheets and letters, plainly invented, the same at every load."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from xml.sax.saxutils import escape

from grants.budgets.rules import ItemKind
from grants.calls.rules import CallView, Scale
from grants.core.money import Money, total
from grants.demo.reasons import reasons
from grants.documents.pdf.paper import Paper
from grants.dossiers.rules import CONFIRMED, Answer, Question, QuestionKind
from grants.evaluation.rules import MarkInput, SheetInput
from grants.payments.rules.sepa.values import decimal

OTHERS_NOTE = (
    "Invented for the demo: which applications were not selected in 2022 is not public, only how many there were. "
    "Municipality, title, amount and reason are synthetic."
)
INVENTED = "This municipality, its people, texts and amounts are invented."

# A work plan: work packages with their months, and lines with theirs.
_TASK, _MILESTONE, _DELIVERABLE = ItemKind.TASK, ItemKind.MILESTONE, ItemKind.DELIVERABLE
PLAN = (
    ("Prepare with the residents", (1, 8), (
        (_TASK, "Visit every household of the two blocks", (1, 5)),
        (_TASK, "Choose the order of works with the residents", (3, 7)),
        (_MILESTONE, "Residents agree on the order of works", (7, 7)),
        (_DELIVERABLE, "Plan of works, with costs by flat", (8, 8)),
    )),
    ("Renovate and measure", (6, 20), (
        (_TASK, "Insulate roofs and cellars", (6, 14)),
        (_TASK, "Replace the gas boilers by heat pumps", (10, 18)),
        (_MILESTONE, "First block is warm without gas", (15, 15)),
        (_DELIVERABLE, "A winter of measured heat demand", (20, 20)),
    )),
    ("Share what was learned", (12, 24), (
        (_TASK, "Show the works to neighbouring cities", (12, 22)),
        (_DELIVERABLE, "Guide for the next ten blocks", (24, 24)),
    )),
)  # fmt: skip

CALL = """\
schema_version: 1
call:
  id: "{title} {year}"
  title: "{title} {year} (invented)"
  invented: true
  year: {year}
  parent_grant:
    number: "DEMO-1"
    acronym: Demo Fund
    framework: Invented framework
    rules:
      recipients: Municipalities, and the organisations they lead
      procedure: Independent evaluators score each criterion; a panel confirms the ranked list
      funding_rate_percent_max: 100
      flat_rate_percent_max: 25
      opening_months_min: 1
dates:
  opens: {{local: "{opens}", time: "09:00"}}
  short_opening_reason: Invented for the demonstration
  deadline_original: {{literal: "{literal}", iso: "{closes}"}}
budget:
  total: {total}
grant_bands_eur:
  - {{code: A, amount: {award}}}
duration_months: 24
"""

THOUGHTS = (
    "The quarter has four hundred flats from the nineteen-sixties, and most of them are heated with gas.",
    "Tenants and owners sit at one table from the first month, with an interpreter where one is needed.",
    "The city changes its own rule on shared roofs first, so that nobody has to ask for an exception.",
    "What is learned is written down after each quarter and read aloud in the council.",
    "A loan is paid back from the saving, and the bank has seen the numbers.",
    "Two streets begin; the third watches, and decides after the first winter.",
)


def sentences(seed: str, count: int) -> str:
    """Plainly invented sentences, the same for the same seed."""
    start = sum(seed.encode()) % len(THOUGHTS)
    chosen = [THOUGHTS[(start + step) % len(THOUGHTS)] for step in range(count)]
    return " ".join(chosen) + " (Invented text of the demo.)"


def two_of(offered: Sequence[str], seed: str) -> tuple[str, ...]:
    """One or two of what is offered, in its order; the same for the same seed."""
    start = sum(seed.encode())
    picked = {start % len(offered), start // len(offered) % len(offered)}
    return tuple(offered[place] for place in sorted(picked))


def answer(question: Question, title: str, number: int = 12) -> Answer:
    """What an application answers; ``number`` where a number is asked for."""
    if question.asked_if is not None and question.asked_if.answers == ("yes",):
        return Answer(question.key)
    match question.kind:
        case QuestionKind.CHOICE if {choice.value for choice in question.choices} == {"yes", "no"}:
            # A declaration: nothing that would need an explanation.
            return Answer(question.key, picked=("no",))
        case QuestionKind.CHOICE:
            return Answer(question.key, picked=(question.choices[0].value,))
        case QuestionKind.MULTICHOICE:
            offered = [choice.value for choice in question.choices]
            return Answer(question.key, picked=two_of(offered, title))
        case QuestionKind.CONFIRMATION:
            return Answer(question.key, picked=(CONFIRMED,))
        case QuestionKind.NUMBER | QuestionKind.MONEY:
            return Answer(question.key, str(number))
        case QuestionKind.DATE:
            return Answer(question.key, "1 May 2027")
        case QuestionKind.TABLE:
            return Answer(question.key, "\t".join("1" for _ in question.columns))
        case QuestionKind.LONG:
            return Answer(question.key, sentences(question.key + title, 5 if (question.words_max or 0) > 150 else 1))
        case _:
            return Answer(question.key, f"{title} (invented)")


def halves(name: str, number: int) -> tuple[int, int, int]:
    """Scores that differ from person to person, the same at every load."""
    lean = sum(name.encode()) + number
    return 7 + lean % 3, 6 + lean % 4, 7 + lean % 2


def halves_about(agreed: Sequence[int], name: str, number: int) -> tuple[int, ...]:
    """Scores of one person about what the evaluators will agree on, from nought to five points.

    One in six is severe and one mild, by half a point at each criterion; chance, the same at every load, is another half
    point up or down at half of all marks.
    """
    lean = {0: -1, 5: 1}.get(sum(name.encode()) % 6, 0)
    chance = (sha256(f"{name} {number} {place}".encode()).digest()[0] % 4 for place in range(len(agreed)))
    return tuple(min(10, max(0, half + lean + (-1, 0, 0, 1)[by])) for half, by in zip(agreed, chance, strict=True))


def on_scale(halves: Sequence[int], scale: Scale) -> tuple[int, ...]:
    """Scores from nought to five points as the nearest marks of the scale of a call, of two as near the lower one.

    >>> on_scale((9, 8, 5), Scale()), on_scale((9, 8, 5), Scale(20, marks_half=(0, 6, 14, 20)))
    ((9, 8, 5), (20, 14, 6))
    """
    return tuple(min(scale.marks, key=lambda mark: (abs(10 * mark - half * scale.max_half), mark)) for half in halves)


def sheet(call: CallView, halves: Sequence[int], what: str) -> SheetInput:
    """A score sheet with these half points and an invented comment for each criterion, by ``what`` another for each sheet."""
    most, keys = call.content.scale.max_half, [criterion.key for criterion in call.content.criteria]
    marks = tuple(MarkInput(key, half, reasons(key, half, most, what)) for key, half in zip(keys, halves, strict=True))
    return SheetInput(marks, "Invented for the demo.")


@functools.cache
def letter(title: str) -> bytes:
    """A letter of mandate, as PDF, that says it is invented."""
    paper = Paper(title="Letter of mandate", head="Demo · Letter of mandate", foot="Invented document of the demo")
    paper.paragraph(f"The council supports the pilot “{title}” and names who signs for it. {INVENTED}")
    return paper.finished()


def suspension_notice(words: str) -> bytes:
    """The notice by which a grant is suspended, as PDF, that says it is invented."""
    return paper("Notice of suspension", f"We suspend your grant. {words}")


def bank_letter(holder: str) -> bytes:
    """A letter of a bank about an account, as PDF, that says it is invented."""
    return paper("Letter of the bank", f"We confirm that {holder} holds the account that the payee named.")


def paper(title: str, words: str) -> bytes:
    """A document of one paragraph, as PDF, that says it is invented."""
    made = Paper(title=title, head=f"Demo · {title}", foot="Invented document of the demo")
    made.paragraph(f"{words} {INVENTED}")
    return made.finished()


@dataclass(frozen=True, slots=True)
class Booking:
    """One line of a bank statement: what moved, the bank's number of it, what for, and whose it was."""

    signed: Money
    number: str
    about: str
    # By what the programme called the payment; empty where the bank names none.
    payment: str = ""
    name: str = "Invented Bank"
    iban: str = ""
    # Why a payment came back, as the code of the bank.
    returned: str = ""


# What the bank of the demo charged on a day, and what nobody knows at first.
CHARGE = Booking(-Money(12_50), "DEMO-B-2", "Charge for the account, synthetic")
UNKNOWN = Booking(-Money(75_00), "DEMO-B-3", "Subscription, synthetic", name="Invented Printing House")


def statement(
    own_iban: str, day: date, opening: Money, bookings: Sequence[Booking], *, closing: Money | None = None
) -> bytes:
    """A statement of one day of an invented bank (camt.053.001.08); ``closing`` where it does not add up."""
    entries = "".join(_booked(day, each) for each in bookings)
    end = opening + total(each.signed for each in bookings) if closing is None else closing
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!-- Synthetic: a statement of no bank, written for the demo. -->\n'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>DEMO-{day:%Y%m%d}</MsgId><CreDtTm>{day}T21:00:00Z</CreDtTm></GrpHdr>"
        f"<Stmt><Id>DEMO-{day:%Y%m%d}</Id><ElctrncSeqNb>{day:%j}</ElctrncSeqNb><CreDtTm>{day}T21:00:00Z</CreDtTm>"
        f"<FrToDt><FrDtTm>{day}T00:00:00</FrDtTm><ToDtTm>{day}T23:59:59</ToDtTm></FrToDt>"
        f"<Acct><Id><IBAN>{own_iban}</IBAN></Id><Ccy>EUR</Ccy></Acct>"
        f"{_balance('OPBD', opening, day)}{_balance('CLBD', end, day)}{entries}"
        "</Stmt></BkToCstmrStmt></Document>\n"
    ).encode()


def status_report(message: str, told: Sequence[tuple[str, Money, str, str]]) -> bytes:
    """The report of an invented bank on a file (pain.002.001.10): each payment with its amount, what became of it, and why."""
    parts = "".join(
        f"<TxInfAndSts><OrgnlInstrId>{name}</OrgnlInstrId><OrgnlEndToEndId>{name}</OrgnlEndToEndId><TxSts>{code}</TxSts>"
        + (f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf>" if reason else "")
        + f'<OrgnlTxRef><Amt><InstdAmt Ccy="EUR">{decimal(amount.cents)}</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts>'
        for name, amount, code, reason in told
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!-- Synthetic: a report of no bank, written for the demo. -->\n'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>'
        f"<GrpHdr><MsgId>DEMO-R-{message}</MsgId><CreDtTm>2026-01-01T10:00:00Z</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{message}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>"
        "<GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>"
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{message}-1</OrgnlPmtInfId>{parts}</OrgnlPmtInfAndSts>"
        "</CstmrPmtStsRpt></Document>\n"
    ).encode()


def _balance(code: str, amount: Money, day: date) -> str:
    return f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amount(amount)}<Dt><Dt>{day}</Dt></Dt></Bal>"


def _amount(signed: Money) -> str:
    way = "DBIT" if signed.cents < 0 else "CRDT"
    return f'<Amt Ccy="EUR">{decimal(abs(signed.cents))}</Amt><CdtDbtInd>{way}</CdtDbtInd>'


def _booked(day: date, about: Booking) -> str:
    role = "Cdtr" if about.signed.cents < 0 else "Dbtr"
    account = f"<{role}Acct><Id><IBAN>{about.iban}</IBAN></Id></{role}Acct>" if about.iban else ""
    back = f"<RtrInf><Rsn><Cd>{about.returned}</Cd></Rsn></RtrInf>" if about.returned else ""
    return (
        f"<Ntry>{_amount(about.signed)}<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>"
        f"<AcctSvcrRef>{about.number}</AcctSvcrRef><NtryDtls><TxDtls>"
        f"<Refs><EndToEndId>{about.payment or 'NOTPROVIDED'}</EndToEndId></Refs>"
        f"<RltdPties><{role}><Pty><Nm>{escape(about.name)}</Nm></Pty></{role}>{account}</RltdPties>"
        f"<RmtInf><Ustrd>{escape(about.about)}</Ustrd></RmtInf>{back}</TxDtls></NtryDtls></Ntry>"
    )
