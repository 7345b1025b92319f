/* decode_nft.c: tables, chains, rules, sets and elements from their messages. */
#include <endian.h>
#include <errno.h>
#include <netinet/in.h> /* before linux/in.h */
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "base/arena.h"
#include "base/error.h"
#include "kernel/netlink.h"
#include "live/decode_nft.h"

/* nft's notes in user data: what a comment is numbered. */
#define UDATA_COMMENT	  0
#define UDATA_SET_COMMENT 7

static int contradicts(const char *what, struct wr_error *reterr)
{
	return wr_fail(reterr, WR_ERR_KERNEL, -EBADMSG, "the kernel lists %s whose parts do not fit together", what);
}

uint32_t wr_decode_nft_u32(const struct nlattr *attr)
{
	return be32toh(mnl_attr_get_u32(attr));
}

uint64_t wr_decode_nft_u64(const struct nlattr *attr)
{
	return be64toh(mnl_attr_get_u64(attr));
}

static uint32_t get_u32(const struct nlattr *attr)
{
	return attr != NULL ? wr_decode_nft_u32(attr) : 0;
}

static uint64_t get_u64(const struct nlattr *attr)
{
	return attr != NULL ? wr_decode_nft_u64(attr) : 0;
}

static bool is_of(const struct nlmsghdr *message, uint16_t type)
{
	return message->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | type);
}

static uint8_t family_of(const struct nlmsghdr *message)
{
	return ((const struct nfgenmsg *)mnl_nlmsg_get_payload(message))->nfgen_family;
}

static int parse(const struct nlmsghdr *message, const struct wr_attr_policy *policy, uint16_t max,
		 const struct nlattr **table, struct wr_error *reterr)
{
	return wr_attr_parse(message, sizeof(struct nfgenmsg), policy, max, table, reterr);
}

struct wr_nft_list wr_decode_nft_list(const struct nlattr *nest)
{
	if (nest == NULL)
		return (struct wr_nft_list){0};
	return (struct wr_nft_list){.bytes = mnl_attr_get_payload(nest), .left = mnl_attr_get_payload_len(nest)};
}

const struct nlattr *wr_decode_nft_next(struct wr_nft_list *list)
{
	const struct nlattr *attr = (const struct nlattr *)(const void *)list->bytes;
	size_t size;

	if (list->left < sizeof *attr || attr->nla_len < sizeof *attr || attr->nla_len > list->left)
		return NULL;
	size = MNL_ALIGN(attr->nla_len);
	if (size > list->left)
		size = list->left;
	list->bytes += size;
	list->left -= size;
	return attr;
}

static struct wr_arena *arena_of(const struct wr_nft_reading *reading)
{
	return reading->ns->model->arena;
}

/* Copies a name or type. Absent: NULL stays. */
static int copy_string(struct wr_arena *arena, const struct nlattr *attr, const char **ret, struct wr_error *reterr)
{
	if (attr == NULL)
		return 0;
	*ret = wr_arena_strdup(arena, mnl_attr_get_str(attr));
	return *ret != NULL ? 0 : wr_fail_memory(reterr);
}

/* The comment among nft's notes (type, length, bytes; no padding). What is malformed is somebody else's matter, and none. */
static int copy_comment(struct wr_arena *arena, const struct nlattr *udata, uint8_t type, const char **ret,
			struct wr_error *reterr)
{
	const unsigned char *bytes = udata != NULL ? mnl_attr_get_payload(udata) : NULL;
	size_t left = udata != NULL ? mnl_attr_get_payload_len(udata) : 0;

	while (left >= 2 && bytes[1] <= left - 2) {
		if (bytes[0] == type) {
			if (bytes[1] == 0 || memchr(bytes + 2, '\0', bytes[1]) == NULL)
				return 0;
			*ret = wr_arena_strdup(arena, (const char *)bytes + 2);
			return *ret != NULL ? 0 : wr_fail_memory(reterr);
		}
		left -= 2u + bytes[1];
		bytes += 2u + bytes[1];
	}
	return 0;
}

/* --- finding what a message is about ---------------------------------------------------------------------------------- */

static struct wr_nft_table *find_table(struct wr_nft_reading *reading, uint8_t family, const struct nlattr *name)
{
	const char *text = mnl_attr_get_str(name);

	if (reading->table == NULL || reading->table->family != family || strcmp(reading->table->name, text) != 0) {
		reading->table = wr_ns_find_table(reading->ns, family, text);
		reading->chain = NULL;
		reading->set = NULL;
	}
	return reading->table;
}

static struct wr_nft_chain *find_chain(struct wr_nft_reading *reading, uint8_t family, const struct nlattr *table,
				       const struct nlattr *name)
{
	const char *text = mnl_attr_get_str(name);
	const struct wr_nft_table *found = find_table(reading, family, table);
	size_t next;

	if (found == NULL || found->n_chains == 0)
		return NULL;
	/* Rules come in the order of their chains, of which somebody else's table may have thousands. */
	next = reading->chain != NULL ? (size_t)(reading->chain - found->chains) : 0;
	for (size_t i = 0; i < found->n_chains; i++, next++) {
		next = next < found->n_chains ? next : 0;
		if (strcmp(found->chains[next].name, text) == 0)
			return reading->chain = &found->chains[next];
	}
	return NULL;
}

static struct wr_nft_set *find_set(struct wr_nft_reading *reading, uint8_t family, const struct nlattr *table,
				   const struct nlattr *name)
{
	const char *text = mnl_attr_get_str(name);

	if (find_table(reading, family, table) == NULL)
		return NULL;
	if (reading->set == NULL || strcmp(reading->set->name, text) != 0)
		reading->set = wr_nft_find_set(reading->table, text);
	return reading->set;
}

/* --- tables and chains ------------------------------------------------------------------------------------------------ */

int wr_decode_nft_table(struct wr_nft_reading *reading, const struct nlmsghdr *message, struct wr_error *reterr)
{
	static const struct wr_attr_policy policy[NFTA_TABLE_USERDATA + 1] = {
		[NFTA_TABLE_NAME] = {.type = MNL_TYPE_NUL_STRING},
		[NFTA_TABLE_FLAGS] = {.type = MNL_TYPE_U32},
		[NFTA_TABLE_USERDATA] = {.type = MNL_TYPE_BINARY},
	};
	const struct nlattr *attrs[NFTA_TABLE_USERDATA + 1];
	struct wr_nft_table *table;
	int r;

	if (!is_of(message, NFT_MSG_NEWTABLE))
		return 0;
	r = parse(message, policy, NFTA_TABLE_USERDATA, attrs, reterr);
	if (r < 0)
		return r;
	if (attrs[NFTA_TABLE_NAME] == NULL)
		return contradicts("a table", reterr);
	table = wr_ns_add_table(reading->ns, family_of(message), mnl_attr_get_str(attrs[NFTA_TABLE_NAME]));
	if (table == NULL)
		return wr_fail_memory(reterr);
	table->ours = false;
	table->flags = get_u32(attrs[NFTA_TABLE_FLAGS]);
	return copy_comment(arena_of(reading), attrs[NFTA_TABLE_USERDATA], UDATA_COMMENT, &table->comment, reterr);
}

static int add_device(struct wr_arena *arena, const struct nlattr *attr, const char **device, struct wr_error *reterr)
{
	size_t length = mnl_attr_get_payload_len(attr);
	const char *name = mnl_attr_get_payload(attr);

	length = strnlen(name, length);
	*device = *device == NULL ? wr_arena_strndup(arena, name, length)
				  : wr_arena_printf(arena, "%s, %.*s", *device, (int)length, name);
	return *device != NULL ? 0 : wr_fail_memory(reterr);
}

/* Where a base chain is hooked in. */
static int decode_hook(struct wr_arena *arena, const struct nlattr *nest, struct wr_nft_chain *chain,
		       struct wr_error *reterr)
{
	static const struct wr_attr_policy policy[NFTA_HOOK_DEVS + 1] = {
		[NFTA_HOOK_HOOKNUM] = {.type = MNL_TYPE_U32},
		[NFTA_HOOK_PRIORITY] = {.type = MNL_TYPE_U32},
		[NFTA_HOOK_DEV] = {.type = MNL_TYPE_BINARY},
		[NFTA_HOOK_DEVS] = {.type = MNL_TYPE_NESTED},
	};
	const struct nlattr *attrs[NFTA_HOOK_DEVS + 1], *attr;
	struct wr_nft_list list;
	int r = wr_attr_parse_nested(nest, policy, NFTA_HOOK_DEVS, attrs, reterr);

	if (r < 0)
		return r;
	if (attrs[NFTA_HOOK_HOOKNUM] == NULL || attrs[NFTA_HOOK_PRIORITY] == NULL)
		return contradicts("a chain", reterr);
	chain->hook = wr_decode_nft_u32(attrs[NFTA_HOOK_HOOKNUM]);
	chain->priority = (int32_t)wr_decode_nft_u32(attrs[NFTA_HOOK_PRIORITY]);
	if (attrs[NFTA_HOOK_DEV] != NULL)
		return add_device(arena, attrs[NFTA_HOOK_DEV], &chain->device, reterr);
	list = wr_decode_nft_list(attrs[NFTA_HOOK_DEVS]);
	while (r == 0 && (attr = wr_decode_nft_next(&list)) != NULL)
		r = add_device(arena, attr, &chain->device, reterr);
	return r;
}

int wr_decode_nft_chain(struct wr_nft_reading *reading, const struct nlmsghdr *message, struct wr_error *reterr)
{
	static const struct wr_attr_policy policy[NFTA_CHAIN_TYPE + 1] = {
		[NFTA_CHAIN_TABLE] = {.type = MNL_TYPE_NUL_STRING}, [NFTA_CHAIN_NAME] = {.type = MNL_TYPE_NUL_STRING},
		[NFTA_CHAIN_HOOK] = {.type = MNL_TYPE_NESTED},	    [NFTA_CHAIN_POLICY] = {.type = MNL_TYPE_U32},
		[NFTA_CHAIN_TYPE] = {.type = MNL_TYPE_NUL_STRING},
	};
	const struct nlattr *attrs[NFTA_CHAIN_TYPE + 1];
	struct wr_nft_table *table;
	struct wr_nft_chain *chain;
	int r;

	if (!is_of(message, NFT_MSG_NEWCHAIN))
		return 0;
	r = parse(message, policy, NFTA_CHAIN_TYPE, attrs, reterr);
	if (r < 0)
		return r;
	if (attrs[NFTA_CHAIN_TABLE] == NULL || attrs[NFTA_CHAIN_NAME] == NULL ||
	    (attrs[NFTA_CHAIN_HOOK] == NULL) != (attrs[NFTA_CHAIN_TYPE] == NULL))
		return contradicts("a chain", reterr);
	table = find_table(reading, family_of(message), attrs[NFTA_CHAIN_TABLE]);
	if (table == NULL)
		return 0;
	chain = wr_nft_add_chain(arena_of(reading), table, mnl_attr_get_str(attrs[NFTA_CHAIN_NAME]));
	if (chain == NULL)
		return wr_fail_memory(reterr);
	reading->chain = NULL; /* it may have moved */
	chain->deep = false;
	chain->policy =
		attrs[NFTA_CHAIN_POLICY] != NULL ? (int32_t)wr_decode_nft_u32(attrs[NFTA_CHAIN_POLICY]) : NF_ACCEPT;
	if (attrs[NFTA_CHAIN_HOOK] == NULL)
		return 0;
	r = copy_string(arena_of(reading), attrs[NFTA_CHAIN_TYPE], &chain->type, reterr);
	return r < 0 ? r : decode_hook(arena_of(reading), attrs[NFTA_CHAIN_HOOK], chain, reterr);
}

/* --- rules ------------------------------------------------------------------------------------------------------------ */

static int add_expr(struct wr_arena *arena, struct wr_nft_rule *rule, const struct nlattr *attr,
		    struct wr_error *reterr)
{
	struct wr_nft_expr expr, *kept;
	int r = wr_decode_nft_expr(attr, arena, &expr, reterr);

	if (r < 0)
		return r;
	kept = wr_nft_add_expr(arena, rule, (enum wr_nft_expr_kind)expr.kind);
	if (kept == NULL)
		return wr_fail_memory(reterr);
	*kept = expr;
	return 0;
}

int wr_decode_nft_rule(struct wr_nft_reading *reading, const struct nlmsghdr *message, struct wr_error *reterr)
{
	static const struct wr_attr_policy policy[NFTA_RULE_USERDATA + 1] = {
		[NFTA_RULE_TABLE] = {.type = MNL_TYPE_NUL_STRING}, [NFTA_RULE_CHAIN] = {.type = MNL_TYPE_NUL_STRING},
		[NFTA_RULE_HANDLE] = {.type = MNL_TYPE_U64},	   [NFTA_RULE_EXPRESSIONS] = {.type = MNL_TYPE_NESTED},
		[NFTA_RULE_USERDATA] = {.type = MNL_TYPE_BINARY},
	};
	const struct nlattr *attrs[NFTA_RULE_USERDATA + 1], *attr;
	struct wr_arena *arena = arena_of(reading);
	struct wr_nft_chain *chain;
	struct wr_nft_rule rule = {0}, *kept;
	struct wr_nft_list list;
	int r;

	if (!is_of(message, NFT_MSG_NEWRULE))
		return 0;
	r = parse(message, policy, NFTA_RULE_USERDATA, attrs, reterr);
	if (r < 0)
		return r;
	if (attrs[NFTA_RULE_TABLE] == NULL || attrs[NFTA_RULE_CHAIN] == NULL)
		return contradicts("a rule", reterr);
	chain = find_chain(reading, family_of(message), attrs[NFTA_RULE_TABLE], attrs[NFTA_RULE_CHAIN]);
	if (chain == NULL)
		return 0;
	rule.handle = get_u64(attrs[NFTA_RULE_HANDLE]);
	r = copy_comment(arena, attrs[NFTA_RULE_USERDATA], UDATA_COMMENT, &rule.comment, reterr);
	list = wr_decode_nft_list(attrs[NFTA_RULE_EXPRESSIONS]);
	while (r == 0 && (attr = wr_decode_nft_next(&list)) != NULL)
		r = add_expr(arena, &rule, attr, reterr);
	if (r < 0)
		return r;
	if (list.left > 0) /* cut short, it would say less than it does */
		return contradicts("a rule", reterr);
	kept = wr_nft_add_rule(arena, chain);
	if (kept == NULL)
		return wr_fail_memory(reterr);
	*kept = rule;
	return 0;
}

/* --- sets ------------------------------------------------------------------------------------------------------------- */

/* How many elements it may have, and what a key of several parts is made of. */
static int decode_description(const struct nlattr *nest, struct wr_nft_set *set, struct wr_error *reterr)
{
	static const struct wr_attr_policy policy[NFTA_SET_DESC_CONCAT + 1] = {
		[NFTA_SET_DESC_SIZE] = {.type = MNL_TYPE_U32},
		[NFTA_SET_DESC_CONCAT] = {.type = MNL_TYPE_NESTED},
	};
	static const struct wr_attr_policy field_policy[NFTA_SET_FIELD_LEN + 1] = {
		[NFTA_SET_FIELD_LEN] = {.type = MNL_TYPE_U32},
	};
	const struct nlattr *attrs[NFTA_SET_DESC_CONCAT + 1], *field[NFTA_SET_FIELD_LEN + 1], *attr;
	struct wr_nft_list list;
	int r = wr_attr_parse_nested(nest, policy, NFTA_SET_DESC_CONCAT, attrs, reterr);

	if (r < 0)
		return r;
	set->size = get_u32(attrs[NFTA_SET_DESC_SIZE]);
	if (attrs[NFTA_SET_DESC_CONCAT] == NULL || (set->flags & NFT_SET_CONCAT) == 0)
		return 0;
	list = wr_decode_nft_list(attrs[NFTA_SET_DESC_CONCAT]);
	while ((attr = wr_decode_nft_next(&list)) != NULL) {
		uint32_t length;

		r = wr_attr_parse_nested(attr, field_policy, NFTA_SET_FIELD_LEN, field, reterr);
		if (r < 0)
			return r;
		length = get_u32(field[NFTA_SET_FIELD_LEN]);
		if (length == 0 || length > WR_NFT_VALUE_MAX || set->n_fields >= sizeof set->fields)
			return contradicts("a set", reterr);
		set->fields[set->n_fields++] = (uint8_t)length;
	}
	return list.left == 0 ? 0 : contradicts("a set", reterr);
}

static const struct wr_attr_policy set_policy[NFTA_SET_USERDATA + 1] = {
	[NFTA_SET_TABLE] = {.type = MNL_TYPE_NUL_STRING}, [NFTA_SET_NAME] = {.type = MNL_TYPE_NUL_STRING},
	[NFTA_SET_FLAGS] = {.type = MNL_TYPE_U32},	  [NFTA_SET_KEY_TYPE] = {.type = MNL_TYPE_U32},
	[NFTA_SET_KEY_LEN] = {.type = MNL_TYPE_U32},	  [NFTA_SET_DATA_TYPE] = {.type = MNL_TYPE_U32},
	[NFTA_SET_DATA_LEN] = {.type = MNL_TYPE_U32},	  [NFTA_SET_DESC] = {.type = MNL_TYPE_NESTED},
	[NFTA_SET_TIMEOUT] = {.type = MNL_TYPE_U64},	  [NFTA_SET_USERDATA] = {.type = MNL_TYPE_BINARY},
};

static int copy_notes(struct wr_arena *arena, const struct nlattr *attr, struct wr_nft_set *set,
		      struct wr_error *reterr)
{
	if (attr == NULL)
		return 0;
	set->notes_length = mnl_attr_get_payload_len(attr);
	set->notes = wr_arena_memdup(arena, mnl_attr_get_payload(attr), set->notes_length);
	return set->notes != NULL ? 0 : wr_fail_memory(reterr);
}

int wr_decode_nft_set(struct wr_nft_reading *reading, const struct nlmsghdr *message, struct wr_error *reterr)
{
	const struct nlattr *attrs[NFTA_SET_USERDATA + 1];
	struct wr_nft_table *table;
	struct wr_nft_set *set;
	int r;

	if (!is_of(message, NFT_MSG_NEWSET))
		return 0;
	r = parse(message, set_policy, NFTA_SET_USERDATA, attrs, reterr);
	if (r < 0)
		return r;
	if (attrs[NFTA_SET_TABLE] == NULL || attrs[NFTA_SET_NAME] == NULL || attrs[NFTA_SET_KEY_LEN] == NULL)
		return contradicts("a set", reterr);
	table = find_table(reading, family_of(message), attrs[NFTA_SET_TABLE]);
	if (table == NULL)
		return 0;
	set = wr_nft_add_set(arena_of(reading), table, mnl_attr_get_str(attrs[NFTA_SET_NAME]));
	if (set == NULL)
		return wr_fail_memory(reterr);
	reading->set = NULL; /* it may have moved */
	set->deep = false;
	set->flags = get_u32(attrs[NFTA_SET_FLAGS]) & ~(uint32_t)NFT_SET_ANONYMOUS;
	set->anonymous = (get_u32(attrs[NFTA_SET_FLAGS]) & NFT_SET_ANONYMOUS) != 0;
	set->key_type = get_u32(attrs[NFTA_SET_KEY_TYPE]);
	set->key_length = wr_decode_nft_u32(attrs[NFTA_SET_KEY_LEN]);
	set->data_type = get_u32(attrs[NFTA_SET_DATA_TYPE]);
	if ((set->flags & NFT_SET_MAP) != 0 && set->data_type != NFT_DATA_VERDICT)
		set->data_length = get_u32(attrs[NFTA_SET_DATA_LEN]);
	if (set->key_length > WR_NFT_VALUE_MAX || set->data_length > WR_NFT_VALUE_MAX)
		return contradicts("a set", reterr);
	set->timeout_ms = get_u64(attrs[NFTA_SET_TIMEOUT]);
	r = copy_comment(arena_of(reading), attrs[NFTA_SET_USERDATA], UDATA_SET_COMMENT, &set->comment, reterr);
	if (r == 0)
		r = copy_notes(arena_of(reading), attrs[NFTA_SET_USERDATA], set, reterr);
	if (r == 0 && attrs[NFTA_SET_DESC] != NULL)
		r = decode_description(attrs[NFTA_SET_DESC], set, reterr);
	return r;
}

/* --- elements --------------------------------------------------------------------------------------------------------- */

static const struct wr_attr_policy data_policy[NFTA_DATA_VERDICT + 1] = {
	[NFTA_DATA_VALUE] = {.type = MNL_TYPE_BINARY, .min_size = 1},
	[NFTA_DATA_VERDICT] = {.type = MNL_TYPE_NESTED},
};

int wr_decode_nft_verdict(const struct nlattr *attr, struct wr_arena *arena, int32_t *ret, const char **ret_chain)
{
	static const struct wr_attr_policy policy[NFTA_VERDICT_CHAIN + 1] = {
		[NFTA_VERDICT_CODE] = {.type = MNL_TYPE_U32},
		[NFTA_VERDICT_CHAIN] = {.type = MNL_TYPE_NUL_STRING},
	};
	const struct nlattr *attrs[NFTA_VERDICT_CHAIN + 1];
	int r = wr_attr_parse_nested(attr, policy, NFTA_VERDICT_CHAIN, attrs, NULL);
	int32_t verdict;

	if (r < 0 || attrs[NFTA_VERDICT_CODE] == NULL)
		return -EBADMSG;
	verdict = (int32_t)wr_decode_nft_u32(attrs[NFTA_VERDICT_CODE]);
	if ((verdict == NFT_JUMP || verdict == NFT_GOTO) != (attrs[NFTA_VERDICT_CHAIN] != NULL))
		return -EBADMSG;
	r = copy_string(arena, attrs[NFTA_VERDICT_CHAIN], ret_chain, NULL);
	if (r == 0)
		*ret = verdict;
	return r;
}

/* Bytes of exactly that length, in arena. */
static int copy_value(struct wr_arena *arena, const struct nlattr *nest, size_t length, const uint8_t **ret,
		      struct wr_error *reterr)
{
	const struct nlattr *attrs[NFTA_DATA_VERDICT + 1];
	int r = wr_attr_parse_nested(nest, data_policy, NFTA_DATA_VERDICT, attrs, reterr);

	if (r < 0)
		return r;
	if (attrs[NFTA_DATA_VALUE] == NULL || mnl_attr_get_payload_len(attrs[NFTA_DATA_VALUE]) != length)
		return contradicts("an element of a set", reterr);
	*ret = wr_arena_memdup(arena, mnl_attr_get_payload(attrs[NFTA_DATA_VALUE]), length);
	return *ret != NULL ? 0 : wr_fail_memory(reterr);
}

/* What a map gives for a key. */
static int decode_data(struct wr_arena *arena, const struct wr_nft_set *set, const struct nlattr *nest,
		       struct wr_nft_element *element, struct wr_error *reterr)
{
	const struct nlattr *attrs[NFTA_DATA_VERDICT + 1];
	int r;

	if (set->data_length > 0)
		return copy_value(arena, nest, set->data_length, &element->data, reterr);
	r = wr_attr_parse_nested(nest, data_policy, NFTA_DATA_VERDICT, attrs, reterr);
	if (r < 0)
		return r;
	if (attrs[NFTA_DATA_VERDICT] == NULL || set->data_type != NFT_DATA_VERDICT)
		return contradicts("an element of a set", reterr);
	r = wr_decode_nft_verdict(attrs[NFTA_DATA_VERDICT], arena, &element->verdict, &element->chain);
	if (r == -ENOMEM)
		return wr_fail_memory(reterr);
	return r == 0 ? 0 : contradicts("an element of a set", reterr);
}

static const struct wr_attr_policy element_policy[NFTA_SET_ELEM_EXPRESSIONS + 1] = {
	[NFTA_SET_ELEM_KEY] = {.type = MNL_TYPE_NESTED},	 [NFTA_SET_ELEM_DATA] = {.type = MNL_TYPE_NESTED},
	[NFTA_SET_ELEM_FLAGS] = {.type = MNL_TYPE_U32},		 [NFTA_SET_ELEM_TIMEOUT] = {.type = MNL_TYPE_U64},
	[NFTA_SET_ELEM_EXPIRATION] = {.type = MNL_TYPE_U64},	 [NFTA_SET_ELEM_USERDATA] = {.type = MNL_TYPE_BINARY},
	[NFTA_SET_ELEM_EXPR] = {.type = MNL_TYPE_NESTED},	 [NFTA_SET_ELEM_KEY_END] = {.type = MNL_TYPE_NESTED},
	[NFTA_SET_ELEM_EXPRESSIONS] = {.type = MNL_TYPE_NESTED},
};

/* What the kernel keeps with an element: its life, its counter. */
static void decode_state(const struct wr_nft_set *set, const struct nlattr *const *attrs,
			 struct wr_nft_element *element)
{
	const struct nlattr *attr;
	struct wr_nft_list list;

	element->expires_ms = get_u64(attrs[NFTA_SET_ELEM_EXPIRATION]);
	element->timeout_ms = get_u64(attrs[NFTA_SET_ELEM_TIMEOUT]);
	if (attrs[NFTA_SET_ELEM_TIMEOUT] == NULL && attrs[NFTA_SET_ELEM_EXPIRATION] != NULL)
		element->timeout_ms = set->timeout_ms;
	element->dynamic = attrs[NFTA_SET_ELEM_EXPIRATION] != NULL || element->timeout_ms > 0;
	if (attrs[NFTA_SET_ELEM_EXPR] != NULL)
		element->counted = wr_decode_nft_counter(attrs[NFTA_SET_ELEM_EXPR], &element->packets, &element->bytes);
	list = wr_decode_nft_list(attrs[NFTA_SET_ELEM_EXPRESSIONS]);
	while ((attr = wr_decode_nft_next(&list)) != NULL)
		element->counted |= wr_decode_nft_counter(attr, &element->packets, &element->bytes);
}

static int decode_element(struct wr_arena *arena, struct wr_nft_set *set, const struct nlattr *nest,
			  struct wr_error *reterr)
{
	const struct nlattr *attrs[NFTA_SET_ELEM_EXPRESSIONS + 1];
	struct wr_nft_element element = {0}, *kept;
	uint32_t flags;
	int r = wr_attr_parse_nested(nest, element_policy, NFTA_SET_ELEM_EXPRESSIONS, attrs, reterr);

	if (r < 0)
		return r;
	flags = get_u32(attrs[NFTA_SET_ELEM_FLAGS]);
	if ((attrs[NFTA_SET_ELEM_KEY] == NULL) != ((flags & NFT_SET_ELEM_CATCHALL) != 0))
		return contradicts("an element of a set", reterr);
	element.interval_end = (flags & NFT_SET_ELEM_INTERVAL_END) != 0;
	if (attrs[NFTA_SET_ELEM_KEY] != NULL)
		r = copy_value(arena, attrs[NFTA_SET_ELEM_KEY], set->key_length, &element.key, reterr);
	if (r == 0 && attrs[NFTA_SET_ELEM_KEY_END] != NULL)
		r = copy_value(arena, attrs[NFTA_SET_ELEM_KEY_END], set->key_length, &element.key_end, reterr);
	if (r == 0 && attrs[NFTA_SET_ELEM_DATA] != NULL)
		r = decode_data(arena, set, attrs[NFTA_SET_ELEM_DATA], &element, reterr);
	if (r == 0 && (set->flags & (NFT_SET_MAP | NFT_SET_OBJECT)) == NFT_SET_MAP && !element.interval_end &&
	    attrs[NFTA_SET_ELEM_DATA] == NULL)
		r = contradicts("an element of a map", reterr);
	if (r == 0)
		r = copy_comment(arena, attrs[NFTA_SET_ELEM_USERDATA], UDATA_COMMENT, &element.comment, reterr);
	if (r < 0)
		return r;
	decode_state(set, attrs, &element);
	kept = wr_nft_add_element(arena, set);
	if (kept == NULL)
		return wr_fail_memory(reterr);
	*kept = element;
	return 0;
}

int wr_decode_nft_elements(struct wr_nft_reading *reading, const struct nlmsghdr *message, struct wr_error *reterr)
{
	static const struct wr_attr_policy policy[NFTA_SET_ELEM_LIST_ELEMENTS + 1] = {
		[NFTA_SET_ELEM_LIST_TABLE] = {.type = MNL_TYPE_NUL_STRING},
		[NFTA_SET_ELEM_LIST_SET] = {.type = MNL_TYPE_NUL_STRING},
		[NFTA_SET_ELEM_LIST_ELEMENTS] = {.type = MNL_TYPE_NESTED},
	};
	const struct nlattr *attrs[NFTA_SET_ELEM_LIST_ELEMENTS + 1], *attr;
	struct wr_nft_list list;
	struct wr_nft_set *set;
	int r;

	if (!is_of(message, NFT_MSG_NEWSETELEM))
		return 0;
	r = parse(message, policy, NFTA_SET_ELEM_LIST_ELEMENTS, attrs, reterr);
	if (r < 0)
		return r;
	if (attrs[NFTA_SET_ELEM_LIST_TABLE] == NULL || attrs[NFTA_SET_ELEM_LIST_SET] == NULL)
		return contradicts("an element of a set", reterr);
	set = find_set(reading, family_of(message), attrs[NFTA_SET_ELEM_LIST_TABLE], attrs[NFTA_SET_ELEM_LIST_SET]);
	if (set == NULL || attrs[NFTA_SET_ELEM_LIST_ELEMENTS] == NULL)
		return 0;
	list = wr_decode_nft_list(attrs[NFTA_SET_ELEM_LIST_ELEMENTS]);
	while ((attr = wr_decode_nft_next(&list)) != NULL) {
		r = decode_element(arena_of(reading), set, attr, reterr);
		if (r < 0)
			return r;
	}
	return list.left == 0 ? 0 : contradicts("an element of a set", reterr);
}
