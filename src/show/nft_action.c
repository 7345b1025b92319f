/* nft_action.c: statements that do something: verdicts, counters, limits, logs, translation, sets filled by packets. */
#include <netinet/in.h> /* before linux/in.h */

#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "show/nft_parts.h"

#define FLAGS_IMPLIED (NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED)

static const struct wr_nft_slot *find_slot(struct wr_nft_reader *reader, uint8_t reg)
{
	const struct wr_nft_slot *slot = wr_nft_slot(reader, reg);

	return slot != NULL && slot->filled && slot->first ? slot : NULL;
}

/* --- verdicts -------------------------------------------------------------------------------------------------------------- */

bool wr_show_nft_verdict(struct wr_text *text, int32_t verdict, const char *chain)
{
	switch (verdict) {
	case NF_ACCEPT:
		wr_text_add(text, "accept");
		return true;
	case NF_DROP:
		wr_text_add(text, "drop");
		return true;
	case NFT_CONTINUE:
		wr_text_add(text, "continue");
		return true;
	case NFT_RETURN:
		wr_text_add(text, "return");
		return true;
	case NFT_JUMP:
	case NFT_GOTO:
		wr_text_add(text, verdict == NFT_JUMP ? "jump " : "goto ");
		return wr_show_nft_name(text, chain != NULL ? chain : "?");
	}
	wr_text_addf(text, "[verdict %d]", verdict);
	return false;
}

static const char *reject_code(const struct wr_nft_reader *reader, const struct wr_nft_expr *expr)
{
	static const char *const icmp[] = {
		[0] = "net-unreachable", [1] = "host-unreachable", [2] = "prot-unreachable", [3] = "port-unreachable",
		[9] = "net-prohibited",	 [10] = "host-prohibited", [13] = "admin-prohibited"};
	static const char *const icmp6[] = {
		[0] = "no-route",	  [1] = "admin-prohibited", [3] = "addr-unreachable",
		[4] = "port-unreachable", [5] = "policy-fail",	    [6] = "reject-route"};
	static const char *const icmpx[] = {"no-route", "port-unreachable", "host-unreachable", "admin-prohibited"};
	uint8_t code = expr->reject.code;

	if (expr->reject.type == NFT_REJECT_ICMPX_UNREACH)
		return code < sizeof icmpx / sizeof *icmpx ? icmpx[code] : NULL;
	if (reader->network == ETH_P_IP)
		return code < sizeof icmp / sizeof *icmp ? icmp[code] : NULL;
	if (reader->network == ETH_P_IPV6)
		return code < sizeof icmp6 / sizeof *icmp6 ? icmp6[code] : NULL;
	return NULL;
}

static void say_reject(struct wr_nft_reader *reader, const struct wr_nft_expr *expr)
{
	const char *code;

	wr_nft_begin(reader);
	if (expr->reject.type == NFT_REJECT_TCP_RST) {
		if (reader->transport != IPPROTO_TCP) /* nft would test it */
			reader->failed = true;
		wr_text_add(reader->text, "reject with tcp reset");
		return;
	}
	code = reject_code(reader, expr);
	if (code == NULL)
		reader->failed = true;
	wr_text_add(reader->text, expr->reject.type == NFT_REJECT_ICMPX_UNREACH ? "reject with icmpx type "
				  : reader->network == ETH_P_IPV6		? "reject with icmpv6 type "
										: "reject with icmp type ");
	wr_text_add(reader->text, code != NULL ? code : "?");
}

/* --- counting -------------------------------------------------------------------------------------------------------------- */

static void say_counter(struct wr_nft_reader *reader, const struct wr_nft_expr *expr)
{
	wr_nft_begin(reader);
	wr_text_add(reader->text, "counter");
	if (reader->counters && (expr->counter.packets != 0 || expr->counter.bytes != 0))
		wr_text_addf(reader->text, " packets %llu bytes %llu", (unsigned long long)expr->counter.packets,
			     (unsigned long long)expr->counter.bytes);
}

static const char *unit_name(uint64_t seconds)
{
	switch (seconds) {
	case 1:
		return "second";
	case 60:
		return "minute";
	case 3600:
		return "hour";
	case 86400:
		return "day";
	case 604800:
		return "week";
	}
	return NULL;
}

static void say_limit(struct wr_nft_reader *reader, const struct wr_nft_expr *expr)
{
	const char *unit = unit_name(expr->limit.unit);
	const char *what = expr->limit.type == NFT_LIMIT_PKT_BYTES ? "bytes" : "packets";
	bool inverted = (expr->limit.flags & NFT_LIMIT_F_INV) != 0;

	if (unit == NULL)
		reader->failed = true;
	wr_nft_begin(reader);
	wr_text_addf(reader->text, "limit rate %s%llu%s/%s", inverted ? "over " : "",
		     (unsigned long long)expr->limit.rate, expr->limit.type == NFT_LIMIT_PKT_BYTES ? " bytes" : "",
		     unit != NULL ? unit : "?");
	if (expr->limit.burst != 0)
		wr_text_addf(reader->text, " burst %u %s", expr->limit.burst, what);
}

/* The flags that nft has words for, together only as "all". */
static void say_log_flags(struct wr_nft_reader *reader, uint32_t flags)
{
	static const struct {
		uint32_t flag;
		const char *words;
	} rows[] = {{1, "tcp sequence"}, {2, "tcp options"}, {3, "tcp sequence,options"},
		    {4, "ip options"},	 {8, "skuid"},	     {32, "ether"},
		    {47, "all"}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (rows[i].flag == flags) {
			wr_text_add(reader->text, " flags ");
			wr_text_add(reader->text, rows[i].words);
			return;
		}
	}
	wr_text_addf(reader->text, " flags %u", flags);
	reader->failed = true;
}

static void say_log(struct wr_nft_reader *reader, const struct wr_nft_expr *expr)
{
	static const char *const levels[] = {"emerg",  "alert", "crit",	 "err",	 "warn",
					     "notice", "info",	"debug", "audit"};

	wr_nft_begin(reader);
	wr_text_add(reader->text, "log");
	if (expr->log.prefix != NULL) {
		wr_text_add(reader->text, " prefix ");
		if (!wr_show_nft_quoted(reader->text, expr->log.prefix))
			reader->failed = true;
	}
	if (expr->log.group >= 0) {
		wr_text_addf(reader->text, " group %d", (int)expr->log.group);
		return;
	}
	if (expr->log.level < sizeof levels / sizeof *levels) {
		wr_text_add(reader->text, " level ");
		wr_text_add(reader->text, levels[expr->log.level]);
	}
	if (expr->log.flags != 0)
		say_log_flags(reader, expr->log.flags);
}

/* --- translation ----------------------------------------------------------------------------------------------------------- */

static void say_nat_flags(struct wr_nft_reader *reader, uint32_t flags)
{
	static const struct {
		uint32_t flag;
		const char *word;
	} rows[] = {{NF_NAT_RANGE_PROTO_RANDOM, "random"},
		    {NF_NAT_RANGE_PROTO_RANDOM_FULLY, "fully-random"},
		    {NF_NAT_RANGE_PERSISTENT, "persistent"}};
	char separator = ' ';

	flags &= ~(uint32_t)FLAGS_IMPLIED;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if ((flags & rows[i].flag) == 0)
			continue;
		wr_text_add_char(reader->text, separator);
		wr_text_add(reader->text, rows[i].word);
		separator = ',';
		flags &= ~rows[i].flag;
	}
	if (flags != 0)
		reader->failed = true;
}

/* ":80-90" */
static void say_ports(struct wr_nft_reader *reader, uint8_t min, uint8_t max)
{
	wr_text_add_char(reader->text, ':');
	wr_nft_say(reader, reader->text, find_slot(reader, min), WR_NFT_TYPE_SERVICE);
	if (max != 0 && max != min) {
		wr_text_add_char(reader->text, '-');
		wr_nft_say(reader, reader->text, find_slot(reader, max), WR_NFT_TYPE_SERVICE);
	}
	if (!reader->some_transport) /* nft insists on knowing that there are ports */
		reader->failed = true;
}

static void say_address(struct wr_nft_reader *reader, uint8_t reg, uint32_t type, bool brackets)
{
	if (brackets)
		wr_text_add_char(reader->text, '[');
	wr_nft_say(reader, reader->text, find_slot(reader, reg), type);
	if (brackets)
		wr_text_add_char(reader->text, ']');
}

static void say_nat(struct wr_nft_reader *reader, const struct wr_nft_expr *expr)
{
	bool is_ip6 = expr->nat.family == NFPROTO_IPV6, has_ports = expr->nat.port_min != 0;
	uint32_t type = is_ip6 ? WR_NFT_TYPE_IP6 : WR_NFT_TYPE_IP4;
	const struct wr_nft_slot *address = find_slot(reader, expr->nat.address_min);
	const struct wr_nft_slot *port = find_slot(reader, expr->nat.port_min);

	wr_nft_begin(reader);
	wr_text_add(reader->text, expr->nat.type == NFT_NAT_SNAT ? "snat " : "dnat ");
	if (reader->table->family == NFPROTO_INET)
		wr_text_add(reader->text, is_ip6 ? "ip6 " : "ip ");
	wr_text_add(reader->text, "to ");
	if (address != NULL && address->map != NULL) {
		/* Both out of one map: address and port behind it. */
		if (has_ports && (port == NULL || port->map != address->map || port != address + (is_ip6 ? 4 : 1)))
			reader->failed = true;
		if (expr->nat.address_max != 0 && expr->nat.address_max != expr->nat.address_min)
			reader->failed = true;
		wr_nft_say(reader, reader->text, address, type);
	} else {
		if (expr->nat.address_min != 0)
			say_address(reader, expr->nat.address_min, type, is_ip6 && has_ports);
		if (expr->nat.address_max != 0 && expr->nat.address_max != expr->nat.address_min) {
			wr_text_add_char(reader->text, '-');
			say_address(reader, expr->nat.address_max, type, is_ip6 && has_ports);
		}
		if (has_ports)
			say_ports(reader, expr->nat.port_min, expr->nat.port_max);
	}
	say_nat_flags(reader, expr->nat.flags);
}

static void say_masquerade(struct wr_nft_reader *reader, const struct wr_nft_expr *expr, const char *word)
{
	wr_nft_begin(reader);
	wr_text_add(reader->text, word);
	if (expr->masq.port_min != 0) {
		wr_text_add(reader->text, " to ");
		say_ports(reader, expr->masq.port_min, expr->masq.port_max);
	}
	say_nat_flags(reader, expr->masq.flags);
}

/* --- what packets write ------------------------------------------------------------------------------------------------------ */

static void say_dynset(struct wr_nft_reader *reader, const struct wr_nft_expr *expr)
{
	static const char *const verbs[] = {
		[NFT_DYNSET_OP_ADD] = "add", [NFT_DYNSET_OP_UPDATE] = "update", [NFT_DYNSET_OP_DELETE] = "delete"};
	const struct wr_nft_set *set = wr_nft_find_set(reader->table, expr->dynset.set);
	struct wr_text words WR_CLEANUP_TEXT = {0};

	wr_nft_say_key(reader, &words, expr->dynset.key, set);
	if (reader->sought != NULL && strcmp(reader->sought, expr->dynset.set) == 0) {
		wr_text_add_bytes(reader->found_text, wr_text_string(&words), words.length);
		reader->found = true;
		return;
	}
	wr_nft_begin(reader);
	wr_text_add(reader->text, expr->dynset.op < sizeof verbs / sizeof *verbs ? verbs[expr->dynset.op] : "?");
	wr_text_add_char(reader->text, ' ');
	wr_nft_say_set(reader, reader->text, expr->dynset.key, expr->dynset.set);
	wr_text_add(reader->text, " { ");
	wr_text_add_bytes(reader->text, wr_text_string(&words), words.length);
	if (expr->dynset.timeout_ms != 0)
		wr_text_addf(reader->text, " timeout %llums", (unsigned long long)expr->dynset.timeout_ms);
	if (expr->dynset.counted)
		wr_text_add(reader->text, " counter");
	if (expr->dynset.data != 0) {
		wr_text_add(reader->text, " : ");
		wr_nft_say(reader, reader->text, find_slot(reader, expr->dynset.data),
			   set != NULL ? set->data_type : 0);
	}
	wr_text_add(reader->text, " }");
	if (expr->dynset.inverted)
		reader->failed = true;
	if (wr_text_error(&words) != 0)
		reader->text->error = wr_text_error(&words);
}

/* "meta mark set 0x1" */
static void say_set(struct wr_nft_reader *reader, const struct wr_nft_expr *expr)
{
	bool is_ct = expr->kind == WR_NFT_ct;
	uint32_t type;
	const char *name = is_ct ? wr_nft_ct_name(expr->ct.key, &type) : wr_nft_meta_name(expr->meta.key, &type);

	if (name == NULL) {
		wr_nft_unsayable(reader, is_ct ? "ct set" : "meta set");
		return;
	}
	wr_nft_begin(reader);
	wr_text_add(reader->text, is_ct ? "ct " : "");
	wr_text_add(reader->text, name);
	wr_text_add(reader->text, " set ");
	wr_nft_say(reader, reader->text, find_slot(reader, expr->sreg), type);
}

static void say_other(struct wr_nft_reader *reader, const struct wr_nft_expr *expr)
{
	struct wr_text what WR_CLEANUP_TEXT = {0};

	wr_text_add(&what, expr->other.name != NULL ? expr->other.name : "?");
	if (expr->other.says != NULL) {
		wr_text_add_char(&what, ' ');
		wr_text_add(&what, expr->other.says);
	}
	wr_nft_unsayable(reader, wr_text_string(&what));
	if (wr_text_error(&what) != 0)
		reader->text->error = wr_text_error(&what);
}

bool wr_nft_act(struct wr_nft_reader *reader, const struct wr_nft_expr *expr)
{
	switch ((enum wr_nft_expr_kind)expr->kind) {
	case WR_NFT_immediate:
		wr_nft_begin(reader);
		if (!wr_show_nft_verdict(reader->text, expr->immediate.verdict, expr->immediate.chain))
			reader->failed = true;
		break;
	case WR_NFT_counter:
		say_counter(reader, expr);
		break;
	case WR_NFT_limit:
		say_limit(reader, expr);
		break;
	case WR_NFT_log:
		say_log(reader, expr);
		break;
	case WR_NFT_reject:
		say_reject(reader, expr);
		break;
	case WR_NFT_nat:
		say_nat(reader, expr);
		break;
	case WR_NFT_masq:
		say_masquerade(reader, expr, "masquerade");
		break;
	case WR_NFT_redir:
		say_masquerade(reader, expr, "redirect");
		break;
	case WR_NFT_dynset:
		say_dynset(reader, expr);
		break;
	case WR_NFT_meta:
	case WR_NFT_ct:
		say_set(reader, expr);
		break;
	case WR_NFT_payload:
	case WR_NFT_cmp:
	case WR_NFT_range:
	case WR_NFT_bitwise:
	case WR_NFT_lookup:
	case WR_NFT_fib:
	case WR_NFT_exthdr:
	case WR_NFT_EXPR_COUNT_:
		wr_nft_unsayable(reader, wr_nft_expr_name((enum wr_nft_expr_kind)expr->kind));
		break;
	case WR_NFT_other:
		say_other(reader, expr);
		break;
	}
	return !reader->failed;
}
