"""Start-up: wrong settings end the process, with the lines to read, before anything listens."""

from __future__ import annotations

import errno
import os
import runpy
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.harness import (
    APP_SECRET_KEY,
    EVERY_SETTING,
    ROOT,
    SETTING_PREFIXES,
    Gunicorn,
    free_port,
)

# A variable that is set to nothing keeps a developer's .env out of the tests.
NOTHING = dict.fromkeys(EVERY_SETTING, "")
GOOD = NOTHING | {
    "AUTH0_DOMAIN": "tenant.eu.auth0.com",
    "AUTH0_CLIENT_ID": "the-client-id",
    "AUTH0_CLIENT_SECRET": "the-client-secret",
    "APP_SECRET_KEY": APP_SECRET_KEY,
}
SERVERS = {
    "gunicorn": ["-m", "gunicorn", "app:create_app()"],
    "flask run": ["-m", "flask", "--app", "app", "run"],
}


def listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


def start(server: list[str], settings: dict[str, str]) -> tuple[int, str, bool]:
    """Start a server and wait for its end: exit code, output, and whether it ever listened."""
    port = free_port()
    others = {k: v for k, v in os.environ.items() if not k.startswith(SETTING_PREFIXES)}
    env = {**others, **settings, "PORT": str(port), "FLASK_RUN_PORT": str(port)}
    process = subprocess.Popen(
        [sys.executable, *server],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    listened = False
    deadline = time.monotonic() + 60
    while process.poll() is None and not listened and time.monotonic() < deadline:
        listened = listens(port)
        time.sleep(0.01)
    process.kill()
    output, _ = process.communicate()
    return process.returncode, output, listened


WRONG: dict[str, tuple[dict[str, str], list[str]]] = {
    "nothing configured": (
        NOTHING,
        ["APP_SECRET_KEY", "AUTH0_CLIENT_ID", "AUTH0_CLIENT_SECRET", "AUTH0_DOMAIN"],
    ),
    "one of each kind": (
        NOTHING
        | {
            "APP_SECRET_KEY": "twelve-chars",
            "AUTH0_DOMAIN": "http://tenant.eu.auth0.com/",
            "APP_BASE_URL": "http://localhost:3000/#start",
            "AUTH0_CLIENT_SIGNING_KEY": "/nonexistent/key.pem",
        },
        [
            *("APP_BASE_URL", "APP_SECRET_KEY", "AUTH0_CLIENT_ID", "AUTH0_CLIENT_SIGNING_KEY"),
            "AUTH0_DOMAIN",
        ],
    ),
}


@pytest.mark.parametrize("server", SERVERS.values(), ids=SERVERS)
@pytest.mark.parametrize(("settings", "named"), WRONG.values(), ids=WRONG)
def test_wrong_settings_end_the_process_with_one_line_each(
    server: list[str], settings: dict[str, str], named: list[str]
) -> None:
    code, output, listened = start(server, settings)

    assert code not in (0, -9)
    assert not listened
    assert "Traceback" not in output
    lines = [line for line in output.splitlines() if ". Write: " in line]
    assert sorted(line.split()[0] for line in lines) == named


@pytest.mark.parametrize("server", SERVERS.values(), ids=SERVERS)
def test_good_settings_serve(server: list[str]) -> None:
    _, output, listened = start(server, GOOD)

    assert listened, output


def test_a_certificate_and_an_http_address_end_the_process_before_it_listens() -> None:
    files = {"GUNICORN_CMD_ARGS": "--certfile certificate.pem --keyfile key.pem"}

    code, output, listened = start(SERVERS["gunicorn"], GOOD | files)

    assert (code, listened) == (1, False)
    [line] = [line for line in output.splitlines() if ". Write: " in line]
    assert line.startswith("APP_BASE_URL is an http:// URL, and gunicorn has a certfile")
    assert line.endswith("Write: https://localhost:3000")


def copy_of_the_app(folder: Path) -> Path:
    """The app in a folder of its own, where a `.env` harms nobody."""
    for path in ROOT.iterdir():
        if not path.name.startswith(".") and path.name != "instance":
            (folder / path.name).symlink_to(path)
    return folder


def issuer_in(folder: Path, **env: str) -> str:
    script = "import app; print(app.create_app().extensions['relying_party'].settings.issuer)"
    return python(script, folder, **env).stdout.splitlines()[-1]


def python(script: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a folder, with these settings and no others."""
    others = {k: v for k, v in os.environ.items() if not k.startswith(SETTING_PREFIXES)}
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env={**others, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


def test_settings_are_read_from_the_env_file_which_overrides_nothing_that_is_set(
    tmp_path: Path,
) -> None:
    lines = [f"{name}={value}\n" for name, value in GOOD.items() if value]
    (copy_of_the_app(tmp_path) / ".env").write_text("".join(lines))

    issuer = issuer_in(tmp_path, AUTH0_DOMAIN="another.eu.auth0.com")

    assert issuer == "https://another.eu.auth0.com/"


@pytest.mark.parametrize("run", ["app", "flask"])
def test_dollar_signs_in_the_env_file_are_read_as_they_are_written(
    tmp_path: Path, run: str
) -> None:
    """The `flask` command reads the file first, and would put variables in their place."""
    written = "'${HOME}/$x ${AUTH0_CLIENT_ID} and $$ of the tests'"
    lines = [f"{name}={value}\n" for name, value in GOOD.items() if value]
    lines.append(f"APP_SECRET_KEY={written}\n")
    (copy_of_the_app(tmp_path) / ".env").write_text("".join(lines))
    what = "print(create_app().extensions['relying_party'].settings.secret_keys[0])"
    scripts = {
        "app": f"from app import create_app; {what}",
        "flask": "from flask.cli import load_dotenv; load_dotenv();"
        f" from app import create_app; {what}",
    }

    done = python(scripts[run], tmp_path)

    assert done.stdout.splitlines()[-1] == written.strip("'")


def test_an_env_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    lines = [f"{name}={value}\n" for name, value in GOOD.items() if value]
    (copy_of_the_app(tmp_path) / ".env").write_text("".join(lines), encoding="utf-8-sig")

    assert issuer_in(tmp_path) == "https://tenant.eu.auth0.com/"


@pytest.mark.parametrize(
    ("encoding", "comment"),
    [("utf-16", "f\u00fcr alle"), ("latin-1", "f\u00fcr alle"), ("utf-16-le", "for all")],
)
def test_an_env_file_that_is_not_utf_8_ends_the_process_with_one_line(
    tmp_path: Path, encoding: str, comment: str
) -> None:
    lines = f"# {comment}\nAUTH0_DOMAIN=tenant.eu.auth0.com\n"
    (copy_of_the_app(tmp_path) / ".env").write_text(lines, encoding=encoding)

    with pytest.raises(subprocess.CalledProcessError) as caught:
        issuer_in(tmp_path)

    assert caught.value.stderr == ".env is not UTF-8 text. Write: the same, saved as UTF-8\n"


# How gunicorn listens.


@pytest.mark.parametrize("name", ["WEB_CONCURRENCY", "THREADS", "PORT"])
@pytest.mark.parametrize("text", ["0", "-1", "two", "\u00b2", "1.5", "99999", '"2"', "9" * 5000])
def test_a_number_of_the_server_that_cannot_be_is_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    with pytest.raises(SystemExit) as refused:
        gunicorn_settings(monkeypatch, **{name: text})

    assert str(refused.value).startswith(f"{name} is not a whole number from 1 to 65535. Write: ")


def test_gunicorn_ends_before_it_listens_where_a_number_cannot_be() -> None:
    code, output, listened = start(SERVERS["gunicorn"], GOOD | {"THREADS": "0"})

    assert (code, listened) == (1, False)
    assert output.startswith("THREADS is not a whole number from 1 to 65535. Write: ")
    assert output.count("\n") == 1


@pytest.mark.parametrize("text", ["-1", "two", '"2"'])
@pytest.mark.parametrize("server", [["gunicorn.conf.py"], SERVERS["flask run"]], ids=str)
def test_a_number_of_workers_that_cannot_be_is_one_line(server: list[str], text: str) -> None:
    code, output, listened = start(server, GOOD | {"WEB_CONCURRENCY": text})

    assert (code, listened) == (1, False)
    assert output.startswith("WEB_CONCURRENCY is ")
    assert output.count("\n") == 1


def test_numbers_of_the_server_that_are_empty_count_as_not_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = gunicorn_settings(monkeypatch, WEB_CONCURRENCY="", THREADS=" ", PORT="")

    assert (settings["workers"], settings["threads"]) == (2, 16)
    assert settings["bind"] == ["127.0.0.1:3000"]


def test_a_container_is_reached_by_ipv6_and_by_ipv4(settings: dict[str, str]) -> None:
    with Gunicorn(settings) as app:
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, app.port), 5).close()


@pytest.mark.parametrize(
    ("ipv6", "bind"),
    [
        ("none", ["0.0.0.0:8080"]),
        ("alone", ["[::]:8080", "0.0.0.0:8080"]),
        ("and IPv4", ["[::]:8080"]),
    ],
)
def test_a_port_is_served_on_every_address_that_the_machine_has(
    monkeypatch: pytest.MonkeyPatch, ipv6: str, bind: list[str]
) -> None:
    class Probe(socket.socket):
        def __init__(self, family: int) -> None:
            if ipv6 == "none":
                raise OSError(errno.EAFNOSUPPORT, "no IPv6 here")
            super().__init__(family)

        def getsockopt(self, level: int, name: int, size: int = 0) -> Any:
            return int(ipv6 == "alone")

    monkeypatch.setattr(socket, "socket", Probe)

    assert gunicorn_settings(monkeypatch, PORT="8080")["bind"] == bind


def gunicorn_settings(monkeypatch: pytest.MonkeyPatch, **env: str) -> dict[str, Any]:
    for name in ("WEB_CONCURRENCY", "THREADS", "PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, text in env.items():
        monkeypatch.setenv(name, text)
    return runpy.run_path(str(ROOT / "gunicorn.conf.py"))


def said_without(setting: str, folder: Path, **env: str) -> list[str]:
    """The lines at a start that lacks a setting."""
    with pytest.raises(subprocess.CalledProcessError) as caught:
        issuer_in(folder, **(GOOD | {setting: ""} | env))
    return str(caught.value.stderr).splitlines()


def test_before_anything_is_configured_the_file_to_begin_with_is_named(tmp_path: Path) -> None:
    folder = copy_of_the_app(tmp_path)
    first = ".env does not exist. Run: cp .env.example .env, and fill it in"

    lines = said_without("AUTH0_DOMAIN", folder)
    in_a_container = said_without("APP_SECRET_KEY", folder)
    (folder / ".env").touch()
    with_the_file = said_without("AUTH0_DOMAIN", folder)

    assert [lines[0], lines[1].split()[0], lines[2:]] == [first, "AUTH0_DOMAIN", []]
    assert [line.split()[0] for line in in_a_container] == ["APP_SECRET_KEY"]
    assert with_the_file == lines[1:]


def test_a_setting_that_is_missing_because_it_is_misspelt_is_found(tmp_path: Path) -> None:
    lines = said_without("AUTH0_CLIENT_ID", copy_of_the_app(tmp_path), AUTH0_CLIENTID="x")

    assert lines[0].startswith("AUTH0_CLIENT_ID is not set.")
    assert lines[1:] == ["Unknown setting AUTH0_CLIENTID; ignored. Meant: AUTH0_CLIENT_ID?"]


def test_a_folder_that_cannot_be_written_ends_the_process_with_one_line(tmp_path: Path) -> None:
    (copy_of_the_app(tmp_path) / "instance").write_text("a file where the folder should be")

    with pytest.raises(subprocess.CalledProcessError) as caught:
        issuer_in(tmp_path, **GOOD)

    assert caught.value.stderr.startswith("The session store sessions.sqlite3 cannot be written")
    assert caught.value.stderr.count("\n") == 1


def test_the_app_starts_while_the_provider_and_redis_are_away(settings: dict[str, str]) -> None:
    away = {
        "AUTH0_DOMAIN": f"http://localhost:{free_port()}/",
        "SESSION_REDIS_URL": f"redis://localhost:{free_port()}/0",
    }

    with Gunicorn({**settings, **away}) as app:
        assert app.is_up()
