"""Generated screens: students, divisions, diplomas, courses; users, who have divisions too."""

from __future__ import annotations

from cpro.students.admin.mefs import MEFsScreen
from cpro.students.admin.students import DiplomasScreen, DivisionsScreen, StudentsScreen
from cpro.students.admin.users import UsersScreen

__all__ = ["DiplomasScreen", "DivisionsScreen", "MEFsScreen", "StudentsScreen", "UsersScreen"]
