#!/usr/bin/env python3
"""Compares logscrub with other ways to take values out of logs: speed, what is missed, what is broken.

Prints a Markdown table for each section, keeps the raw numbers as JSON in the folder --out, and with --write puts the
tables and plots into docs/performance.md. It installs nothing; of a peer that is not here it says how to get it.
"""
import argparse
import datetime
import json
import os
import pathlib
import re
import sys

sys.dont_write_bytecode = True

import programs
import sections
from bench import MIB, Bench

PAGE = programs.ROOT / "docs" / "performance.md"
PLOTS = programs.ROOT / "docs" / "performance"
FEATURES = "ssse3 sse4_2 avx2 avx512bw avx512vl avx512vbmi avx512_vbmi2 gfni asimd sve2".split()


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each command runs, besides once to warm up [5]")
    parser.add_argument("--size-mib", type=int, default=256, help="length of each log [256]")
    parser.add_argument("--only", default=",".join(sections.ALL), help="sections, with commas between [all: %(default)s]")
    parser.add_argument("--peers", default="", help="peers, with commas between [all that are here]")
    parser.add_argument("--pin", type=int, metavar="CPU", help="the core for what is measured on one core [any]")
    parser.add_argument("--real", metavar="DIR", help="a folder of logs that are measured as well, one behind the other")
    parser.add_argument("--out", default=programs.ROOT / "target" / "compare", help="folder for logs and raw numbers [target/compare]")
    parser.add_argument("--logscrub", default=programs.ROOT / "target" / "release" / "logscrub", help="[target/release/logscrub]")
    parser.add_argument("--write", action="store_true", help="write the sections that were measured into docs/performance.md")
    given = parser.parse_args()
    given.only = given.only.split(",")
    if unknown := set(given.only) - set(sections.ALL):
        parser.error("no section is called " + ", ".join(sorted(unknown)))
    if not os.path.exists(given.logscrub):
        parser.error("%s is not there: cargo build --release" % given.logscrub)
    return given


def prepare(given):
    """Builds what has to be built, says what is missing, writes the policy."""
    folder = pathlib.Path(given.out).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    programs.build_peers()
    peers, missing = programs.peers([name for name in given.peers.split(",") if name])
    for message in missing:
        print(message, file=sys.stderr)
    policy = folder / "policy.toml"
    policy.write_text(programs.POLICY)
    logscrub = programs.logscrub(pathlib.Path(given.logscrub).resolve(), policy)
    return Bench(given, folder, policy, programs.cat(), logscrub, peers)


def machine(bench):
    """What this was measured on and with."""
    cpu = dict(re.findall(r"^(.+?)\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text().split("\n\n")[0], re.MULTILINE))
    flags = (cpu.get("flags") or cpu.get("Features", "")).split()
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) / MIB
    virtual = " of a virtual machine" if "hypervisor" in flags else ""
    rows = [
        ["processor", "%s, %d cores%s" % (cpu.get("model name", os.uname().machine), os.cpu_count(), virtual)],
        ["of its features", " ".join(feature for feature in FEATURES if feature in flags)],
        ["memory", "%.0f GiB" % memory],
        ["kernel", "%s %s" % (os.uname().sysname, os.uname().release)],
        ["load when it began", "%.2f" % os.getloadavg()[0]],
        ["Rust", programs.output("rustc", "--version")],
        *([program.name, program.version] for program in [bench.cat, bench.logscrub, *bench.peers]),
    ]
    return sections.table(["", ""], rows).replace("---:", "---")


def caption(given):
    """One line that says when and how a section was measured."""
    shown = "compare.py --rounds %d --size-mib %d" % (given.rounds, given.size_mib)
    shown += "" if given.pin is None else " --pin %d" % given.pin
    shown += " --real DIR" if given.real else ""
    commit = programs.output("git", "-C", str(programs.ROOT), "rev-parse", "--short", "HEAD")
    return "Measured %s at %s: `%s`\n" % (datetime.date.today(), commit, shown)


def write_page(parts):
    """Puts each part between its markers, `<!-- NAME -->` and `<!-- /NAME -->`."""
    page = PAGE.read_text()
    for name, markdown in parts.items():
        before, rest = page.split("<!-- %s -->\n" % name)
        _, after = rest.split("<!-- /%s -->\n" % name)
        page = "%s<!-- %s -->\n%s<!-- /%s -->\n%s" % (before, name, markdown, name, after)
    PAGE.write_text(page)


def main():
    given = options()
    bench = prepare(given)
    parts, plots = {"machine": machine(bench)}, {}
    for name in given.only:
        markdown, drawn, raw = sections.ALL[name](bench)
        (bench.folder / (name + ".json")).write_text(json.dumps(raw, indent=1))
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
