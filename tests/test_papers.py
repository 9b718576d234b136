"""The papers beside the code say what the code is: version, licence, migrations, pins, links."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from bench import architecture
from cpro.config import PROJECT_ROOT, VERSION
from tests.helpers.platform import run

DOCUMENTS = sorted([*PROJECT_ROOT.glob("*.md"), *(PROJECT_ROOT / "docs").rglob("*.md")])
#: A changelog and a decision that was superseded may name what is gone.
PRESENT = [
    path for path in DOCUMENTS if path.name != "CHANGELOG.md" and "\nSuperseded" not in path.read_text(encoding="utf-8")
]
SCRIPTS = sorted((PROJECT_ROOT / "static").glob("*.js"))
PROJECT = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())


def read(name: str) -> str:
    """Return the text of a file of the project."""
    return (PROJECT_ROOT / name).read_text(encoding="utf-8")


def name_of(requirement: str) -> str:
    """Return the normalised name of what a line of requirements asks for."""
    found = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else ""


class TestChangelog:
    def test_changelog_begins_with_the_version_of_the_code(self) -> None:
        headings = re.findall(r"^## (\S+)", read("CHANGELOG.md"), re.M)

        assert headings[0] == VERSION, "what changes now is told under the version that cpro/config.py names"

    def test_changelog_names_the_head_of_migrations(self) -> None:
        head = ScriptDirectory(str(PROJECT_ROOT / "migrations")).get_current_head()
        current = read("CHANGELOG.md").split("\n## ")[1]

        assert re.findall(r"^Head of the migrations: `(\w+)`", current, re.M) == [head]


class TestProject:
    def test_project_tells_its_version_once(self) -> None:
        assert "version" in PROJECT["project"]["dynamic"]
        assert PROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "cpro.config.VERSION"}
        assert re.search(rf'^VERSION = "{re.escape(VERSION)}"$', read("cpro/config.py"), re.M), "read without importing"

    def test_project_names_the_licence_that_is_there(self) -> None:
        assert PROJECT["project"]["license"] == "EUPL-1.2"
        assert read("LICENSE").startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2")

    def test_project_asks_for_the_python_that_the_tools_check(self) -> None:
        oldest = PROJECT["tool"]["mypy"]["python_version"]

        assert PROJECT["project"]["requires-python"] == f">={oldest}"
        assert PROJECT["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"


@pytest.mark.integration
@pytest.mark.slow
class TestCommand:
    def test_command_has_ours_without_the_development_server(self, tmp_path: Path) -> None:
        told = run(["-m", "cpro", "--help"], tmp_path)

        assert told.returncode == 0, told.stderr
        commands = re.findall(r"^  ([\w-]+)  ", told.stdout.partition("Commandes")[2], re.M)
        assert {"db", "establishments", "users", "worker"} <= set(commands)
        assert "run" not in commands

    def test_command_says_in_a_sentence_what_prevents_the_start(self, tmp_path: Path) -> None:
        told = run(["-m", "cpro", "users", "--help"], tmp_path, CPRO_MAIL_URL="nonsense")

        assert told.returncode == 1
        assert told.stderr.startswith("CPRO_MAIL_URL doit ressembler") and "Traceback" not in told.stderr


class TestRequirements:
    @pytest.mark.parametrize("name", ["requirements.txt", "requirements-redis.txt", "requirements-dev.txt"])
    def test_requirements_are_pinned_with_their_hashes(self, name: str) -> None:
        pins = re.split(r"\n(?=[a-z0-9])", re.sub(r"^ *#.*\n", "", read(name), flags=re.M))

        for pin in pins:
            assert re.match(r"[a-z0-9-]+==\S+", pin) and "--hash=sha256:" in pin, f"{pin[:40]}: make requirements"

    @pytest.mark.parametrize("name", ["requirements", "requirements-redis", "requirements-dev"])
    def test_requirements_hold_what_is_asked(self, name: str) -> None:
        asked = {name_of(line) for line in read(f"{name}.in").splitlines()} - {""}
        pinned = {name_of(line) for line in read(f"{name}.txt").splitlines()} - {""}

        assert asked <= pinned, f"make requirements: {asked - pinned}"

    def test_requirements_are_the_same_for_a_developer(self) -> None:
        pinned = {
            name: set(re.findall(r"^([a-z0-9-]+==\S+)", read(name), re.M))
            for name in ("requirements.txt", "requirements-redis.txt", "requirements-dev.txt")
        }

        assert pinned["requirements.txt"] | pinned["requirements-redis.txt"] <= pinned["requirements-dev.txt"]


class TestScripts:
    @pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
    def test_scripts_ask_an_editor_to_check_them(self, path: Path) -> None:
        assert path.read_text().startswith("// @ts-check\n")


class TestLinks:
    @pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT_ROOT)))
    def test_links_of_documents_lead_somewhere(self, path: Path) -> None:
        for target in re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), target


#: Where code and papers stand; what is written while the program runs is not among them.
FOLDERS = ("cpro", "tests", "bench", "docs", "migrations", "templates", "static", ".ci")
#: Every file and folder of the project, by its path from the root, with a slash before it.
PATHS = [f"/{path.name}" for path in PROJECT_ROOT.iterdir()] + [
    f"/{path.relative_to(PROJECT_ROOT).as_posix()}" for folder in FOLDERS for path in (PROJECT_ROOT / folder).rglob("*")
]
A_FILE = re.compile(r"(?:[\w.*<>-]+/)*[\w*<>-]+\.(?:py|html|typ|js|css|md|toml)")
A_PATH = re.compile(rf"(?:{'|'.join(map(re.escape, FOLDERS))})/[\w./*<>-]*")


def words_of_code(path: Path) -> list[str]:
    """Return the words that a document writes as code, those of its blocks left out."""
    prose = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.S)
    return [word for code in re.findall(r"`([^`]+)`", prose) for word in code.split()]


def leads_somewhere(word: str) -> bool:
    """Return whether a path, or the end of one, is that of a file; <feature> and * stand for any name."""
    if not {"*", "<"} & set(word):
        return any(path.endswith(f"/{word.rstrip('/')}") for path in PATHS)
    pattern = re.sub(r"\\\*|<\w+>", "[^/]*", re.escape(word.rstrip("/")))
    return any(re.search(f"/{pattern}$", path) for path in PATHS)


class TestNamesOfCode:
    @pytest.mark.parametrize("path", PRESENT, ids=lambda path: str(path.relative_to(PROJECT_ROOT)))
    def test_documents_name_files_that_are_there(self, path: Path) -> None:
        for word in sorted(set(words_of_code(path))):  # one may be named on every line
            if A_FILE.fullmatch(word) or A_PATH.fullmatch(word):
                assert leads_somewhere(word), f"{word} has moved: say where it is now"

    @pytest.mark.integration
    def test_documents_name_functions_that_are_there(self) -> None:
        sources = [*(PROJECT_ROOT / "cpro").rglob("*.py"), *(PROJECT_ROOT / "tests").rglob("*.py")]
        defined = set(re.findall(r"^ *(?:def|class) (\w+)", "\n".join(each.read_text() for each in sources), re.M))
        named = {
            (word, path.name)
            for path in PRESENT
            for word in words_of_code(path)
            if re.fullmatch(r"[a-z]+(_[a-z]+)+\(\)", word)
        }

        assert named, "the documents name some"
        assert {each for each in named if each[0].removesuffix("()") not in defined} == set()

    def test_documents_name_targets_that_make_knows(self) -> None:
        targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.M))
        named = {
            (target, path.name)
            for path in PRESENT
            for target in re.findall(r"`make ([a-z]+)[` ]", path.read_text(encoding="utf-8"))
        }

        assert {each for each in named if each[0] not in targets} == set()


@pytest.mark.integration
class TestArchitecture:
    """`make docs` draws the picture and the table again; a few lines or one import more do not ask for it."""

    def test_architecture_shows_the_layers_and_their_boxes(self) -> None:
        layers, _arrows = architecture.read_picture(architecture.PICTURE.read_text(encoding="utf-8"))

        assert layers == architecture.read_layers(), "the layers of pyproject.toml changed: make docs"

    def test_architecture_shows_nine_arrows_in_ten(self) -> None:
        house = architecture.read_house()
        _layers, arrows = architecture.read_picture(architecture.PICTURE.read_text(encoding="utf-8"))

        assert len(arrows ^ house.drawn) <= len(house.drawn) / 10, f"make docs: {sorted(arrows ^ house.drawn)}"

    def test_architecture_counts_lines_within_a_tenth(self) -> None:
        house = architecture.read_house()
        told = architecture.read_table(architecture.PAGE.read_text(encoding="utf-8"))

        assert told.keys() == house.lines.keys(), "make docs"
        for name, lines in house.lines.items():
            is_near = abs(told[name] - lines) <= max(lines / 10, 20)
            assert is_near, f"{name} has {lines} lines, not {told[name]}: make docs"
