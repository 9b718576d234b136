"""French labels of the journal: actions as ends of sentences, names of fields, values as text.

Features register their labels in their `register(app)`, so that the journal depends on none: see `register(…)` below.
Registering them twice changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cpro.audit.models import AuditEntry
from cpro.core.formatting import format_date, format_instant, mask_ine, mask_ines
from cpro.core.parsing import read_day, read_instant
from cpro.core.permissions import Permission, Role, role_can
from cpro.core.validators import fold

EMPTY = "(vide)"

Formatter = Callable[[Any], str]


@dataclass
class _Labels:
    actions: dict[str, str] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)
    #: {first word of an action: the group it is offered in}, where that is not the object of that type
    subjects: dict[str, str] = field(default_factory=dict)
    #: {(object type, field): label}
    fields: dict[tuple[str, str], str] = field(default_factory=dict)
    #: {(object type, field): function that formats a stored value as text}
    values: dict[tuple[str, str], Formatter] = field(default_factory=dict)


_labels = _Labels()


@dataclass(frozen=True)
class Change:
    """The old and new values of one field, as displayed."""

    label: str
    old: str
    new: str

    @property
    def was_empty(self) -> bool:
        """Return whether there was no previous value."""
        return self.old == EMPTY

    @property
    def summary(self) -> str:
        """Return the change on one line: « Ville : Metz → Nancy », or « Ville : Nancy » without a previous value."""
        return f"{self.label}\u202f: {self.new if self.was_empty else f'{self.old} → {self.new}'}"


def register(
    *,
    actions: Mapping[str, str] | None = None,
    objects: Mapping[str, str] | None = None,
    subjects: Mapping[str, str] | None = None,
    fields: Mapping[str, Mapping[str, str]] | None = None,
    values: Mapping[str, Mapping[str, Formatter]] | None = None,
) -> None:
    """Register the French labels of a feature's audited actions.

    `actions` maps an action to what follows the person's name (« a modifié les renseignements »), `objects` a type of
    object to its French name, `subjects` the first word of an action, if it is no type of object or belongs with
    another, to the name of its group in the filter of actions, `fields` a type of object to the labels of its fields,
    `values` to functions that format a stored value as text.
    """
    _labels.actions.update(actions or {})
    _labels.objects.update(objects or {})
    _labels.subjects.update(subjects or {})
    _labels.fields.update(
        {(kind, name): text for kind, labels in (fields or {}).items() for name, text in labels.items()}
    )
    _labels.values.update(
        {(kind, name): read for kind, reads in (values or {}).items() for name, read in reads.items()}
    )


def known_actions() -> list[tuple[str, str]]:
    """Return every labelled action with its label, sorted by label: the choices of a filter."""
    return sorted(_labels.actions.items(), key=lambda each: fold(each[1]))


def name_subject(action: str) -> str:
    """Return the name of the group of an action: what it is about."""
    word = action.partition(":")[0]
    return _labels.subjects.get(word) or object_type_label(word)


def known_object_types() -> list[tuple[str, str]]:
    """Return every labelled type of object with its French name, sorted by name."""
    return sorted(_labels.objects.items(), key=lambda each: fold(each[1]))


def action_label(action: str) -> str:
    """Return what follows the person's name; an action without a label is returned as it is written."""
    return _labels.actions.get(action, f"a fait « {action} »")


def object_type_label(object_type: str) -> str:
    """Return the French name of a type of object."""
    return _labels.objects.get(object_type, object_type)


def object_label(entry: AuditEntry, *, masked: bool = False) -> str:
    """Return the name of the object at the time of the action; INE masked if asked."""
    return mask_ines(entry.object_label) if masked else entry.object_label


def actor_name(entry: AuditEntry) -> str:
    """Return the actor's name as the journal shows it: support staff are marked as such."""
    if entry.actor_kind == "anonymous":
        return "Une personne non connectée"
    is_support = role_can(entry.actor_role, Permission.SCHOOLS_ENTER)
    return f"{entry.actor_label} (Support)" if is_support else entry.actor_label


def role_name(value: str) -> str:
    """Return the French name of the role that the actor had, "" for a command or a task."""
    return Role(value).label if value in {role.value for role in Role} else ""


def doer_name(entry: AuditEntry) -> str:
    """Return the actor's role instead of their name, for readers without access to the journal."""
    roles = {role.value: role.doer for role in Role}
    return roles.get(entry.actor_role) or "quelqu’un"


def sentence(entry: AuditEntry, *, masked: bool = False) -> str:
    """Return the whole line as a sentence: « Alix Granite a modifié les renseignements : Lycée Ada Lovelace »."""
    text = f"{actor_name(entry)} {action_label(entry.action)}"
    shown = object_label(entry, masked=masked)
    return f"{text}\u202f: {shown}" if shown and shown != entry.actor_label else text


def field_label(object_type: str, name: str) -> str:
    """Return the label of a field; a field without a label is returned as it is written."""
    return _labels.fields.get((object_type, name)) or _labels.fields.get(("", name)) or name


def value_label(object_type: str, name: str, value: Any, *, masked: bool = False, timezone: str = "") -> str:
    """Return a stored value as displayed: Oui or Non, a date in the time zone, « (vide) »; INE masked if asked."""
    if value is None or value == "":
        return EMPTY
    format_value = _labels.values.get((object_type, name)) or _labels.values.get(("", name))
    text = format_value(value) if format_value else _plain(value, timezone)
    if not masked:
        return text
    return mask_ine(text) if name == "ine" else mask_ines(text)


def describe(entry: AuditEntry, *, masked: bool = False, timezone: str = "") -> list[Change]:
    """Return the changes that a line records, old and new values as displayed, in the order they were written.

    `masked` hides each INE except its last three characters, as for the support. `timezone` is the school's.
    """
    return [
        Change(
            field_label(entry.object_type, name),
            *(value_label(entry.object_type, name, value, masked=masked, timezone=timezone) for value in pair),
        )
        for name, pair in entry.changes.items()
        if any(value not in (None, "", []) for value in pair)  # a field left empty at creation is no change
    ]


def _plain(value: Any, timezone: str) -> str:
    if isinstance(value, bool):
        return "Oui" if value else "Non"
    if isinstance(value, list):
        return ", ".join(_plain(each, timezone) for each in value) or EMPTY
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        day = read_day(value)
        return format_date(day) if day else value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*(Z|[+-]\d\d:\d\d)", value):
        instant = read_instant(value)
        return format_instant(instant, timezone) if instant else value
    return str(value)
