"""What a backup holds is what a restoration gives back, on either database; anything else is refused."""

from __future__ import annotations

import io
import json
import os
import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from cpro.audit.models import AuditEntry
from cpro.backup import archive, operations
from cpro.backup.sealing import Keys
from cpro.core import tenancy
from cpro.core.server_key import ServerKey, claim_key
from cpro.core.storage import MARK
from cpro.core.transactions import platform_unit_of_work
from tests.backup.conftest import KEY, Instance, Make, fill, refuse, rewrite, without_notes
from tests.factories import NOW, make_account

PAIRS = [
    "sqlite sqlite",
    *(
        pytest.param(pair, marks=pytest.mark.postgresql)
        for pair in ("postgresql postgresql", "sqlite postgresql", "postgresql sqlite")
    ),
]
pytestmark = pytest.mark.integration
PAGE = "/admin/parametres/etablissement"


class TestRestore:
    @pytest.mark.slow
    @pytest.mark.parametrize("pair", PAIRS)
    def test_restore_gives_back_each_row_and_each_file(self, instance: Make, tmp_path: Path, pair: str) -> None:
        here, there = (instance(kind) for kind in pair.split())
        fill(here)
        rows, path = here.rows(), tmp_path / "saved.cpro"
        here.app.config["CPRO_MIGRATION_DATABASE_URL"] = ""  # the role that serves is enough, at night
        saved = here.run("backup", str(path))
        assert saved.exit_code == 0, saved.output

        done = there.run("restore", str(path))

        assert done.exit_code == 0, done.output
        assert without_notes(there.rows()) == without_notes(rows)
        assert there.files() == here.files() != {}
        assert sum(map(len, rows.values())) > 300
        verified = there.run("audit", "verify")
        assert verified.exit_code == 0, verified.output
        gone = max(
            int(row.split(",")[0].strip("(")) for row in rows["account"]
        )  # the row after it was deleted: its id is not given again
        with there.app.app_context(), platform_unit_of_work("test") as work:
            work.session.add(new := make_account(1))
            work.session.flush()
            assert new.id > gone + 1

    @pytest.mark.slow
    @pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
    def test_restore_of_a_backup_made_while_people_work_holds_together(
        self, instance: Make, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here, there, path = instance(kind), instance(), tmp_path / "saved.cpro"
        browser = fill(here)
        typed, cities, is_over = browser.form(PAGE), [], threading.Event()
        wrote = threading.Event()

        def work() -> None:
            while not is_over.is_set():
                assert browser.post(PAGE, {**browser.form(PAGE), "city": f"Ville {len(cities)}"}).status_code == 303
                cities.append(f"Ville {len(cities)}")
                wrote.set()

        people, write = threading.Thread(target=work), archive.Writer.add
        people.start()

        def write_slowly(writer: archive.Writer, name: str, content: bytes) -> None:
            wrote.clear()
            assert not name.startswith("tables/a") or wrote.wait(60), "people are kept waiting"
            write(writer, name, content)

        monkeypatch.setattr(archive.Writer, "add", write_slowly)
        try:
            done = here.run("backup", str(path))
        finally:
            is_over.set()
            people.join()

        assert done.exit_code == 0, done.output
        assert len(cities) > 2 and typed["city"] not in cities
        assert there.run("restore", str(path)).exit_code == 0
        verified = there.run("audit", "verify")
        assert verified.exit_code == 0, verified.output
        with there.app.app_context(), tenancy.platform_session("test") as session:
            changes = [row.changes for row in session.scalars(select(AuditEntry).order_by(AuditEntry.id))]
        seen = [change["city"][1] for change in changes if "city" in change][-1:]
        (city,) = [row for row in there.rows()["establishment"] if "Ville" in row or "lovelace" in row][:1]
        assert not seen or f"'{seen[0]}'" in city, "the row and its journal are of one instant"

    def test_restore_a_file_deleted_meanwhile_is_there(
        self, source: Instance, instance: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A sweep comes between the store and the database."""
        files, write_rows = source.files(), operations.rows.write_rows

        def sweep_first(*arguments: object) -> int:
            for name in files:
                (source.uploads / name).unlink()
            return write_rows(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(operations.rows, "write_rows", sweep_first)
        there, path = instance(), tmp_path / "saved.cpro"
        done = source.run("backup", str(path))
        for name, content in files.items():
            (source.uploads / name).write_bytes(content)
        assert done.exit_code == 0, done.output

        assert there.run("restore", str(path)).exit_code == 0
        assert there.files() == files

    def test_restore_goes_on_from_a_migrated_and_started_instance(self, saved: Path, instance: Make) -> None:
        there = instance()
        there.migrate()
        with there.app.app_context():
            claim_key(now=NOW)

        done = there.run("restore", str(saved))

        assert done.exit_code == 0, done.output
        assert "Sauvegarde restaurée" in done.stdout

    def test_restore_goes_on_after_one_that_was_killed_between_files_and_rows(
        self, saved: Path, source: Instance, instance: Make
    ) -> None:
        there = instance()
        for name, content in source.files().items():
            path = there.uploads / name
            path.parent.mkdir(parents=True)
            path.write_bytes(content)
            path.with_name(f".{path.name}.0123abcd.tmp").write_bytes(b"half")

        done = there.run("restore", str(saved))

        assert done.exit_code == 0, done.output

    @pytest.mark.slow
    @pytest.mark.parametrize("is_migrated", [False, True])
    def test_restore_an_older_backup_is_migrated(self, instance: Make, tmp_path: Path, is_migrated: bool) -> None:
        old, there, path = instance(), instance(), tmp_path / "old.cpro"
        old.migrate("0026")
        with old.app.app_context():
            operations.back_up(path, Keys(), now=NOW)
        if is_migrated:
            there.migrate()

        done = there.run("restore", str(path))

        assert done.exit_code == 0, done.output
        assert "révision 0026" in done.stdout
        assert there.run("audit", "verify").exit_code == 0
        assert there.run("backup", str(tmp_path / "again.cpro")).exit_code == 0


class TestRefusals:
    @pytest.mark.parametrize("harm", ["a byte", "the end", "half", "nothing", "another file"])
    def test_restore_refuses_what_is_damaged_or_partial(self, saved: Path, instance: Make, harm: str) -> None:
        whole, there = saved.read_bytes(), instance()
        middle = len(whole) // 2
        saved.write_bytes(
            {
                "a byte": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
                "the end": whole[:-4],
                "half": whole[:middle],
                "nothing": b"",
                "another file": b"%PDF-1.7 " * 1000,
            }[harm]
        )
        refuse(there, saved, "endommagée ou incomplète")

    def test_restore_refuses_a_member_that_is_not_what_was_written(self, saved: Path, instance: Make) -> None:
        """Changed and packed anew: the compression's own sum is right."""
        there = instance()
        rewrite(saved, lambda name, content: content.replace(b"Lovelace", b"Lavelace"), keep_sums=True)
        refuse(there, saved, "endommagée ou incomplète")

    @pytest.mark.parametrize(
        ("member", "old", "new"),
        [("cpro.json", b'"format": 1', b'"format": 2'), ("database.json", b'"revision": "00', b'"revision": "99')],
    )
    def test_restore_refuses_a_newer_backup(
        self, saved: Path, instance: Make, member: str, old: bytes, new: bytes
    ) -> None:
        rewrite(saved, lambda name, content: content.replace(old, new) if name == member else content)
        refuse(instance(), saved, "version plus récente")

    @pytest.mark.parametrize(
        ("member", "name", "value"),
        [
            ("cpro.json", "format", "1"),
            ("cpro.json", "version", None),
            ("cpro.json", "key", [KEY]),
            ("database.json", "revision", []),
            ("database.json", "tables", ["account"]),
            ("database.json", "tables", {"account": 3}),
            ("database.json", "tables", {"account": [["id", 3]]}),
            ("database.json", "last_ids", None),
            ("database.json", "last_ids", {"account": "12"}),
            ("database.json", "last_ids", {"account": 1 << 80}),
        ],
    )
    def test_restore_refuses_what_is_not_of_its_type(
        self, saved: Path, instance: Make, member: str, name: str, value: object
    ) -> None:
        def change(each: str, content: bytes) -> bytes:
            return json.dumps({**json.loads(content), name: value}).encode() if each == member else content

        rewrite(saved, change)
        refuse(instance(), saved, "endommagée ou incomplète", "--check")

    @pytest.mark.parametrize("row", [b"3", b"{}", b'["x"]', b"[" * 100_000, b"[1e999%s]", b"[%d%%s]" % (1 << 80)])
    def test_restore_refuses_a_row_that_is_none(self, saved: Path, instance: Make, row: bytes) -> None:
        def change(each: str, content: bytes) -> bytes:
            if not each.startswith("tables/audit_head/"):
                return content
            return row.replace(b"%s", b",null" * (len(json.loads(content.splitlines()[0])) - 1)) + b"\n"

        there = instance()
        there.migrate()
        rewrite(saved, change)
        refuse(there, saved, "endommagée ou incomplète")

    def test_restore_refuses_a_file_that_is_not_there(self, instance: Make, tmp_path: Path) -> None:
        refuse(instance(), tmp_path / "nowhere.cpro", "ne peut pas être lu")

    def test_restore_refuses_a_path_out_of_the_store(self, saved: Path, instance: Make, tmp_path: Path) -> None:
        out = io.BytesIO()
        with archive.writing(out) as writer:
            writer.add("files/../../evil", b"x")
        saved.write_bytes(out.getvalue())
        refuse(instance(), saved, "endommagée ou incomplète")
        assert not (tmp_path / "evil").exists()

    def test_restore_refuses_another_key_unless_it_is_lost(self, saved: Path, instance: Make) -> None:
        other = instance(key="another-key-of-no-value")
        refuse(other, saved, "sous une autre clé de serveur")

        done = other.run("restore", str(saved), "--new-key")

        assert done.exit_code == 0, done.output
        assert "Ne valent plus" in done.stdout
        with other.app.app_context(), tenancy.platform_session("test") as session:
            claim_key(now=NOW)
            assert session.scalars(select(ServerKey)).one()
        assert other.run("users", "list", "--establishment", "lovelace").exit_code == 0

    def test_restore_takes_the_backup_of_a_former_key(self, saved: Path, instance: Make) -> None:
        there = instance(key="another-key-of-no-value", SECRET_KEY_FALLBACKS=[KEY])

        assert there.run("restore", str(saved)).exit_code == 0
        assert there.run("audit", "verify").exit_code == 0

    def test_restore_refuses_an_instance_that_is_not_empty(self, source: Instance, saved: Path) -> None:
        rows, files = source.rows(), source.files()

        done = source.run("restore", str(saved))

        assert (done.exit_code, done.stdout) == (1, "")
        assert "n’est pas vide" in done.stderr
        assert (source.rows(), source.files()) == (rows, files)

    @pytest.mark.parametrize("present", ["another name", "another content", "a link", "a name of no backup"])
    def test_restore_refuses_a_store_that_is_not_empty(
        self, saved: Path, source: Instance, instance: Make, tmp_path: Path, present: str
    ) -> None:
        there = instance()
        name, content = next(iter(source.files().items()))
        path = there.uploads / {"another name": "1/strange.png", "a name of no backup": "été.png"}.get(present, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if present == "a link":
            (tmp_path / "elsewhere").write_bytes(content)
            path.symlink_to(tmp_path / "elsewhere")
        else:
            path.write_bytes(b"x")
        before = there.files()

        done = there.run("restore", str(saved))

        assert (done.exit_code, done.stdout) == (1, "")
        assert "1 fichier" in done.stderr
        assert there.files() == before
        assert not (there.folder / "cpro.sqlite3").exists(), "nothing is written"

    def test_restore_that_fails_leaves_the_files_that_were_there(
        self, saved: Path, source: Instance, instance: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        there = instance()
        there.migrate()
        (name, content), *others = source.files().items()
        assert others
        (there.uploads / name).parent.mkdir(parents=True)
        (there.uploads / name).write_bytes(content)

        def fail(*arguments: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(operations.rows, "give_ids_after", fail)
        done = there.run("restore", str(saved))

        assert (done.exit_code, done.stdout) == (1, "")
        assert there.files() == {name: content}

    @pytest.mark.parametrize("failing", ["rows", "a file"])
    def test_restore_that_fails_half_way_leaves_the_instance_empty(
        self, saved: Path, instance: Make, monkeypatch: pytest.MonkeyPatch, failing: str
    ) -> None:
        there = instance()
        there.migrate()

        def fail(*arguments: object) -> int:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            if failing == "rows":
                patch.setattr(operations.rows, "give_ids_after", fail)
            else:
                patch.setattr(operations.os, "replace", fail)
            refuse(there, saved, "le disque est plein")
        assert there.run("restore", str(saved)).exit_code == 0, "and it may be tried again"

    def test_back_up_refuses_to_write_over_a_file(self, source: Instance, saved: Path) -> None:
        before = saved.read_bytes()
        done = source.run("backup", str(saved))

        assert done.exit_code == 1
        assert "existe déjà" in done.stderr
        assert saved.read_bytes() == before

    def test_back_up_refuses_without_the_disk_of_the_store(self, saved: Path, instance: Make, tmp_path: Path) -> None:
        there = instance()
        assert there.run("restore", str(saved)).exit_code == 0
        assert (there.uploads / MARK).exists(), "what is restored is the store"
        there.uploads.rename(tmp_path / "unmounted")
        there.uploads.mkdir()

        done = there.run("backup", str(tmp_path / "incomplete.cpro"))

        assert done.exit_code == 1
        assert "ne contient aucun des fichiers" in done.stderr
        assert not (tmp_path / "incomplete.cpro").exists()

    def test_back_up_leaves_no_half_file(
        self, source: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*arguments: object) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(operations.rows, "write_rows", fail)
        done = source.run("backup", str(tmp_path / "folder.cpro"))

        assert done.exit_code == 1
        assert "le disque est plein" in done.stderr
        assert [path.name for path in tmp_path.iterdir() if "cpro" in path.name] == []


class TestDurability:
    def test_names_are_durable_once_they_are_given(
        self, source: Instance, instance: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The system is asked to make each folder durable after the last name that it was given."""
        there, path, asked = instance(), tmp_path / "folder" / "saved.cpro", set[Path]()
        path.parent.mkdir()
        replace, fsync = os.replace, os.fsync

        def note_replace(old: Path, new: Path) -> None:
            replace(old, new)
            asked.difference_update(new.parents)

        def note_fsync(number: int) -> None:
            fsync(number)
            asked.add(Path(os.readlink(f"/proc/self/fd/{number}")))

        monkeypatch.setattr(os, "replace", note_replace)
        monkeypatch.setattr(os, "fsync", note_fsync)

        assert source.run("backup", str(path)).exit_code == 0
        assert path.parent in asked
        assert there.run("restore", str(path)).exit_code == 0
        folders = {parent for name in there.files() for parent in (there.uploads / name).parents}
        assert {each for each in folders if each.is_relative_to(there.uploads)} <= asked
