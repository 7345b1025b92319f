"""What is wrong in nat, publish, firewall, isolated, routed and guard is said at its very place, and nothing is touched.

The place is where ¦ stands in the text; it is taken out before the file is written.
"""

import pytest
from conftest import normal

NETWORK = """name: wrong
bridges:
  lan: {{subnet: ["10.0.0.0/24", "fd00::/64"], host: true{bridge}}}
  own: {{subnet: 10.1.0.0/24{own}}}
namespaces:
  web: {{{web}interfaces: {{eth0: {{bridge: lan{eth0}}}}}}}
  app: {{{app}interfaces: {{eth0: own}}}}
  six: {{{six}interfaces: {{eth0: {{bridge: lan, address: "fd00::66/64"}}}}}}
"""


def net(**parts):
    return NETWORK.format(**{"bridge": "", "own": "", "web": "", "app": "", "six": "", "eth0": "", **parts})


def web(text):
    return net(web=text + ", ")


def accept(phrase, hook="input", beside=""):
    return web(f"firewall: {{{hook}: {{policy: drop, accept: [{phrase}]{beside}}}}}")


# name: (file, words that must be said)
WRONG = {
    # --- phrases
    "unknown protocol": (accept("¦tpc 80"), ["tpc", "did you mean 'tcp'?"]),
    "port 0": (accept("tcp ¦0"), ["0", "65535"]),
    "port 65536": (accept("tcp ¦65536"), ["65536", "65535"]),
    "port of many digits": (accept("tcp ¦99999999999999999999"), ["99999999999999999999"]),
    "port below 0": (accept("tcp ¦-1"), ["-1"]),
    "second port": (accept("tcp 80 443 ¦70000 8000"), ["70000"]),
    "port of a range": (accept("tcp 80 100-¦65536"), ["65536"]),
    "range backwards": (accept("tcp ¦8100-8000"), ["8100-8000", "8000-8100"]),
    "range without an end": (accept("tcp 80-¦"), ["port"]),
    "no port at all": (accept("tcp ¦http"), ["http"]),
    "a list with commas": (accept('"tcp ¦80,443"'), ["80,443"]),
    "icmp with a port": (accept("icmp ¦80"), ["icmp"]),
    "any with a port": (accept("any ¦80"), ["any"]),
    "icmpv6": (accept("¦icmpv6"), ["icmpv6", "icmp"]),
    "from nobody": (accept("tcp 80 ¦from"), ["from"]),
    "to nobody": (accept("tcp 80 from web ¦to"), ["to"]),
    "from twice": (accept("tcp 80 from web ¦from app"), ["from"]),
    "unknown name": (accept("tcp 80 from ¦wob"), ["wob", "did you mean 'web'?"]),
    "unknown name, second": (accept("tcp 80 from web app ¦lann"), ["lann", "did you mean 'lan'?"]),
    "bad address": (accept("tcp 80 from ¦10.0.0.256"), ["10.0.0.256"]),
    "bad prefix": (accept("tcp 80 from ¦10.0.0.0/33"), ["10.0.0.0/33"]),
    "prefix with host bits": (accept("tcp 80 from ¦10.0.0.1/24"), ["10.0.0.1/24", "10.0.0.0/24"]),
    "bad IPv6 prefix": (accept('"tcp 80 from ¦fd00::/129"'), ["fd00::/129"]),
    "families mixed": (accept('"tcp 80 from ¦10.0.0.1 to fd00::1"'), ["famil"]),
    "families mixed by a name": (accept('"tcp 80 from ¦10.0.0.1 to six"'), ["famil"]),
    "empty phrase": (accept('¦""'), ["empty"]),
    "phrase of spaces": (accept('¦"  "'), ["empty"]),
    "a word behind": (accept("tcp 80 ¦please"), ["please"]),
    "in single quotes": (accept("'tcp 80 from ¦wob'"), ["wob"]),
    "in double quotes": (accept('"tcp 80 from ¦wob"'), ["wob"]),
    "on a line of its own": (net(web="firewall: {input: {policy: drop, accept: [\n      tcp 80,\n      udp ¦x]}}, "), ["x"]),
    "deny": (web("firewall: {output: {deny: [tcp ¦0]}}"), ["0"]),
    "not a list": (web("firewall: {input: {policy: drop, accept: ¦{tcp: 80}}}"), ["accept"]),
    # --- firewalls
    "accept without a policy": (web("firewall: {input: {¦accept: [tcp 80]}}"), ["policy"]),
    "unknown hook": (web("firewall: {¦inputt: {policy: drop}}"), ["inputt", "did you mean 'input'?"]),
    "unknown key of a hook": (web("firewall: {input: {¦polizy: drop}}"), ["polizy", "did you mean 'policy'?"]),
    "unknown policy": (web("firewall: {input: {policy: ¦reject}}"), ["reject", "drop"]),
    "log is no truth value": (web("firewall: {input: {policy: drop, log: ¦sometimes}}"), ["sometimes"]),
    "forward in what does not": (web("firewall: {¦forward: {policy: drop}}"), ["forward"]),
    "firewall is a list": (web("firewall: ¦[tcp 80]"), ["firewall"]),
    # --- publish
    "publish port 0": (web('publish: "¦0:80"'), ["0", "65535"]),
    "publish port 65536": (web('publish: "¦65536:80"'), ["65536"]),
    "publish port inside": (web('publish: ["8080:80", "8081:¦70000"]'), ["70000"]),
    "publish port inside 0": (web('publish: "8080:¦0"'), ["0"]),
    "publish no number": (web('publish: "8080:¦http"'), ["http"]),
    "publish one port": (web('publish: ["¦8080"]'), ["8080"]),
    "publish a protocol that has no ports": (web('publish: "8080:80/¦icmp"'), ["icmp", "tcp", "udp"]),
    "publish an address that is none": (web('publish: "¦10.0.0.300:8080:80"'), ["10.0.0.300"]),
    "publish a range": (web('publish: "¦8080-8090:80"'), ["8080-8090"]),
    "published twice": (web('publish: ["8080:80", "¦8080:81"]'), ["8080", "line 6"]),
    "published twice, another namespace": (net(web='publish: "8080:80", ', six='publish: "¦8080:80", '), ["8080", "line 6"]),
    "published everywhere and at one": (web('publish: ["8080:80", "127.0.0.1:¦8080:81"]'), ["8080"]),
    "published without a bridge of the host": (net(app='publish: "¦8080:80", '), ["app", "host"]),
    "published at an address of another family": (net(six='publish: "¦192.0.2.1:8080:80", '), ["six", "IPv4"]),
    "publish a mapping": (web("publish: ¦{8080: 80}"), ["publish"]),
    "publish on an unlikely interface": (web('publish: "8080:80@¦averyveryverylongname"'), ["averyveryverylongname"]),
    # --- nat
    "nat without host": (net(own=", ¦nat: true"), ["own", "host"]),
    "nat is a word": (net(bridge=", nat: ¦yes please"), ["nat"]),
    "nat with an unknown key": (net(bridge=", nat: {¦aut: eth0}"), ["aut", "did you mean 'out'?"]),
    "nat with no address": (net(bridge=", nat: {out: eth0, address: ¦10.0.0.300}"), ["10.0.0.300"]),
    "nat with two of a family": (net(bridge=", nat: {out: eth0, address: [192.0.2.1, ¦192.0.2.2]}"), ["192.0.2.2"]),
    "nat with a prefix": (net(bridge=", nat: {out: eth0, address: ¦192.0.2.1/24}"), ["192.0.2.1/24"]),
    "nat out of no interface": (net(bridge=", nat: {out: ¦averyveryverylongname}"), ["averyveryverylongname"]),
    "nat true in a namespace": (web("nat: ¦true"), ["out"]),
    "nat out of what is not there": (web("forward: true, nat: {out: ¦eth9}"), ["eth9", "did you mean 'eth0'?"]),
    "nat in what does not forward": (web("¦nat: {out: eth0}"), ["forward"]),
    # --- isolated, routed, guard
    "isolated is a word": (net(bridge=", isolated: ¦maybe"), ["maybe"]),
    "routed without host": (net(own=", ¦routed: true"), ["own", "host"]),
    "guard is a number": (net(bridge=", guard: ¦2"), ["2"]),
    "guard beside a spanning tree": ("name: wrong\nbridges: {¦lan: {guard: true, options: {stp: true}}}\nnamespaces: {a: {interfaces: {e: lan}}}\n", ["guard", "stp"]),
    "guard misspelt": (net(bridge=", ¦guards: true"), ["guards", "did you mean 'guard'?"]),
    "isolated interface is a word": (net(eth0=", isolated: ¦perhaps"), ["perhaps"]),
    "isolated end of a cable": ("name: wrong\nnamespaces: {a: {interfaces: {x: {¦isolated: true}}}}\nlinks: [[\"a:x\", \"b:y\"]]\n", ["isolated", "bridge"]),
}


def marked(text):
    """The text without its mark, and the mark's line and column."""
    assert text.count("¦") == 1, text
    before = text.split("¦")[0]
    return text.replace("¦", ""), before.count("\n") + 1, len(before) - before.rfind("\n")


@pytest.mark.parametrize("what", WRONG)
def test_wrong(box, what):
    text, line, column = marked(WRONG[what][0])
    path = box.write("net.yaml", text)
    with box.leaves_nothing():
        done = box.warren("up", path, check=2)
    assert done.out == ""
    assert f"net.yaml:{line}:{column}: " in done.err and "^" in done.err, f"wanted {line}:{column}\n{done.err}"
    for word in WRONG[what][1]:
        assert word in normal(done.err), done


def test_several_at_once(box):
    """Each at its own place."""
    path = box.write("net.yaml", web("publish: \"0:80\"").replace("app: {", "app: {firewall: {input: {policy: drop, accept: [tcp 0, icmp 80, \"tpc 1\"]}}, "))
    err = box.warren("up", path, check=2).err
    assert err.count("net.yaml:6:") == 1 and err.count("net.yaml:7:") == 3, err


def test_all_of_it_right(box):
    """The file that the others are made from is fine."""
    box.up(net())
    box.up(net(bridge=", nat: {out: eth0, address: [192.0.2.1, \"2001:db8::1\"]}, isolated: true, routed: true, guard: true", own=", guard: true",
               eth0=", isolated: true", web="publish: [\"8080:80\", \"8080:80/udp\", \"8081:81@eth9\"], firewall: {input: {policy: drop, accept: [tcp 80 from app lan host]}}, "))


ADDRESSES = "[\"192.0.2.1\", \"2001:db8::1\"]"


@pytest.mark.parametrize("out", ["nowhere0"])
def test_a_way_out_that_is_not_there(box, out):
    """An interface of the host need not exist yet: the filter waits for it."""
    box.up(net(bridge=f", nat: {{out: {out}, address: {ADDRESSES}}}"))
    box.warren("status", "wrong")
    box.warren("down", "wrong")
