"""What views, jobs, the demo and later stages call; the modules beside this one say how it is done."""

from __future__ import annotations

from grants.calls.services.building import (
    DATA,
    DEADLINE_JOB,
    TEMPLATES,
    add_document_version,
    apply_template,
    authorise_budget,
    cancel,
    copy_call,
    deadline_notice,
    extend_deadline,
    import_call,
    make_results_public,
    publish,
    results_public_by_source,
    set_deadline,
    set_value,
    tell_deadline_moved,
    template,
)

__all__ = [
    "DATA",
    "DEADLINE_JOB",
    "TEMPLATES",
    "add_document_version",
    "apply_template",
    "authorise_budget",
    "cancel",
    "copy_call",
    "deadline_notice",
    "extend_deadline",
    "import_call",
    "make_results_public",
    "publish",
    "results_public_by_source",
    "set_deadline",
    "set_value",
    "tell_deadline_moved",
    "template",
]
