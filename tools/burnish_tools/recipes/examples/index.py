"""Examples for `composite_index`: what it must change, and what it must leave alone."""

from __future__ import annotations

from burnish.finding import Evidence, Finding
from burnish.why import Why
from burnish_tools.recipes._base import Act, Refuse, example_finding

FIRST = """from django.db import migrations


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = []
"""
HEAD = "from django.db import models\n\n\n"
PATH = "depot/models.py"


def finding(*columns: str, table: str = "depot_movement") -> Finding:
    """A statement on a table that would use an index on these columns."""
    evidence = Evidence(table=table, columns=columns, table_rows=200_000)
    return example_finding("missing_index", "depot.services:history", "depot/services.py", evidence)


def files(model: str, **more: str) -> dict[str, str]:
    """An app with one migration."""
    return {PATH: HEAD + model, "depot/migrations/__init__.py": "", "depot/migrations/0001_initial.py": FIRST, **more}


def added(model: str, fields: str, index: str, before: str = "0001_initial") -> str:
    """The migration that is expected."""
    return f"""from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("depot", "{before}"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="{model}",
            index=models.Index(fields=[{fields}], name="{index}"),
        ),
    ]
"""


def refuse(name: str, model: str, what: Finding, why: Why, detail: str = "", **more: str) -> Refuse:
    """Models that must stay."""
    return Refuse(name, files(model, **more), what, why, detail)


PLAIN = """class Movement(models.Model):
    sku = models.CharField(max_length=20)
    kind = models.CharField(max_length=4)  # in, out
    occurred_at = models.DateTimeField()

    def __str__(self):
        return self.sku
"""
PLAIN_FIELDS = '"sku", "kind", "-occurred_at"'
PLAIN_NAME = "movement_sku_kind_occ_6bd1_idx"
PLAIN_AFTER = PLAIN.replace("DateTimeField()\n", f"""DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=[{PLAIN_FIELDS}], name="{PLAIN_NAME}"),
        ]
""")  # fmt: skip
META = PLAIN.replace("    def", '    class Meta:\n        ordering = ["sku"]\n\n    def')
META_AFTER = META.replace('["sku"]\n', f"""["sku"]
        indexes = [
            models.Index(fields=[{PLAIN_FIELDS}], name="{PLAIN_NAME}"),
        ]
""")  # fmt: skip
LISTED = META.replace('ordering = ["sku"]\n', """indexes = [
            models.Index(fields=["kind"], name="by_kind"),  # old
        ]
        ordering = ["sku"]
""")  # fmt: skip
LISTED_AFTER = LISTED.replace("# old\n", f"""# old
            models.Index(fields=[{PLAIN_FIELDS}], name="{PLAIN_NAME}"),
""")  # fmt: skip
KEY = """class Depot(models.Model):
    pass


class Base(models.Model):
    made = models.DateTimeField(db_column="made_on")

    class Meta:
        abstract = True
        ordering = ["made"]


class Movement(Base):
    depot = models.ForeignKey(Depot, on_delete=models.CASCADE)
"""
KEY_NAME = "movement_depot_made_2d9b_idx"
KEY_AFTER = (
    KEY
    + f"""
    class Meta(Base.Meta):
        indexes = [
            models.Index(fields=["depot", "made"], name="{KEY_NAME}"),
        ]
"""
)
MADE = f"depot/migrations/0002_{PLAIN_NAME}.py"
WANTED = finding("sku", "kind", "-occurred_at")
SECOND = FIRST.replace("initial = True\n    ", "").replace("[]", '[("depot", "0001_initial")]', 1)


def act(name: str, before: str, after: str) -> Act:
    """The common case: three columns of one model."""
    return Act(name, files(before), WANTED, {PATH: HEAD + after, MADE: added("movement", PLAIN_FIELDS, PLAIN_NAME)})


COMPOSITE_INDEX: tuple[Act | Refuse, ...] = (
    act("a new Meta", PLAIN, PLAIN_AFTER),
    act("a Meta that is there", META, META_AFTER),
    act("a list that is there", LISTED, LISTED_AFTER),
    Act(
        "columns of keys and of an abstract base, whose Meta goes on",
        files(KEY, **{"depot/migrations/0002_more.py": SECOND}),
        finding("depot_id", "made_on"),
        {
            PATH: HEAD + KEY_AFTER,
            f"depot/migrations/0003_{KEY_NAME}.py": added("movement", '"depot", "made"', KEY_NAME, "0002_more"),
        },
    ),
    refuse("there already", PLAIN_AFTER, WANTED, Why.ALREADY_DONE),
    refuse("a longer one", PLAIN_AFTER, finding("sku", "kind"), Why.INDEX_EXISTS, "begins with"),
    refuse(
        "a unique constraint",
        META.replace("ordering", 'unique_together = [("sku", "kind")]\n        ordering'),
        finding("sku"),
        Why.INDEX_EXISTS,
        "unique",
    ),
    refuse("a foreign key", KEY, finding("depot_id"), Why.INDEX_EXISTS, "of its own"),
    refuse("no such table", PLAIN, finding("sku", table="depot_other"), Why.RELATION_NOT_FOUND, "depot_other"),
    refuse("no such column", PLAIN, finding("color"), Why.RELATION_NOT_FOUND, "color"),
    refuse(
        "two last migrations",
        PLAIN,
        WANTED,
        Why.AMBIGUOUS,
        "0002_a, 0002_b",
        **{"depot/migrations/0002_a.py": SECOND, "depot/migrations/0002_b.py": SECOND},
    ),
    refuse("not managed", META.replace("ordering", "managed = False\n        ordering"), WANTED, Why.NO_PATTERN),
    refuse(
        "computed indexes", META.replace('ordering = ["sku"]', "indexes = list(everywhere)"), WANTED, Why.NO_PATTERN
    ),
    refuse(
        "indexes of a base",
        KEY.replace("ordering", "indexes = [models.Index(fields=['made'], name='m')]\n        ordering"),
        finding("depot_id", "made_on"),
        Why.AMBIGUOUS,
        "Base",
    ),
    refuse("a comment says so", "# do not index: written all day\n" + PLAIN, WANTED, Why.LOAD_BEARING),
)
