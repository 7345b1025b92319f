/* list.c: what is there: the pinned namespaces, the networks, their namespaces. */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "apply/state.h"
#include "base/text.h"
#include "lib/internal.h"
#include "live/live.h"
#include "model/name.h"
#include "show/show.h"

int wr_call_list(struct wr_call *call, struct wr_pin_entry **ret, size_t *ret_count, struct wr_error *reterr)
{
	return wr_live_list(&call->host, call->arena, ret, ret_count, reterr);
}

int wr_list(struct wr_context *context, enum wr_format format, char **ret, struct wr_error *reterr)
{
	WR_CLEANUP_CALL struct wr_call call = {0};
	WR_CLEANUP_TEXT struct wr_text text = {0};
	struct wr_pin_entry *pins;
	struct wr_error error;
	size_t count;
	int r;

	if (!reterr)
		reterr = &error;
	r = wr_call_open(&call, context, reterr);
	if (r == 0)
		r = wr_call_list(&call, &pins, &count, reterr);
	if (r < 0)
		return r;
	switch (format) {
	case WR_FORMAT_TEXT:
		wr_show_pins_text(pins, count, &text);
		break;
	case WR_FORMAT_JSON:
		wr_show_pins_json(pins, count, &text);
		break;
	case WR_FORMAT_COMMANDS:
		return wr_fail(reterr, WR_ERR_USAGE, -EINVAL, "a list is not shown as commands; a plan is");
	}
	return wr_text_give(&text, ret, reterr);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts, and drops what is there twice. */
static size_t sort_names(const char **names, size_t count)
{
	size_t kept = 0;

	if (count == 0)
		return 0;
	qsort(names, count, sizeof *names, compare_names);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || strcmp(names[kept - 1], names[i]) != 0)
			names[kept++] = names[i];
	return kept;
}

int wr_networks(struct wr_context *context, char ***ret, size_t *ret_count, struct wr_error *reterr)
{
	WR_CLEANUP_CALL struct wr_call call = {0};
	const char **kept = NULL, **names;
	size_t n_pins, n_kept = 0, count = 0;
	struct wr_pin_entry *pins;
	struct wr_error error;
	int r;

	if (!reterr)
		reterr = &error;
	r = wr_call_open(&call, context, reterr);
	if (r == 0)
		r = wr_call_list(&call, &pins, &n_pins, reterr);
	/* A network of bridges alone has no namespace that is marked; its file is kept. */
	if (r == 0)
		r = wr_state_networks(&call.host, call.arena, &kept, &n_kept, reterr);
	if (r < 0)
		return r;
	names = wr_arena_alloc(call.arena, (n_pins + n_kept) * sizeof *names);
	if (!names)
		return wr_fail_memory(reterr);
	for (size_t i = 0; i < n_pins; i++)
		if (pins[i].network)
			names[count++] = pins[i].network;
	for (size_t i = 0; i < n_kept; i++)
		names[count++] = kept[i];
	return wr_names_give(names, sort_names(names, count), ret, ret_count, reterr);
}

/* --- marks --------------------------------------------------------------------------------------------------------- */

static const struct wr_attr_policy link_policy[IFLA_IFALIAS + 1] = {
	[IFLA_IFALIAS] = {MNL_TYPE_NUL_STRING, 1},
};

/* The alias in a link message: into a buffer of WR_MARK_MAX, "" when there is none. */
static int read_alias(const struct nlmsghdr *message, char alias[WR_MARK_MAX], struct wr_error *reterr)
{
	const struct nlattr *table[IFLA_IFALIAS + 1];
	size_t length;
	int r;

	alias[0] = '\0';
	r = wr_attr_parse(message, sizeof(struct ifinfomsg), link_policy, IFLA_IFALIAS, table, reterr);
	if (r < 0 || !table[IFLA_IFALIAS])
		return r;
	length = strnlen(mnl_attr_get_payload(table[IFLA_IFALIAS]), mnl_attr_get_payload_len(table[IFLA_IFALIAS]));
	if (length < WR_MARK_MAX) { /* a longer one is none of ours */
		memcpy(alias, mnl_attr_get_payload(table[IFLA_IFALIAS]), length);
		alias[length] = '\0';
	}
	return 0;
}

static int read_lo(const struct nlmsghdr *message, void *data, struct wr_error *reterr)
{
	return read_alias(message, data, reterr);
}

/* A request about links, without the statistics that nobody reads. */
static struct nlmsghdr *begin_request(unsigned char *buffer, size_t size, int index)
{
	struct nlmsghdr *message;
	struct ifinfomsg *header;

	memset(buffer, 0, size);
	message = mnl_nlmsg_put_header(buffer);
	message->nlmsg_type = RTM_GETLINK;
	message->nlmsg_flags = NLM_F_REQUEST;
	header = mnl_nlmsg_put_extra_header(message, sizeof *header);
	header->ifi_index = index;
	mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return message;
}

int wr_pin_read_mark(struct wr_host *host, const char *pin, char ret_network[64], char ret_name[64],
		     bool *ret_is_marked, struct wr_error *reterr)
{
	_Alignas(struct nlmsghdr) unsigned char buffer[256];
	char alias[WR_MARK_MAX], interface[64];
	struct wr_netns *ns;
	int r = wr_netns_get(host, pin, &ns, reterr);

	/* lo is the first link of every namespace */
	if (r == 0)
		r = wr_nl_call(&ns->nl, begin_request(buffer, sizeof buffer, 1), read_lo, alias, reterr);
	if (r < 0)
		return r;
	*ret_is_marked = wr_name_read_mark(alias, ret_network, ret_name, interface) && !interface[0];
	return 0;
}

struct own_bridge {
	const char *mark;
	bool found;
};

static int look_for_bridge(const struct nlmsghdr *message, void *data, struct wr_error *reterr)
{
	struct own_bridge *own = data;
	char alias[WR_MARK_MAX];
	int r = read_alias(message, alias, reterr);

	if (r == 0 && strcmp(alias, own->mark) == 0)
		own->found = true;
	return r;
}

static void forget_bridge(void *data)
{
	((struct own_bridge *)data)->found = false;
}

/* A namespace that only holds a bridge: the bridge has the very mark that its namespace has. */
static int is_bridge_namespace(struct wr_host *host, const struct wr_pin_entry *pin, bool *ret, struct wr_error *reterr)
{
	_Alignas(struct nlmsghdr) unsigned char buffer[256];
	char mark[WR_MARK_MAX];
	struct own_bridge own = {.mark = mark};
	struct nlmsghdr *message;
	struct wr_netns *ns;
	struct nlattr *nest;
	int r = wr_netns_get(host, pin->pin, &ns, reterr);

	if (r < 0)
		return r;
	wr_name_mark(pin->network, pin->name, NULL, mark);
	message = begin_request(buffer, sizeof buffer, 0);
	nest = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, "bridge");
	mnl_attr_nest_end(message, nest);
	r = wr_nl_dump(&ns->nl, message, look_for_bridge, forget_bridge, &own, reterr);
	wr_netns_close(host, ns); /* one at a time: there may be more of them than descriptors */
	if (r < 0)
		return r;
	*ret = own.found;
	return 0;
}

int wr_namespaces(struct wr_context *context, const char *network, char ***ret, size_t *ret_count,
		  struct wr_error *reterr)
{
	WR_CLEANUP_CALL struct wr_call call = {0};
	struct wr_pin_entry *pins;
	size_t n_pins, count = 0;
	struct wr_error error;
	const char **names;
	int r;

	if (!reterr)
		reterr = &error;
	r = wr_call_open(&call, context, reterr);
	if (r == 0)
		r = wr_call_list(&call, &pins, &n_pins, reterr);
	if (r < 0)
		return r;
	names = wr_arena_alloc(call.arena, (n_pins + 1) * sizeof *names);
	if (!names)
		return wr_fail_memory(reterr);
	for (size_t i = 0; i < n_pins; i++) {
		bool is_bridge = false;

		if (!pins[i].network || (network && strcmp(pins[i].network, network) != 0))
			continue;
		r = is_bridge_namespace(&call.host, &pins[i], &is_bridge, reterr);
		if (r == -ENOENT || r == -ESTALE) /* gone since the list was made */
			continue;
		if (r < 0)
			return r;
		if (is_bridge)
			continue;
		names[count] = wr_arena_printf(call.arena, "%s/%s", pins[i].network, pins[i].name);
		if (!names[count++])
			return wr_fail_memory(reterr);
	}
	return wr_names_give(names, sort_names(names, count), ret, ret_count, reterr);
}
