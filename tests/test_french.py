"""The words of the interface: one word for one thing, agreement and elision by the helpers; never by luck."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from cpro.core.formatting import FEMININE_LABELS, at_school, of_school, person_name, spoken_name, unfilled
from tests.helpers.screens import screens

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "cpro").rglob("*.py"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))

#: What is not said, and what is said instead; files that speak of the trade itself are left out by name.
UNSAID = {
    "tirer": (
        r"(?<![-\w])tir(?:er|é|ée|és|ées|ez|age|ages)\b",
        "exporter (a passport), préparer (sheets), créer (a code)",
    ),
    "geste": (r"\bgestes?\b", "action"),
    "classe": (r"\bclasses?\b", "division"),
    "réinitialisation faite": (r"réinitialisation faite", "a sentence with its verb"),
}
#: Texts of lessons, where the trade's own gestures and pullings are meant, and errors that only developers read.
_LEFT_OUT = {"records/demo_content.py", "scenarios/demo_content.py", "core/tenancy.py", "core/bulk_writes.py"}
#: Names of form fields and of columns that tables may have, and words that people type in the search, never shown.
_NAMES = {"geste", "classe", "classes", "code classe"}


def said_in_sources() -> Iterator[tuple[str, str]]:
    """Yield each text of the sources that people may read, docstrings and names left out."""
    for path in SOURCES:
        name = path.relative_to(ROOT / "cpro").as_posix()
        if name in _LEFT_OUT:
            continue
        tree = ast.parse(path.read_text())
        silent = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
                if node.value not in _NAMES:
                    yield f"cpro/{name}:{node.lineno}", node.value


def said_in_templates() -> Iterator[tuple[str, str]]:
    """Yield the words of the templates, without comments and attributes that nobody reads."""
    for path in TEMPLATES:
        text = re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.S)
        text = re.sub(r"""\b(?:class|id|name|value|aria-labelledby|css)=(?:"[^"]*"|'[^']*')""", "", text)
        yield f"templates/{path.relative_to(ROOT / 'templates')}", text


@pytest.mark.parametrize("word", UNSAID)
def test_french_has_one_word_for_one_thing(word: str) -> None:
    pattern, instead = UNSAID[word]
    found = [
        f"{where}: « {match[0]} »"
        for where, text in (*said_in_sources(), *said_in_templates())
        for match in re.finditer(pattern, text, re.IGNORECASE)
    ]
    assert not found, f"say {instead}: {found}"


#: A name put in a sentence takes « d’ » before a vowel, which only `of_name` knows.
_NAMED = re.compile(r"\bde \{\{? ?[\w.]*(?:label|name|login|nom)(?:\(\w*\))? ?\}\}?")


#: « pas de logo », « pas de cachet ».
_PICTURES = {"de {which.label}", "de {kind.label}"}


def test_of_name_alone_joins_a_name_to_de() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in (*SOURCES, *TEMPLATES)
        for match in _NAMED.finditer(path.read_text())
        if match[0] not in _PICTURES and path.name != "formatting.py"
    ]
    assert not found, f"use formatting.of_name, of_school, or another turn: {found}"


#: The masculine nouns that labels begin with: a new one is added here, or to `FEMININE_LABELS`.
MASCULINE = {
    *(
        "ancien",
        "bilan",
        "chiffre",
        "code",
        "complément",
        "dernier",
        "diplôme",
        "dreets",
        "délégué",
        "fichier",
        "fuseau",
    ),
    *(
        "greta",
        "identifiant",
        "ine",
        "inspecteur",
        "intitulé",
        "mcpfa",
        "nom",
        "objet",
        "prénom",
        "rôle",
        "sens",
        "site",
    ),
    *("transfert", "type", "téléphone", "uai", "utilise", "élève", "état", "établissement", "compte", "pupille"),
}
_SAID_OTHERWISE = re.compile(r" le$| par$|^Par$|^Dern|^D’où$|^Du$|^Au$|→")


def test_empty_value_agrees_with_its_label(migrated_app: Flask) -> None:
    labels = {column.label for screen in screens(migrated_app) for column in screen.columns}
    for label in labels:
        if _SAID_OTHERWISE.search(label):
            continue
        noun = next(word for word in label.lower().split() if word not in ("autre", "ancien"))
        known = {noun, noun.removesuffix("s")} & (MASCULINE | FEMININE_LABELS)
        assert known, f"« {label} »: say in formatting whether it is feminine"
        assert unfilled(label).startswith("non renseignée" if known & FEMININE_LABELS else "non renseigné")


@pytest.mark.parametrize(
    ("label", "unfilled_label"),
    [
        ("Adresse électronique", "non renseignée"),
        ("Autre établissement", "non renseigné"),
        ("Divisions", "non renseignées"),
        ("Fichiers", "non renseignés"),
        ("Code postal", "non renseigné"),
        ("Dernière connexion", "jamais"),
        ("Activé le", "jamais"),
        ("Fermé par", "personne"),
    ],
)
def test_empty_value_reads_well(label: str, unfilled_label: str) -> None:
    assert unfilled(label) == unfilled_label


@pytest.mark.parametrize(
    ("name", "of", "at"),
    [
        (
            "Lycée professionnel Ada Lovelace",
            "du lycée professionnel Ada Lovelace",
            "au lycée professionnel Ada Lovelace",
        ),
        ("LYCÉE POLYVALENT ALPHA", "du lycée POLYVALENT ALPHA", "au lycée POLYVALENT ALPHA"),
        ("CFA du Bâtiment", "du CFA du Bâtiment", "au CFA du Bâtiment"),
        ("École de la Marine", "de l’école de la Marine", "à l’école de la Marine"),
        ("EREA Jean Moulin", "de l’EREA Jean Moulin", "à l’EREA Jean Moulin"),
        ("Cité scolaire Sud", "de la cité scolaire Sud", "à la cité scolaire Sud"),
        ("Les Grandes Rives", "de l’établissement Les Grandes Rives", "à l’établissement Les Grandes Rives"),
        ("alpha", "de l’établissement alpha", "à l’établissement alpha"),
    ],
)
def test_school_name_stands_in_a_sentence(name: str, of: str, at: str) -> None:
    assert (of_school(name), at_school(name)) == (of, at)


def test_person_name_has_two_orders() -> None:
    assert person_name("Dupont-Hébert", "Zoé") == "DUPONT-HÉBERT Zoé"
    assert spoken_name("Zoé", "Dupont-Hébert") == "Zoé DUPONT-HÉBERT"


def test_person_name_alone_puts_names_in_order() -> None:
    full_name = re.compile(r"first_name\} \{[\w.]*last_name|last_name(?:\.upper\(\))?\)?\} \{[\w.]*first_name")
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in SOURCES
        for line in path.read_text().splitlines()
        if "fold(" not in line and "search_key" not in line
        for match in full_name.finditer(line)
    ]
    assert not found, f"person_name in lists, spoken_name in sentences: {found}"


#: A plain or a wide space where French sets a narrow one: inside guillemets, before a high mark.
_WIDE_IN_TEXT = re.compile(r".{0,20}(?:(?<=\w)[ \u00a0][;:!?»](?=\s|$)|«[ \u00a0]).{0,20}")
_WIDE_IN_SOURCES = re.compile(r".{0,20}(?:(?<=[\w’)»])[ \u00a0][;:!?](?=\s|$)|[ \u00a0]»|«[ \u00a0]).{0,20}")
#: What is no text of a template, and the texts that stand in it.
_WIRED = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|<[^<>]*>", re.S)
_QUOTED = re.compile(r"'([^']*)'")
#: What they say is read on a console, many of which have no narrow space.
_ON_A_CONSOLE = re.compile(r"cpro/(config|serving|demo|core/commands|\w+(/\w+)*/commands)\.py:")


def test_high_marks_and_guillemets_take_a_narrow_space() -> None:
    found = [
        f"{where}: {match[0]}"
        for where, text in said_in_templates()
        for words in (_WIRED.sub("", text), *(" ".join(_QUOTED.findall(each)) for each in _WIRED.findall(text)))
        for match in _WIDE_IN_TEXT.finditer(words)
    ]
    found += [
        f"{where}: {match[0]}"
        for where, text in said_in_sources()
        if not _ON_A_CONSOLE.match(where)
        for match in _WIDE_IN_SOURCES.finditer(text)
    ]
    assert not found, found


def test_narrow_spaces_are_escaped_in_scripts_and_typed_in_templates() -> None:
    scripts = sorted((ROOT / "static").rglob("*.js"))
    assert scripts
    found = [path.name for path in scripts if "\u202f" in path.read_text()]
    found += [path.name for path in TEMPLATES if r"\u202f" in path.read_text()]
    assert not found, f"see « Words » in CONTRIBUTING.md: {found}"
