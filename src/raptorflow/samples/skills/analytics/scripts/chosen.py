"""What the person who asked has customised, or the defaults."""

from raptorflow_skill.variables import variables

_SET = variables()
SIGNIFICANT = float(_SET.get("significance", 0.05))
CHART_WIDTH = int(_SET.get("chart_width", 860))
