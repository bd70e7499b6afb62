"""What people call their columns, and how they ask about them. Data alone; `roles.py` has the rules.

Words are without accents and in lower case. Within a concept, and among `RESULTS`, the first that is found
wins.
"""


def _words(*lines: str) -> tuple[str, ...]:
    """The words of lines, parted by commas."""
    return tuple(word.strip() for line in lines for word in line.split(","))


# The same group in several languages; a question in one of them means a column in another.
GROUP_FAMILIES = (
    _words("campaign, kampagne, campagne, campana, campanha, campagna"),
    _words("ad group, adgroup, anzeigengruppe, ad set"),
    _words("channel, kanal, canal"),
    _words("source, quelle"),
    _words("medium"),
    _words("product, produkt, produit, producto, prodotto, article, artikel"),
    _words("variant, variante"),
    _words("region"),
    _words("country, land, pays, pais"),
    _words("city, stadt"),
    _words("store, shop, filiale, branch"),
    _words("segment"),
    _words("category, kategorie, categorie, categoria"),
    _words("customer, kunde"),
    _words("team"),
    _words("group, gruppe, groupe, grupo"),
    _words("type"),
    _words("name"),
)
GROUPS = tuple(word for family in GROUP_FAMILIES for word in family)
COST = _words(
    "spend, spent, spending, cost, kosten, ausgaben, aufwand, cout, depense, gasto, coste, costo, spesa",
    "uitgaven, custo, expense, investment, budget",
)
_REVENUE = _words(
    "revenue, umsatz, umsatze, conversion value, conv value, turnover, income, erlos, einnahmen",
    "chiffre d affaires, recette, ingreso, fatturato, ricavi, omzet, receita, gmv",
)
_SALES = _words("sales, sell, sold, sale, ventas, vendite, ventes, verkaufe, verkauf, verkauft")
_PROFIT = _words("profit, gewinn, benefice, beneficio, utile, winst, lucro")
_MARGIN = _words("margin, marge")
_CONVERSIONS = _words("conversion, conv, convert, konversion, konvertier, conversione")
_ORDERS = _words(
    "order, bestellung, purchase, kaufe, transaction, transaktion, commande, achat, pedido, ordini"
)
_LEADS = _words("lead")
_SIGNUPS = _words("signup, sign up, registration, registrierung, anmeldung")
_INSTALLS = _words("install")
_BOOKINGS = _words("booking, buchung")
_SUBSCRIPTIONS = _words("subscription, abonnement")
_UNITS = _words("units, quantity, qty, menge, stuck, stuckzahl, sold, quantite, cantidad, quantita")
_CLICKS = _words("click, klick, clic")
_VISITS = _words("visit, besuch, session, sitzung")
_USERS = _words("user, nutzer")
_IMPRESSIONS = _words("impression, impr, view, aufruf, impresion")
_REACH = _words("reach, reichweite")
_AMOUNT = _words("value, amount, betrag, montant, importe, importo, total, wert")
_SCORE = _words("score, rating, bewertung, punkte, grade")
_SATISFACTION = _words("satisfaction, zufriedenheit")
_NPS = _words("nps")
PRICE = _words("price, preis, prix, precio, prezzo, fee, gebuhr")
RESULTS = {
    "revenue": (*_REVENUE, "sales", "ventas", "vendite", "ventes", "verkaufe"),
    "profit": (*_PROFIT, *_MARGIN),
    "conversions": (*(*_CONVERSIONS, *_ORDERS, *_LEADS, *_SIGNUPS, *_INSTALLS, *_BOOKINGS, *_SUBSCRIPTIONS),),
    "amount": _AMOUNT,
    "score": (*_SCORE, *_SATISFACTION, *_NPS),
    "units": _UNITS,
    "clicks": _CLICKS,
    "visits": (*_VISITS, *_USERS),
    "impressions": (*_IMPRESSIONS, *_REACH),
}
MEANT = (
    # What a question says, and the words of the columns that are the same thing: leads are no orders, but
    # either may stand in a column of conversions.
    (_REVENUE, RESULTS["revenue"]),
    (_SALES, (*RESULTS["revenue"], *_UNITS, *_ORDERS)),
    (_PROFIT, _PROFIT),
    (_MARGIN, _MARGIN),
    (_CONVERSIONS, RESULTS["conversions"]),
    (_ORDERS, (*_ORDERS, *_CONVERSIONS)),
    (_LEADS, (*_LEADS, *_CONVERSIONS)),
    (_SIGNUPS, (*_SIGNUPS, *_CONVERSIONS)),
    (_INSTALLS, (*_INSTALLS, *_CONVERSIONS)),
    (_BOOKINGS, (*_BOOKINGS, *_CONVERSIONS)),
    (_SUBSCRIPTIONS, (*_SUBSCRIPTIONS, *_CONVERSIONS)),
    (_SATISFACTION, (*_SATISFACTION, *_SCORE, *_NPS)),
    (_NPS, (*_NPS, *_SCORE)),
    (_SCORE, RESULTS["score"]),
    (_UNITS, _UNITS),
    (_CLICKS, _CLICKS),
    (_VISITS, _VISITS),
    (_USERS, _USERS),
    (_IMPRESSIONS, _IMPRESSIONS),
    (_REACH, _REACH),
    (_AMOUNT, (*_AMOUNT, *_REVENUE)),
)
AMBIGUOUS = frozenset(
    # Words that a question also uses in passing ("in order to", "the best value"); they name a measure only
    # where a measure stands.
    _words("order, lead, value, amount, total, wert, view, reach, units, sale, score, grade, user")
    + _words(
        "session, income, margin, marge, utile, punkte, conv, stuck, clic, rating, install, visit, menge"
    )
)
COMPOUNDS = _words(
    # German joins words: Gesamtumsatz is Umsatz, Werbekosten are Kosten.
    "umsatz, umsatze, kosten, ausgaben, gewinn, erlos, einnahmen, bestellung, anmeldung, buchung",
    "klick, betrag, aufruf, besuch, konversion, budget, kampagne, kanal, reichweite",
    "zufriedenheit, sitzung, verkaufe, gruppe",
)
AMOUNTS = _words("value, amount, betrag, wert, importe, montant")
ADDITIVE = _words("revenue, profit, conversions, amount, units, clicks, visits, impressions")
"""Concepts whose sum means something; the sum of scores does not."""
EVENTS = _words("conversions, clicks, visits, impressions")
"""Concepts that count separate events; whole numbers of these vary by chance as counts do."""
WORSE_WHEN_HIGHER = _words(
    "complaint, beschwerde, reclam, returned, return rate, retoure, refund, erstattung, defect",
    "error, fehler, churn, cancel, storno, bounce, latency, duration, dauer, response time",
    "delay, wait, verspatung, absence, accident, downtime, cpc, cpa, cpm, cpl, cost per",
)
AVERAGES = _words("avg, average, durchschnitt, mean")
COST_RATES = _words("cpc, cpa, cpm, cpl, cpv, cost per, cost /, kosten pro, kosten je")
"""Prices of a result: no results themselves."""
RATES = _words(
    "rate, quote, ratio, ctr, cpc, cpa, cpm, cpl, cvr, roas, roi, %, share, anteil, avg, average",
    "durchschnitt, mean, per, pro, /, je",
)
IDENTIFIERS = _words(
    "id, nr, no, number, nummer, zip, plz, postcode, phone, telefon, year, jahr, month, monat",
    "week, woche, day, tag, hour, index, row, lat, lon, latitude, longitude",
)
TOTALS = _words("total, totals, grand total, sum, summe, gesamt, gesamtsumme, insgesamt, totale, totaal")
