/* firewall_json.c: packet filters for programs. See firewall.h. */
#include "show/firewall.h"

#include <netinet/in.h> /* before linux/in.h */

#include <errno.h>
#include <linux/netfilter.h>
#include <stdlib.h>

#include "base/text.h"
#include "filter/filter.h"
#include "model/model.h"
#include "model/nft.h"
#include "show/firewall_parts.h"
#include "show/json.h"
#include "show/nft.h"
#include "show/nft_parts.h"

static void member_count(struct wr_json *json, const char *key, bool counted, uint64_t value)
{
	wr_json_key(json, key);
	if (counted)
		wr_json_uint(json, value);
	else
		wr_json_null(json);
}

static void member_protocol(struct wr_json *json, uint8_t protocol)
{
	const char *name = wr_protocol_name(protocol);

	if (name != NULL) {
		wr_json_member_string(json, "protocol", name);
	} else {
		struct wr_text number WR_CLEANUP_TEXT = {0};

		wr_text_add_uint(&number, protocol);
		wr_json_member_string(json, "protocol", wr_text_string(&number));
	}
}

static void member_ip(struct wr_json *json, const char *key, const struct wr_ip *ip)
{
	wr_json_key(json, key);
	wr_json_ip(json, ip);
}

static void member_name(struct wr_json *json, const char *key, const char *ifname)
{
	wr_json_member_string(json, key, ifname != NULL && ifname[0] != '\0' ? ifname : NULL);
}

/* --- rules ---------------------------------------------------------------------------------------------------------------- */

static void add_rule(struct wr_json *json, const struct wr_nft_table *table, const struct wr_nft_chain *chain,
		     const struct wr_nft_rule *rule)
{
	static const char *const origins[] = {
		[WR_RULE_PHRASE] = "file", [WR_RULE_STRUCTURE] = "warren", [WR_RULE_FOREIGN] = "foreign"};
	struct wr_text nft WR_CLEANUP_TEXT = {0};
	struct wr_rule_view view;

	wr_rule_view(table, chain, rule, &view);
	wr_show_nft_rule(table, rule, &nft);
	wr_json_line(json);
	wr_json_begin(json, '{');
	wr_json_member_string(json, "origin", origins[view.origin]);
	wr_json_member_string(json, "words", view.words);
	wr_json_member_string(json, "nft", wr_text_string(&nft));
	member_count(json, "packets", view.counted, view.packets);
	member_count(json, "bytes", view.counted, view.bytes);
	wr_json_end(json, '}');
	if (wr_text_error(&nft) != 0)
		json->text->error = wr_text_error(&nft);
}

static void add_chain(struct wr_json *json, const struct wr_nft_table *table, const struct wr_nft_chain *chain)
{
	bool is_base = chain->type != NULL;

	wr_json_begin(json, '{');
	wr_json_member_string(json, "name", chain->name);
	wr_json_member_string(json, "type", chain->type);
	wr_json_member_string(json, "hook", is_base ? wr_nft_hook_name(table->family, chain->hook) : NULL);
	wr_json_key(json, "priority");
	if (is_base)
		wr_json_int(json, chain->priority);
	else
		wr_json_null(json);
	wr_json_member_string(json, "policy", !is_base ? NULL : chain->policy == NF_DROP ? "drop" : "accept");
	wr_json_key(json, "rules");
	wr_json_begin(json, '[');
	for (size_t i = 0; i < chain->n_rules; i++)
		add_rule(json, table, chain, &chain->rules[i]);
	wr_json_end(json, ']');
	wr_json_end(json, '}');
}

/* --- translation ---------------------------------------------------------------------------------------------------------- */

static void add_publish(struct wr_json *json, const struct wr_firewall_view *view, const struct wr_publish *publish)
{
	const struct wr_ip *to = &publish->to[publish->to[0].family == 0];
	size_t length = 0;
	const char *name = wr_hosts_name(view->hosts, to, &length);

	wr_json_begin(json, '{');
	member_protocol(json, publish->protocol);
	member_ip(json, "host", &publish->host);
	member_name(json, "in", publish->in);
	wr_json_member_uint(json, "host_port", publish->host_port);
	member_ip(json, "to", to);
	wr_json_key(json, "name");
	if (name != NULL)
		wr_json_bytes(json, name, length);
	else
		wr_json_null(json);
	wr_json_member_uint(json, "port", publish->port);
	wr_json_end(json, '}');
}

static void member_published(struct wr_json *json, const struct wr_firewall_view *view)
{
	const struct wr_nft_table *table = view->table;

	wr_json_key(json, "published");
	wr_json_begin(json, '[');
	for (size_t i = 0; table->network != NULL && i < table->n_sets; i++) {
		struct wr_publish publish;
		char in[16];

		for (size_t k = 0; k < table->sets[i].n_elements; k++)
			if (wr_filter_read_publish(&table->sets[i], &table->sets[i].elements[k], &publish, in))
				add_publish(json, view, &publish);
	}
	wr_json_end(json, ']');
}

static void member_nat(struct wr_json *json, const struct wr_nft_table *table)
{
	wr_json_key(json, "nat");
	wr_json_begin(json, '[');
	for (size_t i = 0; table->network != NULL && i < table->n_sets; i++) {
		for (size_t k = 0; k < table->sets[i].n_elements; k++) {
			struct wr_nat_view nat;

			if (!wr_nat_view(table, &table->sets[i], &table->sets[i].elements[k], &nat))
				continue;
			wr_json_begin(json, '{');
			member_name(json, "in", nat.in);
			member_name(json, "out", nat.out);
			wr_json_member_string(json, "family", nat.family == AF_INET ? "ip" : "ip6");
			member_ip(json, "address", &nat.address);
			wr_json_end(json, '}');
		}
	}
	wr_json_end(json, ']');
}

/* --- the rest --------------------------------------------------------------------------------------------------------------- */

static bool add_interface(const char *ifname, void *data)
{
	wr_json_string(data, ifname);
	return true;
}

static void member_interfaces(struct wr_json *json, const char *key, const struct wr_nft_table *table, const char *set)
{
	wr_json_key(json, key);
	wr_json_begin(json, '[');
	if (table->network != NULL)
		wr_set_interfaces(table, set, add_interface, json);
	wr_json_end(json, ']');
}

static void add_denied(struct wr_json *json, const struct wr_denied_view *denied)
{
	wr_json_begin(json, '{');
	wr_json_member_string(json, "hook", wr_firewall_hook_name(denied->hook));
	member_protocol(json, denied->protocol);
	member_ip(json, "from", &denied->from);
	member_ip(json, "to", &denied->to);
	member_count(json, "port", denied->port != 0, denied->port);
	wr_json_member_uint(json, "ago_ms", denied->ago_ms);
	member_count(json, "packets", denied->counted, denied->packets);
	member_count(json, "bytes", denied->counted, denied->bytes);
	wr_json_end(json, '}');
}

static void member_denied(struct wr_json *json, const struct wr_nft_table *table)
{
	struct wr_denied_view *list = NULL;
	size_t count = 0;

	if (table->network != NULL && wr_denied_views(table, &list, &count) < 0)
		json->text->error = -ENOMEM;
	wr_json_key(json, "denied");
	wr_json_begin(json, '[');
	for (size_t i = 0; i < count; i++)
		add_denied(json, &list[i]);
	wr_json_end(json, ']');
	free(list);
}

static void add_view(struct wr_json *json, const struct wr_firewall_view *view)
{
	const struct wr_nft_table *table = view->table;

	wr_json_line(json);
	wr_json_begin(json, '{');
	wr_json_member_string(json, "network", view->network);
	wr_json_member_string(json, "namespace", view->pin == NULL ? WR_HOST_NAME : view->name);
	wr_json_member_string(json, "pin", view->pin);
	wr_json_member_string(json, "family", wr_nft_family_name(table->family));
	wr_json_member_string(json, "table", table->name);
	wr_json_member_bool(json, "of_warren", table->network != NULL);
	member_nat(json, table);
	member_published(json, view);
	member_interfaces(json, "isolated", table, "isolated");
	member_interfaces(json, "isolated_ports_on", table, "apart");
	member_interfaces(json, "routed", table, "routed");
	member_interfaces(json, "guarded", table, "guarded");
	wr_json_key(json, "chains");
	wr_json_begin(json, '[');
	for (size_t i = 0; i < table->n_chains; i++)
		add_chain(json, table, &table->chains[i]);
	wr_json_end(json, ']');
	member_denied(json, table);
	wr_json_end(json, '}');
}

void wr_show_firewall_json(const struct wr_firewall_view *views, size_t count, struct wr_text *text)
{
	struct wr_json json = {.text = text};

	wr_json_begin(&json, '{');
	wr_json_member_string(&json, "warren", "firewall");
	wr_json_member_uint(&json, "format", WR_JSON_FORMAT);
	wr_json_key(&json, "tables");
	wr_json_begin(&json, '[');
	for (size_t i = 0; i < count; i++)
		add_view(&json, &views[i]);
	wr_json_end(&json, ']');
	wr_json_end(&json, '}');
	wr_text_add_char(text, '\n');
}
