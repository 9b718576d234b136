"""Drafts: the content of long forms, kept on the server until the user saves or abandons the form.

Words: a *key* names the form and its object; a *token* names one page as it was opened, so that two tabs on one
object never overwrite each other; the *turn* counts a page's saves, so that a late request never restores an older
text. Invariants: only the account that wrote a draft sees it; it is never validated; it is deleted seven days after
its last change; nothing of it is kept in the browser.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    """Register drafts in the application: their template function and nightly cleanup."""
    from cpro.core.drafts import jobs as _declared  # noqa: F401  # importing declares its handler
    from cpro.core.web import drafts as page

    app.jinja_env.globals["draft_page"] = page.current_page
