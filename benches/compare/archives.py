#!/usr/bin/env python3
"""Archives: `logscrub archive` beside `zcat | logscrub | gzip`, on one large gzip; and on many small files.

All in turn, several rounds; what is printed are medians, and ratios of runs of one round. Writes to a folder of its own in
--folder, which needs room for five times the packed log, and removes it.
"""
import argparse
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import corpus

HERE = pathlib.Path(__file__).resolve().parent


def timed(argv, **options):
    """Seconds, and the peak of memory in MiB."""
    report = pathlib.Path(tempfile.mkstemp()[1])
    start = time.perf_counter()
    done = subprocess.run(["/usr/bin/time", "-f", "%M", "-o", report, *map(str, argv)], stderr=subprocess.PIPE, **options)
    seconds = time.perf_counter() - start
    peak = int(report.read_text().split()[-1]) / 1024
    report.unlink()
    if done.returncode not in (0, 1):
        sys.exit("%s ended with code %d: %s" % (argv, done.returncode, done.stderr.decode()))
    return seconds, peak


def large(folder, program, packed, rounds):
    """One large gzip."""
    place = folder / "large" / "access.log.gz"
    place.parent.mkdir()
    archive = [program, "archive", "-q", "-r", "default", "--now", "2026-01-01"]
    pipe = "zcat %s | %s -q -r default | gzip > %s.new && mv %s.new %s" % (place, program, place, place, place)
    runs = {
        "zcat | logscrub | gzip": ["sh", "-c", pipe],
        "archive --jobs 1": [*archive, "--no-journal", "--jobs", "1", place.parent],
        "archive --jobs 2": [*archive, "--no-journal", "--jobs", "2", place.parent],
    }
    took = {name: [] for name in runs}
    peaks = {}
    for _ in range(rounds):
        for name, argv in runs.items():
            shutil.copyfile(packed, place)
            seconds, peaks[name] = timed(argv)
            took[name].append(seconds)
    for name, seconds in took.items():
        told = "" if "|" in name else ", %.0f MiB of memory" % peaks[name]
        print("%-24s %7.2f s%s" % (name, statistics.median(seconds), told))
    ratio = lambda one, other: statistics.median(a / b for a, b in zip(took[one], took[other]))
    print("archive --jobs 2 is %.2f times as fast as --jobs 1" % ratio("archive --jobs 1", "archive --jobs 2"))
    print("archive --jobs 2 is %.2f times as fast as the pipe" % ratio("zcat | logscrub | gzip", "archive --jobs 2"))
    shutil.copyfile(packed, place)
    twice(archive, folder, place.parent, "the large file")


def small(folder, program, count):
    """Many small files."""
    place = folder / "small"
    for number in range(count):
        inner = place / ("%03d" % (number % 100))
        inner.mkdir(parents=True, exist_ok=True)
        (inner / ("%06d.log" % number)).write_text("2026-01-01T00:00:00Z mail from ana@example.com to 203.0.113.%d\n" % (number % 256))
    archive = [program, "archive", "-q", "-r", "default", "--now", "2026-01-01"]
    twice(archive, folder, place, "%d small files" % count)


def twice(archive, folder, place, what):
    journal = ["--journal", folder / "journal", place]
    first, peak = timed([*archive, *journal])
    second, peak_again = timed([*archive, *journal])
    print("%s: %.2f s, %.0f MiB of memory; again right after: %.2f s (%.1f %%), %.0f MiB"
          % (what, first, peak, second, 100 * second / first, peak_again))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=HERE.parent.parent / "target/release/logscrub", type=pathlib.Path)
    parser.add_argument("--size-mib", default=2048, type=int, help="of the large log before it is packed")
    parser.add_argument("--files", default=100_000, type=int, help="small ones")
    parser.add_argument("--rounds", default=3, type=int)
    parser.add_argument("--folder", default=tempfile.gettempdir(), type=pathlib.Path)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(dir=options.folder, prefix="archives-"))
    try:
        log = corpus.write(folder, "access", options.size_mib << 20)
        packed = folder / "packed.gz"
        with open(packed, "wb") as out:
            subprocess.run(["gzip", "-c", log], stdout=out, check=True)
        pathlib.Path(log).unlink()
        large(folder, options.program, packed, options.rounds)
        small(folder, options.program, options.files)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
