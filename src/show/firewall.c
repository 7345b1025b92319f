/* firewall.c: packet filters for people. See firewall.h. */
#include "show/firewall.h"

#include <netinet/in.h> /* before linux/in.h */

#include <errno.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "filter/filter.h"
#include "model/model.h"
#include "model/nft.h"
#include "plan/words.h"
#include "show/columns.h"
#include "show/firewall_parts.h"
#include "show/nft.h"

#define COUNT_COLUMN 52
#define DENIED_MAX   20 /* in text; JSON has all */

/* What stands once in front of several lines. */
struct heading {
	struct wr_text *text;
	const char *words;
	bool is_printed;
};

static void print_heading(struct heading *heading)
{
	if (!heading->is_printed)
		wr_text_add(heading->text, heading->words);
	heading->is_printed = true;
}

static void add_protocol(struct wr_text *text, uint8_t protocol)
{
	const char *name = wr_protocol_name(protocol);

	if (name != NULL)
		wr_text_add(text, name);
	else
		wr_text_addf(text, "protocol %u", protocol);
}

/* --- rules ---------------------------------------------------------------------------------------------------------------- */

static void add_counts(struct wr_text *text, size_t from, const struct wr_rule_view *view)
{
	if (view->counted) {
		wr_show_pad(text, from, COUNT_COLUMN);
		wr_text_addf(text, "%llu packet%s, %llu byte%s", (unsigned long long)view->packets,
			     view->packets == 1 ? "" : "s", (unsigned long long)view->bytes,
			     view->bytes == 1 ? "" : "s");
	}
	wr_text_add_char(text, '\n');
}

static void add_foreign(struct wr_text *text, const struct wr_nft_table *table, const struct wr_nft_rule *rule,
			const struct wr_rule_view *view)
{
	size_t from = text->length;

	wr_text_add(text, table->network != NULL ? "    not from the file: " : "    ");
	wr_show_nft_rule(table, rule, text);
	if (view->words != NULL) {
		wr_text_add(text, " (");
		wr_words_name(text, view->words);
		wr_text_add_char(text, ')');
	}
	add_counts(text, from, view);
}

/* "always passes: loopback, answers": those of a chain's own rules that say something. */
static void add_always(struct heading *heading, const struct wr_nft_table *table, const struct wr_nft_chain *chain)
{
	const char *separator = "    always passes: ";
	struct wr_rule_view view;

	for (size_t i = 0; i < chain->n_rules; i++) {
		wr_rule_view(table, chain, &chain->rules[i], &view);
		if (view.origin != WR_RULE_STRUCTURE || view.words == NULL)
			continue;
		print_heading(heading);
		wr_text_add(heading->text, separator);
		wr_text_add(heading->text, view.words);
		separator = ", ";
	}
	if (separator[0] == ',')
		wr_text_add_char(heading->text, '\n');
}

/* Rules of one phrase, one for each family, stand behind each other: how many from the i-th on. */
static size_t count_phrase(const struct wr_nft_table *table, const struct wr_nft_chain *chain, size_t i,
			   struct wr_rule_view *ret)
{
	struct wr_rule_view next;
	size_t count = 1;

	wr_rule_view(table, chain, &chain->rules[i], ret);
	for (; ret->origin == WR_RULE_PHRASE && i + count < chain->n_rules; count++) {
		wr_rule_view(table, chain, &chain->rules[i + count], &next);
		if (next.origin != WR_RULE_PHRASE || strcmp(next.words, ret->words) != 0)
			break;
		ret->packets += next.packets;
		ret->bytes += next.bytes;
	}
	return count;
}

/* Returns how many rules were said. */
static size_t add_rule(struct heading *heading, const struct wr_nft_table *table, const struct wr_nft_chain *chain,
		       size_t i)
{
	struct wr_text *text = heading->text;
	struct wr_rule_view view;
	size_t count = count_phrase(table, chain, i, &view), from;

	if (view.origin == WR_RULE_STRUCTURE)
		return count;
	print_heading(heading);
	from = text->length;
	if (view.origin == WR_RULE_FOREIGN) {
		add_foreign(text, table, &chain->rules[i], &view);
		return count;
	}
	wr_text_add(text, "    ");
	wr_words_name(text, view.words);
	/* What nobody accepted, and what became of it. */
	if (strcmp(view.words, "policy") == 0)
		wr_text_add(text, chain->policy == NF_DROP ? ": drop" : ": accept");
	add_counts(text, from, &view);
	return count;
}

static void add_chain(struct wr_text *text, const struct wr_nft_table *table, const struct wr_nft_chain *chain)
{
	struct wr_text words WR_CLEANUP_TEXT = {0};
	struct heading heading = {.text = text};
	/* Other tables of ours keep out, and let everything else pass. */
	bool is_firewall = table->family == NFPROTO_INET && !table->ns->is_host;

	wr_text_add(&words, is_firewall || table->network == NULL ? "  " : "  dropped in ");
	wr_words_name(&words, chain->name);
	if (chain->type != NULL && (is_firewall || table->network == NULL || chain->policy == NF_DROP))
		wr_text_add(&words, chain->policy == NF_DROP ? ", policy drop" : ", policy accept");
	wr_text_add_char(&words, '\n');
	heading.words = wr_text_string(&words);
	/* A firewall that drops all is shown too; other chains of ours are only what they count. */
	if (chain->policy == NF_DROP || table->network == NULL)
		print_heading(&heading);
	if (is_firewall)
		add_always(&heading, table, chain);
	for (size_t i = 0; i < chain->n_rules;)
		i += add_rule(&heading, table, chain, i);
	if (wr_text_error(&words) != 0)
		text->error = wr_text_error(&words);
}

/* --- translation ------------------------------------------------------------------------------------------------------------- */

static void add_target(struct wr_text *text, const struct wr_firewall_view *view, const struct wr_ip *ip, uint16_t port)
{
	size_t length = 0;
	const char *name = wr_hosts_name(view->hosts, ip, &length);
	bool brackets = name == NULL && ip->family == AF_INET6;

	if (name != NULL) {
		struct wr_text word WR_CLEANUP_TEXT = {0};

		wr_text_add_bytes(&word, name, length);
		wr_text_add_escaped(text, wr_text_string(&word));
	} else {
		wr_text_add(text, brackets ? "[" : "");
		wr_words_ip(text, ip);
		wr_text_add(text, brackets ? "]" : "");
	}
	wr_text_addf(text, ":%u", port);
	if (name != NULL) {
		wr_text_add(text, " (");
		wr_words_ip(text, ip);
		wr_text_add_char(text, ')');
	}
}

static void add_publish(struct heading *heading, const struct wr_firewall_view *view, const struct wr_publish *publish)
{
	struct wr_text *text = heading->text;
	bool brackets = publish->host.family == AF_INET6;

	print_heading(heading);
	wr_text_add(text, "    ");
	add_protocol(text, publish->protocol);
	wr_text_add_char(text, ' ');
	if (publish->host.family != 0) {
		wr_text_add(text, brackets ? "[" : "");
		wr_words_ip(text, &publish->host);
		wr_text_add(text, brackets ? "]:" : ":");
	}
	wr_text_add_uint(text, publish->host_port);
	if (publish->in != NULL) {
		wr_text_add_char(text, '@');
		wr_words_name(text, publish->in);
	}
	wr_text_add(text, " → ");
	add_target(text, view, &publish->to[publish->to[0].family == 0], publish->port);
	wr_text_add_char(text, '\n');
}

static void add_nat(struct heading *heading, const struct wr_nat_view *nat)
{
	struct wr_text *text = heading->text;

	print_heading(heading);
	wr_text_add(text, "    ");
	if (nat->in[0] != '\0') {
		wr_text_add(text, "from ");
		wr_words_name(text, nat->in);
	}
	if (nat->out[0] != '\0') {
		wr_text_add(text, nat->in[0] != '\0' ? " by " : "by ");
		wr_words_name(text, nat->out);
	}
	wr_text_add(text, nat->family == AF_INET ? ", IPv4: " : ", IPv6: ");
	if (nat->address.family != 0)
		wr_words_ip(text, &nat->address);
	else
		wr_text_add(text, "masqueraded");
	wr_text_add_char(text, '\n');
}

static void add_translation(const struct wr_firewall_view *view, struct wr_text *text)
{
	const struct wr_nft_table *table = view->table;
	struct heading nat_heading = {.text = text, .words = "  nat\n"};
	struct heading publish_heading = {.text = text, .words = "  published\n"};

	for (size_t i = 0; i < table->n_sets; i++) {
		struct wr_nat_view nat;

		for (size_t k = 0; k < table->sets[i].n_elements; k++)
			if (wr_nat_view(table, &table->sets[i], &table->sets[i].elements[k], &nat))
				add_nat(&nat_heading, &nat);
	}
	for (size_t i = 0; i < table->n_sets; i++) {
		struct wr_publish publish;
		char in[16];

		for (size_t k = 0; k < table->sets[i].n_elements; k++)
			if (wr_filter_read_publish(&table->sets[i], &table->sets[i].elements[k], &publish, in))
				add_publish(&publish_heading, view, &publish);
	}
}

/* --- who reaches whom --------------------------------------------------------------------------------------------------------- */

struct interfaces {
	struct wr_text *text;
	const char *words;
	bool any;
};

static bool add_interface(const char *ifname, void *data)
{
	struct interfaces *interfaces = data;

	wr_text_add(interfaces->text, interfaces->any ? ", " : interfaces->words);
	wr_words_name(interfaces->text, ifname);
	interfaces->any = true;
	return true;
}

static void add_interfaces(const struct wr_nft_table *table, const char *set, const char *words, struct wr_text *text)
{
	struct interfaces interfaces = {.text = text, .words = words};

	if (wr_set_interfaces(table, set, add_interface, &interfaces))
		wr_text_add_char(text, '\n');
}

static void add_isolation(const struct wr_nft_table *table, struct wr_text *text)
{
	add_interfaces(table, "isolated", "  isolated: ", text);
	add_interfaces(table, "apart", "  isolated ports on: ", text);
	add_interfaces(table, "routed", "  open to the outside: ", text);
	add_interfaces(table, "guarded", "  guarded: ", text);
}

/* --- denials ---------------------------------------------------------------------------------------------------------------- */

static void add_ago(struct wr_text *text, uint64_t ms)
{
	uint64_t seconds = ms / 1000;

	if (seconds < 120)
		wr_text_addf(text, "%llu s ago", (unsigned long long)seconds);
	else
		wr_text_addf(text, "%llu min ago", (unsigned long long)(seconds / 60));
}

static void add_denied(struct wr_text *text, const struct wr_denied_view *denied)
{
	size_t from = text->length;

	wr_text_add(text, "    ");
	add_ago(text, denied->ago_ms);
	wr_show_pad(text, from, 16);
	wr_text_add(text, wr_firewall_hook_name(denied->hook));
	wr_show_pad(text, from, 25);
	add_protocol(text, denied->protocol);
	wr_text_add_char(text, ' ');
	wr_words_ip(text, &denied->from);
	wr_text_add(text, " → ");
	wr_words_ip(text, &denied->to);
	if (denied->port != 0)
		wr_text_addf(text, " port %u", denied->port);
	if (denied->counted)
		wr_text_addf(text, ", %llu packet%s", (unsigned long long)denied->packets,
			     denied->packets == 1 ? "" : "s");
	wr_text_add_char(text, '\n');
}

static void add_denials(const struct wr_nft_table *table, struct wr_text *text)
{
	struct wr_denied_view *list;
	size_t count;

	if (wr_denied_views(table, &list, &count) < 0) {
		text->error = -ENOMEM;
		return;
	}
	if (count > 0)
		wr_text_add(text, "  denied last\n");
	for (size_t i = 0; i < count && i < DENIED_MAX; i++)
		add_denied(text, &list[i]);
	if (count > DENIED_MAX)
		wr_text_addf(text, "    and %zu more\n", count - DENIED_MAX);
	free(list);
}

/* --- the whole ---------------------------------------------------------------------------------------------------------------- */

static bool same(const char *a, const char *b)
{
	return a != NULL && b != NULL ? strcmp(a, b) == 0 : a == b;
}

/* "shop/web", or this machine for one network. */
static void add_place(const struct wr_firewall_view *view, struct wr_text *text)
{
	if (view->pin == NULL) {
		wr_text_add(text, "this machine, network ");
		wr_words_name(text, view->network);
	} else if (view->network != NULL && view->name != NULL) {
		wr_words_name(text, view->network);
		wr_text_add_char(text, '/');
		wr_words_name(text, view->name);
	} else {
		wr_words_name(text, view->pin);
	}
	wr_text_add_char(text, '\n');
}

void wr_show_firewall_text(const struct wr_firewall_view *views, size_t count, struct wr_text *text)
{
	if (count == 0)
		wr_text_add(text, "no packet filter\n");
	for (size_t i = 0; i < count; i++) {
		const struct wr_nft_table *table = views[i].table;

		if (i == 0 || !same(views[i].pin, views[i - 1].pin) || !same(views[i].network, views[i - 1].network)) {
			wr_text_add(text, i > 0 ? "\n" : "");
			add_place(&views[i], text);
		}
		if (table->network == NULL) {
			wr_text_addf(text, "  table %s ", wr_nft_family_name(table->family));
			wr_words_name(text, table->name);
			wr_text_add(text, ", not warren's\n");
		} else {
			add_translation(&views[i], text);
			add_isolation(table, text);
		}
		for (size_t k = 0; k < table->n_chains; k++)
			add_chain(text, table, &table->chains[k]);
		add_denials(table, text);
	}
}

void wr_show_firewall_nft(const struct wr_firewall_view *views, size_t count, struct wr_text *text)
{
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || !same(views[i].pin, views[i - 1].pin)) {
			wr_text_add(text, "# ");
			wr_text_add_escaped(text, views[i].pin != NULL ? views[i].pin : "this machine");
			wr_text_add_char(text, '\n');
		}
		wr_show_nft_table(views[i].table, text);
	}
}
