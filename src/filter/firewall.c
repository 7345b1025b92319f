/* firewall.c: the table of a namespace: its firewall, and its own translation.
 *
 * Each phrase is a rule, with its text as comment ("accept tcp 80", "deny any from 10.0.0.9"); one for each family where
 * addresses or ICMP are in it, both with the same comment. Its ports and addresses are sets, so that one more is an element.
 * What is dropped goes on to the chain denied-HOOK where `log` is true, which keeps who it was and drops it.
 *
 *   chain input { type filter hook input priority filter; policy drop;
 *     iifname "lo" accept
 *     ct state established,related accept
 *     icmpv6 type @neighbours accept
 *     ct state invalid counter drop                                     "invalid"; only under policy drop
 *     [deny and accept]
 *     counter                                                           "policy"
 *   }
 *   set denied4 { type ipv4_addr . ipv4_addr . inet_proto . inet_service . mark; }   # from, to, port or 0, hook */
#include <netinet/in.h> /* before linux/in.h */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "filter/filter.h"
#include "filter/make.h"
#include "filter/parts.h"
#include "model/model.h"

#define DENIED_SIZE	  4096
#define DENIED_TIMEOUT_MS 3600000
#define COMMENT_MAX	  100 /* of a phrase's text */
#define NAME_MAX_	  64  /* "forward-18446744073709551615-from4" */
#define CONNTRACK_ANSWER  (NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED))

static const uint8_t address_type[WR_FILTER_FAMILIES] = {WR_NFT_TYPE_IP4, WR_NFT_TYPE_IP6};
static const char *const denied_sets[WR_FILTER_FAMILIES] = {WR_FILTER_DENIED "4", WR_FILTER_DENIED "6"};

struct hook {
	const char *name, *denied;
	uint32_t number;
	uint32_t loopback; /* NFT_META_*, where lo is named; 0: it does not pass here */
};
static const struct hook hooks[WR_FIREWALL_HOOKS_] = {
	[WR_FIREWALL_INPUT] = {"input", "denied-input", NF_INET_LOCAL_IN, NFT_META_IIFNAME},
	[WR_FIREWALL_OUTPUT] = {"output", "denied-output", NF_INET_LOCAL_OUT, NFT_META_OIFNAME},
	[WR_FIREWALL_FORWARD] = {"forward", "denied-forward", NF_INET_FORWARD, 0},
};

/* --- sets of a phrase ------------------------------------------------------------------------------------------------------------- */

enum part { PORTS, FROM, TO };

static const char *set_name(const struct hook *hook, size_t number, enum part part, size_t family,
			    char buffer[NAME_MAX_])
{
	static const char *const parts[][WR_FILTER_FAMILIES] = {
		[PORTS] = {"ports", "ports"}, [FROM] = {"from4", "from6"}, [TO] = {"to4", "to6"}};

	snprintf(buffer, NAME_MAX_, "%s-%zu-%s", hook->name, number, parts[part][family]);
	return buffer;
}

static void make_ports(struct wr_maker *maker, const struct hook *hook, size_t number, const struct wr_phrase *phrase)
{
	static const uint8_t types[] = {WR_NFT_TYPE_SERVICE, 0};
	char name[NAME_MAX_];
	bool ranges = false;

	for (size_t i = 0; i < phrase->n_ports; i++)
		ranges |= phrase->ports[i].first != phrase->ports[i].last;
	wr_make_set(maker, set_name(hook, number, PORTS, 0, name), ranges ? NFT_SET_INTERVAL : 0, types, NULL);
	for (size_t i = 0; i < phrase->n_ports; i++) {
		struct wr_key first = {0}, end = {0};

		wr_key_port(&first, phrase->ports[i].first);
		wr_make_element(maker, &first, NULL);
		/* The last interval may be open. */
		if (!ranges || phrase->ports[i].last == UINT16_MAX)
			continue;
		wr_key_port(&end, (uint16_t)(phrase->ports[i].last + 1));
		wr_make_end(maker, &end);
	}
}

static size_t count_prefixes(const struct wr_prefix *prefixes, size_t n, size_t family, bool *ret_ranges)
{
	size_t count = 0;

	*ret_ranges = false;
	for (size_t i = 0; i < n; i++) {
		if (prefixes[i].ip.family != wr_filter_af[family])
			continue;
		count++;
		*ret_ranges |= prefixes[i].length != wr_ip_bits(&prefixes[i].ip);
	}
	return count;
}

static bool is_of(const struct wr_prefix *prefix, size_t family)
{
	return prefix->ip.family == wr_filter_af[family];
}

/* prefixes[i] and those behind it that touch it, as one interval. Returns the index behind them. */
static size_t join(const struct wr_prefix *prefixes, size_t n, size_t i, struct wr_ip *ret_end, bool *ret_open)
{
	size_t family = prefixes[i].ip.family == AF_INET6;
	struct wr_ip last = wr_prefix_last(&prefixes[i]);

	for (;;) {
		struct wr_ip next;

		*ret_open = !wr_ip_add(&last, 1, ret_end);
		i++;
		if (i >= n || *ret_open || !is_of(&prefixes[i], family))
			return i;
		next = wr_prefix_network(&prefixes[i]);
		if (!wr_ip_equal(&next, ret_end))
			return i;
		last = wr_prefix_last(&prefixes[i]);
	}
}

/* The prefixes of one family, which are in order and do not overlap. */
static void make_intervals(struct wr_maker *maker, const struct wr_prefix *prefixes, size_t n, size_t family)
{
	for (size_t i = 0; i < n;) {
		struct wr_ip first = wr_prefix_network(&prefixes[i]), end;
		struct wr_key key = {0}, end_key = {0};
		bool open;

		if (!is_of(&prefixes[i], family)) {
			i++;
			continue;
		}
		i = join(prefixes, n, i, &end, &open);
		wr_key_ip(&key, &first);
		wr_make_element(maker, &key, NULL);
		if (open)
			continue;
		wr_key_ip(&end_key, &end);
		wr_make_end(maker, &end_key);
	}
}

/* One side of a phrase. Returns whether a packet of the family can match it. */
static bool make_side(struct wr_maker *maker, const char *name, const struct wr_prefix *prefixes, size_t n,
		      size_t family)
{
	const uint8_t types[] = {address_type[family], 0};
	bool ranges;

	if (!n)
		return true;
	if (!count_prefixes(prefixes, n, family, &ranges))
		return false;
	wr_make_set(maker, name, ranges ? NFT_SET_INTERVAL : 0, types, NULL);
	if (ranges) {
		make_intervals(maker, prefixes, n, family);
		return true;
	}
	for (size_t i = 0; i < n; i++) {
		struct wr_key key = {0};

		if (!is_of(&prefixes[i], family))
			continue;
		wr_key_ip(&key, &prefixes[i].ip);
		wr_make_element(maker, &key, NULL);
	}
	return true;
}

/* Whether the phrase can match a packet of the family at all. */
static bool has_family(const struct wr_phrase *phrase, size_t family)
{
	bool ranges;

	return (!phrase->n_from_prefixes ||
		count_prefixes(phrase->from_prefixes, phrase->n_from_prefixes, family, &ranges)) &&
	       (!phrase->n_to_prefixes || count_prefixes(phrase->to_prefixes, phrase->n_to_prefixes, family, &ranges));
}

/* Addresses are of one family or the other. */
static bool has_addresses(const struct wr_phrase *phrase)
{
	return phrase->n_from_prefixes || phrase->n_to_prefixes;
}

static void make_phrase_sets(struct wr_maker *maker, const struct hook *hook, size_t number,
			     const struct wr_phrase *phrase)
{
	char name[NAME_MAX_];

	if (phrase->n_ports)
		make_ports(maker, hook, number, phrase);
	for (size_t family = 0; family < WR_FILTER_FAMILIES; family++) {
		if (!has_family(phrase, family))
			continue;
		make_side(maker, set_name(hook, number, FROM, family, name), phrase->from_prefixes,
			  phrase->n_from_prefixes, family);
		make_side(maker, set_name(hook, number, TO, family, name), phrase->to_prefixes, phrase->n_to_prefixes,
			  family);
	}
}

/* --- rules of a phrase -------------------------------------------------------------------------------------------------------------- */

static void drop_or_keep(struct wr_maker *maker, const struct hook *hook, bool log)
{
	if (log)
		wr_verdict(maker, NFT_GOTO, hook->denied);
	else
		wr_verdict(maker, NF_DROP, NULL);
}

static void match_set(struct wr_maker *maker, const struct hook *hook, size_t number, enum part part, size_t family)
{
	char buffer[NAME_MAX_];
	const char *name = wr_arena_strdup(maker->arena, set_name(hook, number, part, family, buffer));

	if (!name)
		maker->failed = true;
	wr_lookup(maker, name, 0, false);
}

/* The kernel's tools take 128 bytes of comment. A long list of addresses is cut between two of them, so that one more
 * leaves the rule as it is. */
static const char *comment_of(struct wr_maker *maker, const struct wr_phrase *phrase)
{
	const char *word = phrase->deny ? "deny" : "accept", *comment;
	int length = (int)strlen(phrase->text);

	if (length > COMMENT_MAX) {
		for (length = COMMENT_MAX; length > 0 && phrase->text[length] != ' ';)
			length--;
		comment = wr_arena_printf(maker->arena, "%s %.*s ...", word, length, phrase->text);
	} else {
		comment = wr_arena_printf(maker->arena, "%s %s", word, phrase->text);
	}
	if (!comment)
		maker->failed = true;
	return comment;
}

/* family counts where the phrase needs one. */
static void make_phrase_rule(struct wr_maker *maker, const struct hook *hook, size_t number,
			     const struct wr_phrase *phrase, size_t family, bool log)
{
	wr_make_rule(maker);
	if (phrase->protocol == IPPROTO_ICMP)
		wr_match_protocol(maker, family ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	else if (phrase->protocol)
		wr_match_protocol(maker, phrase->protocol);
	if (phrase->n_ports) {
		wr_load_dport(maker, 0);
		match_set(maker, hook, number, PORTS, 0);
	}
	if (has_addresses(phrase))
		wr_match_family(maker, wr_filter_nfproto[family]);
	if (phrase->n_from_prefixes) {
		wr_load_saddr(maker, wr_filter_nfproto[family], 0);
		match_set(maker, hook, number, FROM, family);
	}
	if (phrase->n_to_prefixes) {
		wr_load_daddr(maker, wr_filter_nfproto[family], 0);
		match_set(maker, hook, number, TO, family);
	}
	wr_count(maker);
	if (phrase->deny)
		drop_or_keep(maker, hook, log);
	else
		wr_verdict(maker, NF_ACCEPT, NULL);
	wr_comment(maker, comment_of(maker, phrase));
}

static void make_phrase_rules(struct wr_maker *maker, const struct hook *hook, size_t number,
			      const struct wr_phrase *phrase, bool log)
{
	if (!has_addresses(phrase) && phrase->protocol != IPPROTO_ICMP) {
		make_phrase_rule(maker, hook, number, phrase, 0, log);
		return;
	}
	for (size_t family = 0; family < WR_FILTER_FAMILIES; family++)
		if (has_family(phrase, family))
			make_phrase_rule(maker, hook, number, phrase, family, log);
}

/* --- a hook --------------------------------------------------------------------------------------------------------------------------- */

static void make_neighbours(struct wr_maker *maker)
{
	/* Listener messages 130-132, 143: without them a switch that snoops sends no neighbour discovery this way. */
	static const uint8_t types[] = {130, 131, 132, 135, 136, 143}, type[] = {WR_NFT_TYPE_ICMP6, 0};

	wr_make_set(maker, "neighbours", 0, type, NULL);
	for (size_t i = 0; i < sizeof types; i++) {
		struct wr_key key = {0};

		wr_key_byte(&key, types[i]);
		wr_make_element(maker, &key, NULL);
	}
}

static void make_loopback_rule(struct wr_maker *maker, const struct hook *hook)
{
	static const char lo[16] = "lo";

	wr_make_rule(maker);
	wr_load_meta(maker, hook->loopback, 0);
	wr_compare(maker, NFT_CMP_EQ, 0, lo, sizeof lo);
	wr_verdict(maker, NF_ACCEPT, NULL);
}

static void make_neighbours_rule(struct wr_maker *maker)
{
	wr_make_rule(maker);
	wr_match_family(maker, NFPROTO_IPV6);
	wr_match_protocol(maker, IPPROTO_ICMPV6);
	wr_load_payload(maker, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, 0);
	wr_lookup(maker, "neighbours", 0, false);
	wr_verdict(maker, NF_ACCEPT, NULL);
}

/* What always passes. */
static void make_head(struct wr_maker *maker, const struct hook *hook, const struct wr_firewall *firewall)
{
	if (hook->loopback)
		make_loopback_rule(maker, hook);
	wr_make_rule(maker);
	wr_match_state(maker, CONNTRACK_ANSWER);
	wr_verdict(maker, NF_ACCEPT, NULL);
	/* No router forwards these. */
	if (hook->loopback)
		make_neighbours_rule(maker);
	if (!firewall->drop)
		return;
	/* A phrase opens connections; what belongs to none is not let in by it. */
	wr_make_rule(maker);
	wr_match_state(maker, NF_CT_STATE_INVALID_BIT);
	wr_count(maker);
	drop_or_keep(maker, hook, firewall->log);
	wr_comment(maker, "invalid");
}

static void make_hook(struct wr_maker *maker, const struct hook *hook, const struct wr_firewall *firewall)
{
	wr_make_base(maker, hook->name, "filter", hook->number, 0, firewall->drop ? NF_DROP : NF_ACCEPT);
	make_head(maker, hook, firewall);
	for (size_t i = 0; i < firewall->n_phrases; i++)
		make_phrase_rules(maker, hook, i + 1, &firewall->phrases[i], firewall->log);
	wr_make_rule(maker);
	wr_count(maker);
	if (firewall->drop && firewall->log)
		drop_or_keep(maker, hook, true);
	wr_comment(maker, "policy");
}

/* --- who was denied -------------------------------------------------------------------------------------------------------------------- */

static void make_denied_set(struct wr_maker *maker, size_t family)
{
	const uint8_t types[] = {address_type[family], address_type[family], WR_NFT_TYPE_PROTOCOL,
				 WR_NFT_TYPE_SERVICE,  WR_NFT_TYPE_MARK,     0};

	wr_make_set(maker, denied_sets[family], NFT_SET_EVAL | NFT_SET_TIMEOUT, types, NULL);
	if (maker->failed)
		return;
	maker->set->size = DENIED_SIZE;
	maker->set->timeout_ms = DENIED_TIMEOUT_MS;
	maker->set->kept_apart = true;
}

/* update @denied { saddr . daddr . l4proto . dport . hook }; a packet without a port says 0. When the set is full the rule
 * ends, and the packet goes on to the next. */
static void make_denied_rule(struct wr_maker *maker, enum wr_firewall_hook hook, size_t family, bool ported)
{
	unsigned reg = 0, words = family ? 4 : 1;
	uint32_t number = (uint32_t)hook;
	uint16_t none = 0;
	struct wr_nft_expr *expr;

	wr_make_rule(maker);
	wr_load_meta(maker, NFT_META_L4PROTO, 0);
	wr_lookup(maker, "ported", 0, !ported);
	wr_match_family(maker, wr_filter_nfproto[family]);
	wr_load_saddr(maker, wr_filter_nfproto[family], reg);
	wr_load_daddr(maker, wr_filter_nfproto[family], reg += words);
	wr_load_meta(maker, NFT_META_L4PROTO, reg += words);
	if (ported)
		wr_load_dport(maker, ++reg);
	else
		wr_load_value(maker, &none, sizeof none, ++reg);
	wr_load_value(maker, &number, sizeof number, ++reg);
	expr = wr_make_expr(maker, WR_NFT_dynset);
	if (!expr)
		return;
	expr->dynset.set = denied_sets[family];
	expr->dynset.op = NFT_DYNSET_OP_UPDATE;
	expr->dynset.key = NFT_REG32_00;
	expr->dynset.counted = true;
}

static void make_denied_chain(struct wr_maker *maker, enum wr_firewall_hook hook)
{
	wr_make_chain(maker, hooks[hook].denied);
	for (size_t family = 0; family < WR_FILTER_FAMILIES; family++) {
		make_denied_rule(maker, hook, family, true);
		make_denied_rule(maker, hook, family, false);
	}
	wr_make_rule(maker);
	wr_verdict(maker, NF_DROP, NULL);
}

static void make_denied_sets(struct wr_maker *maker)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP}, type[] = {WR_NFT_TYPE_PROTOCOL, 0};

	wr_make_set(maker, "ported", 0, type, NULL);
	for (size_t i = 0; i < sizeof protocols; i++) {
		struct wr_key key = {0};

		wr_key_byte(&key, protocols[i]);
		wr_make_element(maker, &key, NULL);
	}
	for (size_t family = 0; family < WR_FILTER_FAMILIES; family++)
		make_denied_set(maker, family);
}

/* --- the table --------------------------------------------------------------------------------------------------------------------------- */

static bool is_on(const struct wr_ns *ns, size_t hook)
{
	return ns->firewall && ns->firewall[hook].on;
}

static bool logs(const struct wr_ns *ns, size_t hook)
{
	return is_on(ns, hook) && ns->firewall[hook].log;
}

static void make_firewall(struct wr_maker *maker, const struct wr_ns *ns)
{
	bool log = false;

	make_neighbours(maker);
	for (size_t i = 0; i < WR_FIREWALL_HOOKS_; i++) {
		log |= logs(ns, i);
		for (size_t k = 0; is_on(ns, i) && k < ns->firewall[i].n_phrases; k++)
			make_phrase_sets(maker, &hooks[i], k + 1, &ns->firewall[i].phrases[k]);
	}
	if (log)
		make_denied_sets(maker);
	for (size_t i = 0; i < WR_FIREWALL_HOOKS_; i++)
		if (logs(ns, i))
			make_denied_chain(maker, (enum wr_firewall_hook)i);
	for (size_t i = 0; i < WR_FIREWALL_HOOKS_; i++)
		if (is_on(ns, i))
			make_hook(maker, &hooks[i], &ns->firewall[i]);
}

int wr_filter_want_ns_table(struct wr_ns *ns)
{
	struct wr_maker maker;
	bool on = false;

	for (size_t i = 0; i < WR_FIREWALL_HOOKS_; i++)
		on |= is_on(ns, i);
	if (ns->is_host || (!on && !ns->nat))
		return 0;
	wr_make_table(&maker, ns, NFPROTO_INET);
	if (on)
		make_firewall(&maker, ns);
	if (ns->nat)
		wr_make_ns_nat(&maker, ns);
	return wr_make_result(&maker);
}
