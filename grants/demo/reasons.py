"""What evaluators of the demo write: plainly invented reasons of their own, by criterion and by how good the score is."""

from __future__ import annotations

from hashlib import sha256

# For each criterion what is looked at: how it reads where it is good, where it is half good, and where it is weak.
_LOOKED_AT = {
    "excellence": (
        ("The barrier", "is named with its cause and with figures", "is named, its cause less so", "is only asserted"),
        ("The idea", "goes clearly beyond what the city does today", "adds to what the city does", "repeats what exists"),
        ("The choice of this way over others", "is argued", "is mentioned", "is not explained"),
        ("What other cities tried before", "is known and used", "is listed", "is left out"),
    ),
    "impact": (
        ("What changes for residents", "is counted by household", "is described in general", "stays vague"),
        ("The saving of emissions", "is worked out step by step", "rests on one estimate", "has no calculation"),
        ("How others could take it over", "is planned and paid for", "is promised", "is missing"),
        ("What is measured afterwards", "has a starting value", "has no starting value yet", "is not said"),
    ),
    "implementation": (
        ("The work plan", "has dates and names", "has dates, few names", "is a list of wishes"),
        ("The costs", "follow from the tasks", "fit the tasks for the most part", "do not follow from the tasks"),
        ("The risks", "come with who acts on them", "are listed without who acts", "are hardly seen"),
        ("The team", "has done such work before", "has part of the experience", "would have to be found first"),
    ),
}  # fmt: skip
# Whose words a consensus is written in, and how it begins each of its sentences.
CONSENSUS = "Consensus"
_AGREED = ("We agree that", "We find that", "All of us saw that", "It was clear to us that")
_ANY = (
    ("The answer to this criterion", "is complete and concrete", "is complete in the main", "leaves much open"),
    ("The evidence", "supports what is claimed", "supports most of it", "is thin"),
    ("The text", "keeps to what was asked", "strays in places", "misses what was asked"),
    ("What is planned", "fits the means", "is ambitious for the means", "does not fit the means"),
)  # fmt: skip
_ENDS = (
    (
        "I see no shortcoming that would matter here.",
        "A small gap remains, which does not change my view.",
        "I would fund this part as it stands.",
    ),
    (
        "The shortcomings could be mended while preparing the grant.",
        "With one more round of detail I would have scored it higher.",
        "It convinces me on the whole, not in each point.",
    ),
    (
        "I would need much more detail before I could score it higher.",
        "These are weaknesses of substance and not of wording.",
        "As it stands I cannot call it sufficient in each point.",
    ),
)


def reasons(criterion: str, half: int, half_max: int, who: str) -> str:
    """Why this score, of this many half points; the same for the same person, criterion and score, long enough for any rule.

    >>> reasons("impact", 9, 10, "Ada") == reasons("impact", 3, 10, "Ada")
    False
    """
    level = 0 if 5 * half >= 4 * half_max else 1 if 5 * half >= 3 * half_max else 2
    chance = sha256(f"{criterion} {half} {who}".encode()).digest()
    looked_at = _LOOKED_AT.get(criterion, _ANY)
    start = chance[0] % len(looked_at)
    said = []
    for step in range(len(looked_at)):
        subject, *words = looked_at[(start + step) % len(looked_at)]
        # Nobody finds all of it equally good: one point in three is a little better or worse than the rest.
        lean = (-1, 0, 0, 0, 0, 1)[chance[1 + step] % 6]
        found = f"{subject} {words[min(2, max(0, level + lean))]}"
        said.append(f"{_AGREED[step]} {found[0].lower()}{found[1:]}." if who == CONSENSUS else f"{found}.")
    if who == CONSENSUS:
        return f"{' '.join(said)} The score stands with all of us. (Invented text of the demo.)"
    end = _ENDS[level][chance[9] % len(_ENDS[level])]
    return f"{' '.join(said)} {end} (Invented text of the demo.)"
