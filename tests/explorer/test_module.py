"""The decoder as a module that another page imports: its numbers are the decoder's."""

import base64

import jax
import numpy as np
import pytest

from jaxvae.data.conditions import Classes
from jaxvae.data.spaces import Tokens, of_facts, to_json
from jaxvae.errors import InputError
from jaxvae.export import javascript
from jaxvae.options import given
from jaxvae.runs import Run

IMPORT = """
const [text, calls, done] = arguments;
import(`data:text/javascript;base64,${text}`)
  .then(({ decode, shape, latentDim, classes }) =>
    done({ shape, latentDim, classes, values: calls.map(([z, condition]) => [...decode(z, condition)]),
           wrong: (() => { try { decode([1]); } catch (error) { return error.message; } })() }))
  .catch((error) => done({ error: String(error) }));
"""
CODES = np.random.default_rng(5).normal(size=(3, 4)).astype(np.float32)


def random_run(facts, **options):
    recipe = given(latent_dim=4, hidden=(8,), **options)
    condition = Classes(tuple(facts["condition"]["classes"])) if "condition" in facts else None
    space = of_facts(facts)
    model = recipe.build(space, condition_space=condition and condition.space, num_examples=10)
    like = jax.eval_shape(model.init, jax.random.key(0), space.zeros(1), condition and condition.space.zeros(1))
    draw = np.random.default_rng(1)
    params = jax.tree.map(lambda leaf: 0.4 * draw.normal(size=leaf.shape).astype(np.float32), like)
    return Run(recipe, model, params, 1, facts)


@pytest.fixture
def imported(browser):
    """Import a run's module in an empty page, and decode; what it exports."""

    def load(run, calls):
        browser.get("about:blank")
        text = base64.b64encode(javascript.module(run).encode()).decode()
        found = browser.execute_async_script(IMPORT, text, calls)
        assert "error" not in found, found
        return found

    return load


def test_pictures(imported):
    run = random_run({"shape": [9, 7, 1]}, preset="conv_vae", channels=(2, 3), likelihood="bernoulli")
    found = imported(run, [[z.tolist(), 0] for z in CODES])
    assert (found["shape"], found["latentDim"], found["classes"]) == ([9, 7, 1], 4, [])
    assert found["wrong"] == "z has 1 numbers, not 4"
    wanted = run.model.decode(run.params, CODES).mean.reshape(3, -1)
    np.testing.assert_allclose(found["values"], wanted, atol=1e-6)


def test_rows_under_each_class(imported):
    facts = {"shape": [5], "condition": Classes(("cat", "</script>", "owl")).to_json()}
    run = random_run(facts, preset="conditional_vae", likelihood="bernoulli")
    found = imported(run, [[z.tolist(), number] for number, z in enumerate(CODES)])
    assert found["classes"] == ["cat", "</script>", "owl"]
    wanted = run.model.decode(run.params, CODES, np.eye(3, dtype=np.float32)).mean
    np.testing.assert_allclose(found["values"], wanted, atol=1e-6)


def test_tokens(imported):
    facts = {"shape": [6], "space": to_json(Tokens(20, 6))}
    run = random_run(facts, preset="lstm_vae", **{"likelihood.hidden": (8,), "likelihood.embedding": 4})
    found = imported(run, [[z.tolist(), 0] for z in CODES])
    np.testing.assert_array_equal(found["values"], run.model.decode(run.params, CODES).point)


def test_conditions_that_are_no_classes_are_refused():
    run = random_run({"shape": [5]}, preset="vae", likelihood="bernoulli")
    facts = {**run.facts, "condition": {"names": ["age"], "mean": [1.0], "deviation": [2.0]}}
    with pytest.raises(InputError, match=r"^to: javascript decodes under classes, this run's condition is another"):
        javascript.module(Run(run.recipe, run.model, run.params, 1, facts))
