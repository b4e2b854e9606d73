import os, re, signal, subprocess, sys, tempfile, time
from concurrent.futures import ThreadPoolExecutor
from tmux import Screen

lagprof, build = os.environ["LAGPROF"], os.environ["BUILD"]
tmp = tempfile.TemporaryDirectory()
file = os.path.join(tmp.name, "plain.lagprof")
failures = []


def check(holds, what, text=""):
    if not holds:
        failures.append(what)
        print(f"FAILED: {what}\n{text}")


def child_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as children:
        return int(children.read().split()[0])


def wait_until(holds, what):
    end = time.monotonic() + 60
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.02)


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] in "ZX"
    except OSError:
        return True


class Shell:
    """An interactive shell with the live view in its foreground."""

    def __init__(self, name):
        self.name, self.commands = name, 0
        self.folder = os.path.join(tmp.name, name.replace(" ", "-"))
        os.mkdir(self.folder)
        env = {"LC_ALL": "C.UTF-8", "PS1": "$ "}
        self.screen = Screen(80, 24, ["bash", "--norc", "-i"], env)
        self.run("before the view")
        self.screen.type(f"{lagprof} top {file}; echo status=$?\n")
        self.screen.wait_for("? help")
        self.guard = child_of(child_of(int(self.screen.ask("pane_pid"))))
        self.worker = child_of(self.guard)

    def modes(self, when):
        with open(os.path.join(self.folder, when)) as out:
            return out.read()

    def run(self, words):
        """Has the shell say words, and write down the terminal's modes."""
        when = words.split()[0]
        # What is waited for must not be in what the shell echoes.
        self.screen.type(f"echo {words}; stty -a >{self.folder}/{when}; echo {when}-$((40 + 2))\n")
        self.screen.wait_for(f"{when}-42")

    def same(self, when):
        self.run(when + " the view")
        text = self.screen.text()
        check(self.modes("before") == self.modes(when), f"{self.name}: modes {when}",
              self.modes("before") + self.modes(when))
        check(self.screen.ask("alternate_on") == "0", f"{self.name}: the screen {when}", text)
        check(self.screen.ask("cursor_flag") == "1", f"{self.name}: the cursor {when}", text)
        # A sanitizer has a lot to say of a SEGV.
        check(("before the view" in text or "Sanitizer" in text) and "? help" not in text,
              f"{self.name}: what was on the screen {when}", text)


def end_by(name, act, statuses):
    shell = Shell(name)
    try:
        act(shell)
        wait_until(lambda: gone(shell.guard) and gone(shell.worker), "the view is still there")
        if statuses:
            text = shell.screen.wait(lambda text: re.search(r"status=\d", text), "a status")
            status = int(re.search(r"status=(\d+)", text)[1])
            check(status in statuses, f"{name}: status {status}", text)
        shell.same("after")
    except TimeoutError as error:
        check(False, f"{name}: {error}")
    shell.screen.close()


def stop_by(name, act):
    shell = Shell(name)
    try:
        act(shell)
        shell.screen.wait_for("Stopped")
        shell.same("stopped")
        shell.screen.type("fg; echo now=$?\n")
        shell.screen.wait_for("? help")
        shell.screen.keys("Tab")
        shell.screen.wait_for("[Stalls]")
        shell.screen.keys("q")
        shell.screen.wait_for("now=0")
        shell.same("after")
    except TimeoutError as error:
        check(False, f"{name}: {error}")
    shell.screen.close()


def send(who, sig):
    return lambda shell: os.kill(getattr(shell, who), sig)


subprocess.run([build + "/tests/pages", "plain", "recording", file], check=True, timeout=60)
ENDS = [("q", lambda shell: shell.screen.keys("q"), {0}),
        ("Ctrl-C", lambda shell: shell.screen.keys("C-c"), {0}),
        # The shell may speak before the child of the guard has left the screen.
        ("kill -9 of the guard", send("guard", signal.SIGKILL), None),
        ("kill -9", send("worker", signal.SIGKILL), {137}),
        ("abort", send("worker", signal.SIGABRT), {134}),
        # A sanitizer makes a plain failure of it.
        ("SEGV", send("worker", signal.SIGSEGV), {139, 1})]
for who in ("guard", "worker"):
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        ENDS.append((f"{sig.name} to the {who}", send(who, sig), {0}))
STOPS = [("Ctrl-Z", lambda shell: shell.screen.keys("C-z")),
         ("TSTP to the guard", send("guard", signal.SIGTSTP)),
         ("TSTP to the worker", send("worker", signal.SIGTSTP)),
         ("STOP to the worker", send("worker", signal.SIGSTOP))]
with ThreadPoolExecutor(3) as pool:
    jobs = [pool.submit(end_by, *end) for end in ENDS]
    jobs += [pool.submit(stop_by, *stop) for stop in STOPS]
    for job in jobs:
        job.result()
sys.exit(1 if failures else 0)
