/* nft_parts.h: what the files of the nft printer share. Private to show/.
 *
 * Shape:     nft_value.c prints constants by their type; nft_load.c names what an expression loads; nft_expr.c follows the
 *            registers of a rule and prints its statements, nft_action.c those that do something; nft.c prints tables, sets and
 *            deltas.
 * Errors:    sticky in the wr_text; functions that return bool return false for what nft has no words for. What they added to
 *            the text is then good for people, not for nft. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "model/nft.h"

/* Types beyond those that warren's own sets have, as nft numbers them. */
enum {
	WR_NFT_TYPE_NFPROTO = 2,
	WR_NFT_TYPE_ARPOP = 11,
	WR_NFT_TYPE_ICMP = 14,
	WR_NFT_TYPE_TCPFLAG = 15,
	WR_NFT_TYPE_TIME = 18,
	WR_NFT_TYPE_IFINDEX = 20,
	WR_NFT_TYPE_ARPHRD = 21,
	WR_NFT_TYPE_REALM = 22,
	WR_NFT_TYPE_UID = 24,
	WR_NFT_TYPE_GID = 25,
	WR_NFT_TYPE_CTSTATE = 26,
	WR_NFT_TYPE_CTDIR = 27,
	WR_NFT_TYPE_CTSTATUS = 28,
	WR_NFT_TYPE_PKTTYPE = 31,
	WR_NFT_TYPE_ICMPCODE = 32,
	WR_NFT_TYPE_ICMP6CODE = 33,
	WR_NFT_TYPE_DEVGROUP = 35,
	WR_NFT_TYPE_FIBADDR = 38,
	WR_NFT_TYPE_BOOLEAN = 39,
	/* nft has one type for integers; whose bytes are in host order it knows from the expression. */
	WR_NFT_TYPE_HOST_INTEGER = 63,
};

#define WR_NFT_PARTS_MAX 8 /* of a concatenation */

/* --- nft_value.c --- */

const char *wr_nft_type_name(uint32_t type); /* as `type` in a set; NULL: none that this printer knows */
uint32_t wr_nft_type_length(uint32_t type);  /* bytes; 0: any */
/* The parts of a concatenated type, first to last; how many. */
size_t wr_nft_type_split(uint32_t type, uint32_t parts[WR_NFT_PARTS_MAX]);
bool wr_show_nft_type(struct wr_text *text, uint32_t type); /* "ifname . ether_addr" */
bool wr_show_nft_value(struct wr_text *text, uint32_t type, const uint8_t *bytes, uint32_t length);
/* Values of a type that is a set of bits: "established,related". False when a bit has no name. */
bool wr_show_nft_bits(struct wr_text *text, uint32_t type, const uint8_t *bytes, uint32_t length);
/* From first to last, both included: an address range that is a prefix as one. */
bool wr_show_nft_range(struct wr_text *text, uint32_t type, const uint8_t *first, const uint8_t *last, uint32_t length);
/* The first bytes of an address: "10.2.0.0/16" of 2 bytes. */
void wr_show_nft_prefix(struct wr_text *text, uint32_t type, const uint8_t *bytes, uint32_t bits);
/* In double quotes, in which nft knows no escapes. */
bool wr_show_nft_quoted(struct wr_text *text, const char *string);
/* A name of a table, chain or set. */
bool wr_show_nft_name(struct wr_text *text, const char *name);
void wr_show_nft_hex(struct wr_text *text, const uint8_t *bytes, uint32_t length); /* "0x0a02" */
uint64_t wr_nft_number(uint32_t type, const uint8_t *bytes, uint32_t length);	   /* at most 8 bytes */
bool wr_nft_is_zero(const uint8_t *bytes, uint32_t length);
/* The number of leading one bits of a mask that is nothing else; -1: it is none. */
int wr_nft_mask_bits(const uint8_t *bytes, uint32_t length);

static inline uint32_t wr_nft_padded(uint32_t length)
{
	return (length + 3) / 4 * 4;
}

/* --- reading a rule --- */

/* 4 bytes of the registers. */
struct wr_nft_slot {
	bool filled, first;		     /* first: what was loaded begins here */
	const struct wr_nft_expr *load;	     /* what loaded it; NULL: an immediate, a map */
	const struct wr_nft_value *constant; /* an immediate; else NULL */
	const struct wr_nft_expr *map;	     /* data of this lookup; else NULL */
	const struct wr_nft_value *mask;     /* only these bits of it; NULL: all */
	size_t text, text_length;	     /* how it is said, in reader->loads */
	uint32_t type;			     /* as nft numbers them */
	uint32_t length;		     /* bytes, unpadded */
	bool partial;			     /* the first bytes of an address: a test of it is one of a prefix */
};

struct wr_nft_reader {
	const struct wr_nft_table *table;
	const struct wr_nft_rule *rule;
	struct wr_text *text;
	struct wr_text loads; /* what the slots say */
	struct wr_nft_slot slots[16];
	/* What the rule has tested so far, as far as nft names fields by it. */
	uint16_t network;    /* ETH_P_IP, ETH_P_IPV6, ETH_P_ARP; 0: not known */
	uint8_t transport;   /* IPPROTO_*; 0: not known */
	bool some_transport; /* it was tested at all */
	bool ether;	     /* frames of Ethernet */
	bool counters;	     /* print what they counted */
	bool failed;	     /* something could not be said */
	/* Looks for the first lookup in this set: how its key is said. NULL: does not look. */
	const char *sought;
	struct wr_text *found_text;
	uint32_t *found_lengths; /* of the parts */
	bool found;
};

/* --- nft_load.c: meta, payload, ct, fib, exthdr. Adds how it is said to reader->loads. --- */

struct wr_nft_slot *wr_nft_slot(struct wr_nft_reader *reader, uint8_t reg); /* NULL: no such register */
/* Begins what is loaded to reg: slots are filled and text is what was added to loads from `from` on. */
void wr_nft_fill(struct wr_nft_reader *reader, uint8_t reg, uint32_t type, uint32_t length, size_t from);
/* Whether expr is one of them. */
bool wr_nft_load(struct wr_nft_reader *reader, const struct wr_nft_expr *expr);
/* "mark", "meta priority"; NULL: none. */
const char *wr_nft_meta_name(uint32_t key, uint32_t *ret_type);
const char *wr_nft_ct_name(uint32_t key, uint32_t *ret_type);

/* --- nft_action.c: what does something. --- */

bool wr_nft_act(struct wr_nft_reader *reader, const struct wr_nft_expr *expr);

/* --- nft_expr.c --- */

/* The words of a statement begin: a space before them where something stands. */
void wr_nft_begin(struct wr_nft_reader *reader);
/* How what is in a register is said; a constant by type. */
void wr_nft_say(struct wr_nft_reader *reader, struct wr_text *text, const struct wr_nft_slot *slot, uint32_t type);
/* A key of a set from registers on, as nft says it. set NULL: not known, and not sayable. */
void wr_nft_say_key(struct wr_nft_reader *reader, struct wr_text *text, uint8_t reg, const struct wr_nft_set *set);
/* "@NAME", or what an anonymous set holds. */
void wr_nft_say_set(struct wr_nft_reader *reader, struct wr_text *text, uint8_t reg, const char *name);
/* What cannot be said stands in brackets. */
void wr_nft_unsayable(struct wr_nft_reader *reader, const char *what);
/* "drop", "jump NAME" */
bool wr_show_nft_verdict(struct wr_text *text, int32_t verdict, const char *chain);
/* Whether the first rule of the table that looks something up in this set says how its key is made: in text, with the length
 * of each part. */
bool wr_show_nft_typeof(const struct wr_nft_table *table, const struct wr_nft_set *set, struct wr_text *text,
			uint32_t lengths[WR_NFT_PARTS_MAX]);
/* With counters, when asked. Comment not included. */
bool wr_show_nft_statements(const struct wr_nft_table *table, const struct wr_nft_rule *rule, bool counters,
			    struct wr_text *text);

/* --- nft_set.c --- */

/* "{ a, b }", each in a line of its own behind indent where they are many; indent NULL: all in one line. table: where rules say
 * how keys are made. Elements that expire are left out unless all is set. */
bool wr_show_nft_elements(const struct wr_nft_table *table, const struct wr_nft_set *set,
			  const struct wr_nft_element *const *elements, size_t count, const char *indent,
			  struct wr_text *text);
/* The set's own. */
bool wr_show_nft_set_elements(const struct wr_nft_table *table, const struct wr_nft_set *set, const char *indent,
			      struct wr_text *text);
/* What stands inside the braces of a set's definition, before the elements: each piece between before and after. */
bool wr_show_nft_set_head(const struct wr_nft_table *table, const struct wr_nft_set *set, const char *before,
			  const char *after, struct wr_text *text);

/* --- nft.c --- */

const char *wr_nft_hook_name(uint8_t family, uint32_t hook); /* "input"; NULL: not known */
