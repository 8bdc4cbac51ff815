"""Gradients of one's own beside the engine's, and the diagnosis where they differ."""

import numpy as np
import pytest

import autograd_ae as ae

RNG = np.random.default_rng(3)
X = RNG.random((6, 5))
W_1, b_1, W_2 = RNG.normal(size=(5, 3)), RNG.normal(size=3), RNG.normal(size=(3, 5))


def recorded(dtype=np.float64):
    leaves = [ae.tensor(a.astype(dtype), name=n) for a, n in ((W_1, "W_1"), (b_1, "b_1"), (W_2, "W_2"))]
    x = ae.constant(X.astype(dtype), name="x")
    return ae.squared_error(ae.dense(x, leaves[0], leaves[1], "sigmoid") @ leaves[2], x)


def by_hand():
    """W_1, b_1, W_2 and the code's gradient, samples in rows."""
    H = 1 / (1 + np.exp(-(X @ W_1 + b_1)))
    R = 2 / len(X) * (H @ W_2 - X)
    D = R @ W_2.T * H * (1 - H)
    return {"W_1": X.T @ D, "b_1": D.sum(axis=0), "W_2": H.T @ R, "Z": R @ W_2.T}


def forgotten_slope():
    H = 1 / (1 + np.exp(-(X @ W_1 + b_1)))
    D = 2 / len(X) * (H @ W_2 - X) @ W_2.T
    return {"W_1": X.T @ D, "b_1": D.sum(axis=0), "W_2": by_hand()["W_2"]}


def changed(**other):
    return {name: g for name, g in {**by_hand(), **other}.items() if name != "Z"}


def test_a_right_derivation_agrees_in_rows_and_in_columns_and_as_a_list():
    mine = by_hand()
    columns = {name: g.T if g.ndim == 2 else g[:, None] for name, g in mine.items()}
    for given, layout in (
        (mine, "rows"),
        ([mine[name] for name in ("W_1", "b_1", "W_2")], "rows"),
        (columns, "columns"),
        ({**columns, "b_1": mine["b_1"]}, "columns"),
    ):
        derivation = ae.explain(recorded(), against=given, layout=layout)
        assert all(c.agrees and c.digits > 13 for c in derivation.comparisons)
        assert derivation.diagnosis is None
        assert "agrees" in str(derivation)


MISTAKES = {
    "sign": changed(**{name: -g for name, g in changed().items()}),
    "missing_batch_mean": {name: 6 * g for name, g in changed().items()},
    "factor": changed(W_1=by_hand()["W_1"] / 2),
    "transpose": changed(W_1=by_hand()["W_1"].T),
    "missing_sigma_prime": forgotten_slope(),
    "zero": {name: 0 * g for name, g in changed().items()},
}


@pytest.mark.parametrize("cause", list(MISTAKES))
def test_a_wrong_derivation_is_shown_and_diagnosed(cause):
    derivation = ae.explain(recorded(), against=MISTAKES[cause])
    assert derivation.diagnosis.cause == cause
    shown = str(derivation)
    assert "differs" in shown
    assert "The likely mistake" in shown
    assert cause in shown
    assert 'class="bad">differs' in derivation.html()


def test_the_diagnosis_calls_arguments_by_their_names():
    assert (
        "W_1" in str(ae.explain(recorded(), against=MISTAKES["transpose"])).split("likely mistake")[1].split("Given")[0]
    )


def test_a_wrong_gradient_of_an_inner_value_is_diagnosed_there():
    derivation = ae.explain(recorded(), against={"Z": -by_hand()["Z"]})
    assert derivation.diagnosis.cause == "sign"
    assert not derivation.comparisons[0].agrees


def test_float32_is_compared_with_the_digits_that_it_has():
    derivation = ae.explain(recorded(np.float32), against=by_hand())
    assert all(c.agrees and c.digits < 9 for c in derivation.comparisons)


def test_a_tensor_may_be_the_key():
    loss = recorded()
    W = loss.node.inputs[0].node.inputs[1]
    assert ae.explain(loss, against={W: by_hand()["W_2"]}).comparisons[0].agrees


@pytest.mark.parametrize(
    ("claims", "error", "message"),
    [
        ({"W_9": W_1}, ae.GraphError, "'W_9'.*W_1"),
        ([W_1], ValueError, "holds 1 gradients, the loss has 3.*W_1, b_1, W_2"),
        ({"W_1": np.array(["a"])}, TypeError, "real numbers"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_what_could(claims, error, message):
    with pytest.raises(error, match=message):
        ae.explain(recorded(), against=claims)


@pytest.mark.parametrize(("layout", "needed"), [("rows", (2, 3)), ("columns", (3, 2))])
def test_a_gradient_of_a_wrong_shape_is_explained_by_the_shapes_of_the_page(layout, needed):
    W = ae.tensor(np.ones((2, 3)), name="W")
    loss = ae.sum(ae.dense(np.ones((4, 2)), W, np.zeros(3)))
    derivation = ae.explain(loss, against={"W": np.ones(5)}, layout=layout)
    assert derivation.diagnosis.cause == "wrong_shape"
    assert f"the gradient of W has shape (5,); {needed} is needed" in str(derivation)
