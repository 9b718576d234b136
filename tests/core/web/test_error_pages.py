"""Errors are shown in French, in the frame, without a word of what broke."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg.errors
import pytest
from flask import Flask
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InternalError, OperationalError

from cpro import create_app
from cpro.core.errors import Conflict, Forbidden, NotFound
from cpro.core.permissions import public
from cpro.extensions import db
from tests.factories import World
from tests.helpers.answers import ANSWERS, ERRORS, assert_french_page, assert_protected
from tests.helpers.browser import Browser


class TestErrorPages:
    @pytest.mark.parametrize("kind", sorted(ERRORS))
    def test_error_pages_are_french_and_stand_in_the_frame(self, as_: Callable[..., Browser], kind: str) -> None:
        status, ask = ANSWERS[kind]

        page = ask(as_("administrator")).text

        assert_french_page(page, status)
        assert "Se déconnecter" in page
        assert "Lycée alpha" in page

    @pytest.mark.parametrize(("path", "status"), [("/nulle-part/", 404), ("/a/b/c", 404)])
    def test_error_pages_stand_in_the_simple_frame_when_signed_out(
        self, world: World, browser: Callable[[], Browser], path: str, status: int
    ) -> None:
        answer = browser().get(path)

        assert answer.status_code == status
        assert_french_page(answer.text, status)
        assert "Se déconnecter" not in answer.text

    @pytest.mark.parametrize("path", ["/static/nulle-part.css", "/aide/%00"])
    def test_error_pages_stand_without_the_school_where_it_is_unknown(
        self, as_: Callable[..., Browser], caplog: pytest.LogCaptureFixture, path: str
    ) -> None:
        answer = as_("administrator").get(path)

        assert_french_page(answer.text, answer.status_code)
        told = [record for record in caplog.records if record.name != "cpro.requests"]
        assert not told, "the frame was drawn"

    def test_error_pages_a_wrong_method_says_what_is_possible(self, as_: Callable[..., Browser]) -> None:
        assert "GET" in as_("administrator").post("/ecoles").headers["Allow"]

    def test_error_pages_the_file_of_another_kind_of_request_is_not_echoed(
        self, browser: Callable[[], Browser]
    ) -> None:
        answer = browser().get("/<script>alert(1)</script>/")

        assert answer.status_code == 404
        assert "<script>alert" not in answer.text


def _fail_to_draw() -> dict[str, object]:
    raise RuntimeError("no page can be drawn")


class TestErrorPageOfAFailure:
    """A route that breaks, on an application of its own: never on the one under test."""

    @pytest.fixture
    def broken(self, app: Flask, tmp_path: Path, database: str) -> Iterator[Flask]:
        broken = create_app(
            {
                "CPRO_INSTANCE": tmp_path,
                "CPRO_UPLOADS": tmp_path / "uploads",
                "SQLALCHEMY_DATABASE_URI": database,
                "SECRET_KEY": "another-test-key",
                "TRUSTED_HOSTS": ["localhost"],
            }
        )
        raised = {
            "defect": ZeroDivisionError("secret detail"),
            "busy": OperationalError("SELECT secret detail", {}, psycopg.errors.LockNotAvailable()),
            "too long": OperationalError("SELECT secret detail", {}, psycopg.errors.QueryCanceled()),
            "away": OperationalError("SELECT secret detail", {}, psycopg.errors.AdminShutdown()),
            "full": OperationalError("INSERT secret detail", {}, psycopg.errors.DiskFull()),
            "read only": InternalError("INSERT secret detail", {}, psycopg.errors.ReadOnlySqlTransaction()),
            "damaged": InternalError("SELECT secret detail", {}, psycopg.errors.DataCorrupted()),
            "full store": OSError(errno.ENOSPC, "secret detail"),
            "forbidden": Forbidden("Ce geste vous est refusé."),
            "missing": NotFound("Cela n’existe pas."),
            "conflict": Conflict("Quelqu’un est passé avant vous."),
            "hostile": Conflict("<img src=x onerror=alert(1)>"),
        }

        @public
        def fail(kind: str) -> str:
            raise raised[kind]

        def unmarked() -> str:
            return "never shown"

        @public
        def misread() -> str:
            with db.engine.connect() as connection:
                connection.exec_driver_sql("SELECT secret_detail FROM student")
            return "never shown"

        broken.add_url_rule("/essai/<kind>", view_func=fail)
        broken.add_url_rule("/essai/wrong-statement", view_func=misread)
        broken.add_url_rule("/essai", view_func=unmarked)
        yield broken
        with broken.app_context():
            db.engine.dispose()

    @pytest.mark.parametrize(
        ("kind", "status", "words"),
        [
            ("defect", 500, "Une erreur est survenue"),
            ("wrong-statement", 500, "Une erreur est survenue"),
            ("forbidden", 403, "Ce geste vous est refusé."),
            ("missing", 404, "Cela n’existe pas."),
            ("conflict", 409, "Quelqu’un est passé avant vous."),
        ],
    )
    def test_error_page_of_a_defect_is_reported_in_french_without_its_detail(
        self, broken: Flask, kind: str, status: int, words: str
    ) -> None:
        answer = Browser(broken).get(f"/essai/{kind}")

        assert answer.status_code == status
        assert words in answer.text
        assert_french_page(answer.text, status)
        assert "secret detail" not in answer.text
        assert "Rien n’a été enregistré" not in answer.text, "a page was asked for: nothing was to be saved"
        assert_protected(answer)

    @pytest.mark.parametrize(
        ("kind", "status", "words", "seconds"),
        [
            ("busy", 503, "La base de données est occupée", "5"),
            ("too long", 503, "demandait trop de temps", "600"),
            ("away", 503, "La base de données ne répond pas", "60"),
            ("full", 507, "Le disque du serveur est plein", "600"),
            ("full store", 507, "Le disque du serveur est plein", "600"),
            ("read only", 503, "ne peut qu’être lue", "600"),
            ("damaged", 503, "La base de données est endommagée", "3600"),
        ],
    )
    def test_error_page_of_a_defect_a_failure_of_the_server_says_what_and_when_to_ask_again(
        self, broken: Flask, kind: str, status: int, words: str, seconds: str
    ) -> None:
        answer = Browser(broken).get(f"/essai/{kind}")

        assert (answer.status_code, answer.headers["Retry-After"]) == (status, seconds)
        assert words in answer.text
        assert_french_page(answer.text, status)
        assert "secret detail" not in answer.text

    def test_error_page_of_a_defect_is_logged(self, broken: Flask, caplog: pytest.LogCaptureFixture) -> None:
        Browser(broken).get("/essai/defect")

        assert any(record.exc_info and "secret detail" in str(record.exc_info[1]) for record in caplog.records)

    def test_error_page_of_a_defect_the_error_page_survives_a_broken_frame(self, broken: Flask) -> None:
        broken.template_context_processors[None].append(_fail_to_draw)

        answer = Browser(broken).get("/essai/defect")

        assert answer.status_code == 500
        assert "Une erreur est survenue" in answer.text
        assert "Traceback" not in answer.text
        assert "<main" not in answer.text, "the frame was drawn"

    def test_error_page_of_a_defect_is_escaped_without_its_frame(self, broken: Flask) -> None:
        broken.template_context_processors[None].append(_fail_to_draw)

        answer = broken.test_client().get("/essai/hostile")

        assert answer.status_code == 409
        assert "&lt;img src=x onerror=alert(1)&gt;" in answer.text
        assert "<img" not in answer.text
        assert "<main" not in answer.text, "the frame was drawn"

    def test_error_page_of_a_defect_an_unmarked_route_is_closed(self, broken: Flask) -> None:
        answer = Browser(broken).get("/essai")

        assert answer.status_code == 403
        assert "never shown" not in answer.text


@pytest.mark.integration
class TestDamagedDatabase:
    @pytest.mark.any_database
    def test_damaged_database_whose_header_is_destroyed_under_the_pages_is_a_503(
        self, app: Flask, as_: Callable[..., Browser], database: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        browser = as_("administrator")
        assert browser.get("/admin/eleves/").status_code == 200
        destroy_header(app, database)
        monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)  # as where it is served

        answer = browser.get("/admin/eleves/")

        assert answer.status_code == 503
        assert "La base de données est endommagée" in answer.text

    @pytest.mark.parametrize(("token", "is_offered"), [({}, True), ({"csrf_token": "guessed"}, False)])
    def test_damaged_database_what_a_page_of_ours_sent_is_offered_again(
        self,
        app: Flask,
        as_: Callable[..., Browser],
        database: str,
        monkeypatch: pytest.MonkeyPatch,
        token: dict[str, str],
        is_offered: bool,
    ) -> None:
        browser = as_("administrator")
        form = browser.form("/admin/parametres/etablissement")
        destroy_header(app, database)
        monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)  # as where it is served

        typed = {**form, "city": "Ville <neuve>", **token}
        answer = browser.post("/admin/parametres/etablissement", typed, token=not token)

        assert answer.status_code == 503
        assert ('name="city" value="Ville &lt;neuve&gt;"' in answer.text) is is_offered
        assert ("Réessayer" in answer.text) is is_offered

    @pytest.mark.parametrize("content", [b"this is no database" * 500, b"SQLite format 3\0" + b"\0" * 9000])
    def test_damaged_database_is_a_503_in_french_that_tells_the_truth(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "damaged.sqlite3").write_bytes(content)
        app = create_app(
            {
                "CPRO_INSTANCE": tmp_path,
                "CPRO_UPLOADS": tmp_path / "uploads",
                "SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path / 'damaged.sqlite3'}",
                "SECRET_KEY": "of-no-value",
            }
        )

        answer = app.test_client().get("/verifier/ABCD-EFGH-JKLM")
        ready = app.test_client().get("/sante/pret")

        assert (answer.status_code, ready.status_code) == (503, 503)
        assert "La base de données est endommagée" in answer.text
        assert "DatabaseError" not in answer.text


def destroy_header(app: Flask, database: str) -> None:
    """Destroy the header of the file under the pages; skip where the database is no file."""
    path = make_url(database).database
    if not database.startswith("sqlite") or path is None:
        pytest.skip("of SQLite alone")
    with app.app_context():
        db.engine.dispose()
    with Path(path).open("r+b") as file:
        file.write(bytes(100))
