"""The model store: weights as safetensors, and a manifest that says what they are.

Nothing is unpickled; a file whose SHA-256 is not the manifest's is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inference import atomic
from inference.calibration import Calibration
from inference.cuts import Cut
from inference.errors import AnalysisError
from inference.findings import Manifestation
from inference.model_record import DESCRIPTION, LICENCE, ModelRecord, Split

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "DESCRIPTION",
    "FORMS",
    "LICENCE",
    "MAX_FILE_BYTES",
    "MAX_TOTAL_BYTES",
    "ModelRecord",
    "ModelStore",
    "Split",
]

MAX_FILE_BYTES = 48_000_000
MAX_TOTAL_BYTES = 160_000_000
MANIFEST_FORMAT = 1
FORMS = ("shared", "separate", "mixed", "all")
"""How the streams may be arranged: one encoder for all; a network each, as the paper has it; one
encoder for all, averaged with a U-Net or with networks that know some of the lesions only; one
network that gives every pixel one class."""


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _without_weights(record: ModelRecord) -> nn.Module:
    """A network whose tensors are yet to be given, since drawing random ones takes seconds.

    A tensor that no file of weights holds (a buffer that is not persistent) would never be given:
    a network with such a tensor is made with all of them.
    """
    import torch

    from inference.networks.factory import make_network

    with torch.device("meta"):
        network = make_network(record.kind, record.network)
    given = network.state_dict().keys()
    if all(name in given for name, _ in network.named_buffers()):
        return network
    return make_network(record.kind, record.network)


class ModelStore:
    """Models in a folder with a ``manifest.json``.

    Parameters
    ----------
    folder
        None: the models that come with SecondRead.

    Raises
    ------
    AnalysisError
        When the manifest cannot be read.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(str(resources.files("resources"))) / "models"
        self.records: tuple[ModelRecord, ...] = ()
        self.default_streams = "shared"
        self.default_reason = ""
        self.default_recognisers: dict[str, str] = {}
        self.recogniser_reason = ""
        self.silent: dict[str, dict[str, tuple[str, ...]]] = {}
        """By form and model, the streams in which others of the form speak alone."""
        self.form_cuts: dict[str, dict[Manifestation, Cut]] = {}
        self.cuts_reason = ""
        path = self.folder / "manifest.json"
        if not path.is_file():
            return
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] != MANIFEST_FORMAT:
                raise AnalysisError(
                    f"The model manifest has format {content['format']}, this program reads "
                    f"{MANIFEST_FORMAT}; install the matching version."
                )
            self.default_streams = content["default_streams"]
            self.default_reason = content["default_reason"]
            self.default_recognisers = dict(content.get("default_recognisers", {}))
            self.recogniser_reason = content.get("recogniser_reason", "")
            self.silent = {
                form: {name: tuple(streams) for name, streams in models.items()}
                for form, models in content.get("silent", {}).items()
            }
            self.form_cuts = {
                form: {Manifestation(key): Cut(**cut) for key, cut in cuts.items()}
                for form, cuts in content.get("cuts", {}).items()
            }
            self.cuts_reason = content.get("cuts_reason", "")
            self.records = tuple(self._record(r) for r in content["models"])
        except (KeyError, TypeError, ValueError) as error:
            raise AnalysisError(
                "The model manifest is damaged; install SecondRead again."
            ) from error

    @staticmethod
    def _record(values: dict[str, Any]) -> ModelRecord:
        split = {key: tuple(value) for key, value in values["split"].items()}
        return ModelRecord(
            **{
                **values,
                "split": Split(**split),
                "modalities": tuple(values.get("modalities", ("CT", "CXR"))),
                "figures": tuple(values.get("figures", ())),
                "calibrations": tuple(
                    Calibration.from_json(c) for c in values.get("calibrations", ())
                ),
            }
        )

    def write(self, records: Sequence[ModelRecord]) -> None:
        """Write the manifest with these records; the order is that of their names."""
        self.records = tuple(sorted(records, key=lambda r: r.name))
        content = {
            "format": MANIFEST_FORMAT,
            "default_streams": self.default_streams,
            "default_reason": self.default_reason,
            "default_recognisers": self.default_recognisers,
            "recogniser_reason": self.recogniser_reason,
            "silent": self.silent,
            "cuts": {
                form: {key.value: asdict(cut) for key, cut in cuts.items()}
                for form, cuts in self.form_cuts.items()
            },
            "cuts_reason": self.cuts_reason,
            "models": [
                {key: value for key, value in asdict(r).items() if key != "silent"}
                for r in self.records
            ],
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        atomic.replace_text(self.folder / "manifest.json", text, mode=atomic.OPEN)

    def find(self, name: str) -> ModelRecord:
        """The record of that name.

        Raises
        ------
        AnalysisError
            When there is none.
        """
        for record in self.records:
            if record.name == name:
                return record
        known = ", ".join(r.name for r in self.records) or "none"
        raise AnalysisError(
            f"There is no model {name!r} (there are: {known}); train or install it."
        )

    def recogniser(self, *, ct: bool, name: str = "default") -> ModelRecord:
        """The recogniser for CT, or for X-ray.

        Parameters
        ----------
        ct
            Which of the two.
        name
            ``"default"``, the manifest's choice, or a recogniser of that modality; where the
            manifest makes no choice, the first that is installed.

        Raises
        ------
        AnalysisError
            When there is none, or none of that name.
        """
        modality, what = ("CT", "CT") if ct else ("CXR", "X-ray")
        known = [r for r in self.records if r.kind == "recognition" and r.reads == modality]
        if not known:
            raise AnalysisError(f"No recogniser for {what} is installed; train or install one.")
        wanted = self.default_recognisers.get(modality, known[0].name)
        wanted = wanted if name == "default" else name
        chosen = next((r for r in known if r.name == wanted), None)
        if chosen is None:
            there = ", ".join(r.name for r in known)
            raise AnalysisError(
                f"There is no recogniser {wanted!r} for {what} (there are: {there})."
            )
        return chosen

    def recognisers_in_words(self) -> str:
        """Which recogniser reads which modality unless another is asked for, and why."""
        named = {"CT": "CT", "CXR": "X-ray"}
        default = [f"{named[m]}: {name}" for m, name in sorted(self.default_recognisers.items())]
        return f"Default recogniser of {', '.join(default)}. {self.recogniser_reason}".strip()

    def streams(self, form: str) -> tuple[ModelRecord, ...]:
        """The records that together are a form of the streams.

        Parameters
        ----------
        form
            ``"default"`` or one of `FORMS`.

        Returns
        -------
        tuple of ModelRecord
            Where several mark the same manifestation, the mean of them counts; but see
            `ModelRecord.silent`.

        Raises
        ------
        AnalysisError
            When the form is unknown, or its models are not installed or do not fit together.
        """
        wanted = self.default_streams if form == "default" else form
        if wanted not in FORMS:
            raise AnalysisError(f"Streams are {', '.join(FORMS[:-1])} or all, not {form!r}.")
        installed = [r for r in self.records if r.kind == "streams"]
        whole = [r for r in installed if r.streams == ("all",)]
        shared, separate = (
            [r for r in installed if r.form == name and r not in whole]
            for name in ("shared", "separate")
        )
        # The paper's frame, a decoder for each stream, is the form; a U-Net helps it, if it can.
        framed = [r for r in shared if r.network.get("decoder") != "unet"] or shared
        most = max((len(r.streams) for r in framed), default=0)
        complete = [r for r in framed if len(r.streams) == most]
        helpers = [r for r in shared if r not in complete]
        chosen = {
            "shared": complete,
            "separate": separate,
            "mixed": [*complete, *helpers] if helpers else [],
            "all": whole,
        }[wanted]
        if not chosen:
            raise AnalysisError(f"No models of the form {wanted!r} are installed; choose another.")
        if len({r.framing for r in chosen}) > 1:
            raise AnalysisError(
                f"The models of the form {wanted!r} are shown different parts of a picture; "
                "install streams of one framing."
            )
        silent = self.silent.get(wanted, {})
        return tuple(replace(r, silent=silent[r.name]) if r.name in silent else r for r in chosen)

    def cuts(self, form: str) -> dict[Manifestation, Cut]:
        """How the probabilities of a form of the streams become masks.

        Parameters
        ----------
        form
            As `streams`.

        Returns
        -------
        dict
            Those that were chosen for the form; what is not named is cut at one half.
        """
        return dict(self.form_cuts.get(self.default_streams if form == "default" else form, {}))

    def form_of(self, record: ModelRecord) -> str:
        """Of streams: the first of `FORMS` in which they speak; empty when in none."""
        for form in FORMS:
            try:
                if record.name in {r.name for r in self.streams(form)}:
                    return form
            except AnalysisError:
                continue
        return ""

    def evidence(
        self, recogniser: ModelRecord, streams: Sequence[ModelRecord]
    ) -> ModelRecord | None:
        """The evidence that was fitted to weights among these, as described now; else None."""
        loaded = {r.name: r.sha256 for r in (recogniser, *streams)}
        return next(
            (
                r for r in self.records
                if r.kind == "evidence"
                and r.fitted_to.items() <= loaded.items()
                and r.description == DESCRIPTION
            ),
            None,
        )  # fmt: skip

    def why_no_evidence(self, recogniser: ModelRecord, streams: Sequence[ModelRecord]) -> str:
        """In a sentence: what `evidence` cannot give; empty where none was fitted at all."""
        installed = [r for r in self.records if r.kind == "evidence"]
        if not installed or self.evidence(recogniser, streams) is not None:
            return ""
        loaded = {r.name for r in (recogniser, *streams)}
        absent = [name for name in installed[0].fitted_to if name not in loaded]
        why = "the evidence of the lesion streams was fitted to other weights"
        if absent:
            why = f"the evidence of the lesion streams was fitted to {absent[0]}, which did not run"
        elif installed[0].description != DESCRIPTION:
            why = "the evidence was fitted to another description of pictures"
        return f"COVID-19 was judged by {recogniser.name} alone: {why}."

    def verify(self, record: ModelRecord) -> None:
        """Check a file's presence and SHA-256.

        Raises
        ------
        AnalysisError
            In words.
        """
        path = self.folder / record.file
        if not path.is_file():
            raise AnalysisError(f"The weights {record.file} are missing; install SecondRead again.")
        if _sha256(path) != record.sha256:
            raise AnalysisError(
                f"The weights {record.file} are not those of the manifest (SHA-256 differs); "
                "they were not loaded. Install SecondRead again."
            )

    def load(self, record: ModelRecord) -> nn.Module:
        """A network with its weights, in float32 and evaluation mode.

        Raises
        ------
        AnalysisError
            When the file is missing, altered or does not fit.
        """
        from safetensors.torch import load_file

        self.verify(record)
        network = _without_weights(record)
        try:
            network.load_state_dict(load_file(self.folder / record.file), assign=True)
        except RuntimeError as error:
            raise AnalysisError(
                f"The weights {record.file} do not fit their network; install SecondRead again."
            ) from error
        return network.float().eval()

    def install(self, weights: Path, record: ModelRecord, *, to_ship: bool = True) -> ModelRecord:
        """Copy a weights file beside the manifest and enter it, replacing one of that name.

        Parameters
        ----------
        weights
            A safetensors file.
        record
            Its description; `file`, `sha256` and `bytes` are filled in here.
        to_ship
            Refuse what is too large for the program's own weights; a comparison's store, which
            stays where it was trained, may be of any size.

        Raises
        ------
        AnalysisError
            When the file, or all together, would be too large to ship.
        """
        content = weights.read_bytes()
        entered = replace(
            record,
            file=f"{record.name}.safetensors",
            sha256=hashlib.sha256(content).hexdigest(),
            bytes=len(content),
        )
        others = [r for r in self.records if r.name != record.name]
        if to_ship and len(content) > MAX_FILE_BYTES:
            raise AnalysisError(f"{weights.name} is larger than {MAX_FILE_BYTES // 10**6} MB.")
        if to_ship and len(content) + sum(r.bytes for r in others) > MAX_TOTAL_BYTES:
            raise AnalysisError(f"All weights together pass {MAX_TOTAL_BYTES // 10**6} MB.")
        self.folder.mkdir(parents=True, exist_ok=True)
        atomic.replace_bytes(self.folder / entered.file, content, mode=atomic.OPEN)
        self.write([*others, entered])
        return entered
