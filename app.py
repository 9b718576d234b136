"""Entry point: `app` for gunicorn and the command line; run as a script, it serves the local platform."""

import gc
import os
import sys

from cpro import create_app
from cpro.config import UnusableSetting
from cpro.core import clock
from cpro.core.database_revision import OldDatabase, check_revision
from cpro.core.database_roles import UnsafeRole, check_serving_role
from cpro.core.process import prepare_process
from cpro.core.server_key import UnknownKey, claim_key
from cpro.core.store import prepare_store_if_possible

prepare_process()
try:
    app = create_app()
except UnusableSetting as refusal:
    sys.exit(str(refusal))

# What an application is made of lasts as long as its process: the collector walks the rest, and leaves in peace the
# pages that the processes of `gunicorn --preload` share.
gc.freeze()

# Served by gunicorn or another; the command line, which migrates, judges for itself.
if __name__ != "__main__" and os.environ.get("FLASK_RUN_FROM_CLI") != "true":
    try:
        with app.app_context():
            check_serving_role()
            check_revision()
            claim_key(now=clock.utcnow())
            prepare_store_if_possible()
    except (UnsafeRole, OldDatabase, UnknownKey) as refusal:
        sys.exit(str(refusal))

if __name__ == "__main__":
    from cpro.serving import serve_locally

    sys.exit(serve_locally(app))
