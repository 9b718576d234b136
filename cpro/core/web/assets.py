"""What travels: pages compressed; one style sheet, one script, one file of icons for all, kept for a year.

Their addresses hold a hash of what they say, so that a new version is a new address. They are compressed when they are
made, not at each request, since no other server may stand before this one.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import brotli
from flask import Flask, Response, abort, request, url_for

#: What Flask calls the address of such a file.
ENDPOINT = "asset"
#: All that is served as a file, the same for everybody: Flask's, Flask-Admin's, and ours here.
FILES = frozenset({"static", "admin.static", ENDPOINT})
#: Bytes below which a page takes no fewer packets compressed.
_WORTH_IT = 1000
_MIMETYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_A_YEAR = "public, max-age=31536000, immutable"

_STYLESHEETS = (
    "css/tokens.css",
    "cpro.css",
    "css/frame.css",
    "css/search.css",
    "css/forms.css",
    "css/panels.css",
    "css/tables.css",
    "css/words.css",
    "css/screens.css",
    "css/grid.css",
    "css/lists.css",
    "css/richtext.css",
    "css/charts.css",
    "css/history.css",
    "css/transfers.css",
    "css/new_year.css",
    "css/forced.css",
    "css/print.css",
)
#: Each acts where it finds its marks, and nowhere else; a tuple is files that share their names.
_SCRIPTS: tuple[tuple[str, ...], ...] = (
    ("cpro.js",),
    ("menu.js",),
    ("search.js",),
    ("unsaved.js",),
    ("files.js",),
    ("enlarge.js",),
    ("drafts.js",),
    ("choose.js",),
    ("rows.js",),
    ("grid.js",),
    ("richtext_read.js", "richtext_edit.js", "richtext_steps.js", "richtext.js"),
    ("mask_preview.js",),
    ("progress.js",),
    ("session.js",),
    ("passkeys.js",),
    ("passwords.js",),
)
_NAME = re.compile(r"cpro\.[0-9a-f]{16}\.(css|js|svg)")
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./\w+\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=const|function|class)", re.MULTILINE)
_CSS_COMMENT = re.compile(r"/\*.*?\*/\n?", re.DOTALL)
#: Those that begin a line, or end one without a quotation mark: what stands within one may be a text, or an expression.
_JS_COMMENT = re.compile(r"^ *(?:/\*(?:[^*]|\*(?!/))*\*/|//[^\n]*)\n| +// [^\n\"`]*$", re.MULTILINE)
_JS_TYPE = re.compile(r"/\*\* @type [^\n]*?\*/ ?")
#: No text of a script goes on to the next line, which makes what begins a line nothing but its layout.
_JS_LAYOUT = re.compile(r"^\s+|(?<=[;{,([])\n\s*", re.MULTILINE)
_CSS_LAYOUT = re.compile(r"(?<=[{};,:(])\s*\n\s*|(?<=[{};,]) +| +(?=[{}])")


def _encoding_understood() -> str:
    """Return the shortest of our encodings that the browser understands, "" for none."""
    return request.accept_encodings.best_match(["br", "gzip"], default="") or ""


@dataclass(frozen=True)
class Asset:
    """A file that browsers keep: what it says, its kind (of `_MIMETYPES`)."""

    content: bytes
    kind: str

    @cached_property
    def name(self) -> str:
        """Return its name, which changes with what it says."""
        return f"cpro.{hashlib.sha256(self.content).hexdigest()[:16]}.{self.kind}"

    @cached_property
    def encoded(self) -> dict[str, bytes]:
        """Return what it says in each encoding, compressed as far as each goes; "" is plain."""
        return {
            "": self.content,
            "br": brotli.compress(self.content, quality=11, mode=brotli.MODE_TEXT),
            "gzip": gzip.compress(self.content, 9, mtime=0),
        }

    def answer(self, kept: str = _A_YEAR) -> Response:
        """Return it, compressed where the browser understands that; `kept` says for how long it may be kept."""
        encoding = _encoding_understood()
        response = Response(self.encoded[encoding], mimetype=_MIMETYPES[self.kind])
        response.headers["Cache-Control"] = kept
        response.headers["Vary"] = "Accept-Encoding"
        if encoding:
            response.headers["Content-Encoding"] = encoding
        return response


class Assets:
    """The style sheet, the script and the icons of an application; read from its static files when first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def stylesheet(self) -> Asset:
        """Return the style sheets in their order, without their comments and their layout."""
        sheets = "".join(_CSS_COMMENT.sub("", self._read(name)) for name in _STYLESHEETS)
        return Asset(_CSS_LAYOUT.sub("", sheets).encode(), "css")

    @cached_property
    def script(self) -> Asset:
        """Return the scripts as one module, without comments, each in a block so that their names do not meet."""
        blocks = (_JS_COMMENT.sub("", "".join(map(self._read, names))) for names in _SCRIPTS)
        module = "".join(f"{{\n{_EXPORT.sub('', _IMPORT.sub('', each))}}}\n" for each in blocks)
        return Asset(_JS_LAYOUT.sub("", _JS_TYPE.sub("", module)).encode(), "js")

    @cached_property
    def icons(self) -> Asset:
        """Return the sprite of icons."""
        return Asset(self._read("icons.svg").encode(), "svg")

    def serve(self, name: str) -> Response:
        """Answer with the file of that name; for that of another version, with today's, which nobody keeps.

        Two versions serve side by side during an update: a page of one may ask the other for what it needs.
        """
        asked = _NAME.fullmatch(name)
        if asked is None:
            abort(404)
        asset = {"css": self.stylesheet, "js": self.script, "svg": self.icons}[asked[1]]
        return asset.answer() if asset.name == name else asset.answer(kept="no-store")

    def url(self, asset: Asset) -> str:
        """Return the address of one of them."""
        return url_for(ENDPOINT, name=asset.name)

    def _read(self, name: str) -> str:
        return (self._folder / name).read_text(encoding="utf-8")


def compress_page(response: Response) -> Response:
    """Compress a page for a browser that understands that: its tokens differ in each answer (`csrf.py`)."""
    is_page = response.mimetype == "text/html" and not response.is_streamed and not response.direct_passthrough
    if not is_page or "Content-Encoding" in response.headers:
        return response
    response.vary.add("Accept-Encoding")
    encoding = _encoding_understood()
    if encoding and (response.content_length or 0) > _WORTH_IT:
        page = response.get_data()
        # Quality 5 costs a twentieth of a millisecond more than gzip, and saves a tenth.
        is_brotli = encoding == "br"
        response.set_data(brotli.compress(page, quality=5) if is_brotli else gzip.compress(page, 6, mtime=0))
        response.headers["Content-Encoding"] = encoding
    return response


def install(app: Flask) -> None:
    """Serve the assets of an application beside its static files; templates find them in `assets`."""
    assets = Assets(Path(app.static_folder or ""))
    app.add_url_rule("/static/v/<name>", ENDPOINT, assets.serve)
    app.jinja_env.globals.update(assets=assets)
    app.after_request(compress_page)
