"""The calculus: one file per family; formula, derivation, reference, kernel and caveats of an op in one place."""
