"""What the views share: errors, JSON bodies, page numbers, the staff header."""

import functools
import json

from django.conf import settings
from django.http import JsonResponse
from django.utils.crypto import constant_time_compare


class BadRequest(Exception):
    pass


def error(status, message):
    return JsonResponse({"error": message}, status=status)


def json_body(request):
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        raise BadRequest("the body is not valid JSON") from None
    if not isinstance(body, dict):
        raise BadRequest("the body must be a JSON object")
    return body


def required(body, name, kind):
    value = body.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise BadRequest(f"{name} is missing or has the wrong type")
    return value


def int_param(request, name, default, minimum=1, maximum=10_000):
    raw = request.GET.get(name)
    if raw is None:
        return default
    try:
        value = int(raw)
    except ValueError:
        raise BadRequest(f"{name} must be a number") from None
    if not minimum <= value <= maximum:
        raise BadRequest(f"{name} must be between {minimum} and {maximum}")
    return value


def staff_only(view):
    @functools.wraps(view)
    def wrapper(request, *args, **kwargs):
        token = request.headers.get("X-Staff-Token", "")
        if not constant_time_compare(token, settings.STAFF_TOKEN):
            return error(403, "staff only")
        return view(request, *args, **kwargs)

    return wrapper
