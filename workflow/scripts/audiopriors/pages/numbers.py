"""Numbers as readers of pages see them."""

from __future__ import annotations

import math


def number(value: float, digits: int = 1) -> str:
    """A number with a true minus sign, and thousands apart; a dash for none."""
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "∞" if value > 0 else "−∞"
    text = f"{value:,.{digits}f}".replace(",", "\N{NO-BREAK SPACE}")
    return text.lstrip("-") if not text.strip("-0.") else text.replace("-", "−")


def short(value: float) -> str:
    """A number with three significant digits, or all digits of its whole part; a dash for none."""
    magnitude = math.floor(math.log10(abs(value))) if value and math.isfinite(value) else 0
    return number(value, min(max(0, 2 - magnitude), 6))
