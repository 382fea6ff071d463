"""The letters that tell a decision: each as it would be sent or as it is on its way, and what stands in its way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, not_, select, union_all
from sqlalchemy.dialects.postgresql import distinct_on

from grants.applications import queries as applications
from grants.applications.models import Application
from grants.applications.states import ApplicationState as S
from grants.applications.states import Origin
from grants.awards import rules
from grants.awards.models import (
    DecisionLetter,
    LetterLeftOut,
    LetterMailing,
    LetterText,
    Selection,
    SelectionItem,
)
from grants.awards.queries.addressing import ADDRESS, contact_of_lead, granting_authority
from grants.awards.queries.drafting import Draft, drafted, outcome_of
from grants.awards.queries.mailed import deliveries
from grants.awards.queries.publication import WITHOUT_RESULT
from grants.awards.queries.settling import as_settled, repeating_in, settled_in, settlements
from grants.awards.rules.delivery import NO_MAILS, Delivery
from grants.awards.rules.letter_words import HOUSE_TEXTS
from grants.awards.rules.letters import (
    DecisionText,
    Hashes,
    Hindrance,
    LetterException,
    LetterRow,
    LettersPage,
    MailingView,
    SentLetter,
    TextView,
)
from grants.awards.rules.settling import Settlement
from grants.awards.states import LetterState, MailingState, Outcome, SelectionKind, SelectionState
from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.core import clock, files
from grants.core.db import among, db, get, locked
from grants.core.errors import NotFound, Refused
from grants.core.files import FileView
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, ask, reader, side_by_side
from grants.evaluation import queries as evaluation
from grants.evaluation.rules import AgreedWords, MarkInput
from grants.identity import queries as identity
from grants.identity.models import Organisation, User

LETTER_FILES = "decision_letter"
LETTER_ROLE, REPORT_ROLE = "letter_alone", "report"
# PDFs of letters that name the hash over their report too; nothing makes them any more.
LETTER_WITH_REPORTS_HASH_ROLE = "letter"
# Who looks at letters: who prepares them, who stands behind them, who audits.
READS_LETTERS = (Permission.SELECTION_PUBLISH_RESULTS, Permission.SELECTION_CONFIRM, Permission.AUDIT_READ)


def mailing_scope(mailing_id: UUID) -> Scope:
    """A mailing lies in its call, which is locked first."""
    scope = evaluation.call_scope(get(LetterMailing, mailing_id).call_id)
    locked(LetterMailing, mailing_id)
    return scope


def letter_scope(letter_id: UUID) -> Scope:
    """A letter lies in its application, under that one’s lock."""
    return applications.scope_of(get(DecisionLetter, letter_id).application_id)


def application_of(letter_id: UUID) -> UUID:
    """Which application a letter is about."""
    return get(DecisionLetter, letter_id).application_id


def letter_in_call(letter_id: UUID) -> Scope:
    """The call of a letter alone: how its sending fared is noted whoever asked for it."""
    application = get(Application, get(DecisionLetter, letter_id).application_id)
    return Scope.of(("call", application.call_id))


@reader
def letters_page(actor: Actor, slug: str, tried: TextView | None = None) -> Asking[LettersPage]:
    """Every letter of a call this person may look at; :class:`NotFound` for whoever has nothing to do with them.

    With words that are ``tried``, those that still wait read as these would have them.
    """
    call = yield from calls.call.asking(actor, slug)
    if not any(actor.may(permission, Scope.of(("call", call.id))) for permission in READS_LETTERS):
        raise NotFound
    return (yield from letters_of.asking(actor, call, tried))


@reader
def letters_of(actor: Actor, call: CallView, tried: TextView | None = None) -> Asking[LettersPage]:
    """The same of a call that was opened. No mark reaches an applicant before the results are public."""
    public = call.results_are_public(clock.now())
    first: list[Asking[Any]] = [_decided(call.id), _mailings(call.id), _texts(call.id), granting_authority(call)]
    (items, forgotten), mailings, texts, authority = yield from side_by_side(first)
    if tried is not None:
        texts = {**texts, tried.outcome: tried}
    ids = [row.application_id for row in items] + [row.application_id for row in forgotten]
    criteria = call.content.criteria
    asked: list[Asking[Any]] = [
        evaluation.shut_to.asking(actor, ids),
        evaluation.agreed_words_of.asking(ids, criteria),
        evaluation.reasons_of_shifts.asking(ids),
        identity.teams.asking(Permission.APPLICATION_EDIT, "application", ids),
        _letters(ids),
        _left_out(ids),
        deliveries(ids),
        ask(settled_in(ids)),
        ask(repeating_in(ids)),
    ]
    shut, agreed, reasons, teams, letters, left_out, mails, settled, repeated = yield from side_by_side(asked)
    newest, repeating = settlements(settled), {row.application_id for row in repeated}
    items = [as_settled(item, newest.get(item.application_id)) for item in items]
    agreed = {**agreed, **{key: _settled_words(one) for key, one in newest.items()}}
    rows = []
    places = _places(items)
    for item in items:
        outcome = outcome_of(item)
        draft = drafted(call, item, places, texts, agreed.get(item.application_id), reasons, public, authority)
        draft = _hindered(draft, bool(teams.get(item.application_id)), item.application_id in repeating)
        letter = letters.get((item.selection_id, item.application_id, outcome.value))
        rows.append(_row(item, outcome, draft, letter, left_out, mails))
    # One whose evaluation is repeated is in evaluation once more, and on the list.
    listed = {item.application_id for item in items}
    for item in (each for each in forgotten if each.application_id not in listed):
        words = "It has no outcome: no confirmed list names it. Decide it, or declare it ineligible."
        missing = [LetterException(Hindrance.NO_OUTCOME, words)]
        about = (item.application_id, item.reference, item.title, item.lead, None)
        rows.append(_out(LetterRow(*about, exceptions=tuple(missing)), left_out))
    seen = tuple(row for row in rows if row.application_id not in shut)
    return LettersPage(
        call.id, call.slug, call.title, call.reference, call.zone, bool(items), seen, len(rows) - len(seen),
        tuple(texts[outcome] for outcome in Outcome), mailings, public,
    )  # fmt: skip


def _hindered(draft: Draft, has_team: bool, is_repeated: bool) -> Draft:
    """The draft with what stands in its way beside its own words."""
    if is_repeated:
        words = "Its evaluation is repeated. Settle its outcome first."
        return replace(draft, missing=(LetterException(Hindrance.REPEATED, words),))
    if has_team:
        return draft
    words = "Nobody of its team has an account that works. Invite somebody."
    return replace(draft, missing=(*draft.missing, LetterException(Hindrance.NO_RECIPIENT, words)))


def _settled_words(settlement: Settlement) -> AgreedWords:
    return AgreedWords(tuple(MarkInput(key, None, said) for key, said in settlement.comments.items()), settlement.text)


def overtaken(letters: Sequence[DecisionLetter]) -> list[str]:
    """The references of those whose letter tells an outcome that is no longer theirs, or is being repeated, in order."""
    ids = [letter.application_id for letter in letters]
    newest_of = settlements(db.session.execute(settled_in(ids)).all())
    repeating = set(db.session.scalars(repeating_in(ids)))
    rows = db.session.execute(
        select(SelectionItem.application_id, SelectionItem.entry_id, SelectionItem.outcome, Application.reference)
        .join(Selection, Selection.id == SelectionItem.selection_id)
        .join(Application, Application.id == SelectionItem.application_id)
        .where(
            SelectionItem.application_id.in_(ids),
            Selection.state == SelectionState.CONFIRMED.value,
            Selection.kind == SelectionKind.RANKED.value,
        )
        .order_by(Selection.number)
    ).all()
    told = {letter.application_id: letter.outcome for letter in letters}
    newest = {row.application_id: row for row in rows}

    def is_overtaken(row: Any) -> bool:
        settlement = newest_of.get(row.application_id)
        stands = settlement.outcome if settlement and row.entry_id is None else outcome_of(row)
        return row.application_id in repeating or stands.value != told[row.application_id]

    return sorted(row.reference for row in newest.values() if is_overtaken(row))


def _decided(call_id: UUID) -> Asking[tuple[Sequence[Any], Sequence[Any]]]:
    """The items of the confirmed ranked list of a call, in its order, and what was sent in but is on none."""
    about = (Application.reference, Application.title, Application.requested, Organisation.name.label("lead"))
    items, forgotten = yield [
        select(
            SelectionItem,
            *about,
            *ADDRESS,
            contact_of_lead().label("contact"),
            Selection.rules["departures"].label("departures"),
            Selection.rules["order_told"].label("order_told"),
        )
        .join(Selection, Selection.id == SelectionItem.selection_id)
        .join(Application, Application.id == SelectionItem.application_id)
        .join(Organisation, Organisation.id == Application.coordinator_id)
        .where(
            Selection.call_id == call_id,
            Selection.kind == SelectionKind.RANKED.value,
            Selection.state == SelectionState.CONFIRMED.value,
        )
        # All of them: whoever stood behind a limit would never be told.
        .order_by(SelectionItem.position),
        select(Application.id.label("application_id"), *about)
        .join(Organisation, Organisation.id == Application.coordinator_id)
        .where(
            Application.call_id == call_id,
            Application.origin == Origin.SUBMITTED_HERE.value,
            Application.state.in_(WITHOUT_RESULT),
        )
        .order_by(Application.reference),
    ]
    # Before a list is confirmed everything lacks an outcome; that is no exception, it is not decided yet.
    return items, (forgotten if items else ())


def _places(items: Sequence[Any]) -> dict[UUID, str]:
    """The place of each on the reserve list, in the order of the frozen list; tied ones share theirs."""
    waiting = [item for item in items if outcome_of(item) is Outcome.RESERVE]
    places = rules.reserve_places([item.rank for item in waiting])
    return {item.application_id: place for item, place in zip(waiting, places, strict=True)}


def _texts(call_id: UUID) -> Asking[dict[Outcome, TextView]]:
    """The words that stand for each outcome: the newest the programme wrote, else those of the house."""
    rows = yield from ask(
        select(LetterText.outcome, LetterText.text, LetterText.number, LetterText.written_at, User.name)
        .join(User, User.id == LetterText.written_by)
        .where(LetterText.call_id == call_id)
        # The newest of each alone, however often the words were changed.
        .ext(distinct_on(LetterText.outcome))
        .order_by(LetterText.outcome, LetterText.number.desc())
    )
    found = {outcome: TextView(outcome, HOUSE_TEXTS[outcome]) for outcome in Outcome}
    for row in rows:
        found[Outcome(row.outcome)] = TextView(Outcome(row.outcome), row.text, row.number, row.name, row.written_at)
    return found


def _mailings(call_id: UUID) -> Asking[tuple[MailingView, ...]]:
    counted = (
        select(DecisionLetter.mailing_id, func.count().label("letters"))
        .join(LetterMailing, LetterMailing.id == DecisionLetter.mailing_id)
        .where(LetterMailing.call_id == call_id)
        .group_by(DecisionLetter.mailing_id)
        .subquery()
    )
    rows = yield from ask(
        select(LetterMailing, counted.c.letters)
        .outerjoin(counted, counted.c.mailing_id == LetterMailing.id)
        .where(LetterMailing.call_id == call_id)
        # All of them: who wrote or returned one may not confirm another, and an older one is opened by its number.
        .order_by(LetterMailing.number.desc())
    )
    people = yield from identity.people.asking(
        who for row in rows for who in (row.prepared_by, row.confirmed_by, row.returned_by) if who
    )
    names = {key: person.name for key, person in people.items()}
    return tuple(
        MailingView(
            row.id, row.number, MailingState(row.state), row.version, names.get(row.prepared_by, ""), row.prepared_by,
            row.prepared_at, names.get(row.confirmed_by, ""), row.confirmed_at, names.get(row.returned_by, ""),
            row.return_reason or "", row.letters or 0,
        )
        for row in rows
    )  # fmt: skip


def _letters(ids: Sequence[UUID]) -> Asking[dict[tuple[UUID, UUID, str], Any]]:
    """The letter of each decision, but those that were given back."""
    reader_of = User.__table__.alias("reader_of")
    rows = yield from ask(
        select(
            *(DecisionLetter.id, DecisionLetter.version, DecisionLetter.selection_id, DecisionLetter.application_id),
            *(DecisionLetter.outcome, DecisionLetter.state, DecisionLetter.content, DecisionLetter.sent_content),
            *(DecisionLetter.sha256, DecisionLetter.sent_sha256, DecisionLetter.sent_at, DecisionLetter.failure),
            *(DecisionLetter.acknowledged_at, reader_of.c.name.label("reader"), LetterMailing.number.label("mailing")),
        )
        .join(LetterMailing, LetterMailing.id == DecisionLetter.mailing_id)
        .outerjoin(reader_of, reader_of.c.id == DecisionLetter.acknowledged_by)
        .where(DecisionLetter.application_id.in_(ids), DecisionLetter.state != LetterState.DROPPED.value)
    )
    return {(row.selection_id, row.application_id, row.outcome): row for row in rows}


def _left_out(ids: Sequence[UUID]) -> Asking[dict[UUID, Any]]:
    rows = yield from ask(
        select(LetterLeftOut.application_id, LetterLeftOut.reason, LetterLeftOut.told_at, User.name)
        .join(User, User.id == LetterLeftOut.left_out_by)
        .where(LetterLeftOut.application_id.in_(ids), LetterLeftOut.ended_at.is_(None))
    )
    return {row.application_id: row for row in rows}


def is_left_out(application_id: UUID) -> bool:
    """Whether somebody else tells an application its outcome: its letter is left out by name."""
    return (
        db.session.scalar(select(Application.id).where(Application.id == application_id, left_out_by_name()))
        is not None
    )


def left_out_by_name() -> ColumnElement[bool]:
    """The same as a condition on :class:`Application`."""
    found = select(LetterLeftOut.id).where(LetterLeftOut.application_id == Application.id)
    return found.where(LetterLeftOut.ended_at.is_(None)).exists()


def to_mend() -> ColumnElement[bool]:
    """Which failed :class:`DecisionLetter` of an :class:`Application` somebody must mend: not left out, its outcome still stands."""
    after = [state.value for state in (S.IN_PREPARATION, S.AWARDED, S.DECLINED, S.DROPPED)]
    stands = case((Application.state.in_(after), S.SELECTED.value), else_=Application.state)
    return and_(
        DecisionLetter.state == LetterState.FAILED.value, DecisionLetter.outcome == stands, not_(left_out_by_name())
    )


def _out(row: LetterRow, left_out: Mapping[UUID, Any]) -> LetterRow:
    """The row with why it is left out by name and when its team was told, where it is."""
    found = left_out.get(row.application_id)
    return row if found is None else replace(row, left_out=found.reason, left_out_by=found.name, told_at=found.told_at)


def _row(
    item: Any,
    outcome: Outcome,
    draft: Draft,
    letter: Any,
    left_out: Mapping[UUID, Any],
    mails: Mapping[UUID, Delivery],
) -> LetterRow:
    row = LetterRow(item.application_id, item.reference, item.title, item.lead, outcome, item.amount)
    # One that failed and was left out since is nobody's to send: it is told as left out until it is taken in again.
    if letter is None or (letter.state == LetterState.FAILED.value and item.application_id in left_out):
        return _out(replace(row, text=draft.text, exceptions=draft.missing, places=draft.places), left_out)
    stored = letter.sent_content or letter.content
    return replace(
        row,
        text=DecisionText.from_mapping(stored),
        letter_sha256=Hashes.of(stored).letter,
        letter_id=letter.id,
        version=letter.version,
        state=LetterState(letter.state),
        mailing=letter.mailing,
        sent_at=letter.sent_at,
        sha256=(letter.sent_sha256 or letter.sha256).hex(),
        failure=letter.failure or "",
        acknowledged_at=letter.acknowledged_at,
        acknowledged_by=letter.reader or "",
        delivery=mails.get(item.application_id, NO_MAILS),
    )


def row_of(page: LettersPage, reference: str) -> LetterRow:
    """The letter of one application; :class:`NotFound` where there is none this person may look at."""
    found = next((row for row in page.rows if row.reference == reference), None)
    if found is None or found.text is None:
        raise NotFound
    return found


def papers(letter_id: UUID) -> tuple[FileView, ...]:
    """Every PDF that was made of a letter and its report, the newest of each first."""
    return tuple(file for chain in files.chains(files.listed(LETTER_FILES, letter_id)) for file in chain)


def sent_letter(actor: Actor, reference: str, at: datetime) -> tuple[Any, SentLetter]:
    """The newest letter its team was sent, with the application; :class:`NotFound` for everybody else and before."""
    application = applications.view_for_team(applications.team_id_of(actor, reference))
    row = db.session.scalars(_newest_sent(application.id)).first()
    if row is None:
        raise NotFound
    assert row.sent_content is not None and row.sent_sha256 is not None and row.sent_at is not None
    public, roles = application.call.results_are_public(at), {file.role for file in files.listed(LETTER_FILES, row.id)}
    had = LETTER_WITH_REPORTS_HASH_ROLE in roles and LETTER_ROLE not in roles
    return application, SentLetter(
        row.id, row.version, DecisionText.from_mapping(row.sent_content), row.sent_at, row.sent_sha256.hex(),
        Hashes.of(row.sent_content).letter, public, row.acknowledged_at, has_file=LETTER_ROLE in roles or (had and public), held=had and not public,
    )  # fmt: skip


def _newest_sent(application_id: UUID) -> Select[DecisionLetter]:
    return (
        select(DecisionLetter)
        .where(DecisionLetter.application_id == application_id, DecisionLetter.state == LetterState.SENT.value)
        .order_by(DecisionLetter.sent_at.desc())
        .limit(1)
    )


def letter_for_print(letter_id: UUID) -> tuple[DecisionText, Hashes, Any]:
    """A sent letter with the hashes of its record and its call, for the job that prints it.

    Raises :class:`Refused` where what is stored is not what was sent: no paper bears a hash that is not its own.
    """
    row = get(DecisionLetter, letter_id)
    assert row.sent_content is not None and row.sent_sha256 is not None, "only what was sent is printed"
    hashes = Hashes.of(row.sent_content)
    if hashes.both != row.sent_sha256.hex():
        raise Refused(
            "What is stored of this letter is not what was sent: its SHA-256 differs from the one on record. "
            "No PDF is made of it. The first PDF stays; have the administrator look at the backup."
        )
    call = calls.call_by_id(get(Application, row.application_id).call_id)
    return DecisionText.from_mapping(row.sent_content), hashes, call


def unsent(call_id: UUID) -> int:
    """How many applications of the confirmed list of a call have no letter that was sent and are not left out by name."""
    sent = select(DecisionLetter.id).where(
        DecisionLetter.selection_id == SelectionItem.selection_id,
        DecisionLetter.application_id == SelectionItem.application_id,
        DecisionLetter.state == LetterState.SENT.value,
    )
    out = select(LetterLeftOut.id).where(
        LetterLeftOut.application_id == SelectionItem.application_id, LetterLeftOut.ended_at.is_(None)
    )
    return (
        db.session.scalar(
            select(func.count())
            .select_from(SelectionItem)
            .join(Selection, Selection.id == SelectionItem.selection_id)
            .where(
                Selection.call_id == call_id,
                Selection.kind == SelectionKind.RANKED.value,
                Selection.state == SelectionState.CONFIRMED.value,
                ~sent.exists(),
                ~out.exists(),
            )
        )
        or 0
    )


@reader
def reached_at(application_ids: Sequence[UUID]) -> Asking[dict[UUID, datetime]]:
    """When the newest letter of decision about each of these applications was sent, or it was told what its letter would say.

    Those that nobody told are left out.
    """
    told = union_all(
        select(DecisionLetter.application_id, DecisionLetter.sent_at.label("at"))
        .where(among(DecisionLetter.application_id, application_ids), DecisionLetter.sent_at.is_not(None)),
        select(LetterLeftOut.application_id, LetterLeftOut.told_at)
        .where(among(LetterLeftOut.application_id, application_ids), LetterLeftOut.told_at.is_not(None)),
    ).subquery()  # fmt: skip
    rows = yield from ask(
        select(told.c.application_id, func.max(told.c.at).label("at")).group_by(told.c.application_id)
    )
    return {row.application_id: row.at for row in rows}
