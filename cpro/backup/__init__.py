"""Backup of an instance into one file, its restoration, and the server key it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    """Register the feature: its commands and audit labels."""
    from cpro.audit import labels
    from cpro.backup import commands

    app.cli.add_command(commands.backup)
    app.cli.add_command(commands.restore)
    app.cli.add_command(commands.keys)
    labels.register(
        actions={
            "server:backed-up": "a fait une sauvegarde du serveur",
            "server:key:adopted": "a remplacé la clé perdue du serveur par une autre",
            "server:key:resealed": "a scellé à nouveau sous la clé d’aujourd’hui",
            "server:restored": "a restauré une sauvegarde du serveur",
        },
        objects={"server": "Serveur"},
        fields={
            "server": {
                "created_at": "Sauvegarde du",
                "new_key": "Sans la clé d’origine",
                "sha256": "SHA-256",
                "size": "Octets",
            }
        },
    )
