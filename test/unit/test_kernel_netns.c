/* Tests of kernel/netns.c, pins.c and sysctl.c in a sandbox: namespaces made, named, found, lost; and settings in them. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/error.h"
#include "kernel/feature.h"
#include "kernel/netns.h"
#include "kernel/sysctl.h"
#include "sandbox.h"

struct machine {
	struct wr_arena *arena;
	struct wr_host host;
	struct wr_error error;
};

static int set_up(void **state)
{
	struct machine *m = calloc(1, sizeof *m);

	assert_non_null(m);
	m->arena = wr_arena_new();
	assert_int_equal(wr_host_open(&m->host, m->arena, "/run/netns", "/run/warren", "/etc/netns", &m->error), 0);
	assert_int_equal(wr_pins_prepare(&m->host, &m->error), 0);
	*state = m;
	return 0;
}

static int tear_down(void **state)
{
	struct machine *m = *state;

	wr_host_close(&m->host);
	wr_arena_free(m->arena);
	free(m);
	return 0;
}

static ino_t own_namespace(void)
{
	struct stat status;

	assert_int_equal(stat("/proc/thread-self/ns/net", &status), 0);
	return status.st_ino;
}

static void test_privilege(void **state)
{
	struct machine *m = *state;

	assert_int_equal(wr_host_check_privilege(&m->error), 0);
}

/* Asked in a way that makes nothing, whatever the answer. */
static void test_features(void **state)
{
	struct machine *m = *state;
	bool has = false;

	assert_int_equal(wr_feature_has_link_kind(&m->host.self.nl, "veth", &has, &m->error), 0);
	assert_true(has);
	assert_int_equal(wr_feature_has_link_kind(&m->host.self.nl, "no-such-kind", &has, &m->error), 0);
	assert_false(has);
	assert_int_equal(if_nametoindex("veth0"), 0);
}

static void test_life(void **state)
{
	struct machine *m = *state;
	struct wr_netns *ns, *again;
	ino_t home = own_namespace();

	assert_int_equal(wr_pin_state(&m->host, "t.a", &m->error), WR_PIN_ABSENT);
	assert_int_equal(wr_netns_get(&m->host, "t.a", &ns, &m->error), -ENOENT);
	assert_int_equal(wr_netns_create(&m->host, "t.a", &ns, &m->error), 0);
	assert_true(own_namespace() != home);
	assert_int_not_equal(ns->cookie, 0);
	assert_int_not_equal(ns->cookie, m->host.self.cookie);
	wr_netns_leave(&m->host);
	assert_true(own_namespace() == home);
	assert_int_equal(wr_netns_pin(&m->host, ns, &m->error), 0);
	assert_int_equal(wr_pin_state(&m->host, "t.a", &m->error), WR_PIN_NAMESPACE);
	assert_int_equal(wr_netns_pin(&m->host, ns, &m->error), -EEXIST);
	assert_int_equal(wr_netns_look(&m->host, "t.a", &again, &m->error), 0);
	assert_ptr_equal(ns, again);
	/* another holder of the machine finds the same one */
	wr_netns_close(&m->host, ns);
	assert_int_equal(wr_netns_get(&m->host, "t.a", &again, &m->error), 0);
	assert_true(own_namespace() == home);
	/* its name goes, it lives on */
	assert_int_equal(wr_netns_unpin(&m->host, again, &m->error), 0);
	assert_int_equal(wr_netns_unpin(&m->host, again, &m->error), 0);
	assert_int_equal(wr_pin_state(&m->host, "t.a", &m->error), WR_PIN_ABSENT);
	assert_int_equal(wr_netns_look(&m->host, "t.a", &ns, &m->error), -ENOENT);
	assert_int_equal(wr_netns_enter(again, &m->error), 0);
	wr_netns_leave(&m->host);
	assert_int_equal(wr_netns_pin(&m->host, again, &m->error), 0);
	assert_int_equal(wr_netns_unpin(&m->host, again, &m->error), 0);
}

static void make_file(const char *path, const char *content)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	close(fd);
}

static void test_what_is_no_namespace(void **state)
{
	struct machine *m = *state;
	struct wr_netns *ns;

	/* an empty file is what a kill leaves: it is taken over */
	make_file("/run/netns/t.stale", "");
	assert_int_equal(wr_pin_state(&m->host, "t.stale", &m->error), WR_PIN_STALE);
	assert_int_equal(wr_netns_get(&m->host, "t.stale", &ns, &m->error), -ESTALE);
	assert_int_equal(wr_netns_create(&m->host, "t.stale", &ns, &m->error), 0);
	wr_netns_leave(&m->host);
	assert_int_equal(wr_netns_pin(&m->host, ns, &m->error), 0);
	assert_int_equal(wr_netns_unpin(&m->host, ns, &m->error), 0);
	make_file("/run/netns/t.stale", "");
	assert_int_equal(wr_pin_remove_stale(&m->host, "t.stale", &m->error), 0);
	assert_int_equal(wr_pin_remove_stale(&m->host, "t.stale", &m->error), 0);
	/* everything else is not */
	make_file("/run/netns/t.file", "x");
	assert_int_equal(symlink("/proc/self/ns/net", "/run/netns/t.link"), 0);
	assert_int_equal(mkdir("/run/netns/t.directory", 0755), 0);
	assert_int_equal(mkfifo("/run/netns/t.fifo", 0600), 0);
	make_file("/run/netns/t.mount", "");
	assert_int_equal(mount("/proc/self/ns/user", "/run/netns/t.mount", "none", MS_BIND, NULL), 0);
	assert_int_equal(wr_pin_state(&m->host, "t.file", &m->error), WR_PIN_OTHER);
	assert_int_equal(wr_pin_state(&m->host, "t.link", &m->error), WR_PIN_OTHER);
	assert_int_equal(wr_pin_state(&m->host, "t.directory", &m->error), WR_PIN_OTHER);
	assert_int_equal(wr_pin_state(&m->host, "t.fifo", &m->error), WR_PIN_OTHER);
	assert_int_equal(wr_netns_get(&m->host, "t.file", &ns, &m->error), -ESTALE);
	assert_int_equal(wr_netns_get(&m->host, "t.fifo", &ns, &m->error), -ESTALE);
	assert_int_equal(wr_netns_get(&m->host, "t.mount", &ns, &m->error), -EINVAL);
	assert_int_equal(wr_pin_remove_stale(&m->host, "t.file", &m->error), -EEXIST);
	assert_int_equal(wr_netns_create(&m->host, "t.file", &ns, &m->error), 0);
	wr_netns_leave(&m->host);
	assert_int_equal(wr_netns_pin(&m->host, ns, &m->error), -EEXIST);
	assert_int_equal(wr_netns_unpin(&m->host, ns, &m->error), -EEXIST);
	assert_int_equal(wr_pin_state(&m->host, "t.file", &m->error), WR_PIN_OTHER);
	assert_int_equal(wr_netns_get(&m->host, "../t", &ns, &m->error), -EINVAL);
	assert_int_equal(wr_netns_get(&m->host, "..", &ns, &m->error), -EINVAL);
}

/* Another namespace has taken the name: that one keeps it, and is the one that is found. */
static void test_name_taken_over(void **state)
{
	struct machine *m = *state;
	struct wr_netns *first, *second, *found;

	assert_int_equal(wr_netns_create(&m->host, "t.b", &first, &m->error), 0);
	wr_netns_leave(&m->host);
	assert_int_equal(wr_netns_pin(&m->host, first, &m->error), 0);
	assert_int_equal(umount2("/run/netns/t.b", MNT_DETACH), 0);
	assert_int_equal(wr_netns_create(&m->host, "t.c", &second, &m->error), 0);
	wr_netns_leave(&m->host);
	assert_int_equal(wr_netns_pin(&m->host, second, &m->error), 0);
	assert_int_equal(mount("/run/netns/t.c", "/run/netns/t.b", "none", MS_BIND, NULL), 0);
	assert_int_equal(wr_netns_unpin(&m->host, first, &m->error), -EBUSY);
	assert_int_equal(wr_pin_state(&m->host, "t.b", &m->error), WR_PIN_NAMESPACE);
	assert_int_equal(wr_netns_look(&m->host, "t.b", &found, &m->error), 0);
	assert_true(found->cookie == second->cookie && found != second);
	assert_int_equal(wr_netns_unpin(&m->host, found, &m->error), 0);
	assert_int_equal(wr_netns_unpin(&m->host, second, &m->error), 0);
}

struct visits {
	unsigned count, namespaces, stale;
};

static int visit(const char *pin, enum wr_pin_state state, void *data)
{
	struct visits *visits = data;

	visits->count++;
	visits->namespaces += state == WR_PIN_NAMESPACE;
	visits->stale += state == WR_PIN_STALE;
	return visits->count > 100 ? -E2BIG : 0;
}

static void test_each(void **state)
{
	struct machine *m = *state;
	struct visits before = {0}, after = {0};
	struct wr_netns *ns;

	assert_int_equal(wr_pins_each(&m->host, visit, &before, &m->error), 0);
	make_file("/run/netns/t.each", "");
	assert_int_equal(wr_netns_create(&m->host, "t.each2", &ns, &m->error), 0);
	wr_netns_leave(&m->host);
	assert_int_equal(wr_netns_pin(&m->host, ns, &m->error), 0);
	assert_int_equal(wr_pins_each(&m->host, visit, &after, &m->error), 0);
	assert_int_equal(after.count, before.count + 2);
	assert_int_equal(after.namespaces, before.namespaces + 1);
	assert_int_equal(after.stale, before.stale + 1);
	assert_int_equal(wr_netns_unpin(&m->host, ns, &m->error), 0);
	m->host.pins = "/run/nowhere";
	assert_int_equal(wr_pins_each(&m->host, visit, &after, &m->error), 0);
}

static void test_reserve(void **state)
{
	struct machine *m = *state;
	struct rlimit limit = {.rlim_cur = 64, .rlim_max = 128};

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(wr_host_reserve(&m->host, 20, &m->error), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_true(limit.rlim_cur >= 40);
	/* capabilities of a user namespace do not lift the hard limit */
	assert_int_equal(wr_host_reserve(&m->host, 10000, &m->error), -EMFILE);
	assert_string_not_equal(m->error.mend, "");
}

static void test_sysctl(void **state)
{
	struct machine *m = *state;
	struct wr_netns *ns;
	struct wr_batch batch;
	struct wr_batch_failure failure;
	char value[64], key[80];
	size_t nest;

	assert_int_equal(wr_netns_create(&m->host, NULL, &ns, &m->error), 0);
	wr_batch_init(&batch, &ns->nl);
	wr_batch_begin(&batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	wr_batch_header(&batch, sizeof(struct ifinfomsg));
	wr_put_string(&batch, IFLA_IFNAME, "br.100");
	nest = wr_put_nest(&batch, IFLA_LINKINFO);
	wr_put_string(&batch, IFLA_INFO_KIND, "bridge");
	wr_put_nest_end(&batch, nest);
	assert_int_equal(wr_batch_send(&batch, 0, &failure, &m->error), 0);
	wr_batch_done(&batch);
	assert_int_equal(wr_sysctl_write(&m->host, ns, true, "net.ipv4.conf.br/100.proxy_arp", "1", &m->error), 0);
	wr_netns_leave(&m->host);
	/* more often than one instance of proc is used */
	for (int i = 0; i < 120; i++) {
		assert_int_equal(wr_sysctl_read(&m->host, ns, false, "net.ipv4.conf.br/100.proxy_arp", value,
						sizeof value, &m->error),
				 0);
		assert_string_equal(value, "1");
		assert_int_equal(wr_sysctl_read(&m->host, &m->host.self, false, "net.ipv4.conf.default.proxy_arp",
						value, sizeof value, &m->error),
				 0);
		assert_string_equal(value, "0");
	}
	assert_int_equal(wr_sysctl_read(&m->host, ns, false, "net.ipv4.tcp_rmem", value, sizeof value, &m->error), 0);
	assert_non_null(strchr(value, '\t'));
	assert_int_equal(wr_sysctl_read(&m->host, ns, false, "net.ipv4.no_such_thing", value, sizeof value, &m->error),
			 -ENOENT);
	assert_int_equal(wr_sysctl_write(&m->host, ns, false, "net.ipv4.tcp_syn_retries", "many", &m->error), -EINVAL);
	for (size_t i = 0; i < 7; i++) {
		static const char *const wrong[] = {"",	      ".", "net..ipv4", ".net", "net.ipv4.", "net.//.//.kernel",
						    "net./.x"};

		snprintf(key, sizeof key, "%s", wrong[i]);
		assert_int_equal(wr_sysctl_read(&m->host, ns, false, key, value, sizeof value, &m->error), -EINVAL);
	}
	wr_netns_close(&m->host, ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_privilege, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_features, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_life, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_no_namespace, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_name_taken_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_each, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sysctl, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reserve, set_up, tear_down),
	};

	if (!sandbox_enter())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
