"""What tests share."""

import contextlib
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import mxr as mx

#: `cargo xtask test --full` runs these too.
collect_ignore = [] if os.environ.get("MXR_TEST_FULL") == "1" else ["test_large.py"]


@pytest.fixture(autouse=True)
def scopes_are_left_as_found():
    """Each test leaves the scopes of its thread as it found them, and no failure behind."""
    yield
    with contextlib.suppress(mx.MXRError):
        mx.nd.waitall()
    assert not mx.autograd.is_recording()
    assert not mx.autograd.is_training()
    assert mx.current_context() == mx.cpu()
