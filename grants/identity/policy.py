"""Who may do what: every role and its permissions as one pure table that an auditor can print.

Permissions hold where the role is given: everywhere, in a call, or in one application (and in the
grant that later comes of it, because a grant lies in its application). Change the table here only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from grants.core import faults
from grants.core.errors import Refused
from grants.core.permissions import Permission as P
from grants.identity.states import Role

# What every person who can sign in may do, without any role: look after the own profile, keep lists as they need them, ask
# about calls, get help.
EVERYBODY: frozenset[P] = frozenset({P.LIST_VIEW_KEEP, P.PROFILE_EDIT, P.QUESTION_ASK, P.TICKET_OPEN})

# What no person may do by a page: it follows by itself from what people did, and the program does it in a job; or it
# belongs to whoever holds the machine, by command.
PROGRAM: frozenset[P] = frozenset(
    {
        P.AGREEMENT_LAPSE,
        P.BACKUP_MAKE,
        P.CHECKPOINT_KEY_REPLACE,
        P.CHECKPOINT_MAKE,
        P.CONFLICT_DETECT,
        P.FILE_SCAN,
        P.FORECAST_KEEP_MONTHLY,
        P.PANEL_LOG_SCORE,
        P.PAYMENT_FILE_PROVE,
        P.PAYMENT_REQUEST_OPEN,
        P.RECOVERY_REMIND,
        P.TERMINATION_CARRY_OUT,
    }
)

_READS_MONEY = frozenset(
    {P.AGREEMENT_READ, P.FILE_READ, P.LEDGER_READ, P.PAYMENT_ORDER_READ, P.REPORT_READ, P.STATEMENT_READ, P.STATEMENT_REQUEST}
    | {P.CIRCUIT_READ, P.ORGANISATION_READ}
)  # fmt: skip

PERMISSIONS: Mapping[Role, frozenset[P]] = {
    # No money and no applications: whoever gives out roles must gain nothing by them.
    Role.ADMINISTRATOR: frozenset(
        {
            P.AUDIT_READ_SYSTEM,
            P.CHECKPOINT_REQUEST,
            P.CIRCUIT_CONFIRM,
            P.CIRCUIT_READ,
            P.CIRCUIT_SET,
            P.JOB_CANCEL,
            P.JOB_READ,
            P.JOB_RETRY,
            P.MAIL_READ,
            P.ORGANISATION_EDIT,
            P.ORGANISATION_READ,
            P.ORGANISATION_VOUCH,
            P.ROLE_ASSIGN,
            P.ROLE_CONFIRM,
            P.STAND_IN_APPOINT,
            P.SYSTEM_READ,
            P.USER_DISABLE,
            P.USER_INVITE,
            P.USER_READ,
        }
    ),
    Role.PROGRAMME_MANAGER: _READS_MONEY
    | {
        P.AGREEMENT_CHECK_SIGNED,
        P.AGREEMENT_PREPARE,
        P.AMENDMENT_PROPOSE,
        P.APPLICATION_CONFIRM_TAKEOVER,
        P.APPLICATION_READ,
        P.ASSESSMENT_READ_ALL,
        P.ASSIGNMENT_DECIDE,
        P.CALL_EXTEND,
        P.CALL_IMPORT,
        P.CALL_MANAGE,
        P.CALL_PUBLISH,
        P.CITY_EDIT_ACTIONS,
        P.CITY_MANAGE,
        P.CITY_READ,
        P.COMPLAINT_DECIDE,
        P.COMPLAINT_READ,
        P.CONFLICT_CONFIRM,
        P.CONFLICT_DECLARE_IN_OFFICE,
        P.FORECAST_KEEP,
        P.LEGAL_HOLD_LIFT,
        P.LEGAL_HOLD_SET,
        P.ORGANISATION_EDIT,
        P.ORGANISATION_VALIDATE,
        P.PANEL_PLAN,
        P.PANEL_READ,
        P.PANEL_TAKE_MINUTES,
        P.PROGRAMME_MANAGE,
        P.QUESTION_ANSWER,
        P.SELECTION_DECIDE,
        P.SELECTION_PUBLISH_RESULTS,
        P.SELECTION_RECORD_PUBLISHED_OUTCOME,
        P.TERMINATION_PROPOSE,
        P.TICKET_ANSWER,
        P.USER_READ,
    },
    Role.ELIGIBILITY_OFFICER: frozenset(
        {
            P.APPLICATION_CHECK,
            P.APPLICATION_READ,
            P.CITY_READ,
            P.COMPLAINT_DECIDE,
            P.COMPLAINT_READ,
            P.CONFLICT_DECLARE_IN_OFFICE,
            P.FILE_READ,
            P.ORGANISATION_READ,
        }
    ),
    Role.PROJECT_OFFICER: frozenset(
        {
            P.AGREEMENT_CHECK_SIGNED,
            P.AGREEMENT_PREPARE,
            P.AGREEMENT_READ,
            P.AMENDMENT_PROPOSE,
            P.APPLICATION_READ,
            P.CITY_READ,
            P.COMPLAINT_DECIDE,
            P.COMPLAINT_READ,
            P.CONFLICT_DECLARE_IN_OFFICE,
            P.DISTRIBUTION_CONFIRM,
            P.FILE_READ,
            P.ORGANISATION_READ,
            P.ORGANISATION_VALIDATE,
            P.PAYMENT_ORDER_READ,
            P.REPORT_ACCEPT,
            P.REPORT_READ,
            P.STATEMENT_READ,
            P.TERMINATION_PROPOSE,
            P.TICKET_ANSWER,
        }
    ),
    # An evaluator opens nothing before an assignment; that comes as a role on each application.
    Role.EVALUATOR: frozenset({P.CONFLICT_DECLARE}),
    Role.ASSIGNED_EVALUATOR: frozenset(
        {P.APPLICATION_READ_ASSIGNED, P.ASSESSMENT_SCORE, P.CONSENSUS_AGREE, P.FILE_READ}
    ),
    # The chair leads the consensus and adds no score.
    Role.PANEL_CHAIR: frozenset(
        {
            P.APPLICATION_READ,
            P.ASSESSMENT_READ_ALL,
            P.CONFLICT_DECLARE,
            P.CONSENSUS_WRITE,
            P.FILE_READ,
            P.PANEL_ATTEND,
            P.PANEL_LEAD,
            P.PANEL_READ,
            P.SELECTION_CONFIRM,
            P.SELECTION_DECIDE,
        }
    ),
    # A member leads only as the deputy of a meeting, where a conflict keeps its chair out.
    Role.PANEL_MEMBER: frozenset(
        {
            P.APPLICATION_READ,
            P.ASSESSMENT_READ_ALL,
            P.CONFLICT_DECLARE,
            P.FILE_READ,
            P.PANEL_ATTEND,
            P.PANEL_LEAD,
            P.PANEL_READ,
        }
    ),
    Role.FINANCE_INITIATOR: _READS_MONEY
    | {
        P.BANK_ACCOUNT_ENTER,
        P.CONFLICT_DECLARE_IN_OFFICE,
        P.FORECAST_KEEP,
        P.INTEREST_BOOK,
        P.OWN_ACCOUNT_ENTER,
        P.PAYMENT_ORDER_CANCEL,
        P.PAYMENT_ORDER_PREPARE,
        P.PAYMENT_REQUEST_REGISTER,
        P.PAYMENT_REQUEST_SUSPEND,
        P.RECOVERY_CANCEL,
        P.RECOVERY_PROPOSE,
    },
    Role.FINANCE_VERIFIER: _READS_MONEY
    | {
        P.BANK_ACCOUNT_CONFIRM,
        P.BANK_LINE_CONFIRM,
        P.CONFLICT_DECLARE_IN_OFFICE,
        P.OWN_ACCOUNT_CLOSE,
        P.OWN_ACCOUNT_CONFIRM,
        P.PAYMENT_ORDER_VERIFY,
        P.PAYMENT_REQUEST_VERIFY,
    },
    Role.AUTHORISING_OFFICER: _READS_MONEY
    | {
        P.AGREEMENT_CLOSE,
        P.AGREEMENT_HOLD,
        P.AMENDMENT_ANSWER,
        P.BANK_LINE_CONFIRM,
        P.BUDGET_AUTHORISE,
        P.COMPLAINT_READ,
        P.CONFLICT_DECLARE_IN_OFFICE,
        P.DISTRIBUTION_WAIVE,
        P.FORECAST_KEEP,
        P.INTEREST_CONFIRM,
        P.INTEREST_WAIVE,
        P.LEDGER_CONFIRM_REVERSAL,
        P.LEGAL_HOLD_LIFT,
        P.LEGAL_HOLD_SET,
        P.PAYMENT_ORDER_AUTHORISE,
        P.PAYMENT_ORDER_CANCEL,
        P.PAYMENT_REQUEST_DECIDE,
        P.PAYMENT_REQUEST_SUSPEND,
        P.RECOVERY_CANCEL,
        P.RECOVERY_CONFIRM,
        P.RECOVERY_WAIVE,
        P.SELECTION_CONFIRM,
        P.SENT_FILE_CONFIRM,
        P.TERMINATION_CONFIRM,
        P.TERMINATION_OBJECT,
    },
    Role.ACCOUNTING_OFFICER: _READS_MONEY
    | {
        P.BANK_ACCOUNT_CONFIRM,
        P.BANK_LINE_EXPLAIN,
        P.BANK_STATEMENT_IMPORT,
        P.CONFLICT_DECLARE_IN_OFFICE,
        P.FORECAST_KEEP,
        P.LEDGER_PROPOSE_REVERSAL,
        P.OWN_ACCOUNT_CLOSE,
        P.OWN_ACCOUNT_CONFIRM,
        P.PAYMENT_FILE_BUILD,
        P.PAYMENT_FILE_DISCARD,
        P.PAYMENT_FILE_SEND,
        P.PAYMENT_ORDER_EXECUTE,
        P.RATE_TABLE_IMPORT,
        P.RECOVERY_BOOK,
        P.RECOVERY_ISSUE,
        P.RECOVERY_OFFSET,
        P.SENT_FILE_PROPOSE,
    },
    # Reads everything and changes nothing; asking for a statement makes a file and moves nothing, and a conflict of
    # interest that is declared takes away and gives nothing.
    Role.AUDITOR: _READS_MONEY
    | {
        P.APPLICATION_READ,
        P.ASSESSMENT_READ_ALL,
        P.AUDIT_READ,
        P.CHECKPOINT_REQUEST,
        P.CITY_READ,
        P.COMPLAINT_READ,
        P.CONFLICT_DECLARE_IN_OFFICE,
        P.JOB_READ,
        P.MAIL_READ,
        P.PANEL_READ,
        P.SYSTEM_READ,
        P.USER_READ,
    },
    Role.APPLICANT: frozenset({P.APPLICATION_START}),
    Role.APPLICATION_LEAD: frozenset(
        {
            P.AGREEMENT_ANSWER,
            P.AGREEMENT_READ,
            P.AMENDMENT_PROPOSE,
            P.APPLICATION_COMMENT,
            P.APPLICATION_EDIT,
            P.APPLICATION_EDIT_ALL,
            P.APPLICATION_INVITE,
            P.APPLICATION_READ,
            P.APPLICATION_SUBMIT,
            P.APPLICATION_WITHDRAW,
            P.BANK_ACCOUNT_ENTER,
            P.BUDGET_TRANSFER,
            P.DISTRIBUTION_REPORT,
            P.FILE_READ,
            P.PAYMENT_REQUEST_SUBMIT,
            P.RECOVERY_OBSERVE,
            P.REPORT_EDIT,
            P.REPORT_READ,
            P.REPORT_SUBMIT,
            P.STATEMENT_READ,
            P.STATEMENT_REQUEST,
            P.TERMINATION_OBJECT,
        }
    ),
    # Writes like the lead, and neither invites nor sends; what follows an award is the lead's and the partners'.
    Role.APPLICATION_EDITOR: frozenset(
        {P.APPLICATION_COMMENT, P.APPLICATION_EDIT, P.APPLICATION_EDIT_ALL, P.APPLICATION_READ, P.FILE_READ}
    ),
    Role.APPLICATION_PARTNER: frozenset(
        {
            P.AGREEMENT_ACCEDE,
            P.AGREEMENT_ANSWER,
            P.AGREEMENT_READ,
            P.APPLICATION_COMMENT,
            P.APPLICATION_EDIT,
            P.APPLICATION_READ,
            P.APPLICATION_SIGN_OFF,
            P.DISTRIBUTION_CONFIRM,
            P.FILE_READ,
            P.REPORT_EDIT,
            P.REPORT_READ,
            P.TERMINATION_OBJECT,
        }
    ),
    # Of a partner that left: reads what was, and says what it received. It stands on the side of the cities, and nothing is
    # asked of it any more.
    Role.PAST_PARTNER: frozenset(
        {
            P.AGREEMENT_ANSWER,
            P.AGREEMENT_READ,
            P.APPLICATION_READ,
            P.DISTRIBUTION_CONFIRM,
            P.FILE_READ,
            P.REPORT_READ,
        }
    ),
    # Signs off an application before it is sent; who signs the agreement is named after the selection.
    Role.APPLICATION_SIGNATORY: frozenset(
        {P.APPLICATION_COMMENT, P.APPLICATION_READ, P.APPLICATION_SIGN_OFF, P.FILE_READ}
    ),
    Role.APPLICATION_READER: frozenset({P.APPLICATION_COMMENT, P.APPLICATION_READ, P.FILE_READ}),
    Role.SIGNATORY: frozenset(
        {
            P.AGREEMENT_ANSWER,
            P.AGREEMENT_READ,
            P.AGREEMENT_SIGN_CITY,
            P.APPLICATION_READ,
            P.FILE_READ,
            P.PAYMENT_REQUEST_SUBMIT,
            P.RECOVERY_OBSERVE,
            P.REPORT_OPEN,
            P.REPORT_READ,
            P.REPORT_SUBMIT,
            P.STATEMENT_READ,
            P.STATEMENT_REQUEST,
            P.TERMINATION_OBJECT,
            P.TERMINATION_PROPOSE,
        }
    ),
    Role.PROGRAMME_SIGNATORY: frozenset(
        {P.AGREEMENT_READ, P.AGREEMENT_SIGN_PROGRAMME, P.CONFLICT_DECLARE_IN_OFFICE, P.FILE_READ, P.REPORT_OPEN}
    ),
    # Held for one city. It opens the register and no application; where its holder also evaluates or has an office, the
    # applications of that city are shut to them, and everything else they declare by that other role.
    Role.CITY_ADVISOR: frozenset({P.CITY_READ}),
}

# Whose conflicts are also looked for: they decide about applications before there is a grant. Who comes to an
# application with its money or its audit declares in office too, and nothing about them is searched.
OFFICERS: frozenset[Role] = frozenset(
    {Role.PROGRAMME_MANAGER, Role.ELIGIBILITY_OFFICER, Role.PROJECT_OFFICER, Role.AUTHORISING_OFFICER}
)

# What a role adds inside the organisations its holder belongs to, and only there.
IN_OWN_ORGANISATION: Mapping[Role, frozenset[P]] = {
    Role.APPLICANT: frozenset({P.CITY_EDIT_ACTIONS, P.ORGANISATION_EDIT, P.ORGANISATION_VOUCH})
}

# Roles that can move money: one administrator assigns, another confirms, before anything holds.
MONEY_ROLES: frozenset[Role] = frozenset(
    {
        Role.FINANCE_INITIATOR,
        Role.FINANCE_VERIFIER,
        Role.AUTHORISING_OFFICER,
        Role.ACCOUNTING_OFFICER,
        Role.PROGRAMME_SIGNATORY,
    }
)

# The roles of the payment circuit; who holds one may be stood in for, in writing and for a time.
CIRCUIT_ROLES: tuple[Role, ...] = (
    Role.FINANCE_INITIATOR,
    Role.FINANCE_VERIFIER,
    Role.AUTHORISING_OFFICER,
    Role.ACCOUNTING_OFFICER,
)

# Roles that exist on one application only; the stages give and end them, never an administrator by hand.
ROLES_OF_AN_APPLICATION: frozenset[Role] = frozenset(
    {
        *(Role.ASSIGNED_EVALUATOR, Role.APPLICATION_LEAD, Role.APPLICATION_EDITOR, Role.APPLICATION_PARTNER),
        *(Role.APPLICATION_SIGNATORY, Role.APPLICATION_READER, Role.PAST_PARTNER, Role.SIGNATORY),
    }
)

# Roles by which a person acts for a city. Who works for the programme or evaluates for it does not act by them.
TEAM_ROLES: frozenset[Role] = ROLES_OF_AN_APPLICATION - {Role.ASSIGNED_EVALUATOR}

# Roles that exist on one city only; a programme manager gives and ends them on the page of the city.
ROLES_OF_A_CITY: frozenset[Role] = frozenset({Role.CITY_ADVISOR})

# Roles by which somebody writes an application: who did is not impartial about it afterwards either.
WRITES_APPLICATIONS: frozenset[Role] = frozenset(role for role in TEAM_ROLES if P.APPLICATION_EDIT in PERMISSIONS[role])

# Roles an administrator may also give for one call alone; the others hold everywhere or not at all.
ROLES_OF_A_CALL: frozenset[Role] = frozenset(
    {
        Role.PROGRAMME_MANAGER,
        Role.ELIGIBILITY_OFFICER,
        Role.PROJECT_OFFICER,
        Role.PANEL_CHAIR,
        Role.PANEL_MEMBER,
        Role.FINANCE_INITIATOR,
        Role.FINANCE_VERIFIER,
        Role.AUTHORISING_OFFICER,
        Role.PROGRAMME_SIGNATORY,
    }
)

# Two roles that one person must not hold together: who gives out roles moves no money,
# and who authorises a payment does not execute it (Financial Regulation, segregation of duties);
# who assigns evaluators, rules on conflicts and reopens sheets does not evaluate; and who evaluates has no second role
# that reads the money of every pilot, those of a conflict of interest included (Financial Regulation, article 61).
_EVALUATES = frozenset({Role.EVALUATOR, Role.PANEL_CHAIR, Role.PANEL_MEMBER})
_READS_EVERY_PILOT = frozenset(
    {
        Role.FINANCE_INITIATOR,
        Role.FINANCE_VERIFIER,
        Role.AUTHORISING_OFFICER,
        Role.ACCOUNTING_OFFICER,
        Role.AUDITOR,
    }
)
INCOMPATIBLE: frozenset[frozenset[Role]] = frozenset(
    {frozenset({Role.ADMINISTRATOR, role}) for role in MONEY_ROLES}
    | {frozenset({Role.AUTHORISING_OFFICER, Role.ACCOUNTING_OFFICER})}
    | {frozenset({Role.PROGRAMME_MANAGER, Role.EVALUATOR})}
    | {frozenset({evaluates, reads}) for evaluates in _EVALUATES for reads in _READS_EVERY_PILOT}
)

# What each role is called, and what it is for in one sentence, for pages and for the auditor.
WORDS: Mapping[Role, tuple[str, str]] = {
    Role.ADMINISTRATOR: ("Administrator", "Invites people, gives out roles and looks after the system; sees no money."),
    Role.PROGRAMME_MANAGER: (
        "Programme manager",
        "Writes and publishes calls, assigns evaluators, prepares decisions.",
    ),
    Role.ELIGIBILITY_OFFICER: ("Eligibility officer", "Decides whether an application is eligible, with reasons."),
    Role.PROJECT_OFFICER: ("Project officer", "Prepares agreements, follows the pilots and accepts their reports."),
    Role.EVALUATOR: ("Evaluator", "Declares conflicts of interest and scores what is assigned."),
    Role.ASSIGNED_EVALUATOR: ("Assigned evaluator", "Reads and scores one application."),
    Role.PANEL_CHAIR: ("Panel chair", "Leads the consensus and signs the ranked list; adds no score."),
    Role.PANEL_MEMBER: ("Panel member", "Discusses the ranked list."),
    Role.FINANCE_INITIATOR: ("Finance initiator", "Prepares payment orders."),
    Role.FINANCE_VERIFIER: ("Finance verifier", "Verifies payment orders and confirms bank accounts."),
    Role.AUTHORISING_OFFICER: ("Authorising officer", "Authorises budgets, payment requests and payment orders."),
    Role.ACCOUNTING_OFFICER: ("Accounting officer", "Executes authorised payment orders and keeps the accounts."),
    Role.AUDITOR: ("Auditor", "Reads everything and changes nothing."),
    Role.APPLICANT: ("Applicant", "Starts applications for a city or its partners."),
    Role.APPLICATION_LEAD: ("Lead of an application", "Writes, submits and later reports for the lead organisation."),
    Role.APPLICATION_EDITOR: (
        "Editor of an application",
        "Writes every section and the whole budget; invites nobody and sends nothing.",
    ),
    Role.APPLICATION_PARTNER: (
        "Partner in an application",
        "Writes the sections asked of them and the budget row of their own organisation, and signs that part off.",
    ),
    Role.APPLICATION_SIGNATORY: (
        "Signatory of an application",
        "Reads and comments on an application, and signs it off before it is sent.",
    ),
    Role.APPLICATION_READER: ("Reader of an application", "Reads an application and comments; changes nothing."),
    Role.PAST_PARTNER: (
        "Partner that left",
        "Reads a grant in which their organisation took part, and confirms what it received.",
    ),
    Role.SIGNATORY: ("Signatory of a city", "Reads an agreement and signs it for the city."),
    Role.PROGRAMME_SIGNATORY: ("Signatory of the programme", "Signs agreements for the programme."),
    Role.CITY_ADVISOR: ("City advisor", "Helps one city for the programme; judges none of its applications."),
}


def is_staff(role: Role) -> bool:
    """Whether a role is that of somebody who works for the programme or evaluates for it.

    To advise a city is neither: an advisor may write an application with it, and then evaluates nothing.
    """
    return role is not Role.APPLICANT and role not in ROLES_OF_AN_APPLICATION | ROLES_OF_A_CITY


def permissions_held(role: Role, *, beside: Iterable[Role]) -> frozenset[P]:
    """What a role allows its holder: beside a staff role one may read the own application and do nothing in it.

    Reading stays, so that every check whether a person is of the team still finds them.
    """
    if role in TEAM_ROLES and any(is_staff(other) for other in beside):
        return PERMISSIONS[role] & {P.APPLICATION_READ}
    return PERMISSIONS[role]


def roles_with(permission: P) -> frozenset[Role]:
    """The roles that allow ``permission``."""
    return frozenset(role for role, allowed in PERMISSIONS.items() if permission in allowed)


def who_may(permission: str) -> str:
    """What somebody reads who lacks a permission: the roles that have it, and whom to ask.

    >>> who_may("payment_order:verify")
    'You need another role for this: Finance verifier. Ask a colleague who has it, or an administrator to give it to you.'
    >>> who_may("assessment:score").split(". ")[0]
    'Only evaluators with an application to assess open this'
    """
    titles = [WORDS[role][0] for role in Role if role in roles_with(P(permission))]
    if not titles:
        return "Only the program does this, by itself."
    if roles_with(P(permission)) == {Role.ASSIGNED_EVALUATOR}:
        # Nobody gives this one by hand: it comes with a seat, and a seat with the pool.
        return (
            "Only evaluators with an application to assess open this. If you were invited to evaluate, fill in your "
            "profile first: your home page leads there. Otherwise ask the programme."
        )
    *first, last = titles
    named = f"{', '.join(first)} or {last}" if first else last
    return (
        f"You need another role for this: {named}. Ask a colleague who has it, or an administrator to give it to you."
    )


def clash(held: Iterable[Role], wanted: Role) -> Role | None:
    """The role already held that ``wanted`` may not be joined with, or None.

    >>> clash([Role.ADMINISTRATOR], Role.AUTHORISING_OFFICER)
    <Role.ADMINISTRATOR: 'administrator'>
    """
    return next((role for role in sorted(held) if frozenset({role, wanted}) in INCOMPATIBLE), None)


def refuse_role_by_hand(actor_id: UUID | None, user_id: UUID, role: Role, held: Iterable[Role]) -> None:
    """Refuse what an administrator must not do by hand: serve oneself, join roles that must stay apart."""
    faults.point("four_eyes")
    if actor_id == user_id:
        raise Refused("You cannot give a role to yourself. Ask another administrator.")
    if role in ROLES_OF_AN_APPLICATION:
        raise Refused(
            f"\u201c{WORDS[role][0]}\u201d belongs to one application; it is given there, by assigning or inviting the person."
        )
    if role in ROLES_OF_A_CITY:
        raise Refused(
            f"\u201c{WORDS[role][0]}\u201d belongs to one city; a programme manager gives it on the page of the city."
        )
    held = frozenset(held)
    if role in held:
        raise Refused(f"This person already has the role \u201c{WORDS[role][0]}\u201d, or it waits to be confirmed.")
    refuse_clash(held, role)


def refuse_clash(held: Iterable[Role], role: Role) -> None:
    """Refuse a role that must not be joined with one already held."""
    other = clash(held, role)
    if other is not None:
        raise Refused(
            f"One person cannot be both {WORDS[other][0].lower()} and {WORDS[role][0].lower()}. "
            f"End the role \u201c{WORDS[other][0]}\u201d first, or choose another person."
        )


def refuse_confirming(actor_id: UUID | None, user_id: UUID, assigned_by: UUID | None) -> None:
    """Refuse a confirmation by whoever assigned the role or would hold it."""
    faults.point("four_eyes")
    if actor_id == user_id:
        raise Refused("You cannot confirm a role of your own. Ask another administrator.")
    if actor_id is not None and actor_id == assigned_by:
        raise Refused("You assigned this role yourself. Another administrator must confirm it.")


def needs_confirmation(role: Role) -> bool:
    """Whether a second administrator must confirm the role before it holds."""
    return role in MONEY_ROLES or role is Role.ADMINISTRATOR


def printed() -> str:
    """The whole table as text for an auditor: one line for each role and permission."""
    lines = [f"{role}\t{permission}" for role in Role for permission in sorted(PERMISSIONS[role])]
    lines += [
        f"{role}\t{permission}\tin the own organisation"
        for role, allowed in IN_OWN_ORGANISATION.items()
        for permission in sorted(allowed)
    ]
    return "\n".join(lines)
