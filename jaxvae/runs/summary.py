"""Final numbers of a run: summary.json, and remarks on them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from jaxvae import hosts
from jaxvae.checkpoint import digest
from jaxvae.data.scaling import mean_log_jacobian
from jaxvae.evaluation import decodes_densities
from jaxvae.options.groups import settled
from jaxvae.options.recipe import Recipe
from jaxvae.report import write_json
from jaxvae.runs import collapse, nonfinite, seeds, token_report
from jaxvae.runs.classes import accuracy
from jaxvae.runs.evaluation import evaluation_batches
from jaxvae.runs.experiment import Experiment
from jaxvae.training import Progress
from jaxvae.training.loop import steps_taken
from jaxvae.training.optimizer import evaluation_params
from jaxvae.types import TrainState

NO_BOUND = "; no bound on log p(x), because this p(x|z) does not integrate to 1"
"""End of the line of a likelihood that is not normalised."""
MOST_SKIPPED = 0.1
"""Share of left-out steps above which a run gets a warning."""


def summarize(
    experiment: Experiment,
    last: TrainState,
    selected: TrainState,
    progress: Progress,
    options: Collection[str] | None = None,
) -> None:
    """Evaluate the reported state on the test split and write summary.json, with several seeds one for each too.

    Every process must call this; the main one writes.

    Args:
        experiment: the run.
        last: the state after the last step.
        selected: the state that the run reports.
        progress: progress of the training.
        options: see `train_run`.
    """
    recipe, data, parts, _, run_dir, checkpoints = experiment
    ones = seeds.members(recipe, selected)
    tests = seeds.evaluate(recipe, parts, selected, data.test)
    if not hosts.is_main():
        return
    summaries, reports, validated = [], [], checkpoints.scores()
    ends, skips = seeds.members(recipe, last), nonfinite.skipped_steps(recipe.train, last)
    for (one, member), test, (_, end), skipped in zip(ones, tests, ends, skips):
        params = evaluation_params(member)
        reports.append(token_report.report(experiment, one, params))
        summaries.append(
            {
                **token_report.numbers(reports[-1]),
                **{f"test_{name}": value for name, value in test.items()},
                **{f"test_{line.name}": line.value for line in accuracy(parts.model, params, data.test)},
                **_in_own_units(data.scaling and mean_log_jacobian(data.scaling, data.test), test),
                "select": recipe.output.select,
                "selected_step": steps_taken(selected),
                "steps": steps_taken(last),
                "examples_per_second": progress.examples_per_second,
                "first_run_at": progress.first_run_at,
                "params_sha256": digest(params),
                **skipped,
            }
        )
        if recipe.train.seeds > 1:
            seeds.save_alone(one, data, [member, end], validated)
            write_json(one.run_dir / "summary.json", summaries[-1])
    summary = {**seeds.together(summaries), **({"classes": list(data.classes)} if data.classes else {})}
    write_json(run_dir / "summary.json", summary)
    first = next(evaluation_batches(data.test, batch_size=1))
    is_density = decodes_densities(evaluation_params(ones[0][1]), first.x, model=parts.model, condition=first.condition)
    headline = _headline(recipe.train.seeds, summary) + ("" if is_density else NO_BOUND)
    for line in [headline, *_remarks(recipe, summary, validated)]:
        experiment.say(line)
    for (one, _), report in zip(ones, reports):
        for line in token_report.shown(one, report):
            experiment.say(line)
    if warning := collapse.warning(recipe, summaries, options):
        experiment.say(warning)


def _in_own_units(log_jacobian: float | None, test: dict[str, Any]) -> dict[str, float]:
    """Return the bound as a density of the stored values, where they were scaled."""
    if log_jacobian is None:
        return {}
    own = {
        f"test_{name}_in_own_units": test[name] + log_jacobian for name in ("elbo", "log_likelihood") if name in test
    }
    return {"log_jacobian": log_jacobian, **own}


def _headline(num_seeds: int, summary: dict[str, Any]) -> str:
    if "test_elbo" not in summary:
        value = summary["test_log_likelihood"]
        return f"test log-likelihood {value:.2f} nats per example; of a code that is a point there is no ELBO"
    if num_seeds > 1:
        return f"test ELBO {summary['test_elbo']:.2f}, over {num_seeds} seeds ± {summary['test_elbo_std']:.2f} nats"
    error = f" ± {summary['test_elbo_standard_error']:.2f}" if summary["test_num_examples"] > 1 else ""
    return f"test ELBO {summary['test_elbo']:.2f}{error} nats per example"


def _remarks(recipe: Recipe, summary: dict[str, Any], scores: dict[int, float]) -> Iterator[str]:
    """Return lines on the units of the bound, on the step that is reported, and on an early end."""
    name = "elbo" if "test_elbo" in summary else "log_likelihood"
    if "log_jacobian" in summary:
        yield (
            f"values were scaled ({recipe.data.scale}): in the data's own units "
            f"{summary[f'test_{name}_in_own_units']:.2f} nats, "
            f"which counts {summary['log_jacobian']:+.2f} for the scale"
        )
    if "test_accuracy" in summary:
        yield f"classes of test examples told by q(y|x): {summary['test_accuracy']:.2%}"
    step, last = summary["selected_step"], summary["steps"]
    if step < last and {step, last} <= scores.keys():
        yield (
            f"reported is step {step}, the best on validation data ({scores[step]:.2f}); step {last}, the last, has "
            f"{scores[last]:.2f} (--select last)"
        )
    if (skipped := summary.get("skipped_steps", 0)) > MOST_SKIPPED * last:
        yield f"{skipped:.0f} of {last} steps were not finite and left out: lower --learning-rate, or give --clip-norm"
    if last < recipe.train.steps and recipe.output.patience:
        yield (
            f"stopped early: no better in {settled(recipe.output.patience)} evaluations, one every "
            f"{recipe.output.checkpoint_every} steps (--patience 0 goes on)"
        )
