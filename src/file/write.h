/* write.h: the pieces of wr_netfile_write. Private to file/. */
#pragma once

#include "model/model.h"

struct wr_text;

/* A scalar: bare where YAML takes it as this very text, else in double quotes. */
void wr_nf_write_scalar(struct wr_text *text, const char *string);
void wr_nf_write_ip(struct wr_text *text, const struct wr_ip *ip);
void wr_nf_write_prefix(struct wr_text *text, const struct wr_prefix *prefix);
/* "[A, B]", or "none". */
void wr_nf_write_addresses(struct wr_text *text, const struct wr_link *link);
/* `routes:`, `rules:`, `neighbours:`, `dns:`, `hosts:` of a namespace, at its indentation (write_routes.c). */
void wr_nf_write_routes(struct wr_text *text, const struct wr_ns *ns);
void wr_nf_write_extras(struct wr_text *text, const struct wr_ns *ns);
/* `nat:` of a bridge or a namespace; NULL: none. `nat:`, `publish:`, `firewall:` of a namespace (write_traffic.c). */
void wr_nf_write_nat(struct wr_text *text, const struct wr_nat *nat);
void wr_nf_write_traffic(struct wr_text *text, const struct wr_ns *ns);

/* What a namespace and its links would be set to if nothing were written (write_settings.c). Kept from one namespace to the next. */
struct wr_nf_usual {
	struct wr_conf all, default_;
	struct wr_link *links; /* copies, in the namespace's order, with their usual conf */
	struct wr_link **pointers;
	size_t capacity;
};

void wr_nf_usual_done(struct wr_nf_usual *usual);
/* Returns 0 or -ENOMEM. */
int wr_nf_usual_of(struct wr_nf_usual *usual, const struct wr_ns *ns);
/* `sysctl:` with what differs from the usual; nothing when nothing does. */
void wr_nf_write_ns_sysctls(struct wr_text *text, const struct wr_ns *ns, const struct wr_nf_usual *usual);
void wr_nf_write_link_sysctls(struct wr_text *text, const char *indent, const struct wr_link *link,
			      const struct wr_conf *usual);
