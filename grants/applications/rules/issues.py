"""What is still missing before an application can be sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from grants.applications.rules.values import PartnerView
from grants.applications.states import PartnerState
from grants.calls.rules import Attachment
from grants.core.errors import Problem, Refused


class Page(StrEnum):
    """The page of an application on which a problem can be mended."""

    DETAILS = "details"
    SECTION = "section"
    BUDGET = "budget"
    TEAM = "team"
    FILES = "files"
    SIGN_OFF = "sign_off"


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing wrong or worth a look, with the page and the field where it is mended."""

    page: Page
    message: str
    label: str
    section: str = ""
    anchor: str = ""


def section_issues(problems: Iterable[Problem], titles: Mapping[str, str]) -> tuple[Issue, ...]:
    """Problems of the answers (``section#field``) as issues."""
    found = []
    for problem in problems:
        key, _, anchor = problem.place.partition("#")
        found.append(Issue(Page.SECTION, problem.message, titles.get(key, key), key, anchor))
    return tuple(found)


# Where a problem of the whole budget lands, which no single amount mends.
WHOLE_BUDGET = "budget-table"


def budget_issues(problems: Iterable[Problem]) -> tuple[Issue, ...]:
    """Broken rules or warnings of the budget as issues."""
    return tuple(
        Issue(
            Page.BUDGET, problem.message, "Budget", anchor=WHOLE_BUDGET if problem.place == "budget" else problem.place
        )
        for problem in problems
    )


def team_issues(partners: Iterable[PartnerView]) -> tuple[Issue, ...]:
    """Everybody named must have agreed to take part."""
    found = []
    for partner in partners:
        match partner.state:
            case PartnerState.INVITED:
                found.append(
                    Issue(
                        Page.TEAM,
                        f"{partner.name} has not answered the invitation. Ask {partner.contact_name or 'them'}, or take the partner out.",
                        "Lead city and partners",
                        anchor=f"partner-{partner.organisation_id}",
                    )
                )
            case PartnerState.WAITING:
                found.append(
                    Issue(
                        Page.TEAM,
                        f"{partner.contact_name or 'Somebody'} accepted for {partner.name}, and the application waits for the organisation: "
                        "somebody of it, or an administrator of the programme, must confirm. Ask them, or take the partner out.",
                        "Lead city and partners",
                        anchor=f"partner-{partner.organisation_id}",
                    )
                )
            case PartnerState.DECLINED:
                found.append(
                    Issue(
                        Page.TEAM,
                        f"{partner.name} declined the invitation. Take the partner out, or invite again.",
                        "Lead city and partners",
                        anchor=f"partner-{partner.organisation_id}",
                    )
                )
            case PartnerState.ACCEPTED:
                continue
    return tuple(found)


ATTACHMENT_PREFIX = "attachment_"
FILES_LABEL = "Files"


def attachment_role(key: str) -> str:
    """The role under which a file that answers an attachment of the call is kept."""
    return f"{ATTACHMENT_PREFIX}{key}"


def attachment_issues(wanted: Sequence[Attachment], roles: frozenset[str]) -> tuple[Issue, ...]:
    """Files the call demands that are not there."""
    return tuple(
        Issue(
            Page.FILES,
            f"{attachment.label}: this file is missing. Attach it.",
            FILES_LABEL,
            anchor=f"file-{attachment_role(attachment.key)}",
        )
        for attachment in wanted
        if attachment.required and attachment_role(attachment.key) not in roles
    )


def infected_issues(infected: Iterable[tuple[str, str]]) -> tuple[Issue, ...]:
    """Files, by role and name, in which the virus scanner found something: nobody could be handed them."""
    return tuple(
        Issue(
            Page.FILES,
            f"“{name}” holds a virus and is handed to nobody. Take it out and attach a clean copy.",
            FILES_LABEL,
            anchor=f"file-{role}",
        )
        for role, name in infected
    )


def unscanned_issues(waiting: int) -> tuple[Issue, ...]:
    """Files the virus scanner has not looked at do not stop the sending: its delay is not the applicant's."""
    if not waiting:
        return ()
    words = "1 file is" if waiting == 1 else f"{waiting} files are"
    return (
        Issue(
            Page.FILES,
            f"{words} still in quarantine: the virus scanner has not looked yet. You can send without waiting for it.",
            FILES_LABEL,
        ),
    )


@dataclass(frozen=True, slots=True)
class IssueGroup:
    """What is wrong in one place of the task list: a section, the budget, the team, the files."""

    label: str
    issues: tuple[Issue, ...]


def grouped(issues: Iterable[Issue]) -> tuple[IssueGroup, ...]:
    """Every issue once, under the place where it is mended, places and issues in the order they came in."""
    found: dict[tuple[Page, str], list[Issue]] = {}
    for issue in issues:
        found.setdefault((issue.page, issue.section), []).append(issue)
    return tuple(IssueGroup(each[0].label, tuple(each)) for each in found.values())


def refuse_incomplete(issues: Sequence[Issue]) -> None:
    """Raises :class:`Refused` with the number of problems; the check page lists each with its link."""
    if issues:
        count = len(issues)
        raise Refused(
            f"The application has {count} {'problem' if count == 1 else 'problems'} and cannot be sent yet. "
            f"The first: {issues[0].message} The check page lists {'it' if count == 1 else 'all of them'} with links."
        )
