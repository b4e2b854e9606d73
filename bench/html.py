#!/usr/bin/env python3
"""The HTML report: its size, how long it takes to write, to paint and to follow what is done to it.

"written" is all of `lagprof report --format html`: reading the recording, diagnosing it, writing the
page, at best of the rounds; the other times are of headless Chromium, medians of five loads and p95 of
the steps of one reader, from the event to the next frame.  Everything is measured in one run, on the
machine as it is: what a step that does nothing takes is the machine's part in all others.

    html.py [NAME...]
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("BUILD", "build/release")
SOURCE = os.environ.get("SOURCE", os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LAGPROF = os.environ.get("LAGPROF", os.path.join(BUILD, "lagprof"))
ROUNDS = 5

# The recordings that tests/tools/pages.c makes, and what they are to stay under.
KB, MB = 1000, 1024 * 1024
PAGES = {
    "empty": ("nothing blocked", 160 * KB, None, None),
    "minute": ("60 s, 1,600 stalls, 6,000 samples", 300 * KB, 150, 1000),
    "hour": ("1 h, 10,000 stalls, 200,000 samples", 1 * MB, 1000, 1000),
    "two_hours": ("2 h, 20,000 stalls, 400,000 samples", None, None, None),
    "big": ("100,000 turns, 50,000 samples, 34,000 nodes", 1 * MB, 1000, 1000),
    "huge": ("50,000 stalls and samples, 1,000,000 nodes", 3 * MB, 1000, 2500),
}


def write(name, folder):
    """The seconds that writing took at best, and the memory it took, in MB."""
    recording, page = (f"{folder}/{name}{suffix}" for suffix in (".lagprof", ".html"))
    subprocess.run([f"{BUILD}/tests/pages", name, "recording", recording], check=True)
    best = None
    for _ in range(ROUNDS):
        start = time.monotonic()
        subprocess.run([LAGPROF, "report", "--format", "html", "-o", page, recording], check=True)
        taken = time.monotonic() - start
        best = min(best or taken, taken)
    # Of a process of its own, so that no earlier child counts.
    code = ("import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True);"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    rss = subprocess.run([sys.executable, "-c", code, LAGPROF, "report", "--format", "html", "-o", page,
                          recording], check=True, stdout=subprocess.PIPE, text=True).stdout
    return best, int(rss) * 1024 / 1e6


def browser_tools():
    """The folder of tests/web with its packages, or None."""
    if not shutil.which("chromium"):
        print("no chromium here: nothing is painted")
        return None
    script = '. "$SOURCE/tests/web/setup.sh"; web_setup tests/web; echo "$web"'
    env = {**os.environ, "SOURCE": SOURCE, "BUILD": BUILD}
    done = subprocess.run(["sh", "-c", script], env=env, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        print(done.stdout.strip())
        return None
    return done.stdout.strip().splitlines()[-1]


def paint(tools, page):
    done = subprocess.run(["node", f"{tools}/paint.mjs", page, str(ROUNDS)], check=True,
                          stdout=subprocess.PIPE, text=True, timeout=300)
    return json.loads(done.stdout)


def limit(value, most, form):
    text = form.format(value)
    return f"{text} of {form.format(most)}{'' if value <= most else ' !'}" if most else text


def main():
    tools = browser_tools()
    load = os.getloadavg()[0]
    print(f"load average {load:.1f} on {os.cpu_count()} CPUs; \"of\" is the goal, \"!\" not met\n")
    print("| recording | page | written | memory | painted | zoom p95 | search p95 | select p95 | nothing p95 | frames |")
    print("|---" * 10 + "|")
    written = {}
    with tempfile.TemporaryDirectory(prefix="lagprof-bench-") as folder:
        for name in sys.argv[1:] or PAGES:
            words, bytes_max, ms_max, painted_max = PAGES[name]
            seconds, memory = write(name, folder)
            written[name] = seconds
            size = os.stat(f"{folder}/{name}.html").st_size
            cells = [words, limit(size / 1e3, bytes_max and bytes_max / 1e3, "{:.0f} kB"),
                     limit(seconds * 1e3, ms_max, "{:.0f} ms"), limit(memory, 200, "{:.0f} MB")]
            if tools and name != "empty":
                p = paint(tools, f"{folder}/{name}.html")
                cells += [limit(p["painted"], painted_max, "{} ms")]
                cells += [limit(p[f"{step}_p95"], 100, "{} ms") for step in ("zoom", "search", "select")]
                cells += [f"{p['nothing_p95']} ms", limit(p["frames"], 1500, "{}")]
            print("| " + " | ".join(cells) + " |", flush=True)
    if "hour" in written and "two_hours" in written:
        print(f"\ntwice the recording takes {written['two_hours'] / written['hour']:.2f} times as long")


main()
