"""An edited file changes in place what the kernel can change in place; what did not change loses nothing meanwhile."""

import json
import subprocess
import sys

import pytest
from conftest import TOP, assert_same
from networks import EDITED

STREAM = TOP / "test" / "e2e" / "stream.py"

# name: (text to replace, its replacement, words that plan must say)
EDITS = {
    "mtu": ("address: 10.40.0.3/24}", "address: 10.40.0.3/24, mtu: 1400}", ["mtu 1500", "1400"]),
    "mac": ("address: 10.40.0.3/24}", 'address: 10.40.0.3/24, mac: "02:00:00:00:00:33"}', ["02:00:00:00:00:33"]),
    "address changed": ("10.40.0.3/24", "10.40.0.33/24", ["10.40.0.33/24", "10.40.0.3/24"]),
    "address added": ("address: 10.41.0.4/24", "address: [10.41.0.4/24, 10.41.0.44/24]", ["10.41.0.44/24"]),
    "route changed": ("via: 10.40.0.1}", "via: 10.40.0.2}", ["192.0.2.0/24"]),
    "route added": ("via: 10.40.0.1}", "via: 10.40.0.1}, {to: 198.51.100.0/24, type: unreachable}", ["198.51.100.0/24"]),
    "route removed": ("[{to: 192.0.2.0/24, via: 10.40.0.1}]", "[]", ["192.0.2.0/24"]),
    "setting": ("net.ipv4.tcp_syn_retries: 3", "net.ipv4.tcp_syn_retries: 4", ["tcp_syn_retries"]),
    "down": ("address: 10.41.0.4/24", "address: 10.41.0.4/24, up: false", ["fourth"]),
    "to another bridge": ("eth0: {bridge: spare, address: 10.41.0.4/24}", "eth0: {bridge: lan, address: 10.40.0.4/24}", ["fourth"]),
    "namespace added": ("links:", "  fifth: {interfaces: {eth0: {bridge: lan, address: 10.40.0.5/24}}}\nlinks:", ["namespace fifth"]),
    "namespace removed": ("  fourth: {interfaces: {eth0: {bridge: spare, address: 10.41.0.4/24}}}\nlinks:\n"
                          "  - {ends: [third:c0, fourth:c0], addresses: [10.42.0.1/30, 10.42.0.2/30]}", "", ["namespace fourth"]),
    "cable added": ("links:", "links:\n  - {ends: [third:c1, fourth:c1], addresses: [10.43.0.1/30, 10.43.0.2/30]}", ["c1"]),
    "cable removed": ("links:\n  - {ends: [third:c0, fourth:c0], addresses: [10.42.0.1/30, 10.42.0.2/30]}", "", ["c0"]),
    "interface added": ("eth0: {bridge: spare, address: 10.41.0.4/24}", "eth0: {bridge: spare, address: 10.41.0.4/24}, eth9: {bridge: lan, address: 10.40.0.9/24}", ["eth9"]),
    "bridge added": ("namespaces:", "  extra: {subnet: 10.44.0.0/24}\nnamespaces:", ["extra"]),
    "IPv6 added": ("address: 10.41.0.4/24", 'address: [10.41.0.4/24, "fd41::4/64"]', ["fd41::4/64"]),
    "forwarding": ("  fourth: {", "  fourth: {forward: true, ", ["forward"]),
}


class Stream:
    """Traffic between two pinned namespaces, until it is asked what was lost."""

    def __init__(self, box, server, client, address, port=7000):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.server = box.popen("nsenter", "--net=/run/netns/" + server, sys.executable, STREAM, "serve", address, port, **pipes)
        assert self.server.stdout.readline() == "ready\n"
        self.client = box.popen("nsenter", "--net=/run/netns/" + client, sys.executable, STREAM, "send", address, port, **pipes)
        assert self.client.stdout.readline() == "ready\n"

    def end(self):
        out, _ = self.client.communicate("", timeout=20)
        assert self.client.returncode == 0, out
        self.server.communicate("", timeout=10)
        return json.loads(out)

    def lost_nothing(self):
        told = self.end()
        assert told["tcp_echoed"] == told["tcp_sent"] > 0, told
        assert told["udp_echoed"] == told["udp_sent"] > 0, told
        return told


def edited(name):
    old, new, words = EDITS[name]
    assert EDITED.count(old) == 1
    return EDITED.replace(old, new), words


@pytest.mark.parametrize("what", EDITS)
def test_edit(box, second_box, what):
    text, words = edited(what)
    box.up(EDITED)
    before = box.observe("pinned")
    stream = Stream(box, "work.left", "work.right", "10.40.0.1")
    path = box.write("net.yaml", text)
    plan = box.warren("plan", path, check=3)
    for word in words:
        assert word in plan.out
    box.warren("up", path)
    stream.lost_nothing()
    box.warren("status", "work")
    # What did not change is the very same thing, number for number.
    after = box.observe("pinned")
    for pin in ("work.left", "work.right"):
        assert_same(before[pin], after[pin])
    # And the whole is what a clean machine would have got.
    second_box.up(text)
    assert_same(second_box.observe("network"), box.observe("network"))
    # There and back.
    box.up(EDITED)
    second_box.warren("down", "work")
    second_box.up(EDITED)
    assert_same(second_box.observe("network"), box.observe("network"))
    box.warren("down", "work")
    assert box.pins() == []


@pytest.mark.parametrize("what", ["mtu", "mac", "address changed", "address added", "route changed", "setting"])
def test_in_place(box, what):
    """The interface that changes stays the same interface."""
    text, _ = edited(what)

    def numbers():
        return {(pin, link["ifname"]): link["ifindex"] for pin in box.pins() for link in box.ip_json("link", ns=pin)
                if link["ifname"].startswith(("eth", "c0"))}

    box.up(EDITED)
    before = numbers()
    box.up(text)
    assert numbers() == before


def test_moving_within_the_machine_is_in_place(box):
    two = """
name: two
bridges: {a: {subnet: 10.60.0.0/24, host: true}, b: {subnet: 10.61.0.0/24, host: true}}
namespaces: {x: {interfaces: {eth0: {bridge: a, address: 10.60.0.9/24}}}, y: {interfaces: {eth0: a}}}
"""
    box.up(two)
    (link,) = box.ip_json("link", "show", "eth0", ns="two.x")
    box.up(two.replace("{bridge: a, address: 10.60.0.9/24}", "{bridge: b, address: 10.61.0.9/24}"))
    (moved,) = box.ip_json("link", "show", "eth0", ns="two.x")
    assert moved["ifindex"] == link["ifindex"]
    box.ping("two.x", "10.61.0.1")


def test_leaving_the_machine_is_an_interruption(box):
    text = "name: j\nbridges: {lan: {subnet: 10.62.0.0/24, host: true}}\nnamespaces: {a: {interfaces: {eth0: lan}}, b: {interfaces: {eth0: lan}}}\n"
    with box.leaves_nothing():
        box.up(text)
        path = box.write("net.yaml", text.replace(", host: true", ""))
        assert "interrupts" in box.warren("plan", path, check=3).out
        box.warren("up", path)
        assert [link["ifname"] for link in box.ip_json("link")] == ["lo"]
        box.ping("j.a", box.ip_json("-4", "addr", "show", "eth0", ns="j.b")[0]["addr_info"][0]["local"])
        box.warren("down", "j")


def test_handed_out_addresses_stay(box):
    """A namespace that joins in front of the others takes nobody's address."""
    text = "name: lease\nbridges: {lan: {subnet: 10.63.0.0/28}}\nnamespaces:\n  m: {interfaces: {eth0: lan}}\n  z: {interfaces: {eth0: lan}}\n"

    def addresses():
        return {pin: link["addr_info"][0]["local"] for pin in box.pins() if pin != "lease.lan"
                for link in box.ip_json("-4", "addr", "show", "eth0", ns=pin)}

    box.up(text)
    before = addresses()
    box.up(text.replace("  m:", "  a: {interfaces: {eth0: lan}}\n  m:"))
    after = addresses()
    assert {pin: after[pin] for pin in before} == before
    assert len(set(after.values())) == 3


MOVES = """
name: mv
bridges: {one: {subnet: 10.71.0.0/24}, two: {subnet: 10.72.0.0/24}, pub: {subnet: 10.73.0.0/24, host: true}}
namespaces:
  a: {interfaces: {eth0: {bridge: one, address: 10.71.0.5/24}}}
  b: {interfaces: {eth0: {bridge: two, address: 10.72.0.6/24}}}
  c: {interfaces: {eth0: {bridge: pub, address: 10.73.0.7/24}}}
"""
PLACES = [("two", 72, "10.72.0.6"), ("pub", 73, "10.73.0.7"), ("one", 71, None), ("pub", 73, "10.73.0.7"), ("two", 72, "10.72.0.6")]


def test_moving_between_bridges_keeps_the_interface(box):
    """Bridges in namespaces of their own and bridges of the machine: the interface stays, only its cable's far end moves."""
    box.up(MOVES)
    (before,) = [link for link in box.ip_json("link", ns="mv.a") if link["ifname"] == "eth0"]
    for bridge, number, neighbour in PLACES:
        box.up(MOVES.replace("bridge: one, address: 10.71", f"bridge: {bridge}, address: 10.{number}"))
        (after,) = [link for link in box.ip_json("link", ns="mv.a") if link["ifname"] == "eth0"]
        assert (after["ifindex"], after["address"]) == (before["ifindex"], before["address"])
        box.warren("status", "mv")
        if neighbour:
            box.ping("mv.a", neighbour)
    box.warren("down", "mv")
    assert [link["ifname"] for link in box.ip_json("link")] == ["lo"]


def test_settings_that_leave_the_file(box):
    """They are as in a namespace that nobody has touched; without the kept file they stay."""
    def text(own, interface):
        return ("name: left\nbridges: {lan: {subnet: 10.74.0.0/24}}\nnamespaces:\n"
                f"  a: {{interfaces: {{eth0: {{bridge: lan, sysctl: {{{interface}}}}}}}, sysctl: {{{own}}}}}\n")

    keys = ["net.ipv4.tcp_syn_retries", "net.ipv4.conf.eth0.log_martians", "net.ipv4.neigh.eth0.base_reachable_time_ms",
            "net.ipv4.conf.all.arp_ignore", "net.ipv4.conf.eth0.promote_secondaries", "net.ipv4.conf.lo.rp_filter"]

    def values():
        return box.run("ip", "netns", "exec", "left.a", "sysctl", "-n", *keys).out.split()

    box.up(text("", ""))
    plain = values()
    box.up(text("net.ipv4.tcp_syn_retries: 2, net.ipv4.conf.all.arp_ignore: 1, net.ipv4.conf.lo.rp_filter: 1",
                "ipv4.log_martians: 1, ipv4.neigh.base_reachable_time_ms: 5000, ipv4.promote_secondaries: 1"))
    assert values() == ["2", "1", "5000", "1", "1", "1"] != plain
    path = box.write("net.yaml", text("", ""))
    plan = box.warren("plan", path, check=3)
    assert "net.ipv4.tcp_syn_retries 2" in plan.out and "not in the file any more" in plan.out
    box.warren("up", path)
    assert values() == plain
    box.warren("status", "left")
