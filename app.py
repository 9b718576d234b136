"""The door: `app` for gunicorn and the command line; run as a script, the local platform."""

import sys

from cpro import create_app
from cpro.config import UnusableSetting
from cpro.core.process import prepare_process

prepare_process()
try:
    app = create_app()
except UnusableSetting as refusal:
    sys.exit(str(refusal))

if __name__ == "__main__":
    from cpro.serving import serve_locally

    sys.exit(serve_locally(app))
