"""Exact assignment of evaluators to applications, with a certificate that no better one exists.

Pure: values in, values out. OR-tools and HiGHS are imported inside functions, since only a worker ever needs them.
"""

from __future__ import annotations

from grants.evaluation.matching.checking import FORMAT, Checked, NotARun, check_run
from grants.evaluation.matching.explaining import Better, Explained, explain
from grants.evaluation.matching.filed import canonical, instance_of
from grants.evaluation.matching.proof import broken_by_locked, verify
from grants.evaluation.matching.relaxing import relaxed
from grants.evaluation.matching.resolving import Cost, Loss, loss_without
from grants.evaluation.matching.solving import assign
from grants.evaluation.matching.values import (
    UTILITY_MAX,
    Certificate,
    Grid,
    GroupRules,
    Infeasible,
    Instance,
    Matched,
    Pair,
    Prices,
    Relaxation,
    Seatholder,
    Subject,
)

__all__ = [
    "FORMAT",
    "UTILITY_MAX",
    "Better",
    "Certificate",
    "Checked",
    "Cost",
    "Explained",
    "Grid",
    "GroupRules",
    "Infeasible",
    "Instance",
    "Loss",
    "Matched",
    "NotARun",
    "Pair",
    "Prices",
    "Relaxation",
    "Seatholder",
    "Subject",
    "assign",
    "broken_by_locked",
    "canonical",
    "check_run",
    "explain",
    "instance_of",
    "loss_without",
    "relaxed",
    "verify",
]
