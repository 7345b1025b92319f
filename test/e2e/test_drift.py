"""Whatever is changed behind warren's back: status says so and names it, up mends it, and nothing else is touched."""

import pytest
from conftest import Box, assert_same
from networks import RICH

DRIFTS = {
    "address deleted": ("ip -n rich.web addr del 10.31.0.10/24 dev eth1", "10.31.0.10/24"),
    "IPv6 address deleted": ("ip -n rich.web addr del fd30::5/64 dev eth0", "fd30::5/64"),
    "address of the machine deleted": ("ip addr del 10.30.0.1/24 dev rich-lan", "10.30.0.1/24"),
    "route deleted": ("ip -n rich.web route del 192.0.2.0/24", "192.0.2.0/24"),
    "default route deleted": ("ip -n rich.app1 route del default", "default"),
    "route changed": ("ip -n rich.web route change 192.0.2.0/24 via 10.31.0.21 metric 50", "192.0.2.0/24"),
    "blackhole deleted": ("ip -n rich.web route del blackhole 198.51.100.0/24", "198.51.100.0/24"),
    "route of another table deleted": ("ip -n rich.web route flush table 100", "203.0.113.0/24"),
    "IPv6 route deleted": ("ip -n rich.web -6 route del 2001:db8:1::/48", "2001:db8:1::/48"),
    "rule deleted": ("ip -n rich.web rule del priority 1100", "10.31.0.10"),
    "neighbour deleted": ("ip -n rich.web neigh del 10.31.0.77 dev eth1", "10.31.0.77"),
    "interface down": ("ip -n rich.web link set eth0 down", "eth0"),
    "lo down": ("ip -n rich.web link set lo down", "lo"),
    "port down": ("ip link set rich-web-eth0 down", "web"),
    "bridge down": ("ip link set rich-lan down", "lan"),
    "mtu changed": ("ip -n rich.web link set eth1 mtu 1300", "1300"),
    "mtu too small for IPv6": ("ip -n rich.web link set eth0 mtu 1200", "1200"),
    "mtu too small for IPv6 where there is none": ("ip -n rich.web link set eth1 mtu 1200", "1200"),
    "mac changed": ("ip -n rich.web link set eth1 address 02:00:00:00:99:99", "02:00:00:00:99:99"),
    "cable deleted": ("ip -n rich.web link del cable0", "cable0"),
    "cable of a port deleted": ("ip link del rich-web-eth0", "eth0"),
    "bridge deleted": ("ip link del rich-lan", "lan"),
    "port unplugged": ("ip link set rich-web-eth0 nomaster", "web"),
    "namespace deleted": ("ip netns del rich.web", "web"),
    "router deleted": ("ip netns del rich.edge", "edge"),
    "bridge's namespace deleted": ("ip netns del rich.dmz", "dmz"),
    "pin became a plain file": ("umount -l /run/netns/rich.app1", "app1"),
    "setting changed": ("nsenter --net=/run/netns/rich.web sysctl -q net.ipv4.tcp_syn_retries=5", "tcp_syn_retries"),
    "forwarding off": ("nsenter --net=/run/netns/rich.edge sysctl -q net.ipv4.conf.eth0.forwarding=0", "forwarding"),
    "forwarding off everywhere": ("nsenter --net=/run/netns/rich.edge sysctl -q net.ipv4.ip_forward=0", "forward"),
    "reverse path filter on": ("nsenter --net=/run/netns/rich.edge sysctl -q net.ipv4.conf.eth1.rp_filter=1", "rp_filter"),
    "IPv6 on where it was off": ("nsenter --net=/run/netns/rich.app1 sysctl -q net.ipv6.conf.eth0.disable_ipv6=0", "disable_ipv6"),
    "mark of a namespace gone": ("ip -n rich.web link set lo alias ''", "web"),
    "mark of a link gone": ("ip link set rich-web-eth0 alias ''", "web"),
    "altname gone": ("ip link property del dev rich-web-eth0 altname rich.web.eth0", "web"),
    "hosts file gone": ("rm /etc/netns/rich.web/hosts", "web"),
    "several at once": ("ip -n rich.web addr flush dev eth1; ip netns del rich.app2; ip addr flush dev rich-lan", "app2"),
}


@pytest.fixture(scope="module")
def machines():
    """The machine that the drifts share, as long as each is mended."""
    found = []
    yield found
    for machine in found:
        machine.close()


@pytest.fixture
def rich(machines, tmp_path_factory):
    if not machines:
        machine = Box(tmp_path_factory.mktemp("drift"))
        machine.up(RICH)
        machine.reference = machine.observe("network")
        machines.append(machine)
    machine = machines.pop()
    yield machine
    if machine.mended:
        machines.append(machine)
    else:
        machine.close()


@pytest.mark.parametrize("what", DRIFTS)
def test_drift(rich, what):
    command, word = DRIFTS[what]
    rich.mended = False
    rich.up(RICH)
    rich.warren("status", "rich")
    rich.sh(command)
    status = rich.warren("status", "rich", check=3)
    assert word in status.out
    plan = rich.warren("plan", rich.directory / "net.yaml", check=3)
    assert word in plan.out
    rich.up(RICH)
    rich.warren("status", "rich")
    assert_same(rich.reference, rich.observe("network"))
    rich.ping("rich.web", "10.30.0.1")
    rich.ping("rich.app2", "10.31.0.21")
    rich.mended = True


def test_status_of_what_is_not_there(box):
    done = box.warren("status", "nothing", check=1)
    assert "nothing" in done.err
    box.write("net.yaml", RICH)
    planned = box.warren("plan", box.directory / "net.yaml", check=3)
    assert "10.31.0.10/24" in planned.out


def test_foreign_things_inside_stay(trio):
    """What someone adds inside a namespace of ours is not ours."""
    trio.sh("ip -n trio.one link add foreign0 type veth peer name foreign1; ip -n trio.one addr add 172.16.0.1/24 dev foreign0;"
            "ip -n trio.one link set foreign0 up; ip -n trio.one link set foreign1 up; ip -n trio.one route add 172.17.0.0/16 via 172.16.0.2")
    before = trio.observe("pinned")
    again = trio.warren("up", trio.directory / "trio.yaml")
    assert "nothing to do" in again.out + again.err
    assert_same(before, trio.observe("pinned"))
