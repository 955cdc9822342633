"""The commands load, report, leave with the right code, and write nothing that they should not."""

import csv
import os
import subprocess
from pathlib import Path
from shutil import copy

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courier_api.places.models import Commune, ImportRun, OldUnit, ServicePoint
from scripts.commands.ground import ground as command
from tests.places.files import feature, geojson, square, table

pytestmark = pytest.mark.usefixtures("ground", "session")

ROOT = Path(__file__).parent.parent.parent
HEAD = "old_code,name,district,commune_code"


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A province of two communes, with an office and a table of old units in which one row is bad."""
    folder = tmp_path / "province"
    folder.mkdir()
    (folder / "province.json").write_text('{"code": "98", "name": "Thử"}', encoding="utf-8")
    geojson(folder / "communes.geojson", feature("98001", square(108, 12)), feature("98002", square(108.1, 12)))
    table(folder / "old_units.csv", HEAD, "97001,Xã Cũ,Huyện Xa,98001", "97002,Xã Lạc,Huyện Xa,98009")
    table(folder / "post_offices.csv", "code,name,address,commune_code", "980001,Bưu cục Thử,Xã Thử,98001")
    return folder


def test_any_province_is_loaded_from_its_folder(session: Session, folder: Path) -> None:
    result = run("all", "--dir", folder)
    assert result.exit_code == 1  # for the one bad row
    assert "communes    communes.geojson: 2 rows, 2 in (2 new, 0 changed), 0 refused." in result.output
    assert "refused, line 3 (97002): there is no commune 98009" in result.output
    served = select(func.count()).where(Commune.province_code == "98", Commune.post_office_id.is_not(None))
    assert session.scalar(served) == 2
    centres = select(ServicePoint.code).where(ServicePoint.code.like("MC-98%")).order_by(ServicePoint.code)
    assert session.scalars(centres).all() == ["MC-98", "MC-98001", "MC-98002"]
    again = run("all", "--dir", folder)
    assert again.exit_code == 0
    assert again.output.count("these very bytes are in already") == 3
    assert "centres     98: 3 rows, 3 in (0 new, 0 changed), 0 refused." in again.output


def test_a_dry_run_checks_everything_and_writes_nothing(session: Session, folder: Path) -> None:
    runs = session.scalar(select(func.count()).select_from(ImportRun))
    result = run("all", "--dir", folder, "--dry-run")
    assert result.exit_code == 1
    assert "Dry run: nothing was written." in result.output
    assert "there is no commune 98009" in result.output
    assert session.get(Commune, "98001") is None
    assert session.scalar(select(func.count()).select_from(ImportRun)) == runs


def test_a_province_that_fails_midway_keeps_whole_files_only(session: Session, folder: Path) -> None:
    (folder / "post_offices.csv").write_bytes(b"\xff\xfe")
    result = run("all", "--dir", folder)
    assert result.exit_code == 2
    assert "not UTF-8" in result.output
    assert session.get(Commune, "98001")
    assert session.scalars(select(OldUnit).where(OldUnit.old_code == "97001")).one()
    assert not session.scalars(select(ServicePoint).where(ServicePoint.code == "980001")).all()


def test_the_report_holds_every_refused_row(session: Session, tmp_path: Path) -> None:
    path = table(tmp_path / "old.csv", HEAD, *(f"97{n:03},Xã Cũ,Huyện Xa,00000" for n in range(30)))
    result = run("old-units", path, "--report", tmp_path / "refused.csv")
    assert result.exit_code == 1
    assert result.output.count("refused, line") == 20
    assert "and 10 more; --report FILE writes them all." in result.output
    rows = list(csv.reader((tmp_path / "refused.csv").read_text(encoding="utf-8").splitlines()))
    assert rows[0] == ["kind", "line", "key", "reason"]
    assert len(rows) == 31
    assert rows[1] == ["old_units", "2", "97000", "there is no commune 00000; import the communes first"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["communes", "none.geojson"], "there is no such file"),
        (["old-units", "none.csv"], "there is no such file"),
        (["all", "--dir", "none"], "there is no such file"),
        (["centres", "--province", "97"], "Province 97 has no communes"),
        (["centres"], "Missing option '--province'"),
        (["roads"], "Missing argument"),
        (["procedures", "x.csv", "--valid-from", "soon"], "does not match"),
        (["unknown"], "No such command"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_sentence(arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.output
    assert "Traceback" not in result.output


def test_the_exit_codes_are_documented() -> None:
    result = run("--help")
    assert all(f"Exit code {code}" in result.output for code in (0, 1, 2))


def test_the_script_itself_works_from_anywhere(tmp_path: Path) -> None:
    script = [ROOT / "scripts" / "ground", "old-units", "none.csv"]
    result = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "none.csv: there is no such file" in result.stderr


def test_missing_settings_and_a_dead_database_are_said_plainly(tmp_path: Path) -> None:
    path = ROOT / "scripts" / "data" / "hung_yen" / "calendar.csv"
    nowhere = {"DATABASE_URL": f"postgresql+psycopg2:///none?host={tmp_path}", "SECRET_KEY": "s" * 32}
    for settings, said in (({}, "SECRET_KEY must be set"), (nowhere, "The database does not answer")):
        environment = {"PATH": os.environ["PATH"]} | settings
        script = [ROOT / "scripts" / "ground", "calendar", path]
        result = subprocess.run(script, env=environment, capture_output=True, text=True, check=False)
        assert result.returncode == 2
        assert said in result.stderr
        assert "Traceback" not in result.stderr


def test_without_a_virtual_environment_it_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    copy(ROOT / "scripts" / "ground", tmp_path / "scripts")
    result = subprocess.run(
        [tmp_path / "scripts" / "ground"], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert "Run scripts/setup first" in result.stderr
