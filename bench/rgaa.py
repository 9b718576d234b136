"""Write docs/accessibilite.md from the assessment of each RGAA criterion: `python -m bench.rgaa`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cpro.core.formatting import plural
from cpro.site.declaration import JUDGED_ON, THEMES, Judgment, read_judgment

PAGE = Path(__file__).parent.parent / "docs" / "accessibilite.md"
_INTRODUCTION = """\
# Accessibilité
Les 106 critères du RGAA 4.1.2, jugés par l’équipe de CPro le {day} : {met}, {missed},
{absent} sans objet, soit **{rate}\u202f%** des critères applicables. Aucun organisme extérieur n’a audité CPro, et il
reste à l’essayer avec des personnes qui utilisent chaque jour un lecteur d’écran.

Cette page est écrite par `python -m bench.rgaa` d’après `cpro/site/rgaa.csv`, que suivent aussi la déclaration
(`/mentions/accessibilite`) et le pied de chaque page : corrigez ce fichier, pas celui-ci. « C » est conforme,
« NC » non conforme, « NA » sans objet ; sans essai nommé, le critère a été jugé en regardant les pages et leur code.
"""


def write() -> str:
    """Return the whole page."""
    return "\n".join([*_list_lines(read_judgment()), ""])


def _list_lines(judgment: Judgment) -> Iterator[str]:
    yield _INTRODUCTION.format(
        day=f"{JUDGED_ON:%d/%m/%Y}",
        met=plural(len(judgment.list_in("C")), "conforme", "conformes"),
        missed=plural(len(judgment.list_in("NC")), "non conforme", "non conformes"),
        absent=len(judgment.list_in("NA")),
        rate=judgment.rate_label,
    )
    yield "| | Critère | | Constat | Essai |"
    yield "|---|---|---|---|---|"
    for number, theme in THEMES.items():
        yield f"| **{number}** | **{theme}** | | | |"
        for each in judgment.criteria:
            if each.theme == number:
                test = f"`{each.test}`" if each.test else ""
                yield f"| {each.criterion} | {each.name} | {each.state} | {each.evidence} | {test} |"


if __name__ == "__main__":
    PAGE.write_text(write(), encoding="utf-8")
