from django.db import models


class Category(models.Model):
    name = models.CharField(max_length=80)
    position = models.IntegerField(default=0)


class Tag(models.Model):
    name = models.CharField(max_length=40)


class Product(models.Model):
    ACTIVE = "active"
    RETIRED = "retired"

    sku = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    category = models.ForeignKey(Category, null=True, blank=True, on_delete=models.SET_NULL, related_name="products")
    tags = models.ManyToManyField(Tag, related_name="products")
    price_cents = models.IntegerField()
    weight_kg = models.FloatField(default=0.5)
    status = models.CharField(max_length=10, default=ACTIVE)
    popularity = models.IntegerField(default=0)

    @property
    def display_category(self):
        return "Uncategorised" if self.category_id is None else self.category.name

    @property
    def label(self):
        return f"{self.name} ({self.sku})"


class Customer(models.Model):
    name = models.CharField(max_length=80)
    email = models.CharField(max_length=120, unique=True)
    is_gold = models.BooleanField(default=False)


class ShopSettings(models.Model):
    """One row, edited in the back office."""

    points_per_euro = models.IntegerField(default=2)
    free_shipping_cents = models.IntegerField(default=5000)
    shipping_cents = models.IntegerField(default=490)


class Order(models.Model):
    PLACED = "placed"
    CANCELLED = "cancelled"

    number = models.CharField(max_length=20, unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="orders")
    status = models.CharField(max_length=10, default=PLACED)
    placed_at = models.DateTimeField()


class OrderLine(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    quantity = models.IntegerField()
    unit_cents = models.IntegerField()

    @property
    def total_cents(self):
        return self.quantity * self.unit_cents


class Review(models.Model):
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="reviews")
    customer = models.ForeignKey(Customer, null=True, on_delete=models.SET_NULL, related_name="reviews")
    rating = models.IntegerField()
    body = models.TextField(blank=True)


class PageView(models.Model):
    sku = models.CharField(max_length=20)
    channel = models.CharField(max_length=10, db_index=True)


class Impression(models.Model):
    """What was shown to whom; billed to the brands at the end of the month."""

    sku = models.CharField(max_length=20)
    place = models.CharField(max_length=20)
