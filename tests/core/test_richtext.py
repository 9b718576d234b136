"""Rich text: what is kept, what never passes, how it is typed, shown and printed."""

from __future__ import annotations

import json
import random
import shutil
import time
from pathlib import Path

import pytest
import typst

from cpro.config import PROJECT_ROOT
from cpro.core.richtext import from_typed, sanitise, to_blocks, to_text, to_typed
from cpro.core.web.richtext import show

REL = 'rel="noopener noreferrer nofollow"'

ATTACKS = (
    "<script>alert(1)</script>",
    "<ScRiPt/src=//evil.example></ScRiPt>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><circle/></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='JaVaScRiPt:alert(1)'>x</a>",
    "<a href=' \x01javascript:alert(1)'>x</a>",
    "<a href='java&#x09;script:alert(1)'>x</a>",
    "<a href='java\nscript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<a href='//evil.example'>x</a>",
    "<a href='/deconnexion'>x</a>",
    '<a href="https://a.example/" onclick="alert(1)" style="position:fixed">x</a>',
    "<a href='https://a.example/\"onmouseover=alert(1) x=\"'>x</a>",
    "<p style='background:url(javascript:alert(1))' class=x id=contenu>x</p>",
    "<form action=//evil.example><input name=csrf_token><button>x</button></form>",
    "<object data=x></object><embed src=x>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<link rel=stylesheet href=//evil.example>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<textarea></textarea><script>alert(1)</script>",
    "<template><script>alert(1)</script></template>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<<script>script>alert(1)<</script>/script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<p>\u202etxt.exe</p>\x00",
    "<details open ontoggle=alert(1)>x</details>",
    "<video><source onerror=alert(1)></video>",
    "<table background='javascript:alert(1)'><tr><td>x</td></tr></table>",
)


class TestSanitise:
    @pytest.mark.parametrize("attack", ATTACKS)
    def test_sanitise_lets_nothing_act(self, attack: str) -> None:
        for kept in (sanitise(attack), from_typed(attack), str(show(attack))):
            markup = kept.lower()
            tags = {part.split(">")[0].split()[0].strip("/") for part in markup.split("<")[1:]}
            assert tags <= {"p", "br", "strong", "em", "ul", "ol", "li", "a"}
            for part in markup.split("<")[1:]:
                attributes = part.split(">")[0].split(" ", 1)[1:]
                if attributes:
                    assert attributes[0].startswith('href="http') and attributes[0].endswith(f'" {REL}')
                    assert attributes[0].count('"') == 4
            assert "\u202e" not in kept and "\x00" not in kept

    @pytest.mark.parametrize("attack", ATTACKS)
    def test_sanitise_changes_nothing_the_second_time(self, attack: str) -> None:
        assert sanitise(sanitise(attack)) == sanitise(attack)

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("", ""),
            ("<p>&nbsp;</p><p><br></p>", ""),
            ("bonjour", "<p>bonjour</p>"),
            ("<div>un</div><div>deux<br></div>", "<p>un</p><p>deux</p>"),
            ("<b>gras</b> et <i>italique</i>", "<p><strong>gras</strong> et <em>italique</em></p>"),
            ("<h2>Titre</h2>texte", "<p>Titre</p><p>texte</p>"),
            ("un<br>deux", "<p>un<br>deux</p>"),
            ("<p><ul><li>un</li></ul></p>", "<ul><li>un</li></ul>"),
            (
                "<ul><li>un</li><ul><li>dessous</li></ul><li>deux</li></ul>",
                "<ul><li>un<ul><li>dessous</li></ul></li><li>deux</li></ul>",
            ),
            ("<ul><li>un</li></ul><ul><li>deux</li></ul>", "<ul><li>un</li><li>deux</li></ul>"),
            ("<ol><li><p>un</p><p>suite</p></li></ol>", "<ol><li><p>un</p><p>suite</p></li></ol>"),
            ("<li>sans liste</li>", "<p>sans liste</p>"),
            ("1 < 2 & 3", "<p>1 &lt; 2 &amp; 3</p>"),
            (
                '<a href="https://a.example/?x=1&y=2" rel="x">lien</a>',
                f'<p><a href="https://a.example/?x=1&amp;y=2" {REL}>lien</a></p>',
            ),
            ('<a href="mailto:a@b.example">écrire</a>', f'<p><a href="mailto:a@b.example" {REL}>écrire</a></p>'),
            ("l’élève\u202f: «\u202fnon\u202f»", "<p>l’élève\u202f: «\u202fnon\u202f»</p>"),
        ],
    )
    def test_sanitise_keeps_the_form_that_is_stored(self, given: str, kept: str) -> None:
        assert sanitise(given) == kept

    def test_sanitise_bounds_the_depth_of_lists(self) -> None:
        kept = sanitise("<ul><li>" * 500 + "fond")

        assert kept.count("<ul>") == 6
        assert to_text(kept) == "fond"

    @pytest.mark.parametrize(
        "pattern", ["<div>", "<b>x", "<ul><li>x", "<a href=http://x>y", "[", "<table><tr><td>", "<b><p>x", "<sup>2"]
    )
    @pytest.mark.integration
    @pytest.mark.slow  # coverage would multiply by eight the time that is judged
    def test_sanitise_reads_the_longest_source_quickly(self, pattern: str) -> None:
        started = time.process_time()

        sanitise(pattern * (100_000 // len(pattern)))

        assert time.process_time() - started < 10


class TestFromTyped:
    @pytest.mark.parametrize(
        ("typed", "stored"),
        [
            ("un\n\ndeux", "<p>un</p><p>deux</p>"),
            ("un\ndeux", "<p>un<br>deux</p>"),
            ("**gras** et *italique*", "<p><strong>gras</strong> et <em>italique</em></p>"),
            ("- un\n- deux\n  - dessous", "<ul><li>un</li><li>deux<ul><li>dessous</li></ul></li></ul>"),
            ("1. un\n2. deux", "<ol><li>un</li><li>deux</li></ol>"),
            ("[texte](https://a.example)", f'<p><a href="https://a.example" {REL}>texte</a></p>'),
            ("[texte](javascript:alert(1))", "<p>[texte](javascript:alert(1))</p>"),
            ("2 * 3 * 4, mot_un_deux, <b>", "<p>2 * 3 * 4, mot_un_deux, &lt;b&gt;</p>"),
            ("# Titre\n    code", "<p># Titre<br>code</p>"),
            ("un\r\n\r\ndeux", "<p>un</p><p>deux</p>"),
        ],
    )
    def test_from_typed_reads_the_light_markdown(self, typed: str, stored: str) -> None:
        assert from_typed(typed) == stored

    @pytest.mark.parametrize(
        "html",
        [
            "<p>un</p><p>deux</p>",
            "<p>un<br>deux<br>trois</p>",
            "<p>a <strong>b <em>c</em></strong> <em>d</em></p>",
            "<ul><li>un</li><li>deux<ul><li>trois</li></ul></li></ul><p>fin</p>",
            "<ol><li><p>un</p><p>suite</p></li><li>deux</li></ol>",
            "<p>- pas une liste<br>1. ni celle-ci<br>+ ni elle</p>",
            "<p>*pas* du **gras** ni _italique_ ni \\* ni [x](y)</p>",
            f'<p>voir <a href="https://a.example/f(1)?a=1&amp;b=2" {REL}>[ici]</a>.</p>',
            f'<p><a href="https://a.example" {REL}>du <strong>gras</strong></a></p>',
            "<p>1 &lt; 2 &amp; 3 &amp;amp; 4</p>",
            '<ol start="3"><li>trois</li><li>quatre</li></ol>',
            '<ol><li>un</li></ol><ol start="4"><li>quatre</li></ol><ol><li>un</li></ol><p>fin</p>',
            "<p>2026. Année de la visite<br>+ 12 V</p>",
        ],
    )
    def test_to_typed_comes_back_as_it_was(self, html: str) -> None:
        assert sanitise(html) == html, "the example is not in the stored form"
        assert from_typed(to_typed(html)) == html

    @pytest.mark.integration
    @pytest.mark.slow
    def test_from_typed_never_changes_the_words(self) -> None:
        rng = random.Random(6)
        pieces = ["<b>", "</b>", "<i>", "</i>", "<br>", "<p>", "<ul><li>", "</li></ul>", "<ol><li>", "<li>"]
        pieces += ['<ol start="3"><li>', '<ol type="a"><li>', '<li value="5">', "<tr><td>", "<td>"]
        pieces += ["<table>", "</table>"]
        pieces += ["<sup>", "</sup>", "<sub>2</sub>", "2026. ", "+ ", "<img>", "<pre>\n", "</pre>"]
        pieces += ["mot", " ", "*", "_", "(b)", "-", "1. ", "[", "](", "\\", "&amp;", "été", "…", "**", "\u202f:", "`"]
        pieces += ['<a href="https://a.example/(x)">', "</a>"]
        for _ in range(3_000):
            html = sanitise("".join(rng.choices(pieces, k=14)))
            back = from_typed(to_typed(html))
            assert to_text(back) == to_text(html), html
            assert from_typed(to_typed(back)) == back or to_text(from_typed(to_typed(back))) == to_text(html)


class TestToBlocks:
    def test_to_blocks_are_plain_data(self) -> None:
        blocks = to_blocks(
            '<p>a <b>b</b><br><a href="https://a.example">c</a></p><ol><li>d<ul><li>e</li></ul></li></ol>'
        )

        assert json.loads(json.dumps(blocks)) == blocks
        plain = {"bold": False, "italic": False, "link": ""}
        assert blocks == [
            {
                "kind": "paragraph",
                "runs": [
                    {**plain, "text": "a "},
                    {**plain, "text": "b", "bold": True},
                    {**plain, "text": "\n"},
                    {**plain, "text": "c", "link": "https://a.example"},
                ],
            },
            {
                "kind": "list",
                "ordered": True,
                "start": 1,
                "items": [
                    [
                        {"kind": "paragraph", "runs": [{**plain, "text": "d"}]},
                        {
                            "kind": "list",
                            "ordered": False,
                            "start": 1,
                            "items": [[{"kind": "paragraph", "runs": [{**plain, "text": "e"}]}]],
                        },
                    ]
                ],
            },
        ]

    def test_to_blocks_are_rendered_by_the_shared_template_in_an_accessible_pdf(self, tmp_path: Path) -> None:
        shutil.copytree(PROJECT_ROOT / "templates" / "shared", tmp_path / "shared")
        main = tmp_path / "main.typ"
        main.write_text(
            '#import "/shared/richtext.typ": richtext\n#set document(title: "x")\n#set text(lang: "fr")\n'
            "#richtext(json(bytes(sys.inputs.data)))\n"
        )
        html = '<p>a <b>b</b> <i>c</i><br>#let x = $1$ <a href="https://a.example">d</a></p><ol><li>e</li></ol><ul><li></ul>'

        document = typst.compile(
            str(main),
            root=str(tmp_path),
            pdf_standards=["ua-1"],
            sys_inputs={"data": json.dumps(to_blocks(html))},
        )

        assert isinstance(document, bytes) and document.startswith(b"%PDF")


def test_to_text_has_a_line_for_each_paragraph_and_item() -> None:
    assert to_text("<p>un<br>deux</p><ul><li>trois<ul><li>quatre</li></ul></li></ul>") == "un\ndeux\ntrois\nquatre"
