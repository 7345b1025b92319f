#!/usr/bin/env python3
"""What the packet filter costs: published ports against a bare netlink batch and `nft -f`, connections and round trips.

Prints a Markdown table as run.py does, from which it takes the sandboxes. Nothing is left on the machine. See README.md
beside this file.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import run as speed

NETWORK = "bench"
TABLE = f"warren-{NETWORK}"
NAMESPACES = 10  # among which the published ports are dealt out, as in bare_filter.c
FIRST_HOST_PORT, FIRST_PORT = 10000, 1000
MANY = 1000
CONNECTIONS, FIRST_SOURCE = 3000, 15000  # a round; no two of a measurement come from the same port
ROUND_TRIPS = 20000
HOST, NEIGHBOUR = "192.0.2.1", "192.0.2.2"
ASKING, PROBED = "10.0.0.2", "10.0.0.3"  # ns0 and ns1, between which round trips are measured
ANY = ("", float("inf"))


# --- the networks -------------------------------------------------------------------------------------------


def write(path, text):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    return path


def port_of(i):
    return f"{FIRST_HOST_PORT + i}:{FIRST_PORT + i}"


def publishing_file(path, count):
    """One bridge that the host joins, ten namespaces, so many published ports: written out, without ranges."""
    lines = [f"name: {NETWORK}", "bridges:", "  br0: {subnet: 10.0.0.0/20, host: true}", "namespaces:"]
    for n in range(NAMESPACES):
        lines += [f"  ns{n}:", "    interfaces: {eth0: br0}"]
        ports = [port_of(i) for i in range(n, count, NAMESPACES)]
        if ports:
            lines.append("    publish:")
            lines += [f'      - "{port}"' for port in ports]
    return write(path, "\n".join(lines) + "\n")


def nft_file(path, count):
    """The same elements and the same map as bare_filter.c makes, for nft to read."""
    elements = ",\n".join(
        f"      tcp . {FIRST_HOST_PORT + i} : 10.0.0.{2 + i % NAMESPACES} . {FIRST_PORT + i}" for i in range(count)
    )
    return write(
        path,
        "table inet bare {\n  map publish4 {\n"
        "    type inet_proto . inet_service : ipv4_addr . inet_service\n"
        f"    elements = {{\n{elements}\n    }}\n  }}\n"
        "  chain dstnat {\n    type nat hook prerouting priority -100\n    fib daddr type != local return\n"
        "    meta l4proto tcp dnat ip to meta l4proto . th dport map @publish4\n  }\n}\n",
    )


def firewall_file(path, count):
    """ns1 takes what comes from so many addresses; none of them makes a prefix with another. ns0 is the one that asks."""
    asking, asked = (f"{{eth0: {{bridge: br0, address: {address}/20}}}}" for address in (ASKING, PROBED))
    text = (
        f"name: {NETWORK}\nbridges:\n  br0: {{subnet: 10.0.0.0/20}}\n"
        f"namespaces:\n  ns0: {{interfaces: {asking}}}\n  ns1:\n    interfaces: {asked}\n"
    )
    if count:
        others = [f"198.18.{i // 100}.{1 + 2 * (i % 100)}" for i in range(count - 1)]
        others.insert(len(others) // 2, ASKING)
        text += f'    firewall:\n      input: {{policy: drop, accept: ["any from {" ".join(others)}"]}}\n'
    return write(path, text)


# --- a sandbox that stays, and what it is asked to do ------------------------------------------------------------


class Sandbox:
    """A network and a mount namespace of its own, in which this program answers: one line of JSON for each."""

    def __init__(self):
        argv = [*speed.UNSHARE, sys.executable, os.path.abspath(__file__), "--agent"]
        self.agent = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.agent.stdin.close()
        self.agent.wait()
        self.agent.stdout.close()
        speed.settle()

    def do(self, what, *arguments):
        self.agent.stdin.write(json.dumps([what, *arguments]) + "\n")
        self.agent.stdin.flush()
        line = self.agent.stdout.readline()
        if not line:
            raise speed.Failed(f"{what}: the sandbox ended")
        answer = json.loads(line)
        if "failure" in answer:
            raise speed.Failed(f"{what}: {answer['failure']}")
        return answer["result"]


class Agent:
    """The side that is in the sandbox."""

    def __init__(self):
        self.children = []

    def run(self, *argv):
        speed.run(*argv)

    def timed(self, *argv):
        return speed.timed(*argv)[0]

    def largest_send(self, *argv):
        """Seconds in the system call that sends the most: the transaction. strace says so, and adds some microseconds."""
        with tempfile.NamedTemporaryFile("r", encoding="utf-8", errors="replace") as log:
            trace = ("-e", "trace=sendmsg,sendto,sendmmsg,write,writev", "-s", "0")
            speed.run("strace", "-f", "--seccomp-bpf", "-T", *trace, "-o", log.name, *argv)
            sends = re.findall(r"= (\d+) <([\d.]+)>$", log.read(), re.MULTILINE)
        return float(max(sends, key=lambda send: int(send[0]))[1])

    def neighbour(self):
        """A machine next to this one."""
        for command in (
            "netns add outside",
            "link add wan type veth peer name eth0 netns outside",
            f"address add {HOST}/24 dev wan",
            "link set wan up",
            f"-n outside address add {NEIGHBOUR}/24 dev eth0",
            "-n outside link set eth0 up",
            f"route add default via {NEIGHBOUR}",
        ):
            speed.run("ip", *command.split())

    def start(self, *argv):
        """Something that says a line when it is ready, and then goes on."""
        child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.children.append(child)
        return child.stdout.readline().strip()

    def ask(self, text):
        """Of the child that was started last: a line for a line."""
        self.children[-1].stdin.write(text + "\n")
        self.children[-1].stdin.flush()
        return self.children[-1].stdout.readline().strip()

    def number(self, *argv):
        return float(speed.run(*argv))

    def filter(self):
        """The network's table in the host: handles of rules, and elements of each set."""
        objects = json.loads(speed.run("nft", "-j", "-a", "list", "table", "inet", TABLE))["nftables"]
        rules = sorted(o["rule"]["handle"] for o in objects if "rule" in o)
        sets = [o.get("set") or o.get("map") for o in objects if "set" in o or "map" in o]
        return {"rules": rules, "elements": {s["name"]: len(s.get("elem", [])) for s in sets}}

    def end(self):
        for child in self.children:
            child.kill()
            child.wait()

    def serve(self):
        speed.mount_own_directories()
        try:
            for line in sys.stdin:
                what, *arguments = json.loads(line)
                try:
                    answer = {"result": getattr(self, what)(*arguments)}
                except subprocess.CalledProcessError as failure:
                    answer = {"failure": f"{' '.join(failure.cmd)}: exit status {failure.returncode}\n{failure.stderr}"}
                except (OSError, SystemExit, ValueError) as failure:
                    answer = {"failure": str(failure)}
                print(json.dumps(answer), flush=True)
        finally:
            self.end()


# --- what is measured --------------------------------------------------------------------------------------------


# A client that holds one connection: it says what the other side echoes.
HOLDING = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=10) as s:
    print("ready", flush=True)
    for line in sys.stdin:
        s.sendall(line.encode())
        print(s.recv(100).decode(errors="replace").strip(), flush=True)
"""


class Bench(speed.Bench):
    """The rows, and medians of samples that were taken in turns."""

    def __init__(self, options, directory):
        super().__init__(options, directory)
        # Both ends on one: waking another processor costs more, and varies more, than what is looked for.
        self.pinned = ("taskset", "-c", str(max(os.sched_getaffinity(0))))
        self.files = {
            count: publishing_file(f"{directory}/{count}.yaml", count) for count in (0, 1, MANY, MANY + 1)
        }

    def inside(self, namespace, *argv):
        return ("nsenter", f"--net=/run/netns/{namespace}", "--", *argv)

    def serve(self, sandbox, namespace, address, port):
        argv = self.inside(namespace, *self.pinned, self.options.probe, "serve", address, str(port))
        if sandbox.do("start", *argv) != "ready":
            raise speed.Failed("the server did not start")

    def probe(self, sandbox, namespace, *argv):
        """Seconds for each."""
        client = (*self.pinned, self.options.probe, *(str(a) for a in argv))
        return sandbox.do("number", *self.inside(namespace, *client)) / 1e9

    def in_turns(self, contestants, repetitions):
        """contestants: name -> function of a new sandbox that returns {what: seconds}."""
        for repetition in range(repetitions):
            names = list(contestants)
            names = names[repetition % len(names):] + names[: repetition % len(names)]
            for name in names:
                self.say(f"repetition {repetition + 1} of {repetitions}: {name}")
                with Sandbox() as sandbox:
                    for what, seconds in contestants[name](sandbox).items():
                        self.note(what, name, seconds)

    # --- adding -----

    def by_warren(self, sandbox):
        up = (self.options.warren, "up")
        sandbox.do("run", *up, self.files[0])
        seconds = {"add": sandbox.do("timed", *up, self.files[MANY])}
        seconds["again"] = sandbox.do("timed", *up, self.files[MANY])
        seconds["one more"] = sandbox.do("timed", *up, self.files[MANY + 1])
        sandbox.do("run", *up, self.files[1])
        seconds["to one"] = sandbox.do("timed", *up, self.files[MANY])
        return seconds

    def commit_by_warren(self, sandbox):
        sandbox.do("run", self.options.warren, "up", self.files[0])
        return {"commit": sandbox.do("largest_send", self.options.warren, "up", self.files[MANY])}

    def by_other(self, *argv):
        def measure(sandbox):
            seconds = {}
            sandbox.do("run", self.options.warren, "up", self.files[0])
            seconds["add"] = sandbox.do("timed", *argv)
            if shutil.which("strace"):
                sandbox.do("run", "nft", "delete", "table", "inet", "bare")
                seconds["commit"] = sandbox.do("largest_send", *argv)
            return seconds

        return measure

    def adding(self, repetitions):
        contestants = {
            "warren": self.by_warren,
            "bare": self.by_other(self.options.bare, str(MANY), str(NAMESPACES)),
            "nft": self.by_other("nft", "-f", nft_file(f"{self.directory}/{MANY}.nft", MANY)),
        }
        if shutil.which("strace"):
            contestants["warren, traced"] = self.commit_by_warren
        self.in_turns(contestants, repetitions)
        warren, bare, nft = (self.median("add", who) for who in ("warren", "bare", "nft"))
        self.row(f"{MANY} ports published, bare batch", warren, bare, "at most 2", 2)
        self.row(f"{MANY} ports published, `nft -f`", warren, nft, "at most 1/5 = 0.20", 0.2)
        self.row("(the bare batch, `nft -f`)", bare, nft, *ANY)
        commit = self.median("commit", "warren, traced")
        self.row("the transaction of it alone, bare batch's", commit, self.median("commit", "bare"), "at most 2", 2)
        self.row("the transaction of it alone, the whole of `nft -f`", commit, nft, *ANY)
        self.row(f"from 1 port to {MANY}, bare batch", self.median("to one", "warren"), bare, *ANY)
        self.row(f"one more port than {MANY}, all of them", self.median("one more", "warren"), warren, *ANY)
        self.row("nothing to do, all of them", self.median("again", "warren"), warren, *ANY)

    # --- one more -----

    def one_more(self):
        """What one port more changes in the kernel, and whether a connection through another port lives on."""
        with Sandbox() as sandbox:
            sandbox.do("neighbour")
            sandbox.do("run", self.options.warren, "up", self.files[MANY])
            self.serve(sandbox, f"{NETWORK}.ns0", "10.0.0.2", FIRST_PORT)
            holding = (sys.executable, "-c", HOLDING, HOST, str(FIRST_HOST_PORT))
            open_ = sandbox.do("start", *self.inside("outside", *holding)) == "ready"
            before = sandbox.do("filter")
            sandbox.do("run", self.options.warren, "up", self.files[MANY + 1])
            after = sandbox.do("filter")
            lives = open_ and sandbox.do("ask", "still there") == "still there"
        names = set(before["elements"]) | set(after["elements"])
        added = sum(abs(after["elements"].get(n, 0) - before["elements"].get(n, 0)) for n in names)
        rewritten = len(set(before["rules"]) ^ set(after["rules"]))
        self.said(f"one port more than {MANY}: elements", str(added), "1", added == 1)
        self.said("rules rewritten", str(rewritten), "0", rewritten == 0)
        self.said("an established connection", "stays" if lives else "is cut", "stays", lives)

    def said(self, what, found, wanted, reached):
        self.rows.append((what, found, "", "", wanted, "yes" if reached else "**no**"))

    # --- traffic -----

    def connections(self, rounds):
        """Both sandboxes are there at the same time, and are asked in turns."""
        with contextlib.ExitStack() as stack:
            sandboxes = {}
            for count in (1, MANY):
                sandbox = sandboxes[count] = stack.enter_context(Sandbox())
                sandbox.do("neighbour")
                sandbox.do("run", self.options.warren, "up", self.files[count])
                self.serve(sandbox, f"{NETWORK}.ns0", "10.0.0.2", FIRST_PORT)
            for i in range(rounds):
                for count in (1, MANY) if i % 2 == 0 else (MANY, 1):
                    argv = ("connect", HOST, FIRST_HOST_PORT, CONNECTIONS, FIRST_SOURCE + i * CONNECTIONS)
                    self.note("connection", count, self.probe(sandboxes[count], "outside", *argv))
        many, one = self.median("connection", MANY), self.median("connection", 1)
        texts = (microseconds(many), microseconds(one))
        self.row(f"a new connection through {MANY} published ports, 1", many, one, "at most 1.1", 1.1, None, *texts)

    def firewall(self, rounds):
        counts = (0, 1, MANY)
        with contextlib.ExitStack() as stack:
            sandboxes = {}
            for count in counts:
                sandbox = sandboxes[count] = stack.enter_context(Sandbox())
                file = firewall_file(f"{self.directory}/firewall-{count}.yaml", count)
                sandbox.do("run", self.options.warren, "up", file)
                self.serve(sandbox, f"{NETWORK}.ns1", PROBED, 7)
            for i in range(rounds):
                for count in counts[i % 3:] + counts[: i % 3]:
                    for kind in ("udp", "tcp"):
                        trip = self.probe(sandboxes[count], f"{NETWORK}.ns0", kind, PROBED, 7, ROUND_TRIPS)
                        self.note(kind, count, trip)
                    argv = ("connect", PROBED, 7, CONNECTIONS, FIRST_SOURCE + i * CONNECTIONS)
                    self.note("past", count, self.probe(sandboxes[count], f"{NETWORK}.ns0", *argv))
        many, one = self.median("past", MANY), self.median("past", 1)
        what = f"a new connection, {MANY} addresses in a phrase, 1"
        self.row(what, many, one, *ANY, None, microseconds(many), microseconds(one))
        for kind in ("udp", "tcp"):
            none, one, many = (self.median(kind, count) for count in counts)
            texts = (microseconds(many), microseconds(one))
            what = f"{kind} round trip, {MANY} addresses in a phrase, 1"
            self.row(what, many, one, "at most 1.1", 1.1, None, *texts)
            self.row(f"({kind} round trip, 1 address, no firewall)", one, none, *ANY, None, texts[1], microseconds(none))

    # --- what it costs those who do not use it -----

    def unused(self, repetitions):
        """`up` of run.py's network with this program and with one from before."""
        file = speed.network_file(f"{self.directory}/unused.yaml", 100)

        def measure(program):
            def up_and_down(sandbox):
                return {f"{verb} 100": sandbox.do("timed", program, verb, file) for verb in ("up", "down")}

            return up_and_down

        self.in_turns({"now": measure(self.options.warren), "before": measure(self.options.before)}, repetitions)
        for verb in ("up", "down"):
            what = f"{verb}, N = 100, by the program from before"
            self.row(what, self.median(f"{verb} 100", "now"), self.median(f"{verb} 100", "before"), *ANY)


def microseconds(seconds):
    return f"{seconds * 1e6:.2f} µs"


# --- the program --------------------------------------------------------------------------------------------------


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--warren", help="the program")
    parser.add_argument("--bare", help="the bare batch, built from bare_filter.c")
    parser.add_argument("--probe", help="server and client, built from probe.c")
    parser.add_argument("--before", help="a program without a filter, or with another: what it costs who does not use it")
    parser.add_argument("--only", metavar="SECTION", help="adding, one-more, connections, firewall or unused")
    parser.add_argument("--repetitions", type=int, default=9, metavar="N", help="of what is added, and rounds of traffic")
    parser.add_argument("--json", metavar="FILE", help="write every sample there")
    parser.add_argument("--verbose", action="store_true", help="say what is being run")
    parser.add_argument("--agent", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.agent:
        return options
    if options.repetitions < 1 or FIRST_SOURCE + options.repetitions * CONNECTIONS > 65536:
        parser.error("--repetitions: from 1 to 16")
    for name in ("warren", "bare", "probe", "before"):
        path = getattr(options, name)
        if path is None and name != "before":
            parser.error(f"--{name} is needed")
        if path is not None and shutil.which(path) is None:
            parser.error(f"--{name}: no program '{path}'")
        setattr(options, name, path and os.path.abspath(path))
    if shutil.which("nft") is None:
        parser.error("nft is needed (Debian's package nftables)")
    return options


def measure(options, directory):
    bench = Bench(options, directory)
    n = options.repetitions
    sections = {
        "adding": lambda: bench.adding(n),
        "one-more": bench.one_more,
        "connections": lambda: bench.connections(n),
        "firewall": lambda: bench.firewall(n),
    }
    if options.before:
        sections["unused"] = lambda: bench.unused(n)
    if options.only:
        sections = {options.only: sections[options.only]}
    failed = False
    for section in sections.values():
        try:
            section()
        except speed.Failed as failure:
            failed = True
            print(f"filter.py: a measurement failed: {failure}", file=sys.stderr)
    speed.print_table(bench)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump({f"{what} {who}": values for (what, who), values in bench.samples.items()}, f, indent=1)
    return 1 if failed else 0


def main():
    options = parse_arguments()
    if options.agent:
        Agent().serve()
        return 0
    if os.geteuid() != 0:
        raise SystemExit("filter.py: needs root: namespaces and mounts are made (sudo bench/filter.py …)")
    if os.environ.get(speed.IN_SANDBOX) is None:
        os.environ[speed.IN_SANDBOX] = "1"
        os.execvp(speed.UNSHARE[0], [*speed.UNSHARE, sys.executable, *sys.argv])
    with tempfile.TemporaryDirectory(prefix="warren-bench-") as directory:
        speed.own_etc_netns(directory)
        try:
            return measure(options, directory)
        finally:
            with contextlib.suppress(subprocess.CalledProcessError):
                speed.run("umount", "-l", "/etc/netns")
                speed.run("umount", "-l", "/etc")


if __name__ == "__main__":
    sys.exit(main())
