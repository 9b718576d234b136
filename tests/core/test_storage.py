"""Files of the schools on the disk: names, durability, sweeping, and everything that must stay out of reach."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

import pytest

from cpro.core.errors import DomainError
from cpro.core.storage import MARK, FileStorage, StorageUnavailable, StoreAbsent, StoredFileMissing

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
    """Return the names of all the files, hidden ones included, but the mark."""
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if not path.is_dir()} - {MARK}


class TestPut:
    def test_put_names_the_file_by_school_and_content(self, storage: FileStorage) -> None:
        assert storage.put(3, CONTENT, ".png") == NAME

        assert storage.path(NAME).read_bytes() == CONTENT
        assert files_under(storage.root) == {NAME}

    @pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
    def test_put_lets_the_group_alone_read(self, storage: FileStorage) -> None:
        storage.put(3, CONTENT, ".png")

        assert stat.S_IMODE(storage.path(NAME).stat().st_mode) == 0o640
        assert stat.S_IMODE(storage.path(NAME).parent.stat().st_mode) & 0o007 == 0

    def test_put_gives_the_same_content_the_same_name(self, storage: FileStorage) -> None:
        assert storage.put(3, CONTENT, ".png") == storage.put(3, CONTENT, ".png")

        assert files_under(storage.root) == {NAME}

    def test_put_keeps_schools_apart(self, storage: FileStorage) -> None:
        names = {storage.put(3, CONTENT, ".png"), storage.put(4, CONTENT, ".png")}

        assert files_under(storage.root) == names
        assert len(names) == 2

    def test_put_makes_a_file_young_again(self, storage: FileStorage) -> None:
        storage.put(3, CONTENT, ".png")
        age(storage.path(NAME))

        storage.put(3, CONTENT, ".png")

        assert time.time() - storage.path(NAME).stat().st_mtime < 60

    def test_put_mends_a_damaged_file(self, storage: FileStorage) -> None:
        storage.put(3, CONTENT, ".png")
        storage.path(NAME).write_bytes(b"")

        storage.put(3, CONTENT, ".png")

        assert storage.path(NAME).read_bytes() == CONTENT

    @pytest.mark.parametrize("suffix", ["png", ".PNG", "./../x", ".tar.gz", "..", ".png\n", "/x", ".é", ".123456789"])
    def test_put_refuses_a_suffix_that_could_lead_elsewhere(self, storage: FileStorage, suffix: str) -> None:
        with pytest.raises(ValueError, match="suffix"):
            storage.put(3, CONTENT, suffix)

    @pytest.mark.parametrize("establishment_id", [0, -1, 10**19])
    def test_put_refuses_what_is_not_the_id_of_a_school(self, storage: FileStorage, establishment_id: int) -> None:
        with pytest.raises(ValueError, match="establishment"):
            storage.put(establishment_id, CONTENT, ".png")

    @pytest.mark.integration
    def test_put_writers_and_removers_of_the_same_content_do_not_disturb_each_other(self, storage: FileStorage) -> None:
        contents, long_ago = [bytes([number]) * 1000 for number in range(3)], time.time() - AN_HOUR

        def work(number: int) -> str:
            name = storage.put(3, contents[number % 3], ".bin")
            if number % 4 == 0:
                storage.delete(name)
            if number % 5 == 0:
                storage.sweep(set(), older_than=long_ago)
            return name

        with ThreadPoolExecutor(8) as pool:
            names = set(pool.map(work, range(120)))

        left = files_under(storage.root)
        assert left <= names
        assert all(hashlib.sha256((storage.root / name).read_bytes()).hexdigest() in name for name in left)

    @pytest.mark.parametrize(
        ("code", "status", "words"),
        [
            (errno.ENOSPC, 507, "\u202f: le disque est plein. "),
            (errno.EDQUOT, 507, "\u202f: le disque est plein. "),
            (errno.EFBIG, 507, "\u202f: le disque est plein. "),
            (errno.EACCES, 503, "\u202f: l’accès au dossier des fichiers est refusé. "),
            (errno.EIO, 503, "Le fichier n’a pas pu être enregistré sur le serveur. "),
        ],
    )
    def test_put_says_why_the_disk_refuses_and_leaves_no_trace(
        self, storage: FileStorage, monkeypatch: pytest.MonkeyPatch, code: int, status: int, words: str
    ) -> None:
        def refuse(_descriptor: int) -> NoReturn:
            raise OSError(code, "refused")

        storage.put(4, CONTENT, ".png")
        monkeypatch.setattr(os, "fsync", refuse)

        with pytest.raises(StorageUnavailable) as refusal:
            storage.put(3, CONTENT, ".png")

        assert refusal.value.status == status
        assert words in refusal.value.message
        assert files_under(storage.root) == {f"4/{DIGEST[:2]}/{DIGEST}.png"}

    def test_put_gives_up_when_its_folder_keeps_disappearing(
        self, storage: FileStorage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Path, "mkdir", lambda *_arguments, **_options: None)

        with pytest.raises(StorageUnavailable):
            storage.put(3, CONTENT, ".png")

    def test_put_leaves_the_former_file_when_the_new_one_cannot_take_its_place(
        self, storage: FileStorage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(_source: Path, _target: Path) -> NoReturn:
            raise PermissionError(errno.EACCES, "refused")

        storage.put(3, CONTENT, ".png")
        monkeypatch.setattr(os, "replace", refuse)

        with pytest.raises(StorageUnavailable):
            storage.put(3, CONTENT, ".png")

        assert files_under(storage.root) == {NAME}


class TestOpen:
    def test_open_opens_what_was_stored(self, storage: FileStorage) -> None:
        storage.put(3, CONTENT, ".png")

        with storage.open(NAME) as stream:
            assert stream.read() == CONTENT

    @pytest.mark.parametrize(
        "name",
        [
            "",
            ".gitkeep",
            "/etc/passwd",
            f"/{NAME}",
            f"../uploads/{NAME}",
            f"3/../{NAME}",
            f"{NAME}\n",
            f"{NAME}/",
            NAME.upper(),
            NAME.replace("/", "\\"),
            f"03/{DIGEST[:2]}/{DIGEST}.png",
            f"٣/{DIGEST[:2]}/{DIGEST}.png",
            f"3/ff/{DIGEST}.png",
            f"3/{DIGEST[:2]}/{DIGEST}.png\0.jpg",
            f"3/{DIGEST[:2]}/.{DIGEST}-abcdefgh.tmp",
        ],
    )
    def test_open_a_malformed_name_is_a_missing_file(self, storage: FileStorage, name: str) -> None:
        storage.put(3, CONTENT, ".png")

        for reach in (storage.open, storage.path, storage.delete):
            with pytest.raises(StoredFileMissing):
                reach(name)

    def test_open_says_that_the_file_is_gone(self, storage: FileStorage) -> None:
        with pytest.raises(DomainError) as refusal:
            storage.open(NAME)

        assert refusal.value.status == 404
        assert refusal.value.message == "Ce fichier n’est plus sur le serveur."

    def test_open_does_not_take_a_folder_for_a_file(self, storage: FileStorage) -> None:
        (storage.root / NAME).mkdir(parents=True)

        with pytest.raises(StoredFileMissing):
            storage.open(NAME)

    def test_open_reports_a_disk_that_cannot_be_read(
        self, storage: FileStorage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(_self: Path, _mode: str) -> NoReturn:
            raise OSError(errno.EIO, "refused")

        storage.put(3, CONTENT, ".png")
        monkeypatch.setattr(Path, "open", refuse)

        with pytest.raises(StorageUnavailable, match="n’a pas pu être lu"):
            storage.open(NAME)


@pytest.mark.parametrize("is_there", [True, False], ids=["an empty place", "no folder"])
class TestAbsent:
    """A store without its mark: the place of a disk that is not mounted."""

    @pytest.fixture
    def absent(self, tmp_path: Path, is_there: bool) -> FileStorage:
        if is_there:
            (tmp_path / "uploads").mkdir()
        return FileStorage(tmp_path / "uploads", "workbooks")

    def test_absent_nothing_is_written_and_the_refusal_says_it(self, absent: FileStorage, tmp_path: Path) -> None:
        before = sorted(tmp_path.rglob("*"))

        with pytest.raises(StoreAbsent) as refusal:
            absent.put(3, CONTENT, ".png")
        with pytest.raises(StoreAbsent):
            absent.check_writable()

        assert refusal.value.status == 503
        assert refusal.value.message == (
            "Le fichier n’a pas pu être enregistré sur le serveur\u202f: le dossier des fichiers n’est pas là. "
            "Prévenez la personne qui s’occupe du serveur, puis recommencez."
        )
        assert sorted(tmp_path.rglob("*")) == before

    def test_absent_a_file_is_not_said_to_be_lost(self, absent: FileStorage) -> None:
        with pytest.raises(StoreAbsent, match=r"n’a pas pu être lu.*n’est pas là"):
            absent.open(NAME)

    def test_absent_it_is_served_again_once_it_is_back(self, absent: FileStorage) -> None:
        absent.prepare()

        assert absent.path(absent.put(3, CONTENT, ".png")).read_bytes() == CONTENT


class TestDelete:
    def test_delete_removes_the_file_and_the_folders_it_leaves_empty(self, storage: FileStorage) -> None:
        storage.put(3, CONTENT, ".png")

        storage.delete(NAME)

        assert [path.name for path in storage.root.iterdir()] == [MARK]

    def test_delete_keeps_the_folder_of_another_file(self, storage: FileStorage) -> None:
        storage.put(3, CONTENT, ".png")
        other = storage.put(3, CONTENT, ".jpg")

        storage.delete(NAME)

        assert files_under(storage.root) == {other}

    def test_delete_says_nothing_of_a_file_already_gone(self, storage: FileStorage) -> None:
        storage.delete(NAME)

    def test_delete_reports_a_disk_that_refuses(self, storage: FileStorage) -> None:
        (storage.root / NAME).mkdir(parents=True)

        with pytest.raises(StorageUnavailable, match="n’a pas pu être supprimé"):
            storage.delete(NAME)


class TestSweep:
    def test_sweep_removes_what_no_row_names_once_it_is_old(self, storage: FileStorage) -> None:
        kept, young, old = (storage.put(3, content, ".png") for content in (b"kept", b"young", b"old"))
        age(storage.path(kept))
        age(storage.path(old))

        assert storage.sweep({kept}, older_than=time.time() - AN_HOUR) == [old]

        assert files_under(storage.root) == {kept, young}

    def test_sweep_removes_old_temporary_files(self, storage: FileStorage) -> None:
        storage.put(3, CONTENT, ".png")
        folder = storage.path(NAME).parent
        left_over, in_use = folder / f".{DIGEST}-abcd_123.tmp", folder / f".{DIGEST}-abcd_124.tmp"
        left_over.write_bytes(b"")
        in_use.write_bytes(b"")
        age(left_over)

        swept = storage.sweep({NAME}, older_than=time.time() - AN_HOUR)

        assert swept == [f"3/{DIGEST[:2]}/{left_over.name}"]
        assert in_use.exists()

    def test_sweep_never_touches_what_it_could_not_have_written(self, storage: FileStorage) -> None:
        strangers = [
            ".gitkeep",
            "README.txt",
            f"{DIGEST}.png",
            "3/.gitkeep",
            f"3/{DIGEST[:2]}/notes.tmp",
            f"3/{DIGEST[:2]}/.{DIGEST}.tmp",
            f"3/ff/{DIGEST}.png",
            f"03/{DIGEST[:2]}/{DIGEST}.png",
            f"3/{DIGEST[:2]}/deeper/{DIGEST}.png",
        ]
        for stranger in strangers:
            path = storage.root / stranger
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
            age(path)

        assert storage.sweep(set(), older_than=time.time()) == []

        assert files_under(storage.root) == set(strangers)

    def test_sweep_prunes_the_folders_it_empties_but_not_the_root(self, storage: FileStorage) -> None:
        storage.put(3, CONTENT, ".png")
        age(storage.path(NAME))

        storage.sweep(set(), older_than=time.time())

        assert [path.name for path in storage.root.iterdir()] == [MARK]

    def test_sweep_gives_back_a_file_written_again_in_the_meantime(
        self, storage: FileStorage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        storage.put(3, CONTENT, ".png")
        age(storage.path(NAME))
        rename = os.rename

        def rename_after_a_writer(source: Path, target: Path) -> None:
            storage.put(3, CONTENT, ".png")
            rename(source, target)

        monkeypatch.setattr(os, "rename", rename_after_a_writer)

        assert storage.sweep(set(), older_than=time.time() - AN_HOUR) == []

        assert files_under(storage.root) == {NAME}
        assert storage.path(NAME).read_bytes() == CONTENT

    def test_sweep_goes_on_after_a_file_that_refuses(
        self, storage: FileStorage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        first, second = sorted(storage.put(3, content, ".png") for content in (b"un", b"deux"))
        age(storage.path(first))
        age(storage.path(second))
        rename = os.rename

        def refuse_the_first(source: Path, target: Path) -> None:
            if source == storage.root / first:
                raise PermissionError(errno.EACCES, "held")
            rename(source, target)

        monkeypatch.setattr(os, "rename", refuse_the_first)

        assert storage.sweep(set(), older_than=time.time() - AN_HOUR) == [second]

        assert first in caplog.text


class TestCheckWritable:
    def test_check_writable_accepts_a_folder_and_leaves_nothing_in_it(self, storage: FileStorage) -> None:
        storage.check_writable()

        assert [path.name for path in storage.root.iterdir()] == [MARK]

    def test_check_writable_refuses_a_root_that_cannot_be_a_folder(self, storage: FileStorage) -> None:
        (storage.root / MARK).unlink()
        storage.root.rmdir()
        storage.root.write_bytes(b"")

        with pytest.raises(StorageUnavailable, match="ne peut pas enregistrer de fichiers") as refusal:
            storage.check_writable()
        assert not isinstance(refusal.value, StoreAbsent)

    def test_check_writable_names_a_read_only_disk(self, storage: FileStorage, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*, dir: Path) -> NoReturn:
            raise OSError(errno.EROFS, "read-only", str(dir))

        monkeypatch.setattr(tempfile, "TemporaryFile", refuse)

        with pytest.raises(StorageUnavailable, match="en lecture seule"):
            storage.check_writable()
