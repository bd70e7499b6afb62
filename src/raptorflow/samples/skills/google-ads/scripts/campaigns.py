"""Campaigns of a Google Ads account, through the gateway."""

# /// script
# requires-python = ">=3.11"
# dependencies = []
# ///

import sys
from collections.abc import Callable
from typing import Any

from raptorflow_skill import action, services

SERVICE = "google-ads"
MICROS = 1_000_000


def list_campaigns(given: dict[str, Any]) -> dict[str, Any]:
    """The account's campaigns."""
    wanted = given.get("status", "ANY")
    found = services.call(SERVICE, "campaigns.search", {"status": wanted, "limit": given.get("limit", 50)})
    campaigns = found["campaigns"]
    running = sum(campaign["status"] == "ENABLED" for campaign in campaigns)
    return {"answer": f"{len(campaigns)} campaigns, {running} of them enabled.", "campaigns": campaigns}


def report(given: dict[str, Any]) -> dict[str, Any]:
    """What each campaign cost and brought."""
    found = services.call(SERVICE, "campaigns.report", {"from": given["from"], "to": given["to"]})
    campaigns = sorted(found["campaigns"], key=lambda campaign: -campaign["cost_micros"])
    cost = sum(campaign["cost_micros"] for campaign in campaigns)
    conversions = sum(campaign["conversions"] for campaign in campaigns)
    period = f"{given['from']} to {given['to']}"
    return {"answer": f"{period}: {money(cost)} spent, {conversions:g} conversions.", "campaigns": campaigns}


def set_status(given: dict[str, Any]) -> dict[str, Any]:
    """Pause or enable a campaign."""
    services.call(SERVICE, "campaigns.set-status", given)
    return {"answer": f"Campaign {given['campaign_id']} is now {given['status'].lower()}."}


def set_budget(given: dict[str, Any]) -> dict[str, Any]:
    """Set a daily budget."""
    services.call(SERVICE, "budgets.update", given)
    amount = money(given["daily_budget_micros"])
    return {"answer": f"Campaign {given['campaign_id']} now has a daily budget of {amount}."}


def money(micros: int) -> str:
    """An amount in the account's currency."""
    return f"{micros / MICROS:,.2f}"


ACTIONS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "list": list_campaigns,
    "report": report,
    "set-status": set_status,
    "set-budget": set_budget,
}

if __name__ == "__main__":
    action.run(ACTIONS[sys.argv[1]])
