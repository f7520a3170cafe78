"""The addresses that Django answers; everything else is answered before it (see asgi.py)."""

from __future__ import annotations

from django.urls import path

from velvetrope.web.console.registry import build_site

urlpatterns = [path("admin/", build_site().urls)]
