"""The page of a job shows jobs: their fixture serves here too."""

from tests.core.jobs.conftest import shop

__all__ = ["shop"]
