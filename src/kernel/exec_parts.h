/* exec_parts.h: what exec.c puts together: the mounts that a program inside sees, and the user that it becomes.
 *
 * Ownership: nothing here owns anything; what is found out lives in the arena that is given.
 * Errors:    -errno with what was tried in *reterr. After a failure the process is half-way and must end.
 * Threads:   one. */
#pragma once

#include <sys/types.h>

struct wr_arena;
struct wr_error;
struct wr_exec;
struct wr_host;
struct wr_netns;

/* A user to become, looked up before anything is changed. */
struct wr_exec_user {
	const char *name;
	const char *home;
	uid_t uid;
	gid_t gid;
};

/* Finds a user by name, or by number when no user has that name. */
int wr_exec_user_find(struct wr_arena *arena, const char *name, struct wr_exec_user *ret, struct wr_error *reterr);
/* Lets users without capabilities ping and listen on any port in this namespace, unless that is open already. */
int wr_exec_user_open_doors(struct wr_host *host, const struct wr_netns *ns, const struct wr_exec_user *user,
			    struct wr_error *reterr);
/* This process becomes that user for good: its groups, no capability in any set, none to be had by any program
 * (bounding set, securebits, no_new_privs); HOME, USER and LOGNAME say so. */
int wr_exec_user_become(const struct wr_exec_user *user, struct wr_error *reterr);

/* A mount namespace of this process's own, with the /sys of the network namespace that it is in, and the files of
 * ETC_NETNS/PIN over those of /etc. options (may be NULL) has the ear for warnings; for another user, no file gives
 * privileges there. */
int wr_exec_mounts(const char *etc_netns, const char *pin, const struct wr_exec *options, struct wr_error *reterr);
