/* nft.h: packet filter tables, as they are wanted or as they are there.
 *
 * Why:       the same structs for both, so that a change of a filter is a comparison like any other; and the kernel's own rule
 *            program, so that what is in force can be shown and followed, whoever wrote it.
 * Shape:     a namespace holds tables; a table chains, sets (maps among them); a chain rules; a rule expressions, which work on
 *            registers. What varies with a network (ports, addresses, interfaces) is elements of sets, so that rules stay.
 * Values:    numbers are the kernel's own (linux/netfilter/nf_tables.h, linux/netfilter.h), in host byte order; keys and
 *            data of registers are bytes as the kernel compares them, most of them in network order. Every value of a
 *            concatenation is padded with zeros to a multiple of 4 bytes.
 * Ownership: everything is in the model's arena.
 * Threads:   values; nothing here makes a system call.
 * Source:    include/uapi/linux/netfilter/nf_tables.h; nft(8). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wr_arena;
struct wr_ns;

#define WR_NFT_VALUE_MAX 64 /* bytes of a key, and of data */

/* Data types, as nft numbers them: TYPE in NFTA_SET_KEY_TYPE, 6 bits for each part of a concatenation. Only for whoever lists
 * the table; the kernel compares bytes. */
enum wr_nft_type {
	WR_NFT_TYPE_VERDICT = 1,
	WR_NFT_TYPE_INTEGER = 4,
	WR_NFT_TYPE_IP4 = 7,
	WR_NFT_TYPE_IP6 = 8,
	WR_NFT_TYPE_MAC = 9,
	WR_NFT_TYPE_ETHERTYPE = 10, /* 2 bytes, network order */
	WR_NFT_TYPE_PROTOCOL = 12,  /* inet_proto: 1 byte */
	WR_NFT_TYPE_SERVICE = 13,   /* inet_service: 2 bytes */
	WR_NFT_TYPE_MARK = 19,	    /* 4 bytes, host order */
	WR_NFT_TYPE_ICMP6 = 29,	    /* icmpv6_type: 1 byte */
	WR_NFT_TYPE_IFNAME = 41,    /* 16 bytes, zeros behind the name */
};
#define WR_NFT_CONCAT(a, b) ((uint32_t)(a) << 6 | (uint32_t)(b)) /* WR_NFT_CONCAT(WR_NFT_CONCAT(x, y), z) */

/* NAME, its name in the kernel. A row here, one in live/decode_nft.c, one in kernel/nft_expr.c and one in show/nft_expr.c. */
#define WR_NFT_EXPRS(X)                                                                                                \
	X(meta, "meta")                                                                                                \
	X(payload, "payload")                                                                                          \
	X(cmp, "cmp")                                                                                                  \
	X(range, "range")                                                                                              \
	X(bitwise, "bitwise")                                                                                          \
	X(lookup, "lookup")                                                                                            \
	X(immediate, "immediate")                                                                                      \
	X(ct, "ct")                                                                                                    \
	X(fib, "fib")                                                                                                  \
	X(exthdr, "exthdr")                                                                                            \
	X(counter, "counter")                                                                                          \
	X(limit, "limit")                                                                                              \
	X(log, "log")                                                                                                  \
	X(reject, "reject")                                                                                            \
	X(nat, "nat")                                                                                                  \
	X(masq, "masq")                                                                                                \
	X(redir, "redir")                                                                                              \
	X(dynset, "dynset")                                                                                            \
	X(other, "") /* live only: one that has no row, by its name and bytes */

enum wr_nft_expr_kind {
#define X(name, text) WR_NFT_##name,
	WR_NFT_EXPRS(X)
#undef X
		WR_NFT_EXPR_COUNT_,
};

struct wr_nft_value {
	uint8_t length; /* bytes used */
	uint8_t bytes[WR_NFT_VALUE_MAX];
};

struct wr_nft_expr {
	uint8_t kind; /* enum wr_nft_expr_kind */
	/* Registers by the kernel's numbers: NFT_REG_VERDICT, NFT_REG32_00 + n (the wide NFT_REG_1..4 of older programs come
	 * as the NFT_REG32 they begin at). 0 (NFT_REG_VERDICT) where a program names none. */
	uint8_t dreg, sreg;
	union {
		struct {
			uint32_t key; /* NFT_META_*; dreg: loaded; dreg 0: set from sreg */
		} meta;
		struct {
			uint32_t base, offset, length; /* NFT_PAYLOAD_*; to dreg. One that writes packets is `other` */
		} payload;
		struct {
			uint32_t op; /* NFT_CMP_*; sreg */
			struct wr_nft_value value;
		} cmp;
		struct {
			uint32_t op; /* NFT_RANGE_*; sreg */
			struct wr_nft_value *from, *to;
		} range;
		struct {
			uint32_t length; /* sreg & mask ^ xor to dreg; shifts are `other` */
			struct wr_nft_value *mask, *xor;
		} bitwise;
		struct {
			const char *set;
			bool inverted; /* not in it */
			bool has_dreg; /* a map: its data to dreg (NFT_REG_VERDICT: a verdict, which is carried out) */
		} lookup;
		struct {
			int32_t verdict;	    /* dreg NFT_REG_VERDICT: NF_ACCEPT, NF_DROP, NFT_JUMP, … */
			const char *chain;	    /* of a jump or goto; NULL */
			struct wr_nft_value *value; /* any other dreg */
		} immediate;
		struct {
			uint32_t key;	  /* NFT_CT_*; dreg: loaded; dreg 0: set from sreg */
			int8_t direction; /* IP_CT_DIR_*; -1: none */
		} ct;
		struct {
			uint32_t result, flags; /* NFT_FIB_RESULT_*, NFTA_FIB_F_*; to dreg */
		} fib;
		struct {
			uint32_t op, flags; /* NFT_EXTHDR_OP_*, NFT_EXTHDR_F_*; to dreg */
			uint8_t type;
			uint32_t offset, length;
		} exthdr;
		struct {
			uint64_t packets, bytes; /* live only; never compared */
		} counter;
		struct {
			uint64_t rate, unit; /* unit in seconds */
			uint32_t burst, type, flags;
		} limit;
		struct {
			const char *prefix; /* NULL: none */
			uint32_t level, flags;
			int32_t group; /* -1: the kernel's log */
		} log;
		struct {
			uint32_t type; /* NFT_REJECT_* */
			uint8_t code;
		} reject;
		struct {
			uint32_t type, family, flags; /* NFT_NAT_SNAT/DNAT, NFPROTO_*, NF_NAT_RANGE_* */
			uint8_t address_min, address_max, port_min, port_max; /* registers; 0: none */
		} nat; /* flags hold no more than a program says: the kernel adds NF_NAT_RANGE_MAP_IPS, PROTO_SPECIFIED itself,
			  and the decoder takes those two away again */
		struct {
			uint32_t flags;
			uint8_t port_min, port_max; /* registers; 0: none */
		} masq, redir;
		struct {
			const char *set;
			uint32_t op;		/* NFT_DYNSET_OP_* */
			uint8_t key;		/* register */
			uint8_t data;		/* register; 0: none */
			uint64_t timeout_ms;	/* 0: the set's */
			bool inverted, counted; /* counted: with a counter in each element */
		} dynset;
		struct {
			const char *name;
			const uint8_t *bytes; /* NFTA_EXPR_DATA's payload */
			uint32_t length;
			const char *says; /* xt match and target: its name, "conntrack", "DROP"; else NULL */
		} other;
	};
};

struct wr_nft_rule {
	struct wr_nft_expr *exprs;
	size_t n_exprs, capacity_exprs;
	const char *comment; /* NULL: none; at most 128 bytes */
	uint64_t handle;     /* live */
};

struct wr_nft_chain {
	const char *name;
	const char *type; /* "filter", "nat", "route"; NULL: no base chain, reached by jumps only */
	uint32_t hook;	  /* NF_INET_*, NF_BR_*, of a base chain */
	int32_t priority;
	int32_t policy;	    /* NF_ACCEPT, NF_DROP */
	const char *device; /* of a netdev or ingress chain; NULL */
	struct wr_nft_rule *rules;
	size_t n_rules, capacity_rules;
	bool deep; /* live: its rules were read. wanted: true */
};

struct wr_nft_element {
	const uint8_t *key;	/* set->key_length bytes. NULL: the catch-all */
	const uint8_t *key_end; /* of an interval in a concatenation; NULL */
	const uint8_t *data;	/* map->data_length bytes; NULL in a set, and in a verdict map */
	int32_t verdict;	/* of a verdict map */
	const char *chain;	/* of a verdict that jumps; NULL */
	const char *comment;	/* NULL: none. Not compared */
	bool interval_end;	/* the first value behind an interval */
	bool dynamic;		/* live: has a timeout. Not compared, not ours to remove */
	bool counted;		/* live: packets and bytes mean something */
	uint64_t packets, bytes;
	uint64_t timeout_ms, expires_ms; /* live; 0: never */
};

struct wr_nft_set {
	const char *name;
	uint32_t flags;		      /* NFT_SET_*: MAP, INTERVAL, TIMEOUT, EVAL, CONCAT, CONSTANT */
	uint32_t key_type, data_type; /* enum wr_nft_type, concatenated. data_type of a verdict map: NFT_DATA_VERDICT */
	uint32_t key_length, data_length; /* bytes */
	uint8_t fields[8];		  /* NFT_SET_CONCAT: the length in bytes of each part, unpadded */
	uint8_t n_fields;
	uint32_t size;	     /* 0: no limit */
	uint64_t timeout_ms; /* of elements; 0: none */
	const char *comment; /* NULL */
	/* wanted: what loads each part of the key, where a part has no type (WR_NFT_TYPE_INTEGER); nft needs it to list the set.
	 * meta and payload alone. NULL: not needed. Not compared */
	const struct wr_nft_expr *key_loads;
	uint8_t n_key_loads;
	/* live: all that nft keeps beside the set, so that it can be put back as it was; NULL: nothing. Not compared */
	const uint8_t *notes;
	uint16_t notes_length; /* bytes */
	struct wr_nft_element *elements;
	size_t n_elements, capacity_elements;
	bool anonymous; /* live */
	bool deep;	/* live: its elements were read. wanted: true */
	bool kept_apart; /* its elements are somebody else's to set: never compared (what the host had before; who was denied) */
};

struct wr_nft_table {
	struct wr_ns *ns;
	uint8_t family; /* NFPROTO_INET, NFPROTO_IPV4, NFPROTO_IPV6, NFPROTO_BRIDGE, … */
	const char *name;
	const char *comment; /* NULL: none */
	uint32_t flags;	     /* NFT_TABLE_F_* */
	bool ours;	     /* live: by name and comment this network's. wanted: true */
	const char *network; /* live: whose it is, of warren's networks; NULL: none's */
	struct wr_nft_chain *chains;
	size_t n_chains, capacity_chains;
	struct wr_nft_set *sets;
	size_t n_sets, capacity_sets;
	struct wr_nft_table *match; /* scratch of planners */
};

/* --- making them. NULL: out of memory. What is returned moves when the next one is added to the same list. --------------- */

struct wr_nft_table *wr_ns_add_table(struct wr_ns *ns, uint8_t family, const char *name); /* never moves */
struct wr_nft_chain *wr_nft_add_chain(struct wr_arena *arena, struct wr_nft_table *table, const char *name);
struct wr_nft_set *wr_nft_add_set(struct wr_arena *arena, struct wr_nft_table *table, const char *name);
struct wr_nft_rule *wr_nft_add_rule(struct wr_arena *arena, struct wr_nft_chain *chain);
struct wr_nft_element *wr_nft_add_element(struct wr_arena *arena, struct wr_nft_set *set);
struct wr_nft_expr *wr_nft_add_expr(struct wr_arena *arena, struct wr_nft_rule *rule, enum wr_nft_expr_kind kind);

/* --- asking them --------------------------------------------------------------------------------------------------------- */

struct wr_nft_table *wr_ns_find_table(const struct wr_ns *ns, uint8_t family, const char *name); /* NULL: none */
struct wr_nft_chain *wr_nft_find_chain(const struct wr_nft_table *table, const char *name);
struct wr_nft_set *wr_nft_find_set(const struct wr_nft_table *table, const char *name);
const char *wr_nft_expr_name(enum wr_nft_expr_kind kind); /* "meta"; "" for other */
const char *wr_nft_family_name(uint8_t family);		  /* "inet", "ip", "ip6", "bridge", "netdev", "arp" */

/* Equality, by what can be changed: counters, handles and comments of elements do not count; comments of rules do. */
bool wr_nft_expr_equal(const struct wr_nft_expr *a, const struct wr_nft_expr *b);
bool wr_nft_rule_equal(const struct wr_nft_rule *a, const struct wr_nft_rule *b);
/* Head alone, without rules and elements: whether one can become the other without being removed. */
bool wr_nft_chain_same(const struct wr_nft_chain *a, const struct wr_nft_chain *b); /* type, hook, priority, device */
bool wr_nft_set_same(const struct wr_nft_set *a, const struct wr_nft_set *b);	    /* flags, types, lengths, timeout */
bool wr_nft_element_equal(const struct wr_nft_set *set, const struct wr_nft_element *a, const struct wr_nft_element *b);
