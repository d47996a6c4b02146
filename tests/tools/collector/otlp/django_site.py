"""A Django site with nothing but OpenTelemetry in it, which serves itself some requests: `… django_site URL`."""

from __future__ import annotations

import sys

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import path
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def books(request: HttpRequest, pk: int) -> HttpResponseBase:
    from django.contrib.auth.models import Group

    return HttpResponse(" ".join(str(Group.objects.filter(pk=n, name="hidden").first()) for n in range(pk)))


def fails(request: HttpRequest) -> HttpResponseBase:
    raise ValueError("hidden")


urlpatterns = [path("books/<int:pk>/", books), path("fails/", fails)]


def main() -> None:
    settings.configure(
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["*"],
        SECRET_KEY="none",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    )
    traces = TracerProvider()
    traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{sys.argv[1]}/v1/traces")))
    SQLite3Instrumentor().instrument(tracer_provider=traces)
    DjangoInstrumentor().instrument(tracer_provider=traces)
    django.setup()
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    client = Client(raise_request_exception=False)
    for n in range(1, 13):
        client.get(f"/books/{n}/")
    client.get("/hidden/")
    client.get("/fails/")
    traces.shutdown()


if __name__ == "__main__":
    main()
