"""The schema of call files, version 1: every value a call has, how it is read, and whether a call needs it.

A new value is one entry of ``FIELDS``; its path is its key everywhere, in files, in the database and on pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import Any

from grants.budgets.rules import Category, CategoryLimit, Envelope, EnvelopeRule, LumpSum, UnitCost
from grants.calls.rules.additional import AdditionalPrefinancing
from grants.calls.rules.assigning import AssignmentRules
from grants.calls.rules.complaints import ComplaintRules
from grants.calls.rules.complaints_to import ComplaintsTo
from grants.calls.rules.conflict_rules import CONFLICT_RULES, ConflictRules
from grants.calls.rules.content import (
    Attachment,
    Condition,
    Consortium,
    CountryList,
    Instalment,
    LooseDate,
    NamedSource,
    Opening,
    ParentGrant,
    PlannedMilestone,
    ReportDuty,
    TimeLimits,
)
from grants.calls.rules.declarations import Declaration
from grants.calls.rules.drawing import DrawRules
from grants.calls.rules.expert_terms import EXPERT_TERMS, ExpertTerms
from grants.calls.rules.form_kinds import ATTACHMENT, DECLARATION, SECTION
from grants.calls.rules.funding import Funding
from grants.calls.rules.kinds import (
    ADDITIONAL,
    ASSIGNING,
    CATEGORY,
    COMPLAINTS,
    COMPLAINTS_TO,
    CONDITION,
    CRITERION,
    DEADLINE,
    DOCUMENT,
    DRAW,
    FUNDING,
    INSTALMENT,
    LIMIT,
    LOOSE_DATE,
    LUMP_SUM,
    MILESTONE,
    PARENT_RULES,
    PASSING_ON,
    PAYMENT_CLOCK,
    PRIVACY,
    REPORT,
    RULE,
    SELECTION,
    SIGNING,
    SOURCED,
    THRESHOLDS,
    TIME_LIMITS,
    UNIT_COST,
    PrintedDeadline,
    Weights,
    country_kind,
    envelope_of,
    language_kind,
    local_opening,
    with_keys,
)
from grants.calls.rules.mark_kinds import SCALE, SCORING
from grants.calls.rules.passing_on import PassingOn
from grants.calls.rules.payment_clock import PaymentClock
from grants.calls.rules.privacy import PrivacyText
from grants.calls.rules.scoring import Criterion, Scale, Scoring, Thresholds
from grants.calls.rules.selection import SelectionRules
from grants.calls.rules.signing import Signing
from grants.calls.rules.values import DocumentVersion
from grants.calls.states import CallKind, CallStage, EvidenceLevel
from grants.core.money import Money
from grants.core.yaml_schema import (
    Items,
    Kind,
    Record,
    Table,
    amount,
    clock_time,
    day,
    exact,
    flag,
    one_of,
    plain_text,
    wall_time,
    whole,
    zone,
)
from grants.dossiers.rules import Definition, Section

SCHEMA_VERSION = 1

META = ("confidence", "source", "note")


class Group(StrEnum):
    """The heading a value stands under on pages."""

    CALL = "The call"
    DATES = "Dates"
    MONEY = "Money"
    WHO = "Who may apply"
    FORM = "What to send"
    ASSESSMENT = "How it is assessed"
    PAYMENTS = "Payments and reports"
    SUPPORT = "Financial support to third parties"


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a call file: its path, what people call it, how it is read, and whether a call needs it."""

    path: str
    label: str
    group: Group
    kind: Kind
    type: Any
    needed: bool = False
    finish: Callable[[Any], Any] | None = None

    @property
    def of_money(self) -> bool:
        """Whether a call that pays nothing goes without it."""
        return self.group in (Group.MONEY, Group.PAYMENTS, Group.SUPPORT)


FIELDS: Mapping[str, Field] = {
    entry.path: entry
    for entry in (
        Field("call.id", "Identifier", Group.CALL, plain_text, str),
        Field("call.title", "Title", Group.CALL, plain_text, str),
        Field("call.year", "Year", Group.CALL, whole(2000, 2100), int),
        Field("call.invented", "Invented for demonstration", Group.CALL, flag, bool),
        Field("call.programme", "Programme and cohort", Group.CALL, plain_text, str),
        Field(
            "call.parent_grant",
            "Paid from",
            Group.CALL,
            Record(
                ParentGrant,
                {
                    "number": plain_text,
                    "acronym": plain_text,
                    "framework": plain_text,
                    "topic_family": plain_text,
                    "rules": PARENT_RULES,
                },
                ("number", "acronym", "framework"),
            ),
            ParentGrant,
        ),
        Field("call.kind", "What it leads to", Group.CALL, one_of(CallKind), CallKind),
        Field("call.stage", "Stage", Group.CALL, one_of(CallStage), CallStage),
        Field("call.follows", "Follows the call", Group.CALL, plain_text, str),
        Field("call.funding_mechanism", "Kind of funding", Group.CALL, plain_text, str),
        Field("call.sources", "Sources", Group.CALL, Table(plain_text, NamedSource), tuple[NamedSource, ...]),
        Field("privacy_notice", "Privacy notice", Group.CALL, PRIVACY, PrivacyText),
        Field("document_versions", "Documents", Group.CALL, Items(DOCUMENT), tuple[DocumentVersion, ...]),
        Field("dates.timezone", "Time zone", Group.DATES, zone, str),
        Field(
            "dates.opens",
            "Opens",
            Group.DATES,
            Record(local_opening, {"local": day, "time": clock_time}),
            Opening,
            needed=True,
        ),
        Field("dates.opens_time", "Opening hour", Group.DATES, clock_time, str, needed=True),
        Field("dates.short_opening_reason", "Why it is open for a short time", Group.DATES, plain_text, str),
        Field("dates.deadline_original", "First deadline", Group.DATES, DEADLINE, PrintedDeadline),
        Field("dates.deadline_extended", "Extended deadline", Group.DATES, DEADLINE, PrintedDeadline),
        Field("dates.questions_until", "Questions until", Group.DATES, wall_time, datetime),
        Field("dates.results_planned", "Results planned", Group.DATES, LOOSE_DATE, LooseDate),
        Field("dates.results_actual", "Results made public", Group.DATES, LOOSE_DATE, LooseDate),
        Field("dates.pilots_start", "Pilots start", Group.DATES, LOOSE_DATE, LooseDate),
        Field("dates.pilots_end", "Pilots end", Group.DATES, LOOSE_DATE, LooseDate),
        Field("duration_months", "Length of a pilot in months", Group.DATES, whole(1, 120), int, needed=True),
        Field("budget.currency", "Currency", Group.MONEY, plain_text, str),
        Field("budget.total", "Money for the whole call", Group.MONEY, amount, Money, needed=True),
        Field("budget.expected_awards", "Awards expected", Group.MONEY, whole(1, 10_000), int),
        Field(
            "grant_bands_eur",
            "Award amounts",
            Group.MONEY,
            Items(Record(envelope_of, {"code": plain_text, "amount": amount, **SOURCED}, ("code", "amount"))),
            tuple[Envelope, ...],
            needed=True,
        ),
        Field(
            "grant_bands_rule", "How award amounts bind", Group.MONEY, one_of(EnvelopeRule), EnvelopeRule, needed=True
        ),
        Field(
            "funding_rate_percent",
            "Share of costs that is paid",
            Group.MONEY,
            exact(1, 100),
            Fraction,
            needed=True,
        ),
        Field(
            "indirect_costs.flat_rate_percent",
            "Flat rate for indirect costs",
            Group.MONEY,
            exact(0, 100),
            Fraction,
            needed=True,
        ),
        Field(
            "budget_categories",
            "Budget categories",
            Group.MONEY,
            Items(CATEGORY),
            tuple[Category, ...],
            needed=True,
        ),
        Field("budget_limits", "Most in a category", Group.MONEY, Items(LIMIT), tuple[CategoryLimit, ...]),
        Field("budget_grid.by_work_package", "Budget by work package", Group.MONEY, flag, bool),
        Field("budget_grid.period_months", "Months in a budget period", Group.MONEY, whole(1, 60), int),
        Field("lump_sums", "Lump sums by work package", Group.MONEY, Items(LUMP_SUM), tuple[LumpSum, ...]),
        Field("unit_costs", "Unit costs by category", Group.MONEY, Items(UNIT_COST), tuple[UnitCost, ...]),
        Field("grant_cap_per_legal_entity", "Most for one organisation", Group.MONEY, amount, Money),
        Field("eligibility.applicants", "Applicants", Group.WHO, RULE, str, needed=True),
        Field(
            "eligibility.country_lists",
            "Lists of countries",
            Group.WHO,
            Table(Items(country_kind), CountryList),
            tuple[CountryList, ...],
        ),
        Field("eligibility.criteria_total_v1_0", "Conditions in the first draft", Group.WHO, plain_text, str),
        Field(
            "eligibility.criteria",
            "Conditions",
            Group.WHO,
            Items(CONDITION),
            tuple[Condition, ...],
            needed=True,
            finish=with_keys,
        ),
        Field(
            "eligibility.consortium",
            "Applying together",
            Group.WHO,
            Record(
                Consortium,
                {
                    "single_city": flag,
                    "multi_city": flag,
                    "lead": plain_text,
                    "other_organisations": Items(plain_text),
                },
            ),
            Consortium,
        ),
        Field("submission.channel", "Where to apply", Group.FORM, plain_text, str),
        Field("submission.language", "Language", Group.FORM, language_kind, str, needed=True),
        Field(
            "submission.documents_for_applicants",
            "Documents for applicants",
            Group.FORM,
            Items(plain_text),
            tuple[str, ...],
        ),
        Field(
            "submission.required_attachments",
            "Files to attach",
            Group.FORM,
            Items(ATTACHMENT),
            tuple[Attachment, ...],
            needed=True,
        ),
        Field("submission.sign_offs", "Signed off by partners and signatory before it is sent", Group.FORM, flag, bool),
        Field(
            "submission.clarification_days", "Days to answer a question of the programme", Group.FORM, whole(1, 90), int
        ),
        Field(
            "application_form.sections",
            "Application form",
            Group.FORM,
            Items(SECTION),
            Definition,
            needed=True,
            finish=Definition,
        ),
        Field(
            "application_form.own_sections",
            "Sections of its own",
            Group.FORM,
            Items(SECTION),
            tuple[Section, ...],
        ),
        Field("declarations.other_grants", "Other grants are declared", Group.FORM, flag, bool),
        Field("declarations.asked", "Declarations", Group.FORM, Items(DECLARATION), tuple[Declaration, ...]),
        Field("application_form.word_limits", "Word limits", Group.FORM, plain_text, str),
        Field(
            "application_form.public_profile_fields_seen",
            "Seen on public profiles",
            Group.FORM,
            Items(plain_text),
            tuple[str, ...],
        ),
        Field("application_form.profile_source", "Source of the profiles", Group.FORM, plain_text, str),
        Field("evaluation.stages", "Stages", Group.ASSESSMENT, Items(plain_text), tuple[str, ...]),
        Field(
            "evaluation.criteria",
            "Award criteria",
            Group.ASSESSMENT,
            Items(CRITERION),
            tuple[Criterion, ...],
            needed=True,
        ),
        Field("evaluation.scale", "Scale", Group.ASSESSMENT, SCALE, Scale, needed=True),
        Field(
            "evaluation.weights",
            "Weights",
            Group.ASSESSMENT,
            Weights(exact(0, 100), lambda name, weight: (name, weight)),
            tuple[tuple[str, Fraction], ...],
            needed=True,
        ),
        Field("evaluation.scoring", "How the score is made", Group.ASSESSMENT, SCORING, Scoring),
        Field("evaluation.thresholds", "Thresholds", Group.ASSESSMENT, THRESHOLDS, Thresholds, needed=True),
        Field(
            "evaluation.tie_break", "Order for ties", Group.ASSESSMENT, Items(plain_text), tuple[str, ...], needed=True
        ),
        Field(
            "evaluation.evaluators_per_application",
            "Evaluators for each application",
            Group.ASSESSMENT,
            whole(1, 9),
            int,
            needed=True,
        ),
        Field("evaluation.assignment", "Assigning evaluators", Group.ASSESSMENT, ASSIGNING, AssignmentRules),
        Field("evaluation.selection", "Rules of selection", Group.ASSESSMENT, SELECTION, SelectionRules),
        Field("evaluation.draw", "Drawing by lot at the line", Group.ASSESSMENT, DRAW, DrawRules),
        Field("evaluation.reserve_list", "Reserve list", Group.ASSESSMENT, plain_text, str),
        Field("evaluation.conflict_of_interest", "Conflicts of interest", Group.ASSESSMENT, plain_text, str),
        Field("evaluation.conflict_rules", "What is a conflict", Group.ASSESSMENT, CONFLICT_RULES, ConflictRules),
        Field("evaluation.expert_terms", "Contract of evaluators", Group.ASSESSMENT, EXPERT_TERMS, ExpertTerms),
        Field("evaluation.redress", "Complaints", Group.ASSESSMENT, plain_text, str),
        Field("evaluation.complaints", "Complaint window", Group.ASSESSMENT, COMPLAINTS, ComplaintRules),
        Field("evaluation.complaints_to", "Where complaints go", Group.ASSESSMENT, COMPLAINTS_TO, ComplaintsTo),
        Field("evaluation.withheld_days", "Days to confirm a withheld award", Group.ASSESSMENT, whole(1, 30), int),
        Field("evaluation.signing", "Signature of the letters of decision", Group.ASSESSMENT, SIGNING, Signing),
        Field(
            "payment.prefinancing_percent",
            "Pre-financing",
            Group.PAYMENTS,
            exact(0, 100),
            Fraction,
            needed=True,
        ),
        Field(
            "payment.interim_ceiling_percent",
            "Most before the balance",
            Group.PAYMENTS,
            exact(1, 100),
            Fraction,
            needed=True,
        ),
        Field("payment.retention_percent", "Held back", Group.PAYMENTS, exact(0, 50), Fraction, needed=True),
        Field("payment.additional", "Additional pre-financing", Group.PAYMENTS, ADDITIONAL, AdditionalPrefinancing),
        Field(
            "payment.tranches",
            "Instalments",
            Group.PAYMENTS,
            Items(INSTALMENT),
            tuple[Instalment, ...],
            needed=True,
        ),
        Field("payment.time_limits", "Time limits in days", Group.PAYMENTS, TIME_LIMITS, TimeLimits, needed=True),
        Field("payment.clock", "Clock of a payment", Group.PAYMENTS, PAYMENT_CLOCK, PaymentClock),
        Field("payment.passing_on", "Passing money on to partners", Group.PAYMENTS, PASSING_ON, PassingOn),
        Field(
            "payment.evidence", "How costs are shown in reports", Group.PAYMENTS, one_of(EvidenceLevel), EvidenceLevel
        ),
        Field("payment.funding", "Form of funding", Group.PAYMENTS, FUNDING, Funding),
        Field("payment.transfer_free_percent", "Budget moved freely, at most", Group.PAYMENTS, exact(0, 100), Fraction),
        Field(
            "payment.transfer_notify_percent",
            "Budget moved with a notice, at most",
            Group.PAYMENTS,
            exact(0, 100),
            Fraction,
        ),
        Field(
            "agreement.preparation_days", "Days to prepare and sign an agreement", Group.PAYMENTS, whole(14, 730), int
        ),
        Field(
            "agreement.accession_days",
            "Days for partners to accede to an agreement",
            Group.PAYMENTS,
            whole(7, 365),
            int,
        ),
        Field(
            "agreement.amendment_reply_days", "Days to answer a request to amend", Group.PAYMENTS, whole(1, 365), int
        ),
        Field(
            "agreement.objection_days", "Days to object to a termination, at least", Group.PAYMENTS, whole(7, 365), int
        ),
        Field("agreement.opened_after_days", "Days until unopened counts as opened", Group.PAYMENTS, whole(0, 90), int),
        Field("agreement.de_minimis_ceiling", "Most de minimis aid in three years", Group.PAYMENTS, amount, Money),
        Field("payment.unlock_rule", "What unlocks later payments", Group.PAYMENTS, RULE, str),
        Field("reporting.interim_report", "Interim report", Group.PAYMENTS, REPORT, ReportDuty),
        Field("reporting.final_report", "Final report", Group.PAYMENTS, REPORT, ReportDuty),
        Field(
            "reporting.monitoring_evaluation_learning",
            "Monitoring, evaluation, learning",
            Group.PAYMENTS,
            REPORT,
            ReportDuty,
        ),
        Field(
            "milestones",
            "Milestones every pilot has",
            Group.PAYMENTS,
            Items(MILESTONE),
            tuple[PlannedMilestone, ...],
            needed=True,
        ),
        Field(
            "financial_support.activities",
            "Activities that are paid",
            Group.SUPPORT,
            Items(plain_text),
            tuple[str, ...],
            needed=True,
        ),
        Field(
            "financial_support.amount_rule",
            "How the exact amount is found",
            Group.SUPPORT,
            plain_text,
            str,
            needed=True,
        ),
        Field(
            "financial_support.maximum_per_recipient",
            "Most for one recipient",
            Group.SUPPORT,
            amount,
            Money,
            needed=True,
        ),
        Field("financial_support.maximum_reason", "Why more than EUR 60 000", Group.SUPPORT, plain_text, str),
    )
}

# Read from the file but kept in tables of their own, or as columns of the call.
ELSEWHERE = frozenset(
    {"document_versions", "dates.deadline_original", "dates.deadline_extended", "dates.timezone", "budget.currency"}
)
