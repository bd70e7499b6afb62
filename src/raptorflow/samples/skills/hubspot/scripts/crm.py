"""Contacts, deals and notes of a HubSpot account, through the gateway."""

# /// script
# requires-python = ">=3.11"
# dependencies = []
# ///

import sys
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from raptorflow_skill import action, services

SERVICE = "hubspot"
PROPERTIES = {"first_name": "firstname", "last_name": "lastname"}


def find_contacts(given: dict[str, Any]) -> dict[str, Any]:
    """Contacts that fit a query."""
    found = services.call(
        SERVICE, "contacts.search", {"query": given["query"], "limit": given.get("limit", 10)}
    )
    contacts = found["results"]
    return {"answer": f"{len(contacts)} contacts fit {given['query']!r}.", "contacts": contacts}


def create_contact(given: dict[str, Any]) -> dict[str, Any]:
    """A new contact, in HubSpot's property names."""
    properties = {PROPERTIES.get(name, name): value for name, value in given.items()}
    made = services.call(SERVICE, "contacts.create", {"properties": properties})
    return {"answer": f"Created contact {made['id']} for {given['email']}.", "contacts": [made]}


def list_deals(given: dict[str, Any]) -> dict[str, Any]:
    """Deals, and what they are worth by stage and currency."""
    found = services.call(SERVICE, "deals.search", given)
    totals: defaultdict[tuple[str, str], int] = defaultdict(int)
    for deal in found["results"]:
        totals[deal["stage"], deal["currency"]] += deal["amount_minor"]
    parts = [
        f"{stage}: {amount / 100:,.2f} {currency}" for (stage, currency), amount in sorted(totals.items())
    ]
    count = len(found["results"])
    return {"answer": f"{count} deals. {'; '.join(parts)}".strip(), "deals": found["results"]}


def add_note(given: dict[str, Any]) -> dict[str, Any]:
    """A note on a contact."""
    services.call(SERVICE, "notes.create", given)
    return {"answer": f"Added the note to contact {given['contact_id']}."}


ACTIONS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "find-contacts": find_contacts,
    "create-contact": create_contact,
    "list-deals": list_deals,
    "add-note": add_note,
}

if __name__ == "__main__":
    action.run(ACTIONS[sys.argv[1]])
