"""Settings from the environment only: typed, frozen, checked at the start; no default is unsafe."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

HELP = {
    "GRANTS_HOME": "folder of the embedded servers, uploads and produced files",
    "PORT": "port to listen on",
    "HOST": "address to listen on; `0.0.0.0` for every network of this machine",
    "BASE_URL": "public address, for links in mails, for example `https://grants.example.eu`",
    "DATABASE_URL": "PostgreSQL 15 or newer of your own, signing in as the program's role; empty: embedded",
    "DATABASE_OWNER_URL": "the same database as its owner; used by `grants db upgrade`, `grants backup` and `grants demo` only",
    "REDIS_URL": "Valkey or Redis of your own; empty: embedded",
    "SECRET_KEY": "signs cookies; empty: made once and kept in GRANTS_HOME",
    "TRUSTED_PROXIES": "how many reverse proxies stand before the program",
    "SMTP_URL": "`smtp://user:password@host:587` or `smtps://...`; empty: mails stay on the administrator's mail page",
    "MAIL_FROM": "sender of every mail",
    "UPLOAD_BYTES_MAX": "largest upload in bytes",
    "VIRUS_SCANNER": "clamd that looks at every upload: `tcp://host:3310` or `unix:///run/clamav/clamd.ctl`; until it says “clean” "
    "nobody is handed the file; empty: uploads are not scanned",
    "CHECKPOINT_FOLDER": "where signed checkpoints of the audit record are left, best out of this machine's reach; empty: "
    "`checkpoints` in GRANTS_HOME",
    "CHECKPOINT_KEY_FILE": "file of the private key that signs checkpoints; empty: made once and kept in GRANTS_HOME",
    "CHECKPOINT_MAIL_TO": "addresses outside, with commas between, that get every checkpoint besides the auditors",
    "PROGRAMME_SIGNING_KEY": "PKCS#12 file with the certificate and the key by which the programme signs agreements in force as PDF; "
    "only workers read it; empty: their PDF carries no electronic signature",
    "PROGRAMME_SIGNING_PASSWORD_FILE": "file with the password of that PKCS#12 file, and nothing else",
    "GRANTS_DEMO": "`1`: demo people sign in without a password; an empty database is filled with the demo. "
    "`make run` with the embedded database does so unless this is `0`",
    "GRANTS_ENV": "`production` refuses unsafe settings; `local` and `test` allow them",
    "SERVER_TIMING": "`1`: every answer says in its Server-Timing header how many SQL statements it took and how long; "
    "for measuring only, refused in production",
    "LOG_LEVEL": "`DEBUG`, `INFO`, `WARNING` or `ERROR`",
}

# May be given as a file instead: DATABASE_URL_FILE=/run/secrets/database_url
SECRET = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "SECRET_KEY", "SMTP_URL")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class BadSettings(ValueError):
    """A setting is missing or wrong; the message names it, what it may be, and an example."""


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting, by its name in the environment; what each is for stands in ``HELP``."""

    GRANTS_HOME: str = "instance"
    PORT: int = 8000
    HOST: str = "127.0.0.1"
    BASE_URL: str = ""
    DATABASE_URL: str = field(default="", repr=False)
    DATABASE_OWNER_URL: str = field(default="", repr=False)
    REDIS_URL: str = field(default="", repr=False)
    SECRET_KEY: str = field(default="", repr=False)
    TRUSTED_PROXIES: int = 0
    SMTP_URL: str = field(default="", repr=False)
    MAIL_FROM: str = "grants@localhost"
    UPLOAD_BYTES_MAX: int = 25_000_000
    VIRUS_SCANNER: str = ""
    CHECKPOINT_FOLDER: str = ""
    CHECKPOINT_KEY_FILE: str = ""
    CHECKPOINT_MAIL_TO: str = ""
    PROGRAMME_SIGNING_KEY: str = ""
    PROGRAMME_SIGNING_PASSWORD_FILE: str = ""
    GRANTS_DEMO: bool = False
    GRANTS_ENV: str = "local"
    SERVER_TIMING: bool = False
    LOG_LEVEL: str = "INFO"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read and check the environment; raises :class:`BadSettings` with one sentence for the first fault."""
        found = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        for setting in fields(cls):
            text = found.get(setting.name, "").strip() or _from_file(setting.name, found)
            if text:
                values[setting.name] = _read(setting.name, text, setting.default)
        return cls(**values).checked(found)

    def checked(self, environ: Mapping[str, str]) -> Self:
        """This configuration, if it may be used as it is."""
        if not 0 < self.PORT < 65_536:
            raise BadSettings(f"PORT is {self.PORT}; it must lie between 1 and 65535, for example PORT=8000.")
        if self.GRANTS_ENV not in {"local", "test", "production"}:
            raise BadSettings(f"GRANTS_ENV is “{self.GRANTS_ENV}”; it may be local, test or production.")
        if self.LOG_LEVEL not in LOG_LEVELS:
            raise BadSettings(f"LOG_LEVEL is “{self.LOG_LEVEL}”; it may be {', '.join(LOG_LEVELS)}.")
        if self.BASE_URL and not self.BASE_URL.startswith(("http://", "https://")):
            raise BadSettings("BASE_URL must begin with https:// (or http://), for example https://grants.example.eu.")
        if self.SMTP_URL and not self.SMTP_URL.startswith(("smtp://", "smtps://")):
            raise BadSettings(
                "SMTP_URL must begin with smtp:// or smtps://, for example smtp://user:password@host:587."
            )
        if self.REDIS_URL and not self.REDIS_URL.startswith(("redis://", "rediss://", "unix://")):
            raise BadSettings(
                "REDIS_URL must begin with redis://, rediss:// or unix://, for example redis://host:6379/0."
            )
        if self.VIRUS_SCANNER and not _is_scanner(self.VIRUS_SCANNER):
            raise BadSettings(
                f"VIRUS_SCANNER is “{self.VIRUS_SCANNER}”; it must be tcp://host:port or unix:///path of a clamd, "
                "for example VIRUS_SCANNER=unix:///run/clamav/clamd.ctl."
            )
        for address in filter(None, self.CHECKPOINT_MAIL_TO.split(",")):
            if not all(address.strip().rpartition("@")[::2]) or len(address.split()) != 1:
                raise BadSettings(
                    f"CHECKPOINT_MAIL_TO names “{address}”, which is no address; for example CHECKPOINT_MAIL_TO=audit@example.eu."
                )
        if bool(self.PROGRAMME_SIGNING_KEY) != bool(self.PROGRAMME_SIGNING_PASSWORD_FILE):
            raise BadSettings(
                "PROGRAMME_SIGNING_KEY and PROGRAMME_SIGNING_PASSWORD_FILE belong together: set both, or neither; for example "
                "PROGRAMME_SIGNING_KEY=/etc/grants/programme.p12 and PROGRAMME_SIGNING_PASSWORD_FILE=/etc/grants/programme.password."
            )
        for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
            value = getattr(self, name)
            if value and not value.startswith("postgresql+psycopg://"):
                raise BadSettings(
                    f"{name} must be the address of a PostgreSQL database, for example "
                    f"{name}=postgresql://grants_program:password@host/grants."
                )
            _user(name, value)
        if self.GRANTS_ENV == "production":
            self._check_production(environ)
        return self

    def _check_production(self, environ: Mapping[str, str]) -> None:
        if environ.get("GRANTS_FAULT"):
            raise BadSettings("GRANTS_FAULT is set: faults are never raised in production. Unset it.")
        if self.GRANTS_DEMO:
            raise BadSettings("GRANTS_DEMO is set: the demo signs people in without passwords. Unset it in production.")
        if self.SERVER_TIMING:
            raise BadSettings("SERVER_TIMING is set: it tells strangers how the program works. Unset it in production.")
        if len(self.SECRET_KEY) < 32:
            raise BadSettings(
                "SECRET_KEY must have at least 32 characters in production; make one with `openssl rand -hex 32`."
            )
        if not self.BASE_URL.startswith("https://"):
            raise BadSettings("BASE_URL must begin with https:// in production, for example https://grants.example.eu.")
        # The embedded database has two roles by itself; its owner's address is kept from the program's processes.
        if self.DATABASE_URL and not self.DATABASE_OWNER_URL and not environ.get("GRANTS_SUPERVISED"):
            raise BadSettings(
                "DATABASE_OWNER_URL is missing: the program's own role may not own its tables. Name the owner's address; "
                "without its password, where tables are not changed."
            )
        user = _user("DATABASE_URL", self.DATABASE_URL)
        if user and user == _user("DATABASE_OWNER_URL", self.DATABASE_OWNER_URL):
            raise BadSettings(
                f"DATABASE_URL and DATABASE_OWNER_URL both sign in as “{user}”. The program needs a role of its own, that "
                "owns nothing."
            )

    @property
    def home(self) -> Path:
        """The data folder as an absolute path."""
        return Path(self.GRANTS_HOME).expanduser().absolute()

    def secret_key(self) -> str:
        """The configured key, or the one made once and kept, readable by this user only, in the data folder."""
        if self.SECRET_KEY:
            return self.SECRET_KEY
        path = self.home / "secret_key"
        if not path.exists():
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Linked when whole: of several processes that start at once, all read the first one's key.
            fresh = path.with_name(f"secret_key.{secrets.token_hex(4)}")
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(secrets.token_hex(32))
            try:
                os.link(fresh, path)
            except FileExistsError:
                return path.read_text()
            finally:
                fresh.unlink()
        return path.read_text()


def _is_scanner(address: str) -> bool:
    at = urlsplit(address)
    try:
        return (
            bool(at.path.strip("/") and not at.netloc)
            if at.scheme == "unix"
            else at.scheme == "tcp" and bool(at.hostname and at.port != 0)
        )
    except ValueError:
        return False


def _user(name: str, address: str) -> str:
    """Whom a database's address names, by PostgreSQL's own rules; empty where it leaves that to the machine."""
    try:
        return str(conninfo_to_dict(address.replace("postgresql+psycopg://", "postgresql://", 1)).get("user") or "")
    except psycopg.Error:
        # What the driver says may hold the password.
        raise BadSettings(
            f"{name} cannot be read as the address of a database. Signs other than letters and digits in a password are "
            f"written as %40 and the like; for example {name}=postgresql://grants_program:password@host/grants."
        ) from None


def _from_file(name: str, environ: Mapping[str, str]) -> str:
    path = environ.get(f"{name}_FILE", "").strip() if name in SECRET else ""
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(
            f"{name}_FILE names “{path}”, which cannot be read. Check the path and its permissions."
        ) from error


def _read(name: str, text: str, default: object) -> object:
    match default:
        case bool():
            if text.lower() not in {"1", "0", "true", "false", "yes", "no"}:
                raise BadSettings(f"{name} is “{text}”; it may be 1 or 0.")
            return text.lower() in {"1", "true", "yes"}
        case int():
            if not text.isascii() or not text.isdigit():
                raise BadSettings(f"{name} is “{text}”; it must be a whole number, for example {name}={default}.")
            return int(text)
        case _ if name in {"DATABASE_URL", "DATABASE_OWNER_URL"}:
            scheme, found, rest = text.partition("://")
            return f"postgresql+psycopg://{rest}" if found and scheme in {"postgres", "postgresql"} else text
        case _:
            return text
