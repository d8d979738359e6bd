#!/usr/bin/env python3
"""Compares logscrub with other ways to take values out of logs: speed, what is missed, what is broken.

Prints a Markdown table for each section, keeps the raw numbers as JSON in the folder --out, and with --write puts the
tables and plots into docs/performance.md. It installs nothing; of a peer that is not here it says how to get it.
"""
import argparse
import collections
import dataclasses
import datetime
import functools
import json
import os
import pathlib
import random
import re
import statistics
import string
import subprocess
import sys

sys.dont_write_bytecode = True

import corpus
import measure
import misses
import plot
import programs
from measure import Job

MIB = 1 << 20
TRUTH_MIB = 16
START_UPS = 10  # a round
ROUND_TRIPS = 2000
PAGE = programs.ROOT / "docs" / "performance.md"
PLOTS = programs.ROOT / "docs" / "performance"
TMPFS = pathlib.Path("/dev/shm")
LINE = b"2025-01-01T00:00:00Z INFO login ok user=alder.agate@example.com from 203.0.113.7 in 12.5ms\n"
FEATURES = "ssse3 sse4_2 avx2 avx512bw avx512vl avx512vbmi avx512_vbmi2 gfni asimd sve2".split()
REAL_ENDINGS = ("", ".log", ".json", ".jsonl", ".txt")

# Lines of nothing but what makes a scrubber look closer. What stands here is repeated.
HOSTILE = {
    "digits": "1", "zeros": "0", "card numbers": "4111111111111111", "card numbers, blanks": "4111 1111 1111 1111 ",
    "digits, blanks": "4 ", "digits, hyphens": "4111-", "digits, dots": "1.", "octets": "255.", "dots": ".",
    "colons": ":", "groups of IPv6": "f:", "hex and ::": "2001:db8::", "@": "@", "a@": "a@", "a.b@": "a.b@", "a.": "a.",
    "a@a.": "a@a.", "%40": "%40", "%25": "%25", "a%40b.": "a%40b.", r"\u0040": r"\u0040", "backslashes": "\\",
    "quotes": '"', "escaped quotes": '\\"', "[": "[", "{": "{", "[[] of JSON": "[[],", '{"a":': '{"a":', "(": "(", "<": "<",
    "&#64;": "&#64;", "ANSI colours": "\x1b[1m", "letters": "a", "blanks": " ", "bytes 0xFF": b"\xff",
}


@dataclasses.dataclass(eq=False)
class Bench:
    """What was asked for, and what is there to compare."""
    options: argparse.Namespace
    folder: pathlib.Path
    cat: programs.Program
    logscrub: programs.Program
    peers: list

    def log(self, name):
        """The path of a log of the size that was asked for."""
        if name == "real":
            return real_log(self.options.real, self.folder / "logs", self.options.size_mib * MIB)
        return corpus.write(self.folder / "logs" / ("%d" % self.options.size_mib), name, self.options.size_mib * MIB)

    def logs(self):
        return [*corpus.NAMES, *(["real"] if self.options.real else [])]

    def input(self, program, path, head_mib=None):
        """What a program gets of a log: all of it, or its first lines if the program is slow."""
        size = (program.head_mib if head_mib is None else head_mib) * MIB
        return head(path, size) if 0 < size < os.path.getsize(path) else path

    def interleaved(self, jobs, pinned=True):
        return measure.interleaved(jobs, self.options.rounds, self.options.pin if pinned else None)

    def variant(self, *arguments, rules=None):
        """The command of logscrub with other options: on one thread, like the one that is compared with the peers."""
        command = list(self.logscrub.argv)
        if rules:
            command[command.index("-r") + 1] = rules
        return command + list(arguments)

    @functools.cache
    def check(self, argv, path):
        """Fails unless logscrub takes this input to its end and writes as many lines as it reads."""
        out = self.folder / "checked"
        took = measure.run(Job("logscrub", argv, path, out))
        lines = [count_lines(path), count_lines(out)]
        out.unlink()
        if took.code != 0 or lines[0] != lines[1]:
            raise SystemExit("%s < %s: code %d, lines in and out %s" % (" ".join(argv), path, took.code, lines))

    def checked(self, name, argv, path, output=os.devnull):
        """A job of logscrub over an input that it is known to handle."""
        self.check(tuple(map(str, argv)), str(path))
        return Job(name, argv, path, output)


def count_lines(path):
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(MIB), b""))


def head(path, size):
    """The first whole lines of a log, about `size` bytes, as a file beside it."""
    out = "%s.head%d" % (path, size // MIB)
    if not os.path.exists(out):
        with open(path, "rb") as file:
            text = file.read(size)
        pathlib.Path(out).write_bytes(text[:text.rfind(b"\n") + 1])
    return out


def real_log(folder, out, size):
    """All logs below a folder one behind the other, again and again up to `size` bytes."""
    path = out / ("real-%d.log" % (size // MIB))
    if not path.exists():
        files = sorted(file for file in pathlib.Path(folder).rglob("*") if file.is_file() and file.suffix in REAL_ENDINGS)
        texts = [file.read_bytes() for file in files]
        text = b"".join(text if text.endswith(b"\n") else text + b"\n" for text in texts)
        out.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text * -(-size // len(text)))
    return str(path)


def table(head, rows):
    """A Markdown table: the first column is text, the others are figures."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1)] + [[str(cell) for cell in row] for row in rows]
    return "\n".join("| %s |" % " | ".join(line) for line in lines) + "\n"


def figure(value):
    """Three digits that mean something."""
    return "%.0f" % value if value >= 100 else "%.3g" % value


def percent(part, whole):
    if not whole:
        return "–"
    share = 100 * part / whole
    return "0" if part == 0 else "< 0.01 %" if share < 0.01 else "%.2g %%" % share if share < 10 else "%.0f %%" % share


def median_rate(costs):
    """GB/s from nanoseconds a byte."""
    return 1 / statistics.median(costs)


# Sections. Each returns its Markdown, its plots by file name, and its raw numbers.


@functools.cache
def count_misses(bench, program, name):
    """What a filter missed and broke in a log of which is known what was planted; None if it changed the number of lines."""
    path = corpus.write(bench.folder / "truth" / ("%d" % truth_mib(bench)), name, truth_mib(bench) * MIB, truth=True)
    out = bench.folder / "scrubbed"
    took = measure.run(Job(program.name, program.argv, path, out))
    text, scrubbed = pathlib.Path(path).read_bytes(), out.read_bytes()
    out.unlink()
    whole = took.code == 0 and text.count(b"\n") == scrubbed.count(b"\n")
    if program is bench.logscrub and not whole:
        raise SystemExit("logscrub over %s ended with code %d or lost lines" % (path, took.code))
    return misses.count(text, path + ".truth", scrubbed) if whole else None


def truth_mib(bench):
    return min(TRUTH_MIB, bench.options.size_mib)


def total(counts, what):
    return sum(number for (key, kind), number in counts.items() if key == what and kind != misses.VERSION)


def missed(bench):
    counted = {program.name: {name: count_misses(bench, program, name) for name in corpus.NAMES}
               for program in [bench.logscrub, *bench.peers]}
    sums = {program: sum(logs.values(), collections.Counter()) for program, logs in counted.items() if None not in logs.values()}
    planted = sums["logscrub"]
    kinds = sorted(kind for what, kind in planted if what == "planted" and kind != misses.VERSION)
    rows = [["*planted*"] + [planted["planted", kind] for kind in kinds]]
    rows += [[program] + ["%d" % counts["leaked", kind] for kind in kinds] for program, counts in sums.items()]
    markdown = "Values of which all or a half is still there:\n\n" + table(["", *kinds], rows)
    lines = [["*lines*"] + [counted["logscrub"][name]["lines", ""] for name in corpus.NAMES] + [planted["planted", misses.VERSION]]]
    for program in sums:
        lines.append([program] + [counted[program][name]["damaged", ""] for name in corpus.NAMES] + [sums[program]["taken", misses.VERSION]])
    markdown += "\nLines of which something else was changed, and versions taken for addresses:\n\n"
    markdown += table(["", *corpus.NAMES, "versions"], lines)
    raw = {program: {name: {" ".join(key): number for key, number in sorted(counts.items())} for name, counts in logs.items() if counts}
           for program, logs in counted.items()}
    return markdown, {}, raw


def speed(bench):
    markdown, raw, rates = "", {}, collections.defaultdict(dict)
    for name in bench.logs():
        path = bench.log(name)
        jobs = [Job("cat", bench.cat.argv, path), bench.checked("logscrub", bench.logscrub.argv, path)]
        if name == "app":
            jobs.append(bench.checked("logscrub -f text", bench.variant("-f", "text"), path))
        jobs += [Job(peer.name, peer.argv, bench.input(peer, path)) for peer in bench.peers]
        costs = raw[name] = bench.interleaved(jobs)
        for job in jobs:
            rates[job.name][name] = median_rate(costs[job.name])
        markdown += "### %s\n\n%s\n" % (name, speed_table(bench, name, path, costs))
    return markdown, {"speed.svg": plot.rows("GB/s on one core, from the page cache to /dev/null", rates)}, raw


def speed_table(bench, name, path, costs):
    rows = []
    for program in costs:
        seconds = statistics.median(costs[program]) * os.path.getsize(path) / 1e9
        faster = "" if program.startswith(("cat", "logscrub")) else figure(measure.ratio(costs, program, "logscrub"))
        rows.append([program, figure(seconds), figure(median_rate(costs[program])), figure(measure.ratio(costs, program, "cat")),
                     faster, "%.0f %%" % (100 * measure.spread(costs[program])), *correctness(bench, program, name)])
    return table(["", "seconds", "GB/s", "time / cat", "logscrub is faster by", "spread", "values leaked", "lines damaged"], rows)


def correctness(bench, name, log):
    """Two cells: which part of the values a program leaks, and which part of the lines it damages."""
    program = next((one for one in [bench.logscrub, *bench.peers] if one.name == name), None)
    if program is None or log == "real":
        return ["", ""]
    counts = count_misses(bench, program, log)
    if counts is None:
        return ["lines lost", "lines lost"]
    return [percent(total(counts, "leaked"), total(counts, "planted")), percent(total(counts, "damaged"), total(counts, "lines"))]


def pipes(bench):
    quick = [bench.cat, bench.logscrub, *(peer for peer in bench.peers if not peer.head_mib)]
    pipeline = ["sh", "-c", 'cat "$0" | "$@" | cat >/dev/null']
    ways = {"cat LOG \\| … \\| cat >/dev/null": (lambda path, argv: [*pipeline, path, *argv], os.devnull),
            "… <LOG >FILE on tmpfs": (lambda path, argv: argv, str(TMPFS / "logscrub-compare"))}
    rows, raw = [], {}
    for name in bench.logs():
        path = bench.log(name)
        for way, (command, output) in ways.items():
            costs = raw["%s: %s" % (name, way)] = bench.interleaved(
                [Job(program.name, command(path, program.argv), path, output) for program in quick], pinned=False)
            rows.append(["%s: `%s`" % (name, way), figure(median_rate(costs["cat"]))] + [
                figure(measure.ratio(costs, program.name, "cat")) for program in quick[1:]])
            if output != os.devnull:
                os.unlink(output)
    return table(["", "cat, GB/s", *(program.name + " / cat" for program in quick[1:])], rows), {}, raw


def threads(bench):
    counts = [count for count in (1, 2, 4, 8, 16, 32) if count <= max(2, os.cpu_count())]
    rows, raw = [], {}
    for name in bench.logs():
        path = bench.log(name)
        jobs = [Job("cat", bench.cat.argv, path)]
        jobs += [bench.checked(str(count), bench.variant("-j", str(count)), path) for count in counts]
        costs = raw[name] = bench.interleaved(jobs, pinned=False)
        rows.append([name] + [figure(median_rate(costs[str(count)])) for count in counts]
                    + [figure(1 / measure.ratio(costs, str(count), "1")) for count in counts[1:]]
                    + [figure(measure.ratio(costs, str(counts[-1]), "cat"))])
    return table(["", *("-j %d, GB/s" % count for count in counts), *("-j %d / -j 1" % count for count in counts[1:]),
                  "time with -j %d / cat" % counts[-1]], rows), {}, raw


def rules(bench):
    numbers, path = (0, 100, 1000), bench.log("app")
    engines = [peer for peer in bench.peers if peer.name in ("union", "datadog")]
    jobs = []
    for number in numbers:
        words = pseudo_words(number)
        file = bench.folder / ("rules-%d.toml" % number)
        file.write_text(rules_file(words))
        subprocess.run([bench.logscrub.argv[0], "rules", "check", file], check=True, capture_output=True)
        jobs.append(bench.checked("logscrub %d" % number, bench.variant(rules=str(file)), path))
        patterns = programs.rules_as_arguments({**programs.PATTERNS, **{word: pattern(word, "") for word in words}})
        jobs += [Job("%s %d" % (engine.name, number), [engine.argv[0], *patterns],
                     bench.input(engine, path, 4 if engine.head_mib else 0)) for engine in engines]
    costs = bench.interleaved(jobs)
    rows, times = [], {}
    for name in ["logscrub", *(engine.name for engine in engines)]:
        ratios = {"%d rules" % number: measure.ratio(costs, "%s %d" % (name, number), name + " 0") for number in numbers[1:]}
        rates = [figure(median_rate(costs["%s %d" % (name, number)])) for number in numbers]
        rows.append([name, *rates, *map(figure, ratios.values())])
        times[name] = ratios
    markdown = table(["", *("%d rules, GB/s" % number for number in numbers), *("time with %d / 0" % number for number in numbers[1:])], rows)
    return markdown, {"rules.svg": plot.rows("time with more rules / time with the four alone", times)}, costs


def pseudo_words(count):
    chooser = random.Random(count)
    words = dict.fromkeys("".join(chooser.choice(letters) for letters in ("bdfgklmnprstvz", "aeiou") * 3) for _ in range(2 * count))
    return list(words)[:count]


def pattern(word, group):
    return "(?:%s_key|%stok)[=:](%s[A-Za-z0-9]{16,32})" % (word, word, group)


def rules_file(words):
    detectors = "".join("[detectors.%s]\nregex = '%s'\nexamples = { match = ['%s_key=%s'], ignore = ['%s_key=short'] }\n" % (
        word, pattern(word, "?<value>"), word, string.ascii_letters[:20], word) for word in words)
    kinds = ", ".join('"%s"' % word for word in words)
    rule = '[[rule]]\nname = "own"\nfind = [%s]\naction = "redact"\n' % kinds if words else ""
    return programs.POLICY + rule + detectors


def actions(bench):
    path, jobs = bench.log("access"), []
    keyring = bench.folder / "keyring.toml"
    if not keyring.exists():
        subprocess.run([bench.logscrub.argv[0], "key", "new", "--keyring", keyring], check=True, capture_output=True)
    for action in ("redact", "truncate", "hash"):
        file = bench.folder / (action + ".toml")
        file.write_text('title = "addresses"\n[[rule]]\nname = "addresses"\nfind = ["ip"]\naction = "%s"\n' % action)
        more = ["--keyring", str(keyring)] if action == "hash" else []
        jobs.append(bench.checked(action, bench.variant(*more, rules=str(file)), path))
    costs = bench.interleaved(jobs)
    rows = [[job.name, figure(median_rate(costs[job.name])), figure(measure.ratio(costs, job.name, "redact"))] for job in jobs]
    return table(["", "GB/s", "time / redact"], rows), {}, costs


def latency(bench):
    log, small = bench.log("access"), head(bench.log("access"), TRUTH_MIB * MIB)
    empty = bench.folder / "empty"
    empty.write_bytes(b"")
    rows, raw = [], {}
    everyone = [bench.cat, bench.logscrub, *bench.peers]
    starts = collections.defaultdict(list)
    for _ in range(START_UPS * bench.options.rounds):
        for program in everyone:
            starts[program.name].append(measure.run(Job(program.name, program.argv, empty)).seconds * 1e3)
    for program in everyone:
        trips = measure.round_trips(program.by_line or program.argv, LINE, ROUND_TRIPS)
        peaks = [measure.run(Job(program.name, program.argv, path)).peak_kib / 1024 for path in (small, log)
                 if not (program.head_mib and path == log)]
        raw[program.name] = {"trips": trips, "starts": starts[program.name], "peaks": peaks}
        wait = [figure(statistics.median(trips)), figure(sorted(trips)[len(trips) * 99 // 100])] if trips else ["held back", "held back"]
        rows.append([program.name, *wait, figure(statistics.median(starts[program.name])), *map(figure, peaks), *[""] * (2 - len(peaks))])
    floor = measure.run(Job("true", ["true"], empty)).peak_kib / 1024
    return table(["", "median, µs", "99 of 100, µs", "start to end, empty input, ms", "peak, %d MiB of access, MiB" % TRUTH_MIB,
                  "peak, %d MiB, MiB" % bench.options.size_mib], rows) + "\n`true` needs %s MiB.\n" % figure(floor), {}, raw


def lines(bench):
    longest = min(64, bench.options.size_mib) * MIB
    sizes = [size for size in (MIB // 16, MIB, 16 * MIB, 64 * MIB) if size <= longest]
    rows, raw = [], {}
    for name, unit in HOSTILE.items():
        unit = unit if isinstance(unit, bytes) else unit.encode()
        jobs = [bench.checked(size_name(size), bench.logscrub.argv, hostile_log(bench, unit, size, longest)) for size in sizes]
        costs = raw[name] = bench.interleaved(jobs)
        middle = [statistics.median(costs[job.name]) for job in jobs]
        rows.append(["`%s`" % name if not name[0].isalpha() else name, *map(figure, middle), figure(max(middle) / min(middle))])
        for job in jobs:
            os.unlink(job.input)
        bench.check.cache_clear()
    return table(["", *("lines of %s, ns a byte" % size_name(size) for size in sizes), "worst / best"], rows), {}, raw


def size_name(size):
    return "%d MiB" % (size // MIB) if size >= MIB else "%d KiB" % (size // 1024)


def hostile_log(bench, unit, size, total_size):
    """Lines of `size` bytes made of one pattern, as many as fill `total_size`."""
    path = bench.folder / ("line-%d" % size)
    line = (unit * (size // len(unit) + 1))[:size - 1] + b"\n"
    with open(path, "wb") as file:
        for _ in range(total_size // size):
            file.write(line)
    return str(path)


SECTIONS = {"misses": missed, "speed": speed, "pipes": pipes, "threads": threads, "rules": rules, "actions": actions,
            "latency": latency, "lines": lines}


def machine(bench):
    """What this was measured on and with."""
    cpu = dict(re.findall(r"^(.+?)\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text().split("\n\n")[0], re.MULTILINE))
    flags = (cpu.get("flags") or cpu.get("Features", "")).split()
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) / MIB
    rows = [
        ["processor", "%s, %d cores%s" % (cpu.get("model name", os.uname().machine), os.cpu_count(), ", virtual" if "hypervisor" in flags else "")],
        ["of its features", " ".join(feature for feature in FEATURES if feature in flags)],
        ["memory", "%.0f GiB" % memory],
        ["kernel", "%s %s" % (os.uname().sysname, os.uname().release)],
        ["load when it began", "%.2f" % os.getloadavg()[0]],
        ["Rust", programs.output("rustc", "--version")],
        *([program.name, program.version] for program in [bench.cat, bench.logscrub, *bench.peers]),
    ]
    return table(["", ""], rows).replace("---:", "---")


def caption(options):
    """One line that says when and how a section was measured."""
    shown = "compare.py --rounds %d --size-mib %d" % (options.rounds, options.size_mib)
    shown += "" if options.pin is None else " --pin %d" % options.pin
    shown += " --real DIR" if options.real else ""
    commit = programs.output("git", "-C", programs.ROOT, "rev-parse", "--short", "HEAD")
    return "Measured %s at %s: `%s`\n" % (datetime.date.today(), commit, shown)


def write_page(parts):
    """Puts each part between its markers, `<!-- NAME -->` and `<!-- /NAME -->`."""
    page = PAGE.read_text()
    for name, markdown in parts.items():
        before, rest = page.split("<!-- %s -->\n" % name)
        _, after = rest.split("<!-- /%s -->\n" % name)
        page = "%s<!-- %s -->\n%s<!-- /%s -->\n%s" % (before, name, markdown, name, after)
    PAGE.write_text(page)


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each command runs, besides once to warm up [5]")
    parser.add_argument("--size-mib", type=int, default=256, help="length of each log [256]")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, with commas between [all: %(default)s]")
    parser.add_argument("--peers", default="", help="peers, with commas between [all that are here]")
    parser.add_argument("--pin", type=int, metavar="CPU", help="the core for what is measured on one core [any]")
    parser.add_argument("--real", metavar="DIR", help="a folder of logs that are measured as well, one behind the other")
    parser.add_argument("--out", default=programs.ROOT / "target" / "compare", help="folder for logs and raw numbers [target/compare]")
    parser.add_argument("--logscrub", default=programs.ROOT / "target" / "release" / "logscrub", help="[target/release/logscrub]")
    parser.add_argument("--write", action="store_true", help="write the sections that were measured into docs/performance.md")
    given = parser.parse_args()
    given.only = given.only.split(",")
    unknown = set(given.only) - set(SECTIONS)
    if unknown:
        parser.error("no section is called %s" % ", ".join(sorted(unknown)))
    return given


def main():
    given = options()
    folder = pathlib.Path(given.out).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if not os.path.exists(given.logscrub):
        raise SystemExit("%s is not there: cargo build --release" % given.logscrub)
    programs.build_peers()
    peers, missing = programs.peers([name for name in given.peers.split(",") if name])
    print("\n".join(missing), file=sys.stderr)
    policy = folder / "policy.toml"
    policy.write_text(programs.POLICY)
    logscrub = programs.logscrub(str(pathlib.Path(given.logscrub).resolve()), str(policy))
    bench = Bench(given, folder, programs.cat(), logscrub, peers)
    parts, plots = {"machine": machine(bench)}, {}
    for name in given.only:
        markdown, drawn, raw = SECTIONS[name](bench)
        (folder / (name + ".json")).write_text(json.dumps(raw, indent=1))
        images = "".join("![%s](performance/%s)\n\n" % (name, file) for file in drawn)
        parts[name] = images + markdown + "\n" + caption(given)
        plots.update(drawn)
        print("## %s\n\n%s" % (name, parts[name]), flush=True)
    if given.write:
        PLOTS.mkdir(exist_ok=True)
        for file, drawing in plots.items():
            (PLOTS / file).write_text(drawing)
        write_page(parts)


if __name__ == "__main__":
    main()
