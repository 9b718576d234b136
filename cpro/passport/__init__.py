"""Passport: a pupil's portfolio as a PDF, and what anyone may check of it.

Words: an *issue* is one passport drawn; its *code* is printed with a QR. `/verifier/<code>` says which school issued
it, on which day, with how many pages and entries, and compares an uploaded copy by its digest; it reveals nothing
personal and never says « authentique ». Invariant: nothing of a passport's content is kept, its digest alone.
"""

from __future__ import annotations

from flask import Flask


def register(app: Flask) -> None:
    """Bring the room into the application."""
    from cpro.passport import models  # noqa: F401
