"""Signals sent inside the transaction, so that a feature can react to one that must not depend on it.

Listeners run in the same transaction: if one raises, the action is rolled back. A listener receives the values as
keyword arguments.
"""

from __future__ import annotations

from blinker import Namespace

_facts = Namespace()

#: A school switched its transfers on or off: `establishment`, `enabled`, `by`, `now`.
transfers_switched = _facts.signal("transfers-switched")

#: A school's e-mail address was changed: the school, `earlier` (the previous address), `by`, `now`, and
#: `password_given`, whether the user was asked for their password again.
school_email_changed = _facts.signal("school-email-changed")

#: A file's content was written: `establishment_id`, `run_id`, `by`, `now`.
import_applied = _facts.signal("import-applied")

#: Students were manually marked as departed or as back: `student_ids`, `by`, `now`.
presence_changed = _facts.signal("presence-changed")

#: An import is about to be undone: `establishment_id`, `run_id`, `student_ids` (whose presence or identity it changed),
#: `created_ids` (those among them that will be deleted), `applied_at`, `by`, `now`. Listeners undo its consequences
#: first.
import_undone = _facts.signal("import-undone")

#: A school's own diploma (`diploma`) is about to be deleted, or a page asks whether it could be: a feature that still
#: uses the diploma raises a refusal.
diploma_deletion_requested = _facts.signal("diploma-deletion-requested")

#: A query: which of these competences (`ids`) are referenced? Each listener returns those it uses, by id.
competences_used = _facts.signal("competences-used")

#: A query, at start: which files of the store do rows need? `session` (the platform's), `now`; each listener returns
#: their stored names.
stored_files_needed = _facts.signal("stored-files-needed")

# The three below are sent outside any transaction, by pages that only read; listeners write in their own.

#: A record was opened: `principal`, `object_type`, `object_id`, `object_label`, `origin`, `now`, and `quiet`, the time
#: within which opening the same record again is not recorded again.
record_opened = _facts.signal("record-opened")

#: A list was searched or filtered: `principal`, `screen` (its French title), `sought` (a phrase), `origin`, `now`.
search_made = _facts.signal("search-made")

#: A list was exported: `principal`, `screen`, `sought`, `file_format`, `origin`, `now`.
exported = _facts.signal("exported")
