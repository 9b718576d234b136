"""UAI, INE and CNIL numbers: the keys that catch a typing error, the forms people give them."""

from __future__ import annotations

import random
import string

import pytest

from cpro.core.validators import (
    INEKind,
    InvalidCNILReference,
    InvalidINE,
    InvalidText,
    InvalidUAI,
    ine_kind,
    is_ine_filler,
    is_ine_key_doubtful,
    normalise_cnil_reference,
    normalise_ine,
    normalise_uai,
    uai_key,
)

#: Attested establishment numbers (BO n° 37 of 2008, BO spécial 8 of 2009) and the fictitious ones of the samples.
ATTESTED_UAIS = (
    "0900236T 0310050L 0570109J 0380098A 0570088L 0610022T 0810048M 0570234V 0900294F 0040010P 0040533H 0130040Y "
    "0750680G 0951099D 0590181B 0060002V 0999001W 0999002X"
).split()


class TestUAIKey:
    @pytest.mark.parametrize("uai", ATTESTED_UAIS)
    def test_uai_key_agrees_with_published_numbers(self, uai: str) -> None:
        assert uai_key(uai[:7]) == uai[7]

    @pytest.mark.parametrize("digits", ["", "057010", "05701099", "057010A", "٠٥٧٠١٠٩", "0570109\n"])
    def test_uai_key_wants_seven_ascii_digits(self, digits: str) -> None:
        with pytest.raises(ValueError, match="seven digits"):
            uai_key(digits)

    @pytest.mark.parametrize("seed", range(20))
    def test_uai_key_accepts_one_letter_and_no_other_for_any_digits(self, seed: int) -> None:
        rng = random.Random(seed)

        for _ in range(50):
            digits = "".join(rng.choices(string.digits, k=7))
            accepted = [letter for letter in string.ascii_uppercase if is_accepted(digits + letter)]
            assert accepted == [uai_key(digits)]

    @pytest.mark.parametrize("seed", range(20))
    def test_uai_key_catches_every_mistyped_digit_and_every_swap(self, seed: int) -> None:
        rng = random.Random(seed)
        digits = "".join(rng.choices(string.digits, k=7))
        mistyped = {digits[:i] + digit + digits[i + 1 :] for i in range(7) for digit in string.digits}
        swapped = {digits[:i] + digits[i + 1] + digits[i] + digits[i + 2 :] for i in range(6)}

        for wrong in (mistyped | swapped) - {digits}:
            assert uai_key(wrong) != uai_key(digits)


def is_accepted(uai: str) -> bool:
    try:
        return normalise_uai(uai) == uai
    except InvalidUAI:
        return False


class TestNormaliseUAI:
    @pytest.mark.parametrize(
        "text",
        ["0570109J", " 0570109 j ", "0570109-J", "057.0109.j", "057 01 09 J", "0570109\u00a0J", "\u200b0570109J"],
    )
    def test_normalise_uai_returns_seven_digits_and_a_capital(self, text: str) -> None:
        assert normalise_uai(text) == "0570109J"

    @pytest.mark.parametrize(("text", "expected_letter"), [("0940321S", "N"), ("0570109O", "J"), ("1237457A", "M")])
    def test_normalise_uai_gives_the_expected_letter_when_the_key_is_wrong(
        self, text: str, expected_letter: str
    ) -> None:
        with pytest.raises(InvalidUAI) as caught:
            normalise_uai(text)

        assert "la lettre de contrôle ne correspond pas aux chiffres" in caught.value.message
        assert f"est {expected_letter})" in caught.value.message

    @pytest.mark.parametrize(
        "text",
        [
            "0570109",
            "570109J",
            "05701099J",
            "0570109JJ",
            "O570109J",
            "٠٥٧٠١٠٩J",
            "０５７０１０９J",
            "0570109Ｊ",
            "0310050ſ",
            "0570109J;",
        ],
    )
    def test_normalise_uai_refuses_another_form(self, text: str) -> None:
        with pytest.raises(InvalidUAI, match="sept chiffres et d’une lettre"):
            normalise_uai(text)


class TestNormaliseCNILReference:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("1390450", "1390450"),
            ("795360", "795360"),
            ("1679866 v 0", "1679866 v 0"),
            ("1929152 V0", "1929152 v 0"),
            (" 2003574v0 ", "2003574 v 0"),
            ("2003574 v 12", "2003574 v 12"),
            ("1 679 866\u00a0v\u00a00", "1679866 v 0"),
        ],
    )
    def test_normalise_cnil_reference_writes_a_declaration_in_one_way(self, text: str, expected: str) -> None:
        assert normalise_cnil_reference(text, "declaration") == expected

    @pytest.mark.parametrize(
        "text", ["12345", "12345678", "1679866 v", "v 0", "1679866 x 0", "DPO-12345", "١٦٧٩٨٦٦", "１６７９８６６"]
    )
    def test_normalise_cnil_reference_refuses_what_is_no_declaration(self, text: str) -> None:
        with pytest.raises(InvalidCNILReference, match="6 ou 7 chiffres"):
            normalise_cnil_reference(text, "declaration")

    @pytest.mark.parametrize(("text", "expected"), [(" RT  12 ", "RT 12"), ("12345", "12345"), ("r" * 60, "r" * 60)])
    def test_normalise_cnil_reference_keeps_a_register_reference_as_a_tidy_line(self, text: str, expected: str) -> None:
        assert normalise_cnil_reference(text, "registre") == expected

    def test_normalise_cnil_reference_refuses_a_register_reference_that_is_too_short(self) -> None:
        with pytest.raises(InvalidCNILReference, match="au moins 3 caractères"):
            normalise_cnil_reference("RT", "registre")

    def test_normalise_cnil_reference_refuses_a_register_reference_that_is_too_long(self) -> None:
        with pytest.raises(InvalidText, match="61 caractères, le maximum est 60"):
            normalise_cnil_reference("r" * 61, "registre")


class TestNormaliseINE:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [("990000011db", "990000011DB"), (" 9900 0000 44n ", "9900000044N"), ("abc_1234567", "ABC_1234567")],
    )
    def test_normalise_ine_returns_eleven_characters_in_capitals(self, text: str, expected: str) -> None:
        assert normalise_ine(text) == expected

    @pytest.mark.parametrize(
        "text", ["990000011D", "990000011DBX", "990000011-B", "99000001éDB", "٩٩٠٠٠٠٠١١DB", "９９００００011DB"]
    )
    def test_normalise_ine_refuses_another_length_or_another_alphabet(self, text: str) -> None:
        with pytest.raises(InvalidINE, match="onze chiffres ou lettres"):
            normalise_ine(text)


class TestINEKind:
    @pytest.mark.parametrize(
        ("ine", "kind"),
        [
            ("9900000044N", INEKind.BEA),
            ("990000011DB", INEKind.RNIE),
            ("2026A12345B", INEKind.APPRENTICE),
            ("0ABC1234567", INEKind.OTHER),
            ("99000000440", INEKind.OTHER),
            ("ABC_1234567", INEKind.OTHER),
            ("", INEKind.OTHER),
        ],
    )
    def test_ine_kind_tells_the_family_from_the_form(self, ine: str, kind: INEKind) -> None:
        assert ine_kind(ine) is kind


class TestIsINEKeyDoubtful:
    @pytest.mark.parametrize("ine", ["9900000044N", "990000011DB", "990000022CA", "990000099EA"])
    def test_is_ine_key_doubtful_trusts_a_right_key(self, ine: str) -> None:
        assert is_ine_key_doubtful(ine) is False

    @pytest.mark.parametrize("ine", ["9900000044P", "9900000044I", "990000011DC", "990000011BD", "990000011ZZ"])
    def test_is_ine_key_doubtful_doubts_a_wrong_key(self, ine: str) -> None:
        assert is_ine_key_doubtful(ine) is True

    @pytest.mark.parametrize("ine", ["", "2026A12345B", "0ABC1234567", "ABC_1234567"])
    def test_is_ine_key_doubtful_says_nothing_of_the_kinds_whose_key_is_unknown(self, ine: str) -> None:
        assert is_ine_key_doubtful(ine) is False

    @pytest.mark.parametrize("seed", range(10))
    def test_is_ine_key_doubtful_finds_one_right_key_for_any_nine_digits(self, seed: int) -> None:
        digits = "".join(random.Random(seed).choices(string.digits, k=9))
        keys = [first + second for first in string.ascii_uppercase for second in string.ascii_uppercase]

        assert sum(not is_ine_key_doubtful(digits + key) for key in keys) == 1


class TestIsINEFiller:
    @pytest.mark.parametrize(
        "filler",
        "00000000000 XXXXXXXXXXX 11111111111 12121212121 0A0A0A0A0A0 12312312312 01234567890 12345678901 123456789AB "
        "1234567890A 987654321AA 000000001AA 00000000001 0000000000A A1111111111 INCONNU0000 SANSINE0000 "
        "SANSNUMERO0 NONCONNU000 _ NEANT 999999999ZZ".split(),
    )
    def test_is_ine_filler_what_people_type_so_that_a_column_is_not_empty(self, filler: str) -> None:
        assert is_ine_filler(filler)
        with pytest.raises(InvalidINE):
            normalise_ine(filler)

    @pytest.mark.parametrize(
        "ine", ["990000011DB", "060123456HA", "1234506789A", "0000123456X", "2604A00012B", "990020000CE", "120304050GH"]
    )
    def test_is_ine_filler_a_number_with_zeros_or_a_few_equal_digits_is_none(self, ine: str) -> None:
        assert not is_ine_filler(ine)
