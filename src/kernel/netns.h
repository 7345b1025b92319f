/* netns.h: network namespaces: made, pinned, entered for a moment, held open.
 *
 * Why:       setns and unshare are called in one file only; everything else uses sockets that were opened inside.
 * Shape:     wr_host is the machine as this process sees it: its own namespace, the directory of pins, every namespace that
 *            was opened so far (by pin), and the sysctl doors. A wr_netns is one open namespace with its socket.
 * Ownership: wr_host owns all of it; wr_host_close gives it back. Pointers to wr_netns stay valid until then.
 * Errors:    -errno with the path or namespace in *reterr. Whatever happens, the thread is back in its own namespace;
 *            if it cannot return there, the process aborts (it would act in the wrong place).
 * Threads:   one; the namespace of the calling thread changes for moments.
 * Source:    namespaces(7), network_namespaces(7), ip-netns(8); include/uapi/linux/nsfs.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "kernel/netlink.h"

struct wr_arena;
struct wr_error;

struct wr_netns {
	const char *pin;  /* NULL for the host */
	int fd;		  /* nsfs descriptor, -1 when closed */
	struct wr_nl nl;  /* rtnetlink, opened inside */
	struct wr_nl nft; /* netfilter's netlink, opened inside when it is first needed (kernel/nft.h); fd -1 before */
	uint64_t cookie;  /* SO_NETNS_COOKIE of that socket */
	bool unpinned;	  /* its name is gone, it lives while fd is open */
};

struct wr_host {
	struct wr_arena *arena;
	const char *pins;      /* "/run/netns" */
	const char *state;     /* "/run/warren" */
	const char *etc_netns; /* "/etc/netns" */
	struct wr_netns self;
	struct wr_map open;		  /* pin to struct wr_netns */
	int proc_fd;			  /* private proc instance, see sysctl.h; -1: not opened yet */
	unsigned proc_uses;		  /* how often it was used in another namespace than before */
	const struct wr_netns *proc_last; /* the namespace it was used in last */
	size_t reserved;		  /* namespaces that may be open at once, as far as asked for */
	bool pins_ready;		  /* the directory exists and is a shared mount */
};

/* Opens this machine. The strings are borrowed. */
int wr_host_open(struct wr_host *host, struct wr_arena *arena, const char *pins, const char *state,
		 const char *etc_netns, struct wr_error *reterr);
void wr_host_close(struct wr_host *host);
/* Raises RLIMIT_NOFILE so that count namespaces can be held open (3 descriptors each). -EMFILE when it cannot. */
int wr_host_reserve(struct wr_host *host, size_t count, struct wr_error *reterr);
/* 0, or WR_ERR_PRIVILEGE naming what is missing (CAP_NET_ADMIN and CAP_SYS_ADMIN) and how to get it. */
int wr_host_check_privilege(struct wr_error *reterr);

/* The directory of pins made, and a shared mount, as ip-netns(8) does it (under its lock). */
int wr_pins_prepare(struct wr_host *host, struct wr_error *reterr);

enum wr_pin_state {
	WR_PIN_ABSENT,
	WR_PIN_NAMESPACE,
	WR_PIN_STALE /* empty regular file */,
	WR_PIN_OTHER /* anything else */
};
/* What is there under a pin's name, without opening a namespace. Negative: -errno. */
int wr_pin_state(struct wr_host *host, const char *pin, struct wr_error *reterr);
/* Calls visit for each name in the directory of pins, with its state; in the directory's order. visit returns < 0 to stop. */
int wr_pins_each(struct wr_host *host, int (*visit)(const char *pin, enum wr_pin_state state, void *data), void *data,
		 struct wr_error *reterr);

/* The same without looking at what each is: names alone. */
int wr_pins_names(struct wr_host *host, int (*visit)(const char *pin, void *data), void *data, struct wr_error *reterr);

/* The open namespace of a pin: from host->open, else opened now. -ENOENT: nothing of that name; -ESTALE: it is no namespace;
 * -EINVAL: a namespace of another type. */
int wr_netns_get(struct wr_host *host, const char *pin, struct wr_netns **ret, struct wr_error *reterr);
/* The same, and sure to be what the name stands for now: one that was opened earlier is compared with it. -ENOENT when the
 * name is gone (an open namespace stays open); when it is another namespace by now, the earlier one is closed. */
int wr_netns_look(struct wr_host *host, const char *pin, struct wr_netns **ret, struct wr_error *reterr);
/* Makes a namespace without a name; pin is the one that wr_netns_pin will give it, or NULL for one that never gets any (it is
 * then not in host->open, and the caller closes it). The thread is inside it afterwards: wr_netns_leave brings it back. */
int wr_netns_create(struct wr_host *host, const char *pin, struct wr_netns **ret, struct wr_error *reterr);
/* Gives the namespace (made or held) its name. The thread may be anywhere. -EEXIST when the name is taken by something else
 * than an empty file. */
int wr_netns_pin(struct wr_host *host, struct wr_netns *ns, struct wr_error *reterr);
/* Takes the name away; the namespace lives on while ns->fd is open. 0 also when it was gone. */
int wr_netns_unpin(struct wr_host *host, struct wr_netns *ns, struct wr_error *reterr);
/* Removes an empty regular file under a pin's name. */
int wr_pin_remove_stale(struct wr_host *host, const char *pin, struct wr_error *reterr);
/* Closes descriptors; an unpinned one dies with it. Forgotten in host->open. */
void wr_netns_close(struct wr_host *host, struct wr_netns *ns);

int wr_netns_enter(const struct wr_netns *ns, struct wr_error *reterr);
void wr_netns_leave(const struct wr_host *host); /* back to the host's; aborts when that fails */
/* Opens one more netlink socket inside, of any protocol; the caller closes it. The thread may be anywhere, and is there
 * again afterwards. */
int wr_netns_open_netlink(const struct wr_netns *ns, int protocol, struct wr_nl *ret, struct wr_error *reterr);

/* Gives this process a mount namespace of its own, whose mounts still follow the machine's (MS_SLAVE) and never reach it. */
int wr_mounts_unshare(struct wr_error *reterr);
