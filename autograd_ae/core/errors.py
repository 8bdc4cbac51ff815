"""The engine's errors. Each message says what arrived, what was needed and what to do."""


class ShapeError(ValueError):
    """Shapes that do not fit an op."""


class GraphError(RuntimeError):
    """A backward pass that cannot be run: freed graph, no path, missing cotangent."""


class InPlaceError(RuntimeError):
    """An array was edited although a recorded op still needs its old value."""


class AnomalyError(FloatingPointError):
    """A NaN appeared under `detect_anomaly()`."""


class CaptureError(RuntimeError):
    """A function that cannot be recorded once and replayed on new data."""
