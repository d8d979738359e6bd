"""What a filter let through and what it broke, from its output alone: the planted values are known."""
import collections

VERSION = "version"  # looks like an address and is none: by itself, apart from damage
SHORTEST_HALF = 4  # bytes; the half of a shorter value stands in many a line by chance


def lines_of(text, truth_path):
    """Yields of each line of a log its bytes, its planted values and the texts between them."""
    with open(truth_path) as file:
        values = [(int(offset), value.encode(), kind) for offset, value, kind in (line.rstrip("\n").split("\t") for line in file)]
    values.append((len(text) + 1, b"", ""))
    start = place = 0
    for line in text.split(b"\n")[:-1]:
        end, between, planted, copied = start + len(line), [], [], start
        while values[place][0] < end:
            offset, value, kind = values[place]
            between.append(text[copied:offset])
            planted.append((value, kind))
            copied, place = offset + len(value), place + 1
        yield line, planted, between + [text[copied:end]]
        start = end + 1


def leaks(planted, between, out):
    """Yields the kind of each value that is still in `out`: as a whole, or its first or last half, oftener than these
    bytes stand in the line anyway."""
    rest = b"\0".join(between + [value for value, kind in planted if kind == VERSION])
    whole = [out.count(value) > rest.count(value) for value, _ in planted]
    rest = b"\0".join([rest] + [value for (value, _), leaked in zip(planted, whole) if leaked])
    for (value, kind), leaked in zip(planted, whole):
        half = (len(value) + 1) // 2
        halves = (value[:half], value[-half:]) if half >= SHORTEST_HALF else ()
        if kind != VERSION and (leaked or any(out.count(part) > rest.count(part) for part in halves)):
            yield kind


def damaged(between, out):
    """Whether the texts between the values are no longer there, in this order."""
    if len(between) == 1:
        return out != between[0]
    place = len(between[0])
    for text in between[1:-1]:
        place = out.find(text, place) + len(text)
        if place < len(text):
            return True
    return not (out.startswith(between[0]) and out[place:].endswith(between[-1]))


def count(text, truth_path, output):
    """What is planted, leaked and damaged in one log: a counter by (what, kind)."""
    counts = collections.Counter()
    for (line, planted, between), out in zip(lines_of(text, truth_path), output.split(b"\n")):
        counts["lines", ""] += 1
        counts.update(("planted", kind) for _, kind in planted)
        if out == line:  # the most frequent case by far
            counts.update(("leaked", kind) for _, kind in planted if kind != VERSION)
            continue
        counts.update(("leaked", kind) for kind in leaks(planted, between, out))
        counts["damaged", ""] += damaged(between, out)
        counts["taken", VERSION] += sum(kind == VERSION and value not in out for value, kind in planted)
    return counts
