"""Pages of conflicts: what a person declares, and the manager’s ruling on a doubt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import abort, flash, request

from grants.calls.services import LOOK_JOB
from grants.core import jobs
from grants.core.errors import Conflict, NotFound, Refused, no_such, quoted
from grants.evaluation import queries, rules, services
from grants.evaluation.forms import (
    DecideDetectedForm,
    Declarations,
    ReasonForm,
    RuleForm,
    conflicts_form,
    places_sent,
)
from grants.evaluation.states import DETECTED_SHOWN, DetectedKind, DetectedState, Ruling
from grants.evaluation.views.frame import P, bp
from grants.web import paging
from grants.web.choosing import NO_CHOICE, chosen
from grants.web.forms import status_of
from grants.web.routing import current_actor, page, requires, see_other

# What of the address narrows and pages the list; anything else a link carries is not taken along.
NARROWS = ("show", "person", "application", "kind", "after", "back", "size")


@bp.get("/assessments/conflicts")
@requires(P.CONFLICT_DECLARE)
def conflicts() -> Any:
    """What is to be declared, part by part; or, by ``about``, one application alone, as somebody asks for who sits over it."""
    pages = queries.conflict_pages(current_actor())
    if one := rules.about_one(pages, request.args.get("about", "")):
        return _declarations(Declarations((shown, conflicts_form(shown)) for shown in one), paging.Rows(one))
    rows = rules.part_of(pages, paging.asked())
    return _declarations(Declarations((shown, conflicts_form(shown)) for shown in rows.items), rows)


def _declarations(form: Declarations, rows: paging.Rows[rules.ConflictPage]) -> Any:
    # Only one that stands on the page is asked about alone.
    asked = [row for shown, _ in form.parts for row in shown.rows]
    alone = asked[0] if len(asked) == 1 and asked[0].reference == request.args.get("about") else None
    most = queries.OWN_CALLS_ALL if request.args.get("calls") == NO_CHOICE else queries.OWN_CALLS_MAX
    beside = queries.beside_declaring(current_actor(), most)
    return page(
        "evaluation/conflicts.html",
        form=form,
        pages=form.parts,
        rows=rows,
        size=_size(),
        alone=alone,
        meeting=request.args.get("meeting"),
        **beside,
    )


def _size() -> str | None:
    """How many applications on a page the address asks for, which every way on from it keeps."""
    return request.args.get("size")


@bp.post("/assessments/conflicts/<slug>")
@requires(P.CONFLICT_DECLARE)
def declare(slug: str) -> Any:
    """Store what was answered in any part of the page; the address names the call whose button was pressed."""
    pages = queries.conflict_pages(current_actor())
    form = Declarations((shown, conflicts_form(shown, sent=True)) for shown in _sent(pages))
    if slug not in {one.call_slug for one in pages} and not form.knows_some():
        abort(404)
    if form.validate():
        # Only what was sent was looked at: of a page that came in its place nothing is answered.
        form, done = _stored(form, slug, may_rest=bool(rules.rows_sent(pages, places_sent())))
        if form.is_done:
            flash(_declared_words(sum(answers for answers, _ in done), sum(conflicts for _, conflicts in done)))
            if meeting := request.args.get("meeting"):
                return see_other("awards.live", slug=meeting)
            goes_on = request.args.get("next") if request.form.get("go") == "next" else None
            return see_other(".conflicts", after=goes_on or None, size=_size())
    return _declarations(form, _as_sent(form)), 422


def _as_sent(form: Declarations) -> paging.Rows[rules.ConflictPage]:
    """The page that comes again, with the way on that it was sent with."""
    return paging.Rows(tuple(shown for shown, _ in form.parts), request.args.get("next") or None)


def _sent(pages: tuple[rules.ConflictPage, ...]) -> tuple[rules.ConflictPage, ...]:
    """The rows that were sent; where none of them stands any more, the first page."""
    return rules.rows_sent(pages, places_sent()) or rules.part_of(pages, paging.asked()).items


def _stored(form: Declarations, pressed: str, *, may_rest: bool) -> tuple[Declarations, list[tuple[int, int]]]:
    """Store each part by an act of its own; the page as it comes again, and how much was answered with how many conflicts."""
    done: dict[str, tuple[int, int]] = {}
    late: dict[str, Conflict | NotFound] = {}
    for shown, part in form.parts:
        rest = may_rest and request.form.get("go") == "rest" and shown.call_slug == pressed
        answers, entities = part.to_input_with_rest() if rest else part.to_input(), part.to_entities(rest=rest)
        if not answers and not entities and shown.call_slug != pressed:
            done[shown.call_slug] = (0, 0)
            continue
        try:
            with part.refusals():
                count = services.declare(current_actor(), shown.call_id, answers, entities)
                done[shown.call_slug] = (len(answers) + len(entities), count)
        except (Conflict, NotFound) as error:
            late[shown.call_slug] = error
    if len(done) < len(form.parts):
        form = _again(form, done, late)
    return form, list(done.values())


def _again(
    form: Declarations, done: Mapping[str, tuple[int, int]], late: Mapping[str, Conflict | NotFound]
) -> Declarations:
    """The page with what was refused in some of its parts: what was stored of the others is read, and said."""
    refused = {shown.call_slug: part for shown, part in form.parts if shown.call_slug not in {*done, *late}}
    parts = []
    for shown in _sent(queries.conflict_pages(current_actor())):
        slug = shown.call_slug
        part = refused.get(slug) or conflicts_form(shown, sent=slug in late)
        # Another window of theirs was first, by less than this page took: what it stored is read, and told row by row.
        if slug in late and part.validate():
            if not any(answers for answers, _ in done.values()):
                raise late[slug]
            part.problems.append(str(late[slug]))
        # Part of what was sent is stored: sent again it is a new deed.
        part.try_again(0)
        parts.append((shown, part))
    again = Declarations(parts, known=form.names_of(done))
    again.tell_gone()
    stored = [shown.call_title for shown, _ in form.parts if any(done.get(shown.call_slug, ()))]
    if stored:
        again.problems.insert(0, f"What you answered about {', '.join(stored)} is stored. The rest is not, see below.")
    return again


def _declared_words(answers: int, conflicts: int) -> str:
    if not answers:
        return "Nothing was answered, so nothing was stored."
    words = f"Your declarations are stored: {answers} answered."
    if not conflicts:
        return words
    gone = (
        "1 application you have a conflict with"
        if conflicts == 1
        else f"{conflicts} applications you have a conflict with"
    )
    return f"{words} {gone} will not appear again."


@bp.get("/calls/<slug>/conflicts")
@requires(*queries.READS_CONFLICTS)
def detected(slug: str) -> Any:
    """What the program found that may be a conflict: what waits, what keeps people away, what was dismissed."""
    return _detected(slug, DecideDetectedForm(formdata=None))


def _detected(slug: str, form: DecideDetectedForm) -> Any:
    known, problems = {state.value: state for state in DETECTED_SHOWN}, list[str]()
    asked = request.args.get("show", DetectedState.PROPOSED.value)
    if asked not in known:
        problems.append(no_such("state", asked, [state.words for state in DETECTED_SHOWN], "among the tabs"))
    kinds = {kind.value: kind for kind in DetectedKind}
    words = {kind.value: rules.KIND_WORDS[kind] for kind in DetectedKind}
    kind = chosen("kind", "kind of fact", kinds, problems, words=words, where="under What was found")
    person, application = (request.args.get(name, "").strip()[: rules.SEARCH_MAX] for name in ("person", "application"))
    search = rules.DetectedSearch(known.get(asked, DetectedState.PROPOSED), person, application, kind)
    call, rows, waiting, tallies = queries.detected_rows(current_actor(), slug, search, paging.asked())
    return page(
        "evaluation/detected.html", call=call, rows=paging.Rows(()) if problems else rows, waiting=waiting, tallies=tallies,
        problems=problems, search=search, states=DETECTED_SHOWN, kinds=words,
        look=jobs.latest(("call", call.id), LOOK_JOB), form=form,
    )  # fmt: skip


@bp.post("/calls/<slug>/conflicts")
@requires(P.CONFLICT_CONFIRM)
def decide_several(slug: str) -> Any:
    """Decide about every pair that was ticked, each by a deed of its own with its reason on the record."""
    form = DecideDetectedForm()
    pairs = {pair.key: pair for pair in queries.detected_picked(current_actor(), slug, form.picked)}
    form.names = {key: pair.named for key, pair in pairs.items()}
    if form.validate_on_submit():
        done = _decided(form, pairs)
        if done:
            flash(f"{done} of {len(form.picked)} decided. Each is on the record with its reason.")
        if not form.what_is_wrong():
            return see_other(".detected", slug=slug, **{name: request.args.getlist(name) for name in NARROWS})
        form.try_again(0)
    return _detected(slug, form), 422


def _decided(form: DecideDetectedForm, pairs: Mapping[str, rules.DetectedPair]) -> int:
    """How many of what was ticked were decided; what was not is told with its row and with what was typed there."""
    done = 0
    for key in form.picked:
        pair = pairs.get(key)
        try:
            if pair is None:
                raise NotFound
            if pair.why_by_itself:
                raise Refused(pair.why_by_itself)
            ruling, reason = Ruling(form.ruling.data), form.reason_of(key)
            services.decide_detected(
                current_actor(), pair.application_id, pair.user_id, ruling, reason, form.version_of(key)
            )
            done += 1
        except (Conflict, NotFound):
            typed = f" You had written: {quoted(form.own_reason(key))}." if form.own_reason(key) else ""
            now = pair.meanwhile if pair is not None else rules.PAIR_GONE
            form.problems.append(f"{form.named(key)}: {now}{typed}")
        except Refused as error:
            form.problems.append(f"{form.named(key)}: {error}")
    return done


@bp.route("/calls/<slug>/conflicts/<ref>/<handle>/found", methods=["GET", "POST"])
@requires(P.CONFLICT_CONFIRM)
def decide_detected(slug: str, ref: str, handle: str) -> Any:
    """Confirm or dismiss what was found between one person and one application."""
    pair = queries.detected_pair(current_actor(), slug, ref, handle)
    form = RuleForm(version=str(pair.version))
    if form.validate_on_submit():
        with form.attempt():
            ruling, version = Ruling(form.ruling.data), form.version_shown()
            followed = services.decide_detected(
                current_actor(), pair.application_id, pair.user_id, ruling, form.reason.data or "", version
            )
            flash(rules.RULED_WORDS[followed])
            return see_other(".detected", slug=slug)
        pair = queries.detected_pair(current_actor(), slug, ref, handle)
    if form.clashed:
        form.comes_again(pair.version)
    return page("evaluation/decide_detected.html", pair=pair, form=form, slug=slug), status_of(form)


@bp.route("/calls/<slug>/conflicts/<ref>/<handle>", methods=["GET", "POST"])
@requires(P.CONFLICT_CONFIRM)
def rule(slug: str, ref: str, handle: str) -> Any:
    row = queries.doubt(current_actor(), slug, ref, handle)
    form = RuleForm(version=str(row.version))
    if form.validate_on_submit():
        with form.attempt():
            ruling, version = Ruling(form.ruling.data), form.version_shown()
            followed = services.rule(current_actor(), row.id, ruling, form.reason.data or "", version)
            flash(rules.RULED_WORDS[followed])
            return see_other(".assignments", slug=slug)
        row = queries.doubt(current_actor(), slug, ref, handle)
    if form.clashed:
        form.comes_again(row.version)
    return page("evaluation/rule.html", row=row, form=form, slug=slug), status_of(form)


@bp.route("/applications/<ref>/conflict", methods=["GET", "POST"])
@requires(P.CONFLICT_DECLARE_IN_OFFICE)
def declare_in_office(ref: str) -> Any:
    """An officer says that they have a conflict with an application; it is no longer there for them then."""
    head = queries.to_declare_in_office(current_actor(), ref)
    form = ReasonForm()
    if form.validate_on_submit():
        with form.refusals():
            services.declare_in_office(current_actor(), head.id, form.reason.data or "")
            flash("Your declaration is stored. Somebody else decides about this application.")
            return see_other("oversight.home")
    return page("evaluation/declare_in_office.html", head=head, form=form), 422 if form.is_submitted() else 200
