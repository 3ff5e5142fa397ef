"""Check out: the item into the cart, through the cart and the steps of the order, to what places it."""

from __future__ import annotations

from agents.template.form_task import FormTask
from agents.template.intents import Kind
from agents.template.recipes.cart import ADD

_PLACING = (
    "place order",
    "place your order",
    "complete purchase",
    "complete order",
    "confirm order",
    "confirm purchase",
    "confirm and pay",
    "pay now",
    "submit order",
    "purchase",
    "pay",
)

RECIPE = FormTask(
    "checkout",
    frozenset({Kind.CHECKOUT}),
    leads=(*_PLACING, "proceed to checkout", "checkout", "buy now", *ADD, "view cart", "cart", "basket", "continue", "next"),
    sends=_PLACING,
    known_by=("card number", "address"),
    routes=("checkout", "cart"),
)
