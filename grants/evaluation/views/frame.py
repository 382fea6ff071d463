"""The blueprint of evaluation, its entries in the menu, and what its pages share."""

from __future__ import annotations

import secrets
from functools import lru_cache

from flask import Blueprint, get_template_attribute
from markupsafe import Markup

from grants.calls.rules import MARK_HALF_MAX, Scale
from grants.core.permissions import Permission
from grants.evaluation import rules
from grants.evaluation.forms import MarkField, SheetForm
from grants.web.routing import NavItem

bp = Blueprint("evaluation", __name__)


P = Permission


READS_CONSENSUS = (P.CONSENSUS_WRITE, P.CONSENSUS_AGREE, P.ASSESSMENT_READ_ALL)


NAVIGATION = (
    NavItem("Assessments", "evaluation.assessments", (P.ASSESSMENT_SCORE,), 30),
    NavItem("Conflicts", "evaluation.conflicts", (P.CONFLICT_DECLARE,), 31),
    NavItem("Consensus", "evaluation.consensus_list", READS_CONSENSUS, 32),
)


def typed_again(form: SheetForm, version: int, by: str = "by a colleague or by you in another tab") -> SheetForm:
    """The typed sheet after somebody saved first, ready to be sent in sight of that; ``by`` says who may have."""
    form.problems.append(
        f"This was saved meanwhile, {by}. What you typed stands below; "
        "saving it now replaces what was stored, and both stay in the history."
    )
    for field, value in ((form.version, str(version)), (form.act_key, secrets.token_urlsafe(18))):
        field.data, field.raw_data = value, None
    return form


class Anchors(dict[int, str]):
    """What every mark means, also those that are no longer on the scale; ``own`` are those with words of their own."""

    own: frozenset[int]
    scale: Scale

    def drawn(self, half: MarkField) -> Markup:
        """The marks of a criterion beside each other, that of the field chosen."""
        marks = tuple((str(each.value), str(each.label)) for each in half.choices)
        return _drawn(self.scale, half.name, marks, half.data)


@lru_cache(maxsize=64)
def anchors_of(scale: Scale) -> Anchors:
    found = Anchors((half, rules.anchor_words(half, scale)) for half in range(MARK_HALF_MAX + 1))
    found.own, found.scale = frozenset(rules.legend_of(scale)), scale
    return found


# What each of a few calls' criteria looks like with each of its marks chosen.
@lru_cache(maxsize=200)
def _drawn(scale: Scale, name: str, marks: tuple[tuple[str, str], ...], chosen: str | None) -> Markup:
    drawn = get_template_attribute("evaluation/marks.html", "beside_each_other")
    found: Markup = drawn(name, marks, anchors_of(scale), chosen)
    return found
