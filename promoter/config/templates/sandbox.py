"""A restricted Jinja2: no Python internals, limits for loops and texts, and secrets only unchanged.

It lists what is allowed, not what is forbidden: expressions, `if`, `for` (with a limit of iterations), a few filters and
methods of texts. Without `set`, macro and import, the size of the template limits the size of every value.
"""

import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, wraps
from typing import Any

from jinja2 import Template, TemplateError, Undefined, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from promoter.config.templates.allowed import FILTERS, LOOP, METHODS, STATEMENTS, TEXTUAL, USES
from promoter.config.templates.limits import TOO_LONG, join, join_with, modulo, plus, power, replace, spelled, times
from promoter.config.templates.scope import MAX_LENGTH, NameView, Scope, SourceView, TemplateFault, spell

MAX_ROUNDS = 10_000


class _Undefined(Undefined):
    """An undefined name. Every use of it raises the error that the scope gives for the name."""

    __slots__ = ()

    def _fail_with_undefined_error(self, *_: Any, **__: Any) -> Any:
        name, owner = str(self._undefined_name), self._undefined_obj
        if isinstance(owner, SourceView | NameView):
            raise TemplateFault(owner.explain(name))
        raise _Missing(name, of_value=owner is not missing)

    __str__ = __iter__ = __len__ = __bool__ = __contains__ = __getitem__ = __call__ = _fail_with_undefined_error
    __eq__ = __ne__ = __hash__ = __add__ = __radd__ = __mul__ = __rmul__ = __mod__ = _fail_with_undefined_error
    __sub__ = __rsub__ = __truediv__ = __rtruediv__ = __neg__ = __pos__ = __lt__ = __gt__ = __le__ = __ge__ = (
        _fail_with_undefined_error
    )
    __int__ = __float__ = __pow__ = __rpow__ = __floordiv__ = __rfloordiv__ = __html__ = _fail_with_undefined_error


class _Missing(Exception):
    def __init__(self, name: str, *, of_value: bool) -> None:
        super().__init__(name)
        self.name, self.of_value = name, of_value


class _Sandbox(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**", "%", "+"})

    def __init__(self) -> None:
        self.code_generator_class = _Generator
        super().__init__(undefined=_Undefined, finalize=_finalize, keep_trailing_newline=True, optimized=False, cache_size=0)
        self.globals = {"range": _range, "__rounds__": _rounds}
        self.filters = {name: _of_text(name, self.filters[name]) for name in FILTERS} | {
            "replace": replace,
            "join": join,
            "string": spelled,
        }
        self.binop_table = {**self.binop_table, "*": times, "**": power, "%": modulo, "+": plus}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for statement in tree.find_all(STATEMENTS):
            word = type(statement).__name__.replace("Assign", "set").lower()
            raise TemplateFault(f"`{word}` is not allowed in a template", "use an expression, `if` or `for`")
        for use in tree.find_all(USES):
            if any(isinstance(call.node, nodes.Name) and call.node.name == "secret" for call in use.find_all(nodes.Call)):
                raise TemplateFault(
                    "secret(…) was used as a value",
                    "a secret can only be inserted into a text unchanged: remove filters, tests and operators",
                )
        if any(isinstance(const.value, float) and not math.isfinite(const.value) for const in tree.find_all(nodes.Const)):
            raise TemplateFault("a number in this template is too large", "write it with fewer digits")
        for loop in tree.find_all(nodes.For):
            if loop.recursive:
                raise TemplateFault("a recursive `for` is not allowed in a template")
            loop.iter = nodes.Call(nodes.Name("__rounds__", "load"), [loop.iter], [], None, None).set_environment(self)
        return tree

    @staticmethod
    def concat_texts(parts: Iterable[object]) -> str:
        """Implement `~`: join values in the form that they have in a text."""
        return "".join(map(spelled, parts))

    def is_safe_attribute(self, obj: Any, attr: str, _value: Any) -> bool:
        if isinstance(obj, SourceView | NameView):
            return not attr.startswith("_") and attr != "explain"
        if isinstance(obj, LoopContext):
            return attr in LOOP
        return attr in METHODS and isinstance(obj, str | dict)

    def wrap_str_format(self, value: Any) -> None:
        """Disable `format`: a width in it can make a text of any length."""

    def unsafe_undefined(self, _obj: Any, attribute: str) -> Any:
        raise TemplateFault(f"templates cannot use the attribute `{attribute}`")

    def call(self, context: Context, obj: Any, *args: Any, **kwargs: Any) -> Any:
        owner, name = getattr(obj, "__self__", None), getattr(obj, "__name__", "")
        if isinstance(owner, str) and name in ("replace", "join"):
            return (replace if name == "replace" else join_with)(owner, *args)
        return super().call(context, obj, *args, **kwargs)


def render(text: str, scope: Scope) -> str:
    """Fill in `text`, with placeholders for secrets. Raise TemplateFault on an error."""
    try:
        template = _compile(text)
        context = dict(scope.known)
        context["__rounds__"] = _budget()
        filled = template.render(context)
    except _Missing as lack:
        if lack.of_value:
            raise TemplateFault(f"the value has no part `{lack.name}`") from None
        raise scope.undefined(lack.name) from None
    except TemplateError as error:
        raise TemplateFault(
            f"cannot parse this template: {error.message or type(error).__name__}", 'write for example "{{ port }}"'
        ) from error
    except (RecursionError, MemoryError, SyntaxError) as error:
        raise TemplateFault("this template is nested too deeply") from error
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        raise TemplateFault(f"this template fails: {error}") from error
    if len(filled) > 4 * MAX_LENGTH:
        raise TOO_LONG
    return filled


@lru_cache(maxsize=1)
def _sandbox() -> _Sandbox:
    return _Sandbox()


@lru_cache(maxsize=1024)
def _compile(text: str) -> Template:
    with warnings.catch_warnings():  # Python's compiler warns about calls of numbers in generated code
        warnings.simplefilter("ignore", SyntaxWarning)
        return _sandbox().from_string(text)


def _of_text(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a filter refuse values that are not texts: a function or `source` would show an address in memory."""
    if name not in TEXTUAL:
        return function

    @wraps(function)
    def filtered(value: object, *args: Any, **kwargs: Any) -> Any:
        return function(spelled(value), *args, **kwargs)

    return filtered


class _Generator(CodeGenerator):
    """Compile joins to our own function: Jinja2's `str` shows a function with its address in memory."""

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: Any) -> str:
        """Compute everything but plain text when the template is filled in, never while it is compiled."""
        if not isinstance(node, nodes.TemplateData):
            raise nodes.Impossible
        return super()._output_child_to_const(node, frame, finalize)

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802 (Jinja2's name)
        self.write("environment.concat_texts((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


def _budget() -> Callable[[Iterable[object]], Iterator[object]]:
    """Return a function that limits all loops of one rendering together to MAX_ROUNDS iterations."""
    left = MAX_ROUNDS

    def rounds(items: Iterable[object]) -> Iterator[object]:
        nonlocal left
        for item in items:
            left -= 1
            if left < 0:
                raise TemplateFault(f"loops in this template run more than {MAX_ROUNDS} iterations")
            yield item

    return rounds


def _rounds(items: Iterable[object]) -> Iterable[object]:
    return items


def _range(*bounds: int) -> range:
    found = range(*bounds)
    if len(found) > MAX_ROUNDS:
        raise TemplateFault(f"range() has more than {MAX_ROUNDS} numbers")
    return found


def _finalize(value: object) -> str:
    return str(value) if isinstance(value, Undefined) else spell(value)
