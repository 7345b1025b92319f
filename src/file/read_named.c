/* read_named.c: what `bridges:` and `namespaces:` have in common: names, and ranges of them. */
#include <inttypes.h>
#include <string.h>

#include "file/reader.h"
#include "model/name.h"

const char *wr_nf_reserved_name(const struct wr_prefix *prefix, const struct wr_ip *ip)
{
	struct wr_ip network = wr_prefix_network(prefix);

	if (ip->family == AF_INET6)
		return "subnet-router anycast address";
	return wr_ip_equal(&network, ip) ? "network address" : "broadcast address";
}

bool wr_nf_name(struct wr_nf_reader *r, const struct wr_nf_node *key, const char *what, const char *name)
{
	const struct wr_bridge *bridge;
	const struct wr_ns *ns;

	if (!wr_name_is_valid(name)) {
		if (strlen(name) > WR_NAME_MAX)
			wr_diagnose(r->diagnostics, wr_nf_place(key), NULL,
				    "%s name '%s' has %zu bytes; at most %d are allowed", what, name, strlen(name),
				    WR_NAME_MAX);
		else
			wr_diagnose(r->diagnostics, wr_nf_place(key),
				    "a name has letters, digits, '-' and '_', and begins with a letter or digit",
				    "'%s' is no %s name", name, what);
		return false;
	}
	if (!strcmp(name, WR_HOST_NAME)) {
		wr_diagnose(r->diagnostics, wr_nf_place(key), NULL, "'%s' means this machine and cannot name a %s",
			    name, what);
		return false;
	}
	bridge = wr_map_get(&r->model->bridge_by_name, name);
	ns = wr_model_find_ns(r->model, name);
	if (!bridge && !ns)
		return true;
	if (bridge)
		wr_diagnose(r->diagnostics, wr_nf_place(key), "bridges and namespaces share one set of names",
			    "the name '%s' is a bridge's already (line %u)", name, bridge->place.line);
	else
		wr_diagnose(r->diagnostics, wr_nf_place(key), "bridges and namespaces share one set of names",
			    "the name '%s' is a namespace's already (line %u)", name, ns->place.line);
	return false;
}

static void read_range(struct wr_nf_reader *r, const struct wr_nf_range *range, const struct wr_nf_node *key,
		       const struct wr_nf_node *value, struct wr_map *names, wr_nf_named_reader *reader)
{
	size_t total = r->diagnostics->total;

	if (!wr_nf_count(r, key, range->last - range->first + 1))
		return;
	if (range->is_range && wr_map_reserve(names, names->count + (range->last - range->first + 1)) < 0)
		r->out_of_memory = true;
	r->in_range = range->is_range;
	for (uint64_t n = range->first; n <= range->last && !r->stop && !r->out_of_memory; n++) {
		const char *name = wr_nf_range_name(r, range, n);

		r->n = n;
		if (name)
			reader(r, name, key, value);
		if (r->diagnostics->total != total && range->is_range) {
			r->pending->incomplete = true;
			break; /* the others would say the same */
		}
	}
	r->in_range = false;
}

void wr_nf_read_named(struct wr_nf_reader *r, const struct wr_nf_node *node, const char *what, struct wr_map *names,
		      wr_nf_named_reader *reader)
{
	node = wr_nf_follow(node);
	if (wr_nf_is_null(node))
		return;
	if (node->kind != WR_NF_MAPPING) {
		wr_diagnose(r->diagnostics, wr_nf_place(node), NULL, "'%s' must be a mapping from names, not %s", what,
			    wr_nf_kind_name(node));
		return;
	}
	if (wr_map_reserve(names, names->count + node->count) < 0)
		r->out_of_memory = true;
	for (const struct wr_nf_node *key = node->first; key && !r->stop && !r->out_of_memory; key = key->next->next) {
		struct wr_nf_range range;

		if (wr_nf_range_read(r, key, key->text, &range))
			read_range(r, &range, key, wr_nf_follow(key->next), names, reader);
	}
}
