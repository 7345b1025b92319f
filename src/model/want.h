/* want.h: the settings that the namespaces and interfaces of a network rely on.
 *
 * Why:       a new namespace copies what the host happens to have, so whatever a network relies on is said, both ways.
 * Values:    in a namespace of ours: it forwards or it does not, nothing filters or answers for others, IPv6 is there only
 *            where an address of it is. In the host: only what the network's own interfaces need.
 * Errors:    none. Pure. */
#pragma once

struct wr_model;

/* Fills conf_all, conf_default and the links' conf of a wanted model, after its addresses are handed out. A value that is set
 * already (written under `sysctl:`) stays, and where the kernel passes it on to the interfaces, so does this. */
void wr_model_want_conf(struct wr_model *model);
