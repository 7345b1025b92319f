"""The packet filter like everything else: twice is once, drift is seen and mended, what is left behind is nothing. And the settings
of the host that it borrows."""

import pytest
from conftest import Box, assert_same
from traffic import Street, elements, rule_handles, ruleset, tables

# Everything of the filter at once. Two networks like this do not meet: {} is its number.
FULL = """
name: full
bridges:
  lan: {subnet: ["10.81.0.0/24", "fd81::/64"], host: true, nat: true, guard: true}
  far: {subnet: ["10.82.0.0/24", "fd82::/64"], host: true, isolated: true, nat: {out: out0, address: 192.0.2.1}}
  open: {subnet: ["10.83.0.0/24", "fd83::/64"], host: true, routed: true}
  own: {subnet: 10.84.0.0/24, gateway: edge, guard: true}
namespaces:
  web:
    interfaces: {eth0: {bridge: lan, address: [10.81.0.5/24, "fd81::5/64"]}}
    publish: ["8080:80", "127.0.0.1:8081:81", "[::1]:8082:82", "192.0.2.1:8083:83", "8084:84@out0", "8085:85/udp"]
    firewall:
      input: {policy: drop, accept: [tcp 80-85, udp 85, icmp, tcp 22 from edge], deny: [tcp 82 from far], log: true}
      output: {policy: drop, accept: [tcp 80 443 8000-8100, udp 53, any to 10.81.0.0/24]}
  edge:
    forward: true
    interfaces: {eth0: {bridge: lan, address: [10.81.0.6/24, "fd81::6/64"]}, eth1: {bridge: own, address: 10.84.0.1/24}}
    nat: {out: eth0}
    firewall: {forward: {policy: drop, accept: [tcp 80 from own]}}
  app: {interfaces: {eth0: {bridge: own, address: 10.84.0.9/24, isolated: true}}}
  x: {interfaces: {eth0: {bridge: far, address: [10.82.0.5/24, "fd82::5/64"], isolated: true}}}
  y: {interfaces: {eth0: {bridge: far, address: [10.82.0.6/24, "fd82::6/64"], isolated: true}}}
  z: {interfaces: {eth0: {bridge: open, address: [10.83.0.7/24, "fd83::7/64"]}}}
"""
TABLE = "warren-full"


def settings(box):
    """Of every interface of the host, and of all and default: what lets it forward, and what it takes of routers."""
    found = {}
    names = ("ipv4/conf/*/forwarding", "ipv4/conf/*/route_localnet", "ipv6/conf/*/forwarding", "ipv6/conf/*/force_forwarding", "ipv6/conf/*/accept_ra")
    out = box.sh("cd /proc/sys/net; for file in " + " ".join(names) + "; do [ ! -e $file ] || echo $file $(cat $file); done").out
    for line in out.splitlines():
        path, value = line.split()
        found[path] = value
    return found


def test_twice_is_once(box):
    Street(box)
    box.up(FULL)
    before = box.observe("pinned")
    again = box.up(FULL)
    assert "nothing to do" in again.out + again.err
    box.warren("status", "full")
    box.warren("plan", box.directory / "net.yaml")
    assert_same(before, box.observe("pinned"))
    # Without what /run says as well: the kernel knows it all.
    box.sh("rm -rf /run/warren")
    plan = box.warren("plan", box.directory / "net.yaml", check=False)
    assert "filter" not in plan.out, plan


def test_long_form_is_the_same(box, second_box):
    Street(box)
    Street(second_box)
    box.up(FULL)
    second_box.up(second_box.warren("show", box.directory / "net.yaml").out)
    assert_same(box.observe("network"), second_box.observe("network"))


def test_commands_make_the_same(box, second_box):
    """`plan --commands`, carried out by a shell, makes the filter that `up` makes."""
    Street(box)
    Street(second_box)
    box.up(FULL)
    script = second_box.warren("plan", "--commands", second_box.write("net.yaml", FULL), check=3).out
    second_box.run("sh", "-e", input=script)
    for pin in (None, *box.pins()):
        assert tables(box, pin) == tables(second_box, pin), pin
    assert_same(box.observe("network"), second_box.observe("network"))
    assert settings(box) == settings(second_box)
    # And what it left is taken for the network's own.
    done = second_box.up(FULL)
    assert "filter" not in done.out, done
    second_box.warren("down", "full")


EDITS = {
    "publish": ('"8080:80", ', '"8080:80", "9090:81", '),
    "no publish": ('    publish: ["8080:80", "127.0.0.1:8081:81", "[::1]:8082:82", "192.0.2.1:8083:83", "8084:84@out0", "8085:85/udp"]\n', ""),
    "no nat": (", nat: true, guard", ", guard"),
    "nat narrowed": ("nat: true", "nat: {out: out0}"),
    "no guard": ("nat: true, guard: true", "nat: true"),
    "no isolation": (", isolated: true, nat", ", nat"),
    "not routed": (", routed: true", ""),
    "an isolated port less": ('"fd82::6/64"], isolated: true', '"fd82::6/64"]'),
    "a firewall less": ("      output: {policy: drop, accept: [tcp 80 443 8000-8100, udp 53, any to 10.81.0.0/24]}\n", ""),
    "another policy": ("input: {policy: drop", "input: {policy: accept"),
    "no log": (", log: true", ""),
    "another phrase": ("tcp 22 from edge", "tcp 22 from lan"),
    "no address there": ("nat: {out: out0, address: 192.0.2.1}", "nat: {out: out0}"),
    "nothing in the namespace": ("    nat: {out: eth0}\n    firewall: {forward: {policy: drop, accept: [tcp 80 from own]}}\n", ""),
}


@pytest.mark.parametrize("what", EDITS)
def test_edit(box, second_box, what):
    """There and back: each time what a fresh machine would have got."""
    old, new = EDITS[what]
    assert FULL.count(old) == 1
    text = FULL.replace(old, new)
    Street(box)
    Street(second_box)
    box.up(FULL)
    first = box.observe("network")
    box.up(text)
    box.warren("status", "full")
    second_box.up(text)
    assert_same(second_box.observe("network"), box.observe("network"))
    assert settings(box) == settings(second_box)
    box.up(FULL)
    assert_same(first, box.observe("network"))
    box.warren("down", "full")


@pytest.mark.parametrize("what", ["publish", "an isolated port less"])
def test_commands_of_an_edit(box, second_box, what):
    text = FULL.replace(*EDITS[what])
    for machine in (box, second_box):
        Street(machine)
        machine.up(FULL)
    script = second_box.warren("plan", "--commands", second_box.write("net.yaml", text), check=3).out
    second_box.run("sh", "-e", input=script)
    box.up(text)
    assert_same(box.observe("network"), second_box.observe("network"))


# name: what somebody does; a word of what status says of it
DRIFTS = {
    "everything flushed": ("nft flush ruleset", "filter"),
    "table deleted": (f"nft delete table inet {TABLE}", "filter"),
    "guard deleted": (f"nft delete table bridge {TABLE}", "filter"),
    "table of a namespace deleted": (f"ip netns exec full.web nft delete table inet {TABLE}", "web"),
    "everything flushed in a namespace": ("ip netns exec full.edge nft flush ruleset", "edge"),
    "guard of a bridge apart flushed": ("ip netns exec full.own nft flush ruleset", "own"),
    "table emptied": (f"nft flush table inet {TABLE}", "filter"),
    "published port deleted": (f"nft delete element inet {TABLE} publish4 '{{ tcp . 8080 }}'", "tcp 8080 to 10.81.0.5:80"),
    "published port added": (f"nft add element inet {TABLE} publish4 '{{ tcp . 9999 : 10.81.0.5 . 22 }}'", "not any more tcp 9999"),
    "published port led astray": (f"nft delete element inet {TABLE} publish4 '{{ tcp . 8080 }}'; nft add element inet {TABLE} publish4 '{{ tcp . 8080 : 10.81.0.5 . 22 }}'", "tcp 8080 to 10.81.0.5:80"),
    "rule added in front": (f"nft insert rule inet {TABLE} forward counter accept", "filter"),
    "rule added behind": (f"nft add rule inet {TABLE} srcnat counter", "filter"),
    "chain flushed": (f"nft flush chain inet {TABLE} forward", "filter"),
    "policy changed": (f"ip netns exec full.web nft chain inet {TABLE} input '{{ policy accept; }}'", "web"),
    "rule of a firewall deleted": (f"ip netns exec full.web sh -c 'nft -a list chain inet {TABLE} input | sed -n \"s/.*accept icmp.*# handle //p\" | xargs -n 1 nft delete rule inet {TABLE} input handle'", "web"),
    "rule of a guard deleted": (f"nft -a list chain bridge {TABLE} guard | sed -n 's/.*counter.*# handle //p' | head -n 1 | xargs nft delete rule bridge {TABLE} guard handle", "filter"),
    "chain added": (f"nft add chain inet {TABLE} mine", "filter"),
    "set added": (f"nft add set inet {TABLE} mine '{{ type ipv4_addr; }}'", "filter"),
    "own interface removed from a set": (f"nft flush set inet {TABLE} own", "filter"),
    "ip_forward written": ("sysctl -qw net.ipv4.ip_forward=1; sysctl -qw net.ipv4.ip_forward=0", "forwarding"),
    "forwarding of the way out off": ("sysctl -qw net.ipv4.conf.out0.forwarding=0", "out0"),
    "forwarding of the bridge off": ("sysctl -qw net.ipv4.conf.full-lan.forwarding=0", "forwarding"),
    "route_localnet off": ("sysctl -qw net.ipv4.conf.full-lan.route_localnet=0", "route_localnet"),
    "route_localnet on": ("sysctl -qw net.ipv4.conf.full-far.route_localnet=1", "route_localnet"),
    "the way to ::1 gone": ("ip -6 route del local ::1 dev full-lan table local proto 173", "::1"),
    "a port isolated no more": ("bridge link set dev full-x-eth0 isolated off", "x"),
    "another port isolated": ("bridge link set dev full-z-eth0 isolated on", "z"),
    "router advertisements taken": ("sysctl -qw net.ipv6.conf.full-lan.accept_ra=2", "accept_ra"),
}


@pytest.fixture(scope="module")
def machines():
    """The machine that the drifts share, as long as each is mended."""
    found = []
    yield found
    for machine in found:
        machine.close()


@pytest.fixture
def full(machines, tmp_path_factory):
    if not machines:
        machine = Box(tmp_path_factory.mktemp("filter-drift"))
        machine.street = Street(machine)
        machine.up(FULL)
        machine.web = machine.street.agent("full.web", "web", 80, 85)
        machine.reference = machine.observe("network"), settings(machine)
        machines.append(machine)
    machine = machines.pop()
    machine.mended = False
    yield machine
    if machine.mended:
        machines.append(machine)
    else:
        machine.close()


@pytest.mark.parametrize("what", DRIFTS)
def test_drift(full, what):
    command, word = DRIFTS[what]
    full.up(FULL)
    full.warren("status", "full")
    full.sh(command)
    status = full.warren("status", "full", check=3)
    assert word in status.out, status
    assert word in full.warren("plan", full.directory / "net.yaml", check=3).out
    full.up(FULL)
    full.warren("status", "full")
    reference, values = full.reference
    assert_same(reference, full.observe("network"))
    assert settings(full) == values
    full.street.neighbour.reach_all(("tcp", "192.0.2.1", 8080), ("tcp", "2001:db8::1", 8080), ("udp", "192.0.2.1", 8085))
    full.mended = True


def test_foreign_tables_stay(box):
    """Also one that has nearly our name."""
    Street(box)
    box.sh("nft 'add table inet mine; add chain inet mine f { type filter hook forward priority 5; }; add rule inet mine f counter;"
           " add table inet warren; add table inet warren-fuller; add table ip warren-full; add set ip warren-full own { type ipv4_addr; }'")
    foreign = [("inet", "mine"), ("inet", "warren"), ("inet", "warren-fuller"), ("ip", "warren-full")]

    def theirs():
        return [ruleset(box, None, "table", *table) for table in foreign]

    before = theirs()
    with box.leaves_nothing():
        box.up(FULL)
        assert "nothing to do" in box.up(FULL).out
        box.warren("down", "full")
    assert theirs() == before


def test_a_table_of_our_name_that_is_not_ours(box):
    """An error that names it, before anything is touched."""
    Street(box)
    box.sh(f"nft add table inet {TABLE}; nft add chain inet {TABLE} theirs")
    with box.touches_nothing():
        done = box.up(FULL, check=1)
        assert TABLE in done.err


def test_an_error_puts_everything_back(box):
    Street(box)
    box.up(FULL)
    before, values = box.observe("network"), settings(box)
    done = box.up(FULL.replace("  z: {", "  z: {sysctl: {net.ipv4.nonexistent: 1}, ").replace('"8080:80", ', '"9090:80", ').replace(", isolated: true, nat", ", nat"), check=1)
    assert "nonexistent" in done.err
    assert_same(before, box.observe("network"))
    assert settings(box) == values


def test_down_leaves_nothing(box):
    Street(box)
    before, values = box.observe("host"), settings(box)
    box.up(FULL)
    assert settings(box) != values
    box.warren("down", "full")
    assert_same(before, box.observe("host"))
    assert settings(box) == values
    # And without the state of the machine, by what the kernel knows. (Nobody knows then that the directory was not there before.)
    box.sh("mkdir -p /etc/netns")
    before = box.observe("host")
    box.up(FULL)
    box.sh("rm -rf /run/warren")
    box.warren("down", "full")
    assert_same(before, box.observe("host"))


# --- what is borrowed of the host ----------------------------------------------------------------------------------------------------

NAT = "name: {0}\nbridges: {{lan: {{subnet: [\"10.{1}.0.0/24\", \"fd{1}::/64\"], host: true, nat: true}}}}\nnamespaces: {{a: {{interfaces: {{eth0: lan}}}}}}\n"


def forwarding(box, device="out0"):
    values = settings(box)
    return values[f"ipv4/conf/{device}/forwarding"], values.get(f"ipv6/conf/{device}/force_forwarding", values["ipv6/conf/all/forwarding"])


def test_forwarding_is_given_back(box):
    Street(box)
    assert forwarding(box) == ("0", "0")
    box.up(NAT.format("one", 91))
    assert forwarding(box) == ("1", "1")
    # The other way out is none of it.
    assert settings(box)["ipv4/conf/out1/forwarding"] == "0"
    box.warren("down", "one")
    assert forwarding(box) == ("0", "0")


def test_forwarding_that_was_on_stays_on(box):
    Street(box)
    box.sh("sysctl -qw net.ipv4.conf.out0.forwarding=1")
    before = settings(box)
    box.up(NAT.format("one", 91))
    box.warren("down", "one")
    assert settings(box) == before


@pytest.mark.parametrize("order", [["one", "two"], ["two", "one"]], ids=" ".join)
def test_forwarding_that_another_network_needs(box, order):
    """The last one gives it back, whichever came first; the other says that it does not."""
    Street(box)
    before = settings(box)
    box.up(NAT.format("one", 91), name="one.yaml")
    box.up(NAT.format("two", 92), name="two.yaml")
    done = box.warren("down", order[0])
    assert forwarding(box) == ("1", "1")
    assert "out0" in done.out + done.err
    box.warren("status", order[1])
    box.warren("down", order[1])
    assert settings(box) == before


def test_forwarding_that_somebody_changed_since(box):
    """It is left as it is then, and said."""
    Street(box)
    box.sh("sysctl -qw net.ipv4.conf.out0.forwarding=1")
    box.up(NAT.format("one", 91))
    # Somebody turns it off and on again: it has the value that it had, which is not for us to change.
    box.sh("sysctl -qw net.ipv4.conf.out0.forwarding=0")
    box.warren("down", "one")
    assert settings(box)["ipv4/conf/out0/forwarding"] == "0"


def test_forwarding_written_to_another_value(box):
    Street(box)
    box.up(NAT.format("one", 91))
    box.sh("sysctl -qw net.ipv6.conf.out0.force_forwarding=0 2>/dev/null || sysctl -qw net.ipv6.conf.all.forwarding=0; sysctl -qw net.ipv4.conf.out0.forwarding=0")
    done = box.warren("down", "one")
    assert forwarding(box) == ("0", "0")
    assert "Sanitizer" not in done.err


def test_forwarding_when_nat_leaves_the_file(box):
    Street(box)
    before = settings(box)["ipv4/conf/out0/forwarding"]
    box.up(NAT.format("one", 91))
    box.up(NAT.format("one", 91).replace(", nat: true", ""))
    assert settings(box)["ipv4/conf/out0/forwarding"] == before
    box.warren("status", "one")
    box.warren("down", "one")


def test_forwarding_of_a_new_default_route(box):
    """The way out moves to another interface: drift, and then the new one forwards."""
    Street(box)
    before = settings(box)
    box.up(NAT.format("one", 91))
    box.sh("ip route replace default via 203.0.113.2; ip -6 route del default; ip route add default via 2001:db8:1::2")
    assert "out1" in box.warren("status", "one", check=3).out
    box.up(NAT.format("one", 91))
    assert forwarding(box, "out1") == ("1", "1")
    box.warren("down", "one")
    assert settings(box) == before


def test_forwarding_of_an_interface_that_went(box):
    Street(box)
    box.up(NAT.format("one", 91))
    box.sh("ip link del out0")
    box.warren("down", "one")
    assert tables(box) == []


def test_the_host_keeps_its_autoconfiguration(box):
    """A host that has its default route from a router goes on taking advertisements while it forwards."""
    Street(box)
    box.sh("sysctl -qw net.ipv6.conf.out0.accept_ra=1")
    before = settings(box)
    box.up(NAT.format("one", 91))
    values = settings(box)
    assert values["ipv6/conf/all/forwarding"] == "0" or values["ipv6/conf/out0/accept_ra"] == "2"
    box.warren("down", "one")
    assert settings(box) == before


def test_no_filter_where_none_is_needed(box):
    """A network that the machine does not join has no table anywhere and borrows nothing."""
    Street(box)
    before = settings(box)
    box.up("name: lone\nbridges: {lan: {subnet: 10.93.0.0/24}}\nnamespaces: {a: {interfaces: {eth0: lan}}, b: {interfaces: {eth0: lan}}}\n")
    assert tables(box) == [] and all(tables(box, pin) == [] for pin in box.pins() if pin.startswith("lone"))
    assert settings(box) == before


def test_guards_alone_touch_no_forwarding(box):
    Street(box)
    before = settings(box)["ipv4/conf/out0/forwarding"]
    box.up("name: lone\nbridges: {lan: {subnet: 10.93.0.0/24, host: true, guard: true}}\nnamespaces: {a: {interfaces: {eth0: lan}}}\n")
    assert settings(box)["ipv4/conf/out0/forwarding"] == before
    assert elements(box, "warren-lone", None, "bridge") and rule_handles(box, "warren-lone", None, "bridge")
