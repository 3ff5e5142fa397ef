from django.contrib.auth import views as auth_views
from django.urls import URLPattern, URLResolver, include, path

from monitoring.users.views import PanelLogin

handler500 = "monitoring.web.pages.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("login/", PanelLogin.as_view(), name="login"),
    path("logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("", include("monitoring.urls")),
]
