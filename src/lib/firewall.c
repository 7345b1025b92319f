/* firewall.c: what packet filters do. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "lib/internal.h"
#include "live/filter.h"
#include "live/live.h"
#include "model/model.h"
#include "model/nft.h"
#include "show/firewall.h"

#define HOSTS_BYTES_MAX (64u << 20)

struct gathering {
	struct wr_call *call;
	struct wr_model *model; /* what was read */
	struct wr_firewall_view *views;
	size_t n_views, capacity_views;
	struct wr_error *reterr;
};

static unsigned choose_all(const struct wr_nft_table *table, void *data)
{
	return WR_TABLES_WHOLE;
}

static unsigned choose_networks(const struct wr_nft_table *table, void *data)
{
	return table->network ? WR_TABLES_WHOLE : 0;
}

/* The names of a network's addresses, as they are up. Without them, addresses are shown. */
static const char *read_hosts(struct gathering *gathering, const char *network)
{
	const struct wr_host *host = &gathering->call->host;
	WR_CLEANUP_FREE char *text = NULL;
	WR_CLEANUP_TEXT struct wr_text path = {0};
	size_t length;

	wr_text_addf(&path, "%s/%s/hosts", host->state, network);
	if (wr_text_error(&path) < 0 || wr_file_read(wr_text_string(&path), HOSTS_BYTES_MAX, &text, &length, NULL) < 0)
		return NULL;
	return wr_arena_strdup(gathering->call->arena, text);
}

/* One view for each table of a namespace that was read. pin: whose it is; NULL: the host. */
static int add_views(struct gathering *gathering, const struct wr_ns *ns, const struct wr_pin_entry *pin)
{
	for (size_t i = 0; i < ns->n_tables; i++) {
		const struct wr_nft_table *table = ns->tables[i];
		struct wr_firewall_view *view;

		if (wr_arena_grow(gathering->call->arena, &gathering->views, &gathering->capacity_views,
				  gathering->n_views, sizeof *gathering->views) < 0)
			return wr_fail_memory(gathering->reterr);
		view = &gathering->views[gathering->n_views++];
		*view = (struct wr_firewall_view){.table = table};
		if (pin) {
			view->network = pin->network;
			view->name = pin->name;
			view->pin = pin->pin;
		} else {
			view->network = table->network;
			view->hosts = read_hosts(gathering, table->network);
		}
	}
	return 0;
}

static int gather_host(struct gathering *gathering)
{
	struct wr_host *host = &gathering->call->host;
	struct wr_ns *ns = wr_model_host(gathering->model);
	int r = wr_tables_read(host, &host->self, ns, NULL, choose_networks, NULL, gathering->reterr);

	return r < 0 ? r : add_views(gathering, ns, NULL);
}

static int gather_pin(struct gathering *gathering, const struct wr_pin_entry *pin)
{
	struct wr_host *host = &gathering->call->host;
	struct wr_ns *ns = wr_model_add_ns(gathering->model, pin->pin);
	struct wr_netns *netns;
	int r;

	if (!ns)
		return wr_fail_memory(gathering->reterr);
	r = wr_netns_get(host, pin->pin, &netns, gathering->reterr);
	if (r < 0)
		return r;
	r = wr_tables_read(host, netns, ns, NULL, choose_all, NULL, gathering->reterr);
	wr_netns_close(host, netns); /* one at a time: there may be more of them than descriptors */
	return r < 0 ? r : add_views(gathering, ns, pin);
}

static int gather_one(struct gathering *gathering, const char *name)
{
	struct wr_call *call = gathering->call;
	char network[64], of_network[64];
	struct wr_pin_entry pin = {0};
	bool is_marked;
	int r;

	if (strcmp(name, WR_HOST_NAME) == 0)
		return gather_host(gathering);
	r = wr_call_resolve(call, name, &pin.pin, gathering->reterr);
	if (r == 0)
		r = wr_pin_read_mark(&call->host, pin.pin, network, of_network, &is_marked, gathering->reterr);
	if (r < 0)
		return r;
	if (is_marked) {
		pin.network = wr_arena_strdup(call->arena, network);
		pin.name = wr_arena_strdup(call->arena, of_network);
		if (!pin.network || !pin.name)
			return wr_fail_memory(gathering->reterr);
	}
	return gather_pin(gathering, &pin);
}

static int gather_all(struct gathering *gathering)
{
	struct wr_pin_entry *pins;
	size_t count;
	int r = gather_host(gathering);

	if (r == 0)
		r = wr_call_list(gathering->call, &pins, &count, gathering->reterr);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		if (!pins[i].network)
			continue;
		r = gather_pin(gathering, &pins[i]);
		if (r < 0 && r != -ENOENT && r != -ESTALE) /* gone since the list was made */
			return r;
	}
	return 0;
}

int wr_firewall(struct wr_context *context, const char *ns, enum wr_format format, char **ret, struct wr_error *reterr)
{
	WR_CLEANUP_CALL struct wr_call call = {0};
	WR_CLEANUP_TEXT struct wr_text text = {0};
	struct gathering gathering = {.call = &call};
	struct wr_error error;
	int r;

	gathering.reterr = reterr = reterr ? reterr : &error;
	r = wr_host_check_privilege(reterr);
	if (r == 0)
		r = wr_call_open(&call, context, reterr);
	if (r < 0)
		return r;
	gathering.model = wr_model_new(call.arena, "");
	if (!gathering.model)
		return wr_fail_memory(reterr);
	r = ns ? gather_one(&gathering, ns) : gather_all(&gathering);
	if (r < 0)
		return r;
	switch (format) {
	case WR_FORMAT_TEXT:
		wr_show_firewall_text(gathering.views, gathering.n_views, &text);
		break;
	case WR_FORMAT_JSON:
		wr_show_firewall_json(gathering.views, gathering.n_views, &text);
		break;
	case WR_FORMAT_COMMANDS:
		wr_show_firewall_nft(gathering.views, gathering.n_views, &text);
		break;
	}
	return wr_text_give(&text, ret, reterr);
}
