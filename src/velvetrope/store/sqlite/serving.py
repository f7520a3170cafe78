"""One serving process for each SQLite file: it has rows in memory that nobody else may run."""

from __future__ import annotations

import errno
import fcntl
import os

from velvetrope.store.serving import AlreadyServedError


class ServingLock:
    """Holds `<database>.lock` from its making until `close`, or until the process ends."""

    def __init__(self, path: str) -> None:
        self._file = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._file, 20, 0)
            os.close(self._file)
            if error.errno in {errno.EAGAIN, errno.EACCES}:
                raise AlreadyServedError(path, int(holder or 0)) from None
            raise
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode(), 0)

    def close(self) -> None:
        """Let another process serve."""
        if self._file >= 0:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = -1
