"""What Python's judges share: the running demo, and how long to look."""

import json
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

DEMO = Path(__file__).parent.parent / "support" / "demo.mjs"

IS_LONG = os.environ.get("JUDGES_LONG") == "1"


@contextmanager
def running_demo():
    """The demo's `url`, `sso_url` and `keys` (northwind, contoso, superuser)."""
    with subprocess.Popen(["node", DEMO], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        started = process.stdout.readline()
        assert started, "the demo did not start: see its error above"
        facts = json.loads(started)
        yield SimpleNamespace(url=facts["url"], sso_url=facts["ssoUrl"], keys=facts["keys"])
        process.stdin.close()
        assert process.wait(timeout=30) == 0, "the demo did not end in order"


@pytest.fixture(scope="session")
def demo():
    """One demo for all tests."""
    with running_demo() as facts:
        yield facts


@pytest.fixture
def fresh_demo():
    """A demo of the test's own: nothing is repaired yet, and nobody has guessed at keys."""
    with running_demo() as facts:
        yield facts
