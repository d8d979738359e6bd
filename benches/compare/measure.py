"""Takes times: commands in turn (A B C A B C …), one line at a time, from start to end of an empty input."""
import dataclasses
import os
import select
import statistics
import subprocess
import time

import programs

ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
PATIENCE_SECONDS = 1.0


@dataclasses.dataclass
class Run:
    seconds: float
    cpu_seconds: float
    peak_kib: int
    code: int


@dataclasses.dataclass
class Job:
    """One command over one file."""
    name: str
    argv: list
    input: str
    output: str = os.devnull

    def bytes(self):
        return os.path.getsize(self.input)


def run(job, pin=None):
    """Runs a job once, on the core `pin` if there is one."""
    if job.output != os.devnull and os.path.exists(job.output):
        os.unlink(job.output)  # so that no run pays for the file of the one before
    on_core = None if pin is None else lambda: os.sched_setaffinity(0, {pin})
    with open(job.input, "rb") as source, open(job.output, "wb") as sink:
        watch = subprocess.run([programs.built("timed"), *map(str, job.argv)], stdin=source, stdout=sink,
                               stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, preexec_fn=on_core, check=True)
    seconds, cpu, peak, code = watch.stderr.split()
    return Run(float(seconds), float(cpu), int(peak), int(code))


def interleaved(jobs, rounds, pin=None):
    """Runs all jobs in turn, `rounds` times after a round that does not count: nanoseconds a byte of input, by name."""
    costs = {job.name: [] for job in jobs}
    for number in range(rounds + 1):
        for job in jobs:
            took = run(job, pin)
            if took.code != 0:
                raise SystemExit("%s over %s ended with code %d" % (job.name, job.input, took.code))
            if number > 0:
                costs[job.name].append(took.seconds * 1e9 / job.bytes())
    return costs


def ratio(costs, name, yardstick):
    """How many times as long as the yardstick: the median of the ratios, each from one round."""
    return statistics.median(cost / base for cost, base in zip(costs[name], costs[yardstick]))


def spread(costs):
    """From the fastest to the slowest round, as a part of the median."""
    return (max(costs) - min(costs)) / statistics.median(costs)


def round_trips(argv, line, count):
    """Microseconds from writing a line to reading it, `count` times; None if it does not come while nothing follows."""
    child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
                             env=ENVIRONMENT)
    times = []
    for _ in range(count):
        start = time.perf_counter()
        child.stdin.write(line)
        out = b""
        while not out.endswith(b"\n") and select.select([child.stdout], [], [], PATIENCE_SECONDS)[0]:
            out += child.stdout.read(65536)
        times.append((time.perf_counter() - start) * 1e6)
        if not out:
            break
    child.stdin.close()
    child.stdout.close()
    child.wait()
    return times[count // 100:] if len(times) == count else None  # the first ones start the program
