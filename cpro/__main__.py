"""The command line: `cpro …` (once installed in editable mode) or `python -m cpro …`, same as `flask --app app …`."""

from __future__ import annotations

import sys

from flask import Flask
from flask.cli import FlaskGroup

from cpro import create_app
from cpro.config import UnusableSetting
from cpro.core.process import prepare_process


def load_app() -> Flask:
    """Return the application; exit with a one-sentence message when a setting prevents the start."""
    prepare_process()
    try:
        return create_app()
    except UnusableSetting as refusal:
        sys.exit(str(refusal))


#: Without Flask's own commands: CPro does not use its development server, `python app.py` serves instead.
main = FlaskGroup(name="cpro", create_app=load_app, add_default_commands=False, add_version_option=False)

if __name__ == "__main__":
    main(prog_name="cpro")
