"""slow_dns.py MS COMMAND...: runs a command where every name takes MS to be found not to exist.

In a mount and network namespace of its own, with a name server on its loopback.  Needs root.
"""
import ctypes
import fcntl
import os
import socket
import struct
import sys
import tempfile
import time

CLONE_NEWNS, CLONE_NEWNET, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 0x40000000, 0x1000, 0x4000, 1 << 18
SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 0x1, 0x40
libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result < 0:
        sys.exit(f"slow_dns: {what}: {os.strerror(ctypes.get_errno())}")


def enter():
    check(libc.unshare(CLONE_NEWNS | CLONE_NEWNET), "unshare")
    check(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount /")
    with tempfile.NamedTemporaryFile("w") as conf:
        conf.write("nameserver 127.0.0.1\noptions timeout:5\n")
        conf.flush()
        os.chmod(conf.name, 0o644)
        check(libc.mount(conf.name.encode(), b"/etc/resolv.conf", None, MS_BIND, None), "resolv.conf")
    with socket.socket() as some:
        fcntl.ioctl(some, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP | IFF_RUNNING))


def serve(server, delay):
    while True:
        query, client = server.recvfrom(512)
        time.sleep(delay)
        # Its own question, with "response, no such name" in the flags.
        server.sendto(query[:2] + b"\x81\x83" + query[4:6] + bytes(6) + query[12:], client)


enter()
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
    port.bind(("127.0.0.1", 53))
    parent = os.getpid()
    if os.fork() == 0:
        libc.prctl(1, 15)  # PR_SET_PDEATHSIG, SIGTERM
        serve(port, int(sys.argv[1]) / 1000)
os.execvp(sys.argv[2], sys.argv[2:])
