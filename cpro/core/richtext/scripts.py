"""Write superscripts and subscripts in plain characters: « 10³ Ω », « H₂O », « U_eff ».

Stored text has no tag for them, so that searches, counts, documents and text areas all read the same text.
"""

from __future__ import annotations

from typing import Literal

Script = Literal["", "sup", "sub"]

_SUPERSCRIPTS = dict(
    zip(
        "0123456789+-−=()abcdefghijklmnoprstuvwxyzβγδφχ",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵝᵞᵟᵠᵡ",
        strict=True,
    )
)
_SUBSCRIPTS = dict(zip("0123456789+-−=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))
#: Endings of French abbreviations: « 1er », « 2e », « Mme » are easier to read without marks.
_ENDINGS = frozenset(
    "e er ers ère ères re res ème èmes eme emes d nd nds nde ndes de des me mes lle lles gr rs th st".split()
)


def plain_script(text: str, script: Script) -> str:
    """Return a superscript or subscript in plain characters, or after « ^ » or « _ » where there are none."""
    core = text.strip()
    if not core or not script or (script == "sup" and core in _ENDINGS):
        return text
    known = _SUPERSCRIPTS if script == "sup" else _SUBSCRIPTS
    if all(char in known for char in core):
        written = "".join(known[char] for char in core)
    elif not core[0].isalnum() and core[0] not in "+-−":
        return text  # « [1] », « * », « ® »: a footnote reference, an isolated sign
    else:
        mark = "^" if script == "sup" else "_"
        written = mark + (core if core.isalnum() else f"({core})")
    return text.replace(core, written)
