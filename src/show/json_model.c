/* json_model.c: a model as JSON, and the objects in it.
 *
 * Theory: the shape is the same whatever there is: every member is always there, a list is a list also when it is empty or
 * has one element, and what is unset is null. */
#include "show/show.h"

#include <errno.h>

#include "base/text.h"
#include "show/json.h"
#include "plan/words.h"

void wr_json_ip(struct wr_json *json, const struct wr_ip *ip)
{
	char buffer[WR_IP_TEXT_MAX];

	if (ip->family == 0)
		wr_json_null(json);
	else
		wr_json_string(json, wr_ip_format(ip, buffer));
}

void wr_json_prefix(struct wr_json *json, const struct wr_prefix *prefix)
{
	char buffer[WR_PREFIX_TEXT_MAX];

	if (prefix->ip.family == 0)
		wr_json_null(json);
	else
		wr_json_string(json, wr_prefix_format(prefix, buffer));
}

void wr_json_mac(struct wr_json *json, const struct wr_mac *mac)
{
	char buffer[WR_MAC_TEXT_MAX];

	wr_json_string(json, mac != NULL ? wr_mac_format(mac, buffer) : NULL);
}

void wr_json_link_reference(struct wr_json *json, const struct wr_link *link)
{
	if (link == NULL) {
		wr_json_null(json);
		return;
	}
	wr_json_begin(json, '{');
	wr_json_member_string(json, "namespace", link->ns != NULL ? link->ns->name : WR_HOST_NAME);
	wr_json_member_string(json, "name", link->name);
	wr_json_member_string(json, "ifname", link->ifname);
	wr_json_end(json, '}');
}

void wr_json_bridge_of(struct wr_json *json, const struct wr_link *link)
{
	if (link->segment != NULL)
		wr_json_string(json, link->segment->name);
	else if (link->master != NULL)
		wr_json_string(json, link->master->name);
	else if (link->kind == WR_LINK_VETH && link->peer != NULL && link->peer->master != NULL)
		wr_json_string(json, link->peer->master->name);
	else
		wr_json_null(json);
}

static void option(struct wr_json *json, const char *key, int value)
{
	wr_json_key(json, key);
	if (value < 0)
		wr_json_null(json);
	else
		wr_json_int(json, value);
}

void wr_json_bridge_options(struct wr_json *json, const struct wr_bridge_options *options)
{
	if (options == NULL) {
		wr_json_null(json);
		return;
	}
	wr_json_begin(json, '{');
	option(json, "stp", options->stp);
	option(json, "forward_delay", options->forward_delay);
	option(json, "ageing", options->ageing);
	option(json, "group_fwd_mask", options->group_fwd_mask);
	option(json, "mcast_snooping", options->mcast_snooping);
	wr_json_end(json, '}');
}

void wr_json_route(struct wr_json *json, const struct wr_route *route)
{
	if (route == NULL) {
		wr_json_null(json);
		return;
	}
	wr_json_begin(json, '{');
	wr_json_key(json, "to");
	wr_json_prefix(json, &route->to);
	wr_json_member_string(json, "type", wr_route_type_name(route->type));
	wr_json_member_uint(json, "table", route->table);
	wr_json_member_uint(json, "metric", route->metric);
	wr_json_member_uint(json, "protocol", route->protocol);
	wr_json_key(json, "src");
	wr_json_ip(json, &route->src);
	wr_json_key(json, "nexthops");
	wr_json_begin(json, '[');
	for (size_t i = 0; i < route->n_hops; i++) {
		wr_json_begin(json, '{');
		wr_json_key(json, "via");
		wr_json_ip(json, &route->hops[i].via);
		wr_json_member_string(json, "dev", route->hops[i].dev);
		wr_json_member_uint(json, "weight", route->hops[i].weight != 0 ? route->hops[i].weight : 1);
		wr_json_end(json, '}');
	}
	wr_json_end(json, ']');
	wr_json_end(json, '}');
}

void wr_json_rule(struct wr_json *json, const struct wr_rule *rule)
{
	wr_json_begin(json, '{');
	wr_json_member_uint(json, "family", rule->family == AF_INET6 ? 6 : 4);
	wr_json_member_uint(json, "priority", rule->priority);
	wr_json_key(json, "from");
	wr_json_prefix(json, &rule->from);
	wr_json_key(json, "to");
	wr_json_prefix(json, &rule->to);
	wr_json_member_string(json, "iif", rule->iif);
	wr_json_member_string(json, "oif", rule->oif);
	wr_json_member_uint(json, "mark", rule->mark);
	wr_json_member_uint(json, "mask", rule->mask);
	wr_json_member_string(json, "action", wr_rule_action_name(rule->action));
	wr_json_member_uint(json, "table", rule->table);
	wr_json_member_uint(json, "protocol", rule->protocol);
	wr_json_end(json, '}');
}

void wr_json_neighbour(struct wr_json *json, const struct wr_neighbour *neighbour)
{
	wr_json_begin(json, '{');
	wr_json_key(json, "address");
	wr_json_ip(json, &neighbour->ip);
	wr_json_key(json, "mac");
	wr_json_mac(json, &neighbour->mac);
	wr_json_member_string(json, "dev", neighbour->dev);
	wr_json_end(json, '}');
}

/* --- settings -------------------------------------------------------------------------------------------------------- */

static void sysctl(struct wr_json *json, const char *key, const char *value)
{
	wr_json_begin(json, '{');
	wr_json_member_string(json, "key", key);
	wr_json_member_string(json, "value", value);
	wr_json_end(json, '}');
}

static void sysctls(struct wr_json *json, const struct wr_sysctl *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sysctl(json, list[i].key, list[i].value);
}

/* What is known by number, under the names that a set_conf step would print. */
static void confs(struct wr_json *json, const struct wr_conf *conf, struct wr_step *step)
{
	for (int id = 0; id < WR_CONF_COUNT_; id++) {
		struct wr_text key WR_CLEANUP_TEXT = {0}, value WR_CLEANUP_TEXT = {0};

		if (conf->value[id] == WR_CONF_UNSET)
			continue;
		step->conf = (int8_t)id;
		wr_words_conf_key(&key, step);
		wr_text_addf(&value, "%d", conf->value[id]);
		sysctl(json, wr_text_string(&key), wr_text_string(&value));
		if (wr_text_error(&key) != 0 || wr_text_error(&value) != 0)
			json->text->error = -ENOMEM;
	}
}

static void link_sysctls(struct wr_json *json, struct wr_link *link)
{
	struct wr_step step = {.scope = WR_SCOPE_LINK, .ns = link->ns, .link = link};

	wr_json_key(json, "sysctls");
	wr_json_begin(json, '[');
	confs(json, &link->conf, &step);
	sysctls(json, link->sysctls, link->n_sysctls);
	wr_json_end(json, ']');
}

static void ns_sysctls(struct wr_json *json, struct wr_ns *ns)
{
	struct wr_step step = {.scope = WR_SCOPE_ALL, .ns = ns};

	wr_json_key(json, "sysctls");
	wr_json_begin(json, '[');
	confs(json, &ns->conf_all, &step);
	step.scope = WR_SCOPE_DEFAULT;
	confs(json, &ns->conf_default, &step);
	sysctls(json, ns->sysctls, ns->n_sysctls);
	wr_json_end(json, ']');
}

/* --- links and namespaces ---------------------------------------------------------------------------------------------- */

static void mtu(struct wr_json *json, const struct wr_link *link)
{
	wr_json_key(json, "mtu");
	if (link->mtu == 0)
		wr_json_null(json);
	else
		wr_json_uint(json, link->mtu);
}

static void addresses(struct wr_json *json, const struct wr_link *link)
{
	wr_json_key(json, "addresses");
	wr_json_begin(json, '[');
	for (size_t i = 0; i < link->n_addresses; i++) {
		wr_json_begin(json, '{');
		wr_json_key(json, "address");
		wr_json_prefix(json, &link->addresses[i].prefix);
		wr_json_member_bool(json, "handed_out", link->addresses[i].handed_out);
		wr_json_end(json, '}');
	}
	wr_json_end(json, ']');
}

static void add_interface(struct wr_json *json, struct wr_link *link)
{
	wr_json_begin(json, '{');
	wr_json_member_string(json, "name", link->name);
	wr_json_member_string(json, "ifname", link->ifname);
	wr_json_member_string(json, "altname", link->altname);
	wr_json_member_string(json, "alias", link->alias);
	wr_json_member_string(json, "kind", wr_link_kind_name(link->kind));
	wr_json_member_bool(json, "port", wr_link_is_port(link));
	wr_json_key(json, "bridge");
	wr_json_bridge_of(json, link);
	wr_json_key(json, "peer");
	wr_json_link_reference(json, link->peer);
	wr_json_member_bool(json, "up", link->up);
	wr_json_key(json, "mac");
	wr_json_mac(json, link->mac_set ? &link->mac : NULL);
	mtu(json, link);
	wr_json_member_uint(json, "group", link->group);
	wr_json_member_bool(json, "isolated", link->isolated);
	wr_json_key(json, "options");
	wr_json_bridge_options(json, link->bridge);
	addresses(json, link);
	link_sysctls(json, link);
	wr_json_end(json, '}');
}

static void dns(struct wr_json *json, const struct wr_ns *ns)
{
	wr_json_key(json, "dns");
	wr_json_begin(json, '{');
	wr_json_member_bool(json, "written", ns->has_dns);
	wr_json_key(json, "servers");
	wr_json_begin(json, '[');
	for (size_t i = 0; i < ns->n_dns_servers; i++)
		wr_json_ip(json, &ns->dns_servers[i]);
	wr_json_end(json, ']');
	wr_json_key(json, "search");
	wr_json_begin(json, '[');
	for (size_t i = 0; i < ns->n_dns_search; i++)
		wr_json_string(json, ns->dns_search[i]);
	wr_json_end(json, ']');
	wr_json_end(json, '}');
}

static void routing(struct wr_json *json, const struct wr_ns *ns)
{
	wr_json_key(json, "routes");
	wr_json_begin(json, '[');
	for (size_t i = 0; i < ns->n_routes; i++)
		wr_json_route(json, &ns->routes[i]);
	wr_json_end(json, ']');
	wr_json_key(json, "rules");
	wr_json_begin(json, '[');
	for (size_t i = 0; i < ns->n_rules; i++)
		wr_json_rule(json, &ns->rules[i]);
	wr_json_end(json, ']');
	wr_json_key(json, "neighbours");
	wr_json_begin(json, '[');
	for (size_t i = 0; i < ns->n_neighbours; i++)
		wr_json_neighbour(json, &ns->neighbours[i]);
	wr_json_end(json, ']');
}

/* --- traffic ----------------------------------------------------------------------------------------------------------- */

static void nat(struct wr_json *json, const struct wr_nat *nat)
{
	wr_json_key(json, "nat");
	if (nat == NULL) {
		wr_json_null(json);
		return;
	}
	wr_json_begin(json, '{');
	wr_json_member_string(json, "out", nat->out);
	wr_json_key(json, "address");
	wr_json_begin(json, '[');
	for (int family = 0; family < 2; family++)
		if (nat->address[family].family != 0)
			wr_json_ip(json, &nat->address[family]);
	wr_json_end(json, ']');
	wr_json_end(json, '}');
}

static void publishes(struct wr_json *json, const struct wr_ns *ns)
{
	wr_json_key(json, "publish");
	wr_json_begin(json, '[');
	for (size_t i = 0; i < ns->n_publishes; i++) {
		const struct wr_publish *publish = &ns->publishes[i];

		wr_json_begin(json, '{');
		wr_json_member_string(json, "protocol", publish->protocol == IPPROTO_UDP ? "udp" : "tcp");
		wr_json_key(json, "host_address");
		wr_json_ip(json, &publish->host);
		wr_json_member_string(json, "host_interface", publish->in);
		wr_json_member_uint(json, "host_port", publish->host_port);
		wr_json_member_uint(json, "port", publish->port);
		wr_json_key(json, "to");
		wr_json_begin(json, '[');
		for (int family = 0; family < 2; family++) {
			if (publish->to[family].family == 0)
				continue;
			wr_json_begin(json, '{');
			wr_json_key(json, "address");
			wr_json_ip(json, &publish->to[family]);
			wr_json_key(json, "via");
			wr_json_link_reference(json, publish->via[family]);
			wr_json_end(json, '}');
		}
		wr_json_end(json, ']');
		wr_json_end(json, '}');
	}
	wr_json_end(json, ']');
}

static void side(struct wr_json *json, const char *key, const struct wr_prefix *prefixes, size_t count)
{
	wr_json_key(json, key);
	wr_json_begin(json, '[');
	for (size_t i = 0; i < count; i++)
		wr_json_prefix(json, &prefixes[i]);
	wr_json_end(json, ']');
}

static void phrases(struct wr_json *json, const struct wr_firewall *firewall, bool deny)
{
	wr_json_key(json, deny ? "deny" : "accept");
	wr_json_begin(json, '[');
	for (size_t i = 0; i < firewall->n_phrases; i++) {
		const struct wr_phrase *phrase = &firewall->phrases[i];

		if (phrase->deny != deny)
			continue;
		wr_json_begin(json, '{');
		wr_json_member_string(json, "phrase", phrase->text);
		side(json, "from", phrase->from_prefixes, phrase->n_from_prefixes);
		side(json, "to", phrase->to_prefixes, phrase->n_to_prefixes);
		wr_json_end(json, '}');
	}
	wr_json_end(json, ']');
}

static void firewall(struct wr_json *json, const struct wr_ns *ns)
{
	static const char *const names[WR_FIREWALL_HOOKS_] = {
		[WR_FIREWALL_INPUT] = "input", [WR_FIREWALL_OUTPUT] = "output", [WR_FIREWALL_FORWARD] = "forward"};

	wr_json_key(json, "firewall");
	wr_json_begin(json, '{');
	for (int id = 0; id < WR_FIREWALL_HOOKS_; id++) {
		const struct wr_firewall *hook = ns->firewall != NULL ? &ns->firewall[id] : NULL;

		wr_json_key(json, names[id]);
		if (hook == NULL || !hook->on) {
			wr_json_null(json);
			continue;
		}
		wr_json_begin(json, '{');
		wr_json_member_string(json, "policy", hook->drop ? "drop" : "accept");
		phrases(json, hook, true);
		phrases(json, hook, false);
		wr_json_member_bool(json, "log", hook->log);
		wr_json_end(json, '}');
	}
	wr_json_end(json, '}');
}

static void add_namespace(struct wr_json *json, struct wr_ns *ns)
{
	wr_json_begin(json, '{');
	wr_json_member_string(json, "name", ns->name);
	wr_json_member_string(json, "pin", ns->pin);
	wr_json_member_bool(json, "host", ns->is_host);
	wr_json_member_bool(json, "holds_bridge", ns->is_bridge);
	wr_json_member_bool(json, "forward", ns->forward);
	wr_json_key(json, "interfaces");
	wr_json_begin(json, '[');
	for (size_t i = 0; i < ns->n_links; i++)
		add_interface(json, ns->links[i]);
	wr_json_end(json, ']');
	routing(json, ns);
	nat(json, ns->nat);
	publishes(json, ns);
	firewall(json, ns);
	ns_sysctls(json, ns);
	dns(json, ns);
	wr_json_key(json, "hosts");
	wr_json_begin(json, '[');
	for (size_t i = 0; i < ns->n_hosts; i++) {
		wr_json_begin(json, '{');
		wr_json_member_string(json, "name", ns->hosts[i].name);
		wr_json_key(json, "address");
		wr_json_ip(json, &ns->hosts[i].ip);
		wr_json_end(json, '}');
	}
	wr_json_end(json, ']');
	wr_json_end(json, '}');
}

static void add_bridge(struct wr_json *json, const struct wr_bridge *bridge)
{
	const char *gateway = bridge->gateway != NULL ? bridge->gateway->name : bridge->host ? WR_HOST_NAME : NULL;

	wr_json_begin(json, '{');
	wr_json_member_string(json, "name", bridge->name);
	wr_json_member_bool(json, "host", bridge->host);
	wr_json_key(json, "link");
	wr_json_link_reference(json, bridge->link);
	wr_json_key(json, "subnets");
	wr_json_begin(json, '[');
	for (size_t i = 0; i < bridge->n_subnets; i++)
		wr_json_prefix(json, &bridge->subnets[i]);
	wr_json_end(json, ']');
	wr_json_member_string(json, "gateway", gateway);
	nat(json, bridge->nat);
	wr_json_member_bool(json, "isolated", bridge->isolated);
	wr_json_member_bool(json, "routed", bridge->routed);
	wr_json_member_bool(json, "guard", bridge->guard);
	wr_json_member_uint(json, "ports", bridge->n_ports);
	wr_json_end(json, '}');
}

void wr_json_model(struct wr_json *json, const struct wr_model *model)
{
	wr_json_begin(json, '{');
	wr_json_member_string(json, "warren", "show");
	wr_json_member_uint(json, "format", WR_JSON_FORMAT);
	wr_json_member_string(json, "network", model->name);
	wr_json_member_string(json, "source", model->source);
	wr_json_key(json, "prefixes");
	wr_json_begin(json, '{');
	wr_json_member_string(json, "namespace", model->ns_prefix);
	wr_json_member_string(json, "link", model->link_prefix);
	wr_json_end(json, '}');
	wr_json_key(json, "bridges");
	wr_json_begin(json, '[');
	for (size_t i = 0; i < model->n_bridges; i++) {
		wr_json_line(json);
		add_bridge(json, model->bridges[i]);
	}
	wr_json_end(json, ']');
	wr_json_key(json, "namespaces");
	wr_json_begin(json, '[');
	for (size_t i = 0; i < model->n_ns; i++) {
		wr_json_line(json);
		add_namespace(json, model->ns[i]);
	}
	wr_json_end(json, ']');
	wr_json_end(json, '}');
}

void wr_show_model_json(const struct wr_model *model, struct wr_text *text)
{
	struct wr_json json = {.text = text};

	wr_json_model(&json, model);
	wr_text_add_char(text, '\n');
}
