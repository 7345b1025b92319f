#!/usr/bin/env python3
"""What building and taking down a network costs: warren against a bare loop, `ip -batch`, and shell commands.

Prints a Markdown table. Everything happens in sandboxes (network and mount namespaces with a /run and an /etc/netns of
their own), one for each measurement; nothing is left on the machine. See README.md beside this file.
"""

import argparse
import contextlib
import datetime
import json
import os
import platform
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

NETWORK = "bench"
PORTS_MAX = 1023
PREFIX_LENGTH = 20
UNSHARE = ("unshare", "-n", "-m", "--propagation", "private")
IN_SANDBOX = "WARREN_BENCH_SANDBOX"


# --- the network --------------------------------------------------------------------------------------------


def layout(count):
    """Bridges, and for each namespace its bridge and its place on it; the same as in bare.c."""
    bridges = -(-count // PORTS_MAX)
    per_bridge = -(-count // bridges)
    return bridges, [(i // per_bridge, i % per_bridge) for i in range(count)]


def gateway(bridge):
    return f"10.{bridge}.0.1"


def address(bridge, place):
    return f"10.{bridge}.{(place + 2) >> 8}.{(place + 2) & 255}"


def network_file(path, count):
    """The network, written out: no ranges."""
    bridges, places = layout(count)
    with open(path, "w", encoding="ascii") as f:
        f.write(f"name: {NETWORK}\nbridges:\n")
        for b in range(bridges):
            f.write(f"  br{b}: {{subnet: 10.{b}.0.0/{PREFIX_LENGTH}, host: true}}\n")
        f.write("namespaces:\n")
        for i, (bridge, _) in enumerate(places):
            f.write(f"  ns{i}: {{interfaces: {{eth0: br{bridge}}}}}\n")
    return path


def batch_files(directory, count):
    """`ip -batch`: one batch for the host, one for the inside of each namespace. No marks, no settings, no files."""
    bridges, places = layout(count)
    with open(f"{directory}/host.batch", "w", encoding="ascii") as f:
        for b in range(bridges):
            f.write(f"link add br{b} type bridge\naddr add {gateway(b)}/{PREFIX_LENGTH} dev br{b}\nlink set br{b} up\n")
        for i, (bridge, _) in enumerate(places):
            f.write(f"netns add ns{i}\n")
            f.write(f"link add veth{i} type veth peer name eth0 netns ns{i}\n")
            f.write(f"link set veth{i} master br{bridge} up\n")
    for i, (bridge, place) in enumerate(places):
        with open(f"{directory}/ns{i}.batch", "w", encoding="ascii") as f:
            f.write(f"link set lo up\naddr add {address(bridge, place)}/{PREFIX_LENGTH} dev eth0\nlink set eth0 up\n")
            f.write(f"route add default via {gateway(bridge)}\n")
    script = f"{directory}/batch.sh"
    with open(script, "w", encoding="ascii") as f:
        f.write(f"set -e\nip -batch {directory}/host.batch\n")
        for i in range(count):
            f.write(f"ip -n ns{i} -batch {directory}/ns{i}.batch\n")
    return script


def shell_script(path, count):
    """The commands as they are taught: the peer is made here and moved, the inside by `ip netns exec`."""
    bridges, places = layout(count)
    with open(path, "w", encoding="ascii") as f:
        f.write("set -e\n")
        for b in range(bridges):
            f.write(f"ip link add br{b} type bridge\nip link set br{b} up\n")
            f.write(f"ip addr add {gateway(b)}/{PREFIX_LENGTH} dev br{b}\n")
        for i in range(count):
            f.write(f"ip netns add ns{i}\n")
        for i, (bridge, place) in enumerate(places):
            f.write(
                f"ip link add veth-host{i} type veth peer name veth-cont{i}\n"
                f"ip link set veth-host{i} master br{bridge}\n"
                f"ip link set veth-host{i} up\n"
                f"ip link set veth-cont{i} netns ns{i}\n"
                f"ip netns exec ns{i} ip addr add {address(bridge, place)}/{PREFIX_LENGTH} dev veth-cont{i}\n"
                f"ip netns exec ns{i} ip link set veth-cont{i} up\n"
                f"ip netns exec ns{i} ip link set lo up\n"
                f"ip netns exec ns{i} ip route add default via {gateway(bridge)}\n"
            )
    return path


class Failed(Exception):
    """A measurement could not be made; the others still can."""


# --- running a command --------------------------------------------------------------------------------------


def timed(*argv):
    """Runs to its end; returns seconds and the peak of its resident memory in bytes."""
    with tempfile.TemporaryFile() as errors, open(os.devnull, "r+b") as null:
        actions = [
            (os.POSIX_SPAWN_DUP2, null.fileno(), 0),
            (os.POSIX_SPAWN_DUP2, null.fileno(), 1),
            (os.POSIX_SPAWN_DUP2, errors.fileno(), 2),
        ]
        start = time.perf_counter()
        pid = os.posix_spawnp(argv[0], argv, os.environ, file_actions=actions)
        _, status, usage = os.wait4(pid, 0)
        seconds = time.perf_counter() - start
        errors.seek(0)
        text = errors.read().decode(errors="replace")
    code = os.waitstatus_to_exitcode(status)
    # `plan` says 3 where there is something to do.
    if code != 0 and not (code == 3 and "plan" in argv):
        raise SystemExit(f"{' '.join(argv)}: exit status {code}\n{text}")
    return seconds, usage.ru_maxrss * 1024


def run(*argv):
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def mount_own_directories():
    """A /run and an /etc/netns that nobody else sees, on tmpfs: a disk file system below pins is 20 times slower."""
    for directory in ("/run", "/etc/netns"):
        run("mount", "-t", "tmpfs", "tmpfs", directory)


def in_new_sandbox(job):
    """This program again, in namespaces of its own, to do one job; returns what it printed as JSON."""
    argv = [*UNSHARE, sys.executable, os.path.abspath(__file__), "--job", json.dumps(job)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    settle()
    if done.returncode != 0:
        raise Failed(done.stderr.strip() or f"{job}: exit status {done.returncode}")
    return json.loads(done.stdout)


def settle():
    """Waits until the kernel has destroyed every namespace that was left: it does so behind our back, one after the
    other, in the order in which they died. A link goes when its peer's namespace is being destroyed; the second time,
    everything that died before the first is done with."""
    rtm_dellink, rtmgrp_link = 17, 1
    for _ in range(2):
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as events:
            run("ip", "netns", "add", "canary")
            run("ip", "link", "add", "canary", "type", "veth", "peer", "name", "eth0", "netns", "canary")
            index = socket.if_nametoindex("canary")
            events.bind((0, rtmgrp_link))
            events.settimeout(120)
            run("ip", "netns", "del", "canary")
            while True:
                event = events.recv(65536)
                kind, link = struct.unpack_from("=4xH", event)[0], struct.unpack_from("=20xi", event)[0]
                if kind == rtm_dellink and link == index:
                    break


# --- jobs: what happens in a sandbox ------------------------------------------------------------------------


def job_warren(job):
    warren, file = job["warren"], job["file"]
    result = {"up": timed(warren, "up", file)[0]}
    if job.get("again"):
        result["again"] = timed(warren, "up", file)[0]
    result["down"] = timed(warren, "down", file)[0]
    return result


def job_bare(job):
    count = str(job["count"])
    return {"up": timed(job["bare"], "up", count, job["file"])[0], "down": timed(job["bare"], "down", count)[0]}


def job_script(job):
    return {"up": timed("sh", job["script"])[0]}


def job_plan(job):
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
    seconds, resident = timed(job["warren"], "plan", job["file"])
    return {"seconds": seconds, "resident": resident}


def job_exec(job):
    warren = job["warren"]
    times = {"warren": [], "ip": []}
    run(warren, "up", job["file"])
    for _ in range(job["runs"]):
        times["warren"].append(timed(warren, "exec", f"{NETWORK}/ns0", "--", "true")[0])
        times["ip"].append(timed("ip", "netns", "exec", f"{NETWORK}.ns0", "true")[0])
    run(warren, "down", job["file"])
    return times


LINK_KEYS = ("flags", "mtu", "operstate", "master", "ifalias", "altnames", "num_tx_queues", "num_rx_queues")
ADDRESS_KEYS = ("family", "local", "prefixlen", "broadcast", "protocol", "scope")
ROUTE_KEYS = ("type", "dst", "gateway", "dev", "protocol", "prefsrc", "scope", "metric")


def picture_of_namespace(prefix):
    picture = {}
    for link in json.loads(run("ip", *prefix, "-j", "-d", "link")):
        name = link["ifname"]
        picture[f"link {name}"] = {key: link.get(key) for key in LINK_KEYS}
        picture[f"link {name}"]["grouped"] = link.get("group") != "default"
        info = link.get("linkinfo", {})
        picture[f"link {name}"]["kind"] = info.get("info_kind")
        if info.get("info_kind") == "bridge":
            picture[f"link {name}"]["snooping"] = info["info_data"]["mcast_snooping"]
    for link in json.loads(run("ip", *prefix, "-j", "addr")):
        for a in link["addr_info"]:
            picture[f"address {link['ifname']} {a['local']}"] = {key: a.get(key) for key in ADDRESS_KEYS}
    for family in ("-4", "-6"):
        for route in json.loads(run("ip", *prefix, family, "-j", "-d", "route", "show", "table", "all")):
            name = f"route {family} {route.get('table')} {route['dst']} {route.get('dev')}"
            picture[name] = {key: route.get(key) for key in ROUTE_KEYS}
    inside = ["ip", "netns", "exec", prefix[1]] if prefix else []
    for line in run(*inside, "sysctl", "-a", "-r", r"^net\.(ipv4|ipv6)\.conf\.").splitlines():
        key, _, value = line.partition(" = ")
        if not key.endswith("stable_secret"):
            picture[f"sysctl {key}"] = value
    return picture


def job_picture(job):
    """What is there after `up`, in words of `ip` and of the file system; what is free to differ is left out."""
    run(*job["up"])
    picture = {"host": picture_of_namespace([])}
    for pin in sorted(os.listdir("/run/netns")):
        picture[pin] = picture_of_namespace(["-n", pin])
    files = []
    for top in ("/run/warren", "/etc/netns"):
        for directory, _, names in os.walk(top):
            files += [directory] + [f"{directory}/{name}" for name in names]
    picture["files"] = {f: (os.readlink(f) if os.path.islink(f) else "") for f in sorted(files)}
    return picture


JOBS = {
    "warren": job_warren,
    "bare": job_bare,
    "script": job_script,
    "plan": job_plan,
    "exec": job_exec,
    "picture": job_picture,
}


# --- what is measured ---------------------------------------------------------------------------------------


class Bench:
    def __init__(self, options, directory):
        self.options = options
        self.directory = directory
        self.samples = {}
        self.rows = []

    def say(self, text):
        if sys.stderr.isatty() or self.options.verbose:
            print(text, file=sys.stderr)

    def note(self, what, who, seconds):
        self.samples.setdefault((what, who), []).append(seconds)

    def median(self, what, who):
        values = self.samples.get((what, who))
        return statistics.median(values) if values else None

    def compare_sizes(self, count, repetitions, with_scripts):
        """One repetition runs each contestant once, so that a slow minute of the machine slows all of them."""
        o = self.options
        file = network_file(f"{self.directory}/{count}.yaml", count)
        contestants = {"bare": {"job": "bare", "bare": o.bare, "count": count, "file": file}}
        if o.warren:
            contestants["warren"] = {"job": "warren", "warren": o.warren, "file": file, "again": True}
        if with_scripts:
            contestants["batch"] = {"job": "script", "script": batch_files(self.directory, count)}
            contestants["shell"] = {"job": "script", "script": shell_script(f"{self.directory}/shell.sh", count)}
        for repetition in range(repetitions):
            names = list(contestants)
            names = names[repetition % len(names):] + names[: repetition % len(names)]
            for name in names:
                self.say(f"N = {count}, repetition {repetition + 1} of {repetitions}: {name}")
                for what, seconds in in_new_sandbox(contestants[name]).items():
                    self.note(f"{what} {count}", name, seconds)

    def row(self, what, a, b, wanted, limit, ratio=None, a_text=None, b_text=None):
        if a is None or (b is None and ratio is None):
            return
        ratio = a / b if ratio is None else ratio
        reached = round(ratio, 2) <= limit  # as it is printed
        verdict = "" if not wanted else "yes" if reached else "**no**"
        times = (milliseconds(a) if a_text is None else a_text, milliseconds(b) if b_text is None else b_text)
        self.rows.append((what, *times, f"{ratio:.2f}", wanted, verdict))

    def rows_of_sizes(self):
        any_size = ("", float("inf"))
        for verb, wanted, sizes in (
            ("up", ("at most 1.3", 1.3), (100, 1000)),
            ("down", ("at most 1.2", 1.2), (1000,)),
        ):
            for count in (100, 1000, 4000):
                what = f"{verb} {count}"
                target = wanted if count in sizes else any_size
                warren, bare = self.median(what, "warren"), self.median(what, "bare")
                self.row(f"{verb}, N = {count}, bare loop", warren, bare, *target)
        for name, words, times in (("batch", "`ip -batch`", 4), ("shell", "shell commands", 25)):
            other, target = self.median("up 100", name), (f"at most 1/{times} = {1 / times:.2f}", 1 / times)
            self.row(f"up, N = 100, {words}", self.median("up 100", "warren"), other, *target)
            self.row(f"(the bare loop, N = 100, {words})", self.median("up 100", "bare"), other, *any_size)
        for who, target in (("warren", ("at most 2", 2)), ("bare", any_size)):
            small, large = self.median("up 100", who), self.median("up 4000", who)
            if small and large:
                self.row(f"one namespace at N = 4000, at N = 100 ({who})", large / 4000, small / 100, *target)
        for count in (100, 1000, 4000):
            target = ("at most 0.25", 0.25) if count == 1000 else any_size
            again = self.median(f"again {count}", "warren")
            self.row(f"second up, N = {count}, the first", again, self.median(f"up {count}", "warren"), *target)

    def plan(self, count, repetitions):
        """Half the size as well: linear is a ratio of 2."""
        sizes = (count // 2, count)
        results = {size: [] for size in sizes}
        for repetition in range(repetitions):
            for size in sizes:
                file = network_file(f"{self.directory}/{size}.yaml", size)
                self.say(f"plan of {size} namespaces, repetition {repetition + 1} of {repetitions}")
                results[size].append(in_new_sandbox({"job": "plan", "warren": self.options.warren, "file": file}))
        seconds = {size: statistics.median(r["seconds"] for r in results[size]) for size in sizes}
        resident = max(r["resident"] for r in results[count])
        self.samples[(f"plan {count}", "warren")] = [r["seconds"] for r in results[count]]
        self.row(f"plan, {count:,} namespaces, one core", seconds[count], 1.0, "under 1 s", 1.0, b_text="1 s")
        megabytes = f"{resident / 1048576:.0f} MiB"
        self.row("its memory", resident, 512 << 20, "under 512 MiB", 1.0, a_text=megabytes, b_text="512 MiB")
        self.row(f"plan, {count:,} against {count // 2:,}", seconds[count], seconds[count // 2], "linear: 2", 2.3)

    def exec(self, runs):
        file = network_file(f"{self.directory}/10.yaml", 10)
        times = in_new_sandbox({"job": "exec", "warren": self.options.warren, "file": file, "runs": runs})
        self.samples[("exec", "warren")], self.samples[("exec", "ip")] = times["warren"], times["ip"]
        warren, ip = self.median("exec", "warren"), self.median("exec", "ip")
        self.row("exec of `true`, `ip netns exec`", warren, ip, "at most 1", 1.0)

    def same_picture(self, count):
        """Is what bare.c leaves what warren leaves? Else the comparison is not worth much."""
        file = network_file(f"{self.directory}/{count}.yaml", count)
        ours = in_new_sandbox({"job": "picture", "up": [self.options.warren, "up", file]})
        bare = in_new_sandbox({"job": "picture", "up": [self.options.bare, "up", str(count), file]})
        differences = []
        for place in sorted(set(ours) | set(bare)):
            a, b = ours.get(place, {}), bare.get(place, {})
            for key in sorted(set(a) | set(b)):
                if a.get(key) != b.get(key):
                    differences.append(f"{place}: {key}: warren {a.get(key)!r}, bare {b.get(key)!r}")
        for difference in differences:
            print(f"run.py: bare.c leaves something else than warren: {difference}", file=sys.stderr)


def milliseconds(seconds):
    if seconds is None:
        return ""
    return f"{seconds * 1000:.2f} ms" if seconds < 0.1 else f"{seconds * 1000:,.0f} ms"


def print_table(bench):
    today = datetime.date.today().isoformat()
    cores = len(os.sched_getaffinity(0))
    print(f"Linux {platform.release()}, {cores} cores, {today}; medians, repetitions interleaved.\n")
    print("| what, against what | warren | against | ratio | wanted | reached |")
    print("|---|---|---|---|---|---|")
    for row in bench.rows:
        print("| " + " | ".join(row) + " |")


# --- the program --------------------------------------------------------------------------------------------


def own_etc_netns(directory):
    """/etc/netns need not exist, and making it would leave a trace: then /etc is a copy, in this mount namespace."""
    if not os.path.isdir("/etc/netns"):
        run("cp", "-a", "/etc", f"{directory}/etc")
        os.mkdir(f"{directory}/etc/netns")
        run("mount", "--bind", f"{directory}/etc", "/etc")
    mount_own_directories()


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--warren", help="the program; without it only the others are run")
    parser.add_argument("--bare", help="the bare loop, built from bare.c")
    parser.add_argument("--repetitions", type=int, default=7, metavar="N", help="at N = 100; fewer above (default 7)")
    parser.add_argument("--large", action="store_true", help="N = 4000 as well (a minute more for each repetition)")
    parser.add_argument("--quick", action="store_true", help="N = 100 only, three repetitions, a plan of 10,000")
    parser.add_argument("--json", metavar="FILE", help="write every sample there")
    parser.add_argument("--verbose", action="store_true", help="say what is being run")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.job and not options.bare:
        parser.error("--bare is needed")
    for name in ("warren", "bare"):
        path = getattr(options, name)
        if path:
            if shutil.which(path) is None:
                parser.error(f"--{name}: no program '{path}'")
            setattr(options, name, os.path.abspath(path))
    return options


def measure(options, directory):
    bench = Bench(options, directory)
    repetitions = 3 if options.quick else options.repetitions
    sections = [lambda: bench.compare_sizes(100, repetitions, with_scripts=True)]
    if options.warren:
        sections.insert(0, lambda: bench.same_picture(5))
    if not options.quick:
        sections.append(lambda: bench.compare_sizes(1000, max(3, repetitions * 5 // 7), with_scripts=False))
    if options.large:
        sections.append(lambda: bench.compare_sizes(4000, max(3, repetitions * 3 // 7), with_scripts=False))
    sections.append(bench.rows_of_sizes)
    if options.warren:
        sections.append(lambda: bench.plan(10000 if options.quick else 100000, 3))
        sections.append(lambda: bench.exec(50 if options.quick else 200))
    failed = False
    for section in sections:
        try:
            section()
        except Failed as failure:
            failed = True
            print(f"run.py: a measurement failed: {failure}", file=sys.stderr)
    print_table(bench)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump({f"{what} {who}": values for (what, who), values in bench.samples.items()}, f, indent=1)
    return 1 if failed else 0


def main():
    options = parse_arguments()
    if options.job:
        mount_own_directories()
        job = json.loads(options.job)
        json.dump(JOBS[job["job"]](job), sys.stdout)
        return 0
    if os.geteuid() != 0:
        raise SystemExit("run.py: needs root: namespaces, mounts and a private proc are made (sudo bench/run.py …)")
    if os.environ.get(IN_SANDBOX) is None:
        os.environ[IN_SANDBOX] = "1"
        os.execvp(UNSHARE[0], [*UNSHARE, sys.executable, *sys.argv])
    with tempfile.TemporaryDirectory(prefix="warren-bench-") as directory:
        own_etc_netns(directory)
        try:
            return measure(options, directory)
        finally:
            # The copy of /etc is busy while it is mounted; the directory must be able to go.
            with contextlib.suppress(subprocess.CalledProcessError):
                run("umount", "-l", "/etc/netns")
                run("umount", "-l", "/etc")


if __name__ == "__main__":
    sys.exit(main())
