"""Balance a pole, or play a game, inside a learned world: `python experiments/world_model.py`.

V, a VAE, sees frames of CartPole, or of a game of MinAtar; M, a recurrent network, predicts the next code; C, a linear
controller, evolves on what both say (Ha & Schmidhuber 2018, https://arxiv.org/abs/1803.10122). One frame of CartPole
shows no velocities, so that a controller of codes alone has to fail. The table has what C reaches on each of several
views, on the memory of an untrained M among them, and inside M's own dream. A second call goes on where the first
ended.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from figures.world_model import save_curves, save_film, table_of_probes, table_of_returns
from jaxvae import rng
from jaxvae.arguments import look_up
from jaxvae.control.ablations import Learned, Row, ablations
from jaxvae.control.memory import fit_memory, windows
from jaxvae.control.probes import explained_change, probe
from jaxvae.control.recordings import joined, load_episodes, save_episodes
from jaxvae.control.rollouts import Episodes, num_parameters, record, returns
from jaxvae.control.search import Search, search
from jaxvae.control.settings import WORLDS, Setting
from jaxvae.control.views import TrueState
from jaxvae.control.vision import Vision
from jaxvae.control.worlds import Viewed
from jaxvae.errors import InputError
from jaxvae.nets import Bound, MixtureDensityLSTM
from jaxvae.options import Compute, Recipe, given
from jaxvae.options.checks import check_at_least, check_folder, check_seed
from jaxvae.report import write_json
from jaxvae.runs import load_run
from jaxvae.runs.command_line import run_script
from jaxvae.runs.compute import set_up
from jaxvae.runs.many import train_all
from jaxvae.runs.progress import announce, counted
from jaxvae.types import Array, Key

ROUNDS = 2
"""Rounds of recording, V and M: the first sees what random actions lead to, the second what the first's C does."""
RANDOMNESS = 0.2
"""Share of random actions in episodes of a controller that are recorded."""
PROBED, FILMED = 40, 120
"""Episodes of the probes, and steps of the film."""


@dataclasses.dataclass(frozen=True)
class WorldModelConfig:
    """Learn to see, to remember and to act in a world, and take each of these away (Ha & Schmidhuber 2018)."""

    world: str = "cartpole"
    """World: cartpole, or breakout, a game of MinAtar."""
    episodes: int = 400
    """Number of episodes that are recorded in each round."""
    frames: int = 10000
    """Greatest number of their frames that V is trained on."""
    steps: int = 1500
    """Number of training steps of V."""
    hidden: tuple[int, ...] = (128,)
    """Widths of V's dense hidden layers."""
    latent_dim: int | None = None
    """Number of dimensions of its z; 8 for CartPole and 16 for a game if not given."""
    memory_steps: int = 3000
    """Number of training steps of M."""
    lstm: int = 32
    """Width of M's LSTM, the number of dimensions of h."""
    components: int = 5
    """Number of normals in M's mixture for each dimension of z."""
    generations: int = 40
    """Greatest number of generations of C; fewer where half of one reaches the greatest return of CartPole."""
    population: int = 32
    """Number of controllers in a generation."""
    trials: int = 8
    """Number of episodes of each of them."""
    temperatures: tuple[float, ...] = (0.1, 1.0, 1.5)
    """Temperatures of the dreams."""
    tests: int = 100
    """Number of new episodes by which a controller is judged."""
    longest: int | None = None
    """Greatest number of steps of an episode; 500 for CartPole and 200 for a game if not given."""
    seeds: int = 5
    """Number of repetitions, each with its own V, M and C."""
    seed: int = 0
    """First seed."""
    out: Path | None = None
    """Folder for runs, checkpoints, table and pictures; runs/world_model-WORLD if not given."""

    def check(self) -> None:
        """Refuse values that are invalid."""
        int(look_up(WORLDS, "world", self.world).environment.num_actions)  # where a game looks for its package
        for name in ("frames", "steps", "latent_dim", "memory_steps", "lstm", "components", "generations", "trials"):
            check_at_least(1, name, getattr(self, name))
        for name, least in {"episodes": 20, "population": 4, "tests": 2, "longest": 2, "seeds": 1}.items():
            check_at_least(least, name, getattr(self, name))
        for temperature in self.temperatures:
            check_at_least(0.01, "temperatures", temperature)
        check_seed("seed", self.seed, self.seeds)
        check_folder("out", self.folder)

    @property
    def setting(self) -> Setting:
        """The world, with what was given in place of its own."""
        row = WORLDS[self.world]
        given = {name: getattr(self, name) or getattr(row, name) for name in ("longest", "latent_dim")}
        return row._replace(**given)

    @property
    def folder(self) -> Path:
        """Folder for all output."""
        return self.out or Path("runs") / f"world_model-{self.world}"


def main(config: WorldModelConfig) -> int:
    """Train all seeds, judge their controllers, and write the tables and pictures."""
    set_up(Compute(num_processes=1))
    keep_options(config)
    found: list[dict[str, Any]] = []
    for seed in range(config.seed, config.seed + config.seeds):
        learned = None
        for number in range(ROUNDS):
            place = config.folder / f"seed-{seed}" / f"round-{number}"
            episodes = recorded(config, seed, place, learned)
            runs = {f"V of seed {seed}, {place.name}": recipe_of(config, seed, place)}
            if exit_code := train_all(runs, WorldModelConfig):
                return exit_code
            learned = remembering(config, seed, place, episodes)
        assert learned is not None
        found.append(judged(config, seed, learned))
    quantities = config.setting.environment.quantities
    tables = [table_of_returns(config.setting, found), table_of_probes(quantities, found)]
    print(*tables, sep="\n\n")
    (config.folder / "world_model.md").write_text("\n\n".join(tables) + "\n")
    write_json(config.folder / "world_model.json", {"seeds": found, **options_of(config)})
    save_curves(config.folder / "returns.png", [each["history"] for each in found])
    print(f"tables and pictures in {config.folder}")
    return 0


def keep_options(config: WorldModelConfig) -> None:
    """Write the options into the folder, or refuse a folder that was begun with others."""
    config.folder.mkdir(parents=True, exist_ok=True)
    path, options = config.folder / "options.json", options_of(config)
    if path.exists():
        known = json.loads(path.read_text())
        if changed := [name for name in options if known.get(name) != options[name]]:
            raise InputError(f"out: {config.folder} was begun with another {changed[0]}; name another folder")
    write_json(path, options)


def options_of(config: WorldModelConfig) -> dict[str, Any]:
    """Return the options that all seeds share, as JSON can hold them."""
    setting = config.setting
    options = {**dataclasses.asdict(config), "longest": setting.longest, "latent_dim": setting.latent_dim}
    return json.loads(json.dumps({name: options[name] for name in options if name not in ("seed", "seeds", "out")}))


def recorded(config: WorldModelConfig, seed: int, place: Path, learned: Learned | None) -> Episodes:
    """Record and keep the episodes of a round, and their frames; C of the round before acts in half of them."""
    path, key = place / "episodes.npz", rng.stream(rng.root(seed), f"record {place.name}")
    environment, num = config.setting.environment, config.episodes
    if path.exists():
        return load_episodes(path, environment)
    announce(f"seed {seed}, {place.name}: {num} episodes")
    keys = rng.sample_keys(key, num)
    episodes = at_random(config, keys)
    if learned is not None:
        row = Row(learned.world, learned.num_features, learned.world)
        controller = searched(config, seed, place.parent / "round-0" / "controller", row).controller
        acted = watched(config, learned.world, jnp.tile(controller, (num // 2, 1)), keys[num - num // 2 :])
        episodes = joined(jax.tree.map(lambda each: each[: num - num // 2], episodes), acted)
    place.mkdir(parents=True, exist_ok=True)
    states = jax.tree.map(lambda each: each[:, :-1][episodes.there], episodes.states)
    chosen = np.random.default_rng(seed).permutation(int(episodes.there.sum()))[: config.frames]
    states = jax.tree.map(lambda each: each[chosen], states)
    pixels = np.asarray(jax.jit(jax.vmap(environment.frame))(states))
    np.savez_compressed(place / "frames.npz", image=np.round(255 * pixels).astype(np.uint8))
    save_episodes(path, episodes)  # last, so that a killed process records again
    return episodes


def at_random(config: WorldModelConfig, keys: Key, **options: Any) -> Episodes:
    """Return episodes of random actions."""
    environment = config.setting.environment
    world = Viewed(environment, TrueState())
    blank = jnp.zeros((len(keys), num_parameters(world, len(environment.quantities))))
    return watched(config, world, blank, keys, randomness=1.0, **options)


def watched(config: WorldModelConfig, world: Viewed, controllers: Array, keys: Key, **options: Any) -> Episodes:
    """Return episodes with the states of the environment alone, as arrays of the host."""
    options = {"randomness": RANDOMNESS, "steps": config.setting.longest, **options}
    episodes = record(world, controllers, keys, **options)
    return jax.tree.map(np.asarray, episodes._replace(states=episodes.states.state))


def recipe_of(config: WorldModelConfig, seed: int, place: Path) -> Recipe:
    """Return the options of V."""
    return given(
        preset="vae",
        dataset=str(place / "frames.npz"),
        run_dir=place / "vision",
        likelihood=config.setting.likelihood,
        hidden=config.hidden,
        latent_dim=config.setting.latent_dim,
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
    setting, environment = config.setting, config.setting.environment
    codes = vision.encode_states(environment, episodes.states)
    data = windows(codes, episodes, min(setting.window, setting.longest))
    network = MixtureDensityLSTM(
        config.lstm,
        setting.latent_dim,
        config.components,
        num_actions=environment.num_actions,
        predicts_reward=not setting.survival,
    )
    key = rng.stream(rng.root(seed), f"memory {place.name}")
    with counted(f"M of seed {seed}, {place.name}", config.memory_steps) as note:
        training = fit_memory(key, network, data, place / "memory", steps=config.memory_steps, note=note)
    return Learned(environment, vision, Bound(training.params, network), jnp.asarray(codes[:, 0]))


def searched(config: WorldModelConfig, seed: int, folder: Path, row: Row) -> Search:
    """Return the search for a controller, from where it stands."""
    key = rng.stream(rng.root(seed), f"search {folder.name}")
    sizes: dict[str, int] = {name: getattr(config, name) for name in ("generations", "population")}
    setting = config.setting
    options: dict[str, Any] = {**sizes, "episodes": config.trials, "steps": setting.longest, "enough": setting.enough}
    with counted(f"C of seed {seed}, {folder.name}", config.generations) as note:
        return search(key, row.training, row.num_features, folder, note=note, **options)


def judged(config: WorldModelConfig, seed: int, learned: Learned) -> dict[str, Any]:
    """Return the test returns of all rows of a seed, the history of each search, and the probes."""
    keys = rng.sample_keys(rng.stream(rng.root(seed), "test"), config.tests)
    steps = config.setting.longest
    random = at_random(config, keys, longest_hold=1)
    tested: dict[str, Any] = {"random": {"returns": random.rewards.sum(axis=1).tolist()}}
    history: dict[str, list[float]] = {}
    controllers: dict[str, Array] = {}
    rows = ablations(rng.root(seed), learned, config.temperatures)
    for name, row in rows.items():
        folder = config.folder / f"seed-{seed}" / name.replace(",", "").replace(" ", "-")
        end = searched(config, seed, folder, row)
        one, count = end.controller[None], int(end.step)
        tested[name] = {"returns": returns(row.test, one, keys, steps=steps)[0].tolist(), "generations": count}
        if row.training is not row.test:
            tested[name]["dreamt"] = float(returns(row.training, one, keys, steps=steps).mean())
        history[name] = end.median[:count].tolist()
        controllers[name] = end.controller
    key, ours = rng.root(seed), controllers["z, h"]
    # Of those that see z and h, the best, and of equals the last, which has learned in the dream.
    *_, filmed = sorted([*rows][[*rows].index("z, h") :], key=lambda name: np.mean(tested[name]["returns"]))
    film = config.folder / f"seed-{seed}" / "film"
    save_film(film, learned, controllers[filmed], rng.stream(key, "film"), min(FILMED, steps))
    keys = rng.sample_keys(rng.stream(key, "probe"), PROBED)
    episodes = watched(config, learned.world, jnp.tile(ours, (PROBED, 1)), keys)
    probes = {name: each.tolist() for name, each in probe(rows, episodes).items()}
    codes = learned.vision.encode_states(learned.environment, episodes.states)
    change = explained_change(learned.memory, codes, episodes)
    return {"rows": tested, "history": history, "probes": probes, "explained_change": change.tolist()}


if __name__ == "__main__":
    run_script(main, WorldModelConfig)
