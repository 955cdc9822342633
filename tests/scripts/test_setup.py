"""The set-up scripts, run for real in copies of the checkout: finding Python, installing, services and their end."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Checkout:
    """A copy of the scripts in a folder of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(ROOT / "scripts" / "lib", root / "scripts" / "lib")
        shutil.copy(ROOT / "scripts" / "services", root / "scripts" / "services")
        self.home = root / "home"
        self.home.mkdir()
        self.runners: list[subprocess.Popen[str]] = []

    def environment(self, **more: str) -> dict[str, str]:
        kept = {key: os.environ[key] for key in ("PATH", "TMPDIR", "COURIER_RUN") if key in os.environ}
        return {**kept, "HOME": str(self.home), **more}

    def shell(self, line: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a line of bash after the library was read."""
        return subprocess.run(
            ["bash", "-c", f'. "$0"/scripts/lib/setup.sh; {line}', str(self.root)],
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=60,
        )

    def start(self, *command: str, output: int | None = None, **environment: str) -> subprocess.Popen[str]:
        """Start a command with services."""
        runner = subprocess.Popen(
            [self.root / "scripts" / "services", "run", "--", *command],
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if output is None else output,
            stderr=subprocess.DEVNULL if output is None else output,
            text=True,
        )
        self.runners.append(runner)
        return runner

    def run(self, *command: str, **environment: str) -> str:
        """Run a command with services and give its output."""
        runner = self.start(*command, output=subprocess.PIPE, **environment)
        output, messages = runner.communicate(timeout=60)
        assert runner.returncode == 0, output + messages
        return output

    def sql(self, statement: str) -> str:
        return self.run("bash", "-c", f'psql -XAtq "${{DATABASE_URL/+psycopg2/}}" -c "{statement}"').strip()

    def servers(self) -> list[int]:
        """List the servers that work in this checkout's data folders."""
        folders = [(self.root / ".local" / name).resolve() for name in ("postgres/data", "redis")]
        return [pid for pid in pids() if working_folder(pid) in folders]

    def leaders(self) -> set[int]:
        """Those of the servers that no other one started: PostgreSQL's own helpers come and go."""
        servers = self.servers()
        return {pid for pid in servers if (up := parent(pid)) is not None and up not in servers}

    def end(self) -> None:
        while self.runners:
            runner = self.runners.pop()
            runner.terminate()
            runner.wait(60)

    def remove(self) -> None:
        self.end()
        data = (self.root / ".local" / "postgres").resolve()
        shutil.rmtree(data, ignore_errors=True)
        shutil.rmtree(self.root)
        if data.parent.name == "courier-checkouts" and not any(data.parent.iterdir()):
            data.parent.rmdir()


def pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def working_folder(pid: int) -> Path | None:
    try:
        return Path(f"/proc/{pid}/cwd").resolve(strict=True)
    except OSError:
        return None


def parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def called(name: str) -> list[int]:
    """List the live processes that go by this name."""
    found = []
    for pid in pids():
        try:
            if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(name.encode() + b"\0"):
                found.append(pid)
        except OSError:
            continue
    return found


def eventually(holds: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def program(path: Path, body: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


@pytest.fixture(scope="module")
def checkout() -> Iterator[Checkout]:
    """A short path that every user may enter: sockets and data lie inside."""
    folder = Path(tempfile.mkdtemp(prefix="checkout-", dir="/tmp"))
    folder.chmod(0o755)
    copy = Checkout(folder / "one")
    yield copy
    copy.remove()
    folder.rmdir()


@pytest.fixture(scope="module")
def awkward() -> Iterator[Checkout]:
    """A long path with spaces and an accent, below a folder that only its owner may enter."""
    folder = Path(tempfile.mkdtemp(prefix="checkout-", dir="/tmp"))
    copy = Checkout(folder / "Hưng Yên" / ("a long way down " * 8).strip() / "it's here")
    yield copy
    copy.remove()
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def _nothing_left_running(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that fails leaves no run to the next one."""
    used = [request.getfixturevalue(place) for place in {"checkout", "awkward"} & set(request.fixturenames)]
    yield
    for place in used:
        place.end()


@pytest.fixture
def pythons(tmp_path: Path) -> Path:
    """A folder for PATH where every name of Python, and uv, is too old or fails."""
    for name in ("python3.12", "python3.13", "python3.14", "python3", "python", "uv"):
        program(tmp_path / "bin" / name, "exit 1")
    return tmp_path / "bin"


def find(checkout: Checkout, pythons: Path) -> subprocess.CompletedProcess[str]:
    return checkout.shell(
        'find_python; echo "$python"',
        PATH=f"{pythons}:{os.environ['PATH']}",
        PYENV_ROOT=str(pythons.parent / "pyenv"),
    )


@pytest.mark.parametrize("name", ["python3.12", "python3.14", "python3", "python"])
def test_takes_any_python_on_path_that_is_new_enough(checkout: Checkout, pythons: Path, name: str) -> None:
    program(pythons / name, 'echo "$0"')
    assert find(checkout, pythons).stdout.strip() == str(pythons / name)


def test_prefers_a_known_version_to_whatever_python3_is(checkout: Checkout, pythons: Path) -> None:
    program(pythons / "python3", 'echo "$0"')
    program(pythons / "python3.13", 'echo "$0"')
    assert find(checkout, pythons).stdout.strip() == str(pythons / "python3.13")


def test_finds_pyenv_versions(checkout: Checkout, pythons: Path) -> None:
    versions = pythons.parent / "pyenv" / "versions"
    program(versions / "3.11.9" / "bin" / "python3", "exit 1")
    program(versions / "3.13.1" / "bin" / "python3", 'echo "$0"')
    assert find(checkout, pythons).stdout.strip() == str(versions / "3.13.1" / "bin" / "python3")


def test_lets_uv_fetch_a_python(checkout: Checkout, pythons: Path) -> None:
    program(pythons.parent / "fetched", 'echo "$0"')
    program(pythons / "uv", f'test "$2" = install || echo {pythons.parent / "fetched"}')
    assert find(checkout, pythons).stdout.strip() == str(pythons.parent / "fetched")


def test_says_what_to_install_when_every_python_is_too_old(checkout: Checkout, pythons: Path) -> None:
    found = find(checkout, pythons)
    assert found.returncode == 1
    assert "no Python 3.12 or newer" in found.stderr
    assert "uv python install 3.12" in found.stderr


def test_the_real_version_check(checkout: Checkout) -> None:
    found = checkout.shell(f'usable_python "{sys.executable}"')
    assert Path(found.stdout.strip()).exists()


def test_a_broken_installation_is_redone_and_a_finished_one_left_alone(checkout: Checkout, tmp_path: Path) -> None:
    (checkout.root / "requirements.txt").write_text("one==1\n")
    calls = tmp_path / "calls"
    pip = f'case "$*" in *"pip install"*) echo call >>{calls}; test -e {tmp_path}/network;; *) echo ok;; esac'
    program(checkout.root / ".venv" / "bin" / "python", pip)
    install = "set_up_python runtime"

    broken = checkout.shell(install)
    assert broken.returncode == 1
    assert "pip" in broken.stderr
    assert "Check the network" in broken.stderr
    (tmp_path / "network").touch()
    assert checkout.shell(install).returncode == 0
    assert checkout.shell(install).returncode == 0
    assert calls.read_text().count("call") == 2
    (checkout.root / "requirements.txt").write_text("one==2\n")
    assert checkout.shell(install).returncode == 0
    assert calls.read_text().count("call") == 3
    shutil.rmtree(checkout.root / ".venv")


def test_a_failed_step_shows_its_log_and_the_advice(checkout: Checkout) -> None:
    failed = checkout.shell('step baking "Buy flour." bash -c "echo no flour; exit 7"')
    assert failed.returncode == 1
    assert "no flour" in failed.stderr
    assert "baking (exit code 7)" in failed.stderr
    assert ".local/log/baking.log" in failed.stderr
    assert "Buy flour." in failed.stderr


def test_a_command_stops_when_what_it_needs_ends(checkout: Checkout) -> None:
    stopped = checkout.shell("launch bash -c 'sleep 0.2; exit 9'; run sleep 30; echo never")
    assert stopped.returncode == 1
    assert stopped.stdout == ""
    assert "exit 9 ended by itself with code 9" in stopped.stderr


@pytest.mark.parametrize("home", ["", "/nonexistent", "/etc/passwd"])
def test_a_useless_home_is_replaced(checkout: Checkout, home: str) -> None:
    assert checkout.shell("echo $HOME", HOME=home).stdout.strip() == str(checkout.root / ".local" / "home")


def test_an_empty_environment_will_do(checkout: Checkout) -> None:
    line = ["env", "-i", shutil.which("bash") or "bash", "-c", f". {checkout.root}/scripts/lib/setup.sh; echo $PATH"]
    assert "/usr/bin" in subprocess.run(line, capture_output=True, text=True, check=True).stdout


def test_takes_the_first_free_port_and_refuses_a_taken_one(checkout: Checkout) -> None:
    (checkout.root / ".venv" / "bin").mkdir(parents=True)
    (checkout.root / ".venv" / "bin" / "python").symlink_to(sys.executable)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = checkout.shell("choose_port", PORT=str(port))
        chosen = checkout.shell("choose_port; echo $address").stdout.strip()
    shutil.rmtree(checkout.root / ".venv")
    assert refused.returncode == 1
    assert f"port {port} on 127.0.0.1 cannot be had" in refused.stderr
    with socket.create_server(("127.0.0.1", int(chosen.removeprefix("127.0.0.1:")))):
        pass


def test_given_services_are_used_and_none_started(checkout: Checkout) -> None:
    given = {"DATABASE_URL": "postgresql://elsewhere/a", "REDIS_URL": "redis://elsewhere/1"}
    output = checkout.run("bash", "-c", 'echo "$DATABASE_URL $REDIS_URL"', **given)
    assert output.strip() == "postgresql://elsewhere/a redis://elsewhere/1"
    assert not checkout.servers()


@pytest.mark.parametrize("place", ["checkout", "awkward"])
def test_services_start_keep_data_and_leave_nothing(place: str, request: pytest.FixtureRequest) -> None:
    here: Checkout = request.getfixturevalue(place)
    ask = "SELECT answer, current_setting('synchronous_commit'), rolsuper, datcollate, pg_encoding_to_char(encoding)"
    there = "FROM kept, pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()"
    assert here.sql("CREATE TABLE kept AS SELECT 42 AS answer, ST_Point(1, 2)") == ""
    assert not here.servers()
    assert here.sql(f"{ask} {there}") == "42|on|f|C.UTF-8|UTF8"
    assert not here.servers()


def test_redis_keeps_what_it_is_given(checkout: Checkout) -> None:
    socket_path = """$(echo "$REDIS_URL" | sed 's,unix://,,; s,?.*,,')"""
    line = f'ask="redis-cli -s {socket_path} config get"; $ask "append*"; $ask maxmemory-policy'
    said = checkout.run("bash", "-c", line).split()
    settings = dict(zip(said[::2], said[1::2], strict=True))
    assert settings["appendonly"] == "yes"
    assert settings["appendfsync"] == "everysec"
    assert settings["maxmemory-policy"] == "noeviction"


def test_the_exit_code_and_the_folder_are_the_commands_own(checkout: Checkout, tmp_path: Path) -> None:
    line = [checkout.root / "scripts" / "services", "run", "--", "bash", "-c", "pwd; exit 7"]
    ran = subprocess.run(line, env=checkout.environment(), cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout.strip()) == (7, str(tmp_path))


def test_two_runs_of_one_checkout_share_and_the_last_one_stops(checkout: Checkout, tmp_path: Path) -> None:
    first = checkout.start("bash", "-c", f"touch {tmp_path}/up; until test -e {tmp_path}/go; do sleep 0.05; done")
    eventually((tmp_path / "up").exists)
    servers = checkout.leaders()
    assert len(servers) == 2
    assert checkout.sql("SELECT 1") == "1"
    assert checkout.leaders() == servers, "the second run stopped what the first one uses"
    (tmp_path / "go").touch()
    assert first.wait(30) == 0
    assert not checkout.servers()


def test_two_checkouts_do_not_disturb_each_other(checkout: Checkout, awkward: Checkout, tmp_path: Path) -> None:
    first = checkout.start("bash", "-c", f"until test -e {tmp_path}/go; do sleep 0.05; done")
    eventually(checkout.servers)
    assert awkward.sql("SELECT 1") == "1"
    assert not awkward.servers()
    assert checkout.servers()
    (tmp_path / "go").touch()
    assert first.wait(30) == 0


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_stopped_run_leaves_no_process(checkout: Checkout, name: str) -> None:
    label = f"left-by-{name}-{os.getpid()}"
    stubborn = f"trap '' TERM INT HUP; setsid bash -c 'exec -a {label} sleep 300' & sleep 300 & wait; wait"
    runner = checkout.start("bash", "-c", stubborn, STOP_SECONDS="1")
    eventually(lambda: called(label) and checkout.servers())
    runner.send_signal(signal.Signals[name])
    assert runner.wait(40) == 128 + signal.Signals[name]
    assert not checkout.servers()
    assert not called(label)


def test_the_next_run_tidies_up_after_one_that_was_killed(checkout: Checkout) -> None:
    label = f"orphan-{os.getpid()}"
    runner = checkout.start("bash", "-c", f"exec -a {label} sleep 300")
    eventually(lambda: called(label))
    runner.kill()
    runner.wait()
    assert called(label)
    assert checkout.servers()
    assert checkout.sql("SELECT 1") == "1"
    assert not called(label)
    assert not checkout.servers()


def test_recovers_from_a_power_cut_even_when_the_old_pid_is_anothers(checkout: Checkout) -> None:
    runner = checkout.start("sleep", "300")
    eventually(lambda: len(checkout.servers()) > 3)
    pid_file = checkout.root / ".local" / "postgres" / "data" / "postmaster.pid"
    eventually(pid_file.exists)
    eventually(lambda: "ready" in pid_file.read_text())
    old = pid_file.read_text()
    for pid in [runner.pid, *checkout.servers()]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    runner.wait()
    eventually(lambda: not checkout.servers())
    pid_file.write_text(f"{os.getpid()}\n{old.partition(chr(10))[2]}")
    assert checkout.sql("SELECT 1") == "1"


def test_the_test_database_is_beside_the_named_one(checkout: Checkout) -> None:
    make = f'"{sys.executable}" "{ROOT}/scripts/lib/database.py" create "$DATABASE_URL"'
    ask = "psql -XAtq \"${url/+psycopg2/}\" -c 'SELECT current_database(), count(*) FROM pg_extension'"
    line = f'url=$({make}) && {ask} && url=$({make}) && url=$DATABASE_URL && {ask} && echo "$url" | wc -l'
    checkout.sql("CREATE TABLE IF NOT EXISTS precious (id int)")
    lines = checkout.run("bash", "-c", line).split()
    assert lines[:2] == ["courier_test|6", "courier|6"]
    assert checkout.sql("SELECT count(*) FROM precious") == "0"


def test_web_libraries_are_pinned_and_their_lock_names_no_registry() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())["dependencies"]
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert all(locked[f"node_modules/{name}"]["version"] == version for name, version in wanted.items())
    assert all("resolved" not in package for package in locked.values())
    assert all("integrity" in package for path, package in locked.items() if path)
