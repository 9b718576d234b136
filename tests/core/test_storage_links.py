"""Symbolic links in the folder of the files: none leads outside it."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from cpro.core.storage import MARK, FileStorage, StoredFileMissing

CONTENT = b"un logo"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
NAME = f"3/{DIGEST[:2]}/{DIGEST}.png"
AN_HOUR = 3600.0


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    """Return a storage in an empty store."""
    made = FileStorage(tmp_path / "uploads")
    made.prepare()
    return made


def age(path: Path, seconds: float = 2 * AN_HOUR) -> None:
    """Make the file look as if it had been written that long ago."""
    os.utime(path, (time.time() - seconds,) * 2)


def files_under(root: Path) -> set[str]:
    """Return the names of all the files, hidden ones included."""
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if not path.is_dir()}


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
class TestSymbolicLinks:
    def test_symbolic_links_a_link_to_a_file_outside_opens_nothing(self, storage: FileStorage, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_bytes(b"secret")
        (storage.root / NAME).parent.mkdir(parents=True)
        (storage.root / NAME).symlink_to(secret)

        for reach in (storage.open, storage.path, storage.delete):
            with pytest.raises(StoredFileMissing):
                reach(NAME)
        assert secret.read_bytes() == b"secret"

    def test_symbolic_links_a_school_folder_that_leads_outside_is_neither_read_nor_written_nor_swept(
        self, storage: FileStorage, tmp_path: Path
    ) -> None:
        elsewhere = FileStorage(tmp_path / "elsewhere")
        elsewhere.prepare()
        elsewhere.put(3, CONTENT, ".png")
        age(elsewhere.path(NAME))
        (storage.root / "3").symlink_to(elsewhere.root / "3")

        with pytest.raises(StoredFileMissing):
            storage.open(NAME)
        with pytest.raises(StoredFileMissing):
            storage.put(3, b"autre", ".png")

        assert storage.sweep(set(), older_than=time.time()) == []
        assert files_under(elsewhere.root) - {MARK} == {NAME}

    def test_symbolic_links_a_loop_of_links_is_a_missing_file(self, storage: FileStorage) -> None:
        (storage.root / NAME).parent.mkdir(parents=True)
        (storage.root / NAME).symlink_to(storage.root / NAME)

        with pytest.raises(StoredFileMissing):
            storage.open(NAME)

    def test_symbolic_links_the_root_itself_may_be_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "disk").mkdir()
        (tmp_path / "uploads").symlink_to(tmp_path / "disk")
        storage = FileStorage(tmp_path / "uploads")
        storage.prepare()

        storage.put(3, CONTENT, ".png")

        assert storage.path(NAME).read_bytes() == CONTENT
