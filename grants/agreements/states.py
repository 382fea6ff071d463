"""The states of a grant from preparation to closure, of a payee's bank account, and of a milestone."""

from __future__ import annotations

from enum import StrEnum

from grants.core.permissions import Permission
from grants.core.states import Machine, Transition


class GrantState(StrEnum):
    """A selected application is not yet a grant: preparation can fail; the award is the signature of both sides."""

    PREPARATION = "preparation"
    READY_TO_SIGN = "ready_to_sign"
    IN_FORCE = "in_force"
    TERMINATED = "terminated"
    CLOSED = "closed"
    DROPPED = "dropped"


G = GrantState

GRANT = Machine(
    "grant",
    GrantState,
    G.PREPARATION,
    [
        Transition("offer", (G.PREPARATION,), G.READY_TO_SIGN, Permission.AGREEMENT_PREPARE),
        Transition("take_back", (G.READY_TO_SIGN,), G.PREPARATION, Permission.AGREEMENT_PREPARE),
        Transition("enter_into_force", (G.READY_TO_SIGN,), G.IN_FORCE, Permission.AGREEMENT_SIGN_PROGRAMME),
        # The program, on the day that two people fixed: its work is over, its reports and its money are not.
        Transition("terminate", (G.IN_FORCE,), G.TERMINATED, Permission.TERMINATION_CARRY_OUT),
        Transition("close", (G.IN_FORCE, G.TERMINATED), G.CLOSED, Permission.AGREEMENT_CLOSE),
        Transition("drop", (G.PREPARATION, G.READY_TO_SIGN), G.DROPPED, Permission.AGREEMENT_PREPARE),
        Transition("decline", (G.PREPARATION, G.READY_TO_SIGN), G.DROPPED, Permission.AGREEMENT_SIGN_CITY),
        # The program, the night after the last day of the preparation.
        Transition("lapse", (G.PREPARATION, G.READY_TO_SIGN), G.DROPPED, Permission.AGREEMENT_LAPSE),
    ],
)


# Nothing more is due, asked for or paid, and nothing of it is open.
ENDED = (G.CLOSED, G.DROPPED)
# Signed and not settled yet: its reports are written and judged, its balance is paid or what was paid too much comes back.
# Whether its work goes on as well is another question: that is G.IN_FORCE alone.
RUNNING = (G.IN_FORCE, G.TERMINATED)
# Ever signed by both sides: awarded, whatever became of it.
SIGNED = (*RUNNING, G.CLOSED)


def values(states: tuple[GrantState, ...]) -> tuple[str, ...]:
    """The states as tables hold them, for a condition of a query."""
    return tuple(state.value for state in states)


class RevisionState(StrEnum):
    """Where the budget and the description of a grant in preparation stand; both are fixed while somebody looks at them."""

    DRAFT = "draft"
    SENT = "sent"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    NONE_NEEDED = "none_needed"


R = RevisionState

REVISION = Machine(
    "revision",
    RevisionState,
    R.DRAFT,
    [
        Transition("send", (R.DRAFT, R.RETURNED), R.SENT, Permission.AGREEMENT_ANSWER),
        Transition("accept", (R.SENT,), R.ACCEPTED, Permission.AGREEMENT_PREPARE),
        # What was accepted is opened again the same way, with words.
        Transition("return", (R.SENT, R.ACCEPTED), R.RETURNED, Permission.AGREEMENT_PREPARE),
        Transition("need_none", (R.DRAFT, R.RETURNED), R.NONE_NEEDED, Permission.AGREEMENT_PREPARE),
        # Whoever writes after that begins a revision after all.
        Transition("begin", (R.NONE_NEEDED,), R.DRAFT, Permission.AGREEMENT_ANSWER),
    ],
)

# Only what both sides agreed on is offered.
AGREED = (R.ACCEPTED, R.NONE_NEEDED)


class RevisionKind(StrEnum):
    """What was frozen: a revision the city sent, or the application’s own budget and description as they stand."""

    SENT = "sent"
    NONE_NEEDED = "none_needed"


class BankAccountState(StrEnum):
    """An account is paid to only after a second person has confirmed it; a change starts again."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    REPLACED = "replaced"
    REFUSED = "refused"


B = BankAccountState

BANK_ACCOUNT = Machine(
    "bank account",
    BankAccountState,
    B.PROPOSED,
    [
        Transition("confirm", (B.PROPOSED,), B.CONFIRMED, Permission.BANK_ACCOUNT_CONFIRM),
        Transition("refuse", (B.PROPOSED,), B.REFUSED, Permission.BANK_ACCOUNT_CONFIRM),
        Transition("replace", (B.PROPOSED, B.CONFIRMED), B.REPLACED, Permission.BANK_ACCOUNT_ENTER),
    ],
)


class CheckChannel(StrEnum):
    """The way by which a second person checked an account: another one than it came by."""

    LETTER = "letter"
    CALL_BACK = "call_back"
    REGISTER = "register"
    IN_PERSON = "in_person"

    @property
    def words(self) -> str:
        """For pages."""
        return {
            CheckChannel.LETTER: "Letter of the bank, asked for by the programme itself",
            CheckChannel.CALL_BACK: "Call back, to a number that is not from the payee’s message",
            CheckChannel.REGISTER: "Public register",
            CheckChannel.IN_PERSON: "In person",
        }[self]


class PayeeMatch(StrEnum):
    """What a bank answers when asked whether an account is this holder’s (verification of payee)."""

    MATCH = "match"
    CLOSE_MATCH = "close_match"
    NO_MATCH = "no_match"
    NOT_POSSIBLE = "not_possible"

    @property
    def words(self) -> str:
        """For pages."""
        return {
            PayeeMatch.MATCH: "Match",
            PayeeMatch.CLOSE_MATCH: "Close match: the bank gave a name that differs a little",
            PayeeMatch.NO_MATCH: "No match",
            PayeeMatch.NOT_POSSIBLE: "Not possible: the bank could not be asked",
        }[self]


class MilestoneState(StrEnum):
    """Planned until the city reports it; the officer accepts or returns it."""

    PLANNED = "planned"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    ACCEPTED = "accepted"


M = MilestoneState

MILESTONE = Machine(
    "milestone",
    MilestoneState,
    M.PLANNED,
    [
        Transition("report", (M.PLANNED, M.RETURNED), M.SUBMITTED, Permission.REPORT_SUBMIT),
        Transition("return", (M.SUBMITTED,), M.RETURNED, Permission.REPORT_ACCEPT),
        Transition("accept", (M.SUBMITTED,), M.ACCEPTED, Permission.REPORT_ACCEPT),
    ],
)


class PaymentKind(StrEnum):
    """The payments of a grant's life, and what is paid beside them: interest for a payment that came late."""

    PREFINANCING = "prefinancing"
    ADDITIONAL = "additional"
    INTERIM = "interim"
    BALANCE = "balance"
    LATE_INTEREST = "late_interest"


# What is paid before there are costs.
IN_ADVANCE = (PaymentKind.PREFINANCING, PaymentKind.ADDITIONAL)


class CheckAnswer(StrEnum):
    """The answer to one due-diligence item."""

    OPEN = "open"
    DONE = "done"
    NOT_APPLICABLE = "not_applicable"


class ConditionKey(StrEnum):
    """The conditions of grant preparation (domain.md 10), in the order of the page."""

    LEGAL_ENTITY = "legal_entity"
    POWER_TO_SIGN = "power_to_sign"
    COUNCIL_DECISION = "council_decision"
    EXCLUSION = "exclusion"
    SANCTIONS = "sanctions"
    CONSORTIUM_AGREEMENT = "consortium_agreement"
    FINANCIAL_CAPACITY = "financial_capacity"
    STATE_AID = "state_aid"
    DOUBLE_FUNDING = "double_funding"


class AskedOf(StrEnum):
    """Who answers a condition: the city by a page, the programme by a page, or what the register of organisations holds."""

    CITY = "city"
    PROGRAMME = "programme"
    REGISTER = "register"


class ConditionStanding(StrEnum):
    """Where one answer stands; derived from what was stated and judged, and from the day."""

    NOT_ASKED = "not_asked"
    OPEN = "open"
    ANSWERED = "answered"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    NOT_IN_TIME = "not_in_time"


class Verdict(StrEnum):
    """What a second person says of an answer."""

    ACCEPTED = "accepted"
    RETURNED = "returned"


class AidKind(StrEnum):
    """Whether what a beneficiary receives is aid to an undertaking, and by which rule it may be given."""

    NONE = "none"
    DE_MINIMIS = "de_minimis"
    EXEMPTED = "exempted"

    @property
    def words(self) -> str:
        """For pages."""
        return {
            AidKind.NONE: "No state aid: no economic activity is supported",
            AidKind.DE_MINIMIS: "De minimis aid",
            AidKind.EXEMPTED: "State aid under an exemption",
        }[self]


class ConsortiumStage(StrEnum):
    """How far the consortium agreement is."""

    SIGNED = "signed"
    AGREED = "agreed"

    @property
    def words(self) -> str:
        """For pages."""
        return {
            ConsortiumStage.SIGNED: "Signed by all",
            ConsortiumStage.AGREED: "Not signed yet; its effective date is agreed",
        }[self]


class Side(StrEnum):
    """Who signs the grant agreement."""

    CITY = "city"
    PROGRAMME = "programme"


class OfferSubject(StrEnum):
    """What is offered for signature."""

    AGREEMENT = "agreement"
    AMENDMENT = "amendment"
    LETTER = "letter"

    @property
    def words(self) -> str:
        """For pages."""
        return {
            OfferSubject.AGREEMENT: "Grant agreement",
            OfferSubject.AMENDMENT: "Amendment",
            OfferSubject.LETTER: "Exchange of letters",
        }[self]


class OfferEnd(StrEnum):
    """How an offer came to its end."""

    TAKEN_BACK = "taken_back"
    SIGNED = "signed"
    DROPPED = "dropped"
    DECLINED = "declined"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"
    AGREED = "agreed"

    @property
    def words(self) -> str:
        """Within a sentence."""
        return {
            OfferEnd.TAKEN_BACK: "taken back by the programme",
            OfferEnd.SIGNED: "signed by both sides",
            OfferEnd.DROPPED: "dropped by the programme",
            OfferEnd.DECLINED: "declined by the city",
            OfferEnd.LAPSED: "not signed by the last day",
            OfferEnd.WITHDRAWN: "withdrawn with its amendment",
            OfferEnd.AGREED: "agreed by an exchange of letters",
        }[self]


class AmendmentKind(StrEnum):
    """What an amendment changes."""

    BUDGET_SHIFT = "budget_shift"
    PARTNER_IN = "partner_in"
    PARTNER_OUT = "partner_out"
    EXTENSION = "extension"
    SCOPE = "scope"
    BANK_ACCOUNT = "bank_account"

    @property
    def words(self) -> str:
        """For pages and papers."""
        return {
            AmendmentKind.BUDGET_SHIFT: "Shift of budget",
            AmendmentKind.PARTNER_IN: "A partner joins",
            AmendmentKind.PARTNER_OUT: "A partner leaves",
            AmendmentKind.EXTENSION: "Extension",
            AmendmentKind.SCOPE: "Change of what is done",
            AmendmentKind.BANK_ACCOUNT: "Account that is paid",
        }[self]


class AmendmentState(StrEnum):
    """An amendment is drafted and sent by one side, accepted by the programme, offered, and in force once both signed.

    A request that nobody answers in time is refused by that; a letter is in force with the consent of the other side.
    """

    DRAFTED = "drafted"
    SENT = "sent"
    OFFERED = "offered"
    IN_FORCE = "in_force"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


A = AmendmentState

AMENDMENT = Machine(
    "amendment",
    AmendmentState,
    A.DRAFTED,
    [
        Transition("send", (A.DRAFTED,), A.SENT, Permission.AMENDMENT_PROPOSE),
        Transition("accept", (A.SENT,), A.OFFERED, Permission.AMENDMENT_ANSWER),
        Transition("enter_into_force", (A.OFFERED,), A.IN_FORCE, Permission.AGREEMENT_SIGN_PROGRAMME),
        # Of a letter: the answer of the other side.
        Transition("consent", (A.SENT,), A.IN_FORCE, Permission.AMENDMENT_ANSWER),
        Transition("refuse", (A.SENT,), A.REFUSED, Permission.AMENDMENT_ANSWER),
        # Whoever would sign or consent for the city says that it does not.
        Transition("decline", (A.SENT, A.OFFERED), A.REFUSED, Permission.AGREEMENT_SIGN_CITY),
        # The program, in the night after the last day to answer.
        Transition("fall_silent", (A.SENT,), A.REFUSED, Permission.AGREEMENT_LAPSE),
        Transition("withdraw", (A.DRAFTED, A.SENT, A.OFFERED), A.WITHDRAWN, Permission.AMENDMENT_PROPOSE),
        Transition("take_back", (A.OFFERED,), A.WITHDRAWN, Permission.AMENDMENT_ANSWER),
        # With its grant: on the day of the termination by the program, or by its closure.
        Transition("terminate", (A.DRAFTED, A.SENT, A.OFFERED), A.WITHDRAWN, Permission.TERMINATION_CARRY_OUT),
        Transition("close", (A.DRAFTED, A.SENT, A.OFFERED), A.WITHDRAWN, Permission.AGREEMENT_CLOSE),
    ],
)

# Still on its way to an end.
OPEN_AMENDMENT = (A.DRAFTED, A.SENT, A.OFFERED)
# Known to both sides: one of them at a time for each grant. A draft is known to its own side alone, and blocks nobody else.
KNOWN_AMENDMENT = (A.SENT, A.OFFERED)


class HoldReason(StrEnum):
    """Why a grant, or the part of one beneficiary, is suspended (Model Grant Agreement, article 31)."""

    REQUESTED = "requested"
    FORCE_MAJEURE = "force_majeure"
    BREACH = "breach"
    IRREGULARITY = "irregularity"
    OTHER = "other"

    @property
    def words(self) -> str:
        """For pages and mails."""
        return {
            HoldReason.REQUESTED: "Asked for by the city: exceptional circumstances make the work impossible or very hard",
            HoldReason.FORCE_MAJEURE: "Force majeure",
            HoldReason.BREACH: "Substantial errors, or a serious breach of obligations",
            HoldReason.IRREGULARITY: "Irregularities or fraud are suspected and looked into",
            HoldReason.OTHER: "Another reason, said in the notice",
        }[self]


class AccessionStanding(StrEnum):
    """Where a partner stands with its accession; derived from what was signed or ended, and from the day."""

    WAITING = "waiting"
    OVERDUE = "overdue"
    ACCEDED = "acceded"
    LEFT = "left"
    ENDED = "ended"


class TerminationState(StrEnum):
    """Proposed by one side, objected to by the other or not, and confirmed by a second person, or withdrawn."""

    PROPOSED = "proposed"
    OBJECTED = "objected"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"


T = TerminationState

TERMINATION = Machine(
    "termination",
    TerminationState,
    T.PROPOSED,
    [
        Transition("object", (T.PROPOSED,), T.OBJECTED, Permission.TERMINATION_OBJECT),
        # An objection is answered, and keeps nobody from ending the grant.
        Transition("confirm", (T.PROPOSED, T.OBJECTED), T.CONFIRMED, Permission.TERMINATION_CONFIRM),
        Transition("withdraw", (T.PROPOSED, T.OBJECTED), T.WITHDRAWN, Permission.TERMINATION_PROPOSE),
    ],
)

# Whatever is one of these keeps another termination of the same grant, or of the same partner’s part, from being proposed.
STANDING_TERMINATIONS = (T.PROPOSED, T.OBJECTED, T.CONFIRMED)


class TerminationReason(StrEnum):
    """Why a grant is ended before its time (Model Grant Agreement, article 32)."""

    REQUESTED = "requested"
    FORCE_MAJEURE = "force_majeure"
    NOT_CARRIED_OUT = "not_carried_out"
    BREACH = "breach"
    IRREGULARITY = "irregularity"
    INSOLVENCY = "insolvency"
    NOT_ACCEDED = "not_acceded"
    CHANGE = "change"
    OTHER = "other"

    @property
    def words(self) -> str:
        """For pages and mails."""
        return {
            TerminationReason.REQUESTED: "Asked for by the city: the pilot cannot be carried out any more, or makes no sense any more",
            TerminationReason.FORCE_MAJEURE: "Force majeure",
            TerminationReason.NOT_CARRIED_OUT: "The pilot is not carried out, or only poorly, partly or late",
            TerminationReason.BREACH: "Substantial errors, or a serious breach of obligations",
            TerminationReason.IRREGULARITY: "Irregularities or fraud",
            TerminationReason.INSOLVENCY: "A beneficiary is insolvent, is wound up or has stopped its work",
            TerminationReason.NOT_ACCEDED: "The partner did not accede to the agreement in time",
            TerminationReason.CHANGE: "A change of a beneficiary puts the award or the pilot in question",
            TerminationReason.OTHER: "Another reason, said in the notice",
        }[self]


class TransferLevel(StrEnum):
    """What a move of budget took: nothing, or a notice to the programme. What takes an amendment is never one of these."""

    FREE = "free"
    NOTIFY = "notify"


class SignatureMethod(StrEnum):
    """How a signature was given."""

    RECORDED = "recorded"
    UPLOADED = "uploaded"

    @property
    def words(self) -> str:
        """For pages and papers, after the name."""
        return {
            SignatureMethod.RECORDED: "recorded in this program after signing in anew",
            SignatureMethod.UPLOADED: "on a signed document that was uploaded and checked",
        }[self]


class UploadKind(StrEnum):
    """What a signed document that is uploaded is."""

    QUALIFIED = "qualified"
    SCAN = "scan"

    @property
    def words(self) -> str:
        """For pages."""
        return {
            UploadKind.QUALIFIED: "Signed electronically (a qualified signature of any provider)",
            UploadKind.SCAN: "Scan of a document that was signed by hand",
        }[self]


class UploadState(StrEnum):
    """A signed document counts only after a second person has checked it."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


U = UploadState

SIGNED_UPLOAD = Machine(
    "signed document",
    UploadState,
    U.PROPOSED,
    [
        Transition("accept", (U.PROPOSED,), U.ACCEPTED, Permission.AGREEMENT_CHECK_SIGNED),
        Transition("refuse", (U.PROPOSED,), U.REFUSED, Permission.AGREEMENT_CHECK_SIGNED),
        # By whoever uploaded it.
        Transition("withdraw", (U.PROPOSED,), U.WITHDRAWN, Permission.AGREEMENT_READ),
    ],
)


class OfferedPages(StrEnum):
    """How the pages of a signed document stand to those that were offered."""

    WHOLE = "whole"
    SAME = "same"
    OTHER = "other"
    UNREAD = "unread"

    @property
    def words(self) -> str:
        """A sentence, for pages."""
        return {
            OfferedPages.WHOLE: "The file that was offered stands in it byte for byte, and its pages show nothing else.",
            OfferedPages.SAME: "The file was written anew by another program, and its pages are those that were offered.",
            OfferedPages.OTHER: "Its pages are not those that were offered: compare every page with the offer by eye.",
            OfferedPages.UNREAD: "Its pages could not be compared with the offer by the program: compare every page by eye.",
        }[self]


class ContactRole(StrEnum):
    """What a person of the coordinator does for a grant."""

    LEAD = "lead"
    SIGNATORY = "signatory"

    @property
    def does(self) -> str:
        """Within a sentence."""
        return {ContactRole.LEAD: "writes the reports", ContactRole.SIGNATORY: "may sign for the city"}[self]

    @property
    def words(self) -> str:
        """For pages."""
        return {ContactRole.LEAD: "Contact: writes reports", ContactRole.SIGNATORY: "Signatory: signs for the city"}[
            self
        ]
