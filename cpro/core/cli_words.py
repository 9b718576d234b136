"""Put third-party commands into French: `flask` itself, and Flask-Migrate's group `db`.

click's own messages are in `locale/`; these are help texts that the libraries output without asking for a
translation.
"""

from __future__ import annotations

from collections.abc import Iterable

import click

DB = "Migrations de la base de données."
_ROOT = "Les commandes de CPro\u202f; docs/commandes.md les dit une à une."
_COMMANDS = {
    "branches": "Afficher les branches de migrations.",
    "check": "Dire si les tables du programme et les migrations diffèrent.",
    "current": "Afficher la révision de la base de données.",
    "downgrade": "Ramener la base de données à une révision précédente.",
    "edit": "Ouvrir le fichier d’une migration.",
    "heads": "Afficher la dernière révision de ce programme.",
    "history": "Lister les migrations, de la dernière à la première.",
    "init": "Créer un dossier de migrations.",
    "list-templates": "Lister les modèles de dossier de migrations.",
    "merge": "Réunir deux révisions en une migration.",
    "migrate": "Écrire une migration d’après les tables du programme («\u202frevision --autogenerate\u202f»).",
    "revision": "Écrire une migration vide.",
    "show": "Afficher une migration.",
    "stamp": "Noter une révision dans la base de données, sans migrer.",
    "upgrade": "Mettre la base de données à la révision de ce programme, ou à une autre.",
}
_OPTIONS = {
    "app": "Le module de l’application, «\u202fapp\u202f» pour CPro.",
    "autogenerate": "D’après les tables du programme.",
    "branch_label": "Nom de la branche de cette révision.",
    "debug": "Mode de développement de Flask.",
    "directory": "Dossier des migrations\u202f; celui du programme à défaut.",
    "env_file": "Lire des variables d’environnement dans ce fichier, avec python-dotenv.",
    "head": "Révision de tête, ou branche@head, après laquelle écrire.",
    "_click_default_help": "Afficher cette aide.",  # from `flask` itself, which sets it before the language is known
    "indicate_current": "Marquer la révision de la base de données.",
    "message": "Titre de la migration.",
    "multidb": "Plusieurs bases de données.",
    "package": "Ajouter des fichiers __init__.py vides.",
    "purge": "Vider d’abord la table alembic_version.",
    "resolve_dependencies": "Tenir les dépendances pour des révisions précédentes.",
    "rev_id": "Numéro de la révision, au lieu d’un numéro au hasard.",
    "rev_range": "Seulement ces révisions\u202f: [première]:[dernière].",
    "splice": "Accepter une révision qui n’est pas de tête.",
    "sql": "Afficher le SQL sans rien exécuter.",
    "tag": "Étiquette remise à env.py.",
    "template": "Modèle du dossier.",
    "verbose": "Tout afficher.",
    "version": "Afficher la version.",
    "version_path": "Dossier du fichier de la migration.",
    "x_arg": "Argument remis à env.py\u202f; «\u202fpertes=oui\u202f» laisse une migration perdre des lignes.",
}


def translate_migrations(group: click.Group) -> None:
    """Translate the help of Flask-Migrate's group into French."""
    group.help = DB
    _translate(group.params)
    for name, command in group.commands.items():
        command.help = command.short_help = _COMMANDS.get(name, command.help)
        _translate(command.params)


def _translate(params: Iterable[click.Parameter]) -> None:
    for param in params:
        if isinstance(param, click.Option) and param.name in _OPTIONS:
            param.help = _OPTIONS[param.name]


class Commands(click.Group):
    """The commands of CPro; when `flask` lists them in its own help, that help is rewritten in French.

    click has already begun to write the help when `flask` loads the application, which cannot translate it earlier.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands, after replacing the `flask` help that asks for them by its French version."""
        root = ctx.command
        if isinstance(root, click.Group) and root is not self and root.help != _ROOT and not ctx.resilient_parsing:
            root.help = _ROOT
            _translate(root.get_params(ctx))
            for name in ("routes", "run", "shell"):  # development commands; `python app.py` serves
                root.commands.pop(name, None)
            click.echo(root.get_help(ctx), color=ctx.color)
            raise SystemExit(0)
        return super().list_commands(ctx)
