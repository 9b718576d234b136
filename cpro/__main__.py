"""The command line: `cpro …`, once installed in place, or `python -m cpro …`, is `flask --app app …`."""

from __future__ import annotations

import sys

from flask import Flask
from flask.cli import FlaskGroup

from cpro import create_app
from cpro.config import UnusableSetting
from cpro.core.process import prepare_process


def load_app() -> Flask:
    """Return the application; stop with one sentence when a setting prevents it."""
    prepare_process()
    try:
        return create_app()
    except UnusableSetting as refusal:
        sys.exit(str(refusal))


#: Without Flask's own commands: its development server is not used here, `python app.py` does.
main = FlaskGroup(name="cpro", create_app=load_app, add_default_commands=False, add_version_option=False)

if __name__ == "__main__":
    main(prog_name="cpro")
