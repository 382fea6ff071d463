"""Closed lists of the city register: the Mission Label, and the part a city had in a pilot."""

from __future__ import annotations

from enum import StrEnum


class LabelStatus(StrEnum):
    """Whether the Commission gave the Mission Label; "not found" is never "no"."""

    LABELLED = "labelled"
    NOT_FOUND = "not_found"
    NOT_APPLICABLE = "not_applicable"


class OrganisationLink(StrEnum):
    """How a city came to its organisation; ``UNDONE`` keeps the program from linking by itself what a person parted."""

    AUTOMATIC = "automatic"
    BY_HAND = "by_hand"
    UNDONE = "undone"


class Part(StrEnum):
    """What part a city had in a pilot; ``MEMBER`` where the source does not say who led."""

    LEAD = "lead"
    PARTNER = "partner"
    MEMBER = "member"


class ActionKind(StrEnum):
    """What a line of a city's list is: something it does, or what stands in its way."""

    ACTION = "action"
    BARRIER = "barrier"


class EmissionDomain(StrEnum):
    """The six emission domains that pilots use."""

    ENERGY = "energy"
    BUILDINGS = "buildings"
    MOBILITY = "mobility"
    WASTE = "waste"
    LAND_USE = "land_use"
    INDUSTRY = "industry"
