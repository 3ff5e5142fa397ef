"""Every address of the site."""

from __future__ import annotations

from django.contrib.auth import views as auth_views
from django.urls import URLPattern, URLResolver, include, path

from monitoring.views.log_in import PanelLogin

urlpatterns: list[URLPattern | URLResolver] = [
    path("login/", PanelLogin.as_view(), name="login"),
    path("logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("", include("monitoring.urls")),
]
