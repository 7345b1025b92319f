/* decode_nft.h: single messages of nf_tables to what the model holds.
 *
 * Why:       what is in force is compared with what is wanted, shown and followed, whoever wrote it; so nothing of a rule may be
 *            lost on the way in. The kernel's answers and recorded ones are read by the same code: no system call here.
 * Shape:     each decoder takes one message and adds what it says to the namespace's tables: tables first, then chains and
 *            sets, then rules and elements. What is about a table, chain or set that is not there is passed over.
 *            decode_nft_expr.c has one row for each kind of expression; one that no row can say whole is kept as `other`
 *            with its bytes.
 * Normal:    registers are NFT_REG32_00 + n. An upper end that only repeats the lower (address_max, port_max of nat, masq and
 *            redir) is 0, and so are the flags of nat that the kernel adds by itself. A verdict map has no data_length.
 *            Comments are nft's; one that is cut off or not a text is none.
 * Ownership: everything added is in the model's arena; nothing borrows from the message.
 * Errors:    -EBADMSG for a message that contradicts itself or the set that it is about, -ENOMEM.
 * Threads:   one.
 * Source:    include/uapi/linux/netfilter/nf_tables.h; libnftnl's udata.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"
#include "model/nft.h"

struct nlattr;
struct nlmsghdr;
struct wr_error;

/* One namespace while its tables are read. Zeroed but for ns to begin. */
struct wr_nft_reading {
	struct wr_ns *ns;
	/* Found last: messages come in runs that are about one thing. */
	struct wr_nft_table *table;
	struct wr_nft_chain *chain;
	struct wr_nft_set *set;
};

/* NFT_MSG_NEWTABLE. Whose it is (ours, network) is for those who know the network. */
int wr_decode_nft_table(struct wr_nft_reading *reading, const struct nlmsghdr *message, struct wr_error *reterr);
/* NFT_MSG_NEWCHAIN, without its rules. */
int wr_decode_nft_chain(struct wr_nft_reading *reading, const struct nlmsghdr *message, struct wr_error *reterr);
/* NFT_MSG_NEWRULE. */
int wr_decode_nft_rule(struct wr_nft_reading *reading, const struct nlmsghdr *message, struct wr_error *reterr);
/* NFT_MSG_NEWSET, without its elements. */
int wr_decode_nft_set(struct wr_nft_reading *reading, const struct nlmsghdr *message, struct wr_error *reterr);
/* NFT_MSG_NEWSETELEM: as many as it brings. */
int wr_decode_nft_elements(struct wr_nft_reading *reading, const struct nlmsghdr *message, struct wr_error *reterr);

/* --- between decode_nft.c and decode_nft_expr.c -------------------------------------------------------------------------- */

/* The attributes of a list, one after the other. */
struct wr_nft_list {
	const unsigned char *bytes;
	size_t left; /* of the list; not 0 at its end: it stops in the middle of one */
};
struct wr_nft_list wr_decode_nft_list(const struct nlattr *nest);  /* NULL: an empty one */
const struct nlattr *wr_decode_nft_next(struct wr_nft_list *list); /* NULL: that was all */
/* A verdict as data: NF_ACCEPT, NFT_JUMP, … and the chain of a jump, in arena; else NULL. -EBADMSG, -ENOMEM without words. */
int wr_decode_nft_verdict(const struct nlattr *attr, struct wr_arena *arena, int32_t *ret, const char **ret_chain);
/* The numbers of an expression (NFTA_LIST_ELEM of a rule, NFTA_SET_ELEM_EXPR), if it is a counter. */
bool wr_decode_nft_counter(const struct nlattr *attr, uint64_t *ret_packets, uint64_t *ret_bytes);
/* One expression of a rule, into ret. Returns 0, -EBADMSG where not even its name can be read, -ENOMEM. */
int wr_decode_nft_expr(const struct nlattr *attr, struct wr_arena *arena, struct wr_nft_expr *ret,
		       struct wr_error *reterr);
/* The kernel's numbers are in network order. */
uint32_t wr_decode_nft_u32(const struct nlattr *attr);
uint64_t wr_decode_nft_u64(const struct nlattr *attr);
