/* nft_expr.c: a rule's program as statements of nft.
 *
 * Theory: nft makes of each statement loads into registers, and then one expression that uses them. Going through the program
 * with a note of what each register holds gives the statements back: a comparison says what its register holds, an operator and
 * a constant; a lookup says as many registers as the set's key has parts. */
#include <netinet/in.h> /* before linux/in.h */

#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "show/nft.h"
#include "show/nft_parts.h"

#define ETHER_DEVICE 1 /* ARPHRD_ETHER */

void wr_nft_begin(struct wr_nft_reader *reader)
{
	const struct wr_text *text = reader->text;

	if (text->length > 0 && strchr(" \t\n", text->bytes[text->length - 1]) == NULL)
		wr_text_add_char(reader->text, ' ');
}

void wr_nft_unsayable(struct wr_nft_reader *reader, const char *what)
{
	reader->failed = true;
	wr_nft_begin(reader);
	wr_text_add_char(reader->text, '[');
	wr_text_add_escaped(reader->text, what);
	wr_text_add_char(reader->text, ']');
}

static const struct wr_nft_slot *find_slot(struct wr_nft_reader *reader, uint8_t reg)
{
	const struct wr_nft_slot *slot = wr_nft_slot(reader, reg);

	return slot != NULL && slot->filled && slot->first ? slot : NULL;
}

void wr_nft_say(struct wr_nft_reader *reader, struct wr_text *text, const struct wr_nft_slot *slot, uint32_t type)
{
	if (slot == NULL) {
		reader->failed = true;
		wr_text_add(text, "[register]");
		return;
	}
	if (slot->constant != NULL) {
		if (!wr_show_nft_value(text, type, slot->constant->bytes, slot->constant->length))
			reader->failed = true;
		return;
	}
	wr_text_add_bytes(text, wr_text_string(&reader->loads) + slot->text, slot->text_length);
	if (slot->mask != NULL) {
		wr_text_add(text, " & ");
		if (!wr_show_nft_value(text, slot->type, slot->mask->bytes, slot->mask->length))
			reader->failed = true;
	}
}

/* --- comparisons --------------------------------------------------------------------------------------------------------- */

/* What a test makes known about the packet, as far as nft takes it into account. */
static void learn(struct wr_nft_reader *reader, const struct wr_nft_slot *slot, const struct wr_nft_value *value)
{
	const struct wr_nft_expr *load = slot->load;
	uint64_t number = wr_nft_number(slot->type, value->bytes, value->length);
	bool is_inet = reader->table->family == NFPROTO_INET;

	if (load == NULL || slot->mask != NULL)
		return;
	if (slot->type == WR_NFT_TYPE_PROTOCOL)
		reader->some_transport = true;
	if (load->kind == WR_NFT_meta && load->meta.key == NFT_META_NFPROTO && is_inet)
		reader->network = number == NFPROTO_IPV4 ? ETH_P_IP : number == NFPROTO_IPV6 ? ETH_P_IPV6 : 0;
	else if (load->kind == WR_NFT_meta && load->meta.key == NFT_META_PROTOCOL && !is_inet)
		reader->network = (uint16_t)number;
	else if (load->kind == WR_NFT_meta && load->meta.key == NFT_META_IIFTYPE)
		reader->ether = number == ETHER_DEVICE;
	else if (load->kind == WR_NFT_meta && load->meta.key == NFT_META_L4PROTO)
		reader->transport = (uint8_t)number;
	else if (load->kind == WR_NFT_payload && slot->type == WR_NFT_TYPE_ETHERTYPE && reader->network == 0)
		reader->network = (uint16_t)number;
	else if (load->kind == WR_NFT_payload && slot->type == WR_NFT_TYPE_PROTOCOL)
		reader->transport = (uint8_t)number;
}

static const char *operator_name(uint32_t op)
{
	static const char *const names[] = {
		[NFT_CMP_EQ] = "==",  [NFT_CMP_NEQ] = "!=", [NFT_CMP_LT] = "<",
		[NFT_CMP_LTE] = "<=", [NFT_CMP_GT] = ">",   [NFT_CMP_GTE] = ">=",
	};

	return op < sizeof names / sizeof *names ? names[op] : "?";
}

static bool is_bits(uint32_t type)
{
	return type == WR_NFT_TYPE_CTSTATE || type == WR_NFT_TYPE_CTSTATUS || type == WR_NFT_TYPE_TCPFLAG;
}

/* "ct state established,related": any of the bits of the mask. */
static bool say_bits(struct wr_nft_reader *reader, const struct wr_nft_slot *slot, const struct wr_nft_expr *expr)
{
	struct wr_nft_slot whole = *slot;
	size_t from = reader->text->length;

	if (slot->mask == NULL || expr->cmp.op != NFT_CMP_NEQ || !is_bits(slot->type) ||
	    !wr_nft_is_zero(expr->cmp.value.bytes, expr->cmp.value.length))
		return false;
	whole.mask = NULL;
	wr_nft_say(reader, reader->text, &whole, slot->type);
	wr_text_add_char(reader->text, ' ');
	if (wr_show_nft_bits(reader->text, slot->type, slot->mask->bytes, slot->mask->length))
		return true;
	reader->text->length = from;
	return false;
}

/* "ip saddr 10.0.0.0/9": nft tests a prefix of whole bytes by loading only those, any other by a mask. */
static bool say_prefix(struct wr_nft_reader *reader, const struct wr_nft_slot *slot, const struct wr_nft_expr *expr)
{
	bool is_address = slot->type == WR_NFT_TYPE_IP4 || slot->type == WR_NFT_TYPE_IP6;
	struct wr_nft_slot whole = *slot;
	int bits;

	if (!is_address || (expr->cmp.op != NFT_CMP_EQ && expr->cmp.op != NFT_CMP_NEQ))
		return false;
	if (slot->partial && slot->mask == NULL)
		bits = (int)slot->length * 8;
	else if (slot->mask != NULL && !slot->partial)
		bits = wr_nft_mask_bits(slot->mask->bytes, slot->mask->length);
	else
		return false;
	if (bits < 0 || (slot->mask != NULL && bits % 8 == 0))
		return false;
	whole.mask = NULL;
	wr_nft_say(reader, reader->text, &whole, slot->type);
	wr_text_add(reader->text, expr->cmp.op == NFT_CMP_NEQ ? " != " : " ");
	wr_show_nft_prefix(reader->text, slot->type, expr->cmp.value.bytes, (uint32_t)bits);
	return true;
}

static void say_interval(struct wr_nft_reader *reader, const struct wr_nft_slot *slot, const struct wr_nft_value *first,
			 const struct wr_nft_value *last, bool inverted)
{
	wr_nft_say(reader, reader->text, slot, slot->type);
	wr_text_add(reader->text, inverted ? " != " : " ");
	if (!wr_show_nft_value(reader->text, slot->type, first->bytes, first->length))
		reader->failed = true;
	wr_text_add_char(reader->text, '-');
	if (!wr_show_nft_value(reader->text, slot->type, last->bytes, last->length))
		reader->failed = true;
}

/* Order of bytes is order of numbers only where they are in network order; nft would turn them first. */
static void check_order(struct wr_nft_reader *reader, const struct wr_nft_slot *slot)
{
	const uint8_t probe[2] = {1, 0};

	if (slot->length > 1 && wr_nft_number(slot->type, probe, sizeof probe) == 1)
		reader->failed = true;
}

/* Returns how many expressions were said: two, where they are the ends of a range. */
static size_t compare(struct wr_nft_reader *reader, const struct wr_nft_expr *expr, const struct wr_nft_expr *next)
{
	const struct wr_nft_slot *slot = find_slot(reader, expr->sreg);
	const struct wr_nft_value *value = &expr->cmp.value;
	bool is_name = slot != NULL && slot->type == WR_NFT_TYPE_IFNAME;

	wr_nft_begin(reader);
	if (slot == NULL || slot->constant != NULL || (value->length != slot->length && !is_name)) {
		wr_nft_unsayable(reader, "comparison");
		return 1;
	}
	if (expr->cmp.op != NFT_CMP_EQ && expr->cmp.op != NFT_CMP_NEQ)
		check_order(reader, slot);
	if (say_bits(reader, slot, expr) || say_prefix(reader, slot, expr))
		return 1;
	if (slot->partial)
		reader->failed = true;
	if (expr->cmp.op == NFT_CMP_GTE && next != NULL && next->kind == WR_NFT_cmp && next->cmp.op == NFT_CMP_LTE &&
	    next->sreg == expr->sreg && next->cmp.value.length == value->length && slot->mask == NULL) {
		say_interval(reader, slot, value, &next->cmp.value, false);
		return 2;
	}
	wr_nft_say(reader, reader->text, slot, slot->type);
	if (expr->cmp.op != NFT_CMP_EQ || slot->mask != NULL || is_bits(slot->type)) {
		wr_text_add_char(reader->text, ' ');
		wr_text_add(reader->text, operator_name(expr->cmp.op));
	}
	wr_text_add_char(reader->text, ' ');
	if (!wr_show_nft_value(reader->text, slot->type, value->bytes, value->length))
		reader->failed = true;
	if (expr->cmp.op == NFT_CMP_EQ)
		learn(reader, slot, value);
	return 1;
}

static void compare_range(struct wr_nft_reader *reader, const struct wr_nft_expr *expr)
{
	const struct wr_nft_slot *slot = find_slot(reader, expr->sreg);

	wr_nft_begin(reader);
	if (slot == NULL || slot->constant != NULL || slot->mask != NULL || slot->partial) {
		wr_nft_unsayable(reader, "range");
		return;
	}
	check_order(reader, slot);
	say_interval(reader, slot, expr->range.from, expr->range.to, expr->range.op == NFT_RANGE_NEQ);
}

static void mask(struct wr_nft_reader *reader, const struct wr_nft_expr *expr)
{
	const struct wr_nft_slot *from = find_slot(reader, expr->sreg);
	struct wr_nft_slot *to = wr_nft_slot(reader, expr->dreg);

	if (from == NULL || to == NULL || from->constant != NULL || from->mask != NULL || expr->bitwise.mask == NULL ||
	    expr->bitwise.length != from->length ||
	    (expr->bitwise.xor != NULL && !wr_nft_is_zero(expr->bitwise.xor->bytes, expr->bitwise.xor->length))) {
		wr_nft_unsayable(reader, "bitwise");
		return;
	}
	*to = *from;
	to->mask = expr->bitwise.mask;
}

/* --- sets ----------------------------------------------------------------------------------------------------------------- */

static void say_part(struct wr_nft_reader *reader, struct wr_text *text, const struct wr_nft_slot *slot, uint32_t type,
		     bool alone)
{
	wr_nft_say(reader, text, slot, type);
	if (slot == NULL || slot->constant != NULL)
		return;
	/* nft compares types, and has no masks in concatenations. */
	if (slot->partial || (slot->mask != NULL && !alone) || (slot->type != type && type != WR_NFT_TYPE_INTEGER))
		reader->failed = true;
}

void wr_nft_say_key(struct wr_nft_reader *reader, struct wr_text *text, uint8_t reg, const struct wr_nft_set *set)
{
	uint32_t parts[WR_NFT_PARTS_MAX] = {0}, at = 0;
	size_t count = 1;

	if (set != NULL)
		count = wr_nft_type_split(set->key_type, parts);
	else
		reader->failed = true;
	for (size_t i = 0; i < count; i++) {
		const struct wr_nft_slot *slot = find_slot(reader, (uint8_t)(reg + at / 4));
		uint32_t length = slot != NULL ? slot->length : wr_nft_type_length(parts[i]);

		if (i > 0)
			wr_text_add(text, " . ");
		say_part(reader, text, slot, parts[i], count == 1);
		if (reader->found_lengths != NULL)
			reader->found_lengths[i] = length;
		at += wr_nft_padded(length);
	}
	if (set != NULL && wr_nft_padded(set->key_length) != at)
		reader->failed = true;
}

void wr_nft_say_set(struct wr_nft_reader *reader, struct wr_text *text, uint8_t reg, const char *name)
{
	const struct wr_nft_set *set = wr_nft_find_set(reader->table, name);
	const struct wr_nft_slot *slot = find_slot(reader, reg);
	struct wr_nft_set shown;

	if (set == NULL || !set->anonymous) {
		wr_text_add_char(text, '@');
		if (!wr_show_nft_name(text, name))
			reader->failed = true;
		return;
	}
	shown = *set;
	if (shown.key_type == WR_NFT_TYPE_INTEGER && slot != NULL)
		shown.key_type = slot->type; /* whose bytes may be in host order */
	if (!wr_show_nft_set_elements(reader->table, &shown, NULL, text))
		reader->failed = true;
}

/* A map's data: its registers hold "KEY map @NAME". */
static void load_data(struct wr_nft_reader *reader, const struct wr_nft_expr *expr, const struct wr_nft_set *set,
		      const struct wr_text *words)
{
	uint32_t parts[WR_NFT_PARTS_MAX] = {0};
	size_t count = set != NULL ? wr_nft_type_split(set->data_type, parts) : 1, from = reader->loads.length;
	uint8_t reg = expr->dreg;

	wr_text_add_bytes(&reader->loads, wr_text_string(words), words->length);
	for (size_t i = 0; i < count; i++) {
		uint32_t length = wr_nft_type_length(parts[i]);
		struct wr_nft_slot *slot;

		if (length == 0)
			length = set != NULL && count == 1 ? set->data_length : 4;
		wr_nft_fill(reader, reg, parts[i], length, from);
		slot = wr_nft_slot(reader, reg);
		if (slot != NULL)
			slot->map = expr;
		reg = (uint8_t)(reg + wr_nft_padded(length) / 4);
	}
}

static void look_up(struct wr_nft_reader *reader, const struct wr_nft_expr *expr)
{
	const struct wr_nft_set *set = wr_nft_find_set(reader->table, expr->lookup.set);
	const struct wr_nft_slot *slot = find_slot(reader, expr->sreg);
	struct wr_text words WR_CLEANUP_TEXT = {0};
	bool is_data = expr->lookup.has_dreg && expr->dreg != NFT_REG_VERDICT;

	wr_nft_say_key(reader, &words, expr->sreg, set);
	if (slot != NULL && slot->type == WR_NFT_TYPE_PROTOCOL)
		reader->some_transport = true;
	if (reader->sought != NULL && strcmp(reader->sought, expr->lookup.set) == 0) {
		wr_text_add_bytes(reader->found_text, wr_text_string(&words), words.length);
		reader->found = true;
		return;
	}
	if (expr->lookup.has_dreg)
		wr_text_add(&words, is_data ? " map " : " vmap ");
	else
		wr_text_add(&words, expr->lookup.inverted ? " != " : " ");
	if (expr->lookup.has_dreg && expr->lookup.inverted)
		reader->failed = true;
	wr_nft_say_set(reader, &words, expr->sreg, expr->lookup.set);
	if (is_data) {
		load_data(reader, expr, set, &words);
	} else {
		wr_nft_begin(reader);
		wr_text_add_bytes(reader->text, wr_text_string(&words), words.length);
	}
	if (wr_text_error(&words) != 0)
		reader->text->error = wr_text_error(&words);
}

/* --- the whole ------------------------------------------------------------------------------------------------------------ */

static void load_constant(struct wr_nft_reader *reader, const struct wr_nft_expr *expr)
{
	struct wr_nft_slot *slot;

	wr_nft_fill(reader, expr->dreg, 0, expr->immediate.value->length, reader->loads.length);
	slot = wr_nft_slot(reader, expr->dreg);
	if (slot != NULL)
		slot->constant = expr->immediate.value;
}

/* Returns how many expressions were said. */
static size_t read_expr(struct wr_nft_reader *reader, const struct wr_nft_expr *expr, const struct wr_nft_expr *next)
{
	if (wr_nft_load(reader, expr))
		return 1;
	if (expr->kind == WR_NFT_cmp)
		return compare(reader, expr, next);
	if (expr->kind == WR_NFT_range)
		compare_range(reader, expr);
	else if (expr->kind == WR_NFT_bitwise)
		mask(reader, expr);
	else if (expr->kind == WR_NFT_lookup)
		look_up(reader, expr);
	else if (expr->kind == WR_NFT_immediate && expr->dreg != NFT_REG_VERDICT && expr->immediate.value != NULL)
		load_constant(reader, expr);
	else
		wr_nft_act(reader, expr);
	return 1;
}

static void read_rule(struct wr_nft_reader *reader)
{
	const struct wr_nft_rule *rule = reader->rule;

	switch (reader->table->family) {
	case NFPROTO_IPV4:
		reader->network = ETH_P_IP;
		break;
	case NFPROTO_IPV6:
		reader->network = ETH_P_IPV6;
		break;
	case NFPROTO_ARP:
		reader->network = ETH_P_ARP;
		break;
	case NFPROTO_BRIDGE:
	case NFPROTO_NETDEV:
		reader->ether = true;
		break;
	}
	for (size_t i = 0; i < rule->n_exprs && !reader->found;)
		i += read_expr(reader, &rule->exprs[i], i + 1 < rule->n_exprs ? &rule->exprs[i + 1] : NULL);
	if (wr_text_error(&reader->loads) != 0)
		reader->text->error = wr_text_error(&reader->loads);
	wr_text_done(&reader->loads);
}

bool wr_show_nft_statements(const struct wr_nft_table *table, const struct wr_nft_rule *rule, bool counters,
			    struct wr_text *text)
{
	struct wr_nft_reader reader = {.table = table, .rule = rule, .text = text, .counters = counters};

	read_rule(&reader);
	return !reader.failed;
}

bool wr_show_nft_rule(const struct wr_nft_table *table, const struct wr_nft_rule *rule, struct wr_text *text)
{
	return wr_show_nft_statements(table, rule, false, text);
}

bool wr_show_nft_typeof(const struct wr_nft_table *table, const struct wr_nft_set *set, struct wr_text *text,
			uint32_t lengths[WR_NFT_PARTS_MAX])
{
	for (size_t i = 0; i < table->n_chains; i++) {
		for (size_t k = 0; k < table->chains[i].n_rules; k++) {
			struct wr_text unused WR_CLEANUP_TEXT = {0};
			uint32_t found_lengths[WR_NFT_PARTS_MAX] = {0};
			struct wr_nft_reader reader = {
				.table = table,
				.rule = &table->chains[i].rules[k],
				.text = &unused,
				.sought = set->name,
				.found_text = text,
				.found_lengths = found_lengths,
			};

			read_rule(&reader);
			if (!reader.found)
				continue;
			memcpy(lengths, found_lengths, sizeof found_lengths);
			return !reader.failed;
		}
	}
	return false;
}
