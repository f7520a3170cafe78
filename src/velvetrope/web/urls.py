"""The addresses that Django answers; everything else is answered before it (see asgi.py)."""

from __future__ import annotations

from django.urls import path, reverse_lazy
from django.views.generic import RedirectView

from velvetrope.web.console.registry import build_site

urlpatterns = [
    path("", RedirectView.as_view(url=reverse_lazy("admin:index"))),
    path("admin/", build_site().urls),
]
