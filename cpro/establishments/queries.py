"""Read schools and their pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, inspect, or_, select
from sqlalchemy.orm import Session, undefer
from sqlalchemy.orm.interfaces import ORMOption

from cpro.core.clock import today_in
from cpro.core.errors import NotFound
from cpro.core.lists import ListState, Page, contains_words, find_page_from
from cpro.core.tenancy import TenancyError, scope_of
from cpro.establishments.imaging import is_low_resolution
from cpro.establishments.models import Establishment, PictureKind, PictureVersion
from cpro.extensions import db

#: How long a replaced or deleted picture can be restored.
UNDO_PERIOD = timedelta(days=30)
_SHOWN = 50
#: The key of the school in a session's `info`.
_CURRENT = "cpro_school"


def get_current_establishment() -> Establishment:
    """Return the school of the current scope, with the number of its logo, read once per transaction."""
    session = db.session()
    school_id, known = scope_of(session).establishment_id, session.info.get(_CURRENT)
    if isinstance(known, Establishment) and known in session and not inspect(known).expired:
        return known
    # Kept in `info` because a session drops the rows that nothing references. A commit or a rollback expires this one
    # too.
    session.info[_CURRENT] = found = get_establishment(session, school_id, undefer(Establishment.logo_id))
    return found


def get_school_today(now: datetime) -> date:
    """Return the date in the time zone of the current school."""
    return today_in(get_current_establishment().timezone, now)


def attach_current_establishment(school: Establishment) -> None:
    """Attach the school, as another session just read it, to the session, to avoid reading it twice in a request.

    Raises `TenancyError` when it is not the school of the current scope.
    """
    session = db.session()
    if school.id != scope_of(session).establishment_id:
        raise TenancyError("the session works for another school")
    session.info[_CURRENT] = session.merge(school, load=False)


def get_establishment(session: Session, establishment_id: int | None, *options: ORMOption) -> Establishment:
    """Return a school, or raise `NotFound`."""
    found = session.get(Establishment, establishment_id, options=options) if establishment_id is not None else None
    if found is None:
        raise NotFound("Cet établissement n’existe pas.")
    return found


def lock_current_establishment() -> Establishment:
    """Lock the row of the current school until the commit, and return its current state.

    The lock is FOR NO KEY UPDATE: transactions that only write rows that refer to the school do not wait, however many
    there are.
    """
    school_id = scope_of(db.session()).establishment_id
    return db.session.scalars(
        select(Establishment)
        .where(Establishment.id == school_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()


def find_by_code(session: Session, code: str) -> Establishment | None:
    """Return the school of a code, or None."""
    return session.scalars(select(Establishment).where(Establishment.code == code.strip().lower())).one_or_none()


def find_establishments(session: Session, sought: str) -> list[Establishment]:
    """Return up to 50 schools whose name, UAI, code or city contains every word sought, by name."""
    found = select(Establishment).where(*contains_words(sought, Establishment.search_key))
    return list(session.scalars(found.order_by(Establishment.name, Establishment.id).limit(_SHOWN)))


def find_schools(session: Session, asked: ListState, *conditions: ColumnElement[bool]) -> Page[Establishment]:
    """Return a page of the schools whose name, UAI, code or city contains every word sought, by name.

    Only those of one académie when `asked` selects one, and under further conditions; in a platform session.
    """
    academy = asked.chosen.get("academie")
    if academy:
        conditions = (*conditions, Establishment.academy == academy)
    found = select(Establishment).where(*contains_words(asked.search, Establishment.search_key), *conditions)
    order = (Establishment.name, Establishment.id)

    def place_of(school_id: int) -> Sequence[Any] | None:
        return session.execute(select(*order).where(Establishment.id == school_id)).one_or_none()

    return find_page_from(
        asked, found, *order, place_of=place_of, read=lambda statement: list(session.scalars(statement))
    )


def list_academies(session: Session) -> Sequence[str]:
    """Return the académies entered by schools, sorted; in a platform session."""
    return session.scalars(
        select(Establishment.academy).where(Establishment.academy != "").distinct().order_by(Establishment.academy)
    ).all()


def find_picture(kind: PictureKind) -> PictureVersion | None:
    """Return the current picture of a kind, or None when there is none or it was deleted."""
    version = _latest(kind)
    return version if version and version.stored_name else None


def select_pictures() -> Select[int]:
    """Return the ids of the pictures in use."""
    latest = select(func.max(PictureVersion.id)).where(PictureVersion.undone_at.is_(None)).group_by(PictureVersion.kind)
    return select(PictureVersion.id).where(PictureVersion.id.in_(latest), PictureVersion.stored_name != "")


def find_undoable(kind: PictureKind, *, now: datetime) -> PictureVersion | None:
    """Return the last deposit or deletion of a kind if it can still be undone."""
    version = _latest(kind)
    return version if version and version.created_at > now - UNDO_PERIOD else None


def list_restorable(*, now: datetime) -> dict[int, PictureVersion]:
    """Return the pictures of the school that can be restored, by id: out of use for less than 30 days.

    A picture goes out of use when it is replaced or deleted, or when its deposit is undone.
    """
    in_use = {kind: current.stored_name if (current := find_picture(kind)) else "" for kind in PictureKind}
    restorable: dict[int, PictureVersion] = {}
    successor: dict[PictureKind, datetime] = {}
    for version in db.session.scalars(select(PictureVersion).order_by(PictureVersion.id.desc())):
        ended_at = version.undone_at or successor.get(version.kind)
        if not version.undone_at:
            successor[version.kind] = version.created_at
        is_kept = ended_at is not None and ended_at > now - UNDO_PERIOD
        if is_kept and version.stored_name and version.stored_name != in_use[version.kind]:
            restorable[version.id] = version
    return restorable


def get_kept_version(version_id: int, *, now: datetime) -> PictureVersion:
    """Return a picture of the school whose file is still kept, in use or restorable, or raise `NotFound`."""
    in_use = {version.id: version for kind in PictureKind if (version := find_picture(kind))}
    version = (in_use | list_restorable(now=now)).get(version_id)
    if version is None:
        raise NotFound("Cette image n’est plus conservée.")
    return version


def list_stored_names(session: Session, *, since: datetime) -> set[str]:
    """Return the files that a version still needs: the current ones, and those that can be restored.

    A version is needed unless it was replaced, deleted or undone before `since`.
    """
    needed: set[str] = set()
    successor: dict[tuple[int, PictureKind], datetime] = {}
    versions = session.scalars(
        select(PictureVersion)
        .where(or_(PictureVersion.undone_at.is_(None), PictureVersion.undone_at > since))
        .order_by(PictureVersion.id.desc())
    )
    for version in versions:
        chain = (version.establishment_id, version.kind)
        ended_at = version.undone_at or successor.get(chain)
        if version.stored_name and (ended_at is None or ended_at > since):
            needed.add(version.stored_name)
        if not version.undone_at:
            successor[chain] = version.created_at
    return needed


@dataclass(frozen=True)
class PictureState:
    """State of one picture on the Logo tab."""

    kind: PictureKind
    current: PictureVersion | None
    undoable: PictureVersion | None
    #: the picture that undoing restores, None for none
    before: PictureVersion | None

    @property
    def low_resolution(self) -> bool:
        """Return whether the current picture would print coarsely on a passport."""
        picture = self.current
        return picture is not None and is_low_resolution(picture.width, picture.height, self.kind.print_box_mm)


def get_picture_state(kind: PictureKind, *, now: datetime) -> PictureState:
    """Return one picture and what can be undone about it."""
    undoable = find_undoable(kind, now=now)
    return PictureState(kind, find_picture(kind), undoable, _find_before(undoable) if undoable else None)


def _find_before(version: PictureVersion) -> PictureVersion | None:
    """Return the picture that a version replaced, None where there was none."""
    before = db.session.scalars(
        select(PictureVersion)
        .where(PictureVersion.kind == version.kind, PictureVersion.undone_at.is_(None), PictureVersion.id < version.id)
        .order_by(PictureVersion.id.desc())
        .limit(1)
    ).first()
    return before if before and before.stored_name else None


def _latest(kind: PictureKind) -> PictureVersion | None:
    return db.session.scalars(
        select(PictureVersion)
        .where(PictureVersion.kind == kind, PictureVersion.undone_at.is_(None))
        .order_by(PictureVersion.id.desc())
        .limit(1)
    ).first()
