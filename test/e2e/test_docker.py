"""Beside a Docker engine, whose FORWARD policy is DROP: both keep working, and it is left as it was."""

import json
import re

import pytest
from conftest import assert_same, needs_root, normal
from engine import engine, needs_engine  # noqa: F401  (the fixture)
from traffic import Agent, Street, bridged_frames

pytestmark = [needs_root, needs_engine]

NETWORK = """
name: shop
bridges:
  lan: {subnet: 10.50.0.0/24, host: true, nat: true}
  dmz: {subnet: 10.51.0.0/24, host: true}
namespaces:
  web: {interfaces: {eth0: {bridge: lan, address: 10.50.0.5/24}}, publish: "8080:80"}
  db: {interfaces: {eth0: {bridge: dmz, address: 10.51.0.6/24}}}
"""
NEIGHBOUR, HOST = Street.NEIGHBOUR[0], Street.HOST[0]
WEB, DB = "10.50.0.5", "10.51.0.6"


def saved(box):
    """What iptables sees, without what traffic counts."""
    lines = box.run("iptables-save").out.splitlines()
    return sorted(re.sub(r"\[\d+:\d+\]", "", line) for line in lines if not line.startswith("#"))


def rules(box):
    return [line for line in box.run("iptables", "-S", "DOCKER-USER").out.splitlines() if line.startswith("-A")]


def openings(box, network="shop"):
    """What a network's rules let pass."""
    marked = [line for line in rules(box) if f'--comment "warren:{network}"' in line]
    assert all(line.endswith("-j ACCEPT") for line in marked)
    return {" ".join(re.findall(r"-[io] \S+", line)) for line in marked}


class Container:
    """One with a published port, and connections through it that stay."""

    def __init__(self, box, street, engine):
        self.street = street
        self.made = engine.run("box", {80: 8081})
        self.agent = Agent(box, "box").serving("container", 80, 81, udp=False)
        street.neighbour.serving("neighbour", 80)
        self.agent.keep("out", "tcp", NEIGHBOUR, 80)
        street.neighbour.keep("in", "tcp", HOST, 8081)
        self.works()

    def works(self):
        """What was open goes on, and what is new is answered."""
        assert self.agent.still("out")["server"] == "neighbour"
        assert self.street.neighbour.still("in")["server"] == "container"
        assert self.agent.reach("tcp", NEIGHBOUR, 80)["seen"] == HOST
        assert self.street.neighbour.reach("tcp", HOST, 8081)["seen"] == NEIGHBOUR


@pytest.fixture
def street(box):
    return Street(box)


@pytest.fixture
def container(box, street, engine):  # noqa: F811
    return Container(box, street, engine)


def up(box, *arguments, **options):
    done = box.up(NETWORK, *arguments, **options)
    assert "drops" not in done.err, str(done)
    return done


def serve(box, street):
    return street.agent("shop.web", "web", 80, 81), street.agent("shop.db", "db", 80)


def network_works(street, web, db):
    assert web.reach("tcp", NEIGHBOUR, 80)["seen"] == HOST
    answer = street.neighbour.reach("tcp", HOST, 8080)
    assert (answer["server"], answer["seen"]) == ("web", NEIGHBOUR)
    assert web.reach("tcp", DB, 80)["seen"] == WEB
    assert db.reach("tcp", WEB, 81)["seen"] == DB
    assert db.reach("tcp", HOST, 8080)["server"] == "web"


def test_both_work(box, street, container):
    assert "-P FORWARD DROP" in box.run("iptables", "-S", "FORWARD").out
    before, host = saved(box), box.observe("host")
    up(box)
    container.works()
    web, db = serve(box, street)
    network_works(street, web, db)
    # From a container by the host's address, and from the network to what the container publishes.
    assert container.agent.reach("tcp", HOST, 8080)["server"] == "web"
    assert web.reach("tcp", HOST, 8081)["server"] == "container"
    # Neither opens the other's unpublished ports.
    web.fail_all(("tcp", container.made.address, 81))
    container.agent.fail_all(("tcp", WEB, 81))
    box.run("ip", "-n", "neighbour", "route", "add", "10.48.0.0/12", "via", HOST)
    street.neighbour.fail_all(("tcp", WEB, 81), ("tcp", DB, 80))
    box.run("ip", "-n", "neighbour", "route", "del", "10.48.0.0/12", "via", HOST)
    container.works()
    box.warren("down", "shop")
    container.works()
    assert saved(box) == before
    assert_same(host, box.observe("host"))


def test_rules_are_few_and_listed(box, street, container):
    up(box)
    assert openings(box) == {"-o shop-lan", "-o shop-dmz", "-i shop-lan -o out0", "-i shop-lan -o out1"}
    assert len(rules(box)) == 5 and rules(box)[-1] == "-A DOCKER-USER -j RETURN"
    before = box.observe("host")["filters"]
    assert "nothing to do" in up(box).out
    assert box.observe("host")["filters"] == before
    container.works()


def test_bridged_frames(box, street, engine):  # noqa: F811
    """What stays on a bridge of the network goes through Docker's chain, too, where br_netfilter is on."""
    if not bridged_frames(box, True):
        pytest.skip("this kernel has no br_netfilter, or its module is not loaded")
    street.neighbour.serving("neighbour", 80)
    up(box)
    web, _ = serve(box, street)
    two = box.write("two.yaml", """
name: two
bridges:
  lan: {subnet: 10.52.0.0/24, host: true}
namespaces:
  one: {interfaces: {eth0: {bridge: lan, address: 10.52.0.11/24}}}
  two: {interfaces: {eth0: {bridge: lan, address: 10.52.0.12/24}}}
""")
    box.warren("up", two)
    box.ping("two.one", "10.52.0.12")
    assert openings(box, "two") == {"-o two-lan"}
    box.warren("down", "two")
    assert openings(box, "two") == set() and openings(box) >= {"-o shop-lan"}
    assert web.reach("tcp", NEIGHBOUR, 80)["seen"] == HOST


def test_edit(box, street, container):
    """A bridge less is its rules less, without a moment in which the others are gone."""
    up(box)
    web, _ = serve(box, street)
    web.keep("out", "tcp", NEIGHBOUR, 80)
    box.up("""
name: shop
bridges:
  lan: {subnet: 10.50.0.0/24, host: true, nat: true}
namespaces:
  web: {interfaces: {eth0: {bridge: lan, address: 10.50.0.5/24}}}
""")
    assert openings(box) == {"-o shop-lan", "-i shop-lan -o out0"}
    web.still("out")
    container.works()


def test_rules_lost(box, street, container):
    before = saved(box)
    up(box)
    web, db = serve(box, street)
    box.run("iptables", "-F", "DOCKER-USER")
    box.run("iptables", "-A", "DOCKER-USER", "-j", "RETURN")
    web.fail_all(("tcp", NEIGHBOUR, 80))
    done = box.warren("status", "shop", check=3)
    assert "DOCKER-USER" in done.out
    up(box)
    network_works(street, web, db)
    container.works()
    box.warren("down", "shop")
    assert saved(box) == before


def test_saved_and_restored(box, street, container):
    """iptables-restore writes our rules its own way; they are ours all the same."""
    before = saved(box)
    up(box)
    web, db = serve(box, street)
    box.sh("iptables-save > rules; iptables-restore rules")
    box.warren("status", "shop")
    network_works(street, web, db)
    box.warren("down", "shop")
    assert saved(box) == before


def test_engine_starts_anew(box, street, container, engine):  # noqa: F811
    """It flushes and makes its chains again, but not what is in DOCKER-USER."""
    up(box)
    web, db = serve(box, street)
    engine.stop()
    engine.start()
    box.warren("status", "shop")
    network_works(street, web, db)


def test_engine_comes_later(box, street, request):
    """What it drops from then on is drift, and `up` opens it."""
    up(box)
    container = Container(box, street, request.getfixturevalue("engine"))
    web, db = serve(box, street)
    web.fail_all(("tcp", NEIGHBOUR, 80))
    assert "DOCKER-USER" in box.warren("status", "shop", check=3).out
    up(box)
    network_works(street, web, db)
    container.works()


def test_what_its_owner_drops_stays_dropped(box, street, container):
    box.run("iptables", "-I", "DOCKER-USER", "-i", "out0", "-o", "shop-lan", "-j", "DROP")
    done = box.up(NETWORK)
    assert "chain DOCKER-USER" in done.err and "from out0 to shop-lan" in done.err
    web, db = serve(box, street)
    web.fail_all(("tcp", NEIGHBOUR, 80))
    assert db.reach("tcp", WEB, 81)["seen"] == DB
    assert "-A DOCKER-USER -i out0 -o shop-lan -j DROP" in rules(box)


def test_owners_exceptions_come_first(box, street, container):
    """A rule of the owner's for one address still counts, although ours lets the rest pass."""
    box.run("iptables", "-I", "DOCKER-USER", "-s", "198.51.100.7", "-j", "DROP")
    up(box)
    serve(box, street)
    assert street.neighbour.reach("tcp", HOST, 8080)["server"] == "web"
    street.neighbour.fail_all(("tcp", HOST, 8080), source=Street.FAR[0])


def test_commands(box, street, container):
    """`plan --commands`, run by sh, opens the chain just the same."""
    plan = box.warren("plan", "--commands", box.write("net.yaml", NETWORK), check=None)
    before = saved(box)
    box.sh(plan.out)
    opened = saved(box)
    assert opened != before
    box.warren("down", "shop")
    up(box)
    assert saved(box) == opened


def test_json_says_it(box, street, container):
    done = box.warren("plan", "--json", box.write("net.yaml", NETWORK), check=3)
    steps = [step for step in json.loads(done.out)["steps"] if "DOCKER-USER" in json.dumps(step)]
    assert len(steps) == 4, normal(done.out)
