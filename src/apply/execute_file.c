/* What is a file: settings that only /proc/sys has, the names that resolve inside. */
#include <errno.h>
#include <limits.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apply/executor.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "kernel/sysctl.h"

static int wr_write_setting(struct wr_executor *x, const struct wr_ns *ns, const char *key, const char *value,
			    struct wr_error *reterr)
{
	const struct wr_netns *netns = wr_executor_netns(x, ns, reterr);
	int r;

	if (!netns)
		return -ENOENT;
	r = wr_executor_flush(x, reterr);
	if (r < 0)
		return r;
	r = wr_executor_go(x, netns, reterr);
	if (r == 0)
		r = wr_sysctl_write(x->host, netns, true, key, value, reterr);
	return r;
}

/* A link's IPv4 settings go by netlink, everything else by its file. */
int wr_execute_set_conf(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	static const char *const scopes[] = {[WR_SCOPE_ALL] = "all", [WR_SCOPE_DEFAULT] = "default"};
	const struct wr_conf_row *row = &wr_conf_rows[step->conf];
	const struct wr_conf *conf;
	char key[80], value[16];

	if (step->scope == WR_SCOPE_LINK)
		conf = &step->link->conf;
	else
		conf = step->scope == WR_SCOPE_ALL ? &step->ns->conf_all : &step->ns->conf_default;
	if (step->scope == WR_SCOPE_LINK && row->family == AF_INET) {
		struct wr_batch *batch = wr_executor_batch(x, step->ns, reterr);
		struct ifinfomsg *header;
		size_t spec, family, list;

		if (!batch)
			return -EIO;
		wr_batch_begin(batch, RTM_NEWLINK, 0, (uint32_t)x->current);
		header = wr_batch_header(batch, sizeof *header);
		header->ifi_index = (int)step->link->ifindex;
		spec = wr_put_nest(batch, IFLA_AF_SPEC);
		family = wr_put_nest(batch, AF_INET);
		list = wr_put_nest(batch, IFLA_INET_CONF);
		wr_put_u32(batch, (uint16_t)(row->devconf + 1), (uint32_t)conf->value[step->conf]);
		wr_put_nest_end(batch, list);
		wr_put_nest_end(batch, family);
		wr_put_nest_end(batch, spec);
		return 0;
	}
	wr_conf_key((enum wr_conf_id)step->conf,
		    step->scope == WR_SCOPE_LINK ? step->link->ifname : scopes[step->scope], key);
	snprintf(value, sizeof value, "%d", conf->value[step->conf]);
	return wr_write_setting(x, step->ns, key, value, reterr);
}

/* The kernel may say a value in other words than it was told (8080,8081 as 8080-8081), or not at all: what it says right after
 * it was told is what it must go on saying. */
int wr_execute_set_sysctl(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	char said[4096];
	int r = wr_write_setting(x, step->ns, step->sysctl->key, step->sysctl->value, reterr);

	if (r < 0)
		return r;
	if (wr_sysctl_read(x->host, wr_executor_netns(x, step->ns, reterr), true, step->sysctl->key, said, sizeof said,
			   NULL) < 0) {
		step->sysctl->value = NULL;
		return 0;
	}
	step->sysctl->value = wr_arena_strdup(x->apply->arena, said);
	return step->sysctl->value ? 0 : wr_fail_memory(reterr);
}

/* --- names ------------------------------------------------------------------------------------------------------------- */

static int wr_state_file(const struct wr_executor *x, const char *name, const char *text, struct wr_error *reterr)
{
	struct wr_text WR_CLEANUP_TEXT path = {0};
	int r;

	wr_text_addf(&path, "%s/%s", x->host->state, x->plan->live->name);
	r = wr_file_make_directories(wr_text_string(&path), 0700, reterr);
	if (r < 0)
		return r;
	wr_text_addf(&path, "/%s", name);
	if (wr_text_error(&path) < 0)
		return wr_fail_memory(reterr);
	if (text)
		return wr_file_replace(wr_text_string(&path), text, strlen(text), 0644, reterr);
	if (unlink(wr_text_string(&path)) < 0 && errno != ENOENT)
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot remove %s: %s", wr_text_string(&path),
			       strerror(errno));
	return 0;
}

int wr_execute_write_hosts(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	const struct wr_model *wanted = step->ns->model;
	int r = wr_state_file(x, "hosts", wanted->hosts_text, reterr);

	return r < 0 ? r : wr_state_file(x, "resolv.conf", wanted->resolv_text, reterr);
}

int wr_execute_remove_hosts(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	int r = wr_state_file(x, "hosts", NULL, reterr);

	if (r == 0)
		r = wr_state_file(x, "resolv.conf", NULL, reterr);
	/* Made for the first network; another one's files keep it, and so does anybody's. */
	if (r == 0)
		rmdir(x->host->etc_netns);
	return r;
}

static const char *wr_etc_name(enum wr_step_file which)
{
	return which == WR_FILE_HOSTS ? "hosts" : "resolv.conf";
}

int wr_execute_link_file(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	const struct wr_ns *ns = step->ns;
	bool hosts = step->scope == WR_FILE_HOSTS, is_link = hosts ? ns->hosts_is_link : ns->resolv_is_link;
	const char *content = hosts ? ns->hosts_file : ns->resolv_file;
	struct wr_text WR_CLEANUP_TEXT path = {0};
	int r;

	wr_text_addf(&path, "%s/%s", x->host->etc_netns, ns->pin);
	if (wr_text_error(&path) < 0)
		return wr_fail_memory(reterr);
	if (mkdir(wr_text_string(&path), 0755) < 0 && errno != EEXIST) {
		r = wr_file_make_directories(wr_text_string(&path), 0755, reterr);
		if (r < 0)
			return r;
	}
	wr_text_addf(&path, "/%s", wr_etc_name((enum wr_step_file)step->scope));
	if (wr_text_error(&path) < 0)
		return wr_fail_memory(reterr);
	if (!is_link)
		return wr_file_replace(wr_text_string(&path), content, strlen(content), 0644, reterr);
	if (step->sign == WR_STEP_CHANGE && unlink(wr_text_string(&path)) < 0 && errno != ENOENT)
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot replace %s: %s", wr_text_string(&path),
			       strerror(errno));
	if (symlink(content, wr_text_string(&path)) < 0)
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot make the link %s: %s", wr_text_string(&path),
			       strerror(errno));
	return 0;
}

int wr_execute_unlink_file(struct wr_executor *x, const struct wr_step *step, struct wr_error *reterr)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s/%s", x->host->etc_netns, step->ns->pin,
		 wr_etc_name((enum wr_step_file)step->scope));
	if (unlink(path) < 0 && errno != ENOENT)
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot remove %s: %s", path, strerror(errno));
	return wr_executor_remove_etc(x, step->ns->pin, reterr);
}

/* What a killed writer left half-written goes too; whatever else lies in the directory keeps it. */
int wr_executor_remove_etc(const struct wr_executor *x, const char *pin, struct wr_error *reterr)
{
	static const char *const halves[] = {"hosts" WR_FILE_NEW_SUFFIX, "resolv.conf" WR_FILE_NEW_SUFFIX};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof halves / sizeof halves[0]; i++) {
		snprintf(path, sizeof path, "%s/%s/%s", x->host->etc_netns, pin, halves[i]);
		if (unlink(path) < 0 && errno != ENOENT && errno != ENOTDIR)
			return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot remove %s: %s", path, strerror(errno));
	}
	snprintf(path, sizeof path, "%s/%s", x->host->etc_netns, pin);
	if (rmdir(path) < 0 && errno != ENOTEMPTY && errno != ENOENT && errno != EEXIST)
		return wr_fail(reterr, WR_ERR_SYSTEM, -errno, "cannot remove %s: %s", path, strerror(errno));
	return 0;
}
