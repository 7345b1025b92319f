/* resolver.h: the texts of hosts and resolv.conf that a network's namespaces see.
 *
 * Source:    hosts(5), resolv.conf(5), ip-netns(8) for /etc/netns/NAME. */
#pragma once

struct wr_model;
struct wr_ns;
struct wr_text;

#define WR_RESOLVER_MARK                                                                                               \
	"# made by warren for network " /* the first line of every regular file of ours: mark and name */

/* The hosts file of the network: localhost, this machine's name, then each namespace's addresses with its names
 * "web" and "web.shop". Needs assigned addresses. machine is the machine's host name. */
void wr_resolver_hosts(const struct wr_model *model, const char *machine, struct wr_text *text);
/* The same with the extra names of one namespace's `hosts:` behind it. */
void wr_resolver_hosts_of(const struct wr_ns *ns, const char *machine, struct wr_text *text);
/* Those extra names alone: who makes many such files makes the network's text once and adds these. */
void wr_resolver_add_names(const struct wr_ns *ns, struct wr_text *text);
/* resolv.conf of a namespace with `dns:`. */
void wr_resolver_conf_of(const struct wr_ns *ns, struct wr_text *text);
