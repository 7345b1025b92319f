"""What plan and status print, and that they change nothing."""

import re

import jsonschema
import pytest
from conftest import TRIO, assert_same
from networks import EDITED, RICH


def test_plan_of_an_empty_machine(box):
    path = box.write("net.yaml", RICH)
    with box.touches_nothing():
        plan = box.warren("plan", path, check=3)
    lines = plan.out.splitlines()
    assert any(re.match(r"\+ namespace web\b", line) for line in lines)
    assert any(re.match(r"\+ bridge lan\b", line) for line in lines)
    assert any(line.startswith("+ link ") and "web:eth0" in line for line in lines)
    assert any(line.startswith("+ address 10.31.0.10/24") for line in lines)
    assert all(line[:2] in ("+ ", "~ ") for line in lines[:-1] if line.strip())
    assert "(interrupts)" not in plan.out
    assert re.search(r"\d", lines[-1]), "the last line counts"


def test_plan_of_an_edit(box):
    box.up(EDITED)
    path = box.write("net.yaml", EDITED.replace("address: 10.40.0.3/24}", "address: 10.40.0.3/24, mtu: 1400}")
                     .replace("[{to: 192.0.2.0/24, via: 10.40.0.1}]", "[]"))
    with box.touches_nothing():
        plan = box.warren("plan", path, check=3)
    assert re.search(r"^~ mtu 1500 → 1400", plan.out, re.M)
    assert re.search(r"^- route 192\.0\.2\.0/24", plan.out, re.M)
    assert not re.search(r"^\+ ", plan.out, re.M)


def test_plan_marks_interruptions(trio):
    path = trio.write("net.yaml", TRIO.replace("  two: {interfaces: {eth0: {bridge: lan, address: [10.20.0.2/24, \"fd20::2/64\"]}}}\n", ""))
    plan = trio.warren("plan", path, check=3)
    gone = [line for line in plan.out.splitlines() if line.startswith("- ")]
    assert gone and any("interrupts" in line for line in gone)


def test_plan_needs_no_state(trio):
    trio.sh("rm -rf /run/warren")
    # The names file of the network lived there; everything else is in the kernel.
    plan = trio.warren("plan", trio.directory / "trio.yaml", check=False)
    assert "+ namespace" not in plan.out and "+ link" not in plan.out


def test_commands_of_an_edit(box, second_box):
    """Not only from nothing: the commands of an edit do the edit."""
    text = EDITED.replace("address: 10.40.0.3/24}", "address: 10.40.0.33/24, mtu: 1400}").replace("via: 10.40.0.1}", "via: 10.40.0.2}")
    for machine in (box, second_box):
        machine.up(EDITED)
    script = second_box.warren("plan", "--commands", second_box.write("net.yaml", text), check=3).out
    second_box.run("sh", "-e", input=script)
    box.up(text)
    assert_same(box.observe("network"), second_box.observe("network"))


def test_commands_when_there_is_nothing_to_do(trio):
    script = trio.warren("plan", "--commands", trio.directory / "trio.yaml").out
    assert [line for line in script.splitlines() if line and not line.startswith("#")] == []


@pytest.mark.parametrize("command", [["status", "trio"], ["plan", "trio.yaml"]], ids=lambda words: words[0])
def test_json_says_the_same(trio, command, output_schema):
    same = trio.warren(*command, "--json").json()
    jsonschema.validate(same, output_schema)
    trio.sh("ip -n trio.one link set eth0 mtu 1300")
    differs = trio.warren(*command, "--json", check=3)
    jsonschema.validate(differs.json(), output_schema)
    assert "mtu" in differs.out and "1300" in differs.out and differs.json() != same
