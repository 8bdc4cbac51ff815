"""Leading eigenvectors by LAPACK's routines for a few, against NumPy's for all."""

import doctest

import numpy as np
import pytest

from autograd_ae.models import eigen


def with_spectrum(rng, values):
    Q, _ = np.linalg.qr(rng.normal(size=(len(values), len(values))))
    A = Q * values @ Q.T
    return (A + A.T) / 2


SPECTRA = {
    "distinct": np.geomspace(1, 1e-6, 120),
    "all equal": np.ones(96),
    "clusters": np.repeat([5.0, 3.0, 3.0 + 1e-12, 1.0], 24),
    "rank one": np.r_[7.0, np.zeros(79)],
    "zero": np.zeros(64),
    "indefinite": np.linspace(-2, 1, 100),
    "tiny": 1e-200 * np.arange(1.0, 71),
    "huge": 1e200 * np.arange(1.0, 71),
}


@pytest.mark.parametrize("name", list(SPECTRA))
@pytest.mark.parametrize("k", [1, 5, 16])
def test_leading_pairs_are_eigenpairs_and_the_values_are_numpys(rng, name, k):
    A = with_spectrum(rng, SPECTRA[name])
    before, scale = A.copy(), np.abs(A).max()
    values, vectors = eigen.leading(A, k)
    np.testing.assert_array_equal(A, before)
    assert vectors.shape == (k, len(A))
    np.testing.assert_allclose(values, np.linalg.eigvalsh(A)[::-1], rtol=0, atol=1e-13 * scale * len(A))
    np.testing.assert_allclose(vectors @ vectors.T, np.eye(k), atol=1e-12)
    np.testing.assert_allclose(A @ vectors.T, vectors.T * values[:k], rtol=0, atol=1e-13 * scale * len(A))


def test_it_is_lapack_that_is_called_where_numpy_brings_openblas(rng):
    if eigen._routines() is None:
        pytest.skip("this NumPy brings no OpenBLAS with LAPACK")
    assert eigen._by_lapack(with_spectrum(rng, SPECTRA["distinct"]), 3) is not None


def test_without_lapack_or_for_many_vectors_numpy_does_it(rng, monkeypatch):
    A = with_spectrum(rng, SPECTRA["distinct"])
    found = eigen.leading(A, 4)
    monkeypatch.setattr(eigen, "_routines", lambda: None)
    values, vectors = eigen.leading(A, 4)
    np.testing.assert_allclose(values, found[0], atol=1e-13)
    np.testing.assert_allclose(np.abs(vectors), np.abs(found[1]), atol=1e-10)
    monkeypatch.setattr(eigen, "_by_lapack", lambda A, k: pytest.fail("for so many vectors, or so small a matrix"))
    eigen.leading(A, 60)
    eigen.leading(A[:20, :20], 1)


def test_a_failing_routine_leaves_the_work_to_numpy(rng, monkeypatch):
    routines = eigen._routines() or (lambda *_: 0,) * 4
    for broken in range(4):
        faulty = tuple((lambda *_: 1) if i == broken else routine for i, routine in enumerate(routines))
        monkeypatch.setattr(eigen, "_routines", lambda faulty=faulty: faulty)
        A = with_spectrum(rng, SPECTRA["distinct"])
        np.testing.assert_allclose(eigen.leading(A, 3)[0], SPECTRA["distinct"], atol=1e-13)


def test_the_example_is_true():
    failed, tried = doctest.testmod(eigen)
    assert (failed, tried) == (0, 2)
