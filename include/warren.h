/* warren.h: networks of Linux network namespaces, built, shown and taken down. The library behind warren(1).
 *
 * Why:       a test program or a container platform builds a network from one file, all or nothing, without starting processes.
 * Shape:     a wr_context is this machine; a wr_network is one file read. wr_up, wr_down, wr_plan compare and carry out;
 *            wr_exec and wr_spawn run programs inside. What is printed comes back as text that the caller frees.
 * Ownership: _open/_close, _load/_free in pairs. A wr_network does not depend on the context that made it. Returned char * are
 *            the caller's, from malloc(3); strings of const char * are borrowed from their object.
 * Errors:    functions return 0 or a count, else a negative errno with *reterr filled; outputs are untouched on failure.
 *            The library never prints and never exits.
 * Threads:   one thread at a time for a context; the calling thread's network namespace changes for moments, and is
 *            back when a call returns. Two contexts in two threads are independent.
 * Source:    warren(1), warren-network(5). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <warren/error.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define WR_VERSION "0.1.0"

struct wr_context;
struct wr_network;

/* --- the machine ----------------------------------------------------------------------------------------------------- */

/* All may be left zero. Strings are copied. */
struct wr_settings {
	const char *state_directory; /* NULL: /run/warren */
	const char *pins_directory;  /* NULL: /run/netns. Another one than that is not seen by `ip netns` */
	const char *etc_directory;   /* NULL: /etc/netns */
	int lock_timeout_ms; /* how long to wait for another run on the same network; 0: 60,000; < 0: not at all */
	/* Called once before waiting for another run, with words that name it ("pid 1234 (warren up shop.yaml)"). */
	void (*on_waiting)(void *data, const char *network, const char *holder);
	/* Called while things are made or removed, at most 20 times a second. done of total in this phase ("namespaces"). */
	void (*on_progress)(void *data, const char *phase, size_t done, size_t total);
	/* Asked between requests; not 0 stops the work and rolls back (the number is a signal's, for the message). */
	int (*is_interrupted)(void *data);
	/* Told what a person should know and what is no failure: a chain of somebody else's that drops the network's traffic, with
	 * the command that would open it; a setting of the host that stays changed. */
	void (*on_warning)(void *data, const char *text);
	void *data; /* passed to all of them */
};

/* Needs no privilege: what a call needs is checked when it is made. settings may be NULL. */
int wr_open(const struct wr_settings *settings, struct wr_context **ret, struct wr_error *reterr);
void wr_close(struct wr_context *context); /* NULL is allowed */

/* --- the network file -------------------------------------------------------------------------------------------------- */

/* Reads a network file; path "-" is standard input. name: `--name OTHER`, or NULL. On -EINVAL with WR_ERR_FILE, *reterr has the
 * first message and *ret_messages (may be NULL) all of them, as printed lines. Needs no privilege and touches nothing. */
int wr_load(const char *path, const char *name, struct wr_network **ret, char **ret_messages, struct wr_error *reterr);
/* The same from memory; source is used in messages and to derive a name. */
int wr_load_text(const char *source, const char *text, size_t length, const char *name, struct wr_network **ret,
		 char **ret_messages, struct wr_error *reterr);
void wr_network_free(struct wr_network *network); /* NULL is allowed */
const char *wr_network_name(const struct wr_network *network);
size_t wr_network_size(const struct wr_network *network); /* namespaces it has, bridges' own included */
const char *wr_network_namespace(const struct wr_network *network, size_t i); /* "web"; NULL: i is too large */

enum wr_format {
	WR_FORMAT_TEXT,
	WR_FORMAT_JSON,	    /* share/warren-output.schema.json */
	WR_FORMAT_COMMANDS, /* wr_plan: ip, bridge, sysctl and nft commands for sh. wr_firewall: the language of nft */
};

/* The file in long form, every default spelled out, addresses handed out from the file alone. */
int wr_show(const struct wr_network *network, enum wr_format format, char **ret, struct wr_error *reterr);

/* --- building and taking down -------------------------------------------------------------------------------------------- */

enum wr_result {
	WR_RESULT_DONE = 0,
	WR_RESULT_NOTHING_TO_DO = 1,
};
struct wr_report {
	size_t steps;	      /* carried out */
	size_t interruptions; /* of them, how many interrupted traffic */
	bool touched;	      /* on failure: something had been changed */
	bool restored;	      /* on failure: and what was there is back, verified */
};

/* What wr_up would do, printed; *ret_steps (may be NULL) gets how many steps. Changes nothing. */
int wr_plan(struct wr_context *context, const struct wr_network *network, enum wr_format format, char **ret,
	    size_t *ret_steps, struct wr_error *reterr);
/* Makes the machine what the file says, verified, or puts back what was there. Returns an enum wr_result or -errno; *ret_report
 * (may be NULL) is filled in both cases. */
int wr_up(struct wr_context *context, const struct wr_network *network, struct wr_report *ret_report,
	  struct wr_error *reterr);
/* Takes a network down by its name: everything with its mark. network (may be NULL) helps to find leftovers of a killed run
 * when the state directory is lost too. */
int wr_down(struct wr_context *context, const char *name, const struct wr_network *network,
	    struct wr_report *ret_report, struct wr_error *reterr);
/* Is a network as its file says? file NULL: the file it was made from, as kept at the last wr_up. *ret_differences gets the
 * number of steps that would mend it. -ENOENT: no such network. */
int wr_status(struct wr_context *context, const char *name, const struct wr_network *file, enum wr_format format,
	      char **ret, size_t *ret_differences, struct wr_error *reterr);

/* --- what is there ------------------------------------------------------------------------------------------------------ */

/* The pinned namespaces, and which network owns each. */
int wr_list(struct wr_context *context, enum wr_format format, char **ret, struct wr_error *reterr);
/* The names of the networks that are there, NULL-terminated, in one block to free. */
int wr_networks(struct wr_context *context, char ***ret, size_t *ret_count, struct wr_error *reterr);
/* The names ("shop/web") of the namespaces of a network, or of all when network is NULL; NULL-terminated, one block to free. */
int wr_namespaces(struct wr_context *context, const char *network, char ***ret, size_t *ret_count,
		  struct wr_error *reterr);

/* What packet filters do, as the kernel has them, with what they counted: of one namespace (named as for wr_exec; "host" is this
 * machine), or, ns NULL, of all namespaces of warren's networks. Of this machine only tables of warren's networks are shown. */
int wr_firewall(struct wr_context *context, const char *ns, enum wr_format format, char **ret, struct wr_error *reterr);

/* --- running programs inside ---------------------------------------------------------------------------------------------- */

struct wr_exec {
	const char *user;      /* NULL: as the caller. Else that user, without capabilities, and with no_new_privs */
	const char *directory; /* working directory, NULL: unchanged */
	int stdin_fd, stdout_fd,
		stderr_fd; /* wr_spawn: -1 keeps the caller's; others become 0, 1, 2. Set -1 when unused */
	/* Told of what does not stop the program from starting: a file of /etc/netns/PIN without a counterpart in /etc. wr_spawn
	 * calls it in the child. NULL: not told. */
	void (*on_warning)(void *data, const char *text);
	void *data;
};

/* Replaces this process by argv (NULL-terminated) inside a namespace: "web", "shop/web", "shop.web" (ambiguity is an error that
 * names the candidates) or a pin's name. Sees the namespace's /sys, and /etc/netns/PIN over /etc. options may be NULL.
 * Returns only on failure. Leaves the caller in a changed state when it fails late: call it to end. */
int wr_exec(struct wr_context *context, const char *ns, char *const argv[], const struct wr_exec *options,
	    struct wr_error *reterr);
/* The same in a child. Returns its pid; wait for it with waitpid(2). A failure before the program started is reported here. */
pid_t wr_spawn(struct wr_context *context, const char *ns, char *const argv[], const struct wr_exec *options,
	       struct wr_error *reterr);
/* The pin ("shop.web") that a name stands for, to free. */
int wr_resolve(struct wr_context *context, const char *ns, char **ret_pin, struct wr_error *reterr);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
