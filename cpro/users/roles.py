"""The roles given to new accounts: by hand, by an import, by a mandate. Rules check permissions, not roles."""

from __future__ import annotations

from cpro.core.permissions import Role

#: The role of a new account, by the person's kind.
PUPIL = Role.STUDENT
TEACHER = Role.TEACHER
HEAD = Role.HEAD
INSPECTOR = Role.INSPECTOR

_FIRST_OFFERED = (Role.TEACHER, Role.STUDENT, Role.ADMINISTRATOR)
#: Roles offered when an account is created by hand: every role of a school, most frequent first.
MANUAL_ROLES = (*_FIRST_OFFERED, *(role for role in Role if role not in _FIRST_OFFERED and not role.is_platform))
#: Roles whose codes are printed: the others' are mailed.
PRINTED_ROLES = tuple(role for role in MANUAL_ROLES if not role.has_private_code)
