/* netfile.h: a network file to a wanted model.
 *
 * Why:       one reader of the language that warren-network(5) describes; all errors of a file in one run.
 * Shape:     wr_netfile_load reads YAML (yaml.h), expands ranges and short forms and fills the model
 *            with all that does not depend on which addresses are free. wr_netfile_assign then hands out addresses,
 *            resolves $(edge.eth1) and gateways, and checks what needs addresses. `show` assigns from the file alone,
 *            `up` with the live model, so that what is up and marked keeps its address.
 * Ownership: the model and the messages live in the arena that is given; the text may be freed after wr_netfile_load.
 * Errors:    0, or -EINVAL with what is wrong in *diagnostics (each with its place), or -ENOMEM. Pure.
 * Threads:   one thread at a time. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "model/model.h"

#define WR_NETFILE_SIZE_MAX	   (16u << 20)
#define WR_NETFILE_NESTING_MAX	   32
#define WR_NETFILE_ANCHORS_MAX	   1000
#define WR_NETFILE_THINGS_MAX	   1000000
#define WR_NETFILE_DIAGNOSTICS_MAX 20

struct wr_diagnostic {
	struct wr_place place;
	const char *message; /* without the place: "unknown key 'adress' in interface 'eth0'" */
	const char *hint;    /* "did you mean 'address'?", or NULL */
};

/* The first 20; total counts them all. Zeroed but for source, text, length and arena before the first use. */
struct wr_diagnostics {
	struct wr_arena *arena;
	const char *source; /* the file's name as the user gave it; "-" is shown as "<stdin>" */
	const char *text;   /* for quoting lines; may be NULL */
	size_t length;
	struct wr_diagnostic items[WR_NETFILE_DIAGNOSTICS_MAX];
	size_t count, total;
};

struct wr_netfile_input {
	const char *source; /* as the user gave it; "shop.yaml" */
	const char *text;
	size_t length;
	const char
		*name; /* `--name OTHER`, or NULL: the file's `name:`, else the source's last part without extension */
};

/* Reads a file. *ret is set when 0 is returned. */
int wr_netfile_load(const struct wr_netfile_input *input, struct wr_arena *arena, struct wr_model **ret,
		    struct wr_diagnostics *diagnostics);
/* Completes the model. leases: what is there (its marked addresses are kept where they still fit), or NULL.
 * machine: this machine's host name, for the hosts file. Called once for a model. */
int wr_netfile_assign(struct wr_model *model, const struct wr_model *leases, const char *machine,
		      struct wr_diagnostics *diagnostics);

/* Adds one message, in the form that all have. hint may be NULL. */
void wr_diagnose(struct wr_diagnostics *diagnostics, struct wr_place place, const char *hint, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

struct wr_text;
/* All of them, as "shop.yaml:12:9: MESSAGE", the line quoted, a caret under the place, the hint; sorted by place. */
void wr_diagnostics_print(const struct wr_diagnostics *diagnostics, struct wr_text *text);
/* The model as a network file in long form, every default spelled out: what `warren show FILE` prints. Reading it again
 * gives an equal model. */
void wr_netfile_write(const struct wr_model *model, struct wr_text *text);
