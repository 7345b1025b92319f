"""`warren firewall`: what it says of filters that are in force, and that it says nothing else; and filters as scripts for nft."""

import json
import re

import jsonschema
import pytest
from conftest import normal

NETWORK = """
name: fw
bridges:
  lan: {subnet: ["10.50.0.0/24", "fd50::/64"], host: true, nat: true, guard: true}
  far: {subnet: 10.51.0.0/24, host: true, isolated: true}
namespaces:
  a:
    interfaces: {eth0: {bridge: lan, address: [10.50.0.5/24, "fd50::5/64"]}}
    publish: ["8080:80", "127.0.0.1:5353:53/udp"]
    firewall: {input: {policy: drop, log: true, accept: [tcp 80 8000-8100, udp 53, icmp from b], deny: [udp 54 from b]}}
  b: {interfaces: {eth0: {bridge: lan, address: [10.50.0.6/24, "fd50::6/64"]}}}
"""


@pytest.fixture
def firewalled(box):
    box.up(NETWORK)
    return box


def send(box, pin, address, port, times=1):
    """Datagrams that nobody waits for."""
    script = "import socket, sys; s = socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)\n" \
             "for _ in range(int(sys.argv[3])): s.sendto(b'x', (sys.argv[1], int(sys.argv[2])))"
    box.inside(pin, "python3", "-c", script, address, port, times)


def rules(told, namespace, chain, family="inet"):
    table, = [table for table in told["tables"] if (table["namespace"], table["family"]) == (namespace, family)]
    found, = [one for one in table["chains"] if one["name"] == chain]
    return found["rules"]


def packets(told, namespace, chain, words):
    return sum(rule["packets"] for rule in rules(told, namespace, chain) if rule["words"] == words)


def test_phrases_count(firewalled, output_schema):
    box = firewalled
    send(box, "fw.b", "10.50.0.5", 53, 3)
    send(box, "fw.b", "fd50::5", 53, 2)
    send(box, "fw.b", "10.50.0.5", 54, 4)
    send(box, "fw.b", "10.50.0.5", 99, 5)
    box.ping("fw.b", "10.50.0.5")
    told = box.warren("firewall", "--json", "a").json()
    jsonschema.validate(told, output_schema)
    # A connection that was accepted counts once; datagrams without an answer are one connection.
    assert packets(told, "a", "input", "accept udp 53") >= 2
    assert packets(told, "a", "input", "deny udp 54 from b") == 4
    assert packets(told, "a", "input", "policy") >= 5
    assert packets(told, "a", "input", "accept icmp from b") >= 1
    shown = box.warren("firewall", "fw/a").out
    assert shown.startswith("fw/a\n  input, policy drop\n")
    assert re.search(r"^    deny udp 54 from b +4 packets, \d+ bytes$", shown, re.M), shown
    assert "always passes: loopback, answers, neighbour discovery" in shown
    # nft's own count is the witness.
    listed = json.loads(box.inside("fw.a", "nft", "-j", "list", "chain", "inet", "warren-fw", "input").out)["nftables"]
    counts = [expr["counter"]["packets"] for item in listed for expr in item.get("rule", {}).get("expr", []) if "counter" in expr]
    assert counts == [rule["packets"] for rule in rules(told, "a", "input") if rule["packets"] is not None]


def test_who_was_denied(firewalled):
    box = firewalled
    send(box, "fw.b", "10.50.0.5", 99, 2)
    send(box, "fw.b", "fd50::5", 77)
    denied = box.warren("firewall", "--json", "a").json()["tables"][0]["denied"]
    known = {(one["hook"], one["protocol"], one["from"], one["to"], one["port"]): one for one in denied}
    old = known[("input", "udp", "10.50.0.6", "10.50.0.5", 99)]
    new = known[("input", "udp", "fd50::6", "fd50::5", 77)]
    assert old["packets"] == 2 and new["packets"] == 1
    assert new["ago_ms"] <= old["ago_ms"] < 60000
    assert [one["ago_ms"] for one in denied] == sorted(one["ago_ms"] for one in denied)
    shown = box.warren("firewall", "a").out
    assert re.search(r"^  denied last\n    \d+ s ago +input +udp fd50::6 → fd50::5 port 77, 1 packet$", shown, re.M), shown
    for port in range(1000, 1030):
        send(box, "fw.b", "10.50.0.5", port)
    shown = box.warren("firewall", "a").out
    assert len(re.findall(r"^    \d+ s ago", shown, re.M)) == 20 and re.search(r"^    and \d+ more$", shown, re.M), shown
    assert len(box.warren("firewall", "--json", "a").json()["tables"][0]["denied"]) >= 32


def test_this_machine(firewalled, output_schema):
    shown = firewalled.warren("firewall", "host").out
    assert shown.startswith("this machine, network fw\n")
    for line in ("from fw-lan, IPv4: masqueraded", "tcp 8080 → a:80 (10.50.0.5)", "tcp 8080 → a:80 (fd50::5)", "udp 127.0.0.1:5353 → a:53 (10.50.0.5)",
                 "isolated: fw-far"):
        assert line in normal(shown), shown
    assert re.search(r"^  guarded: (fw-a-eth0, fw-b-eth0|fw-b-eth0, fw-a-eth0)$", shown, re.M), shown
    assert re.search(r"^    from outside +0 packets, 0 bytes$", shown, re.M)
    told = firewalled.warren("firewall", "--json", "host").json()
    jsonschema.validate(told, output_schema)
    assert {(port["protocol"], port["host"], port["host_port"], port["to"], port["name"], port["port"]) for port in told["tables"][0]["published"]} == {
        ("tcp", None, 8080, "10.50.0.5", "a", 80), ("tcp", None, 8080, "fd50::5", "a", 80), ("udp", "127.0.0.1", 5353, "10.50.0.5", "a", 53)}


def test_all_of_it(firewalled, output_schema):
    box = firewalled
    box.up(NETWORK.replace("name: fw", "name: wall").replace("8080:80", "8081:80").replace(", \"127.0.0.1:5353:53/udp\"", "")
           .replace("10.50.", "10.60.").replace("10.51.", "10.61.").replace("fd50:", "fd60:"), name="wall.yaml")
    told = box.warren("firewall", "--json").json()
    jsonschema.validate(told, output_schema)
    assert {(table["network"], table["namespace"], table["family"]) for table in told["tables"]} == {
        (network, *place) for network in ("fw", "wall") for place in (("host", "inet"), ("host", "bridge"), ("a", "inet"))}
    assert all(rule["origin"] != "foreign" for table in told["tables"] for chain in table["chains"] for rule in chain["rules"])
    assert "not from the file" not in box.warren("firewall").out
    box.warren("firewall", "a", check=2)
    assert box.warren("firewall", "wall/a").out.startswith("wall/a\n")


def test_what_is_not_from_the_file(firewalled):
    box = firewalled
    box.inside("fw.a", "nft", "insert", "rule", "inet", "warren-fw", "input", "tcp", "dport", "23", "counter", "accept")
    box.inside("fw.a", "nft", "add", "rule", "inet", "warren-fw", "input", "counter", "accept", "comment", '"deny udp 54 from b"')
    box.inside("fw.a", "nft", "add", "table", "ip", "mine")
    box.inside("fw.a", "nft", "add", "chain", "ip", "mine", "c", "{ type filter hook input priority 5; policy drop; }")
    box.inside("fw.a", "nft", "add", "rule", "ip", "mine", "c", "ip", "saddr", "{ 10.0.0.0/8, 192.0.2.1 }", "tcp", "dport", "{ 22, 80-90 }", "accept")
    shown = box.warren("firewall", "a").out
    assert "not from the file: meta l4proto tcp th dport 23 counter accept" in shown
    assert "not from the file: counter accept (deny udp 54 from b)" in shown, "a rule does what its comment says, or it is not ours"
    assert "table ip mine, not warren's\n  c, policy drop\n    ip saddr { 10.0.0.0/8, 192.0.2.1 } meta l4proto tcp th dport { 22, 80-90 } accept" in shown
    box.up(NETWORK)
    assert "not from the file" not in box.warren("firewall", "a").out


def test_nothing_reaches_the_terminal(firewalled):
    """Names and comments in the kernel are anybody's."""
    box = firewalled
    evil = "a\x1b[31mb\u009bc"
    box.inside("fw.a", "nft", "-f", "-", input=f'table inet x {{\nchain c {{\ncounter accept comment "{evil}"\niifname "e\x1b" drop\n}}\n}}\n')
    for option in ([], ["--nft"]):
        shown = box.warren("firewall", *option, "a").out
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", shown), repr(shown)
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", box.warren("firewall", "--json", "a").out)
    assert r"a\x1b[31mb" in box.warren("firewall", "a").out


def test_nft_reads_it_back(firewalled, second_box):
    """What --nft prints makes the same tables, in nft's own words."""
    box = firewalled
    for name, command in (("host", []), ("a", ["ip", "netns", "exec", "fw.a"])):
        text = box.warren("firewall", "--nft", name).out
        assert "no words" not in text
        second_box.sh("nft flush ruleset")
        second_box.run("nft", "-f", "-", input=text)
        listed = [machine.run(*prefix, "nft", "-s", "list", "ruleset").out for machine, prefix in ((box, command), (second_box, []))]
        assert re.sub(r"(timeout|expires) \w+", "", listed[0]) == re.sub(r"(timeout|expires) \w+", "", listed[1])


def test_script_makes_the_same(firewalled, second_box):
    """`plan --commands`, by sh and nft, makes what `up` makes: an `up` behind it finds no filter to change."""
    script = second_box.warren("plan", "--commands", second_box.write("net.yaml", NETWORK), check=3).out
    assert "no words" not in script
    second_box.run("sh", "-e", input=script)
    assert "filter" not in second_box.warren("plan", second_box.directory / "net.yaml", check=False).out
    for command in ([], ["ip", "netns", "exec", "fw.a"]):
        assert firewalled.run(*command, "nft", "-s", "list", "ruleset").out == second_box.run(*command, "nft", "-s", "list", "ruleset").out
    # And an edit: elements, a phrase, a policy, a table that goes.
    text = NETWORK.replace('"8080:80"', '"8082:80", "8080:81"').replace("8000-8100", "8200").replace("policy: drop", "policy: accept").replace("guard: true", "guard: false")
    script = second_box.warren("plan", "--commands", second_box.write("net.yaml", text), check=3).out
    assert "no words" not in script
    second_box.run("sh", "-e", input=script)
    firewalled.up(text)
    for command in ([], ["ip", "netns", "exec", "fw.a"]):
        assert firewalled.run(*command, "nft", "-s", "list", "ruleset").out == second_box.run(*command, "nft", "-s", "list", "ruleset").out


def test_refusals(box, output_schema):
    assert box.warren("firewall").out == "no packet filter\n"
    told = box.warren("firewall", "--json").json()
    jsonschema.validate(told, output_schema)
    assert told["tables"] == []
    assert "there is no namespace 'nowhere'" in box.warren("firewall", "nowhere", check=1).err
    box.warren("firewall", "--nft", "--json", check=2)
    box.warren("firewall", "a", "b", check=2)
