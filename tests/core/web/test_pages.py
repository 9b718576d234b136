"""Which addresses stay on this site."""

from __future__ import annotations

import pytest

from cpro.core.web.pages import is_local_path


class TestIsLocalPath:
    @pytest.mark.parametrize("target", ["/", "/admin/", "/a?b=//c", "/é", "/a#b"])
    def test_is_local_path_stays_here(self, target: str) -> None:
        assert is_local_path(target)

    @pytest.mark.parametrize(
        "target",
        [
            None,
            "",
            "a",
            "//a",
            "///a",
            "https://a",
            "https:a",
            "/\\a",
            "\\a",
            "/a\\b",
            "\t//a",
            "/\t/a",
            "/\n/a",
            "/\r/a",
            "/a\x00",
            "/\x7f",
        ],
    )
    def test_is_local_path_leads_elsewhere(self, target: str | None) -> None:
        assert not is_local_path(target)
