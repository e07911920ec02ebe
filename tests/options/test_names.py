"""Names of options: no two are the same for any product of choices, and each is refused where it does not belong."""

import itertools

import pytest

from jaxvae.errors import InputError
from jaxvae.options import Recipe, given
from jaxvae.options.names import belongs_to, options, replace
from jaxvae.options.recipe import AXES

RESERVED = {"preset", "config", "save_config", "help", "help_all", "extras", *AXES}
UNPREFIXED = ("networks", "objective")
OTHERS = [(axis, kind) for axis, table in AXES.items() if axis not in UNPREFIXED for kind in table]


@pytest.mark.parametrize(("networks", "objective"), list(itertools.product(*(AXES[axis] for axis in UNPREFIXED))))
def test_no_product_of_choices_has_a_clash(networks, objective):
    """Prefixed axes cannot clash with each other, so each of their kinds is tried once."""
    recipe = Recipe().choose("networks", networks).choose("objective", objective)
    for axis, kind in OTHERS:
        names = set(options(recipe.choose(axis, kind)))
        assert not names & RESERVED
        assert not {f"no_{name}" for name in names} & names


def test_options_are_replaced_by_name_at_any_depth():
    recipe = replace(Recipe(), {"hidden": (3,), "steps": 5, "latent_dim": 2, "beta": 2.0})
    assert (recipe.networks.hidden, recipe.train.steps, recipe.latent_dim) == ((3,), 5, 2)
    assert recipe.objective.beta == 2.0
    assert replace(recipe, {}) == recipe


def test_an_option_of_another_choice_is_named():
    assert list(belongs_to("num_groups")) == ["--objective iwae or ciwae or piwae"]
    assert list(belongs_to("nothing")) == []
    with pytest.raises(InputError, match=r"^num-groups: belongs to --objective iwae or .*; choose that, or leave it"):
        given(num_groups=3)
    with pytest.raises(InputError, match=r"^'--latent-dims': no such option \(did you mean 'latent-dim'\?\)"):
        given(latent_dims=3)
