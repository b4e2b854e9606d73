import os, re, signal, statistics, subprocess, sys, tempfile, time
from tmux import Screen

lagprof, source = os.environ["LAGPROF"], os.environ["SOURCE"]
tmp = tempfile.TemporaryDirectory()
failures = []
WEDGED = """
require('http').createServer((q, s) => s.end('x')).listen(0, '127.0.0.1');
console.log('ready');
setTimeout(function spin() {
	let x = 0;
	for (;;)
		x = Math.sqrt(x + 1);
}, +process.argv[2]);
"""


def check(holds, what, text=""):
    if not holds:
        failures.append(what)
        print(f"FAILED: {what}\n{text}")


def path(name, text=None):
    name = os.path.join(tmp.name, name)
    if text is not None:
        with open(name, "w") as file:
            file.write(text)
    return name


def screen(*argv, env=()):
    return Screen(100, 30, ["env", "LC_ALL=C.UTF-8", "TERM=screen", *env, *argv])


def attached(target, *options):
    return screen(lagprof, "top", *options, "-o", path(f"{target.pid}-{time.monotonic()}.lagprof"),
                  str(target.pid))


def start(*argv):
    target = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    target.stdout.readline()
    return target


def check_target_dies():
    """The end of the target ends the view; the terminal is as it was."""
    target = start("node", path("idle.js", "setInterval(() => {}, 10); console.log('ready')"))
    s = screen("sh", "-c", f"stty -a >{path('before')}; {lagprof} top -o {path('died.lagprof')} "
               f"{target.pid}; stty -a >{path('after')}")
    s.wait_for("? help")
    target.kill()
    target.wait()
    check(s.ended() == 0, "the target's death: status")
    text = s.text()
    check(open(path("before")).read() == open(path("after")).read(), "the target's death: modes")
    check(s.ask("alternate_on") == "0", "the target's death: the screen", text)
    check("recording: " in text and "report: " in text, "the names of the files", text)
    check(os.path.getsize(path("died.lagprof")) > 0, "the recording is not kept")
    s.close()


def check_wedged():
    """An endless loop is on the screen with its line, also when it was there before."""
    target = start("node", path("wedged.js", WEDGED), "2500")
    for when in ("as it begins", "when it has begun"):
        s = attached(target)
        s.wait_for("? help")
        s.wait(lambda text: re.search(r"BLOCKED for .* wedged.js:[567] spin", text),
               f"a wedged loop, {when}")
        first = s.wait_for("BLOCKED for ")
        s.wait(lambda text: "BLOCKED" in text and text.split("BLOCKED")[1][:12] !=
               first.split("BLOCKED")[1][:12], "an open stall that grows")
        s.keys("q")
        check(s.ended() == 0, "a wedged loop: status")
        s.close()
    target.kill()
    target.wait()


def check_command():
    """What a command writes is kept off the screen, and q ends it."""
    stalls = path("stalls.js", """
console.log('to stdout'); console.error('to stderr');
process.stdin.on('end', () => console.log('stdin is empty')).resume();
process.on('SIGTERM', () => { console.log('asked to end'); process.exit(3); });
setInterval(function work() { const end = Date.now() + 120; while (Date.now() < end); }, 300);
""")
    recording = path("command.lagprof")
    s = screen(lagprof, "run", "--tui", "-o", recording, "node", stalls)
    s.wait(lambda text: "stalls.js:5 work" in text and "user_code" in text, "a culprit")
    s.keys("Tab")
    s.wait(lambda text: "[Stalls]" in text and "stalls.js:5 work" in text, "stalls in time")
    s.keys("Tab", "Tab")
    text = s.wait(lambda text: "stdin is empty" in text, "the output in the view of the target")
    check("to stdout" in text and "to stderr" in text, "the output", text)
    s.keys("+")
    s.wait_for("of 50 ms or more")
    s.keys("+", "+")
    s.wait_for("of 200 ms or more")
    s.keys("w")
    s.wait_for("Wrote ")
    check(os.path.getsize(path("command.html")) > 10000, "w: the HTML report")
    s.keys("e", "f")
    s.wait_for("command.folded")
    check("work" in open(path("command.folded")).read(), "e f: folded stacks")
    s.keys("p")
    s.wait_for("PAUSED")
    s.keys("q")
    check(s.ended() == 0, "q of a command: status")
    text = s.text()
    check(f"output: {path('command.out')}" in text.replace("\n", ""), "the output's name", text)
    check("asked to end" in open(path("command.out")).read(), "q does not ask the command to end")
    s.close()


def check_lines():
    """Without a terminal, or on one that can do nothing: a line for each stall, no escapes."""
    busy = start("node", path("busy.js", "console.log('ready'); setInterval(function work() {"
                              "const end = Date.now() + 90; while (Date.now() < end); }, 200)"))
    out = subprocess.run([lagprof, "top", "-d", "1s", "--no-html", "-o", path("lines.lagprof"),
                          str(busy.pid)], stdin=subprocess.DEVNULL, capture_output=True,
                         env={**os.environ, "TERM": "xterm"}, timeout=60)
    check(b"\033" not in out.stdout + out.stderr, "escapes in a pipe")
    check(len(re.findall(rb"\xc2\xb7 stall \d+ ms", out.stdout)) >= 2, "no lines in a pipe",
          out.stdout)
    s = screen(lagprof, "top", "-d", "1s", "--no-html", "-o", path("dumb.lagprof"), str(busy.pid),
               env=("TERM=dumb",))
    check(s.ended() == 0 and "· stall " in s.text("-S", "-"), "TERM=dumb", s.text("-S", "-"))
    s.close()
    out = subprocess.run([lagprof, "top", "--once", "-d", "1500ms", str(busy.pid)],
                         stdin=subprocess.DEVNULL, capture_output=True, cwd=tmp.name, timeout=60,
                         env={**os.environ, "LC_ALL": "C.UTF-8"})
    check(b"busy.js:1 work" in out.stdout and b"\033" not in out.stdout, "--once", out.stdout)
    check(out.returncode == 0 and not out.stderr, "--once: status", out.stderr)
    s = screen("script", "-qec", f"{lagprof} top -o {path('script.lagprof')} {busy.pid}",
               path("typescript"))
    s.wait(lambda text: "busy.js:1 work" in text and "? help" in text, "inside script(1)")
    s.keys("q")
    check(s.ended() == 0, "inside script(1): status")
    s.close()
    busy.kill()
    busy.wait()


for test in (check_target_dies, check_wedged, check_command, check_lines):
    begin = time.monotonic()
    try:
        test()
    except TimeoutError as error:
        check(False, f"{test.__name__}: {error}")
    print(f"{test.__name__}: {time.monotonic() - begin:.1f} s")
sys.exit(1 if failures else 0)
