#!/bin/sh
# First inputs from what the tests have: each text of the tables, plain and as JSON, under some policies.
set -eu
cd "$(dirname "$0")/.."
for target in pipeline detectors json formats times ladders containers rules; do mkdir -p "fuzz/corpus/$target"; done
cat tests/cases/*.tsv | awk -F '\t' '$1 != "kind" && NF > 3 && $3 != "" {
    policy = sprintf("%c", 48 + NR % 8)
    json = $3; gsub(/\\/, "\\\\", json); gsub(/"/, "\\\"", json)
    printf "%s", $3 > ("fuzz/corpus/detectors/case-" NR)
    printf "%s%s%s\n", policy, policy, $3 > ("fuzz/corpus/pipeline/case-" NR)
    printf "%s%s{\"card\":[\"%s\"]}\n", policy, policy, json > ("fuzz/corpus/pipeline/json-" NR)
    printf "%s{\"card\":[\"%s\"]}", policy, json > ("fuzz/corpus/json/case-" NR)
    close("fuzz/corpus/detectors/case-" NR); close("fuzz/corpus/pipeline/case-" NR)
    close("fuzz/corpus/pipeline/json-" NR); close("fuzz/corpus/json/case-" NR)
}'
# The records of the tables of formats, each behind the header that holds for it.
awk 'FNR == 1 { head = "" } /^# / { head = substr($0, 3) "\n" } /^>>? / {
    file = "fuzz/corpus/formats/record-" NR
    sub(/^>>? /, ""); printf "%s%s", head, $0 > file; close(file)
}' tests/formats/*.txt
# Times, each behind the zone and before the date that the target takes for the clock's.
awk -F '\t' '!/^#/ && NF > 1 {
    file = "fuzz/corpus/times/time-" NR
    printf "0%s\"\"\"\"", $2 > file; close(file)
}' tests/times/forms.tsv
# Times of several ages before values, and behind them what steps of ladders leave.
number=0
for ladder in a b c d e f g h i j k l; do for time in \
    '2026-02-27T10:11:12Z ' '2026-01-15 10:11:12,123 ' '2025-06-30T23:59:59.5+02:00 ' '2021-03-01 10:00:00 UTC ' \
    '203.0.113.9 - - [28/Feb/2025:10:11:12 +0000] ' 'Feb 27 10:11:12 web app: ' 'ts=1735689600 ' 'none '
do for text in 'from 203.0.113.9' 'of jane@example.com' 'paid 4111 1111 1111 1111' 'by ::ffff:203.0.113.9' \
    'was [ipv4] [email]@example.org [pan] 411111******1111 203.0.113.0 [ipv4#2]'
do
    number=$((number + 1))
    printf '%s0%s%s\n\tat x of 198.51.100.7\n' "$ladder" "$time" "$text" >"fuzz/corpus/ladders/text-$number"
    printf '%s3{"ts":"%s","user":"%s"}\n' "$ladder" "${time% }" "$text" >"fuzz/corpus/ladders/json-$number"
done; done; done
for file in rules/packs/*.toml tests/rules/*/*.toml tests/rules/*/*/*.toml; do
    cp "$file" "fuzz/corpus/rules/$(echo "$file" | tr / -)"
done
# Small archives, as far as there are programs that make them: `t` before a tar, `r` before one whose sums are put right.
folder=$(mktemp -d)
mkdir "$folder/logs"
echo 'a secret' >"$folder/logs/a.log"
: >"$folder/logs/empty"
ln -s a.log "$folder/logs/link"
echo 'another secret' >"$folder/logs/$(printf 'n%.0s' $(seq 120)).log"
for form in v7 ustar gnu pax; do for first in t r; do
    { printf %s $first; tar -C "$folder" --format=$form -b1 -cf - logs 2>/dev/null || true; } >"fuzz/corpus/containers/$form-$first"
done; done
{ printf r; tar -C "$folder" --format=pax --pax-option=comment:=secret,size:=9 -b1 -cf - logs/a.log; } >fuzz/corpus/containers/size
if command -v zip >/dev/null; then for how in -0 -9 -fz -Ppassword; do
    { printf z; cd "$folder"; rm -f out.zip; zip -q -r -y $how out.zip logs; cat out.zip; cd - >/dev/null; } >"fuzz/corpus/containers/zip$how"
done; fi
rm -r "$folder"
