"""The witnesses themselves: a machine that is really apart, and an oracle that really sees what is left."""

import os

import pytest
from conftest import AS_ROOT
from test_edit import Stream

PAIR = ("ip netns add a; ip netns add b; ip link add e0 netns a type veth peer name e0 netns b; ip -n a addr add 10.0.0.1/24 dev e0;"
        "ip -n b addr add 10.0.0.2/24 dev e0; ip -n a link set e0 up; ip -n b link set e0 up")


def test_the_machine_is_apart(box):
    box.sh(PAIR + "; echo 1 > /run/mine; hostname elsewhere; echo 1 > /etc/resolv.conf")
    assert box.pins() == ["a", "b"]
    assert not os.path.exists("/run/mine") and os.uname().nodename != "elsewhere"
    assert not os.path.exists("/run/netns/a")
    assert box.run("id", "-u").out == "0\n"
    for kind in ("net", "mnt", "uts") + (() if AS_ROOT else ("user",)):
        assert box.run("readlink", f"/proc/self/ns/{kind}").out.strip() != os.readlink(f"/proc/self/ns/{kind}")


def test_what_is_undone_is_not_seen(box):
    with box.leaves_nothing():
        box.sh(PAIR + "; ip netns del a; ip netns del b")


LEFTOVERS = {
    "namespace": "ip netns add left",
    "stale pin": "mkdir -p /run/netns; touch /run/netns/left",
    "link": "ip link add left0 type veth peer name left1",
    "address": "ip addr add 10.9.0.1/32 dev lo",
    "route": "ip route add blackhole 10.9.0.0/24",
    "rule": "ip rule add from 10.9.0.0/24 table 9",
    "setting": "echo 1 > /proc/sys/net/ipv4/conf/lo/forwarding",
    "file": "mkdir -p /run/warren; touch /run/warren/left",
    "file for a namespace": "mkdir -p /etc/netns/left; touch /etc/netns/left/hosts",
    "mount": "mount -t tmpfs none /mnt",
    "process": "sleep 60 >/dev/null 2>&1 &",
}


@pytest.mark.parametrize("what", LEFTOVERS)
def test_what_is_left_is_seen(box, what):
    with pytest.raises(AssertionError):
        with box.leaves_nothing():
            box.sh(LEFTOVERS[what])


def test_what_is_made_anew_is_seen(box):
    box.sh(PAIR)
    with box.touches_nothing():
        pass
    with pytest.raises(AssertionError):
        with box.touches_nothing():
            box.sh("ip -n a link del e0; ip link add e0 netns a type veth peer name e0 netns b")


def test_the_stream_sees_what_is_lost(box):
    box.sh(PAIR)
    box.ping("a", "10.0.0.2")
    Stream(box, "a", "b", "10.0.0.1").lost_nothing()
    stream = Stream(box, "a", "b", "10.0.0.1", port=7001)
    box.sh("ip -n a link set e0 down; ip -n a link set e0 up")
    told = stream.end()
    assert told["udp_echoed"] < told["udp_sent"]
