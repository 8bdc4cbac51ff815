"""Programs whose dense stacks run by tiles: the plain table's values and gradients, the optimiser's own state."""

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.core.jit import JIT_ENABLED
from autograd_ae.runtime.chains import find_chains
from autograd_ae.runtime.fused import Fused

pytestmark = pytest.mark.timeout(600)  # with an empty cache a dozen kernels are compiled
needs_kernels = pytest.mark.skipif(not JIT_ENABLED, reason="kernels are off")
OPTIMIZERS = {
    "adam": lambda p: ae.optim.Adam(p, learning_rate=1e-2, weight_decay=0.1),
    "adamw": lambda p: ae.optim.AdamW(p, learning_rate=ae.optim.cosine(1e-2, 10)),
    "sgd": lambda p: ae.optim.SGD(p, learning_rate=1e-2),
    "nesterov": lambda p: ae.optim.SGD(p, learning_rate=1e-2, momentum=0.9, nesterov=True),
    "none": lambda p: None,
}


class Net:
    """An autoencoder of sigmoid layers with its optimiser, its captured step, and a batch."""

    def __init__(self, monkeypatch, way, optimizer="adam", dtype=np.float32, samples=33, loss=None, **options):
        monkeypatch.setenv("AUTOGRAD_AE_GEMM", way)
        rng = np.random.default_rng(0)
        self.encoder, self.decoder = (
            ae.nn.MLP.create(sizes, ("sigmoid", last), rng=rng, dtype=dtype, first=first)
            for sizes, last, first in (((37, 50, 5), "tanh", 1), ((5, 21, 37), "identity", 3))
        )
        self.parameters = ae.nn.parameters([self.encoder, self.decoder])
        self.optimizer = OPTIMIZERS[optimizer]([p.data for p in self.parameters])
        self.X = rng.normal(size=(4, samples, 37)).astype(dtype)
        fn = loss or (lambda net, x: ae.squared_error(net.decoder(net.encoder(x)), x))
        self.step = ae.capture(lambda x: fn(self, x), ae.constant(self.X[0]), optimizer=self.optimizer, **options)

    def train(self, steps=4):
        return [self.step(self.X[k % 4]) for k in range(steps)]

    def state(self):
        moments = (
            [] if self.optimizer is None else [m for flat in self.optimizer.moments.values() for m in flat.values()]
        )
        return [*(p.data for p in self.parameters), *moments]


def close(a, b, ulps=200):
    for one, other in zip(a, b, strict=True):
        scale = max(np.abs(other).max(), 1e-3)
        np.testing.assert_allclose(one, other, rtol=0, atol=ulps * np.finfo(other.dtype).eps * scale)


def penalised(net, x):
    z = net.encoder(x)
    return ae.squared_error(net.decoder(z), x) + 0.1 * ae.l1(z)


def of_input(net, x):
    return ae.squared_error(net.decoder(net.encoder(ae.tanh(x * net.parameters[1].sum()))), x)


@needs_kernels
@pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_tiles_train_as_the_plain_table_does(monkeypatch, optimizer, dtype):
    tiles, plain = (Net(monkeypatch, way, optimizer, dtype) for way in ("tiles", "blas"))
    assert isinstance(tiles.step.runtime, Fused)
    assert not isinstance(plain.step.runtime, Fused)
    close(tiles.train(), plain.train())
    if optimizer != "none":
        assert tiles.optimizer.steps == plain.optimizer.steps == 4
        assert tiles.optimizer.gradient_norm == pytest.approx(plain.optimizer.gradient_norm, rel=1e-5)
    close(tiles.state(), plain.state(), ulps=2000)
    close(list(tiles.step.gradients.values()), list(plain.step.gradients.values()), ulps=2000)


@needs_kernels
@pytest.mark.parametrize(("loss", "chains"), [(penalised, 2), (of_input, 1)])
def test_a_program_of_which_only_parts_are_stacks_is_that_program(monkeypatch, loss, chains):
    tiles, plain = (Net(monkeypatch, way, loss=loss, dtype=np.float64) for way in ("tiles", "blas"))
    assert len(tiles.step.runtime.chains) == chains
    close(tiles.train(), plain.train())
    close(tiles.state(), plain.state(), ulps=2000)


@needs_kernels
def test_gradients_that_nobody_kept_are_there_when_they_are_looked_at_and_from_then_on(monkeypatch):
    net, plain = Net(monkeypatch, "tiles"), Net(monkeypatch, "blas")
    net.train(2)
    plain.train(2)
    gradients, wanted = net.step.gradients, plain.step.gradients
    close(list(gradients.values()), list(wanted.values()))
    held = gradients["W_1"]  # the live buffer: renewed by the next step, as everywhere
    net.train(3)
    plain.train(3)
    close([held], [wanted["W_1"]])


@needs_kernels
def test_edits_of_a_parameter_are_seen_by_the_next_step(monkeypatch):
    net, plain = Net(monkeypatch, "tiles"), Net(monkeypatch, "blas")
    for n in (net, plain):
        n.train(2)
        n.parameters[0].data[3] = 0.5
    close(net.train(1), plain.train(1))
    old = [p.data for p in net.parameters]
    for p in net.parameters:
        p.data = p.data.copy()
    with pytest.raises(ae.CaptureError, match=r"W_1\.data was given a new array.*change it in place"):
        net.step()
    for p, array in zip(net.parameters, old, strict=True):
        p.data = array
    close(net.train(1), plain.train(1))


@needs_kernels
@pytest.mark.parametrize("check_finite", [True, False])
def test_a_gradient_that_is_not_finite_raises_before_anything_has_changed(monkeypatch, check_finite):
    monkeypatch.setitem(OPTIMIZERS, "adam", lambda p: ae.optim.Adam(p, check_finite=check_finite))
    net = Net(monkeypatch, "tiles")
    net.train(2)
    before, bad = [a.copy() for a in net.state()], net.X[1].copy()
    bad[3, 5] = np.inf
    if not check_finite:
        with np.errstate(invalid="ignore", over="ignore"):
            net.step(bad)
        assert all(np.isfinite(a).all() for a in net.state())
        return
    with pytest.raises(FloatingPointError, match=r"grads\[0\]"), np.errstate(invalid="ignore", over="ignore"):
        net.step(bad)
    for a, b in zip(net.state(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    assert net.optimizer.steps == 2
    net.train(1)
    assert net.optimizer.steps == 3


@needs_kernels
@pytest.mark.parametrize("rule", ["Adam", "SGD"])
def test_unchecked_gradients_of_which_some_are_not_finite_are_one_step_as_in_the_plain_table(monkeypatch, rule):
    monkeypatch.setitem(
        OPTIMIZERS, "adam", lambda p: getattr(ae.optim, rule)(p, learning_rate=1e-2, check_finite=False)
    )
    nets = [Net(monkeypatch, way) for way in ("tiles", "blas")]
    for net in nets:
        net.train(2)
        bad = net.X[1].copy()
        bad[3, 5] = 1e38
        with np.errstate(over="ignore", invalid="ignore"):
            net.step(bad)
    tiles, plain = nets
    assert tiles.optimizer.steps == plain.optimizer.steps == 3
    for a, b in zip(tiles.state(), plain.state(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


@needs_kernels
def test_threads_do_not_change_a_bit(monkeypatch):
    monkeypatch.setattr("autograd_ae.runtime.fused.usable_threads", lambda wanted: wanted or 1)
    one, two, three = (Net(monkeypatch, "tiles", threads=threads) for threads in (1, 2, 3))
    assert one.train(6) == two.train(6) == three.train(6)
    for a, b in zip(one.step.gradients.values(), two.step.gradients.values(), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b, c in zip(one.state(), two.state(), three.state(), strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)


@needs_kernels
def test_a_loss_with_a_nan_is_blamed_on_its_line_under_detect_anomaly(monkeypatch):
    net = Net(monkeypatch, "tiles")
    bad = net.X[0].copy()
    bad[0, 0] = np.nan
    with ae.detect_anomaly(), pytest.raises(ae.AnomalyError, match="dense"):
        net.step(bad)


def test_a_chain_ends_where_somebody_else_reads_its_output(monkeypatch):
    def lengths(fn):
        net = Net(monkeypatch, "blas", loss=fn, runtime="replay")
        return [len(chain.links) for chain in find_chains(net.step.program)]

    assert lengths(None) == [4]
    assert lengths(penalised) == [2, 2]
    assert lengths(lambda net, x: ae.squared_error(net.decoder(net.encoder(x) * 2.0), x)) == [2, 2]

    def twice(net, x):
        return ae.sum(net.encoder.layers[0](x)) + ae.squared_error(net.decoder(net.encoder(x)), x)

    assert lengths(twice) == [3]  # without the layer whose weights have two uses
