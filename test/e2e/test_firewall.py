"""Firewalls of namespaces: what a phrase lets through and what it does not, with real connections of both families."""

import json

import pytest
from conftest import assert_same
from traffic import Agent, Monitor, Street, elements, honest, icmp4, ip_frame, rule_handles, ruleset, sctp_init, tables, tcp, udp

NETWORK = """
name: fw
bridges: {lan: {subnet: ["10.50.0.0/24", "fd50::/64"], host: true}}
namespaces:
  a: {FIREWALL interfaces: {eth0: {bridge: lan, address: [10.50.0.5/24, "fd50::5/64"]}}}
  b: {interfaces: {eth0: {bridge: lan, address: [10.50.0.6/24, "fd50::6/64"]}}}
  c: {interfaces: {eth0: {bridge: lan, address: [10.50.0.7/24, "fd50::7/64"]}}}
"""
A, B, C, HOST = ["10.50.0.5", "fd50::5"], ["10.50.0.6", "fd50::6"], ["10.50.0.7", "fd50::7"], ["10.50.0.1", "fd50::1"]
TABLE = "warren-fw"


def text(firewall):
    return NETWORK.replace("FIREWALL", f"firewall: {{{firewall}}}," if firewall else "")


def at(addresses, *ports, protocols=("tcp", "udp")):
    return [(protocol, address, port) for address in addresses for protocol in protocols for port in ports]


class People:
    """The namespaces of the network, each with servers at every port that a test asks for."""

    PORTS = [22, 53, 79, 80, 81, 443, 8000, 8050, 8100, 8101]

    def __init__(self, box, names=("a", "b", "c")):
        self.host = Agent(box).serving("host", *self.PORTS)
        for name in names:
            setattr(self, name, Agent(box, "fw." + name).serving(name, *self.PORTS))


def flush_neighbours(box, *pins):
    for pin in pins:
        box.run("ip", "-n", pin, "neigh", "flush", "all")
    box.sh("ip neigh flush all")


def pings(box, pin, address):
    return box.ping(pin, address, check=False).status == 0


def test_input(box):
    box.up(text("input: {policy: drop, accept: [tcp 80 443 8000-8100, udp 53, icmp, tcp 22 from b]}"))
    people = People(box)
    for peer in (people.b, people.c, people.host):
        peer.reach_all(*at(A, 80, 443, 8000, 8050, 8100, protocols=["tcp"]), *at(A, 53, protocols=["udp"]))
        peer.fail_all(*at(A, 79, 81, 8101, 53, protocols=["tcp"]), *at(A, 80, 54, 22, protocols=["udp"]))
    people.b.reach_all(*at(A, 22, protocols=["tcp"]))
    people.c.fail_all(*at(A, 22, protocols=["tcp"]))
    people.host.fail_all(*at(A, 22, protocols=["tcp"]))
    for address in A:
        assert pings(box, "fw.b", address) and pings(box, None, address)


def test_replies_pass(box):
    """And the namespace's own talk with itself."""
    box.up(text("input: {policy: drop}"))
    people = People(box)
    people.a.reach_all(*at(B, 80), *at(HOST, 80), *at(A, 80), *at(["127.0.0.1", "::1"], 80))
    assert pings(box, "fw.a", B[0]) and pings(box, "fw.a", B[1])
    people.b.fail_all(*at(A, 80))
    assert not pings(box, "fw.b", A[0]) and not pings(box, "fw.b", A[1])


@pytest.mark.parametrize("hooks", ["input: {policy: drop, accept: [tcp 80]}", "input: {policy: drop, accept: [tcp 80]}, output: {policy: drop}",
                                   "input: {policy: drop, accept: [tcp 80], deny: [icmp]}"])
def test_neighbour_discovery_always_passes(box, hooks):
    box.up(text(hooks))
    people = People(box)
    for _ in range(2):
        flush_neighbours(box, "fw.a", "fw.b")
        people.b.reach_all(*at(A, 80, protocols=["tcp"]))
    # And it answers that it is still there, when it is asked after a while.
    flush_neighbours(box, "fw.b")
    people.b.reach_all(*at(A[1:], 80, protocols=["tcp"]))
    assert not pings(box, "fw.b", A[1])


def test_output(box):
    box.up(text("output: {policy: drop, accept: [tcp 80, udp 53 to b, icmp to host]}"))
    people = People(box)
    people.a.reach_all(*at(B + C + HOST, 80, protocols=["tcp"]), *at(B, 53, protocols=["udp"]), *at(["127.0.0.1", "::1"], 81))
    people.a.fail_all(*at(B, 81, protocols=["tcp"]), *at(C, 53, protocols=["udp"]), *at(B, 80, protocols=["udp"]))
    assert [pings(box, "fw.a", address) for address in HOST + B] == [True, True, False, False]
    # Who asks is answered.
    people.b.reach_all(*at(A, 81))
    assert pings(box, "fw.b", A[0])


def test_deny_comes_first(box):
    box.up(text("input: {policy: accept, deny: [tcp 80 from c, udp from b]}"))
    people = People(box)
    people.b.reach_all(*at(A, 80, 81, protocols=["tcp"]))
    people.c.reach_all(*at(A, 81))
    people.c.fail_all(*at(A, 80, protocols=["tcp"]))
    people.b.fail_all(*at(A, 53, 80, protocols=["udp"]))
    box.up(text("input: {policy: drop, accept: [any from lan], deny: [tcp 80 from c]}"))
    people.b.reach_all(*at(A, 80, 81))
    people.c.reach_all(*at(A, 81), *at(A, 80, protocols=["udp"]))
    people.c.fail_all(*at(A, 80, protocols=["tcp"]))


WHO = {
    "an address": ("10.50.0.6", "fd50::6", "bc", "b"),
    "a prefix": ("10.50.0.6/31", "fd50::6/127", "bc", "bc"),
    "a namespace": ("b", "b", "bc", "b"),
    "a bridge": ("lan", "lan", "bch", "bch"),
    "host": ("host", "host", "bch", "h"),
    "several": ("b host", "b host", "bch", "bh"),
    "an address and a name": ("10.50.0.7 b", "fd50::7 b", "bch", "bc"),
}


@pytest.mark.parametrize("what", WHO)
def test_who(box, what):
    four, six, asking, allowed = WHO[what]
    phrases = [f"tcp 80 from {four}"] + ([f"tcp 80 from {six}"] if six != four else [])
    box.up(text(f"input: {{policy: drop, accept: [{', '.join(json.dumps(phrase) for phrase in phrases)}]}}"))
    people = People(box)
    for name in asking:
        peer = {"b": people.b, "c": people.c, "h": people.host}[name]
        if name in allowed:
            peer.reach_all(*at(A, 80, protocols=["tcp"]))
        else:
            peer.fail_all(*at(A, 80, protocols=["tcp"]))


ROUTED = """
name: fw
bridges:
  left: {subnet: ["10.51.0.0/24", "fd51::/64"], gateway: r}
  right: {subnet: ["10.52.0.0/24", "fd52::/64"], gateway: r}
namespaces:
  r:
    forward: true
    interfaces:
      eth0: {bridge: left, address: [10.51.0.1/24, "fd51::1/64"]}
      eth1: {bridge: right, address: [10.52.0.1/24, "fd52::1/64"]}
    FIREWALL
  a: {interfaces: {eth0: {bridge: left, address: [10.51.0.5/24, "fd51::5/64"]}}}
  b: {interfaces: {eth0: {bridge: right, address: [10.52.0.6/24, "fd52::6/64"]}}}
  c: {interfaces: {eth0: {bridge: right, address: [10.52.0.7/24, "fd52::7/64"]}}}
"""


def test_forward(box):
    right = {"b": ["10.52.0.6", "fd52::6"], "c": ["10.52.0.7", "fd52::7"]}
    box.up(ROUTED.replace("FIREWALL", "firewall: {forward: {policy: drop, accept: [tcp 80 from left to right, udp 53 to b, icmp from b]}}"))
    people = People(box, ["a", "b", "c", "r"])
    people.a.reach_all(*at(right["b"] + right["c"], 80, protocols=["tcp"]), *at(right["b"], 53, protocols=["udp"]))
    people.a.fail_all(*at(right["b"], 81, protocols=["tcp"]), *at(right["c"], 53, protocols=["udp"]))
    people.b.fail_all(*at(["10.51.0.5", "fd51::5"], 80))
    assert pings(box, "fw.b", "10.51.0.5") and pings(box, "fw.b", "fd51::5")
    assert not pings(box, "fw.a", "10.52.0.6") and not pings(box, "fw.a", "fd52::6")
    # The router itself is not forwarded to, and says what it likes.
    people.a.reach_all(*at(["10.51.0.1", "fd51::1"], 81))
    people.r.reach_all(*at(right["b"], 81))


def test_a_segment_of_no_connection(box):
    """It is no answer to anything. Where nothing keeps it out, the namespace resets what it does not know."""
    box.up(text("output: {policy: accept}"))
    people = People(box, ["a", "b"])
    for firewall, resets in (("input: {policy: drop, accept: [udp 53]}", False), ("output: {policy: accept}", True)):
        box.up(text(firewall))
        mine, theirs = people.b.interface("eth0")["mac"], people.a.interface("eth0")["mac"]
        people.b.reach("udp", "10.50.0.5", 53)
        people.b.capture(device="eth0")
        people.b.send_frames("eth0", *(ip_frame(theirs, mine, "10.50.0.6", "10.50.0.5", 6, tcp("10.50.0.6", "10.50.0.5", 5000, 80, flags)) for flags in (0x12, 0x10)))
        people.b.reach("udp", "10.50.0.5", 53, words="the mark")
        told = people.b.captured(device="eth0", until=b"the mark".hex())
        assert told["marked"] and any(frame[46:48] == "06" for frame in told["frames"]) == resets, told


# --- counters, and who was denied --------------------------------------------------------------------------------------------------


def counters(box, pin="fw.a"):
    """{comment: packets} of every rule that counts."""
    found = {}
    for item in ruleset(box, pin, "table", "inet", TABLE):
        for part in item.get("rule", {}).get("expr", []):
            if isinstance(part, dict) and "counter" in part:
                comment = item["rule"].get("comment", "")
                found[comment] = found.get(comment, 0) + part["counter"]["packets"]
    return found


def test_counters(box):
    box.up(text("input: {policy: drop, accept: [tcp 80, udp 53], deny: [tcp 22]}"))
    people = People(box)
    before = counters(box)
    assert {"accept tcp 80", "accept udp 53", "deny tcp 22"} <= set(before)
    people.b.reach_all(*at(A, 80, protocols=["tcp"]))
    people.b.fail_all(*at(A, 22, 81, protocols=["tcp"]))
    after = counters(box)
    grown = {comment for comment in after if after[comment] > before.get(comment, 0)}
    assert {"accept tcp 80", "deny tcp 22"} <= grown and "accept udp 53" not in grown
    assert any("policy" in comment for comment in grown)


def denied(box, pin="fw.a"):
    """Of the sets that keep who was denied: (address, port) in no order."""
    found = set()
    for item in ruleset(box, pin, "table", "inet", TABLE):
        body = item.get("set", {})
        if body.get("name", "").startswith("denied"):
            for element in body.get("elem", []):
                element = element.get("elem", element)["val"]["concat"]
                found.add((element[0], element[3]))
    return found


def test_log(box):
    box.up(text("input: {policy: drop, accept: [tcp 80], deny: [udp 53], log: true}"))
    people = People(box)
    assert denied(box) == set()
    people.b.reach_all(*at(A, 80, protocols=["tcp"]))
    assert denied(box) == set()
    people.b.fail_all(*at(A, 81, protocols=["tcp"]), *at(A, 53, protocols=["udp"]))
    assert denied(box) == {(address, port) for address in B for port in (81, 53)}
    # They stay where they are under an edit, and are nothing to compare.
    box.warren("status", "fw")
    box.up(text("input: {policy: drop, accept: [tcp 80 81], deny: [udp 53], log: true}"))
    assert denied(box) == {(address, port) for address in B for port in (81, 53)}
    box.up(text("input: {policy: drop, accept: [tcp 80 81], deny: [udp 53]}"))
    assert denied(box) == set()
    box.warren("status", "fw")


# --- edits ---------------------------------------------------------------------------------------------------------------------------


def test_addresses_of_a_phrase_are_elements(box):
    """Names follow the file; a connection that another phrase let in stays."""
    firewall = "input: {policy: drop, accept: [tcp 80, tcp 22 from b c]}"
    box.up(text(firewall))
    people = People(box)
    people.c.keep("kept", "tcp", A[0], 80)
    handles, before = rule_handles(box, TABLE, "fw.a"), elements(box, TABLE, "fw.a")
    box.up(text(firewall).replace("10.50.0.6/24", "10.50.0.66/24"))
    people.b = Agent(box, "fw.b")
    people.b.reach_all(*at(A, 22, protocols=["tcp"]))
    assert rule_handles(box, TABLE, "fw.a") == handles
    assert elements(box, TABLE, "fw.a") != before
    people.c.still("kept")
    box.warren("status", "fw")


def test_one_address_more_is_one_element(box):
    def firewall(count):
        return text("input: {policy: drop, accept: [\"tcp 80 from " + " ".join(f"10.77.{i // 250}.{i % 250 + 1}" for i in range(count)) + " 10.50.0.6\"]}")

    box.up(firewall(100))
    people = People(box, ["a", "b"])
    people.b.keep("kept", "tcp", A[0], 80)
    handles = rule_handles(box, TABLE, "fw.a")
    monitor = Monitor(box, "fw.a")
    box.up(firewall(101))
    lines = monitor.changes()
    assert len(lines) == 1 and lines[0].startswith("add element") and "10.77.0.101" in lines[0], lines
    assert rule_handles(box, TABLE, "fw.a") == handles
    people.b.still("kept")


def test_a_connection_stays_when_its_phrase_stays(box):
    box.up(text("input: {policy: drop, accept: [tcp 80]}"))
    people = People(box, ["a", "b"])
    for address in A:
        people.b.keep(address, "tcp", address, 80)
    for firewall in ("input: {policy: drop, accept: [tcp 80 81]}", "input: {policy: accept, accept: [tcp 80]}", "input: {policy: drop, accept: [tcp 80], log: true}",
                     "input: {policy: drop, accept: [tcp 80]}, output: {policy: drop}", ""):
        box.up(text(firewall))
        box.warren("status", "fw")
        for address in A:
            people.b.still(address)


def test_no_firewall_no_table(box):
    box.up(text("input: {policy: drop}"))
    assert ("inet", TABLE) in tables(box, "fw.a") and tables(box, "fw.b") == []
    box.up(text(""))
    assert tables(box, "fw.a") == []
    People(box, ["b"]).host.ping()
    assert pings(box, "fw.b", A[0])


@pytest.mark.parametrize("firewall", ["input: {policy: drop}", ""])
def test_from_the_first_moment(box, firewall):
    """Whoever knocks while `up` makes the namespace is not heard either. Without a firewall he is: the test can fail."""
    box.up(text(firewall))
    theirs = Agent(box, "fw.a").interface("eth0")["mac"]
    box.up("\n".join(line for line in text("").splitlines() if not line.startswith("  a:")))
    b, c = Agent(box, "fw.b"), Agent(box, "fw.c")
    mine = b.interface("eth0")["mac"]
    b.capture(device="eth0")
    b.flood(device="eth0", frames=[ip_frame(theirs, mine, "10.50.0.6", "10.50.0.5", 1, icmp4(8, 0, b"knock knock ")).hex()])
    box.up(text(firewall))
    assert b.flooded(device="eth0", stop=True) > 0
    mark = honest(c.interface("eth0")["mac"], mine, "10.50.0.7", "10.50.0.6")
    c.send_frames("eth0", mark)
    told = b.captured(device="eth0", until=mark[-8:].hex())
    assert told["marked"]
    answers = [frame for frame in told["frames"] if b"knock knock" in bytes.fromhex(frame)]
    assert bool(answers) == (firewall == "")


def test_firewall_beside_a_filter_by_hand(box):
    """Other tables in the namespace are nobody's business."""
    box.up(text("input: {policy: drop, accept: [tcp 80]}"))
    box.inside("fw.a", "nft", "add table inet mine; add chain inet mine input { type filter hook input priority 10; }; add rule inet mine input udp dport 99 drop")
    before = ruleset(box, "fw.a", "table", "inet", "mine")
    assert "nothing to do" in box.up(text("input: {policy: drop, accept: [tcp 80]}")).out
    box.up(text(""))
    assert ruleset(box, "fw.a", "table", "inet", "mine") == before


def test_where_a_name_has_one_family(box):
    """A phrase that names somebody without IPv6 lets no IPv6 in."""
    box.up(text("input: {policy: drop, accept: [tcp 80 from b]}").replace("[10.50.0.6/24, \"fd50::6/64\"]", "10.50.0.6/24"))
    people = People(box)
    people.b.reach_all(*at(A[:1], 80, protocols=["tcp"]))
    people.c.fail_all(*at(A, 80, protocols=["tcp"]))


def test_sctp(box):
    """By its own ports, which UDP's are not."""
    box.up(text("input: {policy: drop, accept: [sctp 80 from b]}"))
    people = People(box, ["a", "b"])
    before = counters(box)
    mine, theirs = people.b.interface("eth0")["mac"], people.a.interface("eth0")["mac"]
    people.b.send_frames("eth0", ip_frame(theirs, mine, B[0], A[0], 132, sctp_init(5000, 80)), ip_frame(theirs, mine, B[0], A[0], 132, sctp_init(5000, 81)),
                         ip_frame(theirs, mine, C[0], A[0], 132, sctp_init(5000, 80)), ip_frame(theirs, mine, B[0], A[0], 17, udp(B[0], A[0], 5000, 80, b"none")))
    people.b.fail_all(*at(A, 80))
    after = counters(box)
    assert after["accept sctp 80 from b"] == before["accept sctp 80 from b"] + 1


def test_a_router_that_is_published_through(box):
    """Input of a published namespace applies to what comes by its published port."""
    street = Street(box)
    box.up(text("input: {policy: drop, accept: [tcp 80 from 192.0.2.0/24]}").replace("  a: {", "  a: {publish: [\"8080:80\", \"8081:81\"], "))
    people = People(box, ["a", "b"])
    street.neighbour.reach_all(("tcp", "192.0.2.1", 8080))
    street.neighbour.fail_all(("tcp", "192.0.2.1", 8081), ("tcp", "2001:db8::1", 8080))
    people.b.fail_all(("tcp", A[0], 80))


def test_down_leaves_nothing(box):
    before = box.observe("host")
    box.up(text("input: {policy: drop, accept: [tcp 80], log: true}, output: {policy: drop}"))
    box.warren("down", "fw")
    assert_same(before, box.observe("host"))
