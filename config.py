"""Settings from the environment only: typed, frozen, checked at the start; no default is unsafe."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Self


class BadSettings(ValueError):
    """A setting is missing or wrong; the message names it, what it may be, and an example."""


def _setting(default: object, help: str) -> object:
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting. Names are those of the environment; ``GRANTS_HOME`` holds what the program itself stores."""

    GRANTS_HOME: str = _setting("instance", "folder of the embedded servers, uploads and produced files")  # type: ignore[assignment]
    DATABASE_URL: str = _setting("", "PostgreSQL of your own, signing in as the program's role; empty: embedded")  # type: ignore[assignment]
    DATABASE_OWNER_URL: str = _setting("", "the same database as its owner; used by `grants db upgrade` only")  # type: ignore[assignment]
    REDIS_URL: str = _setting("", "Valkey or Redis of your own; empty: embedded")  # type: ignore[assignment]
    SECRET_KEY: str = _setting("", "signs cookies; empty: made once and kept in GRANTS_HOME")  # type: ignore[assignment]
    BASE_URL: str = _setting("", "public address, for links in mails, for example https://grants.example.eu")  # type: ignore[assignment]
    HOST: str = _setting("127.0.0.1", "address to listen on")  # type: ignore[assignment]
    PORT: int = _setting(8000, "port to listen on")  # type: ignore[assignment]
    TRUSTED_PROXIES: int = _setting(0, "how many reverse proxies stand before the program")  # type: ignore[assignment]
    SMTP_URL: str = _setting("", "smtp://user:password@host:587 or smtps://...; empty: mails stay on the mail page")  # type: ignore[assignment]
    MAIL_FROM: str = _setting("grants@localhost", "sender of every mail")  # type: ignore[assignment]
    UPLOAD_BYTES_MAX: int = _setting(25_000_000, "largest upload in bytes")  # type: ignore[assignment]
    GRANTS_DEMO: bool = _setting(False, "show demo sign-in and load the demo into an empty database")  # type: ignore[assignment]
    GRANTS_ENV: str = _setting("local", "`production` refuses unsafe settings; `local` and `test` allow them")  # type: ignore[assignment]
    LOG_LEVEL: str = _setting("INFO", "DEBUG, INFO, WARNING or ERROR")  # type: ignore[assignment]

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read and check the environment; raises :class:`BadSettings` with one sentence for the first fault."""
        found = os.environ if environ is None else environ
        values: dict[str, object] = {}
        for setting in fields(cls):
            text = found.get(setting.name, "").strip()
            if text:
                values[setting.name] = _read(setting.name, text, setting.default)
        config = cls(**values)  # type: ignore[arg-type] -- each value was read as its default's type
        return config.checked(found)

    def checked(self, environ: Mapping[str, str]) -> Self:
        """This configuration, if it may be used as it is."""
        if not 0 < self.PORT < 65_536:
            raise BadSettings(f"PORT is {self.PORT}; it must lie between 1 and 65535, for example PORT=8000.")
        if self.GRANTS_ENV not in {"local", "test", "production"}:
            raise BadSettings(f"GRANTS_ENV is {self.GRANTS_ENV!r}; it may be local, test or production.")
        if self.GRANTS_ENV == "production":
            self._check_production(environ)
        return self

    def _check_production(self, environ: Mapping[str, str]) -> None:
        if environ.get("GRANTS_FAULT"):
            raise BadSettings("GRANTS_FAULT is set: faults are never raised in production. Unset it.")
        if self.GRANTS_DEMO:
            raise BadSettings("GRANTS_DEMO is set: the demo signs people in without passwords. Unset it in production.")
        if len(self.SECRET_KEY) < 32:
            raise BadSettings(
                "SECRET_KEY must have at least 32 characters in production; make one with `openssl rand -hex 32`."
            )
        if not self.BASE_URL.startswith("https://"):
            raise BadSettings("BASE_URL must begin with https:// in production, for example https://grants.example.eu.")
        if self.DATABASE_URL and not self.DATABASE_OWNER_URL:
            raise BadSettings(
                "DATABASE_OWNER_URL is missing: the program's own role may not own its tables. Name the owner's address."
            )

    @property
    def home(self) -> Path:
        """The data folder as an absolute path."""
        return Path(self.GRANTS_HOME).absolute()

    def secret_key(self) -> str:
        """The configured key, or the one made once and kept, readable by this user only, in the data folder."""
        if self.SECRET_KEY:
            return self.SECRET_KEY
        path = self.home / "secret_key"
        if not path.exists():
            self.home.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_hex(32))
        return path.read_text()


def _read(name: str, text: str, default: object) -> object:
    match default:
        case bool():
            if text.lower() not in {"1", "0", "true", "false", "yes", "no"}:
                raise BadSettings(f"{name} is {text!r}; it may be 1 or 0.")
            return text.lower() in {"1", "true", "yes"}
        case int():
            if not text.isascii() or not text.isdigit():
                raise BadSettings(f"{name} is {text!r}; it must be a whole number, for example {name}={default}.")
            return int(text)
        case _:
            return text
