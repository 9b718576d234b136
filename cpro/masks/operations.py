"""Customise the labels of a diploma, and restore the defaults."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cpro.audit.operations import About, record
from cpro.core.concurrency import check_fresh
from cpro.core.errors import DomainError, FieldErrors, NotFound, check_no_error
from cpro.core.formatting import plural
from cpro.core.permissions import Actor
from cpro.core.validators import clean_text
from cpro.establishments.queries import lock_current_establishment
from cpro.extensions import db
from cpro.masks.models import MAX_WORDING, Mask, MaskKey
from cpro.masks.queries import get_labels, list_masks
from cpro.students.models import Diploma
from cpro.students.operations import DiplomaInUse
from cpro.students.queries import find_diploma

Changes = dict[str, tuple[str, str]]


class UnknownMaskKey(NotFound):
    """The scenario screen has no such field."""

    def __init__(self, key: str) -> None:
        super().__init__(f"Le champ « {key[:40]} » n’existe pas dans l’écran des scénarios.")


class SameDiploma(DomainError):
    """The wordings of a diploma cannot be copied onto themselves."""

    message = "Choisissez deux diplômes différents."
    field = "vers"


def check_wording(wording: str) -> str:
    """Return a wording trimmed, on one line. Raises `DomainError` beyond 200 characters or on control characters."""
    return clean_text(wording, max_length=MAX_WORDING)


def get_key(name: str) -> MaskKey:
    """Return the field of a name. Raises `UnknownMaskKey`."""
    try:
        return MaskKey(name)
    except ValueError:
        raise UnknownMaskKey(name) from None


def get_stored_values(masks: list[Mask]) -> dict[str, str]:
    """Return the wordings for their form, {key: text}; blank where the default applies."""
    wordings = {mask.key: mask.wording for mask in masks}
    return {key.value: wordings.get(key, "") for key in MaskKey}


def update_wordings(
    diploma: Diploma, values: Mapping[str, str], *, opened_on: str | None, by: Actor, now: datetime
) -> Changes:
    """Set wordings of a diploma and return what changed, {field: (old, new)} with defaults written out.

    `values` maps field names to wordings; a blank one, or the default itself, restores the default. Raises
    `UnknownMaskKey`, `FieldErrors` naming each refused field, `StaleForm`.
    """
    wanted, errors = {}, {}
    for name, text in values.items():
        try:
            key = get_key(name)
            wording = check_wording(text or "")
            wanted[key] = "" if wording == key.default else wording
        except UnknownMaskKey:
            raise
        except DomainError as refusal:
            errors[name] = refusal.message
    check_no_error(errors)
    lock_current_establishment()  # serialises writers of a school's masks
    masks = list_masks(diploma.id)
    stored = get_stored_values(masks)
    changing = [key.value for key, wording in wanted.items() if stored[key.value] != wording]
    if not changing:
        return {}
    check_fresh(stored, opened_on, changing)
    return _apply(diploma, masks, wanted, "masks:changed", by=by, now=now)


def create_wording(diploma_code: str, key_name: str, wording: str, *, by: Actor, now: datetime) -> Mask:
    """Create the wording of one field of a diploma that still has its default, and return the row.

    Raises `FieldErrors` naming what is refused: no such diploma, no wording, the default itself, already worded.
    """
    diploma = find_diploma(diploma_code.strip())
    if diploma is None:
        raise FieldErrors({"diploma": "Aucun diplôme ne porte ce code : choisissez dans la liste proposée."})
    key = get_key(key_name)
    text = _checked(wording)
    if not text or text == key.default:
        raise FieldErrors({"wording": "Indiquez un intitulé différent de celui d’origine."})
    lock_current_establishment()
    masks = list_masks(diploma.id)
    if any(mask.key is key for mask in masks):
        raise FieldErrors({"key": "Ce champ a déjà un intitulé pour ce diplôme : corrigez-le plutôt."})
    _apply(diploma, masks, {key: text}, "masks:changed", by=by, now=now)
    return next(mask for mask in list_masks(diploma.id) if mask.key is key)


def update_wording(mask: Mask, wording: str, *, opened_on: str | None, by: Actor, now: datetime) -> None:
    """Change one wording; blank or the default itself restores the default. Raises `FieldErrors`, `StaleForm`."""
    text = _checked(wording)
    lock_current_establishment()
    db.session.refresh(mask)
    check_fresh({"wording": mask.wording}, opened_on)
    diploma = db.session.get_one(Diploma, mask.diploma_id)
    _apply(diploma, [mask], {mask.key: "" if text == mask.key.default else text}, "masks:changed", by=by, now=now)


def reset_wordings(diploma: Diploma, key: MaskKey | None, *, by: Actor, now: datetime) -> Changes:
    """Restore the default for one field of a diploma, or for all of them (None); return what changed."""
    lock_current_establishment()
    wanted = {each: "" for each in MaskKey if key in (None, each)}
    label = f"« {key.default} », {diploma.label}" if key else diploma.label
    return _apply(diploma, list_masks(diploma.id), wanted, "masks:reset", label=label, by=by, now=now)


def get_copied_values(source: Diploma, target: Diploma) -> Changes:
    """Return what a copy of one diploma's wordings changes in another, {field: (old, new)}, defaults written out."""
    old, new = get_labels(target.id), get_labels(source.id)
    return {key.value: (old[key], new[key]) for key in MaskKey if old[key] != new[key]}


def copy_wordings(source: Diploma, target: Diploma, *, by: Actor, now: datetime) -> Changes:
    """Give a diploma the wordings of another one, defaults included; return what changed, as `get_copied_values` does.

    Raises `SameDiploma`.
    """
    if source.id == target.id:
        raise SameDiploma
    lock_current_establishment()
    wanted = {MaskKey(name): text for name, text in get_stored_values(list_masks(source.id)).items()}
    label = f"de «\u202f{source.short_label}\u202f» vers «\u202f{target.short_label}\u202f»"
    return _apply(target, list_masks(target.id), wanted, "masks:copied", label=label, by=by, now=now)


def forbid_deletion(sender: object, *, diploma: Diploma, **_more: Any) -> None:
    """Refuse the deletion of a diploma that has wordings of the school. Raises `DiplomaInUse`."""
    count = len(list_masks(diploma.id))
    if count:
        what = plural(count, "masque de saisie le concerne", "masques de saisie le concernent")
        raise DiplomaInUse(f"Ce diplôme sert encore : {what}, à réinitialiser d’abord.")


def _checked(wording: str) -> str:
    try:
        return check_wording(wording)
    except DomainError as refusal:
        raise FieldErrors({"wording": refusal.message}) from None


def _apply(
    diploma: Diploma,
    masks: list[Mask],
    wanted: Mapping[MaskKey, str],
    action: str,
    *,
    label: str = "",
    by: Actor,
    now: datetime,
) -> Changes:
    stored = {mask.key: mask for mask in masks}
    changes: Changes = {}
    for key, wording in wanted.items():
        mask = stored.get(key)
        if wording == (mask.wording if mask else ""):
            continue
        changes[key.value] = (mask.wording if mask else key.default, wording or key.default)
        if mask is None:
            db.session.add(Mask(diploma_id=diploma.id, key=key, wording=wording, changed_at=now))
        elif wording:
            mask.wording, mask.changed_at = wording, now
        else:
            db.session.delete(mask)
    if changes:
        db.session.flush()
        record(action, About("masks", diploma.code, label or diploma.label), by=by, now=now, changes=changes)
    return changes
