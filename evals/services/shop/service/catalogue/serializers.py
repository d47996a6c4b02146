def format_price(cents):
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def serialize_product(product):
    return {
        "sku": product.sku,
        "slug": product.slug,
        "name": product.name,
        "price": format_price(product.price_cents),
        "category": product.display_category,
        "available": product.is_active,
    }


def serialize_product_detail(product, rating):
    data = serialize_product(product)
    data["description"] = product.description
    data["brand"] = product.brand.name
    data["since"] = product.created_at.date().isoformat()
    data["rating"] = rating
    return data


def serialize_category(category, product_count):
    return {
        "slug": category.slug,
        "name": category.name,
        "products": product_count,
    }
