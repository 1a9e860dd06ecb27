"""Generated code is read before it runs: only straight-line arithmetic on arrays passes."""

from __future__ import annotations

import ast
import re

from hukou_opt.errors import Fault, ModelError

#: Syntax that generated functions consist of.
ALLOWED = (
    ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.Assign, ast.Name,
    ast.Load, ast.Store, ast.Constant, ast.Tuple, ast.Call, ast.keyword, ast.Attribute,
    ast.Subscript, ast.Slice, ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.UnaryOp, ast.USub,
    ast.IfExp,
)  # fmt: skip
#: NumPy functions that generated code calls.
NUMPY = frozenset(
    {
        "abs", "add", "arccos", "arcsin", "arctan", "cos", "cosh", "divide", "equal", "exp",
        "greater", "greater_equal", "interp", "less", "less_equal", "log", "logical_and",
        "logical_not", "logical_or", "max", "maximum", "min", "minimum", "mod", "multiply",
        "negative", "not_equal", "power", "prod", "sin", "sinh", "sqrt", "subtract", "sum", "take",
        "tan", "tanh", "trunc",
    }
)  # fmt: skip
#: Methods of arrays that generated code calls.
METHODS = frozenset({"transpose"})
#: What generated functions are given: inputs, stocks, values kept and prepared, buffers, constants,
#: the clock, and the number of members.
GIVEN = ("C", "S", "N", "I", "W", "K", "t", "dt", "t0", "t1", "every", "m")
LOCAL = re.compile(r"v\d+")


def audit_arrays(source: str, name: str, helpers: frozenset[str]) -> None:
    """Refuse generated code that holds anything but arithmetic on arrays.

    Parameters
    ----------
    source : str
        Text of one generated function.
    name : str
        Name of the model, for the message.
    helpers : frozenset of str
        Functions of the toolkit that it may call.

    Raises
    ------
    ModelError
        With everything that should not be there.
    """
    tree = ast.parse(source)
    found = _form(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ALLOWED):
            found.append(type(node).__name__)
        elif isinstance(node, ast.Name):
            known = node.id in helpers or node.id in GIVEN or LOCAL.fullmatch(node.id)
            if not known and node.id != "np":
                found.append(f"name {node.id!r}")
        elif isinstance(node, ast.Attribute):
            base = node.value.id if isinstance(node.value, ast.Name) else ""
            if node.attr not in (NUMPY if base == "np" else METHODS):
                found.append(f"attribute {node.attr!r}")
        elif isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Name | ast.Attribute):
                found.append("call of an expression")
            elif isinstance(node.func, ast.Name) and node.func.id not in helpers:
                found.append(f"call of {node.func.id!r}")
        elif isinstance(node, ast.Constant) and not isinstance(
            node.value, int | float | bool | type(None)
        ):
            found.append(f"constant {node.value!r}")
    if found:
        raise ModelError(
            Fault(
                name,
                f"was turned into code that may not run ({', '.join(sorted(set(found))[:5])})",
                "report the model; run it with PySD",
            )
        )


def _form(tree: ast.Module) -> list[str]:
    """What differs from one plain function: values into names of its own, then one return."""
    if len(tree.body) != 1 or not isinstance(tree.body[0], ast.FunctionDef):
        return ["more than one function"]
    function = tree.body[0]
    found = []
    given = function.args
    extras = (*given.posonlyargs, *given.kwonlyargs, *given.defaults, given.vararg, given.kwarg)
    plain = all(each is None for each in extras) and not any(each.annotation for each in given.args)
    if tuple(each.arg for each in given.args) != GIVEN or not plain:
        found.append("arguments of another form")
    if function.decorator_list or function.returns:
        found.append("decorator or annotation")
    *lines, last = function.body
    for line in lines:
        targets = line.targets if isinstance(line, ast.Assign) else []
        names = [each.id for each in targets if isinstance(each, ast.Name)]
        if len(names) != 1 or len(targets) != 1 or not LOCAL.fullmatch(names[0]):
            found.append(f"line {ast.unparse(line)[:40]!r}")
    if not isinstance(last, ast.Return):
        found.append("no return at the end")
    return found
