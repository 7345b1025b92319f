"""The examples that need a packet filter do what their first lines say."""

import pytest
from conftest import TOP
from traffic import Street

ASKING = "import socket; print(sorted({found[4][0] for found in socket.getaddrinfo('example.test', 80)}))"


@pytest.fixture
def street(box):
    found = Street(box)
    found.neighbour.serving("outside", 22, 80, 443)
    found.neighbour.names(names={"example.test": ["198.51.100.7"]}, address="198.51.100.7")
    box.sh("echo 'nameserver 127.0.0.53' >/etc/resolv.conf; mkdir -p /run/systemd/resolve;"
           "echo 'nameserver 198.51.100.7' >/run/systemd/resolve/resolv.conf")
    return found


def up(box, name):
    box.warren("up", TOP / "examples" / (name + ".yaml"))


def at(addresses, port, protocols=("tcp", "udp")):
    return [(protocol, address, port) for address in addresses for protocol in protocols]


def address_of(box, pin):
    """Its IPv4 and its IPv6 address."""
    found = {}
    for item in box.ip_json("addr", "show", "eth0", ns=pin)[0]["addr_info"]:
        if item["scope"] == "global":
            found[item["family"]] = item["local"]
    return [found["inet"], found["inet6"]]


def test_nat(box, street):
    up(box, "nat")
    for name in ("nat.box1", "nat.box2"):
        seen = [answer["seen"] for answer in street.agent(name).reach_all(*at(Street.FAR, 80, ["tcp"]))]
        assert seen == Street.HOST
        assert box.warren("exec", name, "--", "/usr/bin/python3", "-c", ASKING).out == "['198.51.100.7']\n"


def test_web_only(box, street):
    up(box, "web-only")
    client, free = street.agent("web-only.client", "client", 80), street.agent("web-only.free", "free", 80)
    assert box.warren("exec", "web-only.client", "--", "/usr/bin/python3", "-c", ASKING).out == "['198.51.100.7']\n"
    client.reach_all(*at(Street.FAR, 80, ["tcp"]), *at(Street.FAR, 443, ["tcp"]))
    client.fail_all(*at(Street.FAR, 22), *at(Street.FAR, 443, ["udp"]))
    free.reach_all(*at(Street.FAR, 22))
    free.fail_all(*at(address_of(box, "web-only.client"), 80))
    assert "22" in box.warren("firewall", "web-only.client").out


def test_port_forward(box, street):
    up(box, "port-forward")
    street.agent("port-forward.web", "web", 53, 80)
    client = street.agent("port-forward.client")
    assert [answer["seen"] for answer in street.neighbour.reach_all(*at(Street.HOST, 8080, ["tcp"]))] == Street.NEIGHBOUR
    street.host.reach_all(*at(["127.0.0.1", "::1", *Street.HOST], 8080, ["tcp"]), ("udp", "127.0.0.1", 8053))
    client.reach_all(*at(Street.HOST, 8080, ["tcp"]))
    for agent in (street.neighbour, client):
        agent.fail_all(*at(Street.HOST, 8053, ["udp"]), *at(Street.HOST, 80))


def test_tenants(box, street):
    up(box, "tenants")
    names = ("red1", "red2", "blue1", "blue2")
    agents = {name: street.agent("tenants." + name, name, 80) for name in names}
    where = {name: address_of(box, "tenants." + name) for name in names}
    agents["red1"].reach_all(*at(where["red2"] + Street.FAR, 80))
    agents["blue2"].reach_all(*at(where["blue1"] + Street.FAR, 80))
    for start, end in (("red1", "blue1"), ("blue1", "red1"), ("red2", "blue2")):
        agents[start].fail_all(*at(where[end], 80))
    answers = agents["red1"].reach_all(*at(Street.HOST, 8081, ["tcp"]))
    assert {answer["server"] for answer in answers} == {"blue1"}
