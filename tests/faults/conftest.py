"""What the fault tests share."""

from __future__ import annotations

import pytest

from harness.postgres import Cluster


@pytest.fixture
def durable_postgres():
    """A private cluster that keeps what it commits, and that the test may harm."""
    cluster = Cluster(fsync=True)
    cluster.start()
    yield cluster
    cluster.destroy()
