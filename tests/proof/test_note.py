"""Signed notes, checkpoints and cosignatures: notes that others signed, round trips, and everything out of form."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from courier_api.proof.note import (
    COSIGNATURE,
    BadCheckpoint,
    BadKey,
    BadNote,
    Checkpoint,
    NotSigned,
    Signed,
    VerifierKey,
    cosign,
    open_checkpoint,
    open_note,
    read_keys,
    sign,
    split,
)
from tests.proof.samples import OPERATOR, OPERATOR_KEY, ORIGIN, private

# The example of golang.org/x/mod/sumdb/note, from which the format comes.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
# A checkpoint of Go's checksum database, as it was signed.
SUMDB = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
SUMDB_NOTE = (
    "go.sum database tree\n6476701\nmb8QLQIs0Z0yP5Cstq6guj87oXWeC9gEM8oVikmm9Wk=\n\n"
    "— sum.golang.org Az3grsLX85Gz+s1SiTbgkuqxgItqFq7gsMUEyVnrsa9LM7Us9S+1xbFIGu95949rj4nPRYfvimWEPWL+o3GeoWwOoAw=\n"
)
# The example of C2SP tlog-cosignature; its keys are not published, so that only its form can be read.
COSIGNED_NOTE = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 "
    "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)

WITNESS = private(2)
WITNESS_KEY = VerifierKey.of("witness.example/w1", WITNESS, COSIGNATURE)
STRANGER = private(3)
STRANGER_KEY = VerifierKey.of("stranger.example", STRANGER)
CHECKPOINT = Checkpoint(ORIGIN, 5, bytes(range(32)))
NOTE = sign(CHECKPOINT.write(), OPERATOR_KEY, OPERATOR)
LINE = NOTE.rpartition("\n\n")[2]


def test_a_note_that_go_signed() -> None:
    key = VerifierKey.read(PETER)
    assert key.write() == PETER
    text, signed = open_note(PETER_NOTE, [key])
    assert text.endswith("your problem is.\n")
    assert signed == [Signed(key)]


def test_go_would_have_signed_the_same() -> None:
    # The private key stands in the same example: PRIVATE+KEY+PeterNeumann+c74f20a3+AYEK...
    seed = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
    text = PETER_NOTE.partition("\n\n")[0] + "\n"
    assert sign(text, VerifierKey.read(PETER), Ed25519PrivateKey.from_private_bytes(seed)) == PETER_NOTE


def test_a_checkpoint_that_go_s_checksum_database_signed() -> None:
    key = VerifierKey.read(SUMDB)
    checkpoint, _ = open_checkpoint(SUMDB_NOTE, [key], origin="go.sum database tree")
    assert checkpoint.size == 6476701
    with pytest.raises(BadCheckpoint, match="another log"):
        open_checkpoint(SUMDB_NOTE, [key])
    with pytest.raises(NotSigned, match="wrong"):
        open_checkpoint(SUMDB_NOTE.replace("6476701", "6476702"), [key], origin="go.sum database tree")


def test_the_specification_s_cosigned_checkpoint() -> None:
    text, lines = split(COSIGNED_NOTE)
    assert Checkpoint.read(text) == Checkpoint(
        "example.com/behind-the-sofa", 20852163, base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    )
    assert [line.name for line in lines] == ["example.com/behind-the-sofa", "witness.example.com/w1"]
    assert int.from_bytes(lines[1].signature[:8]) == 1679315147
    assert "".join(line.write() for line in lines) == COSIGNED_NOTE.rpartition("\n\n")[2]


def test_a_note_reads_back() -> None:
    text, signed = open_note(NOTE.encode(), [STRANGER_KEY, OPERATOR_KEY])
    assert (text, signed) == (CHECKPOINT.write(), [Signed(OPERATOR_KEY)])
    assert Checkpoint.read(text) == CHECKPOINT


def test_a_callable_signs_too() -> None:
    assert sign(CHECKPOINT.write(), OPERATOR_KEY, OPERATOR.sign) == NOTE


def test_a_text_with_empty_lines_is_parted_at_the_last() -> None:
    text = "one\n\n— two AAAA\n\nthree\n"
    assert open_note(sign(text, OPERATOR_KEY, OPERATOR), [OPERATOR_KEY])[0] == text


def test_a_cosignature_reads_back() -> None:
    cosigned = cosign(NOTE, WITNESS_KEY, WITNESS, 1_795_317_300)
    assert cosigned.startswith(NOTE)
    checkpoint, signed = open_checkpoint(cosigned, [OPERATOR_KEY], [WITNESS_KEY])
    assert checkpoint == CHECKPOINT
    assert signed == [Signed(OPERATOR_KEY), Signed(WITNESS_KEY, 1_795_317_300)]


def test_what_a_cosignature_is_over() -> None:
    asked: list[bytes] = []
    cosigned = cosign(NOTE, WITNESS_KEY, lambda content: asked.append(content) or bytes(64), 1_795_317_300)
    assert asked == [f"cosignature/v1\ntime 1795317300\n{CHECKPOINT.write()}".encode()]
    assert split(cosigned)[1][-1].signature == (1_795_317_300).to_bytes(8) + bytes(64)


def test_a_cosignature_s_time_cannot_be_changed() -> None:
    text, lines = split(cosign(NOTE, WITNESS_KEY, WITNESS, 1_795_317_300))
    later = base64.b64encode(lines[1].hash + (1_795_317_301).to_bytes(8) + lines[1].signature[8:]).decode()
    with pytest.raises(NotSigned, match=r"witness\.example/w1"):
        open_note(f"{text}\n— witness.example/w1 {later}\n", [WITNESS_KEY])


@pytest.mark.parametrize("time_s", [-1, 2**63])
def test_times_that_cannot_be(time_s: int) -> None:
    with pytest.raises(BadNote, match="no time"):
        cosign(NOTE, WITNESS_KEY, WITNESS, time_s)


def test_a_witness_alone_is_not_the_log() -> None:
    text = CHECKPOINT.write()
    alone = f"{text}\n" + cosign(NOTE, WITNESS_KEY, WITNESS, 1)[len(NOTE) :]
    assert open_note(alone, [WITNESS_KEY])[1] == [Signed(WITNESS_KEY, 1)]
    with pytest.raises(NotSigned, match="the log itself"):
        open_checkpoint(alone, [OPERATOR_KEY], [WITNESS_KEY])


def test_a_key_of_the_log_that_cosigned_did_not_sign() -> None:
    same = VerifierKey.of(ORIGIN, OPERATOR, COSIGNATURE)
    alone = f"{CHECKPOINT.write()}\n" + cosign(NOTE, same, OPERATOR, 1)[len(NOTE) :]
    with pytest.raises(NotSigned, match="the log itself"):
        open_checkpoint(alone, [OPERATOR_KEY, same])


def test_unknown_keys_are_left_aside() -> None:
    both = NOTE + sign(CHECKPOINT.write(), STRANGER_KEY, STRANGER).rpartition("\n\n")[2]
    assert open_note(both, [OPERATOR_KEY])[1] == [Signed(OPERATOR_KEY)]
    garbage = NOTE + f"— {ORIGIN} {base64.b64encode(bytes(5)).decode()}\n"  # the same name, another hash
    assert open_note(garbage, [OPERATOR_KEY])[1] == [Signed(OPERATOR_KEY)]
    with pytest.raises(NotSigned, match="no known key"):
        open_note(NOTE, [STRANGER_KEY])
    with pytest.raises(NotSigned, match="no known key"):
        open_note(NOTE, [])


def test_a_wrong_signature_of_a_known_key_spoils_the_note() -> None:
    wrong = base64.b64encode(STRANGER_KEY.hash + bytes(64)).decode()
    with pytest.raises(NotSigned, match=r"stranger\.example is wrong"):
        open_note(f"{NOTE}— stranger.example {wrong}\n", [OPERATOR_KEY, STRANGER_KEY])
    short = base64.b64encode(WITNESS_KEY.hash + b"x").decode()
    with pytest.raises(NotSigned, match=r"witness\.example/w1 is wrong"):
        open_note(f"{NOTE}— witness.example/w1 {short}\n", [OPERATOR_KEY, WITNESS_KEY])


def test_the_same_line_twice_is_one_signature() -> None:
    assert open_note(NOTE + LINE, [OPERATOR_KEY])[1] == [Signed(OPERATOR_KEY)]


def test_another_text_is_not_signed() -> None:
    with pytest.raises(NotSigned):
        open_note(NOTE.replace("\n5\n", "\n6\n"), [OPERATOR_KEY])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "text\n",
        f"text\n{LINE}",
        NOTE[:-1],
        NOTE + "\n",
        NOTE + "\n\n",
        NOTE.replace("\n", "\r\n"),
        NOTE.replace(ORIGIN, "a\tb", 1),
        NOTE.replace("\u2014 ", "- "),
        NOTE.replace("\u2014 ", "\u2014"),
        NOTE.replace("\u2014 ", "\u2014  "),
        NOTE[:-1] + " \n",
        NOTE[:-2] + "\n",
        NOTE.replace(f"\u2014 {ORIGIN}", "\u2014 a+b"),
        NOTE.replace(f"\u2014 {ORIGIN}", "\u2014 a\u00a0b"),
        NOTE.replace(f"\u2014 {ORIGIN} ", "\u2014  "),
        f"text\n\n— {ORIGIN} AAAAAA==\n",  # the hash alone
        f"text\n\n— {ORIGIN} AAAAAAB=\n",  # not the one spelling of its bytes
        f"text\n\n— {ORIGIN} AAAA_AAA\n",
        f"text\n\n— {ORIGIN}\n",
        NOTE + LINE * 100,
        "\ud800\n\n" + LINE,
    ],
)
def test_what_is_no_note(note: str) -> None:
    with pytest.raises(BadNote):
        open_note(note, [OPERATOR_KEY])


def test_bytes_that_are_no_note() -> None:
    for content in (b"\xff\n\n" + LINE.encode(), NOTE.encode("utf-16"), b"x" * 1_000_001):
        with pytest.raises(BadNote):
            open_note(content, [OPERATOR_KEY])


def test_sixteen_signatures_are_read_and_more() -> None:
    assert len(split(NOTE + LINE * 20)[1]) == 21


@pytest.mark.parametrize("text", ["", "no line end", "a\tb\n", "a\r\n"])
def test_texts_that_cannot_be_signed(text: str) -> None:
    with pytest.raises(BadNote):
        sign(text, OPERATOR_KEY, OPERATOR)


def test_each_kind_of_key_signs_its_own() -> None:
    with pytest.raises(BadKey, match="cosignatures"):
        sign(CHECKPOINT.write(), WITNESS_KEY, WITNESS)
    with pytest.raises(BadKey, match="cosignatures"):
        cosign(NOTE, OPERATOR_KEY, OPERATOR, 1)
    with pytest.raises(BadCheckpoint):
        cosign(sign("no checkpoint\n", OPERATOR_KEY, OPERATOR), WITNESS_KEY, WITNESS, 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        "PeterNeumann+c74f20a3+",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        PETER.replace("c74f20a3", "c74f20a4"),
        PETER.replace("c74f20a3", "C74F20A3"),
        PETER.replace("Peter", "Pater"),
        PETER.replace("Neu", " "),
        PETER.replace("+ARp", "+AhP"),
        PETER.replace("+ARpc2", "+ARpc"),
        PETER + "=",
        PETER + "\n",
        PETER[:-4],
        "PeterNeumann+c74f20a3+é",
    ],
)
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(BadKey):
        VerifierKey.read(text)


def test_keys_cannot_have_such_names_or_sizes() -> None:
    for name in ("", "a b", "a+b", "a\nb", "a\u2003b"):
        with pytest.raises(BadKey, match="name"):
            VerifierKey(name, bytes(32))
    for public, algorithm in ((bytes(31), 1), (bytes(32), 2), (bytes(32), 0)):
        with pytest.raises(BadKey, match="no Ed25519 key"):
            VerifierKey("a", public, algorithm)


def test_one_key_has_two_hashes() -> None:
    as_log, as_witness = (VerifierKey.of("a.example", OPERATOR, algorithm) for algorithm in (1, COSIGNATURE))
    assert as_log.hash != as_witness.hash
    assert VerifierKey.read(as_witness.write()) == as_witness


def test_a_file_of_keys() -> None:
    assert read_keys(f"# ours\n{OPERATOR_KEY.write()}\n\n{PETER}\n") == [OPERATOR_KEY, VerifierKey.read(PETER)]
    with pytest.raises(BadKey):
        read_keys(f"{PETER}\nnonsense\n")


def test_extension_lines_are_kept() -> None:
    made = Checkpoint(ORIGIN, 0, bytes(32), ("one", "two three"))
    assert Checkpoint.read(made.write()) == made
    cosigned = cosign(sign(made.write(), OPERATOR_KEY, OPERATOR), WITNESS_KEY, WITNESS, 7)
    assert open_checkpoint(cosigned, [OPERATOR_KEY], [WITNESS_KEY])[0] == made


ROOT = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{ORIGIN}\n5\n{ROOT}",
        f"{ORIGIN}\n5\n",
        f"\n5\n{ROOT}\n",
        f"{ORIGIN}\n\n{ROOT}\n",
        f"{ORIGIN}\n5\n\n",
        f"{ORIGIN}\n5\n{ROOT}\n\n",
        f"{ORIGIN}\n5\n{ROOT}\n\nlate\n",
        f"{ORIGIN}\n05\n{ROOT}\n",
        f"{ORIGIN}\n-5\n{ROOT}\n",
        f"{ORIGIN}\n+5\n{ROOT}\n",
        f"{ORIGIN}\n5 \n{ROOT}\n",
        f"{ORIGIN}\n٥\n{ROOT}\n",
        f"{ORIGIN}\n{'9' * 20}\n{ROOT}\n",
        f"{ORIGIN}\n5\n{ROOT[:-4]}\n",
        f"{ORIGIN}\n5\n{ROOT[:-1]}\n",
        f"{ORIGIN}\n5\n{ROOT[:-2]}B=\n",
        f"{ORIGIN}\n5\nrööt\n",
        f"{ORIGIN}\r\n5\n{ROOT}\n",
    ],
)
def test_what_is_no_checkpoint(text: str) -> None:
    with pytest.raises(BadCheckpoint):
        Checkpoint.read(text)


@pytest.mark.parametrize(
    "made",
    [
        Checkpoint("", 5, bytes(32)),
        Checkpoint("a\nb", 5, bytes(32)),
        Checkpoint(ORIGIN, -1, bytes(32)),
        Checkpoint(ORIGIN, 5, bytes(31)),
        Checkpoint(ORIGIN, 5, bytes(32), ("",)),
        Checkpoint(ORIGIN, 5, bytes(32), ("a\nb",)),
    ],
)
def test_checkpoints_that_cannot_be_written(made: Checkpoint) -> None:
    with pytest.raises(BadCheckpoint):
        made.write()


def test_a_checkpoint_of_another_log_is_refused() -> None:
    other = sign(Checkpoint("other.example", 5, bytes(32)).write(), OPERATOR_KEY, OPERATOR)
    with pytest.raises(BadCheckpoint, match=r"other\.example"):
        open_checkpoint(other, [OPERATOR_KEY])
    assert open_checkpoint(other, [OPERATOR_KEY], origin="other.example")[0].size == 5
