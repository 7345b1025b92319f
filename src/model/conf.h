/* conf.h: the per-interface settings (devconf) that a network relies on, by number.
 *
 * Why:       these are read with the link dump and RTM_GETNETCONF instead of a file each, and a namespace that relies on
 *            one must have it right whatever the host had when it was made. Everything else is a wr_sysctl.
 * Shape:     one row of wr_conf_rows for each; a struct of small numbers for each interface, and for `all` and `default`.
 * Source:    include/uapi/linux/ip.h (IPV4_DEVCONF_*), ipv6.h (DEVCONF_*), netconf.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum wr_conf_id {
	WR_CONF_V4_FORWARDING,
	WR_CONF_V4_RP_FILTER,
	WR_CONF_V4_PROXY_ARP,
	WR_CONF_V4_ACCEPT_LOCAL,
	WR_CONF_V4_ROUTE_LOCALNET,
	WR_CONF_V4_ARP_FILTER,
	WR_CONF_V4_ARP_ANNOUNCE,
	WR_CONF_V4_ARP_IGNORE,
	WR_CONF_V4_PROMOTE_SECONDARIES,
	WR_CONF_V6_FORWARDING,
	WR_CONF_V6_DISABLE,
	WR_CONF_V6_ACCEPT_RA,
	WR_CONF_V6_ACCEPT_DAD,
	WR_CONF_V6_FORCE_FORWARDING, /* Linux 6.17 and later */
	WR_CONF_COUNT_,
};

#define WR_CONF_UNSET INT16_MIN

struct wr_conf {
	int16_t value[WR_CONF_COUNT_]; /* WR_CONF_UNSET: unset */
};

struct wr_conf_row {
	const char *name;     /* the last part of the sysctl: "forwarding" */
	uint8_t family;	      /* AF_INET: set by netlink for a link. AF_INET6: by its file */
	uint8_t devconf;      /* its number in the array that link dumps carry: from 0, for both families */
	int16_t in_namespace; /* what an interface of a namespace of ours must have; WR_CONF_UNSET: no opinion.
	                        * forwarding and IPv6 settings depend on the namespace: see wr_model_want_conf */
	const char *meaning;  /* a few words, the reason that plan prints */
};

extern const struct wr_conf_row wr_conf_rows[WR_CONF_COUNT_];

void wr_conf_clear(struct wr_conf *conf); /* all unset */
/* Splits net.ipv4.conf.SCOPE.NAME, net.ipv6.conf.SCOPE.NAME; net.ipv4.ip_forward is net.ipv4.conf.all.forwarding.
 * Returns the id, or -1 when it is no such key or no row. scope (room for 16 bytes) gets "all", "default" or the
 * interface's name with '/' turned back into '.'. */
int wr_conf_parse_key(const char *key, char scope[16]);
/* The full sysctl name; buffer of 80 bytes; returns buffer. A '.' in the scope becomes '/'. */
const char *wr_conf_key(enum wr_conf_id id, const char *scope, char buffer[80]);
/* wanted is set, and live is unset or differs. */
bool wr_conf_differs(const struct wr_conf *wanted, const struct wr_conf *live, enum wr_conf_id id);
/* Whether the kernel tells this setting of `all` by netlink, or it is IPv6's; IPv4's others are sysctls like any. */
bool wr_conf_is_told_of_all(enum wr_conf_id id);
/* Whether a key (net.ipv4.neigh.eth0.gc_stale_time, net.ipv6.conf.eth0.…) is about one interface; scope gets its name. */
bool wr_conf_names_interface(const char *key, char scope[16]);
