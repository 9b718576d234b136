"""Codes read on paper and typed."""

from __future__ import annotations

import pytest

from cpro.core.printed_codes import ALPHABET, generate_printed_code, group_printed_code, read_printed_code


class TestPrintedCodes:
    def test_generate_printed_code_gives_different_ones_in_unambiguous_letters(self) -> None:
        generated = {generate_printed_code(16) for _ in range(500)}

        assert len(generated) == 500
        assert set("".join(generated)) == set(ALPHABET)
        assert len(ALPHABET) == 32
        assert not set(ALPHABET) & set("ILOU")

    def test_group_printed_code_makes_groups_of_four(self) -> None:
        assert group_printed_code("ABCDEFGHJKMN") == "ABCD-EFGH-JKMN"

    @pytest.mark.parametrize("typed", ["ABCD-1023", "abcd 1023", "AbCd–lo23", "ABCD\u00a0IO23\n", "a b c d i o 2 3"])
    def test_read_printed_code_reads_it_whatever_way_it_is_typed(self, typed: str) -> None:
        assert read_printed_code(typed) == "ABCD1023"
