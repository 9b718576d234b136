"""The CNIL's password rule, and hashes that neither leak nor age."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError

from cpro.core import passwords
from cpro.core.passwords import (
    PASSWORD_MAX_LENGTH,
    WeakPassword,
    check_password,
    hash_password,
    needs_rehash,
    password_rule,
    verify_password,
)

PASSPHRASE = "girafe violon orage tiroir banquise lavande moulin"


def refusal(password: str, *, privileged: bool = False, words: tuple[str, ...] = ()) -> str:
    """Return the sentence with which the password is refused."""
    with pytest.raises(WeakPassword) as caught:
        check_password(password, privileged=privileged, words_about_person=words)
    return caught.value.message


class TestCheckOrdinaryPassword:
    @pytest.mark.parametrize("password", ["Tr0mbone", "tr0mb-ne", "TROMB-N3", "Éclairé!", "Tromb one", PASSPHRASE])
    def test_check_password_accepts_eight_characters_of_three_kinds_or_a_phrase(self, password: str) -> None:
        check_password(password, privileged=False, words_about_person=[])

    @pytest.mark.parametrize(
        ("password", "missing"),
        [
            ("", ("8 caractères de plus", "trois de ces éléments")),
            ("Tr0mbon", ("1 caractère de plus",)),
            ("Tr0m", ("4 caractères de plus",)),
            ("trombone", ("deux de ces éléments", "une majuscule", "un chiffre", "un caractère spécial")),
            ("tromb0ne", ("un de ces éléments", "une majuscule", "un caractère spécial")),
            ("TROMBONE", ("une minuscule",)),
            ("29384756", ("deux de ces éléments",)),
        ],
    )
    def test_check_password_says_what_is_missing(self, password: str, missing: tuple[str, ...]) -> None:
        sentence = refusal(password)

        assert [part for part in missing if part not in sentence] == []

    def test_check_password_counts_a_decomposed_accent_as_one_character(self) -> None:
        assert "1 caractère de plus" in refusal("Tr0mboe\u0301")


class TestCheckPrivilegedPassword:
    @pytest.mark.parametrize(
        "password",
        [
            "Tr0mbone-vif",  # 12 with the four kinds
            "Trombonevif472",  # 14 without a special character
            PASSPHRASE,
            "Girafe-Violon-Orage-Tiroir-Banquise-Lavande-Moulin",
        ],
    )
    def test_check_password_privileged_accepts_the_three_forms_of_80_bits(self, password: str) -> None:
        check_password(password, privileged=True, words_about_person=[])

    @pytest.mark.parametrize(
        ("password", "missing"),
        [
            ("Tr0mbone", ("4 caractères de plus", "un caractère spécial")),
            ("Tr0mbonevif", ("1 caractère de plus", "un caractère spécial")),
            ("Trombonevif47", ("faut un caractère spécial.",)),
            ("trombone-vif-4", ("faut une majuscule.",)),
            ("TROMBONE-VIF-4", ("faut une minuscule.",)),
            ("Trombone-vif-x", ("faut un chiffre.",)),
            ("girafe violon orage tiroir banquise lavande", ("une majuscule et un chiffre",)),
            ("girafe girafe girafe girafe girafe girafe girafe", ("une majuscule et un chiffre",)),
            ("a b c d e f g h i j", ("une majuscule et un chiffre",)),
        ],
    )
    def test_check_password_privileged_says_what_is_missing(self, password: str, missing: tuple[str, ...]) -> None:
        sentence = refusal(password, privileged=True)

        assert [part for part in missing if part not in sentence] == []


class TestCheckAnyPassword:
    @pytest.mark.parametrize("privileged", [False, True])
    @pytest.mark.parametrize(
        "password",
        [
            "Password123!!",
            "P@ssw0rd123!",
            "Azerty123456!",
            "AZERTYuiop12+",
            "Mot de passe 1!",
            "Motdepasse1!",
            "Mötdepassé12!",
            "Bonjour2026!!",
            "Septembre2026!",
            "!!Marseille13",
            "1Q2w3e4r5678!",
        ],
    )
    def test_check_password_refuses_the_commonest_choices_whatever_surrounds_them(
        self, password: str, privileged: bool
    ) -> None:
        assert "plus courants" in refusal(password, privileged=privileged)

    @pytest.mark.integration  # the list is read
    @pytest.mark.parametrize("password", ["Marseille13!", "-Naruto59", "Doudou.2026", "(Wxcvbn)7", "Trustno1!"])
    def test_check_password_refuses_what_published_lists_hold(self, password: str) -> None:
        assert "plus courants" in refusal(password)

    @pytest.mark.integration
    def test_check_password_knows_ten_thousand_published_choices(self) -> None:
        exact, stems = passwords._read_published()

        assert len(exact) > 10_000
        assert len(stems) > 1000
        assert min(map(len, exact | stems)) >= 5

    @pytest.mark.parametrize("password", ["Azerty123!", "Password123!"])
    def test_check_password_refuses_the_commonest_choices_of_a_pupil(self, password: str) -> None:
        assert "plus courants" in refusal(password)

    @pytest.mark.parametrize(
        ("password", "words", "found"),
        [
            ("Zoe.DUPONT-47", ("Dupont",), "dupont"),
            ("xXLefevre-47", ("Lefèvre",), "lefevre"),
            ("Pierre-vif-47", ("Jean-Pierre",), "pierre"),
            ("Dupont-vif-47", ("zoe.dupont",), "dupont"),
            ("Lea.roy-vif-47", ("lea.roy",), "lea.roy"),
            ("Gallieni-2026", ("lp-gallieni",), "gallieni"),
            ("Coeurdelion-47", ("Cœurdelion",), "coeurdelion"),
        ],
    )
    def test_check_password_refuses_the_words_that_stand_for_the_person(
        self, password: str, words: tuple[str, ...], found: str
    ) -> None:
        assert f"«\u202f{found}\u202f»" in refusal(password, words=words)

    def test_check_password_lets_short_words_about_the_person_pass(self) -> None:
        check_password("Leaflet-vif-47", privileged=True, words_about_person=["Léa", "Roy", "", "l-p"])

    @pytest.mark.parametrize("char", ["\0", "\t", "\n", "\x1b", "\x85", "\ud83d"])
    def test_check_password_refuses_what_a_keyboard_does_not_type(self, char: str) -> None:
        assert "caractère de contrôle" in refusal(f"Tr0mbone-vif{char}")

    def test_check_password_accepts_the_longest_password(self) -> None:
        check_password("Tr0-" * (PASSWORD_MAX_LENGTH // 4), privileged=True, words_about_person=[])

    def test_check_password_refuses_one_character_more_and_gives_both_lengths(self) -> None:
        sentence = refusal("Tr0-" * (PASSWORD_MAX_LENGTH // 4) + "x")

        assert "201 caractères" in sentence
        assert "maximum est 200" in sentence


class TestPasswordRule:
    def test_password_rule_asks_more_of_a_privileged_account(self) -> None:
        assert "8 caractères" in password_rule(privileged=False)
        assert "12 caractères" in password_rule(privileged=True)
        assert "14 caractères" in password_rule(privileged=True)

    @pytest.mark.parametrize("privileged", [False, True])
    def test_password_rule_mentions_the_phrase(self, privileged: bool) -> None:
        assert "7 mots" in password_rule(privileged)


class TestHashPassword:
    @pytest.mark.usefixtures("real_hashes")
    def test_hash_password_uses_the_owasp_profile(self) -> None:
        assert hash_password("Tr0mbone").startswith("$argon2id$v=19$m=19456,t=2,p=1$")

    def test_hash_password_salts_each_hash(self) -> None:
        assert hash_password("Tr0mbone") != hash_password("Tr0mbone")


class TestVerifyPassword:
    def test_verify_password_accepts_the_right_password(self) -> None:
        assert verify_password(hash_password("Tr0mbone"), "Tr0mbone") is True

    @pytest.mark.parametrize("password", ["", "tr0mbone", "Tr0mbone ", "\ud83d", "\0", "Tr0mbone\0"])
    def test_verify_password_refuses_another_password(self, password: str) -> None:
        assert verify_password(hash_password("Tr0mbone"), password) is False

    def test_verify_password_does_not_care_how_the_keyboard_makes_an_accent(self) -> None:
        assert verify_password(hash_password("Éclairé!"), "E\u0301claire\u0301!") is True

    @pytest.mark.usefixtures("real_hashes")
    @pytest.mark.parametrize("password_hash", [None, ""])
    def test_verify_password_does_the_same_work_without_an_account(
        self, password_hash: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        worked_on: list[str] = []

        class SpyHasher(PasswordHasher):
            def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]
                worked_on.append(str(hash))
                return super().verify(hash, password)

        monkeypatch.setattr(passwords, "_HASHER", SpyHasher())

        assert verify_password(password_hash, "Tr0mbone") is False
        assert [done.split("$")[3] for done in worked_on] == ["m=19456,t=2,p=1"]
        assert [[len(part) for part in done.split("$")[4:]] for done in worked_on] == [[22, 43]], "a salt, a digest"

    def test_verify_password_refuses_an_overlong_password_even_if_its_start_is_right(self) -> None:
        longest = "Tr0-" * (PASSWORD_MAX_LENGTH // 4)

        assert verify_password(hash_password(longest), longest + "x") is False

    def test_verify_password_raises_on_what_is_not_a_hash(self) -> None:
        with pytest.raises(InvalidHashError):
            verify_password("Tr0mbone", "Tr0mbone")


class TestNeedsRehash:
    def test_needs_rehash_keeps_a_hash_of_today(self) -> None:
        assert needs_rehash(hash_password("Tr0mbone")) is False

    def test_needs_rehash_renews_a_hash_made_with_weaker_parameters(self) -> None:
        assert needs_rehash(PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("Tr0mbone")) is True
