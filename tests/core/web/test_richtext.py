"""Rich text in a page: the field that reads it, and how what is stored is shown."""

from __future__ import annotations

import pytest
from flask import Flask, render_template_string
from werkzeug.datastructures import ImmutableMultiDict
from wtforms import Form

from cpro.core.richtext import MAX_CHARACTERS
from cpro.core.web.richtext import RichTextField, show


class _OneField(Form):
    text = RichTextField("Texte")


def _posted(**fields: str) -> _OneField:
    return _OneField(ImmutableMultiDict(fields), data={"text": "<p>avant</p>"})


class TestRichTextField:
    def test_rich_text_field_reads_what_is_typed_when_nothing_says_otherwise(self) -> None:
        form = _posted(text="**gras**")

        assert form.validate()
        assert form.text.data == "<p><strong>gras</strong></p>"
        assert form.text.as_typed == "**gras**"

    def test_rich_text_field_reads_what_the_editor_posts(self) -> None:
        form = _posted(text="<b>gras</b><script>x</script>", text_format="html")

        assert form.validate()
        assert form.text.data == "<p><strong>gras</strong></p>"
        assert form.text.as_typed == "**gras**"

    @pytest.mark.parametrize("text_format", ["html", "typed"])
    def test_rich_text_field_refuses_a_text_that_is_too_long_and_shows_it_again(self, text_format: str) -> None:
        text = "a" * (MAX_CHARACTERS + 1)

        form = _posted(text=text, text_format=text_format)

        assert not form.validate()
        assert form.text.errors == [
            "Le texte compte 20\u202f001 caractères, le maximum est 20\u202f000. Raccourcissez-le."
        ]
        assert form.text.as_typed == text

    @pytest.mark.parametrize("text_format", ["html", "typed"])
    def test_rich_text_field_does_not_read_a_source_beyond_measure_and_shows_it_again(self, text_format: str) -> None:
        source = "<div>" * 30_000

        form = _posted(text=source, text_format=text_format)

        assert not form.validate()
        assert (form.text.as_typed, form.text.shown_format, form.text.is_read) == (source, text_format, False)

    def test_rich_text_field_accepts_the_longest_text(self) -> None:
        assert _posted(text="a" * MAX_CHARACTERS).validate()


class TestShow:
    def test_show_judges_again_what_is_stored(self, app: Flask) -> None:
        with app.test_request_context():
            page = render_template_string("{{ text|richtext }}", text="<p>un</p><script>alert(1)</script>")

        assert page == "<p>un</p>"

    def test_show_shows_nothing_for_nothing(self) -> None:
        assert show(None) == ""
