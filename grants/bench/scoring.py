"""Many evaluators at once: each saves a score or a text of a sheet every two seconds, and opens the sheet again now and then."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from grants.bench.browsing import Answer, Form, Wrong, forms_of
from grants.bench.operations import Fields, Operation, Rush
from grants.bench.pages import Pages
from grants.bench.wording import in_turn, new_words

SCORERS = 32
SCORING_P95_MS = 50


class Scoring(Pages):
    """The sheets of evaluators who score at the same time."""

    def scoring(self) -> Rush:
        """Each on a sheet of their own; of two deeds one is a score and one is a text."""
        sheets = self._rows(_OPEN_SHEETS, SCORERS)
        if len(sheets) < SCORERS:
            raise Wrong(f"{len(sheets)} open score sheets are too few for {SCORERS} who score.")
        refs, people = [str(ref) for ref, _ in sheets], [str(handle) for _, handle in sheets]
        sent: list[tuple[str, str]] = []
        save = self._saving(refs, people, sent)
        opened = Operation("sheet.form", "", in_turn("/assessments/{}", refs), _a_sheet, person=in_turn("{}", people))
        return Rush(
            "score sheet every 2 s", save, SCORERS, SCORING_P95_MS, before=self._known(people), times=10, every_seconds=2,
            spread_seconds=2, holds=lambda: self._all_versions(sent), opened=opened,
        )  # fmt: skip

    def _known(self, people: Sequence[str]) -> Callable[[int], None]:
        """Whose turn it is may sign in without a password, as the people of the demo do; their list stays short on every page."""

        def before(place: int) -> None:
            self._connection.execute(
                "UPDATE user_account SET is_demo = (handle = %s) WHERE handle = ANY(%s)", [people[place], list(people)]
            )

        return before

    def _saving(self, refs: Sequence[str], people: Sequence[str], sent: list[tuple[str, str]]) -> Operation:
        """What the script of the page sends: one field, and the number of the version it is typed over; kept in ``sent``."""
        criteria = self._column(_CRITERIA, refs[0])
        found = self._rows(_STANDING, list(refs), list(people))
        stands = {(str(ref), str(name)): int(number) for ref, name, number, _ in found}
        values = {(str(ref), str(name)): str(text) for ref, name, _, text in found}

        def field_of(number: int) -> str:
            part = "comment" if number // SCORERS % 2 else "half"
            return f"{part}_{criteria[number % len(criteria)]}"

        def typed(number: int, form: Form) -> Fields:
            place = refs[number % len(refs)], field_of(number)
            before = stands.get(place, 0)
            stands[place] = before + 1
            # No score twice in a row, or nothing would be stored.
            scores = str(before % 8), str((before + 1) % 8)
            is_text = place[1].startswith("comment_")
            text = new_words(number) if is_text else next(each for each in scores if each != values.get(place))
            values[place] = text
            sent.append((place[1], text))
            return {"csrf_token": form.fields.get("csrf_token", ""), "number": str(before), "value": text}

        return Operation(
            "sheet.save", "", in_turn("/assessments/{}", refs), _kept, sends=".", typed=typed, person=in_turn("{}", people),
            to=lambda number: f"/assessments/{refs[number % len(refs)]}/fields/{field_of(number)}",
        )  # fmt: skip

    def _all_versions(self, sent: Sequence[tuple[str, str]]) -> str | None:
        """Every text that was sent is kept as a version of its field, and none twice."""
        texts = [text for name, text in sent if name.startswith("comment_")]
        kept = self._column("SELECT text FROM assessment_version WHERE text = ANY(%s)", texts)
        return None if sorted(kept) == sorted(texts) else f"{len(kept)} of {len(texts)} saved texts are kept."


_SEATS = (
    " FROM assignment s JOIN application a ON a.id = s.application_id JOIN call c ON c.id = a.call_id "
    "JOIN evaluator e ON e.id = s.evaluator_id JOIN user_account u ON u.id = e.user_id "
    "LEFT JOIN assessment x ON x.assignment_id = s.id "
)
# One sheet of each application, of as many people as there are.
_OPEN_SHEETS = (
    "SELECT DISTINCT ON (a.reference) a.reference, u.handle" + _SEATS + "WHERE c.slug LIKE 'streets-scored%%' "
    "AND s.state = 'active' AND x.state IS DISTINCT FROM 'submitted' ORDER BY a.reference DESC, md5(u.handle || a.reference) LIMIT %s"
)
_CRITERIA = (
    "SELECT DISTINCT h.criterion FROM assessment_score h JOIN assessment x ON x.id = h.assessment_id JOIN assignment s "
    "ON s.id = x.assignment_id JOIN application a ON a.id = s.application_id JOIN application b ON b.call_id = a.call_id "
    "WHERE b.reference = %s ORDER BY h.criterion"
)
_STANDING = (
    "SELECT a.reference, n.key, n.value::int, (SELECT v.text FROM assessment_version v WHERE v.assessment_id = x.id "
    "AND v.field = n.key AND v.number = n.value::int)" + _SEATS + "CROSS JOIN LATERAL jsonb_each_text(x.numbers) n "
    "WHERE (a.reference, u.handle) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"
)


def _kept(answer: Answer) -> str | None:
    """The field is stored as the version after the one it was typed over."""
    number: Any = json.loads(answer.body)["number"] if answer.status == 200 else None
    return (
        None if number == int(str(answer.sent["number"])) + 1 else f"it stands as version {number}: {answer.text[:200]}"
    )


def _a_sheet(answer: Answer) -> str | None:
    fields = [each for each in forms_of(answer) if any(name.startswith("comment_") for name in each.fields)]
    return None if answer.status == 200 and fields and 'name="half_' in answer.text else "there is no score sheet."
