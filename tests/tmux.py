"""A program on a terminal of a given size: tmux plays the terminal and says what it shows."""
import os, subprocess, tempfile, time


class Screen:
    count = 0

    def __init__(self, columns, rows, argv, env=None):
        Screen.count += 1
        # A name used again after kill-server races with the server that goes.
        self.socket = f"lagprof-test-{os.getpid()}-{Screen.count}"
        command = ["new-session", "-d", "-x", str(columns), "-y", str(rows)]
        # Where the terminal goes away, the leak checker of a sanitized build writes to it for ever.
        env = {"ASAN_OPTIONS": "detect_leaks=0", **(env or {})}
        for name, value in env.items():
            command += ["-e", f"{name}={value}"]
        self.folder = tempfile.TemporaryDirectory()
        self.status = os.path.join(self.folder.name, "status")
        self.tmux(*command, "--", "sh", "-c", '"$@"; echo $? >"$0"; exec sleep 1000', self.status,
                  *argv)
        for option in ("status off", "window-size manual"):
            self.tmux("set-option", "-g", *option.split())

    def tmux(self, *arguments):
        done = subprocess.run(["tmux", "-u", "-L", self.socket, "-f", "/dev/null", *arguments],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        return done.stdout.decode("utf-8", "surrogateescape")

    def text(self, *options):
        return self.tmux("capture-pane", "-p", *options)

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def resize(self, columns, rows):
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def ask(self, what):
        return self.tmux("display-message", "-p", "#{" + what + "}").rstrip("\n")

    def wait(self, holds, what="the screen", seconds=60):
        """Until holds(text); the text."""
        end = time.monotonic() + seconds
        while True:
            text = self.text()
            if holds(text):
                return text
            if time.monotonic() > end or os.path.exists(self.status):
                raise TimeoutError(f"not in {seconds} s: {what}; the screen:\n{text}")
            time.sleep(0.03)

    def wait_for(self, words, seconds=60):
        return self.wait(lambda text: words in text, repr(words), seconds)

    def ended(self, seconds=60):
        """The program's status as a shell has it, once it has ended; its screen remains."""
        end = time.monotonic() + seconds
        while not os.path.exists(self.status) or not os.path.getsize(self.status):
            if time.monotonic() > end:
                raise TimeoutError(f"still runs after {seconds} s; the screen:\n{self.text()}")
            time.sleep(0.03)
        with open(self.status) as file:
            return int(file.read())

    def close(self):
        self.tmux("kill-server")
