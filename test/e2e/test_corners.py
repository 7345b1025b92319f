"""Edits and accidents at the edges: each was once a network that could not be mended."""

import pytest

BRIDGE = "name: shop\nbridges: {lan: {subnet: 10.2.0.0/24, host: true}}\nnamespaces:\n"
WEB = BRIDGE + "  web: {interfaces: {eth0: {bridge: lan, address: 10.2.0.2}}}\n  app: {interfaces: {eth0: {bridge: lan, address: 10.2.0.3}}}\n"


def converged(box, text):
    """One `up`, and nothing is left to do."""
    box.up(text)
    box.warren("status", "shop")
    assert "nothing to do" in box.up(text).out


def test_lo_without_its_mark(box):
    text = WEB.replace("10.2.0.2}}}", "10.2.0.2}}, lo: {address: [192.168.255.1/32]}}")
    box.up(text)
    before = box.observe("network")
    box.sh("ip -n shop.web link set lo alias ''")
    assert "lan" not in box.warren("plan", box.directory / "net.yaml", check=3).out, "no cable needs to be laid anew"
    converged(box, text)
    assert box.observe("network") == before
    box.sh("ip -n shop.app link set lo alias ''")
    assert box.warren("up", box.write("bad.yaml", text.replace("  web: {", "  web: {sysctl: {net.ipv4.nonexistent: 1}, ")), check=1).err


def test_down_by_name_of_what_lost_its_mark(box):
    with box.leaves_nothing():
        box.up(WEB)
        box.sh("ip -n shop.app link set lo alias ''; ip netns add shop.mine")
        box.warren("down", "shop")
        assert box.pins() == ["shop.mine"]
        box.sh("ip netns del shop.mine")


@pytest.mark.parametrize("edit", ["host: true, ifname: br-c", "host: true, ifname: br-d"])
def test_another_interface_name(box, edit):
    for text in (WEB, WEB.replace("host: true", edit), WEB.replace("host: true", "host: true, ifname: br-e"), WEB):
        converged(box, text)
        box.ping("shop.web", "10.2.0.3")


def test_interface_names_exchanged(box):
    text = ("name: shop\nbridges:\n  a: {subnet: 10.2.0.0/24, host: true, ifname: br-a}\n"
            "  b: {subnet: 10.3.0.0/24, host: true, ifname: br-b}\nnamespaces:\n  web: {interfaces: {eth0: a, eth1: b}}\n")
    converged(box, text)
    converged(box, text.replace("br-a", "br-x").replace("br-b", "br-a").replace("br-x", "br-b"))


@pytest.mark.parametrize("host", ["", ", host: true"])
def test_another_prefix(box, host):
    text = ("name: shop\nbridges: {lan: {subnet: 10.2.0.0/24%s}}\nnamespaces:\n"
            "  web: {interfaces: {eth0: {bridge: lan, address: 10.2.0.6}}}\n  app: {interfaces: {eth0: {bridge: lan, address: 10.2.0.7}}}\n") % host
    box.up(text)
    converged(box, text + "prefix: lab-\n")
    box.ping("lab-web", "10.2.0.7")
    assert sorted(box.pins()) == sorted(["lab-app", "lab-web"] + ([] if host else ["lab-lan"]))
    converged(box, text + 'prefix: ""\n')
    converged(box, text)
    with_nothing = box.warren("down", "shop")
    assert box.pins() == [], with_nothing


def test_the_last_neighbour_goes_beside_an_addition(box):
    neighbour = ", neighbours: [{address: 10.2.0.77, mac: '02:00:00:00:00:77'}]}"
    box.up(WEB.replace("10.2.0.2}}}", "10.2.0.2}}" + neighbour))
    converged(box, WEB.replace("address: 10.2.0.2}", "address: [10.2.0.2/24, 10.2.0.22/24]}"))
    assert box.ip_json("neighbour", "show", "nud", "permanent", ns="shop.web") == []


def test_a_secondary_address_of_somebody_else_stays(box):
    box.up(WEB)
    box.sh("ip -n shop.web address add 10.2.0.99/24 dev eth0")
    converged(box, WEB.replace("address: 10.2.0.2}", "address: 10.2.0.9}"))
    (eth0,) = [link for link in box.ip_json("address", ns="shop.web") if link["ifname"] == "eth0"]
    assert {a["local"] for a in eth0["addr_info"]} == {"10.2.0.9", "10.2.0.99"}


def test_options_that_leave_the_file(box):
    box.up(WEB.replace("host: true", "host: true, options: {stp: true, ageing: 10}"))
    converged(box, WEB)
    (bridge,) = [link for link in box.ip_json("link") if link["ifname"] == "shop-lan"]
    assert (bridge["linkinfo"]["info_data"]["stp_state"], bridge["linkinfo"]["info_data"]["ageing_time"]) == (0, 30000)


def test_forwarding_stops_when_the_second_bridge_leaves(box):
    two = WEB.replace("bridges: {", "bridges: {second: {subnet: 10.3.0.0/24, host: true}, ")
    key = "net.ipv4.conf.shop-lan.forwarding"
    box.up(WEB)
    alone = box.run("sysctl", "-n", key).out
    converged(box, two)
    assert box.run("sysctl", "-n", key).out == "1\n"
    converged(box, WEB)
    assert box.run("sysctl", "-n", key).out == alone


def test_settings_of_one_interface_and_values_in_other_words(box):
    own = ("sysctl: {net.ipv4.neigh.eth0.gc_stale_time: 30, net.ipv6.conf.eth0.use_tempaddr: 0, net.ipv4.tcp_syn_retries: 0x3,"
           " net.ipv4.ip_local_reserved_ports: '8080,8081'}, ")
    box.up(WEB.replace("  web: {", "  web: {" + own))
    read = box.run("ip", "netns", "exec", "shop.web", "sysctl", "-n", "net.ipv4.neigh.eth0.gc_stale_time",
                   "net.ipv4.tcp_syn_retries", "net.ipv4.ip_local_reserved_ports").out.split()
    assert read == ["30", "3", "8080-8081"]


def test_what_overrides_every_interface_is_right_from_birth(box):
    """A namespace copies `all` from the machine; what it relies on is set."""
    box.up(WEB)
    for key in ("arp_ignore", "arp_announce", "accept_local", "route_localnet"):
        assert box.run("ip", "netns", "exec", "shop.web", "sysctl", "-n", f"net.ipv4.conf.all.{key}").out == "0\n"


def test_a_port_in_somebody_elses_bridge_when_an_edit_fails(box):
    box.up(WEB)
    box.sh("ip link add brx type bridge; ip link set shop-web-eth0 master brx")
    failed = box.warren("up", box.write("bad.yaml", WEB.replace("  app: {", "  app: {sysctl: {net.ipv4.nonexistent: 1}, ")), check=1)
    assert "what was there before is back" in failed.err
    converged(box, WEB)


def test_table_local_is_refused(box):
    text = WEB.replace("10.2.0.2}}}", "10.2.0.2}}, routes: [{to: 192.0.2.0/24, dev: eth0, table: local}]}")
    assert "table local is the kernel's own" in box.warren("up", box.write("net.yaml", text), check=2).err


def test_a_second_altname(box):
    """Somebody gives one of our links a name of their own, before or after ours."""
    box.up(WEB)
    box.sh("ip link property del dev shop-lan altname shop.lan; ip link property add dev shop-lan altname mine")
    converged(box, WEB)
    box.sh("ip link property del dev shop-lan altname shop.lan; ip link property add dev shop-lan altname other altname shop.lan")
    assert "nothing to do" in box.up(WEB).out
