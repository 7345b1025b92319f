/* Tests of live/observe.c against the kernel in a sandbox: whose things are, cables across namespaces, what is found without
 * a wanted model, what has lost its mark, files, and what a new namespace inherits. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/error.h"
#include "kernel/netns.h"
#include "kernel/sysctl.h"
#include "live/live.h"
#include "model/name.h"
#include "sandbox.h"

struct machine {
	struct wr_arena *arena;
	struct wr_host host;
	struct wr_model *wanted;
	struct wr_netns *web, *app;
	struct wr_error error;
};

static void send_batch(struct machine *m, struct wr_batch *batch)
{
	struct wr_batch_failure failure = {0};

	if (wr_batch_send(batch, 0, &failure, &m->error) < 0)
		fail_msg("message %u: %s", failure.tag, m->error.text);
	wr_batch_done(batch);
}

static void set_link(struct wr_batch *batch, uint32_t tag, const char *ifname, const char *alias, bool up)
{
	struct ifinfomsg *header;

	wr_batch_begin(batch, RTM_NEWLINK, 0, tag);
	header = wr_batch_header(batch, sizeof *header);
	header->ifi_change = up ? IFF_UP : 0;
	header->ifi_flags = header->ifi_change;
	wr_put_string(batch, IFLA_IFNAME, ifname);
	if (alias != NULL)
		wr_put_string(batch, IFLA_IFALIAS, alias);
}

/* A cable from the batch's namespace to another one. */
static void add_cable(struct wr_batch *batch, const char *ifname, const struct wr_mac *mac, const char *peer,
		      int peer_fd)
{
	size_t info, data, end;

	wr_batch_begin(batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 100);
	wr_batch_header(batch, sizeof(struct ifinfomsg));
	wr_put_string(batch, IFLA_IFNAME, ifname);
	if (mac != NULL)
		wr_put(batch, IFLA_ADDRESS, mac, sizeof *mac);
	info = wr_put_nest(batch, IFLA_LINKINFO);
	wr_put_string(batch, IFLA_INFO_KIND, "veth");
	data = wr_put_nest(batch, IFLA_INFO_DATA);
	end = wr_put_nest(batch, VETH_INFO_PEER);
	wr_batch_header(batch, sizeof(struct ifinfomsg));
	wr_put_string(batch, IFLA_IFNAME, peer);
	wr_put_u32(batch, IFLA_NET_NS_FD, (uint32_t)peer_fd);
	wr_put_nest_end(batch, end);
	wr_put_nest_end(batch, data);
	wr_put_nest_end(batch, info);
}

static struct wr_netns *make_ns(struct machine *m, const char *pin, const char *mark)
{
	struct wr_netns *ns;
	struct wr_batch batch;

	assert_int_equal(wr_netns_create(&m->host, pin, &ns, &m->error), 0);
	wr_netns_leave(&m->host);
	wr_batch_init(&batch, &ns->nl);
	set_link(&batch, 1, "lo", mark, true);
	send_batch(m, &batch);
	assert_int_equal(wr_netns_pin(&m->host, ns, &m->error), 0);
	return ns;
}

static struct wr_ns *want_ns(struct machine *m, const char *name)
{
	struct wr_ns *ns = wr_model_add_ns(m->wanted, name);
	struct wr_link *eth0;

	ns->pin = wr_arena_printf(m->arena, "shop.%s", name);
	wr_ns_add_link(ns, WR_LINK_LOOPBACK, "lo");
	eth0 = wr_ns_add_link(ns, WR_LINK_VETH, "eth0");
	eth0->mac = wr_name_mac("shop", name, "eth0", "");
	eth0->mac_set = true;
	return ns;
}

/* web and app: eth0 of web to the host, eth1 of web to eth0 of app; an address and a route in web. */
static int set_up(void **state)
{
	struct machine *m = calloc(1, sizeof *m);
	static const unsigned char address[4] = {10, 0, 0, 2}, gateway[4] = {10, 0, 0, 1};
	struct ifaddrmsg *ifa;
	struct rtmsg *route;
	struct wr_batch batch;

	assert_non_null(m);
	m->arena = wr_arena_new();
	assert_int_equal(wr_host_open(&m->host, m->arena, "/run/netns", "/run/warren", "/run/etc", &m->error), 0);
	assert_int_equal(wr_pins_prepare(&m->host, &m->error), 0);
	m->wanted = wr_model_new(m->arena, "shop");
	want_ns(m, "web")->conf_default.value[WR_CONF_V6_DISABLE] = 1;
	want_ns(m, "app");
	m->web = make_ns(m, "shop.web", "warren:shop.web");
	m->app = make_ns(m, "shop.app", "warren:shop.app");
	wr_batch_init(&batch, &m->web->nl);
	add_cable(&batch, "eth0", &m->wanted->ns[1]->links[1]->mac, "shop-web-eth0", m->host.self.fd);
	add_cable(&batch, "eth1", NULL, "eth0", m->app->fd);
	set_link(&batch, 2, "eth0", "warren:shop.web.eth0", true);
	wr_batch_begin(&batch, RTM_NEWADDR, NLM_F_CREATE, 3);
	ifa = wr_batch_header(&batch, sizeof *ifa);
	*ifa = (struct ifaddrmsg){.ifa_family = AF_INET, .ifa_prefixlen = 24};
	ifa->ifa_index = 2;
	wr_put(&batch, IFA_LOCAL, address, sizeof address);
	wr_put_u8(&batch, 11 /* IFA_PROTO */, WR_PROTOCOL);
	wr_batch_begin(&batch, RTM_NEWROUTE, NLM_F_CREATE, 4);
	route = wr_batch_header(&batch, sizeof *route);
	*route = (struct rtmsg){.rtm_family = AF_INET,
				.rtm_table = RT_TABLE_MAIN,
				.rtm_type = RTN_UNICAST,
				.rtm_protocol = WR_PROTOCOL};
	wr_put(&batch, RTA_GATEWAY, gateway, sizeof gateway);
	send_batch(m, &batch);
	wr_batch_init(&batch, &m->host.self.nl);
	set_link(&batch, 5, "shop-web-eth0", "warren:shop.web.eth0", true);
	send_batch(m, &batch);
	*state = m;
	return 0;
}

static int tear_down(void **state)
{
	struct machine *m = *state;
	struct wr_batch batch;

	wr_batch_init(&batch, &m->host.self.nl);
	wr_batch_begin(&batch, RTM_DELLINK, 0, 0);
	wr_batch_header(&batch, sizeof(struct ifinfomsg));
	wr_put_string(&batch, IFLA_IFNAME, "shop-web-eth0");
	send_batch(m, &batch);
	wr_netns_unpin(&m->host, m->web, &m->error);
	wr_netns_unpin(&m->host, m->app, &m->error);
	wr_host_close(&m->host);
	wr_arena_free(m->arena);
	free(m);
	return 0;
}

static struct wr_model *observe(struct machine *m, struct wr_live_request request)
{
	struct wr_model *live = NULL;

	request.network = "shop";
	if (wr_live_observe(&m->host, &request, m->arena, &live, &m->error) < 0)
		fail_msg("%s", m->error.text);
	return live;
}

static void test_full(void **state)
{
	struct machine *m = *state;
	struct wr_live_request request = {.wanted = m->wanted, .depth = WR_LIVE_FULL};
	struct wr_model *live = observe(m, request);
	struct wr_ns *web = wr_model_find_ns(live, "web"), *app = wr_model_find_ns(live, "app");
	struct wr_link *eth0, *port, *eth1;
	struct wr_ns *late;

	assert_true(live->live && web && app);
	assert_true(web->ours && web->deep && !web->stale);
	assert_string_equal(web->alias, "warren:shop.web");
	assert_string_equal(web->pin, "shop.web");
	assert_int_equal(web->cookie, m->web->cookie);
	assert_int_equal(web->n_links, 3);
	eth0 = wr_ns_find_link(web, "eth0");
	eth1 = wr_ns_find_link(web, "eth1");
	port = wr_ns_find_link(wr_model_host(live), "shop-web-eth0");
	assert_true(eth0 && eth1 && port);
	assert_true(eth0->ours && port->ours && !eth1->ours);
	assert_string_equal(eth0->name, "eth0");
	assert_string_equal(port->name, "web.eth0");
	assert_ptr_equal(eth0->peer, port);
	assert_ptr_equal(port->peer, eth0);
	assert_ptr_equal(eth1->peer, wr_ns_find_link(app, "eth0"));
	assert_ptr_equal(wr_ns_find_link(app, "eth0")->peer, eth1);
	assert_int_equal(eth0->n_addresses, 1);
	assert_true(eth0->addresses[0].marked);
	assert_true(web->n_routes >= 2);
	assert_int_equal(web->conf_default.value[WR_CONF_V4_FORWARDING], 0);
	assert_int_equal(web->conf_default.value[WR_CONF_V6_DISABLE], WR_CONF_UNSET); /* netlink does not tell it */
	assert_int_equal(web->conf_all.value[WR_CONF_V4_FORWARDING], 0);
	/* What a new namespace is born with is asked for when one is to be made. */
	assert_true(live->inherited.known);
	assert_int_equal(live->inherited.ns_default.value[WR_CONF_V4_FORWARDING], WR_CONF_UNSET);
	late = wr_model_add_ns(m->wanted, "late");
	assert_non_null(late);
	late->pin = "shop.late";
	live = observe(m, request);
	assert_true(live->inherited.known);
	for (int id = 0; id < WR_CONF_V6_FORCE_FORWARDING; id++)
		assert_int_not_equal(live->inherited.ns_default.value[id], WR_CONF_UNSET);
	request.skip_inherited = request.only_wanted = true;
	live = observe(m, request);
	assert_false(live->inherited.known);
}

static void test_without_wanted(void **state)
{
	struct machine *m = *state;
	struct wr_netns *other = make_ns(m, "other", "warren:else.web"),
			*stray = make_ns(m, "stray", "warren:shop.lost");
	struct wr_model *live = observe(m, (struct wr_live_request){.depth = WR_LIVE_MARKS, .skip_inherited = true});

	assert_int_equal(live->n_ns, 4);
	assert_non_null(wr_model_find_ns(live, "web"));
	assert_non_null(wr_model_find_ns(live, "app"));
	assert_string_equal(wr_model_find_ns(live, "lost")->pin, "stray");
	assert_false(wr_model_find_ns(live, "web")->deep);
	assert_true(wr_ns_find_link(wr_model_host(live), "shop-web-eth0")->ours);
	live = observe(m, (struct wr_live_request){.wanted = m->wanted, .depth = WR_LIVE_MARKS, .only_wanted = true});
	assert_int_equal(live->n_ns, 3);
	wr_netns_unpin(&m->host, other, NULL);
	wr_netns_unpin(&m->host, stray, NULL);
}

static void test_lost_marks(void **state)
{
	struct machine *m = *state;
	struct wr_live_request request = {.wanted = m->wanted, .depth = WR_LIVE_FULL, .skip_inherited = true};
	struct wr_batch batch;
	struct wr_model *live;
	struct wr_ns *web;

	/* without its mark on lo: the marked eth0 inside says whose it is */
	wr_batch_init(&batch, &m->web->nl);
	set_link(&batch, 1, "lo", "", true);
	send_batch(m, &batch);
	live = observe(m, request);
	web = wr_model_find_ns(live, "web");
	assert_true(web->ours && web->alias == NULL && web->deep);
	/* without that too, at a kill between: the derived MAC proves the link, nothing the namespace */
	wr_batch_init(&batch, &m->web->nl);
	set_link(&batch, 1, "lo", "warren:shop.web", true);
	set_link(&batch, 2, "eth0", "", true);
	send_batch(m, &batch);
	live = observe(m, request);
	assert_true(wr_ns_find_link(wr_model_find_ns(live, "web"), "eth0")->ours);
	wr_batch_init(&batch, &m->web->nl);
	set_link(&batch, 1, "lo", "mine", true);
	send_batch(m, &batch);
	live = observe(m, request);
	web = wr_model_find_ns(live, "web");
	assert_true(!web->ours && !web->deep && web->n_links == 0);
	assert_string_equal(web->alias, "mine");
}

static void test_pins(void **state)
{
	struct machine *m = *state;
	struct wr_model *live;
	struct wr_pin_entry *entries;
	size_t n;
	int fd;

	want_ns(m, "stale")->conf_all.value[WR_CONF_V4_FORWARDING] = 1;
	want_ns(m, "taken");
	want_ns(m, "absent");
	fd = open("/run/netns/shop.stale", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0);
	close(fd);
	assert_int_equal(mkdir("/run/netns/shop.taken", 0755), 0);
	live = observe(m, (struct wr_live_request){.wanted = m->wanted, .depth = WR_LIVE_FULL, .skip_inherited = true});
	assert_true(wr_model_find_ns(live, "stale")->stale && wr_model_find_ns(live, "stale")->ours);
	assert_true(!wr_model_find_ns(live, "taken")->stale && !wr_model_find_ns(live, "taken")->ours);
	assert_null(wr_model_find_ns(live, "absent"));
	assert_int_equal(wr_live_list(&m->host, m->arena, &entries, &n, &m->error), 0);
	assert_int_equal(n, 4);
	assert_string_equal(entries[0].pin, "shop.app");
	assert_string_equal(entries[0].network, "shop");
	assert_string_equal(entries[0].name, "app");
	assert_true(entries[1].stale);
	assert_true(entries[2].stale);
	assert_int_equal(entries[3].cookie, m->web->cookie);
	rmdir("/run/netns/shop.taken");
	unlink("/run/netns/shop.stale");
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void test_files(void **state)
{
	struct machine *m = *state;
	struct wr_live_request request = {.wanted = m->wanted, .depth = WR_LIVE_MARKS, .skip_inherited = true};
	struct wr_model *live = observe(m, request);
	struct wr_ns *web, *app;

	assert_null(wr_model_find_ns(live, "web")->hosts_file);
	mkdir("/run/etc", 0755);
	mkdir("/run/etc/shop.web", 0755);
	mkdir("/run/etc/shop.app", 0755);
	mkdir("/run/warren", 0755);
	mkdir("/run/warren/shop", 0755);
	write_file("/run/warren/shop/hosts", "10.0.0.2 web\n");
	assert_int_equal(symlink("/run/warren/shop/hosts", "/run/etc/shop.web/hosts"), 0);
	assert_int_equal(symlink("/etc/hosts", "/run/etc/shop.app/hosts"), 0);
	write_file("/run/etc/shop.web/resolv.conf", "# made by warren for network shop\nnameserver 9.9.9.9\n");
	write_file("/run/etc/shop.app/resolv.conf", "# made by warren for network shopping\n");
	live = observe(m, request);
	web = wr_model_find_ns(live, "web");
	app = wr_model_find_ns(live, "app");
	assert_string_equal(live->hosts_text, "10.0.0.2 web\n");
	assert_null(live->resolv_text);
	assert_true(web->hosts_is_link && !web->hosts_foreign);
	assert_string_equal(web->hosts_file, "/run/warren/shop/hosts");
	assert_true(app->hosts_is_link && app->hosts_foreign);
	assert_true(!web->resolv_is_link && !web->resolv_foreign);
	assert_true(app->resolv_foreign);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_full, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_without_wanted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lost_marks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pins, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_files, set_up, tear_down),
	};

	if (!sandbox_enter())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
