from django.contrib.auth import views as auth_views
from django.urls import URLPattern, URLResolver, include, path

from monitoring.sign_in import log_in, oidc

handler500 = "monitoring.web.pages.server_error"

# These names are django-allauth's, which refers to them; its other pages are not served.
urlpatterns: list[URLPattern | URLResolver] = [
    path("login/", log_in.PanelLogin.as_view(), name="account_login"),
    path("login/code/", log_in.code, name="mfa_authenticate"),
    path("login/passkey/", log_in.passkey, name="mfa_login_webauthn"),
    path("login/oidc/", oidc.leave, name="openid_connect_login"),
    path("login/oidc/callback/", oidc.come_back, {"provider_id": oidc.PROVIDER}, name="openid_connect_callback"),
    path("logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("", include("monitoring.urls")),
]
