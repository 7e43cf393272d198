"""The plot: one bar a figure, the target as a mark."""

from __future__ import annotations

from html import escape

ROW, LEFT, UNIT = 26, 190, 46


def svg(rows: list[tuple[str, float, float]]) -> str:
    """Draw name, value and target of each row, in floor pages."""
    height = ROW * (len(rows) + 1)
    width = LEFT + round(UNIT * max(max(value, target) for _, value, target in rows)) + 60
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'aria-label="CPU of each operation in floor pages" font-family="sans-serif" '
        'font-size="13">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for number, (name, value, target) in enumerate(rows):
        top = ROW * number + 6
        mark = LEFT + target * UNIT
        parts += [
            f'<text x="{LEFT - 8}" y="{top + 14}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{LEFT}" y="{top}" width="{value * UNIT:.1f}" height="18" fill="#4a7ab5"/>',
            f'<line x1="{mark:.1f}" x2="{mark:.1f}" y1="{top - 3}" y2="{top + 21}" '
            'stroke="#b5452c" stroke-width="3"/>',
            f'<text x="{LEFT + value * UNIT + 6:.1f}" y="{top + 14}">{value:.1f}</text>',
        ]
    foot = "floor pages; the red mark is the target"
    parts += [f'<text x="{LEFT}" y="{height - 8}" fill="#555">{foot}</text>', "</svg>"]
    return "\n".join(parts) + "\n"
