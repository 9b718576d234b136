"""Text pasted from a référentiel: what becomes a competence, a bloc, the end of a label, and what is left aside."""

from __future__ import annotations

import pytest

from cpro.competences.pasted import list_by_block, read_pasted
from cpro.competences.reader import MAX_SIZE, UnreadableList


def read(text: str) -> list[tuple[str, str]]:
    return [(each.code, each.label) for each in read_pasted(text).records]


def aside(text: str) -> list[tuple[int, str, str]]:
    return [(each.line, each.text, each.reason) for each in read_pasted(text).left_aside]


class TestReadPasted:
    @pytest.mark.parametrize(
        "line",
        [
            "C1.1 – Rechercher une information",
            "C1.1 - Rechercher une information ;",
            "C1.1 : Rechercher une information.",
            "• C1.1 Rechercher une information",
            "- C1.1. Rechercher  une\u00a0information",
            "C 1.1\tRechercher une information",
            "C1.1;Rechercher une information",
            '"C1.1";"Rechercher une information"',
            "C1.1\nRechercher une information",
            "C1.1\n\nRechercher une information",
            "C1.1 Rechercher une\ninformation",
        ],
    )
    def test_read_pasted_a_competence_however_it_stands(self, line: str) -> None:
        assert read(line) == [("C1.1", "Rechercher une information")]

    @pytest.mark.parametrize("code", ["C1", "C13", "C01", "CP05", "CO1", "C1.1.2", "C1-1", "2.1"])
    def test_read_pasted_codes_with_or_without_dots(self, code: str) -> None:
        assert read(f"{code} Organiser son poste") == [(code, "Organiser son poste")]

    def test_read_pasted_several_competences_of_one_line(self) -> None:
        assert read("C3.1 Remplacer un élément de structure C3.2 Mettre en conformité un vitrage") == [
            ("C3.1", "Remplacer un élément de structure"),
            ("C3.2", "Mettre en conformité un vitrage"),
        ]

    @pytest.mark.parametrize("label", ["Usiner M8 Aluminium", 'Lire un "plan" ; le commenter', "Régler A4 Bis"])
    def test_read_pasted_a_label_is_kept_as_it_is_written(self, label: str) -> None:
        assert read(f"C2 {label}") == [("C2", label)]

    def test_read_pasted_a_code_twice_on_one_line_is_left_aside(self) -> None:
        assert read("C1 Étudier C1 Faire") == [("C1", "Étudier")]
        assert aside("C1 Étudier C1 Faire") == [(1, "C1 Faire", "le code C1 est déjà celui de la ligne 1")]

    def test_read_pasted_a_bloc_without_competence_is_left_aside(self) -> None:
        text = "Bloc n° 1\nPôle 1 : Préparer\nC1 Lire"

        assert list_by_block(read_pasted(text))[0][0] == "Pôle 1 : Préparer"
        assert aside(text) == [(1, "Bloc n° 1", "un bloc sans compétence")]

    def test_read_pasted_blocs_head_what_follows(self) -> None:
        found = read_pasted("C0 Avant\nBloc de compétences n° 1 : Préparer\nC1 Lire\nPÔLE 2\nC2 Poser\nC3 Régler")

        assert [(block, [each.code for each in records]) for block, records in list_by_block(found)] == [
            ("", ["C0"]),
            ("Bloc de compétences n° 1 : Préparer", ["C1"]),
            ("PÔLE 2", ["C2", "C3"]),
        ]

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("12", "un numéro de page"),
            ("Page 12 sur 58", "un numéro de page"),
            ("Code Intitulé", "un titre de colonne"),
            ("X X x", "une case de tableau"),
            ("C2 X X", "un code sans intitulé"),
            ("C2", "un code sans intitulé"),
            ("C1 Étudier", "le code C1 est déjà celui de la ligne 1"),
            ("- les symboles sont identifiés", "ni code, ni suite d’un intitulé"),
            ("ANNEXE III", "ni code, ni suite d’un intitulé"),
        ],
    )
    def test_read_pasted_leaves_aside_what_is_none_and_says_why(self, line: str, reason: str) -> None:
        assert read(f"C1 Étudier\n\n{line}") == [("C1", "Étudier")]
        assert aside(f"C1 Étudier\n\n{line}") == [(3, line, reason)]

    def test_read_pasted_a_word_cut_by_its_hyphen_is_joined(self) -> None:
        assert read("C4 Réaliser une installation éco-\nresponsable") == [
            ("C4", "Réaliser une installation éco-responsable")
        ]

    def test_read_pasted_what_cannot_be_kept_is_said_by_its_line(self) -> None:
        found = read_pasted("C1 Lire\nC2 " + "é" * 251)

        assert [each.partition(" : ")[0] for each in (fault.replace("\u202f", " ") for fault in found.faults)] == [
            "Ligne 2"
        ]
        with pytest.raises(UnreadableList, match="ci-dessous"):
            found.check()

    def test_check_refuses_a_text_without_any_competence(self) -> None:
        with pytest.raises(UnreadableList, match="Aucune compétence"):
            read_pasted("Le titulaire du diplôme intervient.").check()

    def test_check_refuses_more_than_a_diploma_expects(self) -> None:
        text = "\n".join(f"C{rank // 50}.{rank % 50} Faire" for rank in range(201))

        with pytest.raises(UnreadableList, match="le maximum est 200"):
            read_pasted(text).check()

    @pytest.mark.parametrize("text", ["x" * (MAX_SIZE + 1), "C1 \x00"])
    def test_read_pasted_refuses_what_is_no_list(self, text: str) -> None:
        with pytest.raises(UnreadableList, match="trop long"):
            read_pasted(text)
