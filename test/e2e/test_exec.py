"""exec: another program in the namespace's place, and nothing else different."""

import os
import pty
import re
import signal
import subprocess

import pytest
from conftest import TRIO, WARREN, needs_root, normal


def inside(box, *command, **options):
    return box.warren("exec", "one", "--", *command, **options)


@pytest.mark.parametrize("status", [0, 1, 3, 77, 126, 255])
def test_status(trio, status):
    inside(trio, "sh", "-c", f"exit {status}", check=status)


def test_without_dashes(trio):
    assert trio.warren("exec", "one", "echo", "--name", "-x").out == "--name -x\n"


def test_it_is_inside(trio):
    seen = inside(trio, "cat", "/proc/net/dev").out
    assert "eth0:" in seen
    assert sorted(inside(trio, "ls", "/sys/class/net").out.split()) == ["eth0", "lo"]
    outside = trio.sh("stat -Lc %i /run/netns/trio.one").out.strip()
    assert inside(trio, "stat", "-Lc", "%i", "/proc/self/ns/net").out.strip() == outside


def test_signals_reach_the_command(trio):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        child = trio.popen(WARREN, "exec", "one", "--", "sh", "-c", "echo ready; exec sleep 60", stdout=subprocess.PIPE, text=True)
        assert child.stdout.readline() == "ready\n"
        child.send_signal(number)
        assert child.wait(10) == -number


def test_signals_are_not_blocked_or_ignored(trio):
    wanted = {line.split(":")[0]: line.split()[1] for line in trio.run("cat", "/proc/self/status").out.splitlines() if line.startswith("Sig")}
    seen = {line.split(":")[0]: line.split()[1] for line in inside(trio, "cat", "/proc/self/status").out.splitlines() if line.startswith("Sig")}
    for name in ("SigBlk", "SigIgn", "SigCgt"):
        assert seen[name] == wanted[name]


def test_killed_by_a_signal(trio):
    done = inside(trio, "sh", "-c", "kill -KILL $$", check=False)
    assert done.status in (-signal.SIGKILL, 128 + signal.SIGKILL)


def test_terminal(trio):
    main, side = pty.openpty()
    child = trio.popen(WARREN, "exec", "one", "--", "sh", "-c", "test -t 0 && test -t 1 && test -t 2 && stat -Lc %t:%T /proc/self/fd/0",
                       stdin=side, stdout=side, stderr=side)
    wanted = os.fstat(side)
    os.close(side)
    out = b""
    try:
        while chunk := os.read(main, 4096):
            out += chunk
    except OSError:  # the other end is closed
        pass
    os.close(main)
    assert child.wait(10) == 0, out
    assert out.decode().strip() == f"{os.major(wanted.st_rdev):x}:{os.minor(wanted.st_rdev):x}"


def test_pipes(trio):
    done = inside(trio, "sh", "-c", "cat; echo wrong >&2", input="through\n")
    assert done.out == "through\n" and done.err == "wrong\n"


def test_no_descriptors_leak(trio):
    listed = inside(trio, "sh", "-c", "ls /proc/$$/fd").out.split()
    assert listed == ["0", "1", "2"]


def test_directory_and_environment_stay(trio):
    assert inside(trio, "pwd").out.strip() == str(trio.directory)
    assert inside(trio, "sh", "-c", "echo $FRUIT", env={"FRUIT": "pear"}).out == "pear\n"


def test_no_such_command(trio):
    done = inside(trio, "no-such-command", check=False)
    assert done.status == 127 and "no-such-command" in done.err
    path = trio.write("plain", "text")
    assert inside(trio, path, check=False).status == 126


def test_mounts_inside_stay_inside(trio):
    with trio.leaves_nothing():
        inside(trio, "mount", "-t", "tmpfs", "none", "/mnt")


# --- names of namespaces -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["one", "trio/one", "trio.one"])
def test_names(trio, name):
    assert "10.20.0.1/24" in trio.warren("exec", name, "--", "ip", "addr").out


def test_unknown_name(trio):
    done = trio.warren("exec", "onne", "--", "true", check=False)
    assert done.status in (1, 2) and "onne" in done.err
    assert "one" in normal(done.err).replace("onne", "")


def test_ambiguous_name(trio):
    trio.warren("up", "--name", "copy", "trio.yaml")
    done = trio.warren("exec", "one", "--", "true", check=False)
    assert done.status in (1, 2)
    for candidate in ("trio", "copy"):
        assert candidate in done.err
    trio.warren("exec", "copy/one", "--", "true")


def test_a_namespace_of_no_network(trio):
    trio.sh("ip netns add stranger")
    assert trio.warren("exec", "stranger", "--", "ls", "/sys/class/net").out.strip() == "lo"


def test_all(trio):
    done = trio.warren("exec", "--all", "trio", "--", "ip", "-br", "-4", "addr", "show", "eth0")
    for name, address in (("one", "10.20.0.1"), ("two", "10.20.0.2")):
        assert re.search(rf"^\S*\b{name}\b.*{re.escape(address)}/24", done.out, re.M)
    failing = trio.warren("exec", "--all", "trio", "--", "sh", "-c", "ip addr | grep -q 10.20.0.2/", check=False)
    assert failing.status != 0


# --- names of hosts ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("tool", [["warren"], ["ip", "netns", "exec", "trio.one"]], ids=["warren", "ip"])
def test_host_names(trio, tool):
    def ask(*words):
        return inside(trio, *words) if tool == ["warren"] else trio.run(*tool, *words)

    assert "10.20.0.2" in ask("getent", "ahostsv4", "two").out
    assert "fd20::2" in ask("getent", "ahostsv6", "two").out
    assert re.search(r"10\.20\.0\.2|fd20::2", ask("getent", "hosts", "two").out)
    assert "10.20.0.2" in ask("getent", "ahostsv4", "two.trio").out
    assert "127.0.0.1" in ask("getent", "ahostsv4", "localhost").out


def test_every_namespace_is_named(trio):
    for name in ("one", "two", "three"):
        assert inside(trio, "getent", "ahostsv4", name).out.startswith("10.20.0.")


def test_extra_hosts(box):
    box.up("name: extra\nbridges: {lan: {subnet: [10.9.0.0/24, \"fd09::/64\"]}}\nnamespaces:\n"
           "  a: {interfaces: {eth0: lan}, hosts: {printer: [10.9.0.200, \"fd09::200\"]}}\n  b: {interfaces: {eth0: lan}}\n")
    assert "10.9.0.200" in box.warren("exec", "a", "--", "getent", "ahostsv4", "printer").out
    assert "fd09::200" in box.warren("exec", "a", "--", "getent", "ahostsv6", "printer").out
    assert box.warren("exec", "b", "--", "getent", "ahostsv4", "printer", check=False).status != 0
    assert "10.9.0." in box.warren("exec", "a", "--", "getent", "ahostsv4", "b").out


def test_names_follow_edits(trio):
    trio.up(TRIO + '  late: {interfaces: {eth0: {bridge: lan, address: [10.20.0.99/24, "fd20::99/64"]}}}\n')
    assert "10.20.0.99" in inside(trio, "getent", "ahostsv4", "late").out


def test_resolv_conf_of_the_machine(trio):
    assert inside(trio, "cat", "/etc/resolv.conf").out == "nameserver 192.0.2.53\n"


DNS = "name: dns\nnamespaces: {a: {dns: {servers: [9.9.9.9, \"2620:fe::9\"], search: [shop.test]}}}\n"


@pytest.mark.parametrize("kind", ["file", "symlink", "relative", "dangling", "missing"])
def test_resolv_conf(box, kind):
    """The convention of ip-netns(8), whatever /etc/resolv.conf is on this machine."""
    box.sh({
        "file": ":",
        "symlink": "mkdir /run/resolver; echo nameserver 192.0.2.1 > /run/resolver/resolv.conf; ln -sf /run/resolver/resolv.conf /etc/resolv.conf",
        "relative": "mkdir /run/resolver; echo nameserver 192.0.2.1 > /run/resolver/resolv.conf; ln -sf ../run/resolver/resolv.conf /etc/resolv.conf",
        "dangling": "ln -sf /run/no/such/file /etc/resolv.conf",
        "missing": "rm /etc/resolv.conf",
    }[kind])
    with box.leaves_nothing():
        box.up(DNS)
        seen = box.warren("exec", "a", "--", "cat", "/etc/resolv.conf", check=kind != "missing" or False)
        if kind != "missing":
            assert "nameserver 9.9.9.9" in seen.out and "nameserver 2620:fe::9" in seen.out and "search shop.test" in seen.out
            assert "192.0.2" not in seen.out
        box.warren("down", "dns")


def test_resolv_conf_behind_a_stub(box):
    """A resolver on the machine's loopback cannot be reached from inside: the servers behind it are used."""
    box.sh("mkdir -p /run/systemd/resolve; echo nameserver 127.0.0.53 > /run/systemd/resolve/stub-resolv.conf;"
           "printf 'nameserver 192.0.2.99\\nsearch home.test\\n' > /run/systemd/resolve/resolv.conf;"
           "ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf")
    with box.leaves_nothing():
        box.up("name: stub\nnamespaces: {a: {}}\n")
        seen = box.warren("exec", "a", "--", "cat", "/etc/resolv.conf").out
        assert "192.0.2.99" in seen and "127.0.0.53" not in seen
        box.warren("down", "stub")


# --- as another user ---------------------------------------------------------------------------------------------------

@needs_root
def test_user_has_no_capabilities(trio):
    told = trio.warren("exec", "--user", "nobody", "one", "--", "cat", "/proc/self/status").out
    fields = dict(re.findall(r"^(\w+):\s*(.*)$", told, re.M))
    assert fields["Uid"].split() == ["65534"] * 4 and fields["Gid"].split() == ["65534"] * 4
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(fields[name], 16) == 0, name
    assert fields["NoNewPrivs"] == "1"


@needs_root
def test_user_may_ping_and_bind_low_ports(trio):
    trio.warren("exec", "--user", "nobody", "one", "--", "ping", "-q", "-c1", "-W2", "10.20.0.2")
    trio.warren("exec", "--user", "nobody", "one", "--", "python3", "-c", "import socket; socket.socket().bind(('', 80))")


@needs_root
def test_user_cannot_change_the_network(trio):
    with trio.touches_nothing():
        trio.warren("exec", "--user", "nobody", "one", "--", "ip", "link", "set", "eth0", "down", check=2)


@needs_root
def test_unknown_user(trio):
    done = trio.warren("exec", "--user", "no-such-user", "one", "--", "true", check=False)
    assert done.status != 0 and "no-such-user" in done.err


def test_shell(trio):
    done = trio.warren("shell", "one", input="ip -br addr show eth0; exit 4\n", env={"SHELL": "/bin/sh"}, check=4)
    assert "10.20.0.1/24" in done.out
