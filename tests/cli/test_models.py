"""train, encode, decode, reconstruct, sample: from data to a saved model and on, and every way that goes wrong."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.cli.train import MODELS, setting, sizes


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """Every line runs in a folder of its own."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def X(tmp_path):
    """20 images of 2 × 2 pixels in (0, 1), also as x.npy."""
    array = np.random.default_rng(0).uniform(0.1, 0.9, size=(20, 4))
    np.save(tmp_path / "x.npy", array)
    return array


@pytest.fixture
def vae(X, run):
    """A small VAE, saved as vae.npz."""
    done = run("train x.npy --model vae --hidden 3 --components 2 --epochs 2 --out vae.npz --quiet")
    assert (done.code, done.err) == (0, "")
    return ae.load("vae.npz")


# train.


@pytest.mark.parametrize("model", list(MODELS))
def test_every_model_is_trained_as_in_python(X, run, model):
    cls = getattr(ae, MODELS[model])
    solver = {} if model == "pca" else {"max_iter": 2, "solver": "adam", "random_state": 5}
    epochs = "" if model == "pca" else "--epochs 2 --set solver=adam"
    done = run(f"train x.npy --model {model} --components 2 {epochs} --seed 5 --out m.npz --json --quiet")
    assert (done.code, done.err) == (0, "")
    here, saved = cls(n_components=2, **solver).fit(X), ae.load("m.npz")
    assert type(saved) is cls
    np.testing.assert_array_equal(saved.reconstruct(X), here.reconstruct(X))
    values = json.loads(done.out)
    assert values["model"] == cls.__name__
    assert values["diagnostics"]["error"] == here.reconstruction_error(X)
    assert (values["samples"], values["features"]) == (20, 4)
    assert len(values["loss_curve"]) == (0 if model == "pca" else 2)


def test_settings_reach_the_model_as_json_or_as_words(X, run):
    line = (
        "train x.npy --model denoising --out m.npz --quiet --epochs 1 --hidden 3 --set corruption=masking "
        "--set corruption_level=0.5 --set early_stopping=true --set activation=tanh --set init=null"
    )
    assert run(line).code == 0
    settings = ae.load("m.npz").get_params()
    assert settings["corruption"] == "masking"
    assert settings["corruption_level"] == 0.5
    assert settings["early_stopping"] is True
    assert settings["hidden_layer_sizes"] == (3,)
    assert settings["init"] is None


def test_text_is_the_summary_and_where_the_model_went(X, run):
    done = run("train x.npy --model pca --components 2 --out m.npz")
    assert done.out == f"{ae.PCA(2).fit(X).summary(X)}\nsaved to m.npz\n"


@pytest.mark.filterwarnings("ignore::autograd_ae.ConvergenceWarning")
def test_the_digits_are_known_by_name_and_their_test_part_is_judged_too(run):
    done = run("train digits --model pca --components 3 --out m.npz --json")
    digits = ae.data.load_digits()
    pca = ae.PCA(3).fit(digits.train.images)
    values = json.loads(done.out)
    assert values["test_error"] == pca.reconstruction_error(digits.test.images)
    assert run("encode m.npz digits --part test --out z.npy").code == 0
    np.testing.assert_array_equal(np.load("z.npy"), pca.transform(digits.test.images))
    assert "test_error" not in json.loads(run("train digits --part test --model pca --out t.npz --json").out)


@pytest.mark.filterwarnings("default:Training interrupted")
def test_ctrl_c_saves_what_was_learned(X, run, monkeypatch):
    def interrupt():
        def at_two(model, epoch):
            if epoch == 2:
                raise KeyboardInterrupt

        return at_two

    monkeypatch.setattr(sys.modules["autograd_ae.cli.train"], "_reporter", interrupt)
    done = run("train x.npy --hidden 3 --epochs 50 --out m.npz")
    assert done.code == 0
    assert "note: Training interrupted after 2 whole epochs" in done.err
    assert ae.load("m.npz").n_iter_ == 2


def test_training_that_diverges_is_an_error_of_one_line_and_saves_nothing(X, run, tmp_path):
    line = "train x.npy --model linear --set solver=sgd --set learning_rate_init=1e200 --out m.npz --quiet"
    done = run(line)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("autograd-ae: error: training diverged in epoch")
    assert done.err.count("\n") == 1
    assert not (tmp_path / "m.npz").exists()


# The saved model.


@pytest.mark.parametrize("suffix", ["npy", "npz", "csv"])
def test_codes_and_samples_pass_through_files_of_every_kind_without_loss(X, vae, run, suffix):
    done = run(f"encode vae.npz x.npy --out z.{suffix}")
    assert (done.code, done.out, done.err) == (0, f"20 × 2 to z.{suffix}\n", "")
    assert run(f"decode vae.npz z.{suffix} --out y.npy").code == 0
    np.testing.assert_array_equal(np.load("y.npy"), vae.reconstruct(X))
    assert run(f"reconstruct vae.npz x.npy --out r.{suffix}").code == 0
    assert run(f"encode vae.npz r.{suffix} --out again.npy").code == 0
    np.testing.assert_array_equal(np.load("again.npy"), vae.transform(vae.reconstruct(X)))


def test_float32_keeps_its_digits_in_text(run, vae):
    np.save("x.npy", np.random.default_rng(1).random((5, 4), dtype=np.float32))
    assert run("train x.npy --model pca --components 2 --out p.npz").code == 0
    assert run("encode p.npz x.npy --out z.csv").code == 0
    codes = np.loadtxt("z.csv", delimiter=",", skiprows=1, dtype=np.float32)
    np.testing.assert_array_equal(codes, ae.load("p.npz").transform(np.load("x.npy")))
    assert Path("z.csv").read_text().startswith("pca0,pca1\n")


def test_reconstructing_says_how_well_it_went(X, vae, run):
    done = run("reconstruct vae.npz x.npy --out r.npy --json")
    values = json.loads(done.out)
    assert values["diagnostics"]["error"] == vae.reconstruction_error(X)
    assert values["shape"] == [20, 4]
    text = run("reconstruct vae.npz x.npy --out r.npy --force").out
    assert f"error                 {vae.reconstruction_error(X):.6g}" in text
    assert f"plateau (mean image)  {vae.plateau(X):.6g}" in text


def test_samples_are_those_of_the_seed(vae, run):
    assert run("sample vae.npz 7 --seed 3 --out s.npz").code == 0
    with np.load("s.npz") as archive:
        np.testing.assert_array_equal(archive["samples"], vae.sample(7, random_state=3))


def test_one_array_of_an_archive_is_chosen_by_name(X, vae, run):
    np.savez("many.npz", a=X, b=np.ones((2, 4)))
    assert run("encode vae.npz many.npz:a --out z.npy").code == 0
    np.testing.assert_array_equal(np.load("z.npy"), vae.transform(X))
    assert run("encode vae.npz many.npz --out y.npy").err == (
        "autograd-ae: error: many.npz: it holds a, b; choose one with many.npz:NAME\n"
    )


# What goes wrong.


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("encode x.npy x.npy --out z.npy", "x.npy: truncated, damaged, or no model of autograd_ae"),
        ("encode broken.npz x.npy --out z.npy", "broken.npz: truncated, damaged, or no model of autograd_ae"),
        ("encode vae.npz wide.csv --out z.npy", "X has 5 features, but VAE is expecting 4 features as input"),
        ("encode vae.npz flat.npy --out z.npy", "flat.npy: a matrix with one sample in each row is needed"),
        ("encode vae.npz pickled.npy --out z.npy", "pickled.npy: Object arrays cannot be loaded"),
        ("encode vae.npz broken.npz --out z.npy", "broken.npz: "),
        ("encode vae.npz vae.npz:a --out z.npy", "vae.npz: it holds "),
        ("encode vae.npz words.csv --out z.npy", "words.csv: line 2 is not numbers with commas: 'c,d'"),
        ("encode vae.npz ragged.csv --out z.npy", "ragged.csv: line 2 has 1 numbers, the first one has 2"),
        ("encode vae.npz empty.csv --out z.npy", "empty.csv: the file is empty"),
        ("encode vae.npz names.csv --out z.npy", "names.csv: no line of numbers follows the names"),
        ("encode vae.npz nan.csv --out z.npy", "Input X contains NaN"),
        ("decode vae.npz wide.csv --out y.npy", "codes have 5 columns, but VAE has 2 components"),
    ],
)
def test_files_that_do_not_suit_are_one_line_that_says_what_is_wrong(X, vae, run, tmp_path, line, message):
    (tmp_path / "broken.npz").write_bytes((tmp_path / "vae.npz").read_bytes()[:200])
    np.save("flat.npy", np.ones(4))
    np.save("pickled.npy", np.array([[object()]]), allow_pickle=True)
    for name, text in {
        "wide": "1,2,3,4,5\n", "words": "a,b\nc,d\n", "ragged": "1,2\n3\n", "empty": "\n", "names": "a,b\n",
        "nan": "1,2,3,nan\n",
    }.items():  # fmt: skip
        (tmp_path / f"{name}.csv").write_text(text)
    before = sorted(p.name for p in tmp_path.iterdir())
    done = run(f"{line} --quiet")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("autograd-ae: error: ")
    assert message in done.err
    assert done.err.count("\n") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("train x.npy", "the following arguments are required: --out"),
        ("train nowhere.npy --out m.npz", "nowhere.npy: No such file"),
        ("train x.txt --out m.npz", "x.txt: .npy, .npz, .csv can be read, and the data sets digits, mnist"),
        ("train x.npy --out m.txt", "--out m.txt: a name that ends in .npz is needed"),
        ("train x.npy --out no/m.npz", "--out no/m.npz: there is no folder no"),
        ("train x.npy --out vae.npz", "--out vae.npz exists; name another file, or add --force"),
        ("train x.npy --part test --out m.npz", "--part is for digits, mnist, fashion-mnist; x.npy is a file"),
        ("train digits --folder here --out m.npz", "the digits are part of the package"),
        ("train x.npy --model pca --epochs 3 --out m.npz", "--epochs: pca has none"),
        ("train x.npy --set betta=1 --out m.npz", "--set betta: autoencoder has no such setting; there are activation"),
        ("train x.npy --set activation=sigmod --out m.npz", "activation is 'sigmod'; one of 'identity'"),
        ("train x.npy --model vae --set likelihood=1 --out m.npz", "likelihood is 1; one of 'bernoulli', 'gaussian'"),
        ("train x.npy --set learning_rate=0.01 --out m.npz", "the step size is learning_rate_init=0.01"),
        ("train x.npy --model vae --set solver=lbfgs --out m.npz", "solver='lbfgs' needs a fixed loss"),
        ("train . --out m.npz", ".: .npy, .npz, .csv can be read"),
        ("encode . x.npy --out z.npy", ".: this is a folder"),
        ("encode nowhere.npz x.npy --out z.npy", "nowhere.npz: No such file"),
        ("sample pca.npz 3 --out s.npy", "pca.npz is a saved PCA; only a VAE has a distribution to sample from"),
        ("train x.npy --model rbm --out m.npz", "invalid choice: 'rbm'"),
        ("train x.npy --hidden 3,x --out m.npz", "layers are sizes with commas, such as 64,16, not '3,x'"),
        ("train x.npy --set beta --out m.npz", "a setting is NAME=VALUE, such as beta=0.5, not 'beta'"),
        ("sample vae.npz 0 --out s.npy", "positive integer is needed, not '0'"),
    ],
)
def test_wrong_usage_is_one_line_that_names_the_command_and_exit_code_2(X, vae, run, tmp_path, line, message):
    ae.PCA(2).fit(X).save("pca.npz")
    before = sorted(p.name for p in tmp_path.iterdir())
    done = run(line)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert done.err.endswith(f" (see autograd-ae {line.split()[0]} --help)\n")
    assert done.err.count("\n") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_values_are_json_and_words_where_they_are_none():
    texts = ["a=1", "a=0.5", "a=true", "a=True", "a=null", "a=[3, 2]", "a=relu", "a=None", "a="]
    assert [setting(text)[1] for text in texts] == [1, 0.5, True, True, None, [3, 2], "relu", None, ""]
    assert sizes("64, 16") == (64, 16)
    assert sizes("") == ()
