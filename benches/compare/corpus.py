"""Logs made up for comparing: the same bytes on every machine, with or without a list of what was planted.

| log    | like                          | values                                                                |
|--------|-------------------------------|-----------------------------------------------------------------------|
| access | a web server, combined format | an address a line, an e-mail address in 3 of 100, a third of them %40 |
| app    | a service, JSON lines         | e-mail in 30 lines of 100, an address in 20, a card number in 3       |
| clean  | a service, text               | none, but much that looks like them                                   |
| dense  | an export                     | nothing but values, 6.4 a line                                        |

Domains are reserved ones (RFC 2606), local parts are plants and stones, card numbers are random digits with a right
check digit behind the first digits of an issuer, addresses are random. Nobody's data is in here.
"""
import os
import random

NAMES = {"access": "access.log", "app": "app.jsonl", "clean": "clean.log", "dense": "dense.log"}
FRESH_BYTES = 64 << 20  # a longer log repeats itself after that: far beyond any cache, and quickly made

PLANTS = ("alder basil briar cedar clover elder erica fennel hazel heather iris ivy juniper laurel lily maple myrtle "
          "olive poppy rowan rue sage sorrel tansy thyme willow").split()
STONES = ("agate amber basalt beryl chalk citrine coral dolomite feldspar flint garnet gneiss granite jasper lapis marble "
          "obsidian onyx opal pumice quartz ruby slate talc topaz zircon").split()
DOMAINS = ("example.com example.org example.net mail.example.com corp.uk.example.com test.example.org "
           "users.shop.example.com a.b.example.net xn--bcher-kva.example").split()
AGENTS = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1.2 "
    "Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 13; SM-G991B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.6045.193 Mobile Safari/537.36",
    "curl/8.4.0", "python-requests/2.31.0", "Go-http-client/2.0", "kube-probe/1.28", "okhttp/4.12.0",
    "examplebot/2.1 (+http://www.example.com/bot.html)", "Prometheus/2.48.1",
]
SEGMENTS = ("api v1 v2 users orders items search static assets img css js products cart checkout login logout account "
            "settings health metrics blog posts tags docs download admin reports export").split()
ENDINGS = ["", "", "", "", ".html", ".js", ".css", ".png", ".jpg", ".json", ".woff2", ".min.js", ".svg"]
METHODS = ["GET"] * 14 + ["POST"] * 4 + ["PUT", "DELETE", "HEAD", "OPTIONS"]
STATUS = [200] * 14 + [304, 304, 301, 302, 404, 404, 401, 403, 500, 502, 204, 206]
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
LEVELS = ["INFO"] * 12 + ["DEBUG"] * 4 + ["WARN"] * 2 + ["ERROR"]
SERVICES = ("auth billing cart catalog checkout email gateway inventory notifier orders payments profile search "
            "shipping").split()
WORDS = ("request completed connection pool user session cache miss retry upstream timeout payment order created shipped "
         "queue worker job started finished database query slow index lookup token refreshed expired webhook delivered "
         "failed validation schema migration applied batch flush checkpoint replica lag leader election heartbeat lost "
         "reconnecting backoff circuit breaker open closed half").split()
PACKAGES = ["@angular/core", "@babel/preset-env", "@types/node", "@nestjs/common", "@aws-sdk/client-s3", "@vue/compiler-sfc"]
ANNOTATIONS = ["@Override", "@Autowired", "@Transactional(readOnly=true)", "@GetMapping(\"/health\")", "@deprecated", "@param"]
REFLOGS = ["HEAD@{1}", "refs/stash@{0}", "main@{upstream}", "master@{2.days.ago}"]


def luhn_digit(digits):
    """The check digit that belongs behind these digits (ISO/IEC 7812-1)."""
    weighted = [2 * digit if place % 2 == 0 else digit for place, digit in enumerate(reversed(digits))]
    return -sum(digit - 9 if digit > 9 else digit for digit in weighted) % 10


class Maker:
    """Makes lines as lists of parts; a part that was planted is a pair of text and kind."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.pick, self.below, self.share = self.random.choice, self.random.randrange, self.random.random
        self.ipv4s = [self.new_ipv4() for _ in range(20000)]
        self.ipv6s = [self.new_ipv6() for _ in range(3000)]
        self.paths = [self.new_path() for _ in range(6000)]
        self.referers = ["-"] * 2500 + ["https://www.example.com" + self.pick(self.paths) for _ in range(3500)]
        self.messages = [" ".join(self.pick(WORDS) for _ in range(3 + self.below(7))) for _ in range(2000)]

    # Values

    def new_ipv4(self):
        share = self.share()
        if share < .15:
            return "10.%d.%d.%d" % (self.below(256), self.below(256), self.below(1, 255))
        if share < .25:
            return "192.168.%d.%d" % (self.below(256), self.below(1, 255))
        return "%d.%d.%d.%d" % (self.below(11, 224), self.below(256), self.below(256), self.below(1, 255))

    def new_ipv6(self):
        share, groups = self.share(), [self.random.getrandbits(16) for _ in range(8)]
        if share < .55:
            form = "%x" if share < .4 else "%04x"
            return (":".join(form % group for group in [0x2001, 0xdb8] + groups[:6]), "ipv6")
        if share < .85:
            head = "".join("%x:" % group for group in groups[:self.below(4)])
            text = "2001:db8:%s:%x" % (head, groups[7])
        elif share < .93:
            text = "fe80::%x:%x:%x:%x" % tuple(group | 1 for group in groups[:4])
        else:
            text = "::ffff:" + self.new_ipv4() if share < .97 else "::1"
        return (text, "ipv6 with ::")

    def ipv4(self):
        return (self.pick(self.ipv4s), "ipv4")

    def ipv6(self):
        return self.pick(self.ipv6s)

    def address(self):
        return self.ipv6() if self.share() < .1 else self.ipv4()

    def email(self, at="@"):
        share, plant, stone = self.share(), self.pick(PLANTS), self.pick(STONES)
        if share < .4: user = plant + "." + stone
        elif share < .6: user = "%s%s%d" % (plant[0], stone, self.below(100))
        elif share < .75: user = plant + "_" + stone
        elif share < .85: user = "%s+%s%d" % (plant, self.pick(SEGMENTS), self.below(1000))
        elif share < .95: user = plant
        else: user = "%s-%s.%d" % (plant, stone, self.below(1970, 2010))
        if at == "@":
            return (user + "@" + self.pick(DOMAINS), "email")
        return (user.replace("+", "%2B") + at + self.pick(DOMAINS), "email with %40")

    def card(self, separator=None):
        share, length = self.share(), 16
        if share < .5: digits = [4]
        elif share < .8: digits = [5, 1 + self.below(5)]
        elif share < .9: digits, length = [3, self.pick((4, 7))], 15
        else: digits = [6, 0, 1, 1]
        digits += [self.below(10) for _ in range(length - 1 - len(digits))]
        text = "".join(map(str, digits + [luhn_digit(digits)]))
        separator = self.pick(("", "", " ", "-")) if separator is None else separator
        cuts = (0, 4, 10, 15) if length == 15 else (0, 4, 8, 12, 16)
        groups = [text[start:end] for start, end in zip(cuts, cuts[1:])]
        return (separator.join(groups), "card in groups" if separator else "card")

    # What only looks like a value

    def no_card(self, head=None, length=None):
        """As many digits as a card number may have, with a wrong check digit."""
        head = head or self.pick("3456")
        rest = (length or self.pick((16, 16, 16, 17, 18, 19))) - len(head)
        while True:
            digits = "%s%0*d" % (head, rest, self.below(10 ** rest))
            if luhn_digit([int(digit) for digit in digits[:-1]]) != int(digits[-1]):
                return digits

    def nanoseconds(self):
        return self.no_card("17", 19)

    def version(self):
        return ("%d.%d.%d.%d" % (self.below(10), self.below(30), self.below(10), self.below(10)), "version")

    def hexadecimal(self, digits):
        return "%0*x" % (digits, self.random.getrandbits(4 * digits))

    def uuid(self):
        text = self.hexadecimal(32)
        return "-".join((text[:8], text[8:12], "4" + text[13:16], "a" + text[17:20], text[20:]))

    # What stands between

    def new_path(self):
        path = "/" + "/".join(self.pick(SEGMENTS) for _ in range(1 + self.below(4)))
        if self.share() < .35: path += "/%d" % (1 + self.below(10 ** (2 + self.below(8))))
        if self.share() < .08: path += "/" + self.hexadecimal(self.pick((8, 16, 32, 40)))
        path += self.pick(ENDINGS)
        if self.share() < .08: path += "?v=%d.%d.%d" % (self.below(10), self.below(31), self.below(100))
        return path

    def clock(self):
        return "%02d:%02d:%02d" % (self.below(24), self.below(60), self.below(60))

    def date(self):
        return "2025-%02d-%02d" % (self.below(1, 13), self.below(1, 29))

    def web_time(self):
        return "%02d/%s/2025:%s +0000" % (self.below(1, 29), self.pick(MONTHS), self.clock())

    def iso_time(self):
        return "%sT%s.%06dZ" % (self.date(), self.clock(), self.below(10 ** 6))

    def message(self):
        return self.pick(self.messages)

    # Lines

    def access(self):
        path, user = self.pick(self.paths), "-" if self.share() < .95 else self.pick(PLANTS)
        parts = [self.address(), " - %s [%s] \"%s %s" % (user, self.web_time(), self.pick(METHODS), path)]
        if self.share() < .03:
            email = self.email("%40" if self.share() < .34 else "@")
            parts += ["&email=" if "?" in path else "?email=", email, "&utm_source=" + self.pick(WORDS)]
        size = self.below(10 ** (2 + self.below(5)))
        parts.append(' HTTP/1.1" %d %d "%s" "' % (self.pick(STATUS), size, self.pick(self.referers)))
        before, version, after = self.pick(AGENTS).partition("120.0.0.0")
        return parts + ([before, (version, "version"), after + '"'] if version else [before + '"'])

    def app(self):
        email, address, card = self.share(), self.share(), self.share()
        parts = ['{"timestamp":"%s","level":"%s","service":"%s","trace_id":"%s","span_id":"%s","request_id":"%s","msg":"%s' % (
            self.iso_time(), self.pick(LEVELS), self.pick(SERVICES), self.hexadecimal(32), self.hexadecimal(16), self.uuid(),
            self.message())]
        if email < .15: parts += [" for ", self.email()]
        if address < .07: parts += [" from ", self.address()]
        elif address < .10: parts += [" peer ", self.ipv4(), ":%d" % self.below(1024, 65535)]
        if card < .015: parts += [" pan ", self.card(), " declined"]
        parts.append('","ctx":{"duration_ms":%.3f,"retries":%d,"ok":%s' % (
            self.share() * 900, self.below(5), self.pick(("true", "false"))))
        if .15 <= email < .30: parts += [',"user":{"id":%d,"email":"' % self.below(10 ** 7), self.email(), '"}']
        if .10 <= address < .20: parts += [',"client_ip":"', self.address(), '"']
        if .015 <= card < .0225: parts += [',"card":"', self.card(), '"']
        elif .0225 <= card < .03: parts += [',"card":', self.card("")]
        return parts + self.app_extra() + ['},"host":"%s-%s-%s"}' % (self.pick(SERVICES), self.hexadecimal(9), self.hexadecimal(5))]

    def app_extra(self):
        share = self.share()
        if share < .15: return [',"order_id":"%s"' % self.no_card()]
        if share < .25: return [',"ts_ns":' + self.nanoseconds()]
        if share < .30: return [',"build":"', self.version(), '"']
        if share < .45: return [',"score":%.12f,"ratio":%.6e' % (self.share(), self.share())]
        if share < .55: return [',"items":[%s]' % ",".join(self.item() for _ in range(1 + self.below(4)))]
        return []

    def item(self):
        return '{"sku":"%s","qty":%d,"price":%d.%02d}' % (
            self.hexadecimal(10), self.below(1, 9), self.below(500), self.below(100))

    def clean(self):
        forms = (
            lambda: "%s took %.3fms (p99=%.1f, n=%d)" % (self.message(), self.share() * 100, self.share() * 900, self.below(10 ** 6)),
            lambda: "commit %s %s %s" % (self.hexadecimal(40), self.pick(REFLOGS), self.message()),
            lambda: "resolved %s@%d.%d.%d in %dms" % (
                self.pick(PACKAGES), self.below(20), self.below(40), self.below(20), self.below(4000)),
            lambda: "at com.example.%s.%sService.handle(%sService.java:%d) %s" % (
                self.pick(SERVICES), self.pick(SERVICES).title(), self.pick(SERVICES).title(), self.below(900), self.pick(ANNOTATIONS)),
            lambda: "order %s %s" % (self.no_card(), self.message()),
            lambda: "ts=%s seq=%d %s" % (self.nanoseconds(), self.below(10 ** 12), self.message()),
            lambda: "version %d.%d.%d -> %d.%d.%d-rc.%d " % tuple(self.below(40) for _ in range(7)) + self.message(),
            lambda: "req=%s trace=%s %s" % (self.uuid(), self.hexadecimal(32), self.message()),
            lambda: "mac %s link up %s" % (":".join(self.hexadecimal(2) for _ in range(6)), self.message()),
            lambda: "std::collections::HashMap<u64, Vec<%s::Item>> len=%d ns::%s::%s" % (
                self.pick(SERVICES), self.below(10 ** 5), self.pick(WORDS), self.pick(WORDS)),
            lambda: '[%s] "%s %s HTTP/1.1" %d %d' % (
                self.web_time(), self.pick(METHODS), self.pick(self.paths), self.pick(STATUS), self.below(10 ** 6)),
            lambda: "lat=%.6f lon=%.6f alt=%.1f %s" % (
                self.share() * 180 - 90, self.share() * 360 - 180, self.share() * 3000, self.message()),
            lambda: "; ".join((self.message(), self.message(), self.message())),
            lambda: "sha256:%s size=%d date=%s %s" % (self.hexadecimal(64), self.below(10 ** 10), self.date(), self.clock()),
        )
        return ["%s %s [%s-%d] %s" % (
            self.iso_time(), self.pick(LEVELS), self.pick(SERVICES), self.below(64), self.pick(forms)())]

    def dense(self):
        parts = [self.ipv4(), ",", self.email(), ",", self.ipv6(), ","]
        for _ in range(1 + self.below(5)):
            parts += [self.pick((self.email, self.ipv4, self.ipv6, self.card))(), self.pick((",", " ", ";", "|"))]
        return parts + [self.card()]


def write(folder, name, size, truth=False):
    """Writes the log `name` of about `size` bytes unless it is there, and returns its path. With `truth` a line
    `OFFSET TAB TEXT TAB KIND` for each planted value goes into a file beside it, and the log does not repeat itself."""
    path = os.path.join(folder, NAMES[name])
    if os.path.exists(path):
        return path
    os.makedirs(folder, exist_ok=True)
    fresh = size if truth else min(size, FRESH_BYTES)
    text, planted = make(name, fresh)
    if truth:
        with open(path + ".truth", "w") as file:
            file.writelines("%d\t%s\t%s\n" % value for value in planted)
    with open(path + ".part", "wb") as file:
        for _ in range(0, size, fresh):
            file.write(text)
    os.rename(path + ".part", path)
    return path


def make(name, size):
    """The bytes of a log, and its planted values as (offset, text, kind)."""
    maker = Maker(1000 + list(NAMES).index(name))
    line, lines, planted, offset = getattr(maker, name), [], [], 0
    while offset < size:
        for part in line():
            text, kind = (part, None) if isinstance(part, str) else part
            if kind:
                planted.append((offset, text, kind))
            lines.append(text)
            offset += len(text)
        lines.append("\n")
        offset += 1
    return "".join(lines).encode("ascii"), planted
