"""Cases of the packet filter that were wrong once: what is on its way out, what others do meanwhile, what is not there."""

import json

from conftest import WARREN
from traffic import Street

ONE = "name: one\nbridges: {{lan: {{subnet: 10.91.0.0/24, host: true{0}}}}}\nnamespaces: {{a: {{interfaces: {{eth0: lan}}{1}}}}}\n"


def setting(box, device="out0"):
    return box.sh(f"cat /proc/sys/net/ipv4/conf/{device}/forwarding").out.strip()


def test_the_way_out_is_gone(box):
    """The note of an interface that is gone is no value, and nobody changed it."""
    Street(box)
    box.up(ONE.format(", nat: true", ""))
    box.sh("ip link del out0")
    done = box.warren("status", "one", check=False)
    assert "32768" not in done.out + done.err
    assert "stays" not in done.err
    box.warren("down", "one")


def test_an_engine_that_comes_later(box):
    """Who switches forwarding on for all interfaces needs it on this one too: it stays, and that is said."""
    Street(box)
    box.up(ONE.format(", nat: true", ""))
    box.sh("sysctl -qw net.ipv4.ip_forward=1")
    done = box.warren("down", "one")
    assert setting(box) == "1"
    assert "out0.forwarding stays 1" in done.err


def test_two_at_once(box):
    """Of two networks that want one port, brought up at the same time, one gets it."""
    Street(box)
    files = {}
    for name, net in [("n0", 92), ("n1", 93)]:
        files[name] = box.write(f"{name}.yaml", f"bridges: {{lan: {{subnet: 10.{net}.0.0/24, host: true}}}}\nnamespaces: {{a: {{interfaces: {{eth0: lan}}, publish: \"8080:80\"}}}}\n")
    for _ in range(5):
        done = box.sh(f"{WARREN} up {files['n0']} >/dev/null 2>&1 & r=0; {WARREN} up {files['n1']} >/dev/null 2>&1 || r=$?; echo $r; r=0; wait $! || r=$?; echo $r")
        assert sorted(done.out.split()) == ["0", "1"]
        box.sh(f"{WARREN} down n0; {WARREN} down n1")


def test_what_goes_is_kept_apart_until_it_has_gone(box):
    """A bridge that leaves the file leaves the sets that protect it after it is gone."""
    Street(box)
    two = "name: one\nbridges: {near: {subnet: 10.91.0.0/24, host: true}, far: {subnet: 10.92.0.0/24, host: true, isolated: true, guard: true}}\n" \
          "namespaces: {a: {interfaces: {eth0: near}}, b: {interfaces: {eth0: far}}}\n"
    box.up(two)
    less = box.write("net.yaml", two.replace(", far: {subnet: 10.92.0.0/24, host: true, isolated: true, guard: true}", "").replace(", b: {interfaces: {eth0: far}}", ""))
    steps = json.loads(box.warren("plan", "--json", less, check=False).out)["steps"]
    assert [step["action"] for step in steps if step["object"] == "filter"] in ([], ["remove"])
    assert any(step["action"] == "remove" and step["object"] == "link" for step in steps)
    box.warren("up", less)
    assert "far" not in box.sh("nft list ruleset").out
    box.warren("status", "one")


def test_rules_do_not_change_with_the_file(box):
    """Isolation, ports apart, published loopback: edits of elements, so that no rule goes before what it is for."""
    Street(box)
    box.up(ONE.format("", ""))
    rules = "nft list chain inet warren-one forward | sed 's/packets [0-9]* bytes [0-9]*//'; nft list chain inet warren-one raw | sed 's/packets [0-9]* bytes [0-9]*//'"
    before = box.sh(rules).out
    assert "drop" in before
    box.up(ONE.format(", isolated: true, routed: true", "").replace("eth0: lan", "eth0: {bridge: lan, isolated: true}"))
    assert box.sh(rules).out == before


def test_names_that_the_host_does_not_have(box):
    Street(box)
    done = box.up(ONE.format(", nat: {out: nope0}", ", publish: [\"8080:80@nope1\", \"203.0.113.9:81:80\"]"))
    for word in ["nope0", "nope1", "203.0.113.9"]:
        assert word in done.err
    assert box.up(ONE.format(", nat: {out: out0}", "")).err == ""
