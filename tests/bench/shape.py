#!/usr/bin/env python3
"""Prints the shape of the source: how long its files and functions are, how its comments read, which files
import each other.

    python3 tests/bench/shape.py

Product lines are the lines of a file of `src/` before its `#[cfg(test)] mod … {`; files and folders that are
compiled for tests alone count as none. An import runs upward when its room stands below the other one in the
table of ARCHITECTURE.md. Only Python's standard library is needed.
"""

import math
import pathlib
import re
import statistics

import imports

ROOT = pathlib.Path(__file__).resolve().parents[2]
FUNCTION = re.compile(r"( *)(?:pub(?:\(.*?\))? )?(?:const |async |extern \"C\" )*fn (\w+)")
COMMENT = re.compile(r"\s*//")
RIDDLE = re.compile(r"\b(whoever|nobody|somebody)\b", re.IGNORECASE)
LONGEST_FUNCTION = 60
WIDEST_COMMENT = 100


def rooms():
    """The rooms of the table of imports, from the top down."""
    table = re.search(r"```text\n(main .*?)```", (ROOT / "ARCHITECTURE.md").read_text("utf-8"), re.S)
    rows = table[1].splitlines() if table else []
    return [room.strip() for row in rows if "→" in row for room in row.split("→")[0].split(",")]


def upward(arrows):
    """The imports of rooms that stand above, as (room, other room)."""
    order = {room: place for place, room in enumerate(rooms())}
    found = {(module[0], other[0]) for module, others in arrows.items() for other in others if module and other}
    return sorted((room, other) for room, other in found if order.get(room, 0) > order.get(other, len(order)))


def functions(lines):
    """Each function with a body, as (lines, name, line number); those inside another count as well.

    rustfmt puts the brace that ends a body of several lines alone into the column where `fn`'s line begins.
    """
    for start, line in enumerate(lines):
        found = FUNCTION.match(line)
        if not found:
            continue
        signature = next(end for end in range(start, len(lines)) if lines[end].endswith(("{", "}", ";")))
        if lines[signature].endswith("{"):
            end = lines.index(found[1] + "}", signature)
            yield end - start + 1, found[2], start + 1
        elif lines[signature].endswith("}"):
            yield signature - start + 1, found[2], start + 1


def comments(folder):
    """Every line that is a comment, of tests too."""
    for path in sorted((ROOT / folder).rglob("*.rs")):
        yield from (line for line in path.read_text("utf-8").splitlines() if COMMENT.match(line))


def main():
    modules = imports.modules(ROOT / "src")
    files = {path.relative_to(ROOT): text.splitlines() for path, text in modules.values()}
    arrows = imports.imports(modules)
    circles = imports.circles(arrows)
    lengths = {path: len(lines) for path, lines in files.items()}
    longest_file = max(lengths, key=lengths.get)
    found = [(*function, path) for path, lines in files.items() for function in functions(lines)]
    length, name, line, path = max(found, key=lambda function: function[0])
    wide = {folder: sum(len(line) > WIDEST_COMMENT for line in comments(folder)) for folder in ("src", "tests")}
    rows = [
        ("product lines", sum(lengths.values())),
        ("files", len(lengths)),
        ("lines of a file, median", statistics.median(lengths.values())),
        # The smallest length that nine files in ten do not exceed.
        ("lines of a file, p90", sorted(lengths.values())[math.ceil(len(lengths) * 0.9) - 1]),
        ("longest file", f"{lengths[longest_file]}  {longest_file}"),
        ("functions", len(found)),
        ("longest function", f"{length}  {name}, {path}:{line}"),
        (f"functions over {LONGEST_FUNCTION} lines", sum(length > LONGEST_FUNCTION for length, *_ in found)),
        ("circles among files", len(circles)),
        *(("", ", ".join("/".join(module) for module in circle)) for circle in circles),
        ("imports that run upward", len(upward(arrows))),
        *(("", f"{room} → {other}") for room, other in upward(arrows)),
        (f"comment lines over {WIDEST_COMMENT} columns, src", wide["src"]),
        (f"comment lines over {WIDEST_COMMENT} columns, tests", wide["tests"]),
        ("comment lines with whoever, nobody, somebody, src", sum(bool(RIDDLE.search(line)) for line in comments("src"))),
    ]
    for what, figure in rows:
        print(f"{what:<50} {figure}")


if __name__ == "__main__":
    main()
