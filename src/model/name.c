/* name.c: names, marks, MACs and numbers from the parts of a network's name.
 *
 * All of it must come out the same in every version: what one version made, the next one must find. A hash runs over the
 * parts with their 0 bytes, so that no two lists of parts look alike. */
#include "model/name.h"

#include <stdio.h>
#include <string.h>

#include "base/map.h"

#define NAME_MAX_BYTES	 63
#define IFNAME_MAX_BYTES 15
#define HASH_LETTERS	 13 /* 36^13 > 2^64 */

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool name_is_valid(const char *name, size_t length)
{
	if (length < 1 || length > NAME_MAX_BYTES || !is_alnum(name[0]))
		return false;
	for (size_t i = 1; i < length; i++) {
		if (!is_alnum(name[i]) && name[i] != '-' && name[i] != '_')
			return false;
	}
	return true;
}

bool wr_name_is_valid(const char *name)
{
	return name_is_valid(name, strnlen(name, NAME_MAX_BYTES + 1));
}

bool wr_ifname_is_valid(const char *name)
{
	size_t length = strnlen(name, IFNAME_MAX_BYTES + 1);

	if (length < 1 || length > IFNAME_MAX_BYTES || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	/* They would be directories beside those of the same names under /proc/sys/net/ipv4/conf; the kernel refuses them. */
	if (strcmp(name, "all") == 0 || strcmp(name, "default") == 0)
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)name[i];

		/* The kernel's isspace() counts 0xa0 in. */
		if (c <= 0x20 || c == 0x7f || c == 0xa0 || c == '/' || c == ':' || c == '%')
			return false;
	}
	return true;
}

/* One hash of up to four parts; NULL counts as empty, which no part is. */
static uint64_t hash_parts(const char *network, const char *a, const char *b, const char *role)
{
	const char *parts[] = {network, a ? a : "", b ? b : "", role};
	uint64_t hash = 0;

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		hash = wr_hash(parts[i], strlen(parts[i]) + 1, hash);
	return hash;
}

/* The hash in letters and digits, without a 0 byte. */
static void put_hash(uint64_t hash, char ret[HASH_LETTERS])
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";

	for (size_t i = HASH_LETTERS; i-- > 0; hash /= 36)
		ret[i] = digits[hash % 36];
}

/* Appends part to the text of *length bytes in ret, of which limit may be used. False: it does not fit. */
static bool append(char *ret, size_t limit, size_t *length, const char *part)
{
	size_t more = strlen(part);

	if (more > limit - *length)
		return false;
	memcpy(ret + *length, part, more + 1);
	*length += more;
	return true;
}

/* The readable form of an interface's name. '-' joins the parts, so none may hold one: "a-b" and "c" would be "a" and "b-c". */
static bool plain_host_link(const char *prefix, const char *a, const char *b, char ret[16])
{
	size_t length = 0;

	if (strchr(a, '-') || (b && strchr(b, '-')))
		return false;
	if (!append(ret, IFNAME_MAX_BYTES, &length, prefix) || !append(ret, IFNAME_MAX_BYTES, &length, a))
		return false;
	if (b && (!append(ret, IFNAME_MAX_BYTES, &length, "-") || !append(ret, IFNAME_MAX_BYTES, &length, b)))
		return false;
	return wr_ifname_is_valid(ret);
}

void wr_name_host_link(const char *network, const char *prefix, const char *a, const char *b, char ret[16])
{
	if (plain_host_link(prefix, a, b, ret))
		return;
	memcpy(ret, "wr", 2);
	put_hash(hash_parts(network, a, b, "link"), ret + 2);
	ret[2 + HASH_LETTERS] = '\0';
}

void wr_name_altname(const char *network, const char *a, const char *b, char ret[128])
{
	char whole[WR_MARK_MAX];
	size_t keep = 127 - HASH_LETTERS - 1;
	int length = snprintf(whole, sizeof whole, b ? "%s.%s.%s" : "%s.%s", network, a, b);

	if (length <= 127) {
		memcpy(ret, whole, (size_t)length + 1);
		return;
	}
	while (((unsigned char)whole[keep] & 0xc0) == 0x80) /* not within a character */
		keep--;
	memcpy(ret, whole, keep);
	ret[keep] = '.';
	put_hash(hash_parts(network, a, b, "altname"), ret + keep + 1);
	ret[keep + 1 + HASH_LETTERS] = '\0';
}

void wr_name_mark(const char *network, const char *a, const char *b, char ret[WR_MARK_MAX])
{
	size_t length = 0;
	bool fits = append(ret, WR_MARK_MAX - 1, &length, WR_MARK) && append(ret, WR_MARK_MAX - 1, &length, network) &&
		    append(ret, WR_MARK_MAX - 1, &length, ".") && append(ret, WR_MARK_MAX - 1, &length, a);

	if (fits && b && append(ret, WR_MARK_MAX - 1, &length, "."))
		append(ret, WR_MARK_MAX - 1, &length, b);
}

/* Copies the valid name that ends at end into ret. */
static bool take_name(const char *begin, const char *end, char ret[64])
{
	size_t length = (size_t)(end - begin);

	if (!name_is_valid(begin, length))
		return false;
	memcpy(ret, begin, length);
	ret[length] = '\0';
	return true;
}

bool wr_name_read_mark(const char *mark, char ret_network[64], char ret_a[64], char ret_b[64])
{
	const char *network, *a, *b, *dot;
	char read_network[64], read_a[64];

	if (!mark || strncmp(mark, WR_MARK, sizeof WR_MARK - 1) != 0)
		return false;
	network = mark + sizeof WR_MARK - 1;
	dot = strchr(network, '.');
	if (!dot || !take_name(network, dot, read_network))
		return false;
	a = dot + 1;
	dot = strchr(a, '.');
	b = dot ? dot + 1 : "";
	if (!take_name(a, dot ? dot : a + strlen(a), read_a) || (dot && !wr_ifname_is_valid(b)))
		return false;
	memcpy(ret_network, read_network, sizeof read_network);
	memcpy(ret_a, read_a, sizeof read_a);
	memcpy(ret_b, b, strlen(b) + 1);
	return true;
}

bool wr_name_is_mark_of(const char *mark, const char *network)
{
	char its_network[64], a[64], b[64];

	return wr_name_read_mark(mark, its_network, a, b) && strcmp(its_network, network) == 0;
}

struct wr_mac wr_name_mac(const char *network, const char *a, const char *b, const char *role)
{
	uint64_t hash = hash_parts(network, a, b, role);
	struct wr_mac mac;

	for (size_t i = 0; i < sizeof mac.bytes; i++)
		mac.bytes[i] = (uint8_t)(hash >> 8 * i);
	mac.bytes[0] = (uint8_t)((mac.bytes[0] & 0xfc) | 0x02);
	return mac;
}

uint32_t wr_name_group(const char *network)
{
	return UINT32_C(0x57000000) | (uint32_t)(hash_parts(network, NULL, NULL, "group") & 0xffffff);
}

uint32_t wr_name_first_ifindex(const char *network)
{
	uint32_t least = UINT32_C(1) << 20, most = UINT32_C(1) << 30;

	return least + (uint32_t)(hash_parts(network, NULL, NULL, "ifindex") % (most - least + 1));
}
