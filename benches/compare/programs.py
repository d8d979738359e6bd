"""What is compared: logscrub, its peers, what each is told to look for, and where to get it."""
import dataclasses
import pathlib
import shutil
import subprocess
import tomllib

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent
BUILT = ROOT / "target" / "peers"

# The same four rules for every peer, without look-around, so that every engine takes them. One after another, e-mail
# goes first (a domain may look like an address), IPv6 before the IPv4 address at its end, cards last.
PATTERNS = {
    "email": r"[A-Za-z0-9._%+-]+(?:@|%40)[A-Za-z0-9.-]+\.[A-Za-z]{2,}",
    "ipv6": r"(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|(?:[0-9A-Fa-f]{1,4}:){1,6}(?::[0-9A-Fa-f]{1,4}){1,6}"
            r"|::(?:[fF]{4}:(?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){0,6})",
    "ipv4": r"\b(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\b",
    "card": r"\b(?:[0-9][ -]?){12,18}[0-9]\b",
}
POLICY = """title = "what the peers do"
[[rule]]
name = "all"
find = ["email", "ipv4", "ipv6", "pan"]
action = "redact"
"""


@dataclasses.dataclass(eq=False)
class Program:
    """A filter from standard input to standard output. `head_mib`: it is so slow that it gets only so much of a log."""
    name: str
    argv: list
    version: str
    head_mib: int = 0
    by_line: list = None  # how to run it if a line shall not wait for the next, when that is another command


def output(*argv):
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def rules_as_arguments(patterns=PATTERNS):
    return ["%s=%s" % rule for rule in patterns.items()]


def build_peers():
    """Builds the peers that are libraries, and the stopwatch."""
    subprocess.run(["cargo", "build", "--release", "--locked", "--manifest-path", FOLDER / "peers" / "Cargo.toml",
                    "--target-dir", BUILT], check=True)


def built(name):
    return str(BUILT / "release" / name)


def locked_version(crate):
    lock = tomllib.loads((FOLDER / "peers" / "Cargo.lock").read_text())
    return "%s %s" % (crate, next(package["version"] for package in lock["package"] if package["name"] == crate))


def cat():
    return Program("cat", ["cat"], output("cat", "--version").split("\n")[0])


def logscrub(path, policy, threads=1):
    return Program("logscrub", [str(path), "-q", "-j", str(threads), "-r", str(policy)], output(path, "--version"))


def peers(wanted):
    """The peers that are here, of those that are wanted, and for each that is not how to get it."""
    union = "|".join(PATTERNS.values())
    rules = rules_as_arguments()
    seds = [part for kind, pattern in PATTERNS.items() for part in ("-e", "s/%s/[%s]/g" % (pattern.replace("(?:", "("), kind))]
    perl = [str(FOLDER / "peers" / "scrub.pl"), *rules]
    rg = ["--no-config", "--no-unicode", "-a", "-N", "--passthru", "-r", "[value]", union]
    known = {
        "union": lambda: Program("union", [built("union"), *rules], locked_version("regex-automata")),
        "sd": lambda: Program("sd", ["sd", union, "[value]"], output("sd", "--version")),
        "ripgrep": lambda: Program("ripgrep", ["rg", *rg], output("rg", "--version").split("\n")[0],
                                   by_line=["rg", "--line-buffered", *rg]),
        "vrl": lambda: Program("vrl", [built("vrl"), *rules], locked_version("vrl"), 32),
        "datadog": lambda: Program("datadog", [built("datadog"), *rules], locked_version("dd-sensitive-data-scanner"), 32),
        "sed": lambda: Program("sed", ["sed", "-E", *seds], output("sed", "--version").split("\n")[0], 8,
                               by_line=["sed", "-u", "-E", *seds]),
        "perl": lambda: Program("perl", ["perl", *perl], "perl " + output("perl", "-e", "print $^V"), 4,
                                by_line=["perl", "-e", "$| = 1; do shift", *perl]),
    }
    found, missing = [], []
    for name in wanted or known:
        if name not in known:
            raise SystemExit("no peer is called %s; there are %s" % (name, ", ".join(known)))
        command = {"ripgrep": "rg"}.get(name, name)
        if name in ("union", "vrl", "datadog") or shutil.which(command):
            found.append(known[name]())
        else:
            missing.append("%s is not here: %s" % (name, {
                "sd": "cargo install --locked sd",
                "ripgrep": "cargo install --locked ripgrep, or apt-get install ripgrep",
            }.get(name, "apt-get install " + name)))
    return found, missing
