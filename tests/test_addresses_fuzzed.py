"""Every address of the platform, on gunicorn, with whatever a person or a program may send: never a failure.

What is sent is drawn from a seed for each role: odd texts, ids of others, files, forms with or without their token.
No answer is a 5xx, sends back what it was given as markup, holds a byte of another school, or costs two seconds of CPU.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from bench.campaigns import size_of
from cpro import create_app
from cpro.config import PROJECT_ROOT
from tests.helpers.platform import children_of
from tests.journeys.conftest import empty_database
from tests.journeys.live import Live, live

pytestmark = pytest.mark.slow

REQUESTS = size_of("addresses")
PASSWORD = "Quartz-et-feldspath-7"
LOGINS = {
    "head": "chef",
    "administrator": "administrateur",
    "teacher": "enseignante",
    "student": "apprenant",
    "guest": "",
}
#: What only the other school holds.
FOREIGN = "Sentinelle-Ailleurs"
#: Posts that end what the test needs: the sign-in itself, a school closed.
LEFT_OUT = re.compile(r"deconnexion|connexion|activation|urgence|terminer")
#: Answers 503 while no worker lives, rightly.
READY = "/sante/pret"
CPU, GROWTH = 2.0, 200  # seconds an answer; megabytes in all
PIECES = (
    "<script>canary()</script>", "\"><img src=x onerror=canary()>", "' OR '1'='1", "1;DROP TABLE account--", "{{7*7}}",
    "${7*7}", "%s%n", "../../../../etc/passwd", "\r\nX-Canary: 1", "\x00", "\u202e", "é" * 300, "9" * 400, "-1", "0",
    "2026-13-45", "javascript:canary()", "[]", "{}", "null", "﷽" * 40, "\U0001f600", "=cmd|'/c calc'!A0", "", " ",
    "oui", "non", "on", "1", "2", "3", "40", "121", "student", "teacher", "2026-09-01", "csv", "xlsx",
)  # fmt: skip
_REFLECTED = (b"<script>canary", b"<img src=x onerror=canary", b"root:x:0")


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Live]:
    """Yield a platform that serves the demonstration, whose second school holds the foreign word."""
    with empty_database(tmp_path) as address, live(tmp_path, address, CPRO_DEMO_PASSWORD=PASSWORD) as running:
        running.flask("demo", "load")
        other = "(SELECT id FROM establishment WHERE code = 'chatelet')"
        for statement in (
            f"UPDATE student SET first_name = '{FOREIGN}' WHERE establishment_id = {other}",
            f"UPDATE account SET first_name = '{FOREIGN}' WHERE establishment_id = {other}",
            f"UPDATE division SET label = '{FOREIGN}' WHERE establishment_id = {other}",
        ):
            running.let_time_pass(statement)
        yield running


class Sender:
    """One browser that sends whatever it draws."""

    def __init__(self, platform: Live, login: str, draw: random.Random) -> None:
        self.platform, self.login, self.draw = platform, login, draw
        self.session, self.token = requests.Session(), ""
        self.sign_in()

    def sign_in(self) -> None:
        """Sign in anew, where there is somebody to sign in."""
        self.session = requests.Session()
        page = self.session.get(f"{self.platform.url}/connexion", timeout=60).text
        [token] = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', page)[:1]
        if self.login:
            fields = {"establishment": "lovelace", "login": self.login, "password": PASSWORD, "csrf_token": token}
            answer = self.session.post(
                f"{self.platform.url}/connexion", data=fields, headers=self._origin(), timeout=60
            )
            assert "/connexion" not in answer.url, answer.text[:2000]
            token = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', answer.text)[0]
        self.token = token

    def send(self, method: str, rule: str, names: list[str]) -> requests.Response:
        """Send one request to a route, everything about it drawn."""
        path = re.sub(r"<int:[^>]+>", lambda _found: self.draw.choice(("0", "1", "2", "5", "121", "9" * 20)), rule)
        path = re.sub(r"<any\(([\w-]+)[^>]*>", r"\1", path)
        path = re.sub(r"<[^>]+>", lambda _found: requests.utils.quote(self._text(), safe=""), path)
        query = self._fields(names)
        if method == "GET":
            return self._ask("GET", path, params=query)
        data = {**self._fields(names), **({"csrf_token": self.token} if self.draw.random() < 0.8 else {})}
        files = {name: ("x.xml", self._text().encode()) for name in ("files", "logo") if self.draw.random() < 0.1}
        return self._ask("POST", path, params=query if self.draw.random() < 0.3 else {}, data=data, files=files or None)

    def _ask(self, method: str, path: str, **sent: object) -> requests.Response:
        url, headers = f"{self.platform.url}{path}", self._origin()
        sent = {"allow_redirects": False, **sent}
        return self.session.request(method, url, headers=headers, timeout=60, **sent)  # type: ignore[arg-type]

    def _fields(self, names: list[str]) -> dict[str, str]:
        return {name: self._text() for name in self.draw.sample(names, self.draw.randint(0, 6))}

    def _text(self) -> str:
        return "".join(self.draw.choice(PIECES) for _ in range(self.draw.choice((1, 1, 1, 2, 3))))

    def _origin(self) -> dict[str, str]:
        return {"Origin": self.platform.url, "Sec-Fetch-Site": "same-origin"}


def routes(platform: Live) -> list[tuple[str, str]]:
    """Return every method and route that is asked for."""
    folder = platform.folder / "of-the-test"
    settings = {"CPRO_INSTANCE": folder, "SQLALCHEMY_DATABASE_URI": "sqlite://", "SECRET_KEY": "of-no-value"}
    rules = create_app(settings).url_map.iter_rules()
    found = {(method, rule.rule) for rule in rules for method in {"GET", "POST"} & (rule.methods or set())}
    return sorted((method, rule) for method, rule in found if method == "GET" or not LEFT_OUT.search(rule))


def names() -> list[str]:
    """Return every name that the sources read of an address or a form."""
    read = re.compile(r'(?:args|values|form)\.(?:get|getlist)\("([\w-]+)"|^    (\w+) = \w*Field\(', re.M)
    found = {"".join(each) for path in (PROJECT_ROOT / "cpro").rglob("*.py") for each in read.findall(path.read_text())}
    return sorted((found | {"id", "page", "tri", "recherche", "rowid", "ids"}) - {"csrf_token", "password"})


def cpu_of(web: int) -> float:
    """Return the seconds of CPU that the web processes have used."""
    spent = 0.0
    for each in [web, *children_of(web)]:
        numbers = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        spent += (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")
    return spent


def memory_of(web: int) -> float:
    """Return the megabytes that the web processes hold."""
    texts = [Path(f"/proc/{each}/status").read_text() for each in [web, *children_of(web)]]
    return sum(int(found) for text in texts for found in re.findall(r"VmRSS:\s+(\d+)", text)) / 1024


def test_addresses_fuzzed_never_fail_reflect_leak_nor_last(platform: Live) -> None:
    asked, known, web = routes(platform), names(), platform.web_number
    assert len(asked) > 150
    at_first, worst = 0.0, ("", 0.0)

    for role, login in LOGINS.items():
        draw = random.Random(f"{role} 7")
        sender = Sender(platform, login, draw)
        for _ in range(REQUESTS):
            method, rule = draw.choice(asked)
            before = cpu_of(web)
            answer = sender.send(method, rule, known)
            spent, where = cpu_of(web) - before, f"{role}: {method} {answer.url[:400]}"
            check(answer, where, busy=rule == READY)
            assert spent < CPU, f"{spent:.1f} s of CPU for {where}"
            worst = max(worst, (where, spent), key=lambda each: each[1])
            if login and "/connexion" in answer.headers.get("Location", ""):
                sender.sign_in()
        at_first = at_first or memory_of(web)

    more = memory_of(web) - at_first
    print(f"the dearest: {worst[1]:.2f} s of CPU, {worst[0]}; {more:.0f} MB more than after the first role")
    assert more < GROWTH


def check(answer: requests.Response, where: str, *, busy: bool) -> None:
    """Fail on an answer that fails, reflects what it was sent or holds what is of another school."""
    assert answer.status_code < 500 or (answer.status_code == 503 and busy), f"{answer.status_code}: {where}"
    assert "X-Canary" not in answer.headers, where
    for each in _REFLECTED:
        assert each not in answer.content, f"reflected: {where}"
    assert FOREIGN.encode() not in answer.content, f"of another school: {where}"
