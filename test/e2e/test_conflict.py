"""What exists and is not ours: an error that names it, before anything is touched. And what is ours although it looks odd."""

import pytest
from conftest import TRIO, assert_same, normal
from networks import RICH

HOSTED = "name: home\nbridges: {lan: {subnet: 10.70.0.0/24, host: true}}\nnamespaces: {a: {interfaces: {eth0: lan}}}\n"

FOREIGN = {
    "namespace": ("ip netns add home.a", "home.a"),
    "file of some text": ("mkdir -p /run/netns; echo text > /run/netns/home.a", "home.a"),
    "directory": ("mkdir -p /run/netns/home.a", "home.a"),
    "symbolic link": ("mkdir -p /run/netns; ln -s /proc/self/ns/net /run/netns/home.a", "home.a"),
    "bridge": ("ip link add home-lan type bridge", "home-lan"),
    "link": ("ip link add home-a-eth0 type veth peer name other", "home-a-eth0"),
    "altname": ("ip link add other0 type veth peer name other1; ip link property add dev other0 altname home.lan", "other0"),
    "address": ("ip link add other0 type veth peer name other1; ip addr add 10.70.0.1/24 dev other0; ip link set other0 up", "other0"),
    "subnet": ("ip link add other0 type veth peer name other1; ip addr add 10.70.0.99/16 dev other0; ip link set other0 up", "other0"),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_foreign_thing_in_the_way(box, what):
    command, name = FOREIGN[what]
    box.sh(command)
    with box.touches_nothing():
        done = box.up(HOSTED, check=1)
        assert done.err.startswith("warren: ") and name in done.err
        down = box.warren("down", "home", check=False)
        assert down.status in (0, 1)


def test_a_bridge_apart_takes_any_subnet(box):
    """What the machine does not join may use an address that the machine has."""
    box.sh("ip link add other0 type veth peer name other1; ip addr add 10.70.0.1/24 dev other0; ip link set other0 up")
    box.up(HOSTED.replace(", host: true", ""))
    assert box.pins() == ["home.a", "home.lan"]


def test_empty_leftover_is_mended(box):
    """What a killed `ip netns add` leaves: a plain file of mode 0 where a namespace should be."""
    box.sh("mkdir -p /run/netns; touch /run/netns/trio.one; chmod 0 /run/netns/trio.one")
    path = box.write("trio.yaml", TRIO)
    plan = box.warren("plan", path, check=3)
    assert "stale pin" in plan.out
    box.warren("up", path)
    box.ping("trio.one", "10.20.0.2")
    box.warren("down", "trio")
    assert box.pins() == []


def test_another_network_with_the_same_bare_name(box):
    text = 'prefix: ""\nnamespaces: {a: {}}\n'
    box.up("name: first\n" + text, name="first.yaml")
    with box.touches_nothing():
        done = box.up("name: second\n" + text, name="second.yaml", check=1)
        assert "first" in done.err


def test_foreign_resolver_files_stay(box):
    box.sh("mkdir -p /etc/netns/home.a; echo nameserver 192.0.2.7 > /etc/netns/home.a/resolv.conf; echo '192.0.2.8 mine' > /etc/netns/home.a/hosts")
    with box.leaves_nothing():
        box.up(HOSTED + "\n", check=False)
        assert box.sh("cat /etc/netns/home.a/resolv.conf").out == "nameserver 192.0.2.7\n"
        assert box.sh("cat /etc/netns/home.a/hosts").out == "192.0.2.8 mine\n"
        box.warren("down", "home")


NEIGHBOURHOOD = """
ip netns add stranger; ip netns add trio; ip netns add rich.stranger
ip link add lan type bridge; ip link set lan up; ip addr add 172.20.0.1/24 dev lan
ip link add lan0 type veth peer name eth0 netns stranger; ip link set lan0 master lan up
ip -n stranger addr add 172.20.0.2/24 dev eth0; ip -n stranger link set eth0 up; ip -n stranger link set lo up
ip -n stranger route add default via 172.20.0.1; ip route add 172.21.0.0/16 via 172.20.0.2; ip route add 172.22.0.0/16 via 172.20.0.2 proto 173
ip rule add from 172.20.0.0/24 table 200 priority 500; ip neigh add 172.20.0.9 lladdr 02:00:00:00:00:09 dev lan
ip link set lan alias 'warrenty:rich.lan'; ip -n stranger link set lo alias 'warren'
ip link add grouped0 type veth peer name grouped1; ip link set grouped0 group 1459617792
mkdir -p /etc/netns/stranger /run/other; echo nameserver 192.0.2.1 > /etc/netns/stranger/resolv.conf; echo 7 > /run/other/file
"""


def test_not_ours_not_touched(box):
    box.sh(NEIGHBOURHOOD)
    with box.touches_nothing():
        box.up(TRIO, name="trio.yaml")
        box.up(RICH, name="rich.yaml")
        box.up(RICH.replace("mtu: 1400", "mtu: 1450"), name="rich.yaml")
        box.ping("stranger", "172.20.0.1")
        box.warren("down", "rich")
        box.warren("down", "trio")


def test_down_all_takes_only_ours(box):
    box.sh(NEIGHBOURHOOD)
    with box.touches_nothing():
        box.up(TRIO, name="trio.yaml")
        box.up(RICH, name="rich.yaml")
        box.warren("down", "--all")


def test_a_foreign_link_in_our_group(box):
    """Taking down by group must see that someone else's link is in it."""
    box.up(RICH)
    group = next(link["group"] for link in box.ip_json("link") if link["ifname"] == "rich-lan")
    box.sh(f"ip link add mine0 type veth peer name mine1; ip link set mine0 group {group}; ip link set mine1 group {group}")
    box.warren("down", "rich")
    assert {link["ifname"] for link in box.ip_json("link")} == {"lo", "mine0", "mine1"}


def test_a_port_of_someone_else_on_our_bridge(box):
    """A foreign port stays an interface, whatever happens to the bridge."""
    box.up(RICH)
    box.sh("ip link add mine0 type veth peer name mine1; ip link set mine0 master rich-lan up")
    again = box.warren("up", box.directory / "net.yaml")
    assert "nothing to do" in again.out + again.err
    box.warren("down", "rich")
    assert {link["ifname"] for link in box.ip_json("link")} == {"lo", "mine0", "mine1"}


def test_two_networks_side_by_side(box):
    with box.leaves_nothing():
        box.up(TRIO, name="trio.yaml")
        box.warren("up", "--name", "copy", "trio.yaml")
        assert box.pins() == sorted(f"{name}.{pin}" for name in ("trio", "copy") for pin in ("lan", "one", "two", "three"))
        box.ping("copy.one", "10.20.0.2")
        before = {pin: state for pin, state in box.observe("pinned").items() if pin.startswith("trio.")}
        box.warren("status", "trio")
        box.warren("status", "copy")
        box.warren("down", "copy")
        assert_same(before, {pin: state for pin, state in box.observe("pinned").items() if pin.startswith("trio.")})
        box.ping("trio.one", "10.20.0.2")
        box.warren("down", "trio")


def test_two_networks_that_want_one_subnet_of_the_machine(box):
    box.up(HOSTED, name="home.yaml")
    with box.touches_nothing():
        done = box.warren("up", "--name", "second", "home.yaml", check=1)
        assert "home" in done.err and "10.70.0" in done.err


WRONG = {
    "unknown key": ("namespaces: {a: {interfaces: {eth0: {bridge: lan, adress: 10.0.0.1/24}}}}\nbridges: {lan: {}}\n", ["adress", "did you mean 'address'?"]),
    "unknown bridge": ("namespaces: {a: {interfaces: {eth0: lann}}}\nbridges: {lan: {}}\n", ["lann"]),
    "duplicate key": ("namespaces: {a: {}, a: {}}\n", ["net.yaml:1:"]),
    "duplicate address": ("bridges: {lan: {subnet: 10.0.0.0/24}}\nnamespaces:\n  a: {interfaces: {eth0: {bridge: lan, address: 10.0.0.5/24}}}\n"
                          "  b: {interfaces: {eth0: {bridge: lan, address: 10.0.0.5/24}}}\n", ["10.0.0.5", "net.yaml:4:"]),
    "address outside": ("bridges: {lan: {subnet: 10.0.0.0/24}}\nnamespaces: {a: {interfaces: {eth0: {bridge: lan, address: 10.1.0.5/24}}}}\n", ["10.1.0.5"]),
    "network address": ("bridges: {lan: {subnet: 10.0.0.0/24}}\nnamespaces: {a: {interfaces: {eth0: {bridge: lan, address: 10.0.0.0/24}}}}\n", ["10.0.0.0"]),
    "small mtu": ("bridges: {lan: {}}\nnamespaces: {a: {interfaces: {eth0: {bridge: lan, mtu: 67}}}}\n", ["67", "68"]),
    "small mtu for IPv6": ("bridges: {lan: {subnet: \"fd00::/64\"}}\nnamespaces: {a: {interfaces: {eth0: {bridge: lan, mtu: 1279}}}}\n", ["1279", "1280"]),
    "long name": ("namespaces: {a: {interfaces: {abcdefghijklmnop: {address: 10.0.0.1/24}}}}\n", ["abcdefghijklmnop"]),
    "template name": ("bridges: {lan: {}}\nnamespaces: {a: {interfaces: {\"eth%d\": lan}}}\n", ["eth%d"]),
    "cable to itself": ("links: [[\"a:x\", \"a:x\"]]\n", ["a:x"]),
    "interface without anything": ("namespaces: {a: {interfaces: {eth0: {}}}}\n", ["eth0"]),
    "circle": ("bridges: {lan: {subnet: 10.0.0.0/24}}\nnamespaces:\n  a: {interfaces: {eth0: {bridge: lan, address: $(b.eth0)}}}\n"
               "  b: {interfaces: {eth0: {bridge: lan, address: $(a.eth0)}}}\n", ["net.yaml:"]),
    "second document": ("namespaces: {a: {}}\n---\nnamespaces: {b: {}}\n", ["net.yaml:2:"]),
    "not supported yet": ("namespaces: {a: {attach: docker/t1}}\n", ["'attach' is not supported yet"]),
    "gateway nowhere": ("bridges: {lan: {subnet: 10.0.0.0/24}}\nnamespaces: {a: {interfaces: {eth0: lan}, routes: [{to: default, via: 10.9.9.9}]}}\n", ["10.9.9.9"]),
    "too many ports": ("bridges: {lan: {}}\nnamespaces: {\"n[1-1024]\": {interfaces: {eth0: lan}}}\n", ["1023"]),
    "not YAML": ("namespaces: {a: [}\n", ["net.yaml:1:"]),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_file(box, what):
    text, words = WRONG[what]
    path = box.write("net.yaml", text)
    with box.leaves_nothing():
        for command in ("up", "plan", "show"):
            done = box.warren(command, path, check=2)
            assert done.out == "" and "net.yaml:" in done.err and "^" in done.err
            for word in words:
                assert word in normal(done.err), done


def test_all_errors_in_one_run(box):
    path = box.write("net.yaml", "bridges: {lan: {subnett: 1}}\nnamespaces:\n  a: {interfaces: {eth0: nowhere}}\n  b: {forwrd: true}\n")
    done = box.warren("up", path, check=2)
    for place in ("net.yaml:1:", "net.yaml:3:", "net.yaml:4:"):
        assert place in done.err


def test_missing_file(box):
    done = box.warren("up", "no-such-file.yaml", check=False)
    assert done.status in (1, 2) and "no-such-file.yaml" in done.err
    assert box.warren("up", check=False).status in (1, 2)


def test_a_name_that_stands_for_something_else(box):
    """A file with something in it, a directory, a namespace of another kind: said, and left alone."""
    box.sh("mkdir -p /run/netns; echo mine >/run/netns/trio.two")
    refused = box.warren("up", box.write("trio.yaml", TRIO), check=1)
    assert "/run/netns/trio.two exists, is no network namespace, and was not made by warren" in refused.err
    assert box.sh("cat /run/netns/trio.two").out == "mine\n"
    box.sh("rm /run/netns/trio.two; mkdir /run/netns/trio.two")
    assert "is no network namespace" in box.warren("up", box.directory / "trio.yaml", check=1).err
    box.sh("rmdir /run/netns/trio.two; touch /run/netns/trio.two; mount --bind /proc/self/ns/uts /run/netns/trio.two")
    assert "is no network namespace" in box.warren("up", box.directory / "trio.yaml", check=1).err
