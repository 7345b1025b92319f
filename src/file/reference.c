/* reference.c: $(edge.eth1), the address of another interface of the file.
 *
 * An interface's own address may refer to another's, which may refer on; each is resolved after what it names, and one that is
 * met again while it is being resolved is part of a circle. What names an address that is still to be handed out waits
 * until after the hand-out. */
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "file/pending.h"
#include "file/netfile.h"

#define CHAIN_MAX 100 /* references behind one another */

/* What a reference names. */
struct target {
	struct wr_link *link;		   /* NULL: nothing */
	struct wr_nf_interface *interface; /* NULL for a bridge that the host joins */
	bool broken;			   /* nothing can be said about it: its own error was */
};

static void say_unknown(struct wr_nf_assigner *a, const struct wr_nf_value *value, const struct wr_nf_ns *ns,
			const char *name)
{
	const char *names[WR_NF_FEW_INTERFACES + 1] = {NULL};
	const char *nearest, *hint = NULL;
	size_t count = 0;

	for (const struct wr_nf_interface *i = ns ? ns->first : NULL; i && count < WR_NF_FEW_INTERFACES; i = i->next)
		names[count++] = i->link->name;
	nearest = wr_text_nearest(name, names);
	if (nearest)
		hint = wr_arena_printf(a->arena, "did you mean '$(%s.%s)'?", ns->ns->name, nearest);
	if (ns)
		wr_diagnose(a->diagnostics, value->place, hint, "$(%s): namespace '%s' has no interface '%s'",
			    value->reference, ns->ns->name, name);
	else
		wr_diagnose(a->diagnostics, value->place, NULL, "$(%s): there is no namespace '%.*s'", value->reference,
			    (int)(name - value->reference - 1), value->reference);
}

static struct target find_target(struct wr_nf_assigner *a, const struct wr_nf_value *value)
{
	const char *name = strchr(value->reference, '.') + 1;
	char ns_name[WR_NAME_MAX + 1] = "";
	size_t length = (size_t)(name - value->reference - 1);
	const struct wr_nf_ns *ns;
	struct target target = {0};

	if (length < sizeof ns_name)
		memcpy(ns_name, value->reference, length);
	ns = wr_nf_find_ns(a->pending, ns_name);
	target.interface = ns ? wr_nf_find_interface(ns, name) : NULL;
	if (target.interface) {
		target.link = target.interface->link;
		target.broken = target.interface->broken;
		return target;
	}
	if (ns && ns->ns->is_host) { /* "host.lan" is this machine's address on bridge lan */
		const struct wr_bridge *bridge = wr_map_get(&a->model->bridge_by_name, name);

		if (bridge && bridge->host && bridge->link) {
			target.link = bridge->link;
			return target;
		}
	}
	target.broken = true;
	if (!a->pending->incomplete && !(ns && ns->broken)) {
		if (ns && !strcmp(name, "lo"))
			wr_diagnose(a->diagnostics, value->place, NULL,
				    "$(%s): 'lo' of namespace '%s' has no address of its own", value->reference,
				    ns_name);
		else
			say_unknown(a, value, ns, name);
	}
	return target;
}

static bool waits_for_hand_out(const struct wr_nf_interface *interface)
{
	return !interface->written && interface->link->segment && interface->link->segment->n_subnets &&
	       !interface->link->n_addresses;
}

/* Whether all that the interface's references lead to is known. *broken is set when that can never be. */
static bool is_ready(struct wr_nf_assigner *a, struct wr_nf_interface *interface, bool final, int depth, bool *broken);

static bool target_is_ready(struct wr_nf_assigner *a, const struct wr_nf_value *value, bool final, int depth,
			    bool *broken)
{
	struct target target = find_target(a, value);

	if (target.broken) {
		*broken = true;
		return false;
	}
	if (!target.interface)
		return true;
	if (target.interface->state == WR_NF_RESOLVING || depth > CHAIN_MAX) {
		wr_diagnose(a->diagnostics, value->place, NULL,
			    depth > CHAIN_MAX ? "$(%s) is the end of a chain of too many references"
					      : "$(%s) leads back to itself: a circle of references",
			    value->reference);
		*broken = true;
		return false;
	}
	if (!final && waits_for_hand_out(target.interface))
		return false;
	return is_ready(a, target.interface, final, depth + 1, broken);
}

static void add_addresses(struct wr_nf_assigner *a, struct wr_nf_interface *interface, const struct wr_nf_value *value)
{
	const struct wr_link *from = find_target(a, value).link;
	size_t count = from->n_addresses;
	uint8_t last_family = 0;

	/* The first of each family; with a length, the first that can have it. */
	for (size_t i = 0; i < count; i++) {
		struct wr_prefix prefix = from->addresses[i].prefix;
		struct wr_address *address;

		if (prefix.ip.family == last_family ||
		    (value->has_length && value->prefix.length > wr_ip_bits(&prefix.ip)))
			continue;
		if (value->has_length)
			prefix.length = value->prefix.length;
		else if (interface->link->segment || interface->link->kind == WR_LINK_LOOPBACK)
			prefix.length = 0; /* its bridge's, or its full one */
		address = wr_link_add_address(interface->link);
		if (!address) {
			a->out_of_memory = true;
			return;
		}
		address->prefix = prefix;
		address->place = value->place;
		last_family = prefix.ip.family;
		if (value->has_length)
			break;
	}
	if (!last_family) {
		wr_diagnose(a->diagnostics, value->place, NULL, "$(%s) has no address", value->reference);
		interface->broken = true;
	}
}

static bool is_ready(struct wr_nf_assigner *a, struct wr_nf_interface *interface, bool final, int depth, bool *broken)
{
	bool ready = true;

	if (interface->state == WR_NF_RESOLVED || !interface->n_references) {
		*broken |= interface->broken;
		return !interface->broken;
	}
	interface->state = WR_NF_RESOLVING;
	for (size_t i = 0; i < interface->n_references && ready; i++)
		ready = target_is_ready(a, &interface->references[i], final, depth, broken);
	if (!ready && !*broken) {
		interface->state = WR_NF_UNRESOLVED;
		return false;
	}
	interface->state = WR_NF_RESOLVED;
	if (*broken) {
		interface->broken = true;
		return false;
	}
	for (size_t i = 0; i < interface->n_references && !a->out_of_memory; i++)
		add_addresses(a, interface, &interface->references[i]);
	return true;
}

void wr_nf_resolve_addresses(struct wr_nf_assigner *a, bool final)
{
	for (size_t i = 0; a->pending->has_references && i < a->pending->n_ns; i++) {
		struct wr_nf_ns *ns = a->pending->ns[i];
		bool broken = false;

		if (ns->lo && ns->lo->n_references)
			is_ready(a, ns->lo, final, 0, &broken);
		for (struct wr_nf_interface *j = ns->first; j; j = j->next) {
			broken = false;
			if (j->n_references)
				is_ready(a, j, final, 0, &broken);
		}
	}
}

bool wr_nf_resolve(struct wr_nf_assigner *a, const struct wr_nf_value *value, uint8_t family, struct wr_prefix *ret)
{
	struct target target;

	if (!value->reference) {
		*ret = value->prefix;
		return true;
	}
	target = find_target(a, value);
	if (target.broken)
		return false;
	for (size_t i = 0; i < target.link->n_addresses; i++) {
		struct wr_prefix prefix = target.link->addresses[i].prefix;

		if (family && prefix.ip.family != family)
			continue;
		prefix.length = (uint8_t)wr_ip_bits(&prefix.ip);
		if (value->has_length && value->prefix.length < prefix.length)
			prefix.length = value->prefix.length;
		*ret = prefix;
		return true;
	}
	wr_diagnose(a->diagnostics, value->place, NULL, "$(%s) has no %saddress", value->reference,
		    family == AF_INET	 ? "IPv4 "
		    : family == AF_INET6 ? "IPv6 "
					 : "");
	return false;
}

bool wr_nf_has_family(struct wr_nf_assigner *a, const struct wr_nf_value *value, uint8_t family)
{
	struct target target;

	if (!value->reference)
		return value->prefix.ip.family == family;
	target = find_target(a, value);
	return !target.broken && wr_link_has_family(target.link, family);
}
