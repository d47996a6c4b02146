"""Compiles a regular expression once, where a loop or a function that runs per row does it each time."""

from __future__ import annotations

import ast

from burnish.finding import Finding
from burnish.job import Change
from burnish.why import Why
from burnish_tools.recipes._base import BaseRecipe, file_edits, title
from burnish_tools.recipes.examples.regex import HOIST_REGEX
from burnish_tools.recipes.source.edit import Edits
from burnish_tools.recipes.source.functions import Function, callers, find, refuse_warned
from burnish_tools.recipes.source.loops import COMPREHENSIONS, bound_names, outer_loops, written_attributes
from burnish_tools.recipes.source.patterns import Pattern, calls, constant_pattern, local_pattern
from burnish_tools.recipes.source.repo import Decline, Module, Repository, type_of_function
from burnish_tools.recipes.source.rewrites import drop_arguments
from burnish_tools.recipes.source.wording import short


class HoistRegex(BaseRecipe):
    """Compile a regular expression once.

    ## What it does
    `re.compile(…)`, `re.sub(…)`, `re.match(…)` and the like with an unchanging pattern move out of the loop: to a
    constant of the module where the pattern is made of literals and module constants, else to a local before the
    outermost loop in which it does not change.

    ## Why it is slow
    The `re` functions look the pattern up in a cache on each call, and compile it anew once 512 others were used since.

    ## Example
    ```python
    for name in names:
        slugs.append(re.sub(r"[^a-z]+", "-", name))
    ```
    becomes
    ```python
    _SLUGIFY_RE = re.compile(r"[^a-z]+")
    …
    for name in names:
        slugs.append(_SLUGIFY_RE.sub("-", name))
    ```

    ## Fix safety
    A constant pattern is compiled while the recipe looks at it, so that the module cannot fail to import. A local one
    is moved only where it is made of literals and `re.escape(…)`, which cannot be invalid: a loop without rows would
    otherwise raise where it did not before.

    ## Known problems
    Importing the module gets slower by one compilation. Code that replaces `re.sub` at run time would be passed by.
    """

    name = "hoist_regex"
    kinds = frozenset(("cpu_hot",))
    risk = 1.0
    examples = HOIST_REGEX

    def change(self, finding: Finding, repository: Repository) -> Change:
        """The edit. Raises Decline."""
        function = find(repository, finding)
        patterns = [found for found in calls(function, repository) if _repeats(found.call, function, repository)]
        if not patterns:
            raise Decline(Why.NO_PATTERN, f"{function.name} compiles no regular expression in a loop")
        plan = _Plan(function, repository)
        for found in patterns:
            plan.take(found)
        if not plan.names:
            raise plan.refusal
        return plan.change(self.name)


def _repeats(call: ast.Call, function: Function, repository: Repository) -> bool:
    if outer_loops(function, call):
        return True
    try:
        sites = callers(repository, function)
    except Decline:
        return True  # it is passed on as a function: `map(slug, names)`, `key=slug`
    return any(outer_loops(site.function, site.call) for site in sites)


class _Plan:
    """Names for the patterns of one function, and the edits that use them."""

    def __init__(self, function: Function, repository: Repository) -> None:
        self.function = function
        self.module = function.module
        self.repository = repository
        self.edits = Edits(self.module)
        self.names: dict[str, str] = {}
        self.refusal = Decline(Why.NOT_INVARIANT)

    def take(self, found: Pattern) -> None:
        """Plans the edit for one call, or keeps the reason why not."""
        try:
            refuse_warned(self.module, found.call)
            value = constant_pattern(self.module, found)
            name = self._constant(found, value) if value is not None else self._local(found)
        except Decline as refusal:
            self.refusal = refusal if not self.names else self.refusal
            return
        if found.method == "compile":
            self.edits.replace(found.call, name)
        else:
            self.edits.replace(found.call.func, f"{name}.{found.method}")
            self.edits.change(found.call, drop_arguments(found.dropped))

    def _constant(self, found: Pattern, value: tuple[str | bytes, int]) -> str:
        code = found.code(self.module)
        there = _existing(self.module, self.repository, value)
        name = self.names.get(code) or there
        if not name:
            name = self._free(f"_{self._stem(found).upper()}_RE")
            anchor = _anchor(self.module, found)
            self.edits.after(anchor, f"{name} = {code}", blank_line=isinstance(anchor, (ast.Import, ast.ImportFrom)))
        self.names[code] = name
        return name

    def _local(self, found: Pattern) -> str:
        local_pattern(self.function, found, self.repository)
        loop = self._widest(found)
        code = found.code(self.module)
        if code not in self.names:
            self.names[code] = self._free(f"{self._stem(found).lower()}_re")
            self.edits.before(loop, f"{self.names[code]} = {code}")
        return self.names[code]

    def _widest(self, found: Pattern) -> ast.stmt:
        """The outermost loop statement in which the pattern stays the same, or the statement of a comprehension."""
        names = {node.id for node in ast.walk(found.pattern) if isinstance(node, ast.Name)}
        fit: ast.AST | None = None
        for loop in outer_loops(self.function, found.call):
            inside = bound_names([loop]) | written_attributes([loop])
            if names & inside:
                break
            fit = loop
        if fit is None:
            raise Decline(Why.NOT_INVARIANT, f"{self.module.at(found.call)}: the pattern changes in the loop")
        statement = self.module.statement(fit)
        if isinstance(fit, COMPREHENSIONS) and not isinstance(
            statement, (ast.Assign, ast.Return, ast.Expr, ast.AugAssign)
        ):
            raise Decline(Why.NO_PATTERN, f"{self.module.at(fit)}: there is no room before it")
        return statement

    def _stem(self, found: Pattern) -> str:
        around = self.module.parents[found.call]
        if found.method == "compile" and isinstance(around, ast.Assign) and isinstance(around.targets[0], ast.Name):
            return around.targets[0].id.strip("_").lower().removesuffix("_re")
        return self.function.node.name.strip("_")

    def _free(self, wanted: str) -> str:
        taken = {node.id for node in ast.walk(self.module.tree) if isinstance(node, ast.Name)}
        taken |= {*self.module.top, *self.module.imports, *self.names.values()}
        taken |= {argument.arg for argument in ast.walk(self.function.node) if isinstance(argument, ast.arg)}
        number, name = 2, wanted
        while name in taken:
            name, number = f"{wanted}_{number}", number + 1
        return name

    def change(self, recipe: str) -> Change:
        """The planned edits as a Change."""
        names = ", ".join(f"`{name}`" for name in self.names.values())
        return Change(
            recipe=recipe,
            title=title(f"Compile the pattern of {short(self.function.name)} once"),
            summary=f"Keeps the compiled pattern as {names} instead of giving it to `re` again for each row.",
            safety="The pattern and its flags are the same on each call, and a compiled pattern's methods do what the "
            "functions of `re` do with it.",
            edits=file_edits([self.edits]),
            functions=(self.function.name,),
        )


def _existing(module: Module, repository: Repository, value: tuple[str | bytes, int]) -> str:
    """A constant of the module that holds the same compiled pattern already."""
    for name, node in module.top.items():
        call = node.value if isinstance(node, ast.Assign) else None
        if isinstance(call, ast.Call) and repository.dotted(module, call.func) == "re.compile" and call.args:
            flags = call.args[1] if len(call.args) > 1 else None
            if constant_pattern(module, Pattern(call, "compile", call.args[0], flags, (), "")) == value:
                return name
    return ""


def _anchor(module: Module, found: Pattern) -> ast.stmt:
    """The top-level statement after which the constant goes: the imports, and the constants that it is made of."""
    body = module.tree.body
    first = next(
        (place for place, node in enumerate(body) if isinstance(node, (*type_of_function, ast.ClassDef))), len(body)
    )
    imports = [node for node in body[:first] if isinstance(node, (ast.Import, ast.ImportFrom))]
    parts = [found.pattern, *([found.flags] if found.flags else [])]
    names = {node.id for part in parts for node in ast.walk(part) if isinstance(node, ast.Name)}
    constants = [module.top[name] for name in names if isinstance(module.top.get(name), ast.Assign)]
    names |= {found.compile.split(".")[0]}
    local = names - {(alias.asname or alias.name) for node in imports for alias in node.names} - set(module.top)
    if local:
        raise Decline(Why.NO_PATTERN, f"{module.path} does not import {', '.join(sorted(local))} at its top")
    candidates = [node for node in (*imports, *constants) if node in body]
    if not imports or len(candidates) != len(imports) + len(constants):
        raise Decline(Why.NO_PATTERN, f"{module.path} has no plain imports at its top")
    return max(candidates, key=lambda node: node.lineno)
