"""Bad days: no privilege, no room, two runs at once, interrupted, killed, rebooted."""

import signal
import subprocess
import time
from pathlib import Path

import pytest
import sandbox
from conftest import AS_ROOT, TRIO, WARREN, WARREN_PLAIN, needs_root, needs_strace, normal
from networks import EDITED, RICH


def wait_until(condition, seconds=10):
    """Asks again and again; every question is a process of its own, so that this does not spin."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen in time"


def strace(*words):
    """The traced program is the process itself: its pid gets the signals. The leak checker cannot work under a tracer."""
    return ["env", "ASAN_OPTIONS=detect_leaks=0:exitcode=99", "strace", "-D", "-I1", "-f", "-qq", "--seccomp-bpf", "-o", "trace", *words, "--"]


# Every call that makes something takes its time.
SLOWLY = ["-e", "trace=sendto,sendmsg,mount,move_mount", "-e", "inject=sendto,sendmsg,mount,move_mount:delay_exit=40000"]


# --- privilege -----------------------------------------------------------------------------------------------------------

def test_without_capabilities(box):
    path = box.write("trio.yaml", TRIO)
    with box.touches_nothing():
        for words in (["up", path], ["run", path, "--", "true"]):
            done = box.run("setpriv", "--bounding-set=-all", "--inh-caps=-all", WARREN, *words, check=1)
            assert "CAP_NET_ADMIN" in done.err and "try:" in done.err
            assert len(done.err.splitlines()) <= 2


@needs_root
def test_as_an_ordinary_user(box):
    path, program = "/run/trio.yaml", "/run/warren-copy/warren"
    box.sh(f"cat > {path}", input=TRIO)
    # Where it was built he may not be able to look: the home of root, for one.
    box.sh(f"mkdir /run/warren-copy; cp -L {WARREN} $(ls {Path(WARREN).parent}/libwarren.so.? 2>/dev/null) /run/warren-copy/")
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]
    with box.touches_nothing():
        done = box.run(*drop, program, "up", path, check=1)
        assert "CAP_NET_ADMIN" in done.err or "root" in done.err
        box.run(*drop, program, "show", path)
        box.run(*drop, program, "help")


# --- no room --------------------------------------------------------------------------------------------------------------

def test_read_only_run(box):
    path = box.write("trio.yaml", TRIO)
    box.remount_run(sandbox.MS_RDONLY, "mode=755")
    with box.touches_nothing():
        done = box.warren("up", path, check=1)
        assert "/run" in done.err


def test_full_run(box):
    path = box.write("trio.yaml", TRIO)
    box.remount_run(0, "size=256k")
    box.sh("mkdir -p /run/netns; dd if=/dev/zero of=/run/fill bs=4k 2>/dev/null || :")
    with box.touches_nothing():
        done = box.warren("up", path, check=1)
        assert "No space" in done.err


def test_full_run_while_it_is_up(trio):
    """An edit that cannot be written down is not begun; what is up stays, and can be taken down."""
    trio.remount_run(0, "size=512k")
    trio.sh("dd if=/dev/zero of=/run/fill bs=1k 2>/dev/null || :")
    inside = trio.observe("pinned")
    edit = trio.up(TRIO + "  four: {interfaces: {eth0: lan}}\n", check=False)
    if edit.status != 0:
        assert edit.status == 1 and trio.observe("pinned") == inside
    trio.warren("down", "trio")
    assert trio.pins() == []


def test_read_only_settings(box):
    """It gets round a read-only /proc/sys, or it says so and puts back."""
    path = box.write("net.yaml", "name: ro\nnamespaces: {a: {sysctl: {net.ipv4.tcp_syn_retries: 2}}}\n")
    box.sh("mount --bind /proc/sys /proc/sys; mount -o remount,ro,bind /proc/sys")
    with box.leaves_nothing():
        done = box.warren("up", path, check=False)
        if done.status == 0:
            assert box.inside("ro.a", "cat", "/proc/sys/net/ipv4/tcp_syn_retries").out == "2\n"
            box.warren("down", "ro")
        else:
            assert done.status == 1 and "sysctl" in done.err


# --- two at once -------------------------------------------------------------------------------------------------------

@needs_strace
def test_the_second_waits(box):
    path = box.write("trio.yaml", TRIO)
    first = box.popen(*strace("-e", "trace=sendto,sendmsg", "-e", "inject=sendto,sendmsg:delay_enter=2500000:when=2"), WARREN_PLAIN, "up", path,
                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: box.run("flock", "-n", "/run/warren/trio/lock", "true", check=False).status == 1)
    gives_up = box.warren("up", "--timeout", "1", path, check=1)
    assert str(first.pid) in gives_up.err and "trio" in gives_up.err
    waits = box.warren("up", path)
    assert str(first.pid) in waits.err
    assert "nothing to do" in waits.out + waits.err
    assert first.wait(20) == 0, first.stderr.read()


def test_a_dead_holder_holds_nothing(box):
    path = box.write("trio.yaml", TRIO)
    box.warren("up", path)
    box.sh("test -e /run/warren/trio/lock")
    box.warren("up", "--timeout", "1", path)


def test_many_at_once_on_one_network(box):
    path = box.write("trio.yaml", TRIO)
    with box.leaves_nothing():
        running = [box.popen(WARREN, verb, path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                   for verb in ("up", "down", "up", "up", "down", "up")]
        for child in running:
            _, err = child.communicate(timeout=60)
            assert child.returncode == 0, err
        box.warren("up", path)
        box.ping("trio.one", "10.20.0.2")
        box.warren("down", path)


def test_two_networks_at_once(box):
    paths = [box.write("trio.yaml", TRIO), box.write("rich.yaml", RICH), box.write("work.yaml", EDITED)]
    with box.leaves_nothing():
        for verb in ("up", "down"):
            running = [box.popen(WARREN, verb, path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for path in paths]
            for child in running:
                _, err = child.communicate(timeout=60)
                assert child.returncode == 0, err
            for name in ("trio", "rich", "work"):
                if verb == "up":
                    box.warren("status", name)


# --- interrupted -------------------------------------------------------------------------------------------------------

@needs_strace
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_interrupted(box, number):
    """Stopped after the namespaces were made and before the rest was: put back, said, status 1."""
    path = box.write("rich.yaml", RICH)
    with box.leaves_nothing():
        child = box.popen(*strace(*SLOWLY), WARREN_PLAIN, "up", path,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_until(lambda: "rich." in " ".join(box.pins()))
        child.send_signal(number)
        _, err = child.communicate(timeout=30)
        assert child.returncode == 1, err
        assert "interrupt" in err.lower() or number.name in err


@needs_strace
def test_interrupted_edit(box):
    """The network that was up is up as before."""
    box.up(RICH)
    before = box.observe("pinned")
    path = box.write("net.yaml",
                     RICH.replace("app[1-2]", "app[1-4]").replace("mtu: 1300", "mtu: 1290"))
    child = box.popen(*strace(*SLOWLY), WARREN_PLAIN, "up", path,
                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: "rich.app3" in box.pins() or child.poll() is not None)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=30)
    assert child.returncode == 1, err
    after = box.observe("pinned")
    assert set(after) == set(before)
    for pin in before:
        assert after[pin]["links"] == before[pin]["links"], pin
    box.warren("up", box.write("net.yaml", RICH))


def test_terminal_closed_while_it_runs(box):
    """Nobody reads what it prints: the work is done or undone, never half."""
    path = box.write("trio.yaml", TRIO)
    box.sh(f"'{WARREN}' up '{path}' | true")
    wait_until(lambda: box.warren("status", "trio", check=False).status in (0, 1))
    box.warren("up", path)
    box.warren("status", "trio")


# --- a step fails --------------------------------------------------------------------------------------------------------

def count_sends(box, *words):
    box.run(*strace("-e", "trace=sendto,sendmsg"), WARREN_PLAIN, *words)
    trace = (box.directory / "trace").read_text()
    return {name: sum(f"{name}(" in line for line in trace.splitlines()) for name in ("sendto", "sendmsg")}


@needs_strace
@pytest.mark.parametrize("error", ["ENOMEM", "EPERM"])
def test_a_failing_request_is_put_back(box, error):
    path = box.write("rich.yaml", RICH)
    counts = count_sends(box, "up", path)
    box.warren("down", "rich")
    points = [(name, number) for name, total in counts.items() for number in range(1, total + 1)]
    failed = 0
    with box.leaves_nothing():
        for name, number in points[:: max(1, len(points) // 12)]:
            done = box.run(*strace("-e", f"trace={name}", "-e", f"inject={name}:error={error}:when={number}"), WARREN_PLAIN, "up", path, check=False)
            assert done.status in (0, 1), done
            failed += done.status
            if done.status == 1:
                assert done.err.startswith("warren: ")
                assert box.pins() == [] and [link["ifname"] for link in box.ip_json("link")] == ["lo"], done
            else:
                box.warren("status", "rich")
                box.warren("down", "rich")
    assert failed > 0


@needs_strace
def test_a_failing_edit_is_put_back(box):
    box.up(RICH, name="rich.yaml")
    edited = box.write("edited.yaml", RICH.replace("app[1-2]", "app[1-3]").replace("mtu: 1300", "mtu: 1290").replace("10.31.0.10/24", "10.31.0.12/24")
                       .replace("10.31.0.10/32", "10.31.0.12/32").replace("tcp_syn_retries: 2", "tcp_syn_retries: 4"))
    before = box.observe("pinned")
    counts = count_sends(box, "up", edited)
    box.warren("up", "rich.yaml")
    failed = 0
    points = [(name, number) for name, total in counts.items() for number in range(1, total + 1)]
    for name, number in points[:: max(1, len(points) // 10)]:
        before = box.observe("network")
        done = box.run(*strace("-e", f"trace={name}", "-e", f"inject={name}:error=ENOMEM:when={number}"), WARREN_PLAIN, "up", edited, check=False)
        assert done.status in (0, 1), done
        if done.status == 1:
            failed += 1
            assert box.observe("network") == before, done
        else:
            box.warren("up", "rich.yaml")
    assert failed > 0
    box.warren("status", "rich")


# --- the state directory and reboots ---------------------------------------------------------------------------------------

def test_state_gone(trio):
    with trio.touches_nothing():
        trio.up(TRIO, "--name", "other")
        trio.sh("rm -rf /run/warren/other")
        trio.warren("down", "other")


def test_state_gone_altogether(box):
    with box.leaves_nothing():
        box.up(RICH)
        box.sh("rm -rf /run/warren")
        box.ping("rich.web", "10.30.0.1")
        box.warren("up", box.directory / "net.yaml")
        box.warren("status", "rich")
        box.sh("rm -rf /run/warren")
        assert "rich" in box.warren("ls").out
        box.warren("down", "rich")
        # Who made the directory is known to the state alone, and an empty one is nobody's loss.
        box.sh("rmdir /etc/netns 2>/dev/null || :")


@pytest.mark.parametrize("text", ["", "\0" * 100, "garbage\n", "{"], ids=["empty", "zeros", "garbage", "brace"])
def test_torn_state(trio, text):
    trio.sh("for f in $(find /run/warren/trio -type f ! -name lock); do cat > $f; done", input=text)
    trio.warren("up", trio.directory / "trio.yaml")
    trio.warren("status", "trio")
    trio.warren("down", "trio")
    assert trio.pins() == []


def another_boot(box):
    box.write("boot_id", "11111111-2222-3333-4444-555555555555\n")
    box.sh(f"mount --bind '{box.directory}/boot_id' /proc/sys/kernel/random/boot_id")


def test_state_of_another_boot(trio):
    """The state says another boot: it is not believed. The kernel's marks are."""
    another_boot(trio)
    trio.warren("up", trio.directory / "trio.yaml")
    trio.warren("status", "trio")
    trio.ping("trio.one", "10.20.0.2")
    trio.warren("down", "trio")
    assert trio.pins() == []


@pytest.mark.parametrize("verb", ["up", "down"])
def test_reboot_that_leaves_run_behind(box, verb):
    """Where /run is a disk: names of namespaces that are no more, files that say what was."""
    path = box.write("rich.yaml", RICH)
    with box.leaves_nothing():
        box.warren("up", path)
        box.sh("for pin in /run/netns/*; do umount $pin; done; ip link del rich-lan 2>/dev/null || :; ip link del rich0 2>/dev/null || :;"
               "for link in $(ls /sys/class/net | grep ^rich); do ip link del $link 2>/dev/null || :; done")
        another = box.directory / "boot_id"
        another_boot(box)
        if verb == "up":
            box.warren("up", path)
            box.warren("status", "rich")
            box.ping("rich.web", "10.30.0.1")
        box.warren("down", path)
        box.sh("umount /proc/sys/kernel/random/boot_id; rmdir /etc/netns 2>/dev/null || :")
        another.unlink()


def test_run_is_a_disk(box):
    (box.directory / "run").mkdir()
    box.sh(f"mount --bind '{box.directory}/run' /run")
    with box.leaves_nothing():
        box.up(TRIO)
        box.ping("trio.one", "10.20.0.2")
        assert "nothing to do" in normal(box.up(TRIO).out)
        box.warren("down", "trio")
    if AS_ROOT:
        box.sh("umount /run/netns 2>/dev/null || :")


def test_pins_made_by_ip_first(box):
    """ip netns made the directory a shared mount already; afterwards it works on ours as on its own."""
    box.sh("ip netns add before")
    box.up(TRIO)
    assert {"before", "trio.one"} <= set(line.split()[0] for line in box.run("ip", "netns").out.splitlines())
    box.run("ip", "netns", "exec", "trio.one", "ping", "-q", "-c1", "-W2", "10.20.0.2")
    box.sh("ip netns add after; ip netns del before")
    box.warren("down", "trio")
    assert box.pins() == ["after"]


def test_pin_seen_from_another_mount_namespace(trio):
    """A mount namespace that copied the pins holds them: taking down works all the same."""
    holder = trio.popen("unshare", "-m", "--propagation", "private", "sh", "-c", "echo ready; exec sleep 60", stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "ready\n"
    trio.warren("down", "trio")
    assert trio.pins() == []
    holder.kill()
    holder.wait()


def test_down_while_something_runs_inside(trio):
    child = trio.popen(WARREN, "exec", "one", "--", "sh", "-c", "echo ready; exec sleep 60", stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"
    trio.warren("down", "trio")
    assert trio.pins() == []
    trio.up(TRIO)
    trio.ping("trio.one", "10.20.0.2")
