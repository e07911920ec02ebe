"""Site of README, docs/ and the docstrings, by `sphinx-build -W -c docs/site . build/site`."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils.nodes import SkipNode
from latex2mathml.converter import convert

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))  # whose docstrings are read

project, copyright = "jaxvae", "2026, the jaxvae authors"
version = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
html_title = f"jaxvae {version}"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
root_doc = "README"
include_patterns = ["*.md", "docs/*.md", "docs/notebooks/*.md", "docs/api/*.md"]
html_theme, html_static_path, html_css_files = "furo", ["static"], ["site.css"]
html_copy_source = html_show_sphinx = False
html_math_renderer = "mathml"

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
myst_links_external_new_tab = False

highlight_language = "none"  # formulas of docstrings are no programs
default_role = "code"  # docstrings write names between single backticks
napoleon_numpy_docstring = False
napoleon_use_ivar = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_default_options = {"members": True}
suppress_warnings = ["myst.header"]  # measurements stand two levels below a title

NAVIGATION = (Path(__file__).with_name("navigation.md")).read_text(encoding="utf-8")
API = PROJECT / "docs" / "api"
LINK = re.compile(r"\[([^\[\]]*)\]\(([^()#\s:]+)\)")
SECTION = re.compile(r"(Args|Returns|Yields|Raises|Attributes|Examples?):$")
OUTSIDE_CODE = re.compile(r"(`[^`]*`)|\|")


def setup(app: Any) -> None:
    """Connect what Sphinx does besides."""
    app.connect("config-inited", write_api)
    app.connect("source-read", read_page)
    app.connect("autodoc-process-docstring", as_plain_text, priority=1)  # before napoleon
    app.connect("build-finished", add_index)
    app.add_html_math_renderer("mathml", (inline_formula, None), (formula, None))


def write_api(app: Any, config: Any) -> None:
    """Write a page for each entry docs/api/NAME of the navigation."""
    API.mkdir(exist_ok=True)
    for name in re.findall(r"docs/api/(\w+)", NAVIGATION):
        page = "\n".join(api_page(name))
        if not (path := API / f"{name}.md").exists() or path.read_text() != page:
            path.write_text(page)


def api_page(name: str) -> Iterator[str]:
    """Yield a page: what a module says of itself, and the names that a package exports, or those of the module."""
    path = PROJECT / "jaxvae" / name
    tree = ast.parse((path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text(encoding="utf-8"))
    exported = [
        (node.module, alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    ]
    yield f"# {name}\n\n```{{eval-rst}}\n.. automodule:: jaxvae.{name}\n   :{'no-' * bool(exported)}members:\n"
    for module, public in exported:
        yield entry(f"jaxvae.{name}", str(module), public)
    yield "```\n"


def entry(package: str, module: str, name: str) -> str:
    """Return the directive for a name, under the package from which its users import it."""
    thing = getattr(importlib.import_module(package), name)
    if inspect.isclass(thing) or callable(thing):
        return f".. auto{'class' if inspect.isclass(thing) else 'function'}:: {package}.{name}"
    return f".. autodata:: {module}.{name}\n   :no-value:"  # whose docstring is there alone


def read_page(app: Any, page: str, source: list[str]) -> None:
    """Add the navigation to the first page, and leave links to folders out."""
    folder = (PROJECT / page).parent

    def without_folder(link: re.Match[str]) -> str:
        return link[1] if (folder / link[2]).is_dir() else link[0]

    source[0] = LINK.sub(without_folder, source[0]) + (NAVIGATION if page == root_doc else "")


def as_plain_text(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Keep what reStructuredText takes for marks of its own: an indented formula's lines, and the bar of p(x|z)."""
    end = next((number for number, line in enumerate(lines) if SECTION.match(line)), len(lines))
    result: list[str] = []
    for number, line in enumerate(lines):
        in_formula = number < end and line.startswith("    ")
        if in_formula and not lines[number - 1].strip():
            result += ["::", ""]
        is_literal = in_formula or line.lstrip().startswith(">>>")
        result.append(line if is_literal else OUTSIDE_CODE.sub(lambda found: found[1] or r"\|", line))
    lines[:] = result


def add_index(app: Any, error: Exception | None) -> None:
    """Give the first page the name that web servers look for."""
    if error is None and app.builder.format == "html":
        shutil.copy(Path(app.outdir) / "README.html", Path(app.outdir) / "index.html")


def inline_formula(writer: Any, node: Any) -> None:
    """Write MathML, which browsers draw without a program."""
    writer.body.append(mathml(node))
    raise SkipNode


def formula(writer: Any, node: Any) -> None:
    """Write MathML on a line of its own."""
    writer.body.append(f'<div class="math">{mathml(node, display="block")}</div>')
    raise SkipNode


def mathml(node: Any, display: str = "inline") -> str:
    """Return a formula as MathML, with the space behind a logarithm that the converter leaves out."""
    return convert(re.sub(r"\\log(?![a-z])", r"\\log\\,", node.astext()), display=display)
