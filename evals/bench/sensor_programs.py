"""Small programs that call many small functions, after the kinds of program in pyperformance; each has ``work()``."""

from __future__ import annotations

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

NBODY = """
    from math import sqrt
    class Body:
        def __init__(self, x, y, z, mass):
            self.x, self.y, self.z, self.vx, self.vy, self.vz, self.mass = x, y, z, 0.0, 0.0, 0.0, mass
        def push(self, dx, dy, dz, force):
            self.vx += dx * force
            self.vy += dy * force
            self.vz += dz * force
        def move(self, dt):
            self.x += self.vx * dt
            self.y += self.vy * dt
            self.z += self.vz * dt
        def energy(self):
            return self.mass * (self.vx * self.vx + self.vy * self.vy + self.vz * self.vz) / 2
    def attract(a, b, dt):
        dx, dy, dz = b.x - a.x, b.y - a.y, b.z - a.z
        distance = sqrt(dx * dx + dy * dy + dz * dz) + 0.01
        force = dt / (distance * distance * distance)
        a.push(dx, dy, dz, b.mass * force)
        b.push(dx, dy, dz, -a.mass * force)
    def advance(bodies, dt):
        for index, body in enumerate(bodies):
            for other in bodies[index + 1:]:
                attract(body, other, dt)
        for body in bodies:
            body.move(dt)
    def work():
        bodies = [Body(n, n * n % 7, n % 3, 1.0 + n) for n in range(5)]
        for _ in range(3500):
            advance(bodies, 0.001)
        return sum(body.energy() for body in bodies)
"""

RAYTRACE = """
    from math import sqrt
    class Vector:
        def __init__(self, x, y, z): self.x, self.y, self.z = x, y, z
        def dot(self, other): return self.x * other.x + self.y * other.y + self.z * other.z
        def __add__(self, other): return Vector(self.x + other.x, self.y + other.y, self.z + other.z)
        def __sub__(self, other): return Vector(self.x - other.x, self.y - other.y, self.z - other.z)
        def scale(self, by): return Vector(self.x * by, self.y * by, self.z * by)
        def length(self): return sqrt(self.dot(self))
        def normal(self): return self.scale(1.0 / self.length())
    class Sphere:
        def __init__(self, centre, radius): self.centre, self.radius = centre, radius
        def hit(self, origin, ray):
            between = self.centre - origin
            along = between.dot(ray)
            inside = self.radius * self.radius - (between.dot(between) - along * along)
            return None if inside < 0 else along - sqrt(inside)
        def normal_at(self, point): return (point - self.centre).normal()
    def nearest(spheres, origin, ray):
        found = [(distance, index) for index, s in enumerate(spheres) if (distance := s.hit(origin, ray)) is not None]
        return min(found) if found else None
    def shade(spheres, origin, ray, light):
        hit = nearest(spheres, origin, ray)
        if hit is None:
            return 0.0
        point = origin + ray.scale(hit[0])
        return max(spheres[hit[1]].normal_at(point).dot(light), 0.0)
    def work():
        spheres = [Sphere(Vector(n - 2.0, n % 2 - 0.5, 5.0 + n), 1.0) for n in range(4)]
        light, eye = Vector(1, 1, -1).normal(), Vector(0, 0, 0)
        return sum(
            shade(spheres, eye, Vector(x / 30 - 1, y / 30 - 1, 2).normal(), light)
            for x in range(60) for y in range(60)
        )
"""

JSON = """
    class Writer:
        def __init__(self): self.parts = []
        def emit(self, text): self.parts.append(text)
        def value(self, value):
            if isinstance(value, dict): self.mapping(value)
            elif isinstance(value, list): self.sequence(value)
            elif isinstance(value, str): self.text(value)
            else: self.number(value)
        def mapping(self, value):
            self.emit("{")
            for position, (key, item) in enumerate(value.items()):
                if position: self.emit(",")
                self.text(key)
                self.emit(":")
                self.value(item)
            self.emit("}")
        def sequence(self, value):
            self.emit("[")
            for position, item in enumerate(value):
                if position: self.emit(",")
                self.value(item)
            self.emit("]")
        def text(self, value): self.emit('"' + escape(value) + '"')
        def number(self, value): self.emit(repr(value))
    def escape(text):
        return text.replace("\\\\", "\\\\\\\\").replace('"', '\\\\"') if '"' in text or "\\\\" in text else text
    def document(n):
        return {"id": n, "name": f'item "{n}"', "tags": ["a", "b", str(n)], "price": n / 7, "sizes": list(range(8))}
    def work():
        for n in range(130):
            writer = Writer()
            writer.value([document(n) for _ in range(20)])
            assert len("".join(writer.parts)) > 1000
"""

TEMPLATE = """
    class Text:
        def __init__(self, text): self.text = text
        def render(self, scope): return self.text
    class Variable:
        def __init__(self, name, filters): self.path, self.filters = name.split("."), filters
        def render(self, scope):
            value = scope.find(self.path)
            for filter in self.filters:
                value = filter(value)
            return str(value)
    class Loop:
        def __init__(self, name, source, body): self.name, self.source, self.body = name, source, body
        def render(self, scope):
            out = []
            for item in scope.find([self.source]):
                inner = scope.push({self.name: item})
                out.append(render_all(self.body, inner))
            return "".join(out)
    class Missing(Exception): pass
    class Scope:
        def __init__(self, values, outer=None): self.values, self.outer = values, outer
        def push(self, values): return Scope(values, self)
        def get(self, name):
            if name in self.values: return self.values[name]
            if self.outer is None: raise Missing(name)
            return self.outer.get(name)
        def find(self, path):
            try:
                value = self.get(path[0])
            except Missing:
                return ""
            for step in path[1:]:
                value = value[step]
            return value
    def upper(value): return str(value).upper()
    def escape(value): return str(value).replace("&", "&amp;")
    def render_all(nodes, scope): return "".join(node.render(scope) for node in nodes)
    def work():
        row = [Text("<li>"), Variable("item.name", [upper, escape]), Text(": "), Variable("item.price", [escape]),
               Variable("missing", []), Text("</li>")]
        page = [Text("<h1>"), Variable("title", [escape]), Loop("item", "items", row)]
        items = [{"name": f"p&{n}", "price": n} for n in range(40)]
        for n in range(130):
            assert "P&amp;3" in render_all(page, Scope({"title": n, "items": items}))
"""

PIPELINE = """
    import heapq
    class Queue:
        def __init__(self): self.heap, self.n = [], 0
        def put(self, when, what):
            self.n += 1
            heapq.heappush(self.heap, (when, self.n, what))
        def take(self): return heapq.heappop(self.heap)
        def is_empty(self): return not self.heap
    def numbers(n):
        for value in range(n):
            yield value
    def odd(source):
        for value in source:
            if value % 2: yield value
    def squares(source):
        for value in source:
            yield value * value
    class Machine:
        def __init__(self, queue): self.queue, self.total = queue, 0
        def handle(self, when, left):
            self.total += left
            if left: self.queue.put(when + self.delay(left), left - 1)
        def delay(self, left): return 1 + left % 3
    def work():
        for _ in range(6):
            queue = Queue()
            machine = Machine(queue)
            for start in squares(odd(numbers(400))):
                queue.put(start, start % 20)
            while not queue.is_empty():
                when, _, left = queue.take()
                machine.handle(when, left)
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
        for n in range(60):
            assert client.get(f"/products/{n % 10}/").status_code == 200
"""

PROGRAMS = {
    "richards": RICHARDS,
    "interpreter": INTERPRETER,
    "nbody": NBODY,
    "raytrace": RAYTRACE,
    "json": JSON,
    "template": TEMPLATE,
    "pipeline": PIPELINE,
    "django": DJANGO,
}
