/* publish.c: published ports as elements of maps, and back.
 *
 * A map for each form that a file uses: reached at any address of the host or at one, from anywhere or from one interface. The
 * more special form is asked first; a lookup that finds nothing goes on to the next rule. */
#include <netinet/in.h> /* before linux/in.h */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "filter/filter.h"
#include "filter/make.h"
#include "filter/parts.h"
#include "model/model.h"

const uint8_t wr_filter_nfproto[WR_FILTER_FAMILIES] = {NFPROTO_IPV4, NFPROTO_IPV6};
const uint8_t wr_filter_af[WR_FILTER_FAMILIES] = {AF_INET, AF_INET6};

static const uint8_t address_type[WR_FILTER_FAMILIES] = {WR_NFT_TYPE_IP4, WR_NFT_TYPE_IP6};

struct form {
	const char *names[WR_FILTER_FAMILIES];
	bool in, at; /* from one interface; at one address */
};

/* In the order in which they are asked. */
static const struct form forms[] = {
	{{"publish4-in", "publish6-in"}, true, false},
	{{"publish4-at", "publish6-at"}, false, true},
	{{"publish4", "publish6"}, false, false},
};
#define N_FORMS (sizeof forms / sizeof forms[0])

#define PROTOCOLS "protocols" /* those that have ports to publish */

bool wr_publish_has(const struct wr_publish *publish, size_t family)
{
	return publish->to[family].family && publish->via[family] &&
	       (!publish->host.family || publish->host.family == wr_filter_af[family]);
}

/* 0.0.0.0 is every address of its family. */
static bool is_at(const struct wr_publish *publish)
{
	return publish->host.family && !wr_ip_is_unspecified(&publish->host);
}

bool wr_filter_publishes(const struct wr_model *model)
{
	for (size_t i = 0; i < model->n_ns; i++)
		if (model->ns[i]->n_publishes)
			return true;
	return false;
}

/* --- maps -------------------------------------------------------------------------------------------------------------------- */

static void make_map(struct wr_maker *maker, const struct form *form, size_t family)
{
	uint8_t types[5], data[] = {address_type[family], WR_NFT_TYPE_SERVICE, 0};
	size_t n = 0;

	if (form->in)
		types[n++] = WR_NFT_TYPE_IFNAME;
	types[n++] = WR_NFT_TYPE_PROTOCOL;
	if (form->at)
		types[n++] = address_type[family];
	types[n++] = WR_NFT_TYPE_SERVICE;
	types[n] = 0;
	wr_make_set(maker, form->names[family], 0, types, data);
}

static void make_publish(struct wr_maker *maker, const struct form *form, size_t family,
			 const struct wr_publish *publish)
{
	struct wr_key key = {0}, data = {0};

	if (form->in)
		wr_key_name(&key, publish->in);
	wr_key_byte(&key, publish->protocol);
	if (form->at)
		wr_key_ip(&key, &publish->host);
	wr_key_port(&key, publish->host_port);
	wr_key_ip(&data, &publish->to[family]);
	wr_key_port(&data, publish->port);
	wr_make_element(maker, &key, &data);
}

static bool has_form(const struct wr_publish *publish, const struct form *form, size_t family)
{
	return form->in == (publish->in != NULL) && form->at == is_at(publish) && wr_publish_has(publish, family);
}

static void make_form(struct wr_maker *maker, const struct wr_model *model, const struct form *form, size_t family)
{
	bool begun = false;

	for (size_t i = 0; i < model->n_ns; i++) {
		for (size_t k = 0; k < model->ns[i]->n_publishes; k++) {
			const struct wr_publish *publish = &model->ns[i]->publishes[k];

			if (!has_form(publish, form, family))
				continue;
			if (!begun)
				make_map(maker, form, family);
			begun = true;
			make_publish(maker, form, family, publish);
		}
	}
}

void wr_make_publish_sets(struct wr_maker *maker, const struct wr_model *model)
{
	static const uint8_t types[] = {WR_NFT_TYPE_PROTOCOL, 0};
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};

	if (!wr_filter_publishes(model))
		return;
	wr_make_set(maker, PROTOCOLS, 0, types, NULL);
	for (size_t i = 0; i < sizeof protocols; i++) {
		struct wr_key key = {0};

		wr_key_byte(&key, protocols[i]);
		wr_make_element(maker, &key, NULL);
	}
	for (size_t i = 0; i < N_FORMS; i++)
		for (size_t family = 0; family < WR_FILTER_FAMILIES; family++)
			make_form(maker, model, &forms[i], family);
}

/* --- chains ------------------------------------------------------------------------------------------------------------------- */

static void make_form_rule(struct wr_maker *maker, const struct form *form, size_t family)
{
	unsigned reg = 0, words = family ? 4 : 1;
	struct wr_nft_expr *expr;

	wr_make_rule(maker);
	wr_match_family(maker, wr_filter_nfproto[family]);
	if (form->in) {
		wr_load_meta(maker, NFT_META_IIFNAME, reg);
		reg += 4;
	}
	wr_load_meta(maker, NFT_META_L4PROTO, reg++);
	if (form->at) {
		wr_load_daddr(maker, wr_filter_nfproto[family], reg);
		reg += words;
	}
	wr_load_dport(maker, reg);
	wr_lookup_map(maker, form->names[family], 0, 0);
	expr = wr_make_expr(maker, WR_NFT_nat);
	if (!expr)
		return;
	expr->nat.type = NFT_NAT_DNAT;
	expr->nat.family = wr_filter_nfproto[family];
	expr->nat.address_min = NFT_REG32_00;
	expr->nat.port_min = (uint8_t)(NFT_REG32_00 + words);
}

static void make_form_rules(struct wr_maker *maker, bool from_interfaces)
{
	for (size_t i = 0; i < N_FORMS; i++)
		for (size_t family = 0; family < WR_FILTER_FAMILIES; family++)
			if ((from_interfaces || !forms[i].in) && wr_made_set(maker, forms[i].names[family]))
				make_form_rule(maker, &forms[i], family);
}

/* What is not for this machine, or has no ports, is not for us. */
static void make_head(struct wr_maker *maker)
{
	wr_make_rule(maker);
	wr_match_not_to_host(maker);
	wr_verdict(maker, NFT_RETURN, NULL);
	wr_make_rule(maker);
	wr_load_meta(maker, NFT_META_L4PROTO, 0);
	wr_lookup(maker, PROTOCOLS, 0, true);
	wr_verdict(maker, NFT_RETURN, NULL);
}

/* What comes in by an interface is never for a port that is published at a loopback address, whatever the kernel is
 * told to let in. */
static void make_no_loopback(struct wr_maker *maker)
{
	static const uint8_t net4 = 127;
	static const uint8_t ip6[16] = {[15] = 1};

	wr_make_rule(maker);
	wr_match_family(maker, NFPROTO_IPV4);
	wr_load_payload(maker, NFT_PAYLOAD_NETWORK_HEADER, 16, 1, 0);
	wr_compare(maker, NFT_CMP_EQ, 0, &net4, sizeof net4);
	wr_verdict(maker, NFT_RETURN, NULL);
	wr_make_rule(maker);
	wr_match_family(maker, NFPROTO_IPV6);
	wr_load_daddr(maker, NFPROTO_IPV6, 0);
	wr_compare(maker, NFT_CMP_EQ, 0, ip6, sizeof ip6);
	wr_verdict(maker, NFT_RETURN, NULL);
}

void wr_make_publish_chains(struct wr_maker *maker)
{
	if (!wr_made_set(maker, PROTOCOLS))
		return;
	wr_make_base(maker, "dstnat", "nat", NF_INET_PRE_ROUTING, -100, NF_ACCEPT);
	make_head(maker);
	make_no_loopback(maker);
	make_form_rules(maker, true);
	wr_make_base(maker, "output", "nat", NF_INET_LOCAL_OUT, -100, NF_ACCEPT);
	make_head(maker);
	make_form_rules(maker, false);
}

/* --- back --------------------------------------------------------------------------------------------------------------------- */

static const struct form *find_form(const char *name, size_t *ret_family)
{
	for (size_t i = 0; i < N_FORMS; i++) {
		for (size_t family = 0; family < WR_FILTER_FAMILIES; family++) {
			if (strcmp(name, forms[i].names[family]))
				continue;
			*ret_family = family;
			return &forms[i];
		}
	}
	return NULL;
}

static const uint8_t *read_ip(const uint8_t *at, size_t family, struct wr_ip *ret)
{
	size_t size = family ? 16 : 4;

	*ret = (struct wr_ip){.family = wr_filter_af[family]};
	memcpy(ret->bytes, at, size);
	return at + size;
}

static const uint8_t *read_port(const uint8_t *at, uint16_t *ret)
{
	*ret = (uint16_t)(at[0] << 8 | at[1]);
	return at + 4;
}

bool wr_filter_read_publish(const struct wr_nft_set *set, const struct wr_nft_element *element, struct wr_publish *ret,
			    char in[16])
{
	size_t family, size, key_length;
	const struct form *form = find_form(set->name, &family);
	const uint8_t *at = element->key;

	if (!form || !at || !element->data)
		return false;
	size = family ? 16 : 4;
	key_length = (form->in ? 16u : 0u) + 4 + (form->at ? size : 0) + 4;
	if (set->key_length != key_length || set->data_length != size + 4)
		return false;
	*ret = (struct wr_publish){0};
	if (form->in) {
		memcpy(in, at, 16);
		in[15] = '\0';
		ret->in = in;
		at += 16;
	}
	ret->protocol = *at;
	at += 4;
	if (form->at)
		at = read_ip(at, family, &ret->host);
	read_port(at, &ret->host_port);
	read_port(read_ip(element->data, family, &ret->to[family]), &ret->port);
	return true;
}

/* --- two of them ----------------------------------------------------------------------------------------------------------------- */

/* Whether it takes packets of a family. Before addresses are handed out, and of a listener, nothing is known of `to`. */
static bool takes(const struct wr_publish *publish, size_t family)
{
	if (publish->host.family)
		return publish->host.family == wr_filter_af[family];
	return publish->to[family].family || (!publish->to[0].family && !publish->to[1].family);
}

static bool same_host(const struct wr_publish *a, const struct wr_publish *b)
{
	return !is_at(a) || !is_at(b) || wr_ip_equal(&a->host, &b->host);
}

/* What comes in by an interface is never to a loopback address. */
static bool apart_by_interface(const struct wr_publish *a, const struct wr_publish *b)
{
	if (a->in && b->in)
		return strcmp(a->in, b->in) != 0;
	return (a->in && is_at(b) && wr_ip_is_loopback(&b->host)) || (b->in && is_at(a) && wr_ip_is_loopback(&a->host));
}

bool wr_publish_collides(const struct wr_publish *a, const struct wr_publish *b)
{
	if (a->protocol != b->protocol || a->host_port != b->host_port || !same_host(a, b) || apart_by_interface(a, b))
		return false;
	for (size_t family = 0; family < WR_FILTER_FAMILIES; family++)
		if (takes(a, family) && takes(b, family))
			return true;
	return false;
}
