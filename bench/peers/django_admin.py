"""Django's admin over the lists of CPro: `python django_admin.py DATABASE`, in the environment of the peers.

Its lists show the same columns, twenty rows a page, in the same order, searched by the same folded text. Paths are read
as `answering.py` says. There is no sign-in: the user is created for each request, which spares Django two statements
that CPro sends.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import django
from answering import answer_paths
from django.conf import settings

_CONTRIB = ("admin", "auth", "contenttypes", "sessions", "messages")


def _database(address: str) -> dict[str, Any]:
    """Return Django's setting for a database with this SQLAlchemy URL."""
    url = urlsplit(address)
    if url.scheme == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": address.removeprefix("sqlite:///")}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.path.strip("/"),
        "USER": url.username,
        "PASSWORD": url.password or "",
        "HOST": url.hostname,
        "PORT": url.port,
        "CONN_MAX_AGE": None,
        "OPTIONS": {"options": "-c cpro.scope=1"},  # row-level security shows it the same school
    }


def sign_in(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Make every request as an administrator."""

    def answer(request: Any) -> Any:
        from django.contrib.auth.models import User

        request.user = User(pk=1, username="bench", is_staff=True, is_superuser=True)
        return get_response(request)

    return answer


def configure(address: str) -> None:
    """Set up Django and its admin."""
    contexts = ("template.context_processors.request", "contrib.auth.context_processors.auth")
    processors = [f"django.{each}" for each in (*contexts, "contrib.messages.context_processors.messages")]
    settings.configure(
        SECRET_KEY="bench",  # pragma: allowlist secret
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        LANGUAGE_CODE="fr",
        USE_TZ=True,
        STATIC_URL="/static/",
        INSTALLED_APPS=[f"django.contrib.{each}" for each in _CONTRIB],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.locale.LocaleMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            f"{__name__}.sign_in",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": processors},
            }
        ],
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        MESSAGE_STORAGE="django.contrib.messages.storage.cookie.CookieStorage",
        DATABASES={"default": _database(address)},
    )
    django.setup()


configure(sys.argv[1])

from django.contrib import admin  # noqa: E402
from django.db import models  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import path  # noqa: E402


def _meta(table: str) -> type:
    return type("Meta", (), {"managed": False, "db_table": table, "app_label": "auth"})


class Division(models.Model):
    """A class."""

    code = models.CharField(max_length=8)
    Meta = _meta("division")

    def __str__(self) -> str:
        return self.code


class Student(models.Model):
    """A pupil."""

    establishment_id = models.IntegerField()
    last_name = models.CharField(max_length=100)
    first_name = models.CharField(max_length=100)
    birth_date = models.DateField()
    division = models.ForeignKey(Division, models.CASCADE)
    ine = models.CharField(max_length=11)
    is_active = models.BooleanField()
    search_key = models.CharField(max_length=320)
    Meta = _meta("student")


class Account(models.Model):
    """An account."""

    establishment_id = models.IntegerField()
    last_name = models.CharField(max_length=100)
    first_name = models.CharField(max_length=100)
    role = models.CharField(max_length=16)
    login = models.CharField(max_length=80)
    is_active = models.BooleanField()
    last_sign_in_at = models.DateTimeField()
    search_key = models.CharField(max_length=300)
    Meta = _meta("account")


class Entry(models.Model):
    """A line of the journal."""

    establishment_id = models.IntegerField()
    at = models.DateTimeField()
    actor_id = models.IntegerField()
    actor_label = models.CharField(max_length=200)
    action = models.CharField(max_length=80)
    object_label = models.CharField(max_length=200)
    search_key = models.CharField(max_length=450)
    Meta = _meta("audit_entry")


class _OfOneSchool(admin.ModelAdmin):
    list_per_page = 20
    search_fields = ("search_key",)
    ordering = ("search_key", "id")

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).filter(establishment_id=1)


class _Students(_OfOneSchool):
    list_display = ("last_name", "first_name", "birth_date", "division", "ine", "is_active")
    list_select_related = ("division",)
    list_filter = ("is_active",)
    search_fields = ("search_key", "ine")


class _Accounts(_OfOneSchool):
    list_display = ("last_name", "first_name", "role", "login", "is_active", "last_sign_in_at")
    list_filter = ("role", "is_active")


class _Entries(_OfOneSchool):
    list_display = ("at", "actor_label", "action", "object_label")
    ordering = ("-id",)


site = admin.AdminSite()
for _model, _screen in ((Student, _Students), (Account, _Accounts), (Entry, _Entries)):
    site.register(_model, _screen)
urlpatterns = [path("", site.urls)]


if __name__ == "__main__":
    client = Client()
    answer_paths(lambda path: int(client.get(path).status_code))
