"""Tables as people have them: which column is the group, the result and the cost, and what is answered."""

import random
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ADS = (
    "Campaign report\n1 Oct 2026 - 31 Oct 2026\n"
    "Campaign,Campaign ID,Budget,Cost,Impr.,Clicks,CTR,Avg. CPC,Conversions,Cost / conv.\n"
    'Brand,100,50,"1,200.00",72000,2400,3.3%,0.50,240,5.00\n'
    'Generic,101,50,"5,300.00",270000,9000,3.3%,0.59,310,17.10\n'
    'Video,102,50,"2,100.00",297000,9900,3.3%,0.21,40,52.50\n'
    'Total: Campaigns,,,"8,600.00",639000,21300,,,590,14.58\n'
)
GERMAN = "Datum;Kampagne;Kosten;Umsatz;Bestellungen\n" + "".join(
    f"{day:02}.10.2026;{name};1.0{day:02},50;{revenue}.{day:03},00;{orders + day % 3}\n"
    for day in range(1, 29)
    for name, revenue, orders in (("Marke", 4, 3), ("Herbst", 2, 9))
)
SURVEY = "employee id,department,satisfaction,absence days\n" + "".join(
    f"{1000 + row},{name},{score + row % 3},{days + row % 4}\n"
    for row in range(30)
    for name, score, days in (("IT", 6, 2), ("Sales", 3, 9))
)
TEST = "user_id,variant,converted,revenue\n" + "".join(
    f"{row},{'AB'[row % 2]},{int(row % 10 in {1, 3, 4})},{row % 7}.5\n" for row in range(400)
)
LATENCY = "region,latency_ms,server\n" + "".join(
    f"{name},{base + row % 9},s{row % 5}\n" for row in range(20) for name, base in (("us", 130), ("eu", 100))
)


@pytest.fixture
def compare(analytics: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Compare a text in this process."""
    module: ModuleType = analytics("compare")
    monkeypatch.chdir(tmp_path)

    def run(text: str, question: str = "", **given: str) -> dict[str, Any]:
        (tmp_path / "data.csv").write_text(text)
        return module.main({"file": str(tmp_path / "data.csv"), "question": question, **given})

    return run


@pytest.mark.parametrize(
    ("text", "question", "roles", "best"),
    [
        (ADS, "which campaign should get more budget?", ("Campaign", "Conversions", "Cost"), "Brand"),
        (ADS, "Which campaign has the best conversion rate?", ("Campaign", "Conversions", "Clicks"), "Brand"),
        (ADS, "which campaign has the best CTR?", ("Campaign", "Clicks", "Impr."), "Brand"),
        (ADS, "which campaign has the highest cost?", ("Campaign", "Cost", None), "Generic"),
        (GERMAN, "Welche Kampagne soll mehr Budget bekommen?", ("Kampagne", "Umsatz", "Kosten"), "Marke"),
        (
            GERMAN,
            "Welche Kampagne hat mehr Bestellungen?",
            ("Kampagne", "Bestellungen", None),
            "Herbst",
        ),
        (GERMAN, "which campaign brings the most revenue?", ("Kampagne", "Umsatz", None), "Marke"),
        (SURVEY, "", ("department", "satisfaction", None), "IT"),
        (SURVEY, "compare absence days by department", ("department", "absence days", None), "IT"),
        (
            SURVEY,
            "lowest satisfaction by department?",
            ("department", "satisfaction", None),
            "Sales",
        ),
        (TEST, "which variant converts better?", ("variant", "converted", None), "B"),
        (LATENCY, "which region is fastest?", ("region", "latency_ms", None), "eu"),
        (LATENCY, "which region has the highest latency?", ("region", "latency_ms", None), "us"),
    ],
)
def test_roles_are_found(
    compare: Any, text: str, question: str, roles: tuple[str, str, str | None], best: str
) -> None:
    found = compare(text, question)

    columns = found["columns"]
    assert (columns["group"], columns["metric"], columns["base"]) == roles
    assert found["table"][0]["group"] == best
    assert best in found["answer"]


def test_what_the_caller_names_is_taken(compare: Any) -> None:
    found = compare(ADS, "which campaign?", metric="clicks", group_by="campaign", cost="impr.")

    assert found["columns"] == {"group": "Campaign", "metric": "Clicks", "base": "Impr.", "cost": "Impr."}


def test_titles_and_totals_of_an_export_are_left_out(compare: Any) -> None:
    found = compare(ADS, "which campaign should get more budget?")

    assert [row["group"] for row in found["table"]] == ["Brand", "Generic", "Video"]
    assert found["table"][0]["base_per_result"] == 5
    assert any("2 lines above the header" in caveat for caveat in found["caveats"])
    assert any("totals" in caveat for caveat in found["caveats"])


def test_counts_in_one_row_a_group_are_tested_as_counts(compare: Any) -> None:
    sure = compare("campaign,spend,orders\nA,1000,300\nB,1000,200\n")
    unsure = compare("campaign,spend,orders\nA,1000,30\nB,1000,25\n")
    amounts = compare("campaign,spend,revenue\nA,1000,3000\nB,1000,2000\n")

    assert sure["table"][1]["p_value"] < 0.01
    assert sure["answer"].startswith("A should get more budget")
    assert unsure["table"][1]["p_value"] > 0.3
    assert "should get more budget" not in unsure["answer"]
    assert amounts["table"][1]["p_value"] is None
    assert "more than chance" in amounts["answer"]


def test_groups_that_cannot_be_judged_are_last_and_named(compare: Any) -> None:
    rows = [f"{name},10,{value + row % 3}" for row in range(9) for name, value in (("A", 9), ("B", 5))]
    text = "\n".join(["channel,spend,leads", *rows, "Lucky,1,99", *["Organic,0,7"] * 9])

    found = compare(text, "which channel should get more budget?")

    assert [row["group"] for row in found["table"]] == ["A", "B", "Lucky"]
    assert found["answer"].startswith("A should get more budget")
    assert any("Lucky" in caveat for caveat in found["caveats"])
    assert any("Organic" in caveat for caveat in found["caveats"])


@pytest.mark.parametrize(
    ("text", "given", "code", "said"),
    [
        (ADS, {"metric": "conversoins"}, "column-missing", "Did you mean Conversions"),
        (ADS, {"metric": "revenue"}, "column-missing", "'revenue'"),
        (ADS, {"cost": "price"}, "column-missing", "'price'"),
        (ADS, {"metric": "Campaign"}, "not-a-number", "text"),
        (ADS, {"metric": "Cost", "cost": "Cost"}, "column-twice", "group_by"),
        (ADS, {"question": "conversions by country"}, "column-missing", "country"),
        ("g,spend,leads\nA,0,1\nB,0,2\nA,0,1\nB,0,2\n", {}, "no-base", "spend"),
        ("id,value\n" + "".join(f"k{n},{n}\n" for n in range(10_002)), {}, "too-many-groups", "10,000"),
        ("g,v\n" + "a,x\n" * 3, {}, "no-number", "category"),
        ("g,v\n" + "a,nan\nb,inf\n" * 3 + "c,1\n", {"metric": "v"}, "one-group", "'c'"),
        ("a,b\n1,2\n", {"file": "missing.csv"}, "file-unreadable", "missing.csv"),
        ('g,v\na,1\nb,2\n"c,3\nd,4\ne,5\n', {}, "not-a-table", "begins in line 4"),
        ("g,v\n" + "a,1\n" * 3000 + '"b,2\n' + "a,1\n" * 9, {}, "not-a-table", "begins in line 3,002"),
    ],
)
def test_refusals_name_the_fact(
    analytics: Any, compare: Any, text: str, given: dict[str, str], code: str, said: str
) -> None:
    error: type[Exception] = analytics("raptorflow_skill.errors").SkillError

    with pytest.raises(error) as caught:
        compare(text, **given)

    problem: Any = caught.value
    assert problem.code == code
    assert said in problem.message
    assert problem.hint


def test_ragged_rows_and_doubled_names_are_counted_and_told(compare: Any) -> None:
    chance = random.Random(4)
    rows = [f"{name},{chance.randint(1, 9)},{chance.randint(1, 9)}" for _ in range(20) for name in "xyz"]
    rows[7] += ",extra"
    rows[11] = "x"
    found = compare("\n".join(["g,v,v", *rows]), metric="V (2)")

    assert found["columns"]["metric"] == "v (2)"
    assert any("2 of 60 rows" in caveat for caveat in found["caveats"])
    assert "2 of 60 rows" in found["answer"]
    assert any("v (2)" in caveat for caveat in found["caveats"])
    assert sum(row["rows"] for row in found["table"]) == 59
