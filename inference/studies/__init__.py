"""Files in, Study > Series > Volume out."""

from inference.studies.choose import is_localizer, main_series, require_single, select
from inference.studies.codes import Code
from inference.studies.model import (
    Found,
    Problem,
    Series,
    SliceSource,
    SourceKind,
    Study,
    Unit,
    Volume,
    Window,
)
from inference.studies.reader import load, scan, thumbnail, with_modality
from inference.studies.watch import Watch

__all__ = [
    "Code",
    "Found",
    "Problem",
    "Series",
    "SliceSource",
    "SourceKind",
    "Study",
    "Unit",
    "Volume",
    "Watch",
    "Window",
    "is_localizer",
    "load",
    "main_series",
    "require_single",
    "scan",
    "select",
    "thumbnail",
    "with_modality",
]
