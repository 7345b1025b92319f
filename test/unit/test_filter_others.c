/* Tests of filter/others.c: what is opened, and what is said, for the forward chains that others leave on a machine. */
#include "ruleset.h"

#include <linux/rtnetlink.h>

#include "base/text.h"
#include "filter/others.h"

struct machine {
	struct wr_arena *arena;
	struct wr_model *wanted, *live;
	struct wr_link *lan, *dmz;
};

static void give(struct wr_link *link, const char *address)
{
	struct wr_address *made = wr_link_add_address(link);

	assert_non_null(made);
	assert_int_equal(wr_prefix_parse(address, &made->prefix, NULL), 0);
}

static struct wr_link *add_bridge(struct wr_model *model, const char *name, const char *ifname, const char *v4,
				  const char *v6)
{
	struct wr_bridge *bridge = wr_arena_new_of(model->arena, struct wr_bridge);
	struct wr_link *link = wr_ns_add_link(wr_model_host(model), WR_LINK_BRIDGE, name);

	assert_non_null(bridge);
	assert_non_null(link);
	link->ifname = ifname;
	link->group = 0x57000001;
	bridge->name = name;
	bridge->host = true;
	bridge->link = link;
	bridge->n_ports = 2;
	if (v4)
		give(link, v4);
	if (v6)
		give(link, v6);
	assert_int_equal(wr_arena_grow(model->arena, &model->bridges, &model->capacity_bridges, model->n_bridges,
				       sizeof(struct wr_bridge *)),
			 0);
	model->bridges[model->n_bridges++] = bridge;
	return link;
}

static void add_default_route(struct wr_model *live, uint8_t family, const char *dev)
{
	struct wr_route *route = wr_ns_add_route(wr_model_host(live));

	route->to.ip.family = family;
	route->hops = wr_arena_new_of(live->arena, struct wr_nexthop);
	assert_non_null(route->hops);
	route->hops[0].dev = dev;
	route->n_hops = 1;
}

/* A network with one bridge, lan; the machine has its default routes by eth0, and eth1, docker0. */
static int setup(void **state)
{
	static struct machine machine;
	static const char *const links[] = {"eth0", "eth1"};
	struct wr_arena *arena = wr_arena_new();

	machine = (struct machine){.arena = arena};
	if (!arena)
		return -1;
	machine.wanted = wr_model_new(arena, "shop");
	machine.live = wr_model_new(arena, "shop");
	machine.live->live = true;
	machine.lan = add_bridge(machine.wanted, "lan", "shop-lan", "10.2.0.254/24", NULL);
	for (size_t i = 0; i < 2; i++)
		wr_ns_add_link(wr_model_host(machine.live), WR_LINK_OTHER, links[i])->ifindex = (uint32_t)i + 2;
	wr_ns_add_link(wr_model_host(machine.live), WR_LINK_BRIDGE, "docker0")->ifindex = 4;
	wr_ns_add_link(wr_model_host(machine.live), WR_LINK_BRIDGE, "virbr0")->ifindex = 5;
	add_default_route(machine.live, AF_INET, "eth0");
	*state = &machine;
	return 0;
}

static int teardown(void **state)
{
	wr_arena_free(((struct machine *)*state)->arena);
	return 0;
}

static struct wr_bridge *bridge(struct machine *machine, size_t i)
{
	return machine->wanted->bridges[i];
}

static void want_nat(struct machine *machine, size_t i)
{
	bridge(machine, i)->nat = wr_arena_new_of(machine->arena, struct wr_nat);
}

static void borrow(struct machine *machine, const char *const *names)
{
	size_t n = 0;

	while (names[n])
		n++;
	machine->wanted->borrows = wr_arena_alloc(machine->arena, (n + 1) * sizeof(struct wr_borrow));
	for (size_t i = 0; i < n; i++)
		machine->wanted->borrows[i].scope = names[i];
	machine->wanted->n_borrows = n;
}

static void publish(struct machine *machine, struct wr_link *via, const char *to)
{
	struct wr_ns *ns = wr_model_add_ns(machine->wanted, "web");
	struct wr_publish *made = wr_arena_new_of(machine->arena, struct wr_publish);

	made->protocol = IPPROTO_TCP;
	made->host_port = 8080;
	made->port = 80;
	assert_int_equal(wr_ip_parse(to, &made->to[0]), 0);
	made->via[0] = via;
	ns->publishes = made;
	ns->n_publishes = 1;
}

static struct ruleset table(struct machine *machine, uint8_t family, const char *name)
{
	struct ruleset set = {.arena = machine->arena};

	set.table = wr_ns_add_table(wr_model_host(machine->live), family, name);
	assert_non_null(set.table);
	return set;
}

static void add_docker(struct machine *machine)
{
	struct ruleset set = table(machine, NFPROTO_IPV4, "filter");

	CHAIN(&set, "FORWARD", "drop", "counter jump:DOCKER-USER", "counter jump:DOCKER-ISOLATION-STAGE-1",
	      "oif=docker0 xtstate=related,established counter accept", "oif=docker0 counter jump:DOCKER",
	      "iif=docker0 oif!=docker0 counter accept", "iif=docker0 oif=docker0 counter accept");
	CHAIN(&set, "DOCKER", NULL, "to=172.17.0.2 oif=docker0 proto=6 port=80 counter accept");
	CHAIN(&set, "DOCKER-ISOLATION-STAGE-1", NULL, "iif=docker0 oif!=docker0 jump:DOCKER-ISOLATION-STAGE-2",
	      "return");
	CHAIN(&set, "DOCKER-ISOLATION-STAGE-2", NULL, "oif=docker0 drop", "return");
	CHAIN(&set, "DOCKER-USER", NULL, "counter return");
}

/* "CHAIN BEFORE: IIF>OIF" of each opening, "CHAIN WHAT (WHY): MEND" of each obstacle, one a line. */
static void expect(struct machine *machine, const char *expected)
{
	struct wr_text WR_CLEANUP_TEXT text = {0};

	assert_int_equal(wr_others_want(machine->wanted, machine->live), 0);
	for (size_t i = 0; i < machine->wanted->n_openings; i++) {
		const struct wr_opening *opening = &machine->wanted->openings[i];

		wr_text_addf(&text, "%s %s %d: %s>%s\n", wr_nft_family_name(opening->family), opening->chain,
			     (int)opening->handle, opening->iif ? opening->iif : "*",
			     opening->oif ? opening->oif : "*");
	}
	for (size_t i = 0; i < machine->wanted->n_obstacles; i++) {
		const struct wr_obstacle *obstacle = &machine->wanted->obstacles[i];

		wr_text_addf(&text, "%s %s %s, %s (%s): %s\n", wr_nft_family_name(obstacle->family), obstacle->table,
			     obstacle->chain, obstacle->what, obstacle->why, obstacle->mend);
	}
	assert_string_equal(wr_text_string(&text), expected);
}

static void test_nothing_there(void **state)
{
	struct machine *machine = *state;
	struct ruleset set = table(machine, NFPROTO_IPV4, "filter");

	want_nat(machine, 0);
	CHAIN(&set, "FORWARD", "accept", "iif=eth0 counter", "limit target=LOG");
	expect(machine, "");
}

static void test_docker_and_nat(void **state)
{
	want_nat(*state, 0);
	add_docker(*state);
	expect(*state, "ip DOCKER-USER 1: shop-lan>eth0\n"
		       "ip DOCKER-USER 1: *>shop-lan\n");
}

/* A network that only joins the host needs nothing from Docker. */
static void test_docker_and_nothing(void **state)
{
	add_docker(*state);
	expect(*state, "");
}

static void test_docker_and_two_bridges(void **state)
{
	struct machine *machine = *state;

	add_bridge(machine->wanted, "dmz", "shop-dmz", "10.3.0.254/24", NULL);
	add_docker(machine);
	expect(machine, "ip DOCKER-USER 1: *>shop-lan\n"
			"ip DOCKER-USER 1: *>shop-dmz\n");
}

static void test_isolated_bridges_do_not_reach_each_other(void **state)
{
	struct machine *machine = *state;

	add_bridge(machine->wanted, "dmz", "shop-dmz", "10.3.0.254/24", NULL);
	bridge(machine, 1)->isolated = true;
	add_docker(machine);
	expect(machine, "");
}

/* A published port is answered by whatever interface it is reached at, but Docker's own bridges stay what they are. */
static void test_docker_and_publish(void **state)
{
	struct machine *machine = *state;
	static const char *const names[] = {"eth0", "eth1", "docker0", "virbr0", "all", NULL};

	borrow(machine, names);
	publish(machine, machine->lan, "10.2.0.2");
	add_docker(machine);
	expect(machine, "ip DOCKER-USER 1: *>shop-lan\n"
			"ip DOCKER-USER 1: shop-lan>eth0\n"
			"ip DOCKER-USER 1: shop-lan>eth1\n");
}

/* What was opened before is wanted again, however the rule came to be written. */
static void test_openings_stay(void **state)
{
	struct machine *machine = *state;
	struct ruleset set = table(machine, NFPROTO_IPV4, "filter");

	want_nat(machine, 0);
	CHAIN(&set, "FORWARD", "drop", "jump:DOCKER-USER");
	CHAIN(&set, "DOCKER-USER", NULL, "iif=shop-lan oif=eth0 accept comment=warren:shop",
	      "oif=shop-lan xtcomment=warren:shop accept", "return");
	expect(machine, "ip DOCKER-USER 3: shop-lan>eth0\n"
			"ip DOCKER-USER 3: *>shop-lan\n");
}

/* Another network's rule of the same kind is a rule like any. */
static void test_openings_of_others_count(void **state)
{
	struct machine *machine = *state;
	struct ruleset set = table(machine, NFPROTO_IPV4, "filter");

	want_nat(machine, 0);
	CHAIN(&set, "FORWARD", "drop", "jump:DOCKER-USER");
	CHAIN(&set, "DOCKER-USER", NULL, "iif=shop-lan oif=eth0 accept comment=warren:shopping", "return");
	expect(machine, "ip DOCKER-USER 2: *>shop-lan\n");
}

/* What the machine's owner dropped there is not opened behind their back. */
static void test_owner_dropped_it(void **state)
{
	struct machine *machine = *state;
	struct ruleset set = table(machine, NFPROTO_IPV4, "filter");

	want_nat(machine, 0);
	CHAIN(&set, "FORWARD", "drop", "jump:DOCKER-USER");
	CHAIN(&set, "DOCKER-USER", NULL, "iif=eth0 drop", "return");
	expect(machine, "ip DOCKER-USER 2: shop-lan>eth0\n"
			"ip filter FORWARD, from eth0 to shop-lan (rule with handle 1 in chain DOCKER-USER): "
			"iptables -I DOCKER-USER -o shop-lan -j ACCEPT\n");
}

/* The chain is there, but nothing jumps to it in time. */
static void test_offer_that_is_not_reached(void **state)
{
	struct machine *machine = *state;
	struct ruleset set = table(machine, NFPROTO_IPV4, "filter");

	want_nat(machine, 0);
	CHAIN(&set, "FORWARD", "accept", "xtstate=established accept", "target=REJECT", "jump:DOCKER-USER");
	CHAIN(&set, "DOCKER-USER", NULL, "return");
	expect(machine, "ip filter FORWARD, from shop-lan to eth0 (rule with handle 2 in chain FORWARD): "
			"iptables -I DOCKER-USER -i shop-lan -o eth0 -j ACCEPT\n");
}

static void test_iptables(void **state)
{
	struct machine *machine = *state;
	struct ruleset set = table(machine, NFPROTO_IPV4, "filter");

	want_nat(machine, 0);
	CHAIN(&set, "FORWARD", "drop", "xtstate=related,established accept");
	expect(machine, "ip filter FORWARD, from shop-lan to eth0 (policy drop): "
			"iptables -I FORWARD -i shop-lan -o eth0 -j ACCEPT\n");
}

static void test_ip6tables(void **state)
{
	struct machine *machine = *state;
	struct ruleset set = table(machine, NFPROTO_IPV6, "filter");

	want_nat(machine, 0);
	give(machine->lan, "fd02::fe/64");
	CHAIN(&set, "FORWARD", "drop", "xtstate=related,established accept");
	expect(machine, "");
	add_default_route(machine->live, AF_INET6, "eth1");
	expect(machine, "ip6 filter FORWARD, from shop-lan to eth1 (policy drop): "
			"ip6tables -I FORWARD -i shop-lan -o eth1 -j ACCEPT\n");
}

static void test_ufw(void **state)
{
	struct machine *machine = *state;
	struct ruleset set = table(machine, NFPROTO_IPV4, "filter");

	publish(machine, machine->lan, "10.2.0.2");
	CHAIN(&set, "FORWARD", "drop", "jump:ufw-before-forward", "jump:ufw-reject-forward");
	CHAIN(&set, "ufw-before-forward", NULL, "xtstate=related,established accept", "jump:ufw-user-forward");
	CHAIN(&set, "ufw-user-forward", NULL, "target=LOG");
	CHAIN(&set, "ufw-reject-forward", NULL, "target=REJECT");
	expect(machine, "ip filter FORWARD, from eth0 to shop-lan (rule with handle 1 in chain ufw-reject-forward): "
			"ufw route allow out on shop-lan\n");
}

static void test_firewalld(void **state)
{
	struct machine *machine = *state;
	struct ruleset set = table(machine, NFPROTO_INET, "firewalld");

	want_nat(machine, 0);
	publish(machine, machine->lan, "10.2.0.2");
	CHAIN(&set, "filter_FORWARD", "accept", "state=established,related accept", "status=dnat accept",
	      "jump:filter_FORWARD_ZONES", "reject");
	CHAIN(&set, "filter_FORWARD_ZONES", NULL, "iif=eth0 goto:filter_FWD_public", "goto:filter_FWD_public");
	CHAIN(&set, "filter_FWD_public", NULL, "counter");
	expect(machine,
	       "inet firewalld filter_FORWARD, from shop-lan to eth0 (rule with handle 4 in chain filter_FORWARD): "
	       "firewall-cmd --zone=trusted --add-interface=shop-lan\n");
}

static void test_plain_nft(void **state)
{
	struct machine *machine = *state;
	struct ruleset set = table(machine, NFPROTO_INET, "my filter");

	bridge(machine, 0)->routed = true;
	CHAIN(&set, "fwd", "drop", "state=established,related accept", "iif=shop-lan accept");
	expect(machine, "inet my filter fwd, from eth0 to shop-lan (policy drop): "
			"nft insert rule inet 'my filter' fwd 'oifname \"shop-lan\" accept'\n");
}

/* Who let the network's addresses pass let the network pass. */
static void test_by_address(void **state)
{
	struct machine *machine = *state;
	struct ruleset set = table(machine, NFPROTO_INET, "t");
	struct wr_ns *ns = wr_model_add_ns(machine->wanted, "web");
	struct wr_link *eth0 = wr_ns_add_link(ns, WR_LINK_VETH, "eth0");

	want_nat(machine, 0);
	CHAIN(&set, "f", "drop", "state=established accept", "from=10.2.0.0/24 accept");
	give(eth0, "10.2.0.2/24");
	expect(machine, "inet t f, from shop-lan to eth0 (policy drop): "
			"nft insert rule inet t f 'iifname \"shop-lan\" oifname \"eth0\" accept'\n");
	eth0->segment = bridge(machine, 0);
	expect(machine, "");
}

static void test_bridged_frames(void **state)
{
	struct machine *machine = *state;
	struct ruleset set = table(machine, NFPROTO_IPV4, "filter");

	CHAIN(&set, "FORWARD", "drop", "xtstate=established accept");
	expect(machine, "");
	machine->live->bridged_frames = true;
	expect(machine, "ip filter FORWARD, between ports of shop-lan (policy drop): "
			"iptables -I FORWARD -o shop-lan -j ACCEPT\n");
}

static void test_bridged_frames_that_pass(void **state)
{
	struct machine *machine = *state;
	struct ruleset set = table(machine, NFPROTO_IPV4, "filter");

	machine->live->bridged_frames = true;
	CHAIN(&set, "FORWARD", "drop", "xtbridged accept");
	expect(machine, "");
}

static void test_filter_of_frames(void **state)
{
	struct machine *machine = *state;
	struct ruleset set = table(machine, NFPROTO_BRIDGE, "filter");

	CHAIN(&set, "FORWARD", "drop", "iif=vnet0 accept");
	expect(machine, "bridge filter FORWARD, between ports of shop-lan (policy drop): "
			"nft insert rule bridge filter FORWARD 'meta ibrname \"shop-lan\" accept'\n");
}

/* Tables of warren's networks are not others'. */
static void test_own_tables(void **state)
{
	struct machine *machine = *state;
	struct ruleset ours = table(machine, NFPROTO_INET, "warren-shop"),
		       theirs = table(machine, NFPROTO_INET, "warren-b");

	want_nat(machine, 0);
	ours.table->ours = true;
	theirs.table->network = "b";
	CHAIN(&ours, "forward", "drop", "counter");
	CHAIN(&theirs, "forward", "drop", "counter");
	expect(machine, "");
}

/* Each chain says its own. */
static void test_two_chains(void **state)
{
	struct machine *machine = *state;
	struct ruleset first = table(machine, NFPROTO_INET, "t"), second = table(machine, NFPROTO_IPV4, "filter");

	want_nat(machine, 0);
	CHAIN(&first, "f", "drop", "state=established accept");
	CHAIN(&second, "FORWARD", "drop", "state=established accept");
	expect(machine, "inet t f, from shop-lan to eth0 (policy drop): "
			"nft insert rule inet t f 'iifname \"shop-lan\" oifname \"eth0\" accept'\n"
			"ip filter FORWARD, from shop-lan to eth0 (policy drop): "
			"iptables -I FORWARD -i shop-lan -o eth0 -j ACCEPT\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_there),
		TEST(test_docker_and_nat),
		TEST(test_docker_and_nothing),
		TEST(test_docker_and_two_bridges),
		TEST(test_isolated_bridges_do_not_reach_each_other),
		TEST(test_docker_and_publish),
		TEST(test_openings_stay),
		TEST(test_openings_of_others_count),
		TEST(test_owner_dropped_it),
		TEST(test_offer_that_is_not_reached),
		TEST(test_iptables),
		TEST(test_ip6tables),
		TEST(test_ufw),
		TEST(test_firewalld),
		TEST(test_plain_nft),
		TEST(test_by_address),
		TEST(test_bridged_frames),
		TEST(test_bridged_frames_that_pass),
		TEST(test_filter_of_frames),
		TEST(test_own_tables),
		TEST(test_two_chains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
