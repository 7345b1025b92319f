"""Network files that several tests use."""

# A little of everything: a bridge the machine joins, one it does not, a router, cables, routes, rules, settings, names.
# Every address is written or is the only one possible, so that two machines come out alike.
RICH = """
name: rich
bridges:
  lan: {subnet: ["10.30.0.0/24", "fd30::/64"], host: true}
  dmz: {subnet: 10.31.0.0/24, gateway: edge}
namespaces:
  web:
    interfaces:
      eth0: {bridge: lan, address: [10.30.0.5/24, "fd30::5/64"]}
      eth1: {bridge: dmz, address: 10.31.0.10/24, mtu: 1400, mac: "02:00:00:00:03:0a"}
    sysctl: {net.ipv4.tcp_syn_retries: 2}
    routes:
      - {to: 192.0.2.0/24, via: 10.31.0.1, metric: 50}
      - {to: 198.51.100.0/24, type: blackhole}
      - {to: 203.0.113.0/24, via: 10.31.0.1, table: 100}
      - {to: "2001:db8:1::/48", via: "fd30::6"}
    rules:
      - {from: 10.31.0.10/32, table: 100, priority: 1100}
    neighbours:
      - {address: 10.31.0.77, mac: "02:00:00:00:00:77"}
  edge:
    forward: true
    interfaces:
      eth0: {bridge: lan, address: [10.30.0.6/24, "fd30::6/64"]}
      eth1: {bridge: dmz, address: 10.31.0.1/24}
  app[1-2]:
    interfaces: {eth0: {bridge: dmz, address: 10.31.0.$(n+20)/24}}
    hosts: {printer: 10.31.0.200}
links:
  - {ends: [web:cable0, edge:cable0], addresses: [10.32.0.1/30, 10.32.0.2/30], mtu: 1300}
  - {ends: [host:rich0, edge:up0], addresses: [10.33.0.1/30, 10.33.0.2/30]}
"""

# Two namespaces that stay as they are under every edit of the rest (the pair of test_edit.py), and the rest.
EDITED = """
name: work
bridges:
  lan: {subnet: 10.40.0.0/24}
  spare: {subnet: 10.41.0.0/24}
namespaces:
  left: {interfaces: {eth0: {bridge: lan, address: 10.40.0.1/24}}}
  right: {interfaces: {eth0: {bridge: lan, address: 10.40.0.2/24}}}
  third:
    interfaces:
      eth0: {bridge: lan, address: 10.40.0.3/24}
      eth1: {bridge: spare, address: 10.41.0.3/24}
    routes: [{to: 192.0.2.0/24, via: 10.40.0.1}]
    sysctl: {net.ipv4.tcp_syn_retries: 3}
  fourth: {interfaces: {eth0: {bridge: spare, address: 10.41.0.4/24}}}
links:
  - {ends: [third:c0, fourth:c0], addresses: [10.42.0.1/30, 10.42.0.2/30]}
"""
