"""Examples for `select_related`: what it must change, and what it must leave alone."""

from __future__ import annotations

from burnish.finding import Evidence, Finding, Site
from burnish.why import Why
from burnish_tools.recipes._base import Act, Refuse, example_finding

MODELS = """from django.db import models


class Section(models.Model):
    name = models.CharField(max_length=50)


class Category(models.Model):
    name = models.CharField(max_length=50)
    section = models.ForeignKey(Section, on_delete=models.CASCADE)


class Product(models.Model):
    name = models.CharField(max_length=50)
    category = models.ForeignKey("Category", on_delete=models.CASCADE, related_name="products")
    second = models.ForeignKey(Category, null=True, on_delete=models.SET_NULL, related_name="+")

    @property
    def label(self):
        return f"{self.name} ({self.category.name})"
"""
HEAD = "from shelf.models import Category, Product\n\n\n"
CATEGORY = (
    'SELECT "shelf_category"."id", "shelf_category"."name" FROM "shelf_category" '
    'WHERE "shelf_category"."id" = ? LIMIT ?'
)
SECTION = CATEGORY.replace("shelf_category", "shelf_section")


def finding(line: int, *, function: str = "listing", site: str = "", statement: str = CATEGORY) -> Finding:
    """A finding in `shelf/views.py` whose query is issued at `line` of `site` (default: of the function itself)."""
    where = site or f"shelf.views:{function}"
    file = where.split(":")[0].replace(".", "/") + ".py"
    evidence = Evidence(statement=statement, statement_id="s1", site=Site(function=where, file=file, line=line))
    return example_finding("n_plus_one", f"shelf.views:{function}", "shelf/views.py", evidence, line=4)


def files(body: str, **more: str) -> dict[str, str]:
    """The repository of an example: models and one file of views."""
    return {"shelf/models.py": MODELS, "shelf/views.py": HEAD + body, **more}


def act(name: str, before: str, after: str, what: Finding) -> Act:
    """The common case: one file of views changes."""
    return Act(name, files(before), what, {"shelf/views.py": HEAD + after})


def refuse(name: str, body: str, what: Finding, why: Why, detail: str = "") -> Refuse:
    """The common case: views that must stay."""
    return Refuse(name, files(body), what, why, detail)


LOOP = """def listing(request):
    # newest first
    products = Product.objects.filter(active=True).order_by("-id")[:50]
    return [product.category.name for product in products]
"""
IN_PLACE = """def listing(request):
    for product in Product.objects.all():  # all of them
        print(product.category.name)
"""
LINES = """def listing(request):
    products = (
        Product.objects
        .filter(active=True)
        .order_by("name")  # as on paper
    )
    for number, product in enumerate(products, start=1):
        print(number, product.category.name)
"""
PROPERTY = """def listing(request):
    rows = Product.objects.select_related("second").filter(active=True)
    return [{"label": row.label} for row in rows]
"""
HELPERS = """def found(query):
    products = Product.objects.all()
    if query:
        products = products.filter(name=query)
    return products


def as_row(item):
    return {"section": item.category.section.name}


def listing(request):
    return [as_row(each) for each in found(request.GET.get("q"))]
"""
PAGE = """from django.core.paginator import Paginator


def listing(request):
    paginator = Paginator(Product.objects.order_by("id"), 20)
    page = paginator.get_page(request.GET.get("page"))
    return [product.category.name for product in page.object_list]
"""
PARAMETER = """def rows(products):
    out = []
    for product in products:
        out.append(product.category.name)
    return out


def listing(request):
    return rows(Product.objects.filter(active=True))
"""
RELATED = '.select_related("category")'

SELECT_RELATED: tuple[Act | Refuse, ...] = (
    act("before the slice", LOOP, LOOP.replace('"-id")', '"-id")' + RELATED), finding(7)),
    act("in the loop's own line", IN_PLACE, IN_PLACE.replace(".all()", ".all()" + RELATED), finding(6)),
    act(
        "on a line of its own",
        LINES,
        LINES.replace("# as on paper\n", f"# as on paper\n        {RELATED}\n"),
        finding(11),
    ),
    act(
        "in a property, merged into a call that is there",
        PROPERTY,
        PROPERTY.replace('("second")', '("second", "category")'),
        finding(20, site="shelf.models:Product.label"),
    ),
    act(
        "two relations, through two helpers",
        HELPERS,
        HELPERS.replace('GET.get("q"))', 'GET.get("q")).select_related("category__section")'),
        finding(12, site="shelf.views:as_row", statement=SECTION),
    ),
    act("pages", PAGE, PAGE.replace('order_by("id")', 'order_by("id")' + RELATED), finding(10)),
    act(
        "the only caller's argument",
        PARAMETER,
        PARAMETER.replace("filter(active=True)", "filter(active=True)" + RELATED),
        finding(7, function="rows"),
    ),
    refuse("there already", LOOP.replace("[:50]", RELATED + "[:50]"), finding(7), Why.ALREADY_DONE, "views.py:6"),
    refuse(
        "only some fields",
        LOOP.replace("[:50]", '.only("name")[:50]'),
        finding(7),
        Why.NO_PATTERN,
        ".only()",
    ),
    refuse(
        "no instances",
        "def listing(request):\n    for product in Product.objects.values():\n        print(product.category.name)\n",
        finding(6),
        Why.NO_PATTERN,
        ".values()",
    ),
    refuse(
        "row lock",
        IN_PLACE.replace(".all()", ".select_for_update()"),
        finding(6),
        Why.LOOP_LOCKS,
        "views.py:5",
    ),
    refuse(
        "stops at the first",
        IN_PLACE + "        if product.category.name:\n            break\n",
        finding(6),
        Why.LOOP_EXITS_EARLY,
        "views.py:8",
    ),
    refuse(
        "any() stops early",
        "def listing(request):\n    return any(product.category.name for product in Product.objects.all())\n",
        finding(5),
        Why.LOOP_EXITS_EARLY,
    ),
    refuse(
        "writes what it reads",
        IN_PLACE + "        Category.objects.filter(id=1).update(name='x')\n",
        finding(6),
        Why.LOOP_WRITES,
        "shelf_category",
    ),
    refuse(
        "a comment says so",
        IN_PLACE.replace("# all of them", "# on purpose without a join"),
        finding(6),
        Why.LOAD_BEARING,
        "on purpose",
    ),
    refuse(
        "two queries fit",
        "def listing(request):\n    for a in Product.objects.all(): print(a.category)\n"
        "    for b in Product.objects.filter(x=1): print(b.category)\n",
        finding(0),
        Why.AMBIGUOUS,
        "views.py:5",
    ),
    refuse(
        "another relation",
        IN_PLACE,
        finding(6, statement=SECTION),
        Why.RELATION_NOT_FOUND,
        "shelf_section",
    ),
    refuse(
        "an unknown table",
        IN_PLACE,
        finding(6, statement=CATEGORY.replace("shelf_category", "stock")),
        Why.RELATION_NOT_FOUND,
        "stock",
    ),
    refuse(
        "two callers",
        PARAMETER + "\n\ndef other(request):\n    return rows([])\n",
        finding(7, function="rows"),
        Why.AMBIGUOUS,
        "2 callers",
    ),
    refuse(
        "unknown rows",
        IN_PLACE.replace("Product.objects.all()", "request.rows"),
        finding(6),
        Why.QUERYSET_NOT_FOUND,
        "request.rows",
    ),
    refuse(
        "no loop",
        "def listing(request):\n    return Product.objects.get(id=1).category.name\n",
        finding(5),
        Why.NO_PATTERN,
        "no loop",
    ),
)
