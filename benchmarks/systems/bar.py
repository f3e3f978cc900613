"""What a system must show: a system's file has BARS, a list of these, and measure(seed, folder) -> {measure: value}."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Bar:
    """A measured number, in words, and where it should lie; without a limit it is printed for comparison only."""

    measure: str
    about: str
    side: Literal["<=", ">="] = "<="
    limit: float | None = None

    @property
    def said(self) -> str:
        return "" if self.limit is None else f"{self.side} {self.limit:g}"

    def met(self, value: float) -> bool:
        assert self.limit is not None
        return value <= self.limit if self.side == "<=" else value >= self.limit
