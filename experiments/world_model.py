"""Balance a pole inside a learned world: `python experiments/world_model.py`.

V, a VAE, sees frames of CartPole; M, a recurrent network, predicts the next code; C, a linear controller, evolves on
what both say (Ha & Schmidhuber 2018, https://arxiv.org/abs/1803.10122). One frame shows no velocities, so that a
controller of codes alone has to fail. The table has what C reaches on each of several views, on the memory of an
untrained M among them, and inside M's own dream. A second call goes on where the first ended.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import trim_mean

from figures.world_model import save_curves, save_film
from jaxvae import rng
from jaxvae.control import cartpole, frames
from jaxvae.control.ablations import Learned, Row, ablations
from jaxvae.control.memory import fit_memory, windows
from jaxvae.control.probes import explained_change, probe
from jaxvae.control.rollouts import Episodes, record, returns
from jaxvae.control.search import Search, search
from jaxvae.control.views import TrueState
from jaxvae.control.vision import Vision
from jaxvae.control.worlds import CartPole
from jaxvae.errors import InputError
from jaxvae.nets import Bound, MixtureDensityLSTM
from jaxvae.options import Compute, Recipe, given
from jaxvae.options.checks import check_at_least, check_folder, check_seed
from jaxvae.report import write_json
from jaxvae.report.tables import markdown_table
from jaxvae.runs import load_run
from jaxvae.runs.command_line import run_script
from jaxvae.runs.compute import set_up
from jaxvae.runs.many import train_all
from jaxvae.runs.progress import announce, counted
from jaxvae.types import Array

ROUNDS = 2
"""Rounds of recording, V and M: the first sees what random actions lead to, the second what the first's C does."""
RANDOMNESS = 0.2
"""Share of random actions in episodes of a controller that are recorded."""
WIDTH = 64
"""Steps in a window of an episode that M is trained on."""
PROBED, FILMED = 40, 120
"""Episodes of the probes, and steps of the film."""
COLUMNS = {
    "iqm": ("return", ".0f"),
    "lowest": ("lowest seed", ".0f"),
    "highest": ("highest seed", ".0f"),
    "full": ("full episodes", ".2f"),
    "generations": ("generations", ".0f"),
    "dreamt": ("return in the dream", ".0f"),
}


@dataclasses.dataclass(frozen=True)
class WorldModelConfig:
    """Learn to see, to remember and to act on CartPole, and take each of these away (Ha & Schmidhuber 2018)."""

    episodes: int = 400
    """Number of episodes that are recorded in each round."""
    frames: int = 10000
    """Greatest number of their frames that V is trained on."""
    steps: int = 1500
    """Number of training steps of V."""
    hidden: tuple[int, ...] = (128,)
    """Widths of V's dense hidden layers."""
    latent_dim: int = 8
    """Number of dimensions of its z."""
    memory_steps: int = 3000
    """Number of training steps of M."""
    lstm: int = 32
    """Width of M's LSTM, the number of dimensions of h."""
    components: int = 5
    """Number of normals in M's mixture for each dimension of z."""
    generations: int = 40
    """Greatest number of generations of C; fewer where half of one reaches the greatest return."""
    population: int = 32
    """Number of controllers in a generation."""
    trials: int = 8
    """Number of episodes of each of them."""
    temperatures: tuple[float, ...] = (0.1, 1.0, 1.5)
    """Temperatures of the dreams."""
    tests: int = 100
    """Number of new episodes by which a controller is judged."""
    longest: int = cartpole.STEPS
    """Greatest number of steps of an episode."""
    seeds: int = 5
    """Number of repetitions, each with its own V, M and C."""
    seed: int = 0
    """First seed."""
    out: Path = Path("runs/world_model")
    """Folder for runs, checkpoints, table and pictures."""

    def check(self) -> None:
        """Refuse values that are invalid."""
        for name in ("frames", "steps", "latent_dim", "memory_steps", "lstm", "components", "generations", "trials"):
            check_at_least(1, name, getattr(self, name))
        for name, least in {"episodes": 20, "population": 4, "tests": 2, "longest": 2, "seeds": 1}.items():
            check_at_least(least, name, getattr(self, name))
        for temperature in self.temperatures:
            check_at_least(0.01, "temperatures", temperature)
        check_seed("seed", self.seed, self.seeds)
        check_folder("out", self.out)


def main(config: WorldModelConfig) -> int:
    """Train all seeds, judge their controllers, and write the tables and pictures."""
    set_up(Compute(num_processes=1))
    keep_options(config)
    found: list[dict[str, Any]] = []
    for seed in range(config.seed, config.seed + config.seeds):
        learned = None
        for number in range(ROUNDS):
            place = config.out / f"seed-{seed}" / f"round-{number}"
            episodes = recorded(config, seed, place, learned)
            runs = {f"V of seed {seed}, {place.name}": recipe_of(config, seed, place)}
            if exit_code := train_all(runs, WorldModelConfig):
                return exit_code
            learned = remembering(config, seed, place, episodes)
        assert learned is not None
        found.append(judged(config, seed, learned))
    tables = [table_of_returns(config, found), table_of_probes(found)]
    print(*tables, sep="\n\n")
    (config.out / "world_model.md").write_text("\n\n".join(tables) + "\n")
    write_json(config.out / "world_model.json", {"seeds": found, **options_of(config)})
    save_curves(config.out / "returns.png", [each["history"] for each in found], config.longest)
    print(f"tables and pictures in {config.out}")
    return 0


def keep_options(config: WorldModelConfig) -> None:
    """Write the options into the folder, or refuse a folder that was begun with others."""
    config.out.mkdir(parents=True, exist_ok=True)
    path, options = config.out / "options.json", options_of(config)
    if path.exists():
        known = json.loads(path.read_text())
        if changed := [name for name in options if known.get(name) != options[name]]:
            raise InputError(f"out: {config.out} was begun with another {changed[0]}; name another folder")
    write_json(path, options)


def options_of(config: WorldModelConfig) -> dict[str, Any]:
    """Return the options that all seeds share, as JSON can hold them."""
    options = dataclasses.asdict(config)
    return json.loads(json.dumps({name: options[name] for name in options if name not in ("seed", "seeds", "out")}))


def recorded(config: WorldModelConfig, seed: int, place: Path, learned: Learned | None) -> Episodes:
    """Record and keep the episodes of a round, and their frames; C of the round before acts in half of them."""
    path, key = place / "episodes.npz", rng.stream(rng.root(seed), f"record {place.name}")
    if path.exists():
        with np.load(path) as stored:
            return Episodes(*(stored[name] for name in Episodes._fields))
    announce(f"seed {seed}, {place.name}: {config.episodes} episodes")
    keys = rng.sample_keys(key, config.episodes)
    blank = jnp.zeros((config.episodes, 5))
    episodes = of_carts(record(CartPole(TrueState()), blank, keys, randomness=1.0, steps=config.longest))
    if learned is not None:
        row = Row(learned.world, learned.num_features, learned.world)
        controller = searched(config, seed, place.parent / "round-0" / "controller", row).controller
        num = config.episodes // 2
        ours = jnp.tile(controller, (num, 1))
        acted = of_carts(record(learned.world, ours, keys[-num:], randomness=RANDOMNESS, steps=config.longest))
        episodes = jax.tree.map(lambda one, two: np.concatenate([one[:-num], two]), episodes, acted)
    place.mkdir(parents=True, exist_ok=True)
    states = episodes.states[:, :-1][episodes.there]
    chosen = np.random.default_rng(seed).permutation(len(states))[: config.frames]
    pixels = np.asarray(jax.jit(jax.vmap(frames.draw))(states[chosen]))
    np.savez_compressed(place / "frames.npz", image=np.round(255 * pixels).astype(np.uint8))
    np.savez_compressed(part := place / "episodes.part.npz", **episodes._asdict())
    part.rename(path)  # last, so that a killed process leaves no half
    return episodes


def of_carts(episodes: Episodes) -> Episodes:
    """Return episodes with the states of the carts alone, as arrays of the host."""
    return jax.tree.map(np.asarray, episodes._replace(states=episodes.states.state))


def recipe_of(config: WorldModelConfig, seed: int, place: Path) -> Recipe:
    """Return the options of V."""
    return given(
        preset="vae",
        dataset=str(place / "frames.npz"),
        run_dir=place / "vision",
        likelihood="normal_shared",
        hidden=config.hidden,
        latent_dim=config.latent_dim,
        steps=config.steps,
        learning_rate=3e-3,
        decay="cosine",
        patience=0,
        seed=seed,
        figures=False,
        tensorboard=False,
        devices=1,
        num_processes=1,
    )


def remembering(config: WorldModelConfig, seed: int, place: Path, episodes: Episodes) -> Learned:
    """Return V, and M trained on its codes of the episodes."""
    run = load_run(place / "vision")
    vision = Vision(jax.tree.map(jnp.asarray, run.params), run.model)
    codes = vision.encode_states(episodes.states)
    data = windows(codes, episodes.actions, episodes.there, episodes.ended, min(WIDTH, config.longest))
    network = MixtureDensityLSTM(config.lstm, config.latent_dim, config.components)
    key = rng.stream(rng.root(seed), f"memory {place.name}")
    with counted(f"M of seed {seed}, {place.name}", config.memory_steps) as note:
        training = fit_memory(key, network, data, place / "memory", steps=config.memory_steps, note=note)
    return Learned(vision, Bound(training.params, network), jnp.asarray(codes[:, 0]))


def searched(config: WorldModelConfig, seed: int, folder: Path, row: Row) -> Search:
    """Return the search for a controller, from where it stands."""
    key = rng.stream(rng.root(seed), f"search {folder.name}")
    sizes: dict[str, int] = {name: getattr(config, name) for name in ("generations", "population")}
    options: dict[str, Any] = {**sizes, "episodes": config.trials, "steps": config.longest}
    with counted(f"C of seed {seed}, {folder.name}", config.generations) as note:
        return search(key, row.training, row.num_features, folder, note=note, **options)


def judged(config: WorldModelConfig, seed: int, learned: Learned) -> dict[str, Any]:
    """Return the test returns of all rows of a seed, the history of each search, and the probes."""
    keys = rng.sample_keys(rng.stream(rng.root(seed), "test"), config.tests)
    steps: dict[str, int] = {"steps": config.longest}
    random = record(CartPole(TrueState()), jnp.zeros((config.tests, 5)), keys, randomness=1.0, longest_hold=1, **steps)
    tested: dict[str, Any] = {"random": {"returns": random.there.sum(axis=1).tolist()}}
    history: dict[str, list[float]] = {}
    controllers: dict[str, Array] = {}
    rows = ablations(rng.root(seed), learned, config.temperatures)
    for name, row in rows.items():
        folder = config.out / f"seed-{seed}" / name.replace(",", "").replace(" ", "-")
        end = searched(config, seed, folder, row)
        one, count = end.controller[None], int(end.step)
        tested[name] = {"returns": returns(row.test, one, keys, **steps)[0].tolist(), "generations": count}
        if row.training is not row.test:
            tested[name]["dreamt"] = float(returns(row.training, one, keys, **steps).mean())
        history[name] = end.median[:count].tolist()
        controllers[name] = end.controller
    key, ours, last = rng.root(seed), controllers["z, h"], [*controllers.values()][-1]
    save_film(config.out / f"seed-{seed}" / "film", learned, last, rng.stream(key, "film"), min(FILMED, config.longest))
    keys = rng.sample_keys(rng.stream(key, "probe"), PROBED)
    watched = of_carts(record(learned.world, jnp.tile(ours, (PROBED, 1)), keys, randomness=RANDOMNESS, **steps))
    probes = {name: each.tolist() for name, each in probe(rows, watched).items()}
    change = explained_change(learned.memory, learned.vision.encode_states(watched.states), watched)
    return {"rows": tested, "history": history, "probes": probes, "explained_change": change.tolist()}


def table_of_returns(config: WorldModelConfig, found: Sequence[dict[str, Any]]) -> str:
    """Return the interquartile means over seeds, and their range."""
    rows: dict[str, dict[str, float | None]] = {}
    for name in found[0]["rows"]:
        each = [one["rows"][name] for one in found]
        means = [float(np.mean(one["returns"])) for one in each]
        rows[name] = {
            "iqm": float(trim_mean(means, 0.25)),
            "lowest": min(means),
            "highest": max(means),
            "full": float(np.mean([np.asarray(one["returns"]) >= config.longest for one in each])),
        }
        for column in ("generations", "dreamt"):
            if column in each[0]:
                rows[name][column] = float(trim_mean([one[column] for one in each], 0.25))
    return markdown_table(rows, COLUMNS)


def table_of_probes(found: Sequence[dict[str, Any]]) -> str:
    """Return the interquartile means over seeds of the shares of the state's variances."""
    names = cartpole.QUANTITIES
    means = {
        name: trim_mean(np.array([one["probes"][name] for one in found]), 0.25, axis=0) for name in found[0]["probes"]
    }
    rows: dict[str, dict[str, float | None]] = {name: dict(zip(names, map(float, row))) for name, row in means.items()}
    change = trim_mean([np.mean(one["explained_change"]) for one in found], 0.25)
    table = markdown_table(rows, {name: (f"R2 of {name}", ".2f") for name in names})
    return f"{table}\n\nM predicts {change:.1%} of the variance of a code's changes from one step to the next."


if __name__ == "__main__":
    run_script(main, WorldModelConfig)
