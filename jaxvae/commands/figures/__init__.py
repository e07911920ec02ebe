"""Figures of a trained model that `jaxvae sample` draws."""
