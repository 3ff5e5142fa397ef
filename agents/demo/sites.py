"""The demo sites that tasks are about: what they sell, and how they word it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Site:
    """One demo site. `thing`: its kind of item; `items`: items by name; `trait`, `traits`: one attribute of theirs and its values."""

    project: str
    port: int
    title: str
    thing: str
    items: tuple[str, ...]
    trait: str
    traits: tuple[str, ...]


SITES = (
    Site(
        "autocinema",
        8000,
        "Autocinema",
        "film",
        ("Arrival", "The Godfather", "Inception", "Parasite", "Spirited Away", "Heat"),
        "genre",
        ("Drama", "Science Fiction", "Crime"),
    ),
    Site(
        "autobooks",
        8001,
        "Autobooks",
        "book",
        ("Dune", "Middlemarch", "The Left Hand of Darkness", "Beloved", "The Trial"),
        "author",
        ("Frank Herbert", "George Eliot", "Toni Morrison"),
    ),
    Site(
        "autozone",
        8002,
        "Autozone",
        "product",
        ("Espresso Machine", "Desk Lamp", "Yoga Mat", "Cordless Drill", "Rain Jacket"),
        "brand",
        ("Gaggia", "Lumio", "Bosch"),
    ),
    Site(
        "autodining",
        8003,
        "Autodining",
        "restaurant",
        ("The Royal Dine", "Zen Sushi", "Pasta Palace", "Curry Corner"),
        "cuisine",
        ("Japanese", "Italian", "Indian"),
    ),
    Site(
        "autocrm",
        8004,
        "Autocrm",
        "client",
        ("Acme Legal", "Jessica Brown", "Northwind", "Sofia Ramirez"),
        "status",
        ("Active", "On Hold", "Archived"),
    ),
    Site(
        "automail",
        8005,
        "Automail",
        "email",
        ("Project Kickoff", "Invoice for March", "Team Lunch", "Your Flight Details"),
        "sender",
        ("Alice Smith", "Grace Lee", "Billing"),
    ),
    Site(
        "autodelivery",
        8006,
        "Autodelivery",
        "dish",
        ("Margherita Pizza", "Pad Thai", "Falafel Wrap", "Miso Ramen"),
        "size",
        ("Small", "Medium", "Large"),
    ),
    Site(
        "autolodge",
        8007,
        "Autolodge",
        "hotel",
        ("Harbour View Loft", "Alpine Hut", "Old Town Flat", "Lakeside Cabin"),
        "location",
        ("Lisbon", "Innsbruck", "Oslo"),
    ),
)
