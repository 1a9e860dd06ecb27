"""A model file must not run code: read the generated Python module before it is imported.

PySD pastes parts of a model file into a Python module. The module may hold only what a stock-flow
model needs: definitions, arithmetic and calls of a short list of functions. Everything else is
refused by name.
"""

from __future__ import annotations

import ast

from hukou_opt.errors import Fault, ModelError

IMPORTS: dict[str, frozenset[str]] = {
    "pathlib": frozenset({"Path"}),
    "pysd": frozenset({"Component"}),
    "pysd.py_backend.functions": frozenset(
        {
            "sum",
            "prod",
            "vmin",
            "vmax",
            "if_then_else",
            "zidz",
            "xidz",
            "step",
            "pulse",
            "ramp",
            "pulse_train",
            "integer",
            "quantum",
            "modulo",
        }
    ),
    "pysd.py_backend.statefuls": frozenset(
        {
            "Integ",
            "NonNegativeInteg",
            "Initial",
            "Smooth",
            "Delay",
            "DelayN",
            "DelayFixed",
            "Trend",
            "SampleIfTrue",
        }
    ),
    "pysd.py_backend.lookups": frozenset({"HardcodedLookups"}),
}
MODULES = {"numpy": "np", "xarray": "xr"}
BUILTINS = frozenset({"len", "float", "int", "__file__"})
DUNDER_NAMES = frozenset({"__pysd_version__", "__data", "__file__"})
ATTRIBUTES = frozenset(
    # PySD's own objects and labelled arrays
    {
        "add",
        "rename",
        "reset_coords",
        "expand_dims",
        "loc",
        "values",
        "transpose",
        "parent",
        "initial_time",
        "final_time",
        "time_step",
        "saveper",
        "DataArray",
        "zeros_like",
        "ones_like",
    }
    # NumPy
    | {
        "pi",
        "nan",
        "inf",
        "abs",
        "power",
        "interp",
        "minimum",
        "maximum",
        "exp",
        "log",
        "sqrt",
        "sin",
        "cos",
        "tan",
        "arcsin",
        "arccos",
        "arctan",
        "sinh",
        "cosh",
        "tanh",
        "logical_and",
        "logical_or",
        "logical_not",
        "array",
        "arange",
        "invert",
    }
)
#: What PySD writes for a function that it does not know.
UNKNOWN_FUNCTION = "not_implemented_function"
NODES: tuple[type[ast.AST], ...] = (
    ast.Module, ast.Import, ast.ImportFrom, ast.alias, ast.FunctionDef, ast.arguments, ast.arg,
    ast.Return, ast.Assign, ast.Expr, ast.Lambda, ast.Call, ast.keyword, ast.Attribute, ast.Name,
    ast.Constant, ast.Subscript, ast.Slice, ast.Tuple, ast.List, ast.Dict, ast.BinOp, ast.UnaryOp,
    ast.BoolOp, ast.Compare, ast.IfExp, ast.For, ast.operator, ast.unaryop, ast.boolop, ast.cmpop,
    ast.expr_context,
)  # fmt: skip


def audit(source: str, name: str) -> None:
    """Refuse a generated module that does anything but simulate.

    Parameters
    ----------
    source : str
        Text of the generated module.
    name : str
        Name of the model file, for the message.

    Raises
    ------
    ModelError
        With every construct that is not on the list.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        # A text that breaks out of its place leaves code that is none.
        raise ModelError(
            Fault(
                name,
                f"translates into no valid code ({error})",
                "use plain words in names, units and equations",
            )
        ) from error
    known = _names_defined(tree)
    faults: list[Fault] = []
    for node in ast.walk(tree):
        what = _objection(node, known)
        if what:
            line = getattr(node, "lineno", 0)
            faults.append(
                Fault(
                    f"{name} (translated, line {line})",
                    what,
                    "remove it: a model may hold equations only",
                )
            )
    faults += _stray_statements(tree, name)
    if faults:
        raise ModelError(faults)


def _names_defined(tree: ast.Module) -> frozenset[str]:
    names = set(BUILTINS)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update(alias.asname or alias.name for alias in node.names)
    return frozenset(names)


def _objection(node: ast.AST, known: frozenset[str]) -> str:
    """What is wrong with one node; empty where nothing is."""
    what = ""
    if not isinstance(node, NODES):
        what = f"uses the construct {type(node).__name__!r}"
    elif isinstance(node, ast.Import):
        bad = [a.name for a in node.names if MODULES.get(a.name) != (a.asname or a.name)]
        what = f"imports {bad!r}" if bad else ""
    elif isinstance(node, ast.ImportFrom):
        # What stands for an unknown function is named where it is called.
        allowed = IMPORTS.get(node.module or "", frozenset()) | {UNKNOWN_FUNCTION}
        bad = [a.name for a in node.names if a.name not in allowed or a.asname]
        what = f"imports {bad!r} from {node.module!r}" if bad or node.level else ""
    elif isinstance(node, ast.Name):
        dunder = node.id.startswith("__") and node.id not in DUNDER_NAMES
        what = f"uses the name {node.id!r}" if dunder or node.id not in known else ""
    elif isinstance(node, ast.Attribute):
        what = f"uses the attribute {node.attr!r}" if node.attr not in ATTRIBUTES else ""
    elif isinstance(node, ast.Call):
        called = node.func
        plain = isinstance(called, ast.Name | ast.Attribute | ast.Subscript)
        what = "" if plain else "calls the result of an expression"
        if isinstance(called, ast.Name) and called.id == UNKNOWN_FUNCTION:
            first = node.args[0] if node.args else None
            name = str(first.value).upper() if isinstance(first, ast.Constant) else ""
            what = f"uses the function {name!r}, which is unknown"
    elif isinstance(node, ast.keyword) and node.arg is None:
        what = "unpacks an expression into a call"
    return what


def _stray_statements(tree: ast.Module, name: str) -> list[Fault]:
    """Expression statements other than a leading docstring or ``object.add(...)``."""
    faults = []
    for owner in ast.walk(tree):
        body = getattr(owner, "body", None)
        if not isinstance(body, list):
            continue
        for position, statement in enumerate(body):
            if not isinstance(statement, ast.Expr):
                continue
            value = statement.value
            text = isinstance(value, ast.Constant) and isinstance(value.value, str)
            adds = (
                isinstance(value, ast.Call)
                and isinstance(value.func, ast.Attribute)
                and value.func.attr == "add"
                and isinstance(value.func.value, ast.Name)
                and value.func.value.id.startswith("_")
            )
            if not (text and position == 0) and not adds:
                faults.append(
                    Fault(
                        f"{name} (translated, line {statement.lineno})",
                        "has a statement that is no definition",
                        "remove it: a model may hold equations only",
                    )
                )
    return faults
