"""ls, show and the JSON of everything, against the schemas in share/."""

import json

import jsonschema
import pytest
import yaml
from conftest import TOP, TRIO
from networks import EDITED, RICH


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


@pytest.mark.parametrize("text", [TRIO, RICH, EDITED], ids=["trio", "rich", "work"])
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
