import uuid

from shop.http import BadRequest, error


class RequestIdMiddleware:
    """Every answer carries X-Request-Id, the caller's or a new one."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.request_id = request.headers.get("X-Request-Id") or uuid.uuid4().hex
        response = self.get_response(request)
        response["X-Request-Id"] = request.request_id
        return response


class BadRequestMiddleware:
    """Turns BadRequest raised anywhere in a view into a 400 with a message."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if isinstance(exception, BadRequest):
            return error(400, str(exception))
        return None
