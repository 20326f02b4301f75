"""Findings kept between runs: one archive an analysis, in the user's data folder.

Kept by series, grid and models, as measurements are kept by series and grid. Names are hashes; the
content names no patient. The oldest go when there are too many.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from inference import __version__, atomic, locks
from inference.errors import BadInputError, ExportRefusedError, NotWrittenError
from inference.export import archive
from inference.measurements.model import grid_key
from inference.models import ModelStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from inference.findings import Findings
    from inference.studies.model import Volume

__all__ = ["DEFAULT_LIMIT", "FindingsStore", "Kept", "Mark", "default_folder", "made_in_words"]

DEFAULT_LIMIT: Final = 1_000_000_000
"""Bytes: some hundred CT."""

_FORMAT: Final = "secondread-kept-findings"
_VERSION: Final = 1
_NOTE: Final = "kept.json"
_STAMP: Final = "%Y%m%dT%H%M%S%f"
_WAIT_SECONDS: Final = 10.0
_ELSEWHERE: Final = (
    "Another window has analysed this series meanwhile; what was found here is kept in place of "
    "what was found there, and decisions on lesions that were made there are not shown with it."
)


@dataclass(frozen=True, slots=True)
class Mark:
    """What is known of kept findings without reading them.

    Parameters
    ----------
    made
        When they were made, ISO 8601 with the zone.
    because
        Why they are stale: with what they were made that is not there now, in words; empty where
        they are current.
    streams, recogniser
        What the analysis was asked for, see `inference.systems.base.Context`.
    """

    made: str
    because: str = ""
    streams: str = "default"
    recogniser: str = "default"

    @property
    def stale(self) -> bool:
        """An analysis now could say something else."""
        return bool(self.because)

    @property
    def sentence(self) -> str:
        """When they were made and, where they are stale, with what."""
        if not self.because:
            return f"Made on {made_in_words(self.made)}."
        return f"Made on {made_in_words(self.made)} {self.because}; analyse again."


@dataclass(frozen=True, eq=False, slots=True)
class Kept:
    """Findings of exactly the volume that was asked for, and when and with what they were made."""

    findings: Findings
    mark: Mark


def default_folder() -> Path:
    """Where findings are kept."""
    from platformdirs import user_data_path

    return user_data_path("secondread", appauthor=False) / "findings"


def made_in_words(made: str) -> str:
    """Day and minute in the reader's own time.

    Parameters
    ----------
    made
        ISO 8601 with a zone; returned as it is where it is something else.
    """
    try:
        moment = datetime.fromisoformat(made)
    except ValueError:
        return made
    return moment.astimezone().strftime("%Y-%m-%d %H:%M") if moment.tzinfo else made


class FindingsStore:
    """Kept findings in a folder.

    Every method reads or writes files and belongs on a worker's thread.

    Parameters
    ----------
    folder
        None: the user's own. Made, for the user alone, with the first findings.
    models
        Folder of the installed models; None: those that come with SecondRead.
    """

    def __init__(self, folder: Path | None = None, models: Path | None = None) -> None:
        self.folder = folder if folder is not None else default_folder()
        self._models = models
        self._seen: set[str] = set()

    # -- keeping -----------------------------------------------------------------------------

    def save(
        self,
        findings: Findings,
        volume: Volume,
        limit: int = DEFAULT_LIMIT,
        *,
        streams: str = "default",
        recogniser: str = "default",
    ) -> str:
        """Keep findings, in place of older ones of the same series, grid and models.

        They appear in one step, complete, so that a crash leaves the old ones or the new ones.
        Another process that looks for them waits until the old ones have gone.

        Parameters
        ----------
        findings
            Of this volume.
        volume
            Its identity and content are noted as hashes.
        limit
            Bytes of all that is kept; the oldest go, but never those just kept.
        streams, recogniser
            What the analysis was asked for.

        Returns
        -------
        str
            A sentence where these have taken the place of findings that another window has kept
            since this one looked, or ``""``.

        Raises
        ------
        ExportRefusedError
            When they belong to another volume, or (`NotWrittenError`) the folder cannot be written.
        """
        key = f"{grid_key(volume)}-{_spoken_by(findings, volume)}"
        note = {
            "format": _FORMAT,
            "version": _VERSION,
            "modality": volume.modality,
            "made": findings.created,
            "standing": _standing(findings, ModelStore(self._models)),
            "streams": streams,
            "recogniser": recogniser,
        }
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with atomic.part_folder(self.folder) as part:
                archive.save(findings, volume, part)
                atomic.replace_text(part / _NOTE, json.dumps(note, indent=1) + "\n")
                stamp = datetime.now(UTC).strftime(_STAMP)
                new = self.folder / f"{key}-{stamp}"
                with self._alone():
                    part.rename(new)
                    others = [old for old in self._archives(key) if old != new]
                    for old in others:
                        shutil.rmtree(old, ignore_errors=True)
        except (OSError, NotWrittenError) as error:
            cause = error.__cause__ if isinstance(error, NotWrittenError) else error
            reason = getattr(cause, "strerror", None) or type(cause).__name__
            raise NotWrittenError(
                f"The findings could not be kept in {self.folder} ({reason}); export them before "
                "you close SecondRead."
            ) from error
        unknown = {old.name for old in others} - self._seen
        self._seen.add(new.name)
        self.trim(limit, spare=new)
        return _ELSEWHERE if unknown else ""

    def trim(self, limit: int, spare: Path | None = None) -> None:
        """Let the oldest go until no more than `limit` bytes are left."""
        sizes = [(each, _size(each)) for each in sorted(self._archives(), key=_stamp_of)]
        total = sum(size for _, size in sizes)
        for each, size in sizes:
            if total <= limit:
                return
            if each != spare:
                shutil.rmtree(each, ignore_errors=True)
                total -= size

    def clear(self) -> None:
        """Forget all findings.

        Raises
        ------
        ExportRefusedError
            When some cannot be deleted.
        """
        for each in self._archives():
            shutil.rmtree(each, ignore_errors=True)
        if self.size():
            raise ExportRefusedError(
                f"Some of the findings in {self.folder} could not be deleted; see that the folder "
                "may be written, and try again."
            )

    def size(self) -> int:
        """Bytes of all that is kept."""
        return sum(_size(each) for each in self._archives())

    # -- bringing back -----------------------------------------------------------------------

    def knows(self, volume: Volume) -> bool:
        """Findings of this series and grid are kept; `load` says whether they still hold."""
        return any(self._archives(grid_key(volume)))

    def load(self, volume: Volume) -> tuple[Kept | None, str]:
        """Read the findings that were kept of exactly these values on exactly this grid.

        Parameters
        ----------
        volume
            The open volume.

        Returns
        -------
        tuple
            The newest that were made with the models there are now, else the newest stale ones,
            else None; and a sentence where some cannot be shown again, or ``""``.
        """
        with self._alone():
            return self._load(volume)

    def _load(self, volume: Volume) -> tuple[Kept | None, str]:
        stale: Kept | None = None
        refused = ""
        models = ModelStore(self._models)
        for place in sorted(self._archives(grid_key(volume)), key=_stamp_of, reverse=True):
            self._seen.add(place.name)
            note = _note_of(place)
            if note is None or note["modality"] != volume.modality:
                continue
            try:
                findings = archive.load(place, volume)
            except BadInputError as error:
                refused = refused or str(error)
                continue
            kept = Kept(findings, _mark(note, models, findings))
            if not kept.mark.stale:
                return kept, ""
            stale = stale or kept
        return stale, "" if stale is not None else refused

    def marks(self, series_uids: Iterable[str]) -> dict[str, Mark]:
        """Say of which series findings are kept, by the series alone: grid and values may differ.

        A series whose newest findings are current counts as current.
        """
        found: dict[str, Mark] = {}
        models = ModelStore(self._models)
        wanted = {_series_part(uid): uid for uid in series_uids}
        for place in sorted(self._archives(), key=_stamp_of):
            uid = wanted.get(place.name.partition("-")[0])
            note = None if uid is None else _note_of(place)
            if uid is None or note is None:
                continue
            mark = _mark(note, models)
            before = found.get(uid)
            if before is None or before.stale or not mark.stale:
                found[uid] = mark
        return found

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let no other process replace or read findings meanwhile, as far as that can be had."""
        lock = locks.take(self.folder.with_name(f".{self.folder.name}.lock"), _WAIT_SECONDS)
        try:
            yield
        finally:
            if lock is not None:
                lock.close()

    def _archives(self, key: str = "") -> Iterator[Path]:
        """Complete archives whose name begins with a key."""
        with suppress(OSError):
            yield from [
                each
                for each in self.folder.iterdir()
                if not each.name.startswith(".")
                and (not key or each.name.startswith(f"{key}-"))
                and (each / _NOTE).is_file()
            ]


def _series_part(uid: str) -> str:
    """How `grid_key` begins."""
    return hashlib.sha256(uid.encode()).hexdigest()[:32]


def _spoken_by(findings: Findings, volume: Volume) -> str:
    """A part of a hash of who spoke: other models, or a picture taken for another kind."""
    parts = [findings.system, volume.modality]
    parts += sorted(f"{model.name} {model.sha256}" for model in findings.models)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _standing(findings: Findings, store: ModelStore) -> dict[str, Any]:
    return _standing_of(sorted({model.name for model in findings.models}), store)


def _standing_of(names: list[str], store: ModelStore) -> dict[str, Any]:
    """What decides what these models say: program, weights, calibrations, cuts, who is asked."""
    records = {record.name: record for record in store.records}
    states = [
        f"{name} {records[name].sha256} {records[name].calibrations} {records[name].thresholds}"
        if name in records
        else f"{name} is not installed"
        for name in names
    ]
    cuts = {form: {key: asdict(cut) for key, cut in each.items()}
            for form, each in store.form_cuts.items()}  # fmt: skip
    shared = [store.default_streams, store.default_recognisers, store.silent, cuts]
    text = json.dumps([states, shared], sort_keys=True, default=str)
    return {
        "program": __version__,
        "models": names,
        "state": hashlib.sha256(text.encode()).hexdigest(),
    }


def _mark(note: dict[str, Any], store: ModelStore, findings: Findings | None = None) -> Mark:
    before = note["standing"]
    now = _standing_of(before["models"], store)
    changed = before["state"] != now["state"]
    if findings is not None:
        # The weights that spoke, as the findings themselves name them.
        installed = {record.name: record.sha256 for record in store.records}
        changed = changed or any(
            installed.get(model.name, model.sha256) != model.sha256 for model in findings.models
        )
    because = ""
    if changed:
        because = "with other models than those installed now"
    elif before["program"] != now["program"]:
        because = f"with SecondRead {before['program']}, not {now['program']}"
    return Mark(note["made"], because, note["streams"], note["recogniser"])


def _note_of(place: Path) -> dict[str, Any] | None:
    """Read the note beside an archive; None where it is none of ours."""
    try:
        note = json.loads((place / _NOTE).read_text("utf-8"))
        whole = note["format"] == _FORMAT and note["version"] == _VERSION
        texts = all(isinstance(note[name], str) for name in ("modality", "made"))
        asked = all(isinstance(note[name], str) for name in ("streams", "recogniser"))
        standing = note["standing"]
        listed = isinstance(standing["models"], list)
        listed = listed and {"program", "state"} <= standing.keys()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return note if whole and texts and asked and listed else None


def _stamp_of(place: Path) -> str:
    return place.name.rpartition("-")[2]


def _size(place: Path) -> int:
    total = 0
    with suppress(OSError):
        for file in place.iterdir():
            total += file.stat().st_size
    return total
