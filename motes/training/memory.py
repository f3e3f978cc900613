"""Lets the process keep memory that tensors gave back, so that the next step need not ask the system for it
again."""

import ctypes
import sys

# mallopt's numbers for the two thresholds, from glibc's malloc.h
TRIM_THRESHOLD = -1
MMAP_THRESHOLD = -3
# glibc raises its thresholds to at most these by itself, but late, and to less where tensors are smaller
LARGEST_BLOCK = 32 << 20
LARGEST_REST = 64 << 20


def keep_freed_memory() -> None:
    """Set glibc's thresholds to the largest values that it would choose itself; do nothing where there is no
    glibc.

    A block above the first threshold is mapped anew for each tensor, and what is free above the second goes
    back to the system. Every page that comes again is filled with zeros first: thousands in a step.
    """
    if sys.platform != "linux":
        return
    # Linux without glibc has no mallopt
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(MMAP_THRESHOLD, LARGEST_BLOCK)
        mallopt(TRIM_THRESHOLD, LARGEST_REST)
