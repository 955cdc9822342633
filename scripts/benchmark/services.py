"""The product's processes under a small supervisor: what is killed is started again, and all of it can be ended."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PAUSE_S = 0.2  # between the end of a process and its next start
STOP_S = 15


@dataclass(slots=True)
class Service:
    """One process that is kept running; `before` is done ahead of each start."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    before: Callable[[], None] | None = None
    folder: Path | None = None
    starts: int = 0
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def start(self) -> None:
        """Start it."""
        if self.before is not None:
            self.before()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        self.starts += 1

    @property
    def pid(self) -> int | None:
        """Its process while that lives."""
        return self.process.pid if self.process is not None and self.process.poll() is None else None

    def children(self) -> list[int]:
        """The processes that it has started."""
        return children_of(self.pid) if self.pid is not None else []


class Supervisor:
    """Keeps services running until it is told to stop; they are started in the order given, and ended in the other."""

    def __init__(self, services: Sequence[Service]) -> None:
        self.services = {service.name: service for service in services}
        self._stopping = threading.Event()
        self._watchers = [threading.Thread(target=self._keep, args=(s,), daemon=True) for s in services]

    def __getitem__(self, name: str) -> Service:
        return self.services[name]

    def start(self) -> None:
        """Start everything."""
        for service, watcher in zip(self.services.values(), self._watchers, strict=True):
            service.start()
            watcher.start()

    def _keep(self, service: Service) -> None:
        while not self._stopping.is_set():
            assert service.process is not None
            with contextlib.suppress(subprocess.TimeoutExpired):
                service.process.wait(0.1)
                if not self._stopping.wait(PAUSE_S):
                    service.start()

    def stop(self) -> None:
        """End everything, gently at first."""
        self._stopping.set()
        for watcher in self._watchers:
            watcher.join(STOP_S)
        for service in reversed(self.services.values()):
            _end(service)


def _end(service: Service) -> None:
    left = [service.pid, *service.children()] if service.pid else []
    if service.process is not None and service.pid is not None:
        # Of PostgreSQL that is a fast shutdown; of the others a graceful one.
        service.process.send_signal(signal.SIGINT if service.name == "postgres" else signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            service.process.wait(STOP_S)
    for pid in left:
        kill(pid)


def kill(pid: int | None) -> bool:
    """Kill a process outright; False when there was none."""
    if pid is None:
        return False
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def children_of(pid: int) -> list[int]:
    """The processes that a process has started and that live."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [int(child) for child in found]


def working_in(folder: Path) -> Iterator[int]:
    """The processes that work in a folder, as servers do in their data folder."""
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if process.name.isdigit() and (process / "cwd").samefile(folder):
                yield int(process.name)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A PostgreSQL cluster that was made for this run, and may be killed."""

    binaries: Path
    data: Path
    sockets: Path
    user: str

    def service(self, log: Path, settings: Mapping[str, str]) -> Service:
        """Its server in the foreground."""
        command = [str(self.binaries / "postgres"), "-D", str(self.data), "-k", str(self.sockets), "-p", "5432"]
        command += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        if os.geteuid() == 0:
            # PostgreSQL does not run as root.
            command = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--init-groups", *command]
        kept = ("PATH", "LC_ALL", "LANG", "TZ")
        environment = {name: os.environ[name] for name in kept if name in os.environ} | {"HOME": "/"}
        return Service("postgres", command, environment, log, self._forget_the_dead, folder=Path("/"))

    def _forget_the_dead(self) -> None:
        """After a kill -9 its children are still leaving, and its file of the process id stays."""
        end = time.monotonic() + STOP_S
        while any(True for _ in working_in(self.data)) and time.monotonic() < end:
            time.sleep(0.05)
        (self.data / "postmaster.pid").unlink(missing_ok=True)
