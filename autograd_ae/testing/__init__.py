"""Checks that backpropagation is right."""
