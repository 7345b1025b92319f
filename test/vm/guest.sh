#!/bin/dash
# What happens inside the machine of run.sh: it is its first process. Every check is a line of TAP; what failed is shown below it.
# shellcheck shell=dash
PATH=/bin:/usr/bin
export PATH LC_ALL=C
number=0
log=/tmp/log

# check NAME COMMAND...: counted by its status.
check() {
	number=$((number + 1))
	name=$1
	shift
	if "$@" >$log 2>&1; then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		sed 's/^/# /' $log
	fi
}
# exits STATUS COMMAND...
exits() {
	wanted=$1
	shift
	"$@"
	status=$?
	[ $status = "$wanted" ] || { echo "status $status instead of $wanted"; false; }
}
# says TEXT COMMAND...: also if it fails
says() {
	text=$1
	shift
	"$@" >/tmp/said 2>&1
	cat /tmp/said
	grep -qF -- "$text" /tmp/said || { echo "no '$text' in that"; false; }
}
same() { cmp -s "$1" "$2" || { diff -U 0 "$1" "$2"; false; }; }
# reaches NAMESPACE ADDRESS: at the first try, or with the kernel's own patience when it is not said otherwise
reaches() { warren exec "$1" -- ping -q -c 1 -W 3 "$2"; }

# In one process: this machine is slow.
settings() {
	(cd /proc/sys/net && grep -r . ipv4/conf ipv6/conf 2>/dev/null) | grep -v stable_secret | sort
}
# init settings: the settings of the namespace that it is called in.
if [ "${1:-}" = settings ]; then
	settings
	exit
fi

# Everything that down must leave as it was. The kernel's lists end in what varies by itself.
machine() {
	ip -d -o link
	ip -o address | sed 's/valid_lft.*//; s/ tentative//'
	ip route show table all
	ip -6 route show table all | sed 's/ expires [^ ]*//'
	ip rule
	ip -6 rule
	settings
	find /run /etc -mindepth 1 ! -path /run/netns
	grep ' nsfs ' /proc/self/mountinfo | cut -d' ' -f3-5
	# To ask would load the module: that is warren's to do.
	! grep -q '^nf_tables ' /proc/modules || nft list ruleset
}
# What an alien has: in the machine, or in a namespace (-n NAME).
aliens() {
	{
		for kind in dummy vlan vrf wireguard; do
			ip "$@" -d -o link show type $kind
		done
	} | sed 's/ state [A-Z]*//' # which follows by itself, a little later
	for device in al0 al0.7 al-red al1 al-wg; do
		ip "$@" -o address show dev $device | sed 's/valid_lft.*//'
	done
	ip "$@" route show table 77
}
make_aliens() {
	ip "$@" link add al0 type dummy &&
		ip "$@" link add link al0 name al0.7 type vlan id 7 &&
		ip "$@" link add al-red type vrf table 77 &&
		ip "$@" link add al1 type dummy &&
		ip "$@" link set al1 master al-red &&
		ip "$@" link add al-wg type wireguard || return 1
	for device in al0 al0.7 al-red al1 al-wg; do
		ip "$@" link set $device up
	done
	ip "$@" address add 172.30.0.1/24 dev al0
	ip "$@" address add 172.30.7.1/24 dev al0.7
	ip "$@" address add 172.31.0.1/24 dev al1
	ip "$@" address add 172.31.9.1/24 dev al-wg
	ip "$@" address add fd99::1/64 dev al0 nodad
}

# steady FILE NAME: up it is as it should be, and a second up has nothing to do.
steady() {
	check "$1: status" exits 0 warren status "$2"
	check "$1: plan" exits 0 warren plan "$1"
	check "$1: second up" says 'nothing to do' warren up "$1"
}
# The network as any reader of the kernel sees it, by namespace, without what differs from run to run.
network() {
	for pin in $(ip netns list | awk '{print $1}' | sort); do
		echo "== $pin"
		ip -n "$pin" -o link | sed -E 's/^[0-9]+: //; s/@[^:]*//; s/state [A-Z]+//; s/link-netnsid [0-9]+//; s/link-netns [^ ]*//; s/alias/\nalias/'
		ip -n "$pin" -o address | sed -E 's/^[0-9]+: //; s/valid_lft.*//; s/ proto [^ ]*//' | sort
		ip -n "$pin" route show table all | sort
		ip -n "$pin" -6 route show table all | sort
		ip -n "$pin" rule
		nsenter "--net=/run/netns/$pin" nft -s list ruleset
		nsenter "--net=/run/netns/$pin" "$0" settings | sed -E 's/@[^ ]*//'
	done
}

# example FILE NAME: all of its life; reaches comes from pings.
example() {
	file=$1 network=$2
	machine >/tmp/before
	check "$file: up" warren up "$file"
	pings
	steady "$file" "$network"
	network >/tmp/by-warren
	check "$file: down" warren down "$file"
	machine >/tmp/after
	check "$file: nothing is left" same /tmp/before /tmp/after
	warren plan --commands "$file" >/tmp/commands
	check "$file: its commands" sh -e /tmp/commands
	network >/tmp/by-commands
	check "$file: the commands make the same" same /tmp/by-warren /tmp/by-commands
	# An address's mark is what this iproute2 has no word for.
	check "$file: up of what the commands made" warren up "$file"
	check "$file: status of that" exits 0 warren status "$file"
	check "$file: commands, down" warren down "$network"
	machine >/tmp/after
	check "$file: nothing is left of the commands" same /tmp/before /tmp/after
}

# What warren found missing is not a thing to wait for: each ping is the first packet of its way.
pings() {
	case $network in
	bridge)
		check "$file: to a neighbour, at once" reaches container1 10.2.0.3
		check "$file: to the machine" reaches container1 10.2.0.1
		check "$file: from the machine" ping -q -c 1 -W 3 10.2.0.4
		;;
	dual)
		check "$file: IPv4, at once" reaches one 10.20.0.2
		check "$file: IPv6, at once" reaches one fd20::2
		check "$file: IPv6 to the machine" reaches two fd20::fe
		check "$file: from the machine" ping -q -c 1 -W 3 fd20::1
		;;
	host-to-namespace) check "$file: from the machine" ping -q -c 1 -W 3 10.0.0.2 ;;
	namespace-to-namespace) check "$file: across" reaches ns1 10.1.0.2 ;;
	router-host)
		check "$file: through the machine" reaches ns-subnet1 10.10.2.2
		check "$file: and back" reaches ns-subnet2 10.10.1.2
		;;
	router-namespace) check "$file: through the router" reaches left 10.20.2.2 ;;
	routers)
		check "$file: through the router" reaches s1 s2
		check "$file: the router's own" reaches s1 192.168.255.1
		;;
	shop)
		check "$file: by name, through the router" reaches app1 edge
		check "$file: a neighbour" reaches web app1
		check "$file: IPv6" reaches web fd00:2::1
		;;
	switch) check "$file: a neighbour" reaches red blue ;;
	esac
}

/bin/busybox --install -s /bin 2>/dev/null # but what is there already
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
mount -t tmpfs -o mode=755 tmpfs /run
ip link set lo up
cd /examples || exit

echo "TAP version 13"
echo "# Linux $(uname -r)"
check "warren's version" warren version

# --- a kernel whose IPv6 is switched off -----------------------------------------------------------------------------------
if [ ! -e /proc/sys/net/ipv6 ]; then
	cat >dual.yaml <<-'YAML'
		name: dual
		bridges:
		  lan: {subnet: ["10.20.0.0/24", "fd20::/64"]}
		namespaces:
		  one: {interfaces: {eth0: lan}}
		YAML
	machine >/tmp/before
	for file in bridge.yaml router-host.yaml router-namespace.yaml; do
		network=${file%.yaml}
		check "no IPv6: $file: up" warren up "$file"
		pings
		steady "$file" "$network"
		check "no IPv6: $file: down" warren down "$network"
	done
	check "no IPv6: what needs it is refused" exits 1 warren up dual.yaml
	check "no IPv6: and it is said why" says 'ipv6.disable' warren up dual.yaml
	machine >/tmp/after
	check "no IPv6: nothing is left" same /tmp/before /tmp/after
	echo "1..$number"
	poweroff -f
fi
check "no module of it is loaded yet" exits 1 grep -E '^(veth|bridge|nf_tables) ' /proc/modules

# --- somebody else's interfaces ------------------------------------------------------------------------------------------
check "aliens in the machine" make_aliens
ip netns add alien
check "aliens in a namespace of theirs" make_aliens -n alien
aliens >/tmp/aliens
aliens -n alien >/tmp/aliens-inside

cat >dual.yaml <<-'YAML'
	name: dual
	bridges:
	  lan: {subnet: ["10.20.0.0/24", "fd20::/64"], host: ["10.20.0.254", "fd20::fe"]}
	namespaces:
	  one: {interfaces: {eth0: {bridge: lan, address: [10.20.0.1/24, "fd20::1/64"]}}}
	  two: {interfaces: {eth0: {bridge: lan, address: [10.20.0.2/24, "fd20::2/64"]}}}
	YAML

for path in *.yaml; do
	example "$path" "${path%.yaml}"
done
aliens >/tmp/aliens.now
check "the aliens of the machine are as they were" same /tmp/aliens /tmp/aliens.now
aliens -n alien >/tmp/aliens.now
check "the aliens of the namespace are as they were" same /tmp/aliens-inside /tmp/aliens.now

# --- aliens inside our namespaces ----------------------------------------------------------------------------------------
machine >/tmp/before
check "up among aliens" warren up shop.yaml
check "aliens in a namespace of ours" make_aliens -n shop.web
check "a VLAN on an interface of ours" ip -n shop.web link add link eth0 name eth0.9 type vlan id 9
ip -n shop.web link set eth0.9 up
aliens -n shop.web >/tmp/aliens-web
warren status shop
check "they are no difference" exits 0 warren status shop
check "and nothing to do" says 'nothing to do' warren up shop.yaml
ip -n shop.web link set eth1 mtu 1300
check "drift beside them is seen" says 1300 warren status shop
check "and mended" says '1 step' warren up shop.yaml
aliens -n shop.web >/tmp/aliens.now
check "the aliens are as they were" same /tmp/aliens-web /tmp/aliens.now
check "traffic goes on" reaches web app1

# --- an edit: in place, and nothing else is interrupted --------------------------------------------------------------------
sed -e 's/mtu: 1400/mtu: 1350/' -e 's/app\[1-3\]/app[1-4]/' -e 's/192.0.2.0/198.51.100.0/' shop.yaml >/tmp/edited.yaml
check "an edit has a plan" exits 3 warren plan /tmp/edited.yaml
check "an edit" warren up /tmp/edited.yaml
check "the new one is reached" reaches web app4
check "the edit is up" exits 0 warren status shop
check "the edit, again" says 'nothing to do' warren up /tmp/edited.yaml
check "down among aliens" warren down shop
machine >/tmp/after
check "nothing is left" same /tmp/before /tmp/after

# --- traffic: with the machine's neighbour, and in and out of the namespaces --------------------------------------------------
cat >/tmp/two.yaml <<-'YAML'
	name: two
	bridges:
	  left: {subnet: ["10.21.0.0/24", "fd21::/64"], host: true}
	  right: {subnet: ["10.22.0.0/24", "fd22::/64"], host: true}
	namespaces:
	  one: {interfaces: {eth0: left}}
	  two: {interfaces: {eth0: right}}
	YAML
cat >/tmp/filter.yaml <<-'YAML'
	name: filter
	bridges:
	  lan: {subnet: ["10.30.0.0/24", "fd30::/64"], host: ["10.30.0.1", "fd30::1"], nat: true, guard: true}
	  side: {subnet: ["10.31.0.0/24", "fd31::/64"], host: ["10.31.0.1", "fd31::1"], isolated: true}
	namespaces:
	  web:
	    interfaces: {eth0: {bridge: lan, address: ["10.30.0.2/24", "fd30::2/64"]}}
	    publish: ["8080:80", "127.0.0.1:8081:80"]
	    firewall: {input: {policy: drop, accept: [tcp 80, icmp]}}
	  app: {interfaces: {eth0: {bridge: lan, address: ["10.30.0.3/24", "fd30::3/64"]}}}
	  alone: {interfaces: {eth0: {bridge: side, address: ["10.31.0.2/24", "fd31::2/64"]}}}
	YAML
# A machine beside this one, which has a route to the namespaces.
make_neighbour() {
	ip netns add outside &&
		ip link add wan type veth peer name eth0 netns outside || return 1
	sysctl -qw net.ipv6.conf.wan.accept_dad=0 # or its own address comes into the picture later
	ip link set wan up
	ip -n outside link set eth0 up
	ip -n outside link set lo up
	ip address add 192.0.2.1/24 dev wan
	ip address add 2001:db8::1/64 dev wan nodad
	ip -n outside address add 192.0.2.2/24 dev eth0
	ip -n outside address add 2001:db8::2/64 dev eth0 nodad
	ip route add default via 192.0.2.2
	ip route add default via 2001:db8::2 dev wan
	ip -n outside route add 10.30.0.0/15 via 192.0.2.1
	ip -n outside route add fd30::/15 via 2001:db8::1
}
outside() { ip netns exec outside "$@"; }
# served ADDRESS PORT [COMMAND...]: what web serves, asked for from where the command leads.
served() {
	address=$1 port=$2
	shift 2
	printf 'GET / HTTP/1.0\r\n\r\n' | "$@" nc -w 3 "$address" "$port" | grep -q "this is web"
}
denied() { ! served "$@"; }
unreached() { ! reaches "$@"; }
is() { [ "$(cat "/proc/sys/net/ipv6/conf/$1")" = "$2" ] || { echo "$1 is $(cat "/proc/sys/net/ipv6/conf/$1"), not $2"; false; }; }
# What is translated and what is dropped, in both families.
traffic() {
	mkdir -p /tmp/www
	echo "this is web" >/tmp/www/index.html
	check "$1: a server" nsenter --net=/run/netns/filter.web httpd -p 80 -h /tmp/www
	check "$1: to the outside, as the machine" reaches app 192.0.2.2
	check "$1: to the outside, IPv6" reaches app 2001:db8::2
	check "$1: a published port, from outside" served 192.0.2.1 8080 outside
	check "$1: a published port, from outside, IPv6" served 2001:db8::1 8080 outside
	check "$1: from the machine, its address" served 192.0.2.1 8080
	check "$1: from the machine, 127.0.0.1" served 127.0.0.1 8080
	check "$1: from the machine, 127.0.0.1 alone" served 127.0.0.1 8081
	# The answer to ::1 does not get through a bridge whose frames are filtered: the kernel knows ::1 on its loopback interface only.
	[ -e /proc/sys/net/bridge ] || check "$1: from the machine, ::1" served ::1 8080
	# Nor does what comes back to the port that it came from.
	[ -e /proc/sys/net/bridge ] || check "$1: from itself, by the machine's address" served 192.0.2.1 8080 warren exec web --
	check "$1: from outside, not that" denied 192.0.2.1 8081 outside
	check "$1: from a neighbour of it, by the machine's address" served 192.0.2.1 8080 warren exec app --
	check "$1: from another bridge" served 192.0.2.1 8080 warren exec alone --
	check "$1: its own address, from outside: what is not published" denied 10.30.0.2 80 outside
	check "$1: nor another" outside sh -c '! ping -q -c 1 -W 1 10.30.0.3'
	check "$1: nor in IPv6" outside sh -c '! ping -q -c 1 -W 1 fd30::3'
	check "$1: isolated, from there" unreached alone 10.30.0.3
	check "$1: isolated, to there" unreached app fd31::2
	check "$1: through the firewall" served 10.30.0.2 80 warren exec app --
	check "$1: a ping too" reaches app fd30::2
	check "$1: a second server" nsenter --net=/run/netns/filter.web httpd -p 81 -h /tmp/www
	check "$1: the firewall drops the rest" denied 10.30.0.2 81 warren exec app --
	ip -n filter.app address add 10.30.0.77/24 dev eth0
	check "$1: guarded" warren exec app -- sh -c '! ping -q -c 1 -W 1 -I 10.30.0.77 10.30.0.2'
	ip -n filter.app address del 10.30.0.77/24 dev eth0
	check "$1: honest traffic goes on" reaches app 10.30.0.2
	# shellcheck disable=SC2046  # two of them
	kill $(pidof httpd)
}
check "a neighbour" make_neighbour
nft list ruleset >/tmp/log 2>&1
machine >/tmp/before
if [ -e /proc/sys/net/ipv6/conf/all/force_forwarding ]; then
	forwarding=0 accept_ra=1
else
	forwarding=1 accept_ra=2
fi
check "IPv6 through the machine" warren up /tmp/two.yaml
check "it passes" reaches one two
check "IPv6 is forwarded as this kernel can" is all/forwarding $forwarding
check "the machine still takes its router's advertisements" is wan/accept_ra $accept_ra
check "traffic: up beside it" warren up /tmp/filter.yaml
check "two networks do not reach each other" unreached one 10.30.0.3
check "nor in IPv6" unreached app fd21::2
check "down of the first" warren down two
check "IPv6 is forwarded as long as the other needs it" is all/forwarding $forwarding
check "and advertisements are taken" is wan/accept_ra $accept_ra
traffic "traffic"
steady /tmp/filter.yaml filter
network >/tmp/by-warren
nft -s list ruleset >/tmp/by-warren-here
nft flush ruleset
check "traffic: what somebody flushed is missed" says warren-filter warren status filter
check "traffic: and restored" warren up /tmp/filter.yaml
nft -s list ruleset >/tmp/restored
check "traffic: to the same" same /tmp/by-warren-here /tmp/restored
check "traffic: down" warren down filter
machine >/tmp/after
check "traffic: nothing is left" same /tmp/before /tmp/after
warren plan --commands /tmp/filter.yaml >/tmp/commands
check "traffic: its commands" sh -e /tmp/commands
nft -s list ruleset >/tmp/by-commands-here
network >/tmp/by-commands
check "traffic: the commands make the same" same /tmp/by-warren /tmp/by-commands
check "traffic: and the same filter here" same /tmp/by-warren-here /tmp/by-commands-here
traffic "by commands"
check "traffic: up of what the commands made" warren up /tmp/filter.yaml
check "traffic: status of that" exits 0 warren status filter
check "traffic: down, again" warren down filter
machine >/tmp/after
check "traffic: nothing is left of the commands" same /tmp/before /tmp/after

# Frames on a bridge go through the machine's filter where this module is there.
check "br_netfilter" modprobe br_netfilter
machine >/tmp/before
check "bridged frames: up" warren up /tmp/filter.yaml
traffic "bridged frames"
steady /tmp/filter.yaml filter
check "bridged frames: down" warren down filter
machine >/tmp/after
check "bridged frames: nothing is left" same /tmp/before /tmp/after

# --- many at once: the first packets to the last of them arrive ----------------------------------------------------------------
cat >/tmp/many.yaml <<-'YAML'
	name: many
	bridges:
	  lan: {subnet: 10.23.0.0/16}
	namespaces:
	  n[1-150]: {interfaces: {eth0: lan}}
	YAML
check "many: up" warren up /tmp/many.yaml
check "many: the first reaches the last, at once" reaches n1 n150
check "many: the last reaches the middle, at once" reaches n150 n75
check "many: status" exits 0 warren status many
check "many: second up" says 'nothing to do' warren up /tmp/many.yaml
check "many: down" warren down many
machine >/tmp/after
check "many: nothing is left" same /tmp/before /tmp/after

echo "1..$number"
poweroff -f
