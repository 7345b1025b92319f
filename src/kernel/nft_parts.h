/* nft_parts.h: what nft.c, nft_write.c, nft_notes.c and nft_expr.c share: a transaction while it is written.
 *
 * Shape:     all messages of a transaction in one piece of memory, each with a tag that says which change it is of.
 * Ownership: the caller's: wr_nft_transaction_done frees it.
 * Errors:    -ENOMEM; -EOPNOTSUPP, -EINVAL, -E2BIG and -ENAMETOOLONG for what the kernel has no words for. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct nftnl_expr;
struct wr_error;
struct wr_nft_change;
struct wr_nft_delta;
struct wr_nft_expr;
struct wr_nft_set;

#define WR_NFT_NO_CHANGE UINT32_MAX

/* What a message of a transaction is about. */
struct wr_nft_tag {
	uint32_t change;  /* its number in the delta; WR_NFT_NO_CHANGE: of the beginning and the end */
	uint32_t element; /* of elements: the number of the first in the message */
	size_t offset;	  /* where it begins */
};

struct wr_nft_transaction {
	unsigned char *bytes; /* aligned for struct nlmsghdr */
	size_t length, capacity;
	struct wr_nft_tag *tags;
	size_t count, capacity_tags;
};

/* Adds the messages of a whole delta, with what begins and ends a batch. */
int wr_nft_write(struct wr_nft_transaction *transaction, const struct wr_nft_delta *delta, struct wr_error *reterr);
void wr_nft_transaction_done(struct wr_nft_transaction *transaction);

#define WR_NFT_COMMENT_MAX 128 /* bytes of a comment, as nft holds it */
#define WR_NFT_NOTES_MAX   512 /* more than all notes beside one object take */

/* A comment as nft writes it beside an object of any kind (type: NFTNL_UDATA_*_COMMENT); at most WR_NFT_COMMENT_MAX bytes. Returns
 * the size. */
uint32_t wr_nft_note_comment(uint8_t *bytes, uint8_t type, const char *comment);
/* All that nft writes beside a set. Returns the size. */
uint32_t wr_nft_note_set(uint8_t bytes[WR_NFT_NOTES_MAX], const struct wr_nft_set *set);

#define WR_NFT_EXPR_BYTES 1024 /* more than any expression takes in a message */

/* An expression as libnftnl has it, the caller's to free (or a rule's, once added to one). */
int wr_nft_expr_make(const struct wr_nft_expr *expr, struct nftnl_expr **ret, struct wr_error *reterr);

/* "add element 3 to map publish4 of table inet warren-shop", in words for a message; returns buffer. detail: what of it, counted
 * from 0 (an expression of a rule, an element of a list), or -1. */
#define WR_NFT_WORDS_MAX 640
const char *wr_nft_change_words(const struct wr_nft_change *change, long detail, char buffer[WR_NFT_WORDS_MAX]);
