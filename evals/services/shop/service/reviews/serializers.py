def serialize_review(review):
    author = review.customer
    return {
        "id": review.pk,
        "author": author.name.split(" ")[0] if author else "former customer",
        "rating": review.rating,
        "title": review.title,
        "body": review.body,
        "date": review.created_at.date().isoformat(),
    }
