"""The store at a start: marked where it is the database's own, left alone where it may be the place of a lost disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from cpro import create_app
from cpro.core.storage import MARK, FileStorage, StorageUnavailable, StoreAbsent
from cpro.core.store import prepare_store, prepare_store_if_possible
from tests.helpers import pictures
from tests.helpers.browser import Browser
from tests.helpers.uploads import unmount, upload


@pytest.fixture
def store(app: Flask) -> Path:
    """Return the place of a store that was never prepared."""
    return unmount(app)


@pytest.fixture
def with_logo(app: Flask, as_: Callable[..., Browser]) -> Path:
    """Return a store that holds a logo."""
    assert upload(as_("administrator"), pictures.png()).status_code == 303
    return Path(app.config["CPRO_UPLOADS"])


def prepare(app: Flask) -> None:
    with app.app_context():
        prepare_store()


class TestPrepareStore:
    @pytest.mark.parametrize("is_there", [True, False], ids=["an empty folder", "no folder"])
    def test_prepare_store_of_a_new_platform_is_marked(self, app: Flask, store: Path, is_there: bool) -> None:
        if not is_there:
            store.rmdir()

        prepare(app)

        assert [path.name for path in store.iterdir()] == [MARK]
        FileStorage(store).check_writable()

    @pytest.mark.integration
    @pytest.mark.any_database
    def test_prepare_store_before_the_first_migration_is_marked(self, tmp_path: Path) -> None:
        settings = {"CPRO_INSTANCE": tmp_path, "CPRO_UPLOADS": tmp_path / "uploads", "SECRET_KEY": "of-no-value"}
        app = create_app({**settings, "SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path / 'cpro.sqlite3'}"})

        prepare(app)

        FileStorage(tmp_path / "uploads").check_writable()

    def test_prepare_store_of_an_older_version_is_marked_where_it_stands(self, app: Flask, with_logo: Path) -> None:
        (with_logo / MARK).unlink()

        prepare(app)

        assert (with_logo / MARK).exists()

    def test_prepare_store_whose_files_are_not_there_is_left_alone(
        self, app: Flask, with_logo: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        shutil.move(with_logo, elsewhere := with_logo.with_name("elsewhere"))
        with_logo.mkdir()
        try:
            with pytest.raises(StoreAbsent, match=r"ne contient aucun des fichiers.*fichier vide.*\.cpro-store"):
                prepare(app)
            with app.app_context():
                prepare_store_if_possible()

            assert "Montez son disque" in caplog.text
            assert list(with_logo.iterdir()) == []
        finally:
            with_logo.rmdir()
            shutil.move(elsewhere, with_logo)
        prepare(app)

    def test_prepare_store_that_cannot_be_made_says_so(self, app: Flask, store: Path) -> None:
        store.rmdir()
        store.write_bytes(b"")
        try:
            with pytest.raises(StorageUnavailable):
                prepare(app)
        finally:
            store.unlink()
