"""The small call of the evaluation tests serves the awards too."""

from tests.evaluation.conftest import browser, database, scene, small_call

__all__ = ["browser", "database", "scene", "small_call"]
