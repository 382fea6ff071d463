"""What serves pages stays small: the heavy libraries are loaded by workers, inside the functions that need them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("pandas", "numpy", "ortools", "highspy", "reportlab", "openpyxl", "xlsxwriter", "matplotlib")
PROGRAM = f"""
import sys
from config import Config
from grants.app import create_app
create_app(Config(GRANTS_HOME=sys.argv[1], DATABASE_URL="postgresql+psycopg://nobody@/nothing", GRANTS_ENV="test"))
print(" ".join(name for name in {HEAVY!r} if name in sys.modules))
"""


def test_the_web_process_loads_no_heavy_library(tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert found.stdout.split() == []
