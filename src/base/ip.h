/* ip.h: IP addresses, prefixes and MAC addresses as plain values.
 *
 * Shape:     16 bytes and a family; IPv4 in the first four. All in network byte order.
 * Errors:    parsers return 0 or -EINVAL and leave the result untouched on failure.
 * Source:    RFC 4291, RFC 5952 (IPv6 text, through inet_ntop(3)), IEEE 802-2014 (locally administered MACs). */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wr_ip {
	uint8_t family;	   /* AF_INET, AF_INET6, or 0 for "none" */
	uint8_t bytes[16]; /* the address; unused bytes are 0 */
};

struct wr_prefix {
	struct wr_ip ip; /* with its host bits as written */
	uint8_t length;	 /* 0..32 or 0..128 */
};

struct wr_mac {
	uint8_t bytes[6];
};

#define WR_IP_TEXT_MAX	   46 /* with the 0 byte */
#define WR_PREFIX_TEXT_MAX 50
#define WR_MAC_TEXT_MAX	   18

int wr_ip_parse(const char *text, struct wr_ip *ret);
/* "ADDRESS/LENGTH"; without a length: *ret_has_length false and the full length (32, 128). ret_has_length may be NULL. */
int wr_prefix_parse(const char *text, struct wr_prefix *ret, bool *ret_has_length);
int wr_mac_parse(const char *text, struct wr_mac *ret); /* "02:00:00:00:03:0a"; also with '-' */

const char *wr_ip_format(const struct wr_ip *ip, char buffer[WR_IP_TEXT_MAX]); /* returns buffer */
const char *wr_prefix_format(const struct wr_prefix *prefix, char buffer[WR_PREFIX_TEXT_MAX]);
const char *wr_mac_format(const struct wr_mac *mac, char buffer[WR_MAC_TEXT_MAX]);

unsigned wr_ip_bits(const struct wr_ip *ip); /* 32 or 128; 0 for none */
size_t wr_ip_size(const struct wr_ip *ip);   /* 4 or 16 bytes; 0 for none */
bool wr_ip_equal(const struct wr_ip *a, const struct wr_ip *b);
int wr_ip_compare(const struct wr_ip *a, const struct wr_ip *b); /* <0, 0, >0; IPv4 before IPv6 */
/* ip + number; false on overflow of the family's range, *ret then untouched. */
bool wr_ip_add(const struct wr_ip *ip, uint64_t number, struct wr_ip *ret);
bool wr_ip_is_unspecified(const struct wr_ip *ip);
bool wr_ip_is_multicast(const struct wr_ip *ip);
bool wr_ip_is_loopback(const struct wr_ip *ip);
bool wr_ip_is_linklocal(const struct wr_ip *ip); /* fe80::/10, 169.254.0.0/16 */

bool wr_prefix_equal(const struct wr_prefix *a, const struct wr_prefix *b); /* same address and length */
bool wr_prefix_contains(const struct wr_prefix *prefix, const struct wr_ip *ip);
bool wr_prefix_overlaps(const struct wr_prefix *a, const struct wr_prefix *b);
struct wr_ip wr_prefix_network(const struct wr_prefix *prefix); /* host bits cleared */
struct wr_ip wr_prefix_last(const struct wr_prefix *prefix);	/* host bits set: IPv4's broadcast */
/* Whether ip is the network or the broadcast address of an IPv4 prefix shorter than /31, or the subnet-router anycast
 * address of an IPv6 prefix shorter than /127. */
bool wr_prefix_is_reserved(const struct wr_prefix *prefix, const struct wr_ip *ip);
/* Usable host addresses, saturated at UINT64_MAX. */
uint64_t wr_prefix_capacity(const struct wr_prefix *prefix);
