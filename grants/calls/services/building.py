"""Acts on calls: import, template, publication, deadlines, documents, results day, budget."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from grants.calls import queries, rules
from grants.calls.models import Call, CallDeadline, CallDocument, CallPrivacyNotice, CallVersion
from grants.calls.rules import (
    ELSEWHERE,
    FIELDS,
    NOT_FOUND,
    TEMPLATE_LABEL,
    BudgetInput,
    CallFile,
    CallSummary,
    DatesInput,
    Deadline,
    DeadlineInput,
    DeadlineNotice,
    DocumentInput,
    Opening,
    ParentGrant,
    ResultsInput,
    Sourced,
    VersionKind,
)
from grants.calls.states import MACHINE, CallKind, CallState, Confidence
from grants.core import acts, clock, encoding, jobs, references
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Invalid, NotFound, Problem, Problems, Refused, quoted
from grants.core.money import ZERO
from grants.core.permissions import Actor, Permission
from grants.core.text import fold
from grants.identity import services as identity
from grants.identity.rules import demand_fresh
from grants.ledger import rules as ledger_rules
from grants.ledger import services as ledger
from grants.ledger.rules import Dimensions, Event
from grants.programmes import queries as programme_queries
from grants.programmes import services as programmes
from grants.programmes.rules import NETZEROCITIES, PILOT_CITIES, FundSourceInput, ParentRules

DATA = Path(__file__).parents[1] / "data"

# Templates by the name people give on the command line.
TEMPLATES: Mapping[str, str] = {"horizon-like": "horizon_like.yaml"}

# The job that tells everybody with a draft; its act belongs to the stage that owns the drafts.
DEADLINE_JOB = "jobs.calls.deadline_moved"


@lru_cache(maxsize=8)
def template(name: str) -> Mapping[str, Sourced]:
    """The values of a template by its name; :class:`Invalid` where there is none."""
    if name not in TEMPLATES:
        raise Invalid(f"There is no template {quoted(name)}. Known: {', '.join(TEMPLATES)}.")
    return rules.read_template((DATA / TEMPLATES[name]).read_text(encoding="utf-8"))


@act("call.import", needs=Permission.CALL_IMPORT, says="imported call {subject}")
def import_call(actor: Actor, text: str, *, programme_code: str = PILOT_CITIES.code) -> CallSummary:
    """Bring in a call file as a draft; raises Problems with everything that is wrong, and then nothing came in."""
    file = rules.read_call_file(text)
    year = _year_of(file)
    published_id = file.value("call.id")
    _refuse_known(published_id, "Nothing was imported.", "call.id")
    call = Call(
        programme_id=_programme(programme_code),
        fund_source_id=_fund_source(file.value("call.parent_grant")),
        reference=references.new_reference(programme_code, year, "C"),
        slug=_free_slug(file.value("call.title"), year),
        published_id=published_id,
        title=file.value("call.title"),
        year=year,
        state=CallState.DRAFT.value,
        synthetic=bool(file.value("call.invented")),
        content={},
        zone=file.zone,
        follows_id=_followed(file.value("call.follows")),
    )
    db.session.add(call)
    _take_over(call, file.fields)
    for deadline in file.deadlines:
        _add_deadline(call.id, deadline)
    for document in file.documents:
        _add_document(call.id, document)
    db.session.flush()
    parent = _parent_rules(call)
    return _summary(call, (*file.notes, *_what_is_missing(file.fields, file.deadlines, parent)))


def _refuse_known(published_id: str | None, sentence: str, place: str) -> None:
    earlier = None if published_id is None else queries.find_published_id(published_id)
    if earlier is not None:
        said = f"{published_id} is here already as {earlier.reference}. Change that call instead."
        raise Problems(sentence, [Problem(place, said)])


def _parent_rules(call: Call) -> ParentRules:
    """What the parent grant of a call lays down."""
    return programme_queries.fund_source(call.fund_source_id).rules


def _year_of(file: CallFile) -> int:
    opening = file.value("dates.opens")
    if file.value("call.year"):
        return int(file.value("call.year"))
    if opening is not None:
        return int(opening.day.year)
    if file.deadlines:
        return clock.in_zone(file.deadlines[0].closes_at, file.zone).year
    raise Problems(
        "Nothing was imported.",
        [Problem("call.year", "is missing, and neither the opening day nor a deadline says the year.")],
    )


def _programme(code: str) -> UUID:
    """The programme of that code; the standard one is made where it is missing, so that a first import just works."""
    if code == PILOT_CITIES.code:
        return programmes.ensure_programme(PILOT_CITIES)
    found = programme_queries.find_programme(code)
    if found is None:
        raise Refused(f"There is no programme with the code {code}. Set it up first, or leave the code out.")
    return found.id


def _fund_source(parent: ParentGrant | None) -> UUID:
    """The parent grant that is named; the register learns it here where it is new."""
    given = (
        NETZEROCITIES
        if parent is None
        else FundSourceInput(parent.number, parent.acronym, parent.framework, rules=parent.rules)
    )
    return programmes.ensure_fund_source(given)


def _followed(name: str | None) -> UUID | None:
    """The call for concepts of that reference or identifier; None where it is not here, which keeps the call closed."""
    found = None if name is None else queries.find_concept_call(name)
    return None if found is None else found.id


def _free_slug(title: str, year: int) -> str:
    """``open-call-for-pilot-cities-2022``; a number follows where another call has that address."""
    head = re.split(r"\s+[-–—|]\s+|:\s", title, maxsplit=1)[0]
    stem = re.sub(r"[^a-z0-9]+", "-", fold(head)).strip("-")[:60].strip("-") or "call"
    stem = stem if stem.endswith(str(year)) else f"{stem}-{year}"
    taken = queries.taken_slugs(stem)
    if stem not in taken:
        return stem
    return next(slug for number in range(2, len(taken) + 3) if (slug := f"{stem}-{number}") not in taken)


def _take_over(call: Call, fields: Mapping[str, Sourced]) -> None:
    """The values, and the columns that follow from them."""
    call.content = rules.to_json(fields)
    call.opens_at = rules.opens_at(fields, call.zone)
    call.pays = rules.kind_of(fields) is CallKind.SUPPORT
    call.total_cents = fields.get("budget.total", NOT_FOUND).value if call.pays else None


def _what_is_missing(
    fields: Mapping[str, Sourced], deadlines: Iterable[Deadline], parent: ParentRules
) -> tuple[str, ...]:
    missing = rules.missing(fields, tuple(deadlines), parent)
    if not missing:
        return ()
    return (f"{len(missing)} values were not found: {', '.join(problem.place for problem in missing)}.",)


@act(
    "call.apply_template",
    needs=Permission.CALL_MANAGE,
    scope=queries.scope_of,
    says="filled call {subject} from a template",
)
def apply_template(
    actor: Actor, call_id: UUID, name: str = "horizon-like", *, version: int | None = None
) -> CallSummary:
    """Fill what was not found from a template, and label each value it filled; what was found never changes."""
    call = locked(Call, call_id)
    check_version(call, version)
    _refuse_unless_draft(call)
    fields, paths = rules.filled(rules.from_json(call.content), template(name), pays=call.pays)
    if not paths:
        raise Refused("Nothing was missing that the template could fill.")
    _take_over(call, fields)
    return _summary(call, (f"{len(paths)} values now come from the {TEMPLATE_LABEL}.",))


@act("call.set_value", needs=Permission.CALL_MANAGE, scope=queries.scope_of, says="edited a part of call {subject}")
def set_value(actor: Actor, call_id: UUID, path: str, text: str, *, version: int | None = None) -> CallSummary:
    """Set one value of a draft from the YAML of its form; raises Problems with the field of each fault."""
    call = locked(Call, call_id)
    check_version(call, version)
    _refuse_unless_draft(call)
    if path not in FIELDS or path in ELSEWHERE:
        raise NotFound
    fields = rules.from_json(call.content)
    fields[path] = rules.edited(fields.get(path, NOT_FOUND), rules.read_value(path, text))
    _keep_column(call, path, fields[path].value)
    _take_over(call, fields)
    acts.reason(FIELDS[path].label)
    return _summary(call, (f"“{FIELDS[path].label}” is saved.",))


def _keep_column(call: Call, path: str, value: Any) -> None:
    """What a call is known by stands in its columns too, and follows its form: also whose money it spends."""
    match path:
        case "call.title":
            if not value:
                raise Invalid("A call needs a title.", {"value": "Enter the title of the call."})
            call.title = value
        case "call.id":
            if value != call.published_id:
                _refuse_known(value, "Nothing was saved.", "value")
            call.published_id = value
        case "call.year":
            call.year = value or call.year
        case "call.invented":
            call.synthetic = bool(value)
        case "call.parent_grant":
            call.fund_source_id = _fund_source(value)
        case "call.follows":
            call.follows_id = _followed(value)
        case _:
            pass


@act("call.set_dates", needs=Permission.CALL_MANAGE, scope=queries.scope_of, says="set the dates of call {subject}")
def set_dates(actor: Actor, call_id: UUID, given: DatesInput, *, version: int | None = None) -> CallSummary:
    """Set zone, opening and first deadline of a draft, all as times on the clock of that zone."""
    call = locked(Call, call_id)
    check_version(call, version)
    _refuse_unless_draft(call)
    current = queries.last_deadline(call.id)
    if current is not None and current.number > 1:
        raise Refused("This call came with a moved deadline; its dates are changed in its file.")
    dates = rules.planned(given, has_deadline=current is not None)
    call.zone = dates.zone
    fields = rules.from_json(call.content)
    day = fields["dates.opens"].value
    if given.opens_on != (None if day is None else day.day):
        opening = None if given.opens_on is None else Opening(given.opens_on, given.opens_hour)
        fields["dates.opens"] = rules.edited(fields["dates.opens"], opening)
    fields["dates.opens_time"] = rules.edited(fields["dates.opens_time"], given.opens_hour)
    _take_over(call, fields)
    if dates.closes_at is None:
        return _summary(call, ("The dates are saved; the deadline is not set yet.",))
    if current is None:
        _add_deadline(call.id, Deadline(1, dates.closes_at, dates.zone, dates.literal))
    else:
        # A form shows no seconds: what a file gave to the second stays so until somebody sets another minute.
        same_minute = current.closes_at.replace(second=0, microsecond=0) == dates.closes_at
        current.closes_at = current.closes_at if same_minute else dates.closes_at
        current.zone, current.literal = dates.zone, dates.literal
    call.version += 1
    return _summary(call, (f"The deadline is {rules.literal_of(dates.closes_at, dates.zone)}.",))


@act("call.copy", needs=Permission.CALL_IMPORT, says="made call {subject} from an earlier one")
def copy_call(actor: Actor, call_id: UUID, title: str, year: int) -> CallSummary:
    """A new draft with every rule, text and question of a call this person may see, but none of its dates."""
    if not queries.is_visible(actor, call_id):
        raise NotFound
    source, words = get(Call, call_id), title.strip()
    if not words:
        raise Invalid("A call needs a title.", {"title": "Enter the title of the new call."})
    fields = {
        path: found
        for path, found in rules.from_json(source.content).items()
        if not path.startswith("dates.") and path not in ("call.id", "call.title", "call.year")
    }
    stated = {"call.title": words, "call.year": year}
    fields |= {path: Sourced(value, Confidence.STATED) for path, value in stated.items()}
    programme = programme_queries.programme(source.programme_id)
    call = Call(
        programme_id=source.programme_id,
        fund_source_id=source.fund_source_id,
        reference=references.new_reference(programme.code, year, "C"),
        slug=_free_slug(words, year),
        title=words,
        year=year,
        state=CallState.DRAFT.value,
        synthetic=source.synthetic,
        content={},
        zone=source.zone,
        follows_id=source.follows_id,
    )
    db.session.add(call)
    _take_over(call, fields)
    db.session.flush()
    acts.reason(f"From {source.reference}")
    return _summary(call, ("Dates, deadline and documents are to be set anew.",))


@act("call.publish", needs=Permission.CALL_PUBLISH, scope=queries.scope_of, says="published call {subject}")
def publish(actor: Actor, call_id: UUID, *, version: int | None = None) -> CallSummary:
    """Make a draft public; raises Problems with everything that is missing or does not fit together."""
    call = locked(Call, call_id)
    check_version(call, version)
    MACHINE.target(CallState(call.state), "publish")
    fields = rules.from_json(call.content)
    parent = _parent_rules(call)
    # The call for concepts may have come, or have become one, after this one named it.
    call.follows_id = _followed(fields.get("call.follows", NOT_FOUND).value)
    problems = rules.stage_problems(fields, call.follows_id) or rules.publish_problems(
        fields, queries.deadlines(call.id), call.zone, parent
    )
    if problems:
        raise Problems("The call was not published.", problems)
    MACHINE.move(call, "publish")
    call.parent_rules = encoding.encode(parent)
    call.published_at = acts.moment()
    _keep_first_version(actor, call)
    _publish_notice(actor, call, fields)
    assert call.opens_at is not None and (call.total_cents is not None or not call.pays), "a published call is complete"
    return _summary(call)


def _keep_first_version(actor: Actor, call: Call) -> None:
    """What everybody reads from now on, kept whole: corrigenda are told from it."""
    call.version_number = 1
    db.session.add(
        CallVersion(
            call_id=call.id,
            number=1,
            correction=0,
            kind=VersionKind.PUBLISHED.value,
            published_at=acts.moment(),
            published_by=actor.user_id,
            reason="",
            changes=[],
            content=call.content,
            deadline_reason="",
        )
    )


def _publish_notice(actor: Actor, call: Call, fields: Mapping[str, Sourced]) -> None:
    """The privacy notice of the call's file becomes its first version."""
    notice = fields.get("privacy_notice", NOT_FOUND).value
    if notice is not None:
        db.session.add(
            CallPrivacyNotice(
                call_id=call.id, number=1, content=encoding.encode(notice), note=None, published_by=actor.user_id
            )
        )


@act("call.cancel", needs=Permission.CALL_PUBLISH, scope=queries.scope_of, says="cancelled call {subject}")
def cancel(actor: Actor, call_id: UUID, reason: str, *, version: int | None = None) -> CallSummary:
    """Give a call up; its page stays and says so."""
    call = locked(Call, call_id)
    check_version(call, version)
    if not reason.strip():
        raise Invalid("Say why the call is cancelled.", {"reason": "Say why the call is cancelled."})
    MACHINE.move(call, "cancel")
    call.cancelled_at = acts.moment()
    acts.reason(reason.strip())
    return _summary(call)


@act(
    "call.extend_deadline",
    needs=Permission.CALL_EXTEND,
    scope=queries.scope_of,
    says="moved the deadline of call {subject}",
)
def extend_deadline(actor: Actor, call_id: UUID, given: DeadlineInput, *, version: int | None = None) -> CallSummary:
    """Move the deadline later, for everybody, with a reason; everybody with a draft is told by a job."""
    call = locked(Call, call_id)
    check_version(call, version)
    current = queries.last_deadline(call.id)
    if current is None:
        raise Refused("This call has no deadline yet. Set it on the page where the call is built.")
    if call.state == CallState.CANCELLED.value:
        raise Refused("This call is cancelled; its deadline does not move.")
    if call.results_public_at is not None:
        raise Refused("The results of this call are public or will be; its deadline does not move any more.")
    moved = rules.extended(queries.deadline_value(current), given, at=acts.moment())
    _add_deadline(call.id, moved)
    # The call itself changes, so that a page shown before the extension is found stale.
    call.version += 1
    acts.reason(moved.reason or "")
    jobs.queue(DEADLINE_JOB, subject=("call", call.id), call_id=call.id, number=moved.number)
    return _summary(call, (f"The deadline is now {moved.literal}.",))


@act(
    "call.add_document_version",
    needs=Permission.CALL_MANAGE,
    scope=queries.scope_of,
    says="added a version of a document to call {subject}",
)
def add_document_version(actor: Actor, call_id: UUID, given: DocumentInput) -> CallSummary:
    """Add a version of the call's documents with its table of changes; versions are never overwritten."""
    call = locked(Call, call_id)
    label = given.label.strip()
    if not label or not given.what.strip():
        raise Invalid(
            "The version is not complete.",
            {
                name: sentence
                for name, sentence in {
                    "label": "" if label else "Enter the number of the version, for example 1.2.",
                    "what": "" if given.what.strip() else "Say what this version is.",
                }.items()
                if sentence
            },
        )
    known = [document.label for document in queries.call_by_id(call.id).documents]
    if label in known:
        raise Invalid("This version exists.", {"label": f"There is a version {label} already. Use the next number."})
    _add_document(
        call.id,
        rules.DocumentVersion(
            label, given.published_on, given.what.strip(), tuple(line for line in given.changes if line.strip())
        ),
    )
    return _summary(call)


@act(
    "call.authorise_budget",
    needs=Permission.BUDGET_AUTHORISE,
    scope=queries.scope_of,
    says="authorised the budget of call {subject}",
)
def authorise_budget(actor: Actor, call_id: UUID, given: BudgetInput) -> CallSummary:
    """Set the budget of a call to an amount (E1): raised at will, lowered only down to what is free."""
    demand_fresh(actor)
    call = locked(Call, call_id)
    if call.state != CallState.PUBLISHED.value:
        raise Refused(f"This call is {call.state}; a budget is authorised for a published call.")
    if not call.pays:
        raise Refused("This call pays no money, so it has no budget. Its “what it leads to” says so.")
    change = rules.budget_change(
        stands=queries.authorised(call.id), free=queries.free(call.id), shown=given.shown, wanted=given.amount
    )
    dims = Dimensions(fund_source_id=call.fund_source_id, call_id=call.id)
    words = given.note.strip()
    acts.reason(words)
    ledger.post(
        Event.BUDGET_SET,
        source_key=f"call:{call.id}:budget:{acts.running_act().id}",
        effective_on=clock.in_zone(acts.moment(), call.zone).date(),
        description=f"Budget of {call.reference} {'raised' if change > ZERO else 'lowered'} to {given.amount}",
        legs=ledger_rules.legs_e1(change, dims) if change > ZERO else ledger_rules.legs_e1_lowered(-change, dims),
    )
    acts.subject("call", call.id)
    assert queries.authorised(call.id) == given.amount, "the ledger stands where the officer set it"
    return _summary(call, (f"The budget of the call is now {given.amount}.",))


def make_results_public(call_id: UUID, given: ResultsInput, *, version: int | None = None) -> datetime:
    """Set from when the results of a call are public, inside the act of the stage that knows they are decided.

    The moment may move as long as it has not come; what was once public stays so. Returns the moment.
    """
    call = locked(Call, call_id)
    check_version(call, version)
    if call.state != CallState.PUBLISHED.value:
        raise Refused(f"This call is {call.state}; only a published call has results.")
    if call.results_public_at is not None and call.results_public_at <= acts.moment():
        raise Refused(
            f"The results are public since {rules.literal_of(call.results_public_at, call.zone)}; that moment stays."
        )
    current = queries.last_deadline(call.id)
    at = rules.results_moment(given, call.zone, closes_at=current.closes_at if current else None, at=acts.moment())
    call.results_public_at = at
    return at


def results_public_by_source(call_id: UUID) -> datetime:
    """Results that were published elsewhere are public here too: from the day the call's file knows, else from now."""
    call = locked(Call, call_id)
    assert call.results_public_at is None, "what is public is not published again"
    call.results_public_at = min(_start_of_results_day(call) or acts.moment(), acts.moment())
    return call.results_public_at


def _start_of_results_day(call: Call) -> datetime | None:
    """The day on which results were made public, from its first minute, where the call's file knew it."""
    known = rules.from_json(call.content).get("dates.results_actual", NOT_FOUND).value
    if known is None or known.day is None:
        return None
    return clock.local_to_utc(datetime.combine(known.day, time.min), call.zone, fold=clock.Fold.EARLIER)


def deadline_notice(call_id: UUID, number: int) -> DeadlineNotice:
    """What the notice about a moved deadline says; the stage that owns the drafts sends it."""
    call = get(Call, call_id)
    lines = {line.number: line for line in queries.deadlines(call_id)}
    if number not in lines or number - 1 not in lines:
        raise NotFound
    new, old = lines[number], lines[number - 1]
    return DeadlineNotice(call.reference, call.slug, call.title, old.literal, new, new.number == max(lines))


def tell_deadline_moved(user_ids: Iterable[UUID], call_id: UUID, number: int) -> int:
    """Queue the notice for these people, inside the act of the stage that knows who has a draft; how many were told.

    Nobody is told of a deadline that has moved again meanwhile: the later notice says all.
    """
    notice = deadline_notice(call_id, number)
    if not notice.stands:
        return 0
    people = frozenset(user_ids)
    identity.mail(
        people,
        "call_deadline_moved",
        "call",
        call_id,
        reference=notice.reference,
        slug=notice.slug,
        title=notice.title,
        old=notice.old_literal,
        new=notice.new.literal,
        zone=notice.new.zone,
        note=notice.new.public_note or "",
        reason=notice.new.reason or "",
    )
    return len(people)


def _add_deadline(call_id: UUID, deadline: Deadline) -> None:
    db.session.add(
        CallDeadline(
            call_id=call_id,
            number=deadline.number,
            closes_at=deadline.closes_at.astimezone(UTC),
            zone=deadline.zone,
            literal=deadline.literal,
            reason=deadline.reason,
            public_note=deadline.public_note,
            announced_at=deadline.announced_at,
            confidence=deadline.confidence.value,
            source=deadline.source,
        )
    )


def _add_document(call_id: UUID, document: rules.DocumentVersion) -> None:
    db.session.add(
        CallDocument(
            call_id=call_id,
            label=document.label,
            published_on=document.published_on,
            what=document.what,
            changes=list(document.changes),
            source=document.source,
            confidence=document.confidence.value,
        )
    )


def _refuse_unless_draft(call: Call) -> None:
    if call.state != CallState.DRAFT.value:
        raise Refused(f"This call is {call.state}; its rules do not change any more.")


def _summary(call: Call, notes: tuple[str, ...] = ()) -> CallSummary:
    return CallSummary(call.id, call.reference, call.slug, call.title, CallState(call.state), notes)
