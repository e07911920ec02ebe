"""A trained model as one web page, in which a person walks through its latent space."""

from jaxvae.explorer.layers import mean_layers as mean_layers
from jaxvae.explorer.page import explorer_page as explorer_page
