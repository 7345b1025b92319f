"""What leaves through the host leaves with an address that the outside can answer; what stays inside keeps its own."""

import pytest
from conftest import assert_same
from traffic import Street, rule_handles

NAT = """
name: home
bridges:
  lan: {subnet: ["10.50.0.0/24", "fd50::/64"], host: true, nat: true}
  dmz: {subnet: ["10.51.0.0/24", "fd51::/64"], host: true}
namespaces:
  a: {interfaces: {eth0: {bridge: lan, address: [10.50.0.5/24, "fd50::5/64"]}}}
  b: {interfaces: {eth0: {bridge: lan, address: [10.50.0.6/24, "fd50::6/64"]}}}
  c: {interfaces: {eth0: {bridge: dmz, address: [10.51.0.7/24, "fd51::7/64"]}}}
"""
A, B, C = ["10.50.0.5", "fd50::5"], ["10.50.0.6", "fd50::6"], ["10.51.0.7", "fd51::7"]


@pytest.fixture
def street(box):
    found = Street(box)
    found.neighbour.serving("neighbour", 80)
    found.side.serving("side", 80)
    return found


def targets(addresses, port=80):
    return [(protocol, address, port) for address in addresses for protocol in ("tcp", "udp")]


def seen(answers):
    return [answer["seen"] for answer in answers]


def both(pair):
    """Each of two addresses as often as targets() asks."""
    return [address for address in pair for _ in range(2)]


def forwards(box, device):
    """Somebody lets the host forward from an interface that is neither the network's nor holds a default route."""
    box.sh(f"sysctl -qw net.ipv4.conf.{device}.forwarding=1; sysctl -qw net.ipv6.conf.{device}.force_forwarding=1 || sysctl -qw net.ipv6.conf.all.forwarding=1")


def test_masquerade(box, street):
    box.up(NAT)
    a = street.agent("home.a")
    assert seen(a.reach_all(*targets(Street.NEIGHBOUR))) == both(Street.HOST)
    assert seen(a.reach_all(*targets(Street.FAR))) == both(Street.HOST)
    forwards(box, "out1")
    assert seen(a.reach_all(*targets(Street.SIDE))) == both(Street.SIDE_HOST)
    for address in Street.FAR:
        box.ping("home.a", address)
    street.agent("home.c").fail_all(*targets(Street.NEIGHBOUR))


def test_not_between_own_subnets(box, street):
    box.up(NAT)
    a = street.agent("home.a", "a", 80)
    street.agent("home.b", "b", 80)
    street.agent("home.c", "c", 80)
    street.host.serving("host", 80)
    assert seen(a.reach_all(*targets(B + C))) == both(A) * 2
    assert seen(street.agent("home.c").reach_all(*targets(A))) == both(C)
    assert seen(a.reach_all(*targets(["10.50.0.1", "fd50::1"] + Street.HOST))) == both(A) * 2


def test_the_host_itself_is_not_translated(box, street):
    box.up(NAT)
    street.agent("home.a", "a", 80)
    assert seen(street.host.reach_all(*targets(A))) == both(["10.50.0.1", "fd50::1"])
    assert seen(street.host.reach_all(*targets(Street.FAR))) == both(Street.HOST)


def routes_back(box, pin, host):
    box.sh(f"ip -n {pin} route add 10.50.0.0/24 via {host[0]}; ip -n {pin} route add fd50::/64 via {host[1]}")


def test_narrowed_to_one_way_out(box, street):
    """Through any other it leaves as it is."""
    box.up(NAT.replace("nat: true", "nat: {out: out0}"))
    routes_back(box, "side", Street.SIDE_HOST)
    a = street.agent("home.a")
    assert seen(a.reach_all(*targets(Street.NEIGHBOUR))) == both(Street.HOST)
    forwards(box, "out1")
    assert seen(a.reach_all(*targets(Street.SIDE))) == both(A)


ADDRESSES = {
    "both": ("[192.0.2.77, \"2001:db8::77\"]", ["192.0.2.77", "2001:db8::77"]),
    "one, and the other family as usual": ("192.0.2.77", ["192.0.2.77", "2001:db8::1"]),
    "one of IPv6": ("\"2001:db8::77\"", ["192.0.2.1", "2001:db8::77"]),
}


@pytest.mark.parametrize("what", ADDRESSES)
def test_with_an_address(box, street, what):
    written, expected = ADDRESSES[what]
    box.sh("ip addr add 192.0.2.77/24 dev out0; ip addr add 2001:db8::77/64 dev out0 nodad preferred_lft 0")
    box.up(NAT.replace("nat: true", f"nat: {{out: out0, address: {written}}}"))
    assert seen(street.agent("home.a").reach_all(*targets(Street.FAR))) == both(expected)


def test_one_family_only(box, street):
    box.up("name: home\nbridges: {lan: {subnet: 10.50.0.0/24, host: true, nat: true}}\n"
           "namespaces: {a: {interfaces: {eth0: {bridge: lan, address: 10.50.0.5/24}}}}\n")
    assert seen(street.agent("home.a").reach_all(*targets(Street.FAR[:1]))) == both(Street.HOST[:1])


INNER = """
name: inner
bridges:
  out: {subnet: ["10.52.0.0/24", "fd52::/64"], host: true}
  dmz: {subnet: ["10.53.0.0/24", "fd53::/64"], gateway: edge}
namespaces:
  edge:
    forward: true
    interfaces:
      eth0: {bridge: out, address: [10.52.0.2/24, "fd52::2/64"]}
      eth1: {bridge: dmz, address: [10.53.0.1/24, "fd53::1/64"]}
    nat: {out: eth0}
  app: {interfaces: {eth0: {bridge: dmz, address: [10.53.0.9/24, "fd53::9/64"]}}}
  peer: {interfaces: {eth0: {bridge: out, address: [10.52.0.3/24, "fd52::3/64"]}}}
"""


def test_a_namespace_translates(box, street):
    box.up(INNER)
    street.agent("inner.peer", "peer", 80)
    app = street.agent("inner.app")
    assert seen(app.reach_all(*targets(["10.52.0.3", "fd52::3"]))) == both(["10.52.0.2", "fd52::2"])
    # What it routes the other way round is none of its translation's business.
    street.agent("inner.app", "app", 81)
    box.sh("ip -n inner.peer route add 10.53.0.0/24 via 10.52.0.2; ip -n inner.peer route add fd53::/64 via fd52::2")
    assert seen(street.agent("inner.peer").reach_all(*targets(["10.53.0.9", "fd53::9"], 81))) == both(["10.52.0.3", "fd52::3"])


def test_a_namespace_translates_to_an_address(box, street):
    box.up(INNER.replace("[10.52.0.2/24, \"fd52::2/64\"]", "[10.52.0.2/24, \"fd52::2/64\", 10.52.0.20/24, \"fd52::20/64\"]")
           .replace("nat: {out: eth0}", "nat: {out: eth0, address: [10.52.0.20, \"fd52::20\"]}"))
    street.agent("inner.peer", "peer", 80)
    assert seen(street.agent("inner.app").reach_all(*targets(["10.52.0.3", "fd52::3"]))) == both(["10.52.0.20", "fd52::20"])


def test_two_translations_in_a_row(box, street):
    box.up(INNER.replace("\"fd52::/64\"], host: true", "\"fd52::/64\"], host: true, nat: true"))
    assert seen(street.agent("inner.app").reach_all(*targets(Street.FAR))) == both(Street.HOST)


EDITS = {
    "a bridge": ("namespaces:", "  more: {subnet: 10.54.0.0/24, host: true, nat: true}\nnamespaces:"),
    "nat on the other": ("\"fd51::/64\"], host: true", "\"fd51::/64\"], host: true, nat: true"),
    "a namespace": ("  b: {", "  d: {interfaces: {eth0: lan}}\n  b: {"),
    "a published port": ("  b: {", "  b: {publish: \"8080:80\", "),
    "a firewall elsewhere": ("  b: {", "  b: {firewall: {input: {policy: drop, accept: [tcp 80]}}, "),
    "isolation": ("\"fd51::/64\"], host: true", "\"fd51::/64\"], host: true, isolated: true"),
    "guard": ("host: true, nat: true", "host: true, nat: true, guard: true"),
    "one way out": ("nat: true", "nat: {out: out0}"),
}


@pytest.mark.parametrize("what", EDITS)
def test_connections_stay_under_edits(box, street, what):
    old, new = EDITS[what]
    assert NAT.count(old) == 1
    box.up(NAT)
    a = street.agent("home.a")
    kept = {(protocol, address): a.keep(f"{protocol} {address}", protocol, address, 80) for protocol, address, _ in targets(Street.FAR)}
    for text in (NAT.replace(old, new), NAT):
        box.up(text)
        box.warren("status", "home")
        for (protocol, address), before in kept.items():
            assert a.still(f"{protocol} {address}") == before


def test_a_bridge_more_is_elements_only(box, street):
    box.up(NAT)
    before = rule_handles(box, "warren-home")
    assert before
    box.up(NAT.replace("namespaces:", "  more: {subnet: 10.54.0.0/24, host: true, nat: true}\nnamespaces:"))
    assert rule_handles(box, "warren-home") == before


def test_nat_leaves_the_file(box, street):
    box.up(NAT)
    a = street.agent("home.a")
    a.reach_all(*targets(Street.FAR))
    box.up(NAT.replace(", nat: true", ""))
    a.fail_all(*targets(Street.FAR))
    a.fail_all(*targets(Street.NEIGHBOUR))


def test_names_are_resolved(box, street):
    """The host's resolver is a stub that nobody inside can reach; what it asks itself can be."""
    street.neighbour.names(names={"shop.test": ["198.51.100.7"], "six.test": ["2001:db8:ffff::7"]}, address="198.51.100.7")
    box.sh("echo 'nameserver 127.0.0.53' >/etc/resolv.conf; mkdir -p /run/systemd/resolve;"
           "echo 'nameserver 198.51.100.7' >/run/systemd/resolve/resolv.conf")
    box.up(NAT)
    asking = "import socket; print(sorted({found[4][0] for found in socket.getaddrinfo('%s', 80)}))"
    for name, address in (("shop.test", "198.51.100.7"), ("six.test", "2001:db8:ffff::7")):
        done = box.warren("exec", "home.a", "--", "/usr/bin/python3", "-c", asking % name)
        assert done.out == f"['{address}']\n", done
        assert done.out == box.run("ip", "netns", "exec", "home.a", "/usr/bin/python3", "-c", asking % name).out


def test_every_bridge_of_a_kind_shares_its_rules(box, street):
    """As many rules for twenty bridges as for one."""
    def text(count):
        return ("name: many\nbridges: {\"lan[1-%d]\": {subnet: \"10.60.$n.0/24\", host: true, nat: true}}\n"
                "namespaces: {\"n[1-%d]\": {interfaces: {eth0: \"lan$n\"}}}\n") % (count, count)

    box.up(text(2))
    before = rule_handles(box, "warren-many")
    box.up(text(20))
    assert rule_handles(box, "warren-many") == before
    assert seen(street.agent("many.n20").reach_all(*targets(Street.FAR[:1]))) == both(Street.HOST[:1])


def test_down_leaves_nothing(box, street):
    box.up("name: other\nbridges: {lan: {subnet: 10.55.0.0/24, host: true}}\nnamespaces: {a: {interfaces: {eth0: lan}}}\n", name="other.yaml")
    before = box.observe("host")
    box.up(NAT)
    box.warren("down", "home")
    assert_same(before, box.observe("host"))
