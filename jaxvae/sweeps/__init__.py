"""Sweeps: many trainings of a recipe, with options chosen by Optuna for the best bound on validation data."""
