"""Generated screens: students, divisions, diplomas, courses."""

from __future__ import annotations

from cpro.students.web.screens.mefs import MEFsScreen
from cpro.students.web.screens.students import DiplomasScreen, DivisionsScreen, StudentsScreen

__all__ = ["DiplomasScreen", "DivisionsScreen", "MEFsScreen", "StudentsScreen"]
