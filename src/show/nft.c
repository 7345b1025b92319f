/* nft.c: tables, chains and changes in nft's words. See nft.h. */
#include "show/nft.h"

#include <netinet/in.h> /* before linux/in.h */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "filter/delta.h"
#include "show/nft_parts.h"

/* A piece of text that becomes a comment when it holds something that nft has no words for. */
struct piece {
	struct wr_text text;
	bool sayable;
};

static void add_piece(struct wr_text *text, struct piece *piece, const char *indent)
{
	const char *line = wr_text_string(&piece->text);

	if (wr_text_error(&piece->text) != 0)
		text->error = wr_text_error(&piece->text);
	if (!piece->sayable) {
		wr_text_add(text, indent);
		wr_text_add(text, "# nft has no words for the following:\n");
	}
	while (*line != '\0') {
		const char *end = strchrnul(line, '\n');

		wr_text_add(text, indent);
		if (!piece->sayable)
			wr_text_add(text, "# ");
		wr_text_add_bytes(text, line, (size_t)(end - line));
		wr_text_add_char(text, '\n');
		line = *end != '\0' ? end + 1 : end;
	}
	wr_text_done(&piece->text);
	piece->sayable = true;
}

static void add_name(struct piece *piece, const char *name)
{
	if (!wr_show_nft_name(&piece->text, name))
		piece->sayable = false;
}

static void add_quoted(struct piece *piece, const char *string)
{
	if (!wr_show_nft_quoted(&piece->text, string))
		piece->sayable = false;
}

/* "inet warren-shop" */
static void add_table_name(struct piece *piece, const struct wr_nft_table *table)
{
	wr_text_add(&piece->text, wr_nft_family_name(table->family));
	wr_text_add_char(&piece->text, ' ');
	add_name(piece, table->name);
}

/* --- chains --------------------------------------------------------------------------------------------------------------- */

const char *wr_nft_hook_name(uint8_t family, uint32_t hook)
{
	static const char *const inet[] = {"prerouting", "input", "forward", "output", "postrouting", "ingress"};
	static const char *const arp[] = {"input", "output"};
	static const char *const netdev[] = {"ingress", "egress"};

	if (family == NFPROTO_NETDEV)
		return hook < sizeof netdev / sizeof *netdev ? netdev[hook] : NULL;
	if (family == NFPROTO_ARP)
		return hook < sizeof arp / sizeof *arp ? arp[hook] : NULL;
	return hook < sizeof inet / sizeof *inet ? inet[hook] : NULL;
}

static void add_policy(struct piece *piece, const struct wr_nft_chain *chain)
{
	wr_text_add(&piece->text, chain->policy == NF_DROP ? " policy drop;" : " policy accept;");
}

/* "type filter hook input priority 0; policy drop;" */
static void add_base(struct piece *piece, const struct wr_nft_table *table, const struct wr_nft_chain *chain)
{
	const char *hook = wr_nft_hook_name(table->family, chain->hook);

	piece->sayable = piece->sayable && hook != NULL;
	wr_text_add(&piece->text, "type ");
	wr_text_add_escaped(&piece->text, chain->type);
	wr_text_add(&piece->text, " hook ");
	wr_text_add(&piece->text, hook != NULL ? hook : "?");
	if (chain->device != NULL) {
		wr_text_add(&piece->text, " device ");
		add_quoted(piece, chain->device);
	}
	wr_text_addf(&piece->text, " priority %d;", (int)chain->priority);
	add_policy(piece, chain);
}

/* With its comment, which is where the kernel's tools look for one. */
static void add_rule(struct piece *piece, const struct wr_nft_table *table, const struct wr_nft_rule *rule,
		     bool counters)
{
	if (!wr_show_nft_statements(table, rule, counters, &piece->text))
		piece->sayable = false;
	if (rule->comment != NULL) {
		wr_text_add(&piece->text, " comment ");
		add_quoted(piece, rule->comment);
	}
}

static void add_chain_block(struct wr_text *text, const struct wr_nft_table *table, const struct wr_nft_chain *chain)
{
	struct piece piece = {.sayable = true};

	wr_text_add(&piece.text, "chain ");
	add_name(&piece, chain->name);
	wr_text_add(&piece.text, " {\n");
	if (chain->type != NULL) {
		wr_text_add_char(&piece.text, '\t');
		add_base(&piece, table, chain);
		wr_text_add_char(&piece.text, '\n');
	}
	if (!piece.sayable) /* and so are its rules */
		wr_text_add(&piece.text, "}\n");
	else
		add_piece(text, &piece, "\t");
	for (size_t i = 0; piece.text.length == 0 && i < chain->n_rules; i++) {
		struct piece rule = {.sayable = true};

		add_rule(&rule, table, &chain->rules[i], true);
		add_piece(text, &rule, "\t\t");
	}
	if (piece.text.length == 0)
		wr_text_add(text, "\t}\n");
	else
		add_piece(text, &piece, "\t");
}

/* --- tables --------------------------------------------------------------------------------------------------------------- */

static void add_set_word(struct piece *piece, const struct wr_nft_set *set)
{
	wr_text_add(&piece->text, (set->flags & NFT_SET_MAP) != 0 ? "map " : "set ");
}

static void add_set_block(struct wr_text *text, const struct wr_nft_table *table, const struct wr_nft_set *set)
{
	struct piece piece = {.sayable = true};

	add_set_word(&piece, set);
	add_name(&piece, set->name);
	wr_text_add(&piece.text, " {\n");
	if (!wr_show_nft_set_head(table, set, "\t", "\n", &piece.text))
		piece.sayable = false;
	if (set->n_elements > 0) {
		wr_text_add(&piece.text, "\telements = ");
		if (!wr_show_nft_set_elements(table, set, "\t\t", &piece.text))
			piece.sayable = false;
		wr_text_add_char(&piece.text, '\n');
	}
	wr_text_add(&piece.text, "}\n");
	add_piece(text, &piece, "\t");
}

static void add_table_head(struct piece *piece, const struct wr_nft_table *table, const char *before, const char *after)
{
	if (table->comment != NULL) {
		wr_text_add(&piece->text, before);
		wr_text_add(&piece->text, "comment ");
		add_quoted(piece, table->comment);
		wr_text_add(&piece->text, after);
	}
	if ((table->flags & NFT_TABLE_F_DORMANT) != 0) {
		wr_text_add(&piece->text, before);
		wr_text_add(&piece->text, "flags dormant");
		wr_text_add(&piece->text, after);
	}
}

void wr_show_nft_table(const struct wr_nft_table *table, struct wr_text *text)
{
	struct piece head = {.sayable = true};

	wr_text_add(&head.text, "table ");
	add_table_name(&head, table);
	wr_text_add(&head.text, " {\n");
	add_table_head(&head, table, "\t", "\n");
	add_piece(text, &head, "");
	for (size_t i = 0; i < table->n_sets; i++)
		if (!table->sets[i].anonymous)
			add_set_block(text, table, &table->sets[i]);
	for (size_t i = 0; i < table->n_chains; i++)
		add_chain_block(text, table, &table->chains[i]);
	wr_text_add(text, "}\n");
}

/* --- changes -------------------------------------------------------------------------------------------------------------- */

static void add_place(struct piece *piece, const char *verb, const struct wr_nft_table *table, const char *name)
{
	wr_text_add(&piece->text, verb);
	add_table_name(piece, table);
	if (name != NULL) {
		wr_text_add_char(&piece->text, ' ');
		add_name(piece, name);
	}
}

static void add_table(struct piece *piece, const struct wr_nft_change *change)
{
	add_place(piece, "add table ", change->table, NULL);
	if (change->table->comment == NULL && change->table->flags == 0)
		return;
	wr_text_add(&piece->text, " {");
	add_table_head(piece, change->table, " ", ";");
	wr_text_add(&piece->text, " }");
}

static void add_set(struct piece *piece, const struct wr_nft_change *change)
{
	bool is_map = (change->set->flags & NFT_SET_MAP) != 0;

	add_place(piece, is_map ? "add map " : "add set ", change->table, change->set->name);
	wr_text_add(&piece->text, " {");
	if (!wr_show_nft_set_head(change->table, change->set, " ", ";", &piece->text))
		piece->sayable = false;
	wr_text_add(&piece->text, " }");
}

static void add_chain(struct piece *piece, const struct wr_nft_change *change)
{
	add_place(piece, "add chain ", change->table, change->chain->name);
	if (change->chain->type == NULL)
		return;
	wr_text_add(&piece->text, " { ");
	add_base(piece, change->table, change->chain);
	wr_text_add(&piece->text, " }");
}

static void add_rule_command(struct piece *piece, const char *verb, const struct wr_nft_change *change)
{
	add_place(piece, verb, change->table, change->chain->name);
	if (change->kind == WR_NFT_INSERT_RULE && change->rule->handle)
		wr_text_addf(&piece->text, " handle %llu", (unsigned long long)change->rule->handle);
	wr_text_add_char(&piece->text, ' ');
	add_rule(piece, change->table, change->rule, false);
}

static void add_elements(struct piece *piece, const char *verb, const struct wr_nft_change *change)
{
	add_place(piece, verb, change->table, change->set->name);
	wr_text_add_char(&piece->text, ' ');
	if (!wr_show_nft_elements(change->table, change->set, change->elements, change->n_elements, "\t", &piece->text))
		piece->sayable = false;
}

static void add_change(struct piece *piece, const struct wr_nft_change *change)
{
	const char *set = change->set != NULL ? change->set->name : NULL;
	const char *chain = change->chain != NULL ? change->chain->name : NULL;

	switch ((enum wr_nft_change_kind)change->kind) {
	case WR_NFT_ADD_TABLE:
		add_table(piece, change);
		break;
	case WR_NFT_DEL_TABLE:
		add_place(piece, "delete table ", change->table, NULL);
		break;
	case WR_NFT_ADD_SET:
		add_set(piece, change);
		break;
	case WR_NFT_DEL_SET:
		add_place(piece, (change->set->flags & NFT_SET_MAP) != 0 ? "delete map " : "delete set ", change->table,
			  set);
		break;
	case WR_NFT_ADD_CHAIN:
		add_chain(piece, change);
		break;
	case WR_NFT_SET_POLICY:
		add_place(piece, "add chain ", change->table, chain);
		wr_text_add(&piece->text, " {");
		add_policy(piece, change->chain);
		wr_text_add(&piece->text, " }");
		break;
	case WR_NFT_FLUSH_CHAIN:
		add_place(piece, "flush chain ", change->table, chain);
		break;
	case WR_NFT_DEL_CHAIN:
		add_place(piece, "delete chain ", change->table, chain);
		break;
	case WR_NFT_ADD_RULE:
		add_rule_command(piece, "add rule ", change);
		break;
	case WR_NFT_INSERT_RULE:
		add_rule_command(piece, "insert rule ", change);
		break;
	case WR_NFT_DEL_RULE:
		add_place(piece, "delete rule ", change->table, chain);
		wr_text_addf(&piece->text, " handle %llu", (unsigned long long)change->rule->handle);
		break;
	case WR_NFT_ADD_ELEMENTS:
		add_elements(piece, "add element ", change);
		break;
	case WR_NFT_DEL_ELEMENTS:
		add_elements(piece, "delete element ", change);
		break;
	case WR_NFT_CHANGES_:
		break;
	}
}

void wr_show_nft_delta(const struct wr_nft_delta *delta, struct wr_text *text)
{
	for (size_t i = 0; i < delta->n_changes; i++) {
		struct piece piece = {.sayable = true};

		add_change(&piece, &delta->changes[i]);
		add_piece(text, &piece, "");
	}
}
