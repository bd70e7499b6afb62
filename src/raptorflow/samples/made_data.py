"""Made-up data to try the samples on."""

import random

DAYS = 28
CAMPAIGNS = {"Autumn Sale": 0.031, "Brand Search": 0.068, "Video Awareness": 0.012, "Retargeting": 0.052}
CLICK_PRICES = {"Autumn Sale": 0.62, "Brand Search": 0.41, "Video Awareness": 0.18, "Retargeting": 0.55}


def campaigns_csv(seed: int = 7) -> bytes:
    """Four weeks of four advertising campaigns; the same for the same seed."""
    chance = random.Random(seed)
    lines = ["date,campaign,impressions,clicks,spend,conversions"]
    for day in range(1, DAYS + 1):
        for name, rate in CAMPAIGNS.items():
            clicks = chance.randint(180, 420)
            impressions = clicks * chance.randint(18, 35)
            spend = clicks * CLICK_PRICES[name] * chance.uniform(0.9, 1.1)
            conversions = sum(chance.random() < rate for _ in range(clicks))
            lines.append(f"2026-10-{day:02},{name},{impressions},{clicks},{spend:.2f},{conversions}")
    return ("\n".join(lines) + "\n").encode()
