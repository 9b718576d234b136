"""The alert rules: read by Prometheus's own tool where it is, and about figures that CPro gives."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from cpro.config import PROJECT_ROOT

RULES = PROJECT_ROOT / "deploy/prometheus/cpro.rules.yml"


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


class TestAlerts:
    def test_alerts_each_has_what_prometheus_asks(self) -> None:
        for rule in rules():
            assert {"alert", "expr", "labels", "annotations"} <= rule.keys() <= {
                "alert", "expr", "for", "labels", "annotations"
            }  # fmt: skip
            assert rule["labels"]["severity"] in ("warning", "critical")
            assert rule["annotations"]["summary"]

    def test_alerts_are_about_figures_that_are_given(self) -> None:
        sources = [PROJECT_ROOT / "cpro/site/metrics.py", PROJECT_ROOT / "cpro/core/web/request_metrics.py"]
        given = set(re.findall(r'"(cpro_\w+)"', "".join(each.read_text() for each in sources)))
        asked = set(re.findall(r"\bcpro_\w+", " ".join(rule["expr"] for rule in rules())))

        assert asked
        assert {re.sub("_(total|bucket)$", "", name) for name in asked} <= given

    @pytest.mark.integration
    def test_alerts_are_accepted_by_promtool(self) -> None:
        promtool = shutil.which("promtool")
        if promtool is None:
            pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")
        told = subprocess.run([promtool, "check", "rules", str(RULES)], capture_output=True, text=True, check=False)

        assert told.returncode == 0, told.stderr
