"""The one error of every data file that is missing, damaged or not what was asked for."""


class DataError(ValueError):
    """A data file is missing, truncated, forged or another one; the message says what arrived and what to do."""
