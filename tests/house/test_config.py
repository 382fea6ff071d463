"""Settings: what is read, what is refused and with which words."""

from __future__ import annotations

import re
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import pytest

from config import HELP, BadSettings, Config

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "GRANTS_ENV": "production",
    "SECRET_KEY": "k" * 32,
    "BASE_URL": "https://grants.example.eu",
    "DATABASE_URL": "postgresql://program:secret@host/grants",
    "DATABASE_OWNER_URL": "postgresql://owner:secret@host/grants",
    "REDIS_URL": "redis://host:6379/0",
}


def test_an_empty_environment_is_a_safe_start() -> None:
    assert Config.from_env({}) == Config()
    assert Config().HOST == "127.0.0.1"


def test_a_whole_production_is_accepted() -> None:
    assert Config.from_env(PRODUCTION).DATABASE_URL == "postgresql+psycopg://program:secret@host/grants"


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"BASE_URL": "http://grants.example.eu"}, "BASE_URL"),
        ({"DATABASE_OWNER_URL": ""}, "DATABASE_OWNER_URL"),
        ({"DATABASE_OWNER_URL": "postgresql://program@host/grants"}, "both sign in as “program”"),
        ({"DATABASE_URL": "postgresql:///grants?user=owner"}, "both sign in as “owner”"),
        ({"GRANTS_DEMO": "1"}, "GRANTS_DEMO"),
        ({"GRANTS_FAULT": "scope"}, "GRANTS_FAULT"),
        ({"SERVER_TIMING": "1"}, "SERVER_TIMING"),
    ],
)
def test_production_refuses_what_is_unsafe(changed: dict[str, str], word: str) -> None:
    with pytest.raises(BadSettings, match=word):
        Config.from_env({**PRODUCTION, **changed})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "70000"),
        ("PORT", "0"),
        ("PORT", "80a"),
        ("PORT", "-1"),
        ("PORT", "٨٠٨٠"),
        ("GRANTS_DEMO", "perhaps"),
        ("GRANTS_ENV", "prod"),
        ("LOG_LEVEL", "LOUD"),
        ("BASE_URL", "grants.example.eu"),
        ("SMTP_URL", "mail.example.eu"),
        ("REDIS_URL", "host:6379"),
        ("DATABASE_URL", "mysql://user:secret@host/db"),
        ("DATABASE_URL", "grants.db"),
        ("DATABASE_URL", "postgresql://[secret/grants"),
        ("DATABASE_OWNER_URL", "postgresql://owner:%secret@host/grants"),
    ],
)
def test_a_wrong_setting_is_named_without_its_password(name: str, value: str) -> None:
    with pytest.raises(BadSettings) as refused:
        Config.from_env({name: value})

    assert name in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("program", "owner"),
    [
        (
            "postgresql:///grants?host=/run/postgresql&user=program",
            "postgresql:///grants?host=/run/postgresql&user=owner",
        ),
        ("postgresql://host/grants", "postgresql://host/grants"),
        ("postgresql://program@host/grants?user=other", "postgresql://program@host/grants"),
    ],
)
def test_roles_are_compared_only_where_the_addresses_name_them(program: str, owner: str) -> None:
    assert Config.from_env({**PRODUCTION, "DATABASE_URL": program, "DATABASE_OWNER_URL": owner})


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from the file\n")

    assert Config.from_env({"SECRET_KEY_FILE": str(file)}).SECRET_KEY == "from the file"
    assert Config.from_env({"SECRET_KEY_FILE": str(file), "SECRET_KEY": "given"}).SECRET_KEY == "given"
    with pytest.raises(BadSettings, match="SECRET_KEY_FILE"):
        Config.from_env({"SECRET_KEY_FILE": str(tmp_path / "missing")})


def test_printing_the_settings_shows_no_secret() -> None:
    assert "secret" not in repr(
        Config.from_env({**PRODUCTION, "SMTP_URL": "smtp://u:secret@host", "SECRET_KEY": "secret" * 6})
    )


def test_the_cookie_key_is_made_once_for_processes_that_start_together(tmp_path: Path) -> None:
    settings = Config(GRANTS_HOME=str(tmp_path / "home"))

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: settings.secret_key(), range(8)))

    assert len(keys) == 1
    assert len(keys.pop()) == 64
    assert stat.S_IMODE((settings.home / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in settings.home.iterdir()] == ["secret_key"]


def test_every_setting_is_explained_and_stands_in_the_documentation() -> None:
    rows = re.findall(
        r"^\| `([A-Z_]+)` \| (.*?) \| (.*?) \|$", (ROOT / "docs" / "settings.md").read_text(encoding="utf-8"), re.M
    )

    expected = [
        (
            setting.name,
            f"`{int(d) if isinstance(d := setting.default, bool) else d}`" if d != "" else "",
            HELP[setting.name],
        )
        for setting in fields(Config)
        if (d := setting.default) is not None
    ]
    assert rows == expected
    assert list(HELP) == [setting.name for setting in fields(Config)]
