"""Samples as the models take them: a finite matrix, float32 or float64, C order, one sample a row.

The wording follows scikit-learn's, word for word where its estimator checks ask for it; scikit-learn is not imported.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np


class NotFittedError(ValueError, AttributeError):
    """A method that needs a fitted model was called before `fit`."""


class DataRangeWarning(UserWarning):
    """The data leave the range that the model's output can reach."""


def check_reach(X: np.ndarray, output_activation: str) -> None:
    """Warn about samples that the output units cannot reach: a sigmoid ends at 0 and 1."""
    lowest, highest = float(X.min()), float(X.max())
    if output_activation == "sigmoid" and (lowest < 0 or highest > 1):
        warn_user(
            f"X lies in [{lowest:.4g}, {highest:.4g}] but a sigmoid output reaches only (0, 1): scale X, or choose "
            "output_activation='identity'",
            DataRangeWarning,
        )


def check_unit_interval(X: np.ndarray, who: str, remedy: str) -> None:
    """ValueError where samples leave [0, 1], where a cross-entropy needs them."""
    lowest, highest = float(X.min()), float(X.max())
    if lowest < 0 or highest > 1:
        raise ValueError(f"{who} needs data in [0, 1]; X lies in [{lowest:.4g}, {highest:.4g}]. {remedy}")


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line outside the package that asked, however deep the call."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("autograd_ae."):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def as_samples(X: Any, *, who: str, keep_uint8: bool = False, dtype: Any = None, finite: bool = True) -> np.ndarray:
    """X as a finite float matrix (float32 stays, all else becomes float64), or one clear error.

    `finite=False` leaves it to the caller to see that all numbers are finite, with `check_finite` where one is not.
    """
    if hasattr(X, "toarray") and hasattr(X, "nnz"):
        raise TypeError(f"Sparse data was passed, but dense data is required by {who}. Use X.toarray() to convert it")
    array = np.asarray(X)
    if np.iscomplexobj(array):
        raise ValueError(f"Complex data not supported\n{array}\n")
    if array.ndim != 2:
        kind = f"{array.ndim}D" if array.ndim else "scalar"
        raise ValueError(
            f"Expected 2D array, got {kind} array instead:\narray={array}.\n"
            "Reshape your data either using array.reshape(-1, 1) if your data has a single feature "
            "or array.reshape(1, -1) if it contains a single sample."
        )
    for axis, word in enumerate(("sample", "feature")):
        if array.shape[axis] == 0:
            raise ValueError(
                f"Found array with 0 {word}(s) (shape={array.shape}) while a minimum of 1 is required by {who}."
            )
    if keep_uint8 and array.dtype == np.uint8:
        return np.asarray(array, order="C")
    if array.dtype not in (np.dtype(np.float32), np.dtype(np.float64)):
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{who} needs numbers; X has dtype {array.dtype}: {error}") from None
    if finite:
        with np.errstate(over="ignore", invalid="ignore"):
            check_finite(array, who, array.sum(dtype=np.float64))
    return np.asarray(array, dtype=dtype, order="C")


def check_finite(X: np.ndarray, who: str, sums: Any) -> None:
    """ValueError where X holds NaN or infinity; finite `sums` of all its numbers show that it does not."""
    if not np.isfinite(sums).all() and not np.isfinite(X).all():
        what = "NaN" if np.isnan(X).any() else f"infinity or a value too large for {X.dtype!r}"
        raise ValueError(f"Input X contains {what}.\n{who} does not accept it: drop or impute those samples first")


def feature_names_of(X: Any) -> np.ndarray | None:
    """The column names of a data frame, when all are strings."""
    columns = getattr(X, "columns", None)
    if columns is None:
        return None
    names = np.asarray(columns, dtype=object)
    strings = [isinstance(name, str) for name in names]
    if any(strings) and not all(strings):
        raise TypeError(
            "Feature names are only supported if all input features have string names, but your input has "
            f"{sorted({type(name).__name__ for name in names})} as feature name / column name types. "
            "Convert them all to strings: X.columns = X.columns.astype(str)"
        )
    return names if len(names) and all(strings) else None


def check_feature_names(fitted: np.ndarray | None, given: np.ndarray | None, who: str) -> None:
    """Data must have the names that the model was fitted with, in the same order."""
    if fitted is None and given is None:
        return
    if given is None:
        warn_user(f"X does not have valid feature names, but {who} was fitted with feature names")
    elif fitted is None:
        warn_user(f"X has feature names, but {who} was fitted without feature names")
    elif len(given) != len(fitted) or (given != fitted).any():
        raise ValueError(_name_mismatch(fitted, given))


def _name_mismatch(fitted: np.ndarray, given: np.ndarray) -> str:
    unseen, missing = sorted(set(given) - set(fitted)), sorted(set(fitted) - set(given))
    message = "The feature names should match those that were passed during fit.\n"
    for title, names in (
        ("Feature names unseen at fit time", unseen),
        ("Feature names seen at fit time, yet now missing", missing),
    ):
        if names:
            listed = "".join(f"- {name}\n" for name in names[:5])
            message += f"{title}:\n{listed}" + ("- ...\n" if len(names) > 5 else "")
    if not unseen and not missing:
        message += "Feature names must be in the same order as they were in fit.\n"
    return message


def generator(random_state: Any) -> np.random.Generator:
    """A generator from None, a seed, a Generator (used on) or NumPy's old RandomState."""
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(2**31 - 1))
    seed = isinstance(random_state, int | np.integer) and random_state >= 0
    if seed or random_state is None or isinstance(random_state, np.random.Generator):
        return np.random.default_rng(random_state)
    raise ValueError(f"random_state is {random_state!r}; None, a seed of at least 0 or a numpy Generator is needed")


def wrap_output(Z: np.ndarray, names: np.ndarray, X: Any, container: str | None) -> Any:
    """An array as it is, or as the data frame that `set_output` (or scikit-learn's configuration) asked for."""
    if container is None and "sklearn" in sys.modules:
        container = sys.modules["sklearn"].get_config()["transform_output"]
    if container == "pandas":
        import pandas

        return pandas.DataFrame(Z, columns=names, index=getattr(X, "index", None))
    if container == "polars":
        import polars

        return polars.DataFrame(Z, schema=list(names), orient="row")
    return Z
