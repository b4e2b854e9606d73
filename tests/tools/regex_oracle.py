"""Answers the lines of regex_probe.c with what this Python's re says: same output."""
import re
import sys
import urllib.parse
import warnings

warnings.simplefilter("ignore")
FLAGS = {"i": re.I, "m": re.M, "s": re.S, "x": re.X, "a": re.A, "u": 0}
for line in sys.stdin:
    _, flags, pattern, subject = line.rstrip("\n").split(" ")
    bits = 0
    for letter in flags[1:]:
        bits |= FLAGS[letter]
    try:
        found = re.search(urllib.parse.unquote(pattern[1:]), urllib.parse.unquote(subject[1:]), bits)
        print("no" if found is None else f"{found.start()} {found.end()}")
    except (re.error, OverflowError, RecursionError):
        print("invalid")
