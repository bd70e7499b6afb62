"""Finds a contact by e-mail address."""

# /// script
# requires-python = ">=3.11"
# dependencies = []
# ///

from typing import Any

from raptorflow_skill import action, services


def main(given: dict[str, Any]) -> dict[str, Any]:
    """Ask the service; the gateway adds the credential, this code never sees it."""
    found = services.call("hubspot", "contacts.read", {"email": given["email"]})
    contacts = found.get("results", [])
    return {"answer": f"Found {len(contacts)} contacts.", "contacts": contacts}


if __name__ == "__main__":
    action.run(main)
