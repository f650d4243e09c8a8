"""The small changes that a mutation run makes: what a slip of the hand would look like."""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass

COMPARED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
COMPUTED = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Mod: ast.Mult,
    ast.FloorDiv: ast.Div, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
_PAIRS = (("min", "max"), ("minimum", "maximum"), ("any", "all"), ("floor", "ceil"))
NAMED = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}
SIDES = {"left": "right", "right": "left"}


@dataclass(frozen=True)
class Change:
    """A piece of source and what stands there instead."""

    start: tuple[int, int]
    end: tuple[int, int]
    before: str
    after: str

    @property
    def line(self):
        return self.start[0]

    def __str__(self):
        return f"{self.before} -> {self.after}"

    def applied(self, source):
        """Return the changed source; columns count bytes, as those of the syntax tree do."""
        lines = source.encode().splitlines(keepends=True)
        (top, left), (bottom, right) = self.start, self.end
        new = lines[top - 1][:left] + f"({self.after})".encode() + lines[bottom - 1][right:]
        return b"".join([*lines[: top - 1], new, *lines[bottom:]]).decode()


def changes(source):
    """Return every change of a file, in the order of its lines."""
    found = []
    for node in _code(ast.parse(source)):
        if isinstance(node, (ast.If, ast.While)):
            pairs = [(node.test, ast.UnaryOp(ast.Not(), node.test))]
        else:
            pairs = [(node, other) for other in _others(node)]
        for place, other in pairs:
            before, after = (" ".join(ast.unparse(part).split()) for part in (place, other))
            start = place.lineno, place.col_offset
            end = place.end_lineno, place.end_col_offset
            found.append(Change(start, end, before, after))
    return sorted(set(found), key=lambda change: (change.start, change.end, change.after))


def _code(node):
    """Walk through what is computed: no annotations, decorators, messages or names for others."""
    if isinstance(node, (ast.JoinedStr, ast.Raise)):
        return
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return
    if isinstance(node, ast.Assign) and "__all__" in ast.unparse(node.targets[0]):
        return
    yield node
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _code(child)


def _others(node):
    """Yield what could stand in the place of an expression."""
    match node:
        case ast.Compare():
            for place, operator in enumerate(node.ops):
                other = copy.deepcopy(node)
                other.ops[place] = COMPARED[type(operator)]()
                yield other
        case ast.BinOp() if type(node.op) in COMPUTED:
            yield ast.BinOp(node.left, COMPUTED[type(node.op)](), node.right)
        case ast.BoolOp():
            turned = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield ast.BoolOp(turned, node.values)
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert()):
            yield node.operand
        case ast.IfExp():
            yield ast.IfExp(node.test, node.orelse, node.body)
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() | float() as value) if abs(value) < 1e9:
            yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        case ast.Constant(value="left" | "right" as value):
            yield ast.Constant(SIDES[value])
        case ast.Call(func=ast.Name(id=name)) if name in NAMED:
            yield ast.Call(ast.Name(NAMED[name]), node.args, node.keywords)
        case ast.Call(func=ast.Attribute(attr=name)) if name in NAMED:
            named = ast.Attribute(node.func.value, NAMED[name])
            yield ast.Call(named, node.args, node.keywords)
        case ast.Subscript(slice=ast.Slice() as part) if part.step is None:
            yield from (ast.Subscript(node.value, other) for other in _shifted(part))


def _shifted(part):
    """Yield a slice that begins one later, and one that ends one earlier."""
    one = ast.Constant(1)
    later = ast.BinOp(part.lower, ast.Add(), one) if part.lower else one
    sooner = ast.BinOp(part.upper, ast.Sub(), one) if part.upper else ast.UnaryOp(ast.USub(), one)
    yield from (ast.Slice(later, part.upper), ast.Slice(part.lower, sooner))
