"""What every answer shares: headers, hosts, tokens; odd input never breaks anything."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from secrets import token_hex

import pytest
from flask import Flask, Response, request, send_file
from sqlalchemy import func, select

from cpro.config import load_settings
from cpro.core.tenancy import platform_session
from cpro.core.web.headers import add_headers
from cpro.core.web.install import install
from cpro.establishments.models import Establishment
from tests.factories import World
from tests.helpers.access_table import GET
from tests.helpers.answers import ANSWERS, PARTICULARS, assert_protected, policy_of
from tests.helpers.browser import Browser
from tests.helpers.screens import screens


class TestHeaders:
    @pytest.mark.parametrize("kind", ANSWERS)
    def test_headers_every_answer_is_protected(self, as_: Callable[..., Browser], kind: str) -> None:
        status, ask = ANSWERS[kind]

        answer = ask(as_("administrator"))

        assert answer.status_code == status
        assert_protected(answer)
        assert answer.headers["Cache-Control"] == "no-store"

    @pytest.mark.parametrize("role", ["administrator", "head", "teacher", "student"])
    def test_headers_every_file_is_kept_by_no_browser(self, app: Flask, as_: Callable[..., Browser], role: str) -> None:
        browser = as_(role)
        exports = [f"{screen.url}/export/{kind}/" for screen in screens(app) for kind in ("csv", "xlsx")]

        kept = {}
        for page in [*GET, *exports]:
            answer = browser.get(page)
            if (
                answer.status_code == 200
                and answer.mimetype != "text/html"
                and not answer.mimetype.startswith("image/")
            ):
                kept[page] = answer.headers["Cache-Control"]
            answer.close()

        assert set(kept.values()) == {"no-store"}, kept

    def test_headers_a_file_of_the_disk_is_kept_by_no_browser(self, app: Flask, tmp_path: Path) -> None:
        path = tmp_path / "passeport.pdf"
        path.write_bytes(b"%PDF")

        with app.test_request_context("/mon-passeport.pdf"):
            for sent in (send_file(path), send_file(BytesIO(b"x"), mimetype="text/csv"), Response(iter([b"x"]))):
                assert add_headers(sent).headers["Cache-Control"] == "no-store"
                sent.close()
            own = Response(headers={"Cache-Control": "private, no-cache"})
            assert add_headers(own).headers["Cache-Control"] == "private, no-cache"

    @pytest.mark.parametrize("path", ["/connexion", "/activation", "/mot-de-passe-oublie", "/mentions/accessibilite"])
    def test_headers_pages_open_to_all_are_protected(self, browser: Callable[[], Browser], path: str) -> None:
        answer = browser().get(path)

        assert_protected(answer)
        assert answer.headers["Cache-Control"] == "no-store"

    @pytest.mark.parametrize(
        "path", ["/static/cpro.css", "/static/nulle-part.css", "/static/../cpro/config.py", "/sante"]
    )
    def test_headers_files_and_machines_get_them_too(
        self, browser: Callable[[], Browser], app: Flask, path: str
    ) -> None:
        answer = browser().get(path)

        assert answer.status_code == (404 if "nulle" in path or ".." in path else 200)
        assert_protected(answer)
        answer.close()

    def test_headers_the_nonce_is_new_each_time(self, browser: Callable[[], Browser]) -> None:
        visitor = browser()

        nonces = {re.findall(r"'nonce-([^']+)'", policy_of(visitor.get("/connexion")))[0] for _ in range(3)}

        assert len(nonces) == 3

    def test_headers_pages_hold_no_inline_script_nor_style(self, as_: Callable[..., Browser]) -> None:
        browser = as_("administrator")

        for path in ("/admin/", PARTICULARS, "/admin/parametres/logo", "/mon-compte"):
            page = browser.get(path).text
            for tag in re.findall(r"<(?:script|style)[^>]*>", page):
                assert "src=" in tag or "nonce=" in tag, f"{path}: {tag}"
            assert not re.search(r"<[^>]+\s(?:on\w+|style)=", page), path
            assert not re.search(r'(?:src|href)="(?:https?:)?//', page), f"{path} calls another site"

    def test_headers_https_is_remembered(self, browser: Callable[[], Browser]) -> None:
        secure = browser().get("/connexion", base_url="https://cpro.example")

        assert secure.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
        assert "Strict-Transport-Security" not in browser().get("/connexion").headers


class TestHosts:
    @pytest.mark.parametrize("host", ["[::1]", "[::1]:5000", "localhost:5000", "127.0.0.1"])
    def test_hosts_the_machine_itself_is_known_by_every_name(
        self, app: Flask, browser: Callable[[], Browser], monkeypatch: pytest.MonkeyPatch, host: str
    ) -> None:
        monkeypatch.setitem(app.config, "TRUSTED_HOSTS", load_settings({})["TRUSTED_HOSTS"])

        answer = browser().get("/connexion", headers={"Host": host})

        assert answer.status_code == 200
        assert "Secure" not in answer.headers["Set-Cookie"]

    def test_hosts_no_other_ipv6_address_is_known(
        self, app: Flask, browser: Callable[[], Browser], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(app.config, "TRUSTED_HOSTS", load_settings({})["TRUSTED_HOSTS"])

        assert browser().get("/connexion", headers={"Host": "[::2]"}).status_code == 400

    @pytest.mark.parametrize(
        "host", ["evil.example", "localhost.evil.example", "evil.example:80", "", "a b", "localhost@evil"]
    )
    @pytest.mark.parametrize("path", ["/connexion", "/", "/static/cpro.css", "/sante", "/nulle-part/x"])
    def test_hosts_an_unknown_host_is_refused(
        self, world: World, browser: Callable[[], Browser], host: str, path: str
    ) -> None:
        answer = browser().get(path, headers={"Host": host})

        assert answer.status_code == 400
        assert "evil" not in answer.text
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in answer.headers
        answer.close()

    def test_hosts_a_signed_in_browser_sent_to_another_host_is_refused(self, as_: Callable[..., Browser]) -> None:
        browser = as_("administrator")
        cookie = browser.client.get_cookie("cpro_session")
        assert cookie is not None

        answer = browser.get(PARTICULARS, headers={"Host": "evil.example", "Cookie": f"cpro_session={cookie.value}"})

        assert answer.status_code == 400
        assert "Lycée" not in answer.text

    def test_hosts_a_forwarded_host_is_not_believed_without_a_proxy(self, browser: Callable[[], Browser]) -> None:
        answer = browser().get(
            "/mon-compte", headers={"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
        )

        assert answer.location.startswith("/connexion")
        assert "evil" not in str(answer.headers)


class TestProxies:
    """Only the headers that the proxies in front are declared to write are believed."""

    FORWARDED = {
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "localhost",
        "X-Forwarded-Prefix": "//evil.example",
    }

    @pytest.mark.unit
    @pytest.mark.parametrize(
        ("believed", "expected"),
        [
            ({"for", "proto"}, ("203.0.113.7", "https", "127.0.0.1", "")),
            ({"for"}, ("203.0.113.7", "http", "127.0.0.1", "")),
            ({"for", "proto", "host"}, ("203.0.113.7", "https", "localhost", "")),
        ],
    )
    def test_proxies_what_was_not_declared_changes_nothing(
        self, believed: set[str], expected: tuple[str, str, str, str]
    ) -> None:
        app = Flask("proxied")
        app.config.update(SECRET_KEY=token_hex(), CPRO_METRICS_TOKEN="", CPRO_PROXIES=1, CPRO_PROXY_HEADERS=believed)
        install(app)

        @app.get("/")
        def look() -> list[str]:
            return [request.remote_addr or "", request.scheme, request.host, request.root_path.rstrip("/")]

        answer = app.test_client().get("/", headers=self.FORWARDED, base_url="http://127.0.0.1")

        assert tuple(answer.get_json()) == expected


class TestJson:
    def test_json_is_written_in_utf_8_as_pages_are(self, migrated_app: Flask) -> None:
        assert migrated_app.json.response("Élève").get_data() == '"Élève"\n'.encode()


class TestToken:
    POSTS = (
        PARTICULARS,
        "/admin/parametres/transferts",
        "/admin/parametres/masques?diplome=40025520",
        "/admin/parametres/masques/reinitialiser",
        "/admin/parametres/logo/supprimer/logo",
        "/mon-compte",
        "/deconnexion",
    )

    @pytest.mark.parametrize("path", POSTS)
    def test_token_a_post_without_it_is_refused_when_signed_in(self, as_: Callable[..., Browser], path: str) -> None:
        browser = as_("administrator")

        answer = browser.post(path, {"name": "x", "diplome": "40025520"}, token=False)

        assert answer.status_code == 400
        assert "Rien n’a été enregistré" in answer.text

    @pytest.mark.parametrize("path", [path for path in POSTS if path != "/deconnexion"])
    def test_token_a_post_leads_to_the_sign_in_when_signed_out(
        self, world: World, browser: Callable[[], Browser], path: str
    ) -> None:
        answer = browser().post(path, {"name": "x"}, token=False)

        assert answer.status_code == 303
        assert answer.location.startswith("/connexion")

    def test_token_that_of_another_browser_is_refused(self, as_: Callable[..., Browser]) -> None:
        browser, other = as_("administrator"), as_("administrator")
        stolen = re.findall(r'name="csrf_token" value="([^"]+)"', other.get(PARTICULARS).text)[0]
        browser.get(PARTICULARS)

        answer = browser.post(PARTICULARS, {"name": "x", "csrf_token": stolen}, token=False)

        assert answer.status_code == 400

    @pytest.mark.parametrize("path", ["/connexion", "/activation", "/mot-de-passe-oublie"])
    def test_token_signing_in_asks_for_it_too(self, world: World, browser: Callable[[], Browser], path: str) -> None:
        assert browser().post(path, {"login": "x"}, token=False).status_code == 400


class TestOddInput:
    @pytest.mark.parametrize(
        "path",
        [
            "/\x00/",
            "/connexion?suite=\x00",
            "/connexion?establishment=a\x00b",
            "/connexion?\x00=1",
            "/ecoles?recherche=\x00",
            "/aide/\x00",
            "/admin/parametres/masques?diplome=\x00",
            "/" + "x" * 5000 + "/",
            "/aide/" + "x" * 5000,
            "/admin/parametres/masques?diplome=" + "x" * 5000,
            "/admin/parametres/masques/reinitialiser?diplome=40025520&key=\x00",
            "/admin/parametres/masques/reinitialiser?diplome=40025520&key=nulle",
            "/ecoles/99999999999999999999/entrer",
            "/ecoles/-1/entrer",
            "/%ff%fe/",
            "/aide/%ed%a0%80",
            "/aide/..%2f..%2fetc",
        ],
    )
    @pytest.mark.parametrize("role", ["administrator", ""])
    def test_odd_input_in_an_address_never_breaks_anything(
        self, world: World, as_: Callable[..., Browser], browser: Callable[[], Browser], role: str, path: str
    ) -> None:
        visitor = as_(role) if role else browser()

        answer = visitor.get(path.replace("\x00", "%00"))

        assert answer.status_code < 500
        if "\x00" in path:
            assert 400 <= answer.status_code < 500

    def test_odd_input_a_long_page_to_come_back_to_is_carried(
        self, world: World, browser: Callable[[], Browser]
    ) -> None:
        answer = browser().get("/mon-compte?x=" + "é" * 500)

        assert answer.status_code == 303

    @pytest.mark.parametrize("name", ["cpro_session", "cpro_browser", "__Host-cpro_session"])
    @pytest.mark.parametrize("value", ["", "x" * 4000, "eyJfdXNlcl9pZCI6MX0.x.y", "%00", "é"])
    def test_odd_input_in_a_cookie_signs_no_one_in(
        self, world: World, browser: Callable[[], Browser], name: str, value: str
    ) -> None:
        visitor = browser()

        assert visitor.get("/connexion", headers={"Cookie": f"{name}={value}"}).status_code == 200
        assert visitor.get("/mon-compte", headers={"Cookie": f"{name}={value}"}).status_code == 303

    @pytest.mark.parametrize("name", ["name", "\x00", "x" * 10_000])
    def test_odd_input_in_a_field_is_refused_and_changes_nothing(
        self, as_: Callable[..., Browser], app: Flask, name: str
    ) -> None:
        browser = as_("administrator")
        fields = browser.form(PARTICULARS)

        answer = browser.post(PARTICULARS, {**fields, name: "a\x00b"})

        assert answer.status_code in (303, 422)
        with app.app_context(), platform_session("test") as session:
            assert session.scalar(select(func.count(Establishment.id)).where(Establishment.name.startswith("a"))) == 0

    def test_odd_input_a_field_of_two_megabytes_is_refused(self, as_: Callable[..., Browser]) -> None:
        part = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n' + b"y" * 2 * 1024 * 1024 + b"\r\n--x--\r\n"

        answer = as_("administrator").client.post(
            PARTICULARS, data=part, content_type="multipart/form-data; boundary=x"
        )

        assert answer.status_code == 413
