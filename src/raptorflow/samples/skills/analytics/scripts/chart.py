"""A bar chart with intervals, drawn plainly."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from chosen import CHART_WIDTH

SCALE = 2
ROW, TOP, BOTTOM, SIDE = 44, 78, 40, 24
LABELS, VALUES = 200, 90
INK, QUIET, GRID, BAR, BEST = "#1f2430", "#6b7280", "#e5e7eb", "#9db4d6", "#2563a8"
MOST_BARS = 20
# Pillow's own font has no letters but A to Z.
FONT = Path(__file__).parent.parent / "assets" / "DejaVuSans-subset.ttf"
COMPRESSION = 3
MOST_LETTERS = 200


@dataclass(frozen=True)
class Bar:
    """One bar: its value and the interval around it, if there is one."""

    label: str
    value: float
    low: float | None
    high: float | None

    @property
    def ends(self) -> tuple[float, float]:
        """The lowest and the highest that is drawn."""
        drawn = [self.value, *(edge for edge in (self.low, self.high) if edge is not None)]
        return min(drawn), max(drawn)


def draw_bars(path: Path, title: str, subtitle: str, bars: Sequence[Bar]) -> None:
    """Draw bars, the first one highlighted, into a PNG file."""
    shown = bars[:MOST_BARS]
    height = TOP + ROW * len(shown) + BOTTOM
    image = Image.new("RGB", (CHART_WIDTH * SCALE, height * SCALE), "white")
    pen = _Pen(ImageDraw.Draw(image))
    pen.text((SIDE, 16), _fitted(title, 19, CHART_WIDTH - 2 * SIDE), 19, INK)
    more = f"; the first {MOST_BARS} of {len(bars)}" if len(bars) > MOST_BARS else ""
    pen.text((SIDE, 44), f"{subtitle}{more}", 12, QUIET)
    low = min(0.0, *(bar.ends[0] for bar in shown))
    high = max(0.0, *(bar.ends[1] for bar in shown))
    axis = _Axis(low, high if high > low else low + 1.0)
    for tick in axis.ticks():
        pen.line((axis.at(tick), TOP - 4, axis.at(tick), height - BOTTOM), GRID, 1)
        pen.text((axis.at(tick), height - BOTTOM + 8), _short(tick), 11, QUIET, "ma")
    for place, bar in enumerate(shown):
        _draw(pen, axis, bar, TOP + ROW * place + ROW / 2, BAR if place else BEST)
    image.save(path, "PNG", compress_level=COMPRESSION)


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float

    def at(self, value: float) -> float:
        left, right = SIDE + LABELS, CHART_WIDTH - SIDE - VALUES
        return left + (value - self.low) / (self.high - self.low) * (right - left)

    def ticks(self) -> list[float]:
        """About five round numbers between low and high."""
        rough = (self.high - self.low) / 5
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * power for factor in (1, 2, 2.5, 5, 10, 20) if factor * power >= rough)
        return [place * step for place in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]


def _draw(pen: "_Pen", axis: _Axis, bar: Bar, middle: float, colour: str) -> None:
    pen.text((SIDE + LABELS - 12, middle), _fitted(bar.label, 13, LABELS - 12), 13, INK, "rm")
    start, end = sorted((axis.at(0.0), axis.at(bar.value)))
    pen.box((start, middle - 12, end, middle + 12), colour)
    if bar.low is not None and bar.high is not None:
        pen.line((axis.at(bar.low), middle, axis.at(bar.high), middle), INK, 1.5)
        for edge in (bar.low, bar.high):
            pen.line((axis.at(edge), middle - 5, axis.at(edge), middle + 5), INK, 1.5)
    pen.text((axis.at(max(bar.ends[1], 0.0)) + 8, middle), _short(bar.value), 13, INK, "lm")


class _Pen:
    """Draws in points; the picture has twice as many pixels."""

    def __init__(self, draw: ImageDraw.ImageDraw) -> None:
        self._draw = draw

    def text(self, at: tuple[float, float], text: str, size: int, colour: str, anchor: str = "la") -> None:
        place = (at[0] * SCALE, at[1] * SCALE)
        self._draw.text(place, text, fill=colour, font=_font(size * SCALE), anchor=anchor)

    def line(self, ends: tuple[float, float, float, float], colour: str, width: float) -> None:
        self._draw.line(_scaled(ends), fill=colour, width=round(width * SCALE))

    def box(self, corners: tuple[float, float, float, float], colour: str) -> None:
        self._draw.rectangle(_scaled(corners), fill=colour)


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT, size, layout_engine=ImageFont.Layout.BASIC)


def _scaled(numbers: Sequence[float]) -> tuple[float, ...]:
    return tuple(number * SCALE for number in numbers)


def _short(number: float) -> str:
    """At most seven characters."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e4, "k")):
        if size <= abs(number) < 1e12:
            return f"{number / (1000.0 if letter == 'k' else size):.4g}{letter}"
    if abs(number) >= 1e12:
        return f"{number:.1e}"
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"


def _fitted(text: str, size: int, width: float) -> str:
    """The text on one line, cut so that it is no wider than that."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text[:MOST_LETTERS])
    font = _font(size * SCALE)
    shown = plain
    while font.getlength(shown) > width * SCALE:
        plain = plain[:-1]
        shown = f"{plain.rstrip()}…"
    return shown
