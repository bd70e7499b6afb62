"""What people call their columns, and how they ask about them. Data alone; `roles.py` has the rules.

Words are without accents and in lower case. Within a concept, and among `RESULTS`, the first that is found wins.
"""

GROUPS = (
    "campaign", "kampagne", "campagne", "campana", "campanha", "campagna", "ad group", "adgroup", "anzeigengruppe",
    "ad set", "channel", "kanal", "canal", "source", "quelle", "medium", "product", "produkt", "produit", "producto",
    "prodotto", "article", "artikel", "variant", "variante", "region", "country", "land", "pays", "pais", "city",
    "stadt", "store", "shop", "filiale", "branch", "segment", "category", "kategorie", "categorie", "categoria",
    "customer", "kunde", "team", "group", "gruppe", "groupe", "grupo", "type", "name",
)  # fmt: skip
COST = (
    "spend", "spent", "cost", "kosten", "ausgaben", "aufwand", "cout", "depense", "gasto", "coste", "costo", "spesa",
    "uitgaven", "custo", "expense", "investment", "budget",
)  # fmt: skip
RESULTS = {
    "revenue": (
        "revenue", "umsatz", "conversion value", "conv value", "turnover", "income", "erlos", "einnahmen",
        "chiffre d affaires", "recette", "ingreso", "fatturato", "ricavi", "omzet", "receita", "gmv", "sales",
        "ventas", "vendite", "ventes", "verkaufe",
    ),
    "profit": ("profit", "gewinn", "margin", "marge", "benefice", "beneficio", "utile", "winst", "lucro"),
    "conversions": (
        "conversion", "conv", "convert", "konversion", "order", "bestellung", "purchase", "kaufe", "lead", "signup", "sign up",
        "registration", "anmeldung", "install", "booking", "buchung", "transaction", "subscription", "commande",
        "achat", "pedido", "conversione", "ordini",
    ),
    "amount": ("value", "amount", "betrag", "montant", "importe", "importo", "total", "wert"),
    "score": ("score", "rating", "satisfaction", "bewertung", "punkte", "grade", "nps"),
    "units": ("units", "quantity", "qty", "menge", "stuck", "sold", "quantite", "cantidad", "quantita"),
    "clicks": ("click", "klick", "clic"),
    "visits": ("visit", "besuch", "session", "sitzung", "user", "nutzer"),
    "impressions": ("impression", "impr", "view", "aufruf", "impresion", "reach"),
}  # fmt: skip
AMOUNTS = ("value", "amount", "betrag", "wert", "importe", "montant")
ADDITIVE = ("revenue", "profit", "conversions", "amount", "units", "clicks", "visits", "impressions")
"""Concepts whose sum means something; the sum of scores does not."""
EVENTS = ("conversions", "clicks", "visits", "impressions")
"""Concepts that count separate events; whole numbers of these vary by chance as counts do."""
WORSE_WHEN_HIGHER = (
    "complaint", "beschwerde", "reclam", "returned", "return rate", "retoure", "refund", "erstattung", "defect", "error", "fehler",
    "churn", "cancel", "storno", "bounce", "latency", "duration", "dauer", "response time", "delay", "wait",
    "verspatung", "absence", "accident", "downtime",
)  # fmt: skip
RATES = (
    "rate", "quote", "ratio", "ctr", "cpc", "cpa", "cpm", "cpl", "cvr", "roas", "roi", "%", "share", "anteil", "avg",
    "average", "durchschnitt", "mean", "per", "pro", "/", "je",
)  # fmt: skip
IDENTIFIERS = (
    "id", "nr", "no", "number", "nummer", "zip", "plz", "postcode", "phone", "telefon", "year", "jahr", "month",
    "monat", "week", "woche", "day", "tag", "hour", "index", "row", "lat", "lon", "latitude", "longitude",
)  # fmt: skip
TOTALS = (
    "total",
    "totals",
    "grand total",
    "sum",
    "summe",
    "gesamt",
    "gesamtsumme",
    "insgesamt",
    "totale",
    "totaal",
)

# Questions.
EFFICIENCY = (
    "budget", "spend", "invest", "efficien", "effizien", "roi", "roas", "cost", "kosten", "money", "geld", "ausgeben",
    "worth", "lohnt", "rentab", "presupuesto", "invertir", "gastar", "argent", "depenser", "spendere", "bang",
)  # fmt: skip
COST_ITSELF = r"\b(highest|most|largest|biggest|lowest|least|how much|hochste[nr]?|meisten?)\s+(\w+\s+)?(spend|cost|kosten|ausgaben)"
LOWEST = (
    "lowest", "least", "fewest", "smallest", "shortest", "fastest", "quickest", "cheapest", "minimum", "niedrigste",
    "geringste", "wenigste", "kleinste", "schnellste", "gunstigste", "moins", "menor", "minore",
)  # fmt: skip
HIGHEST = (
    "highest",
    "largest",
    "longest",
    "slowest",
    "maximum",
    "hochste",
    "grosste",
    "langste",
    "langsamste",
)
RATIOS = (
    (r"\b(conversion rate|convert|cvr|konversionsrate|konvertier)", "conversions", ("clicks", "visits", "impressions")),
    (r"\b(ctr|click through|klickrate)\b", "clicks", ("impressions",)),
    (r"\b(cpc|cost per click|klickpreis)\b", "clicks", ("cost",)),
    (r"\b(roas|return on ad spend)\b", "revenue", ("cost",)),
    (r"\b(cpa|cpl|cost per (acquisition|conversion|lead|order|customer))\b", "conversions", ("cost",)),
)  # fmt: skip
NO_COLUMN = frozenset({
    # What follows "by" and "per" without naming a column.
    "how", "far", "much", "the", "a", "an", "any", "all", "what", "which", "who", "my", "our", "this", "that",
    "these", "day", "days", "week", "weeks", "month", "months", "year", "years", "hour", "euro", "euros", "dollar",
    "dollars", "unit", "cent", "percent", "chance", "group", "groups", "default", "hand", "itself", "each", "row",
    "rows", "name", "names", "more", "less", "most", "least", "file", "data", "performance", "efficiency", "result",
    "results", "money", "accident", "now", "then", "average", "mean", "median", "total", "size", "head", "person",
    "comparing", "looking", "using", "number", "count", "share", "rate", "ratio", "roi", "significance", "it",
    "acquisition", "mille", "thousand", "value", "column", "columns", "date", "time", "way", "best",
})  # fmt: skip
