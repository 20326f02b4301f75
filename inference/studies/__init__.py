"""Files in, Study > Series > Volume out."""

from inference.studies.model import (
    Problem,
    Series,
    SliceSource,
    SourceKind,
    Study,
    Unit,
    Volume,
    Window,
)

__all__ = ["Problem", "Series", "SliceSource", "SourceKind", "Study", "Unit", "Volume", "Window"]
