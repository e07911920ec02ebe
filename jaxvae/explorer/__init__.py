"""Explorer: a web page with a trained decoder, to explore its latent space."""

from jaxvae.explorer.layers import mean_layers as mean_layers
from jaxvae.explorer.page import explorer_page as explorer_page
