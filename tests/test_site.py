"""Pages have their place in the navigation, links lead to headings that there are, deployments name real options."""

import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest

import jaxvae
from jaxvae.options import Recipe
from jaxvae.runs.command_line import parse

PROJECT = Path(__file__).resolve().parent.parent
DOCS, DEPLOY = PROJECT / "docs", PROJECT / "deploy"
PAGES = [*PROJECT.glob("*.md"), *DOCS.glob("*.md"), *DOCS.glob("notebooks/*.md")]
NAVIGATION = (DOCS / "site" / "navigation.md").read_text()


def anchors(page):
    """The anchors of a page's headings, as GitHub and the site make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings(page):
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)", page.read_text()):
        there = page.parent / target if target else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), f"{target}#{anchor}"


def test_every_page_is_in_the_navigation():
    named = re.findall(r"^(?:[^<\n]*<)?([\w/]+)>?$", NAVIGATION, re.MULTILINE)
    pages = {page.relative_to(PROJECT).with_suffix("").as_posix() for page in PAGES}
    modules = {name for name in named if name.startswith("docs/api/")}
    assert {*named} - modules == pages - {"README"}
    for name in modules:
        module = PROJECT / "jaxvae" / Path(name).name
        assert module.is_dir() or module.with_suffix(".py").exists(), name


def test_one_version_is_told_everywhere():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert project["version"] == jaxvae.__version__
    citation = dict(re.findall(r"^([\w-]+): (\S+)$", (PROJECT / "CITATION.cff").read_text(), re.MULTILINE))
    assert citation["version"] == jaxvae.__version__
    newest = re.search(r"^## (\d\S*) \((\S+)\)$", (PROJECT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest.groups() == (jaxvae.__version__, citation["date-released"])


def test_the_pods_options_are_real():
    options = re.findall(r"^ +- (--\S+)$", (DEPLOY / "kubernetes.yaml").read_text(), re.MULTILINE)
    recipe = parse(Recipe, [option.replace("$(PROCESS_ID)", "1") for option in options])
    assert (recipe.compute.process_id, recipe.compute.num_processes) == (1, 2)


def test_the_jobs_options_are_real():
    script = DEPLOY / "slurm.sbatch"
    subprocess.run(["bash", "-n", script], check=True)
    (example,) = re.findall(r"^# sbatch deploy/slurm.sbatch (.*)$", script.read_text(), re.MULTILINE)
    assert example in (DOCS / "cluster.md").read_text()
    assert parse(Recipe, shlex.split(example)).preset == "conv_vae"


def test_the_image_has_extras_that_there_are():
    extras = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for names in re.findall(r"EXTRAS=(\S+)", (DEPLOY / "Dockerfile").read_text()):
        assert {*names.split(",")} <= {*extras}
