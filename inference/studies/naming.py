"""What a slice is called: by DICOM's number of the image, and by its place in the series.

Both, since neither will do alone: the number is what other programs and reports say, and need not
be in order, begin at 1 or be there at all; the place is what the slider counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.studies.model import SliceSource

__all__ = ["image_name", "slice_name"]


def image_name(sources: Sequence[SliceSource], index: int) -> str:
    """Call a slice by its DICOM Instance Number; empty where the file has none.

    Parameters
    ----------
    sources
        Of the volume's or the series' slices; empty where nothing is known of files.
    index
        Among them.

    Returns
    -------
    str
        ``"Im 64"``; of a file with several frames also which one, counted from 1 as DICOM does:
        ``"Im 1 frame 85"``.
    """
    if not 0 <= index < len(sources):
        return ""
    source = sources[index]
    if source.instance is None:
        return ""
    beside = sources[max(0, index - 1) : index + 2]
    has_frames = source.frame > 0 or sum(each.path == source.path for each in beside) > 1
    return f"Im {source.instance}" + (f" frame {source.frame + 1}" if has_frames else "")


def slice_name(sources: Sequence[SliceSource], index: int, count: int) -> str:
    """Call a slice by its Instance Number and its place in the series.

    Parameters
    ----------
    sources, index
        See `image_name`.
    count
        How many slices there are.

    Returns
    -------
    str
        ``"Im 64 (85/148)"``; ``"85/148"`` where the file has no number.
    """
    place, image = f"{index + 1}/{count}", image_name(sources, index)
    return f"{image} ({place})" if image else place
