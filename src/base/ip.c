/* ip.c: addresses as 16 bytes and a family.
 *
 * Everything that depends on the family asks wr_ip_size or wr_ip_bits; the arithmetic runs over bytes in network order and
 * is the same for both. IPv4 is printed by hand: a large model prints hundreds of thousands of them. */
#include "base/ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

int wr_ip_parse(const char *text, struct wr_ip *ret)
{
	struct wr_ip ip = {0};

	ip.family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(ip.family, text, ip.bytes) != 1)
		return -EINVAL;
	*ret = ip;
	return 0;
}

/* A decimal number without sign or leading zeros, at most limit; -1: it is none. */
static int parse_length(const char *text, unsigned limit)
{
	unsigned number = 0;

	if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		number = number * 10 + (unsigned)(*text - '0');
		if (number > limit)
			return -1;
	}
	return (int)number;
}

int wr_prefix_parse(const char *text, struct wr_prefix *ret, bool *ret_has_length)
{
	const char *slash = strchr(text, '/');
	char address[WR_IP_TEXT_MAX];
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	struct wr_prefix prefix = {0};
	int length;

	if (n >= sizeof address)
		return -EINVAL;
	memcpy(address, text, n);
	address[n] = '\0';
	if (wr_ip_parse(address, &prefix.ip) < 0)
		return -EINVAL;
	length = slash ? parse_length(slash + 1, wr_ip_bits(&prefix.ip)) : (int)wr_ip_bits(&prefix.ip);
	if (length < 0)
		return -EINVAL;
	prefix.length = (uint8_t)length;
	*ret = prefix;
	if (ret_has_length)
		*ret_has_length = slash != NULL;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int wr_mac_parse(const char *text, struct wr_mac *ret)
{
	struct wr_mac mac;

	if (strlen(text) != WR_MAC_TEXT_MAX - 1 || (text[2] != ':' && text[2] != '-'))
		return -EINVAL;
	for (size_t i = 0; i < sizeof mac.bytes; i++) {
		int high = hex_digit(text[3 * i]), low = hex_digit(text[3 * i + 1]);

		if (high < 0 || low < 0 || (i > 0 && text[3 * i - 1] != text[2]))
			return -EINVAL;
		mac.bytes[i] = (uint8_t)(high << 4 | low);
	}
	*ret = mac;
	return 0;
}

/* Writes number (0..255) in decimal; returns behind it. */
static char *put_byte(char *p, unsigned number)
{
	if (number >= 100)
		*p++ = (char)('0' + number / 100);
	if (number >= 10)
		*p++ = (char)('0' + number / 10 % 10);
	*p++ = (char)('0' + number % 10);
	return p;
}

const char *wr_ip_format(const struct wr_ip *ip, char buffer[WR_IP_TEXT_MAX])
{
	char *p = buffer;

	if (ip->family == AF_INET6) {
		if (!inet_ntop(AF_INET6, ip->bytes, buffer, WR_IP_TEXT_MAX))
			buffer[0] = '\0'; /* not reached: the buffer holds the longest */
	} else if (ip->family == AF_INET) {
		for (size_t i = 0; i < 4; i++) {
			if (i)
				*p++ = '.';
			p = put_byte(p, ip->bytes[i]);
		}
		*p = '\0';
	} else {
		memcpy(buffer, "none", sizeof "none");
	}
	return buffer;
}

const char *wr_prefix_format(const struct wr_prefix *prefix, char buffer[WR_PREFIX_TEXT_MAX])
{
	char *p;

	wr_ip_format(&prefix->ip, buffer);
	p = buffer + strlen(buffer);
	*p++ = '/';
	*put_byte(p, prefix->length) = '\0';
	return buffer;
}

const char *wr_mac_format(const struct wr_mac *mac, char buffer[WR_MAC_TEXT_MAX])
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof mac->bytes; i++) {
		buffer[3 * i] = hex[mac->bytes[i] >> 4];
		buffer[3 * i + 1] = hex[mac->bytes[i] & 15];
		buffer[3 * i + 2] = ':';
	}
	buffer[WR_MAC_TEXT_MAX - 1] = '\0';
	return buffer;
}

unsigned wr_ip_bits(const struct wr_ip *ip)
{
	return 8 * (unsigned)wr_ip_size(ip);
}

size_t wr_ip_size(const struct wr_ip *ip)
{
	return ip->family == AF_INET ? 4 : ip->family == AF_INET6 ? 16 : 0;
}

bool wr_ip_equal(const struct wr_ip *a, const struct wr_ip *b)
{
	return wr_ip_compare(a, b) == 0;
}

int wr_ip_compare(const struct wr_ip *a, const struct wr_ip *b)
{
	size_t size_a = wr_ip_size(a), size_b = wr_ip_size(b);

	if (size_a != size_b)
		return size_a < size_b ? -1 : 1;
	return memcmp(a->bytes, b->bytes, size_a);
}

bool wr_ip_add(const struct wr_ip *ip, uint64_t number, struct wr_ip *ret)
{
	struct wr_ip sum = *ip;
	unsigned carry = 0;

	for (size_t i = wr_ip_size(ip); i-- > 0; number >>= 8) {
		unsigned byte = sum.bytes[i] + (unsigned)(number & 0xff) + carry;

		sum.bytes[i] = (uint8_t)byte;
		carry = byte >> 8;
	}
	if (carry || number)
		return false;
	*ret = sum;
	return true;
}

bool wr_ip_is_unspecified(const struct wr_ip *ip)
{
	static const uint8_t zero[16];

	return ip->family && memcmp(ip->bytes, zero, wr_ip_size(ip)) == 0;
}

bool wr_ip_is_multicast(const struct wr_ip *ip)
{
	return ip->family == AF_INET ? (ip->bytes[0] & 0xf0) == 0xe0 : ip->family == AF_INET6 && ip->bytes[0] == 0xff;
}

bool wr_ip_is_loopback(const struct wr_ip *ip)
{
	static const uint8_t one[16] = {[15] = 1};

	return ip->family == AF_INET ? ip->bytes[0] == 127 : ip->family == AF_INET6 && memcmp(ip->bytes, one, 16) == 0;
}

bool wr_ip_is_linklocal(const struct wr_ip *ip)
{
	if (ip->family == AF_INET)
		return ip->bytes[0] == 169 && ip->bytes[1] == 254;
	return ip->family == AF_INET6 && ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

bool wr_prefix_equal(const struct wr_prefix *a, const struct wr_prefix *b)
{
	return a->length == b->length && wr_ip_equal(&a->ip, &b->ip);
}

/* Whether the first length bits are the same. */
static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned length)
{
	unsigned whole = length / 8, rest = length % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

bool wr_prefix_contains(const struct wr_prefix *prefix, const struct wr_ip *ip)
{
	return ip->family && prefix->ip.family == ip->family && same_bits(prefix->ip.bytes, ip->bytes, prefix->length);
}

bool wr_prefix_overlaps(const struct wr_prefix *a, const struct wr_prefix *b)
{
	return a->length <= b->length ? wr_prefix_contains(a, &b->ip) : wr_prefix_contains(b, &a->ip);
}

/* The prefix's address with all host bits cleared or set. */
static struct wr_ip fill_host_bits(const struct wr_prefix *prefix, bool set)
{
	struct wr_ip ip = prefix->ip;

	for (size_t i = 0, size = wr_ip_size(&ip); i < size; i++) {
		unsigned before = (unsigned)i * 8;
		unsigned kept = prefix->length <= before       ? 0
				: prefix->length >= before + 8 ? 8
							       : prefix->length - before;
		uint8_t host = (uint8_t)(0xff >> kept);

		ip.bytes[i] = (uint8_t)(set ? ip.bytes[i] | host : ip.bytes[i] & ~host);
	}
	return ip;
}

struct wr_ip wr_prefix_network(const struct wr_prefix *prefix)
{
	return fill_host_bits(prefix, false);
}

struct wr_ip wr_prefix_last(const struct wr_prefix *prefix)
{
	return fill_host_bits(prefix, true);
}

bool wr_prefix_is_reserved(const struct wr_prefix *prefix, const struct wr_ip *ip)
{
	struct wr_ip network = wr_prefix_network(prefix), last;

	if (prefix->length + 1u >= wr_ip_bits(&prefix->ip))
		return false;
	if (wr_ip_equal(&network, ip))
		return true;
	last = wr_prefix_last(prefix);
	return prefix->ip.family == AF_INET && wr_ip_equal(&last, ip);
}

uint64_t wr_prefix_capacity(const struct wr_prefix *prefix)
{
	unsigned bits = wr_ip_bits(&prefix->ip), host_bits = bits - prefix->length;

	if (bits == 0)
		return 0;
	if (host_bits < 2)
		return UINT64_C(1) << host_bits;
	if (host_bits >= 64)
		return UINT64_MAX;
	return (UINT64_C(1) << host_bits) - (prefix->ip.family == AF_INET ? 2 : 1);
}
