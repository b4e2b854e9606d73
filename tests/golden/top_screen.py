import os, random, re, subprocess, sys, tempfile
from concurrent.futures import ThreadPoolExecutor
from tmux import Screen

lagprof, build = os.environ["LAGPROF"], os.environ["BUILD"]
tmp = tempfile.TemporaryDirectory()
failures = []

SIZES = [(38, 8), (60, 15), (80, 24), (120, 40), (200, 60)]
ENVIRONMENTS = {
    "UTF-8": {"LC_ALL": "C.UTF-8"},
    "C": {"LC_ALL": "C"},
    "NO_COLOR": {"LC_ALL": "C.UTF-8", "NO_COLOR": "1"},
    "vt100": {"LC_ALL": "C.UTF-8", "TERM": "vt100"},
    "256 colors": {"LC_ALL": "C.UTF-8", "TERM": "screen-256color"},
}
COLOR = re.compile(r"\033\[[0-9;]*\b(3[0-7]|38;5;\d+)m")


def check(holds, what, text=""):
    if not holds:
        failures.append(what)
        print(f"FAILED: {what}\n{text}")


def recording(name):
    return os.path.join(tmp.name, name + ".lagprof")


def frame(path, columns, rows, ascii_only):
    """What the view draws, without a terminal: all rows but the last."""
    env = {**os.environ, "LC_ALL": "C" if ascii_only else "C.UTF-8", "COLUMNS": str(columns),
           "LINES": str(rows)}
    out = subprocess.run([lagprof, "top", "--once", path], env=env, stdin=subprocess.DEVNULL,
                         capture_output=True, timeout=60, check=True).stdout.decode()
    return out.split("\n")[:rows - 1]


def body(text):
    return [line.rstrip() for line in text.split("\n")]


def screen(name, columns, rows, env):
    env = {"TERM": "screen", **env}
    argv = ["env", *(f"{k}={v}" for k, v in env.items()), lagprof, "top", recording(name)]
    return Screen(columns, rows, argv)


def check_environment(name, columns, rows):
    env, what = ENVIRONMENTS[name], f"{columns}x{rows} {name}"
    expected = frame(recording("plain"), columns, rows, env["LC_ALL"] == "C")
    s = screen("plain", columns, rows, env)
    try:
        s.wait(lambda text: body(text)[:rows - 1] == expected and "? help" in text, what)
        colored = COLOR.search(s.text("-e")) is not None
        check(colored == (name not in ("NO_COLOR", "vt100")), f"{what}: colors", s.text("-e"))
        if name == "256 colors":
            check("38;5;" in s.text("-e"), f"{what}: not 256 colors")
        if (columns, rows) == (80, 24) or name == "UTF-8":
            check_keys(s, rows, what)
        s.keys("q")
        check(s.ended() == 0, f"{what}: status")
    except TimeoutError as error:
        check(False, f"{what}: {error}")
    s.close()


def check_keys(s, rows, what):
    """Through all views and back leaves no residue."""
    before = s.text()
    for key, words in (("Tab", "[Stalls]"), ("Tab", "[Threads]"), ("Tab", "[Target]"),
                       ("Tab", "[Culprits]"), ("?", "this help"), ("Escape", "BLOCKED"),
                       ("Enter", "> login" if rows > 15 else "synchronous"), ("Enter", "BLOCKED"),
                       ("s", ""), ("s", ""), ("s", ""), ("s", ""), ("s", "BLOCKED"),
                       ("e", "export: t text"), ("Escape", "? help")):
        s.keys(key)
        s.wait_for(words)
    s.type("/regex")
    s.wait_for("/regex")
    s.keys("Enter")
    filtered = s.wait(lambda text: "server.js:33" not in text, "a filter")
    check("email.js:12" in filtered, f"{what}: the filter", filtered)
    s.keys("Escape")
    s.wait(lambda text: text == before, f"{what}: the same as before the keys")


def check_resizes():
    s = screen("plain", 80, 24, ENVIRONMENTS["UTF-8"])
    path = recording("plain")
    try:
        s.wait_for("? help")
        random.seed(8)
        for _ in range(60):
            s.resize(random.randint(1, 220), random.randint(1, 70))
        s.resize(5, 2)
        for columns, rows in ((120, 40), (38, 8), (80, 24)):
            s.resize(columns, rows)
            expected = frame(path, columns, rows, False)
            s.wait(lambda text: body(text)[:rows - 1] == expected and "? help" in text,
                   f"residue after resizes to {columns}x{rows}")
    except TimeoutError as error:
        check(False, str(error))
    s.close()


def check_wide_names():
    """Where a column begins does not depend on what stands before it."""
    s = screen("wide", 100, 30, ENVIRONMENTS["UTF-8"])
    expected = frame(recording("wide"), 100, 30, False)
    try:
        text = s.wait(lambda text: body(text)[:29] == expected and "? help" in text, "wide names")
        check("日本語" in text and "😀" in text, "wide names are not shown", text)
        s.keys("Tab")
        s.wait_for("[Stalls]")
        s.keys("BTab")
        s.wait(lambda text: body(text)[:29] == expected, "wide names leave residue")
    except TimeoutError as error:
        check(False, str(error))
    s.close()


def check_pipe(env, *options):
    out = subprocess.run([lagprof, "top", *options, recording("hostile")], stdin=subprocess.DEVNULL,
                         env={**os.environ, **env}, capture_output=True, timeout=60)
    check(out.returncode == 0 and len(out.stdout) > 100, f"pipe: status {out.returncode}")
    check(b"\033" not in out.stdout + out.stderr, f"escape bytes in a pipe with {env} {options}")


def check_dumb():
    s = Screen(80, 24, ["env", "TERM=dumb", "LC_ALL=C.UTF-8", lagprof, "top", recording("plain")])
    try:
        check(s.ended() == 0, "TERM=dumb: status")
        text = s.text()
        check("server.js:33 login" in text, "TERM=dumb: no frame", text)
        check("\033" not in s.text("-e").replace("\033[0m", ""), "TERM=dumb: escapes", s.text("-e"))
    except TimeoutError as error:
        check(False, str(error))
    s.close()


for name in ("plain", "hostile", "wide"):
    subprocess.run([build + "/tests/pages", name, "recording", recording(name)], check=True,
                   timeout=60)
with ThreadPoolExecutor(3) as pool:
    jobs = [pool.submit(check_environment, name, *size) for size in SIZES for name in ENVIRONMENTS]
    jobs += [pool.submit(check_resizes), pool.submit(check_wide_names), pool.submit(check_dumb)]
    jobs += [pool.submit(check_pipe, env, *options) for env in ENVIRONMENTS.values()
             for options in ((), ("--once",))]
    for job in jobs:
        job.result()
sys.exit(1 if failures else 0)
