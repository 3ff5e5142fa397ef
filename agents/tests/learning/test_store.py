"""Learned facts of sites: which callers share them, and how many are kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agents.learning import store
from agents.learning.store import Place, place, save, stored
from agents.models import Learned, Source
from agents.policy.modes import CallerState

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIST = Learned.Kind.LIST
MINE = Place("site:8000", "autocinema", store.KNOWN_CALLERS)


def facts(at: Place) -> dict[str, Any]:
    return {key: row.facts for (_, key), row in stored(at).items()}


def test_known_callers_share_facts_and_each_unknown_one_has_its_own() -> None:
    validator = [
        place("http://site:8000/?seed=1", "", Source.VALIDATOR, address, CallerState.ALLOWED) for address in ("1.1.1.1", "2.2.2.2")
    ]
    strangers = [place("http://site:8000", "", Source.VALIDATOR, address, CallerState.OTHER) for address in ("1.1.1.1", "2.2.2.2", None)]
    own = place("http://site:8000", "", Source.OPERATOR, None, CallerState.OTHER)
    assert own is not None and validator == [own, own] and own.callers == store.KNOWN_CALLERS
    assert len({each.callers for each in strangers if each} | {store.KNOWN_CALLERS}) == 4
    assert place("about:blank", "", Source.VALIDATOR, None, CallerState.ALLOWED) is None


def test_an_unknown_callers_facts_are_not_used_for_others() -> None:
    stranger = Place(MINE.site, MINE.project, "6.6.6.6")
    save(stranger, {(LIST, "film"): {"list": "/evil"}}, None, NOW)
    assert facts(MINE) == {} and facts(stranger) == {"film": {"list": "/evil"}}
    save(MINE, {(LIST, "film"): {"list": "/search"}}, None, NOW)
    assert facts(stranger) == {"film": {"list": "/evil"}} and facts(MINE) == {"film": {"list": "/search"}}


def test_a_site_is_known_by_its_address_or_its_project() -> None:
    save(Place("site:8000", "", store.KNOWN_CALLERS), {(LIST, "film"): 1}, None, NOW)
    assert facts(Place("elsewhere:8000", "autocinema", store.KNOWN_CALLERS)) == {}
    save(MINE, {(LIST, "actor"): 2}, None, NOW)
    assert facts(Place("elsewhere:8000", "autocinema", store.KNOWN_CALLERS)) == {"film": 1, "actor": 2}
    save(Place("elsewhere:8000", "autocinema", store.KNOWN_CALLERS), {(LIST, "film"): 3}, None, NOW - timedelta(days=1))
    assert facts(Place("elsewhere:8000", "autocinema", store.KNOWN_CALLERS)) == {"film": 3, "actor": 2} and facts(MINE)["film"] == 1


def test_the_newest_facts_are_kept_and_an_admins_stay() -> None:
    save(MINE, {(LIST, "film"): 1, (LIST, "actor"): 1}, None, NOW)
    store.change(Learned.objects.get(key="actor"), {"by": "hand"})
    save(MINE, {(LIST, "film"): 2, (LIST, "actor"): 2}, None, NOW + timedelta(hours=1))
    assert facts(MINE) == {"film": 2, "actor": {"by": "hand"}}


def test_keys_are_masked() -> None:
    save(MINE, {(LIST, "cpk_" + "a" * 40): {"text": "cpk_" + "b" * 40}}, None, NOW)
    assert "cpk_" not in str(facts(MINE))


def test_bounds_of_a_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_ROUTES", 3)
    for at in range(5):
        save(MINE, {(Learned.Kind.ROUTE, f"/{at}"): at}, None, NOW + timedelta(hours=at))
    assert sorted(facts(MINE)) == ["/2", "/3", "/4"]
    save(MINE, {(LIST, "long"): "x" * store.MOST_FACT}, None, NOW)
    assert "long" not in facts(MINE)
    monkeypatch.setattr(store, "MOST_BYTES", 5_000)
    for at in range(10):
        save(MINE, {(LIST, str(at)): "x" * 1_000}, None, NOW + timedelta(days=1 + at))
    assert sorted(facts(MINE)) == ["6", "7", "8", "9"]


def test_all_sites_together_keep_to_a_bound_and_facts_of_unknown_callers_are_deleted_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_ALL", 4_000)
    for at in range(4):
        save(Place(f"site:{at}", "", f"6.6.6.{at}"), {(LIST, "film"): "x" * 1_000}, None, NOW + timedelta(days=at))
    save(MINE, {(LIST, "film"): "x" * 1_000}, None, NOW - timedelta(days=1))
    assert store.drop_beyond_all() == 2 and facts(MINE)
    assert set(Learned.objects.exclude(callers="").values_list("site", flat=True)) == {"site:2", "site:3"}


def test_wins_and_losses_are_counted() -> None:
    save(MINE, {(Learned.Kind.SOLUTION, "film"): 1}, None, NOW)
    row = Learned.objects.get()
    for won in (True, True, False):
        store.count(row.pk, won=won)
    save(MINE, {(Learned.Kind.SOLUTION, "film"): 2}, None, NOW)
    row.refresh_from_db()
    assert (row.won, row.lost, row.facts) == (2, 1, 2)
