"""The style sheets: one says colours, sizes and spaces, and its colours can be read in both themes."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import pytest

from cpro.config import PROJECT_ROOT

pytestmark = pytest.mark.any_database

_STATIC = PROJECT_ROOT / "static"
_TOKENS = _STATIC / "css" / "tokens.css"
_OTHERS = sorted(path for path in chain(_STATIC.glob("*.css"), (_STATIC / "css").glob("*.css")) if path != _TOKENS)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_RAW_COLOUR = re.compile(
    r"#[0-9a-f]{3,8}\b|\b(?:rgba?|hsla?|color-mix)\(|:[^;{}]*\b(?:white|black|gray|red)\b(?!-)", re.IGNORECASE
)
_RAW_SIZE = re.compile(r"font(?:-size)?: (?!var\(--size-\d\d\)|var\(--size-chart\)|inherit)[^;}]+")
_RAW_WEIGHT = re.compile(r"font-weight: (?!400|600)[^;}]+")
#: What a margin, a padding or a gap may say beside a token: nothing, hairs of a drawing, and shares of its own text.
_A_SPACE = re.compile(r"(?:margin|padding|gap)[\w-]*: ([^;}]+)")
_RAW_SPACE = re.compile(r"(?<![\w.-])-?[\d.]+(?:rem|px)(?!\w)")
_THEMES = ("light", "dark")
#: What texts are written on.
_GROUNDS = ("bg", "surface", "raised", "accent-tint", "ok-tint", "warn-tint", "bad-tint")
_ACCENTS = ("muted", "accent", "link", "ok", "warn", "bad")


def _read(path: Path) -> str:
    return _COMMENT.sub("", path.read_text())


def _tokens(theme: str) -> dict[str, str]:
    light, dark = re.findall(r":root \{(.*?)\}", _read(_TOKENS), re.DOTALL)[:2]
    said = light + (dark if theme == "dark" else "")
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", said))


def _luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(each * 2 for each in digits) if len(digits) == 3 else digits
    shares = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


class TestTokens:
    @pytest.mark.parametrize("theme", _THEMES)
    def test_tokens_hold_their_contrasts(self, theme: str) -> None:
        said = _tokens(theme)
        wanted = [("text", ground, 13) for ground in _GROUNDS]
        wanted += [(accent, ground, 6) for accent in _ACCENTS for ground in _GROUNDS]
        wanted += [("border", "bg", 3.3), ("border", "surface", 3.3)]
        wanted += [("on-accent", "accent", 6), ("on-accent", "bad", 6), ("on-gold", "gold", 6)]
        wanted += [("side-text", "side", 12), ("side-muted", "side", 6), ("side-text", "side-raised", 6)]

        measured = [(ink, ground, _contrast(said[ink], said[ground]), least) for ink, ground, least in wanted]
        assert [(ink, ground, contrast) for ink, ground, contrast, least in measured if contrast < least] == []

    def test_tokens_are_those_of_the_design(self) -> None:
        light, dark = _tokens("light"), _tokens("dark")

        assert [light[each] for each in ("bg", "text", "accent", "bad")] == ["#f5f7f7", "#17252a", "#0b5f6e", "#a3152a"]
        assert [dark[each] for each in ("bg", "text", "accent", "bad")] == ["#0f1719", "#e7eef0", "#63c7d6", "#ff8a95"]


class TestSheets:
    @pytest.mark.parametrize("path", _OTHERS, ids=lambda path: path.name)
    @pytest.mark.parametrize("raw", [_RAW_COLOUR, _RAW_SIZE, _RAW_WEIGHT], ids=["colour", "size", "weight"])
    def test_sheets_take_colours_and_sizes_from_the_tokens(self, path: Path, raw: re.Pattern[str]) -> None:
        assert raw.findall(_read(path)) == [], f"{path.name}: name a token of css/tokens.css"

    @pytest.mark.parametrize("path", _OTHERS, ids=lambda path: path.name)
    def test_sheets_take_spaces_from_the_tokens(self, path: Path) -> None:
        raw = [said for said in _A_SPACE.findall(_read(path)) if _RAW_SPACE.search(said)]

        assert raw == [], f"{path.name}: name a --space- token of css/tokens.css"

    @pytest.mark.parametrize("path", _OTHERS, ids=lambda path: path.name)
    def test_sheets_name_no_token_that_does_not_exist(self, path: Path) -> None:
        known = set(re.findall(r"(--[\w-]+):", _read(_TOKENS) + _read(path)))

        assert set(re.findall(r"var\((--[\w-]+)", _read(path))) - known == set()
