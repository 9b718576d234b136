"""Write large fictitious SIECLE files: `python bench/siecle_files.py 100000 Eleves.xml`.

All people are invented: the INE belong to an unused series, with valid keys; one pupil in two hundred has none.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from typing import TextIO

from cpro.core.validators import rnie_key, uai_key

UAI = "0999001" + uai_key("0999001")
_LAST_NAMES = ("FICTIF", "MAQUETTE", "TESTEUR", "D'EXEMPLE", "SŒURFACTICE", "ÉPROUVÉ", "BOBINE", "CUIVRE", "VOLTAIN")
_FIRST_NAMES = ("Alix", "Zoë", "Jean-Noël", "Maëlys", "Théo", "Inès", "Noé", "Camille", "Gaëtan", "Loïc", "Yaël")
_MEFS = ("24725510310", "24725510320", "24725510330")

_STUDENT = """\t\t\t<ELEVE ELEVE_ID="{id}" ELENOET="{number}">
{ine}\t\t\t\t<ELENOET>{number}</ELENOET>
\t\t\t\t<ID_ELEVE_ETAB>0{number:05}00000</ID_ELEVE_ETAB>
\t\t\t\t<NOM_DE_FAMILLE>{last_name}</NOM_DE_FAMILLE>
{usage_name}\t\t\t\t<PRENOM>{first_name}</PRENOM>
\t\t\t\t<DATE_NAISS>{day:02}/{month:02}/{year}</DATE_NAISS>
\t\t\t\t<DOUBLEMENT>0</DOUBLEMENT>
\t\t\t\t<CODE_PAYS>100</CODE_PAYS>
\t\t\t\t<ACCEPTE_SMS>0</ACCEPTE_SMS>
\t\t\t\t<DATE_MODIFICATION>02/09/2026</DATE_MODIFICATION>
\t\t\t\t<CODE_REGIME>2</CODE_REGIME>
\t\t\t\t<DATE_ENTREE>01/09/2026</DATE_ENTREE>
\t\t\t\t<VILLE_NAISS/>
\t\t\t\t<CODE_SEXE>1</CODE_SEXE>
\t\t\t\t<TEL_PORTABLE>0600000001</TEL_PORTABLE>
\t\t\t\t<CODE_PAYS_NAT>100</CODE_PAYS_NAT>
\t\t\t\t<CODE_STATUT>ST</CODE_STATUT>
\t\t\t\t<CODE_MEF>{mef}</CODE_MEF>
\t\t\t\t<CODE_DEPARTEMENT_NAISS>095</CODE_DEPARTEMENT_NAISS>
\t\t\t\t<CODE_COMMUNE_INSEE_NAISS>95127</CODE_COMMUNE_INSEE_NAISS>
\t\t\t\t<ADHESION_TRANSPORT>0</ADHESION_TRANSPORT>
\t\t\t\t<SCOLARITE_AN_DERNIER>
\t\t\t\t\t<CODE_STRUCTURE>2MELEC</CODE_STRUCTURE>
\t\t\t\t\t<CODE_RNE>{uai}</CODE_RNE>
\t\t\t\t\t<SIGLE>LP</SIGLE>
\t\t\t\t\t<DENOM_PRINC>LYCEE PROFESSIONNEL</DENOM_PRINC>
\t\t\t\t</SCOLARITE_AN_DERNIER>
\t\t\t</ELEVE>
"""
_NUMBERS = """\t\t\t\t<ID_NATIONAL>{ine}</ID_NATIONAL>
\t\t\t\t<INE_RNIE>{ine}</INE_RNIE>
"""
_STRUCTURES = """\t\t\t<STRUCTURES_ELEVE ELEVE_ID="{id}" ELENOET="{number}">
\t\t\t\t<STRUCTURE>
\t\t\t\t\t<CODE_STRUCTURE>{division}</CODE_STRUCTURE>
\t\t\t\t\t<TYPE_STRUCTURE>D</TYPE_STRUCTURE>
\t\t\t\t</STRUCTURE>
\t\t\t</STRUCTURES_ELEVE>
"""


def write_students(
    path: Path,
    count: int,
    *,
    uai: str = UAI,
    school_year: int = 2026,
    divisions: str = "D",
    usage_name: str = "",
    seed: int = 1,
) -> None:
    """Write an `ElevesSansAdresses.xml` of that many pupils in ISO-8859-15, deterministic for the same arguments.

    Thirty pupils a division; `divisions` is the first letter of their codes, `usage_name` is that of all pupils.
    """
    chance = random.Random(seed)
    with path.open("w", encoding="iso-8859-15", newline="\r\n") as file:
        file.write('<?xml version="1.0" encoding="ISO-8859-15"?>\n<BEE_ELEVES VERSION="3.0">\n\t<PARAMETRES>\n')
        file.write(f"\t\t<UAJ>{uai}</UAJ>\n\t\t<ANNEE_SCOLAIRE>{school_year}</ANNEE_SCOLAIRE>\n")
        file.write("\t\t<DATE_EXPORT>05/10/2026</DATE_EXPORT>\n\t</PARAMETRES>\n\t<DONNEES>\n\t\t<ELEVES>\n")
        for number in range(count):
            _write_student(file, number, uai, usage_name, chance)
        file.write("\t\t</ELEVES>\n\t\t<STRUCTURES>\n")
        for number in range(count):
            file.write(
                _STRUCTURES.format(id=1_000_000 + number, number=number, division=f"{divisions}{number // 30:04}")
            )
        file.write("\t\t</STRUCTURES>\n\t</DONNEES>\n</BEE_ELEVES>\n")


def _write_student(file: TextIO, number: int, uai: str, usage_name: str, chance: random.Random) -> None:
    ine = f"{990_000_000 + number:09}"
    ine += rnie_key(ine)
    file.write(
        _STUDENT.format(
            id=1_000_000 + number,
            number=number,
            ine=""
            if number % 200 == 199
            else f"\t\t\t\t<ID_NATIONAL>{ine}</ID_NATIONAL>\n\t\t\t\t<INE_RNIE>{ine}</INE_RNIE>\n",
            last_name=f"{chance.choice(_LAST_NAMES)}-{chance.choice(_LAST_NAMES)}-{number:X}".translate(_LETTERS),
            usage_name=f"\t\t\t\t<NOM_USAGE>{usage_name}</NOM_USAGE>\n" if usage_name else "",
            first_name=chance.choice(_FIRST_NAMES),
            day=chance.randint(1, 28),
            month=chance.randint(1, 12),
            year=chance.randint(2007, 2011),
            mef=chance.choice(_MEFS),
            uai=uai,
        )
    )


#: Numbers as letters: a name contains no digit.
_LETTERS = str.maketrans("0123456789", "GHIJKLMNOP")


def main() -> None:
    """Write the requested file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("path", type=Path)
    arguments = parser.parse_args()
    write_students(arguments.path, arguments.count)


if __name__ == "__main__":
    main()
