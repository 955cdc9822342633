"""Sealed evidence opens with its own key, in its own row, unchanged; and in no other way."""

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from courier_api.custody.sealing import FILE, MasterKeys, Sealed, Tampered, UnknownKey, rewrap, seal, unseal

ROW, OTHER = b"0190c0de photo", b"0190c0df photo"


@pytest.fixture
def keys(tmp_path: Path) -> MasterKeys:
    """A new ring."""
    return MasterKeys.make(tmp_path)


@pytest.mark.parametrize("content", [b"", b"x", bytes(range(256)) * 20])
def test_what_is_sealed_is_read_again_and_not_seen_meanwhile(keys: MasterKeys, content: bytes) -> None:
    sealed = seal(keys, content, ROW)
    assert unseal(keys, sealed, ROW) == content
    assert len(content) < 16 or content not in sealed.content
    assert sealed.key_id == keys.newest


def test_the_same_content_never_looks_the_same(keys: MasterKeys) -> None:
    first, second = seal(keys, b"same", ROW), seal(keys, b"same", ROW)
    assert first.content != second.content
    assert first.wrapped_key != second.wrapped_key


def test_rows_cannot_be_swapped(keys: MasterKeys) -> None:
    one, two = seal(keys, b"one", ROW), seal(keys, b"two", OTHER)
    for wrong in (two, replace(one, content=two.content), replace(one, wrapped_key=two.wrapped_key)):
        with pytest.raises(Tampered):
            unseal(keys, wrong, ROW)


@pytest.mark.parametrize("part", ["content", "wrapped_key"])
def test_every_byte_and_the_length_count(keys: MasterKeys, part: str) -> None:
    sealed = seal(keys, b"a signature by hand", ROW)
    whole: bytes = getattr(sealed, part)
    changed = [bytes(b ^ (1 << at % 8) if i == at else b for i, b in enumerate(whole)) for at in range(len(whole))]
    changed += [whole[:n] for n in range(len(whole))] + [whole + b"\0"]
    for wrong in changed:
        with pytest.raises(Tampered):
            unseal(keys, replace(sealed, **{part: wrong}), ROW)


def test_without_its_wrapped_key_a_content_is_gone(keys: MasterKeys) -> None:
    with pytest.raises(Tampered):
        unseal(keys, replace(seal(keys, b"gone", ROW), wrapped_key=b""), ROW)


def test_another_ring_does_not_open_it(keys: MasterKeys, tmp_path: Path) -> None:
    sealed = seal(keys, b"mine", ROW)
    other = MasterKeys.make(tmp_path / "other")
    with pytest.raises(UnknownKey, match=keys.newest):
        unseal(other, sealed, ROW)
    with pytest.raises(UnknownKey):
        rewrap(other, sealed)
    with pytest.raises(Tampered):  # another key under the same id
        unseal(MasterKeys({keys.newest: other.keys[other.newest]}), sealed, ROW)


def test_the_id_of_the_master_key_counts(keys: MasterKeys) -> None:
    sealed = seal(keys, b"mine", ROW)
    twice = MasterKeys({**keys.keys, "twin": keys.keys[keys.newest]})
    with pytest.raises(Tampered):
        unseal(twice, replace(sealed, key_id="twin"), ROW)


def test_after_a_rotation_the_old_opens_and_the_new_seals(keys: MasterKeys, tmp_path: Path) -> None:
    old = seal(keys, b"old", ROW)
    ring = MasterKeys.rotate(tmp_path)
    assert list(ring.keys)[:-1] == list(keys.keys)
    assert ring.newest not in keys.keys
    assert unseal(ring, old, ROW) == b"old"
    assert seal(ring, b"new", ROW).key_id == ring.newest
    assert MasterKeys.read(tmp_path) == ring


def test_rewrapping_leaves_the_content_as_it_is(keys: MasterKeys, tmp_path: Path) -> None:
    old = seal(keys, b"old", ROW)
    ring = MasterKeys.rotate(tmp_path)
    new = rewrap(ring, old)
    assert new.content == old.content
    assert new.key_id == ring.newest
    only_new = MasterKeys({ring.newest: ring.keys[ring.newest]})
    assert unseal(only_new, new, ROW) == b"old"
    assert rewrap(ring, new) == new
    with pytest.raises(Tampered):
        rewrap(ring, replace(old, wrapped_key=old.wrapped_key[:-1] + b"\0\0"))


def test_a_ring_is_never_overwritten(keys: MasterKeys, tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        MasterKeys.make(tmp_path)
    assert MasterKeys.read(tmp_path) == keys
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_only_the_owner_reads_the_file(keys: MasterKeys, tmp_path: Path) -> None:
    for _ in range(2):
        assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
        MasterKeys.rotate(tmp_path)


def test_no_rotation_is_lost(keys: MasterKeys, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = {ring.newest for ring in pool.map(MasterKeys.rotate, [tmp_path] * 12)}
    assert made <= MasterKeys.read(tmp_path).keys.keys()
    assert len(MasterKeys.read(tmp_path).keys) == 13


def test_comments_and_a_missing_last_newline_survive_a_rotation(tmp_path: Path) -> None:
    text = f"# ours\n\n  a.b:{base64.b64encode(b'k' * 32).decode()}  \n# the end"
    (tmp_path / FILE).write_text(text)
    assert MasterKeys.read(tmp_path).keys == {"a.b": b"k" * 32}
    MasterKeys.rotate(tmp_path)
    assert (tmp_path / FILE).read_text().startswith(text + "\n")
    assert len(MasterKeys.read(tmp_path).keys) == 2


GOOD = base64.b64encode(b"k" * 32).decode()


@pytest.mark.parametrize(
    "line", ["a", "a:", f":{GOOD}", f"a b:{GOOD}", f"a:{GOOD[:-4]}", f"a:{GOOD}!", f"ok:{GOOD}", f"a:{GOOD}:b"]
)
def test_a_wrong_line_is_named_and_not_shown(tmp_path: Path, line: str) -> None:
    (tmp_path / FILE).write_text(f"ok:{GOOD}\n{line}\n")
    with pytest.raises(RuntimeError, match="line 2") as wrong:
        MasterKeys.read(tmp_path)
    assert GOOD[:8] not in str(wrong.value)


def test_no_ring_says_so(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no master keys"):
        MasterKeys.read(tmp_path)
    (tmp_path / FILE).write_text("# nothing\n")
    with pytest.raises(RuntimeError, match="no master keys"):
        MasterKeys.read(tmp_path)
    (tmp_path / FILE).write_bytes(b"\xff")
    with pytest.raises(RuntimeError, match="ASCII"):
        MasterKeys.read(tmp_path)


def test_a_ring_does_not_print_its_keys(keys: MasterKeys) -> None:
    assert repr(keys.keys[keys.newest]) not in repr(keys)
    assert "keys=" not in f"{keys}"


def test_a_sealed_row_says_all_it_needs(keys: MasterKeys) -> None:
    sealed = seal(keys, b"stored apart", ROW)
    assert unseal(keys, Sealed(sealed.key_id, sealed.wrapped_key, sealed.content), ROW) == b"stored apart"
    assert len(sealed.wrapped_key) == 60
    assert len(sealed.content) == len(b"stored apart") + 28
