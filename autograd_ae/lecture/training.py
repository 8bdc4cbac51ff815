"""How the experiments train: without warnings that the report itself answers, and with progress where asked."""

from __future__ import annotations

import warnings
from typing import Any

import autograd_ae as ae


def quietly(fit: Any, *args: Any, **options: Any) -> Any:
    """`fit(...)` without its ConvergenceWarning: what was reached is measured, and that decides."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ae.ConvergenceWarning)
        return fit(*args, **options)
