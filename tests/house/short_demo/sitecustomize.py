"""A demo of two people in four steps that waits where a test tells it to: the real one takes a minute.

Python imports this module at its start wherever this folder is on its path; the program then finds it as its demo.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

STEPS = 4


def load(progress: Callable[[int, int, str], None]) -> None:
    """Two people at once, then each step at its gate: a file ``gate-N`` opens it, ``fails`` makes it fail."""
    from grants.core.errors import Refused
    from grants.core.permissions import Permission, system_actor
    from grants.identity import services
    from grants.identity.policy import Role
    from grants.identity.rules import UserInput

    gates = Path(os.environ["GRANTS_HOME"])
    founder = system_actor("the demo", (Permission.USER_INVITE, Permission.ROLE_ASSIGN))
    for name, role in (("Ada Berg", Role.ADMINISTRATOR), ("Otto Lind", Role.PROGRAMME_MANAGER)):
        mail = f"{name.split()[0].lower()}@demo.example"
        services.add_user(founder, UserInput(name=name, email=mail, roles=(role,), job_title="", is_demo=True))
    for step in range(1, STEPS + 1):
        progress(step, STEPS, f"step {step}")
        while not (gates / f"gate-{step}").exists():
            if (gates / "fails").exists():
                raise Refused("This demo fails on purpose.")
            time.sleep(0.02)


_module = ModuleType("grants.demo")
_module.__spec__ = ModuleSpec("grants.demo", None)
_module.load = _module.load_in_two = load  # type: ignore[attr-defined]  # what the program looks for
sys.modules["grants.demo"] = _module
