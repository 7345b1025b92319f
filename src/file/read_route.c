/* read_route.c: `routes:`, `rules:` and `neighbours:` of a namespace.
 *
 * Whatever is an address may be a reference, so that only the words are read here; reference.c and routes.c make the model's
 * routes of them when addresses are known. */
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/arena.h"
#include "file/reader.h"

/* An address without a reference has the family's full length when it has none. */
static bool read_prefix(struct wr_nf_reader *r, const struct wr_nf_entry *entry, struct wr_nf_value *ret)
{
	struct wr_nf_value value;

	if (!wr_nf_value(r, entry->value, entry, &value))
		return false;
	if (!value.reference) {
		struct wr_ip network = wr_prefix_network(&value.prefix);

		if (!wr_ip_equal(&network, &value.prefix.ip)) {
			char buffer[WR_PREFIX_TEXT_MAX];

			value.prefix.ip = network;
			wr_diagnose(
				r->diagnostics, value.place,
				wr_arena_printf(r->arena, "did you mean %s?", wr_prefix_format(&value.prefix, buffer)),
				"%s has bits set beyond its length", wr_nf_subject(r, entry));
			return false;
		}
	}
	*ret = value;
	return true;
}

/* main, local, default, or a number. */
static bool read_table(struct wr_nf_reader *r, const struct wr_nf_entry *entry, uint32_t *ret)
{
	const struct wr_nf_node *value = entry->value;
	uint64_t number;

	if (value->kind == WR_NF_SCALAR && !strcmp(value->text, "main"))
		*ret = RT_TABLE_MAIN;
	else if (value->kind == WR_NF_SCALAR && !strcmp(value->text, "local"))
		*ret = RT_TABLE_LOCAL;
	else if (value->kind == WR_NF_SCALAR && !strcmp(value->text, "default"))
		*ret = RT_TABLE_DEFAULT;
	else if (wr_nf_number(r, entry, "main, local, default, or a number", 1, UINT32_MAX, &number))
		*ret = (uint32_t)number;
	else
		return false;
	return true;
}

static const char *read_device(struct wr_nf_reader *r, const struct wr_nf_entry *entry)
{
	const char *name = wr_nf_text(r, entry->value, entry);

	if (!name || !strcmp(name, "lo"))
		return name;
	return wr_nf_ifname(r, entry->value, name) ? name : NULL;
}

/* --- routes -------------------------------------------------------------------------------------------------------- */

static void read_to(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_route *route = object;

	if (entry->value->kind == WR_NF_SCALAR && !strcmp(entry->value->text, "default"))
		route->to = (struct wr_nf_value){.is_default = true, .place = wr_nf_place(entry->value)};
	else
		read_prefix(r, entry, &route->to);
}

static void read_hop_via(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_hop *hop = object;

	if (wr_nf_value(r, entry->value, entry, &hop->via) && hop->via.has_length)
		wr_diagnose(r->diagnostics, hop->via.place, NULL, "%s must be an address without a length",
			    wr_nf_subject(r, entry));
}

static void read_hop_dev(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	((struct wr_nf_hop *)object)->dev = read_device(r, entry);
}

static void read_hop_weight(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	uint64_t weight;

	if (wr_nf_number(r, entry, NULL, 1, 256, &weight))
		((struct wr_nf_hop *)object)->weight = (uint32_t)weight;
}

static const struct wr_nf_key hop_keys[] = {
	{"via", read_hop_via},
	{"dev", read_hop_dev},
	{"weight", read_hop_weight},
	{0},
};

/* One address, or several: then an item may be {via: ADDRESS, dev: INTERFACE, weight: NUMBER}. */
static void read_via(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_context context = {"hop", NULL, entry->context};
	struct wr_nf_route *route = object;
	size_t count = wr_nf_item_count(entry->value);

	if (!count || count > 256) {
		wr_diagnose(r->diagnostics, wr_nf_place(entry->value), NULL, "%s must be from 1 to 256 addresses",
			    wr_nf_subject(r, entry));
		return;
	}
	route->hops = wr_nf_alloc(r, count * sizeof *route->hops);
	if (!route->hops)
		return;
	for (const struct wr_nf_node *item = wr_nf_first_item(entry->value); item;
	     item = wr_nf_next_item(entry->value, item)) {
		const struct wr_nf_node *node = wr_nf_follow(item);
		struct wr_nf_hop *hop = &route->hops[route->n_hops++];

		hop->weight = 1;
		if (node->kind == WR_NF_MAPPING)
			wr_nf_read_mapping(r, node, hop_keys, hop, &context);
		else
			read_hop_via(r, hop, &(struct wr_nf_entry){entry->key, node, entry->context});
	}
}

static void read_dev(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	((struct wr_nf_route *)object)->dev = read_device(r, entry);
}

static void read_src(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_route *route = object;

	if (wr_nf_value(r, entry->value, entry, &route->src) && route->src.has_length)
		wr_diagnose(r->diagnostics, route->src.place, NULL, "%s must be an address without a length",
			    wr_nf_subject(r, entry));
}

static void read_metric(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_route *route = object;
	uint64_t metric;

	route->metric_written = wr_nf_number(r, entry, NULL, 0, UINT32_MAX, &metric);
	if (route->metric_written)
		route->metric = (uint32_t)metric;
}

static void read_route_table(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	uint32_t *table = &((struct wr_nf_route *)object)->table;

	if (read_table(r, entry, table) && *table == RT_TABLE_LOCAL)
		wr_diagnose(r->diagnostics, wr_nf_place(entry->value), NULL,
			    "table local is the kernel's own: it keeps its routes by itself");
}

static void read_type(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	static const char *const names[] = {"unicast", "blackhole", "unreachable", "prohibit", NULL};
	static const uint8_t types[] = {RTN_UNICAST, RTN_BLACKHOLE, RTN_UNREACHABLE, RTN_PROHIBIT};
	const char *text = wr_nf_text(r, entry->value, entry);

	if (!text)
		return;
	for (size_t i = 0; names[i]; i++) {
		if (!strcmp(text, names[i])) {
			((struct wr_nf_route *)object)->type = types[i];
			return;
		}
	}
	wr_diagnose(r->diagnostics, wr_nf_place(entry->value), wr_nf_suggest(r, text, names),
		    "%s must be unicast, blackhole, unreachable or prohibit, not '%s'", wr_nf_subject(r, entry), text);
}

static const struct wr_nf_key route_keys[] = {
	{"to", read_to},	 {"via", read_via},	      {"dev", read_dev},   {"src", read_src},
	{"metric", read_metric}, {"table", read_route_table}, {"type", read_type}, {0},
};

static void check_route(struct wr_nf_reader *r, const struct wr_nf_route *route, const struct wr_nf_context *context)
{
	bool unicast = route->type == RTN_UNICAST;

	if (!route->to.place.line)
		wr_diagnose(r->diagnostics, route->place, NULL, "%s has no 'to'", wr_nf_where(r, context));
	else if (unicast && !route->n_hops && !route->dev)
		wr_diagnose(r->diagnostics, route->place, NULL, "%s has neither 'via' nor 'dev'",
			    wr_nf_where(r, context));
	else if (!unicast && (route->n_hops || route->dev || route->src.place.line))
		wr_diagnose(r->diagnostics, route->place, NULL, "%s goes nowhere and takes no 'via', 'dev' or 'src'",
			    wr_nf_where(r, context));
	else if (route->n_hops > 1 && route->dev)
		wr_diagnose(r->diagnostics, route->place, "write {via: ADDRESS, dev: INTERFACE} for each",
			    "%s has one 'dev' for several 'via'", wr_nf_where(r, context));
	for (size_t i = 0; i < route->n_hops; i++)
		if (!route->hops[i].via.place.line && !route->hops[i].dev)
			wr_diagnose(r->diagnostics, route->place, NULL, "a hop of %s has neither 'via' nor 'dev'",
				    wr_nf_where(r, context));
}

/* The main table's default route: the one that a bridge's gateway would give otherwise. */
static bool is_default(const struct wr_nf_route *route)
{
	return route->table == RT_TABLE_MAIN &&
	       (route->to.is_default || (!route->to.reference && route->to.has_length && route->to.prefix.length == 0));
}

/* Runs reader for each item of a list of mappings. */
static void each_item(struct wr_nf_reader *r, const struct wr_nf_entry *entry, const char *what, struct wr_nf_ns *ns,
		      void (*reader)(struct wr_nf_reader *r, struct wr_nf_ns *ns, const struct wr_nf_node *item,
				     const struct wr_nf_context *context))
{
	struct wr_nf_context context = {what, NULL, entry->context};

	if (!wr_nf_extra_of(r->arena, ns)) {
		r->out_of_memory = true;
		return;
	}
	for (const struct wr_nf_node *item = wr_nf_first_item(entry->value); item && wr_nf_count(r, item, 1);
	     item = wr_nf_next_item(entry->value, item)) {
		const struct wr_nf_node *node = wr_nf_follow(item);

		if (node->kind != WR_NF_MAPPING)
			wr_diagnose(r->diagnostics, wr_nf_place(item), NULL, "%s must be a list of mappings, not of %s",
				    wr_nf_subject(r, entry), wr_nf_kind_name(node));
		else
			reader(r, ns, node, &context);
	}
}

static void read_route(struct wr_nf_reader *r, struct wr_nf_ns *ns, const struct wr_nf_node *item,
		       const struct wr_nf_context *context)
{
	struct wr_nf_route *route = wr_nf_alloc(r, sizeof *route);
	size_t total = r->diagnostics->total;

	if (!route)
		return;
	*route = (struct wr_nf_route){.table = RT_TABLE_MAIN, .type = RTN_UNICAST, .place = wr_nf_place(item)};
	wr_nf_read_mapping(r, item, route_keys, route, context);
	if (r->diagnostics->total == total)
		check_route(r, route, context);
	ns->no_default_route |= is_default(route);
	if (r->diagnostics->total != total)
		return;
	*ns->extra->routes_end = route;
	ns->extra->routes_end = &route->next;
}

void wr_nf_read_routes(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_ns *ns = object;

	if (entry->value->kind == WR_NF_SEQUENCE && !entry->value->first)
		ns->no_default_route = true;
	each_item(r, entry, "a route", ns, read_route);
}

/* --- rules --------------------------------------------------------------------------------------------------------- */

static void read_rule_from(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	read_prefix(r, entry, &((struct wr_nf_rule *)object)->from);
}

static void read_rule_to(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	read_prefix(r, entry, &((struct wr_nf_rule *)object)->to);
}

static void read_iif(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	((struct wr_nf_rule *)object)->rule.iif = read_device(r, entry);
}

static void read_oif(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	((struct wr_nf_rule *)object)->rule.oif = read_device(r, entry);
}

/* "7", "0x10", or with the bits that count: "0x10/0xf0". */
static void read_mark(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_rule *rule = &((struct wr_nf_rule *)object)->rule;
	const char *text = wr_nf_text(r, entry->value, entry);
	const char *slash = text ? strchr(text, '/') : NULL;
	struct wr_nf_node mark = {.kind = WR_NF_SCALAR, .line = entry->value->line, .column = entry->value->column};
	struct wr_nf_node mask = mark;
	uint64_t number, bits = UINT32_MAX;

	if (!text)
		return;
	mark.text = slash ? wr_arena_strndup(r->arena, text, (size_t)(slash - text)) : text;
	mask.text = slash ? slash + 1 : NULL;
	if (!mark.text) {
		r->out_of_memory = true;
		return;
	}
	if (!wr_nf_number(r, &(struct wr_nf_entry){entry->key, &mark, entry->context}, NULL, 0, UINT32_MAX, &number) ||
	    (mask.text &&
	     !wr_nf_number(r, &(struct wr_nf_entry){entry->key, &mask, entry->context}, NULL, 1, UINT32_MAX, &bits)))
		return;
	rule->mark = (uint32_t)number;
	rule->mask = (uint32_t)bits;
}

static void read_rule_table(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	read_table(r, entry, &((struct wr_nf_rule *)object)->rule.table);
}

static void read_priority(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_rule *rule = object;
	uint64_t priority;

	rule->priority_written = wr_nf_number(r, entry, NULL, 1, UINT32_MAX, &priority);
	if (rule->priority_written)
		rule->rule.priority = (uint32_t)priority;
}

static const struct wr_nf_key rule_keys[] = {
	{"from", read_rule_from}, {"to", read_rule_to},	      {"iif", read_iif},	   {"oif", read_oif},
	{"mark", read_mark},	  {"table", read_rule_table}, {"priority", read_priority}, {0},
};

static void read_rule(struct wr_nf_reader *r, struct wr_nf_ns *ns, const struct wr_nf_node *item,
		      const struct wr_nf_context *context)
{
	struct wr_nf_rule *rule = wr_nf_alloc(r, sizeof *rule);
	size_t total = r->diagnostics->total;

	if (!rule)
		return;
	rule->rule.place = wr_nf_place(item);
	wr_nf_read_mapping(r, item, rule_keys, rule, context);
	if (r->diagnostics->total == total && !rule->rule.table)
		wr_diagnose(r->diagnostics, rule->rule.place, NULL, "%s has no 'table'", wr_nf_where(r, context));
	if (r->diagnostics->total != total)
		return;
	*ns->extra->rules_end = rule;
	ns->extra->rules_end = &rule->next;
}

void wr_nf_read_rules(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	each_item(r, entry, "a rule", object, read_rule);
}

/* --- neighbours ---------------------------------------------------------------------------------------------------- */

static void read_neighbour_address(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_neighbour *neighbour = object;

	if (wr_nf_value(r, entry->value, entry, &neighbour->address) && neighbour->address.has_length)
		wr_diagnose(r->diagnostics, neighbour->address.place, NULL, "%s must be an address without a length",
			    wr_nf_subject(r, entry));
}

static void read_neighbour_mac(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_neighbour *neighbour = object;

	if (wr_nf_mac(r, entry, &neighbour->mac))
		neighbour->place = wr_nf_place(entry->value);
}

static void read_neighbour_dev(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	((struct wr_nf_neighbour *)object)->dev = read_device(r, entry);
}

static const struct wr_nf_key neighbour_keys[] = {
	{"address", read_neighbour_address},
	{"mac", read_neighbour_mac},
	{"dev", read_neighbour_dev},
	{0},
};

static void read_neighbour(struct wr_nf_reader *r, struct wr_nf_ns *ns, const struct wr_nf_node *item,
			   const struct wr_nf_context *context)
{
	struct wr_nf_neighbour *neighbour = wr_nf_alloc(r, sizeof *neighbour);
	size_t total = r->diagnostics->total;

	if (!neighbour)
		return;
	wr_nf_read_mapping(r, item, neighbour_keys, neighbour, context);
	if (r->diagnostics->total == total && (!neighbour->address.place.line || !neighbour->place.line))
		wr_diagnose(r->diagnostics, wr_nf_place(item), "as in {address: 10.2.0.9, mac: \"02:00:00:00:00:09\"}",
			    "%s needs 'address' and 'mac'", wr_nf_where(r, context));
	if (r->diagnostics->total != total)
		return;
	neighbour->place = wr_nf_place(item);
	*ns->extra->neighbours_end = neighbour;
	ns->extra->neighbours_end = &neighbour->next;
}

void wr_nf_read_neighbours(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	each_item(r, entry, "a neighbour", object, read_neighbour);
}
