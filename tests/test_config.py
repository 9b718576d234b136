"""Settings: each one is judged at the start, in one sentence that names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cpro.config import UnusableSetting, load_settings


@pytest.fixture
def given(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Return a function that reads settings over a folder of the test's own."""

    def read(**settings: str) -> dict:  # type: ignore[type-arg]
        folders = {"CPRO_INSTANCE": str(tmp_path / "instance"), "CPRO_UPLOADS": str(tmp_path / "uploads")}
        return load_settings({**folders, **settings})

    return read


REFUSED = (
    (
        "CPRO_DATABASE_URL",
        ["mysql://u:p@h/b", "nonsense", "sqlite://", "sqlite:///:memory:", "postgresql+asyncpg://h/b"],
    ),
    ("CPRO_MIGRATION_DATABASE_URL", ["sqlite:////tmp/x.sqlite3", "nonsense", "postgresql+asyncpg://h/b"]),
    ("CPRO_PUBLIC_URL", ["cpro.example", "ftp://cpro.example", "https://", "https://h:99999", "https://h/?a=1", "//h"]),
    ("CPRO_PROXIES", ["-1", "11", "deux", "1.5"]),
    ("CPRO_PROXY_HEADERS", ["prefix", "for,prefix", "X-Forwarded-For"]),
    ("CPRO_PORT", ["0", "65536", "5000.5"]),
    ("CPRO_LOCK_WAIT", ["0", "61", "deux"]),
    ("CPRO_STATEMENT_LIMIT", ["0", "601", "deux"]),
    ("CPRO_JOB_STATEMENT_LIMIT", ["59", "86401", "deux"]),
    ("CPRO_WORKER_NICE", ["-1", "20", "peu"]),
    ("CPRO_XLSX_ROWS", ["0", "1000001", "tout"]),
    ("CPRO_MAIL_URL", ["http://relay", "relay:25", "smtp://", "smtp://h:0"]),
    ("CPRO_JOBS_URL", ["http://h", "localhost:6379"]),
    ("CPRO_ENTITY", ["L’académie\x07", "A" * 201]),
    ("CPRO_ACCESSIBILITY_PLAN_URL", ["schema", "javascript:alert(1)", "https://", "https://e.fr/a b", "//e.fr/plan"]),
    ("CPRO_ACCESSIBILITY_YEAR_URL", ["plan-2026.pdf", "ftp://e.fr/plan", "https://h:99999/plan"]),
    ("CPRO_CONTACT_EMAIL", ["support", "a@b", "a b@c.fr"]),
)


class TestLoadSettings:
    @pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in REFUSED for value in values])
    def test_load_settings_refuses_what_cannot_be_used_and_names_it(self, given, name: str, value: str) -> None:  # type: ignore[no-untyped-def]
        with pytest.raises(UnusableSetting, match=name) as refusal:
            given(**{name: value})

        assert str(refusal.value).endswith(".")
        assert "\n" not in str(refusal.value)

    @pytest.mark.parametrize("value", ["mysql://user:s3cret@host/b", "smtpx://user:s3cret@host"])
    def test_load_settings_never_quotes_a_password(self, given, value: str) -> None:  # type: ignore[no-untyped-def]
        with pytest.raises(UnusableSetting) as refusal:
            given(**{"CPRO_DATABASE_URL" if "mysql" in value else "CPRO_MAIL_URL": value})

        assert "s3cret" not in str(refusal.value)

    @pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
    def test_load_settings_takes_each_name_of_postgresql_with_our_driver(self, given, scheme: str) -> None:  # type: ignore[no-untyped-def]
        settings = given(CPRO_DATABASE_URL=f"{scheme}://u:p%40ss@h:5433/base?options=-csearch_path%3Dx")

        assert settings["SQLALCHEMY_DATABASE_URI"].startswith("postgresql+psycopg://u:p%40ss@h:5433/base?options=")

    @pytest.mark.parametrize(
        ("settings", "niceness"),
        [
            ({}, 0),
            ({"CPRO_DATABASE_URL": "postgresql://u@h/base"}, 10),
            ({"CPRO_WORKER_NICE": "5"}, 5),
            ({"CPRO_DATABASE_URL": "postgresql://u@h/base", "CPRO_WORKER_NICE": "0"}, 0),
        ],
    )
    def test_load_settings_the_worker_holds_the_writer_of_sqlite_at_full_priority(
        self,
        given,  # type: ignore[no-untyped-def]
        settings: dict[str, str],
        niceness: int,
    ) -> None:
        assert given(**settings)["CPRO_WORKER_NICE"] == niceness

    def test_load_settings_an_ipv6_host_stands_in_brackets(self, given) -> None:  # type: ignore[no-untyped-def]
        assert given(CPRO_HOST="::1", CPRO_PORT="5001")["CPRO_PUBLIC_URL"] == "http://[::1]:5001"

    @pytest.mark.parametrize(
        ("typed", "kept"),
        [
            ("https://CPro.Ac-Exemple.FR", "https://cpro.ac-exemple.fr"),
            ("HTTPS://cpro.example:443/", "https://cpro.example"),
            ("http://cpro.example:80", "http://cpro.example"),
            ("https://cpro.example:80/Lycee/", "https://cpro.example:80/Lycee"),
            ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
        ],
    )
    def test_load_settings_writes_the_public_address_as_browsers_do(self, given, typed: str, kept: str) -> None:  # type: ignore[no-untyped-def]
        assert given(CPRO_PUBLIC_URL=typed)["CPRO_PUBLIC_URL"] == kept

    def test_load_settings_without_anything_stays_on_this_machine(self, given) -> None:  # type: ignore[no-untyped-def]
        settings = given()

        assert settings["CPRO_PUBLIC_URL"] == "http://127.0.0.1:5000"
        assert settings["CPRO_PROXIES"] == 0
        assert settings["SQLALCHEMY_DATABASE_URI"].endswith("/instance/cpro.sqlite3")
