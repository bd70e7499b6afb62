"""Which number is compared, and what it is divided by: by the question, by the caller, by name. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from columns import Column
from naming import begins, has_concept, holding, is_identifier, is_rate, named, plain, said
from questions import ADVICE, COST_SAID, EFFICIENCY, JUDGING, MONEY, PER, RATIOS, SUPERLATIVE, VERBS_OF_RATIOS
from raptorflow_skill.errors import SkillError
from refusals import as_written, measure_places, missing, no_ratio, no_result, refuse_unknown_measures
from vocabulary import AMBIGUOUS, COST, COST_RATES, MEANT, PRICE, RESULTS

MOST = "highest|most|largest|biggest|lowest|least|average|mean|total|how much|hochsten?r?|meisten?|wie viel"
COSTS = "|".join(COST)
COST_ITSELF = re.compile(
    rf"\b(?:{MOST}) (?:\w+ )?(?:{COSTS})|\b(?:{COSTS})\w* (?:the |am )?(?:most|least|meisten|by|nach)\b"
)
FLAG_VALUES = 2
"""A column with so many different values can be a yes or no, whose mean is a rate."""


@dataclass(frozen=True)
class Measure:
    """What is compared.

    Attributes:
        base: what the metric is divided by; None compares means.
        cost_missing: the question is about money, and no column says what was spent.
    """

    metric: str
    base: str | None
    cost_missing: bool = False


@dataclass(frozen=True)
class Choice:
    """What there is to choose from.

    Attributes:
        numbers: what can be compared.
        columns: all columns.
        group: the column of the groups.
        question: as it was asked.
        given: `metric` and `cost`, where the caller has decided.
    """

    numbers: Sequence[Column]
    columns: Sequence[Column]
    group: str
    question: str
    given: Mapping[str, str | None]

    @property
    def asked(self) -> str:
        """The question in plain words."""
        return plain(self.question)

    @property
    def costs(self) -> list[Column]:
        """What was spent, but for the metric that the caller decided on."""
        metric = self.given.get("metric")
        amounts = [one for one in self.numbers if one.name != metric and not is_rate(one.name)]
        return [one for one in amounts if has_concept(one.name, COST)]

    @property
    def is_about_efficiency(self) -> bool:
        """Whether results are wanted for their cost; by default they are."""
        return not self.asked or any(word in self.asked for word in EFFICIENCY)


def find_measure(choice: Choice) -> Measure:
    """Decide what is compared.

    Raises:
        SkillError: the question names a measure that the file does not have, or there is none.
    """
    metric, cost = choice.given.get("metric"), choice.given.get("cost")
    if metric is None and cost is None and (ratio := _asked_ratio(choice)):
        return ratio
    wanted = metric or _wanted(choice, cost)
    paid = cost or named(choice.costs, COST)
    if wanted is None and cost is None and (itself := _cost_itself(choice)):
        return Measure(itself, None)
    found = wanted or _usual([column for column in _results(choice) if column.name != paid])
    if found is None:
        return _only_costs(choice, paid)
    if cost:
        return Measure(found, cost)
    if is_rate(found) or (wanted and not choice.is_about_efficiency):
        return Measure(found, None)
    about_money = bool(choice.asked) and choice.is_about_efficiency
    return Measure(found, paid, cost_missing=about_money and paid is None)


def _wanted(choice: Choice, cost: str | None) -> str | None:
    """The result that the question names.

    Raises:
        SkillError: it names one that is not there.
    """
    partly = refuse_unknown_measures(choice.numbers, choice.columns, choice.question, choice.group)
    rates = [column for column in choice.numbers if is_rate(column.name)]
    results = [column for column in _results(choice) if column.name != cost]
    found = (
        said(rates, choice.asked)
        or said(results, choice.asked)
        or meant(results, choice.asked, measure_places(choice.asked))
    )
    return found or (partly if partly in {column.name for column in results} else None)


def _results(choice: Choice) -> list[Column]:
    """What can be wanted for itself: no costs and no prices."""
    return [one for one in choice.numbers if not has_concept(one.name, (*COST, *COST_RATES))]


def _cost_itself(choice: Choice) -> str | None:
    """The cost, when the question asks how much was spent rather than what came of it.

    Raises:
        SkillError: it does, and no column says what was spent.
    """
    asked = choice.asked
    says_cost = re.search(rf"\b(?:{COSTS})", asked) or COST_SAID.search(asked)
    itself = COST_ITSELF.search(asked) or COST_SAID.search(asked)
    if not says_cost or (ADVICE.search(asked) and not itself):
        return None
    column = said(choice.costs, asked) or named(choice.costs, COST)
    if column is None:
        rates = [one for one in choice.numbers if is_rate(one.name)]
        if price := said(rates, asked) or named(choice.numbers, (*COST_RATES, *PRICE)):
            return price
        raise missing(choice.columns, choice.question, "cost" if COST_SAID.search(asked) else says_cost[0])
    return column if itself or not _usual(_results(choice)) else None


def _only_costs(choice: Choice, cost: str | None) -> Measure:
    """What a file without results can still be asked: how much was spent.

    Raises:
        SkillError: it is asked for more.
    """
    price = named(choice.numbers, COST_RATES)
    column = cost or price or (choice.numbers[0].name if choice.numbers else None)
    if column is None or choice.given.get("cost"):
        names = ", ".join(column.name for column in choice.columns[:30])
        raise SkillError(
            "no-number", f"No column holds numbers to compare ({names}).", "Name the column as `metric`."
        )
    asked = choice.asked
    asks_cost = re.search(rf"\b(?:{COSTS})", asked) or COST_SAID.search(asked)
    judges = JUDGING.search(asked) or (SUPERLATIVE.search(asked) and not asks_cost)
    if ADVICE.search(asked) or (cost and judges):
        raise no_result(choice.columns, column)
    return Measure(column, None)


def _asked_ratio(choice: Choice) -> Measure | None:
    """The ratio that the question names, worked out, or read where the file has it.

    Raises:
        SkillError: it can neither be worked out nor read.
    """
    asked = choice.asked
    amounts = [column for column in choice.numbers if not is_rate(column.name)]
    for pattern, metric, bases in RATIOS:
        asked_for = re.search(pattern, asked)
        if not asked_for:
            continue
        top = holding(amounts, RESULTS[metric])
        rest = [column for column in amounts if column.name != top]
        below = [named(rest, COST) if base == "cost" else holding(rest, RESULTS[base]) for base in bases]
        bottom = next((name for name in below if name), None)
        if top and bottom:
            return Measure(top, bottom)
        read = next((one.name for one in choice.numbers if re.search(pattern, plain(one.name))), None)
        flag = next((one for one in amounts if one.name == top and one.distinct <= FLAG_VALUES), None)
        if read or flag:
            return Measure(read or str(top), None)
        if re.search(VERBS_OF_RATIOS, asked):
            return None
        raise no_ratio(choice.columns, as_written(choice.question, asked_for[0]), bases if top else [metric])
    return _ratio_of_two(choice, amounts)


def _ratio_of_two(choice: Choice, amounts: Sequence[Column]) -> Measure | None:
    """`... per ...` of two numbers, such as revenue per order.

    Raises:
        SkillError: what it is divided by is well known and not there.
    """
    for match in PER.finditer(choice.asked):
        above, below = match["above"], match["below"]
        if said([column for column in choice.columns if column.kind != "number"], below):
            continue
        money = below.rstrip("s") in MONEY or any(begins(below, word) for word in COST)
        bottom = named(choice.costs, COST) if money else said(amounts, below) or meant(amounts, below, below)
        rest = [column for column in amounts if column.name != bottom]
        top = said(rest, above) or meant(rest, above, above)
        if top and bottom:
            return Measure(top, bottom)
        if bottom and any(begins(above, word) for word in COST) and (cost := named(rest, COST)):
            # What each costs is the other way up: the most for the money comes first.
            return Measure(bottom, cost)
        known = money or any(begins(below, word) for spoken, _ in MEANT for word in spoken)
        if bottom is None and known:
            raise missing(choice.columns, choice.question, "cost" if money else below)
    return None


def meant(numbers: Sequence[Column], asked: str, places: str) -> str | None:
    """The column of the result that the words speak of, in another language or word than the column's.

    Args:
        numbers: what can be compared.
        asked: plain words.
        places: those of them that stand where a measure stands.
    """
    for spoken, wanted in MEANT:
        said_so = any(begins(places if word in AMBIGUOUS else asked, word) for word in spoken)
        if said_so and (found := holding(numbers, wanted)):
            return found
    return None


def _usual(numbers: Sequence[Column]) -> str | None:
    """What such files are usually compared by."""
    counted = [column for column in numbers if not is_identifier(column)]
    amounts = [column for column in counted if not is_rate(column.name)]
    for words in RESULTS.values():
        if found := holding(amounts, words):
            return found
    return next((column.name for column in [*amounts, *counted, *numbers]), None)
