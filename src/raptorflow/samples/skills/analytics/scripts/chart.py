"""A bar chart with intervals, drawn plainly."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

SCALE = 2
WIDTH, ROW, TOP, BOTTOM, SIDE = 860, 44, 74, 40, 24
LABELS, VALUES = 200, 90
INK, QUIET, GRID, BAR, BEST = "#1f2430", "#6b7280", "#e5e7eb", "#9db4d6", "#2563a8"
MOST_BARS = 20
LONGEST_LABEL = 26


@dataclass(frozen=True)
class Bar:
    """One bar: its value and the interval around it."""

    label: str
    value: float
    low: float
    high: float


def draw_bars(path: Path, title: str, subtitle: str, bars: Sequence[Bar]) -> None:
    """Draw bars, the first one highlighted, into a PNG file."""
    bars = bars[:MOST_BARS]
    height = TOP + ROW * len(bars) + BOTTOM
    image = Image.new("RGB", (WIDTH * SCALE, height * SCALE), "white")
    pen = _Pen(ImageDraw.Draw(image))
    pen.text((SIDE, 16), title, 20, INK)
    pen.text((SIDE, 44), subtitle, 13, QUIET)
    low = min(0.0, *(bar.low for bar in bars))
    high = max(0.0, *(bar.high for bar in bars)) or 1.0
    left, right = SIDE + LABELS, WIDTH - SIDE - VALUES

    def across(value: float) -> float:
        return left + (value - low) / (high - low) * (right - left)

    for tick in _ticks(low, high):
        pen.line((across(tick), TOP - 4, across(tick), height - BOTTOM), GRID, 1)
        pen.text((across(tick), height - BOTTOM + 8), _short(tick), 12, QUIET, "ma")
    for number, bar in enumerate(bars):
        middle = TOP + ROW * number + ROW / 2
        pen.text((left - 12, middle), _cut(bar.label), 14, INK, "rm")
        start, end = sorted((across(0.0), across(bar.value)))
        pen.box((start, middle - 12, end, middle + 12), BAR if number else BEST)
        pen.line((across(bar.low), middle, across(bar.high), middle), INK, 1.5)
        for edge in (bar.low, bar.high):
            pen.line((across(edge), middle - 5, across(edge), middle + 5), INK, 1.5)
        pen.text((across(max(bar.high, bar.value, 0.0)) + 8, middle), _short(bar.value), 14, INK, "lm")
    image.save(path, "PNG", optimize=True)


class _Pen:
    """Draws in points; the picture has twice as many pixels."""

    def __init__(self, draw: ImageDraw.ImageDraw) -> None:
        self._draw = draw

    def text(self, at: tuple[float, float], text: str, size: int, colour: str, anchor: str = "la") -> None:
        font = ImageFont.load_default(size * SCALE)
        self._draw.text(_scaled(at), text, fill=colour, font=font, anchor=anchor)

    def line(self, ends: tuple[float, float, float, float], colour: str, width: float) -> None:
        self._draw.line(_scaled(ends), fill=colour, width=round(width * SCALE))

    def box(self, corners: tuple[float, float, float, float], colour: str) -> None:
        self._draw.rectangle(_scaled(corners), fill=colour)


def _scaled(numbers: Sequence[float]) -> tuple[float, ...]:
    return tuple(number * SCALE for number in numbers)


def _ticks(low: float, high: float) -> list[float]:
    """About five round numbers between low and high."""
    rough = (high - low) / 5
    power = 10.0 ** (len(f"{int(rough)}") - 1) if rough >= 1 else 1.0
    while power > rough:
        power /= 10
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)
    first = int(low / step)
    return [number * step for number in range(first, int(high / step) + 1)]


def _short(number: float) -> str:
    if abs(number) >= 1000:
        return f"{number:,.0f}"
    return f"{number:.3g}"


def _cut(label: str) -> str:
    plain = "".join(letter if letter.isprintable() else " " for letter in label)
    return plain if len(plain) <= LONGEST_LABEL else f"{plain[: LONGEST_LABEL - 1]}…"
