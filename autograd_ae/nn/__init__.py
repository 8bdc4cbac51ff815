"""Layers and initialisation."""

from autograd_ae.nn.initialisers import INITIALISERS, glorot, glorot_sigmoid, he, sparse
from autograd_ae.nn.layers import MLP, Dense, load_state_dict, parameters, side_by_side, state_dict

__all__ = [
    "INITIALISERS",
    "MLP",
    "Dense",
    "glorot",
    "glorot_sigmoid",
    "he",
    "load_state_dict",
    "parameters",
    "side_by_side",
    "sparse",
    "state_dict",
]
