"""Save, rename and delete a user's kept lists, and choose the columns shown; nothing goes into the journal."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace

from sqlalchemy import delete
from sqlalchemy.orm import Session

from cpro.core.errors import DomainError, check_no_error
from cpro.core.habits.models import KeptList, ListHabits
from cpro.core.habits.queries import find_habits
from cpro.core.validators import InvalidText, clean_text, fold
from cpro.extensions import db

LONGEST_NAME = 60
#: Maximum kept lists of one screen: as many as can be read at a glance above it.
MOST_KEPT = 20

_UNNAMED = "Donnez-lui un nom, par exemple «\u202fTerminales sans INE\u202f»."
_TAKEN = "Vous gardez déjà une liste sous ce nom."
_NOTHING = "Il n’y a rien à garder\u202f: cherchez, filtrez ou triez d’abord la liste."
_FULL = f"Vous gardez déjà {MOST_KEPT} listes ici\u202f: supprimez-en une d’abord."


def keep_list(screen: str, name: str, asked: Mapping[str, object], *, account_id: int) -> KeptList:
    """Save the list's current parameters under a name; return the kept list.

    Raises `DomainError` on the field `name` when the name is missing or taken, when there is no parameter to save,
    or when there are already `MOST_KEPT`.
    """
    habits = _open(screen, account_id)
    if not asked:
        raise DomainError(_NOTHING, field="name")
    if len(habits.kept) >= MOST_KEPT:
        raise DomainError(_FULL, field="name")
    values = {key: str(value) for key, value in asked.items()}
    made = KeptList(secrets.token_hex(4), _read_name(name, habits.lists), values)
    _save(habits, [*habits.lists, made])
    return made


def update_lists(screen: str, names: Mapping[str, str], gone: Collection[str], *, account_id: int) -> None:
    """Rename kept lists, by their ids, and delete those of `gone`; ids that no longer exist are ignored.

    Raises `FieldErrors` on the fields `name_<id>` whose name is missing or taken.
    """
    habits = _open(screen, account_id)
    left, errors = [each for each in habits.lists if each.id not in gone], {}
    renamed: list[KeptList] = []
    for each in left:
        try:
            name = _read_name(names.get(each.id, each.name), renamed)
            renamed.append(replace(each, name=name))
        except DomainError as refusal:
            errors[f"name_{each.id}"] = refusal.message
    check_no_error(errors)
    _save(habits, renamed)


def choose_columns(screen: str, columns: Sequence[str], *, usual: Sequence[str], account_id: int) -> bool:
    """Choose the columns of a list, by their keys; return whether they are the default ones, as an empty choice is.

    The default ones are not stored, so that a column added later to the list is shown.
    """
    habits = _open(screen, account_id)
    is_usual = not columns or columns == usual
    habits.columns = [] if is_usual else [*columns]
    _save(habits, habits.lists)
    return is_usual


def forget_account(session: Session, account_id: int) -> None:
    """Delete all the habits of a closed account."""
    session.execute(
        delete(ListHabits).where(ListHabits.account_id == account_id),
        execution_options={"synchronize_session": False},
    )


def _open(screen: str, account_id: int) -> ListHabits:
    return find_habits(screen, account_id=account_id) or ListHabits(
        account_id=account_id, screen=screen, columns=[], kept=[]
    )


def _save(habits: ListHabits, lists: Sequence[KeptList]) -> None:
    """Save the kept lists; delete a row that would be empty."""
    habits.kept = [asdict(each) for each in sorted(lists, key=lambda each: fold(each.name))]
    if habits.kept or habits.columns:
        db.session.add(habits)
    elif habits.id is not None:
        db.session.delete(habits)
    db.session.flush()


def _read_name(text: str, others: Sequence[KeptList]) -> str:
    """Return a name cleaned for storage. Raises `DomainError` on the field `name`."""
    try:
        name = clean_text(text, max_length=LONGEST_NAME)
    except InvalidText as refusal:
        raise DomainError(refusal.message, field="name") from refusal
    if not name:
        raise DomainError(_UNNAMED, field="name")
    if fold(name) in {fold(each.name) for each in others}:
        raise DomainError(_TAKEN, field="name")
    return name
