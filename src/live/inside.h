/* inside.h: everything that is asked of one namespace. Private to live/.
 *
 * Shape:     the questions of a namespace go out in one send, over its socket; the answers are decoded as they come.
 * Errors:    -errno; lists that change while they are read are read again, all of them where one refers to another, at most
 *            16 times. */
#pragma once

#include "live/decode.h"
#include "model/model.h"

struct wr_error;
struct wr_host;
struct wr_netns;

enum wr_inside_what {
	WR_INSIDE_LINKS = 1, /* always asked */
	WR_INSIDE_ADDRESSES = 2,
	WR_INSIDE_ROUTES = 4,	      /* all tables; of the local one only what is ours */
	WR_INSIDE_MAIN_ROUTES = 8,    /* instead: the main table only */
	WR_INSIDE_LOCAL_ROUTES = 512, /* with it: routes of ours in IPv6's local table */
	WR_INSIDE_RULES = 16,
	WR_INSIDE_NEIGHBOURS = 32,
	WR_INSIDE_CONF = 64, /* conf_all and conf_default, as far as netlink tells */
	WR_INSIDE_HOST_NSID = 128,
	WR_INSIDE_MANY = 256, /* thousands of objects are expected */
};

/* Fills reading->ns with what is asked for (enum wr_inside_what, or-ed), masters and peers joined. */
int wr_inside_read(struct wr_host *host, struct wr_netns *netns, struct wr_reading *reading, unsigned what,
		   struct wr_error *reterr);
/* The alias of its lo, in arena; NULL: none. */
int wr_inside_alias(struct wr_netns *netns, struct wr_arena *arena, const char **ret, struct wr_error *reterr);
/* The same of the namespace that netns knows by a number. */
int wr_inside_alias_of(struct wr_netns *netns, int32_t nsid, struct wr_arena *arena, const char **ret,
		       struct wr_error *reterr);
/* What netns calls another namespace; -1: nothing. */
int wr_inside_nsid(struct wr_netns *netns, const struct wr_netns *other, int32_t *ret, struct wr_error *reterr);
/* Reads through files what wanted declares and netlink does not tell: its sysctls, and settings that are still unset. */
int wr_inside_files(struct wr_host *host, struct wr_netns *netns, struct wr_ns *ns, const struct wr_ns *wanted,
		    struct wr_error *reterr);
/* What a new link of the host, and (namespaces) a new namespace starts with. The latter makes one for a moment; where that is
 * not permitted, inherited->known stays false. Not asked for, ns_* stay unset. */
int wr_inside_inherited(struct wr_host *host, struct wr_arena *arena, bool namespaces, struct wr_inherited *inherited,
			struct wr_error *reterr);
