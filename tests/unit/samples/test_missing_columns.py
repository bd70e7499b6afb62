"""A measure that the file does not have is said to be missing, however it is asked for."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

Compare = Callable[..., dict[str, Any]]
SPEND = ("campaign", "spend")
CONVERSIONS = ("campaign", "conversions")
GERMAN = ("Kampagne", "Werbekosten (EUR)", "Gesamtumsatz (EUR/Monat)", "Anzahl Bestellungen")
ALL = ("campaign", "spend", "conversions", "clicks")

MISSING = [
    (SPEND, "which campaign has the most conversions?", "conversions"),
    (SPEND, "compare conversions by campaign", "conversions"),
    (SPEND, "Conversions by campaign", "Conversions"),
    (SPEND, "compare conversions across campaigns", "conversions"),
    (SPEND, "compare spend and conversions by campaign", "conversions"),
    (SPEND, "how many conversions did each campaign bring?", "conversions"),
    (SPEND, "Does Alpha have more conversions than Beta?", "conversions"),
    (SPEND, "where are conversions highest?", "conversions"),
    (SPEND, "which campaign converts best?", "conversion"),
    (SPEND, "which campaign has the best conversion rate?", "conversion rate"),
    (SPEND, "which campaign has the lowest CPA?", "CPA"),
    (SPEND, "ROAS by campaign", "ROAS"),
    (SPEND, "rank campaigns by revenue", "revenue"),
    (SPEND, "best campaign by orders", "orders"),
    (SPEND, "how much revenue did Alpha make?", "revenue"),
    (SPEND, "top revenue campaign", "revenue"),
    (SPEND, "which campaign has the highest sales?", "sales"),
    (SPEND, "which campaign sells the most?", "sales"),
    (SPEND, "most profitable campaign", "profit"),
    (SPEND, "whose leads are the highest?", "leads"),
    (SPEND, "which campaign gets the cheapest leads?", "leads"),
    (SPEND, "which campaign reached the most users?", "users"),
    (SPEND, "which campaign gives the most clicks for the money?", "clicks"),
    (SPEND, "which campaign has the highest churn rate?", "churn rate"),
    (SPEND, "which campaign is best in terms of happiness?", "happiness"),
    (SPEND, "does Alpha have more tickets than Beta?", "tickets"),
    (SPEND, "churn per campaign", "churn"),
    (SPEND, "Welche Kampagne hat die meisten Conversions?", "Conversions"),
    (SPEND, "Vergleiche den Umsatz nach Kampagne", "Umsatz"),
    (SPEND, "Welche Kampagne bringt mehr Bestellungen?", "Bestellungen"),
    (SPEND, "Kampagne mit dem höchsten Gewinn", "Gewinn"),
    (SPEND, "Welche Kampagne hat die höchste Zufriedenheit?", "Zufriedenheit"),
    (SPEND, "Quelle campagne a le plus de conversions?", "conversions"),
    (CONVERSIONS, "which campaign has the highest spend?", "spend"),
    (CONVERSIONS, "which campaign costs the most?", "costs"),
    (CONVERSIONS, "which campaign is cheapest?", "cost"),
    (CONVERSIONS, "cost per conversion by campaign", "cost per conversion"),
    (CONVERSIONS, "conversions per euro by campaign", "cost"),
    (CONVERSIONS, "conversions per click by campaign", "click"),
    (CONVERSIONS, "conversion rate by campaign", "conversion rate"),
    (CONVERSIONS, "Welche Kampagne hat die höchsten Kosten?", "Kosten"),
    (CONVERSIONS, "sales by campaign", "sales"),
    (GERMAN, "Welche Kampagne hat die meisten Klicks?", "Klicks"),
    (GERMAN, "compare leads by campaign", "leads"),
    (GERMAN, "Gewinn nach Kampagne", "Gewinn"),
    (("campaign", "conversion value"), "which campaign has the most conversions?", "conversions"),
    (
        ("campaign", "clicks", "conversion rate"),
        "which campaign has the most conversions?",
        "conversions",
    ),
    (("product", "units sold", "price"), "revenue by product", "revenue"),
]


@pytest.fixture
def compare(analytics: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Compare:
    """Compare two groups in a file with these columns; the first holds the groups, the others numbers."""
    module: ModuleType = analytics("compare")
    monkeypatch.chdir(tmp_path)

    def run(columns: tuple[str, ...], question: str, groups: str = "Alpha Beta", **given: str) -> Any:
        lines = [
            ",".join(
                [
                    groups.split()[row % 2],
                    *(str(10 + row * (2 + row % 2) + at) for at in range(1, len(columns))),
                ]
            )
            for row in range(20)
        ]
        (tmp_path / "data.csv").write_text("\n".join([",".join(columns), *lines]))
        return module.main({"file": str(tmp_path / "data.csv"), "question": question, **given})

    return run


@pytest.fixture
def refused(analytics: Any, compare: Compare) -> Callable[..., Any]:
    """The error of a comparison."""
    error: type[Exception] = analytics("raptorflow_skill.errors").SkillError

    def run(columns: tuple[str, ...], question: str, **given: str) -> Any:
        with pytest.raises(error) as caught:
            compare(columns, question, **given)
        return caught.value

    return run


@pytest.mark.parametrize(
    ("columns", "question", "named"),
    MISSING,
)
def test_a_missing_measure_is_named_with_the_columns_there_are(
    refused: Callable[..., Any], columns: tuple[str, ...], question: str, named: str
) -> None:
    problem = refused(columns, question)

    assert problem.code == "column-missing"
    assert f"no column '{named}" in problem.message
    assert all(column in problem.hint for column in columns)


@pytest.mark.parametrize(
    "question",
    [
        "which campaign should get more budget?",
        "where should I spend more?",
        "Welche Kampagne soll mehr Budget bekommen?",
        "which campaign is best?",
        "is Alpha better than Beta?",
        "which campaign is worth the money?",
        "which campaign brings in the most money?",
        "what are the best campaigns by ROI?",
    ],
)
@pytest.mark.parametrize("columns", [SPEND, ("campaign", "spend", "budget"), ("campaign", "spend", "CPC")])
def test_a_file_of_costs_alone_does_not_say_what_is_worth_more(
    refused: Callable[..., Any], columns: tuple[str, ...], question: str
) -> None:
    problem = refused(columns, question)

    assert problem.code == "no-result"
    assert "no column holds results" in problem.message
    assert all(column in problem.hint for column in columns)


@pytest.mark.parametrize(
    ("columns", "question", "metric", "base"),
    [
        (SPEND, "", "spend", None),
        (SPEND, "compare spend by campaign", "spend", None),
        (SPEND, "which campaign costs the most?", "spend", None),
        (SPEND, "Welche Kampagne hat die höchsten Kosten?", "spend", None),
        (SPEND, "compare the campaigns", "spend", None),
        (GERMAN, "which campaign has the most revenue?", GERMAN[2], None),
        (GERMAN, "sales by campaign", GERMAN[2], None),
        (GERMAN, "which campaign should get more budget?", GERMAN[2], GERMAN[1]),
        (GERMAN, "which campaign has the most orders?", GERMAN[3], None),
        (GERMAN, "most conversions by campaign", GERMAN[3], None),
        (GERMAN, "which campaign had the highest spend?", GERMAN[1], None),
        (GERMAN, "revenue per order", GERMAN[2], GERMAN[3]),
        (GERMAN, "Kosten pro Bestellung", GERMAN[3], GERMAN[1]),
        (("product", "revenue"), "which product has the highest sales?", "revenue", None),
        (("product", "units sold", "price"), "which product sells best?", "units sold", None),
        (("product", "units sold", "price"), "most expensive product", "price", None),
        (("region", "avg happiness score", "cost"), "happiness by region", "avg happiness score", None),
        (("campaign", "clicks", "conversion rate"), "which converts best?", "conversion rate", None),
        (("campaign", "clicks", "cost per click"), "lowest CPC", "cost per click", None),
        (ALL, "conversions per click by campaign", "conversions", "clicks"),
        (ALL, "conversions per euro", "conversions", "spend"),
        (ALL, "which campaign gets the cheapest conversions?", "conversions", "spend"),
        (ALL, "in order to grow, which campaign should get more budget?", "conversions", "spend"),
        (ALL, "which campaign gives the best value for money?", "conversions", "spend"),
        (ALL, "which campaign should take the lead?", "conversions", "spend"),
        (ALL, "which campaign has the best chance of success?", "conversions", "spend"),
        (ALL, "what is the highest performing campaign?", "conversions", "spend"),
        (ALL, "where do I get the most bang for my buck?", "conversions", "spend"),
        (ALL, "which campaign had the best results last week?", "conversions", "spend"),
    ],
)
def test_a_measure_that_is_there_is_taken_by_any_of_its_names(
    compare: Compare, columns: tuple[str, ...], question: str, metric: str, base: str | None
) -> None:
    found = compare(columns, question)["columns"]

    assert (found["metric"], found["base"]) == (metric, base)


def test_a_group_with_the_name_of_a_measure_is_a_group(compare: Compare) -> None:
    columns = ("department", "satisfaction", "absence days")

    found = compare(columns, "compare satisfaction between Sales and IT", groups="Sales IT")

    assert found["columns"]["metric"] == "satisfaction"


def test_a_budget_question_without_costs_is_answered_and_says_so(compare: Compare) -> None:
    found = compare(CONVERSIONS, "which campaign should get more budget?")

    assert found["columns"]["metric"] == "conversions"
    assert "No column says what each cost" in found["answer"]


@pytest.mark.parametrize("cells", ["", "many", "few|many"])
def test_a_measure_without_numbers_is_said_to_hold_none(
    analytics: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cells: str
) -> None:
    monkeypatch.chdir(tmp_path)
    words = cells.split("|")
    rows = [f"{'AB'[row % 2]},{words[row // 2 % len(words)]},{row}" for row in range(20)]
    (tmp_path / "data.csv").write_text("\n".join(["campaign,conversions,spend", *rows]))
    given = {"file": "data.csv", "question": "which campaign has the most conversions?"}

    with pytest.raises(analytics("raptorflow_skill.errors").SkillError) as caught:
        analytics("compare").main(given)

    problem: Any = caught.value
    assert problem.code == "not-a-number"
    assert "'conversions'" in problem.message


def test_the_caller_may_use_another_word_or_quote_a_group(compare: Compare) -> None:
    assert compare(GERMAN, "", metric="sales", cost="spend")["columns"]["metric"] == GERMAN[2]
    quoted = 'is "Alpha" better than "Beta"?'
    assert compare(ALL, quoted, metric="Alpha", group_by="Beta")["columns"]["metric"] == "conversions"
