"""A phone: the authenticator application of a second factor, and the recovery codes written down beside it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pyotp
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from cpro.users.models import Account, PlatformAccount
from cpro.users.sign_in_models import SecondFactor
from tests.factories import NOW, PASSWORD
from tests.helpers.browser import Browser

PAGE, CODE, AGAIN = "/mon-compte/second-facteur", "/connexion/code", "/mon-compte/code"
NEXT = timedelta(seconds=30)


def make_second_factor(account: Account | PlatformAccount) -> SecondFactor:
    """Return an unsaved active second factor whose codes are unknown."""
    factor = SecondFactor(secret="nobody's", created_at=NOW, confirmed_at=NOW, trusted_from=NOW)
    if isinstance(account, Account):
        factor.account_id, factor.establishment_id = account.id, account.establishment_id
    else:
        factor.platform_account_id = account.id
    return factor


class Phone:
    """An authenticator application, and the account it was set up for."""

    def __init__(self, app: Flask, browser: Browser, clock_: time_machine.Traveller) -> None:
        self.app, self.browser, self.clock = app, browser, clock_
        begun = browser.post(f"{PAGE}/commencer", {"current_password": PASSWORD}, follow_redirects=True)
        found = re.search(r"<code>([A-Z2-7 ]+)</code>", begun.text)
        assert found, begun.text
        self.secret = found[1].replace(" ", "")
        shown = browser.post(f"{PAGE}/confirmer", {"code": self.code()})
        assert shown.status_code == 200, shown.text
        self.recovery = re.findall(r"<li><code>([0-9A-Z-]+)</code>", shown.text)
        clock_.shift(NEXT)

    def code(self, shift: timedelta = timedelta()) -> str:
        """Return the code shown now, or at another instant."""
        return pyotp.TOTP(self.secret).at(datetime.now(UTC) + shift)

    def give_password(self, browser: Browser | None = None, login: str = "claude.basalte") -> Browser:
        """Return a browser that gave the right password, and must now give the code."""
        browser = browser or Browser(self.app)
        answer = browser.sign_in("alpha", login, PASSWORD)
        assert answer.location == CODE, answer.location
        browser.get(CODE)
        return browser

    def try_code(self, code: str, browser: Browser | None = None, **typed: str) -> TestResponse:
        """Give the password, then a code."""
        return self.give_password(browser).post(CODE, {"code": code, **typed})
