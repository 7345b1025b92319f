/* words.c: names of things for people.
 *
 * Theory: a cable is named by what it joins. One end of most cables is a port, the end that sits in a bridge; nobody cares
 * about its kernel name, so such a cable is "lan—web:eth0" and the port itself "lan:web.eth0". A port is known by its master,
 * or by the segment of its other end, or, when somebody has pulled it out of its bridge, by its own name, which is made of the
 * namespace and the interface at the other end.
 *
 * Names are written as they are when they are plain ASCII, which is the case that has to be fast, and escaped otherwise. */
#include "plan/words.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/text.h"
#include "filter/delta.h"
#include "filter/filter.h"
#include "model/name.h"

void wr_words_name(struct wr_text *text, const char *name)
{
	size_t length = 0;

	if (name == NULL)
		name = "?";
	while (name[length] >= 0x20 && name[length] < 0x7f)
		length++;
	if (name[length] == '\0')
		wr_text_add_bytes(text, name, length);
	else
		wr_text_add_escaped(text, name);
}

void wr_words_ip(struct wr_text *text, const struct wr_ip *ip)
{
	char buffer[WR_IP_TEXT_MAX];

	if (ip->family != AF_INET) {
		wr_text_add(text, wr_ip_format(ip, buffer));
		return;
	}
	for (size_t i = 0; i < 4; i++) {
		if (i > 0)
			wr_text_add_char(text, '.');
		wr_text_add_uint(text, ip->bytes[i]);
	}
}

void wr_words_prefix(struct wr_text *text, const struct wr_prefix *prefix)
{
	wr_words_ip(text, &prefix->ip);
	wr_text_add_char(text, '/');
	wr_text_add_uint(text, prefix->length);
}

void wr_words_ns(struct wr_text *text, const struct wr_ns *ns)
{
	wr_words_name(text, ns != NULL ? ns->name : WR_HOST_NAME);
}

/* Whether name is "A.B". */
static bool is_joined(const char *name, const char *a, const char *b)
{
	size_t length = strlen(a);

	return strncmp(name, a, length) == 0 && name[length] == '.' && strcmp(name + length + 1, b) == 0;
}

/* A port carries the mark of the interface at its other end, and is named after it; an interface has its own namespace in
 * its mark. */
static bool is_marked_as_port(const struct wr_link *link)
{
	char network[64], a[64], b[64];

	return link->alias != NULL && wr_name_read_mark(link->alias, network, a, b) && b[0] != '\0' &&
	       is_joined(link->name, a, b);
}

bool wr_link_is_port(const struct wr_link *link)
{
	if (link->kind != WR_LINK_VETH)
		return false;
	if (link->master != NULL)
		return true;
	if (link->segment != NULL)
		return false;
	if (link->peer != NULL)
		return link->peer->segment != NULL ||
		       (link->peer->ns != NULL && is_joined(link->name, link->peer->ns->name, link->peer->name));
	return is_marked_as_port(link);
}

const char *wr_link_bridge_name(const struct wr_link *port)
{
	if (port->master != NULL)
		return port->master->name;
	if (port->peer != NULL && port->peer->segment != NULL)
		return port->peer->segment->name;
	if (port->ns != NULL && port->ns->is_bridge)
		return port->ns->name;
	return NULL;
}

void wr_words_link(struct wr_text *text, const struct wr_link *link)
{
	const char *bridge;

	if (link->kind == WR_LINK_BRIDGE) {
		wr_words_name(text, link->name);
		return;
	}
	bridge = wr_link_is_port(link) ? wr_link_bridge_name(link) : NULL;
	if (bridge != NULL)
		wr_words_name(text, bridge);
	else
		wr_words_ns(text, link->ns);
	wr_text_add_char(text, ':');
	wr_words_name(text, link->name);
}

/* What a port's cable goes to. Where the other end was not seen, the port's own name tells: "web.eth0". */
static void add_far_end(struct wr_text *text, const struct wr_link *port)
{
	const char *dot;
	char ns[WR_NAME_MAX + 1];

	if (port->peer != NULL) {
		wr_words_link(text, port->peer);
		return;
	}
	dot = strchr(port->name, '.');
	if (dot == NULL || dot == port->name || (size_t)(dot - port->name) >= sizeof ns) {
		wr_words_name(text, port->name);
		return;
	}
	memcpy(ns, port->name, dot - port->name);
	ns[dot - port->name] = '\0';
	wr_words_name(text, ns);
	wr_text_add_char(text, ':');
	wr_words_name(text, dot + 1);
}

void wr_words_cable(struct wr_text *text, const struct wr_link *link)
{
	const struct wr_link *port = NULL;
	const char *bridge;

	if (link->kind != WR_LINK_VETH) {
		wr_words_link(text, link);
		return;
	}
	if (wr_link_is_port(link))
		port = link;
	else if (link->peer != NULL && wr_link_is_port(link->peer))
		port = link->peer;
	if (port != NULL) {
		bridge = wr_link_bridge_name(port);
		if (bridge != NULL)
			wr_words_name(text, bridge);
		else
			wr_words_ns(text, port->ns);
		wr_text_add(text, "—");
		add_far_end(text, port);
		return;
	}
	wr_words_link(text, link);
	if (link->peer != NULL) {
		wr_text_add(text, "—");
		wr_words_link(text, link->peer);
	}
}

const char *wr_route_type_name(uint8_t type)
{
	switch (type) {
	case RTN_UNICAST:
		return "unicast";
	case RTN_LOCAL:
		return "local";
	case RTN_BROADCAST:
		return "broadcast";
	case RTN_ANYCAST:
		return "anycast";
	case RTN_MULTICAST:
		return "multicast";
	case RTN_BLACKHOLE:
		return "blackhole";
	case RTN_UNREACHABLE:
		return "unreachable";
	case RTN_PROHIBIT:
		return "prohibit";
	case RTN_THROW:
		return "throw";
	case RTN_NAT:
		return "nat";
	}
	return "other";
}

const char *wr_rule_action_name(uint8_t action)
{
	switch (action) {
	case FR_ACT_TO_TBL:
		return "table";
	case FR_ACT_GOTO:
		return "goto";
	case FR_ACT_NOP:
		return "nop";
	case FR_ACT_BLACKHOLE:
		return "blackhole";
	case FR_ACT_UNREACHABLE:
		return "unreachable";
	case FR_ACT_PROHIBIT:
		return "prohibit";
	}
	return "other";
}

void wr_words_route_to(struct wr_text *text, const struct wr_route *route)
{
	bool has_via = route->n_hops > 0 && route->hops[0].via.family != 0;

	if (route->type != RTN_UNICAST) {
		wr_text_add(text, wr_route_type_name(route->type));
		wr_text_add_char(text, ' ');
	}
	/* "default" says nothing about the family: the gateway does, where there is one. */
	if (route->to.length == 0 && wr_ip_is_unspecified(&route->to.ip) && (route->to.ip.family == AF_INET || has_via))
		wr_text_add(text, "default");
	else
		wr_words_prefix(text, &route->to);
}

void wr_words_route_how(struct wr_text *text, const struct wr_route *route)
{
	uint32_t usual_metric = route->to.ip.family == AF_INET6 ? 1024 : 0;

	for (size_t i = 0; i < route->n_hops; i++) {
		const struct wr_nexthop *hop = &route->hops[i];

		if (i > 0)
			wr_text_add_char(text, ',');
		if (hop->via.family != 0) {
			wr_text_add(text, " via ");
			wr_words_ip(text, &hop->via);
		}
		if (hop->dev != NULL && (hop->via.family == 0 || route->n_hops > 1)) {
			wr_text_add(text, " dev ");
			wr_words_name(text, hop->dev);
		}
		if (hop->weight > 1) {
			wr_text_add(text, " weight ");
			wr_text_add_uint(text, hop->weight);
		}
	}
	if (route->src.family != 0) {
		wr_text_add(text, " src ");
		wr_words_ip(text, &route->src);
	}
	if (route->metric != usual_metric) {
		wr_text_add(text, " metric ");
		wr_text_add_uint(text, route->metric);
	}
	if (route->table != RT_TABLE_MAIN) {
		wr_text_add(text, " table ");
		wr_text_add_uint(text, route->table);
	}
}

void wr_words_rule(struct wr_text *text, const struct wr_rule *rule)
{
	wr_text_add_uint(text, rule->priority);
	if (rule->from.ip.family != 0) {
		wr_text_add(text, " from ");
		wr_words_prefix(text, &rule->from);
	}
	if (rule->to.ip.family != 0) {
		wr_text_add(text, " to ");
		wr_words_prefix(text, &rule->to);
	}
	if (rule->from.ip.family == 0 && rule->to.ip.family == 0)
		wr_text_add(text, rule->family == AF_INET6 ? " from any IPv6" : " from any IPv4");
	if (rule->iif != NULL) {
		wr_text_add(text, " iif ");
		wr_words_name(text, rule->iif);
	}
	if (rule->oif != NULL) {
		wr_text_add(text, " oif ");
		wr_words_name(text, rule->oif);
	}
	if (rule->mark != 0 || rule->mask != 0)
		wr_text_addf(text, " mark %#x", rule->mark);
	if (rule->mask != 0 && rule->mask != UINT32_MAX)
		wr_text_addf(text, "/%#x", rule->mask);
	if (rule->action == FR_ACT_TO_TBL) {
		wr_text_add(text, " table ");
		wr_text_add_uint(text, rule->table);
	} else {
		wr_text_add_char(text, ' ');
		wr_text_add(text, wr_rule_action_name(rule->action));
	}
}

static void add_count(struct wr_text *text, size_t count, const char *what, bool *is_first)
{
	if (count == 0)
		return;
	wr_text_add(text, *is_first ? " (" : ", ");
	*is_first = false;
	wr_text_add_uint(text, count);
	wr_text_add_char(text, ' ');
	wr_text_add(text, what);
	if (count > 1)
		wr_text_add_char(text, 's');
}

static void count_changes(const struct wr_nft_delta *delta, size_t counts[])
{
	for (size_t i = 0; i < delta->n_changes; i++) {
		const struct wr_nft_change *change = &delta->changes[i];

		counts[change->kind] += change->kind == WR_NFT_ADD_ELEMENTS || change->kind == WR_NFT_DEL_ELEMENTS
						? change->n_elements
						: 1;
	}
}

#define PORTS_SAID 4 /* more are counted */

/* One published port of a set, with its target where it comes. False: no port. */
static bool add_port(struct wr_text *text, const struct wr_nft_change *change, size_t i, bool is_first)
{
	bool comes = change->kind == WR_NFT_ADD_ELEMENTS;
	struct wr_publish publish;
	char in[16];

	if (!wr_filter_read_publish(change->set, change->elements[i], &publish, in))
		return false;
	wr_text_add(text, is_first ? ": " : ", ");
	if (!comes)
		wr_text_add(text, "not any more ");
	wr_words_publish(text, &publish);
	for (size_t family = 0; comes && family < 2; family++) {
		if (!publish.to[family].family)
			continue;
		wr_text_add(text, " to ");
		wr_words_endpoint(text, &publish.to[family], publish.port);
	}
	return true;
}

/* Where a few ports are all that changes, they are named. */
static bool add_ports(struct wr_text *text, const struct wr_nft_delta *delta)
{
	size_t before = text->length;
	bool is_first = true;

	if (delta->n_elements > PORTS_SAID)
		return false;
	for (size_t i = 0; i < delta->n_changes; i++) {
		const struct wr_nft_change *change = &delta->changes[i];
		bool said = change->kind == WR_NFT_ADD_ELEMENTS || change->kind == WR_NFT_DEL_ELEMENTS;

		for (size_t k = 0; said && k < change->n_elements; k++, is_first = false)
			said = add_port(text, change, k, is_first);
		if (!said) {
			text->length = before;
			if (text->bytes)
				text->bytes[before] = '\0';
			return false;
		}
	}
	return !is_first;
}

void wr_words_endpoint(struct wr_text *text, const struct wr_ip *ip, uint16_t port)
{
	bool brackets = ip->family == AF_INET6;

	wr_text_add(text, brackets ? "[" : "");
	wr_words_ip(text, ip);
	wr_text_add(text, brackets ? "]:" : ":");
	wr_text_add_uint(text, port);
}

void wr_words_publish(struct wr_text *text, const struct wr_publish *publish)
{
	wr_text_add(text, publish->protocol == IPPROTO_UDP ? "udp " : "tcp ");
	if (publish->host.family)
		wr_words_endpoint(text, &publish->host, publish->host_port);
	else
		wr_text_add_uint(text, publish->host_port);
	if (publish->in) {
		wr_text_add_char(text, '@');
		wr_words_name(text, publish->in);
	}
}

void wr_words_delta(struct wr_text *text, const struct wr_nft_delta *delta)
{
	size_t counts[WR_NFT_CHANGES_] = {0};
	bool is_first = true;

	if (add_ports(text, delta))
		return;
	count_changes(delta, counts);
	add_count(text, counts[WR_NFT_ADD_CHAIN], "chain", &is_first);
	add_count(text, counts[WR_NFT_ADD_SET], "set", &is_first);
	add_count(text, counts[WR_NFT_ADD_RULE] + counts[WR_NFT_INSERT_RULE], "rule", &is_first);
	add_count(text, counts[WR_NFT_ADD_ELEMENTS], "element", &is_first);
	add_count(text, counts[WR_NFT_SET_POLICY], "policy change", &is_first);
	add_count(text, counts[WR_NFT_FLUSH_CHAIN], "rewritten chain", &is_first);
	add_count(text, counts[WR_NFT_DEL_CHAIN], "removed chain", &is_first);
	add_count(text, counts[WR_NFT_DEL_SET], "removed set", &is_first);
	add_count(text, counts[WR_NFT_DEL_RULE], "removed rule", &is_first);
	add_count(text, counts[WR_NFT_DEL_ELEMENTS], "removed element", &is_first);
	if (!is_first)
		wr_text_add_char(text, ')');
}

static const struct wr_conf *conf_of(const struct wr_step *step)
{
	switch ((enum wr_step_scope)step->scope) {
	case WR_SCOPE_LINK:
		return &step->link->conf;
	case WR_SCOPE_ALL:
		return &step->ns->conf_all;
	case WR_SCOPE_DEFAULT:
		return &step->ns->conf_default;
	}
	return &step->ns->conf_all;
}

int wr_step_conf_value(const struct wr_step *step)
{
	return conf_of(step)->value[step->conf];
}

void wr_words_conf_key(struct wr_text *text, const struct wr_step *step)
{
	const struct wr_conf_row *row = &wr_conf_rows[step->conf];
	char scope[WR_IFNAME_MAX + 1];
	size_t length;

	if (step->conf == WR_CONF_V4_FORWARDING && step->scope == WR_SCOPE_ALL) {
		wr_text_add(text, "net.ipv4.ip_forward");
		return;
	}
	wr_text_add(text, row->family == AF_INET ? "net.ipv4.conf." : "net.ipv6.conf.");
	switch ((enum wr_step_scope)step->scope) {
	case WR_SCOPE_LINK:
		/* sysctl(8) takes a '/' for a dot that is no separator. */
		for (length = 0; length < WR_IFNAME_MAX && step->link->ifname[length] != '\0'; length++)
			scope[length] = step->link->ifname[length] == '.' ? '/' : step->link->ifname[length];
		scope[length] = '\0';
		wr_words_name(text, scope);
		break;
	case WR_SCOPE_ALL:
		wr_text_add(text, "all");
		break;
	case WR_SCOPE_DEFAULT:
		wr_text_add(text, "default");
		break;
	}
	wr_text_add_char(text, '.');
	wr_text_add(text, row->name);
}

const char *wr_step_file_name(const struct wr_step *step)
{
	switch ((enum wr_step_file)step->scope) {
	case WR_FILE_HOSTS:
		return "hosts";
	case WR_FILE_RESOLV:
		return "resolv.conf";
	}
	return "hosts";
}

struct wr_step_counts wr_plan_count(const struct wr_plan *plan)
{
	struct wr_step_counts counts = {0};

	for (size_t i = 0; i < plan->n_steps; i++) {
		switch ((enum wr_step_sign)plan->steps[i].sign) {
		case WR_STEP_ADD:
			counts.add++;
			break;
		case WR_STEP_CHANGE:
			counts.change++;
			break;
		case WR_STEP_REMOVE:
			counts.remove++;
			break;
		}
		if (plan->steps[i].interrupts)
			counts.interruptions++;
	}
	return counts;
}
