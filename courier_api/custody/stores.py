"""Where encrypted evidence lies: a folder, or a bucket of any S3-compatible store; names in, bytes out."""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from obstore.store import S3Config
    from obstore.store import S3Store as Bucket

# Lower case only, for disks that take A and a for the same; at least the four digits that the folders are named by.
_NAME = re.compile(r"[0-9a-f]{8,128}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_FORMS = "/PATH, file:///PATH or s3://BUCKET/PREFIX?endpoint=https://HOST&region=REGION"


class Missing(KeyError):
    """Nothing lies under that name."""


class Unreachable(OSError):
    """The store does not answer, refuses our credentials or has no such bucket."""


class Store(Protocol):
    """Keeps bytes under names, hex or UUIDs in lower case; raises ValueError for others, OSError when it fails."""

    def put(self, name: str, content: bytes) -> None:
        """Keep the content, in place of what lay there; once this returns it outlives a power cut."""

    def get(self, name: str) -> bytes:
        """Return the content; raises Missing."""

    def delete(self, name: str) -> None:
        """Remove it, if it is there."""

    def names(self) -> Iterator[str]:
        """Every name, in no order; what is put or deleted meanwhile may show or not."""


class FolderStore:
    """Files in a folder, which is made when the first is put."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    def put(self, name: str, content: bytes) -> None:
        """Write beside, flush, rename, flush the folder: there is the old, the new or nothing, never a half."""
        place = self._place(name)
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _flush(self.folder.parent)
        for folder in (place.parent.parent, place.parent):
            folder.mkdir(mode=0o700, exist_ok=True)
            _flush(folder.parent)  # also when another has just made it, who may not have come to flush it
        draft = place.parent / f".{name}.{secrets.token_hex(4)}"
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(place)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        _flush(place.parent)

    def get(self, name: str) -> bytes:
        """Read the file."""
        try:
            return self._place(name).read_bytes()
        except FileNotFoundError:
            raise Missing(name) from None

    def delete(self, name: str) -> None:
        """Unlink the file."""
        place = self._place(name)
        with suppress(FileNotFoundError):
            place.unlink(missing_ok=True)
            _flush(place.parent)

    def names(self) -> Iterator[str]:
        """Walk the folders; drafts that a crash left behind are passed over."""
        for folder in (inner for outer in _folders(self.folder) for inner in _folders(outer)):
            for path in _entries(folder):
                if _NAME.fullmatch(path.name):
                    yield path.name

    def _place(self, name: str) -> Path:
        _check(name)
        # By the last digits: the first ones of a UUIDv7 are its time, the same for seven weeks.
        return self.folder / name[-2:] / name[-4:-2] / name


class S3Store:
    """Objects in a bucket; credentials, and endpoint and region where not given, from the usual AWS_* environment.

    Opened at the first call. obstore runs threads, which a fork does not take along: a process that was forked from one
    that has used a store gets a RuntimeError, where it would else wait for ever.
    """

    def __init__(self, bucket: str, prefix: str = "", endpoint: str | None = None, region: str | None = None) -> None:
        self.bucket, self.prefix, self.endpoint, self.region = bucket, prefix, endpoint, region
        self._opened: Bucket | None = None

    def put(self, name: str, content: bytes) -> None:
        """Put the object; it is there when the store has acknowledged it."""
        import obstore

        _check(name)
        with self._told():
            obstore.put(self._open(), name, content)

    def get(self, name: str) -> bytes:
        """Get the object."""
        import obstore

        _check(name)
        try:
            with self._told():
                return bytes(obstore.get(self._open(), name).bytes())
        except FileNotFoundError:
            raise Missing(name) from None

    def delete(self, name: str) -> None:
        """Delete the object."""
        import obstore

        _check(name)
        with suppress(FileNotFoundError), self._told():
            obstore.delete(self._open(), name)

    def names(self) -> Iterator[str]:
        """List the prefix, a thousand at a time; objects whose names are not ours are passed over."""
        import obstore

        with self._told():
            pages = iter(obstore.list(self._open(), chunk_size=1000))
        while True:
            with self._told():
                page = next(pages, None)
            if page is None:
                return
            yield from (entry["path"] for entry in page if _NAME.fullmatch(entry["path"]))

    def _open(self) -> "Bucket":
        _not_forked()
        if self._opened is None:
            from obstore.store import S3Store as Bucket

            config: S3Config = {"disable_bulk_delete": True}  # not every store has it
            if self.endpoint:
                config["endpoint"] = self.endpoint
            if self.region:
                config["region"] = self.region
            self._opened = Bucket(
                self.bucket,
                prefix=self.prefix or None,
                config=config,
                client_options={
                    "allow_http": (self.endpoint or "").startswith("http://"),
                    "connect_timeout": "3s",
                    "timeout": "20s",
                },
                retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
            )
        return self._opened

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tell what went wrong as Unreachable; only an object that is not there stays a FileNotFoundError."""
        from obstore.exceptions import BaseError

        try:
            yield
        except FileNotFoundError as error:
            if "NoSuchBucket" not in str(error):
                raise
            raise Unreachable(f"there is no bucket {self.bucket}") from None
        except BaseError as error:
            raise Unreachable(f"bucket {self.bucket}: {str(error)[:500]}") from error


def open_store(url: str) -> Store:
    """Read an address, a path or as in `_FORMS`; raises ValueError saying what is wrong. Nothing is opened yet."""
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", url):
        if not url or "\0" in url:
            raise ValueError(f"no address of a store; it is {_FORMS}")
        return FolderStore(Path(url))
    parts = urlsplit(url)
    if parts.scheme == "file" and url.startswith("file:///") and len(parts.path) > 1:
        if parts.query or parts.fragment:
            raise ValueError(f"{url}: ? and # in a path are written %3F and %23")
        return FolderStore(Path(unquote(parts.path)))
    if parts.scheme == "s3":
        return _bucket(parts)
    raise ValueError(f"{parts.scheme}: is no address of a store; it is {_FORMS}")


def _bucket(parts: SplitResult) -> S3Store:
    if "@" in parts.netloc:
        raise ValueError(
            "credentials stand in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, not in the address of a store"
        )
    if not _BUCKET.fullmatch(parts.netloc):
        raise ValueError(
            f"s3://{parts.netloc}: a bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens"
        )
    prefix = parts.path.strip("/")
    if (prefix and not _PREFIX.fullmatch(prefix)) or parts.fragment:
        raise ValueError(f"s3://{parts.netloc}{parts.path}: a prefix is made of letters, digits, '.', '_', '-' and '/'")
    options = parse_qsl(parts.query, keep_blank_values=True)
    given = dict(options)
    if len(given) != len(options) or given.keys() - {"endpoint", "region"} or "" in given.values():
        raise ValueError(f"s3://{parts.netloc}?{parts.query}: only endpoint and region may follow, each once")
    endpoint = given.get("endpoint")
    if endpoint is not None:
        host = urlsplit(endpoint)
        if (
            host.scheme not in ("https", "http")
            or not host.hostname
            or "@" in host.netloc
            or host.query
            or host.fragment
        ):
            raise ValueError(f"{endpoint}: an endpoint is https://HOST or https://HOST:PORT")
    return S3Store(parts.netloc, prefix, endpoint, given.get("region"))


def _check(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name[:80]!r} is no name for evidence: hex digits or a UUID, lower case")


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _entries(folder: Path) -> list[Path]:
    """What is in a folder; nothing where there is none."""
    with suppress(FileNotFoundError):
        return list(folder.iterdir())
    return []


def _folders(folder: Path) -> list[Path]:
    return [path for path in _entries(folder) if re.fullmatch("[0-9a-f]{2}", path.name)]


_used_in: set[int] = set()


def _not_forked() -> None:
    _used_in.add(os.getpid())
    if len(_used_in) > 1:
        raise RuntimeError("this process was forked from one that has used an S3 store; use it after the fork only")
