"""What both the compiled kernels and numpy must do."""

from typing import Any

import pytest

from model.contract import kernels


@pytest.fixture(params=["compiled", "numpy"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The kernels, or None."""
    if request.param == "numpy":
        monkeypatch.setattr(kernels, "COMPILED", None)
    elif kernels.COMPILED is None:
        pytest.skip("the kernels were not compiled: there was no C compiler when the package was installed")
    return kernels.COMPILED
