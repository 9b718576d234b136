"""What `bench.bare_root` runs is what the docs and the files of deploy/ say: all of it, and nothing else."""

from __future__ import annotations

import re

import pytest

from bench.bare_root import images
from bench.bare_root.__main__ import _READER, HOST
from bench.bare_root.images import Image, UnknownInstruction, read_image, read_services
from bench.bare_root.page import read_steps, under
from cpro.config import PROJECT_ROOT


class TestPages:
    @pytest.mark.parametrize("name", ["exploitation.md", "sauvegarde.md"])
    def test_pages_every_command_is_a_step_under_its_heading(self, name: str) -> None:
        text = (PROJECT_ROOT / "docs" / name).read_text(encoding="utf-8")
        written = [line for block in re.findall(r"```sh\n(.*?)```", text, re.S) for line in block.splitlines() if line]

        assert [step.line for step in read_steps(name)] == written
        assert all(step.heading for step in read_steps(name))

    def test_pages_have_the_headings_that_are_followed(self) -> None:
        for heading in ("Installer", "Mettre à jour"):
            assert under(read_steps("exploitation.md"), heading)
        for heading in ("Sauvegarder", "Vérifier", "Restaurer"):
            assert under(read_steps("sauvegarde.md"), heading)

    def test_pages_what_is_left_to_the_reader_follows_a_command_that_says_so(self) -> None:
        for begins in _READER:
            (step,) = [step for step in read_steps("exploitation.md") if step.line.startswith(begins)]
            assert "# puis" in step.line

    def test_pages_the_host_is_that_of_the_samples(self) -> None:
        for name in ("cpro.env.example", "nginx/cpro.conf", "compose.yaml"):
            assert HOST in (PROJECT_ROOT / "deploy" / name).read_text(encoding="utf-8")


class TestImages:
    def test_images_each_instruction_of_the_dockerfile_is_tried(self) -> None:
        image = read_image()

        assert (image.user, image.port, image.folder) == ("cpro", 8000, "/opt/cpro")
        assert [word for word, _ in image.builds].count("COPY") == 2
        assert image.health[0] == "python" and image.command[0] == "gunicorn"
        assert image.source.startswith("python:3.") and image.volumes == ["/var/lib/cpro"]

    def test_images_an_instruction_that_nobody_tries_is_refused(self) -> None:
        with pytest.raises(UnknownInstruction, match="STOPSIGNAL"):
            Image().read("STOPSIGNAL", "SIGQUIT")
        with pytest.raises(UnknownInstruction, match="RUN"):
            Image(user="cpro").read("RUN", "true")

    def test_images_each_word_of_compose_is_tried(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert read_services().keys() == {"database", "migrate", "web", "worker"}
        monkeypatch.setattr(images, "_SERVICE", images._SERVICE - {"stop_grace_period"})
        with pytest.raises(UnknownInstruction, match="web: stop_grace_period"):
            read_services()

    def test_images_a_service_without_pages_is_not_asked_for_them(self) -> None:
        services = read_services()

        assert "healthcheck" not in services["web"]
        assert services["worker"]["healthcheck"] == services["migrate"]["healthcheck"] == {"disable": True}
