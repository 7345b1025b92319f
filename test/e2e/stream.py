#!/usr/bin/python3
"""Traffic that notices every loss: numbered records over TCP and numbered datagrams over UDP, echoed by the other end.

stream.py serve ADDRESS PORT        echoes both, prints "ready", until its standard input ends
stream.py send ADDRESS PORT         sends until its standard input ends, prints "ready" after the first echoes of both; then as JSON:
                                    {"tcp_sent", "tcp_echoed", "tcp_retransmitted", "udp_sent", "udp_echoed", "longest_gap_ms"}
One datagram and one record every two milliseconds: far below what a queue holds, so that each that is missing was lost.
"""

import json
import select
import socket
import struct
import sys
import time

RECORD = struct.Struct("!Q24x")
INTERVAL = 0.002
TCP_INFO_TOTAL_RETRANS = 8 + 23 * 4


def serve(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.create_server((address, port), family=family)
    datagrams = socket.socket(family, socket.SOCK_DGRAM)
    datagrams.bind((address, port))
    print("ready", flush=True)
    poller = select.poll()
    streams = {}
    for handle in (sys.stdin, listener, datagrams):
        poller.register(handle, select.POLLIN)
    while True:
        for fd, _ in poller.poll():
            if fd == sys.stdin.fileno():
                return
            if fd == listener.fileno():
                stream, _ = listener.accept()
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                streams[stream.fileno()] = stream
                poller.register(stream, select.POLLIN)
            elif fd == datagrams.fileno():
                data, peer = datagrams.recvfrom(2048)
                datagrams.sendto(data, peer)
            else:
                data = streams[fd].recv(65536)
                if data:
                    streams[fd].sendall(data)
                else:
                    poller.unregister(fd)
                    streams.pop(fd).close()


def send(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    stream = socket.create_connection((address, port), timeout=10)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    datagrams = socket.socket(family, socket.SOCK_DGRAM)
    datagrams.connect((address, port))
    sent = {"tcp": 0, "udp": 0}
    echoed = {"tcp": 0, "udp": 0}
    rest, said, ending = b"", False, None
    last = {"tcp": time.monotonic(), "udp": time.monotonic()}
    longest = 0.0
    poller = select.poll()
    for handle in (sys.stdin, stream, datagrams):
        poller.register(handle, select.POLLIN)
    due = time.monotonic()
    while True:
        now = time.monotonic()
        if ending is None and now >= due:
            stream.sendall(RECORD.pack(sent["tcp"]))
            datagrams.send(RECORD.pack(sent["udp"]))
            sent["tcp"] += 1
            sent["udp"] += 1
            due = max(due + INTERVAL, now)
        if ending is not None and (echoed == sent or now > ending):
            break
        for fd, _ in poller.poll(1 if ending is None else 50):
            if fd == sys.stdin.fileno():
                poller.unregister(sys.stdin)
                ending = time.monotonic() + 5
                continue
            if fd == stream.fileno():
                rest += stream.recv(65536)
                while len(rest) >= RECORD.size:
                    (number,) = RECORD.unpack(rest[:RECORD.size])
                    if number != echoed["tcp"]:
                        sys.exit(f"TCP record {number} came when {echoed['tcp']} was due")
                    echoed["tcp"] += 1
                    rest = rest[RECORD.size:]
                which = "tcp"
            else:
                datagrams.recv(2048)
                echoed["udp"] += 1
                which = "udp"
            arrived = time.monotonic()
            if said:
                longest = max(longest, arrived - last[which])
            last[which] = arrived
        if not said and min(echoed.values()) > 0:
            said = True
            print("ready", flush=True)
    info = stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    (retransmitted,) = struct.unpack_from("=I", info, TCP_INFO_TOTAL_RETRANS)
    print(json.dumps({
        "tcp_sent": sent["tcp"], "tcp_echoed": echoed["tcp"], "tcp_retransmitted": retransmitted,
        "udp_sent": sent["udp"], "udp_echoed": echoed["udp"], "longest_gap_ms": round(longest * 1000, 1),
    }))


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in ("serve", "send"):
        sys.exit(__doc__)
    {"serve": serve, "send": send}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
