"""Which module may import which, and that importing jaxvae is cheap: no array, no heavy package, no time."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import jaxvae

PACKAGE = Path(jaxvae.__file__).parent
TYPES = {"errors", "types", "arguments", "packages"}
NETS = TYPES | {"rng", "distributions", "facts"}
PIECES = NETS | {"nets"}
MODEL = PIECES | {"pieces", "posteriors", "priors", "likelihoods"}
OBJECTIVE = MODEL | {"model", "assemble"}
TOP = OBJECTIVE | {"objectives"}
ALONE = TYPES | {"rng", "hosts", "disk"}

LAYERS = {  # name -> what it may import of jaxvae, besides itself
    "errors": set(),
    "packages": {"errors"},
    "disk": set(),
    "stores": {"disk", "errors", "packages"},
    "music": TYPES,
    "types": {"errors"},
    "arguments": {"errors", "types"},
    "rng": TYPES,
    "hosts": TYPES,
    "distributions": ALONE,
    "facts": {"types"},
    "nets": NETS,
    "features": NETS | {"nets"},
    "pieces": PIECES,
    "posteriors": PIECES,
    "priors": PIECES | {"posteriors", "pieces"},
    "likelihoods": PIECES | {"features", "pieces"},
    "extras": PIECES,
    "model": MODEL,
    "assemble": MODEL | {"model"},
    "objectives": OBJECTIVE,
    "trackers": ALONE | {"data", "report"},
    "options": TOP | {"data", "extras", "stores", "trackers", "training"},
    "presets": TOP | {"data", "options"},
    "latent": TOP,
    "evaluation": TOP,
    "judges": TOP | {"evaluation", "features"},
    "explorer": TOP | {"latent", "evaluation", "data", "report", "music"},
    "training": ALONE,  # the loss is an argument: it would train anything
    "data": ALONE | {"music", "stores"},
    "orbax_errors": set(),
    "checkpoint": ALONE | {"orbax_errors"},
    "coding": ALONE | {"distributions"},
    "control": NETS | {"nets", "checkpoint"},  # the model of frames is an argument
    "report": ALONE | {"data", "music"},
}
LAYERS |= {name: set(LAYERS) for name in ("__init__", "runs")}
LAYERS |= {name: set(LAYERS) for name in ("export", "sweeps")}
LAYERS |= {"api": set(LAYERS), "sklearn": {"api", "data", "runs"}}
LAYERS["__init__"] |= {"api", "runs"}
LAYERS["commands"] = set(LAYERS)
LAYERS |= {name: {"commands", "options", "runs"} for name in ("train", "__main__")}  # to be run, not imported

HEAVY = {"orbax", "matplotlib", "tensorflow_datasets", "tensorflow", "sklearn", "tyro", "tensorboardX", "PIL", "tqdm"}
HEAVY |= {"array_record", "grain", "pyarrow", "h5py", "zarr", "datasets", "mido", "tokenizers", "rdkit"}
HEAVY |= {"zstandard", "imagecodecs", "gymnax", "wandb", "mlflow", "safetensors", "huggingface_hub", "optuna"}
HEAVY |= {"jax2onnx", "onnxruntime", "obstore", "boto3"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def imported(node):
    """Dotted names that an import statement brings in: of `from a import b` it is `a.b`."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{'.' * node.level}{node.module}.{alias.name}" for alias in node.names]
    return []


def run_on_import(node):
    """Statements that run when a module is imported: not function bodies, not `if TYPE_CHECKING`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.Lambda) or (
            isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        ):
            continue
        yield child
        yield from run_on_import(child)


def module_id(path):
    return str(path.relative_to(PACKAGE))


@pytest.fixture(scope="module")
def trees():
    """Every module, parsed."""
    return {path: ast.parse(path.read_text()) for path in MODULES}


def test_imports_run_one_way(trees):
    for path, tree in trees.items():
        name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        assert name in LAYERS, f"say in LAYERS what jaxvae.{name} may import"
        names = [dotted for node in ast.walk(tree) for dotted in imported(node)]
        assert [dotted for dotted in names if dotted.startswith((".", "experiments", "tests"))] == [], module_id(path)
        # `import jaxvae` is an import of jaxvae/__init__.py, which stands above all but the top floor.
        ours = {(dotted + ".__init__").split(".")[1] for dotted in names if dotted.split(".")[0] == "jaxvae"}
        assert ours <= LAYERS[name] | {name}, module_id(path)


def test_heavy_packages_are_imported_only_inside_functions(trees):
    for path, tree in trees.items():
        needed = {"sklearn"} if module_id(path) == "sklearn.py" else set()  # an estimator is a subclass
        found = {dotted.split(".")[0] for node in run_on_import(tree) for dotted in imported(node)}
        assert found.isdisjoint(HEAVY - needed), module_id(path)


@pytest.mark.parametrize("statement", ["import matplotlib", "if True:\n    from PIL import Image"])
def test_a_heavy_import_would_be_seen(statement):
    assert any(imported(node) for node in run_on_import(ast.parse(statement)))


MEASURE = f"""
import sys, time
import jax, flax.linen, optax
base = set(sys.modules)
start = time.process_time()
import jaxvae
seconds = time.process_time() - start
heavy = set({sorted(HEAVY)}) & (set(sys.modules) - base)
assert not heavy, f"import jaxvae brings in {{heavy}}"
assert not jax.live_arrays(), "import jaxvae allocates an array"
print(seconds)
"""


def test_importing_is_cheap():
    """Beyond jax, flax.linen and optax it takes 0.3 s of a core at most, in one of three trials."""
    # Users' Python keeps compiled modules; without them every import compiles all of jaxvae anew.
    unlike_users = {"XLA_FLAGS", "PYTHONDONTWRITEBYTECODE"}
    environment = {name: value for name, value in os.environ.items() if name not in unlike_users}
    command = [sys.executable, "-c", MEASURE]
    for _ in range(3):
        output = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert output.returncode == 0, output.stderr
        seconds = float(output.stdout)
        if seconds < 0.3:
            return
    pytest.fail(f"import jaxvae takes {seconds} s")
