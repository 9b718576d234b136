"""« Mot de passe oublié »: a code by e-mail for those who have an address, the same answer for everybody."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlencode

from cpro.core.mail import Mail, enqueue
from cpro.core.permissions import Actor
from cpro.core.transactions import platform_unit_of_work
from cpro.establishments.models import Establishment
from cpro.users import queries
from cpro.users.models import PlatformAccount
from cpro.users.operations import codes

#: Whoever asks is not known.
_ANYBODY = Actor("system", None, "Mot de passe oublié", "system")
#: More requests than this in an hour bring no further message.
_PER_HOUR = 3


def send_forgotten_code(establishment: str, login: str, *, public_url: str, now: datetime) -> None:
    """Send a one-hour code to the account's address, if the account exists, is active and has one.

    Says nothing of which was the case. The current password stays good until the code is used.
    """
    with platform_unit_of_work("forgotten password: the school is not known yet") as work:
        account = queries.find_account(work.session, establishment, login)
        if account is None or not account.may_sign_in or not account.email:
            return
        if queries.count_codes_since(work.session, account, now - timedelta(hours=1)) >= _PER_HOUR:
            return
        school = (
            ""
            if isinstance(account, PlatformAccount)
            else work.session.get_one(Establishment, account.establishment_id).code
        )
        code = codes.draw_forgotten_code(work.session, account, now=now)
        address = f"{public_url}/activation?" + urlencode({"establishment": school, "login": account.login})
        mail = Mail(
            to=account.email,
            subject="CPro : choisir un nouveau mot de passe",
            body=(
                f"Bonjour {account.label},\n\n"
                "Quelqu’un, sans doute vous, a demandé un nouveau mot de passe pour votre compte CPro.\n\n"
                f"Ouvrez cette adresse :\n{address}\n\n"
                f"et tapez ce code, valable une heure et une seule fois : {code}\n\n"
                "Si vous n’avez rien demandé, ne faites rien : votre mot de passe actuel reste valable.\n"
            ),
        )
        enqueue(mail, by=_ANYBODY, now=now, session=work.session)
