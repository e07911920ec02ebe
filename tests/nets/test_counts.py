"""Networks of counts: what the encoder reads does not know the total; topics are rows of words."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import softmax

from jaxvae.data.spaces import Counts, Pixels
from jaxvae.errors import InputError
from jaxvae.facts import Facts
from jaxvae.nets import CountMLP, TopicDecoder, Topics
from jaxvae.nets.counts import scaled_log_counts

X = np.array([[3, 0, 1, 6], [30, 0, 10, 60], [0, 0, 0, 0]])


def test_a_cell_that_is_counted_ten_times_is_read_alike():
    features = scaled_log_counts(jnp.asarray(X))
    np.testing.assert_allclose(features[0], np.log1p([3000, 0, 1000, 6000]), rtol=1e-6)
    np.testing.assert_allclose(features[1], features[0], rtol=1e-6)
    np.testing.assert_array_equal(features[2], 0)


@pytest.mark.parametrize("mixed", [True, False])
def test_words_are_mixed_by_the_shares_of_topics(mixed):
    decoder, z = TopicDecoder(4, mixed), np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    params = decoder.init(jax.random.key(0), z)
    own = {name: np.float64(value) for name, value in params["params"]["output"].items()}
    own["bias"] = params["params"]["output"]["bias"] = jnp.arange(4.0)
    shares = softmax(z, axis=1) if mixed else z
    np.testing.assert_allclose(decoder.apply(params, z), shares @ own["kernel"] + own["bias"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("networks", [CountMLP(), Topics()])
def test_other_data_are_refused(networks):
    assert networks.encoder(Facts(Counts((4,)), 2), 4)
    with pytest.raises(InputError, match="needs rows of counts, got grey; give --preset vae"):
        networks.encoder(Facts(Pixels((4, 4, 1)), 2), 4)
