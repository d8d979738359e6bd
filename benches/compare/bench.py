"""What was asked for and what is there to compare: programs, and logs of the size that was asked for."""
import argparse
import dataclasses
import functools
import os
import pathlib
import re

import corpus
import measure
import misses
import programs
from measure import Job

MIB = 1 << 20
TRUTH_MIB = 16
REAL_ENDINGS = ("", ".log", ".json", ".jsonl", ".txt")


@dataclasses.dataclass(eq=False)
class Bench:
    options: argparse.Namespace
    folder: pathlib.Path
    policy: pathlib.Path
    cat: programs.Program
    logscrub: programs.Program
    peers: list

    def logs(self):
        return [*corpus.NAMES, *(["real"] if self.options.real else [])]

    def log(self, name):
        """The path of a log."""
        size = self.options.size_mib * MIB
        folder = self.folder / "logs" / str(self.options.size_mib)
        return real_log(self.options.real, folder, size) if name == "real" else corpus.write(folder, name, size)

    def variant(self, *arguments, rules=None, threads=1):
        """The command of logscrub with other rules, threads or more options."""
        return programs.logscrub(self.logscrub.argv[0], rules or self.policy, threads).argv + list(arguments)

    def checked(self, name, argv, path):
        """A job of logscrub over an input that it takes to its end, writing as many lines as it reads."""
        out = self.folder / "checked"
        took = measure.run(Job(name, argv, path, out))
        lines = [count_lines(path), count_lines(out)]
        out.unlink()
        if took.code != 0 or lines[0] != lines[1]:
            raise SystemExit("%s over %s: code %d, lines in and out %s" % (name, path, took.code, lines))
        return Job(name, argv, path)

    def interleaved(self, jobs, pinned=True):
        return measure.interleaved(jobs, self.options.rounds, self.options.pin if pinned else None)

    @functools.cache
    def misses(self, program, name):
        """What a filter misses and breaks in a log of which is known what was planted; None if it loses lines."""
        size = min(TRUTH_MIB, self.options.size_mib)
        path = corpus.write(self.folder / "truth" / str(size), name, size * MIB, truth=True)
        out = self.folder / "scrubbed"
        took = measure.run(Job(program.name, program.argv, path, out))
        text, scrubbed = pathlib.Path(path).read_bytes(), out.read_bytes()
        out.unlink()
        whole = took.code == 0 and text.count(b"\n") == scrubbed.count(b"\n")
        if program is self.logscrub and not whole:
            raise SystemExit("logscrub over %s: code %d, or lines lost" % (path, took.code))
        return misses.count(text, path + ".truth", scrubbed) if whole else None


def count_lines(path):
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(MIB), b""))


def head(path, mib):
    """The first lines of a log, about `mib` MiB, as a file beside it; the log itself if `mib` is 0 or that is all of it."""
    if mib == 0 or os.path.getsize(path) <= mib * MIB:
        return path
    out = "%s.head%d" % (path, mib)
    if not os.path.exists(out):
        with open(path, "rb") as file:
            text = file.read(mib * MIB)
        pathlib.Path(out).write_bytes(text[:text.rfind(b"\n") + 1])
    return out


def real_log(source, folder, size):
    """All logs below the folder `source` one behind the other, again and again up to `size` bytes."""
    path = folder / ("real%s.log" % re.sub(r"\W+", "-", os.path.abspath(source)))
    if not path.exists():
        files = sorted(file for file in pathlib.Path(source).rglob("*") if file.is_file() and file.suffix in REAL_ENDINGS)
        texts = [file.read_bytes() for file in files]
        text = b"".join(text if text.endswith(b"\n") else text + b"\n" for text in texts)
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes((text * -(-size // len(text)))[:size].rpartition(b"\n")[0] + b"\n")
    return str(path)
