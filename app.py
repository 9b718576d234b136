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

# Objects created at start live as long as the process: freezing them keeps the collector from walking them again, and
# from dirtying the memory pages shared by the processes of `gunicorn --preload`.
gc.freeze()

# Checks for a WSGI server (gunicorn or another). The command line, which also migrates, makes its own checks.
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
