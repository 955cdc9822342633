"""Checks the chain of one device: its counters run 1, 2, 3 ..., each event names the one before it."""

from collections.abc import Sequence
from dataclasses import dataclass

from courier_api.custody import events
from courier_api.custody.audit.known import KnownDevice
from courier_api.custody.audit.reading import Read
from courier_api.custody.audit.report import Report
from courier_api.custody.audit.rows import Row


@dataclass(slots=True)
class Chain:
    """How far the chain of a device was followed."""

    kid: str
    device: KnownDevice | None
    skips: Sequence[tuple[int, int]] = ()
    counter: int = 0
    digest: bytes = events.NO_EVENT

    def follow(self, row: Row, digest: bytes, read: Read | None, report: Report) -> None:
        """Take the next event; `read` is missing for what makes no sense, which has its place all the same."""
        if row.counter is None:
            return  # it stands beside the chain
        due = self.counter + 1
        if row.counter > due and self._skipped(due, row.counter):
            pass  # what a dispatcher decided to go on without is not there to be followed on
        elif row.counter != due:
            report.find("counter_gap", "ledger_entry", row.id, kid=self.kid, counter=due, found=row.counter)
        elif read is not None and read.previous != self.digest.hex():
            report.find("chain_broken", "ledger_entry", row.id, kid=self.kid, counter=row.counter)
        self.counter, self.digest = row.counter, digest

    def _skipped(self, first: int, next_: int) -> bool:
        """Whether it was decided to go on without all of these."""
        return all(any(after < n < before for after, before in self.skips) for n in range(first, next_))

    def end(self, report: Report) -> None:
        """Compare with where the device's row says that it stands."""
        device = self.device
        if device is not None and (device.last_counter, device.last_digest) != (self.counter, self.digest):
            report.find("device_counter_differs", "device", self.kid, counter=self.counter, stored=device.last_counter)
