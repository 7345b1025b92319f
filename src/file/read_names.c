/* read_names.c: `dns:` and `hosts:` of a namespace: how names are resolved inside. */
#include <ctype.h>
#include <string.h>

#include "base/arena.h"
#include "file/reader.h"

/* A host name or search domain: what can stand in a line of hosts(5) or resolv.conf(5). */
static bool check_hostname(struct wr_nf_reader *r, const struct wr_nf_node *node, const char *name)
{
	bool good = *name && strlen(name) <= 253 && *name != '.' && *name != '-';

	for (const char *p = name; *p; p++)
		good &= isalnum((unsigned char)*p) || *p == '-' || *p == '.' || *p == '_';
	if (!good)
		wr_diagnose(r->diagnostics, wr_nf_place(node), NULL, "'%s' is no host name", name);
	return good;
}

static void read_servers(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_ns *ns = object;

	for (const struct wr_nf_node *item = wr_nf_first_item(entry->value); item && wr_nf_count(r, item, 1);
	     item = wr_nf_next_item(entry->value, item)) {
		struct wr_nf_server *server = wr_nf_alloc(r, sizeof *server);

		if (!server || !wr_nf_value(r, item, entry, &server->address))
			continue;
		if (server->address.has_length) {
			wr_diagnose(r->diagnostics, server->address.place, NULL,
				    "%s must be addresses without a length", wr_nf_subject(r, entry));
			continue;
		}
		*ns->extra->servers_end = server;
		ns->extra->servers_end = &server->next;
	}
}

static void read_search(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_ns *ns = ((struct wr_nf_ns *)object)->ns;
	size_t count = wr_nf_item_count(entry->value);

	if (!wr_nf_count(r, entry->value, count))
		return;
	ns->dns_search = wr_nf_alloc(r, count * sizeof *ns->dns_search);
	if (!ns->dns_search)
		return;
	for (const struct wr_nf_node *item = wr_nf_first_item(entry->value); item;
	     item = wr_nf_next_item(entry->value, item)) {
		const char *name = wr_nf_text(r, item, entry);

		if (name && check_hostname(r, item, name))
			ns->dns_search[ns->n_dns_search++] = name;
	}
}

static const struct wr_nf_key dns_keys[] = {
	{"servers", read_servers},
	{"search", read_search},
	{0},
};

void wr_nf_read_dns(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_context context = {"dns", NULL, entry->context};
	struct wr_nf_ns *ns = object;

	if (!wr_nf_extra_of(r->arena, ns)) {
		r->out_of_memory = true;
		return;
	}
	ns->ns->has_dns = true;
	wr_nf_read_mapping(r, entry->value, dns_keys, ns, &context);
}

/* A mapping from names to an address or a list of them. */
void wr_nf_read_hosts(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_ns *ns = object;

	if (wr_nf_is_null(entry->value))
		return;
	if (entry->value->kind != WR_NF_MAPPING) {
		wr_diagnose(r->diagnostics, wr_nf_place(entry->value), "as in {db.example: 192.0.2.7}",
			    "%s must be a mapping from host names to addresses, not %s", wr_nf_subject(r, entry),
			    wr_nf_kind_name(entry->value));
		return;
	}
	if (!wr_nf_extra_of(r->arena, ns)) {
		r->out_of_memory = true;
		return;
	}
	for (const struct wr_nf_node *key = entry->value->first; key && !r->stop; key = key->next->next) {
		struct wr_nf_entry inner = {key, wr_nf_follow(key->next), entry->context};
		const char *name = wr_nf_expand(r, key, key->text);

		if (!name || !check_hostname(r, key, name))
			continue;
		for (const struct wr_nf_node *item = wr_nf_first_item(inner.value); item && wr_nf_count(r, item, 1);
		     item = wr_nf_next_item(inner.value, item)) {
			struct wr_nf_hostname *host = wr_nf_alloc(r, sizeof *host);

			if (!host || !wr_nf_value(r, item, &inner, &host->address))
				continue;
			if (host->address.has_length) {
				wr_diagnose(r->diagnostics, host->address.place, NULL,
					    "%s must be addresses without a length", wr_nf_subject(r, &inner));
				continue;
			}
			host->name = name;
			*ns->extra->hosts_end = host;
			ns->extra->hosts_end = &host->next;
		}
	}
}
