/* firewall_read.c: tables of warren's read as what they do. See firewall_parts.h.
 *
 * The rules that every table has for itself are known by what nft says of them. One that says something else and has no comment
 * of ours was not written by warren. */
#include <netinet/in.h> /* before linux/in.h */

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "filter/filter.h"
#include "model/model.h"
#include "model/nft.h"
#include "show/firewall_parts.h"
#include "show/nft.h"

/* --- rules ---------------------------------------------------------------------------------------------------------------- */

struct structure {
	const char *chain; /* how its name begins */
	const char *nft;
	const char *words; /* NULL: nothing to say */
};

#define DNAT4(key, map) "meta nfproto ipv4 dnat ip to " key " map @" map
#define DNAT6(key, map) "meta nfproto ipv6 dnat ip6 to " key " map @" map
#define DENIED(version, field, port)                                                                                   \
	"update @denied" version " { " field " saddr . " field " daddr . meta l4proto . " port

static const struct structure structures[] = {
	/* a namespace */
	{"input", "iifname \"lo\" accept", "loopback"},
	{"output", "oifname \"lo\" accept", "loopback"},
	{"input", "ct state established,related accept", "answers"},
	{"output", "ct state established,related accept", "answers"},
	{"forward", "ct state established,related accept", "answers"},
	{"forward", "ct state established,related ct direction reply accept", "answers"},
	{"input", "meta nfproto ipv6 meta l4proto icmpv6 icmpv6 type @neighbours accept", "neighbour discovery"},
	{"output", "meta nfproto ipv6 meta l4proto icmpv6 icmpv6 type @neighbours accept", "neighbour discovery"},
	{"forward", "meta nfproto ipv6 meta l4proto icmpv6 icmpv6 type @neighbours accept", "neighbour discovery"},
	{"denied-", "drop", NULL},
	{"srcnat", "meta nfproto ipv4 oifname @nat4 masquerade", NULL},
	{"srcnat", "meta nfproto ipv6 oifname @nat6 masquerade", NULL},
	{"srcnat", "meta nfproto ipv4 snat ip to oifname map @snat4", NULL},
	{"srcnat", "meta nfproto ipv6 snat ip6 to oifname map @snat6", NULL},
	/* the host */
	{"dstnat", "fib daddr type != local return", NULL},
	{"output", "fib daddr type != local return", NULL},
	{"dstnat", "meta l4proto != @protocols return", NULL},
	{"output", "meta l4proto != @protocols return", NULL},
	{"dstnat", "meta nfproto ipv4 ip daddr 127.0.0.0/8 return", NULL},
	{"dstnat", "meta nfproto ipv6 ip6 daddr ::1 return", NULL},
	{"dstnat", DNAT4("iifname . meta l4proto . ip daddr . th dport", "publish4-in-at"), NULL},
	{"dstnat", DNAT6("iifname . meta l4proto . ip6 daddr . th dport", "publish6-in-at"), NULL},
	{"dstnat", DNAT4("iifname . meta l4proto . th dport", "publish4-in"), NULL},
	{"dstnat", DNAT6("iifname . meta l4proto . th dport", "publish6-in"), NULL},
	{"dstnat", DNAT4("meta l4proto . ip daddr . th dport", "publish4-at"), NULL},
	{"dstnat", DNAT6("meta l4proto . ip6 daddr . th dport", "publish6-at"), NULL},
	{"dstnat", DNAT4("meta l4proto . th dport", "publish4"), NULL},
	{"dstnat", DNAT6("meta l4proto . th dport", "publish6"), NULL},
	{"output", DNAT4("meta l4proto . ip daddr . th dport", "publish4-at"), NULL},
	{"output", DNAT6("meta l4proto . ip6 daddr . th dport", "publish6-at"), NULL},
	{"output", DNAT4("meta l4proto . th dport", "publish4"), NULL},
	{"output", DNAT6("meta l4proto . th dport", "publish6"), NULL},
	{"srcnat", "iifname . oifname @hairpin ct status dnat masquerade", NULL},
	{"srcnat", "oifname @own ct status dnat fib saddr type local masquerade", NULL},
	{"srcnat", "oifname @own iif 0 ct status dnat masquerade", NULL},
	{"srcnat", "meta nfproto ipv4 oifname != @own iifname @nat4 masquerade", NULL},
	{"srcnat", "meta nfproto ipv6 oifname != @own iifname @nat6 masquerade", NULL},
	{"srcnat", "meta nfproto ipv4 iifname . oifname @nat4-out masquerade", NULL},
	{"srcnat", "meta nfproto ipv6 iifname . oifname @nat6-out masquerade", NULL},
	{"srcnat", "meta nfproto ipv4 oifname != @own snat ip to iifname map @snat4", NULL},
	{"srcnat", "meta nfproto ipv6 oifname != @own snat ip6 to iifname map @snat6", NULL},
	{"srcnat", "meta nfproto ipv4 snat ip to iifname . oifname map @snat4-out", NULL},
	{"srcnat", "meta nfproto ipv6 snat ip6 to iifname . oifname map @snat6-out", NULL},
	{"forward", "oifname != @own accept", NULL},
	{"forward", "ct status dnat accept", NULL},
	{"forward", "iifname . oifname @within accept", NULL},
	{"forward", "iifname @own accept", NULL},
	{"forward", "oifname @routed accept", NULL},
	/* a guard */
	{"guard", "iifname != @guarded accept", NULL},
	{"guard",
	 "ether type arp @nh,0,32 0x10800 @nh,32,16 1540 iifname . arp saddr ether . arp saddr ip @arp-senders accept",
	 NULL},
	{"guard",
	 "meta protocol ip6 ip6 saddr :: meta l4proto icmpv6 icmpv6 type 135 iifname . @th,64,128 @targets accept",
	 NULL},
	{"guard", "meta protocol ip6 ip6 saddr :: meta l4proto icmpv6 icmpv6 type 143 accept", NULL},
	{"guard", "meta l4proto != 255 accept", NULL},
};

/* Beginnings, where what follows varies with the rule's place. */
static const struct structure beginnings[] = {
	{"denied-", "meta l4proto @ported meta nfproto ipv4 " DENIED("4", "ip", "th dport . "), NULL},
	{"denied-", "meta l4proto @ported meta nfproto ipv6 " DENIED("6", "ip6", "th dport . "), NULL},
	{"denied-", "meta l4proto != @ported meta nfproto ipv4 " DENIED("4", "ip", "0 . "), NULL},
	{"denied-", "meta l4proto != @ported meta nfproto ipv6 " DENIED("6", "ip6", "0 . "), NULL},
};

static const struct structure *find_structure(const struct wr_nft_table *table, const struct wr_nft_chain *chain,
					      const struct wr_nft_rule *rule)
{
	struct wr_text nft WR_CLEANUP_TEXT = {0};
	const char *said;

	if (!wr_show_nft_rule(table, rule, &nft))
		return NULL;
	said = wr_text_string(&nft);
	for (size_t i = 0; i < sizeof structures / sizeof *structures; i++)
		if (wr_text_starts(chain->name, structures[i].chain) && strcmp(said, structures[i].nft) == 0)
			return &structures[i];
	for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
		if (wr_text_starts(chain->name, beginnings[i].chain) && wr_text_starts(said, beginnings[i].nft))
			return &beginnings[i];
	return NULL;
}

/* A comment is ours where the rule does what it says. */
static bool does_what_it_says(const struct wr_nft_rule *rule)
{
	const struct wr_nft_expr *last = rule->n_exprs > 0 ? &rule->exprs[rule->n_exprs - 1] : NULL;
	bool has_verdict = last != NULL && last->kind == WR_NFT_immediate && last->dreg == NFT_REG_VERDICT;
	int32_t verdict = has_verdict ? last->immediate.verdict : NFT_CONTINUE;
	bool denies = verdict == NF_DROP || (verdict == NFT_GOTO && last->immediate.chain != NULL &&
					     wr_text_starts(last->immediate.chain, WR_FILTER_DENIED "-"));

	if (wr_text_starts(rule->comment, "accept "))
		return verdict == NF_ACCEPT;
	if (strcmp(rule->comment, "policy") == 0)
		return denies || verdict == NFT_CONTINUE;
	return denies;
}

void wr_rule_view(const struct wr_nft_table *table, const struct wr_nft_chain *chain, const struct wr_nft_rule *rule,
		  struct wr_rule_view *ret)
{
	const struct structure *structure = NULL;

	*ret = (struct wr_rule_view){.origin = WR_RULE_FOREIGN};
	for (size_t i = 0; i < rule->n_exprs; i++) {
		if (rule->exprs[i].kind != WR_NFT_counter)
			continue;
		ret->counted = true;
		ret->packets += rule->exprs[i].counter.packets;
		ret->bytes += rule->exprs[i].counter.bytes;
	}
	ret->words = rule->comment;
	if (table->network == NULL)
		return;
	if (rule->comment != NULL) {
		if (ret->counted && does_what_it_says(rule))
			ret->origin = WR_RULE_PHRASE;
		return;
	}
	structure = find_structure(table, chain, rule);
	if (structure != NULL) {
		ret->origin = WR_RULE_STRUCTURE;
		ret->words = structure->words;
	}
}

/* --- translation ---------------------------------------------------------------------------------------------------------- */

static void read_name(const uint8_t *bytes, char ret[16])
{
	memcpy(ret, bytes, 16);
	ret[15] = '\0';
}

static struct wr_ip read_ip(uint8_t family, const uint8_t *bytes)
{
	struct wr_ip ip = {.family = family};

	memcpy(ip.bytes, bytes, wr_ip_size(&ip));
	return ip;
}

bool wr_nat_view(const struct wr_nft_table *table, const struct wr_nft_set *set, const struct wr_nft_element *element,
		 struct wr_nat_view *ret)
{
	static const struct {
		const char *name;
		uint8_t family;
		bool narrowed, written;
	} forms[] = {
		{"nat4", AF_INET, false, false},    {"nat6", AF_INET6, false, false},
		{"nat4-out", AF_INET, true, false}, {"nat6-out", AF_INET6, true, false},
		{"snat4", AF_INET, false, true},    {"snat6", AF_INET6, false, true},
		{"snat4-out", AF_INET, true, true}, {"snat6-out", AF_INET6, true, true},
	};
	bool is_host = table->ns != NULL && table->ns->is_host;

	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		uint32_t size = forms[i].family == AF_INET ? 4 : 16;

		if (strcmp(set->name, forms[i].name) != 0)
			continue;
		if (element->key == NULL || set->key_length != (forms[i].narrowed ? 32 : 16) ||
		    forms[i].written != (element->data != NULL && set->data_length == size))
			return false;
		*ret = (struct wr_nat_view){.family = forms[i].family};
		read_name(element->key, is_host ? ret->in : ret->out);
		if (forms[i].narrowed)
			read_name(element->key + 16, ret->out);
		if (forms[i].written)
			ret->address = read_ip(forms[i].family, element->data);
		return true;
	}
	return false;
}

bool wr_set_interfaces(const struct wr_nft_table *table, const char *set, bool (*add)(const char *ifname, void *data),
		       void *data)
{
	const struct wr_nft_set *found = wr_nft_find_set(table, set);
	char name[16], last[16] = "";
	bool any = false;

	for (size_t i = 0; found != NULL && i < found->n_elements; i++) {
		if (found->elements[i].key == NULL || found->key_length < sizeof name)
			continue;
		read_name(found->elements[i].key, name);
		if (any && strcmp(name, last) == 0)
			continue;
		memcpy(last, name, sizeof last);
		any = add(name, data) || any;
	}
	return any;
}

/* --- denials ---------------------------------------------------------------------------------------------------------------- */

static bool read_denied(const struct wr_nft_set *set, const struct wr_nft_element *element, uint8_t family,
			struct wr_denied_view *ret)
{
	uint32_t size = family == AF_INET ? 4 : 16, hook;
	uint64_t timeout = element->timeout_ms != 0 ? element->timeout_ms : set->timeout_ms;
	const uint8_t *at = element->key;

	if (at == NULL || set->key_length != 2 * size + 12)
		return false;
	*ret = (struct wr_denied_view){.from = read_ip(family, at), .to = read_ip(family, at + size)};
	at += (size_t)2 * size;
	ret->protocol = at[0];
	ret->port = (uint16_t)(at[4] << 8 | at[5]);
	memcpy(&hook, at + 8, sizeof hook);
	if (hook >= WR_FIREWALL_HOOKS_)
		return false;
	ret->hook = (enum wr_firewall_hook)hook;
	ret->ago_ms = element->expires_ms < timeout ? timeout - element->expires_ms : 0;
	ret->counted = element->counted;
	ret->packets = element->packets;
	ret->bytes = element->bytes;
	return true;
}

static int compare_denied(const void *a, const void *b)
{
	const struct wr_denied_view *one = a, *other = b;

	if (one->ago_ms != other->ago_ms)
		return one->ago_ms < other->ago_ms ? -1 : 1;
	return wr_ip_compare(&one->from, &other->from);
}

int wr_denied_views(const struct wr_nft_table *table, struct wr_denied_view **ret, size_t *ret_count)
{
	const struct wr_nft_set *sets[] = {wr_nft_find_set(table, WR_FILTER_DENIED "4"),
					   wr_nft_find_set(table, WR_FILTER_DENIED "6")};
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct wr_denied_view *list;
	size_t count = 0;

	for (size_t i = 0; i < 2; i++)
		count += sets[i] != NULL ? sets[i]->n_elements : 0;
	list = calloc(count + 1, sizeof *list);
	if (list == NULL)
		return -ENOMEM;
	count = 0;
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; sets[i] != NULL && k < sets[i]->n_elements; k++)
			if (read_denied(sets[i], &sets[i]->elements[k], families[i], &list[count]))
				count++;
	qsort(list, count, sizeof *list, compare_denied);
	*ret = list;
	*ret_count = count;
	return 0;
}

/* --- names ------------------------------------------------------------------------------------------------------------------ */

const char *wr_hosts_name(const char *hosts, const struct wr_ip *ip, size_t *ret_length)
{
	char address[WR_IP_TEXT_MAX];
	size_t length;

	wr_ip_format(ip, address);
	length = strlen(address);
	for (const char *line = hosts; line != NULL && *line != '\0';) {
		const char *end = strchrnul(line, '\n'), *name = line + length;

		if (strncmp(line, address, length) == 0 && (*name == ' ' || *name == '\t')) {
			name += strspn(name, " \t");
			*ret_length = strcspn(name, " \t\n");
			return *ret_length > 0 ? name : NULL;
		}
		line = *end != '\0' ? end + 1 : end;
	}
	return NULL;
}

const char *wr_protocol_name(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_SCTP:
		return "sctp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmpv6";
	}
	return NULL;
}

const char *wr_firewall_hook_name(enum wr_firewall_hook hook)
{
	static const char *const names[WR_FIREWALL_HOOKS_] = {"input", "output", "forward"};

	return names[hook];
}
