"""Read a competence list from a file."""

from __future__ import annotations

import pytest

from cpro.competences.reader import CompetenceRecord, UnreadableList, decode, read_list

TWO = [CompetenceRecord("C1", "Étudier"), CompetenceRecord("C2", "Poser ; câbler")]


@pytest.mark.parametrize(
    "text",
    [
        'code;intitulé\nC1;Étudier\nC2;"Poser ; câbler"\n',
        "code,intitulé\r\nC1,Étudier\r\nC2,Poser ; câbler\r\n",
        "Code\tLibellé\nC1\tÉtudier\n\n\nC2\tPoser ; câbler",
        'intitule;CODE;note\nÉtudier;C1;x\n"Poser ; câbler";C2\n',
    ],
)
def test_read_list_reads_the_usual_ways_of_writing_it(text: str) -> None:
    assert read_list(text) == TWO


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_decode_reads_the_usual_encodings(encoding: str) -> None:
    assert read_list(decode("code;intitulé\nC1;Étudier l’existant".encode(encoding))) == [
        CompetenceRecord("C1", "Étudier l’existant")
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "La première ligne du fichier doit nommer"),
        ("C1;Étudier", "La première ligne du fichier doit nommer"),
        ("code;intitulé\n", "aucune compétence"),
        ("code;intitulé\nC\x001;x", "n’est pas une liste"),
        ("code;intitulé\n" + "\n".join(f"C{n};x" for n in range(201)), "le maximum est 200"),
        ('code;intitulé\nC1;"sans fin', "les guillemets"),
        ("x" * 300_000, "n’est pas une liste"),
    ],
)
def test_read_list_refuses_what_is_no_list(text: str, sentence: str) -> None:
    with pytest.raises(UnreadableList) as refusal:
        read_list(text)

    assert sentence in refusal.value.message


def test_read_list_names_each_line_to_correct() -> None:
    text = "code;intitulé\nC1;Étudier\n;Sans code\nc1;Encore\nC 2;Blanc\nC3;\nC4;" + "x" * 251

    with pytest.raises(UnreadableList) as refusal:
        read_list(text)

    assert [line.replace("\u202f", " ").split(" : ", 1) for line in refusal.value.lines] == [
        ["Ligne 3", "il manque le code."],
        ["Ligne 4", "le code c1 est déjà celui de la ligne 2."],
        ["Ligne 5", "le code « C 2 » doit compter de 1 à 16 lettres sans accent ou chiffres."],
        ["Ligne 6", "il manque l’intitulé de la compétence C3."],
        ["Ligne 7", "le texte compte 251 caractères, le maximum est 250. Raccourcissez-le."],
    ]


def test_read_list_reads_again_what_our_files_defuse() -> None:
    assert read_list("code;intitulé\nC1;'=Égaliser") == [CompetenceRecord("C1", "=Égaliser")]


@pytest.mark.parametrize("content", [b"PK\x03\x04rest", b"code;\x81\x8d\x8f\x90", b"x" * 900_000])
def test_decode_refuses_what_is_no_text(content: bytes) -> None:
    with pytest.raises(UnreadableList):
        decode(content)
