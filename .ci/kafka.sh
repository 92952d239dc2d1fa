#!/usr/bin/env bash
# A real Apache Kafka on loopback, one node in KRaft mode, without containers.
#
#   eval "$(.ci/kafka.sh start DIR)"    # sets STEWARD_KAFKA=127.0.0.1:PORT, and
#                                       # STEWARD_KAFKA_SASL_ADDR=127.0.0.1:PORT, where user
#                                       # steward signs in with the password "sesame"
#   .ci/kafka.sh restart DIR            # same data, same port
#   .ci/kafka.sh stop DIR
#
# DIR keeps the node's data, its log and its process id. start does nothing but
# print the address when the node of DIR is already running. Needs Java 17, and
# Maven for the first start: the jars stay in the cache for the next one.
set -euo pipefail

version=4.4.0
cache=${XDG_CACHE_HOME:-$HOME/.cache}/steward-ci/kafka-$version

die() { echo "kafka.sh: $*" >&2; exit 1; }

# jars fetches Kafka once. It is built aside and moved into place whole, so that
# an interrupted or concurrent download never leaves half a set behind.
jars() {
	[ -f "$cache/libs/kafka_2.13-$version.jar" ] && return
	command -v mvn >/dev/null || die "mvn is needed to fetch Kafka $version"
	mkdir -p "$(dirname "$cache")"
	local tmp
	tmp=$(mktemp -d "$cache.XXXXXX")
	cat >"$tmp/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>com.github.stewardhq</groupId>
  <artifactId>kafka-for-tests</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>$version</version>
    </dependency>
  </dependencies>
</project>
POM
	(cd "$tmp" && mvn -q -B dependency:copy-dependencies -DoutputDirectory=libs) >&2 || { rm -rf "$tmp"; die "mvn could not fetch Kafka $version"; }
	rm -rf "$cache"
	mv "$tmp" "$cache"
}

# running looks at the command, not only at the number: numbers are used again.
running() { [ -f "$dir/pid" ] && ps -ww -o command= -p "$(cat "$dir/pid")" 2>/dev/null | grep -qF "$dir/server.properties"; }

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() {
	local port
	for _ in $(seq 100); do
		port=$((20000 + RANDOM % 12000))
		[[ " $* " != *" $port "* ]] && ! listening "$port" && { echo "$port"; return; }
	done
	die "no free port"
}

configure() {
	local port controller sasl
	port=$(free_port)
	controller=$(free_port "$port")
	sasl=$(free_port "$port" "$controller")
	echo "$port" >"$dir/port"
	echo "$sasl" >"$dir/port.sasl"
	cat >"$dir/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,SASL_PLAINTEXT://127.0.0.1:$sasl,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port,SASL_PLAINTEXT://127.0.0.1:$sasl
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_steward="sesame";
listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
controller.listener.names=CONTROLLER
log.dirs=$dir/data
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
PROPERTIES
	local id
	id=$(java -cp "$cache/libs/*" kafka.tools.StorageTool random-uuid 2>>"$dir/kafka.log" | tail -1)
	java -cp "$cache/libs/*" kafka.tools.StorageTool format -t "$id" -c "$dir/server.properties" \
		--add-scram 'SCRAM-SHA-256=[name=steward,password=sesame]' \
		--add-scram 'SCRAM-SHA-512=[name=steward,password=sesame]' >>"$dir/kafka.log" 2>&1 ||
		{ rm -f "$dir/server.properties"; die "formatting failed, see $dir/kafka.log"; }
}

launch() {
	jars
	mkdir -p "$dir"
	[ -f "$dir/server.properties" ] || configure
	local port
	port=$(cat "$dir/port")
	# Ctrl-C in the terminal of the tests must not reach the broker before them.
	local own=
	command -v setsid >/dev/null && own=setsid
	$own java -Xmx512m -cp "$cache/libs/*" kafka.Kafka "$dir/server.properties" >>"$dir/kafka.log" 2>&1 </dev/null &
	echo $! >"$dir/pid"
	local tries
	for tries in $(seq 600); do
		[ "$tries" -le 3 ] || running || { tail -20 "$dir/kafka.log" >&2; die "Kafka ended, see $dir/kafka.log"; }
		listening "$port" && return
		sleep 0.1
	done
	halt
	die "Kafka does not listen after 60 s, see $dir/kafka.log"
}

halt() {
	running || { rm -f "$dir/pid"; return 0; }
	local pid
	pid=$(cat "$dir/pid")
	kill "$pid"
	for _ in $(seq 150); do
		running || break
		sleep 0.1
	done
	running && kill -9 "$pid"
	rm -f "$dir/pid"
}

[ $# -eq 2 ] || die "usage: kafka.sh start|stop|restart DIR"
mkdir -p "$2"
dir=$(cd "$2" && pwd)
case $1 in
start) running || launch ;;
restart) halt; launch ;;
stop) halt; exit ;;
*) die "usage: kafka.sh start|stop|restart DIR" ;;
esac
echo "export STEWARD_KAFKA=127.0.0.1:$(cat "$dir/port") STEWARD_KAFKA_SASL_ADDR=127.0.0.1:$(cat "$dir/port.sasl")"
