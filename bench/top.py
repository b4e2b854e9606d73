#!/usr/bin/env python3
"""
The live view: how long after `attach` would be ready its first frame is there, how soon a wedged
loop is named and a key is answered, and what the view costs beside `attach` with 10,000 stalls
recorded and one more each second.  Medians; both commands look at the same process.
"""
import fcntl, os, pty, signal, statistics, struct, subprocess, sys, tempfile, termios, time

lagprof = os.environ["LAGPROF"]
tmp = tempfile.TemporaryDirectory()
ROUNDS, KEYS, STALLS, WATCH = 9, 60, 10000, 20
TARGET = f"""
import select, time
poll, n = select.epoll(), 0
print("ready", flush=True)
while True:
    poll.poll(0.001 if n < {STALLS} else 1)
    n += 1
    end = time.perf_counter() + 0.0006
    while time.perf_counter() < end:
        pass
"""
OPTIONS = ["--threshold", "300us", "--no-html"]


def recording(count=[0]):
    count[0] += 1
    return os.path.join(tmp.name, f"{count[0]}.lagprof")


class View:
    """lagprof top on a terminal of 80 x 24; nobody draws what it writes."""

    def __init__(self, pid):
        argv = [lagprof, "top", *OPTIONS, "-o", recording(), str(pid)]
        self.begin = time.monotonic()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
            os.environ.update(TERM="xterm-256color", LC_ALL="C.UTF-8")
            os.execv(argv[0], argv)

    def read_until(self, words):
        """Seconds until the words came."""
        seen, begin = b"", time.monotonic()
        while words not in seen:
            seen += os.read(self.fd, 65536)
        return time.monotonic() - begin

    def worker(self):
        with open(f"/proc/{self.pid}/task/{self.pid}/children") as children:
            return int(children.read().split()[0])

    def quit(self):
        os.write(self.fd, b"q")
        try:
            while os.read(self.fd, 65536):
                pass
        except OSError:
            pass
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def attach(pid, stderr=subprocess.PIPE):
    argv = [lagprof, "attach", *OPTIONS, "-o", recording(), str(pid)]
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=stderr)


def first_frames(pid):
    lines, frames = [], []
    for _ in range(ROUNDS):
        begin = time.monotonic()
        tool = attach(pid)
        tool.stderr.readline()
        lines.append(time.monotonic() - begin)
        tool.send_signal(signal.SIGINT)
        tool.communicate()
        view = View(pid)
        view.read_until(b"help")
        frames.append(time.monotonic() - view.begin)
        view.quit()
    line, frame = statistics.median(lines), statistics.median(frames)
    print(f"first frame: {frame * 1e3:.0f} ms from the start of top, {line * 1e3:.0f} ms until attach "
          f"is live: {(frame - line) * 1e3:+.0f} ms, {frame / line:.2f}x")


def key_latency(view):
    times = []
    for i in range(KEYS):
        time.sleep(0.05)
        # Bytes that only the new view has: ncurses sends what changed.
        os.write(view.fd, b"?" if i % 2 == 0 else b"\033")
        times.append(view.read_until(b"this help" if i % 2 == 0 else b"BLOCKED"))
    times.sort()
    print(f"a key: median {statistics.median(times) * 1e3:.0f} ms, "
          f"19 of 20 within {times[len(times) * 19 // 20] * 1e3:.0f} ms")


def cpu(pid):
    with open(f"/proc/{pid}/schedstat") as stat:
        return int(stat.read().split()[0]) / 1e9


def drain(fd, seconds):
    end = time.monotonic() + seconds
    os.set_blocking(fd, False)
    while time.monotonic() < end:
        try:
            os.read(fd, 65536)
        except BlockingIOError:
            time.sleep(0.05)
    os.set_blocking(fd, True)


def cost():
    target = subprocess.Popen([sys.executable, "-c", TARGET], stdout=subprocess.PIPE)
    target.stdout.readline()
    view, tool = View(target.pid), attach(target.pid, subprocess.DEVNULL)
    drain(view.fd, STALLS * 0.0022)
    before = cpu(view.worker()), cpu(tool.pid)
    drain(view.fd, WATCH)
    used = cpu(view.worker()) - before[0], cpu(tool.pid) - before[1]
    print(f"with {STALLS} stalls: top {used[0] / WATCH * 100:.2f} % of a CPU, attach "
          f"{used[1] / WATCH * 100:.2f} %: the view costs {(used[0] - used[1]) / WATCH * 100:+.2f} %")
    key_latency(view)
    view.quit()
    tool.send_signal(signal.SIGINT)
    tool.communicate()
    target.kill()
    target.wait()


def wedged():
    """From the beginning of an endless loop until its line is on the screen."""
    script = os.path.join(tmp.name, "wedged.js")
    with open(script, "w") as file:
        file.write("""
console.log('ready');
setInterval(() => {}, 10);
setTimeout(function spin() {
	console.log(Date.now());
	for (let x = 0; ; x = Math.sqrt(x + 1));
}, 2000);
""")
    times = []
    for _ in range(ROUNDS // 2):
        target = subprocess.Popen(["node", script], stdout=subprocess.PIPE)
        target.stdout.readline()
        view = View(target.pid)
        view.read_until(b"wedged.js:6")
        shown = time.time()
        times.append(shown - int(target.stdout.readline()) / 1e3)
        view.quit()
        target.kill()
        target.wait()
    print(f"a wedged loop is named after {statistics.median(times) * 1e3:.0f} ms, at most "
          f"{max(times) * 1e3:.0f} ms")


idle = subprocess.Popen([sys.executable, "-c", "import select; print('ready', flush=True)\n"
                         "while True: select.epoll().poll(0.01)"], stdout=subprocess.PIPE)
idle.stdout.readline()
first_frames(idle.pid)
idle.kill()
idle.wait()
wedged()
cost()
