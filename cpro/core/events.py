"""Facts announced inside the transaction, to which features above react without being known below.

Listeners run in the same transaction: if one raises, the action is undone. A listener receives the announced
values as keyword arguments.
"""

from __future__ import annotations

from blinker import Namespace

_facts = Namespace()

#: A school switched its transfers on or off: `establishment`, `enabled`, `by`, `now`.
transfers_switched = _facts.signal("transfers-switched")

#: A school's e-mail address was changed, from `earlier`: the school, `earlier`, `by`, `now`, and
#: `password_given`, whether the person was asked for their password again.
school_email_changed = _facts.signal("school-email-changed")

#: A file's content was written: `establishment_id`, `run_id`, `by`, `now`.
import_applied = _facts.signal("import-applied")

#: Pupils were said by hand to have left, or to be back: `student_ids`, `by`, `now`.
presence_changed = _facts.signal("presence-changed")

#: An import is about to be undone: `establishment_id`, `run_id`, `student_ids` (whose presence or identity it changed),
#: `created_ids` (those among them who go with it), `applied_at`, `by`, `now`; what it caused is to be undone first.
import_undone = _facts.signal("import-undone")

#: Somebody wants to delete a school's own diploma (`diploma`), or a page asks whether they could: a feature that still
#: uses the diploma raises a refusal.
diploma_deletion_requested = _facts.signal("diploma-deletion-requested")

#: Which of some competences (`ids`) are named by something? A question: each listener returns those it holds, by id.
competences_used = _facts.signal("competences-used")

#: Which files of the store do rows need? A question, at a start: `session` (the platform's), `now`; each listener
#: returns their stored names.
stored_files_needed = _facts.signal("stored-files-needed")

# The three below are announced outside any transaction, by pages that only read; listeners write in their own.

#: Somebody opened a record: `principal`, `object_type`, `object_id`, `object_label`, `origin`, `now`, and `quiet`, the
#: time within which the same record opened again is recorded once.
record_opened = _facts.signal("record-opened")

#: Somebody searched or filtered a list: `principal`, `screen` (its French title), `sought` (a phrase), `origin`, `now`.
search_made = _facts.signal("search-made")

#: Somebody exported a list: `principal`, `screen`, `sought`, `file_format`, `origin`, `now`.
exported = _facts.signal("exported")
