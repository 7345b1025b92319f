/* read_nat.c: `nat:` of a bridge and of a namespace: true, false, or {out: INTERFACE, address: A}. */
#include <string.h>

#include "base/arena.h"
#include "file/reader.h"
#include "model/name.h"

/* What the rows of the table read into. */
struct target {
	struct wr_nat *nat;
	struct wr_place out_place;
};

static void read_out(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct target *target = object;
	const char *name = wr_nf_text(r, entry->value, entry);

	target->out_place = wr_nf_place(entry->value);
	if (name && !wr_ifname_is_valid(name))
		wr_diagnose(r->diagnostics, target->out_place, NULL, "%s is no interface name: '%s'",
			    wr_nf_subject(r, entry), name);
	target->nat->out = name;
}

static void read_address(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nat *nat = ((struct target *)object)->nat;
	char buffer[WR_IP_TEXT_MAX];

	for (const struct wr_nf_node *item = wr_nf_first_item(entry->value); item && wr_nf_count(r, item, 1);
	     item = wr_nf_next_item(entry->value, item)) {
		const struct wr_nf_node *node = wr_nf_follow(item);
		struct wr_ip ip, *slot;

		if (!wr_nf_ip(r, node, entry, &ip))
			continue;
		slot = &nat->address[ip.family == AF_INET6];
		if (wr_ip_is_unspecified(&ip) || wr_ip_is_multicast(&ip) || wr_ip_is_loopback(&ip))
			wr_diagnose(r->diagnostics, wr_nf_place(node), NULL, "nothing can leave with address %s",
				    wr_ip_format(&ip, buffer));
		else if (slot->family)
			wr_diagnose(r->diagnostics, wr_nf_place(node), NULL,
				    "%s has a second IPv%d address: one of each family can be", wr_nf_subject(r, entry),
				    ip.family == AF_INET6 ? 6 : 4);
		else
			*slot = ip;
	}
}

static const struct wr_nf_key nat_keys[] = {
	{"out", read_out},
	{"address", read_address},
	{0},
};

/* NULL: false, or refused, which was said. */
static struct wr_nat *read_nat(struct wr_nf_reader *r, const struct wr_nf_entry *entry, struct wr_place *ret_out_place)
{
	struct wr_nf_context context = {"nat", NULL, entry->context};
	struct target target = {.nat = wr_nf_alloc(r, sizeof *target.nat)};
	bool on = true;

	if (!target.nat || wr_nf_is_null(entry->value))
		return NULL;
	target.nat->place = wr_nf_place(entry->key);
	if (entry->value->kind == WR_NF_MAPPING) {
		if (!wr_nf_read_mapping(r, entry->value, nat_keys, &target, &context))
			return NULL;
	} else if (entry->value->kind == WR_NF_SEQUENCE) {
		wr_diagnose(r->diagnostics, wr_nf_place(entry->value), "for example nat: {out: eth0}",
			    "%s must be true, false or a mapping, not a list", wr_nf_subject(r, entry));
		return NULL;
	} else if (!wr_nf_boolean(r, entry, &on)) {
		return NULL;
	}
	*ret_out_place = target.out_place;
	return on ? target.nat : NULL;
}

void wr_nf_read_bridge_nat(struct wr_nf_reader *r, const struct wr_nf_entry *entry, struct wr_nat **ret)
{
	struct wr_place out_place;

	*ret = read_nat(r, entry, &out_place);
}

void wr_nf_read_nat(struct wr_nf_reader *r, void *object, const struct wr_nf_entry *entry)
{
	struct wr_nf_ns *ns = object;
	struct wr_nf_extra *extra = wr_nf_extra_of(r->arena, ns);
	size_t total = r->diagnostics->total;

	if (!extra) {
		r->out_of_memory = true;
		return;
	}
	ns->ns->nat = read_nat(r, entry, &extra->nat_out_place);
	if (!ns->ns->nat || ns->ns->nat->out || r->diagnostics->total != total)
		return;
	wr_diagnose(r->diagnostics, wr_nf_place(entry->value), "for example nat: {out: eth0}",
		    "%s must name the interface that is the way out", wr_nf_subject(r, entry));
	ns->ns->nat = NULL;
}
