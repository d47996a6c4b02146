"""What the sensor costs: CPU time of a program with it, over that of the same program without it.

    python evals/bench/sensor_overhead.py [--pairs 12] [--seed 1]

Each run is a fresh process that measures its own CPU time around the work (imports and start-up are left out). Runs
are interleaved in pairs of random order; beside them run pairs of the same program twice without the sensor (A/A):
their interval is the noise of this machine, and a ratio inside it says nothing. Printed is the median of the pairs'
ratios with a 95 % percentile bootstrap interval.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

SENSOR = Path(__file__).resolve().parents[2] / "sensor"

RICHARDS = """
    class Task:
        def __init__(self, name, priority):
            self.name, self.priority, self.done, self.queue = name, priority, 0, []
        def is_ready(self):
            return bool(self.queue) or self.done < 3
        def take(self):
            return self.queue.pop() if self.queue else None
        def put(self, packet):
            self.queue.append(packet)
        def run(self, scheduler):
            packet = self.take()
            if packet is not None:
                scheduler.route(self, packet + 1)
            self.done += 1
    class Scheduler:
        def __init__(self, size):
            self.tasks = [Task(n, n % 5) for n in range(size)]
        def route(self, source, packet):
            if packet % 7:
                self.target(source, packet).put(packet)
        def target(self, source, packet):
            return self.tasks[(source.name + packet) % len(self.tasks)]
        def step(self):
            for task in self.tasks:
                if task.is_ready():
                    task.run(self)
    def work():
        scheduler = Scheduler(40)
        for n in range(1100):
            scheduler.tasks[n % 40].put(n)
            scheduler.step()
"""

INTERPRETER = """
    class Number:
        def __init__(self, value): self.value = value
        def evaluate(self, scope): return self.value
    class Name:
        def __init__(self, name): self.name = name
        def evaluate(self, scope): return scope[self.name]
    class Sum:
        def __init__(self, left, right): self.left, self.right = left, right
        def evaluate(self, scope): return self.left.evaluate(scope) + self.right.evaluate(scope)
    def tree(depth):
        if depth == 0:
            return Name("x") if depth % 2 else Number(depth)
        return Sum(tree(depth - 1), tree(depth - 1))
    def leaves(node):
        if isinstance(node, Sum):
            yield from leaves(node.left)
            yield from leaves(node.right)
        else:
            yield node
    def work():
        root = tree(10)
        for x in range(160):
            root.evaluate({"x": x})
        for _ in range(8):
            assert sum(1 for _ in leaves(root)) == 1024
"""

DJANGO = """
    import django
    from django.conf import settings
    settings.configure(SECRET_KEY="x", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], MIDDLEWARE=[
        "django.middleware.common.CommonMiddleware", "django.middleware.security.SecurityMiddleware",
    ], DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
    django.setup()
    from django.db import connection, models
    from django.http import JsonResponse
    from django.test import Client
    from django.urls import path

    class Product(models.Model):
        name = models.CharField(max_length=20)
        price = models.IntegerField()
        class Meta:
            app_label = "shop"
        def gross(self):
            return round(self.price * 1.19)
        def as_dict(self):
            return {"name": self.name, "price": self.gross()}

    def product_list(request, page):
        products = Product.objects.order_by("name")[page * 20:page * 20 + 20]
        return JsonResponse({"total": Product.objects.count(), "products": [p.as_dict() for p in products]})

    urlpatterns = [path("products/<int:page>/", product_list)]
    with connection.schema_editor() as editor:
        editor.create_model(Product)
    Product.objects.bulk_create(Product(name=f"p{n}", price=n) for n in range(200))

    def work():
        client = Client()
        for n in range(350):
            assert client.get(f"/products/{n % 10}/").status_code == 200
"""

PROGRAMS = {"richards (calls)": RICHARDS, "interpreter (calls, recursion)": INTERPRETER, "django requests": DJANGO}

RUNNER = """
import os, sys, time
if os.environ["WITH_SENSOR"] == "1":
    import burnish_sensor
    burnish_sensor.start()
import program
before = time.process_time_ns()
program.work()
print(time.process_time_ns() - before)
"""


def measure(folder: Path, with_sensor: bool) -> int:
    """CPU time of one run in ns."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(SENSOR), str(folder)]),
        "WITH_SENSOR": str(int(with_sensor)),
        "BURNISH_WINDOW_SECONDS": "1",
    }
    command = [sys.executable, "-c", RUNNER]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=True)
    return int(done.stdout.split()[-1])


def ratios(folder: Path, pairs: int, draw: random.Random) -> tuple[list[float], list[float]]:
    """Ratios with over without the sensor, and of the A/A control, pair by pair."""
    treated: list[float] = []
    control: list[float] = []
    for _ in range(pairs):
        for with_sensor, found in ((True, treated), (False, control)):
            order = [with_sensor, False]
            swapped = draw.random() < 0.5
            times = [measure(folder, kind) for kind in (reversed(order) if swapped else order)]
            first, second = reversed(times) if swapped else times
            found.append(first / second)
    return treated, control


def interval(values: list[float], draw: random.Random, samples: int = 4_000) -> tuple[float, float]:
    """A 95 % percentile bootstrap interval of the median."""
    medians = sorted(statistics.median(draw.choices(values, k=len(values))) for _ in range(samples))
    return medians[int(samples * 0.025)], medians[int(samples * 0.975)]


def line(name: str, values: list[float], draw: random.Random) -> str:
    low, high = interval(values, draw)
    return f"{name:<36} {statistics.median(values):6.3f}   [{low:.3f}, {high:.3f}]   n = {len(values)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)
    print(f"{'program':<36}  ratio   95 % interval")
    for name, text in PROGRAMS.items():
        with tempfile.TemporaryDirectory() as scratch:
            (Path(scratch) / "program.py").write_text(textwrap.dedent(text))
            treated, control = ratios(Path(scratch), arguments.pairs, draw)
        print(line(name, treated, draw))
        print(line("  A/A", control, draw), flush=True)


if __name__ == "__main__":
    main()
