"""Examples for `prefetch_related`: what it must change, and what it must leave alone."""

from __future__ import annotations

from burnish.finding import Evidence, Finding, Site
from burnish.why import Why
from burnish_tools.recipes._base import Act, Refuse, example_finding

MODELS = """from django.db import models


class Tag(models.Model):
    name = models.CharField(max_length=50)


class Buyer(models.Model):
    name = models.CharField(max_length=50)


class Order(models.Model):
    number = models.IntegerField()
    buyer = models.ForeignKey(Buyer, on_delete=models.CASCADE, related_name="orders")
    tags = models.ManyToManyField(Tag)

    @property
    def total(self):
        return sum(line.amount for line in self.lines.all())


class Line(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    amount = models.IntegerField()


class Note(models.Model):
    buyer = models.ForeignKey(Buyer, on_delete=models.CASCADE)
"""
HEAD = "from desk.models import Buyer, Line, Order\n\n\n"
LINES = 'SELECT "desk_line"."id", "desk_line"."amount" FROM "desk_line" WHERE "desk_line"."order_id" = ?'
NOTES = 'SELECT "desk_note"."id" FROM "desk_note" WHERE "desk_note"."buyer_id" = ?'
TAGS = (
    'SELECT "desk_tag"."id", "desk_tag"."name" FROM "desk_tag" INNER JOIN "desk_order_tags" '
    'ON ("desk_tag"."id" = "desk_order_tags"."tag_id") WHERE "desk_order_tags"."order_id" = ?'
)


def finding(line: int, *, function: str = "report", site: str = "", statement: str = LINES) -> Finding:
    """A finding in `desk/views.py` whose query is issued at `line` of `site` (default: of the function itself)."""
    where = site or f"desk.views:{function}"
    file = where.split(":")[0].replace(".", "/") + ".py"
    evidence = Evidence(statement=statement, statement_id="s1", site=Site(function=where, file=file, line=line))
    return example_finding("n_plus_one", f"desk.views:{function}", "desk/views.py", evidence, line=4)


def act(name: str, before: str, after: str, what: Finding) -> Act:
    """The common case: one file of views changes."""
    files = {"desk/models.py": MODELS, "desk/views.py": HEAD + before}
    return Act(name, files, what, {"desk/views.py": HEAD + after})


def refuse(name: str, body: str, what: Finding, why: Why, detail: str = "") -> Refuse:
    """The common case: views that must stay."""
    return Refuse(name, {"desk/models.py": MODELS, "desk/views.py": HEAD + body}, what, why, detail)


DIRECT = """def report(request):
    totals = {}
    for order in Order.objects.filter(open=True):  # the open ones
        totals[order.pk] = sum(line.amount for line in order.lines.all())
    return totals
"""
SLICED = """def report(request):
    orders = Order.objects.select_related("buyer").order_by("-id")
    return [[tag.name for tag in order.tags.all()] for order in orders[:20]]
"""
PROPERTY = """def report(request):
    orders = list(Order.objects.prefetch_related("tags"))
    return [order.total for order in orders]
"""
CLASS = """def amounts(lines):
    return [line.amount for line in lines]


class Report:
    def rows(self):
        return Order.objects.filter(open=True)

    def get(self, request):
        return [{"n": order.number, "amounts": amounts(order.lines.all())} for order in self.rows()]
"""
THROUGH = """def report(request):
    return [len(order.buyer.note_set.all()) for order in Order.objects.all()]
"""
CHUNKS = """def report(request):
    for order in Order.objects.all().iterator(chunk_size=500):
        print(list(order.lines.all()))
"""
PREFETCH = '.prefetch_related("lines")'

PREFETCH_RELATED: tuple[Act | Refuse, ...] = (
    act("in the loop's own line", DIRECT, DIRECT.replace("open=True)", "open=True)" + PREFETCH), finding(7)),
    act(
        "many-to-many, sliced later",
        SLICED,
        SLICED.replace('"-id")', '"-id").prefetch_related("tags")'),
        finding(6, statement=TAGS),
    ),
    act(
        "in a property, merged into a call that is there",
        PROPERTY,
        PROPERTY.replace('("tags")', '("tags", "lines")'),
        finding(21, site="desk.models:Order.total"),
    ),
    act(
        "run in a helper, fed by a method",
        CLASS,
        CLASS.replace("self.rows()", "self.rows()" + PREFETCH),
        finding(5, function="Report.get", site="desk.views:amounts.<locals>.<listcomp>"),
    ),
    act(
        "behind a foreign key, default name back",
        THROUGH,
        THROUGH.replace("all()]", 'all().prefetch_related("buyer__note_set")]'),
        finding(5, statement=NOTES),
    ),
    act("streamed in chunks", CHUNKS, CHUNKS.replace("all().iter", f"all(){PREFETCH}.iter"), finding(6)),
    refuse("there already", DIRECT.replace("open=True)", "open=True)" + PREFETCH), finding(7), Why.ALREADY_DONE),
    refuse(
        "filtered where it is read",
        DIRECT.replace("lines.all()", "lines.filter(amount__gt=1)"),
        finding(7),
        Why.FILTERED_RELATION,
        "lines.filter",
    ),
    refuse(
        "ordered where it is read",
        DIRECT.replace("lines.all()", "lines.all().order_by('id')"),
        finding(7),
        Why.FILTERED_RELATION,
        "order_by",
    ),
    refuse(
        "joined where it is read",
        DIRECT.replace("lines.all()", "lines.select_related('order')"),
        finding(7),
        Why.FILTERED_RELATION,
        "views.py:7 reads .lines.select_related",
    ),
    refuse(
        "sliced where it is read",
        DIRECT.replace("lines.all()", "lines.all()[:3]"),
        finding(7),
        Why.FILTERED_RELATION,
        "[]",
    ),
    refuse(
        "limited by the statement",
        DIRECT,
        finding(7, statement=LINES + ' ORDER BY "desk_line"."id" ASC LIMIT ?'),
        Why.NO_PATTERN,
        "limited",
    ),
    refuse("streamed without chunks", CHUNKS.replace("chunk_size=500", ""), finding(6), Why.NO_PATTERN, "chunk_size"),
    refuse(
        "stops at the first",
        DIRECT.replace("    return totals", "        if totals[order.pk]:\n            return totals"),
        finding(7),
        Why.LOOP_EXITS_EARLY,
    ),
    refuse(
        "a break of an inner loop is none, a write is one",
        DIRECT.replace(
            "    return", "        while True:\n            break\n        Line(order=order).save()\n    return"
        ),
        finding(7),
        Why.LOOP_WRITES,
        "desk_line",
    ),
    refuse(
        "adds to the relation",
        DIRECT.replace("    return", "        order.lines.create(amount=1)\n    return"),
        finding(7),
        Why.LOOP_WRITES,
    ),
    refuse(
        "row lock",
        DIRECT.replace("filter(open=True)", "select_for_update().all()"),
        finding(7),
        Why.LOOP_LOCKS,
        "views.py:6",
    ),
    refuse(
        "another query that locks",
        DIRECT.replace("order.lines.all()", "Line.objects.select_for_update().filter(amount=order.pk)"),
        finding(7, statement=LINES.replace("order_id", "amount") + " LIMIT ?"),
        Why.LOOP_LOCKS,
        "views.py:7",
    ),
    refuse(
        "another query in a loop that writes",
        DIRECT.replace("open", "x").replace("    return", "        Line.objects.create()\n    return"),
        finding(7, statement=LINES + " AND 1 = ?"),
        Why.LOOP_WRITES,
        "desk_line",
    ),
    refuse(
        "an unknown relation",
        DIRECT,
        finding(7, statement=NOTES.replace("buyer_id", "firm_id")),
        Why.RELATION_NOT_FOUND,
        "desk_note.firm_id",
    ),
    refuse("one row by its key", DIRECT, finding(7, statement=LINES.replace("order_id", "id")), Why.RELATION_NOT_FOUND),
    refuse(
        "a comment says so",
        DIRECT.replace("# the open ones", "# do not prefetch: memory"),
        finding(7),
        Why.LOAD_BEARING,
        "do not prefetch",
    ),
)
