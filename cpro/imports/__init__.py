"""Imports: the ministry's exports, or tables of a school's own, deposited by schools.

Words: a *deposit* is what one person sends at once, zipped or not; a *finding* is a remark about one line of one file;
a *refused* line is never written; an *ignored* one is about a person who does not work or study here.
Invariants: data that is never stored (addresses, telephone numbers, nationality, birth place, fees) is never read
either; the files themselves are kept only until their import is over (`runs.upload_files`).
`parse` turns files into records and depends on neither the web nor the database; `diff` compares them with the school
and writes nothing; `runs` keeps the files, the findings and the state of the import; `apply` writes and undoes it in
one short transaction. Each may import the previous ones, never the next.

From an upload to a pupil's row, one file calls the next, at the deposit and again once it is confirmed:

1. `web/views/deposits.py` receives the files, and refuses those that cannot be read.
2. `runs/deposits.py` checks them, has them compared with the school, and stores the findings.
3. `diff/comparison.py` opens each file in turn.
4. `diff/students.py` compares the pupils of a file with those of the school.
5. `parse/siecle/reader.py` reads them, record by record.
6. `jobs.py` resumes once a person has confirmed the findings.
7. `apply/application.py` prepares all that is written, then writes it in one transaction.
8. `apply/pupils.py` turns changes into rows; the undoing is in the same folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask
    from flask_admin import Admin


def register(app: Flask) -> None:
    """Register the feature: its pages, jobs, audit labels and command."""
    from cpro.core.jobs.commands import make_task_command
    from cpro.imports import audit_labels, commands, jobs  # noqa: F401  # importing `jobs` declares its handlers
    from cpro.imports.web import hooks
    from cpro.imports.web.views import deposits, runs  # noqa: F401  # `runs` adds its routes to `deposits.bp`

    app.register_blueprint(deposits.bp)
    audit_labels.register_audit_labels()
    hooks.register_hooks(app)
    commands.imports.add_command(make_task_command("sweep", "imports:sweep"))
    app.cli.add_command(commands.imports)


def register_admin(site: Admin) -> None:
    """Add the history of the imports to the administration site."""
    from cpro.imports.models import ImportRun
    from cpro.imports.web.screens import ImportsScreen

    site.add_view(ImportsScreen(ImportRun, url="/admin/imports/historique", endpoint="historique_imports"))
