"""What a template may use: filters, methods of texts, names of a loop. And the statements that it may not use."""

from jinja2 import nodes

FILTERS = (
    "abs",
    "capitalize",
    "d",
    "default",
    "first",
    "float",
    "int",
    "last",
    "length",
    "lower",
    "title",
    "trim",
    "upper",
    "urlencode",
)
TEXTUAL = frozenset({"capitalize", "lower", "title", "trim", "upper", "urlencode"})
METHODS = frozenset(
    {
        "capitalize",
        "count",
        "endswith",
        "find",
        "get",
        "items",
        "join",
        "keys",
        "lower",
        "lstrip",
        "partition",
        "removeprefix",
        "removesuffix",
        "replace",
        "rpartition",
        "rsplit",
        "rstrip",
        "split",
        "startswith",
        "strip",
        "title",
        "upper",
        "values",
    }
)
LOOP = ("index", "index0", "first", "last", "length")
STATEMENTS = (
    nodes.Macro,
    nodes.CallBlock,
    nodes.FilterBlock,
    nodes.Include,
    nodes.Import,
    nodes.FromImport,
    nodes.Extends,
    nodes.Block,
    nodes.Assign,
    nodes.AssignBlock,
    nodes.With,
    nodes.ScopedEvalContextModifier,
    nodes.ExprStmt,
)
USES = (nodes.Filter, nodes.Test, nodes.BinExpr, nodes.UnaryExpr, nodes.Compare, nodes.Concat, nodes.Getattr, nodes.Getitem)
