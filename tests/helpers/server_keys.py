"""Another instance of the application, on the same database and store, with other server keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask

from cpro import create_app
from cpro.extensions import db

NEW_KEY = "a-new-test-key-of-no-value"
_SAME = ("CPRO_INSTANCE", "CPRO_UPLOADS", "SQLALCHEMY_DATABASE_URI", "CPRO_PUBLIC_URL", "TRUSTED_HOSTS", "TESTING")

#: Builds the application with a key, and its fallbacks.
Rekey = Callable[..., Flask]


@contextmanager
def rekeying(app: Flask) -> Iterator[Rekey]:
    """Yield a factory of applications like this one, with a key and its fallbacks; close their databases at the end."""
    made: list[Flask] = []

    def make(key: str = NEW_KEY, *fallbacks: str) -> Flask:
        keys = {"SECRET_KEY": key, "SECRET_KEY_FALLBACKS": list(fallbacks)}
        made.append(create_app({**{name: app.config[name] for name in _SAME}, **keys}))
        return made[-1]

    try:
        yield make
    finally:
        for each in made:
            with each.app_context():
                db.engine.dispose()
