"""What people type in the forms: normalised to one form, or refused with a sentence that helps."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable

import pytest

from cpro.core.errors import DomainError
from cpro.core.validators import (
    RESERVED_CODES,
    TIMEZONES,
    InvalidEmail,
    InvalidPhone,
    InvalidPostalCode,
    InvalidSchoolCode,
    InvalidText,
    InvalidTimezone,
    InvalidWebsite,
    clean_person_name,
    clean_text,
    fold,
    normalise_cnil_reference,
    normalise_email,
    normalise_ine,
    normalise_phone,
    normalise_postal_code,
    normalise_school_code,
    normalise_timezone,
    normalise_uai,
    normalise_website,
)

Normaliser = Callable[[str], str]


def normalise_line(text: str) -> str:
    return clean_text(text, max_length=20)


def normalise_declaration(text: str) -> str:
    return normalise_cnil_reference(text, "declaration")


def normalise_register(text: str) -> str:
    return normalise_cnil_reference(text, "registre")


#: One wrong text for each function at least: the rules common to all are checked on these.
REFUSED: list[tuple[Normaliser, str]] = [
    (normalise_line, "a\0b"),
    (normalise_line, "a" * 21),
    (normalise_uai, "0940321S"),
    (normalise_uai, "abc"),
    (normalise_email, "a@b"),
    (normalise_email, "a" * 300),
    (normalise_phone, "12"),
    (normalise_phone, "+33 12"),
    (normalise_postal_code, "9500A"),
    (normalise_website, "javascript:alert(1)"),
    (normalise_website, "https://lycee"),
    (normalise_website, "un site"),
    (normalise_website, "https://a:b@lycee.fr"),
    (normalise_website, "https://[lycee.fr"),
    (normalise_website, "https://lycee.fr/" + "a" * 300),
    (normalise_declaration, "12345"),
    (normalise_register, "ab"),
    (normalise_register, "a" * 61),
    (normalise_ine, "123"),
    (normalise_timezone, "Europe/Berlin"),
    (normalise_school_code, "1a"),
    (normalise_school_code, "admin"),
]
NORMALISERS = list(dict.fromkeys(normalise for normalise, _ in REFUSED))


class TestEveryNormaliser:
    @pytest.mark.parametrize("normalise", NORMALISERS)
    @pytest.mark.parametrize("blank", ["", "   ", "\t\r\n", "\u00a0\u202f", "\u200b\ufeff"])
    def test_normalisers_let_a_blank_through_as_an_empty_text(self, normalise: Normaliser, blank: str) -> None:
        assert normalise(blank) == ""

    @pytest.mark.parametrize(("normalise", "text"), REFUSED)
    def test_normalisers_refuse_in_a_well_set_french_sentence_without_naming_a_field(
        self, normalise: Normaliser, text: str
    ) -> None:
        with pytest.raises(DomainError) as caught:
            normalise(text)

        message = caught.value.message
        assert caught.value.field is None
        assert message[0].isupper()
        assert message.endswith(".")
        assert not re.search(r"['\"]| [;:!?»]|« ", message)

    @pytest.mark.parametrize("normalise", NORMALISERS)
    @pytest.mark.parametrize("text", ["\ud83d" * 11, "0570109J\0", "a\u202eb.fr", "x" * 100_000])
    def test_normalisers_refuse_ill_formed_and_endless_texts(self, normalise: Normaliser, text: str) -> None:
        with pytest.raises(DomainError):
            normalise(text)


class TestCleanText:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("  Lycée   Gallieni ", "Lycée Gallieni"),
            ("Lycée\tGallieni\r\nToulouse", "Lycée Gallieni Toulouse"),
            ("Lycée\u00a0Gallieni\u2028", "Lycée Gallieni"),
            ("Lyce\u0301e", "Lycée"),
            ("Gal\u00adlieni\u200b", "Gallieni"),
            ("Bravo ✓ 😀", "Bravo ✓ 😀"),
            ("L’Œuvre d’Aÿ & <b>", "L’Œuvre d’Aÿ & <b>"),
        ],
    )
    def test_clean_text_returns_one_tidy_line(self, text: str, expected: str) -> None:
        assert clean_text(text, max_length=50) == expected

    @pytest.mark.parametrize(
        "char", "\0 \x07 \x1b \x7f \x85 \x9f \ud800 \udfff \u202a \u202e \u2066 \u2069 \uffff".split(" ")
    )
    def test_clean_text_refuses_invisible_characters(self, char: str) -> None:
        with pytest.raises(InvalidText, match="caractère de contrôle"):
            clean_text(f"Lycée{char}Gallieni", max_length=50)

    @pytest.mark.parametrize("text", ["Zo" + "e" + "\u0301" * 4, "Jean\u0378", "a" + "\u0300\u0301\u0302\u0303"])
    def test_clean_text_refuses_signs_that_nobody_types(self, text: str) -> None:
        with pytest.raises(InvalidText, match="que l’on ne tape pas"):
            clean_text(text, max_length=100)

    @pytest.mark.parametrize("text", ["Nguyễn", "Ẵ", "Ǟ", "Jean\u2800", "\u061cJean\ufe0f", "Je\u034fan"])
    def test_clean_text_keeps_or_tidies_what_people_do_type(self, text: str) -> None:
        assert clean_text(text, max_length=100) in {"Nguyễn", "Ẵ", "Ǟ", "Jean"}

    def test_clean_text_accepts_the_maximum_length_after_tidying(self) -> None:
        assert clean_text(" " + "e\u0301" * 20 + " ", max_length=20) == "é" * 20

    def test_clean_text_gives_both_lengths_when_the_text_is_too_long(self) -> None:
        with pytest.raises(InvalidText, match="compte 1\u202f250 caractères, le maximum est 200"):
            clean_text("a" * 1250, max_length=200)

    def test_clean_text_puts_the_label_before_the_sentence(self) -> None:
        with pytest.raises(InvalidText, match=r"^Nom\u202f: le texte compte 3 caractères"):
            clean_text("abc", max_length=2, label="Nom")


class TestNormaliseEmail:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("chef@lycee.example", "chef@lycee.example"),
            (" Ce.0570109J@AC-Nancy-Metz.FR ", "Ce.0570109J@ac-nancy-metz.fr"),
            ("a+b_c@sous.domaine.fr", "a+b_c@sous.domaine.fr"),
            ("chef@école.fr", "chef@xn--cole-9oa.fr"),
            ("chef@xn--cole-9oa.fr", "chef@xn--cole-9oa.fr"),
        ],
    )
    def test_normalise_email_lowers_the_domain_only_and_writes_it_in_ascii(self, text: str, expected: str) -> None:
        assert normalise_email(text) == expected

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("a@b", "il manque un point"),
            ("chef.lycee.fr", "arobase"),
            ("chef@@lycee.fr", "arobase"),
            ("@lycee.fr", "arobase"),
            ("chef@", "arobase"),
            ("le chef@lycee.fr", "espace"),
            ("zoé@lycee.fr", "accent"),
            ("chef@lycee..fr", "pas valable"),
            ("chef@lycee.invalid", "pas valable"),
            ("chef@[192.0.2.1]", "pas valable"),
            ("=?utf-8?q?x=40ailleurs.fr=2C?=@lycee.fr", "pas valable"),
            ("a" * 65 + "@lycee.fr", "pas valable"),
            ("a" * 250 + "@b.fr", "255 caractères, le maximum est 254"),
        ],
    )
    def test_normalise_email_says_in_french_what_is_wrong(self, text: str, reason: str) -> None:
        with pytest.raises(InvalidEmail, match=reason):
            normalise_email(text)


class TestNormalisePhone:
    @pytest.mark.parametrize(
        "text",
        [
            "0123456789",
            "01 23 45 67 89",
            "01.23.45.67.89",
            "01-23-45-67-89",
            "(0)1 23 45 67 89",
            "+33 1 23 45 67 89",
            "+33 (0)1 23 45 67 89",
            "+33 01 23 45 67 89",
            "0033123456789",
            "01\u00a023\u202f45 67 89",
            "01‑23‑45‑67‑89",
        ],
    )
    def test_normalise_phone_writes_french_numbers_in_pairs(self, text: str) -> None:
        assert normalise_phone(text) == "01 23 45 67 89"

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("0262 12 34 56", "02 62 12 34 56"),
            ("+262 262 12 34 56", "+262 262123456"),
            ("+262 (0)692 12 34 56", "+262 692123456"),
            ("+590 590 12 34 56", "+590 590123456"),
            ("+594 594 12 34 56", "+594 594123456"),
            ("+596 596 12 34 56", "+596 596123456"),
            ("+687 12.34.56", "+687 123456"),
            ("+689 40 12 34 56", "+689 40123456"),
            ("+508 41 23 45", "+508 412345"),
            ("00 681 72 12 34", "+681 721234"),
            ("+377 93 12 34 56", "+377 93123456"),
            ("+32 (0)2 123 45 67", "+32 21234567"),
            ("+352 27 12 34 56", "+352 27123456"),
            ("+1 (202) 555-0123", "+1 2025550123"),
        ],
    )
    def test_normalise_phone_keeps_the_country_code_of_the_others(self, text: str, expected: str) -> None:
        assert normalise_phone(text) == expected

    @pytest.mark.parametrize(
        "text",
        [
            "123456789",
            "012345678",
            "01234567890",
            "0023456789",
            "01 23 45 67 8A",
            "+33 12 34",
            "+33 0012345678",
            "+262 12 34 56",
            "+0 12 34 56 78",
            "++33123456789",
            "+",
            "3639",
            "01 23 45 67 89 poste 12",
            "٠١٢٣٤٥٦٧٨٩",
            "０１２３４５６７８９",
        ],
    )
    def test_normalise_phone_refuses_the_rest(self, text: str) -> None:
        with pytest.raises(InvalidPhone):
            normalise_phone(text)


class TestNormalisePostalCode:
    @pytest.mark.parametrize(("text", "expected"), [("95000", "95000"), (" 95 000 ", "95000"), ("01000", "01000")])
    def test_normalise_postal_code_returns_five_digits(self, text: str, expected: str) -> None:
        assert normalise_postal_code(text) == expected

    @pytest.mark.parametrize("text", ["9500A", "9500", "950000", "2A000", "F-95000", "９５０００", "٩٥٠٠٠"])
    def test_normalise_postal_code_refuses_the_rest(self, text: str) -> None:
        with pytest.raises(InvalidPostalCode):
            normalise_postal_code(text)


class TestNormaliseWebsite:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("www.lycee.fr", "https://www.lycee.fr"),
            ("  HTTP://Www.Lycee.FR/Accueil?a=1#b ", "http://www.lycee.fr/Accueil?a=1#b"),
            ("https://lycee.fr", "https://lycee.fr"),
            ("lycee.fr:8080/x", "https://lycee.fr:8080/x"),
            ("lycee.fr/?u=http://x", "https://lycee.fr/?u=http://x"),
            ("école.fr", "https://xn--cole-9oa.fr"),
            ("https://lycee.fr/évènements", "https://lycee.fr/évènements"),
        ],
    )
    def test_normalise_website_returns_an_address_of_the_web(self, text: str, expected: str) -> None:
        assert normalise_website(text) == expected

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("javascript:alert(1)", "commencer par https://"),
            ("JavaScript://lycee.fr/%0aalert(1)", "commencer par https://"),
            ("data:text/html,x", "commencer par https://"),
            ("ftp://lycee.fr", "commencer par https://"),
            ("mailto:chef@lycee.fr", "commencer par https://"),
            ("https:/lycee.fr", "commencer par https://"),
            ("httpſ://lycee.fr", "nom de domaine|pas lisible"),
            ("//lycee.fr", "nom de domaine"),
            ("https://lycee", "nom de domaine"),
            ("lycee", "nom de domaine"),
            ("https://", "nom de domaine"),
            ("https://127.0.0.1", "nom de domaine"),
            ("https://lycee_gallieni.fr", "nom de domaine"),
            ("https://-lycee.fr", "nom de domaine"),
            ("https://a:b@lycee.fr", "ni identifiant"),
            ("lycee.fr@pirate.fr", "ni identifiant"),
            ("https://lycee..fr", "pas lisible"),
            ("https://lycee.fr:99999", "pas lisible"),
            ("https://[lycee.fr", "pas lisible"),
            ("https://lycee.fr/a b", "ni espace"),
            ("https://lycee.fr/a\u202eb", "caractère de contrôle invisible"),
            ("java\tscript:alert(1)", "ni espace"),
            ("https://lycee.fr\\@pirate.fr", "ni espace"),
            ('https://lycee.fr/"onclick', "ni espace"),
            ("https://lycee.fr/" + "a" * 239, "256 caractères, le maximum est 255"),
        ],
    )
    def test_normalise_website_refuses_the_rest_and_says_why(self, text: str, reason: str) -> None:
        with pytest.raises(InvalidWebsite, match=reason):
            normalise_website(text)


class TestNormaliseTimezone:
    @pytest.mark.parametrize("name", TIMEZONES)
    def test_normalise_timezone_accepts_the_zones_offered_which_all_exist(self, name: str) -> None:
        assert normalise_timezone(f" {name} ") == name
        assert zoneinfo.ZoneInfo(name).key == name

    def test_normalise_timezone_offers_the_mainland_first(self) -> None:
        assert next(iter(TIMEZONES.items())) == ("Europe/Paris", "France métropolitaine")

    @pytest.mark.parametrize("text", ["Europe/Berlin", "europe/paris", "UTC", "../../etc/passwd"])
    def test_normalise_timezone_refuses_the_others(self, text: str) -> None:
        with pytest.raises(InvalidTimezone):
            normalise_timezone(text)


class TestFold:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("Éloïse LEFÈVRE", "eloise lefevre"),
            ("Cœur Æthelred Straße", "coeur aethelred strasse"),
            ("ŒUVRE STRAẞE", "oeuvre strasse"),
            ("E\u0301loi\u0308se", "eloise"),
            ("D’Aÿ Garçon Muñoz", "d'ay garcon munoz"),
            ("Søren Łódź İstanbul", "soren lodz istanbul"),
            ("ﬁn\u00a0de", "fin de"),
            ("", ""),
        ],
    )
    def test_fold_forgets_accents_ligatures_and_capitals(self, text: str, expected: str) -> None:
        assert fold(text) == expected

    @pytest.mark.parametrize("text", ["Éloïse", "STRAẞE", "Œil", "İstanbul", "ǅ ﬃ ª Å"])
    def test_fold_changes_nothing_the_second_time(self, text: str) -> None:
        assert fold(fold(text)) == fold(text)


class TestNormaliseSchoolCode:
    @pytest.mark.parametrize(
        ("text", "expected"), [("lp-gallieni", "lp-gallieni"), (" LP31 ", "lp31"), ("ab", "ab"), ("a" * 32, "a" * 32)]
    )
    def test_normalise_school_code_returns_a_short_word_for_the_address(self, text: str, expected: str) -> None:
        assert normalise_school_code(text) == expected

    @pytest.mark.parametrize(
        "text", ["a", "a" * 33, "31-lp", "-lp", "lycée", "lp gallieni", "lp_gallieni", "lp/x", "lp\u212a", "lp٣"]
    )
    def test_normalise_school_code_refuses_another_form(self, text: str) -> None:
        with pytest.raises(InvalidSchoolCode, match="de 2 à 32"):
            normalise_school_code(text)

    @pytest.mark.parametrize("code", sorted(RESERVED_CODES))
    def test_normalise_school_code_refuses_the_words_of_our_own_addresses(self, code: str) -> None:
        with pytest.raises(InvalidSchoolCode, match="réservé"):
            normalise_school_code(code.upper())


class TestCleanPersonName:
    @pytest.mark.parametrize("text", [".", "'", "12345", "\u2014 ?", "… …"])
    def test_clean_person_name_refuses_one_without_a_letter(self, text: str) -> None:
        with pytest.raises(InvalidText, match="aucune lettre"):
            clean_person_name(text)

    @pytest.mark.parametrize("text", ["O", "d’Arc", "Élisabeth II", "Ô", "Ли", "محمد"])
    def test_clean_person_name_takes_every_alphabet(self, text: str) -> None:
        assert clean_person_name(text) == text

    @pytest.mark.parametrize("text", ["Voir https://faux.example", "www.faux.example"])
    def test_clean_person_name_refuses_the_address_of_a_site(self, text: str) -> None:
        with pytest.raises(InvalidText, match="l’adresse d’un site"):
            clean_person_name(text)
