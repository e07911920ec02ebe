"""Options: a recipe of pieces and of a training, the table of presets, and the command line that follows from them."""

from jaxvae.options.from_signature import options_of as options_of
from jaxvae.options.given import given as given
from jaxvae.options.groups import Compute as Compute
from jaxvae.options.groups import Data as Data
from jaxvae.options.groups import Output as Output
from jaxvae.options.groups import Train as Train
from jaxvae.options.recipe import Recipe as Recipe
from jaxvae.options.schedules import Schedule as Schedule
