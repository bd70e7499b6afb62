"""How people ask: words and patterns of questions. Data alone; `measures.py` and `unknown.py` have the rules.

Words are without accents and in lower case, as `naming.plain` makes them.
"""

import re


def _words(*lines: str) -> tuple[str, ...]:
    return tuple(word.strip() for line in lines for word in line.split(","))


def _choice(*lines: str) -> str:
    return "|".join(_words(*lines))


EFFICIENCY = _words(
    "budget, spend, invest, efficien, effizien, roi, roas, cost, kosten, money, geld, ausgeben, worth, lohnt",
    "rentab, profitable, presupuesto, invertir, gastar, argent, depenser, spendere, bang, cheap, expensive",
)
ADVICE = re.compile(
    r"\b(should|shall|ought|invest\w*|worth|increase|scale|put more|soll\w*|lohnt|erhohen|mehr geld)\b"
    r"|\b(more|less|mehr|weniger) budget\b"
)
"""A question about where money should go, not about how much went."""
JUDGING = re.compile(
    r"\b(best|better|worst|winn\w*|perform\w*|effective|effizien\w*|efficien\w*|successful|works?|working|beste[nrs]?"
    r"|besser|schlechteste[nrs]?|gewinner|erfolgreich\w*)\b"
)
COST_SAID = re.compile(r"\b(expensive|cheap\w*|pric(?:e|es|ey)|teuer\w*|teuerste\w*|gunstig\w*|billig\w*)\b")
LOWEST = _words(
    "lowest, least, fewest, smallest, shortest, fastest, quickest, cheapest, minimum, niedrigste, geringste",
    "wenigste, kleinste, schnellste, gunstigste, billigste, moins, menor, minore",
)
HIGHEST = _words(
    "highest, largest, longest, slowest, maximum, hochste, grosste, langste, langsamste, most",
    "expensive, teuerste",
)
# What is asked, its metric, and what that is divided by; the first base that the file has.
RATIOS = (
    (
        r"\b(conversion ?rate|cvr|konversionsrate|converts?|converting|konvertier\w*)",
        "conversions",
        ("clicks", "visits", "impressions"),
    ),
    (r"\b(ctr|click through( rate)?|klickrate)\b", "clicks", ("impressions",)),
    (r"\b(cpc|cost per click|klickpreis|kosten (pro|je) klick)\b", "clicks", ("cost",)),
    (r"\b(roas|return on ad spend)\b", "revenue", ("cost",)),
    (
        r"\b(cpa|cpl|(cost|kosten) (per|pro|je) "
        r"(acquisition|conversion|lead|order|customer|konversion|bestellung|sale))\b",
        "conversions",
        ("cost",),
    ),
    (r"\b(cpm|tkp|cost per (mille|thousand|impression))\b", "impressions", ("cost",)),
)
VERBS_OF_RATIOS = r"\b(converts?|converting|konvertier\w*)\b"
"""A ratio asked for by a verb: where it cannot be made, its metric alone is an answer too."""
MONEY = _words("euro, dollar, pound, franc, franken, eur, usd, gbp, chf, money, cent")
PER = re.compile(
    r"(?P<above>\w+(?: \w+)?) (?:per|pro|je|for each|for every) (?:1 |a |the |one )?(?P<below>\w+)"
)
NAMED_COLUMN = re.compile(
    r"\b(?:by|per|column|columns|nach|je|pro|spalte)\s+(?:column\s+|the\s+|der\s+|dem\s+|spalte\s+)?[\"'`]?([^\W\d_]\w+)",
    re.IGNORECASE,
)
NO_COLUMN = frozenset(
    # What follows "by" and "per" without naming a column.
    _words(
        "how, far, much, the, a, an, any, all, what, which, who, my, our, this, that, these, day",
        "days, week, weeks, month, months, year, years, hour, euro, euros, dollar, dollars, unit",
        "cent, percent, chance, group, groups, default, hand, itself, each, row, rows, name, names",
        "more, less, most, least, file, data, performance, efficiency, result, results, money",
        "accident, now, then, average, mean, median, total, size, head, person, comparing, looking",
        "using, number, count, share, rate, ratio, roi, significance, it, acquisition, mille",
        "thousand, value, column, columns, date, time, way, best, tag, woche, monat, jahr, stunde",
        "mehr, weniger, person, kopf, datum, oben, unten, wie, vor, dem, der, den, die, das",
        "leistung, ergebnis, gruppe, gruppen, zeit, effizienz",
    )
)

# Where a measure stands. A phrase is what follows, up to a word that ends it.
_MOST = _choice(
    "most, highest, lowest, fewest, least, largest, biggest, greatest, smallest, best, worst",
    "maximum, minimum, max, min, average, mean, median, total, more, less, fewer, higher, lower",
    "better, meisten?, hochste[nrs]?, niedrigste[nrs]?, wenigsten?, geringste[nrs]?",
    "grosste[nrs]?, kleinste[nrs]?, beste[nrs]?, mehr, weniger, hohere[nrs]?",
    "durchschnittliche[nrs]?, gesamte[nrs]?",
)
_SUPERLATIVE = _choice(
    "highest, lowest, fewest, cheapest, gunstigste[nrs]?, largest, biggest, greatest, smallest",
    "maximum, minimum, hochste[nrs]?, niedrigste[nrs]?, geringste[nrs]?, grosste[nrs]?",
    "kleinste[nrs]?, meisten, wenigsten",
)
SUPERLATIVE = re.compile(rf"\b(?:{_MOST}|top)\b")
_HAS = _choice(
    "has, have, had, having, got, gets?, with, brings?, brought, shows?, generates?, generated",
    "produces?, produced, drives?, drove, delivers?, delivered, makes?, made, wins?, won, earns?",
    "earned, attracts?, creates?, gave, gives?, hat, haben, hatten?, mit, bringt, brachten?",
    "bringen, erzielt, erzielten?, liefert, lieferten?, macht, machten?",
)
_THE = r"(?:(?:the|die|der|den|das|am|overall|also|us|uns|our|by far) )*"
_IS = "(?:is|are|was|were|ist|sind|war)"
_BY = "(?:by|per|across|between|among|nach|je|pro|zwischen)"
PHRASES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(?:{_HAS}) {_THE}(?:{_MOST}) (?P<phrase>.+)",
        rf"\b(?:{_SUPERLATIVE}|the most|the least) (?P<phrase>.+)",
        r"\b(?:how many|wie viele?|number of|anzahl(?: der| an| von)?|sum of|summe der|average|mean|median"
        r"|durchschnittliche[nrs]?) (?P<phrase>.+)",
        rf"\b(?:compare|rank|sort|plot|chart|vergleiche?n?|zeige?|sortiere?) (?P<phrase>.+) {_BY}\b",
        r"\b(?:compare|vergleiche?) (?P<phrase>.+)",
        rf"\b(?:whose|deren|dessen) (?P<phrase>.+?) (?:{_IS} )?{_THE}(?:{_MOST})\b",
        rf"\b(?:where|wo) {_IS} {_THE}(?P<phrase>.+?) {_THE}(?:{_MOST})\b",
        rf"^(?:what is |show |give me |list |was ist )?{_THE}(?P<phrase>\w+(?: \w+)?) {_BY}\b",
        r"\b(?:in terms of|based on|measured by|judged by|with respect to|regarding|ranked (?:by|on)"
        r"|gemessen an|bezogen auf|hinsichtlich|in bezug auf) (?P<phrase>.+)",
        r"\b(?:does|do|did|will) .+ (?:more|less|fewer|higher|lower) (?P<phrase>.+?) than\b",
    )
)
PLACES = (*PHRASES, re.compile(rf"\b{_BY} (?P<phrase>.+)"))
"""Where a word that is ambiguous elsewhere names a measure."""
NOUNS = {"convert": "conversions", "konvertier": "Konversionen", "sell": "sales", "sold": "sales"} | {
    "profitab": "profit",
    "verkauf": "Verk\u00e4ufe",
}
"""The measure that a verb or an adjective means."""
PHRASE_OF_MONEY = re.compile(r"\bvalue for (?:the )?money\b")
FILLERS = re.compile(
    rf"^(?:(?:{_MOST}|the|a|an|my|our|your|their|its|all|number|amount|count|level|sum|overall|daily|weekly|"
    r"monthly|of|per cent|each|every|new|die|der|das|den|dem|eine?|unsere?|anzahl|summe|hohe|an|von|pro|two|"
    r"three|both|different|these|those|alle) )+"
)
ENDS = re.compile(
    r"(?:^|\s)(?:per|by|for|in|on|of|to|and|or|than|is|are|was|were|from|at|with|over|as|a|the|if|when|which|that|"
    r"who|what|across|between|among|while|but|so|it|its|their|has|have|last|this|next|during|today|now|overall|"
    r"compared|relative|given|vs|versus|against|please|do|does|did|should|nach|je|pro|und|oder|als|fur|im|in|bei|"
    r"von|mit|zu|am|pour|por|using|nur|bitte|hat|haben|ist|sind|soll\w*|zwischen|gegen)(?:\s|$)|[?!.,;:()]"
)
MODIFIERS = frozenset(
    _words(
        "rate, rates, ratio, share, average, mean, median, value, values, total, number, count",
        "percentage, percent, level, quote, wert, werte, anteil, anzahl, amount, sum, score",
    )
)
"""Words that say how something is measured, not what."""
GENERIC = frozenset(
    # What may stand where a measure stands and is none: everything that asks for the usual one.
    _words(
        "performance, performances, result, results, outcome, outcomes, efficiency, effect, effects",
        "effectiveness, impact, success, return, difference, differences, chance, chances",
        "potential, money, bang, roi, lift, advantage, lead, gap, one, ones, option, options, choice",
        "evidence, numbers, figures, data, metric, metrics, measure, measures, everything, things",
        "stuff, way, ways, file, files, value for money, value, leistung, ergebnis, ergebnisse",
        "erfolg, wirkung, unterschied, unterschiede, zahlen, daten, geld, effizienz, effective",
        "effektiv, efficient, effizient, successful, erfolgreich, promising, performing, profitable",
        "rentable, rentabel, often, likely, important, reliable, significant, significantly, well",
        "good, bad, budget, budgets, attention, investment, convincing, group, groups, gruppe",
        "gruppen, column, columns, categories, category, kategorie, significance, quickly, slowly",
        "fast, slow",
    )
)
