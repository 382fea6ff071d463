"""A small call with the rules of UTTER 2023 (domain.md 6.3): marks 0, 3, 7 and 10, means, weights in the score, a board."""

from __future__ import annotations

from tests.evaluation.scene import CALL

KEYS = ("fit", "technical", "spread", "budget", "team", "ethics")
WEIGHTS = (2, 2, 3, 1, 1, 1)

UTTER = f"""{CALL}
application_form:
  sections:
    - {{key: about, title: About, questions: [{{key: why, label: Why, kind: long, criterion: fit}}]}}
evaluation:
  criteria:
    - {{key: fit, name: Objective fit, question: "How well does it fit?"}}
    - {{key: technical, name: Technical quality, question: "How sound is it?"}}
    - {{key: spread, name: Business and dissemination, question: "Who will use it?"}}
    - {{key: budget, name: Budget, question: "Is it worth its money?"}}
    - {{key: team, name: Team, question: "Can they do it?"}}
    - {{key: ethics, name: Ethics, question: "Is it right?"}}
  scale:
    marks: [0, 3, 7, 10]
    anchors: {{0: "Absent: not addressed", 3: "Weak: hardly addressed", 7: "Good: addressed", 10: "Outstanding: fully addressed"}}
  weights: {{fit: 2, technical: 2, spread: 3, budget: 1, team: 1, ethics: 1}}
  thresholds: {{total: 50}}
  tie_break: [fit, technical]
  evaluators_per_application: 2
  scoring:
    method: mean_per_criterion
    weights_count_for: score
    total_threshold_on: score
    board_shift_max: 30
    comment: extremes
    comment_words: 10
    evaluators_least: 2
"""
