"""The sections of the comparison. Each takes a Bench and returns its Markdown, its plots by file name, its raw numbers."""
import collections
import os
import pathlib
import random
import statistics
import string
import subprocess

import corpus
import measure
import plot
import programs
from bench import MIB, TRUTH_MIB, head
from measure import Job, ratio
from misses import VERSION

START_UPS = 10  # a round
ROUND_TRIPS = 2000
TMPFS_FILE = pathlib.Path("/dev/shm/logscrub-compare")
LINE = b"2025-01-01T00:00:00Z INFO login ok user=alder.agate@example.com from 203.0.113.7 in 12.5ms\n"

# Lines of nothing but what makes a scrubber look closer. What stands here is repeated.
HOSTILE = {
    "digits": "1", "zeros": "0", "card numbers": "4111111111111111", "card numbers, blanks": "4111 1111 1111 1111 ",
    "digits, blanks": "4 ", "digits, hyphens": "4111-", "digits, dots": "1.", "octets": "255.", "dots": ".",
    "colons": ":", "groups of IPv6": "f:", "hex and ::": "2001:db8::", "`@`": "@", "`a@`": "a@", "`a.b@`": "a.b@",
    "`a.`": "a.", "`a@a.`": "a@a.", "`%40`": "%40", "`%25`": "%25", "`a%40b.`": "a%40b.", r"`\u0040`": r"\u0040",
    "backslashes": "\\", "quotes": '"', "escaped quotes": '\\"', "`[`": "[", "`{`": "{", "`[[],`": "[[],",
    '`{"a":`': '{"a":', "`(`": "(", "`<`": "<", "`&#64;`": "&#64;", "ANSI colours": "\x1b[1m", "letters": "a",
    "blanks": " ", "bytes 0xFF": b"\xff",
}


def table(titles, rows):
    """A Markdown table: the first column is text, the others are figures."""
    lines = [titles, ["---"] + ["---:"] * (len(titles) - 1)] + [[str(cell) for cell in row] for row in rows]
    return "\n".join("| %s |" % " | ".join(line) for line in lines) + "\n"


def figure(value):
    """Three digits: what is behind them is noise."""
    return "%.0f" % value if value >= 100 else "%.3g" % value


def percent(part, whole):
    share = 100 * part / whole if whole else 0
    if 0 < share < 0.01:
        return "< 0.01 %"
    return "–" if not whole else "0" if not part else "%.2g %%" % share if share < 10 else "%.0f %%" % share


def rate(costs):
    """GB/s from nanoseconds a byte."""
    return 1 / statistics.median(costs)


def missed(bench):
    counted = {program.name: [bench.misses(program, name) for name in corpus.NAMES] for program in [bench.logscrub, *bench.peers]}
    lossy = [name for name, logs in counted.items() if None in logs]
    sums = {name: sum(logs, collections.Counter()) for name, logs in counted.items() if name not in lossy}
    planted = sums["logscrub"]
    kinds = sorted(kind for what, kind in planted if what == "planted" and kind != VERSION)
    leaked = [["*planted*"] + [planted["planted", kind] for kind in kinds]]
    damaged = [["*lines*"] + [log["lines", ""] for log in counted["logscrub"]] + [planted["planted", VERSION]]]
    for name, counts in sums.items():
        leaked.append([name] + [counts["leaked", kind] for kind in kinds])
        damaged.append([name] + [log["damaged", ""] for log in counted[name]] + [counts["taken", VERSION]])
    markdown = "Values that are still there, as a whole or a half:\n\n" + table(["", *kinds], leaked)
    markdown += "\nLines of which something else was changed, and versions that were taken for addresses:\n\n"
    markdown += table(["", *corpus.NAMES, "versions"], damaged)
    markdown += "".join("\n%s lost lines.\n" % name for name in lossy)
    raw = {name: {" ".join(key): number for key, number in sorted(counts.items())} for name, counts in sums.items()}
    return markdown, {}, raw


def speed(bench):
    markdown, raw = "", {}
    rates = {name: {} for name in ["cat", "logscrub", "logscrub -f text", *(peer.name for peer in bench.peers)]}
    for name in bench.logs():
        path = bench.log(name)
        jobs = [Job("cat", bench.cat.argv, path), bench.checked("logscrub", bench.logscrub.argv, path)]
        if name == "app":
            jobs.append(bench.checked("logscrub -f text", bench.variant("-f", "text"), path))
        jobs += [Job(peer.name, peer.argv, head(path, peer.head_mib)) for peer in bench.peers]
        costs = raw[name] = bench.interleaved(jobs)
        for program in costs:
            rates[program][name] = rate(costs[program])
        rows = [speed_row(bench, program, name, os.path.getsize(path), costs) for program in costs]
        titles = ["", "seconds", "GB/s", "time / cat", "logscrub is faster by", "spread", "values leaked", "lines damaged"]
        markdown += "### %s\n\n%s\n" % (name, table(titles, rows))
    slow = ", ".join("%s %d" % (peer.name, peer.head_mib) for peer in bench.peers if peer.head_mib)
    markdown += "Of a log its first MiB only, and the seconds that all of it would take at that rate: %s.\n" % slow if slow else ""
    return markdown, {"speed.svg": plot.rows("GB/s on one core, from the page cache to /dev/null", rates)}, raw


def speed_row(bench, name, log, size, costs):
    faster = "" if name.startswith(("cat", "logscrub")) else figure(ratio(costs, name, "logscrub"))
    return [name, figure(statistics.median(costs[name]) * size / 1e9), figure(rate(costs[name])), figure(ratio(costs, name, "cat")),
            faster, percent(measure.spread(costs[name]), 1), *correctness(bench, name, log)]


def correctness(bench, name, log):
    """Two cells: which part of the values a program leaks, and which part of the lines it damages."""
    program = next((program for program in [bench.logscrub, *bench.peers] if program.name == name), None)
    if program is None or log not in corpus.NAMES:
        return ["", ""]
    counts = bench.misses(program, log)
    if counts is None:
        return ["lines lost", "lines lost"]
    total = lambda wanted: sum(number for (what, kind), number in counts.items() if what == wanted and kind != VERSION)
    return [percent(total("leaked"), total("planted")), percent(total("damaged"), total("lines"))]


def pipes(bench):
    quick = [bench.cat, bench.logscrub, *(peer for peer in bench.peers if not peer.head_mib)]
    pipeline = ["sh", "-c", 'cat "$0" | "$@" | cat >/dev/null']
    rows, raw = [], {}
    for name in bench.logs():
        path = bench.log(name)
        ways = {"`cat LOG \\| … \\| cat >/dev/null`": [Job(one.name, [*pipeline, path, *one.argv], path) for one in quick],
                "`… <LOG >FILE`, on tmpfs": [Job(one.name, one.argv, path, TMPFS_FILE) for one in quick]}
        for way, jobs in ways.items():
            costs = raw["%s %s" % (name, way)] = bench.interleaved(jobs, pinned=False)
            rows.append([name + ": " + way, figure(rate(costs["cat"])), *(figure(ratio(costs, one.name, "cat")) for one in quick[1:])])
        TMPFS_FILE.unlink()
    return table(["", "cat, GB/s", *(one.name + " / cat" for one in quick[1:])], rows), {}, raw


def threads(bench):
    counts = [count for count in (1, 2, 4, 8, 16, 32) if count <= max(2, os.cpu_count())]
    rows, raw = [], {}
    for name in bench.logs():
        path = bench.log(name)
        jobs = [bench.checked("%d" % count, bench.variant(threads=count), path) for count in counts]
        costs = raw[name] = bench.interleaved([Job("cat", bench.cat.argv, path), *jobs], pinned=False)
        rows.append([name, *(figure(rate(costs[job.name])) for job in jobs),
                     *(figure(1 / ratio(costs, job.name, "1")) for job in jobs[1:]), figure(ratio(costs, jobs[-1].name, "cat"))])
    return table(["", *("`-j %d`, GB/s" % count for count in counts), *("`-j %d` is faster by" % count for count in counts[1:]),
                  "time with `-j %d` / cat" % counts[-1]], rows), {}, raw


def rules(bench):
    numbers, path, jobs = (0, 100, 1000), bench.log("app"), []
    engines = [peer for peer in bench.peers if peer.name in ("union", "datadog")]
    for number in numbers:
        words = pseudo_words(number)
        file = bench.folder / ("rules-%d.toml" % number)
        file.write_text(rules_file(words))
        subprocess.run([bench.logscrub.argv[0], "rules", "check", file], check=True, capture_output=True)
        jobs.append(bench.checked("logscrub %d" % number, bench.variant(rules=file), path))
        patterns = programs.rules_as_arguments({**programs.PATTERNS, **{word: pattern(word) for word in words}})
        jobs += [Job("%s %d" % (engine.name, number), [engine.argv[0], *patterns], head(path, engine.head_mib and 4))
                 for engine in engines]
    costs = bench.interleaved(jobs)
    rows, times = [], {}
    for name in ["logscrub", *(engine.name for engine in engines)]:
        times[name] = {"%d rules" % number: ratio(costs, "%s %d" % (name, number), name + " 0") for number in numbers[1:]}
        rows.append([name, *(figure(rate(costs["%s %d" % (name, number)])) for number in numbers), *map(figure, times[name].values())])
    titles = ["", *("%d rules, GB/s" % number for number in numbers), *("time with %d / 0" % number for number in numbers[1:])]
    return table(titles, rows), {"rules.svg": plot.rows("time with more rules / time with the four alone", times)}, costs


def pseudo_words(count):
    chooser = random.Random(count)
    words = ("".join(chooser.choice(letters) for letters in ("bdfgklmnprstvz", "aeiou") * 3) for _ in range(2 * count))
    return list(dict.fromkeys(words))[:count]


def pattern(word, group=""):
    return "(?:%s_key|%stok)[=:](%s[A-Za-z0-9]{16,32})" % (word, word, group)


def rules_file(words):
    detectors = "".join("[detectors.%s]\nregex = '%s'\nexamples = { match = ['%s_key=%s'], ignore = ['%s_key=short'] }\n" % (
        word, pattern(word, "?<value>"), word, string.ascii_letters[:20], word) for word in words)
    kinds = ", ".join('"%s"' % word for word in words)
    rule = '[[rule]]\nname = "own"\nfind = [%s]\naction = "redact"\n' % kinds if words else ""
    return programs.POLICY + rule + detectors


def actions(bench):
    path, jobs, keyring = bench.log("access"), [], bench.folder / "keyring.toml"
    if not keyring.exists():
        subprocess.run([bench.logscrub.argv[0], "key", "new", "--keyring", keyring], check=True, capture_output=True)
    for action in ("redact", "truncate", "hash"):
        file = bench.folder / (action + ".toml")
        file.write_text('title = "addresses"\n[[rule]]\nname = "addresses"\nfind = ["ip"]\naction = "%s"\n' % action)
        more = ["--keyring", keyring] if action == "hash" else []
        jobs.append(bench.checked(action, bench.variant(*more, rules=file), path))
    costs = bench.interleaved(jobs)
    return table(["", "GB/s", "time / redact"], [[name, figure(rate(costs[name])), figure(ratio(costs, name, "redact"))] for name in costs]), {}, costs


def latency(bench):
    everyone, empty = [bench.cat, bench.logscrub, *bench.peers], bench.folder / "empty"
    empty.write_bytes(b"")
    starts = collections.defaultdict(list)
    for _ in range(START_UPS * bench.options.rounds):
        for program in everyone:
            starts[program.name].append(measure.run(Job(program.name, program.argv, empty)).seconds * 1e3)
    rows, raw = [], {}
    for program in everyone:
        trips = measure.round_trips(program.by_line or program.argv, LINE, ROUND_TRIPS)
        wait = [figure(statistics.median(trips)), figure(sorted(trips)[len(trips) * 99 // 100])] if trips else ["held back"] * 2
        peaks = peak_mib(bench, program)
        rows.append([program.name, *wait, figure(statistics.median(starts[program.name])), *peaks])
        raw[program.name] = {"trips": trips, "starts": starts[program.name], "peaks": peaks}
    titles = ["", "a line, median, µs", "99 of 100, µs", "empty input, ms", "peak over %d MiB, MiB" % TRUTH_MIB,
              "peak over %d MiB, MiB" % bench.options.size_mib]
    floor = measure.run(Job("true", ["true"], empty)).peak_kib / 1024
    return table(titles, rows) + "\nThe stopwatch cannot see less than %s MiB.\n" % figure(floor), {}, raw


def peak_mib(bench, program):
    """Memory over a short and the whole access log; the whole would take a slow program minutes."""
    log = bench.log("access")
    paths = [head(log, TRUTH_MIB)] if program.head_mib else [head(log, TRUTH_MIB), log]
    peaks = [figure(measure.run(Job(program.name, program.argv, path)).peak_kib / 1024) for path in paths]
    return peaks + [""] * (2 - len(peaks))


def lines(bench):
    longest = min(64, bench.options.size_mib) * MIB
    sizes = {"64 KiB": MIB // 16, "1 MiB": MIB, "16 MiB": 16 * MIB, "64 MiB": 64 * MIB}
    sizes = {name: size for name, size in sizes.items() if size <= longest}
    rows, raw = [], {}
    for name, unit in HOSTILE.items():
        unit = unit if isinstance(unit, bytes) else unit.encode()
        paths = {size: hostile_log(bench.folder / ("lines of " + size), unit, sizes[size], longest) for size in sizes}
        costs = raw[name] = bench.interleaved([bench.checked(size, bench.logscrub.argv, path) for size, path in paths.items()])
        middle = [statistics.median(costs[size]) for size in sizes]
        rows.append([name, *map(figure, middle), figure(max(middle) / min(middle))])
        for path in paths.values():
            path.unlink()
    return table(["ns a byte in lines of", *sizes, "worst / best"], rows), {}, raw


def hostile_log(path, unit, line_bytes, total_bytes):
    """Lines made of one pattern, as many as it takes."""
    line = (unit * (line_bytes // len(unit) + 1))[:line_bytes - 1] + b"\n"
    path.write_bytes(line * (total_bytes // line_bytes))
    return path


ALL = {"misses": missed, "speed": speed, "pipes": pipes, "threads": threads, "rules": rules, "actions": actions,
       "latency": latency, "lines": lines}
