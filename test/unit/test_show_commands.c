/* Tests of show/commands.c and commands_link.c: the lines of each kind of step. That they build the network is a test of the
 * whole program, against a kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/text.h"
#include "show/show.h"
#include "test_show.h"

static int setup(void **state)
{
	*state = wr_arena_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	wr_arena_free(*state);
	return 0;
}

/* The commands of one step, without the line that makes the shell stop at a failure. */
static void assert_commands(const struct wr_step *step, const char *expected)
{
	struct wr_step copy = *step;
	struct wr_plan plan = {.steps = &copy, .n_steps = 1};
	struct wr_text text = {0};

	wr_show_plan_commands(&plan, &text);
	assert_int_equal(wr_text_error(&text), 0);
	assert_memory_equal(wr_text_string(&text), "set -e\n", 7);
	assert_string_equal(wr_text_string(&text) + 7, expected);
	wr_text_done(&text);
}

/* Of each kind of step in show_every_kind(). */
static const char *const commands_expected[WR_STEP_COUNT_] = {
	[WR_STEP_mend_pin] = "rm -f /run/netns/shop.web\n",
	[WR_STEP_add_ns] = "ip netns add shop.web\nip -n shop.web link set dev lo alias warren:shop.web up\n",
	[WR_STEP_adopt_ns] = "ip -n shop.web link set dev lo alias warren:shop.web up\n",
	[WR_STEP_set_conf] = "ip netns exec shop.web sysctl -qw net.ipv4.conf.eth0.rp_filter=0\n",
	[WR_STEP_set_sysctl] = "ip netns exec shop.web sysctl -qw 'net.ipv4.ip_local_port_range=20000 30000'\n",
	[WR_STEP_write_hosts] = "(umask 077; mkdir -p /run/warren/shop)\ncat >/run/warren/shop/hosts <<'EOF'\n"
				"# made by warren for network shop\n127.0.0.1 localhost\n10.2.0.2 web web.shop\nEOF\n",
	[WR_STEP_link_file] = "mkdir -p /etc/netns/shop.web\n"
			      "ln -sfn /run/warren/shop/hosts /etc/netns/shop.web/hosts\n",
	[WR_STEP_add_bridge] =
		"ip -n shop.dmz link add name dmz address 02:00:00:00:00:01 mtu 1501 type bridge stp_state 1 "
		"forward_delay 200 ageing_time 6000 group_fwd_mask 16392 mcast_snooping 0\n"
		"ip -n shop.dmz link set dev dmz mtu 1500 alias warren:shop.dmz\n",
	[WR_STEP_add_cable] =
		"ip -n shop.dmz link add name web-eth1 address 02:00:00:00:00:02 mtu 1400 numtxqueues 1 "
		"numrxqueues 1 type veth peer name eth1 netns shop.web address 02:00:00:00:00:03 mtu 1400 "
		"numtxqueues 1 numrxqueues 1\n"
		"ip -n shop.dmz link set dev web-eth1 alias warren:shop.web.eth1 master dmz\n"
		"ip -n shop.web link set dev eth1 alias warren:shop.web.eth1\n",
	[WR_STEP_mark_link] = "ip -n shop.dmz link set dev web-eth1 alias warren:shop.web.eth1\n",
	[WR_STEP_move_port] = "ip -n shop.dmz link set dev web-eth1 netns shop.dmz name web-eth1\n",
	[WR_STEP_set_mac] = "ip -n shop.dmz link set dev web-eth1 address 02:00:00:00:00:02\n",
	[WR_STEP_set_mtu] = "ip -n shop.dmz link set dev web-eth1 mtu 1400\n",
	[WR_STEP_set_master] = "ip -n shop.dmz link set dev web-eth1 master dmz\n",
	[WR_STEP_set_isolated] = "bridge -n shop.dmz link set dev web-eth1 isolated off\n",
	[WR_STEP_set_bridge] = "ip -n shop.dmz link set dev dmz type bridge ageing_time 6000\n",
	[WR_STEP_add_address] = "ip -n shop.web address add 10.2.0.2/24 dev eth0\n",
	[WR_STEP_mark_address] = "# address 10.2.0.2/24 on web:eth0: ip(8) of Debian 12 cannot set its mark\n",
	[WR_STEP_set_up] = "ip -n shop.dmz link set dev web-eth1 up\n",
	[WR_STEP_set_down] = "ip -n shop.dmz link set dev web-eth1 down\n",
	[WR_STEP_add_route] = "ip -n shop.web route add default via 10.2.0.1 dev eth0 proto 173\n",
	[WR_STEP_change_route] = "ip -n shop.web route replace default via 10.2.0.1 dev eth0 proto 173\n",
	[WR_STEP_add_rule] = "ip -n shop.web rule add priority 1000 from 10.3.0.0/24 fwmark 0x10/0xff table 100 "
			     "protocol 173\n",
	[WR_STEP_add_neighbour] =
		"ip -n shop.r1 neighbour replace 10.10.1.9 lladdr 02:00:00:00:00:09 dev a nud permanent "
		"protocol 173\n",
	[WR_STEP_del_neighbour] = "ip -n shop.r1 neighbour del 10.10.1.9 dev a\n",
	[WR_STEP_del_rule] = "ip -n shop.web rule del priority 1000 from 10.3.0.0/24 fwmark 0x10/0xff table 100 "
			     "protocol 173\n",
	[WR_STEP_del_route] = "ip -n shop.web route del default via 10.2.0.1 dev eth0 proto 173\n",
	[WR_STEP_del_address] = "ip -n shop.web address del 10.2.0.2/24 dev eth0\n",
	[WR_STEP_del_link] = "ip -n shop.dmz link del dev web-eth1\n",
	[WR_STEP_del_ns] = "ip netns del shop.web\n",
	[WR_STEP_unlink_file] = "rm -f /etc/netns/shop.web/hosts\nrmdir /etc/netns/shop.web 2>/dev/null || true\n",
	[WR_STEP_remove_hosts] =
		"rm -f /run/warren/shop/hosts /run/warren/shop/resolv.conf\n"
		"rmdir -p /run/warren/shop 2>/dev/null || true\nrmdir /etc/netns 2>/dev/null || true\n",
	[WR_STEP_set_filter] = "nft -f - <<'EOF'\n"
			       "add table inet warren-shop { comment \"warren:shop\"; }\n"
			       "add set inet warren-shop own { type ifname; }\n"
			       "add map inet warren-shop before { type ifname . mark : mark; }\n"
			       "add element inet warren-shop own { \"shop-lan\" }\nEOF\n",
	[WR_STEP_del_filter] = "nft -f - <<'EOF'\ndelete table inet warren-shop\nEOF\n",
	[WR_STEP_borrow_conf] = "nft -f - <<'EOF'\n"
				"add element inet warren-shop before { \"eth0\" . 0 : 0x8000 }\nEOF\n"
				"sysctl -qw net.ipv4.conf.eth0.forwarding=1\n",
	[WR_STEP_return_conf] = "sysctl -qw net.ipv4.conf.eth0.forwarding=0\n"
				"nft -f - <<'EOF'\n"
				"delete element inet warren-shop before { \"eth0\" . 0 : 0x8000 }\nEOF\n",
	[WR_STEP_open_chain] = "nft -f - <<'EOF'\nEOF\n",
	[WR_STEP_close_chain] =
		"nft -a list chain ip filter DOCKER-USER | sed -n 's/^[[:space:]]*iifname \"shop\\.lan\" "
		"oifname "
		"\"eth0\" counter packets [0-9]* bytes [0-9]* accept comment \"warren:shop\" # handle "
		"\\([0-9]*\\)$/delete rule ip filter DOCKER-USER handle \\1/p' | nft -f -\n",
};

static void test_every_kind(void **state)
{
	struct wr_model *wanted = show_network(*state), *live = show_network(*state);
	struct wr_link *dmz = wr_model_find_ns(wanted, "dmz")->links[1],
		       *port = wr_model_find_ns(wanted, "dmz")->links[2];
	struct wr_plan *plan = show_every_kind(*state, wanted, live);

	dmz->mac = (struct wr_mac){{2, 0, 0, 0, 0, 1}};
	port->mac = (struct wr_mac){{2, 0, 0, 0, 0, 2}};
	port->peer->mac = (struct wr_mac){{2, 0, 0, 0, 0, 3}};
	wr_model_find_ns(live, "dmz")->links[2]->alias = NULL;
	wr_model_find_ns(live, "dmz")->links[1]->bridge->ageing = 300;
	for (int kind = 0; kind < WR_STEP_COUNT_; kind++) {
		assert_non_null(commands_expected[kind]);
		assert_commands(&plan->steps[kind], commands_expected[kind]);
	}
}

/* What is in the host has no -n, and more marks. */
static void test_host(void **state)
{
	struct wr_model *wanted = show_network(*state);
	struct wr_link *shop0 = wr_ns_find_link(wr_model_host(wanted), "shop0"), old = *shop0;
	struct wr_step step = {.kind = WR_STEP_add_cable, .ns = wr_model_host(wanted), .link = shop0, .reason = ""};

	shop0->mac = (struct wr_mac){{2, 0, 0, 0, 0, 1}};
	shop0->peer->mac_set = false;
	shop0->group = 7;
	assert_commands(&step,
			"ip link add name shop0 address 02:00:00:00:00:01 mtu 1500 numtxqueues 1 numrxqueues 1 group 7 "
			"type veth peer name eth2 netns shop.web mtu 1500 numtxqueues 1 numrxqueues 1\n"
			"ip link set dev shop0 alias warren:shop.host.shop0\n"
			"ip link property add dev shop0 altname shop.host.shop0\n"
			"ip -n shop.web link set dev eth2 alias warren:shop.web.eth2\n");
	/* The same from its other end: only the host can make the host's end. */
	step.ns = shop0->peer->ns;
	step.link = shop0->peer;
	shop0->altname = NULL;
	assert_commands(&step,
			"ip link add name shop0 address 02:00:00:00:00:01 mtu 1500 numtxqueues 1 numrxqueues 1 group 7 "
			"type veth peer name eth2 netns shop.web mtu 1500 numtxqueues 1 numrxqueues 1\n"
			"ip link set dev shop0 alias warren:shop.host.shop0\n"
			"ip -n shop.web link set dev eth2 alias warren:shop.web.eth2\n");
	step = (struct wr_step){
		.kind = WR_STEP_mark_link, .ns = wr_model_host(wanted), .link = shop0, .old_link = &old};
	shop0->altname = "shop.host.shop0";
	old.altname = NULL;
	assert_commands(&step, "ip link set dev shop0 alias warren:shop.host.shop0 group 7\n"
			       "ip link property add dev shop0 altname shop.host.shop0\n");
	step = (struct wr_step){.kind = WR_STEP_set_conf, .ns = wr_model_host(wanted), .link = shop0, .reason = ""};
	shop0->ifname = "eth0.100";
	step.conf = WR_CONF_V6_DISABLE;
	assert_commands(&step, "sysctl -qw net.ipv6.conf.eth0/100.disable_ipv6=1\n");
	step.scope = WR_SCOPE_DEFAULT;
	step.ns = wr_model_find_ns(wanted, "app");
	assert_commands(&step, "ip netns exec shop.app sysctl -qw net.ipv6.conf.default.disable_ipv6=1\n");
	step = (struct wr_step){.kind = WR_STEP_set_master, .ns = wr_model_host(wanted), .link = shop0, .reason = ""};
	assert_commands(&step, "ip link set dev eth0.100 nomaster\n");
}

static void test_routes(void **state)
{
	static const char *const expected[] = {
		"ip -n shop.web route add default via 10.2.0.1 dev eth0 proto 173\n",
		"ip -n shop.web -6 route add default via fd00:2::1 dev eth0 proto 173\n",
		"ip -n shop.web route add 192.0.2.0/24 dev eth1 metric 50 proto 173\n",
		"ip -n shop.web route add 198.51.100.0/24 via 10.3.0.12 dev eth1 table 100 proto 173\n",
		("ip -n shop.web route add 203.0.113.0/24 proto 173 nexthop via 10.3.0.11 dev eth1 weight 1 "
		 "nexthop via 10.3.0.12 dev eth1 weight 3\n"),
	};
	struct wr_model *wanted = show_network(*state);
	struct wr_ns *web = wr_model_find_ns(wanted, "web"), *app = wr_model_find_ns(wanted, "app");
	struct wr_step step = {.kind = WR_STEP_add_route, .ns = web, .reason = ""};

	for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
		step.route = &web->routes[i];
		assert_commands(&step, expected[i]);
	}
	step.ns = app;
	step.route = &app->routes[0];
	assert_commands(&step, "ip -n shop.app route add blackhole 10.66.0.0/16 proto 173\n");
	step.route = &app->routes[1];
	assert_commands(&step, "ip -n shop.app route add default via 10.2.0.1 dev eth0 src 10.2.0.3 proto 173\n");
	step.route->hops[0].via = show_ip("fd00::1");
	assert_commands(&step, "ip -n shop.app route add default via inet6 fd00::1 dev eth0 src 10.2.0.3 proto 173\n");
}

/* No duplicate address detection: an address of the file is there at once. */
static void test_ipv6_address(void **state)
{
	struct wr_model *wanted = show_network(*state);
	struct wr_ns *web = wr_model_find_ns(wanted, "web");
	struct wr_link *eth0 = wr_ns_find_link(web, "eth0");
	struct wr_step step = {.kind = WR_STEP_add_address, .ns = web, .link = eth0, .address = &eth0->addresses[1]};

	assert_commands(&step, "ip -n shop.web address add fd00:2::2/64 dev eth0 nodad\n");
	step.kind = WR_STEP_del_address;
	assert_commands(&step, "ip -n shop.web address del fd00:2::2/64 dev eth0\n");
}

/* A content that has the usual last line in it, and a link that must not be written through. */
static void test_files(void **state)
{
	struct wr_model *wanted = show_network(*state);
	struct wr_ns *app = wr_model_find_ns(wanted, "app");
	struct wr_step step = {.kind = WR_STEP_link_file, .sign = WR_STEP_CHANGE, .ns = app, .reason = ""};

	assert_commands(&step, "mkdir -p /etc/netns/shop.app\nrm -f /etc/netns/shop.app/hosts\n"
			       "cat >/etc/netns/shop.app/hosts <<'EOF_'\n# made by warren for network shop\n"
			       "127.0.0.1 localhost\n10.9.9.9 EOF\nEOF\nEOF_\n");
	step.sign = WR_STEP_ADD;
	step.scope = WR_FILE_RESOLV;
	app->resolv_file = "EOF\nEOF_"; /* without a last newline */
	assert_commands(&step, "mkdir -p /etc/netns/shop.app\ncat >/etc/netns/shop.app/resolv.conf <<'EOF__'\n"
			       "EOF\nEOF_\nEOF__\n");
}

/* Nothing that comes in can end a word or begin a command. */
static void test_quoting(void **state)
{
	struct wr_model *live = show_need(wr_model_new(*state, "shop"));
	struct wr_link *link = show_need(wr_ns_add_link(wr_model_host(live), WR_LINK_VETH, "a;reboot"));
	struct wr_step step = {.kind = WR_STEP_del_link, .ns = wr_model_host(live), .link = link, .reason = ""};
	struct wr_sysctl sysctl = {.key = "net.core.x", .value = "$(reboot) 'x'"};

	assert_commands(&step, "ip link del dev 'a;reboot'\n");
	step = (struct wr_step){.kind = WR_STEP_set_sysctl, .ns = wr_model_host(live), .sysctl = &sysctl, .reason = ""};
	assert_commands(&step, "sysctl -qw 'net.core.x=$(reboot) '\\''x'\\'''\n");
}

static void test_nothing(void **state)
{
	struct wr_plan plan = {0};
	struct wr_text text = {0};

	wr_show_plan_commands(&plan, &text);
	assert_string_equal(wr_text_string(&text), "# nothing to do\n");
	wr_text_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_kind, setup, teardown),
		cmocka_unit_test_setup_teardown(test_host, setup, teardown),
		cmocka_unit_test_setup_teardown(test_routes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ipv6_address, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quoting, setup, teardown),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
