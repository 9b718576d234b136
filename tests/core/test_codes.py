"""What reads a code as those who wrote it do."""

from __future__ import annotations

import pytest

from cpro.core.codes import NOT_IN_CODES, find_offered, fold_code

DIVISIONS = [("2MELEC", "Seconde MELEC"), ("T MELEC", "Terminale")]


class TestFoldCode:
    def test_fold_code_leaves_out_what_sentences_say_does_not_count(self) -> None:
        alike = {"la casse": "2melec", "les accents": "2MÉLEC", "les espaces": " 2  MEL EC\u00a0"}

        assert [*alike] == NOT_IN_CODES.replace(" ou ", ", ").split(", ")
        assert {fold_code(code) for code in alike.values()} == {fold_code("2MELEC")}
        assert fold_code("2-MELEC") != fold_code("2MELEC")


@pytest.mark.unit
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2MELEC", "2MELEC"),
        ("2 mélec", "2MELEC"),
        ("tmelec", "T MELEC"),
        ("TERMINALE", "T MELEC"),
        ("MELEC", ""),
        ("", ""),
        ("%", ""),
    ],
)
def test_find_offered_reads_a_code_or_a_label_whatever_the_case(text: str, code: str) -> None:
    assert find_offered(DIVISIONS, text) == code


@pytest.mark.unit
def test_find_offered_prefers_the_code_to_the_one_that_reads_the_same() -> None:
    assert find_offered([("2 ALP", ""), ("2ALP", "")], "2ALP") == "2ALP"
