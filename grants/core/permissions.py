"""Permission names, the person acting, and the scope of a thing: pure values with set look-ups, no policy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from grants.core import faults


class Permission(StrEnum):
    """Every permission by name: the thing, a colon, the verb of its act. Alphabetised."""

    AGREEMENT_ANSWER = "agreement:answer"
    AGREEMENT_CLOSE = "agreement:close"
    AGREEMENT_HOLD = "agreement:hold"
    AGREEMENT_LAPSE = "agreement:lapse"
    AGREEMENT_PREPARE = "agreement:prepare"
    AGREEMENT_READ = "agreement:read"
    AGREEMENT_SIGN_CITY = "agreement:sign_city"
    AGREEMENT_SIGN_PROGRAMME = "agreement:sign_programme"
    AMENDMENT_ANSWER = "amendment:answer"
    AMENDMENT_PROPOSE = "amendment:propose"
    APPLICATION_CHECK = "application:check"
    APPLICATION_COMMENT = "application:comment"
    APPLICATION_CONFIRM_TAKEOVER = "application:confirm_takeover"
    APPLICATION_EDIT = "application:edit"
    APPLICATION_EDIT_ALL = "application:edit_all"
    APPLICATION_INVITE = "application:invite"
    APPLICATION_READ = "application:read"
    APPLICATION_READ_ASSIGNED = "application:read_assigned"
    APPLICATION_SIGN_OFF = "application:sign_off"
    APPLICATION_START = "application:start"
    APPLICATION_SUBMIT = "application:submit"
    APPLICATION_WITHDRAW = "application:withdraw"
    ASSESSMENT_READ_ALL = "assessment:read_all"
    ASSESSMENT_SCORE = "assessment:score"
    ASSIGNMENT_DECIDE = "assignment:decide"
    AUDIT_READ = "audit:read"
    AUDIT_READ_SYSTEM = "audit:read_system"
    BACKUP_MAKE = "backup:make"
    BANK_ACCOUNT_CONFIRM = "bank_account:confirm"
    BANK_ACCOUNT_ENTER = "bank_account:enter"
    BANK_LINE_CONFIRM = "bank_line:confirm"
    BANK_LINE_EXPLAIN = "bank_line:explain"
    BANK_STATEMENT_IMPORT = "bank_statement:import"
    BUDGET_AUTHORISE = "budget:authorise"
    CALL_EXTEND = "call:extend"
    CALL_IMPORT = "call:import"
    CALL_MANAGE = "call:manage"
    CALL_PUBLISH = "call:publish"
    CHECKPOINT_MAKE = "checkpoint:make"
    CHECKPOINT_REQUEST = "checkpoint:request"
    CHECKPOINT_KEY_REPLACE = "checkpoint_key:replace"
    CIRCUIT_CONFIRM = "circuit:confirm"
    CIRCUIT_READ = "circuit:read"
    CIRCUIT_SET = "circuit:set"
    CITY_EDIT_ACTIONS = "city:edit_actions"
    CITY_MANAGE = "city:manage"
    CITY_READ = "city:read"
    COMPLAINT_DECIDE = "complaint:decide"
    COMPLAINT_READ = "complaint:read"
    CONFLICT_CONFIRM = "conflict:confirm"
    CONFLICT_DECLARE = "conflict:declare"
    CONFLICT_DECLARE_IN_OFFICE = "conflict:declare_in_office"
    CONFLICT_DETECT = "conflict:detect"
    CONSENSUS_AGREE = "consensus:agree"
    CONSENSUS_WRITE = "consensus:write"
    FILE_READ = "file:read"
    FILE_SCAN = "file:scan"
    FORECAST_KEEP = "forecast:keep"
    FORECAST_KEEP_MONTHLY = "forecast:keep_monthly"
    JOB_CANCEL = "job:cancel"
    JOB_READ = "job:read"
    JOB_RETRY = "job:retry"
    LEDGER_CONFIRM_REVERSAL = "ledger:confirm_reversal"
    LEDGER_PROPOSE_REVERSAL = "ledger:propose_reversal"
    LEDGER_READ = "ledger:read"
    LIST_VIEW_KEEP = "list_view:keep"
    MAIL_READ = "mail:read"
    ORGANISATION_EDIT = "organisation:edit"
    ORGANISATION_READ = "organisation:read"
    ORGANISATION_VALIDATE = "organisation:validate"
    ORGANISATION_VOUCH = "organisation:vouch"
    OWN_ACCOUNT_CLOSE = "own_account:close"
    OWN_ACCOUNT_CONFIRM = "own_account:confirm"
    OWN_ACCOUNT_ENTER = "own_account:enter"
    PANEL_ATTEND = "panel:attend"
    PANEL_LEAD = "panel:lead"
    PANEL_LOG_SCORE = "panel:log_score"
    PANEL_PLAN = "panel:plan"
    PANEL_READ = "panel:read"
    PANEL_TAKE_MINUTES = "panel:take_minutes"
    PAYMENT_FILE_BUILD = "payment_file:build"
    PAYMENT_FILE_DISCARD = "payment_file:discard"
    PAYMENT_FILE_PROVE = "payment_file:prove"
    PAYMENT_FILE_SEND = "payment_file:send"
    PAYMENT_ORDER_AUTHORISE = "payment_order:authorise"
    PAYMENT_ORDER_CANCEL = "payment_order:cancel"
    PAYMENT_ORDER_EXECUTE = "payment_order:execute"
    PAYMENT_ORDER_PREPARE = "payment_order:prepare"
    PAYMENT_ORDER_READ = "payment_order:read"
    PAYMENT_ORDER_VERIFY = "payment_order:verify"
    PAYMENT_REQUEST_DECIDE = "payment_request:decide"
    PAYMENT_REQUEST_OPEN = "payment_request:open"
    PAYMENT_REQUEST_REGISTER = "payment_request:register"
    PAYMENT_REQUEST_SUBMIT = "payment_request:submit"
    PAYMENT_REQUEST_SUSPEND = "payment_request:suspend"
    PAYMENT_REQUEST_VERIFY = "payment_request:verify"
    PROFILE_EDIT = "profile:edit"
    PROGRAMME_MANAGE = "programme:manage"
    QUESTION_ANSWER = "question:answer"
    QUESTION_ASK = "question:ask"
    RATE_TABLE_IMPORT = "rate_table:import"
    RECOVERY_BOOK = "recovery:book"
    RECOVERY_ESTABLISH = "recovery:establish"
    RECOVERY_WAIVE = "recovery:waive"
    REPORT_ACCEPT = "report:accept"
    REPORT_EDIT = "report:edit"
    REPORT_OPEN = "report:open"
    REPORT_READ = "report:read"
    REPORT_SUBMIT = "report:submit"
    ROLE_ASSIGN = "role:assign"
    ROLE_CONFIRM = "role:confirm"
    SELECTION_CONFIRM = "selection:confirm"
    SELECTION_DECIDE = "selection:decide"
    SELECTION_PUBLISH_RESULTS = "selection:publish_results"
    SELECTION_RECORD_PUBLISHED_OUTCOME = "selection:record_published_outcome"
    SENT_FILE_CONFIRM = "sent_file:confirm"
    SENT_FILE_PROPOSE = "sent_file:propose"
    STAND_IN_APPOINT = "stand_in:appoint"
    STATEMENT_READ = "statement:read"
    STATEMENT_REQUEST = "statement:request"
    SYSTEM_READ = "system:read"
    TICKET_ANSWER = "ticket:answer"
    TICKET_OPEN = "ticket:open"
    USER_DISABLE = "user:disable"
    USER_INVITE = "user:invite"
    USER_READ = "user:read"


# A place a permission holds or a thing a person is barred from: its kind and its id.
ScopeKey = tuple[str, UUID]

EVERYWHERE: ScopeKey = ("everywhere", UUID(int=0))


@dataclass(frozen=True, slots=True)
class Scope:
    """The places a thing lies in, the thing itself included: an application lies in itself, its call, its cities."""

    keys: frozenset[ScopeKey]

    @classmethod
    def of(cls, *keys: ScopeKey) -> Scope:
        return cls(frozenset(keys))


NOWHERE = Scope(frozenset())


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, with every permission already resolved to the places it holds.

    ``granted`` holds (permission, place) pairs, ``bars`` the things a conflict, declared,
    found or so without a word, keeps this person from now. Frozen for one request or one job.
    """

    user_id: UUID | None
    name: str
    granted: frozenset[tuple[str, ScopeKey]] = frozenset()
    bars: frozenset[ScopeKey] = frozenset()
    roles: tuple[str, ...] = ()
    organisation_ids: frozenset[UUID] = frozenset()
    session_id: UUID | None = None
    fresh: bool = False
    on_behalf_of: UUID | None = None
    _named: frozenset[str] = field(init=False, repr=False, compare=False, default=frozenset())

    def __post_init__(self) -> None:
        object.__setattr__(self, "_named", frozenset(str(permission) for permission, _ in self.granted))

    def can(self, permission: str) -> bool:
        """Whether the permission holds anywhere at all: enough to show a menu, never enough to act."""
        return str(permission) in self._named

    def may(self, permission: str, scope: Scope) -> bool:
        """Whether the permission holds for a thing in ``scope`` and no bar stands before it."""
        faults.point("conflict")
        if scope.keys & self.bars:
            return False
        faults.point("scope")
        wanted = str(permission)
        if (wanted, EVERYWHERE) in self.granted:
            return True
        return any((wanted, key) in self.granted for key in scope.keys)

    def places(self, permission: str, kind: str) -> frozenset[UUID]:
        """The ids of all places of one kind where the permission holds, for the WHERE of a list."""
        faults.point("scope")
        wanted = str(permission)
        return frozenset(place for name, (found, place) in self.granted if name == wanted and found == kind)

    def everywhere(self, permission: str) -> bool:
        """Whether the permission holds in every place."""
        faults.point("scope")
        return (str(permission), EVERYWHERE) in self.granted

    def barred(self, kind: str) -> frozenset[UUID]:
        """The ids of all things of one kind this person must not reach now."""
        return frozenset(thing for found, thing in self.barred_from() if found == kind)

    def barred_from(self) -> frozenset[ScopeKey]:
        """All things this person must not reach now."""
        faults.point("conflict")
        return self.bars


def system_actor(name: str, permissions: Iterable[Permission]) -> Actor:
    """The program itself at work (a deadline passing, a nightly check): only what is named, everywhere."""
    return Actor(
        user_id=None, name=name, granted=frozenset((str(permission), EVERYWHERE) for permission in permissions)
    )
