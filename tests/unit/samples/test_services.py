"""The skills of outside services, against a broker on a real socket."""

from typing import Any

import pytest

from raptorflow.skills.model import Skill

Broker = tuple[str, list[dict[str, Any]], dict[str, dict[str, Any]]]
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("google-ads", "list-campaigns", {}),
    ("google-ads", "report", {"from": "2026-10-05", "to": "2026-10-11"}),
    ("google-ads", "pause-campaign", {"campaign_id": "7"}),
    ("google-ads", "enable-campaign", {"campaign_id": "7"}),
    ("google-ads", "update-budget", {"campaign_id": "7", "daily_budget_micros": 50_000_000}),
    ("hubspot", "find-contacts", {"query": "jane"}),
    ("hubspot", "create-contact", {"email": "jane@example.com", "first_name": "Jane"}),
    ("hubspot", "list-deals", {"stage": "closedwon"}),
    ("hubspot", "add-note", {"contact_id": "51", "text": "Called."}),
]
CAMPAIGNS = {"currency": "EUR", "campaigns": [
    {"id": "7", "name": "Brand", "status": "ENABLED", "daily_budget_micros": 12_500_000},
    {"id": "8", "name": "Video", "status": "PAUSED", "daily_budget_micros": 90_000_000},
]}  # fmt: skip
REPORT = {"currency": "EUR", "campaigns": [
    {"id": "8", "name": "Video", "cost_micros": 1_000_000, "clicks": 3, "impressions": 9, "conversions": 0},
    {"id": "7", "name": "Brand", "cost_micros": 99_000_000, "clicks": 9, "impressions": 90, "conversions": 8},
]}  # fmt: skip
JANE = {"id": "51", "properties": {"email": "jane@example.com", "firstname": "Jane", "lastname": None}}


def _deal(number: int, stage: str, amount: str | None, currency: str) -> dict[str, Any]:
    properties = {"dealname": "D", "dealstage": stage, "amount": amount, "deal_currency_code": currency}
    return {"id": str(number), "properties": properties}


DEALS = {"total": 5, "results": [
    _deal(1, "closedwon", "1250.50", "EUR"), _deal(2, "closedwon", "99.995", "EUR"),
    _deal(3, "closedwon", "125000", "JPY"), _deal(4, "closedwon", None, "EUR"),
]}  # fmt: skip
ANSWERS: dict[str, dict[str, Any]] = {
    "campaigns.search": {"result": CAMPAIGNS},
    "campaigns.report": {"result": REPORT},
    "campaigns.set-status": {"result": {}},
    "budgets.update": {"result": {"currency": "EUR"}},
    "contacts.search": {"result": {"total": 14, "results": [JANE]}},
    "contacts.create": {"result": JANE},
    "deals.search": {"result": DEALS},
    "notes.create": {"result": {"id": "900", "properties": {}}},
}


@pytest.mark.parametrize(("skill", "action", "given"), CALLS)
def test_without_a_broker_the_service_is_not_connected(
    act: Any, skill: str, action: str, given: dict[str, Any]
) -> None:
    code, printed = act(skill, action, given)

    assert code == 2
    assert printed["error"]["code"] == "service-not-connected"
    assert printed["error"]["message"] == f"The service {skill} is not connected."
    assert "administrator" in printed["error"]["hint"]


@pytest.mark.parametrize(("skill", "action", "given"), CALLS)
def test_each_action_calls_what_its_manifest_names(
    act: Any, broker: Broker, sample_skills: dict[str, Skill], skill: str, action: str, given: dict[str, Any]
) -> None:
    path, requests, answers = broker
    answers |= ANSWERS

    code, _ = act(skill, action, given, RAPTORFLOW_BROKER=path)

    assert code == 0
    [request] = requests
    assert request["service"] == skill
    assert request["operation"] in sample_skills[skill].capabilities.services[skill]


def test_money_is_exact_in_micros_and_minor_units(act: Any, broker: Broker) -> None:
    path, requests, answers = broker
    answers |= ANSWERS

    _, listed = act("google-ads", "list-campaigns", {}, RAPTORFLOW_BROKER=path)
    _, report = act("google-ads", "report", CALLS[1][2], RAPTORFLOW_BROKER=path)
    _, changed = act("google-ads", "update-budget", CALLS[4][2], RAPTORFLOW_BROKER=path)
    _, deals = act("hubspot", "list-deals", {"stage": "closedwon"}, RAPTORFLOW_BROKER=path)

    assert listed["answer"] == "2 campaigns, 1 enabled with 12.50 EUR a day together."
    assert report["answer"] == "2026-10-05 to 2026-10-11: 100.00 EUR spent, 8 conversions, 12.50 EUR each."
    assert [one["cost_per_conversion_micros"] for one in report["campaigns"]] == [12_375_000, None]
    assert changed["answer"] == "Campaign 7 now has a daily budget of 50.00 EUR."
    assert requests[2]["arguments"] == {"campaign_id": "7", "daily_budget_micros": 50_000_000}
    assert [deal["amount_minor"] for deal in deals["deals"]] == [125_050, 10_000, 125_000, None]
    assert deals["answer"] == (
        "5 deals, 4 of them shown. By stage: closedwon 1,350.50 EUR; closedwon 125,000 JPY. "
        "1 without an amount."
    )
    assert requests[3]["arguments"]["filterGroups"] == [
        {"filters": [{"propertyName": "dealstage", "operator": "EQ", "value": "closedwon"}]}
    ]


def test_contacts_have_our_names(act: Any, broker: Broker) -> None:
    path, requests, answers = broker
    answers |= ANSWERS

    _, found = act("hubspot", "find-contacts", {"query": "jane"}, RAPTORFLOW_BROKER=path)
    act("hubspot", "create-contact", CALLS[6][2], RAPTORFLOW_BROKER=path)
    act("hubspot", "add-note", CALLS[8][2], RAPTORFLOW_BROKER=path)

    assert found["answer"] == "14 contacts fit 'jane', 1 of them shown."
    assert found["contacts"][0]["first_name"] == "Jane"
    assert requests[1]["arguments"]["properties"] == {"email": "jane@example.com", "firstname": "Jane"}
    assert requests[2]["arguments"]["properties"]["hs_note_body"] == "Called."


def test_a_refusal_of_the_gateway_is_passed_on(act: Any, broker: Broker) -> None:
    path, _, answers = broker
    problem = {
        "code": "not-permitted",
        "message": "campaigns.search is not granted.",
        "hint": "Ask an admin.",
    }
    answers["campaigns.search"] = {"error": problem}

    code, printed = act("google-ads", "list-campaigns", {}, RAPTORFLOW_BROKER=path)

    assert (code, printed["error"]) == (2, problem)


@pytest.mark.parametrize("answer", [None, {}, {"result": []}, {"result": None}])
def test_a_broken_answer_is_no_traceback(act: Any, broker: Broker, answer: dict[str, Any] | None) -> None:
    path, _, answers = broker
    if answer is not None:
        answers["campaigns.search"] = answer

    code, printed = act("google-ads", "list-campaigns", {}, RAPTORFLOW_BROKER=path)

    assert code == 2
    assert printed["error"]["code"] == "service-unreachable"


@pytest.mark.parametrize(("first", "last"), [("2026-10-11", "2026-10-05"), ("2026-02-30", "2026-03-01")])
def test_a_period_must_be_one(act: Any, first: str, last: str) -> None:
    code, printed = act("google-ads", "report", {"from": first, "to": last})

    assert code == 2
    assert printed["error"]["code"] == "period-invalid"
