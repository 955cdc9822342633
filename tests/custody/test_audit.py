"""The auditor finds what was lost, invented or changed, and names the row; where nothing was, it says so."""

import base64
import json
import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session, sessionmaker

from courier_api import db
from courier_api.custody import ledger
from courier_api.custody.audit import reading, seen
from courier_api.custody.audit.auditing import audit
from courier_api.custody.audit.report import Report
from courier_api.custody.audit.sentences import SENTENCES
from courier_api.custody.audit.trust import Trust
from courier_api.custody.stores import FolderStore
from courier_api.journey import erasing
from courier_api.proof import canonical
from courier_api.proof.canonical import Malformed
from courier_api.settings import settings
from scripts.benchmark.ledger import fill
from scripts.benchmark.mutations import Mutations, remember, try_many, unguard
from scripts.commands.audit import main
from tests import cast as story
from tests.cast import Cast, assemble
from tests.copies import copied
from tests.custody.a_day import Day, live
from tests.custody.changes import changes
from tests.custody.test_cases import decide

AT_ONCE = timedelta(0)
MUTATIONS = 60


@pytest.fixture
def day(cast: Cast) -> Day:
    return live(cast)


@pytest.fixture
def unguarded(cast: Cast, day: Day) -> Iterator[Connection]:
    """The day's connection with triggers and foreign keys out of the way."""
    connection = cast.session.connection()
    nested = connection.begin_nested()
    unguard(connection)
    yield connection
    nested.rollback()


def look(cast: Cast, day: Day, **options: Any) -> Report:
    """Audit as things stand; evidence that is not there is a finding."""
    return audit(cast.session.connection(), day.trust, **({"overdue": AT_ONCE} | options))


def rows_of(report: Report) -> set[tuple[str, str, str]]:
    return {(one.code, one.table, one.row) for one in report.findings}


def test_of_a_day_on_which_nothing_was_changed_nothing_is_found(cast: Cast, day: Day) -> None:
    report = look(cast, day)
    assert (report.findings, report.notices, report.clean) == ([], [], True)
    counted = {table: cast.session.scalar(text(f"SELECT count(*) FROM {table}")) for table in report.counted}
    assert counted | {"postal_item": 3} == report.counted  # of items, those that were handed over
    assert (report.size, report.checkpoint) == (counted["ledger_entry"], ledger.latest(cast.session).note)
    assert (counted["handover"], counted["evidence"], counted["cosignature"], counted["custody_case"]) == (9, 5, 1, 4)
    assert (counted["voucher"], counted["settlement"], counted["recalled"]) == (2, 1, 1)


def test_each_kind_of_change_is_found_in_its_row(day: Day, unguarded: Connection) -> None:
    for statement, code, table in changes():
        nested = unguarded.begin_nested()
        rows = [str(row) for row in unguarded.exec_driver_sql(statement).scalars()]
        assert rows, statement
        found = rows_of(audit(unguarded, day.trust, overdue=AT_ONCE))
        assert {(code, table, row) for row in rows} & found, (statement, rows, found)
        nested.rollback()
    assert audit(unguarded, day.trust, overdue=AT_ONCE).clean


def test_every_code_has_its_sentence_and_nearly_every_one_is_provoked() -> None:
    provoked = {code for _, code, _ in changes()}
    assert provoked <= set(SENTENCES)
    # What takes a larger tree, a phone that lies, a file or an older audit: tested beside, some of it.
    rest = set(SENTENCES) - provoked
    assert rest == {
        "not_logged", "node_missing", "node_differs", "checkpoint_of_other_tree", "witness_unknown",
        "history_rewritten", "history_lost", "event_malformed", "core_differs", "chain_broken", "salt_uncommitted",
        "anchor_later", "evidence_outstanding", "evidence_not_erased", "evidence_file_missing",
    }  # fmt: skip


def test_of_sixty_changes_by_chance_sixty_are_found(cast: Cast, day: Day) -> None:
    store = FolderStore(Path(settings().evidence_store))
    newest = ledger.latest(cast.session).note
    connection = cast.session.connection()
    nested = connection.begin_nested()
    tried = try_many(connection, day.trust, MUTATIONS, random.Random(20261124), store, [newest])
    nested.rollback()
    assert tried.missed == []
    assert tried.made.total() == MUTATIONS
    assert {"edit", "delete", "swap", "insert"} <= set(tried.made)
    assert look(cast, day).clean


def test_what_was_cut_off_or_signed_anew_is_found_by_who_looked_before(
    cast: Cast, day: Day, unguarded: Connection
) -> None:
    before = ledger.latest(cast.session)
    first = unguarded.exec_driver_sql("SELECT min(size) FROM checkpoint").scalar_one()
    mutations = Mutations(unguarded, random.Random(1))

    def codes(made: Any) -> tuple[set[str], set[str]]:
        nested = unguarded.begin_nested()
        made()
        alone = audit(unguarded, day.trust)
        told = audit(unguarded, day.trust, seen=[before.note])
        nested.rollback()
        return set(alone.found), set(told.found)

    # Signed anew by the operator himself, all is well in itself.
    alone, told = codes(lambda: mutations.make("rewrite"))
    assert (alone, told) == (set(), {"history_rewritten"})
    alone, told = codes(lambda: mutations.truncate(first))
    assert told - alone == {"history_lost"}


def test_a_backup_of_before_is_found_by_who_looked_since(cast: Cast, day: Day) -> None:
    remember(cast.session.connection())
    phone = day.phone
    phone.sync(phone.operation("courier.start", round=day.dossier["id"]))
    newest = ledger.grow(cast.session)
    assert newest is not None
    cast.session.commit()
    connection = cast.session.connection()
    nested = connection.begin_nested()
    unguard(connection)
    Mutations(connection, random.Random(1)).make("restore")
    assert audit(connection, day.trust, overdue=AT_ONCE).clean
    assert set(audit(connection, day.trust, seen=[newest.note]).found) == {"history_lost"}
    nested.rollback()


def test_what_waits_is_no_finding_until_it_waits_too_long(cast: Cast, day: Day) -> None:
    (answer,) = day.phone.sync(day.phone.operation("courier.start", round=day.dossier["id"]))
    assert answer["result"] == "parked"
    assert look(cast, day).clean
    later = cast.session.scalar(text("SELECT max(received_at) FROM ledger_entry")) + timedelta(seconds=61)
    assert rows_of(look(cast, day, at=later)) == {("not_logged", "ledger_entry", answer["id"])}


def test_evidence_that_has_not_come_is_a_notice_until_it_is_overdue(cast: Cast, day: Day) -> None:
    cast.session.execute(text("DELETE FROM evidence WHERE kind = 'photo'; DELETE FROM upload"))
    taken = cast.session.scalar(text("SELECT id::text FROM handover ORDER BY at LIMIT 1"))
    report = look(cast, day, overdue=None)
    assert [(one.code, one.row) for one in report.notices] == [("evidence_outstanding", taken)]
    assert ("evidence_missing", "evidence", taken) in rows_of(look(cast, day))


def test_files_of_the_store_are_opened(cast: Cast, day: Day) -> None:
    store = FolderStore(Path(settings().evidence_store))
    evidence = cast.session.scalar(text("SELECT id FROM evidence LIMIT 1"))
    content = store.get(evidence.hex)
    store.put(evidence.hex, content[:-1])
    assert rows_of(look(cast, day)) == {("evidence_tampered", "evidence", str(evidence))}
    store.delete(evidence.hex)
    assert rows_of(look(cast, day)) == {("evidence_file_missing", "evidence", str(evidence))}
    store.put(evidence.hex, content)
    assert look(cast, day).clean


def test_a_witness_that_is_not_known_is_a_notice(cast: Cast, day: Day) -> None:
    report = audit(cast.session.connection(), type(day.trust)(day.trust.log_keys))
    assert (report.clean, list(report.noticed)) == (True, ["witness_unknown"])


def test_decisions_and_what_never_came_are_no_findings(cast: Cast, day: Day) -> None:
    for case in cast.dispatcher.get("/cases")["items"]:
        decide(cast, case, "dismiss")
    assert look(cast, day).findings == []
    phone = day.phone
    after = phone.device.counter
    phone.operation("courier.start", round=day.dossier["id"])  # never sent
    (answer,) = phone.sync(phone.operation("courier.start", round=day.dossier["id"]))
    assert answer["result"] == "waiting"
    assert look(cast, day).clean
    cast.session.execute(
        text("INSERT INTO custody_case (id, kind, operation_id, kid, person_id, code, detail) SELECT gen_random_uuid(),"
             " 'gap', id, kid, person_id, 'operation_missing', '{}' FROM operation WHERE state = 'waiting'")
    )  # fmt: skip
    cast.session.commit()
    gap = next(case for case in cast.dispatcher.get("/cases")["items"] if case["kind"] == "gap")
    skip = {"kid": phone.device.kid, "after": after, "before": after + 2}
    decide(cast, cast.dispatcher.get(f"/cases/{gap['id']}"), "skip", skip=skip)
    assert look(cast, day).findings == []


def test_what_a_copied_key_signed_stands_aside_and_is_no_finding(cast: Cast, day: Day) -> None:
    phone, nothing = day.phone, day.dossier["id"]
    before = phone.device.counter, phone.device.previous
    first = phone.operation("courier.start", round=nothing)
    phone.device.counter, phone.device.previous = before
    second, third = (phone.operation("courier.start", round=nothing) for _ in range(2))
    codes = [phone.sync(one)[0]["code"] for one in (first, second, third)]
    assert codes == ["not_found", "key_cloned", "key_quarantined"]
    assert look(cast, day).findings == []
    cast.session.execute(text("UPDATE device SET quarantined_at = NULL"))
    assert rows_of(look(cast, day)) == {("device_not_quarantined", "device", phone.device.kid)}


def test_what_came_online_and_then_by_sync_is_no_finding(cast: Cast, day: Day) -> None:
    assert cast.courier.signer is not None
    (signed,) = cast.courier.signer.made.values()
    event = json.loads(base64.b64decode(signed["event"]))
    (answer,) = day.phone.sync({"id": event["eid"], "signed": signed})
    assert answer["result"] == "applied"
    assert look(cast, day).findings == []


def test_an_erasure_is_no_finding(cast: Cast, day: Day) -> None:
    cast.citizen.put(f"/dossiers/{day.other['id']}/cancellation", If_Match="*")
    for case in cast.dispatcher.get("/cases")["items"]:
        decide(cast, case, "dismiss")
    erasing.erase(cast.session, "0912000001")
    ledger.grow(cast.session)
    cast.session.commit()
    report = look(cast, day)
    assert (report.findings, report.notices) == ([], [])


@pytest.mark.parametrize(
    "content",
    [
        '{"a":1}', '{"a":"é"}', '{"a":"e\\u0301"}', '{"b":1,"a":2}', '{"a":1,"a":1}', '{"a":1.0}', '{"a":1e3}',
        '{"a": 1}', '{"a":9007199254740993}', '{"a":-9007199254740993}', '{"a":"\\u0041"}', '{"a":"\\n\\u001f"}',
        '{"a":"\\/"}', '{"a":NaN}', '{"a":[1,2,{"c":null,"b":true}]}', "[1]", "1", "", '{"a":1}\n', '{"a":"\x7f"}',
        '{"\uffff":1,"\U0001f600":2}', '{"a":"\\ud800"}', '{"a":"\ud7ff"}', '{"a":' + "[" * 17 + "]" * 17 + "}",
        '{"a":01}', '{"a":-0}', '{"a":"e\u0301"}', '{"a":1000000000000000}',
    ],
)  # fmt: skip
def test_the_short_cut_reads_what_the_strict_reader_reads(content: str) -> None:
    def outcome(reader: Any) -> Any:
        try:
            return reader(content.encode())
        except Malformed as fault:
            return fault.code

    assert outcome(reading._canonical) == outcome(canonical.read)


def test_what_is_remembered_outlives(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "seen.note"
    assert seen.remembered(path) is None
    seen.remember(path, "one\n")
    seen.remember(path, "two\n")
    assert seen.remembered(path) == "two\n"
    assert [one.name for one in path.parent.iterdir()] == ["seen.note"]


@pytest.fixture
def own(engine: Engine, ground: None, roads: None, app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cast]:
    """Everybody in a database of their own, which the settings name, with one collected dossier."""
    with copied(engine, "audited") as copy:
        db.use_sessions(sessionmaker(copy, expire_on_commit=False))
        monkeypatch.setenv("DATABASE_URL", copy.url.render_as_string(hide_password=False))
        settings.cache_clear()
        with db.sessions()() as session:
            cast = assemble(session, app.test_client())
            story.collected(cast)
            ledger.grow(session)
            session.commit()
            yield cast
        db.use_sessions(None)
        monkeypatch.undo()
        settings.cache_clear()


def run(*options: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, list(options))
    assert not isinstance(done.exception, Exception), done.exception
    return done.exit_code, done.output


def by_force(cast: Cast, statement: str) -> None:
    """Change what the database guards."""
    for what in ("DISABLE", "ENABLE"):
        for table in ("ledger_entry", "ledger_leaf", "checkpoint", "handover"):
            cast.session.execute(text(f"ALTER TABLE {table} {what} TRIGGER USER"))
        if what == "DISABLE":
            cast.session.execute(text(statement))
    cast.session.commit()


def test_the_command_says_by_its_exit_code_what_it_found(own: Cast, tmp_path: Path) -> None:
    seen_file, kept = tmp_path / "seen.note", tmp_path / "kept.note"
    options = ("--seen", str(seen_file))
    code, output = run(*options)
    assert (code, output.splitlines()[-1]) == (0, "Nothing was lost, invented or changed.")
    assert "There was no earlier audit" in output
    assert seen_file.read_text() == ledger.latest(own.session).note
    kept.write_text(seen_file.read_text())

    code, output = run(*options, "--processes", "1", "--json")
    summary = json.loads(output.splitlines()[-1])
    assert (code, summary["kind"], summary["clean"], summary["rows"]["handover"]) == (0, "summary", True, 1)

    by_force(own, "UPDATE handover SET fee_collected = fee_collected + 1")
    for processes in ("1", "2"):
        code, output = run(*options, "--processes", processes, "--json")
        lines = [json.loads(line) for line in output.splitlines()]
        assert (code, [one.get("code") for one in lines]) == (1, ["handover_differs", "voucher_differs", None])
        assert lines[-1]["findings"] == {"handover_differs": 1, "voucher_differs": 1}
    code, output = run(*options, "--most", "0")
    assert code == 1
    assert "2 findings: do not trust this as it stands." in output
    by_force(own, "UPDATE handover SET fee_collected = fee_collected - 1")

    newer = tmp_path / "newer.note"
    story.receive(own)
    ledger.grow(own.session)
    own.session.commit()
    newer.write_text(ledger.latest(own.session).note)
    assert run("--seen", str(newer))[0] == 0
    by_force(own, "DELETE FROM checkpoint WHERE size > 1")
    assert run(*options)[0] == 1
    assert seen_file.read_text() == kept.read_text()  # what is remembered is what was last in order
    code, output = run(*options, "--checkpoint", str(newer), "--json")
    assert "checkpoint_stale" in output

    other = tmp_path / "other.keys"
    other.write_text("witness.test/w1+00000000+AAAA\n")
    for wrong in (("--keys", str(other)), ("--checkpoint", str(other)), ("--keys", str(tmp_path / "none"))):
        assert run(*options, *wrong)[0] == 2


def test_without_a_database_nothing_is_said_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg2:///none?host=/nowhere")
    settings.cache_clear()
    code, output = run("--seen", str(tmp_path / "seen.note"))
    monkeypatch.undo()
    settings.cache_clear()
    assert code == 2
    assert "could not be audited" in output
    assert not list(tmp_path.iterdir())


def test_the_nodes_of_a_larger_tree_are_rebuilt(session: Session, ground: None) -> None:
    connection = session.connection()
    fill(connection, 600, evidence=2)
    folder = settings().operator_keys
    trust = Trust.read(folder / "operator.keys", None, settings().evidence_store, folder)
    report = audit(connection, trust, overdue=AT_ONCE)
    assert (report.findings, report.size, report.counted["ledger_node"]) == ([], 600, 2)
    unguard(connection)
    for statement, code in (
        ("UPDATE ledger_node SET hash = decode(repeat('00', 32), 'hex') WHERE index = 1", "node_differs"),
        ("DELETE FROM ledger_node WHERE index = 1", "node_missing"),
    ):
        nested = connection.begin_nested()
        connection.exec_driver_sql(statement)
        assert rows_of(audit(connection, trust)) == {(code, "ledger_node", "1 1")}
        nested.rollback()
    store = FolderStore(Path(settings().evidence_store))
    assert try_many(connection, trust, 10, random.Random(7), store, [report.checkpoint or ""]).missed == []
