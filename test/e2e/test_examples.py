"""Every file in examples/ goes up, carries what it says it carries, is as planned, and goes down without a trace.

An example says what must reach what in comments of its own: `# reaches: web app1` (by any address of app1), `# reaches: web 10.0.0.1`,
`# cannot reach: web 10.0.0.1`. One that says nothing is held to this: interfaces on one segment reach each other.
"""

import json
import re

import jsonschema
import pytest
import yaml
from conftest import TOP, assert_same
from networks import RICH

EXAMPLES = sorted((TOP / "examples").glob("*.yaml"))
SAID = re.compile(r"^#\s*(reaches|cannot reach):\s*(\S+)\s+(\S+)\s*$", re.M)


def addresses_of(box, pin):
    found = []
    for link in box.ip_json("addr", ns=pin):
        if link["ifname"] != "lo":
            found += [(item["family"], item["local"], link) for item in link["addr_info"] if item["scope"] == "global"]
    return found


def network_name(path):
    return yaml.safe_load(path.read_text()).get("name", path.stem)


def pin_of(name, namespace, prefix=None):
    return None if namespace == "host" else (name + "." if prefix is None else prefix) + namespace


def test_there_are_examples():
    assert {path.name for path in EXAMPLES} >= {"shop.yaml"}


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_example(box, path):
    text = path.read_text()
    document = yaml.safe_load(text)
    name, prefix = document.get("name", path.stem), document.get("prefix")
    with box.leaves_nothing():
        box.warren("up", path)
        box.warren("status", name)
        said = SAID.findall(text)
        for verb, start, end in said:
            pin = pin_of(name, start, prefix)
            targets = [end] if re.search(r"[.:]", end) else [item[1] for item in addresses_of(box, pin_of(name, end, prefix))]
            assert targets, f"{end} has no address"
            for target in targets:
                answer = box.ping(pin, target, check=False)
                assert (answer.status == 0) == (verb == "reaches"), f"{start} to {target}\n{answer}"
        pinged = 0
        if not said:
            shown = json.loads(box.warren("show", "--json", path).out)
            assert shown
            pins = [pin for pin in box.pins() if addresses_of(box, pin)]
            for pin in pins:
                for link in box.ip_json("addr", ns=pin):
                    for route in box.ip_json("route", "show", "table", "main", "proto", "kernel", "dev", link["ifname"], ns=pin):
                        pinged += ping_segment(box, pin, link, route, pins)
            assert pinged or len(pins) < 2
        again = box.warren("up", path)
        assert "nothing to do" in again.out + again.err
        box.warren("down", name)


def ping_segment(box, pin, link, route, pins):
    """From one interface to each neighbour that has an address in the subnet, when that subnet is used only once."""
    import ipaddress
    subnet = ipaddress.ip_network(route["dst"]) if "/" in route.get("dst", "") else None
    count = 0
    if subnet is None:
        return 0
    for other in [None, *pins]:
        for family, address, _ in addresses_of(box, other):
            if other != pin and family == "inet" and ipaddress.ip_address(address) in subnet:
                box.ping(pin, address)
                count += 1
    return count


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_commands_build_the_same(box, second_box, path):
    box.warren("up", path)
    same_by_commands(box, second_box, path)


def test_commands_build_the_same_rich(box, second_box):
    box.up(RICH)
    same_by_commands(box, second_box, box.directory / "net.yaml")


def same_by_commands(box, second_box, path):
    script = second_box.warren("plan", "--commands", path, check=3).out
    assert second_box.pins() == []
    second_box.run("sh", "-e", input=script)
    assert_same(box.observe("network"), second_box.observe("network"))


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_example_matches_the_schema(path):
    schema = json.loads((TOP / "share" / "warren-network.schema.json").read_text())
    jsonschema.validate(yaml.safe_load(path.read_text()), schema)


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_long_form_is_the_same_network(box, second_box, path):
    """What `show` prints, every default spelled out, builds the same."""
    box.warren("up", path)
    second_box.up(second_box.warren("show", path).out)
    assert_same(box.observe("network"), second_box.observe("network"))
