"""ls, show and the JSON of everything, against the schemas in share/."""

import json

import jsonschema
import pytest
import yaml
from conftest import TOP, TRIO
from networks import EDITED, RICH

TRAFFIC = """
bridges:
  lan: {subnet: ["10.30.0.0/24", "fd30::/64"], host: true, nat: true, guard: true}
  man: {subnet: 10.31.0.0/24, host: true, nat: {out: eth0, address: [192.0.2.9, "2001:db8::9"]}, isolated: true, routed: true}
  dmz: {subnet: 10.32.0.0/24, gateway: edge}
namespaces:
  web:
    interfaces: {eth0: {bridge: lan, isolated: true}, eth1: dmz}
    publish: ["8080:80", "127.0.0.1:5353:53/udp", "[::1]:81:80/tcp", "82:80@eth0"]
    firewall:
      input: {policy: drop, log: true, accept: [tcp 80 443 8000-8100, udp, icmp, tcp 22 from 10.30.0.0/24 dmz to web], deny: any from man}
      output: {policy: drop, accept: ["any to host fd30::/64", "sctp 5 from fd30::5"]}
  edge:
    forward: true
    interfaces: {eth0: lan, eth1: {bridge: dmz, address: 10.32.0.1/24}}
    nat: {out: eth0, address: 10.30.0.77}
    firewall: {forward: {deny: ["any from app1"]}}
  app[1-2]:
    interfaces: {eth0: {bridge: man, isolated: false}}
    publish: "$(n+9000):80"
    firewall: {input: {policy: accept, accept: ["tcp $n from app$n"]}}
    nat: false
"""


@pytest.fixture
def network_schema():
    return json.loads((TOP / "share" / "warren-network.schema.json").read_text())


def test_ls(trio):
    trio.sh("ip netns add stranger; touch /run/netns/leftover")
    shown = trio.warren("ls").out
    rows = {line.split()[0]: line for line in shown.splitlines() if line.split()}
    for pin in ("trio.one", "trio.two", "trio.three", "trio.lan"):
        assert any("trio" in line.replace(pin, "", 1) or pin in line for name, line in rows.items() if pin in line), shown
    assert "stranger" in shown and "leftover" in shown


def test_ls_json(trio, output_schema):
    trio.sh("ip netns add stranger; touch /run/netns/leftover")
    told = trio.warren("ls", "--json").json()
    jsonschema.validate(told, output_schema)
    text = json.dumps(told)
    for name in ("trio.one", "stranger", "leftover"):
        assert f'"{name}"' in text


def test_ls_of_nothing(box, output_schema):
    box.warren("ls")
    jsonschema.validate(box.warren("ls", "--json").json(), output_schema)


@pytest.mark.parametrize("text", [TRIO, RICH, EDITED, TRAFFIC], ids=["trio", "rich", "work", "traffic"])
def test_show(box, text, network_schema, output_schema):
    path = box.write("net.yaml", text)
    with box.leaves_nothing():
        long_form = box.warren("show", path).out
        told = box.warren("show", "--json", path).json()
    jsonschema.validate(yaml.safe_load(text), network_schema)
    jsonschema.validate(yaml.safe_load(long_form), network_schema)
    jsonschema.validate(told, output_schema)
    again = box.warren("show", box.write("long.yaml", long_form)).out
    assert yaml.safe_load(again) == yaml.safe_load(long_form)


@pytest.mark.parametrize("wrong", [
    "namespaces: {a: {interfaces: {eth0: {bridge: lan, adress: 10.0.0.1/24}}}}",
    "namespaces: {a: {routes: {to: 10.0.0.0/8}}}\nsurprise: 1",
    "bridges: {lan: {subnet: {}}}",
    "links: [[a:eth0]]",
    "bridges: {lan: {nat: {oot: eth0}}}",
    "namespaces: {a: {nat: true}}",
    "namespaces: {a: {publish: [\"8080\"]}}",
    "namespaces: {a: {firewall: {input: {policy: drop, accept: [tpc 80]}}}}",
    "namespaces: {a: {firewall: {input: {accept: [tcp 80]}}}}",
])
def test_the_schema_refuses(wrong, network_schema):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(wrong), network_schema)


def test_escape_bytes_are_not_printed(box):
    """A namespace file may be called anything; a terminal must not be told so."""
    box.sh("mkdir -p /run/netns; touch \"$(printf '/run/netns/a\\033[31mb')\"")
    for arguments in (["ls"], ["ls", "--json"]):
        done = box.warren(*arguments)
        assert "\x1b" not in done.out
    json.loads(done.out)


def test_hostile_link_names(trio):
    trio.sh("ip link add \"$(printf 'e\\033[31m')\" type veth peer name plain0; ip netns exec trio.one ip link set lo alias \"$(printf 'x\\ny')\"")
    for arguments in (["ls"], ["ls", "--json"], ["status", "trio"], ["plan", "trio.yaml"]):
        assert "\x1b" not in trio.warren(*arguments, check=False).out
