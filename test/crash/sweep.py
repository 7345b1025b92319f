#!/usr/bin/python3
"""Kills warren at its system calls, and makes them fail, one after the other, and looks at what is left.

Theory: a traced run says which system calls are made. A point is a pair (name, n), because strace counts `when=` for each name by
itself. Each point has a fresh machine (test/sandbox.py), so that no failure hides in the traces of another:

  kill   SIGKILL at the point, of `up`, of an editing `up` and of `down`. Afterwards, in turn with the points:
           up      one `up` converges: it is exactly the network that an undisturbed `up` makes
           down    one `down` leaves the machine as it was
           wiped   as `down`, and /run/warren is gone too
           again   as `up`, and /run/warren is gone too
  error  the call fails at the point with an error of its kind: non-zero exit and what was there is back, or success with everything

The witness is test/observe.py. Without --long the points are sampled: a share of all, and of the calls that change something (mount,
unshare, sending, creating, renaming, removing) as many as the time allows, evenly spread. The number of points is said.

  sweep.py [--long] [--seconds N] [--jobs N] [--only WHAT] [--point CASE:NAME:N[:ERROR]:AFTER]     --point repeats one, loudly
  WARREN_PLAIN (or WARREN, build/warren): the program, without sanitizers: their leak checker cannot work under a tracer.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as xml
from collections import Counter
from multiprocessing import Process, Queue
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "test"))

import observe  # noqa: E402
import sandbox  # noqa: E402

WARREN = str(Path(os.environ.get("WARREN_PLAIN") or os.environ.get("WARREN") or TOP / "build" / "warren").resolve())

FIRST = """
name: swept
bridges:
  lan: {subnet: ["10.80.0.0/24", "fd80::/64"], host: true, nat: true, guard: true}
  far: {subnet: 10.81.0.0/24}
namespaces:
  a:
    forward: true
    interfaces: {eth0: {bridge: lan, address: [10.80.0.5/24, "fd80::5/64"]}, eth1: {bridge: far, address: 10.81.0.1/24}}
    dns: {servers: [192.0.2.53]}
    nat: {out: eth0}
    publish: ["8080:80", "127.0.0.1:8081:81"]
  b:
    interfaces: {eth0: {bridge: far, address: 10.81.0.2/24, isolated: true}}
    routes: [{to: default, via: 10.81.0.1}]
    sysctl: {net.ipv4.tcp_syn_retries: 3}
    firewall: {input: {policy: drop, accept: [tcp 80 from a]}}
links:
  - {ends: [host:sw0, b:up0], addresses: [10.82.0.1/30, 10.82.0.2/30]}
"""
# Something of everything: in place, new, gone.
SECOND = """
name: swept
bridges:
  lan: {subnet: ["10.80.0.0/24", "fd80::/64"], host: true, nat: {out: strange0}, isolated: true}
  far: {subnet: 10.81.0.0/24, guard: true}
namespaces:
  a:
    forward: true
    interfaces: {eth0: {bridge: lan, address: [10.80.0.6/24, "fd80::5/64"], mtu: 1400}, eth2: {bridge: far, address: 10.81.0.7/24}}
    publish: ["8080:82", "192.0.2.1:8083:83/udp"]
    firewall: {forward: {policy: drop, log: true}}
  c:
    interfaces: {eth0: {bridge: far, address: 10.81.0.2/24}}
    routes: [{to: 192.0.2.0/24, via: 10.81.0.9}]
    dns: {servers: [192.0.2.54]}
    firewall: {input: {policy: drop, accept: [tcp 80 from a]}}
links:
  - {ends: [host:sw0, c:up0], addresses: [10.82.0.1/30, 10.82.0.2/30], mtu: 1300}
"""
# case: (what is up before, the command that is disturbed, the file that `up` converges to afterwards)
CASES = {
    "up": (None, ["up", "first.yaml"], "first.yaml"),
    "edit": ("first.yaml", ["up", "second.yaml"], "second.yaml"),
    "down": ("first.yaml", ["down", "swept"], "first.yaml"),
}
AFTER = ["up", "down", "wiped", "again"]

# Calls that change what others see. The rest only prepare.
CHANGING = {"mount", "umount2", "unshare", "setns", "sendto", "sendmsg", "mkdir", "mkdirat", "symlink", "symlinkat", "rename", "renameat", "renameat2",
            "unlink", "unlinkat", "rmdir", "link", "linkat", "open_tree", "move_mount", "fsopen", "fsmount", "fsconfig", "mount_setattr", "ftruncate",
            "flock", "write", "creat", "chmod", "fchmod"}
# Before main, and of no interest after it: memory, and questions about the process itself.
DULL = {"brk", "mmap", "munmap", "mprotect", "mremap", "madvise", "rt_sigaction", "rt_sigprocmask", "arch_prctl", "set_tid_address", "set_robust_list", "rseq",
        "prlimit64", "getrandom", "futex", "pread64", "clock_gettime", "exit_group", "execve", "access", "getuid", "geteuid", "getgid", "getegid"}
ERRORS = {
    "mount": ["EPERM", "ENOMEM"], "umount2": ["EPERM"], "unshare": ["EPERM", "ENOSPC"], "setns": ["EPERM"], "sendto": ["ENOMEM", "EPERM", "ENOBUFS", "EINTR"],
    "sendmsg": ["ENOMEM", "EPERM", "ENOBUFS", "EINTR"], "recvmsg": ["ENOBUFS", "EINTR", "ENOMEM"], "recvfrom": ["ENOBUFS", "EINTR", "ENOMEM"], "recv": ["ENOBUFS"],
    "socket": ["EMFILE", "EPERM"], "bind": ["ENOMEM"], "openat": ["EMFILE", "EACCES", "ENOSPC", "EIO"], "open": ["EMFILE"], "write": ["ENOSPC", "EIO", "EINTR"],
    "mkdir": ["ENOSPC", "EROFS"], "mkdirat": ["ENOSPC", "EROFS"], "symlink": ["ENOSPC"], "symlinkat": ["ENOSPC"], "rename": ["ENOSPC", "EIO"],
    "renameat": ["ENOSPC", "EIO"], "renameat2": ["ENOSPC"], "unlink": ["EIO"], "unlinkat": ["EIO", "EBUSY"], "rmdir": ["EIO"], "read": ["EIO", "EINTR"],
    "getsockopt": ["ENOMEM"], "setsockopt": ["ENOMEM"], "flock": ["EINTR", "ENOLCK"], "fstat": ["EIO"], "newfstatat": ["EIO", "EACCES"], "fstatfs": ["EIO"],
    "statfs": ["EIO"], "getdents64": ["EIO"], "close": ["EIO"], "open_tree": ["ENOMEM"], "move_mount": ["EPERM"], "fsopen": ["ENOSYS"], "fsmount": ["EPERM"],
    "fsconfig": ["EPERM"], "readlink": ["EIO"], "readlinkat": ["EIO"], "fchmod": ["EIO"], "ftruncate": ["ENOSPC"], "fsync": ["EIO"], "poll": ["EINTR"], "ppoll": ["EINTR"],
}


class Broken(Exception):
    """What was promised is not so."""


def run(*command, check=True, timeout=60):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout, check=False,
                          errors="backslashreplace")
    if check and done.returncode != 0:
        raise Broken(f"{' '.join(command)}: status {done.returncode}\n{done.stdout}")
    return done


def warren(*arguments, **options):
    return run(WARREN, *arguments, **options)


def enter_machine():
    """A fresh machine, with the files and a stranger in it that must stay as he is; the way out leads past him."""
    sandbox.enter()
    os.makedirs("/run/swept-files", exist_ok=True)
    os.chdir("/run/swept-files")
    Path("first.yaml").write_text(FIRST)
    Path("second.yaml").write_text(SECOND)
    run("sh", "-ec", "ip netns add stranger; ip link add strange0 address 02:00:00:00:99:01 type veth peer name eth0 address 02:00:00:00:99:02 netns stranger; ip addr add 172.30.0.1/24 dev strange0; ip link set strange0 up;"
        "ip route add default via 172.30.0.2; nft add table inet strange; nft 'add chain inet strange f { type filter hook forward priority 0; }';"
        "mkdir -p /etc/netns/stranger; echo '# mine' > /etc/netns/stranger/hosts")


def in_a_machine(function, *arguments):
    """The function's answer, from a child that has a machine of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            enter_machine()
            answer = {"answer": function(*arguments)}
        except Broken as error:
            answer = {"broken": str(error)}
        except BaseException as error:  # pylint: disable=broad-except  # it must not run on as a second sweep
            answer = {"broken": f"{type(error).__name__}: {error}"}
        with os.fdopen(writing, "w") as file:
            json.dump(answer, file)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        text = file.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else {"broken": "the machine ended without a word"}


def same(before, after, what):
    lines = observe.differences(before, after)
    if lines:
        raise Broken(f"{what}:\n" + "\n".join(lines[:20]))


def settled():
    """host() without this sweep's own files."""
    host = observe.host()
    host["files"] = {path: entry for path, entry in host["files"].items() if not path.startswith("/run/swept-files")}
    return host


def record(case):
    """What strace says of an undisturbed run."""
    before, command, _ = CASES[case]
    if before:
        warren("up", before)
    run("strace", "-f", "-qq", "-o", "trace", WARREN, *command)
    return Path("trace").read_text(errors="replace").splitlines()


def trace(case):
    """The system calls of an undisturbed run, in order: (name, n, changes something)."""
    # The kernel has a write to a sysctl begin again while something else changes a network: such a run has calls more than others,
    # and points that they do not reach. The one with the fewest is where all come by.
    runs = []
    while not runs or (any("ERESTART" in line for line in runs[-1]) and len(runs) < 8):
        if runs:
            warren("down", "swept", check=False)
            settled()
        runs.append(record(case))
    counts, points, started = Counter(), [], False
    for line in min(runs, key=len):
        match = re.match(r"^\d+\s+([a-z0-9_]+)\(", line)
        if not match:
            continue
        name = match.group(1)
        counts[name] += 1
        # What the loader does before main is the same in every program.
        started = started or name != "execve" and ("/run/" in line or "NETLINK" in line or ".yaml" in line)
        if started and name not in DULL:
            changes = name in CHANGING or name == "openat" and ("O_CREAT" in line or "O_WRONLY" in line or "O_RDWR" in line)
            points.append((name, counts[name], changes))
    return points


def reference(name):
    """What an undisturbed `up` of a file makes."""
    warren("up", name)
    return observe.network()


def disturb(case, name, number, error):
    before, command, _ = CASES[case]
    if before:
        warren("up", before)
        # Numbers that depend on the past are left out: what is put back is made anew.
    what = f"error={error}" if error else "signal=KILL"
    inside = observe.network()
    # Not with --seccomp-bpf: strace 6.1 then sends no signal.
    done = run("strace", "-f", "-qq", "-e", f"trace={name}", "-e", f"inject={name}:{what}:when={number}", "-o", "trace", WARREN, *command, check=False)
    return inside, done


def one_kill(case, name, number, after, references):
    empty = settled()
    _, done = disturb(case, name, number, None)
    if done.returncode not in (-9, 137):
        raise Broken(f"status {done.returncode} instead of being killed\n{done.stdout}")
    if after in ("wiped", "again"):
        shutil.rmtree("/run/warren", ignore_errors=True)
    target = CASES[case][2]
    if after in ("up", "again"):
        warren("up", target)
        same(references[target], observe.network(), f"`up {target}` afterwards did not make what an undisturbed one makes")
        status = warren("status", "swept", check=False)
        if status.returncode != 0:
            raise Broken(f"status after `up` afterwards: {status.returncode}\n{status.stdout}")
        warren("down", "swept")
        same(empty, settled(), "`down` after that left something")
    else:
        # By its file, which names what a killed run may have left empty; by name alone where the state says what was begun.
        warren("down", *(["swept"] if after == "down" else [target]))
        same(empty, settled(), "`down` afterwards left something")
    return "killed"


def one_error(case, name, number, error, references):
    empty = settled()
    inside, done = disturb(case, name, number, error)
    verb, target = CASES[case][1][0], CASES[case][2]
    if done.returncode == 0:
        if verb == "down":
            same(empty, settled(), f"`down` said it was done, although {name} failed with {error}")
            return "done"
        same(references[target], observe.network(), f"`up` said it was done, although {name} failed with {error}\n{done.stdout}")
    elif done.returncode in (-6, 134) and name == "setns":
        # It could not come back to its own namespace, and so may do nothing any more.
        pass
    elif "cannot write to standard output" in done.stdout:
        # The work was done; only the word of it was lost.
        if verb == "up":
            same(references[target], observe.network(), f"`up` did not do all\n{done.stdout}")
    elif done.returncode not in (1, 2):
        raise Broken(f"status {done.returncode}\n{done.stdout}")
    elif "warren: " not in done.stdout:
        raise Broken(f"status {done.returncode} and not a word\n{done.stdout}")
    elif verb == "up":
        same(inside, observe.network(), f"not put back after {name} failed with {error}\n{done.stdout}")
    warren("down", "swept")
    same(empty, settled(), f"`down` afterwards left something\n{done.stdout}")
    return "done" if done.returncode == 0 else "put back"


def evenly(items, count):
    """At most count of them, evenly spread, first and last among them."""
    if count >= len(items):
        return list(items)
    if count <= 1:
        return list(items[:max(0, count)])
    return [items[round(i * (len(items) - 1) / (count - 1))] for i in range(count)]


def sample(points, budget):
    """Of what changes something as much as two thirds of the budget allow, of the rest a third; each name at least once."""
    chosen = {}
    changing, rest = [p for p in points if p[2]], [p for p in points if not p[2]]
    for name in {p[0] for p in points}:
        chosen[next(p for p in points if p[0] == name)] = True
    for p in evenly(changing, max(budget * 2 // 3, budget - len(rest))) + evenly(rest, budget // 3):
        chosen[p] = True
    return sorted(chosen, key=points.index)


def plan(traces, arguments):
    """The list of jobs: (kind, case, name, n, error or None, after or None)."""
    jobs = []
    for case, points in traces.items():
        points = [tuple(point) for point in points]
        kills = points if arguments.long else sample(points, arguments.budget)
        for index, (name, number, changes) in enumerate(kills):
            # Where something changes every way out is tried in the long sweep; otherwise they take turns.
            for after in AFTER if arguments.long and changes else [AFTER[index % len(AFTER)]]:
                jobs.append(("kill", case, name, number, None, after))
        failing = [point for point in points if point[0] in ERRORS]
        for index, (name, number, _) in enumerate(failing if arguments.long else sample(failing, arguments.budget * 2 // 3)):
            errors = ERRORS[name]
            for error in errors if arguments.long else [errors[index % len(errors)]]:
                jobs.append(("error", case, name, number, error, None))
    if arguments.only:
        jobs = [job for job in jobs if arguments.only in " ".join(str(part) for part in job)]
    return jobs


def carry_out(job, references):
    kind, case, name, number, error, after = job
    if kind == "kill":
        return in_a_machine(one_kill, case, name, number, after, references)
    return in_a_machine(one_error, case, name, number, error, references)


def worker(jobs, references, number, count, end, queue):
    for index in range(number, len(jobs), count):
        if end and time.monotonic() > end:
            queue.put((index, {"late": True}))
        else:
            queue.put((index, carry_out(jobs[index], references)))


def describe(job):
    kind, case, name, number, error, after = job
    return f"{case}:{name}:{number}" + (f":{error}" if kind == "error" else "") + (f":{after}" if after else "")


def write_report(path, results):
    suite = xml.Element("testsuite", name="crash", tests=str(len(results)))
    for name, outcome, words in results:
        case = xml.SubElement(suite, "testcase", classname="crash", name=name)
        if outcome == "failed":
            xml.SubElement(case, "failure", message=words.splitlines()[0]).text = words
    xml.ElementTree(suite).write(path)


def prepare():
    """What undisturbed runs do, and make; and those that fail without being disturbed, which leave nothing to sweep."""
    traces, references, broken = {}, {}, []
    for name in ("first.yaml", "second.yaml"):
        answer = in_a_machine(reference, name)
        if "broken" in answer:
            broken.append((f"undisturbed `up {name}`", "failed", answer["broken"]))
        else:
            references[name] = answer["answer"]
    for case, (_, _, target) in CASES.items():
        answer = in_a_machine(trace, case)
        if "broken" in answer:
            broken.append((f"undisturbed {case}", "failed", answer["broken"]))
        elif target in references:
            traces[case] = answer["answer"]
    return traces, references, broken


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--seconds", type=int, default=0, help="stop after this time, and say how much was left out")
    parser.add_argument("--budget", type=int, default=60, help="points of each case")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only")
    parser.add_argument("--point")
    parser.add_argument("--report", help="a JUnit file")
    arguments = parser.parse_args()
    if not shutil.which("strace"):
        print("strace is not installed")
        sys.exit(77)
    if os.geteuid() != 0 and (why := sandbox.works_as_user()):
        print(f"user namespaces are not available here: {why}")
        sys.exit(77)
    started = time.monotonic()
    traces, references, broken = prepare()
    for name, _, words in broken:
        print(f"FAILED {name}\n    " + words.replace("\n", "\n    "), flush=True)
    if arguments.point:
        parts = arguments.point.split(":")
        after = parts.pop() if parts[-1] in AFTER else None
        job = ("kill" if after else "error", parts[0], parts[1], int(parts[2]), None if after else parts[3], after)
        print(json.dumps(carry_out(job, references), indent=1).replace("\\n", "\n"))
        return
    jobs = plan(traces, arguments)
    queue, end = Queue(), started + arguments.seconds if arguments.seconds else None
    workers = [Process(target=worker, args=(jobs, references, number, arguments.jobs, end, queue)) for number in range(arguments.jobs)]
    for process in workers:
        process.start()
    results, outcomes, late = list(broken), Counter(), 0
    for _ in jobs:
        index, answer = queue.get()
        if "late" in answer:
            late += 1
            continue
        name = describe(jobs[index])
        if "broken" in answer:
            print(f"FAILED {name}\n    " + answer["broken"].replace("\n", "\n    "), flush=True)
            results.append((name, "failed", answer["broken"]))
        else:
            results.append((name, "passed", ""))
            outcomes[answer["answer"]] += 1
    for process in workers:
        process.join()
    failed = sum(outcome == "failed" for _, outcome, _ in results)
    total = sum(len(points) for points in traces.values())
    print(f"{len(results)} points of {total} system calls in {time.monotonic() - started:.0f} s: "
          + ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items())) + f", {failed} failed" + (f"; {late} left out, out of time" if late else ""))
    if arguments.report:
        write_report(arguments.report, results)
    sys.exit(1 if failed or not results else 0)


if __name__ == "__main__":
    main()
