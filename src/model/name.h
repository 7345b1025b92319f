/* name.h: names and marks as pure functions of what the file says.
 *
 * Why:       every name, MAC, mark and group number that warren makes can be computed again without any state.
 * Shape:     the parts of a network make an interface name; what does not fit becomes a hash.
 * Marks:     "warren:NETWORK.NAMESPACE" on a namespace's lo; "warren:NETWORK.NAMESPACE.INTERFACE" on both ends of a cable;
 *            "warren:NETWORK.BRIDGE" on a bridge. No part but the last holds a '.', so a mark reads back without doubt.
 * Errors:    writers truncate never: the buffers named here hold the longest result. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

#define WR_MARK	    "warren:"
#define WR_MARK_MAX 256

/* Letters, digits, '-', '_', first a letter or digit, 1..63 bytes. */
bool wr_name_is_valid(const char *name);
/* What the kernel allows, and '%' not: 1..15 bytes, no '/', ':', '%', white space (0xa0 counts), control byte, not ".", "..",
 * "all" or "default". */
bool wr_ifname_is_valid(const char *name);

/* prefix + "A-B" (B NULL: prefix + "A") when that is a legal name of at most 15 bytes and neither A nor B contains '-' (which
 * joins the parts: bridge "web-eth0" must not look like the port of web's eth0), else a hash form of 15 bytes, "wr" and 13
 * letters and digits, of network, A and B. The result is always a legal interface name. */
void wr_name_host_link(const char *network, const char *prefix, const char *a, const char *b, char ret[16]);
/* "NETWORK.A.B" (B NULL: "NETWORK.A"), hashed at the end where longer than 127 bytes. */
void wr_name_altname(const char *network, const char *a, const char *b, char ret[128]);
/* "warren:NETWORK.A.B" (B NULL: "warren:NETWORK.A"); at most 63+63+15+9 bytes. */
void wr_name_mark(const char *network, const char *a, const char *b, char ret[WR_MARK_MAX]);
/* Reads a mark back. Returns false when it is none. ret_* buffers get the parts; b is empty where there is none. */
bool wr_name_read_mark(const char *mark, char ret_network[64], char ret_a[64], char ret_b[64]);
/* Whether mark is one of this network. NULL is none. */
bool wr_name_is_mark_of(const char *mark, const char *network);

/* Locally administered, unicast, a function of the four names. role: "" for the interface itself, "port" for the bridge's
 * end of its cable, "bridge" for a bridge. */
struct wr_mac wr_name_mac(const char *network, const char *a, const char *b, const char *role);
/* The link group of a network's links in the host: 0x57000000 with 24 bits of hash; never 0. */
uint32_t wr_name_group(const char *network);
/* Where a network's interface numbers in the host begin: 1,048,576 .. 2^30, a function of its name. */
uint32_t wr_name_first_ifindex(const char *network);
