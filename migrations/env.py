"""What alembic asks for: the tables of every stage, on the owner's connection that `grants db upgrade` hands in."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any, Literal

from alembic import context

import grants.core
from grants.app import stage_modules
from grants.core.db import Base, MoneyType

for module in pkgutil.iter_modules(grants.core.__path__):
    importlib.import_module(f"grants.core.{module.name}")
tables = [module.__name__ for module in stage_modules("models")]


def as_written(kind: str, item: Any, autogenerating: Any) -> str | Literal[False]:
    """Money is a BIGINT in a migration, which must go on meaning the same when the program changes."""
    return "sa.BigInteger()" if kind == "type" and isinstance(item, MoneyType) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    compare_type=True,
    compare_server_default=True,
    render_item=as_written,
)
# No transaction of its own: the caller's holds the whole upgrade, so that it is done entirely or not at all.
context.run_migrations()
