/* peers.c: cables across namespaces.
 *
 * A veth says its peer by two numbers: the peer's interface number, and what its own namespace calls the peer's. The
 * second becomes a namespace without asking every pair of them: the host's number is asked with the rest; through any
 * other, the lo behind it is read from here, and its alias names the namespace, which is then asked to be sure. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "kernel/netns.h"
#include "live/inside.h"
#include "live/observe.h"

/* 1: that namespace goes by this number here, 0: it does not. */
static int is_called(const struct wr_reading *reading, const struct wr_reading *other, int32_t nsid,
		     struct wr_error *reterr)
{
	int32_t number = -1;
	int r = wr_inside_nsid(reading->ns->netns, other->ns->netns, &number, reterr);

	if (r < 0)
		return wr_fail_context(reterr, "cannot ask namespace '%s' for the number of '%s'", reading->ns->pin,
				       other->ns->pin);
	return number == nsid;
}

/* The namespace that a reading's own calls nsid. *ret is NULL when it is none of this network's. */
static int find_namespace(const struct wr_observing *o, const struct wr_reading *reading, int32_t nsid,
			  struct wr_reading **ret, struct wr_error *reterr)
{
	struct wr_netns *netns = reading->ns->netns;
	const char *alias = NULL;
	struct wr_reading *candidate;
	int r;

	*ret = NULL;
	if (nsid == reading->host_nsid) {
		*ret = o->readings[0];
		return 0;
	}
	r = wr_inside_alias_of(netns, nsid, o->model->arena, &alias, NULL);
	if (r == -ENOMEM)
		return wr_fail_memory(reterr);
	if (r < 0)
		return 0; /* it is gone by now */
	candidate = alias != NULL ? wr_map_get(&o->by_mark, alias) : NULL;
	r = candidate != NULL ? is_called(reading, candidate, nsid, reterr) : 0;
	if (r > 0)
		*ret = candidate;
	/* Two namespaces of one mark (its pin is changing), or one whose mark was taken off: each is asked. */
	for (size_t i = 1; r == 0 && *ret == NULL && i < o->n_readings; i++) {
		const struct wr_ns *ns = o->readings[i] != NULL ? o->readings[i]->ns : NULL;

		if (ns == NULL || ns->netns == NULL || o->readings[i] == candidate ||
		    (ns->alias != NULL && (alias == NULL || strcmp(ns->alias, alias) != 0)))
			continue;
		r = is_called(reading, o->readings[i], nsid, reterr);
		if (r > 0)
			*ret = o->readings[i];
	}
	return r < 0 ? r : 0;
}

static int join_namespace(const struct wr_observing *o, struct wr_reading *reading, struct wr_error *reterr)
{
	struct wr_reading *last = NULL;
	int32_t last_nsid = -1;

	for (size_t i = 0; i < reading->n_seen; i++) {
		struct wr_seen *seen = &reading->seen[i], *other;

		if (seen->peer == 0 || seen->peer_nsid < 0 || seen->link->peer != NULL)
			continue;
		if (seen->peer_nsid != last_nsid) {
			int r = find_namespace(o, reading, seen->peer_nsid, &last, reterr);

			if (r < 0)
				return r;
			last_nsid = seen->peer_nsid;
		}
		other = last != NULL ? wr_reading_find(last, seen->peer) : NULL;
		if (other == NULL || other->peer != seen->link->ifindex || other->link->peer != NULL)
			continue;
		seen->link->peer = other->link;
		other->link->peer = seen->link;
	}
	return 0;
}

int wr_observe_peers(struct wr_observing *o, struct wr_error *reterr)
{
	int r = 0;

	/* The host's ends are found from the other side. */
	for (size_t i = 1; i < o->n_readings && r == 0; i++)
		if (o->readings[i] != NULL && o->readings[i]->ns->deep)
			r = join_namespace(o, o->readings[i], reterr);
	return r;
}
