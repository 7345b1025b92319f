/* compare.c: when two things are the same to the kernel, and when one has to be changed.
 *
 * What the wanted side leaves open (a route's interface that the kernel finds itself) equals whatever is there. What is
 * absent on the wanted side and has a meaning when absent (a preferred source, a rule's interface) must be absent. */
#include <ctype.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "model/model.h"

bool wr_address_same(const struct wr_address *a, const struct wr_address *b)
{
	return wr_prefix_equal(&a->prefix, &b->prefix);
}

/* The same set of addresses, whatever the host bits. */
static bool prefix_same_network(const struct wr_prefix *a, const struct wr_prefix *b)
{
	return a->length == b->length && wr_prefix_contains(a, &b->ip);
}

bool wr_route_same_key(const struct wr_route *a, const struct wr_route *b)
{
	return a->table == b->table && a->metric == b->metric && prefix_same_network(&a->to, &b->to);
}

static bool hop_equal(const struct wr_nexthop *wanted, const struct wr_nexthop *live, bool with_weight)
{
	if (!wr_ip_equal(&wanted->via, &live->via) || (with_weight && wanted->weight != live->weight))
		return false;
	return !wanted->dev || (live->dev && strcmp(wanted->dev, live->dev) == 0);
}

/* How many of the n hops equal hop: counted over both lists alike, so that order does not matter (the kernel may list
 * the hops of a route in another order than they were given). */
static size_t count_equal(const struct wr_nexthop *hop, const struct wr_nexthop *hops, size_t n, bool with_weight)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += hop_equal(hop, &hops[i], with_weight);
	return count;
}

static bool hops_equal(const struct wr_route *wanted, const struct wr_route *live)
{
	bool several = wanted->n_hops > 1;

	if (wanted->n_hops != live->n_hops)
		return false;
	for (size_t i = 0; i < wanted->n_hops; i++) {
		if (count_equal(&wanted->hops[i], live->hops, live->n_hops, several) <
		    count_equal(&wanted->hops[i], wanted->hops, wanted->n_hops, several))
			return false;
	}
	return true;
}

bool wr_route_equal(const struct wr_route *wanted, const struct wr_route *live)
{
	if (!wr_route_same_key(wanted, live) || wanted->type != live->type || wanted->protocol != live->protocol)
		return false;
	/* The kernel says "dev lo" of IPv6's blackholes. */
	if (wanted->type != RTN_UNICAST)
		return true;
	return wr_ip_equal(&wanted->src, &live->src) && hops_equal(wanted, live);
}

/* A prefix of a rule: all of a family is the same as none said. */
static bool selector_equal(const struct wr_prefix *a, const struct wr_prefix *b)
{
	bool any_a = a->ip.family == 0 || a->length == 0, any_b = b->ip.family == 0 || b->length == 0;

	return any_a || any_b ? any_a == any_b : prefix_same_network(a, b);
}

static bool string_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The kernel takes a mark without a mask for all bits of it. */
static uint32_t mask_of(const struct wr_rule *rule)
{
	return rule->mark && !rule->mask ? UINT32_MAX : rule->mask;
}

bool wr_rule_equal(const struct wr_rule *a, const struct wr_rule *b)
{
	return a->family == b->family && a->protocol == b->protocol && a->action == b->action &&
	       a->priority == b->priority && a->table == b->table && a->mark == b->mark && mask_of(a) == mask_of(b) &&
	       selector_equal(&a->from, &b->from) && selector_equal(&a->to, &b->to) && string_equal(a->iif, b->iif) &&
	       string_equal(a->oif, b->oif);
}

static const char *skip_space(const char *p)
{
	while (isspace((unsigned char)*p))
		p++;
	return p;
}

bool wr_sysctl_value_equal(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	for (a = skip_space(a), b = skip_space(b);;) {
		bool space_a = isspace((unsigned char)*a), space_b = isspace((unsigned char)*b);

		if (space_a)
			a = skip_space(a);
		if (space_b)
			b = skip_space(b);
		if (!*a || !*b) /* white space at an end says nothing */
			return *a == *b;
		if (space_a != space_b || *a != *b)
			return false;
		a++;
		b++;
	}
}
