"""A CT on the screen whose findings have known lesions."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from inference.findings import Findings, Manifestation
from inference.studies.model import Study, Volume
from tests import factories
from tests.gui.lesions.making import CONSOLIDATION, GGO
from viewer.session import ReadingSession


@pytest.fixture
def opened(
    session: ReadingSession, make_study: Callable[..., Study], make_volume: Callable[..., Volume]
) -> SimpleNamespace:
    """A session with a CT on the screen, as wide as a chest."""
    study, volume = make_study("1.2.3"), make_volume(affine=np.diag([10.0, 8.0, 20.0, 1.0]))
    session.add_studies((study,))
    session.set_volume(study, study.series[0], volume)
    return SimpleNamespace(session=session, study=study, series=study.series[0], volume=volume)


@pytest.fixture
def findings(opened: SimpleNamespace, make_findings: Callable[..., Findings]) -> Findings:
    """Findings with real masks: two lesions of ground glass, a consolidation, and a speck."""
    volume: Volume = opened.volume
    lungs = np.zeros(volume.shape, bool)
    lungs[1:11, 4:36, 3:14] = True
    lungs[1:11, 4:36, 18:29] = True
    masks = {key: np.zeros(volume.shape, bool) for key in Manifestation}
    masks[GGO][2:5, 8:14, 4:9] = True
    masks[GGO][8:10, 20:30, 20:27] = True
    masks[CONSOLIDATION][6, 25:31, 5:12] = True
    masks[CONSOLIDATION][9, 6:8, 6:8] = True
    return make_findings(volume, factories.to_codes(masks), lungs=lungs)
