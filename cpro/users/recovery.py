"""« Mot de passe oublié »: send a code by e-mail to people with an address; the answer is the same for everyone.

Neither the text nor the time of the answer reveals whether an account exists: the lookup and the message are handled in
a separate thread, after the answer. Where messages are local files (no mail server), the file exists before the page is
sent, and every answer takes the same time.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from cpro.core.mail import Mail, enqueue, is_folder
from cpro.core.permissions import Actor
from cpro.core.rate_limits import HOUR, RateLimit
from cpro.core.transactions import platform_unit_of_work
from cpro.establishments.models import Establishment
from cpro.extensions import application
from cpro.users import queries
from cpro.users.authentication import kind_of
from cpro.users.emergency.queries import is_shut_out
from cpro.users.models import Account, PlatformAccount
from cpro.users.operations import addresses, codes

if TYPE_CHECKING:
    from flask import Flask

#: The actor of a request, as the requester is unknown.
_ANYBODY = Actor("system", None, "Mot de passe oublié", "system")
#: The codes that forgotten passwords send to an account; beyond, no message is sent and nothing says so.
_LIMIT = RateLimit(3, HOUR)
#: Duration of an answer, in seconds, if the message is written before it: longer than the writing.
_EVEN_ANSWER = 0.25

logger = logging.getLogger(__name__)
_aside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="forgotten-password")


def answer_forgotten(establishment: str, login: str, *, public_url: str, now: datetime) -> None:
    """Send a code as `send_forgotten_code` does, in a time that does not reveal whether one was sent."""
    if not is_folder():
        _aside.submit(_send_aside, application.flask, establishment, login, public_url, now)
        return
    until = time.monotonic() + _EVEN_ANSWER
    _send_aside(application.flask, establishment, login, public_url, now)
    time.sleep(max(0.0, until - time.monotonic()))


def _send_aside(app: Flask, establishment: str, login: str, public_url: str, now: datetime) -> None:
    with app.app_context():
        try:
            send_forgotten_code(establishment, login, public_url=public_url, now=now)
        except Exception:
            logger.exception("a code for a forgotten password could not be created")


def send_forgotten_code(establishment: str, login: str, *, public_url: str, now: datetime) -> None:
    """Send a one-hour code to the account's address in effect, if the account exists, is open and has one.

    Reveals nothing of which was the case. The current password remains valid until the code is used.
    """
    with platform_unit_of_work("forgotten password: the school is not known yet") as work:
        account = queries.find_account(work.session, establishment, login)
        if account is not None:
            account = queries.lock_account(work.session, kind_of(account), account.id)
        if account is None or not account.may_sign_in or is_shut_out(work.session, account):
            return
        if isinstance(account, Account):
            addresses.apply_silence(work.session, account, now=now)
        to = account.confirmed_email if isinstance(account, Account) else account.email
        if not to:
            return
        # By their validity, shorter than that of the codes that others create: those never stop a request.
        by = now + codes.FORGOTTEN_VALIDITY
        if _LIMIT.is_reached(work.session, queries.select_times_created(account, expiring_by=by), now=now):
            return
        school = (
            None
            if isinstance(account, PlatformAccount)
            else work.session.get_one(Establishment, account.establishment_id)
        )
        code = codes.create_forgotten_code(work.session, account, now=now)
        address = f"{public_url}/activation?" + urlencode(
            {"establishment": school.code if school else "", "login": account.login}
        )
        mail = Mail(
            to=to,
            subject="CPro : choisir un nouveau mot de passe",
            body=(
                f"Bonjour {account.label},\n\n"
                "Quelqu’un, sans doute vous, a demandé un nouveau mot de passe pour votre compte CPro.\n\n"
                f"Ouvrez cette adresse :\n{address}\n\n"
                f"et tapez ce code, valable une heure et une seule fois : {code}\n\n"
                "Si vous n’avez rien demandé, ne faites rien : votre mot de passe actuel reste valable.\n"
            ),
        )
        enqueue(
            mail,
            by=_ANYBODY,
            now=now,
            session=work.session,
            establishment_id=school.id if school else None,
            about=("account", account.id) if school else None,
        )
