"""What schools deposit: the ministry's exports, or tables of their own.

Words: a *deposit* is what one person sends at once, zipped or not; a *finding* is what we have to say about one line
of one file; a *refused* line is never written, an *ignored* one speaks of nobody who works or studies here.
Invariant: what is never stored (addresses, telephone numbers, nationality, birth place, fees) is never read either.
Nothing in `deposit`, `siecle`, `spreadsheet` and `xml` knows the web or the database; `analysis` reads it without
writing; `operations` write, one short transaction for a whole import.
"""

from __future__ import annotations

from flask import Flask


def register(app: Flask) -> None:
    """Bring the room into the application: its job, its words, its command."""
    from cpro.imports import commands, jobs, journal

    assert jobs  # known once imported
    journal.name_gestures()
    app.cli.add_command(commands.imports)
