from agents.common.text import length


def share(part: float, whole: float) -> float | None:
    """Percent; None if `whole` is 0."""
    return 100 * part / whole if whole else None


def milliseconds(value: float) -> str:
    """A duration in ms, in few characters: 0.4 ms, 85 ms, 1.24 s, 12.4 s, 2 min 3 s."""
    if value >= 59_950:
        return length(value / 1000)
    if value < 999.5:
        return f"{value:.1f} ms" if 0.05 <= value < 9.95 else f"{value:.0f} ms"
    return f"{value / 1000:.2f} s" if value < 9_995 else f"{value / 1000:.1f} s"


def percent(value: float) -> str:
    whole = round(value)
    return f"{value:.1f} %" if whole in (0, 100) and value not in (0, 100) else f"{whole} %"


def short(value: float) -> str:
    """A count in few characters: 950, 12.3 k, 4.56 M."""
    if value < 10_000:
        return f"{value:,.0f}"
    return f"{value / 1_000:.1f} k" if value < 999_950 else f"{value / 1_000_000:.2f} M"
