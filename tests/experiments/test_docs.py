"""What README and docs/ tell people to type, see and run is true."""

import contextlib
import re
import shlex
from pathlib import Path

import pytest

from jaxvae.errors import InputError
from jaxvae.runs.command_line import parse

PROJECT = Path(__file__).resolve().parents[2]
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
NOTEBOOKS = sorted((PROJECT / "docs" / "notebooks").glob("*.md"))  # which are run elsewhere
COMMAND = re.compile(
    r"(?:python experiments/|python -m jaxvae\.|(?<!\S)jaxvae )([a-z_]+)(?:\.py)?(?= |$)([^#\"\n]*)", re.M
)
COMMANDS = {
    (script, options.strip())
    for page in PAGES
    for block in re.findall(r"```bash\n(.*?)```", page.read_text(), re.DOTALL)
    for script, options in COMMAND.findall(block.replace("\\\n", " "))
}


@pytest.mark.parametrize(("script", "options"), sorted(COMMANDS), ids=lambda text: text[:60])
def test_commands_name_real_options(scripts, script, options, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = (PROJECT / "experiments" / f"{script}.py").read_text()
    config_type = re.search(r"run_script\(main, (\w+)\)", source).group(1)
    if "--config" in options:
        Path("recipe.toml").touch()
    with contextlib.suppress(SystemExit):  # of --help and --save-config
        parse(getattr(scripts[script], config_type), shlex.split(options))


@pytest.mark.parametrize("page", [*PAGES, *NOTEBOOKS], ids=lambda page: page.name)
def test_pictures_and_links_lead_somewhere(page):
    text = page.read_text()
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        assert target.startswith("https://") or (page.parent / target).exists(), target
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", text):
        assert (page.parent / picture).stat().st_size < 150_000, f"{picture} is large"


@pytest.mark.quick_rows("own_data.md", "kl.md")
@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: page.name)  # README's is run, and learns, elsewhere
def test_examples_print_what_stands_below_them(page, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write runs
    scope = {}
    for code, output in re.findall(r"```python\n(.*?)```(?:\n+```text\n(.*?)```)?", page.read_text(), re.DOTALL):
        exec(short(code), scope)
        assert capsys.readouterr().out == output


def short(code):
    """Take fewer steps where no output depends on them."""
    return code.replace("steps=1000", "steps=20").replace('"steps": 1000', '"steps": 100')


def test_a_command_that_is_not_true_would_be_seen(scripts):
    with pytest.raises(InputError, match="latent-dims"):
        parse(scripts["train"].Recipe, ["--latent-dims", "2"])
