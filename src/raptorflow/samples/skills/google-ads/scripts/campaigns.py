"""Campaigns of a Google Ads account, through the gateway. Money is in micros: millionths of the currency."""

# /// script
# requires-python = ">=3.11"
# dependencies = []
# ///

from datetime import date
from typing import Any

from raptorflow_skill import action, services
from raptorflow_skill.errors import SkillError

SERVICE = "google-ads"
MICROS = 1_000_000


def list_campaigns(given: dict[str, Any]) -> dict[str, Any]:
    """The account's campaigns."""
    wanted = {"status": given.get("status", "ANY"), "limit": given.get("limit", 50)}
    found = services.call(SERVICE, "campaigns.search", wanted)
    campaigns: list[dict[str, Any]] = found["campaigns"]
    enabled = [campaign for campaign in campaigns if campaign["status"] == "ENABLED"]
    daily = money(sum(campaign["daily_budget_micros"] for campaign in enabled), found["currency"])
    answer = f"{len(campaigns)} campaigns, {len(enabled)} enabled with {daily} a day together."
    return {"answer": answer, "currency": found["currency"], "campaigns": campaigns}


def report(given: dict[str, Any]) -> dict[str, Any]:
    """What each campaign cost and brought.

    Raises:
        SkillError: the period ends before it begins, or a day is none.
    """
    first, last = day(given["from"]), day(given["to"])
    if last < first:
        raise SkillError(
            "period-invalid", f"The period ends on {last}, before {first}.", "Swap the two days."
        )
    period = {"from": first.isoformat(), "to": last.isoformat()}
    found = services.call(SERVICE, "campaigns.report", period)
    campaigns = sorted(map(with_cost_per_conversion, found["campaigns"]), key=lambda one: -one["cost_micros"])
    cost = sum(campaign["cost_micros"] for campaign in campaigns)
    conversions = sum(campaign["conversions"] for campaign in campaigns)
    answer = f"{first} to {last}: {money(cost, found['currency'])} spent, {conversions:g} conversions"
    each = f", {money(round(cost / conversions), found['currency'])} each." if conversions else "."
    return {"answer": answer + each, "currency": found["currency"], "campaigns": campaigns}


def pause_campaign(given: dict[str, Any]) -> dict[str, Any]:
    """Pause a campaign."""
    return set_status(given["campaign_id"], "PAUSED")


def enable_campaign(given: dict[str, Any]) -> dict[str, Any]:
    """Enable a campaign."""
    return set_status(given["campaign_id"], "ENABLED")


def update_budget(given: dict[str, Any]) -> dict[str, Any]:
    """Set a daily budget."""
    campaign_id, micros = given["campaign_id"], given["daily_budget_micros"]
    change = {"campaign_id": campaign_id, "daily_budget_micros": micros}
    done = services.call(SERVICE, "budgets.update", change)
    answer = f"Campaign {campaign_id} now has a daily budget of {money(micros, done.get('currency', ''))}."
    return {"answer": answer, "campaign": {"id": campaign_id, "daily_budget_micros": micros}}


def set_status(campaign_id: str, status: str) -> dict[str, Any]:
    """Pause or enable."""
    services.call(SERVICE, "campaigns.set-status", {"campaign_id": campaign_id, "status": status})
    answer = f"Campaign {campaign_id} is now {status.lower()}."
    return {"answer": answer, "campaign": {"id": campaign_id, "status": status}}


def with_cost_per_conversion(campaign: dict[str, Any]) -> dict[str, Any]:
    """The campaign's row, and what one conversion cost."""
    conversions = campaign["conversions"]
    each = round(campaign["cost_micros"] / conversions) if conversions else None
    return {**campaign, "cost_per_conversion_micros": each}


def day(written: str) -> date:
    """A day of the calendar.

    Raises:
        SkillError: it is none.
    """
    try:
        return date.fromisoformat(written)
    except ValueError as error:
        raise SkillError("period-invalid", f"{written!r} is no day.", "Write days as YYYY-MM-DD.") from error


def money(micros: int, currency: str) -> str:
    """An amount as a person reads it."""
    return f"{micros / MICROS:,.2f} {currency}".strip()


ACTIONS: dict[str, action.Main] = {
    "list-campaigns": list_campaigns,
    "report": report,
    "pause-campaign": pause_campaign,
    "enable-campaign": enable_campaign,
    "update-budget": update_budget,
}

if __name__ == "__main__":
    action.run(action.choose(ACTIONS))
