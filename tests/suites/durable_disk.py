"""A disk that is really full, and what is seen of a store on it."""

import contextlib
import pathlib
import subprocess
import tempfile
import time

import service

DISK = 6 * 1024 * 1024
"""The size of the small disk, in bytes."""

PATIENCE = 20
"""How long something that has to come by itself may take, in seconds."""


@contextlib.contextmanager
def small_disk():
    """A folder on a disk of its own that is soon full; None where it can't be had."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="aws-ilm-full-"))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=700", "tmpfs", str(folder)],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True)
    try:
        if mounted.returncode != 0:
            print(f"      not done: no disk can be mounted here, which takes root: {mounted.stderr.strip()}")
            yield None
        else:
            yield folder
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", str(folder)], check=True, stdin=subprocess.DEVNULL)
        folder.rmdir()


def fill(folder):
    """Takes all the room that is left, to the last page."""
    with open(folder / "filling", "wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size) == size:
                    pass


def until(holds):
    """Waits until something holds; whether it came to that."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.1)
    return False


def store_status(ours):
    """What readiness says of the store."""
    answer = service.request("GET", f"{ours.url}/health/ready")
    return answer.status, (answer.json or {}).get("status"), (answer.json or {}).get("store")
