"""Accounts, roles and signing in.

Words: an *account* belongs to one school, a *platform account* (inspector, support) to none; a *sign-in* is one
browser's session; an *activation code* lets its holder choose a password, once; a *parked form* is the input of a
person whose sign-in ended, or of a refused form.
Invariants: nothing reveals whether an account exists before the right password or code is given; only failures are
counted; passwords and codes are never stored in clear; `web/guard.py` checks every route, and refuses unmarked ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    """Register the feature: sign-in, the guard of every route, commands."""
    from cpro.core import events
    from cpro.core.web.registry import registry
    from cpro.users import audit_labels, commands, jobs  # noqa: F401  # importing `jobs` declares its handlers
    from cpro.users.emergency import commands as _commands  # noqa: F401  # adds its commands to `commands.users`
    from cpro.users.operations.addresses import notify_school_address
    from cpro.users.web import guard
    from cpro.users.web.views import addresses, passkeys, second_factor, sessions, shortcut, users

    guard.install(app)
    registry(app).check_password = users.check_own_password
    audit_labels.register_audit_labels()
    app.register_blueprint(users.bp)
    app.register_blueprint(addresses.bp)
    app.register_blueprint(sessions.bp)
    app.register_blueprint(second_factor.bp)
    app.register_blueprint(passkeys.bp)
    app.register_blueprint(shortcut.bp)
    events.school_email_changed.connect(notify_school_address)
    app.cli.add_command(commands.users)
    app.cli.add_command(commands.platform_users)
