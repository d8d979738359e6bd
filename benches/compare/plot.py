"""Small plots as SVG, in greys and colours that can be read on white and on black, with a shape for each series."""
import math
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, TOP, ROW = 720, 130, 20, 50, 24
INK, GRID = "#7a7a7a", "#9a9a9a"
COLOURS = ["#3b82c4", "#d9770b", "#2a9d5c", "#b05bd1", "#c9405b"]
SHAPES = ["M-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0z", "M-5,-5h10v10h-10z", "M0,-6l6,10h-12z", "M0,-6l6,6l-6,6l-6,-6z", "M-6,-4h12l-6,10z"]


def mark(series, x, y, title=""):
    return '<path d="%s" transform="translate(%.1f,%.1f)" fill="%s"><title>%s</title></path>' % (
        SHAPES[series], x, y, COLOURS[series], escape(title))


def text(x, y, words, anchor="start", weight="normal"):
    return '<text x="%.1f" y="%.1f" text-anchor="%s" font-weight="%s">%s</text>' % (x, y, anchor, weight, escape(words))


def legend(series):
    parts, x = [], LEFT
    for number, name in enumerate(series):
        parts += [mark(number, x, 32), text(x + 10, 36, name)]
        x += 30 + 8 * len(name)
    return parts


def page(title, height, parts):
    return "\n".join([
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" font-family="sans-serif" '
        'font-size="13" fill="%s"><title>%s</title>' % (WIDTH, height, WIDTH, height, INK, escape(title)),
        text(8, 16, title, weight="bold"), *parts, "</svg>", ""])


def rows(title, table):
    """`table[row][series]` is a number above 0, drawn along a logarithmic axis."""
    series = list(dict.fromkeys(name for values in table.values() for name in values))
    numbers = [value for values in table.values() for value in values.values()]
    low, high = math.floor(math.log10(min(numbers))), math.ceil(math.log10(max(numbers)))
    place = lambda value: LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(value) - low) / max(high - low, 1)
    bottom = TOP + ROW * len(table)
    parts = legend(series)
    for power in range(low, high + 1):
        x = place(10 ** power)
        parts += ['<path d="M%.1f,%dV%d" stroke="%s" stroke-width="0.5"/>' % (x, TOP, bottom, GRID),
                  text(x, bottom + 18, "%g" % 10 ** power, "middle")]
    for number, (row, values) in enumerate(table.items()):
        y = TOP + ROW * (number + 0.5)
        parts += [text(LEFT - 12, y + 4, row, "end", "bold" if row.startswith("logscrub") else "normal"),
                  '<path d="M%d,%.1fH%d" stroke="%s" stroke-width="0.5" stroke-dasharray="1 4"/>' % (LEFT, y, WIDTH - RIGHT, GRID)]
        parts += [mark(series.index(name), place(value), y, "%s, %s: %.3g" % (row, name, value)) for name, value in values.items()]
    return page(title, bottom + 30, parts)
