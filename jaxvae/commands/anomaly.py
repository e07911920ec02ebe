"""Score examples by how little they are like the training data, beside simpler detectors."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Literal

import numpy as np

from jaxvae.commands.anomaly_data import Asked, anomalies, asked, beside, first_of
from jaxvae.data import Dataset
from jaxvae.data.rows import gather
from jaxvae.data.spaces.shown import Curves
from jaxvae.errors import InputError
from jaxvae.evaluation import in_blocks
from jaxvae.evaluation.anomalies import ELBO, LOG_PX, RECONSTRUCTION
from jaxvae.judges.outliers import detection
from jaxvae.options import Compute
from jaxvae.options.checks import check, check_at_least, check_folder
from jaxvae.options.groups import Select
from jaxvae.report import write_json
from jaxvae.report.anomalies import histogram, over_time, with_maps
from jaxvae.report.columns import save_columns
from jaxvae.report.figures import save_figure
from jaxvae.report.tables import markdown_table
from jaxvae.runs import Run, load_run
from jaxvae.runs.anomalies import REGRET, Scored, baseline_scores, score_anomalies
from jaxvae.runs.compute import set_up
from jaxvae.runs.data import load_data, used
from jaxvae.runs.progress import announce, say

SplitName = Literal["train", "validation", "test"]
ScoreName = Literal[
    "negative_elbo", "reconstruction", "negative_log_px", "regret", "complexity_corrected", "last_point"
]
COLUMNS = {"auroc": ("AUROC", ".3f"), "average_precision": ("average precision", ".3f")}


@dataclasses.dataclass(frozen=True)
class AnomalyConfig:
    """Score examples by how little they are like the training data; write a ranked table, scores and figures."""

    run_dir: Path
    """Run directory of a training."""
    dataset: str | None = None
    """Data set to score: name, or path of a file or folder; the test split of the run's own if not given."""
    split: tuple[SplitName, ...] | None = None
    """Splits of --dataset to score; all if not given."""
    others: str | None = None
    """Data set whose test examples are all anomalies, scored beside the run's test split, which is normal then."""
    first: int | None = None
    """Number of examples of each set to score, the first; all if not given."""
    normal: tuple[str, ...] = ()
    """Classes that are normal, by name or number; all others are anomalies. If not given those of the run's --only,
    else an attribute anomaly or is_anomaly tells the anomalies."""
    score: ScoreName | None = None
    """Score of threshold, ranking and figures; last_point for windows of a series, else negative_elbo, if not given."""
    quantile: float = 0.95
    """Share of the validation examples that lie below the threshold."""
    num_samples: int = 50
    """Number of samples of z per example."""
    regret_steps: int = 0
    """Steps of the likelihood regret, such as 30, which takes the longest; 0 leaves it out."""
    impute_steps: int = 10
    """Steps of the Markov chain by which missing values of a series are filled before it is scored; 0 leaves zeros."""
    num: int = 10
    """Number of the most and of the least anomalous examples in the figure."""
    out: Path | None = None
    """Folder for table, scores and figures; anomalies in the run directory if not given."""
    select: Select | None = None
    """Checkpoint to use: best on validation data, or last; the one that the run reports if not given."""
    data_dir: Path | None = None
    """Folder in which tensorflow-datasets keeps its sets, if it has changed since training."""
    trained_on: str | None = None
    """Path of the run's own data set, if it has changed since training."""

    def check(self) -> None:
        """Refuse values that are invalid for every run."""
        for name in ("num_samples", "num"):
            check_at_least(1, name, getattr(self, name))
        for name in ("regret_steps", "impute_steps"):
            check_at_least(0, name, getattr(self, name))
        check(0 < self.quantile < 1, "quantile", self.quantile, "a share, between 0 and 1")
        check_folder("out", self.out)
        check_at_least(1, "first", self.first)
        if self.others is not None and (self.dataset is not None or self.normal):
            raise InputError("others: are all anomalies, beside the run's test split; leave out --dataset and --normal")
        if self.split is not None and self.dataset is None:
            raise InputError("split: is for --dataset; of the run's own set the test split is scored")
        if self.score == REGRET and not self.regret_steps:
            raise InputError("score: regret is left out; give --regret-steps too, such as 30")

    @property
    def folder(self) -> Path:
        """Folder for all output."""
        return self.out or self.run_dir / "anomalies"


def main(config: AnomalyConfig) -> int:
    """Load the run, score the examples and, where anomalies are known, all scores; write what was found."""
    set_up(Compute(num_processes=1))
    run = load_run(config.run_dir, select=config.select)
    data = load_data(run, config.data_dir, config.trained_on)
    if config.others is not None:
        found = beside(run, data, config.others, config.data_dir, config.first)
    else:
        found = first_of(asked(run, data, config.dataset, config.split, config.data_dir), config.first)
    anomalous = anomalies(found, config.normal or (() if config.others else run.recipe.data.only))

    options: dict[str, Any] = {name: getattr(config, name) for name in ("num_samples", "regret_steps", "impute_steps")}
    scored = _with_last_point(score_anomalies(run, found.split, **options), found)
    score = _chosen(config.score, scored, found)
    validated = None
    if data.validation is not None:
        validated = _with_last_point(score_anomalies(run, data.validation, **options, name="validation"), found)
    threshold = None if validated is None else float(np.quantile(validated.scores[score], config.quantile))
    announce("baselines")
    baselines = baseline_scores(run, used(run, data).train, found.split, seed=run.recipe.train.seed)

    every = {**scored.scores, **baselines}
    rows: dict[str, dict[str, float | None]] = {}
    if anomalous is not None:
        rows = {name: {**detection(values, anomalous)} for name, values in every.items()}
        share = f"{anomalous.sum():,} of {len(anomalous):,} examples are anomalies"
        print(f"{share}: a random score has area 0.5, precision {anomalous.mean():.3f}\n")
        print(f"{markdown_table(rows, COLUMNS)}\n")
    summary = _summary(config, scored.scores[score], score, threshold, anomalous)
    config.folder.mkdir(parents=True, exist_ok=True)
    write_json(config.folder / "anomalies.json", {"rows": rows, **summary})
    _write(config, run, found, scored, every, score, anomalous)
    groups = {} if validated is None else {"validation": validated.scores[score]}
    _draw(config, run, data, found, scored, score, anomalous, threshold, groups)
    print(_told(summary, len(scored.scores[score])))
    say(f"ranked table, scores and figures in {config.folder}")
    return 0


def _with_last_point(scored: Scored, found: Asked) -> Scored:
    """Add the score of each window's last point alone, where examples are windows of a series."""
    if found.time is None or scored.by_value is None:
        return scored
    last = scored.by_value[:, -1].reshape(len(scored.by_value), -1).sum(axis=1)
    return scored._replace(scores={**scored.scores, "last_point": last.astype(np.float64)})


def _chosen(asked_for: str | None, scored: Scored, found: Asked) -> str:
    """Return the name of the score that ranks."""
    order = ("last_point", ELBO, RECONSTRUCTION) if found.time is not None else (ELBO, LOG_PX, RECONSTRUCTION)
    score = asked_for or next(name for name in order if name in scored.scores)
    if score not in scored.scores:
        raise InputError(f"score: this run has no {score}; choose one of {', '.join(scored.scores)}")
    return score


def _summary(
    config: AnomalyConfig, scores: np.ndarray, score: str, threshold: float | None, anomalous: np.ndarray | None
) -> dict[str, Any]:
    """Return the threshold and what lies above it."""
    summary: dict[str, Any] = {"score": score, "quantile": config.quantile, "threshold": threshold}
    if threshold is None:
        return summary
    flagged = scores > threshold
    summary["flagged"] = int(flagged.sum())
    if anomalous is not None:
        summary["found"] = float(flagged[anomalous].mean())
        summary["false_alarms"] = float(flagged[~anomalous].mean())
    return summary


def _told(summary: dict[str, Any], num: int) -> str:
    if summary["threshold"] is None:
        return "no threshold: the run's data have no validation split"
    share = f"{summary['quantile']:.0%} of the validation examples lie below"
    line = f"{summary['score']} above {summary['threshold']:.2f} ({share}): {summary['flagged']:,} of {num:,} examples"
    if "found" in summary:
        line += f", {summary['found']:.1%} of the anomalies and {summary['false_alarms']:.1%} of the others"
    return line


def _write(
    config: AnomalyConfig,
    run: Run,
    found: Asked,
    scored: Scored,
    every: dict[str, np.ndarray],
    score: str,
    anomalous: np.ndarray | None,
) -> None:
    """Write the scores, and the table in the order of one of them."""
    told = {} if anomalous is None else {"anomalous": anomalous}
    if double := [name for name in found.about if name in {*every, *told, "rank", "value"}]:
        raise InputError(f"dataset: its attribute {double[0]!r} has the name of another column; rename it")
    columns = {**found.about, **told, **every}
    maps = {} if scored.by_value is None else {"by_value": scored.by_value}
    save_columns(config.folder / "scores.npz", {**columns, **maps})
    order = np.argsort(-every[score], kind="stable")
    ranked = {name: values[order] for name, values in columns.items()}
    if scored.by_value is not None:
        ranked["value"] = _worst(run, scored.by_value[order])
    save_columns(config.folder / "ranked.csv", {"rank": np.arange(1, len(order) + 1), **ranked})


def _worst(run: Run, by_value: np.ndarray) -> np.ndarray:
    """Return the value of each example with the highest score: the name of a column, or a place."""
    places = by_value.reshape(len(by_value), -1).argmax(axis=1)
    if names := run.facts.get("names", {}).get("columns"):
        return np.array(names)[places]
    indices = np.stack(np.unravel_index(places, by_value.shape[1:]), axis=1)
    return np.array([" ".join(map(str, index)) for index in indices.tolist()])


def _draw(
    config: AnomalyConfig,
    run: Run,
    data: Dataset,
    found: Asked,
    scored: Scored,
    score: str,
    anomalous: np.ndarray | None,
    threshold: float | None,
    groups: dict[str, np.ndarray],
) -> None:
    """Draw the histogram, the most and the least anomalous examples and, of a series, the score over time."""
    values = scored.scores[score]
    parts = (
        {"scored": np.ones(len(values), bool)} if anomalous is None else {"normal": ~anomalous, "anomalous": anomalous}
    )
    groups = {**groups, **{name: values[part] for name, part in parts.items()}}
    save_figure(histogram(groups, score=score, threshold=threshold), config.folder / "histogram.png")
    order = np.argsort(-values, kind="stable")
    num = min(config.num, len(order) // 2)
    if found.time is not None:
        shown = data.show(gather(found.split.x, slice(None)))
        assert isinstance(shown, Curves)
        series = shown.values[:, -1]
        options: dict[str, Any] = {"score": score, "anomalous": anomalous, "threshold": threshold}
        save_figure(over_time(found.time, series, values, **options), config.folder / "series.png")
    if not num:
        return
    ids = np.concatenate([order[:num], order[-num:]])
    some = found.split.take(ids)
    x, condition = some.read(gather(some.x, slice(None)), some.condition)
    decoded = in_blocks(lambda *given: run.model.reconstruct(run.params, *given), x, condition)
    maps = None if scored.by_value is None else scored.by_value[ids]
    title = f"the {num} most and the {num} least anomalous of {len(order):,} examples, by {score}"
    figure = with_maps(data.show(x), data.show(decoded), maps, title=title)
    if figure is not None:
        save_figure(figure, config.folder / "examples.png")
