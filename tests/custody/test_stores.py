"""Evidence put into a folder or a bucket comes out as it went in, or is plainly not there."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from uuid6 import uuid7

from courier_api.custody.stores import FolderStore, Missing, S3Store, Store, Unreachable, open_store

BUCKET = "evidence"


@dataclass(frozen=True)
class Service:
    """A running S3 and who may use it."""

    url: str
    key: str
    secret: str


@pytest.fixture(scope="module")
def s3() -> Iterator[Service]:
    """moto's server, which checks signatures once it has been set up."""
    import boto3

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    set_up = 4  # the calls below: from the next one on each is checked
    server = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        env={**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(set_up)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, server)
        access = {
            "endpoint_url": f"http://127.0.0.1:{port}",
            "region_name": "us-east-1",
            "aws_access_key_id": "nobody",
            "aws_secret_access_key": "nothing",
        }
        allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        iam = boto3.client("iam", **access)
        iam.create_user(UserName="post")
        iam.put_user_policy(
            UserName="post",
            PolicyName="all",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
        )
        key = iam.create_access_key(UserName="post")["AccessKey"]
        boto3.client("s3", **access).create_bucket(Bucket=BUCKET)
        yield Service(f"http://127.0.0.1:{port}", key["AccessKeyId"], key["SecretAccessKey"])
    finally:
        server.terminate()
        server.wait(10)


def _wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        assert server.poll() is None, "moto did not start: is moto[s3] with flask-cors installed?"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("moto does not answer")


@pytest.fixture
def in_bucket(s3: Service, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store in the bucket, under a prefix of its own."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret)
    return open_store(f"s3://{BUCKET}/proofs/{uuid4().hex}?endpoint={s3.url}&region=us-east-1")


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Each kind in turn."""
    if request.param == "folder":
        return open_store(f"file://{tmp_path}/evidence")
    found: Store = request.getfixturevalue("in_bucket")
    return found


def test_what_is_put_comes_out(store: Store) -> None:
    kept = {str(uuid7()): b"", str(uuid4()): b"\x00\xff" * 3000, uuid4().hex: b"hex", "ab" * 32: b"a digest"}
    assert list(store.names()) == []
    for name, content in kept.items():
        store.put(name, content)
    assert {name: store.get(name) for name in kept} == kept
    assert sorted(store.names()) == sorted(kept)


def test_the_last_put_stands(store: Store) -> None:
    name = str(uuid7())
    for content in (b"first and longer", b"second"):
        store.put(name, content)
    assert store.get(name) == b"second"
    assert list(store.names()) == [name]


def test_what_is_deleted_is_missing_however_often(store: Store) -> None:
    name = str(uuid7())
    store.delete(name)
    store.put(name, b"erase me")
    store.delete(name)
    store.delete(name)
    with pytest.raises(Missing) as missing:
        store.get(name)
    assert missing.value.args == (name,)
    assert list(store.names()) == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x",
        "../../etc/passwd",
        "..",
        "/abcdef12",
        "abcdef12/..",
        "ABCDEF12",
        "abc",
        "abcdef12\n",
        "abcdef1g",
        "a" * 129,
        "abcdef12\0",
        ".abcdef12",
        "abcdef12-",
        str(UUID(int=0xA)).upper(),
        "{" + str(UUID(int=1)) + "}",
        "éabcdef12",
    ],
)
def test_other_names_are_refused(store: Store, name: str, tmp_path: Path) -> None:
    for call in (lambda: store.put(name, b"x"), lambda: store.get(name), lambda: store.delete(name)):
        with pytest.raises(ValueError, match="no name for evidence"):
            call()
    assert list(tmp_path.rglob("*")) == []


def test_many_threads_at_once(store: Store) -> None:
    names = [str(uuid7()) for _ in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: store.put(name, name.encode()), names))
        list(pool.map(lambda content: store.put("ab" * 8, content), [b"x" * 9000, b"y" * 9000] * 10))
        assert list(pool.map(store.get, names)) == [name.encode() for name in names]
    assert store.get("ab" * 8) in (b"x" * 9000, b"y" * 9000)
    assert sorted(store.names()) == sorted([*names, "ab" * 8])


def test_only_the_owner_sees_a_folder_and_its_files(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "evidence")
    store.put("0123456789abcdef", b"x")
    made = list((tmp_path).rglob("*"))
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(made)][-1] == "evidence/ef/cd/0123456789abcdef"
    for path in made:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_names_made_in_the_same_minute_are_spread(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    for _ in range(50):
        store.put(str(uuid7()), b"")
    assert len(list(tmp_path.iterdir())) > 25


@pytest.mark.parametrize("before", [None, b"the old"])
def test_a_crash_before_the_rename_leaves_what_was(tmp_path: Path, before: bytes | None) -> None:
    name = str(uuid7())
    store = FolderStore(tmp_path)
    if before is not None:
        store.put(name, before)
    script = f"""
        import os, signal
        from pathlib import Path
        from courier_api.custody.stores import FolderStore
        Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        FolderStore(Path({str(tmp_path)!r})).put({name!r}, b"the new")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert done.returncode == -signal.SIGKILL
    drafts = [path for path in tmp_path.rglob(".*") if path.is_file()]
    assert [path.read_bytes() for path in drafts] == [b"the new"]
    assert list(store.names()) == ([name] if before else [])
    if before is None:
        with pytest.raises(Missing):
            store.get(name)
    else:
        assert store.get(name) == before
    store.put(name, b"the new")
    assert store.get(name) == b"the new"


def test_a_put_that_fails_leaves_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Path, __: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        FolderStore(tmp_path).put("abcdef12", b"x")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_file_then_rename_then_folder_are_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []
    flush, rename = os.fsync, Path.replace

    def fsync(handle: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        flush(handle)

    def replace(self: Path, to: Path) -> Path:
        steps.append("rename")
        return rename(self, to)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    FolderStore(tmp_path).put("abcdef12", b"x")
    assert steps[-3:] == ["file", "rename", "folder"]
    assert steps[:-3] == ["folder"] * 2


def test_a_folder_that_cannot_be_listed_is_not_taken_for_empty(tmp_path: Path) -> None:
    (tmp_path / "ab").write_text("a file where a folder should be")
    with pytest.raises(NotADirectoryError):
        list(FolderStore(tmp_path).names())


def test_foreign_files_are_passed_over(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put("abcdef12", b"x")
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "12" / "ef" / "README.txt").write_text("x")
    assert list(store.names()) == ["abcdef12"]


def test_a_wrong_secret_is_refused(s3: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret[::-1])
    store = S3Store(BUCKET, endpoint=s3.url, region="us-east-1")
    for call in (lambda: store.put("abcdef12", b"x"), lambda: store.get("abcdef12"), lambda: list(store.names())):
        with pytest.raises(Unreachable, match=BUCKET):
            call()


def test_a_bucket_that_is_not_there_is_not_an_object_that_is_not_there(s3: Service, in_bucket: Store) -> None:
    store = S3Store("no-such-bucket", endpoint=s3.url, region="us-east-1")
    with pytest.raises(Unreachable, match="no bucket"):
        store.get("abcdef12")
    with pytest.raises(Unreachable, match="no bucket"):
        store.put("abcdef12", b"x")
    with pytest.raises(Unreachable):
        store.delete("abcdef12")
    with pytest.raises(Unreachable):
        list(store.names())


def test_a_store_that_is_down_says_so_soon(in_bucket: Store) -> None:
    started = time.monotonic()
    with pytest.raises(Unreachable):
        S3Store(BUCKET, endpoint="http://127.0.0.1:9", region="us-east-1").get("abcdef12")
    assert time.monotonic() - started < 20


def test_a_prefix_sees_only_its_own(s3: Service, in_bucket: Store) -> None:
    name = str(uuid7())
    in_bucket.put(name, b"x")
    assert isinstance(in_bucket, S3Store)
    whole = S3Store(BUCKET, endpoint=s3.url, region="us-east-1")
    assert name not in list(whole.names())
    with pytest.raises(Missing):
        S3Store(BUCKET, in_bucket.prefix[:-1], s3.url, "us-east-1").get(name)


def test_more_names_than_one_page(in_bucket: Store) -> None:
    names = sorted(uuid4().hex for _ in range(1005))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: in_bucket.put(name, b""), names))
    assert sorted(in_bucket.names()) == names


def test_after_a_fork_a_bucket_works_or_says_why_not(s3: Service, in_bucket: Store) -> None:
    assert isinstance(in_bucket, S3Store)
    script = f"""
        import os, warnings
        from courier_api.custody.stores import S3Store
        warnings.simplefilter("ignore")
        store = S3Store({BUCKET!r}, {in_bucket.prefix!r}, {s3.url!r}, "us-east-1")
        def child():
            if pid := os.fork():
                return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            try:
                store.put("abcdef12", b"child")
                os._exit(0)
            except RuntimeError:
                os._exit(7)
        print(child(), end=" ")
        store.put("abcdef12", b"parent")
        print(child())
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, timeout=60, check=True)
    assert done.stdout.split() == [b"0", b"7"]


def test_nothing_is_opened_by_an_import() -> None:
    script = "import sys, courier_api.custody.stores as s; s.open_store('s3://abc'); print('obstore' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout == b"False\n"


def test_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for url, folder in {
        "/var/lib/evidence": "/var/lib/evidence",
        ".local/evidence": f"{tmp_path}/.local/evidence",
        "file:///var/b%C6%B0u%20t%C3%A1": "/var/bưu tá",
    }.items():
        store = open_store(url)
        assert isinstance(store, FolderStore)
        assert store.folder == Path(folder)
    assert list(tmp_path.iterdir()) == []
    bucket = open_store("s3://post.evidence-1/a/b_c/?endpoint=https://s3.example.vn:9000&region=vn-1")
    assert isinstance(bucket, S3Store)
    assert (bucket.bucket, bucket.prefix) == ("post.evidence-1", "a/b_c")
    assert (bucket.endpoint, bucket.region) == ("https://s3.example.vn:9000", "vn-1")
    bare = open_store("s3://evidence")
    assert isinstance(bare, S3Store)
    assert (bare.prefix, bare.endpoint, bare.region) == ("", None, None)


@pytest.mark.parametrize(
    ("url", "why"),
    {
        "": "no address",
        "a\0b": "no address",
        "ftp://host/x": "ftp: is no address",
        "https://s3.example.vn/bucket": "https: is no address",
        "s3:bucket": "bucket's name",
        "s3://": "bucket's name",
        "s3:///prefix": "bucket's name",
        "s3://Bucket": "bucket's name",
        "s3://a": "bucket's name",
        "s3://bucket:9000/x": "bucket's name",
        "s3://key:secret@bucket/x": "AWS_ACCESS_KEY_ID",
        "s3://bucket/../x": "prefix",
        "s3://bucket/a//b": "prefix",
        "s3://bucket/a b": "prefix",
        "s3://bucket/a#b": "prefix",
        "s3://bucket?endpoint=s3.example.vn": "endpoint is https",
        "s3://bucket?endpoint=ftp://s3.example.vn": "endpoint is https",
        "s3://bucket?endpoint=https://": "endpoint is https",
        "s3://bucket?endpoint=": "only endpoint and region",
        "s3://bucket?region=a&region=b": "only endpoint and region",
        "s3://bucket?secret=x": "only endpoint and region",
        "file://host/x": "file: is no address",
        "file:x": "file: is no address",
        "file:///": "file: is no address",
        "file:///a?b": "%3F",
    }.items(),
)
def test_wrong_addresses_say_what_is_wrong(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as wrong:
        open_store(url)
    assert "secret@" not in str(wrong.value)


def test_no_http_framework_and_no_database() -> None:
    script = """
        import sys
        from courier_api.custody import images, sealing, stores
        print(sys.modules.keys() & {"flask", "werkzeug", "sqlalchemy", "PIL"})
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, check=True)
    assert done.stdout == b"set()\n"
