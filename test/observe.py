#!/usr/bin/python3
"""What a machine has, as plain data that two moments of it can be compared by: iproute2, /proc and the file system are the
witnesses, never warren.

host()      everything that `down` must leave as it was: links, addresses, routes, rules, neighbours, packet filter, settings, pins, mounts, files
network()   the inside of every pinned namespace, by pin, with what differs from run to run (numbers, timers) left out
pinned()    the same with the numbers: for "nothing was touched"
differences(a, b)  what is not the same, one line each

As a program: prints host() and network() as JSON.
"""

import json
import os
import shutil
import stat
import subprocess
import sys

PINS = "/run/netns"
FILES = ("/run", "/etc/netns", "/etc/hosts", "/etc/resolv.conf")

# Never of interest: they change by themselves.
VOLATILE = {
    "stats", "stats64", "gc_timer", "hello_timer", "tcn_timer", "topology_change_timer", "operstate", "tentative", "used", "expires",
    "confirmed", "updated", "probes", "refcnt", "cache", "hold_timer", "message_age_timer", "forward_delay_timer", "state_timer",
    "state", "valid_life_time", "preferred_life_time", "topology_change", "topology_change_detected", "root_port",
    "root_path_cost", "linkmode", "carrier_changes", "hw_port", "qdisc", "topology_change_ack",
}
# Numbers that the kernel gives out, and names that stand for such numbers.
NUMBERS = {"ifindex", "link_index", "link_netnsid", "link", "link_netns", "port_id", "port_no", "designated_port", "iflink",
           "designated_bridge", "designated_root", "root_id", "bridge_id"}
# IFA_PROTO is set by netlink alone: iproute2 6.1 cannot say it.
UNSAYABLE = {"proto"}
FLAGS = {"LOWER_UP", "NO-CARRIER", "M-DOWN", "DORMANT", "ECHO", "linkdown", "dead"}

VOLATILE_SYSCTLS = ("/nf_conntrack_count", "/stable_secret", "/nf_conntrack_max", "/nf_conntrack_buckets", "/nf_conntrack_expect_max",
                    "/tcp_mem", "/udp_mem", "/ip_local_reserved_ports", "/neigh/default/gc_", "/ipfrag_", "/ip6frag_", "/route/flush",
                    "/tcp_fastopen_key", "/mptcp/available_schedulers")


def _ip(arguments, namespace=None):
    """The answers to several ip commands, asked by one process, and then IPv6's rules."""
    answers = []
    # Without a family ip shows addresses, routes and neighbours of both, but rules of IPv4 alone.
    for family, lines in (([], arguments), (["-6"], ["rule show"])):
        command = ["ip", "-d", "-j", *family]
        if namespace:
            command += ["-n", namespace]
        done = subprocess.run(command + ["-batch", "-"], input="\n".join(lines) + "\n", capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
        text, decoder, place = done.stdout, json.JSONDecoder(), 0
        while place < len(text):
            while place < len(text) and text[place].isspace():
                place += 1
            if place < len(text):
                value, place = decoder.raw_decode(text, place)
                answers.append(value)
    return answers


def clean(value, drop):
    if isinstance(value, dict):
        result = {}
        for key, item in value.items():
            if key in drop:
                continue
            if key == "flags" and isinstance(item, list):
                item = sorted(flag for flag in item if flag not in FLAGS)
            if key == "info_slave_data" and "port_no" in drop:
                # iproute2's JSON has the number of a port as "no" and "id".
                item = {name: part for name, part in item.items() if name not in ("id", "no")}
            result[key] = clean(item, drop)
        return result
    if isinstance(value, list):
        items = [clean(item, drop) for item in value]
        return [item for item in items if item != {}]
    return value


def _sorted(items):
    return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))


def interfaces(namespace=None, drop=frozenset()):
    drop = VOLATILE | UNSAYABLE | set(drop)
    asked = _ip(["address show", "route show table all", "rule show", "neigh show nud permanent"], namespace)
    links, routes, rules, neighbours = asked[0], asked[1], asked[2] + asked[4], asked[3]
    by_name = {}
    for link in links:
        if not link:
            continue
        entry = clean(link, drop)
        # The order of addresses is the order in which they were given; the set is what counts. Link-local ones of the
        # kernel's own come with the carrier, some time after the link is up.
        entry["addr_info"] = _sorted(item for item in entry.get("addr_info", []) if not item["local"].startswith("fe80"))
        entry["altnames"] = sorted(entry.get("altnames", []))
        by_name[entry["ifname"]] = entry
    # IPv6's own routes to an address of this machine follow from the addresses, some time later.
    routes = [item for item in routes if not item["dst"].startswith(("fe80", "ff00")) and not (item["type"] == "local" and ":" in item["dst"])]
    return {
        "links": by_name,
        "routes": _sorted(clean(routes, drop - {"link"})),
        "rules": _sorted(clean(rules, drop)),
        "neighbours": _sorted(clean(neighbours, drop)),
    }


def _uncounted(value, drop):
    """A part of nft's JSON without what traffic changes."""
    if isinstance(value, dict):
        return {key: _uncounted(item, drop) for key, item in value.items() if key not in drop}
    if isinstance(value, list):
        return [_uncounted(item, drop) for item in value]
    return value


def filters(namespace=None, handles=False):
    """The packet filter, {table: {chain, set or map: what is in it}}. handles: with the numbers by which a rule is the same rule."""
    if not shutil.which("nft"):
        return {}
    into = ["nsenter", "--net=" + os.path.join(PINS, namespace), "--"] if namespace else []
    done = subprocess.run([*into, "nft", "-j", "list", "ruleset"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"nft in {namespace or 'the machine'}: {done.stderr}")
    found, drop = {}, {"packets", "bytes", "expires"} | (set() if handles else {"handle"})
    for item in json.loads(done.stdout)["nftables"]:
        ((kind, body),) = item.items()
        if kind == "metainfo":
            continue
        table = found.setdefault(f"{body.pop('family')} {body['name'] if kind == 'table' else body.pop('table')}", {})
        if kind == "table":
            table["table"] = _uncounted(body, drop)
        elif kind == "rule":
            table["chain " + body["chain"]]["rules"].append(_uncounted(body, drop))
        elif kind == "chain":
            table["chain " + body["name"]] = {**_uncounted(body, drop), "rules": []}
        else:
            entry = _uncounted(body, drop)
            # What is put there by packets is no part of it.
            entry["elem"] = [] if "dynamic" in body.get("flags", []) else _sorted(entry.get("elem", []))
            table[f"{kind} {body['name']}"] = entry
    return found


def sysctls(top="/proc/sys/net"):
    values = {}
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            if any(text in path for text in VOLATILE_SYSCTLS):
                continue
            try:
                with open(path, encoding="utf-8", errors="replace") as file:
                    values[path] = file.read().strip()
            except OSError:
                pass
    return values


def files():
    found = {}

    def note(path):
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            return False
        kind = stat.S_IFMT(status.st_mode)
        entry = f"{stat.filemode(status.st_mode)} {status.st_uid}"
        if kind == stat.S_IFLNK:
            entry += " -> " + os.readlink(path)
        elif kind == stat.S_IFREG and not os.path.ismount(path):
            try:
                with open(path, "rb") as file:
                    entry += " " + repr(file.read(65536))
            except OSError as error:
                entry += f" ({error.strerror})"
        found[path] = entry
        return kind == stat.S_IFDIR

    def walk(path):
        # What mount(8) itself writes down.
        if path != "/run/mount" and note(path):
            try:
                names = sorted(os.listdir(path))
            except OSError:
                return
            for name in names:
                walk(os.path.join(path, name))

    for path in FILES:
        walk(path)
    return found


def mounts():
    found = []
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        for line in file:
            fields = line.split()
            separator = fields.index("-")
            found.append(" ".join([fields[3] if not fields[3].startswith("net:") else "net", fields[4], fields[separator + 1]]))
    return sorted(found)


def pins():
    try:
        return {name: os.stat(os.path.join(PINS, name)).st_ino for name in sorted(os.listdir(PINS))}
    except FileNotFoundError:
        return {}


def is_namespace(pin):
    """Whether a pin is a mounted namespace, and not a file that was left."""
    try:
        return os.stat(os.path.join(PINS, pin)).st_dev != os.stat(PINS).st_dev
    except OSError:
        return False


def host():
    """The directory of pins itself, and that it is a shared mount, is left as `ip netns add` leaves it; nothing else."""
    everything = interfaces()
    found_files = files()
    found_mounts = mounts()
    for path in ("/run/netns",):
        if found_files.get(path, "").startswith("d") and not any(name.startswith(path + "/") for name in found_files):
            del found_files[path]
    shared = [text for text in found_mounts if text.split()[1] == "/run/netns" and text.split()[0].endswith("/netns")]
    for text in shared:
        found_mounts.remove(text)
    everything.update(filters=filters(), sysctls=sysctls(), files=found_files, mounts=found_mounts, pins=pins())
    return everything


def network(drop=frozenset()):
    """The inside of every pinned namespace, comparable between two machines. The host's own side is under ''."""
    drop = NUMBERS | set(drop)

    def inside(pin):
        return {**interfaces(pin, drop), "filters": filters(pin)}

    found = {"": inside(None)}
    for pin in pins():
        found[pin] = inside(pin) if is_namespace(pin) else "no namespace"
    return found


def pinned():
    """As network(), with interface numbers, namespace numbers and handles of rules: equal only if nothing was made anew."""
    def inside(pin):
        return {**interfaces(pin), "filters": filters(pin, True)}

    found = {"": inside(None)}
    for pin, number in pins().items():
        found[pin] = {"inode": number, **(inside(pin) if is_namespace(pin) else {})}
    return found


def differences(before, after, path=""):
    """Lines that name what is not the same."""
    if before == after:
        return []
    if isinstance(before, dict) and isinstance(after, dict):
        lines = []
        for key in sorted(set(before) | set(after), key=str):
            if key not in before:
                lines.append(f"+ {path}/{key}: {json.dumps(after[key])[:300]}")
            elif key not in after:
                lines.append(f"- {path}/{key}: {json.dumps(before[key])[:300]}")
            else:
                lines += differences(before[key], after[key], f"{path}/{key}")
        return lines
    if isinstance(before, list) and isinstance(after, list):
        gone = [item for item in before if item not in after]
        new = [item for item in after if item not in before]
        if gone or new:
            return [f"- {path}: {json.dumps(item)[:400]}" for item in gone] + [f"+ {path}: {json.dumps(item)[:400]}" for item in new]
    return [f"~ {path}: {json.dumps(before)[:300]} -> {json.dumps(after)[:300]}"]


def main():
    what = sys.argv[1] if len(sys.argv) > 1 else "all"
    functions = {"host": host, "network": network, "pinned": pinned}
    if what in functions:
        json.dump(functions[what](), sys.stdout)
    else:
        json.dump({"host": host(), "network": network()}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
