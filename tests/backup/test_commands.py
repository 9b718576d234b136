"""The commands: what contradicts itself on their line, what they say where they fail half-way."""

from __future__ import annotations

import json
from pathlib import Path

import flask_migrate
import pyrage
import pytest
from sqlalchemy.exc import OperationalError

from cpro.backup import archive, operations
from tests.backup.conftest import KEY, Instance, Make, without_notes

pytestmark = pytest.mark.integration


class TestBackup:
    @pytest.mark.parametrize(
        "options",
        [
            "--recipient age1x --passphrase-file FILE",
            "--recipient age1x --passphrase",
            "--passphrase --passphrase-file FILE",
        ],
    )
    def test_backup_refuses_two_ways_to_encrypt(self, source: Instance, tmp_path: Path, options: str) -> None:
        words, path = tmp_path / "words", tmp_path / "saved.cpro"
        words.write_text("grès vif et marne")

        done = source.run("backup", str(path), *options.replace("FILE", str(words)).split(), input="a\na\n")

        assert (done.exit_code, done.stdout) == (2, "")
        assert "un seul" in done.stderr
        assert not path.exists()

    def test_backup_refuses_an_empty_recipient(self, source: Instance, tmp_path: Path) -> None:
        """`--recipient "$UNSET"` would leave everything readable."""
        done = source.run("backup", str(tmp_path / "saved.cpro"), "--recipient", "")

        assert (done.exit_code, done.stdout) == (1, "")
        assert "clé age" in done.stderr
        assert not (tmp_path / "saved.cpro").exists()

    def test_backup_encrypted_on_a_full_disk_says_so(
        self, source: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        words, write = tmp_path / "words", operations._Measured.write
        words.write_text("grès vif et marne")

        def write_a_little(sink: operations._Measured, content: bytes) -> int:
            if sink.size:  # after the key that begins the file
                raise OSError(28, "No space left on device")
            return write(sink, content)

        monkeypatch.setattr(operations._Measured, "write", write_a_little)
        done = source.run("backup", str(tmp_path / "saved.cpro"), "--passphrase-file", str(words))

        assert (done.exit_code, done.stdout) == (1, "")
        assert "le disque est plein" in done.stderr
        assert [path.name for path in tmp_path.iterdir() if "cpro" in path.name] == []


class TestRestore:
    def test_restore_refuses_two_ways_to_give_a_passphrase(self, saved: Path, instance: Make) -> None:
        done = instance().run("restore", str(saved), "--passphrase", "--passphrase-file", str(saved), input="a\n")

        assert (done.exit_code, done.stdout) == (2, "")
        assert "un seul" in done.stderr

    @pytest.mark.parametrize(
        "error", [SystemExit(1), OperationalError("ALTER TABLE", {}, Exception("full")), OSError(28, "full")]
    )
    def test_restore_says_what_holds_where_the_last_migration_fails(
        self, saved: Path, source: Instance, instance: Make, monkeypatch: pytest.MonkeyPatch, error: BaseException
    ) -> None:
        """Flask-Migrate ends the process where Alembic refuses."""
        there = instance()
        there.migrate()

        def fail() -> None:
            raise error

        monkeypatch.setattr(flask_migrate, "upgrade", fail)
        done = there.run("restore", str(saved), "--new-key")

        assert done.exit_code == 1
        assert "Sauvegarde restaurée" in done.stdout and "Ne valent plus" in done.stdout
        sentence = done.stderr.strip().splitlines()[-1]
        assert "sont restaurés" in sentence and "flask --app app db upgrade" in sentence
        assert there.files() == source.files() and not there.is_empty()


class TestSealed:
    @pytest.mark.slow
    def test_backup_under_a_passphrase_opens_with_it_alone(
        self, source: Instance, instance: Make, tmp_path: Path
    ) -> None:
        path, good, bad = (tmp_path / name for name in ("sealed.age", "good", "bad"))
        good.write_text("grès vif et marne\n")
        bad.write_text("autre chose")
        made = source.run("backup", str(path), "--passphrase-file", str(good))
        assert made.exit_code == 0, made.output
        assert "non chiffrée" not in made.stdout
        assert b"Lovelace" not in path.read_bytes() and path.stat().st_mode & 0o777 == 0o600

        there = instance()
        for given, words in (((), "est chiffrée"), (("--passphrase-file", str(bad)), "n’ouvre pas")):
            refused = there.run("restore", str(path), *given)
            assert (refused.exit_code, refused.stdout) == (1, "")
            assert words in refused.stderr
        done = there.run("restore", str(path), "--passphrase-file", str(good))

        assert done.exit_code == 0, done.output
        assert without_notes(there.rows()) == without_notes(source.rows())

    def test_backup_for_an_age_key_and_what_is_cut_is_refused(
        self, source: Instance, instance: Make, tmp_path: Path
    ) -> None:
        key, path, identity = pyrage.x25519.Identity.generate(), tmp_path / "sealed.age", tmp_path / "identity"
        identity.write_text(f"# created: 2026\n{key}\n")
        assert source.run("backup", str(path), "--recipient", str(key.to_public())).exit_code == 0
        opened = pyrage.decrypt(path.read_bytes(), [key])
        assert opened.startswith(b"\x1f\x8b"), "age opens it without CPro"

        there, whole = instance(), path.read_bytes()
        for harmed in (whole[:-20], whole[:2000] + b"\0" + whole[2001:]):
            path.write_bytes(harmed)
            refused = there.run("restore", str(path), "--identity-file", str(identity))
            assert (refused.exit_code, refused.stdout) == (1, "")
            assert "endommagée" in refused.stderr
        path.write_bytes(whole)
        checked = there.run("restore", str(path), "--identity-file", str(identity), "--check")
        assert checked.exit_code == 0, checked.output
        assert "Sauvegarde intacte" in checked.stdout
        assert not (there.folder / "cpro.sqlite3").exists(), "nothing is written"
        assert there.run("restore", str(path), "--identity-file", str(identity)).exit_code == 0

    def test_backup_holds_the_fingerprint_of_the_key_and_not_the_key(self, saved: Path) -> None:
        with saved.open("rb") as file:
            contents = b"".join(b"".join(member.chunks()) for member in archive.read(file))

        assert KEY.encode() not in contents
        with saved.open("rb") as file:
            about = json.loads(b"".join(next(archive.read(file)).chunks()))
        assert set(about) == {"format", "version", "created_at", "key"}
        assert json.dumps(about).count(KEY) == 0
