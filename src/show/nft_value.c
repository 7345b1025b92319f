/* nft_value.c: constants in nft's words, by their type.
 *
 * Numbers are printed where nft takes both a number and a name, but for the few names that everybody knows. Of strings, nft
 * has no way to say one that holds a double quote; what is printed for such a one is for people. */
#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

#include "base/ip.h"
#include "show/nft_parts.h"

struct symbol {
	uint32_t value;
	const char *name;
};

static const struct symbol families[] = {{2, "ipv4"}, {10, "ipv6"}, {0, NULL}};
static const struct symbol ether_types[] = {{0x0800, "ip"}, {0x86dd, "ip6"}, {0x0806, "arp"}, {0, NULL}};
static const struct symbol protocols[] = {{1, "icmp"},	  {6, "tcp"},	 {17, "udp"}, {50, "esp"},
					  {58, "icmpv6"}, {132, "sctp"}, {0, NULL}};
static const struct symbol device_types[] = {{1, "ether"}, {772, "loopback"}, {0, NULL}};
static const struct symbol packet_types[] = {{0, "host"}, {1, "broadcast"}, {2, "multicast"}, {3, "other"}, {0, NULL}};
static const struct symbol states[] = {{1, "invalid"}, {2, "established"}, {4, "related"},
				       {8, "new"},     {64, "untracked"},  {0, NULL}};
static const struct symbol statuses[] = {{1, "expected"}, {2, "seen-reply"}, {4, "assured"}, {8, "confirmed"},
					 {16, "snat"},	  {32, "dnat"},	     {512, "dying"}, {0, NULL}};
static const struct symbol directions[] = {{0, "original"}, {1, "reply"}, {0, NULL}};
static const struct symbol address_types[] = {{1, "unicast"},	  {2, "local"},	    {3, "broadcast"},
					      {4, "anycast"},	  {5, "multicast"}, {6, "blackhole"},
					      {7, "unreachable"}, {8, "prohibit"},  {0, NULL}};
static const struct symbol answers[] = {{0, "missing"}, {1, "exists"}, {0, NULL}};
static const struct symbol flags[] = {{1, "fin"},  {2, "syn"},	{4, "rst"},   {8, "psh"}, {16, "ack"},
				      {32, "urg"}, {64, "ecn"}, {128, "cwr"}, {0, NULL}};

struct type_row {
	uint32_t type;
	uint32_t length; /* 0: any */
	bool host;	 /* host byte order */
	const char *name;
	const struct symbol *symbols; /* NULL: none */
};

static const struct type_row types[] = {
	{WR_NFT_TYPE_NFPROTO, 1, false, "nf_proto", families},
	{WR_NFT_TYPE_INTEGER, 0, false, "integer", NULL},
	{WR_NFT_TYPE_IP4, 4, false, "ipv4_addr", NULL},
	{WR_NFT_TYPE_IP6, 16, false, "ipv6_addr", NULL},
	{WR_NFT_TYPE_MAC, 6, false, "ether_addr", NULL},
	{WR_NFT_TYPE_ETHERTYPE, 2, false, "ether_type", ether_types},
	{WR_NFT_TYPE_ARPOP, 2, false, "arp_op", NULL},
	{WR_NFT_TYPE_PROTOCOL, 1, false, "inet_proto", protocols},
	{WR_NFT_TYPE_SERVICE, 2, false, "inet_service", NULL},
	{WR_NFT_TYPE_ICMP, 1, false, "icmp_type", NULL},
	{WR_NFT_TYPE_TCPFLAG, 1, false, "tcp_flag", flags},
	{WR_NFT_TYPE_TIME, 4, true, "time", NULL},
	{WR_NFT_TYPE_MARK, 4, true, "mark", NULL},
	{WR_NFT_TYPE_IFINDEX, 4, true, "iface_index", NULL},
	{WR_NFT_TYPE_ARPHRD, 2, true, "iface_type", device_types},
	{WR_NFT_TYPE_REALM, 4, true, "realm", NULL},
	{WR_NFT_TYPE_UID, 4, true, "uid", NULL},
	{WR_NFT_TYPE_GID, 4, true, "gid", NULL},
	{WR_NFT_TYPE_CTSTATE, 4, true, "ct_state", states},
	{WR_NFT_TYPE_CTDIR, 1, false, "ct_dir", directions},
	{WR_NFT_TYPE_CTSTATUS, 4, true, "ct_status", statuses},
	{WR_NFT_TYPE_ICMP6, 1, false, "icmpv6_type", NULL},
	{WR_NFT_TYPE_PKTTYPE, 1, false, "pkt_type", packet_types},
	{WR_NFT_TYPE_ICMPCODE, 1, false, "icmp_code", NULL},
	{WR_NFT_TYPE_ICMP6CODE, 1, false, "icmpv6_code", NULL},
	{WR_NFT_TYPE_DEVGROUP, 4, true, "devgroup", NULL},
	{WR_NFT_TYPE_FIBADDR, 4, true, "fib_addrtype", address_types},
	{WR_NFT_TYPE_BOOLEAN, 1, false, "boolean", answers},
	{WR_NFT_TYPE_IFNAME, IFNAMSIZ, true, "ifname", NULL},
	{WR_NFT_TYPE_HOST_INTEGER, 0, true, NULL, NULL},
};

static const struct type_row *find_type(uint32_t type)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (types[i].type == type)
			return &types[i];
	return NULL;
}

const char *wr_nft_type_name(uint32_t type)
{
	const struct type_row *row = find_type(type);

	return row ? row->name : NULL;
}

uint32_t wr_nft_type_length(uint32_t type)
{
	const struct type_row *row = find_type(type);

	return row ? row->length : 0;
}

size_t wr_nft_type_split(uint32_t type, uint32_t parts[WR_NFT_PARTS_MAX])
{
	uint32_t backwards[WR_NFT_PARTS_MAX];
	size_t count = 0;

	do {
		backwards[count++] = type & 63;
		type >>= 6;
	} while (type && count < WR_NFT_PARTS_MAX);
	for (size_t i = 0; i < count; i++)
		parts[i] = backwards[count - 1 - i];
	return count;
}

bool wr_show_nft_type(struct wr_text *text, uint32_t type)
{
	uint32_t parts[WR_NFT_PARTS_MAX];
	size_t count = wr_nft_type_split(type, parts);
	bool known = true;

	for (size_t i = 0; i < count; i++) {
		const char *name = wr_nft_type_name(parts[i]);

		if (i > 0)
			wr_text_add(text, " . ");
		wr_text_add(text, name ? name : "?");
		known = known && name;
	}
	return known;
}

/* --- strings ----------------------------------------------------------------------------------------------------------- */

bool wr_show_nft_quoted(struct wr_text *text, const char *string)
{
	struct wr_text shown WR_CLEANUP_TEXT = {0};
	bool exact;

	wr_text_add_escaped(&shown, string);
	exact = strcmp(wr_text_string(&shown), string) == 0 && strchr(string, '"') == NULL;
	wr_text_add_char(text, '"');
	for (size_t i = 0; i < shown.length; i++)
		wr_text_add_char(text, shown.bytes[i] != '"' ? shown.bytes[i] : '\'');
	wr_text_add_char(text, '"');
	if (wr_text_error(&shown) != 0)
		text->error = wr_text_error(&shown);
	return exact;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Words that nft takes for something else where a name is to stand. */
static const char *const reserved[] = {
	"accept", "add",  "ah",	   "arp",    "bridge",	"comp", "continue", "counter", "create",  "ct",	  "dccp",
	"delete", "drop", "dst",   "esp",    "ether",	"fib",	"flow",	    "frag",    "goto",	  "hbh",  "icmp",
	"icmpv6", "igmp", "inet",  "ip",     "ip6",	"jump", "limit",    "log",     "map",	  "meta", "mh",
	"netdev", "osf",  "quota", "reject", "return",	"rt",	"rule",	    "sctp",    "secmark", "set",  "synproxy",
	"table",  "tcp",  "th",	   "udp",    "udplite", "vlan", NULL,
};

bool wr_show_nft_name(struct wr_text *text, const char *name)
{
	bool plain = is_letter(name[0]);

	for (const char *c = name; *c != '\0'; c++)
		if (!is_letter(*c) && !(*c >= '0' && *c <= '9') && strchr("/-_.", *c) == NULL)
			plain = false;
	for (size_t i = 0; plain && reserved[i]; i++)
		plain = strcmp(name, reserved[i]) != 0;
	wr_text_add_escaped(text, name);
	return plain;
}

/* An interface's name, or the beginning of some: one without its 0 bytes. A star at the end is nft's own word for those. */
static bool add_ifname(struct wr_text *text, const uint8_t *bytes, uint32_t length)
{
	char name[IFNAMSIZ + 3];
	size_t n = strnlen((const char *)bytes, length < IFNAMSIZ ? length : IFNAMSIZ);
	bool exact = length <= IFNAMSIZ && n > 0;

	memcpy(name, bytes, n);
	if (n > 0 && name[n - 1] == '*') {
		exact = exact && memchr(name, '\\', n) == NULL;
		name[n - 1] = '\\';
		name[n++] = '*';
	}
	if (n == length || (n > length && length < IFNAMSIZ))
		name[n++] = '*';
	name[n] = '\0';
	return wr_show_nft_quoted(text, name) && exact;
}

/* --- numbers ----------------------------------------------------------------------------------------------------------- */

uint64_t wr_nft_number(uint32_t type, const uint8_t *bytes, uint32_t length)
{
	const struct type_row *row = find_type(type);
	bool host = row && row->host && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
	uint64_t number = 0;

	for (uint32_t i = 0; i < length && i < 8; i++)
		number = number << 8 | bytes[host ? length - 1 - i : i];
	return number;
}

void wr_show_nft_hex(struct wr_text *text, const uint8_t *bytes, uint32_t length)
{
	static const char digits[] = "0123456789abcdef";

	wr_text_add(text, "0x");
	for (uint32_t i = 0; i < length; i++) {
		wr_text_add_char(text, digits[bytes[i] >> 4]);
		wr_text_add_char(text, digits[bytes[i] & 15]);
	}
}

bool wr_nft_is_zero(const uint8_t *bytes, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

int wr_nft_mask_bits(const uint8_t *bytes, uint32_t length)
{
	uint32_t bits = 0;

	while (bits < 8 * length && (bytes[bits / 8] & 0x80 >> bits % 8) != 0)
		bits++;
	for (uint32_t i = bits; i < 8 * length; i++)
		if ((bytes[i / 8] & 0x80 >> i % 8) != 0)
			return -1;
	return (int)bits;
}

static const char *find_symbol(const struct symbol *symbols, uint64_t value)
{
	for (; symbols && symbols->name; symbols++)
		if (symbols->value == value)
			return symbols->name;
	return NULL;
}

static void add_ip(struct wr_text *text, uint32_t type, const uint8_t *bytes)
{
	struct wr_ip ip = {.family = type == WR_NFT_TYPE_IP4 ? AF_INET : AF_INET6};
	char buffer[WR_IP_TEXT_MAX];

	memcpy(ip.bytes, bytes, wr_nft_type_length(type));
	wr_text_add(text, wr_ip_format(&ip, buffer));
}

static void add_mac(struct wr_text *text, const uint8_t *bytes)
{
	char buffer[WR_MAC_TEXT_MAX];
	struct wr_mac mac;

	memcpy(mac.bytes, bytes, sizeof mac.bytes);
	wr_text_add(text, wr_mac_format(&mac, buffer));
}

bool wr_show_nft_value(struct wr_text *text, uint32_t type, const uint8_t *bytes, uint32_t length)
{
	const struct type_row *row = find_type(type);
	const char *symbol;

	if (type == WR_NFT_TYPE_IFNAME)
		return add_ifname(text, bytes, length);
	if (!row || length == 0 || (row->length != 0 && row->length != length)) {
		wr_show_nft_hex(text, bytes, length);
		return false;
	}
	if (type == WR_NFT_TYPE_IP4 || type == WR_NFT_TYPE_IP6) {
		add_ip(text, type, bytes);
		return true;
	}
	if (type == WR_NFT_TYPE_MAC) {
		add_mac(text, bytes);
		return true;
	}
	if (length > 8) {
		wr_show_nft_hex(text, bytes, length);
		return !row->host && length <= 16;
	}
	symbol = find_symbol(row->symbols, wr_nft_number(type, bytes, length));
	if (symbol)
		wr_text_add(text, symbol);
	else if (type == WR_NFT_TYPE_MARK || type == WR_NFT_TYPE_ETHERTYPE || type == WR_NFT_TYPE_DEVGROUP ||
		 (type == WR_NFT_TYPE_INTEGER && length > 2))
		wr_text_addf(text, "%#llx", (unsigned long long)wr_nft_number(type, bytes, length));
	else
		wr_text_add_uint(text, wr_nft_number(type, bytes, length));
	return true;
}

bool wr_show_nft_bits(struct wr_text *text, uint32_t type, const uint8_t *bytes, uint32_t length)
{
	const struct type_row *row = find_type(type);
	uint64_t left = wr_nft_number(type, bytes, length);
	size_t from = text->length;

	for (const struct symbol *symbol = row ? row->symbols : NULL; symbol && symbol->name; symbol++) {
		if ((left & symbol->value) == 0)
			continue;
		if (text->length > from)
			wr_text_add_char(text, ',');
		wr_text_add(text, symbol->name);
		left &= ~(uint64_t)symbol->value;
	}
	return left == 0 && text->length > from;
}

/* --- ranges -------------------------------------------------------------------------------------------------------------- */

void wr_show_nft_prefix(struct wr_text *text, uint32_t type, const uint8_t *bytes, uint32_t bits)
{
	uint8_t whole[16] = {0};

	memcpy(whole, bytes, (bits + 7) / 8 < sizeof whole ? (bits + 7) / 8 : sizeof whole);
	add_ip(text, type, whole);
	wr_text_add_char(text, '/');
	wr_text_add_uint(text, bits);
}

/* The length of the prefix that a range is; -1: none. */
static int prefix_length(const uint8_t *first, const uint8_t *last, uint32_t length)
{
	uint8_t mask[16];

	for (uint32_t i = 0; i < length; i++) {
		mask[i] = (uint8_t) ~(first[i] ^ last[i]);
		if ((first[i] & ~mask[i]) != 0)
			return -1;
	}
	return wr_nft_mask_bits(mask, length);
}

bool wr_show_nft_range(struct wr_text *text, uint32_t type, const uint8_t *first, const uint8_t *last, uint32_t length)
{
	bool is_ip = type == WR_NFT_TYPE_IP4 || type == WR_NFT_TYPE_IP6;
	bool said;
	int bits;

	if (memcmp(first, last, length) == 0)
		return wr_show_nft_value(text, type, first, length);
	bits = is_ip && length == wr_nft_type_length(type) ? prefix_length(first, last, length) : -1;
	if (bits >= 0) {
		wr_show_nft_prefix(text, type, first, (uint32_t)bits);
		return true;
	}
	said = wr_show_nft_value(text, type, first, length);
	wr_text_add_char(text, '-');
	/* The kernel compares bytes: what is in host order cannot be a range. */
	return wr_show_nft_value(text, type, last, length) && said && type != WR_NFT_TYPE_IFNAME;
}
