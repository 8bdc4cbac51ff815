"""The lecture as notebooks, committed executed. `python -m notebooks` executes them again in place."""
