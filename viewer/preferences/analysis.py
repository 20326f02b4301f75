"""Settings: what the next analysis is asked for."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from inference.errors import AnalysisError
from inference.models import FORMS, ModelStore
from viewer.options import BATCHES, DEVICES
from viewer.preferences.page import Page, note

if TYPE_CHECKING:
    from viewer.options import Chosen

__all__ = ["AnalysisPage"]

_FORMS = {
    "shared": "Shared: one network marks all",
    "separate": "Separate: one network a manifestation, as in the paper",
    "mixed": "Mixed: the mean of several networks",
    "all": "All in one: each pixel has one answer",
}


class AnalysisPage(Page):
    """Device, models, threads and memory.

    Parameters
    ----------
    chosen
        What is shown and changed.
    store
        The models that are installed.

    Raises
    ------
    AnalysisError
        When the manifest of the models cannot be read.
    """

    title = "Analysis"
    fields = (
        "device", "streams", "recogniser_ct", "recogniser_xray", "threads", "batch_size",
    )  # fmt: skip

    def __init__(self, chosen: Chosen, store: ModelStore) -> None:
        super().__init__(chosen)
        self.rows.addWidget(
            note(
                "What is chosen here is asked of the next analysis. Results on the screen stay, "
                "and go on saying what made them."
            )
        )
        form = self.add_form()
        absent = "cuda" if sys.platform == "darwin" else "mps"
        devices = {name: text for name, text in DEVICES.items() if name != absent}
        self.add_choice(form, "device", "Device", devices)
        forms = {"default": f"The models' own: {store.default_streams}"}
        forms |= {name: _FORMS[name] for name in FORMS if _installed(store, name)}
        self.add_choice(form, "streams", "Lesion networks", forms)
        for field, label, reads in (
            ("recogniser_ct", "Recogniser for CT", "CT"),
            ("recogniser_xray", "Recogniser for X-ray", "CXR"),
        ):
            names = [r.name for r in store.records if r.kind == "recognition" and r.reads == reads]
            own = store.default_recognisers.get(reads, names[0] if names else "none installed")
            texts = {"default": f"The models' own: {own}"} | {name: name for name in names}
            self.add_choice(form, field, label, texts)
        cores = os.cpu_count() or 1
        counts = {1 << power for power in range(cores.bit_length())} | {cores, chosen.now.threads}
        threads = {0: f"As many as there are cores: {cores}"}
        threads |= {count: str(count) for count in sorted(counts - {0})}
        self.add_choice(
            form, "threads", "Processor threads", threads,
            "Fewer leave room for other programs. It counts from the next start of SecondRead.",
        )  # fmt: skip
        batches = {size: f"{size} slices" if size > 1 else "1 slice" for size in BATCHES}
        self.add_choice(
            form, "batch_size", "Memory: slices at a time", batches,
            "Fewer need less memory; it is halved by itself when memory runs out.",
        )  # fmt: skip
        self.rows.addStretch(1)
        self.show_choices()


def _installed(store: ModelStore, form: str) -> bool:
    try:
        store.streams(form)
    except AnalysisError:
        return False
    return True
