from django.db import models


class Category(models.Model):
    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=80, unique=True)
    description = models.TextField(blank=True)
    position = models.IntegerField(default=0)
    seo_title = models.CharField(max_length=120, blank=True)
    seo_description = models.CharField(max_length=300, blank=True)
    image_url = models.CharField(max_length=200, blank=True)
    google_category = models.CharField(max_length=120, blank=True)
    translations = models.JSONField(default=dict)
    commission_percent = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    is_visible = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "categories"

    def __str__(self):
        return self.name


class Brand(models.Model):
    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=80, unique=True)

    def __str__(self):
        return self.name


class Product(models.Model):
    ACTIVE = "active"
    RETIRED = "retired"

    sku = models.CharField(max_length=20, unique=True)
    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    category = models.ForeignKey(Category, null=True, blank=True, on_delete=models.SET_NULL, related_name="products")
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="products")
    price_cents = models.IntegerField()
    status = models.CharField(max_length=10, default=ACTIVE)
    popularity = models.IntegerField(default=0)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["status", "-popularity"])]

    def __str__(self):
        return f"{self.sku} {self.name}"

    @property
    def display_category(self):
        if self.category_id is None:
            return "Uncategorised"
        return self.category.name

    @property
    def is_active(self):
        return self.status == self.ACTIVE
