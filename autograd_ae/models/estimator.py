"""What makes a class an estimator in scikit-learn's manner, without importing it.

Hyper-parameters are the arguments of `__init__`, which only stores them, so `get_params`, `set_params`, cloning,
grid search and `repr` follow from the signature. What is learned ends in an underscore and appears with `fit`.
Metadata that scikit-learn asks for (tags) are made in its own classes when it asks, so it is loaded already.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Self

import numpy as np

from autograd_ae.models.validation import (
    NotFittedError,
    as_samples,
    check_feature_names,
    feature_names_of,
    wrap_output,
)


class Estimator:
    """Parameters, validation of samples, output containers."""

    _accepts_uint8: ClassVar[bool] = False
    n_features_in_: int

    @classmethod
    def _parameter_names(cls) -> list[str]:
        return sorted(p.name for p in inspect.signature(cls.__init__).parameters.values() if p.name != "self")

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Hyper-parameters by name."""
        return {name: getattr(self, name) for name in self._parameter_names()}

    def set_params(self, **params: Any) -> Self:
        """Set hyper-parameters by name; returns self."""
        names = self._parameter_names()
        for name, value in params.items():
            if name not in names:
                raise ValueError(f"Invalid parameter {name!r} for estimator {self}. Valid parameters are: {names!r}.")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        changed = [f"{k}={v!r}" for k, v in self.get_params().items() if repr(v) != repr(defaults[k].default)]
        return f"{type(self).__name__}({', '.join(changed)})"

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_features_in_")

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(preserves_dtype=["float64", "float32"]),
            input_tags=InputTags(),
            non_deterministic=False,
        )

    def set_output(self, *, transform: str | None = None) -> Self:
        """Choose what `transform` returns: "default" (arrays), "pandas" or "polars"; None leaves it as it is."""
        if transform not in (None, "default", "pandas", "polars"):
            raise ValueError(f"transform is {transform!r}; 'default', 'pandas', 'polars' or None is needed")
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}
        return self

    def _wrap(self, Z: np.ndarray, X: Any) -> Any:
        chosen = getattr(self, "_sklearn_output_config", {}).get("transform")
        return wrap_output(Z, self.get_feature_names_out(), X, chosen)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the latent components: the class's name in lower case and a number."""
        self._check_fitted()
        return np.asarray([f"{type(self).__name__.lower()}{i}" for i in range(self._n_features_out)], dtype=object)

    @property
    def _n_features_out(self) -> int:
        return self.n_components  # type: ignore[attr-defined]

    def _check_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            raise NotFittedError(
                f"This {type(self).__name__} instance is not fitted yet. "
                "Call 'fit' with appropriate arguments before using it."
            )

    @contextmanager
    def _keeping_features(self) -> Iterator[None]:
        """A fit that is refused leaves a fitted model as it was: number and names of features are put back."""
        names = ("n_features_in_", "feature_names_in_")
        before = {name: self.__dict__[name] for name in names if name in self.__dict__}
        try:
            yield
        except BaseException:
            for name in names:
                self.__dict__.pop(name, None)
            self.__dict__.update(before)
            raise

    def _samples(
        self, X: Any, *, reset: bool = False, training: bool = False, dtype: Any = None, finite: bool = True
    ) -> np.ndarray:
        """X checked; `reset` when the model learns the number and names of the features.

        While it learns uint8 may stay what it is (`training`, `reset`); all else that is no float becomes float64.
        `finite=False`: the model itself sees whether all numbers are finite.
        """
        who = type(self).__name__
        if not reset:
            self._check_fitted()
        names = feature_names_of(X)
        keep_uint8 = self._accepts_uint8 and (reset or training)
        array = as_samples(X, who=who, keep_uint8=keep_uint8, dtype=dtype, finite=finite)
        if reset:
            self.n_features_in_ = array.shape[1]
            self.__dict__.pop("feature_names_in_", None)
            if names is not None:
                self.feature_names_in_ = names
            return array
        check_feature_names(getattr(self, "feature_names_in_", None), names, who)
        if array.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {array.shape[1]} features, but {who} is expecting {self.n_features_in_} features as input"
            )
        return array


class SettingError(ValueError):
    """A hyper-parameter that cannot be, or does not go with the others; whatever the data."""


def check_choice(name: str, value: Any, choices: Any) -> None:
    """A hyper-parameter that is one of a few words."""
    if value not in tuple(choices):  # a tuple, since the value may be unhashable
        raise SettingError(f"{name} is {value!r}; one of {', '.join(map(repr, choices))} is needed")


def check_count(name: str, value: Any, least: int = 1) -> None:
    """A hyper-parameter that is a whole number."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise SettingError(f"{name} is {value!r}; a whole number of at least {least} is needed")


def check_sizes(name: str, value: Any, example: str = "(64, 16)") -> None:
    """A hyper-parameter that is a list of layer sizes, perhaps empty."""
    if not isinstance(value, list | tuple):
        raise SettingError(f"{name} is {value!r}; a tuple of whole numbers is needed, such as {example}")
    for size in value:
        check_count(f"every entry of {name}", size)


def check_real(name: str, value: Any, least: float = 0.0, *, strict: bool = False) -> None:
    """A hyper-parameter that is a finite number of at least (or, if strict, above) `least`."""
    number = isinstance(value, int | float | np.floating | np.integer) and not isinstance(value, bool)
    if not number or not np.isfinite(value) or value < least or (strict and value == least):
        bound = "above" if strict else "of at least"
        raise SettingError(f"{name} is {value!r}; a finite number {bound} {least:g} is needed")


def check_share(name: str, value: Any, *, strict: bool = False) -> None:
    """A hyper-parameter in [0, 1), or, if strict, in (0, 1)."""
    check_real(name, value, strict=strict)
    if value >= 1:
        raise SettingError(f"{name} is {value!r}; a number below 1 is needed")
