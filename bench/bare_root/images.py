"""Parse deploy/Dockerfile and deploy/compose.yaml for `containers`: nothing in them is ignored."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from cpro.config import PROJECT_ROOT

_DEPLOY = PROJECT_ROOT / "deploy"
#: Allowed keys of a service of compose.yaml; `containers` handles each, or says why not.
_SERVICE = {
    "build", "command", "depends_on", "environment", "healthcheck", "image", "ports", "restart", "stop_grace_period",
    "volumes",
}  # fmt: skip


class UnknownInstruction(Exception):
    """A file contains something that is not tested."""


@dataclass
class Image:
    """The result of a Dockerfile: `builds` are its COPY and RUN, in order, with the user who runs them."""

    source: str = ""
    folder: str = "/"
    user: str = "root"
    environ: dict[str, str] = field(default_factory=dict)
    builds: list[tuple[str, str]] = field(default_factory=list)
    volumes: list[str] = field(default_factory=list)
    port: int = 0
    health: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    def read(self, word: str, rest: str) -> None:
        """Process one instruction."""
        match word:
            case "FROM":
                self.source = rest
            case "WORKDIR":
                self.folder = rest
            case "USER":
                self.user = rest
            case "ENV":
                self.environ |= dict(each.split("=", 1) for each in rest.split())
            case "RUN" | "COPY" if self.user == "root":
                self.builds.append((word, rest))
            case "VOLUME":
                self.volumes.append(rest)
            case "EXPOSE":
                self.port = int(rest)
            case "HEALTHCHECK":
                self.health = json.loads(re.sub(r"^(--\S+ +)*CMD ", "", rest))
            case "CMD":
                self.command = json.loads(rest)
            case _:
                raise UnknownInstruction(f"Dockerfile: {word} {rest}")


def read_image() -> Image:
    """Return the parsed Dockerfile. Raises `UnknownInstruction`."""
    image = Image()
    text = re.sub(r"^#.*\n", "", (_DEPLOY / "Dockerfile").read_text(encoding="utf-8"), flags=re.M)
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        if line.strip():
            image.read(*line.split(None, 1))
    return image


def read_services() -> dict[str, dict[str, Any]]:
    """Return the services of compose.yaml. Raises `UnknownInstruction`."""
    services: dict[str, dict[str, Any]] = yaml.safe_load((_DEPLOY / "compose.yaml").read_text(encoding="utf-8"))[
        "services"
    ]
    for name, service in services.items():
        if unknown := service.keys() - _SERVICE:
            raise UnknownInstruction(f"compose.yaml: {name}: {', '.join(sorted(unknown))}")
    return services


def ignored() -> list[str]:
    """Return what COPY leaves out: the lines of .dockerignore."""
    return (PROJECT_ROOT / ".dockerignore").read_text(encoding="utf-8").split()
