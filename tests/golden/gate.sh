#!/bin/sh
# What the renderers for CI services write, by ordinary and hostile recordings, is well-formed and
# says what the services look for.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
command -v python3 >/dev/null || exit 77

LAGPROF_GATE_DIR=$tmp "$BUILD/tests/unit" gate gate_documents
python3 - "$tmp" <<'END'
import json
import re
import sys
import urllib.parse
import xml.etree.ElementTree as xml
from pathlib import Path

folder = Path(sys.argv[1])
names = sorted((path.stem for path in folder.glob("*.sarif")), key=int)


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


check(len(names) >= 13, "the documents")
for name in names:
    number = 13 if name != names[-1] else 0  # the last is outside the root

    sarif = json.loads((folder / f"{name}.sarif").read_text(encoding="utf-8"))
    (run,) = sarif["runs"]
    rules = run["tool"]["driver"]["rules"]
    check(sarif["version"] == "2.1.0" and len(run["results"]) == number, f"{name}.sarif: results")
    for result in run["results"]:
        check(rules[result["ruleIndex"]]["id"] == result["ruleId"], f"{name}.sarif: rule")
        check(result["level"] in ("note", "warning", "error"), f"{name}.sarif: level")
        check(re.fullmatch("[0-9a-f]{16}", result["partialFingerprints"]["lagprof/v1"]),
              f"{name}.sarif: fingerprint")
        place = result["locations"][0]["physicalLocation"]
        uri = place["artifactLocation"]["uri"]
        parts = urllib.parse.urlsplit(uri)
        check(not (parts.scheme or parts.netloc or parts.query or parts.fragment or uri.startswith("/")),
              f"{name}.sarif: {uri}")
        check(place["region"]["startLine"] >= 1, f"{name}.sarif: line")

    suites = xml.fromstring((folder / f"{name}.junit").read_bytes())
    suite = suites.find("testsuite")
    cases = suite.findall("testcase")
    check(len(cases) == int(suite.get("tests")) == 3, f"{name}.junit: tests")
    check(len(suite.findall("testcase/failure")) == int(suite.get("failures")) == 1,
          f"{name}.junit: failures")
    check(len(suite.findtext("system-out").splitlines()) == 14, f"{name}.junit: output")

    quality = json.loads((folder / f"{name}.gitlab").read_text(encoding="utf-8"))
    check(len({entry["fingerprint"] for entry in quality}) == len(quality) == number,
          f"{name}.gitlab: fingerprints")
    for entry in quality:
        check({"description", "check_name", "fingerprint", "severity", "location"} == set(entry),
              f"{name}.gitlab: members")
        check(entry["severity"] in ("info", "minor", "major", "critical", "blocker"),
              f"{name}.gitlab: severity")
        check(not entry["location"]["path"].startswith("/"), f"{name}.gitlab: path")

    kinds = []
    for line in (folder / f"{name}.github").read_text(encoding="utf-8").splitlines():
        match = re.fullmatch(r"::(error|warning|notice) ([^:]*)::(.*)", line)
        check(match or line.startswith("lagprof: "), f"{name}.github: {line}")
        if match:
            kinds.append(match[1])
            check(all("=" in part for part in match[2].split(",")), f"{name}.github: {line}")
    check(max(kinds.count(kind) for kind in set(kinds)) <= 10, f"{name}.github: too many")

    for line in (folder / f"{name}.markdown").read_text(encoding="utf-8").splitlines():
        if line.startswith("|"):
            cells = len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) - 1
            check(cells in (3, 6), f"{name}.markdown: {cells} cells in {line}")
        check(not re.search(r"(?<!\\)<", line), f"{name}.markdown: {line}")
END
