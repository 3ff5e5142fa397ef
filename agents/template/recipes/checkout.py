"""Check out: through the cart and the steps of the order to what places it."""

from __future__ import annotations

from agents.template.form_task import FormTask
from agents.template.intents import Kind

RECIPE = FormTask(
    "checkout",
    frozenset({Kind.CHECKOUT}),
    leads=("proceed to checkout", "checkout", "buy now", "view cart", "cart", "basket", "continue", "next"),
    sends=(
        "place order",
        "place your order",
        "complete purchase",
        "complete order",
        "confirm order",
        "confirm and pay",
        "pay now",
        "submit order",
        "pay",
    ),
    known_by=("card number", "address"),
    routes=("checkout", "cart"),
)
