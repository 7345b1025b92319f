/* write.c: a model as a network file in long form.
 *
 * Every default is spelled out: reading the text again gives an equal model. A MAC address that warren derives stands in a comment:
 * written as a key it would stay when the network gets another name, and two copies of a network would share it. */
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/text.h"
#include "file/netfile.h"
#include "file/write.h"
#include "model/name.h"

/* Words that YAML, or this file, reads as something else than text. */
static const char *const taken_words[] = {"null", "true", "false",   "yes", "no", "on",
					  "off",  "none", "default", "y",   "n"};

static bool is_bare(const char *string)
{
	size_t length = strspn(string, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-");

	if (!length || string[length] || strchr(".-/", string[0]))
		return false;
	for (size_t i = 0; i < sizeof taken_words / sizeof taken_words[0]; i++)
		if (!strcasecmp(string, taken_words[i]))
			return false;
	return true;
}

void wr_nf_write_scalar(struct wr_text *text, const char *string)
{
	if (is_bare(string)) {
		wr_text_add(text, string);
		return;
	}
	wr_text_add_char(text, '"');
	for (; *string; string++) {
		unsigned char c = (unsigned char)*string;

		if (c == '"' || c == '\\')
			wr_text_addf(text, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			wr_text_addf(text, "\\x%02x", c);
		else
			wr_text_add_char(text, (char)c);
	}
	wr_text_add_char(text, '"');
}

void wr_nf_write_ip(struct wr_text *text, const struct wr_ip *ip)
{
	char buffer[WR_IP_TEXT_MAX];

	wr_nf_write_scalar(text, wr_ip_format(ip, buffer));
}

void wr_nf_write_prefix(struct wr_text *text, const struct wr_prefix *prefix)
{
	char buffer[WR_PREFIX_TEXT_MAX];

	wr_nf_write_scalar(text, wr_prefix_format(prefix, buffer));
}

void wr_nf_write_addresses(struct wr_text *text, const struct wr_link *link)
{
	if (!link->n_addresses) {
		wr_text_add(text, "none");
		return;
	}
	for (size_t i = 0; i < link->n_addresses; i++) {
		wr_text_add(text, i ? ", " : "[");
		wr_nf_write_prefix(text, &link->addresses[i].prefix);
	}
	wr_text_add_char(text, ']');
}

static void add_mac(struct wr_text *text, const char *indent, const struct wr_link *link)
{
	char buffer[WR_MAC_TEXT_MAX];

	if (link->mac_set)
		wr_text_addf(text, link->mac_written ? "%smac: \"%s\"\n" : "%s# mac: \"%s\"\n", indent,
			     wr_mac_format(&link->mac, buffer));
}

static const char *truth(bool value)
{
	return value ? "true" : "false";
}

/* --- bridges ------------------------------------------------------------------------------------------------------- */

static void add_option(struct wr_text *text, const char *name, int value, bool is_flag, const char **comma)
{
	if (value < 0)
		return;
	wr_text_add(text, *comma);
	if (is_flag)
		wr_text_addf(text, "%s: %s", name, truth(value));
	else
		wr_text_addf(text, "%s: %d", name, value);
	*comma = ", ";
}

static void add_options(struct wr_text *text, const struct wr_bridge_options *options)
{
	const char *comma = "";

	wr_text_add(text, "    options: {");
	add_option(text, "stp", options->stp, true, &comma);
	add_option(text, "forward_delay", options->forward_delay, false, &comma);
	add_option(text, "ageing", options->ageing, false, &comma);
	add_option(text, "group_fwd_mask", options->group_fwd_mask, false, &comma);
	add_option(text, "mcast_snooping", options->mcast_snooping, true, &comma);
	wr_text_add(text, "}\n");
}

static void add_bridge(struct wr_text *text, const struct wr_model *model, const struct wr_bridge *bridge)
{
	char usual[16];

	wr_text_add(text, "  ");
	wr_nf_write_scalar(text, bridge->name);
	wr_text_add(text, ":\n    subnet: [");
	for (size_t i = 0; i < bridge->n_subnets; i++) {
		wr_text_add(text, i ? ", " : "");
		wr_nf_write_prefix(text, &bridge->subnets[i]);
	}
	wr_text_add(text, "]\n    host: ");
	if (bridge->host && bridge->link->n_addresses)
		wr_nf_write_addresses(text, bridge->link);
	else
		wr_text_add(text, truth(bridge->host));
	wr_text_add_char(text, '\n');
	if (bridge->gateway) {
		wr_text_add(text, "    gateway: ");
		wr_nf_write_scalar(text, bridge->gateway->name);
		wr_text_add_char(text, '\n');
	}
	wr_nf_write_nat(text, bridge->nat);
	wr_text_addf(text, "    isolated: %s\n    routed: %s\n    guard: %s\n", truth(bridge->isolated),
		     truth(bridge->routed), truth(bridge->guard));
	if (bridge->mtu)
		wr_text_addf(text, "    mtu: %u\n", bridge->mtu);
	add_mac(text, "    ", bridge->link);
	wr_name_host_link(model->name, bridge->host ? model->link_prefix : "", bridge->name, NULL, usual);
	/* Like the MAC: the usual name goes with the network's. */
	wr_text_add(text, strcmp(usual, bridge->link->ifname) ? "    ifname: " : "    # ifname: ");
	wr_nf_write_scalar(text, bridge->link->ifname);
	wr_text_add_char(text, '\n');
	add_options(text, bridge->link->bridge);
}

/* --- namespaces ---------------------------------------------------------------------------------------------------- */

static void add_interface(struct wr_text *text, const struct wr_link *link, const struct wr_conf *usual)
{
	wr_text_add(text, "      ");
	wr_nf_write_scalar(text, link->name);
	wr_text_add(text, ":\n");
	if (link->segment) {
		wr_text_add(text, "        bridge: ");
		wr_nf_write_scalar(text, link->segment->name);
		wr_text_add_char(text, '\n');
	}
	wr_text_add(text, "        address: ");
	wr_nf_write_addresses(text, link);
	wr_text_add_char(text, '\n');
	add_mac(text, "        ", link);
	wr_text_addf(text, "        mtu: %u\n        up: %s\n", link->mtu, truth(link->up));
	if (link->segment)
		wr_text_addf(text, "        isolated: %s\n", truth(link->isolated));
	wr_nf_write_link_sysctls(text, "        ", link, usual);
}

static void add_namespace(struct wr_text *text, const struct wr_ns *ns, struct wr_nf_usual *usual)
{
	bool any = false;

	if (wr_nf_usual_of(usual, ns) < 0) {
		text->error = -ENOMEM;
		return;
	}
	wr_text_add(text, "  ");
	wr_nf_write_scalar(text, ns->name);
	wr_text_addf(text, ":\n    forward: %s\n", truth(ns->forward));
	for (size_t i = 0; i < ns->n_links; i++) {
		if (ns->links[i]->kind != WR_LINK_LOOPBACK)
			continue;
		wr_text_add(text, "    lo:\n      address: ");
		wr_nf_write_addresses(text, ns->links[i]);
		wr_text_add_char(text, '\n');
		wr_nf_write_link_sysctls(text, "      ", ns->links[i], &usual->links[i].conf);
	}
	for (size_t i = 0; i < ns->n_links; i++) {
		if (ns->links[i]->kind == WR_LINK_LOOPBACK)
			continue;
		if (!any)
			wr_text_add(text, "    interfaces:\n");
		any = true;
		add_interface(text, ns->links[i], &usual->links[i].conf);
	}
	if (!any)
		wr_text_add(text, "    interfaces: {}\n");
	wr_nf_write_routes(text, ns);
	wr_nf_write_extras(text, ns);
	wr_nf_write_traffic(text, ns);
	wr_nf_write_ns_sysctls(text, ns, usual);
}

/* --- cables -------------------------------------------------------------------------------------------------------- */

static bool is_cable(const struct wr_link *link)
{
	return link->kind == WR_LINK_VETH && link->peer && !link->master && !link->segment;
}

static void add_end(struct wr_text *text, const struct wr_link *link)
{
	WR_CLEANUP_TEXT struct wr_text end = {0};

	wr_text_add(&end, link->ns->name);
	wr_text_add_char(&end, ':');
	wr_text_add(&end, link->name);
	wr_nf_write_scalar(text, wr_text_string(&end));
}

/* Only the host's ends have their addresses here: it has no entry under `namespaces`. */
static void add_end_addresses(struct wr_text *text, const struct wr_link *link)
{
	if (link->ns->is_host)
		wr_nf_write_addresses(text, link);
	else
		wr_text_add(text, "none");
}

static void add_cable(struct wr_text *text, const struct wr_link *link, bool *any)
{
	if (!*any)
		wr_text_add(text, "links:\n");
	*any = true;
	wr_text_add(text, "  - ends: [");
	add_end(text, link);
	wr_text_add(text, ", ");
	add_end(text, link->peer);
	wr_text_addf(text, "]\n    mtu: %u\n", link->mtu);
	if (!link->ns->is_host && !link->peer->ns->is_host)
		return;
	wr_text_add(text, "    addresses: [");
	add_end_addresses(text, link);
	wr_text_add(text, ", ");
	add_end_addresses(text, link->peer);
	wr_text_add(text, "]\n");
}

/* Each once, at the end that comes first: the peer's namespace is not among those that were seen, or it is this one. */
static int add_cables(struct wr_text *text, const struct wr_model *model)
{
	WR_CLEANUP_ARENA struct wr_arena *arena = wr_arena_new();
	struct wr_map seen = {.arena = arena};
	bool any = false;

	if (!arena)
		return -ENOMEM;
	for (size_t i = 0; i < model->n_ns; i++) {
		struct wr_ns *ns = model->ns[i];

		for (size_t j = 0; j < ns->n_links; j++) {
			const struct wr_link *link = ns->links[j];
			bool first = true;

			if (!is_cable(link))
				continue;
			if (link->peer->ns != ns)
				first = !wr_map_get(&seen, link->peer->ns->name);
			for (size_t k = 0; link->peer->ns == ns && k < j; k++)
				first &= ns->links[k] != link->peer;
			if (first)
				add_cable(text, link, &any);
		}
		if (ns->n_links && !ns->is_bridge && wr_map_put(&seen, ns->name, ns) < 0)
			return -ENOMEM;
	}
	if (!any)
		wr_text_add(text, "links: []\n");
	return 0;
}

/* --- the whole ----------------------------------------------------------------------------------------------------- */

static void add_prefix(struct wr_text *text, const struct wr_model *model)
{
	if (strcmp(model->ns_prefix, model->link_prefix) != 0) /* the usual pair, which no key can say */
		return;
	wr_text_add(text, "prefix: ");
	wr_nf_write_scalar(text, model->ns_prefix);
	wr_text_add_char(text, '\n');
}

void wr_netfile_write(const struct wr_model *model, struct wr_text *text)
{
	struct wr_nf_usual usual = {0};
	bool any = false;

	wr_text_add(text, "name: ");
	wr_nf_write_scalar(text, model->name);
	wr_text_add_char(text, '\n');
	add_prefix(text, model);
	wr_text_add(text, model->n_bridges ? "bridges:\n" : "bridges: {}\n");
	for (size_t i = 0; i < model->n_bridges; i++)
		add_bridge(text, model, model->bridges[i]);
	for (size_t i = 0; i < model->n_ns; i++) {
		if (model->ns[i]->is_host || model->ns[i]->is_bridge)
			continue;
		wr_text_add(text, any ? "" : "namespaces:\n");
		any = true;
		add_namespace(text, model->ns[i], &usual);
	}
	if (!any)
		wr_text_add(text, "namespaces: {}\n");
	if (add_cables(text, model) < 0)
		text->error = -ENOMEM;
	wr_nf_usual_done(&usual);
}
