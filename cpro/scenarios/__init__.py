"""Scenarios: the training situations that teachers write for a diploma.

Words: the six *worded fields* bear the labels that the school's masks give them for that diploma. Rich text is stored
sanitised (`core.richtext`). Invariant: a scenario is changed by its author and co-authors alone.
"""

from __future__ import annotations

from flask import Flask


def register(app: Flask) -> None:
    """Bring the room into the application."""
    from cpro.scenarios import models  # noqa: F401
