"""Vensim functions as operations, with the meaning that PySD gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hukou_opt.dynamics.compiler.graph import LOGICAL, Node, joined, number
from hukou_opt.dynamics.compiler.refusals import NotKnownError

#: What PySD takes for zero in divisions and for the width of a moment, as Vensim documents it.
SMALL = 1e-6
HALF = 0.5
ELEMENTWISE: Mapping[str, tuple[str, int]] = {
    "abs": ("abs", 1),
    "power": ("power", 2),
    "min": ("minimum", 2),
    "max": ("maximum", 2),
    "exp": ("exp", 1),
    "sin": ("sin", 1),
    "cos": ("cos", 1),
    "tan": ("tan", 1),
    "arcsin": ("arcsin", 1),
    "arccos": ("arccos", 1),
    "arctan": ("arctan", 1),
    "sinh": ("sinh", 1),
    "cosh": ("cosh", 1),
    "tanh": ("tanh", 1),
    "sqrt": ("sqrt", 1),
    "ln": ("log", 1),
    "integer": ("trunc", 1),
}
#: Functions that run over marked subscripts.
REDUCTIONS: Mapping[str, str] = {"sum": "sum", "prod": "prod", "vmin": "min", "vmax": "max"}
COMPARISONS: Mapping[str, str] = {
    ">": "greater",
    "<": "less",
    ">=": "greater_equal",
    "<=": "less_equal",
    "=": "equal",
    "<>": "not_equal",
}
ARITHMETIC: Mapping[str, str] = {
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
    "^": "power",
}


#: Operations after which truth values are truth values still, as NumPy has it.
CLOSED = frozenset({"multiply", "maximum", "minimum", "abs"})
#: Operations whose result is a number whatever they are given.
NUMERIC = frozenset({"divide", "trunc"})


class Builder:
    """Operations of one equation; operands are aligned by the names of their subscripts.

    Parameters
    ----------
    order : sequence of str
        Labels of the equation, in the order that results are stored in.
    """

    def __init__(self, order: Sequence[str]) -> None:
        self.order = tuple(order)

    def op(self, name: str, *args: Node) -> Node:
        """An elementwise operation."""
        if name in LOGICAL:
            return Node(name, args, joined(args, self.order), logical=True, truth=True)
        truth = all(arg.truth for arg in args)
        if truth and name not in CLOSED | NUMERIC:
            # NumPy, and so PySD, takes the sum of true and true for true, not for two.
            raise NotKnownError(
                f"uses truth values as numbers ({name}), which readers do differently; "
                "IF THEN ELSE( , 1, 0) would be clear"
            )
        args = tuple(self.figure(arg) for arg in args)
        return Node(name, args, joined(args, self.order), truth=truth and name in CLOSED)

    def figure(self, node: Node) -> Node:
        """A truth value as 0 or 1; anything else as it is."""
        if not node.logical:
            return node
        return Node("where", (node, number(1), number(0)), node.labels, truth=True)

    def where(self, condition: Node, yes: Node, no: Node) -> Node:
        """One or the other value."""
        if not condition.logical:
            condition = self.op("not_equal", condition, number(0))
        args = (condition, self.figure(yes), self.figure(no))
        # PySD gives one of them alone where the condition holds everywhere or nowhere.
        return Node("where", args, joined(args, self.order), truth=yes.truth or no.truth)

    @staticmethod
    def knows(function: str, number: int) -> bool:
        """Whether there is a function of this name with this number of arguments."""
        return (function, number) in _MADE or ELEMENTWISE.get(function, ("", 0))[1] == number > 0

    def call(self, function: str, args: Sequence[Node]) -> Node:
        """A function that is known and has no dimensions of its own."""
        if function in ELEMENTWISE:
            return self.op(ELEMENTWISE[function][0], *args)
        return _MADE[function, len(args)](self, args)


_TIME = Node("time")
_STEP = Node("control", data="dt")


def _log(b: Builder, args: Sequence[Node]) -> Node:
    return b.op("divide", b.op("log", args[0]), b.op("log", args[1]))


def _near_zero(b: Builder, value: Node) -> Node:
    return b.op("less", b.op("abs", value), number(SMALL))


def _zidz(b: Builder, args: Sequence[Node]) -> Node:
    return b.where(_near_zero(b, args[1]), number(0), b.op("divide", args[0], args[1]))


def _xidz(b: Builder, args: Sequence[Node]) -> Node:
    return b.where(_near_zero(b, args[1]), args[2], b.op("divide", args[0], args[1]))


def _quantum(b: Builder, args: Sequence[Node]) -> Node:
    whole = b.op("multiply", args[1], b.op("trunc", b.op("divide", *args)))
    return b.where(b.op("less", args[1], number(SMALL)), args[0], whole)


def _modulo(b: Builder, args: Sequence[Node]) -> Node:
    return b.op("subtract", args[0], _quantum(b, args))


def _step(b: Builder, args: Sequence[Node]) -> Node:
    middle = b.op("add", _TIME, b.op("multiply", _STEP, number(HALF)))
    return b.op("multiply", args[0], b.op("greater", middle, args[1]))


def _ramp(b: Builder, args: Sequence[Node]) -> Node:
    slope, start, finish = args
    begun = b.op("greater", b.op("add", _TIME, number(SMALL)), start)
    reached = b.op("subtract", b.op("minimum", finish, _TIME), start)
    return b.op("multiply", b.op("multiply", begun, slope), reached)


def _within(b: Builder, low: Node, value: Node, high: Node) -> Node:
    return b.op("logical_and", b.op("less_equal", low, value), b.op("less", value, high))


def _pulse(b: Builder, args: Sequence[Node]) -> Node:
    start, width = args
    first = b.op("subtract", start, number(SMALL))
    return b.figure(_within(b, first, _TIME, b.op("add", start, width)))


def _pulse_train(b: Builder, args: Sequence[Node]) -> Node:
    start, interval, width, end = args
    passed = b.op("add", b.op("subtract", _TIME, start), number(SMALL))
    inside = b.op("less", b.op("mod", passed, interval), width)
    running = b.op("logical_and", _within(b, start, _TIME, end), inside)
    # Without an interval it is one pulse, which has no end of its own.
    once = b.op("equal", interval, number(0))
    return b.where(once, _pulse(b, (start, width)), b.figure(running))


_MADE: Mapping[tuple[str, int], Callable[[Builder, Sequence[Node]], Node]] = {
    ("if_then_else", 3): lambda b, args: b.where(*args),
    ("log", 2): _log,
    ("zidz", 2): _zidz,
    ("xidz", 3): _xidz,
    ("quantum", 2): _quantum,
    ("modulo", 2): _modulo,
    ("step", 2): _step,
    ("ramp", 3): _ramp,
    ("pulse", 2): _pulse,
    ("pulse_train", 4): _pulse_train,
}
