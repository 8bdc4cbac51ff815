"""Fitted models as files: an npz archive of plain arrays and one JSON header, without pickle.

A pickle runs whatever code its author put into it, and breaks when classes move. Here the header says which model it
is, with which hyper-parameters, what training left behind, and which version wrote it; the arrays are the parameters,
in the model's own order, and the learned arrays whose names end in an underscore. Reading builds the networks anew and
fills them in; nothing in a file is ever executed.

    header          JSON as bytes: {"format": "autograd_ae model", "version": 1, "model": "VAE", "settings": {…}, …}
    parameter_0 …   weights and biases, encoder first
    mean_ …         learned arrays by name

Everything comes back bit for bit, but for the optimiser's moments: `partial_fit` and `warm_start` go on with new ones
(a pickle keeps them), and with the same random numbers where the model's generator is NumPy's default. A generator that
was given as `random_state` comes back as None.
"""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

import autograd_ae
from autograd_ae.models.network import Network
from autograd_ae.nn.layers import side_by_side

FORMAT, VERSION = "autograd_ae model", 1
NAMES = ("PCA", "LinearPCA", "DeepPCA", "Autoencoder", "SparseAE", "DenoisingAE", "VAE")
VALUES = (
    "n_features_in_", "n_components_", "loss_", "history_", "loss_terms_", "n_iter_", "n_samples_seen_", "_spread",
    "_built_with", "_sklearn_output_config",
)  # fmt: skip


class ModelFileError(ValueError):
    """A file that should hold a model does not."""


def save(model: Any, path: str | os.PathLike[str]) -> None:
    """Write a fitted model to `path`, whatever its suffix; a file of that name is replaced in one step.

    Raises
    ------
    NotFittedError : there is nothing to save yet.    TypeError : the model is of a class of your own; pickle it.
    """
    model._check_fitted()
    name = type(model).__name__
    if name not in NAMES or type(model) is not _class_of(name):
        raise TypeError(f"{name} is no model of this package: only {', '.join(NAMES)} can be saved; pickle it instead")
    header, arrays = _header(model), _arrays(model)
    text = json.dumps(header, default=_plain, allow_nan=True)
    folder = os.path.dirname(os.fspath(path)) or "."
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"{os.fspath(path)}: there is no folder {folder}; make it first")
    partial = Path(f"{os.fspath(path)}.part")
    try:
        with open(partial, "wb") as file:
            np.savez(file, allow_pickle=False, header=np.frombuffer(text.encode(), np.uint8), **arrays)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def load(path: str | os.PathLike[str]) -> Any:
    """The model that `model.save(path)` wrote.

    Raises
    ------
    FileNotFoundError, OSError : there is no such file, or it cannot be read.
    ModelFileError : it is truncated, damaged, no model, or of a newer version; a ValueError.

    >>> import tempfile, os
    >>> import autograd_ae as ae
    >>> X = np.random.default_rng(0).normal(size=(20, 4))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model = ae.PCA(2).fit(X)
    ...     model.save(os.path.join(folder, "pca.npz"))
    ...     bool((load(os.path.join(folder, "pca.npz")).transform(X) == model.transform(X)).all())
    True
    """
    header, arrays = _read(path)
    try:
        return _rebuilt(header, arrays)
    except ModelFileError as error:
        raise ModelFileError(f"{os.fspath(path)}: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelFileError(f"{os.fspath(path)}: the header describes no model ({error!r})") from None


def _class_of(name: str) -> Any:
    return getattr(autograd_ae.models, name)


# Writing.


def _header(model: Any) -> dict[str, Any]:
    here = model.__dict__
    settings = model.get_params()
    if isinstance(settings.get("random_state"), np.random.Generator | np.random.RandomState):
        settings["random_state"] = None
    header = {"format": FORMAT, "version": VERSION, "autograd_ae": autograd_ae.__version__}
    header |= {"model": type(model).__name__, "settings": settings}
    header["learned"] = {name: here[name] for name in VALUES if name in here}
    if "feature_names_in_" in here:
        header["feature_names"] = list(here["feature_names_in_"])
    if isinstance(model, Network):
        header |= {"dtype": model._dtype.name, "parameters": [p.name for p in model.parameters()]}
        header["generator"] = _state_of(model._rng)
    return header


def _state_of(rng: np.random.Generator) -> dict[str, Any] | None:
    """Of NumPy's default generator, as JSON; None of any other."""
    return dict(rng.bit_generator.state) if isinstance(rng.bit_generator, np.random.PCG64) else None


def _arrays(model: Any) -> dict[str, np.ndarray]:
    learned = {
        name: value for name, value in model.__dict__.items()
        if name.endswith("_") and isinstance(value, np.ndarray) and value.dtype.kind == "f"
    }  # fmt: skip
    parameters = model.parameters() if isinstance(model, Network) else []
    return learned | {f"parameter_{i}": p.data for i, p in enumerate(parameters)}


def _plain(value: Any) -> Any:
    """NumPy's numbers and arrays as Python's."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{value!r} is of type {type(value).__name__}, which no file of a model can hold")


# Reading.


def _read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    where = os.fspath(path)
    try:
        with open(where, "rb") as stream:
            if stream.read(2) != b"PK":
                raise ModelFileError(f"{where}: truncated, damaged, or no model of autograd_ae: it is no archive")
            stream.seek(0)
            archive = np.load(stream, allow_pickle=False)
            if not hasattr(archive, "files") or "header" not in archive.files:
                raise ModelFileError(f"{where}: no model of autograd_ae (no header); was it written by model.save?")
            arrays = {name: archive[name] for name in archive.files}
        header = json.loads(arrays.pop("header").tobytes())
    except ModelFileError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError, RuntimeError) as error:
        raise ModelFileError(f"{where}: truncated, damaged, or no model of autograd_ae ({error})") from None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ModelFileError(f"{where}: no model of autograd_ae (its header is another one's)")
    if header.get("version") != VERSION:
        raise ModelFileError(
            f"{where}: version {header.get('version')!r} of the format, written by autograd_ae "
            f"{header.get('autograd_ae')}; this one reads version {VERSION}: install that autograd_ae"
        )
    return header, arrays


def _rebuilt(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> Any:
    if header["model"] not in NAMES:
        raise ModelFileError(f"unknown model {header['model']!r}; there are {', '.join(NAMES)}")
    cls = _class_of(header["model"])
    model = cls(**{name: _tuples(value) for name, value in header["settings"].items()})
    learned = dict(header["learned"])
    if "_built_with" in learned:
        learned["_built_with"] = {name: _tuples(value) for name, value in learned["_built_with"].items()}
    vars(model).update({name: learned[name] for name in VALUES if name in learned})
    if "feature_names" in header:
        model.feature_names_in_ = np.asarray(header["feature_names"], dtype=object)
    if isinstance(model, Network):
        _fill(model, header, arrays)
    vars(model).update({name: a for name, a in arrays.items() if not name.startswith("parameter_")})
    if model.mean_.shape != (model.n_features_in_,):
        raise ModelFileError(f"mean_ has shape {model.mean_.shape}; {model.n_features_in_} features are described")
    return model


def _fill(model: Any, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Networks of the architecture that was fitted, with the parameters of the file."""
    model._dtype, model._optimizer = np.dtype(header["dtype"]), None
    state = header["generator"]
    model._rng = np.random.default_rng(0 if state else model.random_state)
    if state:
        model._rng.bit_generator.state = state
    as_fitted = type(model)(**model.get_params() | model._built_with)
    networks = as_fitted._build(model.n_features_in_, np.random.default_rng(0), model._dtype)
    model.encoder_, model.decoder_ = networks
    parameters = model.parameters()
    found = sum(name.startswith("parameter_") for name in arrays)
    if found != len(parameters):
        raise ModelFileError(f"{found} parameters arrived, {len(parameters)} are needed")
    for i, p in enumerate(parameters):
        a = arrays[f"parameter_{i}"]
        if a.shape != p.shape or a.dtype != model._dtype:
            raise ModelFileError(f"parameter {p.name} is {a.shape} {a.dtype}; {p.shape} {model._dtype} is needed")
        p.data = np.ascontiguousarray(a).reshape(p.shape)
    side_by_side(parameters)


def _tuples(value: Any) -> Any:
    """JSON knows only lists; sizes of layers are tuples."""
    return tuple(value) if isinstance(value, list) else value
