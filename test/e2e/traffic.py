#!/usr/bin/python3
"""Traffic for tests of the packet filter: machines around the host, connections that say who they saw, and frames of any kind.

Theory: an agent is a process inside one namespace that takes orders as lines of JSON and answers each with a line. It serves, asks,
keeps connections open, sends raw frames and captures what arrives. A server answers every line (TCP) and datagram (UDP) with its name, its
port, and the address and port it sees the client at, so that an answer proves the way there, the way back and what was translated.

That something does NOT arrive is proved without waiting where frames are sent: after the frames under test the same socket sends an
honest one with a mark in it; the way is a queue (veth, bridge, veth on one processor), so what has not been captured before the mark has been
dropped. Connections that get no answer wait for SILENCE seconds, all of a test at once.

As a program: traffic.py agent
"""

import contextlib
import ctypes
import errno
import ipaddress
import json
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time

from frames import (  # noqa: F401, tests reach them through here
    EVERYONE, arp, checksum, ethernet, icmp4, icmp6, ip_bytes, ip_frame, ipv4,
    ipv6, link_local, mac_bytes, router_advertisement, sctp_init, tcp, udp, untagged,
)

SILENCE = 1.0
PATIENCE = 10.0
ETH_P_ALL = 3
PACKET_OUTGOING = 4


def _family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _plain(address):
    return address.removeprefix("::ffff:").split("%")[0]


class Server(threading.Thread):
    """Answers lines and datagrams at some ports with what it sees."""

    def __init__(self, name, ports, address=None, tcp=True, udp=True):
        super().__init__(daemon=True)
        self.name_said = name
        self.listeners, self.datagrams, self.streams = {}, {}, {}
        self.poller = select.poll()
        self.heard = []
        families = [_family(address)] if address else [socket.AF_INET, socket.AF_INET6]
        for port in ports:
            for family in families:
                where = (address or ("::" if family == socket.AF_INET6 else "0.0.0.0"), port)
                if tcp:
                    self._add(self.listeners, family, socket.SOCK_STREAM, where)
                if udp:
                    self._add(self.datagrams, family, socket.SOCK_DGRAM, where)
        self.start()

    def _add(self, table, family, kind, where):
        handle = socket.socket(family, kind)
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            handle.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_DGRAM:
            # The answer comes from the address that was asked, whichever others there are.
            if family == socket.AF_INET6:
                handle.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
            else:
                handle.setsockopt(socket.IPPROTO_IP, 8, 1)
        handle.bind(where)
        if kind == socket.SOCK_STREAM:
            handle.listen(64)
        table[handle.fileno()] = handle
        self.poller.register(handle, select.POLLIN)

    def words(self, handle, peer, data):
        return f"{self.name_said} {handle.getsockname()[1]} {_plain(peer[0])} {peer[1]} ".encode() + data

    def run(self):
        while True:
            for fd, _ in self.poller.poll():
                with contextlib.suppress(OSError):
                    self._serve(fd)

    def _serve(self, fd):
        if fd in self.listeners:
            stream, _ = self.listeners[fd].accept()
            self.streams[stream.fileno()] = stream
            self.poller.register(stream, select.POLLIN)
        elif fd in self.datagrams:
            handle = self.datagrams[fd]
            data, notes, _, peer = handle.recvmsg(2048, 256)
            answers = []
            for level, kind, note in notes:
                if (level, kind) == (socket.IPPROTO_IP, 8):
                    note = struct.pack("=I", 0) + note[8:12] + note[8:12]
                answers.append((level, kind, note))
            self.heard.append([self.name_said, handle.getsockname()[1], data.decode("latin-1")])
            handle.sendmsg([self.words(handle, peer, data)], answers, 0, peer)
        else:
            stream = self.streams[fd]
            try:
                data = stream.recv(65536)
                if data:
                    stream.sendall(self.words(stream, stream.getpeername(), data))
                    return
            except OSError:
                pass
            self.poller.unregister(fd)
            self.streams.pop(fd).close()


class Names(threading.Thread):
    """A name server that knows some names and has no others; over UDP, at one address."""

    def __init__(self, names, address):
        super().__init__(daemon=True)
        self.names = names
        self.handle = socket.socket(_family(address), socket.SOCK_DGRAM)
        self.handle.bind((address, 53))
        self.start()

    def run(self):
        while True:
            data, peer = self.handle.recvfrom(2048)
            place, labels = 12, []
            while data[place]:
                labels.append(data[place + 1:place + 1 + data[place]].decode())
                place += 1 + data[place]
            kind = struct.unpack_from("!H", data, place + 1)[0]
            found = [ip_bytes(text) for text in self.names.get(".".join(labels).lower(), [])]
            found = [raw for raw in found if len(raw) == {1: 4, 28: 16}.get(kind)]
            known = ".".join(labels).lower() in self.names
            answer = data[:2] + struct.pack("!HHHHH", 0x8580 if known else 0x8583, 1, len(found), 0, 0) + data[12:place + 5]
            for raw in found:
                answer += struct.pack("!HHHIH", 0xc00c, kind, 1, 60, len(raw)) + raw
            self.handle.sendto(answer, peer)


class Flood(threading.Thread):
    """Sends frames again and again, through whatever has that name at the moment."""

    def __init__(self, device, frames):
        super().__init__(daemon=True)
        self.device, self.frames, self.count = device, frames, 0
        self.wanted = True
        self.start()

    def run(self):
        handle = None
        while self.wanted:
            try:
                if handle is None:
                    handle = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
                    handle.bind((self.device, 0))
                for frame in self.frames:
                    handle.send(frame)
                    self.count += 1
            except OSError:
                if handle:
                    handle.close()
                handle = None
            select.select([], [], [], 0.001)


class Inside:
    """Carries out the orders. Each method is one; its answer must be fit for JSON."""

    def __init__(self):
        self.servers, self.connections, self.captures, self.floods = [], {}, {}, {}

    def serve(self, **options):
        self.servers.append(Server(**options))

    def heard(self):
        """(server, port, words) of every datagram that a server took since this was asked last."""
        found = []
        for server in self.servers:
            taken = getattr(server, "heard", [])
            found += taken
            taken.clear()
        return found

    def names(self, names, address):
        self.servers.append(Names(names, address))

    def _connect(self, protocol, address, port, source=None, source_port=0, timeout=PATIENCE):
        family = _family(address)
        handle = socket.socket(family, socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM)
        try:
            handle.settimeout(timeout)
            if source or source_port:
                handle.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                handle.bind((source or ("::" if family == socket.AF_INET6 else "0.0.0.0"), source_port))
            handle.connect((address, port))
            return handle
        except OSError:
            handle.close()
            raise

    def _say(self, handle, words, timeout):
        end = time.monotonic() + timeout
        stream = handle.type == socket.SOCK_STREAM
        handle.settimeout(timeout)
        handle.send(words.encode())
        while True:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            # A datagram may be lost on the way: it is said again.
            handle.settimeout(left if stream else min(left, 0.5))
            try:
                data = handle.recv(65536)
            except TimeoutError:
                if not stream:
                    handle.send(words.encode())
                continue
            if not data:
                raise ConnectionResetError(errno.ECONNRESET, "closed")
            answer = data.decode().split(" ", 4)
            if len(answer) == 5 and answer[4].startswith(words):
                return {"server": answer[0], "port": int(answer[1]), "seen": answer[2], "seen_port": int(answer[3])}

    def ask(self, protocol, address, port, timeout=PATIENCE, words="hello", **options):
        try:
            with contextlib.closing(self._connect(protocol, address, port, timeout=timeout, **options)) as handle:
                return self._say(handle, words, timeout)
        except TimeoutError:
            return {"error": "silence"}
        except OSError as error:
            return {"error": errno.errorcode.get(error.errno, str(error))}

    def ask_many(self, questions):
        answers = [None] * len(questions)

        def one(index):
            answers[index] = self.ask(**questions[index])

        threads = [threading.Thread(target=one, args=(index,)) for index in range(len(questions))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def open(self, name, protocol, address, port, **options):
        try:
            self.connections[name] = self._connect(protocol, address, port, **options)
            return {"port": self.connections[name].getsockname()[1]}
        except TimeoutError:
            return {"error": "silence"}
        except OSError as error:
            return {"error": errno.errorcode.get(error.errno, str(error))}

    def say(self, name, words="again", timeout=PATIENCE):
        try:
            return self._say(self.connections[name], words, timeout)
        except TimeoutError:
            return {"error": "silence"}
        except OSError as error:
            return {"error": errno.errorcode.get(error.errno, str(error))}

    def send(self, device, frames):
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as handle:
            handle.bind((device, 0))
            for frame in frames:
                handle.send(bytes.fromhex(frame))

    def flood(self, device, frames):
        self.floods[device] = Flood(device, [bytes.fromhex(frame) for frame in frames])

    def flooded(self, device, stop=False):
        flood = self.floods[device]
        if stop:
            flood.wanted = False
            flood.join()
        return flood.count

    def capture(self, device):
        handle = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        handle.bind((device, ETH_P_ALL))
        self.captures[device] = handle

    def captured(self, device, until, timeout=PATIENCE):
        """What came in up to the frame that holds these bytes."""
        handle, found, end = self.captures.pop(device), [], time.monotonic() + timeout
        mark = bytes.fromhex(until)
        with handle:
            while True:
                handle.settimeout(max(0.001, end - time.monotonic()))
                try:
                    data, peer = handle.recvfrom(65536)
                except TimeoutError:
                    return {"frames": found, "marked": False}
                if peer[2] == PACKET_OUTGOING:
                    continue
                if mark in data:
                    return {"frames": found, "marked": True}
                found.append(data.hex())

    def ping(self):
        return "here"


def agent():
    # It goes when whoever started it goes. All agents run on one processor, so that all frames wait in one queue.
    ctypes.CDLL(None).prctl(1, 9)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    inside = Inside()
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = {"answer": getattr(inside, order["do"])(**order.get("with", {}))}
        except Exception as error:  # pylint: disable=broad-except  # the test is told, whatever it was
            answer = {"failed": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


# --- the test's side -------------------------------------------------------------------------------------------------------------


class Agent:
    """One namespace of a box that takes orders: Agent(box, "shop.web").ask("tcp", "192.0.2.1", 80)"""

    def __init__(self, box, pin=None):
        self.box, self.pin = box, pin
        into = ["nsenter", "--net=/run/netns/" + pin, "--"] if pin else []
        self.child = box.popen(*into, sys.executable, __file__, "agent", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert json.loads(self.child.stdout.readline()) == "ready"

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)

        def order(**options):
            self.child.stdin.write(json.dumps({"do": name, "with": options}) + "\n")
            self.child.stdin.flush()
            line = self.child.stdout.readline()
            assert line, f"the agent in {self.pin or 'the machine'} ended"
            answer = json.loads(line)
            assert "failed" not in answer, f"{self.pin or 'the machine'}: {name}: {answer['failed']}"
            return answer["answer"]

        return order

    def serving(self, name, *ports, **options):
        self.serve(name=name, ports=list(ports), **options)
        return self

    def reach(self, protocol, address, port, **options):
        """Asks, and must be answered."""
        answer = self.ask(protocol=protocol, address=address, port=port, **options)
        assert "server" in answer, f"{self.pin or 'the machine'}: {protocol} {address} {port}: {answer}"
        return answer

    def reach_all(self, *targets, **options):
        """(protocol, address, port) each, at the same time; the answers in their order."""
        answers = self.ask_many(questions=[{"protocol": p, "address": a, "port": n, **options} for p, a, n in targets])
        silent = [(target, answer) for target, answer in zip(targets, answers) if "server" not in answer]
        assert not silent, f"{self.pin or 'the machine'}: {silent}"
        return answers

    def fail_all(self, *targets, **options):
        """As reach_all, and none must be answered."""
        answers = self.ask_many(questions=[{"protocol": p, "address": a, "port": n, "timeout": SILENCE, **options} for p, a, n in targets])
        answered = [(target, answer) for target, answer in zip(targets, answers) if "server" in answer]
        assert not answered, f"{self.pin or 'the machine'}: {answered}"
        return answers

    def keep(self, name, protocol, address, port, **options):
        """Opens a connection that stays, and says something over it."""
        answer = self.open(name=name, protocol=protocol, address=address, port=port, **options)
        assert "port" in answer, f"{self.pin or 'the machine'}: {protocol} {address} {port}: {answer}"
        return self.still(name)

    def still(self, name, **options):
        answer = self.say(name=name, **options)
        assert "server" in answer, f"{self.pin or 'the machine'}: connection {name}: {answer}"
        return answer

    def send_frames(self, device, *frames):
        self.send(device=device, frames=[frame.hex() for frame in frames])

    def interface(self, device):
        (link,) = self.box.ip_json("addr", "show", "dev", device, ns=self.pin)
        found = {"mac": link["address"], "ip4": [], "ip6": []}
        for item in link["addr_info"]:
            if item["scope"] == "global":
                found["ip4" if item["family"] == "inet" else "ip6"].append(item["local"])
        return found


def arrived(sender, device, frames, receiver, where, mark):
    """Which of the frames came to an interface `where` of the receiver: list of bool. mark: an honest frame with 8 bytes of its own at its end, that comes through."""
    receiver.capture(device=where)
    sender.send_frames(device, *frames, mark)
    told = receiver.captured(device=where, until=mark[-8:].hex())
    assert told["marked"], f"the honest frame did not arrive; captured: {told['frames']}"
    came = {untagged(bytes.fromhex(frame)) for frame in told["frames"]}
    return [untagged(frame) in came for frame in frames]


def honest(sender_mac, receiver_mac, source, to):
    """A datagram that nobody objects to, ending in 8 bytes that no other has."""
    return ip_frame(receiver_mac, sender_mac, source, to, 17, udp(source, to, 40000, 40001, os.urandom(8)))


def bridged_frames(box, through):
    """Whether br_netfilter sends bridged frames through the host's filter. Where it is loaded it does so in every new namespace. False:
    it is not loaded."""
    done = box.sh(f"cd /proc/sys/net/bridge 2>/dev/null || exit 0; for name in iptables ip6tables arptables; do echo {int(through)} >bridge-nf-call-$name; done; echo there")
    return done.out == "there\n"


class Street:
    """The box as a host on a street: out0 leads to `neighbour` (the way out, too), out1 to `side`. Nobody there knows the way back
    to a network behind the host, unless a test tells them.

        neighbour 192.0.2.2, 2001:db8::2 and farther away 198.51.100.7, 2001:db8:ffff::7 ── out0 192.0.2.1, 2001:db8::1
        side 203.0.113.2, 2001:db8:1::2                                                 ── out1 203.0.113.1, 2001:db8:1::1
    """

    HOST = ["192.0.2.1", "2001:db8::1"]
    NEIGHBOUR = ["192.0.2.2", "2001:db8::2"]
    FAR = ["198.51.100.7", "2001:db8:ffff::7"]
    SIDE_HOST = ["203.0.113.1", "2001:db8:1::1"]
    SIDE = ["203.0.113.2", "2001:db8:1::2"]

    SCRIPT = """
        sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
        add() {
            ip netns add $1
            ip -n $1 link set lo up
            ip link add $2 address 02:00:00:00:00:0$7 type veth peer name eth0 address 02:00:00:00:00:1$7 netns $1
            # No address is ever tentative: nothing has to be waited for.
            sysctl -qw net.ipv6.conf.$2.accept_dad=0
            nsenter --net=/run/netns/$1 sysctl -qw net.ipv6.conf.eth0.accept_dad=0
            for address in $3 $4; do ip addr add $address dev $2 nodad; done
            for address in $5 $6; do ip -n $1 addr add $address dev eth0 nodad; done
            ip link set $2 up
            ip -n $1 link set eth0 up
        }
        add neighbour out0 192.0.2.1/24 2001:db8::1/64 192.0.2.2/24 2001:db8::2/64 1
        add side out1 203.0.113.1/24 2001:db8:1::1/64 203.0.113.2/24 2001:db8:1::2/64 2
        ip -n neighbour addr add 198.51.100.7/32 dev lo
        ip -n neighbour addr add 2001:db8:ffff::7/128 dev lo
        ip route add default via 192.0.2.2
        ip route add default via 2001:db8::2
    """

    def __init__(self, box):
        self.box = box
        bridged_frames(box, False)
        box.sh(self.SCRIPT)
        self.neighbour = Agent(box, "neighbour")
        self.side = Agent(box, "side")
        self.host = Agent(box)

    def agent(self, pin, name=None, *ports):
        """An agent in a namespace, and a server there if ports are given."""
        found = Agent(self.box, pin)
        return found.serving(name, *ports) if ports else found


# --- the filter as nft sees it -------------------------------------------------------------------------------------------------------


def ruleset(box, pin=None, *what):
    """`nft -j list ruleset` (or what is given) as a list of objects, each {kind: its members}."""
    command = ["nft", "-j", "list", *(what or ["ruleset"])]
    done = box.inside(pin, *command) if pin else box.run(*command)
    return [item for item in json.loads(done.out)["nftables"] if "metainfo" not in item]


def rule_handles(box, table, pin=None, family="inet"):
    """(chain, handle) of each rule, in order: the same as before if no rule was made anew."""
    return [(item["rule"]["chain"], item["rule"]["handle"]) for item in ruleset(box, pin, "table", family, table) if "rule" in item]


def elements(box, table, pin=None, family="inet"):
    """{set: its elements as text}, of sets and maps that are not dynamic."""
    found = {}
    for item in ruleset(box, pin, "table", family, table):
        body = item.get("set") or item.get("map")
        if body and "timeout" not in body:
            found[body["name"]] = {json.dumps(element, sort_keys=True) for element in body.get("elem", [])}
    return found


def element_changes(before, after):
    """(set, "+" or "-", element) of what differs between two answers of elements()."""
    found = []
    for name in sorted(set(before) | set(after)):
        found += [(name, "-", element) for element in sorted(before.get(name, set()) - after.get(name, set()))]
        found += [(name, "+", element) for element in sorted(after.get(name, set()) - before.get(name, set()))]
    return found


class Monitor:
    """`nft monitor`: what changed, line by line."""

    MARK = "warren-test-seen"

    def __init__(self, box, pin=None):
        self.box, self.rest = box, b""
        self.into = ["nsenter", "--net=/run/netns/" + pin, "--"] if pin else []
        self.child = box.popen(*self.into, "stdbuf", "-oL", "nft", "monitor", stdout=subprocess.PIPE)
        # It says nothing when it begins to listen: marks are made until it reports one.
        end = time.monotonic() + PATIENCE
        while not self._until(0.1):
            assert time.monotonic() < end, "nft monitor does not report"
        self.changes()

    def _until(self, timeout):
        """Lines up to a mark made now; None: it was not reported in this time."""
        for verb in ("add", "delete"):
            self.box.run(*self.into, "nft", verb, "table", "ip", self.MARK)
        lines, end = [], time.monotonic() + timeout
        while True:
            while b"\n" in self.rest:
                line, self.rest = self.rest.split(b"\n", 1)
                lines.append(line.decode())
                if line.startswith(b"delete table ip " + self.MARK.encode()):
                    return [line for line in lines if self.MARK not in line]
            if not select.select([self.child.stdout], [], [], max(0, end - time.monotonic()))[0]:
                return None
            self.rest += os.read(self.child.stdout.fileno(), 65536)

    def changes(self):
        """What was reported since this was asked last; without the remarks on generations."""
        lines = self._until(PATIENCE)
        assert lines is not None, "nft monitor fell silent"
        return [line for line in lines if line and not line.startswith("#")]


def remove_rules(box, table, chain, wanted, pin=None, family="inet"):
    """Takes out the rules whose JSON holds this text, to see what they protect from; at least one must."""
    gone = 0
    for item in ruleset(box, pin, "chain", family, table, chain):
        if "rule" in item and wanted in json.dumps(item["rule"]["expr"]):
            command = ["nft", "delete", "rule", family, table, chain, "handle", item["rule"]["handle"]]
            box.inside(pin, *command) if pin else box.run(*command)
            gone += 1
    assert gone, f"no rule of {chain} holds {wanted}"


def tables(box, pin=None):
    """(family, name) of each table."""
    return sorted((item["table"]["family"], item["table"]["name"]) for item in ruleset(box, pin, "tables") if "table" in item)


if __name__ == "__main__":
    if sys.argv[1:] != ["agent"]:
        sys.exit(__doc__)
    agent()
