/* write_traffic.c: translation, published ports and firewalls in long form. */
#include "base/text.h"
#include "file/write.h"

static void add_nat_addresses(struct wr_text *text, const struct wr_nat *nat)
{
	const char *comma = "";

	wr_text_add(text, "address: [");
	for (int family = 0; family < 2; family++) {
		if (!nat->address[family].family)
			continue;
		wr_text_add(text, comma);
		wr_nf_write_ip(text, &nat->address[family]);
		comma = ", ";
	}
	wr_text_add_char(text, ']');
}

void wr_nf_write_nat(struct wr_text *text, const struct wr_nat *nat)
{
	bool has_address = nat && (nat->address[0].family || nat->address[1].family);

	wr_text_add(text, "    nat: ");
	if (!nat || (!nat->out && !has_address)) {
		wr_text_add(text, nat ? "true\n" : "false\n");
		return;
	}
	wr_text_add_char(text, '{');
	if (nat->out) {
		wr_text_add(text, "out: ");
		wr_nf_write_scalar(text, nat->out);
	}
	if (has_address) {
		wr_text_add(text, nat->out ? ", " : "");
		add_nat_addresses(text, nat);
	}
	wr_text_add(text, "}\n");
}

static void add_publish(struct wr_text *text, const struct wr_publish *publish)
{
	char buffer[WR_IP_TEXT_MAX];

	if (publish->host.family)
		wr_text_addf(text,
			     publish->host.family == AF_INET6 ? "[%s]:" : "%s:", wr_ip_format(&publish->host, buffer));
	wr_text_addf(text, "%u:%u/%s", publish->host_port, publish->port,
		     publish->protocol == IPPROTO_UDP ? "udp" : "tcp");
	if (publish->in) {
		wr_text_add_char(text, '@');
		wr_text_add(text, publish->in);
	}
}

static void add_publishes(struct wr_text *text, const struct wr_ns *ns)
{
	if (!ns->n_publishes) {
		wr_text_add(text, "    publish: []\n");
		return;
	}
	wr_text_add(text, "    publish:\n");
	for (size_t i = 0; i < ns->n_publishes; i++) {
		WR_CLEANUP_TEXT struct wr_text publish = {0};

		add_publish(&publish, &ns->publishes[i]);
		wr_text_add(text, "      - ");
		wr_nf_write_scalar(text, wr_text_string(&publish));
		wr_text_add_char(text, '\n');
		if (wr_text_error(&publish))
			text->error = wr_text_error(&publish);
	}
}

static void add_phrases(struct wr_text *text, const struct wr_firewall *firewall, bool deny)
{
	bool any = false;

	wr_text_add(text, deny ? "        deny:" : "        accept:");
	for (size_t i = 0; i < firewall->n_phrases; i++) {
		if (firewall->phrases[i].deny != deny)
			continue;
		wr_text_add(text, any ? "          - " : "\n          - ");
		wr_nf_write_scalar(text, firewall->phrases[i].text);
		wr_text_add_char(text, '\n');
		any = true;
	}
	if (!any)
		wr_text_add(text, " []\n");
}

static void add_firewall(struct wr_text *text, const struct wr_firewall *firewall)
{
	static const char *const names[WR_FIREWALL_HOOKS_] = {
		[WR_FIREWALL_INPUT] = "input", [WR_FIREWALL_OUTPUT] = "output", [WR_FIREWALL_FORWARD] = "forward"};

	wr_text_add(text, "    firewall:\n");
	for (int id = 0; id < WR_FIREWALL_HOOKS_; id++) {
		if (!firewall[id].on)
			continue;
		wr_text_addf(text, "      %s:\n        policy: %s\n", names[id], firewall[id].drop ? "drop" : "accept");
		add_phrases(text, &firewall[id], true);
		add_phrases(text, &firewall[id], false);
		wr_text_addf(text, "        log: %s\n", firewall[id].log ? "true" : "false");
	}
}

void wr_nf_write_traffic(struct wr_text *text, const struct wr_ns *ns)
{
	wr_nf_write_nat(text, ns->nat);
	add_publishes(text, ns);
	if (ns->firewall)
		add_firewall(text, ns->firewall);
	else
		wr_text_add(text, "    firewall: {}\n");
}
