"""agent.py: see agent.sh."""
import gzip
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

LAGPROF, SOURCE, TMP = os.environ["LAGPROF"], os.environ["SOURCE"], os.environ["TMP"]
SHOP, TWIN = f"shop-{os.getpid()}.js", f"twin-{os.getpid()}.js"
BOUNDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, float("inf")]
SERVER = r"""
const crypto = require('crypto'), http = require('http');
const cell = new Int32Array(new SharedArrayBuffer(4));
const nap = (ms) => Atomics.wait(cell, 0, 0, ms);
const routes = {
	nap: (done) => { nap(150); done(); },
	hash: (done) => { crypto.pbkdf2Sync('a', 'b', 150000, 64, 'sha512'); done(); },
	stuck: (done) => { nap(5000); done(); },
	/* The same work, elsewhere. */
	later: (done) => setTimeout(done, 150),
	pool: (done) => crypto.pbkdf2('a', 'b', 150000, 64, 'sha512', done),
	health: (done) => done(),
};
http.createServer((q, s) => (routes[q.url.slice(1)] || routes.health)(() => s.end('x\n')))
	.listen(+process.argv[2], '127.0.0.1', () => console.log('ready'));
"""
failures, children = [], []


def check(holds, what, text=""):
    if not holds:
        failures.append(what)
        print(f"FAILED: {what} {text}")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def path(name, text=None):
    name = os.path.join(TMP, name)
    if text is not None:
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)
    return name


def start(name, *argv):
    with open(path(name + ".err"), "w", encoding="utf-8") as err:
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err)
    children.append(child)
    return child


def serve(script, port):
    child = start(script, "node", path(script, SERVER), str(port))
    child.stdout.readline()
    return child


def end(child, sig=signal.SIGTERM):
    child.send_signal(sig)
    return child.wait(timeout=20)


def wait_for(seconds, what, condition):
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        got = condition()
        if got:
            return got
        time.sleep(0.1)
    check(False, f"{what}: not within {seconds} s")
    return None


def get(port, where):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{where}", timeout=15) as answer:
        return answer.read()


def metrics(port):
    """{'name{labels}': value} as the agent serves it."""
    lines = get(port, "/metrics").decode().splitlines()
    return {k: float(v) for k, v in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


def state(port, app, which="observed"):
    return metrics(port).get(f'lagprof_processes{{app="{app}",state="{which}"}}', 0)


def start_agent(name, *options):
    port = free_port()
    agent = start(name, LAGPROF, "agent", "--listen", f"127.0.0.1:{port}", "--startup", "1ms", *options)
    wait_for(20, f"{name} listens", lambda: "agent at" in open(path(name + ".err")).read())
    return agent, port


def observers(agent):
    with open(f"/proc/{agent.pid}/task/{agent.pid}/children", encoding="ascii") as file:
        return [int(pid) for pid in file.read().split()]


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
            return file.read().rsplit(") ", 1)[1][0] not in "ZX"
    except OSError:
        return False


def block_of(name):
    """A file as docs/agent.md shows it."""
    with open(f"{SOURCE}/docs/agent.md", encoding="utf-8") as file:
        return re.search(rf"^# {re.escape(name)}\n.*?(?=^```)", file.read(), re.M | re.S).group(0)


def start_prometheus(agent_port):
    path("lagprof.rules.yml", block_of("lagprof.rules.yml").replace("for: 5m", "for: 1s"))
    config = block_of("prometheus.yml").replace("127.0.0.1:9095", f"127.0.0.1:{agent_port}")
    path("prometheus.yml", config.replace("scrape_interval: 15s",
                                          "scrape_interval: 1s\n  evaluation_interval: 1s"))
    check(subprocess.run(["promtool", "check", "config", path("prometheus.yml")], check=False,
                         stdout=subprocess.DEVNULL).returncode == 0, "promtool check config")
    port = free_port()
    start("prometheus", "prometheus", f"--config.file={path('prometheus.yml')}",
          f"--storage.tsdb.path={path('tsdb')}", f"--web.listen-address=127.0.0.1:{port}")

    def up():
        try:
            return query(port, "up == 1")
        except OSError:
            return None
    wait_for(30, "Prometheus scrapes", up)
    return port


def query(port, text):
    """[(labels, value)] as Prometheus answers."""
    answer = json.loads(get(port, "/api/v1/query?" + urllib.parse.urlencode({"query": text})))
    return [(row["metric"], float(row["value"][1])) for row in answer["data"]["result"]]


def by_cause(port, app):
    return {m["cause"]: int(v) for m, v in
            query(port, f'sum by (cause) (lagprof_loop_stalls_total{{app="{app}"}}) > 0')}


def alerts(port):
    answer = json.loads(get(port, "/api/v1/alerts"))
    return {a["labels"]["alertname"]: a["labels"] for a in answer["data"]["alerts"]
            if a["state"] == "firing"}


def settle(port, agent_port, app):
    """Waits until Prometheus has what the agent has, and that no longer changes."""
    name = f'lagprof_loop_lag_seconds_count{{app="{app}"}}'

    def same():
        before = metrics(agent_port)[name]
        time.sleep(2.2)
        return metrics(agent_port)[name] == before and query(port, name)[0][1] == before
    wait_for(60, f"{app}: quiet", same)


def bucket(seconds):
    return next(i for i, bound in enumerate(BOUNDS) if seconds <= bound)


def cumulated(agent_port, app):
    """{bound: turns of at most that many seconds}, and how many there are."""
    m = metrics(agent_port)
    return ({bound: m[f'lagprof_loop_lag_seconds_bucket{{app="{app}",le="{bound:g}"}}']
             for bound in BOUNDS if bound != float("inf")},
            m[f'lagprof_loop_lag_seconds_count{{app="{app}"}}'])


def longer_turns(agent_port, app):
    counts, turns = cumulated(agent_port, app)
    return {bound: turns - n for bound, n in counts.items() if bound >= 0.02}


def quantile_bound(agent_port, app, quantile):
    counts, turns = cumulated(agent_port, app)
    return next(bound for bound, n in counts.items() if n >= quantile * turns)


def attach(pid):
    lagprof = start("attach", LAGPROF, "attach", "--no-html", "-o", path("attach.lagprof"), "--json",
                    path("attach.json"), str(pid))
    wait_for(20, "attach", lambda: "attached" in open(path("attach.err")).read())
    return lagprof


def check_numbers(prometheus, agent_port, shop_port, twin_port, shop):
    """What Prometheus says about planted stalls, beside lagprof attach."""
    lagprof = attach(shop.pid)
    before = longer_turns(agent_port, SHOP)
    for _ in range(6):
        for route in "nap", "hash", "health":
            get(shop_port, "/" + route)
        for route in "later", "pool", "health":
            get(twin_port, "/" + route)
    settle(prometheus, agent_port, SHOP)
    end(lagprof, signal.SIGINT)
    report = json.load(open(path("attach.json"), encoding="utf-8"))
    counts = by_cause(prometheus, SHOP)
    truth = [s["cause"] for s in report["stalls"]]
    print("counted", counts, "attach", {c: truth.count(c) for c in truth})
    # On a full machine one may have waited for a CPU most of its time; both watched the same.
    check(5 <= counts.get("sleep", 0) <= 6, "stalls that slept", counts)
    check(sum(counts.values()) >= 12, "stalls", counts)
    check(abs(sum(counts.values()) - len(truth)) <= 1, "stalls by cause", (counts, truth))
    for cause in set(counts) | set(truth):
        check(abs(counts.get(cause, 0) - truth.count(cause)) <= 2, cause, (counts, truth))
    seconds = query(prometheus, f'lagprof_loop_stall_seconds_total{{app="{SHOP}",cause="sleep"}}')[0][1]
    slept = sum(s["duration_ns"] for s in report["stalls"] if s["cause"] == "sleep") / 1e9
    check(abs(seconds - slept) < 0.05 * slept, "time that was slept", (seconds, slept))
    # Of short turns there are more, or fewer, with each look at a machine that is busy.
    longer = longer_turns(agent_port, SHOP)
    for bound in longer:
        here = sum(s["duration_ns"] > bound * 1e9 for s in report["stalls"])
        check(abs(longer[bound] - before[bound] - here) <= 1, f"turns longer than {bound} s",
              (before[bound], longer[bound], here))
    for quantile in 0.5, 0.9, 0.99:
        text = f'histogram_quantile({quantile}, lagprof_loop_lag_seconds_bucket{{app="{SHOP}"}})'
        there, here = query(prometheus, text)[0][1], quantile_bound(agent_port, SHOP, quantile)
        check(bucket(there) == bucket(here), f"p{quantile}", (there, here))
    blamed = {c: n for c, n in by_cause(prometheus, TWIN).items() if c not in ("cpu_starvation", "gc")}
    check(not blamed, "the healthy twin is in peace", blamed)


def check_restart(prometheus, agent_port, shop, shop_port):
    """The series of a service that restarts goes on."""
    end(shop)
    wait_for(20, "its end is seen", lambda: state(agent_port, SHOP) == 0)
    wanted = f'lagprof_wanted_processes{{pattern="{SHOP}"}}'
    check(metrics(agent_port)[wanted] == 0, "nothing is wanted in vain")
    wait_for(20, "alert", lambda: alerts(prometheus).get("EventLoopNotObserved", {}).get("pattern") == SHOP)
    before = by_cause(prometheus, SHOP)
    shop = serve(SHOP, shop_port)
    wait_for(30, "it is found again", lambda: state(agent_port, SHOP) == 1)
    for _ in range(3):
        get(shop_port, "/nap")
    settle(prometheus, agent_port, SHOP)
    after = by_cause(prometheus, SHOP)
    check(before["sleep"] + 2 <= after["sleep"] <= before["sleep"] + 3 and
          sum(after.values()) >= sum(before.values()) + 3, "the count goes on", (before, after))
    check(f"process {shop.pid} {SHOP}: observed" in get(agent_port, "/").decode(), "the list")
    return shop


def check_stuck(prometheus, shop_port):
    """A loop that does not come back is seen before it does."""
    with socket.create_connection(("127.0.0.1", shop_port)) as client:
        client.sendall(b"GET /stuck HTTP/1.0\r\n\r\n")
        wait_for(15, "an open stall", lambda: query(
            prometheus, f'lagprof_loop_open_stall_seconds{{app="{SHOP}"}} > 2 and '
            f'lagprof_loop_utilization_ratio{{app="{SHOP}"}} > 0.1'))
        client.recv(100)
    wait_for(15, "its end", lambda: query(prometheus, f'lagprof_loop_open_stall_seconds{{app="{SHOP}"}} == 0'))


def fields(data):
    """As much of protobuf as is in a profile: (number, bytes or int)."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
    while at < len(data):
        tag = varint()
        if tag & 7 == 2:
            length = varint()
            yield tag >> 3, data[at:at + length]
            at += length
        else:
            yield tag >> 3, varint()


def stalls_in_profile(data):
    """({cause: stalls}, names of functions)."""
    profile = list(fields(gzip.decompress(data)))
    texts = [value.decode() for number, value in profile if number == 6]
    counts = {}
    for number, sample in profile:
        if number != 2:
            continue
        parts = list(fields(sample))
        packed = next(value for n, value in parts if n == 2)
        stalls = [value for _, value in fields(b"".join(b"\x08" + v for v in split_varints(packed)))][0]
        labels = [dict(fields(value)) for n, value in parts if n == 3]
        cause = next(texts[label[2]] for label in labels if texts[label[1]] == "cause")
        counts[cause] = counts.get(cause, 0) + stalls
    return {cause: n for cause, n in counts.items() if n}, texts


def split_varints(data):
    return re.findall(rb"[\x80-\xff]*[\x00-\x7f]", data, re.S)


def status_of(port, where, method="GET", body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    connection.request(method, where, body)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, text, answer


def get_profile(port, parameters):
    """On a machine that is full it may have to be asked for again."""
    def ask():
        status, data, answer = status_of(port, "/debug/pprof/stalls" + parameters)
        check(status == 200 or (status == 503 and answer.headers["Retry-After"]), "profile", (status, data))
        return status == 200 and stalls_in_profile(data)
    return wait_for(60, "a profile", ask)


def check_profile(prometheus, agent_port):
    """The stacks of both lives of the service."""
    counts, texts = get_profile(agent_port, f"?seconds=600&app={SHOP}")
    counted = by_cause(prometheus, SHOP)
    print("profile", counts, "counted", counted)
    for cause in set(counts) | set(counted):
        check(abs(counts.get(cause, 0) - counted.get(cause, 0)) <= 2, f"profile: {cause}", (counts, counted))
    check(counts.get("sleep") == counted.get("sleep"), "profile: sleep", (counts, counted))
    check("pbkdf2Sync" in " ".join(texts) and any(t.endswith("/" + SHOP) for t in texts), "profile: names")
    twin, _ = get_profile(agent_port, f"?app={TWIN}")
    check("sleep" not in twin and "sync_crypto" not in twin, "profile of the twin", twin)
    check(get_profile(agent_port, "?seconds=600")[0].get("sleep") == counts["sleep"], "profile of all")


def check_requests(port):
    for where, status in (("/debug/pprof/stalls?seconds=0", 400), ("/debug/pprof/stalls?seconds=1e9", 400),
                          ("/debug/pprof/stalls?seconds=", 400), ("/debug/pprof/stalls?seconds=5&seconds=6", 400),
                          ("/debug/pprof/stalls?hz=1", 400), ("/debug/pprof/stalls?app=nobody", 404),
                          ("/metrics?x=1", 400), ("/metrics/", 404), ("/%2e%2e/etc/passwd", 404),
                          ("/healthz", 200), ("/", 200)):
        got, text, _ = status_of(port, where)
        check(got == status and text.count(b"\n") >= 1 and (status == 200 or len(text) < 100), where, (got, text))
    for method in "POST", "PUT", "DELETE", "OPTIONS", "BREW":
        got, _, answer = status_of(port, "/metrics", method, b"x" * 100000 if method == "POST" else None)
        check(got == 405 and answer.headers["Allow"] == "GET, HEAD", method, got)
    got, text, answer = status_of(port, "/metrics", "HEAD")
    check(got == 200 and not text and int(answer.headers["Content-Length"]) > 1000, "HEAD")
    check(answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8", "the type of the metrics")
    for raw in b"\r\n\r\n", b"\x16\x03\x01\x00\xff" * 50 + b"\r\n\r\n", b"GET /" + b"a" * 100000, \
            b"GET / HTTP/1.1\r\nA: " + b"b" * 100000 + b"\r\n\r\n":
        with socket.create_connection(("127.0.0.1", port), timeout=15) as client:
            try:
                client.sendall(raw)
                client.shutdown(socket.SHUT_WR)
                answer = client.recv(65536)
            except OSError:
                answer = b""
            check(not answer or re.match(rb"HTTP/1\.[01] 4\d\d ", answer), "garbage", answer[:50])
    # Who says nothing does not keep others out for long.
    idle = [socket.create_connection(("127.0.0.1", port), timeout=15) for _ in range(40)]
    wait_for(40, "an answer beside idle clients", lambda: answers(port))
    for client in idle:
        client.close()
    check(answers(port), "an answer after idle clients")


def answers(port):
    try:
        return get(port, "/healthz").startswith(b"the agent works")
    except (OSError, http.client.HTTPException):
        return False


def check_text(port, shop_port):
    get(shop_port, "/nap")
    recent = f'nodejs_eventloop_lag_p99_seconds{{app="{SHOP}"}}'
    wait_for(10, "compat: p99", lambda: metrics(port).get(recent, 0) > 0)
    text = get(port, "/metrics")
    tool = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    check(tool.returncode == 0 and not tool.stdout + tool.stderr, "promtool check metrics", tool)
    values = metrics(port)
    check(0 < values["lagprof_agent_cpu_seconds_total"], "own CPU")
    check(1 << 20 < values["lagprof_agent_resident_memory_bytes"] < 1 << 30, "own memory")


def check_unobserved(shop):
    """Who may not be observed is never taken for healthy."""
    sock = path("agent.sock")
    os.chmod(TMP, 0o711)
    agent = start("nobody", "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", LAGPROF, "agent",
                  "--listen", "127.0.0.1:0", str(shop.pid))
    url = wait_for(20, "nobody's agent", lambda: re.search(r"http://127.0.0.1:(\d+)", open(path("nobody.err")).read()))
    port = int(url.group(1))
    wait_for(20, "the refusal", lambda: state(port, SHOP, "failed") == 1)
    values = metrics(port)
    check(f'lagprof_loop_utilization_ratio{{app="{SHOP}"}}' not in values, "what is not known has no value")
    check("is not observed" in open(path("nobody.err")).read(), "the log says why")
    check("rights of user" in get(port, "/").decode(), "the list says why")
    check(end(agent) == 0, "nobody's agent: status")
    agent = start("unix", LAGPROF, "agent", "-q", "--listen", f"unix:{sock}", str(shop.pid))
    wait_for(20, "the socket", lambda: os.path.exists(sock))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(sock)
        client.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        check(b"200 OK" in client.recv(4096), "the socket answers")
    check(end(agent, signal.SIGINT) == 0, "Ctrl-C: status")
    check(not os.path.exists(sock), "the socket is removed")


def check_killed(agent, port, shop_port):
    """kill -9 of an observer costs one target a moment, of the agent nothing is left."""
    first = observers(agent)
    check(len(first) == 2, "an observer each", first)
    os.kill(first[0], signal.SIGKILL)
    wait_for(10, "it is missed", lambda: state(port, SHOP, "failed") + state(port, TWIN, "failed") == 1)
    wait_for(30, "it is replaced", lambda: state(port, SHOP) == 1 and state(port, TWIN) == 1)
    pids = observers(agent)
    check(len(pids) == 2 and pids != first, "another observer", (first, pids))
    end(agent, signal.SIGKILL)
    wait_for(10, "observers end", lambda: not any(alive(pid) for pid in pids))
    check(get(shop_port, "/health") == b"x\n", "the target lives on")


def check_unit():
    if not shutil.which("systemd-analyze"):
        return
    unit = path("lagprof-agent.service", block_of("/etc/systemd/system/lagprof-agent.service")
                .replace("/usr/bin/lagprof", LAGPROF))
    tool = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    complaints = [line for line in tool.stderr.splitlines() if "lagprof-agent" in line]
    check(not complaints, "systemd-analyze verify", complaints)


def run():
    shop_port, twin_port = free_port(), free_port()
    shop, twin = serve(SHOP, shop_port), serve(TWIN, twin_port)
    agent, port = start_agent("agent", "--name", SHOP, "--name", f"twin-{os.getpid()}*", "--compat", "prom-client")
    wait_for(30, "both are observed", lambda: state(port, SHOP) == 1 and state(port, TWIN) == 1)
    prometheus = start_prometheus(port)
    check_numbers(prometheus, port, shop_port, twin_port, shop)
    shop = check_restart(prometheus, port, shop, shop_port)
    check_stuck(prometheus, shop_port)
    settle(prometheus, port, SHOP)
    check_profile(prometheus, port)
    check_text(port, shop_port)
    check_requests(port)
    check_unobserved(shop)
    check_killed(agent, port, shop_port)
    check_unit()
    second, port = start_agent("second", str(twin.pid))
    wait_for(20, "by its id", lambda: state(port, TWIN) == 1)
    end(twin)
    check(second.wait(timeout=20) == 0, "nothing is left to watch: status")


try:
    run()
finally:
    for child in children:
        if child.poll() is None:
            child.kill()
    if failures:
        for name in sorted(os.listdir(TMP)):
            if name.endswith(".err"):
                print(name, open(path(name), encoding="utf-8", errors="replace").read()[-1500:])
sys.exit(bool(failures))
