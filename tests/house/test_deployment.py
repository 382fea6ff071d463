"""Servers of one's own, as docs/deploy says: gunicorn with several processes, workers, the schedule, and what is killed."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

import wsgi
from config import SECRET, Config
from tests.house.machine import INHERITED, ROOT, eventually, free_port
from tests.house.own_servers import DEPLOY, OwnPostgres, OwnValkey, program

GUNICORN = (program("gunicorn"), "--config", "docs/deploy/gunicorn.conf.py", "wsgi:app")
UNITS = DEPLOY / "systemd"
OWN = {"WEB_CONCURRENCY"}


class Installation:
    """One installation with settings as in env.example: secrets in files, the owner's address without its password."""

    def __init__(self, folder: Path, postgres: OwnPostgres, valkey: OwnValkey) -> None:
        self.folder, self.port, self.postgres = folder, free_port(), postgres
        self.secrets = {
            "DATABASE_URL": postgres.address("grants_program"),
            "REDIS_URL": valkey.url,
            "SECRET_KEY": "k" * 40,
            "SMTP_URL": "",
        }
        files = {}
        for name, text in {**self.secrets, "OWNER": postgres.address("grants_owner")}.items():
            files[name] = folder / name.lower()
            files[name].write_text(text + "\n")
        self.environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
        self.environment |= {f"{name}_FILE": str(files[name]) for name in self.secrets}
        self.environment |= {
            "GRANTS_ENV": "production",
            "GRANTS_HOME": str(folder / "data"),
            "BASE_URL": "https://grants.example.eu",
            "TRUSTED_PROXIES": "1",
            "PORT": str(self.port),
            "DATABASE_OWNER_URL": f"postgresql://grants_owner@127.0.0.1:{postgres.port}/grants",
            "WEB_CONCURRENCY": "3",
        }
        self.as_owner = {"DATABASE_OWNER_URL": "", "DATABASE_OWNER_URL_FILE": str(files["OWNER"])}
        self.running: list[subprocess.Popen[bytes]] = []

    def command(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program("grants"), *words],
            env={**self.environment, **settings},
            capture_output=True,
            text=True,
            timeout=120,
            cwd=ROOT,
        )

    def start(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(words, env=self.environment, stdout=log, stderr=log, cwd=ROOT)
        self.running.append(process)
        return process

    def said(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def stop(self) -> None:
        for process in self.running:
            process.terminate()
        for process in self.running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()
            process.wait()


class Browser:
    """Somebody behind the proxy, which speaks HTTPS to them and tells the program so."""

    def __init__(self, port: int) -> None:
        self.port, self.cookies, self.text, self.location = port, {}, "", ""

    def get(self, path: str) -> int:
        return self._ask("GET", path)

    def post(self, path: str, **fields: str) -> int:
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.text)
        key = re.search(r'name="act_key"[^>]*value="([^"]+)"', self.text)
        assert token is not None, self.text
        hidden = {"csrf_token": token[1], **({"act_key": key[1]} if key else {})}
        return self._ask("POST", path, urllib.parse.urlencode({**hidden, **fields}))

    def _ask(self, method: str, path: str, sent: str | None = None) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Host": "grants.example.eu",
            "Referer": "https://grants.example.eu/",
            "X-Forwarded-For": "203.0.113.7",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "grants.example.eu",
        }
        if sent is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        with contextlib.closing(connection):
            connection.request(method, path, sent, headers)
            answer = connection.getresponse()
            self.text, self.location = answer.read().decode(), answer.headers.get("Location", "")
            for cookie in answer.headers.get_all("Set-Cookie") or ():
                name, _, value = cookie.partition(";")[0].partition("=")
                assert "Secure" in cookie
                self.cookies[name] = value
            return answer.status


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[OwnPostgres, OwnValkey]]:
    postgres, valkey = OwnPostgres(), OwnValkey()
    try:
        postgres.start()
        valkey.start()
        yield postgres, valkey
    finally:
        valkey.stop()
        postgres.stop()


@pytest.fixture(scope="module")
def installation(
    servers: tuple[OwnPostgres, OwnValkey], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    found = Installation(tmp_path_factory.mktemp("own"), *servers)
    try:
        upgraded = found.command("db", "upgrade", **found.as_owner)
        assert upgraded.returncode == 0, upgraded.stderr
        yield found
    finally:
        found.stop()


def test_gunicorn_refuses_unsafe_settings_in_words_before_it_opens_a_port(installation: Installation) -> None:
    settings = {**installation.environment, "SECRET_KEY": "short"}

    ended = subprocess.run(GUNICORN, env=settings, capture_output=True, text=True, timeout=60, cwd=ROOT)

    assert ended.returncode == 1
    assert ended.stderr.strip().splitlines()[-1].startswith("This does not start. ")
    assert "SECRET_KEY must have at least 32 characters" in ended.stderr
    assert "Traceback" not in ended.stderr and "Listening" not in ended.stderr


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"DATABASE_URL_FILE": "", "DATABASE_URL": ""}, "DATABASE_URL is empty"),
        ({"DATABASE_URL": "owner", "DATABASE_OWNER_URL": "postgresql://other@127.0.0.1/grants"}, "owner of the tables"),
    ],
)
def test_what_gunicorn_asks_before_it_starts_refuses_what_only_the_program_knows(
    installation: Installation, changed: Mapping[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As above, by the same hook: a process of its own would import the whole program for each."""
    owner = installation.postgres.address("grants_owner")
    settings = {name: owner if text == "owner" else text for name, text in changed.items()}
    for name in [name for name in os.environ if name.removesuffix("_FILE") in Config.__dataclass_fields__]:
        monkeypatch.delenv(name)
    for name, text in {**installation.environment, **settings}.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setattr(wsgi, "_made", None)
    monkeypatch.setattr(sys, "path", list(sys.path))

    with pytest.raises(SystemExit, match=rf"^This does not start\. .*{words}"):
        runpy.run_path(str(DEPLOY / "gunicorn.conf.py"))["on_starting"](None)


def test_people_work_on_while_processes_are_killed(installation: Installation) -> None:
    web = installation.start("web", *GUNICORN)
    workers = [installation.start(f"worker{n}", sys.executable, "-m", "jobs.worker") for n in (1, 2)]
    installation.start("schedule", sys.executable, "-m", "jobs.schedule", "--every", "0.5", "--ring-again", "2")
    added = installation.command("users", "add", "ana@example.eu", "--name", "Ana Horvat", "--role", "administrator")
    assert added.returncode == 0, added.stderr
    ana = Browser(installation.port)
    eventually(lambda: "Listening at" in installation.said("web"), 60)
    assert len(eventually(lambda: children(web.pid) if len(children(web.pid)) == 3 else [], 30)) == 3

    # In by the link of the first administrator, behind the proxy's HTTPS.
    link = urllib.parse.urlsplit(added.stdout.split()[-1])
    assert link.netloc == "grants.example.eu"
    assert (ana.get(link.path), ana.location) == (303, "/choose-password")
    assert ana.get("/choose-password") == 200
    password = "a long pass phrase of Ana"
    assert ana.post("/choose-password", password=password, again=password) == 303, ana.text
    assert ana.get("/sign-in") == 200
    assert ana.post("/sign-in", email="ana@example.eu", password=password) == 303, ana.text
    assert ana.get("/home") == 200 and "Ana Horvat" in ana.text

    # A deed with a job, before and after one process of each kind was killed outright.
    invite(ana, "mia@example.eu")
    eventually(lambda: done_letters(installation) == 1, 60)
    os.kill(children(web.pid)[0], signal.SIGKILL)
    workers[0].kill()
    for _ in range(12):
        assert ana.get("/admin/users") == 200
    invite(ana, "leo@example.eu")
    eventually(lambda: done_letters(installation) == 2, 60)
    assert len(eventually(lambda: children(web.pid) if len(children(web.pid)) == 3 else [], 30)) == 3

    # Well, as whoever looks after it sees it.
    eventually(lambda: ana.get("/readyz") == 200, 60)
    assert '"schedule":{"ok":true' in ana.text and '"mail":{"ok":true' in ana.text
    seen = installation.command("doctor")
    assert re.search(r"WELL +roles|WELL +database", seen.stdout), seen.stdout
    assert installation.postgres.ask("SELECT DISTINCT address FROM user_session") == "203.0.113.7"
    web.terminate()
    assert web.wait(30) == 0


def invite(ana: Browser, email: str) -> None:
    assert ana.get("/admin/users/invite") == 200
    assert ana.post("/admin/users/invite", name="Somebody New", email=email, organisation="", roles="auditor") == 303, (
        ana.text
    )


def done_letters(installation: Installation) -> int:
    found = installation.postgres.ask("SELECT count(*) FROM job WHERE queue = 'mail' AND state = 'done'")
    return int(str(found))


def test_no_process_but_the_upgrade_can_sign_in_as_the_owner(installation: Installation) -> None:
    refused = installation.command("db", "upgrade")

    assert refused.returncode == 1
    assert "no password supplied" in refused.stderr and "DATABASE_OWNER_URL" in refused.stderr


def test_everything_comes_back_into_another_database(installation: Installation, tmp_path: Path) -> None:
    postgres, file = installation.postgres, tmp_path / "all.backup"
    made = installation.command("backup", "create", str(file), **installation.as_owner)
    assert made.returncode == 0, made.stderr
    people = postgres.ask("SELECT count(*) FROM user_account")
    postgres.add_database("drill")

    restored = installation.command(
        *("backup", "restore", str(file)),
        DATABASE_OWNER_URL=postgres.address("grants_owner", "drill"),
        DATABASE_URL=postgres.address("grants_program", "drill"),
        GRANTS_HOME=str(tmp_path / "drill"),
    )

    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert restored.stdout.count("holds ") == 6, restored.stdout
    assert postgres.ask("SELECT count(*) FROM user_account", "drill") == people


# --- What docs/deploy says ------------------------------------------------------------------------------------------


def settings_in(file: Path) -> dict[str, str]:
    return dict(re.findall(r"^#?([A-Z_]+)=(.*)$", file.read_text(encoding="utf-8"), re.M))


def test_the_example_of_settings_names_every_setting_and_no_other() -> None:
    named = settings_in(DEPLOY / "env.example")

    assert set(named) - OWN == set(Config.__dataclass_fields__)
    assert [
        name for name in SECRET if re.search(rf"^{name}=.*:[^/@]+@", (DEPLOY / "env.example").read_text(), re.M)
    ] == []


def test_the_example_of_settings_is_a_safe_production(tmp_path: Path) -> None:
    lines = re.findall(r"^([A-Z_]+)=(.*)$", (DEPLOY / "env.example").read_text(encoding="utf-8"), re.M)
    given = {
        "DATABASE_URL": "postgresql://grants_program:x@127.0.0.1/grants",
        "SECRET_KEY": "k" * 64,
        "REDIS_URL": "redis://h",
    }

    config = Config.from_env({**dict(lines), **given})

    assert (config.GRANTS_ENV, config.TRUSTED_PROXIES, config.GRANTS_DEMO) == ("production", 1, False)


def words_of(unit: str, name: str) -> list[str]:
    """Every word that a unit, with the common part where it is a service's, gives to one of its settings."""
    texts = [(UNITS / unit).read_text(encoding="utf-8")]
    if unit.endswith(".service"):
        texts.append((UNITS / "grants-.service.d" / "common.conf").read_text(encoding="utf-8"))
    return [word for text in texts for line in re.findall(rf"^{name}=(.*)$", text, re.M) for word in line.split()]


def test_the_pages_do_not_see_the_folder_of_the_key_that_signs() -> None:
    key = Path(settings_in(DEPLOY / "env.example")["CHECKPOINT_KEY_FILE"])

    assert f"-{key.parent}" in words_of("grants-web.service", "InaccessiblePaths")
    assert f"-{key.parent}" not in words_of("grants-worker@.service", "InaccessiblePaths")
    # Made before any service starts: what is not there cannot be shut.
    assert str(key.parent.relative_to("/var/lib")) in words_of("grants-web.service", "StateDirectory")


def test_workers_may_write_where_checkpoints_are_left() -> None:
    named = re.findall(r"^#CHECKPOINT_FOLDER=(.*)$", (DEPLOY / "env.example").read_text(encoding="utf-8"), re.M)

    assert f"-{named[0]}" in words_of("grants-worker@.service", "ReadWritePaths")


def test_an_upgrade_stops_every_worker_however_many_there_are() -> None:
    assert "grants-upgrade.service" in words_of("grants-worker@.service", "Conflicts")
    assert {"grants-web.service", "grants-schedule.service"} <= set(words_of("grants-upgrade.service", "Conflicts"))


def test_passwords_of_the_roles_stand_on_no_command_line() -> None:
    for name in ("README.md", "roles.sh", "roles.sql"):
        found = re.findall(r"(?:-v|--set|--variable)[ =]\w+=", (DEPLOY / name).read_text(encoding="utf-8"))
        assert found == [], name


def composed() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return found


def test_the_proxy_logs_no_address_that_holds_a_secret() -> None:
    written = (DEPLOY / "README.md").read_text(encoding="utf-8")
    table = re.search(r'map "\$request_uri \$http_referer" \$logged \{(.*?)\n\}', written, re.DOTALL)
    assert table and "combined if=$logged;" in written
    left_out = [re.compile(pattern) for pattern in re.findall(r'"~(\S+)"\s+0;', table[1])]

    def logged(address: str, before: str = "") -> bool:
        return not any(pattern.search(f"{address} {before}") for pattern in left_out)

    site = "https://grants.example.eu"
    for secret in ("/invitation/k", "/reset/k", "/address/k", "/calls/x/assignments/file?look=k", "/x?q=a&look=k"):
        assert not logged(secret) and not logged("/static/app.css", site + secret), secret
    assert logged("/", f"{site}/calls/x?q=look") and logged("/calls/invitation/", "")


def test_containers_get_settings_that_exist_and_secrets_as_files() -> None:
    compose = composed()
    known = set(Config.__dataclass_fields__) | {f"{name}_FILE" for name in SECRET} | OWN
    for name in ("upgrade", "web", "worker", "schedule", "backup"):
        service = compose["services"][name]
        assert set(service["environment"]) - known == set(), name
        for setting, value in service["environment"].items():
            if setting.endswith("_FILE") and setting.removesuffix("_FILE") in SECRET:
                assert Path(value).name in service["secrets"], f"{name}: {setting}"
        assert (service["user"], service["read_only"], service["cap_drop"]) == ("10001:10001", True, ["ALL"])
    for service in compose["services"].values():
        assert set(service.get("secrets", ())) <= set(compose["secrets"])
        assert set(service.get("networks", ())) <= set(compose["networks"])
    assert "database_owner_url" not in compose["services"]["web"]["secrets"]


def test_containers_get_every_setting_there_is() -> None:
    services = composed()["services"]
    # What production refuses, and what only the pages listen on.
    wanted = set(Config.__dataclass_fields__) - {"GRANTS_DEMO", "SERVER_TIMING", "HOST", "PORT"}
    for name in ("upgrade", "web", "worker", "schedule", "backup"):
        given = {
            setting.removesuffix("_FILE") if setting.removesuffix("_FILE") in SECRET else setting
            for setting in services[name]["environment"]
        }
        assert wanted - given == set(), name
    assert {"HOST", "PORT"} <= set(services["web"]["environment"])


def test_only_the_workers_containers_have_the_key_that_signs() -> None:
    compose = composed()
    key = Path(compose["x-settings"]["CHECKPOINT_KEY_FILE"])
    mounted = {
        name: [volume.rpartition(":")[2] for volume in service.get("volumes", ()) if not volume.endswith(":ro")]
        for name, service in compose["services"].items()
    }

    assert [name for name, places in mounted.items() if str(key.parent) in places] == ["worker"]
    assert [place for place in key.parents if str(place) in mounted["web"]] == []
    assert compose["x-settings"]["CHECKPOINT_FOLDER"] in mounted["worker"]
    # A volume gets its owner from the folder of the image.
    for place in (str(key.parent), compose["x-settings"]["CHECKPOINT_FOLDER"]):
        assert re.search(rf"install -d -o grants .* {place}\b", (DEPLOY / "Dockerfile").read_text(encoding="utf-8")), (
            place
        )


def test_the_database_counts_as_there_only_when_its_roles_are_made() -> None:
    asked = composed()["services"]["postgres"]["healthcheck"]["test"]

    # While roles.sh does its work the server answers on its socket only.
    assert "--host=127.0.0.1" in asked


def test_what_containers_write_into_a_folder_of_the_machine_belongs_to_their_user() -> None:
    compose = composed()
    folders = [volume for volume in compose["services"]["backup"]["volumes"] if volume.startswith("./")]

    user = compose["services"]["backup"]["user"].partition(":")[0]
    for folder in folders:
        name = folder.partition(":")[0].removeprefix("./")
        assert re.search(rf"install -d -o {user} -m 0700 {name}\b", (DEPLOY / "README.md").read_text(encoding="utf-8"))
    assert folders


def test_units_start_programs_and_modules_that_exist() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(UNITS.rglob("*.*")) if path.is_file())

    for module in re.findall(r"python -m ([\w.]+)", text):
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file()
    assert set(re.findall(r"/opt/pilot-grants/\.venv/bin/(\w+)", text)) == {"gunicorn", "python", "grants"}
    known = set(Config.__dataclass_fields__) | {f"{name}_FILE" for name in SECRET} | {"PYTHONUNBUFFERED"}
    assert set(re.findall(r"^(?:Uns|S)?[Ee]?n?v?i?r?o?n?m?e?n?t?Environment=(\w+)", text, re.M)) - known == set()
    for wanted in re.findall(r"(grants-[\w-]+@?)\d*\.(service|socket)", (UNITS / "grants.target").read_text()):
        assert (UNITS / ".".join(wanted)).is_file()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    shutil.copytree(UNITS, tmp_path / "units")
    for path in (tmp_path / "units").rglob("*.*"):
        if path.is_file():
            path.write_text(
                path.read_text().replace("/opt/pilot-grants/.venv/bin/", str(Path(sys.executable).parent) + "/")
            )
            path.write_text(path.read_text().replace("/opt/pilot-grants", str(ROOT)))
    units = [
        str(path).replace("@.", "@1.") for path in sorted((tmp_path / "units").glob("grants*.*")) if path.is_file()
    ]

    found = subprocess.run(
        ["systemd-analyze", "verify", *units],
        env={"PATH": os.environ["PATH"], "SYSTEMD_UNIT_PATH": f"{tmp_path}/units:"},
        capture_output=True,
        text=True,
    )

    assert [line for line in found.stderr.splitlines() if "grants" in line] == []
