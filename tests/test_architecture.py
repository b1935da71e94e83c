"""The dependency rules of the package: read from its imports, nothing of it is run."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import sqlml

ROOT = Path(sqlml.__file__).parent
FILES = sorted(path for path in ROOT.rglob("*.py") if "starter" not in path.parts)
PHASES = ("parse", "resolve", "compile", "run", "persist", "scoring")
# Left may import right, never the other way.
LAYERS = (("cli", "__main__"), ("verbs",), PHASES, ("templating",), ("ir", "errors"), ("package",))
# Where a library may be imported at all.
ALLOWED = {
    "pyspark": {"run"},
    "py4j": {"run"},
    "click": {"cli"},
    "rich": {"cli"},
    "sqlglot": {"resolve", "compile", "scoring"},
    "yaml": {"parse"},
    "pydantic": {"parse"},
    "jinja2": {"templating"},
    "sqlalchemy": {"persist"},
    "filelock": {"persist"},
    "msgspec": {"persist"},
}


def room(path):
    """Return the first part of a module's name: a phase, `cli`, `ir`, or `verbs` for the files at the top."""
    relative = path.relative_to(ROOT)
    if len(relative.parts) > 1:
        return relative.parts[0]
    name = relative.stem
    return {"errors": "errors", "__main__": "__main__", "__init__": "package"}.get(name, "verbs")


def module_name(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in FILES}


def imports(tree):
    """Yield (module, line, whether it happens at import time) for every import but those for type checkers."""

    def walk(node, is_top):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue
            if isinstance(child, ast.Import):
                yield from ((alias.name, child.lineno, is_top) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, "imports are absolute"
                for alias in child.names:
                    full = f"{child.module}.{alias.name}"
                    yield (full if full in MODULES else child.module, child.lineno, is_top)
            yield from walk(child, is_top and not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)))

    yield from walk(tree, True)


TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


def layer(name):
    return next(number for number, names in enumerate(LAYERS) if name in names)


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_imports_point_right(path):
    here = room(path)
    for name, line, _ in imports(TREES[path]):
        if not name.startswith("sqlml"):
            top = name.partition(".")[0]
            assert here in ALLOWED.get(top, {here}), f"{path}:{line}: '{top}' is not for '{here}'"
            continue
        there = room(MODULES[name]) if name in MODULES else "package"
        if there != here:
            assert layer(there) >= layer(here), f"{path}:{line}: '{here}' may not import '{there}'"
            assert not (here in PHASES and there in PHASES), f"{path}:{line}: phases meet in build.py only"


def test_no_import_cycles():
    graph = {
        module_name(path): {name for name, _, is_top in imports(TREES[path]) if is_top and name in MODULES}
        for path in FILES
    }
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"import cycle: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("path", [path for path in FILES if room(path) != "cli"], ids=module_name)
def test_only_the_cli_prints_exits_or_catches_everything(path):
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "sys.exit", "exit", "quit", "os._exit"):
            pytest.fail(f"{path}:{node.lineno}: {ast.unparse(node.func)}")
        if isinstance(node, ast.ExceptHandler):
            caught = "" if node.type is None else ast.unparse(node.type)
            is_reraised = any(isinstance(child, ast.Raise) and child.exc is None for child in ast.walk(node))
            assert caught not in ("", "Exception", "BaseException") or is_reraised, (
                f"{path}:{node.lineno}: broad except"
            )


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_no_state_in_modules(path):
    for node in ast.walk(TREES[path]):
        assert not isinstance(node, ast.Global), f"{path}:{node.lineno}: global"


def test_every_module_says_what_it_is_for():
    missing = [name for name, path in MODULES.items() if not ast.get_docstring(TREES[path])]
    assert not missing


def test_broad_except_stands_once_in_the_cli():
    found = [
        f"{module_name(path)}:{node.lineno}"
        for path in FILES
        for node in ast.walk(TREES[path])
        if isinstance(node, ast.ExceptHandler) and node.type is not None and ast.unparse(node.type) == "Exception"
    ]
    assert len(found) == 1, found


def test_modules_and_functions_stay_small():
    long_modules = [name for name, path in MODULES.items() if len(path.read_text(encoding="utf-8").splitlines()) > 400]
    long_functions = [
        f"{name}.{node.name}"
        for name, path in MODULES.items()
        for node in ast.walk(TREES[path])
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno > 60
    ]
    assert not long_modules
    assert not long_functions
