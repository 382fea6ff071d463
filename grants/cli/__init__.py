"""The command `grants`; each sub-command is one act, one query, or one thing an operator does to the installation."""

from grants.cli.command import build_cli
from grants.cli.database import alembic_config
from grants.cli.status import COUNTS, counts

__all__ = [
    "COUNTS",
    "alembic_config",
    "build_cli",
    "counts",
]
