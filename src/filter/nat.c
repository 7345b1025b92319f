/* nat.c: who leaves with another address.
 *
 * In the host, by what came in: a bridge's traffic to the outside, wherever it leaves or by one interface; and connections to
 * published ports whose answer would not come back through the host. In a namespace, by where it leaves. An address of one
 * family says nothing of the other, which leaves with that of the outgoing interface. */
#include <netinet/in.h> /* before linux/in.h */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "filter/make.h"
#include "filter/parts.h"
#include "model/model.h"

static const uint8_t address_type[WR_FILTER_FAMILIES] = {WR_NFT_TYPE_IP4, WR_NFT_TYPE_IP6};

struct form {
	const char *names[WR_FILTER_FAMILIES];
	bool narrowed; /* to one outgoing interface */
	bool written;  /* with an address of the file */
};

enum { NARROWED_WRITTEN, NARROWED, WRITTEN, PLAIN, N_FORMS };
static const struct form forms[N_FORMS] = {
	[NARROWED_WRITTEN] = {{"snat4-out", "snat6-out"}, true, true},
	[NARROWED] = {{"nat4-out", "nat6-out"}, true, false},
	[WRITTEN] = {{"snat4", "snat6"}, false, true},
	[PLAIN] = {{"nat4", "nat6"}, false, false},
};

static void make_form_set(struct wr_maker *maker, const struct form *form, size_t family)
{
	uint8_t types[3] = {WR_NFT_TYPE_IFNAME, form->narrowed ? WR_NFT_TYPE_IFNAME : 0, 0};
	uint8_t data[2] = {address_type[family], 0};

	wr_make_set(maker, form->names[family], 0, types, form->written ? data : NULL);
}

static void make_source(struct wr_maker *maker, const struct form *form, size_t family, const char *first,
			const struct wr_nat *nat)
{
	struct wr_key key = {0}, data = {0};

	wr_key_name(&key, first);
	if (form->narrowed)
		wr_key_name(&key, nat->out);
	if (form->written)
		wr_key_ip(&data, &nat->address[family]);
	wr_make_element(maker, &key, form->written ? &data : NULL);
}

/* nat to the address in reg 0 */
static void translate(struct wr_maker *maker, size_t family)
{
	struct wr_nft_expr *expr = wr_make_expr(maker, WR_NFT_nat);

	if (!expr)
		return;
	expr->nat.type = NFT_NAT_SNAT;
	expr->nat.family = wr_filter_nfproto[family];
	expr->nat.address_min = NFT_REG32_00;
}

/* --- the host --------------------------------------------------------------------------------------------------------------------- */

static bool has_form(const struct wr_bridge *bridge, const struct form *form, size_t family)
{
	const struct wr_nat *nat = bridge->nat;

	return bridge->host && nat && form->narrowed == (nat->out != NULL) &&
	       form->written == (nat->address[family].family != 0) &&
	       wr_link_has_family(bridge->link, wr_filter_af[family]);
}

static void make_sources(struct wr_maker *maker, const struct wr_model *model, const struct form *form, size_t family)
{
	bool begun = false;

	for (size_t i = 0; i < model->n_bridges; i++) {
		const struct wr_bridge *bridge = model->bridges[i];

		if (!has_form(bridge, form, family))
			continue;
		if (!begun)
			make_form_set(maker, form, family);
		begun = true;
		make_source(maker, form, family, bridge->link->ifname, bridge->nat);
	}
}

struct hairpins {
	struct wr_maker *maker;
	struct wr_map seen;
	bool begun;
};

static void make_hairpin(struct hairpins *hairpins, const struct wr_link *in, const struct wr_link *out)
{
	struct wr_maker *maker = hairpins->maker;
	const char *key;
	int is_new;

	if (maker->failed)
		return;
	/* No interface name holds a '/'. */
	key = wr_arena_printf(maker->arena, "%s/%s", in->ifname, out->ifname);
	is_new = key ? wr_map_put(&hairpins->seen, key, hairpins) : -1;
	if (is_new < 0)
		maker->failed = true;
	else if (is_new)
		wr_make_named(maker, &hairpins->begun, "hairpin", in->ifname, out->ifname);
}

/* The host's link on the segment of a namespace's interface; NULL: the host is not on it. */
static const struct wr_link *host_side(const struct wr_link *link)
{
	const struct wr_link *side = link->segment ? link->segment->link : link->peer;

	return side && side->ns->is_host && !side->master ? side : NULL;
}

/* Whom a published namespace answers without the host: its own segments. */
static void make_hairpins_of(struct hairpins *hairpins, const struct wr_ns *ns, const struct wr_link *via)
{
	make_hairpin(hairpins, via, via);
	for (size_t i = 0; i < ns->n_links; i++) {
		const struct wr_link *side = host_side(ns->links[i]);

		if (side && side != via)
			make_hairpin(hairpins, side, via);
	}
}

static void make_hairpins(struct wr_maker *maker, const struct wr_model *model)
{
	struct hairpins hairpins = {.maker = maker, .seen = {.arena = maker->arena}};

	for (size_t i = 0; i < model->n_ns; i++) {
		const struct wr_ns *ns = model->ns[i];
		const struct wr_link *last = NULL;

		for (size_t k = 0; k < ns->n_publishes; k++) {
			for (size_t family = 0; family < WR_FILTER_FAMILIES; family++) {
				const struct wr_link *via = ns->publishes[k].via[family];

				if (via && via != last && wr_publish_has(&ns->publishes[k], family))
					make_hairpins_of(&hairpins, ns, last = via);
			}
		}
	}
}

void wr_make_host_nat_sets(struct wr_maker *maker, const struct wr_model *model)
{
	for (size_t i = 0; i < N_FORMS; i++)
		for (size_t family = 0; family < WR_FILTER_FAMILIES; family++)
			make_sources(maker, model, &forms[i], family);
	make_hairpins(maker, model);
}

static void make_form_rule(struct wr_maker *maker, const struct form *form, size_t family)
{
	wr_make_rule(maker);
	wr_match_family(maker, wr_filter_nfproto[family]);
	/* Not between the network's own, which an outgoing interface that is named is none of. */
	if (!form->narrowed)
		wr_match_oif(maker, "own", true);
	wr_load_meta(maker, NFT_META_IIFNAME, 0);
	if (form->narrowed)
		wr_load_meta(maker, NFT_META_OIFNAME, 4);
	if (form->written) {
		wr_lookup_map(maker, form->names[family], 0, 0);
		translate(maker, family);
	} else {
		wr_lookup(maker, form->names[family], 0, false);
		wr_masquerade(maker);
	}
}

/* Connections to published ports from whom the answer would not come back: it would go to them directly. Those that came in by
 * no interface are the host's own, whose loopback addresses mean nothing inside, and frames between ports of a bridge that
 * br_netfilter has translated. */
static void make_published_rules(struct wr_maker *maker)
{
	static const uint32_t none;

	wr_make_rule(maker);
	wr_match_pair(maker, "hairpin");
	wr_match_translated(maker);
	wr_masquerade(maker);
	wr_make_rule(maker);
	wr_match_oif(maker, "own", false);
	wr_load_meta(maker, NFT_META_IIF, 0);
	wr_compare(maker, NFT_CMP_EQ, 0, &none, sizeof none);
	wr_match_translated(maker);
	wr_masquerade(maker);
}

void wr_make_host_nat_chain(struct wr_maker *maker)
{
	bool needed = wr_made_set(maker, "hairpin");

	for (size_t i = 0; i < N_FORMS; i++)
		for (size_t family = 0; family < WR_FILTER_FAMILIES; family++)
			needed |= wr_made_set(maker, forms[i].names[family]);
	if (!needed)
		return;
	wr_make_base(maker, "srcnat", "nat", NF_INET_POST_ROUTING, 100, NF_ACCEPT);
	if (wr_made_set(maker, "hairpin"))
		make_published_rules(maker);
	for (size_t i = 0; i < N_FORMS; i++)
		for (size_t family = 0; family < WR_FILTER_FAMILIES; family++)
			if (wr_made_set(maker, forms[i].names[family]))
				make_form_rule(maker, &forms[i], family);
}

/* --- a namespace -------------------------------------------------------------------------------------------------------------------- */

static void make_ns_rule(struct wr_maker *maker, const struct form *form, size_t family)
{
	wr_make_rule(maker);
	wr_match_family(maker, wr_filter_nfproto[family]);
	wr_load_meta(maker, NFT_META_OIFNAME, 0);
	if (form->written) {
		wr_lookup_map(maker, form->names[family], 0, 0);
		translate(maker, family);
	} else {
		wr_lookup(maker, form->names[family], 0, false);
		wr_masquerade(maker);
	}
}

void wr_make_ns_nat(struct wr_maker *maker, const struct wr_ns *ns)
{
	const struct wr_link *out = wr_ns_find_link(ns, ns->nat->out);
	const struct form *used[WR_FILTER_FAMILIES] = {0};

	for (size_t family = 0; family < WR_FILTER_FAMILIES; family++) {
		bool written = ns->nat->address[family].family != 0;

		if (!written && !(out && wr_link_has_family(out, wr_filter_af[family])))
			continue;
		used[family] = &forms[written ? WRITTEN : PLAIN];
		make_form_set(maker, used[family], family);
		make_source(maker, used[family], family, ns->nat->out, ns->nat);
	}
	wr_make_base(maker, "srcnat", "nat", NF_INET_POST_ROUTING, 100, NF_ACCEPT);
	for (size_t family = 0; family < WR_FILTER_FAMILIES; family++)
		if (used[family])
			make_ns_rule(maker, used[family], family);
}
