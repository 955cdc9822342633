"""Photos from outside: re-encoded in a process of their own before anything else looks at them."""

import signal
import subprocess
import sys

from courier_api.custody import reencode
from courier_api.errors import Invalid

SECONDS = 20
_CODES = {reencode.UNREADABLE: "image_unreadable", reencode.TOO_LARGE: "image_too_large"}
# Decoders that broke down on hostile bytes, and the address space or the file that they were not given.
_CRASHES = {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGXFSZ, signal.SIGTRAP}


class BadImage(Invalid):
    """A photo that is not taken: image_unreadable, image_too_large (in pixels or bytes) or image_too_slow."""


def clean(content: bytes) -> bytes:
    """Re-encode a JPEG, PNG or WebP of at most 15 MB and 25 megapixels as an upright JPEG without any metadata.

    The longest side is at most 2560 pixels. Takes a process of up to 512 MiB and 20 s for each call; threads may call
    it at once. Raises BadImage, and RuntimeError where the process could not do its work for reasons of ours.
    """
    if len(content) > reencode.MOST_BYTES:
        raise BadImage("image_too_large")
    try:
        # By path and isolated: neither the application nor its environment, and so no secret, is in that process.
        done = subprocess.run(  # noqa: S603 - our own interpreter and file
            [sys.executable, "-I", reencode.__file__],
            input=content,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            cwd="/",
            env={"MALLOC_ARENA_MAX": "1"},  # each arena would take 64 MiB of the address space
        )
    except subprocess.TimeoutExpired:
        raise BadImage("image_too_slow") from None
    if done.returncode == 0 and done.stdout.startswith(b"\xff\xd8"):
        return done.stdout
    if done.returncode in _CODES:
        raise BadImage(_CODES[done.returncode])
    if done.returncode == -signal.SIGXCPU:
        raise BadImage("image_too_slow")
    if -done.returncode in _CRASHES:
        raise BadImage("image_unreadable")
    raise RuntimeError(f"re-encoding ended with {done.returncode}: {done.stderr[-500:].decode(errors='replace')}")
