/* nft_notes.c: what nft(8) keeps beside tables, rules, sets and elements, so that it can list them as they were written.
 *
 * The kernel keeps these bytes and does not read them. Each note is a type, a length in one byte, and the value; one that
 * holds others has them as its value. */
#include <string.h>

#include <netinet/in.h> /* before linux/in.h */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <libnftnl/udata.h>

#include "kernel/nft_parts.h"
#include "model/nft.h"

#define TYPEOF_PARTS_MAX 4 /* parts of a key that nft is told how to say: with a comment, as much as the kernel keeps */

enum { ORDER_UNKNOWN, ORDER_HOST, ORDER_NETWORK }; /* of bytes, as nft notes it beside a set */

uint32_t wr_nft_note_comment(uint8_t *bytes, uint8_t type, const char *comment)
{
	size_t size = strlen(comment) + 1;

	bytes[0] = type;
	bytes[1] = (uint8_t)size;
	memcpy(bytes + 2, comment, size);
	return (uint32_t)size + 2;
}

/* How nft is to read a value of a type: those of the kernel's own counting are in the machine's order. */
static uint32_t byte_order(uint32_t type)
{
	if (type > 0x3f || type == WR_NFT_TYPE_VERDICT)
		return ORDER_UNKNOWN; /* of several parts, or none */
	return type == WR_NFT_TYPE_MARK || type == WR_NFT_TYPE_IFNAME ? ORDER_HOST : ORDER_NETWORK;
}

static uint32_t write_number(uint8_t *bytes, uint8_t type, uint32_t number)
{
	bytes[0] = type;
	bytes[1] = sizeof number;
	memcpy(bytes + 2, &number, sizeof number);
	return 2 + sizeof number;
}

/* nft's numbers of its own expressions, and of their attributes, as it keeps them with a set. */
enum nft_words {
	WORDS_EXPR = 0, /* of an expression: its kind, what it is made of */
	WORDS_DATA = 1,
	WORDS_PAYLOAD = 7, /* kinds */
	WORDS_META = 9,
	WORDS_CONCAT = 13,
};

/* Begins what holds others: its length comes when they are there. */
static uint32_t begin_words(uint8_t *bytes, uint8_t type)
{
	bytes[0] = type;
	return 2;
}

static uint32_t write_load(uint8_t *bytes, const struct wr_nft_expr *load)
{
	bool is_meta = load->kind == WR_NFT_meta;
	uint32_t size = write_number(bytes, WORDS_EXPR, is_meta ? WORDS_META : WORDS_PAYLOAD), data = size;

	size += begin_words(bytes + size, WORDS_DATA);
	if (is_meta) {
		size += write_number(bytes + size, 0, load->meta.key);
	} else {
		size += write_number(bytes + size, 0, 0); /* of no known protocol, no known field */
		size += write_number(bytes + size, 1, 0);
		size += write_number(bytes + size, 2, load->payload.base + 1); /* nft counts from 1 */
		size += write_number(bytes + size, 3, load->payload.offset * 8);
		size += write_number(bytes + size, 4, load->payload.length * 8);
	}
	bytes[data + 1] = (uint8_t)(size - data - 2);
	return size;
}

/* "typeof A . B": the key as a concatenation of what loads its parts. */
static uint32_t write_typeof(uint8_t *bytes, const struct wr_nft_set *set)
{
	uint32_t size = begin_words(bytes, NFTNL_UDATA_SET_KEY_TYPEOF), data;

	size += write_number(bytes + size, WORDS_EXPR, WORDS_CONCAT);
	data = size;
	size += begin_words(bytes + size, WORDS_DATA);
	for (uint8_t i = 0; i < set->n_key_loads; i++) {
		uint32_t part = size;

		size += begin_words(bytes + size, i);
		size += write_load(bytes + size, &set->key_loads[i]);
		bytes[part + 1] = (uint8_t)(size - part - 2);
	}
	bytes[data + 1] = (uint8_t)(size - data - 2);
	bytes[1] = (uint8_t)(size - 2);
	return size;
}

uint32_t wr_nft_note_set(uint8_t bytes[WR_NFT_NOTES_MAX], const struct wr_nft_set *set)
{
	uint32_t size;

	if (set->notes != NULL && set->notes_length <= WR_NFT_NOTES_MAX) {
		memcpy(bytes, set->notes, set->notes_length);
		return set->notes_length;
	}
	size = write_number(bytes, NFTNL_UDATA_SET_KEYBYTEORDER, byte_order(set->key_type));
	if ((set->flags & NFT_SET_MAP) != 0)
		size += write_number(bytes + size, NFTNL_UDATA_SET_DATABYTEORDER,
				     set->data_type == NFT_DATA_VERDICT ? ORDER_UNKNOWN : byte_order(set->data_type));
	if (set->key_loads != NULL && set->n_key_loads <= TYPEOF_PARTS_MAX)
		size += write_typeof(bytes + size, set);
	if (set->comment != NULL)
		size += wr_nft_note_comment(bytes + size, NFTNL_UDATA_SET_COMMENT, set->comment);
	return size;
}
