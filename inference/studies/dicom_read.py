"""Headers of many files: from the index where it knows them, else read, one at a time or several.

Parsing a header is arithmetic in Python, so that on a local disk threads gain little or lose
(`python -m tests.benchmarks.scanning`). Where the first headers show that reading waits for the
disk more than it computes, as on network drives, several are read at a time.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Final

from inference.studies import dicom_header
from inference.studies.dicom_header import Header, NotAnImageError
from inference.studies.find import UnreadableError
from inference.studies.index import Index, stamp_of

__all__ = ["Said", "read_headers"]

Said = Header | NotAnImageError | UnreadableError
"""What came of a file."""

_TRIAL: Final = 24
"""Headers read one after the other to learn how the disk is."""
_WAITING: Final = 3.0
"""Several are read at a time where reading takes this many times longer than it computes."""
_THREADS: Final = 8


def read_headers(paths: Sequence[Path], index: Index) -> Iterator[tuple[Path, Said]]:
    """Yield what each file says, in the order of the paths.

    The consumer may stop at any time; threads then end with the file that they are at.
    """
    pending = iter(paths)
    spent = computed = 0.0
    read = 0
    for path in pending:
        known = _known(path, index)
        if known is None:
            start, cpu = time.perf_counter(), time.thread_time()
            known = _read(path, index)
            spent += time.perf_counter() - start
            computed += time.thread_time() - cpu
            read += 1
        yield path, known
        if read >= _TRIAL and spent > _WAITING * computed:
            yield from _several(pending, index)
        elif read >= _TRIAL:
            read, spent, computed = 0, 0.0, 0.0


def _several(paths: Iterator[Path], index: Index) -> Iterator[tuple[Path, Said]]:
    """The same with threads; the index stays with the caller's."""
    running: deque[tuple[Path, Said | Future[tuple[tuple[int, int, int] | None, Said]]]] = deque()
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="headers") as pool:
        try:
            while True:
                for path in islice(paths, 2 * _THREADS - len(running)):
                    running.append((path, _known(path, index) or pool.submit(_parse, path)))
                if not running:
                    return
                path, said = running.popleft()
                if isinstance(said, Future):
                    stamp, said = said.result()
                    _keep(path, stamp, said, index)
                yield path, said
        finally:
            pool.shutdown(cancel_futures=True)


def _known(path: Path, index: Index) -> Said | None:
    known = index.header(path)
    return NotAnImageError(known) if isinstance(known, str) else known


def _read(path: Path, index: Index) -> Said:
    stamp, said = _parse(path)
    _keep(path, stamp, said, index)
    return said


def _parse(path: Path) -> tuple[tuple[int, int, int] | None, Said]:
    stamp = stamp_of(path)
    try:
        return stamp, dicom_header.read_header(path)
    except (NotAnImageError, UnreadableError) as error:
        return stamp, error


def _keep(path: Path, stamp: tuple[int, int, int] | None, said: Said, index: Index) -> None:
    """Keep what was read; damaged files are few, and may be whole the next time."""
    if isinstance(said, NotAnImageError):
        index.keep(path, stamp, str(said))
    elif isinstance(said, Header):
        index.keep(path, stamp, said)
