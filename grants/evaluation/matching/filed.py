"""The input of an assignment as plain data in one spelling: what is hashed, kept with a run, and read back from its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from grants.evaluation.matching.arrays import Arrays
from grants.evaluation.matching.values import UTILITY_MAX, Grid, GroupRules, Instance, Pair, Seatholder, Subject


def canonical(instance: Instance) -> dict[str, Any]:
    """Everything an assignment depends on, the same for any order of it.

    Applications and evaluators stand in the order of their ids. ``fits`` has a line for each application with a whole
    number for each evaluator; ``closed`` a line for each application with the places of the evaluators that may not meet
    it, counted from 0. Names are left out: nothing depends on them.
    """
    arrays, groups = Arrays(instance), instance.groups
    return {
        "applications": [
            {"id": str(one.id), "language": one.language, "countries": sorted(one.countries)}
            for one in arrays.applications
        ],
        "evaluators": [_person(one) for one in arrays.evaluators],
        "per_application": instance.per_application,
        "fits": arrays.utility.tolist(),
        "closed": [arrays.np.nonzero(~line)[0].tolist() for line in arrays.allowed],
        "fixed": _pairs(instance.locked),
        "standing": _pairs(instance.standing),
        "groups": {
            "country_max": groups.country_max,
            "organisation_max": groups.organisation_max,
            "roles": list(groups.roles),
            "reader": groups.needs_reader,
            **({"balance": True} if groups.balance else {}),
        },
        "floor": instance.floor,
        "seed": instance.seed,
    }


def _person(one: Seatholder) -> dict[str, Any]:
    """What nobody said is left out, so that runs of before it was asked keep their hash."""
    said: dict[str, Any] = {"load_target": one.load_target} if one.load_target is not None else {}
    if one.gender:
        said["gender"] = one.gender
    return said | {
        "id": str(one.id),
        "load_min": one.load_min,
        "load_max": one.load_max,
        "country": one.country,
        "organisations": sorted(one.organisations),
        "roles": sorted(one.roles),
        "languages": sorted(one.languages),
    }


def _pairs(pairs: frozenset[Pair]) -> list[list[str]]:
    return [[str(application), str(evaluator)] for application, evaluator in sorted(pairs)]


def instance_of(data: Mapping[str, Any], labels: Mapping[str, str] | None = None) -> Instance:
    """The instance that :func:`canonical` told, with names for its ids where there are some.

    Raises ``KeyError``, ``TypeError`` or ``ValueError`` where the data is not of that shape.
    """
    named = labels or {}
    applications = tuple(
        Subject(UUID(one["id"]), named.get(one["id"], ""), one["language"], frozenset(one["countries"]))
        for one in data["applications"]
    )
    evaluators = tuple(_seatholder(one, named.get(one["id"], "")) for one in data["evaluators"])
    groups = data["groups"]
    return Instance(
        applications,
        evaluators,
        data["per_application"],
        locked=pairs_of(data["fixed"]),
        seed=data["seed"],
        groups=GroupRules(
            groups["country_max"],
            groups["organisation_max"],
            tuple(groups["roles"]),
            groups["reader"],
            groups.get("balance", False),
        ),
        floor=data["floor"],
        standing=pairs_of(data["standing"]),
        grid=_grid(applications, evaluators, data),
    )


def _seatholder(one: Mapping[str, Any], label: str) -> Seatholder:
    return Seatholder(
        UUID(one["id"]), one["load_max"], one["load_min"], label, one["country"], frozenset(one["organisations"]),
        frozenset(one["roles"]), frozenset(one["languages"]), one.get("load_target"), one.get("gender", ""),
    )  # fmt: skip


def pairs_of(pairs: Sequence[Sequence[str]]) -> frozenset[Pair]:
    """Pairs of ids as they were told."""
    return frozenset((UUID(application), UUID(evaluator)) for application, evaluator in pairs)


def _grid(applications: Sequence[Subject], evaluators: Sequence[Seatholder], data: Mapping[str, Any]) -> Grid:
    import numpy as np

    size = (len(applications), len(evaluators))
    if len(data["closed"]) != size[0] or any(type(place) is not int for line in data["closed"] for place in line):
        raise ValueError("the pairs that may not meet have a line of whole numbers for each application")
    if any(type(fit) is not int for line in data["fits"] for fit in line):
        raise ValueError("a fit is a whole number")
    fits = np.array(data["fits"], dtype=np.int64).reshape(size)
    if not ((fits >= 0) & (fits <= UTILITY_MAX)).all():
        raise ValueError(f"a fit is a whole number from 0 to {UTILITY_MAX}")
    may_meet = np.ones(size, dtype=bool)
    for row, closed in enumerate(data["closed"]):
        if any(not 0 <= place < size[1] for place in closed):
            raise ValueError("a pair that may not meet names nobody")
        may_meet[row, np.array(closed, dtype=np.int64)] = False
    return Grid(
        tuple(one.id for one in applications), tuple(one.id for one in evaluators), fits.astype(np.int16), may_meet
    )
