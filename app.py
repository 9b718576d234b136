"""The door: `app` for gunicorn and the command line; run as a script, the local platform."""

import os
import sys

from cpro import create_app
from cpro.config import UnusableSetting
from cpro.core.database_roles import UnsafeRole, check_serving_role
from cpro.core.process import prepare_process

prepare_process()
try:
    app = create_app()
except UnusableSetting as refusal:
    sys.exit(str(refusal))

# Served by gunicorn or another; the command line, which migrates, judges for itself.
if __name__ != "__main__" and os.environ.get("FLASK_RUN_FROM_CLI") != "true":
    try:
        with app.app_context():
            check_serving_role()
    except UnsafeRole as refusal:
        sys.exit(str(refusal))

if __name__ == "__main__":
    from cpro.serving import serve_locally

    sys.exit(serve_locally(app))
