#!/bin/sh
# First inputs from what the tests have: each text of the tables, plain and as JSON, under some policies.
set -eu
cd "$(dirname "$0")/.."
for target in pipeline detectors json formats times rules; do mkdir -p "fuzz/corpus/$target"; done
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
for file in rules/packs/*.toml tests/rules/*/*.toml tests/rules/*/*/*.toml; do
    cp "$file" "fuzz/corpus/rules/$(echo "$file" | tr / -)"
done
