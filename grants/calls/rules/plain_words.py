"""What the parts of a call are called in the builder, for people who have never seen a call file.

A label is found by the longest ending of the path of its field, so that “kind” can mean one thing for a question and
another for a payment.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from enum import StrEnum

from grants.budgets.rules import EnvelopeRule, Nature
from grants.calls.rules.complaints import CALENDAR_WORDS, GROUND_WORDS
from grants.calls.rules.conditions import ORGANISATION_WORDS
from grants.calls.states import (
    CallKind,
    CallStage,
    ClockStart,
    CommentRule,
    ComplaintGround,
    ConditionKind,
    Confidence,
    EvidenceLevel,
    FactKind,
    FundingForm,
    HolidayCalendar,
    InstalmentKind,
    NoProfit,
    RequestPath,
    ScoreMethod,
    ThresholdBasis,
    WeightsCount,
    Whom,
)
from grants.core.text import fold
from grants.dossiers.rules import Definition, QuestionKind

EVIDENCE_WORDS: Mapping[str, str] = {
    EvidenceLevel.TOTALS: "Totals by partner and category; what proves them stays with the city",
    EvidenceLevel.LINES: "Every cost as a line: its day, invoice, supplier and amount",
    EvidenceLevel.FILES: "Every cost as a line, each with its file",
}

_KEY_HINT = (
    "Lower-case letters, digits and _. Leave it empty and one is made from the words. Rules refer to it; applicants never"
    " see it."
)
_KINDS_OF_ORGANISATIONS = ", ".join(ORGANISATION_WORDS)

# Ending of the path: label, hint.
_SAID: Mapping[str, tuple[str, str]] = {
    "key": ("Short name", _KEY_HINT),
    "confidence": ("How sure it is", "Leave it at “Not said” for what this programme decides itself."),
    "source": ("Where it was seen", "An address or a short name of the list of sources. Empty for a decision of your own."),
    "note": ("Note", ""),
    "value": ("Value", ""),
    "rule": ("Words", "What applicants read."),
    "hint": ("Help below it", "One or two sentences."),
    # Application form.
    "title": ("Title", ""),
    "step": ("Step", "Sections with the same step stand together on the task list."),
    "intro": ("Introduction", "Stands above the questions."),
    "questions": ("Question", ""),
    "questions.label": ("The question", "As applicants read it. {answer:short_name} puts an earlier answer in its place."),
    "questions.kind": ("Kind of answer", ""),
    "questions.required": ("Must it be answered?", "Not said means yes."),
    "questions.words_max": ("Most words", "Either words or characters, or neither."),
    "questions.characters_max": ("Most characters", ""),
    "questions.choices": ("Choices", "One a line: red = Red brick. What stands before “ = ” is kept, what follows is read."),
    "questions.criterion": ("Award criterion it feeds", "The short name of an award criterion."),
    "questions.guidance": ("What evaluators look for", "One thought a line."),
    "questions.example": ("Example of a strong answer", ""),
    "questions.picks_max": ("Most choices at once", "Empty: as many as there are."),
    "questions.columns": ("Column", ""),
    "questions.rows_max": ("Most rows", "Up to 50. Empty: 50."),
    "questions.file_types": ("Types of file", "One a line: pdf, docx, xlsx, odt, ods, png, jpg, csv, txt. Empty: every type of document."),
    "questions.megabytes_max": ("Most megabytes", ""),
    "questions.pages_max": ("Most pages", "Then only a PDF is taken, whose pages can be counted."),
    "questions.published": ("Is its answer published if the application is selected?", "Applicants read that beside the question. Not said means no."),
    "questions.asked_if": ("Asked only if", ""),
    "asked_if.question": ("Earlier question it hangs on", "It must be one that is always asked."),
    "asked_if.answers": ("Asked for these answers", "One a line, as kept (what stands before “ = ”). Empty: any answer."),
    "columns.label": ("Head of the column", ""),
    "columns.kind": ("Kind of cell", ""),
    "columns.required": ("Must it be filled?", ""),
    "translations": ("Translation", ""),
    "translations.label": ("In that language", ""),
    # Conditions.
    "criteria.kind": ("Condition or exception", "An exception widens the condition before it."),
    "criteria.test": ("What the program checks by itself", ""),
    "test.fact": ("Fact it looks at", ""),
    "test.of": ("Of whom", "Not said means of every organisation."),
    "test.at_least": ("At least", "Inhabitants or cities, as a number."),
    "test.at_most": ("At most", "Inhabitants, cities or applications, as a number."),
    "test.together": ("All cities together at least", "Inhabitants."),
    "test.countries": ("Countries", "One code a line, for example PL."),
    "test.lists": ("Lists of countries", "Names of lists of this call, one a line; parent_grant is the list of the parent grant."),
    "test.allowed": (
        "Allowed",
        f"One a line: kinds of organisations ({_KINDS_OF_ORGANISATIONS}), answers of the question, or labels of earlier calls.",
    ),
    "test.question": ("Short name of the question", "For the fact “An answer of the form”."),
    "test.at_most_eur": ("At most, in EUR", "For the fact “Money asked for”. Empty: none at all."),
    "test.joint": ("Only where several cities apply together?", ""),
    "consortium.single_city": ("May one city apply alone?", ""),
    "consortium.multi_city": ("May several cities apply together?", ""),
    "consortium.lead": ("Who leads", "In words."),
    "consortium.other_organisations": ("Other organisations that may take part", "One a line."),
    # Money.
    "grant_bands_eur.code": ("Code", "For example S, M or L."),
    "amount": ("Amount, in EUR", ""),
    "budget_categories.code": ("Letter or code", "For example A."),
    "budget_categories.label": ("Name of the category", ""),
    "in_flat_rate_base": ("Does it count for indirect costs?", "Subcontracting and support to others usually do not."),
    "entered": ("Do applicants enter it?", "No for the category that is computed as a flat rate."),
    "nature": ("What it pays for", "Asks a public administration about its own staff and about VAT."),
    "budget_limits.category": ("Code of the category", ""),
    "share_percent": ("At most, percent of the total", ""),
    "lump_sums.work_package": ("Work package", "For example WP1."),
    "unit_costs.category": ("Code of the category", "What is entered in it is paid by units, whatever it costs."),
    "unit_costs.unit": ("One unit is", "In the singular, for example trainee day."),
    "unit_costs.rate": ("Paid for one unit, in EUR", ""),
    "unit_costs.decimals": ("Decimals of a unit", "0 for whole units only; the smallest part must be whole cents."),
    # Assessment.
    "evaluation.criteria.name": ("Name of the criterion", ""),
    "evaluation.criteria.question": ("What evaluators ask themselves", ""),
    "evaluation.criteria.max": ("Highest mark of this criterion", "Only where it is not the highest of the scale."),
    "evaluation.scale.max": ("Highest mark", "Where the marks have even steps from 0 upwards."),
    "evaluation.scale.step": ("Step between marks", "1 or 0.5."),
    "evaluation.scale.marks": ("Or the marks one by one", "One a line, for example 0, 3, 7 and 10; then neither highest mark nor step."),
    "evaluation.scale.anchors": (
        "What the marks mean", "One a line: words for each whole mark from 0 upwards, or a mark = its words.",
    ),
    "evaluation.scoring.method": ("The score is", "Not said means the consensus."),
    "evaluation.scoring.weights_count_for": ("Weights count for", "Not said means the order of the list only."),
    "evaluation.scoring.total_threshold_on": ("The threshold in all is tested on", "Not said means the marks before any weight."),
    "evaluation.scoring.board_shift_max": ("By how much the panel may move a score", "Points up or down. Empty: not at all."),
    "evaluation.scoring.comment": ("A comment is demanded", "Not said means below the threshold of a criterion."),
    "evaluation.scoring.comment_words": ("Words of such a comment", "At least so many; not said means 30."),
    "evaluation.scoring.evaluators_least": ("Assessments a score needs", "Empty: as many as evaluators read each application."),
    "evaluation.thresholds.each": ("At least for each criterion", "Points."),
    "evaluation.thresholds.total": ("At least in all", "Points."),
    "evaluation.thresholds.criteria": ("At least for single criteria", "One a line: short name: points."),
    "conflict_rules.same_country": ("The same country is a conflict", "For the whole call: who assesses or sits in the panel never sees an application of their own country."),
    "conflict_rules.same_city": ("The same city is a conflict", "For who assesses or sits in the panel."),
    "conflict_rules.competing_bid": ("Who takes part in an application judges none of the others", ""),
    "conflict_rules.past_consortium_years": (
        "Years for which a shared consortium is looked at",
        "0 for none. A person decides about each.",
    ),
    "expert_terms.contract": ("Contract", "What an evaluator accepts before anything opens. Empty: nothing is asked."),
    "expert_terms.confidentiality": ("Confidentiality", "The declaration that goes with the contract; both or neither."),
    "evaluation.assignment.topics": ("Topics", "Points for the topics an evaluator knows, for example 450."),
    "evaluation.assignment.language": ("Language", "Points for reading the language of the call, for example 200."),
    "evaluation.assignment.role": ("Role", "Points for a role asked for below, for example 150."),
    "evaluation.assignment.bid": ("Wish", "Points for the wish of the evaluator, for example 150."),
    "evaluation.assignment.novelty": ("Not last year’s evaluator", "Points for not having assessed this applicant in the programme’s call of the year before, for example 50."),
    "evaluation.assignment.rare_topics": ("Do topics that few know count more?", ""),
    "evaluation.assignment.country_max": ("Evaluators of one country on an application, at most", "Among themselves, wherever the application is from. Empty: any number."),
    "evaluation.assignment.organisation_max": ("Evaluators of one organisation on an application, at most", "Empty: any number."),
    "evaluation.assignment.roles": ("Roles each application needs", "One a line, for example finance."),
    "evaluation.assignment.reader": ("Does each application need one who reads its language?", ""),
    "evaluation.assignment.balance": ("Does each application need a woman and a man?", "Of its evaluators, counting those who said so in their profile; nobody has to. Needs two evaluators for each application."),
    "evaluation.assignment.floor": ("Is the worst served application served first?", ""),
    "evaluation.weights": ("Weights", "One a line: short name of the criterion: weight. Write none for no weights."),
    "selection.fund_what_fits": ("Is what still fits selected below the line?", "Not said: selection stops at the first application that asks for more than is left."),
    "selection.reserve_max": ("Places on the reserve list", "Empty: everybody above the thresholds."),
    "selection.country_max": ("Most applications from one country", "The country of the lead."),
    "selection.country_amount_max": ("Most for one country together, in EUR", ""),
    "selection.countries_min": ("Least number of countries", ""),
    "selection.small_cities_min": ("Least number of small cities", ""),
    "selection.small_city_below": ("A city is small with fewer inhabitants than", "Empty: 100000."),
    "selection.one_per_city": ("Does a city take part in one selected application at most?", ""),
    "selection.amounts": ("May less than was asked for be recommended, with conditions?", ""),
    "selection.places": ("May an application be moved to another place of the list, with a reason?", ""),
    "selection.strands": ("Strands of the budget", ""),
    "strands.name": ("Name of the strand", ""),
    "strands.asked_max": ("For applications that ask for up to, in EUR", ""),
    "strands.ceiling": ("Most for the strand together, in EUR", ""),
    "draw.intervals": ("Drawn are instead those whose 50 % rank interval crosses the line", "Then the points above are 0. Where the method gives no intervals, tied ones are drawn."),
    "draw.within": ("Drawn are those within so many points of the first score that does not fit", "0: only those that share its score and stay tied by every rule of the call."),
    "complaints.window_days": ("Days to complain", "Calendar days after the result reached the applicant; that day does not count."),
    "complaints.decide_days": ("Days to decide", "After the complaint was received; that day does not count."),
    "complaints.working_days": ("Are the days to decide working days?", "Not said: calendar days."),
    "complaints.holidays": ("Days that are no working days", "Beside weekends. Not said: none."),
    "complaints.days_off": ("More days that are no working days", "One a line, for example 24 December 2027."),
    "complaints.languages": ("Languages of complaints", "One a line. Empty: the language of applications."),
    "complaints.grounds": ("What one may complain about", "Empty: each of them. How good an application is, is none."),
    "complaints_to.address": ("Address for complaints", "For who cannot complain on the pages here, for example redress@pilots.example. Empty: the helpdesk."),
    "complaints_to.decided_by": ("Who decides complaints", "For example: two people of the programme who had no part in the first decision."),
    "signing.signed_by": ("Who signs", "First and last name. Empty: the granting authority, without a person."),
    "signing.role": ("Role of who signs", "For example: Head of pilot grants."),
    "signing.organisation": ("Granting authority", "Empty: the organisation that runs the programme, else the programme."),
    "signing.address": ("Address of the granting authority", "In one line with commas; letters break it at them."),
    "signing.place": ("Place of the letters", "Stands before their date. Empty: the town of the granting authority."),
    "signing.contact": ("Whom to ask about a letter", "An address or a telephone number, beside the helpdesk."),
    # Payments.
    "additional.percent": ("Percent of the grant", "Within the most before the balance, together with the pre-financing."),
    "additional.threshold": (
        "Percent of the pre-financing that has to be used",
        "Where less was used, the additional pre-financing is less by what is missing. Empty: 70.",
    ),
    "tranches.label": ("Name of the payment", ""),
    "tranches.kind": ("Which payment it is", ""),
    "tranches.percent": ("Percent of the grant", "Empty where accepted costs decide."),
    "tranches.condition": ("What it waits for", ""),
    "due_month": ("Due in month", "Counted from the start of the pilot."),
    "time_limits.prefinancing": ("Pre-financing, days after entry into force", ""),
    "time_limits.before_start": ("Pre-financing at the earliest, days before the start", ""),
    "time_limits.report": ("Reports, days after their period", ""),
    "time_limits.interim": ("Interim payment, days after the report came in", ""),
    "time_limits.balance": ("Balance, days after the report came in", ""),
    "clock.starts": ("Days count from", "Of interim payments and of the balance; pre-financing counts from entry into force."),
    "clock.passes": ("Before its decision a request is", ""),
    "funding.form": ("What is paid", "A flat rate needs the flat rate of indirect costs."),
    "funding.no_profit": ("A profit of the action", "Receipts are declared in the final report."),
    "funding.certificate_from": (
        "Certificate from a contribution of",
        "To one beneficiary over the whole action. Leave it empty where none is asked for.",
    ),
    "funding.guarantee": ("Pre-financing waits for a guarantee", ""),
    "passing_on.confirmed_by": ("What was passed on is confirmed by", ""),
    "passing_on.days": ("Days to pass money on", "From the day the coordinator received it; empty where no number is set."),
    "milestones.month": ("Month", "Counted from the start of the pilot."),
    "milestones.evidence": ("How it is shown", ""),
    "timing": ("When", ""),
    # Documents to attach.
    "required_attachments.label": ("Name of the document", ""),
    "required_attachments.required": ("Must it be attached?", "Not said means yes: without it nothing can be sent."),
    "required_attachments.types": ("Kinds of files", "One a line: pdf, docx, xlsx, odt, ods, png, jpg, csv, txt. Empty: any of them."),
    "required_attachments.megabytes_max": ("Most megabytes", ""),
    "required_attachments.pages_max": ("Most pages", "Then only a PDF is taken, whose pages can be counted."),
    # The call.
    "parent_grant.number": ("Number of the parent grant", "A new number makes a new parent grant."),
    "parent_grant.rules": ("Rules of a new parent grant", "Those of a known one are changed on its own page."),
    "parent_grant.topic_family": ("Topic", ""),
    "rules.recipients": ("Who may receive money", ""),
    "rules.procedure": ("How recipients are chosen", ""),
    "amount_rule": ("How the exact amount is found", ""),
    "maximum_per_recipient": ("Most for one recipient, in EUR", ""),
    "funding_rate_percent_max": ("Largest share of costs that is paid, in percent", ""),
    "flat_rate_percent_max": ("Highest flat rate for indirect costs, in percent", ""),
    "opening_months_min": ("Least time a call is open, in months", ""),
    "rules.countries": ("Countries that may be paid", "One code a line."),
    "literal": ("As printed", "For example mid-2027."),
    "local": ("Day", "As 2027-11-15, where it is known."),
    "time": ("Hour", "On the 24-hour clock: 09:00."),
    "call.stage": ("Stage", "Not said means that the call has one stage."),
    "call.follows": ("Follows the call", "For a full proposal: the reference or the identifier of the call for concepts."),
    "call.sources": ("Sources", "One a line: short name: address."),
    "eligibility.country_lists": ("Lists of countries", "One a line: name: PL, CZ, SK."),
}  # fmt: skip

# What is said where a field that must be filled in is empty; other fields say that they are missing.
_MISSING: Mapping[str, str] = {
    "questions.label": "Write the question.",
    "columns.label": "Write the head of the column.",
    "sections.title": "Write the title of the section.",
    "own_sections.title": "Write the title of the section.",
}

# What a choice of a closed list says, instead of its word in files.
_OPTIONS: Mapping[type[StrEnum], Mapping[str, str]] = {
    EnvelopeRule: {
        EnvelopeRule.CEILING: "Each is a ceiling: any amount up to it",
        EnvelopeRule.EXACT: "Exact: the request equals one of them",
    },
    Nature: {Nature.STAFF: "Staff", Nature.PURCHASE: "Purchases, on which VAT may fall", Nature.OTHER: "Anything else"},
    ClockStart: {
        ClockStart.RECEIPT: "The day the report came in",
        ClockStart.REGISTRATION: "The registration of the payment request",
        ClockStart.APPROVAL: "The approval of the report",
    },
    RequestPath: {
        RequestPath.DECIDED: "Nothing: it is decided as it comes in",
        RequestPath.REGISTERED: "Registered",
        RequestPath.VERIFIED: "Registered, and verified by another person",
    },
    FundingForm: {
        FundingForm.ACTUAL_COST: "Costs that were incurred",
        FundingForm.FLAT_RATE: "Direct costs that were incurred, and a flat rate for all others",
        FundingForm.LUMP_SUM: "Lump sums for completed work packages",
    },
    NoProfit: {
        NoProfit.NONE: "Stays: receipts do not count",
        NoProfit.WHOLE: "Is taken off the final amount as a whole",
        NoProfit.SHARE: "Is taken off by the share that the grant paid of the costs",
    },
    CallKind: {
        CallKind.SUPPORT: "Grants are paid to those selected",
        CallKind.INTEREST: "An expression of interest: nothing is paid",
        CallKind.LEARNING: "Learning together: nothing is paid",
    },
    ScoreMethod: {
        ScoreMethod.CONSENSUS: "What the evaluators agree on",
        ScoreMethod.MEAN_PER_CRITERION: "The mean of the assessments, criterion by criterion",
    },
    WeightsCount: {
        WeightsCount.RANK_ONLY: "The order of the list only",
        WeightsCount.SCORE: "The score: it is the weighted sum",
    },
    ThresholdBasis: {
        ThresholdBasis.MARKS: "The marks before any weight",
        ThresholdBasis.SCORE: "The weighted score, with what the panel moved it by",
    },
    CommentRule: {
        CommentRule.ALWAYS: "With every mark",
        CommentRule.BELOW_THRESHOLD: "Below the threshold of a criterion",
        CommentRule.EXTREMES: "With the lowest and the highest mark",
        CommentRule.NEVER: "Never",
    },
    ComplaintGround: GROUND_WORDS,
    HolidayCalendar: CALENDAR_WORDS,
    CallStage: {
        CallStage.CONCEPT: "The first of two: a concept",
        CallStage.FULL: "The second of two: the full proposal, by invitation",
    },
    EvidenceLevel: EVIDENCE_WORDS,
    ConditionKind: {
        ConditionKind.PASS_FAIL: "A condition everybody must meet",
        ConditionKind.EXCEPTION: "An exception from the condition before it",
    },
    Confidence: {
        Confidence.SEEN: "Seen in public documents",
        Confidence.SECONDARY: "From the press or a third party",
        Confidence.INFERRED: "Inferred",
        Confidence.NOT_FOUND: "Not found",
        Confidence.STATED: "Stated by the programme",
    },
    FactKind: {
        FactKind.ORGANISATION: "Kind of organisation",
        FactKind.COUNTRY: "Country",
        FactKind.INHABITANTS: "Inhabitants",
        FactKind.MISSION_CITY: "Being a city of the Mission",
        FactKind.CITIES: "How many cities apply together",
        FactKind.EARLIER: "No earlier participation, by the register",
        FactKind.TERRITORY: "Territory in no earlier pilot and no other application",
        FactKind.PROPOSALS: "In how many applications to this call",
        FactKind.MONEY: "Money asked for",
        FactKind.AWARD_AMOUNT: "The sum asked for is an award amount",
        FactKind.PARTICIPANT_CODE: "Has a participant code (PIC)",
        FactKind.ANSWER: "An answer of the form",
        FactKind.ARRIVAL: "Sent in this system before the deadline",
    },
    Whom: {
        Whom.LEAD: "The lead",
        Whom.ADMINISTRATIONS: "Every city administration",
        Whom.OTHERS: "Every other organisation",
        Whom.NOT_MISSION: "City administrations outside the Mission",
        Whom.EVERYBODY: "Every organisation",
    },
    InstalmentKind: {
        InstalmentKind.PREFINANCING: "Pre-financing",
        InstalmentKind.ADDITIONAL: "Additional pre-financing",
        InstalmentKind.INTERIM: "An interim payment",
        InstalmentKind.BALANCE: "The balance",
    },
    QuestionKind: {
        QuestionKind.SHORT: "A short text, one line",
        QuestionKind.LONG: "A long text",
        QuestionKind.NUMBER: "A number",
        QuestionKind.MONEY: "An amount in euros",
        QuestionKind.CHOICE: "One of several choices",
        QuestionKind.MULTICHOICE: "Any of several choices",
        QuestionKind.DATE: "A date",
        QuestionKind.CONFIRMATION: "A confirmation to tick",
        QuestionKind.FILE: "A file",
        QuestionKind.TABLE: "A table",
    },
}  # fmt: skip


def said(path: str, name: str) -> tuple[str, str]:
    """Label and hint of one field of a part: ``name`` is its dotted place in the form, numbers of entries included.

    >>> said("application_form.sections", "value.questions.0.kind")[0]
    'Kind of answer'
    """
    for ending in _endings(path, name):
        found = _SAID.get(ending)
        if found is not None:
            return found
    text = _endings(path, name)[-1].replace("_", " ")
    return text[:1].upper() + text[1:], ""


def missing_words(path: str, name: str) -> str:
    """What to do where that field is empty and must not be; "" where nothing more can be said than that it is missing.

    >>> missing_words("application_form.sections", "value.questions.0.label")
    'Write the question.'
    """
    return next((_MISSING[ending] for ending in _endings(path, name) if ending in _MISSING), "")


def _endings(path: str, name: str) -> list[str]:
    """The path of a field in a form, and each shorter ending of it, the longest first."""
    words = [*path.split("."), *(each for each in name.split(".")[1:] if not each.isdecimal())]
    return [".".join(words[start:]) for start in range(len(words))]


def option_words(choices: type[StrEnum], value: str) -> str:
    """What one choice of a closed list says.

    >>> option_words(Whom, "lead")
    'The lead'
    """
    text = value.replace("_", " ")
    return _OPTIONS.get(choices, {}).get(value, text[:1].upper() + text[1:])


def short_names(definition: Definition) -> set[str]:
    """The short names of every section and question of a form."""
    return {
        key
        for section in definition.sections
        for key in (section.key, *(question.key for question in section.questions))
    }


KEY_CHARACTERS_MAX = 40


def key_from(words: str, taken: Collection[str]) -> str:
    """A short name made from words, different from those taken.

    >>> key_from("Łódź: what changes?", ()), key_from("Why", {"why"})
    ('lodz_what_changes', 'why_2')
    """
    stem = re.sub(r"[^a-z0-9]+", "_", fold(words)).strip("_")
    stem = re.sub(r"^[^a-z]+", "", stem)[:KEY_CHARACTERS_MAX].strip("_") or "entry"
    if stem not in taken:
        return stem
    return next(key for number in range(2, len(taken) + 3) if (key := f"{stem}_{number}") not in taken)
