"""The command `grants`; each sub-command is one act or one query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


def build_cli(load_config: Callable[[], Any], make_app: Callable[[Any], Any]) -> click.Group:
    """The whole command; settings are read when a sub-command needs them."""

    @click.group()
    def grants() -> None:
        """Pilot grant programmes for cities."""

    return grants
