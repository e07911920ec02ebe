"""Recipes to convert files of other kinds, two lines of Python each."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

IMAGES = frozenset(
    {
        ".apng",
        ".bmp",
        ".gif",
        ".jfif",
        ".jpeg",
        ".jpg",
        ".pbm",
        ".pgm",
        ".png",
        ".pnm",
        ".ppm",
        ".tif",
        ".tiff",
        ".webp",
    }
)
"""Suffixes of the image files that are read."""
UNREAD_IMAGES = frozenset(
    {".arw", ".avif", ".cr2", ".cr3", ".dcm", ".dng", ".exr", ".heic", ".heif", ".jp2", ".jxl", ".nef", ".psd", ".raf"}
    | {".svg", ".tga"}
)
"""Suffixes of image files that are not read."""
MIDI = frozenset({".mid", ".midi"})
"""Suffixes of MIDI files."""
READ = (".npz", ".npy", ".csv", ".tsv", ".parquet", ".h5ad", ".txt", ".txt.gz", ".h5", ".hdf5", ".zarr", ".tar")
"""Ends of the names of other files that are read."""
_SAVE = "numpy.savez({npz!r}, image=x)"
_FRAME = ".to_numpy('float32'); numpy.savez({npz!r}, x=x)"
_VIDEO = f"x = imageio.v3.imread({{name!r}}); {_SAVE}"
_UNPACK = "shutil.unpack_archive({name!r}, {stem!r})  # then name the folder {stem!r}"
_GUNZIP = "gzip.decompress(pathlib.Path({name!r}).read_bytes())"
_KEY = "  # with the key of your array for 'x'"
RECIPES = {
    (".feather", ".arrow"): "x = pandas.read_feather({name!r})" + _FRAME,
    (".xlsx", ".xls", ".ods"): "x = pandas.read_excel({name!r})" + _FRAME,
    (".jsonl", ".ndjson"): "x = pandas.read_json({name!r}, lines=True)" + _FRAME,
    (".json",): "x = pandas.read_json({name!r})" + _FRAME,
    (".dta",): "x = pandas.read_stata({name!r})" + _FRAME,
    (".sas7bdat",): "x = pandas.read_sas({name!r})" + _FRAME,
    (".arff",): "x = pandas.DataFrame(scipy.io.arff.loadarff({name!r})[0])" + _FRAME,
    (".dat",): f"x = numpy.loadtxt({{name!r}}, dtype='float32', ndmin=2); {_SAVE}",
    (".npz.gz",): f"content = {_GUNZIP}; pathlib.Path({{npz!r}}).write_bytes(content)",
    (".mat",): f"x = scipy.io.loadmat({{name!r}})['x']; {_SAVE}{_KEY}",
    (".pkl", ".pickle", ".joblib"): f"x = pandas.read_pickle({{name!r}}); {_SAVE}  # if you trust who made it",
    (".pt", ".pth"): f"x = torch.load({{name!r}}, weights_only=True).numpy(); {_SAVE}",
    (".safetensors",): f"x = safetensors.numpy.load_file({{name!r}})['x']; {_SAVE}{_KEY}",
    ("-idx3-ubyte",): f"x = numpy.fromfile({{name!r}}, 'uint8', offset=16).reshape(-1, 28, 28); {_SAVE}",
    ("-idx3-ubyte.gz",): f"x = numpy.frombuffer({_GUNZIP}, 'uint8', offset=16).reshape(-1, 28, 28); {_SAVE}",
    (".zip",): _UNPACK,
    (".gz", ".bz2", ".xz", ".zst", ".7z", ".rar"): "unpack it and name the file or folder that was in it",
    (".mp4", ".avi", ".mov", ".mkv", ".webm", ".mpg", ".mpeg"): _VIDEO,
    (".wav",): (
        "rate, sound = scipy.io.wavfile.read({name!r}); numpy.savez({npz!r}, "
        "x=sound[: len(sound) // 1024 * 1024].reshape(-1, 1024) / 32768)"
    ),
    (".mp3", ".flac", ".ogg"): (
        "sound, rate = soundfile.read({name!r}); numpy.savez({npz!r}, "
        "x=sound[: len(sound) // 1024 * 1024].reshape(-1, 1024))"
    ),
    (".nii", ".nii.gz"): f"x = nibabel.load({{name!r}}).get_fdata().T; {_SAVE}",
    (".fits", ".fit"): f"x = astropy.io.fits.getdata({{name!r}}); {_SAVE}",
    (".tfrecord",): "read it with tensorflow and write it with jaxvae.data.write_array_record",
}
"""Recipes by the end of a file's name."""
_ANY = "read it into an array x, [N, H, W, C] or [N, D], with the package that wrote it; " + _SAVE


def recipe(path: Path) -> str:
    """Return the recipe for a file that is not read.

    >>> recipe(Path("a.json"))
    "x = pandas.read_json('a.json').to_numpy('float32'); numpy.savez('a.npz', x=x)"
    """
    name = str(path)
    end = max((end for end in _BY_END if name.lower().endswith(end)), key=len, default="")
    stem = name[: len(name) - len(end)] if end else str(path.with_suffix(""))
    return _BY_END.get(end, _ANY).format(name=name, npz=stem.rstrip("-_.") + ".npz", stem=stem)


def file_advice(path: Path) -> str:
    """Return the reason why a file is no data set, and the remedy."""
    suffix = path.suffix.lower()
    if suffix in IMAGES:
        return f"dataset: {path} is one image; name the folder that it lies in, {str(path.parent)!r}"
    if suffix in MIDI:
        return f"dataset: {path} is one tune; name the folder that it lies in, {str(path.parent)!r}"
    if suffix in UNREAD_IMAGES:
        return f"dataset: {path} is an image of a kind that is not read; convert it to .png and name its folder"
    return f"dataset: {path} is of a kind that is not read; {recipe(path)}"


def folder_advice(path: Path, others: list[Path]) -> str:
    """Return the reason why a folder is no data set, and the remedy for its files.

    Args:
        path: the folder.
        others: files in it that are no images.
    """
    kinds = f"files of these kinds are read: {' '.join(sorted(IMAGES))}"
    if unread := [file for file in others if file.suffix.lower() in UNREAD_IMAGES]:
        return f"{path}: holds no image that is read, but {_count(unread)}; convert them to .png"
    if named := [file for file in others if file.name.lower().endswith(READ)]:
        return f"{path}: holds no image; name the file, {str(named[0])!r}"
    if known := [file for file in others if any(file.name.lower().endswith(end) for end in _BY_END)]:
        return f"{path}: holds no image, but {known[0].name}; {recipe(known[0])}"
    return f"{path}: holds no image; {kinds}"


def _count(files: list[Path]) -> str:
    counts = Counter(file.suffix.lower() for file in files)
    return " and ".join(f"{count} {suffix}" for suffix, count in counts.most_common())


_BY_END = {end: text for ends, text in RECIPES.items() for end in ends}
