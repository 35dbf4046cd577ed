"""Reads which file of `src/` imports which, for `shape.py`.

A path is followed through re-exports to the file that defines what it names. That a folder's `mod.rs` uses
the files of its folder is no import here: it lists them.
"""

import re

TEST_MODULE = re.compile(r"#\[cfg\(test\)\]\n(?:#\[.*\]\n)*mod \w+ \{")
TESTS = re.compile(r"#\[cfg\(test\)\]\n(?:#\[.*\]\n)*(?:pub(?:\(.*?\))? )?mod (\w+);")
ITEM = re.compile(r"^(?:pub(?:\(.*?\))? )?(?:async |const |unsafe )*(?:fn|struct|enum|const|static|type|trait) (\w+)", re.M)
USE = re.compile(r"^(pub(?:\([^)]*\))? )?use ([^;]+);", re.M)
PATH = re.compile(r"(?<![\w:])((?:\w+::)+\w+)")
NOISE = re.compile(r'//[^\n]*|pub\(in [^)]*\)|r(#*)".*?"\1|b?"(?:\\.|[^"\\])*"', re.S)


def modules(source):
    """The product's files by their module's path, as (file, text before the tests)."""
    found, tests = {}, set()
    for path in sorted(source.rglob("*.rs")):
        module = path.relative_to(source).with_suffix("").parts
        module = module[:-1] if module[-1] in ("mod", "lib", "main") else module
        text = path.read_text("utf-8")
        tests.update(module + (name,) for name in TESTS.findall(text))
        if path.name != "main.rs":
            found[module] = path, text[:start.start()] if (start := TEST_MODULE.search(text)) else text
    return {module: file for module, file in found.items()
            if not any(module[:length] in tests for length in range(1, len(module) + 1))}


def names(tree, prefix=""):
    """Each path of one `use`, with the name that it gets: `a::{b, c as d}` is b: a::b and d: a::c."""
    head, brace, rest = tree.strip().partition("{")
    if not brace:
        path, _, name = head.partition(" as ")
        path = (prefix + path.strip()).removesuffix("::self")
        yield name.strip() or path.rpartition("::")[2], path
        return
    depth, begin = 0, 0
    for end, character in enumerate(rest):
        if depth == 0 and character in ",}":
            if rest[begin:end].strip():
                yield from names(rest[begin:end], prefix + head.strip())
            begin = end + 1
        depth += (character == "{") - (character == "}")


def imports(files):
    """Each module with the modules that define what it names."""
    texts = {module: NOISE.sub("", text) for module, (_, text) in files.items()}
    uses = {module: [(bool(public), pair) for public, tree in USE.findall(text) for pair in names(" ".join(tree.split()))]
            for module, text in texts.items()}
    items = {module: set(ITEM.findall(text)) for module, text in texts.items()}

    def follow(module, segments, depth=0):
        first = segments[0]
        if first == "crate":
            module, segments = (), segments[1:]
        elif first in ("super", "self"):
            while segments and segments[0] in ("super", "self"):
                module, segments = module[:-1] if segments[0] == "super" else module, segments[1:]
        elif module + (first,) not in files:
            return None
        for at, segment in enumerate(segments):
            if module + (segment,) in files:
                module += (segment,)
                continue
            path = dict(pair for _, pair in uses.get(module, [])).get(segment)
            if path and segment not in items[module] and depth < 9:
                return follow(module, [*path.split("::"), *segments[at + 1:]], depth + 1)
            break
        return module

    arrows = {}
    for module, text in texts.items():
        paths = [path for public, (_, path) in uses[module] if not public] + PATH.findall(USE.sub("", text))
        reached = {follow(module, path.split("::")) for path in paths}
        arrows[module] = {other for other in reached if other in files and other[:len(module)] != module}
    return arrows


def circles(arrows):
    """Files of which each reaches the others: sets of two and more."""
    reach = {}
    for start in arrows:
        seen, open_ = set(), [start]
        while open_:
            new = arrows[open_.pop()] - seen
            seen |= new
            open_.extend(new)
        reach[start] = seen
    found = {frozenset({start} | {other for other in reach[start] if start in reach[other]}) for start in arrows}
    return sorted((sorted(circle) for circle in found if len(circle) > 1), key=lambda circle: (len(circle), circle))
