"""`guard: true`: a port sends as itself or not at all. Each attack is first seen to arrive, and to work, on a bridge without a guard.

mallory attacks, victim is attacked, router forwards (and may send what others gave it), the machine may be the gateway.
"""

import struct
import time

import pytest
from conftest import assert_same
from traffic import (EVERYONE, PATIENCE, Agent, arp, arrived, bridged_frames, elements, ethernet, honest, icmp4, icmp6, ip_bytes, ip_frame, ipv4,
                     link_local, mac_bytes, router_advertisement, rule_handles, ruleset, tables, tcp, udp)

NETWORK = """
name: guarded
bridges:
  lan: {subnet: ["10.64.0.0/24", "fd64::/64"]HOSTGUARD}
  far: {subnet: ["10.65.0.0/24", "fd65::/64"], gateway: router}
namespaces:
  mallory: {interfaces: {eth0: {bridge: lan, address: [10.64.0.66/24, "fd64::66/64"]}}}
  victim: {interfaces: {eth0: {bridge: lan, address: [10.64.0.5/24, "fd64::5/64"]}}}
  other: {interfaces: {eth0: {bridge: lan, address: [10.64.0.7/24, "fd64::7/64"]}}}
  router:
    forward: true
    interfaces:
      eth0: {bridge: lan, address: [10.64.0.2/24, "fd64::2/64"]}
      eth1: {bridge: far, address: [10.65.0.1/24, "fd65::1/64"]}
  behind: {interfaces: {eth0: {bridge: far, address: [10.65.0.9/24, "fd65::9/64"]}}}
"""
MALLORY, VICTIM, OTHER, ROUTER, BEHIND = (["10.64.0.66", "fd64::66"], ["10.64.0.5", "fd64::5"], ["10.64.0.7", "fd64::7"], ["10.64.0.2", "fd64::2"],
                                          ["10.65.0.9", "fd65::9"])
ALL_NODES, NODES_MAC = "ff02::1", "33:33:00:00:00:01"
NOBODY = "02:00:00:00:66:66"


def text(guard=True, host=True):
    return NETWORK.replace("HOST", ", host: 10.64.0.1" if host == "4" else ", host: true" if host else "").replace("GUARD", ", guard: true" if guard else "")


class Scene:
    """Who is there, as seen by mallory."""

    def __init__(self, box):
        self.box = box
        self.mallory, self.victim, self.other, self.router = (Agent(box, "guarded." + name) for name in ("mallory", "victim", "other", "router"))
        self.me, self.you, self.third, self.routing = (agent.interface("eth0")["mac"] for agent in (self.mallory, self.victim, self.other, self.router))
        self.local = link_local(self.me)

    def mark(self):
        return honest(self.me, self.you, MALLORY[0], VICTIM[0])

    def came(self, frames, attacker=None, mark=None):
        return arrived(attacker or self.mallory, "eth0", frames, self.victim, "eth0", mark or self.mark())

    def neighbours(self, address):
        """The MAC that the victim has for an address."""
        return [item.get("lladdr") for item in self.box.ip_json("neigh", ns="guarded.victim") if item.get("dst") == address]


def advertisement(scene, target, source=MALLORY[1], mac=None):
    """Unasked, and meant to override what is known."""
    body = struct.pack("!I", 0x20000000) + ip_bytes(target) + b"\x02\x01" + mac_bytes(mac or scene.me)
    return icmp6(source, ALL_NODES, 136, body)


def to_all(scene, payload, source=None, extensions=(), **options):
    source = source or scene.local
    return ip_frame(NODES_MAC, options.pop("mac", scene.me), source, ALL_NODES, 58, payload, extensions=extensions, **options)


def ra(scene, extensions=(), **options):
    return to_all(scene, router_advertisement(scene.local, scene.me), extensions=extensions, **options)


def dhcp_offer(scene):
    body = bytes([2, 1, 6, 0]) + b"\x39\x03\xf3\x26" + bytes(8) + ip_bytes("10.64.0.200") + ip_bytes(MALLORY[0]) + bytes(4)
    body += mac_bytes(scene.you) + bytes(202) + bytes.fromhex("63825363") + bytes([53, 1, 2, 54, 4]) + ip_bytes(MALLORY[0]) + b"\xff"
    return body


def redirect4(scene):
    inner = ipv4(VICTIM[0], "198.51.100.9", 17, udp(VICTIM[0], "198.51.100.9", 1, 2, b""))[:28]
    return icmp4(5, 1, ip_bytes(MALLORY[0]) + inner)


def redirect6(scene):
    return icmp6(scene.local, VICTIM[1], 137, bytes(4) + ip_bytes(scene.local) + ip_bytes("2001:db8:9::9"))


def spoofed(scene, source, to, mac=None):
    return ip_frame(scene.you, mac or scene.me, source, to, 17, udp(source, to, 4000, 4001, b"spoofed"))


# name: the frames of one attack
ATTACKS = {
    "MAC of somebody else": lambda s: [spoofed(s, MALLORY[0], VICTIM[0], s.third), spoofed(s, OTHER[1], VICTIM[1], s.third)],
    "MAC of nobody": lambda s: [spoofed(s, MALLORY[0], VICTIM[0], NOBODY), ethernet(EVERYONE, NOBODY, 0x0806, arp(1, NOBODY, MALLORY[0], "00:00:00:00:00:00", VICTIM[0]))],
    "ARP with another sender's address": lambda s: [
        ethernet(s.you, s.me, 0x0806, arp(2, s.me, OTHER[0], s.you, VICTIM[0])), ethernet(EVERYONE, s.me, 0x0806, arp(1, s.me, OTHER[0], "00:00:00:00:00:00", OTHER[0])),
        ethernet(EVERYONE, s.me, 0x0806, arp(1, s.me, "10.64.0.1", "00:00:00:00:00:00", VICTIM[0]))],
    "ARP with another sender's MAC": lambda s: [ethernet(s.you, s.me, 0x0806, arp(2, s.third, OTHER[0], s.you, VICTIM[0])),
                                               ethernet(s.you, s.me, 0x0806, arp(2, NOBODY, MALLORY[0], s.you, VICTIM[0]))],
    "IPv4 source": lambda s: [spoofed(s, OTHER[0], VICTIM[0]), spoofed(s, "198.51.100.9", VICTIM[0]), spoofed(s, "0.0.0.0", VICTIM[0]), spoofed(s, "127.0.0.1", VICTIM[0])],
    "IPv6 source": lambda s: [spoofed(s, OTHER[1], VICTIM[1]), spoofed(s, "2001:db8:9::9", VICTIM[1]), spoofed(s, link_local(s.third), VICTIM[1]), spoofed(s, "fe80::1", VICTIM[1])],
    "IPv6 source behind a header": lambda s: [ip_frame(s.you, s.me, OTHER[1], VICTIM[1], 17, udp(OTHER[1], VICTIM[1], 4000, 4001, b"x"), extensions=(60,))],
    "unspecified IPv6 source": lambda s: [spoofed(s, "::", VICTIM[1]), ip_frame(NODES_MAC, s.me, "::", ALL_NODES, 58, icmp6("::", ALL_NODES, 128, b"echo"))],
    "neighbour advertisement": lambda s: [to_all(s, advertisement(s, OTHER[1]), MALLORY[1]), to_all(s, advertisement(s, OTHER[1], source=s.local)),
                                          to_all(s, advertisement(s, "fd64::1"), MALLORY[1]), to_all(s, advertisement(s, link_local(s.third)), MALLORY[1])],
    "neighbour advertisement behind a header": lambda s: [to_all(s, advertisement(s, OTHER[1]), MALLORY[1], extensions=chain) for chain in ((0,), (60,), (0, 60))],
    "neighbour advertisement as a fragment": lambda s: [to_all(s, advertisement(s, OTHER[1]), MALLORY[1], extensions=(44,))],
    "neighbour solicitation from another": lambda s: [
        ip_frame(s.you, s.me, OTHER[1], VICTIM[1], 58, icmp6(OTHER[1], VICTIM[1], 135, bytes(4) + ip_bytes(VICTIM[1]) + b"\x01\x01" + mac_bytes(s.me)))],
    "router advertisement": lambda s: [ra(s)],
    "router advertisement behind hop-by-hop options": lambda s: [ra(s, (0,))],
    "router advertisement behind destination options": lambda s: [ra(s, (60,))],
    "router advertisement behind both": lambda s: [ra(s, (0, 60)), ra(s, (60, 60, 60))],
    "router advertisement as a fragment": lambda s: [ra(s, (44,)), ra(s, (60, 44)), ra(s, (44, 60))],
    "router advertisement in VLAN 0": lambda s: [ra(s, tags=[(0x8100, 0)]), ra(s, tags=[(0x88a8, 0)])],
    "router advertisement in VLAN 7": lambda s: [ra(s, tags=[(0x8100, 7)])],
    "router advertisement in two tags": lambda s: [ra(s, tags=[(0x88a8, 0), (0x8100, 0)]), ra(s, tags=[(0x8100, 0), (0x8100, 0)])],
    "router advertisement from an address": lambda s: [to_all(s, router_advertisement(MALLORY[1], s.me), MALLORY[1])],
    "router advertisement for one": lambda s: [ip_frame(s.you, s.me, s.local, VICTIM[1], 58, icmp6(s.local, VICTIM[1], 134, struct.pack("!BBHII", 64, 0, 1800, 0, 0)))],
    "redirect": lambda s: [ip_frame(s.you, s.me, s.local, VICTIM[1], 58, redirect6(s)), ip_frame(s.you, s.me, s.local, VICTIM[1], 58, redirect6(s), extensions=(60,))],
    "redirect of IPv4 from another": lambda s: [ip_frame(s.you, s.me, "10.64.0.1", VICTIM[0], 1, redirect4(s))],
    "DHCP offer": lambda s: [ip_frame(EVERYONE, s.me, MALLORY[0], "255.255.255.255", 17, udp(MALLORY[0], "255.255.255.255", 67, 68, dhcp_offer(s))),
                             ip_frame(s.you, s.me, MALLORY[0], VICTIM[0], 17, udp(MALLORY[0], VICTIM[0], 67, 68, dhcp_offer(s)))],
    "DHCP offer from another port": lambda s: [ip_frame(s.you, s.me, MALLORY[0], VICTIM[0], 17, udp(MALLORY[0], VICTIM[0], 6767, 68, dhcp_offer(s)))],
    "DHCPv6 advertisement from another port": lambda s: [ip_frame(s.you, s.me, s.local, link_local(s.you), 17, udp(s.local, link_local(s.you), 5470, 546, bytes([2, 1, 2, 3])))],
    "DHCPv6 advertisement": lambda s: [ip_frame(s.you, s.me, s.local, link_local(s.you), 17, udp(s.local, link_local(s.you), 547, 546, bytes([2, 1, 2, 3]))),
                                       ip_frame(s.you, s.me, MALLORY[1], VICTIM[1], 17, udp(MALLORY[1], VICTIM[1], 547, 546, bytes([2, 1, 2, 3]))),
                                       ip_frame(s.you, s.me, s.local, link_local(s.you), 17, udp(s.local, link_local(s.you), 547, 546, bytes([7, 1, 2, 3])), extensions=(60,))],
    "IPv4 in VLAN 0": lambda s: [ip_frame(s.you, s.me, OTHER[0], VICTIM[0], 17, udp(OTHER[0], VICTIM[0], 4000, 4001, b"x"), tags=[(0x8100, 0)])],
    "ARP in VLAN 0": lambda s: [ethernet(s.you, s.me, 0x0806, arp(2, s.me, OTHER[0], s.you, VICTIM[0]), [(0x8100, 0)])],
    "protocols that nobody checks": lambda s: [ethernet(s.you, s.me, kind, bytes(46)) for kind in (0x88b5, 0x8863, 0x88cc, 0x8035, 0x9000)],
    "frames of LLC": lambda s: [ethernet(s.you, s.me, 38, b"\xaa\xaa\x03\x00\x00\x00\x86\xdd" + bytes(30))],
}


@pytest.fixture(scope="module", params=[True, False], ids=["bridge of the machine", "bridge apart"])
def scenes(request, tmp_path_factory):
    """The same machine without and with a guard, for all attacks: none changes what the next one is measured by."""
    from conftest import Box
    machines = {}
    for guard in (False, True):
        box = Box(tmp_path_factory.mktemp("guard"))
        machines[guard] = box
        # It would put fragments together, so that what arrives is not what was sent.
        bridged_frames(box, False)
        box.up(text(guard, request.param))
    yield {guard: Scene(box) for guard, box in machines.items()}
    for box in machines.values():
        box.close()


@pytest.mark.parametrize("what", ATTACKS)
def test_attack(scenes, what):
    frames = ATTACKS[what](scenes[False])
    assert scenes[False].came(frames) == [True] * len(frames), "the attack must arrive where nobody guards"
    frames = ATTACKS[what](scenes[True])
    assert scenes[True].came(frames) == [False] * len(frames)


# name: what the victim is asked before and after; the attack; what it must have done where nobody guards
def _defaults(scene):
    return [route.get("gateway") for route in scene.box.ip_json("-6", "route", "show", "default", ns="guarded.victim")]


def _addresses(scene):
    return [item["local"] for link in scene.box.ip_json("-6", "addr", "show", "dev", "eth0", ns="guarded.victim") for item in link["addr_info"]]


EFFECTS = {
    "a default route": (lambda s: [ra(s)], _defaults, lambda s, found: s.local in found),
    "a default route, behind headers": (lambda s: [ra(s, (0, 60))], _defaults, lambda s, found: s.local in found),
    "a default route, in VLAN 0": (lambda s: [ra(s, tags=[(0x8100, 0)])], _defaults, lambda s, found: s.local in found),
    "an address": (lambda s: [ra(s)], _addresses, lambda s, found: any(item.startswith("2001:db8:bad:") for item in found)),
    "the way to a neighbour, by ARP": (ATTACKS["ARP with another sender's address"], lambda s: s.neighbours(OTHER[0]), lambda s, found: found == [s.me]),
    "the way to a neighbour, by an advertisement": (ATTACKS["neighbour advertisement"], lambda s: s.neighbours(OTHER[1]), lambda s, found: found == [s.me]),
}


@pytest.mark.parametrize("guard", [False, True], ids=["nobody guards", "guarded"])
@pytest.mark.parametrize("what", EFFECTS)
def test_effect(box, what, guard):
    """Not only the frame: the victim believes what it says."""
    attack, ask, done = EFFECTS[what]
    box.up(text(guard))
    box.inside("guarded.victim", "sysctl", "-qw", "net.ipv6.conf.eth0.accept_ra=2", "net.ipv4.conf.eth0.arp_accept=1")
    scene = Scene(box)
    scene.other.serving("other", 80)
    # The victim knows the right way first.
    scene.victim.reach_all(("tcp", OTHER[0], 80), ("tcp", OTHER[1], 80))
    scene.mallory.send_frames("eth0", *attack(scene))
    # What came before this was carried out before this is answered.
    scene.victim.serving("victim", 80)
    scene.mallory.reach_all(("tcp", VICTIM[0], 80), ("tcp", VICTIM[1], 80))
    end = time.monotonic() + PATIENCE
    while not done(scene, ask(scene)) and not guard and time.monotonic() < end:
        pass
    assert done(scene, ask(scene)) == (not guard), ask(scene)
    if guard:
        scene.victim.reach_all(("tcp", OTHER[0], 80), ("tcp", OTHER[1], 80))


def everybody_talks(box, scene, pins=("mallory", "victim", "other")):
    places = {"mallory": MALLORY, "victim": VICTIM, "other": OTHER}
    agents = {"mallory": scene.mallory, "victim": scene.victim, "other": scene.other}
    for start in pins:
        box.sh(f"ip -n guarded.{start} neigh flush all")
    for start in pins:
        agents[start].reach_all(*[(protocol, address, 80) for end in pins if end != start for address in places[end] for protocol in ("tcp", "udp")])
        for end in pins:
            if end != start:
                for address in places[end]:
                    box.ping("guarded." + start, address)


def test_frames_that_pass_the_bridge_by(scenes):
    """To 01:80:c2:00:00:0e: no hook of the bridge sees them, and the host takes them from the port itself."""
    scene = scenes[True]
    if not scene.box.sh("nft list chain inet warren-guarded raw 2>/dev/null || true").out:
        return  # the bridge is not the machine's
    rule = "nft list chain inet warren-guarded raw | sed -n 's/.*@ports counter packets \\([0-9]*\\) .*/\\1/p'"
    before = int(scene.box.sh(rule).out)
    frame = ip_frame("01:80:c2:00:00:0e", NOBODY, "8.8.8.8", "10.64.0.1", 17, udp("8.8.8.8", "10.64.0.1", 1, 40404, b"past the guard"))
    assert scene.came([frame]) == [False]
    assert int(scene.box.sh(rule).out) == before + 1


@pytest.mark.parametrize("host", [True, False], ids=["bridge of the machine", "bridge apart"])
def test_honest_traffic(box, host):
    box.up(text(True, host))
    scene = Scene(box)
    for name, agent in (("mallory", scene.mallory), ("victim", scene.victim), ("other", scene.other)):
        agent.serving(name, 80)
    everybody_talks(box, scene)
    if host:
        machine = Agent(box).serving("host", 80)
        box.sh("ip neigh flush all")
        machine.reach_all(*[("tcp", address, 80) for address in VICTIM + OTHER])
        scene.victim.reach_all(("tcp", "10.64.0.1", 80), ("tcp", "fd64::1", 80))
        box.ping(None, VICTIM[1])
    # Link-local addresses are its own, too, and so is asking whether an address is free.
    box.ping("guarded.victim", link_local(scene.third) + "%eth0")
    frames = [ethernet(EVERYONE, scene.me, 0x0806, arp(1, scene.me, "0.0.0.0", "00:00:00:00:00:00", MALLORY[0])),
              ethernet(EVERYONE, scene.me, 0x0806, arp(1, scene.me, MALLORY[0], "00:00:00:00:00:00", MALLORY[0])),
              ip_frame("33:33:ff:00:00:66", scene.me, "::", "ff02::1:ff00:66", 58, icmp6("::", "ff02::1:ff00:66", 135, bytes(4) + ip_bytes(MALLORY[1]))),
              ip_frame("33:33:00:00:00:02", scene.me, scene.local, "ff02::2", 58, icmp6(scene.local, "ff02::2", 133, bytes(4))),
              to_all(scene, advertisement(scene, MALLORY[1]), MALLORY[1]), to_all(scene, advertisement(scene, scene.local, source=scene.local)),
              ip_frame(EVERYONE, scene.me, MALLORY[0], "255.255.255.255", 17, udp(MALLORY[0], "255.255.255.255", 68, 67, b"discover")),
              ip_frame(scene.you, scene.me, MALLORY[1], VICTIM[1], 17, udp(MALLORY[1], VICTIM[1], 4000, 4001, b"x"), extensions=(0,)),
              ip_frame(scene.you, scene.me, MALLORY[0], VICTIM[0], 6, tcp(MALLORY[0], VICTIM[0], 4000, 4001))]
    assert scene.came(frames) == [True] * len(frames)


def test_a_namespace_that_forwards(box):
    """It sends what others gave it, and nothing else that is not its own."""
    box.up(text())
    scene = Scene(box)
    for pin in ("victim", "mallory"):
        box.sh(f"ip -n guarded.{pin} route add 10.65.0.0/24 via 10.64.0.2; ip -n guarded.{pin} route add fd65::/64 via fd64::2")
    scene.victim.serving("victim", 80)
    behind = Agent(box, "guarded.behind").serving("behind", 80)
    behind.reach_all(*[(protocol, address, 80) for address in VICTIM for protocol in ("tcp", "udp")])
    scene.victim.reach_all(*[(protocol, address, 80) for address in BEHIND for protocol in ("tcp", "udp")])
    mark = honest(scene.routing, scene.you, ROUTER[0], VICTIM[0])
    mine = link_local(scene.routing)
    foreign = [spoofed(scene, "198.51.100.9", VICTIM[0], scene.routing), spoofed(scene, "2001:db8:9::9", VICTIM[1], scene.routing)]
    assert scene.came(foreign, scene.router, mark) == [True, True]
    attacks = [
        spoofed(scene, ROUTER[0], VICTIM[0], scene.third),
        ethernet(scene.you, scene.routing, 0x0806, arp(2, scene.routing, OTHER[0], scene.you, VICTIM[0])),
        ip_frame(NODES_MAC, scene.routing, mine, ALL_NODES, 58, router_advertisement(mine, scene.routing)),
        ip_frame(NODES_MAC, scene.routing, mine, ALL_NODES, 58, router_advertisement(mine, scene.routing), extensions=(0,)),
        ip_frame(NODES_MAC, scene.routing, ROUTER[1], ALL_NODES, 58, advertisement(scene, OTHER[1], source=ROUTER[1], mac=scene.routing)),
        ip_frame(scene.you, scene.routing, ROUTER[0], VICTIM[0], 17, udp(ROUTER[0], VICTIM[0], 67, 68, dhcp_offer(scene))),
        ip_frame(scene.you, scene.routing, mine, link_local(scene.you), 17, udp(mine, link_local(scene.you), 547, 546, b"\2\1\2\3")),
        ip_frame(scene.you, scene.routing, mine, VICTIM[1], 58, icmp6(mine, VICTIM[1], 137, bytes(4) + ip_bytes(mine) + ip_bytes("2001:db8:9::9"))),
        ethernet(scene.you, scene.routing, 0x88b5, bytes(46)),
    ]
    assert scene.came(attacks, scene.router, mark) == [False] * len(attacks)


def test_the_machine_is_not_fooled(box):
    """A bridge that the machine joins: its own neighbour table is a victim's like any other."""
    for guard in (False, True):
        box.up(text(guard))
        scene = Scene(box)
        machine = Agent(box)
        scene.other.serving("other", 80)
        scene.mallory.serving("mallory", 81)
        machine.reach_all(("tcp", OTHER[0], 80), ("tcp", OTHER[1], 80))
        gate = machine.interface("guarded-lan")["mac"]
        # What it learnt a moment ago may be overwritten.
        box.sh("sysctl -qw net.ipv4.neigh.guarded-lan.locktime=0")
        scene.mallory.send_frames("eth0", ethernet(gate, scene.me, 0x0806, arp(2, scene.me, OTHER[0], gate, "10.64.0.1")),
                                  ip_frame(gate, scene.me, MALLORY[1], "fd64::1", 58, icmp6(MALLORY[1], "fd64::1", 136, struct.pack("!I", 0x60000000) + ip_bytes(OTHER[1]) + b"\x02\x01" + mac_bytes(scene.me))))
        machine.reach_all(("tcp", MALLORY[0], 81), ("tcp", MALLORY[1], 81))
        known = {item["dst"]: item.get("lladdr") for item in box.ip_json("neigh", "show", "dev", "guarded-lan")}
        right = scene.third if guard else scene.me
        assert [known.get(address) for address in OTHER] == [right] * 2, known
        box.warren("down", "guarded")


def test_the_rules_stand_before_what_accepts(box):
    """Another table that accepts everything, at any priority, changes nothing."""
    box.up(text())
    box.sh("nft add table bridge mine; nft 'add chain bridge mine early { type filter hook prerouting priority -400; policy accept; }'; nft add rule bridge mine early accept;"
           "nft 'add chain bridge mine late { type filter hook prerouting priority 0; policy accept; }'; nft add rule bridge mine late accept")
    scene = Scene(box)
    frames = ATTACKS["ARP with another sender's address"](scene) + [ra(scene)]
    assert scene.came(frames) == [False] * len(frames)


# --- edits ---------------------------------------------------------------------------------------------------------------------------


def test_edits_are_elements(box):
    """An address more, a namespace more: elements, and no rule is made anew. What left the file is guarded against at once."""
    box.up(text())
    scene = Scene(box)
    handles = rule_handles(box, "warren-guarded", None, "bridge")
    before = elements(box, "warren-guarded", None, "bridge")
    edited = text().replace("[10.64.0.66/24, \"fd64::66/64\"]", "[10.64.0.67/24, 10.64.0.68/24, \"fd64::66/64\"]")
    edited = edited.replace("  other: {", "  more: {interfaces: {eth0: {bridge: lan, address: [10.64.0.9/24, \"fd64::9/64\"]}}}\n  other: {")
    box.up(edited)
    assert rule_handles(box, "warren-guarded", None, "bridge") == handles
    assert elements(box, "warren-guarded", None, "bridge") != before
    mark = honest(scene.me, scene.you, "10.64.0.68", VICTIM[0])
    assert scene.came([spoofed(scene, "10.64.0.67", VICTIM[0]), spoofed(scene, "10.64.0.66", VICTIM[0])], mark=mark) == [True, False]
    Agent(box, "guarded.more").serving("more", 80)
    scene.victim.reach_all(("tcp", "10.64.0.9", 80), ("tcp", "fd64::9", 80))
    box.up(text(False))
    assert all("bridge" != family for family, _ in tables(box))
    assert scene.came([spoofed(scene, "10.64.0.66", VICTIM[0]), ra(scene)]) == [True, True]


def test_a_guard_that_comes_later(box):
    """Connections stay, and from then on nothing passes that is not honest."""
    box.up(text(False))
    scene = Scene(box)
    scene.victim.serving("victim", 80)
    for address in VICTIM:
        scene.other.keep(address, "tcp", address, 80)
    box.up(text(True))
    for address in VICTIM:
        scene.other.still(address)
    assert scene.came([ra(scene)]) == [False]


def test_counters_say_why(box):
    box.up(text())
    scene = Scene(box)

    def counted():
        found = {}
        for item in ruleset(box, None, "table", "bridge", "warren-guarded"):
            for part in item.get("rule", {}).get("expr", []):
                if isinstance(part, dict) and "counter" in part:
                    found[(item["rule"]["handle"], item["rule"].get("comment"))] = part["counter"]["packets"]
        return found

    before = counted()
    assert before and all(comment for _, comment in before)
    scene.came([ra(scene), ra(scene), spoofed(scene, OTHER[0], VICTIM[0])])
    after = counted()
    assert sum(after.values()) - sum(before.values()) == 3
    assert sorted(after[rule] - before[rule] for rule in after if after[rule] != before[rule]) == [1, 2]


def test_interface_without_an_address(box):
    """It has its MAC and its link-local address, if it has IPv6 at all; else nothing but its MAC."""
    box.up(text().replace("  other: {interfaces: {eth0: {bridge: lan, address: [10.64.0.7/24, \"fd64::7/64\"]}}}", "  other: {interfaces: {eth0: {bridge: lan, address: none}}}"))
    scene = Scene(box)
    mark = scene.mark()
    scene.victim.capture(device="eth0")
    frames = [spoofed(scene, "10.64.0.7", VICTIM[0], scene.third), spoofed(scene, "fd64::7", VICTIM[1], scene.third)]
    scene.other.send_frames("eth0", *frames)
    scene.mallory.send_frames("eth0", mark)
    told = scene.victim.captured(device="eth0", until=mark[-8:].hex())
    assert told["marked"] and not {frame.hex() for frame in frames} & set(told["frames"])


def test_down_leaves_nothing(box):
    before = box.observe("host")
    for host in (True, False):
        box.up(text(True, host))
        box.warren("down", "guarded")
        assert_same(before, box.observe("host"))


# --- the machine and router advertisements -------------------------------------------------------------------------------------------


def test_the_machine_takes_no_router_advertisement(box):
    """Guarded or not, and from the first moment that the bridge is up: mallory never stops sending."""
    box.sh("sysctl -qw net.ipv6.conf.all.accept_ra=2 net.ipv6.conf.default.accept_ra=2 net.ipv6.conf.all.forwarding=0")
    box.up(text(False, False))
    scene = Scene(box)
    scene.mallory.flood(device="eth0", frames=[ra(scene).hex()])

    def taken():
        routes = [route for route in box.ip_json("-6", "route", "show", "table", "all") if route.get("protocol") == "ra" or "2001:db8:bad" in str(route)]
        return routes + [item for link in box.ip_json("-6", "addr") for item in link["addr_info"] if item["local"].startswith("2001:db8:bad")]

    for guard in (False, True, False):
        # The bridge of the machine is made anew each time, and mallory's end of its cable with it.
        box.up(text(guard, True))
        sent = scene.mallory.flooded(device="eth0")
        if not guard:
            machine = Agent(box)
            machine.capture(device="guarded-lan")
            assert machine.captured(device="guarded-lan", until="20010db80bad", timeout=PATIENCE)["marked"], "they come as far as the machine"
        assert taken() == []
        box.up(text(False, False))
    assert scene.mallory.flooded(device="eth0", stop=True) > sent > 0
    # A bridge that somebody makes by hand takes them: the test can fail.
    box.sh("ip link add by-hand type bridge mcast_snooping 0; ip link add hand0 type veth peer name hand1; ip link set hand0 master by-hand up; ip link set hand1 up;"
           "sysctl -qw net.ipv6.conf.hand1.disable_ipv6=1; ip link set by-hand up")
    Agent(box).send_frames("hand1", ra(scene))
    end = time.monotonic() + PATIENCE
    while not taken() and time.monotonic() < end:
        Agent(box).send_frames("hand1", ra(scene))
    assert taken()
