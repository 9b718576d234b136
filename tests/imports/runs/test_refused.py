"""The names of refused files in the journal: what the ministry's applications call them, or their extension alone."""

from __future__ import annotations

import pytest

from cpro.imports.runs.refused import mask_file_name


class TestMaskFileName:
    @pytest.mark.parametrize(
        "name",
        [
            "ElevesSansAdresses.xml",
            "ExportXML_ElevesSansAdresses (1).zip",
            "Nomenclature.xml",
            "Structures-2.xml",
            "sts_emp_0999001W_2026.xml",
            "ExportXML_ElevesSansAdresses.zip › ElevesSansAdresses.xml",
        ],
    )
    def test_mask_file_name_keeps_the_names_of_the_ministry(self, name: str) -> None:
        assert mask_file_name(name) == name

    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("Bulletin Agate Noé.pdf", "•••.pdf"),
            ("Eleves Agate.xml", "•••.xml"),
            ("0123456789A.xml", "•••.xml"),
            ("2026.xml", "•••.xml"),
            ("Agate.Noé", "•••"),
            ("Agate", "•••"),
            ("bulletin.Agate", "•••"),
            (".agate", "•••"),
            ("ExportXML_Structures.zip › Agate.xml", "ExportXML_Structures.zip › •••.xml"),
        ],
    )
    def test_mask_file_name_hides_others_but_their_extension(self, name: str, shown: str) -> None:
        assert mask_file_name(name) == shown
