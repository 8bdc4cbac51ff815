"""BLAS from inside kernels: NumPy's own, bit for bit; and arrays at addresses."""

import numpy as np
import pytest

from autograd_ae.core.jit import JIT_ENABLED, jit
from autograd_ae.core.native import at, gemm, has_blas

pytestmark = pytest.mark.skipif(not JIT_ENABLED, reason="kernels are off")


@jit
def product(out, a, b, m, n, k, a_transposed, b_transposed):
    gemm(out, a, b, m, n, k, a_transposed, b_transposed)


@jit
def doubled_at(address, n, like):
    view = at(address, n, like)
    for i in range(n):
        view[i] *= 2


@pytest.mark.skipif(not has_blas(), reason="NumPy brings no OpenBLAS along")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("a_transposed", [False, True])
@pytest.mark.parametrize("b_transposed", [False, True])
def test_a_product_in_a_kernel_has_the_bits_of_matmul(rng, dtype, a_transposed, b_transposed):
    m, n, k = 33, 17, 65
    a = rng.normal(size=(k, m) if a_transposed else (m, k)).astype(dtype)
    b = rng.normal(size=(n, k) if b_transposed else (k, n)).astype(dtype)
    out = np.empty((m, n), dtype)
    product(out.reshape(-1), a.reshape(-1), b.reshape(-1), m, n, k, a_transposed, b_transposed)
    expected = np.matmul(a.T if a_transposed else a, b.T if b_transposed else b)
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_array_is_reached_by_its_address(dtype):
    x = np.arange(5, dtype=dtype)
    doubled_at(x.ctypes.data + x.itemsize, 3, np.empty(1, dtype))
    assert x.tolist() == [0, 2, 4, 6, 4]
