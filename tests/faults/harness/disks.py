"""File systems of a limited size."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


class Disk:
    """A tmpfs of some MiB, which can be filled and emptied. Only root can mount it; without root
    the scenario fails instead of passing untested."""

    def __init__(self, path: Path, mebibytes: int, owner: int = 0) -> None:
        assert os.getuid() == 0, "only root can mount a small disk; run this scenario as root"
        self.path, self.ballast = path, path / "ballast"
        path.mkdir(parents=True, exist_ok=True)
        options = f"size={mebibytes}m,mode=0755,uid={owner}"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], check=True)

    def fill(self) -> None:
        """Leaves no free block."""
        with self.ballast.open("ab", buffering=0) as file:
            for size in (1 << 20, 4096):
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError:
                    pass

    def free(self) -> int:
        """Free bytes."""
        disk = os.statvfs(self.path)
        return disk.f_bavail * disk.f_frsize

    def empty(self) -> None:
        self.ballast.unlink()

    def close(self) -> None:
        # Lazily: a killed process may have files open for a moment longer.
        subprocess.run(["umount", "--lazy", self.path], check=True)
