"""Files stored little by little: whole under their name, or nothing."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
import tracemalloc
import zipfile
from pathlib import Path
from typing import NoReturn

import pytest

from cpro.core.storage import MARK, FileStorage, StorageUnavailable


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    """Return a storage in an empty store."""
    made = FileStorage(tmp_path / "uploads")
    made.prepare()
    return made


def files_under(root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file() and path.name != MARK]


class TestDraft:
    def test_draft_is_stored_under_the_name_of_its_content(self, storage: FileStorage) -> None:
        with storage.draft(3, ".zip") as draft:
            draft.stream.write(b"un ")
            draft.stream.write(b"logo")
            assert draft.name == ""

        assert draft.name == storage.put(3, b"un logo", ".zip")
        assert files_under(storage.root) == [draft.name]
        assert stat.S_IMODE(storage.path(draft.name).stat().st_mode) == 0o640

    def test_draft_can_be_gone_back_into(self, storage: FileStorage) -> None:
        with storage.draft(3, ".zip") as draft, zipfile.ZipFile(draft.stream, "w") as archive:
            archive.writestr("a.txt", "a")

        with zipfile.ZipFile(storage.path(draft.name)) as archive:
            assert archive.testzip() is None

    def test_draft_what_raises_leaves_nothing(self, storage: FileStorage) -> None:
        with pytest.raises(LookupError), storage.draft(3, ".zip") as draft:
            draft.stream.write(b"commencement")
            raise LookupError

        assert files_under(storage.root) == []

    def test_draft_what_is_killed_is_swept(self, storage: FileStorage) -> None:
        with storage.draft(3, ".zip") as draft:
            draft.stream.write(b"commencement")
            [left] = files_under(storage.root)
            os.link(storage.root / left, storage.root / f"{left[:-5]}{'y' if left[-5] == 'z' else 'z'}.tmp")
        for name in files_under(storage.root):
            os.utime(storage.root / name, (time.time() - 7200,) * 2)

        storage.sweep({draft.name}, older_than=time.time() - 3600)

        assert files_under(storage.root) == [draft.name]

    @pytest.mark.parametrize("suffix", [".ZIP", "/..", ".a b"])
    def test_draft_refuses_a_suffix_that_could_lead_elsewhere(self, storage: FileStorage, suffix: str) -> None:
        with pytest.raises(ValueError, match="no stored name"), storage.draft(3, suffix):
            pass

    def test_draft_says_why_the_disk_refuses(self, storage: FileStorage, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*args: object) -> NoReturn:
            raise OSError(errno.ENOSPC, "full")

        monkeypatch.setattr(os, "fsync", full)

        with pytest.raises(StorageUnavailable, match="le disque est plein"), storage.draft(3, ".zip") as draft:
            draft.stream.write(b"x")

        assert files_under(storage.root) == []

    @pytest.mark.integration
    def test_draft_is_never_held_in_memory(self, storage: FileStorage) -> None:
        chunk = bytes(1024 * 1024)
        tracemalloc.start()
        with storage.draft(3, ".zip") as draft:
            for _ in range(32):
                draft.stream.write(chunk)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

        assert peak < 4 * len(chunk)
        assert hashlib.sha256(chunk * 32).hexdigest() in draft.name
