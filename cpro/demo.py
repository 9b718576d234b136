"""The demonstration schools: two, so that a leak between them would show; all people are obviously fictitious.

Loaded into an empty database by the local platform or by `flask --app app demo load`; nothing else loads them.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import product

import click
from flask import current_app
from flask.cli import AppGroup
from PIL import Image, ImageDraw
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cpro.competences.national import load as load_competences
from cpro.core import clock, tenancy
from cpro.core.commands import COMMAND_LINE, sentences
from cpro.core.errors import DomainError
from cpro.core.passwords import hash_password
from cpro.core.permissions import Role
from cpro.core.storage import FileStorage
from cpro.core.store import prepare_store
from cpro.core.transactions import lock_schools, platform_unit_of_work
from cpro.core.validators import rnie_key
from cpro.establishments.imaging import prepare_picture
from cpro.establishments.models import CNILKind, Establishment, PictureKind, PictureVersion
from cpro.establishments.operations.particulars import create_establishment
from cpro.records.demo_content import load as load_records
from cpro.scenarios.demo_content import load as load_scenarios
from cpro.students.models import MEF, Diploma, Division, Origin, Student
from cpro.users.models import Account, PlatformAccount
from cpro.users.operations.accounts import create_account, create_platform_account

group = AppGroup("demo", help="Données de démonstration.")

ACCOUNTS_SHOWN = (
    "lovelace / administrateur, chef, enseignante, apprenant",
    "chatelet / administrateur, chef, enseignante, apprenant",
    "(établissement laissé vide) / inspecteur@cpro.example, support@cpro.example",
)

_STAFF = (
    ("administrateur", Role.ADMINISTRATOR, "Alix", "Granite"),
    ("chef", Role.HEAD, "Claude", "Basalte"),
    ("enseignante", Role.TEACHER, "Inès", "Quartz"),
    ("apprenant", Role.STUDENT, "Noé", "Agate"),
)
_FAMILY_NAMES = (
    "Agate", "Ambre", "Ardoise", "Béryl", "Calcite", "Corindon", "Cristal", "Émeraude", "Feldspath", "Fluorine",
    "Galène", "Grenat", "Gypse", "Jaspe", "Malachite", "Marne", "Mica", "Obsidienne", "Olivine", "Opale",
)  # fmt: skip
_FIRST_NAMES = ("Noé", "Zoé", "Éloïse", "Yanis", "Anaïs", "Ilyès", "Maëlle", "Tom", "Salomé", "Gaël")
_DIVISIONS = (
    ("2MELEC", "Seconde métiers de l’électricité", "40025520"),
    ("1MELEC", "Première MELEC", "40025520"),
    ("TMELEC", "Terminale MELEC", "40025520"),
    ("1CAP", "CAP électricien, 1re année", "50025524"),
    ("2CAP", "CAP électricien, 2e année", "50025524"),
)
#: The course (MEF) of each year of the Bac pro MELEC: code and label.
_MEFS = {
    "2MELEC": ("24725510310", "2NDPRO METIERS ELECTRICITE (MELEC)"),
    "1MELEC": ("24725510320", "1ERPRO METIERS ELECTRICITE (MELEC)"),
    "TMELEC": ("24725510330", "TLEPRO METIERS ELECTRICITE (MELEC)"),
}
#: INEs that no real student has: school numbers beginning with 99 are not allocated.
_FIRST_NUMBER = 990_000_000


@group.command(
    "load", help="Charger les établissements de démonstration dans une base vide ; afficher leur mot de passe."
)
@sentences
def load_command() -> None:
    """Load the demonstration schools into an empty database and print their password."""
    password = load_if_empty(password=current_app.config["CPRO_DEMO_PASSWORD"], now=clock.utcnow())
    if password is None:
        raise DomainError("La base contient déjà des établissements : la démonstration n’a pas été chargée.")
    click.echo(f"Établissements de démonstration chargés. Mot de passe de tous les comptes : {password}")


def load_if_empty(*, password: str, now: datetime) -> str | None:
    """Load the demonstration unless a school exists; return the password of its accounts, or None.

    When `password` is empty, one of 80 random bits is generated.
    """
    with tenancy.platform_session("demonstration") as session:
        if session.scalar(select(func.count(Establishment.id))):
            return None
    prepare_store()
    password = password or "-".join(secrets.token_hex(2) for _ in range(5))
    with platform_unit_of_work("demonstration") as work:
        _load(work.session, password, now)
    return password


def _load(session: Session, password: str, now: datetime) -> None:
    password_hash = hash_password(password)
    complete, incomplete = _schools(session, now)
    lock_schools(session, (complete.id, incomplete.id, None))
    load_competences(session)
    diplomas = {each.code: each for each in session.scalars(select(Diploma))}
    for school in (complete, incomplete):
        _staff(session, school, password_hash, now)
    for email, role, name in (
        ("inspecteur@cpro.example", Role.INSPECTOR, "Dominique Schiste"),
        ("support@cpro.example", Role.SUPPORT, "Sacha Silex"),
    ):
        account = create_platform_account(session, email=email, role=role, name=name, by=COMMAND_LINE, now=now)
        _activate(account, password_hash, now)
    _students(session, complete, diplomas, 120, now)
    _students(session, incomplete, diplomas, 12, now)
    _arrival(session, complete, incomplete, now)
    load_scenarios(session, complete, now)
    load_records(session, (complete, incomplete), now)
    _pictures(session, complete, now)
    session.flush()


def _schools(session: Session, now: datetime) -> tuple[Establishment, Establishment]:
    complete = create_establishment(
        session, name="Lycée professionnel Ada Lovelace", uai="0999001W", code="lovelace", by=COMMAND_LINE, now=now
    )
    particulars = {
        "email": "secretariat@lovelace.example",
        "kind": "Lycée professionnel",
        "address_line1": "1 rue de la Machine-Analytique",
        "postal_code": "99000",
        "city": "Exempleville",
        "phone": "01 99 00 00 01",
        "website": "https://lovelace.example",
        "academy": "Académie fictive",
        "signatory_name": "Claude Basalte",
        "signatory_function": "Cheffe d’établissement",
        "dpd_name": "Camille Pyrite",
        "dpd_email": "dpd@academie.example",
        "cnil_kind": CNILKind.REGISTER,
        "cnil_reference": "Registre des traitements, fiche 12",
        "transfers_enabled": True,
    }
    for name, value in particulars.items():
        setattr(complete, name, value)
    incomplete = create_establishment(
        session,
        name="Lycée professionnel Émilie du Châtelet",
        uai="0999002X",
        code="chatelet",
        by=COMMAND_LINE,
        now=now,
    )
    session.flush()
    return complete, incomplete


def _staff(session: Session, school: Establishment, password_hash: str, now: datetime) -> None:
    for login, role, first_name, last_name in _STAFF:
        account = create_account(
            session,
            establishment_id=school.id,
            login=login,
            role=role,
            first_name=first_name,
            last_name=last_name,
            email=f"{login}@{school.code}.example" if role is not Role.STUDENT else "",
            by=COMMAND_LINE,
            now=now,
        )
        _activate(account, password_hash, now)


def _activate(account: Account | PlatformAccount, password_hash: str, now: datetime) -> None:
    account.password_hash, account.activated_at = password_hash, now


def _students(session: Session, school: Establishment, diplomas: dict[str, Diploma], count: int, now: datetime) -> None:
    divisions = [
        Division(establishment_id=school.id, code=code, label=label, diploma=diplomas[diploma])
        for code, label, diploma in _DIVISIONS
    ]
    session.add_all(divisions)
    melec = diplomas["40025520"]
    session.add_all(
        MEF(establishment_id=school.id, code=code, label=label, diploma=melec) for code, label in _MEFS.values()
    )
    session.flush()
    pupil_account = session.scalars(
        select(Account).where(Account.establishment_id == school.id, Account.login == "apprenant")
    ).one()
    names = _names()
    for index in range(count):
        last_name, first_name = next(names)
        number = _FIRST_NUMBER + school.id * 10_000 + index
        session.add(
            Student(
                establishment_id=school.id,
                last_name=last_name,
                first_name=first_name,
                birth_date=date(2008, 1, 1) + timedelta(days=7 * index),
                # one in twenty has no INE yet, but never the first, which has an account
                ine=None if index % 20 == 7 else f"{number}{rnie_key(str(number))}",
                siecle_id=str(800_000 + index),
                came_by=Origin.SIECLE,
                division_id=divisions[index % len(divisions)].id,
                mef_code=_MEFS.get(divisions[index % len(divisions)].code, ("",))[0],
                account_id=pupil_account.id if index == 0 else None,
                created_at=now,
            )
        )


def _arrival(session: Session, source: Establishment, destination: Establishment, now: datetime) -> None:
    """Move one student from the first school, where they are now inactive, to the second."""
    number = _FIRST_NUMBER + 99_999
    common = {
        "last_name": "Topaze",
        "first_name": "Lou",
        "birth_date": date(2009, 2, 28),
        "ine": f"{number}{rnie_key(str(number))}",
        "came_by": Origin.SIECLE,
        "created_at": now,
    }
    session.add(
        Student(
            establishment_id=source.id,
            siecle_id="900998",
            is_active=False,
            departed_on=_last_day_like(9, 18, now),
            division_id=_division_id(session, source, "1MELEC"),
            **common,
        )
    )
    session.add(
        Student(
            establishment_id=destination.id,
            siecle_id="900017",
            division_id=_division_id(session, destination, "1MELEC"),
            **common,
        )
    )
    session.add(
        Student(
            establishment_id=source.id,
            last_name="Turquoise",
            first_name="Malo",
            birth_date=date(2008, 6, 3),
            siecle_id="900999",
            came_by=Origin.SIECLE,
            is_active=False,
            departed_on=_last_day_like(7, 4, now),
            division_id=_division_id(session, source, "TMELEC"),
            created_at=now,
        )
    )


def _last_day_like(month: int, day: int, now: datetime) -> date:
    """Return the last such day before today, so that the demonstration shows recent departures in any year."""
    this_year = date(now.year, month, day)
    return this_year if this_year < now.date() else this_year.replace(year=now.year - 1)


def _division_id(session: Session, school: Establishment, code: str) -> int:
    return session.scalars(
        select(Division.id).where(Division.establishment_id == school.id, Division.code == code)
    ).one()


def _pictures(session: Session, school: Establishment, now: datetime) -> None:
    storage = FileStorage(current_app.config["CPRO_UPLOADS"])
    for kind, content in ((PictureKind.LOGO, _render_logo()), (PictureKind.STAMP, _render_stamp())):
        prepared = prepare_picture(content)
        session.add(
            PictureVersion(
                establishment_id=school.id,
                kind=kind,
                stored_name=storage.put(school.id, prepared.content, prepared.suffix),
                mimetype=prepared.mimetype,
                width=prepared.width,
                height=prepared.height,
                created_at=now,
            )
        )


def _render_logo() -> bytes:
    """Return a fictitious logo: a punched card, as read by the Analytical Engine."""
    picture = Image.new("RGBA", (900, 360), (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture)
    pen.rounded_rectangle((20, 20, 340, 340), radius=48, fill=(27, 54, 93))
    for column, row in product(range(4), range(4)):
        if (column * 3 + row * 5) % 4 != 1:
            pen.ellipse((62 + column * 64, 62 + row * 64, 104 + column * 64, 104 + row * 64), fill=(242, 183, 5))
    for line, width in enumerate((480, 380, 430)):
        pen.rounded_rectangle((400, 70 + line * 85, 400 + width, 110 + line * 85), radius=20, fill=(27, 54, 93))
    return _as_png(picture)


def _render_stamp() -> bytes:
    """Return a fictitious round stamp."""
    picture = Image.new("RGBA", (700, 700), (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture)
    ink = (45, 62, 140, 230)
    for inset, width in ((20, 14), (60, 6), (190, 6)):
        pen.ellipse((inset, inset, 700 - inset, 700 - inset), outline=ink, width=width)
    for line in range(3):
        pen.rectangle((250, 290 + line * 45, 450, 305 + line * 45), fill=ink)
    return _as_png(picture)


def _as_png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _names() -> Iterator[tuple[str, str]]:
    """Yield distinct fictitious names, starting with that of the student who has an account."""
    for offset, (position, family) in product(range(len(_FIRST_NAMES)), enumerate(_FAMILY_NAMES)):
        yield family, _FIRST_NAMES[(position + offset) % len(_FIRST_NAMES)]
