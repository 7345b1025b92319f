"""Ports of namespaces at the host's addresses: who reaches them, who never does, and what stays when one more is added."""

import json
import os

import pytest
from conftest import assert_same, normal
from traffic import Monitor, Street, bridged_frames, element_changes, elements, ip_frame, remove_rules, rule_handles, ruleset, tcp, udp

TABLE = "warren-pub"
PUBLISHED = """
name: pub
bridges:
  lan: {subnet: ["10.50.0.0/24", "fd50::/64"], host: true}
  dmz: {subnet: ["10.51.0.0/24", "fd51::/64"], host: true}
namespaces:
  web:
    interfaces: {eth0: {bridge: lan, address: [10.50.0.5/24, "fd50::5/64"]}}
    publish: ["8080:80", "8080:80/udp"]
  same: {interfaces: {eth0: {bridge: lan, address: [10.50.0.6/24, "fd50::6/64"]}}}
  other: {interfaces: {eth0: {bridge: dmz, address: [10.51.0.7/24, "fd51::7/64"]}}}
"""
PLAIN = '["8080:80", "8080:80/udp"]'
# The host's addresses beside those of the street: its own on the bridges, and loopback.
OWN = ["10.50.0.1", "fd50::1", "10.51.0.1", "fd51::1"]
LOOPBACK = ["127.0.0.1", "::1", "127.9.9.9"]
WEB = ["10.50.0.5", "fd50::5"]
INSIDE_PORTS = [80, 81, 82, 83, 84, 85]


def at(addresses, port=8080, protocols=("tcp", "udp")):
    return [(protocol, address, port) for address in addresses for protocol in protocols]


@pytest.fixture
def street(box):
    return Street(box)


def text(*published):
    return PUBLISHED.replace(PLAIN, "[" + ", ".join(f'"{words}"' for words in published) + "]")


def up(box, street, what=PUBLISHED):
    box.up(what)
    street.web = street.agent("pub.web", "web", *INSIDE_PORTS)
    return street.web


def test_from_a_neighbour(box, street):
    """Its own address is what the server sees."""
    up(box, street)
    answers = street.neighbour.reach_all(*at(Street.HOST))
    assert [answer["seen"] for answer in answers] == [Street.NEIGHBOUR[0]] * 2 + [Street.NEIGHBOUR[1]] * 2
    assert {(answer["server"], answer["port"]) for answer in answers} == {("web", 80)}
    far = street.neighbour.reach_all(*at(Street.HOST[:1]), source="198.51.100.7") + street.neighbour.reach_all(*at(Street.HOST[1:]), source="2001:db8:ffff::7")
    assert {answer["seen"] for answer in far} == set(Street.FAR)
    street.side.reach_all(*at(Street.SIDE_HOST))


def test_from_the_host(box, street):
    """By each of its addresses."""
    up(box, street)
    answers = street.host.reach_all(*at(Street.HOST + Street.SIDE_HOST + OWN + LOOPBACK))
    assert {(answer["server"], answer["port"]) for answer in answers} == {("web", 80)}


def test_from_inside(box, street):
    """By the host's addresses: from the same bridge, from another, and from the very namespace that serves."""
    web = up(box, street)
    for agent in (street.agent("pub.same"), street.agent("pub.other"), web):
        answers = agent.reach_all(*at(Street.HOST + Street.SIDE_HOST + OWN))
        assert {(answer["server"], answer["port"]) for answer in answers} == {("web", 80)}
    # Nobody's source is translated without need.
    assert {answer["seen"] for answer in street.agent("pub.other").reach_all(*at(Street.HOST))} == {"10.51.0.7", "fd51::7"}


def test_where_bridged_frames_are_filtered(box, street):
    """With br_netfilter, as Docker loads it: the bridge's own frames go through the host's filter, and what is published is reached
    all the same. (Two ways are closed there, and the manual says so: ::1, and a namespace to itself by the host's address.)"""
    if not bridged_frames(box, True):
        pytest.skip("br_netfilter is not loaded")
    up(box, street)
    for agent in (street.neighbour, street.agent("pub.same"), street.agent("pub.other")):
        agent.reach_all(*at(Street.HOST))
    street.host.reach_all(*at(Street.HOST + OWN + ["127.0.0.1"]))
    street.agent("pub.same").reach_all(*at(WEB, 80))
    street.side.fail_all(*at(WEB, 80), *at(Street.SIDE_HOST, 80))


def test_of_two_segments(box, street):
    """The server has an interface on the client's segment too: the answer must not go past the host."""
    box.up(PUBLISHED.replace("interfaces: {eth0: {bridge: lan, address: [10.50.0.5/24, \"fd50::5/64\"]}}",
                             "interfaces: {eth0: {bridge: lan, address: [10.50.0.5/24, \"fd50::5/64\"]}, eth1: {bridge: dmz, address: [10.51.0.5/24, \"fd51::5/64\"]}}"))
    street.agent("pub.web", "web", 80)
    for agent in (street.agent("pub.other"), street.agent("pub.same"), street.neighbour, street.host):
        agent.reach_all(*at(Street.HOST))


def test_at_one_address(box, street):
    up(box, street, text("192.0.2.1:8081:81", "[2001:db8::1]:8082:82", "192.0.2.1:8081:81/udp"))
    for agent in (street.neighbour, street.host, street.agent("pub.same"), street.agent("pub.other")):
        agent.reach_all(("tcp", "192.0.2.1", 8081), ("udp", "192.0.2.1", 8081), ("tcp", "2001:db8::1", 8082))
    street.host.fail_all(("tcp", "127.0.0.1", 8081), ("tcp", "203.0.113.1", 8081), ("tcp", "10.50.0.1", 8081), ("udp", "127.0.0.1", 8081), ("tcp", "::1", 8082))
    street.side.fail_all(*at(Street.SIDE_HOST, 8081), *at(Street.SIDE_HOST, 8082))
    street.neighbour.fail_all(("tcp", "2001:db8::1", 8081), ("tcp", "192.0.2.1", 8082), ("udp", "2001:db8::1", 8082))


def test_from_one_interface(box, street):
    up(box, street, text("8083:83@out0", "8083:83/udp@out0"))
    street.neighbour.reach_all(*at(Street.HOST, 8083))
    street.side.fail_all(*at(Street.SIDE_HOST, 8083))
    street.host.fail_all(*at(["127.0.0.1", "::1", *Street.HOST], 8083))
    street.agent("pub.same").fail_all(*at(Street.HOST, 8083))


def test_on_loopback(box, street):
    """Reached from the host alone."""
    up(box, street, text("127.0.0.1:8084:84", "127.0.0.1:8084:84/udp", "[::1]:8085:85", "[::1]:8085:85/udp"))
    answers = street.host.reach_all(*at(["127.0.0.1"], 8084), *at(["::1"], 8085))
    assert {answer["server"] for answer in answers} == {"web"}
    street.host.fail_all(*at(["127.9.9.9", "192.0.2.1", "10.50.0.1"], 8084), *at(["2001:db8::1", "fd50::1"], 8085))
    for agent in (street.neighbour, street.agent("pub.same"), street.agent("pub.other")):
        agent.fail_all(*at(["192.0.2.1", "10.50.0.1", "127.0.0.1"], 8084), *at(["2001:db8::1", "fd50::1", "::1"], 8085))


def test_of_one_family(box, street):
    """A namespace without IPv6 is published at IPv4 addresses only."""
    box.up("name: pub\nbridges: {lan: {subnet: 10.50.0.0/24, host: true}}\n"
           "namespaces: {web: {interfaces: {eth0: {bridge: lan, address: 10.50.0.5/24}}, publish: \"8080:80\"}}\n")
    street.agent("pub.web", "web", 80)
    street.neighbour.reach_all(("tcp", "192.0.2.1", 8080))
    street.host.reach_all(("tcp", "127.0.0.1", 8080))
    street.neighbour.fail_all(("tcp", "2001:db8::1", 8080))
    assert "::1" not in box.run("ip", "-6", "route", "show", "table", "local", "proto", "173").out


def test_behind_a_cable(box, street):
    box.up("name: pub\nnamespaces: {web: {publish: [\"8080:80\", \"8080:80/udp\"]}}\n"
           "links: [{ends: [host:pub0, web:eth0], addresses: [[10.52.0.1/30, \"fd52::1/64\"], [10.52.0.2/30, \"fd52::2/64\"]]}]\n")
    street.agent("pub.web", "web", 80)
    box.sh("ip -n pub.web route replace default via 10.52.0.1; ip -n pub.web route replace default via fd52::1")
    street.neighbour.reach_all(*at(Street.HOST))
    street.host.reach_all(*at(Street.HOST + LOOPBACK[:2]))


# --- who never reaches anything ------------------------------------------------------------------------------------------------------


def test_unpublished_ports(box, street):
    """Not even by a neighbour who knows the way to the subnet itself, and although the host forwards."""
    web = up(box, street)
    box.sh("ip -n neighbour route add 10.50.0.0/24 via 192.0.2.1; ip -n neighbour route add fd50::/64 via 2001:db8::1")
    # The port inside, by its own address, is not what is published either.
    street.neighbour.fail_all(*at(WEB, 80), *at(WEB, 81), *at(Street.HOST, 81), *at(Street.HOST, 80))
    for address in WEB:
        assert box.ping("neighbour", address, check=False).status != 0
    mac, host_mac = street.neighbour.interface("eth0")["mac"], street.host.interface("out0")["mac"]
    stray = [ip_frame(host_mac, mac, "192.0.2.2", "10.50.0.5", 6, tcp("192.0.2.2", "10.50.0.5", 5000, 80)),
             ip_frame(host_mac, mac, "2001:db8::2", "fd50::5", 6, tcp("2001:db8::2", "fd50::5", 5000, 80))]
    published = ip_frame(host_mac, mac, "192.0.2.2", "192.0.2.1", 17, udp("192.0.2.2", "192.0.2.1", 40000, 8080, os.urandom(8)))
    assert inside(street, web, stray, published) == [False, False]
    # With `routed` the same frames arrive: it was the filter that kept them out.
    box.up(PUBLISHED.replace("\"fd50::/64\"], host: true", "\"fd50::/64\"], host: true, routed: true"))
    assert inside(street, web, stray, published) == [True, True]


def inside(street, web, frames, mark):
    """Which of a neighbour's frames to the host come out at web's eth0; known by family, protocol and source port, the rest is another by then."""
    web.capture(device="eth0")
    street.neighbour.send_frames("eth0", *frames, mark)
    told = web.captured(device="eth0", until=mark[-8:].hex())
    assert told["marked"], "the honest datagram did not arrive"
    came = [bytes.fromhex(frame) for frame in told["frames"]]
    return [any(key(frame) == key(found) for found in came) for frame in frames]


def key(frame):
    """Family, protocol and source port."""
    if frame[12:14] == b"\x08\x00":
        return 4, frame[23], frame[34:36]
    if frame[12:14] == b"\x86\xdd":
        return 6, frame[20], frame[54:56]
    return 0, 0, frame[12:14]


def test_routed(box, street):
    up(box, street, PUBLISHED.replace("\"fd50::/64\"], host: true", "\"fd50::/64\"], host: true, routed: true").replace(f"    publish: {PLAIN}\n", ""))
    street.agent("pub.other", "other", 80)
    box.sh("for net in 10.50.0.0/24 10.51.0.0/24; do ip -n neighbour route add $net via 192.0.2.1; done;"
           "for net in fd50::/64 fd51::/64; do ip -n neighbour route add $net via 2001:db8::1; done")
    assert {answer["seen"] for answer in street.neighbour.reach_all(*at(WEB, 80))} == set(Street.NEIGHBOUR)
    street.neighbour.fail_all(*at(["10.51.0.7", "fd51::7"], 80))


LOOPBACK_FRAMES = {
    "to 127.0.0.1": ("192.0.2.2", "127.0.0.1"),
    "to 127.0.0.1 from 127.0.0.1": ("127.0.0.1", "127.0.0.1"),
    "to 127.9.9.9": ("192.0.2.2", "127.9.9.9"),
    "from 127.0.0.1": ("127.0.0.1", "192.0.2.1"),
    "to ::1": ("2001:db8::2", "::1"),
    "to ::1 from ::1": ("::1", "::1"),
    "from ::1": ("::1", "2001:db8::1"),
}


def frames_to(port, mac, host_mac, source, to, source_port=5000):
    return [ip_frame(host_mac, mac, source, to, 6, tcp(source, to, source_port, port)),
            ip_frame(host_mac, mac, source, to, 17, udp(source, to, source_port, port, b"attack"))]


def test_loopback_from_the_wire(box, street):
    """A port published on loopback is not reached by a neighbour, whatever it sends."""
    web = up(box, street, text("127.0.0.1:8084:84", "127.0.0.1:8084:84/udp", "[::1]:8085:85", "[::1]:8085:85/udp", "8080:80/udp"))
    mac, host_mac = street.neighbour.interface("eth0")["mac"], street.host.interface("out0")["mac"]
    frames, said = [], []
    for name, (source, to) in LOOPBACK_FRAMES.items():
        for port in (8084, 8085):
            frames += frames_to(port, mac, host_mac, source, to, 5000 + len(said))
            said += [f"{name} port {port}"] * 2
    mark = ip_frame(host_mac, mac, "192.0.2.2", "192.0.2.1", 17, udp("192.0.2.2", "192.0.2.1", 40000, 8080, os.urandom(8)))
    came = inside(street, web, frames, mark)
    assert not any(came), [name for name, there in zip(said, came) if there]
    # The same frame comes through as soon as the rule that keeps it out is gone: the test can fail.
    remove_rules(box, TABLE, "dstnat", "127.0.0.0")
    came = inside(street, web, frames, mark)
    assert came[said.index("to 127.0.0.1 port 8084")]


@pytest.mark.parametrize("published", ["8080:80", "127.0.0.1:8080:80"])
def test_loopback_from_inside(box, street, published):
    """What the host needs to reach a namespace from 127.0.0.1 opens nothing the other way round: no service that listens on the
    host's loopback is reached from inside."""
    up(box, street, text(published, "8080:80/udp"))
    street.host.serving("secret", 6000, address="127.0.0.1")
    street.host.serving("secret6", 6000, address="::1")
    street.host.serving("open", 6001)
    same = street.agent("pub.same")
    mac, bridge_mac = same.interface("eth0")["mac"], street.host.interface("pub-lan")["mac"]
    assert box.sh("cat /proc/sys/net/ipv4/conf/pub-lan/route_localnet").out == "1\n"
    tries = {}
    for source, to in (("10.50.0.6", "127.0.0.1"), ("127.0.0.1", "127.0.0.1"), ("127.0.0.5", "127.0.0.1"), ("fd50::6", "::1"), ("::1", "::1")):
        tries[f"{source} to {to}"] = ip_frame(bridge_mac, mac, source, to, 17, udp(source, to, 5000, 6000, f"{source} to {to}".encode()))
    assert reached(street, same, tries) == []
    # The guard is what it hangs on.
    remove_rules(box, TABLE, "raw", "127.0.0.0")
    assert "10.50.0.6 to 127.0.0.1" in reached(street, same, tries)


def reached(street, sender, tries):
    """Which of these datagrams a process of the host took."""
    street.host.heard()
    sender.send_frames("eth0", *tries.values())
    # First all of them came as far as they come, then the servers took what had come.
    sender.reach_all(*at(["10.50.0.1", "fd50::1"], 6001, ["udp"]))
    street.host.reach_all(*at(["127.0.0.1", "::1"], 6000, ["udp"]))
    return [words for _, _, words in street.host.heard() if words in tries]


# --- one host port for one -----------------------------------------------------------------------------------------------------------


HOLDERS = {
    "tcp": ("8080:80", {"ports": [8080], "udp": False}, True),
    "udp": ("8080:80/udp", {"ports": [8080], "tcp": False}, True),
    "one address of the host, every address published": ("8080:80", {"ports": [8080], "udp": False, "address": "127.0.0.1"}, True),
    "every address, published at one": ("192.0.2.1:8080:80", {"ports": [8080], "udp": False}, True),
    "the other protocol": ("8080:80/udp", {"ports": [8080], "udp": False}, False),
    "another address": ("192.0.2.1:8080:80", {"ports": [8080], "udp": False, "address": "127.0.0.1"}, False),
    "another port": ("8081:80", {"ports": [8080]}, False),
}


@pytest.mark.parametrize("what", HOLDERS)
def test_a_port_of_the_host_that_is_in_use(box, street, what):
    published, held, refused = HOLDERS[what]
    street.host.serving("holder", *held.pop("ports"), **held)
    path = box.write("net.yaml", text(published))
    if not refused:
        box.warren("up", path)
        return
    with box.touches_nothing():
        for command in ("up", "plan"):
            done = box.warren(command, path, check=1)
            words = normal(done.err)
            assert "8080" in words and "python3" in words and str(street.host.child.pid) in words, done


def test_a_listener_that_comes_later(box, street):
    """What was published stays published."""
    up(box, street)
    street.host.serving("late", 8080)
    assert "nothing to do" in box.up(PUBLISHED).out
    street.neighbour.reach_all(*at(Street.HOST))


def test_a_port_of_another_network(box, street):
    up(box, street)
    second = ("name: second\nbridges: {net: {subnet: 10.70.0.0/24, host: true}}\n"
              "namespaces: {x: {interfaces: {eth0: net}, publish: \"%s\"}}\n")
    for published in ("8080:80", "127.0.0.1:8080:80", "192.0.2.1:8080:81"):
        path = box.write("second.yaml", second % published)
        with box.touches_nothing():
            done = box.warren("up", path, check=1)
            assert "8080" in done.err and "'pub'" in normal(done.err).replace('"', "'"), done
    box.up(second % "8081:80", name="second.yaml")
    street.agent("second.x", "x", 80)
    street.neighbour.reach_all(("tcp", "192.0.2.1", 8081), ("tcp", "192.0.2.1", 8080))
    # And when the holder lets go, it is free.
    box.up(text("8090:80"))
    box.up(second % "8080:80", name="second.yaml")
    assert street.neighbour.reach("tcp", "192.0.2.1", 8080)["server"] == "x"


# --- edits ---------------------------------------------------------------------------------------------------------------------------


def many(count, first=9000):
    return ["8080:80", "8080:80/udp", *(f"{first + index}:81" for index in range(count))]


def test_one_port_more_is_one_element_more(box, street):
    web = up(box, street, text(*many(200)))
    street.neighbour.keep("v4", "tcp", "192.0.2.1", 8080)
    street.neighbour.keep("v6", "tcp", "2001:db8::1", 8080)
    street.host.keep("local", "tcp", "127.0.0.1", 8080)
    web.keep("self", "tcp", "192.0.2.1", 8080)
    handles, before = rule_handles(box, TABLE), elements(box, TABLE)
    monitor = Monitor(box)
    box.up(text(*many(201)))
    lines = monitor.changes()
    assert len(lines) == 2 and all(line.startswith(f"add element inet {TABLE} publish") and "9200" in line for line in lines), lines
    assert rule_handles(box, TABLE) == handles
    changes = element_changes(before, elements(box, TABLE))
    assert sorted((name, sign) for name, sign, _ in changes) == [("publish4", "+"), ("publish6", "+")], changes
    for agent, name in ((street.neighbour, "v4"), (street.neighbour, "v6"), (street.host, "local"), (web, "self")):
        agent.still(name)
    street.neighbour.reach_all(("tcp", "192.0.2.1", 9200), ("tcp", "2001:db8::1", 9000))
    # And back.
    box.up(text(*many(200)))
    assert rule_handles(box, TABLE) == handles and elements(box, TABLE) == before
    street.neighbour.still("v4")
    street.neighbour.fail_all(("tcp", "192.0.2.1", 9200))


def test_rules_do_not_grow_with_ports(box, street):
    up(box, street, text(*many(1)))
    count = len(rule_handles(box, TABLE))
    box.up(text(*many(100)))
    assert len(rule_handles(box, TABLE)) == count


MOVED = PUBLISHED.replace(f"    publish: {PLAIN}\n", "").replace("  same: {", f"  same: {{publish: {PLAIN}, ")


@pytest.mark.parametrize("address", Street.HOST)
def test_published_anew_under_a_client_that_keeps_sending(box, street, address):
    """One source port, never silent: it is answered by the new target from the first datagram after `up`."""
    up(box, street)
    street.agent("pub.same", "same", 80)
    street.neighbour.keep("client", "udp", address, 8080, source_port=5555)
    for round_, (what, server) in enumerate([(MOVED, "same"), (PUBLISHED, "web"), (MOVED, "same")]):
        assert street.neighbour.still("client", words=f"before {round_}")["server"] != server
        flood = ip_frame(street.host.interface("out0")["mac"], street.neighbour.interface("eth0")["mac"], *Street.NEIGHBOUR[:1], "192.0.2.1", 17,
                         udp(Street.NEIGHBOUR[0], "192.0.2.1", 5555, 8080, b"meanwhile "))
        if address == "192.0.2.1":
            street.neighbour.flood(device="eth0", frames=[flood.hex()])
        box.up(what)
        answer = street.neighbour.still("client", words=f"after {round_}")
        if address == "192.0.2.1":
            assert street.neighbour.flooded(device="eth0", stop=True) > 0
        assert answer["server"] == server, answer


def test_published_anew_under_a_client_of_the_host(box, street):
    up(box, street)
    street.agent("pub.same", "same", 80)
    street.host.keep("client", "udp", "127.0.0.1", 8080, source_port=5555)
    box.up(MOVED)
    assert street.host.still("client", words="after")["server"] == "same"


def test_unpublished_under_a_client_that_keeps_sending(box, street):
    up(box, street)
    street.neighbour.keep("client", "udp", "192.0.2.1", 8080, source_port=5555)
    box.up(text("8080:80"))
    assert "error" in street.neighbour.say(name="client", words="after", timeout=1)


def test_a_new_address_of_the_namespace(box, street):
    up(box, street)
    box.up(PUBLISHED.replace("10.50.0.5/24", "10.50.0.50/24"))
    answer = street.neighbour.reach("tcp", "192.0.2.1", 8080)
    assert answer["server"] == "web"
    box.warren("status", "pub")


def test_what_a_publish_needs_goes_with_it(box, street):
    """route_localnet and the way to ::1 are there while a port is published at loopback, and no longer."""
    def needed():
        local = box.run("ip", "-6", "route", "show", "table", "local", "proto", "173").out
        return [box.sh(f"cat /proc/sys/net/ipv4/conf/pub-{name}/route_localnet").out.strip() for name in ("lan", "dmz")], "::1" in local

    up(box, street)
    assert needed() == (["1", "0"], True)
    box.up(text("192.0.2.1:8080:80"))
    assert needed() == (["0", "0"], False)
    box.up(text("[::1]:8080:80"))
    assert needed() == (["0", "0"], True)
    box.up(text("8080:80@out0"))
    assert needed() == (["0", "0"], False)
    box.up(text("127.0.0.1:8080:80"))
    assert needed() == (["1", "0"], False)
    box.up(PUBLISHED.replace(f"    publish: {PLAIN}\n", ""))
    assert needed() == (["0", "0"], False)


def test_published_addresses_are_data(box, street):
    """Map and rules as nft sees them: one map for each family, and no rule that names a port."""
    up(box, street, text(*many(3)))
    rules = json.dumps([item["rule"]["expr"] for item in ruleset(box, None, "table", "inet", TABLE) if "rule" in item])
    for port in ("8080", "9000", "10.50.0.5"):
        assert port not in rules


def test_down_leaves_nothing(box, street):
    before = box.observe("host")
    up(box, street, text("8080:80", "8080:80/udp", "127.0.0.1:8084:84", "[::1]:8085:85", "192.0.2.1:8086:81", "8087:81@out0"))
    street.neighbour.reach_all(*at(Street.HOST))
    street.host.reach_all(*at(LOOPBACK[:2]))
    box.warren("down", "pub")
    assert_same(before, box.observe("host"))
