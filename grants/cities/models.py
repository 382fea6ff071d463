"""Tables of the city register: cities, and what pilots they took part in before."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grants.cities.states import ActionKind, EmissionDomain, LabelStatus, OrganisationLink, Part
from grants.core.db import NOT_AUDITED, Row, points_to, state_check


class City(Row):
    """A city as the Mission or a pilot knows it: not the same as its legal entity (``organisation_id``).

    ``part_of_id`` names the entry of the Mission a city belongs to where two cities share one
    (Eindhoven & Helmond). ``folded`` holds its names without case and diacritics, for search.
    """

    __tablename__ = "city"
    __table_args__ = (
        UniqueConstraint("country_code", "name"),
        CheckConstraint("country_code ~ '^[A-Z]{2}$'", name="country_is_iso"),
        CheckConstraint("population IS NULL OR population > 0", name="population_positive"),
        CheckConstraint(
            "label_awarded IS NULL OR label_awarded ~ '^[0-9]{4}-[0-9]{2}(-[0-9]{2})?$'", name="label_awarded_is_iso"
        ),
        CheckConstraint("label_awarded IS NULL OR label_status = 'labelled'", name="only_labels_are_awarded"),
        CheckConstraint("mission_city OR label_status = 'not_applicable'", name="label_is_for_mission_cities"),
        CheckConstraint("part_of_id IS NULL OR part_of_id <> id", name="not_part_of_itself"),
        state_check(LabelStatus, "label_status"),
        state_check(OrganisationLink, "organisation_link"),
        CheckConstraint(
            "(organisation_id IS NOT NULL) = (organisation_link IS NOT NULL AND organisation_link <> 'undone')",
            name="link_has_organisation",
        ),
    )

    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    local_name: Mapped[str | None]
    country_code: Mapped[str] = mapped_column(index=True)
    mission_city: Mapped[bool]
    label_status: Mapped[str]
    # The day the Mission Label was awarded, or only the month where the day is not known.
    label_awarded: Mapped[str | None]
    population: Mapped[int | None]
    part_of_id: Mapped[UUID | None] = mapped_column(points_to("city.id"), index=True)
    organisation_id: Mapped[UUID | None] = mapped_column(points_to("organisation.id"), index=True)
    organisation_link: Mapped[str | None]
    source_url: Mapped[str | None]
    confidence: Mapped[str | None]
    note: Mapped[str | None]
    synthetic: Mapped[bool]
    folded: Mapped[str] = mapped_column(info=NOT_AUDITED)


class Participation(Row):
    """One city in one earlier pilot, from public sources or written at the signature of an agreement."""

    __tablename__ = "participation"
    __table_args__ = (UniqueConstraint("city_id", "call_label", "pilot_key"), state_check(Part, "role"))

    city_id: Mapped[UUID] = mapped_column(points_to("city.id"), index=True)
    call_label: Mapped[str]
    # Tells two pilots of one city in one call apart: the reference or the row of the source.
    pilot_key: Mapped[str]
    pilot_title: Mapped[str | None]
    role: Mapped[str]
    source_url: Mapped[str | None]
    confidence: Mapped[str | None]


class CityAction(Row):
    """One action or barrier of a city's Climate City Contract, as its list names it."""

    __tablename__ = "city_action"
    __table_args__ = (
        UniqueConstraint("city_id", "number"),
        state_check(ActionKind, "kind"),
        state_check(EmissionDomain, "domain"),
        CheckConstraint("year BETWEEN 1990 AND 2100", name="year_is_plausible"),
        CheckConstraint("(withdrawn_on IS NULL) = (withdrawn_why IS NULL)", name="withdrawn_has_reason"),
    )

    city_id: Mapped[UUID] = mapped_column(points_to("city.id"))
    # As the contract numbers its parts, for example \u201cB-2.1\u201d.
    number: Mapped[str]
    title: Mapped[str]
    kind: Mapped[str]
    domain: Mapped[str | None]
    source: Mapped[str]
    year: Mapped[int | None]
    synthetic: Mapped[bool]
    withdrawn_on: Mapped[date | None]
    withdrawn_why: Mapped[str | None]
