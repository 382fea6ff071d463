"""Front-end files: what is copied, and what of the brand they come from must stay behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grants.web import assets

ROOT = Path(__file__).resolve().parents[2]


def test_no_lock_names_an_address() -> None:
    locks = [ROOT / "package-lock.json", *ROOT.glob("requirements*.txt")]

    assert len(locks) == 4
    assert [path.name for path in locks if "://" in path.read_text() or "resolved" in path.read_text()] == []


def test_every_package_in_the_lock_has_its_hash() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]

    assert [name for name, entry in packages.items() if name and not entry.get("integrity")] == []


def test_every_file_is_where_pages_look_for_it() -> None:
    missing = [name for name in assets.COPIES.values() if not (assets.VENDOR / name).is_file()]

    assert missing == []
    assert len(list((assets.VENDOR / "source-sans-3" / "files").glob("*.woff2"))) >= 14


def test_the_sheet_carries_no_foreign_brand() -> None:
    css = (assets.VENDOR / "govuk-frontend.min.css").read_text()

    assert "GDS" not in css
    assert "@font-face" not in css
    assert "/assets/" not in css
    assert f'font-family:"{assets.FONT_FAMILY}"' in css


def test_a_sheet_laid_out_otherwise_is_refused() -> None:
    with pytest.raises(assets.SetUpFailed, match="brand files"):
        assets.unbranded("@font-face{font-family:GDS Transport;src:url(/assets/fonts/one.woff2)}")


@pytest.mark.parametrize("pointer", ["//# sourceMappingURL=a.js.map\n", "/*# sourceMappingURL=a.css.map */"])
def test_pointers_to_maps_are_left_out(pointer: str) -> None:
    assert assets.without_source_map(f"a{{}}\n{pointer}") == "a{}\n"
