"""A program that calls the API with a token."""

import json
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from monitoring.models import ApiToken, Scope
from monitoring.tokens import tokens

V1 = "/api/v1"


@dataclass(frozen=True, slots=True)
class Program:
    token: ApiToken
    text: str
    client: Client

    def call(self, method: str, path: str, body: object = None, **query: Any) -> Any:
        """The response to a call of /api/v1."""
        return self.raw(method, path, "" if body is None else json.dumps(body), **query)

    def raw(self, method: str, path: str, body: str, **query: Any) -> Any:
        """The same, with a raw body."""
        headers = {"Authorization": f"Bearer {self.text}"}
        return self.client.generic(method, V1 + path, body, "application/json", headers=headers, query_params=query or None)

    def get(self, path: str, **query: Any) -> Any:
        """The value of a GET, which must succeed."""
        answer = self.call("GET", path, **query)
        assert answer.status_code == 200, answer.content
        return answer.json()


def program(scope: Scope = Scope.ADMINISTER, group: str = "admins", name: str = "ci") -> Program:
    """A program with a new token of a member of the group."""
    user, is_new = User.objects.get_or_create(username=f"user-of-{group}")
    if is_new:
        user.groups.set([Group.objects.get(name=group)])
    token, text = tokens.create(user, name, scope, 90, timezone.now())
    client = Client()
    client.raise_request_exception = False
    return Program(token, text, client)
