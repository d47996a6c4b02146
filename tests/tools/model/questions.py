"""A question as the planner would ask it."""

from __future__ import annotations

from typing import Any

from burnish.finding import Evidence, Finding, Interval, Site
from burnish.protocols import Asked

VIEWS = """\
from shop.models import Product


class ProductList:
    def get(self, request):
        rows = []
        for product in Product.objects.all():
            rows.append(product.shop.name)
        return rows

    def post(self, request):
        for product in Product.objects.all():
            product.touch()
"""
FAST = VIEWS.replace(
    "for product in Product.objects.all():\n            rows",
    "for product in Product.objects.select_related('shop'):\n            rows",
)  # fmt: skip
STATEMENT = "SELECT name FROM shop WHERE id = ?"


def finding(function: str = "shop.views:ProductList.get", file: str = "src/shop/views.py") -> Finding:
    flat = Interval(value=10.0, low=9.0, high=11.0, n=500)
    return Finding(
        kind="n_plus_one",
        function=function,
        file=file,
        line=5,
        body="0123456789abcdef",
        release="9f" * 20,
        entries=(),
        calls_per_minute=flat,
        wall_ns=flat,
        removable_ns=7.0,
        evidence=Evidence(statement=STATEMENT, site=Site(function=function, file=file, line=8)),
    )


def asked(text: str = VIEWS, path: str = "src/shop/views.py", feedback: str = "") -> Asked:
    return Asked(finding=finding(), files=((path, text),), feedback=feedback)


def edit(find: str, replace: str, path: str = "src/shop/views.py") -> dict[str, str]:
    return {"path": path, "find": find, "replace": replace}


GOOD_EDIT = edit(
    "for product in Product.objects.all():\n            rows.append",
    "for product in Product.objects.select_related('shop'):\n            rows.append",
)


def answered(*edits: dict[str, str], **changed: Any) -> dict[str, Any]:
    return {
        "decision": "edit",
        "reason": "Each row reads its shop.",
        "title": "Fetch the shops with the products",
        "summary": "One join instead of a query per product.",
        "safety": "The same rows in the same order.",
        "edits": list(edits or (GOOD_EDIT,)),
        **changed,
    }


DECLINED = answered(decision="decline", reason="The loop writes.", title="", edits=[])
