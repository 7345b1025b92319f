"""Who must not reach whom: networks of different files, bridges and ports that are kept apart."""

import pytest
from conftest import assert_same
from traffic import Agent, Street, arrived, ethernet, honest, ip_frame, remove_rules, udp


def network(name, number, more="", publish="", bridge=""):
    return f"""
name: {name}
bridges:
  one: {{subnet: ["10.{number}.1.0/24", "fd{number}:1::/64"], host: true{bridge}}}
  two: {{subnet: ["10.{number}.2.0/24", "fd{number}:2::/64"], host: true}}
namespaces:
  a: {{{publish}interfaces: {{eth0: {{bridge: one, address: [10.{number}.1.5/24, "fd{number}:1::5/64"]}}}}}}
  b: {{interfaces: {{eth0: {{bridge: two, address: [10.{number}.2.6/24, "fd{number}:2::6/64"]}}}}}}
{more}"""


def addresses(number):
    return {"a": [f"10.{number}.1.5", f"fd{number}:1::5"], "b": [f"10.{number}.2.6", f"fd{number}:2::6"],
            "one": [f"10.{number}.1.1", f"fd{number}:1::1"], "two": [f"10.{number}.2.1", f"fd{number}:2::1"]}


def at(addresses_, port=80):
    return [(protocol, address, port) for address in addresses_ for protocol in ("tcp", "udp")]


def serving(box, pin):
    return Agent(box, pin).serving(pin, 80)


def test_networks_of_different_files(box):
    """Both have two segments, so that the host forwards for each of them."""
    for name, number in (("red", 61), ("blue", 62)):
        box.up(network(name, number), name=name + ".yaml")
    agents = {pin: serving(box, pin) for pin in ("red.a", "red.b", "blue.a", "blue.b")}
    red, blue = addresses(61), addresses(62)
    agents["red.a"].reach_all(*at(red["b"]))
    agents["blue.b"].reach_all(*at(blue["a"]))
    agents["red.a"].fail_all(*at(blue["a"] + blue["b"]))
    agents["blue.b"].fail_all(*at(red["a"] + red["b"]))
    # The host's own addresses are the host's, whichever bridge they are on; and the host reaches everybody.
    Agent(box).serving("host", 80).reach_all(*at(red["a"] + blue["b"]))
    # Without the tables they would: it is the filter that keeps them apart.
    box.sh("nft flush ruleset")
    agents["red.a"].reach_all(*at(blue["a"] + blue["b"]))


@pytest.mark.parametrize("order", ["red first", "blue first"])
def test_after_one_of_them_is_gone_and_back(box, order):
    names = ["red", "blue"] if order == "red first" else ["blue", "red"]
    numbers = {"red": 61, "blue": 62}
    for name in names:
        box.up(network(name, numbers[name]), name=name + ".yaml")
    box.warren("down", names[0])
    box.up(network(names[0], numbers[names[0]]), name=names[0] + ".yaml")
    red = serving(box, "red.a")
    serving(box, "blue.a")
    serving(box, "red.b")
    red.reach_all(*at(addresses(61)["b"]))
    red.fail_all(*at(addresses(62)["a"]))


def test_except_by_what_they_publish(box):
    Street(box)
    box.up(network("red", 61), name="red.yaml")
    box.up(network("blue", 62, publish='publish: ["8080:80", "8080:80/udp"], '), name="blue.yaml")
    red, red_b = serving(box, "red.a"), serving(box, "red.b")
    serving(box, "blue.a")
    for agent in (red, red_b):
        answers = agent.reach_all(*at(Street.HOST, 8080))
        assert {answer["server"] for answer in answers} == {"blue.a"}
        agent.reach_all(*at(addresses(62)["one"] + addresses(61)["one"], 8080))
        agent.fail_all(*at(addresses(62)["a"]), *at(addresses(62)["a"], 8080))


def test_routed_is_for_the_outside(box):
    """Another network of warren's is not the outside, even where a bridge is routed."""
    street = Street(box)
    box.up(network("red", 61), name="red.yaml")
    box.up(network("blue", 62, bridge=", routed: true"), name="blue.yaml")
    red = serving(box, "red.a")
    serving(box, "blue.a")
    box.sh("ip -n neighbour route add 10.62.1.0/24 via 192.0.2.1; ip -n neighbour route add fd62:1::/64 via 2001:db8::1")
    street.neighbour.reach_all(*at(addresses(62)["a"]))
    red.fail_all(*at(addresses(62)["a"]))


def test_one_segment_each(box):
    """Networks with one bridge each, one of them behind NAT, so that the host forwards from everywhere."""
    Street(box)
    for name, number, nat in (("red", 61, ", nat: true"), ("blue", 62, "")):
        box.up(f"name: {name}\nbridges: {{one: {{subnet: [\"10.{number}.1.0/24\", \"fd{number}:1::/64\"], host: true{nat}}}}}\n"
               f"namespaces: {{a: {{interfaces: {{eth0: {{bridge: one, address: [10.{number}.1.5/24, \"fd{number}:1::5/64\"]}}}}}}}}\n", name=name + ".yaml")
    box.sh("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
    red, blue = serving(box, "red.a"), serving(box, "blue.a")
    red.fail_all(*at(addresses(62)["a"]))
    blue.fail_all(*at(addresses(61)["a"]))


def test_isolated_bridge(box):
    street = Street(box)
    box.up(network("red", 61, bridge=", isolated: true, nat: true",
                   more='  c: {interfaces: {eth0: {bridge: one, address: [10.61.1.7/24, "fd61:1::7/64"]}}}\n'))
    a, b, c = serving(box, "red.a"), serving(box, "red.b"), serving(box, "red.c")
    street.host.serving("host", 80)
    street.neighbour.serving("neighbour", 80)
    red = addresses(61)
    a.fail_all(*at(red["b"]))
    b.fail_all(*at(red["a"]))
    # Its own segment, the host and the outside are as before.
    a.reach_all(*at(["10.61.1.7", "fd61:1::7"] + red["one"] + Street.FAR))
    c.reach_all(*at(red["a"]))
    street.host.reach_all(*at(red["a"] + red["b"]))
    box.up(network("red", 61, bridge=", nat: true", more='  c: {interfaces: {eth0: {bridge: one, address: [10.61.1.7/24, "fd61:1::7/64"]}}}\n'))
    a.reach_all(*at(red["b"]))
    b.reach_all(*at(red["a"]))


PORTS = """
name: flat
bridges: {lan: {subnet: ["10.63.0.0/24", "fd63::/64"]HOST}}
namespaces:
  x: {interfaces: {eth0: {bridge: lan, address: [10.63.0.5/24, "fd63::5/64"], isolated: true}}}
  y: {interfaces: {eth0: {bridge: lan, address: [10.63.0.6/24, "fd63::6/64"], isolated: true}}}
  z: {interfaces: {eth0: {bridge: lan, address: [10.63.0.7/24, "fd63::7/64"]}}}
"""
X, Y, Z, GATE = ["10.63.0.5", "fd63::5"], ["10.63.0.6", "fd63::6"], ["10.63.0.7", "fd63::7"], ["10.63.0.1", "fd63::1"]


@pytest.mark.parametrize("host", ["", ", host: true"])
def test_isolated_ports(box, host):
    """As private VLANs have it: isolated ones do not reach each other, everybody reaches those that are not."""
    box.up(PORTS.replace("HOST", host))
    x, y, z = (serving(box, "flat." + name) for name in "xyz")
    z.reach_all(*at(X + Y))
    x.reach_all(*at(Z))
    x.fail_all(*at(Y))
    y.fail_all(*at(X))
    if host:
        Agent(box).serving("host", 80).reach_all(*at(X + Y))
        x.reach_all(*at(GATE))
    box.warren("status", "flat")
    # In place, both ways.
    box.up(PORTS.replace("HOST", host).replace("[10.63.0.6/24, \"fd63::6/64\"], isolated: true", "[10.63.0.6/24, \"fd63::6/64\"]"))
    # It still waits for the answer to the last question that it asked.
    box.sh("ip -n flat.x neigh flush all")
    x.reach_all(*at(Y))
    box.up(PORTS.replace("HOST", host))
    x.fail_all(*at(Y))


def test_isolated_ports_not_through_the_gateway_either(box):
    """A packet for the neighbour, sent to the host's MAC: the host would route it back into the bridge."""
    street = Street(box)
    text = PORTS.replace("HOST", ", host: true, nat: true")
    box.up(text)
    x, y = serving(box, "flat.x"), serving(box, "flat.y")
    z = serving(box, "flat.z")
    gate = street.host.interface("flat-lan")["mac"]
    mine = x.interface("eth0")["mac"]
    frames = [ip_frame(gate, mine, X[i], Y[i], 17, udp(X[i], Y[i], 5000, 80, f"attack{i}".encode())) for i in range(2)]
    assert heard(street, x, y, frames) == []
    # By routes over the host as well, from both ends, for whole connections.
    for pin, other in (("flat.x", Y), ("flat.y", X)):
        box.inside(pin, "sysctl", "-qw", *(f"net.{family}.conf.{name}.accept_redirects=0" for family in ("ipv4", "ipv6") for name in ("all", "eth0")))
        box.sh(f"ip -n {pin} route add {other[0]}/32 via {GATE[0]}; ip -n {pin} route add {other[1]}/128 via {GATE[1]}")
    x.fail_all(*at(Y))
    remove_rules(box, "warren-flat", "forward", "apart")
    assert heard(street, x, y, frames) == ["attack0", "attack1"]
    x.reach_all(*at(Y))
    # The one that is not isolated is reached as ever.
    box.up(text)
    x.fail_all(*at(Y))
    x.reach_all(*at(Z))
    z.reach_all(*at(X))


def heard(street, sender, receiver, frames):
    """What the receiver's server took of the datagrams, once all that was sent has come as far as it comes."""
    receiver.heard()
    sender.send_frames("eth0", *frames)
    # The host's own, over the same bridge, comes behind them.
    street.host.reach_all(*[("udp", address, 80) for address in Y])
    return sorted(words for _, _, words in receiver.heard() if words.startswith("attack"))


def test_isolated_port_frames(box):
    """Broadcasts and frames of no protocol do not pass either."""
    box.up(PORTS.replace("HOST", ""))
    x, y, z = (serving(box, "flat." + name) for name in "xyz")
    mine = x.interface("eth0")["mac"]
    frames = [ethernet("ff:ff:ff:ff:ff:ff", mine, 0x88b5, bytes(46)), ethernet(y.interface("eth0")["mac"], mine, 0x88b5, bytes(46)),
              ethernet("33:33:00:00:00:01", mine, 0x86dd, bytes(46))]
    z_mac = z.interface("eth0")["mac"]
    assert arrived(x, "eth0", frames, z, "eth0", honest(mine, z_mac, X[0], Z[0]))[0]
    # The honest one is z's: x's own would not arrive.
    y.capture(device="eth0")
    x.send_frames("eth0", *frames)
    mark = honest(z_mac, y.interface("eth0")["mac"], Z[0], Y[0])
    z.send_frames("eth0", mark)
    told = y.captured(device="eth0", until=mark[-8:].hex())
    assert told["marked"] and not {frame.hex() for frame in frames} & set(told["frames"])


def test_two_networks_leave_nothing(box):
    before = box.observe("host")
    box.up(network("red", 61), name="red.yaml")
    box.up(network("blue", 62, publish='publish: "8080:80", '), name="blue.yaml")
    box.warren("down", "red")
    box.warren("down", "blue")
    assert_same(before, box.observe("host"))
