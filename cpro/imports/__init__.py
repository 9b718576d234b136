"""What schools deposit: the ministry's exports, or tables of their own.

Words: a *deposit* is what one person sends at once, zipped or not; a *finding* is what we have to say about one line
of one file; a *refused* line is never written, an *ignored* one speaks of nobody who works or studies here.
Invariants: what is never stored (addresses, telephone numbers, nationality, birth place, fees) is never read either;
the files themselves are kept while their import is not over, and no longer (`runs.upload_files`).
`parse` makes records of the files and knows neither the web nor the database; `diff` compares them with the school and
writes nothing; `runs` keeps the files, what was found and where the import stands; `apply` writes and undoes it in one
short transaction. Each knows those before it, never those after.

From an upload to the row of a pupil, one file calls the next, at the deposit and again once it is confirmed:

1. `web/views/deposits.py` receives the files, and refuses those that cannot be read.
2. `runs/deposits.py` judges them, has them compared with the school, keeps what is found.
3. `diff/comparison.py` opens each file in its turn.
4. `diff/students.py` compares the pupils of one with those of the school.
5. `parse/siecle/reader.py` reads them, record by record.
6. `jobs.py` begins again once a person has confirmed what was found.
7. `apply/application.py` prepares all that is written, then writes it in one transaction.
8. `apply/pupils.py` makes rows of changes; what undoes them is beside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask
    from flask_admin import Admin


def register(app: Flask) -> None:
    """Register the feature: its pages, its jobs, its words, its command."""
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
    """Put the history of the imports in the administration site."""
    from cpro.imports.models import ImportRun
    from cpro.imports.web.screens import ImportsScreen

    site.add_view(ImportsScreen(ImportRun, url="/admin/imports/historique", endpoint="historique_imports"))
