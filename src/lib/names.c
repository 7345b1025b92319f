/* names.c: where the namespaces of a network find names: what depends on this machine, and not on the file alone.
 *
 * Theory: the hosts file of a network is one file in the state directory, to which each namespace has a symbolic link; a file
 * for each would grow with the square. A namespace without `dns:` uses this machine's resolv.conf as it is, unless that
 * names only servers on loopback (the stub of systemd-resolved, a dnsmasq): those cannot be reached from inside, and the
 * servers behind them are used, where the stub's keeper wrote them down.
 * Source: resolv.conf(5), systemd-resolved(8), NetworkManager.conf(5). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/ip.h"
#include "base/text.h"
#include "lib/internal.h"
#include "model/model.h"

#define RESOLV_BYTES_MAX 65536

static const char host_resolv[] = "/etc/resolv.conf";
/* Where the keepers of stubs write the servers that they themselves ask. */
static const char *const behind_stub[] = {
	"/run/systemd/resolve/resolv.conf",
	"/run/NetworkManager/no-stub-resolv.conf",
};

/* The address in a line "nameserver ADDRESS"; false when it is another line. *ret_loopback: it cannot be reached from inside. */
static bool read_server(const char *line, size_t length, bool *ret_loopback)
{
	static const char word[] = "nameserver";
	char address[WR_IP_TEXT_MAX];
	size_t at = sizeof word - 1, n;
	struct wr_ip ip;

	if (length <= at || memcmp(line, word, at) != 0 || (line[at] != ' ' && line[at] != '\t'))
		return false;
	while (at < length && (line[at] == ' ' || line[at] == '\t'))
		at++;
	for (n = 0; at + n < length && n + 1 < sizeof address && !strchr(" \t\r%", line[at + n]); n++)
		address[n] = line[at + n];
	address[n] = '\0';
	*ret_loopback = wr_ip_parse(address, &ip) == 0 && wr_ip_is_loopback(&ip);
	return true;
}

/* Copies resolv.conf without its servers on loopback (kept may be NULL) and counts both kinds. */
static void sort_servers(const char *text, struct wr_text *kept, size_t *ret_loopback, size_t *ret_others)
{
	*ret_loopback = *ret_others = 0;
	while (*text) {
		const char *end = strchrnul(text, '\n');
		size_t length = (size_t)(end - text);
		bool is_loopback = false, is_server = read_server(text, length, &is_loopback);

		if (is_server && is_loopback)
			++*ret_loopback;
		else if (is_server)
			++*ret_others;
		if (kept && !(is_server && is_loopback)) {
			wr_text_add_bytes(kept, text, length);
			wr_text_add_char(kept, '\n');
		}
		text = *end ? end + 1 : end;
	}
}

/* The resolv.conf for inside when this machine's is a stub; an empty text when the machine's own will do, or nothing better is
 * known. A file that cannot be read is nothing better. */
static int find_servers(struct wr_text *ret, struct wr_error *reterr)
{
	WR_CLEANUP_FREE char *host = NULL;
	size_t length, loopback, others;

	if (wr_file_read(host_resolv, RESOLV_BYTES_MAX, &host, &length, NULL) < 0)
		return 0;
	sort_servers(host, NULL, &loopback, &others);
	if (!loopback || others)
		return 0;
	for (size_t i = 0; i < sizeof behind_stub / sizeof *behind_stub; i++) {
		WR_CLEANUP_FREE char *behind = NULL;

		if (wr_file_read(behind_stub[i], RESOLV_BYTES_MAX, &behind, &length, NULL) < 0)
			continue;
		sort_servers(behind, ret, &loopback, &others);
		if (others)
			break;
		wr_text_done(ret);
	}
	return wr_text_error(ret) < 0 ? wr_fail_memory(reterr) : 0;
}

/* A text in the model's arena, or the old one when that is the same: a model may be placed many times. */
static int keep(struct wr_model *model, const char **text, const char *now, struct wr_error *reterr)
{
	if (*text && strcmp(*text, now) == 0)
		return 0;
	*text = wr_arena_strdup(model->arena, now);
	return *text ? 0 : wr_fail_memory(reterr);
}

/* STATE/NETWORK/NAME in the arena. */
static int shared_path(struct wr_model *model, const char *state, const char *name, const char **ret,
		       struct wr_error *reterr)
{
	WR_CLEANUP_TEXT struct wr_text path = {0};

	wr_text_addf(&path, "%s/%s/%s", state, model->name, name);
	if (wr_text_error(&path) < 0)
		return wr_fail_memory(reterr);
	return keep(model, ret, wr_text_string(&path), reterr);
}

/* What namespaces that share the files have already, from an earlier time. */
static void find_shared(const struct wr_model *model, const char **hosts, const char **resolv)
{
	*hosts = *resolv = NULL;
	for (size_t i = 0; i < model->n_ns && !(*hosts && *resolv); i++) {
		const struct wr_ns *ns = model->ns[i];

		if (!*hosts && ns->hosts_is_link)
			*hosts = ns->hosts_file;
		if (!*resolv && ns->resolv_is_link)
			*resolv = ns->resolv_file;
	}
}

int wr_model_place_names(struct wr_model *model, const char *state, struct wr_error *reterr)
{
	WR_CLEANUP_TEXT struct wr_text servers = {0};
	const char *hosts, *resolv;
	int r = find_servers(&servers, reterr);

	find_shared(model, &hosts, &resolv);
	if (r == 0)
		r = shared_path(model, state, "hosts", &hosts, reterr);
	if (r == 0 && servers.length)
		r = shared_path(model, state, "resolv.conf", &resolv, reterr);
	if (r == 0 && servers.length)
		r = keep(model, &model->resolv_text, wr_text_string(&servers), reterr);
	else if (r == 0)
		model->resolv_text = NULL;
	if (r < 0)
		return r;
	for (size_t i = 0; i < model->n_ns; i++) {
		struct wr_ns *ns = model->ns[i];

		if (ns->is_host || ns->is_bridge) /* nothing in a bridge's own namespace asks for names */
			continue;
		if (!ns->n_hosts) {
			ns->hosts_is_link = true;
			ns->hosts_file = hosts;
		}
		if (!ns->has_dns) {
			ns->resolv_is_link = model->resolv_text != NULL;
			ns->resolv_file = model->resolv_text ? resolv : NULL;
		}
	}
	return 0;
}
