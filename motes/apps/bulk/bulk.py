"""`encode_parts`: encodes a million pictures, part by part; called again, it goes on where it was stopped."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from motes.apps.bulk.engines import Engine
from motes.apps.bulk.part_file import Outcome, Work, read_outcome
from motes.apps.bulk.parts import PATTERN, BulkPart
from motes.apps.bulk.summary import FILE, Summary
from motes.errors import UserError
from motes.models.base import Model
from motes.plain.locking import locked

LOCK = ".lock"
# parts that fail one after the other until it is clear that the rest would fail too
IN_A_ROW = 3
# the number of all pictures, and of those that are done already -> is told how many more are done
Counting = Callable[[int, int], AbstractContextManager[Callable[[int], None]]]


def encode_parts(
    work: Work, model: Model, parts: Sequence[BulkPart], engine: Engine, counting: Counting
) -> Summary:
    """Encode all parts that have no file yet, and write a summary of all of them.

    `model` is that of the work. A part that ended its worker again and again is divided once, and a half that
    does it again is left out. The folder has the files of these parts alone, so that nothing is in it twice.
    """
    out = Path(work.out)
    refusal = f"{out} is being written by another motes encode; wait for it, or name another folder"
    with locked(out / LOCK, refusal):
        try:
            return _encode_all(work, model, parts, engine, counting)
        finally:
            _remove_leftovers(out)
            (out / LOCK).unlink()


def _encode_all(
    work: Work, model: Model, parts: Sequence[BulkPart], engine: Engine, counting: Counting
) -> Summary:
    _remove_leftovers(Path(work.out))
    todo, done = _resumed(work, model, parts)
    summary = Summary()
    for part, outcome in done:
        summary.add(part, outcome)
    already = sum(len(part) for part, _ in done)
    with counting(already + sum(map(len, todo)), already) as advance:
        for part, outcome in _encoded(work, model, todo, engine):
            summary.add(part, outcome)
            advance(len(part))
    summary.write(work)
    return summary


def _resumed(
    work: Work, model: Model, parts: Sequence[BulkPart]
) -> tuple[list[BulkPart], list[tuple[BulkPart, Outcome]]]:
    """The parts that must be encoded, and those that are done with their outcomes."""
    identity = work.identity(model)
    out = Path(work.out)
    files = {path.name for path in out.glob(PATTERN)}
    todo: list[BulkPart] = []
    done: list[tuple[BulkPart, Outcome]] = []
    for part in parts:
        pieces = _pieces(part, identity, work.clip(model), files)
        for piece in pieces:
            name = piece.file_name(identity)
            outcome = read_outcome(out / name) if name in files else None
            files.discard(name)
            if outcome is None:
                todo.append(piece)
            else:
                done.append((piece, outcome))
    if files:
        raise UserError(
            f"{out} has {len(files)} parts of other pictures, of another model or of another --part-size, such as "
            f"{min(files)}; name another folder, or remove them"
        )
    return todo, done


def _pieces(part: BulkPart, identity: str, clip: int, files: set[str]) -> tuple[BulkPart, ...]:
    """The part itself, or its halves if an earlier call divided it."""
    if part.file_name(identity) in files:
        return (part,)
    halves = part.halves(clip)
    divided = any(half.file_name(identity) in files for half in halves)
    return halves if divided else (part,)


def _encoded(
    work: Work, model: Model, todo: Sequence[BulkPart], engine: Engine
) -> Iterator[tuple[BulkPart, Outcome]]:
    """The parts with their outcomes; those that ended their workers come last, divided."""
    killers: list[BulkPart] = []
    for part, outcome in _until_all_fail(engine(work, todo)):
        halves = part.halves(work.clip(model)) if outcome.killed else ()
        if halves:
            killers += halves
        else:
            yield part, outcome
    yield from engine(work, killers)


def _until_all_fail(outcomes: Iterator[tuple[BulkPart, Outcome]]) -> Iterator[tuple[BulkPart, Outcome]]:
    in_a_row = 0
    for part, outcome in outcomes:
        yield part, outcome
        in_a_row = in_a_row + 1 if outcome.failure and not outcome.killed else 0
        if in_a_row == IN_A_ROW:
            raise UserError(
                f"{IN_A_ROW} parts in a row failed, the last because: {outcome.failure}; "
                "what is done stays, and the same command goes on with it"
            )


def _remove_leftovers(out: Path) -> None:
    """Remove what writers that were killed left half-written."""
    for name in (PATTERN, FILE):
        for leftover in out.glob(f".{name}.*.part"):
            leftover.unlink(missing_ok=True)
