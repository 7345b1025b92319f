/* nft_write.c: a delta to the messages of one transaction.
 *
 * Tables, chains, sets and rules go through libnftnl. Elements, of which there may be thousands, are written straight into
 * the message: an attribute holds less than 64 KiB, so a long list is cut into several messages, and each is filled in one pass.
 *
 * libnftnl and libmnl do not ask how much room there is. So every message gets more room than it can need before it is begun;
 * names and comments are held to their lengths for that. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h> /* before linux/in.h */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>

#include "base/error.h"
#include "filter/delta.h"
#include "kernel/nft_parts.h"
#include "model/nft.h"

#define MESSAGE_BYTES 4096 /* more than a table, a chain, a set, or a rule without its expressions takes */
#define ELEMENT_BYTES 1024 /* more than an element takes */
#define LIST_BYTES    (UINT16_MAX - ELEMENT_BYTES) /* of elements in one message */
#define EXPRS_MAX     128			   /* NFT_RULE_MAXEXPRS */

struct writing {
	struct wr_nft_transaction *to;
	const struct wr_nft_change *change;
	uint32_t number; /* of the change */
	struct wr_error *reterr;
};

/* --- room ---------------------------------------------------------------------------------------------------------- */

void wr_nft_transaction_done(struct wr_nft_transaction *transaction)
{
	free(transaction->bytes);
	free(transaction->tags);
	*transaction = (struct wr_nft_transaction){0};
}

static int reserve(struct wr_nft_transaction *to, size_t room)
{
	if (to->length + room > to->capacity) {
		size_t capacity = 2 * to->capacity > to->length + room ? 2 * to->capacity : to->length + room;
		unsigned char *bytes = realloc(to->bytes, capacity);

		if (bytes == NULL)
			return -ENOMEM;
		to->bytes = bytes;
		to->capacity = capacity;
	}
	if (to->count == to->capacity_tags) {
		size_t capacity = to->capacity_tags == 0 ? 64 : 2 * to->capacity_tags;
		struct wr_nft_tag *tags = realloc(to->tags, capacity * sizeof *tags);

		if (tags == NULL)
			return -ENOMEM;
		to->tags = tags;
		to->capacity_tags = capacity;
	}
	return 0;
}

/* Where a message of at most room bytes can be built, tagged; NULL: out of memory, said. end_message takes it in. */
static char *begin_message(struct writing *w, size_t room, uint32_t element)
{
	if (reserve(w->to, room) < 0) {
		wr_fail_memory(w->reterr);
		return NULL;
	}
	w->to->tags[w->to->count] =
		(struct wr_nft_tag){.change = w->number, .element = element, .offset = w->to->length};
	return (char *)w->to->bytes + w->to->length;
}

static void end_message(struct writing *w, const struct nlmsghdr *message)
{
	w->to->length += MNL_ALIGN(message->nlmsg_len);
	w->to->count++;
}

static struct nlmsghdr *head(struct writing *w, char *bytes, uint16_t type, uint16_t flags)
{
	return nftnl_nlmsg_build_hdr(bytes, type, w->change->table->family, flags, 0);
}

/* --- words that go along ------------------------------------------------------------------------------------------- */

static int check_name(struct writing *w, const char *what, const char *name)
{
	if (name == NULL || strlen(name) < NFT_NAME_MAXLEN)
		return 0;
	return wr_fail(w->reterr, WR_ERR_SYSTEM, -ENAMETOOLONG, "the name of a packet filter's %s is too long: %.32s…",
		       what, name);
}

static int check_comment(struct writing *w, const char *comment)
{
	if (comment == NULL || strlen(comment) <= WR_NFT_COMMENT_MAX)
		return 0;
	return wr_fail(w->reterr, WR_ERR_SYSTEM, -ENAMETOOLONG, "a comment of a packet filter is too long: %.32s…",
		       comment);
}

/* --- objects ------------------------------------------------------------------------------------------------------- */

static int add_table(struct writing *w)
{
	const struct wr_nft_table *table = w->change->table;
	uint8_t words[WR_NFT_NOTES_MAX];
	struct nftnl_table *made;
	struct nlmsghdr *message;
	char *bytes;
	bool ready;
	int r = check_comment(w, table->comment);

	if (r < 0)
		return r;
	bytes = begin_message(w, MESSAGE_BYTES, 0);
	if (bytes == NULL)
		return -ENOMEM;
	made = nftnl_table_alloc();
	ready = made != NULL && nftnl_table_set_str(made, NFTNL_TABLE_NAME, table->name) == 0;
	if (ready)
		nftnl_table_set_u32(made, NFTNL_TABLE_FLAGS, table->flags);
	if (ready && table->comment != NULL)
		ready = nftnl_table_set_data(made, NFTNL_TABLE_USERDATA, words,
					     wr_nft_note_comment(words, NFTNL_UDATA_TABLE_COMMENT, table->comment)) ==
			0;
	if (ready) {
		message = head(w, bytes, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL);
		nftnl_table_nlmsg_build_payload(message, made);
		end_message(w, message);
	}
	if (made != NULL)
		nftnl_table_free(made);
	return ready ? 0 : wr_fail_memory(w->reterr);
}

/* What is removed by name alone: a table, a set, a chain; and all rules of a chain. */
static int remove_named(struct writing *w, uint16_t type, uint16_t table_attribute, uint16_t attribute,
			const char *name)
{
	char *bytes = begin_message(w, MESSAGE_BYTES, 0);
	struct nlmsghdr *message;

	if (bytes == NULL)
		return -ENOMEM;
	message = head(w, bytes, type, 0);
	mnl_attr_put_strz(message, table_attribute, w->change->table->name);
	if (name != NULL)
		mnl_attr_put_strz(message, attribute, name);
	end_message(w, message);
	return 0;
}

/* policy_only: of a base chain that is there. */
static int put_chain(struct writing *w, bool policy_only)
{
	const struct wr_nft_chain *chain = w->change->chain;
	char *bytes = begin_message(w, MESSAGE_BYTES, 0);
	struct nftnl_chain *made;
	struct nlmsghdr *message;
	bool ready;

	if (bytes == NULL)
		return -ENOMEM;
	made = nftnl_chain_alloc();
	ready = made != NULL && nftnl_chain_set_str(made, NFTNL_CHAIN_TABLE, w->change->table->name) == 0 &&
		nftnl_chain_set_str(made, NFTNL_CHAIN_NAME, chain->name) == 0;
	if (ready && chain->type != NULL) {
		nftnl_chain_set_u32(made, NFTNL_CHAIN_POLICY, (uint32_t)chain->policy);
		if (!policy_only) {
			nftnl_chain_set_u32(made, NFTNL_CHAIN_HOOKNUM, chain->hook);
			nftnl_chain_set_s32(made, NFTNL_CHAIN_PRIO, chain->priority);
			ready = nftnl_chain_set_str(made, NFTNL_CHAIN_TYPE, chain->type) == 0 &&
				(chain->device == NULL ||
				 nftnl_chain_set_str(made, NFTNL_CHAIN_DEV, chain->device) == 0);
		}
	}
	if (ready) {
		message = head(w, bytes, NFT_MSG_NEWCHAIN, policy_only ? 0 : NLM_F_CREATE | NLM_F_EXCL);
		nftnl_chain_nlmsg_build_payload(message, made);
		end_message(w, message);
	}
	if (made != NULL)
		nftnl_chain_free(made);
	return ready ? 0 : wr_fail_memory(w->reterr);
}

static bool fill_set(struct writing *w, struct nftnl_set *made)
{
	const struct wr_nft_set *set = w->change->set;
	uint8_t words[WR_NFT_NOTES_MAX];

	if (nftnl_set_set_str(made, NFTNL_SET_TABLE, w->change->table->name) < 0 ||
	    nftnl_set_set_str(made, NFTNL_SET_NAME, set->name) < 0)
		return false;
	nftnl_set_set_u32(made, NFTNL_SET_ID, w->number + 1);
	nftnl_set_set_u32(made, NFTNL_SET_FLAGS, set->flags);
	nftnl_set_set_u32(made, NFTNL_SET_KEY_TYPE, set->key_type);
	nftnl_set_set_u32(made, NFTNL_SET_KEY_LEN, set->key_length);
	if ((set->flags & NFT_SET_MAP) != 0) {
		nftnl_set_set_u32(made, NFTNL_SET_DATA_TYPE, set->data_type);
		if (set->data_type != NFT_DATA_VERDICT)
			nftnl_set_set_u32(made, NFTNL_SET_DATA_LEN, set->data_length);
	}
	if (set->size != 0)
		nftnl_set_set_u32(made, NFTNL_SET_DESC_SIZE, set->size);
	if ((set->flags & NFT_SET_CONCAT) != 0 &&
	    nftnl_set_set_data(made, NFTNL_SET_DESC_CONCAT, set->fields, set->n_fields) < 0)
		return false;
	if (set->timeout_ms != 0)
		nftnl_set_set_u64(made, NFTNL_SET_TIMEOUT, set->timeout_ms);
	return nftnl_set_set_data(made, NFTNL_SET_USERDATA, words, wr_nft_note_set(words, set)) == 0;
}

static int add_set(struct writing *w)
{
	struct nftnl_set *made;
	struct nlmsghdr *message;
	char *bytes;
	bool ready;
	int r = check_comment(w, w->change->set->comment);

	if (r < 0)
		return r;
	if (w->change->set->n_fields > sizeof w->change->set->fields)
		return wr_fail(w->reterr, WR_ERR_SYSTEM, -E2BIG, "the keys of set %s have %u parts",
			       w->change->set->name, w->change->set->n_fields);
	bytes = begin_message(w, MESSAGE_BYTES, 0);
	if (bytes == NULL)
		return -ENOMEM;
	made = nftnl_set_alloc();
	ready = made != NULL && fill_set(w, made);
	if (ready) {
		message = head(w, bytes, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL);
		nftnl_set_nlmsg_build_payload(message, made);
		end_message(w, message);
	}
	if (made != NULL)
		nftnl_set_free(made);
	return ready ? 0 : wr_fail_memory(w->reterr);
}

/* --- rules --------------------------------------------------------------------------------------------------------- */

static int fill_rule(struct writing *w, struct nftnl_rule *made)
{
	const struct wr_nft_rule *rule = w->change->rule;
	uint8_t words[WR_NFT_NOTES_MAX];
	int r = 0;

	if (nftnl_rule_set_str(made, NFTNL_RULE_TABLE, w->change->table->name) < 0 ||
	    nftnl_rule_set_str(made, NFTNL_RULE_CHAIN, w->change->chain->name) < 0)
		return wr_fail_memory(w->reterr);
	if (rule->comment != NULL &&
	    nftnl_rule_set_data(made, NFTNL_RULE_USERDATA, words,
				wr_nft_note_comment(words, NFTNL_UDATA_RULE_COMMENT, rule->comment)) < 0)
		return wr_fail_memory(w->reterr);
	if (w->change->kind == WR_NFT_INSERT_RULE && rule->handle != 0)
		nftnl_rule_set_u64(made, NFTNL_RULE_POSITION, rule->handle);
	for (size_t i = 0; r == 0 && i < rule->n_exprs; i++) {
		struct nftnl_expr *expr;

		r = wr_nft_expr_make(&rule->exprs[i], &expr, w->reterr);
		if (r == 0)
			nftnl_rule_add_expr(made, expr);
	}
	return r;
}

static int add_rule(struct writing *w, uint16_t flags)
{
	const struct wr_nft_rule *rule = w->change->rule;
	char words[WR_NFT_WORDS_MAX];
	struct nftnl_rule *made;
	struct nlmsghdr *message;
	char *bytes;
	int r = check_comment(w, rule->comment);

	if (r < 0)
		return r;
	if (rule->n_exprs > EXPRS_MAX)
		return wr_fail(w->reterr, WR_ERR_SYSTEM, -E2BIG, "cannot %s: it has %zu expressions, and %d may be",
			       wr_nft_change_words(w->change, -1, words), rule->n_exprs, EXPRS_MAX);
	bytes = begin_message(w, MESSAGE_BYTES + rule->n_exprs * WR_NFT_EXPR_BYTES, 0);
	if (bytes == NULL)
		return -ENOMEM;
	made = nftnl_rule_alloc();
	if (made == NULL)
		return wr_fail_memory(w->reterr);
	r = fill_rule(w, made);
	if (r == 0) {
		message = head(w, bytes, NFT_MSG_NEWRULE, flags);
		nftnl_rule_nlmsg_build_payload(message, made);
		end_message(w, message);
	} else if (r != -ENOMEM) {
		wr_fail_context(w->reterr, "cannot %s", wr_nft_change_words(w->change, -1, words));
	}
	nftnl_rule_free(made);
	return r;
}

static int remove_rule(struct writing *w)
{
	char *bytes = begin_message(w, MESSAGE_BYTES, 0);
	struct nlmsghdr *message;

	if (bytes == NULL)
		return -ENOMEM;
	message = head(w, bytes, NFT_MSG_DELRULE, 0);
	mnl_attr_put_strz(message, NFTA_RULE_TABLE, w->change->table->name);
	mnl_attr_put_strz(message, NFTA_RULE_CHAIN, w->change->chain->name);
	mnl_attr_put_u64(message, NFTA_RULE_HANDLE, htobe64(w->change->rule->handle));
	end_message(w, message);
	return 0;
}

/* --- elements ------------------------------------------------------------------------------------------------------ */

static void put_bytes(struct nlmsghdr *message, uint16_t type, const uint8_t *bytes, size_t length)
{
	struct nlattr *nest = mnl_attr_nest_start(message, type);

	mnl_attr_put(message, NFTA_DATA_VALUE, length, bytes);
	mnl_attr_nest_end(message, nest);
}

static void put_verdict(struct nlmsghdr *message, const struct wr_nft_element *element)
{
	struct nlattr *data = mnl_attr_nest_start(message, NFTA_SET_ELEM_DATA);
	struct nlattr *verdict = mnl_attr_nest_start(message, NFTA_DATA_VERDICT);

	mnl_attr_put_u32(message, NFTA_VERDICT_CODE, htonl((uint32_t)element->verdict));
	if (element->chain != NULL)
		mnl_attr_put_strz(message, NFTA_VERDICT_CHAIN, element->chain);
	mnl_attr_nest_end(message, verdict);
	mnl_attr_nest_end(message, data);
}

/* What an element leads to, and what is written beside it: only of one that is added. */
static void put_meaning(struct nlmsghdr *message, const struct wr_nft_set *set, const struct wr_nft_element *element)
{
	uint8_t words[WR_NFT_NOTES_MAX];

	if ((set->flags & NFT_SET_MAP) != 0 && !element->interval_end) {
		if (set->data_type == NFT_DATA_VERDICT)
			put_verdict(message, element);
		else
			put_bytes(message, NFTA_SET_ELEM_DATA, element->data, set->data_length);
	}
	if (element->comment != NULL)
		mnl_attr_put(message, NFTA_SET_ELEM_USERDATA,
			     wr_nft_note_comment(words, NFTNL_UDATA_SET_ELEM_COMMENT, element->comment), words);
}

static void put_element(struct nlmsghdr *message, const struct wr_nft_set *set, const struct wr_nft_element *element,
			bool added)
{
	uint32_t flags = (element->interval_end ? NFT_SET_ELEM_INTERVAL_END : 0) |
			 (element->key == NULL ? NFT_SET_ELEM_CATCHALL : 0);
	struct nlattr *nest = mnl_attr_nest_start(message, NFTA_LIST_ELEM);

	if (flags != 0)
		mnl_attr_put_u32(message, NFTA_SET_ELEM_FLAGS, htonl(flags));
	if (element->key != NULL)
		put_bytes(message, NFTA_SET_ELEM_KEY, element->key, set->key_length);
	if (element->key_end != NULL)
		put_bytes(message, NFTA_SET_ELEM_KEY_END, element->key_end, set->key_length);
	if (added)
		put_meaning(message, set, element);
	mnl_attr_nest_end(message, nest);
}

/* Whether an element can be written, and in ELEMENT_BYTES. */
static int check_element(struct writing *w, const struct wr_nft_element *element)
{
	const struct wr_nft_set *set = w->change->set;
	int r;

	if (w->change->kind == WR_NFT_ADD_ELEMENTS && (set->flags & NFT_SET_MAP) != 0 && !element->interval_end &&
	    set->data_type != NFT_DATA_VERDICT && element->data == NULL)
		return wr_fail(w->reterr, WR_ERR_SYSTEM, -EINVAL, "an element of map %s leads to nothing", set->name);
	r = check_name(w, "chain", element->chain);
	return r < 0 ? r : check_comment(w, element->comment);
}

/* One message, from element number *next on; as many as fit. */
static int put_list(struct writing *w, size_t *next)
{
	const struct wr_nft_change *change = w->change;
	bool added = change->kind == WR_NFT_ADD_ELEMENTS;
	size_t left = change->n_elements - *next;
	size_t room = left < LIST_BYTES / ELEMENT_BYTES ? left * ELEMENT_BYTES : UINT16_MAX;
	char *bytes = begin_message(w, MESSAGE_BYTES + room, (uint32_t)*next);
	struct nlmsghdr *message;
	struct nlattr *list;

	if (bytes == NULL)
		return -ENOMEM;
	message = head(w, bytes, added ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM, added ? NLM_F_CREATE : 0);
	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, change->table->name);
	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, change->set->name);
	list = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
	while (*next < change->n_elements &&
	       (size_t)((char *)mnl_nlmsg_get_payload_tail(message) - (char *)list) < LIST_BYTES) {
		int r = check_element(w, change->elements[*next]);

		if (r < 0)
			return r;
		put_element(message, change->set, change->elements[(*next)++], added);
	}
	mnl_attr_nest_end(message, list);
	end_message(w, message);
	return 0;
}

static int put_elements(struct writing *w)
{
	const struct wr_nft_set *set = w->change->set;
	size_t next = 0;
	int r = 0;

	if (set->key_length > WR_NFT_VALUE_MAX || set->data_length > WR_NFT_VALUE_MAX)
		return wr_fail(w->reterr, WR_ERR_SYSTEM, -E2BIG, "the keys or the data of set %s are too long",
			       set->name);
	while (r == 0 && next < w->change->n_elements)
		r = put_list(w, &next);
	return r;
}

/* --- all of it ----------------------------------------------------------------------------------------------------- */

static int check_names(struct writing *w)
{
	const struct wr_nft_change *change = w->change;
	int r = check_name(w, "table", change->table->name);

	if (r == 0 && change->chain != NULL)
		r = check_name(w, "chain", change->chain->name);
	if (r == 0 && change->chain != NULL)
		r = check_name(w, "chain type", change->chain->type);
	if (r == 0 && change->chain != NULL)
		r = check_name(w, "device", change->chain->device);
	if (r == 0 && change->set != NULL)
		r = check_name(w, "set", change->set->name);
	return r;
}

static int put_change(struct writing *w)
{
	const struct wr_nft_change *change = w->change;

	switch ((enum wr_nft_change_kind)change->kind) {
	case WR_NFT_ADD_TABLE:
		return add_table(w);
	case WR_NFT_DEL_TABLE:
		return remove_named(w, NFT_MSG_DELTABLE, NFTA_TABLE_NAME, 0, NULL);
	case WR_NFT_ADD_SET:
		return add_set(w);
	case WR_NFT_DEL_SET:
		return remove_named(w, NFT_MSG_DELSET, NFTA_SET_TABLE, NFTA_SET_NAME, change->set->name);
	case WR_NFT_ADD_CHAIN:
		return put_chain(w, false);
	case WR_NFT_SET_POLICY:
		return put_chain(w, true);
	case WR_NFT_FLUSH_CHAIN:
		return remove_named(w, NFT_MSG_DELRULE, NFTA_RULE_TABLE, NFTA_RULE_CHAIN, change->chain->name);
	case WR_NFT_DEL_CHAIN:
		return remove_named(w, NFT_MSG_DELCHAIN, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME, change->chain->name);
	case WR_NFT_ADD_RULE:
		return add_rule(w, NLM_F_CREATE | NLM_F_APPEND);
	case WR_NFT_INSERT_RULE:
		return add_rule(w, NLM_F_CREATE);
	case WR_NFT_DEL_RULE:
		return remove_rule(w);
	case WR_NFT_ADD_ELEMENTS:
	case WR_NFT_DEL_ELEMENTS:
		return put_elements(w);
	case WR_NFT_CHANGES_:
		break;
	}
	return wr_fail(w->reterr, WR_ERR_SYSTEM, -EINVAL, "a change of a packet filter is of no known kind");
}

int wr_nft_write(struct wr_nft_transaction *transaction, const struct wr_nft_delta *delta, struct wr_error *reterr)
{
	struct writing w = {.to = transaction, .number = WR_NFT_NO_CHANGE, .reterr = reterr};
	char *bytes = begin_message(&w, MESSAGE_BYTES, 0);
	int r = 0;

	if (bytes == NULL)
		return -ENOMEM;
	end_message(&w, nftnl_batch_begin(bytes, 0));
	for (size_t i = 0; r == 0 && i < delta->n_changes; i++) {
		w.change = &delta->changes[i];
		w.number = (uint32_t)i;
		r = check_names(&w);
		if (r == 0)
			r = put_change(&w);
	}
	if (r < 0)
		return r;
	w.number = WR_NFT_NO_CHANGE;
	bytes = begin_message(&w, MESSAGE_BYTES, 0);
	if (bytes == NULL)
		return -ENOMEM;
	end_message(&w, nftnl_batch_end(bytes, 0));
	return 0;
}
