/* state.h: /run/warren: the lock, the journal, the file that a network was made from.
 *
 * Why:       the truth is in the kernel; this only makes two runs wait for each other, tells an interrupted run from a
 *            finished one, and keeps what marks cannot hold: the text of the file and the shared hosts file.
 * Shape:     /run/warren (0700) / NETWORK / {lock, boot, journal, network.yaml, source, hosts, resolv.conf}. `boot`
 *            is the boot id of what lies beside it: another boot's journal is not believed.
 *            The lock is flock(2): the kernel frees it when its holder dies.
 * Errors:    -errno with the path; WR_ERR_BUSY names the holder (pid and command).
 * Threads:   one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct wr_apply;
struct wr_arena;
struct wr_error;
struct wr_host;
struct wr_model;

struct wr_state {
	struct wr_host *host;
	const char *network;
	struct wr_arena *arena;
	const char *directory;	   /* "/run/warren/shop" */
	int directory_fd, lock_fd; /* -1: closed */
	int machine_fd;		   /* the lock of wr_state_lock_machine; -1: not taken */
	bool made_directory;	   /* it was not there before */
	bool interrupted_before;   /* a journal of this boot was found: an earlier run was killed */
	bool other_boot;	   /* what was there is of another boot, and was dropped */
	const char **journal_pins; /* what the killed run was about to make */
	size_t n_journal_pins;
};

/* Makes the directory, takes the lock (waiting as apply says), and reads what an earlier run left. Fails before anything is
 * touched on a read-only /run. */
int wr_state_open(struct wr_state *state, const struct wr_apply *apply, const char *network, struct wr_error *reterr);
void wr_state_close(struct wr_state *state); /* releases the locks */
/* One run at a time where something of the host is at stake that networks share: ports, settings, others' chains. After
 * wr_state_open, before the first look; waits as that does. */
int wr_state_lock_machine(struct wr_state *state, const struct wr_apply *apply, struct wr_error *reterr);
/* Before the first change: the pins of wanted are noted, and the text of its file laid ready (text NULL: none), so that a full
 * disk shows before anything is touched. */
int wr_state_begin(struct wr_state *state, const struct wr_model *wanted, const char *text, size_t length,
		   struct wr_error *reterr);
/* After the last: the journal is forgotten, and the file laid ready (keep) becomes the network's. */
int wr_state_end(struct wr_state *state, bool keep, struct wr_error *reterr);
/* Everything of this network goes: directory and all. The lock stays held until wr_state_close. */
int wr_state_remove(struct wr_state *state, struct wr_error *reterr);

/* Without the lock: the kept file of a network (NULL text when there is none), and the networks that have one. */
int wr_state_read_file(struct wr_host *host, const char *network, struct wr_arena *arena, const char **ret_source,
		       const char **ret_text, size_t *ret_length, struct wr_error *reterr);
int wr_state_networks(struct wr_host *host, struct wr_arena *arena, const char ***ret_names, size_t *ret_count,
		      struct wr_error *reterr);
