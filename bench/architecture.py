"""Regenerate `docs/architecture.md` from the code: `python -m bench.architecture` (or `make docs`).

The rows are the layers of the import contract in pyproject.toml, the boxes the packages and modules of `cpro/`, the
arrows the number of imports between them. The table counts lines as `wc -l` does.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/architecture.md"
PICTURE = ROOT / "docs/images/architecture.svg"
BEGIN, END = "<!-- table: python -m bench.architecture -->", "<!-- end of the table -->"

#: Lines of each package before the redesign, at commit 43baa3b.
BEFORE = {
    "cpro": 78,
    "serving": 138,
    "demo": 314,
    "site": 212,
    "passport": 1631,
    "imports": 8649,
    "transfers": 4740,
    "inspectors": 1298,
    "records": 3519,
    "scenarios": 1479,
    "masks": 701,
    "competences": 775,
    "students": 4706,
    "users": 4646,
    "establishments": 2919,
    "audit": 1061,
    "core": 8181,
    "extensions": 70,
    "config": 186,
}
#: A box imported by more than this share of the boxes above is drawn as ground, without an arrow from each.
_GROUND = 0.5

Arrows = Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class House:
    """The data drawn: the layers, top first, each a list of names; how often one imports another; lines of each."""

    layers: list[list[str]]
    arrows: Arrows
    lines: dict[str, int]

    @property
    def drawn(self) -> set[tuple[str, str]]:
        """Return the pairs joined by an arrow: those that do not involve the ground."""
        return {pair for pair in self.arrows if not self.ground & set(pair)}

    @property
    def ground(self) -> set[str]:
        """Return the boxes imported by most of those above, and the last layer."""
        found: set[str] = set(self.layers[-1])
        above: set[str] = set()
        for layer in self.layers:
            for name in layer:
                importers = sum((each, name) in self.arrows for each in above)
                if len(above) > 3 and importers > _GROUND * len(above):
                    found.add(name)
            above |= set(layer)
        return found


def read_house() -> House:
    """Return the current state of the code."""
    layers = read_layers()
    names = [name for layer in layers for name in layer]
    return House(layers, count_imports(set(names)), {name: count_lines(name) for name in ["cpro", *names]})


def read_layers() -> list[list[str]]:
    """Return the layers of the import contract of `cpro`, top first."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    layers = next(each["layers"] for each in contracts if each.get("containers") == ["cpro"])
    return [re.findall(r"\w+", layer) for layer in layers]


def count_imports(names: set[str]) -> Arrows:
    """Return how many modules of one name import how many of another, summed; type-only imports are not counted."""
    graph = grimp.build_graph("cpro", exclude_type_checking_imports=True, cache_dir=None)
    arrows: Counter[tuple[str, str]] = Counter()
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            pair = (_top(module), _top(imported))
            if pair[0] != pair[1] and names.issuperset(pair):
                arrows[pair] += 1
    return arrows


def _top(module: str) -> str:
    return module.split(".")[1] if "." in module else module


def count_lines(name: str) -> int:
    """Return the lines of a package or module of `cpro`; those of `create_app` for `cpro` itself."""
    path = ROOT / "cpro" / name
    if name == "cpro":
        files: Iterable[Path] = [ROOT / "cpro/__init__.py"]
    else:
        files = path.rglob("*.py") if path.is_dir() else [path.with_suffix(".py")]
    return sum(file.read_bytes().count(b"\n") for file in files)


# The table


def render_table(house: House) -> str:
    """Return the table of the page: each package, its purpose, its lines before and now."""
    rows = ["| | what it is for | before | now |", "|---|---|--:|--:|"]
    for name in house.lines:
        place = _place(name).relative_to(ROOT).as_posix()
        before = _number(BEFORE[name]) if name in BEFORE else "–"
        rows.append(f"| [`{name}`](../{place}) | {_purpose(name)} | {before} | {_number(house.lines[name])} |")
    gone = sorted(set(BEFORE) - set(house.lines))
    rows += [f"| `{name}` | gone | {_number(BEFORE[name])} | – |" for name in gone]
    rows.append(f"| in all | | {_number(sum(BEFORE.values()))} | {_number(sum(house.lines.values()))} |")
    return "\n".join(rows)


def read_table(page: str) -> dict[str, int]:
    """Return the line counts of the page for each package."""
    told = re.findall(r"^\| \[`(\w+)`\].*\| ([\d ]+) \|$", page, re.M)
    return {name: int(lines.replace(" ", "")) for name, lines in told}


def _place(name: str) -> Path:
    path = ROOT / "cpro" / name
    if name == "cpro":
        return ROOT / "cpro/__init__.py"
    return path if path.is_dir() else path.with_suffix(".py")


def _purpose(name: str) -> str:
    """Return the first sentence of a package's docstring, without its own name."""
    place = _place(name)
    source = place / "__init__.py" if place.is_dir() else place
    first = (ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or "").split("\n\n")[0]
    sentence = re.split(r"\.(?=\s|$)", " ".join(first.split()))[0]
    return re.sub(rf"^{name}: (\w)", lambda found: found[1].upper(), sentence, flags=re.I).replace("|", "\\|")


def _number(lines: int) -> str:
    return f"{lines:,}".replace(",", " ")


# The picture

_WIDTH, _ROW, _BOX, _HEIGHT, _MARGIN = 960, 74, 132, 36, 24


def render_picture(house: House) -> str:
    """Return the picture as an SVG: rows are layers, boxes packages, arrows imports, thicker for more of them."""
    centres = _place_boxes(house)
    height = len(house.layers) * _ROW + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif"'
        ' font-size="14" role="img" aria-labelledby="title">',
        '<title id="title">The packages of cpro in layers, and which imports which</title>',
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8"'
        ' markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 8 4 0 8z" fill="#3b5b7a"/></marker></defs>',
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
    ]
    for row in range(1, len(house.layers)):
        y = _MARGIN / 2 + row * _ROW
        parts.append(f'<path d="M0 {y}H{_WIDTH}" stroke="#e3e3e3"/>')
    parts += [_arrow(pair, house.arrows[pair], centres) for pair in sorted(house.drawn)]
    parts += [_box(name, row, centres, house) for row, layer in enumerate(house.layers) for name in layer]
    return "\n".join([*parts, "</svg>", ""])


def _place_boxes(house: House) -> dict[str, tuple[float, float]]:
    """Return the centre of each box; boxes alone on their row alternate sides, so that arrows pass beside them."""
    centres, alone = {}, 0
    for row, layer in enumerate(house.layers):
        aside = 0 if house.ground & set(layer) else (60, -60)[row % 2]
        y = _MARGIN / 2 + (row + 0.5) * _ROW
        if len(layer) == 1 and layer[0] not in house.ground:
            centres[layer[0]] = (_WIDTH * (0.5, 0.32, 0.68)[alone % 3], y)
            alone += 1
            continue
        for place, name in enumerate(layer):
            centres[name] = (_WIDTH * (place + 0.5) / len(layer) + aside, y)
    return centres


def _arrow(pair: tuple[str, str], count: int, centres: Mapping[str, tuple[float, float]]) -> str:
    (x1, y1), (x2, y2) = centres[pair[0]], centres[pair[1]]
    lean = max(-_BOX / 2 + 12, min(_BOX / 2 - 12, (x2 - x1) / 8))
    y1, y2 = y1 + _HEIGHT / 2, y2 - _HEIGHT / 2
    middle = max((y2 - y1) / 2, 20)
    return (
        f'<path class="arrow" data-from="{pair[0]}" data-to="{pair[1]}" marker-end="url(#head)" fill="none"'
        f' stroke="#3b5b7a" stroke-opacity=".6" stroke-width="{1 + min(count, 24) / 8:.1f}"'
        f' d="M{x1 + lean:.0f} {y1:.0f}C{x1 + lean:.0f} {y1 + middle:.0f} {x2 - lean:.0f} {y2 - middle:.0f}'
        f' {x2 - lean:.0f} {y2:.0f}"><title>{pair[0]} imports {pair[1]} ({count})</title></path>'
    )


def _box(name: str, row: int, centres: Mapping[str, tuple[float, float]], house: House) -> str:
    x, y = centres[name]
    is_ground = name in house.ground
    width = _WIDTH / len(house.layers[row]) - _MARGIN if is_ground else _BOX
    label = name
    if is_ground:
        importers = sorted(each for each, imported in house.arrows if imported == name)
        above = sum(len(layer) for layer in house.layers[:row])
        label += f" — imported by {len(importers)} of the {above} above"
    return (
        f'<g class="box" data-name="{name}" data-layer="{row}">'
        f'<rect x="{x - width / 2:.0f}" y="{y - _HEIGHT / 2:.0f}" width="{width:.0f}" height="{_HEIGHT}" rx="5"'
        f' fill="{"#eef1f4" if is_ground else "#dbe8f4"}" stroke="#3b5b7a"/>'
        f'<text x="{x:.0f}" y="{y + 5:.0f}" text-anchor="middle">{escape(label)}</text></g>'
    )


def read_picture(picture: str) -> tuple[list[list[str]], set[tuple[str, str]]]:
    """Parse a picture: the boxes of each layer, and the pairs joined by an arrow."""
    layers: dict[str, list[str]] = {}
    for name, layer in re.findall(r'class="box" data-name="(\w+)" data-layer="(\d+)"', picture):
        layers.setdefault(layer, []).append(name)
    return list(layers.values()), set(re.findall(r'class="arrow" data-from="(\w+)" data-to="(\w+)"', picture))


def main() -> None:
    """Regenerate the picture and the table."""
    house = read_house()
    PICTURE.write_text(render_picture(house), encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    before, _begin, rest = page.partition(BEGIN)
    _table, _end, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{render_table(house)}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
