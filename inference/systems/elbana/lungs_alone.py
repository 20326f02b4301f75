"""Coronal and sagittal slices: the networks know axial ones only, so the lungs alone are measured.

Axial slices made of them would not do. Their pixels are as oblong as the stored slices lie apart,
which the networks have never seen, and what is said of a slice would be said of none that the
reader can look at.
"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from inference.clock import Clock
from inference.domain import refuse_nothing
from inference.errors import OutsideDomainError
from inference.findings import Domain, Findings
from inference.lungs import find_lungs
from inference.studies.model import Volume
from inference.systems.elbana.planning import CUT_NOTE

__all__ = ["axial_only", "measure_lungs"]

_ADVICE = "Open an axial series of this study, or have one made of it."


def axial_only(plane: str) -> str:
    """What is said to the reader of slices that are not axial.

    Parameters
    ----------
    plane
        As `inference.upright.plane_of`.
    """
    return f"These are {plane} slices, and the models know axial slices only."


def measure_lungs(volume: Volume, plane: str, system: str, clock: Clock) -> Findings:
    """Findings that hold the lungs and nothing else.

    Parameters
    ----------
    volume
        A CT whose slices are not axial.
    plane
        What they are.
    system
        Who asks.
    clock
        Running.

    Raises
    ------
    OutsideDomainError
        When no lungs can be found in it: then there is nothing to say.
    """
    refuse_nothing(volume)
    with clock.part("pre"):
        lungs = find_lungs(volume) if volume.is_ct else None
    if lungs is None or not lungs.found:
        raise OutsideDomainError(
            f"{axial_only(plane)} No lungs could be measured in them either, so nothing was "
            f"computed. {_ADVICE}"
        )
    doubt = f"{axial_only(plane)} Nothing but the lungs was computed. {_ADVICE}"
    lung_ml = float(lungs.mask.sum()) * volume.voxel_ml if volume.has_geometry else None
    return Findings(
        system=system,
        series_uid=volume.series_uid,
        shape=volume.shape,
        affine=volume.affine,
        estimates=(),
        segments=(),
        lungs=lungs.mask,
        lung_ml=lung_ml,
        analysed=np.zeros(volume.shape[0], dtype=bool),
        timings=clock.timings(),
        models=(),
        device="CPU",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        notes=(doubt, *((CUT_NOTE,) if lungs.cut else ())),
        domain=Domain(False, 0.0, (doubt,), "orientation of the slices"),
    )
