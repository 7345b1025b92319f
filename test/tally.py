#!/usr/bin/python3
"""Adds up what ran: tally.py FILE... with JUnit reports (*.xml) and lists of stages (*.tsv: outcome, name, reason).

Prints what failed, what was skipped and why, and as its last line "N passed, N failed, N skipped"; status 1 when anything failed.
"""

import re
import sys
import xml.etree.ElementTree as xml
from collections import Counter
from pathlib import Path


def last_words(text):
    """The reason in what a program printed: cmocka's skip() has none, so that tests print it on a line of its own before."""
    lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
    said = [line for line in lines if re.match(r"#?\s*skip", line, re.I) and "SKIP" not in line]
    return re.sub(r"^#\s*", "", (said or lines or ["no reason given"])[-1])


def report(path):
    """(outcome, name, reason) of each test of a JUnit file."""
    for suite in xml.parse(path).getroot().iter("testsuite"):
        for case in suite.findall("testcase"):
            # meson repeats the suite in each case's name, pytest has the file in its class.
            name = f"{suite.get('name')}: {case.get('classname') or ''}.{case.get('name')}".replace(f"{suite.get('name')}.", "").replace(": .", ": ")
            failure = case.find("failure") if case.find("failure") is not None else case.find("error")
            skipped = case.find("skipped")
            if failure is not None:
                yield "failed", name, (failure.get("message") or failure.text or "").splitlines()[:1]
            elif skipped is not None:
                output = case.findtext("system-out") or suite.findtext("system-out")
                yield "skipped", name, [skipped.get("message") or last_words(output)]
            else:
                yield "passed", name, []


def stages(path):
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        outcome, name, reason = (line.split("\t") + ["", ""])[:3]
        yield outcome, name, [reason] if reason else []


def main():
    counts, failed, skipped = Counter(), [], Counter()
    for path in sys.argv[1:]:
        try:
            rows = list(stages(path) if path.endswith(".tsv") else report(path))
        except (OSError, xml.ParseError) as error:
            rows = [("failed", path, [f"no report: {error}"])]
        for outcome, name, reason in rows:
            counts[outcome] += 1
            if outcome == "failed":
                failed.append(f"  {name}" + (f": {reason[0][:300]}" if reason else ""))
            elif outcome == "skipped":
                skipped[reason[0] if reason else name] += 1
    if failed:
        print("failed:")
        print("\n".join(failed))
    if skipped:
        print("skipped:")
        for reason, count in sorted(skipped.items()):
            print(f"  {count} × {reason}")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    sys.exit(1 if counts["failed"] or not counts["passed"] else 0)


if __name__ == "__main__":
    main()
