"""`autograd-ae check`: exit code 0 agree, 1 disagree, 3 undecided, 2 wrong usage."""

import json
from types import SimpleNamespace

import pytest

from autograd_ae import cli
from autograd_ae.testing import suite
from autograd_ae.testing.specs import SPECS

FILE = """
import numpy as np
import autograd_ae as ae

X = np.arange(12.0).reshape(4, 3) / 10

def loss(w):
    return np.mean((X @ w - 1.0) ** 2)

def loss_grad(w):
    return {factor} * X.T @ (X @ w - 1.0) / len(X)

loss_point = np.ones(3)

def product(a, b):
    return np.sum(a @ b)

def product_grad(a, b):
    return np.ones((a.shape[0], b.shape[1])) @ b.T, a.T @ np.ones((a.shape[0], b.shape[1]))

def squares(x):
    return x * x

def squares_vjp(x, u):
    return 2 * x * u

def flat(x):
    return 0.0 * np.sum(x) + 1.0

def flat_grad(x):
    return np.zeros_like(x)

def traced(x):
    return ae.sum(ae.sigmoid(x))

def untraced(x):
    return float(np.sum(np.asarray(x)))

def failing(x):
    raise KeyError("no such thing")

def failing_grad(x):
    return x
"""


@pytest.fixture
def run(capsys, monkeypatch):
    monkeypatch.setenv("AUTOGRAD_AE_QUIET", "1")
    monkeypatch.delenv("AUTOGRAD_AE_TRACEBACK", raising=False)

    def call(*argv):
        code = cli.main(["check", *map(str, argv)])
        out, err = capsys.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return call


@pytest.fixture
def derivation(tmp_path):
    def write(factor=2):
        path = tmp_path / "derivation.py"
        path.write_text(FILE.replace("{factor}", str(factor)))
        return path

    return write


# A function in a file.


@pytest.mark.parametrize(
    ("name", "shapes"),
    [("loss", ()), ("product", ("2,3", "3,4")), ("squares", ("3",)), ("squares", ("",)), ("traced", ("2,2",))],
)
def test_a_right_gradient_in_a_file_agrees(run, derivation, name, shapes):
    options = [word for shape in shapes for word in ("--shape", shape)]
    done = run(f"{derivation()}::{name}", *options)
    assert done.code == 0, done
    assert done.out.startswith(f"{name}: the gradient agrees")


def test_a_wrong_gradient_in_a_file_disagrees_and_is_diagnosed(run, derivation):
    done = run(f"{derivation(factor=8)}::loss")
    assert done.code == 1
    assert "disagrees" in done.out
    assert "4 times too large: the sum over 4 samples was not divided by 4" in done.out


def test_a_constant_function_is_undecided(run, derivation):
    done = run(f"{derivation()}::flat", "--shape", "3")
    assert (done.code, done.err) == (3, "")
    assert "constant" in done.out


def test_json_of_a_file_is_one_object_with_the_verdict_and_the_diagnosis(run, derivation):
    data = json.loads(run(f"{derivation(factor=-2)}::loss", "--json").out)
    assert data["verdict"] == "disagrees"
    assert data["checks"][0]["diagnosis"]["cause"] == "sign"


def test_a_file_alone_stands_for_every_function_with_a_gradient(run, derivation, tmp_path):
    path = tmp_path / "two.py"
    path.write_text("def a(x): return (x**2).sum()\ndef a_grad(x): return 2 * x\ndef b(x): return (x**3).sum()\n")
    assert [c["name"] for c in json.loads(run(path, "--shape", "2", "--json").out)["checks"]] == ["a"]


@pytest.mark.parametrize(
    ("target", "options", "message"),
    [
        ("{}::los", (), "defines no function 'los'; it has loss, product, squares, flat, traced"),
        ("{}::product", (), "no point to check product at: define product_point"),
        ("{}::untraced", ("--shape", "2"), "defines no untraced_grad"),
        ("nowhere.py::f", (), "there is no file nowhere.py"),
        ("{}::loss", ("--faults",), "a file is checked by itself"),
        ("sigmod", (), "there is no op 'sigmod': did you mean 'sigmoid'?"),
        ("greater", (), "'greater' has no gradient to check"),
        ("exp", ("--shape", "3"), "--shape is for a function in a file"),
        ("exp", ("--cases", "10"), "--cases runs over all ops"),
        ("exp", ("--cases", "0"), "a positive integer is needed, not '0'"),
        ("exp", ("--shape", "3x4"), "a shape is sizes with commas, such as 3,4, not '3x4'"),
    ],
)
def test_what_cannot_be_checked_is_wrong_usage_in_one_line(run, derivation, target, options, message):
    done = run(target.format(derivation()), *options)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert done.err.count("\n") == 1


def test_an_error_in_the_users_code_names_its_line(run, derivation):
    done = run(f"{derivation()}::failing", "--shape", "2")
    line = 1 + FILE.splitlines().index('    raise KeyError("no such thing")')
    assert (done.code, done.out) == (1, "")
    assert f"derivation.py:{line}: KeyError: 'no such thing'" in done.err


# The ops.


def test_some_ops_agree_and_the_table_shows_their_digits(run):
    done = run("exp", "matmul")
    assert (done.code, done.err) == (0, "")
    assert [line.split()[0] for line in done.out.splitlines()[1:3]] == ["exp", "matmul"]
    assert "2 of 2 ops agree over 12 cases" in done.out


def test_a_broken_rule_makes_its_op_disagree_with_exit_code_1(run):
    from autograd_ae.testing import faults

    spec = SPECS["cosh"]
    ((_, _, rule),) = faults.rules_of([faults.function_of(spec, *faults.cases_of(spec, 1)[0])])
    with faults.planted(rule, lambda out, g, y, x: rule_times(out, g, x, 1.01)):
        done = run("cosh", "--json")
    data = json.loads(done.out)
    assert (done.code, data["verdict"], data["ops"][0]["verdict"]) == (1, "disagrees", "disagrees")
    assert any("cosh" in text for text in data["ops"][0]["failures"])


def rule_times(out, g, x, c):
    import numpy as np

    out[...] = c * g * np.sinh(x)


def test_every_differentiable_op_is_in_the_default_run():
    assert set(suite.differentiable_ops()) == {name for name, spec in SPECS.items() if spec.differentiable}


def test_two_runs_with_one_seed_say_the_same_and_another_seed_draws_other_cases(run):
    first, again, other = (run("softmax", "--seed", seed, "--json").out for seed in (1, 1, 2))
    assert first == again != other


# Faults and false alarms.


def test_the_fault_matrix_counts_kills_and_lists_equivalents_with_their_proof(run):
    data = json.loads(run("square", "--faults", "--json").out)
    assert data["killed"] == data["total"] > 20
    assert data["survivors"] == []
    assert all(m["why"] for m in data["equivalent"])
    text = run("square", "--faults")
    assert text.code == 0
    assert text.out.splitlines()[-1].startswith(
        f"{data['killed']} of {data['total']} planted faults killed, 0 survived"
    )


def test_a_survivor_is_named_and_the_exit_code_is_1():
    survivor = suite.Mutant("exp.dx", "zero", "survived", "no law objects")
    text, data, code = suite.faults_outcome([survivor, suite.Mutant("exp.dx", "sign", "killed", "gradcheck")])
    assert code == 1
    assert "survived   exp.dx: zero (no law objects)" in text
    assert (data["killed"], data["total"], len(data["survivors"])) == (1, 2, 1)


def test_false_alarms_are_counted_over_the_cases_asked_for(run):
    done = run("--cases", "40", "--json")
    data = json.loads(done.out)
    assert (done.code, data["cases"], data["alarms"]) == (0, 40, [])
