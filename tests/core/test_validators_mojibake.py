"""Texts decoded with the wrong encoding: repaired where that is certain, refused where letters are lost."""

from __future__ import annotations

import pytest

from cpro.core.validators import GarbledText, clean_text
from cpro.core.validators.mojibake import repair_text


class TestRepairText:
    @pytest.mark.parametrize(
        ("spoiled", "text"),
        [
            ("AndrÃ©a", "Andréa"),
            ("AndrÃƒÂ©a", "Andréa"),
            ("ANDRÃ‰A", "ANDRÉA"),
            ("MÃ©tiers de lâ€™Ã©lectricitÃ©", "Métiers de l’électricité"),
            ("Å“uvre", "œuvre"),
            ("10Â³ Î©", "10³ Ω"),
            ("D&#39;Essai&#201;", "D'EssaiÉ"),
            ("D&amp;#39;Essai", "D'Essai"),
            ("&eacute;lectricit&eacute;", "électricité"),
            ("RenŽ", "René"),
            ("ANDRƒ", "ANDRÉ"),
            ("C™me", "Côme"),
            ("VoilÃ", "Voilà"),
            ("DeÃ  et lÃ bas", "Deà et là bas"),
            ("Fran\x8dois", "François"),
        ],
    )
    def test_repair_text_gives_the_text_back(self, spoiled: str, text: str) -> None:
        assert repair_text(spoiled) == text

    @pytest.mark.parametrize(
        "text",
        [
            *("Nguyễn Thị Hằng", "Ngô Đình Diệm", "Łukasz Żółć", "Şükrü Çelik", "Ğ", "Kêr", "C’hoadeg", "Ploërmel"),
            *("Teva Māui", "‘Aimata", "Ho‘onani", "Te’anau", "Hoarau-Ramsamy", "Tomáš Žižka", "Blažek", "Žofie", "Dž"),
            *("SÃO PAULO", "JOÃO", "MARÃA", "L’HAŸ", "ZOË", "Ærø", "Weiß", "Œuvrard", "NUÑEZ", "Zoé", "Anaïs", "Noël"),
            *("R&D", "Durand & Fils", "A & B; C", "10³ Ω", "mm²", "2°MELEC", "5 € †", "10 ‰", "Arduino™", "« Élec »"),
            *("Кирилл", "محمد", "Ελένη", "Ãngel", "Ő"),
        ],
    )
    def test_repair_text_leaves_names_of_all_languages_alone(self, text: str) -> None:
        assert repair_text(text) == text

    @pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "iso8859-15"])
    def test_repair_text_gives_back_every_french_letter_wherever_it_stands(self, encoding: str) -> None:
        names = [f"{start}Mar{letter}lle Zo{letter}" for letter in "àâäçéèêëîïôöùûüœæ" for start in ("", "É", "Œ", "Î")]
        spoiled = {name: name.encode().decode(encoding, "replace") for name in names}
        whole = {name: text for name, text in spoiled.items() if "\ufffd" not in text}

        assert len(whole) > 30
        assert {name: repair_text(text) for name, text in whole.items()} == {name: name for name in whole}

    def test_repair_text_repairs_nothing_where_letters_are_lost(self) -> None:
        assert repair_text("Andr\ufffda") is None


class TestCleanText:
    def test_clean_text_refuses_a_garbled_text_and_says_what_it_probably_is(self) -> None:
        with pytest.raises(GarbledText, match=r"« AndrÃ©a ».*« Andréa »") as refused:
            clean_text("AndrÃ©a", max_length=100)

        assert refused.value.suggestion == "Andréa"

    def test_clean_text_refuses_lost_letters_without_guessing(self) -> None:
        with pytest.raises(GarbledText, match="perdues") as refused:
            clean_text("Andr\ufffda", max_length=100)

        assert refused.value.suggestion == ""


class TestRepairTextOfWindowsAndAddresses:
    @pytest.mark.parametrize(
        ("spoiled", "expected"),
        [
            ("Ren├®", "René"),
            ("Th├®r├¿se", "Thérèse"),
            ("DUR%E9ND", "DURéND"),
            ("DUR%C3%A9ND", "DURéND"),
            ("Durand", "Durand"),
            ("Réussite à 100 %DE la classe", "Réussite à 100 %DE la classe"),
            ("TVA 20%ba", "TVA 20%ba"),
            ("Schéma ┌─┐", "Schéma ┌─┐"),
        ],
    )
    def test_repair_text_of_a_dos_window_or_of_an_address(self, spoiled: str, expected: str) -> None:
        assert repair_text(spoiled) == expected
