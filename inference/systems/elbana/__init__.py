"""El-bana et al.: recognition, manifestations, then one specialised stream a manifestation.

The second and third stage run even when the first is negative, as the paper asks (early signs).
X-ray gets the first stage alone: the others were made for CT.

`planning` says what is analysed, `runner` runs the networks over it, `estimates` and `masks` make
of their output what the findings hold, and `system` puts these together. Where slices are prepared
and masks made, on the host or beside the networks, is up to `ways` and `device_way`.
"""

from __future__ import annotations

from inference.systems.elbana.estimates import most_suspicious
from inference.systems.elbana.masks import (
    EFFUSION_MARGIN_MM,
    LUNG_MARGIN_MM,
    combine,
    mean_of_networks,
    stream_probabilities,
)
from inference.systems.elbana.system import ElBana

__all__ = [
    "EFFUSION_MARGIN_MM",
    "LUNG_MARGIN_MM",
    "ElBana",
    "combine",
    "mean_of_networks",
    "most_suspicious",
    "stream_probabilities",
]
