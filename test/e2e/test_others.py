"""Beside firewalls of others that drop what is forwarded: which chain it is gets said, and the command that is said opens it."""

import re
import shutil
from pathlib import Path

import pytest
from traffic import Street, bridged_frames

RULESETS = Path(__file__).parent / "rulesets"
needs_iptables = pytest.mark.skipif(shutil.which("iptables", path="/usr/sbin:/sbin") is None, reason="iptables is not installed")

NETWORK = """
name: shop
bridges:
  lan: {subnet: ["10.50.0.0/24", "fd50::/64"], host: true, nat: true}
  dmz: {subnet: ["10.51.0.0/24", "fd51::/64"], host: true}
namespaces:
  web: {interfaces: {eth0: {bridge: lan, address: [10.50.0.5/24, "fd50::5/64"]}}, publish: "8080:80"}
  db: {interfaces: {eth0: {bridge: dmz, address: [10.51.0.6/24, "fd51::6/64"]}}}
"""
WEB, DB = ["10.50.0.5", "fd50::5"], ["10.51.0.6", "fd51::6"]


class Obstacle:
    """One warning, taken apart."""

    FORM = re.compile(r"warning: chain (\S+) of table (.+) drops what goes (.+) \((.+)\); to open it: (.+)$")

    def __init__(self, line):
        found = self.FORM.search(line)
        assert found, f"no warning of the usual form: {line}"
        self.chain, self.table, self.what, self.why, self.command = found.groups()

    def __repr__(self):
        return f"<{self.table} {self.chain}: {self.what} ({self.why}): {self.command}>"


def obstacles(done):
    return [Obstacle(line) for line in done.err.splitlines() if "drops what goes" in line]


@pytest.fixture
def street(box):
    found = Street(box)
    found.neighbour.serving("neighbour", 80, udp=False)
    return found


class Ends:
    """Who speaks in these tests, and everything that must be answered."""

    def __init__(self, street):
        self.street = street
        self.web = street.agent("shop.web", "web", 80, 81)
        self.db = street.agent("shop.db", "db", 80)

    def ways(self):
        yield from ((self.web, ("tcp", address, 80)) for address in Street.NEIGHBOUR + DB)
        yield from ((self.street.neighbour, ("tcp", address, 8080)) for address in Street.HOST)
        yield from ((self.db, ("tcp", address, 81)) for address in WEB)

    def all_pass(self):
        for agent, target in self.ways():
            agent.reach(target[0], target[1], target[2])

    def none_passes(self):
        for agent in (self.web, self.street.neighbour, self.db):
            agent.fail_all(*(target for whose, target in self.ways() if whose is agent))


def open_all(box, found, run=None):
    for obstacle in found:
        box.sh(run(obstacle.command) if run else obstacle.command)


IPTABLES = """
    iptables -P FORWARD DROP
    iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
    iptables -A FORWARD -s 203.0.113.99 -j ACCEPT
    ip6tables -P FORWARD DROP
    ip6tables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
"""


@needs_iptables
def test_iptables(box, street):
    box.sh(IPTABLES)
    before = box.observe("host")["filters"]
    found = obstacles(box.up(NETWORK))
    ends = Ends(street)
    ends.none_passes()
    assert {(one.table, one.chain, one.why) for one in found} == {("ip filter", "FORWARD", "policy drop"), ("ip6 filter", "FORWARD", "policy drop")}
    assert ("from shop-lan to out0", "iptables -I FORWARD -i shop-lan -o out0 -j ACCEPT") in [(one.what, one.command) for one in found]
    # Nobody's chain is changed where its owner offers no place.
    assert {name: table for name, table in box.observe("host")["filters"].items() if name in before} == before
    # Neither a difference nor forgotten.
    assert [str(one) for one in obstacles(box.warren("status", "shop"))] == [str(one) for one in found]
    open_all(box, found)
    ends.all_pass()
    assert not obstacles(box.warren("status", "shop"))
    assert "nothing to do" in box.up(NETWORK).out
    box.warren("down", "shop")


@needs_iptables
def test_iptables_without_answers(box, street):
    """A policy alone: what comes back is dropped, too."""
    box.sh("iptables -P FORWARD DROP; ip6tables -P FORWARD DROP")
    found = obstacles(box.up(NETWORK))
    ends = Ends(street)
    ends.none_passes()
    open_all(box, found)
    ends.all_pass()


def test_nft(box, street):
    box.sh("""nft -f - <<'.'
        table inet mine {
            set inside { type ifname; elements = { "eth7", "eth8" } }
            chain checked { ip daddr 198.51.100.0/24 drop; tcp dport 25 reject; }
            chain forward {
                type filter hook forward priority filter + 5; policy accept
                ct state vmap { established: accept, related: accept, invalid: drop }
                jump checked
                iifname @inside accept
                iifname "eth*" oifname "eth9" accept
                ip saddr 10.0.0.0/8 reject with icmpx admin-prohibited
                drop
            }
        }
.
""")
    found = obstacles(box.up(NETWORK))
    ends = Ends(street)
    ends.none_passes()
    assert {(one.table, one.chain) for one in found} == {("inet mine", "forward")}
    assert all(re.fullmatch(r"rule with handle \d+ in chain forward", one.why) for one in found), found
    open_all(box, found)
    ends.all_pass()
    assert not obstacles(box.warren("status", "shop"))


def test_a_chain_that_lets_pass(box, street):
    """Drops that are about something else are nobody's business."""
    box.sh("""nft -f - <<'.'
        table inet mine {
            set blocked { type ipv4_addr; flags interval; elements = { 198.51.100.0/24, 203.0.113.7-203.0.113.9 } }
            chain forward {
                type filter hook forward priority filter; policy drop
                ip saddr @blocked drop
                ip daddr @blocked drop
                meta mark 7 drop
                tcp dport { 25, 137-139 } drop
                iifname vmap { "eth7": drop, "shop-lan": accept, "shop-dmz": accept }
                oifname "shop-*" accept
                limit rate 1/second log
            }
        }
.
""")
    done = box.up(NETWORK)
    assert not obstacles(done), str(done)
    Ends(street).all_pass()


@needs_iptables
def test_ufw(box, street):
    box.sh(f"iptables-restore {RULESETS}/ufw.rules; ip6tables-restore {RULESETS}/ufw6.rules")
    found = obstacles(box.up(NETWORK))
    ends = Ends(street)
    ends.none_passes()
    assert {one.why for one in found} == {"policy drop"}
    assert "ufw route allow in on shop-lan out on out0" in [one.command for one in found]

    def as_ufw(command):
        """What ufw adds for such a command."""
        match = re.fullmatch(r"ufw route allow(?: in on (\S+))?(?: out on (\S+))", command)
        where = " ".join(f"{option} {name}" for option, name in zip(("-i", "-o"), match.groups()) if name)
        return f"iptables -A ufw-user-forward {where} -j ACCEPT; ip6tables -A ufw6-user-forward {where} -j ACCEPT"

    open_all(box, found, as_ufw)
    ends.all_pass()
    assert not obstacles(box.warren("status", "shop"))


def test_firewalld(box, street):
    box.run("nft", "-f", RULESETS / "firewalld.nft")
    found = obstacles(box.up(NETWORK))
    ends = Ends(street)
    # Its zone lets pass what leaves by an interface of it, and whatever is published.
    for address in Street.NEIGHBOUR:
        ends.web.reach("tcp", address, 80)
    for address in Street.HOST:
        street.neighbour.reach("tcp", address, 8080)
    ends.web.fail_all(*(("tcp", address, 80) for address in DB))
    ends.db.fail_all(*(("tcp", address, 81) for address in WEB))
    assert {(one.table, one.chain, one.what, one.command) for one in found} == {
        ("inet firewalld", "filter_FORWARD", "from shop-lan to shop-dmz", "firewall-cmd --zone=trusted --add-interface=shop-lan"),
        ("inet firewalld", "filter_FORWARD", "from shop-dmz to shop-lan", "firewall-cmd --zone=trusted --add-interface=shop-dmz")}
    # What firewalld makes of these commands.
    box.run("nft", "add", "chain", "inet", "firewalld", "filter_FWD_trusted", "{ accept; }")
    for name in ("shop-lan", "shop-dmz"):
        box.run("nft", "insert", "rule", "inet", "firewalld", "filter_FORWARD_ZONES", "iifname", name, "goto", "filter_FWD_trusted")
    ends.all_pass()
    assert not obstacles(box.warren("status", "shop"))


PAIR = """
name: shop
bridges:
  lan: {subnet: 10.50.0.0/24, host: true}
namespaces:
  one: {interfaces: {eth0: {bridge: lan, address: 10.50.0.11/24}}}
  two: {interfaces: {eth0: {bridge: lan, address: 10.50.0.12/24}}}
"""


@needs_iptables
def test_bridged_frames(box):
    """br_netfilter sends what stays on a bridge through the host's filter, too."""
    if not bridged_frames(box, True):
        pytest.skip("this kernel has no br_netfilter, or its module is not loaded")
    box.run("iptables", "-P", "FORWARD", "DROP")
    found = obstacles(box.up(PAIR))
    box.ping("shop.one", "10.50.0.12", check=1)
    assert [(one.table, one.chain, one.what, one.why) for one in found] == [("ip filter", "FORWARD", "between ports of shop-lan", "policy drop")]
    open_all(box, found)
    box.ping("shop.one", "10.50.0.12")
    assert not obstacles(box.warren("status", "shop"))
    bridged_frames(box, False)
    box.run("iptables", "-F", "FORWARD")
    assert not obstacles(box.warren("status", "shop"))
    box.ping("shop.one", "10.50.0.12")


@pytest.fixture
def frames_dropped(box):
    """A filter of the host's for frames; where it stands, br_netfilter does not take them away before."""
    box.sh("nft 'add table bridge guard; add chain bridge guard pass { type filter hook forward priority -200; policy drop; }'")
    found = obstacles(box.up(PAIR))
    box.ping("shop.one", "10.50.0.12", check=1)
    return found


def test_filter_of_frames(frames_dropped):
    assert [(one.table, one.chain, one.what, one.why) for one in frames_dropped] == [("bridge guard", "pass", "between ports of shop-lan", "policy drop")]
    assert frames_dropped[0].command == "nft insert rule bridge guard pass 'meta ibrname \"shop-lan\" accept'"


def test_filter_of_frames_opened(box, frames_dropped):
    done = box.run("sh", "-ec", frames_dropped[0].command, check=False)
    if "not supported" in done.err:
        pytest.skip("this kernel cannot name a bridge in a rule (CONFIG_NFT_BRIDGE_META)")
    assert done.status == 0, str(done)
    box.ping("shop.one", "10.50.0.12")
    assert not obstacles(box.warren("status", "shop"))


@needs_iptables
def test_a_network_of_its_own(box):
    """What does not join the host goes through no chain of it."""
    box.sh("iptables -P FORWARD DROP; ip6tables -P FORWARD DROP")
    done = box.up(PAIR.replace(", host: true", ""))
    assert not done.err, str(done)
    box.ping("shop.one", "10.50.0.12")
