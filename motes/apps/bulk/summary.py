"""`Summary`: what became of all parts, in a file and in sentences."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from motes.apps.bulk.part_file import Outcome, Work
from motes.apps.bulk.parts import BulkPart
from motes.plain.writing import whole_file
from motes.version import VERSION

# with this first letter, readers of a folder of parquet files pass it over
FILE = "_summary.json"
# files that are named in the summary, and on the screen
NAMED = (1000, 10)


@dataclass
class Summary:
    """Counts of parts and pictures, and the names of those that failed."""

    # with a file
    parts: int = 0
    rows: int = 0
    bad: int = 0
    # the first of the files and frames that could not be read: each with the reason, and the name of its part's file
    bad_files: list[tuple[str, str, str]] = field(default_factory=list)
    # parts without a file, with the reason
    left_out: list[tuple[BulkPart, str]] = field(default_factory=list)

    def add(self, part: BulkPart, outcome: Outcome) -> None:
        if outcome.failure:
            self.left_out.append((part, outcome.failure))
            return
        self.parts += 1
        self.rows += outcome.rows
        self.bad += len(outcome.bad)
        named = outcome.bad[: NAMED[0] - len(self.bad_files)]
        self.bad_files += [(picture, error, outcome.file) for picture, error in named]

    @property
    def flawless(self) -> bool:
        return not (self.bad or self.left_out)

    def write(self, work: Work) -> None:
        content: dict[str, Any] = {
            "motes": VERSION,
            "model": work.model,
            "weights": work.weights,
            "parts": self.parts,
            "rows": self.rows,
            "bad": self.bad,
            "bad_files": [
                {"picture": picture, "error": error, "part": file} for picture, error, file in self.bad_files
            ],
            "left_out": [
                {"files": part.files, "frames": part.frames, "reason": reason}
                for part, reason in self.left_out
            ],
        }
        with whole_file(Path(work.out, FILE)) as fresh:
            fresh.write_text(json.dumps(content, indent=2) + "\n")

    def complaints(self) -> Iterator[str]:
        """A sentence for each file that could not be read, up to a number, and for each part that was left out."""
        for _, error, _ in self.bad_files[: NAMED[1]]:
            yield f"could not be read: {error}"
        if self.bad > NAMED[1]:
            yield f"and {self.bad - NAMED[1]:,} more that could not be read; the column error and {FILE} name them"
        for part, reason in self.left_out:
            yield f"left out: {part}: {reason}"
