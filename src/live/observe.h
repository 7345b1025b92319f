/* observe.h: one observation while it is made. Private to live/.
 *
 * Shape:     observe.c finds the namespaces and says whose things are; peers.c joins cables across namespaces; filter.c
 *            reads packet filters; files.c /etc/netns and the state directory.
 * Ownership: readings are parallel to model->ns, in the same arena. */
#pragma once

#include "base/map.h"
#include "live/decode.h"
#include "live/live.h"
#include "model/model.h"

struct wr_error;
struct wr_host;

struct wr_observing {
	struct wr_host *host;
	const struct wr_live_request *request;
	struct wr_model *model;
	struct wr_reading **readings; /* of model->ns[i]; NULL where nothing was read */
	size_t n_readings, capacity_readings;
	struct wr_map names;	     /* in the directory of pins */
	struct wr_map wanted_by_pin; /* struct wr_ns of the wanted model */
	struct wr_map by_mark;	     /* the same readings by the alias of their namespace's lo */
	bool saw_proto;		     /* this kernel keeps who made an address */
};

/* Sets the peers of cables whose ends are in different namespaces, as far as both were read. */
int wr_observe_peers(struct wr_observing *observing, struct wr_error *reterr);
/* The packet filters of the host and of the network's namespaces, as far as the request asks for them; and what the network has
 * to do with the rest of the host: settings that it noted, rules of its own in others' chains. */
int wr_observe_filters(struct wr_observing *observing, struct wr_error *reterr);
/* A namespace in the model, not ours yet. NULL: out of memory. */
struct wr_ns *wr_observe_add_ns(struct wr_observing *observing, const char *name, const char *pin);
/* The files of the network, and of each of its namespaces. A namespace that is not there is in the model all the same, as
 * absent, when files of ours lie under its name (or, where it is wanted, anybody's). */
int wr_observe_files(struct wr_observing *observing, struct wr_error *reterr);
