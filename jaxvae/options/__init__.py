"""Options: a recipe of pieces and of a training, the table of presets, and the command line that follows from them."""
