"""A network goes up, carries packets, and goes down without a trace."""

import re

import pytest
from conftest import TRIO, assert_same, normal
from networks import RICH


def test_three_on_a_bridge(box):
    with box.leaves_nothing():
        box.up(TRIO)
        assert box.pins() == ["trio.lan", "trio.one", "trio.three", "trio.two"]
        for pin in ("trio.one", "trio.two", "trio.three"):
            for address in ("10.20.0.1", "10.20.0.2", "fd20::1", "fd20::2"):
                box.ping(pin, address)
        # The machine has no part in it: nothing of it is among its interfaces.
        assert [link["ifname"] for link in box.ip_json("link")] == ["lo"]
        box.warren("down", "trio")


def test_no_ipv6_where_none_is_declared(box):
    box.up("name: four\nbridges: {lan: {subnet: 10.9.0.0/24, host: true}}\nnamespaces: {a: {interfaces: {eth0: lan}}}\n")
    box.ping("four.a", "10.9.0.1")
    for namespace in (None, "four.a"):
        for link in box.ip_json("addr", ns=namespace):
            if link["ifname"] != "lo":
                assert [item["local"] for item in link["addr_info"] if item["family"] == "inet6"] == [], link["ifname"]


def test_the_machine_joins(box):
    with box.leaves_nothing():
        box.up(RICH)
        for address in ("10.30.0.5", "fd30::5", "10.33.0.2"):
            box.ping(None, address)
        box.ping("rich.web", "10.30.0.1")
        box.ping("rich.web", "fd30::1")
        box.ping("rich.web", "10.32.0.2")
        # Through the router that the dmz's gateway is, to the other bridge, and back.
        box.sh("ip route add 10.31.0.0/24 via 10.30.0.6")
        box.ping("rich.app1", "10.30.0.1")
        box.sh("ip route del 10.31.0.0/24")
        box.warren("down", "rich")


def test_reserved_names_in_the_kernel(box):
    box.up(RICH)
    links = {link["ifname"]: link for link in box.ip_json("link")}
    assert set(links) == {"lo", "rich-lan", "rich-web-eth0", "rich-edge-eth0", "rich0"}
    assert links["rich-lan"]["ifalias"] == "warren:rich.lan"
    assert links["rich-lan"]["altnames"] == ["rich.lan"]
    assert links["rich-web-eth0"]["ifalias"] == "warren:rich.web.eth0"
    assert links["rich-web-eth0"]["altnames"] == ["rich.web.eth0"]
    assert links["rich-web-eth0"]["master"] == "rich-lan"
    assert links["rich0"]["altnames"] == ["rich.host.rich0"]
    assert len({links[name]["group"] for name in links if name != "lo"}) == 1
    (lo,) = box.ip_json("link", "show", "lo", ns="rich.web")
    assert lo["ifalias"] == "warren:rich.web" and "UP" in lo["flags"]


@pytest.mark.parametrize("text, name", [(TRIO, "trio"), (RICH, "rich")], ids=["trio", "rich"])
def test_twice_is_once(box, text, name):
    first = box.up(text)
    assert "nothing to do" not in first.out + first.err
    before = box.observe("pinned")
    again = box.up(text)
    assert "nothing to do" in again.out + again.err
    assert_same(before, box.observe("pinned"))
    assert "nothing to do" in box.warren("plan", box.directory / "net.yaml").out
    box.warren("status", name)
    box.warren("down", name)
    gone = box.warren("down", name, check=False)
    assert gone.status in (0, 1)
    assert "nothing to do" in gone.out + gone.err or "no network" in gone.err


def test_macs_depend_on_names_alone(box, second_box):
    box.up(TRIO)
    second_box.sh("ip netns add first; ip link add v0 type veth peer name v1 netns first")
    second_box.up(TRIO)
    for pin in ("trio.one", "trio.two", "trio.three"):
        assert [link["address"] for link in box.ip_json("link", ns=pin)] == [link["address"] for link in second_box.ip_json("link", ns=pin)]


def test_mtu_below_what_ipv6_needs(box):
    """An interface of 1200 bytes has no IPv6 settings at all, and needs none."""
    with box.leaves_nothing():
        box.up("name: small\nbridges: {lan: {subnet: 10.9.0.0/24, mtu: 1000}}\nnamespaces: {a: {interfaces: {eth0: lan}}, b: {interfaces: {eth0: lan}}}\n")
        (link,) = box.ip_json("link", "show", "eth0", ns="small.a")
        assert link["mtu"] == 1000
        box.ping("small.a", box.ip_json("-4", "addr", "show", "eth0", ns="small.b")[0]["addr_info"][0]["local"])
        box.warren("down", "small")


def test_down_by_file_and_all(box):
    with box.leaves_nothing():
        box.up(TRIO, name="trio.yaml")
        box.warren("down", box.directory / "trio.yaml")
    with box.leaves_nothing():
        box.up(TRIO, name="trio.yaml")
        box.up(RICH, name="rich.yaml")
        box.warren("down", "--all")


def test_default_file(box):
    box.write("warren.yaml", TRIO)
    box.warren("up")
    box.ping("trio.one", "10.20.0.2")
    box.warren("status", "trio")
    box.warren("down")
    assert box.pins() == []


def test_name_from_the_file_name(box):
    box.up("namespaces: {a: {}}\n", name="lonely.yaml")
    assert box.pins() == ["lonely.a"]


def test_file_on_standard_input(box):
    box.warren("up", "--name", "piped", "-", input="namespaces: {a: {}}\n")
    assert box.pins() == ["piped.a"]


def test_bare_names(box):
    text = 'name: bare\nprefix: ""\nbridges: {lan: {subnet: 10.9.0.0/24, host: true}}\nnamespaces: {a: {interfaces: {eth0: lan}}}\n'
    with box.leaves_nothing():
        box.up(text)
        assert box.pins() == ["a"]
        assert {"lan", "a-eth0"} <= {link["ifname"] for link in box.ip_json("link")}
        box.ping("a", "10.9.0.1")
        box.warren("down", "bare")


def test_a_bridge_name_of_its_own_and_hash_names(box):
    text = """
name: a-rather-long-name
bridges: {lan: {subnet: 10.9.0.0/24, host: true, ifname: office0}}
namespaces: {web-server: {interfaces: {eth0: lan}}}
"""
    with box.leaves_nothing():
        box.up(text)
        names = {name for link in box.ip_json("link") for name in [link["ifname"], *link.get("altnames", [])]}
        assert {"office0", "a-rather-long-name.lan", "a-rather-long-name.web-server.eth0"} <= names
        box.ping("a-rather-long-name.web-server", "10.9.0.1")
        box.warren("down", "a-rather-long-name")


def test_run(box):
    path = box.write("trio.yaml", TRIO)
    with box.leaves_nothing():
        done = box.warren("run", path, "--", "sh", "-c", "ls /run/netns | tr '\\n' ' '; exit 5", check=5)
        assert "trio.lan trio.one trio.three trio.two" in normal(done.out)
    with box.leaves_nothing():
        box.warren("run", path, "--", "ip", "netns", "exec", "trio.one", "ping", "-q", "-c1", "-W2", "10.20.0.2")
    with box.leaves_nothing():
        missing = box.warren("run", path, "--", "/no/such/program", check=False)
        assert missing.status != 0 and "/no/such/program" in missing.err


def test_progress_only_on_a_terminal(box):
    done = box.up(TRIO)
    assert "\r" not in done.out + done.err and not re.search("\x1b\\[", done.out + done.err)


def test_many_ports_and_links(box):
    """Larger than one netlink buffer, both ways."""
    text = "name: many\nbridges: {lan: {subnet: 10.50.0.0/22}}\nnamespaces:\n  n[1-150]: {interfaces: {eth0: lan}}\n"
    with box.leaves_nothing():
        box.up(text, timeout=120)
        assert len(box.pins()) == 151
        assert len(box.ip_json("link", "show", "type", "veth", ns="many.lan")) == 150
        (link,) = box.ip_json("-4", "addr", "show", "eth0", ns="many.n150")
        box.ping("many.n1", link["addr_info"][0]["local"])
        assert "nothing to do" in normal(box.up(text, timeout=120).out)
        box.warren("down", "many", timeout=120)
