"""Commands for the operator of an installation: tracking numbers, tariffs, staff, the road graph."""

from datetime import date
from itertools import pairwise
from pathlib import Path

import click
from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from courier_api import models
from courier_api.custody import backup_keys, evidence
from courier_api.custody.sealing import MasterKeys
from courier_api.db import now, transaction
from courier_api.dossiers.models import NumberRange
from courier_api.dossiers.numbers import add_range, numbers_left
from courier_api.dossiers.states import Service
from courier_api.errors import DomainError, NotFound
from courier_api.journey import erasing
from courier_api.messages import say
from courier_api.money.quoting import set_tariff
from courier_api.people import devices
from courier_api.people.models import Device, Person, Role
from courier_api.people.signing_in import dismiss, grant
from courier_api.places.closures import mark_applied
from courier_api.places.models import Posting, ServicePoint
from courier_api.proof import files
from courier_api.rounds.planning import graph_lock, install_roads
from courier_api.settings import settings
from scripts.commands.restoring import restore_backup

assert models.all_models

# Prices seen in other provinces (postage one way in the province, carrying the fee); an operator sets his own.
FIRST_TARIFFS = {Service.send: (28_000, 8_000), Service.return_: (28_000, 0), Service.both: (52_000, 8_000)}
FIRST_RANGE = (10_000_000, 19_999_999)
LANES = 8  # so many may take a number at the same moment (see dossiers.numbers.allocate)


def open_for_business(session: Session) -> None:
    """What an installation needs before its first dossier: a number range and tariffs; again it changes nothing."""
    prefix = settings().tracking_prefix
    if session.scalar(select(NumberRange).where(NumberRange.prefix == prefix)) is None:
        _add_in_lanes(session, prefix, *FIRST_RANGE)
    for service, (postage, fee_transfer) in FIRST_TARIFFS.items():
        set_tariff(session, service, date(2026, 1, 1), postage, fee_transfer)


def _add_in_lanes(session: Session, prefix: str, first: int, last: int) -> None:
    lanes = min(LANES, last - first + 1)
    borders = [first + (last - first + 1) * n // lanes for n in range(lanes + 1)]
    for start, end in pairwise(borders):
        add_range(session, prefix, start, end - 1)


def post(session: Session, phone: str, full_name: str, role: Role, place: ServicePoint) -> Person:
    """Grant a role to a person at a service point; posting elsewhere later moves him."""
    person = grant(session, phone, full_name, role)
    posting = session.get(Posting, (person.id, role))
    if posting is None:
        session.add(Posting(person_id=person.id, role=role, service_point_id=place.id))
    else:
        posting.service_point_id = place.id
    session.flush()
    return person


def make_keys(*, rotate: bool = False) -> str:
    """Make the keys of signing, evidence and backups, each where there is none; the verifier key is given."""
    folder, name = settings().operator_keys, settings().ledger_origin
    if rotate or not (folder / files.PRIVATE).exists():
        files.make(folder, name, rotate=rotate)
    if not (folder / "evidence.keys").exists():
        MasterKeys.make(folder)
    backup_keys.make(folder)
    return files.verifier_keys(folder)[-1]


@click.group()
def main() -> None:
    """Operate an installation."""


@main.command("open")
def open_() -> None:
    """Give a new installation its first number range and tariffs."""
    with transaction() as session:
        open_for_business(session)
    click.echo("ready: number range and tariffs are there")


@main.command("numbers")
@click.argument("prefix")
@click.argument("first", type=click.IntRange(0, 99_999_999))
@click.argument("last", type=click.IntRange(0, 99_999_999))
def numbers(prefix: str, first: int, last: int) -> None:
    """Add a range of S10 serial numbers."""
    with transaction() as session:
        _add_in_lanes(session, prefix, first, last)
        click.echo(f"{numbers_left(session, prefix):,} numbers are free")


@main.command("tariff")
@click.argument("service", type=click.Choice([s.value for s in Service]))
@click.argument("postage", type=click.IntRange(0))
@click.argument("fee_transfer", type=click.IntRange(0))
@click.option("--from", "valid_from", type=click.DateTime(["%Y-%m-%d"]), help="First day; today without it.")
def tariff(service: str, postage: int, fee_transfer: int, valid_from: object) -> None:
    """Set the price of a service, in đồng."""
    day = valid_from.date() if valid_from else now().astimezone(settings().timezone).date()  # type: ignore[attr-defined]
    with transaction() as session:
        set_tariff(session, Service(service), day, postage, fee_transfer)
    click.echo(f"{service}: {postage:,} đ, carrying the fee {fee_transfer:,} đ, from {day}")


@main.command("staff")
@click.argument("phone")
@click.argument("full_name")
@click.argument("role", type=click.Choice([r.value for r in Role if r is not Role.citizen]))
@click.argument("place_code")
def staff(phone: str, full_name: str, role: str, place_code: str) -> None:
    """Post a person at a post office or one-stop unit, e.g. staff 0912345678 "Trần Văn Nam" courier 160000."""
    with transaction() as session:
        place = session.scalar(select(ServicePoint).where(ServicePoint.code == place_code))
        if place is None:
            raise click.ClickException(f"there is no service point with code {place_code}")
        person = post(session, phone, full_name, Role(role), place)
        click.echo(f"{person.full_name} is {role} at {place.name}")


@main.command("dismiss")
@click.argument("phone")
@click.argument("role", type=click.Choice([r.value for r in Role if r is not Role.citizen]))
def dismiss_(phone: str, role: str) -> None:
    """Take a role from a person: the posting ends, and so does every token held in it."""
    with transaction() as session:
        person = dismiss(session, phone, Role(role))
        session.execute(delete(Posting).where(Posting.person_id == person.id, Posting.role == Role(role)))
        click.echo(f"{person.full_name} is no longer {role}")


@main.command("roads")
@click.argument("pbf", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def roads(pbf: Path) -> None:
    """Build the routing graph of an OSM extract and plan with it from now on; what is shut is shut there too."""
    use_roads(pbf)
    click.echo(f"graph: {settings().graph_dir}")


def use_roads(pbf: Path) -> None:
    """Install an extract's roads, all open; a worker's next sweep shuts what is shut."""
    with graph_lock():
        install_roads(pbf)
        with transaction() as session:
            mark_applied(session, (), {})


@main.group("keys")
def keys() -> None:
    """The operator's keys, in the folder OPERATOR_KEYS, outside the database."""


@keys.command("make")
def keys_make() -> None:
    """Make the signing key, the evidence's master key and the backups' key where there are none."""
    names = (files.PRIVATE, "evidence.keys", backup_keys.PUBLIC)
    there = all((settings().operator_keys / name).exists() for name in names)
    click.echo(make_keys())
    if there:
        click.echo("it was there already: nothing is changed", err=True)


@keys.command("rotate")
def keys_rotate() -> None:
    """Sign with a new key from now on; what the old one signed stays checkable, its private half is gone."""
    if not (settings().operator_keys / files.PRIVATE).exists():
        raise RuntimeError(f"there is no key to rotate in {settings().operator_keys}: keys make")
    click.echo(make_keys(rotate=True))
    click.echo("give the new operator.keys to the witnesses and to everyone who checks", err=True)


@keys.command("rotate-evidence")
def keys_rotate_evidence() -> None:
    """Seal new evidence under a new master key; running processes take it when they start anew."""
    click.echo(f"newest: {MasterKeys.rotate(settings().operator_keys).newest}")


@keys.command("rotate-backup")
def keys_rotate_backup() -> None:
    """Have phones seal their backups to a new key; the older ones stay and open what was sealed to them."""
    if not (settings().operator_keys / backup_keys.PRIVATE).exists():
        raise RuntimeError(f"there is no backup key to rotate in {settings().operator_keys}: keys make")
    click.echo(f"newest: {backup_keys.make(settings().operator_keys, rotate=True)}")


@keys.command("show")
def keys_show() -> None:
    """Print the verifier keys, oldest first: this is what checkers need."""
    found = files.verifier_keys()
    if not found:
        raise RuntimeError(f"there are no keys in {settings().operator_keys}")
    click.echo("\n".join(found))


@main.command("revoke")
@click.argument("kid")
def revoke(kid: str) -> None:
    """End a lost device, by its key id: its sign-ins end, and nothing that it signs is taken any more."""
    with transaction() as session:
        if session.get(Device, kid) is None:
            raise RuntimeError(f"there is no device with the key id {kid!r} (16 hex digits)")
        device = devices.revoke(session, kid)
        click.echo(f"{device.person.full_name}: {device.kid} is revoked")


@main.command("erase")
@click.argument("phone")
def erase(phone: str) -> None:
    """Erase a person on request: the data goes, what was signed stays and still verifies."""
    with transaction() as session:
        try:
            erased = erasing.erase(session, phone)
        except NotFound:
            raise RuntimeError("nobody has this phone number: a mistake, or erased already") from None
    # After the commit: a file without its key is noise already, a key without its file would be a loss.
    for file in erased.files:
        evidence.store().delete(file.hex)
    click.echo(
        f"erased: {erased.dossiers} dossiers, {erased.entries} signed events opened no more, {len(erased.files)} files"
    )


main.add_command(restore_backup)


def run() -> None:
    """Run a command; a refusal is one line, not a traceback."""
    try:
        main(prog_name="scripts/operate")
    except DomainError as error:
        raise SystemExit(f"refused: {say(error.code, 'en', **error.values)}") from None
    except DBAPIError as error:
        click.echo(f"failed: {str(error.orig).splitlines()[0]}\nIs the database there, and migrated?", err=True)
        raise SystemExit(2) from None
    except (OSError, RuntimeError) as error:
        click.echo(f"failed: {str(error).splitlines()[0]}", err=True)
        raise SystemExit(2) from None


if __name__ == "__main__":
    run()
