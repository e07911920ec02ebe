"""Figures that a script or two draw."""
