"""Order of the axes of an array of images, judged by their sizes."""

from __future__ import annotations

_MOST_CHANNELS = 4


def misplaced_axes(shape: tuple[int, ...]) -> str | None:
    """Return the error in the order of an array's axes and the transpose to use, or None if it may be right.

    Axes are `[N, H, W]` or `[N, H, W, C]`. An array is refused where its images are implausible in this order but
    plausible in another: images are not much wider than high, and have few channels.

    Args:
        shape: shape of the array.

    >>> misplaced_axes((60, 3, 12, 12)).split(";")[1].split(" if")[0]
    ' transpose (0, 2, 3, 1)'
    >>> misplaced_axes((60, 12, 12, 3)), misplaced_axes((5, 3, 12, 3)), misplaced_axes((60, 4, 4, 64))
    (None, None, None)
    """
    order: tuple[int, ...]
    if len(shape) == 4 and shape[1] <= _MOST_CHANNELS < min(shape[2:]) and _alike(*shape[2:], ratio=4):
        order, meant = (0, 2, 3, 1), "[N, C, H, W]"
    elif len(shape) == 4 and shape[2] <= _MOST_CHANNELS < min(*shape[:2], shape[3]) and _alike(*shape[:2], ratio=2):
        order, meant = (3, 0, 1, 2), "[H, W, C, N]"
    elif len(shape) == 3 and shape[0] == shape[1] > _MOST_CHANNELS and shape[2] >= 4 * shape[1]:
        order, meant = (2, 0, 1), "[H, W, N]"
    else:
        return None
    found = f"channels come last, got {shape[3]}" if len(shape) == 4 else f"got images of {shape[1]}x{shape[2]}"
    return f"{found}; transpose {order} if the array is {meant}, or reshape it to [N, D] if it holds no images"


def _alike(first: int, second: int, *, ratio: int) -> bool:
    return max(first, second) <= ratio * min(first, second)
