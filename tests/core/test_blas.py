"""The number of BLAS threads is lowered for a while and put back."""

import pytest

from autograd_ae.core.blas import blas_threads, limit_blas_threads


def test_the_limit_holds_inside_and_is_lifted_after_an_error():
    before = blas_threads()
    if before is None:
        pytest.skip("NumPy's BLAS is not the OpenBLAS of its wheels")
    with limit_blas_threads(1):
        assert blas_threads() == 1
    assert blas_threads() == before
    with pytest.raises(ZeroDivisionError), limit_blas_threads(1):
        1 / 0  # noqa: B018
    assert blas_threads() == before


def test_a_limit_never_raises_the_number():
    before = blas_threads()
    with limit_blas_threads(1000):
        assert blas_threads() == before
