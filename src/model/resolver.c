/* resolver.c: what a namespace sees as /etc/hosts and /etc/resolv.conf.
 *
 * The C library takes the first line that matches for a name's canonical form, and all lines for its addresses: an interface's
 * addresses come before those of lo, which others reach only by a route. */
#include "model/resolver.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "model/model.h"

static void add_mark(const struct wr_model *model, struct wr_text *text)
{
	wr_text_add(text, WR_RESOLVER_MARK);
	wr_text_add(text, model->name);
	wr_text_add_char(text, '\n');
}

/* Whether machine is a host name as a hosts file can hold one. */
static bool is_hostname(const char *machine)
{
	if (!machine || !*machine)
		return false;
	for (const char *p = machine; *p; p++) {
		if (!isalnum((unsigned char)*p) && *p != '-' && *p != '.' && *p != '_')
			return false;
	}
	return true;
}

static void add_local(const struct wr_model *model, const char *machine, struct wr_text *text)
{
	wr_text_add(text, "127.0.0.1\tlocalhost\n");
	/* A namespace of the machine's name is found instead of it. */
	if (is_hostname(machine) && strcmp(machine, "localhost") != 0 && !wr_model_find_ns(model, machine)) {
		const char *dot = strchr(machine, '.');

		wr_text_add(text, "127.0.1.1\t");
		wr_text_add(text, machine);
		if (dot && dot > machine) {
			wr_text_add_char(text, ' ');
			wr_text_add_bytes(text, machine, (size_t)(dot - machine));
		}
		wr_text_add_char(text, '\n');
	}
	wr_text_add(text, "::1\tlocalhost ip6-localhost ip6-loopback\n"
			  "ff02::1\tip6-allnodes\n"
			  "ff02::2\tip6-allrouters\n");
}

static void add_link(const struct wr_link *link, struct wr_text *text)
{
	const struct wr_ns *ns = link->ns;
	char buffer[WR_IP_TEXT_MAX];

	for (size_t i = 0; i < link->n_addresses; i++) {
		const struct wr_ip *ip = &link->addresses[i].prefix.ip;

		if (wr_ip_is_loopback(ip) || wr_ip_is_linklocal(ip))
			continue;
		wr_text_add(text, wr_ip_format(ip, buffer));
		wr_text_add_char(text, '\t');
		wr_text_add(text, ns->name);
		wr_text_add_char(text, ' ');
		wr_text_add(text, ns->name);
		wr_text_add_char(text, '.');
		wr_text_add(text, ns->model->name);
		wr_text_add_char(text, '\n');
	}
}

static void add_namespaces(const struct wr_model *model, struct wr_text *text)
{
	for (size_t i = 0; i < model->n_ns; i++) {
		const struct wr_ns *ns = model->ns[i];

		if (ns->is_host || ns->is_bridge)
			continue;
		for (size_t j = 0; j < ns->n_links; j++) {
			if (ns->links[j]->kind != WR_LINK_LOOPBACK)
				add_link(ns->links[j], text);
		}
		for (size_t j = 0; j < ns->n_links; j++) {
			if (ns->links[j]->kind == WR_LINK_LOOPBACK)
				add_link(ns->links[j], text);
		}
	}
}

void wr_resolver_hosts(const struct wr_model *model, const char *machine, struct wr_text *text)
{
	add_mark(model, text);
	add_local(model, machine, text);
	add_namespaces(model, text);
}

void wr_resolver_add_names(const struct wr_ns *ns, struct wr_text *text)
{
	char buffer[WR_IP_TEXT_MAX];

	for (size_t i = 0; i < ns->n_hosts; i++) {
		wr_text_add(text, wr_ip_format(&ns->hosts[i].ip, buffer));
		wr_text_add_char(text, '\t');
		wr_text_add(text, ns->hosts[i].name);
		wr_text_add_char(text, '\n');
	}
}

void wr_resolver_hosts_of(const struct wr_ns *ns, const char *machine, struct wr_text *text)
{
	wr_resolver_hosts(ns->model, machine, text);
	wr_resolver_add_names(ns, text);
}

void wr_resolver_conf_of(const struct wr_ns *ns, struct wr_text *text)
{
	char buffer[WR_IP_TEXT_MAX];

	add_mark(ns->model, text);
	if (ns->n_dns_search) {
		wr_text_add(text, "search");
		for (size_t i = 0; i < ns->n_dns_search; i++) {
			wr_text_add_char(text, ' ');
			wr_text_add(text, ns->dns_search[i]);
		}
		wr_text_add_char(text, '\n');
	}
	for (size_t i = 0; i < ns->n_dns_servers; i++) {
		wr_text_add(text, "nameserver ");
		wr_text_add(text, wr_ip_format(&ns->dns_servers[i], buffer));
		wr_text_add_char(text, '\n');
	}
}
