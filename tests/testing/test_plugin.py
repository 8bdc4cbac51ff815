"""The pytest plugin, in sessions of its own."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from autograd_ae.testing.plugin import seed_of

TESTS = """
import numpy as np
import pytest

def test_draws(rng):
    print("drawn", rng.integers(10**9))
    assert {passes}

def test_other(rng):
    print("other", rng.integers(10**9))

def test_right(gradcheck):
    assert gradcheck(lambda x: np.sum(x**3), lambda x: 3 * x**2, np.array([1.0, -2.0])).verdict == "agrees"

def test_traced(gradcheck):
    import autograd_ae as ae
    gradcheck(lambda x: ae.sum(ae.sigmoid(x)), np.array([1.0, -2.0]))

def test_wrong(gradcheck):
    with pytest.raises(pytest.fail.Exception) as caught:
        gradcheck(lambda x: np.sum(x**3), lambda x: -3 * x**2, np.array([1.0, -2.0]))
    assert "disagrees" in str(caught.value)
    assert "sign (confidence" in str(caught.value)
    assert "worst entry" in str(caught.value)

def test_undecided(gradcheck):
    with pytest.raises(pytest.fail.Exception, match="constant"):
        gradcheck(lambda x: 0.0 * np.sum(x), lambda x: 0 * x, np.ones(2))

def test_too_few(gradcheck):
    with pytest.raises(TypeError, match="takes"):
        gradcheck(np.sum)
"""


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """Run pytest with the plugin in a process of its own: exit code and output."""

    def run(*options, passes="True", plugin=True):
        folder = tmp_path_factory.mktemp("session")
        (folder / "test_it.py").write_text(TESTS.replace("{passes}", passes))
        (folder / "pytest.ini").write_text("[pytest]\n")
        load = ["-p", "autograd_ae.testing.plugin"] if plugin else []
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *load, *options]
        environment = {**os.environ, "AUTOGRAD_AE_QUIET": "1"}
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, env=environment)
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.fixture(scope="module")
def whole(session):
    return session("-s")


def drawn(output, word="drawn"):
    return next(line.split()[-1] for line in output.splitlines() if line.lstrip(".F").startswith(word))


def test_checks_pass_fail_with_a_report_and_refuse(whole):
    code, output = whole
    assert code == 0, output
    assert "7 passed" in output


def test_a_test_draws_the_same_alone_and_shows_its_seed_when_it_fails(session, whole):
    code, alone = session("-s", "-k", "draws", passes="False")
    assert code == 1
    assert "rng = np.random.default_rng([0, " in alone
    assert drawn(alone) == drawn(whole[1]) != drawn(whole[1], "other")


def test_the_seed_is_the_options_and_the_tests_name():
    seeds = [
        seed_of(SimpleNamespace(getoption={"--autograd-ae-seed": seed}.get), name)
        for seed, name in ((0, "test_a"), (1, "test_a"), (0, "test_b"))
    ]
    assert len({tuple(seed) for seed in seeds}) == 3
    assert [seed[0] for seed in seeds] == [0, 1, 0]


def test_the_plugin_is_opt_in(session):
    code, output = session("-k", "draws", plugin=False)
    assert code == 1
    assert "fixture 'rng' not found" in output


def test_a_seed_that_is_no_number_is_wrong_usage(session):
    code, output = session("--autograd-ae-seed=-3")
    assert code == 4
    assert "is an integer that is not negative" in output
