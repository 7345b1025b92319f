/* json.h: objects that more than one of this folder's JSON documents contain.
 *
 * Why:       a route is the same object in `show --json` and in a step of `plan --json`; share/warren-output.schema.json has
 *            one definition for each function here.
 * Errors:    sticky in the wr_text. */
#pragma once

#include "show/json_write.h"

#include "model/model.h"

/* What every document says of its form. It grows when a member goes or changes its meaning, not when one is added. */
#define WR_JSON_FORMAT 1

void wr_json_ip(struct wr_json *json, const struct wr_ip *ip);		       /* family 0: null */
void wr_json_prefix(struct wr_json *json, const struct wr_prefix *prefix);     /* family 0: null */
void wr_json_mac(struct wr_json *json, const struct wr_mac *mac);	       /* NULL: null */
void wr_json_link_reference(struct wr_json *json, const struct wr_link *link); /* NULL: null */
/* The bridge that a link is plugged into, as the file calls it, or null. */
void wr_json_bridge_of(struct wr_json *json, const struct wr_link *link);
void wr_json_bridge_options(struct wr_json *json, const struct wr_bridge_options *options); /* NULL: null */
void wr_json_route(struct wr_json *json, const struct wr_route *route);			    /* NULL: null */
void wr_json_rule(struct wr_json *json, const struct wr_rule *rule);
void wr_json_neighbour(struct wr_json *json, const struct wr_neighbour *neighbour);
void wr_json_model(struct wr_json *json, const struct wr_model *model);
