"""Rich text as word processors and pages give it, and as people type it: nothing is lost in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from cpro.core.richtext import from_typed, sanitise, to_text, to_typed

FILES = Path(__file__).parents[1] / "imports" / "files" / "real-world"
CELL = "<td style='vertical-align:top'><p class=MsoNormal><span style='font-size:11pt'>{}</span></p></td>"


class TestSanitiseTables:
    def test_sanitise_keeps_cells_and_blocks_apart(self) -> None:
        html = (FILES / "12-tableau-colle.html").read_text(encoding="utf-8")

        assert to_text(sanitise(html)) == "Outil — Quantité\nPince — 2\nUn\nDeux\nTerme\nDéfinition"

    @pytest.mark.parametrize(
        ("pasted", "stored"),
        [
            (f"<table><tr>{CELL.format('R1')}{CELL.format('470 Ω')}</tr></table>", "<p>R1 — 470 Ω</p>"),
            ("<tr><td>Pince</td><td>2</td></tr>", "<p>Pince — 2</p>"),
            ("<table><tr><td></td><th>Lundi</th><th></th></tr></table>", "<p>— Lundi</p>"),
            ("<table><tr><td>a</td><td></td><td>c</td></tr></table>", "<p>a — — c</p>"),
            ("<table><tr><td><b>a</b></td><td>b</td></tr></table>", "<p><strong>a</strong> — b</p>"),
            ("<table><tr><td>a<br>b</td><td>c</td></tr></table>", "<p>a<br>b</p><p>c</p>"),
            ("<table><tr><td><ul><li>a</li></ul></td><td>b</td></tr></table>", "<ul><li>a</li></ul><p>b</p>"),
            ("<ul><li>a<table><tr><td>b</td></tr></table></li></ul>", "<ul><li><p>a</p><p>b</p></li></ul>"),
            ("<table><caption>Titre</caption><tr><td>a</td></tr></table>", "<p>Titre</p><p>a</p>"),
            ("<table><tr><td><table><tr><td>a</td><td>b</td></tr></table></td></tr></table>", "<p>a — b</p>"),
        ],
    )
    def test_sanitise_writes_a_row_on_a_line(self, pasted: str, stored: str) -> None:
        assert sanitise(pasted) == stored
        assert sanitise(stored) == stored

    @pytest.mark.parametrize(
        "pasted",
        [
            "<article>un</article><aside>deux</aside>",
            "<figure>un<figcaption>deux</figcaption></figure>",
            "<details><summary>un</summary>deux</details>",
            "<fieldset><legend>un</legend>deux</fieldset>",
            "<address>un</address>deux",
            "un<hr>deux",
            "<select><option>un</option><option>deux</option></select>",
        ],
    )
    def test_sanitise_keeps_blocks_apart(self, pasted: str) -> None:
        assert sanitise(pasted) == "<p>un</p><p>deux</p>"

    def test_sanitise_keeps_the_lines_of_preformatted_text(self) -> None:
        assert sanitise("<pre>LDA 10\nADD 5</pre>fin\nligne") == "<p>LDA 10<br>ADD 5</p><p>fin ligne</p>"


class TestSanitiseMarks:
    @pytest.mark.parametrize(
        ("pasted", "words"),
        [
            ("10<sup>3</sup> Ω", "10³ Ω"),
            ("1,5 mm<sup>2</sup>", "1,5 mm²"),
            ("H<sub>2</sub>O", "H₂O"),
            ("10<sup>-6</sup> F", "10⁻⁶ F"),
            ("10<sup><b>−6</b></sup>", "10⁻⁶"),
            ("U<sub>max</sub>", "Uₘₐₓ"),
            ("I<sub>N</sub>", "I_N"),
            ("U<sub>eff, 1</sub>", "U_(eff, 1)"),
            ("e<sup>-t/τ</sup>", "e^(-t/τ)"),
            ("2<sup>n</sup>", "2ⁿ"),
            ("le 1<sup>er</sup>, la 3<sup>ème</sup>, M<sup>me</sup>", "le 1er, la 3ème, Mme"),
            ('Volta<sup><a href="#n">[1]</a></sup>', "Volta[1]"),
            ("SO<sub>4</sub><sup>2-</sup>", "SO₄²⁻"),
            ("a<sup></sup>b", "ab"),
            ("x<sup><sup>2</sup></sup>", "x²"),
            ('m<span style="font-size:0.6em;vertical-align:super">3</span>', "m³"),
            ('CO<span style="vertical-align:sub;">2</span>', "CO₂"),
        ],
    )
    def test_sanitise_keeps_superscripts_and_subscripts(self, pasted: str, words: str) -> None:
        stored = sanitise(pasted)

        assert to_text(stored) == words
        assert to_text(from_typed(to_typed(stored))) == words

    @pytest.mark.parametrize(
        ("pasted", "stored"),
        [
            ('<b style="font-weight:normal" id="docs-internal-guid-1"><p>tout</p></b>', "<p>tout</p>"),
            ('<span style="font-weight:700">gras</span>', "<p><strong>gras</strong></p>"),
            ('<span style="font-style:italic">penché</span>', "<p><em>penché</em></p>"),
            ('<b>a<span style="font-weight:400">b</span></b>', "<p><strong>a</strong>b</p>"),
            ('<span style="font-weight:inherit;background:url(javascript:1)">a</span>', "<p>a</p>"),
        ],
    )
    def test_sanitise_reads_the_styles_of_word_processors(self, pasted: str, stored: str) -> None:
        assert sanitise(pasted) == stored

    @pytest.mark.parametrize(
        ("pasted", "words"),
        [
            ('<img src="file:///a.png" alt="Schéma de l’armoire">', "[image non reprise\u202f: Schéma de l’armoire]"),
            ("avant <img src=x> après", "avant [image non reprise] après"),
            (f'<img alt="{"a" * 500}">', f"[image non reprise\u202f: {'a' * 79}…]"),
            ('bravo <img class=emoji alt="👍">', "bravo 👍"),
            ('<img width="1" height="1" src="https://suivi.example/x.gif">texte', "texte"),
            ("<math><mi>U</mi><mo>=</mo><mi>R</mi></math>", "[formule non reprise]"),
            ('<math><mi>U</mi></math><img aria-hidden="true" alt="U">', "[formule non reprise]"),
            ("<video src=x>vidéo</video>", "[vidéo non reprise] vidéo"),
            ("<svg><circle/></svg>", "[image non reprise]"),
            ('<svg aria-hidden="true"><circle/></svg>texte', "texte"),
        ],
    )
    def test_sanitise_says_a_word_for_what_is_left_out(self, pasted: str, words: str) -> None:
        assert to_text(sanitise(pasted)).strip() == words
        assert sanitise(sanitise(pasted)) == sanitise(pasted)


class TestSanitiseNumbers:
    def test_sanitise_keeps_the_numbers_of_a_list(self) -> None:
        html = (FILES / "14-liste-numerotee.html").read_text(encoding="utf-8").strip()

        assert sanitise(html) == html
        assert to_typed(html) == "3. Troisième\n4. Quatrième"

    @pytest.mark.parametrize(
        ("pasted", "stored"),
        [
            (
                "<ol><li>a</ol>b<ol start=2><li>c</ol>",
                '<ol><li>a</li></ol><p>b</p><ol start="2"><li>c</li></ol>',
            ),
            ("<ol><li>a</li></ol><ol start=2><li>b</li></ol>", "<ol><li>a</li><li>b</li></ol>"),
            ("<ol><li>a</li></ol><ol><li>b</li></ol>", "<ol><li>a</li></ol><ol><li>b</li></ol>"),
            ("<ol><li>a</li><li value=7>g<li>h</ol>", '<ol><li>a</li></ol><ol start="7"><li>g</li><li>h</li></ol>'),
            ("<ol><li value=0>a</li></ol>", '<ol start="0"><li>a</li></ol>'),
            ("<ol start=-5><li>a</li></ol>", "<ol><li>a</li></ol>"),
            ("<ol start=1990><li>a</li><li>b</li></ol>", "<p>1990. a</p><p>1991. b</p>"),
            ('<ol type="a"><li>oui</li><li><b>non</b></li></ol>', "<p>a. oui</p><p>b. <strong>non</strong></p>"),
            ('<ol type="I" start="4"><li>a</li><li>b</li></ol>', "<p>IV. a</p><p>V. b</p>"),
            ("<ol><li style='list-style-type:upper-alpha'>a</li></ol>", "<p>A. a</p>"),
            ("<ol start=27 type=a><li>x</li></ol>", "<p>aa. x</p>"),
            ("<ol type=a><li>x<ul><li>y</li></ul></li></ol>", "<p>a. x</p><ul><li>y</li></ul>"),
        ],
    )
    def test_sanitise_keeps_the_numbers_and_letters_seen(self, pasted: str, stored: str) -> None:
        assert sanitise(pasted) == stored
        assert sanitise(stored) == stored

    def test_from_typed_keeps_the_numbers_typed(self) -> None:
        typed = (FILES / "14-liste-numerotee.txt").read_text(encoding="utf-8")

        assert from_typed(typed) == '<p>2026. Année de la visite</p><ol start="3"><li>Troisième étape</li></ol>'

    @pytest.mark.parametrize(
        ("typed", "stored"),
        [
            ("3. trois\n4. quatre", '<ol start="3"><li>trois</li><li>quatre</li></ol>'),
            ("1. un\n3. trois", '<ol><li>un</li></ol><ol start="3"><li>trois</li></ol>'),
            ("1. un\n1. deux", "<ol><li>un</li><li>deux</li></ol>"),
            ("5) cinq", '<ol start="5"><li>cinq</li></ol>'),
            ("1. un\n\ntexte\n\n2. deux", '<ol><li>un</li></ol><p>texte</p><ol start="2"><li>deux</li></ol>'),
            ("+ 12 V sur la borne", "<p>+ 12 V sur la borne</p>"),
            ("1500. tours par minute", "<p>1500. tours par minute</p>"),
        ],
    )
    def test_from_typed_changes_no_number(self, typed: str, stored: str) -> None:
        assert from_typed(typed) == stored
        assert from_typed(to_typed(stored)) == stored
