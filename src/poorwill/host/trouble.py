"""What this host runs short of, in words: what happened, and what to do about it."""

from __future__ import annotations

import errno

_HINTS = {
    errno.EMFILE: "raise the limit of open files: ulimit -n, or LimitNOFILE= in the systemd unit",
    errno.ENFILE: "the whole host has too many files open: see sysctl fs.file-nr",
    errno.ENOSPC: "make room on that disk; it goes on by itself then",
    errno.EDQUOT: "make room within the quota of this user; it goes on by itself then",
    errno.EROFS: "the disk is read-only: see `dmesg` for why, and mount it for writing again",
    errno.EIO: "the disk refused: see `dmesg` whether it is failing",
    errno.EACCES: "give this user the right to do that, or choose another place",
    errno.EPERM: "give this user the right to do that, or choose another place",
    errno.EAGAIN: "the host has too many processes: see ulimit -u, or TasksMax= in the systemd unit",
    errno.ENOMEM: "the host has no memory left",
}


def hint(error: OSError) -> str:
    """What to do about it; empty when that is not known."""
    return _HINTS.get(error.errno or 0, "")


def words(error: OSError) -> str:
    """What happened, with the file it happened to."""
    what = error.strerror or str(error)
    return f"{what}: {error.filename}" if error.filename else what
