"""THE TABLE of bad input: what is wrong, the command that has it, what the command says. docs/errors.md is made of it.

A command runs in a folder with the files of its row; of several lines of explanation a person reads the first, so
there is one: the option or the file, what came, what to do. "…" stands for words that are another package's, or the
machine's. `python tests/errors/table.py` writes the page.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from bad_files import (
    GREY,
    SHADES,
    claiming,
    empty_folder,
    image_archive,
    image_folder,
    large_png,
    npz,
    pressed,
    run,
    several,
    text,
    trapped,
    without_end,
)

from jaxvae.export import EXPORTS
from jaxvae.likelihoods import LIKELIHOODS
from jaxvae.presets import PRESETS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "errors.md"


class Row(NamedTuple):
    """One mistake."""

    wrong: str
    command: str
    says: str
    files: Callable[[Path], Any] = lambda folder: None


def mine(**arrays):
    return npz("mine.npz", **arrays)


LABELS = np.arange(20)
HOLED = np.where(SHADES > 0.9, np.nan, SHADES)
TRAIN = "train --dataset mine.npz"
UNREADABLE = "not a readable image (…); repair, convert or remove it"
ATTRIBUTES = "give one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, slant, width"
NO_RUN = "name the run directory of a training"
NEITHER = "is neither one of digits, grammar, forest, brackets, mnist, fashion_mnist, binarized_mnist"
BINARY = "bernoulli scores pixels that are 0 or 1"
DRAW = "use --binarize dynamic, or --likelihood continuous_bernoulli"
SAVE = "save arrays of numbers with numpy.savez"
KINDS = "files of these kinds are read: .apng .bmp .gif .jfif .jpeg .jpg .pbm .pgm .png .pnm .ppm .tif .tiff .webp"
OTHERWISE = "Name another --run-dir, or give the same options"
NOTHING_ELSE = "nor an existing file or folder"

TABLE = {
    "Options": [
        Row(
            "an unknown option",
            "train --latent-dims 2",
            "'--latent-dims': no such option (did you mean 'latent-dim'?); --help lists them all",
        ),
        Row("a word too many", "train digits", "'digits': belongs to no option; --help lists them all"),
        Row("no value", "train --steps", "steps: takes one value, got none; write --steps VALUE"),
        Row("two values", "train --steps 1 2", "steps: takes one value, got 1 2; write --steps VALUE"),
        Row("no number", "train --latent-dim two", "latent-dim: must be a whole number, got 'two'"),
        Row(
            "a switch with a value",
            "train --figures=False",
            "figures: takes no value, got 'False'; give --figures or --no-figures",
        ),
        Row("an option missing", "sample --num 3", "run-dir: missing; give --run-dir"),
        Row(
            "an unknown preset",
            "train --preset vea",
            f"preset: must be one of {', '.join(PRESETS)}, got 'vea' (did you mean 'vae'?)",
        ),
        Row(
            "an unknown likelihood",
            "train --likelihood bernouli",
            f"likelihood: must be one of {', '.join(LIKELIHOODS)}, got 'bernouli' (did you mean 'bernoulli'?)",
        ),
        Row("a choice made twice", "train --prior vamp --prior standard", "prior: is given twice; give it once"),
        Row(
            "an option of another choice",
            "train --prior.num-inputs 50",
            "prior.num-inputs: belongs to --prior vamp; choose that, or leave it out",
        ),
        Row(
            "no schedule",
            "train --beta 0:1@",
            "beta: must be a number, or a schedule such as 0:1@2000, got '0:1@'",
        ),
        Row(
            "choices that do not fit each other",
            "train --posterior layers",
            "prior: standard has one layer, the posterior 2; give --prior layers",
        ),
        Row("no name", "table", "name: missing; give NAME"),
        Row("a name too many", "table one two", "'two': belongs to no option; --help lists them all"),
        Row(
            "nowhere to put the line",
            "table iwae_mnist_1layer_k1 --results nowhere.md",
            "results: nowhere.md is no page with a table; give a copy of docs/results.md",
        ),
        Row("an unknown table", "table iwae", "name: 'iwae' is no file in …configs; give one of …"),
        Row(
            "an unknown tracker",
            "train --track wand",
            "track: must be some of tensorboard, wandb, mlflow, got 'wand' (did you mean 'wandb'?)",
        ),
        Row(
            "an option of another preset",
            "train --num-groups 3",
            "num-groups: belongs to --objective iwae or ciwae or piwae; choose that, or leave it out",
        ),
        Row(
            "a layer above a point",
            "train --preset autoencoder --upper-latent-dims 5",
            "posterior: layers above z go with normal, got delta; leave one of them out",
        ),
    ],
    "Tables of runs": [
        Row("no such folder", "runs", "folder: runs is no folder; name one with runs in it"),
        Row(
            "nothing to compare with",
            "runs --compare runs/a",
            "compare: one run is given, runs/a; name two or more",
        ),
        Row("no run to compare", "runs --compare a b", f"run-dir: cannot read a/config.json (…); {NO_RUN}"),
    ],
    "Exports": [
        Row(
            "no form",
            "export --run-dir runs/a",
            f"to: no form is given; name some of {', '.join(EXPORTS)}",
        ),
        Row(
            "an unknown form",
            "export --run-dir runs/a --to stablehl",
            f"to: must be some of {', '.join(EXPORTS)}, got 'stablehl' (did you mean 'stablehlo'?)",
        ),
        Row(
            "nothing to send",
            "export --run-dir runs/a --to stablehlo --push me/model",
            "push: sends the folder of --to hub; give both",
        ),
    ],
    "Recipes in files": [
        Row(
            "no such file",
            "train --config recipe.toml",
            "config: recipe.toml: No such file or directory; name a TOML file",
        ),
        Row(
            "no TOML",
            "train --config recipe.toml",
            "config: recipe.toml: is no TOML (…); "
            'write NAME = VALUE, and quote names with dots: "prior.num_inputs" = 50',
            text("recipe.toml", 'prior = "vamp"\nprior.num_inputs = 50\n'),
        ),
        Row(
            "an unknown option in a file",
            "train --config recipe.toml",
            "recipe.toml: '--latent-dims': no such option (did you mean 'latent-dim'?); --help lists them all",
            text("recipe.toml", "latent_dims = 2\n"),
        ),
        Row(
            "a word for a number",
            "train --config recipe.toml",
            "recipe.toml: steps: must be a whole number, got 'many'",
            text("recipe.toml", 'steps = "many"\n'),
        ),
        Row(
            "a file that would be lost",
            "train --steps 5 --save-config recipe.toml",
            "save-config: recipe.toml exists; name another file, or move it away",
            text("recipe.toml", "steps = 4\n"),
        ),
    ],
    "Numbers": [
        Row("no steps", "train --steps 0", "steps: must be at least 1, got 0"),
        Row(
            "more steps than can be counted",
            "train --steps 3000000000",
            "steps: 3000000000 are more than can be counted; ask for 2147483647 or fewer",
        ),
        Row("no end of epochs", "train --epochs inf", "epochs: must be above 0 and finite, got inf"),
        Row("no latent dimension", "train --latent-dim 0", "latent-dim: must be at least 1, got 0"),
        Row("a layer of no width", "train --hidden 100 0", "hidden: must be positive widths, got (100, 0)"),
        Row(
            "a learning rate that is no number",
            "train --learning-rate nan",
            "learning-rate: must be above 0 and finite, got nan",
        ),
        Row(
            "an infinite learning rate",
            "train --learning-rate inf",
            "learning-rate: must be above 0 and finite, got inf",
        ),
        Row("an infinite beta", "train --beta inf", "beta: must be finite, got inf"),
        Row("a negative beta", "train --beta -1", "beta: must be 0 or more and finite, got -1.0"),
        Row("negative free bits", "train --free-bits -0.5", "free_bits: must be 0 or more and finite, got -0.5"),
        Row("an average over nothing", "train --ema-decay 1", "ema-decay: must be between 0 and 1, got 1.0"),
        Row("a negative seed", "train --seed -1", "seed: must be from 0 to 4294967295, got -1"),
        Row(
            "more noise than all",
            "train --corruption masking --corruption-level 2",
            "corruption-level: must be a share, at most 1, got 2.0",
        ),
        Row(
            "more parts than examples",
            "train --batch-size 8 --accumulate 9",
            "accumulate: must be at most 8, a batch, got 9",
        ),
        Row(
            "a warm-up longer than the run",
            "train --steps 50 --warmup-steps 50",
            "warmup-steps: 50 steps never end in a run of 50; make it shorter, or the run longer",
        ),
        Row(
            "a warm-up of beta longer than the run",
            "train --steps 50 --beta-warmup-steps 60",
            "beta: 60 steps never end in a run of 50; make it shorter, or the run longer",
        ),
        Row(
            "a batch larger than the set",
            "train --batch-size 2000",
            "batch-size: 2000 is more than the 1297 training examples; make it smaller",
        ),
        Row(
            "more examples than there are",
            "train --train-examples 2000",
            "train-examples: 2000 asked for, digits has 1297; ask for fewer",
        ),
        Row(
            "channels of a net without convolutions",
            "train --channels 8 16",
            "channels: belongs to --networks conv; give --preset conv_vae, or leave it out",
        ),
        Row(
            "a level of no corruption",
            "train --corruption-level 0.5",
            "corruption.level: belongs to --corruption noise or masking or salt_and_pepper; choose that, or leave it "
            "out",
        ),
    ],
    "Devices": [
        Row("more devices than there are", "train --devices 99", "devices: 99 asked for, … here…"),
        Row(
            "two devices for what one does",
            "train --devices 2 --dispatch scan",
            "dispatch: scan is for one device, here are 2; give --devices 1, or pmap",
        ),
        Row(
            "a coordinator without a port",
            "train --coordinator host --num-processes 2 --process-id 0",
            "coordinator: 'host' is no HOST:PORT; give one, such as 10.0.0.1:1234",
        ),
        Row(
            "a coordinator with a port that cannot be",
            "train --coordinator host:70000 --num-processes 2 --process-id 0",
            "coordinator: the port of 'host:70000' must be from 1 to 65535",
        ),
    ],
    "Data sets": [
        Row(
            "an unknown set",
            "train --dataset digit",
            f"dataset: 'digit' {NEITHER} (did you mean 'digits'?) {NOTHING_ELSE}",
        ),
        Row(
            "a class that is not there",
            "train --only 10",
            "only: there is no class '10' (did you mean '1'?); give one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9",
        ),
        Row(
            "windows of what is no series",
            "train --window-length 8",
            "window-length: cuts a series in a file, and digits is none; leave it out",
        ),
        Row(
            "a series shorter than its windows",
            "train --dataset series.csv --window-length 8",
            "window-length: 8 is more than the 2 points of the test part; make it smaller",
            text("series.csv", "value\n" + "1\n" * 20),
        ),
        Row(
            "a series whose anomalies are not all told",
            "train --dataset series.csv --window-length 8",
            "series.csv: column 'anomaly' misses 1 values; fill them",
            text("series.csv", "value,anomaly\n1,1\n2,\n3,0\n"),
        ),
        Row(
            "convolutions along the time of a text",
            "train --dataset poems.txt --preset signal_vae",
            "preset: signal networks do not read tokens, as poems.txt; give --preset token_vae",
            text("poems.txt", "a rose is a rose\n" * 20),
        ),
        Row(
            "a set that TFDS does not know",
            "train --dataset tfds:cifar01 --data-dir tfds",
            "tfds:cifar01: is neither a set of TFDS (did you mean 'cifar10'?) nor prepared in tfds; "
            "name the folder that has it with --data-dir or TFDS_DATA_DIR",
        ),
        Row(
            "a choice that there is not",
            "train --dataset hf:photos?imag=photo",
            "hf:photos: 'imag' cannot be chosen (did you mean 'image'?); "
            "choose one of image, x, counts, tokens, text, columns, label, words, train, validation, test, config",
        ),
        Row(
            "a function that is not there",
            "train --dataset mine:load",
            "dataset: 'mine:load': module 'mine' cannot be imported (No module named 'mine'); "
            "start in the folder that holds mine.py, or install its package",
        ),
        Row(
            "a file of another kind",
            "train --dataset mine.json",
            "dataset: mine.json is of a kind that is not read; "
            "x = pandas.read_json('mine.json').to_numpy('float32'); numpy.savez('mine.npz', x=x)",
            text("mine.json"),
        ),
        Row(
            "an array that is empty",
            "train --dataset mine.npy",
            "mine.npy: cannot be read (…); save numbers with numpy.save",
            text("mine.npy"),
        ),
        Row(
            "one image in place of a folder",
            "train --dataset images/03.png",
            "dataset: images/03.png is one image; name the folder that it lies in, 'images'",
            image_folder("images"),
        ),
        Row(
            "grey values for coins",
            f"{TRAIN} --likelihood bernoulli --batch-size 4",
            f"likelihood: {BINARY}, but mine is grey; {DRAW}",
            mine(image=GREY),
        ),
        Row(
            "ink for coins, not drawn",
            "train --likelihood bernoulli --binarize none",
            f"likelihood: {BINARY}, but digits is grey; {DRAW}",
        ),
        Row(
            "real values for a likelihood of shades",
            f"{TRAIN} --likelihood continuous_bernoulli",
            "likelihood: continuous_bernoulli scores values in [0, 1], but mine holds real numbers; "
            "use --likelihood normal_shared, or --scale unit",
            mine(image=2 * SHADES - 1),
        ),
        Row(
            "real values for a likelihood of ink",
            f"{TRAIN} --likelihood bernoulli --binarize dynamic",
            "likelihood: bernoulli scores values that are 0 or 1, but mine holds real numbers; "
            "use --likelihood normal_shared",
            mine(image=255 * SHADES),
        ),
        Row(
            "NaN among the pixels",
            TRAIN,
            "mine.npz: array 'image' holds NaN or infinity; clean it first",
            mine(image=HOLED),
        ),
        Row(
            "infinity among the pixels",
            TRAIN,
            "mine.npz: array 'image' holds NaN or infinity; clean it first",
            mine(image=np.where(SHADES > 0.9, np.inf, SHADES)),
        ),
        Row(
            "integers that are not uint8",
            TRAIN,
            "mine.npz: array 'image' has dtype int64; give image.astype(numpy.uint8)",
            mine(image=GREY.astype(np.int64)),
        ),
        Row(
            "uint8 of 0 and 1",
            TRAIN,
            "mine.npz: array 'image' is uint8 with no value above 1; white is 255: multiply by 255",
            mine(image=GREY % 2),
        ),
        Row(
            "one axis too few",
            TRAIN,
            "mine.npz: array 'image' has shape (8,); give [N, H, W], [N, H, W, C] or [N, D]",
            mine(image=GREY[0, 0]),
        ),
        Row(
            "an empty set",
            TRAIN,
            "mine.npz: array 'image' is empty: (0, 8, 8); give at least 2 examples",
            mine(image=GREY[:0]),
        ),
        Row("one image", TRAIN, "mine.npz: 1 example cannot be divided; give at least 2", mine(image=GREY[:1])),
        Row(
            "channels before the pixels",
            TRAIN,
            "mine.npz: array 'image' has shape (20, 3, 8, 8); channels come last, got 8; transpose (0, 2, 3, 1) if the "
            "array is [N, C, H, W], or reshape it to [N, D] if it holds no images",
            mine(image=np.stack([GREY] * 3, 1)),
        ),
        Row(
            "examples behind the pixels",
            TRAIN,
            "mine.npz: array 'image' has shape (8, 8, 3, 20); channels come last, got 20; transpose (3, 0, 1, 2) if "
            "the array is [H, W, C, N], or reshape it to [N, D] if it holds no images",
            mine(image=np.stack([GREY.transpose(1, 2, 0)] * 3, 2)),
        ),
        Row(
            "images under another name",
            TRAIN,
            "mine.npz: no array 'image'; did you mean 'faces'? save it under this name: numpy.savez(file, image=...)",
            mine(faces=GREY),
        ),
        Row(
            "no images",
            TRAIN,
            "mine.npz: no array 'image'; save images under this name, numbers as 'x', counts as 'counts', words as "
            "'tokens': numpy.savez(file, image=...)",
            mine(age=LABELS),
        ),
        Row(
            "numbers that may be images",
            TRAIN,
            "mine.npz: array 'x' may hold images, uint8 (20, 8, 8); save images as 'image'; if these are signals, save "
            "float32 [N, T * C]",
            mine(x=GREY),
        ),
        Row(
            "counts that are logarithms",
            TRAIN,
            "mine.npz: array 'counts' holds 0.5; give raw counts, or save real numbers as 'x'",
            mine(counts=np.full((20, 3), 0.5)),
        ),
        Row(
            "tokens without an end",
            TRAIN,
            "mine.npz: array 'tokens' has 0 end marks in row 0; end every row with one 1, and fill it with 0",
            mine(tokens=np.full((20, 3), 4)),
        ),
        Row(
            "a table whose rows differ in length",
            "train --dataset mine.csv",
            "mine.csv: cannot be read (CSV parse error: Expected 2 columns, got 1: 3); write it again",
            text("mine.csv", "a,b\n1,2\n3\n"),
        ),
        Row(
            "a table with numbers and words in a column",
            "train --dataset mine.csv",
            "mine.csv: column 'b' holds both numbers and words, such as '2' and 'NA'; leave missing cells empty, and "
            "write one kind",
            text("mine.csv", "a,b\n1,2\n3,NA\n"),
        ),
        Row(
            "a text of one line",
            "train --dataset mine.txt",
            "mine.txt: 1 example cannot be divided; give at least 2",
            text("mine.txt", "a dog barks\n"),
        ),
        Row(
            "a text for networks that read no words",
            "train --dataset mine.txt --preset conv_vae",
            "preset: conv networks do not read tokens, as mine.txt; give --preset token_vae",
        ),
        Row(
            "images for networks that read words",
            "train --dataset mnist --preset token_vae",
            "preset: tokens networks do not read images, as mnist; give --preset vae, or a --dataset of tokens, such "
            "as grammar",
        ),
        Row(
            "images for networks that read counts",
            "train --dataset mnist --preset scvi",
            "preset: counts networks do not read images, as mnist; give --preset vae, or a --dataset of counts",
        ),
        Row(
            "a concentration of no topic",
            "train --dataset mine.npz --preset prod_lda --prior.concentration 0",
            "prior.concentration: must be a positive number, got 0.0",
            mine(counts=LABELS.reshape(10, 2)),
        ),
        Row(
            "too few labels",
            TRAIN,
            "mine.npz: array 'label' is int64 (19,); give integers of shape (20,), one per example",
            mine(image=GREY, label=LABELS[:-1]),
        ),
        Row(
            "labels that are no integers",
            TRAIN,
            "mine.npz: array 'label' is float64 (20,); give integers of shape (20,), one per example: number the "
            "classes: classes, label = numpy.unique(label, return_inverse=True)",
            mine(image=GREY, label=LABELS / 2),
        ),
        Row(
            "labels that are words",
            TRAIN,
            "mine.npz: array 'label' is <U3 (20,); give integers of shape (20,), one per example: save its numbers and "
            "names: classes, label = numpy.unique(label, return_inverse=True)",
            mine(image=GREY, label=np.array(["cat", "dog"] * 10)),
        ),
        Row(
            "labels under another name",
            TRAIN,
            "mine.npz: array 'labels'; did you mean 'label'? save it under this name if it holds classes, or under "
            "another if it is an attribute",
            mine(image=GREY, labels=LABELS),
        ),
        Row(
            "fewer names than classes",
            TRAIN,
            "mine.npz: array 'classes' holds 2 names, but 'label' goes to 19; give a number for each image and a name "
            "for each number",
            mine(image=GREY, label=LABELS, classes=np.array(["cat", "dog"])),
        ),
        Row(
            "a negative label",
            TRAIN,
            "mine.npz: array 'label' holds numbers from -2 to 17; number classes from 0, with -1 where one is "
            "unknown, or leave it out",
            mine(image=GREY, label=LABELS - 2),
        ),
        Row(
            "a label beyond int32",
            TRAIN,
            "mine.npz: array 'label' holds numbers from 0 to 81604378624; number classes from 0, with -1 where "
            "one is unknown, or leave it out",
            mine(image=GREY, label=LABELS << 32),
        ),
        Row(
            "labels missing where they are needed",
            "latent_space --dataset mine.npz",
            "dataset: mine.npz has no labels to colour codes by; name one that has",
            mine(image=GREY),
        ),
        Row(
            "a split without a test part",
            TRAIN,
            "mine.npz: array 'split' holds [0, 1]; use 0 train, 1 validation (optional), 2 test",
            mine(image=GREY, split=LABELS % 2),
        ),
        Row(
            "Python objects in the archive (never unpickled)",
            TRAIN,
            f"mine.npz: array 'image' cannot be read (Object arrays cannot be loaded when allow_pickle=False); {SAVE}",
            trapped("mine.npz"),
        ),
        Row(
            "an array that claims more than the memory",
            TRAIN,
            "mine.npz: array 'image', uint8 (1000000, 2048, 2048), takes 4,194.3 GB, this machine has … GB; store "
            "fewer examples",
            claiming("mine.npz", (1000000, 2048, 2048)),
        ),
        Row(
            "half an archive",
            TRAIN,
            f"mine.npz: array 'image' cannot be read (…); {SAVE}",
            without_end("mine.npz", mine(image=GREY)),
        ),
        *(
            Row(
                f"a truncated {kind} in an archive",
                TRAIN,
                f"mine.npz: file 0 of array '{kind}': {UNREADABLE}",
                image_archive("mine.npz", kind, cut=30),
            )
            for kind in ("png", "jpeg", "webp")
        ),
        *(
            Row(
                f"a truncated {kind} in a folder",
                "train --dataset images",
                f"images/03.{kind}: {UNREADABLE}",
                without_end(f"images/03.{kind}", image_folder("images", kind)),
            )
            for kind in ("png", "jpeg", "webp")
        ),
        Row(
            "the same, read as it is needed",
            "train --dataset images --batch-size 4 --input stream",
            f"images/03.png: {UNREADABLE}",
            without_end("images/03.png", image_folder("images")),
        ),
        Row(
            "images of two sizes",
            "train --dataset images",
            "images: images of 2 sizes, 8x8 (20: images/00.png), 8x4 (1: images/small/00.png); bring them to one, or "
            "give --resize 64 or --crop 64 to train.py",
            several(image_folder("images"), image_folder("images/small", images=GREY[:1, :4])),
        ),
        Row(
            "a crop larger than the images",
            "train --dataset images --crop 9",
            "crop: 9 is more than images/00.png has, 8x8 pixels; make it smaller, or give --resize too, which scales",
            image_folder("images"),
        ),
        Row(
            "a crop larger than what it is cut from",
            "train --resize 8 --crop 9",
            "crop: 9 is more than resize 8; make it smaller",
        ),
        Row("a size of nothing", "train --resize 0", "resize: must be one or two positive numbers, got (0,)"),
        Row(
            "a background without a colour",
            "train --background whit",
            "background: 'whit' is no colour; give a name such as white or black, or #rrggbb",
        ),
        Row(
            "white shapes on white",
            "train --dataset images",
            "images/00.png: nothing of it can be seen on white; give another colour as --background to train.py, or "
            "remove it",
            image_folder("images", images=np.stack([GREY | 255, GREY], -1)),
        ),
        Row(
            "splits without a test part",
            "train --dataset images",
            "images: holds only train and val, but train and test are needed; rename one, add what is missing, or name "
            "one of them alone, which is then divided 80/10/10",
            several(empty_folder("images"), image_folder("images/train"), image_folder("images/val")),
        ),
        Row(
            "images beside the splits",
            "train --dataset images",
            "images: holds images beside the splits test, train; move them into the splits, or rename the splits if "
            "they are classes",
            several(image_folder("images"), image_folder("images/train"), image_folder("images/test")),
        ),
        Row(
            "more pixels than are read",
            "train --dataset images --resize 64",
            "images/large.png: claims 3,600,000,000 pixels, 10.8 GB in colour; at most 89,478,485 pixels are read: "
            "make it smaller, or remove it",
            several(image_folder("images"), large_png("images/large.png", 60_000)),
        ),
        Row(
            "floats outside [0, 1]",
            "train --dataset images",
            "images/00.tif: holds floats from … to …; save it as floats in [0, 1], or as 16-bit grey",
            image_folder("images", "tif", 255 * SHADES),
        ),
        Row(
            "images of a kind that is not read among others",
            "train --dataset images",
            "images: holds images of kinds that are not read, images/IMG_1.HEIC; convert them to .png, or move them "
            "out",
            several(image_folder("images"), text("images/IMG_1.HEIC")),
        ),
        Row(
            "a folder without images",
            "train --dataset images",
            f"images: holds no image; {KINDS}",
            empty_folder("images"),
        ),
        Row(
            "a folder of something else",
            "train --dataset table",
            "table: holds no image; name the file, 'table/mine.csv'",
            text("table/mine.csv"),
        ),
    ],
    "Run directories": [
        Row("a file", "train --run-dir notes.txt", "run-dir: notes.txt is a file; name a folder", text("notes.txt")),
        Row(
            "a folder in a file",
            "train --run-dir notes.txt/run",
            "run-dir: notes.txt is a file; name a folder",
            text("notes.txt"),
        ),
        Row(
            "another run",
            "train --run-dir run --hidden 4 --latent-dim 5",
            f"run-dir: run holds a run with other latent_dim 3 there, 5 here. {OTHERWISE}",
            run(),
        ),
        Row(
            "another set",
            "train --run-dir run --hidden 4 --latent-dim 3 --train-examples 200",
            f"run-dir: run holds a run with other train_examples None there, 200 here. {OTHERWISE}",
            run(),
        ),
        Row("none", "evaluate --run-dir nowhere", f"run-dir: cannot read nowhere/config.json (…); {NO_RUN}"),
        Row(
            "none to begin with",
            "train --init-from nowhere",
            f"init-from: cannot read nowhere/config.json (…); {NO_RUN}",
        ),
        Row(
            "one of other sizes to begin with",
            "train --init-from run --hidden 4 --latent-dim 5",
            "init-from: the networks of run are others (latent-dim 3 there, 5 here); give the same",
            run(),
        ),
        Row(
            "one of another activation to begin with",
            "train --init-from run --hidden 4 --latent-dim 3 --activation tanh",
            "init-from: the networks of run are others (activation relu there, tanh here); give the same",
            run(),
        ),
        Row(
            "none",
            "explore --run-dir images",
            f"run-dir: cannot read images/config.json (…); {NO_RUN}",
            empty_folder("images"),
        ),
        Row(
            "a checkpoint of another model",
            "evaluate --run-dir run",
            "run-dir: checkpoint 0 is of another model: state… is float32 (4,) there and float32 (5,) here",
            run(networks={"hidden": [5]}),
        ),
        Row(
            "a config of another version",
            "evaluate --run-dir run",
            "config.json: unknown fields ['latent_dims']; it was written by another version",
            run(latent_dims=3),
        ),
        Row(
            "its data gone",
            "sample --run-dir run",
            f"dataset: 'gone.npz' {NEITHER} {NOTHING_ELSE}; if it moved, name its place with --dataset",
            run(data={"dataset": "gone.npz"}),
        ),
        Row(
            "its data a function",
            "evaluate --run-dir run",
            "dataset: the run names a function, mine:load, and no file makes code run; if you trust it, give "
            "--dataset mine:load, or call jaxvae.data.load('mine:load') first",
            run(data={"dataset": "mine:load"}),
        ),
        Row(
            "its set of TFDS gone",
            "sample --run-dir run --data-dir tfds",
            "tfds:our_pets_15: is neither a set of TFDS nor prepared in tfds; "
            "name the folder that has it with --data-dir or TFDS_DATA_DIR",
            run(data={"dataset": "tfds:our_pets_15"}),
        ),
        Row(
            "its data changed",
            "evaluate --run-dir run",
            "dataset: images of mine.npz are (4, 8, 1), the run learned (8, 8, 1); put the set back",
            several(run(data={"dataset": "mine.npz"}), mine(image=GREY[:, :4])),
        ),
        Row(
            "another set in the place of its data",
            "explore --run-dir run --dataset mine.npz",
            "dataset: mine.npz is another set than digits, which the run was trained on: their fingerprints differ; "
            "name that one",
            several(run(), mine(image=GREY)),
        ),
    ],
    "Looking into a run": [
        Row(
            "a test image that is not there",
            "sample --run-dir run --interpolate 3 300",
            "interpolate: there is no test image 300; they are numbered from 0 to 299",
            run(),
        ),
        Row(
            "a latent dimension that is not there",
            "sample --run-dir run --traverse 3",
            "traverse: there is no latent dimension 3; they are numbered from 0 to 2",
            run(),
        ),
        Row(
            "an unknown attribute",
            "sample --run-dir run --attribute slnat",
            f"attribute: 'slnat' is none of this data set's (did you mean 'slant'?); {ATTRIBUTES}",
            run(),
        ),
        Row(
            "an option that needs another",
            "sample --run-dir run --spherical",
            "spherical: goes with --interpolate; give that too, or leave it out",
        ),
        Row(
            "a strength that is no number",
            "sample --run-dir run --attribute 3 --strength nan",
            "strength: must be finite numbers, got (nan,)",
        ),
        Row(
            "variations of no width", "sample --run-dir run --vary 3 --widen -1", "widen: must be at least 0, got -1.0"
        ),
        Row(
            "pictures into a file",
            "sample --run-dir run --out notes.txt",
            "out: notes.txt is a file; name a folder",
            text("notes.txt"),
        ),
        Row(
            "a page over a folder",
            "explore --run-dir run --out images",
            "out: images is a folder; name a file in it",
            empty_folder("images"),
        ),
        Row("no samples", "evaluate --run-dir run --num-samples 0", "num-samples: must be at least 1, got 0"),
        Row(
            "more images to anneal than there are",
            "evaluate --run-dir run --ais --ais-images 400",
            "ais-images: 400 wanted, the split has 300; ask for fewer",
            run(),
        ),
        Row(
            "no strengths", "attributes --run-dir run --strengths", "strengths: (); give finite numbers, such as -1 0 1"
        ),
        Row(
            "quadrature in three dimensions",
            "evidence --run-dir run",
            "run-dir: quadrature needs 1 or 2 latent dimensions, this run has 3; train one with --latent-dim 2",
            run(),
        ),
        Row(
            "the same seed twice",
            "latent_space --seeds 1 1",
            "seeds: must be one or more different numbers, got [1, 1]",
        ),
        Row(
            "a score that is left out",
            "anomaly --run-dir run --score regret",
            "score: regret is left out; give --regret-steps too, such as 30",
        ),
        Row(
            "a compressed file of another kind",
            "compress --run-dir run --out digits.zip",
            "out: digits.zip is of a kind that is not written here; end its name in .vae",
        ),
        Row(
            "too many buckets",
            "compress --run-dir run --out digits.vae --latent-bits 20",
            "latent-bits: must be from 1 to 16, got 20",
        ),
        Row(
            "no compressed file",
            "decompress --file digits.vae --out digits.npz",
            "file: there is no file digits.vae; name one that was written by jaxvae compress",
        ),
        Row(
            "an empty file to decompress",
            "decompress --file digits.vae --out digits.npz",
            "file: digits.vae is empty; name a file that was written by jaxvae compress",
            text("digits.vae"),
        ),
        Row(
            "another file to decompress",
            "decompress --file notes.txt --out digits.npz",
            "file: notes.txt was not written by jaxvae compress; name a file that was",
            text("notes.txt", "Nothing was compressed here."),
        ),
        Row(
            "a portable file of a likelihood without integers",
            "compress --run-dir run --out digits.vae --portable",
            "portable: the run's likelihood is Normal, and integer networks take bernoulli, categorical_levels "
            "and discretized_logistic; leave it out",
            run(likelihood={"kind": "mse"}),
        ),
        Row(
            "a portable file of another version",
            "decompress --file digits.vae --out digits.npz",
            "file: is of version 0 of the portable mode, this jaxvae has 1; use that which wrote it",
            pressed("digits.vae", version=0),
        ),
        Row(
            "images as sentences",
            "decompress --file digits.vae --out digits.txt",
            "out: digits.txt is for sentences, and these are ink; write .npz",
            pressed("digits.vae", version=1),
        ),
        Row(
            "images as a table",
            "decompress --file digits.vae --out digits.csv",
            "out: digits.csv is for tables, and these are ink; write .npz",
            pressed("digits.vae", version=1),
        ),
        Row(
            "a world that there is not",
            "world_model --world pong",
            "world: must be one of cartpole, breakout, got 'pong'",
        ),
        Row(
            "one code, nothing between",
            "one_dimensional --num 1",
            "num: there is nothing between fewer than 2 codes, got 1",
        ),
        Row(
            "a figure into a file",
            "closed_form_kl --out notes.txt",
            "out: notes.txt is a file; name a folder",
            text("notes.txt"),
        ),
    ],
}

INTRODUCTION = """# What is said of bad input

One line on standard error: the option or the file, what came, what to do. The exit code is 2, and nothing was created
or changed. Words that are another package's, or the machine's, are left out here (…). The scripts lie in
`experiments/`; where a command names `mine.npz`, `images` or `run`, there is such a file or folder, with the mistake.

This page is written by `python tests/errors/table.py`, from the table that `tests/errors` tries row by row.
"""


def page() -> str:
    """The table for people."""
    lines = [INTRODUCTION]
    for section, rows in TABLE.items():
        lines += [f"## {section}\n", "| wrong | command | answer |", "|---|---|---|"]
        lines += [f"| {row.wrong} | `{row.command}` | `{row.says}` |" for row in rows]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page())
