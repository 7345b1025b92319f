/* bare.c: the floor: what `warren up` leaves in the kernel, made by nothing but the needed requests.
 *
 * Why:       a speed is only worth saying against what the kernel itself needs. This program makes every namespace,
 *            link, mark, address, route, sysctl and file that `warren up` makes of the benchmark's network, in the best
 *            order known, and takes it down in the best order known. It reads nothing, compares nothing, verifies
 *            nothing, keeps no journal and cannot recover. It uses no part of warren.
 * Shape:     N namespaces, each with a cable to one of ceil(N / 1023) bridges of the host, an IPv4 address and a
 *            default route. Phases over all namespaces, never one finished namespace after the other: files;
 *            namespaces; bridges; cables; settings of the ports; the inside of each namespace; everything up by one
 *            message.
 * Order:     bench/README.md says what each habit is worth, of `down` as well.
 * Errors:    said, and exit status 1. Requests carry no acknowledgement; the kernel reports failures all the same.
 * Source:    rtnetlink(7), veth(4), include/uapi/linux/if_link.h, fsopen(2). */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#define NETWORK	      "bench"
#define MARK	      "warren:" NETWORK "."
#define PINS	      "/run/netns"
#define ETC	      "/etc/netns"
#define STATE	      "/run/warren/" NETWORK
#define PROTOCOL      173	  /* of addresses and routes: warren's own */
#define GROUP	      0x57a11abeU /* link group of everything in the host */
#define FIRST_IFINDEX (1U << 20)  /* bridges, then the ports */
#define ETH0_IFINDEX  2		  /* lo is 1 */
#define PORTS_MAX     1023	  /* of one bridge */
#define PREFIX_LENGTH 20
#define CHUNK	      64 /* cables in one send */
#define PROC_USES     50 /* a private proc instance is renewed after so many namespaces */
#define BATCH_BYTES   (256U << 10)

#ifndef IFA_PROTO
#define IFA_PROTO 11
#endif

/* Small files that are there as well; what they say costs nothing. */
static const char *const state_files[] = {STATE "/boot", STATE "/lock", STATE "/source"};

enum mac_role { MAC_BRIDGE = 1, MAC_PORT, MAC_INNER };

/* Messages for one socket, collected. */
struct batch {
	char *bytes;
	size_t length;
	int fd;
};

struct inside {
	int fd;	    /* nsfs */
	int socket; /* rtnetlink, opened inside */
};

struct bare {
	unsigned count, bridges, per_bridge;
	int host_ns;
	struct batch host;
	struct inside *inside;
	int pins_fd, etc_fd;
};

/* --- requests ----------------------------------------------------------------------------------------------------- */

static int open_rtnetlink(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		err(1, "rtnetlink socket");
	return fd;
}

/* The kernel has carried out everything when sendto returns; only failures are waiting to be read then. */
static void send_batch(struct batch *batch)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	_Alignas(struct nlmsghdr) char answer[4096];
	const struct nlmsghdr *message = (const struct nlmsghdr *)answer;
	const struct nlmsgerr *failure;

	if (batch->length == 0)
		return;
	if (sendto(batch->fd, batch->bytes, batch->length, 0, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		err(1, "sendto");
	batch->length = 0;
	if (recv(batch->fd, answer, sizeof(answer), MSG_DONTWAIT) > 0 && message->nlmsg_type == NLMSG_ERROR) {
		failure = mnl_nlmsg_get_payload(message);
		errno = -failure->error;
		err(1, "request of type %u", (unsigned)failure->msg.nlmsg_type);
	}
}

static struct nlmsghdr *begin(struct batch *batch, uint16_t type, uint16_t flags, size_t header_size, void **ret_header)
{
	struct nlmsghdr *message;

	if (batch->length > BATCH_BYTES - 4096)
		send_batch(batch);
	message = mnl_nlmsg_put_header(batch->bytes + batch->length);
	message->nlmsg_type = type;
	message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	*ret_header = mnl_nlmsg_put_extra_header(message, header_size);
	return message;
}

static void end(struct batch *batch, const struct nlmsghdr *message)
{
	batch->length += MNL_ALIGN(message->nlmsg_len);
}

static struct nlmsghdr *begin_link(struct batch *batch, uint16_t type, uint16_t flags, unsigned ifindex, bool up)
{
	void *header;
	struct nlmsghdr *message = begin(batch, type, flags, sizeof(struct ifinfomsg), &header);
	struct ifinfomsg *link = header;

	link->ifi_index = (int)ifindex;
	if (up)
		link->ifi_flags = link->ifi_change = IFF_UP;
	return message;
}

static void put_alias(struct batch *batch, unsigned ifindex, const char *alias, bool up)
{
	struct nlmsghdr *message = begin_link(batch, RTM_NEWLINK, 0, ifindex, up);

	mnl_attr_put_strz(message, IFLA_IFALIAS, alias);
	end(batch, message);
}

static void put_altname(struct batch *batch, unsigned ifindex, const char *altname)
{
	struct nlmsghdr *message = begin_link(batch, RTM_NEWLINKPROP, NLM_F_CREATE | NLM_F_EXCL, ifindex, false);
	struct nlattr *list = mnl_attr_nest_start(message, IFLA_PROP_LIST);

	mnl_attr_put_strz(message, IFLA_ALT_IFNAME, altname);
	mnl_attr_nest_end(message, list);
	end(batch, message);
}

static void put_mac(struct nlmsghdr *message, enum mac_role role, unsigned i)
{
	unsigned char mac[6] = {2,
				(unsigned char)role,
				(unsigned char)(i >> 24),
				(unsigned char)(i >> 16),
				(unsigned char)(i >> 8),
				(unsigned char)i};

	mnl_attr_put(message, IFLA_ADDRESS, sizeof(mac), mac);
}

static void put_address(struct batch *batch, unsigned ifindex, uint32_t address)
{
	void *header;
	struct nlmsghdr *message =
		begin(batch, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifaddrmsg), &header);
	struct ifaddrmsg *a = header;

	a->ifa_family = AF_INET;
	a->ifa_prefixlen = PREFIX_LENGTH;
	a->ifa_index = ifindex;
	mnl_attr_put_u32(message, IFA_LOCAL, htonl(address));
	mnl_attr_put_u32(message, IFA_ADDRESS, htonl(address));
	mnl_attr_put_u8(message, IFA_PROTO, PROTOCOL);
	end(batch, message);
}

static void put_default_route(struct batch *batch, unsigned ifindex, uint32_t gateway)
{
	void *header;
	struct nlmsghdr *message = begin(batch, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct rtmsg), &header);
	struct rtmsg *route = header;

	route->rtm_family = AF_INET;
	route->rtm_table = RT_TABLE_MAIN;
	route->rtm_protocol = PROTOCOL;
	route->rtm_scope = RT_SCOPE_UNIVERSE;
	route->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(message, RTA_GATEWAY, htonl(gateway));
	mnl_attr_put_u32(message, RTA_OIF, ifindex);
	end(batch, message);
}

static void put_snooping(struct nlmsghdr *message, bool on)
{
	struct nlattr *info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	struct nlattr *data;

	mnl_attr_put_strz(message, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	mnl_attr_put_u8(message, IFLA_BR_MCAST_SNOOPING, on);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, info);
}

/* --- names and numbers -------------------------------------------------------------------------------------------- */

static unsigned bridge_of(const struct bare *bare, unsigned i)
{
	return i / bare->per_bridge;
}

static unsigned port_ifindex(const struct bare *bare, unsigned i)
{
	return FIRST_IFINDEX + bare->bridges + i;
}

static uint32_t gateway_of(unsigned bridge)
{
	return 0x0a000001U + (bridge << 16);
}

static uint32_t address_of(const struct bare *bare, unsigned i)
{
	return gateway_of(bridge_of(bare, i)) + 1 + i % bare->per_bridge;
}

/* As warren does it: readable where that fits, else 15 bytes that are a function of the name. */
static void port_name(unsigned i, char name[IFNAMSIZ + 16])
{
	if (snprintf(name, IFNAMSIZ + 16, NETWORK "-ns%u-eth0", i) >= IFNAMSIZ)
		snprintf(name, IFNAMSIZ + 16, "wr%013u", i);
}

static void write_file(int directory, const char *path, const char *value, int flags)
{
	int fd = openat(directory, path, O_WRONLY | O_CLOEXEC | flags, 0600);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		err(1, "%s", path);
	close(fd);
}

static void open_directories(struct bare *bare)
{
	bare->pins_fd = open(PINS, O_PATH | O_DIRECTORY | O_CLOEXEC);
	bare->etc_fd = open(ETC, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (bare->pins_fd < 0 || bare->etc_fd < 0)
		err(1, "%s, %s", PINS, ETC);
}

/* --- up ----------------------------------------------------------------------------------------------------------- */

static void copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (in < 0 || out < 0 || sendfile(out, in, NULL, 1 << 30) < 0)
		err(1, "%s to %s", from, to);
	close(in);
	close(out);
}

static void make_directory(const char *path, mode_t mode)
{
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		err(1, "%s", path);
}

static void write_hosts(const struct bare *bare)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr address;
	FILE *f = fopen(STATE "/hosts", "we");

	if (f == NULL)
		err(1, "%s/hosts", STATE);
	for (unsigned i = 0; i < bare->count; i++) {
		address.s_addr = htonl(address_of(bare, i));
		fprintf(f, "%s\tns%u ns%u." NETWORK "\n", inet_ntop(AF_INET, &address, text, sizeof(text)), i, i);
	}
	if (fclose(f) != 0)
		err(1, "%s/hosts", STATE);
}

static void make_files(struct bare *bare, const char *file)
{
	char name[64];

	make_directory("/run/warren", 0700);
	make_directory(STATE, 0700);
	make_directory(ETC, 0755);
	make_directory(PINS, 0755);
	if (mount(PINS, PINS, NULL, MS_BIND | MS_REC, NULL) < 0 ||
	    mount("none", PINS, NULL, MS_SHARED | MS_REC, NULL) < 0)
		err(1, "%s as a shared mount", PINS);
	open_directories(bare);
	for (size_t i = 0; i < sizeof(state_files) / sizeof(state_files[0]); i++)
		write_file(AT_FDCWD, state_files[i], "", O_CREAT);
	if (file != NULL)
		copy_file(file, STATE "/network.yaml");
	write_hosts(bare);
	for (unsigned i = 0; i < bare->count; i++) {
		snprintf(name, sizeof(name), NETWORK ".ns%u", i);
		if (mkdirat(bare->etc_fd, name, 0755) < 0)
			err(1, ETC "/%s", name);
		snprintf(name, sizeof(name), NETWORK ".ns%u/hosts", i);
		if (symlinkat(STATE "/hosts", bare->etc_fd, name) < 0)
			err(1, ETC "/%s", name);
	}
}

/* A proc of our own, renewed: in one instance, the directory entries of all namespaces share a single hash chain. */
static int open_proc(void)
{
	int context = fsopen("proc", FSOPEN_CLOEXEC), fd;

	if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		err(1, "private proc");
	fd = fsmount(context, FSMOUNT_CLOEXEC, 0);
	if (fd < 0)
		err(1, "private proc");
	close(context);
	return fd;
}

static void make_namespaces(struct bare *bare)
{
	struct batch batch = {.bytes = bare->host.bytes};
	char name[64];
	int proc = -1, tree;

	for (unsigned i = 0; i < bare->count; i++) {
		struct inside *inside = &bare->inside[i];

		if (i % PROC_USES == 0) {
			if (proc >= 0)
				close(proc);
			proc = open_proc();
		}
		if (unshare(CLONE_NEWNET) < 0)
			err(1, "unshare");
		inside->fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
		if (inside->fd < 0)
			err(1, "namespace %u", i);
		batch.fd = inside->socket = open_rtnetlink();
		snprintf(name, sizeof(name), MARK "ns%u", i);
		put_alias(&batch, 1, name, true);
		send_batch(&batch);
		write_file(proc, "sys/net/ipv6/conf/default/disable_ipv6", "1", 0);
		snprintf(name, sizeof(name), NETWORK ".ns%u", i);
		tree = open_tree(inside->fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
		if (tree < 0 || mknodat(bare->pins_fd, name, S_IFREG, 0) < 0 ||
		    move_mount(tree, "", bare->pins_fd, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
			err(1, PINS "/%s", name);
		close(tree);
	}
	close(proc);
	if (setns(bare->host_ns, CLONE_NEWNET) < 0)
		err(1, "setns");
}

static void make_bridges(struct bare *bare, int conf_fd, int conf4_fd)
{
	char name[64];

	for (unsigned b = 0; b < bare->bridges; b++) {
		struct nlmsghdr *message =
			begin_link(&bare->host, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, FIRST_IFINDEX + b, false);

		snprintf(name, sizeof(name), NETWORK "-br%u", b);
		mnl_attr_put_strz(message, IFLA_IFNAME, name);
		mnl_attr_put_u32(message, IFLA_GROUP, GROUP);
		put_mac(message, MAC_BRIDGE, b);
		put_snooping(message, false);
		end(&bare->host, message);
		snprintf(name, sizeof(name), MARK "br%u", b);
		put_alias(&bare->host, FIRST_IFINDEX + b, name, false);
		put_altname(&bare->host, FIRST_IFINDEX + b, name + strlen("warren:"));
		send_batch(&bare->host);
		snprintf(name, sizeof(name), NETWORK "-br%u/disable_ipv6", b);
		write_file(conf_fd, name, "1", 0);
		snprintf(name, sizeof(name), NETWORK "-br%u/accept_ra", b);
		write_file(conf_fd, name, "0", 0);
		snprintf(name, sizeof(name), NETWORK "-br%u/forwarding", b);
		if (bare->bridges > 1)
			write_file(conf4_fd, name, "1", 0);
	}
}

static void put_cable(struct bare *bare, unsigned i)
{
	struct nlmsghdr *message =
		begin_link(&bare->host, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, port_ifindex(bare, i), false);
	struct nlattr *info, *data, *peer;
	struct ifinfomsg *inner;
	char name[64];

	port_name(i, name);
	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	mnl_attr_put_u32(message, IFLA_MTU, 1500);
	mnl_attr_put_u32(message, IFLA_GROUP, GROUP);
	mnl_attr_put_u32(message, IFLA_MASTER, FIRST_IFINDEX + bridge_of(bare, i));
	mnl_attr_put_u32(message, IFLA_NUM_TX_QUEUES, 1);
	mnl_attr_put_u32(message, IFLA_NUM_RX_QUEUES, 1);
	put_mac(message, MAC_PORT, i);
	info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(message, VETH_INFO_PEER);
	inner = mnl_nlmsg_put_extra_header(message, sizeof(*inner));
	inner->ifi_index = ETH0_IFINDEX;
	mnl_attr_put_strz(message, IFLA_IFNAME, "eth0");
	mnl_attr_put_u32(message, IFLA_MTU, 1500);
	mnl_attr_put_u32(message, IFLA_NET_NS_FD, (uint32_t)bare->inside[i].fd);
	mnl_attr_put_u32(message, IFLA_NUM_TX_QUEUES, 1);
	mnl_attr_put_u32(message, IFLA_NUM_RX_QUEUES, 1);
	put_mac(message, MAC_INNER, i);
	mnl_attr_nest_end(message, peer);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, info);
	end(&bare->host, message);
	snprintf(name, sizeof(name), MARK "ns%u.eth0", i);
	put_alias(&bare->host, port_ifindex(bare, i), name, false);
	put_altname(&bare->host, port_ifindex(bare, i), name + strlen("warren:"));
}

static void configure_inside(struct bare *bare)
{
	struct batch batch = {.bytes = bare->host.bytes};
	char name[64];

	for (unsigned i = 0; i < bare->count; i++) {
		batch.fd = bare->inside[i].socket;
		snprintf(name, sizeof(name), MARK "ns%u.eth0", i);
		put_alias(&batch, ETH0_IFINDEX, name, true);
		put_address(&batch, ETH0_IFINDEX, address_of(bare, i));
		put_default_route(&batch, ETH0_IFINDEX, gateway_of(bridge_of(bare, i)));
		send_batch(&batch);
	}
}

/* One message for the whole group; one for each port takes as long. Snooping comes back after the bridge is up, by
 * itself: before that, each port that comes up goes through all ports. */
static void bring_up(struct bare *bare)
{
	struct nlmsghdr *message = begin_link(&bare->host, RTM_NEWLINK, 0, 0, true);

	mnl_attr_put_u32(message, IFLA_GROUP, GROUP);
	end(&bare->host, message);
	for (unsigned b = 0; b < bare->bridges; b++) {
		message = begin_link(&bare->host, RTM_NEWLINK, 0, FIRST_IFINDEX + b, false);
		put_snooping(message, true);
		end(&bare->host, message);
		put_address(&bare->host, FIRST_IFINDEX + b, gateway_of(b));
	}
	send_batch(&bare->host);
}

/* Without this, the first packets through a large network are lost for up to a second: the kernel tells new links of their
 * carrier in portions, but one that is asked for by its number at once. */
static void settle(struct bare *bare)
{
	struct batch batch = {.bytes = bare->host.bytes};
	char answer[64];

	for (unsigned i = 0; i < bare->count; i++) {
		batch.fd = bare->inside[i].socket;
		end(&batch, begin_link(&batch, RTM_GETLINK, 0, ETH0_IFINDEX, false));
		send_batch(&batch);
	}
	for (unsigned i = 0; i < bare->count; i++) {
		end(&bare->host, begin_link(&bare->host, RTM_GETLINK, 0, port_ifindex(bare, i), false));
		if (i % CHUNK != CHUNK - 1 && i + 1 < bare->count)
			continue;
		send_batch(&bare->host);
		while (recv(bare->host.fd, answer, sizeof(answer), MSG_DONTWAIT) > 0)
			;
	}
}

static void up(struct bare *bare, const char *file)
{
	int conf_fd = open("/proc/sys/net/ipv6/conf", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int conf4_fd = open("/proc/sys/net/ipv4/conf", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[64];
	char path[96];

	make_files(bare, file);
	make_namespaces(bare);
	make_bridges(bare, conf_fd, conf4_fd);
	for (unsigned i = 0; i < bare->count; i++) {
		put_cable(bare, i);
		if (i % CHUNK == CHUNK - 1)
			send_batch(&bare->host);
	}
	send_batch(&bare->host);
	for (unsigned i = 0; i < bare->count; i++) {
		port_name(i, name);
		snprintf(path, sizeof path, "%s/disable_ipv6", name);
		write_file(conf_fd, path, "1", 0);
	}
	configure_inside(bare);
	bring_up(bare);
	settle(bare);
}

/* --- down --------------------------------------------------------------------------------------------------------- */

static void down(struct bare *bare)
{
	struct nlmsghdr *message;
	char path[64];

	open_directories(bare);
	for (unsigned i = 0; i < bare->count; i++) {
		snprintf(path, sizeof(path), NETWORK ".ns%u", i);
		bare->inside[i].fd = openat(bare->pins_fd, path, O_RDONLY | O_CLOEXEC);
		if (bare->inside[i].fd < 0)
			err(1, PINS "/%s", path);
	}
	for (unsigned b = 0; b < bare->bridges; b++) {
		message = begin_link(&bare->host, RTM_NEWLINK, 0, FIRST_IFINDEX + b, false);
		put_snooping(message, false);
		end(&bare->host, message);
	}
	message = begin_link(&bare->host, RTM_DELLINK, 0, 0, false);
	mnl_attr_put_u32(message, IFLA_GROUP, GROUP);
	end(&bare->host, message);
	send_batch(&bare->host);
	for (unsigned i = 0; i < bare->count; i++) {
		snprintf(path, sizeof(path), PINS "/" NETWORK ".ns%u", i);
		if (umount2(path, MNT_DETACH) < 0 || unlink(path) < 0)
			err(1, "%s", path);
		snprintf(path, sizeof(path), NETWORK ".ns%u/hosts", i);
		if (unlinkat(bare->etc_fd, path, 0) < 0)
			err(1, ETC "/%s", path);
		*strchr(path, '/') = '\0';
		if (unlinkat(bare->etc_fd, path, AT_REMOVEDIR) < 0)
			err(1, ETC "/%s", path);
	}
	for (size_t i = 0; i < sizeof(state_files) / sizeof(state_files[0]); i++)
		unlink(state_files[i]);
	unlink(STATE "/hosts");
	unlink(STATE "/network.yaml");
	if (rmdir(STATE) < 0)
		err(1, STATE);
}

/* --- the program -------------------------------------------------------------------------------------------------- */

static void plan_sizes(struct bare *bare, const char *count)
{
	struct rlimit files;

	bare->count = (unsigned)strtoul(count, NULL, 10);
	if (bare->count == 0 || bare->count > 100 * PORTS_MAX)
		errx(2, "N is 1 to %d", 100 * PORTS_MAX);
	bare->bridges = (bare->count + PORTS_MAX - 1) / PORTS_MAX;
	bare->per_bridge = (bare->count + bare->bridges - 1) / bare->bridges;
	bare->inside = calloc(bare->count, sizeof(*bare->inside));
	if (bare->inside == NULL || getrlimit(RLIMIT_NOFILE, &files) < 0)
		err(1, "start");
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		err(1, "RLIMIT_NOFILE");
}

int main(int argc, char **argv)
{
	struct bare bare = {.host.bytes = malloc(BATCH_BYTES)};
	const char *verb = argc > 1 ? argv[1] : "";
	int size = 4 << 20;

	bare.host_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	bare.host.fd = open_rtnetlink();
	if (bare.host.bytes == NULL || bare.host_ns < 0 ||
	    setsockopt(bare.host.fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		err(1, "start");
	if (strcmp(verb, "up") == 0 && argc > 2) {
		plan_sizes(&bare, argv[2]);
		up(&bare, argc > 3 ? argv[3] : NULL);
	} else if (strcmp(verb, "down") == 0 && argc > 2) {
		plan_sizes(&bare, argv[2]);
		down(&bare);
	} else {
		errx(2, "usage: bare up N [FILE] | bare down N");
	}
	return 0; /* what is held goes with the process, and its time counts */
}
