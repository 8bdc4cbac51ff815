"""The reproduction of published figures, on tiny data: what is run, measured, kept, refused and printed.

Nothing here trains on MNIST.
"""

import doctest
import json
import os

import numpy as np
import pytest

import autograd_ae as ae
from benchmarks import environment
from benchmarks.paper_tables import __main__ as command
from benchmarks.paper_tables import experiments, running, table
from benchmarks.paper_tables.experiments import EXPERIMENTS, Experiment


@pytest.fixture(scope="module")
def X():
    """Sixty images of 3×4 grey pixels in [0, 1]."""
    return np.random.default_rng(1).uniform(size=(60, 12)).astype(np.float32)


def small(epochs=3):
    return ae.Autoencoder(2, hidden_layer_sizes=(5,), max_iter=epochs, batch_size=20)


def experiment(build=small, **changes):
    usual = {"name": "tiny", "title": "12-5-2", "build": build, "published": 1.5, "source": "a paper"}
    return Experiment(**usual | changes)


def run(X, which=None, **changes):
    usual = {"seed": 3, "quick": False, "say": lambda line: None}
    return running.run(which or experiment(), X[:40], X[40:], **usual | changes)


def report(X, *rows):
    return {"quick": False, "images": [40, 20], "levels": running.levels(X[:40], X[40:]), "rows": list(rows)}


# What is run.


def test_the_recipes_are_the_published_architectures():
    built = {e.name: e.build() for e in EXPERIMENTS}
    assert built["pca-30"].n_components == 30
    deep = (1000, 500, 250)
    for name, *shape in [("logistic-pca-30", (), 30), ("deep-30", deep, 30), ("deep-2", deep, 2)]:
        model = built[name]
        assert [model.hidden_layer_sizes, model.n_components] == shape
        assert (model.code_activation, model.activation, model.output_activation) == ("identity", "sigmoid", "sigmoid")
        assert model.reconstruction_loss == "bce"
    lecture = built["lecture-2"]
    assert (lecture.hidden_layer_sizes, lecture.n_components) == ((512, 256, 64), 2)
    assert {lecture.activation, lecture.code_activation, lecture.output_activation} == {"sigmoid"}
    assert lecture.reconstruction_loss == "squared_error"
    assert lecture.max_iter <= 60
    vae = built["vae-20"]
    assert (vae.hidden_layer_sizes, vae.n_components) == ((400,), 20)
    assert (vae.activation, vae.likelihood, vae.beta) == ("relu", "bernoulli", 1.0)
    protocol = (vae.solver, vae.learning_rate_init, vae.learning_rate, vae.batch_size, vae.max_iter)
    assert protocol == ("adam", 1e-3, "constant", 128, 10)


def test_the_published_figures_and_the_bars():
    assert {e.name: (e.published, e.bar) for e in EXPERIMENTS} == {
        "pca-30": (13.87, (13.865, 13.875)),
        "logistic-pca-30": (8.01, None),
        "deep-30": (3.00, (0, 3.6)),
        "deep-2": (None, None),
        "lecture-2": (None, (0, 30.0)),
        "vae-20": (105.6, (104.9, 106.3)),
    }


def test_a_row_holds_the_measure_on_test_images_and_a_curve_with_every_epoch(X):
    row = run(X)
    model = small().set_params(random_state=3).fit(X[:40])
    assert row["test"] == model.reconstruction_error(X[40:]) == row["curve"][-1]["test"]
    assert row["training_squared_error"] == model.reconstruction_error(X[:40])
    assert [point["loss"] for point in row["curve"]] == model.loss_curve_
    assert [point["epoch"] for point in row["curve"]] == [1, 2, 3]
    assert row["seconds"] >= row["curve"][0]["seconds"] >= 0
    assert (row["epochs"], row["seed"], row["finished"], row["met"]) == (3, 3, True, None)
    assert json.loads(json.dumps(row)) == row


def test_the_clock_stands_while_a_model_is_tested(X, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(running.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(running.time, "process_time", lambda: now[0] / 2)

    def measure(model, images, seed):
        now[0] += 1000.0
        return 1.0

    clock = running.Stopwatch()
    curve = running.Curve(experiment(measure=measure), X, 0, lambda line: None, clock)
    model = small().fit(X)
    clock.start()
    for epoch in (1, 2):
        now[0] += 5.0
        curve(model, epoch)
    assert [(point["seconds"], point["cpu_seconds"]) for point in curve.epochs] == [(5.0, 2.5), (10.0, 5.0)]


def test_the_vae_is_measured_by_one_draw_of_its_negative_elbo(X):
    vae = ae.VAE(2, hidden_layer_sizes=(5,), max_iter=1, random_state=0).fit(X)
    found = experiments.negative_elbo(vae, X, 0)
    assert found == experiments.negative_elbo(vae, X, 0)
    assert found != experiments.negative_elbo(vae, X, 1)
    mean, variance = vae.encode_distribution(X)
    noise = np.random.default_rng((0, 1)).standard_normal(mean.shape, dtype=np.float32)
    kl = 0.5 * np.sum(mean**2 + variance - 1 - np.log(variance)) / len(X)
    p = vae.inverse_transform(mean + np.sqrt(variance) * noise).astype(float)
    cross_entropy = -np.sum(X * np.log(p) + (1 - X) * np.log1p(-p)) / len(X)
    assert found == pytest.approx(cross_entropy + kl, rel=1e-5)


@pytest.mark.parametrize(("bar", "met"), [((0, 1e9), True), ((0, 1e-9), False), ((1e8, 1e9), False), (None, None)])
def test_a_bar_is_met_inside_its_range(X, bar, met):
    assert run(X, experiment(lambda: ae.PCA(2), bar=bar))["met"] is met


def test_a_closed_form_has_no_epochs_and_no_seed(X):
    row = run(X, experiment(lambda: ae.PCA(2)))
    assert (row["epochs"], row["seed"], row["curve"], row["settings"]) == (None, None, [], "closed form")
    assert row["test"] == ae.PCA(2).fit(X[:40]).reconstruction_error(X[40:])


def test_a_quick_run_has_few_epochs(X):
    assert run(X, experiment(lambda: small(50)), quick=True)["epochs"] == running.QUICK_EPOCHS


def test_levels_are_those_of_the_training_mean_and_of_the_test_images(X):
    train, test = X[:40].astype(float), X[40:].astype(float)
    train[:, 0], test[0, 0] = 0, 0.5  # a pixel that is lit in a test image only
    found, mean = running.levels(train, test), train.mean(axis=0)
    assert found["mean_image_squared_error"] == pytest.approx(np.sum((test - mean) ** 2) / len(test), rel=1e-12)
    entropy = -np.sum(test * np.log(test) + (1 - test) * np.log1p(-test)) / len(test)
    assert found["cross_entropy_floor"] == pytest.approx(entropy, rel=1e-12)
    mean[0] = 1e-4
    collapse = -np.sum(test * np.log(mean) + (1 - test) * np.log1p(-mean)) / len(test)
    assert found["cross_entropy_collapse"] == pytest.approx(collapse, rel=1e-12)


# Ctrl-C, and what is kept.


class Interrupted(ae.Autoencoder):
    """Ctrl-C comes while its second epoch is being tested."""

    def reconstruction_error(self, X):
        if self.n_iter_ == 2:
            raise KeyboardInterrupt
        return super().reconstruction_error(X)


def test_ctrl_c_keeps_the_rows_that_are_finished_and_says_which_is_not(X):
    saved = []
    both = [
        experiment(name="first"),
        experiment(lambda: Interrupted(2, hidden_layer_sizes=(5,), max_iter=9), name="second"),
    ]
    found = {"seed": 0, "quick": False, "environment": {}, "rows": [], "unfinished": []}
    options = {"say": lambda line: None, "save": lambda r: saved.append([row["name"] for row in r["rows"]])}
    with pytest.warns(UserWarning, match="interrupted"):
        assert not running.run_all([*both, experiment(name="third")], found, X[:40], X[40:], **options)
    assert saved == [["first"], ["first"]]
    assert [(r["name"], len(r["curve"])) for r in found["unfinished"]] == [("second", 1)]


def test_ctrl_c_outside_training_ends_the_run(X):
    def stop():
        raise KeyboardInterrupt

    found = {"seed": 0, "quick": False, "environment": {}, "rows": [], "unfinished": []}
    assert not running.run_all([experiment(stop)], found, X, X, say=lambda line: None, save=pytest.fail)
    assert found["rows"] == []


def test_a_report_keeps_the_rows_of_models_that_are_not_run_again(tmp_path):
    path, names = tmp_path / "r.json", ("deep-30", "vae-20")
    now = {"quick": False, "images": [60000, 10000]}
    assert running.earlier_rows(path, now, EXPERIMENTS) == []
    path.write_text(json.dumps({**now, "rows": [{"name": name} for name in names]}))
    kept = running.earlier_rows(path, now, experiments.chosen(["deep-30"]))
    assert [row["name"] for row in kept] == ["vae-20"]
    with pytest.raises(ValueError, match="holds a run with quick=False"):
        running.earlier_rows(path, {**now, "quick": True}, [])
    path.write_text("[1]")
    with pytest.raises(ValueError, match="not a report of these tables; give another name"):
        running.earlier_rows(path, now, [])


# The table.


def test_the_table_shows_figures_bars_settings_and_levels(X):
    rows = [
        run(X, experiment(bar=(0, 1e-9))),
        run(X, experiment(lambda: ae.PCA(2), title="PCA", published=None, bar=(0, 99.0))),
    ]
    rows[0] |= {"seconds": 12.34, "cpu_seconds": 6.0}
    lines = table.table(report(X, *rows)).splitlines()
    assert lines[0].split() == ["model", "test", "error", "published", "bar", "epochs", "seconds", "of", "CPU", "seed"]
    assert lines[1].split() == f"12-5-2 {rows[0]['test']:.2f} 1.50 ≤ 1e-09 MISSED 3 12.3 6.0 3".split()
    assert lines[2].split()[:5] == ["PCA", f"{rows[1]['test']:.2f}", "none", "≤", "99"]
    assert "12-5-2: squared error, Adam 0.001 constant, batch 20, float32; published: a paper" in lines
    assert f"floor {running.levels(X[:40], X[40:])['cross_entropy_floor']:.4f}" in "\n".join(lines)
    assert "QUICK" not in "\n".join(lines)


def test_a_quick_table_says_that_its_figures_are_not_the_tables(X):
    quick = report(X, run(X, experiment(bar=(0, 1e-9)), quick=True)) | {"quick": True}
    text = table.table(quick)
    assert "QUICK: 40 training and 20 test images, 2 epochs: not the table's figures" in text
    assert "MISSED" not in text


@pytest.mark.parametrize("module", [experiments, table])
def test_the_examples_are_true(module):
    failed, tried = doctest.testmod(module)
    assert failed == 0
    assert tried > 0


# The command.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "no/such/folder"], "no/such/folder"),
        (["--only", "pca", "deep-7"], "no model begins with 'deep-7'; there are pca-30"),
        (["--out", "no/such/folder/r.json"], "there is no folder no/such/folder; make it first"),
        (["--seed", "-1"], "0 or a larger whole number is needed"),
    ],
)
def test_a_wrong_command_line_says_what_to_do(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_the_list_names_every_model(capsys):
    assert command.main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [e.name for e in EXPERIMENTS]


def test_one_thread_and_none_of_the_kernels_that_slow_numpy(monkeypatch):
    for variable in (*environment.THREAD_VARIABLES, *environment.FORCED_KERNELS):
        monkeypatch.setenv(variable, "7")  # so that they are put back
    command.one_thread()
    assert {os.environ[variable] for variable in environment.THREAD_VARIABLES} == {"1"}
    assert not set(environment.FORCED_KERNELS) & set(os.environ)


def test_a_run_from_end_to_end(tmp_path, monkeypatch, capsys, X):
    images = ae.data.Images((255 * X).astype(np.uint8), np.arange(60) % 10, (3, 4))
    digits = ae.data.Dataset("tiny", images, images, "")
    monkeypatch.setattr(ae.data, "load_mnist", lambda folder: digits)
    tried = [experiment(name="vae-20"), experiment(lambda: ae.PCA(2), name="pca-30", bar=(0, 1e-9))]
    monkeypatch.setattr(command, "chosen", lambda wanted: [e for e in tried if not wanted or e.name in wanted])
    path = tmp_path / "results.json"
    assert command.main(["--only", "vae-20", "--out", str(path)]) == 0
    assert command.main(["--only", "pca-30", "--out", str(path)]) == 1  # a bar is missed
    shown, written = capsys.readouterr(), json.loads(path.read_text())
    assert [row["name"] for row in written["rows"]] == ["pca-30", "vae-20"]
    assert "epoch 3/3" in shown.err
    assert "epoch 3/3" not in shown.out
    assert "MISSED" in shown.out
    assert written["environment"]["versions"]["autograd_ae"] == ae.__version__
