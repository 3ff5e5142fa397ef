"""Charts of the estimated limit over time."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from agents.configuration import default_account
from agents.models import Account, LimitEstimate
from monitoring.ratelimit.plots import COLUMNS, limit_plots
from monitoring.tests.reading import text_of, tree_of
from monitoring.tests.records import NOW

pytestmark = pytest.mark.django_db
PAGE = "/rate-limit/"


def estimate(minutes_ago: float, occasion: str = "accepted", account: Account | None = None, **fields: Any) -> LimitEstimate:
    values = {"at": NOW - timedelta(minutes=minutes_ago), "low": 15, "middle": 18, "high": 22, "pace": 16.4, "sent": 9}
    return LimitEstimate.objects.create(account=account or default_account(), occasion=occasion, **{**values, **fields})


def sets(account: Account) -> dict[str, list[float | None]]:
    return {line["name"]: line["values"] for line in limit_plots(NOW)["data"]["charts"][f"limit-{account.pk}"]}


def test_a_plot_starts_with_its_data_and_has_range_pace_and_marks() -> None:
    estimate(10)
    estimate(4.5, "refused", middle=20, sent=21)
    estimate(4.2, middle=19)
    estimate(3, "recovered", sent=1)
    estimate(24 * 60 + 1, "refused")
    data = limit_plots(NOW)["data"]
    assert (data["starts"][0], data["starts"][-1], data["bin"]) == (NOW.timestamp() - 600, NOW.timestamp(), 60)
    nothing = [None] * 11
    assert sets(default_account()) == {
        "At most (90 %)": [22, *nothing[:4], 22, None, 22, *nothing[:3]],
        "At least (90 %)": [15, *nothing[:4], 15, None, 15, *nothing[:3]],
        "Limit, most likely": [18, *nothing[:4], 19, None, 18, *nothing[:3]],
        "Pace": [16.4, *nothing[:4], 16.4, None, 16.4, *nothing[:3]],
        "Refused": [*nothing[:5], 21, *nothing[:5]],
        "Block over": [*nothing[:7], 1, *nothing[:3]],
    }
    (plot,) = limit_plots(NOW)["plots"]
    assert ([row.sent for row in plot.newest], plot.refused) == ([1, 9, 21, 9], 1)


@pytest.mark.parametrize("minutes", [0, 0.5, 59, 287, 288, 289, 24 * 60 - 0.01])
def test_a_plot_has_at_least_two_columns_at_most_a_days_and_all_of_its_data(minutes: float) -> None:
    estimate(minutes)
    estimate(0, "refused", sent=7)
    assert 2 <= len(limit_plots(NOW)["data"]["starts"]) <= COLUMNS
    drawn = sets(default_account())
    assert sum(value is not None for value in drawn["Pace"]) == (2 if minutes else 1)
    assert drawn["Refused"][-1] == 7


def test_the_page_draws_each_account_and_has_the_numbers_as_a_table(viewer: Client) -> None:
    assert "No request was answered in the last 24 hours." in text_of(viewer.get(PAGE))
    second = Account.objects.create(name="second", position=2)
    estimate(0, at=timezone.now(), account=second)
    estimate(0, "refused", at=timezone.now(), middle=20, sent=21)
    tree = tree_of(viewer.get(PAGE))
    assert tree.xpath("//*[@id='charts']//canvas/@data-chart") == [f"limit-{default_account().pk}", f"limit-{second.pk}"]
    text = text_of(viewer.get(PAGE), "//*[@aria-labelledby='limits']")
    assert "default: requests a minute; 1 refused in this time" in text
    assert "Request refused 21 20 15–22 16.4" in text and "Request accepted 9 18 15–22 16.4" in text
