"""Drafts: what somebody is writing in a long form, kept on the server until they save the form or give it up.

Words: a *key* names the form and the object it is about; a *token* names one page as it was opened, so that two tabs
on one object never write over each other; the *turn* counts what a page saved, so that a late answer never restores an
older text back. Invariants: a draft is seen by the account that wrote it alone; it is never validated; it is forgotten
seven days after its last word; nothing of it is kept in the browser.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    """Register drafts in the application: what templates call, the nightly forgetting."""
    from cpro.core.drafts import jobs as _declared  # noqa: F401  # its handler, known once imported
    from cpro.core.web import drafts as page

    app.jinja_env.globals["draft_page"] = page.current_page
