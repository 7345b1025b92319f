/* Packet filters: each step is one transaction of the kernel's, and what belongs to it: connections that began under another
 * translation are forgotten, a setting of the host is written after its note. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "apply/executor.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "filter/delta.h"
#include "filter/filter.h"
#include "kernel/conntrack.h"
#include "kernel/nft.h"
#include "kernel/sysctl.h"
#include "model/nft.h"

static int wr_commit(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	struct wr_netns *netns = wr_executor_netns(x, step->ns, reterr);
	int r;

	if (!netns)
		return -ENOENT;
	r = wr_executor_flush(x, reterr);
	if (r == 0)
		r = wr_nft_commit(x->host, netns, step->delta, reterr);
	if (r < 0) {
		struct wr_text WR_CLEANUP_TEXT words = {0};

		wr_step_words(step, &words);
		return wr_fail_context(reterr, "cannot %s %s", wr_step_sign_name((enum wr_step_sign)step->sign),
				       wr_text_string(&words));
	}
	return 0;
}

/* The ports that a change publishes, or does no longer: those without a target. *ret has room for all elements. A new TCP
 * connection is looked up anew by itself; a UDP flow that began before its port was published would never be. */
static size_t wr_changed_ports(const struct wr_nft_change *change, struct wr_publish *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < change->n_elements; i++) {
		char in[16];

		if (!wr_filter_read_publish(change->set, change->elements[i], &ret[n], in))
			continue;
		ret[n].in = NULL;
		if (change->kind == WR_NFT_DEL_ELEMENTS)
			memset(ret[n].to, 0, sizeof ret[n].to);
		n += change->kind == WR_NFT_DEL_ELEMENTS || ret[n].protocol == IPPROTO_UDP;
	}
	return n;
}

/* What the kernel remembers of ports that are published anew, or no longer, began under another translation: it would keep
 * it as long as somebody sends. */
static int wr_forget_connections(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	const struct wr_nft_delta *delta = step->delta;
	struct wr_publish *ports;
	bool known;
	size_t n = 0;

	if (!step->ns->is_host || !delta->n_elements)
		return 0;
	ports = wr_arena_alloc(x->apply->arena, delta->n_elements * sizeof *ports);
	if (!ports)
		return wr_fail_memory(reterr);
	for (size_t i = 0; i < delta->n_changes; i++)
		if (delta->changes[i].kind == WR_NFT_ADD_ELEMENTS || delta->changes[i].kind == WR_NFT_DEL_ELEMENTS)
			n += wr_changed_ports(&delta->changes[i], ports + n);
	return n ? wr_conntrack_forget(x->host, &x->host->self, ports, n, &known, reterr) : 0;
}

int wr_execute_set_filter(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	int r = wr_commit(x, step, reterr);

	return r < 0 ? r : wr_forget_connections(x, step, reterr);
}

/* The ports of a table that goes. */
static int wr_forget_table(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	const struct wr_nft_table *table = step->table;
	struct wr_publish *ports;
	size_t n = 0, room = 0;
	bool known;

	for (size_t i = 0; i < table->n_sets; i++)
		room += table->sets[i].n_elements;
	if (!step->ns->is_host || !room)
		return 0;
	ports = wr_arena_alloc(x->apply->arena, room * sizeof *ports);
	if (!ports)
		return wr_fail_memory(reterr);
	for (size_t i = 0; i < table->n_sets; i++)
		for (size_t k = 0; k < table->sets[i].n_elements; k++) {
			char in[16];

			if (!wr_filter_read_publish(&table->sets[i], &table->sets[i].elements[k], &ports[n], in))
				continue;
			ports[n].in = NULL;
			memset(ports[n++].to, 0, sizeof ports[0].to);
		}
	return n ? wr_conntrack_forget(x->host, &x->host->self, ports, n, &known, reterr) : 0;
}

int wr_execute_del_filter(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	int r = wr_commit(x, step, reterr);

	return r < 0 ? r : wr_forget_table(x, step, reterr);
}

static int wr_write_host(struct wr_executor *x, const struct wr_step *step, int value, struct wr_error *reterr)
{
	const struct wr_borrow *borrow = step->borrow;
	char key[80], text[16];
	int r = wr_executor_flush(x, reterr);

	if (r < 0)
		return r;
	wr_executor_leave(x);
	snprintf(text, sizeof text, "%d", value);
	return wr_sysctl_write(x->host, &x->host->self, true,
			       wr_conf_key((enum wr_conf_id)borrow->conf, borrow->scope, key), text, reterr);
}

int wr_execute_borrow_conf(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	int r = step->delta ? wr_commit(x, step, reterr) : 0;

	return r < 0 ? r : wr_write_host(x, step, step->borrow->value, reterr);
}

/* The setting before its note. An interface that is gone took the setting along. */
int wr_execute_return_conf(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	int r = 0;

	if (wr_borrow_is_returnable(step->borrow))
		r = wr_write_host(x, step, step->borrow->before, reterr);
	if (r == -ENOENT)
		r = 0;
	return r < 0 || !step->delta ? r : wr_commit(x, step, reterr);
}

int wr_execute_open_chain(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	return wr_commit(x, step, reterr);
}

/* A rule that its chain's owner removed meanwhile is gone as it should be. */
int wr_execute_close_chain(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	int r = wr_commit(x, step, reterr);

	return r == -ENOENT ? 0 : r;
}
