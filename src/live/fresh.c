/* fresh.c: settings as they are in a namespace that nobody has touched: made for the moment, seen by no one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "kernel/netns.h"
#include "kernel/sysctl.h"
#include "live/live.h"

#define KEY_MAX	  512
#define VALUE_MAX 4096

/* A key that names an interface becomes the one from which a new interface takes its value. */
static void key_of_default(const char *key, char ret[KEY_MAX])
{
	/* Neighbour tables have a `default` in the first namespace only; in all others lo shows it. */
	static const struct {
		const char *family, *scope;
	} rows[] = {{"net.ipv4.conf.", "default"},
		    {"net.ipv6.conf.", "default"},
		    {"net.ipv4.neigh.", "lo"},
		    {"net.ipv6.neigh.", "lo"}};

	snprintf(ret, KEY_MAX, "%s", key);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *scope = key + strlen(rows[i].family), *rest;

		if (!wr_text_starts(key, rows[i].family))
			continue;
		rest = strchr(scope, '.');
		if (rest && !wr_text_starts(scope, "all."))
			snprintf(ret, KEY_MAX, "%s%s%s", rows[i].family, rows[i].scope, rest);
		return;
	}
}

int wr_live_fresh_sysctls(struct wr_host *host, const char *const *keys, size_t n, struct wr_arena *arena,
			  const char **ret_values, struct wr_error *reterr)
{
	struct wr_netns *netns = NULL;
	int r = wr_netns_create(host, NULL, &netns, reterr);

	if (r < 0)
		return wr_fail_context(reterr, "cannot look into a new namespace");
	for (size_t i = 0; r == 0 && i < n; i++) {
		char key[KEY_MAX], value[VALUE_MAX];

		key_of_default(keys[i], key);
		ret_values[i] = NULL;
		if (wr_sysctl_read(host, netns, true, key, value, sizeof value, NULL) < 0)
			continue;
		ret_values[i] = wr_arena_strdup(arena, value);
		if (!ret_values[i])
			r = wr_fail_memory(reterr);
	}
	wr_netns_leave(host);
	wr_netns_close(host, netns);
	return r;
}
