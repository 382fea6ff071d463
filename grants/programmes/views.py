"""Pages of parent grants: what each lays down, the calls it pays, and what a change would mean for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, flash, request

from grants.core.permissions import Permission
from grants.programmes import queries, rules, services
from grants.programmes.forms import DescribeForm, NewForm, RulesForm, texts_of
from grants.programmes.rules import NO_PARENT_RULES, FundSourceView
from grants.web.routing import current_actor, page, requires, see_other

bp = Blueprint("programmes", __name__, url_prefix="/parent-grants")

READS = (
    Permission.PROGRAMME_MANAGE, Permission.CALL_MANAGE, Permission.BUDGET_AUTHORISE, Permission.AUDIT_READ,
    Permission.LEDGER_READ,
)  # fmt: skip


@bp.get("")
@requires(*READS)
def index() -> Any:
    return page("programmes/index.html", sources=queries.fund_sources())


@bp.get("/new")
@requires(Permission.PROGRAMME_MANAGE)
def new() -> Any:
    return page("programmes/new.html", form=NewForm(**texts_of(NO_PARENT_RULES)))


@bp.post("/new")
@requires(Permission.PROGRAMME_MANAGE)
def add() -> Any:
    form = NewForm()
    if form.validate_on_submit():
        with form.attempt():
            added = services.add_fund_source(current_actor(), form.to_new())
            flash(f"{added.title} is here. Calls can be paid from it.", "success")
            return see_other(".show", number=added.number)
    return page("programmes/new.html", form=form), 422


@bp.get("/<number>")
@requires(*READS)
def show(number: str) -> Any:
    source = queries.fund_source_of(number)
    return page(
        "programmes/show.html",
        source=source,
        words=rules.rules_words(source.rules),
        uses=queries.uses(current_actor(), source),
    )


@bp.route("/<number>/edit", methods=["GET", "POST"])
@requires(Permission.PROGRAMME_MANAGE)
def describe(number: str) -> Any:
    source = queries.fund_source_of(number)
    form = DescribeForm() if request.method == "POST" else DescribeForm.of(source)
    if form.validate_on_submit():
        with form.attempt():
            services.describe(current_actor(), source.id, form.to_input(), version=form.version_shown())
            flash("The parent grant is changed.", "success")
            return see_other(".show", number=number)
    return _again("programmes/describe.html", source, form)


@bp.route("/<number>/rules", methods=["GET", "POST"])
@requires(Permission.PROGRAMME_MANAGE)
def change_rules(number: str) -> Any:
    """The rules as a form; “Show what this would change” looks at every call and keeps nothing."""
    source = queries.fund_source_of(number)
    form = RulesForm() if request.method == "POST" else RulesForm.of(source)
    would = None
    if form.validate_on_submit():
        with form.attempt():
            wanted = rules.checked_parent_rules(form.to_input())
            if "look" not in request.form:
                services.set_rules(current_actor(), source.id, wanted, version=form.version_shown())
                flash(
                    "The rules are kept. Drafts follow them; published calls keep what they were opened with.",
                    "success",
                )
                return see_other(".show", number=number)
            would = queries.uses(current_actor(), replace(source, rules=wanted))
            changed = rules.differing(source.rules, wanted)
            return page("programmes/rules.html", source=source, form=form, would=would, changed=changed)
    return _again("programmes/rules.html", source, form, would=would, changed=())


def _again(template: str, source: FundSourceView, form: DescribeForm | RulesForm, **context: Any) -> Any:
    """The form as it stands or as it was typed; after a clash in sight of what stands now."""
    if form.clashed:
        form.comes_again(source.version)
    return page(template, source=source, form=form, **context), 422 if request.method == "POST" else 200
