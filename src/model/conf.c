/* conf.c: the table of per-interface settings, and their names as sysctls.
 *
 * A sysctl's name and the number in a link dump are two spellings of one row; nothing else in the program knows either. */
#include "model/conf.h"

#include <limits.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* IPv4's numbers begin with 1 in the header and with 0 in the dump. */
#define V4(number) (AF_INET), (IPV4_DEVCONF_##number - 1)
/* Newer than the headers of Debian 12; the enumeration is part of the kernel's interface and only grows. */
#define WR_DEVCONF_FORCE_FORWARDING 59

const struct wr_conf_row wr_conf_rows[WR_CONF_COUNT_] = {
	[WR_CONF_V4_FORWARDING] = {"forwarding", V4(FORWARDING), WR_CONF_UNSET,
				   "routes IPv4 only where the file says so"},
	[WR_CONF_V4_RP_FILTER] = {"rp_filter", V4(RP_FILTER), 0,
				  "no reverse path filter drops what takes another way back"},
	[WR_CONF_V4_PROXY_ARP] = {"proxy_arp", V4(PROXY_ARP), 0, "answers ARP for no one else"},
	[WR_CONF_V4_ACCEPT_LOCAL] = {"accept_local", V4(ACCEPT_LOCAL), 0, "takes no packets from its own addresses"},
	[WR_CONF_V4_ROUTE_LOCALNET] = {"route_localnet", V4(ROUTE_LOCALNET), 0,
				       "127.0.0.0/8 leaves lo only for a port that is published there"},
	[WR_CONF_V4_ARP_FILTER] = {"arp_filter", V4(ARPFILTER), 0, "answers ARP whatever the way back"},
	[WR_CONF_V4_ARP_ANNOUNCE] = {"arp_announce", V4(ARP_ANNOUNCE), 0, "announces any of its addresses"},
	[WR_CONF_V4_ARP_IGNORE] = {"arp_ignore", V4(ARP_IGNORE), 0, "answers ARP for all its addresses"},
	[WR_CONF_V4_PROMOTE_SECONDARIES] = {"promote_secondaries", V4(PROMOTE_SECONDARIES), WR_CONF_UNSET,
					    "the next address takes over when the first of a subnet goes"},
	[WR_CONF_V6_FORWARDING] = {"forwarding", AF_INET6, DEVCONF_FORWARDING, WR_CONF_UNSET,
				   "routes IPv6 only where the file says so"},
	[WR_CONF_V6_DISABLE] = {"disable_ipv6", AF_INET6, DEVCONF_DISABLE_IPV6, WR_CONF_UNSET,
				"IPv6 is on only where the file gives an address"},
	[WR_CONF_V6_ACCEPT_RA] = {"accept_ra", AF_INET6, DEVCONF_ACCEPT_RA, WR_CONF_UNSET,
				  "takes nothing from router advertisements"},
	[WR_CONF_V6_ACCEPT_DAD] = {"accept_dad", AF_INET6, DEVCONF_ACCEPT_DAD, WR_CONF_UNSET,
				   "its addresses are known to be its own: no second of waiting"},
	[WR_CONF_V6_FORCE_FORWARDING] = {"force_forwarding", AF_INET6, WR_DEVCONF_FORCE_FORWARDING, WR_CONF_UNSET,
					 "routes IPv6 between what the host joins"},
};

void wr_conf_clear(struct wr_conf *conf)
{
	for (int id = 0; id < WR_CONF_COUNT_; id++)
		conf->value[id] = WR_CONF_UNSET;
}

/* The row of a family with this name, or -1. */
static int find_row(int family, const char *name)
{
	for (int id = 0; id < WR_CONF_COUNT_; id++) {
		if (wr_conf_rows[id].family == family && strcmp(wr_conf_rows[id].name, name) == 0)
			return id;
	}
	return -1;
}

int wr_conf_parse_key(const char *key, char scope[16])
{
	static const char v4[] = "net.ipv4.conf.", v6[] = "net.ipv6.conf.";
	const char *rest = key + sizeof v4 - 1, *dot;
	size_t length;
	int family, id;

	if (strcmp(key, "net.ipv4.ip_forward") == 0) {
		memcpy(scope, "all", sizeof "all");
		return WR_CONF_V4_FORWARDING;
	}
	if (strncmp(key, v4, sizeof v4 - 1) == 0)
		family = AF_INET;
	else if (strncmp(key, v6, sizeof v6 - 1) == 0)
		family = AF_INET6;
	else
		return -1;
	dot = strchr(rest, '.');
	length = dot ? (size_t)(dot - rest) : 0;
	if (length == 0 || length > 15)
		return -1;
	id = find_row(family, dot + 1);
	if (id < 0)
		return -1;
	for (size_t i = 0; i < length; i++)
		scope[i] = rest[i];
	scope[length] = '\0';
	for (char *slash = strchr(scope, '/'); slash; slash = strchr(slash, '/'))
		*slash = '.';
	return id;
}

const char *wr_conf_key(enum wr_conf_id id, const char *scope, char buffer[80])
{
	const struct wr_conf_row *row = &wr_conf_rows[id];
	int before = snprintf(buffer, 80, "net.ipv%c.conf.", row->family == AF_INET ? '4' : '6');
	char *p = buffer + before;

	for (const char *s = scope; *s && s < scope + 15; s++)
		*p++ = *s == '.' ? '/' : *s;
	snprintf(p, (size_t)(buffer + 80 - p), ".%s", row->name);
	return buffer;
}

bool wr_conf_differs(const struct wr_conf *wanted, const struct wr_conf *live, enum wr_conf_id id)
{
	return wanted->value[id] != WR_CONF_UNSET && wanted->value[id] != live->value[id];
}

bool wr_conf_is_told_of_all(enum wr_conf_id id)
{
	return wr_conf_rows[id].family == AF_INET6 || id == WR_CONF_V4_FORWARDING || id == WR_CONF_V4_RP_FILTER ||
	       id == WR_CONF_V4_PROXY_ARP;
}

bool wr_conf_names_interface(const char *key, char scope[16])
{
	static const char *const families[] = {"net.ipv4.conf.", "net.ipv6.conf.", "net.ipv4.neigh.",
					       "net.ipv6.neigh."};

	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
		const char *rest = key + strlen(families[i]), *dot;

		if (strncmp(key, families[i], strlen(families[i])) != 0)
			continue;
		dot = strchr(rest, '.');
		if (!dot || dot == rest || dot - rest > 15)
			return false;
		for (const char *c = rest; c < dot; c++)
			scope[c - rest] = *c == '/' ? '.' : *c;
		scope[dot - rest] = '\0';
		return strcmp(scope, "all") != 0 && strcmp(scope, "default") != 0;
	}
	return false;
}
