"""Contacts, deals and notes of a HubSpot account, through the gateway.

What goes to the gateway has the shape of HubSpot's own objects: text properties under HubSpot's names.
"""

# /// script
# requires-python = ">=3.11"
# dependencies = []
# ///

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from raptorflow_skill import action, services

SERVICE = "hubspot"
CONTACT = {
    "email": "email",
    "first_name": "firstname",
    "last_name": "lastname",
    "company": "company",
    "phone": "phone",
}
DEAL = ["dealname", "amount", "dealstage", "deal_currency_code", "closedate"]
NOTE_TO_CONTACT = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}
# ISO 4217: currencies that are not divided by a hundred.
EXPONENTS = {
    "BHD": 3,
    "CLP": 0,
    "ISK": 0,
    "JOD": 3,
    "JPY": 0,
    "KRW": 0,
    "KWD": 3,
    "OMR": 3,
    "TND": 3,
    "VND": 0,
}


def find_contacts(given: dict[str, Any]) -> dict[str, Any]:
    """Contacts that fit a query."""
    wanted = {"query": given["query"], "limit": given.get("limit", 10), "properties": [*CONTACT.values()]}
    found = services.call(SERVICE, "contacts.search", wanted)
    contacts = [contact_of(one) for one in found["results"]]
    total = found.get("total", len(contacts))
    shown = f", {len(contacts)} of them shown" if total > len(contacts) else ""
    return {
        "answer": f"{total} contacts fit {given['query']!r}{shown}.",
        "total": total,
        "contacts": contacts,
    }


def create_contact(given: dict[str, Any]) -> dict[str, Any]:
    """A new contact."""
    properties = {theirs: given[ours] for ours, theirs in CONTACT.items() if given.get(ours)}
    made = services.call(SERVICE, "contacts.create", {"properties": properties, "associations": []})
    return {"answer": f"Created contact {made['id']} for {given['email']}.", "contact": contact_of(made)}


def list_deals(given: dict[str, Any]) -> dict[str, Any]:
    """Deals, and what they are worth by stage and currency."""
    wanted: dict[str, Any] = {"limit": given.get("limit", 50), "properties": DEAL, "filterGroups": []}
    if stage := given.get("stage"):
        only = {"propertyName": "dealstage", "operator": "EQ", "value": stage}
        wanted["filterGroups"] = [{"filters": [only]}]
    found = services.call(SERVICE, "deals.search", wanted)
    deals = [deal_of(one) for one in found["results"]]
    totals = worth_by_stage(deals)
    return {
        "answer": said_of_deals(deals, totals, found.get("total", len(deals))),
        "deals": deals,
        "totals": totals,
    }


def worth_by_stage(deals: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the deals with an amount are worth, by stage and currency."""
    worth: defaultdict[tuple[str, str], int] = defaultdict(int)
    for deal in deals:
        if deal["amount_minor"] is not None:
            worth[deal["stage"], deal["currency"]] += deal["amount_minor"]
    return [
        {"stage": stage, "currency": currency, "amount_minor": amount}
        for (stage, currency), amount in sorted(worth.items())
    ]


def said_of_deals(deals: list[dict[str, Any]], totals: list[dict[str, Any]], total: int) -> str:
    """How many deals there are, and what they are worth."""
    shown = f", {len(deals)} of them shown" if total > len(deals) else ""
    said = [f"{total} deals{shown}."]
    if totals:
        by_stage = [f"{one['stage']} {money(one['amount_minor'], one['currency'])}" for one in totals]
        said.append(f"By stage: {'; '.join(by_stage)}.")
    if unpriced := sum(deal["amount_minor"] is None for deal in deals):
        said.append(f"{unpriced} without an amount.")
    return " ".join(said)


def add_note(given: dict[str, Any]) -> dict[str, Any]:
    """A note on a contact."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    note = {
        "properties": {"hs_note_body": given["text"], "hs_timestamp": now},
        "associations": [{"to": {"id": given["contact_id"]}, "types": [NOTE_TO_CONTACT]}],
    }
    made = services.call(SERVICE, "notes.create", note)
    return {"answer": f"Added the note to contact {given['contact_id']}.", "note_id": made["id"]}


def contact_of(record: dict[str, Any]) -> dict[str, Any]:
    """A contact under our names."""
    properties = record["properties"]
    return {"id": record["id"]} | {ours: properties.get(theirs) for ours, theirs in CONTACT.items()}


def deal_of(record: dict[str, Any]) -> dict[str, Any]:
    """A deal under our names, its amount in minor units of its currency."""
    properties = record["properties"]
    currency = properties.get("deal_currency_code") or ""
    return {
        "id": record["id"],
        "name": properties.get("dealname"),
        "stage": properties.get("dealstage") or "no stage",
        "currency": currency,
        "amount_minor": minor_units(properties.get("amount"), currency),
        "close_date": properties.get("closedate"),
    }


def minor_units(amount: str | None, currency: str) -> int | None:
    """HubSpot's decimal text as an integer; None when it is empty or no number."""
    try:
        number = Decimal(amount or "").scaleb(EXPONENTS.get(currency, 2))
        return round(number) if number.is_finite() else None
    except InvalidOperation:
        return None


def money(minor: int, currency: str) -> str:
    """An amount as a person reads it."""
    exponent = EXPONENTS.get(currency, 2)
    return f"{Decimal(minor).scaleb(-exponent):,.{exponent}f} {currency}".strip()


ACTIONS: dict[str, action.Main] = {
    "find-contacts": find_contacts,
    "create-contact": create_contact,
    "list-deals": list_deals,
    "add-note": add_note,
}

if __name__ == "__main__":
    action.run(action.choose(ACTIONS))
