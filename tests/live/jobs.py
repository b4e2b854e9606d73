"""A terminal as standard input, and job control: Ctrl-Z stops what `run` wraps, fg goes on."""
import os, pty, re, select, sys, time

lagprof, folder = sys.argv[1:]
run = f"{lagprof} run -q --no-html -o {folder}"


def shell(steps, limit=60):
    """Types each answer once its words were seen; returns all that was written."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(PS1="$ ", TERM="dumb")
        os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
    text, end = "", time.time() + limit
    for words, answer in steps:
        while not re.search(words, text) and time.time() < end:
            if select.select([terminal], [], [], 0.2)[0]:
                try:
                    text += os.read(terminal, 65536).decode(errors="replace")
                except OSError:
                    return text
        if not re.search(words, text):
            sys.exit(f"no {words!r} in {text!r}")
        text = ""
        os.write(terminal, answer.encode())
    os.close(terminal)
    os.waitpid(pid, 0)
    return text


shell([(r"\$ ", f"{run}/a.lagprof -- sh -c 'test -t 0 && test -t 1 && read x && echo \"got:\"$x'; echo end:$?\n"),
       (r"", "hello\n"), (r"got:hello[\s\S]*end:0", "exit\n")])
shell([(r"\$ ", f"{run}/b.lagprof -- sh -c 'echo begin:; sleep 2; echo fin\"ished\"'; echo end:$?\n"),
       (r"\nbegin:", "\x1a"), (r"Stopped", "fg\n"), (r"finished", "echo stat\"us\":$?\n"), (r"status:", "exit\n")])
